/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/state/fetch.h"
#include "gateway/state/incident.h"
#include "gateway/state/unknown.h"
#include "unit/gateway/state_rig.h"

struct ids {
	unsigned n, stop_at;
	uint8_t id[64];
};

static int
note(void *arg, const struct db_resource *r)
{
	struct ids *i = arg;
	i->id[i->n++] = r->id[0];
	return i->n == i->stop_at ? 42 : 0;
}

static void
test_resource_sightings(void **state)
{
	struct rig *rig = *state;
	struct db_resource r = rig_resource(5, "quectel"), got;
	bool fresh = false;
	r.have_asker = true;
	memset(r.asker, 0xaa, sizeof r.asker);
	snprintf(r.signature_url, sizeof r.signature_url, "https://vendor.example/5.sig");
	snprintf(r.from, sizeof r.from, "A07");
	assert_int_equal(db_resource_sight(rig->db, &r, &fresh), 0);
	assert_true(fresh);
	/* Later ones count, and rewrite nothing. */
	struct db_resource later = rig_resource(5, "other");
	later.sightings = 41;
	later.last_seen = 900;
	assert_int_equal(db_resource_sight(rig->db, &later, &fresh), 0);
	assert_false(fresh);
	later.last_seen = 300;
	later.sightings = 0;
	assert_int_equal(db_resource_sight(rig->db, &later, &fresh), 0);
	rig_again(rig);
	assert_int_equal(db_resource_get(rig->db, r.id, &got), 0);
	assert_string_equal(got.profile, "quectel");
	assert_string_equal(got.url, r.url);
	assert_string_equal(got.signature_url, r.signature_url);
	assert_string_equal(got.product, "EC25");
	assert_string_equal(got.target, "A09");
	assert_string_equal(got.from, "A07");
	assert_string_equal(got.state, "sighted");
	assert_int_equal(got.sightings, 42);
	assert_int_equal(got.first_seen, 100);
	assert_int_equal(got.last_seen, 900);
	assert_true(got.have_asker);
	assert_memory_equal(got.asker, r.asker, sizeof r.asker);
	assert_int_equal(got.candidate, 0);
	assert_string_equal(got.candidate_state, "");
	got.id[0] = 6;
	assert_int_equal(db_resource_get(rig->db, got.id, &got), FG_ENOTFOUND);
}

static void
test_resource_candidate_and_state(void **state)
{
	struct rig *rig = *state;
	struct db_resource got;
	uint8_t id[DB_ID], none[DB_ID] = { 0 };
	rig_add_resource(rig, 1, "p");
	memset(id, 1, sizeof id);
	assert_int_equal(db_resource_move(rig->db, id, "sighted", "fetching"), 0);
	assert_int_equal(db_resource_move(rig->db, id, "sighted", "fetching"), FG_ESTATE);
	assert_int_equal(db_resource_move(rig->db, id, NULL, "judging"), 0);
	assert_int_equal(db_resource_move(rig->db, none, NULL, "judging"), FG_ENOTFOUND);
	rig_add_candidate(rig, 1, 1);
	uint64_t second = rig_add_candidate(rig, 1, 2);
	assert_int_equal(db_resource_get(rig->db, id, &got), 0);
	assert_string_equal(got.state, "judging");
	assert_int_equal(got.candidate, second);
	assert_string_equal(got.candidate_state, "judging");
	assert_int_equal(db_resource_drop(rig->db, id), FG_ESTATE);
	assert_int_equal(db_resource_drop(rig->db, none), FG_ENOTFOUND);
	rig_add_resource(rig, 2, "p");
	memset(id, 2, sizeof id);
	uint64_t fetch;
	assert_int_equal(db_fetch_start(rig->db, id, 1, &fetch), 0);
	assert_int_equal(db_resource_drop(rig->db, id), 0);
	assert_int_equal(db_resource_get(rig->db, id, &got), FG_ENOTFOUND);
}

static void
test_resource_list_and_cursor(void **state)
{
	struct rig *rig = *state;
	struct ids i = { 0 };
	uint64_t n;
	uint8_t after[DB_ID];
	for (uint8_t k = 1; k <= 9; k++)
		rig_add_resource(rig, k, k % 2 ? "odd" : "even");
	assert_int_equal(db_resource_list(rig->db, "odd", NULL, NULL, 0, note, &i), 0);
	assert_int_equal(i.n, 5);
	assert_int_equal(i.id[4], 9);
	i = (struct ids){ 0 };
	memset(after, 4, sizeof after);
	assert_int_equal(db_resource_list(rig->db, NULL, NULL, after, 2, note, &i), 0);
	assert_int_equal(i.n, 2);
	assert_int_equal(i.id[0], 5);
	assert_int_equal(i.id[1], 6);
	assert_int_equal(db_resource_move(rig->db, after, NULL, "fetching"), 0);
	i = (struct ids){ 0 };
	assert_int_equal(db_resource_list(rig->db, NULL, "fetching", NULL, 0, note, &i), 0);
	assert_int_equal(i.n, 1);
	i = (struct ids){ .stop_at = 3 };
	assert_int_equal(db_resource_list(rig->db, NULL, NULL, NULL, 0, note, &i), 42);
	assert_int_equal(i.n, 3);
	assert_int_equal(db_resource_count(rig->db, "even", &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(db_resource_count(rig->db, NULL, &n), 0);
	assert_int_equal(n, 9);
}

static struct db_resource
resource_at(unsigned k)
{
	struct db_resource r = rig_resource(1, "p");
	memcpy(r.id, &k, sizeof k);
	r.last_seen = 100 + (int64_t)k;
	return r;
}

static bool
is_there(struct rig *rig, unsigned k)
{
	const struct db_resource r = resource_at(k);
	struct db_resource got;
	int err = db_resource_get(rig->db, r.id, &got);
	assert_true(err == 0 || err == FG_ENOTFOUND);
	return err == 0;
}

static void
add_candidate(struct rig *rig, unsigned k)
{
	const struct db_resource r = resource_at(k);
	struct db_candidate c = rig_candidate(1, 1);
	uint64_t id;
	memcpy(c.resource, r.id, sizeof c.resource);
	assert_int_equal(db_candidate_new(rig->db, &c, &id), 0);
}

/* Whoever fills the list with what only he asks for once keeps no vendor's next version out of it. */
static void
test_resource_limit(void **state)
{
	struct rig *rig = *state;
	const unsigned most = DB_RESOURCES_PER_PROFILE_MAX;
	struct db_resource r;
	bool fresh, there;
	assert_int_equal(db_begin(rig->db), 0);
	for (unsigned k = 0; k < most; k++) {
		r = resource_at(k);
		assert_int_equal(db_resource_sight(rig->db, &r, &fresh), 0);
	}
	assert_int_equal(db_commit(rig->db), 0);
	add_candidate(rig, 0); /* something was fetched for it */
	r = resource_at(1);    /* asked for again */
	assert_int_equal(db_resource_seen(rig->db, r.id, 0, 1, &there), 0);
	assert_true(there);
	r = resource_at(most);
	assert_int_equal(db_resource_sight(rig->db, &r, &fresh), 0);
	assert_true(fresh && is_there(rig, 0) && is_there(rig, 1) && !is_there(rig, 2) && is_there(rig, 3));
	r = resource_at(2);
	assert_int_equal(db_resource_seen(rig->db, r.id, 1, 1, &there), 0);
	assert_false(there);
	snprintf(r.profile, sizeof r.profile, "q"); /* one profile's flood is not another's */
	assert_int_equal(db_resource_sight(rig->db, &r, &fresh), 0);
	assert_true(is_there(rig, 3));
	assert_int_equal(db_begin(rig->db), 0);
	for (unsigned k = 1; k <= most; k++)
		if (k != 2)
			add_candidate(rig, k);
	assert_int_equal(db_commit(rig->db), 0);
	r = resource_at(most + 1);
	assert_int_equal(db_resource_sight(rig->db, &r, &fresh), FG_ELIMIT);
	r = resource_at(3);
	assert_int_equal(db_resource_sight(rig->db, &r, &fresh), 0); /* known ones go on counting */
	assert_false(fresh);
}

static int
note_fetch(void *arg, const struct db_fetch *f)
{
	struct db_fetch *list = arg;
	for (unsigned i = 0; i < 64; i++)
		if (list[i].id == 0) {
			list[i] = *f;
			return 0;
		}
	return 1;
}

static void
test_fetch_history(void **state)
{
	struct rig *rig = *state;
	struct db_fetch list[64] = { 0 }, f = { 0 };
	uint8_t id[DB_ID], none[DB_ID] = { 0 };
	uint64_t first = 0, n = 0;
	unsigned orphans = 0;
	rig_add_resource(rig, 1, "p");
	rig_add_resource(rig, 2, "q");
	memset(id, 1, sizeof id);
	assert_int_equal(db_fetch_start(rig->db, none, 5, &first), FG_ENOTFOUND);
	assert_int_equal(db_fetch_start(rig->db, id, 10, &first), 0);
	f = (struct db_fetch){ .id = first, .ended = 12, .outcome = 3, .http_status = 404, .bytes = 77,
		.detail = "the vendor answered 404" };
	assert_int_equal(db_fetch_end(rig->db, &f), 0);
	assert_int_equal(db_fetch_list(rig->db, id, note_fetch, list), 0);
	assert_int_equal(list[0].started, 10);
	assert_int_equal(list[0].ended, 12);
	assert_int_equal(list[0].outcome, 3);
	assert_int_equal(list[0].http_status, 404);
	assert_int_equal(list[0].bytes, 77);
	assert_string_equal(list[0].detail, f.detail);
	f.id = 9999;
	assert_int_equal(db_fetch_end(rig->db, &f), FG_ENOTFOUND);
	/* The newest are kept. */
	uint64_t last = 0;
	for (int k = 0; k < 2 * DB_FETCHES_PER_RESOURCE; k++)
		assert_int_equal(db_fetch_start(rig->db, id, 100 + k, &last), 0);
	memset(list, 0, sizeof list);
	assert_int_equal(db_fetch_list(rig->db, id, note_fetch, list), 0);
	assert_int_equal(list[0].id, last);
	assert_int_equal(list[DB_FETCHES_PER_RESOURCE - 1].id, last - DB_FETCHES_PER_RESOURCE + 1);
	assert_int_equal(list[DB_FETCHES_PER_RESOURCE].id, 0);
	assert_int_equal(db_fetch_count(rig->db, "p", 160, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(db_fetch_count(rig->db, "q", 0, &n), 0);
	assert_int_equal(n, 0);
	/* After a crash none is under way. */
	rig_again(rig);
	assert_int_equal(db_fetch_orphans(rig->db, 500, &orphans), 0);
	assert_int_equal(orphans, DB_FETCHES_PER_RESOURCE);
	assert_int_equal(db_fetch_orphans(rig->db, 501, &orphans), 0);
	assert_int_equal(orphans, 0);
}

static void
test_fetch_backoff(void **state)
{
	struct rig *rig = *state;
	struct db_backoff b = { 5, 5 };
	uint8_t id[DB_ID], none[DB_ID] = { 0 };
	bool fresh;
	rig_add_resource(rig, 1, "p");
	memset(id, 1, sizeof id);
	assert_int_equal(db_fetch_backoff(rig->db, id, &b), 0);
	assert_int_equal(b.until, 0);
	assert_int_equal(b.failures, 0);
	b = (struct db_backoff){ .until = 3600, .failures = 3 };
	assert_int_equal(db_fetch_backoff_set(rig->db, id, &b), 0);
	assert_int_equal(db_fetch_backoff_set(rig->db, none, &b), FG_ENOTFOUND);
	/* A sighting does not shorten it. */
	struct db_resource r = rig_resource(1, "p");
	assert_int_equal(db_resource_sight(rig->db, &r, &fresh), 0);
	rig_again(rig);
	assert_int_equal(db_fetch_backoff(rig->db, id, &b), 0);
	assert_int_equal(b.until, 3600);
	assert_int_equal(b.failures, 3);
	assert_int_equal(db_fetch_backoff(rig->db, none, &b), 0);
	assert_int_equal(b.until, 0);
}

static int
count_unknown(void *arg, const struct db_unknown *u)
{
	struct db_unknown *first = arg;
	if (first->id == 0)
		*first = *u;
	first->count++;
	return 0;
}

static void
test_unknown_requests(void **state)
{
	struct rig *rig = *state;
	struct db_unknown u = { .listener = "modules", .host = "fota.example", .path = "/x/<00>", .agent = "EC25",
		.count = 3, .first_seen = 10, .last_seen = 10 };
	struct db_unknown got, first = { 0 };
	assert_int_equal(db_unknown_add(rig->db, &u), 0);
	u.count = 4;
	u.last_seen = 20;
	assert_int_equal(db_unknown_add(rig->db, &u), 0);
	/* A flood of shapes pushes out its own kind, not what is seen often. */
	struct db_unknown noise = { .listener = "modules", .count = 1, .first_seen = 30, .last_seen = 30 };
	assert_int_equal(db_begin(rig->db), 0);
	for (unsigned k = 0; k < DB_UNKNOWNS_MAX + 50; k++) {
		snprintf(noise.path, sizeof noise.path, "/noise/%u", k);
		assert_int_equal(db_unknown_add(rig->db, &noise), 0);
	}
	assert_int_equal(db_commit(rig->db), 0);
	assert_int_equal(db_unknown_list(rig->db, DB_UNKNOWNS_MAX + 50, count_unknown, &first), 0);
	assert_int_equal(first.count, 7 + DB_UNKNOWNS_MAX);
	assert_string_equal(first.path, "/x/<00>");
	assert_string_equal(first.host, "fota.example");
	assert_string_equal(first.agent, "EC25");
	assert_int_equal(db_unknown_get(rig->db, first.id, &got), 0);
	assert_int_equal(got.count, 7);
	assert_int_equal(got.first_seen, 10);
	assert_int_equal(got.last_seen, 20);
	assert_int_equal(db_unknown_get(rig->db, 999999, &got), FG_ENOTFOUND);
	/* Counting never overflows, whatever is reported. */
	u.count = UINT64_MAX;
	assert_int_equal(db_unknown_add(rig->db, &u), 0);
	assert_int_equal(db_unknown_clear(rig->db), 0);
	assert_int_equal(db_unknown_get(rig->db, first.id, &got), FG_ENOTFOUND);
}

struct incidents {
	unsigned n;
	uint64_t newest, oldest;
};

static int
note_incident(void *arg, const struct db_incident *i)
{
	struct incidents *all = arg;
	if (all->n++ == 0)
		all->newest = i->id;
	all->oldest = i->id;
	return 0;
}

static void
test_incidents(void **state)
{
	struct rig *rig = *state;
	struct incidents all = { 0 };
	struct db_incident i = { .at = 5, .kind = "other-bytes", .have_resource = true, .detail = "same URL" };
	memset(i.resource, 3, sizeof i.resource);
	assert_int_equal(db_begin(rig->db), 0);
	for (unsigned k = 0; k < DB_INCIDENTS_MAX + 7; k++)
		assert_int_equal(db_incident_add(rig->db, &i), 0);
	assert_int_equal(db_commit(rig->db), 0);
	assert_int_equal(db_incident_list(rig->db, 0, 5, note_incident, &all), 0);
	assert_int_equal(all.n, 5);
	assert_int_equal(all.newest, DB_INCIDENTS_MAX + 7);
	assert_int_equal(all.oldest, all.newest - 4);
	uint64_t before = all.oldest;
	all = (struct incidents){ 0 };
	assert_int_equal(db_incident_list(rig->db, before, 1, note_incident, &all), 0);
	assert_int_equal(all.newest, before - 1);
	all = (struct incidents){ 0 };
	assert_int_equal(db_incident_list(rig->db, 9, 100, note_incident, &all), 0);
	assert_int_equal(all.n, 1); /* only number 8 is left below 9 */
	snprintf(i.kind, sizeof i.kind, "vendor");
	assert_int_equal(db_incident_add(rig->db, &i), 0);
	snprintf(i.kind, sizeof i.kind, "old-bytes");
	for (unsigned k = 0; k < 9; k++)
		assert_int_equal(db_incident_add(rig->db, &i), 0);
	all = (struct incidents){ 0 };
	assert_int_equal(db_incident_latest(rig->db, 3, note_incident, &all), 0);
	assert_int_equal(all.n, 7); /* the one in between is not pushed out */
	assert_int_equal(all.newest, DB_INCIDENTS_MAX + 17);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_resource_sightings),
		T(test_resource_candidate_and_state),
		T(test_resource_list_and_cursor),
		T(test_resource_limit),
		T(test_fetch_history),
		T(test_fetch_backoff),
		T(test_unknown_requests),
		T(test_incidents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
