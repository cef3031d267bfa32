/* SPDX-License-Identifier: Apache-2.0 */
/* What people lay beside reviews and bytes leaves no file behind that nobody took. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/remarks.h"
#include "gateway/control/vendornotes.h"
#include "gateway/state/remark.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"

#define UNKNOWN "{\"image\":\"0505050505050505050505050505050505050505050505050505050505050505\"}"
#define OTHER "{\"image\":\"0606060606060606060606060606060606060606060606060606060606060606\"}"

/* free() it; no reply yet. */
static struct call_heard *
put(struct control *c, void (*handle)(struct control *c, struct call *call), const char *args, const char *file)
{
	struct call_heard *h = calloc(1, sizeof *h);
	const struct call_line line = { h, call_rig_reply, call_rig_over };
	const struct caller who = { .means = CALLERS_MEANS_ROOT, .roles = CALLERS_ANY, .user = "root" };
	const struct msg_call m = { .token = 5, .request = "test", .json = view_str(args), .fds = 1 };
	struct wire_frame f = { .fds = { memfd_sealed("file", view_str(file)) }, .fds_n = 1 };
	struct call *call = NULL;
	assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
	handle(c, call);
	return h;
}

/* Answered at once. free() it. */
static struct call_heard *
ask(struct control *c, void (*handle)(struct control *c, struct call *call), const char *args, const char *file)
{
	struct call_heard *h = put(c, handle, args, file);
	assert_int_equal(h->replies, 1);
	return h;
}

static void
on_head(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	(void)f;
	logbook_on_head(((struct control *)ctx)->logbook, msg);
}

static void
on_appended(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	(void)f;
	logbook_on_appended(((struct control *)ctx)->logbook, msg);
}

/* The log is there; its end. */
static int
log_up(struct control *c, struct chan **ret)
{
	static const struct chan_rule rules[] = { { MSG_HEAD, CHAN_ALWAYS, on_head },
		{ MSG_APPENDED, CHAN_ALWAYS, on_appended } };
	static const struct chan_ops ops = { rules, 2, NULL };
	struct msg_head_ask asked;
	struct wire_frame f;
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	*ret = chan_new(c->base, pair[0], &ops, c);
	logbook_up(c->logbook, *ret);
	assert_true(loop_next(pair[1], MSG_HEAD_ASK, &asked, &f));
	const struct msg_head head = { .token = asked.token, .state = MSG_LOG_OPEN_OK };
	assert_int_equal(msg_send(pair[1], MSG_HEAD, &head, NULL, 0), 0);
	loop_pump(c->base);
	assert_true(logbook_permits(c->logbook));
	return pair[1];
}

/* Answers one entry, of notes. */
static void
take(struct control *c, int audit)
{
	struct msg_append *m = calloc(1, sizeof *m);
	struct wire_frame f;
	loop_pump(c->base);
	assert_true(loop_next(audit, MSG_APPEND, m, &f));
	assert_int_equal(m->event, ENTRY_IMAGE_NOTES);
	const struct msg_appended done = { .token = m->token };
	assert_int_equal(msg_send(audit, MSG_APPENDED, &done, NULL, 0), 0);
	loop_pump(c->base);
	free(m);
}

/* Given, logged, and then answered. free() it. */
static struct call_heard *
give(struct control *c, int audit, const char *args, const char *file)
{
	struct call_heard *h = put(c, vendornotes_add, args, file);
	assert_int_equal(h->replies, 0);
	take(c, audit);
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
	struct call_heard *h, *late;
	struct chan *chan;
	int audit = log_up(&r->c, &chan);
	(void)cand;
	for (unsigned i = 0; i < VENDORNOTES_MAX; i++) {
		memcpy(image, &i, sizeof i);
		assert_int_equal(files_doc_put(r->c.files, FILES_NOTES, image, view_str("fixes")), 0);
		if (i == VENDORNOTES_MAX - 2) {
			/* Two for the last place. */
			h = put(&r->c, vendornotes_add, UNKNOWN, "new");
			late = put(&r->c, vendornotes_add, OTHER, "new");
			take(&r->c, audit);
			take(&r->c, audit);
			assert_int_equal(h->status, CALL_DONE);
			assert_non_null(strstr(late->json, "LIMIT"));
			free(h);
			free(late);
			i++;
		}
	}
	assert_int_equal(files_doc_count(r->c.files, FILES_NOTES, &n), 0);
	assert_int_equal(n, VENDORNOTES_MAX);
	h = ask(&r->c, vendornotes_add, OTHER, "new");
	assert_non_null(strstr(h->json, "LIMIT"));
	free(h);
	/* Those that there are, and those of an image under review, are none too many. */
	h = ask(&r->c, vendornotes_add, UNKNOWN, "new");
	assert_int_equal(h->status, CALL_DONE);
	free(h);
	h = give(&r->c, audit, "{\"review\":\"R-1\"}", "new");
	assert_int_equal(h->status, CALL_DONE);
	free(h);
	logbook_down(r->c.logbook);
	chan_free(chan);
	close(audit);
}

static bool
noted(struct control *c, uint8_t of)
{
	uint8_t image[DIGEST_SHA256_LEN];
	struct notes *n = calloc(1, sizeof *n);
	memset(image, of, sizeof image);
	assert_int_equal(vendornotes_of(c, image, n), 0);
	bool have = n->have;
	free(n);
	return have;
}

/* Killed at any moment, none are there that the log has not. */
static void
notes_are_in_the_log_before_they_are_kept(void **state)
{
	struct control_rig *r = *state;
	struct control *c = &r->c;
	struct chan *chan;
	struct msg_append *m = calloc(1, sizeof *m);
	struct wire_frame f;
	struct call_heard *h = ask(c, vendornotes_add, UNKNOWN, "fixes"), *other;
	assert_non_null(strstr(h->json, "LOG-AWAY"));
	assert_false(noted(c, 5));
	free(h);
	int audit = log_up(c, &chan);
	h = put(c, vendornotes_add, UNKNOWN, "fixes");
	loop_pump(c->base);
	assert_int_equal(h->replies, 0);
	assert_false(noted(c, 5));
	/* And the log went away over it. */
	logbook_down(c->logbook);
	chan_free(chan);
	close(audit);
	assert_non_null(strstr(h->json, "LOG-AWAY"));
	assert_false(noted(c, 5));
	free(h);
	audit = log_up(c, &chan);
	/* Two at once: the first that the log has are those of the bytes. */
	h = put(c, vendornotes_add, UNKNOWN, "fixes");
	other = put(c, vendornotes_add, UNKNOWN, "fixes more");
	take(c, audit);
	assert_int_equal(h->status, CALL_DONE);
	assert_true(noted(c, 5));
	take(c, audit);
	assert_non_null(strstr(other->json, "EXISTS"));
	free(h);
	free(other);
	/* The same again, and others, are no news. */
	h = ask(c, vendornotes_add, UNKNOWN, "fixes");
	assert_int_equal(h->status, CALL_DONE);
	free(h);
	h = ask(c, vendornotes_add, UNKNOWN, "nothing");
	assert_non_null(strstr(h->json, "EXISTS"));
	free(h);
	loop_pump(c->base);
	assert_false(loop_next(audit, MSG_APPEND, m, &f));
	free(m);
	logbook_down(c->logbook);
	chan_free(chan);
	close(audit);
}

static const char *
state_of(struct control *c, uint64_t id, char *ret, size_t cap)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	assert_int_equal(db_candidate_get(c->db, id, cand), 0);
	snprintf(ret, cap, "%s", cand->state);
	free(cand);
	return ret;
}

/* Killed between the notes and the report that has them: the same once more, and it is judged again. */
static void
the_same_notes_mend_a_report_that_has_none(void **state)
{
	struct control_rig *r = *state;
	struct control *c = &r->c;
	struct db_candidate cand = candidate(c);
	uint8_t sum[DIGEST_SHA256_LEN];
	char report[DIGEST_HEX_LEN + 40] = "{\"notes\":{\"sha256\":\"", now[DB_WORD_MAX];
	hex_encode((assert_int_equal(digest_sha256(view_str("fixes"), sum), 0), sum), sizeof sum, report + strlen(report));
	strcat(report, "\"}}");
	assert_int_equal(files_doc_put(c->files, FILES_NOTES, cand.image, view_str("fixes")), 0);
	for (unsigned i = 0; i < 2; i++) {
		const char *text = i ? "{}" : report;
		assert_int_equal(digest_sha256(view_str(text), cand.report), 0);
		assert_int_equal(files_doc_put(c->files, FILES_REPORT, cand.report, view_str(text)), 0);
		cand.have_report = true;
		char was[] = "held";
		snprintf(cand.state, sizeof cand.state, "review");
		assert_int_equal(db_candidate_update(c->db, &cand, was), 0);
		struct call_heard *h = ask(c, vendornotes_add, "{\"review\":\"R-1\"}", "fixes");
		assert_int_equal(h->status, CALL_DONE);
		free(h);
		assert_string_equal(state_of(c, cand.id, now, sizeof now), i ? "blocked" : "review"); /* it was judged, and has no bytes */
		assert_int_equal(db_candidate_get(c->db, cand.id, &cand), 0);
		if (!i)
			assert_int_equal((snprintf(cand.state, sizeof cand.state, "held"), db_candidate_update(c->db, &cand, "review")), 0);
	}
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
		cmocka_unit_test_setup_teardown(notes_are_in_the_log_before_they_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_notes_mend_a_report_that_has_none, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
