/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "gateway/net/http_parts.h"
#include "gateway/net/http_reply.h"

#define TAG "0123456789abcdef01234567"

/* The whole body, the image being the alphabet over and over. */
static size_t
body(const struct http_parts *parts, size_t step, char *out)
{
	uint64_t offset = 0;
	while (offset < parts->length) {
		struct view text;
		uint64_t at = 0, n = 0;
		bool ours = http_parts_at(parts, offset, &text, &at, &n);
		if (ours)
			n = text.n;
		assert_true(n > 0);
		for (uint64_t i = 0; i < n && i < step; i++)
			out[offset + i] = ours ? (char)text.p[i] : (char)('a' + (at + i) % 26);
		offset += n < step ? n : step;
	}
	assert_true(offset == parts->length);
	out[offset] = '\0';
	return (size_t)offset;
}

static void
as_rfc_9110_shows_it(void **state)
{
	(void)state;
	const struct http_span span[] = { { 500, 509 }, { 26, 26 } };
	const struct http_resource resource = { 8000, view_str(TAG "tail"), 0 };
	struct http_parts parts;
	char type[HTTP_REPLY_TYPE_MAX + 1], out[1024];
	http_parts_lay(&parts, span, 2, "application/pdf", &resource, type);
	assert_string_equal(type, "multipart/byteranges; boundary=" TAG);
	for (size_t step = 1; step < 200; step++) {
		assert_int_equal(body(&parts, step, out), parts.length);
		assert_string_equal(out,
		    "\r\n--" TAG "\r\nContent-Type: application/pdf\r\nContent-Range: bytes 500-509/8000\r\n\r\n"
		    "ghijklmnop"
		    "\r\n--" TAG "\r\nContent-Type: application/pdf\r\nContent-Range: bytes 26-26/8000\r\n\r\n"
		    "a"
		    "\r\n--" TAG "--\r\n");
	}
}

static void
at_their_widest(void **state)
{
	(void)state;
	struct http_span span[HTTP_SPANS_MAX];
	const struct http_resource resource = { INT64_MAX, view_str(TAG), 0 };
	struct http_parts parts;
	char type[HTTP_REPLY_TYPE_MAX + 1];
	uint64_t sum = 0;
	for (unsigned i = 0; i < HTTP_SPANS_MAX; i++) {
		span[i].first = INT64_MAX / HTTP_SPANS_MAX * i;
		span[i].last = span[i].first + INT64_MAX / HTTP_SPANS_MAX - 2;
		sum += span[i].last - span[i].first + 1;
	}
	http_parts_lay(&parts, span, HTTP_SPANS_MAX, "application/octet-stream", &resource, type);
	assert_true(parts.length > sum && parts.length < sum + (HTTP_SPANS_MAX + 1) * HTTP_PARTS_HEAD_MAX);
	struct view text;
	uint64_t at = 0, n = 0;
	assert_true(http_parts_at(&parts, parts.length - 1, &text, &at, &n));
	assert_int_equal(text.n, 1);
	assert_false(http_parts_at(&parts, parts.length - parts.text_n[HTTP_SPANS_MAX] - 1, &text, &at, &n));
	assert_true(at == span[HTTP_SPANS_MAX - 1].last && n == 1);
}

static void
boundaries(void **state)
{
	(void)state;
	static const char *const fine[] = { TAG, TAG "more", "ABCDEFGHIJ-_.0123456789abc" };
	static const char *const poor[] = { "", "0123456789abcdef0123456", "0123456789abcdef0123 567",
		"0123456789abcdef0123\"567", "0123456789abcdef0123/567", "0123456789abcdef0123'567",
		"0123456789abcdef0123\n567" };
	struct http_resource r = { .size = INT64_MAX };
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		r.etag = view_str(fine[i]);
		assert_true(http_parts_can(&r));
	}
	for (size_t i = 0; i < sizeof poor / sizeof poor[0]; i++) {
		r.etag = view_str(poor[i]);
		assert_false(http_parts_can(&r));
	}
	r = (struct http_resource){ (uint64_t)INT64_MAX + 1, view_str(TAG), 0 };
	assert_false(http_parts_can(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_rfc_9110_shows_it),
		cmocka_unit_test(at_their_widest),
		cmocka_unit_test(boundaries),
	};
	return cmocka_run_group_tests_name("http_parts", tests, NULL, NULL);
}
