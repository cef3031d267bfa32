/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_seccomp - a role's groups of rules as a kernel filter (libseccomp).
 *
 * Role: the last step of jail_enter(). Called by jail.c and tests only.
 */
#ifndef FG_GATEWAY_JAIL_JAIL_SECCOMP_H
#define FG_GATEWAY_JAIL_JAIL_SECCOMP_H

#include <stddef.h>

#include "gateway/jail/jail_table.h"

/*
 * Build the filter of t and load it for every thread of the process, default
 * and foreign architectures: kill the process. no-new-privs must be set.
 * 0, or FG_ESANDBOX with a sentence in why.
 */
int jail_seccomp_load(const struct jail_table *t, char *why, size_t cap);

/*
 * Build the filter of t and write it as BPF to fd, for tests and for people who
 * want to see it. 0 or FG_ESANDBOX.
 */
int jail_seccomp_export(const struct jail_table *t, int fd, char *why, size_t cap);

#endif
