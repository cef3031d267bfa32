/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"

int
verify_file_open(const char *dir, const char *name, size_t max, int *ret_fd, size_t *ret_size)
{
	char path[VERIFY_FILE_PATH];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s%s%s", dir ? dir : "", dir ? "/" : "", name);
	if (n < 0 || (size_t)n >= sizeof path)
		return FG_ELIMIT;
	/* What the auditor names may be a link; in an export nothing is. A FIFO must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (dir ? O_NOFOLLOW : 0));
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? FG_ENOTFOUND : FG_EIO;
	int err = fstat(fd, &st) ? FG_EIO : FG_OK;
	if (!err && !S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		err = FG_EIO;
	}
	if (!err && (st.st_size < 0 || (uint64_t)st.st_size > max))
		err = FG_ELIMIT;
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	*ret_size = (size_t)st.st_size;
	return FG_OK;
}

int
verify_file_part(int fd, uint8_t *buf, size_t n, size_t off)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = pread(fd, buf + done, n - done, (off_t)(off + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return FG_EIO;
		done += (size_t)r;
	}
	return FG_OK;
}

int
verify_file_read(const char *dir, const char *name, size_t max, struct view *ret)
{
	int fd;
	size_t size;
	int err = verify_file_open(dir, name, max, &fd, &size);
	if (err)
		return err;
	uint8_t *p = malloc(size + 1);
	err = p ? verify_file_part(fd, p, size, 0) : FG_ENOMEM;
	close(fd);
	if (err) {
		free(p);
		return err;
	}
	*ret = view_of(p, size);
	return FG_OK;
}

void
verify_file_free(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

int
verify_file_into(const char *dir, const char *name, uint8_t *buf, size_t cap, size_t *ret_n)
{
	int fd;
	int err = verify_file_open(dir, name, cap, &fd, ret_n);
	if (err)
		return err;
	err = verify_file_part(fd, buf, *ret_n, 0);
	close(fd);
	return err;
}
