/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/rollouts_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/rollouts_private.h"
#include "policy/egress.h"

/* ---- order ---- */

static int
by_product_endpoint(const void *a, const void *b)
{
	const struct rollouts_contact *x = a, *y = b;
	int c = strcmp(x->module->product, y->module->product);
	return c ? c : strcmp(x->endpoint, y->endpoint);
}

/* Lines of one product, from *at on, which goes behind them. */
static size_t
run_of(const struct rollouts_traffic *t, size_t *at)
{
	size_t from = *at;
	while (*at < t->n && !strcmp(t->seen[*at].module->product, t->seen[from].module->product))
		++*at;
	return *at - from;
}

static uint64_t
asked(const struct rollouts *r, const struct rollouts_traffic *t)
{
	uint64_t n = 0;
	for (size_t at = 0; at < t->n;) {
		const char *product = t->seen[at].module->product;
		const struct rollout *one;
		size_t lines = run_of(t, &at);
		LIST_FOREACH(one, &r->all, link)
			n += strcmp(one->product, product) ? 0 : lines;
	}
	return n;
}

/* ---- one release ---- */

struct look {
	struct rollouts *r;
	struct rollout *one;
	const struct rollouts_traffic *t;
	const struct rollouts_contact *seen; /* of its product */
	size_t n;
	struct egress_sight *sight;          /* room for n, and for each of what follows */
	const struct inventory_module **runs; /* seen since they run it; one may be there several times */
	uint32_t *fresh;
	size_t runs_n;
};

static bool
runs_it_since(const struct look *l, const struct inventory_module *m, int64_t at)
{
	struct rollouts_fate fate;
	return rollouts_fate_of(l->r, l->one->id, m, &fate) && fate.grant.completed > 0 && at >= fate.grant.completed &&
	    !strcmp(fate.outcome, rollout_outcome_name(ROLLOUT_SUCCESS));
}

/* Before the first byte of it was granted is before; whatever came since may be its doing. */
static void
sort_out(struct look *l, bool *ret_any)
{
	uint32_t endpoint = 0;
	*ret_any = false;
	for (size_t i = 0; i < l->n; i++) {
		const struct rollouts_contact *c = &l->seen[i];
		struct db_grant g;
		bool after = grants_has(l->r->c->grants, c->module->pseudonym, l->one->id, &g) && c->at >= g.at;
		endpoint = i > 0 && strcmp(c->endpoint, c[-1].endpoint) ? (uint32_t)i : endpoint;
		l->sight[i] = (struct egress_sight){ .endpoint = endpoint, .after = after };
		*ret_any |= after;
		if (after && runs_it_since(l, c->module, c->at))
			l->runs[l->runs_n++] = c->module;
	}
}

static int
by_address(const void *a, const void *b)
{
	const struct inventory_module *const *x = a, *const *y = b;
	return (*x > *y) - (*x < *y);
}

static void
count_rings(struct look *l, uint32_t count[ROLLOUT_RINGS_MAX], unsigned *ret_all)
{
	qsort(l->runs, l->runs_n, sizeof *l->runs, by_address);
	for (size_t i = 0; i < l->runs_n; i++) {
		const struct inventory_module *m = l->runs[i];
		if (i > 0 && m == l->runs[i - 1])
			continue;
		++*ret_all;
		if (!l->one->plan)
			continue;
		unsigned ring = rollouts_ring(l->r, l->one, m, rollout_place(l->one->id, m->pseudonym));
		if (ring < l->one->plan->rings_n)
			count[ring]++;
	}
}

/* ---- what follows ---- */

int
rollouts_endpoint_name(struct view endpoint, uint8_t ret[ROLLOUTS_ENDPOINT_ID])
{
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = digest_sha256(endpoint, digest);
	if (!err)
		memcpy(ret, digest, ROLLOUTS_ENDPOINT_ID);
	return err;
}

bool
rollouts_endpoint_add(struct rollouts_endpoints *e, const uint8_t name[ROLLOUTS_ENDPOINT_ID])
{
	for (unsigned i = 0; i < e->n; i++)
		if (!memcmp(e->name[i], name, ROLLOUTS_ENDPOINT_ID))
			return false;
	if (e->n < ROLLOUTS_ENDPOINTS_MAX)
		memcpy(e->name[e->n++], name, ROLLOUTS_ENDPOINT_ID);
	return true;
}

static void
tell_endpoint(const struct look *l, uint32_t first)
{
	const struct rollouts_contact *c = &l->seen[first];
	char obj[ROLLOUTS_OBJECT_CAP];
	uint64_t sights = 0;
	for (size_t i = first; i < l->n && l->sight[i].endpoint == first; i++)
		sights++;
	rollouts_object(l->one->id, obj);
	struct msg_append *e = logbook_entry(ENTRY_EGRESS_NEW_ENDPOINT, "failed", l->t->who, obj);
	logbook_dev(e, c->module->pseudonym);
	logbook_ref(e, "endpoint", c->endpoint);
	logbook_ref(e, "product", l->one->product);
	logbook_ref_sha256(e, "report", l->t->sha256);
	logbook_ref_number(e, "sights", sights);
	logbook_say(e, "no module of the product was seen there without the release");
	logbook_tell(l->r->c->logbook, e);
}

static void
tell_incident(const struct look *l, const char *text)
{
	struct control *c = l->r->c;
	struct db_incident i = { .at = control_now(c), .kind = "egress", .have_resource = true };
	memcpy(i.resource, l->one->resource, sizeof i.resource);
	snprintf(i.detail, sizeof i.detail, "%s", text);
	if (db_incident_add(c->db, &i))
		oplog(OPLOG_ERR, "an incident could not be written down: %s", db_why(c->db));
}

/* Those not told before: pauses, and only then says so. */
static void
act_on_fresh(struct look *l, struct rollouts_watched *w)
{
	struct rollout *one = l->one;
	uint32_t told[ROLLOUTS_ENDPOINTS_MAX];
	unsigned told_n = 0;
	char text[MSG_TEXT_MAX];
	size_t shown = w->fresh_n < ROLLOUTS_ENDPOINTS_MAX ? w->fresh_n : ROLLOUTS_ENDPOINTS_MAX;
	for (size_t i = 0; i < shown; i++) {
		uint8_t name[ROLLOUTS_ENDPOINT_ID];
		/* One that cannot be named is new each time. */
		if (rollouts_endpoint_name(view_str(w->fresh[i]), name) || rollouts_endpoint_add(&one->said.endpoints, name))
			told[told_n++] = l->fresh[i];
	}
	if (!told_n && w->fresh_n <= ROLLOUTS_ENDPOINTS_MAX)
		return;
	snprintf(text, sizeof text, "%zu endpoint%s that no module of %.60s had without the release, %.200s among them.",
	    w->fresh_n, w->fresh_n == 1 ? "" : "s", one->product, told_n ? l->seen[told[0]].endpoint : w->fresh[0]);
	w->paused = one->plan && one->plan->egress_watch && rollouts_stop(l->r, one, text);
	for (unsigned i = 0; i < told_n; i++)
		tell_endpoint(l, told[i]);
	tell_incident(l, text);
}

static void
act_on_watched(struct look *l, const uint32_t count[ROLLOUT_RINGS_MAX])
{
	struct rollout *one = l->one;
	if (!one->plan || !one->plan->egress_watch)
		return;
	for (unsigned i = 0; i <= one->standing.ring && i < one->plan->rings_n; i++) {
		if (count[i] <= one->standing.watched[i])
			continue;
		one->standing.watched[i] = count[i];
		l->r->due = true;
		struct msg_append *e = rollouts_entry(one, ENTRY_ROLLOUT_WATCHED, l->t->who, i, i);
		logbook_ref_number(e, "watched", count[i]);
		logbook_ref_sha256(e, "report", l->t->sha256);
		logbook_say(e, "the network saw where modules of the ring connect to since they run it");
		logbook_tell(l->r->c->logbook, e);
	}
}

/* False: nobody has it, or nothing was seen of those who do. */
static bool
judge(struct look *l, bool dry_run, struct rollouts_watched *w)
{
	uint32_t count[ROLLOUT_RINGS_MAX] = { 0 };
	bool any;
	*w = (struct rollouts_watched){ .id = l->one->id };
	l->runs_n = 0;
	sort_out(l, &any);
	if (!any)
		return false;
	w->baseline = egress_judge(l->sight, l->n, l->fresh, l->n, &w->fresh_n);
	for (size_t i = 0; i < w->fresh_n && i < ROLLOUTS_ENDPOINTS_MAX; i++)
		w->fresh[i] = l->seen[l->fresh[i]].endpoint;
	if (!w->baseline)
		return true;
	count_rings(l, count, &w->watched);
	if (dry_run)
		return true;
	if (w->fresh_n)
		act_on_fresh(l, w);
	act_on_watched(l, count);
	return true;
}

int
rollouts_watch(struct rollouts *r, struct rollouts_traffic *t, bool dry_run,
    void (*each)(void *arg, const struct rollouts_watched *what), void *arg)
{
	struct rollouts_watched w;
	if (t->n == 0)
		return FG_OK;
	qsort(t->seen, t->n, sizeof *t->seen, by_product_endpoint);
	if (asked(r, t) > ROLLOUTS_ASKED_MAX)
		return FG_ELIMIT;
	struct look l = { .r = r, .t = t, .sight = calloc(t->n, sizeof *l.sight), .runs = calloc(t->n, sizeof *l.runs),
		.fresh = calloc(t->n, sizeof *l.fresh) };
	int err = l.sight && l.runs && l.fresh ? FG_OK : FG_ENOMEM;
	for (size_t at = 0; !err && at < t->n;) {
		l.seen = t->seen + at;
		l.n = run_of(t, &at);
		LIST_FOREACH(l.one, &r->all, link)
			if (!strcmp(l.one->product, l.seen[0].module->product) && judge(&l, dry_run, &w))
				each(arg, &w);
	}
	free(l.sight);
	free(l.runs);
	free(l.fresh);
	return err;
}
