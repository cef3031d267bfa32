/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "gateway/net/http_date.h"

#define NOW INT64_C(1767225600) /* 2026 */

static void
agrees_with_the_c_library(void **state)
{
	(void)state;
	/* Steps that are no divisor of a day, through leap and century years. */
	for (int64_t t = 0; t < INT64_C(40000000000); t += 86399 * 37 + 11) {
		char ours[HTTP_DATE_LEN + 1], theirs[64];
		time_t clock = (time_t)t;
		struct tm tm;
		int64_t back = -1;
		http_date_format(t, ours);
		assert_non_null(gmtime_r(&clock, &tm));
		assert_int_equal(strftime(theirs, sizeof theirs, "%a, %d %b %Y %H:%M:%S GMT", &tm),
		    HTTP_DATE_LEN);
		assert_string_equal(ours, theirs);
		assert_true(http_date_parse(view_str(ours), NOW, &back));
		assert_true(back == t);
	}
}

static void
ends_of_the_range(void **state)
{
	(void)state;
	char text[HTTP_DATE_LEN + 1];
	http_date_format(-5, text);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_date_format(INT64_MAX, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	http_date_format(951782400, text);
	assert_string_equal(text, "Tue, 29 Feb 2000 00:00:00 GMT");
}

static void
three_forms(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
	};
	int64_t t;
	for (size_t i = 0; i < 3; i++) {
		assert_true(http_date_parse(view_str(forms[i]), NOW, &t));
		assert_true(t == 784111777);
	}
	assert_true(http_date_parse(view_str("Wed Nov 16 08:49:37 1994"), NOW, &t));
	/* Two digits: at most 50 years ahead. */
	assert_true(http_date_parse(view_str("Friday, 01-Jan-76 00:00:00 GMT"), NOW, &t));
	assert_true(t > NOW);
	assert_true(http_date_parse(view_str("Saturday, 01-Jan-77 00:00:00 GMT"), NOW, &t));
	assert_true(t < NOW);
}

static void
refused(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"", "Sun", "Sun,", "Sunday", "1994-11-06", "784111777",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 29 Feb 2100 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1969 08:49:37 GMT",
		"Xun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
	};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		int64_t t = 42;
		if (http_date_parse(view_str(forms[i]), NOW, &t))
			fail_msg("taken: %s", forms[i]);
		assert_true(t == 42);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(ends_of_the_range),
		cmocka_unit_test(three_forms),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests_name("http_date", tests, NULL, NULL);
}
