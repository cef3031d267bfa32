/* SPDX-License-Identifier: Apache-2.0 */
/* A release that was asked for and refused: what becomes of the scope it was asked for in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/reviews_private.h"
#include "gateway/state/db_private.h"
#include "unit/gateway/control_rig.h"

#define TOKEN 7

struct fixture {
	struct control_rig *r;
	struct control *c;
	struct db_candidate cand;
};

/* A review whose scope is for so many modules; the warden is asked for that. */
static void
asked(struct fixture *f, bool standing)
{
	struct issue *i = calloc(1, sizeof *i);
	f->cand.have_scope = true;
	f->cand.scope = (struct db_scope){ .from_n = 1, .from = { "*" }, .groups_n = 1, .groups = { "lab" }, .max_devices = 9 };
	assert_int_equal(db_candidate_update(f->c->db, &f->cand, f->cand.state), 0);
	*i = (struct issue){ .token = TOKEN, .candidate = f->cand.id, .standing = standing };
	TAILQ_INSERT_TAIL(&f->c->reviews->issues, i, link);
	assert_true(reviews_is_asked(f->c->reviews, f->cand.id));
}

/* And says no. Whether the scope is still there, as it was, and the row says why. */
static bool
kept(struct fixture *f)
{
	const struct msg_issued no = { .token = TOKEN, .why = "too few" };
	struct db_candidate now;
	reviews_on_issued(f->c->reviews, &no);
	assert_false(reviews_is_asked(f->c->reviews, f->cand.id));
	assert_int_equal(db_candidate_get(f->c->db, f->cand.id, &now), 0);
	assert_true(candidates_is(&now, LIFECYCLE_REVIEW));
	assert_string_equal(now.note, "too few");
	if (now.have_scope) {
		assert_true(now.scope.max_devices == 9 && now.scope.groups_n == 1);
		assert_string_equal(now.scope.groups[0], "lab");
	}
	return now.have_scope;
}

static void
sign(struct fixture *f, enum db_statement_state state)
{
	struct db_statement s = { .candidate = f->cand.id, .approver = "alice@example.com", .state = state };
	s.sha256[0] = (uint8_t)(1 + state);
	assert_int_equal(db_statement_add(f->c->db, &s), 0);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct db_resource res = { .id = { 1 }, .sightings = 1 };
	bool fresh;
	f->r = control_rig_new();
	f->c = &f->r->c;
	f->c->reviews = reviews_new(f->c);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/1");
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.target, sizeof res.target, "2.0");
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(f->c->db, &res, &fresh), 0);
	f->cand = (struct db_candidate){ .created = 1000 };
	memcpy(f->cand.resource, res.id, sizeof res.id);
	snprintf(f->cand.state, sizeof f->cand.state, "%s", lifecycle_state_name(LIFECYCLE_REVIEW));
	assert_int_equal(db_candidate_new(f->c->db, &f->cand, &f->cand.id), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	reviews_free(f->c->reviews);
	control_rig_free(f->r);
	free(f);
	return 0;
}

/* Nobody proposed the scope of a standing statement: refused, it goes, and people begin anew. */
static void
test_reviews_refused_under_a_standing_statement(void **state)
{
	struct fixture *f = *state;
	asked(f, true);
	assert_false(kept(f));
	/* What was signed once and counts no more holds nothing. */
	sign(f, DB_STATEMENT_OUTDATED);
	asked(f, true);
	assert_false(kept(f));
}

/* Somebody signed for it meanwhile: it is theirs now. */
static void
test_reviews_refused_after_somebody_signed(void **state)
{
	struct fixture *f = *state;
	asked(f, true);
	sign(f, DB_STATEMENT_COUNTED);
	assert_true(kept(f));
}

static void
test_reviews_refused_to_people(void **state)
{
	struct fixture *f = *state;
	asked(f, false);
	assert_true(kept(f));
}

/* Whether anybody signed cannot be told: as if. */
static void
test_reviews_refused_without_knowing(void **state)
{
	struct fixture *f = *state;
	asked(f, true);
	assert_int_equal(db_exec(f->c->db, "DROP TABLE statement"), 0);
	assert_true(kept(f));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_reviews_refused_under_a_standing_statement),
		T(test_reviews_refused_after_somebody_signed),
		T(test_reviews_refused_to_people),
		T(test_reviews_refused_without_knowing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
