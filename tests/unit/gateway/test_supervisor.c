/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor with real processes and fake roles: this program is also the
 * config child, every role and the inspect job. Each fake role writes what
 * happens to it to one trace file, opened before its jail closes, and takes
 * orders from a FIFO of its own.
 */
#include "gateway/supervisor/supervisor.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/entry.h"
#include "gateway/role/bundle.h"
#include "gateway/role/role.h"
#include "gateway/supervisor/spawn.h"
#include "gateway/supervisor/tickets.h"

#define PATIENCE_MS 30000 /* only ever waited out by a failure */
#define NAP_MS 10
#define TRACE_MAX (256u << 10)

/* ======================= the fake roles ======================= */

struct fake {
	struct role *role;
	enum msg_role kind;
	unsigned index;
	int trace;
	int orders;
	struct event *order_event;
	char name[32];
	int channel; /* of a job that control ordered */
	int64_t halted_at;
};

static void __attribute__((format(printf, 2, 3)))
trace(const struct fake *f, const char *fmt, ...)
{
	char line[1024];
	int n = snprintf(line, sizeof line, "%s ", f->name);
	va_list ap;
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	va_end(ap);
	line[n++] = '\n';
	(void)!write(f->trace, line, (size_t)n);
}

static int
fake_boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd)
{
	struct fake *f = ctx;
	uint8_t first[2][3] = { { 0 } };
	(void)r;
	/* Those of the boot dialogue come before there is a trace to write to. */
	if (what->kind == MSG_FD_PSK && f->role)
		trace(f, "psk of listener %u", what->ordinal);
	if (what->kind == MSG_FD_TICKETS && f->role && pread(fd, first[0], 3, 0) == 3 &&
	    pread(fd, first[1], 3, TICKETS_SECRET) == 3)
		trace(f, "tickets %02x%02x%02x %02x%02x%02x", first[0][0], first[0][1], first[0][2], first[1][0], first[1][1],
		    first[1][2]);
	close(fd);
	return 0;
}

static int
fake_prepare(void *ctx, struct role *r, struct jail_paths *paths)
{
	struct fake *f = ctx;
	const struct msg_boot *b = role_boot(r);
	char path[MSG_PATH_MAX + 64];
	(void)paths;
	f->role = r;
	f->index = b->index;
	snprintf(f->name, sizeof f->name, "%s%u", msg_role_name(f->kind), f->index);
	snprintf(path, sizeof path, "%s/trace", b->data_dir);
	f->trace = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/orders.%s", b->data_dir, f->name);
	f->orders = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return f->trace < 0 || f->orders < 0 ? FG_EIO : 0;
}

static void
order_spawn(struct fake *f, unsigned long job, unsigned kind, unsigned wall, char how)
{
	int pair[2];
	const struct msg_spawn m = { .job = job, .kind = (uint8_t)kind, .wall_ms = wall };
	if (wire_pair(pair))
		return;
	(void)!send(pair[0], &how, 1, 0); /* what the fake job is to do */
	chan_send(role_supervisor(f->role), MSG_SPAWN, &m, &pair[1], 1);
	close(pair[1]);
	f->channel = pair[0]; /* kept: an inspector notices the end of it */
}

static void
on_order(evutil_socket_t fd, short what, void *ctx)
{
	struct fake *f = ctx;
	char text[256];
	unsigned long a;
	unsigned b, c;
	char how;
	(void)what;
	ssize_t n = read(fd, text, sizeof text - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	struct chan *s = role_supervisor(f->role);
	if (sscanf(text, "unhalt %lu", &a) == 1)
		chan_send(s, MSG_UNHALT, &(struct msg_unhalt){ .at = (int64_t)a }, NULL, 0);
	else if (sscanf(text, "spawn %lu %u %u %c", &a, &b, &c, &how) == 4)
		order_spawn(f, a, b, c, how);
	else if (sscanf(text, "kill %lu", &a) == 1)
		chan_send(s, MSG_KILL, &(struct msg_kill){ .job = a }, NULL, 0);
	else if (sscanf(text, "exit %u", &b) == 1)
		role_exit(f->role, (int)b);
	else
		trace(f, "does not understand %s", text);
}

static int
fake_start(void *ctx, struct role *r)
{
	struct fake *f = ctx;
	f->order_event = event_new(role_base(r), f->orders, EV_READ | EV_PERSIST, on_order, f);
	event_add(f->order_event, NULL);
	trace(f, "pid %d", (int)getpid());
	return 0;
}

static const struct chan_ops nothing = { NULL, 0, NULL };

static void
fake_peer_up(void *ctx, struct chan *c, enum msg_role peer, unsigned index)
{
	(void)c;
	trace(ctx, "up %s%u", msg_role_name(peer), index);
}

static void
fake_peer_down(void *ctx, struct chan *c, enum msg_role peer, unsigned index, int why)
{
	(void)c;
	trace(ctx, "down %s%u %d", msg_role_name(peer), index, why);
}

static int
fake_reload(void *ctx, int fd, char *why, size_t cap)
{
	struct fake *f = ctx;
	struct bundle *b;
	int r = bundle_open(fd, &b);
	close(fd);
	if (r)
		return r;
	unsigned n;
	const struct bundle_file *files = bundle_files(b, &n);
	if (memmem(files[0].text.p, files[0].text.n, "choosy", 6))
		snprintf(why, cap, "all but one certificate");
	bool stubborn = memmem(files[0].text.p, files[0].text.n, "stubborn", 8) && f->index == 1;
	trace(f, "reload %u files", n);
	bundle_free(b);
	if (stubborn)
		snprintf(why, cap, "I would rather not");
	return stubborn ? FG_EINVAL : 0;
}

static void
fake_stop(void *ctx, unsigned grace_ms)
{
	struct fake *f = ctx;
	trace(f, "stop %u", grace_ms);
	role_exit(f->role, 0);
}

static void
fake_halt(void *ctx, const struct msg_halt *m)
{
	struct fake *f = ctx;
	f->halted_at = m->at;
	trace(f, "halt %lld by %u", (long long)m->at, m->by_uid);
}

static void
fake_unhalt(void *ctx, const struct msg_unhalt *m)
{
	trace(ctx, "unhalt %lld", (long long)m->at);
}

static void
fake_append(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	const struct msg_append *m = msg;
	(void)frame;
	chan_send(c, MSG_APPENDED, &(struct msg_appended){ .token = m->token }, NULL, 0);
	trace(ctx, "append %s %s %s by %s: %s", entry_event_name(m->event), m->out, m->obj, m->act,
	      m->msg);
	for (unsigned i = 0; i < m->refs_n; i++)
		trace(ctx, "with %s %llu", m->refs[i].key, (unsigned long long)m->refs[i].number);
}

static void
fake_role_exit(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	const struct msg_role_exit *m = msg;
	(void)c;
	(void)frame;
	trace(ctx, "role-exit %s%u %d", msg_role_name(m->role), m->index, m->status);
}

static void
fake_job_exit(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	const struct msg_job_exit *m = msg;
	(void)c;
	(void)frame;
	trace(ctx, "job-exit %lu started %d timed-out %d status %d", (unsigned long)m->job,
	      m->started, m->timed_out, m->status);
}

static const struct chan_rule fake_audit_rules[] = { { MSG_APPEND, CHAN_ALWAYS, fake_append } };
static const struct chan_rule fake_control_rules[] = {
	{ MSG_ROLE_EXIT, CHAN_ALWAYS, fake_role_exit },
	{ MSG_JOB_EXIT, CHAN_ALWAYS, fake_job_exit },
};

static int
fake_role(enum msg_role kind, enum jail_role jail)
{
	struct fake f = { .kind = kind, .trace = -1, .orders = -1, .channel = -1 };
	struct clock_source clock = clock_system();
	struct role_ops ops = {
	    .role = kind,
	    .jail = jail,
	    .boot_fd = fake_boot_fd,
	    .prepare = fake_prepare,
	    .start = fake_start,
	    .peer_up = fake_peer_up,
	    .peer_down = fake_peer_down,
	    .reload = fake_reload,
	    .stop = fake_stop,
	    .halt = fake_halt,
	    .unhalt = fake_unhalt,
	};
	for (unsigned i = 0; i < MSG_ROLE_LIMIT; i++)
		ops.peers[i] = &nothing;
	if (kind == MSG_ROLE_AUDIT) {
		ops.supervisor_rules = fake_audit_rules;
		ops.supervisor_rules_n = 1;
	}
	if (kind == MSG_ROLE_CONTROL) {
		ops.supervisor_rules = fake_control_rules;
		ops.supervisor_rules_n = 2;
	}
	int status = role_run(&ops, &f, &clock);
	_exit(status); /* the FIFO's event outlives the base; nothing here is worth a leak check */
}

/* ---- the fake config child: "dir=... edges=... port=... " instead of a grammar ---- */

static int
fake_next(uint8_t *buf, struct wire_frame *frame)
{
	struct pollfd p = { .fd = ROLE_FD, .events = POLLIN };
	int r;
	while ((r = wire_recv(ROLE_FD, buf, frame)) == FG_EAGAIN)
		poll(&p, 1, -1);
	return r;
}

/* An edge that finds nothing wrong with its files; what it is handed comes in the order of a real one. */
static int
fake_try(void)
{
	static uint8_t buf[WIRE_FRAME_MAX];
	static const unsigned order[] = { MSG_BOOT, MSG_BOOT_FD, MSG_START };
	struct wire_frame frame;
	for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (fake_next(buf, &frame) || frame.type != order[i])
			return ROLE_EXIT_CONTRACT;
		wire_close_fds(&frame);
	}
	return 0;
}

static int
fake_config(void)
{
	static uint8_t buf[WIRE_FRAME_MAX];
	struct wire_frame frame;
	struct bundle *b;
	unsigned n, edges = 0, port = 0;
	char text[1024] = "", dir[128] = "", user[64] = "";
	struct msg_plan_end end = { .ok = true };
	if (fake_next(buf, &frame) || fake_next(buf, &frame) || bundle_open(frame.fds[0], &b))
		return 72;
	const struct bundle_file *files = bundle_files(b, &n);
	memcpy(text, files[0].text.p,
	       files[0].text.n < sizeof text ? files[0].text.n : sizeof text - 1);
	if (strstr(text, "silent"))
		return 0;
	if (sscanf(text, "dir=%127s edges=%u port=%u user=%63s", dir, &edges, &port, user) != 4) {
		msg_send(ROLE_FD, MSG_PLAN_ERROR,
			 &(struct msg_plan_error){.text = "fotagate.conf:1: nonsense"}, NULL, 0);
		end = (struct msg_plan_end){ .problems = 1 };
		msg_send(ROLE_FD, MSG_PLAN_END, &end, NULL, 0);
		return 0;
	}
	struct msg_plan plan = {
	    .edges = edges, .stop_ms = 2000, .unsafe_sandbox = true, .listeners_n = 1};
	snprintf(plan.data_dir, sizeof plan.data_dir, "%s", dir);
	snprintf(plan.keys_dir, sizeof plan.keys_dir, "%s/keys", dir);
	snprintf(plan.anchors_dir, sizeof plan.anchors_dir, "%s/keys/anchors", dir);
	snprintf(plan.run_dir, sizeof plan.run_dir, "%s/run", dir);
	char *users[] = { plan.user_edge, plan.user_upstream, plan.user_inspect, plan.user_control,
		plan.user_warden, plan.user_audit, plan.user_config };
	for (unsigned i = 0; i < 7; i++)
		snprintf(users[i], MSG_NAME_MAX, "%s", user);
	struct msg_plan_listener l = {
	    .name = "modules", .address = "127.0.0.1", .port = (uint16_t)port};
	if (strstr(text, "incomplete")) {
		snprintf(l.client_crl, sizeof l.client_crl, "%s/keys/nowhere.crl", dir);
		snprintf(l.psk, sizeof l.psk, "%s/keys/log.key", dir);
	}
	msg_send(ROLE_FD, MSG_PLAN, &plan, NULL, 0);
	msg_send(ROLE_FD, MSG_PLAN_LISTENER, &l, NULL, 0);
	while (fake_next(buf, &frame) == 0 && frame.type == MSG_BOOT_FD)
		end.have_genesis = true;
	msg_send(ROLE_FD, MSG_PLAN_END, &end, NULL, 0);
	return 0;
}

/* ---- the fake inspector: one letter on its channel says what to do ---- */

static int
fake_job(void)
{
	char how = 0;
	struct pollfd p = { .fd = ROLE_FD, .events = POLLIN };
	poll(&p, 1, -1);
	(void)!recv(ROLE_FD, &how, 1, 0);
	if (how == 's')
		pause();
	if (how == 'k')
		kill(getpid(), SIGSYS);
	return 7;
}

static int
fake_main(int argc, char **argv)
{
	static const struct {
		const char *arg;
		enum msg_role role;
		enum jail_role jail;
	} table[] = {
		{ "--role=edge", MSG_ROLE_EDGE, JAIL_EDGE },
		{ "--role=control", MSG_ROLE_CONTROL, JAIL_CONTROL },
		{ "--role=warden", MSG_ROLE_WARDEN, JAIL_WARDEN },
		{ "--role=audit", MSG_ROLE_AUDIT, JAIL_AUDIT },
	};
	(void)argc;
	if (strcmp(argv[1], "--role=edge-try") == 0)
		return fake_try();
	if (strcmp(argv[1], "--role=config") == 0)
		return fake_config();
	if (strcmp(argv[1], "--job") == 0 || strcmp(argv[1], "--role=upstream") == 0)
		return fake_job();
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(argv[1], table[i].arg) == 0)
			return fake_role(table[i].role, table[i].jail);
	return 2;
}

/* ======================= the test's side ======================= */

struct rig {
	char dir[64];
	char config[96];
	pid_t pid;
	char *seen; /* the trace so far */
	unsigned tickets_ms;
};

static void
nap(void)
{
	nanosleep(&(struct timespec){ 0, NAP_MS * 1000000L }, NULL);
}

static void
put(const char *dir, mode_t mode, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
set_config(struct rig *r, const char *extra, unsigned edges, unsigned port)
{
	char text[512];
	/* As root the roles become a user that exists everywhere and owns nothing. */
	snprintf(text, sizeof text, "dir=%s edges=%u port=%u user=nobody %s\n", r->dir, edges, port,
		 extra);
	put(r->dir, 0644, "fotagate.conf", text);
}

static int
setup(void **state)
{
	static const char *const names[] = {
		"edge0", "edge1", "control0", "warden0", "audit0",
	};
	struct rig *r = calloc(1, sizeof *r);
	assert_non_null(r);
	snprintf(r->dir, sizeof r->dir, "/tmp/fgsupXXXXXX");
	assert_non_null(mkdtemp(r->dir));
	chmod(r->dir, 0755);
	char path[128];
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/orders.%s", r->dir, names[i]);
		assert_int_equal(mkfifo(path, 0600), 0);
	}
	snprintf(path, sizeof path, "%s/keys", r->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	put(path, 0600, "log.key", "log");
	put(path, 0600, "cosign.key", "cosign");
	put(path, 0600, "epoch.key", "epoch");
	snprintf(path, sizeof path, "%s/authority", r->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put(path, 0644, "genesis.json", "{}");
	put(path, 0644, "genesis.sig.0", "sig");
	put(r->dir, 0644, "trace", "");
	snprintf(r->config, sizeof r->config, "%s/fotagate.conf", r->dir);
	set_config(r, "", 2, 0);
	*state = r;
	return 0;
}

static int
self_program(void)
{
	int fd = spawn_open("/proc/self/exe");
	assert_true(fd >= 0);
	return fd;
}

static struct supervisor_options
options(const struct rig *r, const struct clock_source *clock, int fd)
{
	static char dir[4096];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
	assert_true(n > 0);
	dir[n] = '\0';
	*strrchr(dir, '/') = '\0';
	return (struct supervisor_options){
	    .config = r->config,
	    .programs_dir = dir,
	    .self_fd = fd,
	    .warden_fd = fd,
	    .inspect_fd = fd,
	    .clock = clock,
	};
}

/* Runs the supervisor (or its check) in a process of its own. */
static pid_t
fork_supervisor(const struct rig *r, bool check)
{
	pid_t pid = fork();
	if (pid == 0) {
		char path[128];
		snprintf(path, sizeof path, "%s/stderr", r->dir);
		int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(log, 2);
		struct clock_source clock = clock_system();
		struct supervisor_options opt = options(r, &clock, self_program());
		opt.tickets_ms = r->tickets_ms;
		_exit(check ? supervisor_check(&opt) : supervisor_run(&opt));
	}
	assert_true(pid > 0);
	return pid;
}

static char *
slurp(const struct rig *r, const char *name)
{
	char path[128];
	char *text = calloc(1, TRACE_MAX);
	snprintf(path, sizeof path, "%s/%s", r->dir, name);
	FILE *f = fopen(path, "r");
	if (f) {
		(void)!fread(text, 1, TRACE_MAX - 1, f);
		fclose(f);
	}
	return text;
}

/* Where text first occurs in the trace as whole lines begin; waits for the count-th time. */
static const char *
wait_count(struct rig *r, const char *text, unsigned count)
{
	char line[256];
	snprintf(line, sizeof line, "\n%s", text);
	for (int ms = 0; ms < PATIENCE_MS; ms += NAP_MS, nap()) {
		free(r->seen);
		r->seen = slurp(r, "trace");
		memmove(r->seen + 1, r->seen, TRACE_MAX - 2);
		r->seen[0] = '\n';
		const char *at = r->seen;
		for (unsigned i = 0; i < count && at; i++)
			at = strstr(i ? at + 1 : at, line);
		if (at)
			return at + 1;
	}
	char *log = slurp(r, "stderr");
	fail_msg("\"%s\" did not happen %u times; trace:\n%s\nlog:\n%s", text, count, r->seen, log);
	return NULL;
}

static const char *
wait_for(struct rig *r, const char *text)
{
	return wait_count(r, text, 1);
}

static int
wait_exit(struct rig *r)
{
	int status = -1;
	for (int ms = 0; ms < PATIENCE_MS; ms += NAP_MS, nap())
		if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
			r->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
	fail_msg("the supervisor did not end:\n%s", slurp(r, "stderr"));
	return -1;
}

static void
start(struct rig *r)
{
	r->pid = fork_supervisor(r, false);
	/* They come up in any order. */
	wait_for(r, "audit0 append svc.start ok role:audit");
	wait_for(r, "audit0 append svc.start ok role:warden");
	wait_for(r, "audit0 append svc.start ok role:control");
	wait_for(r, "audit0 append svc.start ok role:edge[0]");
	wait_for(r, "audit0 append svc.start ok role:edge[1]");
}

static pid_t
pid_of(struct rig *r, const char *name, unsigned count)
{
	char text[64];
	int pid = 0;
	snprintf(text, sizeof text, "%s pid ", name);
	assert_int_equal(sscanf(wait_count(r, text, count) + strlen(text), "%d", &pid), 1);
	return pid;
}

static void
order(const struct rig *r, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/orders.%s", r->dir, name);
	int fd = open(path, O_WRONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	char cmd_path[128];
	if (r->pid > 0) {
		kill(r->pid, SIGTERM);
		if (wait_exit(r) != 0)
			return -1;
	}
	/* Only below our own mkdtemp folder. */
	pid_t rm = fork();
	snprintf(cmd_path, sizeof cmd_path, "%s", r->dir);
	if (rm == 0) {
		execlp("rm", "rm", "-rf", "--", cmd_path, NULL);
		_exit(127);
	}
	waitpid(rm, NULL, 0);
	free(r->seen);
	free(r);
	return 0;
}

static bool
exists(const struct rig *r, const char *name);

static void
wait_exists(const struct rig *r, const char *name)
{
	for (int ms = 0; ms < PATIENCE_MS && !exists(r, name); ms += NAP_MS)
		nap();
	assert_true(exists(r, name));
}

static bool
exists(const struct rig *r, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", r->dir, name);
	return access(path, F_OK) == 0;
}

/* ---- halt.sock ---- */

static int
halt_connect(const struct rig *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "%s/run/halt.sock", r->dir);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* Halts and waits for the answer; the time of the halt. */
static int64_t
halt(const struct rig *r)
{
	int fd = halt_connect(r);
	uint8_t *buf = malloc(WIRE_FRAME_MAX);
	struct wire_frame frame;
	struct msg_halt m = { .at = 12345, .by_uid = 4242 }; /* claims nobody listens to */
	assert_int_equal(msg_send(fd, MSG_HALT, &m, NULL, 0), 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(wire_recv(fd, buf, &frame), 0);
	assert_int_equal(frame.type, MSG_HALT);
	assert_int_equal(msg_decode(&frame, &m, sizeof m), 0);
	assert_int_equal(m.by_uid, geteuid());
	assert_true(m.at > 1000000000);
	close(fd);
	free(buf);
	return m.at;
}

/* ======================= the tests ======================= */

static void
test_start_wires_everybody_and_stops_in_order(void **state)
{
	struct rig *r = *state;
	start(r);
	static const char *const channels[] = {
	    "edge0 up control0",  "edge0 up audit0",   "edge0 up warden0",   "edge1 up control0",
	    "edge1 up audit0",	  "edge1 up warden0",  "control0 up audit0", "control0 up warden0",
	    "control0 up edge0",  "control0 up edge1", "warden0 up audit0",  "warden0 up control0",
	    "warden0 up edge0",	  "warden0 up edge1",  "audit0 up edge0",    "audit0 up edge1",
	    "audit0 up control0", "audit0 up warden0",
	};
	for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
		wait_for(r, channels[i]);
	assert_null(strstr(r->seen, "edge0 up edge1"));
	kill(r->pid, SIGTERM);
	assert_int_equal(wait_exit(r), 0);
	const char *edge0 = wait_for(r, "edge0 stop 2000"), *edge1 = strstr(r->seen, "edge1 stop");
	const char *control = strstr(r->seen, "control0 stop"),
		   *warden = strstr(r->seen, "warden0 stop");
	const char *audit = strstr(r->seen, "audit0 stop");
	assert_true(edge0 && edge1 && control && warden && audit);
	assert_true(edge0 < control && edge1 < control && control < warden && warden < audit);
	assert_false(exists(r, "run/control.sock"));
	assert_false(exists(r, "run/halt.sock"));
}

static void
test_a_dead_edge_comes_back_and_is_wired_again(void **state)
{
	struct rig *r = *state;
	start(r);
	kill(pid_of(r, "edge0", 1), SIGKILL);
	wait_for(r, "audit0 append svc.exit failed role:edge[0] by supervisor: killed by signal 9");
	wait_for(r, "control0 role-exit edge0 -9");
	wait_for(r, "control0 down edge0");
	pid_of(r, "edge0", 2);
	wait_count(r, "control0 up edge0", 2);
	wait_count(r, "audit0 up edge0", 2);
	wait_count(r, "warden0 up edge0", 2);
	wait_count(r, "edge0 up control0", 2);
	wait_count(r, "audit0 append svc.start ok role:edge[0]", 2);
}

static void
test_entries_wait_while_audit_is_away(void **state)
{
	struct rig *r = *state;
	start(r);
	kill(pid_of(r, "audit0", 1), SIGKILL);
	kill(pid_of(r, "control0", 1), SIGKILL);
	pid_of(r, "audit0", 2);
	/* Both deaths are told to the new audit, its own included. */
	wait_for(r, "audit0 append svc.exit failed role:audit by supervisor: killed by signal 9");
	wait_for(r, "audit0 append svc.exit failed role:control by supervisor: killed by signal 9");
	wait_count(r, "edge0 up audit0", 2);
	wait_count(r, "edge0 up control0", 2);
	wait_count(r, "warden0 up audit0", 2);
}

static void
test_exit_status_reaches_the_log(void **state)
{
	struct rig *r = *state;
	start(r);
	order(r, "control0", "exit 70");
	wait_for(r,
		 "audit0 append svc.exit failed role:control by supervisor: exited with status 70");
	pid_of(r, "control0", 2);
}

static void
test_sigsys_is_an_incident(void **state)
{
	struct rig *r = *state;
	start(r);
	kill(pid_of(r, "edge1", 1), SIGSYS);
	wait_for(r, "audit0 append svc.exit failed role:edge[1] by supervisor: INCIDENT");
}

static void
test_halt_works_with_control_and_audit_stopped(void **state)
{
	struct rig *r = *state;
	start(r);
	pid_t control = pid_of(r, "control0", 1), audit = pid_of(r, "audit0", 1);
	kill(control, SIGSTOP);
	kill(audit, SIGSTOP);
	int64_t at = halt(r);
	char text[64];
	snprintf(text, sizeof text, "edge0 halt %lld by %u", (long long)at, (unsigned)geteuid());
	wait_for(r, text);
	text[4] = '1';
	wait_for(r, text);
	assert_true(exists(r, "run/halted"));
	wait_exists(r, "halted");
	assert_null(strstr(r->seen, "control0 halt"));
	kill(control, SIGCONT);
	kill(audit, SIGCONT);
	wait_for(r, "control0 halt");
	wait_for(r, "audit0 append restrict.halt ok gateway by uid:");
	snprintf(text, sizeof text, "audit0 with halted_at %lld", (long long)at);
	wait_for(r, text);
	assert_null(strstr(r->seen, "warden0 halt"));
}

static void
test_an_edge_that_does_not_confirm_is_killed_and_comes_back_halted(void **state)
{
	struct rig *r = *state;
	start(r);
	kill(pid_of(r, "edge1", 1), SIGSTOP);
	halt(r);
	wait_for(r, "control0 role-exit edge1 -9");
	pid_of(r, "edge1", 2);
	wait_for(r, "edge1 halt");
}

static void
test_unhalt_only_of_this_halt_and_only_by_the_warden(void **state)
{
	struct rig *r = *state;
	char text[64];
	start(r);
	int64_t first = halt(r), at = halt(r);
	assert_true(at > first);
	/* An edge that tries breaks its contract and dies for it. */
	snprintf(text, sizeof text, "unhalt %lld", (long long)at);
	order(r, "edge0", text);
	wait_for(r, "audit0 append svc.exit failed role:edge[0] by supervisor: INCIDENT: broke the "
		    "message");
	/* The warden about the earlier halt: nothing happens. */
	snprintf(text, sizeof text, "unhalt %lld", (long long)first);
	order(r, "warden0", text);
	order(r, "control0", "exit 1"); /* something to wait for, after it */
	wait_for(r, "audit0 append svc.exit failed role:control");
	wait_exists(r, "halted");
	assert_null(strstr(r->seen, "unhalt"));
	pid_of(r, "edge0", 2);
	wait_count(r, "edge0 halt", 3);
	/* And about this one. */
	snprintf(text, sizeof text, "unhalt %lld", (long long)at);
	order(r, "warden0", text);
	wait_for(r, "edge1 unhalt");
	assert_false(exists(r, "halted"));
	assert_false(exists(r, "run/halted"));
	/* Within the same second: still a halt of its own, or what was signed against the first would end it. */
	assert_true(halt(r) > at);
}

static void
test_a_halt_survives_a_restart(void **state)
{
	struct rig *r = *state;
	start(r);
	int64_t at = halt(r);
	wait_exists(r, "halted");
	kill(r->pid, SIGTERM);
	assert_int_equal(wait_exit(r), 0);
	assert_true(exists(r, "halted"));
	r->pid = fork_supervisor(r, false);
	char text[64];
	snprintf(text, sizeof text, "edge0 halt %lld", (long long)at);
	wait_count(r, text, 2);
	snprintf(text, sizeof text, "control0 halt %lld", (long long)at);
	wait_count(r, text, 2);
}

static void
test_reload(void **state)
{
	struct rig *r = *state;
	char path[128];
	start(r);
	snprintf(path, sizeof path, "%s/profiles.d", r->dir);
	mkdir(path, 0755);
	put(path, 0644, "acme.conf", "anything");
	kill(r->pid, SIGHUP);
	wait_for(r, "edge0 reload 2 files");
	wait_for(r, "edge1 reload 2 files");
	wait_for(r, "control0 reload 2 files");
	wait_for(r, "audit0 append config.changed ok configuration");
	/* A role that does not take it is named. */
	set_config(r, "stubborn", 2, 0);
	kill(r->pid, SIGHUP);
	wait_for(r, "audit0 append config.changed failed edge by supervisor: I would rather not");
	wait_count(r, "audit0 append config.changed ok configuration", 2);
	wait_count(r, "edge0 reload", 2);
	/* Nor is one that takes it but for a part. */
	set_config(r, "choosy", 2, 0);
	kill(r->pid, SIGHUP);
	wait_for(r, "audit0 append config.changed failed edge by supervisor: all but one certificate");
	wait_count(r, "audit0 append config.changed ok configuration", 3);
	/* A file that is not there keeps no other back. */
	set_config(r, "incomplete choosy", 2, 0);
	kill(r->pid, SIGHUP);
	wait_for(r, "edge0 psk of listener 0");
	wait_count(r, "audit0 append config.changed ok configuration", 4);
	set_config(r, "choosy", 2, 0);
	kill(r->pid, SIGHUP);
	wait_count(r, "audit0 append config.changed ok configuration", 5);
	/* Nonsense and what needs a restart reach nobody. */
	put(r->dir, 0644, "fotagate.conf", "nonsense");
	kill(r->pid, SIGHUP);
	wait_count(r, "audit0 append config.changed failed configuration", 1);
	set_config(r, "", 2, 1);
	kill(r->pid, SIGHUP);
	wait_count(r, "audit0 append config.changed failed configuration", 2);
	set_config(r, "silent", 2, 0);
	kill(r->pid, SIGHUP);
	wait_count(r, "audit0 append config.changed failed configuration", 3);
	const char *sixth = strstr(wait_count(r, "edge0 reload", 5) + 1, "edge0 reload");
	assert_null(sixth);
	char *log = slurp(r, "stderr");
	assert_non_null(strstr(log, "a changed listener needs a restart"));
	assert_non_null(strstr(log, "fotagate.conf:1: nonsense"));
	free(log);
}

/* All edges get the same, again and again; what sealed last still opens. Nobody else gets any. */
static void
test_tickets(void **state)
{
	struct rig *r = *state;
	unsigned a[2], b[2];
	char line[64];
	r->tickets_ms = 200;
	start(r);
	const char *at = wait_count(r, "edge0 tickets", 1);
	assert_int_equal(sscanf(strstr(at, "tickets"), "tickets %x %x", &a[0], &a[1]), 2);
	at = wait_count(r, "edge0 tickets", 2);
	assert_int_equal(sscanf(strstr(at, "tickets"), "tickets %x %x", &b[0], &b[1]), 2);
	assert_int_equal(b[1], a[0]);
	/* Either may have come up a few rolls later than the other. */
	bool same = false;
	for (unsigned i = 1; !same && i < 50; i++) {
		at = wait_count(r, "edge1 tickets", i);
		snprintf(line, sizeof line, "edge0 %.21s", strstr(at, "tickets"));
		nap();
		same = strstr(r->seen, line) != NULL;
	}
	assert_true(same);
	char *trace = slurp(r, "trace");
	assert_null(strstr(trace, "control0 tickets"));
	assert_null(strstr(trace, "audit0 tickets"));
	free(trace);
}

/* Who took an edge over knows both: neither opens anything once that edge has died of it. */
static void
test_a_crashed_edge_takes_its_tickets_along(void **state)
{
	struct rig *r = *state;
	unsigned a[2], b[2];
	bool gone = false;
	r->tickets_ms = 300;
	start(r);
	const char *at = wait_count(r, "edge1 tickets", 1);
	assert_int_equal(sscanf(strstr(at, "tickets"), "tickets %x %x", &a[0], &a[1]), 2);
	kill(pid_of(r, "edge0", 1), SIGSYS);
	/* A roll keeps one of them. */
	for (unsigned i = 2; !gone && i < 20; i++) {
		at = wait_count(r, "edge1 tickets", i);
		assert_int_equal(sscanf(strstr(at, "tickets"), "tickets %x %x", &b[0], &b[1]), 2);
		gone = b[1] != a[0];
		memcpy(a, b, sizeof a);
	}
	assert_true(gone);
}

static void
test_jobs(void **state)
{
	struct rig *r = *state;
	start(r);
	order(r, "control0", "spawn 11 2 20000 x");
	wait_for(r, "control0 job-exit 11 started 1 timed-out 0 status 7");
	order(r, "control0", "spawn 12 2 50 s");
	wait_for(r, "control0 job-exit 12 started 1 timed-out 1 status -9");
	order(r, "control0", "spawn 13 1 20000 x");
	wait_for(r, "control0 job-exit 13 started 1 timed-out 0 status 7");
	order(r, "control0", "spawn 14 2 20000 k");
	wait_for(r, "control0 job-exit 14 started 1 timed-out 0 status -31");
	wait_for(r, "audit0 append svc.exit failed role:inspect by supervisor: INCIDENT");
	order(r, "control0", "spawn 15 2 20000 s");
	nap();
	order(r, "control0", "spawn 15 2 20000 x"); /* the same number again */
	wait_for(r, "control0 job-exit 15 started 0");
	order(r, "control0", "kill 15");
	wait_for(r, "control0 job-exit 15 started 1 timed-out 0 status -9");
}

static void
test_only_control_may_start_jobs(void **state)
{
	struct rig *r = *state;
	start(r);
	order(r, "edge0", "spawn 1 2 1000 x");
	wait_for(r, "control0 role-exit edge0 ");
	order(r, "audit0", "spawn 1 2 1000 x");
	pid_of(r, "audit0", 2);
}

static int
run_check(struct rig *r)
{
	r->pid = fork_supervisor(r, true);
	return wait_exit(r);
}

static void
test_check(void **state)
{
	struct rig *r = *state;
	char path[128];
	assert_int_equal(run_check(r), 0);
	snprintf(path, sizeof path, "%s/keys", r->dir);
	put(path, 0644, "log.key", "log");
	assert_int_equal(run_check(r), 1);
	char *log = slurp(r, "stderr");
	assert_non_null(strstr(log, "keys/log.key: is a secret that others could read"));
	free(log);
	put(path, 0600, "log.key", "log");
	put(r->dir, 0644, "fotagate.conf", "nonsense");
	assert_int_equal(run_check(r), 1);
	log = slurp(r, "stderr");
	assert_non_null(strstr(log, "fotagate.conf:1: nonsense"));
	free(log);
	chmod(r->config, 0666);
	assert_int_equal(run_check(r), 1);
	unlink(r->config);
	assert_int_equal(run_check(r), 1);
}

static void
test_start_refuses(void **state)
{
	struct rig *r = *state;
	char path[128];
	snprintf(path, sizeof path, "%s/authority/genesis.json", r->dir);
	unlink(path);
	r->pid = fork_supervisor(r, false);
	assert_int_equal(wait_exit(r), 1);
	char *log = slurp(r, "stderr");
	assert_non_null(strstr(log, "nothing is served before"));
	free(log);
	set_config(r, "silent", 2, 0);
	r->pid = fork_supervisor(r, false);
	assert_int_equal(wait_exit(r), 1);
}

static void
test_service_manager_is_told(void **state)
{
	struct rig *r = *state;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char got[4096] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s/notify", r->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	start(r);
	unsetenv("NOTIFY_SOCKET");
	kill(r->pid, SIGHUP);
	wait_for(r, "audit0 append config.changed ok configuration");
	kill(r->pid, SIGTERM);
	assert_int_equal(wait_exit(r), 0);
	char one[1024];
	ssize_t n;
	while ((n = recv(fd, one, sizeof one - 1, MSG_DONTWAIT)) > 0) {
		one[n] = '\0';
		strncat(got, one, sizeof got - strlen(got) - 2);
		strcat(got, "\n");
	}
	close(fd);
	const char *ready = strstr(got, "READY=1\n"),
		   *reloading = strstr(got, "RELOADING=1\nMONOTONIC_USEC=");
	assert_non_null(ready);
	assert_non_null(reloading);
	const char *again = strstr(reloading, "READY=1\n"), *stopping = strstr(got, "STOPPING=1");
	assert_true(again && stopping && ready < reloading && again < stopping);
}

int
main(int argc, char **argv)
{
	if (argc >= 2 && strncmp(argv[1], "--", 2) == 0)
		return fake_main(argc, argv);
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_start_wires_everybody_and_stops_in_order),
		T(test_a_dead_edge_comes_back_and_is_wired_again),
		T(test_entries_wait_while_audit_is_away),
		T(test_exit_status_reaches_the_log),
		T(test_sigsys_is_an_incident),
		T(test_halt_works_with_control_and_audit_stopped),
		T(test_an_edge_that_does_not_confirm_is_killed_and_comes_back_halted),
		T(test_unhalt_only_of_this_halt_and_only_by_the_warden),
		T(test_a_halt_survives_a_restart),
		T(test_reload),
		T(test_tickets),
		T(test_a_crashed_edge_takes_its_tickets_along),
		T(test_jobs),
		T(test_only_control_may_start_jobs),
		T(test_check),
		T(test_start_refuses),
		T(test_service_manager_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
