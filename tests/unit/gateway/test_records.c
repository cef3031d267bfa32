/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/records.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

#define LEN 4

struct fixture {
	struct scratch tmp;
	int dir, refuse;
	struct records r;
	char told[64];
};

static int
one(void *ctx, struct view record)
{
	struct fixture *f = ctx;
	assert_int_equal(record.n, LEN);
	strncat(f->told, (const char *)record.p, record.n);
	return f->refuse;
}

static void
reopen(struct fixture *f)
{
	records_close(&f->r);
	f->told[0] = '\0';
	assert_int_equal(records_open(&f->r, f->dir, "list", LEN, one, f), FG_OK);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->dir = scratch_dir(&f->tmp, "d");
	f->r = RECORDS_NONE;
	reopen(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	records_close(&f->r);
	close(f->dir);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static void
file_is(const struct fixture *f, const char *text)
{
	size_t n;
	uint8_t *p = scratch_read(scratch_path(&f->tmp, "d/list"), &n);
	assert_true(view_is(view_of(p, n), text));
	free(p);
}

static void
test_append(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(f->told, "");
	assert_int_equal(records_append(&f->r, view_str("one.")), FG_OK);
	assert_int_equal(records_append(&f->r, view_str("two.")), FG_OK);
	reopen(f);
	assert_string_equal(f->told, "one.two.");
	assert_int_equal(records_append(&f->r, view_str("last")), FG_OK);
	file_is(f, "one.two.last");
	/* Of a torn one nothing stays, and the next stands where it began. */
	scratch_write(scratch_path(&f->tmp, "d/list"), "one.tw", 6);
	reopen(f);
	assert_string_equal(f->told, "one.");
	file_is(f, "one.");
	assert_int_equal(records_append(&f->r, view_str("next")), FG_OK);
	file_is(f, "one.next");
}

static void
test_settle(void **state)
{
	struct fixture *f = *state;
	bool sure = false;
	for (int i = 0; i < 3; i++)
		assert_int_equal(records_append(&f->r, view_str("same")), FG_OK);
	reopen(f);
	assert_int_equal(records_settle(&f->r, view_str("same"), &sure), FG_OK);
	assert_true(sure);
	file_is(f, "same");
	assert_int_equal(records_append(&f->r, view_str("more")), FG_OK);
	file_is(f, "samemore");

	/* It cannot be written anew: what was there stays, and more of it can be appended. */
	assert_int_equal(mkdirat(f->dir, "list.new", 0755), 0);
	assert_int_equal(records_settle(&f->r, view_str("lost"), &sure), FG_OK);
	assert_false(sure);
	assert_int_equal(records_append(&f->r, view_str("end.")), FG_OK);
	file_is(f, "samemoreend.");
	assert_int_equal(unlinkat(f->dir, "list.new", AT_REMOVEDIR), 0);
	assert_int_equal(records_settle(&f->r, view_of(NULL, 0), &sure), FG_OK);
	assert_true(sure);
	file_is(f, "");
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(records_append(&f->r, view_str("one.")), FG_OK);
	assert_int_equal(records_append(&f->r, view_str("two.")), FG_OK);
	records_close(&f->r);
	f->refuse = FG_ELIMIT;
	assert_int_equal(records_open(&f->r, f->dir, "list", LEN, one, f), FG_ELIMIT);
	assert_string_equal(f->told, "one.");
	records_close(&f->r);
	records_close(&f->r);
	f->refuse = FG_OK;
	assert_int_equal(symlinkat("list", f->dir, "link"), 0);
	assert_int_equal(records_open(&f->r, f->dir, "link", LEN, one, f), FG_EIO);
	records_close(&f->r);
	assert_int_equal(records_open(&f->r, -1, "list", LEN, one, f), FG_EIO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_append, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
