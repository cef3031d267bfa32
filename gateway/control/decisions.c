/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/decisions.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "gateway/control/candidates.h"
#include "gateway/control/control_private.h"
#include "policy/evidence.h"

bool
decisions_clock_sure(struct control *c)
{
	/* No latest time is kept here: the log's is asked, and people can overrule that one. */
	return timekeep_is_sure(c) && control_now(c) >= people_genesis(c->people)->set.time - DECIDE_SKEW;
}

/* ---- what policy is told ---- */

struct decisions_told { /* evidence, and what it points to */
	struct evidence e;
	struct evidence_update u;
	struct db_resource res;
	char refused[REFUSALS_SENTENCE_MAX];
};

/* ---- deltas ---- */

struct step {
	struct control *c;
	const struct db_candidate *cand;
	struct db_resource resource, other;
	uint64_t last; /* of this page */
	unsigned n;
	void (*each)(void *arg, const struct db_candidate *other, enum decisions_other what);
	void *arg;
};

/* One version from one; where a URL does not say from which, from any. */
static bool
is_same_step(const struct db_resource *a, const struct db_resource *b)
{
	bool from = !a->from[0] || !b->from[0] || strcmp(a->from, b->from) == 0;
	return from && strcmp(a->target, b->target) == 0;
}

static bool
waits_or_stands(const struct db_candidate *cand)
{
	return candidates_is(cand, LIFECYCLE_JUDGING) || candidates_is(cand, LIFECYCLE_REVIEW) ||
	    candidates_is(cand, LIFECYCLE_APPROVED) || candidates_is(cand, LIFECYCLE_EXPIRED);
}

static int
look_at_step(void *arg, const struct db_candidate *other)
{
	struct step *s = arg;
	struct report *r = NULL;
	s->last = other->id;
	s->n++;
	if (other->id == s->cand->id || !other->have_report || !waits_or_stands(other))
		return 0;
	int err = db_resource_get(s->c->db, other->resource, &s->other);
	if (err || strcmp(s->other.target, s->resource.target) != 0)
		return err;
	err = decisions_report(s->c, other->report, &r);
	/* Lost or damaged it says nothing for anybody; one that cannot be read now may say everything. */
	if (err)
		return err == FG_ENOTFOUND || err == FG_EFORMAT ? 0 : err;
	bool delta = report_is_delta(r) || r->have_delta;
	if (!delta && report_verified(r) > 0 && report_verdict(r) != REPORT_BLOCKED)
		s->each(s->arg, other, DECISIONS_FULL);
	if (delta && is_same_step(&s->other, &s->resource) && memcmp(other->image, s->cand->image, sizeof other->image))
		s->each(s->arg, other, r->have_delta && r->delta.have_target ? DECISIONS_SECOND_SEEN : DECISIONS_SECOND);
	report_free(r);
	return 0;
}

int
decisions_others(struct control *c, const struct db_candidate *cand,
    void (*each)(void *arg, const struct db_candidate *other, enum decisions_other what), void *arg)
{
	struct step *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	*s = (struct step){ .c = c, .cand = cand, .each = each, .arg = arg };
	int err = db_resource_get(c->db, cand->resource, &s->resource);
	struct db_candidate_filter filter = { .profile = cand->profile, .product = s->resource.product };
	/* All of them: what one page leaves out would be nobody's second. */
	for (bool more = true; !err && more; filter.after = s->last) {
		s->n = 0;
		err = db_candidate_list(c->db, &filter, look_at_step, s);
		more = s->n == DB_PAGE_MAX;
	}
	free(s);
	return err;
}

static void
note_other(void *arg, const struct db_candidate *other, enum decisions_other what)
{
	struct decide_facts *f = arg;
	(void)other;
	f->full_held |= what == DECISIONS_FULL;
	f->only_one &= what == DECISIONS_FULL;
}

/* What the store has to say of a delta that nobody saw through. */
static int
delta_facts(struct control *c, const struct db_candidate *cand, struct decide_facts *f)
{
	if (f->whole || f->target_seen)
		return FG_OK;
	f->only_one = true;
	int err = decisions_others(c, cand, note_other, f);
	if (err)
		f->full_held = f->only_one = false;
	return err;
}

static int
fill(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct decisions_told *t)
{
	_Static_assert(EVIDENCE_LIST_MAX >= DB_LIST_MAX, "groups and versions of a scope fit");
	bool refused = false;
	int err = db_resource_get(c->db, cand->resource, &t->res);
	if (!err)
		err = refusals_meets(c->refusals, cand, r, &refused, t->refused);
	if (err)
		return err;
	t->u = (struct evidence_update){
		.product = t->res.product,
		.target = t->res.target,
		.from = t->res.from,
		.image = cand->image,
		.policy = p->digest,
		.arrived = cand->arrived,
		.now = control_now(c),
		.attested = attests_count(c->attests, cand->image, t->res.target),
		.refused = refused ? t->refused : NULL,
		.scoped = scope != NULL,
	};
	for (uint32_t i = 0; scope && i < scope->groups_n; i++)
		t->u.group[t->u.groups_n++] = scope->groups[i];
	for (uint32_t i = 0; scope && i < scope->from_n; i++)
		t->u.versions[t->u.versions_n++] = scope->from[i];
	err = evidence_make(r, policies_config(c->policies), p->profile, &t->u, &t->e);
	if (!err)
		err = delta_facts(c, cand, &t->e.decide);
	t->u.full_held = t->e.decide.full_held;
	t->u.only_one = t->e.decide.only_one;
	return err;
}

int
decisions_tell(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct decisions_told **ret)
{
	struct decisions_told *t = calloc(1, sizeof *t);
	int err = t ? fill(c, cand, r, p, scope, t) : FG_ENOMEM;
	if (err)
		free(t);
	else
		*ret = t;
	return err;
}

const struct evidence *
decisions_evidence(const struct decisions_told *t)
{
	return &t->e;
}

const struct evidence_update *
decisions_update(const struct decisions_told *t)
{
	return &t->u;
}

int
decisions_make(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    struct decide_result *ret)
{
	struct decisions_told *t = NULL;
	struct hook_said *said = calloc(1, sizeof *said);
	int err = said ? decisions_tell(c, cand, r, p, NULL, &t) : FG_ENOMEM;
	if (!err) {
		decide(&t->e.decide, p->profile, control_now(c), decisions_clock_sure(c), ret);
		hooks_said(c, cand, said);
		hook_tighten_fixed(said, ret);
	}
	free(said);
	free(t);
	return err;
}

int
decisions_rules(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct rules_result *ret)
{
	const struct config *f = policies_config(c->policies);
	struct decisions_told *t = NULL;
	struct hook_said *said = calloc(1, sizeof *said);
	int err = said ? decisions_tell(c, cand, r, p, scope, &t) : FG_ENOMEM;
	if (!err) {
		rules_decide(f->rules, f->rules_n, &f->raise, &t->e.rules, control_now(c), ret);
		hooks_said(c, cand, said);
		hook_tighten_rules(said, ret);
	}
	free(said);
	free(t);
	return err;
}

/* ---- of what is stored ---- */

int
decisions_report(struct control *c, const uint8_t digest[DIGEST_SHA256_LEN], struct report **ret)
{
	struct report_refusal why;
	struct writer w;
	struct report *r = report_new(REPORT_WHOLE);
	writer_init(&w, REPORT_MAX);
	int err = r ? files_doc_get(c->files, FILES_REPORT, digest, &w) : FG_ENOMEM;
	if (!err)
		err = report_parse(writer_view(&w), REPORT_WHOLE, r, &why);
	writer_free(&w);
	if (err) {
		report_free(r);
		return err;
	}
	*ret = r;
	return FG_OK;
}

int
decisions_signer(struct control *c, const struct db_candidate *cand, bool *ret_have, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct report *r = NULL;
	bool have = false, several = false;
	int err = decisions_report(c, cand->report, &r);
	for (unsigned i = 0; !err && i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		if (s->outcome != SIG_VERIFIED || s->where[0])
			continue;
		several |= !s->signer.have_spki || (have && memcmp(ret, s->signer.spki_sha256, DIGEST_SHA256_LEN) != 0);
		memcpy(ret, s->signer.spki_sha256, DIGEST_SHA256_LEN);
		have = true;
	}
	*ret_have = have && !several;
	report_free(r);
	return err;
}

bool
decisions_unseen(struct control *c, const struct db_candidate *cand, struct decide_result *ret)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	struct report *r = NULL;
	/* Under any other rule it never came before people. */
	if (!p || p->profile->deltas.unseen == PROFILE_UNSEEN_HOLD || !cand->have_report)
		return false;
	int err = decisions_report(c, cand->report, &r);
	if (!err)
		err = decisions_make(c, cand, r, p, ret);
	report_free(r);
	if (!err)
		return ret->unseen;
	/* It may be one: then nobody signs for it until that can be told. */
	*ret = (struct decide_result){ .verdict = DECIDE_HOLD, .unseen = true, .persons_min = DECIDE_UNSEEN_PERSONS };
	return true;
}
