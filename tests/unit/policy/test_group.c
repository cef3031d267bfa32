/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/group.h"

static void
the_first_rule_that_fits(void **state)
{
	static const struct group_rule rules[] = {
		{ .name = "lab", .imei = { "490154203237518" }, .imei_n = 1 },
		{ .name = "meters", .profile = "acme", .product = "FG100", .imei = { "49015420", "35693803" }, .imei_n = 2 },
		{ .name = "roofs", .product = "FG80", .tag = "roof" },
		{ .name = "old", .product = "FG90" },
		{ .name = "nobody", .imei = { "" }, .imei_n = 1 },
		{ .name = "acme", .profile = "acme" },
	};
	static const struct {
		const char *profile, *product, *imei, *group, *tags;
	} cases[] = {
		{ "acme", "FG100", "490154203237518", "lab", "" },
		{ "other", "", "490154203237518", "lab", "" },
		{ "acme", "FG100", "490154203237526", "meters", "" },
		{ "acme", "FG100", "356938036412345", "meters", "" },
		{ "acme", "FG100", "4901542", "acme", "" },
		{ "acme", "FG100", "", "acme", "" },
		{ "acme", "FG200", "490154203237526", "acme", "" },
		{ "other", "FG90", "490154203237526", "old", "" },
		{ "other", "FG100", "490154203237526", "", "" },
		{ "", "", "", "", "" },
		{ "", "FG80", "", "roofs", "roof site-7" },
		{ "", "FG80", "", "", "roofs site-7" },
		{ "", "FG80", "", "", "" },
		{ "", "FG70", "", "", "roof" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(group_by_rule(rules, sizeof rules / sizeof *rules, cases[i].profile, cases[i].product,
		    cases[i].tags, view_str(cases[i].imei)), cases[i].group);
	assert_string_equal(group_by_rule(NULL, 0, "acme", "FG100", "", view_str("")), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
