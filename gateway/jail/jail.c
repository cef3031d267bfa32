/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/jail/jail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/jail/jail_landlock.h"
#include "gateway/jail/jail_process.h"
#include "gateway/jail/jail_seccomp.h"
#include "gateway/jail/jail_table.h"
#include "gateway/jail/jail_why.h"

#ifndef FG_JAIL_SANITIZER
#error "FG_JAIL_SANITIZER must be 0 or 1: a build says whether its filters are on"
#endif

struct entry {
	const struct jail_table *table;
	const struct jail_paths *paths;
	const struct jail_options *opt;
	struct jail_status status;
	char why[256];
};

static void __attribute__((format(printf, 2, 3)))
say(struct jail_status *s, const char *format, ...)
{
	size_t used = strlen(s->text);
	va_list ap;
	va_start(ap, format);
	vsnprintf(s->text + used, sizeof(s->text) - used, format, ap);
	va_end(ap);
}

/* What a step that failed means: the end, or a missing piece that the operator accepts. */
static int
tolerate(struct entry *e, int r)
{
	if (r == 0 || !e->opt->unsafe_allowed)
		return r;
	say(&e->status, "; MISSING %s", e->why);
	return 0;
}

static int
check_paths(struct entry *e)
{
	size_t n = e->paths ? e->paths->n : 0;
	if (n > JAIL_PATHS_MAX)
		return jail_why(e->why, sizeof(e->why), "%zu places are more than a role may have",
				n);
	for (size_t i = 0; i < n; i++) {
		const struct jail_path *p = &e->paths->at[i];
		if (jail_table_rights(e->table, p->slot) != 0)
			continue;
		return jail_why(e->why, sizeof(e->why), "the %s role may not have %s (slot %d)",
				e->table->name, p->path ? p->path : "this place", (int)p->slot);
	}
	return 0;
}

/* Namespace, bounding set, limits, user, capabilities, flags. */
static int
enter_process(struct entry *e)
{
	const struct jail_options *opt = e->opt;
	int r = 0;
	if (opt->new_netns && !e->table->network) {
		r = jail_process_new_netns(e->why, sizeof(e->why));
		e->status.netns = r == 0;
		r = tolerate(e, r);
	}
	if (r == 0)
		r = tolerate(e, jail_process_bound(e->table, e->why, sizeof(e->why)));
	if (r == 0)
		r = tolerate(e, jail_process_limit(e->table, opt, e->why, sizeof(e->why)));
	/* From here nothing is tolerated: going on as the wrong user is worse than not going on. */
	if (r == 0 && opt->drop)
		r = jail_process_become(opt, e->why, sizeof(e->why));
	if (r == 0)
		r = jail_process_keep_caps(e->table, e->why, sizeof(e->why));
	if (r == 0)
		r = jail_process_seal(e->why, sizeof(e->why));
	if (r < 0)
		return r;
	e->status.no_new_privs = true;
	say(&e->status, "; user %u%s; no-new-privs", geteuid(),
	    geteuid() == 0 && e->table->caps == 0 ? " (ROOT without capabilities)" : "");
	if (e->status.netns)
		say(&e->status, "; empty network namespace");
	return 0;
}

/* Landlock's ruleset is ready; seccomp comes last because it forbids everything before it. */
static int
enter_filters(struct entry *e, int ruleset)
{
	if (ruleset >= 0) {
		int r = jail_landlock_enter(ruleset, e->why, sizeof(e->why));
		e->status.landlock = r == 0;
		r = tolerate(e, r);
		if (r < 0)
			return r;
	}
	if (e->status.landlock)
		say(&e->status, "; Landlock ABI %d", e->status.landlock_abi);
	if (FG_JAIL_SANITIZER) {
		say(&e->status, "; FILTERS OFF: sanitizer build");
		return 0;
	}
	int r = jail_seccomp_load(e->table, e->why, sizeof(e->why));
	e->status.seccomp = r == 0;
	if (r == 0)
		say(&e->status, "; seccomp");
	return tolerate(e, r);
}

static int
enter(struct entry *e)
{
	int ruleset = -1;
	int r = check_paths(e);
	if (r == 0)
		r = jail_process_one_thread(e->why, sizeof(e->why));
	e->status.landlock_abi = jail_landlock_abi();
	/* Places are opened as the user who may reach them. The leak checker reads /proc. */
	if (r == 0 && !FG_JAIL_SANITIZER)
		r = tolerate(e, jail_landlock_prepare(e->table, e->paths, e->status.landlock_abi,
						      &ruleset, e->why, sizeof(e->why)));
	if (r == 0)
		r = enter_process(e);
	if (r == 0)
		r = enter_filters(e, ruleset);
	if (ruleset >= 0)
		close(ruleset);
	return r;
}

int
jail_enter(enum jail_role role, const struct jail_paths *paths, const struct jail_options *opt,
	   struct jail_status *ret, char *why, size_t cap)
{
	static const struct jail_options plain = {0};
	struct entry e = {
	    .table = jail_table_of(role),
	    .paths = paths,
	    .opt = opt ? opt : &plain,
	    .status = {.sanitizer_build = FG_JAIL_SANITIZER},
	};
	if (!e.table)
		abort(); /* a process that does not know its role is a mistake of ours */
	say(&e.status, "%s", e.table->name);
	int r = enter(&e);
	if (r < 0) {
		if (cap > 0)
			snprintf(why, cap, "%s", e.why);
		return r;
	}
	if (ret)
		*ret = e.status;
	return 0;
}

const char *
jail_role_name(enum jail_role role)
{
	const struct jail_table *t = jail_table_of(role);
	return t ? t->name : "none";
}

enum jail_role
jail_role_by_name(const char *name)
{
	for (int role = JAIL_NONE + 1; role < JAIL_ROLE_COUNT; role++)
		if (strcmp(jail_role_name((enum jail_role)role), name) == 0)
			return (enum jail_role)role;
	return JAIL_NONE;
}
