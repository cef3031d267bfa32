/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/utf8.h"

/* Every code point there and back, and nothing a byte shorter. */
static void
test_every_code_point(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		uint8_t b[4];
		uint32_t back = 0xdead;
		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		size_t n = utf8_put(code, b);
		if (utf8_next(view_of(b, n), &back) != n || back != code)
			fail_msg("U+%04X", code);
		if (utf8_next(view_of(b, n - 1), &back) != 0)
			fail_msg("U+%04X cut short", code);
	}
}

/* All two-byte inputs, and all three- and four-byte ones at the edges of each byte's range. */
static void
test_exactly_the_well_formed(void **state)
{
	(void)state;
	static const uint8_t edge[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
	uint32_t code;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			uint8_t in[4] = { (uint8_t)a, (uint8_t)b };
			bool tail = b >= 0x80 && b <= 0xbf;
			size_t want = a < 0x80 ? 1 : a >= 0xc2 && a <= 0xdf && tail ? 2 : 0;
			assert_int_equal(utf8_next(view_of(in, 2), &code), want);
		}
		for (unsigned i = 0; a >= 0xe0 && i < 10 * 10 * 10; i++) {
			uint8_t in[4] = { (uint8_t)a, edge[i % 10], edge[i / 10 % 10], edge[i / 100] };
			/* By the definition: decode blindly, then ask whether that is the one spelling. */
			size_t n = a < 0xf0 ? 3 : 4, same = 0;
			uint32_t blind = a & (n == 3 ? 0x0f : 0x07);
			uint8_t again[4] = { 0 };
			for (size_t k = 1; k < n; k++)
				blind = blind << 6 | (in[k] & 0x3f);
			if (a < 0xf8 && blind <= 0x10ffff && (blind < 0xd800 || blind > 0xdfff) &&
			    utf8_put(blind, again) == n)
				while (same < n && again[same] == in[same])
					same++;
			assert_int_equal(utf8_next(view_of(in, 4), &code), same == n ? n : 0);
		}
	}
	assert_int_equal(utf8_next(view_of(NULL, 0), &code), 0);
}

static void
test_text_has_no_noncharacters(void **state)
{
	(void)state;
	unsigned found = 0;
	for (uint32_t code = 0; code <= 0x10ffff; code++)
		found += utf8_is_noncharacter(code);
	assert_int_equal(found, 66); /* as Unicode counts them */
	assert_true(utf8_is_text(view_str("\xef\xbf\xbd caf\xc3\xa9")));
	assert_true(utf8_is_text(view_of("\0", 1)));
	assert_true(utf8_is_text(view_of(NULL, 0)));
	assert_false(utf8_is_text(view_str("a\xef\xbf\xbf")));
	assert_false(utf8_is_text(view_str("\xef\xb7\x90")));
	assert_false(utf8_is_text(view_str("ok then \xff")));
	assert_false(utf8_is_text(view_of("caf\xc3\xa9", 4)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_exactly_the_well_formed),
		cmocka_unit_test(test_text_has_no_noncharacters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
