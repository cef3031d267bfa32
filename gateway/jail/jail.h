/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail - what a role may do once it is running.
 *
 * Role: every process of the gateway, and fotagate-inspect wherever it is
 * started, calls jail_enter() once, after it has been told who it is and
 * before it reads its first hostile byte. What each role keeps is written in
 * jail_table.c, one readable table a role; nothing a caller passes can widen it.
 *
 * Guarantees: on 0 everything the table asks for is in force, for ever and for
 * every thread. On a failure the process is half way in and has nothing left to
 * do but to say why and exit. Filters and Landlock domains are inherited over
 * exec, so the supervisor's set is the superset of all others (a unit test holds
 * that) and each role narrows itself further. A decision hook needs more than any
 * role of ours, so only a gateway that has one has the wider supervisor.
 *
 * A role killed by its filter dies of SIGSYS (159 as a shell's exit status):
 * the supervisor calls that an incident and never merely a crash. The kernel
 * names the system call in its audit log ("type=1326 ... syscall=N").
 *
 * Linux only. Links libseccomp and nothing else.
 */
#ifndef FG_GATEWAY_JAIL_JAIL_H
#define FG_GATEWAY_JAIL_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum jail_role {
	JAIL_NONE = 0,
	JAIL_SUPERVISOR,
	JAIL_CONFIG,
	JAIL_EDGE,
	JAIL_UPSTREAM,
	JAIL_INSPECT,
	JAIL_CONTROL,
	JAIL_WARDEN,
	JAIL_AUDIT,
	JAIL_CONSOLE,
	JAIL_WITNESS, /* fotagate-witness: no role of the gateway, nobody starts it but a person */
	JAIL_LAUNCHER, /* the supervisor of a gateway that has a decision hook: it may let others be started by name */
	JAIL_HOOK,    /* the decision hook, and whatever it starts */
	JAIL_ROLE_COUNT,
};

/*
 * Places a role may be given at run time. Which slots a role may hold, and with
 * which rights, stands in its table; a slot it may not hold is FG_ESANDBOX.
 */
enum jail_slot {
	JAIL_SLOT_NONE = 0,
	JAIL_SLOT_PROGRAMS,   /* directory of the gateway's own programs */
	JAIL_SLOT_DATA,       /* data_dir as a whole: supervisor only */
	JAIL_SLOT_RUN,        /* run_dir: sockets */
	JAIL_SLOT_STATE,      /* data_dir/state */
	JAIL_SLOT_QUARANTINE, /* data_dir/images/quarantine */
	JAIL_SLOT_REPORTS,    /* data_dir/reports */
	JAIL_SLOT_STATEMENTS, /* data_dir/statements */
	JAIL_SLOT_APPROVED,   /* data_dir/images/approved */
	JAIL_SLOT_AUDIT,      /* data_dir/audit */
	JAIL_SLOT_AUTHORITY,  /* data_dir/authority; writable by the warden alone */
	JAIL_SLOT_CONFIG,     /* directory of fotagate.conf and profiles.d */
	JAIL_SLOT_TRUST,      /* CA bundle (file or directory) of one fetch */
	JAIL_SLOT_WITNESS,    /* what a witness remembers */
	JAIL_SLOT_COUNT,
};

/* A role is given at most this many places; control, with six, has most. */
#define JAIL_PATHS_MAX 8

struct jail_path {
	enum jail_slot slot;
	const char *path; /* borrowed; when NULL, fd names the place */
	int fd;           /* borrowed directory or file, O_PATH will do */
};

struct jail_paths {
	size_t n;
	struct jail_path at[JAIL_PATHS_MAX];
};

struct jail_options {
	bool drop;           /* become uid and gid; they must not be 0 */
	uid_t uid;
	gid_t gid;
	bool new_netns;      /* started as root: roles without network get an empty one.
	                      * Ignored for supervisor and upstream */
	bool unsafe_allowed; /* the operator's setting with the unmistakable name: go on without
	                      * what this kernel cannot give. Never covers identity,
	                      * no-new-privs or a place the role may not have */
	uint32_t cpu_seconds; /* jobs: CPU limit instead of the table's; 0 = table's */
	uint64_t max_file;    /* jobs: largest file or memfd, in bytes, likewise */
};

/* What is in force, for `fotagate status` and the audit entry of a role's start. */
struct jail_status {
	int landlock_abi; /* the kernel's; 0 = none */
	bool landlock;
	bool seccomp;
	bool no_new_privs;
	bool netns;           /* in an empty network namespace of its own */
	bool sanitizer_build; /* filters are off in such a build, always said */
	char text[320];       /* one ASCII sentence with all of the above; what is missing is in
	                       * capitals: "MISSING ..." */
};

/*
 * Enter role's jail for the rest of this process's life. paths and opt may be
 * NULL (no places; unprivileged, no namespace). The process must have one thread.
 * Order: places opened, network namespace, capability bounding set, rlimits,
 * groups and ids (and proof that they cannot come back), capabilities,
 * not dumpable, no-new-privs, Landlock, seccomp.
 *
 * 0, or FG_ESANDBOX with a sentence in why (cap bytes; may be NULL when cap is 0).
 * ret (may be NULL) is written on success only.
 */
int jail_enter(enum jail_role role, const struct jail_paths *paths, const struct jail_options *opt,
    struct jail_status *ret, char *why, size_t cap);

/* "edge", "warden", ...; "none" for anything else. Never NULL. */
const char *jail_role_name(enum jail_role role);

/* The role of that name, JAIL_NONE if there is none. */
enum jail_role jail_role_by_name(const char *name);

#endif
