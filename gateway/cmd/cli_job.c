/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"
#include "images/explain.h"

#define PROGRAM "fotagate-inspect"
#define CHANNEL 3
#define EXIT_NO_START 127
#define WALL_BASE 60
#define WALL_BYTES (16u << 20)
#define WATCH_MS 500 /* between two lines of progress on a terminal */
#define NAP_MS 5 /* between two looks at a process that has closed its channel */

unsigned
cli_job_wall(unsigned asked, uint64_t bytes)
{
	uint64_t by_size = WALL_BASE + bytes / WALL_BYTES;
	if (asked)
		return asked;
	return by_size < CLI_JOB_WALL_MAX ? (unsigned)by_size : CLI_JOB_WALL_MAX;
}

struct running {
	pid_t pid;
	int sock;
	int64_t deadline_ms;
	unsigned wall_seconds;
	uint8_t *buf;
	int64_t begin_ms, told_ms;
	int out_fd; /* what it writes to; -1: none */
};

static int64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool
cli_job_program(char *dst, size_t cap)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return false;
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	if (!slash)
		return false;
	slash[1] = '\0';
	return snprintf(dst, cap, "%s" PROGRAM, self) < (int)cap && access(dst, X_OK) == 0;
}

/* Between fork and exec: only async-signal-safe calls. */
static void __attribute__((noreturn))
become(const char *program, int sock)
{
	char *const argv[] = { (char[]){ PROGRAM }, (char[]){ "--job" }, NULL };
	char *const env[] = { NULL };
	int null = open("/dev/null", O_RDWR);
	int high = fcntl(sock, F_DUPFD, 10); /* out of the way of 0 to 3 */
	if (null < 0 || high < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0 ||
	    dup2(high, CHANNEL) < 0 || syscall(SYS_close_range, CHANNEL + 1, ~0U, 0))
		_exit(EXIT_NO_START);
	execve(program, argv, env);
	_exit(EXIT_NO_START);
}

static void __attribute__((format(printf, 3, 4)))
ended(struct report_reply *r, enum report_end end, const char *fmt, ...)
{
	va_list ap;
	r->end = end;
	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof r->detail, fmt, ap);
	va_end(ap);
}

/* The reply's memfd; the frame's descriptors stay with the caller. */
static void
take_reply(const struct msg_inspect *asked, struct wire_frame *frame, struct cli_job *ret)
{
	struct msg_inspected m;
	if (frame->type != MSG_INSPECTED || msg_decode(frame, &m, sizeof m) ||
	    m.job != asked->job || m.stage != asked->stage) {
		ended(&ret->reply, REPORT_END_MALFORMED, "not the message that was due");
		return;
	}
	int err = memfd_map(frame->fds[0], REPORT_MAX, &ret->map);
	if (err == FG_ELIMIT)
		ended(&ret->reply, REPORT_END_OVERLONG, "empty, or longer than %u bytes",
		    REPORT_MAX);
	else if (err)
		ended(&ret->reply, REPORT_END_MALFORMED, "the report is not in a sealed memfd");
	else
		ret->reply = (struct report_reply){ .end = REPORT_END_REPLIED, .text = ret->map };
}

/*
 * How far it is, on a terminal. Read off the file that it writes to: a process that reads
 * hostile bytes has nothing to say to a terminal.
 */
static void
watch(struct running *p, uint8_t stage)
{
	static const char *const names[MSG_STAGE_LIMIT] = {
		[MSG_STAGE_VERIFY] = "verifying", [MSG_STAGE_EXPLAIN] = "comparing", [MSG_STAGE_DELTA] = "applying",
	};
	int64_t now = now_ms();
	struct stat st;
	if (!isatty(STDERR_FILENO) || now - p->told_ms < WATCH_MS)
		return;
	p->told_ms = now;
	fprintf(stderr, "\r\033[Kfotagate: %s, %lld s", names[stage], (long long)(now - p->begin_ms) / 1000);
	if (p->out_fd >= 0 && fstat(p->out_fd, &st) == 0)
		fprintf(stderr, ", %lld MiB unpacked", (long long)st.st_size >> 20);
	fflush(stderr);
}

/* Reads until the inspector hangs up. False when there is nothing more to wait for. */
static bool
listen_once(struct running *p, const struct msg_inspect *asked, bool *heard,
    struct cli_job *ret)
{
	struct wire_frame frame;
	int err = wire_recv(p->sock, p->buf, &frame);
	if (err == FG_EAGAIN) {
		int64_t left = p->deadline_ms - now_ms();
		struct pollfd pfd = { .fd = p->sock, .events = POLLIN };
		/* A signal (SIGCONT) is no reason to give an image up. */
		if (left > 0 && (poll(&pfd, 1, (int)(left < WATCH_MS ? left : WATCH_MS)) >= 0 || errno == EINTR)) {
			watch(p, asked->stage);
			return true;
		}
		ended(&ret->reply, REPORT_END_TIMEOUT, "no end after %u s", p->wall_seconds);
		return false;
	}
	if (err == FG_EPEER)
		ended(&ret->reply, REPORT_END_MALFORMED, "not a frame of ours");
	if (err)
		return false;
	if (*heard) {
		ended(&ret->reply, REPORT_END_TRAILING, "a second message after the report");
		wire_close_fds(&frame);
		return false;
	}
	*heard = true;
	take_reply(asked, &frame, ret);
	wire_close_fds(&frame);
	return ret->reply.end == REPORT_END_REPLIED;
}

/* Waits until the deadline, then kills. A reply does not excuse how its sender died. */
static void
reap(const struct running *p, struct report_reply *r, bool told)
{
	int status = 0;
	pid_t got;
	/* What was refused already needs no patience. */
	if (told)
		kill(p->pid, SIGKILL);
	while ((got = waitpid(p->pid, &status, told ? 0 : WNOHANG)) == 0 ||
	       (got < 0 && errno == EINTR)) {
		if (now_ms() >= p->deadline_ms) {
			ended(r, REPORT_END_TIMEOUT, "no end after %u s", p->wall_seconds);
			told = true;
			kill(p->pid, SIGKILL);
		} else if (!told) {
			poll(NULL, 0, NAP_MS);
		}
	}
	if (told)
		return;
	if (WIFSIGNALED(status))
		ended(r, REPORT_END_CRASHED, "signal %d%s", WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? ", a system call its jail forbids" : "");
	else if (WEXITSTATUS(status) != 0)
		ended(r, REPORT_END_FAILED, "exit status %d", WEXITSTATUS(status));
	else if (r->end != REPORT_END_REPLIED)
		ended(r, REPORT_END_FAILED, "it ended without a report");
}

int
cli_job_run(const struct msg_inspect *m, const int *fds, unsigned fds_n, unsigned wall_seconds,
    struct cli_job *ret)
{
	char program[4200];
	int pair[2];
	bool heard = false;
	struct running p = { .wall_seconds = wall_seconds, .out_fd = m->have_target ? fds[fds_n - 1 - m->have_aids] : -1 };
	*ret = (struct cli_job){ 0 };
	if (!cli_job_program(program, sizeof program))
		return FG_ENOTFOUND;
	p.buf = malloc(WIRE_FRAME_MAX);
	if (!p.buf)
		return FG_ENOMEM;
	int err = wire_pair(pair);
	if (err) {
		free(p.buf);
		return err;
	}
	p.pid = fork();
	if (p.pid == 0)
		become(program, pair[1]);
	close(pair[1]);
	p.sock = pair[0];
	p.begin_ms = p.told_ms = now_ms();
	p.deadline_ms = p.begin_ms + (int64_t)wall_seconds * 1000;
	if (p.pid < 0)
		err = FG_EIO;
	/* An inspector that is gone already is seen below. */
	if (!err && msg_send(p.sock, MSG_INSPECT, m, fds, fds_n) == 0)
		while (listen_once(&p, m, &heard, ret))
			;
	if (!err)
		reap(&p, &ret->reply,
		    ret->reply.end != REPORT_END_REPLIED && ret->reply.end != REPORT_END_FAILED);
	if (p.told_ms != p.begin_ms) /* the line of progress goes */
		fputs("\r\033[K", stderr);
	close(p.sock);
	free(p.buf);
	return err;
}

static int
scratch_open(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && dir[0] == '/' ? dir : "/var/tmp", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : memfd_open("scratch");
}

static uint64_t
size_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

int
cli_job_explain(uint64_t job, int new_fd, int old_fd, int aids_fd, int64_t at, unsigned asked, struct cli_job *ret)
{
	const struct msg_inspect m = { .job = job,
		.stage = MSG_STAGE_EXPLAIN,
		.have_old = true,
		.have_target = true,
		.have_aids = aids_fd >= 0,
		.at = at,
		.target_max = EXPLAIN_SCRATCH_MAX };
	const int fds[] = { new_fd, old_fd, scratch_open(), aids_fd };
	if (fds[2] < 0)
		return fds[2];
	/* What comes out of packed parts is read as well, and is not known before. */
	int err = cli_job_run(&m, fds, 3 + m.have_aids, cli_job_wall(asked, 8 * (size_of(new_fd) + size_of(old_fd))), ret);
	close(fds[2]);
	return err;
}

void
cli_job_end(struct cli_job *job)
{
	memfd_unmap(job->map);
	*job = (struct cli_job){ 0 };
}
