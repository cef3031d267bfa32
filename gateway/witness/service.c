/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/witness/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/err.h"
#include "gateway/net/conn.h"
#include "gateway/net/listener.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
#define CONNS_MAX 256      /* logs submit a few times a minute */
#define SOURCE_MAX 32      /* of one address */
#define BODY_MS 20000u     /* 64 KiB; nobody sends from a module here */
#define IDLE_MS 60000u

struct service {
	struct net *net;
	struct keeper *keeper;
	const char *prefix;
};

static int64_t
clock_now(clockid_t id, int64_t per_second)
{
	struct timespec ts;
	if (clock_gettime(id, &ts))
		abort();
	return (int64_t)ts.tv_sec * per_second + ts.tv_nsec / (1000000000 / per_second);
}

static int64_t
mono_ms(void *ctx)
{
	(void)ctx;
	return clock_now(CLOCK_BOOTTIME, 1000);
}

static int64_t
wall_s(void *ctx)
{
	(void)ctx;
	return clock_now(CLOCK_REALTIME, 1);
}

/* ---- answers ---- */

static void
reply(struct conn *conn, unsigned status, const char *type, struct view body)
{
	const struct http_reply head = { .status = status, .type = body.n ? type : NULL };
	const struct conn_body b = { .memory = body };
	if (conn_reply(conn, &head, &b))
		conn_close_silently(conn);
}

/* One line for whoever runs the witness: every judged checkpoint, and why one was not. */
static void
report(const struct keeper_answer *a)
{
	bool bad = a->outcome == WITNESS_FORK || a->outcome == WITNESS_BAD_PROOF || a->outcome == WITNESS_UNKNOWN;
	if (!a->origin)
		return; /* strangers may not fill a journal */
	fprintf(stderr, "<%d>%s: size %" PRIu64 ": %s%s%s\n", bad ? 3 : 6, a->origin, a->size,
	    a->err ? "could not be kept: " : witness_outcome_name(a->outcome), a->err ? err_name(a->err) : "",
	    a->outcome == WITNESS_FORK ? ": two trees of one size, both signed by this log" : "");
}

static void
add_checkpoint(struct service *s, struct conn *conn, const struct http_request *r)
{
	struct writer *body = conn_data(conn);
	struct writer answer;
	struct keeper_answer a;
	if (r->body == HTTP_BODY_LENGTH && r->body_len > WITNESS_REQUEST_MAX) {
		reply(conn, 413, NULL, view_of(NULL, 0));
		return;
	}
	if (body && writer_err(body)) {
		reply(conn, 503, NULL, view_of(NULL, 0));
		return;
	}
	writer_init(&answer, WITNESS_ANSWER_MAX);
	keeper_submit(s->keeper, body ? writer_view(body) : view_of(NULL, 0), (uint64_t)wall_s(NULL), &answer, &a);
	report(&a);
	reply(conn, a.status, a.type, a.type ? writer_view(&answer) : view_of(NULL, 0));
	writer_free(&answer);
}

static void
get_checkpoint(struct service *s, struct conn *conn, struct view name)
{
	struct keeper_log log;
	for (size_t i = 0; keeper_get(s->keeper, i, &log); i++) {
		if (log.note.n && log.note.n <= CONN_MEMORY_MAX && view_is(name, log.name)) {
			reply(conn, 200, TEXT_TYPE, log.note);
			return;
		}
	}
	reply(conn, 404, NULL, view_of(NULL, 0));
}

/* ---- requests ---- */

/* The path behind the prefix; false when it does not begin with it. */
static bool
below(const struct service *s, struct view path, struct view *ret)
{
	size_t n = strlen(s->prefix);
	if (path.n < n || memcmp(path.p, s->prefix, n) != 0)
		return false;
	*ret = view_of(path.p + n, path.n - n);
	return true;
}

static void
forget_body(struct conn *conn)
{
	struct writer *body = conn_data(conn);
	if (!body)
		return;
	writer_free(body);
	free(body);
	conn_set_data(conn, NULL);
}

static void
on_request(void *ctx, struct conn *conn, const struct http_request *r)
{
	static const char checkpoints[] = "/checkpoint/";
	struct service *s = ctx;
	struct view path;
	if (!below(s, r->path, &path)) {
		reply(conn, 404, NULL, view_of(NULL, 0));
	} else if (view_is(path, WITNESS_PATH)) {
		if (view_is(r->method_name, "POST"))
			add_checkpoint(s, conn, r);
		else
			reply(conn, 405, NULL, view_of(NULL, 0));
	} else if (path.n >= sizeof checkpoints && !memcmp(path.p, checkpoints, sizeof checkpoints - 1)) {
		if (r->method == HTTP_OTHER)
			reply(conn, 405, NULL, view_of(NULL, 0));
		else
			get_checkpoint(s, conn, view_of(path.p + sizeof checkpoints - 1, path.n - sizeof checkpoints + 1));
	} else {
		reply(conn, 404, NULL, view_of(NULL, 0));
	}
	forget_body(conn);
}

static void
on_body(void *ctx, struct conn *conn, struct view bytes)
{
	struct writer *body = conn_data(conn);
	(void)ctx;
	if (!body) {
		if (!(body = malloc(sizeof *body)))
			return; /* an empty body is refused as malformed */
		writer_init(body, WITNESS_REQUEST_MAX);
		conn_set_data(conn, body);
	}
	writer_bytes(body, bytes);
}

static void
on_close(void *ctx, struct conn *conn, const struct conn_outcome *outcome)
{
	(void)ctx;
	(void)outcome;
	forget_body(conn);
}

/* ---- life ---- */

int
service_new(struct event_base *base, struct keeper *keeper, const char *prefix, struct service **ret)
{
	static const struct net_clock clock = { mono_ms, wall_s, NULL };
	struct net_limits limits;
	struct service *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	s->keeper = keeper;
	s->prefix = prefix;
	net_limits_default(&limits);
	limits.conns_max = CONNS_MAX;
	limits.source_max = SOURCE_MAX;
	limits.body_max = WITNESS_REQUEST_MAX;
	limits.body_ms = limits.head_ms = BODY_MS;
	limits.idle_ms = IDLE_MS;
	struct net_callbacks callbacks = {
		.on_request = on_request,
		.on_body = on_body,
		.on_close = on_close,
		.ctx = s,
	};
	int err = net_new(base, &clock, &limits, &callbacks, &s->net);
	if (err) {
		free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void
service_free(struct service *s)
{
	if (!s)
		return;
	net_free(s->net);
	free(s);
}

int
service_listen(struct service *s, int fd, struct tls *tls)
{
	const struct net_origin origin = { .tls = tls, .mode = HTTP_STRICT };
	struct listener *made;
	return listener_new(s->net, fd, &origin, &made);
}
