/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/wire/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "crypto/err.h"

#define RESET_RETRIES 2 /* a pending ECONNRESET is reported once, then queued frames follow */

/* Room for exactly WIRE_FDS_MAX: the kernel drops more and sets MSG_CTRUNC. */
union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
};

static void
put_head(uint8_t head[WIRE_HEAD], uint16_t type)
{
	head[0] = WIRE_VERSION;
	head[1] = 0;
	head[2] = (uint8_t)(type >> 8);
	head[3] = (uint8_t)type;
}

static int
send_error(int err)
{
	switch (err) {
	case EAGAIN:
	case ENOBUFS:
		return FG_EAGAIN;
	case EMSGSIZE:
		return FG_ELIMIT;
	case ENOMEM:
		return FG_ENOMEM;
	default:
		return FG_EIO;
	}
}

int
wire_send(int sock, uint16_t type, struct view body, const int *fds, unsigned fds_n)
{
	if (body.n > WIRE_BODY_MAX || fds_n > WIRE_FDS_MAX)
		return FG_ELIMIT;
	uint8_t head[WIRE_HEAD];
	put_head(head, type);
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = sizeof head },
		/* The kernel only reads; struct iovec has no const. */
		{ .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n },
	};
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	union control control;
	if (fds_n) {
		memset(&control, 0, sizeof control);
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fds_n);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fds_n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fds_n);
	}
	for (;;) {
		if (sendmsg(sock, &m, MSG_NOSIGNAL) >= 0)
			return 0; /* SEQPACKET: all or nothing */
		if (errno != EINTR)
			return send_error(errno);
	}
}

/*
 * Every descriptor the kernel installed must be seen, also of a message that
 * will be refused, or a peer could fill our table.
 */
static bool
take_control(struct msghdr *m, struct wire_frame *f)
{
	bool good = !(m->msg_flags & MSG_CTRUNC);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			good = false;
			continue;
		}
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (f->fds_n < WIRE_FDS_MAX) {
				f->fds[f->fds_n++] = fd;
			} else {
				close(fd);
				good = false;
			}
		}
	}
	return good;
}

static ssize_t
receive(int sock, struct msghdr *m, size_t control_n)
{
	for (int resets = 0;;) {
		m->msg_controllen = control_n;
		ssize_t n = recvmsg(sock, m, MSG_CMSG_CLOEXEC);
		if (n >= 0)
			return n;
		if (errno == EINTR)
			continue;
		/* The peer died with unread frames of ours: what it sent before is still there. */
		if (errno == ECONNRESET && resets++ < RESET_RETRIES)
			continue;
		return -1;
	}
}

int
wire_recv(int sock, uint8_t *buf, struct wire_frame *ret)
{
	struct iovec iov = { .iov_base = buf, .iov_len = WIRE_FRAME_MAX };
	union control control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf };
	ssize_t n = receive(sock, &m, sizeof control.buf);
	if (n < 0)
		return errno == EAGAIN ? FG_EAGAIN : FG_EIO;
	struct wire_frame f = { .fds = { -1, -1, -1, -1 } };
	bool good = take_control(&m, &f) && !(m.msg_flags & MSG_TRUNC);
	if (n == 0 && f.fds_n == 0 && good)
		return FG_ENOTFOUND; /* end of file, or an empty frame: no frame of ours is empty */
	if (!good || n < WIRE_HEAD || buf[0] != WIRE_VERSION || buf[1] != 0) {
		wire_close_fds(&f);
		return FG_EPEER;
	}
	f.type = (uint16_t)(buf[2] << 8 | buf[3]);
	f.body = view_of(buf + WIRE_HEAD, (size_t)n - WIRE_HEAD);
	*ret = f;
	return 0;
}

void
wire_close_fds(struct wire_frame *f)
{
	for (unsigned i = 0; i < f->fds_n; i++) {
		if (f->fds[i] >= 0)
			close(f->fds[i]);
		f->fds[i] = -1;
	}
	f->fds_n = 0;
}

int
wire_take_fd(struct wire_frame *f, unsigned i)
{
	if (i >= f->fds_n)
		return -1;
	int fd = f->fds[i];
	f->fds[i] = -1;
	return fd;
}

int
wire_pair(int ret[2])
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return FG_EIO;
	ret[0] = pair[0];
	ret[1] = pair[1];
	return 0;
}
