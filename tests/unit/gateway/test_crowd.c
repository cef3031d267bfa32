/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/crowd.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"

#define NOW 5000
#define KIB UINT64_C(1024)

static void
key_of(unsigned i, uint8_t key[CROWD_KEY])
{
	memset(key, 0, CROWD_KEY);
	memcpy(key, &i, sizeof i);
	key[CROWD_KEY - 1] = (uint8_t)(i >> 3); /* all of it counts */
}

static struct member *
enter(struct crowd *c, unsigned i, const char *group, uint32_t max)
{
	uint8_t key[CROWD_KEY];
	struct member *m = NULL;
	key_of(i, key);
	int err = crowd_enter(c, key, group, max, &m);
	assert_true(err == FG_OK ? m != NULL : err == FG_ELIMIT && !m);
	return m;
}

static struct share *
share_of(struct crowd *c, struct member *m, int64_t now)
{
	struct share *share;
	assert_int_equal(crowd_share(c, m, now, &share), FG_OK);
	return share;
}

/* Sends n bytes as a connection of it would, which must be allowed. */
static void
send_now(struct crowd *c, struct member *m, uint64_t n, int64_t now)
{
	struct share_user u = { 0 };
	share_join(&u, share_of(c, m, now));
	while (n) {
		uint64_t got = share_ask(&u, n, now);
		assert_true(got > 0);
		n -= got;
		u.credit = 0;
	}
	share_leave(&u, now);
}

static void
test_so_many_connections_each(void **state)
{
	(void)state;
	struct crowd *c = crowd_new(&(struct crowd_rates){ 0 });
	struct member *a[3], *b;
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(a[i] = enter(c, 1, "g", 3));
	assert_ptr_equal(a[0], a[2]);
	assert_null(enter(c, 1, "g", 3));
	assert_null(enter(c, 1, "g", 2)); /* lowered: those who are here stay */
	assert_non_null(b = enter(c, 2, "g", 3));
	uint8_t key[CROWD_KEY];
	key_of(2, key);
	assert_true(crowd_is(b, key));
	assert_false(crowd_is(a[0], key));
	assert_int_equal(crowd_members(c), 2);
	assert_null(share_of(c, b, NOW));
	crowd_leave(c, a[0], NOW);
	assert_non_null(enter(c, 1, "g", 3));
	for (unsigned i = 0; i < 3; i++)
		crowd_leave(c, a[i], NOW);
	crowd_leave(c, b, NOW);
	crowd_leave(c, NULL, NOW);
	/* Nothing was limited: nothing is remembered. */
	assert_int_equal(crowd_members(c), 0);
	crowd_free(c);
}

static void
test_many(void **state)
{
	enum { MANY = 5000 };
	static struct member *m[MANY];
	(void)state;
	struct crowd *c = crowd_new(&(struct crowd_rates){ .all = 1 << 20, .group = 1 << 19, .module = 1 << 18 });
	char group[16];
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(group, sizeof group, "g%u", i % 700);
		assert_non_null(m[i] = enter(c, i, group, 1));
		assert_non_null(share_of(c, m[i], NOW));
		assert_ptr_equal(share_of(c, m[i], NOW), share_of(c, m[i], NOW));
	}
	assert_int_equal(crowd_members(c), MANY);
	for (unsigned i = 0; i < MANY; i++)
		crowd_leave(c, m[(i * 7) % MANY], NOW);
	assert_int_equal(crowd_members(c), 0);
	crowd_free(c);
}

static void
test_who_leaves_keeps_its_bucket(void **state)
{
	(void)state;
	struct crowd *c = crowd_new(&(struct crowd_rates){ .module = 64 * KIB });
	struct member *m = enter(c, 1, "", 1);
	send_now(c, m, 16 * KIB, NOW);
	crowd_leave(c, m, NOW);
	crowd_sweep(c, NOW + 249);
	assert_int_equal(crowd_members(c), 1);
	/* Back at once: no fuller bucket for it. */
	assert_ptr_equal(enter(c, 1, "", 1), m);
	assert_null(enter(c, 1, "", 1));
	assert_false(share_is_full(share_of(c, m, NOW), NOW + 249));
	crowd_leave(c, m, NOW);
	crowd_sweep(c, NOW + 250);
	assert_int_equal(crowd_members(c), 0);
	crowd_free(c);
}

/* A group's last module leaves the group's bucket behind too. */
static void
test_a_group_keeps_its_bucket(void **state)
{
	(void)state;
	struct crowd *c = crowd_new(&(struct crowd_rates){ .group = 64 * KIB });
	struct member *m = enter(c, 1, "g", 1), *n = enter(c, 2, "g", 1), *o = enter(c, 3, "h", 1);
	send_now(c, n, 16 * KIB, NOW);
	send_now(c, o, 16 * KIB, NOW);
	assert_non_null(share_of(c, m, NOW));
	crowd_leave(c, n, NOW);
	assert_int_equal(crowd_members(c), 2);
	crowd_leave(c, m, NOW);
	crowd_leave(c, o, NOW);
	assert_int_equal(crowd_members(c), 2);
	m = enter(c, 4, "g", 1);
	struct share_user u = { 0 };
	share_join(&u, share_of(c, m, NOW));
	assert_int_equal(share_ask(&u, 1, NOW), 0);
	share_leave(&u, NOW);
	crowd_leave(c, m, NOW + 1000);
	crowd_sweep(c, NOW + 1000);
	assert_int_equal(crowd_members(c), 0);
	crowd_free(c);
}

static void
test_not_everybody_is_remembered(void **state)
{
	(void)state;
	struct crowd *c = crowd_new(&(struct crowd_rates){ .module = SHARE_RATE_MIN });
	for (unsigned i = 0; i < CROWD_RESTING + 100; i++) {
		struct member *m = enter(c, i, "", 1);
		send_now(c, m, SHARE_TURN_MIN, NOW);
		crowd_leave(c, m, NOW);
	}
	assert_int_equal(crowd_members(c), CROWD_RESTING);
	crowd_free(c);
}

static void
test_rates_change(void **state)
{
	(void)state;
	struct crowd *c = crowd_new(&(struct crowd_rates){ 0 });
	struct member *m = enter(c, 1, "g", 1), *n = enter(c, 2, "g", 1);
	assert_null(share_of(c, m, NOW));
	crowd_set_rates(c, &(struct crowd_rates){ .module = 64 * KIB, .all = 640 * KIB }, NOW);
	assert_int_equal(share_rate(share_of(c, m, NOW)), 64 * KIB);
	assert_int_equal(share_rate(share_root(crowd_tree(c))), 640 * KIB);
	send_now(c, m, 16 * KIB, NOW);
	crowd_set_rates(c, &(struct crowd_rates){ .module = 32 * KIB }, NOW);
	assert_int_equal(share_rate(share_of(c, m, NOW)), 32 * KIB);
	assert_int_equal(share_rate(share_root(crowd_tree(c))), 0);
	/* What was spent stays spent; who comes is new. */
	assert_false(share_is_full(share_of(c, m, NOW), NOW));
	assert_true(share_is_full(share_of(c, n, NOW), NOW));
	crowd_set_rates(c, &(struct crowd_rates){ 0 }, NOW);
	assert_null(share_of(c, m, NOW));
	crowd_leave(c, m, NOW);
	crowd_leave(c, n, NOW);
	assert_int_equal(crowd_members(c), 0);
	crowd_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_so_many_connections_each),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_who_leaves_keeps_its_bucket),
		cmocka_unit_test(test_a_group_keeps_its_bucket),
		cmocka_unit_test(test_not_everybody_is_remembered),
		cmocka_unit_test(test_rates_change),
	};
	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
