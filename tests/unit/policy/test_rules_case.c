/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/rules_case.h"
#include "unit/policy/sample.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

static struct config_problems problems;
static struct rules_case k;
static struct rules_result result;
static char why[RULES_CASE_WHY_MAX];

static const char rules[] = SAMPLE_MAIN
    "rules = ( { name = \"big\"; size_at_least = 5000; outcome = \"deny\"; },\n"
    "{ name = \"late\"; outcome = \"hold\"; quorum = 3; cool_down = \"2d\"; security_cool_down = \"1h\"; } );\n"
    "security_updates = ( { profile = \"acme-rtr\"; product = \"EC21*\"; version = \"1.2\"; reason = \"CVE\"; } );\n";

static struct config *
config(void)
{
	struct config *c = NULL;
	assert_int_equal(sample_parse(rules, SAMPLE_PROFILE, &c, &problems), 0);
	return c;
}

static bool
reads(const struct config *c, const char *text)
{
	struct json *doc = NULL;
	assert_int_equal(json_parse(view_str(text), &doc, NULL), 0);
	bool good = rules_case_read(json_root(doc), c, NOW, &k, why);
	json_free(doc);
	return good;
}

/* "" or what differs. */
static const char *
judged(const struct config *c, const char *facts, const char *expect)
{
	char text[1024];
	snprintf(text, sizeof text, "{\"name\":\"n\",\"facts\":{%s},\"expect\":{%s}}", facts, expect);
	if (reads(c, text))
		(void)rules_case_holds(&k, c, &result, why);
	return why;
}

static void
what_is_expected_is_compared(void **state)
{
	struct config *c = config();
	(void)state;
#define SMALL "\"size\":10,\"profile\":\"acme-rtr\",\"findings\":[]"
	assert_string_equal(judged(c, SMALL, "\"outcome\":\"hold\",\"rule\":\"late\",\"quorum\":3"), "");
	assert_string_equal(judged(c, SMALL, "\"outcome\":\"hold\""), "");
	assert_string_equal(judged(c, SMALL, "\"outcome\":\"deny\",\"rule\":\"big\""),
	    "the outcome is hold, not deny; the rule that decides is late, not big");
	assert_string_equal(judged(c, SMALL, "\"outcome\":\"hold\",\"quorum\":2"), "3 have to sign, not 2");
	assert_string_equal(judged(c, SMALL ",\"age\":\"1d\"", "\"outcome\":\"hold\",\"wait\":\"1d\""), "");
	assert_string_equal(judged(c, SMALL ",\"age\":\"1d\"", "\"outcome\":\"hold\",\"wait\":5"), "a module waits 86400 s, not 5");
	assert_string_equal(judged(c, "\"size\":5000", "\"outcome\":\"deny\",\"rule\":\"big\""), "");
	/* By the mark that the configuration has. */
	assert_string_equal(judged(c, SMALL ",\"product\":\"EC21E\",\"version\":\"1.2\",\"age\":0", "\"outcome\":\"hold\",\"wait\":3600"), "");
	assert_string_equal(judged(c, SMALL ",\"product\":\"EC20E\",\"version\":\"1.2\",\"age\":0", "\"outcome\":\"hold\",\"wait\":\"2d\""), "");
	/* A finding that raises it, and one that is not known to be absent. */
	assert_string_equal(judged(c, "\"size\":1,\"profile\":\"acme-rtr\",\"findings\":[\"CHG-ONE-WAY-DOOR\"]",
	    "\"outcome\":\"hold\",\"quorum\":4"), "");
	assert_string_equal(judged(c, "\"size\":1,\"profile\":\"acme-rtr\"", "\"outcome\":\"hold\",\"quorum\":4"), "");
	config_free(c);
}

static void
what_is_not_said_is_the_worst(void **state)
{
	struct config *c = config();
	(void)state;
	(void)judged(c, "", "\"outcome\":\"deny\"");
	assert_string_equal(why, "");
	assert_string_equal(rules_decider(&result), "big"); /* of unknown size */
	const struct rules_facts *f = &k.doc.f;
	assert_true(!f->complete && f->worst == RULES_BLOCK && f->signature == SIG_UNKNOWN && f->signer == RULES_SIGNER_UNKNOWN);
	assert_true(f->covered == 0 && f->explained == 0 && f->reviewable == 0 && f->first_seen == 0 && f->reach == RULES_REACH_ALL);
	/* And what follows from what is said. */
	(void)judged(c, "\"profile\":\"acme-rtr\",\"findings\":[\"CHG-EXEC\"]", "\"outcome\":\"deny\"");
	assert_string_equal(f->supplier, "acme");
	assert_string_equal(f->country, "DE");
	assert_string_equal(f->word[0], "country:DE");
	assert_true(f->complete && f->worst != RULES_NO_FINDING);
	config_free(c);
}

/* An example has to know of a supplier what the gateway knows, or it passes where the gateway denies. */
static void
what_is_known_of_the_supplier_is_used(void **state)
{
	static const char main_text[] =
	    "listeners = ( { name = \"plain\"; address = \"127.0.0.1\"; port = 8080; },\n"
	    "{ name = \"tls\"; address = \"127.0.0.1\"; port = 8444; tls = true; cert = \"c.pem\"; key = \"k.pem\"; "
	    "client_ca = \"ca.pem\"; } );\n"
	    "suppliers = ( { name = \"acme\"; legal_entity = \"ACME Ltd\"; country = \"unknown\"; hosting = [ \"US\" ]; "
	    "support_until = \"2026-12-31\"; } );\n"
	    "rules = ( { name = \"named\"; supplier_words = [ \"listed:own\" ]; outcome = \"deny\"; },\n"
	    "{ name = \"over\"; supplier_words = [ \"support:over\" ]; outcome = \"deny\"; },\n"
	    "{ name = \"there\"; supplier_words = [ \"hosting:US\" ]; outcome = \"hold\"; quorum = 4; } );\n";
	static const char list[] = "list = { name = \"own\"; source = \"us\"; date = \"2026-01-31\"; complete = true; "
				   "entities = ( { country = \"FR\"; } ); };\n";
	const struct config_file f[] = { { "fotagate.conf", view_str(main_text) }, { "lists.d/own.conf", view_str(list) },
		{ "profiles.d/a.conf", view_str(SAMPLE_PROFILE) } };
	struct config *c = NULL;
	(void)state;
	assert_int_equal(config_parse(f, 3, &c, &problems), 0);
	/* 2027-01-15: its support is over. */
	assert_string_equal(judged(c, "\"profile\":\"acme-rtr\"", "\"outcome\":\"deny\",\"rule\":\"over\""), "");
	assert_int_equal(k.doc.f.word_n, 4);
	assert_string_equal(k.doc.f.word[2], "unknown:own");
	assert_true(reads(c, "{\"name\":\"n\",\"at\":\"2026-12-31T23:59:59Z\",\"facts\":{\"profile\":\"acme-rtr\",\"findings\":[]},"
			     "\"expect\":{\"outcome\":\"hold\",\"rule\":\"there\",\"quorum\":4}}"));
	assert_true(rules_case_holds(&k, c, &result, why));
	/* In another country, and of a supplier that is named without a profile. */
	assert_string_equal(judged(c, "\"supplier\":\"acme\",\"country\":\"FR\"", "\"outcome\":\"deny\",\"rule\":\"named\""), "");
	assert_string_equal(judged(c, "\"supplier\":\"acme\",\"country\":\"unknown\"", "\"outcome\":\"deny\",\"rule\":\"over\""), "");
	/* What is said counts, and of one that nobody knows nothing else is known. */
	assert_string_equal(judged(c, "\"supplier\":\"acme\",\"supplier_words\":[]", "\"outcome\":\"hold\",\"rule\":\"none\""), "");
	assert_string_equal(judged(c, "\"supplier\":\"other\"", "\"outcome\":\"hold\",\"rule\":\"none\""), "");
	assert_int_equal(k.doc.f.word_n, 1);
	assert_string_equal(k.doc.f.word[0], "country:unknown");
	config_free(c);
}

static void
what_is_wrong_is_named(void **state)
{
	struct config *c = config();
	(void)state;
	static const struct {
		const char *facts, *expect, *says;
	} wrong[] = {
		{ "\"sise\":1", "\"outcome\":\"deny\"", "facts: sise is no fact" },
		{ "\"size\":\"1\"", "\"outcome\":\"deny\"", "facts: size is no number of bytes" },
		{ "\"signature\":\"good\"", "\"outcome\":\"deny\"", "facts: signature is none of unknown|invalid|" },
		{ "\"findings\":[\"CHG-EXEK\"]", "\"outcome\":\"deny\"", "facts: findings[0] is no finding" },
		{ "\"unsigned\":1001", "\"outcome\":\"deny\"", "facts: unsigned is not 0 to 1000" },
		{ "\"age\":\"long\"", "\"outcome\":\"deny\"", "facts: age is neither" },
		{ "\"groups\":\"lab\"", "\"outcome\":\"deny\"", "facts: groups is no list" },
		{ "\"format\":\"zap\"", "\"outcome\":\"deny\"", "facts: format is none that is known" },
		{ "\"complete\":1", "\"outcome\":\"deny\"", "facts: complete is neither" },
		{ "", "", "expect.outcome is neither" },
		{ "", "\"outcome\":\"release\"", "expect.outcome is neither" },
		{ "", "\"outcome\":\"deny\",\"quorum\":2", "nobody signs for what is denied" },
		{ "\"profile\":\"other\"", "\"outcome\":\"hold\",\"quorum\":2", "needs facts.profile" },
		{ "", "\"outcome\":\"deny\",\"who\":2", "a member of expect is none" },
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (!strstr(judged(c, wrong[i].facts, wrong[i].expect), wrong[i].says))
			fail_msg("\"%s\" is not in \"%s\"", wrong[i].says, why);
	assert_false(reads(c, "{\"facts\":{},\"expect\":{\"outcome\":\"deny\"},\"scope\":\"all\",\"floor\":0,\"at\":\"now\",\"x\":1}"));
	assert_non_null(strstr(why, "a member of the case"));
	assert_non_null(strstr(why, "name is missing"));
	assert_non_null(strstr(why, "at is no time"));
	assert_non_null(strstr(why, "scope is neither"));
	assert_non_null(strstr(why, "floor is no number"));
	config_free(c);
}

/* What is explained can be kept as an example. */
static void
facts_survive_their_text(void **state)
{
	static const char *const lab[] = { "lab", "field" }, *const known[] = { "country:DE", "own:watch" };
	struct config *c = config();
	struct rules_facts f = { .supplier = "acme", .profile = "acme-rtr", .product = "EC21E", .format = "uimage", .country = "DE",
		.word = known, .word_n = 2, .complete = true, .worst = RULES_NOTICE, .signature = SIG_VERIFIED,
		.signer = RULES_SIGNER_WEAKER, .direction = RULES_SAME, .delta = RULES_DELTA_PROVED, .covered = 990, .explained = 7,
		.attested = 2, .reviewable = 1000, .size = 4096, .first_seen = NOW - 10 * DAY, .vendor_date = NOW, .security = "CVE",
		.reach = RULES_REACH_NAMED, .group = lab, .group_n = 2 };
	(void)state;
	f.finding[FINDING_CHG_EXEC] = true;
	for (int pass = 0; pass < 4; pass++) {
		char text[RULES_DOC_WHY_MAX];
		struct writer w, again;
		struct jsonw j;
		struct json *doc = NULL;
		writer_init(&w, 8192);
		jsonw_init(&j, &w);
		rules_doc_put(&j, &f, "1.2", NOW);
		assert_int_equal(json_parse(writer_view(&w), &doc, NULL), 0);
		assert_true(rules_doc_read(json_root(doc), c, NOW, &k.doc, text));
		writer_init(&again, 8192);
		jsonw_init(&j, &again);
		rules_doc_put(&j, &k.doc.f, "1.2", NOW);
		assert_true(view_equal(writer_view(&w), writer_view(&again)));
		const struct rules_facts *g = &k.doc.f;
		assert_true(g->covered == f.covered && g->worst == f.worst && g->first_seen == f.first_seen &&
		    g->vendor_date == f.vendor_date && g->reach == f.reach && g->finding[FINDING_CHG_EXEC] == f.finding[FINDING_CHG_EXEC] && g->word_n == f.word_n);
		json_free(doc);
		writer_free(&w);
		writer_free(&again);
		if (pass == 0)
			f.reach = RULES_REACH_NOBODY;
		else
			f = (struct rules_facts){ .reach = RULES_REACH_NOBODY, .worst = pass == 1 ? RULES_BLOCK : RULES_INFO, .size = 7 };
	}
	config_free(c);
}

static void
lines_of_cases(void **state)
{
	static const char text[] = "{ \"cases\": [\n{ \"name\": \"a{[\\\"\", \"facts\": {\n} },\n\n{ \"name\": \"b\" } ] }";
	(void)state;
	assert_int_equal(rules_case_line(view_str(text), 0), 2);
	assert_int_equal(rules_case_line(view_str(text), 1), 5);
	assert_int_equal(rules_case_line(view_str(text), 2), 0);
	assert_int_equal(rules_case_line_at(view_str(text), 15), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_expected_is_compared),
		cmocka_unit_test(what_is_not_said_is_the_worst),
		cmocka_unit_test(what_is_known_of_the_supplier_is_used),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(facts_survive_their_text),
		cmocka_unit_test(lines_of_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
