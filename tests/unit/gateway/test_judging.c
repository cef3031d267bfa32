/* SPDX-License-Identifier: Apache-2.0 */
/* What finds no place to be looked at waits, says so, and comes again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/control_rig.h"

#define AGAIN_MAX 64 /* judging's */

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

static bool
is_held(struct control_rig *r, uint64_t id)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	assert_int_equal(db_candidate_get(r->c.db, id, cand), 0);
	bool held = judging_is_held(r->c.judging, cand);
	if (held)
		assert_non_null(strstr(cand->note, "no place"));
	free(cand);
	return held;
}

static void
what_finds_no_place_waits_and_comes_again(void **state)
{
	static const struct jobs_ops none = { NULL, NULL, NULL };
	struct control_rig *r = *state;
	uint64_t job[JOBS_WAITING_MAX], first = arrived(r, 1), second = arrived(r, 2);
	for (unsigned i = 0; i < JOBS_WAITING_MAX; i++)
		assert_int_equal(jobs_start(r->c.jobs, MSG_JOB_INSPECT, 1000, &none, NULL, &job[i]), 0);
	/* Whatever starts it again and again takes one place among those that wait, not another's. */
	for (unsigned i = 0; i < AGAIN_MAX; i++)
		judging_start(r->c.judging, first);
	assert_true(is_held(r, first));
	judging_start(r->c.judging, second);
	assert_true(is_held(r, second));
	for (unsigned i = 0; i < JOBS_WAITING_MAX; i++)
		jobs_cancel(r->c.jobs, job[i]);
	judging_tick(r->c.judging);
	assert_int_equal(jobs_waiting(r->c.jobs), 0);
	r->now += JUDGING_AGAIN_S;
	judging_tick(r->c.judging);
	assert_int_equal(jobs_waiting(r->c.jobs), 2);
	assert_false(is_held(r, first) || is_held(r, second));
}

static int
setup(void **state)
{
	*state = control_rig_new();
	return 0;
}

static int
teardown(void **state)
{
	control_rig_free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_finds_no_place_waits_and_comes_again, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
