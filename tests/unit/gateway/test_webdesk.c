/* SPDX-License-Identifier: Apache-2.0 */
/* Control's end of the console, the console played by the test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "gateway/control/hashing.h"
#include "gateway/control/webdesk.h"
#include "unit/gateway/control_rig.h"

struct rig {
	struct control_rig *r;
	struct control *c;
	struct chan *chan;
	int console; /* our end */
};

static void
console_up(struct rig *t)
{
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	t->chan = chan_new(t->c->base, pair[0], &webdesk_ops, t->c);
	t->console = pair[1];
	webdesk_up(t->c->webdesk, t->chan);
}

static void
console_down(struct rig *t)
{
	webdesk_down(t->c->webdesk);
	chan_free(t->chan);
	close(t->console);
}

static int
setup(void **state)
{
	struct rig *t = calloc(1, sizeof *t);
	t->r = control_rig_new();
	t->c = &t->r->c;
	t->c->hashing = hashing_new(t->c->base, 4);
	t->c->sessions = sessions_new(t->c);
	t->c->signins = signins_new(t->c);
	t->c->accounts = accounts_new(t->c);
	t->c->tokens = tokens_new(t->c);
	t->c->webdesk = webdesk_new(t->c);
	console_up(t);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *t = *state;
	console_down(t);
	hashing_free(t->c->hashing);
	webdesk_free(t->c->webdesk);
	accounts_free(t->c->accounts);
	tokens_free(t->c->tokens);
	signins_free(t->c->signins);
	sessions_free(t->c->sessions);
	control_rig_free(t->r);
	free(t);
	return 0;
}

static void
ask(struct rig *t, uint64_t token, const char *request, const char *args)
{
	struct msg_web_call m = { .token = token, .means = MSG_WEB_GUEST, .json = view_str(args) };
	snprintf(m.request, sizeof m.request, "%s", request);
	assert_int_equal(msg_send(t->console, MSG_WEB_CALL, &m, NULL, 0), 0);
	event_base_loop(t->c->base, EVLOOP_NONBLOCK);
}

static unsigned status; /* of that reply */

/* Token of the next reply; what the log's size says is passed over. */
static uint64_t
answered(struct rig *t)
{
	struct msg_reply m;
	struct wire_frame f;
	for (int i = 0; i < 20000; i++) {
		event_base_loop(t->c->base, EVLOOP_NONBLOCK);
		while (wire_recv(t->console, loop_buf, &f) == 0) {
			if (f.type != MSG_REPLY)
				continue;
			assert_int_equal(msg_decode(&f, &m, sizeof m), 0);
			wire_close_fds(&f);
			status = m.status;
			return m.token;
		}
		poll(NULL, 0, 1);
	}
	fail_msg("no answer");
	return 0;
}

/* What one console asked is not answered to the next, whose connections have the same numbers again. */
static void
test_console_restarts(void **state)
{
	static const char args[] = "{\"password\":\"kettle orbit fjord\",\"user\":\"alice\"}";
	struct rig *t = *state;
	ask(t, 64, "session.open", args);
	console_down(t);
	console_up(t);
	ask(t, 65, "session.open", args); /* passwords are checked one by one: this one last */
	assert_int_equal(answered(t), 65);
}

/* A page that renews itself does not keep its session: that takes somebody who asks. */
static void
test_background(void **state)
{
	struct rig *t = *state;
	struct db_account a = { .name = "ann", .hash = "x", .roles = CALLERS_VIEWER, .have_totp = true };
	struct msg_web_call m = { .token = 7, .means = MSG_WEB_SESSION, .background = true, .json = view_str("{}"),
		.request = "session.show" };
	struct db_session n;
	int64_t began = t->r->now;
	assert_int_equal(db_account_add(t->c->db, &a), 0);
	assert_int_equal(sessions_open(t->c->sessions, &a, 2, NULL, m.peer, &n, m.secret), 0);
	t->r->now += SESSIONS_IDLE_S - 1;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(msg_send(t->console, MSG_WEB_CALL, &m, NULL, 0), 0);
		assert_int_equal(answered(t), 7);
		assert_int_equal(status, CALL_DONE);
		assert_int_equal(db_session_get(t->c->db, n.id, &n), 0);
		assert_int_equal(n.last, m.background ? began : t->r->now);
		m.background = false;
	}
}

/* Answers to a console that reads none are memory of ours: it is not heard until it does, and then loses nothing. */
static void
test_console_that_does_not_read(void **state)
{
	struct rig *t = *state;
	struct msg_web_call m = { .token = 1, .json = view_str("{}"), .request = "session.show" };
	unsigned sent = 0;
	while (sent < 20000 && msg_send(t->console, MSG_WEB_CALL, &m, NULL, 0) == 0) {
		sent++;
		m.token++;
		for (unsigned i = 0; i < 3; i++)
			event_base_loop(t->c->base, EVLOOP_NONBLOCK);
	}
	assert_true(sent < 20000);
	assert_in_range(chan_queued(t->chan), WEBDESK_UNREAD_MAX, WEBDESK_UNREAD_MAX + 64);
	for (unsigned n = 1; n <= sent; n++) {
		assert_int_equal(answered(t), n);
		webdesk_tick(t->c->webdesk);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_console_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_background, setup, teardown),
		cmocka_unit_test_setup_teardown(test_console_that_does_not_read, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
