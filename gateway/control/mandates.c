/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/mandates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/decisions.h"
#include "gateway/control/mandates_private.h"
#include "gateway/control/signed.h"
#include "policy/group.h"

#define DAY 86400
_Static_assert(DB_MANDATE_STATEMENTS_MAX == SIGNED_MAX, "the statements of a row fit a list");

struct mandates *
mandates_new(struct control *c)
{
	struct mandates *m = calloc(1, sizeof *m);
	if (m)
		m->c = c;
	return m;
}

void
mandates_free(struct mandates *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->one[i]);
	free(m->one);
	free(m);
}

/* ---- kept ---- */

int
mandates_add(struct mandates *m, struct mandate *one)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 16;
		struct mandate **more = reallocarray(m->one, cap, sizeof *more);
		if (!more) {
			free(one);
			return FG_ENOMEM;
		}
		m->one = more;
		m->cap = cap;
	}
	m->one[m->n++] = one;
	return FG_OK;
}

/* What everybody signs, without the person. */
static int
encode(const struct approval_terms *t, struct writer *w)
{
	struct approval *a = calloc(1, sizeof *a);
	char why[160];
	if (!a)
		return FG_ENOMEM;
	a->terms = *t;
	a->time = 1;
	snprintf(a->approver, sizeof a->approver, "key");
	snprintf(a->reason, sizeof a->reason, "decision key");
	int err = approval_encode(a, w, why, sizeof why);
	free(a);
	return err;
}

int
mandates_save(struct mandates *m, struct mandate *one)
{
	struct writer w;
	writer_init(&w, APPROVAL_BYTES_MAX);
	int err = encode(&one->terms, &w);
	one->row.terms = writer_view(&w);
	if (!err)
		err = db_mandate_put(m->c->db, &one->row);
	one->row.terms = view_of(NULL, 0);
	writer_free(&w);
	return err;
}

static int
each_row(void *arg, const struct db_mandate *row)
{
	struct mandates *m = arg;
	struct mandate *one = calloc(1, sizeof *one);
	struct approval *a = calloc(1, sizeof *a);
	char why[160] = "";
	int err = one && a ? approval_parse(row->terms, a, why, sizeof why) : FG_ENOMEM;
	if (!err && a->terms.decision != APPROVAL_STANDING)
		err = FG_EFORMAT;
	if (!err) {
		one->row = *row;
		one->row.terms = view_of(NULL, 0);
		one->terms = a->terms;
		err = approval_key(&one->terms, one->key);
	}
	if (!err) {
		err = mandates_add(m, one);
		one = NULL;
	}
	if (err)
		oplog(OPLOG_WARNING, "a standing statement of the database cannot be read and has no effect: %s", err_name(err));
	free(one);
	free(a);
	return err == FG_ENOMEM ? err : 0;
}

int
mandates_recall(struct mandates *m)
{
	int err = db_mandate_list(m->c->db, each_row, m);
	if (err)
		oplog(OPLOG_ERR, "standing statements could not be read: %s", db_why(m->c->db));
	return err;
}

struct mandate *
mandates_find(const struct mandates *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->one[i]->terms.review, name) == 0)
			return m->one[i];
	return NULL;
}

/* ---- how it stands ---- */

bool
mandates_is_over(const struct mandates *m, const struct mandate *one)
{
	return one->row.state == DB_MANDATE_REVOKED || one->terms.not_after <= control_now(m->c);
}

uint32_t
mandates_need(const struct mandates *m, const struct mandate *one)
{
	const struct genesis *g = people_genesis(m->c->people);
	const struct policy *p = policies_find(m->c->policies, one->terms.profile);
	uint64_t all = approval_standing_modules(&one->terms);
	uint32_t modules = all < UINT32_MAX ? (uint32_t)all : UINT32_MAX, need = genesis_floor(g, modules);
	if (p)
		need = scope_quorum(scope_kind_of(modules, g->canary_max), p->profile, need);
	return one->terms.quorum > need ? one->terms.quorum : need;
}

struct counting {
	const struct mandates *m;
	const struct mandate *one;
	uint64_t newer;
};

static bool
counts(void *ctx, const struct approval *a)
{
	const struct counting *k = ctx;
	char why[160];
	return !approval_terms_differ(&a->terms, &k->one->terms) &&
	    approval_check_time(a, control_now(k->m->c), k->newer, why, sizeof why) == FG_OK;
}

int
mandates_valid(struct mandates *m, const struct mandate *one, struct reviews_valid *ret)
{
	struct counting k = { .m = m, .one = one };
	struct signed_list *by = calloc(1, sizeof *by);
	int err = by ? db_restriction_latest(m->c->db, one->key, &k.newer) : FG_ENOMEM;
	*ret = (struct reviews_valid){ .need = mandates_need(m, one), .standing = true };
	if (one->row.opened > k.newer)
		k.newer = one->row.opened;
	if (!err) {
		by->n = one->row.statements_n;
		memcpy(by->statement, one->row.statement, sizeof by->statement);
		err = signed_count(m->c, by, counts, &k);
	}
	for (; !err && ret->n < by->n; ret->n++) {
		snprintf(ret->approver[ret->n], sizeof ret->approver[0], "%s", by->approver[ret->n]);
		memcpy(ret->statement[ret->n], by->statement[ret->n], sizeof ret->statement[0]);
	}
	free(by);
	return err;
}

int
mandates_definitions(struct control *c, const char *profile, uint8_t ret[DIGEST_SHA256_LEN])
{
	const struct config *f = policies_config(c->policies);
	struct writer w;
	writer_init(&w, 1u << 24);
	for (unsigned i = 0; f && i < f->groups_n; i++) {
		const struct group_rule *r = &f->groups[i];
		if (r->profile[0] && strcmp(r->profile, profile) != 0)
			continue;
		writer_cstr(&w, r->name);
		writer_cstr(&w, r->profile);
		writer_cstr(&w, r->product);
		writer_cstr(&w, r->tag);
		writer_u32(&w, r->imei_n);
		for (unsigned k = 0; k < r->imei_n; k++)
			writer_cstr(&w, r->imei[k]);
	}
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), ret);
	writer_free(&w);
	return err;
}

/* ---- asking ---- */

static bool
was_tried(const struct mandates *m, uint64_t candidate, uint64_t mandate)
{
	for (unsigned i = 0; i < MANDATES_TRIED; i++)
		if (m->tried[i].candidate == candidate && m->tried[i].mandate == mandate)
			return true;
	return false;
}

/* As wide as the statement lets it, for the step that the image is for, until the end of both. */
static void
scope_of(struct mandates *m, const struct db_candidate *cand, const struct db_resource *res, const struct mandate *one,
    struct db_scope *s)
{
	int64_t now = control_now(m->c), end = now + (int64_t)reviews_days_max(m->c, cand) * DAY;
	const struct approval_list *from = &one->terms.from_versions, *groups = &one->terms.groups;
	*s = (struct db_scope){ .max_devices = one->terms.max_devices, .not_before = now,
		.not_after = end < one->terms.not_after ? end : one->terms.not_after };
	if (res->from[0])
		snprintf(s->from[s->from_n++], DB_VERSION_MAX, "%s", res->from);
	for (uint32_t i = 0; !res->from[0] && i < from->n && i < DB_LIST_MAX; i++)
		snprintf(s->from[s->from_n++], DB_VERSION_MAX, "%s", from->word[i]);
	for (uint32_t i = 0; i < groups->n && i < DB_LIST_MAX; i++)
		snprintf(s->groups[s->groups_n++], DB_VERSION_MAX, "%s", groups->word[i]);
}

/* What the rules in force say for that scope: release, and now. */
static bool
rules_release(struct mandates *m, const struct db_candidate *cand, const struct db_scope *scope)
{
	struct control *c = m->c;
	const struct policy *p = policies_find(c->policies, cand->profile);
	struct rules_result *rules = calloc(1, sizeof *rules);
	struct report *r = NULL;
	bool yes = rules && p && judging_policy_stands(c, cand) && decisions_report(c, cand->report, &r) == FG_OK &&
	    report_verdict(r) != REPORT_BLOCKED && decisions_rules(c, cand, r, p, scope, rules) == FG_OK &&
	    rules_automatic(rules) && rules->earliest <= control_now(c);
	report_free(r);
	free(rules);
	return yes;
}

struct trial {
	struct reviews_asked asked;
	struct reviews_valid valid;
	struct approval_terms terms;
	struct db_scope scope;
	uint8_t definitions[DIGEST_SHA256_LEN];
};

static bool
covers(struct mandates *m, const struct db_candidate *cand, const struct db_resource *res, const struct mandate *one,
    struct trial *t)
{
	struct control *c = m->c;
	if (one->row.state != DB_MANDATE_EFFECTIVE || mandates_is_over(m, one) || strcmp(one->terms.profile, cand->profile) != 0)
		return false;
	/* The warden waits by the same clock, and is asked once: what it refuses waits for people. */
	if (one->terms.not_before > timekeep_earliest(c)) {
		if (!m->begins || one->terms.not_before < m->begins)
			m->begins = one->terms.not_before;
		return false;
	}
	scope_of(m, cand, res, one, &t->scope);
	if (t->scope.not_after <= t->scope.not_before || !rules_release(m, cand, &t->scope))
		return false;
	reviews_ask(c, cand, &t->scope, &t->asked);
	if (t->asked.denied || t->asked.quorum > APPROVAL_QUORUM_MAX || t->asked.time_lock ||
	    mandates_definitions(c, cand->profile, t->definitions) ||
	    memcmp(t->definitions, one->terms.bounds.definitions, sizeof t->definitions) != 0)
		return false;
	t->scope.quorum = t->asked.quorum;
	t->scope.have_plan = one->terms.have_plan;
	memcpy(t->scope.plan, one->terms.plan, sizeof t->scope.plan);
	if (reviews_terms(c, cand, &t->scope, &t->terms) ||
	    decisions_signer(c, cand, &t->terms.have_signer, t->terms.signer) || mandates_valid(m, one, &t->valid) ||
	    approval_standing_outside(&one->terms, &t->terms, t->scope.not_before))
		return false;
	if (t->asked.quorum > t->valid.need)
		t->valid.need = t->asked.quorum;
	return t->valid.n >= t->valid.need;
}

/* The scope stands in the row first, as if it had been proposed: what the warden is told is made from there. */
static void
ask(struct mandates *m, struct db_candidate *cand, const struct mandate *one, const struct trial *t)
{
	struct control *c = m->c;
	if (reviews_is_asked(c->reviews, cand->id))
		return; /* under another: the row has that one's scope */
	const struct db_scope was = cand->scope;
	bool had = cand->have_scope;
	cand->have_scope = true;
	cand->scope = t->scope;
	int err = db_candidate_update(c->db, cand, cand->state);
	if (!err)
		err = reviews_issue(c->reviews, cand, &t->valid, NULL, "");
	if (err) { /* the warden or the log is away: the next minute comes by */
		if (err != FG_EAGAIN)
			oplog(OPLOG_WARNING, "a release under %s could not be asked for: %s", one->terms.review, err_name(err));
		cand->have_scope = had;
		cand->scope = was;
		(void)db_candidate_update(c->db, cand, cand->state);
		return;
	}
	unsigned at = m->tried_n++ % MANDATES_TRIED;
	m->tried[at].candidate = cand->id;
	m->tried[at].mandate = one->row.id;
}

void
mandates_try(struct mandates *m, uint64_t candidate)
{
	struct control *c = m->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct trial *t = calloc(1, sizeof *t);
	struct db_resource res;
	uint32_t have = 0, need = 0;
	bool open = m->n && cand && t && c->warden && c->warden_listed && control_permits(c) && replay_done(c->replay) &&
	    db_candidate_get(c->db, candidate, cand) == FG_OK && candidates_is(cand, LIFECYCLE_REVIEW) && cand->have_report &&
	    db_resource_get(c->db, cand->resource, &res) == FG_OK;
	/* Where somebody has signed already, people are deciding. */
	if (open && cand->have_scope)
		reviews_count(c, cand, &have, &need);
	for (size_t i = 0; open && !have && i < m->n; i++) {
		const struct mandate *one = m->one[i];
		if (was_tried(m, candidate, one->row.id) || !covers(m, cand, &res, one, t))
			continue;
		ask(m, cand, one, t);
		break;
	}
	free(t);
	free(cand);
}

void
mandates_look(struct mandates *m)
{
	bool any = false;
	for (size_t i = 0; i < m->n; i++)
		any |= m->one[i]->row.state == DB_MANDATE_EFFECTIVE && !mandates_is_over(m, m->one[i]);
	struct candidates_ids *l = any ? candidates_in(m->c, LIFECYCLE_REVIEW) : NULL;
	for (size_t i = 0; l && i < l->n; i++)
		mandates_try(m, l->id[i]);
	free(l);
}

void
mandates_tick(struct mandates *m)
{
	if (!m->begins || m->begins > timekeep_earliest(m->c))
		return;
	m->begins = 0;
	mandates_look(m);
}

/* ---- for showing ---- */

void
mandates_put_of(const struct mandates *m, const struct db_candidate *cand, struct jsonw *j, const char *key)
{
	const struct release *r = cand->have_release ? releases_record(m->c->releases, cand->release) : NULL;
	const char *name = NULL;
	for (size_t i = 0; r && r->by_standing && i < m->n; i++)
		if (memcmp(m->one[i]->key, r->standing, sizeof r->standing) == 0)
			name = m->one[i]->terms.review;
	if (r && r->by_standing)
		jsonw_kcstr(j, key, name ? name : "one that is not known here any more");
	else
		jsonw_knull(j, key);
}
