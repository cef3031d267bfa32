/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "policy/zone.h"

/* tests/vectors/window.py wrote it. */
static void
zoneinfo_says_the_same(void **state)
{
	char path[4096], text[64];
	long long t;
	int offset;
	unsigned n = 0;
	(void)state;
	snprintf(path, sizeof path, "%s/window/zones", getenv("FG_VECTORS"));
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fscanf(f, "%63s %lld %d", text, &t, &offset) == 3) {
		struct zone z;
		assert_true(zone_parse(view_str(text), &z));
		if (zone_offset(&z, t) != offset)
			fail_msg("%s at %lld is %d, not %d", text, t, (int)zone_offset(&z, t), offset);
		n++;
	}
	fclose(f);
	assert_true(n > 900);
}

/* From each change to the next the offset stays, and at each it is another. */
static void
changes_are_all_of_them(void **state)
{
	static const char *const texts[] = { "CET-1CEST,M3.5.0,M10.5.0/3", "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
		"IST-1GMT0,M10.5.0,M3.5.0/1" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct zone z;
		unsigned n = 0;
		assert_true(zone_parse(view_str(texts[i]), &z));
		int64_t from = zone_day(2025, 1, 1) * ZONE_DAY, until = zone_day(2035, 1, 1) * ZONE_DAY;
		for (int64_t t = zone_change(&z, from); t < until; t = zone_change(&z, t), n++) {
			assert_int_not_equal(zone_offset(&z, t), zone_offset(&z, t - 1));
			for (int64_t k = t; k < zone_change(&z, t); k += 7 * ZONE_DAY)
				assert_int_equal(zone_offset(&z, k), zone_offset(&z, t));
		}
		assert_int_equal(n, 20);
	}
}

static void
daylight_may_last_all_year(void **state)
{
	struct zone z;
	(void)state;
	/* RFC 9636 3.3.1 has this one. */
	assert_true(zone_parse(view_str("EST5EDT,0/0,J365/25"), &z));
	for (int64_t t = zone_day(2026, 12, 1) * ZONE_DAY; t < zone_day(2027, 2, 1) * ZONE_DAY; t += 1800)
		assert_int_equal(zone_offset(&z, t), -4 * 3600);
	assert_true(zone_parse(view_str("UTC0"), &z));
	assert_int_equal(zone_change(&z, 0), ZONE_NEVER);
	assert_int_equal(zone_offset(&z, INT64_MIN), 0);
	assert_int_equal(zone_offset(&z, INT64_MAX), 0);
	assert_true(zone_parse(view_str("CET-1CEST,M3.5.0,M10.5.0/3"), &z));
	assert_int_equal(zone_offset(&z, INT64_MIN), 3600);
	assert_int_equal(zone_offset(&z, INT64_MAX), 3600);
	assert_int_equal(zone_change(&z, INT64_MAX), ZONE_NEVER);
}

/* POSIX: 29 February is never counted, it cannot be referred to: J59 is 28 February and J60 1 March, always. */
static void
leap_days_have_no_julian_number(void **state)
{
	struct zone z;
	(void)state;
	assert_true(zone_parse(view_str("AAA-1BBB,J59/2,J60/3"), &z));
	for (int64_t y = 2023; y <= 2024; y++) {
		assert_int_equal(zone_change(&z, zone_day(y, 1, 1) * ZONE_DAY), zone_day(y, 2, 28) * ZONE_DAY + 3600);
		assert_int_equal(zone_change(&z, zone_day(y, 2, 28) * ZONE_DAY + 3600), zone_day(y, 3, 1) * ZONE_DAY + 3600);
	}
	/* Without the J it is counted, from 0. */
	assert_true(zone_parse(view_str("AAA-1BBB,58/2,J200/3"), &z));
	assert_int_equal(zone_change(&z, zone_day(2023, 1, 1) * ZONE_DAY), zone_day(2023, 2, 28) * ZONE_DAY + 3600);
	assert_true(zone_parse(view_str("AAA-1BBB,59/2,J200/3"), &z));
	assert_int_equal(zone_change(&z, zone_day(2024, 1, 1) * ZONE_DAY), zone_day(2024, 2, 29) * ZONE_DAY + 3600);
}

static void
other_texts_are_refused(void **state)
{
	static const char *const texts[] = { "", "UTC", "UT0", "Europe/Berlin", ":UTC0", "UTC0 ", " UTC0", "UTC25", "UTC0:60",
		"UTC0:00:60", "UTC+", "UTC--1", "<UTC0", "<+1>1", "<>0", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,",
		"CET-1CEST,M3.5.0,M10.5.0/3,", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1", "CET-1CEST,J366,J1", "CET-1CEST,366,1",
		"CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0/,M10.5.0", "CET-1,M3.5.0,M10.5.0", "CET-1CEST,M3.5,M10.5.0",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1" };
	struct zone z;
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (zone_parse(view_str(texts[i]), &z))
			fail_msg("\"%s\" was taken", texts[i]);
	assert_false(zone_parse(view_of("UTC0\0", 5), &z));
}

static void
days_are_counted(void **state)
{
	static const char *const none[] = { "", "2026-02-29", "2100-02-29", "2026-00-01", "2026-13-01", "2026-04-31", "2026-01-00",
		"1969-12-31", "2026-1-01", "2026-01-1", "20260101", "2026/01/01", "2026-01-01 ", "+026-01-01" };
	int64_t day;
	(void)state;
	assert_int_equal(zone_day(1970, 1, 1), 0);
	assert_int_equal(zone_day(2000, 3, 1), 11017);
	assert_int_equal((zone_day(9999, 12, 31) + 1) * ZONE_DAY - 1, ZONE_TIME_MAX);
	assert_true(zone_date_parse(view_str("2024-02-29"), &day));
	assert_int_equal(day, 19782);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(zone_date_parse(view_str(none[i]), &day));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zoneinfo_says_the_same),
		cmocka_unit_test(changes_are_all_of_them),
		cmocka_unit_test(daylight_may_last_all_year),
		cmocka_unit_test(leap_days_have_no_julian_number),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(days_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
