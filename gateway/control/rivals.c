/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/rivals.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "gateway/control/control_private.h"
#include "gateway/control/requests_private.h"
#include "gateway/state/grant.h"

/* ---- all of one update ---- */

struct walk {
	struct control *c;
	const struct db_resource *r;
	const uint8_t *image;      /* not these */
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
	/* Those of its own URL are told of as such (arrivals): here is what other URLs gave. */
	if (!err && memcmp(other->id, w->r->id, sizeof other->id) && !strcmp(other->target, w->r->target) &&
	    !strcmp(other->from, w->r->from))
		w->each(w->arg, cand, other);
	free(other);
	return err;
}

static int
walk(struct walk *w, bool released)
{
	struct db_candidate_filter filter = { .profile = w->r->profile, .product = w->r->product, .released = released };
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
rivals_other(struct control *c, const struct db_resource *r, const uint8_t image[DIGEST_SHA256_LEN],
    struct db_candidate *ret, uint32_t *ret_granted, int *ret_err)
{
	const struct policy *p = policies_find(c->policies, r->profile);
	struct found f = { .cand = ret };
	struct walk w = { .c = c, .r = r, .image = image, .each = keep, .arg = &f };
	uint32_t completed;
	*ret_err = p && p->profile->one_image ? walk(&w, true) : FG_OK;
	if (*ret_err || !f.any)
		return false;
	grants_count(c->grants, ret->release, ret_granted, &completed);
	return true;
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
	requests_put_digest(j, "asked_by", other->have_asker, other->asker, sizeof other->asker);
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
	struct walk w = { .c = c, .r = r, .image = cand->image, .each = put_image, .arg = &s };
	/* The database is a little behind. */
	(void)grants_flush(c->grants);
	jsonw_key(j, key);
	jsonw_array(j);
	if (cand->have_image)
		(void)walk(&w, false);
	jsonw_array_end(j);
}
