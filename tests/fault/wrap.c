/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that change storage, as the linker hands them to us (-Wl,--wrap=name in
 * CMakeLists.txt): asked about, done for real, told to the model of the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault/disk.h"

int __real_openat(int dirfd, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __real_pread(int fd, void *p, size_t n, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_posix_fallocate(int fd, off_t at, off_t n);
int __real_mkdirat(int dirfd, const char *path, mode_t mode);
int __real_unlinkat(int dirfd, const char *path, int flags);
int __real_renameat(int fromfd, const char *from, int tofd, const char *to);
int __real_renameat2(int fromfd, const char *from, int tofd, const char *to, unsigned flags);
int __real_linkat(int fromfd, const char *from, int tofd, const char *to, int flags);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap___read_chk(int fd, void *p, size_t n, size_t cap);
ssize_t __wrap___pread_chk(int fd, void *p, size_t n, off_t at, size_t cap);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_posix_fallocate(int fd, off_t at, off_t n);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdirat(int dirfd, const char *path, mode_t mode);
int __wrap_unlink(const char *path);
int __wrap_unlinkat(int dirfd, const char *path, int flags);
int __wrap_rename(const char *from, const char *to);
int __wrap_renameat(int fromfd, const char *from, int tofd, const char *to);
int __wrap_renameat2(int fromfd, const char *from, int tofd, const char *to, unsigned flags);
int __wrap_link(const char *from, const char *to);
int __wrap_linkat(int fromfd, const char *from, int tofd, const char *to, int flags);

/* The disk a descriptor's file is on, or NULL: none of ours. */
static struct disk *
disk_of(int fd)
{
	struct disk *d = disk_watched();
	return d && disk_has_fd(d, fd) ? d : NULL;
}

static struct disk *
disk_at(int dirfd, const char *path)
{
	struct disk *d = disk_watched();
	return d && disk_has(d, dirfd, path) ? d : NULL;
}

static int
failed(int error)
{
	errno = error < 0 ? EIO : error;
	return -1;
}

/* ---- names ---- */

static int
open_watched(struct disk *d, int dirfd, const char *path, int flags, mode_t mode)
{
	struct stat st;
	bool there = fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	bool create = (flags & O_CREAT) && !there;
	bool cut = (flags & O_TRUNC) && there && st.st_size;
	enum disk_op op = create ? DISK_CREATE : DISK_TRUNCATE;
	int error = create || cut ? disk_ask(d, op) : 0;
	if (error)
		return failed(error);
	int fd = __real_openat(dirfd, path, flags, mode);
	if (fd < 0 || !(create || cut))
		return fd;
	if (create)
		disk_created(d, dirfd, path, false);
	else
		disk_sized(d, fd, 0, false);
	disk_done(d, op);
	return fd;
}

int
__wrap_openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	if (flags & O_CREAT) {
		va_list ap;
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	struct disk *d = flags & (O_CREAT | O_TRUNC) ? disk_at(dirfd, path) : NULL;
	return d ? open_watched(d, dirfd, path, flags, mode) : __real_openat(dirfd, path, flags, mode);
}

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	if (flags & O_CREAT) {
		va_list ap;
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return __wrap_openat(AT_FDCWD, path, flags, mode);
}

int
__wrap_mkdirat(int dirfd, const char *path, mode_t mode)
{
	struct stat st;
	struct disk *d = disk_at(dirfd, path);
	if (!d || fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return __real_mkdirat(dirfd, path, mode);
	int error = disk_ask(d, DISK_MKDIR);
	if (error)
		return failed(error);
	if (__real_mkdirat(dirfd, path, mode))
		return -1;
	disk_created(d, dirfd, path, true);
	disk_done(d, DISK_MKDIR);
	return 0;
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
	return __wrap_mkdirat(AT_FDCWD, path, mode);
}

int
__wrap_unlinkat(int dirfd, const char *path, int flags)
{
	struct stat st;
	struct disk *d = disk_at(dirfd, path);
	if (!d || fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW))
		return __real_unlinkat(dirfd, path, flags);
	int error = disk_ask(d, DISK_UNLINK);
	if (error)
		return failed(error);
	if (__real_unlinkat(dirfd, path, flags))
		return -1;
	disk_removed(d, dirfd, path);
	disk_done(d, DISK_UNLINK);
	return 0;
}

int
__wrap_unlink(const char *path)
{
	return __wrap_unlinkat(AT_FDCWD, path, 0);
}

int
__wrap_renameat2(int fromfd, const char *from, int tofd, const char *to, unsigned flags)
{
	struct disk *d = disk_at(tofd, to);
	if (!d)
		return __real_renameat2(fromfd, from, tofd, to, flags);
	int error = disk_ask(d, DISK_RENAME);
	if (error)
		return failed(error);
	if (__real_renameat2(fromfd, from, tofd, to, flags))
		return -1;
	disk_moved(d, fromfd, from, tofd, to, false);
	disk_done(d, DISK_RENAME);
	return 0;
}

int
__wrap_renameat(int fromfd, const char *from, int tofd, const char *to)
{
	return __wrap_renameat2(fromfd, from, tofd, to, 0);
}

int
__wrap_rename(const char *from, const char *to)
{
	return __wrap_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
__wrap_linkat(int fromfd, const char *from, int tofd, const char *to, int flags)
{
	struct disk *d = disk_at(tofd, to);
	if (!d)
		return __real_linkat(fromfd, from, tofd, to, flags);
	int error = disk_ask(d, DISK_RENAME);
	if (error)
		return failed(error);
	if (__real_linkat(fromfd, from, tofd, to, flags))
		return -1;
	disk_moved(d, fromfd, from, tofd, to, true);
	disk_done(d, DISK_RENAME);
	return 0;
}

int
__wrap_link(const char *from, const char *to)
{
	return __wrap_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- bytes ---- */

ssize_t
__wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	struct disk *d = disk_of(fd);
	if (!d)
		return __real_pwrite(fd, p, n, at);
	int error = disk_ask(d, DISK_WRITE);
	if (error > 0)
		return failed(error);
	ssize_t done = __real_pwrite(fd, p, error ? n / 2 : n, at);
	if (done > 0) {
		disk_wrote(d, fd, (uint64_t)at, p, (size_t)done);
		disk_done(d, DISK_WRITE);
	}
	return done;
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	struct disk *d = disk_of(fd);
	if (!d)
		return __real_write(fd, p, n);
	off_t at = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
	int error = disk_ask(d, DISK_WRITE);
	if (error > 0)
		return failed(error);
	ssize_t done = __real_write(fd, p, error ? n / 2 : n);
	if (done > 0) {
		disk_wrote(d, fd, (uint64_t)at, p, (size_t)done);
		disk_done(d, DISK_WRITE);
	}
	return done;
}

static int
sync_watched(struct disk *d, int fd, int (*real)(int fd))
{
	int error = disk_ask(d, DISK_SYNC);
	if (error) {
		if (!disk_is_gone(d))
			disk_synced(d, fd, true);
		return failed(error);
	}
	if (real(fd))
		return -1;
	disk_synced(d, fd, false);
	disk_done(d, DISK_SYNC);
	return 0;
}

int
__wrap_fsync(int fd)
{
	struct disk *d = disk_of(fd);
	return d ? sync_watched(d, fd, __real_fsync) : __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	struct disk *d = disk_of(fd);
	return d ? sync_watched(d, fd, __real_fdatasync) : __real_fdatasync(fd);
}

int
__wrap_ftruncate(int fd, off_t size)
{
	struct disk *d = disk_of(fd);
	int error = d ? disk_ask(d, DISK_TRUNCATE) : 0;
	if (error)
		return failed(error);
	if (__real_ftruncate(fd, size))
		return -1;
	if (d) {
		disk_sized(d, fd, (uint64_t)size, false);
		disk_done(d, DISK_TRUNCATE);
	}
	return 0;
}

int
__wrap_posix_fallocate(int fd, off_t at, off_t n)
{
	struct disk *d = disk_of(fd);
	int error = d ? disk_ask(d, DISK_ALLOCATE) : 0;
	if (error)
		return error < 0 ? EIO : error;
	error = __real_posix_fallocate(fd, at, n);
	if (!error && d) {
		disk_sized(d, fd, (uint64_t)(at + n), true);
		disk_done(d, DISK_ALLOCATE);
	}
	return error;
}

ssize_t
__wrap_pread(int fd, void *p, size_t n, off_t at)
{
	struct disk *d = disk_of(fd);
	int error = d ? disk_ask(d, DISK_READ) : 0;
	return error && !disk_is_gone(d) ? failed(error) : __real_pread(fd, p, n, at);
}

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	struct disk *d = disk_of(fd);
	int error = d ? disk_ask(d, DISK_READ) : 0;
	return error && !disk_is_gone(d) ? failed(error) : __real_read(fd, p, n);
}

/* What a fortified build calls instead. */
ssize_t
__wrap___pread_chk(int fd, void *p, size_t n, off_t at, size_t cap)
{
	return __wrap_pread(fd, p, n < cap ? n : cap, at);
}

ssize_t
__wrap___read_chk(int fd, void *p, size_t n, size_t cap)
{
	return __wrap_read(fd, p, n < cap ? n : cap);
}
