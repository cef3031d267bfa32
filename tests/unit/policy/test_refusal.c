/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/refusal.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const uint8_t image[DIGEST_SHA256_LEN] = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
	0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa };
static const uint8_t keys[2][DIGEST_SHA256_LEN] = { { 0xbb }, { 0xcc } };

static struct refusal_facts
facts(void)
{
	return (struct refusal_facts){ .image = image, .product = view_str("BG95/M3"), .target = view_str("02_A01"),
		.subject = view_str("quectel/BG95/M3/01_A01->02_A01/dfota.bin"), .signer = keys, .signers_n = 2 };
}

static void
test_what_is_a_value(void **state)
{
	static const struct {
		enum refusal_kind kind;
		const char *value;
		bool good;
	} rows[] = {
		{ REFUSAL_DIGEST, A64, true }, { REFUSAL_DIGEST, A64 "a", false }, { REFUSAL_DIGEST, "AA", false },
		{ REFUSAL_SIGNER, A64, true }, { REFUSAL_SIGNER, "", false },
		{ REFUSAL_VERSION, "BG95/M3/02_A01", true }, { REFUSAL_VERSION, "BG95/", false }, { REFUSAL_VERSION, "/1", false },
		{ REFUSAL_VERSION, "1.2", false }, { REFUSAL_VERSION, "a/b", true }, { REFUSAL_VERSION, "a\xc3/b", false },
		{ REFUSAL_PATTERN, "*", false }, { REFUSAL_PATTERN, "*abc*", false }, { REFUSAL_PATTERN, "*abcd*", true },
		{ REFUSAL_PATTERN, "a\nbcd", false }, { REFUSAL_NONE, "abcd", false }, { REFUSAL_KINDS, "abcd", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why = "unset";
		assert_int_equal(refusal_check(rows[i].kind, view_str(rows[i].value), &why), rows[i].good);
		assert_true(rows[i].good ? !why : why && why[0]);
	}
	char upper[] = A64;
	const char *why;
	upper[5] = 'A'; /* another spelling of the same */
	assert_false(refusal_check(REFUSAL_DIGEST, view_str(upper), &why));
	char *longest = malloc(REFUSAL_VALUE_MAX + 2);
	memset(longest, 'x', REFUSAL_VALUE_MAX + 1);
	longest[REFUSAL_VALUE_MAX + 1] = '\0';
	assert_false(refusal_check(REFUSAL_PATTERN, view_str(longest), &why));
	longest[REFUSAL_VALUE_MAX] = '\0';
	assert_true(refusal_check(REFUSAL_PATTERN, view_str(longest), &why));
	free(longest);
}

static void
test_matches(void **state)
{
	static const struct {
		enum refusal_kind kind;
		const char *value;
		bool matches;
	} rows[] = {
		{ REFUSAL_DIGEST, A64, true },
		{ REFUSAL_DIGEST, "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ REFUSAL_SIGNER, "bb00000000000000000000000000000000000000000000000000000000000000", true },
		{ REFUSAL_SIGNER, "cc00000000000000000000000000000000000000000000000000000000000000", true },
		{ REFUSAL_SIGNER, A64, false },
		{ REFUSAL_VERSION, "BG95/M3/02_A01", true }, { REFUSAL_VERSION, "BG95/M3/02_A0", false },
		{ REFUSAL_VERSION, "BG95/02_A01", false }, { REFUSAL_VERSION, "M3/02_A01", false },
		{ REFUSAL_PATTERN, "quectel/*", true }, { REFUSAL_PATTERN, "*dfota.bin", true }, { REFUSAL_PATTERN, "*->02_A01/*", true },
		{ REFUSAL_PATTERN, "quectel/BG95/M3/01_A01->02_A01/dfota.bin", true }, { REFUSAL_PATTERN, "quectel", false },
		{ REFUSAL_PATTERN, "*dfota", false }, { REFUSAL_PATTERN, "uectel*", false }, { REFUSAL_PATTERN, "**BG95**bin*", true },
		{ REFUSAL_PATTERN, "*_A01*_A01*_A01*", false }, { REFUSAL_PATTERN, "*_A01*_A01*", true },
	};
	struct refusal_facts f = facts(), none = { .image = NULL };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why;
		assert_true(refusal_check(rows[i].kind, view_str(rows[i].value), &why));
		assert_int_equal(refusal_matches(rows[i].kind, view_str(rows[i].value), &f), rows[i].matches);
		assert_false(refusal_matches(rows[i].kind, view_str(rows[i].value), &none));
	}
	/* Bytes that are refused do not come back as what a delta makes. */
	uint8_t made[DIGEST_SHA256_LEN];
	memset(made, 0xaa, sizeof made);
	made[0] = 0xba;
	f.made = made;
	assert_true(refusal_matches(REFUSAL_DIGEST, view_str(rows[1].value), &f));
	assert_true(refusal_matches(REFUSAL_DIGEST, view_str(A64), &f));
}

/* However many characters it has: separators are no names. */
static void
test_what_would_stop_everything(void **state)
{
	static const struct {
		const char *value;
		bool all;
	} rows[] = { { "*/*->*/*", true }, { "*/*/*->*/*", true }, { "**/*/*-*>*/*", true }, { "*//->/", true },
		{ "*/*->*/*.bin", false }, { "q*/*/*->*/*", false }, { "*/*/*->*1*/*", false }, { "quectel/*", false } };
	const struct refusal_facts f = facts();
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(refusal_is_everything(REFUSAL_PATTERN, view_str(rows[i].value)), rows[i].all);
	assert_false(refusal_is_everything(REFUSAL_VERSION, view_str("*/*->*/*")));
	/* One that is there goes on standing against everything. */
	const char *why;
	assert_true(refusal_check(REFUSAL_PATTERN, view_str(rows[0].value), &why));
	assert_true(refusal_matches(REFUSAL_PATTERN, view_str(rows[0].value), &f));
}

/* A review's two names make one value, wherever their slashes are. */
static void
test_slashes_of_a_version(void **state)
{
	const struct refusal_facts f = { .product = view_str("FG100"), .target = view_str("1.1/eu") };
	(void)state;
	assert_true(refusal_matches(REFUSAL_VERSION, view_str("FG100/1.1/eu"), &f));
	assert_false(refusal_matches(REFUSAL_VERSION, view_str("FG100/1.1/us"), &f));
	assert_false(refusal_matches(REFUSAL_VERSION, view_str("FG100/1.1"), &f));
	assert_false(refusal_matches(REFUSAL_VERSION, view_str("FG100/1.1/eu/"), &f));
}

/* What can only come of a damaged row holds back rather than lets through. */
static void
test_damage_matches(void **state)
{
	struct refusal_facts f = facts();
	(void)state;
	assert_true(refusal_matches(REFUSAL_NONE, view_str("x"), &f));
	assert_true(refusal_matches((enum refusal_kind)99, view_str("x"), &f));
	assert_true(refusal_matches(REFUSAL_DIGEST, view_str("zz"), &f));
	assert_true(refusal_matches(REFUSAL_VERSION, view_str("zz"), &f));
}

static void
test_names_and_ids(void **state)
{
	uint8_t a[REFUSAL_ID], b[REFUSAL_ID];
	(void)state;
	for (unsigned k = REFUSAL_NONE + 1; k < REFUSAL_KINDS; k++)
		assert_int_equal(refusal_kind_parse(view_str(refusal_kind_name((enum refusal_kind)k))), k);
	assert_int_equal(refusal_kind_parse(view_str("none")), REFUSAL_NONE);
	assert_string_equal(refusal_kind_name((enum refusal_kind)99), "none");
	assert_int_equal(refusal_id(REFUSAL_DIGEST, view_str(A64), a), 0);
	assert_int_equal(refusal_id(REFUSAL_SIGNER, view_str(A64), b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(refusal_id(REFUSAL_SIGNER, view_str(A64), a), 0);
	assert_memory_equal(a, b, sizeof a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_a_value),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_what_would_stop_everything),
		cmocka_unit_test(test_slashes_of_a_version),
		cmocka_unit_test(test_damage_matches),
		cmocka_unit_test(test_names_and_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
