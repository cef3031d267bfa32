/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX 512

static int
connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	/* A path or, with '@' for the leading NUL, an abstract name; nothing else is in the protocol. */
	if ((path[0] != '/' && path[0] != '@') || n < 2 || n >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (connect(fd, (struct sockaddr *)&a, len) == 0)
		return fd;
	close(fd);
	return -1;
}

static int64_t
number(const char *s)
{
	if (!s || !s[0])
		return 0;
	char *end;
	errno = 0;
	long long v = strtoll(s, &end, 10);
	return errno || *end || v < 0 ? 0 : v;
}

void
notify_open(struct notify *n)
{
	*n = (struct notify){ .fd = -1 };
	const char *path = getenv("NOTIFY_SOCKET");
	if (path)
		n->fd = connect_to(path);
	const char *pid = getenv("WATCHDOG_PID");
	if (n->fd >= 0 && (!pid || number(pid) == getpid()))
		n->watchdog_ms = number(getenv("WATCHDOG_USEC")) / 2000; /* twice in its interval */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_send(const struct notify *n, const char *fmt, ...)
{
	if (n->fd < 0)
		return;
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (len <= 0)
		return;
	size_t size = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
	(void)!send(n->fd, text, size, MSG_NOSIGNAL);
}

void
notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
