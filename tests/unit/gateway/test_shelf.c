/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/shelf.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define MANY 5000u

struct thing {
	uint8_t key[SHELF_KEY];
	uint32_t number;
};

static void
key_of(uint32_t i, uint8_t key[SHELF_KEY])
{
	memset(key, 0, SHELF_KEY);
	memcpy(key, &i, sizeof i);
}

static void
test_shelf(void **state)
{
	struct shelf s = { .row_size = sizeof(struct thing) };
	uint8_t key[SHELF_KEY];
	(void)state;
	key_of(1, key);
	assert_null(shelf_find(&s, key));
	for (uint32_t i = 0; i < MANY; i++) {
		key_of(i, key);
		struct thing *t = shelf_make(&s, key);
		assert_non_null(t);
		assert_int_equal(t->number, 0);
		t->number = i + 1;
	}
	assert_int_equal(s.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		key_of(i, key);
		const struct thing *t = shelf_find(&s, key);
		assert_non_null(t);
		assert_int_equal(t->number, i + 1);
		assert_ptr_equal(shelf_make(&s, key), t);
		assert_ptr_equal(shelf_at(&s, i), t); /* in the order they were made */
	}
	key_of(MANY, key);
	assert_null(shelf_find(&s, key));
	shelf_free(&s);
	assert_int_equal(s.n, 0);
	assert_null(shelf_find(&s, key));
	shelf_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shelf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
