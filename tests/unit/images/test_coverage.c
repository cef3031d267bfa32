/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/err.h"
#include "images/coverage.h"

static int
add(struct coverage *c, uint64_t offset, uint64_t length)
{
	return coverage_add(c, (struct sig_range){ offset, length });
}

static void
nothing_is_signed_at_first(void **state)
{
	(void)state;
	struct coverage c;
	struct sig_range gap[1];
	coverage_init(&c, 100);
	assert_int_equal(coverage_signed(&c), 0);
	assert_int_equal(coverage_unsigned(&c), 100);
	assert_int_equal(coverage_gaps(&c, gap, 1), 1);
	assert_int_equal(gap[0].offset, 0);
	assert_int_equal(gap[0].length, 100);
	coverage_init(&c, 0);
	assert_int_equal(coverage_gaps(&c, gap, 1), 0);
}

static void
ranges_melt_and_count_once(void **state)
{
	(void)state;
	struct coverage c;
	coverage_init(&c, 100);
	assert_int_equal(add(&c, 10, 10), 0);
	assert_int_equal(add(&c, 30, 10), 0);
	assert_int_equal(add(&c, 10, 10), 0);
	assert_int_equal(coverage_signed(&c), 20);
	assert_int_equal(c.n, 2);
	assert_int_equal(add(&c, 20, 10), 0); /* touches both */
	assert_int_equal(c.n, 1);
	assert_int_equal(coverage_signed(&c), 30);
	assert_int_equal(add(&c, 0, 100), 0);
	assert_int_equal(coverage_unsigned(&c), 0);
	assert_int_equal(add(&c, 50, 0), 0);
	assert_int_equal(c.n, 1);
}

static void
ranges_outside_are_refused(void **state)
{
	(void)state;
	struct coverage c;
	coverage_init(&c, 100);
	assert_int_equal(add(&c, 0, 101), FG_EFORMAT);
	assert_int_equal(add(&c, 101, 0), FG_EFORMAT);
	assert_int_equal(add(&c, 100, 1), FG_EFORMAT);
	assert_int_equal(add(&c, UINT64_MAX, 2), FG_EFORMAT);
	assert_int_equal(add(&c, 2, UINT64_MAX - 1), FG_EFORMAT);
	assert_int_equal(coverage_signed(&c), 0);
	assert_int_equal(add(&c, 100, 0), 0);
}

static void
too_many_ranges_are_refused(void **state)
{
	(void)state;
	struct coverage c;
	coverage_init(&c, 4 * COVERAGE_RANGES_MAX);
	for (unsigned i = 0; i < COVERAGE_RANGES_MAX; i++)
		assert_int_equal(add(&c, 2 + i * 3, 1), 0);
	uint64_t before = coverage_signed(&c);
	assert_int_equal(add(&c, 0, 1), FG_ELIMIT);
	assert_int_equal(coverage_signed(&c), before);
	assert_int_equal(add(&c, 3, 1), 0); /* melts, needs no room */
	assert_int_equal(coverage_signed(&c), before + 1);
}

#define SPAN 200

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Against a map of single bytes. */
static void
every_byte_is_signed_or_not(void **state)
{
	(void)state;
	uint32_t seed = 7;
	for (unsigned round = 0; round < 2000; round++) {
		struct coverage c;
		struct sig_range gap[SPAN];
		uint8_t map[SPAN] = { 0 }, from_gaps[SPAN];
		uint64_t size = 1 + next(&seed) % SPAN, marked = 0;
		coverage_init(&c, size);
		for (unsigned i = next(&seed) % 24; i > 0; i--) {
			struct sig_range r = { next(&seed) % (SPAN + 10), next(&seed) % 20 };
			bool fits = r.offset + r.length <= size;
			assert_int_equal(coverage_add(&c, r), fits ? 0 : FG_EFORMAT);
			if (fits)
				memset(map + r.offset, 1, r.length);
		}
		for (unsigned i = 0; i < size; i++)
			marked += map[i];
		assert_int_equal(coverage_signed(&c), marked);
		assert_int_equal(coverage_signed(&c) + coverage_unsigned(&c), size);
		memset(from_gaps, 1, sizeof from_gaps);
		unsigned n = coverage_gaps(&c, gap, SPAN);
		for (unsigned i = 0; i < n; i++) {
			assert_true(gap[i].length > 0);
			memset(from_gaps + gap[i].offset, 0, gap[i].length);
		}
		assert_memory_equal(map, from_gaps, size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_signed_at_first),
		cmocka_unit_test(ranges_melt_and_count_once),
		cmocka_unit_test(ranges_outside_are_refused),
		cmocka_unit_test(too_many_ranges_are_refused),
		cmocka_unit_test(every_byte_is_signed_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
