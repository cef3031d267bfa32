/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "gateway/net/http_range.h"

#define SIZE 4096u
#define MODIFIED INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW INT64_C(1767225600)
#define NOV6 "Sun, 06 Nov 1994 08:49:37 GMT"

static void
ranges(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		uint64_t size;
		enum http_range_kind kind;
		uint64_t first, last;
	} cases[] = {
		{ "bytes=0-3", SIZE, HTTP_RANGE_SOME, 0, 3 }, /* RAUC's probe */
		{ "bytes=0-0", SIZE, HTTP_RANGE_SOME, 0, 0 }, /* ESP-IDF's */
		{ "bytes=2048-", SIZE, HTTP_RANGE_SOME, 2048, 4095 },
		{ "bytes=4095-", SIZE, HTTP_RANGE_SOME, 4095, 4095 },
		{ "bytes=4000-8192", SIZE, HTTP_RANGE_SOME, 4000, 4095 }, /* ABUP: N blocks */
		{ "bytes=4000-4096", SIZE, HTTP_RANGE_SOME, 4000, 4095 }, /* ESP-IDF: one past */
		{ "BYTES=1-2", SIZE, HTTP_RANGE_SOME, 1, 2 },
		{ "bytes= 1-2 ", SIZE, HTTP_RANGE_SOME, 1, 2 },
		{ "bytes=1-2,", SIZE, HTTP_RANGE_SOME, 1, 2 },
		{ "bytes=-1", SIZE, HTTP_RANGE_SOME, 4095, 4095 },
		{ "bytes=-4096", SIZE, HTTP_RANGE_SOME, 0, 4095 },
		{ "bytes=-9999", SIZE, HTTP_RANGE_SOME, 0, 4095 },
		{ "bytes=5-99999999999999999999999", SIZE, HTTP_RANGE_SOME, 5, 4095 },
		{ "bytes=-99999999999999999999999", SIZE, HTTP_RANGE_SOME, 0, 4095 },
		{ "bytes=0000000000000000000000007-8", SIZE, HTTP_RANGE_SOME, 7, 8 },
		{ "bytes=4294967296-4294967299", UINT64_C(1) << 40, HTTP_RANGE_SOME,
		    UINT64_C(4294967296), UINT64_C(4294967299) },
		{ "bytes=4096-", SIZE, HTTP_RANGE_UNSATISFIED, 0, 0 },
		{ "bytes=4096-5000", SIZE, HTTP_RANGE_UNSATISFIED, 0, 0 },
		{ "bytes=99999999999999999999999-", SIZE, HTTP_RANGE_UNSATISFIED, 0, 0 },
		{ "bytes=-0", SIZE, HTTP_RANGE_UNSATISFIED, 0, 0 },
		{ "bytes=0-", 0, HTTP_RANGE_UNSATISFIED, 0, 0 },
		{ "bytes=-5", 0, HTTP_RANGE_NONE, 0, 0 },
		/* malformed: ignored */
		{ "bytes=5-2", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=abc", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=1-2x", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=x1-2", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=1 - 2", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=-", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=--1", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=1-2-3", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=,", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes 0-3", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "items=0-3", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-1,x", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-1,5-4", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-1,items=4-5", SIZE, HTTP_RANGE_NONE, 0, 0 },
		/* several that come to one, or none */
		{ "bytes=0-,0-,0-,0-", SIZE, HTTP_RANGE_SOME, 0, 4095 },
		{ "bytes=0-1,2-3", SIZE, HTTP_RANGE_SOME, 0, 3 },
		{ "bytes=2-3,0-1", SIZE, HTTP_RANGE_SOME, 0, 3 },
		{ "bytes=0-1,4096-", SIZE, HTTP_RANGE_SOME, 0, 1 },
		{ "bytes=-0,7-8", SIZE, HTTP_RANGE_SOME, 7, 8 },
		{ "bytes=4096-,5000-,-0", SIZE, HTTP_RANGE_UNSATISFIED, 0, 0 },
		/* more than an honest client asks for */
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-", SIZE, HTTP_RANGE_NONE, 0, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_range r = http_range_parse(view_str(cases[i].value), cases[i].size);
		if (r.kind != cases[i].kind || r.n != (r.kind == HTTP_RANGE_SOME) ||
		    r.span[0].first != cases[i].first || r.span[0].last != cases[i].last)
			fail_msg("%s: %d %llu-%llu", cases[i].value, (int)r.kind,
			    (unsigned long long)r.span[0].first, (unsigned long long)r.span[0].last);
	}
}

/* Several ranges, in the order asked for; what overlaps or touches is one. */
static void
several_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		unsigned n;
		struct http_span span[HTTP_SPANS_MAX];
	} cases[] = {
		{ "bytes=0-9,100-109", 2, { { 0, 9 }, { 100, 109 } } }, /* curl -r 0-9,100-109 */
		{ "bytes=100-109,0-9", 2, { { 100, 109 }, { 0, 9 } } },
		{ "bytes=0-0, -1", 2, { { 0, 0 }, { 4095, 4095 } } },
		{ "bytes=0-1,4-5,9999-", 2, { { 0, 1 }, { 4, 5 } } },
		{ "bytes=10-19,0-5,15-30", 2, { { 10, 30 }, { 0, 5 } } },
		{ "bytes=0-5,10-19,6-9,100-", 2, { { 0, 19 }, { 100, 4095 } } }, /* a bridge joins two */
		{ "bytes=40-49,20-29,0-9,8-41,2000-", 2, { { 0, 49 }, { 2000, 4095 } } },
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14", 8,
		    { { 0, 0 }, { 2, 2 }, { 4, 4 }, { 6, 6 }, { 8, 8 }, { 10, 10 }, { 12, 12 }, { 14, 14 } } },
		{ "bytes=14-14,12-12,10-10,8-8,6-6,4-4,2-2,0-", 1, { { 0, 4095 } } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_range r = http_range_parse(view_str(cases[i].value), SIZE);
		assert_int_equal(r.kind, HTTP_RANGE_SOME);
		if (r.n != cases[i].n || memcmp(r.span, cases[i].span, r.n * sizeof r.span[0]))
			fail_msg("%s: %u, first %llu-%llu", cases[i].value, r.n, (unsigned long long)r.span[0].first,
			    (unsigned long long)r.span[0].last);
	}
}

static struct http_answer
decide_on(const char *method, const char *fields, struct http_resource resource)
{
	char text[1024];
	struct http_scan scan = { 0 };
	struct http_limits limits;
	struct http_request request;
	enum http_fault fault;
	http_head_limits(&limits);
	snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: h\r\n%s\r\n", method, fields);
	assert_int_equal(http_head_parse(&scan, view_str(text), HTTP_STRICT, &limits, &request,
	    &fault), HTTP_PARSE_DONE);
	return http_range_decide(&request, &resource, NOW);
}

static unsigned
decide(const char *fields)
{
	const struct http_resource resource = { SIZE, view_str("abc"), MODIFIED };
	return decide_on("GET", fields, resource).status;
}

static void
if_match(void **state)
{
	(void)state;
	assert_int_equal(decide("If-Match: \"abc\"\r\n"), 200);
	assert_int_equal(decide("If-Match: *\r\n"), 200);
	assert_int_equal(decide("If-Match: \"x\", \"abc\"\r\n"), 200);
	assert_int_equal(decide("If-Match: \"x\"\r\nIf-Match: \"abc\"\r\n"), 200);
	assert_int_equal(decide("If-Match: \"abd\"\r\n"), 412);
	assert_int_equal(decide("If-Match: W/\"abc\"\r\n"), 412); /* strong comparison */
	assert_int_equal(decide("If-Match: abc\r\n"), 412);
	assert_int_equal(decide("If-Match: \"abc\r\n"), 412);
	/* Anjay's resume */
	assert_int_equal(decide("If-Match: \"abc\"\r\nRange: bytes=10-\r\n"), 206);
	assert_int_equal(decide("If-Match: \"old\"\r\nRange: bytes=10-\r\n"), 412);
	/* If-Unmodified-Since is not looked at beside it. */
	assert_int_equal(decide("If-Match: \"abc\"\r\n"
	                        "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 200);
}

static void
if_unmodified_since(void **state)
{
	(void)state;
	assert_int_equal(decide("If-Unmodified-Since: " NOV6 "\r\n"), 200);
	assert_int_equal(decide("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 412);
	assert_int_equal(decide("If-Unmodified-Since: yesterday\r\n"), 200);
}

static void
if_none_match(void **state)
{
	(void)state;
	assert_int_equal(decide("If-None-Match: \"abc\"\r\n"), 304);
	assert_int_equal(decide("If-None-Match: W/\"abc\"\r\n"), 304); /* weak comparison */
	assert_int_equal(decide("If-None-Match: *\r\n"), 304);
	assert_int_equal(decide("If-None-Match: \"x\", \"y\"\r\n"), 200);
	assert_int_equal(decide("If-None-Match: \"abc\"\r\nRange: bytes=0-3\r\n"), 304);
	/* If-Modified-Since is not looked at beside it. */
	assert_int_equal(decide("If-None-Match: \"x\"\r\nIf-Modified-Since: " NOV6 "\r\n"), 200);
	/* 412 comes first. */
	assert_int_equal(decide("If-None-Match: \"abc\"\r\nIf-Match: \"x\"\r\n"), 412);
}

static void
if_modified_since(void **state)
{
	(void)state;
	assert_int_equal(decide("If-Modified-Since: " NOV6 "\r\n"), 304);
	assert_int_equal(decide("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), 304);
	assert_int_equal(decide("If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n"), 304);
	assert_int_equal(decide("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 200);
	assert_int_equal(decide("If-Modified-Since: never\r\n"), 200);
}

static void
if_range(void **state)
{
	(void)state;
	assert_int_equal(decide("Range: bytes=0-3\r\nIf-Range: \"abc\"\r\n"), 206);
	assert_int_equal(decide("Range: bytes=0-3\r\nIf-Range: \"old\"\r\n"), 200);
	assert_int_equal(decide("Range: bytes=0-3\r\nIf-Range: W/\"abc\"\r\n"), 200);
	assert_int_equal(decide("Range: bytes=0-3\r\nIf-Range: " NOV6 "\r\n"), 206);
	assert_int_equal(
	    decide("Range: bytes=0-3\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n"), 200);
	assert_int_equal(decide("Range: bytes=0-3\r\nIf-Range: junk\r\n"), 200);
	assert_int_equal(decide("Range: bytes=0-3\r\nIf-Range: \"abc\"\r\nIf-Range: \"abc\"\r\n"), 200);
	/* A failed If-Range makes even an impossible range the whole. */
	assert_int_equal(decide("Range: bytes=9999-\r\nIf-Range: \"old\"\r\n"), 200);
	assert_int_equal(decide("Range: bytes=9999-\r\nIf-Range: \"abc\"\r\n"), 416);
	assert_int_equal(decide("If-Range: \"abc\"\r\n"), 200);
}

static void
head_ignores_ranges_but_not_conditions(void **state)
{
	(void)state;
	const struct http_resource resource = { SIZE, view_str("abc"), MODIFIED };
	struct http_answer a = decide_on("HEAD", "Range: bytes=0-3\r\n", resource);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.length, SIZE);
	assert_int_equal(decide_on("HEAD", "If-None-Match: \"abc\"\r\n", resource).status, 304);
	assert_int_equal(decide_on("HEAD", "If-Match: \"x\"\r\n", resource).status, 412);
}

static void
answers_say_which_bytes(void **state)
{
	(void)state;
	const struct http_resource resource = { SIZE, { NULL, 0 }, 0 };
	struct http_answer a = decide_on("GET", "Range: bytes=4000-9999\r\n", resource);
	assert_int_equal(a.status, 206);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.span[0].first, 4000);
	assert_int_equal(a.span[0].last, 4095);
	assert_int_equal(a.length, 96);
	a = decide_on("GET", "Range: bytes=4096-\r\n", resource);
	assert_int_equal(a.status, 416);
	assert_int_equal(a.length, 0);
	/* Two Range fields are no single range. */
	a = decide_on("GET", "Range: bytes=0-3\r\nRange: bytes=0-3\r\n", resource);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.length, SIZE);
	assert_int_equal(a.span[0].last, SIZE - 1);
}

static void
several_ranges_need_a_tag(void **state)
{
	(void)state;
	struct http_resource resource = { SIZE, view_str("0123456789abcdef01234567"), MODIFIED };
	struct http_answer a = decide_on("GET", "Range: bytes=0-9,100-109\r\n", resource);
	assert_int_equal(a.status, 206);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.length, 20);
	/* Conditions come first for them too. */
	a = decide_on("GET", "Range: bytes=0-9,100-109\r\nIf-Range: \"x\"\r\n", resource);
	assert_int_equal(a.status, 200);
	assert_int_equal(decide_on("HEAD", "Range: bytes=0-9,100-109\r\n", resource).status, 200);
	resource.etag.n--;
	a = decide_on("GET", "Range: bytes=0-9,100-109\r\n", resource);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.length, SIZE);
	a = decide_on("GET", "Range: bytes=0-9,5-109\r\n", resource); /* one after all */
	assert_int_equal(a.status, 206);
	assert_int_equal(a.length, 110);
}

static void
without_validators(void **state)
{
	(void)state;
	const struct http_resource resource = { SIZE, { NULL, 0 }, 0 };
	assert_int_equal(decide_on("GET", "If-Match: \"\"\r\n", resource).status, 412);
	assert_int_equal(decide_on("GET", "If-None-Match: \"\"\r\n", resource).status, 200);
	assert_int_equal(decide_on("GET", "If-Modified-Since: " NOV6 "\r\n", resource).status, 200);
	assert_int_equal(decide_on("GET", "Range: bytes=0-3\r\nIf-Range: \"\"\r\n", resource).status,
	    200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(several_ranges),
		cmocka_unit_test(several_ranges_need_a_tag),
		cmocka_unit_test(if_match),
		cmocka_unit_test(if_unmodified_since),
		cmocka_unit_test(if_none_match),
		cmocka_unit_test(if_modified_since),
		cmocka_unit_test(if_range),
		cmocka_unit_test(head_ignores_ranges_but_not_conditions),
		cmocka_unit_test(answers_say_which_bytes),
		cmocka_unit_test(without_validators),
	};
	return cmocka_run_group_tests_name("http_range", tests, NULL, NULL);
}
