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

enum http_range_kind {
	HTTP_RANGE_NONE = 0,     /* absent, malformed, other unit or several: the whole */
	HTTP_RANGE_PART,
	HTTP_RANGE_UNSATISFIED,  /* well formed and beyond the end: 416 */
};

struct http_range {
	enum http_range_kind kind;
	uint64_t first, last; /* inclusive, below size; HTTP_RANGE_PART only */
};

/*
 * The value of a Range field against an image of size bytes. An end beyond the
 * last byte is clamped (ABUP and ESP-IDF ask so). Several ranges are answered
 * with the whole, which RFC 9110 section 14.2 allows and which no list of
 * overlapping ranges can turn into work.
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
	uint64_t first;      /* first byte of the image to send */
	uint64_t length;     /* bytes from there; 0 unless 200 or 206 */
};

/*
 * RFC 9110 section 13.2.2 for GET and HEAD, in its order: If-Match, else
 * If-Unmodified-Since; If-None-Match, else If-Modified-Since; Range under
 * If-Range (GET only). now_s serves two-digit years only.
 */
struct http_answer http_range_decide(const struct http_request *request,
    const struct http_resource *resource, int64_t now_s);

#endif
