/* SPDX-License-Identifier: Apache-2.0 */
/* scratch - a folder of a test's own, copied (a crash is a copy taken between two steps) and removed. After cmocka.h. */
#ifndef FG_TESTS_UNIT_GATEWAY_SCRATCH_H
#define FG_TESTS_UNIT_GATEWAY_SCRATCH_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct scratch {
	char dir[64];
};

/* In memory where there is room: these tests cut no power, and thousands of syncs of a real disk are slow. */
static inline void
scratch_open(struct scratch *s)
{
	struct statvfs v;
	bool room = statvfs("/dev/shm", &v) == 0 && access("/dev/shm", W_OK) == 0 && v.f_bavail >= ((1u << 30) / v.f_frsize);
	snprintf(s->dir, sizeof s->dir, "%s/fg-unit-XXXXXX", room ? "/dev/shm" : "/tmp");
	if (!mkdtemp(s->dir))
		abort();
}

static inline int
scratch_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
scratch_close(struct scratch *s)
{
	nftw(s->dir, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* "<dir>/<name>" in a static buffer that lives until the fourth call after. */
static inline const char *
scratch_path(const struct scratch *s, const char *name)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", s->dir, name);
	return p;
}

/* Makes the folder if need be; its descriptor. */
static inline int
scratch_dir(const struct scratch *s, const char *name)
{
	const char *path = scratch_path(s, name);
	if (mkdir(path, 0755) && errno != EEXIST)
		abort();
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

/* All of a file; freed by the caller. NULL when there is none. */
static inline uint8_t *
scratch_read(const char *path, size_t *ret_n)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st))
		abort();
	uint8_t *p = malloc((size_t)st.st_size + 1);
	size_t n = 0;
	for (ssize_t r; n < (size_t)st.st_size && (r = read(fd, p + n, (size_t)st.st_size - n)) > 0;)
		n += (size_t)r;
	close(fd);
	*ret_n = n;
	return p;
}

static inline void
scratch_write(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || (n && write(fd, p, n) != (ssize_t)n))
		abort();
	close(fd);
}

/* One byte of a file xored; false when it is not that long. */
static inline bool
scratch_flip(const char *path, off_t at, uint8_t bits)
{
	uint8_t b = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool ok = fd >= 0 && pread(fd, &b, 1, at) == 1;
	b = (uint8_t)(b ^ bits);
	ok = ok && pwrite(fd, &b, 1, at) == 1;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Copies a tree, sparse where it is. */
static inline void
scratch_copy(const char *from, const char *to)
{
	char a[512], b[512];
	struct stat st;
	DIR *d = opendir(from);
	if (!d || (mkdir(to, 0755) && errno != EEXIST))
		abort();
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (snprintf(a, sizeof a, "%s/%s", from, e->d_name) >= (int)sizeof a ||
		    snprintf(b, sizeof b, "%s/%s", to, e->d_name) >= (int)sizeof b || lstat(a, &st))
			abort();
		if (S_ISDIR(st.st_mode)) {
			scratch_copy(a, b);
			continue;
		}
		size_t n = 0;
		uint8_t *p = scratch_read(a, &n);
		size_t used = n;
		while (used && !p[used - 1])
			used--;
		scratch_write(b, p, used);
		if (truncate(b, (off_t)n))
			abort();
		free(p);
	}
	closedir(d);
}

#endif
