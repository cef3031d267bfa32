/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests_policy - a decision in the open: what went in, each rule in its order, what came out; and what another
 * configuration would make of the same. Decides nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/decisions.h"
#include "gateway/control/requests_private.h"
#include "images/report_terms.h"
#include "policy/evidence.h"
#include "policy/rules_doc.h"
#include "policy/rules_tell.h"
#include "policy/scope.h"

struct explaining {
	struct control *c;
	const struct db_candidate *cand;
	const struct policy *policy;
	struct report *report;
	struct decisions_told *told;
	struct decide_result fixed;
	struct rules_result rules;
	struct hook_said hook;
	enum scope_kind kind;
	uint32_t floor; /* of genesis, for as many modules */
	int64_t now;
};

/* Rows of one answer to what-if: control is then kept no longer than by as many explanations. */
#define WHATIF_REVIEWS 8
#define WHATIF_ROWS 256 /* looked at for them */
/* So many at a stretch, for whoever asks: the pages of 480 reviews. Then one a second, as control has more to do. */
#define WHATIF_CALLS 60
#define WHATIF_EACH_MS 1000

/* What the fixed checks say, which come first. */
static void
put_fixed(struct jsonw *j, const struct decide_result *d)
{
	jsonw_key(j, "fixed");
	jsonw_object(j);
	jsonw_key(j, "reasons");
	jsonw_array(j);
	for (unsigned i = 0; i < d->reasons_n; i++) {
		jsonw_object(j);
		jsonw_kcstr(j, "id", decide_reason_id(d->because[i].reason));
		jsonw_kcstr(j, "sentence", d->because[i].sentence);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
	jsonw_kcstr(j, "verdict", decide_verdict_name(d->verdict));
	jsonw_object_end(j);
}

/* What the decision hook said of this report, in its own words made visible. */
static void
put_hook(struct jsonw *j, const struct explaining *x)
{
	const struct hook_answer *a = &x->hook.answer;
	bool answered = x->hook.state == HOOK_ANSWERED;
	jsonw_key(j, "hook");
	if (x->hook.state == HOOK_NONE) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	requests_put_digest(j, "answer", answered, x->cand->hook, sizeof x->cand->hook);
	jsonw_kcstr(j, "outcome", answered ? hook_outcome_name(a->outcome) : "unanswered");
	jsonw_khex(j, "program", hooks_program(x->c), DIGEST_SHA256_LEN);
	jsonw_kuint(j, "quorum", answered ? a->quorum : 0);
	jsonw_key(j, "reasons");
	jsonw_array(j);
	for (unsigned i = 0; answered && i < a->reasons_n; i++)
		jsonw_cstr(j, a->reason[i]);
	jsonw_array_end(j);
	jsonw_object_end(j);
}

static void
put_scope(struct jsonw *j, const struct db_candidate *cand)
{
	jsonw_key(j, "scope");
	if (!cand->have_scope) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_key(j, "from");
	jsonw_array(j);
	for (uint32_t i = 0; i < cand->scope.from_n; i++)
		requests_add_text(j, cand->scope.from[i]);
	jsonw_array_end(j);
	jsonw_key(j, "groups");
	jsonw_array(j);
	for (uint32_t i = 0; i < cand->scope.groups_n; i++)
		requests_add_text(j, cand->scope.groups[i]);
	jsonw_array_end(j);
	jsonw_kuint(j, "max_devices", cand->scope.max_devices);
	jsonw_object_end(j);
}

/* What no report says. */
static void
put_update(struct jsonw *j, const struct evidence_update *u)
{
	jsonw_key(j, "update");
	jsonw_object(j);
	requests_put_time(j, "arrived", u->arrived);
	jsonw_kuint(j, "attested", u->attested);
	requests_put_text(j, "from", u->from);
	jsonw_kbool(j, "full_held", u->full_held);
	jsonw_kbool(j, "only_one", u->only_one);
	requests_put_text(j, "product", u->product);
	/* People's words, and cut anywhere. */
	if (u->refused)
		requests_put_text(j, "refused", u->refused);
	else
		jsonw_knull(j, "refused");
	requests_put_text(j, "target", u->target);
	jsonw_object_end(j);
}

static int
put(struct jsonw *j, const struct explaining *x)
{
	const struct config *f = policies_config(x->c->policies);
	const struct rules_result *r = &x->rules;
	const struct evidence *e = decisions_evidence(x->told);
	char sentence[RULES_SENTENCE_MAX];
	uint32_t have = 0, asked = 0, need = rules_quorum(r, x->kind, x->policy->profile, x->floor);
	reviews_count(x->c, x->cand, &have, &asked);
	requests_put_time(j, "at", x->now);
	jsonw_kbool(j, "clock_sure", decisions_clock_sure(x->c));
	jsonw_kcstr(j, "decision", decide_verdict_name(evidence_verdict(&x->fixed, r)));
	requests_put_time(j, "earliest", r->earliest);
	jsonw_kcstr(j, "earliest_why", r->earliest_why);
	jsonw_key(j, "facts");
	rules_doc_put(j, &e->rules, decisions_update(x->told)->target, x->now);
	put_fixed(j, &x->fixed);
	jsonw_kuint(j, "floor", x->floor);
	jsonw_kuint(j, "have", have);
	put_hook(j, x);
	requests_put_review(j, "id", x->cand->id);
	requests_put_digest(j, "image", x->cand->have_image, x->cand->image, sizeof x->cand->image);
	requests_put_digest(j, "judged_policy", x->cand->have_policy, x->cand->policy, sizeof x->cand->policy);
	jsonw_kcstr(j, "kind", x->kind == SCOPE_CANARY ? "canary" : "production");
	if (need == SCOPE_QUORUM_NEVER)
		jsonw_knull(j, "need");
	else
		jsonw_kuint(j, "need", need);
	jsonw_kcstr(j, "outcome", rules_outcome_name(r->outcome));
	jsonw_khex(j, "policy", x->policy->digest, sizeof x->policy->digest);
	requests_put_text(j, "profile", x->cand->profile);
	jsonw_kuint(j, "quorum", r->quorum);
	jsonw_kuint(j, "raise", r->raise);
	jsonw_kcstr(j, "raised_by", r->raise ? finding_get(r->raised_by)->id : "");
	jsonw_khex(j, "report", x->cand->report, sizeof x->cand->report);
	jsonw_kcstr(j, "rule", rules_decider(r));
	jsonw_key(j, "rules");
	int err = rules_tell_put(j, f->rules, f->rules_n, &e->rules, x->now);
	if (err)
		return err;
	evidence_describe(&x->fixed, r, sentence);
	requests_put_text(j, "says", sentence);
	put_scope(j, x->cand);
	requests_put_text(j, "state", x->cand->state);
	jsonw_kuint(j, "time_lock", (uint64_t)r->time_lock);
	put_update(j, decisions_update(x->told));
	return FG_OK;
}

/* How many there are to serve: with the other releases of the image, as warden and standing count. */
static void
count_modules(struct explaining *x)
{
	const struct genesis *g = people_genesis(x->c->people);
	struct approval_delta made;
	uint32_t modules = REVIEWS_EVERYONE;
	report_terms_delta(x->report, &made);
	if (x->cand->have_scope)
		modules = releases_modules_with(x->c->releases, x->cand->image, &made, x->cand->scope.max_devices,
		    !candidates_is(x->cand, LIFECYCLE_REVIEW));
	x->kind = scope_kind_of(modules, g->canary_max);
	x->floor = genesis_floor(g, modules);
}

/* By the policy in force, for the scope that stands or the smallest there can be. */
static int
decide_again(struct explaining *x)
{
	struct control *c = x->c;
	const struct config *f = policies_config(c->policies);
	int err = decisions_report(c, x->cand->report, &x->report);
	if (!err)
		err = decisions_tell(c, x->cand, x->report, x->policy, x->cand->have_scope ? &x->cand->scope : NULL, &x->told);
	if (err)
		return err;
	const struct evidence *e = decisions_evidence(x->told);
	decide(&e->decide, x->policy->profile, x->now, decisions_clock_sure(c), &x->fixed);
	rules_decide(f->rules, f->rules_n, &f->raise, &e->rules, x->now, &x->rules);
	hooks_said(c, x->cand, &x->hook);
	hook_tighten_fixed(&x->hook, &x->fixed);
	hook_tighten_rules(&x->hook, &x->rules);
	count_modules(x);
	return FG_OK;
}

static void
answer(struct explaining *x, struct call *call)
{
	struct call_doc d;
	int err = decide_again(x);
	if (!err) {
		call_doc_begin(&d);
		err = put(&d.j, x);
		if (!err)
			call_doc_end(call, &d, CALL_DONE);
		else
			writer_free(&d.w);
	}
	if (err)
		call_fail_err(call, err);
}

void
requests_policy_explain(struct control *c, struct call *call)
{
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return;
	const struct policy *p = policies_find(c->policies, cand->profile);
	struct explaining *x = calloc(1, sizeof *x);
	if (!x) {
		call_fail_err(call, FG_ENOMEM);
	} else if (!cand->have_report || !p) {
		call_fail(call, CALL_REFUSED, "STATE", p ? "wait for it to be judged" : "configure its profile again",
		    p ? "the review is %s and has no report" : "the review is %s, and its profile is not configured any more",
		    cand->state);
	} else {
		*x = (struct explaining){ .c = c, .cand = cand, .policy = p, .now = control_now(c) };
		answer(x, call);
		report_free(x->report);
		free(x->told);
	}
	free(x);
	free(cand);
}

/* ---- what another configuration would make of it ---- */

struct verdict {
	enum decide_verdict decision;
	uint32_t need;    /* SCOPE_QUORUM_NEVER: nobody can sign enough */
	int64_t earliest; /* 0: any */
	char rule[PROFILE_WORD_MAX + 1], says[RULES_SENTENCE_MAX];
};

struct trying {
	struct control *c;
	const struct config *then;
	struct jsonw *j;
	uint64_t last;  /* row that was looked at */
	unsigned rows, judged, same, unjudged;
	bool full;      /* the rest is for the next call */
};

static struct verdict
verdict_of(const struct decide_result *d, const struct rules_result *r, uint32_t need)
{
	struct verdict v = { .decision = evidence_verdict(d, r), .need = need, .earliest = r->earliest };
	snprintf(v.rule, sizeof v.rule, "%s", rules_decider(r));
	evidence_describe(d, r, v.says);
	return v;
}

/* A profile that the other configuration has not judges nothing. */
static int
judge_then(const struct config *then, const struct explaining *x, struct verdict *ret)
{
	const struct profile *p = config_profile(then, view_str(x->cand->profile));
	struct evidence *e = calloc(1, sizeof *e);
	struct decide_result *d = calloc(1, sizeof *d);
	struct rules_result *r = calloc(1, sizeof *r);
	struct evidence_update u = *decisions_update(x->told);
	int err = e && d && r ? FG_OK : FG_ENOMEM;
	/* It would be judged again by then: that the report is of the policy of before is no reason. */
	u.policy = x->report->inputs.profile_sha256;
	*ret = (struct verdict){ .decision = DECIDE_HOLD, .need = SCOPE_QUORUM_NEVER, .rule = "none",
		.says = "its profile is not configured" };
	if (!err && p)
		err = evidence_make(x->report, then, p, &u, e);
	if (!err && p) {
		decide(&e->decide, p, x->now, decisions_clock_sure(x->c), d);
		rules_decide(then->rules, then->rules_n, &then->raise, &e->rules, x->now, r);
		/* Its hook is not run for a question: where it has one, too, the answer that is kept stands for it. */
		if (then->hook.program[0]) {
			hook_tighten_fixed(&x->hook, d);
			hook_tighten_rules(&x->hook, r);
		}
		*ret = verdict_of(d, r, rules_quorum(r, x->kind, p, x->floor));
	}
	free(r);
	free(d);
	free(e);
	return err;
}

static bool
differ(const struct verdict *a, const struct verdict *b)
{
	if (a->decision != b->decision || strcmp(a->rule, b->rule) != 0)
		return true;
	return a->decision != DECIDE_DENY && (a->need != b->need || a->earliest != b->earliest);
}

static void
put_verdict(struct jsonw *j, const char *key, const struct verdict *v)
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_kcstr(j, "decision", decide_verdict_name(v->decision));
	requests_put_time(j, "earliest", v->earliest);
	if (v->need == SCOPE_QUORUM_NEVER)
		jsonw_knull(j, "need");
	else
		jsonw_kuint(j, "need", v->need);
	jsonw_kcstr(j, "rule", v->rule);
	requests_put_text(j, "says", v->says);
	jsonw_object_end(j);
}

static int
try_one(struct trying *t, struct explaining *x)
{
	struct verdict then;
	int err = decide_again(x);
	if (!err)
		err = judge_then(t->then, x, &then);
	if (err)
		return err;
	struct verdict now = verdict_of(&x->fixed, &x->rules, rules_quorum(&x->rules, x->kind, x->policy->profile, x->floor));
	if (!differ(&now, &then)) {
		t->same++;
		return FG_OK;
	}
	jsonw_object(t->j);
	put_verdict(t->j, "now", &now);
	requests_put_text(t->j, "product", decisions_update(x->told)->product);
	requests_put_text(t->j, "profile", x->cand->profile);
	requests_put_review(t->j, "review", x->cand->id);
	requests_put_text(t->j, "state", x->cand->state);
	requests_put_text(t->j, "target", decisions_update(x->told)->target);
	put_verdict(t->j, "then", &then);
	jsonw_object_end(t->j);
	return FG_OK;
}

/* What could be let through, or is. */
static bool
matters(const struct db_candidate *cand)
{
	return candidates_is(cand, LIFECYCLE_REVIEW) || candidates_is(cand, LIFECYCLE_BLOCKED) ||
	    candidates_is(cand, LIFECYCLE_JUDGING) || candidates_is(cand, LIFECYCLE_APPROVED);
}

static int
try_row(void *arg, const struct db_candidate *cand)
{
	struct trying *t = arg;
	t->full = t->full || t->judged == WHATIF_REVIEWS;
	if (t->full)
		return 0;
	t->last = cand->id;
	t->rows++;
	if (!matters(cand))
		return 0;
	const struct policy *p = policies_find(t->c->policies, cand->profile);
	if (!cand->have_report || !p) { /* never judged, or nothing judges it: no policy changes that */
		t->unjudged++;
		return 0;
	}
	struct explaining *x = calloc(1, sizeof *x);
	if (!x)
		return FG_ENOMEM;
	*x = (struct explaining){ .c = t->c, .cand = cand, .policy = p, .now = control_now(t->c) };
	int err = try_one(t, x);
	t->judged++;
	report_free(x->report);
	free(x->told);
	free(x);
	return err;
}

static void
try_rows(struct trying *t, struct call *call)
{
	struct db_candidate_filter f = { .after = call_number(call, "after", 0), .limit = WHATIF_ROWS };
	struct call_doc d;
	call_doc_begin(&d);
	t->j = &d.j;
	jsonw_key(&d.j, "changes");
	jsonw_array(&d.j);
	int err = db_candidate_list(t->c->db, &f, try_row, t);
	jsonw_array_end(&d.j);
	if (t->full || t->rows == WHATIF_ROWS)
		jsonw_kuint(&d.j, "next", t->last);
	else
		jsonw_knull(&d.j, "next");
	jsonw_kuint(&d.j, "same", t->same);
	jsonw_kuint(&d.j, "unjudged", t->unjudged);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

/* One more is on its way; or how many seconds there are to wait. By the clock that nobody sets. */
static int64_t
whatif_wait(struct control *c)
{
	int64_t now = clock_mono_ms(c->clock), spent = c->whatif_paid > now ? c->whatif_paid - now : 0;
	int64_t over = spent - (WHATIF_CALLS - 1) * WHATIF_EACH_MS;
	if (over > 0)
		return (over + 999) / 1000;
	c->whatif_paid = now + spent + WHATIF_EACH_MS;
	return 0;
}

void
requests_policy_whatif(struct control *c, struct call *call)
{
	int64_t wait = whatif_wait(c); /* before the text: that is what costs where it is no configuration */
	if (wait > 0) {
		char cure[48];
		snprintf(cure, sizeof cure, "try again in %lld s", (long long)wait);
		call_fail(call, CALL_REFUSED, "LIMIT", cure, "too many texts are being tried");
		return;
	}
	char file[CONFIG_FILE_NAME_MAX + 1], why[CONFIG_PROBLEM_TEXT_MAX + CONFIG_FILE_NAME_MAX + 16];
	struct config *then = NULL;
	struct view text = { 0 };
	(void)call_text(call, "file", file, sizeof file);
	(void)json_string(call_arg(call, "text"), &text);
	int err = policies_try(c->policies, file, text, &then, why, sizeof why);
	if (err == FG_EFORMAT) {
		call_fail(call, CALL_REFUSED, "CONFIG", "mend the text", "%s", why);
	} else if (err == FG_EINVAL || err == FG_ELIMIT) {
		call_fail(call, CALL_USAGE, "USAGE", "fotagate.conf, profiles.d/NAME.conf or lists.d/NAME.conf",
		    err == FG_EINVAL ? "no file of a configuration is called that" : "there are as many files as there may be");
	} else if (err) {
		call_fail_err(call, err);
	} else {
		struct trying t = { .c = c, .then = then };
		try_rows(&t, call);
	}
	config_free(then);
}
