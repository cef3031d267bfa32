/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "images/changes.h"

#define BLOCK CHANGES_BLOCK_MIN
#define N (5 * BLOCK + 1000)

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16; /* the low bits of such a generator repeat with every block */
}

static void
fill(uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)next(&seed);
}

static void
compare(const void *old, size_t old_n, const void *new, size_t new_n, struct changes *ret)
{
	struct source a, b;
	source_memory(&a, view_of(old, old_n));
	source_memory(&b, view_of(new, new_n));
	assert_int_equal(changes_compare(&a, &b, ret), 0);
	/* What holds for any two images. */
	uint64_t blocks = new_n / BLOCK + (new_n % BLOCK != 0), both = old_n < new_n ? old_n : new_n;
	assert_int_equal(ret->blocks_same + ret->blocks_moved + ret->blocks_changed, blocks);
	assert_int_equal(ret->new.entropy.total, blocks);
	assert_true(ret->prefix + ret->suffix <= both);
	assert_true(ret->same_offset >= ret->prefix && ret->same_offset <= both);
	assert_true(ret->ranges_n <= ret->ranges_total);
	assert_int_equal(ret->block_size, BLOCK);
}

static void
identical(void **state)
{
	(void)state;
	uint8_t *a = malloc(N);
	struct changes c;
	fill(a, N, 1);
	compare(a, N, a, N, &c);
	assert_int_equal(c.prefix, N);
	assert_int_equal(c.suffix, 0);
	assert_int_equal(c.same_offset, N);
	assert_int_equal(c.blocks_same, 6);
	assert_int_equal(c.ranges_total, 0);
	assert_memory_equal(c.old.sha256, c.new.sha256, DIGEST_SHA256_LEN);
	compare(a, 0, a, 0, &c);
	assert_int_equal(c.blocks_same, 0);
	assert_int_equal(c.old.format, FORMAT_RAW);
	free(a);
}

static void
one_byte(void **state)
{
	(void)state;
	uint8_t *a = malloc(N), *b = malloc(N);
	struct changes c;
	fill(a, N, 1);
	memcpy(b, a, N);
	b[2 * BLOCK + 7] ^= 0x40;
	compare(a, N, b, N, &c);
	assert_int_equal(c.prefix, 2 * BLOCK + 7);
	assert_int_equal(c.suffix, N - (2 * BLOCK + 7) - 1);
	assert_int_equal(c.same_offset, N - 1);
	assert_int_equal(c.blocks_same, 5);
	assert_int_equal(c.blocks_changed, 1);
	assert_int_equal(c.ranges_total, 1);
	assert_int_equal(c.ranges[0].offset, 2 * BLOCK + 7);
	assert_int_equal(c.ranges[0].length, 1);
	free(a);
	free(b);
}

static void
grown_and_shrunk(void **state)
{
	(void)state;
	uint8_t *a = malloc(N);
	struct changes c;
	fill(a, N, 3);
	compare(a, BLOCK + 10, a, N, &c);
	assert_int_equal(c.prefix, BLOCK + 10);
	assert_int_equal(c.suffix, 0);
	assert_int_equal(c.ranges_total, 1);
	assert_int_equal(c.ranges[0].offset, BLOCK + 10);
	assert_int_equal(c.ranges[0].length, N - BLOCK - 10);
	compare(a, N, a, BLOCK + 10, &c);
	assert_int_equal(c.prefix, BLOCK + 10);
	assert_int_equal(c.ranges_total, 0);
	assert_int_equal(c.blocks_same, 1);
	compare(a, 0, a, N, &c);
	assert_int_equal(c.ranges[0].length, N);
	compare(a, N, a, 0, &c);
	assert_int_equal(c.ranges_total, 0);
	free(a);
}

static void
moved_blocks_are_found(void **state)
{
	(void)state;
	uint8_t *a = malloc(N), *b = malloc(N);
	struct changes c;
	fill(a, N, 1);
	memcpy(b, a, N);
	memcpy(b, a + BLOCK, BLOCK); /* the first two change places */
	memcpy(b + BLOCK, a, BLOCK);
	compare(a, N, b, N, &c);
	assert_int_equal(c.blocks_moved, 2);
	assert_int_equal(c.blocks_same, 4);
	assert_int_equal(c.blocks_changed, 0);
	free(a);
	free(b);
}

static void
near_differences_are_one_range(void **state)
{
	(void)state;
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };
	struct changes c;
	b[100] = b[100 + CHANGES_BRIDGE] = 1;       /* 63 equal bytes between them */
	b[300] = b[300 + CHANGES_BRIDGE + 1] = 1;   /* 64 */
	compare(a, sizeof a, b, sizeof b, &c);
	assert_int_equal(c.ranges_total, 3);
	assert_int_equal(c.ranges[0].offset, 100);
	assert_int_equal(c.ranges[0].length, CHANGES_BRIDGE + 1);
	assert_int_equal(c.ranges[1].length, 1);
}

static void
ranges_are_counted_past_the_list(void **state)
{
	(void)state;
	uint8_t *a = calloc(1, 2 * BLOCK), *b = calloc(1, 2 * BLOCK);
	struct changes c;
	for (size_t i = 0; i < 2 * BLOCK; i += 1024)
		b[i] = 1;
	compare(a, 2 * BLOCK, b, 2 * BLOCK, &c);
	assert_int_equal(c.ranges_total, 128);
	assert_int_equal(c.ranges_n, CHANGES_RANGES_MAX);
	free(a);
	free(b);
}

/* Random edits against a comparison of single bytes. */
static void
agrees_with_the_obvious(void **state)
{
	(void)state;
	uint32_t seed = 11;
	uint8_t *a = malloc(N), *b = malloc(N);
	for (unsigned round = 0; round < 60; round++) {
		size_t old_n = (next(&seed) << 8 | (next(&seed) & 255)) % N, new_n = (next(&seed) << 8) % N, both = old_n < new_n ? old_n : new_n;
		struct changes c;
		fill(a, N, round);
		memcpy(b, a, N);
		for (unsigned i = next(&seed) % 8; i > 0; i--)
			b[(next(&seed) << 4) % N] ^= 1;
		size_t same = 0, prefix = 0, suffix = 0;
		while (prefix < both && a[prefix] == b[prefix])
			prefix++;
		while (suffix < both - prefix && a[old_n - 1 - suffix] == b[new_n - 1 - suffix])
			suffix++;
		for (size_t i = 0; i < both; i++)
			same += a[i] == b[i];
		compare(a, old_n, b, new_n, &c);
		assert_int_equal(c.prefix, prefix);
		assert_int_equal(c.suffix, suffix);
		assert_int_equal(c.same_offset, same);
		/* Every differing byte lies in a listed range (there are few). */
		for (size_t i = 0, r = 0; i < new_n; i++) {
			if (i < both && a[i] == b[i])
				continue;
			while (r < c.ranges_n && c.ranges[r].offset + c.ranges[r].length <= i)
				r++;
			assert_true(r < c.ranges_n && c.ranges[r].offset <= i);
		}
	}
	free(a);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identical),
		cmocka_unit_test(one_byte),
		cmocka_unit_test(grown_and_shrunk),
		cmocka_unit_test(moved_blocks_are_found),
		cmocka_unit_test(near_differences_are_one_range),
		cmocka_unit_test(ranges_are_counted_past_the_list),
		cmocka_unit_test(agrees_with_the_obvious),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
