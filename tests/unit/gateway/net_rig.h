/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_rig - an engine on a loopback listener with a fake clock, a fabricated
 * image and clients to talk to it, all in one thread. Waiting means running the
 * engine's loop; the real-time cap only turns a hang into a failure.
 */
#ifndef FG_TESTS_NET_RIG_H
#define FG_TESTS_NET_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "crypto/err.h"
#include "gateway/net/listener.h"
#include "gateway/net/serve.h"
#include "gateway/net/tls.h"

#define RIG_RUN 65536     /* what pull hands out at most: a block */
#define RIG_PATIENCE 4000 /* polls of 5 ms at most before a hang is a failure */
#define RIG_ETAG "8d3f2c6b1a0e4f57a9b8c7d6e5f4a3b28d3f2c6b1a0e4f57a9b8c7d6e5f4a3b2"
#define RIG_WALL INT64_C(1767225600) /* Thu, 01 Jan 2026 00:00:00 GMT */

enum rig_mode {
	RIG_SERVE, /* the image */
	RIG_HOLD,  /* keeps the id; the test answers */
	RIG_TEXT,
	RIG_SILENT,
	RIG_RESET,
	RIG_OK,    /* 200, empty, whatever the method */
};

struct rig {
	struct event_base *base;
	struct net *net;
	struct listener *listener;
	struct sockaddr_in addr;
	int64_t mono_ms, wall_s;
	enum rig_mode mode;
	struct serve_text text;
	/* image */
	uint64_t size;
	uint64_t fail_at;       /* offset at which the source fails */
	uint8_t run[RIG_RUN];
	int file;               /* not 0: the image lies there too, and may be sent from it */
	struct share *share[4]; /* of who asks for /0 to /3; NULL: none */
	uint64_t cost, spent;   /* of each pull, beyond moving bytes; not yet asked for */
	uint64_t pulled, done;  /* bytes handed out, sources let go */
	/* what the owner saw */
	unsigned requests, sents, closes, stops;
	uint64_t held;
	char method[32], target[512], host[128], name[64];
	uint16_t port;
	uint8_t peer_key[TLS_SPKI_LEN];
	bool has_peer_key;
	char psk[TLS_PSK_IDENTITY_MAX + 1];
	enum tls_refusal refusal; /* at the last end */
	uint8_t refused_key[TLS_SPKI_LEN];
	struct conn_outcome sent, closed;
	uint64_t sent_number, closed_number; /* conn_request_number, then */
	char body[64];          /* of requests, one behind the other, as far as it fits */
	size_t body_n;          /* all of it */
};

struct rig_client {
	int fd;
	SSL *ssl;
	char *buf;
	size_t n, cap;
	bool eof, reset;
};

struct rig_reply {
	unsigned status;
	char head[1024];
	char *body; /* in the client's buffer, until the next call */
	size_t n;   /* body bytes there */
	uint64_t length;
};

static inline uint8_t
rig_byte(uint64_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8) * 3 + (offset >> 32) * 5);
}

static int64_t
rig_pull(void *ctx, uint64_t offset, size_t max, const uint8_t **ret_bytes)
{
	struct rig *r = ctx;
	if (offset >= r->fail_at)
		return FG_EIO;
	size_t n = max < RIG_RUN ? max : RIG_RUN;
	if (n > r->fail_at - offset)
		n = (size_t)(r->fail_at - offset);
	assert_true(offset < r->size && n <= r->size - offset);
	for (size_t i = 0; i < n; i++)
		r->run[i] = rig_byte(offset + i);
	r->pulled += n;
	r->spent += r->cost;
	*ret_bytes = r->run;
	return (int64_t)n;
}

static int64_t
rig_file(void *ctx, uint64_t offset, size_t max, struct net_run *ret_run)
{
	struct rig *r = ctx;
	if (offset >= r->fail_at)
		return FG_EIO;
	assert_true(offset < r->size);
	uint64_t left = (r->size < r->fail_at ? r->size : r->fail_at) - offset;
	*ret_run = (struct net_run){ r->file, offset };
	return (int64_t)(left < max ? left : max);
}

static uint64_t
rig_cost(void *ctx)
{
	struct rig *r = ctx;
	uint64_t n = r->spent;
	r->spent = 0;
	return n;
}

static void
rig_done(void *ctx)
{
	((struct rig *)ctx)->done++;
}

static int
rig_serve(struct rig *r, struct conn *conn)
{
	unsigned i = (unsigned)(r->target[1] - '0');
	if (i < 4)
		assert_int_equal(conn_set_share(conn, r->share[i]), FG_OK);
	const struct http_resource image = { r->size, view_str(RIG_ETAG), RIG_WALL - 86400 };
	const struct net_source source = { .pull = rig_pull, .file = r->file ? rig_file : NULL, .cost = rig_cost,
		.done = rig_done, .ctx = r };
	return serve_image(conn, &image, &source, NULL);
}

static void
rig_copy(char *dst, size_t cap, struct view v)
{
	size_t n = v.n < cap - 1 ? v.n : cap - 1;
	if (n)
		memcpy(dst, v.p, n);
	dst[n] = '\0';
}

static void
rig_on_request(void *ctx, struct conn *conn, const struct http_request *request)
{
	struct rig *r = ctx;
	r->requests++;
	r->held = conn_id(conn);
	assert_ptr_equal(conn_request(conn), request);
	assert_ptr_equal(conn_find(r->net, r->held), conn);
	rig_copy(r->method, sizeof r->method, request->method_name);
	rig_copy(r->target, sizeof r->target, request->target);
	rig_copy(r->host, sizeof r->host, request->host);
	rig_copy(r->name, sizeof r->name, view_str(conn_tls_name(conn)));
	r->port = request->port;
	rig_copy(r->psk, sizeof r->psk, view_str(conn_tls_psk(conn)));
	const uint8_t *key = conn_tls_peer(conn);
	r->has_peer_key = key != NULL;
	if (key)
		memcpy(r->peer_key, key, sizeof r->peer_key);
	const struct serve_text ok = { .status = 200 };
	switch (r->mode) {
	case RIG_SERVE:
		if (request->method == HTTP_OTHER)
			assert_int_equal(serve_method_refused(conn), FG_OK);
		else
			assert_int_equal(rig_serve(r, conn), FG_OK);
		break;
	case RIG_TEXT:
		assert_int_equal(serve_text(conn, &r->text), FG_OK);
		break;
	case RIG_OK:
		assert_int_equal(serve_text(conn, &ok), FG_OK);
		break;
	case RIG_SILENT:
		conn_close_silently(conn);
		break;
	case RIG_RESET:
		conn_reset(conn);
		break;
	case RIG_HOLD:
		break;
	}
}

static void
rig_on_sent(void *ctx, struct conn *conn, const struct conn_outcome *outcome)
{
	struct rig *r = ctx;
	r->sents++;
	r->sent = *outcome;
	r->sent_number = conn_request_number(conn);
}

static void
rig_on_body(void *ctx, struct conn *conn, struct view bytes)
{
	struct rig *r = ctx;
	assert_null(conn_request(conn)); /* nothing to answer yet */
	for (size_t i = 0; i < bytes.n; i++, r->body_n++) {
		if (r->body_n < sizeof r->body)
			r->body[r->body_n] = (char)bytes.p[i];
	}
}

static void
rig_on_close(void *ctx, struct conn *conn, const struct conn_outcome *outcome)
{
	struct rig *r = ctx;
	assert_null(conn_find(r->net, conn_id(conn)));
	r->closes++;
	r->closed = *outcome;
	r->closed_number = conn_request_number(conn);
	r->refusal = conn_tls_refusal(conn, r->refused_key);
}

static void
rig_on_stopped(void *ctx)
{
	((struct rig *)ctx)->stops++;
}

static int64_t
rig_mono(void *ctx)
{
	return ((struct rig *)ctx)->mono_ms;
}

static int64_t
rig_wall(void *ctx)
{
	return ((struct rig *)ctx)->wall_s;
}

static inline int
rig_listen(struct sockaddr_in *ret_addr)
{
	socklen_t n = sizeof *ret_addr;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	*ret_addr = (struct sockaddr_in){ .sin_family = AF_INET };
	ret_addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)ret_addr, sizeof *ret_addr), 0);
	assert_int_equal(listen(fd, 256), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret_addr, &n), 0);
	return fd;
}

/* limits NULL: the defaults. tls NULL: plain. */
static inline struct rig *
rig_new(const struct net_limits *limits, struct tls *tls, enum http_mode mode)
{
	struct rig *r = calloc(1, sizeof *r);
	struct net_limits defaults;
	assert_non_null(r);
	r->size = 100000;
	r->fail_at = UINT64_MAX;
	r->wall_s = RIG_WALL;
	r->mono_ms = 1000000;
	r->base = event_base_new();
	assert_non_null(r->base);
	net_limits_default(&defaults);
	const struct net_clock clock = { rig_mono, rig_wall, r };
	const struct net_callbacks callbacks = {
		.on_request = rig_on_request,
		.on_body = rig_on_body,
		.on_sent = rig_on_sent,
		.on_close = rig_on_close,
		.on_stopped = rig_on_stopped,
		.ctx = r,
	};
	assert_int_equal(
	    net_new(r->base, &clock, limits ? limits : &defaults, &callbacks, &r->net), FG_OK);
	const struct net_origin origin = { tls, mode, 7 };
	assert_int_equal(listener_new(r->net, rig_listen(&r->addr), &origin, &r->listener), FG_OK);
	return r;
}

static inline void
rig_free(struct rig *r)
{
	net_free(r->net);
	event_base_free(r->base);
	free(r);
}

static inline void
rig_pump(struct rig *r)
{
	event_base_loop(r->base, EVLOOP_NONBLOCK);
}

/* Several rounds, for things of which no client hears. */
static inline void
rig_settle(struct rig *r)
{
	for (int i = 0; i < 20; i++) {
		rig_pump(r);
		if (i > 10)
			poll(NULL, 0, 1);
	}
}

static inline void
rig_pass(struct rig *r, int64_t ms)
{
	r->mono_ms += ms;
	net_sweep(r->net);
	rig_settle(r);
}

static inline struct rig_client *
rig_connect_from(struct rig *r, const char *source, int rcvbuf)
{
	struct rig_client *c = calloc(1, sizeof *c);
	assert_non_null(c);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	if (rcvbuf)
		assert_int_equal(
		    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf), 0);
	if (source) {
		struct sockaddr_in from = { .sin_family = AF_INET };
		assert_int_equal(inet_pton(AF_INET, source, &from.sin_addr), 1);
		assert_int_equal(bind(c->fd, (struct sockaddr *)&from, sizeof from), 0);
	}
	assert_int_equal(connect(c->fd, (struct sockaddr *)&r->addr, sizeof r->addr), 0);
	assert_int_equal(evutil_make_socket_nonblocking(c->fd), 0);
	return c;
}

static inline struct rig_client *
rig_connect(struct rig *r)
{
	return rig_connect_from(r, NULL, 0);
}

static inline void
rig_hang_up(struct rig_client *c)
{
	if (!c)
		return;
	/* Else OpenSSL takes the session for broken and never resumes it. */
	if (c->ssl)
		SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	free(c);
}

/* One attempt to read; true when something happened. */
static inline bool
rig_read(struct rig_client *c)
{
	if (c->cap - c->n < 65536) {
		c->cap = c->cap ? c->cap * 2 : 262144;
		c->buf = realloc(c->buf, c->cap + 1);
		assert_non_null(c->buf);
	}
	ssize_t n;
	if (c->ssl) {
		size_t got = 0;
		ERR_clear_error();
		int ok = SSL_read_ex(c->ssl, c->buf + c->n, c->cap - c->n, &got);
		int why = ok ? 0 : SSL_get_error(c->ssl, ok);
		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
			return false;
		n = ok ? (ssize_t)got : why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
		errno = ECONNRESET;
	} else {
		n = recv(c->fd, c->buf + c->n, c->cap - c->n, MSG_DONTWAIT);
	}
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0) {
		c->reset = c->eof = true;
		return true;
	}
	if (n == 0)
		c->eof = true;
	c->n += (size_t)n;
	c->buf[c->n] = '\0';
	return true;
}

/* Lets engine and client work until the client has n bytes or the end. */
static inline void
rig_want(struct rig *r, struct rig_client *c, size_t n)
{
	for (int i = 0; c->n < n && !c->eof; i++) {
		rig_pump(r);
		if (!rig_read(c)) {
			assert_true(i < RIG_PATIENCE);
			struct pollfd p = { c->fd, POLLIN, 0 };
			poll(&p, 1, 1);
		}
	}
}

static inline void
rig_send_bytes(struct rig *r, struct rig_client *c, const void *bytes, size_t n)
{
	const char *p = bytes;
	for (int i = 0; n > 0; i++) {
		ssize_t did;
		if (c->ssl) {
			size_t wrote = 0;
			did = SSL_write_ex(c->ssl, p, n, &wrote) ? (ssize_t)wrote : -1;
			if (did < 0)
				errno = EAGAIN;
		} else {
			did = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		if (did < 0 && errno != EAGAIN)
			return; /* the engine has closed: what it said is still to be read */
		if (did > 0) {
			p += did;
			n -= (size_t)did;
			i = 0;
		}
		assert_true(i < RIG_PATIENCE);
		rig_pump(r);
	}
}

static inline void
rig_send(struct rig *r, struct rig_client *c, const char *text)
{
	rig_send_bytes(r, c, text, strlen(text));
}

/* Drops n bytes from the front of what was received. */
static inline void
rig_eat(struct rig_client *c, size_t n)
{
	assert_true(n <= c->n);
	memmove(c->buf, c->buf + n, c->n - n);
	c->n -= n;
	if (c->buf)
		c->buf[c->n] = '\0';
}

static inline const char *
rig_field(const struct rig_reply *reply, const char *name)
{
	const char *p = strstr(reply->head, name);
	return p ? p + strlen(name) : NULL;
}

/*
 * The next response, found the way the simplest modules do: by string search.
 * with_body false for HEAD. False when the connection ended first.
 */
static inline bool
rig_reply_head(struct rig *r, struct rig_client *c, struct rig_reply *reply)
{
	const char *end = NULL;
	*reply = (struct rig_reply){ 0 };
	while (!(end = c->n ? strstr(c->buf, "\r\n\r\n") : NULL)) {
		if (c->eof)
			return false;
		rig_want(r, c, c->n + 1);
	}
	size_t n = (size_t)(end - c->buf) + 4;
	assert_true(n < 512);
	memcpy(reply->head, c->buf, n);
	reply->head[n] = '\0';
	assert_int_equal(sscanf(reply->head, "HTTP/1.1 %u ", &reply->status), 1);
	const char *length = rig_field(reply, "\r\nContent-Length: ");
	if (length)
		reply->length = strtoull(length, NULL, 10);
	rig_eat(c, n);
	return true;
}

static inline void
rig_body(struct rig *r, struct rig_client *c, struct rig_reply *reply)
{
	rig_want(r, c, (size_t)reply->length);
	assert_true(c->n >= reply->length);
	reply->body = c->buf;
	reply->n = (size_t)reply->length;
}

/* Sends a request and takes a whole response with its body. */
static inline struct rig_reply
rig_ask(struct rig *r, struct rig_client *c, const char *text)
{
	struct rig_reply reply;
	rig_send(r, c, text);
	assert_true(rig_reply_head(r, c, &reply));
	rig_body(r, c, &reply);
	return reply;
}

static inline void
rig_assert_image(const struct rig_reply *reply, uint64_t offset)
{
	for (size_t i = 0; i < reply->n; i++)
		if ((uint8_t)reply->body[i] != rig_byte(offset + i))
			fail_msg("byte %zu of the body is wrong", i);
}

/* Nothing more came, and the connection has ended. */
static inline void
rig_assert_end(struct rig *r, struct rig_client *c)
{
	rig_want(r, c, c->n + 1);
	assert_true(c->eof);
	assert_int_equal(c->n, 0);
}

static inline void
rig_assert_open(struct rig *r, struct rig_client *c)
{
	rig_settle(r);
	rig_read(c);
	assert_false(c->eof);
	assert_int_equal(c->n, 0);
}

#endif
