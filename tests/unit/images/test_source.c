/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/err.h"
#include "images/source.h"

static void
memory_is_bounded(void **state)
{
	(void)state;
	struct source s;
	uint8_t buf[8] = { 0 };
	source_memory(&s, view_str("firmware"));
	assert_int_equal(source_read(&s, 0, buf, 8), 0);
	assert_memory_equal(buf, "firmware", 8);
	assert_int_equal(source_read(&s, 1, buf, 8), FG_ELIMIT);
	assert_int_equal(source_read(&s, UINT64_MAX, buf, 1), FG_ELIMIT);
	assert_int_equal(source_read(&s, 9, buf, 0), FG_ELIMIT);
	assert_int_equal(source_read(&s, 8, buf, 0), 0);
	assert_int_equal(source_read_some(&s, 6, buf, 8), 2);
	assert_memory_equal(buf, "re", 2);
	assert_int_equal(source_read_some(&s, 8, buf, 8), 0);
	assert_int_equal(source_read_some(&s, UINT64_MAX, buf, 8), 0);
	source_sequential(&s);
	source_memory(&s, view_of(NULL, 0));
	assert_int_equal(source_read_some(&s, 0, buf, 8), 0);
}

static void
file_that_shrinks_is_an_error(void **state)
{
	(void)state;
	struct source s;
	uint8_t buf[16];
	int fd = memfd_create("image", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	assert_int_equal(source_open(&s, fd), 0);
	assert_int_equal(s.size, 10);
	source_sequential(&s);
	assert_int_equal(source_read(&s, 5, buf, 5), 0);
	assert_memory_equal(buf, "56789", 5);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 10); /* nobody moved it */
	assert_int_equal(ftruncate(fd, 4), 0);
	assert_int_equal(source_read(&s, 0, buf, 10), FG_EIO);
	assert_int_equal(source_read_some(&s, 0, buf, 16), FG_EIO);
	assert_int_equal(source_read(&s, 0, buf, 4), 0);
	close(fd);
}

static void
only_regular_files(void **state)
{
	(void)state;
	struct source s;
	int pipes[2];
	int null = open("/dev/null", O_RDONLY), dir = open("/", O_RDONLY);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(source_open(&s, pipes[0]), FG_EINVAL);
	assert_int_equal(source_open(&s, null), FG_EINVAL);
	assert_int_equal(source_open(&s, dir), FG_EINVAL);
	assert_int_equal(source_open(&s, -1), FG_EIO);
	close(pipes[0]);
	close(pipes[1]);
	close(null);
	close(dir);
}

static void
size_has_a_limit(void **state)
{
	(void)state;
	struct source s;
	int fd = memfd_create("image", MFD_CLOEXEC);
	if (ftruncate(fd, (off_t)SOURCE_SIZE_MAX + 1)) {
		close(fd);
		skip();
	}
	assert_int_equal(source_open(&s, fd), FG_ELIMIT);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(file_that_shrinks_is_an_error),
		cmocka_unit_test(only_regular_files),
		cmocka_unit_test(size_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
