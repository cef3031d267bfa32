/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/rules_tell.h"
#include "unit/policy/sample.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

static struct config_problems problems;
static char words[RULES_TELL_WORDS_MAX];

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

/* The clauses of one predicate's rule; there is exactly one. */
static const char *
clause(const char *predicate)
{
	char rule[512];
	size_t at = 0;
	snprintf(rule, sizeof rule, "{ name = \"r\"; %s outcome = \"hold\"; }", predicate);
	struct config *c = config(rule);
	const struct config_key *k = rules_tell_next(&c->rules[0], &at);
	assert_non_null(k);
	rules_tell_words(&c->rules[0], k, words);
	assert_null(rules_tell_next(&c->rules[0], &at));
	config_free(c);
	return words;
}

static void
each_predicate_in_words(void **state)
{
	(void)state;
	assert_string_equal(clause("suppliers = [ \"acme\" ];"), "the supplier is acme");
	assert_string_equal(clause("products = [ \"EC21*\", \"EC20\" ];"), "the product is EC21* or EC20");
	assert_string_equal(clause("findings_absent = [ \"CHG-EXEC\" ];"), "there is no finding CHG-EXEC");
	assert_string_equal(clause("signature_at_worst = \"verified\";"), "the signature is verified, or better");
	assert_string_equal(clause("unsigned_at_least = 20;"), "20 of a thousand bytes, or more, are under no signature");
	assert_string_equal(clause("size_at_least = \"64 KiB\";"), "the image has 65536 bytes, or more");
	assert_string_equal(clause("age_below = \"1d\";"), "the image came here less than 1 day ago");
	assert_string_equal(clause("age_at_least = \"90s\";"), "the image came here 90 seconds ago, or earlier");
	assert_string_equal(clause("security = \"unmarked\";"), "it is unmarked as a security update");
}

/* A key of a rule is a predicate or says what is decided: a new one must be told as one of both. */
static void
no_key_is_left_out(void **state)
{
	static const char *const decide[] = { "name", "outcome", "quorum", "cool_down", "security_cool_down", "time_lock",
		"freeze_until" };
	struct rule any;
	(void)state;
	rules_tell_any(&any);
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *k = config_schema_at(i);
		const char *leaf = config_schema_leaf(k, "rules[]");
		bool is = false;
		size_t at = i; /* from there on: what was before it asks nothing */
		for (size_t d = 0; leaf && d < sizeof decide / sizeof decide[0]; d++)
			is = is || !strcmp(leaf, decide[d]);
		if (!leaf || is)
			continue;
		struct rule asks = any;
		if (k->type == CONFIG_KEY_TEXTS) {
			unsigned one = 1;
			memcpy((char *)&asks + k->count_offset, &one, sizeof one);
		} else {
			((char *)&asks)[k->offset] ^= 1;
		}
		assert_ptr_equal(rules_tell_next(&asks, &at), k);
	}
	size_t at = 0;
	assert_null(rules_tell_next(&any, &at));
	const struct rules_facts nothing = { .supplier = NULL };
	assert_true(rules_matches(&any, &nothing, NOW));
}

static void
what_does_not_hold_is_named(void **state)
{
	struct config *c = config("{ name = \"big\"; size_at_least = 5000; products = [ \"EC21*\" ]; signer_at_best = \"new\"; "
	    "outcome = \"deny\"; }, { name = \"all\"; outcome = \"hold\"; quorum = 3; }, { name = \"more\"; outcome = \"hold\"; quorum = 3; }");
	const struct rules_facts f = { .supplier = "acme", .product = "EC21E", .size = 4096, .signer = RULES_SIGNER_KEPT,
		.first_seen = NOW - DAY };
	struct writer w;
	struct jsonw j;
	(void)state;
	writer_init(&w, 1 << 16);
	jsonw_init(&j, &w);
	assert_int_equal(rules_tell_put(&j, c->rules, c->rules_n, &f, NOW), 0);
	assert_true(view_is(writer_view(&w),
	    "[{\"decides\":false,\"matches\":false,\"misses\":[{\"key\":\"signer_at_best\",\"words\":\"the signer is new, or worse\"},"
	    "{\"key\":\"size_at_least\",\"words\":\"the image has 5000 bytes, or more\"}],\"name\":\"big\",\"says\":\"deny\"},"
	    "{\"decides\":true,\"matches\":true,\"misses\":[],\"name\":\"all\",\"says\":\"hold for 3 signatures\"},"
	    "{\"decides\":false,\"matches\":true,\"misses\":[],\"name\":\"more\",\"says\":\"hold for 3 signatures\"}]"));
	writer_free(&w);
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_predicate_in_words),
		cmocka_unit_test(no_key_is_left_out),
		cmocka_unit_test(what_does_not_hold_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
