/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/answer.h"

#include <string.h>
#include <strings.h>

#include <curl/curl.h>

/* Takes what is blank off both ends. */
static struct view
trim(struct view v)
{
	while (v.n && (v.p[0] == ' ' || v.p[0] == '\t'))
		v = view_of(v.p + 1, v.n - 1);
	while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v.n--;
	return v;
}

static bool
is_word(struct view v, const char *word)
{
	return v.n == strlen(word) && strncasecmp((const char *)v.p, word, v.n) == 0;
}

/* Digits only, taken off the front. */
static bool
number(struct view *v, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;
	for (; i < v->n && v->p[i] >= '0' && v->p[i] <= '9'; i++) {
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(v->p[i] - '0'), &n))
			return false;
	}
	*v = view_of(v->p + i, v->n - i);
	*ret = n;
	return i > 0;
}

static bool
skip(struct view *v, const char *text)
{
	size_t n = strlen(text);
	if (v->n < n || strncasecmp((const char *)v->p, text, n) != 0)
		return false;
	*v = view_of(v->p + n, v->n - n);
	return true;
}

/* Printable and not too long, or nothing: it goes back out in a request of ours. */
static void
keep(struct view v, char out[ANSWER_VALIDATOR_MAX])
{
	out[0] = '\0';
	if (!v.n || v.n >= ANSWER_VALIDATOR_MAX)
		return;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return;
	}
	memcpy(out, v.p, v.n);
	out[v.n] = '\0';
}

/* RFC 9110 8.8.3: DQUOTE *etagc DQUOTE; a weak one says nothing about bytes. */
static void
read_etag(struct answer *a, struct view v)
{
	bool strong = v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"';
	for (size_t i = 1; strong && i < v.n - 1; i++)
		strong = v.p[i] > 0x20 && v.p[i] < 0x7f && v.p[i] != '"';
	/* Of two, neither: who knows which the vendor goes by. */
	keep(strong && !a->etag_seen ? v : view_of(NULL, 0), a->etag);
	a->etag_seen = true;
}

/* RFC 9110 14.4; an unknown total ("*") is of no use here, because the end of the image would be too. */
static void
read_range(struct answer *a, struct view v)
{
	bool again = a->range != ANSWER_RANGE_NONE;
	a->range = ANSWER_RANGE_BAD;
	if (!again && skip(&v, "bytes ") && number(&v, &a->first) && skip(&v, "-") && number(&v, &a->last) &&
	    skip(&v, "/") && number(&v, &a->total) && v.n == 0 && a->first <= a->last && a->last < a->total)
		a->range = ANSWER_RANGE_BYTES;
}

static void
read_length(struct answer *a, struct view v)
{
	uint64_t n = 0;
	bool good = number(&v, &n) && v.n == 0;
	if (!good || (a->have_length && n != a->length) || a->chunked)
		a->ambiguous = true;
	a->have_length = true;
	a->length = n;
}

static void
read_field(struct answer *a, struct view line)
{
	const uint8_t *colon = memchr(line.p, ':', line.n);
	if (!colon)
		return;
	struct view name = view_of(line.p, (size_t)(colon - line.p));
	struct view v = trim(view_of(colon + 1, line.n - name.n - 1));
	if (is_word(name, "etag")) {
		read_etag(a, v);
	} else if (is_word(name, "last-modified")) {
		keep(a->modified_seen ? view_of(NULL, 0) : v, a->modified);
		a->modified_seen = true;
	} else if (is_word(name, "date")) {
		keep(v, a->date);
	} else if (is_word(name, "content-range")) {
		read_range(a, v);
	} else if (is_word(name, "content-encoding")) {
		a->coded = a->coded || !(is_word(v, "identity") || v.n == 0);
	} else if (is_word(name, "content-length")) {
		read_length(a, v);
	} else if (is_word(name, "transfer-encoding")) {
		a->chunked = true;
		a->ambiguous = a->ambiguous || a->have_length;
	}
}

bool
answer_line(struct answer *a, struct view line)
{
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (a->over && a->status >= 200)
		return false;
	struct view rest = line;
	if ((!a->any || a->over) && skip(&rest, "HTTP/")) {
		uint64_t status = 0;
		*a = (struct answer){ .any = true };
		const uint8_t *blank = memchr(rest.p, ' ', rest.n);
		if (blank) {
			rest = view_of(blank + 1, rest.n - (size_t)(blank - rest.p) - 1);
			a->status = number(&rest, &status) && status < 1000 ? (unsigned)status : 0;
		}
		return false;
	}
	if (!a->any)
		return false;
	if (line.n) {
		read_field(a, line);
		return false;
	}
	a->over = true;
	return a->status >= 200;
}

const char *
answer_validator(const struct answer *a)
{
	if (a->etag[0] || !a->modified[0] || !a->date[0])
		return a->etag;
	/* 8.8.2.2: two changes within one second would carry one time. */
	time_t changed = curl_getdate(a->modified, NULL), said = curl_getdate(a->date, NULL);
	return changed >= 0 && said > changed ? a->modified : "";
}

unsigned
answer_reply(struct view line)
{
	unsigned code = 0;
	if (line.n < 4 || line.p[3] != ' ')
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return 0;
		code = code * 10 + (unsigned)(line.p[i] - '0');
	}
	return code;
}
