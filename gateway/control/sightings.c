/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/sightings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/control_private.h"
#include "gateway/control/privacy.h"
#include "gateway/control/privacy.h"

#define BUCKETS 4096 /* a power of two; resources are digests, so they spread by themselves */

struct seen { /* one resource */
	LIST_ENTRY(seen) link;
	uint8_t id[MSG_ID];
	char profile[DB_NAME_MAX];
	uint64_t unwritten; /* sightings since the last write */
	uint64_t untold;    /* since the last entry of the log */
	bool fetchable;
};

struct sightings {
	struct control *c;
	LIST_HEAD(, seen) bucket[BUCKETS];
	unsigned n;
	uint64_t unknown;  /* requests of no profile since the last entry */
	uint64_t refused;  /* sightings that no resource was made for */
	int64_t told_at;
	int64_t met_at;    /* the second in which the last new one was taken in */
	unsigned met;      /* in that second */
	uint64_t personal; /* likewise, for a module's number stood where a product or a version belongs */
	uint64_t misfits;  /* dropped for not being what their profile says */
};

struct sightings *
sightings_new(struct control *c)
{
	struct sightings *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->c = c;
	for (unsigned i = 0; i < BUCKETS; i++)
		LIST_INIT(&s->bucket[i]);
	return s;
}

static void
forget(struct sightings *s, struct seen *one)
{
	LIST_REMOVE(one, link);
	s->n--;
	free(one);
}

void
sightings_free(struct sightings *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&s->bucket[i]))
			forget(s, LIST_FIRST(&s->bucket[i]));
	free(s);
}

static unsigned
bucket_of(const uint8_t id[MSG_ID])
{
	return ((unsigned)id[0] << 8 | id[1]) & (BUCKETS - 1);
}

static struct seen *
find(struct sightings *s, const uint8_t id[MSG_ID])
{
	struct seen *one;
	LIST_FOREACH(one, &s->bucket[bucket_of(id)], link) {
		if (!memcmp(one->id, id, MSG_ID))
			return one;
	}
	return NULL;
}

/* ---- is it what it says it is ---- */

static bool
plain(const char *s)
{
	return visible_is_plain(view_str(s));
}

/*
 * The template's literal beginning holds scheme, host and port; the rest was
 * filled in by an edge that may be taken over, and can only name another path
 * on the vendor's own host.
 */
static bool
of_template(const char *template, const char *url)
{
	struct profile_url parsed;
	size_t literal = strcspn(template, "{");
	const char *host = strstr(template, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;
	return path && (size_t)(path - template) < literal && strncmp(template, url, literal) == 0 &&
	    profile_url_parse(view_str(url), &parsed);
}

static bool
coherent(const struct policy *p, const struct msg_sighting *m)
{
	uint8_t id[MSG_ID];
	if (!plain(m->product) || !plain(m->target) || !plain(m->from) || !plain(m->url) || !plain(m->signature_url))
		return false;
	if (!m->fetchable)
		return true;
	const struct profile *profile = p->profile;
	return profile->upstream[0] && of_template(profile->upstream, m->url) &&
	    (!m->signature_url[0] ||
		(profile->signature_url[0] && of_template(profile->signature_url, m->signature_url))) &&
	    profile_resource(profile, m->url, id) == FG_OK && !memcmp(id, m->resource, sizeof id);
}

/* ---- taking in ---- */

static void
learn(struct sightings *s, const struct msg_sighting *m, uint32_t count)
{
	struct db_unknown u = { .count = count, .first_seen = control_now(s->c), .last_seen = control_now(s->c) };
	s->unknown += count;
	if (!policies_config(s->c->policies)->learn)
		return;
	visible_cstr(view_str(m->listener), u.listener, sizeof u.listener);
	visible_cstr(view_str(m->host), u.host, sizeof u.host);
	visible_cstr(view_str(m->path), u.path, sizeof u.path);
	visible_cstr(view_str(m->agent), u.agent, sizeof u.agent);
	(void)db_unknown_add(s->c->db, &u);
}

/* Into the inventory. The pseudonym of who asked, or false when nobody can be named. */
static bool
identify(struct sightings *s, const struct policy *p, const struct msg_sighting *m, uint8_t asker[MSG_ID])
{
	struct control *c = s->c;
	struct inventory_seen seen = { 0 };
	if (inventory_sight(c->inventory, p->profile, m, control_now(c), &seen) || !seen.module)
		return false;
	memcpy(asker, seen.module->pseudonym, MSG_ID);
	rollouts_heard(c->rollouts, &seen, m);
	return true;
}

/*
 * What a resource is called goes into reviews, lists and the log for good, in clear text. A module that puts its own
 * number there would be named for ever, so it is not taken.
 */
static bool
names_a_module(const struct msg_sighting *m)
{
	const char *const texts[] = { m->product, m->target, m->from };
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char masked[sizeof m->product + sizeof m->target + sizeof m->from];
		privacy_mask_text(texts[i], false, masked, sizeof masked);
		if (strcmp(texts[i], masked) != 0)
			return true;
	}
	return false;
}

/* Modules choose what they ask for: how many writes a second come of it, they must not. */
static bool
may_meet(struct sightings *s)
{
	int64_t now = control_now(s->c);
	if (now != s->met_at) {
		s->met_at = now;
		s->met = 0;
	}
	return s->n < SIGHTINGS_RESOURCES_MAX && s->met++ < SIGHTINGS_MEET_MAX;
}

/* The first sighting of a resource in this life: it is written at once, so that a fetch can rest on it. */
static struct seen *
meet(struct sightings *s, const struct policy *p, const struct msg_sighting *m, const uint8_t *asker)
{
	struct control *c = s->c;
	struct db_resource r = { .first_seen = control_now(c), .last_seen = control_now(c), .sightings = 0 };
	bool fresh = false;
	if (!may_meet(s))
		return NULL;
	memcpy(r.id, m->resource, sizeof r.id);
	snprintf(r.profile, sizeof r.profile, "%s", p->profile->name);
	if (m->fetchable) {
		snprintf(r.url, sizeof r.url, "%s", m->url);
		snprintf(r.signature_url, sizeof r.signature_url, "%s", m->signature_url);
	}
	snprintf(r.product, sizeof r.product, "%s", m->product);
	snprintf(r.target, sizeof r.target, "%s", m->target);
	snprintf(r.from, sizeof r.from, "%s", m->from);
	snprintf(r.state, sizeof r.state, "%s", lifecycle_state_name(LIFECYCLE_SIGHTED));
	if (asker) {
		r.have_asker = true;
		memcpy(r.asker, asker, sizeof r.asker);
	}
	if (db_resource_sight(c->db, &r, &fresh))
		return NULL;
	struct seen *one = calloc(1, sizeof *one);
	if (!one)
		return NULL;
	memcpy(one->id, m->resource, sizeof one->id);
	memcpy(one->profile, r.profile, sizeof one->profile);
	one->fetchable = m->fetchable;
	LIST_INSERT_HEAD(&s->bucket[bucket_of(one->id)], one, link);
	s->n++;
	return one;
}

void
sightings_take(struct sightings *s, unsigned edge, const struct msg_sighting *m)
{
	struct control *c = s->c;
	/* repeats is what was held back since the last message; this one counts itself. */
	uint32_t count = m->repeats < UINT32_MAX ? m->repeats + 1 : m->repeats;
	uint8_t asker[MSG_ID];
	if (!m->profile[0]) {
		learn(s, m, count);
		return;
	}
	const struct policy *p = policies_find(c->policies, m->profile);
	if (!p || !coherent(p, m)) {
		/* During a reload an edge may be one configuration behind; anything else is an edge gone wrong. */
		if (!s->misfits++)
			oplog(OPLOG_WARNING, "edge %u reports sightings that do not fit their profile; they are dropped", edge);
		return;
	}
	bool named = identify(s, p, m, asker);
	if (!m->product[0])
		return;
	if (names_a_module(m)) {
		if (!s->personal)
			oplog(OPLOG_WARNING, "profile %s: a product or version has as many digits as a module's number; "
			    "nothing of that name is fetched or shown", p->profile->name);
		s->personal += count;
		return;
	}
	struct seen *one = find(s, m->resource);
	if (!one)
		one = meet(s, p, m, named ? asker : NULL);
	if (!one) {
		s->refused += count;
		return;
	}
	one->unwritten += count;
	one->untold += count;
	if (one->fetchable && !c->stopping)
		fetches_want(c->fetches, one->id, named ? asker : NULL);
}

/* ---- writing and telling ---- */

void
sightings_flush(struct sightings *s)
{
	struct control *c = s->c;
	bool open = false;
	int err = FG_OK;
	for (unsigned i = 0; i < BUCKETS && !err; i++) {
		struct seen *one, *next;
		for (one = LIST_FIRST(&s->bucket[i]); one && !err; one = next) {
			bool there = true;
			next = LIST_NEXT(one, link);
			if (!one->unwritten)
				continue;
			if (!open && (err = db_begin(c->db)))
				break;
			open = true;
			err = db_resource_seen(c->db, one->id, control_now(c), one->unwritten, &there);
			if (!err)
				one->unwritten = 0;
			if (!there)
				forget(s, one); /* it has made room: whoever asks again is met again */
		}
	}
	if (open)
		err = db_end(c->db, err);
	if (err)
		oplog(OPLOG_WARNING, "sightings could not be written: %s", db_why(c->db));
	inventory_place(c->inventory, control_now(c));
	err = inventory_flush(c->inventory);
	if (!err)
		err = grants_flush(c->grants);
	if (err)
		oplog(OPLOG_WARNING, "inventory or grants could not be written: %s", db_why(c->db));
}

static void
tell_one(struct control *c, struct seen *one)
{
	char hex[2 * MSG_ID + 1], obj[2 * MSG_ID + 16];
	hex_encode(one->id, sizeof one->id, hex);
	snprintf(obj, sizeof obj, "resource:%s", hex);
	struct msg_append *e = logbook_entry(ENTRY_MODULE_SIGHTING, "ok", "modules", obj);
	if (!e)
		return;
	logbook_ref(e, "profile", one->profile);
	logbook_ref_number(e, "count", one->untold);
	logbook_tell(c->logbook, e);
}

static void
tell_count(struct control *c, uint64_t count, const char *what)
{
	struct msg_append *e = count ? logbook_entry(ENTRY_DEVICE_UNKNOWN_COUNT, "ok", "modules", what) : NULL;
	if (!e)
		return;
	logbook_ref_number(e, "count", count);
	logbook_tell(c->logbook, e);
}

void
sightings_report(struct sightings *s)
{
	int64_t now = control_now(s->c);
	unsigned told = 0;
	uint64_t rest = 0;
	if (now >= s->told_at && now - s->told_at < SIGHTINGS_LOG_SECONDS)
		return;
	s->told_at = now;
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct seen *one, *next;
		for (one = LIST_FIRST(&s->bucket[i]); one; one = next) {
			next = LIST_NEXT(one, link);
			if (one->untold && told++ < SIGHTINGS_LOG_MAX)
				tell_one(s->c, one);
			else
				rest += one->untold;
			/* Nobody asked since the last round: whoever asks again is met again. */
			if (!one->untold && !one->unwritten)
				forget(s, one);
			else
				one->untold = 0;
		}
	}
	tell_count(s->c, rest, "other-resources");
	tell_count(s->c, s->unknown, "no-profile");
	tell_count(s->c, s->refused, "too-many-resources");
	tell_count(s->c, s->personal, "names-a-module");
	tell_count(s->c, s->misfits, "misfits");
	s->unknown = s->refused = s->personal = s->misfits = 0;
}
