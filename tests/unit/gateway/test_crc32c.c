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

/* Every length, place and start: the instruction and the table say the same. */
static void
test_table_and_instruction(void **state)
{
	uint8_t buf[96];
	(void)state;
	for (unsigned i = 0; i < sizeof buf; i++)
		buf[i] = (uint8_t)(i * 167 + 13);
	for (size_t from = 0; from < 9; from++) {
		for (size_t n = 0; from + n <= sizeof buf; n++) {
			struct view v = view_of(buf + from, n);
			assert_int_equal(crc32c_add(0, v), crc32c_add_by_table(0, v));
			assert_int_equal(crc32c_add(0xdeadbeef, v), crc32c_add_by_table(0xdeadbeef, v));
		}
	}
	assert_int_equal(crc32c_add_by_table(0, view_str("123456789")), 0xe3069283);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_continues),
		cmocka_unit_test(test_table_and_instruction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
