/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/rules_check.h"
#include "unit/policy/sample.h"

#define NOW INT64_C(1800000000)
#define MANUAL_MAX (256u << 10)

static struct config_problems problems;

static int
parse(const char *rules, struct config **ret)
{
	char *text = calloc(1, sizeof SAMPLE_MAIN + strlen(rules) + 32);
	assert_non_null(text);
	sprintf(text, "%srules = (\n%s\n);\n", SAMPLE_MAIN, rules);
	int err = sample_parse(text, SAMPLE_PROFILE, ret, &problems);
	free(text);
	return err;
}

/* Line of the n-th rule, when each has one. */
static unsigned
line_of_rule(unsigned n)
{
	unsigned line = 2 + n;
	for (const char *p = SAMPLE_MAIN; *p != '\0'; p++)
		line += *p == '\n';
	return line;
}

static void
accepted(const char *rules)
{
	struct config *c = NULL;
	if (parse(rules, &c))
		fail_msg("%s\nis refused: %s", rules, problems.at[0].text);
	config_free(c);
}

static void
refused(const char *rules, unsigned rule, const char *part)
{
	struct config *c = NULL;
	if (parse(rules, &c) != FG_EFORMAT)
		fail_msg("%s\nis not refused", rules);
	assert_true(sample_says(&problems, "fotagate.conf", line_of_rule(rule), part));
}

static void
each_rule_by_itself(void **state)
{
	(void)state;
	refused("{ name = \"a\"; outcome = \"release\"; time_lock = \"1d\"; }", 0, "nobody signs at that moment");
	/* Worse facts must not be what lets it through, nor what takes a hold out of its way. */
	refused("{ name = \"a\"; severity_at_least = \"notice\"; outcome = \"release\"; }", 0, "permits more than");
	refused("{ name = \"a\"; severity_at_most = \"notice\"; outcome = \"hold\"; },\n{ name = \"b\"; outcome = \"release\"; }", 0,
	    "then permits more");
	refused("{ name = \"a\"; outcome = \"deny\"; quorum = 2; }", 0, "denies, and says how many");
	refused("{ name = \"a\"; outcome = \"deny\"; freeze_until = \"2027-01-01T00:00:00Z\"; }", 0, "denies, and says");
	refused("{ name = \"a\"; outcome = \"hold\"; cool_down = \"1d\"; security_cool_down = \"2d\"; }", 0, "longer than cool_down");
	refused("{ name = \"a\"; outcome = \"hold\"; security_cool_down = \"2d\"; }", 0, "longer than cool_down");
	refused("{ name = \"a\"; outcome = \"hold\"; freeze_until = \"tomorrow\"; }", 0, "write a time in UTC");
	refused("{ name = \"a\"; outcome = \"hold\"; },\n{ name = \"a\"; outcome = \"hold\"; }", 1, "has the name of rules[0]");
	refused("{ name = \"a\"; suppliers = [ \"acmee\" ]; outcome = \"deny\"; }", 0, "is no supplier");
	refused("{ name = \"a\"; profiles = [ \"acme\" ]; outcome = \"deny\"; }", 0, "is no profile");
	refused("{ name = \"a\"; formats = [ \"elff\" ]; outcome = \"deny\"; }", 0, "is no format");
	refused("{ name = \"a\"; findings = [ \"SIG-WEAKER\" ]; outcome = \"deny\"; }", 0, "is no finding");
	refused("{ name = \"a\"; findings_absent = [ \"NO-*\" ]; outcome = \"hold\"; }", 0, "is no finding");
	refused("{ name = \"a\"; findings = [ \"SIG*WEAK\" ]; outcome = \"deny\"; }", 0, "write the id of a finding");
	refused("{ name = \"a\"; products = [ \"E*C\" ]; outcome = \"deny\"; }", 0, "at the end only");
	refused("{ name = \"a\"; severity_at_least = \"bad\"; outcome = \"deny\"; }", 0, "write one of block, warning");
	refused("{ name = \"a\"; unsigned_at_most = 1001; outcome = \"hold\"; }", 0, "0 to 1000");
	refused("{ name = \"a\"; }", 0, "outcome is missing");
	accepted("{ name = \"a\"; outcome = \"deny\"; }");
}

#define NO "{ name = \"no\"; findings = [ \"CHG-EXEC\" ]; outcome = \"deny\"; }"
#define THREE "{ name = \"three\"; severity_at_least = \"warning\"; outcome = \"hold\"; quorum = 3; }"
#define ONE "{ name = \"one\"; signature_at_worst = \"verified\"; outcome = \"hold\"; quorum = 1; }"

static void
the_stricter_stands_first(void **state)
{
	(void)state;
	accepted(NO ",\n" THREE ",\n" ONE);
	accepted(ONE ",\n" THREE); /* one that is good stays so, whatever is asked of the others behind it */
	refused(THREE ",\n" NO, 0, "permits more than the later rule no");
	refused("{ name = \"lax\"; size_at_least = 9; outcome = \"hold\"; quorum = 1; }", 0, "permits more than what no rule matches");
	refused("{ name = \"strict\"; age_at_least = \"1d\"; outcome = \"deny\"; }", 0, "what no rule matches then permits more");
	refused("{ name = \"good\"; severity_at_most = \"info\"; outcome = \"hold\"; quorum = 2; },\n"
		"{ name = \"all\"; outcome = \"hold\"; quorum = 1; }", 0, "the later rule all then permits more");
	/* Both kinds in one rule: it may only say what all behind it say. */
	accepted("{ name = \"both\"; severity_at_least = \"info\"; signature_at_worst = \"verified\"; outcome = \"hold\"; }");
	refused("{ name = \"both\"; severity_at_least = \"info\"; signature_at_worst = \"verified\"; outcome = \"hold\"; quorum = 3; }",
	    0, "then permits more");
}

static void
times_count_like_persons(void **state)
{
	(void)state;
	refused("{ name = \"a\"; size_at_least = 9; outcome = \"hold\"; },\n"
		"{ name = \"b\"; outcome = \"hold\"; cool_down = \"1d\"; }", 0, "permits more than the later rule b");
	refused("{ name = \"a\"; size_at_least = 9; outcome = \"hold\"; cool_down = \"2d\"; security_cool_down = \"1h\"; },\n"
		"{ name = \"b\"; outcome = \"hold\"; cool_down = \"1d\"; }", 0, "permits more than the later rule b");
	refused("{ name = \"a\"; size_at_least = 9; outcome = \"hold\"; quorum = 4; },\n"
		"{ name = \"b\"; outcome = \"hold\"; time_lock = \"1d\"; }", 0, "permits more than the later rule b");
	refused("{ name = \"a\"; size_at_least = 9; outcome = \"hold\"; quorum = 4; },\n"
		"{ name = \"b\"; outcome = \"hold\"; freeze_until = \"2027-01-01T00:00:00Z\"; }", 0, "permits more than the later rule b");
	accepted("{ name = \"a\"; size_at_least = 9; outcome = \"hold\"; quorum = 2; cool_down = \"2d\"; security_cool_down = \"1d\"; "
		 "time_lock = \"1d\"; },\n"
		 "{ name = \"b\"; outcome = \"hold\"; cool_down = \"1d\"; }");
}

static void
rules_that_never_meet_may_stand_as_they_like(void **state)
{
	(void)state;
	accepted("{ name = \"a\"; products = [ \"EC20\" ]; size_at_least = 9; outcome = \"hold\"; quorum = 3; },\n"
		 "{ name = \"b\"; products = [ \"EC21*\", \"EG\" ]; outcome = \"deny\"; }");
	refused("{ name = \"a\"; products = [ \"EC21E\" ]; size_at_least = 9; outcome = \"hold\"; quorum = 3; },\n"
		"{ name = \"b\"; products = [ \"EC21*\", \"EG\" ]; outcome = \"deny\"; }", 0, "the later rule b");
	refused("{ name = \"a\"; products = [ \"EC*\" ]; size_at_least = 9; outcome = \"hold\"; quorum = 3; },\n"
		"{ name = \"b\"; products = [ \"EC21*\", \"EG\" ]; outcome = \"deny\"; }", 0, "the later rule b");
	accepted("{ name = \"a\"; formats = [ \"elf\" ]; size_at_least = 9; outcome = \"hold\"; quorum = 3; },\n"
		 "{ name = \"b\"; formats = [ \"tar\" ]; outcome = \"deny\"; }");
	accepted("{ name = \"a\"; size_at_least = 9; outcome = \"hold\"; quorum = 3; },\n"
		 "{ name = \"b\"; countries = [ \"FR\" ]; outcome = \"deny\"; }"); /* no supplier is from there */
}

/* Canaries have a quorum of their own, which a rule takes the place of as well. */
static void
every_profile_and_kind_of_scope_counts(void **state)
{
	struct config *c = NULL;
	char *profile = sample_profile_with("canary_quorum", "canary_quorum = 1;");
	(void)state;
	assert_int_equal(sample_parse(SAMPLE_MAIN "rules = ( { name = \"a\"; signature_at_worst = \"verified\"; outcome = \"hold\"; "
						  "quorum = 2; } );\n", profile, &c, &problems), FG_EFORMAT);
	assert_true(sample_says(&problems, "fotagate.conf", 0, "then permits more"));
	free(profile);
	accepted("{ name = \"a\"; signature_at_worst = \"verified\"; outcome = \"hold\"; quorum = 2; }");
}

/* The example of the manual does what the manual says. */
static void
the_example_of_the_manual(void **state)
{
	const char *src = getenv("FG_SRC");
	char path[1024];
	(void)state;
	if (!src)
		skip();
	snprintf(path, sizeof path, "%s/gateway/man/fotagate.conf.5", src);
	FILE *f = fopen(path, "rb");
	char *page = calloc(1, MANUAL_MAX), *text = calloc(1, MANUAL_MAX);
	assert_non_null(f);
	assert_non_null(page);
	assert_non_null(text);
	assert_true(fread(page, 1, MANUAL_MAX - 1, f) > 0);
	fclose(f);
	char *from = strstr(page, "\nrules = (\n"), *to = from ? strstr(from, "\n.Ed") : NULL;
	if (!to)
		fail_msg("the manual has no example of rules");
	else
		*to = '\0';
	snprintf(text, MANUAL_MAX, "%s%s\n", SAMPLE_MAIN, from);
	struct config *c = NULL;
	int err = sample_parse(text, SAMPLE_PROFILE, &c, &problems);
	if (err)
		fail_msg("%s", problems.at[0].text);
	assert_int_equal(c->rules_n, 5);
	config_free(c);
	free(text);
	free(page);
}

/* ---- worse facts never permit more ---- */

static uint64_t seed;

static unsigned
dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static const char *const groups[] = { "lab", "field", "rest" };
static const char *const said[] = { "covered-list", "own" };
static const enum finding_id finds[] = { FINDING_CHG_EXEC, FINDING_CHG_ONE_WAY_DOOR, FINDING_CONT_NEW_SIGNER };

static void
add_condition(struct rule *r)
{
	switch (dice(25)) {
	case 0: snprintf(r->findings[r->findings_n++], sizeof r->findings[0], "%s", finding_get(finds[dice(3)])->id); break;
	case 1: snprintf(r->findings_absent[r->findings_absent_n++], sizeof r->findings[0], "%s", finding_get(finds[dice(3)])->id); break;
	case 2: snprintf(r->words[r->words_n++], sizeof r->words[0], "%s", said[dice(2)]); break;
	case 3: snprintf(r->groups[r->groups_n++], sizeof r->groups[0], "%s", groups[dice(3)]); break;
	case 4: snprintf(r->groups_only[r->groups_only_n++], sizeof r->groups[0], "%s", groups[dice(3)]); break;
	case 5: r->severity_at_least = dice(5); break;
	case 6: r->severity_at_most = dice(5); break;
	case 7: r->signature_at_best = dice(9); break;
	case 8: r->signature_at_worst = dice(9); break;
	case 9: r->signer_at_best = dice(6); break;
	case 10: r->signer_at_worst = dice(6); break;
	case 11: r->direction_at_best = dice(4); break;
	case 12: r->direction_at_worst = dice(4); break;
	case 13: r->delta_at_best = dice(4); break;
	case 14: r->delta_at_worst = dice(4); break;
	case 15: r->unsigned_at_least = dice(1001); break;
	case 16: r->unsigned_at_most = dice(1001); break;
	case 17: r->unexplained_at_least = dice(1001); break;
	case 18: r->unreviewable_at_most = dice(1001); break;
	case 19: r->size_at_least = dice(1000); break;
	case 20: r->age_below = dice(1000); break;
	case 21: r->age_at_least = dice(1000); break;
	case 22: r->vendor_age_at_least = dice(1000); break;
	case 23: r->security = dice(3); break;
	case 24: r->attested_at_least = dice(4); break;
	}
}

static void
random_rule(struct rule *r, unsigned i)
{
	*r = (struct rule){ .severity_at_least = RULES_NO_FINDING, .signature_at_best = SIG_VERIFIED,
		.signer_at_best = RULES_SIGNER_KEPT, .direction_at_best = RULES_UP, .delta_at_best = RULES_DELTA_NONE,
		.unsigned_at_most = RULES_ALL, .unexplained_at_most = RULES_ALL, .unreviewable_at_most = RULES_ALL,
		.outcome = dice(4) ? dice(4) ? RULES_HOLD : RULES_RELEASE : RULES_DENY };
	snprintf(r->name, sizeof r->name, "r%u", i);
	if (dice(4) == 0)
		snprintf(r->products[r->products_n++], sizeof r->products[0], dice(2) ? "EC21*" : "EC20");
	for (unsigned n = dice(3); n > 0; n--)
		add_condition(r);
	if (r->outcome == RULES_DENY)
		return;
	r->quorum = dice(5);
	if (dice(4) == 0)
		r->cool_down = 100 + dice(1000);
	if (r->cool_down && dice(2))
		r->security_cool_down = 1 + dice(100);
	if (dice(6) == 0)
		r->time_lock = dice(1000);
	if (dice(8) == 0)
		r->frozen = NOW + dice(2000);
}

struct world { /* facts, and what they point to */
	struct rules_facts f;
	const char *group[3], *word[2];
};

static void
random_world(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->f = (struct rules_facts){ .supplier = "acme", .profile = "acme-rtr", .product = dice(2) ? "EC21E" : "EC20",
		.country = "DE", .format = "elf", .complete = dice(8) != 0, .worst = dice(5), .signature = dice(9),
		.signer = dice(6), .direction = dice(4), .delta = dice(4), .covered = dice(1001), .explained = dice(1001),
		.attested = dice(4), .reviewable = dice(1001), .size = dice(1000), .first_seen = NOW - dice(1200), .vendor_date = NOW - dice(1200),
		.security = dice(2) ? "CVE" : NULL, .reach = dice(3) };
	for (unsigned i = 0; i < 3; i++) {
		w->f.finding[finds[i]] = dice(3) == 0;
		if (dice(2))
			w->group[w->f.group_n++] = groups[i];
	}
	if (w->f.group_n == 0 && w->f.reach == RULES_REACH_NAMED)
		w->f.reach = RULES_REACH_NOBODY;
	for (unsigned i = 0; i < 2; i++)
		if (dice(3) == 0)
			w->word[w->f.word_n++] = said[i];
}

static void
point(struct world *w)
{
	w->f.group = w->group;
	w->f.word = w->word;
}

static unsigned
less(unsigned v)
{
	return v ? dice(v) : 0;
}

/* One thing becomes worse, or stays. */
static void
worsen(struct world *w)
{
	struct rules_facts *f = &w->f;
	switch (dice(16)) {
	case 0: f->complete = false; break;
	case 1: f->finding[finds[dice(3)]] = true; break;
	case 2: f->worst = less(f->worst); break;
	case 3: f->signature = less(f->signature); break;
	case 4: f->signer = less(f->signer); break;
	case 5: f->direction = less(f->direction); break;
	case 6: f->delta = less(f->delta); break;
	case 7: f->covered = less(f->covered); break;
	case 8: f->explained = less(f->explained); break;
	case 9: f->reviewable = less(f->reviewable); break;
	case 10: f->size += dice(1000); break;
	case 11: f->first_seen = f->first_seen && dice(4) ? f->first_seen + dice(1000) : 0; break; /* 0 is the worst */
	case 12: f->vendor_date = f->vendor_date && dice(4) ? f->vendor_date + dice(1000) : 0; break;
	case 13: f->security = NULL; break;
	case 15: f->attested = less(f->attested); break;
	case 14:
		if (f->reach == RULES_REACH_NAMED && f->group_n < 3)
			w->group[f->group_n++] = groups[dice(3)];
		else if (f->reach == RULES_REACH_NOBODY) {
			f->reach = RULES_REACH_NAMED;
			f->group_n = 1;
			w->group[0] = groups[dice(3)];
		} else
			f->reach = RULES_REACH_ALL;
		if (f->word_n < 2)
			w->word[f->word_n++] = said[dice(2)];
		break;
	}
}

static bool
permits_more(const struct rules_result *a, const struct rules_result *b, const struct profile *p)
{
	if (a->outcome == RULES_DENY)
		return false;
	if (b->outcome == RULES_DENY)
		return true;
	return rules_quorum(a, SCOPE_PRODUCTION, p, 1) < rules_quorum(b, SCOPE_PRODUCTION, p, 1) || a->earliest < b->earliest ||
	    a->time_lock < b->time_lock;
}

static void
worse_facts_never_permit_more(void **state)
{
	struct config *c = NULL;
	unsigned sound = 0, unsound = 0, caught = 0;
	(void)state;
	assert_int_equal(sample_parse(SAMPLE_MAIN, SAMPLE_PROFILE, &c, &problems), 0);
	struct rules_result *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct world *w = calloc(2, sizeof *w);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(w);
	for (unsigned lists = 0; lists < 20000; lists++) {
		seed = lists;
		c->rules_n = 1 + dice(5);
		for (unsigned i = 0; i < c->rules_n; i++)
			random_rule(&c->rules[i], i);
		memset(&problems, 0, sizeof problems);
		rules_check_order(c, "fotagate.conf", &problems);
		bool good = problems.n == 0, more = false;
		if (!good && ++unsound > 2000)
			continue;
		sound += good;
		for (unsigned i = 0; i < 60 && !more; i++) {
			random_world(&w[0]);
			w[1] = w[0];
			for (unsigned n = 1 + dice(3); n > 0; n--)
				worsen(&w[1]);
			point(&w[0]);
			point(&w[1]);
			rules_decide(c->rules, c->rules_n, &c->raise, &w[0].f, NOW, a);
			rules_decide(c->rules, c->rules_n, &c->raise, &w[1].f, NOW, b);
			more = permits_more(b, a, &c->profiles[0]);
		}
		if (good && more)
			fail_msg("list %u: worse facts permit more (%s, then %s)", lists, rules_decider(a), rules_decider(b));
		caught += more;
	}
	/* Such lists exist, of both kinds, and the check is no idle one. */
	assert_true(sound > 2000);
	assert_true(caught > 200);
	free(w);
	free(b);
	free(a);
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_by_itself),
		cmocka_unit_test(the_stricter_stands_first),
		cmocka_unit_test(times_count_like_persons),
		cmocka_unit_test(rules_that_never_meet_may_stand_as_they_like),
		cmocka_unit_test(every_profile_and_kind_of_scope_counts),
		cmocka_unit_test(the_example_of_the_manual),
		cmocka_unit_test(worse_facts_never_permit_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
