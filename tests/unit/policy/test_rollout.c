/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rollout.h"

#define NOW INT64_C(1800000000)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)

static const struct rollout_ring lab = { .name = "lab", .groups = { "lab", "bench" }, .groups_n = 2, .soak = HOUR,
	.reports = 2, .success = 1000, .failed = 500, .silent = 500 };
static const struct rollout_ring tenth = { .name = "tenth", .share = 100, .soak = DAY, .reports = 10, .success = 950,
	.failed = 50, .silent = 30 };
static const struct rollout_ring half = { .name = "half", .share = 500, .soak = DAY, .reports = 50, .success = 980,
	.failed = 20, .silent = 30 };
static const struct rollout_ring rest = { .name = "rest", .share = 1000, .soak = DAY, .reports = 50, .success = 980,
	.failed = 20, .silent = 30 };

static struct rollout_plan
plan(void)
{
	return (struct rollout_plan){ .name = "careful", .concurrent = 100, .per_day = 1000, .settle = HOUR, .silence = DAY,
		.silence_times = 3, .rings = { lab, tenth, half, rest }, .rings_n = 4 };
}

/* ---- plans ---- */

static void
a_plan_is_sound_or_opens_nothing(void **state)
{
	char why[160];
	struct rollout_plan good = plan();
	struct rollout_plan none = { .rings_n = 0 };
	(void)state;
	assert_null(rollout_plan_flaw(&good, why));
	assert_string_equal(rollout_plan_flaw(&none, why), "it has no rings, or more than 8");
	for (unsigned i = 0; i < 5; i++) {
		struct rollout_plan p = plan();
		int64_t *const field[] = { &p.concurrent, &p.per_day, &p.silence, &p.silence_times, &p.settle };
		*field[i] = i == 4 ? -1 : 0;
		assert_non_null(rollout_plan_flaw(&p, why));
	}
	/* Each threshold of each ring: zero, negative, and beyond what there can be. */
	static const int64_t beyond[] = { ROLLOUT_SOAK_MAX + 1, INT64_C(1) << 32, 1001, 1001, 1001 };
	for (unsigned ring = 0; ring < 4; ring++)
		for (unsigned i = 0; i < 15; i++) {
			struct rollout_plan p = plan();
			struct rollout_ring *r = &p.rings[ring];
			int64_t *const field[] = { &r->soak, &r->reports, &r->success, &r->failed, &r->silent };
			struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = 0, .since = NOW - 10 * DAY };
			struct rollout_open open;
			s.count[0] = (struct rollout_count){ 1000, 1000, 0, 0 };
			*field[i % 5] = i < 5 ? 0 : i < 10 ? -1 : beyond[i % 5];
			assert_non_null(rollout_plan_flaw(&p, why));
			struct rollout_next n = rollout_next(&p, &s, NOW);
			assert_int_equal(n.verdict, ROLLOUT_PAUSE);
			assert_int_equal(n.why, ROLLOUT_WHY_FLAW);
			rollout_open_to(&p, 0, 0, &open);
			assert_true(open.share == 0 && open.groups_n == 0 && !open.fresh);
			assert_int_equal(rollout_ring_of(&p, 0, view_str("lab"), false), ROLLOUT_RINGS_MAX);
		}
}

static void
rings_take_one_way_and_end_with_everybody(void **state)
{
	char why[160];
	struct rollout_plan p = plan();
	(void)state;
	p.rings[3].share = 999;
	assert_non_null(strstr(rollout_plan_flaw(&p, why), "last ring"));
	p = plan();
	p.rings[1].share = 1000;
	assert_non_null(strstr(rollout_plan_flaw(&p, why), "everybody is the last ring's"));
	p = plan();
	p.rings[2].share = 100;
	assert_non_null(strstr(rollout_plan_flaw(&p, why), "let shares grow"));
	p = plan();
	p.rings[0].share = 10;
	assert_non_null(strstr(rollout_plan_flaw(&p, why), "one of them"));
	p = plan();
	p.rings[1].share = 0;
	assert_non_null(strstr(rollout_plan_flaw(&p, why), "one of them"));
	p = plan();
	strcpy(p.rings[3].name, "lab");
	assert_non_null(strstr(rollout_plan_flaw(&p, why), "the name of rings[0]"));
	p = plan();
	p.rings[0].human = true;
	assert_non_null(strstr(rollout_plan_flaw(&p, why), "the approval opens it"));
}

/* ---- rings ---- */

static void
a_module_is_in_one_ring(void **state)
{
	struct rollout_plan p = plan();
	(void)state;
	assert_int_equal(rollout_ring_of(&p, ROLLOUT_PLACES - 1, view_str("lab"), false), 0);
	assert_int_equal(rollout_ring_of(&p, 0, view_str("field"), false), 1);
	assert_int_equal(rollout_ring_of(&p, ROLLOUT_PLACES / 10 - 1, view_str("field"), false), 1);
	assert_int_equal(rollout_ring_of(&p, ROLLOUT_PLACES / 10 + 1, view_str("field"), false), 2);
	assert_int_equal(rollout_ring_of(&p, ROLLOUT_PLACES / 2, view_str("field"), false), 3);
	/* New ones are last, whatever their group and place; so is one whose place could not be made. */
	assert_int_equal(rollout_ring_of(&p, 0, view_str("lab"), true), 3);
	assert_int_equal(rollout_ring_of(&p, UINT64_MAX, view_str("field"), false), 3);
}

/* What a table's rows let through is what the ring of a module says. */
static bool
let_in(const struct rollout_open *o, uint64_t place, const char *group, bool fresh)
{
	if (fresh && !o->fresh)
		return false;
	for (unsigned i = 0; i < o->groups_n; i++)
		if (strcmp(o->group[i], group) == 0)
			return true;
	return place < o->share;
}

static void
what_is_open_is_what_rings_say(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_open o;
	static const char *const groups[] = { "lab", "bench", "field", "" };
	(void)state;
	srand(7);
	for (unsigned n = 0; n < 20000; n++) {
		uint64_t place = ((uint64_t)(unsigned)rand() << 16 ^ (unsigned)rand()) % ROLLOUT_PLACES;
		const char *group = groups[(unsigned)rand() % 4];
		bool fresh = rand() % 5 == 0;
		unsigned ring = (unsigned)rand() % 4;
		rollout_open_to(&p, ring, 0, &o);
		assert_int_equal(let_in(&o, place, group, fresh), rollout_ring_of(&p, place, view_str(group), fresh) <= ring);
	}
	rollout_open_to(&p, 4, 0, &o);
	assert_true(o.share == 0 && o.groups_n == 0);
	rollout_open_all(&o);
	assert_true(let_in(&o, ROLLOUT_PLACES - 1, "field", true));
}

static void
places_are_spread_and_stay(void **state)
{
	uint8_t release[2][ROLLOUT_ID] = { { 1 }, { 2 } }, who[ROLLOUT_ID] = { 0 };
	unsigned below = 0, moved = 0;
	(void)state;
	for (unsigned n = 0; n < 10000; n++) {
		memcpy(who, &n, sizeof n);
		uint64_t a = rollout_place(release[0], who), b = rollout_place(release[1], who);
		assert_true(a < ROLLOUT_PLACES && a == rollout_place(release[0], who));
		below += a < ROLLOUT_PLACES / 10;
		moved += (a < ROLLOUT_PLACES / 10) != (b < ROLLOUT_PLACES / 10);
	}
	assert_in_range(below, 900, 1100);
	assert_in_range(moved, 1500, 2100); /* 2 x 0.1 x 0.9: another release has others first */
}

/* ---- modules ---- */

static struct rollout_facts
granted(void)
{
	return (struct rollout_facts){ .granted = NOW - HOUR, .heard = NOW - HOUR };
}

static void
outcomes_are_these(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_facts f = { .granted = 0 };
	(void)state;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, NOW), ROLLOUT_UNCOUNTED);
	f = granted();
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, NOW), ROLLOUT_PENDING);
	/* Of the new version nothing but its word counts. */
	f.completed = NOW - 10;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_B, NOW), ROLLOUT_PENDING);
	f.word = ROLLOUT_WORD_NEW;
	f.word_at = NOW;
	f.word_class = IDENTITY_B;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_B, NOW), ROLLOUT_SUCCESS);
	/* The old one again: when it has had all of it, and time. */
	f.word = ROLLOUT_WORD_OLD;
	f.word_at = NOW;
	f.completed = 0;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_C, NOW), ROLLOUT_PENDING);
	f.completed = NOW - p.settle + 1;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_C, NOW), ROLLOUT_PENDING);
	f.completed = NOW - p.settle;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_C, NOW), ROLLOUT_FAILURE);
	/* A failure stays one, however long ago; and it may still end well. */
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_C, NOW + 20 * DAY), ROLLOUT_FAILURE);
	f.word = ROLLOUT_WORD_NEW;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_C, NOW + 20 * DAY), ROLLOUT_SUCCESS);
}

static void
silence_is_measured_by_habit(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_facts f = granted();
	(void)state;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.heard + DAY), ROLLOUT_PENDING);
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.heard + DAY + 1), ROLLOUT_SILENT);
	f.usual = 7 * DAY;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.heard + 21 * DAY), ROLLOUT_PENDING);
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.heard + 21 * DAY + 1), ROLLOUT_SILENT);
	f.usual = INT64_MAX; /* from a database that somebody wrote in */
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.heard + 91 * DAY), ROLLOUT_SILENT);
	f.usual = 60; /* often is no reason to be quick */
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.heard + DAY), ROLLOUT_PENDING);
	f.heard = 0; /* never heard of again: since the grant */
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.granted + DAY + 1), ROLLOUT_SILENT);
	f.word = ROLLOUT_WORD_NEW; /* whoever said that it runs it may be quiet */
	f.word_at = f.granted;
	f.word_class = IDENTITY_A;
	assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, f.granted + 90 * DAY), ROLLOUT_SUCCESS);
}

static void
a_claim_counts_for_nothing(void **state)
{
	struct rollout_plan p = plan();
	(void)state;
	for (unsigned word = ROLLOUT_WORD_NONE; word <= ROLLOUT_WORD_NEW; word++) {
		struct rollout_facts f = granted();
		f.completed = NOW - DAY;
		f.word = (enum rollout_word)word;
		f.word_at = NOW;
		f.word_class = IDENTITY_D;
		/* A module that is known by better: its own silence counts, the claim does not. */
		assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, NOW), ROLLOUT_PENDING);
		assert_int_equal(rollout_outcome(&p, &f, IDENTITY_A, NOW + 2 * DAY), ROLLOUT_SILENT);
		/* One that is known by claims alone is not counted at all, silent or not. */
		assert_int_equal(rollout_outcome(&p, &f, IDENTITY_D, NOW + 90 * DAY), ROLLOUT_UNCOUNTED);
		assert_int_equal(rollout_outcome(&p, &f, IDENTITY_CLASS_NONE, NOW + 90 * DAY), ROLLOUT_UNCOUNTED);
	}
}

/* ---- what next ---- */

static struct rollout_next
next(unsigned ring, int64_t open_for, struct rollout_count n)
{
	struct rollout_plan p = plan();
	struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = ring, .since = NOW - open_for };
	s.count[ring] = n;
	return rollout_next(&p, &s, NOW);
}

static void
every_transition(void **state)
{
	static const struct {
		unsigned ring;
		int64_t open_for;
		struct rollout_count n;
		enum rollout_verdict verdict;
		enum rollout_why why;
	} rows[] = {
		{ 0, HOUR, { 2, 2, 0, 0 }, ROLLOUT_OPEN, ROLLOUT_WHY_PASSED },
		{ 0, HOUR - 1, { 2, 2, 0, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_SOAK },
		{ 0, HOUR, { 0, 0, 0, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_REPORTS },
		{ 0, HOUR, { 1, 1, 0, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_REPORTS },
		{ 0, HOUR, { 3, 2, 0, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_SUCCESS },
		{ 0, HOUR, { 2, 0, 1, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED },
		{ 0, 0, { 1, 0, 1, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED }, /* stopping waits for no soak */
		{ 0, HOUR, { 2, 0, 0, 1 }, ROLLOUT_PAUSE, ROLLOUT_WHY_SILENT },
		{ 1, DAY, { 100, 95, 0, 0 }, ROLLOUT_OPEN, ROLLOUT_WHY_PASSED },
		{ 1, DAY, { 100, 94, 0, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_SUCCESS },
		{ 1, DAY, { 100, 96, 4, 0 }, ROLLOUT_OPEN, ROLLOUT_WHY_PASSED },
		{ 1, DAY, { 100, 95, 5, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED },
		{ 1, DAY, { 100, 97, 0, 2 }, ROLLOUT_OPEN, ROLLOUT_WHY_PASSED },
		{ 1, DAY, { 100, 97, 0, 3 }, ROLLOUT_PAUSE, ROLLOUT_WHY_SILENT }, /* 3 % */
		{ 1, DAY, { 1, 0, 1, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED }, /* of ten, which must report */
		{ 3, DAY, { 100, 99, 0, 0 }, ROLLOUT_FINISH, ROLLOUT_WHY_PASSED },
		{ 3, DAY, { 100, 97, 0, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_SUCCESS },
		{ 3, DAY, { 100, 98, 2, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED },
		{ 2, -1, { 100, 100, 0, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_CLOCK },
		{ 2, -1, { 100, 0, 100, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED },
		{ 1, DAY, { 10, 11, 0, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FLAW }, /* that is no count */
		{ 1, DAY, { UINT32_MAX, UINT32_MAX, 1, UINT32_MAX }, ROLLOUT_PAUSE, ROLLOUT_WHY_FLAW },
		{ 4, DAY, { 100, 100, 0, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FLAW },
		{ 1, NOW, { 100, 100, 0, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FLAW }, /* opened never */
	};
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rollout_next n = next(rows[i].ring, rows[i].open_for, rows[i].n);
		if (n.verdict != rows[i].verdict || n.why != rows[i].why)
			fail_msg("row %u: %d because %s", i, n.verdict, rollout_why_text(n.why));
	}
}

/* A plan that asks for it opens nothing that no report of the network tells of; one that does not is as it was. */
static void
the_network_has_to_have_seen_them(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = 1, .since = NOW - DAY };
	(void)state;
	s.count[1] = (struct rollout_count){ 100, 100, 0, 0 };
	assert_int_equal(rollout_next(&p, &s, NOW).verdict, ROLLOUT_OPEN);
	p.egress_watch = 5;
	s.watched[0] = s.watched[2] = 100; /* of other rings */
	for (unsigned n = 0; n < 8; n++) {
		s.watched[1] = n;
		const struct rollout_next next = rollout_next(&p, &s, NOW);
		assert_int_equal(next.verdict, n >= 5 ? ROLLOUT_OPEN : ROLLOUT_WAIT);
		assert_int_equal(next.why, n >= 5 ? ROLLOUT_WHY_PASSED : ROLLOUT_WHY_EGRESS);
	}
	/* Nothing comes after the last one, and what pauses asks nobody. */
	s.ring = 3;
	s.count[3] = s.count[1];
	assert_int_equal(rollout_next(&p, &s, NOW).verdict, ROLLOUT_FINISH);
	s.ring = 1;
	s.count[1] = (struct rollout_count){ 100, 0, 100, 0 };
	assert_int_equal(rollout_next(&p, &s, NOW).why, ROLLOUT_WHY_FAILED);
	char why[160];
	p.egress_watch = -1;
	assert_non_null(rollout_plan_flaw(&p, why));
	assert_string_equal(why, "egress_watch is out of range");
}

static void
earlier_rings_are_watched_on(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = 2, .since = NOW - DAY };
	(void)state;
	s.count[2] = (struct rollout_count){ 100, 100, 0, 0 };
	assert_int_equal(rollout_next(&p, &s, NOW).verdict, ROLLOUT_OPEN);
	s.count[1] = (struct rollout_count){ 100, 97, 0, 3 };
	struct rollout_next n = rollout_next(&p, &s, NOW);
	assert_int_equal(n.verdict, ROLLOUT_PAUSE);
	assert_int_equal(n.ring, 1);
	/* Of rings that are not open nothing is asked. */
	s.count[1] = (struct rollout_count){ 0 };
	s.count[3] = (struct rollout_count){ 10, 0, 10, 0 };
	assert_int_equal(rollout_next(&p, &s, NOW).verdict, ROLLOUT_OPEN);
}

static void
only_what_runs_goes_on(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_standing s = { .ring = 0, .since = NOW - DAY };
	(void)state;
	s.count[0] = (struct rollout_count){ 10, 10, 0, 0 };
	for (unsigned i = 0; i < ROLLOUT_STATES; i++) {
		s.state = (enum rollout_state)i;
		struct rollout_next n = rollout_next(&p, &s, NOW);
		assert_int_equal(n.verdict, i == ROLLOUT_RUNNING ? ROLLOUT_OPEN : ROLLOUT_WAIT);
		assert_int_equal(n.why, i == ROLLOUT_RUNNING ? ROLLOUT_WHY_PASSED : ROLLOUT_WHY_STOPPED);
	}
	p.rings[1].human = true;
	s.state = ROLLOUT_RUNNING;
	assert_int_equal(rollout_next(&p, &s, NOW).verdict, ROLLOUT_WAIT);
	assert_int_equal(rollout_next(&p, &s, NOW).why, ROLLOUT_WHY_HUMAN);
	const struct rollout_plan zero = { .rings_n = 0 };
	const struct rollout_standing nothing = { .state = ROLLOUT_NO_STATE };
	assert_int_equal(rollout_next(&zero, &nothing, 0).verdict, ROLLOUT_WAIT);
	assert_int_equal(rollout_next(&zero, &s, NOW).verdict, ROLLOUT_PAUSE);
}

static void
absent_is_who_does_not_come(void **state)
{
	static const struct {
		int64_t seen, usual;
		bool absent;
	} rows[] = {
		{ 0, 0, true }, { 0, DAY, true }, { NOW, 0, false }, { NOW - 7 * DAY, 0, false }, { NOW - 7 * DAY - 1, 0, true },
		{ NOW - 7 * DAY - 1, HOUR, true }, { NOW - 8 * DAY, 3 * DAY, false }, { NOW - 9 * DAY - 1, 3 * DAY, true },
		{ NOW - 90 * DAY, INT64_MAX, false }, { NOW - 91 * DAY, INT64_MAX, true }, { NOW + DAY, 0, false },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rollout_is_absent(rows[i].seen, rows[i].usual, NOW) != rows[i].absent)
			fail_msg("row %u", i);
}

/* ---- held rings, and what people sign ---- */

static void
a_held_ring_is_shut_and_the_others_are_not(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = 3 };
	struct rollout_open o;
	(void)state;
	for (uint32_t held = 0; held < 16; held++) {
		s.held = held;
		for (unsigned ring = 0; ring < 5; ring++)
			assert_int_equal(rollout_is_open(&s, ring), ring < 4 && !(held >> ring & 1));
		rollout_open_to(&p, 3, held, &o);
		/* Whoever is in a ring that is open is let in; whoever is not is asked again by the grant. */
		for (unsigned k = 0; k < 4; k++) {
			static const uint64_t places[] = { ROLLOUT_PLACES - 1, 5, ROLLOUT_PLACES / 4, ROLLOUT_PLACES - 1 };
			const char *group = k ? "field" : "lab";
			assert_int_equal(rollout_ring_of(&p, places[k], view_str(group), false), k);
			if (rollout_is_open(&s, k))
				assert_true(let_in(&o, places[k], group, false));
		}
		assert_int_equal(let_in(&o, 5, "field", true), rollout_is_open(&s, 3));
	}
	/* The last wave alone: nobody is let in by the table either. */
	rollout_open_to(&p, 2, 1u << 2, &o);
	assert_true(!let_in(&o, ROLLOUT_PLACES / 4, "field", false) && let_in(&o, 5, "field", false));
	rollout_open_to(&p, 0, 1, &o);
	assert_true(o.share == 0 && o.groups_n == 0 && !o.fresh);
	for (unsigned i = 0; i < ROLLOUT_STATES; i++) {
		s = (struct rollout_standing){ .state = (enum rollout_state)i };
		assert_int_equal(rollout_is_open(&s, 0), i == ROLLOUT_RUNNING || i == ROLLOUT_DONE);
	}
}

static void
holding_a_ring_opens_nothing(void **state)
{
	static const struct {
		unsigned ring;
		uint32_t held;
		enum rollout_verdict verdict;
	} rows[] = {
		{ 1, 1, ROLLOUT_OPEN },      /* an earlier one: the others go on */
		{ 1, 2, ROLLOUT_WAIT },      /* the one that has to show something */
		{ 1, 4, ROLLOUT_WAIT },      /* the next one */
		{ 1, 8, ROLLOUT_OPEN },      /* one after that */
		{ 3, 0, ROLLOUT_FINISH },
		{ 3, 1, ROLLOUT_WAIT },      /* not all have it */
		{ 3, 8, ROLLOUT_WAIT },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rollout_plan p = plan();
		struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = rows[i].ring, .since = NOW - DAY,
			.held = rows[i].held };
		s.count[s.ring] = (struct rollout_count){ 100, 100, 0, 0 };
		struct rollout_next n = rollout_next(&p, &s, NOW);
		if (n.verdict != rows[i].verdict || (n.verdict == ROLLOUT_WAIT && n.why != ROLLOUT_WHY_HELD))
			fail_msg("row %u: %d because %s", i, n.verdict, rollout_why_text(n.why));
		/* It is watched on: what goes wrong in it pauses all. */
		s.count[0] = (struct rollout_count){ 2, 0, 2, 0 };
		assert_int_equal(rollout_next(&p, &s, NOW).verdict, ROLLOUT_PAUSE);
	}
}

static void
people_open_the_ring_that_waits_for_them_and_no_other(void **state)
{
	struct rollout_plan p = plan();
	struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = 0, .since = NOW - DAY };
	(void)state;
	p.rings[1].human = true;
	s.count[0] = (struct rollout_count){ 10, 10, 0, 0 };
	for (unsigned opens = 0; opens < 4; opens++) {
		s.opens = opens;
		assert_int_equal(rollout_next(&p, &s, NOW).verdict, opens == 1 ? ROLLOUT_OPEN : ROLLOUT_WAIT);
	}
	/* And not before the ring has soaked, reported and succeeded: a signature is no way around the plan. */
	s.opens = 1;
	s.since = NOW - HOUR + 1;
	assert_int_equal(rollout_next(&p, &s, NOW).why, ROLLOUT_WHY_SOAK);
	s.since = NOW - HOUR;
	s.count[0] = (struct rollout_count){ 10, 1, 0, 0 };
	assert_int_equal(rollout_next(&p, &s, NOW).why, ROLLOUT_WHY_REPORTS);
}

static void
only_failures_after_the_signature_pause_again(void **state)
{
	static const struct {
		struct rollout_count n, over;
		enum rollout_verdict verdict;
		enum rollout_why why;
	} rows[] = {
		{ { 100, 90, 5, 0 }, { 0, 0, 0, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED },
		{ { 100, 95, 5, 0 }, { 0, 0, 5, 0 }, ROLLOUT_OPEN, ROLLOUT_WHY_PASSED },
		{ { 100, 94, 5, 0 }, { 0, 0, 5, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_SUCCESS }, /* the share is of all of them */
		{ { 100, 90, 9, 0 }, { 0, 0, 5, 0 }, ROLLOUT_WAIT, ROLLOUT_WHY_SUCCESS }, /* 4 new ones of 95 */
		{ { 100, 90, 10, 0 }, { 0, 0, 5, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FAILED }, /* 5 of 95 */
		{ { 100, 90, 5, 3 }, { 0, 0, 5, 0 }, ROLLOUT_PAUSE, ROLLOUT_WHY_SILENT }, /* not over silence */
		{ { 100, 90, 5, 3 }, { 0, 0, 5, 3 }, ROLLOUT_WAIT, ROLLOUT_WHY_SUCCESS },
		{ { 100, 95, 4, 0 }, { 0, 0, 500, 500 }, ROLLOUT_OPEN, ROLLOUT_WHY_PASSED }, /* more than there are is those */
		{ { 10, 11, 0, 0 }, { 0, 0, 5, 5 }, ROLLOUT_PAUSE, ROLLOUT_WHY_FLAW },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rollout_plan p = plan();
		struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = 1, .since = NOW - DAY };
		s.count[1] = rows[i].n;
		s.over[1] = rows[i].over;
		struct rollout_next n = rollout_next(&p, &s, NOW);
		if (n.verdict != rows[i].verdict || n.why != rows[i].why)
			fail_msg("row %u: %d because %s", i, n.verdict, rollout_why_text(n.why));
	}
	/* One that recovers makes no room for another to fail. */
	struct rollout_standing s = { .over = { { 0, 0, 5, 2 } }, .count = { { 100, 96, 4, 3 } } };
	rollout_shrink(&s, 4);
	assert_true(s.over[0].failure == 4 && s.over[0].silent == 2);
	s.count[0].failure = 5;
	rollout_shrink(&s, 99);
	assert_int_equal(s.over[0].failure, 4);
}

static void
what_is_gone_on_over_is_said_in_one_way(void **state)
{
	static const char *const bad[] = { "", "tenth", "tenth: 3 failed", "tenth: 03 failed, 0 silent", "tenth: 3 failed, 0 silent ",
		"tenth: +3 failed, 0 silent", "tenth: 4294967296 failed, 0 silent", "tenth:  3 failed, 0 silent",
		"nobody: 3 failed, 0 silent", "tenth: 3 failed, silent", "tenth: 3 failed, 99999999999999999999 silent" };
	struct rollout_plan p = plan();
	struct rollout_count n = { 0, 0, 3, 4294967295u }, got = { 9, 9, 9, 9 };
	char word[ROLLOUT_OVER_CAP];
	(void)state;
	assert_true(rollout_over_put("tenth", &n, word));
	assert_string_equal(word, "tenth: 3 failed, 4294967295 silent");
	assert_int_equal(rollout_over_get(&p, view_str(word), &got), 1);
	assert_true(got.failure == 3 && got.silent == 4294967295u && got.granted == 0);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(rollout_over_get(&p, view_str(bad[i]), &got), ROLLOUT_RINGS_MAX);
	assert_int_equal(got.failure, 3);
	char name[ROLLOUT_NAME_MAX + 1];
	memset(name, 'n', ROLLOUT_NAME_MAX);
	name[ROLLOUT_NAME_MAX] = '\0';
	n.failure = UINT32_MAX;
	assert_true(rollout_over_put(name, &n, word));
}

static int64_t
some(int64_t below)
{
	return 1 + rand() % below;
}

static struct rollout_standing
random_standing(struct rollout_plan *p)
{
	struct rollout_standing s = { .state = ROLLOUT_RUNNING, .ring = (unsigned)rand() % p->rings_n, .since = NOW - some(100) };
	for (unsigned i = 0; i < p->rings_n; i++) {
		struct rollout_ring *r = &p->rings[i];
		r->soak = some(100);
		r->reports = some(30);
		r->success = some(1000);
		r->failed = some(200);
		r->silent = some(200);
		struct rollout_count *n = &s.count[i];
		n->success = (uint32_t)rand() % 60;
		n->failure = (uint32_t)rand() % 4;
		n->silent = (uint32_t)rand() % 4;
		n->granted = n->success + n->failure + n->silent + (uint32_t)rand() % 6;
		/* Often enough, people let it go on over some of them. */
		s.over[i].failure = rand() % 2 ? 0 : (uint32_t)rand() % 5;
		s.over[i].silent = rand() % 2 ? 0 : (uint32_t)rand() % 5;
	}
	return s;
}

/* One module more that went wrong, or one that was thought well or on its way and went wrong. */
static bool
worsen(struct rollout_count *n)
{
	uint32_t *wrong = rand() % 2 ? &n->failure : &n->silent;
	uint32_t pending = n->granted - n->success - n->failure - n->silent;
	switch (rand() % 3) {
	case 0:
		n->granted++;
		break;
	case 1:
		if (!n->success)
			return false;
		n->success--;
		break;
	default:
		if (!pending)
			return false;
		break;
	}
	++*wrong;
	return true;
}

static void
more_failures_never_open_a_ring(void **state)
{
	unsigned opened = 0, paused = 0;
	(void)state;
	srand(11);
	for (unsigned n = 0; n < 200000; n++) {
		struct rollout_plan p = plan();
		struct rollout_standing s = random_standing(&p);
		enum rollout_verdict before = rollout_next(&p, &s, NOW).verdict;
		for (unsigned k = 0; k < 4; k++) {
			if (!worsen(&s.count[(unsigned)rand() % p.rings_n]))
				continue;
			enum rollout_verdict after = rollout_next(&p, &s, NOW).verdict;
			assert_true(after <= before);
			before = after;
		}
		opened += before >= ROLLOUT_OPEN;
		paused += before == ROLLOUT_PAUSE;
	}
	assert_true(opened > 1000 && paused > 1000); /* both are tried */
}

static void
fewer_successes_never_open_a_ring(void **state)
{
	(void)state;
	srand(13);
	for (unsigned n = 0; n < 100000; n++) {
		struct rollout_plan p = plan();
		struct rollout_standing s = random_standing(&p);
		struct rollout_count *c = &s.count[s.ring];
		enum rollout_verdict before = rollout_next(&p, &s, NOW).verdict;
		if (!c->success)
			continue;
		c->success--;
		assert_true(rollout_next(&p, &s, NOW).verdict <= before);
	}
}

static void
names_are_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROLLOUT_STATES; i++)
		assert_true(strlen(rollout_state_name((enum rollout_state)i)) > 3);
	for (unsigned i = 0; i < ROLLOUT_OUTCOMES; i++)
		assert_true(strlen(rollout_outcome_name((enum rollout_outcome)i)) > 3);
	for (unsigned i = 0; i < ROLLOUT_WHYS; i++)
		assert_true(strlen(rollout_why_text((enum rollout_why)i)) > 3);
	assert_string_equal(rollout_state_name(ROLLOUT_STATES), "none");
	assert_string_equal(rollout_outcome_name(ROLLOUT_OUTCOMES), "uncounted");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_is_sound_or_opens_nothing),
		cmocka_unit_test(rings_take_one_way_and_end_with_everybody),
		cmocka_unit_test(a_module_is_in_one_ring),
		cmocka_unit_test(what_is_open_is_what_rings_say),
		cmocka_unit_test(a_held_ring_is_shut_and_the_others_are_not),
		cmocka_unit_test(absent_is_who_does_not_come),
		cmocka_unit_test(holding_a_ring_opens_nothing),
		cmocka_unit_test(people_open_the_ring_that_waits_for_them_and_no_other),
		cmocka_unit_test(only_failures_after_the_signature_pause_again),
		cmocka_unit_test(what_is_gone_on_over_is_said_in_one_way),
		cmocka_unit_test(places_are_spread_and_stay),
		cmocka_unit_test(outcomes_are_these),
		cmocka_unit_test(silence_is_measured_by_habit),
		cmocka_unit_test(a_claim_counts_for_nothing),
		cmocka_unit_test(every_transition),
		cmocka_unit_test(the_network_has_to_have_seen_them),
		cmocka_unit_test(earlier_rings_are_watched_on),
		cmocka_unit_test(only_what_runs_goes_on),
		cmocka_unit_test(more_failures_never_open_a_ring),
		cmocka_unit_test(fewer_successes_never_open_a_ring),
		cmocka_unit_test(names_are_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
