/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_landlock - a role's places as a Landlock domain.
 *
 * Role: called by jail.c and tests only. Two halves, because places are opened
 * before the role gives up the user that may reach them, and the domain is
 * entered after. The masking by ABI is pure and tested without a kernel.
 */
#ifndef FG_GATEWAY_JAIL_JAIL_LANDLOCK_H
#define FG_GATEWAY_JAIL_JAIL_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/jail/jail_table.h"

/*
 * Linux 5.19 (Debian 12 has 6.1, ABI 2). ABI 1 forbids every rename between directories
 * and cannot be told not to, so a log or an image store cannot work under it.
 */
#define JAIL_LANDLOCK_ABI_MIN 2

/* The kernel's landlock_ruleset_attr as of ABI 6; older kernels take it when the rest is 0. */
struct jail_landlock_attr {
	uint64_t fs;     /* handled_access_fs */
	uint64_t net;    /* handled_access_net, since ABI 4 */
	uint64_t scoped; /* since ABI 6 */
};

/* The running kernel's ABI, 0 if it has no Landlock or it is switched off. */
int jail_landlock_abi(void);

/* What a domain for t handles (denies unless granted) under that ABI. */
struct jail_landlock_attr jail_landlock_handled(const struct jail_table *t, int abi);

/*
 * Our rights (enum jail_right) as the kernel's under that ABI. A place that is not a
 * directory only takes the rights of files: the kernel refuses others.
 */
uint64_t jail_landlock_access(unsigned rights, bool directory, int abi);

/*
 * Open every place and build the ruleset. *ret is a descriptor for
 * jail_landlock_enter(), the caller's to close. 0 or FG_ESANDBOX with a sentence.
 * A fixed place that does not exist is skipped; a run-time place must exist.
 */
int jail_landlock_prepare(const struct jail_table *t, const struct jail_paths *paths, int abi,
    int *ret, char *why, size_t cap);

/* Enter the domain. no-new-privs must be set. 0 or FG_ESANDBOX with a sentence. */
int jail_landlock_enter(int ruleset, char *why, size_t cap);

#endif
