/* SPDX-License-Identifier: Apache-2.0 */
/* A vendor's server that shows itself otherwise than before: told, held, and let pass by a person. */
#include "gateway/control/vendors.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/state/seen.h"
#include "unit/gateway/control_rig.h"

#define HOST "https://up.example:443"
#define CDN "https://cdn.example:443"

/* One fetch of a version's image, whose servers showed that. */
static void
fetch(struct control_rig *r, unsigned version, unsigned outcome, const struct msg_shown *shown, unsigned n)
{
	struct msg_sighting s = { .profile = "acme-rtr", .listener = "plain", .fetchable = true, .product = "EC25",
		.current = "1.0.0" };
	struct msg_fetch_done m = { .outcome = (uint8_t)outcome, .bytes = outcome == MSG_FETCH_OK ? 8 : 0, .shown_n = n };
	struct msg_fetch q;
	struct msg_spawn spawn;
	struct wire_frame f;
	char bytes[9];
	int channel;
	snprintf(s.url, sizeof s.url, "https://up.example/get/EC25?v=1.%u.0", version);
	snprintf(s.target, sizeof s.target, "1.%u.0", version);
	assert_int_equal(profile_resource(policies_find(r->c.policies, "acme-rtr")->profile, s.url, s.resource), 0);
	r->now += FETCHES_BACKOFF_MAX * 2;
	sightings_take(r->c.sightings, 0, &s);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	assert_true(loop_next(channel, MSG_FETCH, &q, &f));
	m.job = q.job;
	if (outcome == MSG_FETCH_REFUSED)
		m.finding = MSG_FINDING_IDENTITY;
	for (unsigned i = 0; i < n; i++)
		m.shown[i] = shown[i];
	snprintf(bytes, sizeof bytes, "image%03u", version);
	if (m.bytes)
		assert_int_equal(write(f.fds[0], bytes, 8), 8);
	wire_close_fds(&f);
	int record = memfd_sealed("record", view_str("{\"schema\":\"fotagate-provenance/1\"}"));
	assert_int_equal(msg_send(channel, MSG_FETCH_DONE, &m, &record, 1), 0);
	close(record);
	close(channel);
	const struct msg_job_exit end = { .job = q.job, .started = true };
	jobs_on_exit(r->c.jobs, &end);
	loop_pump(r->c.base);
	(void)control_rig_spawns(r, &spawn, NULL); /* an inspector, which nobody plays */
}

static int
count_one(void *arg, const struct db_incident *i)
{
	assert_string_equal(i->kind, "vendor");
	assert_true(i->have_resource);
	++*(unsigned *)arg;
	return 0;
}

static unsigned
incidents(struct control_rig *r)
{
	unsigned n = 0;
	assert_int_equal(db_incident_list(r->c.db, 0, 100, count_one, &n), 0);
	return n;
}

static void
is(struct control_rig *r, uint64_t candidate, const char *state, const char *note)
{
	struct db_candidate c;
	assert_int_equal(db_candidate_get(r->c.db, candidate, &c), 0);
	assert_string_equal(c.state, state);
	assert_non_null(strstr(c.note, note));
}

static const struct msg_shown first[] = {
	{ MSG_SHOWN_KEY, HOST, "aa" }, { MSG_SHOWN_REDIRECT, HOST, CDN }, { MSG_SHOWN_KEY, CDN, "bb" }, { MSG_SHOWN_REDIRECT, CDN, "" },
};

static void
test_what_is_seen_first_is_taken(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	fetch(r, 2, MSG_FETCH_OK, first, 4);
	fetch(r, 3, MSG_FETCH_OK, first, 1);
	for (uint64_t i = 1; i <= 3; i++)
		is(r, i, "judging", "");
	assert_int_equal(incidents(r), 0);
	control_rig_free(r);
}

static void
test_what_changed_is_held(void **state)
{
	static const struct { struct msg_shown shown; const char *note; } rows[] = {
		{ { MSG_SHOWN_KEY, HOST, "cc" }, "another key than before: SHA-256 cc" },
		{ { MSG_SHOWN_KEY, CDN, "aa" }, "another key" },
		{ { MSG_SHOWN_REDIRECT, HOST, "https://evil.example:443" }, "leads elsewhere than before: to https://evil.example:443" },
		{ { MSG_SHOWN_REDIRECT, HOST, "" }, "leads nowhere else any more" },
		{ { MSG_SHOWN_REDIRECT, CDN, HOST }, "leads elsewhere" },
		{ { MSG_SHOWN_KEY, HOST, "\x1b[2Jcc" }, "<1B>" },
	};
	struct control_rig *r = control_rig_new();
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fetch(r, 2 + i, MSG_FETCH_OK, &rows[i].shown, 1);
		is(r, 2 + i, "incident", rows[i].note);
		assert_int_equal(incidents(r), i + 1);
	}
	/* Nobody let any of it pass: the same again is held again. */
	fetch(r, 20, MSG_FETCH_OK, &rows[0].shown, 1);
	is(r, 8, "incident", "another key");
	fetch(r, 21, MSG_FETCH_OK, first, 4);
	is(r, 9, "judging", "");
	control_rig_free(r);
}

static void
test_a_person_lets_it_pass(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown new_key = { MSG_SHOWN_KEY, HOST, "cc" }, newer = { MSG_SHOWN_KEY, HOST, "dd" };
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	fetch(r, 2, MSG_FETCH_OK, &new_key, 1);
	is(r, 2, "incident", "");
	assert_int_equal(vendors_accept(&r->c, 0), 0);
	fetch(r, 3, MSG_FETCH_OK, &new_key, 1);
	is(r, 3, "incident", "");
	assert_int_equal(vendors_accept(&r->c, 3), 0);
	fetch(r, 4, MSG_FETCH_OK, &new_key, 1);
	is(r, 4, "judging", "");
	fetch(r, 5, MSG_FETCH_OK, first, 1); /* while servers change over, both are */
	is(r, 5, "judging", "");
	fetch(r, 6, MSG_FETCH_OK, &newer, 1);
	is(r, 6, "incident", "");
	control_rig_free(r);
}

/* Beyond a redirect that was held, nothing is taken for the vendor's. */
static void
test_the_rest_of_such_a_fetch_is_not_taken(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown evil[] = { { MSG_SHOWN_REDIRECT, HOST, "https://evil.example:443" },
		{ MSG_SHOWN_KEY, "https://evil.example:443", "ee" } };
	struct db_seen s;
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	fetch(r, 2, MSG_FETCH_OK, evil, 2);
	assert_int_equal(db_seen_get(r->c.db, "acme-rtr", evil[1].kind, evil[1].place, evil[1].value, &s), 0);
	assert_false(s.known);
	control_rig_free(r);
}

static void
test_a_refused_identity_is_told_once(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown evil = { MSG_SHOWN_KEY, HOST, "ee" }, other = { MSG_SHOWN_KEY, HOST, "ff" };
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	fetch(r, 2, MSG_FETCH_REFUSED, &evil, 1);
	fetch(r, 2, MSG_FETCH_REFUSED, &evil, 1);
	is(r, 2, "fetch-failed", "");
	assert_int_equal(incidents(r), 1);
	fetch(r, 2, MSG_FETCH_REFUSED, &other, 1);
	fetch(r, 2, MSG_FETCH_REFUSED, NULL, 0);
	assert_int_equal(incidents(r), 3);
	fetch(r, 2, MSG_FETCH_OK, &evil, 1); /* somebody changed the pins to it: still a change */
	is(r, 2, "incident", "another key");
	fetch(r, 3, MSG_FETCH_REFUSED, first, 1);
	fetch(r, 4, MSG_FETCH_OK, first, 1);
	is(r, 4, "judging", ""); /* a refusal makes nothing unknown */
	control_rig_free(r);
}

static void
test_pending_ones_are_bounded(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_seen s = { .profile = "acme-rtr", .kind = MSG_SHOWN_KEY, .place = HOST };
	(void)state;
	for (unsigned i = 0; i < DB_SEEN_PENDING_MAX + 10; i++) {
		s.last = i;
		snprintf(s.value, sizeof s.value, "%u", i);
		s.known = i == 0;
		assert_int_equal(db_seen_put(r->c.db, &s), 0);
	}
	assert_int_equal(db_seen_get(r->c.db, "acme-rtr", MSG_SHOWN_KEY, HOST, "0", &s), 0);
	assert_int_equal(db_seen_get(r->c.db, "acme-rtr", MSG_SHOWN_KEY, HOST, "9", &s), FG_ENOTFOUND);
	assert_int_equal(db_seen_get(r->c.db, "acme-rtr", MSG_SHOWN_KEY, HOST, "10", &s), 0);
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_seen_first_is_taken),
		cmocka_unit_test(test_what_changed_is_held),
		cmocka_unit_test(test_a_person_lets_it_pass),
		cmocka_unit_test(test_the_rest_of_such_a_fetch_is_not_taken),
		cmocka_unit_test(test_a_refused_identity_is_told_once),
		cmocka_unit_test(test_pending_ones_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
