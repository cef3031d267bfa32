/* SPDX-License-Identifier: Apache-2.0 */
/* Moves of a candidate's row: by the table only, from where it stands only, and what was signed goes with it. */
#include "gateway/control/candidates.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/control_rig.h"

#define MANY (DB_PAGE_MAX + 3) /* more than the database hands out at once */

static int
setup(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_resource res = { .first_seen = 100, .last_seen = 100, .sightings = 1 };
	bool fresh;
	memset(res.id, 7, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "ec25");
	snprintf(res.state, sizeof res.state, "sighted");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	control_rig_free(*state);
	return 0;
}

static struct db_candidate
add(struct control_rig *r, unsigned image, enum lifecycle_state s)
{
	struct db_candidate cand = { .have_image = true, .created = 100, .updated = 100 };
	memset(cand.resource, 7, sizeof cand.resource);
	memcpy(cand.image, &image, sizeof image);
	snprintf(cand.state, sizeof cand.state, "%s", lifecycle_state_name(s));
	snprintf(cand.note, sizeof cand.note, "as it was");
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	return cand;
}

static void
test_candidates_move_by_the_table(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate cand = add(r, 1, LIFECYCLE_JUDGING), now;
	assert_true(candidates_is(&cand, LIFECYCLE_JUDGING));
	assert_null(candidates_can(&cand, LIFECYCLE_APPROVE));
	assert_int_equal(candidates_move(&r->c, &cand, LIFECYCLE_APPROVE, "never"), FG_ESTATE);
	assert_true(candidates_is(&cand, LIFECYCLE_JUDGING));
	assert_string_equal(cand.note, "as it was");
	assert_int_equal(candidates_move(&r->c, &cand, LIFECYCLE_BLOCK, NULL), 0);
	assert_int_equal(db_candidate_get(r->c.db, cand.id, &now), 0);
	assert_true(candidates_is(&now, LIFECYCLE_BLOCKED));
	assert_string_equal(now.note, "as it was");
	assert_int_equal(now.updated, r->now);
}

static void
test_candidates_moved_by_another(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate mine = add(r, 1, LIFECYCLE_JUDGING), now = mine;
	assert_int_equal(candidates_move(&r->c, &now, LIFECYCLE_REJECT, "no"), 0);
	assert_int_equal(candidates_move(&r->c, &mine, LIFECYCLE_ADMIT, "yes"), FG_ESTATE);
	assert_int_equal(db_candidate_get(r->c.db, mine.id, &now), 0);
	assert_true(candidates_is(&now, LIFECYCLE_REJECTED));
	assert_string_equal(now.note, "no");
}

static void
test_candidates_outdate_what_was_signed(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate cand = add(r, 1, LIFECYCLE_REVIEW), now;
	struct db_statement s = { .candidate = cand.id, .approver = "alice@example.com", .state = DB_STATEMENT_COUNTED };
	unsigned n = 9;
	assert_int_equal(db_statement_add(r->c.db, &s), 0);
	cand.have_scope = true;
	assert_int_equal(db_candidate_update(r->c.db, &cand, cand.state), 0);
	assert_int_equal(candidates_outdate(&r->c, &cand, LIFECYCLE_FETCH, "never", &n), FG_ESTATE);
	assert_int_equal(db_statement_count(r->c.db, cand.id, &n), 0);
	assert_int_equal(n, 1);
	n = 9;
	assert_int_equal(candidates_outdate(&r->c, &cand, LIFECYCLE_REJUDGE, "again", &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_statement_count(r->c.db, cand.id, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_candidate_get(r->c.db, cand.id, &now), 0);
	assert_false(now.have_scope);
	assert_true(candidates_is(&now, LIFECYCLE_JUDGING));
}

static void
test_candidates_in_a_state_are_all_of_them(void **state)
{
	struct control_rig *r = *state;
	uint64_t last = 0;
	assert_int_equal(db_begin(r->c.db), 0);
	for (unsigned i = 0; i < MANY; i++)
		last = add(r, i, LIFECYCLE_REVIEW).id;
	(void)add(r, MANY, LIFECYCLE_BLOCKED);
	assert_int_equal(db_commit(r->c.db), 0);
	struct candidates_ids *l = candidates_in(&r->c, LIFECYCLE_REVIEW);
	assert_non_null(l);
	assert_int_equal(l->n, MANY);
	assert_int_equal(l->id[MANY - 1], last);
	free(l);
	l = candidates_in(&r->c, LIFECYCLE_REVOKED);
	assert_non_null(l);
	assert_int_equal(l->n, 0);
	free(l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_candidates_move_by_the_table),
		T(test_candidates_moved_by_another),
		T(test_candidates_outdate_what_was_signed),
		T(test_candidates_in_a_state_are_all_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
