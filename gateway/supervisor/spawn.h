/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn - starts a program of ours with nothing of us but stderr and one
 * channel: descriptor 3. Programs are descriptors opened at start, so replacing
 * a path later changes nothing.
 */
#ifndef FG_GATEWAY_SUPERVISOR_SPAWN_H
#define FG_GATEWAY_SUPERVISOR_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn {
	int program;             /* borrowed, O_PATH */
	const char *const *argv; /* NULL-terminated */
	int channel;             /* becomes descriptor 3; borrowed */
	/*
	 * For a program without a boot dialogue: into an empty network namespace and
	 * become uid/gid before it starts.
	 */
	bool drop;
	bool group; /* leads a process group of its own, by which all that it starts can be killed */
	bool netns_optional; /* the operator's setting: go on where the kernel has no namespaces */
	uid_t uid;
	gid_t gid;
};

/* The program's file; fd at or above 10, or FG_ENOTFOUND, FG_EIO. */
int spawn_open(const char *path);
/* Its process id, or FG_EIO. A program that cannot start exits 127. */
pid_t spawn_process(const struct spawn *s);

#endif
