/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream - a connected, non-blocking socket with or without TLS on it.
 * Role: all of net/conn's reading and writing. Never blocks, never raises
 * SIGPIPE. Plain data, no allocation but the session's.
 */
#ifndef FG_NET_STREAM_H
#define FG_NET_STREAM_H

#include <sys/uio.h>

#include "crypto/view.h"
#include "gateway/net/net_io.h"

#define STREAM_THRIFTY_LOWAT 8192

struct tls_session;

struct stream {
	int fd;                  /* owned; -1 once closed */
	struct tls_session *tls; /* owned; NULL: plain */
};

/*
 * At most cap bytes. *ret_more tells whether a further read may give something
 * before the socket becomes readable again.
 */
enum net_io stream_read(struct stream *s, void *buf, size_t cap, size_t *ret_n, bool *ret_more);
/*
 * Plain streams only: gathers; may move fewer bytes than offered. more: if all are
 * taken, something follows at once, be it the end of the stream; the kernel may wait for it.
 */
enum net_io stream_send(struct stream *s, struct iovec *iov, size_t n_iov, bool more, size_t *ret_n);
/* Plain streams only, and more follows at once: the kernel may wait for it to fill a segment. */
enum net_io stream_send_head(struct stream *s, struct view run, size_t *ret_n);
/* Plain streams only: from a file, at most n bytes. NET_IO_EOF: the file ends before at. */
enum net_io stream_send_file(struct stream *s, int fd, uint64_t at, size_t n, size_t *ret_n);
/* Either kind, one run. After WANT_* offer at least the same bytes again. */
enum net_io stream_write(struct stream *s, struct view run, size_t *ret_n);
/* Tells the peer that nothing more comes; reading goes on. */
void stream_half_close(struct stream *s);
/* True when bytes wait unread in the socket: closing now would turn into a reset. */
bool stream_has_unread(const struct stream *s);
/* What is written now, up to half of the unsent bytes that the kernel holds, it takes whole. */
bool stream_has_room(const struct stream *s);
/*
 * The kernel holds less from now on: 64 KiB with what the peer has not yet
 * acknowledged, and STREAM_THRIFTY_LOWAT of it unsent. Enough for 64 KiB a round trip.
 */
void stream_be_thrifty(struct stream *s);
/* Kernel buffers are still delivered. */
void stream_close(struct stream *s);
/* RST at once: what the kernel still holds is dropped (revocation, rotten block). */
void stream_reset(struct stream *s);
/* After closing or resetting. */
void stream_free(struct stream *s);

#endif
