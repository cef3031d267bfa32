/* SPDX-License-Identifier: Apache-2.0 */
/* Which machine and which files a log belongs to. */
#include "gateway/audit/hostbind.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	int dir;
	struct hostbind_ids here;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->dir = scratch_dir(&f->tmp, "audit");
	memset(f->here.machine, 0xa1, sizeof f->here.machine);
	memset(f->here.product, 0xb2, sizeof f->here.product);
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

static enum hostbind_verdict
check(struct fixture *f, const char *why)
{
	enum hostbind_verdict verdict = HOSTBIND_OTHER;
	char said[HOSTBIND_TEXT];
	assert_int_equal(hostbind_check(f->dir, &f->here, &verdict, said), 0);
	if (why)
		assert_non_null(strstr(said, why));
	else
		assert_string_equal(said, "");
	return verdict;
}

static void
bind_it(struct fixture *f)
{
	char told[HOSTBIND_TEXT];
	assert_int_equal(hostbind_make(f->dir, &f->here, told), 0);
	assert_non_null(strstr(told, "machine-id a1a1a1a1, product b2b2b2b2"));
	assert_int_equal(hostbind_settle(f->dir), 0);
}

static void
test_made_and_released(void **state)
{
	struct fixture *f = *state;
	char told[HOSTBIND_TEXT], again[HOSTBIND_TEXT];
	assert_int_equal(check(f, NULL), HOSTBIND_NONE);
	assert_int_equal(hostbind_tell(f->dir, told), 0);
	assert_string_equal(told, "none");
	assert_int_equal(hostbind_make(f->dir, &f->here, told), 0);
	assert_int_equal(check(f, NULL), HOSTBIND_NONE); /* until it is in its place */
	assert_int_equal(hostbind_make(f->dir, &f->here, told), 0);
	assert_int_equal(hostbind_settle(f->dir), 0);
	assert_int_equal(check(f, NULL), HOSTBIND_SAME);
	assert_int_equal(hostbind_tell(f->dir, again), 0);
	assert_string_equal(told, again);
	assert_int_equal(hostbind_release(f->dir), 0);
	assert_int_equal(hostbind_release(f->dir), 0);
	assert_int_equal(check(f, NULL), HOSTBIND_NONE);
}

static void
test_another_machine(void **state)
{
	struct fixture *f = *state;
	bind_it(f);
	f->here.machine[31] ^= 1;
	assert_int_equal(check(f, "machine-id"), HOSTBIND_OTHER);
	f->here.machine[31] ^= 1;
	f->here.product[0] ^= 1;
	assert_int_equal(check(f, "product UUID"), HOSTBIND_OTHER);
}

/* What is not known, then or now, proves nothing. */
static void
test_unknown_agrees(void **state)
{
	struct fixture *f = *state;
	struct hostbind_ids known = f->here;
	bind_it(f);
	memset(f->here.product, 0, sizeof f->here.product);
	assert_int_equal(check(f, NULL), HOSTBIND_SAME);
	memset(f->here.machine, 0, sizeof f->here.machine);
	assert_int_equal(check(f, NULL), HOSTBIND_SAME);
	assert_int_equal(hostbind_release(f->dir), 0);
	char told[HOSTBIND_TEXT];
	assert_int_equal(hostbind_make(f->dir, &f->here, told), 0);
	assert_int_equal(hostbind_settle(f->dir), 0);
	assert_non_null(strstr(told, "machine-id unknown, product unknown"));
	f->here = known;
	assert_int_equal(check(f, NULL), HOSTBIND_SAME);
}

/* A copy in the place of the original, with the same bytes. */
static void
test_copied(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;
	bind_it(f);
	uint8_t *bytes = scratch_read(scratch_path(&f->tmp, "audit/host"), &n);
	assert_non_null(bytes);
	assert_int_equal(renameat(f->dir, "host", f->dir, "original"), 0);
	scratch_write(scratch_path(&f->tmp, "audit/host"), bytes, n);
	assert_int_equal(check(f, "copied"), HOSTBIND_OTHER);
	/* The original moved back is the original. */
	assert_int_equal(renameat(f->dir, "original", f->dir, "host"), 0);
	assert_int_equal(check(f, NULL), HOSTBIND_SAME);
	free(bytes);
}

/* An inode is given again once its file is gone; then the time of birth tells. */
static void
test_born_otherwise(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;
	bind_it(f);
	uint8_t *bytes = scratch_read(scratch_path(&f->tmp, "audit/host"), &n);
	char text[512];
	assert_true(n < sizeof text);
	memcpy(text, bytes, n);
	text[n] = '\0';
	free(bytes);
	char *born = strstr(text, "\nborn ");
	assert_non_null(born);
	if (born[6] == '0') {
		skip(); /* this file system does not tell */
	}
	born[6] = born[6] == '9' ? '8' : (char)(born[6] + 1);
	/* In place: the same inode. */
	int fd = openat(f->dir, "host", O_WRONLY);
	assert_int_equal(pwrite(fd, text, n, 0), n);
	close(fd);
	assert_int_equal(check(f, "younger or older"), HOSTBIND_OTHER);
}

static void
test_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	char told[HOSTBIND_TEXT];
	bind_it(f);
	static const char *const rows[] = {
		"", "scribble\n", "fotagate-host 1\n", "fotagate-host 1\ninode 1\nborn 1 1\nmachine 00\nproduct 00\n",
		"fotagate-host 1\ninode 99999999999999999999\nborn 1 1\n",
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		scratch_write(scratch_path(&f->tmp, "audit/host"), rows[i], strlen(rows[i]));
		assert_int_equal(check(f, "cannot be read"), HOSTBIND_OTHER);
	}
	assert_int_equal(hostbind_tell(f->dir, told), 0);
	assert_string_equal(told, "one that cannot be read");
	assert_int_equal(hostbind_release(f->dir), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->dir, "host"), 0);
	assert_int_equal(check(f, "cannot be read"), HOSTBIND_OTHER);
	assert_int_equal(hostbind_release(f->dir), 0);
	assert_int_equal(mkdirat(f->dir, "host", 0755), 0);
	assert_int_equal(check(f, "cannot be read"), HOSTBIND_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_and_released, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_agrees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copied, setup, teardown),
		cmocka_unit_test_setup_teardown(test_born_otherwise, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_be_read, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
