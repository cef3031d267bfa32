/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/quota.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const struct quota_rate rate = { 10, 2 };

static void
test_burst_and_refill(void **state)
{
	struct quota q = { 0 };
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_true(quota_take(&q, &rate, 1000, 1));
	assert_false(quota_take(&q, &rate, 1000, 1));
	assert_false(quota_take(&q, &rate, 1499, 1));
	assert_true(quota_take(&q, &rate, 1500, 1));
	assert_false(quota_take(&q, &rate, 1500, 1));
	assert_false(quota_take(&q, &rate, 900, 1)); /* a clock that goes back gives nothing */
	/* Never more than a full bucket. */
	assert_false(quota_take(&q, &rate, 1000000, 11));
	assert_true(quota_take(&q, &rate, 1000000, 10));
	assert_false(quota_take(&q, &rate, INT64_MAX, 11));
	assert_true(quota_take(&q, &rate, INT64_MAX, 10));
}

static void
test_debt(void **state)
{
	struct quota q = { 0 };
	(void)state;
	quota_charge(&q, &rate, 0, 10);
	assert_true(quota_is_open(&q, &rate, 0));
	quota_charge(&q, &rate, 0, 4);
	assert_false(quota_is_open(&q, &rate, 0));
	assert_false(quota_is_open(&q, &rate, 1999));
	assert_true(quota_is_open(&q, &rate, 2000));
	assert_false(quota_take(&q, &rate, 2000, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_refill),
		cmocka_unit_test(test_debt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
