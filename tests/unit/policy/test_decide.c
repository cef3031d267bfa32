/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "policy/decide.h"

#define NOW INT64_C(1800000000)

static struct profile *
profile(bool require)
{
	struct profile *p = calloc(1, sizeof *p);
	assert_non_null(p);
	p->signature.require = require;
	p->signature.scheme = require ? PROFILE_SCHEME_CMS_DETACHED : PROFILE_SCHEME_NONE;
	p->upstream_options.max_bytes = 1000;
	p->review_days = 30;
	return p;
}

static struct decide_facts
good(void)
{
	return (struct decide_facts){ .complete = true, .class = DECIDE_CLASS_ACCEPTABLE, .signature = SIG_VERIFIED,
		.scheme_matches = true, .size = 100, .signed_bytes = 100, .judged_at = NOW - 60, .same_image = true,
		.same_policy = true, .whole = true };
}

static void
the_best_there_is_may_be_reviewed(void **state)
{
	struct profile *p = profile(true);
	struct decide_facts f = good();
	struct decide_result r;
	(void)state;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_REVIEW);
	assert_int_equal(r.reasons_n, 0);
	f.class = DECIDE_CLASS_REVIEW;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_REVIEW);
	free(p);
}

static void
nothing_known_is_denied(void **state)
{
	struct profile *p = profile(false);
	struct decide_facts none = { .complete = false };
	struct decide_result r;
	(void)state;
	decide(&none, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_DENY);
	assert_int_equal(r.because[0].reason, DECIDE_NO_REPORT);
	/* And under a profile that is all zero, too. */
	memset(p, 0, sizeof *p);
	decide(&none, p, 0, false, &r);
	assert_int_equal(r.verdict, DECIDE_DENY);
	free(p);
}

/* A trial that somebody attests lets people be asked, three of them, for whoever attested it may be one. */
static void
a_trial_is_a_word_not_a_proof(void **state)
{
	struct profile *p = profile(false);
	struct decide_facts f = good();
	struct decide_result r;
	(void)state;
	f.whole = false;
	f.only_one = true;
	f.attested = 1;
	decide(&f, p, NOW, true, &r); /* not asked for by the profile */
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_NOT_SEEN);
	p->deltas.unseen = PROFILE_UNSEEN_ATTESTED;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_REVIEW);
	assert_int_equal(r.persons_min, DECIDE_ATTESTED_PERSONS);
	assert_true(r.unseen);
	f.attested = 0;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_HOLD);
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_NOT_ATTESTED);
	f.attested = 1;
	f.only_one = false; /* of two for one step none goes on, whoever tried it */
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_HOLD);
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_SECOND);
	free(p);
}

/* The proof of a delta stands for its signature where the profile says so, and then for one that is absent alone. */
static void
a_proof_stands_where_it_may(void **state)
{
	struct profile *p = profile(true);
	struct decide_result r;
	(void)state;
	for (unsigned bits = 0; bits < 16; bits++) {
		struct decide_facts f = good();
		f.whole = false;
		f.only_one = true;
		f.signed_bytes = 0;
		f.unsigned_bytes = 100;
		f.scheme_matches = false;
		p->deltas.proof_signs = bits & 1;
		f.target_seen = bits & 2;
		f.target_proved = bits & 4;
		f.signature = bits & 8 ? SIG_ABSENT : SIG_UNTRUSTED;
		decide(&f, p, NOW, true, &r);
		assert_int_equal(r.verdict, bits == 15 ? DECIDE_REVIEW : DECIDE_DENY);
	}
	free(p);
}

/* One thing wrong at a time: that verdict, that reason, first and with a sentence. */
static void
each_reason_alone(void **state)
{
	static const struct decide_finding block = { "SIG-KEY-PUBLISHED", DECIDE_BLOCK };
	static const struct decide_finding strange = { "X", (enum decide_severity)77 };
	static struct decide_finding many[DECIDE_FINDINGS_MAX + 1];
	struct {
		struct decide_facts f;
		enum decide_reason reason;
	} cases[32];
	unsigned n = 0;
	(void)state;
	for (size_t i = 0; i <= DECIDE_FINDINGS_MAX; i++)
		many[i] = (struct decide_finding){ "I", DECIDE_INFO };
#define CASE(REASON, ...) \
	do { \
		struct decide_facts f = good(); \
		__VA_ARGS__; \
		cases[n].f = f; \
		cases[n++].reason = REASON; \
	} while (0)
	CASE(DECIDE_NO_REPORT, f.complete = false);
	CASE(DECIDE_OTHER_IMAGE, f.same_image = false);
	CASE(DECIDE_REPORT_BLOCKED, f.class = DECIDE_CLASS_BLOCKED);
	CASE(DECIDE_REPORT_BLOCKED, f.class = DECIDE_CLASS_UNKNOWN);
	CASE(DECIDE_REPORT_BLOCKED, f.class = (enum decide_class)9);
	CASE(DECIDE_FINDING_BLOCKS, f.finding = &block; f.findings_n = 1);
	CASE(DECIDE_FINDING_BLOCKS, f.finding = &strange; f.findings_n = 1);
	CASE(DECIDE_TOO_MANY_FINDINGS, f.finding = many; f.findings_n = DECIDE_FINDINGS_MAX + 1);
	CASE(DECIDE_EMPTY_IMAGE, f.size = 0; f.signed_bytes = 0);
	CASE(DECIDE_TOO_LARGE, f.size = 1001; f.signed_bytes = 1001);
	CASE(DECIDE_COVERAGE_WRONG, f.signed_bytes = 99);
	CASE(DECIDE_COVERAGE_WRONG, f.signed_bytes = 101);
	CASE(DECIDE_SIGNATURE_BAD, f.signature = SIG_INVALID);
	CASE(DECIDE_SIGNATURE_BAD, f.signature = SIG_REVOKED);
	CASE(DECIDE_SIGNATURE_MISSING, f.signature = SIG_UNTRUSTED);
	CASE(DECIDE_SIGNATURE_MISSING, f.signature = SIG_UNKNOWN);
	CASE(DECIDE_SIGNATURE_MISSING, f.signature = SIG_ABSENT);
	CASE(DECIDE_SIGNATURE_SCHEME, f.scheme_matches = false);
	CASE(DECIDE_UNSIGNED_BYTES, f.signed_bytes = 90; f.unsigned_bytes = 10);
	CASE(DECIDE_COVERAGE_WRONG, f.structure_bytes = 10);
	CASE(DECIDE_COVERAGE_WRONG, f.structure_bytes = UINT64_MAX; f.unsigned_bytes = 1);
	CASE(DECIDE_OTHER_POLICY, f.same_policy = false);
	CASE(DECIDE_REPORT_OLD, f.judged_at = NOW - 30 * 86400 - 1);
	CASE(DECIDE_REPORT_OLD, f.judged_at = INT64_MIN);
	CASE(DECIDE_REPORT_AHEAD, f.judged_at = NOW + DECIDE_SKEW + 1);
	CASE(DECIDE_DELTA_SECOND, f.whole = false);
	CASE(DECIDE_DELTA_NOT_SEEN, f.whole = false; f.only_one = true);
	struct profile *p = profile(true);
	struct decide_result r;
	for (unsigned i = 0; i < n; i++) {
		decide(&cases[i].f, p, NOW, true, &r);
		assert_int_equal(r.because[0].reason, cases[i].reason);
		assert_int_equal(r.verdict, decide_reason_verdict(cases[i].reason));
		assert_true(strlen(r.because[0].sentence) > 10);
	}
	struct decide_facts f = good();
	decide(&f, p, NOW, false, &r);
	assert_int_equal(r.verdict, DECIDE_HOLD);
	assert_int_equal(r.because[0].reason, DECIDE_CLOCK_UNSURE);
	free(p);
}

/* A delta: judged by what it makes; where that was not seen, by what the profile says is enough, and never by less. */
static void
deltas_by_what_was_seen(void **state)
{
	struct profile *p = profile(true);
	struct decide_facts f = good();
	struct decide_result r;
	(void)state;
	f.whole = false;
	f.target_seen = true;
	decide(&f, p, NOW, true, &r); /* of two that are seen through, each is its own case */
	assert_int_equal(r.verdict, DECIDE_REVIEW);
	assert_false(r.unseen);
	assert_int_equal(r.persons_min, 0);
	assert_int_equal(r.days_max, DECIDE_DAYS_MAX);
	f.target_seen = false;
	f.only_one = true;
	f.full_held = true;
	f.image[0] = 1;
	p->deltas.pin[0][0] = 1;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_NOT_SEEN);
	assert_int_equal(r.verdict, DECIDE_HOLD);

	p->deltas.unseen = PROFILE_UNSEEN_PINNED;
	decide(&f, p, NOW, true, &r); /* what is behind the count is no pin */
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_NOT_PINNED);
	p->deltas.pin_text_n = 1;
	p->deltas.unseen_days = 7;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_REVIEW);
	assert_true(r.unseen);
	assert_int_equal(r.persons_min, 2);
	assert_int_equal(r.days_max, 7);
	f.image[31] = 1;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_NOT_PINNED);
	f.image[31] = 0;
	f.only_one = false;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.reasons_n, 1);
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_SECOND);
	f.only_one = true;

	p->deltas.unseen = PROFILE_UNSEEN_FULL;
	p->deltas.unseen_days = 0;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_REVIEW);
	assert_int_equal(r.days_max, DECIDE_DAYS_MAX);
	f.full_held = false;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_ASK_FULL);
	p->deltas.unseen = (enum profile_unseen)9;
	f.full_held = true;
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.because[0].reason, DECIDE_DELTA_NOT_SEEN);
	free(p);
}

static void
a_required_scheme_of_none_is_denied(void **state)
{
	struct profile *p = profile(true);
	struct decide_facts f = good();
	struct decide_result r;
	(void)state;
	p->signature.scheme = PROFILE_SCHEME_NONE; /* the configuration check refuses this */
	decide(&f, p, NOW, true, &r);
	assert_int_equal(r.verdict, DECIDE_DENY);
	free(p);
}

static void
hostile_ids_are_made_visible(void **state)
{
	static const struct decide_finding block = { "X\x1b[31m", DECIDE_BLOCK };
	struct profile *p = profile(false);
	struct decide_facts f = good();
	struct decide_result r;
	(void)state;
	f.finding = &block;
	f.findings_n = 1;
	decide(&f, p, NOW, true, &r);
	assert_null(strchr(r.because[0].sentence, '\x1b'));
	free(p);
}

/* ---- monotone: over a small but whole domain ---- */

#define SEVERITIES 5 /* none, info, notice, warning, block */
#define OUTCOMES 9   /* every enum sig_outcome */


static const unsigned sizes[] = { 2, 2, 2, 2, 4, OUTCOMES, 2, SEVERITIES, SEVERITIES, 2, 2 };
#define AXES (sizeof sizes / sizeof *sizes)

static enum decide_verdict
at(const unsigned v[AXES], const struct profile *p)
{
	static const enum decide_severity severity[SEVERITIES] = { DECIDE_INFO, DECIDE_INFO, DECIDE_NOTICE, DECIDE_WARNING,
		DECIDE_BLOCK };
	struct decide_finding finding[2];
	struct decide_facts f = good();
	struct decide_result r;
	unsigned n = 0;
	f.complete = v[0];
	f.same_image = v[1];
	f.same_policy = v[2];
	f.scheme_matches = v[3];
	f.class = (enum decide_class)v[4];
	f.signature = (enum sig_outcome)v[5];
	f.signed_bytes = v[6] ? 100 : 60;
	f.unsigned_bytes = 100 - f.signed_bytes;
	for (unsigned i = 7; i < 9; i++)
		if (v[i])
			finding[n++] = (struct decide_finding){ "F", severity[v[i]] };
	f.finding = finding;
	f.findings_n = n;
	f.judged_at = v[9] ? NOW : NOW - 31 * 86400;
	decide(&f, p, NOW, v[10], &r);
	assert_int_equal(r.verdict == DECIDE_REVIEW, r.reasons_n == 0);
	return r.verdict;
}

/* One step towards less evidence or more findings along an axis; false at its end. */
static bool
worse(unsigned v[AXES], unsigned axis)
{
	if (axis == 7 || axis == 8) /* findings: more is worse */
		return ++v[axis] < SEVERITIES;
	if (axis == 5) { /* a verified signature may become anything else; the rest is not a line */
		if (v[5] != SIG_VERIFIED)
			return false;
		v[5] = SIG_UNKNOWN;
		return true;
	}
	if (v[axis] == 0)
		return false;
	v[axis]--;
	return true;
}

#define POINTS (2 * 2 * 2 * 2 * 4 * OUTCOMES * 2 * SEVERITIES * SEVERITIES * 2 * 2)

static unsigned
index_of(const unsigned v[AXES])
{
	unsigned i = 0;
	for (unsigned a = AXES; a-- > 0;)
		i = i * sizes[a] + v[a];
	return i;
}

static void
less_never_permits_more(void **state)
{
	struct profile *required = profile(true), *optional = profile(false);
	uint8_t *strict = calloc(POINTS, 1), *lax = calloc(POINTS, 1);
	unsigned permitted = 0;
	(void)state;
	assert_non_null(strict);
	assert_non_null(lax);
	for (unsigned pass = 0; pass < 2; pass++) { /* first all answers, then all steps between them */
		for (unsigned i = 0; i < POINTS; i++) {
			unsigned v[AXES];
			for (unsigned a = 0, rest = i; a < AXES; rest /= sizes[a++])
				v[a] = rest % sizes[a];
			assert_int_equal(index_of(v), i);
			if (pass == 0) {
				strict[i] = (uint8_t)at(v, required);
				lax[i] = (uint8_t)at(v, optional);
				assert_true(strict[i] <= lax[i]); /* requiring a signature never permits more */
				permitted += strict[i] == DECIDE_REVIEW;
				continue;
			}
			for (unsigned a = 0; a < AXES; a++) {
				unsigned w[AXES];
				memcpy(w, v, sizeof w);
				if (!worse(w, a))
					continue;
				assert_true(strict[index_of(w)] <= strict[i]);
				assert_true(lax[index_of(w)] <= lax[i]);
			}
			for (unsigned o = 0; v[5] == SIG_VERIFIED && o < OUTCOMES; o++) {
				unsigned w[AXES];
				memcpy(w, v, sizeof w);
				w[5] = o;
				assert_true(strict[index_of(w)] <= strict[i]);
				assert_true(lax[index_of(w)] <= lax[i]);
			}
		}
	}
	/* Two report classes, and four kinds of each finding that do not block: one way in each, and no other. */
	assert_int_equal(permitted, 2 * 4 * 4);
	free(required);
	free(optional);
	free(strict);
	free(lax);
}

static void
reasons_are_ordered_and_named(void **state)
{
	(void)state;
	for (unsigned i = 2; i < DECIDE_REASONS; i++) {
		assert_true(decide_reason_verdict((enum decide_reason)(i - 1)) <= decide_reason_verdict((enum decide_reason)i));
		for (unsigned j = 1; j < i; j++)
			assert_string_not_equal(decide_reason_id((enum decide_reason)i), decide_reason_id((enum decide_reason)j));
	}
	assert_int_equal(decide_reason_verdict(DECIDE_REASONS), DECIDE_DENY);
	assert_string_equal(decide_verdict_name((enum decide_verdict)9), "deny");
	assert_string_equal(decide_verdict_name(DECIDE_REVIEW), "review");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_there_is_may_be_reviewed),
		cmocka_unit_test(nothing_known_is_denied),
		cmocka_unit_test(deltas_by_what_was_seen),
		cmocka_unit_test(a_trial_is_a_word_not_a_proof),
		cmocka_unit_test(a_proof_stands_where_it_may),
		cmocka_unit_test(each_reason_alone),
		cmocka_unit_test(a_required_scheme_of_none_is_denied),
		cmocka_unit_test(hostile_ids_are_made_visible),
		cmocka_unit_test(less_never_permits_more),
		cmocka_unit_test(reasons_are_ordered_and_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
