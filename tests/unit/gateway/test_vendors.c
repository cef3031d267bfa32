/* SPDX-License-Identifier: Apache-2.0 */
/* A vendor's server that shows itself otherwise than before: told, held, and let pass by a person. */
#include "gateway/control/vendors.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/state/kept.h"
#include "gateway/state/seen.h"
#include "unit/gateway/control_rig.h"

#define HOST "https://up.example:443"
#define CDN "https://cdn.example:443"

/* One fetch of a version's image, whose servers showed that; one that failed leaves half of it. */
static void
fetch_of(struct control_rig *r, unsigned version, const char *bytes, unsigned outcome, const struct msg_shown *shown,
    unsigned n)
{
	struct msg_sighting s = { .profile = "acme-rtr", .listener = "plain", .fetchable = true, .product = "EC25",
		.current = "1.0.0" };
	struct msg_fetch_done m = { .outcome = (uint8_t)outcome, .bytes = outcome == MSG_FETCH_OK ? 8 : 0, .shown_n = n };
	struct msg_fetch q;
	struct msg_spawn spawn;
	struct wire_frame f;
	int channel;
	snprintf(s.url, sizeof s.url, "https://up.example/get/EC25?v=1.%u.0", version);
	snprintf(s.target, sizeof s.target, "1.%u.0", version);
	assert_int_equal(profile_resource(policies_find(r->c.policies, "acme-rtr")->profile, s.url, s.resource), 0);
	r->now += FETCHES_RECHECK + FETCHES_BACKOFF_MAX;
	sightings_take(r->c.sightings, 0, &s);
	assert_int_equal(control_rig_spawns(r, &spawn, &channel), 1);
	assert_true(loop_next(channel, MSG_FETCH, &q, &f));
	m.job = q.job;
	if (outcome == MSG_FETCH_REFUSED)
		m.finding = MSG_FINDING_IDENTITY;
	for (unsigned i = 0; i < n; i++)
		m.shown[i] = shown[i];
	if (outcome == MSG_FETCH_FAILED) {
		m.kept_n = 1;
		m.kept[0] = (struct msg_kept){ .bytes = 4, .total = 8, .validator = "\"v1\"" };
	}
	if (m.bytes || m.kept_n)
		assert_int_equal(pwrite(f.fds[0], bytes, m.bytes ? 8 : 4, 0), m.bytes ? 8 : 4);
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

static void
fetch(struct control_rig *r, unsigned version, unsigned outcome, const struct msg_shown *shown, unsigned n)
{
	char bytes[9];
	snprintf(bytes, sizeof bytes, "image%03u", version);
	fetch_of(r, version, bytes, outcome, shown, n);
}

static void
set_state(struct control_rig *r, uint64_t candidate, const char *to)
{
	struct db_candidate c;
	assert_int_equal(db_candidate_get(r->c.db, candidate, &c), 0);
	char was[sizeof c.state];
	snprintf(was, sizeof was, "%s", c.state);
	snprintf(c.state, sizeof c.state, "%s", to);
	assert_int_equal(db_candidate_update(r->c.db, &c, was), 0);
}

struct tally {
	const char *kind;
	unsigned n;
};

static int
count_one(void *arg, const struct db_incident *i)
{
	struct tally *t = arg;
	assert_true(i->have_resource);
	t->n += !strcmp(i->kind, t->kind);
	return 0;
}

static unsigned
incidents_of(struct control_rig *r, const char *kind)
{
	struct tally t = { kind, 0 };
	assert_int_equal(db_incident_list(r->c.db, 0, 100, count_one, &t), 0);
	return t.n;
}

static unsigned
incidents(struct control_rig *r)
{
	return incidents_of(r, "vendor");
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
	/* Nobody let any of it pass: the same again is held again, if no more told of. */
	fetch(r, 20, MSG_FETCH_OK, &rows[0].shown, 1);
	is(r, 8, "incident", "another key");
	assert_int_equal(incidents(r), sizeof rows / sizeof rows[0]);
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
	const struct msg_shown evil = { MSG_SHOWN_REFUSED, HOST, "ee" }, other = { MSG_SHOWN_REFUSED, HOST, "ff" },
		let_in = { MSG_SHOWN_KEY, HOST, "ee" }, known = { MSG_SHOWN_REFUSED, HOST, "aa" };
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	fetch(r, 2, MSG_FETCH_REFUSED, &evil, 1);
	fetch(r, 2, MSG_FETCH_REFUSED, &evil, 1);
	is(r, 2, "fetch-failed", "");
	assert_int_equal(incidents(r), 1);
	fetch(r, 2, MSG_FETCH_REFUSED, &other, 1);
	fetch(r, 2, MSG_FETCH_REFUSED, NULL, 0);
	assert_int_equal(incidents(r), 3);
	fetch(r, 2, MSG_FETCH_OK, &let_in, 1); /* somebody changed the pins to it: still a change */
	is(r, 2, "incident", "another key");
	unsigned before = incidents(r);
	fetch(r, 3, MSG_FETCH_REFUSED, &known, 1);
	fetch(r, 3, MSG_FETCH_REFUSED, &known, 1);
	assert_int_equal(incidents(r), before + 1);
	r->now++;
	fetch(r, 4, MSG_FETCH_OK, first, 1);
	is(r, 4, "judging", ""); /* a refusal makes nothing unknown */
	r->now++;
	fetch(r, 3, MSG_FETCH_REFUSED, &known, 1);
	fetch(r, 3, MSG_FETCH_REFUSED, &known, 1);
	assert_int_equal(incidents(r), before + 2);
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

/* Reopening any one of the reviews that are held for a key makes it known; a second look in between changes nothing. */
static void
test_one_reopen_is_enough(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown key = { MSG_SHOWN_KEY, HOST, "cc" };
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	set_state(r, 1, "review");
	fetch(r, 2, MSG_FETCH_OK, &key, 1);
	fetch(r, 3, MSG_FETCH_OK, &key, 1);
	fetch(r, 1, MSG_FETCH_OK, &key, 1); /* the second look, which holds nothing */
	is(r, 1, "review", "");
	is(r, 2, "incident", "another key");
	is(r, 3, "incident", "another key");
	assert_int_equal(incidents(r), 1);
	assert_int_equal(vendors_accept(&r->c, 2), 0);
	fetch(r, 4, MSG_FETCH_OK, &key, 1);
	is(r, 4, "judging", "");
	fetch(r, 1, MSG_FETCH_OK, &key, 1);
	assert_int_equal(incidents(r), 1);
	control_rig_free(r);
}

static void
test_second_looks_tell_once(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown key = { MSG_SHOWN_KEY, HOST, "cc" };
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	set_state(r, 1, "approved");
	for (unsigned i = 0; i < 3; i++)
		fetch(r, 1, MSG_FETCH_OK, &key, 1);
	assert_int_equal(incidents(r), 1);
	fetch(r, 2, MSG_FETCH_OK, &key, 1); /* the next image brings it to people */
	is(r, 2, "incident", "another key");
	assert_int_equal(incidents(r), 1);
	assert_int_equal(vendors_accept(&r->c, 2), 0);
	fetch(r, 3, MSG_FETCH_OK, &key, 1);
	is(r, 3, "judging", "");
	control_rig_free(r);
}

/* Other bytes from another key: a new candidate is held, for both. */
static void
test_other_bytes_from_another_key(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown key = { MSG_SHOWN_KEY, HOST, "cc" };
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	set_state(r, 1, "review");
	fetch_of(r, 1, "trojan!!", MSG_FETCH_OK, &key, 1);
	is(r, 1, "review", "");
	is(r, 2, "incident", "other bytes than before; " HOST " shows another key");
	assert_int_equal(vendors_accept(&r->c, 2), 0);
	fetch(r, 3, MSG_FETCH_OK, &key, 1);
	is(r, 3, "judging", "");
	control_rig_free(r);
}

static int
count_held(void *arg, const struct db_seen *s)
{
	++*(unsigned *)arg;
	assert_false(s->known);
	return 0;
}

/* What a reopen makes known is what the review says. */
static void
test_all_it_is_held_for_is_said(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown evil[] = { { MSG_SHOWN_KEY, HOST, "cc" }, { MSG_SHOWN_REDIRECT, HOST, "https://evil.example:443" },
		{ MSG_SHOWN_KEY, "https://evil.example:443", "ee" }, { MSG_SHOWN_KEY, CDN, "bb" } };
	unsigned n = 0;
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	fetch(r, 2, MSG_FETCH_OK, evil, 4);
	is(r, 2, "incident", "SHA-256 cc; and 2 more that is new");
	assert_int_equal(db_seen_held(r->c.db, 2, count_held, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(vendors_accept(&r->c, 2), 0);
	n = 0;
	assert_int_equal(db_seen_held(r->c.db, 2, count_held, &n), 0);
	assert_int_equal(n, 0);
	control_rig_free(r);
}

/* Bytes of a strange server are not what the next fetch goes on with, whatever that one's server shows. */
static void
test_nothing_of_a_strange_server_is_kept(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown evil = { MSG_SHOWN_KEY, HOST, "ee" };
	const struct msg_shown both[] = { { MSG_SHOWN_KEY, HOST, "aa" }, { MSG_SHOWN_REFUSED, HOST, "ee" } };
	struct db_kept k;
	struct db_resource res;
	struct db_candidate c;
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	fetch(r, 2, MSG_FETCH_FAILED, &evil, 1);
	is(r, 2, "fetch-failed", "");
	assert_int_equal(incidents(r), 1);
	assert_int_equal(db_candidate_get(r->c.db, 2, &c), 0);
	assert_int_equal(db_resource_get(r->c.db, c.resource, &res), 0);
	assert_int_equal(db_kept_get(r->c.db, res.id, &k), FG_ENOTFOUND);
	fetch(r, 2, MSG_FETCH_FAILED, first, 1);
	assert_int_equal(db_kept_get(r->c.db, res.id, &k), 0);
	fetch(r, 2, MSG_FETCH_FAILED, both, 2); /* nothing came from the one that was refused */
	assert_int_equal(db_kept_get(r->c.db, res.id, &k), 0);
	fetch(r, 2, MSG_FETCH_FAILED, &evil, 1);
	assert_int_equal(db_kept_get(r->c.db, res.id, &k), FG_ENOTFOUND);
	control_rig_free(r);
}

/* The first fetch of all may be the strange one: then the second is. */
static void
test_what_a_kept_part_showed_is_remembered(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct msg_shown evil = { MSG_SHOWN_KEY, HOST, "ee" };
	(void)state;
	fetch(r, 1, MSG_FETCH_FAILED, &evil, 1);
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	is(r, 1, "incident", "another key");
	control_rig_free(r);
}

static void
test_known_ones_are_bounded(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_seen s = { .profile = "acme-rtr", .kind = MSG_SHOWN_KEY, .known = true };
	const struct msg_shown new_place = { MSG_SHOWN_KEY, "https://new.example:443", "99" };
	(void)state;
	fetch(r, 1, MSG_FETCH_OK, first, 4);
	for (unsigned i = 0; i < DB_SEEN_KNOWN_MAX; i++) {
		s.first = s.last = r->now;
		snprintf(s.place, sizeof s.place, "https://%u.example:443", i);
		assert_int_equal(db_seen_put(r->c.db, &s), 0);
	}
	fetch(r, 2, MSG_FETCH_OK, &new_place, 1);
	is(r, 2, "incident", "more keys and places");
	fetch(r, 3, MSG_FETCH_OK, first, 4);
	is(r, 3, "judging", "");
	r->now += 91 * 24 * 3600; /* those nobody saw for so long give way */
	fetch(r, 4, MSG_FETCH_OK, &new_place, 1);
	is(r, 4, "judging", "");
	control_rig_free(r);
}

/* Any module may ask for any name: one that was turned down holds nothing, and many are one incident. */
static void
test_a_name_nobody_took_seriously_holds_nothing(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	fetch_of(r, 99, "genuine!", MSG_FETCH_OK, first, 4);
	set_state(r, 1, "rejected");
	fetch_of(r, 2, "genuine!", MSG_FETCH_OK, first, 4);
	is(r, 2, "judging", "");
	set_state(r, 2, "approved");
	for (unsigned i = 3; i < 6; i++) {
		fetch_of(r, i, "genuine!", MSG_FETCH_OK, first, 4);
		is(r, i, "incident", "the bytes are those of version 1.2.0");
	}
	assert_int_equal(incidents_of(r, "old-bytes"), 1);
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
		cmocka_unit_test(test_one_reopen_is_enough),
		cmocka_unit_test(test_second_looks_tell_once),
		cmocka_unit_test(test_other_bytes_from_another_key),
		cmocka_unit_test(test_all_it_is_held_for_is_said),
		cmocka_unit_test(test_nothing_of_a_strange_server_is_kept),
		cmocka_unit_test(test_what_a_kept_part_showed_is_remembered),
		cmocka_unit_test(test_known_ones_are_bounded),
		cmocka_unit_test(test_a_name_nobody_took_seriously_holds_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
