/* SPDX-License-Identifier: Apache-2.0 */
/* Control and the clock: what opens the gate, what shuts it, which hold statements name. */
#include "gateway/control/timekeep.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/decisions.h"
#include "gateway/wire/memfd.h"
#define people_genesis sample_genesis /* control's people has one of that name */
#include "unit/crypto/people.h"
#undef people_genesis
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

/* Who signs, for what asks when the gateway was made. */
static void
people_up(struct fixture *f)
{
	struct person alice = people_make("alice@example.com", 1), bob = people_make("bob@example.com", 2);
	struct genesis *g = sample_genesis((const struct person *const[]){ &alice, &bob }, 2, 2);
	struct writer text;
	char why[200];
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(g, &text), 0);
	close(scratch_dir(&f->r->s, "authority"));
	close(scratch_dir(&f->r->s, "authority/signers"));
	int fd = memfd_sealed("genesis", writer_view(&text));
	if (people_load(fd, f->r->s.dir, &f->c->people, why, sizeof why))
		fail_msg("%s", why);
	close(fd);
	writer_free(&text);
	free(g);
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
	assert_false(decisions_clock_sure(f->c));
}

/* No time of before the confirmation keeps the gate shut after it. */
static void
test_a_confirmed_step_back_is_judged_by_again(void **state)
{
	struct fixture *f = *state;
	people_up(f);
	tell(f, MSG_CLOCK_SURE, 0);
	assert_true(decisions_clock_sure(f->c));
	f->step = -24 * HOUR;
	tell(f, MSG_CLOCK_HELD, START + 7);
	assert_false(decisions_clock_sure(f->c));
	timekeep_on_head(f->c, &(struct msg_head){ .last_us = (START + 60) * US });
	const struct msg_clock m = { .state = MSG_CLOCK_SURE, .base_wall = (START + f->step) * US,
		.base_boot = START * US, .forgiven = (START + 600) * US };
	timekeep_on_clock(f->c, &m);
	assert_true(timekeep_is_sure(f->c));
	assert_true(decisions_clock_sure(f->c));
	people_free(f->c->people);
}

static void
test_no_review_expires_by_a_held_clock(void **state)
{
	struct fixture *f = *state;
	struct db_resource r = { .first_seen = 1, .last_seen = 1, .sightings = 1 };
	struct db_candidate c = { .created = 1, .updated = 1, .have_image = true }, got;
	uint64_t id;
	bool fresh;
	snprintf(r.profile, sizeof r.profile, "acme-rtr");
	memset(r.id, 3, sizeof r.id);
	memset(c.resource, 3, sizeof c.resource);
	snprintf(c.state, sizeof c.state, "%s", lifecycle_state_name(LIFECYCLE_REVIEW));
	assert_int_equal(db_resource_sight(f->c->db, &r, &fresh), 0);
	assert_int_equal(db_candidate_new(f->c->db, &c, &id), 0);
	tell(f, MSG_CLOCK_HELD, START + 7);
	reviews_expire(f->c->reviews);
	assert_int_equal(db_candidate_get(f->c->db, id, &got), 0);
	assert_string_equal(got.state, lifecycle_state_name(LIFECYCLE_REVIEW));
	tell(f, MSG_CLOCK_SURE, 0);
	reviews_expire(f->c->reviews);
	assert_int_equal(db_candidate_get(f->c->db, id, &got), 0);
	assert_string_not_equal(got.state, lifecycle_state_name(LIFECYCLE_REVIEW));
}

/* Without people to ask: it would fall over if it looked at any. */
static void
test_no_proposal_expires_by_a_held_clock(void **state)
{
	struct fixture *f = *state;
	struct proposals *p = proposals_new(f->c);
	tell(f, MSG_CLOCK_HELD, START + 7);
	assert_null(f->c->people);
	proposals_expire(p);
	proposals_free(p);
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
		T(test_a_confirmed_step_back_is_judged_by_again),
		T(test_no_review_expires_by_a_held_clock),
		T(test_no_proposal_expires_by_a_held_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
