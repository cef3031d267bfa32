/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges and conditions: a size byte count, then header lines of a request.
 * Whatever comes, only bytes of the image are named, and 416 needs a range.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/http_date.h"
#include "gateway/net/http_parts.h"

#define HEAD "GET / HTTP/1.1\r\nHost: h\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_spans(const struct http_span *span, unsigned n, uint64_t image)
{
	uint64_t sum = 0;
	if (n == 0 || n > HTTP_SPANS_MAX)
		abort();
	for (unsigned i = 0; i < n; i++) {
		if (span[i].first > span[i].last || span[i].last >= image)
			abort();
		/* Apart from each other: no byte is sent twice. */
		for (unsigned j = 0; j < i; j++)
			if (span[i].first <= span[j].last + 1 && span[j].first <= span[i].last + 1)
				abort();
		sum += span[i].last - span[i].first + 1;
	}
	if (sum > image)
		abort();
}

static void
check_range(struct view value, uint64_t image)
{
	struct http_range r = http_range_parse(value, image);
	if (r.kind == HTTP_RANGE_SOME)
		check_spans(r.span, r.n, image);
	else if (r.n)
		abort();
}

/* Every byte of the body is a line of ours or the next one of a part. */
static void
check_parts(const struct http_answer *a, const struct http_resource *resource)
{
	static struct http_parts parts;
	char type[64];
	uint64_t offset = 0, image = 0;
	http_parts_lay(&parts, a->span, a->n, "t", resource, type);
	while (offset < parts.length) {
		struct view text;
		uint64_t at = 0, n = 0;
		if (http_parts_at(&parts, offset, &text, &at, &n)) {
			n = text.n;
		} else {
			if (n == 0 || n > resource->size - at)
				abort();
			image += n;
		}
		offset += n;
	}
	if (offset != parts.length || image != a->length)
		abort();
}

static void
check_date(struct view v)
{
	int64_t t, again;
	char text[HTTP_DATE_LEN + 1];
	if (!http_date_parse(v, 1767225600, &t))
		return;
	http_date_format(t, text);
	if (!http_date_parse(view_str(text), 1767225600, &again) || again != t)
		abort();
}

static void
check_answer(const struct http_request *request, const struct http_resource *resource)
{
	struct http_answer a = http_range_decide(request, resource, 1767225600);
	switch (a.status) {
	case 200:
		if (a.n != 1 || a.span[0].first != 0 || a.length != resource->size)
			abort();
		break;
	case 206:
		check_spans(a.span, a.n, resource->size);
		if (a.n > 1)
			check_parts(&a, resource);
		break;
	case 304:
	case 412:
	case 416:
		if (a.length != 0 || a.n != 0)
			abort();
		break;
	default:
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t text[HTTP_HEAD_MAX];
	static struct http_request request;
	struct http_resource resource = { 0, view_str("0123456789abcdef01234567"), 784111777 };
	struct http_limits limits;
	struct http_scan scan = { 0 };
	enum http_fault fault;
	if (size < 1)
		return 0;
	/* The first byte picks a power of two, so that all magnitudes are as likely. */
	resource.size = data[0] % 65 == 64 ? UINT64_MAX : (UINT64_C(1) << data[0] % 65) - 1;
	data++;
	size--;
	check_range(view_of(data, size), resource.size);
	check_date(view_of(data, size));
	if (size > sizeof text - sizeof HEAD - 2)
		return 0;
	memcpy(text, HEAD, sizeof HEAD - 1);
	memcpy(text + sizeof HEAD - 1, data, size);
	memcpy(text + sizeof HEAD - 1 + size, "\r\n", 2);
	http_head_limits(&limits);
	if (http_head_parse(&scan, view_of(text, sizeof HEAD - 1 + size + 2), HTTP_LENIENT, &limits,
	        &request, &fault) == HTTP_PARSE_DONE)
		check_answer(&request, &resource);
	return 0;
}
