/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/guard.h"

#include <stdio.h>

#include "crypto/base64.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "crypto/writer.h"

#define TOKEN_CHARS 43 /* 32 bytes in base64url, without padding */

/* ---- who ---- */

/* base64url of exactly GUARD_SECRET bytes. */
static bool
read_token(struct view v, uint8_t secret[GUARD_SECRET])
{
	static const size_t prefix = sizeof GUARD_TOKEN_PREFIX - 1;
	char plain[TOKEN_CHARS + 1];
	struct writer w;
	if (v.n != prefix + TOKEN_CHARS || memcmp(v.p, GUARD_TOKEN_PREFIX, prefix) != 0)
		return false;
	for (size_t i = 0; i < TOKEN_CHARS; i++) {
		char c = (char)v.p[prefix + i];
		if (c == '+' || c == '/')
			return false;
		plain[i] = c == '-' ? '+' : c;
		if (c == '_')
			plain[i] = '/';
	}
	plain[TOKEN_CHARS] = '=';
	writer_init(&w, GUARD_SECRET);
	bool good = base64_decode(view_of(plain, sizeof plain), &w) == 0 && writer_view(&w).n == GUARD_SECRET;
	if (good)
		memcpy(secret, writer_view(&w).p, GUARD_SECRET);
	writer_free(&w); /* wipes */
	wipe(plain, sizeof plain);
	return good;
}

/* The cookie of ours in one Cookie field: -1 malformed or twice, 0 not there, 1 found. */
static int
read_cookie(struct view field, uint8_t secret[GUARD_SECRET], int found)
{
	static const size_t name = sizeof GUARD_COOKIE - 1;
	while (field.n) {
		const uint8_t *end = memchr(field.p, ';', field.n);
		struct view one = view_of(field.p, end ? (size_t)(end - field.p) : field.n);
		field = end ? view_of(end + 1, field.n - one.n - 1) : view_of(NULL, 0);
		while (one.n && one.p[0] == ' ')
			one = view_of(one.p + 1, one.n - 1);
		if (one.n <= name || memcmp(one.p, GUARD_COOKIE "=", name + 1) != 0)
			continue;
		if (found || !hex_decode(view_of(one.p + name + 1, one.n - name - 1), secret, GUARD_SECRET))
			return -1;
		found = 1;
	}
	return found;
}

static const char *
no_token(const char **ret_why)
{
	*ret_why = "Authorization holds no token of this gateway";
	return "SIGN-IN";
}

static const char *
read_key(const struct http_request *r, struct guard_id *ret, const char **ret_why)
{
	size_t at = 0;
	const struct http_field *f = http_head_next(r, "Idempotency-Key", &at);
	if (!f)
		return NULL;
	ret->key = f->value;
	for (size_t i = 0; i < f->value.n; i++)
		if (f->value.p[i] < 0x21 || f->value.p[i] > 0x7e)
			ret->key.n = 0;
	if (ret->key.n && ret->key.n <= GUARD_KEY_MAX && !http_head_next(r, "Idempotency-Key", &at)) {
		if (r->method != HTTP_OTHER) /* a view is asked anew each time: nobody wants the one of ten minutes ago */
			ret->key = view_of(NULL, 0);
		return NULL;
	}
	*ret_why = "Idempotency-Key is one word of at most 128 characters";
	return "USAGE";
}

const char *
guard_identify(const struct http_request *r, struct guard_id *ret, const char **ret_why)
{
	static const char bearer[] = "Bearer ";
	const struct http_field *f;
	size_t at = 0;
	int found = 0;
	*ret = (struct guard_id){ 0 };
	if (http_head_next(r, "Authorization", &at)) {
		f = http_head_only(r, "Authorization");
		if (!f || f->value.n <= sizeof bearer - 1 || memcmp(f->value.p, bearer, sizeof bearer - 1) != 0 ||
		    !read_token(view_of(f->value.p + sizeof bearer - 1, f->value.n - (sizeof bearer - 1)), ret->secret))
			return no_token(ret_why);
		ret->who = GUARD_TOKEN;
		return read_key(r, ret, ret_why);
	}
	at = 0;
	while ((f = http_head_next(r, "Cookie", &at)) && found >= 0)
		found = read_cookie(f->value, ret->secret, found);
	/* A cookie that is not ours to read is nobody's: signing in replaces it. */
	ret->who = found == 1 ? GUARD_SESSION : GUARD_NOBODY;
	if (found != 1)
		wipe(ret->secret, sizeof ret->secret);
	return read_key(r, ret, ret_why);
}

/* ---- where from ---- */

/* All fields of that name, of which there may be none, are just that word. */
static bool
only(const struct http_request *r, const char *name, const char *word, bool needed)
{
	size_t at = 0;
	const struct http_field *f = http_head_next(r, name, &at);
	if (!f)
		return !needed;
	return view_is(f->value, word) && !http_head_next(r, name, &at);
}

/* "https://" and the authority as Host has it. */
static bool
own_origin(const struct http_request *r)
{
	static const char scheme[] = "https://";
	const struct http_field *host = http_head_only(r, "Host");
	size_t at = 0, n = sizeof scheme - 1;
	const struct http_field *f = http_head_next(r, "Origin", &at);
	if (!f)
		return true;
	return host && !http_head_next(r, "Origin", &at) && f->value.n == n + host->value.n &&
	    memcmp(f->value.p, scheme, n) == 0 && memcmp(f->value.p + n, host->value.p, host->value.n) == 0;
}

static bool
is_json(const struct http_request *r)
{
	const struct http_field *f = http_head_only(r, "Content-Type");
	struct view v = f ? f->value : view_of(NULL, 0);
	const uint8_t *end = v.n ? memchr(v.p, ';', v.n) : NULL;
	if (end && !http_head_is(view_of(end, v.n - (size_t)(end - v.p)), "; charset=utf-8") &&
	    !http_head_is(view_of(end, v.n - (size_t)(end - v.p)), ";charset=utf-8"))
		return false;
	return http_head_is(view_of(v.p, end ? (size_t)(end - v.p) : v.n), "application/json");
}

const char *
guard_origin(const struct http_request *r, enum guard_who who, const char **ret_why)
{
	if (r->method != HTTP_OTHER)
		return NULL;
	if (who != GUARD_TOKEN && (!only(r, "X-FG-CSRF", "1", true) || !own_origin(r) ||
	    !only(r, "Sec-Fetch-Site", "same-origin", false))) {
		*ret_why = "what changes something is asked by a page of this console only, with X-FG-CSRF: 1";
		return "CSRF";
	}
	if (!is_json(r)) {
		*ret_why = "the body's Content-Type is application/json";
		return "MEDIA-TYPE";
	}
	return NULL;
}

bool
guard_background(const struct http_request *r)
{
	return only(r, "X-FG-Background", "1", true);
}

bool
guard_host(const struct http_request *r, char *dst, size_t cap)
{
	struct view v = r->host;
	if (v.n > 2 && v.p[0] == '[' && v.p[v.n - 1] == ']')
		v = view_of(v.p + 1, v.n - 2);
	if (!v.n || v.n >= cap || memchr(v.p, 0, v.n))
		return false;
	memcpy(dst, v.p, v.n);
	dst[v.n] = '\0';
	return true;
}

bool
guard_unchanged(const struct http_request *r, struct view etag)
{
	const struct http_field *f;
	size_t at = 0;
	while ((f = http_head_next(r, "If-None-Match", &at))) {
		struct view rest = f->value, one;
		while (http_head_element(&rest, &one)) {
			if (one.n > 2 && one.p[0] == 'W' && one.p[1] == '/')
				one = view_of(one.p + 2, one.n - 2);
			if (view_is(one, "*") ||
			    (one.n == etag.n + 2 && one.p[0] == '"' && one.p[one.n - 1] == '"' &&
				memcmp(one.p + 1, etag.p, etag.n) == 0))
				return true;
		}
	}
	return false;
}
