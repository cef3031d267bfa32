/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/logbook.h"
#include "unit/gateway/loop_rig.h"

struct rig {
	struct event_base *base;
	struct logbook *l;
	struct chan *chan;
	int audit; /* our end */
	uint64_t size;
	uint8_t root[DIGEST_SHA256_LEN];
	bool have;
	unsigned changes;
	/* of callbacks */
	unsigned called;
	int err;
	uint64_t index;
};

static bool
recall(void *ctx, uint64_t *size, uint8_t root[DIGEST_SHA256_LEN])
{
	struct rig *r = ctx;
	if (!r->have)
		return false;
	*size = r->size;
	memcpy(root, r->root, DIGEST_SHA256_LEN);
	return true;
}

static void
remember(void *ctx, uint64_t size, const uint8_t root[DIGEST_SHA256_LEN])
{
	struct rig *r = ctx;
	r->have = true;
	r->size = size;
	memcpy(r->root, root, DIGEST_SHA256_LEN);
}

static void
changed(void *ctx)
{
	((struct rig *)ctx)->changes++;
}

static void
on_appended_msg(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	(void)f;
	logbook_on_appended(((struct rig *)ctx)->l, msg);
}

static void
on_head_msg(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	(void)f;
	logbook_on_head(((struct rig *)ctx)->l, msg);
}

static void
on_root_msg(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	(void)f;
	logbook_on_root(((struct rig *)ctx)->l, msg);
}

static void
up(struct rig *r)
{
	static const struct chan_rule rules[] = {
		{ MSG_APPENDED, CHAN_ALWAYS, on_appended_msg },
		{ MSG_HEAD, CHAN_ALWAYS, on_head_msg },
		{ MSG_ROOT, CHAN_ALWAYS, on_root_msg },
	};
	static const struct chan_ops ops = { rules, 3, NULL };
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	r->chan = chan_new(r->base, pair[0], &ops, r);
	assert_non_null(r->chan);
	r->audit = pair[1];
	logbook_up(r->l, r->chan);
}

static void
down(struct rig *r)
{
	logbook_down(r->l);
	chan_free(r->chan);
	close(r->audit);
	r->chan = NULL;
}

static struct rig *
rig_new(void)
{
	struct rig *r = calloc(1, sizeof *r);
	r->base = event_base_new();
	return r;
}

static void
open_logbook(struct rig *r)
{
	const struct logbook_memory memory = { r, recall, remember, changed };
	r->l = logbook_new(&memory);
	assert_non_null(r->l);
	up(r);
}

static void
rig_free(struct rig *r)
{
	if (r->chan)
		down(r);
	logbook_free(r->l);
	event_base_free(r->base);
	free(r);
}

/* Audit's side: answers one question about the head. */
static void
say_head(struct rig *r, uint8_t state, uint64_t size, uint8_t root)
{
	struct msg_head_ask ask;
	struct wire_frame f;
	assert_true(loop_next(r->audit, MSG_HEAD_ASK, &ask, &f));
	struct msg_head m = { .token = ask.token, .state = state, .size = size };
	memset(m.root, root, sizeof m.root);
	assert_int_equal(msg_send(r->audit, MSG_HEAD, &m, NULL, 0), 0);
	loop_pump(r->base);
}

static void
say_root(struct rig *r, int err, uint8_t root)
{
	struct msg_root_ask ask;
	struct wire_frame f;
	assert_true(loop_next(r->audit, MSG_ROOT_ASK, &ask, &f));
	struct msg_root m = { .token = ask.token, .err = err, .size = ask.size };
	memset(m.root, root, sizeof m.root);
	assert_int_equal(msg_send(r->audit, MSG_ROOT, &m, NULL, 0), 0);
	loop_pump(r->base);
}

static void
appended(void *ctx, int err, uint64_t index)
{
	struct rig *r = ctx;
	r->called++;
	r->err = err;
	r->index = index;
}

static int
append(struct rig *r)
{
	struct msg_append *e = logbook_entry(ENTRY_REVIEW_OPENED, "ok", "control", "R-1");
	int err = logbook_append(r->l, e, appended, r);
	free(e);
	return err;
}

static void
take_append(struct rig *r, struct msg_append *ret)
{
	struct wire_frame f;
	assert_true(loop_next(r->audit, MSG_APPEND, ret, &f));
}

static void
test_logbook_waits_for_the_durable_answer(void **state)
{
	struct rig *r = rig_new();
	struct msg_append got;
	(void)state;
	open_logbook(r);
	assert_false(logbook_permits(r->l));
	assert_int_equal(append(r), FG_EAGAIN);
	say_head(r, MSG_LOG_OPEN_OK, 7, 0x11);
	assert_true(logbook_permits(r->l));
	assert_string_equal(logbook_state(r->l), "ok");
	assert_true(r->have && r->size == 7);
	assert_int_equal(append(r), 0);
	take_append(r, &got);
	assert_int_equal(got.event, ENTRY_REVIEW_OPENED);
	assert_string_equal(got.obj, "R-1");
	assert_int_equal(r->called, 0);
	const struct msg_appended stranger = { .token = got.token + 99 }, yes = { .token = got.token, .index = 7 };
	msg_send(r->audit, MSG_APPENDED, &stranger, NULL, 0);
	loop_pump(r->base);
	assert_int_equal(r->called, 0);
	msg_send(r->audit, MSG_APPENDED, &yes, NULL, 0);
	msg_send(r->audit, MSG_APPENDED, &yes, NULL, 0);
	loop_pump(r->base);
	assert_int_equal(r->called, 1);
	assert_int_equal(r->err, 0);
	assert_int_equal(r->index, 7);
	assert_int_equal(logbook_size(r->l), 8);
	rig_free(r);
}

static void
test_logbook_an_error_is_no_permission(void **state)
{
	struct rig *r = rig_new();
	struct msg_append got;
	(void)state;
	open_logbook(r);
	say_head(r, MSG_LOG_OPEN_OK, 1, 1);
	assert_int_equal(append(r), 0);
	take_append(r, &got);
	const struct msg_appended no = { .token = got.token, .err = FG_EIO, .index = 5 };
	msg_send(r->audit, MSG_APPENDED, &no, NULL, 0);
	loop_pump(r->base);
	assert_int_equal(r->called, 1);
	assert_int_equal(r->err, FG_EAGAIN);
	assert_int_equal(logbook_size(r->l), 1);
	rig_free(r);
}

static void
test_logbook_survives_audits_restart(void **state)
{
	struct rig *r = rig_new();
	struct msg_append got;
	(void)state;
	open_logbook(r);
	say_head(r, MSG_LOG_OPEN_OK, 3, 0x33);
	assert_int_equal(append(r), 0);
	assert_int_equal(append(r), 0);
	down(r);
	assert_int_equal(r->called, 2);
	assert_int_equal(r->err, FG_EAGAIN);
	assert_string_equal(logbook_state(r->l), "away");
	assert_int_equal(append(r), FG_EAGAIN);
	/* What only tells is kept meanwhile. */
	logbook_tell(r->l, logbook_entry(ENTRY_APPROVAL_REVOKED, "ok", "alice", "release:1"));
	up(r);
	struct msg_head_ask ask;
	struct wire_frame f;
	assert_true(loop_next(r->audit, MSG_HEAD_ASK, &ask, &f));
	struct msg_head m = { .token = ask.token, .state = MSG_LOG_OPEN_OK, .size = 4 };
	msg_send(r->audit, MSG_HEAD, &m, NULL, 0);
	loop_pump(r->base);
	take_append(r, &got);
	assert_int_equal(got.event, ENTRY_APPROVAL_REVOKED);
	assert_int_equal(got.token, 0);
	assert_false(logbook_permits(r->l));
	say_root(r, 0, 0x33);
	assert_true(logbook_permits(r->l));
	rig_free(r);
}

static void
remembered(struct rig *r, uint64_t size, uint8_t root)
{
	r->have = true;
	r->size = size;
	memset(r->root, root, sizeof r->root);
}

static void
test_logbook_knows_a_rolled_back_log(void **state)
{
	struct rig *r = rig_new();
	(void)state;
	remembered(r, 10, 0xaa);
	open_logbook(r);
	say_head(r, MSG_LOG_OPEN_OK, 9, 0xbb);
	assert_string_equal(logbook_state(r->l), "rolled-back");
	assert_false(logbook_permits(r->l));
	/* For good: another life of audit does not wash it clean. */
	down(r);
	up(r);
	say_head(r, MSG_LOG_OPEN_OK, 12, 0xbb);
	say_root(r, 0, 0xaa);
	assert_false(logbook_permits(r->l));
	assert_int_equal(r->size, 10);
	rig_free(r);
}

static void
test_logbook_knows_another_log(void **state)
{
	struct rig *r = rig_new();
	(void)state;
	remembered(r, 10, 0xaa);
	open_logbook(r);
	say_head(r, MSG_LOG_OPEN_OK, 20, 0xbb);
	assert_false(logbook_permits(r->l));
	say_root(r, 0, 0xab);
	assert_string_equal(logbook_state(r->l), "tampered");
	assert_int_equal(append(r), FG_EAGAIN);
	rig_free(r);
}

static void
test_logbook_accepts_its_own_log_grown(void **state)
{
	struct rig *r = rig_new();
	(void)state;
	remembered(r, 10, 0xaa);
	open_logbook(r);
	assert_int_equal(logbook_size(r->l), 10);
	say_head(r, MSG_LOG_OPEN_OK, 20, 0xbb);
	say_root(r, 0, 0xaa);
	assert_true(logbook_permits(r->l));
	assert_int_equal(r->size, 20);
	logbook_tick(r->l);
	say_head(r, MSG_LOG_OPEN_OK, 19, 0xcc);
	assert_string_equal(logbook_state(r->l), "rolled-back");
	rig_free(r);
}

static void
test_logbook_believes_audit_about_itself(void **state)
{
	static const struct {
		uint8_t said;
		const char *word;
		bool condemned;
	} rows[] = { { MSG_LOG_TAMPERED, "tampered", true }, { MSG_LOG_ROLLED_BACK, "rolled-back", true },
		{ MSG_LOG_CLONED, "cloned", true }, { MSG_LOG_FAILED, "failed", false }, { MSG_LOG_UNKNOWN, "unknown", true } };
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig *r = rig_new();
		open_logbook(r);
		say_head(r, rows[i].said, 5, 5);
		assert_string_equal(logbook_state(r->l), rows[i].word);
		assert_int_equal(logbook_condemned(r->l), rows[i].condemned);
		assert_false(logbook_permits(r->l));
		assert_false(r->have);
		rig_free(r);
	}
}

/* A full disk: nothing is permitted, what is vital goes through, the rest waits until there is room. */
static void
test_logbook_waits_for_room(void **state)
{
	struct rig *r = rig_new();
	struct msg_append got;
	(void)state;
	remembered(r, 10, 0xaa);
	open_logbook(r);
	say_head(r, MSG_LOG_FULL, 20, 0xbb);
	say_root(r, 0, 0xaa); /* compared like any other */
	assert_string_equal(logbook_state(r->l), "full");
	assert_false(logbook_permits(r->l));
	assert_false(logbook_condemned(r->l));
	assert_int_equal(append(r), FG_EAGAIN);
	logbook_tell(r->l, logbook_entry(ENTRY_DEVICE_SEEN, "ok", "control", "m"));
	logbook_tell(r->l, logbook_entry(ENTRY_APPROVAL_REVOKED, "ok", "alice", "release:1"));
	take_append(r, &got);
	assert_int_equal(got.event, ENTRY_APPROVAL_REVOKED);
	logbook_tick(r->l);
	say_head(r, MSG_LOG_OPEN_OK, 22, 0xcc);
	take_append(r, &got);
	assert_int_equal(got.event, ENTRY_DEVICE_SEEN);
	assert_true(logbook_permits(r->l));
	rig_free(r);
}

/* A log that waits for witnesses takes nothing: notes stay here, and it is compared when it is in order. */
static void
test_logbook_waits_for_witnesses(void **state)
{
	struct rig *r = rig_new();
	struct msg_append got;
	(void)state;
	remembered(r, 10, 0xaa);
	open_logbook(r);
	logbook_tell(r->l, logbook_entry(ENTRY_DEVICE_SEEN, "ok", "control", "m"));
	say_head(r, MSG_LOG_WAITING, 20, 0xbb);
	assert_string_equal(logbook_state(r->l), "waiting");
	assert_false(logbook_permits(r->l));
	assert_true(logbook_condemned(r->l));
	assert_int_equal(append(r), FG_EAGAIN);
	logbook_tell(r->l, logbook_entry(ENTRY_APPROVAL_REVOKED, "ok", "alice", "release:1"));
	logbook_tick(r->l);
	say_head(r, MSG_LOG_OPEN_OK, 22, 0xcc); /* the next thing audit hears is not an entry, and then ... */
	take_append(r, &got);
	assert_int_equal(got.event, ENTRY_DEVICE_SEEN);
	take_append(r, &got);
	assert_int_equal(got.event, ENTRY_APPROVAL_REVOKED);
	assert_false(logbook_permits(r->l));
	say_root(r, 0, 0xdd); /* ... the log is another one after all */
	assert_false(logbook_permits(r->l));
	assert_string_equal(logbook_state(r->l), "tampered");
	rig_free(r);
}

static void
test_logbook_entries_are_plain(void **state)
{
	struct msg_append *e = logbook_entry(ENTRY_MODULE_SIGHTING, "ok", "a\nb", "x\x1b[2J");
	(void)state;
	assert_string_equal(e->act, "a<0A>b");
	assert_null(strchr(e->obj, 0x1b));
	logbook_say(e, "%s", "\xff");
	assert_string_equal(e->msg, "<FF>");
	for (unsigned i = 0; i < MSG_REFS_MAX + 3; i++)
		logbook_ref_number(e, "n", i);
	assert_int_equal(e->refs_n, MSG_REFS_MAX);
	free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logbook_waits_for_the_durable_answer),
		cmocka_unit_test(test_logbook_an_error_is_no_permission),
		cmocka_unit_test(test_logbook_survives_audits_restart),
		cmocka_unit_test(test_logbook_knows_a_rolled_back_log),
		cmocka_unit_test(test_logbook_knows_another_log),
		cmocka_unit_test(test_logbook_accepts_its_own_log_grown),
		cmocka_unit_test(test_logbook_believes_audit_about_itself),
		cmocka_unit_test(test_logbook_waits_for_room),
		cmocka_unit_test(test_logbook_waits_for_witnesses),
		cmocka_unit_test(test_logbook_entries_are_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
