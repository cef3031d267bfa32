/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/hook/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/file/fdio.h"
#include "gateway/role/oplog.h"
#include "gateway/role/role.h"
#include "gateway/wire/memfd.h"
#include "gateway/wire/msg.h"

#define BOOT_MS 10000   /* control asks at once or not at all */
#define ANSWER_MS 60000 /* it may be busy with its database; not for ever */
#define PROGRAM_FD 3    /* in the program's process; a script is opened by this number */
#define EXIT_NO_EXEC 126

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct running {
	struct msg_hook m;
	int facts, program; /* descriptors; program can be executed */
	pid_t pid;
	int pidfd, out, err;
	char text[MSG_HOOK_ANSWER_MAX + 1]; /* one more tells that it is too long */
	size_t n;
	char said[MSG_HOOK_SAID_MAX];
	size_t said_n;
	bool overlong;
};

/* ---- the question ---- */

/* What travels cannot be executed: a copy that can, and that nobody writes any more. */
static int
executable(int sealed)
{
	struct view bytes;
	int err = memfd_map(sealed, MSG_HOOK_PROGRAM_MAX, &bytes);
	if (err)
		return err;
	int fd = memfd_create("hook", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("hook", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	err = fd < 0 ? FG_EIO : fdio_write(fd, bytes);
	if (!err)
		err = memfd_seal(fd);
	memfd_unmap(bytes);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static int
receive(struct running *r)
{
	uint8_t *buf = malloc(WIRE_FRAME_MAX);
	struct pollfd p = { .fd = HOOK_FD, .events = POLLIN };
	struct wire_frame frame;
	int err = !buf ? FG_ENOMEM : poll(&p, 1, BOOT_MS) == 1 ? wire_recv(HOOK_FD, buf, &frame) : FG_ENOTFOUND;
	if (err) {
		free(buf);
		return err;
	}
	err = frame.type == MSG_HOOK ? msg_decode(&frame, &r->m, sizeof r->m) : FG_EPEER;
	if (!err) {
		r->facts = wire_take_fd(&frame, 0);
		r->program = executable(frame.fds[1]);
		err = r->program < 0 ? r->program : memfd_is_sealed(r->facts) ? FG_OK : FG_EPEER;
	}
	wire_close_fds(&frame);
	free(buf);
	return err;
}

/* ---- the program ---- */

static bool
limit(__rlimit_resource_t what, uint64_t most)
{
	struct rlimit now, set;
	if (getrlimit(what, &now))
		return false;
	set.rlim_cur = set.rlim_max = most < now.rlim_max ? (rlim_t)most : now.rlim_max;
	return setrlimit(what, &set) == 0;
}

/* Between fork and exec. */
static void __attribute__((noreturn))
become(const struct running *r, const int out[2], const int err[2])
{
	static const char *const argv[] = { "hook", NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/", NULL };
	static const char no_exec[] = "the program could not be executed: ";
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigaction(SIGPIPE, &dfl, NULL);
	/* A file of no bytes may be written: that is none. The filter lets a program lower these, never raise them. */
	bool good = dup2(r->facts, 0) == 0 && lseek(0, 0, SEEK_SET) == 0 && dup2(out[1], 1) == 1 && dup2(err[1], 2) == 2 &&
	    dup2(r->program, PROGRAM_FD) == PROGRAM_FD && !syscall(SYS_close_range, PROGRAM_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) &&
	    chdir("/") == 0 && limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NOFILE, HOOK_FILES_MAX) &&
	    limit(RLIMIT_NPROC, HOOK_TASKS_MAX) && limit(RLIMIT_CPU, (uint64_t)r->m.seconds + 1) &&
	    limit(RLIMIT_MEMLOCK, 0) && limit(RLIMIT_AS, (uint64_t)r->m.memory_mib << 20);
	if (good)
		syscall(SYS_execveat, PROGRAM_FD, "", argv, env, AT_EMPTY_PATH);
	const char *why = strerrordesc_np(errno);
	/* Nobody reads more of it than this. */
	if (write(2, no_exec, sizeof no_exec - 1) > 0 && why && write(2, why, strlen(why)) > 0)
		_exit(EXIT_NO_EXEC);
	_exit(EXIT_NO_EXEC);
}

static int
start(struct running *r)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	/* Above what the child rearranges. */
	bool good = pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(err, O_CLOEXEC | O_NONBLOCK) == 0;
	/* The program's ends block, as any program expects. */
	good = good && fcntl(out[1], F_SETFL, 0) == 0 && fcntl(err[1], F_SETFL, 0) == 0;
	r->pid = good ? fork() : -1;
	if (r->pid == 0)
		become(r, out, err);
	if (r->pid > 0)
		r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0U);
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	r->out = out[0];
	r->err = err[0];
	return r->pid > 0 && r->pidfd >= 0 ? FG_OK : FG_EIO;
}

/* False at its end. */
static bool
drain(int fd, char *to, size_t cap, size_t *n)
{
	char rest[512];
	for (;;) {
		bool room = *n < cap;
		ssize_t got = read(fd, room ? to + *n : rest, room ? cap - *n : sizeof rest);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		if (room)
			*n += (size_t)got;
		else
			return true; /* no hurry to read what nobody wants */
	}
}

/* Until the program has ended or written too much; control's going ends us all. */
static int
follow(struct running *r)
{
	struct pollfd p[4] = { { .fd = r->pidfd, .events = POLLIN }, { .fd = r->out, .events = POLLIN },
		{ .fd = r->err, .events = POLLIN }, { .fd = HOOK_FD, .events = 0 } };
	for (;;) {
		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return FG_EIO;
		if (p[3].revents)
			kill(0, SIGKILL); /* and so itself */
		bool ended = p[0].revents != 0;
		if (p[1].fd >= 0 && !drain(r->out, r->text, sizeof r->text, &r->n))
			p[1].fd = -1;
		if (p[2].fd >= 0 && !drain(r->err, r->said, sizeof r->said - 1, &r->said_n))
			p[2].fd = -1;
		r->overlong = r->n > MSG_HOOK_ANSWER_MAX;
		if (ended || r->overlong)
			return FG_OK;
	}
}

/* ---- the answer ---- */

static int
answer(struct running *r)
{
	struct msg_hooked m = { .job = r->m.job, .outcome = r->overlong ? MSG_HOOK_OVERLONG : MSG_HOOK_ENDED };
	struct pollfd p = { .fd = HOOK_FD, .events = POLLOUT };
	int status, fd = -1, err = FG_OK;
	if (!r->overlong) {
		if (waitpid(r->pid, &status, 0) != r->pid)
			return FG_EIO;
		m.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	}
	r->said[strcspn(r->said, "\n")] = '\0'; /* its first line is for the sentence that people read */
	visible_cstr(view_str(r->said), m.said, sizeof m.said);
	if (!r->overlong && r->n > 0) {
		m.have_answer = true;
		fd = memfd_sealed("fotagate-hook-answer", view_of(r->text, r->n));
		err = fd < 0 ? fd : FG_OK;
	}
	while (!err && (err = msg_send(HOOK_FD, MSG_HOOKED, &m, &fd, m.have_answer)) == FG_EAGAIN)
		err = poll(&p, 1, ANSWER_MS) == 1 ? FG_OK : FG_EIO;
	return err;
}

int
hook_main(const struct jail_options *opt)
{
	struct running *r = malloc(sizeof *r);
	char why[256];
	if (!r)
		return ROLE_EXIT_FAILED;
	*r = (struct running){ .facts = -1, .program = -1, .pidfd = -1 };
	if (jail_enter(JAIL_HOOK, NULL, opt, NULL, why, sizeof why)) {
		oplog(OPLOG_ERR, "the jail could not be entered: %s", why);
		free(r);
		return ROLE_EXIT_SANDBOX;
	}
	int err = receive(r);
	if (!err)
		err = start(r);
	if (!err)
		err = follow(r);
	if (!err)
		err = answer(r);
	free(r);
	if (err && err != FG_ENOTFOUND)
		oplog(OPLOG_ERR, "hook: %s", err_name(err));
	return err == FG_EPEER ? ROLE_EXIT_CONTRACT : err ? ROLE_EXIT_FAILED : 0;
}
