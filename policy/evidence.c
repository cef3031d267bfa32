/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/format.h"
#include "images/story.h"

/* ---- for the fixed checks ---- */

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

static int
fixed(const struct report *r, const struct profile *p, const struct evidence_update *u, struct decide_finding *list,
    struct decide_facts *f)
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
		.same_image = r->have_image && u->image && !memcmp(r->sha256, u->image, sizeof r->sha256),
		.same_policy = r->inputs.have_profile && u->policy &&
		    !memcmp(r->inputs.profile_sha256, u->policy, sizeof r->inputs.profile_sha256),
		.refused = u->refused,
		.finding = list,
	};
	if (u->image)
		memcpy(f->image, u->image, sizeof f->image);
	f->whole = r->have_image && !r->have_delta && !report_is_delta(r) &&
	    (profile_delta_format(p) == FORMAT_NONE || r->format != FORMAT_RAW);
	f->target_seen = r->have_delta && r->delta.have_target;
	f->target_proved = f->target_seen && report_delta_proved(r);
	f->attested = u->attested;
	f->full_held = u->full_held;
	f->only_one = u->only_one;
	best_signature(r, p, f);
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (r->findings[i].count)
			list[f->findings_n++] = (struct decide_finding){ finding_get(i)->id, severity(r->findings[i].severity) };
	return FG_OK;
}

/* ---- for rules ---- */

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
direction(const struct profile *p, const struct evidence_update *u, const struct report *r)
{
	enum rules_direction worst = RULES_UP;
	if (!u->scoped && u->from[0])
		worst = step(p, u->from, u->target);
	for (unsigned i = 0; u->scoped && i < u->versions_n; i++) {
		enum rules_direction d = step(p, u->versions[i], u->target);
		worst = d < worst ? d : worst;
	}
	return report_has(r, FINDING_META_DOWNGRADE) && worst > RULES_DOWN ? RULES_DOWN : worst;
}

static enum rules_delta
delta(const struct report *r)
{
	if (r->have_delta && r->delta.result.outcome == DELTA_APPLIED)
		return report_delta_proved(r) ? RULES_DELTA_PROVED : RULES_DELTA_RECONSTRUCTED;
	/* To a rule that asks for none, what merely holds one is as bad. */
	bool is = r->have_delta || report_is_delta(r) || report_has(r, FINDING_FMT_DELTA);
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

unsigned
evidence_opened(const struct report *r)
{
	struct rules_facts f = { .reviewable = 0 };
	changes(r, &f);
	return f.reviewable;
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
	/* What is mild may have been cut out of a long report: nobody can say that it is not there. */
	bool cut = report_has(r, FINDING_REPORT_CUT);
	f->worst = f->complete ? RULES_NO_FINDING : RULES_BLOCK;
	for (unsigned i = 0; i < FINDING_LIMIT; i++) {
		const struct report_finding *x = &r->findings[i];
		f->finding[i] = x->count > 0 || (cut && finding_get(i)->least <= FINDING_NOTICE);
		if (x->count > 0 && rules_severity_of(x->severity) < f->worst)
			f->worst = rules_severity_of(x->severity);
	}
}

static void
ruled(const struct report *r, const struct config *c, const struct profile *p, const struct evidence_update *u,
    struct evidence *e)
{
	const struct config_supplier *s = config_supplier(c, view_str(p->supplier));
	const struct rules_security *mark = rules_security_of(c->security_updates, c->security_updates_n, p->name, u->product,
	    u->target);
	for (unsigned i = 0; i < u->groups_n; i++)
		e->group[i] = u->group[i];
	e->words.n = 0;
	if (s)
		supplier_words(c, s, u->now, &e->words);
	for (unsigned i = 0; i < e->words.n; i++)
		e->word[i] = e->words.word[i];
	e->rules = (struct rules_facts){
		.supplier = p->supplier,
		.profile = p->name,
		.product = u->product,
		.format = r->have_image ? format_name(r->format) : NULL,
		.country = s ? s->country : NULL,
		.word = e->word,
		.word_n = e->words.n,
		.complete = e->decide.complete,
		.signature = e->decide.signature,
		.signer = signer(r),
		.direction = direction(p, u, r),
		.delta = delta(r),
		.attested = u->attested,
		.covered = left(e->decide.unsigned_bytes, r->size),
		.size = r->size,
		.first_seen = u->arrived,
		.vendor_date = vendor_date(r),
		.security = mark ? mark->reason : NULL,
		.reach = u->scoped ? RULES_REACH_NAMED : RULES_REACH_NOBODY,
		.group = e->group,
		.group_n = u->scoped ? u->groups_n : 0,
	};
	put_findings(r, &e->rules);
	changes(r, &e->rules);
}

int
evidence_make(const struct report *r, const struct config *c, const struct profile *p, const struct evidence_update *u,
    struct evidence *ret)
{
	int err = fixed(r, p, u, ret->finding, &ret->decide);
	if (!err)
		ruled(r, c, p, u, ret);
	return err;
}

/* ---- what comes of them ---- */

/* Whether the fixed checks themselves let it before people: that the hook has not answered yet is no word of theirs. */
static bool
passes(const struct decide_result *fixed)
{
	return fixed->verdict == DECIDE_REVIEW || (fixed->verdict == DECIDE_HOLD && fixed->reasons_n == 1 &&
	    fixed->because[0].reason == DECIDE_HOOK_UNANSWERED);
}

enum decide_verdict
evidence_verdict(const struct decide_result *fixed, const struct rules_result *rules)
{
	return passes(fixed) && rules->outcome == RULES_DENY ? DECIDE_DENY : fixed->verdict;
}

void
evidence_describe(const struct decide_result *fixed, const struct rules_result *rules, char out[RULES_SENTENCE_MAX])
{
	if (fixed->verdict != DECIDE_REVIEW && fixed->reasons_n && !(passes(fixed) && rules->outcome == RULES_DENY))
		snprintf(out, RULES_SENTENCE_MAX, "%s", fixed->because[0].sentence);
	else
		rules_describe(rules, out);
}
