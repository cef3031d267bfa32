/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/crc32c.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* RFC 3720 B.4. */
static void
test_vectors(void **state)
{
	(void)state;
	uint8_t buf[32] = { 0 };
	assert_int_equal(crc32c_add(0, view_of(NULL, 0)), 0);
	assert_int_equal(crc32c_add(0, view_of(buf, 32)), 0x8a9136aa);
	memset(buf, 0xff, sizeof buf);
	assert_int_equal(crc32c_add(0, view_of(buf, 32)), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		buf[i] = (uint8_t)i;
	assert_int_equal(crc32c_add(0, view_of(buf, 32)), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		buf[i] = (uint8_t)(31 - i);
	assert_int_equal(crc32c_add(0, view_of(buf, 32)), 0x113fdb5c);
	assert_int_equal(crc32c_add(0, view_str("123456789")), 0xe3069283);
}

static void
test_continues(void **state)
{
	(void)state;
	const char text[] = "the quick brown fox";
	uint32_t whole = crc32c_add(0, view_str(text));
	for (size_t i = 0; i <= strlen(text); i++)
		assert_int_equal(crc32c_add(crc32c_add(0, view_of(text, i)), view_str(text + i)), whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_continues),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
