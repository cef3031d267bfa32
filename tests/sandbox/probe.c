/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - from inside every role's jail: what must fail fails, and what the role lives
 * by works.
 *
 *	probe                the whole test
 *	probe -v             ... naming every answer that is not expected and every errno
 *	probe --work ROLE DIR PORT ROOT DNS    one role's ordinary work (see work.h)
 *
 * Every attack first runs with no jail, as the role's user and then as whoever
 * started the test, to show that it could succeed on this kernel. One that cannot is
 * named "not provable here" and proves nothing. As root everything runs
 * twice: roles started as root that drop to another user, and all unprivileged.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "gateway/jail/jail_landlock.h"
#include "work.h"
#include "world.h"

#define SKIPPED 77	  /* ctest's SKIP_RETURN_CODE */
#define PATIENCE 60	  /* seconds until a hung case is killed by SIGALRM */
#define NO_JAIL 200	  /* exit status: jail_enter() failed */
#define KILLED_INSIDE 201 /* ... the role under a supervisor died of SIGSYS */

/* How one case is run. */
enum setting {
	BARE,	   /* no jail, as whoever started the test */
	BARE_USER, /* no jail, as the user the role would have */
	ALONE,	   /* the role's jail */
	NESTED,	   /* the role's jail inside the supervisor's */
};

struct tally {
	unsigned held;
	unsigned wrong;
	unsigned unprovable;
	bool verbose;
};

static void
become_nobody(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(WORLD_NOBODY, WORLD_NOBODY, WORLD_NOBODY) < 0 ||
	    setresuid(WORLD_NOBODY, WORLD_NOBODY, WORLD_NOBODY) < 0)
		_exit(NO_JAIL);
	prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);
}

static void
enter_or_die(const struct world *w, enum jail_role role)
{
	char why[256] = "";
	struct jail_paths paths = world_paths(w, role);
	struct jail_options opt = world_options(w, role);
	if (jail_enter(role, &paths, &opt, NULL, why, sizeof(why)) == 0)
		return;
	fprintf(stderr, "%s: %s\n", jail_role_name(role), why);
	_exit(NO_JAIL);
}

/* Under whom a role lives. */
static enum jail_role
supervisor_of(enum jail_role role)
{
	return role == JAIL_HOOK ? JAIL_LAUNCHER : JAIL_SUPERVISOR;
}

static bool
supervises(enum jail_role role)
{
	return role == JAIL_SUPERVISOR || role == JAIL_LAUNCHER;
}

/* The child's half: never returns. */
static void
run_inside(const struct world *w, enum setting setting, enum jail_role role, const struct attack *a)
{
	struct rlimit none = {0};
	setrlimit(RLIMIT_CORE, &none);
	alarm(PATIENCE);
	if (setting == BARE_USER && w->root)
		become_nobody();
	if (setting == NESTED) {
		enter_or_die(w, supervisor_of(role));
		int status;
		pid_t pid = fork();
		if (pid > 0 && waitpid(pid, &status, 0) == pid)
			_exit(WIFEXITED(status)		   ? WEXITSTATUS(status)
			      : WTERMSIG(status) == SIGSYS ? KILLED_INSIDE
							   : NO_JAIL);
		if (pid != 0)
			_exit(NO_JAIL);
	}
	if (setting == ALONE || setting == NESTED)
		enter_or_die(w, role);
	_exit(a->run(w));
}

/* K, E (and *error), A, or ? when something else happened. */
static char
answer(const struct world *w, enum setting setting, enum jail_role role, const struct attack *a,
       int *error)
{
	int status = 0;
	*error = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		run_inside(w, setting, role, a);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return '?';
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? ANSWER_KILLED : '?';
	int code = WEXITSTATUS(status);
	if (code == KILLED_INSIDE)
		return ANSWER_KILLED;
	if (code >= NO_JAIL)
		return '?';
	*error = code;
	return code == 0 ? ANSWER_ALLOWED : ANSWER_REFUSED;
}

/* The letter that must come back. */
static char
expected(const struct world *w, const struct attack *a, enum jail_role role)
{
	char c = a->expect[role - JAIL_SUPERVISOR];
	if (c == 'S')
		return jail_landlock_abi() >= 6 ? ANSWER_REFUSED : ANSWER_ALLOWED;
	if (c == 'R')
		return w->root ? ANSWER_ALLOWED : ANSWER_REFUSED;
	return c;
}

static void
attack_roles(const struct world *w, enum setting setting, const struct attack *a, struct tally *t)
{
	printf("  ");
	for (int role = JAIL_SUPERVISOR; role < JAIL_ROLE_COUNT; role++) {
		int error;
		if (setting == NESTED && supervises((enum jail_role)role)) {
			putchar('.');
			continue;
		}
		char got = answer(w, setting, (enum jail_role)role, a, &error);
		char want = expected(w, a, (enum jail_role)role);
		putchar(got);
		if (got == want)
			t->held++;
		else
			t->wrong++;
		if (got != want || (t->verbose && error))
			fprintf(stderr, "%s%s in %s%s: %c (%s), expected %c\n",
				got == want ? "" : "WRONG: ", a->name,
				jail_role_name((enum jail_role)role),
				setting == NESTED ? " under the supervisor" : "", got,
				error ? strerrorname_np(error) : "-", want);
	}
}

static void
attack_all(struct world *w, struct tally *t)
{
	size_t n;
	const struct attack *list = attack_list(&n);
	printf("%-18s %-12s  alone     nested    %s\n", "attack", "unjailed",
	       "(supervisor config edge upstream inspect control warden audit console witness launcher hook)");
	for (size_t i = 0; i < n; i++) {
		int error;
		const char *could = "as the user";
		if (answer(w, BARE_USER, JAIL_NONE, &list[i], &error) != ANSWER_ALLOWED) {
			int as_root;
			could = w->root && answer(w, BARE, JAIL_NONE, &list[i], &as_root) ==
					       ANSWER_ALLOWED
				    ? "as root"
				    : NULL;
		}
		if (!could) {
			printf("%-18s not provable here: %s\n", list[i].name,
			       strerrorname_np(error));
			t->unprovable++;
			continue;
		}
		printf("%-18s %-12s", list[i].name, could);
		attack_roles(w, ALONE, &list[i], t);
		attack_roles(w, NESTED, &list[i], t);
		putchar('\n');
	}
}

/* ---- ordinary work ----------------------------------------------------- */

/* The program again, as a role is really started: exec, prepare, jail, work. Never returns. */
static void
exec_work(const struct world *w, enum jail_role role, bool nested)
{
	char self[128], port[16], name[16], dir[sizeof(w->dir)], work[] = "--work", one[] = "1",
								 zero[] = "0";
	alarm(PATIENCE);
	snprintf(name, sizeof(name), "%s", jail_role_name(role));
	snprintf(dir, sizeof(dir), "%s", w->dir);
	snprintf(self, sizeof(self), "%s/probe", w->bin);
	snprintf(port, sizeof(port), "%u", w->port);
	if (nested) {
		enter_or_die(w, supervisor_of(role));
		int status;
		pid_t pid = fork();
		if (pid > 0 && waitpid(pid, &status, 0) == pid)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		if (pid != 0)
			_exit(NO_JAIL);
	}
	int program = open(self, O_PATH | O_CLOEXEC); /* as the supervisor holds its programs */
	char *argv[] = {self, work, name, dir, port, w->root ? one : zero, w->dns ? one : zero,
			NULL};
	char *envp[] = {NULL};
	syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
	perror(self);
	_exit(NO_JAIL);
}

static void
work_all(const struct world *w, struct tally *t)
{
	for (int role = JAIL_SUPERVISOR; role < JAIL_ROLE_COUNT; role++) {
		for (int nested = 0; nested <= 1; nested++) {
			int status = 0;
			if (nested && supervises((enum jail_role)role))
				continue;
			fflush(NULL);
			pid_t pid = fork();
			if (pid == 0)
				exec_work(w, (enum jail_role)role, nested);
			bool ok = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
				  WEXITSTATUS(status) == 0;
			int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			printf("%-10s %-20s %s", jail_role_name((enum jail_role)role),
			       nested ? "under the supervisor" : "alone", ok ? "works" : "FAILS");
			if (!ok)
				printf(" (status %d%s)", code,
				       code == 128 + SIGSYS ? ": SIGSYS" : "");
			putchar('\n');
			ok ? t->held++ : t->wrong++;
		}
	}
}

/* 0 when all held. */
static int
run_all(struct world *w, bool verbose)
{
	struct tally t = {.verbose = verbose};
	world_sibling(w);
	printf("== %s; Landlock ABI %d%s\n",
	       w->root ? "started as root, roles drop to another user" : "unprivileged, one user",
	       jail_landlock_abi(),
	       w->dns ? "" : "; no name server of our own: upstream's fetch by name not tried");
	attack_all(w, &t);
	work_all(w, &t);
	printf("%u as expected, %u not, %u attacks not provable here\n\n", t.held, t.wrong,
	       t.unprovable);
	fflush(stdout);
	return t.wrong ? 1 : 0;
}

/* The same again in a process that is nobody throughout. */
static int
run_unprivileged(struct world *w, bool verbose)
{
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		become_nobody();
		w->root = false;
		w->sibling = -1; /* the one there is belongs to our parent */
		w->nservers = 0;
		int r = run_all(w, verbose);
		kill(w->sibling, SIGKILL);
		_exit(r);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : 1;
}

int
main(int argc, char **argv)
{
	struct world w;
	if (argc == 7 && strcmp(argv[1], "--work") == 0)
		return work_main(argv + 2);
	bool verbose = argc == 2 && strcmp(argv[1], "-v") == 0;
	if (FG_JAIL_SANITIZER) {
		puts("sanitizer build: filters are off, nothing to prove; run this in a plain "
		     "build");
		return SKIPPED;
	}
	world_make(&w);
	int r = 0;
	if (w.root || geteuid() != 0)
		r = run_all(&w, verbose);
	if (geteuid() == 0)
		r |= run_unprivileged(&w, verbose);
	world_end(&w);
	return r;
}
