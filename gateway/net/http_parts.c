/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/http_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/net/http_reply.h"

static const char type_of_all[] = "multipart/byteranges; boundary=";

_Static_assert(sizeof type_of_all - 1 + HTTP_PARTS_BOUNDARY <= HTTP_REPLY_TYPE_MAX, "fits a response head");

bool
http_parts_can(const struct http_resource *resource)
{
	struct view etag = resource->etag;
	for (size_t i = 0; i < etag.n; i++)
		if (!http_head_is_name(etag.p[i]) || etag.p[i] == '\'' || etag.p[i] == '*')
			return false;
	return etag.n >= HTTP_PARTS_BOUNDARY && resource->size <= INT64_MAX;
}

void
http_parts_lay(struct http_parts *parts, const struct http_span *span, unsigned n, const char *type,
    const struct http_resource *resource, char *ret_type)
{
	char boundary[HTTP_PARTS_BOUNDARY + 1] = "";
	if (n < 2 || n > HTTP_SPANS_MAX || !http_parts_can(resource))
		abort();
	memcpy(boundary, resource->etag.p, HTTP_PARTS_BOUNDARY);
	snprintf(ret_type, HTTP_REPLY_TYPE_MAX + 1, "%s%s", type_of_all, boundary);
	parts->n = n;
	parts->length = 0;
	for (unsigned i = 0; i <= n; i++) {
		int len = i == n
		    ? snprintf(parts->text[i], HTTP_PARTS_HEAD_MAX, "\r\n--%s--\r\n", boundary)
		    : snprintf(parts->text[i], HTTP_PARTS_HEAD_MAX,
		          "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
		          "\r\n\r\n",
		          boundary, type, span[i].first, span[i].last, resource->size);
		if (len < 0 || len >= HTTP_PARTS_HEAD_MAX)
			abort();
		parts->text_n[i] = (uint16_t)len;
		parts->length += (unsigned)len;
		if (i == n)
			break;
		parts->span[i] = span[i];
		parts->length += span[i].last - span[i].first + 1; /* apart from each other, below 2^63 */
	}
}

bool
http_parts_at(const struct http_parts *parts, uint64_t offset, struct view *ret_text, uint64_t *ret_at,
    uint64_t *ret_n)
{
	for (unsigned i = 0; i <= parts->n; i++) {
		if (offset < parts->text_n[i]) {
			*ret_text = view_of(parts->text[i] + offset, parts->text_n[i] - offset);
			return true;
		}
		offset -= parts->text_n[i];
		if (i == parts->n)
			break;
		uint64_t n = parts->span[i].last - parts->span[i].first + 1;
		if (offset < n) {
			*ret_at = parts->span[i].first + offset;
			*ret_n = n - offset;
			return false;
		}
		offset -= n;
	}
	abort(); /* beyond the length that was announced */
}
