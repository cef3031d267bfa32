/* SPDX-License-Identifier: Apache-2.0 */
/* console_ask - a request: held against the table and the rules of guard.h, and then asked of control. */
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/console/asset.h"
#include "gateway/console/console_private.h"
#include "gateway/console/openapi.h"
#include "gateway/wire/memfd.h"

#define BODY_FIRST 2048 /* most bodies: a reason and a name */
#define HOST_MAX 256

static const struct route events = { ROUTE_GET, "/events", "audit.head", ROUTE_PLAIN, "", { { 0 } } };

/* ---- bodies ---- */

static struct web *
web_of(struct console *c, struct conn *conn)
{
	struct web *w = conn_data(conn);
	if (w)
		return w;
	w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->c = c;
	w->conn = conn_id(conn);
	conn_set_data(conn, w);
	return w;
}

/* It may have held a password. */
static void
forget_body(struct web *w)
{
	if (w->body)
		wipe(w->body, w->body_cap);
	free(w->body);
	w->body = NULL;
	w->body_n = w->body_cap = 0;
	w->body_lost = false;
}

static bool
grow(struct web *w, size_t need)
{
	size_t cap = w->body_cap ? w->body_cap : BODY_FIRST;
	while (cap < need)
		cap *= 2;
	if (cap == w->body_cap)
		return true;
	uint8_t *more = malloc(cap);
	if (!more)
		return false;
	if (w->body) {
		memcpy(more, w->body, w->body_n);
		wipe(w->body, w->body_cap);
	}
	free(w->body);
	w->body = more;
	w->body_cap = cap;
	return true;
}

void
console_on_body(void *ctx, struct conn *conn, struct view bytes)
{
	struct web *w = web_of(ctx, conn);
	if (!w || !bytes.n)
		return;
	if (w->body_n + bytes.n > CONSOLE_BODY_MAX || !grow(w, w->body_n + bytes.n)) {
		w->body_lost = true; /* the engine holds the limit; this is for memory */
		return;
	}
	memcpy(w->body + w->body_n, bytes.p, bytes.n);
	w->body_n += bytes.n;
}

void
console_on_close(void *ctx, struct conn *conn, const struct conn_outcome *outcome)
{
	struct web *w = conn_data(conn);
	(void)ctx;
	(void)outcome;
	if (!w)
		return;
	console_events_left(w);
	forget_body(w);
	wipe(&w->id, sizeof w->id);
	free(w);
}

/* ---- asking ---- */

/* Digest of parts, each with its length: two ways to cut the same bytes are two things asked. */
static int
digest_parts(const struct view *part, unsigned n, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct digest *d = digest_new(DIGEST_SHA256);
	int err = d ? FG_OK : FG_ENOMEM;
	for (unsigned i = 0; !err && i < n; i++) {
		uint64_t len = part[i].n;
		err = digest_update(d, view_of(&len, sizeof len));
		if (!err)
			err = digest_update(d, part[i]);
	}
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	return err;
}

static int
note_key(struct msg_web_call *m, const struct guard_id *id, const struct route_signed *s)
{
	const struct view asked[] = { view_str(m->request), m->json, s->statement, s->signature };
	if (!id->key.n)
		return FG_OK;
	int err = digest_parts(&id->key, 1, m->key);
	return err ? err : digest_parts(asked, sizeof asked / sizeof asked[0], m->asked);
}

/* Sealed copies of what was signed, as fotagate(1) sends them. Number of them, or negative fg_err. */
static int
seal(const struct route_signed *s, int fds[2])
{
	if (!s->statement.n)
		return 0;
	fds[0] = memfd_sealed("statement", s->statement);
	fds[1] = fds[0] < 0 ? -1 : memfd_sealed("signature", s->signature);
	if (fds[1] >= 0)
		return 2;
	if (fds[0] >= 0)
		close(fds[0]);
	return FG_ENOMEM;
}

static int
send_call(struct console *c, struct web *w, const struct guard_id *id, struct view json,
    const struct route_signed *s)
{
	static const uint8_t means[] = { [GUARD_NOBODY] = MSG_WEB_GUEST, [GUARD_SESSION] = MSG_WEB_SESSION,
		[GUARD_TOKEN] = MSG_WEB_TOKEN };
	struct chan *control = role_peer(c->role, MSG_ROLE_CONTROL, 0);
	struct msg_web_call m = { .token = w->conn, .means = means[id->who], .background = w->background, .json = json };
	int fds[2] = { -1, -1 };
	if (!control || chan_queued(control) >= CONSOLE_QUEUE)
		return FG_EAGAIN;
	snprintf(m.request, sizeof m.request, "%s", w->route->request);
	memcpy(m.secret, id->secret, sizeof m.secret);
	memcpy(m.peer, w->from.peer, sizeof m.peer);
	m.via = w->from.via;
	m.via_uid = w->from.uid;
	memcpy(m.via_key, w->from.key, sizeof m.via_key);
	memcpy(m.person, w->from.person, sizeof m.person);
	int err = note_key(&m, id, s);
	int n = err ? err : seal(s, fds);
	if (n < 0) {
		wipe(&m, sizeof m);
		return n;
	}
	m.fds = (uint32_t)n;
	err = chan_send(control, MSG_WEB_CALL, &m, fds, (unsigned)n);
	for (int i = 0; i < n; i++)
		close(fds[i]);
	wipe(&m, sizeof m);
	return err;
}

/* Whom the front names, in place of arguments: a page has nothing to say about that. */
static const char *
front_says(const struct http_request *r, struct writer *args)
{
	struct front_person p;
	const char *why;
	if (!view_is(writer_view(args), "{}"))
		return "this takes no arguments";
	if (front_read(r, &p, &why) != FRONT_PERSON)
		return "no front says who you are";
	writer_reset(args);
	front_arguments(&p, args);
	return writer_err(args) ? "what the front says is too long" : NULL;
}

static void
ask(struct console *c, struct web *w, struct conn *conn, const struct route_match *m, const struct http_request *r)
{
	struct guard_id id;
	struct route_signed s;
	struct json *doc = NULL;
	struct writer args;
	const char *why = NULL, *no = guard_identify(r, &id, &why);
	/* A cookie of a session that is over keeps nobody from signing in, and a token, which may be any, lets no page do it. */
	if (!no && (m->route->kind & ROUTE_GUEST)) {
		wipe(&id, sizeof id);
		id = (struct guard_id){ .who = GUARD_NOBODY };
	}
	if (!no)
		no = guard_origin(r, id.who, &why);
	if (no) {
		console_refuse(conn, no, why, NULL);
		wipe(&id, sizeof id);
		return;
	}
	writer_init(&args, ROUTE_JSON_MAX);
	why = route_arguments(m, r->query, view_of(w->body, w->body_n), &args, &doc, &s);
	if (!why && (m->route->kind & ROUTE_FRONT))
		why = front_says(r, &args);
	wipe(&w->id, sizeof w->id);
	if (w->listens)
		w->id = id;
	w->id.key = view_of(NULL, 0);
	w->route = m->route;
	w->background = w->listens || guard_background(r);
	w->file[0] = '\0';
	if ((m->route->kind & ROUTE_FILE) && m->args_n)
		memcpy(w->file, m->arg[0].text, m->arg[0].n + 1);
	if (why)
		console_refuse(conn, writer_err(&args) ? "TOO-LONG" : "USAGE", why, NULL);
	else if (send_call(c, w, &id, writer_view(&args), &s))
		console_refuse(conn, "COULD-NOT", "the gateway's control process is away or busy", NULL);
	else
		w->waits = true;
	wipe(&id, sizeof id);
	writer_free(&args); /* wipes */
	json_free(doc);
}

int
console_ask_again(struct web *w)
{
	static const struct route_signed none;
	return send_call(w->c, w, &w->id, view_str("{}"), &none);
}

/* ---- requests ---- */

static void
serve_asset(struct conn *conn, const struct http_request *r)
{
	const struct asset *a = asset_find(r->path);
	if (r->method == HTTP_OTHER) {
		console_refuse(conn, "METHOD", "pages are only read", "GET, HEAD");
		return;
	}
	if (!a) {
		console_refuse(conn, "NOT-FOUND", "there is no such page", NULL);
		return;
	}
	struct console_answer answer = {
		.status = 200, .type = asset_type(a), .body = view_of(a->bytes, a->n), .for_ever = true,
		.etag = view_str(a->etag), .revalidate = true,
	};
	if (guard_unchanged(r, answer.etag))
		answer = (struct console_answer){ .status = 304, .etag = answer.etag, .revalidate = true };
	console_answer(conn, &answer);
}

static void
serve_openapi(struct conn *conn, const struct http_request *r)
{
	struct writer w;
	if (r->method == HTTP_OTHER) {
		console_refuse(conn, "METHOD", "this is only read", "GET, HEAD");
		return;
	}
	writer_init(&w, OPENAPI_MAX);
	openapi_write(&w);
	if (writer_err(&w))
		console_refuse(conn, "COULD-NOT", "there is no memory for the document", NULL);
	else
		console_answer(conn,
		    &(struct console_answer){ .status = 200, .type = "application/json", .body = writer_view(&w) });
	writer_free(&w);
}

static void
serve_api(struct console *c, struct web *w, struct conn *conn, const struct http_request *r)
{
	struct route_match *m;
	if (view_is(r->path, ROUTE_PREFIX "/openapi.json")) {
		serve_openapi(conn, r);
		return;
	}
	m = calloc(1, sizeof *m);
	if (!m) {
		console_refuse(conn, "COULD-NOT", "no memory", NULL);
		return;
	}
	w->listens = view_is(r->path, ROUTE_PREFIX "/events");
	enum route_found found = w->listens ? ROUTE_FOUND : route_find(r->method_name, r->path, m);
	if (w->listens)
		m->route = &events;
	if (w->listens && r->method != HTTP_GET)
		console_refuse(conn, "METHOD", "this is only listened to", "GET");
	else if (found == ROUTE_FOUND)
		ask(c, w, conn, m, r);
	else if (found == ROUTE_METHOD)
		console_refuse(conn, "METHOD", "that resource has other methods", m->allow);
	else if (found == ROUTE_BAD)
		console_refuse(conn, "USAGE", "the path cannot be read in one way", NULL);
	else
		console_refuse(conn, "NOT-FOUND", "there is no such resource", NULL);
	wipe(m, sizeof *m);
	free(m);
}

void
console_on_request(void *ctx, struct conn *conn, const struct http_request *r)
{
	struct console *c = ctx;
	struct web *w = web_of(c, conn);
	char host[HOST_MAX];
	if (w && r->body == HTTP_BODY_LENGTH && r->body_len > CONSOLE_BODY_MAX)
		/* The engine hands over methods it does not know without such a body: it is not an empty one. */
		console_refuse(conn, "TOO-LONG", "a body has at most 64 KiB", NULL);
	else if (!w || w->body_lost || (r->body == HTTP_BODY_LENGTH && w->body_n != r->body_len))
		console_refuse(conn, "COULD-NOT", "no memory", NULL);
	else if (!guard_host(r, host, sizeof host) || !tls_names_host(c->tls, host))
		/* A name that resolves here and is not ours is somebody's who wants a browser to call us by it. */
		console_refuse(conn, "HOST", "the console's certificate is for another host", NULL);
	else if (!console_front_look(c, w, conn, r))
		; /* answered */
	else if (route_is_api(r->path))
		serve_api(c, w, conn, r);
	else
		serve_asset(conn, r);
	if (w)
		forget_body(w);
}

/* ---- replies ---- */

/* The document of a reply: in the message, or mapped. 0 or negative fg_err. */
static int
read_reply(const struct msg_reply *m, const struct wire_frame *frame, struct view *ret, bool *ret_mapped)
{
	*ret = m->json;
	*ret_mapped = false;
	if (!m->big)
		return FG_OK;
	*ret_mapped = true;
	return memfd_map(frame->fds[0], CONSOLE_DOC_MAX, ret);
}

void
console_on_reply(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct console *c = ctx;
	const struct msg_reply *m = msg;
	struct conn *conn = conn_find(c->net, m->token);
	struct web *w = conn ? conn_data(conn) : NULL;
	struct view doc;
	bool mapped;
	(void)chan;
	if (!w || !(w->waits || w->checks)) /* who asked has left */
		return;
	if (w->checks) {
		w->checks = false;
		console_events_checked(w, m->status, m->json);
		return;
	}
	w->waits = false;
	if (read_reply(m, frame, &doc, &mapped)) {
		console_refuse(conn, "COULD-NOT", "the gateway's answer cannot be read", NULL);
		return;
	}
	int file = m->file ? wire_take_fd(frame, m->big ? 1 : 0) : -1;
	if (w->listens && m->status == 0) {
		if (file >= 0)
			close(file);
		console_events_begin(conn, w, conn_request(conn));
	} else {
		wipe(&w->id, sizeof w->id);
		console_answer_reply(conn, w, m->status, doc, &mapped, file);
	}
	if (mapped)
		memfd_unmap(doc);
}

static void
lost(void *ctx, struct conn *conn)
{
	struct web *w = conn_data(conn);
	(void)ctx;
	if (w)
		w->checks = false; /* it listens on: a session does not end with control */
	if (!w || !w->waits)
		return;
	w->waits = false;
	console_refuse(conn, "COULD-NOT", "the gateway's control process went away", NULL);
}

void
console_ask_lost(struct console *c)
{
	if (c->net)
		net_each(c->net, lost, c);
}
