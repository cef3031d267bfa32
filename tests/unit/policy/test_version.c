/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/version.h"

static enum version_relation
dotted(const char *a, const char *b)
{
	return version_compare(VERSION_ORDER_DOTTED, view_str(a), view_str(b));
}

static void
numbers_are_numbers(void **state)
{
	(void)state;
	assert_int_equal(dotted("1.1.10", "1.1.9"), VERSION_NEWER);
	assert_int_equal(dotted("1.1.9", "1.1.10"), VERSION_OLDER);
	assert_int_equal(dotted("2", "10"), VERSION_OLDER);
	assert_int_equal(dotted("1.2", "1.2.1"), VERSION_OLDER);
	assert_int_equal(dotted("1.2.0.1", "1.2"), VERSION_NEWER);
	assert_int_equal(dotted("v1.2", "v1.3"), VERSION_OLDER);
	assert_int_equal(dotted("1.2.3", "1.2.3"), VERSION_SAME);
	assert_int_equal(dotted("999999999999999999", "999999999999999998"), VERSION_NEWER);
}

static void
doubt_is_unknown(void **state)
{
	static const char *const pairs[][2] = { { "1.1", "1.1.0" }, { "1.01", "1.1" }, { "v1.2", "1.3" }, { "V1", "v2" },
		{ "1.2-rc1", "1.2" }, { "1.2a", "1.3" }, { "", "1" }, { "1", "" }, { "", "" }, { "1..2", "1.3" }, { "1.2.", "1.3" },
		{ ".1", "1" }, { "v", "v1" }, { "1.2.3.4.5.6.7.8.9", "1" }, { "9999999999999999999", "1" }, { "+1", "2" },
		{ "EG25GGBR07A08M2G", "EG25GGBR07A09M2G" }, { " 1", "2" }, { "0x10", "2" } };
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (dotted(pairs[i][0], pairs[i][1]) != VERSION_UNKNOWN)
			fail_msg("\"%s\" and \"%s\" were ordered", pairs[i][0], pairs[i][1]);
}

static void
exact_knows_equality_only(void **state)
{
	(void)state;
	struct view a = view_str("A08M2G"), b = view_str("A09M2G");
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, a, a), VERSION_SAME);
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, a, b), VERSION_UNKNOWN);
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, view_str("1"), view_str("2")), VERSION_UNKNOWN);
}

static void
length_is_bounded(void **state)
{
	char a[VERSION_TEXT_MAX + 2];
	(void)state;
	memset(a, '1', sizeof a);
	struct view v = view_of(a, VERSION_TEXT_MAX + 1);
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, v, v), VERSION_UNKNOWN);
}

/* Swapping the sides must swap the answer, over every pair of a small language. */
static void
order_is_antisymmetric(void **state)
{
	static const char letters[] = "012.v";
	char words[800][5];
	unsigned n = 0;
	(void)state;
	for (unsigned a = 0; a < 5; a++)
		for (unsigned b = 0; b < 6; b++)
			for (unsigned c = 0; c < 6; c++) {
				char w[5] = { letters[a], b < 5 ? letters[b] : '\0', b < 5 && c < 5 ? letters[c] : '\0' };
				memcpy(words[n++], w, 5);
			}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++) {
			enum version_relation x = dotted(words[i], words[j]), y = dotted(words[j], words[i]);
			assert_int_equal(x == VERSION_OLDER, y == VERSION_NEWER);
			assert_int_equal(x == VERSION_SAME, y == VERSION_SAME);
			assert_int_equal(x == VERSION_SAME, !strcmp(words[i], words[j]));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_numbers),
		cmocka_unit_test(doubt_is_unknown),
		cmocka_unit_test(exact_knows_equality_only),
		cmocka_unit_test(length_is_bounded),
		cmocka_unit_test(order_is_antisymmetric),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
