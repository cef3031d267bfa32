/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: how they end. Control is played by the test, its channel by console_ask_again below. */
#include "unit/gateway/net_pki.h"

#include "gateway/console/console_private.h"

static unsigned asked;

int
console_ask_again(struct web *w)
{
	assert_non_null(w->c);
	asked++;
	return FG_OK;
}

static int64_t
mono(void *ctx)
{
	return ((struct rig *)ctx)->mono_ms;
}

struct stream {
	struct rig *r;
	struct rig_client *client;
	struct clock_source clock;
	struct console c;
	struct web w;
};

static int
setup(void **state)
{
	struct stream *s = calloc(1, sizeof *s);
	s->r = rig_new(NULL, NULL, HTTP_STRICT);
	s->r->mode = RIG_HOLD;
	s->clock = (struct clock_source){ mono, mono, s->r };
	s->c.net = s->r->net;
	s->c.clock = &s->clock;
	LIST_INIT(&s->c.streams);
	s->client = rig_connect(s->r);
	rig_send(s->r, s->client, "GET /api/v1/events HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_settle(s->r);
	struct conn *conn = conn_find(s->r->net, s->r->held);
	s->w = (struct web){ .c = &s->c, .conn = s->r->held };
	conn_set_data(conn, &s->w);
	console_events_begin(conn, &s->w, conn_request(conn));
	assert_int_equal(s->c.streams_n, 1);
	asked = 0;
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct stream *s = *state;
	rig_hang_up(s->client);
	rig_settle(s->r);
	rig_free(s->r);
	free(s);
	return 0;
}

static void
pass(struct stream *s, int64_t ms)
{
	rig_pass(s->r, ms);
	console_events_tick(&s->c);
	rig_settle(s->r);
}

/* What control answers to the question whether it may. */
static void
told(struct stream *s, unsigned status, const char *id)
{
	char doc[128];
	snprintf(doc, sizeof doc, "{\"error\":{\"cure\":\"\",\"id\":\"%s\",\"text\":\"x\"}}", id);
	pass(s, CONSOLE_CHECK_MS);
	assert_true(s->w.checks);
	s->w.checks = false;
	console_events_checked(&s->w, status, view_str(doc));
}

static void
test_ends_with_its_session(void **state)
{
	struct stream *s = *state;
	pass(s, CONSOLE_CHECK_MS - 1);
	assert_int_equal(asked, 0);
	pass(s, 1);
	assert_int_equal(asked, 1);
	/* Once, and until it is answered not again. */
	pass(s, CONSOLE_CHECK_MS);
	assert_int_equal(asked, 1);
	console_events_checked(&s->w, 0, view_str("{\"size\":1}"));
	s->w.checks = false;
	/* A log that is away and a desk that is full say nothing about the session, nor does what cannot be read. */
	told(s, 3, "LOG-AWAY");
	told(s, 1, "LIMIT");
	told(s, 3, "");
	assert_int_equal(s->c.streams_n, 1);
	rig_assert_open(s->r, s->client);
	told(s, 1, "SIGN-IN");
	assert_int_equal(s->c.streams_n, 0);
	/* What comes late changes nothing, and the end is a clean one. */
	console_events_log(&s->c, 9);
	console_events_tick(&s->c);
	console_events_checked(&s->w, 1, view_str("{}"));
	rig_settle(s->r);
	while (!s->client->eof && !s->client->reset)
		rig_read(s->client);
	assert_false(s->client->reset);
	assert_int_equal(s->r->closed.why, CONN_WHY_DONE);
}

/* Its time is over while the log grows: the end that is on its way is not cut off. */
static void
test_ends_in_time(void **state)
{
	struct stream *s = *state;
	s->w.until_ms = s->r->mono_ms;
	console_events_tick(&s->c);
	console_events_log(&s->c, 9);
	rig_settle(s->r);
	while (!s->client->eof && !s->client->reset)
		rig_read(s->client);
	assert_false(s->client->reset);
	assert_int_equal(s->c.streams_n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ends_with_its_session, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends_in_time, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
