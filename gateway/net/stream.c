/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/net/tls.h"

enum net_io
stream_read(struct stream *s, void *buf, size_t cap, size_t *ret_n, bool *ret_more)
{
	if (s->tls)
		return tls_session_read(s->tls, buf, cap, ret_n, ret_more);
	ssize_t n;
	do
		n = recv(s->fd, buf, cap, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* A short read has emptied the socket: spares the call that says EAGAIN. */
	*ret_more = n > 0 && (size_t)n == cap;
	if (n < 0)
		return errno == EAGAIN ? NET_IO_WANT_READ : NET_IO_FAILED;
	if (n == 0)
		return NET_IO_EOF;
	*ret_n = (size_t)n;
	return NET_IO_DONE;
}

/* What a system call that writes came to. */
static enum net_io
sent(ssize_t n, size_t *ret_n)
{
	if (n < 0)
		return errno == EAGAIN ? NET_IO_WANT_WRITE : NET_IO_FAILED;
	*ret_n = (size_t)n;
	return NET_IO_DONE;
}

enum net_io
stream_send(struct stream *s, struct iovec *iov, size_t n_iov, bool more, size_t *ret_n)
{
	const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_iov };
	ssize_t n;
	do
		n = sendmsg(s->fd, &msg, flags);
	while (n < 0 && errno == EINTR);
	return sent(n, ret_n);
}

enum net_io
stream_send_head(struct stream *s, struct view run, size_t *ret_n)
{
	ssize_t n;
	do
		n = send(s->fd, run.p, run.n, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
	while (n < 0 && errno == EINTR);
	return sent(n, ret_n);
}

enum net_io
stream_send_file(struct stream *s, int fd, uint64_t at, size_t n, size_t *ret_n)
{
	off_t offset = (off_t)at;
	ssize_t r;
	do
		r = sendfile(s->fd, fd, &offset, n);
	while (r < 0 && errno == EINTR);
	return r == 0 ? NET_IO_EOF : sent(r, ret_n);
}

enum net_io
stream_write(struct stream *s, struct view run, size_t *ret_n)
{
	if (s->tls)
		return tls_session_write(s->tls, run.p, run.n, ret_n);
	ssize_t n;
	do
		n = send(s->fd, run.p, run.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return sent(n, ret_n);
}

void
stream_half_close(struct stream *s)
{
	if (s->tls)
		tls_session_close(s->tls);
	(void)shutdown(s->fd, SHUT_WR);
}

bool
stream_has_unread(const struct stream *s)
{
	int n = 0;
	return ioctl(s->fd, FIONREAD, &n) == 0 && n > 0;
}

bool
stream_has_room(const struct stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	return poll(&p, 1, 0) == 1; /* an error too: the write will say which */
}

void
stream_be_thrifty(struct stream *s)
{
	int half = 32 * 1024, lowat = STREAM_THRIFTY_LOWAT; /* the kernel doubles it, and counts its own part in */
	(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &half, sizeof half);
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

void
stream_close(struct stream *s)
{
	if (s->fd < 0)
		return;
	if (s->tls)
		tls_session_close(s->tls);
	close(s->fd);
	s->fd = -1;
}

void
stream_reset(struct stream *s)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	if (s->fd < 0)
		return;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(s->fd);
	s->fd = -1;
}

void
stream_free(struct stream *s)
{
	stream_close(s);
	tls_session_free(s->tls);
	s->tls = NULL;
}
