/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "crypto/err.h"
#include "crypto/stamp.h"

static void
both_ways(int64_t seconds, const char *text)
{
	char out[STAMP_CAP];
	int64_t back = -1;
	assert_int_equal(stamp_format(seconds, out), 0);
	assert_string_equal(out, text);
	assert_true(stamp_parse(view_str(text), &back));
	assert_true(back == seconds);
}

static void
test_known_moments(void **state)
{
	(void)state;
	both_ways(0, "1970-01-01T00:00:00Z");
	both_ways(86399, "1970-01-01T23:59:59Z");
	both_ways(951782400, "2000-02-29T00:00:00Z");
	both_ways(951868800, "2000-03-01T00:00:00Z");
	both_ways(1767261600, "2026-01-01T10:00:00Z");
	both_ways(INT64_C(2147483648), "2038-01-19T03:14:08Z");
	both_ways(INT64_C(4107542399), "2100-02-28T23:59:59Z");
	both_ways(INT64_C(4107542400), "2100-03-01T00:00:00Z");
	both_ways(STAMP_MAX, "9999-12-31T23:59:59Z");
}

/* The C library agrees on every day of one whole calendar cycle of 400 years, then on every 29th. */
static void
test_days_against_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = 0; day <= STAMP_MAX / 86400; day += day < 146097 ? 1 : 29) {
		time_t t = day * 86400 + day % 86400;
		char ours[STAMP_CAP], theirs[STAMP_CAP];
		struct tm tm;
		int64_t back;
		if (!gmtime_r(&t, &tm) || stamp_format(t, ours) ||
		    strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0 ||
		    strcmp(ours, theirs) != 0 || !stamp_parse(view_str(theirs), &back) || back != t)
			fail_msg("day %lld: %s", (long long)day, ours);
	}
}

static void
test_out_of_range_is_refused(void **state)
{
	(void)state;
	char out[STAMP_CAP] = "untouched", us[STAMP_US_CAP] = "untouched";
	static const int64_t bad[] = { -1, STAMP_MAX + 1, INT64_MIN, INT64_MAX };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(stamp_format(bad[i], out), FG_EINVAL);
	assert_int_equal(stamp_format_us(-1, us), FG_EINVAL);
	assert_int_equal(stamp_format_us(STAMP_US_MAX + 1, us), FG_EINVAL);
	assert_int_equal(stamp_format_us(INT64_MIN, us), FG_EINVAL);
	assert_string_equal(out, "untouched");
	assert_string_equal(us, "untouched");
}

static void
test_no_second_spelling(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "Z", "2026-01-01", "2026-01-01T10:00:00",
		"2026-01-01T10:00:00z", "2026-01-01t10:00:00Z", "2026-01-01 10:00:00Z",
		"2026-01-01T10:00:00.0Z", "2026-01-01T10:00:00+00:00", "2026-01-01T10:00:00Z ",
		" 2026-01-01T10:00:00Z", "2026-01-01T10:00:60Z", "2026-12-31T23:59:60Z",
		"2026-01-01T24:00:00Z", "2026-01-01T10:60:00Z", "2026-00-01T10:00:00Z",
		"2026-13-01T10:00:00Z", "2026-01-00T10:00:00Z", "2026-01-32T10:00:00Z",
		"2026-02-29T10:00:00Z", "2100-02-29T10:00:00Z", "2026-04-31T10:00:00Z",
		"1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "+026-01-01T10:00:00Z",
		"2026-1-001T10:00:00Z", "2026-01-01T1 :00:00Z", "2026:01:01T10:00:00Z",
		"2026-01-01T10-00-00Z", "2026-01-01T10:00:0aZ", "2026-01-01T10:00:00X",
		"10000-01-01T0:00:00Z", "1767261600" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t out = 42;
		if (stamp_parse(view_str(bad[i]), &out))
			fail_msg("accepted %s", bad[i]);
		assert_true(out == 42);
	}
	int64_t out = 42;
	assert_false(stamp_parse(view_of("2026-01-01T10:00:00\0", 20), &out));
}

static void
test_microseconds(void **state)
{
	(void)state;
	static const char *const bad[] = { "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.00012Z",
		"2026-01-01T00:00:00.0001234Z", "2026-01-01T00:00:00,000123Z",
		"2026-01-01T00:00:00.00012 Z", "2026-01-01T00:00:00.-00123Z",
		"2026-01-01T00:00:00.000123z", "2026-01-01T00:00:00.000123 ",
		"2026-02-29T00:00:00.000123Z", "1969-12-31T23:59:59.999999Z" };
	char out[STAMP_US_CAP];
	int64_t us = 42;
	assert_int_equal(stamp_format_us(INT64_C(1767225600000123), out), 0);
	assert_string_equal(out, "2026-01-01T00:00:00.000123Z");
	assert_true(stamp_parse_us(view_str(out), &us));
	assert_true(us == INT64_C(1767225600000123));
	assert_int_equal(stamp_format_us(0, out), 0);
	assert_string_equal(out, "1970-01-01T00:00:00.000000Z");
	assert_int_equal(stamp_format_us(STAMP_US_MAX, out), 0);
	assert_string_equal(out, "9999-12-31T23:59:59.999999Z");
	assert_true(stamp_parse_us(view_str(out), &us));
	assert_true(us == STAMP_US_MAX);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(stamp_parse_us(view_str(bad[i]), &us));
	assert_true(us == STAMP_US_MAX);
}

static void
test_what_a_person_may_type(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} table[] = {
		{ "2026-01-01T10:00:00Z", 1767261600 },
		{ "2026-01-01t10:00:00z", 1767261600 },
		{ "2026-01-01T12:00:00+02:00", 1767261600 },
		{ "2026-01-01T04:30:00-05:30", 1767261600 },
		{ "2026-01-01T10:00:00-00:00", 1767261600 },
		{ "2026-01-01T10:00:00.999999999Z", 1767261600 },
		{ "2026-01-01T12:00:00.5+02:00", 1767261600 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T23:00:00-01:00", 0 },
		{ "9999-12-31T23:59:59Z", STAMP_MAX },
		{ "1767261600", 1767261600 },
		{ "0", 0 },
		{ "253402300799", STAMP_MAX },
		{ "253402300800", -1 },
		{ "99999999999999999999999", -1 },
		{ "", -1 },
		{ "00", -1 },
		{ "01", -1 },
		{ "-1", -1 },
		{ "+1", -1 },
		{ "1 ", -1 },
		{ "0x10", -1 },
		{ "1e9", -1 },
		{ "now", -1 },
		{ "2026-01-01", -1 },
		{ "2026-01-01T10:00:00", -1 },
		{ "2026-01-01 10:00:00Z", -1 },
		{ "2026-01-01T10:00:00.Z", -1 },
		{ "2026-01-01T10:00:00.1234567890Z", -1 },
		{ "2026-01-01T10:00:00.5", -1 },
		{ "2026-01-01T10:00:00+2:00", -1 },
		{ "2026-01-01T10:00:00+0200", -1 },
		{ "2026-01-01T10:00:00+24:00", -1 },
		{ "2026-01-01T10:00:00+02:60", -1 },
		{ "2026-01-01T10:00:00ZZ", -1 },
		{ "2026-06-30T23:59:60Z", -1 },
		{ "2026-02-30T00:00:00Z", -1 },
		{ "1970-01-01T00:30:00+01:00", -1 },
		{ "9999-12-31T23:59:59-00:01", -1 },
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		int64_t out = -7;
		bool ok = stamp_parse_any(view_str(table[i].text), &out);
		if (ok != (table[i].want >= 0) || (ok ? out != table[i].want : out != -7))
			fail_msg("%s: %d, %lld", table[i].text, ok, (long long)out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_moments),
		cmocka_unit_test(test_days_against_the_c_library),
		cmocka_unit_test(test_out_of_range_is_refused),
		cmocka_unit_test(test_no_second_spelling),
		cmocka_unit_test(test_microseconds),
		cmocka_unit_test(test_what_a_person_may_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
