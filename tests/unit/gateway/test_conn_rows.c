/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_conn_rows - MODULE_PROTOCOLS.md section 1, row by row, each with the
 * request bytes of the clients that row is about.
 */
#include "unit/gateway/net_rig.h"

#define OPENCPU                                                                                    \
	"GET /f/k3jd92hx HTTP/1.1\r\nHost: 10.1.2.3:8080\r\nUser-Agent: QUECTEL_MODULE\r\n"      \
	"Accept: */*\r\nConnection: Keep-Alive\r\n\r\n"
#define NORDIC(range)                                                                              \
	"GET /f/k3jd92hx HTTP/1.1\r\nHost: gate\r\nRange: bytes=" range                          \
	"\r\nConnection: keep-alive\r\n\r\n"
#define ABUP(range)                                                                                \
	"GET /pkg/1.bin?dev42 HTTP/1.1\r\nHost: iotapi.adups.com\r\nRange: bytes=" range "\r\n\r\n"
#define SWUPDATE(method)                                                                           \
	method " /dl/fw.swu HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: libcurl-agent/1.0\r\n" \
	       "Content-Type: application/octet-stream\r\nAccept: application/octet-stream\r\n"   \
	       "Authorization: TargetToken TARGETTOKEN123\r\n\r\n"

/* Line feeds only, and three of them at the end */
#define XINYI(range) "GET /f/k3jd92hx HTTP/1.1\nHost: 10.0.0.1:8080\nRange: bytes=" range "\n\n\n"
#define ESP_IDF(method, more)                                                                      \
	method " /f/k3jd92hx HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: gate:8080\r\n"  \
	       more "Content-Length: 0\r\n\r\n"
#define RAUC(range)                                                                                \
	"GET /v.raucb HTTP/1.1\r\nHost: 127.0.0.1:8090\r\nUser-Agent: rauc/1.8\r\nAccept: */*\r\n"    \
	"Range: bytes=" range "\r\n\r\n"
#define MENDER(method, path)                                                                       \
	method " " path " HTTP/1.1\r\nHost: localhost:8443\r\nUser-Agent: Go-http-client/1.1\r\n"     \
	       "Transfer-Encoding: chunked\r\nAuthorization: Bearer t0ken\r\n"                        \
	       "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
#define MENDER_IMAGE                                                                               \
	"GET /artifacts/a.mender?sig=x HTTP/1.1\r\nHost: localhost:8443\r\n"                          \
	"User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n"
#define ANJAY(more)                                                                                \
	"GET /fw.bin HTTP/1.1\r\nHost: 127.0.0.1:8092\r\nAccept-Encoding: gzip, deflate\r\n" more "\r\n"

struct fixture {
	struct rig *r;
	struct rig_client *c;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->r = rig_new(NULL, NULL, HTTP_LENIENT);
	f->c = rig_connect(f->r);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	rig_hang_up(f->c);
	rig_free(f->r);
	free(f);
	return 0;
}

static void
row_01_content_length_never_chunked(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c, OPENCPU);
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.length, f->r->size);
	rig_assert_image(&reply, 0);
	rig_eat(f->c, reply.n);
	/* Nor in any other answer, whatever the client says it could take. */
	static const char *const requests[] = { OPENCPU, XINYI("0-1023"), MENDER_IMAGE, NORDIC("0-9"), NORDIC("999999-"),
		"GET / HTTP/1.1\r\nHost: h\r\nTE: chunked, trailers\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\n\r\n", "junk\r\n\r\n" };
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		reply = rig_ask(f->r, f->c, requests[i]);
		assert_null(strstr(reply.head, "Transfer-Encoding"));
		assert_non_null(strstr(reply.head, "\r\nContent-Length: "));
		rig_eat(f->c, reply.n);
	}
}

static void
row_02_exact_spelling(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c, ABUP("4096-8191"));
	assert_int_equal(strncmp(reply.head, "HTTP/1.1 206 Partial Content\r\n", 30), 0);
	assert_non_null(strstr(reply.head, "\r\nContent-Length: 4096\r\n"));
	assert_non_null(strstr(reply.head, "\r\nContent-Range: bytes 4096-8191/100000\r\n"));
	assert_non_null(strstr(reply.head, "\r\nConnection: keep-alive\r\n"));
	/* Every line ends in CR LF. */
	for (const char *p = reply.head; (p = strchr(p, '\n')); p++)
		assert_int_equal(p[-1], '\r');
}

static void
row_03_connection_always(void **state)
{
	struct fixture *f = *state;
	static const char *const requests[] = {
		OPENCPU, NORDIC("0-9"), NORDIC("999999-"), SWUPDATE("HEAD"), SWUPDATE("POST"),
		"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "junk\r\n\r\n",
		/* ABUP's check, which takes an answer without the line for an error */
		"POST /product/1514/dev42/ota/checkVersion HTTP/1.1\r\nHost: iotapi.adups.com\r\n"
		"Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"mid\":\"49015420\"}",
	};
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct rig_client *c = rig_connect(f->r);
		struct rig_reply reply;
		rig_send(f->r, c, requests[i]);
		assert_true(rig_reply_head(f->r, c, &reply));
		assert_non_null(strstr(reply.head, "\r\nConnection: "));
		rig_hang_up(c);
	}
}

static void
row_04_small_head_in_one_segment(void **state)
{
	struct fixture *f = *state;
	f->r->size = UINT64_C(1) << 60; /* long numbers */
	rig_send(f->r, f->c, XINYI("1152921504606845952-1152921504606846975"));
	/* One recv of 512 bytes, as XinYi does, holds the head and the first body bytes. */
	rig_settle(f->r);
	char first[512];
	ssize_t n = recv(f->c->fd, first, sizeof first, 0);
	assert_int_equal(n, 512);
	const char *end = memmem(first, 512, "\r\n\r\n", 4);
	assert_non_null(end);
	assert_non_null(memmem(first, (size_t)(end - first), "Content-Length: 1024", 20));
	assert_null(memmem(first, (size_t)(end - first), "Cookie", 6));
}

static void
row_05_range_gets_206_and_no_range_200(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c, NORDIC("2048-4095"));
	assert_int_equal(reply.status, 206);
	assert_non_null(strstr(reply.head, "Content-Range: bytes 2048-4095/100000\r\n"));
	rig_assert_image(&reply, 2048);
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, NORDIC("0-99999")); /* all of it is still a range */
	assert_int_equal(reply.status, 206);
	assert_int_equal(reply.length, 100000);
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, OPENCPU);
	assert_int_equal(reply.status, 200);
	assert_null(strstr(reply.head, "Content-Range"));
}

static void
row_06_end_beyond_the_image_is_clamped(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c, ABUP("98304-102400"));
	assert_int_equal(reply.status, 206);
	assert_non_null(strstr(reply.head, "Content-Range: bytes 98304-99999/100000\r\n"));
	rig_assert_image(&reply, 98304);
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, ESP_IDF("GET", "Range: bytes=99000-100000\r\n")); /* one past */
	assert_int_equal(reply.status, 206);
	assert_int_equal(reply.length, 1000);
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, NORDIC("100000-"));
	assert_int_equal(reply.status, 416);
	assert_non_null(strstr(reply.head, "Content-Range: bytes */100000\r\n"));
	assert_int_equal(reply.length, 0);
}

static void
row_07_open_ranges_and_probes(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c, RAUC("0-3"));
	assert_int_equal(reply.status, 206);
	assert_non_null(strstr(reply.head, "Content-Range: bytes 0-3/100000\r\n"));
	assert_int_equal(reply.n, 4);
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, ESP_IDF("GET", "Range: bytes=0-0\r\n"));
	assert_int_equal(reply.length, 1);
	assert_non_null(strstr(reply.head, "Content-Range: bytes 0-0/100000\r\n"));
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, NORDIC("99990-"));
	assert_int_equal(reply.length, 10);
	rig_assert_image(&reply, 99990);
}

static void
row_08_head_has_the_true_length(void **state)
{
	struct fixture *f = *state;
	struct rig_reply head, reply;
	rig_send(f->r, f->c, SWUPDATE("HEAD"));
	assert_true(rig_reply_head(f->r, f->c, &head));
	rig_assert_open(f->r, f->c); /* and no body */
	reply = rig_ask(f->r, f->c, SWUPDATE("GET"));
	assert_string_equal(head.head, reply.head);
	assert_int_equal(head.length, f->r->size);
	assert_int_equal(f->r->done, 2);
	rig_eat(f->c, reply.n);
	/* ESP-IDF's partial mode: the length first, then pieces of it */
	rig_send(f->r, f->c, ESP_IDF("HEAD", ""));
	assert_true(rig_reply_head(f->r, f->c, &head));
	assert_int_equal(head.length, f->r->size);
	reply = rig_ask(f->r, f->c, ESP_IDF("GET", "Range: bytes=0-65535\r\n"));
	rig_assert_image(&reply, 0);
	assert_int_equal(reply.n, 65536);
}

static void
row_09_bare_line_feeds_and_six_writes(void **state)
{
	struct fixture *f = *state;
	/* XinYi/MeiG: line feeds only, three at the end; twice on one connection */
	for (int i = 0; i < 2; i++) {
		struct rig_reply reply = rig_ask(f->r, f->c, XINYI("0-1023"));
		assert_int_equal(reply.status, 206);
		assert_int_equal(reply.n, 1024);
		rig_assert_image(&reply, 0);
		rig_eat(f->c, reply.n);
	}
	/* Quectel OpenCPU: six writes */
	static const char *const writes[] = { "GET ", "/f/k3jd92hx", " HTTP/1.1\r\n",
		"Host: 10.1.2.3:8080\r\n", "User-Agent: QUECTEL_MODULE\r\nAccept: */*\r\n",
		"Connection: Keep-Alive\r\n\r\n" };
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(f->r->requests, 2);
		rig_send(f->r, f->c, writes[i]);
		rig_settle(f->r);
	}
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(f->r->host, "10.1.2.3");
	assert_int_equal(f->r->port, 8080);
	/* A strict listener takes neither. */
	struct rig *strict = rig_new(NULL, NULL, HTTP_STRICT);
	struct rig_client *c = rig_connect(strict);
	reply = rig_ask(strict, c, "GET / HTTP/1.1\nHost: h\n\n");
	assert_int_equal(reply.status, 400);
	rig_hang_up(c);
	rig_free(strict);
}

static void
row_10_chunked_request_bodies(void **state)
{
	struct fixture *f = *state;
	/* mender-client 3.4.0: everything but its first request comes so */
	static const char inventory[] = "[{\"name\":\"fw\",\"value\":\"EC21EFAR06A07M4G\"}]";
	static const char next[] = "{\"device_provides\":{\"artifact_name\":\"rel-1\"}}";
	f->r->mode = RIG_OK;
	struct rig_reply reply = rig_ask(f->r, f->c, MENDER("PUT", "/api/devices/v1/inventory/device/attributes")
	    "2a\r\n[{\"name\":\"fw\",\"value\":\"EC21EFAR06A07M4G\"}]\r\n0\r\n\r\n");
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
	assert_int_equal(f->r->body_n, strlen(inventory));
	assert_memory_equal(f->r->body, inventory, f->r->body_n);
	f->r->body_n = 0;
	/* In two chunks and many segments, and at once with the next request */
	rig_send(f->r, f->c, MENDER("POST", "/api/devices/v2/deployments/device/deployments/next"));
	for (const char *p = "14\r\n{\"device_provides\":{\r\n19\r\n\"artifact_name\":\"rel-1\"}}\r\n0\r\n\r\n"; *p; p++)
		rig_send_bytes(f->r, f->c, p, 1);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 200);
	assert_int_equal(f->r->body_n, strlen(next));
	assert_memory_equal(f->r->body, next, f->r->body_n);
	f->r->body_n = 0;
	rig_send(f->r, f->c, MENDER("PUT", "/api/devices/v1/deployments/device/deployments/dep-1/status")
	    "18\r\n{\"status\":\"downloading\"}\r\n0\r\n\r\n" MENDER_IMAGE);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(f->r->body_n, 24);
	assert_string_equal(f->r->target, "/artifacts/a.mender?sig=x");
	assert_int_equal(f->r->requests, 4);
}

#define CONFIG_DATA                                                                                \
	"{ \"id\": \"\", \"time\": \"20261122T235058\", \"status\": { \"result\": { \"finished\": \"success\" }, " \
	"\"execution\": \"closed\", \"details\" : [ \"\" ] }, \"data\" : {  \"imei\": \"490154203237518\"," \
	"\"board\": \"testboard\" } }"

static void
row_11_expect_100_continue(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply;
	char text[512];
	f->r->mode = RIG_OK;
	/* swupdate's configData: head, wait, body */
	snprintf(text, sizeof text,
	    "PUT /default/controller/v1/mod-0001/configData HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
	    "User-Agent: libcurl-agent/1.0\r\nContent-Type: application/json\r\n"
	    "Accept: application/json\r\ncharsets: utf-8\r\ncharsets: utf-8\r\n"
	    "Authorization: TargetToken TARGETTOKEN123\r\nContent-Length: %zu\r\n"
	    "Expect: 100-continue\r\n\r\n", strlen(CONFIG_DATA));
	rig_send(f->r, f->c, text);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 100);
	assert_int_equal(f->r->requests, 0); /* the owner hears of it when the body is in */
	rig_send(f->r, f->c, CONFIG_DATA);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
	assert_int_equal(f->r->body_n, strlen(CONFIG_DATA));
	/* Nothing is promised when the body comes unasked. */
	rig_send(f->r, f->c, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
	                     "Expect: 100-continue\r\n\r\nab");
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 200);
	/* A chunked body is waited for likewise; one that may not come is refused before it does. */
	rig_send(f->r, f->c, "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
	                     "Expect: 100-continue\r\n\r\n");
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 100);
	reply = rig_ask(f->r, f->c, "2\r\nab\r\n0\r\n\r\n");
	assert_int_equal(reply.status, 200);
	reply = rig_ask(f->r, f->c, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n"
	                            "Expect: 100-continue\r\n\r\n");
	assert_int_equal(reply.status, 200); /* the owner's word, at once */
	assert_non_null(strstr(reply.head, "Connection: close\r\n"));
}

static void
row_12_never_content_encoded(void **state)
{
	struct fixture *f = *state;
	static const char *const requests[] = { MENDER_IMAGE, ANJAY(""),
		"GET /plain.raucb HTTP/1.1\r\nHost: 127.0.0.1:8090\r\nAccept: */*\r\n"
		"Accept-Encoding: deflate, gzip, br, zstd\r\n\r\n" };
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct rig_reply reply = rig_ask(f->r, f->c, requests[i]);
		assert_null(strstr(reply.head, "Content-Encoding"));
		assert_int_equal(reply.length, f->r->size);
		rig_assert_image(&reply, 0);
		rig_eat(f->c, reply.n);
	}
}

static void
row_13_no_redirects(void **state)
{
	struct fixture *f = *state;
	static const char *const targets[] = { "/", "/a", "/a/", "//a", "/a/../b",
		"http://other.example/a" };
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		char text[128];
		snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", targets[i]);
		struct rig_reply reply = rig_ask(f->r, f->c, text);
		assert_int_equal(reply.status, 200);
		assert_null(strstr(reply.head, "Location"));
		assert_string_equal(f->r->target, targets[i]); /* the owner sees what was sent */
		rig_eat(f->c, reply.n);
	}
}

static void
row_14_one_connection_for_a_whole_image(void **state)
{
	struct fixture *f = *state;
	for (unsigned at = 0; at < 100000; at += 2048) {
		char text[160];
		snprintf(text, sizeof text, NORDIC("%u-%u"), at, at + 2047);
		struct rig_reply reply = rig_ask(f->r, f->c, text);
		assert_int_equal(reply.status, 206);
		assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
		rig_assert_image(&reply, at);
		rig_eat(f->c, reply.n);
	}
	assert_int_equal(net_counters(f->r->net)->accepted, 1);
	assert_int_equal(f->r->closes, 0);
}

static void
row_15_no_request_is_parked(void **state)
{
	struct fixture *f = *state;
	f->r->mode = RIG_HOLD;
	rig_send(f->r, f->c, OPENCPU);
	rig_settle(f->r);
	assert_int_equal(f->r->requests, 1);
	/* An owner that does not answer in time has the connection taken away: closing
	 * without a byte is the one answer no module flashes. */
	rig_pass(f->r, 29000);
	assert_int_equal(f->r->closes, 0);
	rig_pass(f->r, 2000);
	rig_assert_end(f->r, f->c);
	assert_int_equal(f->r->closed.limit, NET_LIMIT_ANSWER_TIME);
	assert_null(conn_find(f->r->net, f->r->held));
}

static void
row_16_strong_etag_and_last_modified(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c, NORDIC("0-9"));
	assert_non_null(strstr(reply.head, "\r\nETag: \"" RIG_ETAG "\"\r\n"));
	assert_non_null(strstr(reply.head, "\r\nLast-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\n"));
	assert_non_null(strstr(reply.head, "\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"));
	rig_eat(f->c, reply.n);
	/* Anjay's resume, and what it takes for "the image has changed" */
	reply = rig_ask(f->r, f->c, ANJAY("If-Match: \"" RIG_ETAG "\"\r\nRange: bytes=5000-\r\n"));
	assert_int_equal(reply.status, 206);
	rig_assert_image(&reply, 5000);
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, ANJAY("If-Match: \"other\"\r\nRange: bytes=5000-\r\n"));
	assert_int_equal(reply.status, 412);
}

static void
row_17_short_urls_with_explicit_port(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c,
	    "GET /f/k3jd92hx HTTP/1.1\r\nHost: gate.example:8080\r\n\r\n");
	assert_int_equal(reply.status, 200);
	assert_string_equal(f->r->host, "gate.example");
	assert_int_equal(f->r->port, 8080);
	rig_eat(f->c, reply.n);
	/* The longest URL any known client can be given is far from a limit of ours. */
	char text[2200];
	memset(text, 'a', sizeof text);
	memcpy(text, "GET /", 5);
	memcpy(text + 2053, " HTTP/1.1\r\nHost: h\r\n\r\n", 23);
	reply = rig_ask(f->r, f->c, text);
	assert_int_equal(reply.status, 200);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(row_01_content_length_never_chunked),
		ROW(row_02_exact_spelling),
		ROW(row_03_connection_always),
		ROW(row_04_small_head_in_one_segment),
		ROW(row_05_range_gets_206_and_no_range_200),
		ROW(row_06_end_beyond_the_image_is_clamped),
		ROW(row_07_open_ranges_and_probes),
		ROW(row_08_head_has_the_true_length),
		ROW(row_09_bare_line_feeds_and_six_writes),
		ROW(row_10_chunked_request_bodies),
		ROW(row_11_expect_100_continue),
		ROW(row_12_never_content_encoded),
		ROW(row_13_no_redirects),
		ROW(row_14_one_connection_for_a_whole_image),
		ROW(row_15_no_request_is_parked),
		ROW(row_16_strong_etag_and_last_modified),
		ROW(row_17_short_urls_with_explicit_port),
	};
	enum { N = sizeof tests / sizeof tests[0] };
	_Static_assert(N == 17, "one test for each row");
	for (unsigned i = 0; i < N; i++) {
		unsigned row = 0;
		if (sscanf(tests[i].name, "row_%2u_", &row) != 1 || row != i + 1)
			return 1;
	}
	return cmocka_run_group_tests_name("MODULE_PROTOCOLS section 1", tests, NULL, NULL);
}
