/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/visible.h"

#define DAY INT64_C(86400)

static const struct {
	const char *id;
	enum decide_verdict verdict;
} reasons[DECIDE_REASONS] = {
	[DECIDE_REASON_NONE] = { "NONE", DECIDE_DENY },
	[DECIDE_NO_REPORT] = { "NO-REPORT", DECIDE_DENY },
	[DECIDE_OTHER_IMAGE] = { "OTHER-IMAGE", DECIDE_DENY },
	[DECIDE_REFUSED] = { "REFUSED", DECIDE_DENY },
	[DECIDE_REPORT_BLOCKED] = { "REPORT-BLOCKED", DECIDE_DENY },
	[DECIDE_FINDING_BLOCKS] = { "FINDING-BLOCKS", DECIDE_DENY },
	[DECIDE_TOO_MANY_FINDINGS] = { "TOO-MANY-FINDINGS", DECIDE_DENY },
	[DECIDE_EMPTY_IMAGE] = { "EMPTY-IMAGE", DECIDE_DENY },
	[DECIDE_TOO_LARGE] = { "TOO-LARGE", DECIDE_DENY },
	[DECIDE_COVERAGE_WRONG] = { "COVERAGE-WRONG", DECIDE_DENY },
	[DECIDE_SIGNATURE_BAD] = { "SIGNATURE-BAD", DECIDE_DENY },
	[DECIDE_SIGNATURE_MISSING] = { "SIGNATURE-MISSING", DECIDE_DENY },
	[DECIDE_SIGNATURE_SCHEME] = { "SIGNATURE-SCHEME", DECIDE_DENY },
	[DECIDE_UNSIGNED_BYTES] = { "UNSIGNED-BYTES", DECIDE_DENY },
	[DECIDE_HOOK_DENIES] = { "HOOK-DENIES", DECIDE_DENY },
	[DECIDE_DELTA_SECOND] = { "DELTA-SECOND", DECIDE_HOLD },
	[DECIDE_DELTA_NOT_SEEN] = { "DELTA-NOT-SEEN", DECIDE_HOLD },
	[DECIDE_DELTA_NOT_PINNED] = { "DELTA-NOT-PINNED", DECIDE_HOLD },
	[DECIDE_DELTA_ASK_FULL] = { "DELTA-ASK-FULL", DECIDE_HOLD },
	[DECIDE_DELTA_NOT_ATTESTED] = { "DELTA-NOT-ATTESTED", DECIDE_HOLD },
	[DECIDE_OTHER_POLICY] = { "OTHER-POLICY", DECIDE_HOLD },
	[DECIDE_REPORT_OLD] = { "REPORT-OLD", DECIDE_HOLD },
	[DECIDE_REPORT_AHEAD] = { "REPORT-AHEAD", DECIDE_HOLD },
	[DECIDE_CLOCK_UNSURE] = { "CLOCK-UNSURE", DECIDE_HOLD },
	[DECIDE_HOOK_UNANSWERED] = { "HOOK-UNANSWERED", DECIDE_HOLD },
};

const char *
decide_reason_id(enum decide_reason reason)
{
	return (unsigned)reason < DECIDE_REASONS ? reasons[reason].id : reasons[0].id;
}

enum decide_verdict
decide_reason_verdict(enum decide_reason reason)
{
	return (unsigned)reason < DECIDE_REASONS ? reasons[reason].verdict : DECIDE_DENY;
}

const char *
decide_verdict_name(enum decide_verdict verdict)
{
	switch (verdict) {
	case DECIDE_REVIEW:
		return "review";
	case DECIDE_HOLD:
		return "hold";
	case DECIDE_DENY:
		break;
	}
	return "deny";
}

/* Callers add in the order of enum decide_reason, which has all denials before all holds. */
__attribute__((format(printf, 3, 4))) static void
because(struct decide_result *r, enum decide_reason reason, const char *fmt, ...)
{
	char text[DECIDE_SENTENCE_MAX];
	va_list ap;
	if (decide_reason_verdict(reason) < r->verdict)
		r->verdict = decide_reason_verdict(reason);
	if (r->reasons_n == DECIDE_REASONS_MAX)
		return;
	struct decide_because *b = &r->because[r->reasons_n++];
	b->reason = reason;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	visible_cstr(view_str(text), b->sentence, sizeof b->sentence);
}

void
decide_add(struct decide_result *r, enum decide_reason reason, const char *sentence)
{
	unsigned n = r->reasons_n;
	because(r, reason, "?");
	if (r->reasons_n > n) /* making it visible twice would show its own escapes as somebody's */
		snprintf(r->because[n].sentence, sizeof r->because[n].sentence, "%s", sentence);
	/* A denial stands before what only holds. */
	for (unsigned i = r->reasons_n; i-- > 1 && r->because[i].reason < r->because[i - 1].reason;) {
		struct decide_because one = r->because[i];
		r->because[i] = r->because[i - 1];
		r->because[i - 1] = one;
	}
}

static void
look_at_report(const struct decide_facts *f, struct decide_result *r)
{
	if (!f->complete)
		because(r, DECIDE_NO_REPORT,
		    "Inspection did not end with a whole report, so nothing is known about the image.");
	if (!f->same_image)
		because(r, DECIDE_OTHER_IMAGE,
		    "The report is about other bytes than those in quarantine.");
	if (f->refused)
		because(r, DECIDE_REFUSED, "%s", f->refused);
	if (f->class != DECIDE_CLASS_REVIEW && f->class != DECIDE_CLASS_ACCEPTABLE)
		because(r, DECIDE_REPORT_BLOCKED, "The report's own verdict is %s.",
		    f->class == DECIDE_CLASS_BLOCKED ? "blocked" : "unknown");
}

static void
look_at_findings(const struct decide_facts *f, struct decide_result *r)
{
	const char *first = NULL;
	size_t blocks = 0;
	for (size_t i = 0; i < f->findings_n && i < DECIDE_FINDINGS_MAX; i++) {
		enum decide_severity s = f->finding[i].severity;
		if (s == DECIDE_WARNING || s == DECIDE_NOTICE)
			r->acknowledge_n++;
		if (s == DECIDE_WARNING || s == DECIDE_NOTICE || s == DECIDE_INFO)
			continue;
		blocks++; /* and whatever is no severity */
		if (!first)
			first = f->finding[i].id;
	}
	if (blocks == 1)
		because(r, DECIDE_FINDING_BLOCKS, "Finding %.64s blocks.", first);
	else if (blocks > 1)
		because(r, DECIDE_FINDING_BLOCKS, "%zu findings block, the first being %.64s.",
		    blocks, first);
	if (f->findings_n > DECIDE_FINDINGS_MAX)
		because(r, DECIDE_TOO_MANY_FINDINGS,
		    "The report has %zu findings, more than a person can weigh.", f->findings_n);
}

static void
look_at_size(const struct decide_facts *f, const struct profile *p, struct decide_result *r)
{
	uint64_t sum;
	if (f->size == 0)
		because(r, DECIDE_EMPTY_IMAGE, "The image is empty.");
	if (p->upstream_options.max_bytes > 0 && f->size > (uint64_t)p->upstream_options.max_bytes)
		because(r, DECIDE_TOO_LARGE,
		    "The image has %llu bytes, more than max_bytes of the profile.",
		    (unsigned long long)f->size);
	if (__builtin_add_overflow(f->signed_bytes, f->unsigned_bytes, &sum) ||
	    __builtin_add_overflow(sum, f->structure_bytes, &sum) || sum != f->size)
		because(r, DECIDE_COVERAGE_WRONG,
		    "The report's signed and unsigned bytes do not add up to the image.");
}

/*
 * A signature that is there and bad blocks whatever the profile says: it is
 * evidence of tampering or of a revoked key, not the absence of evidence.
 */
static void
look_at_signature(const struct decide_facts *f, const struct profile *p, struct decide_result *r)
{
	bool verified = f->signature == SIG_VERIFIED;
	if (f->signature == SIG_INVALID || f->signature == SIG_REVOKED)
		because(r, DECIDE_SIGNATURE_BAD, "The signature is %s.",
		    sig_outcome_name(f->signature));
	if (!p->signature.require)
		return;
	/* None, and no bad one: people are shown the delta's own bytes as unsigned, and what they make as signed. */
	if (p->deltas.proof_signs && f->target_seen && f->target_proved && f->signature == SIG_ABSENT)
		return;
	if (!verified)
		because(r, DECIDE_SIGNATURE_MISSING,
		    "The profile requires a verified signature and there is none (%s).",
		    f->signature == SIG_UNKNOWN ? "nobody looked" : sig_outcome_name(f->signature));
	if (p->signature.scheme == PROFILE_SCHEME_NONE || (verified && !f->scheme_matches))
		because(r, DECIDE_SIGNATURE_SCHEME,
		    "The signature is not of the scheme that the profile names.");
	if (f->unsigned_bytes > 0)
		because(r, DECIDE_UNSIGNED_BYTES,
		    "%llu bytes of the image are covered by no signature.",
		    (unsigned long long)f->unsigned_bytes);
}

static bool
is_pinned(const struct decide_facts *f, const struct profile *p)
{
	for (unsigned i = 0; i < p->deltas.pin_text_n && i < PROFILE_DELTA_PINS_MAX; i++)
		if (memcmp(p->deltas.pin[i], f->image, sizeof f->image) == 0)
			return true;
	return false;
}

/*
 * A delta whose result was not seen is bytes that only the module understands. Held, unless the profile
 * says what is enough; and of two for the same step one may be meant for somebody: none goes on then.
 */
static void
look_at_delta(const struct decide_facts *f, const struct profile *p, struct decide_result *r)
{
	if (f->whole || f->target_seen)
		return;
	r->unseen = true;
	r->persons_min = DECIDE_UNSEEN_PERSONS;
	if (p->deltas.unseen_days > 0 && p->deltas.unseen_days < DECIDE_DAYS_MAX)
		r->days_max = (uint32_t)p->deltas.unseen_days;
	if (!f->only_one)
		because(r, DECIDE_DELTA_SECOND,
		    "Another delta was given for the same step from version to version; a fleet gets one.");
	switch (p->deltas.unseen) {
	case PROFILE_UNSEEN_PINNED:
		if (!is_pinned(f, p))
			because(r, DECIDE_DELTA_NOT_PINNED,
			    "What this delta makes was not seen, and its SHA-256 is not among deltas.pins of the profile.");
		return;
	case PROFILE_UNSEEN_FULL:
		if (!f->full_held)
			because(r, DECIDE_DELTA_ASK_FULL,
			    "What this delta makes was not seen: ask the vendor for the signed full image of that version, "
			    "and import it.");
		return;
	case PROFILE_UNSEEN_ATTESTED:
		r->persons_min = DECIDE_ATTESTED_PERSONS;
		if (f->attested == 0)
			because(r, DECIDE_DELTA_NOT_ATTESTED,
			    "What this delta makes was not seen: try it on a module that may be lost, and say what came of it "
			    "(fotagate review attest).");
		return;
	case PROFILE_UNSEEN_HOLD:
		break;
	}
	because(r, DECIDE_DELTA_NOT_SEEN,
	    "What this delta makes was not seen: name the base it is for (fotagate base add), or get the full image.");
}

static void
look_at_time(const struct decide_facts *f, const struct profile *p, int64_t now, bool clock_sure,
    struct decide_result *r)
{
	int64_t age, limit;
	if (!f->same_policy)
		because(r, DECIDE_OTHER_POLICY,
		    "The report was made under another policy; judge the image again.");
	if (__builtin_sub_overflow(now, f->judged_at, &age))
		age = INT64_MAX;
	if (__builtin_mul_overflow(p->review_days, DAY, &limit))
		limit = 0;
	if (age > limit)
		because(r, DECIDE_REPORT_OLD,
		    "The report is older than review_days; judge the image again.");
	if (age < -DECIDE_SKEW)
		because(r, DECIDE_REPORT_AHEAD, "The report is dated after the present time.");
	if (!clock_sure)
		because(r, DECIDE_CLOCK_UNSURE,
		    "The gateway's clock is not synchronised, so validity cannot be told.");
}

void
decide(const struct decide_facts *f, const struct profile *p, int64_t now, bool clock_sure,
    struct decide_result *ret)
{
	/* Every look can only lower it; the result is the caller's once all have been taken. */
	ret->verdict = DECIDE_REVIEW;
	ret->reasons_n = 0;
	ret->acknowledge_n = 0;
	ret->unseen = false;
	ret->persons_min = 0;
	ret->days_max = DECIDE_DAYS_MAX;
	look_at_report(f, ret);
	look_at_findings(f, ret);
	look_at_size(f, p, ret);
	look_at_signature(f, p, ret);
	look_at_delta(f, p, ret);
	look_at_time(f, p, now, clock_sure, ret);
}
