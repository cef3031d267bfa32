/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/haltflag.h"

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
#include <unistd.h>

struct fixture {
	char base[64], run[80], data[80];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->base, sizeof f->base, "/tmp/fghaltXXXXXX");
	assert_non_null(mkdtemp(f->base));
	snprintf(f->run, sizeof f->run, "%s/run", f->base);
	snprintf(f->data, sizeof f->data, "%s/data", f->base);
	assert_int_equal(mkdir(f->run, 0700) | mkdir(f->data, 0700), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	haltflag_clear(f->run, f->data);
	rmdir(f->run);
	rmdir(f->data);
	assert_int_equal(rmdir(f->base), 0); /* nothing else was left */
	free(f);
	return 0;
}

static void
put(const char *dir, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/halted", dir);
	FILE *o = fopen(path, "w");
	assert_non_null(o);
	fputs(text, o);
	fclose(o);
}

static struct haltflag
load(const struct fixture *f)
{
	struct haltflag h;
	haltflag_load(f->run, f->data, 999, &h);
	return h;
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	const struct haltflag h = { true, 1767261600, 1000 };
	assert_false(load(f).halted);
	assert_true(haltflag_save(f->run, &h));
	assert_true(haltflag_save(f->data, &h));
	assert_true(load(f).halted);
	assert_int_equal(load(f).at, h.at);
	assert_int_equal(load(f).by_uid, 1000);
	assert_true(haltflag_clear(f->run, f->data));
	assert_false(load(f).halted);
	assert_true(haltflag_clear(f->run, f->data));
}

static void
test_one_of_two_is_enough(void **state)
{
	struct fixture *f = *state;
	put(f->data, "77 5\n");
	assert_int_equal(load(f).at, 77);
	assert_int_equal(load(f).by_uid, 5);
	put(f->run, "78 6\n");
	assert_int_equal(load(f).at, 78); /* the later one */
	put(f->data, "79 7\n");
	assert_int_equal(load(f).by_uid, 7);
}

static void
test_an_unreadable_flag_is_a_halt(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
	    "",
	    "x",
	    "-1 0\n",
	    "1",
	    "1 2",
	    "1 2\n\n",
	    "1  \n",
	    "99999999999999999999 1\n",
	    "1 -1\n",
	    "1 4294967296\n",
	    "253402300800 0\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put(f->run, bad[i]);
		struct haltflag h = load(f);
		assert_true(h.halted);
		assert_int_equal(h.at, 999);
		assert_int_equal(h.by_uid, 0);
	}
}

static void
test_a_missing_folder(void **state)
{
	struct fixture *f = *state;
	const struct haltflag h = { true, 5, 6 };
	struct haltflag got;
	assert_false(haltflag_save("/nonexistent/fg", &h));
	assert_true(haltflag_save(f->data, &h));
	haltflag_load("/nonexistent/fg", f->data, 999, &got);
	assert_true(got.halted && got.at == 5);
	assert_true(haltflag_clear("/nonexistent/fg", f->data));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_round_trip),
		T(test_one_of_two_is_enough),
		T(test_an_unreadable_flag_is_a_halt),
		T(test_a_missing_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
