/* SPDX-License-Identifier: Apache-2.0 */
/* What the network saw of modules, held against a rollout: what is new pauses, what was watched opens, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/rollouts_private.h"
#include "gateway/control/rollouts_watch.h"
#include "gateway/state/incident.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/edge_sample.h"

#define GATES "soak = \"1h\"; reports = 3; success = 700; failed = 200; silent = 250;"
#define PLANS \
	"rollout_plans = ( { name = \"seen\"; egress_watch = 2; rings = ( { name = \"lab\"; groups = [ \"lab\" ]; " GATES \
	" }, { name = \"rest\"; " GATES " } ); }, { name = \"blind\"; rings = ( { name = \"all\"; " GATES " } ); } );\n"
#define MODULES 6
#define SILENT 3  /* had it, and has not said since what it runs */
#define WAITING 4 /* that one and the next were granted nothing */

static const uint8_t id[RELEASE_ID] = { 7, 7 };

struct fixture {
	struct control_rig *r;
	struct control *c;
	struct rollout *one;
	struct release *record;
	const struct inventory_module *m[MODULES];
	struct rollouts_contact seen[64];
	size_t n;
	struct rollouts_watched last;
	unsigned judged;
};

static const struct inventory_module *
says(struct fixture *f, unsigned n, const char *current)
{
	struct msg_sighting s = { .profile = "acme-rtr", .product = "EC25", .idents_n = 1 };
	struct inventory_seen seen = { 0 };
	s.idents[0].kind = IDENTITY_SERIAL;
	s.idents[0].cls = IDENTITY_C;
	snprintf(s.idents[0].text, sizeof s.idents[0].text, "module-%u", n);
	snprintf(s.current, sizeof s.current, "%s", current);
	assert_int_equal(inventory_sight(f->c->inventory, policies_find(f->c->policies, "acme-rtr")->profile, &s, f->r->now, &seen),
	    0);
	rollouts_heard(f->c->rollouts, &seen, &s);
	return seen.module;
}

/* Four of six modules have the release since the hundredth second of this world, and three say that they run it. */
static int
begin(struct fixture *f, const char *plan)
{
	char *profile = sample_profile_with("rollout", plan);
	control_rig_configure(f->r, PLANS, profile);
	free(profile);
	struct approval_terms *t = &f->record->terms;
	*t = (struct approval_terms){ .decision = APPROVAL_APPROVE, .max_devices = 1000, .not_before = f->r->now - 10,
		.not_after = f->r->now + 100000 };
	snprintf(t->profile, sizeof t->profile, "acme-rtr");
	snprintf(t->product, sizeof t->product, "EC25");
	snprintf(t->target, sizeof t->target, "2.0");
	memcpy(t->policy, policies_find(f->c->policies, "acme-rtr")->digest, sizeof t->policy);
	assert_int_equal(approval_list_add(&t->groups, "*") | approval_list_add(&t->from_versions, "*"), 0);
	for (unsigned i = 0; i < MODULES; i++) {
		f->m[i] = says(f, i, "1.0");
		assert_int_equal(inventory_set(f->c->inventory, f->m[i]->pseudonym, "lab", NULL), 0);
	}
	f->record->issued = f->r->now;
	f->r->now += 100;
	struct rollout_open open;
	assert_int_equal(grants_release_add(f->c->grants, id, f->record, "field", true), 0);
	rollouts_begin(f->c->rollouts, id, f->record, &open);
	rollouts_mended(f->c->rollouts);
	f->one = rollouts_find(f->c->rollouts, id);
	for (unsigned i = 0; i < WAITING; i++) {
		struct msg_served s = { .sent = 5, .size = 5, .complete = true };
		assert_int_equal(grants_ask(f->c->grants, f->m[i], id, f->r->now, f->r->now).reason, GRANTS_YES);
		memcpy(s.module, f->m[i]->pseudonym, sizeof s.module);
		memcpy(s.release, id, sizeof s.release);
		assert_int_equal(grants_served(f->c->grants, &s, f->r->now + 10), 0);
	}
	f->r->now += 20;
	for (unsigned i = 0; i < SILENT; i++)
		says(f, i, "2.0");
	assert_true(rollouts_round(f->c->rollouts, INT64_MAX));
	return 0;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->r = control_rig_new();
	f->c = &f->r->c;
	f->c->edges = edges_new(f->c);
	f->record = calloc(1, sizeof *f->record);
	*state = f;
	return 0;
}

static int
setup_seen(void **state)
{
	(void)setup(state);
	return begin(*state, "rollout = \"seen\";");
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	edges_free(f->c->edges);
	control_rig_free(f->r);
	free(f->record);
	free(f);
	return 0;
}

/* age: seconds ago. Granted 20 ago, whole 10 ago. */
static void
at(struct fixture *f, unsigned module, const char *endpoint, int64_t age)
{
	f->seen[f->n++] = (struct rollouts_contact){ f->m[module], endpoint, f->r->now - age };
}

static void
judged(void *arg, const struct rollouts_watched *w)
{
	struct fixture *f = arg;
	f->last = *w;
	f->judged++;
}

static int
watch(struct fixture *f, bool dry_run)
{
	struct rollouts_traffic t = { .seen = f->seen, .n = f->n, .who = "olga" };
	f->judged = 0;
	int err = rollouts_watch(f->c->rollouts, &t, dry_run, judged, f);
	f->n = 0;
	return err;
}

static int
count_incident(void *arg, const struct db_incident *i)
{
	*(unsigned *)arg += strcmp(i->kind, "egress") == 0;
	return 0;
}

static unsigned
incidents(struct fixture *f)
{
	unsigned n = 0;
	assert_int_equal(db_incident_list(f->c->db, 0, 100, count_incident, &n), 0);
	return n;
}

static void
test_what_was_watched_opens(void **state)
{
	struct fixture *f = *state;
	struct rollouts_view v;
	assert_true(rollouts_view_of(f->c->rollouts, id, &v));
	assert_int_equal(v.next.why, ROLLOUT_WHY_SOAK);
	f->r->now += 3600;
	assert_true(rollouts_view_of(f->c->rollouts, id, &v));
	assert_int_equal(v.next.why, ROLLOUT_WHY_EGRESS);
	/* Of one module several times, of one before it had all of it, and of one that waits for it. */
	at(f, 0, "a.example", 0);
	at(f, 0, "b.example", 1);
	at(f, 0, "a.example", 2);
	at(f, 1, "a.example", 3611); /* whole ten seconds before that, less one */
	at(f, SILENT, "a.example", 0);
	at(f, 4, "a.example", 5);
	at(f, 4, "b.example", 5000);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->judged == 1 && f->last.baseline && f->last.fresh_n == 0 && f->last.watched == 1);
	assert_int_equal(f->one->standing.watched[0], 1);
	at(f, 1, "a.example", 0);
	at(f, 2, "a.example", 0);
	at(f, 4, "a.example", 0);
	assert_int_equal(watch(f, true), 0);
	assert_int_equal(f->last.watched, 2);
	assert_int_equal(f->one->standing.watched[0], 1); /* a dry run does nothing */
	at(f, 1, "a.example", 0);
	at(f, 2, "a.example", 0);
	at(f, 4, "a.example", 0);
	assert_int_equal(watch(f, false), 0);
	assert_int_equal(f->one->standing.watched[0], 2);
	assert_true(rollouts_view_of(f->c->rollouts, id, &v));
	assert_int_equal(v.next.verdict, ROLLOUT_OPEN);
	/* One that tells of fewer takes none back. */
	at(f, 1, "a.example", 0);
	at(f, 4, "a.example", 0);
	assert_int_equal(watch(f, false), 0);
	assert_int_equal(f->one->standing.watched[0], 2);
	assert_int_equal(incidents(f), 0);
}

static void
test_what_is_new_pauses_once(void **state)
{
	struct fixture *f = *state;
	at(f, 4, "a.example", 5);
	at(f, 0, "a.example", 5);
	at(f, 0, "strange.example", 19); /* while it was loading: it had its first bytes */
	assert_int_equal(watch(f, true), 0);
	assert_true(f->last.fresh_n == 1 && !f->last.paused);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	at(f, 4, "a.example", 5);
	at(f, 0, "a.example", 5);
	at(f, 0, "strange.example", 19);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->last.fresh_n == 1 && f->last.paused);
	assert_string_equal(f->last.fresh[0], "strange.example");
	assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
	assert_non_null(strstr(f->one->reason, "strange.example"));
	assert_int_equal(incidents(f), 1);
	int64_t first = f->one->stopped;
	/* Another one while it is paused is another stop: what was signed over the first is not signed over this. */
	at(f, 4, "a.example", 5);
	at(f, 1, "other.example", 1);
	at(f, 1, "strange.example", 1);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->one->stopped > first);
	assert_non_null(strstr(f->one->reason, "other.example"));
	assert_non_null(strstr(f->one->reason, "strange.example")); /* and why it was paused before */
	assert_int_equal(incidents(f), 2);
	/* People let it go on; those two pause nothing again, by whichever module. */
	f->one->standing.state = ROLLOUT_RUNNING;
	at(f, 4, "a.example", 5);
	at(f, 2, "other.example", 1);
	at(f, 3, "strange.example", 1);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->last.fresh_n == 2 && !f->last.paused);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	assert_int_equal(incidents(f), 2);
	/* Known to one that waits for it: nothing of the release's. */
	at(f, 5, "other.example", 0);
	at(f, 2, "third.example", 0);
	at(f, 2, "third.example", 21); /* it was there before it had any of it */
	assert_int_equal(watch(f, false), 0);
	assert_int_equal(f->last.fresh_n, 0);
}

static void
test_nobody_knows_without_a_baseline(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < WAITING; i++)
		at(f, i, "strange.example", 0);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->judged == 1 && !f->last.baseline && f->last.fresh_n == 0 && f->last.watched == 0);
	assert_int_equal(f->one->standing.watched[0], 0);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	/* And where nobody has it, there is nothing to say. */
	at(f, 4, "strange.example", 0);
	assert_int_equal(watch(f, false), 0);
	assert_int_equal(f->judged, 0);
	assert_int_equal(watch(f, false), 0); /* an empty one */
}

/* As many lines as can be held against one release at once, and one more: nothing is done of it. */
static void
test_too_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct rollouts_traffic t = { .seen = calloc(ROLLOUTS_ASKED_MAX + 1, sizeof *t.seen), .n = ROLLOUTS_ASKED_MAX + 1, .who = "olga" };
	assert_non_null(t.seen);
	for (size_t i = 0; i < t.n; i++)
		t.seen[i] = (struct rollouts_contact){ f->m[i ? WAITING : 0], i ? "a.example" : "strange.example", f->r->now };
	assert_int_equal(rollouts_watch(f->c->rollouts, &t, false, judged, f), FG_ELIMIT);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	t.n--;
	assert_int_equal(rollouts_watch(f->c->rollouts, &t, false, judged, f), 0);
	free(t.seen);
}

/* More new ones than the log names are one pause, each time. */
static void
test_very_many_are_new(void **state)
{
	struct fixture *f = *state;
	static char names[ROLLOUTS_ENDPOINTS_MAX + 2][24];
	struct rollouts_contact *seen = calloc(ROLLOUTS_ENDPOINTS_MAX + 3, sizeof *seen);
	for (unsigned round = 0; round < 2; round++) {
		struct rollouts_traffic t = { .seen = seen, .who = "olga" };
		for (unsigned i = 0; i < ROLLOUTS_ENDPOINTS_MAX + 2; i++) {
			snprintf(names[i], sizeof names[i], "n%03u.example", i);
			seen[t.n++] = (struct rollouts_contact){ f->m[0], names[i], f->r->now };
		}
		seen[t.n++] = (struct rollouts_contact){ f->m[4], "a.example", f->r->now };
		f->one->standing.state = ROLLOUT_RUNNING;
		assert_int_equal(rollouts_watch(f->c->rollouts, &t, false, judged, f), 0);
		assert_int_equal(f->last.fresh_n, ROLLOUTS_ENDPOINTS_MAX + 2);
		assert_int_equal(f->one->standing.state, ROLLOUT_PAUSED);
		assert_int_equal(f->one->said.endpoints.n, ROLLOUTS_ENDPOINTS_MAX);
		assert_non_null(strstr(f->one->reason, "66 endpoints"));
	}
	free(seen);
}

/* A plan that asks for no watch is not paused by one, and is told of all the same. */
static void
test_a_plan_without_it_goes_on(void **state)
{
	struct fixture *f = *state;
	begin(f, "rollout = \"blind\";");
	at(f, 4, "a.example", 5);
	f->one->standing.ring = 0;
	at(f, 0, "strange.example", 0);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->last.fresh_n == 1 && !f->last.paused);
	assert_int_equal(f->one->standing.state, ROLLOUT_RUNNING);
	assert_int_equal(f->one->standing.watched[0], 0);
	assert_int_equal(incidents(f), 1);
}

/* What the log has of it stands after a start, and what the log has not does not. */
static void
test_the_log_has_it(void **state)
{
	struct fixture *f = *state;
	struct rollouts_said said = { .since = f->one->standing.since, .watched = { 2, 0 } };
	uint8_t name[ROLLOUTS_ENDPOINT_ID];
	assert_int_equal(rollouts_endpoint_name(view_str("strange.example"), name), 0);
	assert_true(rollouts_endpoint_add(&said.endpoints, name));
	assert_false(rollouts_endpoint_add(&said.endpoints, name));
	f->one->standing.watched[0] = 9;
	assert_null(rollouts_mend(f->c->rollouts, id, &said));
	assert_int_equal(f->one->standing.watched[0], 2);
	at(f, 4, "a.example", 5);
	at(f, 0, "strange.example", 0);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->last.fresh_n == 1 && !f->last.paused);
	at(f, 4, "a.example", 5);
	at(f, 0, "stranger.example", 0);
	assert_int_equal(watch(f, false), 0);
	assert_true(f->last.paused);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup_seen, teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_was_watched_opens),
		T(test_what_is_new_pauses_once),
		T(test_nobody_knows_without_a_baseline),
		T(test_too_many_at_once),
		T(test_very_many_are_new),
		cmocka_unit_test_setup_teardown(test_a_plan_without_it_goes_on, setup, teardown),
		T(test_the_log_has_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
