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
verify_file_read(const char *dir, const char *name, size_t max, struct view *ret)
{
	char path[VERIFY_FILE_PATH];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s%s%s", dir ? dir : "", dir ? "/" : "", name);
	if (n < 0 || (size_t)n >= sizeof path)
		return FG_ELIMIT;
	/* What the auditor names may be a link; in an export nothing is. A FIFO must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (dir ? O_NOFOLLOW : 0));
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	int err = fstat(fd, &st) || !S_ISREG(st.st_mode) ? FG_EIO : FG_OK;
	if (!err && (st.st_size < 0 || (uint64_t)st.st_size > max))
		err = FG_ELIMIT;
	size_t size = err ? 0 : (size_t)st.st_size, done = 0;
	uint8_t *p = err ? NULL : malloc(size + 1);
	if (!err && !p)
		err = FG_ENOMEM;
	while (!err && done < size) {
		ssize_t r = read(fd, p + done, size - done);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			err = FG_EIO;
		else
			done += (size_t)r;
	}
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
