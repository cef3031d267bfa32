/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/http_chunk.h"

#include <stdlib.h>

/* What one byte of framing came to. */
enum verdict {
	REFUSED = 0, /* not what may stand here */
	TAKEN,
	TOO_LONG,    /* HTTP_CHUNK_DIGITS_MAX or HTTP_CHUNK_EXTRA_MAX */
};

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool
is_text(uint8_t c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static enum verdict
extra(struct http_chunk *k, enum http_chunk_place place)
{
	k->place = place;
	return k->extra++ < HTTP_CHUNK_EXTRA_MAX ? TAKEN : TOO_LONG;
}

static enum verdict
go(struct http_chunk *k, enum http_chunk_place place)
{
	k->place = place;
	return TAKEN;
}

static enum verdict
size_byte(struct http_chunk *k, uint8_t c)
{
	int digit = hex_digit(c);
	if (digit >= 0 && k->place != HTTP_CHUNK_SIZE_BLANK) {
		if (k->digits++ == HTTP_CHUNK_DIGITS_MAX)
			return TOO_LONG;
		k->left = k->left << 4 | (unsigned)digit; /* 16 digits fit */
		return go(k, HTTP_CHUNK_SIZE_MORE);
	}
	if (k->place == HTTP_CHUNK_SIZE)
		return REFUSED;
	if (c == ';')
		return extra(k, HTTP_CHUNK_EXTENSION);
	if (is_blank(c))
		return extra(k, HTTP_CHUNK_SIZE_BLANK);
	if (c == '\r' && k->place == HTTP_CHUNK_SIZE_MORE)
		return go(k, HTTP_CHUNK_SIZE_LF);
	return REFUSED;
}

/* The size is complete: data, or after the last chunk the trailers. */
static enum verdict
size_end(struct http_chunk *k)
{
	k->digits = 0;
	if (__builtin_add_overflow(k->total, k->left, &k->total))
		k->total = UINT64_MAX;
	return go(k, k->left ? HTTP_CHUNK_BYTES : HTTP_CHUNK_TRAILER);
}

static enum verdict
trailer_byte(struct http_chunk *k, uint8_t c)
{
	switch (k->place) {
	case HTTP_CHUNK_TRAILER:
		if (c == '\r')
			return go(k, HTTP_CHUNK_LAST_LF);
		return http_head_is_name(c) ? extra(k, HTTP_CHUNK_TRAILER_NAME) : REFUSED;
	case HTTP_CHUNK_TRAILER_NAME:
		if (c == ':')
			return extra(k, HTTP_CHUNK_TRAILER_VALUE);
		return http_head_is_name(c) ? extra(k, k->place) : REFUSED;
	default:
		if (c == '\r')
			return go(k, HTTP_CHUNK_TRAILER_LF);
		return is_text(c) ? extra(k, k->place) : REFUSED;
	}
}

/* One byte that is not data. */
static enum verdict
framing(struct http_chunk *k, uint8_t c)
{
	switch (k->place) {
	case HTTP_CHUNK_SIZE:
	case HTTP_CHUNK_SIZE_MORE:
	case HTTP_CHUNK_SIZE_BLANK:
		return size_byte(k, c);
	case HTTP_CHUNK_EXTENSION:
		if (c == '\r')
			return go(k, HTTP_CHUNK_SIZE_LF);
		return is_text(c) ? extra(k, k->place) : REFUSED;
	case HTTP_CHUNK_SIZE_LF:
		return c == '\n' ? size_end(k) : REFUSED;
	case HTTP_CHUNK_BYTES_CR:
		return c == '\r' ? go(k, HTTP_CHUNK_BYTES_LF) : REFUSED;
	case HTTP_CHUNK_BYTES_LF:
		return c == '\n' ? go(k, HTTP_CHUNK_SIZE) : REFUSED;
	case HTTP_CHUNK_TRAILER:
	case HTTP_CHUNK_TRAILER_NAME:
	case HTTP_CHUNK_TRAILER_VALUE:
		return trailer_byte(k, c);
	case HTTP_CHUNK_TRAILER_LF:
		return c == '\n' ? go(k, HTTP_CHUNK_TRAILER) : REFUSED;
	case HTTP_CHUNK_LAST_LF:
		return c == '\n' ? go(k, HTTP_CHUNK_ENDED) : REFUSED;
	case HTTP_CHUNK_BYTES:
	case HTTP_CHUNK_ENDED:
	default:
		abort(); /* asked again after the end */
	}
}

static struct view
take(struct view *in, uint64_t n)
{
	struct view v = { in->p, n < in->n ? (size_t)n : in->n };
	*in = view_of(in->p + v.n, in->n - v.n);
	return v;
}

enum http_chunk_step
http_chunk_next(struct http_chunk *k, struct view *in, uint64_t max, struct view *ret_data,
    enum http_fault *ret_fault)
{
	while (in->n) {
		if (k->place == HTTP_CHUNK_BYTES) {
			struct view data = take(in, k->left);
			k->left -= data.n;
			if (k->left == 0)
				k->place = HTTP_CHUNK_BYTES_CR;
			*ret_data = data;
			return HTTP_CHUNK_DATA;
		}
		enum verdict v = framing(k, *in->p);
		if (v != TAKEN) {
			*ret_fault = v == TOO_LONG ? HTTP_FAULT_CHUNK_LONG : HTTP_FAULT_CHUNK_FORM;
			return HTTP_CHUNK_BAD;
		}
		(void)take(in, 1);
		if (k->total > max)
			return HTTP_CHUNK_OVER;
		if (k->place == HTTP_CHUNK_ENDED)
			return HTTP_CHUNK_DONE;
	}
	return HTTP_CHUNK_MORE;
}
