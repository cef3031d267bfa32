/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/hex.h"
#include "crypto/wipe.h"

static void
test_every_byte_both_ways(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 256; v++) {
		char text[3];
		uint8_t in = (uint8_t)v, out = (uint8_t)~v;
		hex_encode(&in, 1, text);
		assert_int_equal(strlen(text), 2);
		assert_true(hex_decode(view_str(text), &out, 1));
		assert_int_equal(out, v);
	}
	char text[9];
	hex_encode("\xde\xad\xbe\xef", 4, text);
	assert_string_equal(text, "deadbeef");
	hex_encode(NULL, 0, text);
	assert_string_equal(text, "");
	assert_true(hex_decode(view_str(""), NULL, 0));
}

static void
test_anything_else_is_refused_and_zeroed(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "0", "00", "000", "0000000", "00000", "DEAD", "0xde",
		"dea ", " dea", "dexd", "de/d", "de:d", "de`d", "degd", "de\nd" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t out[2] = { 1, 1 };
		assert_false(hex_decode(view_str(bad[i]), out, 2));
		assert_int_equal(out[0] | out[1], 0);
	}
	uint8_t out[2] = { 1, 1 };
	assert_false(hex_decode(view_of("de\0d", 4), out, 2));
	assert_int_equal(out[0] | out[1], 0);
	/* Of all bytes only these sixteen are digits. */
	for (unsigned v = 0; v < 256; v++) {
		const char text[2] = { '0', (char)v };
		bool digit = (v >= '0' && v <= '9') || (v >= 'a' && v <= 'f');
		assert_int_equal(hex_decode(view_of(text, 2), out, 1), digit);
	}
}

static void
test_wipe_and_equal(void **state)
{
	(void)state;
	uint8_t secret[] = { 1, 2, 3, 4 };
	static const uint8_t same[] = { 1, 2, 3, 4 }, last[] = { 1, 2, 3, 5 };
	assert_true(wipe_equal(secret, same, 4));
	assert_false(wipe_equal(secret, last, 4));
	assert_true(wipe_equal(secret, last, 3));
	assert_true(wipe_equal(NULL, NULL, 0));
	wipe(secret, 3);
	assert_int_equal(secret[0] | secret[1] | secret[2], 0);
	assert_int_equal(secret[3], 4);
	wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_both_ways),
		cmocka_unit_test(test_anything_else_is_refused_and_zeroed),
		cmocka_unit_test(test_wipe_and_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
