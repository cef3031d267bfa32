/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/file/wholefile.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>

#include "crypto/err.h"
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
	f->dir = scratch_dir(&f->tmp, "d");
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

static void
holds(const struct fixture *f, const char *name, const char *text)
{
	uint8_t *p = NULL;
	size_t n = 0;
	assert_int_equal(wholefile_read(f->dir, name, 100, &p, &n), FG_OK);
	assert_true(view_is(view_of(p, n), text));
	free(p);
}

static mode_t
mode_of(const struct fixture *f, const char *name)
{
	struct stat st;
	assert_int_equal(fstatat(f->dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	return st.st_mode & 07777;
}

static bool
is_there(const struct fixture *f, const char *name)
{
	return faccessat(f->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Replaced as a whole, whoever has the old one open keeps it; the mode is the one that was said. */
static void
test_replace(void **state)
{
	struct fixture *f = *state;
	char old[8];
	mode_t mask = umask(077);
	assert_int_equal(wholefile_replace(f->dir, "a", view_str("first"), 0644), FG_OK);
	assert_int_equal(mode_of(f, "a"), 0644);
	int fd = openat(f->dir, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(wholefile_replace(f->dir, "a", view_str("2nd"), 0440), FG_OK);
	umask(mask);
	assert_int_equal(mode_of(f, "a"), 0440);
	holds(f, "a", "2nd");
	assert_int_equal(read(fd, old, sizeof old), 5);
	close(fd);
	assert_int_equal(wholefile_replace_unsynced(f->dir, "a", view_of(NULL, 0), 0600), FG_OK);
	holds(f, "a", "");
	assert_false(is_there(f, "a" WHOLEFILE_ASIDE));
}

/* What lies under the name aside is taken away, never written through. */
static void
test_aside(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(wholefile_replace(f->dir, "victim", view_str("untouched"), 0600), FG_OK);
	assert_int_equal(symlinkat("victim", f->dir, "a" WHOLEFILE_ASIDE), 0);
	assert_int_equal(wholefile_replace(f->dir, "a", view_str("mine"), 0600), FG_OK);
	assert_int_equal(linkat(f->dir, "victim", f->dir, "a" WHOLEFILE_ASIDE, 0), 0);
	assert_int_equal(wholefile_replace(f->dir, "a", view_str("again"), 0600), FG_OK);
	holds(f, "victim", "untouched");
	assert_int_equal(mode_of(f, "a"), 0600);
	holds(f, "a", "again");
	/* A link under the name itself is replaced, not followed. */
	assert_int_equal(symlinkat("victim", f->dir, "b"), 0);
	assert_int_equal(wholefile_replace(f->dir, "b", view_str("b"), 0600), FG_OK);
	holds(f, "victim", "untouched");
	holds(f, "b", "b");
}

/* The file is as before, nothing lies beside it, and errno says what it was. */
static void
test_failing(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[5000];
	char name[PATH_MAX];
	struct rlimit old, small;
	assert_int_equal(wholefile_replace(f->dir, "a", view_str("before"), 0600), FG_OK);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 3000, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int err = wholefile_replace(f->dir, "a", view_of(bytes, sizeof bytes), 0600), why = errno;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err, FG_EIO);
	assert_int_equal(why, EFBIG);
	holds(f, "a", "before");
	assert_false(is_there(f, "a" WHOLEFILE_ASIDE));

	assert_int_equal(mkdirat(f->dir, "folder", 0755), 0);
	assert_int_equal(wholefile_replace(f->dir, "folder", view_str("x"), 0600), FG_EIO);
	assert_int_equal(errno, EISDIR);
	assert_false(is_there(f, "folder" WHOLEFILE_ASIDE));

	assert_int_equal(wholefile_replace(f->dir, "none/x", view_str("x"), 0600), FG_EIO);
	assert_int_equal(errno, ENOENT);
	memset(name, 'x', sizeof name);
	name[sizeof name - 3] = '\0';
	assert_int_equal(wholefile_replace(f->dir, name, view_str("x"), 0600), FG_EIO);
	assert_int_equal(errno, ENAMETOOLONG);
}

/* Below a folder, from the root, in the working directory. */
static void
test_places(void **state)
{
	struct fixture *f = *state;
	const char *path = scratch_path(&f->tmp, "d/sub/a");
	assert_int_equal(mkdirat(f->dir, "sub", 0755), 0);
	assert_int_equal(wholefile_replace(f->dir, "sub/a", view_str("one"), 0600), FG_OK);
	holds(f, "sub/a", "one");
	assert_int_equal(wholefile_replace(AT_FDCWD, path, view_str("two"), 0600), FG_OK);
	holds(f, "sub/a", "two");
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fchdir(f->dir), 0);
	assert_int_equal(wholefile_replace(AT_FDCWD, "b", view_str("three"), 0600), FG_OK);
	assert_int_equal(fchdir(here), 0);
	close(here);
	holds(f, "b", "three");
	assert_int_equal(wholefile_sync_folder(AT_FDCWD, "/x"), FG_OK);
	assert_int_equal(wholefile_sync_folder(f->dir, "none/x"), FG_EIO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(wholefile_sync_folder(f->dir, "b/x"), FG_EIO);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(wholefile_sync_folder(-1, "x"), FG_EIO);
	assert_int_equal(errno, EBADF);
}

static void
test_read(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = NULL;
	size_t n = 0;
	assert_int_equal(wholefile_replace(f->dir, "a", view_str("12345"), 0600), FG_OK);
	assert_int_equal(wholefile_read(f->dir, "a", 5, &p, &n), FG_OK);
	assert_int_equal(n, 5);
	free(p);
	p = NULL;
	assert_int_equal(wholefile_read(f->dir, "a", 4, &p, &n), FG_ELIMIT);
	assert_int_equal(wholefile_read(f->dir, "b", 4, &p, &n), FG_ENOTFOUND);
	/* Nothing but a regular file, and nobody waits for one. */
	assert_int_equal(symlinkat("a", f->dir, "link"), 0);
	assert_int_equal(mkfifoat(f->dir, "fifo", 0600), 0);
	assert_int_equal(mkdirat(f->dir, "folder", 0755), 0);
	assert_int_equal(wholefile_read(f->dir, "link", 9, &p, &n), FG_EIO);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(wholefile_read(f->dir, "fifo", 9, &p, &n), FG_ELIMIT);
	assert_int_equal(wholefile_read(f->dir, "folder", 9, &p, &n), FG_ELIMIT);
	assert_null(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
