/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/arrivals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/control/fetches_private.h"
#include "gateway/control/notesfetch.h"
#include "gateway/control/rivals.h"
#include "gateway/control/vendors.h"
#include "gateway/wire/memfd.h"

int
arrivals_provenance(struct flight *fl, int fd)
{
	struct view text;
	struct json *doc = NULL;
	int err = memfd_map(fd, FETCHES_PROVENANCE_MAX, &text);
	if (err)
		return err;
	err = json_parse(text, &doc, NULL);
	if (!err && !json_is_canonical(doc, text))
		err = FG_EPEER;
	if (!err)
		err = digest_sha256(text, fl->provenance);
	if (!err)
		err = files_doc_put(fl->all->c->files, FILES_PROVENANCE, fl->provenance, text);
	fl->have_provenance = !err;
	json_free(doc);
	memfd_unmap(text);
	return err;
}

/* ---- what the bytes mean ---- */

/* Puts the sealed files' digests into the candidate's row. */
static void
describe(const struct flight *fl, struct db_candidate *cand)
{
	/* The same bytes once more are as old as they were. */
	if (!cand->have_image || !cand->arrived || memcmp(cand->image, fl->sha256[0], sizeof cand->image) != 0)
		cand->arrived = control_now(fl->all->c);
	cand->have_image = cand->in_quarantine = true;
	memcpy(cand->image, fl->sha256[0], sizeof cand->image);
	cand->size = fl->bytes[0];
	cand->have_signature = fl->bytes[1] > 0;
	memcpy(cand->signature, fl->sha256[1], sizeof cand->signature);
	cand->have_provenance = fl->have_provenance;
	memcpy(cand->provenance, fl->provenance, sizeof cand->provenance);
}

static int
seal(struct flight *fl, unsigned i, enum files_kind kind)
{
	struct control *c = fl->all->c;
	close(fl->part[i].fd);
	fl->have_part[i] = false;
	int err = files_part_seal(c->files, fl->part[i].name, kind, fl->sha256[i]);
	if (err)
		files_part_drop(c->files, fl->part[i].name);
	return err;
}

/*
 * Other bytes than before under one URL: both stay, and a person has to look; where one update is one image,
 * and another was released, they are looked at before that.
 */
static int
incident(struct flight *fl, const struct db_candidate *before, struct db_candidate *cand, uint64_t *ret_judge)
{
	struct control *c = fl->all->c;
	struct db_incident i = { .at = control_now(c), .kind = "other-bytes", .have_resource = true };
	int err = FG_OK;
	uint32_t granted = 0;
	memcpy(i.resource, fl->resource.id, sizeof i.resource);
	snprintf(i.detail, sizeof i.detail, "the same URL gave other bytes than before");
	if (fl->candidate) {
		/* It waited for the bytes it had before; these are others. */
		struct db_candidate *old = calloc(1, sizeof *old);
		err = old ? db_candidate_get(c->db, fl->candidate, old) : FG_ENOMEM;
		if (!err)
			err = candidates_move(c, old, LIFECYCLE_FAIL, i.detail);
		free(old);
	}
	bool second = !err && rivals_other(c, &fl->resource, fl->sha256[0], true, cand, &granted, &err);
	*cand = (struct db_candidate){ .created = control_now(c), .updated = control_now(c),
		.rival = second ? DB_RIVAL_SUSPECT : DB_RIVAL_NONE };
	memcpy(cand->resource, fl->resource.id, sizeof cand->resource);
	snprintf(cand->state, sizeof cand->state, "%s", lifecycle_state_name(second ? LIFECYCLE_JUDGING : LIFECYCLE_INCIDENT));
	snprintf(cand->note, sizeof cand->note, "%s", second ? "" : i.detail);
	describe(fl, cand);
	if (!err)
		err = db_candidate_new(c->db, cand, &cand->id);
	if (!err)
		err = db_incident_add(c->db, &i);
	if (err)
		return err;
	fl->candidate = cand->id;
	*ret_judge = second ? cand->id : 0;
	struct msg_append *e = fetches_entry(fl, ENTRY_IMAGE_INCIDENT, "failed");
	logbook_ref_sha256(e, "image", cand->image);
	logbook_ref_sha256(e, "before", before->image);
	logbook_say(e, "%s", i.detail);
	logbook_tell(c->logbook, e);
	oplog(OPLOG_ERR, "INCIDENT: a vendor's URL gives other bytes than before");
	return FG_OK;
}

/* ---- another version's bytes ---- */

struct twin {
	struct control *c;
	const struct db_resource *resource;
	char target[DB_VERSION_MAX]; /* "" : none found */
	bool told;                   /* such bytes are held already, under whatever name */
};

/*
 * Any module may ask for any name, and a vendor's server may take several for one image: a name
 * that nobody took seriously must not hold the genuine one.
 */
static bool
counts(enum lifecycle_state s)
{
	return s == LIFECYCLE_JUDGING || s == LIFECYCLE_REVIEW || s == LIFECYCLE_APPROVED || s == LIFECYCLE_REVOKED;
}

static int
look_for_twin(void *arg, const struct db_candidate *cand)
{
	struct twin *t = arg;
	enum lifecycle_state state = lifecycle_state_parse(view_str(cand->state));
	t->told = t->told || state == LIFECYCLE_INCIDENT;
	if (!counts(state))
		return 0;
	struct db_resource *r = calloc(1, sizeof *r);
	int err = r ? db_resource_get(t->c->db, cand->resource, r) : FG_ENOMEM;
	if (!err && !strcmp(r->product, t->resource->product) && r->target[0] && strcmp(r->target, t->resource->target))
		snprintf(t->target, sizeof t->target, "%s", r->target);
	free(r);
	return err;
}

/*
 * A vendor that gives the bytes of another version of the same product under a new version's URL
 * holds the fleet where it is, with genuine signatures (Uptane's freeze). It may be a new name for
 * the same: a person looks, and has it judged.
 */
static int
freeze(struct flight *fl, struct db_candidate *cand, bool *ret_held)
{
	struct control *c = fl->all->c;
	struct twin t = { .c = c, .resource = &fl->resource };
	struct db_candidate_filter filter = { .profile = fl->resource.profile, .image = fl->sha256[0] };
	char note[MSG_TEXT_MAX];
	*ret_held = false;
	int err = fl->resource.target[0] ? db_candidate_list(c->db, &filter, look_for_twin, &t) : FG_OK;
	if (err || !t.target[0])
		return err;
	snprintf(note, sizeof note, "the bytes are those of version %s", t.target);
	struct db_incident i = { .at = control_now(c), .kind = "old-bytes", .have_resource = true };
	memcpy(i.resource, fl->resource.id, sizeof i.resource);
	snprintf(i.detail, sizeof i.detail, "%s", note);
	err = candidates_move(c, cand, LIFECYCLE_CONFLICT, note);
	if (!err && !t.told) /* once for an image: names cost nothing */
		err = db_incident_add(c->db, &i);
	if (err)
		return err;
	*ret_held = true;
	struct msg_append *e = fetches_entry(fl, ENTRY_IMAGE_INCIDENT, "failed");
	logbook_ref_sha256(e, "image", cand->image);
	logbook_say(e, "%s", note);
	logbook_tell(c->logbook, e);
	oplog(OPLOG_ERR, "INCIDENT: a vendor gives the bytes of another version");
	return FG_OK;
}

/*
 * One module is led to other bytes than the rest of the fleet got for the same update, by a URL of its own. They
 * are looked at; if they are an image of that update, people decide before anybody else gets either (rivals_judged()).
 */
static int
targeted(struct flight *fl, struct db_candidate *cand)
{
	struct control *c = fl->all->c;
	struct db_candidate *other = calloc(1, sizeof *other);
	struct db_incident i = { .at = control_now(c), .kind = "targeted", .have_resource = true };
	char note[MSG_TEXT_MAX];
	uint32_t granted = 0;
	int err = other ? FG_OK : FG_ENOMEM;
	if (err || !rivals_other(c, &fl->resource, fl->sha256[0], false, other, &granted, &err)) {
		free(other);
		return err;
	}
	rivals_say(other, granted, note, sizeof note);
	memcpy(i.resource, fl->resource.id, sizeof i.resource);
	snprintf(i.detail, sizeof i.detail, "%s", note);
	cand->rival = DB_RIVAL_SUSPECT; /* written with its next move */
	err = db_incident_add(c->db, &i);
	if (!err) {
		struct msg_append *e = fetches_entry(fl, ENTRY_IMAGE_INCIDENT, "failed");
		logbook_ref_sha256(e, "image", cand->image);
		logbook_ref_sha256(e, "before", other->image);
		logbook_ref(e, "asked_by", fl->asker);
		logbook_say(e, "%s", note);
		logbook_tell(c->logbook, e);
		oplog(OPLOG_ERR, "INCIDENT: a vendor has two images for one update");
	}
	free(other);
	return err;
}

struct comparison {
	const uint8_t *image;
	bool any, same;
	struct db_candidate *other;
};

static int
compare(void *arg, const struct db_candidate *cand)
{
	struct comparison *cmp = arg;
	if (!cand->have_image)
		return 0;
	if (!memcmp(cand->image, cmp->image, DIGEST_SHA256_LEN)) {
		cmp->same = true;
	} else {
		cmp->any = true;
		*cmp->other = *cand;
	}
	return 0;
}

/* What the bytes mean for the resource. *ret_judge: the candidate to be judged, or 0. */
static int
arrive(struct flight *fl, uint64_t *ret_judge)
{
	struct control *c = fl->all->c;
	struct db_candidate *cand = calloc(2, sizeof *cand);
	struct comparison cmp = { .image = fl->sha256[0], .other = cand ? cand + 1 : NULL };
	struct db_candidate_filter filter = { .resource = fl->resource.id };
	char note[MSG_TEXT_MAX];
	bool held = false;
	*ret_judge = 0;
	int err = cand ? db_candidate_list(c->db, &filter, compare, &cmp) : FG_ENOMEM;
	bool other = !err && cmp.any && !cmp.same;
	if (other)
		err = incident(fl, cmp.other, cand, ret_judge);
	/* Behind incident(): what is held is the candidate of these bytes. */
	if (!err)
		err = vendors_compare(fl, fl->candidate, note);
	if (!err && other && note[0]) {
		char was[DB_TEXT_MAX];
		snprintf(was, sizeof was, "%s", cand->note);
		snprintf(cand->note, sizeof cand->note, "%.60s; %.440s", was, note);
		err = db_candidate_update(c->db, cand, cand->state);
	} else if (!err && !other && fl->candidate) {
		err = db_candidate_get(c->db, fl->candidate, cand);
		if (!err) {
			describe(fl, cand);
			err = freeze(fl, cand, &held);
		}
		if (!err && !held)
			err = targeted(fl, cand);
		if (!err && !held && note[0]) {
			held = true;
			err = candidates_move(c, cand, LIFECYCLE_CONFLICT, note);
		}
		if (!err && !held) {
			err = candidates_move(c, cand, LIFECYCLE_ARRIVE, "");
			*ret_judge = err ? 0 : cand->id;
		}
	}
	free(cand);
	return err;
}

static void
arrived(struct flight *fl)
{
	struct control *c = fl->all->c;
	uint64_t judge = 0;
	fetches_release(fl);
	struct db_candidate *same = fl->candidate ? NULL : calloc(1, sizeof *same);
	/* A second look that finds what is known leaves nothing behind, whatever signature came with it this time. */
	bool known = same && db_candidate_of(c->db, fl->resource.id, fl->sha256[0], same) == FG_OK;
	free(same);
	int err = known ? FG_OK : seal(fl, 0, FILES_IMAGE);
	if (!err && !known && fl->bytes[1])
		err = seal(fl, 1, FILES_SIGNATURE);
	if (err) {
		fetches_fail(fl, "the files could not be kept in quarantine");
		return;
	}
	struct db_backoff again = { .until = control_now(c) + FETCHES_RECHECK };
	err = db_begin(c->db);
	if (!err) {
		fetches_history(fl, MSG_FETCH_OK, "");
		err = arrive(fl, &judge);
		if (!err)
			err = db_fetch_backoff_set(c->db, fl->resource.id, &again);
		err = db_end(c->db, err);
	}
	if (err) {
		oplog(OPLOG_ERR, "an arrival could not be written down: %s", db_why(c->db));
		fetches_fail(fl, "the arrival could not be written down");
		return;
	}
	struct msg_append *e = fetches_entry(fl, ENTRY_FETCH_DONE, "ok");
	logbook_ref_sha256(e, "image", fl->sha256[0]);
	logbook_ref_number(e, "size", fl->bytes[0]);
	if (fl->bytes[1])
		logbook_ref_sha256(e, "signature", fl->sha256[1]);
	if (fl->have_provenance)
		logbook_ref_sha256(e, "provenance", fl->provenance);
	if (fl->done.finding) {
		logbook_ref(e, "finding", msg_fetch_finding_name(fl->done.finding));
		char seen[MSG_TEXT_MAX];
		visible_cstr(view_str(fl->done.detail), seen, sizeof seen);
		logbook_say(e, "%s", seen);
	}
	logbook_tell(c->logbook, e);
	fetches_land(fl);
	if (judge)
		notesfetch_judge(c, judge);
}

/* ---- hashing in slices ---- */

static int
begin_leg(struct flight *fl, enum leg leg)
{
	struct stat st;
	unsigned i = leg == LEG_SIGNATURE;
	fl->leg = leg;
	if (fl->fd >= 0)
		close(fl->fd);
	digest_free(fl->digest);
	fl->offset = 0;
	fl->digest = digest_new(DIGEST_SHA256);
	fl->fd = files_part_read(fl->all->c->files, fl->part[i].name);
	if (!fl->digest)
		return FG_ENOMEM;
	if (fl->fd < 0 || fstat(fl->fd, &st))
		return FG_EIO;
	fl->size = (uint64_t)st.st_size;
	fl->bytes[i] = fl->size;
	/* The fetcher's own numbers must be those of the files. */
	if (fl->size != (i ? fl->done.signature_bytes : fl->done.bytes) || (!i && fl->size > fl->max_bytes) ||
	    (i && fl->size > FETCHES_SIGNATURE_MAX))
		return FG_EPEER;
	return FG_OK;
}

static void
on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct flight *fl = ctx;
	(void)fd;
	(void)what;
	int err = FG_OK;
	size_t want = fl->size - fl->offset < FETCHES_SLICE ? (size_t)(fl->size - fl->offset) : FETCHES_SLICE;
	if (want) {
		ssize_t n = pread(fl->fd, fl->slice, want, (off_t)fl->offset);
		if (n <= 0)
			err = FG_EIO;
		else
			err = digest_update(fl->digest, view_of(fl->slice, (size_t)n));
		fl->offset += n > 0 ? (uint64_t)n : 0;
	}
	if (!err && fl->offset == fl->size) {
		err = digest_final(fl->digest, fl->sha256[fl->leg == LEG_SIGNATURE]);
		if (!err && fl->leg == LEG_SIGNATURE) {
			arrived(fl);
			return;
		}
		if (!err)
			err = begin_leg(fl, LEG_SIGNATURE);
	}
	if (err) {
		fetches_fail(fl, err == FG_EPEER ? "the fetcher's numbers are not those of its files" :
		    "the quarantine could not be read");
		return;
	}
	event_active(fl->turn, EV_TIMEOUT, 0);
}

int
arrivals_begin(struct flight *fl)
{
	fl->slice = malloc(FETCHES_SLICE);
	fl->turn = event_new(fl->all->c->base, -1, 0, on_turn, fl);
	int err = fl->slice && fl->turn ? begin_leg(fl, LEG_IMAGE) : FG_ENOMEM;
	if (!err)
		event_active(fl->turn, EV_TIMEOUT, 0);
	return err;
}
