/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "crypto/err.h"
#include "crypto/totp.h"

static const char SECRET[] = "12345678901234567890";

static struct view
secret(void)
{
	return view_of(SECRET, TOTP_SECRET_LEN);
}

/* RFC 6238 appendix B, SHA-1, eight digits. */
static void
test_rfc6238(void **state)
{
	static const struct {
		int64_t t;
		uint32_t value;
	} rows[] = { { 59, 94287082 }, { 1111111109, 7081804 }, { 1111111111, 14050471 }, { 1234567890, 89005924 },
		{ 2000000000, 69279037 }, { INT64_C(20000000000), 65353130 } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint32_t value = 0;
		assert_int_equal(totp_value(secret(), (uint64_t)rows[i].t / TOTP_STEP_S, 8, &value), 0);
		assert_int_equal(value, rows[i].value);
		assert_int_equal(totp_value(secret(), (uint64_t)rows[i].t / TOTP_STEP_S, 6, &value), 0);
		assert_int_equal(value, rows[i].value % 1000000);
	}
}

/* RFC 4226 appendix D. */
static void
test_rfc4226(void **state)
{
	static const uint32_t want[] = { 755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489 };
	(void)state;
	for (uint64_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		uint32_t value = 0;
		assert_int_equal(totp_value(secret(), i, 6, &value), 0);
		assert_int_equal(value, want[i]);
	}
}

static int
check(const char *text, int64_t now, uint64_t last, uint64_t *step)
{
	return totp_check(secret(), view_str(text), now, last, step);
}

static void
test_window_and_reuse(void **state)
{
	const int64_t t = 1111111109; /* step 37037036: 081804 */
	const uint64_t own = 37037036;
	uint64_t step = 0;
	(void)state;
	assert_int_equal(check("081804", t, 0, &step), 0);
	assert_int_equal(step, own);
	/* One step early or late, and no more. */
	assert_int_equal(check("081804", t + TOTP_STEP_S, 0, &step), 0);
	assert_int_equal(step, own);
	assert_int_equal(check("081804", t - TOTP_STEP_S, 0, &step), 0);
	assert_int_equal(check("081804", t + 2 * TOTP_STEP_S, 0, &step), FG_ENOTFOUND);
	assert_int_equal(check("081804", t - 2 * TOTP_STEP_S, 0, &step), FG_ENOTFOUND);
	/* Once, and nothing from before what was used. */
	assert_int_equal(check("081804", t, own - 1, &step), 0);
	assert_int_equal(check("081804", t, own, &step), FG_ENOTFOUND);
	assert_int_equal(check("081804", t, own + 1, &step), FG_ENOTFOUND);
	static const char *const bad[] = { "", "81804", "0818044", "081805", "O81804", " 81804", "0x1804" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(check(bad[i], t, 0, &step), FG_ENOTFOUND);
	/* Before there was a second step there is no window. */
	assert_int_equal(check("755224", 0, 0, &step), FG_ENOTFOUND);
	assert_int_equal(check("755224", -5, 0, &step), FG_ENOTFOUND);
}

static void
test_uri(void **state)
{
	char uri[TOTP_URI_CAP];
	(void)state;
	assert_true(totp_uri("gw 7/f3a", "alice&x=", secret(), uri, sizeof uri));
	assert_string_equal(uri, "otpauth://totp/gw7f3a:alicex?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=gw7f3a"
				 "&algorithm=SHA1&digits=6&period=30");
	assert_false(totp_uri("gw", "alice", secret(), uri, 40));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc6238),
		cmocka_unit_test(test_rfc4226),
		cmocka_unit_test(test_window_and_reuse),
		cmocka_unit_test(test_uri),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
