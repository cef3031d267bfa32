/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/fetches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/arrivals.h"
#include "gateway/control/fetches_private.h"
#include "gateway/control/kept.h"
#include "gateway/control/privacy.h"
#include "gateway/control/quarantine.h"
#include "gateway/control/vendors.h"
#include "gateway/wire/memfd.h"

#define WALL_GRACE_S 120 /* beyond the profile's own limit the job is stuck, not slow */
#define HASH_RATE (20u << 20) /* bytes a second the fetcher reads of what was kept, at the least: a slow disk */
#define HOUR 3600
#define COMPLAIN_S 60 /* modules choose what they ask for, so they must not choose how often the log hears of it */

struct fetches *
fetches_new(struct control *c)
{
	struct fetches *f = calloc(1, sizeof *f);
	if (f) {
		f->c = c;
		LIST_INIT(&f->flights);
	}
	return f;
}

void
fetches_land(struct flight *fl)
{
	struct control *c = fl->all->c;
	for (unsigned i = 0; i < 2; i++) {
		if (fl->have_part[i]) {
			/* Whatever else a fetcher gone wrong wrote goes; the process is dead. */
			if (!i && fl->kept && ftruncate(fl->part[i].fd, (off_t)fl->had.bytes))
				oplog(OPLOG_WARNING, "a part in quarantine could not be cut");
			close(fl->part[i].fd);
			if (i || !fl->kept)
				files_part_drop(c->files, fl->part[i].name);
		}
	}
	digest_free(fl->digest);
	if (fl->fd >= 0)
		close(fl->fd);
	if (fl->turn)
		event_free(fl->turn);
	free(fl->slice);
	LIST_REMOVE(fl, link);
	fl->all->n--;
	free(fl);
}

void
fetches_free(struct fetches *f)
{
	if (!f)
		return;
	while (!LIST_EMPTY(&f->flights))
		fetches_land(LIST_FIRST(&f->flights));
	free(f);
}

unsigned
fetches_running(const struct fetches *f)
{
	return f->n;
}

static struct flight *
find(const struct fetches *f, const uint8_t resource[MSG_ID])
{
	struct flight *fl;
	LIST_FOREACH(fl, &f->flights, link) {
		if (!memcmp(fl->resource.id, resource, MSG_ID))
			return fl;
	}
	return NULL;
}

bool
fetches_busy(const struct fetches *f, const uint8_t resource[MSG_ID])
{
	return f && find(f, resource);
}

/* ---- telling ---- */

struct msg_append *
fetches_entry(const struct flight *fl, enum entry_event event, const char *out)
{
	char hex[2 * MSG_ID + 1], obj[2 * MSG_ID + 16], review[DB_REVIEW_CAP];
	hex_encode(fl->resource.id, MSG_ID, hex);
	snprintf(obj, sizeof obj, "resource:%s", hex);
	struct msg_append *e = logbook_entry(event, out, "control", obj);
	logbook_ref(e, "profile", fl->resource.profile);
	if (fl->candidate) {
		db_candidate_review(fl->candidate, review);
		logbook_ref(e, "review", review);
	}
	return e;
}

/* ---- its candidate ---- */

/* The candidate this fetch is for, in state fetching: a new one, one that failed before, or none for a second look. */
static int
candidate_for(struct control *c, const struct db_resource *r, bool by_person, uint64_t *ret)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	int err = cand ? db_candidate_newest(c->db, r->id, cand) : FG_ENOMEM;
	*ret = 0;
	if (err == FG_ENOTFOUND) {
		*cand = (struct db_candidate){ .created = control_now(c), .updated = control_now(c) };
		memcpy(cand->resource, r->id, sizeof cand->resource);
		snprintf(cand->state, sizeof cand->state, "%s", lifecycle_state_name(LIFECYCLE_SIGHTED));
		err = db_candidate_new(c->db, cand, &cand->id);
	}
	enum lifecycle_state state = err ? LIFECYCLE_NONE : lifecycle_state_parse(view_str(cand->state));
	const struct lifecycle_move *m = lifecycle_move(state, LIFECYCLE_FETCH);
	if (!err && state == LIFECYCLE_FETCHING)
		*ret = cand->id; /* its fetch ended when the database could not be written */
	else if (!err && m && (m->needs == LIFECYCLE_NEEDS_NONE || (by_person && !cand->in_quarantine))) {
		err = candidates_move(c, cand, LIFECYCLE_FETCH, "");
		*ret = cand->id;
	}
	free(cand);
	return err;
}

/* ---- may we? ---- */

static void
back_off(struct control *c, const uint8_t resource[MSG_ID])
{
	struct db_backoff b = { 0 };
	(void)db_fetch_backoff(c->db, resource, &b);
	unsigned shift = b.failures < 10 ? b.failures : 10;
	int64_t wait = (int64_t)FETCHES_BACKOFF_FIRST << shift;
	uint32_t random = 0;
	/* Without a number there is no jitter, which is no reason to fail. */
	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	wait = wait < FETCHES_BACKOFF_MAX ? wait : FETCHES_BACKOFF_MAX;
	b.until = control_now(c) + wait + random % (wait / 4 + 1);
	b.failures++;
	(void)db_fetch_backoff_set(c->db, resource, &b);
}

static bool
due(struct control *c, const struct db_resource *r)
{
	struct db_backoff b = { 0 };
	enum lifecycle_state state = lifecycle_state_parse(view_str(r->candidate_state));
	if (db_fetch_backoff(c->db, r->id, &b) || control_now(c) < b.until)
		return false;
	if (!r->candidate || state == LIFECYCLE_FETCHING) /* no flight is, or nobody would have asked */
		return true;
	const struct lifecycle_move *m = lifecycle_move(state, LIFECYCLE_FETCH);
	if (m)
		return m->needs == LIFECYCLE_NEEDS_NONE;
	/* The image is here: a second look now and then; `until` dates the last one. */
	return state == LIFECYCLE_REVIEW || state == LIFECYCLE_APPROVED ? b.until && control_now(c) >= b.until : false;
}

/* ---- the job ---- */

static void
reach(const struct policy *p, struct msg_fetch *m)
{
	const struct profile_upstream *o = &p->profile->upstream_options;
	m->max_seconds = m->max_seconds && m->max_seconds < (uint64_t)o->max_seconds ? m->max_seconds : (uint32_t)o->max_seconds;
	m->min_speed = (uint32_t)o->min_bytes_per_second;
	m->max_redirects = (uint32_t)o->max_redirects;
	m->have_ca = p->ca.n > 0;
	m->have_credentials = p->credentials_fd >= 0;
	snprintf(m->proxy, sizeof m->proxy, "%s", o->proxy);
	/* More pins or networks than a message holds: those left out permit less, never more. */
	for (unsigned i = 0; i < o->pin_text_n && m->pins_n < sizeof m->pins / sizeof m->pins[0]; i++)
		memcpy(m->pins[m->pins_n++].spki, o->pin[i], DIGEST_SHA256_LEN);
	for (unsigned i = 0; i < o->private_text_n && m->private_n < sizeof m->private_ok / sizeof m->private_ok[0]; i++) {
		struct msg_cidr *n = &m->private_ok[m->private_n++];
		memcpy(n->addr, o->private[i].addr.b, sizeof n->addr);
		n->bits = o->private[i].bits;
		n->v6 = true; /* the 16-byte form for both families */
	}
}

int
fetches_ask(const struct policy *p, struct msg_fetch *m, const struct files_part part[2], struct chan *chan)
{
	int fds[4] = { part[0].fd, part[1].fd, -1, -1 }, ca = -1;
	unsigned fds_n = 2;
	int err = FG_OK;
	reach(p, m);
	if (m->have_ca) {
		ca = fds[fds_n++] = memfd_sealed("fotagate-ca", p->ca);
		err = ca < 0 ? ca : FG_OK;
	}
	if (!err && m->have_credentials)
		fds[fds_n++] = p->credentials_fd;
	if (!err)
		err = chan_send(chan, MSG_FETCH, m, fds, fds_n);
	if (ca >= 0)
		close(ca);
	return err;
}

static int
on_ask(void *ctx, uint64_t job, struct chan *chan)
{
	struct flight *fl = ctx;
	const struct policy *p = policies_find(fl->all->c->policies, fl->resource.profile);
	struct msg_fetch *m = calloc(1, sizeof *m);
	int err = !p ? FG_ENOTFOUND : m ? FG_OK : FG_ENOMEM;
	if (!err) {
		m->job = job;
		m->max_bytes = fl->max_bytes;
		m->tries = FETCHES_TRIES;
		if (fl->began_with) {
			m->kept_n = 1;
			m->kept[0] = fl->had;
		}
		snprintf(m->url, sizeof m->url, "%s", fl->resource.url);
		snprintf(m->signature_url, sizeof m->signature_url, "%s", fl->resource.signature_url);
		snprintf(m->home, sizeof m->home, "%s", fl->resource.url);
		snprintf(m->first_asked_by, sizeof m->first_asked_by, "%s", fl->asker);
		err = fetches_ask(p, m, fl->part, chan);
	}
	free(m);
	return err;
}

/* ---- what of it will be there whatever happens ---- */

static void
keep(struct flight *fl, const struct msg_kept *kept)
{
	if (kept_put(fl->all->c, fl->resource.id, fl->policy, &fl->part[0], kept, fl->max_bytes))
		return;
	fl->kept = true;
	fl->had = *kept;
}

void
fetches_release(struct flight *fl)
{
	if (fl->kept)
		kept_release(fl->all->c, fl->resource.id);
	fl->kept = false;
}

static void
on_progress(void *ctx, const struct msg_fetch_progress *m)
{
	struct flight *fl = ctx;
	int64_t now = control_now(fl->all->c);
	/* Once a second is enough for the database, whatever a fetcher gone wrong sends. */
	if (!m->kept_n || !m->kept[0].bytes || now == fl->had_at)
		return;
	fl->had_at = now;
	fl->done.shown_n = m->shown_n;
	memcpy(fl->done.shown, m->shown, sizeof fl->done.shown);
	fl->done.shown_more = m->shown_more;
	bool same = false;
	int err = db_begin(fl->all->c->db);
	if (!err)
		err = db_end(fl->all->c->db, vendors_begin(fl, &same));
	/* If it is not, the end tells of it. */
	if (!err && same)
		keep(fl, &m->kept[0]);
}

/*
 * The fetcher's word decides; of one that died without any, what it had told before: but not twice
 * the same, which may be what it died of. One that never ran changes nothing.
 */
static void
keep_or_not(struct flight *fl)
{
	if (fl->replied && fl->done.outcome != MSG_FETCH_OK && fl->done.kept_n && fl->done.kept[0].bytes)
		keep(fl, &fl->done.kept[0]);
	else if (fl->started && (fl->replied || fl->had.bytes <= fl->began_with))
		fetches_release(fl);
}

/* What stays must come from servers as they were: the next fetch says nothing about those of this one. */
static int
keep_of_known(struct flight *fl)
{
	char note[MSG_TEXT_MAX];
	if (!fl->started || (!fl->kept && fl->replied))
		return FG_OK;
	int err = vendors_compare(fl, 0, note);
	if (err || note[0])
		fetches_release(fl);
	return err;
}

/* ---- how it ended ---- */

void
fetches_history(struct flight *fl, unsigned outcome, const char *detail)
{
	struct control *c = fl->all->c;
	struct db_fetch h = { .id = fl->record, .ended = control_now(c), .outcome = (uint8_t)outcome,
		.http_status = fl->done.http_status, .bytes = fl->bytes[0] };
	snprintf(h.detail, sizeof h.detail, "%s", detail);
	(void)db_fetch_end(c->db, &h);
	const char *word = lifecycle_state_name(outcome == MSG_FETCH_OK ? LIFECYCLE_JUDGING : LIFECYCLE_FETCH_FAILED);
	(void)db_resource_move(c->db, fl->resource.id, NULL, word);
}

/* The flight is over and has brought nothing. */
void
fetches_fail(struct flight *fl, const char *detail)
{
	struct control *c = fl->all->c;
	struct db_candidate *cand = fl->candidate ? calloc(1, sizeof *cand) : NULL;
	char seen[MSG_TEXT_MAX];
	visible_cstr(view_str(detail), seen, sizeof seen);
	keep_or_not(fl);
	int err = db_begin(c->db);
	if (!err) {
		err = keep_of_known(fl);
		fetches_history(fl, fl->done.outcome == MSG_FETCH_OK ? MSG_FETCH_FAILED : fl->done.outcome, seen);
		if (cand && db_candidate_get(c->db, fl->candidate, cand) == FG_OK)
			(void)candidates_move(c, cand, LIFECYCLE_FAIL, seen);
		back_off(c, fl->resource.id);
		err = db_end(c->db, err);
	}
	if (err) {
		fetches_release(fl); /* not compared: not gone on with */
		oplog(OPLOG_ERR, "a failed fetch could not be written down: %s", db_why(c->db));
	}
	struct msg_append *e = fetches_entry(fl, ENTRY_FETCH_FAILED, "failed");
	logbook_say(e, "%s", seen);
	if (fl->done.finding)
		logbook_ref(e, "finding", msg_fetch_finding_name(fl->done.finding));
	if (fl->done.http_status)
		logbook_ref_number(e, "status", fl->done.http_status);
	if (fl->have_provenance)
		logbook_ref_sha256(e, "provenance", fl->provenance);
	if (fl->kept)
		logbook_ref_number(e, "kept", fl->had.bytes);
	logbook_tell(c->logbook, e);
	if (fl->done.finding == MSG_FINDING_IDENTITY)
		vendors_refused(fl);
	free(cand);
	fetches_land(fl);
}

static void
on_ended(void *ctx, struct jobs_end *end)
{
	struct flight *fl = ctx;
	char why[200];
	fl->job = 0;
	fl->started = end->started;
	if (end->end != REPORT_END_REPLIED) {
		snprintf(why, sizeof why, "the fetcher: %s", end->detail);
		fetches_fail(fl, why);
		return;
	}
	fl->replied = true;
	fl->done = end->reply.fetched;
	int err = arrivals_provenance(fl, end->fd);
	if (fl->done.outcome != MSG_FETCH_OK) {
		fetches_fail(fl, fl->done.detail[0] ? fl->done.detail : "the fetch failed");
		return;
	}
	if (!err)
		err = arrivals_begin(fl);
	if (err)
		fetches_fail(fl, err == FG_EPEER ? "the fetcher's answer does not hold together" : err_name(err));
}

/* ---- ordering ---- */

static const struct jobs_ops ops = { on_ask, on_progress, on_ended };

static int
take_off(struct fetches *f, const struct db_resource *r, const struct policy *p, const char *asker, bool by_person,
    uint64_t room)
{
	struct control *c = f->c;
	struct flight *fl = calloc(1, sizeof *fl);
	if (!fl)
		return FG_ENOMEM;
	*fl = (struct flight){ .all = f, .resource = *r, .max_bytes = room, .fd = -1 };
	snprintf(fl->asker, sizeof fl->asker, "%s", asker);
	LIST_INSERT_HEAD(&f->flights, fl, link);
	f->n++;
	int err = FG_OK;
	err = kept_policy(p, fl->policy);
	fl->have_part[0] = fl->kept = !err && kept_open(c, r->id, fl->policy, &fl->part[0], &fl->had) == FG_OK;
	fl->began_with = fl->had.bytes;
	for (unsigned i = fl->kept; !err && i < 2; i++) {
		err = files_part_new(c->files, &fl->part[i]);
		fl->have_part[i] = !err;
	}
	if (!err)
		err = db_begin(c->db);
	if (!err) {
		err = candidate_for(c, r, by_person, &fl->candidate);
		if (!err)
			err = db_fetch_start(c->db, r->id, control_now(c), &fl->record);
		if (!err)
			err = db_resource_move(c->db, r->id, NULL, lifecycle_state_name(LIFECYCLE_FETCHING));
		err = db_end(c->db, err);
	}
	if (err) {
		oplog(OPLOG_ERR, "a fetch could not be ordered: %s (%s)", err_name(err), db_why(c->db));
		fetches_land(fl);
		return err;
	}
	uint64_t wall_s = (uint64_t)p->profile->upstream_options.max_seconds + WALL_GRACE_S + fl->began_with / HASH_RATE;
	uint32_t wall = wall_s < UINT32_MAX / 1000 ? (uint32_t)wall_s * 1000u : UINT32_MAX;
	struct msg_append *e = fetches_entry(fl, ENTRY_FETCH_STARTED, "ok");
	logbook_ref(e, "asked_by", fl->asker);
	if (fl->began_with)
		logbook_ref_number(e, "kept", fl->began_with);
	/* The path was filled in from what a module asked for, and the log is forever. */
	char url[sizeof r->url];
	privacy_mask_text(r->url, false, url, sizeof url);
	logbook_say(e, "%s", url);
	logbook_tell(c->logbook, e);
	err = jobs_start(c->jobs, MSG_JOB_UPSTREAM, wall, &ops, fl, &fl->job);
	if (err)
		fetches_fail(fl, "too many fetches wait");
	return err;
}

/* The limits that hold for everyone; ret_why says which. */
static int
limits(struct control *c, const struct profile *p, const uint8_t resource[MSG_ID], uint64_t *ret_room, char *why,
    size_t cap)
{
	struct db_kept had = { 0 };
	uint64_t begun = 0;
	if (db_fetch_count(c->db, p->name, control_now(c) - HOUR, &begun) || begun >= (uint64_t)p->fetches_per_hour) {
		snprintf(why, cap, "the profile's fetches_per_hour are used up");
		return FG_EAGAIN;
	}
	bool shared;
	*ret_room = quarantine_room(c, p, &shared, why, cap);
	/* What waits for a vendor to come back makes room for what is wanted now: one a turn, its own when no other is left. */
	if (!*ret_room && shared && (kept_drop_oldest(c, resource) || kept_drop_oldest(c, NULL)))
		*ret_room = quarantine_room(c, p, &shared, why, cap);
	if (!*ret_room)
		return FG_EAGAIN;
	/* Its own bytes are there already. */
	(void)db_kept_get(c->db, resource, &had);
	*ret_room += had.bytes;
	if (*ret_room > (uint64_t)p->upstream_options.max_bytes)
		*ret_room = (uint64_t)p->upstream_options.max_bytes;
	return FG_OK;
}

static void
complain(struct fetches *f, const char *profile, const char *why)
{
	int64_t now = control_now(f->c);
	if (now >= f->told && now - f->told < COMPLAIN_S)
		return;
	f->told = now;
	oplog(OPLOG_WARNING, "profile %s: nothing is fetched: %s", profile, why);
	struct msg_append *e = logbook_entry(ENTRY_DISK_WARN, "failed", "control", profile);
	logbook_say(e, "nothing is fetched: %s", why);
	logbook_tell(f->c->logbook, e);
}

void
fetches_want(struct fetches *f, const uint8_t resource[MSG_ID], const uint8_t *asker)
{
	struct control *c = f->c;
	struct db_resource r;
	char why[MSG_TEXT_MAX], who[2 * MSG_ID + 1] = "somebody";
	uint64_t room = 0;
	if (find(f, resource) || db_resource_get(c->db, resource, &r) || !r.url[0] || !due(c, &r))
		return;
	const struct policy *p = policies_find(c->policies, r.profile);
	if (!p || !p->profile->upstream[0])
		return;
	if (limits(c, p->profile, resource, &room, why, sizeof why)) {
		/* Asked again in a while, not for every module that comes. */
		back_off(c, resource);
		complain(f, r.profile, why);
		return;
	}
	if (asker)
		hex_encode(asker, MSG_ID, who);
	if (take_off(f, &r, p, who, false, room))
		back_off(c, resource);
}

int
fetches_order(struct fetches *f, const uint8_t resource[MSG_ID], const char *person, char *ret_why, size_t cap)
{
	struct control *c = f->c;
	struct db_resource r;
	uint64_t room = 0;
	ret_why[0] = '\0';
	if (find(f, resource)) {
		snprintf(ret_why, cap, "a fetch is under way");
		return FG_ESTATE;
	}
	int err = db_resource_get(c->db, resource, &r);
	if (err)
		return err;
	const struct policy *p = policies_find(c->policies, r.profile);
	if (!p || !r.url[0] || !p->profile->upstream[0]) {
		snprintf(ret_why, cap, "the profile has no upstream for it: import the image");
		return FG_ESTATE;
	}
	err = limits(c, p->profile, resource, &room, ret_why, cap);
	return err ? err : take_off(f, &r, p, person, true, room);
}

void
fetches_cancel(struct fetches *f, uint64_t candidate)
{
	struct flight *fl;
	LIST_FOREACH(fl, &f->flights, link) {
		if (fl->candidate == candidate)
			break;
	}
	if (!fl)
		return;
	jobs_cancel(f->c->jobs, fl->job);
	fetches_release(fl);
	fetches_history(fl, MSG_FETCH_FAILED, "given up");
	fetches_land(fl);
}

/* ---- after start ---- */

void
fetches_resume(struct fetches *f)
{
	struct control *c = f->c;
	struct candidates_ids *l = candidates_in(c, LIFECYCLE_FETCHING);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	unsigned n = 0;
	int err = l && cand ? db_fetch_orphans(c->db, control_now(c), &n) : FG_ENOMEM;
	for (size_t i = 0; !err && i < l->n; i++) {
		if (db_candidate_get(c->db, l->id[i], cand) || candidates_move(c, cand, LIFECYCLE_FAIL, "the gateway restarted"))
			continue;
		(void)db_resource_move(c->db, cand->resource, NULL, lifecycle_state_name(LIFECYCLE_FETCH_FAILED));
		fetches_want(f, cand->resource, NULL);
	}
	free(cand);
	free(l);
}
