/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/grants.h"
#include "policy/identity.h"
#include "unit/gateway/state_rig.h"

static const uint8_t id[RELEASE_ID] = { 7 };

static struct inventory_module
module_of(uint32_t n, const char *group)
{
	struct inventory_module m = { .profile = "", .group = group, .ruled = "", .product = "", .version = "", .sure = "",
		.listed = true };
	memcpy(m.pseudonym, &n, sizeof n);
	m.pseudonym[15] = 1;
	return m;
}

static struct release *
release_of(uint32_t max_devices, const char *group)
{
	struct release *r = calloc(1, sizeof *r);
	r->terms.decision = APPROVAL_APPROVE;
	r->terms.max_devices = max_devices;
	r->terms.not_before = 1000;
	r->terms.not_after = 10000;
	assert_int_equal(approval_list_add(&r->terms.groups, group), 0);
	return r;
}

static struct grants *
grants_with(struct rig *rig, uint32_t max_devices, const char *group)
{
	struct grants *g = NULL;
	struct release *r = release_of(max_devices, group);
	assert_int_equal(grants_new(rig->db, &g), 0);
	assert_int_equal(grants_release_add(g, id, r, "field", false), 0);
	free(r); /* what was needed was copied */
	return g;
}

static enum grants_reason
ask(struct grants *g, const struct inventory_module *m, int64_t now)
{
	struct grants_answer a = grants_ask(g, m, id, now, now);
	assert_int_equal(a.lease_s != 0, a.reason == GRANTS_YES);
	assert_true(a.reason == GRANTS_YES || !a.first);
	return a.reason;
}

static bool
only_field_at_3000(void *arg, const char *profile, const char *group, int64_t earliest, int64_t latest)
{
	(*(unsigned *)arg)++;
	assert_string_equal(profile, "acme");
	return !strcmp(group, "field") && earliest == 3000 && latest == 3000;
}

static void
test_grants_ask_for_the_time(void **state)
{
	struct rig *rig = *state;
	struct grants *g = NULL;
	struct release *r = release_of(5, "*");
	struct inventory_module m = module_of(1, ""), other = module_of(2, "lab");
	unsigned asked = 0;
	snprintf(r->terms.profile, sizeof r->terms.profile, "acme");
	assert_int_equal(grants_new(rig->db, &g), 0);
	assert_int_equal(grants_release_add(g, id, r, "field", false), 0);
	free(r);
	grants_ask_time(g, only_field_at_3000, &asked);
	assert_int_equal(ask(g, &m, 2000), GRANTS_WINDOW);
	assert_int_equal(ask(g, &other, 3000), GRANTS_WINDOW);
	assert_int_equal(ask(g, &m, 3000), GRANTS_YES);
	/* Having been granted before is no way around it. */
	assert_int_equal(ask(g, &m, 3001), GRANTS_WINDOW);
	assert_int_equal(asked, 4);
	grants_free(g);
}

static void
test_grants_reasons(void **state)
{
	struct rig *rig = *state;
	struct grants *g = grants_with(rig, 5, "field");
	struct inventory_module m = module_of(1, "field"), other = module_of(2, "canary"), none = module_of(3, "");
	uint8_t unknown[RELEASE_ID] = { 8 };
	assert_int_equal(ask(g, NULL, 2000), GRANTS_NO_MODULE);
	assert_int_equal(grants_ask(g, &m, unknown, 2000, 2000).reason, GRANTS_NO_RELEASE);
	assert_int_equal(ask(g, &m, 999), GRANTS_EARLY);
	assert_int_equal(ask(g, &m, 10000), GRANTS_LATE);
	assert_int_equal(ask(g, &other, 2000), GRANTS_GROUP);
	m.held = true;
	assert_int_equal(ask(g, &m, 2000), GRANTS_HELD);
	m.held = m.listed = false;
	assert_int_equal(ask(g, &m, 2000), GRANTS_UNLISTED);
	m.listed = true;
	grants_halt(g, true);
	assert_int_equal(ask(g, &m, 2000), GRANTS_HALTED);
	grants_halt(g, false);
	assert_int_equal(ask(g, &m, 1000), GRANTS_YES);
	assert_int_equal(ask(g, &none, 2000), GRANTS_YES); /* by the profile's default group */
	grants_release_drop(g, id);
	assert_int_equal(ask(g, &m, 2000), GRANTS_NO_RELEASE); /* granted before, revoked now */
	struct release *r = release_of(5, "*");
	assert_int_equal(grants_release_add(g, id, r, "", true), 0);
	m.listed = false;
	assert_int_equal(ask(g, &m, 2000), GRANTS_YES);
	assert_int_equal(ask(g, &other, 2000), GRANTS_YES);
	free(r);
	for (unsigned i = 0; i < GRANTS_REASONS; i++) {
		assert_true(strlen(grants_reason_text((enum grants_reason)i)) > 5);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(grants_reason_name((enum grants_reason)i),
			    grants_reason_name((enum grants_reason)k));
	}
	assert_string_equal(grants_reason_name(GRANTS_YES), "yes");
	assert_string_equal(grants_reason_name(GRANTS_FULL), "full");
	assert_string_equal(grants_reason_name((enum grants_reason)99), "undecided");
	grants_free(g);
	grants_free(NULL);
}

static enum grants_reason
guard(void *ctx, const struct inventory_module *m, const uint8_t release[RELEASE_ID], bool first)
{
	const int *let = ctx; /* bit 0: new ones, bit 1: those who have one */
	assert_memory_equal(release, id, RELEASE_ID);
	assert_non_null(m);
	return *let & (first ? 1 : 2) ? GRANTS_YES : first ? GRANTS_PACED : GRANTS_RING;
}

static void
each_fate(void *arg, const struct db_grant *what, struct grants_fate *fate)
{
	assert_memory_equal(what->release, id, RELEASE_ID);
	*(unsigned *)arg += 1 + fate->again;
}

/* The rollout has a word in every answer, also to who was granted before, and none in what is denied anyway. */
static void
test_grants_guard(void **state)
{
	struct rig *rig = *state;
	struct grants *g = grants_with(rig, 2, "field");
	struct inventory_module a = module_of(1, "field"), b = module_of(2, "field"), c = module_of(3, "field");
	int let = 0;
	unsigned n = 0;
	size_t at = 0;
	grants_set_guard(g, guard, &let);
	assert_int_equal(ask(g, &a, 2000), GRANTS_PACED);
	assert_int_equal(grants_granted(g, id), 0);
	assert_false(grants_walk(g, &at, 10, each_fate, &n));
	assert_int_equal(n, 0); /* nothing was granted */
	let = 1;
	assert_int_equal(ask(g, &a, 2000), GRANTS_YES);
	assert_int_equal(ask(g, &a, 2000), GRANTS_RING);
	let = 3;
	assert_int_equal(ask(g, &a, 2000), GRANTS_YES);
	assert_int_equal(ask(g, &b, 2000), GRANTS_YES);
	let = 0;
	assert_int_equal(ask(g, &c, 2000), GRANTS_FULL);
	assert_int_equal(ask(g, &c, 999), GRANTS_EARLY);
	grants_fate_of(g, a.pseudonym, id)->again = 5;
	for (at = 0; grants_walk(g, &at, 100, each_fate, &n);)
		assert_true(at % 100 == 0 && at < grants_places(g));
	assert_int_equal(grants_granted(g, id), 2);
	assert_int_equal(n, 7);
	grants_free(g);
}

static void
test_grants_lease(void **state)
{
	struct rig *rig = *state;
	struct grants *g = grants_with(rig, 5, "field");
	struct inventory_module m = module_of(1, "field");
	assert_int_equal(grants_ask(g, &m, id, 1000, 1000).lease_s, GRANTS_LEASE_MAX);
	assert_int_equal(grants_ask(g, &m, id, 10000 - GRANTS_LEASE_MAX, 10000 - GRANTS_LEASE_MAX).lease_s, GRANTS_LEASE_MAX);
	assert_int_equal(grants_ask(g, &m, id, 10000 - GRANTS_LEASE_MAX + 1, 10000 - GRANTS_LEASE_MAX + 1).lease_s, GRANTS_LEASE_MAX - 1);
	assert_int_equal(grants_ask(g, &m, id, 9999, 9999).lease_s, 1);
	grants_free(g);
}

/* No more distinct modules than were signed for, by whatever order of asking and dying. */
static void
test_grants_max_devices(void **state)
{
	enum { MAX = 50 };
	struct rig *rig = *state;
	struct grants *g = grants_with(rig, MAX, "field");
	uint32_t granted, completed, x = 1, yes = 0;
	bool have[200] = { false };
	for (unsigned i = 0; i < 5000; i++) {
		x = x * 1664525u + 1013904223u;
		uint32_t n = (x >> 16) % 200;
		struct inventory_module m = module_of(n, "field");
		struct grants_answer a = grants_ask(g, &m, id, 2000, 2000);
		assert_int_equal(a.reason == GRANTS_YES, have[n] || yes < MAX);
		assert_int_equal(a.first, a.reason == GRANTS_YES && !have[n]);
		if (a.reason != GRANTS_YES)
			assert_int_equal(a.reason, GRANTS_FULL);
		if (a.first) {
			have[n] = true;
			yes++;
		}
		if (i % 500 == 499) { /* control dies and starts again */
			assert_int_equal(grants_flush(g), 0);
			grants_free(g);
			g = grants_with(rig, MAX, "field");
		}
	}
	grants_count(g, id, &granted, &completed);
	assert_int_equal(granted, MAX);
	assert_int_equal(completed, 0);
	grants_free(g);
}

/* Given but not yet written when control died: the log has them, and they count. */
static void
test_grants_replay(void **state)
{
	struct rig *rig = *state;
	struct grants *g = grants_with(rig, 2, "field");
	struct inventory_module a = module_of(1, "field"), b = module_of(2, "field"), c = module_of(3, "field");
	struct db_grant got;
	assert_int_equal(ask(g, &a, 2000), GRANTS_YES);
	assert_int_equal(ask(g, &b, 2000), GRANTS_YES);
	grants_free(g);
	g = grants_with(rig, 2, "field");
	assert_false(grants_has(g, a.pseudonym, id, &got));
	assert_int_equal(grants_replay(g, a.pseudonym, id, 2000), 0);
	assert_int_equal(grants_replay(g, a.pseudonym, id, 3000), 0); /* twice is once, and the first time stays */
	assert_int_equal(grants_replay(g, b.pseudonym, id, 2000), 0);
	assert_true(grants_has(g, a.pseudonym, id, &got));
	assert_int_equal(got.at, 2000);
	assert_int_equal(ask(g, &c, 2000), GRANTS_FULL);
	assert_int_equal(ask(g, &a, 2000), GRANTS_YES);
	assert_int_equal(grants_flush(g), 0);
	grants_free(g);
	/* Also when the log is read before the release is known. */
	struct release *r = release_of(2, "field");
	assert_int_equal(grants_new(rig->db, &g), 0);
	assert_int_equal(grants_replay(g, c.pseudonym, id, 2500), 0);
	assert_int_equal(grants_release_add(g, id, r, "", false), 0);
	struct inventory_module d = module_of(4, "field");
	assert_int_equal(ask(g, &d, 3000), GRANTS_FULL);
	/* What became of it is kept beside the grant, and of nobody else. */
	grants_fate_of(g, c.pseudonym, id)->again = 3;
	assert_int_equal(grants_fate_of(g, c.pseudonym, id)->again, 3);
	assert_null(grants_fate_of(g, d.pseudonym, id));
	free(r);
	grants_free(g);
}

static void
test_grants_served(void **state)
{
	struct rig *rig = *state;
	struct grants *g = grants_with(rig, 2, "field");
	struct inventory_module m = module_of(1, "field");
	struct msg_served s = { .sent = 400, .size = 1000 };
	struct db_grant got;
	uint32_t granted, completed;
	memcpy(s.module, m.pseudonym, sizeof s.module);
	memcpy(s.release, id, sizeof s.release);
	assert_int_equal(grants_served(g, &s, 2100), FG_ENOTFOUND);
	assert_int_equal(ask(g, &m, 2000), GRANTS_YES);
	assert_int_equal(grants_flush(g), 0);
	assert_int_equal(grants_served(g, &s, 2100), 0);
	s.complete = true;
	s.sent = 600;
	assert_int_equal(grants_served(g, &s, 2200), 0);
	assert_int_equal(grants_served(g, &s, 2300), 0); /* once more is not a second completion */
	assert_int_equal(grants_flush(g), 0);
	assert_int_equal(grants_flush(g), 0);
	grants_free(g);
	rig_again(rig);
	g = grants_with(rig, 2, "field");
	assert_true(grants_has(g, m.pseudonym, id, &got));
	assert_int_equal(got.at, 2000);
	assert_int_equal(got.completed, 2200);
	assert_int_equal(got.bytes, 1600);
	grants_count(g, id, &granted, &completed);
	assert_int_equal(granted, 1);
	assert_int_equal(completed, 1);
	s.sent = UINT64_MAX; /* an edge may say what it likes */
	assert_int_equal(grants_served(g, &s, 2400), 0);
	assert_true(grants_has(g, m.pseudonym, id, &got));
	assert_true(got.bytes >= 1600);
	assert_int_equal(grants_flush(g), 0); /* and cannot stop what others did from being written */
	grants_free(g);
}

static void
test_grants_flush_failure(void **state)
{
	struct rig *rig = *state;
	struct grants *g = grants_with(rig, 5, "field");
	struct inventory_module m = module_of(1, "field");
	struct db *other = NULL;
	char why[64];
	assert_int_equal(ask(g, &m, 2000), GRANTS_YES);
	assert_int_equal(db_open(rig->path, &other, why, sizeof why), 0);
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(grants_flush(g), FG_EIO);
	assert_int_equal(ask(g, &m, 2000), GRANTS_YES); /* answers do not wait for the disk */
	db_rollback(other);
	db_close(other);
	assert_int_equal(grants_flush(g), 0);
	grants_free(g);
	g = grants_with(rig, 5, "field");
	assert_true(grants_has(g, m.pseudonym, id, NULL));
	grants_free(g);
}

static void
test_grants_answer_all(void **state)
{
	struct rig *rig = *state;
	struct inventory *inv = NULL;
	struct inventory_seen seen;
	struct grants *g = grants_with(rig, 1, "field");
	struct msg_sighting s = { .idents_n = 1 };
	static struct msg_grant_ask q;
	static struct msg_grant_say a;
	assert_int_equal(inventory_new(rig->db, view_str("an epoch key of thirty-two bytes"), &inv), 0);
	s.idents[0].kind = IDENTITY_SERIAL;
	s.idents[0].cls = IDENTITY_D;
	snprintf(s.idents[0].text, sizeof s.idents[0].text, "SN");
	assert_int_equal(inventory_sight(inv, NULL, &s, 1, &seen), 0);
	struct release *r = release_of(1, "field");
	assert_int_equal(grants_release_add(g, id, r, "field", true), 0);
	q.asks_n = 3;
	for (unsigned i = 0; i < 3; i++) {
		q.asks[i].token = 100 + i;
		memcpy(q.asks[i].release, id, sizeof id);
	}
	memcpy(q.asks[0].module, seen.module->pseudonym, MSG_ID);
	memcpy(q.asks[2].module, seen.module->pseudonym, MSG_ID);
	grants_answer_all(g, inv, &q, 2000, 2000, &a);
	assert_int_equal(a.says_n, 3);
	assert_true(a.says[0].yes);
	assert_int_equal(a.says[0].token, 100);
	assert_int_equal(a.says[0].lease_s, GRANTS_LEASE_MAX);
	assert_false(a.says[1].yes);
	assert_int_equal(a.says[1].reason, GRANTS_NO_MODULE);
	assert_int_equal(a.says[1].lease_s, 0);
	assert_true(a.says[2].yes);
	assert_int_equal(a.says[2].token, 102);
	free(r);
	inventory_free(inv);
	grants_free(g);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_grants_reasons),
		T(test_grants_ask_for_the_time),
		T(test_grants_guard),
		T(test_grants_lease),
		T(test_grants_max_devices),
		T(test_grants_replay),
		T(test_grants_served),
		T(test_grants_flush_failure),
		T(test_grants_answer_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
