/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/imports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/bases.h"
#include "gateway/control/quarantine.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/rivals.h"
#include "gateway/file/fdio.h"

struct import {
	LIST_ENTRY(import) link;
	struct imports *all;
	struct call *call;
	struct db_resource resource;
	char who[DB_WHO_MAX];
	bool base;          /* an image to apply deltas to, and no candidate for anything */
	bool signature;     /* on the second file */
	struct files_part part[2];
	bool have_part[2];
	struct digest *digest;
	uint64_t offset, size[2], room;
	uint8_t sha256[2][DIGEST_SHA256_LEN];
	uint8_t *slice;
	struct event *turn;
};

struct imports {
	struct control *c;
	LIST_HEAD(, import) list;
	unsigned n;
};

struct imports *
imports_new(struct control *c)
{
	struct imports *i = calloc(1, sizeof *i);
	if (i) {
		i->c = c;
		LIST_INIT(&i->list);
	}
	return i;
}

/* The call is answered already. */
static void
end(struct import *m)
{
	for (unsigned i = 0; i < 2; i++) {
		if (m->have_part[i]) {
			close(m->part[i].fd);
			files_part_drop(m->all->c->files, m->part[i].name);
		}
	}
	digest_free(m->digest);
	if (m->turn)
		event_free(m->turn);
	free(m->slice);
	LIST_REMOVE(m, link);
	m->all->n--;
	free(m);
}

void
imports_free(struct imports *i)
{
	if (!i)
		return;
	while (!LIST_EMPTY(&i->list)) {
		struct import *m = LIST_FIRST(&i->list);
		call_fail(m->call, CALL_COULD_NOT, "LOCAL", "bring it again", "the gateway is stopping");
		end(m);
	}
	free(i);
}

/* ---- what it answers to ---- */

struct search {
	const struct db_resource *wanted;
	struct db_resource found;
	unsigned n;
};

static int
look(void *arg, const struct db_resource *r)
{
	struct search *s = arg;
	if (strcmp(r->product, s->wanted->product) == 0 && strcmp(r->target, s->wanted->target) == 0 &&
	    (!s->wanted->from[0] || strcmp(r->from, s->wanted->from) == 0)) {
		s->found = *r;
		s->n++;
	}
	return 0;
}

/* By id, by URL, or the one that modules have asked for. NULL, or why not. */
static const char *
choose(struct control *c, struct call *call, const struct policy *p, struct db_resource *r)
{
	char text[DB_URL_MAX];
	struct search s = { .wanted = r };
	if (call_text(call, "resource", text, sizeof text) && text[0]) {
		if (!hex_decode(view_str(text), r->id, sizeof r->id) || db_resource_get(c->db, r->id, &s.found) ||
		    strcmp(s.found.profile, r->profile) != 0)
			return "no module has asked this profile for that resource";
		if (strcmp(s.found.product, r->product) != 0 || strcmp(s.found.target, r->target) != 0)
			return "that resource is of another product or version";
		return NULL;
	}
	if (call_text(call, "url", text, sizeof text) && text[0]) {
		snprintf(r->url, sizeof r->url, "%s", text);
		return visible_is_plain(view_str(text)) && profile_resource(p->profile, text, r->id) == FG_OK ?
		    NULL : "that is no URL";
	}
	if (db_resource_list(c->db, r->profile, NULL, NULL, DB_PAGE_MAX, look, &s))
		return "the resources could not be read";
	if (s.n == 0)
		return "no module has asked for that product and version: say with --url or --resource what it answers to";
	if (s.n > 1)
		return "modules have asked for that product and version in several ways: say with --resource which one it is";
	memcpy(r->id, s.found.id, sizeof r->id);
	memcpy(r->from, s.found.from, sizeof r->from);
	return NULL;
}

/* ---- the end ---- */

static int
make_candidate(struct import *m, enum db_rival rival, struct db_candidate *cand)
{
	struct control *c = m->all->c;
	bool fresh;
	*cand = (struct db_candidate){ .created = control_now(c), .updated = control_now(c), .have_image = true,
		.arrived = control_now(c), .in_quarantine = true, .size = m->size[0],
		.have_signature = m->have_part[1] || m->size[1], .requesters_n = 1, .rival = rival };
	memcpy(cand->resource, m->resource.id, sizeof cand->resource);
	memcpy(cand->image, m->sha256[0], sizeof cand->image);
	memcpy(cand->signature, m->sha256[1], sizeof cand->signature);
	snprintf(cand->state, sizeof cand->state, "%s", lifecycle_state_name(LIFECYCLE_JUDGING));
	snprintf(cand->requester[0], DB_WHO_MAX, "%s", m->who);
	int err = db_resource_sight(c->db, &m->resource, &fresh);
	if (!err)
		err = db_candidate_new(c->db, cand, &cand->id);
	return err;
}

static void
answer(struct import *m, const struct db_candidate *cand)
{
	char review[DB_REVIEW_CAP];
	struct call_doc d;
	db_candidate_review(cand->id, review);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "review", review);
	jsonw_khex(&d.j, "sha256", cand->image, sizeof cand->image);
	requests_put_text(&d.j, "state", cand->state);
	call_doc_end(m->call, &d, CALL_DONE);
}

static void
tell(struct import *m, const struct db_candidate *cand)
{
	char review[DB_REVIEW_CAP];
	db_candidate_review(cand->id, review);
	struct msg_append *e = logbook_entry(ENTRY_IMAGE_IMPORTED, "ok", m->who, review);
	logbook_ref_sha256(e, "image", cand->image);
	logbook_ref_number(e, "size", cand->size);
	logbook_ref(e, "profile", m->resource.profile);
	logbook_ref(e, "target", m->resource.target);
	logbook_tell(m->all->c->logbook, e);
}

/* Other bytes for an update that was released: they are looked at, as those that a server gives (rivals_judged()). */
static void
tell_second(struct import *m, const struct db_candidate *cand, const struct db_candidate *other, uint32_t granted)
{
	struct control *c = m->all->c;
	struct db_incident i = { .at = control_now(c), .kind = "targeted", .have_resource = true };
	char review[DB_REVIEW_CAP];
	memcpy(i.resource, cand->resource, sizeof i.resource);
	rivals_say(other, granted, i.detail, sizeof i.detail);
	db_candidate_review(cand->id, review);
	if (db_incident_add(c->db, &i))
		oplog(OPLOG_ERR, "an incident could not be written down: %s", db_why(c->db));
	struct msg_append *e = logbook_entry(ENTRY_IMAGE_INCIDENT, "failed", m->who, review);
	logbook_ref_sha256(e, "before", other->image);
	logbook_ref_sha256(e, "image", cand->image);
	logbook_say(e, "%s", i.detail);
	logbook_tell(c->logbook, e);
}

/* The same bytes are known. Whoever brings them again is one more who asked for them, and does not count. */
static int
bring_again(struct import *m, struct db_candidate *cand)
{
	uint32_t i = 0;
	while (i < cand->requesters_n && strcmp(cand->requester[i], m->who) != 0)
		i++;
	if (i == DB_LIST_MAX)
		return FG_ELIMIT;
	if (i == cand->requesters_n)
		snprintf(cand->requester[cand->requesters_n++], DB_WHO_MAX, "%s", m->who);
	cand->in_quarantine = true;
	return db_candidate_update(m->all->c->db, cand, cand->state);
}

/* ---- a base ---- */

static void
answer_base(struct import *m, const struct db_base *b)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_khex(&d.j, "image", b->image, sizeof b->image);
	requests_put_text(&d.j, "product", b->product);
	jsonw_kcstr(&d.j, "profile", b->profile);
	jsonw_kuint(&d.j, "size", b->size);
	requests_put_text(&d.j, "version", b->version);
	call_doc_end(m->call, &d, CALL_DONE);
}

/*
 * A base is an opinion of what a module holds, not an image to be given to any: there is no review of it,
 * no statement and no release, and a delta that is for it is judged by what it makes, by people who see the digest of both.
 */
static void
finish_base(struct import *m)
{
	struct control *c = m->all->c;
	struct db_base b = { .size = m->size[0], .added = control_now(c) };
	snprintf(b.profile, sizeof b.profile, "%s", m->resource.profile);
	snprintf(b.product, sizeof b.product, "%s", m->resource.product);
	snprintf(b.version, sizeof b.version, "%s", m->resource.target);
	snprintf(b.who, sizeof b.who, "%s", m->who);
	memcpy(b.image, m->sha256[0], sizeof b.image);
	close(m->part[0].fd);
	m->have_part[0] = false;
	int err = files_part_seal(c->files, m->part[0].name, FILES_IMAGE, b.image);
	if (err)
		files_part_drop(c->files, m->part[0].name);
	else
		err = db_base_add(c->db, &b);
	if (!err) {
		char obj[DB_NAME_MAX + DB_VERSION_MAX + 8];
		snprintf(obj, sizeof obj, "base:%s/%s", b.product, b.version);
		struct msg_append *e = logbook_entry(ENTRY_IMAGE_BASE, "ok", m->who, obj);
		logbook_ref_sha256(e, "image", b.image);
		logbook_ref(e, "profile", b.profile);
		logbook_ref_number(e, "size", b.size);
		logbook_say(e, "named as what deltas are for; it permits nothing");
		logbook_tell(c->logbook, e);
		judging_look_again(c->judging, b.profile);
	}
	if (!err || err == FG_EEXIST)
		answer_base(m, &b); /* named so before: nothing to do, and nothing wrong */
	else
		call_fail_err(m->call, err);
	end(m);
}

static void
finish(struct import *m)
{
	struct control *c = m->all->c;
	struct db_candidate *cand = calloc(2, sizeof *cand), *other = cand ? cand + 1 : NULL;
	static const enum files_kind kinds[2] = { FILES_IMAGE, FILES_SIGNATURE };
	int err = cand ? FG_OK : FG_ENOMEM;
	uint32_t granted = 0;
	bool second = !err && rivals_other(c, &m->resource, m->sha256[0], true, other, &granted, &err);
	for (unsigned i = 0; !err && i < 2; i++) {
		if (!m->have_part[i])
			continue;
		close(m->part[i].fd);
		m->have_part[i] = false;
		err = files_part_seal(c->files, m->part[i].name, kinds[i], m->sha256[i]);
		if (err)
			files_part_drop(c->files, m->part[i].name);
	}
	if (!err)
		err = db_begin(c->db);
	if (!err)
		err = db_end(c->db, make_candidate(m, second ? DB_RIVAL_SUSPECT : DB_RIVAL_NONE, cand));
	if (err == FG_EEXIST && db_candidate_of(c->db, m->resource.id, m->sha256[0], cand) == FG_OK) {
		err = bring_again(m, cand);
		if (!err) {
			tell(m, cand);
			answer(m, cand);
		}
	} else if (!err) {
		tell(m, cand);
		if (second)
			tell_second(m, cand, other, granted);
		answer(m, cand);
		judging_start(c->judging, cand->id);
	}
	if (err)
		call_fail_err(m->call, err);
	free(cand);
	end(m);
}

/* ---- copying ---- */

static int
begin_file(struct import *m, bool signature)
{
	unsigned i = signature;
	struct stat st;
	m->signature = signature;
	m->offset = 0;
	digest_free(m->digest);
	m->digest = digest_new(DIGEST_SHA256);
	if (!m->digest)
		return FG_ENOMEM;
	if (fstat(call_fd(m->call, i), &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return FG_EINVAL;
	int err = files_part_new(m->all->c->files, &m->part[i]);
	m->have_part[i] = !err;
	return err;
}

/* 0 when the file is at its end, FG_EAGAIN when there is more. */
static int
step(struct import *m, uint64_t max)
{
	unsigned i = m->signature;
	ssize_t n = pread(call_fd(m->call, i), m->slice, IMPORTS_SLICE, (off_t)m->offset);
	if (n < 0)
		return FG_EIO;
	if (n == 0) {
		m->size[i] = m->offset;
		return digest_final(m->digest, m->sha256[i]);
	}
	m->offset += (uint64_t)n;
	if (m->offset > max)
		return FG_ELIMIT;
	int err = digest_update(m->digest, view_of(m->slice, (size_t)n));
	if (!err)
		err = fdio_write(m->part[i].fd, view_of(m->slice, (size_t)n));
	return err ? err : FG_EAGAIN;
}

static void
refuse(struct import *m, int err)
{
	if (err == FG_ELIMIT)
		call_fail(m->call, CALL_REFUSED, "LIMIT", "",
		    "it is larger than the profile and the quarantine allow, or than a signature can be");
	else if (err == FG_EINVAL)
		call_fail(m->call, CALL_USAGE, "USAGE", "", "it is no regular file, or empty");
	else
		call_fail_err(m->call, err);
	end(m);
}

static void
on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct import *m = ctx;
	(void)fd;
	(void)what;
	int err = step(m, m->signature ? FETCHES_SIGNATURE_MAX : m->room);
	if (!err && !m->signature && call_fds(m->call) == 2) {
		err = begin_file(m, true);
		err = err ? err : FG_EAGAIN;
	}
	if (!err && m->base)
		finish_base(m);
	else if (!err)
		finish(m);
	else if (err != FG_EAGAIN)
		refuse(m, err);
	else
		event_active(m->turn, EV_TIMEOUT, 0);
}

static const char *
describe(struct control *c, struct call *call, bool base, struct db_resource *r)
{
	(void)call_text(call, "profile", r->profile, sizeof r->profile);
	(void)call_text(call, "product", r->product, sizeof r->product);
	(void)call_text(call, "version", r->target, sizeof r->target);
	(void)call_text(call, "from", r->from, sizeof r->from);
	snprintf(r->state, sizeof r->state, "%s", lifecycle_state_name(LIFECYCLE_JUDGING));
	r->first_seen = r->last_seen = control_now(c);
	const struct policy *p = policies_find(c->policies, r->profile);
	if (!p)
		return "there is no such profile";
	if (!r->product[0] || !r->target[0] || !visible_is_plain(view_str(r->product)) ||
	    !visible_is_plain(view_str(r->target)) || !visible_is_plain(view_str(r->from)))
		return "product and version must be printable names";
	return base ? NULL : choose(c, call, p, r);
}

static void
start(struct imports *all, struct call *call, bool base)
{
	struct control *c = all->c;
	struct import *m = all->n < IMPORTS_MAX ? calloc(1, sizeof *m) : NULL;
	if (!m) {
		call_fail(call, CALL_COULD_NOT, "LIMIT", "try again", "too many imports are under way");
		return;
	}
	*m = (struct import){ .all = all, .call = call, .base = base };
	LIST_INSERT_HEAD(&all->list, m, link);
	all->n++;
	snprintf(m->who, sizeof m->who, "%s", requests_actor(c, call));
	char why[MSG_TEXT_MAX];
	const char *no = describe(c, call, base, &m->resource);
	if (!no) {
		m->room = quarantine_room(c, policies_find(c->policies, m->resource.profile)->profile, NULL, why, sizeof why);
		no = m->room ? NULL : why;
	}
	if (no) {
		call_fail(call, CALL_REFUSED, "REFUSED", base ? "see fotagate base add --help" : "see fotagate import --help",
		    "%s", no);
		end(m);
		return;
	}
	m->slice = malloc(IMPORTS_SLICE);
	m->turn = event_new(c->base, -1, 0, on_turn, m);
	int err = m->slice && m->turn ? begin_file(m, false) : FG_ENOMEM;
	if (err)
		refuse(m, err);
	else
		event_active(m->turn, EV_TIMEOUT, 0);
}

void
imports_start(struct imports *all, struct call *call)
{
	start(all, call, false);
}

void
imports_base(struct imports *all, struct call *call)
{
	start(all, call, true);
}
