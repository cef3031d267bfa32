/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/file/fdio.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

#define MUCH (1u << 20) /* more than a pipe takes at once */

/* A pipe that is not waited for takes a part, then nothing more. */
static void
test_parts(void **state)
{
	(void)state;
	static uint8_t much[MUCH], got[MUCH];
	int fd[2];
	size_t n = 0;
	memset(much, 'x', sizeof much);
	assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(fdio_write(fd[1], view_of(much, sizeof much)), FG_EIO);
	assert_int_equal(errno, EAGAIN);
	for (ssize_t r; (r = read(fd[0], got, sizeof got)) > 0;)
		n += (size_t)r;
	assert_true(n > 0 && n < sizeof much);
	assert_int_equal(fdio_write(fd[1], view_str("all")), FG_OK);
	assert_int_equal(read(fd[0], got, sizeof got), 3);
	assert_int_equal(fdio_write(fd[1], view_of(NULL, 0)), FG_OK);
	close(fd[0]);
	close(fd[1]);
}

/* The call before the end of the room is short, the one after it says why. */
static void
test_full(void **state)
{
	(void)state;
	struct scratch tmp;
	struct rlimit old, small;
	struct stat st;
	static uint8_t bytes[5000];
	scratch_open(&tmp);
	int fd = open(scratch_path(&tmp, "f"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 3000, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int err = fdio_write(fd, view_of(bytes, sizeof bytes)), why = errno;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err, FG_EIO);
	assert_int_equal(why, EFBIG);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 3000);
	assert_int_equal(fdio_write(fd, view_of(bytes, sizeof bytes)), FG_OK);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 8000);
	close(fd);
	assert_int_equal(fdio_write(-1, view_str("x")), FG_EIO);
	assert_int_equal(errno, EBADF);
	scratch_close(&tmp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
