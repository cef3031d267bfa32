/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/rivals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "gateway/control/control_private.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/standing.h"
#include "gateway/state/grant.h"

/* ---- all of one update ---- */

struct walk {
	struct control *c;
	const struct db_resource *r;
	const uint8_t *image;      /* not these */
	bool own;                  /* those of r's URL too */
	uint64_t last;             /* highest number looked at */
	unsigned n;                /* looked at in this page */
	void (*each)(void *arg, const struct db_candidate *cand, const struct db_resource *other);
	void *arg;
};

static int
look(void *arg, const struct db_candidate *cand)
{
	struct walk *w = arg;
	w->last = cand->id;
	w->n++;
	if (!cand->have_image || !memcmp(cand->image, w->image, DIGEST_SHA256_LEN))
		return FG_OK;
	struct db_resource *other = calloc(1, sizeof *other);
	int err = other ? db_resource_get(w->c->db, cand->resource, other) : FG_ENOMEM;
	if (!err && (w->own || memcmp(other->id, w->r->id, sizeof other->id)))
		w->each(w->arg, cand, other);
	free(other);
	return err;
}

static int
walk(struct walk *w, bool released)
{
	struct db_candidate_filter filter = { .profile = w->r->profile, .product = w->r->product, .target = w->r->target,
		.from = w->r->from, .released = released };
	int err;
	if (!w->r->target[0])
		return FG_OK; /* what version it makes is not known */
	do {
		w->n = 0;
		err = db_candidate_list(w->c->db, &filter, look, w);
		filter.after = w->last;
	} while (!err && w->n > 0);
	return err;
}

/* ---- the one that was released ---- */

struct found {
	struct db_candidate *cand;
	bool any;
};

static void
keep(void *arg, const struct db_candidate *cand, const struct db_resource *other)
{
	struct found *f = arg;
	enum lifecycle_state state = lifecycle_state_parse(view_str(cand->state));
	(void)other;
	if (state != LIFECYCLE_APPROVED && state != LIFECYCLE_EXPIRED)
		return; /* somebody took it back, perhaps for what comes now */
	*f->cand = *cand; /* the youngest: they come in order */
	f->any = true;
}

bool
rivals_other(struct control *c, const struct db_resource *r, const uint8_t image[DIGEST_SHA256_LEN], bool own,
    struct db_candidate *ret, uint32_t *ret_granted, int *ret_err)
{
	const struct policy *p = policies_find(c->policies, r->profile);
	struct found f = { .cand = ret };
	struct walk w = { .c = c, .r = r, .image = image, .own = own, .each = keep, .arg = &f };
	uint32_t completed;
	*ret_err = p && p->profile->one_image ? walk(&w, true) : FG_OK;
	if (*ret_err || !f.any)
		return false;
	grants_count(c->grants, ret->release, ret_granted, &completed);
	return true;
}

void
rivals_say(const struct db_candidate *other, uint32_t granted, char *dst, size_t cap)
{
	char review[DB_REVIEW_CAP];
	db_candidate_review(other->id, review);
	snprintf(dst, cap, "%s has other bytes for the same update, which %" PRIu32 " modules were granted", review, granted);
}

/* ---- a release that is frozen ---- */

bool
rivals_judged(struct control *c, struct db_candidate *cand, int *ret_err)
{
	*ret_err = FG_OK;
	if (cand->rival != DB_RIVAL_SUSPECT) {
		cand->rival = DB_RIVAL_NONE;
		return false;
	}
	struct db_candidate *other = calloc(1, sizeof *other);
	struct db_resource *r = calloc(1, sizeof *r);
	uint32_t granted = 0;
	char note[DB_TEXT_MAX], review[DB_REVIEW_CAP], why[DB_TEXT_MAX];
	bool second = false;
	*ret_err = other && r ? FG_OK : FG_ENOMEM;
	if (!*ret_err)
		*ret_err = db_resource_get(c->db, cand->resource, r);
	if (!*ret_err)
		second = rivals_other(c, r, cand->image, true, other, &granted, ret_err);
	if (second) {
		db_candidate_review(cand->id, review);
		snprintf(why, sizeof why, "%s is another image for the same update, and waits for people", review);
		if (other->have_release)
			releases_withhold(c->releases, other->release, why);
		rivals_say(other, granted, note, sizeof note);
		cand->rival = DB_RIVAL_FREEZES;
		*ret_err = candidates_move(c, cand, LIFECYCLE_CONFLICT, note);
		if (!*ret_err) /* else it would find nothing that withholds, and give back; it is judged again, and comes by here */
			standing_review(c); /* all of that update, and the log hears of it */
		oplog(OPLOG_ERR, "INCIDENT: a vendor has two images for one update: what was released is withheld");
	} else if (!*ret_err) {
		cand->rival = DB_RIVAL_NONE; /* the other one was taken back meanwhile; goes with the next move */
	}
	free(r);
	free(other);
	return second;
}

struct frozen {
	struct control *c;
	const struct release *record;
	struct db_resource *r; /* the release's; read when there is something to hold against it */
	bool have_resource;
	uint64_t by; /* 0: nothing */
	char asker[2 * DB_ID + 1]; /* pseudonym of the first module that asked for it; "" for none */
};

static int
freezes(void *arg, const struct db_candidate *cand)
{
	struct frozen *f = arg;
	const struct approval_terms *t = &f->record->terms;
	if (!candidates_is(cand, LIFECYCLE_INCIDENT) || strcmp(cand->profile, t->profile) != 0 ||
	    !memcmp(cand->image, t->image, sizeof cand->image))
		return FG_OK;
	struct db_resource *other = calloc(1, sizeof *other);
	int err = other ? db_resource_get(f->c->db, cand->resource, other) : FG_ENOMEM;
	if (!err && !f->have_resource)
		err = db_resource_get(f->c->db, t->resource, f->r);
	f->have_resource = !err;
	if (!err && f->r->target[0] && !strcmp(other->product, f->r->product) && !strcmp(other->target, f->r->target) &&
	    !strcmp(other->from, f->r->from)) {
		f->by = cand->id;
		f->asker[0] = '\0';
		if (other->have_asker)
			hex_encode(other->asker, sizeof other->asker, f->asker);
	}
	free(other);
	return err;
}

bool
rivals_freeze(struct control *c, const struct release *record, char *why, size_t cap)
{
	struct frozen f = { .c = c, .record = record, .r = calloc(1, sizeof *f.r) };
	int err = f.r ? db_candidate_freezing(c->db, freezes, &f) : FG_ENOMEM;
	free(f.r);
	if (err)
		snprintf(why, cap, "whether there is another image for the same update could not be read");
	else if (f.by)
		snprintf(why, cap, "R-%" PRIu64 " is another image for the same update%s%s: people have to decide", f.by,
		    f.asker[0] ? ", offered to module " : "", f.asker);
	return err || f.by;
}

/* ---- side by side ---- */

struct showing {
	struct control *c;
	struct jsonw *j;
	unsigned modules;
};

static int
put_module(void *arg, const struct db_grant *g)
{
	struct showing *s = arg;
	char hex[2 * DB_ID + 1];
	if (s->modules++ < RIVALS_MODULES_MAX) {
		hex_encode(g->module, sizeof g->module, hex);
		jsonw_cstr(s->j, hex);
	}
	return FG_OK;
}

static void
put_image(void *arg, const struct db_candidate *cand, const struct db_resource *other)
{
	struct showing *s = arg;
	struct jsonw *j = s->j;
	jsonw_object(j);
	jsonw_kuint(j, "asked", other->sightings);
	requests_put_digest(j, "asked_by", other->have_asker, other->asker, sizeof other->asker);
	jsonw_kbool(j, "freezes", cand->rival == DB_RIVAL_FREEZES && candidates_is(cand, LIFECYCLE_INCIDENT));
	s->modules = 0;
	jsonw_key(j, "granted");
	jsonw_array(j);
	if (cand->have_release)
		(void)db_grant_list(s->c->db, cand->release, NULL, put_module, s);
	jsonw_array_end(j);
	jsonw_khex(j, "image", cand->image, sizeof cand->image);
	jsonw_kuint(j, "modules", s->modules);
	requests_put_review(j, "review", cand->id);
	requests_put_text(j, "state", cand->state);
	jsonw_object_end(j);
}

void
rivals_put(struct control *c, const struct db_candidate *cand, const struct db_resource *r, struct jsonw *j,
    const char *key)
{
	struct showing s = { c, j, 0 };
	struct walk w = { .c = c, .r = r, .image = cand->image, .own = true, .each = put_image, .arg = &s };
	/* The database is a little behind. */
	(void)grants_flush(c->grants);
	jsonw_key(j, key);
	jsonw_array(j);
	if (cand->have_image)
		(void)walk(&w, false);
	jsonw_array_end(j);
}
