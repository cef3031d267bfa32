/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/wire/wire.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"

struct fixture {
	int pair[2];
	uint8_t *buf;
	unsigned fds; /* open before the test */
};

static unsigned
open_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->buf = malloc(WIRE_FRAME_MAX);
	assert_non_null(f->buf);
	assert_int_equal(wire_pair(f->pair), 0);
	f->fds = open_fds();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(open_fds(), f->fds); /* no test may leak one, sent or received */
	close(f->pair[0]);
	close(f->pair[1]);
	free(f->buf);
	free(f);
	return 0;
}

static void
test_pair_flags(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 2; i++) {
		assert_true(fcntl(f->pair[i], F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(f->pair[i], F_GETFL) & O_NONBLOCK);
	}
	struct wire_frame frame;
	assert_int_equal(wire_recv(f->pair[0], f->buf, &frame), FG_EAGAIN);
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[WIRE_BODY_MAX];
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7);
	const size_t sizes[] = { 0, 1, 4, 4096, WIRE_BODY_MAX };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct view body = view_of(big, sizes[i]);
		struct wire_frame frame;
		assert_int_equal(wire_send(f->pair[0], (uint16_t)(0x1200 + i), body, NULL, 0), 0);
		assert_int_equal(wire_recv(f->pair[1], f->buf, &frame), 0);
		assert_int_equal(frame.type, 0x1200 + i);
		assert_int_equal(frame.fds_n, 0);
		assert_true(view_equal(frame.body, body));
	}
	assert_int_equal(wire_send(f->pair[0], 1, view_of(big, WIRE_BODY_MAX + 1), NULL, 0),
			 FG_ELIMIT);
}

static void
test_descriptors_arrive_in_order_and_cloexec(void **state)
{
	struct fixture *f = *state;
	int sent[WIRE_FDS_MAX];
	struct stat a, b;
	for (int i = 0; i < WIRE_FDS_MAX; i++)
		sent[i] = open(i % 2 ? "/dev/null" : "/dev/zero", O_RDWR | O_CLOEXEC);
	assert_int_equal(wire_send(f->pair[0], 9, view_str("x"), sent, WIRE_FDS_MAX), 0);
	struct wire_frame frame;
	assert_int_equal(wire_recv(f->pair[1], f->buf, &frame), 0);
	assert_int_equal(frame.fds_n, WIRE_FDS_MAX);
	for (unsigned i = 0; i < WIRE_FDS_MAX; i++) {
		assert_true(fcntl(frame.fds[i], F_GETFD) & FD_CLOEXEC);
		assert_int_equal(fstat(frame.fds[i], &a), 0);
		assert_int_equal(fstat(sent[i], &b), 0);
		assert_int_equal(a.st_rdev, b.st_rdev);
		close(sent[i]);
	}
	int taken = wire_take_fd(&frame, 2);
	assert_true(taken >= 0);
	assert_int_equal(wire_take_fd(&frame, 2), -1);
	assert_int_equal(wire_take_fd(&frame, WIRE_FDS_MAX), -1);
	wire_close_fds(&frame);
	wire_close_fds(&frame); /* twice is fine */
	assert_int_equal(close(taken), 0); /* still ours */
	assert_int_equal(wire_send(f->pair[0], 9, view_str("x"), sent, WIRE_FDS_MAX + 1),
			 FG_ELIMIT);
}

/* Sends bytes as they are, with n descriptors: what a broken peer could do. */
static void
send_raw(int sock, const void *bytes, size_t n, unsigned fds_n)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * 16)];
	} control;
	memset(&control, 0, sizeof control);
	if (fds_n) {
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fds_n);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fds_n);
		for (unsigned i = 0; i < fds_n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &sock, sizeof sock);
	}
	assert_int_equal(sendmsg(sock, &m, 0), (ssize_t)n);
}

static void
test_refusals_close_descriptors(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[WIRE_FRAME_MAX + 1];
	static const struct {
		const char *why;
		uint8_t head[4];
		size_t n;
		unsigned fds;
	} bad[] = {
		{ "short", { WIRE_VERSION, 0, 0, 0 }, 3, 0 },
		{ "short with descriptors", { WIRE_VERSION, 0, 0, 0 }, 1, 2 },
		{ "version", { WIRE_VERSION + 1, 0, 0, 1 }, 8, 1 },
		{ "version 0", { 0, 0, 0, 1 }, 8, 0 },
		{ "reserved byte", { WIRE_VERSION, 1, 0, 1 }, 8, 4 },
		{ "eight descriptors", { WIRE_VERSION, 0, 0, 1 }, 8, WIRE_FDS_MAX + 1 },
		{ "sixteen descriptors", { WIRE_VERSION, 0, 0, 1 }, 8, 16 },
		{ "over-long", { WIRE_VERSION, 0, 0, 1 }, WIRE_FRAME_MAX + 1, 3 },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct wire_frame frame = { .type = 77 };
		memcpy(bytes, bad[i].head, 4);
		send_raw(f->pair[0], bytes, bad[i].n, bad[i].fds);
		if (wire_recv(f->pair[1], f->buf, &frame) != FG_EPEER)
			fail_msg("%s was accepted", bad[i].why);
		assert_int_equal(frame.type, 77); /* untouched */
		assert_int_equal(open_fds(), f->fds);
	}
	/* The socket still works after each. */
	struct wire_frame frame;
	assert_int_equal(wire_send(f->pair[0], 5, view_str("ok"), NULL, 0), 0);
	assert_int_equal(wire_recv(f->pair[1], f->buf, &frame), 0);
}

static void
test_empty_frame_with_descriptor(void **state)
{
	struct fixture *f = *state;
	struct wire_frame frame;
	send_raw(f->pair[0], "", 0, 1);
	assert_int_equal(wire_recv(f->pair[1], f->buf, &frame), FG_EPEER);
	assert_int_equal(open_fds(), f->fds);
	send_raw(f->pair[0], "", 0, 0);
	assert_int_equal(wire_recv(f->pair[1], f->buf, &frame), FG_ENOTFOUND);
}

static void
test_full_then_drained(void **state)
{
	struct fixture *f = *state;
	static uint8_t body[WIRE_BODY_MAX];
	unsigned sent = 0, got = 0;
	int r;
	struct wire_frame frame;
	while ((r = wire_send(f->pair[0], 1, view_of(body, sizeof body), NULL, 0)) == 0)
		sent++;
	assert_int_equal(r, FG_EAGAIN);
	assert_true(sent >= 3); /* wire.h promises room for more than one */
	while ((r = wire_recv(f->pair[1], f->buf, &frame)) == 0)
		got++;
	assert_int_equal(r, FG_EAGAIN);
	assert_int_equal(got, sent);
}

static void
test_last_words_survive_the_sender(void **state)
{
	struct fixture *f = *state;
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	/* Unread data of ours makes the kernel report a reset before the last words. */
	assert_int_equal(wire_send(pair[0], 1, view_str("unread"), NULL, 0), 0);
	assert_int_equal(wire_send(pair[1], 2, view_str("last words"), NULL, 0), 0);
	close(pair[1]);
	struct wire_frame frame;
	assert_int_equal(wire_recv(pair[0], f->buf, &frame), 0);
	assert_true(view_is(frame.body, "last words"));
	assert_int_equal(wire_recv(pair[0], f->buf, &frame), FG_ENOTFOUND);
	assert_int_equal(wire_send(pair[0], 1, view_str("x"), NULL, 0), FG_EIO);
	close(pair[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_pair_flags, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_descriptors_arrive_in_order_and_cloexec, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(test_refusals_close_descriptors, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_empty_frame_with_descriptor, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_full_then_drained, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_last_words_survive_the_sender, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
