/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/http_reply.h"

#include <stdlib.h>

#include "gateway/net/http_date.h"

#define U64_DIGITS 20
#define U32_DIGITS 10
#define PHRASE_MAX 31 /* "Request Header Fields Too Large" */
#define CRLF_LEN 2

/* The longest head there can be: every field, every number at its widest. */
enum {
	STATUS_LEN = sizeof "HTTP/1.1 200 " - 1 + PHRASE_MAX + CRLF_LEN,
	LENGTH_LEN = sizeof "Content-Length: " - 1 + U64_DIGITS + CRLF_LEN,
	RANGE_LEN = sizeof "Content-Range: bytes -/" - 1 + 3 * U64_DIGITS + CRLF_LEN,
	CONNECTION_LEN = sizeof "Connection: keep-alive" - 1 + CRLF_LEN,
	TYPE_LEN = sizeof "Content-Type: " - 1 + HTTP_REPLY_TYPE_MAX + CRLF_LEN,
	ETAG_LEN = sizeof "ETag: \"\"" - 1 + HTTP_REPLY_ETAG_MAX + CRLF_LEN,
	MODIFIED_LEN = sizeof "Last-Modified: " - 1 + HTTP_DATE_LEN + CRLF_LEN,
	RANGES_LEN = sizeof "Accept-Ranges: bytes" - 1 + CRLF_LEN,
	RETRY_LEN = sizeof "Retry-After: " - 1 + U32_DIGITS + CRLF_LEN,
	ALLOW_LEN = sizeof "Allow: " - 1 + HTTP_REPLY_ALLOW_MAX + CRLF_LEN,
	DATE_LEN = sizeof "Date: " - 1 + HTTP_DATE_LEN + CRLF_LEN,
	WORST_LEN = STATUS_LEN + LENGTH_LEN + RANGE_LEN + CONNECTION_LEN + TYPE_LEN + ETAG_LEN +
	    MODIFIED_LEN + RANGES_LEN + RETRY_LEN + ALLOW_LEN + DATE_LEN + CRLF_LEN,
};
_Static_assert(WORST_LEN < HTTP_REPLY_MAX, "a response head must fit one 512 byte read");

static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *
phrase(unsigned status)
{
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Other";
}

bool
http_reply_word_ok(struct view v, size_t max)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e || v.p[i] == '"')
			return false;
	return v.n > 0 && v.n <= max;
}

bool
http_reply_extra_ok(struct view lines)
{
	if (lines.n > HTTP_REPLY_EXTRA_MAX)
		return false;
	while (lines.n) {
		const uint8_t *end = memchr(lines.p, '\n', lines.n), *colon = memchr(lines.p, ':', lines.n);
		if (!end || end == lines.p || end[-1] != '\r' || !colon || colon >= end || colon == lines.p || colon[1] != ' ')
			return false;
		for (const uint8_t *p = lines.p; p < end - 1; p++)
			if (*p < 0x20 || *p > 0x7e || (p < colon && *p == ' '))
				return false;
		size_t n = (size_t)(end + 1 - lines.p);
		lines = view_of(lines.p + n, lines.n - n);
	}
	return true;
}

bool
http_reply_is_bare(unsigned status)
{
	return status == 204 || status == 304;
}

/* No printf: this runs for every response, and most of it is constant text. */
struct out {
	char *p;
	size_t n, max;
};

static void
put(struct out *o, struct view v)
{
	if (v.n > o->max - o->n)
		abort();
	if (v.n)
		memcpy(o->p + o->n, v.p, v.n);
	o->n += v.n;
}

static void
put_text(struct out *o, const char *text)
{
	put(o, view_str(text));
}

static void
put_number(struct out *o, uint64_t n)
{
	char digits[U64_DIGITS];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	put(o, view_of(digits + at, sizeof digits - at));
}

static void
put_range(struct out *o, const struct http_reply *r)
{
	if (r->range == HTTP_REPLY_RANGE_NONE)
		return;
	put_text(o, "Content-Range: bytes ");
	if (r->range == HTTP_REPLY_RANGE_PART) {
		put_number(o, r->first);
		put_text(o, "-");
		put_number(o, r->last);
	} else {
		put_text(o, "*");
	}
	put_text(o, "/");
	put_number(o, r->total);
	put_text(o, "\r\n");
}

static void
put_word(struct out *o, const char *name, struct view value, size_t max, const char *end)
{
	if (!value.n)
		return;
	if (!http_reply_word_ok(value, max))
		abort();
	put_text(o, name);
	put(o, value);
	put_text(o, end);
}

static void
put_modified(struct out *o, int64_t modified_s)
{
	char date[HTTP_DATE_LEN + 1];
	if (modified_s <= 0)
		return;
	http_date_format(modified_s, date);
	put_text(o, "Last-Modified: ");
	put_text(o, date);
	put_text(o, "\r\n");
}

size_t
http_reply_encode(const struct http_reply *r, const char *date, char out[HTTP_REPLY_MAX])
{
	struct out o = { out, 0, HTTP_REPLY_MAX };
	if (r->status < 200 || r->status > 599 || strlen(date) != HTTP_DATE_LEN || (r->open && !r->close) ||
	    !http_reply_extra_ok(r->extra))
		abort();
	put_text(&o, "HTTP/1.1 ");
	put_number(&o, r->status);
	put_text(&o, " ");
	put_text(&o, phrase(r->status));
	put_text(&o, "\r\n");
	if (!http_reply_is_bare(r->status) && !r->open) {
		put_text(&o, "Content-Length: ");
		put_number(&o, r->length);
		put_text(&o, "\r\n");
	}
	put_range(&o, r);
	put_text(&o, r->close ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
	put_word(&o, "Content-Type: ", view_str(r->type), HTTP_REPLY_TYPE_MAX, "\r\n");
	put_word(&o, "ETag: \"", r->etag, HTTP_REPLY_ETAG_MAX, "\"\r\n");
	put_modified(&o, r->modified_s);
	if (r->accept_ranges)
		put_text(&o, "Accept-Ranges: bytes\r\n");
	if (r->retry_after_s) {
		put_text(&o, "Retry-After: ");
		put_number(&o, r->retry_after_s);
		put_text(&o, "\r\n");
	}
	put_word(&o, "Allow: ", view_str(r->allow), HTTP_REPLY_ALLOW_MAX, "\r\n");
	put_text(&o, "Date: ");
	put_text(&o, date);
	put_text(&o, "\r\n");
	o.max += r->extra.n;
	put(&o, r->extra);
	put_text(&o, "\r\n");
	return o.n;
}
