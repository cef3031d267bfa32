/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/decisions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/candidates.h"
#include "gateway/control/control_private.h"
#include "images/format.h"
#include "images/story.h"
#include "policy/scope.h"
#include "policy/supplier.h"

bool
decisions_clock_sure(struct control *c)
{
	/* No latest time is kept here: the log's is asked, and people can overrule that one. */
	return timekeep_is_sure(c) && control_now(c) >= people_genesis(c->people)->set.time - DECIDE_SKEW;
}

/* ---- what policy is told ---- */

static enum decide_severity
severity(enum finding_severity s)
{
	switch (s) {
	case FINDING_INFO:
		return DECIDE_INFO;
	case FINDING_NOTICE:
		return DECIDE_NOTICE;
	case FINDING_WARNING:
		return DECIDE_WARNING;
	default:
		return DECIDE_BLOCK;
	}
}

static bool
stage_failed(const struct report *r)
{
	for (unsigned i = FINDING_INSPECT_CRASHED; i <= FINDING_INSPECT_TRAILING; i++)
		if (r->findings[i].count)
			return true;
	return false;
}

/* The best signature of the image itself; a verified one of the profile's scheme before any other. */
static void
best_signature(const struct report *r, const struct profile *p, struct decide_facts *f)
{
	f->signature = r->have_image ? SIG_ABSENT : SIG_UNKNOWN;
	bool first = true;
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		bool match = profile_scheme_matches(p, r->format, s);
		if (s->where[0] != '\0')
			continue;
		if (first || s->outcome > f->signature || (s->outcome == f->signature && match && !f->scheme_matches)) {
			f->signature = s->outcome;
			f->scheme_matches = match;
		}
		first = false;
	}
	/* One that is bad spoils the rest: it is evidence of tampering, not a missing one. */
	for (unsigned i = 0; i < r->signatures.n; i++)
		if (r->signatures.result[i].where[0] == '\0' &&
		    (r->signatures.result[i].outcome == SIG_INVALID || r->signatures.result[i].outcome == SIG_REVOKED))
			f->signature = r->signatures.result[i].outcome;
}

/* ---- deltas ---- */

/* Candidates of the same product that lead to the same version. */
struct step {
	struct control *c;
	const struct db_candidate *cand;
	struct db_resource resource, other;
	bool full_held, second;
	uint64_t last; /* of this page */
	unsigned n;
};

bool
decisions_same_step(const struct db_resource *a, const struct db_resource *b)
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
	if (err)
		return err == FG_ENOMEM ? err : 0; /* without a report it says nothing for anybody */
	bool delta = report_is_delta(r) || r->have_delta;
	if (!delta && report_verified(r) > 0 && report_verdict(r) != REPORT_BLOCKED)
		s->full_held = true;
	if (delta && decisions_same_step(&s->other, &s->resource) && memcmp(other->image, s->cand->image, sizeof other->image))
		s->second = true;
	report_free(r);
	return 0;
}

static int
delta_facts(struct control *c, const struct report *r, const struct db_candidate *cand, const struct profile *p,
    struct decide_facts *f)
{
	f->whole = r->have_image && !r->have_delta && !report_is_delta(r) &&
	    (profile_delta_format(p) == FORMAT_NONE || r->format != FORMAT_RAW);
	f->target_seen = r->have_delta && r->delta.have_target;
	if (f->whole || f->target_seen)
		return FG_OK;
	struct step *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	*s = (struct step){ .c = c, .cand = cand };
	int err = db_resource_get(c->db, cand->resource, &s->resource);
	struct db_candidate_filter filter = { .profile = cand->profile, .product = s->resource.product };
	/* All of them: what one page leaves out would be nobody's second. */
	for (bool more = true; !err && more; filter.after = s->last) {
		s->n = 0;
		err = db_candidate_list(c->db, &filter, look_at_step, s);
		more = s->n == DB_PAGE_MAX;
	}
	f->full_held = s->full_held;
	f->only_one = !err && !s->second;
	free(s);
	return err;
}

static int
facts(const struct report *r, const struct db_candidate *cand, const struct policy *p,
    struct decide_finding *list, struct decide_facts *f)
{
	static const enum decide_class classes[] = { [REPORT_BLOCKED] = DECIDE_CLASS_BLOCKED,
		[REPORT_REVIEW] = DECIDE_CLASS_REVIEW, [REPORT_ACCEPTABLE] = DECIDE_CLASS_ACCEPTABLE };
	struct coverage cover;
	uint64_t bare = 0;
	int err = report_coverage(r, &cover);
	if (!err)
		err = report_unsigned(r, &bare);
	if (err)
		return err;
	*f = (struct decide_facts){
		.complete = r->have_image && !stage_failed(r),
		.class = classes[report_verdict(r)],
		.size = r->size,
		.signed_bytes = coverage_signed(&cover),
		.structure_bytes = coverage_unsigned(&cover) - bare,
		.unsigned_bytes = bare,
		.judged_at = r->inputs.at,
		.same_image = r->have_image && !memcmp(r->sha256, cand->image, sizeof r->sha256),
		.same_policy = r->inputs.have_profile && !memcmp(r->inputs.profile_sha256, p->digest, sizeof p->digest),
		.finding = list,
	};
	memcpy(f->image, cand->image, sizeof f->image);
	best_signature(r, p->profile, f);
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (r->findings[i].count)
			list[f->findings_n++] = (struct decide_finding){ finding_get(i)->id, severity(r->findings[i].severity) };
	return FG_OK;
}

int
decisions_make(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    struct decide_result *ret)
{
	struct decide_finding list[FINDING_LIMIT];
	struct decide_facts f;
	char refused[REFUSALS_SENTENCE_MAX];
	int err = facts(r, cand, p, list, &f);
	if (!err && refusals_meets(c->refusals, cand, r, refused))
		f.refused = refused;
	if (!err)
		err = delta_facts(c, r, cand, p->profile, &f);
	if (!err)
		decide(&f, p->profile, control_now(c), decisions_clock_sure(c), ret);
	return err;
}

/* ---- what rules are told ---- */

struct told { /* facts, and what they point to */
	struct rules_facts f;
	const char *group[DB_LIST_MAX], *word[SUPPLIER_WORDS_MAX];
	struct supplier_words words;
	struct db_resource res;
};

static enum rules_signer
signer(const struct report *r)
{
	if (!r->inputs.have_history || report_has(r, FINDING_CONT_SIGNATURE_LOST))
		return RULES_SIGNER_UNKNOWN;
	if (report_has(r, FINDING_CONT_COUNTER_BACK) || report_has(r, FINDING_CONT_DATE_BACK))
		return RULES_SIGNER_BACK;
	if (report_has(r, FINDING_CONT_NEW_SIGNER))
		return RULES_SIGNER_NEW;
	if (r->inputs.history_n == 0)
		return RULES_SIGNER_FIRST;
	if (report_has(r, FINDING_CONT_WEAKER))
		return RULES_SIGNER_WEAKER;
	return report_verified(r) ? RULES_SIGNER_KEPT : RULES_SIGNER_UNKNOWN;
}

static enum rules_direction
step(const struct profile *p, const char *from, const char *target)
{
	/* Edges offer it to nobody whose version is not known to be older, unless the profile lets in what is not known. */
	if (strcmp(from, SCOPE_ANY) == 0)
		return p->unknown_version == PROFILE_HOLD ? RULES_UP : RULES_WAY_UNKNOWN;
	switch (version_compare(p->version_order, view_str(from), view_str(target))) {
	case VERSION_OLDER:
		return RULES_UP;
	case VERSION_SAME:
		return RULES_SAME;
	case VERSION_NEWER:
		return RULES_DOWN;
	case VERSION_UNKNOWN:
		break;
	}
	return RULES_WAY_UNKNOWN;
}

/* Of all steps the worst. Who proposes a scope may yet name versions, so before that it is the best there can be. */
static enum rules_direction
direction(const struct profile *p, const struct db_resource *res, const struct db_scope *scope, const struct report *r)
{
	enum rules_direction worst = RULES_UP;
	if (!scope && res->from[0])
		worst = step(p, res->from, res->target);
	for (uint32_t i = 0; scope && i < scope->from_n; i++) {
		enum rules_direction d = step(p, scope->from[i], res->target);
		worst = d < worst ? d : worst;
	}
	return report_has(r, FINDING_META_DOWNGRADE) && worst > RULES_DOWN ? RULES_DOWN : worst;
}

static enum rules_delta
delta(const struct report *r)
{
	if (r->have_delta && r->delta.result.outcome == DELTA_APPLIED)
		return report_delta_proved(r) ? RULES_DELTA_PROVED : RULES_DELTA_RECONSTRUCTED;
	bool is = r->have_delta || report_has(r, FINDING_FMT_DELTA) || format_kind(r->format) == FORMAT_KIND_DELTA;
	return is || !r->have_image ? RULES_DELTA_OPAQUE : RULES_DELTA_NONE;
}

/* What is left of a thousand when as much as part is taken away, any bit of it counting; 0 of nothing. */
static unsigned
left(uint64_t part, uint64_t whole)
{
	if (whole == 0 || part >= whole)
		return 0;
	/* In 128 bits, for a report may name any size. */
	return RULES_ALL - (unsigned)(((unsigned __int128)part * RULES_ALL + whole - 1) / whole);
}

static void
changes(const struct report *r, struct rules_facts *f)
{
	if (!r->story || !r->story->holds)
		return;
	const struct account_sum *s = &r->story->image[PAIR_NEW];
	uint64_t whole = 0;
	for (unsigned i = 0; i < ACCOUNT_CLASSES; i++)
		if (__builtin_add_overflow(whole, s->bytes[i], &whole))
			return;
	f->explained = left(s->bytes[ACCOUNT_UNEXPLAINED], whole);
	f->reviewable = left(s->bytes[ACCOUNT_UNREVIEWABLE], whole);
}

/* The youngest date that a verified signature covers; 0 without one. */
static int64_t
vendor_date(const struct report *r)
{
	int64_t date = 0;
	for (unsigned i = 0; i < r->contents.facts_n; i++) {
		const struct contents_fact *fact = &r->contents.fact[i];
		char *end = NULL;
		if (fact->id != CONTENTS_FACT_TIMESTAMP || !fact->sure)
			continue;
		long long v = strtoll(fact->value, &end, 10);
		if (end != fact->value && *end == '\0' && v > date)
			date = v;
	}
	return date;
}

static void
put_findings(const struct report *r, struct rules_facts *f)
{
	static const enum rules_severity of[FINDING_SEVERITY_LIMIT] = { [FINDING_INFO] = RULES_INFO,
		[FINDING_NOTICE] = RULES_NOTICE, [FINDING_WARNING] = RULES_WARNING, [FINDING_BLOCK] = RULES_BLOCK };
	/* What is mild may have been cut out of a long report: nobody can say that it is not there. */
	bool cut = report_has(r, FINDING_REPORT_CUT);
	f->worst = f->complete ? RULES_NO_FINDING : RULES_BLOCK;
	for (unsigned i = 0; i < FINDING_LIMIT; i++) {
		const struct report_finding *x = &r->findings[i];
		f->finding[i] = x->count > 0 || (cut && finding_get(i)->least <= FINDING_NOTICE);
		if (x->count > 0 && of[x->severity] < f->worst)
			f->worst = of[x->severity];
	}
}

static int
tell_rules(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct told *t)
{
	struct decide_finding list[FINDING_LIMIT];
	struct decide_facts known;
	const struct config_supplier *s = config_supplier(policies_config(c->policies), view_str(p->profile->supplier));
	int err = db_resource_get(c->db, cand->resource, &t->res);
	if (!err)
		err = facts(r, cand, p, list, &known);
	if (err)
		return err;
	for (uint32_t i = 0; scope && i < scope->groups_n; i++)
		t->group[i] = scope->groups[i];
	const struct config *conf = policies_config(c->policies);
	const struct rules_security *mark = rules_security_of(conf->security_updates, conf->security_updates_n, p->profile->name,
	    t->res.product, t->res.target);
	if (s)
		supplier_words(conf, s, control_now(c), &t->words);
	for (unsigned i = 0; i < t->words.n; i++)
		t->word[i] = t->words.word[i];
	t->f = (struct rules_facts){
		.supplier = p->profile->supplier,
		.profile = p->profile->name,
		.product = t->res.product,
		.format = r->have_image ? format_name(r->format) : NULL,
		.country = s ? s->country : NULL,
		.word = t->word,
		.word_n = t->words.n,
		.complete = known.complete,
		.signature = known.signature,
		.signer = signer(r),
		.direction = direction(p->profile, &t->res, scope, r),
		.delta = delta(r),
		.covered = left(known.unsigned_bytes, r->size),
		.size = r->size,
		.first_seen = cand->arrived,
		.vendor_date = vendor_date(r),
		.security = mark ? mark->reason : NULL,
		.reach = scope ? RULES_REACH_NAMED : RULES_REACH_NOBODY,
		.group = t->group,
		.group_n = scope ? scope->groups_n : 0,
	};
	put_findings(r, &t->f);
	changes(r, &t->f);
	return FG_OK;
}

int
decisions_rules(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct rules_result *ret)
{
	const struct config *f = policies_config(c->policies);
	struct told *t = calloc(1, sizeof *t);
	int err = t ? tell_rules(c, cand, r, p, scope, t) : FG_ENOMEM;
	if (!err)
		rules_decide(f->rules, f->rules_n, &f->raise, &t->f, control_now(c), ret);
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

bool
decisions_unseen(struct control *c, const struct db_candidate *cand, struct decide_result *ret)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	/* Under any other rule it never came before people. */
	if (!p || p->profile->deltas.unseen == PROFILE_UNSEEN_HOLD || !cand->have_report)
		return false;
	if (decisions_stored(c, cand, ret) == FG_OK)
		return ret->unseen;
	/* It may be one: then nobody signs for it until that can be told. */
	*ret = (struct decide_result){ .verdict = DECIDE_HOLD, .unseen = true, .persons_min = DECIDE_UNSEEN_PERSONS };
	return true;
}
