/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/bases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/stages.h"

const char *
bases_source_name(enum bases_source source)
{
	switch (source) {
	case BASES_RELEASED:
		return "released";
	case BASES_MADE:
		return "made";
	case BASES_NAMED:
		return "named";
	case BASES_NONE:
		break;
	}
	return "none";
}

/* ---- what a candidate stands for ---- */

int
bases_result(struct control *c, const struct db_candidate *cand, struct bases_one *ret)
{
	struct report *r = NULL;
	int err = cand->have_report ? decisions_report(c, cand->report, &r) : FG_ENOTFOUND;
	if (err)
		return err;
	*ret = (struct bases_one){ .since = cand->created, .have_report = true };
	if (!r->have_delta && !report_is_delta(r)) {
		ret->source = BASES_RELEASED;
		memcpy(ret->image, cand->image, sizeof ret->image);
		memcpy(ret->report, cand->report, sizeof ret->report);
	} else if (r->have_delta && r->delta.have_target) {
		ret->source = BASES_MADE;
		memcpy(ret->image, r->delta.result.target_sha256, sizeof ret->image);
		memcpy(ret->report, r->delta.target_report, sizeof ret->report);
	} else {
		err = FG_ENOTFOUND;
	}
	report_free(r);
	return err;
}

/* ---- gathering ---- */

struct gathering {
	struct control *c;
	const char *version, *but;
	struct bases_list *ret;
	int err;
};

/* Whether its bytes are here. FG_EIO: that cannot be told now, which is not "no". */
static int
look_held(struct control *c, const uint8_t image[DIGEST_SHA256_LEN], bool *ret)
{
	int fd = files_image_open(c->files, FILES_IMAGE, image);
	if (fd >= 0)
		close(fd);
	*ret = fd >= 0;
	return fd >= 0 || fd == FG_ENOTFOUND ? FG_OK : fd;
}

/* In its place by age; one image has one place, the report of whoever comes first. */
static void
add(struct gathering *g, const struct bases_one *b)
{
	struct bases_list *l = g->ret;
	unsigned at = 0;
	for (unsigned i = 0; i < l->n; i++)
		if (!memcmp(l->one[i].image, b->image, sizeof b->image))
			return;
	while (at < l->n && l->one[at].since >= b->since)
		at++;
	if (at == BASES_TRIES)
		return;
	unsigned keep = l->n < BASES_TRIES ? l->n : BASES_TRIES - 1;
	memmove(&l->one[at + 1], &l->one[at], (keep - at) * sizeof l->one[0]);
	l->n = keep + 1;
	l->one[at] = *b;
}

static bool
wanted(const struct gathering *g, const char *version)
{
	return g->version[0] ? !strcmp(version, g->version) : !g->but[0] || strcmp(version, g->but) != 0;
}

static int
look_released(void *arg, const struct db_candidate *cand)
{
	struct gathering *g = arg;
	struct bases_one b;
	/* Each report is read: not of those that are too old to have a place. */
	if (g->ret->n == BASES_TRIES && g->ret->one[BASES_TRIES - 1].since >= cand->created)
		return 0;
	struct db_resource *r = cand->have_release ? calloc(1, sizeof *r) : NULL;
	if (!r)
		return cand->have_release ? FG_ENOMEM : 0;
	int err = db_resource_get(g->c->db, cand->resource, r);
	bool look = !err && r->target[0] && wanted(g, r->target);
	if (look) {
		err = bases_result(g->c, cand, &b);
		/* A report that is lost or damaged was told of elsewhere; without it this is no base. */
		look = !err;
		err = err == FG_ENOTFOUND || err == FG_EFORMAT ? 0 : err;
	}
	if (look)
		err = look_held(g->c, b.image, &look);
	if (look) {
		snprintf(b.version, sizeof b.version, "%s", r->target);
		add(g, &b);
	}
	free(r);
	return err;
}

static int
look_named(void *arg, const struct db_base *row)
{
	struct gathering *g = arg;
	bool held;
	if (!wanted(g, row->version))
		return 0;
	int err = look_held(g->c, row->image, &held);
	if (err || !held)
		return err;
	struct bases_one b = { .source = BASES_NAMED, .since = row->added };
	memcpy(b.image, row->image, sizeof b.image);
	snprintf(b.version, sizeof b.version, "%s", row->version);
	add(g, &b);
	return 0;
}

int
bases_find(struct control *c, const char *profile, const char *product, const char *version, const char *but,
    struct bases_list *ret)
{
	/* Run out as well: modules have it all the same. Revoked ones are not built upon. */
	static const enum lifecycle_state states[] = { LIFECYCLE_APPROVED, LIFECYCLE_EXPIRED };
	struct gathering g = { .c = c, .version = version, .but = but, .ret = ret };
	int err = FG_OK;
	*ret = (struct bases_list){ 0 };
	for (unsigned i = 0; !err && i < sizeof states / sizeof states[0]; i++) {
		const struct db_candidate_filter f = { .state = lifecycle_state_name(states[i]), .profile = profile,
			.product = product, .released = true, .youngest_first = true };
		err = db_candidate_list(c->db, &f, look_released, &g);
	}
	return err ? err : db_base_list(c->db, profile, product, look_named, &g);
}

/* ---- what deltas made ---- */

static int
drop_file(void *arg, const struct db_base *row)
{
	struct control *c = arg;
	bool needed = true;
	if (db_candidate_needs_file(c->db, row->image, row->candidate, &needed) == FG_OK && !needed &&
	    files_image_remove(c->files, FILES_IMAGE, row->image))
		oplog(OPLOG_WARNING, "what a delta made could not be removed from quarantine");
	return 0;
}

void
bases_forget(struct control *c, const struct db_candidate *cand)
{
	(void)db_base_drop_made(c->db, cand->id, drop_file, c);
}

int
bases_keep(struct control *c, const struct db_candidate *cand, const char *part,
    const uint8_t image[DIGEST_SHA256_LEN], uint64_t size)
{
	struct db_resource *r = calloc(1, sizeof *r);
	struct db_base b = { .size = size, .added = control_now(c), .candidate = cand->id };
	int err = r ? db_resource_get(c->db, cand->resource, r) : FG_ENOMEM;
	if (!err) {
		snprintf(b.profile, sizeof b.profile, "%s", cand->profile);
		snprintf(b.product, sizeof b.product, "%s", r->product);
		snprintf(b.version, sizeof b.version, "%s", r->target);
		memcpy(b.image, image, sizeof b.image);
		bases_forget(c, cand); /* judged before, on another base */
		err = files_part_seal(c->files, part, FILES_IMAGE, image);
	}
	if (err)
		files_part_drop(c->files, part);
	else if ((err = db_base_add(c->db, &b)) == FG_EEXIST)
		err = FG_OK;
	free(r);
	return err;
}

/* ---- base.list ---- */

struct listing {
	struct control *c;
	struct jsonw *j;
};

static void
put(struct jsonw *j, const char *profile, const char *product, const struct bases_one *b, uint64_t size, const char *who,
    bool held)
{
	jsonw_object(j);
	jsonw_kbool(j, "held", held);
	jsonw_khex(j, "image", b->image, sizeof b->image);
	jsonw_kcstr(j, "product", product);
	jsonw_kcstr(j, "profile", profile);
	requests_put_time(j, "since", b->since);
	jsonw_kuint(j, "size", size);
	jsonw_kcstr(j, "source", bases_source_name(b->source));
	jsonw_kcstr(j, "version", b->version);
	jsonw_kcstr(j, "who", who);
	jsonw_object_end(j);
}

static int
list_released(void *arg, const struct db_candidate *cand)
{
	struct listing *l = arg;
	struct bases_one b;
	char review[DB_REVIEW_CAP];
	struct db_resource *r = calloc(1, sizeof *r);
	int err = r ? db_resource_get(l->c->db, cand->resource, r) : FG_ENOMEM;
	if (!err)
		err = bases_result(l->c, cand, &b);
	int fd = err ? err : files_image_open(l->c->files, FILES_IMAGE, b.image);
	if (!err && fd < 0 && fd != FG_ENOTFOUND)
		err = fd;
	if (!err) {
		snprintf(b.version, sizeof b.version, "%s", r->target);
		db_candidate_review(cand->id, review);
		put(l->j, cand->profile, r->product, &b, stages_size(fd), review, fd >= 0);
		if (fd >= 0)
			close(fd);
	}
	free(r);
	/* Without its report it is no base: lost, damaged, or a delta that nobody saw through. */
	return err == FG_ENOTFOUND || err == FG_EFORMAT ? FG_OK : err;
}

static int
list_named(void *arg, const struct db_base *row)
{
	struct listing *l = arg;
	struct bases_one b = { .source = BASES_NAMED, .since = row->added };
	bool held;
	int err = look_held(l->c, row->image, &held);
	if (err)
		return err;
	memcpy(b.image, row->image, sizeof b.image);
	snprintf(b.version, sizeof b.version, "%s", row->version);
	put(l->j, row->profile, row->product, &b, row->size, row->who, held);
	return 0;
}

void
bases_answer(struct control *c, struct call *call)
{
	char profile[DB_NAME_MAX] = "", product[DB_NAME_MAX] = "";
	struct call_doc d;
	struct listing l = { .c = c };
	struct db_candidate_filter f = { .released = true, .youngest_first = true, .limit = BASES_LISTED_MAX };
	if (call_text(call, "profile", profile, sizeof profile) && profile[0])
		f.profile = profile;
	if (call_text(call, "product", product, sizeof product) && product[0])
		f.product = product;
	call_doc_begin(&d);
	l.j = &d.j;
	jsonw_key(&d.j, "bases");
	jsonw_array(&d.j);
	int err = db_base_list(c->db, f.profile, f.product, list_named, &l);
	f.state = lifecycle_state_name(LIFECYCLE_APPROVED);
	if (!err)
		err = db_candidate_list(c->db, &f, list_released, &l);
	f.state = lifecycle_state_name(LIFECYCLE_EXPIRED);
	if (!err)
		err = db_candidate_list(c->db, &f, list_released, &l);
	jsonw_array_end(&d.j);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

/* ---- base.drop ---- */

#define DROPPED_MAX 64 /* images that were named one version, at a time; whoever has more says it again */

struct dropping {
	struct db_base row[DROPPED_MAX];
	unsigned n;
};

/* Within the statement that deletes: files come after it. */
static int
note_dropped(void *arg, const struct db_base *row)
{
	struct dropping *d = arg;
	if (d->n == DROPPED_MAX)
		return FG_ELIMIT; /* and none is gone then */
	d->row[d->n++] = *row;
	return 0;
}

static void
tell_dropped(struct control *c, const struct db_base *b, const char *who)
{
	char obj[DB_NAME_MAX + DB_VERSION_MAX + 8];
	snprintf(obj, sizeof obj, "base:%s/%s", b->product, b->version);
	struct msg_append *e = logbook_entry(ENTRY_IMAGE_BASE, "ok", who, obj);
	logbook_ref_sha256(e, "dropped", b->image);
	logbook_ref(e, "profile", b->profile);
	logbook_say(e, "dropped: no delta is tried on it any more");
	logbook_tell(c->logbook, e);
}

void
bases_drop(struct control *c, struct call *call)
{
	char profile[DB_NAME_MAX], product[DB_NAME_MAX], version[DB_VERSION_MAX], hex[DIGEST_HEX_LEN + 1];
	uint8_t image[DIGEST_SHA256_LEN];
	struct call_doc doc;
	struct dropping *d = calloc(1, sizeof *d);
	(void)call_text(call, "profile", profile, sizeof profile);
	(void)call_text(call, "product", product, sizeof product);
	(void)call_text(call, "version", version, sizeof version);
	(void)call_text(call, "image", hex, sizeof hex);
	if (hex[0] && !hex_decode(view_str(hex), image, sizeof image)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "image is no SHA-256");
		free(d);
		return;
	}
	int err = d ? db_begin(c->db) : FG_ENOMEM;
	if (!err)
		err = db_end(c->db,
		    db_base_drop_named(c->db, profile, product, version, hex[0] ? image : NULL, note_dropped, d));
	if (err) {
		call_fail_err(call, err);
	} else if (d->n == 0) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate base list", "no person named such a base");
	} else {
		call_doc_begin(&doc);
		jsonw_key(&doc.j, "dropped");
		jsonw_array(&doc.j);
		for (unsigned i = 0; i < d->n; i++) {
			(void)drop_file(c, &d->row[i]);
			tell_dropped(c, &d->row[i], requests_actor(c, call));
			jsonw_hex(&doc.j, d->row[i].image, DIGEST_SHA256_LEN);
		}
		jsonw_array_end(&doc.j);
		call_doc_end(call, &doc, CALL_DONE);
	}
	free(d);
}
