/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/jail/jail_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/jail/jail_why.h"

/*
 * Kernel ABI, spelt out: Debian 12's headers end with REFER (ABI 2), and the
 * meaning of a build must not depend on the headers it met.
 */
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,	/* ABI 2 */
	FS_TRUNCATE = 1 << 14,	/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */

	FS_ABI_1 = FS_REFER - 1,
	FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,

	NET_BIND_TCP = 1 << 0,	  /* ABI 4 */
	NET_CONNECT_TCP = 1 << 1, /* ABI 4 */

	SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
	SCOPE_SIGNAL = 1 << 1,	      /* ABI 6 */

	CREATE_RULESET_VERSION = 1 << 0,
	RULE_PATH_BENEATH = 1,
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

int
jail_landlock_abi(void)
{
	long r =
	    syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, (unsigned)CREATE_RULESET_VERSION);
	return r < 0 ? 0 : (int)r;
}

/* Every file system right that ABI knows. */
static uint64_t
fs_known(int abi)
{
	uint64_t known = 0;
	if (abi >= 1)
		known |= FS_ABI_1;
	if (abi >= 2)
		known |= FS_REFER;
	if (abi >= 3)
		known |= FS_TRUNCATE;
	if (abi >= 5)
		known |= FS_IOCTL_DEV;
	return known;
}

struct jail_landlock_attr
jail_landlock_handled(const struct jail_table *t, int abi)
{
	struct jail_landlock_attr attr = {.fs = fs_known(abi)};
	if (abi >= 4) {
		attr.net |= t->tcp_bind ? 0 : NET_BIND_TCP;
		attr.net |= t->tcp_connect ? 0 : NET_CONNECT_TCP;
	}
	if (abi >= 6) {
		attr.scoped |= SCOPE_SIGNAL;
		attr.scoped |= t->abstract_unix ? 0 : SCOPE_ABSTRACT_UNIX;
	}
	return attr;
}

uint64_t
jail_landlock_access(unsigned rights, bool directory, int abi)
{
	uint64_t access = 0;
	if (rights & JAIL_READ)
		access |= FS_READ_FILE | FS_READ_DIR;
	if (rights & JAIL_WRITE)
		access |= FS_WRITE_FILE | FS_TRUNCATE;
	if (rights & JAIL_MAKE)
		access |= FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER;
	if (rights & JAIL_SOCKET)
		access |= FS_MAKE_SOCK | FS_REMOVE_FILE;
	if (rights & JAIL_EXEC)
		access |= FS_EXECUTE;
	if (!directory)
		access &= FS_OF_FILES;
	return access & fs_known(abi);
}

/* 0 or a negative errno. place is only borrowed. */
static int
add_place(int ruleset, int place, unsigned rights, int abi)
{
	struct stat st;
	if (fstat(place, &st) < 0)
		return -errno;
	struct path_beneath rule = {
	    .allowed = jail_landlock_access(rights, S_ISDIR(st.st_mode), abi),
	    .parent = place,
	};
	if (rule.allowed == 0)
		return 0;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0U) < 0)
		return -errno;
	return 0;
}

static int
add_path(int ruleset, const char *path, unsigned rights, int abi)
{
	int place = open(path, O_PATH | O_CLOEXEC);
	if (place < 0)
		return -errno;
	int r = add_place(ruleset, place, rights, abi);
	close(place);
	return r;
}

static int
add_grants(int ruleset, const struct jail_table *t, const struct jail_paths *paths, int abi,
	   char *why, size_t cap)
{
	for (const struct jail_fixed *f = t->fixed; f->path; f++) {
		int r = add_path(ruleset, f->path, f->rights, abi);
		if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -EACCES)
			return jail_why(why, cap, "Landlock: %s: %s", f->path, strerror(-r));
	}
	for (size_t i = 0; paths && i < paths->n; i++) {
		const struct jail_path *p = &paths->at[i];
		unsigned rights = jail_table_rights(t, p->slot);
		int r = p->path ? add_path(ruleset, p->path, rights, abi)
				: add_place(ruleset, p->fd, rights, abi);
		if (r < 0)
			return jail_why(why, cap, "Landlock: %s, a place of %s: %s",
					p->path ? p->path : "a descriptor", t->name, strerror(-r));
	}
	return 0;
}

int
jail_landlock_prepare(const struct jail_table *t, const struct jail_paths *paths, int abi, int *ret,
		      char *why, size_t cap)
{
	if (abi == 0)
		return jail_why(why, cap,
				"Landlock: this kernel has none, or it is switched off (lsm=)");
	if (abi < JAIL_LANDLOCK_ABI_MIN)
		return jail_why(why, cap,
				"Landlock: ABI %d forbids renames; Linux 5.19 or later is needed",
				abi);
	struct jail_landlock_attr attr = jail_landlock_handled(t, abi);
	long ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0U);
	if (ruleset < 0)
		return jail_why(why, cap, "Landlock: no ruleset: %s", strerror(errno));
	int r = add_grants((int)ruleset, t, paths, abi, why, cap);
	if (r < 0) {
		close((int)ruleset);
		return r;
	}
	*ret = (int)ruleset;
	return 0;
}

int
jail_landlock_enter(int ruleset, char *why, size_t cap)
{
	if (syscall(SYS_landlock_restrict_self, ruleset, 0U) < 0)
		return jail_why(why, cap, "Landlock: the domain could not be entered: %s",
				strerror(errno));
	return 0;
}
