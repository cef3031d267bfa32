/* SPDX-License-Identifier: Apache-2.0 */
/* What a request must show: secrets, origin, host; problems; pages. */
#include "gateway/console/guard.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/console/asset.h"
#include "gateway/console/problem.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TOKEN "fgt_ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8"

static char text[4096];
static struct http_request request;

static const struct http_request *
ask(const char *method, const char *fields)
{
	struct http_scan scan = { 0 };
	struct http_limits limits;
	enum http_fault fault = HTTP_FAULT_NONE;
	http_head_limits(&limits);
	snprintf(text, sizeof text, "%s /api/v1/x HTTP/1.1\r\nHost: gw.example:8443\r\n%s\r\n", method, fields);
	if (http_head_parse(&scan, view_str(text), HTTP_STRICT, &limits, &request, &fault) != HTTP_PARSE_DONE)
		fail_msg("%s: %s", fields, http_head_fault_id(fault));
	return &request;
}

static const char *
who(const char *fields, struct guard_id *id)
{
	const char *why = NULL;
	const char *no = guard_identify(ask("GET", fields), id, &why);
	assert_int_equal(no == NULL, why == NULL);
	return no;
}

static void
test_identify(void **state)
{
	static const uint8_t begins[] = { 0x00, 0x11, 0x22, 0x33 };
	struct guard_id id;
	(void)state;
	assert_null(who("", &id));
	assert_int_equal(id.who, GUARD_NOBODY);
	assert_null(who("Cookie: a=b; __Host-fg=" HEX "; c=d\r\n", &id));
	assert_int_equal(id.who, GUARD_SESSION);
	assert_memory_equal(id.secret, begins, sizeof begins);
	assert_null(who("Authorization: Bearer " TOKEN "\r\nCookie: __Host-fg=" HEX "\r\n", &id));
	assert_int_equal(id.who, GUARD_TOKEN);
	assert_memory_equal(id.secret, begins, sizeof begins);
	const char *why = NULL;
	const char *const keyed = "Cookie: x=1\r\nIdempotency-Key: 8e03978e-40d5-43dd-bc93-6894a57f9324\r\n";
	assert_null(guard_identify(ask("POST", keyed), &id, &why));
	assert_int_equal(id.key.n, 36);
	assert_null(who(keyed, &id)); /* a view has none */
	assert_int_equal(id.key.n, 0);
}

static void
test_identify_nobody(void **state)
{
	static const char *const nobody[] = {
		"Cookie: __Host-fg=\r\n", "Cookie: __Host-fg=" HEX "0\r\n", "Cookie: __host-fg=" HEX "\r\n",
		"Cookie: __Host-fg=00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff\r\n",
		"Cookie: x__Host-fg=" HEX "\r\n", "Cookie: __Host-fg=" HEX "; __Host-fg=" HEX "\r\n",
		"Cookie: __Host-fg=" HEX "\r\nCookie: __Host-fg=" HEX "\r\n", "Cookie: __Host-fg=\"" HEX "\"\r\n",
	};
	static const char *const refused[] = {
		"Authorization: Basic YTpi\r\n", "Authorization: Bearer \r\n", "Authorization: Bearer " TOKEN "x\r\n",
		"Authorization: bearer " TOKEN "\r\n", "Authorization: Bearer fgt_short\r\n",
		"Authorization: Bearer xyz_ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8\r\n",
		"Authorization: Bearer fgt_ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8\r\n",
		"Authorization: Bearer " TOKEN "\r\nAuthorization: Bearer " TOKEN "\r\n",
		"Authorization: Bearer fgt_ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v9\r\n", /* bits beyond 32 bytes */
	};
	static const char *const keys[] = {
		"Idempotency-Key: \r\n", "Idempotency-Key: a b\r\n", "Idempotency-Key: a\r\nIdempotency-Key: b\r\n",
		"Idempotency-Key: 01234567890123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678\r\n",
	};
	static const uint8_t zero[GUARD_SECRET];
	struct guard_id id;
	(void)state;
	for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
		assert_null(who(nobody[i], &id));
		if (id.who != GUARD_NOBODY)
			fail_msg("%s is somebody's", nobody[i]);
		assert_memory_equal(id.secret, zero, sizeof zero);
	}
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_string_equal(who(refused[i], &id), "SIGN-IN");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		assert_string_equal(who(keys[i], &id), "USAGE");
}

#define JSON "Content-Type: application/json\r\n"
#define CSRF "X-FG-CSRF: 1\r\n"

static const char *
origin(const char *method, enum guard_who w, const char *fields)
{
	const char *why = NULL;
	return guard_origin(ask(method, fields), w, &why);
}

static void
test_origin(void **state)
{
	static const char *const good[] = {
		CSRF JSON, CSRF "Content-Type: application/json; charset=utf-8\r\n",
		CSRF JSON "Origin: https://gw.example:8443\r\nSec-Fetch-Site: same-origin\r\n",
	};
	static const char *const forged[] = {
		JSON, "X-FG-CSRF: 0\r\n" JSON, CSRF CSRF JSON, CSRF JSON "Origin: https://gw.example\r\n",
		CSRF JSON "Origin: http://gw.example:8443\r\n", CSRF JSON "Origin: https://evil.example\r\n", CSRF JSON "Origin: null\r\n",
		CSRF JSON "Origin: \r\n", CSRF JSON "Origin: https://gw.example:8443\r\nOrigin: https://gw.example:8443\r\n",
		CSRF JSON "Sec-Fetch-Site: cross-site\r\n", CSRF JSON "Sec-Fetch-Site: same-site\r\n",
		CSRF JSON "Sec-Fetch-Site: none\r\n", CSRF JSON "Origin: https://gw.example:8443.evil.example\r\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_null(origin("POST", GUARD_SESSION, good[i]));
	for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
		const char *no = origin("POST", GUARD_SESSION, forged[i]);
		if (!no || strcmp(no, "CSRF") != 0)
			fail_msg("%s was taken", forged[i]);
		assert_string_equal(origin("DELETE", GUARD_NOBODY, forged[i]), "CSRF");
		assert_null(origin("GET", GUARD_SESSION, forged[i]));
		assert_null(origin("HEAD", GUARD_SESSION, forged[i]));
	}
	assert_string_equal(origin("POST", GUARD_SESSION, CSRF), "MEDIA-TYPE");
	assert_string_equal(origin("POST", GUARD_SESSION, CSRF "Content-Type: text/plain\r\n"), "MEDIA-TYPE");
	assert_string_equal(origin("POST", GUARD_SESSION, CSRF "Content-Type: application/jsonx\r\n"), "MEDIA-TYPE");
	assert_string_equal(origin("POST", GUARD_SESSION, CSRF JSON JSON), "MEDIA-TYPE");
	assert_null(origin("POST", GUARD_TOKEN, JSON "Origin: https://elsewhere.example\r\n"));
	assert_string_equal(origin("POST", GUARD_TOKEN, ""), "MEDIA-TYPE");
}

static void
test_unchanged(void **state)
{
	struct view etag = view_str("abc");
	(void)state;
	assert_true(guard_unchanged(ask("GET", "If-None-Match: \"abc\"\r\n"), etag));
	assert_true(guard_unchanged(ask("GET", "If-None-Match: \"x\", W/\"abc\"\r\n"), etag));
	assert_true(guard_unchanged(ask("GET", "If-None-Match: *\r\n"), etag));
	assert_false(guard_unchanged(ask("GET", "If-None-Match: \"abcd\"\r\n"), etag));
	assert_false(guard_unchanged(ask("GET", "If-None-Match: abc\r\n"), etag));
	assert_false(guard_unchanged(ask("GET", ""), etag));
}

static void
test_host(void **state)
{
	char host[16];
	(void)state;
	assert_true(guard_host(ask("GET", ""), host, sizeof host));
	assert_string_equal(host, "gw.example");
	assert_false(guard_host(ask("GET", ""), host, 10));
}

static void
test_problems(void **state)
{
	static const struct {
		unsigned status, http;
		const char *id;
	} rows[] = {
		{ 1, 401, "SIGN-IN" }, { 1, 401, "SECOND-FACTOR" }, { 1, 403, "DENIED" }, { 1, 404, "NOT-FOUND" }, { 2, 400, "USAGE" },
		{ 1, 409, "STATE" }, { 1, 409, "REFUSED" }, { 1, 429, "LIMIT" }, { 3, 503, "LOG-AWAY" }, { 3, 503, "LOCAL" },
		{ 2, 422, "KEY-REUSED" }, { 2, 400, "NEW" }, { 0, 503, "" }, { 9, 503, "?" },
	};
	struct problem p;
	struct json *doc = NULL;
	struct writer w;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(problem_status(rows[i].status, view_str(rows[i].id)), rows[i].http);
	problem_read(1, NULL, &p); /* no document at all */
	assert_int_equal(p.status, 409);
	writer_init(&w, PROBLEM_MAX);
	p.detail = view_str("\xff");
	problem_write(&p, &w);
	assert_int_equal(json_parse(writer_view(&w), &doc, NULL), 0);
	assert_true(json_is_canonical(doc, writer_view(&w)));
	assert_int_equal(json_count(json_root(doc)), 6);
	json_free(doc);
	writer_free(&w);
}

static void
test_background(void **state)
{
	(void)state;
	assert_true(guard_background(ask("GET", "X-FG-Background: 1\r\n")));
	assert_false(guard_background(ask("GET", "")));
	assert_false(guard_background(ask("GET", "X-FG-Background: 0\r\n")));
	assert_false(guard_background(ask("GET", "X-FG-Background: 1\r\nX-FG-Background: 1\r\n")));
}

static void
test_pages(void **state)
{
	static const char *const page[] = { "/", "/index.html", "/reviews/R-1", "/modules/imei:1", "/a-b_c" };
	static const char *const none[] = { "", "x", "/x.js", "/../index.html", "/./", "//", "/a//b", "/favicon.ico", "/a.b/c", "/a\\b",
		"/index.html/", "/INDEX.HTML", "/\xc3\xbc" };
	(void)state;
	for (size_t i = 0; i < sizeof page / sizeof page[0]; i++) {
		const struct asset *a = asset_find(view_str(page[i]));
		assert_non_null(a);
		assert_string_equal(a->name, ASSET_INDEX);
		assert_string_equal(asset_type(a), "text/html; charset=utf-8");
	}
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (asset_find(view_str(none[i])))
			fail_msg("%s is a page", none[i]);
	/* A type of its own for every file: one that is not known is not shown. */
	for (size_t i = 0; i < asset_table_n; i++) {
		assert_string_not_equal(asset_type(&asset_table[i]), "application/octet-stream");
		assert_int_equal(strlen(asset_table[i].etag), 64);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identify), cmocka_unit_test(test_identify_nobody), cmocka_unit_test(test_origin),
		cmocka_unit_test(test_unchanged), cmocka_unit_test(test_host), cmocka_unit_test(test_problems),
		cmocka_unit_test(test_pages), cmocka_unit_test(test_background),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
