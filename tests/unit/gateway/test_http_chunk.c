/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "gateway/net/http_chunk.h"

#define MAX 1000u

struct result {
	enum http_chunk_step step;
	enum http_fault fault;
	char data[MAX + 1];
	size_t n;
	size_t used; /* of the input */
};

/* Feeds text in pieces of at most `piece` bytes. */
static struct result
decode(const char *text, size_t n, size_t piece)
{
	struct result r = { .step = HTTP_CHUNK_MORE };
	struct http_chunk k = { 0 };
	while (r.step == HTTP_CHUNK_MORE && r.used < n) {
		size_t have = n - r.used < piece ? n - r.used : piece;
		struct view in = view_of(text + r.used, have), data;
		while ((r.step = http_chunk_next(&k, &in, MAX, &data, &r.fault)) == HTTP_CHUNK_DATA) {
			assert_true(data.n > 0 && r.n + data.n <= MAX);
			memcpy(r.data + r.n, data.p, data.n);
			r.n += data.n;
		}
		r.used += have - in.n;
	}
	return r;
}

static void
is(const char *text, const char *data, const char *rest)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
		struct result r = decode(text, strlen(text), piece);
		if (r.step != HTTP_CHUNK_DONE)
			fail_msg("%d (%s) instead of the end: %s", (int)r.step, http_head_fault_id(r.fault), text);
		assert_string_equal(r.data, data);
		assert_string_equal(text + r.used, rest);
	}
}

static void
refused(const char *text, enum http_fault want)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
		struct result r = decode(text, strlen(text), piece);
		if (r.step != HTTP_CHUNK_BAD)
			fail_msg("%d instead of a refusal: %s", (int)r.step, text);
		assert_string_equal(http_head_fault_id(r.fault), http_head_fault_id(want));
	}
}

static void
bodies(void **state)
{
	(void)state;
	is("0\r\n\r\n", "", "");
	is("0\r\n\r\nGET", "", "GET");
	is("5\r\nhello\r\n0\r\n\r\n", "hello", "");
	is("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n0", "hello world", "0");
	is("A\r\n0123456789\r\na\r\nabcdefghij\r\n0000\r\n\r\n", "0123456789abcdefghij", "");
	is("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", "");
	is("0000000000000001\r\nx\r\n0\r\n\r\n", "x", "");
	/* What mender-client sends: one chunk */
	is("10\r\n{\"a\":\"0123456\"}\n\r\n0\r\n\r\n", "{\"a\":\"0123456\"}\n", "");
}

static void
extensions_are_ignored(void **state)
{
	(void)state;
	is("1;a\r\nx\r\n0;b=c;d=\"e;\"\r\n\r\n", "x", "");
	is("1 \t;\ta = b\r\nx\r\n0 ;\xc3\xa4\r\n\r\n", "x", "");
}

static void
trailers_are_ignored(void **state)
{
	(void)state;
	is("0\r\nX-Sum: 1\r\nContent-Length: 5\r\nEmpty:\r\n\r\nGET", "", "GET");
	is("1\r\nx\r\n0\r\na:b:c\t\xff\r\n\r\n", "x", "");
}

static void
framing_is_exact(void **state)
{
	(void)state;
	static const char *const bad[] = { "\r\n", " 1\r\nx\r\n", "1 \r\nx\r\n", "1\t\r\n", "+1\r\n", "-1\r\n", "0x1\r\n",
		"1,\r\n", "1.\r\n", "g\r\n", "\"1\"\r\n", "1 1\r\n", "1\nx\n0\n\n", "1\rx", "1\r\rx", "1;a\nx", "1;a\rx",
		"1;a\x01\r\n", "1;a\x7f\r\n", "1\r\nxy\r\n", "1\r\nx\n0", "1\r\nx\ry", "1\r\nx0\r\n", "0\r\n\n", "0\r\n\rx",
		"0\r\n : x\r\n\r\n", "0\r\n\tx\r\n\r\n", "0\r\n: x\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\nX\r\n\r\n",
		"0\r\nX: y\n\n", "0\r\nX: y\rz", "0\r\nX: \x0b\r\n\r\n", "0\r\nX: y\r\n folded\r\n\r\n",
		"0\n\n", "0\r\nGET / HTTP/1.1\r\n\r\n" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refused(bad[i], HTTP_FAULT_CHUNK_FORM);
	static const char nul[] = "1;\0\r\n";
	assert_int_equal(decode(nul, sizeof nul - 1, 9).step, HTTP_CHUNK_BAD);
}

static void
unfinished(void **state)
{
	(void)state;
	static const char text[] = "5;x\r\nhello\r\n0\r\nX: y\r\n\r\n";
	for (size_t n = 0; n < sizeof text - 1; n++)
		for (size_t piece = 1; piece < 4; piece++)
			assert_int_equal(decode(text, n, piece).step, HTTP_CHUNK_MORE);
}

static void
sizes_at_their_limits(void **state)
{
	(void)state;
	static const char *const over[] = { "3e9\r\n", "ffffffffffffffff\r\n", "8000000000000000\r\n",
		"3e8\r\n", "1\r\nx\r\nffffffffffffffff\r\n", "0000000000010000\r\n" };
	for (size_t i = 0; i < sizeof over / sizeof over[0]; i++) {
		struct result r = decode(over[i], strlen(over[i]), 3);
		/* 1000 is still within; nothing of a chunk that is not is ever data. */
		assert_int_equal(r.step, i == 3 ? HTTP_CHUNK_MORE : HTTP_CHUNK_OVER);
		assert_true(r.n <= 1);
	}
	refused("00000000000000000\r\n", HTTP_FAULT_CHUNK_LONG);
	refused("11111111111111111\r\n", HTTP_FAULT_CHUNK_LONG);
}

/* Extensions of all chunks and trailers count together: neither feeds a connection for ever. */
static void
extra_bytes_at_their_limit(void **state)
{
	(void)state;
	enum { EACH = 16 };
	for (int over = 0; over < 2; over++) {
		char *text = calloc(1, HTTP_CHUNK_EXTRA_MAX * 2 + 64), *p = text;
		assert_non_null(text);
		for (int i = 0; i < HTTP_CHUNK_EXTRA_MAX / EACH / 2; i++)
			p += sprintf(p, "1;%0*d\r\nx\r\n", EACH - 1, 0);
		p += sprintf(p, "0\r\n");
		for (int i = 0; i < HTTP_CHUNK_EXTRA_MAX / EACH / 2; i++)
			p += sprintf(p, "X:%0*d\r\n", EACH - 2 + (over && i == 0), 0);
		p += sprintf(p, "\r\n");
		struct result r = decode(text, (size_t)(p - text), 7);
		assert_int_equal(r.step, over ? HTTP_CHUNK_BAD : HTTP_CHUNK_DONE);
		if (over)
			assert_int_equal(r.fault, HTTP_FAULT_CHUNK_LONG);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(extensions_are_ignored),
		cmocka_unit_test(trailers_are_ignored),
		cmocka_unit_test(framing_is_exact),
		cmocka_unit_test(unfinished),
		cmocka_unit_test(sizes_at_their_limits),
		cmocka_unit_test(extra_bytes_at_their_limit),
	};
	return cmocka_run_group_tests_name("http_chunk", tests, NULL, NULL);
}
