/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_parts - the body of an answer to several ranges (multipart/byteranges,
 * RFC 9110 section 14.6): which of its bytes are lines of ours and which are
 * the image's.
 * Role: net/serve sends through it. Pure, no allocation; plain data.
 * Guarantees: the parts are boundary, Content-Type, Content-Range and exactly the
 * bytes that were named. The boundary is the beginning of the image's own
 * digest, which no image can be made to hold.
 */
#ifndef FG_NET_HTTP_PARTS_H
#define FG_NET_HTTP_PARTS_H

#include "gateway/net/http_range.h"

#define HTTP_PARTS_BOUNDARY 24 /* characters of the tag: 96 bits of a digest in hexadecimal */
#define HTTP_PARTS_HEAD_MAX 192 /* boundary, type, two lines, three numbers at their widest */

struct http_parts {
	unsigned n;
	struct http_span span[HTTP_SPANS_MAX];
	char text[HTTP_SPANS_MAX + 1][HTTP_PARTS_HEAD_MAX]; /* before each part, and after the last */
	uint16_t text_n[HTTP_SPANS_MAX + 1];
	uint64_t length; /* of the whole body */
};

/* Whether its tag can serve as boundary (a token long enough), and its size leaves room for lines of ours. */
bool http_parts_can(const struct http_resource *resource);
/*
 * n spans (2 to HTTP_SPANS_MAX) of a resource for which http_parts_can says yes;
 * type is what one part is. ret_type gets the body's own, below HTTP_REPLY_TYPE_MAX
 * + 1 characters.
 */
void http_parts_lay(struct http_parts *parts, const struct http_span *span, unsigned n, const char *type,
    const struct http_resource *resource, char *ret_type);
/*
 * What stands at offset, which is below length: true and the rest of a run of
 * our text, or false and how many bytes of the image follow from *ret_at.
 */
bool http_parts_at(const struct http_parts *parts, uint64_t offset, struct view *ret_text, uint64_t *ret_at,
    uint64_t *ret_n);

#endif
