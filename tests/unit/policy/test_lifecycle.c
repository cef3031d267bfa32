/* SPDX-License-Identifier: Apache-2.0 */
/* Properties over the whole table, not examples from it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/lifecycle.h"

static void
only_signatures_lead_into_approved(void **state)
{
	unsigned ways = 0;
	(void)state;
	for (size_t i = 0; i < lifecycle_count(); i++) {
		const struct lifecycle_move *m = lifecycle_at(i);
		if (m->to != LIFECYCLE_APPROVED) {
			/* And signatures are asked for nothing else: a statement has one meaning. */
			assert_int_not_equal(m->needs, LIFECYCLE_NEEDS_SIGNATURES);
			continue;
		}
		ways++;
		assert_int_equal(m->from, LIFECYCLE_REVIEW);
		assert_int_equal(m->direction, LIFECYCLE_PERMIT);
		assert_int_equal(m->needs, LIFECYCLE_NEEDS_SIGNATURES);
	}
	assert_int_equal(ways, 1);
}

static void
every_state_has_a_restricting_way_out(void **state)
{
	(void)state;
	for (unsigned s = LIFECYCLE_SIGHTED; s < LIFECYCLE_STATES; s++) {
		bool person = false;
		for (size_t i = 0; i < lifecycle_count(); i++) {
			const struct lifecycle_move *m = lifecycle_at(i);
			person |= m->from == s && m->direction == LIFECYCLE_RESTRICT && m->needs == LIFECYCLE_NEEDS_PERSON;
		}
		/* One person can always stop it, unless it is stopped for good. */
		assert_int_equal(person, !lifecycle_is_terminal((enum lifecycle_state)s));
	}
}

static void
restricting_never_needs_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < lifecycle_count(); i++)
		if (lifecycle_at(i)->direction == LIFECYCLE_RESTRICT)
			assert_int_not_equal(lifecycle_at(i)->needs, LIFECYCLE_NEEDS_SIGNATURES);
}

/* Takes all moves but those into `without`; says which states can be reached from `from`. */
static unsigned
reachable(enum lifecycle_state from, enum lifecycle_state without)
{
	unsigned set = 1u << from;
	for (unsigned round = 0; round < LIFECYCLE_STATES; round++)
		for (size_t i = 0; i < lifecycle_count(); i++) {
			const struct lifecycle_move *m = lifecycle_at(i);
			if ((set >> m->from & 1) && m->to != without)
				set |= 1u << m->to;
		}
	return set;
}

static void
nothing_is_approved_without_judging_and_review(void **state)
{
	(void)state;
	assert_true(reachable(LIFECYCLE_NONE, LIFECYCLE_NONE) >> LIFECYCLE_APPROVED & 1);
	assert_false(reachable(LIFECYCLE_NONE, LIFECYCLE_REVIEW) >> LIFECYCLE_APPROVED & 1);
	assert_false(reachable(LIFECYCLE_NONE, LIFECYCLE_JUDGING) >> LIFECYCLE_REVIEW & 1);
	/* From where it was once stopped, the whole way again. */
	static const enum lifecycle_state stopped[] = { LIFECYCLE_BLOCKED, LIFECYCLE_EXPIRED, LIFECYCLE_INCIDENT };
	for (size_t i = 0; i < sizeof stopped / sizeof *stopped; i++) {
		assert_false(reachable(stopped[i], LIFECYCLE_JUDGING) >> LIFECYCLE_REVIEW & 1);
		assert_false(reachable(stopped[i], LIFECYCLE_REVIEW) >> LIFECYCLE_APPROVED & 1);
	}
}

static void
every_state_can_be_reached(void **state)
{
	(void)state;
	assert_int_equal(reachable(LIFECYCLE_NONE, LIFECYCLE_NONE), (1u << LIFECYCLE_STATES) - 1);
}

static void
terminal_states_are_these(void **state)
{
	(void)state;
	for (unsigned s = 0; s < LIFECYCLE_STATES; s++)
		assert_int_equal(lifecycle_is_terminal((enum lifecycle_state)s),
		    s == LIFECYCLE_REJECTED || s == LIFECYCLE_REVOKED);
}

static void
the_table_is_a_function(void **state)
{
	(void)state;
	for (unsigned s = 0; s < LIFECYCLE_STATES; s++)
		for (unsigned v = 0; v < LIFECYCLE_VERBS; v++) {
			unsigned n = 0;
			for (size_t i = 0; i < lifecycle_count(); i++)
				n += lifecycle_at(i)->from == s && lifecycle_at(i)->verb == v;
			assert_true(n <= 1);
			const struct lifecycle_move *m = lifecycle_move((enum lifecycle_state)s, (enum lifecycle_verb)v);
			assert_int_equal(m != NULL, n);
		}
	assert_null(lifecycle_move(LIFECYCLE_STATES, LIFECYCLE_APPROVE));
	assert_null(lifecycle_move(LIFECYCLE_REVIEW, LIFECYCLE_VERB_NONE));
	assert_null(lifecycle_move(LIFECYCLE_SIGHTED, LIFECYCLE_APPROVE));
	assert_null(lifecycle_at(lifecycle_count()));
}

static void
names_go_both_ways(void **state)
{
	(void)state;
	for (unsigned s = 1; s < LIFECYCLE_STATES; s++)
		assert_int_equal(lifecycle_state_parse(view_str(lifecycle_state_name((enum lifecycle_state)s))), s);
	for (unsigned v = 1; v < LIFECYCLE_VERBS; v++)
		assert_int_equal(lifecycle_verb_parse(view_str(lifecycle_verb_name((enum lifecycle_verb)v))), v);
	assert_int_equal(lifecycle_state_parse(view_str("none")), LIFECYCLE_NONE);
	assert_int_equal(lifecycle_state_parse(view_str("approve")), LIFECYCLE_NONE);
	assert_string_equal(lifecycle_state_name(LIFECYCLE_STATES), "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_signatures_lead_into_approved),
		cmocka_unit_test(every_state_has_a_restricting_way_out),
		cmocka_unit_test(restricting_never_needs_signatures),
		cmocka_unit_test(nothing_is_approved_without_judging_and_review),
		cmocka_unit_test(every_state_can_be_reached),
		cmocka_unit_test(terminal_states_are_these),
		cmocka_unit_test(the_table_is_a_function),
		cmocka_unit_test(names_go_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
