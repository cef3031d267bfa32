/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_load - modules for bench_http.py: many connections in one cheap process.
 *
 *   http_load get|steady|handshake|hold|slow ADDRESS PORT [name=value ...]
 *
 * get        requests= of length= bytes (0: whole file) over conns= connections;
 *            new=1 a connection each. The first answer of every connection is compared
 *            with file= byte for byte, the others by status and length.
 * steady     conns= connections, each after one answer, says "ready"; for each line of its
 *            input requests= of length= bytes over them, then says how long they took.
 * handshake  requests= TLS handshakes, conns= at a time; resume=1 with one ticket.
 * hold       conns= connections, each after one answer (active=1: in the middle of
 *            one, taking nothing more), says "ready" and waits for its input to close.
 * slow       conns= modules at rate= bytes a second, with room for rcvbuf= in their
 *            stack, ranges of length=; says "ready", then at the end of input how
 *            long first bytes took to reach that stack, by the kernel's own stamp:
 *            when all modules' processor gets round to reading them is no server's.
 *
 * tls=1.2|1.3 speaks that version only; targets=FILE holds one request target a
 * line, for the connections in turn; sources=N spreads them over N addresses, from
 * the first=th.
 * What could not be measured ends the process with 3.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define TARGETS_MAX 65536
#define REQUEST_MAX 1024
#define HEAD_MAX 1024
#define EVENTS 256
#define OPENING_MAX 64     /* held connections on their way at once: so many buffers a server needs only meanwhile */
#define NAP_US 50          /* when nothing is there */
#define SIP 2048          /* bytes at a time, until it is known when the first came */
#define SLOTS 100          /* of a second: when a slow module looks at its socket */
#define SAMPLES_MAX (1u << 22)

enum step { STEP_CLOSED = 0, STEP_HANDSHAKE, STEP_HEAD, STEP_BODY, STEP_HELD };

struct module {
	int fd;
	enum step step;
	bool verified;
	SSL *ssl;
	uint32_t number;
	uint64_t offset;    /* of the range asked for */
	uint64_t at, left;  /* of the body */
	double asked;
	uint32_t ahead;     /* slow: taken beyond what its rate allowed */
	char head[HEAD_MAX];
	size_t head_n;
};

static struct {
	const char *mode;
	struct sockaddr_in to;
	uint32_t conns, requests, length, sources, first, rate, rcvbuf;
	bool fresh, resume, active;
	SSL_CTX *tls;
	SSL_SESSION *session;
	char *targets[TARGETS_MAX];
	uint32_t targets_n;
	const uint8_t *file;
	uint64_t file_n;
	int epoll;
	uint32_t begun, ended;
	uint64_t bytes;
	float *ms;
	uint32_t ms_n;
} g = { .conns = 32, .requests = 1000, .sources = 1, .rate = 2500, .rcvbuf = 4096 };

static void
fail(const char *what)
{
	fprintf(stderr, "http_load: %s (%s)\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(3);
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t); /* as the kernel stamps what comes in */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
is(const char *mode)
{
	return strcmp(g.mode, mode) == 0;
}

/* ---- one request ---- */

/* At most n bytes; p NULL throws them away where the kernel can do it uncopied. 0: nothing just now. */
static size_t
take(struct module *m, void *p, size_t n)
{
	static uint8_t waste[65536];
	if (m->ssl) {
		int r = SSL_read(m->ssl, p ? p : waste, (int)(p || n < sizeof waste ? n : sizeof waste));
		if (r <= 0 && SSL_get_error(m->ssl, r) != SSL_ERROR_WANT_READ)
			fail("a server closed in the middle");
		return r > 0 ? (size_t)r : 0;
	}
	ssize_t r = recv(m->fd, p ? p : waste, n, p ? MSG_DONTWAIT : MSG_DONTWAIT | MSG_TRUNC);
	if (r == 0 || (r < 0 && errno != EAGAIN))
		fail("a server closed in the middle");
	return r > 0 ? (size_t)r : 0;
}

/*
 * The first segment of an answer, n bytes at most and what little of the next comes with it, and when
 * the kernel got it, by CLOCK_REALTIME; 0: nothing just now. The stamp comes with the segment's last
 * byte, or with a later one's: so little at a time. Plain only.
 */
static size_t
take_stamped(struct module *m, char *p, size_t n, double *ret_when)
{
	size_t got = 0;
	for (*ret_when = 0; *ret_when == 0 && got < n;) {
		char control[CMSG_SPACE(sizeof(struct timespec))];
		struct iovec iov = { p + got, n - got < SIP ? n - got : SIP };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		ssize_t r = recvmsg(m->fd, &msg, MSG_DONTWAIT);
		if (r < 0 && errno == EAGAIN)
			return got;
		if (r <= 0)
			fail("a server closed in the middle");
		got += (size_t)r;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
			struct timespec t;
			if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
				continue;
			memcpy(&t, CMSG_DATA(c), sizeof t);
			*ret_when = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
		}
	}
	return got;
}

static void
wake_on_bytes(struct module *m, bool wake)
{
	struct epoll_event ev = { .events = wake ? EPOLLIN : 0, .data.ptr = m };
	if (epoll_ctl(g.epoll, EPOLL_CTL_MOD, m->fd, &ev))
		fail("epoll");
}

static void
ask(struct module *m)
{
	char text[REQUEST_MAX];
	const char *target = g.targets[m->number % g.targets_n];
	uint64_t length = g.length && g.length < g.file_n ? g.length : g.file_n;
	if (m->offset + length > g.file_n)
		m->offset = 0;
	int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", target);
	if (g.length)
		n += snprintf(text + n, sizeof text - (size_t)n, "Range: bytes=%llu-%llu\r\n", (unsigned long long)m->offset,
		    (unsigned long long)(m->offset + length - 1));
	n += snprintf(text + n, sizeof text - (size_t)n, "%s\r\n", g.fresh ? "Connection: close\r\n" : "");
	m->at = m->offset;
	m->left = length;
	m->head_n = 0;
	m->step = STEP_HEAD;
	m->asked = now();
	ssize_t sent = m->ssl ? SSL_write(m->ssl, text, n) : send(m->fd, text, (size_t)n, MSG_NOSIGNAL);
	if (sent != n)
		fail("a request did not go out");
	g.begun++;
}

static void
compare(const struct module *m, const void *p, size_t n)
{
	if (n > m->left || (!m->verified && memcmp(g.file + m->at, p, n)))
		fail("other bytes than the file's");
}

/* False: the head is not complete yet. */
static bool
read_head(struct module *m)
{
	char want[64];
	static char all[65536];
	bool first = m->head_n == 0 && g.ms;
	double when = 0;
	size_t room = sizeof m->head - 1 - m->head_n;
	size_t n = first ? take_stamped(m, all, sizeof all, &when) : take(m, m->head + m->head_n, room), more = 0;
	if (!n)
		return false;
	if (first) {
		more = n > room ? n - room : 0;
		n -= more;
		memcpy(m->head, all, n);
	}
	if (first && when == 0)
		fail("the kernel does not say when a byte came");
	if (first && g.ms_n < SAMPLES_MAX)
		g.ms[g.ms_n++] = (float)((when - m->asked) * 1e3);
	m->head_n += n;
	m->head[m->head_n] = '\0';
	char *end = strstr(m->head, "\r\n\r\n");
	if (!end && m->head_n < sizeof m->head - 1)
		return false; /* and more is 0 */
	snprintf(want, sizeof want, "\r\nContent-Length: %llu\r\n", (unsigned long long)m->left);
	if (!end || strncmp(m->head, g.length ? "HTTP/1.1 206 " : "HTTP/1.1 200 ", 13) || !strstr(m->head, want)) {
		fprintf(stderr, "%s", m->head);
		fail("not the answer asked for");
	}
	size_t head = (size_t)(end + 4 - m->head), body = m->head_n - head;
	compare(m, m->head + head, body);
	m->at += body;
	m->left -= body;
	compare(m, all + n, more);
	m->at += more;
	m->left -= more;
	m->ahead += (uint32_t)(body + more);
	m->step = STEP_BODY;
	return true;
}

/* At most max bytes of the body; false when nothing is there. */
static bool
read_body(struct module *m, size_t max)
{
	static uint8_t bytes[65536];
	size_t want = m->left < max ? (size_t)m->left : max;
	if (!m->verified && want > sizeof bytes)
		want = sizeof bytes;
	size_t n = take(m, m->verified ? NULL : bytes, want);
	if (n)
		compare(m, bytes, n);
	m->at += n;
	m->left -= n;
	return n > 0;
}

/* The answer is complete. */
static void
finish(struct module *m)
{
	m->verified = true;
	m->offset = m->at;
	g.ended++;
	g.bytes += m->head_n;
}

/* ---- connections ---- */

static void shake(struct module *m);

static void
open_one(struct module *m)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = m };
	const int on = 1, small = (int)g.rcvbuf;
	uint32_t s = g.first + m->number % g.sources;
	from.sin_addr.s_addr = htonl(0x7f010001 + (s / 200 << 8) + s % 200);
	m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (m->fd < 0 || setsockopt(m->fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) ||
	    (g.sources > 1 && bind(m->fd, (struct sockaddr *)&from, sizeof from)))
		fail("no socket");
	if ((is("slow") || g.active) && setsockopt(m->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small))
		fail("no small buffer");
	if (is("slow") && setsockopt(m->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
		fail("no time stamps");
	setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(m->fd, (struct sockaddr *)&g.to, sizeof g.to) || fcntl(m->fd, F_SETFL, O_NONBLOCK) ||
	    epoll_ctl(g.epoll, EPOLL_CTL_ADD, m->fd, &ev))
		fail("no connection");
	m->verified = false;
	if (!g.tls) {
		ask(m);
		return;
	}
	m->ssl = SSL_new(g.tls);
	if (!m->ssl || SSL_set_fd(m->ssl, m->fd) != 1 || (g.session && SSL_set_session(m->ssl, g.session) != 1))
		fail("no TLS");
	SSL_set_connect_state(m->ssl);
	m->step = STEP_HANDSHAKE;
	if (is("handshake"))
		g.begun++;
	shake(m); /* the client speaks first */
}

static void
close_one(struct module *m)
{
	if (m->ssl)
		SSL_shutdown(m->ssl);
	SSL_free(m->ssl);
	m->ssl = NULL;
	close(m->fd);
	m->step = STEP_CLOSED;
}

static void
shake(struct module *m)
{
	int r = SSL_do_handshake(m->ssl);
	if (r != 1 && SSL_get_error(m->ssl, r) == SSL_ERROR_WANT_READ)
		return;
	if (r != 1)
		fail("a handshake failed");
	if (!is("handshake")) {
		ask(m);
		return;
	}
	if (g.session && !SSL_session_reused(m->ssl))
		fail("a ticket was not taken");
	g.ended++;
	close_one(m);
	if (g.begun < g.requests)
		open_one(m);
}

/* What follows a complete answer. */
static void
next(struct module *m)
{
	finish(m);
	if (is("hold")) {
		m->step = STEP_HELD;
	} else if (is("slow")) {
		ask(m);
		wake_on_bytes(m, true);
	} else if (!g.fresh && g.begun < g.requests) {
		ask(m);
	} else if (g.fresh) {
		close_one(m);
		if (g.begun < g.requests)
			open_one(m);
	} else {
		m->step = STEP_HELD;
	}
}

static void
on_event(struct module *m)
{
	if (m->step == STEP_HANDSHAKE)
		shake(m);
	while (m->step == STEP_HEAD || m->step == STEP_BODY) {
		if (m->step == STEP_HEAD && !read_head(m))
			return;
		if (g.active) {
			m->step = STEP_HELD; /* and the rest stays where it is */
			g.ended++;
		} else if (is("slow")) {
			wake_on_bytes(m, false); /* the rest at its own pace */
			return;
		} else if (m->left && !read_body(m, SIZE_MAX)) {
			return;
		} else if (!m->left) {
			next(m);
			return;
		}
	}
	if (m->step == STEP_HELD)
		wake_on_bytes(m, false);
}

static int
turn(int ms)
{
	struct epoll_event evs[EVENTS];
	int n = epoll_wait(g.epoll, evs, EVENTS, ms);
	for (int i = 0; i < n; i++)
		on_event(evs[i].data.ptr);
	return n;
}

/* ---- what is measured ---- */

static int
by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static void
ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* True when whoever started us closed our input. */
static bool
input_closed(void)
{
	char c;
	ssize_t n = read(STDIN_FILENO, &c, 1);
	return n == 0;
}

/* Each module takes what its link carries in a second, once a second; all of them spread over it. */
static void
run_slow(struct module *all)
{
	double start = now();
	bool said = false;
	for (uint64_t tick = 0;; tick++) {
		double due = start + (double)tick / SLOTS, wait;
		while ((wait = due - now()) > 0)
			turn((int)(wait * 1e3));
		for (uint32_t i = (uint32_t)(tick % SLOTS); i < g.conns; i += SLOTS) {
			struct module *m = &all[i];
			if (m->step == STEP_CLOSED)
				open_one(m);
			if (m->ahead >= g.rate) {
				m->ahead -= g.rate;
				continue;
			}
			if (m->step == STEP_BODY && m->left)
				read_body(m, g.rate - m->ahead);
			if (m->step == STEP_BODY && !m->left)
				next(m);
			m->ahead = 0;
		}
		turn(0);
		if (!said && g.ended >= g.conns) {
			said = true;
			g.ms_n = 0; /* of the steady state only */
			ready();
		}
		if (tick % SLOTS == 0 && input_closed())
			return;
	}
}

static void
report(double seconds)
{
	qsort(g.ms, g.ms ? g.ms_n : 0, sizeof *g.ms, by_value);
	struct rusage spent;
	getrusage(RUSAGE_SELF, &spent);
	printf("answers=%u seconds=%.3f cpu=%.3f", g.ended, seconds,
	    (double)(spent.ru_utime.tv_sec + spent.ru_stime.tv_sec) + (double)(spent.ru_utime.tv_usec + spent.ru_stime.tv_usec) / 1e6);
	if (g.ms_n)
		printf(" first=%u p50=%.3f p99=%.3f worst=%.3f", g.ms_n, (double)g.ms[g.ms_n / 2],
		    (double)g.ms[(uint64_t)g.ms_n * 99 / 100], (double)g.ms[g.ms_n - 1]);
	puts("");
}

/* A ticket from a connection of its own: TLS 1.3 sends them behind the handshake. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	if (!g.resume || g.session || !SSL_SESSION_is_resumable(session))
		return 0;
	g.session = session;
	return 1;
}

static void
get_ticket(void)
{
	struct module m = { .number = 0 };
	const char *mode = g.mode;
	bool fresh = g.fresh;
	g.mode = "hold";
	g.fresh = false;
	open_one(&m);
	while (m.step != STEP_HELD)
		turn(-1);
	g.mode = mode;
	g.fresh = fresh;
	/* A client that caches sessions uses a ticket once. */
	SSL_CTX_set_session_cache_mode(g.tls, SSL_SESS_CACHE_OFF);
	close_one(&m);
	g.begun = g.ended = 0;
	if (!g.session)
		fail("the server gives no ticket");
}

/*
 * Until all that were asked for are answered. Asleep on a timer, never on a socket: to wake a
 * sleeper would be on the server's bill, which no module far away is; and to spin would slow the
 * other thread of the same core.
 */
static void
run(void)
{
	while (g.ended < g.requests)
		if (turn(0) == 0)
			usleep(NAP_US);
}

/* Connections that are there already, so that none of their making is measured. */
static void
run_steady(struct module *all, uint32_t requests)
{
	int c;
	run();
	ready();
	g.requests = requests;
	while ((c = getchar()) != EOF) {
		if (c != '\n')
			continue;
		double start = now();
		g.begun = g.ended = 0;
		for (uint32_t i = 0; i < g.conns && g.begun < g.requests; i++)
			ask(&all[i]);
		run();
		report(now() - start);
		fflush(stdout);
	}
}

static void
set_tls(const char *version)
{
	int v = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
	g.tls = SSL_CTX_new(TLS_client_method());
	if (!g.tls || SSL_CTX_set_min_proto_version(g.tls, v) != 1 || SSL_CTX_set_max_proto_version(g.tls, v) != 1 ||
	    SSL_CTX_set_cipher_list(g.tls, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") != 1 ||
	    SSL_CTX_set_ciphersuites(g.tls, "TLS_AES_128_GCM_SHA256") != 1 || SSL_CTX_set1_groups_list(g.tls, "P-256") != 1)
		fail("no TLS");
	SSL_CTX_set_mode(g.tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(g.tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(g.tls, keep_session);
}

static void
read_targets(const char *path)
{
	char line[REQUEST_MAX];
	FILE *f = fopen(path, "r");
	while (f && g.targets_n < TARGETS_MAX && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		g.targets[g.targets_n++] = strdup(line);
	}
	if (!f || fclose(f) || !g.targets_n)
		fail("no targets");
}

static void
map_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		fail("no file");
	g.file_n = (uint64_t)st.st_size;
	g.file = mmap(NULL, g.file_n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (g.file == MAP_FAILED)
		fail("no file");
	close(fd);
}

static void
option(char *text)
{
	char *value = strchr(text, '=');
	if (!value)
		fail(text);
	*value++ = '\0';
	static const struct {
		const char *name;
		uint32_t *number;
		bool *flag;
	} names[] = {
		{ "conns", &g.conns, NULL }, { "requests", &g.requests, NULL }, { "length", &g.length, NULL },
		{ "sources", &g.sources, NULL }, { "first", &g.first, NULL }, { "rate", &g.rate, NULL }, { "rcvbuf", &g.rcvbuf, NULL }, { "new", NULL, &g.fresh },
		{ "resume", NULL, &g.resume }, { "active", NULL, &g.active },
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(text, names[i].name))
			continue;
		if (names[i].number)
			*names[i].number = (uint32_t)strtoul(value, NULL, 10);
		else
			*names[i].flag = *value == '1';
		return;
	}
	if (strcmp(text, "tls") == 0)
		set_tls(value);
	else if (strcmp(text, "targets") == 0)
		read_targets(value);
	else if (strcmp(text, "file") == 0)
		map_file(value);
	else
		fail(text);
}

int
main(int argc, char **argv)
{
	if (argc < 4)
		fail("usage: http_load MODE ADDRESS PORT [name=value ...]");
	signal(SIGPIPE, SIG_IGN);
	g.mode = argv[1];
	g.to.sin_family = AF_INET;
	g.to.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	if (inet_pton(AF_INET, argv[2], &g.to.sin_addr) != 1)
		fail("no address");
	for (int i = 4; i < argc; i++)
		option(argv[i]);
	const struct rlimit many = { g.conns + 64, g.conns + 64 };
	if (g.conns > 512 && setrlimit(RLIMIT_NOFILE, &many))
		fail("too few descriptors allowed");
	g.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (g.resume)
		get_ticket();
	struct module *all = calloc(g.conns, sizeof *all);
	if (!all || (!is("steady") && fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK)))
		fail("no memory");
	for (uint32_t i = 0; i < g.conns; i++)
		all[i].number = i;
	double start = now();
	if (is("slow")) {
		g.ms = calloc(SAMPLES_MAX, sizeof *g.ms);
		run_slow(all);
	} else {
		uint32_t requests = g.requests;
		if (is("hold") || is("steady"))
			g.requests = g.conns;
		for (uint32_t i = 0; i < g.conns && g.begun < g.requests; i++) {
			open_one(&all[i]);
			while (is("hold") && i + 1 - g.ended > OPENING_MAX)
				turn(-1);
		}
		if (is("steady")) {
			run_steady(all, requests);
			return 0;
		}
		run();
	}
	double seconds = now() - start;
	if (is("hold")) {
		ready();
		while (!input_closed())
			usleep(20000);
	}
	report(seconds);
	return 0;
}
