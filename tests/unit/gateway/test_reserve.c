/* SPDX-License-Identifier: Apache-2.0 */
/* The space that is kept for the last words of the log; on small disks of its own, which takes root. */
#include "gateway/audit/reserve.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mount.h>

#include "unit/gateway/scratch.h"

#define MIB (UINT64_C(1) << 20)

struct fixture {
	struct scratch tmp;
	struct reserve r;
	int dir;
	bool mounted;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	close(scratch_dir(&f->tmp, "audit"));
	f->mounted = mount("tmpfs", scratch_path(&f->tmp, "audit"), "tmpfs", 0, "size=32m") == 0;
	f->dir = scratch_dir(&f->tmp, "audit");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	close(f->dir);
	if (f->mounted)
		umount(scratch_path(&f->tmp, "audit"));
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static void
filler(struct fixture *f, uint64_t bytes)
{
	int fd = openat(f->dir, "filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	if (bytes)
		assert_int_equal(posix_fallocate(fd, 0, (off_t)bytes), 0);
	close(fd);
}

static uint64_t
blocks(struct fixture *f)
{
	struct stat st;
	assert_int_equal(fstatat(f->dir, RESERVE_FILE, &st, 0), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void
test_levels(void **state)
{
	static const struct {
		uint64_t filled;
		enum reserve_level level;
		bool held;
	} rows[] = {
		{ 20, RESERVE_GOOD, true },
		{ 26, RESERVE_WARN, true }, /* 81 percent, 2 MiB beside the reserve */
		{ 27, RESERVE_FULL, false },
		{ 31, RESERVE_FULL, false },
		{ 27, RESERVE_FULL, false }, /* 5 MiB are not the reserve and half of it */
		{ 24, RESERVE_GOOD, true },
	};
	struct fixture *f = *state;
	if (!f->mounted)
		skip();
	assert_int_equal(reserve_open(&f->r, f->dir), 0);
	assert_true(f->r.held);
	assert_int_equal(f->r.bytes, 4 * MIB); /* an eighth */
	assert_int_equal(blocks(f), 4 * MIB);
	assert_true(f->r.used_pct <= 1); /* it is as good as free */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		filler(f, rows[i].filled * MIB);
		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(reserve_look(&f->r), rows[i].level);
			assert_int_equal(f->r.held, rows[i].held);
			assert_int_equal(blocks(f), rows[i].held ? 4 * MIB : 0);
		}
	}
}

/* A write failed: given up at once, and not taken back while there is no room. */
static void
test_given_and_found(void **state)
{
	struct fixture *f = *state;
	if (!f->mounted)
		skip();
	assert_int_equal(reserve_open(&f->r, f->dir), 0);
	filler(f, 27 * MIB);
	reserve_give(&f->r);
	assert_int_equal(blocks(f), 0);
	assert_int_equal(reserve_open(&f->r, f->dir), 0);
	assert_false(f->r.held);
	filler(f, 0);
	assert_int_equal(reserve_open(&f->r, f->dir), 0);
	assert_true(f->r.held);
	/* A copy that made a hole of it is no reserve. */
	int fd = openat(f->dir, RESERVE_FILE, O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	close(fd);
	assert_int_equal(blocks(f), 0);
	assert_int_equal(reserve_open(&f->r, f->dir), 0);
	assert_int_equal(blocks(f), 4 * MIB);
	assert_true(f->r.held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_and_found, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
