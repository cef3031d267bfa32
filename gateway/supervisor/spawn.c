/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/role.h"

#define SPAWN_EXIT_NO_START 127
#define FIRST_SAFE_FD 10 /* above anything the child rearranges */
#define ENV_MAX 8

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2) /* Linux 5.11 */
#endif

/* All a role inherits of the environment. */
static const char *const kept[] = {
	"FOTAGATE_LOG_LEVEL", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
};

int
spawn_open(const char *path)
{
	int low = open(path, O_PATH | O_CLOEXEC);
	if (low < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	int fd = fcntl(low, F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
	close(low);
	return fd < 0 ? FG_EIO : fd;
}

/* Pointers into our own environment; made before fork, where allocation would still be legal. */
static void
keep_environment(char *env[ENV_MAX])
{
	unsigned n = 0;
	for (char **e = environ; e && *e; e++)
		for (size_t i = 0; i < sizeof kept / sizeof kept[0] && n < ENV_MAX - 1; i++) {
			size_t len = strlen(kept[i]);
			if (strncmp(*e, kept[i], len) == 0 && (*e)[len] == '=')
				env[n++] = *e;
		}
	env[n] = NULL;
}

/* Between fork and exec: only async-signal-safe calls. */
static void __attribute__((noreturn))
become(const struct spawn *s, char *const env[])
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;
	sigemptyset(&none);
	sigaction(SIGPIPE, &dfl, NULL); /* an ignored signal would stay ignored */
	sigprocmask(SIG_SETMASK, &none, NULL);
	int channel = fcntl(s->channel, F_DUPFD, FIRST_SAFE_FD);
	int null = open("/dev/null", O_RDWR);
	/* Everything else only lives until exec; the program's own descriptor must live until then. */
	if (channel < 0 || null < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0 ||
	    dup2(channel, ROLE_FD) < 0 ||
	    syscall(SYS_close_range, ROLE_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC))
		_exit(SPAWN_EXIT_NO_START);
	if (s->group && setpgid(0, 0))
		_exit(SPAWN_EXIT_NO_START);
	if (s->drop && unshare(CLONE_NEWNET) && !s->netns_optional)
		_exit(SPAWN_EXIT_NO_START);
	if (s->drop && (setgroups(0, NULL) || setresgid(s->gid, s->gid, s->gid) ||
			   setresuid(s->uid, s->uid, s->uid)))
		_exit(SPAWN_EXIT_NO_START);
	syscall(SYS_execveat, s->program, "", s->argv, env, AT_EMPTY_PATH);
	_exit(SPAWN_EXIT_NO_START);
}

pid_t
spawn_process(const struct spawn *s)
{
	char *env[ENV_MAX];
	keep_environment(env);
	pid_t pid = fork();
	if (pid == 0)
		become(s, env);
	return pid < 0 ? FG_EIO : pid;
}
