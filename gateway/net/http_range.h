/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_range - which bytes of an image a request asks for.
 * Role: the edge calls http_range_decide once it may serve; conditions and
 * ranges are then a pure function of request and image (RFC 9110 sections 13
 * and 14). A wrong 200, 206 or 416 makes real modules flash garbage or give up.
 */
#ifndef FG_NET_HTTP_RANGE_H
#define FG_NET_HTTP_RANGE_H

#include "gateway/net/http_head.h"

/*
 * Parts of one answer. curl and download managers ask for two or three; a list
 * beyond this is the work of somebody who wants work done (RFC 9110 section 17.15).
 */
#define HTTP_SPANS_MAX 8

/* A run of bytes, both ends in it. */
struct http_span {
	uint64_t first, last;
};

enum http_range_kind {
	HTTP_RANGE_NONE = 0,     /* absent, malformed, other unit or too many: the whole */
	HTTP_RANGE_SOME,         /* n spans */
	HTTP_RANGE_UNSATISFIED,  /* well formed and all beyond the end: 416 */
};

struct http_range {
	enum http_range_kind kind;
	unsigned n;              /* HTTP_RANGE_SOME: 1 to HTTP_SPANS_MAX */
	struct http_span span[HTTP_SPANS_MAX]; /* below size, apart from each other, in the order asked for */
};

/*
 * The value of a Range field against an image of size bytes. An end beyond the
 * last byte is clamped (ABUP and ESP-IDF ask so). Ranges that overlap or touch
 * become one (RFC 9110 section 15.3.7.2), so that no list costs more than the
 * whole image; one malformed range makes the list no list.
 */
struct http_range http_range_parse(struct view value, uint64_t size);

/* What is being served. A changed image has another URL, so both validators are strong. */
struct http_resource {
	uint64_t size;
	struct view etag;    /* opaque part without quotes; empty: none */
	int64_t modified_s;  /* 0: none */
};

struct http_answer {
	unsigned status;     /* 200, 206, 304, 412 or 416 */
	uint64_t length;     /* bytes of the image in it; 0 unless 200 or 206 */
	unsigned n;          /* spans of it: 1 with 200 and 206, more for several ranges; else 0 */
	struct http_span span[HTTP_SPANS_MAX]; /* an empty image has one, which says nothing */
};

/*
 * RFC 9110 section 13.2.2 for GET and HEAD, in its order: If-Match, else
 * If-Unmodified-Since; If-None-Match, else If-Modified-Since; Range under
 * If-Range (GET only). now_s serves two-digit years only. Several ranges of
 * what has no tag to part them by (http_parts_can) get the whole.
 */
struct http_answer http_range_decide(const struct http_request *request,
    const struct http_resource *resource, int64_t now_s);

#endif
