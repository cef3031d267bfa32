/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/policy_text.h"
#include "unit/policy/sample.h"

static struct config_problems problems;
static const char rules[] = SAMPLE_MAIN
    "rules = ( { name = \"big\"; size_at_least = 5000; outcome = \"deny\"; },\n"
    "{ name = \"late\"; outcome = \"hold\"; quorum = 3; cool_down = \"2d\"; freeze_until = \"2027-01-16T00:00:00Z\"; },\n"
    "{ name = \"others\"; suppliers = [ \"acme\" ]; countries = [ \"FR\" ]; outcome = \"deny\"; } );\n"
    "quorum_raise = { targeted = 4; };\n"
    "security_updates = ( { profile = \"acme-rtr\"; version = \"1.2\"; reason = \"CVE\"; } );\n";

/* The policy that this configuration gives; free() its bytes. */
static struct view
made(const struct config *c)
{
	const struct profile_anchor anchor = { .name = "ca.pem", .sha256 = { 1, 2, 3 } };
	struct writer w;
	size_t n = 0;
	writer_init(&w, POLICY_TEXT_MAX);
	assert_int_equal(profile_canonical(&c->profiles[0], c, &anchor, 1, &w), 0);
	uint8_t *p = writer_take(&w, &n);
	writer_free(&w);
	return view_of(p, n);
}

static void
what_was_kept_is_read_as_it_was(void **state)
{
	struct config *c = NULL, *back = NULL;
	(void)state;
	assert_int_equal(sample_parse(rules, SAMPLE_PROFILE, &c, &problems), 0);
	struct view text = made(c);
	assert_int_equal(policy_text_read(text, &back), 0);
	assert_string_equal(back->profiles[0].name, "acme-rtr");
	assert_int_equal(back->profiles[0].quorum, 2);
	assert_int_equal(back->profiles[0].captures_n, c->profiles[0].captures_n);
	assert_int_equal(back->profiles[0].review_days, c->profiles[0].review_days);
	assert_string_equal(back->suppliers[0].country, "DE");
	assert_int_equal(back->rules_n, 2); /* the third is about nobody of this profile */
	assert_int_equal(back->rules[0].size_at_least, 5000);
	assert_int_equal(back->rules[1].quorum, 3);
	assert_true(back->rules[1].frozen == c->rules[1].frozen && back->rules[1].frozen > 0);
	assert_int_equal(back->raise.targeted, 4);
	assert_string_equal(back->security_updates[0].reason, "CVE");
	config_free(back);
	config_free(c);
	free((void *)(uintptr_t)text.p);
}

/* Every member that is renamed, and a value of another type: no policy. */
static void
nothing_is_passed_over(void **state)
{
	struct config *c = NULL, *back = NULL;
	(void)state;
	assert_int_equal(sample_parse(rules, SAMPLE_PROFILE, &c, &problems), 0);
	struct view text = made(c);
	uint8_t *bytes = malloc(text.n);
	assert_non_null(bytes);
	for (size_t i = 0; i + 2 < text.n; i++) {
		if (text.p[i + 1] != '"' || text.p[i + 2] != ':' || (text.p[i] < 'a' || text.p[i] > 'y'))
			continue;
		memcpy(bytes, text.p, text.n);
		bytes[i]++;
		back = NULL;
		int err = policy_text_read(view_of(bytes, text.n), &back);
		/* Names of captures are the operator's: another is another policy. */
		if (!err)
			assert_string_not_equal(back->profiles[0].captures[0].name, "");
		else
			assert_int_equal(err, FG_EFORMAT);
		config_free(back);
	}
	const char *const broken[] = { "\"quorum\":2", "\"quorum\":3", "\"version\":\"1.2\"" };
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		memcpy(bytes, text.p, text.n);
		uint8_t *at = memmem(bytes, text.n, broken[i], strlen(broken[i]));
		assert_non_null(at);
		*(uint8_t *)memchr(at, ':', 20) = ',';
		assert_int_equal(policy_text_read(view_of(bytes, text.n), &back), FG_EFORMAT);
	}
	assert_int_equal(policy_text_read(view_of(text.p, text.n - 1), &back), FG_EFORMAT);
	assert_int_equal(policy_text_read(view_str("{}"), &back), FG_EFORMAT);
	assert_int_equal(policy_text_read(view_str("[]"), &back), FG_EFORMAT);
	assert_int_equal(policy_text_read(view_str(""), &back), FG_EFORMAT);
	free(bytes);
	config_free(c);
	free((void *)(uintptr_t)text.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_kept_is_read_as_it_was),
		cmocka_unit_test(nothing_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
