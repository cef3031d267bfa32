/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_rig - an edge in a forked child; the test is its supervisor, control,
 * audit, warden and modules. Its clock is the machine's plus what the test adds,
 * or (still) only what the test says it is.
 */
#ifndef FG_TESTS_EDGE_RIG_H
#define FG_TESTS_EDGE_RIG_H

#include "gateway/edge/edge.h"

#include "unit/gateway/edge_sample.h"
#include "unit/gateway/net_pki.h"
#include "unit/policy/sample.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "gateway/role/bundle.h"
#include "gateway/role/role.h"

#define PATIENCE_MS 30000
#define WALL INT64_C(2000000000)
#define NOT_NOW "{\"update\":\"no\"}"
#define NOT_NOW_LINE \
	"not_now = { status = 503; retry_after = \"60s\"; body = \"{\\\"update\\\":\\\"no\\\"}\"; " \
	"content_type = \"application/json\"; };"

struct shared { /* with the child */
	int64_t skip_ms, wall_s;
	bool still;     /* nothing but skip_ms is the time */
};

struct fixture {
	pid_t pid;
	int chan, control, audit, warden;
	uint16_t port, tls_port;
	struct shared *shared;
	struct pki pki;
	uint8_t *buf;
	uint64_t generation;
	struct sample *s;
	/* what came besides what was waited for */
	unsigned sightings, servings, entries, tellings;
	struct msg_sighting sighting;
	struct msg_served served;
	struct msg_append entry;
	struct msg_load load;
	struct msg_runouts runouts;
};

/* ---- the edge ---- */

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static inline int64_t
child_wall(void *ctx)
{
	return ((volatile struct shared *)ctx)->wall_s * 1000000;
}

static inline int64_t
child_mono(void *ctx)
{
	volatile struct shared *shared = ctx;
	struct timespec ts = { 0 };
	if (!shared->still)
		clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000 + shared->skip_ms;
}

static inline void
child_main(int channel, struct shared *shared)
{
	const struct clock_source clock = { child_wall, child_mono, shared };
	int high = fcntl(channel, F_DUPFD, 10);
	dup2(high, ROLE_FD);
	close_range(ROLE_FD + 1, ~0u, 0); /* modules' sockets above all: a copy would keep them open */
	if (!getenv("FG_TEST_LOUD"))
		dup2(open("/dev/null", O_WRONLY), 2);
	int status = edge_main(&clock);
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
		status = 99;
	_exit(status);
}

/* ---- supervisor, control, audit, warden ---- */

static inline void
say(int fd, unsigned type, const void *msg, const int *fds, unsigned n)
{
	assert_int_equal(msg_send(fd, type, msg, fds, n), 0);
}

static inline void
say_fd(struct fixture *f, unsigned type, const void *msg, int fd)
{
	say(f->chan, type, msg, &fd, 1);
	close(fd);
}

/* The next frame of that type; what edges say by themselves is counted and kept on the way. */
static inline void
hear(struct fixture *f, int fd, unsigned type, void *msg, size_t n)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct wire_frame frame;
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		int err = wire_recv(fd, f->buf, &frame);
		if (err)
			fail_msg("waiting for %s: %s", msg_type_name(type), err_name(err));
		if (frame.type == MSG_SIGHTING) {
			f->sightings++;
			assert_int_equal(msg_decode(&frame, &f->sighting, sizeof f->sighting), 0);
		} else if (frame.type == MSG_SERVED) {
			f->servings++;
			assert_int_equal(msg_decode(&frame, &f->served, sizeof f->served), 0);
		} else if (frame.type == MSG_LOAD) {
			assert_int_equal(msg_decode(&frame, &f->load, sizeof f->load), 0);
		} else if (frame.type == MSG_APPEND) {
			f->entries++;
			assert_int_equal(msg_decode(&frame, &f->entry, sizeof f->entry), 0);
		} else if (frame.type == MSG_RUNOUTS) {
			f->tellings++;
			assert_int_equal(msg_decode(&frame, &f->runouts, sizeof f->runouts), 0);
		} else if (frame.type != type) {
			fail_msg("waited for %s, got %s", msg_type_name(type), msg_type_name(frame.type));
		}
		if (frame.type != type)
			continue;
		if (msg)
			assert_int_equal(msg_decode(&frame, msg, n), 0);
		return;
	}
}

/* Nothing has been asked for: everything that came so far is of the kinds above. */
static inline void
quiet(struct fixture *f, int fd)
{
	for (struct pollfd p = { .fd = fd, .events = POLLIN }; poll(&p, 1, 0) == 1;) {
		struct wire_frame frame;
		assert_int_equal(wire_recv(fd, f->buf, &frame), 0);
		f->sightings += frame.type == MSG_SIGHTING;
		f->servings += frame.type == MSG_SERVED;
		f->entries += frame.type == MSG_APPEND;
		f->tellings += frame.type == MSG_RUNOUTS;
		if (frame.type == MSG_RUNOUTS)
			assert_int_equal(msg_decode(&frame, &f->runouts, sizeof f->runouts), 0);
		assert_true(frame.type == MSG_SIGHTING || frame.type == MSG_SERVED || frame.type == MSG_APPEND ||
		    frame.type == MSG_LOAD || frame.type == MSG_RUNOUTS);
	}
}

static inline int
bundle(const char *main_text, const char *profile)
{
	const struct bundle_file files[] = { { "fotagate.conf", view_str(main_text) },
		{ "profiles.d/a.conf", view_str(profile) } };
	int fd = bundle_write(files, 2);
	assert_true(fd >= 0);
	return fd;
}

/* more: of fotagate.conf. */
static inline int
bundle_with(const char *more, const char *key, const char *line)
{
	char main_text[2048];
	char *one = sample_profile_with(key, line), *text = calloc(1, strlen(one) + 512);
	/* SAMPLE_PROFILE has no not_now; add it before the end. */
	size_t n = strlen(one) - 3;
	assert_string_equal(one + n, "};\n");
	memcpy(text, one, n);
	strcat(text, NOT_NOW_LINE "short_urls = true;\n};\n");
	snprintf(main_text, sizeof main_text, "%slearn = true;\n%s\n", SAMPLE_MAIN, more);
	int fd = bundle(main_text, text);
	free(one);
	free(text);
	return fd;
}

static inline int
default_bundle(const char *key, const char *line)
{
	return bundle_with("", key, line);
}

static inline int
listening(uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 512), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static inline void
boot_fd(struct fixture *f, enum msg_boot_kind kind, unsigned ordinal, int fd)
{
	const struct msg_boot_fd m = { .kind = (uint8_t)kind, .ordinal = (uint16_t)ordinal };
	say_fd(f, MSG_BOOT_FD, &m, fd);
}

static inline int
text_fd(const char *text)
{
	int fd = memfd_sealed("pem", view_str(text));
	assert_true(fd >= 0);
	return fd;
}

static inline int
peer(struct fixture *f, enum msg_role role)
{
	const struct msg_peer m = { .role = (uint8_t)role };
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	say_fd(f, MSG_PEER, &m, pair[1]);
	return pair[0];
}

static inline void
spawn(struct fixture *f)
{
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		child_main(pair[1], f->shared);
	close(pair[1]);
	f->chan = pair[0];
	const struct msg_boot boot = { .role = MSG_ROLE_EDGE, .unsafe_sandbox = true, .edges = 1 };
	say(f->chan, MSG_BOOT, &boot, NULL, 0);
}

static inline int
exit_status(struct fixture *f)
{
	int status = 0;
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int
setup_bare(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->buf = malloc(WIRE_FRAME_MAX);
	f->shared = mmap(NULL, sizeof *f->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(f->shared, MAP_FAILED);
	f->shared->wall_s = WALL;
	f->chan = f->control = f->audit = f->warden = -1;
	f->generation = 100;
	*state = f;
	spawn(f);
	return 0;
}

/* From a process to an edge that serves; takes both sockets. Peers of one before it are let go. */
static inline void
boot_edge(struct fixture *f, int plain, int tls)
{
	int *peers[] = { &f->control, &f->audit, &f->warden };
	static const enum msg_role roles[] = { MSG_ROLE_CONTROL, MSG_ROLE_AUDIT, MSG_ROLE_WARDEN };
	boot_fd(f, MSG_FD_BUNDLE, 0, default_bundle("quorum", "quorum = 2;"));
	boot_fd(f, MSG_FD_LISTENER, 0, plain);
	boot_fd(f, MSG_FD_LISTENER, 1, tls);
	boot_fd(f, MSG_FD_TLS_CERT, 1, text_fd(f->pki.cert_pem));
	boot_fd(f, MSG_FD_TLS_KEY, 1, text_fd(f->pki.key_pem));
	boot_fd(f, MSG_FD_CLIENT_CA, 1, text_fd(f->pki.cert_pem));
	for (unsigned i = 0; i < 3; i++) {
		if (*peers[i] >= 0)
			close(*peers[i]);
		*peers[i] = peer(f, roles[i]);
	}
	say(f->chan, MSG_START, NULL, NULL, 0);
	hear(f, f->chan, MSG_READY, NULL, 0);
}

static inline int
setup(void **state)
{
	setup_bare(state);
	struct fixture *f = *state;
	f->pki = pki_new("gate", false, NULL, NULL, (int64_t)time(NULL));
	int plain = listening(&f->port), tls = listening(&f->tls_port);
	boot_edge(f, plain, tls);
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	if (f->pid > 0) {
		/* Every test ends with an edge that is alive, stops in order and leaks nothing. */
		const struct msg_stop stop = { .grace_ms = 0 };
		if (f->port) {
			say(f->chan, MSG_STOP, &stop, NULL, 0);
			assert_int_equal(exit_status(f), 0);
		} else {
			kill(f->pid, SIGKILL);
			exit_status(f);
		}
	}
	int fds[] = { f->chan, f->control, f->audit, f->warden };
	for (unsigned i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (f->s)
		sample_free(f->s);
	pki_free(&f->pki);
	munmap(f->shared, sizeof *f->shared);
	free(f->buf);
	free(f);
	return 0;
}

/* ---- while it runs ---- */

/* What the edge says to it; good until the next one. */
static const char *
reload(struct fixture *f, int fd, bool ok)
{
	static uint64_t generation = 1;
	static struct msg_reloaded answer;
	const struct msg_reload m = { .generation = ++generation };
	say_fd(f, MSG_RELOAD, &m, fd);
	hear(f, f->chan, MSG_RELOADED, &answer, sizeof answer);
	assert_int_equal(answer.generation, generation);
	assert_int_equal(answer.ok, ok);
	return answer.why;
}

static inline void
hand_tls(struct fixture *f, const char *cert, const char *key, const char *ca)
{
	boot_fd(f, MSG_FD_TLS_CERT, 1, text_fd(cert));
	boot_fd(f, MSG_FD_TLS_KEY, 1, text_fd(key));
	if (ca)
		boot_fd(f, MSG_FD_CLIENT_CA, 1, text_fd(ca));
}

#endif
