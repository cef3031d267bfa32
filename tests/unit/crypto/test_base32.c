/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/base32.h"

/* RFC 4648 section 10, without the padding. */
static void
test_vectors(void **state)
{
	static const struct {
		const char *plain, *text;
	} rows[] = { { "", "" }, { "f", "MY" }, { "fo", "MZXQ" }, { "foo", "MZXW6" }, { "foob", "MZXW6YQ" },
		{ "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[BASE32_CAP(6)];
		uint8_t back[6] = { 0 };
		base32_encode(view_str(rows[i].plain), text);
		assert_string_equal(text, rows[i].text);
		assert_true(base32_decode(view_str(text), back, strlen(rows[i].plain)));
		assert_memory_equal(back, rows[i].plain, strlen(rows[i].plain));
	}
}

static void
test_what_is_none(void **state)
{
	uint8_t dst[6];
	(void)state;
	assert_true(base32_decode(view_str(" mzxw-6ytb OI"), dst, 6));
	assert_memory_equal(dst, "foobar", 6);
	static const char *const bad[] = { "", "MZXW6YTBO", "MZXW6YTBOIA", "MZXW6YTBOJ", "MZXW6YTB0I", "MZXW6YTBOI=", "MZXW6YTBOIAAAAAA" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (base32_decode(view_str(bad[i]), dst, 6))
			fail_msg("%s", bad[i]);
		assert_int_equal(dst[0] | dst[5], 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
