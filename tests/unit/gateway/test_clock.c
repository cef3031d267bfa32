/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static int64_t
wall(void *ctx)
{
	return *(int64_t *)ctx;
}

static int64_t
mono(void *ctx)
{
	return *(int64_t *)ctx + 1;
}

static void
test_injected(void **state)
{
	int64_t us = 1767261600123456;
	const struct clock_source c = { wall, mono, &us };
	(void)state;
	assert_int_equal(clock_wall_us(&c), us);
	assert_int_equal(clock_wall_s(&c), 1767261600);
	assert_int_equal(clock_mono_ms(&c), us + 1);
	us = -1;
	assert_int_equal(clock_wall_s(&c), -1); /* floor, not towards zero */
	us = -1000000;
	assert_int_equal(clock_wall_s(&c), -1);
}

static void
test_system(void **state)
{
	const struct clock_source c = clock_system();
	int64_t a = clock_mono_ms(&c), b = clock_mono_ms(&c);
	(void)state;
	assert_true(b >= a && a > 0);
	assert_true(clock_wall_us(&c) > 1577836800000000); /* 2020: microseconds, not milliseconds */
	assert_true(clock_wall_us(&c) < 253402300800000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injected),
		cmocka_unit_test(test_system),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
