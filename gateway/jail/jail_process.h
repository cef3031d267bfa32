/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_process - the plain steps of entering a jail: one thread, network
 * namespace, rlimits, user, capabilities, flags.
 *
 * Role: called by jail.c only, in the order of jail_enter(). Each function returns
 * 0, or FG_ESANDBOX with a sentence in why.
 */
#ifndef FG_GATEWAY_JAIL_JAIL_PROCESS_H
#define FG_GATEWAY_JAIL_JAIL_PROCESS_H

#include <stddef.h>

#include "gateway/jail/jail_table.h"

/* A second thread would stay outside: refuse. */
int jail_process_one_thread(char *why, size_t cap);

/* Move into a new, empty network namespace (needs CAP_SYS_ADMIN). Its loopback stays down. */
int jail_process_new_netns(char *why, size_t cap);

/* Drop from the bounding set what t does not keep, as far as we are allowed to. */
int jail_process_bound(const struct jail_table *t, char *why, size_t cap);

/* The table's limits, cpu and file size as opt says. SIGXFSZ is ignored: writes fail instead. */
int jail_process_limit(const struct jail_table *t, const struct jail_options *opt, char *why,
    size_t cap);

/* Become opt's user and group without supplementary groups, and prove there is no way back. */
int jail_process_become(const struct jail_options *opt, char *why, size_t cap);

/* Keep of the capabilities held only those of t; clear inheritable and ambient ones. */
int jail_process_keep_caps(const struct jail_table *t, char *why, size_t cap);

/* Not dumpable (no ptrace, no core, /proc closed to other processes of our user), no-new-privs. */
int jail_process_seal(char *why, size_t cap);

#endif
