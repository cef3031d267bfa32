/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/confdir.h"

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
#include "gateway/role/bundle.h"
#include "gateway/supervisor/keyfile.h"

struct fixture {
	char dir[64], config[96], profiles[96];
	char said[8192];
	unsigned said_n;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->dir, sizeof f->dir, "/tmp/fgconfXXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->config, sizeof f->config, "%s/fotagate.conf", f->dir);
	snprintf(f->profiles, sizeof f->profiles, "%s/profiles.d", f->dir);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	pid_t rm = fork();
	if (rm == 0) {
		execlp("rm", "rm", "-rf", "--", f->dir, NULL); /* our own mkdtemp folder */
		_exit(127);
	}
	waitpid(rm, NULL, 0);
	free(f);
	return 0;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
put_profile(const struct fixture *f, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", f->profiles, name);
	put(path, text, 0644);
}

static void
say(void *ctx, const char *text)
{
	struct fixture *f = ctx;
	size_t n = strlen(f->said);
	snprintf(f->said + n, sizeof f->said - n, "%s\n", text);
	f->said_n++;
}

static int
read_it(struct fixture *f)
{
	f->said[0] = '\0';
	f->said_n = 0;
	return confdir_read(f->config, say, f);
}

static void
expect_refused(struct fixture *f, const char *part)
{
	assert_int_equal(read_it(f), FG_EINVAL);
	if (!strstr(f->said, part))
		fail_msg("\"%s\" is not in: %s", part, f->said);
}

static void
test_files_in_order(void **state)
{
	struct fixture *f = *state;
	struct bundle *b;
	unsigned n;
	put(f->config, "main", 0644);
	mkdir(f->profiles, 0755);
	put_profile(f, "b.conf", "B");
	put_profile(f, "a.conf", "A");
	put_profile(f, "Z.conf", "Z");
	put_profile(f, "a.conf.off", "no");
	put_profile(f, ".hidden.conf", "no");
	put_profile(f, "README", "no");
	char lists[sizeof f->dir + 32];
	snprintf(lists, sizeof lists, "%s/lists.d", f->dir);
	mkdir(lists, 0755);
	snprintf(lists, sizeof lists, "%s/lists.d/own.conf", f->dir);
	put(lists, "O", 0644);
	int fd = read_it(f);
	assert_true(fd >= 0);
	assert_int_equal(f->said_n, 0);
	assert_int_equal(bundle_open(fd, &b), 0);
	const struct bundle_file *files = bundle_files(b, &n);
	assert_int_equal(n, 5);
	assert_string_equal(files[0].name, "fotagate.conf");
	assert_string_equal(files[1].name, "lists.d/own.conf");
	assert_string_equal(files[2].name, "profiles.d/Z.conf"); /* bytes, not a locale's order */
	assert_string_equal(files[3].name, "profiles.d/a.conf");
	assert_string_equal(files[4].name, "profiles.d/b.conf");
	assert_true(view_is(files[0].text, "main") && view_is(files[1].text, "O") && view_is(files[3].text, "A"));
	bundle_free(b);
	close(fd);
}

static void
test_main_file_alone_under_another_name(void **state)
{
	struct fixture *f = *state;
	struct bundle *b;
	unsigned n;
	snprintf(f->config, sizeof f->config, "%s/other", f->dir);
	put(f->config, "main", 0600);
	int fd = read_it(f);
	assert_int_equal(bundle_open(fd, &b), 0);
	assert_string_equal(bundle_files(b, &n)->name, "fotagate.conf");
	assert_int_equal(n, 1);
	bundle_free(b);
	close(fd);
}

static void
test_who_may_write(void **state)
{
	struct fixture *f = *state;
	put(f->config, "x", 0646);
	expect_refused(f, "nobody else may write");
	chmod(f->config, 0644);
	if (geteuid() == 0) {
		assert_int_equal(chmod(f->config, 0664), 0);
		expect_refused(f, "nobody else may write");
		assert_int_equal(chmod(f->config, 0644), 0);
		assert_int_equal(chown(f->config, 4242, 0), 0);
		expect_refused(f, "must belong to root");
		assert_int_equal(chown(f->config, 0, 0), 0);
	}
	chmod(f->dir, 0777);
	expect_refused(f, "somebody else may write to this folder");
	chmod(f->dir, 0755);
	mkdir(f->profiles, 0755);
	chmod(f->profiles, 0757);
	expect_refused(f, "somebody else may write to this folder");
}

static void
test_what_is_no_file(void **state)
{
	struct fixture *f = *state;
	expect_refused(f, "No such file");
	mkfifo(f->config, 0600);
	expect_refused(f, "not a regular file"); /* and does not wait for a writer */
	unlink(f->config);
	mkdir(f->config, 0700);
	expect_refused(f, "not a regular file");
}

static void
test_every_problem_is_said(void **state)
{
	struct fixture *f = *state;
	put(f->config, "x", 0644);
	mkdir(f->profiles, 0755);
	put_profile(f, "bad name.conf", "x");
	put_profile(f, "\303\244.conf", "x");
	char *big = malloc(BUNDLE_FILE_MAX + 2);
	memset(big, ' ', BUNDLE_FILE_MAX + 1);
	big[BUNDLE_FILE_MAX + 1] = '\0';
	put_profile(f, "big.conf", big);
	free(big);
	expect_refused(f, "larger than 256 KiB");
	assert_int_equal(f->said_n, 3);
}

static void
test_limits_in_number_and_sum(void **state)
{
	struct fixture *f = *state;
	char name[32], *text = malloc(70000);
	memset(text, ' ', 69999);
	text[69999] = '\0';
	put(f->config, "x", 0644);
	mkdir(f->profiles, 0755);
	for (int i = 0; i < BUNDLE_FILES_MAX - 1; i++) {
		snprintf(name, sizeof name, "p%03d.conf", i);
		put_profile(f, name, text);
	}
	free(text);
	expect_refused(f, "all files together are larger than 16 MiB");
	for (int i = 0; i < BUNDLE_FILES_MAX - 1; i++) {
		snprintf(name, sizeof name, "p%03d.conf", i);
		put_profile(f, name, "");
	}
	int fd = read_it(f);
	assert_true(fd >= 0);
	close(fd);
	put_profile(f, "q.conf", "");
	expect_refused(f, "more than 272 profiles and lists");
}

/* ---- keyfile: the same questions about keys ---- */

static void
test_keyfile(void **state)
{
	struct fixture *f = *state;
	char path[96], link[96], why[256];
	snprintf(path, sizeof path, "%s/log.key", f->dir);
	snprintf(link, sizeof link, "%s/link", f->dir);
	assert_int_equal(keyfile_open(path, KEYFILE_SECRET, why, sizeof why), FG_ENOTFOUND);
	put(path, "secret", 0600);
	int fd = keyfile_open(path, KEYFILE_SECRET, why, sizeof why);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	assert_int_equal(symlink(path, link), 0);
	fd = keyfile_open(link, KEYFILE_PUBLIC, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
	static const mode_t open_modes[] = { 0604, 0640, 0660, 0602, 0666 };
	for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
		chmod(path, open_modes[i]);
		assert_int_equal(keyfile_open(path, KEYFILE_SECRET, why, sizeof why), FG_EPERM);
	}
	assert_int_equal(keyfile_open(path, KEYFILE_PUBLIC, why, sizeof why), FG_EPERM); /* 0666 */
	chmod(path, 0644);
	fd = keyfile_open(path, KEYFILE_PUBLIC, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
	put(path, "", 0600);
	assert_int_equal(keyfile_open(path, KEYFILE_SECRET, why, sizeof why), FG_EPERM);
	assert_non_null(strstr(why, "is empty"));
	assert_int_equal(truncate(path, KEYFILE_BYTES_MAX + 1), 0);
	assert_int_equal(keyfile_open(path, KEYFILE_SECRET, why, sizeof why), FG_EPERM);
	assert_int_equal(keyfile_open(f->dir, KEYFILE_PUBLIC, why, sizeof why), FG_EPERM);
}

/* Genesis lies in the warden's folder: what the warden puts in its place must not be read for it. */
static void
test_keyfile_of_a_roles_folder(void **state)
{
	struct fixture *f = *state;
	char key[96], paper[96], why[256];
	snprintf(key, sizeof key, "%s/log.key", f->dir);
	snprintf(paper, sizeof paper, "%s/genesis.json", f->dir);
	put(key, "secret", 0600);
	assert_int_equal(keyfile_open(paper, KEYFILE_PAPER, why, sizeof why), FG_ENOTFOUND);
	assert_int_equal(symlink(key, paper), 0);
	assert_int_equal(keyfile_open(paper, KEYFILE_PAPER, why, sizeof why), FG_EPERM);
	assert_int_equal(unlink(paper), 0);
	assert_int_equal(link(key, paper), 0);
	assert_int_equal(keyfile_open(paper, KEYFILE_PAPER, why, sizeof why), FG_EPERM);
	assert_non_null(strstr(why, "second name"));
	assert_int_equal(unlink(paper), 0);
	put(paper, "{}", 0644);
	int fd = keyfile_open(paper, KEYFILE_PAPER, why, sizeof why);
	assert_true(fd >= 0);
	close(fd);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_files_in_order),
		T(test_main_file_alone_under_another_name),
		T(test_who_may_write),
		T(test_what_is_no_file),
		T(test_every_problem_is_said),
		T(test_limits_in_number_and_sum),
		T(test_keyfile),
		T(test_keyfile_of_a_roles_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
