/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/leases.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"

#define NOW INT64_C(1000000)

/* Spread like a digest, and different for each i. */
static const uint8_t *
id(uint8_t out[MSG_ID], uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ull, y = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ull;
	memcpy(out, &x, 8);
	memcpy(out + 8, &y, 8);
	return out;
}

static void
test_until_its_time(void **state)
{
	(void)state;
	struct leases *l = leases_new();
	uint8_t m[MSG_ID], n[MSG_ID], r[MSG_ID], q[MSG_ID];
	id(m, 1), id(n, 2), id(r, 3), id(q, 4);
	assert_false(leases_valid(l, m, r, NOW));
	assert_int_equal(leases_add(l, m, r, NOW, 10), 0);
	assert_true(leases_valid(l, m, r, NOW));
	assert_true(leases_valid(l, m, r, NOW + 9999));
	assert_false(leases_valid(l, m, r, NOW + 10000));
	assert_false(leases_valid(l, n, r, NOW));
	assert_false(leases_valid(l, m, q, NOW));
	assert_false(leases_valid(l, r, m, NOW));
	/* Renewed, not doubled; a later and shorter word counts. */
	assert_int_equal(leases_add(l, m, r, NOW, 100), 0);
	assert_true(leases_valid(l, m, r, NOW + 99999));
	assert_int_equal(leases_count(l), 1);
	assert_int_equal(leases_add(l, m, r, NOW, 1), 0);
	assert_false(leases_valid(l, m, r, NOW + 1000));
	leases_free(l);
	leases_free(NULL);
}

static void
test_no_longer_than_an_hour_and_none_for_nothing(void **state)
{
	(void)state;
	struct leases *l = leases_new();
	uint8_t m[MSG_ID], n[MSG_ID], r[MSG_ID];
	id(m, 1), id(n, 2), id(r, 3);
	assert_int_equal(leases_add(l, m, r, NOW, UINT32_MAX), 0);
	assert_true(leases_valid(l, m, r, NOW + LEASES_SECONDS_MAX * 1000 - 1));
	assert_false(leases_valid(l, m, r, NOW + LEASES_SECONDS_MAX * 1000));
	assert_int_equal(leases_add(l, n, r, NOW, 0), 0);
	assert_false(leases_valid(l, n, r, NOW));
	assert_int_equal(leases_count(l), 1);
	leases_free(l);
}

static void
test_dropping_a_release_leaves_the_others(void **state)
{
	(void)state;
	struct leases *l = leases_new();
	uint8_t m[MSG_ID], r[3][MSG_ID];
	for (unsigned k = 0; k < 3; k++)
		id(r[k], 1000000 + k);
	leases_drop_release(l, r[0]); /* of an empty one */
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(leases_add(l, id(m, i), r[i % 3], NOW, 60), 0);
	assert_int_equal(leases_count(l), 5000);
	leases_drop_release(l, r[1]);
	for (unsigned i = 0; i < 5000; i++)
		for (unsigned k = 0; k < 3; k++)
			assert_int_equal(leases_valid(l, id(m, i), r[k], NOW), k == i % 3 && k != 1);
	assert_int_equal(leases_count(l), 5000 - 1667);
	leases_free(l);
}

/* A model beside it: adding, dropping, sweeping and time in any order. */
static void
test_against_a_model(void **state)
{
	enum { MODULES = 300, RELEASES = 5 };
	static int64_t until[MODULES][RELEASES];
	struct leases *l = leases_new();
	uint8_t m[MSG_ID], r[MSG_ID];
	uint32_t x = 12345;
	int64_t now = NOW;
	(void)state;
	for (unsigned step = 0; step < 60000; step++) {
		x = x * 1664525u + 1013904223u;
		unsigned i = (x >> 8) % MODULES, k = (x >> 20) % RELEASES;
		id(m, i), id(r, 5000 + k);
		if (step % 2000 == 1999) {
			leases_drop_release(l, r);
			for (unsigned a = 0; a < MODULES; a++)
				until[a][k] = 0;
		} else if (step % 500 == 499) {
			leases_sweep(l, now);
		} else if (x & 1) {
			assert_int_equal(leases_add(l, m, r, now, 1 + (x >> 28)), 0);
			until[i][k] = now + (1 + (x >> 28)) * INT64_C(1000);
		}
		now += x >> 30;
		assert_int_equal(leases_valid(l, m, r, now), until[i][k] > now);
	}
	leases_free(l);
}

static void
test_sweeping_forgets_what_ran_out(void **state)
{
	(void)state;
	struct leases *l = leases_new();
	uint8_t m[MSG_ID], r[MSG_ID];
	id(r, 9);
	leases_sweep(l, NOW);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(leases_add(l, id(m, i), r, NOW, i % 2 ? 60 : 10), 0);
	leases_sweep(l, NOW + 10000);
	assert_int_equal(leases_count(l), 1000);
	for (unsigned k = 0; k < 20; k++) /* it shrinks, and stays right */
		leases_sweep(l, NOW + 10000);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(leases_valid(l, id(m, i), r, NOW + 10000), i % 2);
	leases_sweep(l, NOW + 60000);
	assert_int_equal(leases_count(l), 0);
	leases_free(l);
}

/* Turnover without end needs room for what runs at a time, not for all there ever was. */
static void
test_turnover_does_not_grow_it(void **state)
{
	(void)state;
	struct leases *l = leases_new();
	uint8_t m[MSG_ID], r[MSG_ID];
	id(r, 9);
	for (unsigned i = 0; i < 200000; i++)
		assert_int_equal(leases_add(l, id(m, i), r, NOW + i, 1), 0);
	assert_in_range(leases_count(l), 1000, 4096); /* 1,000 run at a time */
	leases_free(l);
}

static void
test_bounded(void **state)
{
	(void)state;
	struct leases *l = leases_new();
	uint8_t m[MSG_ID], r[MSG_ID];
	uint64_t n = 0;
	id(r, 9);
	while (n <= 2 * LEASES_MAX && leases_add(l, id(m, n), r, NOW, 60) == FG_OK)
		n++;
	assert_in_range(n, LEASES_MAX, 2 * LEASES_MAX - 1);
	assert_int_equal(leases_add(l, id(m, n), r, NOW, 60), FG_ELIMIT);
	assert_false(leases_valid(l, id(m, n), r, NOW));
	assert_true(leases_valid(l, id(m, 0), r, NOW));
	/* Full of what ran out is not full. */
	assert_int_equal(leases_add(l, id(m, n), r, NOW + 60000, 60), FG_OK);
	assert_int_equal(leases_count(l), 1);
	leases_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until_its_time),
		cmocka_unit_test(test_no_longer_than_an_hour_and_none_for_nothing),
		cmocka_unit_test(test_dropping_a_release_leaves_the_others),
		cmocka_unit_test(test_against_a_model),
		cmocka_unit_test(test_sweeping_forgets_what_ran_out),
		cmocka_unit_test(test_turnover_does_not_grow_it),
		cmocka_unit_test(test_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
