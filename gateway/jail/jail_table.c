/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables. Read them as sentences: a role keeps the calls of its groups, in
 * the places granted to it, within its limits; everything else kills it.
 *
 * Calls without a condition cost nothing per call (the kernel caches the answer), so
 * the hot calls of an edge (read, writev, sendto, sendfile, epoll_wait) carry none.
 */
#include "gateway/jail/jail_table.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#define OK(call) { (call), JAIL_ALLOW, JAIL_ALWAYS, 0 }
#define OK_IF(call, when) { (call), JAIL_ALLOW, (when), 0 }
#define SOFT(call, error) { (call), JAIL_ERRNO, JAIL_ALWAYS, (error) }
#define SOFT_IF(call, when, error) { (call), JAIL_ERRNO, (when), (error) }
#define END { NULL, JAIL_KILL, JAIL_WHEN_NEVER, 0 }

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* ---- groups of system calls ------------------------------------------- */

/* What the C library does on behalf of any program. */
static const struct jail_rule base_rules[] = {
	OK("brk"), OK("munmap"), OK("mremap"), OK("madvise"), OK("msync"), /* heap, mappings */
	OK("mlock"), OK("mlock2"), OK("munlock"), OK("membarrier"),        /* secrets, threads */
	OK("futex"), OK("set_robust_list"), OK("get_robust_list"), OK("rseq"),
	OK("set_tid_address"),
	OK("sched_yield"), OK("sched_getaffinity"), OK("getcpu"),
	OK("exit"), OK("exit_group"), OK("restart_syscall"),
	OK("rt_sigaction"), OK("rt_sigprocmask"), OK("rt_sigreturn"), OK("rt_sigpending"),
	OK("rt_sigtimedwait"), OK("rt_sigsuspend"), OK("sigaltstack"), OK("pause"), OK("alarm"),
	OK("setitimer"), OK("getitimer"),
	SOFT("wait4", ECHILD),
	OK("clock_gettime"), OK("clock_getres"), OK("clock_nanosleep"), OK("nanosleep"),
	OK("gettimeofday"), OK("time"), OK("times"), OK("getrusage"), OK("sysinfo"), OK("uname"),
	OK("adjtimex"), OK("clock_adjtime"), /* is it synchronised? Setting takes a capability */
	OK("getpid"), OK("gettid"), OK("getppid"), OK("getpgrp"), OK("getpgid"), OK("getsid"),
	OK("getuid"), OK("geteuid"), OK("getgid"), OK("getegid"),
	OK("getresuid"), OK("getresgid"), OK("getgroups"), OK("capget"),
	OK("getrandom"), OK("arch_prctl"),
	OK_IF("prctl", JAIL_PRCTL),
	OK_IF("prlimit64", JAIL_LIMIT_READ), OK("getrlimit"),
	END,
};
static const struct jail_group base = { "C library, time, memory", base_rules };

/* abort(), raise() */
static const struct jail_rule own_signal_rules[] = {
	OK_IF("tgkill", JAIL_OWN_PID), OK_IF("kill", JAIL_OWN_PID),
	END,
};
static const struct jail_group own_signals = { "signals to itself", own_signal_rules };

/* Descriptors that are already open. */
static const struct jail_rule io_rules[] = {
	OK("read"), OK("readv"), OK("pread64"), OK("preadv"), OK("preadv2"),
	OK("write"), OK("writev"), OK("pwrite64"), OK("pwritev"), OK("pwritev2"), OK("lseek"),
	OK("close"), OK("close_range"), OK("dup"), OK("dup2"), OK("dup3"),
	OK("fstat"), OK("newfstatat"), OK("statx"), /* glibc's fstat() is newfstatat(fd, "") */
	OK("fsync"), OK("fdatasync"), OK("ftruncate"), OK("fallocate"), OK("fadvise64"),
	OK("sync_file_range"), OK("sendfile"), OK("umask"),
	OK_IF("fcntl", JAIL_FCNTL), OK_IF("ioctl", JAIL_IOCTL),
	OK("pipe"), OK("pipe2"), OK("eventfd"), OK("eventfd2"),
	OK("poll"), OK("ppoll"), OK("select"), OK("pselect6"),
	OK("sendmsg"), OK("recvmsg"), OK("recvfrom"), OK("shutdown"), /* channels, fds passed */
	OK("getsockopt"), OK("getsockname"), OK("getpeername"),
	OK("memfd_create"), /* big messages travel sealed */
	END,
};
static const struct jail_group io = { "open descriptors, channels, memfds", io_rules };

/* libevent's loop. */
static const struct jail_rule loop_rules[] = {
	OK("epoll_create"), OK("epoll_create1"), OK("epoll_ctl"), OK("epoll_wait"),
	OK("epoll_pwait"), OK("epoll_pwait2"),
	OK("timerfd_create"), OK("timerfd_settime"), OK("timerfd_gettime"),
	OK("signalfd4"),
	OK("socketpair"), /* only AF_UNIX has pairs: wake-ups, and a job's channel in control */
	END,
};
static const struct jail_group loop = { "event loop", loop_rules };

/* Memory is never both ours to write and the processor's to run. */
static const struct jail_rule no_exec_rules[] = {
	OK_IF("mmap", JAIL_PROT_NO_EXEC), OK_IF("mprotect", JAIL_PROT_NO_EXEC),
	END,
};
static const struct jail_group no_exec = { "mappings without PROT_EXEC", no_exec_rules };

/*
 * The same where name lookups may dlopen an NSS module (nsswitch.conf names them):
 * the module is refused, the lookup goes on to the next source.
 */
static const struct jail_rule no_exec_soft_rules[] = {
	OK_IF("mmap", JAIL_PROT_NO_EXEC), OK_IF("mprotect", JAIL_PROT_NO_EXEC),
	SOFT_IF("mmap", JAIL_PROT_EXEC, EACCES), SOFT_IF("mprotect", JAIL_PROT_EXEC, EACCES),
	END,
};
static const struct jail_group no_exec_soft = { "mappings without PROT_EXEC", no_exec_soft_rules };

/* Threads: curl's resolver, a disk sync or a table build beside the loop. */
static const struct jail_rule thread_rules[] = { OK_IF("clone", JAIL_CLONE_THREAD), END };
static const struct jail_group thread = { "threads", thread_rules };

/* Sockets handed in already connected or listening; sendto() may not name a stranger. */
static const struct jail_rule send_rules[] = { OK_IF("sendto", JAIL_NO_ADDRESS), END };
static const struct jail_group send_connected = { "send on connected sockets", send_rules };

/* Serving on listeners that were handed in. */
static const struct jail_rule serve_rules[] = {
	OK("accept"), OK("accept4"), OK_IF("setsockopt", JAIL_SETSOCKOPT),
	OK("sendto"), /* hot: no condition. An edge has no socket it could name an address on */
	SOFT("socket", EACCES), /* getnameinfo() of a link-local peer asks; it must not kill us */
	END,
};
static const struct jail_group serve = { "accept and serve", serve_rules };

/* Going out: name lookups and TCP. */
static const struct jail_rule connect_rules[] = {
	OK_IF("socket", JAIL_SOCKET_INET),
	SOFT_IF("socket", JAIL_SOCKET_UNIX, EACCES),  /* nscd, systemd-resolved */
	SOFT_IF("socket", JAIL_SOCKET_OTHER, EACCES), /* getaddrinfo's netlink question */
	SOFT_IF("socket", JAIL_SOCKET_RAW, EACCES),
	OK("connect"), OK("sendto"), OK("sendmmsg"), OK("recvmmsg"),
	OK_IF("setsockopt", JAIL_SETSOCKOPT),
	SOFT("bind", EACCES),
	END,
};
static const struct jail_group go_out = { "connect out, name lookup", connect_rules };

/* Reading files, where Landlock has places for it. */
static const struct jail_rule files_read_rules[] = {
	OK_IF("openat", JAIL_OPEN_READ), SOFT_IF("openat", JAIL_OPEN_OTHER, EACCES),
	OK("stat"), OK("lstat"), OK("access"), OK("faccessat"), OK("faccessat2"),
	OK("readlink"), OK("readlinkat"), OK("getdents64"), OK("getcwd"),
	OK("statfs"), OK("fstatfs"),
	SOFT("open", EACCES), /* glibc's open() is openat() */
	END,
};
static const struct jail_group files_read = { "read files", files_read_rules };

/* Keeping files: databases, logs, images. truncate(2) is nobody's: ABI < 3 does not cover it. */
static const struct jail_rule files_keep_rules[] = {
	OK("openat"), OK("stat"), OK("lstat"), OK("access"), OK("faccessat"), OK("faccessat2"),
	OK("readlink"), OK("readlinkat"), OK("getdents64"), OK("getcwd"),
	OK("statfs"), OK("fstatfs"),
	OK("unlink"), OK("unlinkat"), OK("rename"), OK("renameat"), OK("renameat2"),
	OK("link"), OK("linkat"), OK("mkdir"), OK("mkdirat"), OK("rmdir"),
	OK("fchmod"), OK("fchmodat"), OK("utimensat"), OK("flock"), OK("syncfs"),
	OK("chdir"), OK("fchdir"),
	SOFT("fchown", EPERM), SOFT("fchownat", EPERM), SOFT("chown", EPERM), /* SQLite as root */
	SOFT("open", EACCES),
	SOFT("copy_file_range", ENOSYS), /* copies go through memory that is hashed */
	END,
};
static const struct jail_group files_keep = { "keep files", files_keep_rules };

/* There are no files: openssl.cnf, time zones, locales are simply not there. */
static const struct jail_rule no_files_rules[] = {
	SOFT("openat", ENOENT), SOFT("open", ENOENT), SOFT("stat", ENOENT), SOFT("lstat", ENOENT),
	SOFT("access", ENOENT), SOFT("faccessat", ENOENT), SOFT("faccessat2", ENOENT),
	SOFT("readlink", ENOENT), SOFT("readlinkat", ENOENT), SOFT("getcwd", ENOENT),
	SOFT("statfs", ENOENT),
	END,
};
static const struct jail_group no_files = { "no files by name", no_files_rules };

/* Calls that a library makes and takes no for an answer. */
static const struct jail_rule soft_rules[] = {
	SOFT("clone3", ENOSYS), /* its flags are behind a pointer; glibc falls back to clone */
	SOFT("setpriority", EPERM), SOFT("getpriority", EPERM), SOFT("sched_setaffinity", EPERM),
	SOFT("sched_setscheduler", EPERM), SOFT("sched_getscheduler", EPERM),
	SOFT("sched_getparam", EPERM),
	SOFT("mbind", EPERM), SOFT("get_mempolicy", EPERM), SOFT("ioprio_set", EPERM),
	SOFT("setrlimit", EPERM), SOFT("fgetxattr", ENOTSUP), SOFT("listxattr", ENOTSUP),
	SOFT("getxattr", ENOTSUP), SOFT("lgetxattr", ENOTSUP), SOFT("flistxattr", ENOTSUP),
	END,
};
static const struct jail_group soft = { "refused politely", soft_rules };

/* A fetcher: its job, which says how large the image may be, comes when the jail is closed. */
static const struct jail_rule own_limit_rules[] = {
	OK_IF("prlimit64", JAIL_LIMIT_OWN),
	END,
};
static const struct jail_group own_limit = { "lower its own limits", own_limit_rules };

/*
 * The supervisor: starts the others, and so its filter must let them start
 * (loader, id change, entering their own jail). It reads no network byte.
 */
static const struct jail_rule supervise_rules[] = {
	OK_IF("clone", JAIL_CLONE_PROCESS), /* fork() */
	OK_IF("execveat", JAIL_EXEC_FD), /* programs are held open: none is run by path */
	OK("wait4"), OK("waitid"), OK("pidfd_open"), OK("pidfd_send_signal"),
	OK("kill"), OK("tgkill"),
	OK("setsid"), OK("setpgid"),
	OK("mmap"), OK("mprotect"), /* the loader of whatever it starts */
	OK_IF("prlimit64", JAIL_LIMIT_OWN), OK("setrlimit"), OK_IF("prctl", JAIL_PRCTL_SETUP),
	OK_IF("unshare", JAIL_UNSHARE_NET),
	OK("setgroups"), OK("setresuid"), OK("setresgid"), OK("setuid"), OK("setgid"),
	OK("setreuid"), OK("setregid"), OK("capset"),
	OK("seccomp"), OK("landlock_create_ruleset"), OK("landlock_add_rule"),
	OK("landlock_restrict_self"),
	OK("chown"), OK("fchown"), OK("fchownat"), OK("chmod"),
	OK_IF("socket", JAIL_SOCKET_UNIX), /* halt.sock, sd_notify */
	OK_IF("socket", JAIL_SOCKET_INET), /* listeners; upstream's connections */
	SOFT_IF("socket", JAIL_SOCKET_OTHER, EACCES), SOFT_IF("socket", JAIL_SOCKET_RAW, EACCES),
	OK("bind"), OK("listen"), OK("accept"), OK("accept4"), OK_IF("setsockopt", JAIL_SETSOCKOPT),
	OK("connect"), OK("sendto"), OK("sendmmsg"), OK("recvmmsg"), OK("open"),
	END,
};
static const struct jail_group supervise = { "start, watch and stop roles", supervise_rules };

/* What a supervisor beside that must hold for a decision hook, which inherits it. */
static const struct jail_rule launch_rules[] = {
	OK("execve"), OK("execveat"), OK("vfork"), OK("fork"),
	END,
};
static const struct jail_group launch = { "let a decision hook start programs", launch_rules };

/*
 * The decision hook: a program that nobody here wrote, with its interpreter and what that starts. Files are
 * Landlock's to judge (a shell writes to /dev/null). It signals nobody but all of itself, and nothing leaves its
 * process group: by that it is killed. Sockets are refused, so that it hears why.
 */
static const struct jail_rule hook_rules[] = {
	OK("execve"), OK("execveat"), OK_IF("clone", JAIL_CLONE_PROCESS), OK("vfork"), OK("fork"),
	OK("wait4"), OK("waitid"), OK("pidfd_open"),
	OK("mmap"), OK("mprotect"), /* loaders, and interpreters that compile */
	OK_IF("prlimit64", JAIL_LIMIT_OWN), OK("setrlimit"),
	OK("openat"), OK("stat"), OK("lstat"), OK("access"), OK("faccessat"), OK("faccessat2"),
	OK("readlink"), OK("readlinkat"), OK("getdents64"), OK("getcwd"), OK("statfs"), OK("fstatfs"),
	OK("chdir"), OK("fchdir"),
	OK_IF("kill", JAIL_OWN_GROUP), SOFT_IF("kill", JAIL_OTHER_GROUP, EPERM), SOFT("tgkill", EPERM), SOFT("setsid", EPERM), SOFT("setpgid", EPERM),
	SOFT("socket", EACCES), SOFT("connect", EACCES), SOFT("bind", EACCES), SOFT("open", EACCES),
	SOFT("mkdir", EACCES), SOFT("mkdirat", EACCES), SOFT("rmdir", EACCES), SOFT("unlink", EACCES),
	SOFT("unlinkat", EACCES), SOFT("rename", EACCES), SOFT("renameat", EACCES), SOFT("renameat2", EACCES),
	SOFT("link", EACCES), SOFT("linkat", EACCES), SOFT("chmod", EPERM), SOFT("fchmod", EPERM),
	SOFT("fchmodat", EPERM), SOFT("chown", EPERM), SOFT("fchown", EPERM), SOFT("fchownat", EPERM),
	SOFT("utimensat", EPERM), SOFT("copy_file_range", ENOSYS),
	END,
};
static const struct jail_group run_hook = { "run a program of the operator's", hook_rules };

/* ---- places ------------------------------------------------------------ */

#define KEEP (JAIL_READ | JAIL_WRITE | JAIL_MAKE)

static const struct jail_grant no_grants[] = { { JAIL_SLOT_NONE, 0 } };
static const struct jail_fixed no_fixed[] = { { NULL, 0 } };

/*
 * A Landlock domain is inherited, so the supervisor's holds what every role
 * later narrows. It reads anything: it opens secrets and configuration on
 * behalf of others. It writes under its two directories alone.
 */
static const struct jail_grant supervisor_grants[] = {
	{ JAIL_SLOT_PROGRAMS, JAIL_READ | JAIL_EXEC },
	{ JAIL_SLOT_DATA, KEEP | JAIL_SOCKET }, /* SOCKET: all in one directory */
	{ JAIL_SLOT_RUN, KEEP | JAIL_SOCKET },
	{ JAIL_SLOT_CONFIG, JAIL_READ },
	{ JAIL_SLOT_NONE, 0 },
};
static const struct jail_fixed supervisor_fixed[] = {
	{ "/", JAIL_READ },
	{ "/dev/null", JAIL_READ | JAIL_WRITE },
	/* The loader itself must be executable; the libraries it maps need only be readable. */
	{ "/lib64/ld-linux-x86-64.so.2", JAIL_READ | JAIL_EXEC },
	{ "/lib/ld-linux-aarch64.so.1", JAIL_READ | JAIL_EXEC },
	{ "/lib/ld-linux-armhf.so.3", JAIL_READ | JAIL_EXEC },
	{ "/lib/ld-linux-riscv64-lp64d.so.1", JAIL_READ | JAIL_EXEC },
	{ "/lib64/ld64.so.2", JAIL_READ | JAIL_EXEC },
	{ NULL, 0 },
};

/*
 * What a program of this system needs to run, to be read and executed, and nothing that anybody writes: no /etc but for
 * the loader and the interpreters' own, no /var, no /run, no /proc, no /home, no /tmp.
 */
#define HOOK_PLACES \
	{ "/usr", JAIL_READ | JAIL_EXEC }, { "/bin", JAIL_READ | JAIL_EXEC }, { "/sbin", JAIL_READ | JAIL_EXEC }, \
	{ "/lib", JAIL_READ | JAIL_EXEC }, { "/lib64", JAIL_READ | JAIL_EXEC }

static const struct jail_fixed launcher_fixed[] = {
	{ "/", JAIL_READ },
	{ "/dev/null", JAIL_READ | JAIL_WRITE },
	HOOK_PLACES,
	{ NULL, 0 },
};
static const struct jail_fixed hook_fixed[] = {
	HOOK_PLACES,
	{ "/etc/ld.so.cache", JAIL_READ }, { "/etc/ld.so.preload", JAIL_READ }, { "/etc/alternatives", JAIL_READ },
	{ "/etc/localtime", JAIL_READ }, { "/etc/python3", JAIL_READ }, { "/etc/python3.11", JAIL_READ },
	{ "/etc/perl", JAIL_READ }, { "/dev/null", JAIL_READ | JAIL_WRITE }, { "/dev/zero", JAIL_READ },
	{ "/dev/urandom", JAIL_READ }, { "/dev/random", JAIL_READ },
	{ NULL, 0 },
};

static const struct jail_grant upstream_grants[] = {
	{ JAIL_SLOT_TRUST, JAIL_READ },
	{ JAIL_SLOT_NONE, 0 },
};
static const struct jail_fixed upstream_fixed[] = {
	/* How names are looked up. */
	{ "/etc/resolv.conf", JAIL_READ }, { "/etc/hosts", JAIL_READ },
	{ "/etc/nsswitch.conf", JAIL_READ },
	{ "/etc/host.conf", JAIL_READ }, { "/etc/gai.conf", JAIL_READ },
	{ "/etc/services", JAIL_READ }, { "/etc/protocols", JAIL_READ },
	{ "/run/systemd/resolve", JAIL_READ }, { "/run/resolvconf", JAIL_READ },
	{ "/run/NetworkManager/resolv.conf", JAIL_READ },
	/* Which CAs the machine trusts. */
	{ "/etc/ssl/certs", JAIL_READ }, { "/etc/ssl/openssl.cnf", JAIL_READ },
	{ "/usr/share/ca-certificates", JAIL_READ },
	{ "/usr/local/share/ca-certificates", JAIL_READ },
	{ NULL, 0 },
};

static const struct jail_grant control_grants[] = {
	{ JAIL_SLOT_STATE, KEEP }, { JAIL_SLOT_QUARANTINE, KEEP }, { JAIL_SLOT_REPORTS, KEEP },
	{ JAIL_SLOT_STATEMENTS, KEEP },
	{ JAIL_SLOT_AUTHORITY, JAIL_READ }, { JAIL_SLOT_AUDIT, JAIL_READ }, /* it replays the log */
	{ JAIL_SLOT_NONE, 0 },
};
static const struct jail_fixed control_fixed[] = {
	{ "/dev/urandom", JAIL_READ }, /* SQLite's own generator */
	{ "/etc/group", JAIL_READ }, { "/etc/nsswitch.conf", JAIL_READ }, /* operator groups */
	{ "/etc/ssl/openssl.cnf", JAIL_READ },
	{ NULL, 0 },
};

static const struct jail_grant warden_grants[] = {
	{ JAIL_SLOT_APPROVED, KEEP }, { JAIL_SLOT_AUTHORITY, KEEP },
	{ JAIL_SLOT_NONE, 0 },
};
static const struct jail_grant audit_grants[] = {
	{ JAIL_SLOT_AUDIT, KEEP }, { JAIL_SLOT_AUTHORITY, JAIL_READ },
	{ JAIL_SLOT_NONE, 0 },
};
static const struct jail_grant witness_grants[] = {
	{ JAIL_SLOT_WITNESS, KEEP },
	{ JAIL_SLOT_NONE, 0 },
};
static const struct jail_fixed openssl_fixed[] = {
	{ "/etc/ssl/openssl.cnf", JAIL_READ },
	{ NULL, 0 },
};

/* ---- roles ------------------------------------------------------------- */

static const struct jail_group *const supervisor_groups[] = {
	&base, &own_signals, &io, &loop, &thread, &files_keep, &soft, &supervise, NULL,
};
static const struct jail_group *const launcher_groups[] = {
	&base, &own_signals, &io, &loop, &thread, &files_keep, &soft, &supervise, &launch, NULL,
};
static const struct jail_group *const hook_groups[] = {
	&base, &io, &loop, &send_connected, &soft, &run_hook, NULL,
};
static const struct jail_group *const config_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec, &send_connected, &no_files, &soft, NULL,
};
static const struct jail_group *const edge_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec, &serve, &no_files, &soft, NULL,
};
static const struct jail_group *const console_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec, &serve, &no_files, &soft, NULL,
};
static const struct jail_group *const upstream_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec_soft, &thread, &go_out, &files_read, &own_limit, &soft, NULL,
};
static const struct jail_group *const inspect_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec, &send_connected, &no_files, &own_limit, &soft, NULL,
};
static const struct jail_group *const control_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec_soft, &thread, &serve, &files_keep, &soft, NULL,
};
static const struct jail_group *const warden_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec, &send_connected, &files_keep, &soft, NULL,
};
static const struct jail_group *const audit_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec, &thread, &send_connected, &files_keep, &soft, NULL,
};
static const struct jail_group *const witness_groups[] = {
	&base, &own_signals, &io, &loop, &no_exec, &serve, &files_keep, &soft, NULL,
};

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* Files and processes of other users, ids, namespaces, limits, low ports. */
#define SUPERVISOR_CAPS \
	(CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(KILL) | CAP(SETUID) | CAP(SETGID) | CAP(SYS_ADMIN) | \
	    CAP(SYS_RESOURCE) | CAP(NET_BIND_SERVICE))

/* Connections of one edge; the supervisor must not hold less, limits are inherited. */
#define EDGE_FILES 262144

static const struct jail_table tables[] = {
	{
		.role = JAIL_SUPERVISOR,
		.name = "supervisor",
		.groups = supervisor_groups,
		.grants = supervisor_grants,
		.fixed = supervisor_fixed,
		.limits = { .files = EDGE_FILES },
		.caps = SUPERVISOR_CAPS,
		.network = true,
		.tcp_connect = true, /* upstream inherits this domain */
		.tcp_bind = true,    /* listeners of a new configuration */
		.abstract_unix = true, /* NOTIFY_SOCKET may be one */
	},
	{
		.role = JAIL_CONFIG,
		.name = "config",
		.groups = config_groups,
		.grants = no_grants,
		.fixed = no_fixed,
		.limits = { .files = 64, .data = 256 * MIB, .cpu = 20, .fsize = 16 * MIB,
		    .no_tasks = true },
	},
	{
		.role = JAIL_EDGE,
		.name = "edge",
		.groups = edge_groups,
		.grants = no_grants,
		.fixed = no_fixed,
		.limits = { .files = EDGE_FILES, .no_tasks = true },
	},
	{
		.role = JAIL_UPSTREAM,
		.name = "upstream",
		.groups = upstream_groups,
		.grants = upstream_grants,
		.fixed = upstream_fixed,
		/* Until the fetcher has its job and lowers it to that one's cap. */
		.limits = { .files = 256, .data = 512 * MIB, .cpu = 3600, .fsize = 64 * GIB },
		.network = true,
		.tcp_connect = true,
	},
	{
		.role = JAIL_INSPECT,
		.name = "inspect",
		.groups = inspect_groups,
		.grants = no_grants,
		.fixed = no_fixed,
		/* fsize: what two images expand to, until the job is known and lowers it (2 MiB of reply, scratch memfds). */
		.limits = { .files = 64, .data = 1 * GIB, .cpu = 600, .fsize = 4 * GIB,
		    .no_tasks = true },
	},
	{
		.role = JAIL_CONTROL,
		.name = "control",
		.groups = control_groups,
		.grants = control_grants,
		.fixed = control_fixed,
		.limits = { .files = 16384 },
	},
	{
		.role = JAIL_WARDEN,
		.name = "warden",
		.groups = warden_groups,
		.grants = warden_grants,
		.fixed = openssl_fixed,
		.limits = { .files = 4096, .no_tasks = true },
	},
	{
		.role = JAIL_AUDIT,
		.name = "audit",
		.groups = audit_groups,
		.grants = audit_grants,
		.fixed = openssl_fixed,
		.limits = { .files = 4096 },
	},
	{
		.role = JAIL_CONSOLE,
		.name = "console",
		.groups = console_groups,
		.grants = no_grants,
		.fixed = no_fixed,
		/* CONSOLE_CONNS (gateway/console) and a file that is on its way for each; a body in memory for each. */
		.limits = { .files = 16384, .data = 1 * GIB, .fsize = 1 * MIB, .no_tasks = true },
	},
	{
		.role = JAIL_WITNESS,
		.name = "witness",
		.groups = witness_groups,
		.grants = witness_grants,
		.fixed = openssl_fixed,
		/* A request is 64 KiB, a file it keeps smaller. */
		.limits = { .files = 1024, .data = 256 * MIB, .fsize = 1 * MIB, .no_tasks = true },
		.network = true, /* it was started on its own, with the listener it has */
	},
	{
		.role = JAIL_LAUNCHER,
		.name = "launcher",
		.groups = launcher_groups,
		.grants = supervisor_grants,
		.fixed = launcher_fixed,
		.limits = { .files = EDGE_FILES },
		.caps = SUPERVISOR_CAPS,
		.network = true,
		.tcp_connect = true,
		.tcp_bind = true,
		.abstract_unix = true,
	},
	{
		.role = JAIL_HOOK,
		.name = "hook",
		.groups = hook_groups,
		.grants = no_grants,
		.fixed = hook_fixed,
		/* Memory, time, processes and files are limited by gateway/hook, as configured. */
		.limits = { .files = 64 },
	},
};

const struct jail_table *
jail_table_of(enum jail_role role)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i].role == role)
			return &tables[i];
	return NULL;
}

unsigned
jail_table_rights(const struct jail_table *t, enum jail_slot slot)
{
	for (const struct jail_grant *g = t->grants; g->slot != JAIL_SLOT_NONE; g++)
		if (g->slot == slot)
			return g->rights;
	return 0;
}

const struct jail_rule *
jail_table_find(const struct jail_table *t, const char *name, enum jail_when when)
{
	for (size_t g = 0; t->groups[g]; g++)
		for (const struct jail_rule *r = t->groups[g]->rules; r->name; r++)
			if (r->when == when && strcmp(r->name, name) == 0)
				return r;
	return NULL;
}

bool
jail_table_always(const struct jail_table *t, const char *name)
{
	for (size_t g = 0; t->groups[g]; g++)
		for (const struct jail_rule *r = t->groups[g]->rules; r->name; r++)
			if (r->verb == JAIL_ALLOW && r->when == JAIL_ALWAYS &&
			    strcmp(r->name, name) == 0)
				return true;
	return false;
}
