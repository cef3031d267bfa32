/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rests.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "crypto/view.h"

static const struct rests_decision list[] = {
	{ 3, true, { 1 }, { 9 }, "review" },
	{ 5, true, { 2 }, { 9 }, "deny" },
	{ 8, true, { 1 }, { 9 }, "hold" },
	{ 9, false, { 1 }, { 9 }, "review" },
	{ 12, true, { 1 }, { 9 }, "review" },
};

static uint64_t
on(uint8_t report, uint8_t policy, uint64_t index)
{
	struct release *r = calloc(1, sizeof *r);
	r->terms.report[0] = report;
	r->terms.policy[0] = policy;
	const struct rests_decision *d = rests_on(list, sizeof list / sizeof list[0], index, r);
	free(r);
	return d ? d->index : 0;
}

/* The latest before it, about both; what cannot be read is about nothing. */
static void
test_on(void **state)
{
	(void)state;
	assert_int_equal(on(1, 9, 4), 3);
	assert_int_equal(on(1, 9, 3), 0);
	assert_int_equal(on(1, 9, 10), 8);
	assert_int_equal(on(1, 9, 100), 12);
	assert_int_equal(on(2, 9, 100), 5);
	assert_int_equal(on(2, 8, 100), 0);
	assert_int_equal(on(3, 9, 100), 0);
}

static void
test_bad(void **state)
{
	(void)state;
	assert_non_null(rests_bad(NULL));
	assert_null(rests_bad(&list[0]));
	assert_non_null(rests_bad(&list[1]));
	assert_non_null(rests_bad(&list[2]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on),
		cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
