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

/* How much of n bytes of fd one entry of the page table each can hold: 2 MiB a time. 0 without a large page. */
static size_t
mapped_large(int fd, size_t n)
{
	char line[256];
	size_t kib = 0, at = 0;
	uint8_t *p = mmap(NULL, n + MEMFD_LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	uint8_t *aligned = p + (MEMFD_LARGE - (uintptr_t)p % MEMFD_LARGE) % MEMFD_LARGE;
	assert_ptr_equal(mmap(aligned, n, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0), aligned);
	for (size_t i = 0; i < n; i += 4096)
		(void)*(volatile uint8_t *)(aligned + i);
	FILE *f = fopen("/proc/self/smaps", "re");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		unsigned long from, to, value;
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			at = from;
		else if (at == (size_t)(uintptr_t)aligned && sscanf(line, "ShmemPmdMapped: %lu kB", &value) == 1)
			kib = value;
	}
	fclose(f);
	munmap(p, n + MEMFD_LARGE);
	return kib << 10;
}

static void
test_enlarge_changes_no_byte(void **state)
{
	static const struct {
		size_t n, large; /* in large pages */
	} rows[] = {
		{ 1, 0 },
		{ MEMFD_LARGE / 4 * 3 - 1, 0 },
		{ MEMFD_LARGE / 4 * 3, 0 }, /* one, but longer than the file: nobody can map it so */
		{ MEMFD_LARGE, MEMFD_LARGE },
		{ 2 * MEMFD_LARGE + 12345, 2 * MEMFD_LARGE },
	};
	(void)state;
	for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
		uint8_t *bytes = malloc(rows[r].n);
		struct view v;
		int fd = memfd_open("test");
		assert_non_null(bytes);
		assert_true(fd >= 0);
		for (size_t i = 0; i < rows[r].n; i++)
			bytes[i] = (uint8_t)(i * 7 + i / 251);
		assert_int_equal(write(fd, bytes, rows[r].n), rows[r].n);
		bool done = memfd_enlarge(fd, 0, rows[r].n);
		/* Not every kernel does it. Where it says so it is so. */
		if (done)
			assert_true(mapped_large(fd, rows[r].n) >= rows[r].large);
		assert_int_equal(memfd_seal(fd), 0);
		(void)memfd_enlarge(fd, 0, rows[r].n); /* no mapping is left that could write, and none is made */
		assert_true(memfd_is_sealed(fd));
		assert_int_equal(memfd_map(fd, rows[r].n, &v), 0);
		assert_int_equal(v.n, rows[r].n);
		assert_memory_equal(v.p, bytes, rows[r].n);
		memfd_unmap(v);
		close(fd);
		free(bytes);
	}
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
		cmocka_unit_test(test_enlarge_changes_no_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
