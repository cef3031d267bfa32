/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a table's conditions to argument comparisons. A condition is a list of
 * alternatives; a call passes when all comparisons of one alternative hold.
 *
 * Comparisons see 64 bits of the register. Where the kernel reads an int, junk in
 * the upper half makes an equality fail (denied) and a mask ignore it (judged
 * as the kernel would).
 */
#include "gateway/jail/jail_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/jail/jail_why.h"

#define ARGS_MAX 3 /* comparisons in one alternative: socket needs three */

struct alternative {
	enum jail_when when;
	unsigned n;
	struct scmp_arg_cmp args[ARGS_MAX];
};

#define EQ(arg, value)                         \
	{                                      \
		(arg), SCMP_CMP_EQ, (value), 0 \
	}
#define NE(arg, value)                         \
	{                                      \
		(arg), SCMP_CMP_NE, (value), 0 \
	}
#define LT(arg, value)                         \
	{                                      \
		(arg), SCMP_CMP_LT, (value), 0 \
	}
#define GT(arg, value)                         \
	{                                      \
		(arg), SCMP_CMP_GT, (value), 0 \
	}
#define MASK(arg, mask, value)                             \
	{                                                  \
		(arg), SCMP_CMP_MASKED_EQ, (mask), (value) \
	}
#define IF1(when, a)       \
	{                  \
		(when), 1, \
		{          \
			a  \
		}          \
	}
#define IF2(when, a, b)      \
	{                    \
		(when), 2,   \
		{            \
			a, b \
		}            \
	}
#define IF3(when, a, b, c)      \
	{                       \
		(when), 3,      \
		{               \
			a, b, c \
		}               \
	}

#define NAMESPACES                                                                                \
	((scmp_datum_t)CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	 CLONE_NEWNET | CLONE_NEWCGROUP)
#define THREAD ((scmp_datum_t)CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define OPEN_CHANGES ((scmp_datum_t)O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))
#define SOCK_TYPE 0xf /* SOCK_CLOEXEC and SOCK_NONBLOCK live above */

/* clang-format off */
/*
 * Negations are spelt out: a rule may look at each argument once. Write-only,
 * read-write, and read-only with one of the changing flags.
 */
static const struct alternative alternatives[] = {
	IF1(JAIL_PROT_NO_EXEC, MASK(2, PROT_EXEC, 0)),
	IF1(JAIL_PROT_EXEC, MASK(2, PROT_EXEC, PROT_EXEC)),

	IF1(JAIL_OPEN_READ, MASK(2, OPEN_CHANGES, O_RDONLY)),
	IF1(JAIL_OPEN_OTHER, MASK(2, O_ACCMODE, O_WRONLY)),
	IF1(JAIL_OPEN_OTHER, MASK(2, O_ACCMODE, O_RDWR)),
	IF1(JAIL_OPEN_OTHER, MASK(2, O_CREAT, O_CREAT)),
	IF1(JAIL_OPEN_OTHER, MASK(2, O_TRUNC, O_TRUNC)),

	IF1(JAIL_CLONE_THREAD, MASK(0, NAMESPACES | THREAD, THREAD)),
	IF1(JAIL_CLONE_PROCESS, MASK(0, NAMESPACES, 0)),
	IF1(JAIL_UNSHARE_NET, EQ(0, CLONE_NEWNET)),
	IF1(JAIL_UNSHARE_NET, EQ(0, CLONE_THREAD)),

	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET), MASK(1, SOCK_TYPE, SOCK_STREAM), EQ(2, 0)),
	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET), MASK(1, SOCK_TYPE, SOCK_STREAM), EQ(2, IPPROTO_TCP)),
	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET), MASK(1, SOCK_TYPE, SOCK_DGRAM), EQ(2, 0)),
	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET), MASK(1, SOCK_TYPE, SOCK_DGRAM), EQ(2, IPPROTO_UDP)),
	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET6), MASK(1, SOCK_TYPE, SOCK_STREAM), EQ(2, 0)),
	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET6), MASK(1, SOCK_TYPE, SOCK_STREAM), EQ(2, IPPROTO_TCP)),
	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET6), MASK(1, SOCK_TYPE, SOCK_DGRAM), EQ(2, 0)),
	IF3(JAIL_SOCKET_INET, EQ(0, AF_INET6), MASK(1, SOCK_TYPE, SOCK_DGRAM), EQ(2, IPPROTO_UDP)),
	IF1(JAIL_SOCKET_UNIX, EQ(0, AF_UNIX)),
	/* Every family below, between and above AF_UNIX 1, AF_INET 2 and AF_INET6 10. */
	IF1(JAIL_SOCKET_OTHER, LT(0, AF_UNIX)),
	IF1(JAIL_SOCKET_OTHER, EQ(0, 3)),
	IF1(JAIL_SOCKET_OTHER, EQ(0, 4)),
	IF1(JAIL_SOCKET_OTHER, EQ(0, 5)),
	IF1(JAIL_SOCKET_OTHER, EQ(0, 6)),
	IF1(JAIL_SOCKET_OTHER, EQ(0, 7)),
	IF1(JAIL_SOCKET_OTHER, EQ(0, 8)),
	IF1(JAIL_SOCKET_OTHER, EQ(0, 9)),
	IF1(JAIL_SOCKET_OTHER, GT(0, AF_INET6)),

	IF2(JAIL_SOCKET_RAW, EQ(0, AF_INET), MASK(1, SOCK_TYPE, SOCK_RAW)),
	IF2(JAIL_SOCKET_RAW, EQ(0, AF_INET6), MASK(1, SOCK_TYPE, SOCK_RAW)),

	/* SOL_SOCKET without SO_ATTACH_FILTER 26 ... SO_ATTACH_REUSEPORT_EBPF 52. */
	IF2(JAIL_SETSOCKOPT, EQ(1, SOL_SOCKET), LT(2, SO_ATTACH_FILTER)),
	IF2(JAIL_SETSOCKOPT, EQ(1, SOL_SOCKET), EQ(2, SO_BUSY_POLL)),
	IF2(JAIL_SETSOCKOPT, EQ(1, SOL_SOCKET), EQ(2, SO_MAX_PACING_RATE)),
	IF2(JAIL_SETSOCKOPT, EQ(1, SOL_SOCKET), EQ(2, SO_INCOMING_CPU)),
	IF2(JAIL_SETSOCKOPT, EQ(1, SOL_SOCKET), GT(2, SO_ATTACH_REUSEPORT_EBPF)),
	IF1(JAIL_SETSOCKOPT, EQ(1, IPPROTO_IP)),
	IF1(JAIL_SETSOCKOPT, EQ(1, IPPROTO_IPV6)),
	IF2(JAIL_SETSOCKOPT, EQ(1, IPPROTO_TCP), NE(2, TCP_ULP)),

	IF1(JAIL_FCNTL, EQ(1, F_DUPFD)),
	IF1(JAIL_FCNTL, EQ(1, F_DUPFD_CLOEXEC)),
	IF1(JAIL_FCNTL, EQ(1, F_GETFD)),
	IF1(JAIL_FCNTL, EQ(1, F_SETFD)),
	IF1(JAIL_FCNTL, EQ(1, F_GETFL)),
	IF1(JAIL_FCNTL, EQ(1, F_SETFL)),
	IF1(JAIL_FCNTL, EQ(1, F_GETLK)),
	IF1(JAIL_FCNTL, EQ(1, F_SETLK)),
	IF1(JAIL_FCNTL, EQ(1, F_SETLKW)),
	IF1(JAIL_FCNTL, EQ(1, F_OFD_GETLK)),
	IF1(JAIL_FCNTL, EQ(1, F_OFD_SETLK)),
	IF1(JAIL_FCNTL, EQ(1, F_OFD_SETLKW)),
	IF1(JAIL_FCNTL, EQ(1, F_ADD_SEALS)),
	IF1(JAIL_FCNTL, EQ(1, F_GET_SEALS)),

	IF1(JAIL_IOCTL, EQ(1, FIONREAD)),
	IF1(JAIL_IOCTL, EQ(1, FIONBIO)),
	IF1(JAIL_IOCTL, EQ(1, FIOCLEX)),
	IF1(JAIL_IOCTL, EQ(1, FIONCLEX)),
	IF1(JAIL_IOCTL, EQ(1, TIOCOUTQ)), /* SIOCOUTQ: what a slow peer has not taken yet */
	IF1(JAIL_IOCTL, EQ(1, TCGETS)),
	IF1(JAIL_IOCTL, EQ(1, TIOCGWINSZ)),

	IF1(JAIL_PRCTL, EQ(0, PR_SET_NAME)),
	IF1(JAIL_PRCTL, EQ(0, PR_GET_NAME)),
	IF1(JAIL_PRCTL, EQ(0, PR_SET_PDEATHSIG)),
	IF1(JAIL_PRCTL, EQ(0, PR_GET_DUMPABLE)),
	IF1(JAIL_PRCTL, EQ(0, PR_GET_NO_NEW_PRIVS)),
	IF1(JAIL_PRCTL, EQ(0, PR_GET_SECCOMP)),
	IF1(JAIL_PRCTL, EQ(0, PR_CAPBSET_READ)),

	IF1(JAIL_PRCTL_SETUP, EQ(0, PR_SET_NO_NEW_PRIVS)),
	IF1(JAIL_PRCTL_SETUP, EQ(0, PR_SET_DUMPABLE)),
	IF1(JAIL_PRCTL_SETUP, EQ(0, PR_SET_SECCOMP)),
	IF1(JAIL_PRCTL_SETUP, EQ(0, PR_CAPBSET_DROP)),
	IF1(JAIL_PRCTL_SETUP, EQ(0, PR_CAP_AMBIENT)),
	IF1(JAIL_PRCTL_SETUP, EQ(0, PR_SET_CHILD_SUBREAPER)),

	IF1(JAIL_EXEC_FD, EQ(4, AT_EMPTY_PATH)),
	IF2(JAIL_LIMIT_READ, EQ(0, 0), EQ(2, 0)),
	IF1(JAIL_LIMIT_OWN, EQ(0, 0)),
	IF1(JAIL_NO_ADDRESS, EQ(4, 0)),
	IF1(JAIL_OWN_GROUP, EQ(0, 0)),
	IF1(JAIL_OTHER_GROUP, GT(0, 0)), /* as the kernel's registers are compared, negative ones too */
};
/* clang-format on */

static uint32_t
action_of(const struct jail_rule *rule)
{
	switch (rule->verb) {
	case JAIL_ALLOW:
		return SCMP_ACT_ALLOW;
	case JAIL_ERRNO:
		return SCMP_ACT_ERRNO((uint32_t)rule->error);
	case JAIL_KILL:
		break;
	}
	return SCMP_ACT_KILL_PROCESS;
}

/*
 * EOPNOTSUPP, EDOM and EFAULT come from calls that this architecture does not
 * have (open on arm64): nothing to permit there. EEXIST: two groups say the same.
 */
static int
settle(int r)
{
	return r == -EEXIST || r == -EOPNOTSUPP || r == -EDOM || r == -EFAULT ? 0 : r;
}

/* One rule of the table; 0 or a negative errno. */
static int
add_rule(scmp_filter_ctx ctx, const struct jail_rule *rule)
{
	int number = seccomp_syscall_resolve_name(rule->name);
	if (number == __NR_SCMP_ERROR)
		return -ENOSYS; /* a misspelt name would silently permit less than was meant */
	if (number < 0)
		return 0;
	uint32_t action = action_of(rule);
	if (rule->when == JAIL_ALWAYS)
		return settle(seccomp_rule_add_exact_array(ctx, action, number, 0, NULL));
	if (rule->when == JAIL_OWN_PID) {
		struct scmp_arg_cmp own = EQ(0, (scmp_datum_t)getpid());
		return settle(seccomp_rule_add_exact_array(ctx, action, number, 1, &own));
	}
	bool known = false;
	for (size_t i = 0; i < sizeof(alternatives) / sizeof(alternatives[0]); i++) {
		const struct alternative *a = &alternatives[i];
		if (a->when != rule->when)
			continue;
		known = true;
		int r = settle(seccomp_rule_add_exact_array(ctx, action, number, a->n, a->args));
		if (r < 0)
			return r;
	}
	return known ? 0 : -EINVAL;
}

static int
add_table(scmp_filter_ctx ctx, const struct jail_table *t, char *why, size_t cap)
{
	for (size_t g = 0; t->groups[g]; g++) {
		for (const struct jail_rule *rule = t->groups[g]->rules; rule->name; rule++) {
			bool widest = rule->verb == JAIL_ALLOW && rule->when == JAIL_ALWAYS;
			if (!widest && jail_table_always(t, rule->name))
				continue;
			int r = add_rule(ctx, rule);
			if (r < 0)
				return jail_why(
				    why, cap, "seccomp: the %s table's rule for %s was refused: %s",
				    t->name, rule->name, strerror(-r));
		}
	}
	return 0;
}

/* *ret is the caller's to release. */
static int
build(const struct jail_table *t, scmp_filter_ctx *ret, char *why, size_t cap)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!ctx)
		return jail_why(why, cap, "seccomp: no memory for the %s filter", t->name);
	/*
	 * OPTIMIZE 2: a binary tree instead of a list. no-new-privs is ours to set,
	 * earlier. Threads were excluded by jail_enter(); TSYNC holds even if not.
	 */
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_table(ctx, t, why, cap);
	else
		jail_why(why, cap, "seccomp: filter attributes refused: %s", strerror(-r));
	if (r < 0) {
		seccomp_release(ctx);
		return FG_ESANDBOX;
	}
	*ret = ctx;
	return 0;
}

int
jail_seccomp_load(const struct jail_table *t, char *why, size_t cap)
{
	scmp_filter_ctx ctx = NULL;
	int r = build(t, &ctx, why, cap);
	if (r < 0)
		return r;
	r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0)
		return jail_why(why, cap, "seccomp: the kernel refused the %s filter: %s", t->name,
				strerror(-r));
	return 0;
}

int
jail_seccomp_export(const struct jail_table *t, int fd, char *why, size_t cap)
{
	scmp_filter_ctx ctx = NULL;
	int r = build(t, &ctx, why, cap);
	if (r < 0)
		return r;
	r = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	if (r < 0)
		return jail_why(why, cap, "seccomp: the %s filter could not be written: %s",
				t->name, strerror(-r));
	return 0;
}
