/* SPDX-License-Identifier: Apache-2.0 */
/* An image and the words that are to stand beside it: it waits for them, for so long and no longer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/notesfetch.h"
#include "images/notes.h"
#include "unit/gateway/control_rig.h"

#define NOTED "notes_url = \"https://notes.example/{product}/{target}.txt\";"

static int
setup(void **state)
{
	struct control_rig *r = control_rig_new();
	char *profile = sample_profile_with("notes_url", NOTED);
	control_rig_configure(r, "", profile);
	free(profile);
	r->c.notesfetch = notesfetch_new(&r->c);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct control_rig *r = *state;
	notesfetch_free(r->c.notesfetch);
	r->c.notesfetch = NULL;
	control_rig_free(r);
	return 0;
}

/* A candidate in judging, with bytes of its own. */
static uint64_t
arrived(struct control_rig *r, uint8_t fill)
{
	struct db_resource res = { .sightings = 1 };
	struct db_candidate cand = { .have_image = true, .in_quarantine = true, .size = 64, .created = 1000 };
	struct files_part part;
	uint8_t bytes[64];
	bool fresh;
	memset(bytes, fill, sizeof bytes);
	memset(res.id, fill, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/%u", fill);
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.target, sizeof res.target, "1.%u", fill);
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	memcpy(cand.resource, res.id, sizeof cand.resource);
	snprintf(cand.state, sizeof cand.state, "judging");
	assert_int_equal(digest_sha256(view_of(bytes, sizeof bytes), cand.image), 0);
	assert_int_equal(files_part_new(r->c.files, &part), 0);
	assert_int_equal(write(part.fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
	close(part.fd);
	assert_int_equal(files_part_seal(r->c.files, part.name, FILES_IMAGE, cand.image), 0);
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	return cand.id;
}

/* The one process that was asked for since the last look; 0: none was. */
static enum msg_job_kind
began(struct control_rig *r, struct msg_spawn *ret, int *ret_fd)
{
	int fd;
	unsigned n = control_rig_spawns(r, ret, ret_fd ? ret_fd : &fd);
	if (!ret_fd && n)
		close(fd);
	assert_true(n <= 1);
	return n ? ret->kind : MSG_JOB_NONE;
}

static void
what_is_asked(void **state)
{
	struct control_rig *r = *state;
	static struct msg_fetch m;
	struct msg_spawn spawn;
	struct wire_frame f;
	int fd;
	notesfetch_judge(&r->c, arrived(r, 1));
	assert_int_equal(began(r, &spawn, &fd), MSG_JOB_UPSTREAM);
	assert_int_equal(spawn.wall_ms, NOTESFETCH_LONGEST_S * 1000);
	assert_true(loop_next(fd, MSG_FETCH, &m, &f));
	assert_string_equal(m.url, "https://notes.example/EC25/1.1.txt");
	/* Who we are is for where the image came from. */
	assert_string_equal(m.home, "https://up.example/1");
	assert_string_equal(m.signature_url, "");
	assert_true(m.max_bytes == NOTES_FILE_MAX && m.max_seconds == NOTESFETCH_SECONDS && !m.private_n && !m.have_credentials);
	wire_close_fds(&f);
	close(fd);
}

/* Whoever looks at what is to be judged leaves it: with them it would be another report, and people sign a report. */
static void
it_waits_for_them(void **state)
{
	struct control_rig *r = *state;
	struct msg_spawn fetch, other;
	struct msg_fetch_done m = { .outcome = MSG_FETCH_FAILED };
	const uint64_t id = arrived(r, 1);
	int fd;
	notesfetch_judge(&r->c, id);
	assert_int_equal(began(r, &fetch, &fd), MSG_JOB_UPSTREAM);
	assert_true(notesfetch_awaits(r->c.notesfetch, id) && !notesfetch_awaits(r->c.notesfetch, id + 1));
	judging_start(r->c.judging, id);
	judging_look_again(r->c.judging, "acme-rtr");
	judging_resume(r->c.judging);
	judging_policy_changed(r->c.judging);
	assert_int_equal(began(r, &other, NULL), MSG_JOB_NONE);
	/* They do not come. */
	m.job = fetch.job;
	int record = memfd_sealed("record", view_str("{}"));
	assert_int_equal(msg_send(fd, MSG_FETCH_DONE, &m, &record, 1), 0);
	close(record);
	close(fd);
	const struct msg_job_exit over = { .job = fetch.job, .started = true };
	jobs_on_exit(r->c.jobs, &over);
	loop_pump(r->c.base);
	assert_false(notesfetch_awaits(r->c.notesfetch, id));
	assert_int_equal(began(r, &other, NULL), MSG_JOB_INSPECT);
}

/* Other fetches take hours, and this one has not had its turn. */
static void
no_longer_than_that(void **state)
{
	static const struct jobs_ops none = { NULL, NULL, NULL };
	struct control_rig *r = *state;
	uint64_t job, id = arrived(r, 1);
	for (unsigned i = 0; i < JOBS_WAITING_MAX / 2; i++)
		assert_int_equal(jobs_start(r->c.jobs, MSG_JOB_UPSTREAM, 3600000, &none, NULL, &job), 0);
	notesfetch_judge(&r->c, id);
	r->now += NOTESFETCH_LONGEST_S - 1;
	notesfetch_tick(r->c.notesfetch);
	assert_true(notesfetch_awaits(r->c.notesfetch, id));
	assert_int_equal(jobs_running(r->c.jobs) + jobs_waiting(r->c.jobs), JOBS_WAITING_MAX / 2 + 1);
	r->now += 1;
	notesfetch_tick(r->c.notesfetch);
	assert_false(notesfetch_awaits(r->c.notesfetch, id));
	/* The fetch is gone, and its image's first look is in its place. */
	assert_int_equal(jobs_running(r->c.jobs) + jobs_waiting(r->c.jobs), JOBS_WAITING_MAX / 2 + 1);
	struct candidates_ids *l = candidates_in(&r->c, LIFECYCLE_JUDGING);
	assert_true(l && l->n == 1);
	free(l);
}

/* Bytes that have notes get no others; a profile that says of none asks for none. */
static void
none_are_wanted(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate cand;
	struct msg_spawn spawn;
	const uint64_t id = arrived(r, 1);
	assert_int_equal(db_candidate_get(r->c.db, id, &cand), 0);
	assert_int_equal(files_doc_put(r->c.files, FILES_NOTES, cand.image, view_str("1.1: a person brought this")), 0);
	notesfetch_judge(&r->c, id);
	assert_false(notesfetch_awaits(r->c.notesfetch, id));
	assert_int_equal(began(r, &spawn, NULL), MSG_JOB_INSPECT);
	control_rig_configure(r, "", SAMPLE_PROFILE);
	const uint64_t other = arrived(r, 2);
	notesfetch_judge(&r->c, other);
	assert_false(notesfetch_awaits(r->c.notesfetch, other));
	assert_int_equal(began(r, &spawn, NULL), MSG_JOB_INSPECT);
}

/* As many as may be at once; one more is judged without, at once. */
static void
so_many(void **state)
{
	struct control_rig *r = *state;
	for (unsigned i = 0; i < NOTESFETCH_MAX; i++) {
		const uint64_t id = arrived(r, (uint8_t)(i + 1));
		notesfetch_judge(&r->c, id);
		assert_true(notesfetch_awaits(r->c.notesfetch, id));
	}
	const uint64_t more = arrived(r, 200);
	unsigned before = jobs_running(r->c.jobs) + jobs_waiting(r->c.jobs);
	notesfetch_judge(&r->c, more);
	assert_false(notesfetch_awaits(r->c.notesfetch, more));
	assert_int_equal(jobs_running(r->c.jobs) + jobs_waiting(r->c.jobs), before + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(it_waits_for_them, setup, teardown),
		cmocka_unit_test_setup_teardown(no_longer_than_that, setup, teardown),
		cmocka_unit_test_setup_teardown(none_are_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(so_many, setup, teardown),
	};
	return cmocka_run_group_tests_name("notesfetch", tests, NULL, NULL);
}
