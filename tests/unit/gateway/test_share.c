/* SPDX-License-Identifier: Apache-2.0 */
/* Time is a number here: minutes of sending are simulated, and bytes counted. */
#include "gateway/net/share.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define MODULES 12
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define FIRST(rate) ((rate) * SHARE_DEPTH_MS / 1000) /* nobody else was there: a bucket of it */

struct sender {
	struct share_user user;
	uint64_t sent, left;   /* left: of what it has to send; UINT64_MAX never ends */
	int64_t last_ms;
	bool idle;
};

struct fixture {
	struct share_tree *tree;
	struct share *group[3], *module[MODULES];
	struct sender sender[MODULES];
	int64_t now;
};

/* groups[i]: of module i. One sender a module. */
static struct fixture *
made(uint64_t all, uint64_t group, uint64_t module, const unsigned *groups, unsigned n)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->now = 1000;
	f->tree = share_tree_new(all);
	assert_non_null(f->tree);
	for (unsigned i = 0; i < 3; i++)
		f->group[i] = share_new(share_root(f->tree), group, f->now);
	for (unsigned i = 0; i < n; i++) {
		f->module[i] = share_new(f->group[groups[i]], module, f->now);
		share_join(&f->sender[i].user, f->module[i]);
		f->sender[i].left = UINT64_MAX;
	}
	return f;
}

static void
freed(struct fixture *f)
{
	for (unsigned i = 0; i < MODULES; i++) {
		if (f->sender[i].user.share)
			share_leave(&f->sender[i].user, f->now);
		share_free(f->module[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		share_free(f->group[i]);
	assert_int_equal(share_waiting(f->tree), 0);
	share_tree_free(f->tree);
	free(f);
}

static void
spend(struct fixture *f, struct sender *s)
{
	assert_true(s->user.credit > 0 && s->user.credit <= SHARE_TURN && s->user.credit <= s->left);
	s->sent += s->user.credit;
	if (s->left != UINT64_MAX)
		s->left -= s->user.credit;
	s->user.credit = 0;
	s->last_ms = f->now;
}

/* Sends as long as it may at once. */
static void
push(struct fixture *f, struct sender *s)
{
	while (s->user.share && !s->idle && s->left && !s->user.waiting) {
		if (!share_ask(&s->user, s->left, f->now))
			break;
		spend(f, s);
	}
}

/* All send whenever they may, for that long. */
static void
run(struct fixture *f, int64_t ms)
{
	int64_t end = f->now + ms;
	for (unsigned i = 0; i < MODULES; i++)
		push(f, &f->sender[i]);
	for (;;) {
		int64_t wait = share_wait_ms(f->tree, f->now);
		if (wait < 0 || f->now + wait > end)
			break;
		f->now += wait;
		for (struct share_user *u; (u = share_next(f->tree, f->now));) {
			struct sender *s = (struct sender *)u; /* its first member */
			spend(f, s);
			push(f, s);
		}
	}
	f->now = end;
}

static uint64_t
sum(const struct fixture *f, unsigned from, unsigned n)
{
	uint64_t all = 0;
	for (unsigned i = from; i < from + n; i++)
		all += f->sender[i].sent;
	return all;
}

/* rate for that long, and no more than one bucket besides. */
static void
assert_rate(uint64_t sent, uint64_t rate, int64_t ms)
{
	uint64_t due = rate * (uint64_t)ms / 1000, bucket = rate / 4 > SHARE_TURN_MIN ? rate / 4 : SHARE_TURN_MIN;
	if (bucket < SHARE_TURN && rate / SHARE_TURNS > bucket)
		bucket = SHARE_TURN;
	assert_true(sent <= due + bucket);
	assert_true(sent + SHARE_TURN >= due);
}

static void
assert_near(uint64_t a, uint64_t b, uint64_t by)
{
	if (a > b + by || b > a + by)
		fail_msg("%llu and %llu are not within %llu", (unsigned long long)a, (unsigned long long)b,
		    (unsigned long long)by);
}

static const unsigned one_group[MODULES];

static void
test_no_limit_makes_nobody_wait(void **state)
{
	(void)state;
	struct fixture *f = made(0, 0, 0, one_group, 2);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(share_ask(&f->sender[0].user, MIB, f->now), SHARE_TURN);
		f->sender[0].user.credit = 0;
	}
	assert_int_equal(share_ask(&f->sender[0].user, 1, f->now), 1);
	f->sender[0].user.credit = 0;
	assert_int_equal(share_wait_ms(f->tree, f->now), -1);
	freed(f);
}

static void
test_a_rate_is_kept_and_used(void **state)
{
	static const uint64_t rates[] = { 1, SHARE_RATE_MIN, 20000, 300 * KIB, 10 * MIB, 1000 * MIB };
	(void)state;
	for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		/* In all, of a group, of a module: each binds alone. */
		for (unsigned level = 0; level < 3; level++) {
			uint64_t r = rates[i];
			struct fixture *f = made(level == 0 ? r : 0, level == 1 ? r : 0, level == 2 ? r : 0, one_group, 1);
			int64_t ms = r < KIB ? 1000000000 : 60000;
			run(f, ms);
			assert_rate(f->sender[0].sent, r, ms);
			freed(f);
		}
	}
}

static void
test_modules_share_alike(void **state)
{
	(void)state;
	struct fixture *f = made(MIB, 0, 0, one_group, MODULES);
	/* One of them with a second connection has no more for it, and one that comes later none for that. */
	struct sender second = { .left = UINT64_MAX };
	share_join(&second.user, f->module[3]);
	f->sender[5].idle = true;
	run(f, 10000);
	uint64_t before = f->sender[0].sent;
	f->sender[5].idle = false;
	push(f, &second);
	for (int i = 0; i < 3000; i++) {
		run(f, 10);
		push(f, &second);
	}
	for (unsigned i = 0; i < MODULES; i++) {
		uint64_t got = f->sender[i].sent + (i == 3 ? second.sent : 0);
		assert_near(i == 5 ? got + before : got, f->sender[0].sent, FIRST(MIB) + 2 * SHARE_TURN);
	}
	assert_near(f->sender[3].sent - before, second.sent, 4 * SHARE_TURN);
	assert_rate(sum(f, 0, MODULES) + second.sent, MIB, 40000);
	share_leave(&second.user, f->now);
	freed(f);
}

static void
test_a_large_group_does_not_push_a_small_one_aside(void **state)
{
	static const unsigned groups[MODULES] = { 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 };
	(void)state;
	struct fixture *f = made(3 * MIB, 0, 0, groups, MODULES);
	f->sender[11].idle = true;
	run(f, 20000);
	assert_near(f->sender[0].sent, sum(f, 1, 10), FIRST(3 * MIB) + 2 * SHARE_TURN);
	for (unsigned i = 2; i < 11; i++)
		assert_near(f->sender[1].sent, f->sender[i].sent, 2 * SHARE_TURN);
	freed(f);
}

/* One that asks for 2 KiB at a time, again as soon as it has them, beside those who take all they get. */
static void
test_small_requests_have_their_share(void **state)
{
	(void)state;
	struct fixture *f = made(MIB, 0, 0, one_group, 4);
	struct sender *small = &f->sender[3];
	small->left = 0;
	for (int k = 0; k < 60000; k++) {
		if (!small->user.waiting)
			small->left = 2 * KIB;
		run(f, 1);
	}
	assert_near(small->sent, f->sender[0].sent, FIRST(MIB) + 2 * SHARE_TURN);
	assert_near(small->sent, f->sender[1].sent, 2 * SHARE_TURN);
	assert_near(small->sent, f->sender[2].sent, 2 * SHARE_TURN);
	freed(f);
}

static void
test_an_empty_bucket_holds_up_nobody_beside_it(void **state)
{
	static const unsigned groups[MODULES] = { 0, 1 };
	(void)state;
	/* The first is slow by a rate of its own; what it leaves is the second's. */
	struct fixture *f = made(MIB, 0, 0, groups, 2);
	share_set_rate(f->module[0], 100 * KIB, f->now);
	run(f, 20000);
	assert_rate(f->sender[0].sent, 100 * KIB, 20000);
	assert_rate(f->sender[0].sent + f->sender[1].sent, MIB, 20000);
	freed(f);
}

static void
test_nobody_starves(void **state)
{
	static const unsigned groups[MODULES] = { 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2 };
	(void)state;
	struct fixture *f = made(500 * KIB, 200 * KIB, 80 * KIB, groups, MODULES);
	share_set_rate(f->module[1], SHARE_RATE_MIN, f->now);
	share_set_rate(f->group[2], 4 * SHARE_RATE_MIN, f->now);
	for (unsigned i = 0; i < MODULES; i++)
		f->sender[i].last_ms = f->now;
	for (int k = 0; k < 600; k++) {
		run(f, 100);
		for (unsigned i = 0; i < MODULES; i++)
			assert_true(f->now - f->sender[i].last_ms <= 4000); /* a turn of 2 KiB of 1 KiB a second, or every fourth of 4 KiB */
	}
	assert_rate(f->sender[1].sent, SHARE_RATE_MIN, 60000);
	assert_rate(sum(f, 8, 4), 4 * SHARE_RATE_MIN, 60000);
	assert_rate(sum(f, 0, 4), 200 * KIB, 60000);
	for (unsigned i = 4; i < 8; i++)
		assert_near(f->sender[i].sent, 50 * KIB * 60, FIRST(200 * KIB) + SHARE_TURN);
	freed(f);
}

/* So many that a turn of 64 KiB each would take minutes: turns are shorter, nobody waits much longer than two seconds. */
static void
test_many_wait_for_short_turns(void **state)
{
	enum { MANY = 1000 };
	static struct sender s[MANY];
	static struct share *share[MANY];
	static unsigned turns[MANY];
	(void)state;
	struct share_tree *tree = share_tree_new(2 * MIB);
	struct share *group = share_new(share_root(tree), 0, 0);
	int64_t now = 0;
	uint64_t all = 0;
	for (unsigned i = 0; i < MANY; i++) {
		share[i] = share_new(group, 0, now);
		share_join(&s[i].user, share[i]);
		while (share_ask(&s[i].user, MIB, now))
			s[i].user.credit = 0;
	}
	while (now < 20000) {
		now += share_wait_ms(tree, now);
		for (struct share_user *u; (u = share_next(tree, now));) {
			struct sender *who = (struct sender *)u;
			assert_true(now - who->last_ms <= 2600);
			who->last_ms = now;
			turns[who - s]++;
			all += u->credit;
			u->credit = 0;
			assert_int_equal(share_ask(u, MIB, now), 0);
		}
	}
	for (unsigned i = 0; i < MANY; i++) {
		assert_in_range(turns[i], 8, 12);
		share_leave(&s[i].user, now);
		share_free(share[i]);
	}
	assert_near(all, 40 * MIB, MIB);
	share_free(group);
	share_tree_free(tree);
}

static void
test_waiters_come_in_order(void **state)
{
	(void)state;
	struct fixture *f = made(0, 0, 64 * KIB, one_group, 1);
	struct sender more[3] = { 0 };
	uint64_t all = f->sender[0].left = 16 * KIB; /* the bucket */
	push(f, &f->sender[0]);
	assert_int_equal(f->sender[0].sent, all);
	for (unsigned i = 0; i < 3; i++) {
		share_join(&more[i].user, f->module[0]);
		assert_int_equal(share_ask(&more[i].user, 100, f->now), 0);
		assert_true(more[i].user.waiting);
	}
	assert_int_equal(share_waiting(f->tree), 3);
	assert_null(share_next(f->tree, f->now));
	/* A turn of this rate is 4 KiB; they want less, and there is enough for all. */
	int64_t wait = share_wait_ms(f->tree, f->now);
	assert_int_equal(wait, 63);
	assert_null(share_next(f->tree, f->now + wait - 1));
	f->now += wait;
	assert_ptr_equal(share_next(f->tree, f->now), &more[0].user);
	assert_int_equal(more[0].user.credit, 100);
	/* Who leaves is not named, and what it had goes back. */
	share_leave(&more[0].user, f->now);
	share_leave(&more[1].user, f->now);
	f->now += 3;
	assert_ptr_equal(share_next(f->tree, f->now), &more[2].user);
	assert_null(share_next(f->tree, f->now));
	assert_int_equal(share_wait_ms(f->tree, f->now), -1);
	share_leave(&more[2].user, f->now);
	freed(f);
}

static void
test_what_is_not_spent_goes_back(void **state)
{
	(void)state;
	struct fixture *f = made(64 * KIB, 0, 64 * KIB, one_group, 1);
	struct share_user *u = &f->sender[0].user;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(share_ask(u, MIB, f->now), 4 * KIB);
		share_return(u, 4 * KIB, f->now);
	}
	assert_true(share_is_full(f->module[0], f->now));
	assert_true(share_is_full(share_root(f->tree), f->now));
	assert_int_equal(share_ask(u, MIB, f->now), 4 * KIB);
	u->credit -= 1000;
	share_leave(u, f->now);
	assert_false(share_is_full(f->module[0], f->now));
	assert_false(share_is_full(f->module[0], f->now + 15));
	assert_true(share_is_full(f->module[0], f->now + 16)); /* 1000 bytes at 64 KiB a second */
	freed(f);
}

static void
test_rates_change_under_those_who_wait(void **state)
{
	(void)state;
	struct fixture *f = made(0, 0, SHARE_RATE_MIN, one_group, 2);
	run(f, 10000);
	assert_int_equal(share_waiting(f->tree), 2);
	assert_int_equal(share_rate(f->module[0]), SHARE_RATE_MIN);
	uint64_t was[2] = { f->sender[0].sent, f->sender[1].sent };
	share_set_rate(f->module[0], MIB, f->now);
	run(f, 10000);
	assert_rate(f->sender[0].sent - was[0], MIB, 10000);
	assert_rate(f->sender[1].sent - was[1], SHARE_RATE_MIN, 10000);
	/* And back: what had been gathered at the higher rate is not kept. */
	share_set_rate(f->module[0], SHARE_RATE_MIN, f->now);
	was[0] = f->sender[0].sent;
	run(f, 20000);
	assert_rate(f->sender[0].sent - was[0], SHARE_RATE_MIN, 20000);
	/* None at all: at once. */
	share_set_rate(f->module[0], 0, f->now);
	assert_int_equal(share_wait_ms(f->tree, f->now), 0);
	assert_ptr_equal(share_next(f->tree, f->now), &f->sender[0].user);
	f->sender[0].user.credit = 0;
	assert_int_equal(share_ask(&f->sender[0].user, MIB, f->now), SHARE_TURN);
	assert_int_equal(share_waiting(f->tree), 1);
	freed(f);
}

/* Nothing that comes and goes at random gets past a rate, or is forgotten. */
static void
test_at_random(void **state)
{
	static const unsigned groups[MODULES] = { 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2 };
	(void)state;
	srand(7);
	struct fixture *f = made(300 * KIB, 150 * KIB, 40 * KIB, groups, MODULES);
	uint64_t gone[3] = { 0 };
	int64_t from = f->now;
	for (unsigned k = 0; k < 20000; k++) {
		unsigned i = (unsigned)rand() % MODULES, g = groups[i];
		struct sender *s = &f->sender[i];
		if (rand() % 3 == 0 && s->user.share) {
			gone[g] += s->sent;
			share_leave(&s->user, f->now);
			*s = (struct sender){ 0 };
		} else if (!s->user.share) {
			share_join(&s->user, f->module[i]);
			s->left = (uint64_t)rand() % (200 * KIB);
		}
		run(f, rand() % 30);
	}
	for (unsigned i = 0; i < MODULES; i++)
		gone[groups[i]] += f->sender[i].sent;
	uint64_t ms = (uint64_t)(f->now - from);
	for (unsigned g = 0; g < 3; g++)
		assert_true(gone[g] <= 150 * KIB * ms / 1000 + 64 * KIB);
	assert_true(gone[0] + gone[1] + gone[2] <= 300 * KIB * ms / 1000 + 128 * KIB);
	/* Left alone, everybody gets what is left of theirs. */
	run(f, 3600000);
	for (unsigned i = 0; i < MODULES; i++)
		assert_true(!f->sender[i].user.share || f->sender[i].left == 0);
	assert_int_equal(share_waiting(f->tree), 0);
	freed(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_limit_makes_nobody_wait),
		cmocka_unit_test(test_a_rate_is_kept_and_used),
		cmocka_unit_test(test_modules_share_alike),
		cmocka_unit_test(test_a_large_group_does_not_push_a_small_one_aside),
		cmocka_unit_test(test_small_requests_have_their_share),
		cmocka_unit_test(test_an_empty_bucket_holds_up_nobody_beside_it),
		cmocka_unit_test(test_nobody_starves),
		cmocka_unit_test(test_many_wait_for_short_turns),
		cmocka_unit_test(test_waiters_come_in_order),
		cmocka_unit_test(test_what_is_not_spent_goes_back),
		cmocka_unit_test(test_rates_change_under_those_who_wait),
		cmocka_unit_test(test_at_random),
	};
	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
