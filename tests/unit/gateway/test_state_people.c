/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/state/people.h"
#include "unit/gateway/state_rig.h"

struct seen {
	unsigned n;
	uint32_t number[40];
	int64_t at[40];
	char by[40][DB_WHO_MAX];
};

static int
see_suspension(void *arg, const struct db_suspension *s)
{
	struct seen *l = arg;
	l->number[l->n] = s->number;
	l->at[l->n] = s->at;
	snprintf(l->by[l->n++], DB_WHO_MAX, "%s", s->by);
	return 0;
}

static void
test_suspensions(void **state)
{
	struct rig *rig = *state;
	struct db_suspension s = { .number = 3, .at = 100, .by = "alice@example.com", .reason = "it was stolen" };
	struct seen l = { 0 };
	memset(s.key, 1, sizeof s.key);
	assert_int_equal(db_suspension_add(rig->db, &s), 0);
	/* That the warden knows of it says nothing of who spoke. */
	snprintf(s.by, sizeof s.by, "warden");
	s.at = 200;
	assert_int_equal(db_suspension_note(rig->db, &s), 0);
	/* An earlier word changes nothing, a later one is the one that counts. */
	snprintf(s.by, sizeof s.by, "bob@example.com");
	s.at = 199;
	assert_int_equal(db_suspension_add(rig->db, &s), 0);
	assert_int_equal(db_suspension_list(rig->db, 3, see_suspension, &l), 0);
	assert_true(l.n == 1 && l.at[0] == 200);
	assert_string_equal(l.by[0], "alice@example.com");
	l.n = 0;
	s.number = 4;
	s.at = 300;
	assert_int_equal(db_suspension_add(rig->db, &s), 0);
	rig_again(rig);
	assert_int_equal(db_suspension_list(rig->db, 3, see_suspension, &l), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.by[0], "alice@example.com");
	assert_int_equal(l.number[1], 4);
	l.n = 0;
	assert_int_equal(db_suspension_list(rig->db, 5, see_suspension, &l), 0);
	assert_int_equal(l.n, 0);
}

static int
see_proposal(void *arg, const struct db_proposal *p)
{
	struct seen *l = arg;
	assert_true(view_is(p->text, "the statement"));
	l->number[l->n++] = p->number;
	return 0;
}

static int
see_sig(void *arg, const struct db_proposal_sig *s)
{
	struct seen *l = arg;
	l->number[l->n] = s->uid;
	snprintf(l->by[l->n++], DB_WHO_MAX, "%s %.*s", s->principal, (int)s->armour.n, (const char *)s->armour.p);
	return 0;
}

static void
sign(struct rig *rig, uint8_t proposal, uint32_t number, int64_t time, uint8_t key, const char *armour, int expect)
{
	struct db_proposal p = { .number = number, .time = time, .text = view_str("the statement") };
	struct db_proposal_sig s = { .at = key, .uid = key, .principal = "bob", .armour = view_str(armour) };
	memset(p.sha256, proposal, sizeof p.sha256);
	memset(s.proposal, proposal, sizeof s.proposal);
	memset(s.key, key, sizeof s.key);
	assert_int_equal(db_proposal_sign(rig->db, &p, &s), expect);
}

static void
test_proposals(void **state)
{
	struct rig *rig = *state;
	uint8_t first[DIGEST_SHA256_LEN];
	struct seen l = { 0 };
	memset(first, 1, sizeof first);
	sign(rig, 1, 5, 1000, 1, "one", 0);
	sign(rig, 1, 5, 1000, 2, "two", 0);
	sign(rig, 1, 5, 1000, 1, "again", 0); /* the same key signs once */
	assert_int_equal(db_proposal_sigs(rig->db, first, see_sig, &l), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.by[0], "bob again");
	assert_string_equal(l.by[1], "bob two");
	for (uint8_t i = 2; i <= DB_PROPOSALS_MAX; i++)
		sign(rig, i, 6, 2000, 1, "x", 0);
	sign(rig, 99, 6, 2000, 1, "x", FG_ELIMIT);
	sign(rig, 1, 5, 1000, 3, "three", 0); /* one that is open takes more */
	l.n = 0;
	assert_int_equal(db_proposal_list(rig->db, see_proposal, &l), 0);
	assert_int_equal(l.n, DB_PROPOSALS_MAX);
	assert_int_equal(l.number[0], 5);
	/* Signatures go with what they are for. */
	assert_int_equal(db_proposal_forget(rig->db, 5, 0), 0);
	l.n = 0;
	assert_int_equal(db_proposal_sigs(rig->db, first, see_sig, &l), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(db_proposal_list(rig->db, see_proposal, &l), 0);
	assert_int_equal(l.n, DB_PROPOSALS_MAX - 1);
	assert_int_equal(db_proposal_forget(rig->db, 0, 2001), 0);
	l.n = 0;
	assert_int_equal(db_proposal_list(rig->db, see_proposal, &l), 0);
	assert_int_equal(l.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_suspensions, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_proposals, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
