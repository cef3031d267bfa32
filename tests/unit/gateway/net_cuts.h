/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_cuts - the engine fed one byte string cut in some way, and everything
 * that came of it: the bytes that went back and what the owner was shown.
 * Shared by test_conn_cuts and fuzz_http_conn. No cmocka: what is wrong
 * aborts. Socket pairs and a clock that stands still, so a run is a function of its
 * arguments; a request half sent is ended by the client closing its side.
 */
#ifndef FG_TESTS_NET_CUTS_H
#define FG_TESTS_NET_CUTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "crypto/err.h"
#include "gateway/net/serve.h"

#define CUTS_IMAGE 1500u   /* small, so that pipelined requests for it stay cheap */
#define CUTS_ETAG "a1b2c3d4e5f60718293a4b5c"
#define CUTS_RUN 700u       /* what the source hands out at most: images come in several runs */
#define CUTS_BODY_MAX 4096u
#define CUTS_PATIENCE 20000 /* turns of the loop before a connection counts as hung */
#define CUTS_WALL INT64_C(1767225600)

struct cuts_text {
	char *p;
	size_t n, cap;
};

struct cuts {
	struct event_base *base;
	struct net *net;
	bool defer;               /* answer from the loop, not from inside on_request */
	uint64_t waiting;         /* the connection that waits for such an answer */
	unsigned ends;            /* on_close calls */
	struct cuts_text seen;    /* what the owner was shown, in words */
	struct cuts_text back;    /* what the client read, interim answers left out */
	uint8_t image[CUTS_IMAGE];
};

/* How bytes are cut: the next piece's length, of those that are left. */
struct cutter {
	size_t (*next)(struct cutter *c, size_t left);
	uint64_t state;
};

static inline void
cuts_add(struct cuts_text *t, const void *p, size_t n)
{
	if (t->cap - t->n <= n) {
		t->cap = (t->cap + n) * 2 + 64;
		if (!(t->p = realloc(t->p, t->cap)))
			abort();
	}
	if (n)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

static inline bool
cuts_same(const struct cuts_text *a, const struct cuts_text *b)
{
	return a->n == b->n && (a->n == 0 || !memcmp(a->p, b->p, a->n));
}

static int64_t
cuts_pull(void *ctx, uint64_t offset, size_t max, const uint8_t **ret_bytes)
{
	struct cuts *c = ctx;
	size_t n = max < CUTS_RUN ? max : CUTS_RUN;
	if (offset >= CUTS_IMAGE || n > CUTS_IMAGE - offset)
		abort();
	*ret_bytes = c->image + offset;
	return (int64_t)n;
}

/* GET and HEAD get the image, PUT a word, POST an empty 200, others are refused. */
static void
cuts_answer(struct cuts *c, struct conn *conn)
{
	const struct http_request *r = conn_request(conn);
	const struct http_resource image = { CUTS_IMAGE, view_str(CUTS_ETAG), CUTS_WALL - 86400 };
	const struct net_source source = { .pull = cuts_pull, .ctx = c };
	const struct serve_text ok = { .status = 200 };
	const struct serve_text word = { .status = 404, .type = "application/json", .body = view_str("{\"code\":27}") };
	int err;
	if (r->method != HTTP_OTHER)
		err = serve_image(conn, &image, &source, NULL);
	else if (view_is(r->method_name, "POST"))
		err = serve_text(conn, &ok);
	else if (view_is(r->method_name, "PUT"))
		err = serve_text(conn, &word);
	else
		err = serve_method_refused(conn);
	if (err)
		abort();
}

static void
cuts_on_request(void *ctx, struct conn *conn, const struct http_request *r)
{
	struct cuts *c = ctx;
	char line[96];
	/* Everything the engine made of the request: two cuts may not differ in any of it. */
	cuts_add(&c->seen, "|", 1);
	cuts_add(&c->seen, r->method_name.p, r->method_name.n);
	cuts_add(&c->seen, r->target.p, r->target.n);
	cuts_add(&c->seen, r->path.p, r->path.n);
	cuts_add(&c->seen, r->query.p, r->query.n);
	cuts_add(&c->seen, r->host.p, r->host.n);
	int n = snprintf(line, sizeof line, " %u %u %d %d %d %llu %zu", r->port, r->minor, r->keep_alive,
	    r->expect_continue, (int)r->body, (unsigned long long)r->body_len, r->n_fields);
	cuts_add(&c->seen, line, (size_t)n);
	for (size_t i = 0; i < r->n_fields; i++) {
		cuts_add(&c->seen, r->fields[i].name.p, r->fields[i].name.n);
		cuts_add(&c->seen, "=", 1);
		cuts_add(&c->seen, r->fields[i].value.p, r->fields[i].value.n);
	}
	if (c->defer)
		c->waiting = conn_id(conn);
	else
		cuts_answer(c, conn);
}

static void
cuts_on_body(void *ctx, struct conn *conn, struct view bytes)
{
	struct cuts *c = ctx;
	if (conn_request(conn) || bytes.n == 0)
		abort(); /* bodies come before their request, and only if there is something */
	cuts_add(&c->seen, bytes.p, bytes.n);
}

static void
cuts_on_close(void *ctx, struct conn *conn, const struct conn_outcome *outcome)
{
	struct cuts *c = ctx;
	char line[64];
	(void)conn;
	int n = snprintf(line, sizeof line, "|end %s %s", conn_why_name(outcome->why),
	    http_head_fault_id(outcome->fault)); /* its status is that of the last reply, whenever that was */
	cuts_add(&c->seen, line, (size_t)n);
	c->ends++;
}

static int64_t
cuts_mono(void *ctx)
{
	(void)ctx;
	return 1000000;
}

static int64_t
cuts_wall(void *ctx)
{
	(void)ctx;
	return CUTS_WALL;
}

static inline void
cuts_open(struct cuts *c)
{
	const struct net_clock clock = { cuts_mono, cuts_wall, c };
	const struct net_callbacks callbacks = { .on_request = cuts_on_request, .on_body = cuts_on_body,
		.on_close = cuts_on_close, .ctx = c };
	struct net_limits limits;
	*c = (struct cuts){ .base = event_base_new() };
	net_limits_default(&limits);
	limits.body_max = CUTS_BODY_MAX;
	if (!c->base || net_new(c->base, &clock, &limits, &callbacks, &c->net) != FG_OK)
		abort();
	for (size_t i = 0; i < CUTS_IMAGE; i++)
		c->image[i] = (uint8_t)('a' + i % 23);
}

static inline void
cuts_close(struct cuts *c)
{
	net_free(c->net);
	event_base_free(c->base);
	free(c->seen.p);
	free(c->back.p);
}

static inline void
cuts_turn(struct cuts *c, int fd)
{
	char buf[4096];
	ssize_t n;
	event_base_loop(c->base, EVLOOP_NONBLOCK);
	if (c->waiting) {
		struct conn *conn = conn_find(c->net, c->waiting);
		c->waiting = 0;
		if (conn)
			cuts_answer(c, conn);
	}
	while ((n = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) > 0)
		cuts_add(&c->back, buf, (size_t)n);
}

/*
 * "100 Continue" is sent when the body was not there yet, which is the one
 * thing that may depend on the cut (RFC 9110 section 10.1.1).
 */
static inline void
cuts_drop_interim(struct cuts_text *t)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const size_t n = sizeof interim - 1;
	char *at;
	while (t->n >= n && (at = memmem(t->p, t->n, interim, n))) {
		size_t from = (size_t)(at - t->p);
		memmove(at, at + n, t->n - from - n);
		t->n -= n;
	}
}

/* One connection from its first byte to its burial. */
static inline void
cuts_run(struct cuts *c, enum http_mode mode, const void *bytes, size_t n, struct cutter *cutter, bool defer)
{
	const struct net_origin origin = { .mode = mode };
	const char *p = bytes;
	int pair[2];
	c->seen.n = c->back.n = 0;
	c->ends = 0;
	c->defer = defer;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) ||
	    net_adopt(c->net, pair[1], NULL, &origin) != FG_OK)
		abort();
	for (int i = 0; n > 0 && i < CUTS_PATIENCE; i++) {
		size_t piece = cutter->next(cutter, n);
		ssize_t did = send(pair[0], p, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (did < 0 && errno != EAGAIN)
			break; /* it has been shown the door */
		p += did > 0 ? did : 0;
		n -= did > 0 ? (size_t)did : 0;
		cuts_turn(c, pair[0]);
	}
	shutdown(pair[0], SHUT_WR);
	for (int i = 0; c->ends == 0; i++) {
		if (i == CUTS_PATIENCE)
			abort(); /* neither an answer nor an end */
		cuts_turn(c, pair[0]);
	}
	cuts_turn(c, pair[0]);
	close(pair[0]);
	if (net_counters(c->net)->conns)
		abort();
	cuts_drop_interim(&c->back);
}

static inline size_t
cut_nowhere(struct cutter *c, size_t left)
{
	(void)c;
	return left;
}

static inline size_t
cut_everywhere(struct cutter *c, size_t left)
{
	(void)c;
	(void)left;
	return 1;
}

/* Once, after `state` bytes. */
static inline size_t
cut_once(struct cutter *c, size_t left)
{
	size_t n = c->state && c->state < left ? (size_t)c->state : left;
	c->state = 0;
	return n;
}

/* Anywhere; the same seed cuts the same way in every run. */
static inline size_t
cut_anywhere(struct cutter *c, size_t left)
{
	c->state = c->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	size_t most = c->state >> 60 ? 61 : 5; /* mostly long pieces, some short ones */
	size_t n = 1 + (size_t)((c->state >> 33) % most);
	return n < left ? n : left;
}

#endif
