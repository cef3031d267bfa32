/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/policy_text.h"
#include "policy/supplier.h"
#include "unit/policy/sample.h"

static struct config_problems problems;
#define RULES \
	SAMPLE_MAIN \
	"rules = ( { name = \"big\"; size_at_least = 5000; outcome = \"deny\"; },\n" \
	"{ name = \"late\"; outcome = \"hold\"; quorum = 3; cool_down = \"2d\"; freeze_until = \"2027-01-16T00:00:00Z\"; },\n" \
	"{ name = \"others\"; suppliers = [ \"acme\" ]; countries = [ \"FR\" ]; outcome = \"deny\"; } );\n" \
	"quorum_raise = { targeted = 4; };\n" \
	"security_updates = ( { profile = \"acme-rtr\"; version = \"1.2\"; reason = \"CVE\"; } );\n"

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
	assert_int_equal(sample_parse(RULES, SAMPLE_PROFILE, &c, &problems), 0);
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

#define WINDOWS \
	"windows = ( { name = \"day\"; days = [ \"mon\", \"tue\" ]; from = \"08:00\"; to = \"18:00\"; },\n" \
	"{ name = \"night\"; zone = \"CET-1CEST,M3.5.0,M10.5.0/3\"; days = [ \"sun\" ]; from = \"22:00\"; to = \"04:00\"; " \
	"groups = [ \"lab\" ]; } );\n"
#define BLACKOUTS "blackouts = ( { name = \"feast\"; first = \"2026-12-24\"; last = \"2026-12-26\"; } );\n"
#define PLANS \
	"rollout_plans = ( { name = \"slow\"; per_day = 50; rings = (\n" \
	"{ name = \"lab\"; groups = [ \"lab\" ]; soak = \"1d\"; reports = 1; success = 990; failed = 10; silent = 20; },\n" \
	"{ name = \"all\"; human = true; soak = \"2d\"; reports = 5; success = 980; failed = 10; silent = 20; } ); } );\n"
#define LIST_OF(name, more) "list = { name = \"" name "\"; source = \"us\"; date = \"2026-01-31\"; " more " };\n"

/* All there can be, or no more than one kind of it. */
static struct config *
full(const char *main_text, const char *profile, bool lists)
{
	char *text = sample_profile_with("maintenance", profile);
	const struct config_file f[] = { { "fotagate.conf", view_str(main_text) },
		{ "profiles.d/a.conf", view_str(text) },
		{ "lists.d/a.conf", view_str(LIST_OF("named", "entities = ( { legal_entity = \"acme*\"; country = \"DE\"; } );")) },
		{ "lists.d/b.conf", view_str(LIST_OF("other", "complete = true; entities = ( { legal_entity = \"Other\"; } );")) },
		{ "lists.d/c.conf", view_str(LIST_OF("some", "entities = ( );")) } };
	const struct config_file sorted[] = { f[0], f[2], f[3], f[4], f[1] };
	struct config *c = NULL;
	if (config_parse(lists ? sorted : f, lists ? 5 : 2, &c, &problems))
		fail_msg("%s:%u: %s", problems.at[0].file, problems.at[0].line, problems.at[0].text);
	free(text);
	return c;
}

/* Each kind of what a profile may name, alone: none is passed over, and all is as it was. */
static void
what_a_profile_names_is_read_too(void **state)
{
	static const struct {
		const char *main_text, *profile;
		unsigned windows, blackouts, plans, lists;
	} rows[] = {
		{ SAMPLE_MAIN WINDOWS, "maintenance = [ \"night\", \"day\" ];", 2, 0, 0, 0 },
		{ SAMPLE_MAIN BLACKOUTS, "blackouts = [ \"feast\" ];", 0, 1, 0, 0 },
		{ SAMPLE_MAIN PLANS, "rollout = \"slow\";", 0, 0, 1, 0 },
		{ SAMPLE_MAIN, "review_days = 9;", 0, 0, 0, 3 },
		{ SAMPLE_MAIN WINDOWS BLACKOUTS PLANS,
		    "maintenance = [ \"day\" ]; blackouts = [ \"feast\" ]; rollout = \"slow\";", 1, 1, 1, 3 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config *back = NULL, *c = full(rows[i].main_text, rows[i].profile, rows[i].lists > 0);
		struct view text = made(c);
		if (policy_text_read(text, &back))
			fail_msg("%s: %.*s", rows[i].profile, (int)text.n, (const char *)text.p);
		assert_int_equal(back->profiles[0].windows.n, rows[i].windows);
		assert_int_equal(back->profiles[0].windows.blackouts_n, rows[i].blackouts);
		assert_int_equal(back->rollout_plans_n, rows[i].plans);
		assert_int_equal(back->lists_n, rows[i].lists);
		config_free(back);
		config_free(c);
		free((void *)(uintptr_t)text.p);
	}
}

static void
what_it_names_means_what_it_meant(void **state)
{
	struct supplier_words then, now;
	struct config *back = NULL, *c = full(SAMPLE_MAIN WINDOWS BLACKOUTS PLANS,
	    "maintenance = [ \"night\", \"day\" ]; blackouts = [ \"feast\" ]; rollout = \"slow\";", true);
	struct view text = made(c);
	(void)state;
	assert_int_equal(policy_text_read(text, &back), 0);
	const struct window_list *l = &back->profiles[0].windows;
	assert_string_equal(l->window[0]->name, "night");
	assert_string_equal(l->window[1]->name, "day");
	for (int64_t t = zone_day(2026, 12, 20) * ZONE_DAY; t < zone_day(2027, 1, 4) * ZONE_DAY; t += 1800)
		assert_int_equal(window_open(l, view_str("lab"), t), window_open(&c->profiles[0].windows, view_str("lab"), t));
	assert_int_equal(back->rollout_plans[0].per_day, 50);
	assert_int_equal(back->rollout_plans[0].rings[0].success, 990);
	supplier_words(c, &c->suppliers[0], 0, &then);
	supplier_words(back, &back->suppliers[0], 0, &now);
	assert_int_equal(now.n, then.n);
	for (unsigned i = 0; i < now.n; i++)
		assert_string_equal(now.word[i], then.word[i]);
	assert_string_equal(now.word[2], "listed:named");
	assert_string_equal(now.word[3], "unlisted:other");
	assert_string_equal(now.word[4], "unknown:some");
	assert_int_equal(back->lists[0].dated, c->lists[0].dated);
	config_free(back);
	config_free(c);
	free((void *)(uintptr_t)text.p);
}

/* The text with one place of it changed. */
static int
read_changed(struct view text, const char *from, const char *to)
{
	struct config *back = NULL;
	struct writer w;
	const uint8_t *at = memmem(text.p, text.n, from, strlen(from));
	assert_non_null(at);
	writer_init(&w, POLICY_TEXT_MAX);
	writer_bytes(&w, view_of(text.p, (size_t)(at - text.p)));
	writer_text(&w, to);
	writer_bytes(&w, view_of(at + strlen(from), text.n - (size_t)(at - text.p) - strlen(from)));
	assert_int_equal(writer_err(&w), 0);
	int err = policy_text_read(writer_view(&w), &back);
	writer_free(&w);
	config_free(back);
	return err;
}

/* Every member that is renamed, and a value of another type: no policy. */
static void
nothing_is_passed_over(void **state)
{
	/* One place each: of every part of a policy one. */
	static const char *const broken[][2] = {
		{ "\"quorum\":2", "\"quorum\":\"2\"" }, { "\"quorum\":3", "\"quorum\":true" },
		{ "\"version\":\"1.2\"", "\"version\":12" }, { "\"targeted\":4", "\"targeted\":[4]" },
		{ "\"country\":\"DE\"", "\"country\":null" }, { "\"per_day\":50", "\"per_day\":\"50\"" },
		{ "\"human\":true", "\"human\":0" }, { "\"rings\":[{", "\"rings\":[[],{" },
		{ "\"from\":\"22:00\"", "\"from\":2200" }, { "\"from\":\"22:00\"", "\"from\":\"25:00\"" },
		{ "\"first\":\"2026-12-24\"", "\"first\":\"2026-12-32\"" },
		{ "\"first\":\"2026-12-24\"", "\"first\":\"2026-12-27\"" },
		{ "\"says\":\"listed\"", "\"says\":\"perhaps\"" }, { "\"says\":\"unlisted\"", "\"says\":false" },
		{ "\"date\":\"2026-01-31\"", "\"date\":20260131" }, { "\"windows\":[{", "\"windows\":[null,{" },
	};
	struct config *back = NULL, *c = full(RULES WINDOWS BLACKOUTS PLANS,
	    "maintenance = [ \"night\" ]; blackouts = [ \"feast\" ]; rollout = \"slow\";", true);
	unsigned renamed = 0, accepted = 0;
	(void)state;
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
		assert_true(err == 0 || err == FG_EFORMAT);
		renamed++;
		accepted += !err;
		config_free(back);
	}
	/* Names of captures are the operator's: another is another policy. Nothing else may be called otherwise. */
	assert_true(renamed > 150);
	assert_int_equal(accepted, c->profiles[0].captures_n);
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		if (read_changed(text, broken[i][0], broken[i][1]) != FG_EFORMAT)
			fail_msg("%s is taken for %s", broken[i][1], broken[i][0]);
	assert_int_equal(read_changed(text, "\"quorum\":2", "\"quorum\":4"), 0);
	assert_int_equal(read_changed(text, "\"from\":\"22:00\"", "\"from\":\"23:00\""), 0);
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
		cmocka_unit_test(what_a_profile_names_is_read_too),
		cmocka_unit_test(what_it_names_means_what_it_meant),
		cmocka_unit_test(nothing_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
