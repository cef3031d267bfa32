/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/blocks.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void
put(struct blocks *b, uint64_t file, uint64_t block)
{
	uint8_t *p = blocks_room(b, file, block);
	assert_non_null(p);
	memset(p, (int)(file * 31 + block), BLOCKS_SIZE);
	blocks_keep(b, file, block);
}

static bool
has(struct blocks *b, uint64_t file, uint64_t block)
{
	const uint8_t *p = blocks_find(b, file, block);
	if (!p)
		return false;
	for (size_t i = 0; i < BLOCKS_SIZE; i += 4095)
		assert_int_equal(p[i], (uint8_t)(file * 31 + block));
	return true;
}

static void
test_what_was_kept_is_found(void **state)
{
	(void)state;
	struct blocks *b = blocks_new();
	assert_false(has(b, 0, 0));
	assert_false(has(b, 1, 0));
	/* Read, and found to be bad: nobody gets it, nor what was there before. */
	put(b, 1, 5);
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(blocks_room(b, 1, 5));
	assert_true(has(b, 1, 5));
	assert_false(has(b, 2, 5));
	assert_false(has(b, 1, 4));
	for (uint64_t i = 0; i < BLOCKS_MAX; i++)
		put(b, 3, i);
	for (uint64_t i = 0; i < BLOCKS_MAX; i++)
		assert_true(has(b, 3, i));
	assert_false(has(b, 1, 5)); /* no more than that, of whichever file */
	blocks_free(b);
	blocks_free(NULL);
}

static void
test_what_is_used_stays(void **state)
{
	(void)state;
	struct blocks *b = blocks_new();
	put(b, 1, 9);
	for (uint64_t i = 0; i < 10 * BLOCKS_MAX; i++) {
		put(b, 2, i);
		assert_true(has(b, 1, 9));
	}
	unsigned n = 0;
	for (uint64_t i = 0; i < 10 * BLOCKS_MAX; i++)
		n += has(b, 2, i);
	assert_int_equal(n, BLOCKS_MAX - 1);
	blocks_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_kept_is_found),
		cmocka_unit_test(test_what_is_used_stays),
	};
	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
