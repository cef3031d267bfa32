/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_edge_day - 24 hours in the life of an edge and its modules, in seconds;
 * every file that a module ends up with is compared.
 *
 * Real: the edge as it ships (role, engine, TLS, decision table, leases, timers
 * with their default lengths), its sockets, this kernel's TCP. Simulated: the
 * clock, which goes on only when nobody has anything left to do; the links,
 * which are as slow as their modules read; supervisor, control, audit and
 * warden, which say yes at once; the modules, which send the bytes that real
 * ones send. So a pause of minutes is minutes for every deadline, and a lost
 * packet is nothing that happens here. The machine's loop still turns four times
 * a second: a deadline is noticed up to a quarter of an hour of that day late,
 * which only an attacker can tell.
 *
 * What happens to the edge, and what each module would like to do, comes from
 * one seed; how far a module comes with it depends on when the edge notices
 * a deadline. FG_DAY_SEED, FG_DAY_MODULES and FG_DAY_HOURS ask for another day,
 * a bigger or a longer one.
 */
#include "unit/gateway/edge_rig.h"

#include "crypto/entry.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define START (1000 * HOUR)     /* of the clock: it may be asked for the past */
#define TURN_MS (30 * SECOND)   /* the edge gets to see every half minute */
#define IDLE_MS (2 * MINUTE)    /* NET_IDLE_MS, after which it may close */
#define STALL_MS (5 * MINUTE)   /* NET_STALL_MS */
#define PIECE 8192u             /* what a module takes from its link at a time */
#define RCVBUF 8192             /* and its modem before that */
#define RELEASES 3
#define IMEIS_MAX 10000u

/* ---- how modules ask ---- */

struct way {
	const char *name;
	const char *before, *after; /* lines before and behind that of the range; the empty one too */
	const char *eol;
	bool resumes;       /* else it begins again */
	uint64_t step;      /* bytes a request; 0: to the end */
	bool plain;         /* never over TLS */
};

#define HOST "Host: fota.example\r\n"
#define AGENT(name) "User-Agent: " name "\r\n"

static const struct way ways[] = {
	{ "opencpu", HOST AGENT("QUECTEL_MODULE") "Accept: */*\r\nConnection: Keep-Alive\r\n", "\r\n", "\r\n", false, 0, true },
	{ "curl", HOST, AGENT("curl/7.88.1") "Accept: */*\r\n\r\n", "\r\n", true, 0, false },
	{ "nordic", HOST, "Connection: keep-alive\r\n\r\n", "\r\n", true, 2048, false },
	{ "xinyi", "Host: fota.example:8080\n", "\n\n", "\n", true, 4096, true },
	{ "esp-idf", AGENT("ESP32 HTTP Client/1.0") HOST, "Content-Length: 0\r\n\r\n", "\r\n", true, 65536, false },
};
#define WAYS (sizeof ways / sizeof ways[0])

enum step { REST = 0, ASK, DRIBBLE, READ };

struct mod {
	const struct way *way;
	char imei[16];
	bool tls;
	int64_t pace;             /* bytes a second of its link */
	uint64_t random;
	int64_t next;             /* when it does something again */
	enum step step;
	unsigned release;         /* that it wants */
	uint8_t *file;
	uint64_t have, left;      /* of the file; of the answer under way */
	char head[512];
	size_t head_n, head_sent;
	int fd;
	SSL *ssl;
	int64_t said, heard;      /* when it last sent something on this connection, and got something */
	unsigned born;            /* breaks before it */
	bool stalled;             /* it has been as bad as an attacker */
};

enum chaos { KILL = 0, RELOAD, CERTIFICATE, TABLE, HALT, CHAOSES };
static const char *const chaos_name[] = { "kills of the edge", "reloads", "other certificates", "other tables", "halts" };

struct day {
	struct fixture *f;
	struct sample *release[RELEASES];
	struct pki pki[2];
	unsigned in_force;        /* of pki */
	int plain, tls;           /* what the supervisor listens on */
	SSL_CTX *ctx;
	uint64_t random;          /* what happens to all; each module has its own, so that neither depends on the other */
	int64_t now, seen;        /* of the day; when the edge was last known to be done */
	int64_t chaos_at, unhalt_at; /* 0: not halted */
	unsigned breaks;          /* what ends every connection */
	struct mod *mods;
	unsigned mods_n;
	int watcher;              /* a connection to see by that the edge is done */
	unsigned did[CHAOSES], delivered[WAYS], cuts, stalls, dribbles, closed, refused, again, grants;
	uint64_t bytes;
};

/* Below n. */
static uint64_t
any(uint64_t *random, uint64_t n)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*random >> 33) % n;
}

static int64_t
between(uint64_t *random, int64_t from, int64_t to)
{
	return from + (int64_t)any(random, (uint64_t)(to - from));
}

static void
set_clock(struct day *d, int64_t now)
{
	d->now = now;
	__atomic_store_n(&d->f->shared->wall_s, WALL + now / SECOND, __ATOMIC_SEQ_CST);
	__atomic_store_n(&d->f->shared->skip_ms, START + now, __ATOMIC_SEQ_CST);
}

/* ---- control and audit: yes ---- */

static unsigned
release_of(struct day *d, const uint8_t id[MSG_ID])
{
	for (unsigned i = 0; i < RELEASES; i++)
		if (!memcmp(d->release[i]->id, id, MSG_ID))
			return i;
	fail_msg("a grant for a release that there is not");
	return 0;
}

static void
serve_peer(struct day *d, int fd)
{
	struct fixture *f = d->f;
	struct wire_frame frame;
	static struct msg_grant_ask ask;
	static struct msg_grant_append append;
	struct msg_grant_say say_yes = { 0 };
	struct msg_grant_appended appended = { 0 };
	assert_int_equal(wire_recv(fd, f->buf, &frame), 0);
	switch (frame.type) {
	case MSG_GRANT_ASK:
		assert_int_equal(msg_decode(&frame, &ask, sizeof ask), 0);
		for (; say_yes.says_n < ask.asks_n; say_yes.says_n++) {
			release_of(d, ask.asks[say_yes.says_n].release);
			say_yes.says[say_yes.says_n] = (struct msg_say){ ask.asks[say_yes.says_n].token, true, 0, 3600 };
		}
		say(fd, MSG_GRANT_SAY, &say_yes, NULL, 0);
		break;
	case MSG_GRANT_APPEND:
		assert_int_equal(msg_decode(&frame, &append, sizeof append), 0);
		for (; appended.granted_n < append.grants_n; appended.granted_n++, d->grants++)
			appended.granted[appended.granted_n] =
			    (struct msg_granted){ append.grants[appended.granted_n].token, 0, d->grants };
		say(fd, MSG_GRANT_APPENDED, &appended, NULL, 0);
		break;
	case MSG_APPEND:
		assert_int_equal(msg_decode(&frame, &f->entry, sizeof f->entry), 0);
		if (getenv("FG_TEST_LOUD"))
			print_message("%lld s: %s: %s\n", (long long)(d->now / SECOND), entry_event_name(f->entry.event), f->entry.msg);
		break;
	case MSG_SIGHTING:
	case MSG_SERVED:
	case MSG_LOAD:
	case MSG_RUNOUTS:
		break;
	default:
		fail_msg("the edge says %s", msg_type_name(frame.type));
	}
}

/* Control and audit work until fd has something to read. */
static void
await(struct day *d, int fd)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = d->f->control, .events = POLLIN },
		{ .fd = d->f->audit, .events = POLLIN } };
	do {
		if (poll(p, 3, PATIENCE_MS) <= 0)
			fail_msg("nobody has anything to say at %lld s", (long long)(d->now / SECOND));
		for (unsigned i = 1; i < 3; i++)
			if (p[i].revents)
				serve_peer(d, p[i].fd);
	} while (!p[0].revents);
}

/* ---- a module's link ---- */

static int
dial(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rcvbuf = RCVBUF;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void
hang_up(struct mod *m, bool reset)
{
	const struct linger now = { 1, 0 };
	if (m->fd < 0)
		return;
	if (reset)
		assert_int_equal(setsockopt(m->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	SSL_free(m->ssl);
	close(m->fd);
	m->ssl = NULL;
	m->fd = -1;
	m->left = 0;
}

static void
connect_to_edge(struct day *d, struct mod *m)
{
	m->fd = dial(m->tls ? d->f->tls_port : d->f->port);
	m->born = d->breaks;
	m->said = m->heard = d->now;
	m->stalled = false;
	if (!m->tls)
		return;
	m->ssl = SSL_new(d->ctx);
	assert_int_equal(SSL_set_fd(m->ssl, m->fd), 1);
	ERR_clear_error();
	for (int n; (n = SSL_connect(m->ssl)) != 1; await(d, m->fd))
		if (SSL_get_error(m->ssl, n) != SSL_ERROR_WANT_READ)
			fail_msg("%s cannot connect at %lld s", m->way->name, (long long)(d->now / SECOND));
}

/* Nothing is there, yet. */
static bool
is_empty(const struct mod *m, ssize_t n)
{
	return m->ssl ? SSL_get_error(m->ssl, (int)n) == SSL_ERROR_WANT_READ : errno == EAGAIN;
}

/* 0: the edge has ended the connection. */
static size_t
take(struct day *d, struct mod *m, void *buf, size_t cap)
{
	for (;;) {
		ERR_clear_error(); /* of other connections */
		ssize_t n = m->ssl ? SSL_read(m->ssl, buf, (int)cap) : recv(m->fd, buf, cap, 0);
		if (n > 0)
			m->heard = d->now;
		if (n >= 0)
			return (size_t)n;
		if (!is_empty(m, n))
			return 0;
		await(d, m->fd);
	}
}

static bool
give(struct day *d, struct mod *m, const char *text, size_t n)
{
	ERR_clear_error();
	if ((m->ssl ? SSL_write(m->ssl, text, (int)n) : send(m->fd, text, n, MSG_NOSIGNAL)) != (ssize_t)n)
		return false;
	m->said = d->now;
	return true;
}

/* The edge has ended a connection on which it had so much patience since then: it must have had a reason. */
static void
was_closed(struct day *d, struct mod *m, int64_t since, int64_t patience)
{
	if (m->born == d->breaks && !m->stalled && d->now - since < patience)
		fail_msg("%s%s was cut off at %lld s, after %lld s of silence and with %llu of %llu bytes", m->way->name,
		    m->tls ? " over TLS" : "", (long long)(d->now / SECOND), (long long)((d->now - since) / SECOND),
		    (unsigned long long)m->have, (unsigned long long)d->release[m->release]->r.size);
	d->closed++;
	hang_up(m, false);
}

/* ---- what a module does ---- */

static void
word_request(struct day *d, struct mod *m)
{
	const struct way *w = m->way;
	const char *target = d->release[m->release]->r.terms.target;
	char range[64] = "", last[24] = "";
	if (!w->resumes) {
		d->again += m->have > 0;
		m->have = 0;
	}
	if (w->step) /* and beyond the end, as they do */
		snprintf(last, sizeof last, "%llu", (unsigned long long)(m->have + w->step - 1));
	if (w->step || m->have)
		snprintf(range, sizeof range, "Range: bytes=%llu-%s%s", (unsigned long long)m->have, last, w->eol);
	m->head_n = (size_t)snprintf(m->head, sizeof m->head, "GET /fw/rtr/%s.bin?imei=%s&v=1.9 HTTP/1.1%s%s%s%s", target, m->imei,
	    w->eol, w->before, range, w->after);
	m->head_sent = 0;
}

/* The answer's head; false when the connection ended instead. */
static bool
read_head(struct day *d, struct mod *m, char *head, size_t cap)
{
	for (;;) {
		ERR_clear_error();
		ssize_t n = m->ssl ? SSL_peek(m->ssl, head, (int)cap - 1) : recv(m->fd, head, cap - 1, MSG_PEEK);
		head[n > 0 ? n : 0] = '\0';
		char *end = strstr(head, "\r\n\r\n");
		if (end) {
			end[4] = '\0';
			return take(d, m, head, strlen(head)) == strlen(head);
		}
		assert_true(n < (ssize_t)cap - 1);
		if (n == 0 || (n < 0 && !is_empty(m, n)))
			return false;
		await(d, m->fd);
	}
}

static uint64_t
number_behind(const char *head, const char *name)
{
	const char *at = strstr(head, name);
	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 10);
}

/* Sends the (rest of the) request; takes the head of its answer. */
static void
ask(struct day *d, struct mod *m)
{
	char head[1024], skip[64];
	unsigned status = 0;
	/* The second try is on a connection made for it. */
	for (int try = 0; !status; try++) {
		if (m->fd < 0)
			connect_to_edge(d, m);
		int64_t before = m->said; /* an answer may lie read half while the edge has been idle since it sent it */
		if (give(d, m, m->head + m->head_sent, m->head_n - m->head_sent) && read_head(d, m, head, sizeof head)) {
			assert_int_equal(sscanf(head, "HTTP/1.1 %u ", &status), 1);
			break;
		}
		was_closed(d, m, before, IDLE_MS);
		assert_int_equal(try, 0);
		m->head_sent = 0;
	}
	m->left = number_behind(head, "\r\nContent-Length: ");
	if (status == 503) {
		if (!d->unhalt_at)
			fail_msg("%s got \"not now\" at %lld s", m->way->name, (long long)(d->now / SECOND));
		for (; m->left; m->left -= take(d, m, skip, m->left))
			assert_true(m->left <= sizeof skip);
		d->refused++;
		m->step = ASK;
		m->next = d->now + between(&m->random, MINUTE, 2 * MINUTE);
		return;
	}
	assert_int_equal(d->unhalt_at, 0); /* not a byte of an image while halted */
	assert_int_equal(status, strstr(m->head, "Range: ") ? 206 : 200);
	if (status == 206) {
		assert_int_equal(number_behind(head, "\r\nContent-Range: bytes "), m->have);
		assert_int_equal(strtoull(strchr(strstr(head, "\r\nContent-Range: "), '/') + 1, NULL, 10),
		    d->release[m->release]->r.size);
	}
	assert_true(m->left <= d->release[m->release]->r.size - m->have);
	m->step = READ;
	m->next = d->now + between(&m->random, 50, SECOND);
}

static void
has_it_all(struct day *d, struct mod *m)
{
	const struct sample *s = d->release[m->release];
	for (uint64_t i = 0; i < s->r.size; i++)
		if (m->file[i] != s->image[i])
			fail_msg("%s has byte %llu of %s wrong", m->way->name, (unsigned long long)i, s->r.terms.target);
	d->delivered[m->way - ways]++;
	d->bytes += s->r.size;
	m->have = 0;
	m->step = REST;
	m->next = d->now + between(&m->random, MINUTE, HOUR);
	if (any(&m->random, 2))
		hang_up(m, false);
}

static void
read_some(struct day *d, struct mod *m)
{
	uint64_t luck = any(&m->random, 1000);
	if (luck < 6) {
		d->cuts++;
		hang_up(m, luck < 3);
		m->step = ASK;
		m->next = d->now + between(&m->random, SECOND, 5 * MINUTE);
		return;
	}
	if (luck < 10) {
		d->stalls++;
		m->stalled = luck == 9;
		m->next = d->now + (m->stalled ? between(&m->random, STALL_MS, 4 * STALL_MS)
		                               : between(&m->random, MINUTE, STALL_MS - 2 * TURN_MS));
		return;
	}
	size_t n = take(d, m, m->file + m->have, m->left < PIECE ? (size_t)m->left : PIECE);
	if (!n) {
		was_closed(d, m, m->heard, STALL_MS);
		m->step = ASK;
		m->next = d->now + between(&m->random, SECOND, MINUTE);
		return;
	}
	m->have += n;
	m->left -= n;
	m->next = d->now + 1 + (int64_t)n * SECOND / m->pace;
	if (m->left)
		return;
	if (m->have == d->release[m->release]->r.size) {
		has_it_all(d, m);
		return;
	}
	m->step = ASK;
	if (any(&m->random, 50) == 0) /* it erases its flash, or has no coverage */
		m->next = d->now + between(&m->random, SECOND, 2 * IDLE_MS);
}

static void
act(struct day *d, struct mod *m)
{
	switch (m->step) {
	case REST:
		m->release = (unsigned)any(&m->random, RELEASES);
		m->step = ASK;
		/* fall through */
	case ASK:
		word_request(d, m);
		if (any(&m->random, 100) == 0) { /* in two pieces, with patience between them */
			if (m->fd < 0)
				connect_to_edge(d, m);
			int64_t before = m->said;
			m->head_sent = 1 + any(&m->random, m->head_n - 1);
			if (!give(d, m, m->head, m->head_sent)) {
				was_closed(d, m, before, IDLE_MS);
				return;
			}
			if (d->now - before >= IDLE_MS)
				m->stalled = true; /* it may have been closed already, which shows later */
			m->step = DRIBBLE;
			m->next = d->now + between(&m->random, SECOND, MINUTE - TURN_MS - SECOND);
			d->dribbles++;
			return;
		}
		ask(d, m);
		return;
	case DRIBBLE:
		ask(d, m);
		return;
	case READ:
		read_some(d, m);
		return;
	}
}

/* ---- what happens to all of them ---- */

/* The edge has done all it had to do so far. */
static void
see(struct day *d)
{
	static const char request[] = "GET /nothing/here HTTP/1.1\r\nHost: fota.example\r\n\r\n";
	char answer[1024];
	size_t n = 0;
	if (d->watcher < 0)
		d->watcher = dial(d->f->port);
	assert_int_equal(send(d->watcher, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
	do {
		await(d, d->watcher);
		ssize_t more = recv(d->watcher, answer + n, sizeof answer - 1 - n, 0);
		assert_true(more > 0);
		n += (size_t)more;
		answer[n] = '\0';
	} while (!strstr(answer, "\r\n\r\n"));
	assert_non_null(strstr(answer, "HTTP/1.1 404 "));
	d->seen = d->now;
}

static void
send_releases(struct day *d)
{
	struct fixture *f = d->f;
	for (unsigned i = 0; i < RELEASES; i++) {
		const struct sample *s = d->release[i];
		struct msg_release m = { .size = s->r.size, .block_size = RELEASE_BLOCK, .hot = i != 0,
			.record = writer_view(&s->record) };
		struct msg_release_taken taken;
		int fds[2] = { sample_image_fd(s), sample_blocks_fd(s) };
		memcpy(m.release, s->id, MSG_ID);
		memcpy(m.image, s->r.terms.image, sizeof m.image);
		say(f->warden, MSG_RELEASE, &m, fds, 2);
		close(fds[0]);
		close(fds[1]);
		hear(f, f->warden, MSG_RELEASE_TAKEN, &taken, sizeof taken);
		assert_int_equal(taken.err, 0);
	}
}

static void
send_table(struct day *d)
{
	struct fixture *f = d->f;
	static const uint8_t seed[16] = { 1 };
	const struct msg_table m = { .generation = ++f->generation };
	struct msg_table_taken taken;
	struct table_builder *b = table_builder_new(f->generation, seed, d->mods_n);
	for (unsigned i = 0; i < d->mods_n; i++) {
		struct table_module one = { .group = "", .product = "rtr", .version = "1.9", .listed = true, .idents_n = 1,
			.ident = { { IDENTITY_IMEI, IDENTITY_D, view_str(d->mods[i].imei) } } };
		memcpy(one.pseudonym, &i, sizeof i);
		assert_int_equal(table_builder_module(b, &one), 0);
	}
	for (unsigned i = 0; i < RELEASES; i++) {
		struct table_decision row = sample_row(d->release[i]);
		assert_int_equal(table_builder_decision(b, &row), 0);
	}
	int fd = memfd_open("table");
	assert_int_equal(table_builder_write(b, fd), 0);
	assert_int_equal(memfd_seal(fd), 0);
	table_builder_free(b);
	say(f->control, MSG_TABLE, &m, &fd, 1);
	close(fd);
	hear(f, f->control, MSG_TABLE_TAKEN, &taken, sizeof taken);
	assert_int_equal(taken.err, 0);
}

static void
boot(struct day *d)
{
	const struct pki now = d->pki[d->in_force % 2];
	d->f->pki = now; /* borrowed */
	boot_edge(d->f, dup(d->plain), dup(d->tls));
	send_releases(d);
	send_table(d);
}

static void
halt(struct day *d)
{
	const struct msg_halt m = { .at = 5, .by_uid = 0 };
	say(d->f->chan, MSG_HALT, &m, NULL, 0);
	hear(d->f, d->f->chan, MSG_HALT, NULL, 0);
}

static void
unhalt(struct day *d)
{
	const struct msg_unhalt m = { .at = 5 };
	say(d->f->chan, MSG_UNHALT, &m, NULL, 0);
	d->unhalt_at = 0;
	see(d);
}

static void
kill_edge(struct day *d)
{
	assert_int_equal(kill(d->f->pid, SIGKILL), 0);
	assert_int_equal(exit_status(d->f), -SIGKILL);
	close(d->f->chan);
	close(d->watcher);
	d->watcher = -1;
	d->breaks++;
	spawn(d->f);
	boot(d);
	if (d->unhalt_at)
		halt(d);
}

static void
upset(struct day *d)
{
	enum chaos what = (enum chaos)any(&d->random, CHAOSES);
	const struct pki *p;
	const char *why;
	d->chaos_at = d->now + between(&d->random, 2 * MINUTE, 20 * MINUTE);
	if (what == HALT && d->unhalt_at)
		what = TABLE;
	d->did[what]++;
	see(d);
	switch (what) {
	case KILL:
		kill_edge(d);
		break;
	case RELOAD:
	case CERTIFICATE:
		d->in_force += what == CERTIFICATE;
		p = &d->pki[d->in_force % 2];
		hand_tls(d->f, p->cert_pem, p->key_pem, p->cert_pem);
		why = reload(d->f, default_bundle("review_days", any(&d->random, 2) ? "review_days = 9;" : "review_days = 8;"), true);
		assert_string_equal(why, "");
		break;
	case TABLE:
		send_table(d);
		break;
	case HALT:
		halt(d);
		d->breaks++;
		d->unhalt_at = d->now + between(&d->random, MINUTE, 15 * MINUTE);
		break;
	case CHAOSES:
		break;
	}
	see(d);
}

static void
live(struct day *d, int64_t until)
{
	while (d->now < until) {
		struct mod *m = &d->mods[0];
		for (unsigned i = 1; i < d->mods_n; i++)
			if (d->mods[i].next < m->next)
				m = &d->mods[i];
		int64_t at = m->next < d->chaos_at ? m->next : d->chaos_at;
		if (d->unhalt_at && d->unhalt_at < at)
			at = d->unhalt_at;
		for (; at - d->seen >= TURN_MS; see(d))
			set_clock(d, d->seen + TURN_MS);
		if (at > d->now)
			set_clock(d, at);
		if (at == d->unhalt_at)
			unhalt(d);
		else if (at == d->chaos_at)
			upset(d);
		else
			act(d, m);
	}
}

/* ---- the day ---- */

static int64_t
from_environment(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);
	return text ? strtoll(text, NULL, 10) : otherwise;
}

static void
make_releases(struct day *d)
{
	static const uint64_t sizes[RELEASES] = { RELEASE_BLOCK + 1, 5 * RELEASE_BLOCK + 777, 12 * RELEASE_BLOCK };
	static struct config_problems problems;
	struct config *c;
	assert_int_equal(sample_parse(SAMPLE_MAIN, SAMPLE_PROFILE, &c, &problems), 0);
	for (unsigned i = 0; i < RELEASES; i++) {
		char target[8], url[64];
		snprintf(target, sizeof target, "2.%u", i);
		snprintf(url, sizeof url, "https://up.example/get/rtr?v=%s", target);
		struct sample *s = d->release[i] = sample_new(sizes[i], "rtr", target);
		for (uint64_t at = 0; at < s->r.size; at++)
			s->image[at] = (uint8_t)any(&d->random, 256); /* no two of them have a block in common */
		assert_int_equal(profile_resource(&c->profiles[0], url, s->r.terms.resource), 0);
		sample_seal(s);
	}
	config_free(c);
}

/* The last digit makes the sum of all, each second one doubled, a multiple of ten. */
static void
make_imei(char imei[16], unsigned n)
{
	unsigned sum = 0;
	snprintf(imei, 16, "3569380364%04u", n);
	for (unsigned i = 0; i < 14; i++) {
		unsigned digit = (unsigned)(imei[i] - '0') << (i % 2);
		sum += digit > 9 ? digit - 9 : digit;
	}
	imei[14] = (char)('0' + (10 - sum % 10) % 10);
	imei[15] = '\0';
}

static void
make_modules(struct day *d)
{
	uint64_t room = d->release[RELEASES - 1]->r.size;
	d->mods = calloc(d->mods_n, sizeof *d->mods);
	assert_non_null(d->mods);
	for (unsigned i = 0; i < d->mods_n; i++) {
		struct mod *m = &d->mods[i];
		m->way = &ways[i % WAYS];
		m->tls = !m->way->plain && i / WAYS % 2;
		m->random = d->random + i;
		m->pace = between(&m->random, 1500, 12000);
		m->next = between(&m->random, 0, 30 * MINUTE);
		m->fd = -1;
		m->file = malloc(room);
		assert_non_null(m->file);
		make_imei(m->imei, i);
	}
}

static void
tell(struct day *d, int64_t hours)
{
	print_message("%lld hours, %u modules: %llu MiB in", (long long)hours, d->mods_n, (unsigned long long)(d->bytes >> 20));
	for (unsigned i = 0; i < WAYS; i++)
		print_message(" %u files by %s,", d->delivered[i], ways[i].name);
	print_message(" all as released\n");
	for (unsigned i = 0; i < CHAOSES; i++)
		print_message("%u %s, ", d->did[i], chaos_name[i]);
	print_message("%u cuts, %u stalls, %u requests in two parts by modules; %u connections ended by the edge, each for a"
	              " reason, %u times begun again, %u times told \"not now\", %u grants\n",
	    d->cuts, d->stalls, d->dribbles, d->closed, d->again, d->refused, d->grants);
}

static void
a_day(void **state)
{
	struct day d = { .watcher = -1, .random = (uint64_t)from_environment("FG_DAY_SEED", 1) };
	int64_t hours = from_environment("FG_DAY_HOURS", 24);
	d.mods_n = (unsigned)from_environment("FG_DAY_MODULES", 20);
	assert_in_range(d.mods_n, 2 * WAYS, IMEIS_MAX);
	print_message("FG_DAY_SEED=%llu\n", (unsigned long long)d.random);
	signal(SIGPIPE, SIG_IGN); /* SSL_write on what the edge has closed */
	setup_bare(state);
	d.f = *state;
	d.f->shared->still = true;
	set_clock(&d, 0);
	d.pki[0] = pki_new("gate", false, NULL, NULL, WALL);
	d.pki[1] = pki_new("gate", true, NULL, NULL, WALL);
	d.ctx = SSL_CTX_new(TLS_client_method());
	d.plain = listening(&d.f->port);
	d.tls = listening(&d.f->tls_port);
	make_releases(&d);
	make_modules(&d);
	d.chaos_at = 5 * MINUTE;
	boot(&d);
	live(&d, hours * HOUR);
	tell(&d, hours);
	for (unsigned i = 0; i < WAYS; i++)
		assert_true(d.delivered[i] > 0);
	for (unsigned i = 0; i < CHAOSES; i++)
		assert_true(d.did[i] > 0);
	assert_true(d.cuts > 0 && d.stalls > 0 && d.dribbles > 0 && d.closed > 0 && d.refused > 0 && d.again > 0);

	for (unsigned i = 0; i < d.mods_n; i++) {
		hang_up(&d.mods[i], false);
		free(d.mods[i].file);
	}
	free(d.mods);
	for (unsigned i = 0; i < RELEASES; i++)
		sample_free(d.release[i]);
	pki_free(&d.pki[0]);
	pki_free(&d.pki[1]);
	d.f->pki = (struct pki){ 0 };
	SSL_CTX_free(d.ctx);
	close(d.watcher);
	close(d.plain);
	close(d.tls);
	teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_day) };
	return cmocka_run_group_tests_name("a day of an edge", tests, NULL, NULL);
}
