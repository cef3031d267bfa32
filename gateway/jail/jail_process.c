/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/jail/jail_process.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/jail/jail_why.h"

#if defined(__SANITIZE_THREAD__)
#define RUNTIME_HAS_THREAD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RUNTIME_HAS_THREAD 1
#endif
#endif

int
jail_process_one_thread(char *why, size_t cap)
{
#ifdef RUNTIME_HAS_THREAD
	(void)why, (void)cap; /* the thread sanitizer's own */
	return 0;
#else
	/* A no-op for a process of one thread and EINVAL for any other; needs no /proc. */
	if (unshare(CLONE_THREAD) < 0)
		return jail_why(why, cap,
				"the process already has threads, which would stay outside: %s",
				strerror(errno));
	return 0;
#endif
}

int
jail_process_new_netns(char *why, size_t cap)
{
	if (unshare(CLONE_NEWNET) < 0)
		return jail_why(why, cap, "no empty network namespace: %s", strerror(errno));
	return 0;
}

/* Capabilities held now, 0 if the kernel will not say. */
static uint64_t
caps_held(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

int
jail_process_bound(const struct jail_table *t, char *why, size_t cap)
{
	/* Only who may exec as uid 0 gains from the bounding set; only root can lower it. */
	if (t->caps == 0 || !(caps_held() & UINT64_C(1) << CAP_SETPCAP))
		return 0;
	for (unsigned c = 0; c < 64; c++) {
		if (t->caps & UINT64_C(1) << c)
			continue;
		int r = prctl(PR_CAPBSET_READ, (unsigned long)c, 0UL, 0UL, 0UL);
		if (r < 0)
			break; /* beyond this kernel's last capability */
		if (r == 1 && prctl(PR_CAPBSET_DROP, (unsigned long)c, 0UL, 0UL, 0UL) < 0)
			return jail_why(why, cap, "capability %u stays in the bounding set: %s", c,
					strerror(errno));
	}
	return 0;
}

/* Lower a limit, soft and hard; never raises one. */
static int
lower(int resource, const char *name, uint64_t most, char *why, size_t cap)
{
	struct rlimit now;
	if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return jail_why(why, cap, "limit %s: %s", name, strerror(errno));
	rlim_t value = most < now.rlim_max ? (rlim_t)most : now.rlim_max;
	struct rlimit set = {.rlim_cur = value, .rlim_max = value};
	/* SIGXCPU first, so that the parent can tell a spent budget from a kill. */
	if (resource == RLIMIT_CPU && value < now.rlim_max)
		set.rlim_max = value + 1;
	if (setrlimit((__rlimit_resource_t)resource, &set) < 0)
		return jail_why(why, cap, "limit %s: %s", name, strerror(errno));
	return 0;
}

/* As many descriptors as wanted, or as the hard limit has where it may not be raised. */
static int
limit_files(uint64_t want, char *why, size_t cap)
{
	struct rlimit set = {.rlim_cur = want, .rlim_max = want};
	if (setrlimit(RLIMIT_NOFILE, &set) == 0)
		return 0;
	return lower(RLIMIT_NOFILE, "NOFILE", want, why, cap);
}

int
jail_process_limit(const struct jail_table *t, const struct jail_options *opt, char *why,
		   size_t cap)
{
	const struct jail_limits *l = &t->limits;
	uint64_t cpu = opt->cpu_seconds ? opt->cpu_seconds : l->cpu;
	uint64_t fsize = opt->max_file ? opt->max_file : l->fsize;
	int r = lower(RLIMIT_CORE, "CORE", 0, why, cap);
	if (r == 0 && l->files)
		r = limit_files(l->files, why, cap);
	if (r == 0 && cpu)
		r = lower(RLIMIT_CPU, "CPU", cpu, why, cap);
	if (r == 0 && fsize) {
		/* A write beyond the limit fails with EFBIG; a log on stderr that is a long file
		 * must not kill us either. */
		signal(SIGXFSZ, SIG_IGN);
		r = lower(RLIMIT_FSIZE, "FSIZE", fsize, why, cap);
	}
	if (FG_JAIL_SANITIZER) /* shadow memory; the leak checker is a process of its own */
		return r;
	if (r == 0 && l->data)
		r = lower(RLIMIT_DATA, "DATA", l->data, why, cap);
	if (r == 0 && l->no_tasks)
		r = lower(RLIMIT_NPROC, "NPROC", 0, why, cap);
	return r;
}

int
jail_process_become(const struct jail_options *opt, char *why, size_t cap)
{
	if (opt->uid == 0 || opt->gid == 0 || opt->uid == (uid_t)-1 || opt->gid == (gid_t)-1)
		return jail_why(why, cap, "user %u and group %u are not ones to become", opt->uid,
				opt->gid);
	if (setgroups(0, NULL) < 0)
		return jail_why(why, cap, "supplementary groups stay: %s", strerror(errno));
	if (setresgid(opt->gid, opt->gid, opt->gid) < 0)
		return jail_why(why, cap, "group %u: %s", opt->gid, strerror(errno));
	if (setresuid(opt->uid, opt->uid, opt->uid) < 0)
		return jail_why(why, cap, "user %u: %s", opt->uid, strerror(errno));

	uid_t r, e, s;
	gid_t rg, eg, sg;
	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0 || getgroups(0, NULL) != 0 ||
	    r != opt->uid || e != opt->uid || s != opt->uid || rg != opt->gid || eg != opt->gid ||
	    sg != opt->gid)
		return jail_why(why, cap, "the kernel did not change all ids");
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) == 0)
		return jail_why(why, cap, "user 0 or group 0 came back after it was given up");
	return 0;
}

int
jail_process_keep_caps(const struct jail_table *t, char *why, size_t cap)
{
	if (prctl(PR_CAP_AMBIENT, (unsigned long)PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) < 0)
		return jail_why(why, cap, "ambient capabilities stay: %s", strerror(errno));
	uint64_t keep = caps_held() & t->caps;
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
	    {.effective = (uint32_t)keep, .permitted = (uint32_t)keep, .inheritable = 0},
	    {.effective = (uint32_t)(keep >> 32),
	     .permitted = (uint32_t)(keep >> 32),
	     .inheritable = 0},
	};
	if (syscall(SYS_capset, &head, data) < 0)
		return jail_why(why, cap, "capabilities stay: %s", strerror(errno));
	if (caps_held() != keep)
		return jail_why(why, cap, "the kernel did not drop all capabilities");
	return 0;
}

int
jail_process_seal(char *why, size_t cap)
{
	/* The leak checker of a sanitizer build attaches to its own process. */
	if (prctl(PR_SET_DUMPABLE, FG_JAIL_SANITIZER ? 1UL : 0UL, 0UL, 0UL, 0UL) < 0)
		return jail_why(why, cap, "the process stays dumpable: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0)
		return jail_why(why, cap, "no-new-privs refused: %s", strerror(errno));
	return 0;
}
