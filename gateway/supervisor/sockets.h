/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets - listeners: TCP for modules, opened here or taken from the service
 * manager, and the unix sockets of control and halt. Nothing is read from any.
 */
#ifndef FG_GATEWAY_SUPERVISOR_SOCKETS_H
#define FG_GATEWAY_SUPERVISOR_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SOCKETS_BACKLOG 1024        /* a fleet that wakes at once; the kernel caps it by somaxconn */
#define SOCKETS_ACTIVATED_MAX 32

/* What the service manager handed over (sd_listen_fds(3), documented protocol). */
struct sockets_activated {
	unsigned n;
	struct {
		int fd; /* close-on-exec; -1 once taken */
		char name[64];
	} at[SOCKETS_ACTIVATED_MAX];
};

/*
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, removes them from the
 * environment. first_fd is 3 except in tests. To be called before any descriptor
 * is opened. 0, or FG_EINVAL with ret_why.
 */
int sockets_activation(struct sockets_activated *a, int first_fd, char *ret_why, size_t cap);
/*
 * The one of that name, -1 if there is none; ownership passes. A socket that is
 * not a listening stream socket is FG_EINVAL with ret_why.
 */
int sockets_take(struct sockets_activated *a, const char *name, char *ret_why, size_t cap);
void sockets_close(struct sockets_activated *a);

/*
 * n listening TCP sockets on one numeric address, among which the kernel spreads
 * connections by a hash of their addresses: one for each edge. Nobody else's
 * socket may be on that address, not even one that would share it. 0 and all of
 * them, or FG_EINVAL, FG_EIO with ret_why and none.
 */
int sockets_tcp(const char *address, uint16_t port, int *ret_fds, unsigned n, char *ret_why, size_t cap);
/*
 * A listening SOCK_SEQPACKET socket at dir/name, replacing one left behind, with
 * that mode and, unless (gid_t)-1, group. fd or FG_EIO, FG_EEXIST, FG_ELIMIT with ret_why.
 */
int sockets_unix(const char *dir, const char *name, mode_t mode, gid_t gid, char *ret_why,
		 size_t cap);

/* The same of SOCK_STREAM: for HTTP. */
int sockets_unix_stream(const char *dir, const char *name, mode_t mode, gid_t gid, char *ret_why, size_t cap);

struct sockets_peer {
	uid_t uid;
	gid_t gid;
	bool in_group;
};
/* Who is at the other end of a unix connection, and whether of that group ((gid_t)-1: of none). 0 or FG_EIO. */
int sockets_peer(int fd, gid_t group, struct sockets_peer *ret);

#endif
