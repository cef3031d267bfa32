/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/granted.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void
id(uint64_t n, uint8_t out[MSG_ID])
{
	memset(out, 0, MSG_ID);
	memcpy(out, &n, sizeof n);
}

static void
test_remembers(void **state)
{
	(void)state;
	struct granted *g = granted_new();
	uint8_t module[MSG_ID], release[MSG_ID], other[MSG_ID];
	uint64_t at = 77;
	id(1, module);
	id(2, release);
	id(3, other);
	assert_false(granted_find(g, module, release, &at));
	assert_int_equal(at, 77);
	assert_int_equal(granted_add(g, module, release, 0), 0);
	assert_true(granted_find(g, module, release, &at));
	assert_int_equal(at, 0);
	assert_false(granted_find(g, release, module, &at)); /* the order matters */
	assert_false(granted_find(g, module, other, &at));
	assert_false(granted_find(g, other, release, &at));
	assert_int_equal(granted_add(g, module, release, 9), 0); /* the first one counts */
	assert_true(granted_find(g, module, release, &at));
	assert_int_equal(at, 0);
	assert_int_equal(granted_count(g), 1);
	granted_free(g);
	granted_free(NULL);
}

/* Grows through several sizes; ids that differ in few bits do not pile up. */
static void
test_many(void **state)
{
	(void)state;
	struct granted *g = granted_new();
	uint8_t module[MSG_ID], release[MSG_ID];
	uint64_t at;
	for (uint64_t i = 0; i < 20000; i++) {
		id(i << 40, module);
		id(0, release);
		assert_int_equal(granted_room(g), 0);
		assert_int_equal(granted_add(g, module, release, i), 0);
	}
	assert_int_equal(granted_count(g), 20000);
	for (uint64_t i = 0; i < 20000; i += 7) {
		id(i << 40, module);
		assert_true(granted_find(g, module, release, &at));
		assert_int_equal(at, i);
	}
	granted_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembers),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
