/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/net_rig.h"

#include <sys/mman.h>

#define GET "GET /f/a HTTP/1.1\r\nHost: h\r\n\r\n"
#define RANGE(r) "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=" r "\r\n\r\n"

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
pipelined_requests_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply;
	rig_send(f->r, f->c, RANGE("0-9") RANGE("10-29") "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" RANGE("30-"));
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	assert_int_equal(reply.n, 10);
	rig_assert_image(&reply, 0);
	rig_eat(f->c, reply.n);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	assert_int_equal(reply.n, 20);
	rig_assert_image(&reply, 10);
	rig_eat(f->c, reply.n);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 200);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	assert_int_equal(reply.n, 100000 - 30);
	rig_assert_image(&reply, 30);
	assert_int_equal(f->r->sent_number, 4);
}

static void
the_next_request_waits_for_the_answer(void **state)
{
	struct fixture *f = *state;
	f->r->mode = RIG_HOLD;
	rig_send(f->r, f->c, RANGE("0-9") RANGE("10-19"));
	rig_settle(f->r);
	assert_int_equal(f->r->requests, 1);
	uint64_t id = f->r->held;
	struct conn *conn = conn_find(f->r->net, id);
	assert_non_null(conn);
	assert_int_equal(conn_request_number(conn), 1);
	assert_int_equal(rig_serve(f->r, conn), FG_OK);
	/* Answered once: a second answer is refused and its source let go. */
	assert_null(conn_request(conn));
	assert_int_equal(rig_serve(f->r, conn), FG_ESTATE);
	assert_int_equal(f->r->done, 1);
	rig_settle(f->r);
	assert_int_equal(f->r->requests, 2);
	assert_int_equal(f->r->held, id);
	assert_int_equal(rig_serve(f->r, conn), FG_OK);
	rig_settle(f->r);
	assert_int_equal(f->r->sents, 2);
	assert_int_equal(f->r->done, 3);
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	rig_eat(f->c, reply.n);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	rig_assert_image(&reply, 10);
}

static void
a_peer_gone_while_the_owner_thinks(void **state)
{
	struct fixture *f = *state;
	f->r->mode = RIG_HOLD;
	rig_send(f->r, f->c, GET);
	rig_settle(f->r);
	uint64_t id = f->r->held;
	const struct linger now = { 1, 0 };
	assert_int_equal(setsockopt(f->c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(f->c->fd);
	f->c->fd = -1;
	rig_settle(f->r);
	assert_int_equal(f->r->closes, 1);
	assert_int_equal(f->r->closed.why, CONN_WHY_PEER_BROKE);
	assert_int_equal(f->r->sents, 0);
	assert_null(conn_find(f->r->net, id));
	/* The slot is used again, the id is not. */
	struct rig_client *c = rig_connect(f->r);
	rig_send(f->r, c, GET);
	rig_settle(f->r);
	assert_int_equal(f->r->requests, 2);
	assert_true(f->r->held != id);
	assert_null(conn_find(f->r->net, id));
	assert_null(conn_find(f->r->net, 0));
	assert_null(conn_find(f->r->net, UINT64_MAX));
	rig_hang_up(c);
}

static void
half_closed_clients_get_their_answer(void **state)
{
	struct fixture *f = *state;
	rig_send(f->r, f->c, GET);
	assert_int_equal(shutdown(f->c->fd, SHUT_WR), 0);
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	assert_int_equal(reply.n, 100000);
	rig_eat(f->c, reply.n);
	rig_assert_end(f->r, f->c);
	assert_false(f->c->reset);
	assert_int_equal(f->r->closed.why, CONN_WHY_PEER);
}

static void
half_closed_inside_a_head(void **state)
{
	struct fixture *f = *state;
	rig_send(f->r, f->c, "GET / HTTP/1.1\r\nHo");
	assert_int_equal(shutdown(f->c->fd, SHUT_WR), 0);
	rig_assert_end(f->r, f->c);
	assert_int_equal(f->r->closed.why, CONN_WHY_PEER_BROKE);
	assert_int_equal(f->r->requests, 0);
}

static void
a_reset_inside_the_body_is_told(void **state)
{
	struct fixture *f = *state;
	f->r->size = 64 << 20;
	rig_send(f->r, f->c, GET);
	rig_want(f->r, f->c, 100000);
	const struct linger now = { 1, 0 };
	assert_int_equal(setsockopt(f->c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(f->c->fd);
	f->c->fd = -1;
	rig_settle(f->r);
	assert_int_equal(f->r->sents, 1);
	assert_false(f->r->sent.complete);
	assert_true(f->r->sent.sent > 0 && f->r->sent.sent < f->r->size);
	assert_int_equal(f->r->closed.why, CONN_WHY_PEER_BROKE);
	assert_int_equal(f->r->done, 1);
}

static void
revocation_resets_a_transfer(void **state)
{
	struct fixture *f = *state;
	f->r->size = 64 << 20;
	rig_send(f->r, f->c, GET);
	rig_want(f->r, f->c, 100000);
	struct conn *conn = conn_find(f->r->net, f->r->held);
	conn_reset(conn);
	conn_close_silently(conn); /* no effect, and no harm before the loop runs */
	assert_null(conn_find(f->r->net, f->r->held));
	assert_int_equal(f->r->closes, 0); /* callbacks come from the loop only */
	while (!f->c->eof)
		rig_want(f->r, f->c, f->c->n + 1);
	assert_true(f->c->reset);
	assert_true(f->c->n < f->r->size);
	rig_settle(f->r);
	assert_int_equal(f->r->closes, 1);
	assert_int_equal(f->r->closed.why, CONN_WHY_OWNER);
	assert_false(f->r->sent.complete);
	assert_int_equal(f->r->done, 1);
}

static void
resetting_inside_on_request(void **state)
{
	struct fixture *f = *state;
	f->r->mode = RIG_RESET;
	rig_send(f->r, f->c, GET GET);
	rig_assert_end(f->r, f->c);
	assert_true(f->c->reset);
	assert_int_equal(f->r->requests, 1);
}

static void
closing_without_a_word(void **state)
{
	struct fixture *f = *state;
	f->r->mode = RIG_SILENT;
	rig_send(f->r, f->c, "GET /f/k3jd92hx HTTP/1.1\nHost: 10.0.0.1:8080\n\n\n");
	rig_assert_end(f->r, f->c);
	assert_false(f->c->reset);
	assert_int_equal(f->r->closed.why, CONN_WHY_OWNER);
}

static void
a_source_that_cannot_vouch_ends_the_transfer(void **state)
{
	struct fixture *f = *state;
	f->r->fail_at = 65536;
	rig_send(f->r, f->c, GET);
	while (!f->c->eof)
		rig_want(f->r, f->c, f->c->n + 1);
	assert_true(f->c->reset);
	rig_settle(f->r);
	assert_int_equal(f->r->closed.why, CONN_WHY_SOURCE);
	assert_false(f->r->sent.complete);
	assert_true(f->r->sent.sent <= 65536);
	assert_true(f->r->pulled <= 65536);
	assert_int_equal(f->r->done, 1);
}

/* The image in a file of its own; the caller closes it. */
static int
image_file(const struct rig *r)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	FILE *f = fdopen(dup(fd), "w");
	for (uint64_t i = 0; i < r->size; i++)
		putc(rig_byte(i), f);
	assert_int_equal(fclose(f), 0);
	return fd;
}

static void
long_answers_come_from_the_file(void **state)
{
	struct fixture *f = *state;
	f->r->size = 3000001;
	f->r->file = image_file(f->r);
	/* A small buffer: every write is a short one. */
	rig_hang_up(f->c);
	f->c = rig_connect_from(f->r, NULL, 4096);
	for (int i = 0; i < 2; i++) {
		struct rig_reply reply = rig_ask(f->r, f->c, i ? RANGE("777-2900000") : GET);
		assert_int_equal(reply.n, i ? 2899224 : 3000001);
		rig_assert_image(&reply, i ? 777 : 0);
		assert_int_equal(f->r->sent.sent, reply.n);
		assert_true(f->r->sent.complete);
		rig_eat(f->c, reply.n);
	}
	/* Most of it uncopied: only what is left of a turn may be pulled. */
	assert_true(f->r->pulled < 300000);
	/* A short one is copied: that costs less. */
	f->r->pulled = 0;
	struct rig_reply reply = rig_ask(f->r, f->c, RANGE("100-2147"));
	assert_int_equal(reply.n, 2048);
	rig_assert_image(&reply, 100);
	assert_int_equal(f->r->pulled, 2048);
	close(f->r->file);
}

static void
a_file_that_cannot_vouch_ends_the_transfer(void **state)
{
	struct fixture *f = *state;
	f->r->fail_at = 65536;
	f->r->file = image_file(f->r);
	rig_send(f->r, f->c, GET);
	while (!f->c->eof)
		rig_want(f->r, f->c, f->c->n + 1);
	assert_true(f->c->reset);
	rig_settle(f->r);
	assert_int_equal(f->r->closed.why, CONN_WHY_SOURCE);
	assert_true(f->r->sent.sent <= 65536);
	assert_int_equal(f->r->done, 1);
	close(f->r->file);
}

static void
beyond_four_gigabytes(void **state)
{
	struct fixture *f = *state;
	f->r->size = UINT64_C(1) << 42;
	struct rig_reply reply = rig_ask(f->r, f->c, RANGE("4294967290-4294967301"));
	assert_int_equal(reply.status, 206);
	assert_non_null(strstr(reply.head,
	    "Content-Range: bytes 4294967290-4294967301/4398046511104\r\n"));
	assert_int_equal(reply.n, 12);
	rig_assert_image(&reply, UINT64_C(4294967290));
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, RANGE("4398046511100-"));
	assert_int_equal(reply.n, 4);
	rig_assert_image(&reply, UINT64_C(4398046511100));
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, RANGE("-3"));
	rig_assert_image(&reply, UINT64_C(4398046511101));
	rig_eat(f->c, reply.n);
	rig_send(f->r, f->c, RANGE("4294967290-"));
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_true(reply.length == (UINT64_C(1) << 42) - UINT64_C(4294967290));
	rig_want(f->r, f->c, 300000);
	reply.body = f->c->buf;
	reply.n = 300000;
	rig_assert_image(&reply, UINT64_C(4294967290));
}

/* One part out of a multipart body; returns what is behind it. */
static const char *
part(const char *at, const char *boundary, unsigned first, unsigned last)
{
	char want[256];
	int n = snprintf(want, sizeof want, "\r\n--%s\r\nContent-Type: application/octet-stream\r\n"
	    "Content-Range: bytes %u-%u/100000\r\n\r\n", boundary, first, last);
	assert_memory_equal(at, want, n);
	at += n;
	for (unsigned i = first; i <= last; i++)
		assert_int_equal((uint8_t)*at++, rig_byte(i));
	return at;
}

static void
several_ranges_come_in_parts(void **state)
{
	struct fixture *f = *state;
	const char *boundary = "8d3f2c6b1a0e4f57a9b8c7d6"; /* of the tag: a digest that no image can hold */
	struct rig_reply reply = rig_ask(f->r, f->c, RANGE("0-9,100-109,70000-99999")); /* curl -r */
	assert_int_equal(reply.status, 206);
	assert_non_null(strstr(reply.head, "\r\nContent-Type: multipart/byteranges; boundary=8d3f2c6b1a0e4f57a9b8c7d6\r\n"));
	assert_null(strstr(reply.head, "Content-Range"));
	assert_non_null(strstr(reply.head, "\r\nETag: \"" RIG_ETAG "\"\r\n"));
	const char *at = part(reply.body, boundary, 0, 9);
	at = part(at, boundary, 100, 109);
	at = part(at, boundary, 70000, 99999);
	assert_memory_equal(at, "\r\n--8d3f2c6b1a0e4f57a9b8c7d6--\r\n", 32);
	assert_int_equal(at + 32 - reply.body, reply.n);
	rig_eat(f->c, reply.n);
	assert_int_equal(f->r->done, 1);
	/* What comes to one range is answered as one, and next is no part of this. */
	reply = rig_ask(f->r, f->c, RANGE("10-19,5-12"));
	assert_non_null(strstr(reply.head, "Content-Range: bytes 5-19/100000\r\n"));
	rig_assert_image(&reply, 5);
	rig_eat(f->c, reply.n);
	/* Lists without end cost one image at most. */
	reply = rig_ask(f->r, f->c, RANGE("0-,1-,2-,3-,4-,5-,6-,7-,8-,9-,10-"));
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.length, 100000);
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, RANGE("0-,0-,0-,-1,-100000,-99999999999999999999999"));
	assert_int_equal(reply.status, 206);
	assert_int_equal(reply.length, 100000);
}

static void
parts_to_a_slow_reader(void **state)
{
	struct fixture *f = *state;
	f->r->size = 3000001;
	rig_hang_up(f->c);
	f->c = rig_connect_from(f->r, NULL, 4096);
	struct rig_reply reply = rig_ask(f->r, f->c, RANGE("0-999999,1000001-2999999,-1"));
	assert_int_equal(reply.status, 206);
	const char *at = strstr(reply.body, "\r\n\r\n") + 4;
	reply.body = (char *)(uintptr_t)at;
	reply.n = 1000000;
	rig_assert_image(&reply, 0);
	assert_true(f->r->sent.complete);
}

/* Parts that cannot be finished end as a whole image does. */
static void
parts_from_a_source_that_fails(void **state)
{
	struct fixture *f = *state;
	f->r->fail_at = 65536;
	rig_send(f->r, f->c, RANGE("0-9,65530-65540"));
	while (!f->c->eof)
		rig_want(f->r, f->c, f->c->n + 1);
	assert_true(f->c->reset);
	rig_settle(f->r);
	assert_int_equal(f->r->closed.why, CONN_WHY_SOURCE);
	assert_int_equal(f->r->done, 1);
}

static void
short_writes_lose_nothing(void **state)
{
	struct fixture *f = *state;
	f->r->size = 3000001;
	rig_hang_up(f->c);
	f->c = rig_connect_from(f->r, NULL, 4096);
	struct rig_reply reply = rig_ask(f->r, f->c, GET);
	assert_int_equal(reply.n, 3000001);
	rig_assert_image(&reply, 0);
	assert_int_equal(f->r->sent.sent, 3000001);
	assert_true(f->r->sent.complete);
	assert_int_equal(net_counters(f->r->net)->bytes, 3000001);
}

static void
http_1_0(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c,
	    "GET / HTTP/1.0\r\nConnection: keep-alive\r\nRange: bytes=0-1\r\n\r\n");
	assert_non_null(strstr(reply.head, "HTTP/1.1 206"));
	assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
	rig_eat(f->c, reply.n);
	reply = rig_ask(f->r, f->c, "GET / HTTP/1.0\r\nRange: bytes=0-1\r\n\r\n");
	assert_non_null(strstr(reply.head, "Connection: close\r\n"));
	rig_eat(f->c, reply.n);
	rig_assert_end(f->r, f->c);
	assert_int_equal(f->r->closed.why, CONN_WHY_DONE);
	assert_int_equal(f->r->closed_number, 2);
	assert_int_equal(f->r->closed.sent, 4);
}

static void
a_short_body_is_skipped(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply;
	rig_send(f->r, f->c, "POST /feedback HTTP/1.1\r\nHost: h\r\nContent-Length: 18\r\n\r\n"
	                     "GET /smuggled HTTP" RANGE("0-1"));
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 405);
	assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 206);
	assert_int_equal(f->r->requests, 2);
	assert_string_equal(f->r->target, "/f/a");
	/* The owner could have it, all of it and nothing of what followed. */
	assert_int_equal(f->r->body_n, 18);
	assert_memory_equal(f->r->body, "GET /smuggled HTTP", 18);
}

static void
a_body_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply;
	const char *text = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz";
	for (; *text; text++) {
		char one[2] = { *text, 0 };
		rig_send(f->r, f->c, one);
		rig_settle(f->r);
	}
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(f->r->body_n, 26);
	assert_memory_equal(f->r->body, "abcdefghijklmnopqrstuvwxyz", 26);
}

static void
a_body_cut_off(void **state)
{
	struct fixture *f = *state;
	rig_send(f->r, f->c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18\r\n\r\nabc");
	assert_int_equal(shutdown(f->c->fd, SHUT_WR), 0);
	rig_assert_end(f->r, f->c);
	assert_int_equal(f->r->requests, 0);
	assert_int_equal(f->r->closed.why, CONN_WHY_PEER_BROKE);
}

/* A client still writing a large body can read why it should not. */
static void
a_long_body_is_refused_and_the_answer_arrives(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply;
	char junk[16384];
	memset(junk, 'j', sizeof junk);
	rig_send(f->r, f->c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n");
	rig_send_bytes(f->r, f->c, junk, sizeof junk);
	rig_settle(f->r);
	rig_send_bytes(f->r, f->c, junk, sizeof junk);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 405);
	assert_non_null(strstr(reply.head, "Connection: close\r\n"));
	rig_assert_end(f->r, f->c);
	assert_false(f->c->reset);
	assert_int_equal(f->r->requests, 1);
}

static void
a_get_with_a_body_out_of_bounds(void **state)
{
	struct fixture *f = *state;
	struct rig_reply reply = rig_ask(f->r, f->c,
	    "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n");
	assert_int_equal(reply.status, 413);
	assert_int_equal(f->r->requests, 0);
}

#define CHUNKED "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
chunked_bodies(void **state)
{
	struct fixture *f = *state;
	/* Extensions and trailers are nobody's business; what follows is the next request. */
	rig_send(f->r, f->c, CHUNKED "5;a=\"b\"\r\nGET /\r\n01\r\n!\r\n00\r\nX-Sum: 1\r\n\r\n" RANGE("0-1")
	    "GET /y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 405);
	assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 206);
	rig_body(f->r, f->c, &reply);
	rig_eat(f->c, reply.n);
	assert_true(rig_reply_head(f->r, f->c, &reply));
	assert_int_equal(reply.status, 200);
	assert_int_equal(f->r->body_n, 6);
	assert_memory_equal(f->r->body, "GET /!", 6);
	assert_int_equal(f->r->requests, 3);
	assert_string_equal(f->r->target, "/y");
}

/* One answer, the door, and no request: whatever came after the fault may be anybody's. */
static void
bad_chunks_get_one_answer_and_the_door(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body;
		unsigned status;
	} cases[] = {
		{ "5\nhello\n0\n\n" GET, 400 },
		{ "5;a\n\r\nhello\r\n0\r\n\r\n" GET, 400 },
		{ "x\r\n" GET, 400 },
		{ "1\r\nabc\r\n0\r\n\r\n" GET, 400 },
		{ "0\r\n: x\r\n\r\n" GET, 400 },
		{ "00000000000000000\r\n\r\n" GET, 400 },
		{ "10001\r\n", 413 }, /* 65537 */
		{ "ffffffffffffffff\r\n", 413 },
		{ "1\r\nx\r\nffffffffffffffff\r\n", 413 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig_client *c = rig_connect(f->r);
		struct rig_reply reply;
		rig_send(f->r, c, CHUNKED);
		reply = rig_ask(f->r, c, cases[i].body);
		assert_int_equal(reply.status, cases[i].status);
		assert_int_equal(reply.length, 0);
		assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
		rig_assert_end(f->r, c);
		assert_int_equal(f->r->closed.why, cases[i].status == 413 ? CONN_WHY_LIMIT : CONN_WHY_REQUEST);
		rig_hang_up(c);
	}
	assert_int_equal(f->r->requests, 0);
	assert_int_equal(net_counters(f->r->net)->limits[NET_LIMIT_BODY], 3);
	assert_int_equal(net_counters(f->r->net)->faults[HTTP_FAULT_CHUNK_FORM], 5);
	assert_int_equal(net_counters(f->r->net)->faults[HTTP_FAULT_CHUNK_LONG], 1);
}

static void
a_chunked_body_as_long_as_may_be(void **state)
{
	struct fixture *f = *state;
	static char half[32768];
	struct rig_reply reply;
	memset(half, 'h', sizeof half);
	f->r->mode = RIG_OK;
	for (int more = 0; more < 2; more++) {
		rig_send(f->r, f->c, CHUNKED);
		for (int i = 0; i < 2; i++) {
			rig_send(f->r, f->c, "8000\r\n");
			rig_send_bytes(f->r, f->c, half, sizeof half);
			rig_send(f->r, f->c, "\r\n");
		}
		rig_send(f->r, f->c, more ? "1\r\nx\r\n0\r\n\r\n" : "0\r\n\r\n");
		assert_true(rig_reply_head(f->r, f->c, &reply));
		assert_int_equal(reply.status, more ? 413 : 200);
		assert_int_equal(f->r->body_n, (1 + more) * 65536);
	}
}

static void
a_chunked_body_cut_off(void **state)
{
	struct fixture *f = *state;
	rig_send(f->r, f->c, CHUNKED "5\r\nhello\r\n");
	assert_int_equal(shutdown(f->c->fd, SHUT_WR), 0);
	rig_assert_end(f->r, f->c);
	assert_int_equal(f->r->requests, 0);
	assert_int_equal(f->r->closed.why, CONN_WHY_PEER_BROKE);
}

static void
malformed_requests_get_one_answer_and_the_door(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n" GET, 400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" GET, 400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n" GET, 400 },
		{ "GET / HTTP/2.0\r\n\r\n" GET, 505 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" GET, 501 },
		{ "\x16\x03\x01\x02\x01\x01" GET, 400 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig_client *c = rig_connect(f->r);
		struct rig_reply reply = rig_ask(f->r, c, cases[i].text);
		assert_int_equal(reply.status, cases[i].status);
		assert_int_equal(reply.length, 0); /* a client that flashes bodies flashes nothing */
		assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
		rig_assert_end(f->r, c);
		assert_int_equal(f->r->closed.why, CONN_WHY_REQUEST);
		assert_true(f->r->closed.fault != HTTP_FAULT_NONE);
		rig_hang_up(c);
	}
	assert_int_equal(f->r->requests, 0);
	assert_int_equal(f->r->sents, 0);
	struct rig_reply reply = rig_ask(f->r, f->c, RANGE("0-1"));
	assert_int_equal(reply.status, 206);
}

static void
short_answers(void **state)
{
	struct fixture *f = *state;
	static char longest[CONN_MEMORY_MAX + 1];
	memset(longest, 'm', sizeof longest);
	f->r->mode = RIG_TEXT;
	f->r->text = (struct serve_text){ 200, "application/json",
		view_str("{\"status\":2101,\"msg\":\"\",\"data\":null}"), 0, false };
	struct rig_reply reply = rig_ask(f->r, f->c, GET);
	assert_int_equal(reply.n, 36);
	assert_memory_equal(reply.body, "{\"status\":2101", 14);
	assert_int_equal(f->r->sent.sent, 36);
	rig_eat(f->c, reply.n);
	f->r->text = (struct serve_text){ 503, NULL, { NULL, 0 }, 17, false };
	reply = rig_ask(f->r, f->c, GET);
	assert_int_equal(reply.status, 503);
	assert_non_null(strstr(reply.head, "Retry-After: 17\r\n"));
	f->r->text = (struct serve_text){ 204, NULL, { NULL, 0 }, 0, false };
	reply = rig_ask(f->r, f->c, GET);
	assert_int_equal(reply.status, 204);
	assert_null(strstr(reply.head, "Content-Length"));
	f->r->text = (struct serve_text){ 404, "text/plain", view_of(longest, CONN_MEMORY_MAX), 0,
		true };
	reply = rig_ask(f->r, f->c, GET);
	assert_int_equal(reply.n, CONN_MEMORY_MAX);
	rig_eat(f->c, reply.n);
	rig_assert_end(f->r, f->c);
	/* One byte more is the owner's to notice. */
	f->r->mode = RIG_HOLD;
	struct rig_client *c = rig_connect(f->r);
	rig_send(f->r, c, GET);
	rig_settle(f->r);
	f->r->text.body.n = sizeof longest;
	struct conn *conn = conn_find(f->r->net, f->r->held);
	assert_int_equal(serve_text(conn, &f->r->text), FG_ELIMIT);
	assert_int_equal(serve_method_refused(conn), FG_OK);
	rig_hang_up(c);
}

static void
who_is_there(void **state)
{
	struct fixture *f = *state;
	f->r->mode = RIG_HOLD;
	struct rig_client *c = rig_connect_from(f->r, "127.0.0.9", 0);
	rig_send(f->r, c, GET);
	rig_settle(f->r);
	struct conn *conn = conn_find(f->r->net, f->r->held);
	uint8_t ip[NET_ADDR_LEN];
	uint16_t port = 0;
	static const uint8_t want[NET_ADDR_LEN] = { [10] = 0xff, 0xff, 127, 0, 0, 9 };
	conn_peer(conn, ip, &port);
	assert_memory_equal(ip, want, sizeof want);
	assert_true(port != 0);
	assert_int_equal(conn_local(conn, ip, &port), FG_OK);
	assert_int_equal(ip[15], 1);
	assert_int_equal(port, ntohs(f->r->addr.sin_port));
	assert_int_equal(conn_tag(conn), 7);
	assert_false(conn_is_tls(conn));
	assert_null(conn_tls_peer(conn));
	assert_null(conn_tls_name(conn));
	assert_ptr_equal(conn_net(conn), f->r->net);
	assert_null(conn_data(conn));
	conn_set_data(conn, f);
	assert_ptr_equal(conn_data(conn), f);
	rig_hang_up(c);
}

static void
reset_one(void *ctx, struct conn *conn)
{
	(*(unsigned *)ctx)++;
	conn_reset(conn);
}

static void
all_transfers_can_be_reset_at_once(void **state)
{
	struct fixture *f = *state;
	struct rig_client *c[3];
	unsigned n = 0;
	f->r->size = 64 << 20;
	for (int i = 0; i < 3; i++) {
		c[i] = rig_connect(f->r);
		rig_send(f->r, c[i], GET);
	}
	rig_settle(f->r);
	net_each(f->r->net, reset_one, &n);
	assert_int_equal(n, 4);
	n = 0;
	net_each(f->r->net, reset_one, &n);
	assert_int_equal(n, 0);
	rig_settle(f->r);
	assert_int_equal(f->r->closes, 4);
	assert_int_equal(net_counters(f->r->net)->conns, 0);
	for (int i = 0; i < 3; i++)
		rig_hang_up(c[i]);
}

static void
stopping_lets_transfers_end(void **state)
{
	struct fixture *f = *state;
	struct rig_client *idle = rig_connect(f->r), *slow = rig_connect(f->r);
	f->r->size = 8 << 20;
	rig_settle(f->r);
	rig_send(f->r, f->c, GET);
	rig_send(f->r, slow, GET);
	net_stop(f->r->net, 10000);
	rig_assert_end(f->r, idle);
	assert_true(listener_is_paused(f->r->listener));
	/* What was asked is delivered, though its head had promised to keep the connection. */
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c, &reply));
	rig_body(f->r, f->c, &reply);
	assert_int_equal(reply.n, 8 << 20);
	rig_eat(f->c, reply.n);
	rig_assert_end(f->r, f->c);
	assert_int_equal(f->r->stops, 0);
	rig_pass(f->r, 10001);
	assert_int_equal(f->r->closed.why, CONN_WHY_STOP);
	assert_int_equal(f->r->stops, 1);
	while (!slow->eof)
		rig_want(f->r, slow, slow->n + 1);
	assert_true(slow->reset);
	rig_hang_up(idle);
	rig_hang_up(slow);
}

static void
stopping_with_nothing_to_do(void **state)
{
	struct fixture *f = *state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	(void)f;
	net_stop(r->net, 1000);
	assert_int_equal(r->stops, 0);
	rig_settle(r);
	assert_int_equal(r->stops, 1);
	rig_free(r);
}

static void
freeing_the_engine_tells_the_owner(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	struct rig_client *c = rig_connect(r);
	r->size = 64 << 20;
	rig_send(r, c, GET);
	rig_settle(r);
	net_free(r->net);
	assert_int_equal(r->sents, 1);
	assert_int_equal(r->closes, 1);
	assert_int_equal(r->done, 1);
	assert_int_equal(r->closed.why, CONN_WHY_STOP);
	net_free(NULL);
	event_base_free(r->base);
	free(r);
	rig_hang_up(c);
}

/* A small generator of our own: the cuts are the same in every run. */
static uint32_t
step(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* The same bytes cut anywhere give the same answer bytes. */
static void
segmentation_does_not_matter(void **state)
{
	struct fixture *f = *state;
	static const char text[] =
	    "\n\n" RANGE("5-9") "GET /b HTTP/1.1\nHost: h\nRange: bytes=0-2\n\n\n"
	    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\nGET / H"
	    "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
	    "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\n" GET;
	char *want = NULL;
	size_t want_n = 0;
	for (uint32_t round = 0; round < 60; round++) {
		struct rig_client *c = rig_connect(f->r);
		uint32_t seed = round * 977;
		for (size_t at = 0; at < sizeof text - 1;) {
			size_t n = round ? 1 + step(&seed) % (round < 30 ? 7 : 90) : sizeof text;
			if (n > sizeof text - 1 - at)
				n = sizeof text - 1 - at;
			rig_send_bytes(f->r, c, text + at, n);
			at += n;
			rig_pump(f->r);
		}
		shutdown(c->fd, SHUT_WR);
		while (!c->eof)
			rig_want(f->r, c, c->n + 1);
		if (round == 0) {
			want_n = c->n;
			want = malloc(want_n);
			assert_non_null(want);
			memcpy(want, c->buf, want_n);
		}
		assert_int_equal(c->n, want_n);
		assert_memory_equal(c->buf, want, want_n);
		rig_hang_up(c);
	}
	free(want);
}

static void
reasons_have_names(void **state)
{
	(void)state;
	for (int i = CONN_WHY_UNKNOWN; i <= CONN_WHY_LOCAL; i++)
		assert_true(strlen(conn_why_name((enum conn_why)i)) > 0);
	assert_string_equal(conn_why_name((enum conn_why)99), "unknown");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pipelined_requests_are_answered_in_order),
		TEST(the_next_request_waits_for_the_answer),
		TEST(a_peer_gone_while_the_owner_thinks),
		TEST(half_closed_clients_get_their_answer),
		TEST(half_closed_inside_a_head),
		TEST(a_reset_inside_the_body_is_told),
		TEST(revocation_resets_a_transfer),
		TEST(resetting_inside_on_request),
		TEST(closing_without_a_word),
		TEST(a_source_that_cannot_vouch_ends_the_transfer),
		TEST(a_file_that_cannot_vouch_ends_the_transfer),
		TEST(long_answers_come_from_the_file),
		TEST(beyond_four_gigabytes),
		TEST(several_ranges_come_in_parts),
		TEST(parts_to_a_slow_reader),
		TEST(parts_from_a_source_that_fails),
		TEST(short_writes_lose_nothing),
		TEST(http_1_0),
		TEST(a_short_body_is_skipped),
		TEST(a_body_in_pieces),
		TEST(a_body_cut_off),
		TEST(a_long_body_is_refused_and_the_answer_arrives),
		TEST(a_get_with_a_body_out_of_bounds),
		TEST(chunked_bodies),
		TEST(bad_chunks_get_one_answer_and_the_door),
		TEST(a_chunked_body_as_long_as_may_be),
		TEST(a_chunked_body_cut_off),
		TEST(malformed_requests_get_one_answer_and_the_door),
		TEST(short_answers),
		TEST(who_is_there),
		TEST(all_transfers_can_be_reset_at_once),
		TEST(stopping_lets_transfers_end),
		TEST(stopping_with_nothing_to_do),
		TEST(freeing_the_engine_tells_the_owner),
		TEST(segmentation_does_not_matter),
		TEST(reasons_have_names),
	};
	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
