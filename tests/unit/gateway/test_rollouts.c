/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout by what modules report: whose words count, what pauses it, what the log takes back. Opening is the story's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "gateway/control/datacost.h"
#include "gateway/control/lineage.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/rollouts_private.h"
#include "images/entail.h"
#include "images/report.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/edge_sample.h"
#include "unit/gateway/people_rig.h"

#define GATES "soak = \"1h\"; reports = 4; success = 1000; failed = 200; silent = 250;"
#define PLANS \
	"rollout_plans = ( { name = \"careful\"; concurrent = 6; per_day = 8; settle = \"10m\"; silence = \"1d\"; rings = ( " \
	"{ name = \"lab\"; groups = [ \"lab\" ]; " GATES " }, { name = \"half\"; share = 500; " GATES " }, " \
	"{ name = \"rest\"; " GATES " } ); } );\n"
#define DAY INT64_C(86400)

static const uint8_t id[RELEASE_ID] = { 7, 7 };

struct fixture {
	struct control_rig *r;
	struct control *c;
	struct release *record;
	struct rollout *one;
	struct rollout_open open;
};

static void
configure(struct control_rig *r, const char *rollout)
{
	char *profile = sample_profile_with("rollout", rollout);
	control_rig_configure(r, PLANS, profile);
	free(profile);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->r = control_rig_new();
	f->c = &f->r->c;
	f->c->edges = edges_new(f->c);
	configure(f->r, "rollout = \"careful\";");
	f->record = calloc(1, sizeof *f->record);
	struct approval_terms *t = &f->record->terms;
	t->decision = APPROVAL_APPROVE;
	snprintf(t->profile, sizeof t->profile, "acme-rtr");
	snprintf(t->product, sizeof t->product, "EC25");
	snprintf(t->target, sizeof t->target, "2.0");
	memset(t->resource, 3, sizeof t->resource);
	memcpy(t->policy, policies_find(f->c->policies, "acme-rtr")->digest, sizeof t->policy);
	t->max_devices = 1000;
	t->not_before = f->r->now - DAY;
	t->not_after = f->r->now + 20 * DAY;
	assert_int_equal(approval_list_add(&t->groups, "*"), 0);
	assert_int_equal(approval_list_add(&t->from_versions, "*"), 0);
	f->record->issued = f->r->now;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	edges_free(f->c->edges);
	control_rig_free(f->r); /* has the rest of it */
	free(f->record);
	free(f);
	return 0;
}

/* The release is there, and the log has nothing of it. */
static void
begin(struct fixture *f)
{
	assert_int_equal(grants_release_add(f->c->grants, id, f->record, "field", true), 0);
	rollouts_begin(f->c->rollouts, id, f->record, &f->open);
	rollouts_mended(f->c->rollouts);
	f->one = rollouts_find(f->c->rollouts, id);
	assert_non_null(f->one);
}

static struct msg_sighting
sighting(unsigned n, enum identity_class class, const char *current)
{
	struct msg_sighting s = { .profile = "acme-rtr", .product = "EC25", .idents_n = 1 };
	s.idents[0].kind = IDENTITY_SERIAL;
	s.idents[0].cls = (uint8_t)class;
	snprintf(s.idents[0].text, sizeof s.idents[0].text, "module-%u", n);
	snprintf(s.current, sizeof s.current, "%s", current);
	return s;
}

/* Module n asks, and says that it runs current; "" asks for the release and says nothing. */
static const struct inventory_module *
says(struct fixture *f, unsigned n, enum identity_class class, const char *current)
{
	struct msg_sighting s = sighting(n, class, current);
	struct inventory_seen seen = { 0 };
	if (!current[0])
		memset(s.resource, 3, sizeof s.resource);
	assert_int_equal(inventory_sight(f->c->inventory, policies_find(f->c->policies, "acme-rtr")->profile, &s, f->r->now, &seen),
	    0);
	rollouts_heard(f->c->rollouts, &seen, &s);
	return seen.module;
}

static enum grants_reason
ask(struct fixture *f, const struct inventory_module *m)
{
	return grants_ask(f->c->grants, m, id, f->r->now, f->r->now).reason;
}

/* Modules of that group, known since before the release. */
static const struct inventory_module *
known(struct fixture *f, unsigned n, enum identity_class class, const char *group)
{
	const struct inventory_module *m = says(f, n, class, "1.0");
	assert_int_equal(inventory_set(f->c->inventory, m->pseudonym, group, NULL), 0);
	return m;
}

static void
served(struct fixture *f, const struct inventory_module *m)
{
	struct msg_served s = { .sent = 5, .size = 5, .complete = true };
	memcpy(s.module, m->pseudonym, sizeof s.module);
	memcpy(s.release, id, sizeof s.release);
	assert_int_equal(grants_served(f->c->grants, &s, f->r->now), 0);
}

static struct rollout_count
counted(struct fixture *f, unsigned ring)
{
	assert_true(rollouts_round(f->c->rollouts, INT64_MAX));
	return f->one->standing.count[ring];
}

#define EXPECT(f, ring, g, s, bad, quiet) do { \
	struct rollout_count n_ = counted(f, ring); \
	assert_int_equal(n_.granted, g); \
	assert_int_equal(n_.success, s); \
	assert_int_equal(n_.failure, bad); \
	assert_int_equal(n_.silent, quiet); \
} while (0)

static void
test_rollouts_first_ring_and_the_others(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *lab = known(f, 1, IDENTITY_B, "lab"), *field = known(f, 2, IDENTITY_B, "field");
	bool open;
	begin(f);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	assert_int_equal(ask(f, lab), GRANTS_YES);
	assert_int_equal(ask(f, field), GRANTS_RING);
	assert_int_equal(rollouts_ring_of(f->c->rollouts, id, lab, &open), 0);
	assert_true(open);
	assert_true(rollouts_ring_of(f->c->rollouts, id, field, &open) > 0);
	assert_false(open);
	/* Whoever came after it is last, in whatever group. */
	f->r->now++;
	const struct inventory_module *late = known(f, 3, IDENTITY_A, "lab");
	assert_int_equal(rollouts_ring_of(f->c->rollouts, id, late, &open), 2);
	assert_int_equal(ask(f, late), GRANTS_RING);
	f->one->standing.ring = 2;
	assert_int_equal(ask(f, late), GRANTS_YES);
	assert_int_equal(ask(f, field), GRANTS_YES);
}

static void
test_rollouts_words(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[6];
	for (unsigned i = 0; i < 6; i++)
		m[i] = known(f, i, i == 5 ? IDENTITY_D : IDENTITY_C, "lab");
	begin(f);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
	EXPECT(f, 0, 5, 0, 0, 0); /* the sixth is nobody but by its own word */
	says(f, 0, IDENTITY_C, "2.0");
	says(f, 1, IDENTITY_C, "3.0"); /* past it: not its merit */
	says(f, 5, IDENTITY_D, "2.0");
	says(f, 2, IDENTITY_D, "2.0"); /* in another's name */
	EXPECT(f, 0, 5, 1, 0, 0);
	/* The old one again, before it had all of it, at once after, and when it has had its time. */
	says(f, 3, IDENTITY_C, "1.0");
	served(f, m[3]);
	says(f, 3, IDENTITY_C, "");
	EXPECT(f, 0, 5, 1, 0, 0);
	f->r->now += 600;
	says(f, 5, IDENTITY_D, "1.0");
	EXPECT(f, 0, 5, 1, 0, 0);
	says(f, 3, IDENTITY_C, "");
	struct rollouts_fate fate;
	assert_true(rollouts_fate_of(f->c->rollouts, id, m[3], &fate));
	assert_string_equal(fate.outcome, "failure");
	assert_string_equal(fate.word, "old");
	assert_int_equal(fate.again, 3);
	assert_false(rollouts_fate_of(f->c->rollouts, id, known(f, 9, IDENTITY_C, "lab"), &fate));
	/* One of five is as many as pause it. */
	EXPECT(f, 0, 5, 1, 1, 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
	assert_string_equal(f->one->by, "control");
	assert_non_null(strstr(f->one->reason, "1 failed"));
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(ask(f, m[i]), GRANTS_RING); /* nor whoever was granted it */
	/* It ends well after all; that does not start it again. */
	says(f, 3, IDENTITY_C, "2.0");
	EXPECT(f, 0, 5, 2, 0, 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
}

static void
test_rollouts_silence(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[4];
	/* One of them comes every other day. */
	m[0] = known(f, 0, IDENTITY_B, "lab");
	for (unsigned k = 0; k < 8; k++) {
		f->r->now += 2 * DAY;
		says(f, 0, IDENTITY_B, "1.0");
	}
	assert_int_equal(m[0]->usual, 2 * DAY);
	for (unsigned i = 1; i < 4; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	f->record->issued = f->r->now;
	begin(f);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
	f->one->plan->rings[0].silent = 1000; /* only counted here */
	f->r->now += DAY;
	says(f, 1, IDENTITY_B, "1.0");
	says(f, 2, IDENTITY_D, "1.0"); /* that is not its voice */
	EXPECT(f, 0, 4, 0, 0, 0);
	f->r->now += 1;
	EXPECT(f, 0, 4, 0, 0, 2); /* the third and the fourth */
	f->r->now += 5 * DAY;
	EXPECT(f, 0, 4, 0, 0, 4);
	says(f, 0, IDENTITY_B, "2.0");
	EXPECT(f, 0, 4, 1, 0, 3);
	f->one->plan->rings[0].silent = 250;
	EXPECT(f, 0, 4, 1, 0, 3);
	assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
}

static void
restart(struct fixture *f)
{
	rollouts_free(f->c->rollouts);
	f->c->rollouts = rollouts_new(f->c);
	rollouts_awake(f->c->rollouts);
	rollouts_begin(f->c->rollouts, id, f->record, &f->open);
	const struct rollouts_said said = { .since = f->record->issued };
	(void)rollouts_mend(f->c->rollouts, id, &said);
	f->one = rollouts_find(f->c->rollouts, id);
}

/* While control was away nobody could be heard; being started again changes nothing. */
static void
test_rollouts_silence_of_ours(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[4];
	for (unsigned i = 0; i < 4; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	begin(f);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
	rollouts_awake(f->c->rollouts);
	f->r->now += 3 * DAY;
	restart(f);
	EXPECT(f, 0, 4, 0, 0, 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	f->r->now += DAY - ROLLOUTS_AWAY_S;
	rollouts_awake(f->c->rollouts);
	EXPECT(f, 0, 4, 0, 0, 0);
	for (unsigned k = 0; k < 3; k++) {
		f->r->now += ROLLOUTS_AWAY_S / 2;
		restart(f);
	}
	EXPECT(f, 0, 4, 0, 0, 4);
	assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
}

/* A module counts in the ring of the group it is in now, and not only after the next start. */
static void
test_rollouts_another_group(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m = known(f, 1, IDENTITY_B, "lab"), *stays = known(f, 2, IDENTITY_B, "lab");
	bool open;
	begin(f);
	assert_int_equal(ask(f, m), GRANTS_YES);
	assert_int_equal(ask(f, stays), GRANTS_YES);
	EXPECT(f, 0, 2, 0, 0, 0);
	assert_int_equal(inventory_set(f->c->inventory, m->pseudonym, "field", NULL), 0);
	unsigned ring = rollouts_ring_of(f->c->rollouts, id, m, &open);
	assert_true(ring > 0 && !open);
	for (unsigned i = 0; i < 2; i++) {
		EXPECT(f, 0, 1, 0, 0, 0);
		EXPECT(f, ring, 1, 0, 0, 0);
		restart(f);
	}
	assert_int_equal(inventory_set(f->c->inventory, m->pseudonym, "lab", NULL), 0);
	EXPECT(f, 0, 2, 0, 0, 0);
}

static int64_t
wall_ahead(void *ctx)
{
	return control_rig_wall(ctx) + 40 * DAY * 1000000;
}

/* A clock that steps makes nobody silent, and none of the day's grants yesterday's. */
static void
test_rollouts_clock_steps(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[4];
	for (unsigned i = 0; i < 4; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	begin(f);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
	f->r->clock.wall_us = wall_ahead;
	EXPECT(f, 0, 4, 0, 0, 0);
	assert_int_equal(f->one->today, 4);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
}

/* Numbers in the database that no clock gives, and grants of modules that were forgotten. */
static void
test_rollouts_strange_grants(void **state)
{
	struct fixture *f = *state;
	static const int64_t at[] = { INT64_MIN, INT64_MAX, -1 };
	begin(f);
	for (unsigned i = 0; i < 3; i++) {
		const struct inventory_module *m = known(f, i, IDENTITY_B, "lab");
		assert_int_equal(grants_replay(f->c->grants, m->pseudonym, id, at[i]), 0);
	}
	const uint8_t forgotten[MSG_ID] = { 9 };
	assert_int_equal(grants_replay(f->c->grants, forgotten, id, f->r->now), 0);
	EXPECT(f, 0, 1, 0, 0, 0);
	assert_int_equal(f->one->today, 2); /* that of a day to come, and the one of nobody */
}

static void
test_rollouts_pace(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[12];
	for (unsigned i = 0; i < 12; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	begin(f);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(ask(f, m[i]), i < 6 ? GRANTS_YES : GRANTS_PACED); /* six at a time */
	assert_int_equal(ask(f, m[0]), GRANTS_YES);                               /* who has begun goes on */
	for (unsigned i = 0; i < 5; i++)
		says(f, i, IDENTITY_B, "2.0");
	(void)counted(f, 0);
	for (unsigned i = 6; i < 12; i++)
		assert_int_equal(ask(f, m[i]), i < 8 ? GRANTS_YES : GRANTS_PACED); /* eight a day */
	f->r->now += DAY;
	for (unsigned i = 0; i < 12; i++)
		says(f, i, IDENTITY_B, i < 8 ? "2.0" : "1.0");
	(void)counted(f, 0);
	assert_int_equal(ask(f, m[8]), GRANTS_YES);
}

/* After a start the pace is not there anew until all grants were counted. */
static void
test_rollouts_pace_after_a_start(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[8];
	for (unsigned i = 0; i < 8; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	begin(f);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
	restart(f);
	assert_int_equal(ask(f, m[6]), GRANTS_PACED);
	assert_int_equal(ask(f, m[0]), GRANTS_YES);
	EXPECT(f, 0, 6, 0, 0, 0);
	assert_int_equal(ask(f, m[6]), GRANTS_PACED);
	says(f, 0, IDENTITY_B, "2.0");
	EXPECT(f, 0, 6, 1, 0, 0);
	assert_int_equal(ask(f, m[6]), GRANTS_YES);
}

/* Beside the plan's own limits each group has one: a fleet in one cell, or behind one APN, does not come all at once. */
static void
test_rollouts_group_paces(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *lab[3], *other[3];
	begin(f);
	f->one->plan->concurrent = f->one->plan->per_day = 100;
	f->one->plan->group_per_day = 2;
	for (unsigned i = 0; i < 3; i++) {
		lab[i] = known(f, i, IDENTITY_B, "lab");
		other[i] = known(f, 10 + i, IDENTITY_B, "lab");
	}
	f->one->plan->rings[0].groups_n = 2;
	snprintf(f->one->plan->rings[0].groups[1], sizeof f->one->plan->rings[0].groups[1], "cell-7");
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(inventory_set(f->c->inventory, other[i]->pseudonym, "cell-7", NULL), 0);
	/* Without memory to count by group nobody new gets it. */
	assert_int_equal(ask(f, lab[0]), GRANTS_PACED);
	f->one->caps = rollouts_caps_new();
	f->one->caps_round = rollouts_caps_new();
	assert_int_equal(ask(f, lab[0]), GRANTS_YES);
	assert_int_equal(ask(f, lab[1]), GRANTS_YES);
	assert_int_equal(ask(f, lab[2]), GRANTS_PACED);
	assert_int_equal(rollouts_paced_share(f->c->rollouts, id, lab[2]), ROLLOUTS_BY_GROUP);
	assert_int_equal(ask(f, lab[0]), GRANTS_YES); /* it has it already */
	assert_int_equal(rollouts_paced_share(f->c->rollouts, id, other[0]), ROLLOUTS_SHARES);
	assert_int_equal(ask(f, other[0]), GRANTS_YES);
	EXPECT(f, 0, 3, 0, 0, 0); /* counted anew, it is the same */
	assert_int_equal(ask(f, lab[2]), GRANTS_PACED);
	assert_int_equal(ask(f, other[1]), GRANTS_YES);
	assert_int_equal(ask(f, other[2]), GRANTS_PACED);
	/* A day later both have room; at a time is another limit, which an end makes room in. */
	f->r->now += DAY;
	f->one->plan->group_concurrent = 2;
	EXPECT(f, 0, 4, 0, 0, 0);
	assert_int_equal(ask(f, lab[2]), GRANTS_PACED);
	says(f, 0, IDENTITY_B, "2.0");
	EXPECT(f, 0, 4, 1, 0, 0);
	assert_int_equal(ask(f, other[2]), GRANTS_PACED);
	assert_int_equal(ask(f, lab[2]), GRANTS_YES);
}

/* A cell and an APN are what tags say; whoever has no such tag is in one with all others like it. */
static void
test_rollouts_cell_paces(void **state)
{
	struct fixture *f = *state;
	struct inventory_import done;
	const struct inventory_module *m[6];
	static const char csv[] = "kind,identity,group,product,version,tags\n"
	    "serial,module-0,lab,EC25,1.0,cell-7 apn-iot\nserial,module-1,lab,EC25,1.0,cell-7 apn-iot\n"
	    "serial,module-2,lab,EC25,1.0,cell-8 apn-iot\nserial,module-3,lab,EC25,1.0,roof\nserial,module-4,lab,EC25,1.0,\n"
	    "serial,module-5,lab,EC25,1.0,cell-9\n";
	for (unsigned i = 0; i < 6; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	assert_int_equal(inventory_import(f->c->inventory, view_str(csv), "acme-rtr", false, &done), 0);
	assert_int_equal(done.problems_n, 0);
	begin(f);
	f->one->plan->concurrent = f->one->plan->per_day = 100;
	f->one->plan->cell_concurrent = 1;
	f->one->caps = rollouts_caps_new();
	f->one->caps_round = rollouts_caps_new();
	assert_int_equal(ask(f, m[0]), GRANTS_YES);
	assert_int_equal(ask(f, m[1]), GRANTS_PACED);
	assert_int_equal(rollouts_paced_share(f->c->rollouts, id, m[1]), ROLLOUTS_BY_CELL);
	assert_int_equal(ask(f, m[2]), GRANTS_YES);
	assert_int_equal(ask(f, m[3]), GRANTS_YES);
	assert_int_equal(ask(f, m[4]), GRANTS_PACED);
	EXPECT(f, 0, 3, 0, 0, 0);
	assert_int_equal(ask(f, m[1]), GRANTS_PACED);
	says(f, 0, IDENTITY_B, "2.0");
	EXPECT(f, 0, 3, 1, 0, 0);
	f->one->plan->apn_per_day = 2; /* m[0] and m[2] had it today, done or not */
	assert_int_equal(rollouts_paced_share(f->c->rollouts, id, m[1]), ROLLOUTS_SHARES); /* nobody counted by APN yet */
	EXPECT(f, 0, 3, 1, 0, 0);
	assert_int_equal(rollouts_paced_share(f->c->rollouts, id, m[1]), ROLLOUTS_BY_APN);
	assert_int_equal(ask(f, m[1]), GRANTS_PACED);
	assert_int_equal(ask(f, m[5]), GRANTS_YES);
}

#define MANY 3000u

/* Counting goes by slices: what is half counted decides nothing, and what is granted meanwhile is not forgotten. */
static void
test_rollouts_rounds(void **state)
{
	struct fixture *f = *state;
	struct rollouts *r = f->c->rollouts;
	unsigned slices = 1;
	for (unsigned i = 0; i <= MANY; i++)
		(void)known(f, i, IDENTITY_B, "lab");
	f->record->terms.max_devices = MANY + 1;
	begin(f);
	f->one->plan->concurrent = f->one->plan->per_day = MANY + 1;
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(ask(f, says(f, i, IDENTITY_B, "1.0")), GRANTS_YES);
	EXPECT(f, 0, MANY, 0, 0, 0);
	for (unsigned i = 0; i < MANY; i++)
		served(f, says(f, i, IDENTITY_B, "1.0"));
	f->r->now += 3600;
	for (unsigned i = 0; i < MANY; i++)
		says(f, i, IDENTITY_B, i % 2 ? "1.0" : "2.0");
	while (!rollouts_count(r, 0)) { /* the clock is past that: one slice */
		slices++;
		assert_int_equal(f->one->standing.count[0].success + f->one->standing.count[0].failure, 0);
		if (slices == 2) {
			says(f, MANY, IDENTITY_B, "1.0");
			f->one->under_way = 0;
			assert_int_equal(ask(f, says(f, MANY, IDENTITY_B, "1.0")), GRANTS_YES);
		}
	}
	assert_int_equal(slices, grants_places(f->c->grants) / ROLLOUTS_PLACES);
	assert_true(slices > 2);
	assert_int_equal(f->one->standing.count[0].success, MANY / 2);
	assert_int_equal(f->one->standing.count[0].failure, MANY / 2);
	assert_true(f->one->under_way == 1 || f->one->under_way == 2); /* it may have been met as well */
	/* One that ends meanwhile takes its numbers along. */
	assert_false(rollouts_count(r, 0));
	rollouts_end(r, id);
	while (!rollouts_count(r, 0))
		;
}

/* What the log says of results, at a start; without a class it is a claim's word. */
static void
test_rollouts_replay(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[5];
	for (unsigned i = 0; i < 5; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	begin(f);
	f->one->plan->rings[0].failed = 1000;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
		served(f, m[i]);
	}
	f->r->now += 3600;
	struct rollouts *r = f->c->rollouts;
	rollouts_replay(r, m[0]->pseudonym, id, view_str("success"), view_str("B"), f->r->now);
	rollouts_replay(r, m[1]->pseudonym, id, view_str("success"), view_str("D"), f->r->now);
	rollouts_replay(r, m[2]->pseudonym, id, view_str(""), view_str(""), f->r->now); /* as before there were classes */
	rollouts_replay(r, m[3]->pseudonym, id, view_str("failure"), view_str("A"), f->r->now);
	rollouts_replay(r, m[4]->pseudonym, id, view_str("success"), view_str("A"), f->r->now); /* was never granted it */
	EXPECT(f, 0, 4, 1, 1, 0);
	/* What was said since this life began is newer than what the log had at its start. */
	says(f, 3, IDENTITY_B, "2.0");
	rollouts_replay(r, m[3]->pseudonym, id, view_str("failure"), view_str("A"), f->r->now - 1);
	EXPECT(f, 0, 4, 2, 0, 0);
}

/* At a start the log gets no success again that it has, and those it has not when it was read. */
static void
test_rollouts_told_once(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[3];
	const struct grants_fate *fate[3];
	struct rollouts *r = f->c->rollouts;
	assert_int_equal(grants_release_add(f->c->grants, id, f->record, "field", true), 0);
	rollouts_begin(r, id, f->record, &f->open);
	for (unsigned i = 0; i < 3; i++) {
		m[i] = known(f, i, IDENTITY_B, "lab");
		assert_int_equal(grants_replay(f->c->grants, m[i]->pseudonym, id, f->r->now), 0);
		says(f, i, IDENTITY_B, i < 2 ? "2.0" : "1.0");
	}
	for (unsigned i = 0; i < 3; i++) {
		fate[i] = grants_fate_of(f->c->grants, m[i]->pseudonym, id);
		assert_int_equal(fate[i]->told, ROLLOUT_UNCOUNTED);
	}
	/* Older than what it said in this life, which stays its last word. */
	rollouts_replay(r, m[0]->pseudonym, id, view_str("failure"), view_str("B"), f->r->now - 20);
	rollouts_replay(r, m[0]->pseudonym, id, view_str("success"), view_str("B"), f->r->now - 10);
	assert_int_equal(fate[0]->told, ROLLOUT_SUCCESS);
	rollouts_replay(r, m[1]->pseudonym, id, view_str("silent"), view_str("B"), f->r->now - 10);
	assert_int_equal(fate[1]->told, ROLLOUT_SILENT);
	assert_int_equal(fate[1]->word, ROLLOUT_WORD_NEW);
	rollouts_mended(r);
	assert_true(r->owes);
	rollouts_tell_owed(r, INT64_MAX);
	assert_false(r->owes);
	assert_int_equal(fate[1]->told, ROLLOUT_SUCCESS);
	assert_int_equal(fate[2]->told, ROLLOUT_UNCOUNTED);
	/* From then on at once. */
	says(f, 2, IDENTITY_B, "2.0");
	assert_int_equal(fate[2]->told, ROLLOUT_SUCCESS);
	assert_false(r->owes);
}

/* A failure that is in the log is one, though the database has forgotten that the module ever had all of it. */
static void
test_rollouts_failure_is_kept(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m = known(f, 0, IDENTITY_B, "lab");
	begin(f);
	f->one->plan->rings[0].failed = 1000;
	assert_int_equal(ask(f, m), GRANTS_YES);
	f->r->now += 3600;
	rollouts_replay(f->c->rollouts, m->pseudonym, id, view_str("failure"), view_str("B"), f->r->now);
	EXPECT(f, 0, 1, 0, 1, 0);
	says(f, 0, IDENTITY_B, "1.0");
	EXPECT(f, 0, 1, 0, 1, 0);
	says(f, 0, IDENTITY_B, "2.0");
	EXPECT(f, 0, 1, 1, 0, 0);
}

/* Of two releases the later one makes no failure of the one before, where versions only differ. */
static void
test_rollouts_two_of_one_product(void **state)
{
	struct fixture *f = *state;
	static const uint8_t next[RELEASE_ID] = { 8 };
	const struct inventory_module *m = known(f, 0, IDENTITY_B, "lab"), *other = known(f, 1, IDENTITY_B, "lab");
	begin(f);
	f->one->plan->rings[0].failed = 1000;
	assert_int_equal(ask(f, m), GRANTS_YES);
	assert_int_equal(ask(f, other), GRANTS_YES);
	served(f, m);
	served(f, other);
	says(f, 0, IDENTITY_B, "2.0");
	EXPECT(f, 0, 2, 1, 0, 0);
	snprintf(f->record->terms.target, sizeof f->record->terms.target, "Z");
	assert_int_equal(grants_release_add(f->c->grants, next, f->record, "field", true), 0);
	rollouts_begin(f->c->rollouts, next, f->record, &f->open);
	rollouts_mended(f->c->rollouts);
	f->r->now += 3600;
	assert_int_equal(grants_ask(f->c->grants, m, next, f->r->now, f->r->now).reason, GRANTS_YES);
	says(f, 0, IDENTITY_B, "Z");
	says(f, 1, IDENTITY_B, "Z"); /* it was never granted that */
	EXPECT(f, 0, 2, 1, 1, 0);
	f->r->now += 3600;
	says(f, 0, IDENTITY_B, "1.0"); /* and back to where it was: neither of them holds */
	EXPECT(f, 0, 2, 0, 2, 0);
}

/* When all rings have shown what they must, most modules may still be to come. */
static void
test_rollouts_done_is_watched(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[6];
	for (unsigned i = 0; i < 6; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	begin(f);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
		served(f, m[i]);
		says(f, i, IDENTITY_B, "2.0");
	}
	f->one->standing.ring = 2;
	f->one->standing.state = ROLLOUT_DONE;
	EXPECT(f, 0, 6, 6, 0, 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_DONE);
	f->r->now += 3600;
	says(f, 0, IDENTITY_B, "1.0");
	EXPECT(f, 0, 6, 5, 1, 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_DONE);
	says(f, 1, IDENTITY_B, "1.0");
	EXPECT(f, 0, 6, 4, 2, 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
	assert_int_equal(ask(f, m[5]), GRANTS_RING);
}

/* What is withheld goes on to no ring. */
static void
test_rollouts_withheld(void **state)
{
	struct fixture *f = *state;
	struct sample *s = sample_new(64, "EC25", "2.0");
	struct releases *all = f->c->releases;
	memcpy(s->r.terms.policy, f->record->terms.policy, sizeof s->r.terms.policy);
	sample_seal(s);
	assert_int_equal(releases_take(all, s->id, writer_view(&s->record)), 0);
	f->one = rollouts_find(f->c->rollouts, s->id);
	assert_true(f->one && f->one->plan);
	assert_true(rollouts_may_open(f->c->rollouts, f->one));
	releases_withhold(all, s->id, "the policy in force does not let it pass");
	assert_false(rollouts_may_open(f->c->rollouts, f->one));
	releases_withhold(all, s->id, NULL);
	assert_true(rollouts_may_open(f->c->rollouts, f->one));
	f->one->opening = true;
	assert_false(rollouts_may_open(f->c->rollouts, f->one));
	sample_free(s);
}

/* A release as the warden made it, which names its plan, taken in; its rollout has begun. */
static struct sample *
released(struct fixture *f)
{
	struct sample *s = sample_new(64, "EC25", "2.0");
	struct rollout_plan plan;
	bool have;
	memcpy(s->r.terms.policy, f->record->terms.policy, sizeof s->r.terms.policy);
	s->r.terms.have_plan = true;
	assert_int_equal(rollouts_plan_of(f->c, "acme-rtr", s->r.terms.policy, &plan, &have, s->r.terms.plan), 0);
	sample_seal(s);
	assert_int_equal(releases_take(f->c->releases, s->id, writer_view(&s->record)), 0);
	grants_release_drop(f->c->grants, s->id);
	assert_int_equal(grants_release_add(f->c->grants, s->id, f->record, "field", true), 0); /* of today */
	rollouts_mended(f->c->rollouts);
	f->one = rollouts_find(f->c->rollouts, s->id);
	assert_true(f->one && f->one->plan && f->one->standing.state == ROLLOUT_RUNNING);
	return s;
}

/* One ring is held by one person, at once, and the others go on; only what people sign lets it go on again. */
static void
test_rollouts_held(void **state)
{
	struct fixture *f = *state;
	struct sample *s = released(f);
	struct rollouts *r = f->c->rollouts;
	const struct inventory_module *lab = known(f, 1, IDENTITY_B, "lab"), *half = NULL;
	struct approval_terms t;
	char why[MSG_TEXT_MAX];
	struct db_rollout row;
	bool open;
	f->one->issued = f->r->now + 10; /* so that nobody is new */
	f->one->standing.ring = 1;
	for (unsigned i = 2; !half; i++) {
		const struct inventory_module *m = known(f, i, IDENTITY_B, "field");
		half = rollouts_ring_of(r, s->id, m, &open) == 1 ? m : NULL;
	}
	lab = inventory_by_pseudonym(f->c->inventory, says(f, 1, IDENTITY_B, "1.0")->pseudonym);
	assert_true(rollouts_ring_of(r, s->id, lab, &open) == 0 && open);
	assert_int_equal(rollouts_hold(r, s->id, view_str("nobody"), "alice", "no such ring"), FG_ENOTFOUND);
	assert_int_equal(rollouts_hold(r, id, view_str("lab"), "alice", "no such release"), FG_ENOTFOUND);
	assert_non_null(rollouts_terms(r, s->id, APPROVAL_STEP_UNHOLD, view_str("lab"), &t, why));
	assert_int_equal(rollouts_hold(r, s->id, view_str("lab"), "alice", "the lab is on fire"), 0);
	assert_int_equal(rollouts_hold(r, s->id, view_str("lab"), "bob", "twice is not more"), FG_EEXIST);
	assert_true(rollouts_ring_of(r, s->id, lab, &open) == 0 && !open);
	assert_true(rollouts_ring_of(r, s->id, half, &open) == 1 && open);
	assert_int_equal(grants_ask(f->c->grants, lab, s->id, f->r->now, f->r->now).reason, GRANTS_RING);
	assert_int_equal(grants_ask(f->c->grants, half, s->id, f->r->now, f->r->now).reason, GRANTS_YES);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	assert_int_equal(db_rollout_get(f->c->db, s->id, &row), 0);
	assert_true(row.held == 1 && row.stopped == f->r->now);
	/* The next stop has a name of its own, also in the same second. */
	assert_int_equal(rollouts_hold(r, s->id, view_str("rest"), "alice", "before it is open"), 0);
	assert_int_equal(f->one->stopped, f->r->now + 1);

	assert_null(rollouts_terms(r, s->id, APPROVAL_STEP_UNHOLD, view_str("lab"), &t, why));
	assert_true(t.halted_at == f->r->now + 1 && t.over.n == 0 && t.max_devices == s->r.terms.max_devices);
	assert_string_equal(t.ring, "lab");
	struct approval_terms other = t;
	other.halted_at--;
	assert_int_equal(rollouts_continue(r, &other, "alice", "of the stop before"), FG_ESTATE);
	other = t;
	other.plan[0] ^= 1;
	assert_int_equal(rollouts_continue(r, &other, "alice", "by another plan"), FG_ESTATE);
	other = t;
	snprintf(other.ring, sizeof other.ring, "half");
	assert_int_equal(rollouts_continue(r, &other, "alice", "which nobody holds"), FG_ESTATE);
	assert_int_equal(f->one->standing.held, 5);
	f->r->now += 60;
	assert_int_equal(rollouts_continue(r, &t, "alice", "the fire is out"), 0);
	assert_true(f->one->standing.held == 4 && f->one->standing.since == f->r->now);
	assert_true(rollouts_ring_of(r, s->id, lab, &open) == 0 && open);
	assert_int_equal(rollouts_continue(r, &t, "alice", "once is enough"), FG_ESTATE);
	/* Started again: what the database or the log has as held is held. */
	rollouts_end(r, s->id);
	rollouts_begin(r, s->id, &s->r, &f->open);
	const struct rollouts_said said = { .ring = 1, .since = f->r->now, .held = 1, .stopped = f->r->now + 5 };
	assert_non_null(rollouts_mend(r, s->id, &said));
	f->one = rollouts_find(r, s->id);
	assert_true(f->one->standing.held == 5 && f->one->stopped == f->r->now + 5);
	sample_free(s);
}

/* A pause is somebody's, with a reason, and people may be signing for its end: a ring held meanwhile takes none of it. */
static void
test_rollouts_held_while_paused(void **state)
{
	struct fixture *f = *state;
	struct sample *s = released(f);
	struct rollouts *r = f->c->rollouts;
	struct approval_terms end, ring;
	struct db_rollout row;
	char why[MSG_TEXT_MAX];
	f->r->now += 60;
	assert_int_equal(rollouts_pause(r, s->id, "alice", "two bricks in Graz"), 0);
	assert_null(rollouts_terms(r, s->id, APPROVAL_STEP_RESUME, view_of(NULL, 0), &end, why));
	f->r->now += 60;
	assert_int_equal(rollouts_hold(r, s->id, view_str("lab"), "bob", "the lab is on fire"), 0);
	assert_int_equal(db_rollout_get(f->c->db, s->id, &row), 0);
	assert_true(row.state == ROLLOUT_PAUSED && row.held == 1 && row.stopped == end.halted_at);
	assert_string_equal(row.by, "alice");
	assert_string_equal(row.reason, "two bricks in Graz");
	assert_string_equal(f->one->reason, "two bricks in Graz");
	/* The ring goes on, and is held again: what was signed for the first time, and not needed, is void. */
	assert_null(rollouts_terms(r, s->id, APPROVAL_STEP_UNHOLD, view_str("lab"), &ring, why));
	assert_int_equal(rollouts_continue(r, &ring, "carol", "the fire is out"), 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
	f->r->now += 60;
	assert_int_equal(rollouts_hold(r, s->id, view_str("lab"), "bob", "it is not"), 0);
	assert_int_equal(rollouts_continue(r, &ring, "carol", "but it was"), FG_ESTATE);
	assert_int_equal(f->one->standing.held, 1);
	assert_string_equal(f->one->by, "carol");
	/* Another ring takes nothing of that stop; its end lets go on what is not held. */
	assert_null(rollouts_terms(r, s->id, APPROVAL_STEP_RESUME, view_of(NULL, 0), &end, why));
	assert_int_equal(rollouts_hold(r, s->id, view_str("half"), "bob", "it spreads"), 0);
	assert_int_equal(rollouts_continue(r, &end, "alice", "the rest is well"), 0);
	assert_true(f->one->standing.state == ROLLOUT_RUNNING && f->one->standing.held == 3);
	sample_free(s);
}

/* Nothing of what is over can be held; that it is held already is another answer. */
static void
test_rollouts_over_is_not_held(void **state)
{
	static const struct {
		enum rollout_state state;
		const char *says;
	} over[] = { { ROLLOUT_ABORTED, "the rollout is aborted" }, { ROLLOUT_SUPERSEDED, "the rollout is superseded" } };
	struct fixture *f = *state;
	struct sample *s = released(f);
	people_rig_give(f->r);
	char hex[2 * RELEASE_ID + 1], args[256];
	int64_t stopped = f->one->stopped;
	hex_encode(s->id, RELEASE_ID, hex);
	snprintf(args, sizeof args, "{\"reason\":\"to be sure\",\"release\":\"%s\",\"ring\":\"lab\"}", hex);
	for (unsigned i = 0; i < sizeof over / sizeof over[0]; i++) {
		f->one->standing.state = over[i].state;
		struct call_heard *h = call_rig_ask(f->c, requests_rollout_hold, args);
		assert_int_equal(h->status, CALL_REFUSED);
		if (!strstr(h->json, over[i].says))
			fail_msg("%s", h->json);
		free(h);
		assert_true(f->one->standing.held == 0 && f->one->stopped == stopped && !f->one->reason[0]);
		assert_int_equal(f->one->standing.state, over[i].state);
	}
	f->one->standing.state = ROLLOUT_RUNNING;
	f->one->standing.held = 1;
	struct call_heard *h = call_rig_ask(f->c, requests_rollout_hold, args);
	assert_int_equal(h->status, CALL_REFUSED);
	assert_non_null(strstr(h->json, "the ring is held already"));
	free(h);
	people_free(f->c->people);
	sample_free(s);
}

/* What people signed to go on over pauses nothing again, and what comes after does. */
static void
test_rollouts_resumed(void **state)
{
	struct fixture *f = *state;
	struct sample *s = released(f);
	struct rollouts *r = f->c->rollouts;
	struct approval_terms t;
	char why[MSG_TEXT_MAX];
	f->one->standing.count[0] = (struct rollout_count){ 6, 3, 2, 1 };
	assert_non_null(rollouts_terms(r, s->id, APPROVAL_STEP_RESUME, view_of(NULL, 0), &t, why));
	assert_non_null(strstr(why, "is running, not paused"));
	assert_int_equal(rollouts_pause(r, s->id, "control", "as many failed as pause it"), 0);
	assert_null(rollouts_terms(r, s->id, APPROVAL_STEP_RESUME, view_of(NULL, 0), &t, why));
	assert_true(t.over.n == 1 && t.halted_at == f->one->stopped);
	assert_string_equal(t.over.word[0], "lab: 2 failed, 1 silent");
	/* More failed while it was signed: those are not forgiven. */
	f->one->standing.count[0] = (struct rollout_count){ 6, 2, 3, 1 };
	assert_int_equal(rollouts_continue(r, &t, "bob", "the two were bricked by hand"), 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	assert_true(f->one->standing.over[0].failure == 2 && f->one->standing.over[0].silent == 1);
	assert_string_equal(f->one->by, "bob");
	assert_int_equal(rollouts_pause(r, s->id, "carol", "on second thoughts"), 0);
	assert_int_equal(rollouts_continue(r, &t, "bob", "signed for the stop before"), FG_ESTATE);
	/* A ring that waits for people: not before the one before it has shown all that it must. */
	assert_null(rollouts_terms(r, s->id, APPROVAL_STEP_RESUME, view_of(NULL, 0), &t, why));
	assert_int_equal(rollouts_continue(r, &t, "bob", "first thoughts were right"), 0);
	assert_non_null(rollouts_terms(r, s->id, APPROVAL_STEP_OPEN, view_of(NULL, 0), &t, why));
	f->one->plan->rings[1].human = true;
	assert_non_null(rollouts_terms(r, s->id, APPROVAL_STEP_OPEN, view_of(NULL, 0), &t, why));
	assert_non_null(strstr(why, "not been open for long enough"));
	f->r->now += 3600;
	memset(f->one->standing.count, 0, sizeof f->one->standing.count);
	f->one->standing.count[0] = (struct rollout_count){ 6, 6, 0, 0 };
	assert_null(rollouts_terms(r, s->id, APPROVAL_STEP_OPEN, view_of(NULL, 0), &t, why));
	assert_string_equal(t.ring, "half");
	assert_int_equal(rollouts_continue(r, &t, "bob", "the lab is content"), 0);
	assert_int_equal(f->one->standing.opens, 1);
	assert_int_equal(rollout_next(f->one->plan, &f->one->standing, f->r->now).verdict, ROLLOUT_OPEN);
	/* A stop after the signature: it opens nothing any more. */
	assert_int_equal(rollouts_pause(r, s->id, "carol", "not today"), 0);
	assert_int_equal(f->one->standing.opens, 0);
	sample_free(s);
}

/* What was sent is counted by release, and by the group that modules are in now. */
static void
test_rollouts_bytes(void **state)
{
	struct fixture *f = *state;
	const struct inventory_module *m[5];
	struct writer w;
	struct jsonw j;
	static const char told[] =
	    "{\"data\":[{\"bytes\":15,\"group\":\"lab\",\"modules\":4,\"release\":\"07070000000000000000000000000000\","
	    "\"review\":\"\"},{\"bytes\":5,\"group\":\"field\",\"modules\":1,"
	    "\"release\":\"07070000000000000000000000000000\",\"review\":\"\"}],\"data_other\":0}";
	for (unsigned i = 0; i < 5; i++)
		m[i] = known(f, i, IDENTITY_B, "lab");
	begin(f);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(ask(f, m[i]), GRANTS_YES);
		if (i < 4)
			served(f, m[i]);
	}
	EXPECT(f, 0, 5, 0, 0, 0);
	assert_int_equal(f->one->bytes, 20);
	assert_int_equal(inventory_set(f->c->inventory, m[0]->pseudonym, "field", NULL), 0);
	writer_init(&w, 4096);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	assert_int_equal(datacost_put(f->c, &j), 0);
	jsonw_object_end(&j);
	assert_true(view_is(writer_view(&w), told));
	writer_free(&w);
}

/* A newer release for the same modules takes the place of a rollout, and nothing less does. */
static void
test_rollouts_superseded(void **state)
{
	struct fixture *f = *state;
	struct sample *old = released(f), *fewer = sample_new(64, "EC25", "2.1"), *newer = sample_new(65, "EC25", "2.2");
	struct approval_terms *t = &fewer->r.terms;
	char text[LINEAGE_TEXT_CAP];
	struct db_rollout row;
	f->c->warden_listed = true;
	memcpy(t->policy, f->record->terms.policy, sizeof t->policy);
	memcpy(newer->r.terms.policy, t->policy, sizeof t->policy);
	snprintf(newer->r.terms.review, sizeof newer->r.terms.review, "R-9");
	t->max_devices = old->r.terms.max_devices - 1;
	sample_seal(fewer);
	sample_seal(newer);
	assert_int_equal(releases_take(f->c->releases, fewer->id, writer_view(&fewer->record)), 0);
	lineage_supersede(f->c);
	assert_non_null(rollouts_find(f->c->rollouts, old->id));
	lineage_places(f->c, t, text);
	assert_string_equal(text, "");
	lineage_places(f->c, &newer->r.terms, text);
	assert_string_equal(text, "supersedes R-1, R-1");
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", NULL, text);
	assert_non_null(strstr(text, "no way back, because R-1, 2."));
	assert_non_null(strstr(text, "The module has a newer version"));
	lineage_way_back(f->c, "acme-rtr", "EC21", "2.2", NULL, text);
	assert_string_equal(text, "no way back, because no older release of this product is in force");
	/* One that begins later takes no place before. */
	newer->r.terms.not_before = f->r->now + DAY;
	sample_seal(newer);
	assert_int_equal(releases_take(f->c->releases, newer->id, writer_view(&newer->record)), 0);
	lineage_supersede(f->c);
	assert_non_null(rollouts_find(f->c->rollouts, old->id));
	f->r->now += DAY;
	lineage_supersede(f->c);
	assert_non_null(rollouts_find(f->c->rollouts, old->id)); /* nor one that nobody is offered */
	rollouts_mended(f->c->rollouts);
	lineage_supersede(f->c);
	assert_null(rollouts_find(f->c->rollouts, old->id));
	assert_null(rollouts_find(f->c->rollouts, fewer->id));
	assert_non_null(rollouts_find(f->c->rollouts, newer->id));
	assert_int_equal(db_rollout_get(f->c->db, old->id, &row), 0);
	assert_int_equal(row.state, ROLLOUT_SUPERSEDED);
	assert_string_equal(row.reason, "superseded by R-9, which is newer and for the same modules");
	sample_free(old);
	sample_free(fewer);
	sample_free(newer);
}

/* A stored report that says this of the module's counter. */
static void
counts(struct fixture *f, const char *counter, uint8_t digest[DIGEST_SHA256_LEN])
{
	struct report *r = report_new(REPORT_WHOLE);
	struct contents_fact *fact = &r->contents.fact[r->contents.facts_n++];
	struct writer w;
	snprintf(r->inputs.inspector, sizeof r->inputs.inspector, "%s", REPORT_INSPECTOR);
	r->have_image = true;
	r->format = FORMAT_MCUBOOT;
	r->size = 64;
	r->contents.walked = true;
	*fact = (struct contents_fact){ .id = CONTENTS_FACT_SECURITY_COUNTER };
	snprintf(fact->value, sizeof fact->value, "%s", counter);
	report_raise(r, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	assert_int_equal(entail_raise(r, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	assert_int_equal(report_digest(writer_view(&w), digest), 0);
	assert_int_equal(files_doc_put(f->c->files, FILES_REPORT, digest, writer_view(&w)), 0);
	writer_free(&w);
	report_free(r);
}

/* A stored report of a delta that makes an image with that report. */
static void
makes(struct fixture *f, const uint8_t target[DIGEST_SHA256_LEN], uint8_t digest[DIGEST_SHA256_LEN])
{
	struct report *r = report_new(REPORT_WHOLE);
	struct report_delta *d = &r->delta;
	struct writer w;
	snprintf(r->inputs.inspector, sizeof r->inputs.inspector, "%s", REPORT_INSPECTOR);
	r->have_image = r->have_delta = r->inputs.have_base = true;
	r->format = FORMAT_BSDIFF;
	r->size = d->patch_size = 64;
	d->result = (struct delta_result){ .outcome = DELTA_APPLIED, .applier = "bsdiff40/1", .target_size = 64, .from_patch = 64 };
	d->have_target = true;
	memcpy(d->target_report, target, DIGEST_SHA256_LEN);
	d->target_verdict = REPORT_REVIEW;
	assert_int_equal(entail_raise(r, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	assert_int_equal(report_digest(writer_view(&w), digest), 0);
	assert_int_equal(files_doc_put(f->c->files, FILES_REPORT, digest, writer_view(&w)), 0);
	writer_free(&w);
	report_free(r);
}

/* A way back that the gateway would offer and the module would refuse is none, before anybody approves. */
static void
test_way_back_counters(void **state)
{
	struct fixture *f = *state;
	struct sample *back[2] = { sample_new(64, "EC25", "winter"), sample_new(65, "EC25", "spring") };
	uint8_t higher[DIGEST_SHA256_LEN], same[DIGEST_SHA256_LEN], unknown[DIGEST_SHA256_LEN] = { 1 };
	char text[LINEAGE_TEXT_CAP];
	counts(f, "5", higher);
	counts(f, "3", same);
	for (unsigned i = 0; i < 2; i++) {
		struct approval_terms *t = &back[i]->r.terms;
		t->from_versions.n = 0;
		assert_int_equal(approval_list_add(&t->from_versions, "2.2"), 0);
		snprintf(t->review, sizeof t->review, "R-%u", 7 + i);
		memcpy(t->policy, f->record->terms.policy, sizeof t->policy);
		uint8_t made[DIGEST_SHA256_LEN];
		counts(f, i ? "4" : "3", made);
		makes(f, made, t->report);
		if (i == 0)
			memcpy(t->report, made, sizeof made);
		sample_seal(back[i]);
	}
	assert_int_equal(releases_take(f->c->releases, back[0]->id, writer_view(&back[0]->record)), 0);
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", NULL, text);
	assert_string_equal(text, "way back: R-7, winter");
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", same, text);
	assert_string_equal(text, "way back: R-7, winter");
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", unknown, text);
	assert_string_equal(text, "way back: R-7, winter");
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", higher, text);
	assert_string_equal(text, "no way back, because R-7, winter, would be refused by such a module: security-counter 3 after 5");
	/* A delta leads where its target is. */
	uint8_t delta[DIGEST_SHA256_LEN], gone[DIGEST_SHA256_LEN];
	makes(f, higher, delta);
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", delta, text);
	assert_string_equal(text, "no way back, because R-7, winter, would be refused by such a module: security-counter 3 after 5");
	makes(f, unknown, gone);
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", gone, text);
	assert_string_equal(text, "way back: R-7, winter");
	/* Another one that it takes is the way back. */
	uint8_t four[DIGEST_SHA256_LEN];
	counts(f, "4", four);
	assert_int_equal(releases_take(f->c->releases, back[1]->id, writer_view(&back[1]->record)), 0);
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", four, text);
	assert_string_equal(text, "way back: R-8, spring");
	/* And one that is made by a delta is refused as what it makes. */
	lineage_way_back(f->c, "acme-rtr", "EC25", "2.2", higher, text);
	assert_non_null(strstr(text, "R-8, spring, would be refused by such a module: security-counter 4 after 5"));
	sample_free(back[0]);
	sample_free(back[1]);
}

#define SAID(r, at, p, c) { .ring = (r), .since = (at), .paused = (p), .closed = (c) }

static void
test_rollouts_mend(void **state)
{
	struct fixture *f = *state;
	static const struct {
		enum rollout_state was;
		unsigned ring;
		struct rollouts_said said;
		enum rollout_state is;
		unsigned to;
		bool differs;
	} rows[] = {
		{ ROLLOUT_RUNNING, 1, SAID(1, 100, false, false), ROLLOUT_RUNNING, 1, false },
		{ ROLLOUT_RUNNING, 2, SAID(1, 100, false, false), ROLLOUT_RUNNING, 1, true },
		{ ROLLOUT_RUNNING, 0, SAID(1, 100, false, false), ROLLOUT_RUNNING, 0, false }, /* behind it is no harm */
		{ ROLLOUT_RUNNING, 1, SAID(1, 200, false, false), ROLLOUT_RUNNING, 1, true },  /* longer than it was */
		{ ROLLOUT_RUNNING, 0, SAID(0, 101, false, false), ROLLOUT_RUNNING, 0, false }, /* the entry came a moment later */
		{ ROLLOUT_RUNNING, 1, SAID(1, 100, true, false), ROLLOUT_PAUSED, 1, true },
		{ ROLLOUT_DONE, 2, SAID(2, 100, false, false), ROLLOUT_RUNNING, 2, true },
		{ ROLLOUT_DONE, 2, SAID(2, 100, false, true), ROLLOUT_DONE, 2, false },
		{ ROLLOUT_DONE, 2, SAID(2, 100, true, true), ROLLOUT_PAUSED, 2, true },
		{ ROLLOUT_PAUSED, 1, SAID(1, 100, false, false), ROLLOUT_PAUSED, 1, false },
		{ ROLLOUT_NO_STATE, 0, SAID(1, 100, false, false), ROLLOUT_RUNNING, 1, true },
		{ ROLLOUT_NO_STATE, 0, SAID(1, 100, true, false), ROLLOUT_PAUSED, 1, true },
		{ ROLLOUT_NO_STATE, 0, SAID(250, 100, false, false), ROLLOUT_RUNNING, 0, true },
	};
	begin(f);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct db_rollout row;
		f->one->standing.state = rows[i].was;
		f->one->standing.ring = rows[i].ring;
		f->one->standing.since = 100;
		const char *how = rollouts_mend(f->c->rollouts, id, &rows[i].said);
		if ((how != NULL) != rows[i].differs || f->one->standing.state != rows[i].is || f->one->standing.ring != rows[i].to)
			fail_msg("row %u: %s, %s, ring %u", i, how ? how : "-", rollout_state_name(f->one->standing.state),
			    f->one->standing.ring);
		if (rows[i].said.ring == f->one->standing.ring) /* never earlier than it stands in the log */
			assert_true(f->one->standing.since >= rows[i].said.since);
		if (!how)
			continue;
		assert_int_equal(db_rollout_get(f->c->db, id, &row), 0);
		assert_int_equal(row.state, rows[i].is);
	}
	const uint8_t other[RELEASE_ID] = { 9 };
	assert_null(rollouts_mend(f->c->rollouts, other, &rows[0].said));
}

/* What the database has is taken up; what nobody wrote there is a pause. */
static void
test_rollouts_stored(void **state)
{
	struct fixture *f = *state;
	struct db_rollout row = { .state = ROLLOUT_RUNNING, .ring = 1, .since = 5, .plan = "careful" };
	memcpy(row.release, id, sizeof row.release);
	assert_int_equal(db_rollout_put(f->c->db, &row), 0);
	rollouts_begin(f->c->rollouts, id, f->record, &f->open);
	assert_true(f->open.share == ROLLOUT_PLACES / 2 && f->open.groups_n == 1 && !f->open.fresh);
	rollouts_end(f->c->rollouts, id);
	row.state = 77;
	assert_int_equal(db_rollout_put(f->c->db, &row), 0);
	rollouts_begin(f->c->rollouts, id, f->record, &f->open);
	assert_true(f->open.share == 0 && f->open.groups_n == 0);
	rollouts_end(f->c->rollouts, id);
	row.state = ROLLOUT_DONE;
	row.ring = 200;
	assert_int_equal(db_rollout_put(f->c->db, &row), 0);
	rollouts_begin(f->c->rollouts, id, f->record, &f->open);
	assert_true(f->open.share == 0 && f->open.groups_n == 1); /* there is no such ring: the first */
}

/* The plan is the one that was signed with: another configuration changes nothing, and without its text nobody gets it. */
static void
test_rollouts_plan_is_what_was_signed(void **state)
{
	struct fixture *f = *state;
	const struct policy *p = policies_find(f->c->policies, "acme-rtr");
	const struct inventory_module *lab = known(f, 1, IDENTITY_B, "lab");
	struct rollouts_view v;
	struct writer text;
	writer_init(&text, 1 << 16);
	writer_bytes(&text, p->text);
	configure(f->r, ""); /* no plan any more */
	begin(f);
	assert_true(f->one->lost && !f->one->plan);
	assert_true(f->open.share == 0 && f->open.groups_n == 0 && !f->open.fresh);
	assert_int_equal(ask(f, lab), GRANTS_RING);
	assert_int_equal(rollouts_pause(f->c->rollouts, id, "alice", "x"), FG_ENOTFOUND);
	assert_true(rollouts_view_of(f->c->rollouts, id, &v) && v.lost);
	rollouts_end(f->c->rollouts, id);
	/* A text that has not that digest is another's, whatever its file is called. */
	const struct view now = policies_find(f->c->policies, "acme-rtr")->text;
	char name[128], hex[DIGEST_HEX_LEN + 1];
	hex_encode(f->record->terms.policy, DIGEST_SHA256_LEN, hex);
	snprintf(name, sizeof name, "reports/%s.policy.json", hex);
	int fd = open(scratch_path(&f->r->s, name), O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0 && write(fd, now.p, now.n) == (ssize_t)now.n);
	close(fd);
	begin(f);
	assert_true(f->one->lost);
	rollouts_end(f->c->rollouts, id);
	assert_int_equal(unlink(scratch_path(&f->r->s, name)), 0);
	assert_int_equal(files_doc_put(f->c->files, FILES_POLICY, f->record->terms.policy, writer_view(&text)), 0);
	begin(f);
	assert_false(f->one->lost);
	assert_int_equal(f->one->plan->rings_n, 3);
	assert_int_equal(ask(f, lab), GRANTS_YES);
	assert_int_equal(rollouts_pause(f->c->rollouts, id, "alice", "enough"), FG_OK);
	assert_int_equal(rollouts_pause(f->c->rollouts, id, "alice", "enough"), FG_ESTATE);
	assert_int_equal(ask(f, lab), GRANTS_RING);
	rollouts_end(f->c->rollouts, id);
	assert_int_equal(ask(f, lab), GRANTS_RING); /* of what is not offered nothing is known */
	/* Statements that name a plan, and a policy that has another, or none: nobody knows what was meant. */
	f->record->terms.have_plan = true;
	begin(f);
	assert_true(f->one->lost);
	rollouts_end(f->c->rollouts, id);
	struct rollout_plan plan;
	bool have;
	assert_int_equal(rollouts_plan_of(f->c, "acme-rtr", f->record->terms.policy, &plan, &have, f->record->terms.plan), 0);
	assert_true(have);
	begin(f);
	assert_false(f->one->lost);
	rollouts_end(f->c->rollouts, id);
	f->record->terms.have_plan = false;
	/* One that was signed without a plan is for everybody. */
	memcpy(f->record->terms.policy, policies_find(f->c->policies, "acme-rtr")->digest, DIGEST_SHA256_LEN);
	begin(f);
	assert_true(f->open.share == ROLLOUT_PLACES && f->open.fresh);
	assert_int_equal(ask(f, known(f, 2, IDENTITY_D, "field")), GRANTS_YES);
	writer_free(&text);
}

/* A plan that is away while the log is read does not make the database right: neither what it has open, nor what it forgot. */
static void
test_rollouts_lost_and_found(void **state)
{
	struct fixture *f = *state;
	struct writer text;
	struct db_rollout row = { .state = ROLLOUT_RUNNING, .ring = 2, .since = 5, .plan = "careful" };
	const struct rollouts_said said[] = { { .ring = 1, .since = f->r->now, .paused = true }, { .ring = 1, .since = f->r->now } };
	const struct inventory_module *lab = known(f, 1, IDENTITY_B, "lab");
	memcpy(row.release, id, sizeof row.release);
	writer_init(&text, 1 << 16);
	writer_bytes(&text, policies_find(f->c->policies, "acme-rtr")->text);
	configure(f->r, "");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(db_rollout_put(f->c->db, &row), 0);
		if (i == 0)
			assert_int_equal(grants_release_add(f->c->grants, id, f->record, "field", true), 0);
		rollouts_begin(f->c->rollouts, id, f->record, &f->open);
		f->one = rollouts_find(f->c->rollouts, id);
		assert_true(f->one->lost);
		if (i < 2)
			assert_null(rollouts_mend(f->c->rollouts, id, &said[i]));
		rollouts_mended(f->c->rollouts);
		assert_int_equal(files_doc_put(f->c->files, FILES_POLICY, f->record->terms.policy, writer_view(&text)), 0);
		rollouts_find_again(f->c->rollouts, f->one);
		assert_false(f->one->lost);
		assert_int_equal(f->one->standing.state, i == 0 ? ROLLOUT_PAUSED : ROLLOUT_RUNNING);
		assert_int_equal(f->one->standing.ring, i == 2 ? 0 : 1); /* the log has nothing of the third */
		assert_true(i == 0 || f->one->standing.since >= said[1].since);
		assert_int_equal(ask(f, lab), i == 0 ? GRANTS_RING : GRANTS_YES);
		rollouts_end(f->c->rollouts, id);
		char name[128], hex[DIGEST_HEX_LEN + 1];
		hex_encode(f->record->terms.policy, DIGEST_SHA256_LEN, hex);
		snprintf(name, sizeof name, "reports/%s.policy.json", hex);
		assert_int_equal(unlink(scratch_path(&f->r->s, name)), 0);
	}
	writer_free(&text);
}

/* Of one that is not offered nobody knows whether it has ended, before the warden has said what is. */
static void
test_rollouts_ended(void **state)
{
	struct fixture *f = *state;
	static const char *const words[] = { "\"state\":\"unknown\"", "\"state\":\"ended\"" };
	struct db_rollout row = { .state = ROLLOUT_RUNNING, .since = 5, .plan = "careful" };
	memcpy(row.release, id, sizeof row.release);
	assert_int_equal(db_rollout_put(f->c->db, &row), 0);
	for (unsigned i = 0; i < 2; i++) {
		f->c->warden_listed = i == 1;
		struct call_heard *h = call_rig_ask(f->c, requests_rollout_list, "{}");
		assert_int_equal(h->status, CALL_DONE);
		assert_non_null(strstr(h->json, words[i]));
		free(h);
	}
	f->c->warden_listed = false;
}

/* What was stopped, and the log never heard of, does not begin anew. */
static void
test_rollouts_stopped_alone(void **state)
{
	struct fixture *f = *state;
	static const enum rollout_state stopped[] = { ROLLOUT_PAUSED, ROLLOUT_ABORTED };
	for (unsigned i = 0; i < 2; i++) {
		struct db_rollout row = { .state = (uint8_t)stopped[i], .since = 5, .plan = "careful" };
		memcpy(row.release, id, sizeof row.release);
		assert_int_equal(db_rollout_put(f->c->db, &row), 0);
		begin(f);
		assert_int_equal(f->one->standing.state, stopped[i]);
		rollouts_end(f->c->rollouts, id);
	}
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_rollouts_first_ring_and_the_others),
		T(test_rollouts_words),
		T(test_rollouts_silence),
		T(test_rollouts_silence_of_ours),
		T(test_rollouts_another_group),
		T(test_rollouts_clock_steps),
		T(test_rollouts_strange_grants),
		T(test_rollouts_pace),
		T(test_rollouts_pace_after_a_start),
		T(test_rollouts_rounds),
		T(test_rollouts_replay),
		T(test_rollouts_told_once),
		T(test_rollouts_failure_is_kept),
		T(test_rollouts_two_of_one_product),
		T(test_rollouts_done_is_watched),
		T(test_rollouts_withheld),
		T(test_rollouts_mend),
		T(test_rollouts_stored),
		T(test_rollouts_held),
		T(test_rollouts_held_while_paused),
		T(test_rollouts_over_is_not_held),
		T(test_rollouts_group_paces),
		T(test_rollouts_cell_paces),
		T(test_rollouts_superseded),
		T(test_way_back_counters),
		T(test_rollouts_bytes),
		T(test_rollouts_resumed),
		T(test_rollouts_lost_and_found),
		T(test_rollouts_stopped_alone),
		T(test_rollouts_ended),
		T(test_rollouts_plan_is_what_was_signed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
