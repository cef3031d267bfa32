/* SPDX-License-Identifier: Apache-2.0 */
/* When the way to grants is open. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/tile.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/people_rig.h"

static void
on_opened(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	logbook_on_opened(((struct control *)ctx)->logbook, msg, f);
}

static void
on_head(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	(void)f;
	logbook_on_head(((struct control *)ctx)->logbook, msg);
}

/* Audit comes up; its end. */
static int
audit_up(struct control *c, struct chan **ret)
{
	static const struct chan_rule rules[] = { { MSG_HEAD, CHAN_ALWAYS, on_head }, { MSG_LOG_OPENED, CHAN_ALWAYS, on_opened } };
	static const struct chan_ops ops = { rules, 2, NULL };
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	*ret = chan_new(c->base, pair[0], &ops, c);
	logbook_up(c->logbook, *ret);
	return pair[1];
}

static uint64_t log_size; /* what audit says */

static void
answer_head(struct control *c, int fd)
{
	struct msg_head_ask ask;
	struct wire_frame f;
	assert_true(loop_next(fd, MSG_HEAD_ASK, &ask, &f));
	const struct msg_head head = { .token = ask.token, .state = MSG_LOG_OPEN_OK, .size = log_size,
		.published = log_size };
	assert_int_equal(msg_send(fd, MSG_HEAD, &head, NULL, 0), 0);
	loop_pump(c->base);
}

static bool
is_open(struct control *c)
{
	const uint8_t none[RELEASE_ID] = { 0 };
	control_gate(c);
	return grants_ask(c->grants, NULL, none, control_now(c), control_now(c)).reason != GRANTS_HALTED;
}

/* A log that came back is compared with what is remembered of it before anybody gets a first byte. */
static void
test_control_grants_nothing_on_a_log_not_compared(void **state)
{
	struct control_rig *r = control_rig_new();
	struct control *c = &r->c;
	struct chan *chan;
	(void)state;
	people_rig_give(r);
	c->halts = halts_new(c);
	c->proposals = proposals_new(c);
	c->replay = replay_new(c);
	c->reviews = reviews_new(c);
	assert_false(is_open(c));
	int fd = audit_up(c, &chan);
	assert_false(is_open(c));
	answer_head(c, fd);
	assert_true(logbook_permits(c->logbook));
	replay_begin(c->replay);
	answer_head(c, fd);
	assert_false(is_open(c)); /* what the warden has released is not known yet */
	assert_false(control_permits(c));
	c->warden_listed = true;
	const struct timeval moment = { 1, 0 }; /* longer than REPLAY_AGAIN_MS */
	assert_int_equal(event_base_loopexit(c->base, &moment), 0);
	event_base_dispatch(c->base);
	answer_head(c, fd);
	assert_true(is_open(c));
	assert_true(control_permits(c));
	logbook_down(c->logbook);
	chan_free(chan);
	close(fd);
	fd = audit_up(c, &chan);
	assert_false(is_open(c));
	answer_head(c, fd);
	assert_true(is_open(c));
	logbook_down(c->logbook);
	chan_free(chan);
	close(fd);
	replay_free(c->replay);
	reviews_free(c->reviews);
	proposals_free(c->proposals);
	halts_free(c->halts);
	people_free(c->people);
	control_rig_free(r);
}

/* A log of those lines is read back whole. */
static void
read_back(struct control *c, int fd, const char *const *line, unsigned n)
{
	struct msg_log_open ask;
	struct wire_frame f;
	struct writer w;
	writer_init(&w, 4096);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(tile_bundle_put(&w, view_str(line[i])), 0);
	log_size = n;
	answer_head(c, fd);
	replay_begin(c->replay);
	answer_head(c, fd);
	log_size = 0;
	assert_true(loop_next(fd, MSG_LOG_OPEN, &ask, &f));
	int bundle = memfd_sealed("bundle", writer_view(&w));
	const struct msg_log_opened opened = { .token = ask.token };
	assert_int_equal(msg_send(fd, MSG_LOG_OPENED, &opened, &bundle, 1), 0);
	close(bundle);
	writer_free(&w);
	loop_pump(c->base);
}

/* Lines that nobody can read: what permits is left out and named, what takes back keeps it all shut. */
static void
test_control_reads_past_what_permits(void **state)
{
	static const char *const permits[] = { "{\"ev\":\"device.grant\",\"obj\":\"release:zz\"}",
		"{\"ev\":\"approval.signed\"", "{\"ev\":\"device.served\"" };
	static const char *const takes_back[] = { "{\"ev\":\"approval.signed\"", "{\"ev\":\"approval.revoked\"" };
	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		struct control_rig *r = control_rig_new();
		struct control *c = &r->c;
		struct chan *chan;
		uint64_t index = 0;
		people_rig_give(r);
		c->halts = halts_new(c);
		c->proposals = proposals_new(c);
		c->replay = replay_new(c);
		c->reviews = reviews_new(c);
		c->warden_listed = true;
		int fd = audit_up(c, &chan);
		read_back(c, fd, k ? takes_back : permits, k ? 2 : 3);
		assert_int_equal(replay_done(c->replay), !k);
		assert_int_equal(replay_stuck(c->replay, &index), k);
		if (k) {
			assert_int_equal(index, 1);
			replay_begin(c->replay);
			loop_pump(c->base);
			assert_false(replay_done(c->replay));
		} else {
			struct msg_append told;
			struct wire_frame f;
			assert_true(loop_next(fd, MSG_APPEND, &told, &f));
			assert_int_equal(told.event, ENTRY_STATE_DIFFERS);
			assert_non_null(strstr(told.msg, "2 of its entries"));
		}
		assert_int_equal(control_counts(c), !k);
		logbook_down(c->logbook);
		chan_free(chan);
		close(fd);
		replay_free(c->replay);
		reviews_free(c->reviews);
		proposals_free(c->proposals);
		halts_free(c->halts);
		people_free(c->people);
		control_rig_free(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_grants_nothing_on_a_log_not_compared),
		cmocka_unit_test(test_control_reads_past_what_permits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
