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
		{ "bytes=0-3", SIZE, HTTP_RANGE_PART, 0, 3 }, /* RAUC's probe */
		{ "bytes=0-0", SIZE, HTTP_RANGE_PART, 0, 0 }, /* ESP-IDF's */
		{ "bytes=2048-", SIZE, HTTP_RANGE_PART, 2048, 4095 },
		{ "bytes=4095-", SIZE, HTTP_RANGE_PART, 4095, 4095 },
		{ "bytes=4000-8192", SIZE, HTTP_RANGE_PART, 4000, 4095 }, /* ABUP: N blocks */
		{ "bytes=4000-4096", SIZE, HTTP_RANGE_PART, 4000, 4095 }, /* ESP-IDF: one past */
		{ "BYTES=1-2", SIZE, HTTP_RANGE_PART, 1, 2 },
		{ "bytes= 1-2 ", SIZE, HTTP_RANGE_PART, 1, 2 },
		{ "bytes=1-2,", SIZE, HTTP_RANGE_PART, 1, 2 },
		{ "bytes=-1", SIZE, HTTP_RANGE_PART, 4095, 4095 },
		{ "bytes=-4096", SIZE, HTTP_RANGE_PART, 0, 4095 },
		{ "bytes=-9999", SIZE, HTTP_RANGE_PART, 0, 4095 },
		{ "bytes=5-99999999999999999999999", SIZE, HTTP_RANGE_PART, 5, 4095 },
		{ "bytes=-99999999999999999999999", SIZE, HTTP_RANGE_PART, 0, 4095 },
		{ "bytes=0000000000000000000000007-8", SIZE, HTTP_RANGE_PART, 7, 8 },
		{ "bytes=4294967296-4294967299", UINT64_C(1) << 40, HTTP_RANGE_PART,
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
		/* several: the whole */
		{ "bytes=0-1,4-5", SIZE, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-,0-,0-,0-", SIZE, HTTP_RANGE_NONE, 0, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_range r = http_range_parse(view_str(cases[i].value), cases[i].size);
		if (r.kind != cases[i].kind || r.first != cases[i].first || r.last != cases[i].last)
			fail_msg("%s: %d %llu-%llu", cases[i].value, (int)r.kind,
			    (unsigned long long)r.first, (unsigned long long)r.last);
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
	assert_int_equal(a.first, 4000);
	assert_int_equal(a.length, 96);
	a = decide_on("GET", "Range: bytes=4096-\r\n", resource);
	assert_int_equal(a.status, 416);
	assert_int_equal(a.length, 0);
	/* Two Range fields are no single range. */
	a = decide_on("GET", "Range: bytes=0-3\r\nRange: bytes=0-3\r\n", resource);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.length, SIZE);
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
