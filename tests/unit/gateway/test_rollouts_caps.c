/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by what modules share: each name by itself for as long as there is room, and all others together then. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/rollouts_caps.h"

static void
test_names_of_tags(void **state)
{
	static const struct { const char *tags, *cell, *apn; } rows[] = {
		{ "", "", "" }, { "roof", "", "" }, { "cell-7", "cell-7", "" }, { "apn-iot cell-7", "cell-7", "apn-iot" },
		{ "apn-a apn-b cell-1 cell-2", "cell-1", "apn-a" }, { "cell-", "", "" }, { "mycell-7 xapn-1", "", "" }, { "apn", "", "" },
		{ "a cell-x", "cell-x", "" },
	};
	char name[TAGS_WORD_MAX + 1];
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		rollouts_caps_name(rows[i].tags, ROLLOUTS_BY_CELL, name);
		assert_string_equal(name, rows[i].cell);
		rollouts_caps_name(rows[i].tags, ROLLOUTS_BY_APN, name);
		assert_string_equal(name, rows[i].apn);
	}
}

static void
test_which_limits(void **state)
{
	struct rollout_plan p = { .rings_n = 0 };
	(void)state;
	assert_false(rollouts_caps_wanted(&p, ROLLOUTS_SHARES));
	int64_t *const fields[][2] = { { &p.group_concurrent, &p.group_per_day }, { &p.cell_concurrent, &p.cell_per_day },
		{ &p.apn_concurrent, &p.apn_per_day } };
	for (unsigned i = 0; i < ROLLOUTS_SHARES; i++)
		for (unsigned k = 0; k < 2; k++) {
			int64_t got[2];
			*fields[i][k] = 9;
			for (unsigned s = 0; s < ROLLOUTS_SHARES; s++)
				assert_int_equal(rollouts_caps_wanted(&p, (enum rollouts_share)s), s == i);
			assert_true(rollouts_caps_wanted(&p, ROLLOUTS_SHARES));
			rollouts_caps_limits(&p, (enum rollouts_share)i, &got[0], &got[1]);
			assert_true(got[k] == 9 && got[!k] == 0);
			*fields[i][k] = 0;
		}
}

static void
test_each_by_itself(void **state)
{
	struct rollouts_caps *c = rollouts_caps_new();
	const struct rollout_plan p = { .group_concurrent = 2, .group_per_day = 3, .cell_concurrent = 1 };
	(void)state;
#define FULL(share, name) rollouts_caps_is_full(c, share, name, &p)
	assert_false(FULL(ROLLOUTS_BY_GROUP, "a"));
	rollouts_caps_count(c, ROLLOUTS_BY_GROUP, "a", true, true);
	assert_false(FULL(ROLLOUTS_BY_GROUP, "a") || FULL(ROLLOUTS_BY_CELL, "a"));
	rollouts_caps_count(c, ROLLOUTS_BY_GROUP, "a", true, false);
	assert_true(FULL(ROLLOUTS_BY_GROUP, "a"));
	assert_false(FULL(ROLLOUTS_BY_GROUP, "b") || FULL(ROLLOUTS_BY_GROUP, "") || FULL(ROLLOUTS_BY_CELL, "a"));
	for (unsigned i = 0; i < 3; i++)
		rollouts_caps_count(c, ROLLOUTS_BY_GROUP, "b", false, true);
	assert_true(FULL(ROLLOUTS_BY_GROUP, "b"));
	rollouts_caps_count(c, ROLLOUTS_BY_APN, "a", true, true);
	assert_false(FULL(ROLLOUTS_BY_APN, "a")); /* the plan has no limit for that */
	rollouts_caps_reset(c);
	assert_false(FULL(ROLLOUTS_BY_GROUP, "a") || FULL(ROLLOUTS_BY_GROUP, "b"));
	rollouts_caps_free(c);
	rollouts_caps_free(NULL);
}

/* As many names as there is room for, and as many again: those share one limit, and nobody of the first does with them. */
static void
test_more_names_than_places(void **state)
{
	struct rollouts_caps *c = rollouts_caps_new();
	const struct rollout_plan p = { .cell_concurrent = 2 };
	char name[24];
	(void)state;
	for (unsigned i = 0; i < ROLLOUTS_CAPS_MAX; i++) {
		snprintf(name, sizeof name, "cell-%u", i);
		rollouts_caps_count(c, ROLLOUTS_BY_CELL, name, true, true);
	}
	assert_false(FULL(ROLLOUTS_BY_CELL, "cell-stranger"));
	rollouts_caps_count(c, ROLLOUTS_BY_CELL, "cell-x", true, true);
	assert_false(FULL(ROLLOUTS_BY_CELL, "cell-y"));
	rollouts_caps_count(c, ROLLOUTS_BY_CELL, "cell-y", true, true);
	assert_true(FULL(ROLLOUTS_BY_CELL, "cell-x") && FULL(ROLLOUTS_BY_CELL, "cell-z"));
	for (unsigned i = 0; i < ROLLOUTS_CAPS_MAX; i++) {
		snprintf(name, sizeof name, "cell-%u", i);
		if (FULL(ROLLOUTS_BY_CELL, name))
			fail_msg("%s shares with others", name);
		rollouts_caps_count(c, ROLLOUTS_BY_CELL, name, true, true);
		assert_true(FULL(ROLLOUTS_BY_CELL, name));
	}
	rollouts_caps_reset(c);
	assert_false(FULL(ROLLOUTS_BY_CELL, "cell-z") || FULL(ROLLOUTS_BY_CELL, "cell-0"));
	rollouts_caps_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_tags),
		cmocka_unit_test(test_which_limits),
		cmocka_unit_test(test_each_by_itself),
		cmocka_unit_test(test_more_names_than_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
