/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "policy/scope.h"

#define FROM 1000
#define UNTIL 2000

static struct profile *p; /* made for each test */
static struct view from[2], groups[2];

static int
setup(void **state)
{
	(void)state;
	p = calloc(1, sizeof *p);
	if (!p)
		return -1;
	strcpy(p->default_group, "field");
	p->version_order = VERSION_ORDER_DOTTED;
	p->quorum = 2;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(p);
	return 0;
}

static struct scope_release
release(const char *from1, const char *group1)
{
	from[0] = view_str(from1);
	groups[0] = view_str(group1);
	return (struct scope_release){ .valid = true, .product = view_str("rtr9"), .target_version = view_str("1.2.0"),
		.from = from, .from_n = 1, .groups = groups, .groups_n = 1, .not_before = FROM, .not_after = UNTIL,
		.share = ROLLOUT_PLACES, .known_by = SCOPE_WHENEVER, .as_of = SCOPE_WHENEVER };
}

static struct scope_module
module(const char *version)
{
	return (struct scope_module){ .identified = true, .listed = true, .product = view_str("rtr9"),
		.current_version = view_str(version) };
}

static enum scope_answer
ask(const char *from1, const char *version)
{
	struct scope_release r = release(from1, "field");
	struct scope_module m = module(version);
	return scope_offer(&r, &m, p, FROM, FROM);
}

static void
zero_holds(void **state)
{
	struct scope_release r = { .valid = false };
	struct scope_module m = { .identified = false };
	(void)state;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_NO_RELEASE);
	r.valid = true;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_UNIDENTIFIED);
	m.identified = true;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_UNLISTED);
	m.listed = true;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_PRODUCT);
	m.product = r.product = view_str("x");
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_GROUP); /* a release for no group */
	groups[0] = view_str("field");
	r.groups = groups;
	r.groups_n = 1;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_GROUP); /* and for a group as it never was */
	r.as_of = SCOPE_WHENEVER;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_LATE); /* and for no time */
	r.not_after = 1;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_FROM_VERSION); /* and from no version */
	from[0] = m.current_version = view_str("1.1");
	r.target_version = view_str("1.2");
	r.from = from;
	r.from_n = 1;
	assert_int_equal(scope_offer(&r, &m, p, 0, 0), SCOPE_HOLD_RING); /* and in no ring */
	assert_string_equal(scope_answer_name(SCOPE_HOLD), "undecided");
}

static void
versions_decide(void **state)
{
	(void)state;
	assert_int_equal(ask("*", "1.1.9"), SCOPE_OFFER);
	assert_int_equal(ask("*", "1.2.0"), SCOPE_HOLD_SAME_VERSION);
	assert_int_equal(ask("*", "1.10.0"), SCOPE_HOLD_NEWER_VERSION);
	assert_int_equal(ask("1.1.9", "1.1.9"), SCOPE_OFFER);
	assert_int_equal(ask("1.1.9", "1.1.8"), SCOPE_HOLD_FROM_VERSION);
	assert_int_equal(ask("1.2.0", "1.2.0"), SCOPE_HOLD_SAME_VERSION);
	/* Signed for exactly this step, though nobody can order the two. */
	assert_int_equal(ask("A08M2G", "A08M2G"), SCOPE_OFFER);
	assert_int_equal(ask("*", "A08M2G"), SCOPE_HOLD_UNKNOWN_VERSION);
	assert_int_equal(ask("*", ""), SCOPE_HOLD_UNKNOWN_VERSION);
	assert_int_equal(ask("1.1.9", ""), SCOPE_HOLD_UNKNOWN_VERSION);
	/* A module that says "*" is not every module. */
	assert_int_equal(ask("1.1.9", "*"), SCOPE_HOLD_UNKNOWN_VERSION);
	assert_int_equal(ask("*", "*"), SCOPE_HOLD_UNKNOWN_VERSION);
	p->unknown_version = PROFILE_OFFER;
	assert_int_equal(ask("*", ""), SCOPE_OFFER);
	assert_int_equal(ask("*", "A08M2G"), SCOPE_OFFER);
	/* A delta still goes to no module that might have another version. */
	assert_int_equal(ask("1.1.9", ""), SCOPE_HOLD_UNKNOWN_VERSION);
	assert_int_equal(ask("*", "1.2.0"), SCOPE_HOLD_SAME_VERSION);
	p->version_order = VERSION_ORDER_EXACT;
	p->unknown_version = PROFILE_HOLD;
	assert_int_equal(ask("*", "1.1.9"), SCOPE_HOLD_UNKNOWN_VERSION);
	assert_int_equal(ask("1.1.9", "1.1.9"), SCOPE_OFFER);
}

static void
everything_else_decides(void **state)
{
	struct scope_release r = release("*", "field");
	struct scope_module m = module("1.0");
	(void)state;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	assert_int_equal(scope_offer(&r, &m, p, FROM - 1, FROM - 1), SCOPE_HOLD_EARLY);
	assert_int_equal(scope_offer(&r, &m, p, UNTIL - 1, UNTIL - 1), SCOPE_OFFER);
	assert_int_equal(scope_offer(&r, &m, p, UNTIL, UNTIL), SCOPE_HOLD_LATE);
	/* In doubt: not yet by the earlier end, no more by the later. */
	assert_int_equal(scope_offer(&r, &m, p, FROM, UNTIL - 1), SCOPE_OFFER);
	assert_int_equal(scope_offer(&r, &m, p, FROM - 1, UNTIL - 1), SCOPE_HOLD_EARLY);
	assert_int_equal(scope_offer(&r, &m, p, FROM, UNTIL), SCOPE_HOLD_LATE);
	m.group = view_str("canary");
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_GROUP);
	groups[1] = view_str("canary");
	r.groups_n = 2;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	r = release("*", SCOPE_ANY);
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	m.held = true;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_MODULE);
	m.held = false;
	m.listed = false;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_UNLISTED);
	p->unlisted = PROFILE_OFFER;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	m.identified = false;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_UNIDENTIFIED);
	m.identified = true;
	m.product = view_str("rtr8");
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_PRODUCT);
	m.product = r.product;
	r.halted = true;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_HALTED);
	r.valid = false;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_NO_RELEASE);
}

static void
steps_are_the_only_ones(void **state)
{
	(void)state;
	/* Others' steps are none of this product's. */
	p->steps[p->steps_n++] = (struct profile_step){ "rtr8", "1.0", "9.0" };
	assert_int_equal(ask("*", "1.1.9"), SCOPE_OFFER);
	p->steps[p->steps_n++] = (struct profile_step){ "rtr9", "1.1.9", "1.2.0" };
	assert_int_equal(ask("*", "1.1.9"), SCOPE_OFFER);
	assert_int_equal(ask("*", "1.1.8"), SCOPE_HOLD_STEP);
	/* Not even where people signed for it. */
	assert_int_equal(ask("1.1.8", "1.1.8"), SCOPE_HOLD_STEP);
	p->steps[p->steps_n++] = (struct profile_step){ "", "1.1.8", "1.1.9" }; /* must pass through that */
	assert_int_equal(ask("*", "1.1.8"), SCOPE_HOLD_STEP);
	p->unknown_version = PROFILE_OFFER;
	assert_int_equal(ask("*", ""), SCOPE_HOLD_STEP);
	assert_int_equal(ask("*", "*"), SCOPE_HOLD_STEP);
	p->steps[p->steps_n++] = (struct profile_step){ "rtr9", "*", "1.2.0" };
	assert_int_equal(ask("*", ""), SCOPE_OFFER);
	assert_int_equal(ask("*", "1.1.8"), SCOPE_OFFER);
	assert_int_equal(ask("*", "1.2.0"), SCOPE_HOLD_SAME_VERSION);
}

/* The window has to be open at every instant that it may be. */
static void
windows_hold_last(void **state)
{
	struct scope_release r = release("*", "field");
	struct scope_module m = module("1.0");
	struct window w = { .zone_text = "UTC0", .day = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" }, .day_n = 7,
		.from_text = "01:00", .to_text = "02:00" };
	int64_t t = 10 * ZONE_DAY + 3600;
	(void)state;
	assert_true(window_resolve(&w));
	p->windows = (struct window_list){ .window = { &w }, .n = 1 };
	r.not_before = 0;
	r.not_after = 100 * ZONE_DAY;
	assert_int_equal(scope_offer(&r, &m, p, t, t), SCOPE_OFFER);
	assert_int_equal(scope_offer(&r, &m, p, t, t + 3599), SCOPE_OFFER);
	assert_int_equal(scope_offer(&r, &m, p, t - 1, t), SCOPE_HOLD_WINDOW);
	assert_int_equal(scope_offer(&r, &m, p, t, t + 3600), SCOPE_HOLD_WINDOW);
	assert_int_equal(scope_offer(&r, &m, p, t, t + ZONE_DAY), SCOPE_HOLD_WINDOW); /* open at both ends only */
	assert_int_equal(scope_offer(&r, &m, p, t + 1, t), SCOPE_HOLD_WINDOW);
	assert_false(scope_in_window(p, view_str(""), INT64_MIN, INT64_MAX));
	assert_false(scope_in_window(p, view_str(""), t, INT64_MAX));
	m.current_version = view_str("1.2.0");
	assert_int_equal(scope_offer(&r, &m, p, t - 1, t), SCOPE_HOLD_SAME_VERSION);
	m.current_version = view_str("1.0");
	/* A module in no group is in the profile's. */
	strcpy(w.groups[w.groups_n++], "field");
	assert_int_equal(scope_offer(&r, &m, p, t, t), SCOPE_OFFER);
	strcpy(w.groups[0], "lab");
	assert_int_equal(scope_offer(&r, &m, p, t, t), SCOPE_HOLD_WINDOW);
}

static void
rings_come_last(void **state)
{
	struct scope_release r = release("*", "field");
	struct scope_module m = module("1.0.0");
	(void)state;
	m.place = ROLLOUT_PLACES / 2;
	r.share = m.place;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_RING);
	r.share = m.place + 1;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	m.place = UINT64_MAX; /* none could be made: everybody is everybody all the same */
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_RING);
	r.share = ROLLOUT_PLACES;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	/* Whoever was not known when it began waits for the last ring; known in that very second is known. */
	r.known_by = FROM;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_RING);
	m.first_seen = FROM + 1;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_RING);
	m.first_seen = FROM;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	/* Another reason is told before this one: it would hold when the ring opens, too. */
	r.share = 0;
	m.current_version = view_str("1.2.0");
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_SAME_VERSION);
}

/* A standing statement is about the groups as they were when it was written: whoever came into one later is in none of them. */
static void
groups_are_those_of_then(void **state)
{
	struct scope_release r = release("*", "field"), all = release("*", "*");
	struct scope_module m = module("1.0");
	(void)state;
	r.as_of = all.as_of = FROM;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_GROUP); /* since nobody knows when */
	m.placed = FROM + 1;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_GROUP);
	assert_int_equal(scope_offer(&all, &m, p, FROM, FROM), SCOPE_HOLD_GROUP);
	m.placed = FROM; /* in that very second it was there */
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	assert_int_equal(scope_offer(&all, &m, p, FROM, FROM), SCOPE_OFFER);
	r.as_of = 0; /* a record that does not say: nobody */
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_HOLD_GROUP);
	r.as_of = SCOPE_WHENEVER;
	m.placed = 0;
	assert_int_equal(scope_offer(&r, &m, p, FROM, FROM), SCOPE_OFFER);
	assert_false(scope_placed_by(-1, 5));
}

/* Taking any one thing away from an offer must end it, or leave it; never make one. */
static void
less_never_offers_more(void **state)
{
	unsigned offers = 0;
	(void)state;
	for (unsigned bits = 0; bits < 2048; bits++) {
		for (unsigned without = 0; without <= 11; without++) {
			unsigned b = without < 11 ? bits & ~(1u << without) : bits;
			struct scope_release r = release("*", "field");
			struct scope_module m = module(b & 1 ? "1.0" : "");
			r.valid = b & 2;
			r.halted = !(b & 4);
			m.identified = b & 8;
			m.listed = b & 16;
			m.held = !(b & 32);
			r.groups_n = b & 64 ? 1 : 0;
			r.from_n = b & 128 ? 1 : 0;
			r.share = b & 256 ? 6 : 5;
			m.place = 5;
			r.known_by = 7;
			m.first_seen = b & 512 ? 7 : 8;
			r.as_of = 9;
			m.placed = b & 1024 ? 9 : 10;
			bool offer = scope_offer(&r, &m, p, FROM, FROM) == SCOPE_OFFER;
			assert_int_equal(offer, b == 2047);
			offers += offer;
		}
	}
	assert_true(offers > 0);
}

static void
quorum_is_the_higher_of_two(void **state)
{
	(void)state;
	assert_int_equal(scope_quorum(SCOPE_PRODUCTION, p, 1), 2);
	assert_int_equal(scope_quorum(SCOPE_PRODUCTION, p, 3), 3);
	assert_int_equal(scope_quorum(SCOPE_CANARY, p, 1), 2); /* not set: as production */
	p->canary_quorum = 1;
	assert_int_equal(scope_quorum(SCOPE_CANARY, p, 1), 1);
	assert_int_equal(scope_quorum(SCOPE_CANARY, p, 2), 2);
	assert_int_equal(scope_quorum(SCOPE_PRODUCTION, p, 1), 2);
	assert_int_equal(scope_quorum(SCOPE_NONE, p, 1), SCOPE_QUORUM_NEVER);
	assert_int_equal(scope_quorum(SCOPE_PRODUCTION, p, 0), SCOPE_QUORUM_NEVER);
	p->quorum = 0;
	assert_int_equal(scope_quorum(SCOPE_PRODUCTION, p, 1), SCOPE_QUORUM_NEVER);
	p->quorum = -1;
	assert_int_equal(scope_quorum(SCOPE_PRODUCTION, p, 1), SCOPE_QUORUM_NEVER);
	assert_int_equal(scope_kind_of(0, 50), SCOPE_NONE);
	assert_int_equal(scope_kind_of(50, 50), SCOPE_CANARY);
	assert_int_equal(scope_kind_of(51, 50), SCOPE_PRODUCTION);
	assert_int_equal(scope_kind_of(1, 0), SCOPE_PRODUCTION);
}

/* Each link for itself, whatever stands before it; the whole is what scope_offer() says. */
static void
the_chain_tells_every_reason(void **state)
{
	struct scope_release r = release("1.1", "field");
	struct scope_module m = module("1.2.0");
	enum scope_answer link[SCOPE_LINKS];
	(void)state;
	m.held = true;
	m.group = view_str("lab");
	assert_int_equal(scope_chain(&r, &m, p, FROM, UNTIL, link), SCOPE_HOLD_MODULE);
	for (unsigned i = 0; i < SCOPE_LINKS; i++) {
		enum scope_answer want = i == SCOPE_LINK_HOLD ? SCOPE_HOLD_MODULE : i == SCOPE_LINK_GROUP ? SCOPE_HOLD_GROUP :
		    i == SCOPE_LINK_DAYS ? SCOPE_HOLD_LATE : i == SCOPE_LINK_VERSION ? SCOPE_HOLD_SAME_VERSION : SCOPE_OFFER;
		assert_int_equal(link[i], want);
	}
	r = (struct scope_release){ .valid = false };
	m = (struct scope_module){ .identified = false };
	assert_int_equal(scope_chain(&r, &m, p, 0, 0, link), SCOPE_HOLD_NO_RELEASE);
	for (unsigned i = 0; i < SCOPE_LINKS; i++)
		assert_int_equal(link[i] == SCOPE_OFFER, i == SCOPE_LINK_HALT || i == SCOPE_LINK_HOLD || i == SCOPE_LINK_WINDOW);
	r = release("*", "field");
	m = module("1.1");
	assert_int_equal(scope_chain(&r, &m, p, FROM, FROM, link), SCOPE_OFFER);
	for (unsigned i = 0; i < SCOPE_LINKS; i++) {
		assert_int_equal(link[i], SCOPE_OFFER);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(scope_link_name((enum scope_link)i), scope_link_name((enum scope_link)j));
	}
	assert_string_equal(scope_link_name(SCOPE_LINKS), "?");
}

static void
every_answer_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SCOPE_ANSWERS; i++) {
		const char *text = scope_answer_text((enum scope_answer)i);
		assert_true(strlen(text) > 20 && text[strlen(text) - 1] == '.');
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(scope_answer_name((enum scope_answer)i), scope_answer_name((enum scope_answer)j));
	}
	assert_string_equal(scope_answer_name(SCOPE_ANSWERS), "undecided");
}

/* Whoever may get the older one may get the newer. */
static void
a_newer_release_covers_an_older(void **state)
{
	static const struct {
		const char *product, *target, *from[2], *group[2]; /* of the newer one */
		bool covers;
	} rows[] = {
		{ "rtr9", "1.3.0", { "1.0.0", NULL }, { "field", NULL }, true },
		{ "rtr9", "1.3.0", { "*", NULL }, { "*", NULL }, true },
		{ "rtr9", "1.3.0", { "0.9.0", "1.0.0" }, { "lab", "field" }, true },
		{ "rtr9", "1.2.0", { "*", NULL }, { "*", NULL }, false },   /* the same version */
		{ "rtr9", "1.1.0", { "*", NULL }, { "*", NULL }, false },   /* an older one */
		{ "rtr9", "spring", { "*", NULL }, { "*", NULL }, false },  /* nobody knows */
		{ "rtr8", "1.3.0", { "*", NULL }, { "*", NULL }, false },
		{ "rtr9", "1.3.0", { "1.2.0", NULL }, { "*", NULL }, false }, /* a delta upon it: it has to go first */
		{ "rtr9", "1.3.0", { "*", NULL }, { "lab", NULL }, false },
		{ "rtr9", "1.3.0", { NULL, NULL }, { "*", NULL }, false },
		{ "rtr9", "1.3.0", { "*", NULL }, { NULL, NULL }, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scope_release older = release("1.0.0", "field"), newer = older;
		struct view f[2], g[2];
		newer.product = view_str(rows[i].product);
		newer.target_version = view_str(rows[i].target);
		newer.from = f;
		newer.groups = g;
		newer.from_n = newer.groups_n = 0;
		for (unsigned k = 0; k < 2 && rows[i].from[k]; k++)
			f[newer.from_n++] = view_str(rows[i].from[k]);
		for (unsigned k = 0; k < 2 && rows[i].group[k]; k++)
			g[newer.groups_n++] = view_str(rows[i].group[k]);
		if (scope_covers(&newer, &older, p) != rows[i].covers)
			fail_msg("row %zu", i);
	}
	/* What is for every older version is covered by nothing less, and by no step that is forbidden. */
	struct scope_release older = release("*", "*"), newer = older;
	struct view some = view_str("1.0.0"), any = view_str("*");
	newer.target_version = view_str("1.3.0");
	newer.from = &some;
	assert_false(scope_covers(&newer, &older, p));
	newer.from = &any;
	assert_true(scope_covers(&newer, &older, p));
	newer.as_of = FROM; /* who came later has only the older one */
	assert_false(scope_covers(&newer, &older, p));
	newer.as_of = SCOPE_WHENEVER;
	p->steps[p->steps_n++] = (struct profile_step){ "rtr9", "1.2.0", "1.3.0" }; /* must pass through that */
	assert_false(scope_covers(&newer, &older, p));
	p->steps[p->steps_n++] = (struct profile_step){ "rtr9", "*", "1.3.0" };
	assert_true(scope_covers(&newer, &older, p));
}

/* The way back is the way forth, asked of a module that has the newer version. */
static void
versions_are_asked_alone(void **state)
{
	struct scope_release r = release("1.1.0", "field");
	struct view product = view_str("rtr9");
	(void)state;
	assert_int_equal(scope_version(&r, product, view_str("1.1.0"), p), SCOPE_OFFER);
	assert_int_equal(scope_version(&r, product, view_str("1.0.0"), p), SCOPE_HOLD_FROM_VERSION);
	assert_int_equal(scope_version(&r, product, view_str("1.2.0"), p), SCOPE_HOLD_SAME_VERSION);
	assert_int_equal(scope_version(&r, product, view_str("1.3.0"), p), SCOPE_HOLD_NEWER_VERSION);
	assert_int_equal(scope_version(&r, view_str("rtr8"), view_str("1.1.0"), p), SCOPE_HOLD_PRODUCT);
	p->version_order = VERSION_ORDER_EXACT; /* no order: people name the version to go back from */
	from[0] = view_str("1.3.0");
	assert_int_equal(scope_version(&r, product, view_str("1.3.0"), p), SCOPE_OFFER);
	p->steps[p->steps_n++] = (struct profile_step){ "rtr9", "1.1.0", "1.2.0" };
	assert_int_equal(scope_version(&r, product, view_str("1.3.0"), p), SCOPE_HOLD_STEP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(zero_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(versions_decide, setup, teardown),
		cmocka_unit_test_setup_teardown(everything_else_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(steps_are_the_only_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(windows_hold_last, setup, teardown),
		cmocka_unit_test_setup_teardown(rings_come_last, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_are_those_of_then, setup, teardown),
		cmocka_unit_test_setup_teardown(less_never_offers_more, setup, teardown),
		cmocka_unit_test_setup_teardown(quorum_is_the_higher_of_two, setup, teardown),
		cmocka_unit_test_setup_teardown(the_chain_tells_every_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(a_newer_release_covers_an_older, setup, teardown),
		cmocka_unit_test_setup_teardown(versions_are_asked_alone, setup, teardown),
		cmocka_unit_test(every_answer_has_a_name_and_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
