/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "crypto/err.h"

#define BLOCK 4096 /* sizes are whole blocks of this */

/* ---- measuring ---- */

static int
measure(struct reserve *r)
{
	struct statvfs fs;
	if (fstatvfs(r->dirfd, &fs))
		return FG_EIO;
	uint64_t total = (uint64_t)fs.f_blocks * fs.f_frsize;
	uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
	uint64_t most = total / RESERVE_SHARE / BLOCK * BLOCK;
	r->bytes = most < RESERVE_BYTES ? most : RESERVE_BYTES;
	r->free = left;
	/* As df(1) says it: of what is not set aside for root. Our own reserve is as good as free. */
	uint64_t used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	uint64_t mine = r->held && used >= r->bytes ? r->bytes : 0;
	uint64_t all = used + left;
	r->used_pct = all ? (unsigned)((used - mine) * 100 / all) : 0;
	return FG_OK;
}

/* ---- the file ---- */

static int
open_file(const struct reserve *r, int flags)
{
	return openat(r->dirfd, RESERVE_FILE, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/* All of it, with blocks under it: a copy may have made a hole of it. */
static bool
is_whole(const struct reserve *r, int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size >= r->bytes &&
	    (uint64_t)st.st_blocks * 512 >= r->bytes;
}

static void
take(struct reserve *r)
{
	int fd = open_file(r, O_RDWR | O_CREAT);
	if (fd < 0)
		return;
	r->held = is_whole(r, fd) || posix_fallocate(fd, 0, (off_t)r->bytes) == 0;
	/* Half a reserve is space that nobody has. */
	if (!r->held && ftruncate(fd, 0))
		(void)unlinkat(r->dirfd, RESERVE_FILE, 0);
	close(fd);
}

void
reserve_give(struct reserve *r)
{
	int fd = open_file(r, O_RDWR);
	r->held = false;
	if (fd < 0)
		return;
	/* Truncated, not removed: a name can be made again only where there is room for one. */
	if (ftruncate(fd, 0) == 0)
		(void)fsync(fd);
	close(fd);
}

/* ---- the level ---- */

int
reserve_open(struct reserve *r, int dirfd)
{
	*r = (struct reserve){ .dirfd = dirfd };
	int err = measure(r);
	if (err || !r->bytes)
		return err;
	int fd = open_file(r, O_RDONLY);
	r->held = fd >= 0 && is_whole(r, fd);
	if (fd >= 0)
		close(fd);
	reserve_look(r);
	return FG_OK;
}

enum reserve_level
reserve_look(struct reserve *r)
{
	if (measure(r))
		return RESERVE_UNKNOWN;
	if (!r->bytes)
		return RESERVE_GOOD; /* a file system that does not say where it ends */
	uint64_t margin = r->bytes / 2;
	if (r->held && r->free < margin)
		reserve_give(r);
	else if (!r->held && r->free >= r->bytes + margin)
		take(r);
	if (measure(r))
		return RESERVE_UNKNOWN;
	if (!r->held)
		return RESERVE_FULL;
	if (r->used_pct >= RESERVE_ALARM_PCT)
		return RESERVE_ALARM;
	return r->used_pct >= RESERVE_WARN_PCT ? RESERVE_WARN : RESERVE_GOOD;
}
