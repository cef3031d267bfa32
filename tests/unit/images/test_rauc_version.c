/* SPDX-License-Identifier: Apache-2.0 */
/* Versions as RAUC 1.15 compares them: what it says of each row was read off its r_semver_less_equal(). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/rauc_version.h"

static void
ascending(void **state)
{
	(void)state;
	static const char *const rows[] = { "0", "0.0.1", "0.9.9", "1-1", "1-2", "1-10", "1-a", "1-a.1", "1-a.b", "1-b", "1.0.0",
		"1.0.1-rc", "1.0.1", "1.2", "1.10.0-", "1.10.0-0", "1.10", "2.0.0", "18446744073709551615" };
	const size_t n = sizeof rows / sizeof rows[0];
	for (size_t i = 0; i < n; i++) {
		assert_true(rauc_version_is(view_str(rows[i])));
		for (size_t k = 0; k < n; k++)
			if (rauc_version_less(view_str(rows[i]), view_str(rows[k])) != (i < k))
				fail_msg("%s and %s", rows[i], rows[k]);
	}
}

static void
equal(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "1", "1.0.0" }, { "1.2", "1.2.0+build" }, { "1.2.0+a", "1.2.0+b" },
		{ "01.2", "1.2" }, { "1.2.0-rc.1+x", "1.2-rc.01" } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_false(rauc_version_less(view_str(rows[i][0]), view_str(rows[i][1])));
		assert_false(rauc_version_less(view_str(rows[i][1]), view_str(rows[i][0])));
	}
}

static void
none(void **state)
{
	(void)state;
	static const char *const rows[] = { "", "winter", "1.", ".1", "1..2", "1.2.3.4", "v1", "1.2 ", "-1", "+1",
		"18446744073709551616", "1.x", "2026.01-1-2" };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rauc_version_is(view_str(rows[i])))
			fail_msg("\"%s\"", rows[i]);
		assert_false(rauc_version_less(view_str(rows[i]), view_str("9")));
		assert_false(rauc_version_less(view_str("0"), view_str(rows[i])));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascending),
		cmocka_unit_test(equal),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
