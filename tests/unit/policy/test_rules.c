/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/stamp.h"
#include "unit/policy/sample.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

static struct config_problems problems;
static struct rules_result result;

/* The rules of SAMPLE_MAIN with those of text behind it; the profile asks for two persons. */
static struct config *
config(const char *rules)
{
	char *text = calloc(1, sizeof SAMPLE_MAIN + strlen(rules) + 32);
	struct config *c = NULL;
	assert_non_null(text);
	sprintf(text, "%srules = (\n%s\n);\n", SAMPLE_MAIN, rules);
	int err = sample_parse(text, SAMPLE_PROFILE, &c, &problems);
	for (unsigned i = 0; err && i < problems.n; i++)
		print_error("%s:%u: %s\n", problems.at[i].file, problems.at[i].line, problems.at[i].text);
	assert_int_equal(err, 0);
	free(text);
	return c;
}

static const char *const lab[] = { "lab" };
static const char *const lab_and_field[] = { "lab", "field" };
static const char *const everyone[] = { "*" };
static const char *const covered[] = { "country:DE", "listed:covered-list" };

/* The best there is. */
static struct rules_facts
good(void)
{
	return (struct rules_facts){ .supplier = "acme", .profile = "acme-rtr", .product = "EC21E", .format = "uimage",
		.country = "DE", .complete = true, .worst = RULES_NO_FINDING, .signature = SIG_VERIFIED,
		.signer = RULES_SIGNER_KEPT, .direction = RULES_UP, .delta = RULES_DELTA_NONE, .covered = RULES_ALL,
		.attested = 2, .explained = RULES_ALL, .reviewable = RULES_ALL, .size = 4096, .first_seen = NOW - 10 * DAY,
		.vendor_date = NOW - 20 * DAY, .security = "CVE-2026-1", .reach = RULES_REACH_NAMED, .group = lab, .group_n = 1 };
}

static const struct rules_facts nothing_known;

/* As a rule that asks for no more than the default, which may stand anywhere. */
static bool
matches(const char *predicate, const struct rules_facts *f)
{
	char rule[512];
	snprintf(rule, sizeof rule, "{ name = \"r\"; %s outcome = \"hold\"; }", predicate);
	struct config *c = config(rule);
	rules_decide(c->rules, c->rules_n, &c->raise, f, NOW, &result);
	config_free(c);
	return result.matches_n == 1;
}

/* Each predicate: a fact that it takes, and one that it does not. */
static void
every_predicate(void **state)
{
	static const struct {
		const char *predicate;
		bool good, unknown; /* whether it takes the best facts, and the worst */
	} cases[] = {
		{ "", true, true },
		{ "suppliers = [ \"acme\" ];", true, false },
		{ "products = [ \"EC20E\", \"EC21E\" ];", true, false },
		{ "products = [ \"EC21\" ];", false, false },
		{ "products = [ \"EC21*\" ];", true, false },
		{ "products = [ \"*\" ];", true, false },
		{ "profiles = [ \"acme-rtr\" ];", true, false },
		{ "formats = [ \"uimage\" ];", true, false },
		{ "formats = [ \"fit\" ];", false, false },
		{ "countries = [ \"DE\", \"FR\" ];", true, false },
		{ "countries = [ \"FR\" ];", false, false },
		{ "findings = [ \"CHG-EXEC\" ];", false, true },
		{ "findings_absent = [ \"CHG-EXEC\" ];", true, false },
		{ "supplier_words = [ \"listed:covered-list\" ];", false, false },
		{ "groups = [ \"lab\" ];", true, true },
		{ "groups = [ \"field\" ];", false, true },
		{ "groups_only = [ \"lab\", \"field\" ];", true, false },
		{ "groups_only = [ \"field\" ];", false, false },
		{ "severity_at_least = \"info\";", false, true },
		{ "severity_at_most = \"info\";", true, false },
		{ "signature_at_best = \"absent\";", false, true },
		{ "signature_at_worst = \"verified\";", true, false },
		{ "signer_at_best = \"first\";", false, true },
		{ "signer_at_worst = \"kept\";", true, false },
		{ "direction_at_best = \"same\";", false, true },
		{ "direction_at_worst = \"up\";", true, false },
		{ "delta_at_best = \"proved\";", false, true },
		{ "delta_at_worst = \"none\";", true, false },
		{ "unsigned_at_least = 1;", false, true },
		{ "unsigned_at_most = 0;", true, false },
		{ "unexplained_at_least = 1;", false, true },
		{ "unexplained_at_most = 0;", true, false },
		{ "unreviewable_at_least = 1000;", false, true },
		{ "unreviewable_at_most = 999;", true, false },
		{ "attested_at_least = 2;", true, false },
		{ "attested_at_least = 3;", false, false },
		{ "size_at_least = 4096;", true, false },
		{ "size_at_least = 4097;", false, false },
		{ "age_below = \"10d\";", false, true },
		{ "age_below = \"11d\";", true, true },
		{ "age_at_least = \"10d\";", true, false },
		{ "age_at_least = \"11d\";", false, false },
		{ "vendor_age_below = \"20d\";", false, true },
		{ "vendor_age_at_least = \"20d\";", true, false },
		{ "security = \"marked\";", true, false },
		{ "security = \"unmarked\";", false, true },
		{ "security = \"any\";", true, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rules_facts f = good();
		if (matches(cases[i].predicate, &f) != cases[i].good)
			fail_msg("%s and the best facts", cases[i].predicate);
		if (matches(cases[i].predicate, &nothing_known) != cases[i].unknown)
			fail_msg("%s and nothing known", cases[i].predicate);
	}
}

static void
findings_by_id_and_by_how_they_begin(void **state)
{
	struct rules_facts f = good();
	(void)state;
	f.finding[FINDING_CHG_CONTACT_HOST] = true;
	f.worst = RULES_WARNING;
	assert_true(matches("findings = [ \"CHG-EXEC\", \"CHG-CONTACT-HOST\" ];", &f));
	assert_true(matches("findings = [ \"CHG-CONTACT*\" ];", &f));
	assert_false(matches("findings = [ \"CHG-EXEC\" ];", &f));
	assert_false(matches("findings_absent = [ \"CHG-CONTACT*\" ];", &f));
	assert_true(matches("findings_absent = [ \"CHG-EXEC\" ];", &f));
	assert_true(matches("severity_at_least = \"warning\";", &f));
	assert_true(matches("severity_at_most = \"warning\";", &f));
	assert_false(matches("severity_at_most = \"notice\";", &f));
	assert_false(matches("severity_at_least = \"block\";", &f));
}

static void
words_of_the_supplier(void **state)
{
	struct rules_facts f = good();
	(void)state;
	f.word = covered;
	f.word_n = 2;
	assert_true(matches("supplier_words = [ \"listed:1260h\", \"listed:covered*\" ];", &f));
	assert_false(matches("supplier_words = [ \"listed:1260h\" ];", &f));
}

static void
groups_by_reach(void **state)
{
	struct rules_facts f = good();
	(void)state;
	f.group = lab_and_field;
	f.group_n = 2;
	assert_true(matches("groups = [ \"field\" ];", &f));
	assert_false(matches("groups_only = [ \"lab\" ];", &f));
	f.group = everyone;
	f.group_n = 1;
	assert_true(matches("groups = [ \"field\" ];", &f)); /* everyone is the field as well */
	assert_false(matches("groups_only = [ \"lab\" ];", &f));
	f.reach = RULES_REACH_NOBODY;
	assert_false(matches("groups = [ \"field\" ];", &f));
	assert_true(matches("groups_only = [ \"lab\" ];", &f));
	f.reach = RULES_REACH_ALL;
	assert_true(matches("groups = [ \"field\" ];", &f));
	assert_false(matches("groups_only = [ \"lab\" ];", &f));
}

static void
words_are_in_order(void **state)
{
	struct rules_facts f = good();
	(void)state;
	f.signer = RULES_SIGNER_NEW;
	assert_true(matches("signer_at_best = \"new\";", &f) && matches("signer_at_best = \"weaker\";", &f));
	assert_true(matches("signer_at_worst = \"back\";", &f));
	assert_false(matches("signer_at_best = \"back\";", &f));
	assert_false(matches("signer_at_worst = \"weaker\";", &f));
	f.delta = RULES_DELTA_RECONSTRUCTED;
	assert_true(matches("delta_at_best = \"reconstructed\";", &f) && matches("delta_at_worst = \"opaque\";", &f));
	assert_false(matches("delta_at_worst = \"proved\";", &f));
	f.direction = RULES_DOWN;
	assert_true(matches("direction_at_best = \"down\";", &f));
	assert_false(matches("direction_at_worst = \"same\";", &f));
	f.signature = SIG_EXPIRED;
	assert_true(matches("signature_at_best = \"untrusted\";", &f));
	assert_false(matches("signature_at_best = \"weak\";", &f));
	assert_string_equal(rules_outcome_name(RULES_DENY), "deny");
	assert_string_equal(rules_outcome_name(RULES_HOLD), "hold");
	assert_string_equal(rules_outcome_name(RULES_RELEASE), "release");
}

static void
what_is_ahead_of_the_clock_is_new(void **state)
{
	struct rules_facts f = good();
	(void)state;
	f.first_seen = NOW + DAY;
	f.vendor_date = NOW + DAY;
	assert_true(matches("age_below = \"1s\";", &f) && matches("vendor_age_below = \"1s\";", &f));
	f.first_seen = INT64_MIN;
	assert_true(matches("age_below = \"1s\";", &f));
}

/* ---- what comes of it ---- */

static const struct rules_raise ones = { 1, 1, 1 };

static void
decide_on(const struct config *c, const struct rules_facts *f)
{
	rules_decide(c->rules, c->rules_n, &c->raise, f, NOW, &result);
}

static void
the_first_decides_and_all_are_told(void **state)
{
	struct config *c = config("{ name = \"no\"; findings = [ \"CHG-EXEC\" ]; outcome = \"deny\"; },\n"
				  "{ name = \"three\"; severity_at_least = \"notice\"; outcome = \"hold\"; quorum = 3; },\n"
				  "{ name = \"one\"; suppliers = [ \"acme\" ]; outcome = \"hold\"; quorum = 1; }");
	struct rules_facts f = good();
	char text[RULES_SENTENCE_MAX];
	(void)state;
	decide_on(c, &f);
	assert_int_equal(result.outcome, RULES_HOLD);
	assert_int_equal(result.matches_n, 1);
	assert_string_equal(rules_decider(&result), "one");
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &c->profiles[0], 1), 1);
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &c->profiles[0], 2), 2); /* never below the floor */
	f.worst = RULES_WARNING;
	decide_on(c, &f);
	assert_string_equal(rules_decider(&result), "three");
	assert_int_equal(result.matches_n, 2);
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &c->profiles[0], 1), 3);
	f.finding[FINDING_CHG_EXEC] = true;
	decide_on(c, &f);
	assert_int_equal(result.outcome, RULES_DENY);
	assert_int_equal(result.matches_n, 3);
	assert_string_equal(result.match[0].sentence, "deny");
	assert_string_equal(result.match[1].sentence, "hold for 3 signatures");
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &c->profiles[0], 1), SCOPE_QUORUM_NEVER);
	rules_describe(&result, text);
	assert_string_equal(text, "rule no says deny");
	/* Nothing known is nothing good. */
	decide_on(c, &nothing_known);
	assert_int_equal(result.outcome, RULES_DENY);
	config_free(c);
}

static void
without_a_match_as_the_profile_says(void **state)
{
	struct config *c = config("");
	struct rules_facts f = good();
	struct profile p;
	char text[RULES_SENTENCE_MAX];
	(void)state;
	decide_on(c, &f);
	assert_int_equal(result.outcome, RULES_HOLD);
	assert_int_equal(result.matches_n, 0);
	assert_string_equal(rules_decider(&result), "none");
	rules_describe(&result, text);
	assert_string_equal(text, "no rule matches: hold for the signatures that the profile asks for");
	memset(&p, 0, sizeof p);
	p.quorum = 3;
	p.canary_quorum = 1;
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &p, 1), 3);
	assert_int_equal(rules_quorum(&result, SCOPE_CANARY, &p, 1), 1);
	assert_int_equal(rules_quorum(&result, SCOPE_NONE, &p, 1), SCOPE_QUORUM_NEVER);
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &p, 0), SCOPE_QUORUM_NEVER);
	p.quorum = INT64_MAX;
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &p, 1), SCOPE_QUORUM_NEVER);
	p.quorum = SCOPE_QUORUM_NEVER - 1;
	result.raise = 1;
	assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &p, 1), SCOPE_QUORUM_NEVER);
	config_free(c);
}

static void
dangerous_findings_raise_the_quorum(void **state)
{
	static const enum finding_id ids[] = { FINDING_CHG_ONE_WAY_DOOR, FINDING_META_TARGETED, FINDING_CONT_NEW_SIGNER };
	struct config *c = config("{ name = \"one\"; outcome = \"hold\"; quorum = 1; }");
	char text[RULES_SENTENCE_MAX];
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct rules_facts f = good();
		f.finding[ids[i]] = true;
		decide_on(c, &f);
		assert_int_equal(result.raise, 1);
		assert_int_equal(result.raised_by, ids[i]);
		/* Above the floor as well: what is dangerous needs one more, whoever said how many. */
		assert_int_equal(rules_quorum(&result, SCOPE_PRODUCTION, &c->profiles[0], 1), 2);
		assert_int_equal(rules_quorum(&result, SCOPE_CANARY, &c->profiles[0], 2), 3);
	}
	rules_describe(&result, text);
	assert_string_equal(text, "rule one says hold for 1 signature; and 1 more for CONT-NEW-SIGNER");
	/* Of several the most, and not their sum. */
	const struct rules_raise unlike = { 1, 3, 2 };
	struct rules_facts f = good();
	for (unsigned i = 0; i < 3; i++)
		f.finding[ids[i]] = true;
	rules_decide(c->rules, c->rules_n, &unlike, &f, NOW, &result);
	assert_int_equal(result.raise, 3);
	assert_int_equal(result.raised_by, FINDING_META_TARGETED);
	/* And where nobody can say that it is not there. */
	rules_decide(c->rules, c->rules_n, &ones, &nothing_known, NOW, &result);
	assert_int_equal(result.raise, 1);
	config_free(c);
}

static void
times_put_it_off(void **state)
{
	struct config *c = config("{ name = \"later\"; outcome = \"hold\"; cool_down = \"14d\"; security_cool_down = \"11d\"; "
				  "time_lock = \"2h\"; freeze_until = \"2027-01-16T00:00:00Z\"; }");
	struct rules_facts f = good();
	int64_t frozen = 0;
	(void)state;
	assert_true(stamp_parse(view_str("2027-01-16T00:00:00Z"), &frozen));
	f.security = NULL;
	decide_on(c, &f);
	assert_int_equal(result.earliest, NOW + 4 * DAY);
	assert_string_equal(result.earliest_why, "cool_down");
	assert_int_equal(result.time_lock, 7200);
	assert_string_equal(result.match[0].sentence, "hold for the signatures that the profile asks for, not before the image "
	    "is known for 14 days, not before 2027-01-16T00:00:00Z, not within 2 hours of a signature");
	f.security = "CVE-2026-1";
	decide_on(c, &f);
	assert_non_null(strstr(result.match[0].sentence, "known for 11 days (a security update: CVE-2026-1), not before"));
	assert_true(NOW + DAY < frozen ? result.earliest == frozen : result.earliest == NOW + DAY);
	f.first_seen = NOW - 100 * DAY;
	decide_on(c, &f);
	assert_int_equal(result.earliest, frozen);
	assert_string_equal(result.earliest_why, "freeze_until");
	/* Not known since when: since now. And no time wraps. */
	f.first_seen = 0;
	f.security = NULL;
	decide_on(c, &f);
	assert_int_equal(result.earliest, NOW + 14 * DAY);
	rules_decide(c->rules, c->rules_n, &c->raise, &f, INT64_MAX - 5, &result);
	assert_int_equal(result.earliest, INT64_MAX);
	config_free(c);
	c = config("{ name = \"soon\"; outcome = \"hold\"; cool_down = \"90s\"; }");
	decide_on(c, &f);
	assert_non_null(strstr(result.match[0].sentence, "90 seconds"));
	config_free(c);
}

static void
marks_of_security_updates(void **state)
{
	struct config *c = NULL;
	(void)state;
	assert_int_equal(sample_parse(SAMPLE_MAIN "security_updates = (\n"
	    "{ profile = \"acme-rtr\"; product = \"EC21*\"; version = \"1.2\"; reason = \"CVE-2026-1\"; },\n"
	    "{ profile = \"acme-rtr\"; version = \"1.3\"; reason = \"CVE-2026-2\"; } );\n", SAMPLE_PROFILE, &c, &problems), 0);
#define MARK(product, version) rules_security_of(c->security_updates, c->security_updates_n, "acme-rtr", product, version)
	assert_string_equal(MARK("EC21E", "1.2")->reason, "CVE-2026-1");
	assert_null(MARK("EC20E", "1.2"));
	assert_string_equal(MARK("EC20E", "1.3")->reason, "CVE-2026-2");
	assert_null(MARK("EC21E", "1.4"));
	assert_null(rules_security_of(c->security_updates, c->security_updates_n, "other", "EC21E", "1.2"));
	config_free(c);
	assert_int_equal(sample_parse(SAMPLE_MAIN "security_updates = (\n"
	    "{ profile = \"acme\"; version = \"1.2\"; reason = \"CVE-2026-1\"; } );\n", SAMPLE_PROFILE, &c, &problems), FG_EFORMAT);
	assert_true(sample_says(&problems, "fotagate.conf", 0, "security_updates[0]: \"acme\" is no profile"));
}

static void
a_rule_for_others_is_no_part_of_the_policy(void **state)
{
	struct config *c = config("{ name = \"a\"; suppliers = [ \"acme\" ]; outcome = \"hold\"; },\n"
				  "{ name = \"b\"; countries = [ \"FR\" ]; outcome = \"hold\"; },\n"
				  "{ name = \"c\"; profiles = [ \"acme-rtr\" ]; products = [ \"x\" ]; outcome = \"hold\"; }");
	(void)state;
	assert_true(rules_concern(&c->rules[0], &c->profiles[0], "DE"));
	assert_false(rules_concern(&c->rules[1], &c->profiles[0], "DE"));
	assert_true(rules_concern(&c->rules[2], &c->profiles[0], "DE"));
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_predicate),
		cmocka_unit_test(findings_by_id_and_by_how_they_begin),
		cmocka_unit_test(words_of_the_supplier),
		cmocka_unit_test(groups_by_reach),
		cmocka_unit_test(words_are_in_order),
		cmocka_unit_test(what_is_ahead_of_the_clock_is_new),
		cmocka_unit_test(the_first_decides_and_all_are_told),
		cmocka_unit_test(without_a_match_as_the_profile_says),
		cmocka_unit_test(dangerous_findings_raise_the_quorum),
		cmocka_unit_test(times_put_it_off),
		cmocka_unit_test(marks_of_security_updates),
		cmocka_unit_test(a_rule_for_others_is_no_part_of_the_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
