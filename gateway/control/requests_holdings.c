/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway holds beside reviews: the images they are about, the groups that modules are put into, and incidents. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/requests_private.h"
#include "gateway/state/incident.h"

#define TAC 8 /* digits of an IMEI that say what a module is; those after them say which one */

/* ---- images ---- */

struct images {
	struct jsonw *j;
	unsigned n;
	uint8_t last[DIGEST_SHA256_LEN];
};

static int
put_image(void *arg, const struct db_image *i)
{
	struct images *l = arg;
	memcpy(l->last, i->image, sizeof l->last);
	l->n++;
	jsonw_object(l->j);
	requests_put_time(l->j, "arrived", i->arrived);
	jsonw_khex(l->j, "image", i->image, sizeof i->image);
	jsonw_kbool(l->j, "in_quarantine", i->in_quarantine);
	jsonw_kuint(l->j, "reviews", i->candidates);
	jsonw_kuint(l->j, "size", i->size);
	jsonw_object_end(l->j);
	return 0;
}

void
requests_image_list(struct control *c, struct call *call)
{
	char hex[DIGEST_HEX_LEN + 1];
	uint8_t after[DIGEST_SHA256_LEN];
	struct call_doc d;
	struct images l = { .j = &d.j };
	unsigned limit = requests_page(call, 100);
	if (!limit)
		return;
	(void)call_text(call, "after", hex, sizeof hex);
	if (hex[0] && !hex_decode(view_str(hex), after, sizeof after)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "after is an image's SHA-256 of 64 hex digits");
		return;
	}
	call_doc_begin(&d);
	jsonw_key(&d.j, "images");
	jsonw_array(&d.j);
	int err = db_candidate_images(c->db, hex[0] ? after : NULL, limit, put_image, &l);
	jsonw_array_end(&d.j);
	requests_put_digest(&d.j, "next", l.n == limit, l.last, sizeof l.last);
	requests_finish(call, &d, err);
}

struct about { /* reviews of one image, as they come */
	struct control *c;
	struct jsonw *j;
	unsigned n;
	uint64_t last, size;
	bool in_quarantine, released;
	int64_t arrived;
};

static int
put_about(void *arg, const struct db_candidate *cand)
{
	struct about *a = arg;
	struct db_resource *r = calloc(1, sizeof *r);
	int err = r ? db_resource_get(a->c->db, cand->resource, r) : FG_ENOMEM;
	if (!err) {
		jsonw_object(a->j);
		requests_put_text(a->j, "from", r->from);
		requests_put_text(a->j, "product", r->product);
		requests_put_text(a->j, "profile", r->profile);
		requests_put_digest(a->j, "provenance", cand->have_provenance, cand->provenance, sizeof cand->provenance);
		requests_put_digest(a->j, "release", cand->have_release, cand->release, sizeof cand->release);
		requests_put_digest(a->j, "report", cand->have_report, cand->report, sizeof cand->report);
		requests_put_review(a->j, "review", cand->id);
		requests_put_text(a->j, "state", cand->state);
		requests_put_text(a->j, "target", r->target);
		jsonw_object_end(a->j);
		a->n++;
		a->last = cand->id;
		a->size = cand->size;
		a->in_quarantine |= cand->in_quarantine;
		a->released |= cand->have_release;
		if (cand->arrived && (!a->arrived || cand->arrived < a->arrived))
			a->arrived = cand->arrived;
	}
	free(r);
	return err;
}

void
requests_image_show(struct control *c, struct call *call)
{
	char hex[DIGEST_HEX_LEN + 1];
	uint8_t image[DIGEST_SHA256_LEN];
	struct call_doc d;
	struct about a = { .c = c, .j = &d.j };
	struct db_candidate_filter f = { .image = image, .limit = REQUESTS_PAGE_MAX };
	(void)call_text(call, "image", hex, sizeof hex);
	if (!hex_decode(view_str(hex), image, sizeof image)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "an image is named by its SHA-256, 64 hex digits");
		return;
	}
	call_doc_begin(&d);
	jsonw_khex(&d.j, "image", image, sizeof image);
	jsonw_key(&d.j, "reviews");
	jsonw_array(&d.j);
	int err = db_candidate_list(c->db, &f, put_about, &a);
	jsonw_array_end(&d.j);
	if (!err && a.n == 0) {
		writer_free(&d.w);
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "fotagate image list", "no review is about that image");
		return;
	}
	jsonw_key(&d.j, "stored");
	jsonw_object(&d.j);
	requests_put_time(&d.j, "arrived", a.arrived);
	jsonw_kbool(&d.j, "in_quarantine", a.in_quarantine);
	jsonw_kbool(&d.j, "released", a.released);
	jsonw_kuint(&d.j, "size", a.size);
	jsonw_object_end(&d.j);
	requests_finish(call, &d, err);
}

/* ---- groups ---- */

static void
put_group(struct jsonw *j, const struct group_rule *g, bool by_default)
{
	jsonw_object(j);
	jsonw_kbool(j, "default", by_default);
	jsonw_key(j, "imei");
	jsonw_array(j);
	for (unsigned i = 0; i < g->imei_n; i++) {
		char shown[TAC + 1];
		snprintf(shown, sizeof shown, "%s", g->imei[i]);
		jsonw_cstr(j, shown);
	}
	jsonw_array_end(j);
	requests_put_text(j, "name", g->name);
	requests_put_text(j, "product", g->product);
	requests_put_text(j, "profile", g->profile);
	requests_put_text(j, "tag", g->tag);
	jsonw_object_end(j);
}

void
requests_group_list(struct control *c, struct call *call)
{
	const struct config *f = policies_config(c->policies);
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "groups");
	jsonw_array(&d.j);
	for (unsigned i = 0; i < f->groups_n; i++)
		put_group(&d.j, &f->groups[i], false);
	for (size_t i = 0; i < policies_count(c->policies); i++) {
		const struct profile *p = policies_at(c->policies, i)->profile;
		struct group_rule g = { .imei_n = 0 };
		snprintf(g.name, sizeof g.name, "%s", p->default_group);
		snprintf(g.profile, sizeof g.profile, "%s", p->name);
		put_group(&d.j, &g, true);
	}
	jsonw_array_end(&d.j);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- incidents ---- */

struct incidents {
	struct control *c;
	struct jsonw *j;
	unsigned n;
	uint64_t last;
};

/* The members of an open object: "resource" and what is known of it behind the others. */
static void
put_members(struct control *c, struct jsonw *j, const struct db_incident *i)
{
	struct db_resource *r = i->have_resource ? calloc(1, sizeof *r) : NULL;
	if (r && db_resource_get(c->db, i->resource, r)) { /* forgotten since */
		free(r);
		r = NULL;
	}
	requests_put_time(j, "at", i->at);
	requests_put_text(j, "detail", i->detail);
	jsonw_kuint(j, "id", i->id);
	requests_put_text(j, "kind", i->kind);
	requests_put_text(j, "product", r ? r->product : "");
	requests_put_text(j, "profile", r ? r->profile : "");
	requests_put_digest(j, "resource", i->have_resource, i->resource, sizeof i->resource);
	free(r);
}

static int
put_incident(void *arg, const struct db_incident *i)
{
	struct incidents *l = arg;
	l->n++;
	l->last = i->id;
	jsonw_object(l->j);
	put_members(l->c, l->j, i);
	jsonw_object_end(l->j);
	return 0;
}

void
requests_incident_list(struct control *c, struct call *call)
{
	char next[24];
	struct call_doc d;
	struct incidents l = { .c = c, .j = &d.j };
	unsigned limit = requests_page(call, 100);
	if (!limit)
		return;
	call_doc_begin(&d);
	jsonw_key(&d.j, "incidents");
	jsonw_array(&d.j);
	int err = db_incident_list(c->db, call_number(call, "after", 0), limit, put_incident, &l);
	jsonw_array_end(&d.j);
	snprintf(next, sizeof next, "%" PRIu64, l.last);
	if (l.n == limit && l.last > 1)
		jsonw_kcstr(&d.j, "next", next);
	else
		jsonw_knull(&d.j, "next");
	requests_finish(call, &d, err);
}

struct one {
	struct db_incident i;
	bool found;
};

static int
keep(void *arg, const struct db_incident *i)
{
	struct one *o = arg;
	o->i = *i;
	o->found = true;
	return 0;
}

static int
put_review(void *arg, const struct db_candidate *cand)
{
	struct jsonw *j = arg;
	char review[DB_REVIEW_CAP];
	db_candidate_review(cand->id, review);
	jsonw_cstr(j, review);
	return 0;
}

void
requests_incident_show(struct control *c, struct call *call)
{
	char text[20];
	uint64_t id = 0;
	(void)call_text(call, "incident", text, sizeof text);
	if (!decimal_parse(view_str(text), INT64_MAX - 1, &id))
		id = 0; /* there is none of that */
	struct one *o = calloc(1, sizeof *o);
	struct call_doc d;
	int err = !o ? FG_ENOMEM : id ? db_incident_list(c->db, id + 1, 1, keep, o) : FG_OK;
	if (!err && (!o->found || o->i.id != id)) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "fotagate incident list; the log has older ones",
		    "there is no incident of that number");
	} else if (err) {
		call_fail_err(call, err);
	} else {
		struct db_candidate_filter f = { .resource = o->i.resource, .limit = REQUESTS_PAGE_MAX };
		call_doc_begin(&d);
		put_members(c, &d.j, &o->i);
		jsonw_key(&d.j, "reviews");
		jsonw_array(&d.j);
		if (o->i.have_resource)
			err = db_candidate_list(c->db, &f, put_review, &d.j);
		jsonw_array_end(&d.j);
		requests_finish(call, &d, err);
	}
	free(o);
}
