/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/chan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"

#define NOT_CALLED 77

struct side {
	struct chan *chan;
	int closed; /* reason, NOT_CALLED before */
	unsigned stops, readies, reloads;
	unsigned last;
	bool free_in_close, free_in_handler, phase_in_handler;
	int kept_fd;
};

struct fixture {
	struct event_base *base;
	struct side a;
	int b; /* the other end, raw */
	uint8_t *buf;
	unsigned fds;
};

static unsigned
open_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void
on_stop(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct side *s = ctx;
	assert_int_equal(frame->type, MSG_STOP);
	s->stops++;
	s->last = ((const struct msg_stop *)msg)->grace_ms;
	if (s->phase_in_handler)
		chan_set_phase(c, 2);
	if (s->free_in_handler) {
		chan_free(c);
		s->chan = NULL;
		/* The message must outlive the channel until we return. */
		s->last = ((const struct msg_stop *)msg)->grace_ms;
	}
}

static void
on_start(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)c;
	(void)msg;
	(void)frame;
	((struct side *)ctx)->readies++;
}

static void
on_reload(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct side *s = ctx;
	(void)c;
	(void)msg;
	if (s->reloads++ == 0)
		s->kept_fd = wire_take_fd(frame, 0);
}

static void
on_close(void *ctx, struct chan *c, int why)
{
	struct side *s = ctx;
	assert_int_equal(s->closed, NOT_CALLED); /* once */
	s->closed = why;
	if (s->free_in_close) {
		chan_free(c);
		s->chan = NULL;
	}
}

static const struct chan_rule rules[] = {
	{ MSG_STOP, 1, on_stop },
	{ MSG_START, 2, on_start },
	{ MSG_RELOAD, CHAN_ALWAYS, on_reload },
};
static const struct chan_ops ops = { rules, 3, on_close };

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->buf = malloc(WIRE_FRAME_MAX);
	signal(SIGPIPE, SIG_IGN);
	f->base = event_base_new();
	f->fds = open_fds();
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	f->a.closed = NOT_CALLED;
	f->a.kept_fd = -1;
	f->a.chan = chan_new(f->base, pair[0], &ops, &f->a);
	assert_non_null(f->a.chan);
	f->b = pair[1];
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	chan_free(f->a.chan);
	if (f->b >= 0)
		close(f->b);
	if (f->a.kept_fd >= 0)
		close(f->a.kept_fd);
	assert_int_equal(open_fds(), f->fds);
	event_base_free(f->base);
	free(f->buf);
	free(f);
	return 0;
}

static void
turn(struct fixture *f)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void
send_stop(int fd, uint32_t n)
{
	assert_int_equal(msg_send(fd, MSG_STOP, &(struct msg_stop){ n }, NULL, 0), 0);
}

static void
test_typed_dispatch(void **state)
{
	struct fixture *f = *state;
	chan_set_peer(f->a.chan, MSG_ROLE_EDGE, 3);
	assert_int_equal(chan_peer_role(f->a.chan), MSG_ROLE_EDGE);
	assert_int_equal(chan_peer_index(f->a.chan), 3);
	for (uint32_t i = 1; i <= 200; i++)
		send_stop(f->b, i);
	turn(f);
	assert_int_equal(f->a.stops, 200);
	assert_int_equal(f->a.last, 200);
	assert_int_equal(f->a.closed, NOT_CALLED);
}

static void
test_descriptors_not_taken_are_closed(void **state)
{
	struct fixture *f = *state;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct msg_reload m = { .generation = 1 };
	for (int i = 0; i < 3; i++)
		assert_int_equal(msg_send(f->b, MSG_RELOAD, &m, &null, 1), 0);
	close(null);
	turn(f);
	assert_int_equal(f->a.reloads, 3);
	assert_true(fcntl(f->a.kept_fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(open_fds(), f->fds + 3); /* pair and the one taken */
}

static void
expect_closed(struct fixture *f, int why)
{
	turn(f);
	assert_int_equal(f->a.closed, why);
	struct wire_frame frame;
	assert_int_equal(wire_recv(f->b, f->buf, &frame), FG_ENOTFOUND); /* the peer sees the end */
	assert_int_equal(chan_send(f->a.chan, MSG_START, NULL, NULL, 0), FG_ESTATE);
	turn(f);
}

static void
test_unknown_and_unlisted_types_close(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(wire_send(f->b, 4711, view_str(""), NULL, 0), 0);
	send_stop(f->b, 1); /* is never looked at */
	expect_closed(f, FG_EPEER);
	assert_int_equal(f->a.stops, 0);
}

static void
test_unlisted_type_closes_and_drops_its_descriptors(void **state)
{
	struct fixture *f = *state;
	const struct msg_peer m = { .role = MSG_ROLE_EDGE };
	assert_int_equal(msg_send(f->b, MSG_PEER, &m, &f->b, 1), 0);
	turn(f);
	assert_int_equal(f->a.closed, FG_EPEER);
	assert_int_equal(open_fds(), f->fds + 1); /* our end of the pair alone */
}

static void
test_malformed_closes(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(wire_send(f->b, MSG_STOP, view_str("12345"), NULL, 0), 0);
	expect_closed(f, FG_EPEER);
}

static void
test_phases(void **state)
{
	struct fixture *f = *state;
	chan_set_phase(f->a.chan, 1);
	f->a.phase_in_handler = true;
	send_stop(f->b, 1); /* moves on to phase 2 */
	assert_int_equal(msg_send(f->b, MSG_START, NULL, NULL, 0), 0);
	send_stop(f->b, 2); /* no longer permitted */
	turn(f);
	assert_int_equal(f->a.stops, 1);
	assert_int_equal(f->a.readies, 1);
	assert_int_equal(f->a.closed, FG_EPEER);
}

static void
test_end_of_file(void **state)
{
	struct fixture *f = *state;
	send_stop(f->b, 9);
	close(f->b);
	f->b = -1;
	turn(f);
	assert_int_equal(f->a.last, 9); /* what came before the end counts */
	assert_int_equal(f->a.closed, FG_ENOTFOUND);
}

static void
test_last_words_are_read_though_sending_fails(void **state)
{
	struct fixture *f = *state;
	send_stop(f->b, 9);
	close(f->b);
	f->b = -1;
	assert_int_equal(chan_send(f->a.chan, MSG_START, NULL, NULL, 0), FG_ESTATE);
	assert_int_equal(f->a.closed, NOT_CALLED); /* never from inside a send */
	turn(f);
	assert_int_equal(f->a.last, 9);
	assert_int_equal(f->a.closed, FG_ENOTFOUND);
}

static void
test_free_inside_on_close(void **state)
{
	struct fixture *f = *state;
	f->a.free_in_close = true;
	close(f->b);
	f->b = -1;
	turn(f);
	assert_int_equal(f->a.closed, FG_ENOTFOUND);
	assert_null(f->a.chan);
}

static void
test_free_inside_a_handler(void **state)
{
	struct fixture *f = *state;
	f->a.free_in_handler = true;
	send_stop(f->b, 5);
	send_stop(f->b, 6);
	turn(f);
	assert_int_equal(f->a.stops, 1);
	assert_int_equal(f->a.last, 5);
	assert_int_equal(f->a.closed, NOT_CALLED); /* the owner knows */
}

static void
test_queue_keeps_order_when_the_peer_is_slow(void **state)
{
	struct fixture *f = *state;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct wire_frame frame;
	const unsigned total = 1000;
	unsigned got = 0;
	for (unsigned i = 0; i < total; i++) {
		const struct msg_reload m = { .generation = i };
		assert_int_equal(chan_send(f->a.chan, MSG_RELOAD, &m, &null, 1), 0);
	}
	close(null); /* queued frames hold their own */
	assert_true(chan_queued(f->a.chan) > 0);
	while (got < total) {
		int r = wire_recv(f->b, f->buf, &frame);
		if (r == FG_EAGAIN) {
			turn(f);
			continue;
		}
		struct msg_reload m;
		assert_int_equal(r, 0);
		assert_int_equal(msg_decode(&frame, &m, sizeof m), 0);
		assert_int_equal(m.generation, got++);
		wire_close_fds(&frame);
	}
	assert_int_equal(chan_queued(f->a.chan), 0);
	assert_int_equal(open_fds(), f->fds + 2);
}

static void
test_a_full_queue_ends_the_channel(void **state)
{
	struct fixture *f = *state;
	unsigned sent = 0;
	int r;
	const struct msg_stop m = { 1 };
	while ((r = chan_send(f->a.chan, MSG_STOP, &m, NULL, 0)) == 0)
		sent++;
	assert_int_equal(r, FG_ELIMIT);
	assert_true(sent >= CHAN_QUEUE_MAX);
	assert_int_equal(f->a.closed, NOT_CALLED);
	assert_int_equal(chan_send(f->a.chan, MSG_STOP, &m, NULL, 0), FG_ESTATE);
	turn(f);
	assert_int_equal(f->a.closed, FG_ELIMIT);
}

static void
test_queue_is_bounded_in_bytes(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[MSG_JSON_MAX];
	memset(big, 'x', sizeof big);
	const struct msg_call m = { .json = view_of(big, sizeof big) };
	size_t sent = 0;
	int r;
	while ((r = chan_send(f->a.chan, MSG_CALL, &m, NULL, 0)) == 0)
		sent += sizeof big;
	assert_int_equal(r, FG_ELIMIT);
	assert_true(sent <= CHAN_QUEUE_BYTES_MAX + (1u << 20));
	assert_true(chan_queued(f->a.chan) < CHAN_QUEUE_MAX);
	turn(f);
	assert_int_equal(f->a.closed, FG_ELIMIT);
}

static void
test_away(void **state)
{
	(void)state;
	assert_int_equal(chan_send(NULL, MSG_START, NULL, NULL, 0), FG_EAGAIN);
	chan_free(NULL);
}

struct owner {
	int why;
};

static void
owner_close(void *owner, struct chan *c, int why)
{
	(void)c;
	((struct owner *)owner)->why = why;
}

static void
test_owner_gets_the_end_instead(void **state)
{
	struct fixture *f = *state;
	struct owner o = { NOT_CALLED };
	chan_set_close(f->a.chan, owner_close, &o);
	close(f->b);
	f->b = -1;
	turn(f);
	assert_int_equal(o.why, FG_ENOTFOUND);
	assert_int_equal(f->a.closed, NOT_CALLED);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_typed_dispatch),
		T(test_descriptors_not_taken_are_closed),
		T(test_unknown_and_unlisted_types_close),
		T(test_unlisted_type_closes_and_drops_its_descriptors),
		T(test_malformed_closes),
		T(test_phases),
		T(test_end_of_file),
		T(test_last_words_are_read_though_sending_fails),
		T(test_free_inside_on_close),
		T(test_free_inside_a_handler),
		T(test_queue_keeps_order_when_the_peer_is_slow),
		T(test_a_full_queue_ends_the_channel),
		T(test_queue_is_bounded_in_bytes),
		T(test_owner_gets_the_end_instead),
		cmocka_unit_test(test_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
