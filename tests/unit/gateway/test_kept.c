/* SPDX-License-Identifier: Apache-2.0 */
/* What a fetch that did not end leaves for the next one, whoever of us died in between. */
#include "gateway/control/kept.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "unit/gateway/control_rig.h"

#define RECORD "{\"schema\":\"fotagate-provenance/1\"}"

struct job {
	struct msg_fetch q;
	int channel, image;
	uint32_t wall_ms;
};

static struct msg_sighting
sighting_of(const struct control_rig *r, unsigned version)
{
	struct msg_sighting m = { .profile = "acme-rtr", .listener = "plain", .fetchable = true, .product = "EC25",
		.current = "1.0.0" };
	snprintf(m.url, sizeof m.url, "https://up.example/get/EC25?v=1.%u.0", version);
	snprintf(m.signature_url, sizeof m.signature_url, "https://up.example/get/EC25-1.%u.0.p7s", version);
	snprintf(m.target, sizeof m.target, "1.%u.0", version);
	assert_int_equal(profile_resource(policies_find(r->c.policies, "acme-rtr")->profile, m.url, m.resource), 0);
	return m;
}

/* A fetcher starts and reads its question. */
static struct job
asked(struct control_rig *r)
{
	struct job j;
	struct msg_spawn spawn;
	struct wire_frame f;
	assert_int_equal(control_rig_spawns(r, &spawn, &j.channel), 1);
	assert_true(loop_next(j.channel, MSG_FETCH, &j.q, &f));
	j.wall_ms = spawn.wall_ms;
	j.image = wire_take_fd(&f, 0);
	wire_close_fds(&f);
	return j;
}

static void
write_down(const struct job *j, const char *bytes)
{
	assert_int_equal(pwrite(j->image, bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
}

static struct msg_kept
kept_of(uint64_t bytes)
{
	struct msg_kept k = { .bytes = bytes, .total = 100, .validator = "\"v1\"" };
	memset(k.sha256, 7, sizeof k.sha256);
	return k;
}

/* The fetcher's process ends. */
static void
gone(struct control_rig *r, struct job *j, int32_t status)
{
	close(j->channel);
	close(j->image);
	const struct msg_job_exit end = { .job = j->q.job, .started = true, .status = status };
	jobs_on_exit(r->c.jobs, &end);
	loop_pump(r->c.base);
}

static void
tell(struct control_rig *r, const struct job *j, uint64_t bytes)
{
	const struct msg_fetch_progress m = { .job = j->q.job, .bytes = bytes, .kept_n = 1, .kept = { kept_of(bytes) } };
	assert_int_equal(msg_send(j->channel, MSG_FETCH_PROGRESS, &m, NULL, 0), 0);
	loop_pump(r->c.base);
}

static void
done(struct control_rig *r, struct job *j, unsigned outcome, uint64_t bytes, uint64_t kept)
{
	struct msg_fetch_done m = { .job = j->q.job, .outcome = (uint8_t)outcome, .bytes = bytes, .kept_n = kept > 0,
		.kept = { kept_of(kept) } };
	int record = memfd_sealed("record", view_str(RECORD));
	assert_int_equal(msg_send(j->channel, MSG_FETCH_DONE, &m, &record, 1), 0);
	close(record);
	gone(r, j, 0);
}

/* Everything in control's memory goes; database and files stay. */
static void
restart(struct control_rig *r)
{
	fetches_free(r->c.fetches);
	jobs_free(r->c.jobs);
	r->c.jobs = jobs_new(r->c.base, r->supervisor);
	r->c.fetches = NULL;
	assert_int_equal(kept_sweep(&r->c), 0);
	r->c.fetches = fetches_new(&r->c);
	fetches_resume(r->c.fetches);
}

static void
ask(struct control_rig *r, unsigned version)
{
	const struct msg_sighting m = sighting_of(r, version);
	r->now += FETCHES_BACKOFF_MAX * 2;
	sightings_take(r->c.sightings, 0, &m);
}

static void
begins_with(const struct job *j, uint64_t bytes, const char *text)
{
	char had[64] = "";
	assert_int_equal(j->q.kept_n, bytes > 0);
	if (bytes) {
		const struct msg_kept want = kept_of(bytes);
		assert_memory_equal(&j->q.kept[0], &want, sizeof want);
	}
	assert_int_equal(pread(j->image, had, sizeof had - 1, 0), strlen(text));
	assert_string_equal(had, text);
}

static uint64_t
bytes_there(struct control_rig *r)
{
	uint64_t n = 0;
	assert_int_equal(files_usage(r->c.files, &n), 0);
	return n;
}

static void
test_a_cut_fetch_is_gone_on_with(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_kept k;
	(void)state;
	ask(r, 1);
	struct job j = asked(r);
	begins_with(&j, 0, "");
	write_down(&j, "first half");
	done(r, &j, MSG_FETCH_FAILED, 10, 10);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 10, "first half");
	write_down(&j, "first half and more");
	done(r, &j, MSG_FETCH_HTTP, 19, 19);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 19, "first half and more");
	write_down(&j, "first half and more of it");
	done(r, &j, MSG_FETCH_OK, 25, 0);
	assert_int_equal(db_kept_get(r->c.db, sighting_of(r, 1).resource, &k), FG_ENOTFOUND);
	assert_int_equal(bytes_there(r), 25); /* the image, and no part */
	control_rig_free(r);
}

static void
test_a_refusal_leaves_nothing(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	ask(r, 1);
	struct job j = asked(r);
	write_down(&j, "first half");
	tell(r, &j, 10);
	done(r, &j, MSG_FETCH_REFUSED, 10, 0);
	assert_int_equal(bytes_there(r), 0);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 0, "");
	gone(r, &j, 0);
	control_rig_free(r);
}

static void
test_a_fetcher_that_died_is_gone_on_with_once(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	ask(r, 1);
	struct job j = asked(r);
	write_down(&j, "first half, and then");
	tell(r, &j, 10);
	gone(r, &j, -SIGKILL);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 10, "first half"); /* and not what it wrote besides */
	gone(r, &j, -SIGSEGV); /* it may have died of just that */
	assert_int_equal(bytes_there(r), 0);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 0, "");
	gone(r, &j, -SIGKILL); /* nothing was told: nothing is kept */
	assert_int_equal(bytes_there(r), 0);
	control_rig_free(r);
}

static void
test_a_restart_goes_on(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	ask(r, 1);
	struct job j = asked(r);
	write_down(&j, "first half");
	tell(r, &j, 10);
	struct files_part nobodys;
	assert_int_equal(files_part_new(r->c.files, &nobodys), 0);
	assert_int_equal(write(nobodys.fd, "x", 1), 1);
	close(nobodys.fd);
	restart(r);
	close(j.channel);
	close(j.image);
	assert_int_equal(bytes_there(r), 10);
	j = asked(r);
	begins_with(&j, 10, "first half");
	gone(r, &j, 0);
	control_rig_free(r);
}

static void
test_a_part_that_is_gone_is_no_part(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_kept k;
	(void)state;
	ask(r, 1);
	struct job j = asked(r);
	write_down(&j, "first half");
	done(r, &j, MSG_FETCH_FAILED, 10, 10);
	assert_int_equal(db_kept_get(r->c.db, sighting_of(r, 1).resource, &k), 0);
	files_part_drop(r->c.files, k.part);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 0, "");
	gone(r, &j, 0);
	/* And a name that is none of ours opens nothing. */
	snprintf(k.part, sizeof k.part, "../state.db");
	assert_int_equal(db_kept_put(r->c.db, &k), 0);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 0, "");
	gone(r, &j, 0);
	control_rig_free(r);
}

/* One resource after another is left in the middle. */
static void
leave(struct control_rig *r, unsigned version)
{
	ask(r, version);
	struct job j = asked(r);
	write_down(&j, "0123456789");
	done(r, &j, MSG_FETCH_FAILED, 10, 10);
}

static void
test_they_are_bounded_in_number_and_age(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_kept k;
	(void)state;
	for (unsigned i = 0; i < KEPT_MAX + 3; i++) {
		const struct msg_sighting m = sighting_of(r, i);
		r->now += 3600; /* the profile's fetches of an hour */
		sightings_take(r->c.sightings, 0, &m);
		struct job j = asked(r);
		write_down(&j, "0123456789");
		done(r, &j, MSG_FETCH_FAILED, 10, 10);
	}
	assert_int_equal(bytes_there(r), KEPT_MAX * 10);
	assert_int_equal(db_kept_get(r->c.db, sighting_of(r, 2).resource, &k), FG_ENOTFOUND);
	assert_int_equal(db_kept_get(r->c.db, sighting_of(r, 3).resource, &k), 0);
	r->now = k.at + KEPT_SECONDS;
	kept_tidy(&r->c);
	assert_int_equal(bytes_there(r), KEPT_MAX * 10);
	r->now++;
	kept_tidy(&r->c);
	assert_int_equal(bytes_there(r), KEPT_MAX * 10 - 10);
	assert_int_equal(db_kept_get(r->c.db, sighting_of(r, 3).resource, &k), FG_ENOTFOUND);
	control_rig_free(r);
}

static void
test_what_is_being_written_is_not_dropped(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	leave(r, 1);
	leave(r, 2);
	ask(r, 1);
	struct job j = asked(r);
	assert_true(kept_drop_oldest(&r->c, NULL));
	assert_false(kept_drop_oldest(&r->c, NULL));
	assert_int_equal(bytes_there(r), 10);
	begins_with(&j, 10, "0123456789");
	gone(r, &j, 0);
	control_rig_free(r);
}

/* A fetcher gone wrong says that more is there than is. */
static void
test_a_part_is_no_longer_than_its_file(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_kept k;
	(void)state;
	ask(r, 1);
	struct job j = asked(r);
	write_down(&j, "0123456789");
	tell(r, &j, 11);
	assert_int_equal(db_kept_get(r->c.db, sighting_of(r, 1).resource, &k), FG_ENOTFOUND);
	done(r, &j, MSG_FETCH_FAILED, 10, INT64_MAX);
	assert_int_equal(db_kept_get(r->c.db, sighting_of(r, 1).resource, &k), FG_ENOTFOUND);
	assert_int_equal(bytes_there(r), 0);
	ask(r, 1);
	j = asked(r);
	write_down(&j, "0123456789");
	done(r, &j, MSG_FETCH_FAILED, 10, 1); /* the rest it wrote is nobody's */
	assert_int_equal(bytes_there(r), 1);
	control_rig_free(r);
}

static void
test_another_policy_begins_from_zero(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	leave(r, 1);
	char *other = sample_profile_with("fetches_per_hour", "fetches_per_hour = 77;");
	control_rig_configure(r, "learn = true;\n", other);
	free(other);
	ask(r, 1);
	struct job j = asked(r);
	begins_with(&j, 0, "");
	gone(r, &j, 0);
	assert_int_equal(bytes_there(r), 0);
	control_rig_free(r);
}

static void
test_a_fetcher_that_never_ran_changes_nothing(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	leave(r, 1);
	ask(r, 1);
	struct job j = asked(r);
	close(j.channel);
	close(j.image);
	const struct msg_job_exit end = { .job = j.q.job };
	jobs_on_exit(r->c.jobs, &end);
	loop_pump(r->c.base);
	ask(r, 1);
	j = asked(r);
	begins_with(&j, 10, "0123456789");
	gone(r, &j, 0);
	control_rig_free(r);
}

/* The fetcher reads all that was kept before it asks for more, on whatever disk: not on the vendor's time. */
static void
test_there_is_time_to_read_what_was_kept(void **state)
{
	struct control_rig *r = control_rig_new();
	const uint64_t half_minute = UINT64_C(30) * (20 << 20);
	(void)state;
	ask(r, 1);
	struct job j = asked(r);
	const uint32_t usual = j.wall_ms;
	const struct profile *p = policies_find(r->c.policies, "acme-rtr")->profile;
	assert_int_equal(usual, (p->upstream_options.max_seconds + 120) * 1000);
	assert_int_equal(ftruncate(j.image, (off_t)half_minute), 0); /* a hole: no disk is filled */
	done(r, &j, MSG_FETCH_FAILED, half_minute, half_minute);
	ask(r, 1);
	j = asked(r);
	assert_int_equal(j.q.kept_n, 1);
	assert_int_equal(j.wall_ms, usual + 30000);
	done(r, &j, MSG_FETCH_FAILED, 0, 0);
	ask(r, 1);
	j = asked(r);
	assert_int_equal(j.wall_ms, usual);
	gone(r, &j, 0);
	control_rig_free(r);
}

/* A profile that used up its own quota gets nothing out of what others left. */
static void
test_only_room_that_is_shared_is_made(void **state)
{
	struct control_rig *r = control_rig_new();
	struct db_candidate cand = { .have_image = true, .in_quarantine = true, .size = 1, .state = "review" };
	char why[MSG_TEXT_MAX] = "";
	struct msg_spawn spawn;
	(void)state;
	leave(r, 1);
	ask(r, 2);
	struct job j = asked(r);
	done(r, &j, MSG_FETCH_FAILED, 0, 0);
	const struct profile *p = policies_find(r->c.policies, "acme-rtr")->profile;
	memcpy(cand.resource, sighting_of(r, 2).resource, sizeof cand.resource);
	cand.size = (uint64_t)p->quarantine_bytes;
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	assert_int_equal(fetches_order(r->c.fetches, cand.resource, "somebody", why, sizeof why), FG_EAGAIN);
	assert_non_null(strstr(why, "quarantine_bytes"));
	assert_int_equal(bytes_there(r), 10);
	assert_int_equal(control_rig_spawns(r, &spawn, NULL), 0);
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cut_fetch_is_gone_on_with),
		cmocka_unit_test(test_a_refusal_leaves_nothing),
		cmocka_unit_test(test_a_fetcher_that_died_is_gone_on_with_once),
		cmocka_unit_test(test_a_restart_goes_on),
		cmocka_unit_test(test_there_is_time_to_read_what_was_kept),
		cmocka_unit_test(test_a_part_that_is_gone_is_no_part),
		cmocka_unit_test(test_they_are_bounded_in_number_and_age),
		cmocka_unit_test(test_what_is_being_written_is_not_dropped),
		cmocka_unit_test(test_a_part_is_no_longer_than_its_file),
		cmocka_unit_test(test_another_policy_begins_from_zero),
		cmocka_unit_test(test_a_fetcher_that_never_ran_changes_nothing),
		cmocka_unit_test(test_only_room_that_is_shared_is_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
