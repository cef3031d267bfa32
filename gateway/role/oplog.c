/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/oplog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048 /* journald's own lines go to 48 KiB; nobody reads those */

static enum oplog_level
threshold(void)
{
	const char *s = secure_getenv("FOTAGATE_LOG_LEVEL");
	if (s && s[0] >= '0' + OPLOG_ERR && s[0] <= '0' + OPLOG_DEBUG && !s[1])
		return (enum oplog_level)(s[0] - '0');
	return OPLOG_INFO;
}

/* A line break would let a text forge a line of its own, an escape a terminal's. */
static void
plain(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e)
			s[i] = '?';
}

void
oplog(enum oplog_level level, const char *fmt, ...)
{
	int saved = errno;
	if (level > threshold()) {
		errno = saved;
		return;
	}
	char line[LINE_MAX_BYTES];
	/* The process's own name for itself, as role_run() and main() set it. */
	int head =
	    snprintf(line, sizeof line, "<%d>%s: ", (int)level, program_invocation_short_name);
	if (head < 0 || (size_t)head >= sizeof line - 2)
		head = 0;
	va_list ap;
	va_start(ap, fmt);
	errno = saved; /* for %m */
	int body = vsnprintf(line + head, sizeof line - (size_t)head - 1, fmt, ap);
	va_end(ap);
	size_t n = (size_t)head + (body < 0 ? 0 : (size_t)body);
	if (n > sizeof line - 2)
		n = sizeof line - 2;
	plain(line, n);
	line[n++] = '\n';
	/* One write, so that lines of several roles on one descriptor stay whole. */
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
	errno = saved;
}
