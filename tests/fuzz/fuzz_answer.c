/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a vendor's server says, line by line: the same lines mean the same however they end; a head is complete
 * once, and nothing behind it changes anything; what goes back out in a request of ours is one plain line; a range
 * is one inside of its total, and two lengths are told from one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/upstream/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(const struct answer *a, const struct answer *b)
{
	return a->any == b->any && a->over == b->over && a->status == b->status && a->coded == b->coded &&
	    a->ambiguous == b->ambiguous && a->chunked == b->chunked && a->have_length == b->have_length &&
	    a->length == b->length && a->range == b->range && a->first == b->first && a->last == b->last &&
	    a->total == b->total && !strcmp(a->etag, b->etag) && !strcmp(a->modified, b->modified) &&
	    a->etag_seen == b->etag_seen && a->modified_seen == b->modified_seen && !strcmp(a->date, b->date);
}

static void
check_validator(const struct answer *a)
{
	const char *v = answer_validator(a);
	size_t n = strlen(v);
	if (n >= ANSWER_VALIDATOR_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (v[i] < 0x20 || v[i] > 0x7e)
			abort();
	/* A strong tag in its quotes, or the time with the time of the answer beside it. */
	bool tag = n >= 2 && v[0] == '"' && v[n - 1] == '"' && !memchr(v + 1, '"', n - 2) && v == a->etag;
	bool time = v == a->modified && !a->etag[0] && a->date[0];
	if (n && !tag && !time)
		abort();
}

static void
check(const struct answer *a)
{
	if (a->range == ANSWER_RANGE_BYTES && (a->first > a->last || a->last >= a->total))
		abort();
	if (a->status > 999 || (a->have_length && a->chunked && !a->ambiguous))
		abort();
	check_validator(a);
}

/* The line without its end. */
static struct view
next_line(const uint8_t *data, size_t size, size_t *at)
{
	const uint8_t *end = memchr(data + *at, '\n', size - *at);
	size_t n = end ? (size_t)(end - data) - *at : size - *at;
	struct view line = view_of(data + *at, n);
	*at += n + 1;
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool
give(struct answer *a, struct view line, const char *end)
{
	static uint8_t text[65536 + 4]; /* FETCH_HEADER_BYTES_MAX */
	if (line.n > 65536)
		line.n = 65536;
	if (line.n)
		memcpy(text, line.p, line.n);
	memcpy(text + line.n, end, strlen(end));
	return answer_line(a, view_of(text, line.n + strlen(end)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer a = { 0 }, bare = { 0 }, whole;
	bool over = false;
	for (size_t at = 0; at < size;) {
		struct view line = next_line(data, size, &at);
		unsigned code = answer_reply(line);
		if (code > 999 || (code && line.p[3] != ' '))
			abort();
		bool done = give(&a, line, "\r\n");
		if (give(&bare, line, "") != done || !same(&a, &bare) || (done && (over || a.status < 200)))
			abort();
		if (over && !same(&a, &whole))
			abort();
		if (done)
			whole = a;
		over = over || done;
		check(&a);
	}
	return 0;
}
