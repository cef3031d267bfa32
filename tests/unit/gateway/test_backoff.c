/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/backoff.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_doubles_up_to_its_maximum(void **state)
{
	struct backoff b = { 0 };
	int64_t now = 1000, want = BACKOFF_FIRST_MS;
	(void)state;
	for (int i = 0; i < 100; i++) {
		backoff_started(&b, now);
		now += 10;
		assert_int_equal(backoff_ended(&b, now), want);
		want = want * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : want * 2;
	}
	assert_int_equal(want, BACKOFF_MAX_MS);
}

static void
test_a_quiet_minute_is_forgiven(void **state)
{
	struct backoff b = { 0 };
	int64_t now = 0;
	(void)state;
	for (int i = 0; i < 20; i++) {
		backoff_started(&b, now);
		backoff_ended(&b, now);
	}
	backoff_started(&b, now);
	assert_int_equal(backoff_ended(&b, now + BACKOFF_QUIET_MS - 1), BACKOFF_MAX_MS);
	backoff_started(&b, now);
	assert_int_equal(backoff_ended(&b, now + BACKOFF_QUIET_MS), BACKOFF_FIRST_MS);
	backoff_started(&b, now);
	assert_int_equal(backoff_ended(&b, now), 2 * BACKOFF_FIRST_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_up_to_its_maximum),
		cmocka_unit_test(test_a_quiet_minute_is_forgiven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
