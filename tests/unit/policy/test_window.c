/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "policy/window.h"

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NOBODY view_str("nobody")

static struct window
made(const char *zone, const char *days, const char *from, const char *to)
{
	struct window w = { 0 };
	snprintf(w.zone_text, sizeof w.zone_text, "%s", zone);
	snprintf(w.from_text, sizeof w.from_text, "%s", from);
	snprintf(w.to_text, sizeof w.to_text, "%s", to);
	for (const char *p = days; *p; p += p[3] ? 4 : 3)
		snprintf(w.day[w.day_n++], sizeof w.day[0], "%.3s", p);
	assert_true(window_resolve(&w));
	return w;
}

static struct window_blackout
black(const char *zone, const char *first, const char *last)
{
	struct window_blackout b = { 0 };
	snprintf(b.zone_text, sizeof b.zone_text, "%s", zone);
	snprintf(b.first_text, sizeof b.first_text, "%s", first);
	snprintf(b.last_text, sizeof b.last_text, "%s", last);
	assert_true(window_blackout_resolve(&b));
	return b;
}

static int64_t
utc(int64_t y, int64_t mo, int64_t d, int64_t h, int64_t mi)
{
	return zone_day(y, mo, d) * ZONE_DAY + h * 3600 + mi * 60;
}

/* tests/vectors/window.py wrote it: nights, days, and hours that a change of clocks leaves out or repeats. */
static void
zoneinfo_says_the_same(void **state)
{
	char path[4096], zone[64], days[32], from[6], to[6];
	long long t, next, close;
	int open;
	unsigned n = 0;
	(void)state;
	snprintf(path, sizeof path, "%s/window/windows", getenv("FG_VECTORS"));
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fscanf(f, "%63s %31s %5s %5s %lld %d %lld %lld", zone, days, from, to, &t, &open, &next, &close) == 8) {
		struct window w = made(zone, days, from, to);
		struct window_list l = { .window = { &w }, .n = 1 };
		int64_t limit = t + 8 * ZONE_DAY, is_next = window_next(&l, NOBODY, t, limit);
		int64_t is_close = window_close(&l, NOBODY, t, limit);
		if (window_open(&l, NOBODY, t) != open || is_next != (next < 0 ? ZONE_NEVER : next) ||
		    is_close != (close < 0 ? limit : close))
			fail_msg("%s %s %s-%s at %lld: next %lld, close %lld", zone, days, from, to, t, (long long)is_next,
			    (long long)is_close);
		n++;
	}
	fclose(f);
	assert_true(n > 400);
}

static void
clocks_leave_out_and_repeat(void **state)
{
	struct window w = made(BERLIN, "sun", "02:00", "03:00");
	struct window_list l = { .window = { &w }, .n = 1 };
	(void)state;
	/* 2026-03-29, 02:00 is 03:00: that week it does not open. */
	assert_false(window_open(&l, NOBODY, utc(2026, 3, 29, 1, 0)));
	assert_int_equal(window_next(&l, NOBODY, utc(2026, 3, 28, 0, 0), ZONE_NEVER), utc(2026, 4, 5, 0, 0));
	/* 2026-10-25, the hour comes twice, and is one window of two hours. */
	assert_int_equal(window_next(&l, NOBODY, utc(2026, 10, 24, 0, 0), ZONE_NEVER), utc(2026, 10, 25, 0, 0));
	assert_int_equal(window_close(&l, NOBODY, utc(2026, 10, 25, 0, 0), ZONE_NEVER), utc(2026, 10, 25, 2, 0));
}

static void
nothing_configured_is_open(void **state)
{
	struct window_list none = { 0 };
	(void)state;
	assert_true(window_open(&none, NOBODY, INT64_MIN));
	assert_int_equal(window_next(&none, NOBODY, 5, 6), 5);
	assert_int_equal(window_next(&none, NOBODY, 6, 6), ZONE_NEVER);
	assert_int_equal(window_close(&none, NOBODY, 5, ZONE_NEVER), ZONE_NEVER);
	/* Where something is, no time that is none is in it. */
	struct window w = made("UTC0", "mon,tue,wed,thu,fri,sat,sun", "00:00", "24:00");
	struct window_list l = { .window = { &w }, .n = 1 };
	assert_true(window_open(&l, NOBODY, 0));
	assert_false(window_open(&l, NOBODY, -1));
	assert_false(window_open(&l, NOBODY, INT64_MAX));
	assert_int_equal(window_next(&l, NOBODY, INT64_MIN, INT64_MAX), ZONE_NEVER);
	assert_int_equal(window_close(&l, NOBODY, INT64_MAX, INT64_MAX), INT64_MAX);
	assert_int_equal(window_close(&l, NOBODY, 0, INT64_MAX), WINDOW_AHEAD);
}

static void
blackouts_win(void **state)
{
	struct window w = made(BERLIN, "mon,tue,wed,thu,fri,sat,sun", "01:00", "04:00");
	struct window_blackout b = black(BERLIN, "2026-12-24", "2027-01-02");
	struct window_list l = { .window = { &w }, .n = 1, .blackout = { &b }, .blackouts_n = 1 };
	(void)state;
	assert_true(window_open(&l, NOBODY, utc(2026, 12, 23, 0, 30)));
	assert_false(window_open(&l, NOBODY, utc(2026, 12, 24, 0, 30)));
	assert_false(window_open(&l, NOBODY, utc(2027, 1, 2, 0, 30)));
	assert_int_equal(window_next(&l, NOBODY, utc(2026, 12, 24, 0, 0), ZONE_NEVER), utc(2027, 1, 3, 0, 0));
	/* Its first midnight and its last are those of the zone. */
	struct window_list only = { .blackout = { &b }, .blackouts_n = 1 };
	assert_int_equal(window_close(&only, NOBODY, utc(2026, 12, 1, 0, 0), ZONE_NEVER), utc(2026, 12, 23, 23, 0));
	assert_int_equal(window_next(&only, NOBODY, utc(2026, 12, 23, 23, 0), ZONE_NEVER), utc(2027, 1, 2, 23, 0));
}

static void
groups_have_their_own(void **state)
{
	struct window all = made("UTC0", "mon", "00:00", "01:00"), field = made("UTC0", "tue", "00:00", "01:00");
	struct window_blackout b = black("UTC0", "2026-06-01", "2026-06-30");
	struct view in_field = view_str("field");
	struct window_list l = { .window = { &field }, .n = 1 };
	(void)state;
	snprintf(field.groups[field.groups_n++], sizeof field.groups[0], "field");
	assert_true(window_open(&l, in_field, utc(2026, 6, 2, 0, 0)));
	/* No window is for it: it waits, and nothing says for how long. */
	assert_false(window_open(&l, NOBODY, utc(2026, 6, 2, 0, 0)));
	assert_int_equal(window_next(&l, NOBODY, utc(2026, 6, 2, 0, 0), ZONE_NEVER), ZONE_NEVER);
	l.window[l.n++] = &all;
	assert_true(window_open(&l, NOBODY, utc(2026, 6, 1, 0, 0)));
	assert_true(window_open(&l, in_field, utc(2026, 6, 1, 0, 0)));
	assert_false(window_open(&l, NOBODY, utc(2026, 6, 2, 0, 0)));
	snprintf(b.groups[b.groups_n++], sizeof b.groups[0], "field");
	l.blackout[l.blackouts_n++] = &b;
	assert_true(window_open(&l, NOBODY, utc(2026, 6, 1, 0, 0)));
	assert_false(window_open(&l, in_field, utc(2026, 6, 1, 0, 0)));
}

static void
windows_side_by_side_are_one(void **state)
{
	struct window a = made("UTC0", "mon", "20:00", "24:00"), b = made("UTC0", "tue", "00:00", "02:00");
	struct window_list l = { .window = { &a, &b }, .n = 2 };
	(void)state;
	assert_int_equal(window_close(&l, NOBODY, utc(2026, 6, 1, 21, 0), ZONE_NEVER), utc(2026, 6, 2, 2, 0));
	assert_int_equal(window_close(&l, NOBODY, utc(2026, 6, 1, 21, 0), utc(2026, 6, 1, 22, 0)), utc(2026, 6, 1, 22, 0));
	assert_int_equal(window_close(&l, NOBODY, utc(2026, 6, 1, 19, 0), ZONE_NEVER), utc(2026, 6, 1, 19, 0));
	assert_int_equal(window_next(&l, NOBODY, utc(2026, 6, 1, 19, 0), utc(2026, 6, 1, 20, 0)), ZONE_NEVER);
}

static void
texts_have_one_form(void **state)
{
	static const char *const none[] = { "", "1:00", "01:0", "01:60", "25:00", "24:01", "24:00", "01.00", "a1:00", "01:00 " };
	struct window w = made("UTC0", "mon", "01:00", "02:00");
	struct window_blackout b = black("UTC0", "2026-01-01", "2026-01-01");
	int32_t s;
	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(window_clock_parse(view_str(none[i]), false, &s));
	assert_true(window_clock_parse(view_str("24:00"), true, &s));
	assert_int_equal(s, 86400);
	assert_int_equal(window_day_parse(view_str("sun")), 0);
	assert_int_equal(window_day_parse(view_str("sat")), 6);
	assert_true(window_day_parse(view_str("Sun")) < 0);
	memcpy(w.to_text, w.from_text, sizeof w.to_text);
	assert_false(window_resolve(&w));
	memcpy(b.last_text, "2025-12-31", sizeof b.last_text);
	assert_false(window_blackout_resolve(&b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zoneinfo_says_the_same),
		cmocka_unit_test(clocks_leave_out_and_repeat),
		cmocka_unit_test(nothing_configured_is_open),
		cmocka_unit_test(blackouts_win),
		cmocka_unit_test(groups_have_their_own),
		cmocka_unit_test(windows_side_by_side_are_one),
		cmocka_unit_test(texts_have_one_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
