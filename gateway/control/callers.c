/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/callers.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "crypto/err.h"
#include "gateway/role/oplog.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59 /* Linux 4.13 */
#endif

#define GROUPS_MAX 1024 /* supplementary groups looked at; people have a dozen */
#define LINE_CAP 16384  /* a group of a thousand members */
#define KINDS 5

struct user {
	uid_t uid;
	char name[CONFIG_USER_MAX + 1];
};

struct callers {
	FILE *passwd, *group;
	uid_t own;
	struct user *users; /* by uid */
	size_t users_n;
	struct {
		bool set;
		gid_t gid;
	} kind[KINDS]; /* in the order of the bits */
};

static const char *const kind_names[KINDS] = { "viewer", "operator", "approver", "admin", "auditor" };

struct callers *
callers_new(void)
{
	struct callers *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->passwd = fopen("/etc/passwd", "re");
	c->group = fopen("/etc/group", "re");
	return c;
}

void
callers_free(struct callers *c)
{
	if (!c)
		return;
	if (c->passwd)
		fclose(c->passwd);
	if (c->group)
		fclose(c->group);
	free(c->users);
	free(c);
}

static int
by_uid(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int
load_users(struct callers *c, char *line)
{
	struct passwd pw, *got = NULL;
	struct user *list = NULL;
	size_t n = 0;
	if (c->passwd)
		rewind(c->passwd);
	/* A line that is too long or not one ends the reading: whoever comes after it has no name. */
	while (c->passwd && n < CALLERS_USERS_MAX && fgetpwent_r(c->passwd, &pw, line, LINE_CAP, &got) == 0) {
		if (n % 64 == 0) {
			struct user *more = reallocarray(list, n + 64, sizeof *more);
			if (!more) {
				free(list);
				return FG_ENOMEM;
			}
			list = more;
		}
		if (strlen(pw.pw_name) > CONFIG_USER_MAX)
			continue;
		list[n].uid = pw.pw_uid;
		snprintf(list[n].name, sizeof list[n].name, "%s", pw.pw_name);
		n++;
	}
	if (n)
		qsort(list, n, sizeof *list, by_uid);
	free(c->users);
	c->users = list;
	c->users_n = n;
	return FG_OK;
}

static bool
find_group(struct callers *c, const char *name, char *line, gid_t *ret)
{
	struct group gr, *got = NULL;
	if (!c->group || !name[0])
		return false;
	rewind(c->group);
	while (fgetgrent_r(c->group, &gr, line, LINE_CAP, &got) == 0) {
		if (strcmp(gr.gr_name, name) == 0) {
			*ret = gr.gr_gid;
			return true;
		}
	}
	return false;
}

int
callers_load(struct callers *c, const struct config_roles *roles, uid_t own)
{
	const char *const names[KINDS] = { roles->viewer, roles->operator, roles->approver, roles->admin,
		roles->auditor };
	char *line = malloc(LINE_CAP);
	if (!line)
		return FG_ENOMEM;
	int err = load_users(c, line);
	for (unsigned i = 0; !err && i < KINDS; i++) {
		c->kind[i].set = find_group(c, names[i], line, &c->kind[i].gid);
		if (names[i][0] && !c->kind[i].set)
			oplog(OPLOG_WARNING, "roles.%s: the group \"%s\" is not in /etc/group; nobody has that role",
			    kind_names[i], names[i]);
	}
	c->own = own;
	free(line);
	return err;
}

static unsigned
roles_of(const struct callers *c, gid_t gid)
{
	unsigned roles = 0;
	for (unsigned i = 0; i < KINDS; i++)
		if (c->kind[i].set && c->kind[i].gid == gid)
			roles |= 1u << i;
	return roles;
}

static const struct user *
find_user(const struct callers *c, uid_t uid)
{
	const struct user key = { .uid = uid };
	return c->users_n ? bsearch(&key, c->users, c->users_n, sizeof key, by_uid) : NULL;
}

/* By its name, of which one line may be another's alias: all of that number are looked at. */
bool
callers_is(const struct callers *c, uid_t uid, const char *name)
{
	const struct user *u = find_user(c, uid), *end = c->users + c->users_n;
	while (u && u > c->users && u[-1].uid == uid)
		u--;
	for (; u && u < end && u->uid == uid; u++)
		if (name[0] && strcmp(u->name, name) == 0)
			return true;
	return false;
}

static void
name_of(const struct callers *c, uid_t uid, char *dst, size_t cap)
{
	const struct user *u = find_user(c, uid);
	if (u)
		snprintf(dst, cap, "%s", u->name);
	else
		snprintf(dst, cap, "uid:%u", (unsigned)uid);
}

int
callers_identify(const struct callers *c, int sock, struct caller *ret)
{
	struct ucred cred;
	socklen_t n = sizeof cred;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &n) || n != sizeof cred)
		return FG_EIO;
	struct caller who = { .uid = cred.uid };
	if (cred.uid == 0) /* whatever else the account file calls it */
		snprintf(who.user, sizeof who.user, "root");
	else
		name_of(c, cred.uid, who.user, sizeof who.user);
	who.means = cred.uid == 0 ? CALLERS_MEANS_ROOT : CALLERS_MEANS_UID;
	if (cred.uid == 0 || cred.uid == c->own) {
		who.roles = CALLERS_ANY;
		*ret = who;
		return FG_OK;
	}
	who.roles = roles_of(c, cred.gid);
	gid_t *groups = calloc(GROUPS_MAX, sizeof *groups);
	if (!groups)
		return FG_ENOMEM;
	n = GROUPS_MAX * sizeof *groups;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, groups, &n) == 0) {
		for (size_t i = 0; i < n / sizeof *groups; i++)
			who.roles |= roles_of(c, groups[i]);
	}
	free(groups);
	*ret = who;
	return FG_OK;
}

const char *
callers_role_name(unsigned role)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (role == 1u << i)
			return kind_names[i];
	return "";
}

unsigned
callers_role_parse(struct view word)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (view_is(word, kind_names[i]))
			return 1u << i;
	return 0;
}

void
callers_roles_text(unsigned roles, char dst[64])
{
	size_t n = 0;
	dst[0] = '\0';
	for (unsigned i = 0; i < KINDS; i++)
		if (roles & 1u << i)
			n += (size_t)snprintf(dst + n, 64 - n, "%s%s", n ? ", " : "", kind_names[i]);
	if (!n)
		snprintf(dst, 64, "nobody");
}
