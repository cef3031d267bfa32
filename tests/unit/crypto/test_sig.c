/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/sig.h"

static void
test_outcome_words_both_ways(void **state)
{
	(void)state;
	static const char *const words[] = { "invalid", "revoked", "weak", "expired", "untrusted",
		"opaque", "absent", "verified" };
	for (int o = SIG_INVALID; o <= SIG_VERIFIED; o++) {
		assert_string_equal(sig_outcome_name((enum sig_outcome)o), words[o - 1]);
		assert_int_equal(sig_outcome_parse(view_str(words[o - 1])), o);
	}
	assert_string_equal(sig_outcome_name(SIG_UNKNOWN), "unknown");
	assert_string_equal(sig_outcome_name((enum sig_outcome)(SIG_VERIFIED + 1)), "unknown");
	assert_string_equal(sig_outcome_name((enum sig_outcome)-1), "unknown");
}

static void
test_unknown_words_never_verify(void **state)
{
	(void)state;
	assert_int_equal(sig_outcome_parse(view_str("")), SIG_UNKNOWN);
	assert_int_equal(sig_outcome_parse(view_str("unknown")), SIG_UNKNOWN);
	assert_int_equal(sig_outcome_parse(view_str("Verified")), SIG_UNKNOWN);
	assert_int_equal(sig_outcome_parse(view_str("verified ")), SIG_UNKNOWN);
	assert_int_equal(sig_outcome_parse(view_of("verified", 9)), SIG_UNKNOWN);
	assert_int_equal(sig_outcome_parse(view_of("verified", 7)), SIG_UNKNOWN);
}

static void
test_revocation_words(void **state)
{
	(void)state;
	assert_string_equal(sig_revocation_name(SIG_REVOCATION_NOT_CHECKED), "not-checked");
	assert_string_equal(sig_revocation_name(SIG_REVOCATION_CHECKED), "checked");
	assert_string_equal(sig_revocation_name(SIG_REVOCATION_STALE), "stale");
	assert_string_equal(sig_revocation_name(SIG_REVOCATION_NOT_APPLICABLE), "not-applicable");
	assert_string_equal(sig_revocation_name((enum sig_revocation)9), "not-checked");
}

/* From best to worst; each pair, both ways round. */
static void
test_worst_wins_in_any_order(void **state)
{
	(void)state;
	static const enum sig_outcome order[] = { SIG_VERIFIED, SIG_UNKNOWN, SIG_ABSENT, SIG_OPAQUE,
		SIG_UNTRUSTED, SIG_EXPIRED, SIG_WEAK, SIG_REVOKED, SIG_INVALID };
	const int n = sizeof order / sizeof order[0];
	for (int a = 0; a < n; a++) {
		for (int b = 0; b < n; b++) {
			struct sig_result r = { .outcome = order[a] };
			memcpy(r.detail, "was", 4);
			sig_worsen(&r, order[b], "is");
			assert_int_equal(r.outcome, order[a > b ? a : b]);
			assert_string_equal(r.detail, b > a ? "is" : "was");
		}
	}
}

static void
test_nothing_lifts_to_verified(void **state)
{
	(void)state;
	for (int o = SIG_UNKNOWN; o < SIG_VERIFIED; o++) {
		struct sig_result r = { .outcome = (enum sig_outcome)o };
		sig_worsen(&r, SIG_VERIFIED, "fine");
		assert_int_equal(r.outcome, o);
	}
	struct sig_result r = { .outcome = SIG_VERIFIED };
	sig_worsen(&r, (enum sig_outcome)77, "number out of the blue");
	assert_int_equal(r.outcome, SIG_INVALID);
}

static void
test_detail_is_plain_and_bounded(void **state)
{
	(void)state;
	char big[2 * SIG_TEXT_MAX];
	struct sig_result r = { .outcome = SIG_VERIFIED };
	sig_worsen(&r, SIG_EXPIRED, "ends\n2020");
	assert_string_equal(r.detail, "ends<0A>2020");
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	sig_worsen(&r, SIG_INVALID, big);
	assert_int_equal(strlen(r.detail), SIG_TEXT_MAX - 1);
	assert_string_equal(r.detail + SIG_TEXT_MAX - 6, "<...>");

	/* An outcome set without a word of explanation takes the first one of its kind. */
	struct sig_result bare = { .outcome = SIG_WEAK };
	sig_worsen(&bare, SIG_WEAK, "first");
	sig_worsen(&bare, SIG_WEAK, "second");
	assert_string_equal(bare.detail, "first");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcome_words_both_ways),
		cmocka_unit_test(test_unknown_words_never_verify),
		cmocka_unit_test(test_revocation_words),
		cmocka_unit_test(test_worst_wins_in_any_order),
		cmocka_unit_test(test_nothing_lifts_to_verified),
		cmocka_unit_test(test_detail_is_plain_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
