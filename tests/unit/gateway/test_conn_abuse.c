/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_conn_abuse - requests written to be understood in two ways, or to cost
 * more than they should: in both modes one clear answer without a body, the
 * door, and never a request made of what came behind. Then sockets that end
 * where they should not.
 */
#include "unit/gateway/net_rig.h"

#define HEAD(more) "GET / HTTP/1.1\r\nHost: h\r\n" more "\r\n"
#define POST(more) "POST / HTTP/1.1\r\nHost: h\r\n" more "\r\n"
#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

struct abuse {
	const char *name;
	const char *text;
	size_t n;         /* 0: up to the terminator */
	unsigned status;
	enum http_fault fault;
};

#define BYTES(text) text, sizeof text - 1

static const struct abuse abuses[] = {
	{ "lengths_that_differ", POST("Content-Length: 5\r\nContent-Length: 50\r\n") "hello", 0, 400,
	    HTTP_FAULT_LENGTH_REPEATED },
	{ "lengths_that_agree", POST("Content-Length: 5\r\nContent-Length: 5\r\n") "hello", 0, 400,
	    HTTP_FAULT_LENGTH_REPEATED },
	{ "lengths_in_a_list", POST("Content-Length: 5, 5\r\n") "hello", 0, 400, HTTP_FAULT_LENGTH_FORM },
	{ "length_with_a_sign", POST("Content-Length: +5\r\n") "hello", 0, 400, HTTP_FAULT_LENGTH_FORM },
	{ "length_in_hexadecimal", POST("Content-Length: 0x5\r\n") "hello", 0, 400, HTTP_FAULT_LENGTH_FORM },
	{ "length_beyond_numbers", POST("Content-Length: 18446744073709551621\r\n") "hello", 0, 400,
	    HTTP_FAULT_LENGTH_FORM },
	{ "length_then_chunked", POST("Content-Length: 6\r\n" CHUNKED) "0\r\n\r\nX", 0, 400, HTTP_FAULT_LENGTH_AND_TE },
	{ "chunked_then_length", POST(CHUNKED "Content-Length: 6\r\n") "0\r\n\r\nX", 0, 400, HTTP_FAULT_LENGTH_AND_TE },
	{ "chunked_twice", POST(CHUNKED CHUNKED) "0\r\n\r\n", 0, 400, HTTP_FAULT_TE_REPEATED },
	{ "chunked_and_something", POST(CHUNKED "Transfer-Encoding: x\r\n") "0\r\n\r\n", 0, 400, HTTP_FAULT_TE_REPEATED },
	{ "chunked_not_last", POST("Transfer-Encoding: chunked, identity\r\n") "0\r\n\r\n", 0, 400, HTTP_FAULT_TE_FORM },
	{ "chunked_in_disguise", POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n", 0, 400, HTTP_FAULT_TE_FORM },
	{ "chunked_behind_a_tab", POST("Transfer-Encoding:\tchunked\tx\r\n") "0\r\n\r\n", 0, 400, HTTP_FAULT_TE_FORM },
	{ "coding_below_chunked", POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", 0, 501, HTTP_FAULT_TE_UNKNOWN },
	{ "chunked_in_1_0", "POST / HTTP/1.0\r\nHost: h\r\n" CHUNKED "\r\n0\r\n\r\n", 0, 400, HTTP_FAULT_TE_VERSION },
	{ "space_before_the_colon", POST("Content-Length : 5\r\n") "hello", 0, 400, HTTP_FAULT_FIELD_FORM },
	{ "space_before_the_first_field", "GET / HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n", 0, 400, HTTP_FAULT_FIELD_FOLD },
	{ "folded_by_a_space", HEAD("X: a\r\n b\r\n"), 0, 400, HTTP_FAULT_FIELD_FOLD },
	{ "folded_by_a_tab", POST("X: a\r\n\tContent-Length: 5\r\n") "hello", 0, 400, HTTP_FAULT_FIELD_FOLD },
	{ "name_of_a_chunk", HEAD("\x80: a\r\n"), 0, 400, HTTP_FAULT_FIELD_FORM },
	{ "nul_in_a_name", BYTES("GET / HTTP/1.1\r\nHost: h\r\nX\0: a\r\n\r\n"), 400, HTTP_FAULT_CONTROL },
	{ "nul_in_a_value", BYTES("GET / HTTP/1.1\r\nHost: h\0.example\r\n\r\n"), 400, HTTP_FAULT_CONTROL },
	{ "nul_in_a_target", BYTES("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, HTTP_FAULT_CONTROL },
	{ "escape_in_a_target", "GET /\x1b[2J HTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, HTTP_FAULT_CONTROL },
	{ "delete_in_a_value", HEAD("X: \x7f\r\n"), 0, 400, HTTP_FAULT_CONTROL },
	{ "vertical_tab", HEAD("X: \x0b\r\n"), 0, 400, HTTP_FAULT_CONTROL },
	{ "carriage_return_in_a_line", "GET / HTTP/1.1\rHost: h\r\n\r\n", 0, 400, HTTP_FAULT_CR_BARE },
	{ "carriage_return_twice", HEAD("X: a\r\r\n"), 0, 400, HTTP_FAULT_CR_BARE },
	{ "blank_before_the_line", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, HTTP_FAULT_LINE_FORM },
	{ "four_words", "GET / HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, HTTP_FAULT_LINE_FORM },
	{ "tab_between_words", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, HTTP_FAULT_LINE_FORM },
	{ "request_of_0_9", "GET /\r\n\r\n", 0, 400, HTTP_FAULT_LINE_FORM },
	{ "preface_of_2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505, HTTP_FAULT_VERSION },
	{ "hello_of_tls", "\x16\x03\x01\x02\x01\x01", 0, 400, HTTP_FAULT_CONTROL },
	{ "two_hosts", HEAD("hOST: g\r\n"), 0, 400, HTTP_FAULT_HOST_REPEATED },
	{ "host_with_a_user", "GET / HTTP/1.1\r\nHost: a@h\r\n\r\n", 0, 400, HTTP_FAULT_HOST_FORM },
	{ "target_with_a_user", "GET http://a@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, HTTP_FAULT_TARGET_FORM },
	{ "target_of_another_scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, HTTP_FAULT_TARGET_FORM },
	{ "chunk_lines_by_line_feed", POST(CHUNKED) "0\n\n", 0, 400, HTTP_FAULT_CHUNK_FORM },
	{ "line_feed_in_a_chunk_extension", POST(CHUNKED) "2;\nxx\r\n0\r\n\r\n", 0, 400, HTTP_FAULT_CHUNK_FORM },
	{ "chunk_longer_than_it_says", POST(CHUNKED) "1\r\nxx0\r\n\r\n", 0, 400, HTTP_FAULT_CHUNK_FORM },
	{ "chunk_size_with_a_sign", POST(CHUNKED) "+1\r\nx\r\n0\r\n\r\n", 0, 400, HTTP_FAULT_CHUNK_FORM },
	{ "chunk_size_with_a_prefix", POST(CHUNKED) "0x1\r\nx\r\n0\r\n\r\n", 0, 400, HTTP_FAULT_CHUNK_FORM },
	{ "chunk_size_of_zeros", POST(CHUNKED) "00000000000000000\r\n\r\n", 0, 400, HTTP_FAULT_CHUNK_LONG },
	{ "trailer_that_is_a_request", POST(CHUNKED) "0\r\n" SMUGGLED, 0, 400, HTTP_FAULT_CHUNK_FORM },
};

/* And then the same over and over again. */
#define WITHOUT_END 10000 /* bytes: more than any limit */
#define FIFTY "X2345678901234567890123456789012345678901234567890"
#define TWO_HUNDRED FIFTY ": " FIFTY FIFTY FIFTY "\r\n"

static const struct endless {
	struct abuse begin;
	const char *more;
} endless[] = {
	{ { "line_without_end", "GET /", 0, 414, HTTP_FAULT_LINE_LONG }, "a" },
	{ { "field_without_end", "GET / HTTP/1.1\r\nHost: h\r\nX: ", 0, 431, HTTP_FAULT_FIELD_LONG }, "a" },
	{ { "block_without_end", "GET / HTTP/1.1\r\nHost: h\r\n", 0, 431, HTTP_FAULT_HEAD_LONG }, TWO_HUNDRED },
	{ { "fields_without_end", "GET / HTTP/1.1\r\nHost: h\r\n", 0, 431, HTTP_FAULT_FIELDS_MANY }, "X: a\r\n" },
	{ { "empty_lines_without_end", "", 0, 400, HTTP_FAULT_BLANKS_MANY }, "\r\n" },
};

/* more: NULL, or what comes over and over behind it. */
static void
refused_in(enum http_mode mode, const struct abuse *a, const char *more)
{
	struct rig *r = rig_new(NULL, NULL, mode);
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply;
	r->mode = RIG_OK;
	/* A good request before, so that there is state to leak, and one behind, to be smuggled. */
	rig_send(r, c, "PUT /good HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nContent-Length: 2\r\n\r\nok");
	rig_send_bytes(r, c, a->text, a->n ? a->n : strlen(a->text));
	for (size_t n = 0; more && n < WITHOUT_END; n += strlen(more))
		rig_send(r, c, more);
	rig_send(r, c, SMUGGLED);
	assert_true(rig_reply_head(r, c, &reply));
	assert_int_equal(reply.status, 200);
	assert_true(rig_reply_head(r, c, &reply));
	assert_int_equal(reply.status, a->status);
	assert_int_equal(reply.length, 0); /* a client that flashes bodies flashes nothing */
	assert_non_null(strstr(reply.head, "\r\nConnection: close\r\n"));
	assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
	rig_assert_end(r, c);
	assert_false(c->reset);
	assert_int_equal(r->requests, 1);
	assert_string_equal(r->target, "/good");
	assert_int_equal(r->closed.why, CONN_WHY_REQUEST);
	assert_string_equal(http_head_fault_id(r->closed.fault), http_head_fault_id(a->fault));
	assert_int_equal(net_counters(r->net)->faults[a->fault], 1);
	rig_hang_up(c);
	rig_free(r);
}

static void
is_refused(void **state)
{
	refused_in(HTTP_STRICT, *state, NULL);
	refused_in(HTTP_LENIENT, *state, NULL);
}

static void
is_refused_in_time(void **state)
{
	const struct endless *e = *state;
	refused_in(HTTP_STRICT, &e->begin, e->more);
	refused_in(HTTP_LENIENT, &e->begin, e->more);
}

/* ---- ranges ---- */

/* What nobody honest asks for gets an answer as any other, no longer than the image, and is forgotten with it. */
static void
ranges_that_are_absurd_or_overlap(void **state)
{
	static const struct {
		const char *range;
		unsigned status;
		uint64_t length; /* 0: parts, with what frames them */
	} cases[] = {
		{ "bytes=0-,0-,0-,0-,0-,0-,0-,0-", 206, 1000 },
		{ "bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-", 200, 1000 }, /* one more than anybody may */
		{ "bytes=0-99,50-149", 206, 150 },
		{ "bytes=0-99,100-199", 206, 200 },
		{ "bytes=900-,0-999,-1", 206, 1000 },
		{ "bytes=0-0,2-2", 206, 0 },
		{ "bytes=5-4", 200, 1000 },
		{ "bytes=-0", 416, 0 },
		{ "bytes=1000-", 416, 0 },
		{ "bytes=18446744073709551615-", 416, 0 },
		{ "bytes=0-18446744073709551615", 206, 1000 },
		{ "bytes=0-99999999999999999999999", 206, 1000 },
		{ "bytes=-99999999999999999999999", 206, 1000 },
		{ "bytes=0x0-0x1", 200, 1000 },
		{ "bytes=", 200, 1000 },
	};
	(void)state;
	for (int mode = HTTP_STRICT; mode <= HTTP_LENIENT; mode++) {
		struct rig *r = rig_new(NULL, NULL, (enum http_mode)mode);
		struct rig_client *c = rig_connect(r);
		r->size = 1000;
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			char text[256];
			snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: h\r\nRange: %s\r\n\r\n", cases[i].range);
			struct rig_reply reply = rig_ask(r, c, text);
			if (reply.status != cases[i].status || (cases[i].length && reply.length != cases[i].length) ||
			    reply.length > r->size)
				fail_msg("%s: %u with %llu bytes", cases[i].range, reply.status, (unsigned long long)reply.length);
			rig_eat(c, reply.n);
			reply = rig_ask(r, c, HEAD(""));
			assert_int_equal(reply.status, 200);
			rig_assert_image(&reply, 0);
			rig_eat(c, reply.n);
		}
		rig_hang_up(c);
		rig_free(r);
	}
}

/* ---- sockets that end where they should not ---- */

static void
reset(struct rig_client *c)
{
	const struct linger now = { 1, 0 };
	assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(c->fd);
	c->fd = -1;
}

static const char *const stages[] = { "", "GE", "GET / HTTP/1.1\r\nHost: h\r\n",
	POST("Content-Length: 9\r\n") "abc", POST(CHUNKED) "5\r\nab", POST(CHUNKED) "0\r\n",
	POST("Content-Length: 9\r\nExpect: 100-continue\r\n"), HEAD(""), HEAD("Range: bytes=0-9,20-99999\r\n"),
	HEAD("") HEAD("") "GE", "GET / HTTP/1.0\r\n\r\nx" };

/* Each leaves nothing behind: as many ends as beginnings, every source let go, and the next is served. */
static void
sockets_reset_at_every_stage(void **state)
{
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	(void)state;
	r->size = 8 << 20; /* so that answers are under way, not in the kernel */
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
		for (int owner_waits = 0; owner_waits < 2; owner_waits++) {
			struct rig_client *c = rig_connect(r);
			r->mode = owner_waits ? RIG_HOLD : RIG_SERVE;
			rig_settle(r);
			rig_send(r, c, stages[i]);
			rig_settle(r);
			reset(c);
			rig_settle(r);
			assert_int_equal(net_counters(r->net)->conns, 0);
			rig_hang_up(c);
		}
	}
	assert_int_equal(r->closes, net_counters(r->net)->accepted);
	assert_int_equal(r->done, r->sents);
	r->size = 1000;
	r->mode = RIG_SERVE;
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply = rig_ask(r, c, HEAD("Range: bytes=5-9\r\n"));
	assert_int_equal(reply.status, 206);
	rig_assert_image(&reply, 5);
	rig_hang_up(c);
	rig_free(r);
}

/* Half-closed: what was asked in full is answered, what was not gets no answer at all. */
static void
sockets_half_closed_at_every_stage(void **state)
{
	static const unsigned answers[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 1 };
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	(void)state;
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
		struct rig_client *c = rig_connect(r);
		struct rig_reply reply;
		unsigned n = 0;
		rig_send(r, c, stages[i]);
		assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
		while (rig_reply_head(r, c, &reply)) {
			n += reply.status != 100; /* which may be out before the end is in */
			assert_true(reply.status == 100 || reply.status == 200 || reply.status == 206);
			rig_body(r, c, &reply);
			rig_eat(c, reply.n);
		}
		assert_int_equal(n, answers[i]);
		assert_false(c->reset);
		rig_settle(r);
		assert_int_equal(net_counters(r->net)->conns, 0);
		rig_hang_up(c);
	}
	rig_free(r);
}

/* A thousand requests in one write are a thousand answers, in turn with everybody else's. */
static void
pipelining_without_end(void **state)
{
	enum { N = 1000 };
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	struct rig_client *c = rig_connect(r), *other = rig_connect(r);
	char *text = calloc(N, 64), *p = text;
	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < N; i++)
		p += sprintf(p, "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=%u-%u\r\n\r\n", i, i);
	rig_settle(r);
	assert_true(send(c->fd, text, (size_t)(p - text), MSG_NOSIGNAL) > 0);
	assert_true(send(other->fd, HEAD("Range: bytes=0-1\r\n"), sizeof HEAD("Range: bytes=0-1\r\n") - 1, MSG_NOSIGNAL) > 0);
	rig_pump(r);
	rig_pump(r);
	assert_true(net_counters(r->net)->requests < N / 2);
	rig_read(other);
	assert_true(other->n > 0); /* before the thousand are through */
	for (unsigned i = 0; i < N; i++) {
		struct rig_reply reply;
		assert_true(rig_reply_head(r, c, &reply));
		rig_body(r, c, &reply);
		assert_int_equal(reply.n, 1);
		rig_assert_image(&reply, i);
		rig_eat(c, 1);
	}
	free(text);
	rig_hang_up(other);
	rig_hang_up(c);
	rig_free(r);
}

int
main(void)
{
	enum { N = sizeof abuses / sizeof abuses[0], M = sizeof endless / sizeof endless[0] };
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(ranges_that_are_absurd_or_overlap),
		cmocka_unit_test(sockets_reset_at_every_stage),
		cmocka_unit_test(sockets_half_closed_at_every_stage),
		cmocka_unit_test(pipelining_without_end),
	};
	struct CMUnitTest tests[N + M + sizeof others / sizeof others[0]];
	for (size_t i = 0; i < N; i++)
		tests[i] = (struct CMUnitTest){ .name = abuses[i].name, .test_func = is_refused,
			.initial_state = (void *)(uintptr_t)&abuses[i] };
	for (size_t i = 0; i < M; i++)
		tests[N + i] = (struct CMUnitTest){ .name = endless[i].begin.name, .test_func = is_refused_in_time,
			.initial_state = (void *)(uintptr_t)&endless[i] };
	memcpy(tests + N + M, others, sizeof others);
	return cmocka_run_group_tests_name("abuse", tests, NULL, NULL);
}
