/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_job.h"
#include "gateway/cmd/cli_opt.h"

#define EXIT_NO_START 127

/* Between fork and exec: only async-signal-safe calls. */
static void __attribute__((noreturn))
become(const char *program, char *mode, char *word, const int *fd, unsigned n, int out)
{
	char *const argv[] = { (char[]){ "fotagate-inspect" }, mode, word, NULL };
	char *const env[] = { NULL };
	const int beyond = CLI_TOOL_FIRST + CLI_TOOL_FDS;
	int high[CLI_TOOL_FDS], null = open("/dev/null", O_RDWR), answer = fcntl(out, F_DUPFD, beyond);
	bool ok = null >= 0 && answer >= 0;
	for (unsigned i = 0; i < n; i++)
		ok = (high[i] = fcntl(fd[i], F_DUPFD, beyond)) >= 0 && ok;
	for (unsigned i = 0; i < n; i++)
		ok = ok && dup2(high[i], CLI_TOOL_FIRST + (int)i) >= 0;
	if (!ok || dup2(null, 0) < 0 || dup2(answer, 1) < 0 || syscall(SYS_close_range, CLI_TOOL_FIRST + n, ~0U, 0))
		_exit(EXIT_NO_START);
	execve(program, argv, env);
	_exit(EXIT_NO_START);
}

static size_t
hear(int fd, uint8_t *buf, size_t cap)
{
	size_t n = 0;
	while (n < cap) {
		ssize_t k = read(fd, buf + n, cap - n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		n += (size_t)k;
	}
	return n;
}

int
cli_tool_run(const char *mode, const char *word, const int *fd, unsigned n, uint8_t *said, size_t cap, size_t *ret_n)
{
	char program[CLI_OPT_PATH_MAX], arg[2][32];
	int out[2], status;
	if (n > CLI_TOOL_FDS)
		abort();
	if (!cli_job_program(program, sizeof program))
		return FG_ENOTFOUND;
	snprintf(arg[0], sizeof arg[0], "%s", mode);
	snprintf(arg[1], sizeof arg[1], "%s", word);
	if (pipe2(out, O_CLOEXEC))
		return FG_EIO;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		become(program, arg[0], arg[1], fd, n, out[1]);
	close(out[1]);
	*ret_n = pid < 0 ? 0 : hear(out[0], said, cap);
	close(out[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return FG_EIO;
	if (pid < 0)
		return FG_EIO;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
