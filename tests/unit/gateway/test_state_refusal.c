/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/state/refusal.h"
#include "unit/gateway/state_rig.h"

struct seen {
	unsigned n;
	struct db_refusal at[4];
};

static int
see(void *arg, const struct db_refusal *r)
{
	struct seen *l = arg;
	assert_true(l->n < 4);
	l->at[l->n++] = *r;
	return 0;
}

static struct seen
all(struct rig *rig)
{
	struct seen l = { 0 };
	assert_int_equal(db_refusal_list(rig->db, see, &l), 0);
	return l;
}

static void
test_refusals(void **state)
{
	struct rig *rig = *state;
	struct db_refusal r = { .kind = 2, .value = "FG100/2.0.0", .at = 200, .by = "alice", .reason = "it bricks" };
	uint8_t other[DB_ID] = { 9 };
	memset(r.id, 1, sizeof r.id);
	assert_int_equal(db_refusal_put(rig->db, &r), 0);
	memset(r.id, 2, sizeof r.id);
	r.kind = 1;
	r.at = 100;
	r.until = 5000;
	assert_int_equal(db_refusal_put(rig->db, &r), 0);
	rig_again(rig);
	struct seen l = all(rig);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.at[0].at, 100); /* in order of time */
	assert_int_equal(l.at[0].until, 5000);
	assert_int_equal(l.at[1].kind, 2);
	assert_string_equal(l.at[1].value, "FG100/2.0.0");
	assert_string_equal(l.at[1].reason, "it bricks");
	/* Said again: one row, by its last word. */
	r.until = 0;
	snprintf(r.by, sizeof r.by, "bob");
	assert_int_equal(db_refusal_put(rig->db, &r), 0);
	l = all(rig);
	assert_true(l.n == 2 && l.at[0].until == 0);
	assert_string_equal(l.at[0].by, "bob");
	/* And by nothing that the row of before was altered to. */
	snprintf(r.value, sizeof r.value, "FG100/3.0.0");
	r.kind = 2;
	assert_int_equal(db_refusal_put(rig->db, &r), 0);
	l = all(rig);
	assert_int_equal(l.at[0].kind, 2);
	assert_string_equal(l.at[0].value, "FG100/3.0.0");
	assert_int_equal(db_refusal_drop(rig->db, other), FG_ENOTFOUND);
	assert_int_equal(db_refusal_drop(rig->db, r.id), 0);
	assert_int_equal(db_refusal_drop(rig->db, r.id), FG_ENOTFOUND);
	assert_int_equal(all(rig).n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
