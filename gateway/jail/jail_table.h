/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_table - what each role keeps: the tables themselves, as data.
 *
 * Role: the vocabulary in which jail_table.c is written and which the engines
 * (jail_seccomp.c, jail_landlock.c, jail_process.c) turn into kernel calls. Private to
 * gateway/jail and its tests.
 */
#ifndef FG_GATEWAY_JAIL_JAIL_TABLE_H
#define FG_GATEWAY_JAIL_JAIL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/jail/jail.h"

/* What happens to a system call. What no rule names kills the process. */
enum jail_verb {
	JAIL_KILL = 0,
	JAIL_ALLOW,
	JAIL_ERRNO, /* harmless calls that libraries try and survive being refused */
};

/* When a rule holds. Arguments only: a filter cannot follow pointers. */
enum jail_when {
	JAIL_WHEN_NEVER = 0,
	JAIL_ALWAYS,
	JAIL_PROT_NO_EXEC,   /* mmap, mprotect: argument 2 without PROT_EXEC */
	JAIL_PROT_EXEC,      /* ... with it */
	JAIL_OPEN_READ,      /* openat: no write, create, truncate or O_TMPFILE */
	JAIL_OPEN_OTHER,     /* openat: everything JAIL_OPEN_READ is not */
	JAIL_CLONE_THREAD,   /* a thread of this process, in no new namespace */
	JAIL_CLONE_PROCESS,  /* in no new namespace */
	JAIL_UNSHARE_NET,    /* an empty network namespace; the one-thread test */
	JAIL_SOCKET_INET,    /* TCP or UDP over IPv4 or IPv6 */
	JAIL_SOCKET_UNIX,    /* AF_UNIX */
	JAIL_SOCKET_OTHER,   /* any family that is neither */
	JAIL_SOCKET_RAW,     /* raw IPv4 or IPv6 */
	JAIL_SETSOCKOPT,     /* SOL_SOCKET, IP, IPv6, TCP; no packet filters, no TLS ULP */
	JAIL_FCNTL,          /* flags, dup, locks, seals */
	JAIL_IOCTL,          /* FIONREAD, FIONBIO and what stdio asks of a terminal */
	JAIL_PRCTL,          /* names, questions, death signal */
	JAIL_PRCTL_SETUP,    /* what entering a jail itself needs */
	JAIL_EXEC_FD,        /* execveat: a descriptor, not a path */
	JAIL_LIMIT_READ,     /* prlimit64: own limits, read only */
	JAIL_LIMIT_OWN,      /* prlimit64: own limits */
	JAIL_OWN_GROUP,      /* argument 0 is 0: kill() of one's own process group */
	JAIL_OTHER_GROUP,    /* ... is anything else */
	JAIL_OWN_PID,        /* argument 0 is this process: abort() and raise() */
	JAIL_NO_ADDRESS,     /* sendto: on a connected socket only */
};

struct jail_rule {
	const char *name; /* the system call; unknown to this architecture = skipped */
	enum jail_verb verb;
	enum jail_when when;
	int error; /* JAIL_ERRNO: the errno the caller sees */
};

/* A NULL name ends a group. */
struct jail_group {
	const char *title; /* a few words, also printed in PRIVSEP.md's table */
	const struct jail_rule *rules;
};

/* Rights in a place, in our words; jail_landlock.c knows the kernel's. */
enum jail_right {
	JAIL_READ = 1 << 0,   /* read files, list directories */
	JAIL_WRITE = 1 << 1,  /* write and truncate existing files */
	JAIL_MAKE = 1 << 2,   /* make, rename, link and remove files and directories */
	JAIL_SOCKET = 1 << 3, /* make unix sockets */
	JAIL_EXEC = 1 << 4,   /* execute */
};

struct jail_grant {
	enum jail_slot slot;
	unsigned rights;
};

/* Places that need no run-time word; skipped where they do not exist. */
struct jail_fixed {
	const char *path;
	unsigned rights;
};

/* 0 = leave as it is, except core dumps, which no role may leave behind. */
struct jail_limits {
	uint64_t files;  /* RLIMIT_NOFILE: at most, raised to this where allowed */
	uint64_t data;   /* RLIMIT_DATA, bytes: heap and private writable mappings. Not RLIMIT_AS:
	                  * mapping a large image read-only is no growth of ours */
	uint64_t cpu;    /* RLIMIT_CPU, seconds */
	uint64_t fsize;  /* RLIMIT_FSIZE, bytes: files and memfds */
	bool no_tasks;   /* RLIMIT_NPROC 0: neither processes nor threads */
};

struct jail_table {
	enum jail_role role;
	const char *name;
	const struct jail_group *const *groups; /* ends with NULL; the widest rule wins */
	const struct jail_grant *grants;        /* ends with JAIL_SLOT_NONE */
	const struct jail_fixed *fixed;         /* ends with a NULL path */
	struct jail_limits limits;
	uint64_t caps;       /* capabilities kept, as bits; 0 for everybody but the supervisor */
	bool network;        /* stays in the network namespace it was started in */
	bool tcp_connect;    /* Landlock leaves TCP connect alone; the filter judges sockets */
	bool tcp_bind;       /* ... and TCP bind */
	bool abstract_unix;  /* may reach abstract unix sockets of processes outside its domain */
};

/* The table of a role; NULL for JAIL_NONE and anything unknown. */
const struct jail_table *jail_table_of(enum jail_role role);

/* The rights role's table gives in slot, 0 = may not have it. */
unsigned jail_table_rights(const struct jail_table *t, enum jail_slot slot);

/* Whether t allows name whatever its arguments: narrower rules for it are then moot. */
bool jail_table_always(const struct jail_table *t, const char *name);

/* The rule of t for name under that condition, NULL if there is none. */
const struct jail_rule *jail_table_find(const struct jail_table *t, const char *name,
    enum jail_when when);

#endif
