/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagated - the gateway's daemon. Called by a person or the service manager it
 * is the supervisor; called by the supervisor with --role=NAME it is that role.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/audit/audit.h"
#include "gateway/console/console.h"
#include "gateway/control/control.h"
#include "gateway/edge/edge.h"
#include "gateway/hook/hook.h"
#include "gateway/role/role.h"
#include "gateway/supervisor/config_child.h"
#include "gateway/supervisor/spawn.h"
#include "gateway/supervisor/supervisor.h"
#include "gateway/upstream/upstream.h"

#define EXIT_USAGE 2
#define EXIT_COULD_NOT 3
#define DEFAULT_CONFIG "/etc/fotagate/fotagate.conf"
#define ROLE_PREFIX "--role="
#define DROP_PREFIX "--drop="
#define UNSAFE_FLAG "--allow-running-without-sandbox"

#ifndef LANDLOCK_CREATE_RULESET_VERSION
#define LANDLOCK_CREATE_RULESET_VERSION (1U << 0)
#endif

/* ---- roles ---- */

/* UID:GID, both above 0, nothing behind. */
static bool
parse_drop(const char *s, struct jail_options *opt)
{
	unsigned long id[2];
	for (int i = 0; i < 2; i++) {
		char *end;
		errno = 0;
		id[i] = s[0] >= '0' && s[0] <= '9' ? strtoul(s, &end, 10) : 0;
		if (!id[i] || errno || id[i] >= UINT32_MAX || *end != (i == 0 ? ':' : '\0'))
			return false;
		s = end + 1;
	}
	opt->drop = true;
	opt->uid = (uid_t)id[0];
	opt->gid = (gid_t)id[1];
	return true;
}

/* A job without a boot dialogue: who it is to become stands in its arguments. */
static int
job_role(const char *name, int argc, char **argv)
{
	struct jail_options opt = { 0 };
	struct clock_source clock = clock_system();
	bool hook = strcmp(name, "hook") == 0;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], UNSAFE_FLAG) == 0)
			opt.unsafe_allowed = true;
		else if (strncmp(argv[i], DROP_PREFIX, sizeof DROP_PREFIX - 1) != 0 ||
		    !parse_drop(argv[i] + sizeof DROP_PREFIX - 1, &opt))
			return EXIT_USAGE;
	}
	opt.new_netns = hook && opt.drop;
	return hook ? hook_main(&opt) : upstream_main(&opt, &clock);
}

static int
config_role(const struct clock_source *clock)
{
	(void)clock; /* what it says must not depend on when */
	return config_child_main();
}

static const struct {
	const char *name;
	int (*main)(const struct clock_source *clock);
} roles[] = {
	{ "config", config_role },
	{ "edge", edge_main },
	{ "edge-try", edge_try_main },
	{ "control", control_main },
	{ "console", console_main },
	{ "console-try", console_try_main },
	{ "audit", audit_main },
};

static int
run_role(const char *name, int argc, char **argv)
{
	struct clock_source clock = clock_system();
	prctl(PR_SET_NAME, name); /* the program was started by descriptor: its name would be a number */
	program_invocation_short_name = (char *)(uintptr_t)name;
	if (fcntl(ROLE_FD, F_GETFD) < 0) {
		fputs("fotagated: roles are started by the supervisor\n", stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "upstream") == 0 || strcmp(name, "hook") == 0)
		return job_role(name, argc, argv);
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(name, roles[i].name) == 0 && argc == 2)
			return roles[i].main(&clock);
	return EXIT_USAGE;
}

/* ---- the daemon ---- */

static int
version(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	printf("fotagated " FG_VERSION "\n");
	printf("sanitizers: %s\n",
	       FG_JAIL_SANITIZER ? "yes; the roles' system call filters are OFF" : "no");
	printf("jail: Landlock ABI %ld, seccomp, no-new-privs\n", abi < 0 ? 0 : abi);
	return 0;
}

static int
usage(void)
{
	fputs("usage: fotagated [-n] [-c FILE]\n       fotagated --version\n", stderr);
	return EXIT_USAGE;
}

static int
beside(const char *dir, const char *name)
{
	char path[4096];
	int n = snprintf(path, sizeof path, "%s/%s", dir, name);
	return n > 0 && (size_t)n < sizeof path ? spawn_open(path) : -1;
}

static int
run_daemon(const char *config, bool check)
{
	char dir[4096];
	struct clock_source clock = clock_system();
	ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
	char *slash = n > 0 ? memrchr(dir, '/', (size_t)n) : NULL;
	if (!slash) {
		fputs("fotagated: /proc is not mounted\n", stderr);
		return EXIT_COULD_NOT;
	}
	slash[slash == dir] = '\0';
	const struct supervisor_options opt = {
		.config = config, .programs_dir = dir, .clock = &clock,
		.self_fd = spawn_open("/proc/self/exe"),
		.warden_fd = beside(dir, "fotagate-warden"),
		.inspect_fd = beside(dir, "fotagate-inspect"),
	};
	if (opt.self_fd < 0)
		return EXIT_COULD_NOT;
	return check ? supervisor_check(&opt) : supervisor_run(&opt);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config = DEFAULT_CONFIG;
	bool check = false;
	int c;
	if (argc >= 2 && strncmp(argv[1], ROLE_PREFIX, sizeof ROLE_PREFIX - 1) == 0)
		return run_role(argv[1] + sizeof ROLE_PREFIX - 1, argc, argv);
	while ((c = getopt_long(argc, argv, "c:n", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'V':
			return version();
		default:
			return usage();
		}
	}
	return optind == argc ? run_daemon(config, check) : usage();
}
