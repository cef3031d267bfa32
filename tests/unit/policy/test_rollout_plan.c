/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/rollout_plan.h"
#include "unit/policy/sample.h"

#define GATES "soak = \"1d\"; reports = 10; success = 950; failed = 50; silent = 30;"
#define RINGS \
	"rings = ( { name = \"lab\"; groups = [ \"lab\", \"bench\" ]; " GATES " }, { name = \"tenth\"; share = 100; " GATES \
	" }, { name = \"rest\"; human = true; " GATES " } );"
#define PLANS "rollout_plans = ( { name = \"careful\"; concurrent = 50; per_day = 500; silence = \"36h\"; " RINGS " } );\n"

static struct config_problems problems;
static const struct profile_anchor anchor = { "ca.pem", { 1, 2, 3 } };

/* The policy of the sample's profile with one line; free the writer. */
static void
policy(const char *main_text, const char *line, struct writer *w)
{
	struct config *c = NULL;
	char *profile = sample_profile_with("rollout", line);
	if (sample_parse(main_text, profile, &c, &problems))
		fail_msg("%s", problems.at[0].text);
	writer_init(w, 1 << 20);
	assert_int_equal(profile_canonical(&c->profiles[0], c, &anchor, 1, w), 0);
	config_free(c);
	free(profile);
}

static void
what_is_signed_is_what_is_read(void **state)
{
	struct config *c = NULL;
	struct rollout_plan p;
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer w;
	bool have = false;
	(void)state;
	char *profile = sample_profile_with("rollout", "rollout = \"careful\";");
	assert_int_equal(sample_parse(SAMPLE_MAIN PLANS, profile, &c, &problems), 0);
	policy(SAMPLE_MAIN PLANS, "rollout = \"careful\";", &w);
	assert_int_equal(rollout_plan_read(writer_view(&w), &p, &have, digest), 0);
	assert_true(have);
	assert_memory_equal(&p, config_rollout_plan(c, view_str("careful")), sizeof p);
	assert_int_equal(p.rings_n, 3);
	assert_int_equal(p.rings[2].share, 1000);
	assert_true(p.rings[2].human && !p.rings[1].human);
	assert_string_equal(p.rings[0].groups[1], "bench");
	assert_int_equal(p.silence, 36 * 3600);
	assert_int_equal(p.settle, 3600);
	assert_null(config_rollout_plan(c, view_str("")));
	/* Its name in statements: of the very bytes that stand in the policy. */
	struct view all = writer_view(&w);
	const uint8_t *begin = memmem(all.p, all.n, "\"rollout\":{", 11), *end = memmem(all.p, all.n, ",\"rules\":", 9);
	uint8_t own[DIGEST_SHA256_LEN];
	assert_true(begin && end > begin + 10);
	assert_int_equal(digest_sha256(view_of(begin + 10, (size_t)(end - begin) - 10), own), 0);
	assert_memory_equal(digest, own, sizeof own);
	writer_free(&w);
	config_free(c);
	free(profile);
}

/* A plan that says nothing of groups or of the network is the text that it was before there were limits for them, and has the digest that people signed. */
static void
limits_of_groups_came_later(void **state)
{
	static const char *const zero = SAMPLE_MAIN "rollout_plans = ( { name = \"careful\"; concurrent = 50; per_day = 500; "
	    "silence = \"36h\"; group_per_day = 0; " RINGS " } );\n", *const some = SAMPLE_MAIN "rollout_plans = ( { name = \"careful\"; "
	    "concurrent = 50; per_day = 500; silence = \"36h\"; group_concurrent = 5; group_per_day = 7; egress_watch = 3; cell_concurrent = 2; "
	    "cell_per_day = 4; apn_concurrent = 6; apn_per_day = 8; " RINGS " } );\n";
	struct rollout_plan p;
	uint8_t digest[DIGEST_SHA256_LEN], other[DIGEST_SHA256_LEN];
	struct writer before, without, with;
	bool have;
	(void)state;
	policy(SAMPLE_MAIN PLANS, "rollout = \"careful\";", &before);
	policy(zero, "rollout = \"careful\";", &without);
	policy(some, "rollout = \"careful\";", &with);
	assert_true(view_equal(writer_view(&before), writer_view(&without)));
	assert_null(memmem(before.p, before.n, "group_", 6));
	assert_null(memmem(before.p, before.n, "egress", 6));
	assert_null(memmem(before.p, before.n, "cell_", 5));
	assert_int_equal(rollout_plan_read(writer_view(&without), &p, &have, digest), 0);
	assert_true(have && p.group_concurrent == 0 && p.group_per_day == 0 && p.egress_watch == 0);
	assert_int_equal(rollout_plan_read(writer_view(&with), &p, &have, other), 0);
	assert_true(have && p.group_concurrent == 5 && p.group_per_day == 7 && p.egress_watch == 3);
	assert_true(p.cell_concurrent == 2 && p.cell_per_day == 4 && p.apn_concurrent == 6 && p.apn_per_day == 8);
	assert_memory_not_equal(digest, other, sizeof digest);
	/* What nobody writes so is none: 0 in words, or another key in its place. */
	uint8_t *at = memmem(with.p, with.n, "\"group_per_day\":7", 17);
	assert_non_null(at);
	at[16] = '0';
	assert_int_equal(rollout_plan_read(writer_view(&with), &p, &have, other), FG_EFORMAT);
	at[16] = '7';
	at[2] = 'x';
	assert_int_equal(rollout_plan_read(writer_view(&with), &p, &have, other), FG_EFORMAT);
	writer_free(&before);
	writer_free(&without);
	writer_free(&with);
}

static void
no_plan_is_said(void **state)
{
	struct rollout_plan p;
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer w;
	bool have = true;
	(void)state;
	policy(SAMPLE_MAIN PLANS, "", &w);
	assert_int_equal(rollout_plan_read(writer_view(&w), &p, &have, digest), 0);
	assert_false(have);
	writer_free(&w);
	/* Policies that were signed before there were plans. */
	have = true;
	assert_int_equal(rollout_plan_read(view_str("{\"profile\":{},\"schema\":\"fotagate-policy/1\"}"), &p, &have, digest), 0);
	assert_false(have);
}

/* Another plan is another policy: nobody's signature goes over to it. */
static void
a_plan_counts(void **state)
{
	static const char *const mains[] = { SAMPLE_MAIN "rollout_plans = ( { name = \"careful\"; " RINGS " } );\n",
		SAMPLE_MAIN "rollout_plans = ( { name = \"careful\"; per_day = 9; " RINGS " } );\n",
		SAMPLE_MAIN "rollout_plans = ( { name = \"careful\"; rings = ( { name = \"rest\"; " GATES " } ); } );\n" };
	struct writer w[3];
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		policy(mains[i], "rollout = \"careful\";", &w[i]);
	for (unsigned i = 0; i < 3; i++)
		assert_false(view_equal(writer_view(&w[i]), writer_view(&w[(i + 1) % 3])));
	/* One that the profile does not name is not in it. */
	struct writer without, with;
	policy(SAMPLE_MAIN, "", &without);
	policy(SAMPLE_MAIN PLANS, "", &with);
	assert_true(view_equal(writer_view(&without), writer_view(&with)));
	writer_free(&without);
	writer_free(&with);
	for (unsigned i = 0; i < 3; i++)
		writer_free(&w[i]);
}

static void
flaws_have_a_line(void **state)
{
	static const struct {
		const char *plans, *says;
	} rows[] = {
		{ "rollout_plans = ( { name = \"a\"; rings = ( ); } );", "rollout_plans[0].rings has 0 entries" },
		{ "rollout_plans = ( { name = \"a\"; } );", "rollout_plans[0].rings is missing" },
		{ "rollout_plans = ( { name = \"a\"; rings = ( { name = \"r\"; } ); } );", "rollout_plans[0].rings[0].soak is missing" },
		{ "rollout_plans = ( { name = \"a\"; rings = ( { name = \"r\"; soak = \"0s\"; reports = 1; success = 1; failed = 1; "
		  "silent = 1; } ); } );", "rollout_plans[0].rings[0].soak is out of range" },
		{ "rollout_plans = ( { name = \"a\"; rings = ( { name = \"r\"; soak = \"1s\"; reports = 1; success = 1001; failed = 1; "
		  "silent = 1; } ); } );", "rollout_plans[0].rings[0].success is out of range" },
		{ "rollout_plans = ( { name = \"a\"; rings = ( { name = \"r\"; share = 100; " GATES " } ); } );",
		    "rollout_plans[0]: rings[0] is the last ring and takes everybody" },
		{ "rollout_plans = ( { name = \"a\"; rings = ( { name = \"r\"; " GATES " }, { name = \"s\"; " GATES " } ); } );",
		    "rollout_plans[0]: rings[0] takes modules by groups or by share" },
		{ "rollout_plans = ( { name = \"a\"; rings = ( { name = \"r\"; " GATES " } ); }, { name = \"a\"; rings = "
		  "( { name = \"r\"; " GATES " } ); } );", "rollout_plans[1] has the name of rollout_plans[0]" },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[2048];
		struct config *c = NULL;
		snprintf(text, sizeof text, "%s%s\n", SAMPLE_MAIN, rows[i].plans);
		assert_int_equal(sample_parse(text, SAMPLE_PROFILE, &c, &problems), FG_EFORMAT);
		if (!strstr(problems.at[0].text, rows[i].says))
			fail_msg("%s", problems.at[0].text);
		assert_true(problems.at[0].line > 0);
	}
	char *profile = sample_profile_with("rollout", "rollout = \"carefull\";");
	struct config *c = NULL;
	assert_int_equal(sample_parse(SAMPLE_MAIN PLANS, profile, &c, &problems), FG_EFORMAT);
	assert_non_null(strstr(problems.at[0].text, "is not in rollout_plans of fotagate.conf"));
	free(profile);
}

/* What was signed may lie on a disk for a month: anything else than it was is nothing. */
static void
a_changed_policy_is_refused(void **state)
{
	struct rollout_plan p;
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer w;
	bool have;
	(void)state;
	policy(SAMPLE_MAIN PLANS, "rollout = \"careful\";", &w);
	struct view text = writer_view(&w);
	static const char *const wrong[][2] = { { "\"silent\":30", "\"silent\":00" }, { "\"silent\":30", "\"silent\":-3" },
		{ "\"silent\":30", "\"silenT\":30" }, { "\"human\":true", "\"human\":null" }, { "\"share\":1000", "\"share\":1001" },
		{ "\"share\":100,", "\"share\":101," }, { "policy/2", "policy/3" }, { "\"bench\"", "12345678" } };
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		char *copy = strndup((const char *)text.p, text.n);
		char *at = strstr(copy, wrong[i][0]);
		assert_non_null(at);
		memcpy(at, wrong[i][1], strlen(wrong[i][1]));
		int err = rollout_plan_read(view_str(copy), &p, &have, digest);
		bool another = strstr(wrong[i][0], "100,") != NULL; /* a good plan: its digest is another */
		assert_int_equal(err, another ? 0 : FG_EFORMAT);
		if (!another)
			assert_int_equal(p.rings_n, 0);
		free(copy);
	}
	assert_int_equal(rollout_plan_read(view_of(text.p, text.n - 1), &p, &have, digest), FG_EFORMAT);
	assert_int_equal(rollout_plan_read(view_str(""), &p, &have, digest), FG_EFORMAT);
	assert_int_equal(rollout_plan_read(view_str("{\"rollout\":true,\"schema\":\"fotagate-policy/1\"}"), &p, &have, digest), FG_EFORMAT);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_what_is_read),
		cmocka_unit_test(limits_of_groups_came_later),
		cmocka_unit_test(no_plan_is_said),
		cmocka_unit_test(a_plan_counts),
		cmocka_unit_test(flaws_have_a_line),
		cmocka_unit_test(a_changed_policy_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
