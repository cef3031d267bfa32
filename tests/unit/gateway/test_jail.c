/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables and what is made of them, without entering a jail where that can be
 * avoided: masks by ABI, the rules between roles, and the filter's own bytes,
 * run through a small BPF machine. tests/sandbox tries the real thing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/jail/jail.h"
#include "gateway/jail/jail_landlock.h"
#include "gateway/jail/jail_seccomp.h"
#include "gateway/jail/jail_table.h"

#define EACH_ROLE(role)                                                     \
	for (enum jail_role role = JAIL_SUPERVISOR; role < JAIL_ROLE_COUNT; \
	     role = (enum jail_role)(role + 1))

/* The supervisor of a gateway without a decision hook, or of one that has one. */
static bool
supervises(enum jail_role role)
{
	return role == JAIL_SUPERVISOR || role == JAIL_LAUNCHER;
}

/* ---- Landlock by ABI --------------------------------------------------- */

static void
masks_follow_the_abi(void **state)
{
	static const uint64_t fs[] = {0,      0x1fff, 0x3fff, 0x7fff, 0x7fff,
				      0xffff, 0xffff, 0xffff, 0xffff};
	(void)state;
	const struct jail_table *edge = jail_table_of(JAIL_EDGE);
	for (int abi = 0; abi <= 8; abi++) {
		struct jail_landlock_attr a = jail_landlock_handled(edge, abi);
		assert_int_equal(a.fs, fs[abi]);
		assert_int_equal(a.net, abi >= 4 ? 3 : 0);
		assert_int_equal(a.scoped, abi >= 6 ? 3 : 0);
	}
}

static void
network_roles_keep_tcp(void **state)
{
	(void)state;
	struct jail_landlock_attr a = jail_landlock_handled(jail_table_of(JAIL_UPSTREAM), 7);
	assert_int_equal(a.net, 1); /* bind stays denied */
	assert_int_equal(a.scoped, 3);
	a = jail_landlock_handled(jail_table_of(JAIL_SUPERVISOR), 7);
	assert_int_equal(a.net, 0);
	assert_int_equal(a.scoped, 2); /* NOTIFY_SOCKET may be abstract */
}

static void
rights_become_accesses(void **state)
{
	(void)state;
	assert_int_equal(jail_landlock_access(JAIL_READ, true, 7), 1 << 2 | 1 << 3);
	assert_int_equal(jail_landlock_access(JAIL_READ, false, 7), 1 << 2);
	assert_int_equal(jail_landlock_access(JAIL_WRITE, true, 2), 1 << 1); /* no TRUNCATE yet */
	assert_int_equal(jail_landlock_access(JAIL_WRITE, true, 3), 1 << 1 | 1 << 14);
	assert_int_equal(jail_landlock_access(JAIL_MAKE, false, 7), 0); /* a file holds no files */
	assert_int_equal(jail_landlock_access(JAIL_MAKE, true, 1) & 1 << 13, 0);
	assert_int_equal(jail_landlock_access(JAIL_MAKE, true, 2) & 1 << 13, 1 << 13);
	assert_int_equal(jail_landlock_access(JAIL_SOCKET, true, 7), 1 << 9 | 1 << 5);
	assert_int_equal(jail_landlock_access(JAIL_EXEC, true, 7), 1);
	assert_int_equal(jail_landlock_access(~0U, true, 0), 0);
	/* Never devices, fifos or symbolic links, whatever the ABI. */
	for (int abi = 0; abi <= 8; abi++)
		assert_int_equal(jail_landlock_access(~0U, true, abi) &
				     (1 << 6 | 1 << 10 | 1 << 11 | 1 << 12),
				 0);
}

static void
old_kernels_are_refused(void **state)
{
	char why[128];
	int fd = -1;
	(void)state;
	assert_int_equal(
	    jail_landlock_prepare(jail_table_of(JAIL_EDGE), NULL, 0, &fd, why, sizeof(why)),
	    FG_ESANDBOX);
	assert_non_null(strstr(why, "has none"));
	assert_int_equal(
	    jail_landlock_prepare(jail_table_of(JAIL_EDGE), NULL, 1, &fd, why, sizeof(why)),
	    FG_ESANDBOX);
	assert_non_null(strstr(why, "5.19"));
	assert_int_equal(fd, -1);
}

/* ---- rules between roles ----------------------------------------------- */

static void
names_go_both_ways(void **state)
{
	(void)state;
	EACH_ROLE(role)
	{
		assert_non_null(jail_table_of(role));
		assert_int_equal(jail_role_by_name(jail_role_name(role)), role);
	}
	assert_string_equal(jail_role_name(JAIL_NONE), "none");
	assert_int_equal(jail_role_by_name("none"), JAIL_NONE);
	assert_int_equal(jail_role_by_name("Edge"), JAIL_NONE);
	assert_null(jail_table_of(JAIL_ROLE_COUNT));
}

static void
places_belong_to_one_writer(void **state)
{
	static const struct {
		enum jail_slot slot;
		enum jail_role writer;
	} owned[] = {
	    {JAIL_SLOT_STATE, JAIL_CONTROL},   {JAIL_SLOT_QUARANTINE, JAIL_CONTROL},
	    {JAIL_SLOT_REPORTS, JAIL_CONTROL}, {JAIL_SLOT_STATEMENTS, JAIL_CONTROL},
	    {JAIL_SLOT_APPROVED, JAIL_WARDEN}, {JAIL_SLOT_AUTHORITY, JAIL_WARDEN},
	    {JAIL_SLOT_AUDIT, JAIL_AUDIT},     {JAIL_SLOT_DATA, JAIL_SUPERVISOR},
	    {JAIL_SLOT_RUN, JAIL_SUPERVISOR},  {JAIL_SLOT_TRUST, JAIL_NONE},
	    {JAIL_SLOT_PROGRAMS, JAIL_NONE},   {JAIL_SLOT_CONFIG, JAIL_NONE},
	    {JAIL_SLOT_WITNESS, JAIL_WITNESS},
	};
	(void)state;
	assert_int_equal(sizeof(owned) / sizeof(owned[0]), JAIL_SLOT_COUNT - 1);
	EACH_ROLE(role)
	{
		const struct jail_table *t = jail_table_of(role);
		assert_int_equal(jail_table_rights(t, JAIL_SLOT_NONE), 0);
		for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
			unsigned rights = jail_table_rights(t, owned[i].slot);
			if (role != owned[i].writer && !(role == JAIL_LAUNCHER && owned[i].writer == JAIL_SUPERVISOR))
				assert_int_equal(rights & (JAIL_WRITE | JAIL_MAKE | JAIL_SOCKET),
						 0);
			if (!supervises(role))
				assert_int_equal(rights & JAIL_EXEC, 0);
		}
		for (const struct jail_fixed *f = t->fixed; f->path; f++) {
			if (role == JAIL_HOOK && strcmp(f->path, "/dev/null") != 0)
				assert_int_equal(f->rights & (JAIL_WRITE | JAIL_MAKE | JAIL_SOCKET), 0);
			else if (!supervises(role) && role != JAIL_HOOK)
				assert_int_equal(f->rights, JAIL_READ);
		}
	}
}

static void
edge_inspect_and_config_hold_no_place(void **state)
{
	static const enum jail_role none[] = {JAIL_EDGE, JAIL_INSPECT, JAIL_CONFIG, JAIL_CONSOLE};
	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		const struct jail_table *t = jail_table_of(none[i]);
		assert_int_equal(t->grants[0].slot, JAIL_SLOT_NONE);
		assert_null(t->fixed[0].path);
	}
}

/* What a decision hook reads is what belongs to the system: nothing of the gateway's, of people's, of the kernel's. */
static void
a_hook_sees_the_system_alone(void **state)
{
	static const char *const may[] = { "/usr", "/bin", "/sbin", "/lib", "/lib64", "/dev/null", "/dev/zero", "/dev/urandom",
		"/dev/random", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/alternatives", "/etc/localtime", "/etc/python3",
		"/etc/python3.11", "/etc/perl" };
	(void)state;
	const struct jail_table *t = jail_table_of(JAIL_HOOK);
	assert_int_equal(t->grants[0].slot, JAIL_SLOT_NONE);
	assert_true(t->caps == 0 && !t->network && !t->tcp_connect && !t->tcp_bind && !t->abstract_unix);
	for (const struct jail_fixed *f = t->fixed; f->path; f++) {
		bool found = false;
		for (size_t i = 0; i < sizeof may / sizeof may[0]; i++)
			found |= strcmp(f->path, may[i]) == 0;
		if (!found)
			fail_msg("a hook may have %s", f->path);
	}
}

/* What a role is allowed under its own filter must pass the one it inherits. */
static void
check_superset(enum jail_role above)
{
	const struct jail_table *top = jail_table_of(above);
	EACH_ROLE(role)
	{
		const struct jail_table *t = jail_table_of(role);
		if (above == JAIL_SUPERVISOR && (role == JAIL_LAUNCHER || role == JAIL_HOOK))
			continue; /* a gateway that has none has no hook to start */
		for (size_t g = 0; t->groups[g]; g++) {
			for (const struct jail_rule *r = t->groups[g]->rules; r->name; r++) {
				bool passes = jail_table_always(top, r->name);
				const struct jail_rule *same =
				    jail_table_find(top, r->name, r->when);
				if (r->verb == JAIL_ALLOW)
					passes |= same && same->verb == JAIL_ALLOW;
				else
					passes |= same || r->when != JAIL_ALWAYS ||
						  supervises(role) ||
						  strcmp(r->name, "socket") == 0 ||
						  strcmp(r->name, "bind") == 0;
				if (!passes)
					fail_msg("%s allows %s, the supervisor does not", t->name,
						 r->name);
			}
		}
		assert_true(t->limits.files <= top->limits.files);
		assert_true(supervises(role) || t->caps == 0);
		assert_false(t->tcp_connect && !top->tcp_connect);
		assert_false(t->abstract_unix && !top->abstract_unix);
	}
	assert_true(top->limits.data == 0 && top->limits.cpu == 0 && top->limits.fsize == 0);
	assert_false(top->limits.no_tasks);
}

static void
supervisor_is_the_superset(void **state)
{
	(void)state;
	check_superset(JAIL_SUPERVISOR);
	check_superset(JAIL_LAUNCHER);
	/* Where there is no hook, no program is run by its name. */
	assert_null(jail_table_find(jail_table_of(JAIL_SUPERVISOR), "execve", JAIL_ALWAYS));
}

static void
every_name_is_a_system_call(void **state)
{
	(void)state;
	EACH_ROLE(role)
	{
		const struct jail_table *t = jail_table_of(role);
		for (size_t g = 0; t->groups[g]; g++)
			for (const struct jail_rule *r = t->groups[g]->rules; r->name; r++) {
				if (seccomp_syscall_resolve_name(r->name) == __NR_SCMP_ERROR)
					fail_msg("%s: no such system call", r->name);
				assert_int_not_equal(r->when, JAIL_WHEN_NEVER);
				assert_true(r->verb == JAIL_ALLOW ? r->error == 0 : r->error > 0);
			}
	}
}

/* ---- the filter's bytes ------------------------------------------------ */

struct filter {
	struct sock_filter code[4096];
	size_t n;
};

static void
export_filter(enum jail_role role, struct filter *f)
{
	char why[256] = "";
	int fd = memfd_create("filter", MFD_CLOEXEC);
	assert_true(fd >= 0);
	if (jail_seccomp_export(jail_table_of(role), fd, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	ssize_t n = pread(fd, f->code, sizeof(f->code), 0);
	close(fd);
	assert_true(n > 0 && (size_t)n < sizeof(f->code) && (size_t)n % sizeof(f->code[0]) == 0);
	f->n = (size_t)n / sizeof(f->code[0]);
}

/* Classic BPF as libseccomp writes it; anything else in it fails the test. */
static uint32_t
run_filter(const struct filter *f, const struct seccomp_data *d)
{
	uint32_t a = 0;
	for (size_t pc = 0; pc < f->n;) {
		const struct sock_filter *i = &f->code[pc++];
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k <= sizeof(*d) - 4);
			memcpy(&a, (const char *)d + i->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %#x", i->code);
		}
	}
	fail_msg("ran off the end");
	return 0;
}

static uint32_t
native_arch(void)
{
	return seccomp_arch_native(); /* libseccomp's tokens are the kernel's AUDIT_ARCH values */
}

static uint32_t
ask(const struct filter *f, const char *name, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a4)
{
	struct seccomp_data d = {
	    .nr = seccomp_syscall_resolve_name(name),
	    .arch = native_arch(),
	    .args = {a0, a1, a2, 0, a4, 0},
	};
	return run_filter(f, &d);
}

/* Every number the kernel could be asked for, against the table read as a person reads it. */
static void
filter_says_what_the_table_says(void **state)
{
	struct filter *f = *state;
	EACH_ROLE(role)
	{
		const struct jail_table *t = jail_table_of(role);
		export_filter(role, f);
		for (int nr = 0; nr < 1024; nr++) {
			struct seccomp_data d = {.nr = nr, .arch = native_arch()};
			uint32_t got = run_filter(f, &d);
			char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
			const struct jail_rule *always =
			    name ? jail_table_find(t, name, JAIL_ALWAYS) : NULL;
			bool named = false;
			for (size_t g = 0; name && t->groups[g]; g++)
				for (const struct jail_rule *r = t->groups[g]->rules; r->name; r++)
					named |= strcmp(r->name, name) == 0;
			if (name && jail_table_always(t, name))
				assert_int_equal(got, SECCOMP_RET_ALLOW);
			else if (always)
				assert_int_equal(got, SECCOMP_RET_ERRNO | (uint32_t)always->error);
			else if (!named)
				assert_int_equal(got, SECCOMP_RET_KILL_PROCESS);
			free(name);
		}
		struct seccomp_data foreign = {.nr = 0, .arch = AUDIT_ARCH_I386};
		assert_int_equal(run_filter(f, &foreign), SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
		struct seccomp_data x32 = {.nr = 0x40000000, .arch = AUDIT_ARCH_X86_64};
		assert_int_equal(run_filter(f, &x32), SECCOMP_RET_KILL_PROCESS);
#endif
	}
}

/* No role may, not even the supervisor as root. */
static void
some_calls_are_nobodys(void **state)
{
	static const char *const never[] = {
	    "ptrace",
	    "process_vm_readv",
	    "process_vm_writev",
	    "pidfd_getfd",
	    "kcmp",
	    "bpf",
	    "perf_event_open",
	    "userfaultfd",
	    "io_uring_setup",
	    "io_uring_enter",
	    "io_uring_register",
	    "keyctl",
	    "add_key",
	    "request_key",
	    "mount",
	    "umount2",
	    "pivot_root",
	    "move_mount",
	    "open_tree",
	    "fsopen",
	    "setns",
	    "chroot",
	    "truncate",
	    "mknod",
	    "mknodat",
	    "symlink",
	    "symlinkat",
	    "execve",
	    "fork",
	    "vfork",
	    "init_module",
	    "finit_module",
	    "delete_module",
	    "kexec_load",
	    "kexec_file_load",
	    "reboot",
	    "swapon",
	    "settimeofday",
	    "clock_settime",
	    "personality",
	    "modify_ldt",
	    "iopl",
	    "ioperm",
	    "name_to_handle_at",
	    "open_by_handle_at",
	    "openat2",
	    "memfd_secret",
	    "vmsplice",
	    "splice",
	    "tee",
	    "pkey_mprotect",
	    "remap_file_pages",
	    "shmat",
	    "shmget",
	    "msgget",
	    "semget",
	    "mq_open",
	    "quotactl",
	    "acct",
	    "syslog",
	    "sethostname",
	    "setfsuid",
	    "setxattr",
	    "process_madvise",
	    "migrate_pages",
	    "move_pages",
	    "fanotify_init",
	    "lookup_dcookie",
	    "ustat",
	    "uselib",
	    "vhangup",
	    "clone3",
	};
	struct filter *f = *state;
	EACH_ROLE(role)
	{
		export_filter(role, f);
		for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
			if (seccomp_syscall_resolve_name(never[i]) >= 0 &&
			    !((role == JAIL_LAUNCHER || role == JAIL_HOOK) &&
				(strcmp(never[i], "execve") == 0 || strstr(never[i], "fork"))))
				assert_int_not_equal(ask(f, never[i], 0, 0, 0, 0),
						     SECCOMP_RET_ALLOW);
	}
}

static void
arguments_are_judged(void **state)
{
	const uint32_t kill = SECCOMP_RET_KILL_PROCESS, allow = SECCOMP_RET_ALLOW;
	const uint32_t no = SECCOMP_RET_ERRNO | EACCES;
	const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	struct filter *f = *state;

	export_filter(JAIL_UPSTREAM, f);
	assert_int_equal(ask(f, "mmap", 0, 4096, PROT_READ | PROT_WRITE, 0), allow);
	assert_int_equal(ask(f, "mmap", 0, 4096, PROT_READ | PROT_EXEC, 0), no);
	assert_int_equal(ask(f, "socket", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP, 0),
			 allow);
	assert_int_equal(ask(f, "socket", AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0, 0), allow);
	assert_int_equal(ask(f, "socket", AF_INET, SOCK_STREAM, IPPROTO_SCTP, 0), kill);
	assert_int_equal(ask(f, "socket", AF_INET, SOCK_RAW, IPPROTO_ICMP, 0), no);
	for (uint64_t family = 0; family < 64; family++)
		if (family != AF_INET && family != AF_INET6)
			assert_int_equal(ask(f, "socket", family, SOCK_STREAM, 0, 0), no);
	assert_int_not_equal(ask(f, "socket", AF_INET | UINT64_C(1) << 32, SOCK_STREAM, 0, 0),
			     allow);
	assert_int_equal(ask(f, "openat", 0, 0, O_RDONLY | O_CLOEXEC | O_DIRECTORY, 0), allow);
	assert_int_equal(ask(f, "openat", 0, 0, O_WRONLY, 0), no);
	assert_int_equal(ask(f, "openat", 0, 0, O_RDWR, 0), no);
	assert_int_equal(ask(f, "openat", 0, 0, O_RDONLY | O_CREAT, 0), no);
	assert_int_equal(ask(f, "openat", 0, 0, O_RDONLY | O_TRUNC, 0), no);
	assert_int_not_equal(ask(f, "openat", 0, 0, O_TMPFILE | O_RDWR, 0), allow);
	assert_int_equal(ask(f, "clone", thread, 0, 0, 0), allow);
	assert_int_equal(ask(f, "clone", thread | CLONE_NEWUSER, 0, 0, 0), kill);
	assert_int_equal(ask(f, "clone", SIGCHLD, 0, 0, 0), kill);
	assert_int_equal(ask(f, "setsockopt", 5, IPPROTO_TCP, TCP_NODELAY, 0), allow);
	assert_int_equal(ask(f, "setsockopt", 5, IPPROTO_TCP, TCP_ULP, 0), kill);
	assert_int_equal(ask(f, "setsockopt", 5, SOL_SOCKET, SO_ATTACH_FILTER, 0), kill);
	assert_int_equal(ask(f, "setsockopt", 5, SOL_SOCKET, SO_ATTACH_BPF, 0), kill);
	assert_int_equal(ask(f, "setsockopt", 5, SOL_SOCKET, SO_KEEPALIVE, 0), allow);
	assert_int_equal(ask(f, "tgkill", (uint64_t)getpid(), 1, SIGABRT, 0), allow);
	assert_int_equal(ask(f, "tgkill", (uint64_t)getppid(), 1, SIGABRT, 0), kill);

	export_filter(JAIL_WARDEN, f);
	assert_int_equal(ask(f, "mprotect", 0, 4096, PROT_EXEC, 0), kill);
	assert_int_equal(ask(f, "clone", thread, 0, 0, 0), kill);
	assert_int_equal(ask(f, "sendto", 3, 0, 0, 0), allow);
	assert_int_equal(ask(f, "sendto", 3, 0, 0, 0x1000), kill);
	assert_int_equal(ask(f, "socket", AF_UNIX, SOCK_STREAM, 0, 0), kill);
	assert_int_equal(ask(f, "prctl", PR_SET_NAME, 0, 0, 0), allow);
	assert_int_equal(ask(f, "prctl", PR_SET_DUMPABLE, 1, 0, 0), kill);
	assert_int_equal(ask(f, "fcntl", 3, F_ADD_SEALS, F_SEAL_WRITE, 0), allow);
	assert_int_equal(ask(f, "fcntl", 3, F_SETOWN, 1, 0), kill);

	export_filter(JAIL_SUPERVISOR, f);
	assert_int_equal(ask(f, "execveat", 5, 0, 0, AT_EMPTY_PATH), allow);
	assert_int_equal(ask(f, "execveat", 5, 0, 0, 0), kill);
	assert_int_equal(ask(f, "clone", SIGCHLD, 0, 0, 0), allow);
	assert_int_equal(ask(f, "clone", SIGCHLD | CLONE_NEWUSER, 0, 0, 0), kill);
	assert_int_equal(ask(f, "unshare", CLONE_NEWNET, 0, 0, 0), allow);
	assert_int_equal(ask(f, "unshare", CLONE_NEWUSER, 0, 0, 0), kill);
	assert_int_equal(ask(f, "unshare", CLONE_NEWNET | CLONE_NEWUSER, 0, 0, 0), kill);
	assert_int_equal(ask(f, "prlimit64", 0, 7, 0x1000, 0), allow);
	assert_int_equal(ask(f, "prlimit64", 1, 7, 0x1000, 0), kill);

	export_filter(JAIL_HOOK, f);
	assert_int_equal(ask(f, "execve", 0x1000, 0, 0, 0), allow);
	assert_int_equal(ask(f, "clone", SIGCHLD, 0, 0, 0), allow);
	assert_int_equal(ask(f, "clone", SIGCHLD | CLONE_NEWUSER, 0, 0, 0), kill);
	assert_int_equal(ask(f, "kill", 0, SIGKILL, 0, 0), allow);
	assert_int_equal(ask(f, "kill", 1, SIGKILL, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(f, "kill", (uint64_t)-1, SIGKILL, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(f, "kill", (uint32_t)-7, SIGKILL, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(f, "setsid", 0, 0, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(f, "setpgid", 0, 0, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(f, "socket", AF_UNIX, SOCK_STREAM, 0, 0), no);
	assert_int_equal(ask(f, "unshare", CLONE_NEWNET, 0, 0, 0), kill);
	assert_int_equal(ask(f, "ptrace", 0, 0, 0, 0), kill);
}

/* ---- refusals ---------------------------------------------------------- */

static void
a_place_of_another_role_is_refused(void **state)
{
	char why[256] = "";
	struct jail_status status = {.landlock_abi = -5};
	struct jail_paths p = {.n = 1, .at = {{.slot = JAIL_SLOT_APPROVED, .path = "/"}}};
	(void)state;
	assert_int_equal(jail_enter(JAIL_CONTROL, &p, NULL, &status, why, sizeof(why)),
			 FG_ESANDBOX);
	assert_non_null(strstr(why, "control role may not have /"));
	assert_int_equal(status.landlock_abi, -5);
	struct jail_options unsafe = {.unsafe_allowed = true};
	assert_int_equal(jail_enter(JAIL_EDGE, &p, &unsafe, NULL, NULL, 0), FG_ESANDBOX);
	p.n = JAIL_PATHS_MAX + 1;
	assert_int_equal(jail_enter(JAIL_WARDEN, &p, NULL, NULL, why, sizeof(why)), FG_ESANDBOX);
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0); /* nothing happened to us */
}

static void *
wait_for_end(void *arg)
{
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	return NULL;
}

static void
a_second_thread_is_refused(void **state)
{
	char why[256] = "";
	pthread_mutex_t end = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* its runtime always has one */
#endif
	pthread_mutex_lock(&end);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &end), 0);
	assert_int_equal(jail_enter(JAIL_EDGE, NULL, NULL, NULL, why, sizeof(why)), FG_ESANDBOX);
	assert_non_null(strstr(why, "threads"));
	pthread_mutex_unlock(&end);
	pthread_join(thread, NULL);
}

/* In a process of its own, as nobody; its exit status is the answer. */
static int
in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
		     setresuid(65534, 65534, 65534) < 0))
			_exit(90);
		prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);
		_exit(body());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
namespace_without_rights(void)
{
	char why[256] = "";
	struct jail_status s;
	struct jail_options opt = {.new_netns = true};
	if (jail_enter(JAIL_INSPECT, NULL, &opt, NULL, why, sizeof(why)) != FG_ESANDBOX ||
	    !strstr(why, "network namespace"))
		return 1;
	opt.unsafe_allowed = true;
	if (jail_enter(JAIL_INSPECT, NULL, &opt, &s, why, sizeof(why)) != 0)
		return 2;
	return !s.netns && s.no_new_privs && strstr(s.text, "MISSING no empty network namespace")
		   ? 0
		   : 3;
}

static void
missing_pieces_are_refused_or_named(void **state)
{
	(void)state;
	assert_int_equal(in_child(namespace_without_rights), 0);
}

static int
drop_without_rights(void)
{
	char why[256] = "";
	struct jail_options opt = {
	    .drop = true, .uid = 65533, .gid = 65533, .unsafe_allowed = true};
	return jail_enter(JAIL_INSPECT, NULL, &opt, NULL, why, sizeof(why)) == FG_ESANDBOX ? 0 : 1;
}

static int
drop_to_root(void)
{
	char why[256] = "";
	struct jail_options opt = {.drop = true, .uid = 0, .gid = 65533, .unsafe_allowed = true};
	return jail_enter(JAIL_INSPECT, NULL, &opt, NULL, why, sizeof(why)) == FG_ESANDBOX &&
		       strstr(why, "user 0")
		   ? 0
		   : 1;
}

static void
identity_is_never_tolerated(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_without_rights), 0);
	assert_int_equal(in_child(drop_to_root), 0);
}

static int
status_is_honest(void)
{
	char why[256] = "";
	struct jail_status s;
	if (jail_enter(JAIL_EDGE, NULL, NULL, &s, why, sizeof(why)) != 0)
		return 1;
	if (strncmp(s.text, "edge; user ", 11) != 0 || !s.no_new_privs || s.netns)
		return 2;
	if (FG_JAIL_SANITIZER)
		return s.sanitizer_build && !s.seccomp && !s.landlock &&
			       strstr(s.text, "FILTERS OFF")
			   ? 0
			   : 3;
	return s.seccomp && s.landlock && strstr(s.text, "; Landlock ABI ") &&
		       strstr(s.text, "; seccomp") && !strstr(s.text, "MISSING")
		   ? 0
		   : 4;
}

static void
the_status_says_what_is_in_force(void **state)
{
	(void)state;
	if (jail_landlock_abi() < JAIL_LANDLOCK_ABI_MIN)
		skip();
	assert_int_equal(in_child(status_is_honest), 0);
}

static int
make_filter(void **state)
{
	*state = calloc(1, sizeof(struct filter));
	return *state ? 0 : -1;
}

static int
free_filter(void **state)
{
	free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(masks_follow_the_abi),
	    cmocka_unit_test(network_roles_keep_tcp),
	    cmocka_unit_test(rights_become_accesses),
	    cmocka_unit_test(old_kernels_are_refused),
	    cmocka_unit_test(names_go_both_ways),
	    cmocka_unit_test(places_belong_to_one_writer),
	    cmocka_unit_test(edge_inspect_and_config_hold_no_place),
	    cmocka_unit_test(a_hook_sees_the_system_alone),
	    cmocka_unit_test(supervisor_is_the_superset),
	    cmocka_unit_test(every_name_is_a_system_call),
	    cmocka_unit_test_setup_teardown(filter_says_what_the_table_says, make_filter,
					    free_filter),
	    cmocka_unit_test_setup_teardown(some_calls_are_nobodys, make_filter, free_filter),
	    cmocka_unit_test_setup_teardown(arguments_are_judged, make_filter, free_filter),
	    cmocka_unit_test(a_place_of_another_role_is_refused),
	    cmocka_unit_test(a_second_thread_is_refused),
	    cmocka_unit_test(missing_pieces_are_refused_or_named),
	    cmocka_unit_test(identity_is_never_tolerated),
	    cmocka_unit_test(the_status_says_what_is_in_force),
	};
	return cmocka_run_group_tests_name("jail", tests, NULL, NULL);
}
