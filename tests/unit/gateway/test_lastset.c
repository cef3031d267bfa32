/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/lastset.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

static void
test_what_is_kept_is_what_is_read(void **state)
{
	struct scratch tmp;
	uint8_t put[2][DIGEST_SHA256_LEN], got[DIGEST_SHA256_LEN] = { 0 };
	uint32_t number = 9;
	(void)state;
	scratch_open(&tmp);
	int dir = scratch_dir(&tmp, "approved");
	memset(put[0], 0xa5, sizeof put[0]);
	memset(put[1], 0x5a, sizeof put[1]);
	assert_int_equal(lastset_read(dir, &number, got), FG_ENOTFOUND);
	assert_int_equal(number, 9);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(lastset_write(dir, 0x01020300 + i, put[i]), FG_OK);
		assert_int_equal(lastset_read(dir, &number, got), FG_OK);
		assert_int_equal(number, 0x01020300 + i);
		assert_memory_equal(got, put[i], sizeof got);
	}
	close(dir);
	scratch_close(&tmp);
}

/* Shorter, longer, a link: never taken for one, and never for none, which would let any folder through. */
static void
test_anything_else_is_an_error(void **state)
{
	struct scratch tmp;
	uint8_t bytes[4 + DIGEST_SHA256_LEN + 1] = { 0 }, got[DIGEST_SHA256_LEN];
	const size_t bad[] = { 0, 4, sizeof bytes - 2, sizeof bytes };
	uint32_t number;
	(void)state;
	scratch_open(&tmp);
	int dir = scratch_dir(&tmp, "approved");
	const char *path = scratch_path(&tmp, "approved/signers");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		scratch_write(path, bytes, bad[i]);
		assert_int_equal(lastset_read(dir, &number, got), FG_EFORMAT);
	}
	scratch_write(scratch_path(&tmp, "other"), bytes, sizeof bytes - 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../other", path), 0);
	assert_int_equal(lastset_read(dir, &number, got), FG_EIO);
	close(dir);
	scratch_close(&tmp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_kept_is_what_is_read),
		cmocka_unit_test(test_anything_else_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
