/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_events - server-sent events: that something has changed, not what. A
 * page then asks for what it shows, by the rights it has. Control says at most
 * once a second how large the log is. Control is asked twice a minute whether
 * whoever listens still may, so that a session that ended is not listened with.
 */
#include <inttypes.h>
#include <stdio.h>

#include "crypto/err.h"
#include "gateway/console/console_private.h"

#define EVENT_MAX 96

/* The size of the log that a page heard of before it lost its stream; false: it says none. */
static bool
heard_before(const struct http_request *r, uint64_t *ret)
{
	const struct http_field *f = r ? http_head_only(r, "Last-Event-ID") : NULL;
	return f && http_head_number(f->value, ret);
}

static size_t
event(char out[EVENT_MAX], uint64_t size)
{
	return (size_t)snprintf(out, EVENT_MAX, "event: change\nid: %" PRIu64 "\ndata: {\"log\":%" PRIu64 "}\n\n", size, size);
}

static void
push(struct web *w, struct view bytes, int64_t now)
{
	struct conn *conn = conn_find(w->c->net, w->conn);
	w->beat_ms = now + CONSOLE_BEAT_MS;
	if (conn && conn_push(conn, bytes))
		conn_reset(conn); /* it does not read */
}

void
console_events_begin(struct conn *conn, struct web *w, const struct http_request *r)
{
	struct console *c = w->c;
	char text[EVENT_MAX + 64];
	uint64_t before;
	int64_t now = clock_mono_ms(c->clock);
	if (c->streams_n == CONSOLE_STREAMS || c->stopping) {
		console_refuse(conn, c->stopping ? "COULD-NOT" : "LIMIT", "nobody more can listen just now", NULL);
		return;
	}
	size_t n = (size_t)snprintf(text, sizeof text, ": fotagate\nretry: 2000\n\n");
	if (heard_before(r, &before) && before != c->log_size)
		n += event(text + n, c->log_size);
	console_answer(conn, &(struct console_answer){
	    .status = 200, .type = "text/event-stream", .body = view_of(text, n), .open = true });
	w->heard = c->log_size;
	w->until_ms = now + CONSOLE_STREAM_MS;
	w->beat_ms = now + CONSOLE_BEAT_MS;
	w->check_ms = now + CONSOLE_CHECK_MS;
	w->linked = true;
	LIST_INSERT_HEAD(&c->streams, w, link);
	c->streams_n++;
}

void
console_events_left(struct web *w)
{
	if (!w->linked)
		return;
	w->linked = false;
	LIST_REMOVE(w, link);
	w->c->streams_n--;
}

void
console_events_log(struct console *c, uint64_t size)
{
	char text[EVENT_MAX];
	int64_t now = clock_mono_ms(c->clock);
	struct web *w;
	size_t n = event(text, size);
	c->log_size = size;
	LIST_FOREACH(w, &c->streams, link)
	{
		if (w->heard == size)
			continue;
		w->heard = size;
		push(w, view_of(text, n), now);
	}
}

/* Nothing is pushed behind the end, which would reset what of it is still on its way. */
static void
finish(struct web *w)
{
	struct conn *conn = conn_find(w->c->net, w->conn);
	console_events_left(w);
	if (conn)
		conn_push_end(conn);
}

void
console_events_checked(struct web *w, unsigned status, struct view doc)
{
	struct json *j = NULL;
	struct problem p;
	if (!status || !w->linked)
		return;
	(void)json_parse(doc, &j, NULL);
	problem_read(status, json_root(j), &p);
	/* Only these: a log that is away, or a desk that is full, says nothing about the session. */
	if (p.status == 401 || p.status == 403)
		finish(w);
	json_free(j);
}

static void
check(struct web *w, int64_t now, unsigned *left)
{
	struct conn *conn = conn_find(w->c->net, w->conn);
	if (!conn || w->checks || now < w->check_ms || !*left)
		return;
	--*left;
	w->check_ms = now + CONSOLE_CHECK_MS;
	w->checks = console_ask_again(w) == FG_OK;
}

void
console_events_tick(struct console *c)
{
	static const char beat[] = ":\n\n";
	int64_t now = clock_mono_ms(c->clock);
	unsigned left = CONSOLE_CHECKS;
	struct web *w, *next;
	for (w = LIST_FIRST(&c->streams); w; w = next) {
		next = LIST_NEXT(w, link);
		if (now >= w->until_ms) {
			finish(w);
			continue;
		}
		if (now >= w->beat_ms)
			push(w, view_of(beat, sizeof beat - 1), now);
		check(w, now, &left);
	}
}

void
console_events_end(struct console *c)
{
	while (!LIST_EMPTY(&c->streams))
		finish(LIST_FIRST(&c->streams));
}
