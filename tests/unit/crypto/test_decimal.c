/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/decimal.h"

static void
test_one_spelling(void **state)
{
	(void)state;
	uint64_t v = 7;
	assert_true(decimal_parse(view_str("0"), 0, &v));
	assert_int_equal(v, 0);
	assert_true(decimal_parse(view_str("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(decimal_parse(view_str("9223372036854775807"), INT64_MAX, &v));
	assert_true(decimal_parse(view_str("256"), 256, &v));
	assert_int_equal(v, 256);
}

static void
test_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "00", "01", "-1", "+1", " 1", "1 ", "1\n", "0x1", "1e3", "1.0",
		"18446744073709551616", "99999999999999999999", "184467440737095516150" };
	uint64_t v = 7;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(decimal_parse(view_str(bad[i]), UINT64_MAX, &v));
	assert_false(decimal_parse(view_of("1\0", 2), UINT64_MAX, &v));
	assert_false(decimal_parse(view_str("257"), 256, &v));
	assert_int_equal(v, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
