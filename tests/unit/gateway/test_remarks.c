/* SPDX-License-Identifier: Apache-2.0 */
/* What people lay beside reviews and bytes leaves no file behind that nobody took. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "gateway/control/remarks.h"
#include "gateway/control/vendornotes.h"
#include "gateway/state/remark.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"

/* free() it. */
static struct call_heard *
ask(struct control *c, void (*handle)(struct control *c, struct call *call), const char *args, const char *file)
{
	struct call_heard *h = calloc(1, sizeof *h);
	const struct call_line line = { h, call_rig_reply, call_rig_over };
	const struct caller who = { .means = CALLERS_MEANS_ROOT, .roles = CALLERS_ANY, .user = "root" };
	const struct msg_call m = { .token = 5, .request = "test", .json = view_str(args), .fds = 1 };
	struct wire_frame f = { .fds = { memfd_sealed("file", view_str(file)) }, .fds_n = 1 };
	struct call *call = NULL;
	assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
	handle(c, call);
	assert_int_equal(h->replies, 1);
	return h;
}

static bool
kept(struct control *c, const char *file)
{
	uint8_t sum[DIGEST_SHA256_LEN];
	assert_int_equal(digest_sha256(view_str(file), sum), 0);
	int fd = files_doc_open(c->files, FILES_ATTACHMENT, sum);
	if (fd >= 0)
		close(fd);
	else
		assert_int_equal(fd, FG_ENOTFOUND);
	return fd >= 0;
}

static struct db_candidate
candidate(struct control *c)
{
	struct db_resource res = { .first_seen = 100, .last_seen = 100, .sightings = 1 };
	struct db_candidate cand = { .have_image = true, .created = 100, .updated = 100 };
	bool fresh;
	memset(res.id, 7, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.state, sizeof res.state, "sighted");
	assert_int_equal(db_resource_sight(c->db, &res, &fresh), 0);
	memset(cand.resource, 7, sizeof cand.resource);
	memset(cand.image, 3, sizeof cand.image);
	snprintf(cand.state, sizeof cand.state, "held");
	assert_int_equal(db_candidate_new(c->db, &cand, &cand.id), 0);
	return cand;
}

static void
what_is_not_taken_is_not_kept(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate cand = candidate(&r->c);
	struct db_remark n = { .candidate = cand.id, .at = 100, .who = "somebody", .text = "seen" };
	struct call_heard *h = ask(&r->c, remarks_attach, "{\"review\":\"R-1\",\"name\":\"a.txt\"}", "away");
	assert_non_null(strstr(h->json, "LOG-AWAY"));
	assert_false(kept(&r->c, "away"));
	free(h);
	for (unsigned i = 0; i < REMARKS_MAX; i++)
		assert_int_equal(db_remark_add(r->c.db, &n, REMARKS_MAX), 0);
	h = ask(&r->c, remarks_attach, "{\"review\":\"R-1\",\"name\":\"a.txt\"}", "full");
	assert_non_null(strstr(h->json, "LIMIT"));
	assert_false(kept(&r->c, "full"));
	free(h);
}

static void
notes_for_what_nobody_has_are_so_many(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate cand = candidate(&r->c);
	uint8_t image[DIGEST_SHA256_LEN] = { 0 };
	uint64_t n = 0;
	struct call_heard *h;
	const char *unknown = "{\"image\":\"0505050505050505050505050505050505050505050505050505050505050505\"}";
	(void)cand;
	for (unsigned i = 0; i < VENDORNOTES_MAX; i++) {
		memcpy(image, &i, sizeof i);
		assert_int_equal(files_doc_put(r->c.files, FILES_NOTES, image, view_str("fixes")), 0);
		if (i == VENDORNOTES_MAX - 2) {
			h = ask(&r->c, vendornotes_add, unknown, "new");
			assert_int_equal(h->status, CALL_DONE);
			free(h);
			i++;
		}
	}
	assert_int_equal(files_doc_count(r->c.files, FILES_NOTES, &n), 0);
	assert_int_equal(n, VENDORNOTES_MAX);
	h = ask(&r->c, vendornotes_add, "{\"image\":\"0606060606060606060606060606060606060606060606060606060606060606\"}", "new");
	assert_non_null(strstr(h->json, "LIMIT"));
	free(h);
	/* Those that there are, and those of an image under review, are none too many. */
	h = ask(&r->c, vendornotes_add, unknown, "new");
	assert_int_equal(h->status, CALL_DONE);
	free(h);
	h = ask(&r->c, vendornotes_add, "{\"review\":\"R-1\"}", "new");
	assert_int_equal(h->status, CALL_DONE);
	free(h);
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
		cmocka_unit_test_setup_teardown(what_is_not_taken_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(notes_for_what_nobody_has_are_so_many, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
