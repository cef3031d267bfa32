/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet - modules that poll a gateway, each one somebody: with an identity, a version, an interval of its
 * own and a way to behave. fleet.py says what they are to do, and learns what they got.
 *
 *   fleet ADDRESS PORT MODULES INTERVAL_MS SEED
 *
 * MODULES holds a line for each: behaviour (a letter), version, and what its query says it is. A module asks once
 * in an interval, a quarter more or less, on a connection of its own and from one of many addresses:
 *
 *   g good      takes the image and asks in its version from then on
 *   f failing   takes it and comes back in FALLBACK
 *   o old       takes it and comes back in the version it had, for more of the same
 *   s silent    takes it and never comes back
 *   l slow      has no room and little time: its answer lies in both kernels; then good
 *   c cut       hangs up in the middle, and asks for the rest; then good
 *   r ranges    asks for it in parts on one connection; then good
 *   n late      g, but from the command "late" on only
 *
 * Its input has one command a line, each answered by one line:
 *   target VERSION FILE   what all ask for from now on, and its bytes: any other is an error of the gateway's
 *   behave FILE           lines of a module's number and letter
 *   late
 *   any                   each time for any of the targets so far
 *   mark                  nothing is to be served any more: what still comes of any image is counted apart
 *   stats                 name=value ...
 *   dump FILE             a line for each module and target that it asked for
 *   quit
 *
 * Bytes that the kernel had when "mark" came were the module's before, read or not: they are not counted.
 * What cannot be simulated ends the process with 3; what a gateway must never do, other bytes than the
 * file's, does so with 4.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MODULES_MAX 1000000u
#define TARGETS_MAX 4u
#define VERSION_MAX 24
#define IDENTITY_MAX 128
#define HEAD_MAX 1024
#define EVENTS 512
#define OPEN_MAX 9000u       /* connections at a time; who comes then waits a moment */
#define ADDRESSES 8000u      /* of 127.1.0.0/16: ports of one address rest a minute when it hung up */
#define SLOT_MS 10
#define SLOTS 16384u         /* a power of two; 160 s: nobody waits longer */
#define PATIENCE_MS 15000    /* of a module with an answer that does not go on */
#define PARTS 4u             /* of an image, by ranges; a slow module takes twice as many bites */
#define SMALL_BUFFER 2048    /* the kernel makes some 4 KiB of it */
#define FALLBACK "0.9.0"     /* what a failed update leaves, older than anything */
#define NOBODY UINT32_MAX

enum step { STEP_NONE = 0, STEP_CONNECT, STEP_HEAD, STEP_BODY };

struct link { /* a module's connection */
	int fd;
	enum step step;
	unsigned target;
	int status;
	uint64_t at, left;   /* of the body */
	int64_t since_ms;    /* that anything came */
	uint64_t known;      /* bytes that were there at the mark, and are not read yet */
	bool slow, bitten; /* slow: reads by its own clock, which ticks once the head was read */
	size_t head_n;
	char head[HEAD_MAX];
};

struct record { /* one module and one target */
	uint32_t asked, served, refused, broken; /* answers: 200 or 206; others; none, or not to its end */
	uint64_t bytes;
	int64_t first_us, last_us, done_us;      /* of the image: first and last byte, and when it was whole; epoch */
};

struct module {
	char behaviour;
	bool gone, cut;          /* does not come again; has hung up once on this target */
	char version[VERSION_MAX];
	char *identity;
	struct link *link;
	uint32_t next;           /* in its slot */
	unsigned of;             /* target that have is of */
	uint64_t have;
	struct record record[TARGETS_MAX];
};

static struct {
	struct sockaddr_in to;
	uint32_t interval_ms;
	struct module *all;
	uint32_t n;
	struct { char version[VERSION_MAX]; const uint8_t *bytes; uint64_t size; } target[TARGETS_MAX];
	unsigned targets_n;
	uint32_t slot[SLOTS];
	uint64_t tick;
	int64_t start_ms;
	int epoll;
	uint32_t open;
	uint64_t random, polls, served, refused, broken, bytes, late_bytes, late_answers;
	uint32_t answered;       /* modules that were, once at least */
	bool marked, any;
} g;

static void
fail(const char *what)
{
	fprintf(stderr, "fleet: %s (%s)\n", what, strerror(errno));
	exit(3);
}

static void
accuse(const struct module *m, const char *what)
{
	fprintf(stderr, "fleet: module %td: %s\n", m - g.all, what);
	exit(4);
}

static int64_t
clock_us(clockid_t which)
{
	struct timespec t;
	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t
mono_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

/* xorshift64*: the same modules do the same things again for the same seed. */
static uint32_t
below(uint32_t n)
{
	g.random ^= g.random >> 12;
	g.random ^= g.random << 25;
	g.random ^= g.random >> 27;
	return (uint32_t)((g.random * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % n;
}

/* ---- who is due when ---- */

static void
wait_ms(struct module *m, uint32_t ms)
{
	uint64_t ticks = ms / SLOT_MS + 1;
	uint32_t *slot = &g.slot[(g.tick + (ticks < SLOTS ? ticks : SLOTS - 1)) % SLOTS];
	m->next = *slot;
	*slot = (uint32_t)(m - g.all);
}

static void
next_poll(struct module *m)
{
	wait_ms(m, g.interval_ms * 3 / 4 + below(g.interval_ms / 2 + 1));
}

/* ---- one request ---- */

static void
hang_up(struct module *m)
{
	close(m->link->fd);
	free(m->link);
	m->link = NULL;
	g.open--;
}

static void
look_for(struct module *m, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = (uint32_t)(m - g.all) };
	if (epoll_ctl(g.epoll, EPOLL_CTL_MOD, m->link->fd, &ev))
		fail("epoll");
}

static void
lost(struct module *m)
{
	m->record[m->link->target].broken++;
	g.broken++;
	hang_up(m);
	next_poll(m);
}

static void
send_request(struct module *m)
{
	struct link *l = m->link;
	char text[HEAD_MAX], range[64] = "";
	uint64_t size = g.target[l->target].size, last = m->have + size / PARTS - 1;
	if (m->behaviour == 'r')
		snprintf(range, sizeof range, "Range: bytes=%" PRIu64 "-%" PRIu64 "\r\n", m->have, last < size ? last : size - 1);
	else if (m->have)
		snprintf(range, sizeof range, "Range: bytes=%" PRIu64 "-\r\n", m->have);
	int n = snprintf(text, sizeof text, "GET /fw/FG100/%s/rootfs.img?%s&v=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
	    g.target[l->target].version, m->identity, m->version, range);
	if (send(l->fd, text, (size_t)n, MSG_NOSIGNAL) != n) {
		lost(m);
		return;
	}
	l->step = STEP_HEAD;
	l->head_n = 0;
	l->since_ms = mono_ms();
	m->record[l->target].asked++;
	g.polls++;
	look_for(m, EPOLLIN);
}

static void
poll_gateway(struct module *m)
{
	const int on = 1, small = SMALL_BUFFER;
	struct sockaddr_in from = { .sin_family = AF_INET };
	uint32_t a = (uint32_t)(m - g.all) % ADDRESSES;
	struct link *l;
	if (!g.targets_n || g.open >= OPEN_MAX || !(l = calloc(1, sizeof *l))) {
		wait_ms(m, 50 + below(50));
		return;
	}
	unsigned wanted = g.any ? below(g.targets_n) : g.targets_n - 1;
	if (m->of != wanted) {
		m->of = wanted;
		m->have = 0;
		m->cut = false;
	}
	*l = (struct link){ .step = STEP_CONNECT, .target = m->of, .since_ms = mono_ms(), .slow = m->behaviour == 'l' };
	m->link = l;
	g.open++;
	from.sin_addr.s_addr = htonl(0x7f010001 + (a / 200 << 8) + a % 200);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct epoll_event ev = { .events = EPOLLOUT, .data.u32 = (uint32_t)(m - g.all) };
	if (l->fd < 0 || setsockopt(l->fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) ||
	    bind(l->fd, (struct sockaddr *)&from, sizeof from) ||
	    (l->slow && setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small)) ||
	    epoll_ctl(g.epoll, EPOLL_CTL_ADD, l->fd, &ev))
		fail("no socket");
	if (connect(l->fd, (struct sockaddr *)&g.to, sizeof g.to) && errno != EINPROGRESS)
		lost(m); /* nobody listens there just now */
}

/* ---- its answer ---- */

/* n bytes more were read: those of them that came behind the mark. */
static uint64_t
behind_mark(struct link *l, uint64_t n)
{
	uint64_t known = l->known < n ? l->known : n;
	l->known -= known;
	return g.marked ? n - known : 0;
}

/* What was served is the released file's, whatever else is wrong. */
static void
take(struct module *m, const void *p, size_t n, uint64_t late)
{
	struct link *l = m->link;
	struct record *r = &m->record[l->target];
	int64_t now = clock_us(CLOCK_REALTIME);
	if (n > l->left || (n && memcmp(g.target[l->target].bytes + l->at, p, n)))
		accuse(m, "was sent other bytes than the file's");
	l->at += n;
	l->left -= n;
	m->have = l->at;
	r->bytes += n;
	g.bytes += n;
	g.late_bytes += late;
	if (n && !r->first_us)
		r->first_us = now;
	if (n)
		r->last_us = now;
}

static uint64_t
field(const char *head, const char *name, bool *ret_there)
{
	const char *at = strstr(head, name);
	*ret_there = at != NULL;
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* False: the head is not whole yet, or the connection is over. */
static bool
read_head(struct module *m)
{
	struct link *l = m->link;
	bool sized, placed = true;
	ssize_t got = recv(l->fd, l->head + l->head_n, sizeof l->head - 1 - l->head_n, 0);
	if (got < 0 && errno == EAGAIN)
		return false;
	if (got <= 0) {
		lost(m);
		return false;
	}
	uint64_t late = behind_mark(l, (uint64_t)got);
	l->since_ms = mono_ms();
	l->head_n += (size_t)got;
	l->head[l->head_n] = '\0';
	char *end = strstr(l->head, "\r\n\r\n");
	if (!end && l->head_n == sizeof l->head - 1)
		accuse(m, "was sent a head without an end");
	if (!end)
		return false;
	end[2] = '\0';
	size_t head = (size_t)(end + 4 - l->head), body = l->head_n - head;
	struct record *r = &m->record[l->target];
	l->status = atoi(l->head + strlen("HTTP/1.1 "));
	l->left = field(l->head, "\r\nContent-Length: ", &sized);
	l->at = l->status == 206 ? field(l->head, "\r\nContent-Range: bytes ", &placed) : 0;
	l->step = STEP_BODY;
	g.answered += !r->served && !r->refused && l->target == 0;
	if (l->status != 200 && l->status != 206) {
		if (l->left || body)
			accuse(m, "was sent a body that is no image");
		r->refused++;
		g.refused++;
		return true;
	}
	if (!sized || !placed || l->at != m->have || l->at + l->left > g.target[l->target].size)
		accuse(m, "was sent something else than it asked for");
	r->served++;
	g.served++;
	g.late_answers += late > body;
	take(m, l->head + head, body, late < body ? late : body);
	return true;
}

/* At most max bytes; false: there are none now, or the connection is over. */
static bool
read_body(struct module *m, size_t max)
{
	static uint8_t bytes[65536];
	struct link *l = m->link;
	size_t want = l->left < max ? (size_t)l->left : max;
	ssize_t got = recv(l->fd, bytes, want < sizeof bytes ? want : sizeof bytes, 0);
	if (got < 0 && errno == EAGAIN)
		return false;
	if (got <= 0) {
		lost(m);
		return false;
	}
	l->since_ms = mono_ms();
	take(m, bytes, (size_t)got, behind_mark(l, (uint64_t)got));
	return true;
}

/* The image is whole: what it makes of it. Then it restarts, which takes longer than an interval. */
static void
install(struct module *m, unsigned target)
{
	m->record[target].done_us = clock_us(CLOCK_REALTIME);
	m->have = 0;
	if (m->behaviour == 's') {
		m->gone = true;
		return;
	}
	if (m->behaviour == 'f')
		memcpy(m->version, FALLBACK, sizeof FALLBACK);
	else if (m->behaviour != 'o')
		memcpy(m->version, g.target[target].version, sizeof m->version);
	wait_ms(m, g.interval_ms * 5 / 4 + below(g.interval_ms / 4 + 1));
}

static void
answered(struct module *m)
{
	struct link *l = m->link;
	unsigned target = l->target;
	bool image = l->status == 200 || l->status == 206, whole = image && l->at == g.target[target].size;
	if (image && !whole && m->behaviour == 'r') {
		send_request(m);
		return;
	}
	hang_up(m);
	if (whole)
		install(m, target);
	else
		next_poll(m);
}

static void
on_link(struct module *m, uint32_t events)
{
	struct link *l = m->link;
	uint64_t half = g.target[l->target].size / 2;
	if (l->step == STEP_CONNECT) {
		if (events & (EPOLLERR | EPOLLHUP))
			lost(m);
		else
			send_request(m);
		return;
	}
	if (l->step == STEP_HEAD && !read_head(m))
		return;
	bool image = l->status == 200 || l->status == 206;
	if (image && l->left && l->slow) {
		bool reset = (events & (EPOLLERR | EPOLLHUP)) != 0;
		if (!l->bitten)
			wait_ms(m, g.interval_ms / (4 * PARTS));
		l->bitten = true;
		look_for(m, 0);
		if (reset) { /* what it had not read is lost, as it learns at its next bite */
			l->step = STEP_NONE;
			epoll_ctl(g.epoll, EPOLL_CTL_DEL, l->fd, NULL);
		}
		return;
	}
	while (l->left) {
		if (image && m->behaviour == 'c' && !m->cut && m->have >= half) {
			m->cut = true;
			hang_up(m);
			wait_ms(m, g.interval_ms / 8);
			return;
		}
		if (!read_body(m, m->behaviour == 'c' && !m->cut ? (size_t)half : SIZE_MAX))
			return;
	}
	answered(m);
}

/* A slow module has time for a bite. */
static void
bite(struct module *m)
{
	struct link *l = m->link;
	if (l->step == STEP_NONE) {
		lost(m);
		return;
	}
	while (l->left && read_body(m, (size_t)(g.target[l->target].size / (2 * PARTS)) + 1))
		break;
	if (!m->link)
		return; /* lost, and due again */
	if (l->left)
		wait_ms(m, g.interval_ms / (4 * PARTS));
	else
		answered(m);
}

static void
run_due(void)
{
	uint64_t now = (uint64_t)(mono_ms() - g.start_ms) / SLOT_MS;
	while (g.tick < now) {
		g.tick++;
		uint32_t i = g.slot[g.tick % SLOTS], next;
		g.slot[g.tick % SLOTS] = NOBODY;
		for (; i != NOBODY; i = next) {
			struct module *m = &g.all[i];
			next = m->next;
			if (m->link)
				bite(m);
			else
				poll_gateway(m);
		}
	}
}

/* An answer that does not come: whoever is slow by nature is looked at by his own clock. */
static void
run_patience(void)
{
	static int64_t looked;
	int64_t now = mono_ms();
	if (now - looked < 1000)
		return;
	looked = now;
	for (uint32_t i = 0; i < g.n; i++) {
		struct module *m = &g.all[i];
		if (m->link && !m->link->bitten && now - m->link->since_ms > PATIENCE_MS)
			lost(m);
	}
}

/* ---- what is wanted of them ---- */

static const char *
command_target(const char *version, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || g.targets_n == TARGETS_MAX || strlen(version) >= VERSION_MAX)
		fail("no target");
	unsigned t = g.targets_n++;
	memcpy(g.target[t].version, version, strlen(version) + 1);
	g.target[t].size = (uint64_t)st.st_size;
	g.target[t].bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (g.target[t].bytes == MAP_FAILED)
		fail("no target");
	close(fd);
	return "ok";
}

static const char *
command_behave(const char *path)
{
	uint32_t i;
	char letter;
	FILE *f = fopen(path, "r");
	while (f && fscanf(f, "%" SCNu32 " %c\n", &i, &letter) == 2) {
		if (i >= g.n)
			fail("no such module");
		g.all[i].behaviour = letter;
	}
	if (!f || fclose(f))
		fail("no behaviours");
	return "ok";
}

static const char *
command_late(void)
{
	for (uint32_t i = 0; i < g.n; i++) {
		if (g.all[i].behaviour != 'n')
			continue;
		g.all[i].behaviour = 'g';
		wait_ms(&g.all[i], below(g.interval_ms));
	}
	return "ok";
}

static const char *
command_any(void)
{
	g.any = true;
	return "ok";
}

static const char *
command_mark(void)
{
	g.marked = true;
	for (uint32_t i = 0; i < g.n; i++) {
		struct link *l = g.all[i].link;
		int there = 0;
		if (l && !ioctl(l->fd, FIONREAD, &there))
			l->known = (uint64_t)there;
	}
	return "ok";
}

static const char *
command_stats(void)
{
	static char text[512];
	struct rusage spent;
	uint32_t sending = 0;
	getrusage(RUSAGE_SELF, &spent);
	for (uint32_t i = 0; i < g.n; i++) {
		const struct link *l = g.all[i].link;
		sending += l && l->step == STEP_BODY && l->target == g.targets_n - 1 && l->left > 0;
	}
	snprintf(text, sizeof text,
	    "polls=%" PRIu64 " served=%" PRIu64 " refused=%" PRIu64 " broken=%" PRIu64 " bytes=%" PRIu64 " open=%" PRIu32
	    " answered=%" PRIu32 " sending=%" PRIu32 " late_bytes=%" PRIu64 " late_answers=%" PRIu64 " cpu_ms=%lld ms=%lld",
	    g.polls, g.served, g.refused, g.broken, g.bytes, g.open, g.answered, sending, g.late_bytes, g.late_answers,
	    (long long)(spent.ru_utime.tv_sec + spent.ru_stime.tv_sec) * 1000 +
	        (long long)(spent.ru_utime.tv_usec + spent.ru_stime.tv_usec) / 1000,
	    (long long)(mono_ms() - g.start_ms));
	return text;
}

static const char *
command_dump(const char *path)
{
	FILE *f = fopen(path, "w");
	for (uint32_t i = 0; f && i < g.n; i++)
		for (unsigned t = 0; t < g.targets_n; t++) {
			const struct record *r = &g.all[i].record[t];
			if (r->asked || r->broken)
				fprintf(f, "%" PRIu32 " %s %s %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRId64
				    " %" PRId64 " %" PRId64 "\n", i, g.target[t].version, g.all[i].version, r->asked, r->served,
				    r->refused, r->broken, r->bytes, r->first_us, r->last_us, r->done_us);
		}
	if (!f || fclose(f))
		fail("no room for what they got");
	return "ok";
}

static void
obey(char *line)
{
	char *word[3] = { strtok(line, " "), strtok(NULL, " "), strtok(NULL, " ") };
	const char *said = NULL;
	if (!word[0])
		fail("no command");
	if (!strcmp(word[0], "quit"))
		exit(0);
	if (!strcmp(word[0], "target") && word[2])
		said = command_target(word[1], word[2]);
	else if (!strcmp(word[0], "behave") && word[1])
		said = command_behave(word[1]);
	else if (!strcmp(word[0], "dump") && word[1])
		said = command_dump(word[1]);
	else if (!strcmp(word[0], "late"))
		said = command_late();
	else if (!strcmp(word[0], "any"))
		said = command_any();
	else if (!strcmp(word[0], "mark"))
		said = command_mark();
	else if (!strcmp(word[0], "stats"))
		said = command_stats();
	if (!said)
		fail(word[0]);
	puts(said);
	fflush(stdout);
}

/* Whole lines of what was written to us; its end is ours. */
static void
on_input(void)
{
	static char text[4096];
	static size_t n;
	ssize_t got = read(STDIN_FILENO, text + n, sizeof text - 1 - n);
	if (got <= 0)
		exit(got == 0 ? 0 : 3);
	n += (size_t)got;
	text[n] = '\0';
	for (char *end; (end = strchr(text, '\n'));) {
		*end = '\0';
		obey(text);
		n -= (size_t)(end + 1 - text);
		memmove(text, end + 1, n + 1);
	}
}

static void
read_modules(const char *path)
{
	char letter, version[VERSION_MAX], identity[IDENTITY_MAX];
	FILE *f = fopen(path, "r");
	g.all = calloc(MODULES_MAX, sizeof *g.all);
	if (!f || !g.all)
		fail("no modules");
	while (g.n < MODULES_MAX && fscanf(f, "%c %23s %127s\n", &letter, version, identity) == 3) {
		struct module *m = &g.all[g.n++];
		m->behaviour = letter;
		memcpy(m->version, version, sizeof m->version);
		m->identity = strdup(identity);
	}
	if (fclose(f) || !g.n)
		fail("no modules");
}

int
main(int argc, char **argv)
{
	const struct rlimit many = { OPEN_MAX + 64, OPEN_MAX + 64 };
	struct epoll_event evs[EVENTS], input = { .events = EPOLLIN, .data.u32 = NOBODY };
	if (argc != 6)
		fail("usage: fleet ADDRESS PORT MODULES INTERVAL_MS SEED");
	g.to.sin_family = AF_INET;
	g.to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	if (inet_pton(AF_INET, argv[1], &g.to.sin_addr) != 1)
		fail("no address");
	read_modules(argv[3]);
	g.interval_ms = (uint32_t)strtoul(argv[4], NULL, 10);
	g.random = strtoull(argv[5], NULL, 10) * 2 + 1;
	if (!g.interval_ms || g.interval_ms / SLOT_MS * 5 / 4 >= SLOTS)
		fail("no such interval");
	g.start_ms = mono_ms();
	g.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (g.epoll < 0 || setrlimit(RLIMIT_NOFILE, &many) || epoll_ctl(g.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input))
		fail("no descriptors");
	for (uint32_t i = 0; i < SLOTS; i++)
		g.slot[i] = NOBODY;
	for (uint32_t i = 0; i < g.n; i++)
		if (g.all[i].behaviour != 'n')
			wait_ms(&g.all[i], below(g.interval_ms));
	for (;;) {
		int n = epoll_wait(g.epoll, evs, EVENTS, SLOT_MS);
		for (int i = 0; i < n; i++) {
			if (evs[i].data.u32 == NOBODY)
				on_input();
			else if (g.all[evs[i].data.u32].link)
				on_link(&g.all[evs[i].data.u32], evs[i].events);
		}
		run_due();
		run_patience();
	}
}
