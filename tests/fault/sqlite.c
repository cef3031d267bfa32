/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's calls, too, go to the disk that is watched: those it lets be replaced
 * by its own interface, the syncs by having their names before the C library's.
 */
#include "fault/sqlite.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault/disk.h"

int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_unlink(const char *path);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);

static int
open_file(const char *path, int flags, int mode)
{
	return __wrap_open(path, flags, (mode_t)mode);
}

/* Nobody else has the file open, and half the time went into locking it. */
static int
no_locks(int fd, int what, ...)
{
	va_list ap;
	(void)fd;
	va_start(ap, what);
	if (what == F_GETLK)
		va_arg(ap, struct flock *)->l_type = F_UNLCK;
	va_end(ap);
	return 0;
}

void
sqlite_use_disk(void)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr call;
	} calls[] = {
		{ "open", (sqlite3_syscall_ptr)open_file },
		{ "read", (sqlite3_syscall_ptr)__wrap_read },
		{ "pread", (sqlite3_syscall_ptr)__wrap_pread },
		{ "pread64", (sqlite3_syscall_ptr)__wrap_pread },
		{ "write", (sqlite3_syscall_ptr)__wrap_write },
		{ "pwrite", (sqlite3_syscall_ptr)__wrap_pwrite },
		{ "pwrite64", (sqlite3_syscall_ptr)__wrap_pwrite },
		{ "ftruncate", (sqlite3_syscall_ptr)__wrap_ftruncate },
		{ "fcntl", (sqlite3_syscall_ptr)no_locks },
		{ "unlink", (sqlite3_syscall_ptr)__wrap_unlink },
	};
	/* A case is judged in the middle of another database's call: no lock may be held then. */
	if (sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK)
		abort();
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call) != SQLITE_OK)
			abort();
	}
}

/* Ours are renamed at link time; these are what the library finds. */
__attribute__((visibility("default"))) int
fsync(int fd)
{
	static int (*real)(int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	static __thread int inside; /* what we call ends up here again */
	if (inside)
		return real(fd);
	inside = 1;
	int r = __wrap_fsync(fd);
	inside = 0;
	return r;
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
	static int (*real)(int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	static __thread int inside;
	if (inside)
		return real(fd);
	inside = 1;
	int r = __wrap_fdatasync(fd);
	inside = 0;
	return r;
}
