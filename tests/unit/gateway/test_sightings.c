/* SPDX-License-Identifier: Apache-2.0 */
/* What modules ask for, down to one fetch, and what its bytes then are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/control_rig.h"

#define URL "https://up.example/get/EC25?v=1.1.0"
#define PROVENANCE "{\"schema\":\"fotagate-provenance/1\"}"

static struct msg_sighting
sighting_of(const struct control_rig *r, unsigned module)
{
	struct msg_sighting m = { .profile = "acme-rtr", .listener = "plain", .fetchable = true, .url = URL,
		.signature_url = "https://up.example/get/EC25-1.1.0.p7s", .product = "EC25", .target = "1.1.0", .current = "1.0.0",
		.idents_n = 1 };
	m.idents[0].kind = IDENTITY_IMEI;
	m.idents[0].cls = IDENTITY_D;
	snprintf(m.idents[0].text, sizeof m.idents[0].text, "49015420%07u", module);
	assert_int_equal(profile_resource(policies_find(r->c.policies, "acme-rtr")->profile, m.url, m.resource), 0);
	return m;
}

static void
take(struct control_rig *r, const struct msg_sighting *m)
{
	sightings_take(r->c.sightings, 0, m);
}

/* The fetcher: its question, and files written as told. */
static void
fetch(struct control_rig *r, int channel, uint64_t job, unsigned outcome, const char *image)
{
	struct msg_fetch q;
	struct wire_frame f;
	assert_true(loop_next(channel, MSG_FETCH, &q, &f));
	assert_string_equal(q.url, URL);
	assert_true(q.job == job);
	struct msg_fetch_done m = { .job = job, .outcome = (uint8_t)outcome, .bytes = strlen(image), .signature_bytes = 3 };
	assert_true(write(f.fds[0], image, strlen(image)) == (ssize_t)strlen(image));
	assert_true(write(f.fds[1], "sig", 3) == 3);
	wire_close_fds(&f);
	int record = memfd_sealed("record", view_str(PROVENANCE));
	assert_int_equal(msg_send(channel, MSG_FETCH_DONE, &m, &record, 1), 0);
	close(record);
	close(channel);
	const struct msg_job_exit end = { .job = job, .started = true };
	jobs_on_exit(r->c.jobs, &end);
	loop_pump(r->c.base);
}

static struct db_candidate
candidate(struct control_rig *r, uint64_t id)
{
	struct db_candidate c;
	assert_int_equal(db_candidate_get(r->c.db, id, &c), 0);
	return c;
}

static void
test_sightings_of_a_thousand_cause_one_fetch(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	struct db_resource res;
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		const struct msg_sighting m = sighting_of(r, i);
		take(r, &m);
	}
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 1);
	assert_int_equal(spawn.kind, MSG_JOB_UPSTREAM);
	assert_int_equal(inventory_count(r->c.inventory), 1000);
	sightings_flush(r->c.sightings);
	const struct msg_sighting m = sighting_of(r, 0);
	assert_int_equal(db_resource_get(r->c.db, m.resource, &res), 0);
	assert_int_equal(res.sightings, 1000);
	assert_string_equal(res.candidate_state, "fetching");
	assert_true(res.have_asker);
	control_rig_free(r);
}

static void
test_sightings_failure_is_not_hammered(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	int channel;
	(void)state;
	const struct msg_sighting m = sighting_of(r, 1);
	int64_t wait = FETCHES_BACKOFF_FIRST;
	for (unsigned round = 0; round < 3; round++, wait *= 2) {
		take(r, &m);
		assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
		fetch(r, channel, spawn.job, MSG_FETCH_HTTP, "");
		assert_string_equal(candidate(r, 1).state, "fetch-failed");
		for (unsigned i = 0; i < 50; i++)
			take(r, &m);
		r->now += wait - 1;
		take(r, &m);
		assert_int_equal(control_rig_spawns(r, &spawn, NULL), 0);
		r->now += 1 + wait / 4; /* what chance may add */
	}
	control_rig_free(r);
}

static void
test_sightings_hourly_quota_holds(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	unsigned n = 0;
	(void)state;
	/* 60 is the default; every one of another resource, as captures allow. */
	for (unsigned i = 0; i < 100; i++) {
		struct msg_sighting m = sighting_of(r, 1);
		snprintf(m.target, sizeof m.target, "1.1.%u", i);
		snprintf(m.url, sizeof m.url, "https://up.example/get/EC25?v=1.1.%u", i);
		profile_resource(policies_find(r->c.policies, "acme-rtr")->profile, m.url, m.resource);
		take(r, &m);
	}
	n = fetches_running(r->c.fetches);
	assert_int_equal(n, 60);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), JOBS_FETCHES_MAX);
	control_rig_free(r);
}

/* A module's number where a product or a version belongs would be in reviews and the log for ever: no such resource. */
static void
test_sightings_name_no_module(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_resource res;
	struct msg_spawn spawn;
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct msg_sighting m = sighting_of(r, i);
		char *const texts[] = { m.product, m.target, m.from };
		snprintf(texts[i], i ? sizeof m.target : sizeof m.product, "490154203237518");
		take(r, &m);
		assert_int_equal(db_resource_get(r->c.db, m.resource, &res), FG_ENOTFOUND);
	}
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 0);
	const struct msg_sighting m = sighting_of(r, 1);
	take(r, &m);
	assert_int_equal(db_resource_get(r->c.db, m.resource, &res), 0);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 1);
	control_rig_free(r);
}

/* Whoever invents versions writes so many a second and no more, and keeps none of the genuine ones out. */
static void
test_sightings_inventing_resources_is_bounded(void **state)
{
	struct control_rig *r = control_rig_new();
	uint64_t n = 0;
	(void)state;
	for (unsigned i = 0; i < 3 * SIGHTINGS_MEET_MAX; i++) {
		struct msg_sighting m = sighting_of(r, 1);
		m.fetchable = false;
		m.url[0] = m.signature_url[0] = '\0';
		memcpy(m.resource, &i, sizeof i);
		if (i == 2 * SIGHTINGS_MEET_MAX)
			r->now++;
		take(r, &m);
	}
	assert_int_equal(db_resource_count(r->c.db, "acme-rtr", &n), 0);
	assert_int_equal(n, 2 * SIGHTINGS_MEET_MAX);
	control_rig_free(r);
}

/* One that made room for others is not written back as half a row, and is met again. */
static void
test_sightings_of_what_made_room(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_resource res;
	(void)state;
	struct msg_sighting m = sighting_of(r, 1);
	m.fetchable = false;
	take(r, &m);
	assert_int_equal(db_resource_drop(r->c.db, m.resource), 0);
	sightings_flush(r->c.sightings);
	assert_int_equal(db_resource_get(r->c.db, m.resource, &res), FG_ENOTFOUND);
	take(r, &m);
	assert_int_equal(db_resource_get(r->c.db, m.resource, &res), 0);
	assert_string_equal(res.product, "EC25");
	control_rig_free(r);
}

/* The candidate says fetching, and no flight is: the database could not be written when it ended. */
static void
test_sightings_a_lost_end_is_fetched_again(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	int channel;
	(void)state;
	const struct msg_sighting m = sighting_of(r, 1);
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 1);
	fetches_free(r->c.fetches);
	jobs_free(r->c.jobs);
	r->c.jobs = jobs_new(r->c.base, r->supervisor);
	r->c.fetches = fetches_new(&r->c);
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	fetch(r, channel, spawn.job, MSG_FETCH_OK, "firmware");
	assert_string_equal(candidate(r, 1).state, "judging");
	control_rig_free(r);
}

/* Another's lock on the database is no reason to die of. */
static void
test_sightings_end_while_the_database_is_locked(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	struct db *other = NULL;
	char why[256];
	int channel;
	(void)state;
	const struct msg_sighting m = sighting_of(r, 1);
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	assert_int_equal(db_open(scratch_path(&r->s, "state.db"), &other, why, sizeof why), 0);
	assert_int_equal(db_begin(other), 0);
	fetch(r, channel, spawn.job, MSG_FETCH_HTTP, "");
	assert_int_equal(fetches_running(r->c.fetches), 0);
	db_rollback(other);
	db_close(other);
	control_rig_free(r);
}

static void
test_sightings_edges_choose_no_url(void **state)
{
	static const char *const urls[] = {
		"https://evil.example/get/EC25?v=1.1.0",
		"http://up.example/get/EC25?v=1.1.0",
		"https://up.example:81/get/EC25?v=1.1.0",
		"https://up.example.evil.example/get/EC25?v=1.1.0",
		"https://up.example@evil.example/get/EC25?v=1.1.0",
		"https://up.example/other/EC25?v=1.1.0",
		"file:///etc/passwd",
	};
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	uint64_t n = 0;
	(void)state;
	for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct msg_sighting m = sighting_of(r, 1);
		snprintf(m.url, sizeof m.url, "%s", urls[i]);
		profile_resource(policies_find(r->c.policies, "acme-rtr")->profile, m.url, m.resource);
		take(r, &m);
	}
	struct msg_sighting other = sighting_of(r, 1);
	other.resource[0] ^= 1; /* another's */
	take(r, &other);
	struct msg_sighting strange = sighting_of(r, 1);
	snprintf(strange.profile, sizeof strange.profile, "nobody");
	take(r, &strange);
	struct msg_sighting ugly = sighting_of(r, 1);
	snprintf(ugly.product, sizeof ugly.product, "EC\n25");
	take(r, &ugly);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 0);
	assert_int_equal(db_resource_count(r->c.db, "acme-rtr", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(inventory_count(r->c.inventory), 0);
	control_rig_free(r);
}

static int
count_unknown(void *arg, const struct db_unknown *u)
{
	uint64_t *n = arg;
	*n += u->count;
	assert_null(strchr(u->path, '\n'));
	return 0;
}

static void
test_sightings_learns_what_nobody_knows(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	struct msg_sighting m = { .listener = "plain", .host = "h", .path = "/x\ny", .repeats = 9 };
	uint64_t n = 0;
	(void)state;
	take(r, &m);
	m.repeats = 0;
	take(r, &m);
	assert_int_equal(db_unknown_list(r->c.db, 10, count_unknown, &n), 0);
	assert_int_equal(n, 11);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 0);
	control_rig_free(r);
}

static void
test_sightings_bytes_arrive_and_are_judged(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	uint8_t sha256[DIGEST_SHA256_LEN];
	int channel;
	(void)state;
	const struct msg_sighting m = sighting_of(r, 1);
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	fetch(r, channel, spawn.job, MSG_FETCH_OK, "firmware");
	struct db_candidate c = candidate(r, 1);
	assert_string_equal(c.state, "judging");
	assert_int_equal(digest_sha256(view_str("firmware"), sha256), 0);
	assert_memory_equal(c.image, sha256, sizeof sha256);
	assert_true(c.have_signature && c.have_provenance && c.in_quarantine && c.size == 8);
	int fd = files_image_open(r->c.files, FILES_IMAGE, sha256);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 1);
	assert_int_equal(spawn.kind, MSG_JOB_INSPECT);
	/* It is here: whoever asks again causes nothing. */
	take(r, &m);
	r->now += 3600;
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 0);
	control_rig_free(r);
}

static void
test_sightings_fetcher_that_lies_about_sizes_is_refused(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	struct msg_fetch q;
	struct wire_frame f;
	int channel;
	(void)state;
	const struct msg_sighting m = sighting_of(r, 1);
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	assert_true(loop_next(channel, MSG_FETCH, &q, &f));
	assert_true(write(f.fds[0], "abc", 3) == 3);
	wire_close_fds(&f);
	const struct msg_fetch_done done = { .job = spawn.job, .outcome = MSG_FETCH_OK, .bytes = 4 };
	int record = memfd_sealed("record", view_str(PROVENANCE));
	assert_int_equal(msg_send(channel, MSG_FETCH_DONE, &done, &record, 1), 0);
	close(record);
	close(channel);
	const struct msg_job_exit end = { .job = spawn.job, .started = true };
	jobs_on_exit(r->c.jobs, &end);
	loop_pump(r->c.base);
	assert_string_equal(candidate(r, 1).state, "fetch-failed");
	control_rig_free(r);
}

static int
count_incident(void *arg, const struct db_incident *i)
{
	(*(unsigned *)arg)++;
	assert_string_equal(i->kind, "other-bytes");
	return 0;
}

/* The image waits for people; then the same URL gives other bytes. */
static void
test_sightings_other_bytes_are_an_incident(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	unsigned incidents = 0;
	char why[MSG_TEXT_MAX];
	int channel;
	(void)state;
	const struct msg_sighting m = sighting_of(r, 1);
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	fetch(r, channel, spawn.job, MSG_FETCH_OK, "firmware");
	control_rig_spawns(r, &spawn, NULL);
	/* The same again is nothing new. */
	assert_int_equal(fetches_order(r->c.fetches, m.resource, "alice", why, sizeof why), 0);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	fetch(r, channel, spawn.job, MSG_FETCH_OK, "firmware");
	assert_int_equal(db_incident_list(r->c.db, 0, 10, count_incident, &incidents), 0);
	assert_int_equal(incidents, 0);
	assert_int_equal(fetches_order(r->c.fetches, m.resource, "alice", why, sizeof why), 0);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	fetch(r, channel, spawn.job, MSG_FETCH_OK, "malware!");
	assert_int_equal(db_incident_list(r->c.db, 0, 10, count_incident, &incidents), 0);
	assert_int_equal(incidents, 1);
	const struct db_candidate first = candidate(r, 1), second = candidate(r, 2);
	assert_string_equal(first.state, "judging");
	assert_string_equal(second.state, "incident");
	assert_true(first.in_quarantine && second.in_quarantine);
	assert_memory_not_equal(first.image, second.image, DIGEST_SHA256_LEN);
	control_rig_free(r);
}

static void
test_sightings_death_of_control_loses_no_fetch(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_spawn spawn;
	(void)state;
	const struct msg_sighting m = sighting_of(r, 1);
	take(r, &m);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 1);
	uint64_t before = spawn.job;
	/* Everything in memory goes; the database stays. */
	fetches_free(r->c.fetches);
	jobs_free(r->c.jobs);
	r->c.jobs = jobs_new(r->c.base, r->supervisor);
	r->c.fetches = fetches_new(&r->c);
	fetches_resume(r->c.fetches);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 1);
	assert_true(spawn.job != before);
	assert_string_equal(candidate(r, 1).state, "fetching");
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sightings_of_a_thousand_cause_one_fetch),
		cmocka_unit_test(test_sightings_failure_is_not_hammered),
		cmocka_unit_test(test_sightings_name_no_module),
		cmocka_unit_test(test_sightings_hourly_quota_holds),
		cmocka_unit_test(test_sightings_inventing_resources_is_bounded),
		cmocka_unit_test(test_sightings_of_what_made_room),
		cmocka_unit_test(test_sightings_a_lost_end_is_fetched_again),
		cmocka_unit_test(test_sightings_end_while_the_database_is_locked),
		cmocka_unit_test(test_sightings_edges_choose_no_url),
		cmocka_unit_test(test_sightings_learns_what_nobody_knows),
		cmocka_unit_test(test_sightings_bytes_arrive_and_are_judged),
		cmocka_unit_test(test_sightings_fetcher_that_lies_about_sizes_is_refused),
		cmocka_unit_test(test_sightings_other_bytes_are_an_incident),
		cmocka_unit_test(test_sightings_death_of_control_loses_no_fetch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
