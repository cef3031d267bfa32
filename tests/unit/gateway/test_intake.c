/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/intake.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	int dir;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->dir = scratch_dir(&f->tmp, ".");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	close(f->dir);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static uint8_t *
bytes(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + i / 251);
	return p;
}

/* A source that stays open for writing, as control's does. */
static int
source(struct fixture *f, const uint8_t *p, size_t n)
{
	scratch_write(scratch_path(&f->tmp, "source"), p, n);
	int fd = open(scratch_path(&f->tmp, "source"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int
finish(struct intake *in, struct intake_result *r)
{
	int err;
	while ((err = intake_step(in)) == FG_EAGAIN)
		;
	assert_int_equal(err, 0);
	return intake_finish(in, r);
}

static void
check(const struct intake_result *r, const uint8_t *p, size_t n, bool hot)
{
	uint8_t want[32], *back = malloc(n);
	assert_int_equal(r->size, n);
	assert_int_equal(r->hot, hot);
	digest_sha256(view_of(p, n), want);
	assert_memory_equal(r->sha256, want, 32);
	assert_int_equal(pread(r->image_fd, back, n, 0), n);
	assert_memory_equal(back, p, n);
	assert_int_equal(r->blocks, (n + RELEASE_BLOCK - 1) / RELEASE_BLOCK);
	struct view list;
	assert_int_equal(memfd_map(r->blocks_fd, r->blocks * 32, &list), 0);
	assert_int_equal(list.n, r->blocks * 32);
	digest_sha256(list, want);
	assert_memory_equal(r->blocks_sha256, want, 32);
	for (uint64_t i = 0; i < r->blocks; i++) {
		size_t at = i * RELEASE_BLOCK, len = n - at < RELEASE_BLOCK ? n - at : RELEASE_BLOCK;
		digest_sha256(view_of(p + at, len), want);
		assert_memory_equal(list.p + i * 32, want, 32);
	}
	memfd_unmap(list);
	if (hot)
		assert_true(memfd_is_sealed(r->image_fd));
	else
		assert_int_equal(fcntl(r->image_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	free(back);
}

static void
test_sizes(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = { 1, RELEASE_BLOCK - 1, RELEASE_BLOCK, RELEASE_BLOCK + 1, INTAKE_SLICE,
		INTAKE_SLICE + 3 * RELEASE_BLOCK + 5 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint8_t *p = bytes(sizes[i]);
		int fd = source(f, p, sizes[i]);
		for (int mode = 0; mode < 4; mode++) { /* file and memfd, file, memfd, neither */
			struct intake_result r;
			int err = 0, own = open(scratch_path(&f->tmp, "source"), O_RDONLY | O_CLOEXEC);
			struct intake *in = intake_new(mode == 3 ? own : fd, sizes[i], mode < 2 ? f->dir : -1,
			    mode < 2 ? "a.copy" : "", !(mode % 2), &err);
			assert_non_null(in);
			assert_int_equal(finish(in, &r), 0);
			check(&r, p, sizes[i], !(mode % 2));
			if (mode < 2) {
				size_t n;
				uint8_t *copy = scratch_read(scratch_path(&f->tmp, "a.copy"), &n);
				assert_int_equal(n, sizes[i]);
				assert_memory_equal(copy, p, n);
				free(copy);
			}
			close(r.image_fd);
			close(r.blocks_fd);
			close(own);
		}
		close(fd);
		free(p);
	}
}

/* Whoever still holds the source may change it at any time: what is hashed is what is kept. */
static void
test_source_changes(void **state)
{
	struct fixture *f = *state;
	const size_t n = 2 * INTAKE_SLICE + 100;
	uint8_t *p = bytes(n);
	for (int hot = 0; hot < 2; hot++) {
		for (int steps = 0; steps < 6; steps++) {
			struct intake_result r;
			int fd = source(f, p, n), err = 0;
			struct intake *in = intake_new(fd, n, f->dir, "a.copy", hot, &err);
			for (int k = 0; k < steps; k++)
				err = intake_step(in);
			(void)err;
			for (off_t at = 0; at < (off_t)n; at += 4096)
				assert_true(scratch_flip(scratch_path(&f->tmp, "source"), at, 0xff));
			assert_int_equal(finish(in, &r), 0);
			uint8_t *back = malloc(n), have[32];
			assert_int_equal(pread(r.image_fd, back, n, 0), n);
			digest_sha256(view_of(back, n), have);
			assert_memory_equal(have, r.sha256, 32);
			free(back);
			close(r.image_fd);
			close(r.blocks_fd);
			close(fd);
		}
	}
	free(p);
}

static void
test_source_grows_or_shrinks(void **state)
{
	struct fixture *f = *state;
	const size_t n = INTAKE_SLICE + 100;
	uint8_t *p = bytes(2 * n), want[32];
	struct intake_result r;
	int fd = source(f, p, n), err = 0;
	struct intake *in = intake_new(fd, n, f->dir, "a.copy", true, &err);
	assert_int_equal(intake_step(in), FG_EAGAIN);
	assert_int_equal(pwrite(fd, p + n, n, (off_t)n), n);
	assert_int_equal(finish(in, &r), 0);
	assert_int_equal(r.size, n); /* no byte more than there were */
	digest_sha256(view_of(p, n), want);
	assert_memory_equal(r.sha256, want, 32);
	close(r.image_fd);
	close(r.blocks_fd);
	in = intake_new(fd, n, f->dir, "a.copy", true, &err);
	assert_int_equal(intake_step(in), FG_EAGAIN);
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_int_equal(finish(in, &r), 0);
	assert_int_equal(r.size, INTAKE_SLICE); /* and its digest is another */
	close(r.image_fd);
	close(r.blocks_fd);
	close(fd);
	free(p);
}

/* What came out cannot be written any more, by nobody. */
static void
test_frozen(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = bytes(100000);
	struct intake_result r;
	int fd = source(f, p, 100000), err = 0;
	struct intake *in = intake_new(fd, 100000, f->dir, "a.copy", true, &err);
	assert_int_equal(finish(in, &r), 0);
	assert_int_equal(pwrite(r.image_fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(r.image_fd, 5), -1);
	assert_ptr_equal(mmap(NULL, 100, PROT_WRITE, MAP_SHARED, r.image_fd, 0), MAP_FAILED);
	assert_int_equal(pwrite(r.blocks_fd, "x", 1, 0), -1);
	close(r.image_fd);
	close(r.blocks_fd);
	in = intake_new(fd, 100000, f->dir, "b.copy", false, &err);
	assert_int_equal(finish(in, &r), 0);
	assert_int_equal(pwrite(r.image_fd, "x", 1, 0), -1);
	close(r.image_fd);
	close(r.blocks_fd);
	close(fd);
	free(p);
}

static void
test_failures(void **state)
{
	struct fixture *f = *state;
	struct intake_result r;
	int err = 0, fd = source(f, NULL, 0);
	struct intake *in = intake_new(fd, 0, f->dir, "a.copy", true, &err);
	assert_int_equal(finish(in, &r), FG_ELIMIT); /* an empty image releases nothing */
	assert_int_equal(access(scratch_path(&f->tmp, "a.copy"), F_OK), -1);
	assert_null(intake_new(fd, INTAKE_IMAGE_MAX + 1, f->dir, "a.copy", true, &err));
	assert_int_equal(err, FG_ELIMIT);
	in = intake_new(fd, 5, f->dir, "a.copy", false, &err);
	assert_int_equal(access(scratch_path(&f->tmp, "a.copy"), F_OK), 0);
	intake_abort(in);
	intake_abort(NULL);
	assert_int_equal(access(scratch_path(&f->tmp, "a.copy"), F_OK), -1);
	close(fd);
	fd = open(scratch_path(&f->tmp, "source"), O_WRONLY | O_CLOEXEC);
	in = intake_new(fd, 5, f->dir, "a.copy", false, &err);
	assert_int_equal(intake_step(in), FG_EIO); /* cannot be read */
	intake_abort(in);
	close(fd);
	in = intake_new(-1, 5, -1, "", true, &err);
	assert_int_equal(intake_finish(in, &r), FG_ESTATE);
	/* A link put in place of the copy is not followed, nor what it names harmed. */
	assert_int_equal(symlink("source", scratch_path(&f->tmp, "a.copy")), 0);
	scratch_write(scratch_path(&f->tmp, "source"), "keep", 4);
	fd = open(scratch_path(&f->tmp, "source"), O_RDONLY | O_CLOEXEC);
	in = intake_new(fd, 4, f->dir, "a.copy", false, &err);
	assert_int_equal(finish(in, &r), 0);
	struct stat st;
	assert_int_equal(lstat(scratch_path(&f->tmp, "a.copy"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	close(r.image_fd);
	close(r.blocks_fd);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_grows_or_shrinks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frozen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
