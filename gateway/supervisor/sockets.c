/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/err.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59 /* Linux 4.13 */
#endif

#define GROUPS_MAX 1024 /* supplementary groups looked at; people have a dozen */

/* ---- socket activation ---- */

static long
number(const char *s)
{
	if (!s || !s[0])
		return -1;
	char *end;
	errno = 0;
	long v = strtol(s, &end, 10);
	return errno || *end ? -1 : v;
}

/* Colon-separated; fewer names than descriptors leave the rest without. */
static void
name_all(struct sockets_activated *a, const char *names)
{
	for (unsigned i = 0; names && i < a->n; i++) {
		size_t n = strcspn(names, ":");
		if (n < sizeof a->at[i].name)
			snprintf(a->at[i].name, sizeof a->at[i].name, "%.*s", (int)n, names);
		names = names[n] ? names + n + 1 : NULL;
	}
}

int
sockets_activation(struct sockets_activated *a, int first_fd, char *ret_why, size_t cap)
{
	memset(a, 0, sizeof *a);
	long pid = number(getenv("LISTEN_PID")), n = number(getenv("LISTEN_FDS"));
	int r = 0;
	if (pid != getpid() || n <= 0) {
		; /* meant for somebody else, or nothing came */
	} else if (n > SOCKETS_ACTIVATED_MAX) {
		snprintf(ret_why, cap, "the service manager passed %ld sockets; %d is the most", n,
		    SOCKETS_ACTIVATED_MAX);
		r = FG_EINVAL;
	} else {
		a->n = (unsigned)n;
		for (unsigned i = 0; i < a->n; i++) {
			a->at[i].fd = first_fd + (int)i;
			fcntl(a->at[i].fd, F_SETFD, FD_CLOEXEC);
		}
		name_all(a, getenv("LISTEN_FDNAMES"));
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return r;
}

static bool
is_listening_stream(int fd)
{
	int type = 0, listening = 0;
	socklen_t n = sizeof type, m = sizeof listening;
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &m) == 0 && listening;
}

int
sockets_take(struct sockets_activated *a, const char *name, char *ret_why, size_t cap)
{
	for (unsigned i = 0; i < a->n; i++) {
		if (a->at[i].fd < 0 || strcmp(a->at[i].name, name) != 0)
			continue;
		int fd = a->at[i].fd;
		if (!is_listening_stream(fd) || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK)) {
			snprintf(ret_why, cap,
				 "the socket \"%s\" from the service manager is not a listening "
				 "stream socket",
				 name);
			return FG_EINVAL;
		}
		a->at[i].fd = -1;
		return fd;
	}
	return -1;
}

void
sockets_close(struct sockets_activated *a)
{
	for (unsigned i = 0; i < a->n; i++)
		if (a->at[i].fd >= 0)
			close(a->at[i].fd);
	a->n = 0;
}

/* ---- TCP ---- */

static socklen_t
numeric_address(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof *ret);
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof *v4;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof *v6;
	}
	return 0;
}

/* Bound, and ready for others of ours beside it; not listening yet. -1 and errno. */
static int
bound(const struct sockaddr_storage *a, socklen_t n, bool first)
{
	const int on = 1;
	int fd = socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/*
	 * V6ONLY: an address says one family; 0.0.0.0 and :: can then stand side by side.
	 * The first one is bound without sharing, so that another gateway on that port is
	 * found out; only then may its own kind join it.
	 */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    (a->ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
	    (first || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
	    bind(fd, (const struct sockaddr *)a, n) == 0 &&
	    (!first || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int
sockets_tcp(const char *address, uint16_t port, int *ret_fds, unsigned n, char *ret_why, size_t cap)
{
	struct sockaddr_storage a;
	socklen_t len = numeric_address(address, port, &a);
	if (!len) {
		snprintf(ret_why, cap, "%s is not an address", address);
		return FG_EINVAL;
	}
	for (unsigned i = 0; i < n; i++) {
		ret_fds[i] = bound(&a, len, i == 0);
		if (ret_fds[i] >= 0 && listen(ret_fds[i], SOCKETS_BACKLOG) == 0 &&
		    (i || getsockname(ret_fds[i], (struct sockaddr *)&a, &len) == 0)) /* port 0: the others join it */
			continue;
		snprintf(ret_why, cap, "%s port %u: %s", address, port, strerror(errno));
		for (unsigned k = 0; k <= i; k++)
			if (ret_fds[k] >= 0)
				close(ret_fds[k]);
		return FG_EIO;
	}
	return 0;
}

/* ---- unix ---- */

/* Only a socket nobody answers on is removed: never a file, never a running gateway's. */
static int
clear_way(const struct sockaddr_un *a, int type, char *ret_why, size_t cap)
{
	struct stat st;
	if (lstat(a->sun_path, &st))
		return 0;
	int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = probe >= 0 && (connect(probe, (const struct sockaddr *)a, sizeof *a) == 0 ||
				    errno == EAGAIN || errno == EPROTOTYPE);
	if (probe >= 0)
		close(probe);
	if (!S_ISSOCK(st.st_mode) || alive || unlink(a->sun_path)) {
		snprintf(ret_why, cap, "%s: %s", a->sun_path,
			 alive ? "another fotagated runs here"
			       : "is in the way and not a socket left behind");
		return FG_EEXIST;
	}
	return 0;
}

static int
listening(int type, const char *dir, const char *name, mode_t mode, gid_t gid, char *ret_why, size_t cap)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof a.sun_path) {
		snprintf(ret_why, cap, "%s/%s: longer than a unix socket's name can be", dir, name);
		return FG_ELIMIT;
	}
	int r = clear_way(&a, type, ret_why, cap);
	if (r)
		return r;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Closed to everybody until group and mode are set: bind() makes it with the umask's mode. */
	mode_t old = umask(0177);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
	umask(old);
	if (!bound || (gid != (gid_t)-1 && chown(a.sun_path, (uid_t)-1, gid)) ||
	    chmod(a.sun_path, mode) || listen(fd, SOCKETS_BACKLOG)) {
		snprintf(ret_why, cap, "%s: %s", a.sun_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return FG_EIO;
	}
	return fd;
}

int
sockets_unix(const char *dir, const char *name, mode_t mode, gid_t gid, char *ret_why, size_t cap)
{
	return listening(SOCK_SEQPACKET, dir, name, mode, gid, ret_why, cap);
}

int
sockets_unix_stream(const char *dir, const char *name, mode_t mode, gid_t gid, char *ret_why, size_t cap)
{
	return listening(SOCK_STREAM, dir, name, mode, gid, ret_why, cap);
}

static bool
among_groups(int fd, gid_t group)
{
	gid_t *list = calloc(GROUPS_MAX, sizeof *list);
	socklen_t n = GROUPS_MAX * sizeof *list;
	bool found = false;
	if (list && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list, &n) == 0)
		for (size_t i = 0; i < n / sizeof *list; i++)
			found |= list[i] == group;
	free(list);
	return found;
}

int
sockets_peer(int fd, gid_t group, struct sockets_peer *ret)
{
	struct ucred c;
	socklen_t n = sizeof c;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n))
		return FG_EIO;
	ret->uid = c.uid;
	ret->gid = c.gid;
	ret->in_group = group != (gid_t)-1 && (c.gid == group || among_groups(fd, group));
	return 0;
}
