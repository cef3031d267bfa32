/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/dirs.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"

struct fixture {
	char base[64], data[80], run[80], why[256];
	struct dirs_owner owner[MSG_ROLE_LIMIT];
	bool root;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->base, sizeof f->base, "/tmp/fgdirsXXXXXX");
	assert_non_null(mkdtemp(f->base));
	snprintf(f->data, sizeof f->data, "%s/data", f->base);
	snprintf(f->run, sizeof f->run, "%s/run", f->base);
	f->root = geteuid() == 0;
	for (unsigned i = 0; i < MSG_ROLE_LIMIT; i++)
		f->owner[i] = (struct dirs_owner){ geteuid(), getegid() };
	if (f->root)
		for (unsigned i = 1; i < MSG_ROLE_LIMIT; i++)
			f->owner[i] = (struct dirs_owner){ 5000 + i, 6000 + i };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	pid_t rm = fork();
	if (rm == 0) {
		execlp("rm", "rm", "-rf", "--", f->base, NULL); /* our own mkdtemp folder */
		_exit(127);
	}
	waitpid(rm, NULL, 0);
	free(f);
	return 0;
}

static int
prepare(struct fixture *f)
{
	return dirs_prepare(f->data, f->run, f->root, f->owner, f->why, sizeof f->why);
}

static void
expect(const struct fixture *f, const char *name, enum msg_role owner, mode_t mode)
{
	char path[160];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", f->data, name);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_uid, f->owner[owner].uid);
	assert_int_equal(st.st_gid, f->owner[owner].gid);
}

static void
expect_all(const struct fixture *f)
{
	expect(f, ".", MSG_ROLE_NONE, 0755);
	expect(f, "../run", MSG_ROLE_NONE, 0755);
	expect(f, "state", MSG_ROLE_CONTROL, 0700);
	expect(f, "images", MSG_ROLE_NONE, 0755);
	expect(f, "images/quarantine", MSG_ROLE_CONTROL, 0700);
	expect(f, "images/approved", MSG_ROLE_WARDEN, 0700);
	expect(f, "reports", MSG_ROLE_CONTROL, 0700);
	expect(f, "statements", MSG_ROLE_CONTROL, 0700);
	expect(f, "audit", MSG_ROLE_AUDIT, 0755);
	expect(f, "authority", MSG_ROLE_WARDEN, 0755);
	expect(f, "authority/signers", MSG_ROLE_WARDEN, 0755);
}

static void
test_made_and_made_again(void **state)
{
	struct fixture *f = *state;
	mode_t old = umask(077); /* a person's umask decides nothing */
	assert_int_equal(prepare(f), 0);
	expect_all(f);
	assert_int_equal(prepare(f), 0);
	umask(old);
	expect_all(f);
}

static void
test_modes_and_owners_are_put_right(void **state)
{
	struct fixture *f = *state;
	char path[160];
	assert_int_equal(prepare(f), 0);
	snprintf(path, sizeof path, "%s/images/approved", f->data);
	assert_int_equal(chmod(path, 0777), 0);
	if (f->root)
		assert_int_equal(chown(path, 1, 1), 0);
	assert_int_equal(prepare(f), 0);
	expect_all(f);
}

static void
test_a_link_or_file_in_the_way(void **state)
{
	struct fixture *f = *state;
	char path[160];
	struct stat st;
	assert_int_equal(prepare(f), 0);
	snprintf(path, sizeof path, "%s/reports", f->data);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(f->base, path), 0);
	assert_int_equal(prepare(f), FG_EIO);
	assert_non_null(strstr(f->why, "/reports: "));
	assert_int_equal(stat(f->base, &st), 0);
	assert_int_equal(st.st_uid, geteuid()); /* what it points to was not touched */
	assert_int_equal(unlink(path), 0);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(prepare(f), FG_EIO);
}

static void
test_no_parent(void **state)
{
	struct fixture *f = *state;
	snprintf(f->data, sizeof f->data, "%s/not/there", f->base);
	assert_int_equal(prepare(f), FG_EIO);
	assert_non_null(strstr(f->why, "not/there: "));
}

static void
test_everything_in_one_directory(void **state)
{
	struct fixture *f = *state;
	snprintf(f->run, sizeof f->run, "%s", f->data);
	assert_int_equal(prepare(f), 0);
	expect(f, "state", MSG_ROLE_CONTROL, 0700);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_made_and_made_again),
		T(test_modes_and_owners_are_put_right),
		T(test_a_link_or_file_in_the_way),
		T(test_no_parent),
		T(test_everything_in_one_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
