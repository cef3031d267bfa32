/* SPDX-License-Identifier: Apache-2.0 */
/* Open bodies: what the console's event streams are made of. */
#include "unit/gateway/net_pki.h"

#define GET "GET /events HTTP/1.1\r\nHost: h\r\n\r\n"

static void
answer(struct rig *r, const char *first)
{
	struct conn *conn = conn_find(r->net, r->held);
	const struct http_reply head = { .status = 200, .type = "text/event-stream", .extra = view_str("X-A: b\r\n") };
	const struct conn_body body = { .memory = view_str(first), .open = true };
	assert_non_null(conn);
	assert_int_equal(conn_push(conn, view_str("early")), FG_ESTATE);
	assert_int_equal(conn_reply(conn, &head, &body), FG_OK);
}

static void
push(struct rig *r, const char *text)
{
	assert_int_equal(conn_push(conn_find(r->net, r->held), view_str(text)), FG_OK);
}

static void
hears(struct rig *r, struct rig_client *c, const char *text)
{
	rig_want(r, c, strlen(text));
	assert_int_equal(c->n, strlen(text));
	assert_memory_equal(c->buf, text, strlen(text));
	rig_eat(c, c->n);
}

static struct rig_client *
listener(struct rig *r, struct tls *tls)
{
	struct rig_client *c = rig_connect(r);
	if (tls) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		assert_true(pki_handshake(r, c, ctx));
		SSL_CTX_free(ctx);
	}
	rig_send(r, c, GET);
	rig_settle(r);
	return c;
}

static void
lives(struct tls *tls)
{
	struct rig *r = rig_new(NULL, tls, HTTP_STRICT);
	struct rig_reply reply;
	r->mode = RIG_HOLD;
	struct rig_client *c = listener(r, tls);
	answer(r, "one\n");
	assert_true(rig_reply_head(r, c, &reply));
	assert_non_null(strstr(reply.head, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(reply.head, "\r\nX-A: b\r\n"));
	assert_null(rig_field(&reply, "Content-Length"));
	assert_null(rig_field(&reply, "Transfer-Encoding"));
	hears(r, c, "one\n");
	/* Nothing to say is no stall, for however long. */
	rig_pass(r, INT64_C(40) * 24 * 3600 * 1000);
	rig_assert_open(r, c);
	push(r, "two\n");
	push(r, "three\n");
	hears(r, c, "two\nthree\n");
	/* What the client says meanwhile is read by nobody, and ends nothing. */
	rig_send(r, c, GET);
	rig_settle(r);
	push(r, "four\n");
	hears(r, c, "four\n");
	assert_int_equal(r->requests, 1);
	push(r, "last\n");
	conn_push_end(conn_find(r->net, r->held));
	assert_int_equal(conn_push(conn_find(r->net, r->held), view_str("late")), FG_ESTATE);
	hears(r, c, "last\n");
	rig_settle(r);
	assert_int_equal(r->sents, 1);
	assert_true(r->sent.complete);
	assert_int_equal(r->sent.sent, strlen("one\ntwo\nthree\nfour\nlast\n"));
	rig_hang_up(c);
	rig_settle(r);
	assert_int_equal(r->closes, 1);
	rig_free(r);
}

static void
test_lives(void **state)
{
	(void)state;
	lives(NULL);
}

static void
test_lives_over_tls(void **state)
{
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	(void)state;
	lives(tls);
	tls_free(tls);
	pki_free(&p);
}

static void
test_hanging_up_is_noticed(void **state)
{
	struct rig *r = rig_new(NULL, NULL, HTTP_STRICT);
	(void)state;
	r->mode = RIG_HOLD;
	struct rig_client *c = listener(r, NULL);
	answer(r, "");
	rig_settle(r);
	rig_hang_up(c);
	rig_settle(r);
	assert_int_equal(r->closes, 1);
	assert_null(conn_find(r->net, r->held));
	rig_free(r);
}

/* Who takes nothing keeps a buffer of ours full, and no more; then it is over. */
static void
test_who_does_not_read(void **state)
{
	struct rig *r = rig_new(NULL, NULL, HTTP_STRICT);
	char much[1000];
	int err = FG_OK;
	(void)state;
	r->mode = RIG_HOLD;
	memset(much, 'x', sizeof much);
	struct rig_client *c = rig_connect_from(r, "127.0.0.1", 4096);
	rig_send(r, c, GET);
	rig_settle(r);
	answer(r, "");
	for (unsigned i = 0; i < 100000 && !err; i++) {
		err = conn_push(conn_find(r->net, r->held), view_of(much, sizeof much));
		rig_pump(r);
	}
	assert_int_equal(err, FG_ELIMIT);
	rig_pass(r, 6 * 60 * 1000);
	assert_int_equal(r->closes, 1);
	assert_int_equal(r->closed.limit, NET_LIMIT_STALL_TIME);
	rig_hang_up(c);
	rig_free(r);
}

static void
test_head_alone(void **state)
{
	struct rig *r = rig_new(NULL, NULL, HTTP_STRICT);
	struct rig_reply reply;
	(void)state;
	r->mode = RIG_HOLD;
	struct rig_client *c = rig_connect(r);
	rig_send(r, c, "HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_settle(r);
	answer(r, "one\n");
	assert_int_equal(conn_push(conn_find(r->net, r->held), view_str("x")), FG_ESTATE);
	assert_true(rig_reply_head(r, c, &reply));
	rig_assert_end(r, c);
	rig_hang_up(c);
	rig_free(r);
}

static void
test_stop(void **state)
{
	struct rig *r = rig_new(NULL, NULL, HTTP_STRICT);
	(void)state;
	r->mode = RIG_HOLD;
	struct rig_client *c = listener(r, NULL);
	answer(r, "");
	rig_settle(r);
	net_stop(r->net, 1000);
	rig_settle(r);
	assert_int_equal(r->closes, 0); /* its owner's to end */
	conn_push_end(conn_find(r->net, r->held));
	rig_settle(r);
	assert_int_equal(r->closes, 1);
	assert_int_equal(r->stops, 1);
	rig_hang_up(c);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives), cmocka_unit_test(test_lives_over_tls), cmocka_unit_test(test_hanging_up_is_noticed),
		cmocka_unit_test(test_who_does_not_read), cmocka_unit_test(test_head_alone), cmocka_unit_test(test_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
