/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
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

static void
test_a_failed_call_is_told_as_the_system_does(void **state)
{
	(void)state;
	errno = ENOSPC;
	assert_string_equal(err_why(FG_EIO), strerror(ENOSPC));
	assert_string_equal(err_why(FG_EFORMAT), err_name(FG_EFORMAT));
	errno = 0;
	assert_string_equal(err_why(FG_EIO), err_name(FG_EIO));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_its_own_text),
		cmocka_unit_test(test_stray_numbers_are_unknown),
		cmocka_unit_test(test_a_failed_call_is_told_as_the_system_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
