/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "crypto/wipe.h"

/* A line without its end; byte by byte, so that nothing of it stays in a buffer. False: none, or too long. */
static bool
line(int fd, char dst[CLI_PASSWORD_CAP])
{
	size_t n = 0;
	char c = 0;
	ssize_t got;
	while ((got = read(fd, &c, 1)) == 1 || (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		if (c == '\n')
			break;
		if (c == '\0' || n == CLI_PASSWORD_CAP - 1)
			return false;
		dst[n++] = c;
	}
	if (n && dst[n - 1] == '\r')
		n--;
	dst[n] = '\0';
	return got >= 0 && n > 0;
}

static bool
ask(const char *what, char dst[CLI_PASSWORD_CAP])
{
	struct termios was, quiet;
	if (tcgetattr(STDIN_FILENO, &was))
		return false;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet))
		return false;
	fprintf(stderr, "%s: ", what);
	bool good = line(STDIN_FILENO, dst);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	fputc('\n', stderr);
	return good;
}

static int
from_terminal(const struct cli_common *c, char dst[CLI_PASSWORD_CAP])
{
	char again[CLI_PASSWORD_CAP];
	bool good = ask("password", dst) && ask("once more", again);
	bool same = good && strcmp(dst, again) == 0;
	wipe(again, sizeof again);
	if (!good)
		return cli_opt_fail(c, CLI_USAGE, "USAGE", NULL, "no password was typed, or it is too long");
	return same ? 0 : cli_opt_fail(c, CLI_USAGE, "USAGE", NULL, "those were two different ones");
}

int
cli_password(const struct cli_common *c, const char *file, char dst[CLI_PASSWORD_CAP])
{
	dst[0] = '\0';
	if (!file && isatty(STDIN_FILENO))
		return from_terminal(c, dst);
	int fd = file && strcmp(file, "-") != 0 ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (fd < 0)
		return cli_opt_fail(c, CLI_USAGE, "USAGE", NULL, "%s: %s", file, strerror(errno));
	bool good = line(fd, dst);
	if (fd != STDIN_FILENO)
		close(fd);
	return good ? 0 : cli_opt_fail(c, CLI_USAGE, "USAGE", NULL, "%s has no password in its first line, or too long a one",
	    file ? file : "standard input");
}
