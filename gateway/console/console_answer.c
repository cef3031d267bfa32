/* SPDX-License-Identifier: Apache-2.0 */
/* console_answer - what goes out: every head with the same fields, documents, files, problems. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "crypto/wipe.h"
#include "gateway/console/console_private.h"
#include "gateway/wire/memfd.h"

#define CHUNK 16384 /* of a file at a time: what one TLS record holds */
#define COOKIE_MAX 192
#define LINK_MAX 512

/* ASVS 5.0, 3.4: nothing from elsewhere, nobody's frame, no script in a page's text, HTTPS for two years. */
const char console_security[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'\r\n"
    "Strict-Transport-Security: max-age=63072000\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

/* ---- bodies ---- */

/* One body on its way: bytes of its own, bytes of the program, or a file. */
struct sending {
	struct view bytes;
	uint8_t *own; /* or NULL */
	size_t *mapped; /* or NULL */
	int fd;       /* or -1 */
	uint8_t chunk[];
};

static int64_t
pull(void *ctx, uint64_t offset, size_t max, const uint8_t **ret_bytes)
{
	struct sending *s = ctx;
	if (s->fd < 0) {
		if (offset >= s->bytes.n)
			return FG_EIO;
		*ret_bytes = s->bytes.p + offset;
		return (int64_t)(s->bytes.n - offset < max ? s->bytes.n - offset : max);
	}
	ssize_t n = pread(s->fd, s->chunk, max < CHUNK ? max : CHUNK, (off_t)offset);
	*ret_bytes = s->chunk;
	return n > 0 ? n : FG_EIO; /* shorter than it said it was */
}

static void
sent(void *ctx)
{
	struct sending *s = ctx;
	if (s->mapped) {
		*s->mapped -= s->bytes.n;
		memfd_unmap(s->bytes);
	}
	if (s->own) /* it may have been a token's secret */
		wipe(s->own, s->bytes.n);
	free(s->own);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* Takes the file or the mapping, also on failure. NULL: no memory. */
static struct sending *
sending_new(const struct console_answer *a)
{
	struct sending *s = calloc(1, sizeof *s + (a->file_is ? CHUNK : 0));
	if (!s) {
		if (a->file_is)
			close(a->file);
		if (a->mapped)
			memfd_unmap(a->body);
		return NULL;
	}
	s->fd = a->file_is ? a->file : -1;
	s->bytes = a->body;
	s->mapped = a->mapped;
	if (s->mapped)
		*s->mapped += s->bytes.n;
	if (a->file_is || a->for_ever || a->mapped || !a->body.n)
		return s;
	s->own = malloc(a->body.n);
	if (!s->own) {
		free(s);
		return NULL;
	}
	memcpy(s->own, a->body.p, a->body.n);
	s->bytes.p = s->own;
	return s;
}

/* ---- heads ---- */

static size_t
fields(const struct console_answer *a, char out[HTTP_REPLY_EXTRA_MAX])
{
	int n = snprintf(out, HTTP_REPLY_EXTRA_MAX, "%sCache-Control: %s\r\n%s%s%s%s%s%s%s", console_security,
	    a->revalidate ? "no-cache" : "no-store",
	    a->cookie ? "Set-Cookie: " : "", a->cookie ? a->cookie : "", a->cookie ? "\r\n" : "",
	    a->link ? "Link: " : "", a->link ? a->link : "", a->link ? "\r\n" : "",
	    a->status == 401 ? "WWW-Authenticate: Bearer\r\n" : "");
	if (n < 0 || n >= HTTP_REPLY_EXTRA_MAX)
		abort(); /* cookie and link have maxima of their own */
	return (size_t)n;
}

void
console_answer(struct conn *conn, const struct console_answer *a)
{
	char extra[HTTP_REPLY_EXTRA_MAX];
	struct http_reply head = {
		.status = a->status,
		.type = a->type,
		.etag = a->etag,
		.allow = a->allow,
		.retry_after_s = a->retry_after_s,
		.extra = view_of(extra, fields(a, extra)),
	};
	struct conn_body body = { 0 };
	if (a->open) {
		body.open = true;
		body.memory = a->body;
	} else if (a->file_is || a->body.n) {
		struct sending *s = sending_new(a);
		if (!s) {
			conn_reset(conn);
			return;
		}
		body.source = (struct net_source){ .pull = pull, .done = sent, .ctx = s };
		body.length = a->file_is ? a->file_n : a->body.n;
	}
	if (conn_reply(conn, &head, &body))
		conn_reset(conn); /* no memory: better no answer than half of one */
}

void
console_problem(struct conn *conn, const struct problem *p, const char *allow)
{
	struct writer w;
	writer_init(&w, PROBLEM_MAX);
	problem_write(p, &w);
	struct console_answer a = {
		.status = p->status,
		.type = PROBLEM_TYPE,
		.body = writer_view(&w),
		.allow = allow,
		.retry_after_s = p->status == 503 || p->status == 429 ? 1 : 0,
	};
	if (writer_err(&w)) { /* a sentence nobody would read to its end */
		a.type = NULL;
		a.body = view_of(NULL, 0);
	}
	console_answer(conn, &a);
	writer_free(&w);
}

void
console_refuse(struct conn *conn, const char *id, const char *detail, const char *allow)
{
	const struct problem p = {
		.status = problem_status(3, view_str(id)),
		.id = view_str(id),
		.detail = view_str(detail),
		.cure = view_str(strcmp(id, "SIGN-IN") == 0 ? "sign in" : ""),
	};
	console_problem(conn, &p, allow);
}

/* ---- what control said ---- */

/* Without the secret, which becomes the cookie. False: there is none. */
static bool
take_secret(const struct json_value *doc, struct writer *w, char cookie[COOKIE_MAX])
{
	const struct json_value *session = json_get(doc, "session");
	uint8_t raw[GUARD_SECRET];
	struct view hex;
	struct jsonw j;
	if (!json_string(json_get(session, "secret"), &hex) || !hex_decode(hex, raw, sizeof raw))
		return false;
	wipe(raw, sizeof raw);
	snprintf(cookie, COOKIE_MAX, GUARD_COOKIE "=%.*s; Secure; HttpOnly; SameSite=Strict; Path=/", (int)hex.n,
	    (const char *)hex.p);
	jsonw_init(&j, w);
	jsonw_object(&j);
	for (size_t i = 0; i < json_count(doc); i++) {
		char key[64];
		struct view k = json_key_at(doc, i);
		snprintf(key, sizeof key, "%.*s", (int)k.n, (const char *)k.p);
		jsonw_key(&j, key);
		if (json_at(doc, i) != session) {
			jsonw_value(&j, json_at(doc, i));
			continue;
		}
		jsonw_object(&j);
		for (size_t n = 0; n < json_count(session); n++) {
			k = json_key_at(session, n);
			if (view_is(k, "secret"))
				continue;
			snprintf(key, sizeof key, "%.*s", (int)k.n, (const char *)k.p);
			jsonw_key(&j, key);
			jsonw_value(&j, json_at(session, n));
		}
		jsonw_object_end(&j);
	}
	jsonw_object_end(&j);
	return true;
}

/* Control's documents are canonical; whatever else it says is said as it is. */
static void
answer_opened(struct conn *conn, struct view doc)
{
	char cookie[COOKIE_MAX];
	struct json *j = NULL;
	struct writer w;
	writer_init(&w, ROUTE_JSON_MAX);
	if (!json_parse(doc, &j, NULL) && take_secret(json_root(j), &w, cookie) && !writer_err(&w))
		console_answer(conn, &(struct console_answer){ .status = 200, .type = "application/json",
		    .body = writer_view(&w), .cookie = cookie });
	else /* script never sees one: rather nobody is signed in */
		console_refuse(conn, "COULD-NOT", "the gateway's answer held no session", NULL);
	wipe(cookie, sizeof cookie);
	writer_free(&w);
	json_free(j);
}

/* What stands in an URL as it is (RFC 3986, unreserved). */
static bool
is_cursor(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		if (!word && c != '-' && c != '.' && c != '_' && c != '~')
			return false;
	}
	return v.n > 0 && v.n <= 2 * MSG_ID;
}

/* The parameter that is replaced, or, encoded, one that may be it. */
static bool
is_after(struct view pair, bool *ret_unclear)
{
	const uint8_t *eq = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
	struct view name = view_of(pair.p, eq ? (size_t)(eq - pair.p) : pair.n);
	*ret_unclear = name.n && (memchr(name.p, '%', name.n) || memchr(name.p, '+', name.n));
	return view_is(name, "after");
}

/*
 * "</api/v1/modules?after=...>; rel=\"next\"": the same view behind the last row of this one (RFC 8288).
 * Rather none than one that would be refused.
 */
static const char *
next_link(const struct conn *conn, struct view doc, char link[LINK_MAX])
{
	const struct http_request *r = conn_request(conn);
	struct json *j = NULL;
	struct view after;
	bool unclear;
	bool more = !json_parse(doc, &j, NULL) && json_string(json_get(json_root(j), "next"), &after) &&
	    is_cursor(after) && r;
	size_t n = more ? (size_t)snprintf(link, LINK_MAX, "<%.*s?after=%.*s", r->path.n < 64 ? (int)r->path.n : 0,
	    (const char *)r->path.p, (int)after.n, (const char *)after.p) : 0;
	struct view rest = more ? r->query : view_of(NULL, 0);
	while (more && rest.n) {
		const uint8_t *amp = memchr(rest.p, '&', rest.n);
		struct view one = view_of(rest.p, amp ? (size_t)(amp - rest.p) : rest.n);
		rest = amp ? view_of(amp + 1, rest.n - one.n - 1) : view_of(NULL, 0);
		if (is_after(one, &unclear))
			continue;
		more = !unclear && n + one.n + 16 < LINK_MAX;
		if (more)
			n += (size_t)snprintf(link + n, LINK_MAX - n, "&%.*s", (int)one.n, (const char *)one.p);
	}
	if (more)
		snprintf(link + n, LINK_MAX - n, ">; rel=\"next\"");
	json_free(j);
	return more ? link : NULL;
}

static void
answer_view(struct conn *conn, const struct web *w, struct view doc, bool *mapped)
{
	const struct http_request *r = conn_request(conn);
	char etag[2 * DIGEST_SHA256_LEN + 1], link[LINK_MAX];
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct console_answer a = { .status = 200, .type = "application/json", .body = doc };
	if (w->route->kind & ROUTE_CLOSES)
		a.cookie = GUARD_COOKIE "=; Max-Age=0; Secure; HttpOnly; SameSite=Strict; Path=/";
	if (w->route->method == ROUTE_GET && digest_sha256(doc, sha256) == FG_OK) {
		hex_encode(sha256, sizeof sha256, etag);
		a.etag = view_of(etag, sizeof etag - 1);
		if (w->route->kind & ROUTE_PAGED)
			a.link = next_link(conn, doc, link);
		if (r && guard_unchanged(r, a.etag)) {
			a.status = 304;
			a.type = NULL;
			a.body = view_of(NULL, 0);
		}
	}
	if (*mapped && a.body.n > CONSOLE_HELD_MAX - w->c->held) {
		console_refuse(conn, "LIMIT", "too many long answers are being read", NULL);
		return;
	}
	if (*mapped && a.body.n) { /* a list of everything is not copied for each who asks */
		a.mapped = &w->c->held;
		*mapped = false;
	}
	console_answer(conn, &a);
}

static const char *
type_of_file(const struct web *w)
{
	if (strcmp(w->route->request, "review.report") == 0)
		return "application/json";
	return strcmp(w->file, "checkpoint") == 0 ? "text/plain; charset=utf-8" : "application/octet-stream";
}

/* Takes file. */
static void
answer_file(struct conn *conn, const struct web *w, int file)
{
	struct stat st;
	if (fstat(file, &st) || !S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > CONSOLE_FILE_MAX) {
		close(file);
		console_refuse(conn, "COULD-NOT", "the file cannot be read", NULL);
		return;
	}
	struct console_answer a = { .status = 200, .type = type_of_file(w), .file = file, .file_is = st.st_size > 0,
		.file_n = (uint64_t)st.st_size };
	if (!a.file_is)
		close(file);
	console_answer(conn, &a);
}

void
console_answer_reply(struct conn *conn, struct web *w, unsigned status, struct view doc, bool *mapped, int file)
{
	if (status == 0 && (w->route->kind & ROUTE_FILE) && file >= 0) {
		answer_file(conn, w, file);
		return;
	}
	if (file >= 0)
		close(file);
	if (status == 0 && !(w->route->kind & ROUTE_FILE)) {
		if (w->route->kind & ROUTE_OPENS)
			answer_opened(conn, doc);
		else
			answer_view(conn, w, doc, mapped);
		return;
	}
	struct json *j = NULL;
	struct problem p;
	(void)json_parse(doc, &j, NULL);
	problem_read(status, json_root(j), &p);
	console_problem(conn, &p, NULL);
	json_free(j);
}
