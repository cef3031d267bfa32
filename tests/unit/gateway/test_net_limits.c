/* SPDX-License-Identifier: Apache-2.0 */
/* The table of limits, and one test a row of it: what happens at the limit and beyond. */
#include "unit/gateway/net_pki.h"

#define GET "GET /f/a HTTP/1.1\r\nHost: h\r\n\r\n"
#define RANGE "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n"
#define PARTS "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1,1000-1001,2000-2001,3000-3001\r\n\r\n"

/* An engine with one limit set. */
static struct rig *
limited(enum net_limit limit, uint32_t value)
{
	struct net_limits limits;
	net_limits_default(&limits);
	net_limits_set(&limits, limit, value);
	return rig_new(&limits, NULL, HTTP_LENIENT);
}

static uint64_t
hits(const struct rig *r, enum net_limit limit)
{
	return net_counters(r->net)->limits[limit];
}

/* fits passes, exceeds gets that status, closes and is counted. */
static void
at_limit(enum net_limit limit, uint32_t value, const char *fits, const char *exceeds,
    unsigned status)
{
	struct rig *r = limited(limit, value);
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply = rig_ask(r, c, fits);
	assert_true(reply.status < 300);
	rig_eat(c, reply.n);
	assert_int_equal(hits(r, limit), 0);
	reply = rig_ask(r, c, exceeds);
	assert_int_equal(reply.status, status);
	shutdown(c->fd, SHUT_WR);
	rig_assert_end(r, c);
	assert_int_equal(hits(r, limit), 1);
	assert_int_equal(r->closed.limit, limit);
	rig_hang_up(c);
	rig_free(r);
}

/* "GET /" and n further bytes up to the line end, then the fields. */
static char *
with_line(char *buf, size_t line, const char *fields)
{
	memset(buf, 'a', line);
	memcpy(buf, "GET /", 5);
	memcpy(buf + line - 9, " HTTP/1.1", 9);
	sprintf(buf + line, "\r\n%s\r\n", fields);
	return buf;
}

static void
line(void)
{
	char fits[400], exceeds[400];
	at_limit(NET_LIMIT_LINE, 256, with_line(fits, 256, "Host: h\r\n"),
	    with_line(exceeds, 257, "Host: h\r\n"), 414);
}

static void
field(void)
{
	char fits[400], exceeds[400], value[300];
	memset(value, 'v', sizeof value);
	snprintf(fits, sizeof fits, "GET / HTTP/1.1\r\nHost: h\r\nX: %.253s\r\n\r\n", value);
	snprintf(exceeds, sizeof exceeds, "GET / HTTP/1.1\r\nHost: h\r\nX: %.254s\r\n\r\n", value);
	at_limit(NET_LIMIT_FIELD, 256, fits, exceeds, 431);
}

static void
head(void)
{
	char fits[600], exceeds[600];
	/* line + CR LF + "Host: h" CR LF + CR LF: 13 more bytes than the line */
	at_limit(NET_LIMIT_HEAD, 512, with_line(fits, 512 - 13, "Host: h\r\n"),
	    with_line(exceeds, 513 - 13, "Host: h\r\n"), 431);
}

static void
fields(void)
{
	char fits[400] = "GET / HTTP/1.1\r\nHost: h\r\n", exceeds[500];
	for (int i = 0; i < 15; i++)
		strncat(fits, "A: b\r\n", sizeof fits - strlen(fits) - 1);
	snprintf(exceeds, sizeof exceeds, "%sA: b\r\n\r\n", fits);
	strncat(fits, "\r\n", sizeof fits - strlen(fits) - 1);
	at_limit(NET_LIMIT_FIELDS, 16, fits, exceeds, 431);
}

static void
blanks(void)
{
	at_limit(NET_LIMIT_BLANKS, 2, "\r\n\r\n" RANGE, "\r\n\n\r\n" RANGE, 400);
	/* Also when they come one by one, each on an idle connection. */
	struct rig *r = limited(NET_LIMIT_BLANKS, 2);
	struct rig_client *c = rig_connect(r);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(hits(r, NET_LIMIT_BLANKS), 0);
		rig_send(r, c, "\n");
		rig_settle(r);
	}
	assert_int_equal(hits(r, NET_LIMIT_BLANKS), 1);
	rig_hang_up(c);
	rig_free(r);
}

static void
conns(void)
{
	struct rig *r = limited(NET_LIMIT_CONNS, 2);
	struct rig_client *c[3];
	for (int i = 0; i < 3; i++) {
		c[i] = rig_connect(r); /* the third waits in the backlog */
		rig_settle(r);
	}
	assert_int_equal(net_counters(r->net)->conns, 2);
	assert_true(hits(r, NET_LIMIT_CONNS) > 0);
	assert_true(listener_is_paused(r->listener));
	rig_send(r, c[2], RANGE);
	rig_settle(r);
	assert_int_equal(r->requests, 0);
	rig_hang_up(c[0]);
	struct rig_reply reply;
	assert_true(rig_reply_head(r, c[2], &reply));
	assert_int_equal(reply.status, 206);
	/* A socket handed over directly is refused at once. */
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	const struct net_origin origin = { NULL, HTTP_LENIENT, 0 };
	assert_int_equal(net_adopt(r->net, pair[0], NULL, &origin), FG_ELIMIT);
	close(pair[1]);
	rig_hang_up(c[1]);
	rig_hang_up(c[2]);
	rig_free(r);
}

static void
source(void)
{
	struct rig *r = limited(NET_LIMIT_SOURCE, 2);
	struct rig_client *c[4];
	for (int i = 0; i < 4; i++) {
		c[i] = rig_connect_from(r, i < 3 ? "127.0.0.5" : "127.0.0.6", 0);
		rig_settle(r);
	}
	rig_assert_end(r, c[2]);
	assert_int_equal(hits(r, NET_LIMIT_SOURCE), 1);
	assert_int_equal(rig_ask(r, c[3], RANGE).status, 206);
	assert_int_equal(rig_ask(r, c[0], RANGE).status, 206);
	/* Leaving makes room. */
	rig_hang_up(c[1]);
	rig_settle(r);
	rig_hang_up(c[2]);
	c[2] = rig_connect_from(r, "127.0.0.5", 0);
	assert_int_equal(rig_ask(r, c[2], RANGE).status, 206);
	rig_hang_up(c[0]);
	rig_hang_up(c[2]);
	rig_hang_up(c[3]);
	rig_free(r);
}

static void
requests(void)
{
	struct rig *r = limited(NET_LIMIT_REQUESTS, 3);
	struct rig_client *c = rig_connect(r);
	for (int i = 1; i <= 3; i++) {
		struct rig_reply reply = rig_ask(r, c, RANGE);
		assert_non_null(strstr(reply.head,
		    i < 3 ? "Connection: keep-alive\r\n" : "Connection: close\r\n"));
		rig_eat(c, reply.n);
	}
	rig_assert_end(r, c);
	assert_int_equal(hits(r, NET_LIMIT_REQUESTS), 1);
	rig_hang_up(c);
	rig_free(r);
}

static void
body(void)
{
	struct rig *r = limited(NET_LIMIT_BODY, 4);
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply = rig_ask(r, c,
	    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd");
	assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
	assert_int_equal(hits(r, NET_LIMIT_BODY), 0);
	reply = rig_ask(r, c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde");
	assert_int_equal(reply.status, 405);
	assert_non_null(strstr(reply.head, "Connection: close\r\n"));
	assert_int_equal(hits(r, NET_LIMIT_BODY), 1);
	rig_hang_up(c);
	rig_free(r);
}

/* One round of the loop, not as many as there is work for. */
static void
one_round(struct rig *r)
{
	event_base_loop(r->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

/* What a source has to read and hash for a byte counts as sent: in one piece, and in parts. */
static void
turn_counts_work(const char *text, unsigned n, uint64_t per_request)
{
	struct rig *r = limited(NET_LIMIT_TURN_BYTES, 2 * 65536);
	struct rig_client *c = rig_connect(r);
	uint64_t most = 0;
	r->cost = 65536;
	rig_settle(r);
	assert_true(send(c->fd, text, strlen(text), 0) > 0);
	for (int i = 0; r->sents < n; i++) {
		uint64_t before = r->pulled;
		one_round(r);
		if (r->pulled - before > most)
			most = r->pulled - before;
		assert_true(i < RIG_PATIENCE);
	}
	/* Two bytes a pull, each worth half a turn; all of them came. */
	assert_int_equal(most, 4);
	assert_int_equal(r->pulled, n * per_request);
	rig_hang_up(c);
	rig_free(r);
}

static void
turn_bytes(void)
{
	struct rig *r = limited(NET_LIMIT_TURN_BYTES, 4096);
	struct rig_client *c = rig_connect(r);
	rig_settle(r);
	assert_true(send(c->fd, GET, sizeof GET - 1, 0) > 0);
	uint64_t most = 0;
	for (int i = 0; r->sents == 0; i++) {
		uint64_t before = r->pulled;
		one_round(r);
		if (r->pulled - before > most)
			most = r->pulled - before;
		rig_read(c);
		assert_true(i < RIG_PATIENCE);
	}
	assert_int_equal(most, 4096);
	rig_hang_up(c);
	rig_free(r);
	turn_counts_work(RANGE RANGE RANGE RANGE RANGE, 5, 2);
	turn_counts_work(PARTS PARTS, 2, 8);
}

static void
turn_requests(void)
{
	static const char text[] = RANGE RANGE RANGE RANGE RANGE;
	struct rig *r = limited(NET_LIMIT_TURN_REQUESTS, 2);
	struct rig_client *c = rig_connect(r);
	rig_settle(r);
	assert_true(send(c->fd, text, sizeof text - 1, 0) > 0);
	unsigned most = 0;
	for (int i = 0; r->sents < 5; i++) {
		unsigned before = r->requests;
		one_round(r);
		if (r->requests - before > most)
			most = r->requests - before;
		assert_true(i < RIG_PATIENCE);
	}
	assert_int_equal(most, 2);
	rig_hang_up(c);
	rig_free(r);
}

static void
accept_batch(void)
{
	struct rig *r = limited(NET_LIMIT_ACCEPT_BATCH, 2);
	struct rig_client *c[5];
	uint64_t most = 0;
	for (int i = 0; i < 5; i++)
		c[i] = rig_connect(r);
	for (int i = 0; net_counters(r->net)->accepted < 5; i++) {
		uint64_t before = net_counters(r->net)->accepted;
		one_round(r);
		if (net_counters(r->net)->accepted - before > most)
			most = net_counters(r->net)->accepted - before;
		assert_true(i < RIG_PATIENCE);
	}
	assert_int_equal(most, 2);
	for (int i = 0; i < 5; i++)
		rig_hang_up(c[i]);
	rig_free(r);
}

/* At the limit the connection lives, a sweep later it has ended. */
static void
ends_after(struct rig *r, struct rig_client *c, int64_t ms, enum net_limit limit)
{
	rig_pass(r, ms - 1);
	assert_int_equal(r->closes, 0);
	assert_int_equal(hits(r, limit), 0);
	rig_pass(r, 1);
	assert_int_equal(hits(r, limit), 1);
	while (!c->eof)
		rig_want(r, c, c->n + 1);
	rig_settle(r);
	assert_int_equal(r->closes, 1);
	assert_int_equal(r->closed.limit, limit);
}

/* Five say hello at once: a round answers two, and all are answered in the end. In pieces or in one. */
static void
handshakes(bool in_pieces)
{
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	struct net_limits limits;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct rig_client *c[5];
	char *held[5] = { NULL };
	size_t held_n[5];
	unsigned answered = 0, most = 0;
	net_limits_default(&limits);
	net_limits_set(&limits, NET_LIMIT_HANDSHAKE_BATCH, 2);
	struct rig *r = rig_new(&limits, tls, HTTP_LENIENT);
	for (int i = 0; i < 5; i++)
		c[i] = rig_connect(r);
	rig_settle(r);
	for (int i = 0; i < 5; i++) {
		c[i]->ssl = SSL_new(ctx);
		assert_int_equal(SSL_set_fd(c[i]->ssl, c[i]->fd), 1);
		BIO *hello = in_pieces ? BIO_new(BIO_s_mem()) : NULL;
		char *text;
		if (hello)
			SSL_set0_wbio(c[i]->ssl, hello);
		assert_int_equal(SSL_connect(c[i]->ssl), -1);
		if (!hello)
			continue;
		long n = BIO_get_mem_data(hello, &text);
		assert_int_equal(send(c[i]->fd, text, 1, 0), 1);
		rig_settle(r); /* everybody has had a turn */
		held[i] = malloc((size_t)n);
		memcpy(held[i], text + 1, (size_t)n - 1);
		held_n[i] = (size_t)n - 1;
	}
	for (int i = 0; i < 5; i++) {
		if (held[i])
			assert_int_equal(send(c[i]->fd, held[i], held_n[i], 0), (ssize_t)held_n[i]);
		free(held[i]);
	}
	for (int i = 0; answered < 5; i++) {
		unsigned before = answered;
		one_round(r);
		answered = 0;
		for (int k = 0; k < 5; k++) {
			struct pollfd fd = { c[k]->fd, POLLIN, 0 };
			answered += poll(&fd, 1, 0) == 1;
		}
		if (answered - before > most)
			most = answered - before;
		assert_true(i < RIG_PATIENCE);
	}
	assert_int_equal(most, 2);
	assert_true(hits(r, NET_LIMIT_HANDSHAKE_BATCH) > 0);
	for (int i = 0; i < 5; i++)
		rig_hang_up(c[i]);
	SSL_CTX_free(ctx);
	rig_free(r);
	tls_free(tls);
	pki_free(&p);
}

static void
handshake_batch(void)
{
	handshakes(false);
	handshakes(true);
}

/* Readers that stop are owed no more than that together; one who reads has all of it meanwhile. */
static void
owed(void)
{
	enum { STOPPED = 40, MOST = 256 * 1024 };
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct net_limits limits;
	net_limits_default(&limits);
	net_limits_set(&limits, NET_LIMIT_OWED, MOST);
	struct rig *r = rig_new(&limits, tls, HTTP_LENIENT);
	struct rig_client *c[STOPPED], *reader;
	uint64_t most = 0;
	r->size = 4 << 20;
	for (int i = 0; i < STOPPED; i++) {
		c[i] = rig_connect_from(r, NULL, 4096);
		assert_true(pki_handshake(r, c[i], ctx));
		rig_send(r, c[i], GET);
		for (int k = 0; k < 5; k++) {
			rig_pump(r);
			most = net_counters(r->net)->owed > most ? net_counters(r->net)->owed : most;
		}
	}
	assert_in_range(most, MOST / 2, MOST);
	assert_true(hits(r, NET_LIMIT_OWED) > 0);
	reader = rig_connect(r);
	assert_true(pki_handshake(r, reader, ctx));
	struct rig_reply reply = rig_ask(r, reader, GET);
	assert_int_equal(reply.n, 4 << 20);
	rig_assert_image(&reply, 0);
	assert_true(net_counters(r->net)->owed <= MOST);
	rig_hang_up(reader);
	/* And so has each of them that goes on. */
	rig_send(r, c[STOPPED - 1], "");
	assert_true(rig_reply_head(r, c[STOPPED - 1], &reply));
	rig_body(r, c[STOPPED - 1], &reply);
	rig_assert_image(&reply, 0);
	for (int i = 0; i < STOPPED; i++)
		rig_hang_up(c[i]);
	rig_settle(r);
	assert_int_equal(net_counters(r->net)->owed, 0);
	rig_free(r);
	SSL_CTX_free(ctx);
	tls_free(tls);
	pki_free(&p);
}

static void
handshake_time(void)
{
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	struct net_limits limits;
	net_limits_default(&limits);
	net_limits_set(&limits, NET_LIMIT_HANDSHAKE_TIME, 10000);
	struct rig *r = rig_new(&limits, tls, HTTP_LENIENT);
	struct rig_client *c = rig_connect(r);
	rig_settle(r);
	rig_send(r, c, "\x16\x03\x01"); /* progress does not help */
	ends_after(r, c, 10000, NET_LIMIT_HANDSHAKE_TIME);
	rig_hang_up(c);
	rig_free(r);
	tls_free(tls);
	pki_free(&p);
}

static void
head_time(void)
{
	static const char slow[] = "GET / HTTP/1.1\r\nHost: h\r\nX-a: b\r\nX-a: b\r\n";
	struct rig *r = limited(NET_LIMIT_HEAD_TIME, 10000);
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply;
	rig_settle(r);
	for (int i = 0; i < 9; i++) { /* a byte a second keeps nothing alive */
		rig_send_bytes(r, c, slow + i, 1);
		rig_pass(r, 1000);
	}
	assert_int_equal(r->closes, 0);
	rig_pass(r, 1000);
	assert_true(rig_reply_head(r, c, &reply));
	assert_int_equal(reply.status, 408);
	assert_int_equal(hits(r, NET_LIMIT_HEAD_TIME), 1);
	rig_hang_up(c);
	rig_settle(r);
	r->closes = 0;
	/* Silence is answered with silence. */
	r->mono_ms += 1;
	c = rig_connect(r);
	rig_settle(r);
	rig_pass(r, 10000);
	rig_assert_end(r, c);
	rig_hang_up(c);
	/* On a kept connection it starts with the first byte. */
	c = rig_connect(r);
	reply = rig_ask(r, c, RANGE);
	rig_eat(c, reply.n);
	rig_pass(r, 60000);
	rig_send(r, c, "GET");
	rig_settle(r);
	rig_pass(r, 9999);
	rig_assert_open(r, c);
	rig_pass(r, 1);
	assert_true(rig_reply_head(r, c, &reply));
	assert_int_equal(reply.status, 408);
	rig_hang_up(c);
	rig_free(r);
}

static void
body_time(void)
{
	struct rig *r = limited(NET_LIMIT_BODY_TIME, 10000);
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply;
	rig_send(r, c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
	rig_settle(r);
	for (int i = 0; i < 9; i++) {
		rig_send(r, c, "x");
		rig_pass(r, 1000);
	}
	assert_int_equal(hits(r, NET_LIMIT_BODY_TIME), 0);
	rig_pass(r, 1000);
	assert_true(rig_reply_head(r, c, &reply));
	assert_int_equal(reply.status, 408);
	assert_int_equal(hits(r, NET_LIMIT_BODY_TIME), 1);
	assert_int_equal(r->requests, 0);
	rig_hang_up(c);
	rig_free(r);
}

static void
idle_time(void)
{
	struct rig *r = limited(NET_LIMIT_IDLE_TIME, 10000);
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply = rig_ask(r, c, RANGE "\n"); /* XinYi's third: still idle */
	rig_eat(c, reply.n);
	rig_settle(r);
	ends_after(r, c, 10000, NET_LIMIT_IDLE_TIME);
	assert_int_equal(c->n, 0);
	rig_hang_up(c);
	rig_free(r);
}

static void
answer_time(void)
{
	struct rig *r = limited(NET_LIMIT_ANSWER_TIME, 10000);
	struct rig_client *c = rig_connect(r);
	r->mode = RIG_HOLD;
	rig_send(r, c, GET);
	rig_settle(r);
	ends_after(r, c, 10000, NET_LIMIT_ANSWER_TIME);
	assert_int_equal(c->n, 0);
	rig_hang_up(c);
	rig_free(r);
}

/* Until the kernel takes no more for a client that does not read (acks come late). */
static void
saturate(struct rig *r)
{
	uint64_t before = 0;
	for (int quiet = 0; quiet < 60; quiet++) {
		rig_pump(r);
		if (r->pulled != before)
			quiet = 0;
		before = r->pulled;
		poll(NULL, 0, 2);
	}
}

/* Reading steadily, if slowly: what is owed of a batch goes out piece by piece, and each piece is progress. */
static void
no_stall_in_tls(void)
{
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	struct net_limits limits;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	net_limits_default(&limits);
	net_limits_set(&limits, NET_LIMIT_STALL_TIME, 10000);
	struct rig *r = rig_new(&limits, tls, HTTP_LENIENT);
	struct rig_client *c = rig_connect_from(r, NULL, 4096);
	char raw[2500];
	r->size = 64 << 20;
	assert_true(pki_handshake(r, c, ctx));
	rig_send(r, c, GET);
	rig_settle(r);
	for (int second = 0; second < 60; second++) {
		size_t n = 0;
		for (int i = 0; i < RIG_PATIENCE && n < sizeof raw; i++) {
			ssize_t did = recv(c->fd, raw, sizeof raw - n, MSG_DONTWAIT);
			n += did > 0 ? (size_t)did : 0;
			rig_pump(r);
		}
		rig_pass(r, 1000);
		assert_int_equal(r->closes, 0);
	}
	rig_pass(r, 10000);
	assert_int_equal(r->closes, 1);
	assert_int_equal(r->closed.limit, NET_LIMIT_STALL_TIME);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
	tls_free(tls);
	pki_free(&p);
}

static void
stall_time(void)
{
	struct rig *r = limited(NET_LIMIT_STALL_TIME, 10000);
	struct rig_client *c = rig_connect_from(r, NULL, 65536);
	r->size = 64 << 20;
	rig_send(r, c, GET);
	saturate(r);
	rig_pass(r, 9999);
	/* A module that comes back after a pause goes on. */
	rig_want(r, c, 4 << 20);
	saturate(r);
	ends_after(r, c, 10000, NET_LIMIT_STALL_TIME);
	assert_true(c->reset); /* what the kernel held for it is dropped */
	assert_false(r->sent.complete);
	rig_hang_up(c);
	rig_free(r);
	no_stall_in_tls();
}

/* Reads a little every 200 s, thirty times or until the end; true when it came to the end. */
static bool
slow_read(struct rig *r, struct rig_client *c)
{
	rig_send(r, c, GET);
	for (int i = 0; i < 30 && r->closes == 0; i++) {
		rig_want(r, c, c->n + 400000);
		rig_settle(r);
		rig_pass(r, 200000);
	}
	return r->closes > 0;
}

static void
reply_time(void)
{
	struct net_limits limits;
	net_limits_default(&limits);
	limits.stall_ms = 86400000; /* not what this is about */
	limits.reply_ms = 3000000;
	limits.reply_rate = 1 << 20; /* 64 MiB: another 64 s */
	struct rig *r = rig_new(&limits, NULL, HTTP_LENIENT);
	struct rig_client *c = rig_connect_from(r, NULL, 65536);
	r->size = 64 << 20;
	assert_true(slow_read(r, c));
	assert_int_equal(r->closed.limit, NET_LIMIT_REPLY_TIME);
	assert_int_equal(r->mono_ms, 1000000 + 3200000); /* the first step past 3064 s */
	rig_hang_up(c);
	rig_free(r);
}

static void
reply_rate(void)
{
	struct net_limits limits;
	net_limits_default(&limits);
	limits.stall_ms = 86400000; /* not what this is about */
	limits.reply_ms = 3000000;
	limits.reply_rate = 16384; /* 64 MiB: another 4096 s */
	struct rig *r = rig_new(&limits, NULL, HTTP_LENIENT);
	struct rig_client *c = rig_connect_from(r, NULL, 65536);
	r->size = 64 << 20;
	assert_false(slow_read(r, c));
	rig_pass(r, 1200000); /* and then it is over as well */
	assert_int_equal(r->closes, 1);
	rig_hang_up(c);
	rig_free(r);
}

static void
linger_time(void)
{
	struct rig *r = limited(NET_LIMIT_LINGER_TIME, 3000);
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply = rig_ask(r, c, "junk\r\n\r\n");
	assert_int_equal(reply.status, 400);
	rig_want(r, c, 1);
	assert_true(c->eof); /* told the end; our side still reads */
	rig_settle(r);
	rig_pass(r, 2999);
	assert_int_equal(r->closes, 0);
	rig_pass(r, 1);
	assert_int_equal(r->closes, 1);
	assert_int_equal(hits(r, NET_LIMIT_LINGER_TIME), 1);
	rig_hang_up(c);
	rig_free(r);
}

static void (*const tests[NET_LIMIT_COUNT])(void) = {
	[NET_LIMIT_LINE] = line,
	[NET_LIMIT_FIELD] = field,
	[NET_LIMIT_HEAD] = head,
	[NET_LIMIT_FIELDS] = fields,
	[NET_LIMIT_BLANKS] = blanks,
	[NET_LIMIT_CONNS] = conns,
	[NET_LIMIT_SOURCE] = source,
	[NET_LIMIT_REQUESTS] = requests,
	[NET_LIMIT_BODY] = body,
	[NET_LIMIT_TURN_BYTES] = turn_bytes,
	[NET_LIMIT_TURN_REQUESTS] = turn_requests,
	[NET_LIMIT_OWED] = owed,
	[NET_LIMIT_ACCEPT_BATCH] = accept_batch,
	[NET_LIMIT_HANDSHAKE_BATCH] = handshake_batch,
	[NET_LIMIT_HANDSHAKE_TIME] = handshake_time,
	[NET_LIMIT_HEAD_TIME] = head_time,
	[NET_LIMIT_BODY_TIME] = body_time,
	[NET_LIMIT_IDLE_TIME] = idle_time,
	[NET_LIMIT_ANSWER_TIME] = answer_time,
	[NET_LIMIT_STALL_TIME] = stall_time,
	[NET_LIMIT_REPLY_TIME] = reply_time,
	[NET_LIMIT_REPLY_RATE] = reply_rate,
	[NET_LIMIT_LINGER_TIME] = linger_time,
};

static void
one_limit(void **state)
{
	tests[*(enum net_limit *)*state]();
}

static void
the_table_is_sound(void **state)
{
	(void)state;
	struct net_limits limits;
	enum net_limit which = NET_LIMIT_NONE;
	net_limits_default(&limits);
	assert_int_equal(net_limits_check(&limits, &which), FG_OK);
	for (enum net_limit i = NET_LIMIT_NONE + 1; i < NET_LIMIT_COUNT; i++) {
		uint32_t value = net_limits_get(&limits, i);
		assert_true(strlen(net_limits_name(i)) > 8);
		assert_true(strlen(net_limits_reason(i)) > 8);
		for (enum net_limit j = NET_LIMIT_NONE + 1; j < i; j++)
			assert_string_not_equal(net_limits_name(i), net_limits_name(j));
		if (i != NET_LIMIT_BODY) { /* may be none at all */
			net_limits_set(&limits, i, 0);
			assert_int_equal(net_limits_check(&limits, &which), FG_EINVAL);
			assert_int_equal(which, i);
		}
		net_limits_set(&limits, i, value);
	}
	assert_int_equal(limits.http.head_max, HTTP_HEAD_MAX);
	assert_string_equal(net_limits_name(NET_LIMIT_NONE), "none");
}

static void
bad_limits_are_refused(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	struct net_limits limits;
	net_limits_default(&limits);
	limits.idle_ms = 1;
	assert_int_equal(net_set_limits(r->net, &limits), FG_EINVAL);
	const struct net_clock clock = { rig_mono, rig_wall, r };
	const struct net_callbacks callbacks = { .on_request = rig_on_request, .ctx = r };
	struct net *net = NULL;
	assert_int_equal(net_new(r->base, &clock, &limits, &callbacks, &net), FG_EINVAL);
	assert_null(net);
	/* Growing them under a connection is safe: buffers keep their size until given back. */
	struct rig_client *c = rig_connect(r);
	char text[20000];
	rig_send(r, c, "GET /");
	rig_settle(r);
	net_limits_default(&limits);
	limits.http.head_max = limits.http.line_max = 16384;
	assert_int_equal(net_set_limits(r->net, &limits), FG_OK);
	memset(text, 'a', sizeof text);
	rig_send_bytes(r, c, text, 12000);
	struct rig_reply reply;
	assert_true(rig_reply_head(r, c, &reply));
	assert_int_equal(reply.status, 431);
	rig_hang_up(c);
	c = rig_connect(r);
	assert_int_equal(rig_ask(r, c, with_line(text, 12000, "Host: h\r\n")).status, 200);
	rig_hang_up(c);
	rig_free(r);
}

int
main(void)
{
	static enum net_limit which[NET_LIMIT_COUNT];
	struct CMUnitTest all[NET_LIMIT_COUNT + 1] = {
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(bad_limits_are_refused),
	};
	/* A limit without a test ends this program. */
	for (enum net_limit i = NET_LIMIT_NONE + 1; i < NET_LIMIT_COUNT; i++) {
		if (!tests[i])
			abort();
		which[i] = i;
		all[i + 1] = (struct CMUnitTest){ net_limits_name(i), one_limit, NULL, NULL,
			&which[i] };
	}
	return cmocka_run_group_tests_name("net_limits", all, NULL, NULL);
}
