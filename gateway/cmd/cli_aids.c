/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_aids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_job.h"
#include "gateway/wire/memfd.h"
#include "images/aids.h"
#include "images/own.h"

#define RULES_FD 3
#define SAID_MAX 300 /* "LINE SENTENCE" */
#define EXIT_NO_START 127
#define INSPECT_NO_RULES 75 /* fotagate-inspect(8) */

enum exit { EXIT_USAGE = 2, EXIT_COULD_NOT = 3 };

static int
complain(int status, const char *what, const char *why)
{
	fprintf(stderr, "fotagate: %s: %s\n", what, why);
	return status;
}

/* Between fork and exec: only async-signal-safe calls. */
static void __attribute__((noreturn)) become(const char *program, int rules, int out)
{
	char *const argv[] = {(char[]){"fotagate-inspect"}, (char[]){"--check-rules"}, NULL};
	char *const env[] = {NULL};
	int null = open("/dev/null", O_RDWR), high = fcntl(rules, F_DUPFD, RULES_FD + 1),
	    answer = fcntl(out, F_DUPFD, RULES_FD + 1);
	if (null < 0 || high < 0 || answer < 0 || dup2(null, 0) < 0 || dup2(answer, 1) < 0 ||
	    dup2(high, RULES_FD) < 0 || syscall(SYS_close_range, RULES_FD + 1, ~0U, 0))
		_exit(EXIT_NO_START);
	execve(program, argv, env);
	_exit(EXIT_NO_START);
}

static void
hear(int fd, char said[SAID_MAX])
{
	size_t n = 0;
	ssize_t k;
	while (n < SAID_MAX - 1 &&
	       ((k = read(fd, said + n, SAID_MAX - 1 - n)) > 0 || (k < 0 && errno == EINTR)))
		n += k > 0 ? (size_t)k : 0;
	said[n] = '\0';
}

/* Its exit status, or FG_EIO, FG_ENOTFOUND; what it said is hostile. */
static int
ask(int rules, char said[SAID_MAX])
{
	char program[4200];
	int out[2], status = 0;
	if (!cli_job_program(program, sizeof program))
		return FG_ENOTFOUND;
	if (pipe2(out, O_CLOEXEC))
		return FG_EIO;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		become(program, rules, out[1]);
	close(out[1]);
	if (pid > 0)
		hear(out[0], said);
	close(out[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return FG_EIO;
	if (pid < 0)
		return FG_EIO;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
check_rules(const char *path, struct view rules)
{
	char said[SAID_MAX] = "", why[4 * SAID_MAX], where[4352];
	int fd = memfd_sealed("rules", rules);
	if (fd < 0)
		return complain(EXIT_COULD_NOT, path, err_name(fd));
	int rc = ask(fd, said);
	close(fd);
	if (rc == 0)
		return 0;
	if (rc != INSPECT_NO_RULES)
		return complain(EXIT_COULD_NOT, "fotagate-inspect",
				rc == FG_ENOTFOUND ? "not beside this program"
				: rc < 0	   ? err_name(rc)
						   : "it could not compile the rules");
	char *sentence = said;
	unsigned long line = strtoul(said, &sentence, 10);
	visible_cstr(view_str(*sentence == ' ' ? sentence + 1 : sentence), why, sizeof why);
	snprintf(where, sizeof where, line ? "%.4000s:%lu" : "%.4000s", path, line);
	return complain(EXIT_USAGE, where, why);
}

static int
read_file(const char *path, size_t max, uint8_t **ret, struct view *ret_view)
{
	size_t n = 0;
	int err = cli_file_read(NULL, path, max, ret, &n);
	if (!err) {
		*ret_view = view_of(*ret, n);
		return 0;
	}
	char why[80];
	snprintf(why, sizeof why, "longer than %zu bytes", max);
	return complain(err == FG_ELIMIT ? EXIT_USAGE : EXIT_COULD_NOT, path,
			err == FG_EIO	   ? strerror(errno)
			: err == FG_ELIMIT ? why
			: err == FG_EINVAL ? "not a regular file"
					   : err_name(err));
}

static int
load_rules(const char *path, uint8_t **bytes, struct aids *a, struct report_asked *asked)
{
	if (!path)
		return 0;
	int status = read_file(path, AIDS_RULES_MAX, bytes, &a->rules);
	if (!status && a->rules.n == 0)
		status = complain(EXIT_USAGE, path, "empty");
	if (!status)
		status = check_rules(path, a->rules);
	if (!status && digest_sha256(a->rules, asked->rules))
		status = complain(EXIT_COULD_NOT, path, err_name(FG_ECRYPTO));
	asked->have_rules = !status;
	return status;
}

static int
load_own(const char *path, uint8_t **bytes, struct aids *a, struct report_asked *asked)
{
	struct own *own = NULL;
	unsigned line = 0;
	char where[4352];
	if (!path)
		return 0;
	int status = read_file(path, AIDS_OWN_MAX, bytes, &a->own);
	if (status)
		return status;
	int err = own_parse(a->own, &own, &line);
	snprintf(where, sizeof where, "%.4000s:%u", path, line);
	if (!err && own_prints(own) == 0)
		status = complain(EXIT_USAGE, path, "names nobody");
	own_free(own);
	if (err == FG_EFORMAT)
		return complain(EXIT_USAGE, where, "neither digits of an identity, nor a MAC address, nor a SHA-256 in hex");
	if (err == FG_ELIMIT)
		return complain(EXIT_USAGE, where, "more identities than can be looked for");
	if (!err && !status)
		err = digest_sha256(a->own, asked->own);
	if (err)
		return complain(EXIT_COULD_NOT, path, err_name(err));
	asked->have_own = !status;
	return status;
}

int
cli_aids_load(const struct cli_aids_asked *q, int *ret_fd, struct report_asked *asked)
{
	struct aids a = {0};
	struct writer w;
	uint8_t *rules = NULL, *own = NULL;
	int status = load_rules(q->rules, &rules, &a, asked);
	*ret_fd = -1;
	if (!status)
		status = load_own(q->own, &own, &a, asked);
	if (!status && (q->rules || q->own)) {
		writer_init(&w, AIDS_MAX);
		aids_write(&a, &w);
		int err = writer_err(&w);
		*ret_fd = err ? err : memfd_sealed("aids", writer_view(&w));
		writer_free(&w);
		if (*ret_fd < 0)
			status = complain(EXIT_COULD_NOT, "memory", err_name(*ret_fd));
	}
	free(rules);
	free(own);
	return status;
}
