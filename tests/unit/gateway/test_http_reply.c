/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/net/http_reply.h"

#define DATE "Thu, 01 Jan 2026 00:00:00 GMT"

static void
is(const struct http_reply *reply, const char *want)
{
	char out[HTTP_REPLY_MAX + 1];
	size_t n = http_reply_encode(reply, DATE, out);
	out[n] = '\0';
	assert_string_equal(out, want);
}

static void
part_of_an_image(void **state)
{
	(void)state;
	is(&(struct http_reply){
	       .status = 206,
	       .length = 4,
	       .range = HTTP_REPLY_RANGE_PART,
	       .first = 0,
	       .last = 3,
	       .total = 5000000000,
	       .etag = view_str("abc"),
	       .modified_s = 784111777,
	       .accept_ranges = true,
	       .type = "application/octet-stream",
	   },
	    "HTTP/1.1 206 Partial Content\r\n"
	    "Content-Length: 4\r\n"
	    "Content-Range: bytes 0-3/5000000000\r\n"
	    "Connection: keep-alive\r\n"
	    "Content-Type: application/octet-stream\r\n"
	    "ETag: \"abc\"\r\n"
	    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "Accept-Ranges: bytes\r\n"
	    "Date: " DATE "\r\n\r\n");
}

static void
others(void **state)
{
	(void)state;
	is(&(struct http_reply){ .status = 200, .close = true },
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nDate: " DATE "\r\n\r\n");
	is(&(struct http_reply){ .status = 416, .range = HTTP_REPLY_RANGE_UNSATISFIED, .total = 7 },
	    "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n"
	    "Content-Range: bytes */7\r\nConnection: keep-alive\r\nDate: " DATE "\r\n\r\n");
	is(&(struct http_reply){ .status = 405, .allow = "GET, HEAD" },
	    "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: keep-alive\r\n"
	    "Allow: GET, HEAD\r\nDate: " DATE "\r\n\r\n");
	is(&(struct http_reply){ .status = 503, .retry_after_s = UINT32_MAX },
	    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: keep-alive\r\n"
	    "Retry-After: 4294967295\r\nDate: " DATE "\r\n\r\n");
	is(&(struct http_reply){ .status = 304, .etag = view_str("e") },
	    "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\nETag: \"e\"\r\n"
	    "Date: " DATE "\r\n\r\n");
	is(&(struct http_reply){ .status = 204 },
	    "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\nDate: " DATE "\r\n\r\n");
	is(&(struct http_reply){ .status = 499 },
	    "HTTP/1.1 499 Other\r\nContent-Length: 0\r\nConnection: keep-alive\r\n"
	    "Date: " DATE "\r\n\r\n");
}

/* The console's own lines come last, and change nothing before them. */
static void
extra_lines(void **state)
{
	static const char *const bad[] = { "X", "X: a", "X: a\n", "X: a\r\nY", ": a\r\n", "X:a\r\n", "X : a\r\n", "X: a\rb\r\n", "\r\n",
		"X: a\r\n\r\n", "X: \x80\r\n" };
	const struct http_reply reply = { .status = 200, .length = 1, .extra = view_str("X-A: b\r\nSet-Cookie: c=d; Secure\r\n") };
	char out[HTTP_REPLY_MAX + HTTP_REPLY_EXTRA_MAX];
	(void)state;
	size_t n = http_reply_encode(&reply, DATE, out);
	out[n] = '\0';
	assert_string_equal(out, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\nDate: " DATE "\r\n"
	    "X-A: b\r\nSet-Cookie: c=d; Secure\r\n\r\n");
	assert_true(http_reply_extra_ok(view_str("")));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (http_reply_extra_ok(view_str(bad[i])))
			fail_msg("%zu was taken", i);
}

static char *
filled(size_t n, char *buf)
{
	memset(buf, 'x', n);
	buf[n] = '\0';
	return buf;
}

/* Everything at its widest still fits one 512 byte read. */
static void
head_below_512_bytes(void **state)
{
	(void)state;
	char out[HTTP_REPLY_MAX], type[64], etag[80], allow[32];
	for (unsigned status = 200; status <= 599; status++) {
		const struct http_reply reply = {
			.status = status,
			.length = UINT64_MAX,
			.close = false,
			.range = HTTP_REPLY_RANGE_PART,
			.first = UINT64_MAX,
			.last = UINT64_MAX,
			.total = UINT64_MAX,
			.etag = view_str(filled(HTTP_REPLY_ETAG_MAX, etag)),
			.modified_s = INT64_MAX,
			.retry_after_s = UINT32_MAX,
			.accept_ranges = true,
			.type = filled(HTTP_REPLY_TYPE_MAX, type),
			.allow = filled(HTTP_REPLY_ALLOW_MAX, allow),
		};
		assert_true(http_reply_encode(&reply, DATE, out) < 512);
	}
}

/* True when encoding reply ends in abort. */
static bool
aborts(const struct http_reply *reply)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char out[HTTP_REPLY_MAX];
		signal(SIGABRT, SIG_DFL);
		http_reply_encode(reply, DATE, out);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
callers_mistakes_abort(void **state)
{
	(void)state;
	char text[80];
	assert_false(aborts(&(struct http_reply){ .status = 200, .type = "text/plain" }));
	assert_true(aborts(&(struct http_reply){ .status = 0 }));
	assert_true(aborts(&(struct http_reply){ .status = 100 }));
	assert_true(aborts(&(struct http_reply){ .status = 200, .type = "a\r\nX: b" }));
	assert_true(aborts(&(struct http_reply){
	    .status = 200, .type = filled(HTTP_REPLY_TYPE_MAX + 1, text) }));
	assert_true(aborts(&(struct http_reply){
	    .status = 200, .etag = view_str(filled(HTTP_REPLY_ETAG_MAX + 1, text)) }));
	assert_true(aborts(&(struct http_reply){ .status = 200, .etag = view_str("a\"b") }));
}

static void
words(void **state)
{
	(void)state;
	assert_true(http_reply_word_ok(view_str("application/json"), 48));
	assert_false(http_reply_word_ok(view_str(""), 48));
	assert_false(http_reply_word_ok(view_str("abc"), 2));
	assert_false(http_reply_word_ok(view_str("a\nb"), 48));
	assert_false(http_reply_word_ok(view_str("\xc3\xa4"), 48));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(part_of_an_image),
		cmocka_unit_test(extra_lines),
		cmocka_unit_test(others),
		cmocka_unit_test(head_below_512_bytes),
		cmocka_unit_test(callers_mistakes_abort),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests_name("http_reply", tests, NULL, NULL);
}
