/* SPDX-License-Identifier: Apache-2.0 */
/* A second image for one update: what it takes to freeze what was released, and what ends that. */
#include "gateway/control/rivals.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/standing.h"
#include "unit/gateway/control_rig.h"

struct made { /* a candidate, as its row says */
	const char *product, *from, *target, *state;
	bool released;
	enum db_rival rival;
};

static uint64_t
make(struct control_rig *r, uint8_t fill, const struct made *m)
{
	struct db_resource res = { .sightings = 3, .have_asker = true };
	struct db_candidate cand = { .have_image = true, .created = 1000 + fill, .have_release = m->released,
		.rival = m->rival };
	bool fresh;
	memset(res.id, fill, sizeof res.id);
	memset(res.asker, 0xab, sizeof res.asker);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/%u", fill);
	snprintf(res.product, sizeof res.product, "%s", m->product);
	snprintf(res.target, sizeof res.target, "%s", m->target);
	snprintf(res.from, sizeof res.from, "%s", m->from);
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	memcpy(cand.resource, res.id, sizeof cand.resource);
	memset(cand.release, fill, sizeof cand.release);
	memset(cand.image, fill, sizeof cand.image);
	snprintf(cand.state, sizeof cand.state, "%s", m->state);
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	return cand.id;
}

static struct db_candidate *
row(struct control_rig *r, uint64_t id)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	assert_int_equal(db_candidate_get(r->c.db, id, cand), 0);
	return cand;
}

/* Whether the release of the first one is frozen, and by what it says. */
static bool
frozen(struct control_rig *r, const char *says)
{
	struct release *record = calloc(1, sizeof *record);
	char why[STANDING_WHY_MAX] = "";
	memset(record->terms.resource, 1, sizeof record->terms.resource);
	snprintf(record->terms.profile, sizeof record->terms.profile, "acme-rtr");
	memset(record->terms.image, 1, sizeof record->terms.image);
	bool is = rivals_freeze(&r->c, record, why, sizeof why);
	if (is && !strstr(why, says))
		fail_msg("%s", why);
	free(record);
	return is;
}

static const struct made released = { "EC25", "1.0", "1.1", "approved", true, DB_RIVAL_NONE };

static void
only_the_same_update_of_an_incident_that_freezes(void **state)
{
	static const struct made others[] = {
		{ "EC21", "1.0", "1.1", "incident", false, DB_RIVAL_FREEZES }, /* another product */
		{ "EC25", "0.9", "1.1", "incident", false, DB_RIVAL_FREEZES }, /* from another version */
		{ "EC25", "1.0", "1.2", "incident", false, DB_RIVAL_FREEZES }, /* to another */
		{ "EC25", "1.0", "1.1", "incident", false, DB_RIVAL_NONE },    /* an incident of another kind */
		{ "EC25", "1.0", "1.1", "judging", false, DB_RIVAL_SUSPECT },  /* nobody looked at it yet */
		{ "EC25", "1.0", "1.1", "blocked", false, DB_RIVAL_SUSPECT },  /* no image of the vendor's */
		{ "EC25", "1.0", "1.1", "rejected", false, DB_RIVAL_FREEZES }, /* somebody decided */
		{ "EC25", "1.0", "1.1", "review", false, DB_RIVAL_NONE },
	};
	struct control_rig *r = *state;
	assert_false(frozen(r, "")); /* nobody knows of it */
	make(r, 1, &released);
	for (uint8_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		make(r, (uint8_t)(i + 2), &others[i]);
		assert_false(frozen(r, ""));
	}
	make(r, 100, &(struct made){ "EC25", "1.0", "1.1", "incident", false, DB_RIVAL_FREEZES });
	assert_true(frozen(r, "R-10 is another image for the same update, offered to module abab"));
}

static void
what_was_judged_freezes_if_another_one_is_released(void **state)
{
	struct control_rig *r = *state;
	int err;
	uint64_t first = make(r, 1, &released);
	struct db_candidate *cand = row(r, make(r, 2, &(struct made){ "EC25", "1.0", "1.1", "judging", false, DB_RIVAL_NONE }));
	assert_false(rivals_judged(&r->c, cand, &err)); /* nobody suspected it: people had it judged */
	assert_int_equal(err, 0);
	cand->rival = DB_RIVAL_SUSPECT;
	assert_true(rivals_judged(&r->c, cand, &err));
	assert_int_equal(err, 0);
	assert_string_equal(cand->note, "R-1 has other bytes for the same update, which 0 modules were granted");
	free(cand);
	cand = row(r, 2);
	assert_true(candidates_is(cand, LIFECYCLE_INCIDENT));
	assert_int_equal(cand->rival, DB_RIVAL_FREEZES);
	assert_true(frozen(r, "R-2 is"));
	/* What is released is not the other one any more. */
	free(cand);
	cand = row(r, first);
	snprintf(cand->state, sizeof cand->state, "revoked");
	assert_int_equal(db_candidate_update(r->c.db, cand, "approved"), 0);
	free(cand);
	cand = row(r, make(r, 3, &(struct made){ "EC25", "1.0", "1.1", "judging", false, DB_RIVAL_SUSPECT }));
	assert_false(rivals_judged(&r->c, cand, &err));
	assert_int_equal(err, 0);
	assert_int_equal(cand->rival, DB_RIVAL_NONE);
	free(cand);
}

static void
where_an_update_may_have_several_nothing_freezes(void **state)
{
	struct control_rig *r = *state;
	int err;
	control_rig_configure(r, "", SAMPLE_PROFILE);
	make(r, 1, &released);
	struct db_candidate *cand = row(r, make(r, 2, &(struct made){ "EC25", "1.0", "1.1", "judging", false,
	    DB_RIVAL_SUSPECT }));
	assert_false(rivals_judged(&r->c, cand, &err));
	assert_int_equal(err, 0);
	free(cand);
}

static int
setup(void **state)
{
	char *profile = sample_profile_with("one_image", "one_image = true;");
	*state = control_rig_new();
	control_rig_configure(*state, "", profile);
	free(profile);
	return 0;
}

static int
teardown(void **state)
{
	control_rig_free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_same_update_of_an_incident_that_freezes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_judged_freezes_if_another_one_is_released, setup, teardown),
		cmocka_unit_test_setup_teardown(where_an_update_may_have_several_nothing_freezes, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
