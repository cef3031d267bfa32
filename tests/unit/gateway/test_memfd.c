/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/wire/memfd.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/err.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static void
test_sealed_round_trip(void **state)
{
	(void)state;
	int fd = memfd_sealed("test", view_str("some bytes"));
	assert_true(fd >= 0);
	assert_true(memfd_is_sealed(fd));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	struct view v;
	assert_int_equal(memfd_map(fd, 10, &v), 0);
	assert_true(view_is(v, "some bytes"));
	memfd_unmap(v);
	close(fd);
}

static void
test_sealed_is_final(void **state)
{
	(void)state;
	int fd = memfd_sealed("test", view_str("some bytes"));
	assert_int_equal(pwrite(fd, "X", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 3), -1);
	assert_int_equal(ftruncate(fd, 300), -1);
	assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	/* A second descriptor through /proc is no way around. */
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int again = open(path, O_RDWR | O_CLOEXEC);
	if (again >= 0) {
		assert_int_equal(pwrite(again, "X", 1, 0), -1);
		close(again);
	}
	close(fd);
}

static void
test_map_refuses_what_is_not_sealed(void **state)
{
	(void)state;
	struct view v = view_str("untouched");
	static const int partial[] = {
		0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK,
		F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL,
		F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL,
	};
	for (size_t i = 0; i < sizeof partial / sizeof partial[0]; i++) {
		int fd = memfd_open("test");
		assert_true(fd >= 0);
		assert_int_equal(write(fd, "abc", 3), 3);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, partial[i]), 0);
		assert_false(memfd_is_sealed(fd));
		assert_int_equal(memfd_map(fd, 100, &v), FG_EPEER);
		close(fd);
	}
	FILE *plain = tmpfile();
	assert_non_null(plain);
	fputs("abc", plain);
	fflush(plain);
	assert_int_equal(memfd_map(fileno(plain), 100, &v), FG_EPEER);
	fclose(plain);
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(memfd_map(ends[0], 100, &v), FG_EPEER);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(memfd_map(-1, 100, &v), FG_EPEER);
	assert_true(view_is(v, "untouched"));
}

static void
test_map_limits(void **state)
{
	(void)state;
	struct view v;
	int fd = memfd_sealed("test", view_of(NULL, 0));
	assert_true(fd >= 0);
	assert_int_equal(memfd_map(fd, 100, &v), FG_ELIMIT);
	close(fd);
	fd = memfd_sealed("test", view_str("abcd"));
	assert_int_equal(memfd_map(fd, 3, &v), FG_ELIMIT);
	assert_int_equal(memfd_map(fd, 4, &v), 0);
	memfd_unmap(v);
	close(fd);
	memfd_unmap(view_of(NULL, 0));
}

static void
test_seal_fails_while_writable_mapping_exists(void **state)
{
	(void)state;
	int fd = memfd_open("test");
	assert_int_equal(ftruncate(fd, 4096), 0);
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	assert_int_equal(memfd_seal(fd), FG_EIO);
	assert_false(memfd_is_sealed(fd));
	munmap(p, 4096);
	assert_int_equal(memfd_seal(fd), 0);
	assert_true(memfd_is_sealed(fd));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed_round_trip),
		cmocka_unit_test(test_sealed_is_final),
		cmocka_unit_test(test_map_refuses_what_is_not_sealed),
		cmocka_unit_test(test_map_limits),
		cmocka_unit_test(test_seal_fails_while_writable_mapping_exists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
