/* SPDX-License-Identifier: Apache-2.0 */
/* Connections under shares, on a clock of the test's: bytes are counted, nothing is waited for. */
#include "gateway/net/share.h"

#include "unit/gateway/net_pki.h"

#define KIB 1024u
#define STEP_MS 10
#define CLIENTS 4
#define ASK(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

struct fixture {
	struct share_tree *tree;
	struct rig *r;
	struct rig_client *c[CLIENTS];
};

static struct fixture *
made(uint64_t rate, const struct net_limits *limits, struct tls *tls)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->tree = share_tree_new(rate);
	f->r = rig_new(limits, tls, HTTP_LENIENT);
	net_set_shares(f->r->net, f->tree);
	f->r->size = 64u << 20;
	return f;
}

static struct share *
module(struct fixture *f, unsigned i, uint64_t rate)
{
	return f->r->share[i] = share_new(share_root(f->tree), rate, f->r->mono_ms);
}

static void
freed(struct fixture *f)
{
	struct share *share[4];
	memcpy(share, f->r->share, sizeof share);
	for (unsigned i = 0; i < CLIENTS; i++)
		rig_hang_up(f->c[i]);
	rig_free(f->r);
	for (unsigned i = 0; i < 4; i++)
		share_free(share[i]);
	assert_int_equal(share_waiting(f->tree), 0);
	share_tree_free(f->tree);
	free(f);
}

/* What every client had for the asking is in its buffer. */
static void
drain(struct fixture *f)
{
	for (bool more = true; more;) {
		more = false;
		rig_pump(f->r);
		for (unsigned i = 0; i < CLIENTS; i++)
			while (f->c[i] && !f->c[i]->eof && rig_read(f->c[i]))
				more = true;
	}
}

static void
run(struct fixture *f, int64_t ms)
{
	drain(f);
	for (int64_t t = 0; t < ms; t += STEP_MS) {
		f->r->mono_ms += STEP_MS;
		net_sweep(f->r->net);
		drain(f);
	}
}

static void
ask(struct fixture *f, unsigned i, const char *text)
{
	if (!f->c[i])
		f->c[i] = rig_connect(f->r);
	rig_send(f->r, f->c[i], text);
}

static void
assert_between(uint64_t n, uint64_t least, uint64_t most)
{
	if (n < least || n > most)
		fail_msg("%llu is not from %llu to %llu", (unsigned long long)n, (unsigned long long)least,
		    (unsigned long long)most);
}

static void
test_a_connection_keeps_its_rate(void **state)
{
	(void)state;
	struct fixture *f = made(0, NULL, NULL);
	module(f, 0, 200 * KIB);
	ask(f, 0, ASK("/0"));
	run(f, 10000);
	/* The head is not counted; a turn is 12.5 KiB, the bucket 50. */
	assert_between(f->c[0]->n, 2000 * KIB - 13 * KIB, 2050 * KIB + 512);
	assert_true(net_counters(f->r->net)->paced > 50);
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c[0], &reply));
	reply.body = f->c[0]->buf;
	reply.n = f->c[0]->n;
	rig_assert_image(&reply, 0);
	freed(f);
}

/* From a file, by sendfile, as from memory. */
static void
test_a_file_too(void **state)
{
	(void)state;
	struct fixture *f = made(2048 * KIB, NULL, NULL);
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 64 << 20), 0);
	f->r->file = fileno(file);
	module(f, 0, 0);
	ask(f, 0, ASK("/0"));
	run(f, 5000);
	assert_between(f->c[0]->n, 10240 * KIB - 64 * KIB, 10752 * KIB + 512);
	assert_int_equal(f->r->pulled, 0);
	freed(f);
	fclose(file);
}

static void
test_modules_share_what_there_is(void **state)
{
	(void)state;
	struct fixture *f = made(512 * KIB, NULL, NULL);
	module(f, 0, 0);
	module(f, 1, 0);
	ask(f, 0, ASK("/0"));
	for (unsigned i = 1; i < CLIENTS; i++)
		ask(f, i, ASK("/1"));
	/* And somebody whom no share counts is kept waiting by nobody. */
	struct rig_client *other = rig_connect(f->r);
	f->r->size = 8u << 20;
	rig_send(f->r, other, ASK("/x"));
	rig_want(f->r, other, 8u << 20);
	run(f, 10000);
	uint64_t first = f->c[0]->n, others = 0;
	for (unsigned i = 1; i < CLIENTS; i++) {
		others += f->c[i]->n;
		assert_between(f->c[i]->n, f->c[1]->n - 66 * KIB, f->c[1]->n + 66 * KIB);
	}
	assert_between(first + others, 5120 * KIB - 64 * KIB, 5250 * KIB);
	assert_between(first, others - 200 * KIB, others + 200 * KIB);
	rig_hang_up(other);
	freed(f);
}

static void
test_records_too(void **state)
{
	(void)state;
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct fixture *f = made(0, NULL, tls);
	module(f, 0, 20 * KIB); /* a turn of 2 KiB, far less than a record */
	f->c[0] = rig_connect(f->r);
	assert_true(pki_handshake(f->r, f->c[0], ctx));
	ask(f, 0, ASK("/0"));
	run(f, 20000);
	assert_between(f->c[0]->n, 400 * KIB - 2 * KIB, 405 * KIB + 512);
	freed(f);
	SSL_CTX_free(ctx);
	tls_free(tls);
	pki_free(&p);
}

/* We keep it waiting for longer than any deadline, which then counts for what it does itself. */
static void
test_no_deadline_while_it_waits_for_us(void **state)
{
	(void)state;
	struct net_limits limits;
	net_limits_default(&limits);
	limits.stall_ms = 1000;
	limits.reply_ms = 1500;
	limits.reply_rate = 1u << 20;
	struct fixture *f = made(0, &limits, NULL);
	f->r->size = 6 * KIB;
	module(f, 0, 1); /* byte a second: 2 KiB of it take 34 minutes */
	ask(f, 0, ASK("/0"));
	run(f, 0);
	assert_between(f->c[0]->n, 2 * KIB, 2 * KIB + 512);
	for (unsigned i = 0; i < 205; i++) {
		f->r->mono_ms += 10000;
		net_sweep(f->r->net);
	}
	run(f, 0);
	assert_between(f->c[0]->n, 4 * KIB, 4 * KIB + 512);
	share_set_rate(f->r->share[0], 0, f->r->mono_ms);
	run(f, 0);
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c[0], &reply));
	rig_body(f->r, f->c[0], &reply);
	rig_assert_image(&reply, 0);
	assert_int_equal(reply.n, 6 * KIB);
	/* One that has its turn and does not read is another matter. */
	f->r->size = 64u << 20;
	struct rig_client *c = rig_connect(f->r);
	rig_send(f->r, c, ASK("/0"));
	rig_settle(f->r);
	assert_int_equal(f->r->closes, 0);
	rig_pass(f->r, 1000);
	assert_int_equal(f->r->closes, 1);
	assert_int_equal(f->r->closed.limit, NET_LIMIT_STALL_TIME);
	rig_hang_up(c);
	freed(f);
}

/* A client that hears nothing for some seconds asks again: the head tells it that it was heard. */
static void
heads_come_at_once(struct tls *tls, SSL_CTX *ctx)
{
	struct net_limits limits;
	net_limits_default(&limits);
	limits.stall_ms = 1000;
	struct fixture *f = made(SHARE_RATE_MIN, &limits, tls);
	struct rig_reply reply;
	module(f, 0, 0);
	module(f, 1, 0);
	f->r->size = 6 * KIB;
	for (unsigned i = 0; i < 2; i++) {
		f->c[i] = rig_connect(f->r);
		if (ctx)
			assert_true(pki_handshake(f->r, f->c[i], ctx));
	}
	ask(f, 0, ASK("/0"));
	run(f, 0);
	ask(f, 1, ASK("/1"));
	assert_true(rig_reply_head(f->r, f->c[1], &reply));
	assert_int_equal(reply.status, 200);
	assert_int_equal(f->c[1]->n, 0);
	assert_int_equal(share_waiting(f->tree), 2);
	/* And no deadline is set by it: the first turn comes after two seconds, the last after ten. */
	run(f, 12000);
	rig_body(f->r, f->c[1], &reply);
	rig_assert_image(&reply, 0);
	assert_int_equal(f->r->closes, 0);
	freed(f);
}

static void
test_heads_do_not_wait(void **state)
{
	(void)state;
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	heads_come_at_once(NULL, NULL);
	heads_come_at_once(tls, ctx);
	SSL_CTX_free(ctx);
	tls_free(tls);
	pki_free(&p);
}

static void
test_small_answers_do_not_wait(void **state)
{
	(void)state;
	struct fixture *f = made(SHARE_RATE_MIN, NULL, NULL);
	module(f, 0, 0);
	ask(f, 0, ASK("/0"));
	run(f, 0);
	ask(f, 1, "HEAD /0 HTTP/1.1\r\nHost: h\r\n\r\n");
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c[1], &reply));
	assert_int_equal(reply.status, 200);
	f->r->mode = RIG_TEXT;
	f->r->text = (struct serve_text){ 503, "text/plain", view_str("later"), 17, false };
	reply = rig_ask(f->r, f->c[1], ASK("/0"));
	assert_int_equal(reply.status, 503);
	assert_int_equal(share_waiting(f->tree), 1);
	freed(f);
}

/* Many small ranges on one connection: each is granted what it is long, and nothing is left over. */
static void
test_small_ranges_are_counted_as_they_are(void **state)
{
	(void)state;
	struct fixture *f = made(0, NULL, NULL);
	module(f, 0, 64 * KIB);
	for (unsigned i = 0; i < 12; i++) {
		ask(f, 0, "GET /0 HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1023\r\n\r\n");
		struct rig_reply reply;
		assert_true(rig_reply_head(f->r, f->c[0], &reply));
		rig_body(f->r, f->c[0], &reply);
		assert_int_equal(reply.n, KIB);
		rig_eat(f->c[0], reply.n);
	}
	/* 12 of the bucket's 16 KiB are gone, and below 4 there is no turn. */
	assert_int_equal(net_counters(f->r->net)->paced, 0);
	assert_false(share_is_full(f->r->share[0], f->r->mono_ms + 187));
	assert_true(share_is_full(f->r->share[0], f->r->mono_ms + 188));
	freed(f);
}

static void
test_who_leaves_while_waiting(void **state)
{
	(void)state;
	struct fixture *f = made(SHARE_RATE_MIN, NULL, NULL);
	for (unsigned i = 0; i < 4; i++) {
		module(f, i, 0);
		char text[] = ASK("/0");
		text[5] = (char)('0' + i);
		ask(f, i, text);
	}
	run(f, 0);
	assert_int_equal(share_waiting(f->tree), 4);
	/* By reset of the peer, of the owner, with the engine: whoever is left goes on. */
	const struct linger now = { .l_onoff = 1 };
	assert_int_equal(setsockopt(f->c[0]->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	rig_hang_up(f->c[0]);
	f->c[0] = NULL;
	rig_settle(f->r);
	assert_int_equal(share_waiting(f->tree), 3);
	assert_int_equal(f->r->closed.why, CONN_WHY_PEER_BROKE);
	conn_reset(conn_find(f->r->net, f->r->held)); /* of the last one who asked */
	rig_settle(f->r);
	assert_int_equal(share_waiting(f->tree), 2);
	uint64_t was = f->c[1]->n + f->c[2]->n;
	run(f, 8000);
	assert_between(f->c[1]->n + f->c[2]->n - was, 6 * KIB, 9 * KIB); /* with two heads */
	freed(f);
}

static void
test_a_share_can_be_changed_under_way(void **state)
{
	(void)state;
	struct fixture *f = made(0, NULL, NULL);
	module(f, 0, SHARE_RATE_MIN);
	module(f, 1, 64 * KIB);
	f->r->size = 2u << 20;
	ask(f, 0, ASK("/0"));
	run(f, 1000);
	assert_between(f->c[0]->n, 2 * KIB, 4 * KIB);
	struct conn *conn = conn_find(f->r->net, f->r->held);
	assert_int_equal(conn_set_share(conn, f->r->share[1]), FG_OK);
	uint64_t was = f->c[0]->n;
	run(f, 1000);
	assert_between(f->c[0]->n - was, 60 * KIB, 80 * KIB);
	assert_int_equal(share_waiting(f->tree), 1);
	assert_int_equal(conn_set_share(conn, NULL), FG_OK);
	assert_int_equal(share_waiting(f->tree), 0);
	assert_int_equal(conn_set_share(conn, NULL), FG_OK);
	run(f, 0);
	struct rig_reply reply;
	assert_true(rig_reply_head(f->r, f->c[0], &reply));
	rig_body(f->r, f->c[0], &reply);
	rig_assert_image(&reply, 0);
	freed(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_connection_keeps_its_rate),
		cmocka_unit_test(test_a_file_too),
		cmocka_unit_test(test_modules_share_what_there_is),
		cmocka_unit_test(test_records_too),
		cmocka_unit_test(test_no_deadline_while_it_waits_for_us),
		cmocka_unit_test(test_heads_do_not_wait),
		cmocka_unit_test(test_small_answers_do_not_wait),
		cmocka_unit_test(test_small_ranges_are_counted_as_they_are),
		cmocka_unit_test(test_who_leaves_while_waiting),
		cmocka_unit_test(test_a_share_can_be_changed_under_way),
	};
	return cmocka_run_group_tests_name("conn_pace", tests, NULL, NULL);
}
