/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "images/sketch.h"

#define N 200000

static uint8_t *chunk, *noise;

static int
setup(void **state)
{
	uint32_t x = 3;
	(void)state;
	chunk = malloc(SOURCE_CHUNK);
	noise = malloc(N);
	for (size_t i = 0; i < N; i++)
		noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(chunk);
	free(noise);
	return 0;
}

static struct sketch
of(struct view v)
{
	struct source s;
	struct sketch k;
	source_memory(&s, v);
	assert_int_equal(sketch_make(&s, chunk, &k), 0);
	for (unsigned i = 1; i < k.n; i++)
		assert_true(k.piece[i - 1] < k.piece[i]);
	return k;
}

static void
alike(void **state)
{
	(void)state;
	struct sketch a = of(view_of(noise, 100000)), same = of(view_of(noise, 100000));
	struct sketch other = of(view_of(noise + 100000, 100000)), half = of(view_of(noise + 50000, 100000));
	struct sketch shifted = of(view_of(noise + 13, 99987)), none = of(view_of(noise, 0));
	assert_int_equal(sketch_alike(&a, &same), 1000);
	assert_true(sketch_alike(&a, &shifted) > 900);
	assert_true(sketch_alike(&a, &other) < 50);
	/* A third of both together. */
	assert_in_range(sketch_alike(&a, &half), 150, 550);
	assert_int_equal(sketch_alike(&a, &half), sketch_alike(&half, &a));
	assert_int_equal(none.n, 0);
	assert_int_equal(sketch_alike(&none, &none), 0);
}

static void
small(void **state)
{
	(void)state;
	struct sketch a = of(view_str("#!/bin/sh\nexit 0\n")), b = of(view_str("#!/bin/sh\nexit 0\n"));
	assert_true(a.n >= 1);
	assert_int_equal(sketch_alike(&a, &b), 1000);
	uint8_t *zeros = calloc(1, N);
	struct sketch z = of(view_of(zeros, N));
	assert_true(z.n >= 1 && z.n <= 2); /* one piece, over and over */
	free(zeros);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(alike), cmocka_unit_test(small) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
