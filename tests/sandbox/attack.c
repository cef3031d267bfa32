/* SPDX-License-Identifier: Apache-2.0 */
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* The calls themselves, so that no library thinks before the kernel does. */
#define RESULT(expression) ((expression) < 0 ? errno : 0)

static int
open_passwd(const struct world *w)
{
	(void)w;
	return RESULT(open("/etc/passwd", O_RDONLY));
}

static int
open_beside(const struct world *w)
{
	return RESULT(open(w->beside, O_RDONLY));
}

static int
write_beside(const struct world *w)
{
	return RESULT(open(w->beside, O_WRONLY));
}

static int
create_outside(const struct world *w)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/new", w->outside);
	if (open(path, O_WRONLY | O_CREAT, 0666) < 0)
		return errno;
	unlink(path);
	return 0;
}

static int
truncate_beside(const struct world *w)
{
	return RESULT(truncate(w->beside, 7));
}

static int
connect_tcp(const struct world *w)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(w->port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? errno : RESULT(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

static int
listen_tcp(const struct world *w)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	(void)w;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return errno;
	return RESULT(listen(fd, 1));
}

static int
connect_unix(const struct world *w)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->unix_path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 ? errno : RESULT(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

static int
connect_abstract(const struct world *w)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", w->abstract);
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(w->abstract));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 ? errno : RESULT(connect(fd, (struct sockaddr *)&a, len));
}

static int
socket_raw(const struct world *w)
{
	(void)w;
	return RESULT(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int
socket_netlink(const struct world *w)
{
	(void)w;
	return RESULT(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
socket_packet(const struct world *w)
{
	(void)w;
	return RESULT(socket(AF_PACKET, SOCK_RAW, 0));
}

static int
socket_alg(const struct world *w)
{
	(void)w;
	return RESULT(socket(AF_ALG, SOCK_SEQPACKET, 0));
}

static int
fork_process(const struct world *w)
{
	(void)w;
	long pid = syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
	if (pid == 0)
		_exit(0);
	return RESULT(pid);
}

static int
exec_true(const struct world *w)
{
	char name[] = "true", *argv[] = {name, NULL}, *envp[] = {NULL};
	(void)w;
	execve("/bin/true", argv, envp);
	return errno;
}

/* Holding it open is no permission to run it. */
static int
exec_held(const struct world *w)
{
	char name[] = "true", *argv[] = {name, NULL}, *envp[] = {NULL};
	(void)w;
	int fd = open("/bin/true", O_PATH);
	if (fd >= 0)
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
	return errno;
}

static int
exec_memfd(const struct world *w)
{
	char name[] = "true", *argv[] = {name, NULL}, *envp[] = {NULL};
	syscall(SYS_execveat, w->true_memfd, "", argv, envp, AT_EMPTY_PATH);
	return errno;
}

static int
ptrace_sibling(const struct world *w)
{
	return RESULT(ptrace(PTRACE_SEIZE, w->sibling, NULL, NULL));
}

static int
read_sibling(const struct world *w)
{
	char got[sizeof(world_secret)];
	struct iovec to = {got, sizeof(got)};
	union {
		const char *from;
		void *base;
	} there = {world_secret}; /* forked from us: the same address */
	struct iovec from = {there.base, sizeof(world_secret)};
	if (process_vm_readv(w->sibling, &to, 1, &from, 1, 0) < 0)
		return errno;
	return memcmp(got, world_secret, sizeof(got)) == 0 ? 0 : EIO;
}

static int
kill_sibling(const struct world *w)
{
	return RESULT(kill(w->sibling, SIGUSR1));
}

static int
limit_sibling(const struct world *w)
{
	struct rlimit r;
	if (prlimit(w->sibling, RLIMIT_NICE, NULL, &r) < 0)
		return errno;
	return RESULT(prlimit(w->sibling, RLIMIT_NICE, &r, NULL));
}

static int
steal_fd(const struct world *w)
{
	long fd = syscall(SYS_pidfd_open, w->sibling, 0U);
	return fd < 0 ? errno : RESULT(syscall(SYS_pidfd_getfd, fd, 0, 0U));
}

static int
mmap_exec(const struct world *w)
{
	(void)w;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	return p == MAP_FAILED ? errno : 0;
}

static int
mprotect_exec(const struct world *w)
{
	(void)w;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? errno : RESULT(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
user_namespace(const struct world *w)
{
	(void)w;
	return RESULT(unshare(CLONE_NEWUSER));
}

static int
io_uring(const struct world *w)
{
	uint8_t params[120] = {0}; /* struct io_uring_params */
	(void)w;
	return RESULT(syscall(SYS_io_uring_setup, 1U, params));
}

static int
bpf_map(const struct world *w)
{
	union bpf_attr attr = {
	    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	(void)w;
	return RESULT(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int
key_ring(const struct world *w)
{
	(void)w;
	return RESULT(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0L, 0L, 0L));
}

static int
mount_tmpfs(const struct world *w)
{
	char at[96];
	snprintf(at, sizeof(at), "%s/mountpoint", w->dir);
	if (mount("none", at, "tmpfs", 0, NULL) < 0)
		return errno;
	umount2(at, MNT_DETACH);
	return 0;
}

static int
user_zero(const struct world *w)
{
	(void)w;
	return RESULT(setuid(0));
}

static int
perf_event(const struct world *w)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK,
				       .exclude_kernel = 1};
	(void)w;
	return RESULT(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL));
}

static int
user_fault(const struct world *w)
{
	(void)w;
	return RESULT(syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */ | O_CLOEXEC));
}

#ifdef __x86_64__
/* getpid by the 32-bit gate: other numbers, so a filter that forgot the gate is no filter. */
static int
gate_32(const struct world *w)
{
	long r;
	(void)w;
	__asm__ volatile("int $0x80" : "=a"(r) : "0"(20L) : "memory", "r8", "r9", "r10", "r11");
	return r > 0 ? 0 : (int)-r;
}
#endif

/* clang-format off */
/*                                    supervisor|config|edge|upstream|inspect|control|warden|audit|console|witness */
static const struct attack attacks[] = {
	{ "open-passwd",      open_passwd,      "AEEEEEEEEEAE" }, /* supervisor opens for others */
	{ "open-beside",      open_beside,      "AEEEEEEEEEAE" },
	{ "write-beside",     write_beside,     "EEEEEEEEEEEE" },
	{ "create-outside",   create_outside,   "EEEEEEEEEEEE" },
	{ "truncate",         truncate_beside,  "KKKKKKKKKKKK" },
	{ "connect-tcp",      connect_tcp,      "AKEAKEKKEEAE" }, /* upstream inherits the supervisor's */
	{ "listen-tcp",       listen_tcp,       "AKEEKEKKEEAE" },
	{ "connect-unix",     connect_unix,     "AKEEKEKKEEAE" }, /* sd_notify */
	{ "connect-abstract", connect_abstract, "AKEEKEKKEEAE" },
	{ "socket-raw",       socket_raw,       "EKEEKEKKEEEE" },
	{ "socket-netlink",   socket_netlink,   "EKEEKEKKEEEE" },
	{ "socket-packet",    socket_packet,    "EKEEKEKKEEEE" },
	{ "socket-alg",       socket_alg,       "EKEEKEKKEEEE" },
	{ "fork",             fork_process,     "AKKKKKKKKKAA" },
	{ "exec-true",        exec_true,        "KKKKKKKKKKAA" },
	{ "exec-held",        exec_held,        "EEEKEKKKEKAA" }, /* Landlock: the gateway's programs only */
	{ "exec-memfd",       exec_memfd,       "AKKKKKKKKKAA" }, /* no Landlock for memfds: PRIVSEP.md says so */
	{ "ptrace",           ptrace_sibling,   "KKKKKKKKKKKK" },
	{ "vm-read",          read_sibling,     "KKKKKKKKKKKK" },
	{ "kill",             kill_sibling,     "SKKKKKKKKKSE" },
	{ "prlimit",          limit_sibling,    "KKKKKKKKKKKK" },
	{ "pidfd-getfd",      steal_fd,         "KKKKKKKKKKKK" },
	{ "mmap-exec",        mmap_exec,        "AKKEKEKKKKAA" }, /* the loader of its children */
	{ "mprotect-exec",    mprotect_exec,    "AKKEKEKKKKAA" },
	{ "user-namespace",   user_namespace,   "KKKKKKKKKKKK" },
	{ "io-uring",         io_uring,         "KKKKKKKKKKKK" },
	{ "bpf",              bpf_map,          "KKKKKKKKKKKK" },
	{ "keyctl",           key_ring,         "KKKKKKKKKKKK" },
	{ "mount",            mount_tmpfs,      "KKKKKKKKKKKK" },
	{ "setuid-0",         user_zero,        "RKKKKKKKKKRK" },
	{ "perf-event",       perf_event,       "KKKKKKKKKKKK" },
	{ "userfaultfd",      user_fault,       "KKKKKKKKKKKK" },
#ifdef __x86_64__
	{ "32-bit-gate",      gate_32,          "KKKKKKKKKKKK" },
#endif
};
/* clang-format on */

const struct attack *
attack_list(size_t *ret_n)
{
	*ret_n = sizeof(attacks) / sizeof(attacks[0]);
	return attacks;
}
