/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/decisions.h"

#include <stdlib.h>

#include "crypto/err.h"
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

static int
fill(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct decisions_told *t)
{
	_Static_assert(EVIDENCE_LIST_MAX >= DB_LIST_MAX, "groups and versions of a scope fit");
	int err = db_resource_get(c->db, cand->resource, &t->res);
	if (err)
		return err;
	t->u = (struct evidence_update){
		.product = t->res.product,
		.target = t->res.target,
		.from = t->res.from,
		.image = cand->image,
		.policy = p->digest,
		.arrived = cand->arrived,
		.refused = refusals_meets(c->refusals, cand, r, t->refused) ? t->refused : NULL,
		.scoped = scope != NULL,
	};
	for (uint32_t i = 0; scope && i < scope->groups_n; i++)
		t->u.group[t->u.groups_n++] = scope->groups[i];
	for (uint32_t i = 0; scope && i < scope->from_n; i++)
		t->u.versions[t->u.versions_n++] = scope->from[i];
	return evidence_make(r, policies_config(c->policies), p->profile, &t->u, &t->e);
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
	int err = decisions_tell(c, cand, r, p, NULL, &t);
	if (!err)
		decide(&t->e.decide, p->profile, control_now(c), decisions_clock_sure(c), ret);
	free(t);
	return err;
}

int
decisions_rules(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct rules_result *ret)
{
	const struct config *f = policies_config(c->policies);
	struct decisions_told *t = NULL;
	int err = decisions_tell(c, cand, r, p, scope, &t);
	if (!err)
		rules_decide(f->rules, f->rules_n, &f->raise, &t->e.rules, control_now(c), ret);
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
decisions_stored(struct control *c, const struct db_candidate *cand, struct decide_result *ret)
{
	struct report *r = NULL;
	const struct policy *p = policies_find(c->policies, cand->profile);
	int err = p && cand->have_report ? decisions_report(c, cand->report, &r) : FG_ENOTFOUND;
	if (!err)
		err = decisions_make(c, cand, r, p, ret);
	report_free(r);
	return err;
}
