/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/confdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/bundle.h"

#define MAIN_NAME "fotagate.conf" /* under which the main file travels, whatever it is called */
#define SUFFIX ".conf"
#define LEAF_MAX (BUNDLE_NAME_MAX - sizeof "profiles.d") /* with its slash, the longer of the two */

struct reading {
	confdir_say say;
	void *ctx;
	bool bad;
	unsigned n;
	struct bundle_file files[BUNDLE_FILES_MAX];
	char names[BUNDLE_FILES_MAX][BUNDLE_NAME_MAX + 1];
};

static void __attribute__((format(printf, 2, 3)))
complain(struct reading *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	r->bad = true;
	r->say(r->ctx, text);
}

bool
confdir_is_ours(const struct stat *st, bool private_)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return false;
	/* A group of one's own (umask 002) is common for people; root has no such excuse. */
	mode_t others = S_IWOTH | (geteuid() == 0 || st->st_gid != getegid() ? S_IWGRP : 0);
	if (private_)
		others |= S_IRWXO | S_IWGRP | S_IRGRP;
	return !(st->st_mode & others);
}

/* All of fd, which must still be as small as fstat said; NULL with the reason in errno or 0. */
static uint8_t *
slurp(int fd, size_t cap, size_t *ret_n)
{
	uint8_t *p = malloc(cap + 1);
	size_t n = 0;
	errno = 0;
	while (p && n <= cap) {
		ssize_t got = read(fd, p + n, cap + 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0) {
			*ret_n = n;
			return p;
		}
		if (got < 0)
			break;
		n += (size_t)got;
	}
	free(p);
	return NULL;
}

static void
read_one(struct reading *r, int dir, const char *leaf, const char *name, const char *shown)
{
	if (r->n == BUNDLE_FILES_MAX) {
		complain(r, "%s: more than %d profiles and lists", shown, BUNDLE_FILES_MAX - 1);
		return;
	}
	struct stat st;
	/* Without O_NONBLOCK a FIFO of that name would stop us for ever. */
	int fd = openat(dir, leaf, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t n = 0;
	uint8_t *text = NULL;
	if (fd < 0 || fstat(fd, &st))
		complain(r, "%s: %s", shown, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		complain(r, "%s: not a regular file", shown);
	else if (!confdir_is_ours(&st, false))
		complain(
		    r,
		    "%s: must belong to root or to the user fotagated runs as, and nobody else "
		    "may write to it (chown, chmod go-w)",
		    shown);
	else if (st.st_size > BUNDLE_FILE_MAX)
		complain(r, "%s: larger than %u KiB", shown, BUNDLE_FILE_MAX >> 10);
	else if (!(text = slurp(fd, BUNDLE_FILE_MAX, &n)))
		complain(r, "%s: %s", shown, errno ? strerror(errno) : "grew while it was read");
	if (fd >= 0)
		close(fd);
	if (!text)
		return;
	snprintf(r->names[r->n], sizeof r->names[0], "%s", name);
	r->files[r->n].name = r->names[r->n];
	r->files[r->n].text = view_of(text, n);
	r->n++;
}

static bool
plain_name(const char *s)
{
	size_t n = strlen(s);
	return n > strlen(SUFFIX) && n < LEAF_MAX &&
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static int
is_conf(const struct dirent *e)
{
	size_t n = strlen(e->d_name), tail = strlen(SUFFIX);
	/* Hidden files are an editor's; anything without the suffix is switched off or a README. */
	return e->d_name[0] != '.' && n > tail && strcmp(e->d_name + n - tail, SUFFIX) == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not the locale's order */
}

/* part: "lists.d" or "profiles.d" */
static void
read_part(struct reading *r, int base, const char *folder, const char *part)
{
	struct stat st;
	int dir = openat(base, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		if (errno != ENOENT) /* no profiles yet: a gateway that only learns */
			complain(r, "%s/%s: %s", folder, part, strerror(errno));
		return;
	}
	if (fstat(dir, &st) || !confdir_is_ours(&st, false)) {
		complain(r, "%s/%s: somebody else may write to this folder", folder, part);
		close(dir);
		return;
	}
	struct dirent **list = NULL;
	int n = scandirat(base, part, &list, is_conf, by_bytes);
	if (n < 0)
		complain(r, "%s/%s: %s", folder, part, strerror(errno));
	for (int i = 0; i < n; i++) {
		char shown[4096 + 300], name[sizeof "profiles.d" + sizeof list[i]->d_name];
		snprintf(shown, sizeof shown, "%s/%s/%s", folder, part, list[i]->d_name);
		snprintf(name, sizeof name, "%s/%s", part, list[i]->d_name);
		if (!plain_name(list[i]->d_name))
			complain(r, "%s: a file name here is at most %zu of A-Z a-z 0-9 . _ -",
			    shown, LEAF_MAX - 1);
		else
			read_one(r, dir, list[i]->d_name, name, shown);
		free(list[i]);
	}
	free(list);
	close(dir);
}

static void
read_all(struct reading *r, const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	if (strlen(path) >= sizeof folder) {
		complain(r, "the path of the configuration is too long");
		return;
	}
	if (slash == path)
		snprintf(folder, sizeof folder, "/");
	else if (slash)
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
	else
		snprintf(folder, sizeof folder, ".");
	struct stat st;
	int base = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0 || fstat(base, &st)) {
		complain(r, "%s: %s", folder, strerror(errno));
	} else if (!confdir_is_ours(&st, false)) {
		complain(r, "%s: somebody else may write to this folder", folder);
	} else {
		read_one(r, base, slash ? slash + 1 : path, MAIN_NAME, path);
		/* In name order, folders too: it is checked. */
		read_part(r, base, folder, "lists.d");
		read_part(r, base, folder, "profiles.d");
	}
	if (base >= 0)
		close(base);
}

int
confdir_read(const char *path, confdir_say say, void *ctx)
{
	struct reading *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	r->say = say;
	r->ctx = ctx;
	read_all(r, path);
	int fd = r->bad ? FG_EINVAL : bundle_write(r->files, r->n);
	if (fd == FG_ELIMIT) {
		complain(r, "%s: all files together are larger than %u MiB", path,
			 BUNDLE_BYTES_MAX >> 20);
		fd = FG_EINVAL;
	}
	for (unsigned i = 0; i < r->n; i++)
		free((void *)(uintptr_t)r->files[i].text.p);
	free(r);
	return fd;
}
