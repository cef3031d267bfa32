/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_conn_h1spec - a strict listener under the 33 cases of the public h1spec
 * list (github.com/uNetworking/h1spec): fifteen beginnings of one request, which
 * must be waited for, and eighteen whole ones. Where that list allows a range
 * of answers, ours is written down.
 */
#include "unit/gateway/net_rig.h"

#define WHOLE "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define ECHO "\r\nHost: example.com\r\n"

struct spec {
	const char *name;
	const char *bytes;
	unsigned status;  /* 0: none before the rest has come, or time is up */
	const char *body; /* that the owner must have been given */
};

static const struct spec specs[] = {
	{ "fragmented_method", "G", 0, NULL },
	{ "fragmented_target_1", "GET ", 0, NULL },
	{ "fragmented_target_2", "GET /hello", 0, NULL },
	{ "fragmented_target_3", "GET /hello ", 0, NULL },
	{ "fragmented_version", "GET /hello HTTP", 0, NULL },
	{ "fragmented_request_line", "GET /hello HTTP/1.1", 0, NULL },
	{ "fragmented_request_line_end_1", "GET /hello HTTP/1.1\r", 0, NULL },
	{ "fragmented_request_line_end_2", "GET /hello HTTP/1.1\r\n", 0, NULL },
	{ "fragmented_field_name", "GET /hello HTTP/1.1\r\nHos", 0, NULL },
	{ "fragmented_field_value_1", "GET /hello HTTP/1.1\r\nHost:", 0, NULL },
	{ "fragmented_field_value_2", "GET /hello HTTP/1.1\r\nHost: ", 0, NULL },
	{ "fragmented_field_value_3", "GET /hello HTTP/1.1\r\nHost: localhost", 0, NULL },
	{ "fragmented_field_value_4", "GET /hello HTTP/1.1\r\nHost: localhost\r", 0, NULL },
	{ "fragmented_fields", "GET /hello HTTP/1.1\r\nHost: localhost\r\n", 0, NULL },
	{ "fragmented_end", "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r", 0, NULL },
	{ "no_version", "GET / \r\n\r\n", 400, NULL },
	{ "expect_without_a_body", "GET / HTTP/1.1" ECHO "Expect: 100-continue\r\n\r\n", 200, NULL },
	{ "valid_get", "GET / HTTP/1.1" ECHO "\r\n", 200, NULL },
	{ "valid_get_with_edge_cases", "GET / HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\n\r\n", 200, NULL },
	{ "brackets_in_a_field_name", "GET / HTTP/1.1" ECHO "X-Invalid[]: test\r\n\r\n", 400, NULL },
	{ "no_host", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400, NULL },
	{ "two_hosts", "GET / HTTP/1.1" ECHO "Host: example.org\r\n\r\n", 400, NULL },
	{ "length_below_zero_and_any_integer",
	    "GET / HTTP/1.1" ECHO "Content-Length: -123456789123456789123456789\r\n\r\n", 400, NULL },
	{ "length_below_zero", "GET / HTTP/1.1" ECHO "Content-Length: -1234\r\n\r\n", 400, NULL },
	{ "length_of_letters", "GET / HTTP/1.1" ECHO "Content-Length: abc\r\n\r\n", 400, NULL },
	{ "empty_field_value", "GET / HTTP/1.1" ECHO "X-Empty-Header: \r\n\r\n", 200, NULL },
	{ "control_character", "GET / HTTP/1.1" ECHO "X-Bad-Control-Char: test\x07\r\n\r\n", 400, NULL },
	{ "version_of_the_future", "GET / HTTP/9.9" ECHO "\r\n", 505, NULL },
	{ "words_before_the_request", "Extra lineGET / HTTP/1.1" ECHO "\r\n", 400, NULL },
	{ "carriage_return_alone", "GET / HTTP/1.1" ECHO "\rSome-Header: Test\r\n\r\n", 400, NULL },
	{ "valid_post", "POST / HTTP/1.1" ECHO "Content-Length: 5\r\n\r\nhello", 200, "hello" },
	{ "valid_chunked_post",
	    "POST / HTTP/1.1" ECHO "Transfer-Encoding: chunked\r\n\r\nc\r\ntwelve BYTES\r\n0\r\n\r\n", 200,
	    "twelve BYTES" },
	{ "length_beside_transfer_encoding_in_any_case",
	    "POST / HTTP/1.1" ECHO "content-LengtH: 5\r\nTransFer-Encoding: chunked\r\n\r\n"
	    "c\r\ntwelve BYTES\r\n0\r\n\r\n", 400, NULL },
};

static struct rig *
strict(void)
{
	struct rig *r = rig_new(NULL, NULL, HTTP_STRICT);
	r->mode = RIG_OK;
	return r;
}

/* Not a byte back, until either the rest comes or the time for a head is over. */
static void
is_waited_for(const struct spec *spec)
{
	struct rig *r = strict();
	struct rig_client *c = rig_connect(r), *late = rig_connect(r);
	rig_send(r, c, spec->bytes);
	rig_send(r, late, spec->bytes);
	rig_assert_open(r, c);
	assert_int_equal(r->requests, 0);
	assert_memory_equal(spec->bytes, WHOLE, strlen(spec->bytes));
	struct rig_reply reply = rig_ask(r, c, WHOLE + strlen(spec->bytes));
	assert_int_equal(reply.status, 200);
	assert_string_equal(r->target, "/hello");
	rig_pass(r, 61000);
	assert_true(rig_reply_head(r, late, &reply));
	assert_int_equal(reply.status, 408);
	assert_int_equal(r->requests, 1);
	rig_hang_up(late);
	rig_hang_up(c);
	rig_free(r);
}

static void
is_answered(const struct spec *spec)
{
	struct rig *r = strict();
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply = rig_ask(r, c, spec->bytes);
	assert_int_equal(reply.status, spec->status);
	assert_int_equal(r->requests, spec->status == 200);
	if (spec->body) {
		assert_int_equal(r->body_n, strlen(spec->body));
		assert_memory_equal(r->body, spec->body, r->body_n);
	}
	/* What is refused ends the connection; what is answered leaves it as good as new. */
	if (spec->status != 200) {
		assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
		rig_assert_end(r, c);
	} else {
		reply = rig_ask(r, c, WHOLE);
		assert_int_equal(reply.status, 200);
		assert_string_equal(r->target, "/hello");
	}
	rig_hang_up(c);
	rig_free(r);
}

static void
h1spec(void **state)
{
	const struct spec *spec = *state;
	if (spec->status)
		is_answered(spec);
	else
		is_waited_for(spec);
}

int
main(void)
{
	enum { N = sizeof specs / sizeof specs[0] };
	_Static_assert(N == 33, "one test for each case of the list");
	struct CMUnitTest tests[N];
	for (size_t i = 0; i < N; i++)
		tests[i] = (struct CMUnitTest){ .name = specs[i].name, .test_func = h1spec,
			.initial_state = (void *)(uintptr_t)&specs[i] };
	return cmocka_run_group_tests_name("h1spec, strict", tests, NULL, NULL);
}
