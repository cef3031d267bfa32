/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"

int
keep_write(int dir, const char *name, struct view bytes, mode_t mode)
{
	char aside[KEEP_NAME_MAX + 8];
	snprintf(aside, sizeof aside, "%s.new", name);
	unlinkat(dir, aside, 0);
	int fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return FG_EIO;
	size_t done = 0;
	while (done < bytes.n) {
		ssize_t n = write(fd, bytes.p + done, bytes.n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	/* The umask may have taken something away that others are to read. */
	bool ok = done == bytes.n && fchmod(fd, mode) == 0 && fsync(fd) == 0;
	close(fd);
	if (ok && renameat(dir, aside, dir, name) == 0)
		return FG_OK;
	unlinkat(dir, aside, 0);
	return FG_EIO;
}

int
keep_read(int dir, const char *name, size_t max, uint8_t **ret, size_t *ret_n)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	int err = fstat(fd, &st) ? FG_EIO : FG_OK;
	if (!err && (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > max))
		err = FG_ELIMIT;
	uint8_t *p = err ? NULL : malloc((size_t)st.st_size + 1);
	if (!err && !p)
		err = FG_ENOMEM;
	size_t n = 0;
	while (!err && n < (size_t)st.st_size) {
		ssize_t r = read(fd, p + n, (size_t)st.st_size - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			err = FG_EIO;
		else
			n += (size_t)r;
	}
	close(fd);
	if (err) {
		free(p);
		return err;
	}
	*ret = p;
	*ret_n = n;
	return FG_OK;
}
