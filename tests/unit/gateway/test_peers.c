/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/peers.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"

struct fixture {
	struct peers *p;
	int end[PEERS_MAX + 1];
	unsigned n;
	uint8_t buf[WIRE_FRAME_MAX];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->p = peers_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < f->n; i++)
		close(f->end[i]);
	peers_free(f->p);
	peers_free(NULL);
	free(f);
	return 0;
}

static int
wire(struct fixture *f, enum msg_role role, unsigned index)
{
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	f->end[f->n++] = pair[0];
	int err = peers_add(f->p, role, index, pair[1]);
	return err ? err : pair[0];
}

static void
ask(int fd, uint64_t token)
{
	assert_int_equal(msg_send(fd, MSG_HEAD_ASK, &(struct msg_head_ask){ .token = token }, NULL, 0), 0);
}

static void
test_events(void **state)
{
	struct fixture *f = *state;
	struct peers_event e;
	struct msg_head_ask m;
	assert_int_equal(peers_wait(f->p, 0, &e), 0); /* nobody is there */
	int a = wire(f, MSG_ROLE_AUDIT, 0), c = wire(f, MSG_ROLE_CONTROL, 0);
	assert_true(peers_up(f->p, MSG_ROLE_AUDIT, 0));
	assert_false(peers_up(f->p, MSG_ROLE_AUDIT, 1));
	assert_int_equal(peers_wait(f->p, 0, &e), 0);
	ask(c, 4);
	assert_int_equal(peers_wait(f->p, -1, &e), 1);
	assert_int_equal(e.role, MSG_ROLE_CONTROL);
	assert_false(e.closed);
	assert_int_equal(msg_decode(&e.frame, &m, sizeof m), 0);
	assert_int_equal(m.token, 4);
	/* Last words first, then the end, once. */
	ask(a, 5);
	close(a);
	f->end[0] = open("/dev/null", O_RDONLY);
	assert_int_equal(peers_wait(f->p, -1, &e), 1);
	assert_false(e.closed);
	assert_int_equal(peers_wait(f->p, -1, &e), 1);
	assert_true(e.closed);
	assert_int_equal(e.role, MSG_ROLE_AUDIT);
	assert_false(peers_up(f->p, MSG_ROLE_AUDIT, 0));
	assert_int_equal(peers_wait(f->p, 0, &e), 0);
	assert_int_equal(peers_send(f->p, MSG_ROLE_AUDIT, 0, MSG_HEAD_ASK, &m, NULL, 0), FG_EAGAIN);
}

/* One who talks without end does not keep the others from being heard. */
static void
test_fair(void **state)
{
	struct fixture *f = *state;
	struct peers_event e;
	unsigned heard[4] = { 0 };
	int edge[4];
	for (unsigned i = 0; i < 4; i++)
		edge[i] = wire(f, MSG_ROLE_EDGE, i);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < (i == 0 ? 100u : 10u); k++)
			ask(edge[i], k);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(peers_wait(f->p, 0, &e), 1);
		heard[e.index]++;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(heard[i], 10);
}

static void
test_replaced_and_dropped(void **state)
{
	struct fixture *f = *state;
	struct peers_event e;
	struct wire_frame frame;
	int old = wire(f, MSG_ROLE_EDGE, 3), fresh = wire(f, MSG_ROLE_EDGE, 3);
	assert_int_equal(wire_recv(old, f->buf, &frame), FG_ENOTFOUND);
	ask(fresh, 1);
	assert_int_equal(peers_wait(f->p, 0, &e), 1);
	assert_int_equal(e.index, 3);
	peers_drop(f->p, MSG_ROLE_EDGE, 3);
	peers_drop(f->p, MSG_ROLE_EDGE, 3);
	assert_int_equal(peers_wait(f->p, 0, &e), 1);
	assert_true(e.closed);
	assert_int_equal(peers_wait(f->p, 0, &e), 0);
	/* A frame of another version is no frame. */
	int bad = wire(f, MSG_ROLE_EDGE, 5);
	assert_int_equal(write(bad, "\x09\x00\x00\x01", 4), 4);
	assert_int_equal(peers_wait(f->p, 0, &e), 1);
	assert_true(e.closed);
	assert_int_equal(e.index, 5);
}

/* A slow reader gets everything in order, descriptors too; past its outbox it is dropped, and nobody else. */
static void
test_outbox(void **state)
{
	struct fixture *f = *state;
	struct peers_event e;
	struct wire_frame frame;
	struct msg_log_opened opened;
	int slow = wire(f, MSG_ROLE_EDGE, 0), quick = wire(f, MSG_ROLE_EDGE, 1);
	int fd = memfd_sealed("x", view_str("bytes"));
	const unsigned all = 900;
	for (unsigned i = 0; i < all; i++) {
		struct msg_log_opened m = { .token = i };
		assert_int_equal(peers_send(f->p, MSG_ROLE_EDGE, 0, MSG_LOG_OPENED, &m, &fd, 1), 0);
	}
	unsigned got = 0;
	for (unsigned turns = 0; got < all && turns < 10000; turns++) {
		while (wire_recv(slow, f->buf, &frame) == 0) {
			assert_int_equal(msg_decode(&frame, &opened, sizeof opened), 0);
			assert_int_equal(opened.token, got++);
			assert_true(memfd_is_sealed(frame.fds[0]));
			wire_close_fds(&frame);
		}
		assert_int_equal(peers_wait(f->p, 0, &e), 0);
	}
	assert_int_equal(got, all);
	int err = 0;
	struct msg_log_opened m = { 0 };
	for (unsigned i = 0; !err && i < 20 * PEERS_OUTBOX_MAX; i++)
		err = peers_send(f->p, MSG_ROLE_EDGE, 0, MSG_LOG_OPENED, &m, &fd, 1);
	assert_int_equal(err, FG_ELIMIT);
	assert_false(peers_up(f->p, MSG_ROLE_EDGE, 0));
	peers_send_edges(f->p, MSG_LOG_OPENED, &m, &fd, 1);
	assert_int_equal(wire_recv(quick, f->buf, &frame), 0);
	wire_close_fds(&frame);
	assert_int_equal(peers_wait(f->p, 0, &e), 1);
	assert_true(e.closed);
	assert_int_equal(e.index, 0);
	close(fd);
}

static void
test_full_house(void **state)
{
	struct fixture *f = *state;
	struct peers_event e;
	for (unsigned i = 0; i < PEERS_MAX; i++)
		assert_true(wire(f, MSG_ROLE_EDGE, i) >= 0);
	assert_int_equal(wire(f, MSG_ROLE_EDGE, PEERS_MAX), FG_ELIMIT);
	ask(f->end[PEERS_MAX - 1], 1);
	assert_int_equal(peers_wait(f->p, 0, &e), 1);
	assert_int_equal(e.index, PEERS_MAX - 1);
	peers_drop(f->p, MSG_ROLE_EDGE, 7);
	/* Its place is free once its end was told. */
	assert_int_equal(peers_wait(f->p, 0, &e), 1);
	f->n--;
	close(f->end[f->n]);
	assert_true(wire(f, MSG_ROLE_CONTROL, 0) >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fair, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced_and_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outbox, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_house, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
