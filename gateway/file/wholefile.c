/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/file/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/file/fdio.h"

/* For a way out: errno still tells of what went wrong, not of the tidying up. */
static void
close_quietly(int fd)
{
	int saved = errno;
	close(fd);
	errno = saved;
}

/* ---- writing ---- */

/* A file of our own: what a process before left there may be a link, another's, or open elsewhere. */
static int
open_aside(int dirfd, const char *aside, mode_t mode)
{
	if (unlinkat(dirfd, aside, 0) && errno != ENOENT)
		return -1;
	return openat(dirfd, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
}

static int
fill(int fd, struct view bytes, mode_t mode)
{
	int err = fdio_write(fd, bytes);
	/* The umask may have taken something away that others are to read. */
	if (!err && (fchmod(fd, mode) || fsync(fd)))
		err = FG_EIO;
	return err;
}

int
wholefile_replace_unsynced(int dirfd, const char *name, struct view bytes, mode_t mode)
{
	char aside[PATH_MAX];
	if ((size_t)snprintf(aside, sizeof aside, "%s" WHOLEFILE_ASIDE, name) >= sizeof aside) {
		errno = ENAMETOOLONG;
		return FG_EIO;
	}
	int fd = open_aside(dirfd, aside, mode);
	if (fd < 0)
		return FG_EIO;
	int err = fill(fd, bytes, mode);
	if (err)
		close_quietly(fd);
	else if (close(fd))
		err = FG_EIO;
	if (!err && renameat(dirfd, aside, dirfd, name))
		err = FG_EIO;
	if (err) {
		int saved = errno;
		unlinkat(dirfd, aside, 0);
		errno = saved;
	}
	return err;
}

int
wholefile_sync_folder(int dirfd, const char *name)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;
	if (!slash && dirfd != AT_FDCWD)
		return fsync(dirfd) ? FG_EIO : FG_OK;
	if (n >= sizeof folder) {
		errno = ENAMETOOLONG;
		return FG_EIO;
	}
	snprintf(folder, sizeof folder, "%.*s", (int)n, name);
	int fd = openat(dirfd, n ? folder : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return FG_EIO;
	int err = fsync(fd) ? FG_EIO : FG_OK;
	close_quietly(fd);
	return err;
}

int
wholefile_replace(int dirfd, const char *name, struct view bytes, mode_t mode)
{
	int err = wholefile_replace_unsynced(dirfd, name, bytes, mode);
	return err ? err : wholefile_sync_folder(dirfd, name);
}

/* ---- reading ---- */

static int
read_into(int fd, uint8_t *p, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t r = read(fd, p + n, size - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			errno = EIO; /* shorter than it was when we looked */
		if (r <= 0)
			return FG_EIO;
		n += (size_t)r;
	}
	return FG_OK;
}

int
wholefile_read(int dirfd, const char *name, size_t max, uint8_t **ret, size_t *ret_n)
{
	struct stat st;
	/* Not blocking: a FIFO under that name is no regular file, not a wait for ever. */
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	int err = fstat(fd, &st) ? FG_EIO : FG_OK;
	if (!err && (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > max))
		err = FG_ELIMIT;
	uint8_t *p = err ? NULL : malloc((size_t)st.st_size + 1);
	if (!err && !p)
		err = FG_ENOMEM;
	if (!err)
		err = read_into(fd, p, (size_t)st.st_size);
	close_quietly(fd);
	if (err) {
		free(p);
		return err;
	}
	*ret = p;
	*ret_n = (size_t)st.st_size;
	return FG_OK;
}
