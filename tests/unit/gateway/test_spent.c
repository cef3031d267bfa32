/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/spent.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

#define RECORD 48

static const uint8_t one[DIGEST_SHA256_LEN] = { 1 }, two[DIGEST_SHA256_LEN] = { 2 };
static const uint8_t first[RELEASE_ID] = { 7 }, second[RELEASE_ID] = { 8 };

/* Each release once under its statement, and so after every start; half a record at the end is none. */
static void
test_counts(void **state)
{
	(void)state;
	struct scratch tmp;
	struct spent *s = NULL;
	scratch_open(&tmp);
	int dir = scratch_dir(&tmp, "d");
	assert_int_equal(spent_open(dir, &s), FG_OK);
	assert_int_equal(spent_count(s, one), 0);
	assert_int_equal(spent_add(s, one, first), FG_OK);
	assert_int_equal(spent_add(s, one, first), FG_OK);
	assert_int_equal(spent_add(s, one, second), FG_OK);
	assert_int_equal(spent_add(s, two, second), FG_OK);
	assert_int_equal(spent_room(s), SPENT_MAX - 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(spent_count(s, one), 2);
		assert_int_equal(spent_count(s, two), 1);
		spent_close(s);
		int fd = openat(dir, "standing", O_WRONLY | O_APPEND | O_CLOEXEC);
		assert_int_equal(lseek(fd, 0, SEEK_END), 3 * RECORD);
		assert_int_equal(write(fd, "torn", 4), 4);
		close(fd);
		assert_int_equal(spent_open(dir, &s), FG_OK);
	}
	spent_close(s);
	close(dir);
	scratch_close(&tmp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
