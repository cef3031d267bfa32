/* SPDX-License-Identifier: Apache-2.0 */
/* Control and the clock: what opens the gate, what shuts it, which hold statements name. */
#include "gateway/control/timekeep.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/control_rig.h"

#define US INT64_C(1000000)
#define HOUR 3600
#define START 1800000000

struct fixture {
	struct control_rig *r;
	struct control *c;
	int64_t step; /* of the wall clock against the time since boot */
};

static int64_t
wall(void *ctx)
{
	const struct fixture *f = ctx;
	return (f->r->now + f->step) * US;
}

static int64_t
mono(void *ctx)
{
	return ((const struct fixture *)ctx)->r->now * 1000;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->r = control_rig_new();
	f->c = &f->r->c;
	f->r->clock = (struct clock_source){ wall, mono, f };
	f->c->timekeep = (struct timekeep){ .said.state = MSG_CLOCK_UNKNOWN };
	f->c->halts = halts_new(f->c);
	f->c->replay = replay_new(f->c);
	f->c->reviews = reviews_new(f->c);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	reviews_free(f->c->reviews);
	replay_free(f->c->replay);
	halts_free(f->c->halts);
	control_rig_free(f->r);
	free(f);
	return 0;
}

static void
tell(struct fixture *f, uint8_t state, int64_t name)
{
	const struct msg_clock m = { .state = state, .base_wall = START * US, .base_boot = START * US, .name = name,
		.step = name ? HOUR * US : 0 };
	timekeep_on_clock(f->c, &m);
}

static void
test_nothing_before_the_warden_has_spoken(void **state)
{
	struct fixture *f = *state;
	char why[320];
	assert_false(timekeep_is_sure(f->c));
	assert_true(timekeep_earliest(f->c) < 0);
	assert_true(timekeep_latest(f->c) > START + INT64_C(1000000000000));
	timekeep_why(f->c, why, sizeof why);
	assert_non_null(strstr(why, "has not told"));
	timekeep_on_clock(f->c, &(struct msg_clock){ .state = MSG_CLOCK_SURE }); /* no base: no word */
	assert_false(timekeep_is_sure(f->c));
	tell(f, MSG_CLOCK_SURE, 0);
	assert_true(timekeep_is_sure(f->c));
	assert_true(timekeep_earliest(f->c) == START && timekeep_latest(f->c) == START);
}

/* Control sees a step itself, before the warden says so and if it never does. */
static void
test_a_step_shuts_the_gate_by_itself(void **state)
{
	struct fixture *f = *state;
	tell(f, MSG_CLOCK_SURE, 0);
	f->step = 300;
	assert_true(timekeep_is_sure(f->c));
	assert_true(timekeep_earliest(f->c) == START && timekeep_latest(f->c) == START + 300);
	f->step = -301;
	assert_false(timekeep_is_sure(f->c));
	assert_true(timekeep_latest(f->c) == START);
	f->r->now += 9 * HOUR; /* asleep */
	f->step = 0;
	assert_true(timekeep_is_sure(f->c));
}

static void
test_the_floor_is_the_logs(void **state)
{
	struct fixture *f = *state;
	tell(f, MSG_CLOCK_SURE, 0);
	timekeep_on_head(f->c, &(struct msg_head){ .last_us = (START + 200) * US });
	assert_true(timekeep_is_sure(f->c));
	assert_true(timekeep_latest(f->c) == START + 200 && timekeep_earliest(f->c) == START);
	timekeep_on_head(f->c, &(struct msg_head){ .last_us = (START + HOUR) * US });
	assert_false(timekeep_is_sure(f->c));
}

static void
test_a_held_clock_says_how_it_ends(void **state)
{
	struct fixture *f = *state;
	char why[320];
	tell(f, MSG_CLOCK_HELD, START + 7);
	assert_false(timekeep_is_sure(f->c)); /* where it must be, and held all the same */
	assert_true(timekeep_hold(f->c) == START + 7);
	timekeep_why(f->c, why, sizeof why);
	assert_non_null(strstr(why, "3600 s"));
	assert_non_null(strstr(why, "fotagate resume statement"));
	tell(f, MSG_CLOCK_SURE, 0);
	assert_true(timekeep_hold(f->c) == 0);
	assert_true(timekeep_is_sure(f->c));
}

static void
test_nothing_is_judged_by_a_held_clock(void **state)
{
	struct fixture *f = *state;
	tell(f, MSG_CLOCK_HELD, START + 7);
	assert_false(judging_clock_sure(f->c));
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing_before_the_warden_has_spoken),
		T(test_a_step_shuts_the_gate_by_itself),
		T(test_the_floor_is_the_logs),
		T(test_a_held_clock_says_how_it_ends),
		T(test_nothing_is_judged_by_a_held_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
