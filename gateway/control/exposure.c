/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/exposure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/err.h"
#include "gateway/control/datacost.h"
#include "gateway/control/requests_private.h"
#include "gateway/edge/siphash.h"

#define DAY 86400
#define SLOTS (2 * EXPOSURE_VERSIONS_MAX) /* at most half full: probes are short */

/* ---- who runs what ---- */

struct row { /* strings are the inventory's: nothing changes it during a request */
	const char *product, *version;
	uint64_t modules;
};

struct spread {
	uint8_t key[16]; /* versions are what modules say: nobody outside may choose where they land */
	struct row *row; /* SLOTS, by hash */
	size_t n;
	uint64_t unnamed; /* modules beyond EXPOSURE_VERSIONS_MAX */
};

static uint64_t
hash_of(const struct spread *s, const char *product, const char *version)
{
	char both[256];
	int n = snprintf(both, sizeof both, "%s", product);
	size_t at = n < (int)sizeof both - 1 ? (size_t)n + 1 : sizeof both;
	size_t m = at < sizeof both ? (size_t)snprintf(both + at, sizeof both - at, "%s", version) : 0;
	return siphash_24(s->key, view_of((const uint8_t *)both, at + m < sizeof both ? at + m : sizeof both));
}

static void
count(struct spread *s, const struct inventory_module *m)
{
	size_t i = (size_t)(hash_of(s, m->product, m->version) % SLOTS);
	while (s->row[i].product && (strcmp(s->row[i].version, m->version) != 0 || strcmp(s->row[i].product, m->product) != 0))
		i = (i + 1) % SLOTS;
	if (!s->row[i].product) {
		if (s->n == EXPOSURE_VERSIONS_MAX) {
			s->unnamed++;
			return;
		}
		s->row[i] = (struct row){ .product = m->product, .version = m->version };
		s->n++;
	}
	s->row[i].modules++;
}

static int
by_number(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->modules != y->modules)
		return x->modules < y->modules ? 1 : -1;
	int d = strcmp(x->product, y->product);
	return d ? d : strcmp(x->version, y->version);
}

/* Then the rows that are there come first, the most frequent of them at the top. */
static int
spread_of(struct control *c, struct spread *s)
{
	const struct inventory_module *m;
	s->row = calloc(SLOTS, sizeof *s->row);
	if (!s->row)
		return FG_ENOMEM;
	if (getrandom(s->key, sizeof s->key, 0) != (ssize_t)sizeof s->key)
		return FG_EIO;
	for (size_t i = 0; (m = inventory_at(c->inventory, i)) != NULL; i++)
		if (!m->erased && m->product[0])
			count(s, m);
	size_t to = 0;
	for (size_t i = 0; i < SLOTS; i++)
		if (s->row[i].product)
			s->row[to++] = s->row[i];
	qsort(s->row, s->n, sizeof *s->row, by_number);
	return FG_OK;
}

/* Of that product: those that would be replaced, and all. A version nobody knows may be the old one: it counts. */
static uint64_t
modules_of(const struct spread *s, const struct db_resource *r, uint64_t *ret_all)
{
	uint64_t n = 0, all = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct row *w = &s->row[i];
		if (strcmp(w->product, r->product) != 0)
			continue;
		all += w->modules;
		if (r->from[0] ? !w->version[0] || strcmp(w->version, r->from) == 0 : strcmp(w->version, r->target) != 0)
			n += w->modules;
	}
	*ret_all = all;
	return n;
}

/* ---- the answer ---- */

static void
put_held(struct control *c, struct jsonw *j, const struct spread *s, const struct db_candidate *cand)
{
	struct db_resource *r = calloc(1, sizeof *r);
	uint64_t all = 0;
	int64_t held = control_now(c) - cand->created;
	if (r && db_resource_get(c->db, cand->resource, r) == FG_OK) {
		uint64_t modules = modules_of(s, r, &all);
		jsonw_object(j);
		jsonw_kuint(j, "days", held > 0 ? (uint64_t)(held / DAY) : 0);
		requests_put_time(j, "deadline", reviews_deadline(c, cand));
		requests_put_text(j, "from", r->from[0] ? r->from : "*");
		requests_put_review(j, "id", cand->id);
		jsonw_kuint(j, "modules", modules);
		requests_put_text(j, "product", r->product);
		jsonw_kuint(j, "product_modules", all);
		requests_put_time(j, "since", cand->created);
		requests_put_text(j, "state", cand->state);
		requests_put_text(j, "target", r->target);
		jsonw_object_end(j);
	}
	free(r);
}

static void
put_held_in(struct control *c, struct jsonw *j, const struct spread *s, enum lifecycle_state state)
{
	struct candidates_ids *l = candidates_in(c, state);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	for (size_t i = 0; l && cand && i < l->n; i++)
		if (db_candidate_get(c->db, l->id[i], cand) == FG_OK)
			put_held(c, j, s, cand);
	free(cand);
	free(l);
}

static void
put_versions(struct jsonw *j, const struct spread *s)
{
	jsonw_key(j, "versions");
	jsonw_array(j);
	for (size_t i = 0; i < s->n && i < EXPOSURE_SHOWN_MAX; i++) {
		jsonw_object(j);
		jsonw_kuint(j, "modules", s->row[i].modules);
		requests_put_text(j, "product", s->row[i].product);
		requests_put_text(j, "version", s->row[i].version);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

void
exposure_list(struct control *c, struct call *call)
{
	static const enum lifecycle_state held[] = { LIFECYCLE_REVIEW, LIFECYCLE_JUDGING, LIFECYCLE_BLOCKED, LIFECYCLE_INCIDENT };
	struct spread s = { .row = NULL };
	struct call_doc d;
	int err = spread_of(c, &s);
	if (err) {
		free(s.row);
		call_fail_err(call, err);
		return;
	}
	uint64_t rest = s.unnamed;
	for (size_t i = EXPOSURE_SHOWN_MAX; i < s.n; i++)
		rest += s.row[i].modules;
	call_doc_begin(&d);
	err = datacost_put(c, &d.j);
	if (err) {
		free(s.row);
		writer_free(&d.w);
		call_fail_err(call, err);
		return;
	}
	jsonw_key(&d.j, "held");
	jsonw_array(&d.j);
	for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
		put_held_in(c, &d.j, &s, held[i]);
	jsonw_array_end(&d.j);
	jsonw_kuint(&d.j, "other_modules", rest);
	put_versions(&d.j, &s);
	free(s.row);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- alerts ---- */

void
exposure_alerts(struct control *c, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	struct candidates_ids *l = candidates_in(c, LIFECYCLE_REVIEW);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	char text[200], review[DB_REVIEW_CAP] = "";
	int64_t now = control_now(c), left = 0, waited = 0;
	size_t n = 0;
	for (size_t i = 0; l && cand && i < l->n; i++) {
		if (db_candidate_get(c->db, l->id[i], cand) != FG_OK)
			continue;
		int64_t deadline = reviews_deadline(c, cand), since = cand->updated;
		if (!deadline || now - since < (deadline - since) / 2)
			continue;
		n++;
		if (review[0] && deadline - now >= left)
			continue;
		left = deadline - now;
		waited = now - cand->created;
		db_candidate_review(cand->id, review);
	}
	if (n) {
		snprintf(text, sizeof text, "%s has waited for %" PRId64 " days and is held for good in %" PRId64
		    " days; %zu review%s past half of the time they have", review, waited / DAY, left > 0 ? left / DAY : 0, n,
		    n == 1 ? " is" : "s are");
		say(j, "REVIEW-DUE", text);
	}
	free(cand);
	free(l);
}
