/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"

struct folder {
	const char *name; /* below data_dir, parents first */
	enum msg_role owner;
	mode_t mode;
};

static const struct folder folders[] = {
	{ "config", MSG_ROLE_NONE, 0700 }, /* the supervisor's: the configuration whose policy is in force */
	{ "state", MSG_ROLE_CONTROL, 0700 },
	{ "images", MSG_ROLE_NONE, 0755 },
	{ "images/quarantine", MSG_ROLE_CONTROL, 0700 },
	{ "images/approved", MSG_ROLE_WARDEN, 0700 },
	{ "reports", MSG_ROLE_CONTROL, 0700 },
	{ "statements", MSG_ROLE_CONTROL, 0700 },
	{ "audit", MSG_ROLE_AUDIT, 0755 },      /* control replays it; identities in it are pseudonyms */
	{ "authority", MSG_ROLE_WARDEN, 0755 }, /* the warden alone adds to it; everyone may check it */
	{ "authority/policy", MSG_ROLE_WARDEN, 0755 },
	{ "authority/signers", MSG_ROLE_WARDEN, 0755 },
};

static int
fail(const char *dir, const char *name, char *ret_why, size_t cap)
{
	snprintf(ret_why, cap, "%s%s%s: %s", dir, name[0] ? "/" : "", name, strerror(errno));
	return FG_EIO;
}

/* base is AT_FDCWD with an absolute name, or the folder name lies below. */
static int
make(int base, const char *name, mode_t mode, bool root, const struct dirs_owner *owner)
{
	if (mkdirat(base, name, 0700) && errno != EEXIST)
		return -1;
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	struct stat st;
	int r = fstat(fd, &st);
	/* Only what differs is set: another user's file system may refuse even a change to nothing. */
	if (!r && root && (st.st_uid != owner->uid || st.st_gid != owner->gid))
		r = fchown(fd, owner->uid, owner->gid);
	if (!r && (st.st_mode & 07777) != mode && (root || st.st_uid == geteuid()))
		r = fchmod(fd, mode);
	int saved = errno;
	close(fd);
	errno = saved;
	return r;
}

/* The names made above are on disk, not only in memory. */
static int
sync_folder(int base, const char *name)
{
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd);
	int saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return r;
}

int
dirs_prepare(const char *data_dir, const char *run_dir, bool root,
    const struct dirs_owner owner[MSG_ROLE_LIMIT], char *ret_why, size_t cap)
{
	if (make(AT_FDCWD, data_dir, 0755, root, &owner[MSG_ROLE_NONE]))
		return fail(data_dir, "", ret_why, cap);
	if (strcmp(run_dir, data_dir) != 0 &&
	    make(AT_FDCWD, run_dir, 0755, root, &owner[MSG_ROLE_NONE]))
		return fail(run_dir, "", ret_why, cap);
	int base = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return fail(data_dir, "", ret_why, cap);
	int r = 0;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !r; i++)
		if (make(base, folders[i].name, folders[i].mode, root, &owner[folders[i].owner]))
			r = fail(data_dir, folders[i].name, ret_why, cap);
	if (!r && (sync_folder(base, "images") || sync_folder(base, ".")))
		r = fail(data_dir, "", ret_why, cap);
	close(base);
	return r;
}
