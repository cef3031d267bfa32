/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/file/wholefile.h"

#define RECORDS_MODE 0600

static int
read_all(struct records *r, int (*each)(void *ctx, struct view record), void *ctx)
{
	uint8_t *raw = malloc(r->len);
	int err = raw ? FG_OK : FG_ENOMEM;
	while (!err) {
		ssize_t n = pread(r->fd, raw, r->len, r->end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)r->len) {
			if (n < 0 || (n > 0 && ftruncate(r->fd, r->end)))
				err = FG_EIO;
			break;
		}
		err = each(ctx, view_of(raw, r->len));
		if (!err)
			r->end += n;
	}
	free(raw);
	return err;
}

int
records_open(struct records *r, int dir, const char *name, size_t len, int (*each)(void *ctx, struct view record),
    void *ctx)
{
	*r = (struct records){ .dir = dir, .name = name, .len = len };
	r->fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RECORDS_MODE);
	return r->fd < 0 ? FG_EIO : read_all(r, each, ctx);
}

void
records_close(struct records *r)
{
	if (r->fd >= 0)
		close(r->fd);
	*r = RECORDS_NONE;
}

int
records_settle(struct records *r, struct view all, bool *ret_sure)
{
	*ret_sure = wholefile_replace_unsynced(r->dir, r->name, all, RECORDS_MODE) == FG_OK;
	if (*ret_sure) {
		int fd = openat(r->dir, r->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return FG_EIO;
		close(r->fd);
		r->fd = fd;
		r->end = (off_t)all.n;
	} else if (fsync(r->fd)) {
		return FG_EIO;
	}
	return wholefile_sync_folder(r->dir, r->name);
}

int
records_append(struct records *r, struct view record)
{
	if (record.n != r->len)
		abort();
	if (pwrite(r->fd, record.p, record.n, r->end) != (ssize_t)record.n || fdatasync(r->fd))
		return FG_EIO;
	r->end += (off_t)record.n;
	return FG_OK;
}
