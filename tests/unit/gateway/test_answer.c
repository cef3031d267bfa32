/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/answer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* Feeds lines that end in "|"; the number of the one that ended the head. */
static int
feed(struct answer *a, const char *lines)
{
	int n = 0, ended = 0;
	*a = (struct answer){ 0 };
	for (const char *bar; (bar = strchr(lines, '|')); lines = bar + 1) {
		char line[512];
		n++;
		snprintf(line, sizeof line, "%.*s\r\n", (int)(bar - lines), lines);
		if (answer_line(a, view_str(line))) {
			assert_int_equal(ended, 0);
			ended = n;
		}
	}
	return ended;
}

static void
test_a_head(void **state)
{
	struct answer a;
	(void)state;
	assert_int_equal(feed(&a, "HTTP/1.1 200 OK|Content-Length: 7|ETag: \"v 1\"|ETAG:\t\"v1\" ||X: y|"), 5);
	assert_int_equal(a.status, 200);
	assert_true(a.have_length && a.length == 7 && !a.ambiguous && !a.coded);
	assert_int_equal(feed(&a, "HTTP/1.1 204|\t|"), 0);
	assert_int_equal(a.status, 204);
	assert_int_equal(feed(&a, "Content-Length: 5|"), 0);
	assert_false(a.have_length);
}

static void
test_interim_heads_leave_nothing(void **state)
{
	struct answer a;
	(void)state;
	assert_int_equal(feed(&a, "HTTP/1.1 103 Early|ETag: \"x\"|Content-Encoding: gzip||HTTP/1.1 200 OK||"), 6);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.etag, "");
	assert_false(a.coded);
}

static void
test_trailers_change_nothing(void **state)
{
	struct answer a;
	(void)state;
	assert_int_equal(feed(&a, "HTTP/1.1 200 OK|ETag: \"x\"||ETag: \"y\"|Content-Encoding: gzip|HTTP/1.1 206 P||"), 3);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_validator(&a), "\"x\"");
	assert_false(a.coded);
}

static void
test_validators(void **state)
{
	static const struct { const char *lines, *want; } rows[] = {
		{ "ETag: \"v1\"|", "\"v1\"" },
		{ "ETag: \"\"|", "\"\"" },
		{ "ETag: W/\"v1\"|", "" },
		{ "ETag: v1|", "" },
		{ "ETag: \"|", "" },
		{ "ETag: \"a\"b\"|", "" },
		{ "ETag: \"a b\"|", "" },
		{ "ETag: \"a\x01\"|", "" },
		{ "ETag: \"a\x80\"|", "" },
		{ "ETag: \"a\"|ETag: \"a\"|", "" },
		{ "ETag: \"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
		  "012345678901234567890123456\"|", "" },
		{ "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT|Date: Thu, 01 Jan 2026 00:00:01 GMT|",
		  "Thu, 01 Jan 2026 00:00:00 GMT" },
		{ "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT|Date: Thu, 01 Jan 2026 00:00:00 GMT|", "" },
		{ "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT|", "" },
		{ "Last-Modified: never|Date: Thu, 01 Jan 2026 00:00:01 GMT|", "" },
		{ "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT|Date: soon|", "" },
		{ "|", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answer a;
		char text[512];
		snprintf(text, sizeof text, "HTTP/1.1 200 OK|%s|", rows[i].lines);
		feed(&a, text);
		assert_string_equal(answer_validator(&a), rows[i].want);
	}
}

static void
test_ranges(void **state)
{
	static const struct { const char *value; bool good; } rows[] = {
		{ "bytes 0-0/1", true }, { "Bytes 5-9/10", true }, { "bytes 18446744073709551613-18446744073709551614/18446744073709551615", true },
		{ "bytes 0-1/1", false }, { "bytes 2-1/5", false }, { "bytes 0-4/*", false }, { "bytes */5", false },
		{ "bytes 0-4/5x", false }, { "bytes  0-4/5", false }, { "bytes 0 -4/5", false }, { "bytes -4/5", false },
		{ "bytes 0-/5", false }, { "bytes=0-4/5", false }, { "items 0-4/5", false }, { "", false },
		{ "bytes 0-4/5, bytes 0-4/5", false }, { "bytes 0-18446744073709551616/18446744073709551617", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answer a;
		char text[256];
		snprintf(text, sizeof text, "HTTP/1.1 206 P|Content-Range: %s||", rows[i].value);
		feed(&a, text);
		assert_int_equal(a.range, rows[i].good ? ANSWER_RANGE_BYTES : ANSWER_RANGE_BAD);
	}
	struct answer a;
	feed(&a, "HTTP/1.1 206 P|Content-Range: bytes 1-2/3|Content-Range: bytes 1-2/3||");
	assert_int_equal(a.range, ANSWER_RANGE_BAD);
	feed(&a, "HTTP/1.1 206 P||");
	assert_int_equal(a.range, ANSWER_RANGE_NONE);
}

static void
test_coding_and_length(void **state)
{
	static const struct { const char *lines; bool coded, ambiguous; } rows[] = {
		{ "Content-Encoding: identity|", false, false }, { "Content-Encoding:|", false, false },
		{ "content-encoding: GZIP|", true, false }, { "Content-Encoding: identity|Content-Encoding: br|", true, false },
		{ "Content-Length: 5|Content-Length: 5|", false, false }, { "Content-Length: 5|Content-Length: 6|", false, true },
		{ "Content-Length: 5, 5|", false, true }, { "Content-Length: -5|", false, true }, { "Content-Length: |", false, true },
		{ "Content-Length: 99999999999999999999|", false, true },
		{ "Content-Length: 5|Transfer-Encoding: chunked|", false, true },
		{ "Transfer-Encoding: chunked|Content-Length: 5|", false, true }, { "Transfer-Encoding: chunked|", false, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answer a;
		char text[256];
		snprintf(text, sizeof text, "HTTP/1.1 200 OK|%s|", rows[i].lines);
		feed(&a, text);
		assert_int_equal(a.coded, rows[i].coded);
		assert_int_equal(a.ambiguous, rows[i].ambiguous);
	}
}

static void
test_replies(void **state)
{
	static const struct { const char *line; unsigned code; } rows[] = {
		{ "220 FTP.\r\n", 220 }, { "213 ", 213 }, { "000 x", 0 }, { "226", 0 }, { "226-more\r\n", 0 }, { " 226 x", 0 }, { "22x x", 0 },
		{ "2260 x", 0 }, { "-12 x", 0 }, { "", 0 }, { "999 x", 999 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(answer_reply(view_str(rows[i].line)), rows[i].code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_head),
		cmocka_unit_test(test_interim_heads_leave_nothing),
		cmocka_unit_test(test_trailers_change_nothing),
		cmocka_unit_test(test_validators),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_coding_and_length),
		cmocka_unit_test(test_replies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
