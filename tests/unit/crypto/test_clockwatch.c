/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/clockwatch.h"
#include "crypto/err.h"
#include "crypto/stamp.h"

#define S INT64_C(1000000)
#define T0 (INT64_C(1780000000) * S) /* wall clock when the base is taken */
#define B0 (INT64_C(5000) * S)       /* and since boot */
#define YEAR (INT64_C(31536000) * S)
#define SLACK CLOCKWATCH_SLACK_US

static const uint8_t boot_a[CLOCKWATCH_BOOT_ID] = { 1 }, boot_b[CLOCKWATCH_BOOT_ID] = { 2 };

static struct clockwatch
based(void)
{
	struct clockwatch cw = { 0 };
	clockwatch_begin(&cw, boot_a);
	clockwatch_floor(&cw, T0 - 10 * S);
	assert_int_equal(clockwatch_see(&cw, T0, B0, 0), CLOCKWATCH_SURE);
	return cw;
}

/* One reading `later` after the base, with the wall clock `off` from where it must be. */
static enum clockwatch_state
see(struct clockwatch *cw, int64_t later, int64_t off)
{
	return clockwatch_see(cw, T0 + later + off, B0 + later, 0);
}

static void
test_zero_permits_nothing(void **state)
{
	(void)state;
	struct clockwatch cw = { 0 };
	assert_int_equal(CLOCKWATCH_UNKNOWN, 0);
	assert_int_equal(clockwatch_judge(&cw, T0, B0), CLOCKWATCH_UNKNOWN);
	assert_true(clockwatch_earliest(&cw, T0, B0) == INT64_MIN);
	assert_true(clockwatch_latest(&cw, T0, B0) == INT64_MAX);
}

static void
test_a_steady_clock(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	for (int64_t later = 0; later < 40 * YEAR; later += YEAR / 3) {
		assert_int_equal(see(&cw, later, 0), CLOCKWATCH_SURE);
		assert_true(clockwatch_earliest(&cw, T0 + later, B0 + later) == T0 + later);
		assert_true(clockwatch_latest(&cw, T0 + later, B0 + later) == T0 + later);
	}
	assert_false(cw.held);
}

static void
test_a_step_is_over_five_minutes_either_way(void **state)
{
	(void)state;
	static const struct {
		int64_t off;
		enum clockwatch_state state;
	} rows[] = {
		{ SLACK, CLOCKWATCH_SURE }, { -SLACK, CLOCKWATCH_SURE }, { SLACK + 1, CLOCKWATCH_HELD },
		{ -SLACK - 1, CLOCKWATCH_HELD }, { YEAR, CLOCKWATCH_HELD }, { -YEAR, CLOCKWATCH_HELD },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct clockwatch cw = based();
		assert_int_equal(see(&cw, 3600 * S, rows[i].off), rows[i].state);
		assert_int_equal(cw.held, rows[i].state == CLOCKWATCH_HELD);
		if (cw.held)
			assert_true(cw.step == rows[i].off);
	}
}

/* Whoever moves the clock four minutes a day is noticed on the second. */
static void
test_small_steps_add_up(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	assert_int_equal(see(&cw, 86400 * S, 240 * S), CLOCKWATCH_SURE);
	assert_int_equal(see(&cw, 2 * 86400 * S, 480 * S), CLOCKWATCH_HELD);
}

/* CLOCK_BOOTTIME counts the hours a machine sleeps, as the wall clock does. */
static void
test_a_suspended_machine_has_not_stepped(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	assert_int_equal(see(&cw, 3600 * S, 0), CLOCKWATCH_SURE);
	assert_int_equal(see(&cw, 3600 * S + 14 * 3600 * S, 0), CLOCKWATCH_SURE);
}

static void
test_judging_begins_nothing(void **state)
{
	(void)state;
	struct clockwatch cw = based(), before = cw;
	assert_int_equal(clockwatch_judge(&cw, T0 + YEAR, B0), CLOCKWATCH_HELD);
	assert_memory_equal(&cw, &before, sizeof cw);
	assert_int_equal(clockwatch_judge(&cw, T0, B0), CLOCKWATCH_SURE);
}

static void
test_expiry_asks_the_latest_and_waits_the_earliest(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	assert_true(clockwatch_latest(&cw, T0 + 60 * S, B0) == T0 + 60 * S);
	assert_true(clockwatch_earliest(&cw, T0 + 60 * S, B0) == T0);
	assert_true(clockwatch_latest(&cw, T0 - 60 * S, B0) == T0);
	assert_true(clockwatch_earliest(&cw, T0 - 60 * S, B0) == T0 - 60 * S);
	/* An entry from the future has everything expire and lets no wait end. */
	clockwatch_floor(&cw, T0 + YEAR);
	assert_true(clockwatch_latest(&cw, T0, B0) == T0 + YEAR);
	assert_true(clockwatch_earliest(&cw, T0, B0) == T0);
}

static void
test_the_floor_only_rises(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	clockwatch_floor(&cw, T0 + 5);
	clockwatch_floor(&cw, T0);
	clockwatch_floor(&cw, INT64_MIN);
	assert_true(cw.floor == T0 + 5);
}

static void
test_coming_back_ends_a_hold_when_it_is_released(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	assert_int_equal(see(&cw, 10 * S, YEAR), CLOCKWATCH_HELD);
	int64_t name = cw.name;
	assert_int_equal(see(&cw, 20 * S, 1 * S), CLOCKWATCH_BACK);
	assert_true(cw.held); /* until its owner has logged it */
	assert_int_equal(see(&cw, 30 * S, YEAR), CLOCKWATCH_HELD);
	assert_true(cw.name == name); /* the same one */
	assert_int_equal(see(&cw, 40 * S, 0), CLOCKWATCH_BACK);
	clockwatch_release(&cw, T0 + 40 * S, B0 + 40 * S);
	assert_int_equal(see(&cw, 50 * S, 0), CLOCKWATCH_SURE);
	/* The base is the old one: going back and forth gains nothing. */
	assert_true(cw.base_wall == T0 && cw.base_boot == B0);
}

static void
test_another_step_is_another_hold(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	assert_int_equal(see(&cw, 10 * S, YEAR), CLOCKWATCH_HELD);
	int64_t first = cw.name;
	cw.logged = true;
	assert_int_equal(see(&cw, 3600 * S, YEAR + SLACK), CLOCKWATCH_HELD);
	assert_true(cw.name == first && cw.logged);
	assert_int_equal(see(&cw, 3700 * S, 2 * YEAR), CLOCKWATCH_HELD);
	assert_true(cw.name > first);
	assert_false(cw.logged);
	assert_true(cw.step == 2 * YEAR);
}

static void
test_names_never_repeat(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	int64_t last = 0;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(clockwatch_see(&cw, T0 + YEAR, B0, i == 25 ? T0 / S + 500 : 0), CLOCKWATCH_HELD);
		assert_true(cw.name > last);
		last = cw.name;
		assert_int_equal(see(&cw, 0, 0), CLOCKWATCH_BACK);
		clockwatch_release(&cw, T0, B0);
	}
	assert_true(last > T0 / S + 500); /* a halt of that name was told of */
}

/* A clock at the end of time names its holds, and whatever was halted by it, each by a name of its own. */
static void
test_names_at_the_end_of_time(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	int64_t last = 0;
	for (int i = 0; i < 8; i++) {
		clockwatch_confirm(&cw, STAMP_MAX * S, B0);
		assert_int_equal(clockwatch_see(&cw, T0, B0, i == 4 ? STAMP_MAX : 0), CLOCKWATCH_HELD);
		assert_true(cw.name > last && cw.name < STAMP_MAX);
		last = cw.name;
	}
}

static void
test_people_confirm(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	assert_int_equal(see(&cw, 10 * S, YEAR), CLOCKWATCH_HELD);
	clockwatch_confirm(&cw, T0 + 20 * S + YEAR, B0 + 20 * S);
	assert_int_equal(see(&cw, 30 * S, YEAR), CLOCKWATCH_SURE);
	/* What was right before is a step now. */
	assert_int_equal(see(&cw, 40 * S, 0), CLOCKWATCH_HELD);
}

/* The clock ran a year ahead, entries with it; people say that it is a year earlier. */
static void
test_people_overrule_the_floor_up_to_what_it_was(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	clockwatch_floor(&cw, T0);
	assert_int_equal(see(&cw, 10 * S, -YEAR), CLOCKWATCH_HELD);
	int64_t wall = T0 + 20 * S - YEAR;
	clockwatch_confirm(&cw, wall, B0 + 20 * S);
	clockwatch_floor(&cw, T0); /* the log goes on with its last time */
	assert_int_equal(clockwatch_see(&cw, wall, B0 + 20 * S, 0), CLOCKWATCH_SURE);
	assert_true(clockwatch_latest(&cw, wall, B0 + 20 * S) == wall);
	/* Whoever writes it stamped by the old base up to now, and has not heard of the new one yet. */
	clockwatch_floor(&cw, T0 + 20 * S + 2 * SLACK);
	assert_int_equal(clockwatch_see(&cw, wall, B0 + 20 * S, 0), CLOCKWATCH_SURE);
	clockwatch_floor(&cw, T0 + 20 * S + 2 * SLACK + 1); /* but no further */
	assert_int_equal(clockwatch_see(&cw, wall, B0 + 20 * S, 0), CLOCKWATCH_HELD);
	assert_true(clockwatch_latest(&cw, wall, B0 + 20 * S) == T0 + 20 * S + 2 * SLACK + 1);
}

/* People take as long as they take; the log's time goes on meanwhile, and the last head was a while ago. */
static void
test_a_confirmed_step_back_does_not_come_back(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	int64_t log = T0 - 10 * S;
	for (int64_t later = 0; later < 86400 * S; later += 3600 * S) {
		int64_t wall = T0 + later - YEAR, boot = B0 + later;
		assert_int_equal(clockwatch_see(&cw, wall, boot, 0), CLOCKWATCH_HELD);
		log = clockwatch_stamp(&cw, wall, boot, log);
	}
	int64_t wall = T0 + 86400 * S - YEAR, boot = B0 + 86400 * S;
	log = clockwatch_stamp(&cw, wall, boot, log); /* the entry that confirms it, which no head told of yet */
	assert_true(log == T0 + 86400 * S);
	clockwatch_confirm(&cw, wall, boot);
	log = clockwatch_stamp(&cw, wall, boot, log);
	clockwatch_floor(&cw, log);
	assert_int_equal(clockwatch_see(&cw, wall, boot, 0), CLOCKWATCH_SURE);
	assert_true(clockwatch_latest(&cw, wall, boot) == wall);
	/* A confirmed step ahead forgives nothing to come. */
	cw = based();
	assert_int_equal(see(&cw, 0, YEAR), CLOCKWATCH_HELD);
	clockwatch_confirm(&cw, T0 + YEAR, B0);
	assert_true(cw.forgiven == 0);
}

/* Whatever the log says, and whether or not this boot has a base. */
static void
test_confirming_is_judged_by_the_clock_itself(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	clockwatch_floor(&cw, INT64_MAX);
	assert_true(clockwatch_latest_confirming(&cw, T0 - YEAR, B0) == T0);
	assert_true(clockwatch_earliest_confirming(&cw, T0 - YEAR, B0) == T0 - YEAR);
	assert_true(clockwatch_latest_confirming(&cw, T0 + YEAR, B0) == T0 + YEAR);
	assert_true(clockwatch_earliest_confirming(&cw, T0 + YEAR, B0) == T0);
	clockwatch_begin(&cw, boot_b);
	assert_int_equal(clockwatch_see(&cw, T0, 9 * S, 0), CLOCKWATCH_HELD);
	assert_true(clockwatch_latest_confirming(&cw, T0, 9 * S) == T0);
	assert_true(clockwatch_earliest_confirming(&cw, T0, 9 * S) == T0);
	clockwatch_confirm(&cw, T0, 9 * S);
	assert_int_equal(clockwatch_see(&cw, T0 + S, 10 * S, 0), CLOCKWATCH_SURE);
}

static void
test_behind_the_floor_after_a_reboot(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	clockwatch_floor(&cw, T0 + 1000 * S);
	clockwatch_begin(&cw, boot_b);
	assert_int_equal(clockwatch_judge(&cw, T0 + 1000 * S, 9 * S), CLOCKWATCH_UNKNOWN);
	assert_int_equal(clockwatch_see(&cw, T0 + 600 * S, 9 * S, 0), CLOCKWATCH_HELD);
	assert_false(cw.based);
	int64_t name = cw.name;
	/* The distance shrinks with time: still the same hold. */
	assert_int_equal(clockwatch_see(&cw, T0 + 300 * S, 9 * S, 0), CLOCKWATCH_HELD);
	assert_true(cw.name == name);
	/* NTP has set it: the base is taken there. */
	assert_int_equal(clockwatch_see(&cw, T0 + 9000 * S, 20 * S, 0), CLOCKWATCH_BACK);
	clockwatch_release(&cw, T0 + 9000 * S, 20 * S);
	assert_int_equal(clockwatch_see(&cw, T0 + 9001 * S, 21 * S, 0), CLOCKWATCH_SURE);
	assert_true(cw.base_wall == T0 + 9000 * S);
}

static void
test_a_restart_of_the_process_forgets_nothing(void **state)
{
	(void)state;
	struct clockwatch cw = based(), back;
	struct writer w;
	assert_int_equal(see(&cw, 10 * S, YEAR), CLOCKWATCH_HELD);
	writer_init(&w, CLOCKWATCH_BYTES);
	assert_int_equal(clockwatch_encode(&cw, &w), 0);
	assert_int_equal(w.n, CLOCKWATCH_BYTES);
	assert_int_equal(clockwatch_parse(writer_view(&w), &back), 0);
	clockwatch_begin(&back, boot_a);
	assert_int_equal(see(&back, 20 * S, YEAR), CLOCKWATCH_HELD);
	assert_true(back.name == cw.name);
	assert_int_equal(see(&back, 30 * S, 0), CLOCKWATCH_BACK);
	writer_free(&w);
}

/* Or whoever steps the clock would only have to start the machine again. */
static void
test_a_reboot_keeps_the_hold_for_people(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	assert_int_equal(see(&cw, 10 * S, YEAR), CLOCKWATCH_HELD);
	int64_t name = cw.name;
	clockwatch_begin(&cw, boot_b);
	assert_int_equal(clockwatch_see(&cw, T0 + YEAR, 5 * S, 0), CLOCKWATCH_HELD);
	assert_int_equal(clockwatch_see(&cw, T0 + YEAR + 60 * S, 65 * S, 0), CLOCKWATCH_HELD);
	assert_true(cw.name == name);
	/* It steps again in the new boot: what was signed is void. */
	assert_int_equal(clockwatch_see(&cw, T0 + 3 * YEAR, 70 * S, 0), CLOCKWATCH_HELD);
	assert_true(cw.name > name);
	clockwatch_begin(&cw, boot_a);
	assert_int_equal(clockwatch_see(&cw, T0 + YEAR, 5 * S, 0), CLOCKWATCH_HELD);
	clockwatch_confirm(&cw, T0 + YEAR + 61 * S, 66 * S);
	assert_int_equal(clockwatch_see(&cw, T0 + YEAR + 70 * S, 75 * S, 0), CLOCKWATCH_SURE);
}

static void
test_an_unknown_boot_is_another_one(void **state)
{
	(void)state;
	static const uint8_t unknown[CLOCKWATCH_BOOT_ID];
	struct clockwatch cw = { 0 };
	clockwatch_begin(&cw, unknown);
	assert_int_equal(clockwatch_see(&cw, T0, B0, 0), CLOCKWATCH_SURE);
	clockwatch_begin(&cw, unknown);
	assert_false(cw.based);
}

static void
test_lost_state_is_held_until_people_confirm(void **state)
{
	(void)state;
	struct clockwatch cw = based();
	clockwatch_lost(&cw);
	clockwatch_begin(&cw, boot_a);
	assert_int_equal(clockwatch_see(&cw, T0, B0, 0), CLOCKWATCH_HELD);
	assert_true(cw.name > 0);
	assert_int_equal(clockwatch_see(&cw, T0 + 10 * S, B0 + 10 * S, 0), CLOCKWATCH_HELD);
	clockwatch_confirm(&cw, T0 + 10 * S, B0 + 10 * S);
	assert_int_equal(clockwatch_see(&cw, T0 + 10 * S, B0 + 10 * S, 0), CLOCKWATCH_SURE);
}

static void
test_every_changed_byte_is_noticed(void **state)
{
	(void)state;
	struct clockwatch cw = based(), back = { .name = 42 };
	struct writer w;
	uint8_t bytes[CLOCKWATCH_BYTES + 1] = { 0 };
	writer_init(&w, CLOCKWATCH_BYTES);
	assert_int_equal(clockwatch_encode(&cw, &w), 0);
	memcpy(bytes, w.p, w.n);
	for (size_t i = 0; i < CLOCKWATCH_BYTES; i++) {
		bytes[i] ^= 1;
		assert_int_equal(clockwatch_parse(view_of(bytes, CLOCKWATCH_BYTES), &back), FG_EFORMAT);
		bytes[i] ^= 1;
		assert_int_equal(clockwatch_parse(view_of(bytes, i), &back), FG_EFORMAT);
	}
	assert_int_equal(clockwatch_parse(view_of(bytes, CLOCKWATCH_BYTES + 1), &back), FG_EFORMAT);
	assert_int_equal(back.name, 42);
	writer_free(&w);
}

static void
test_readers_adopt_the_base(void **state)
{
	(void)state;
	struct clockwatch cw = { 0 };
	assert_int_equal(clockwatch_adopt(&cw, -1, B0, 0), FG_EINVAL);
	assert_int_equal(clockwatch_adopt(&cw, T0, -1, 0), FG_EINVAL);
	assert_int_equal(clockwatch_adopt(&cw, T0, B0, -1), FG_EINVAL);
	assert_false(cw.based);
	assert_int_equal(clockwatch_adopt(&cw, T0, B0, 0), 0);
	assert_int_equal(clockwatch_judge(&cw, T0 + S, B0 + S), CLOCKWATCH_SURE);
	assert_int_equal(clockwatch_judge(&cw, T0 + YEAR, B0 + S), CLOCKWATCH_HELD);
}

static void
test_a_step_does_not_carry_the_log_away(void **state)
{
	(void)state;
	struct clockwatch cw = { 0 };
	assert_true(clockwatch_stamp(&cw, T0, B0, 0) == T0);
	cw = based();
	assert_true(clockwatch_stamp(&cw, T0 + 60 * S, B0, 0) == T0 + 60 * S);
	assert_true(clockwatch_stamp(&cw, T0 + YEAR, B0 + 7 * S, T0) == T0 + 7 * S);
	assert_true(clockwatch_stamp(&cw, T0 - YEAR, B0 + 7 * S, T0) == T0 + 7 * S);
	assert_true(clockwatch_stamp(&cw, T0 - YEAR, B0 + 7 * S, T0 + 8 * S) == T0 + 8 * S); /* never back */
}

static void
test_whole_seconds(void **state)
{
	(void)state;
	assert_true(clockwatch_seconds(1999999) == 1);
	assert_true(clockwatch_seconds(-1) == -1);
	assert_true(clockwatch_seconds(-1000000) == -1);
	assert_true(clockwatch_seconds(INT64_MIN) == INT64_MIN / 1000000 - 1);
}

/* ---- laws ---- */

static uint64_t
next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 16;
}

/* Ordinary moments, moments around the slack, and what no clock says. */
static int64_t
moment(uint64_t *seed, int64_t around)
{
	static const int64_t odd[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX };
	switch (next(seed) % 8) {
	case 0:
		return odd[next(seed) % (sizeof odd / sizeof odd[0])];
	case 1:
		return around + SLACK + (int64_t)(next(seed) % 3) - 1;
	case 2:
		return around - SLACK - (int64_t)(next(seed) % 3) + 1;
	case 3:
		return around + (int64_t)(next(seed) % (uint64_t)YEAR) - YEAR / 2;
	default:
		return around + (int64_t)(next(seed) % (uint64_t)SLACK) - SLACK / 2;
	}
}

static bool
permits(const struct clockwatch *cw, int64_t wall, int64_t boot, int64_t not_before, int64_t not_after)
{
	return clockwatch_judge(cw, wall, boot) == CLOCKWATCH_SURE && clockwatch_earliest(cw, wall, boot) >= not_before &&
	    clockwatch_latest(cw, wall, boot) < not_after;
}

static void
test_an_uncertain_clock_never_permits_more(void **state)
{
	(void)state;
	uint64_t seed = 20;
	unsigned yes = 0;
	for (unsigned i = 0; i < 400000; i++) {
		struct clockwatch cw = based();
		int64_t boot = next(&seed) % 16 ? B0 + (int64_t)(next(&seed) % (uint64_t)YEAR) : moment(&seed, B0);
		int64_t must = (int64_t)((uint64_t)T0 + (uint64_t)boot - (uint64_t)B0);
		int64_t wall = moment(&seed, must), before = moment(&seed, must), after = moment(&seed, must);
		clockwatch_floor(&cw, moment(&seed, T0));
		bool now = permits(&cw, wall, boot, before, after);
		yes += now;
		/* Whatever is permitted is permitted by the wall clock, by the base and by the floor, each alone. */
		if (now) {
			assert_true(wall >= before && wall < after);
			assert_true(must >= before && must < after);
			assert_true(cw.floor < after);
			assert_true(wall - must <= SLACK && must - wall <= SLACK);
		}
		/* Less is known: a later floor, a hold, no base. None of it turns no into yes. */
		struct clockwatch worse = cw;
		clockwatch_floor(&worse, moment(&seed, must));
		assert_true(now || !permits(&worse, wall, boot, before, after));
		worse.held = true;
		assert_false(permits(&worse, wall, boot, before, after));
		worse = cw;
		worse.based = false;
		assert_false(permits(&worse, wall, boot, before, after));
		/* Farther from where it must be, same side: never more. */
		int64_t farther = wall;
		if (!__builtin_add_overflow(wall, wall >= must ? 30 * S : -30 * S, &farther))
			assert_true(!permits(&cw, farther, boot, before, after) || permits(&cw, wall, boot, before, after) ||
			    (wall >= must ? wall < before : wall >= after));
		assert_true(clockwatch_earliest(&cw, wall, boot) <= clockwatch_latest(&cw, wall, boot));
	}
	assert_true(yes > 1000); /* or the law says nothing */
}

/* However a hold came about and whatever the readings: only release, confirm and adoption end it. */
static void
test_no_reading_ends_a_hold(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (unsigned i = 0; i < 2000; i++) {
		struct clockwatch cw = based();
		assert_int_equal(see(&cw, S, next(&seed) % 2 ? YEAR : -YEAR), CLOCKWATCH_HELD);
		int64_t name = cw.name;
		for (unsigned k = 0; k < 50; k++) {
			int64_t boot = B0 + (int64_t)(next(&seed) % (uint64_t)YEAR);
			if (next(&seed) % 8 == 0)
				clockwatch_begin(&cw, next(&seed) % 2 ? boot_a : boot_b);
			enum clockwatch_state s = clockwatch_see(&cw, moment(&seed, T0 + boot - B0), boot, 0);
			assert_true(cw.held && (s == CLOCKWATCH_HELD || s == CLOCKWATCH_BACK));
			assert_true(cw.name >= name && cw.name <= STAMP_MAX);
			name = cw.name;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_permits_nothing),
		cmocka_unit_test(test_a_steady_clock),
		cmocka_unit_test(test_a_step_is_over_five_minutes_either_way),
		cmocka_unit_test(test_small_steps_add_up),
		cmocka_unit_test(test_a_suspended_machine_has_not_stepped),
		cmocka_unit_test(test_judging_begins_nothing),
		cmocka_unit_test(test_expiry_asks_the_latest_and_waits_the_earliest),
		cmocka_unit_test(test_the_floor_only_rises),
		cmocka_unit_test(test_coming_back_ends_a_hold_when_it_is_released),
		cmocka_unit_test(test_another_step_is_another_hold),
		cmocka_unit_test(test_names_never_repeat),
		cmocka_unit_test(test_names_at_the_end_of_time),
		cmocka_unit_test(test_people_confirm),
		cmocka_unit_test(test_people_overrule_the_floor_up_to_what_it_was),
		cmocka_unit_test(test_a_confirmed_step_back_does_not_come_back),
		cmocka_unit_test(test_confirming_is_judged_by_the_clock_itself),
		cmocka_unit_test(test_behind_the_floor_after_a_reboot),
		cmocka_unit_test(test_a_restart_of_the_process_forgets_nothing),
		cmocka_unit_test(test_a_reboot_keeps_the_hold_for_people),
		cmocka_unit_test(test_an_unknown_boot_is_another_one),
		cmocka_unit_test(test_lost_state_is_held_until_people_confirm),
		cmocka_unit_test(test_every_changed_byte_is_noticed),
		cmocka_unit_test(test_readers_adopt_the_base),
		cmocka_unit_test(test_a_step_does_not_carry_the_log_away),
		cmocka_unit_test(test_whole_seconds),
		cmocka_unit_test(test_an_uncertain_clock_never_permits_more),
		cmocka_unit_test(test_no_reading_ends_a_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
