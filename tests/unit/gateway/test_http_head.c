/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "gateway/net/http_head.h"

static enum http_parse
parse(struct view in, enum http_mode mode, struct http_request *request, enum http_fault *fault)
{
	struct http_scan scan = { 0 };
	struct http_limits limits;
	http_head_limits(&limits);
	*fault = HTTP_FAULT_NONE;
	return http_head_parse(&scan, in, mode, &limits, request, fault);
}

static struct http_request
good(const char *text)
{
	struct http_request request;
	enum http_fault fault;
	if (parse(view_str(text), HTTP_LENIENT, &request, &fault) != HTTP_PARSE_DONE)
		fail_msg("refused with %s: %s", http_head_fault_id(fault), text);
	return request;
}

static void
bad_in(enum http_mode mode, struct view in, enum http_fault want, unsigned status)
{
	struct http_request request;
	enum http_fault fault;
	assert_int_equal(parse(in, mode, &request, &fault), HTTP_PARSE_BAD);
	if (fault != want)
		fail_msg("%s instead of %s", http_head_fault_id(fault), http_head_fault_id(want));
	assert_int_equal(http_head_fault_status(fault), status);
}

/* In both modes: lenience never reaches what decides where a request ends. */
static void
bad(const char *text, enum http_fault want, unsigned status)
{
	bad_in(HTTP_LENIENT, view_str(text), want, status);
	bad_in(HTTP_STRICT, view_str(text), want, status);
}

#define HOST "Host: h\r\n"

static void
plain_request(void **state)
{
	(void)state;
	struct http_request r = good("GET /f/a?b=c&d HTTP/1.1\r\nHost: gate.example:8080\r\n"
	                             "Range: bytes=0-3\r\nrange-like: x\r\n\r\n");
	assert_int_equal(r.method, HTTP_GET);
	assert_true(view_is(r.path, "/f/a"));
	assert_true(view_is(r.query, "b=c&d"));
	assert_true(view_is(r.host, "gate.example"));
	assert_int_equal(r.port, 8080);
	assert_int_equal(r.minor, 1);
	assert_true(r.keep_alive);
	assert_int_equal(r.body, HTTP_BODY_NONE);
	assert_int_equal(r.n_fields, 3);
	assert_true(view_is(http_head_only(&r, "RANGE")->value, "bytes=0-3"));
	assert_null(http_head_only(&r, "rang"));
}

static void
methods(void **state)
{
	(void)state;
	assert_int_equal(good("HEAD / HTTP/1.1\r\n" HOST "\r\n").method, HTTP_HEAD);
	assert_int_equal(good("PUT / HTTP/1.1\r\n" HOST "\r\n").method, HTTP_OTHER);
	assert_int_equal(good("get / HTTP/1.1\r\n" HOST "\r\n").method, HTTP_OTHER);
	assert_int_equal(good("OPTIONS * HTTP/1.1\r\n" HOST "\r\n").method, HTTP_OTHER);
	assert_int_equal(good("CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n").method, HTTP_OTHER);
	bad("G(T / HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_METHOD_FORM, 400);
	bad("ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_METHOD_LONG, 501);
}

static void
targets(void **state)
{
	(void)state;
	struct http_request r = good("GET http://vendor.example:81/a?q HTTP/1.1\r\nHost: other\r\n\r\n");
	assert_true(view_is(r.host, "vendor.example"));
	assert_int_equal(r.port, 81);
	assert_true(view_is(r.path, "/a"));
	assert_true(view_is(r.query, "q"));
	r = good("GET HTTPS://vendor.example?q HTTP/1.1\r\nHost: other\r\n\r\n");
	assert_true(view_is(r.path, "/"));
	assert_true(view_is(r.query, "q"));
	r = good("GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n");
	assert_true(view_is(r.host, "[2001:db8::1]"));
	assert_int_equal(r.port, 8080);
	bad("GET ftp://h/ HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET http:///x HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET http://u@h/ HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET http://h:99999/ HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET * HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET x HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET /a#b HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("GET /a\tb HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	/* The server as a whole, and authorities: for one method each. */
	bad("POST * HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("CONNECT / HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("CONNECT h HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("CONNECT h: HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("CONNECT :1 HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
	bad("OPTIONS h:443 HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_TARGET_FORM, 400);
}

/* RFC 3986: what a strict listener takes for a target, and a module may get wrong. */
static void
targets_to_the_letter(void **state)
{
	(void)state;
	static const char *const odd[] = { "/a\"b", "/<a>", "/a\\b", "/a^b", "/a`b", "/{a}", "/a|b", "/a[1]",
		"/?a=[1]", "/%", "/%1", "/%1g", "/a?%zz", "http://h/%", "http://h/?|" };
	static const char *const fine[] = { "/-._~!$&'()*+,;=:@", "/%41%2f", "/?/?-._~!$&'()*+,;=:@%7e", "//",
		"/a//b", "http://h?%20", "/?" };
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		char text[128];
		snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", odd[i]);
		good(text);
		bad_in(HTTP_STRICT, view_str(text), HTTP_FAULT_TARGET_FORM, 400);
	}
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		struct http_request request;
		enum http_fault fault;
		char text[128];
		snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", fine[i]);
		assert_int_equal(parse(view_str(text), HTTP_STRICT, &request, &fault), HTTP_PARSE_DONE);
	}
}

static void
request_lines(void **state)
{
	(void)state;
	bad("GET /\r\n\r\n", HTTP_FAULT_LINE_FORM, 400);
	bad("GET\r\n\r\n", HTTP_FAULT_LINE_FORM, 400);
	bad(" GET / HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_LINE_FORM, 400);
	bad("GET  / HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_LINE_FORM, 400);
	bad("GET / HTTP/1.1 \r\n" HOST "\r\n", HTTP_FAULT_LINE_FORM, 400);
	bad("GET / x HTTP/1.1\r\n" HOST "\r\n", HTTP_FAULT_LINE_FORM, 400);
	bad("GET / HTTP/1.x\r\n" HOST "\r\n", HTTP_FAULT_VERSION_FORM, 400);
	bad("GET / http/1.1\r\n" HOST "\r\n", HTTP_FAULT_VERSION_FORM, 400);
	bad("GET / HTTP/11.1\r\n" HOST "\r\n", HTTP_FAULT_VERSION_FORM, 400);
	bad("GET / HTTP/2.0\r\n" HOST "\r\n", HTTP_FAULT_VERSION, 505);
	bad("PRI * HTTP/2.0\r\n\r\n", HTTP_FAULT_VERSION, 505);
	assert_int_equal(good("GET / HTTP/1.7\r\n" HOST "\r\n").minor, 1);
}

static void
persistence(void **state)
{
	(void)state;
	assert_false(good("GET / HTTP/1.0\r\n\r\n").keep_alive);
	assert_true(good("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
	assert_false(good("GET / HTTP/1.1\r\n" HOST "Connection: foo, CLOSE\r\n\r\n").keep_alive);
	assert_false(good("GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close"
	                  "\r\n\r\n").keep_alive);
	assert_true(good("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n").keep_alive);
}

static void
hosts(void **state)
{
	(void)state;
	bad("GET / HTTP/1.1\r\n\r\n", HTTP_FAULT_HOST_ABSENT, 400);
	bad("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HTTP_FAULT_HOST_REPEATED, 400);
	bad("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", HTTP_FAULT_HOST_REPEATED, 400);
	bad("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	bad("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", HTTP_FAULT_HOST_FORM, 400);
	assert_true(view_is(good("GET / HTTP/1.1\r\nHost: a%2D\r\n\r\n").host, "a%2D"));
	assert_int_equal(good("GET / HTTP/1.1\r\nHost:\r\n\r\n").host.n, 0);
	assert_int_equal(good("GET / HTTP/1.1\r\nHost: h:\r\n\r\n").port, 0);
}

static void
smuggling(void **state)
{
	(void)state;
	const char *line = "POST / HTTP/1.1\r\n" HOST;
	static const struct {
		const char *fields;
		enum http_fault fault;
		unsigned status;
	} cases[] = {
		{ "Content-Length: 5\r\nContent-Length: 6\r\n", HTTP_FAULT_LENGTH_REPEATED, 400 },
		{ "Content-Length: 5\r\nContent-Length: 5\r\n", HTTP_FAULT_LENGTH_REPEATED, 400 },
		{ "Content-Length: 5, 5\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length: +5\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length: -1\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length: 0x5\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length: 5 6\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length:\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length: 9223372036854775808\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length: 99999999999999999999999\r\n", HTTP_FAULT_LENGTH_FORM, 400 },
		{ "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		    HTTP_FAULT_LENGTH_AND_TE, 400 },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
		    HTTP_FAULT_LENGTH_AND_TE, 400 },
		{ "Transfer-Encoding: gzip, chunked\r\n", HTTP_FAULT_TE_UNKNOWN, 501 },
		{ "Transfer-Encoding: gzip\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: identity\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: chunked, identity\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: chunked, chunked\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: , chunked\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: chunked;q=1\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: \"chunked\"\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: xchunked\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: chunked\x0b\r\n", HTTP_FAULT_CONTROL, 400 },
		{ "Transfer-Encoding:\r\n", HTTP_FAULT_TE_FORM, 400 },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		    HTTP_FAULT_TE_REPEATED, 400 },
		{ "Transfer-Encoding : chunked\r\n", HTTP_FAULT_FIELD_FORM, 400 },
		{ "Content-Length : 5\r\n", HTTP_FAULT_FIELD_FORM, 400 },
		{ "X: a\r\n b\r\n", HTTP_FAULT_FIELD_FOLD, 400 },
		{ "X: a\r\n\tContent-Length: 5\r\n", HTTP_FAULT_FIELD_FOLD, 400 },
		{ "X\r\n", HTTP_FAULT_FIELD_FORM, 400 },
		{ ": x\r\n", HTTP_FAULT_FIELD_FORM, 400 },
		{ "X[]: x\r\n", HTTP_FAULT_FIELD_FORM, 400 },
		{ "X: a\rb\r\n", HTTP_FAULT_CR_BARE, 400 },
		{ "X: a\r\r\n", HTTP_FAULT_CR_BARE, 400 },
		{ "X: a\x01\r\n", HTTP_FAULT_CONTROL, 400 },
		{ "X: a\x7f\r\n", HTTP_FAULT_CONTROL, 400 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512];
		snprintf(text, sizeof text, "%s%s\r\n", line, cases[i].fields);
		bad(text, cases[i].fault, cases[i].status);
	}
	bad("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_FAULT_TE_VERSION, 400);
	static const char nul[] = "GET / HTTP/1.1\r\nHost: h\0x\r\n\r\n";
	bad_in(HTTP_LENIENT, view_of(nul, sizeof nul - 1), HTTP_FAULT_CONTROL, 400);
	/* A TLS hello on a plain port is refused at its first byte. */
	bad_in(HTTP_LENIENT, view_of("\x16\x03\x01", 3), HTTP_FAULT_CONTROL, 400);
}

static void
bodies(void **state)
{
	(void)state;
	struct http_request r = good("PUT / HTTP/1.1\r\n" HOST
	                             "Content-Length: 0189\r\nExpect: 100-Continue\r\n\r\nxx");
	assert_int_equal(r.body, HTTP_BODY_LENGTH);
	assert_int_equal(r.body_len, 189);
	assert_true(r.expect_continue);
	r = good("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n");
	assert_int_equal(r.body, HTTP_BODY_CHUNKED);
	r = good("PUT / HTTP/1.0\r\nContent-Length: 9223372036854775807\r\nExpect: 100-continue"
	         "\r\n\r\n");
	assert_true(r.body_len == INT64_MAX);
	assert_false(r.expect_continue);
	assert_int_equal(good("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n").body,
	    HTTP_BODY_NONE);
}

static void
line_feeds_alone(void **state)
{
	(void)state;
	const char *xinyi = "GET /f/ABCD HTTP/1.1\nHost: 10.0.0.1:8080\nRange: bytes=0-1023\n\n\n";
	struct http_request r = good(xinyi);
	assert_true(view_is(r.path, "/f/ABCD"));
	assert_int_equal(r.n_fields, 2);
	/* The third line feed belongs to what comes next, where it is skipped. */
	assert_int_equal(r.head_len, strlen(xinyi) - 1);
	r = good("\n\r\n\nGET / HTTP/1.1\n" HOST "\n");
	assert_int_equal(r.method, HTTP_GET);
	bad_in(HTTP_STRICT, view_str(xinyi), HTTP_FAULT_LF_BARE, 400);
}

static void
empty_lines_count_as_idle(void **state)
{
	(void)state;
	struct http_limits limits;
	struct http_request request;
	struct http_scan scan = { 0 };
	enum http_fault fault;
	http_head_limits(&limits);
	assert_true(http_head_is_blank(&scan));
	assert_int_equal(http_head_parse(&scan, view_str("\r\n"), HTTP_STRICT, &limits, &request,
	    &fault), HTTP_PARSE_MORE);
	assert_true(http_head_is_blank(&scan));
	assert_int_equal(http_head_parse(&scan, view_str("\r\nG"), HTTP_STRICT, &limits, &request,
	    &fault), HTTP_PARSE_MORE);
	assert_false(http_head_is_blank(&scan));
}

static const char *const real[] = {
	/* Quectel OpenCPU */
	"GET /f/k3jd92hx HTTP/1.1\r\nHost: 10.1.2.3:8080\r\nUser-Agent: QUECTEL_MODULE\r\n"
	"Accept: */*\r\nConnection: Keep-Alive\r\n\r\n",
	/* Nordic nRF91 */
	"GET /f/k3jd92hx HTTP/1.1\r\nHost: gate\r\nRange: bytes=2048-4095\r\n"
	"Connection: keep-alive\r\n\r\n",
	/* ABUP */
	"GET /pkg/1.bin?dev42 HTTP/1.1\r\nHost: iotapi.adups.com\r\nRange: bytes=4096-65536\r\n\r\n",
	/* swupdate */
	"HEAD /dl/fw.swu HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: libcurl-agent/1.0\r\n"
	"Content-Type: application/octet-stream\r\nAccept: application/octet-stream\r\n"
	"charsets: utf-8\r\ncharsets: utf-8\r\nAuthorization: TargetToken TARGETTOKEN123\r\n\r\n",
	/* rauc */
	"GET /plain.raucb HTTP/1.1\r\nHost: 127.0.0.1:8090\r\nAccept: */*\r\n"
	"Accept-Encoding: deflate, gzip, br, zstd\r\n\r\n",
	/* fwupd */
	"GET /firmware.xml.zst.jcat HTTP/1.1\r\nHost: localhost:8091\r\n"
	"User-Agent: fwupdtool/2.0.20 (Linux x86_64 6.18; C; Debian GNU/Linux 12) fwupd/2.0.20\r\n"
	"Accept: */*\r\n\r\n",
	/* mender */
	"GET /artifacts/a.mender?sig=x HTTP/1.1\r\nHost: localhost:8443\r\n"
	"User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\nRange: bytes=900000-\r\n\r\n",
	/* Anjay */
	"GET /fw.bin HTTP/1.1\r\nHost: 127.0.0.1:8092\r\nAccept-Encoding: gzip, deflate\r\n\r\n",
};

static void
real_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
		struct http_request request;
		enum http_fault fault;
		assert_int_equal(parse(view_str(real[i]), HTTP_STRICT, &request, &fault),
		    HTTP_PARSE_DONE);
		assert_int_equal(request.head_len, strlen(real[i]));
	}
}

/* Same answer however the bytes arrive: every single cut, and byte by byte. */
static void
cut_anywhere(void **state)
{
	(void)state;
	static const char *const more[] = {
		"\n\nGET / HTTP/1.1\nHost: h\n\n\nGET",
		"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n\r",
	};
	const size_t n_real = sizeof real / sizeof real[0], n_more = sizeof more / sizeof more[0];
	struct http_limits limits;
	http_head_limits(&limits);
	for (size_t i = 0; i < n_real + n_more; i++) {
		const char *text = i < n_real ? real[i] : more[i - n_real];
		struct http_request whole = { 0 }, cut = { 0 };
		enum http_fault fault, cut_fault;
		enum http_parse want = parse(view_str(text), HTTP_LENIENT, &whole, &fault);
		for (size_t step = 1; step <= strlen(text); step++) {
			struct http_scan scan = { 0 };
			enum http_parse got = HTTP_PARSE_MORE;
			cut_fault = HTTP_FAULT_NONE;
			for (size_t n = step; got == HTTP_PARSE_MORE; n += step) {
				size_t have = n < strlen(text) ? n : strlen(text);
				got = http_head_parse(&scan, view_of(text, have), HTTP_LENIENT,
				    &limits, &cut, &cut_fault);
				if (have == strlen(text))
					break;
			}
			assert_int_equal(got, want);
			assert_int_equal(cut_fault, fault);
			assert_int_equal(cut.head_len, whole.head_len);
			assert_int_equal(cut.n_fields, whole.n_fields);
		}
	}
}

/* A head that is at the limit passes; one more byte or line does not. */
static void
at_limit(const struct http_limits *limits, const char *fits, const char *exceeds,
    enum http_fault want)
{
	struct http_request request;
	struct http_scan scan = { 0 }, scan2 = { 0 };
	enum http_fault fault = HTTP_FAULT_NONE;
	assert_int_equal(http_head_parse(&scan, view_str(fits), HTTP_STRICT, limits, &request,
	    &fault), HTTP_PARSE_DONE);
	assert_int_equal(http_head_parse(&scan2, view_str(exceeds), HTTP_STRICT, limits, &request,
	    &fault), HTTP_PARSE_BAD);
	assert_string_equal(http_head_fault_id(fault), http_head_fault_id(want));
}

static void
limit_line(void **state)
{
	(void)state;
	const struct http_limits limits = { 16, 100, 1000, 10, 4 };
	at_limit(&limits, "GET /aa HTTP/1.1\r\nHost: h\r\n\r\n",
	    "GET /aaa HTTP/1.1\r\nHost: h\r\n\r\n", HTTP_FAULT_LINE_LONG);
}

static void
limit_field(void **state)
{
	(void)state;
	const struct http_limits limits = { 100, 8, 1000, 10, 4 };
	at_limit(&limits, "GET / HTTP/1.1\r\nHost: hh\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: hhh\r\n\r\n", HTTP_FAULT_FIELD_LONG);
}

static void
limit_head(void **state)
{
	(void)state;
	const struct http_limits limits = { 100, 100, 27, 10, 4 };
	/* Empty lines before it are on their own account. */
	at_limit(&limits, "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: hh\r\n\r\n", HTTP_FAULT_HEAD_LONG);
}

static void
limit_fields(void **state)
{
	(void)state;
	const struct http_limits limits = { 100, 100, 1000, 2, 4 };
	at_limit(&limits, "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\n\r\n", HTTP_FAULT_FIELDS_MANY);
}

static void
limit_blanks(void **state)
{
	(void)state;
	const struct http_limits limits = { 100, 100, 1000, 10, 2 };
	at_limit(&limits, "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
	    "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", HTTP_FAULT_BLANKS_MANY);
}

static void
every_fault_has_a_name_and_a_status(void **state)
{
	(void)state;
	for (int i = HTTP_FAULT_NONE + 1; i < HTTP_FAULT_COUNT; i++) {
		unsigned status = http_head_fault_status((enum http_fault)i);
		assert_true(strncmp(http_head_fault_id((enum http_fault)i), "HTTP-", 5) == 0);
		assert_true(status == 400 || status == 414 || status == 431 || status == 501 ||
		    status == 505);
	}
}

static void
lists(void **state)
{
	(void)state;
	struct view rest = view_str(" , a ,,\tb,c d , "), element;
	assert_true(http_head_element(&rest, &element) && view_is(element, "a"));
	assert_true(http_head_element(&rest, &element) && view_is(element, "b"));
	assert_true(http_head_element(&rest, &element) && view_is(element, "c d"));
	assert_false(http_head_element(&rest, &element));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_request),
		cmocka_unit_test(methods),
		cmocka_unit_test(targets),
		cmocka_unit_test(targets_to_the_letter),
		cmocka_unit_test(request_lines),
		cmocka_unit_test(persistence),
		cmocka_unit_test(hosts),
		cmocka_unit_test(smuggling),
		cmocka_unit_test(bodies),
		cmocka_unit_test(line_feeds_alone),
		cmocka_unit_test(empty_lines_count_as_idle),
		cmocka_unit_test(real_clients),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(limit_line),
		cmocka_unit_test(limit_field),
		cmocka_unit_test(limit_head),
		cmocka_unit_test(limit_fields),
		cmocka_unit_test(limit_blanks),
		cmocka_unit_test(every_fault_has_a_name_and_a_status),
		cmocka_unit_test(lists),
	};
	return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
