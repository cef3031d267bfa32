/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge in a forked child, between a supervisor, control, audit, warden and
 * modules that are all this test: who says what when, and what reaches a module.
 * The clock is the machine's plus what the test adds, so nothing waits for long.
 */
#include "unit/gateway/edge_rig.h"

#include "crypto/entry.h"
#include "gateway/edge/edge_private.h"

#define SMALL (2 * RELEASE_BLOCK + 777)
#define LARGE (128 * RELEASE_BLOCK) /* 8 MiB: more than both kernels' buffers hold */
#define IMEI "490154203237518"
#define IMEI2 "356938035643809"
#define PATH "/fw/rtr/2.0.bin?imei=" IMEI "&v=1.9"

/* ---- modules ---- */

struct module {
	int fd;
	SSL *ssl;
	unsigned status;
	char head[1024];
	uint8_t *body;
	size_t n;       /* of body */
	uint64_t length;
	bool reset, eof;
};

static struct module
module_from(const char *source, uint16_t port, int rcvbuf)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	struct timeval patience = { PATIENCE_MS / 1000, 0 };
	struct module m = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	if (rcvbuf)
		setsockopt(m.fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
	setsockopt(m.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(inet_pton(AF_INET, source, &from.sin_addr), 1);
	assert_int_equal(bind(m.fd, (struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(m.fd, (struct sockaddr *)&a, sizeof a), 0);
	return m;
}

static struct module
module_at(uint16_t port, int rcvbuf)
{
	return module_from("127.0.0.1", port, rcvbuf);
}

static struct module
module(struct fixture *f)
{
	return module_at(f->port, 0);
}

static void
module_end(struct module *m)
{
	SSL_free(m->ssl);
	close(m->fd);
	free(m->body);
	*m = (struct module){ .fd = -1 };
}

static void
ask(struct module *m, const char *method, const char *target, const char *more)
{
	char text[1024];
	int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: fota.example\r\nUser-Agent: t\r\n%s\r\n", method,
	    target, more);
	assert_int_equal(m->ssl ? SSL_write(m->ssl, text, n) : send(m->fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

static size_t
take(struct module *m, void *buf, size_t cap)
{
	ssize_t n = m->ssl ? SSL_read(m->ssl, buf, (int)cap) : recv(m->fd, buf, cap, 0);
	if (n < 0 && !m->ssl && errno == EAGAIN)
		fail_msg("no answer");
	m->reset |= n < 0;
	m->eof |= n == 0;
	return n > 0 ? (size_t)n : 0;
}

static void
read_head(struct module *m)
{
	size_t n = 0;
	memset(m->head, 0, sizeof m->head);
	m->status = 0;
	m->length = 0;
	while (n < sizeof m->head - 1 && !strstr(m->head, "\r\n\r\n")) {
		if (!take(m, m->head + n, 1))
			return;
		n++;
	}
	assert_int_equal(sscanf(m->head, "HTTP/1.1 %u", &m->status), 1);
	const char *at = strstr(m->head, "Content-Length: ");
	if (at)
		m->length = strtoull(at + 16, NULL, 10);
}

/* Head, and the body unless the request was HEAD. */
static void
read_reply(struct module *m, bool body)
{
	read_head(m);
	free(m->body);
	m->n = 0;
	m->body = malloc(m->length + 1);
	while (body && m->n < m->length) {
		size_t n = take(m, m->body + m->n, m->length - m->n);
		if (!n)
			break;
		m->n += n;
	}
	m->body[m->n] = '\0';
}

static void
get(struct module *m, const char *target, const char *more)
{
	ask(m, "GET", target, more);
	read_reply(m, true);
}

static void
expect_not_now(struct module *m)
{
	assert_int_equal(m->status, 503);
	assert_int_equal(m->n, strlen(NOT_NOW));
	assert_string_equal((char *)m->body, NOT_NOW);
	assert_non_null(strstr(m->head, "Content-Type: application/json\r\n"));
}

static void
expect_image(struct fixture *f, struct module *m)
{
	assert_int_equal(m->status, 200);
	assert_int_equal(m->n, f->s->r.size);
	assert_memory_equal(m->body, f->s->image, m->n);
}

/* A whole turn of the edge's loop, seen from outside: a stranger is answered. */
static void
turn(struct fixture *f)
{
	struct module m = module(f);
	get(&m, "/nothing/here", "");
	assert_int_equal(m.status, 404);
	module_end(&m);
}

/* ---- what warden and control know ---- */

static void
make_release(struct fixture *f, uint64_t size)
{
	struct config *c;
	static struct config_problems problems;
	assert_int_equal(sample_parse(SAMPLE_MAIN, SAMPLE_PROFILE, &c, &problems), 0);
	f->s = sample_new(size, "rtr", "2.0");
	assert_int_equal(profile_resource(&c->profiles[0], "https://up.example/get/rtr?v=2.0", f->s->r.terms.resource), 0);
	config_free(c);
	sample_seal(f->s);
}

static int32_t
release_fds(struct fixture *f, bool hot, int image, int blocks)
{
	struct msg_release m = { .size = f->s->r.size, .block_size = RELEASE_BLOCK, .hot = hot,
		.record = writer_view(&f->s->record) };
	struct msg_release_taken taken;
	int fds[2] = { image, blocks };
	memcpy(m.release, f->s->id, MSG_ID);
	memcpy(m.image, f->s->r.terms.image, sizeof m.image);
	say(f->warden, MSG_RELEASE, &m, fds, 2);
	close(image);
	close(blocks);
	hear(f, f->warden, MSG_RELEASE_TAKEN, &taken, sizeof taken);
	assert_memory_equal(taken.release, f->s->id, MSG_ID);
	return taken.err;
}

static int32_t
release(struct fixture *f)
{
	return release_fds(f, true, sample_image_fd(f->s), sample_blocks_fd(f->s));
}

static void
module_id(uint8_t id[MSG_ID])
{
	memset(id, 0x5a, MSG_ID);
}

static int
table_fd_with(uint64_t generation, const struct table_decision *row, const struct table_link *link, bool held, bool listed)
{
	static const uint8_t seed[16] = { 1 };
	struct table_builder *b = table_builder_new(generation, seed, 4);
	struct table_module m = { .group = "", .product = "rtr", .version = "1.9", .held = held, .listed = listed,
		.idents_n = 1, .ident = { { IDENTITY_IMEI, IDENTITY_D, view_str(IMEI) } } };
	assert_non_null(b);
	module_id(m.pseudonym);
	assert_int_equal(table_builder_module(b, &m), 0);
	if (row)
		assert_int_equal(table_builder_decision(b, row), 0);
	if (link)
		assert_int_equal(table_builder_link(b, link), 0);
	int fd = memfd_open("table");
	assert_true(fd >= 0);
	assert_int_equal(table_builder_write(b, fd), 0);
	table_builder_free(b);
	return fd;
}

static int
table_fd(uint64_t generation, const struct table_decision *row, bool held, bool listed)
{
	return table_fd_with(generation, row, NULL, held, listed);
}

static int32_t
send_table(struct fixture *f, uint64_t generation, int fd)
{
	const struct msg_table m = { .generation = generation };
	struct msg_table_taken taken;
	say(f->control, MSG_TABLE, &m, &fd, 1);
	close(fd);
	hear(f, f->control, MSG_TABLE_TAKEN, &taken, sizeof taken);
	assert_int_equal(taken.generation, generation);
	return taken.err;
}

static void
offer_as(struct fixture *f, const struct table_decision *row, bool held, bool listed)
{
	int fd = table_fd(++f->generation, row, held, listed);
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(send_table(f, f->generation, fd), 0);
}

static void
offer(struct fixture *f)
{
	struct table_decision row = sample_row(f->s);
	offer_as(f, &row, false, true);
}

static void
ready(struct fixture *f, uint64_t size)
{
	make_release(f, size);
	assert_int_equal(release(f), 0);
	offer(f);
}

static uint64_t
hear_ask(struct fixture *f)
{
	struct msg_grant_ask m;
	uint8_t id[MSG_ID];
	hear(f, f->control, MSG_GRANT_ASK, &m, sizeof m);
	assert_int_equal(m.asks_n, 1);
	assert_int_equal(m.generation, f->generation);
	module_id(id);
	assert_memory_equal(m.asks[0].module, id, MSG_ID);
	assert_memory_equal(m.asks[0].release, f->s->id, MSG_ID);
	return m.asks[0].token;
}

static void
answer_ask(struct fixture *f, uint64_t token, bool yes)
{
	const struct msg_grant_say m = { .says_n = 1, .says = { { token, yes, 0, 3600 } } };
	say(f->control, MSG_GRANT_SAY, &m, NULL, 0);
}

static uint64_t
hear_append(struct fixture *f)
{
	struct msg_grant_append m;
	hear(f, f->audit, MSG_GRANT_APPEND, &m, sizeof m);
	assert_int_equal(m.grants_n, 1);
	assert_memory_equal(m.grants[0].release, f->s->id, MSG_ID);
	return m.grants[0].token;
}

static void
acknowledge(struct fixture *f, uint64_t token, int32_t err)
{
	const struct msg_grant_appended m = { .granted_n = 1, .granted = { { token, err, 7 } } };
	say(f->audit, MSG_GRANT_APPENDED, &m, NULL, 0);
}

static void
grant(struct fixture *f)
{
	answer_ask(f, hear_ask(f), true);
	acknowledge(f, hear_append(f), 0);
}

/* Asks, is granted, and holds a lease afterwards. */
static void
get_granted(struct fixture *f, struct module *m)
{
	ask(m, "GET", PATH, "");
	grant(f);
	read_reply(m, true);
	expect_image(f, m);
}

/* ---- nothing for you yet ---- */

static void
test_strangers(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	get(&m, "/un/known?secret=1", "");
	assert_int_equal(m.status, 404);
	assert_int_equal(m.length, 0); /* a page could end up in flash */
	struct msg_sighting s;
	hear(f, f->control, MSG_SIGHTING, &s, sizeof s);
	assert_string_equal(s.profile, "");
	assert_string_equal(s.listener, "plain");
	assert_string_equal(s.peer, "127.0.0.1");
	assert_string_equal(s.host, "fota.example");
	assert_string_equal(s.path, "/un/known");
	assert_string_equal(s.agent, "t");
	ask(&m, "POST", PATH, "Content-Length: 0\r\n");
	read_reply(&m, true);
	assert_int_equal(m.status, 405);
	module_end(&m);
}

static void
test_unknown_module_is_sighted_and_told_not_now(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	struct msg_sighting s;
	get(&m, PATH, "");
	expect_not_now(&m);
	assert_non_null(strstr(m.head, "Retry-After: 60\r\n"));
	hear(f, f->control, MSG_SIGHTING, &s, sizeof s);
	assert_string_equal(s.profile, "acme-rtr");
	assert_string_equal(s.url, "https://up.example/get/rtr?v=2.0");
	assert_string_equal(s.product, "rtr");
	assert_string_equal(s.target, "2.0");
	assert_string_equal(s.current, "1.9");
	assert_int_equal(s.idents_n, 1);
	assert_string_equal(s.idents[0].text, IMEI);
	assert_int_equal(s.answer, SCOPE_HOLD_NO_RELEASE);
	/* What could hold a token does not leave the edge. */
	assert_string_equal(s.path, "");
	assert_string_equal(s.agent, "");
	ask(&m, "HEAD", PATH, "");
	read_reply(&m, false);
	assert_int_equal(m.status, 503);
	module_end(&m);
}

static void
test_a_thousand_requests_are_one_sighting(void **state)
{
	struct fixture *f = *state;
	struct module m[20];
	for (unsigned i = 0; i < 20; i++) {
		m[i] = module(f);
		for (unsigned k = 0; k < 50; k++)
			ask(&m[i], "GET", PATH, "");
	}
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 50; k++) {
			read_reply(&m[i], true);
			expect_not_now(&m[i]);
		}
		module_end(&m[i]);
	}
	quiet(f, f->control);
	assert_int_equal(f->sightings, 1);
	/* After a minute it is told again, with what was held back. */
	__atomic_add_fetch(&f->shared->skip_ms, EDGE_SEEN_S * 1000, __ATOMIC_SEQ_CST);
	struct module again = module(f);
	get(&again, PATH, "");
	struct msg_sighting s;
	hear(f, f->control, MSG_SIGHTING, &s, sizeof s);
	assert_int_equal(s.repeats, 999);
	/* Another version is another sighting. */
	get(&again, "/fw/rtr/2.0.bin?imei=" IMEI "&v=1.8", "");
	hear(f, f->control, MSG_SIGHTING, &s, sizeof s);
	assert_string_equal(s.current, "1.8");
	assert_int_equal(s.repeats, 0);
	module_end(&again);
}

/* Control that reads nothing must not be lost to strangers with invented names. */
static void
test_a_flood_of_sightings_does_not_cost_control(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	char target[128];
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(target, sizeof target, "/nobody/%u", i);
		get(&m, target, "");
		assert_int_equal(m.status, 404);
	}
	quiet(f, f->control);
	assert_in_range(f->sightings, 100, 19999);
	ready(f, SMALL); /* the channel lives */
	get_granted(f, &m);
	module_end(&m);
}

static void
test_control_says_no(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), false);
	read_reply(&m, true);
	expect_not_now(&m);
	quiet(f, f->audit);
	assert_int_equal(f->entries, 0);
	module_end(&m);
}

static void
test_rows_that_offer_nothing_to_this_module(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	ready(f, SMALL);
	struct table_decision good = sample_row(f->s), d;
	struct { struct table_decision row; bool held, listed; int64_t wall; const char *path; } rows[17];
	unsigned n = 0;
#define ROW(change, is_held, is_listed, now, what) \
	d = good, change, rows[n].row = d, rows[n].held = is_held, rows[n].listed = is_listed, rows[n].wall = now, \
	rows[n].path = what, n++
	ROW((void)d, true, true, WALL, PATH);                               /* held by an operator */
	ROW((void)d, false, false, WALL, PATH);                             /* learnt, not listed */
	ROW((void)d, false, true, SAMPLE_NOT_BEFORE - 1, PATH);
	ROW((void)d, false, true, SAMPLE_NOT_AFTER, PATH);
	ROW((void)d, false, true, WALL, "/fw/rtr/2.0.bin?imei=" IMEI2 "&v=1.9"); /* another module */
	ROW((void)d, false, true, WALL, "/fw/rtr/2.0.bin?imei=" IMEI "&v=2.0");  /* has it */
	ROW((void)d, false, true, WALL, "/fw/rtr/2.0.bin?imei=490154203237519&v=1.9"); /* no IMEI */
	/* Beyond the warden's record. */
	ROW(d.not_after++, false, true, WALL, PATH);
	ROW(d.not_before--, false, true, WALL, PATH);
	ROW(d.image[0] ^= 1, false, true, WALL, PATH);
	ROW(d.size++, false, true, WALL, PATH);
	ROW(d.target = "2.1", false, true, WALL, PATH);
	ROW(d.release[0] ^= 1, false, true, WALL, PATH);
	ROW(d.group = "canary", false, true, WALL, PATH);                   /* for others */
	ROW(d.share = 0, false, true, WALL, PATH);                          /* its ring is not open */
	ROW(d.known_by = WALL, false, true, WALL, PATH);                    /* the table does not say that it was known by then */
	ROW(d.as_of = WALL, false, true, WALL, PATH);                       /* nor that it was in its group by then */
	for (unsigned i = 0; i < n; i++) {
		f->shared->wall_s = rows[i].wall;
		offer_as(f, &rows[i].row, rows[i].held, rows[i].listed);
		get(&m, rows[i].path, "");
		expect_not_now(&m);
		quiet(f, f->control); /* nobody was even asked */
	}
	f->shared->wall_s = WALL;
	offer_as(f, &good, false, true);
	get_granted(f, &m);
	module_end(&m);
}

static void
test_rings_let_some_modules_in(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	uint8_t who[MSG_ID];
	ready(f, SMALL);
	module_id(who);
	struct table_decision row = sample_row(f->s);
	uint64_t place = rollout_place(row.release, who);
	row.share = place;
	offer_as(f, &row, false, true);
	get(&m, PATH, "");
	expect_not_now(&m);
	quiet(f, f->control);
	row.share = place + 1;
	offer_as(f, &row, false, true);
	get_granted(f, &m);
	/* Closed again: what was granted on this very connection is not served further. */
	row.share = place;
	offer_as(f, &row, false, true);
	get(&m, PATH, "");
	expect_not_now(&m);
	module_end(&m);
}

/* ---- grants ---- */

static void
test_no_byte_before_the_acknowledgement(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	uint8_t byte;
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	uint64_t token = hear_ask(f);
	turn(f);
	assert_int_equal(recv(m.fd, &byte, 1, MSG_DONTWAIT), -1);
	answer_ask(f, token, true);
	token = hear_append(f);
	turn(f);
	turn(f);
	assert_int_equal(recv(m.fd, &byte, 1, MSG_DONTWAIT), -1);
	/* Acknowledging something else is nothing. */
	acknowledge(f, token + (UINT64_C(1) << 32), 0);
	acknowledge(f, UINT64_MAX, 0);
	turn(f);
	assert_int_equal(recv(m.fd, &byte, 1, MSG_DONTWAIT), -1);
	acknowledge(f, token, 0);
	read_reply(&m, true);
	expect_image(f, &m);
	module_end(&m);
}

static void
test_audit_is_silent(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	unsigned retry = 0;
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), true);
	uint64_t token = hear_append(f);
	__atomic_add_fetch(&f->shared->skip_ms, EDGE_ASK_MS, __ATOMIC_SEQ_CST);
	read_reply(&m, true);
	expect_not_now(&m);
	/* Soon, because it is our fault, but not all in the same second. */
	assert_int_equal(sscanf(strstr(m.head, "Retry-After"), "Retry-After: %u", &retry), 1);
	assert_in_range(retry, EDGE_RETRY_S, 2 * EDGE_RETRY_S);
	/* Too late: no lease comes of it, and nobody else's request is answered with it. */
	acknowledge(f, token, 0);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), true);
	acknowledge(f, hear_append(f), FG_EIO);
	read_reply(&m, true);
	expect_not_now(&m);
	get_granted(f, &m);
	module_end(&m);
}

static void
test_module_that_does_not_wait(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	uint64_t token = hear_ask(f);
	const struct linger rst = { 1, 0 };
	setsockopt(m.fd, SOL_SOCKET, SO_LINGER, &rst, sizeof rst);
	module_end(&m);
	turn(f);
	answer_ask(f, token, true); /* its place is free: nothing is appended for nobody */
	turn(f);
	turn(f);
	quiet(f, f->audit);
	m = module(f);
	get_granted(f, &m);
	module_end(&m);
}

static void
test_table_changes_while_asking(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), true);
	uint64_t token = hear_append(f);
	offer_as(f, NULL, false, true);
	acknowledge(f, token, 0);
	read_reply(&m, true);
	expect_not_now(&m);
	module_end(&m);
}

static void
test_peers_that_go_while_asking(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	hear_ask(f);
	close(f->control);
	read_reply(&m, true);
	expect_not_now(&m);
	f->control = peer(f, MSG_ROLE_CONTROL);
	turn(f);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), true);
	hear_append(f);
	close(f->audit);
	read_reply(&m, true);
	expect_not_now(&m);
	f->audit = peer(f, MSG_ROLE_AUDIT);
	turn(f);
	get_granted(f, &m);
	module_end(&m);
}

/* ---- serving ---- */

static void
test_exact_bytes_ranges_and_conditions(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	char etag[80], more[160];
	ready(f, SMALL);
	get_granted(f, &m);
	assert_non_null(strstr(m.head, "Accept-Ranges: bytes\r\n"));
	snprintf(etag, sizeof etag, "ETag: \"");
	size_t n = strlen(etag);
	for (unsigned i = 0; i < DIGEST_SHA256_LEN; i++, n += 2)
		snprintf(etag + n, sizeof etag - n, "%02x", f->s->r.terms.image[i]);
	assert_non_null(strstr(m.head, etag));
	struct msg_append entry;
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_int_equal(entry.event, ENTRY_DEVICE_SERVED);
	assert_true(entry.have_dev);
	hear(f, f->control, MSG_SERVED, &f->served, sizeof f->served);
	assert_true(f->served.complete);
	assert_int_equal(f->served.sent, SMALL);
	/* From here on by the lease: nobody is asked. */
	f->entries = f->servings = 0;
	get(&m, PATH, "Range: bytes=100-299\r\n");
	assert_int_equal(m.status, 206);
	assert_int_equal(m.n, 200);
	assert_memory_equal(m.body, f->s->image + 100, 200);
	snprintf(more, sizeof more, "Content-Range: bytes 100-299/%u\r\n", SMALL);
	assert_non_null(strstr(m.head, more));
	get(&m, PATH, "Range: bytes=99999999-\r\n");
	assert_int_equal(m.status, 416);
	ask(&m, "HEAD", PATH, "");
	read_reply(&m, false);
	assert_int_equal(m.status, 200);
	assert_int_equal(m.length, SMALL);
	snprintf(more, sizeof more, "If-None-Match: %s\"\r\n", etag + 6);
	get(&m, PATH, more);
	assert_int_equal(m.status, 304);
	quiet(f, f->audit);
	quiet(f, f->control);
	assert_int_equal(f->entries, 0);
	assert_int_equal(f->servings, 0);
	/* The last bytes are an end, whoever has the others. */
	get(&m, PATH, "Range: bytes=-10\r\n");
	assert_int_equal(m.status, 206);
	assert_memory_equal(m.body, f->s->image + SMALL - 10, 10);
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	hear(f, f->control, MSG_SERVED, &f->served, sizeof f->served);
	assert_int_equal(f->served.offset, SMALL - 10);
	/* Several are one answer, told once, and without the lines between them. */
	f->entries = f->servings = 0;
	get(&m, PATH, "Range: bytes=0-9,100-299\r\n");
	assert_int_equal(m.status, 206);
	assert_non_null(strstr(m.head, "Content-Type: multipart/byteranges; boundary="));
	assert_non_null(memmem(m.body, m.n, f->s->image + 100, 200));
	quiet(f, f->audit);
	assert_int_equal(f->entries, 0);
	get(&m, PATH, "Range: bytes=-7,100-299\r\n");
	assert_int_equal(m.status, 206);
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_int_equal(entry.event, ENTRY_DEVICE_SERVED);
	hear(f, f->control, MSG_SERVED, &f->served, sizeof f->served);
	assert_int_equal(f->served.offset, SMALL - 7);
	assert_int_equal(f->served.sent, 207);
	assert_true(f->served.complete);
	module_end(&m);
}

#define LINK_TOKEN "0123456789abcdef"

/* A table with a short URL for that release, if it is one. */
static void
offer_link(struct fixture *f, const uint8_t release[MSG_ID], bool held, int64_t not_after)
{
	struct table_decision row = sample_row(f->s);
	struct table_link link = { .not_after = not_after, .profile = "acme-rtr" };
	assert_int_equal(link_digest(view_str(LINK_TOKEN), link.digest), 0);
	memcpy(link.release, release, sizeof link.release);
	int fd = table_fd_with(++f->generation, &row, &link, held, true);
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(send_table(f, f->generation, fd), 0);
}

static void
test_short_urls(void **state)
{
	static const char *const others[] = { "/f/0123456789abcdeg", "/f/" LINK_TOKEN "?x", "/f/" LINK_TOKEN "0", "/f/" };
	const uint8_t other[MSG_ID] = { 9 };
	struct fixture *f = *state;
	struct module m = module(f);
	struct msg_sighting s;
	/* Nobody's: as any other stranger's path, but that what may be a secret is not told. */
	get(&m, "/f/" LINK_TOKEN, "");
	assert_int_equal(m.status, 404);
	assert_int_equal(m.length, 0);
	hear(f, f->control, MSG_SIGHTING, &s, sizeof s);
	assert_string_equal(s.path, "/f/*");
	make_release(f, SMALL);
	assert_int_equal(release(f), 0);
	offer_link(f, f->s->id, false, WALL + 100);
	f->sightings = 0;
	/* It says who asks and for what, and grants nothing: no byte before the acknowledgement. */
	ask(&m, "GET", "/f/" LINK_TOKEN, "");
	uint64_t token = hear_ask(f);
	assert_int_equal(f->sightings, 0);
	answer_ask(f, token, true);
	token = hear_append(f);
	assert_int_equal(recv(m.fd, m.head, 1, MSG_DONTWAIT), -1);
	acknowledge(f, token, 0);
	read_reply(&m, true);
	expect_image(f, &m);
	get(&m, "/f/" LINK_TOKEN, "Range: bytes=10-19\r\n");
	assert_int_equal(m.status, 206);
	assert_memory_equal(m.body, f->s->image + 10, 10);
	ask(&m, "POST", "/f/" LINK_TOKEN, "Content-Length: 0\r\n");
	read_reply(&m, true);
	assert_int_equal(m.status, 405);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		get(&m, others[i], "");
		assert_int_equal(m.status, 404);
	}
	/* The lease is no way around what the table says. */
	offer_link(f, f->s->id, true, WALL + 100);
	get(&m, "/f/" LINK_TOKEN, "");
	expect_not_now(&m);
	offer_link(f, other, false, WALL + 100);
	get(&m, "/f/" LINK_TOKEN, "");
	expect_not_now(&m);
	offer_link(f, f->s->id, false, WALL + 100);
	get(&m, "/f/" LINK_TOKEN, "");
	expect_image(f, &m);
	/* Asked again and again on one connection it is recalled, and ends in time all the same. */
	for (unsigned i = 0; i < 3; i++) {
		get(&m, "/f/" LINK_TOKEN, "Range: bytes=0-9\r\n");
		assert_int_equal(m.status, 206);
	}
	f->shared->wall_s = WALL + 99;
	get(&m, "/f/" LINK_TOKEN, "");
	expect_image(f, &m);
	f->shared->wall_s = WALL + 100;
	get(&m, "/f/" LINK_TOKEN, "");
	expect_not_now(&m);
	quiet(f, f->control);
	module_end(&m);
}

static void
test_cold_image(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	char name[] = "/tmp/fg-edge-XXXXXX";
	make_release(f, SMALL);
	int file = mkstemp(name);
	unlink(name);
	assert_int_equal(write(file, f->s->image, SMALL), SMALL);
	assert_int_equal(release_fds(f, false, file, sample_blocks_fd(f->s)), 0);
	offer(f);
	get_granted(f, &m);
	module_end(&m);
}

static void
test_leases_outlive_control_for_an_hour(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	ready(f, SMALL);
	get_granted(f, &m);
	module_end(&m);
	close(f->control);
	close(f->audit);
	f->control = f->audit = -1;
	m = module(f);
	get(&m, PATH, "");
	expect_image(f, &m);
	module_end(&m);
	__atomic_add_fetch(&f->shared->skip_ms, 3600 * 1000, __ATOMIC_SEQ_CST);
	m = module(f);
	get(&m, PATH, "");
	expect_not_now(&m);
	module_end(&m);
}

/* A module's hundredth range costs less than its first, and is decided no less. */
static void
test_the_same_request_again(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	char range[64];
	ready(f, SMALL);
	get_granted(f, &m);
	struct table_decision row = sample_row(f->s);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 5; i++) {
			unsigned first = round * 50000 + i * 1024;
			snprintf(range, sizeof range, "Range: bytes=%u-%u\r\n", first, first + 1023);
			get(&m, PATH, range);
			assert_int_equal(m.status, 206);
			assert_int_equal(m.n, 1024);
			assert_memory_equal(m.body, f->s->image + first, m.n);
		}
		/* Another module on the same connection gets nothing by the first one's answer. */
		get(&m, "/fw/rtr/2.0.bin?imei=" IMEI2 "&v=1.9", range);
		expect_not_now(&m);
		get(&m, PATH, range);
		assert_int_equal(m.status, 206);
		/* A table in between: held, then offered again. */
		offer_as(f, &row, true, true);
		get(&m, PATH, range);
		expect_not_now(&m);
		offer(f);
	}
	quiet(f, f->control);
	assert_int_equal(f->sightings, 3); /* the module offered and held, and the other one */
	/* Those kept back are told after a minute. */
	get(&m, PATH, range);
	get(&m, PATH, range);
	__atomic_add_fetch(&f->shared->skip_ms, EDGE_SEEN_S * 1000, __ATOMIC_SEQ_CST);
	get(&m, PATH, range);
	assert_int_equal(m.status, 206);
	struct msg_sighting s;
	hear(f, f->control, MSG_SIGHTING, &s, sizeof s);
	assert_int_equal(s.repeats, 20);
	/* The lease runs out on a connection that stays. */
	for (unsigned i = 0; i < 60; i++) {
		__atomic_add_fetch(&f->shared->skip_ms, 60 * 1000, __ATOMIC_SEQ_CST);
		if (i < 58) {
			get(&m, PATH, range);
			assert_int_equal(m.status, 206);
		}
	}
	ask(&m, "GET", PATH, range);
	grant(f);
	read_reply(&m, true);
	assert_int_equal(m.status, 206);
	get(&m, PATH, range);
	get(&m, PATH, range);
	assert_int_equal(m.status, 206);
	/* And the window of the release. */
	f->shared->wall_s = SAMPLE_NOT_AFTER;
	get(&m, PATH, range);
	expect_not_now(&m);
	module_end(&m);
}

/* Nor is a module's that makes a connection for each. */
static void
test_the_same_request_on_other_connections(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	char range[64];
	ready(f, SMALL);
	get_granted(f, &m);
	module_end(&m);
	struct table_decision row = sample_row(f->s);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 5; i++) {
			unsigned first = round * 50000 + i * 1024;
			m = i == 4 ? module_from("127.0.0.9", f->port, 0) : module(f);
			snprintf(range, sizeof range, "Range: bytes=%u-%u\r\n", first, first + 1023);
			get(&m, PATH, range);
			assert_int_equal(m.status, 206);
			assert_int_equal(m.n, 1024);
			assert_memory_equal(m.body, f->s->image + first, m.n);
			module_end(&m);
		}
		m = module(f);
		get(&m, "/fw/rtr/2.0.bin?imei=" IMEI2 "&v=1.9", range);
		expect_not_now(&m);
		module_end(&m);
		offer_as(f, &row, true, true);
		m = module(f);
		get(&m, PATH, range);
		expect_not_now(&m);
		module_end(&m);
		offer(f);
	}
	quiet(f, f->control);
	assert_int_equal(f->sightings, 3); /* the module offered and held, and the other one */
	/* What is kept back is told in time; the lease runs out; the window closes. */
	__atomic_add_fetch(&f->shared->skip_ms, EDGE_SEEN_S * 1000, __ATOMIC_SEQ_CST);
	m = module(f);
	get(&m, PATH, range);
	assert_int_equal(m.status, 206);
	module_end(&m);
	struct msg_sighting s;
	hear(f, f->control, MSG_SIGHTING, &s, sizeof s);
	assert_int_equal(s.repeats, 15);
	__atomic_add_fetch(&f->shared->skip_ms, 59 * 60 * 1000, __ATOMIC_SEQ_CST);
	m = module(f);
	ask(&m, "GET", PATH, range);
	grant(f);
	read_reply(&m, true);
	assert_int_equal(m.status, 206);
	module_end(&m);
	for (unsigned i = 0; i < 2; i++) {
		m = module(f);
		get(&m, PATH, range);
		assert_int_equal(m.status, 206);
		module_end(&m);
	}
	f->shared->wall_s = SAMPLE_NOT_AFTER;
	m = module(f);
	get(&m, PATH, range);
	expect_not_now(&m);
	module_end(&m);
}

static void
test_https(void **state)
{
	struct fixture *f = *state;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct module m = module_at(f->tls_port, 0);
	ready(f, SMALL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), f->pki.cert);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	m.ssl = SSL_new(ctx);
	SSL_set_fd(m.ssl, m.fd);
	assert_int_equal(SSL_connect(m.ssl), 1);
	get_granted(f, &m);
	assert_string_equal(f->sighting.listener, "tls");
	get(&m, PATH, "Range: bytes=70000-140000\r\n");
	assert_int_equal(m.status, 206);
	assert_memory_equal(m.body, f->s->image + 70000, m.n);
	module_end(&m);
	SSL_CTX_free(ctx);
}

static void
test_a_block_that_was_not_signed_for(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	make_release(f, SMALL);
	f->s->image[RELEASE_BLOCK + 5] ^= 1; /* list and record are of the right one */
	assert_int_equal(release(f), 0);
	offer(f);
	ask(&m, "GET", PATH, "");
	grant(f);
	read_reply(&m, true);
	assert_true(m.reset);
	assert_true(m.n <= RELEASE_BLOCK);
	assert_memory_equal(m.body, f->s->image, m.n);
	struct msg_append entry;
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_int_equal(entry.event, ENTRY_IMAGE_CORRUPT);
	assert_false(entry.have_dev);
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_int_equal(entry.event, ENTRY_DEVICE_FAILED);
	module_end(&m);
	m = module(f);
	get(&m, PATH, "");
	expect_not_now(&m);
	module_end(&m);
}

/* ---- restricting ---- */

/* Granted, and stuck in the middle: this side does not read. */
static struct module
half_way(struct fixture *f)
{
	struct module m = module_at(f->port, 4096);
	ask(&m, "GET", PATH, "");
	grant(f);
	read_head(&m);
	assert_int_equal(m.status, 200);
	assert_int_equal(m.length, LARGE);
	return m;
}

/* Reset, not closed, and not whole. */
static void
expect_cut(struct module *m)
{
	static uint8_t buf[65536];
	uint64_t n = 0;
	for (size_t k; (k = take(m, buf, sizeof buf)) > 0;)
		n += k;
	assert_true(m->reset);
	assert_false(m->eof);
	assert_true(n < LARGE);
}

static void
test_revoke(void **state)
{
	struct fixture *f = *state;
	struct msg_revoke revoke = { .generation = 1 };
	struct msg_revoked revoked;
	struct msg_append entry;
	ready(f, LARGE);
	struct module m = half_way(f), idle = module(f);
	get(&idle, PATH, "Range: bytes=0-99\r\n"); /* whole, but who knows where its bytes are */
	assert_int_equal(idle.status, 206);
	memcpy(revoke.release, f->s->id, MSG_ID);
	say(f->control, MSG_REVOKE, &revoke, NULL, 0);
	hear(f, f->control, MSG_REVOKED, &revoked, sizeof revoked);
	assert_int_equal(revoked.reset, 1);
	expect_cut(&m);
	assert_int_equal(take(&idle, &entry, 1), 0);
	assert_true(idle.reset);
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_int_equal(entry.event, ENTRY_DEVICE_FAILED);
	module_end(&m);
	module_end(&idle);
	m = module(f);
	get(&m, PATH, "");
	expect_not_now(&m);
	/* A warden that did not hear of it brings the release again. */
	assert_int_equal(release(f), FG_EPERM);
	offer(f);
	get(&m, PATH, "");
	expect_not_now(&m);
	quiet(f, f->control);
	module_end(&m);
}

/* Withheld is not revoked: what the warden said of it stays, and a later table offers it again. */
static void
test_withhold(void **state)
{
	struct fixture *f = *state;
	struct msg_revoke revoke = { .generation = 1, .withheld = true };
	struct msg_revoked revoked;
	struct msg_append entry;
	ready(f, LARGE);
	struct module m = half_way(f);
	memcpy(revoke.release, f->s->id, MSG_ID);
	say(f->control, MSG_REVOKE, &revoke, NULL, 0);
	hear(f, f->control, MSG_REVOKED, &revoked, sizeof revoked);
	assert_int_equal(revoked.reset, 1);
	expect_cut(&m);
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_int_equal(entry.event, ENTRY_DEVICE_FAILED);
	module_end(&m);
	/* Its lease is gone: control is asked, and says no. */
	m = module(f);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), false);
	read_reply(&m, true);
	expect_not_now(&m);
	module_end(&m);
	m = module(f);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), true);
	acknowledge(f, hear_append(f), 0);
	read_reply(&m, true);
	assert_int_equal(m.status, 200);
	module_end(&m);
}

static void
test_revoke_while_asking(void **state)
{
	struct fixture *f = *state;
	struct msg_revoke revoke = { .generation = 1 };
	struct module m = module(f);
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), true);
	uint64_t token = hear_append(f);
	memcpy(revoke.release, f->s->id, MSG_ID);
	say(f->control, MSG_REVOKE, &revoke, NULL, 0);
	read_reply(&m, true);
	expect_not_now(&m);
	acknowledge(f, token, 0);
	get(&m, PATH, "");
	expect_not_now(&m);
	module_end(&m);
}

static void
test_withdraw(void **state)
{
	struct fixture *f = *state;
	struct msg_withdraw withdraw;
	ready(f, LARGE);
	struct module m = half_way(f);
	memcpy(withdraw.release, f->s->id, MSG_ID);
	say(f->warden, MSG_WITHDRAW, &withdraw, NULL, 0);
	expect_cut(&m);
	module_end(&m);
	m = module(f);
	get(&m, PATH, "");
	expect_not_now(&m);
	/* Unlike a revocation it may be undone by its author; the old lease is gone all the same. */
	assert_int_equal(release(f), 0);
	get_granted(f, &m);
	module_end(&m);
}

static void
test_halt_and_unhalt(void **state)
{
	struct fixture *f = *state;
	const struct msg_halt halt = { .at = 5, .by_uid = 0 };
	const struct msg_unhalt unhalt = { .at = 5 };
	ready(f, LARGE);
	struct module m = half_way(f), waiting = module(f);
	get(&waiting, "/fw/rtr/2.0.bin?imei=" IMEI "&v=2.0", "");
	say(f->chan, MSG_HALT, &halt, NULL, 0);
	hear(f, f->chan, MSG_HALT, NULL, 0);
	expect_cut(&m);
	module_end(&m);
	get(&waiting, PATH, "");
	expect_not_now(&waiting);
	/* Everything else goes on: control may send what it likes. */
	offer(f);
	get(&waiting, PATH, "");
	expect_not_now(&waiting);
	say(f->chan, MSG_UNHALT, &unhalt, NULL, 0);
	turn(f);
	get(&waiting, PATH, ""); /* the lease is still good: nobody revoked anything */
	expect_image(f, &waiting);
	module_end(&waiting);
}

static void
test_halt_while_asking(void **state)
{
	struct fixture *f = *state;
	const struct msg_halt halt = { .at = 5, .by_uid = 0 };
	struct module m = module(f);
	ready(f, SMALL);
	ask(&m, "GET", PATH, "");
	answer_ask(f, hear_ask(f), true);
	uint64_t token = hear_append(f);
	say(f->chan, MSG_HALT, &halt, NULL, 0);
	hear(f, f->chan, MSG_HALT, NULL, 0);
	read_reply(&m, true);
	expect_not_now(&m);
	acknowledge(f, token, 0);
	turn(f);
	module_end(&m);
}

/* ---- what is not taken ---- */

static void
test_tables_not_taken(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	ready(f, SMALL);
	struct table_decision row = sample_row(f->s);
	int fd = table_fd(f->generation - 1, &row, false, true);
	memfd_seal(fd);
	assert_int_equal(send_table(f, f->generation - 1, fd), FG_ESTATE); /* back */
	fd = table_fd(f->generation + 1, &row, false, true);
	memfd_seal(fd);
	assert_int_equal(send_table(f, f->generation + 2, fd), FG_ESTATE); /* not what it says */
	assert_int_equal(send_table(f, f->generation + 1, table_fd(f->generation + 1, NULL, false, true)), FG_EPEER);
	fd = memfd_sealed("t", view_str("no table at all"));
	assert_int_equal(send_table(f, f->generation + 1, fd), FG_EPEER);
	get_granted(f, &m); /* the good one is still in force */
	module_end(&m);
}

static void
test_releases_not_taken(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
	make_release(f, SMALL);
	int open = memfd_open("i");
	assert_int_equal(write(open, f->s->image, SMALL), SMALL);
	assert_int_equal(release_fds(f, true, open, sample_blocks_fd(f->s)), FG_EPEER);
	assert_int_equal(release_fds(f, true, sample_image_fd(f->s), sample_image_fd(f->s)), FG_ELIMIT);
	offer(f);
	get(&m, PATH, "");
	expect_not_now(&m);
	quiet(f, f->control);
	module_end(&m);
}

/* ---- life ---- */

/* Whose certificate a new connection is shown; the connection with *ret_m, if anybody wants it. */
static void
expect_server(struct fixture *f, const char *name, struct module *ret_m)
{
	char cn[64];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct module m = module_at(f->tls_port, 0);
	m.ssl = SSL_new(ctx);
	assert_int_equal(SSL_set_fd(m.ssl, m.fd), 1);
	assert_int_equal(SSL_connect(m.ssl), 1);
	X509 *x = SSL_get1_peer_certificate(m.ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, sizeof cn);
	assert_string_equal(cn, name);
	X509_free(x);
	SSL_CTX_free(ctx);
	if (ret_m)
		*ret_m = m;
	else
		module_end(&m);
}

static void
test_certificates_are_renewed(void **state)
{
	struct fixture *f = *state;
	struct pki next = pki_new("renewed", false, NULL, NULL, (int64_t)time(NULL));
	struct module old;
	const char *why;
	ready(f, SMALL);
	expect_server(f, "gate", &old);
	hand_tls(f, next.cert_pem, next.key_pem, next.cert_pem);
	why = reload(f, default_bundle("quorum", "quorum = 2;"), true);
	assert_string_equal(why, "");
	expect_server(f, "renewed", NULL);
	/* Who was connected notices nothing. */
	get_granted(f, &old);
	/* A bad one changes nothing, and is named; nor does a configuration that lacks a file it names. */
	hand_tls(f, f->pki.cert_pem, next.key_pem, next.cert_pem);
	why = reload(f, default_bundle("quorum", "quorum = 2;"), true);
	assert_non_null(strstr(why, "listener tls keeps its TLS as it was: "));
	expect_server(f, "renewed", NULL);
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, NULL);
	why = reload(f, default_bundle("quorum", "quorum = 2;"), true);
	assert_non_null(strstr(why, "ca.pem was not handed over"));
	expect_server(f, "renewed", NULL);
	/* What was handed for a configuration that was refused is not used for the next. */
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, f->pki.cert_pem);
	reload(f, bundle("nonsense", SAMPLE_PROFILE), false);
	why = reload(f, default_bundle("quorum", "quorum = 2;"), true);
	assert_non_null(strstr(why, "was not handed over"));
	expect_server(f, "renewed", NULL);
	get(&old, PATH, "");
	expect_image(f, &old);
	module_end(&old);
	pki_free(&next);
}

/* A module with that certificate; whether it is welcome shows at its first request. */
static struct module
module_as(struct fixture *f, const struct pki *who)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct module m = module_at(f->tls_port, 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, who->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, who->key), 1);
	m.ssl = SSL_new(ctx);
	assert_int_equal(SSL_set_fd(m.ssl, m.fd), 1);
	assert_int_equal(SSL_connect(m.ssl), 1);
	SSL_CTX_free(ctx);
	return m;
}

static void
expect_welcome(struct module *m, bool welcome)
{
	char byte;
	if (welcome) {
		get(m, "/nobody", "");
		assert_int_equal(m->status, 404);
	} else {
		assert_true(SSL_read(m->ssl, &byte, 1) <= 0);
	}
}

static int
crl_bundle(void)
{
	char *text = strdup(SAMPLE_MAIN), *with = calloc(1, strlen(text) + 64);
	const char *at = strstr(text, "client_ca");
	snprintf(with, strlen(text) + 64, "%.*sclient_crl = \"crl.pem\"; %s", (int)(at - text), text, at);
	int fd = bundle(with, SAMPLE_PROFILE);
	free(text);
	free(with);
	return fd;
}

/* A list comes: whom it names is refused, logged once, and cut off where he is connected. */
static void
test_a_revoked_certificate(void **state)
{
	struct fixture *f = *state;
	struct pki ca = pki_new("modules' CA", false, NULL, NULL, WALL), other = pki_new("nobody", false, NULL, NULL, WALL);
	struct pki good = pki_new("m1", false, &ca, "clientAuth", WALL), bad = pki_new("m2", false, &ca, "clientAuth", WALL);
	struct pki stranger = pki_new("m3", false, &other, "clientAuth", WALL);
	struct pki *all[] = { &ca, &other, &good, &bad, &stranger };
	char *before = pki_crl(&ca, NULL, WALL), *after = pki_crl(&ca, &bad, WALL);
	ready(f, SMALL);
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, ca.cert_pem);
	boot_fd(f, MSG_FD_CLIENT_CRL, 1, text_fd(before));
	assert_string_equal(reload(f, crl_bundle(), true), "");
	struct module first = module_as(f, &good), second = module_as(f, &bad);
	expect_welcome(&first, true);
	expect_welcome(&second, true);
	/* When what ends is told, so that somebody may do something in time. */
	turn(f);
	quiet(f, f->control);
	static const int64_t ends[] = { [MSG_RUNOUT_CERT] = 0, [MSG_RUNOUT_CLIENT_CA] = WALL + 86400, [MSG_RUNOUT_CRL] = WALL + 3600 };
	assert_int_equal(f->runouts.rows_n, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct msg_runout *row = &f->runouts.rows[i];
		assert_int_equal(row->listener, 1);
		assert_int_equal(row->kind, i + 1);
		if (ends[row->kind])
			assert_int_equal(row->until, ends[row->kind]);
	}
	/* A configuration that names a list, and none handed over, is no configuration without lists. */
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, ca.cert_pem);
	assert_non_null(strstr(reload(f, crl_bundle(), true), "crl.pem was not handed over"));
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, ca.cert_pem);
	boot_fd(f, MSG_FD_CLIENT_CRL, 1, text_fd(after));
	assert_string_equal(reload(f, crl_bundle(), true), "");
	expect_welcome(&first, true);
	expect_welcome(&second, false);
	for (unsigned i = 0; i < 3; i++) {
		struct module m = module_as(f, &bad), n = module_as(f, &stranger), o = module_as(f, &good);
		expect_welcome(&m, false);
		expect_welcome(&n, false);
		expect_welcome(&o, true);
		module_end(&m);
		module_end(&n);
		module_end(&o);
	}
	struct msg_append entry;
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_int_equal(entry.event, ENTRY_AUTH_FAILED);
	assert_string_equal(entry.out, "denied");
	assert_string_equal(entry.obj, "listener:tls");
	assert_string_equal(entry.msg, "a client certificate that was presented is refused: revoked");
	assert_false(entry.have_dev);
	quiet(f, f->audit);
	assert_int_equal(f->entries, 1);
	module_end(&first);
	module_end(&second);
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		pki_free(all[i]);
	free(before);
	free(after);
}

/* who NULL: it shows none. middle: what stands between it and an anchor, or NULL. */
static struct module
module_below(struct fixture *f, const struct pki *who, const struct pki *middle)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct module m = module_at(f->tls_port, 0);
	if (who) {
		assert_int_equal(SSL_CTX_use_certificate(ctx, who->cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, who->key), 1);
	}
	if (middle)
		assert_int_equal(SSL_CTX_add1_chain_cert(ctx, middle->cert), 1);
	m.ssl = SSL_new(ctx);
	assert_int_equal(SSL_set_fd(m.ssl, m.fd), 1);
	assert_int_equal(SSL_connect(m.ssl), 1);
	SSL_CTX_free(ctx);
	expect_welcome(&m, true);
	return m;
}

/* The next request finds the door closed. */
static void
expect_shown_out(struct module *m)
{
	ask(m, "GET", "/nobody", "");
	expect_welcome(m, false);
	module_end(m);
}

static char *
joined(const char *a, const char *b)
{
	char *both = calloc(1, strlen(a) + strlen(b) + 1);
	strcat(strcat(both, a), b);
	return both;
}

/* What vouched for a certificate is gone: a CA below ours is on a list, or ours is none of ours any more. */
static void
test_a_certificate_falls_with_its_ca(void **state)
{
	struct fixture *f = *state;
	struct pki ca = pki_new("modules' CA", false, NULL, NULL, WALL), other = pki_new("other CA", false, NULL, NULL, WALL);
	struct pki middle = pki_make("between", false, &ca, true, NULL, 0, WALL);
	struct pki below = pki_new("m1", false, &middle, "clientAuth", WALL), direct = pki_new("m2", false, &ca, "clientAuth", WALL);
	struct pki *all[] = { &ca, &other, &middle, &below, &direct };
	char *own = pki_crl(&middle, NULL, WALL), *before = pki_crl(&ca, NULL, WALL), *after = pki_crl(&ca, &middle, WALL);
	char *lists[] = { joined(own, before), joined(own, after) };
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, ca.cert_pem);
	boot_fd(f, MSG_FD_CLIENT_CRL, 1, text_fd(lists[0]));
	assert_string_equal(reload(f, crl_bundle(), true), "");
	struct module m = module_below(f, &below, &middle), n = module_below(f, &direct, NULL);
	struct module nobody = module_below(f, NULL, NULL);
	/* Nothing of it has changed, only the gateway's own certificate: it is not even looked at. */
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, ca.cert_pem);
	boot_fd(f, MSG_FD_CLIENT_CRL, 1, text_fd(lists[0]));
	assert_string_equal(reload(f, crl_bundle(), true), "");
	expect_welcome(&m, true);
	/* The CA between is on the list of its own. */
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, ca.cert_pem);
	boot_fd(f, MSG_FD_CLIENT_CRL, 1, text_fd(lists[1]));
	assert_string_equal(reload(f, crl_bundle(), true), "");
	expect_shown_out(&m);
	expect_welcome(&n, true);
	expect_welcome(&n, true);
	struct msg_append entry;
	hear(f, f->audit, MSG_APPEND, &entry, sizeof entry);
	assert_string_equal(entry.msg, "a client certificate that was presented is refused: revoked");
	/* And then the whole CA is another one. Of those an entry would be too much of an honour. */
	hand_tls(f, f->pki.cert_pem, f->pki.key_pem, other.cert_pem);
	assert_string_equal(reload(f, default_bundle("quorum", "quorum = 2;"), true), "");
	expect_shown_out(&n);
	quiet(f, f->audit);
	expect_welcome(&nobody, true);
	module_end(&nobody);
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		pki_free(all[i]);
	free(own);
	free(before);
	free(after);
	free(lists[0]);
	free(lists[1]);
}

/* What an edge was handed seals; what it is handed later, while it serves, seals from then on. */
static void
test_tickets_are_the_supervisors(void **state)
{
	struct fixture *f = *state;
	uint8_t secrets[TLS_TICKET_KEYS][TLS_TICKET_SECRET];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *kept = NULL;
	bool resumed[6];
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION); /* the ticket comes with the handshake */
	ready(f, SMALL);
	for (unsigned i = 0; i < 6; i++) {
		/* 0: none yet. 1: new ones. 2: the same. 3: rolled. 4: a reload in between. 5: rolled twice. */
		memset(secrets[0], i < 3 ? 'a' : i < 5 ? 'b' : 'd', sizeof secrets[0]);
		memset(secrets[1], i < 3 ? '0' : i < 5 ? 'a' : 'c', sizeof secrets[1]);
		if (i > 0) {
			int fd = memfd_sealed("tickets", view_of(secrets, sizeof secrets));
			boot_fd(f, MSG_FD_TICKETS, 0, fd);
			hand_tls(f, f->pki.cert_pem, f->pki.key_pem, f->pki.cert_pem);
			reload(f, default_bundle("quorum", "quorum = 2;"), true);
		}
		struct module m = module_at(f->tls_port, 0);
		m.ssl = SSL_new(ctx);
		assert_int_equal(SSL_set_fd(m.ssl, m.fd), 1);
		if (kept)
			assert_int_equal(SSL_set_session(m.ssl, kept), 1);
		assert_int_equal(SSL_connect(m.ssl), 1);
		resumed[i] = SSL_session_reused(m.ssl);
		SSL_SESSION_free(kept);
		kept = SSL_get1_session(m.ssl);
		SSL_set_shutdown(m.ssl, SSL_SENT_SHUTDOWN); /* or the client would not use it again */
		module_end(&m);
	}
	SSL_SESSION_free(kept);
	SSL_CTX_free(ctx);
	static const bool want[] = { false, false, true, true, true, false };
	assert_memory_equal(resumed, want, sizeof want);
	/* Bytes that are no such thing change nothing. */
	boot_fd(f, MSG_FD_TICKETS, 0, text_fd("short"));
	turn(f);
}

static void
test_reload(void **state)
{
	struct fixture *f = *state;
	static const char renamed[] =
	    "listeners = (\n  { name = \"tls\"; address = \"127.0.0.1\"; port = 8080; },\n"
	    "  { name = \"plain\"; address = \"127.0.0.1\"; port = 8444; tls = true; cert = \"c.pem\"; key = \"k.pem\"; "
	    "client_ca = \"ca.pem\"; }\n);\n"
	    "suppliers = ( { name = \"acme\"; legal_entity = \"ACME Ltd\"; country = \"DE\"; } );\n";
	struct module m = module(f);
	ready(f, SMALL);
	/* What waits points into the old configuration: it is answered first. */
	ask(&m, "GET", PATH, "");
	uint64_t token = hear_ask(f);
	reload(f, default_bundle("review_days", "review_days = 9;"), true);
	read_reply(&m, true);
	expect_not_now(&m);
	answer_ask(f, token, true);
	reload(f, bundle(renamed, SAMPLE_PROFILE), false);
	reload(f, bundle("nonsense", SAMPLE_PROFILE), false);
	reload(f, memfd_sealed("b", view_str("no bundle")), false);
	get_granted(f, &m);
	/* Another path: the old one is nobody's now. */
	reload(f, default_bundle("path", "path = \"/new/{product}/{to}.bin\";"), true);
	get(&m, PATH, "");
	assert_int_equal(m.status, 404);
	get(&m, "/new/rtr/2.0.bin?imei=" IMEI "&v=1.9", "");
	expect_image(f, &m); /* the same upstream URL is the same resource, and the lease holds */
	module_end(&m);
}

/* ---- windows ---- */

static void
test_a_window_opens_and_closes(void **state)
{
	struct fixture *f = *state;
	struct module m = module(f);
#define EVERY_DAY "days = [ \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\" ]; "
	char more[512];
	unsigned retry = 0, from = (unsigned)(WALL % ZONE_DAY / 60), to = from + 5, again = from + 15;
	assert_in_range(from, 1, 1420);
	ready(f, SMALL);
	snprintf(more, sizeof more,
	    "windows = ( { name = \"one\"; " EVERY_DAY "from = \"%02u:%02u\"; to = \"%02u:%02u\"; }, "
	    "{ name = \"two\"; " EVERY_DAY "from = \"%02u:%02u\"; to = \"24:00\"; } );",
	    from / 60, from % 60, to / 60, to % 60, again / 60, again % 60);
	reload(f, bundle_with(more, "maintenance", "maintenance = [ \"one\", \"two\" ];"), true);
	get_granted(f, &m);
	get(&m, PATH, "");
	expect_image(f, &m);
	/* The lease holds for an hour, but the window does not. */
	int64_t left = 300 - WALL % 60;
	f->shared->wall_s += left - 1;
	__atomic_add_fetch(&f->shared->skip_ms, (left - 1) * 1000, __ATOMIC_SEQ_CST);
	get(&m, PATH, "");
	expect_image(f, &m);
	f->shared->wall_s += 1;
	__atomic_add_fetch(&f->shared->skip_ms, 1000, __ATOMIC_SEQ_CST);
	get(&m, PATH, "");
	expect_not_now(&m);
	/* In ten minutes, and not together with all the others. */
	assert_int_equal(sscanf(strstr(m.head, "Retry-After"), "Retry-After: %u", &retry), 1);
	assert_in_range(retry, 600, 600 + EDGE_WINDOW_SPREAD_S);
	/* A blackout is longer than what may be said with 503. */
	reload(f, bundle_with("blackouts = ( { name = \"long\"; first = \"2000-01-01\"; last = \"2199-12-31\"; } );", "blackouts",
	    "blackouts = [ \"long\" ];"), true);
	get(&m, PATH, "");
	expect_not_now(&m);
	assert_int_equal(sscanf(strstr(m.head, "Retry-After"), "Retry-After: %u", &retry), 1);
	assert_in_range(retry, EDGE_WINDOW_RETRY_503 - EDGE_WINDOW_SPREAD_S, EDGE_WINDOW_RETRY_503);
	/* Another group's is none of this module's concern. */
	reload(f, bundle_with("blackouts = ( { name = \"long\"; first = \"2000-01-01\"; last = \"2199-12-31\"; "
			      "groups = [ \"elsewhere\" ]; } );", "blackouts", "blackouts = [ \"long\" ];"), true);
	get(&m, PATH, "");
	expect_image(f, &m);
	module_end(&m);
}

/* ---- connections and bandwidth of a module ---- */

/* Told to come back, by the connection's last answer. */
static void
expect_turned_away(struct module *m)
{
	unsigned retry = 0;
	uint8_t byte;
	expect_not_now(m);
	assert_int_equal(sscanf(strstr(m->head, "Retry-After"), "Retry-After: %u", &retry), 1);
	assert_in_range(retry, EDGE_RETRY_S, 2 * EDGE_RETRY_S);
	assert_non_null(strstr(m->head, "Connection: close\r\n"));
	assert_int_equal(take(m, &byte, 1), 0);
	module_end(m);
}

static void
test_so_many_connections_of_a_module(void **state)
{
	struct fixture *f = *state;
	struct module a = module(f), b = module(f), other;
	ready(f, SMALL);
	reload(f, bundle_with("limits = { connections_per_module = 2; };", "quorum", "quorum = 2;"), true);
	get_granted(f, &a);
	get(&b, PATH, "Range: bytes=0-9\r\n");
	assert_int_equal(b.status, 206);
	/* A third, though it is offered and has a lease; a fourth, that is not. */
	other = module(f);
	get(&other, PATH, "");
	expect_turned_away(&other);
	other = module(f);
	get(&other, "/fw/rtr/2.0.bin?imei=" IMEI "&v=2.0", "");
	expect_turned_away(&other);
	/* Those it has go on, and nobody else is meant: not who is unknown, nor who claims to be it elsewhere. */
	get(&a, PATH, "");
	expect_image(f, &a);
	other = module(f);
	get(&other, "/fw/rtr/2.0.bin?imei=" IMEI2 "&v=1.9", "");
	expect_not_now(&other);
	get(&other, "/un/known", "");
	assert_int_equal(other.status, 404);
	struct module elsewhere = module_from("127.0.0.9", f->port, 0);
	get(&elsewhere, PATH, "");
	expect_image(f, &elsewhere);
	module_end(&elsewhere);
	/* One that says it is another from now on is that one's. */
	module_end(&a);
	turn(f);
	get(&other, PATH, "");
	expect_image(f, &other);
	a = module(f);
	get(&a, PATH, "");
	expect_turned_away(&a);
	/* Control hears of it, and of those that are there. */
	do
		hear(f, f->control, MSG_LOAD, &f->load, sizeof f->load);
	while (f->load.refused_module < 3 || f->load.connections != 2);
	assert_int_equal(f->load.refused_module, 3);
	assert_int_equal(f->load.waiting, 0);
	assert_int_equal(f->load.refused_source, 0);
	module_end(&other);
	module_end(&b);
}

/* A transfer under way has its rate lowered to next to nothing, and taken off again, and is whole. */
static void
test_rates_change_under_a_transfer(void **state)
{
	static const char *const slow[] = { "limits = { bytes_per_second = 2048; };",
		"limits = { group_bytes_per_second = 2048; };", "limits = { module_bytes_per_second = 1024; };" };
	struct fixture *f = *state;
	ready(f, LARGE);
	for (unsigned i = 0; i < sizeof slow / sizeof slow[0]; i++) {
		struct module m = module(f);
		ask(&m, "GET", PATH, "");
		if (!i)
			grant(f);
		read_head(&m);
		reload(f, bundle_with(slow[i], "quorum", "quorum = 2;"), true);
		m.body = malloc(LARGE);
		/* What the kernels hold already comes; then a trickle, which would take an hour for the rest. */
		const struct timeval brief = { 0, 200000 }, patience = { PATIENCE_MS / 1000, 0 };
		setsockopt(m.fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
		for (ssize_t n; (n = recv(m.fd, m.body + m.n, LARGE - m.n, 0)) > 0;)
			m.n += (size_t)n;
		assert_true(m.n < LARGE);
		setsockopt(m.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		while (!f->load.waiting) /* control hears of it */
			hear(f, f->control, MSG_LOAD, &f->load, sizeof f->load);
		/* Somebody new has the same limit, and what is no image none. */
		struct module next = module_from("127.0.0.9", f->port, 0);
		ask(&next, "GET", PATH, "Range: bytes=0-65535\r\n");
		turn(f);
		reload(f, default_bundle("quorum", "quorum = 2;"), true);
		read_reply(&next, true);
		assert_int_equal(next.n, 65536);
		while (m.n < LARGE) {
			size_t n = take(&m, m.body + m.n, LARGE - m.n);
			assert_true(n > 0);
			m.n += n;
		}
		assert_memory_equal(m.body, f->s->image, LARGE);
		module_end(&m);
		module_end(&next);
	}
}

/* ---- the end ---- */

static void
test_a_transfer_may_end_before_the_edge_does(void **state)
{
	struct fixture *f = *state;
	const struct msg_stop stop = { .grace_ms = 60000 };
	ready(f, LARGE);
	struct module m = half_way(f);
	say(f->chan, MSG_STOP, &stop, NULL, 0);
	m.body = malloc(LARGE);
	while (m.n < LARGE) {
		size_t n = take(&m, m.body + m.n, LARGE - m.n);
		assert_true(n > 0);
		m.n += n;
	}
	assert_memory_equal(m.body, f->s->image, LARGE);
	module_end(&m);
	assert_int_equal(exit_status(f), 0);
}

static void
test_supervisor_gone(void **state)
{
	struct fixture *f = *state;
	ready(f, LARGE);
	struct module m = half_way(f);
	close(f->chan);
	f->chan = -1;
	expect_cut(&m);
	module_end(&m);
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
}

static void
test_peer_that_breaks_the_contract(void **state)
{
	struct fixture *f = *state;
	const struct msg_withdraw m = { .release = { 1 } };
	quiet(f, f->control); /* what it says of itself when it starts */
	say(f->control, MSG_WITHDRAW, &m, NULL, 0); /* the warden's word alone */
	struct pollfd p = { .fd = f->control, .events = POLLIN };
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(p.revents & POLLHUP);
	turn(f);
}

static void
test_boots_that_fail(void **state)
{
	struct fixture *f = *state;
	say(f->chan, MSG_START, NULL, NULL, 0); /* no configuration */
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
	close(f->chan);
	spawn(f);
	boot_fd(f, MSG_FD_LOG_KEY, 0, text_fd("a secret of another role's"));
	assert_int_equal(exit_status(f), ROLE_EXIT_CONTRACT);
	close(f->chan);
	spawn(f);
	boot_fd(f, MSG_FD_LISTENER, MSG_LISTENERS_MAX, text_fd("x"));
	assert_int_equal(exit_status(f), ROLE_EXIT_CONTRACT);
	close(f->chan);
	spawn(f);
	boot_fd(f, MSG_FD_BUNDLE, 0, default_bundle("quorum", "quorum = 2;"));
	say(f->chan, MSG_START, NULL, NULL, 0); /* listeners are missing */
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
	close(f->chan);
	spawn(f);
	boot_fd(f, MSG_FD_BUNDLE, 0, bundle("nonsense", "more"));
	say(f->chan, MSG_START, NULL, NULL, 0);
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
	close(f->chan);
	spawn(f);
	boot_fd(f, MSG_FD_BUNDLE, 0, default_bundle("quorum", "quorum = 2;"));
	uint16_t port;
	boot_fd(f, MSG_FD_LISTENER, 0, listening(&port));
	boot_fd(f, MSG_FD_LISTENER, 1, listening(&port));
	boot_fd(f, MSG_FD_TLS_CERT, 1, text_fd("no certificate"));
	boot_fd(f, MSG_FD_TLS_KEY, 1, text_fd("no key"));
	say(f->chan, MSG_START, NULL, NULL, 0);
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_strangers),
		T(test_a_window_opens_and_closes),
		T(test_unknown_module_is_sighted_and_told_not_now),
		T(test_a_thousand_requests_are_one_sighting),
		T(test_a_flood_of_sightings_does_not_cost_control),
		T(test_control_says_no),
		T(test_rows_that_offer_nothing_to_this_module),
		T(test_rings_let_some_modules_in),
		T(test_no_byte_before_the_acknowledgement),
		T(test_audit_is_silent),
		T(test_module_that_does_not_wait),
		T(test_table_changes_while_asking),
		T(test_peers_that_go_while_asking),
		T(test_exact_bytes_ranges_and_conditions),
		T(test_short_urls),
		T(test_cold_image),
		T(test_leases_outlive_control_for_an_hour),
		T(test_the_same_request_again),
		T(test_the_same_request_on_other_connections),
		T(test_https),
		T(test_a_block_that_was_not_signed_for),
		T(test_revoke),
		T(test_withhold),
		T(test_revoke_while_asking),
		T(test_withdraw),
		T(test_halt_and_unhalt),
		T(test_halt_while_asking),
		T(test_tables_not_taken),
		T(test_releases_not_taken),
		T(test_reload),
		T(test_certificates_are_renewed),
		T(test_a_revoked_certificate),
		T(test_a_certificate_falls_with_its_ca),
		T(test_tickets_are_the_supervisors),
		T(test_so_many_connections_of_a_module),
		T(test_rates_change_under_a_transfer),
		T(test_a_transfer_may_end_before_the_edge_does),
		T(test_supervisor_gone),
		T(test_peer_that_breaks_the_contract),
		cmocka_unit_test_setup_teardown(test_boots_that_fail, setup_bare, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
