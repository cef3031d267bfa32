/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/supervisor/confdir.h"

/* NULL when the file may be used. */
static const char *
fault_of(const struct stat *st, enum keyfile_kind kind)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (!confdir_is_ours(st, false))
		return "must belong to root or to the user fotagated runs as, and nobody else may "
		       "write "
		       "to it (chown, chmod go-w)";
	if (kind == KEYFILE_PAPER && st->st_nlink != 1)
		return "has a second name";
	if (kind == KEYFILE_SECRET && !confdir_is_ours(st, true))
		return "is a secret that others could read (chmod 0600)";
	if (st->st_size == 0)
		return "is empty";
	if (st->st_size > KEYFILE_BYTES_MAX)
		return "is larger than any key or certificate";
	return NULL;
}

int
keyfile_open(const char *path, enum keyfile_kind kind, char *ret_why, size_t cap)
{
	/* Links are followed in our own folders: certificates are renewed by moving one. */
	int fd = open(path,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (kind == KEYFILE_PAPER ? O_NOFOLLOW : 0));
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) {
		int err = errno == ENOENT ? FG_ENOTFOUND : errno == EACCES || errno == ELOOP ? FG_EPERM : FG_EIO;
		if (errno == EACCES)
			snprintf(ret_why, cap, "%s: user %u, as whom this was started, may not read it (chown, or start as root)",
			    path, (unsigned)geteuid());
		else
			snprintf(ret_why, cap, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	const char *fault = fault_of(&st, kind);
	if (!fault)
		return fd;
	snprintf(ret_why, cap, "%s: %s", path, fault);
	close(fd);
	return FG_EPERM;
}
