/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/err.h"

static void
test_every_code_has_its_own_text(void **state)
{
	(void)state;
	for (int a = FG_OK; a >= FG_EEXIST; a--) {
		assert_string_not_equal(err_name(a), "unknown error");
		assert_true(strlen(err_name(a)) > 0);
		for (int b = FG_OK; b > a; b--)
			assert_string_not_equal(err_name(a), err_name(b));
	}
}

static void
test_stray_numbers_are_unknown(void **state)
{
	(void)state;
	assert_string_equal(err_name(1), "unknown error");
	assert_string_equal(err_name(FG_EEXIST - 1), "unknown error");
	assert_string_equal(err_name(INT32_MIN), "unknown error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_its_own_text),
		cmocka_unit_test(test_stray_numbers_are_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
