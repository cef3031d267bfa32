/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/file/fdio.h"

#define NAME_CAP 96       /* 64 digits and the longest suffix */
#define CHUNK (256 << 10) /* bytes read at a time while hashing */

struct files {
	int quarantine, reports, statements; /* open for reading: O_PATH could not be synced */
};

static const struct {
	const char *suffix;
	bool statement;  /* lies in statements/ */
	bool named_by_content;
} docs[] = {
	[FILES_REPORT] = { ".json", false, true },
	[FILES_PROVENANCE] = { ".provenance.json", false, true },
	[FILES_POLICY] = { ".policy.json", false, true },
	[FILES_ATTACHMENT] = { ".attachment", false, true },
	[FILES_STATEMENT] = { ".json", true, true },
	[FILES_STATEMENT_SIG] = { ".sig", true, false },
	[FILES_HOOK] = { ".hook.json", false, true },
	[FILES_NOTES] = { ".notes", false, false },
};

/* ---- opening ---- */

static int
open_folder(int base, const char *name)
{
	if (mkdirat(base, name, 0700) && errno != EEXIST)
		return -1;
	return openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int
files_open(const char *data_dir, struct files **ret)
{
	struct files *f = calloc(1, sizeof *f);
	if (!f)
		return FG_ENOMEM;
	int base = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int images = base < 0 ? -1 : open_folder(base, "images");
	f->quarantine = images < 0 ? -1 : open_folder(images, "quarantine");
	f->reports = base < 0 ? -1 : open_folder(base, "reports");
	f->statements = base < 0 ? -1 : open_folder(base, "statements");
	/* What lies in a folder is as durable as the folder's own name, whoever made that. */
	bool ok = f->quarantine >= 0 && f->reports >= 0 && f->statements >= 0 && fsync(images) == 0 && fsync(base) == 0;
	int saved = errno;
	if (images >= 0)
		close(images);
	if (base >= 0)
		close(base);
	if (!ok) {
		files_close(f);
		errno = saved;
		return FG_EIO;
	}
	*ret = f;
	return 0;
}

void
files_close(struct files *f)
{
	if (!f)
		return;
	if (f->quarantine >= 0)
		close(f->quarantine);
	if (f->reports >= 0)
		close(f->reports);
	if (f->statements >= 0)
		close(f->statements);
	free(f);
}

/* ---- names ---- */

static void
name_of(const uint8_t sha256[DIGEST_SHA256_LEN], const char *suffix, char dst[NAME_CAP])
{
	char digits[DIGEST_HEX_LEN + 1];
	hex_encode(sha256, DIGEST_SHA256_LEN, digits);
	snprintf(dst, NAME_CAP, "%s%s", digits, suffix);
}

static const char *
image_suffix(enum files_kind kind)
{
	if (kind != FILES_IMAGE && kind != FILES_SIGNATURE)
		abort();
	return kind == FILES_IMAGE ? ".img" : ".sig";
}

static bool
random_name(char dst[FILES_PART_CAP])
{
	uint8_t raw[16];
	char digits[2 * sizeof raw + 1];
	if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
		return false;
	hex_encode(raw, sizeof raw, digits);
	snprintf(dst, FILES_PART_CAP, "%s.part", digits);
	return true;
}

/* 32 digits and ".part": what random_name() makes, and nothing with a slash. */
static bool
is_part(const char *name)
{
	uint8_t raw[16];
	return strlen(name) == 37 && strcmp(name + 32, ".part") == 0 && hex_decode(view_of(name, 32), raw, sizeof raw);
}

static int
open_as(int dir, const char *name, int how)
{
	int fd = openat(dir, name, how | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EIO;
		return FG_EIO;
	}
	return fd;
}

static int
open_read(int dir, const char *name)
{
	return open_as(dir, name, O_RDONLY);
}

/* ---- parts ---- */

int
files_part_new(struct files *f, struct files_part *ret)
{
	struct files_part p;
	if (!random_name(p.name))
		return FG_EIO;
	p.fd = openat(f->quarantine, p.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p.fd < 0)
		return FG_EIO;
	*ret = p;
	return 0;
}

int
files_part_open(struct files *f, const char *name)
{
	return is_part(name) ? open_as(f->quarantine, name, O_RDWR) : FG_ENOTFOUND;
}

int
files_part_read(struct files *f, const char *name)
{
	return is_part(name) ? open_read(f->quarantine, name) : FG_ENOTFOUND;
}

/* Gives the synced part its name, unless a file has it already. */
static int
give_name(struct files *f, const char *part, const char *name, off_t size)
{
	struct stat there;
	/* NOREPLACE: what is under review must not be swapped under its name. */
	if (renameat2(f->quarantine, part, f->quarantine, name, RENAME_NOREPLACE) == 0)
		return fsync(f->quarantine) ? FG_EIO : 0;
	if (errno != EEXIST || fstatat(f->quarantine, name, &there, AT_SYMLINK_NOFOLLOW))
		return FG_EIO;
	if (!S_ISREG(there.st_mode) || there.st_size != size)
		return FG_EEXIST;
	unlinkat(f->quarantine, part, 0);
	return fsync(f->quarantine) ? FG_EIO : 0;
}

int
files_part_seal(struct files *f, const char *part, enum files_kind kind, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char name[NAME_CAP];
	struct stat st;
	name_of(sha256, image_suffix(kind), name);
	int fd = files_part_read(f, part);
	if (fd < 0)
		return fd;
	/* fsync() needs no right to write. */
	int r = fchmod(fd, 0400) || fsync(fd) || fstat(fd, &st) ? FG_EIO : give_name(f, part, name, st.st_size);
	close(fd);
	return r;
}

void
files_part_drop(struct files *f, const char *name)
{
	if (is_part(name))
		unlinkat(f->quarantine, name, 0);
}

/* ---- walking the quarantine ---- */

static int
each_name(int dir, int (*each)(void *arg, const char *name), void *arg)
{
	/* A descriptor of its own: the position of a shared one would be everybody's. */
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int said = 0;
	if (!d) {
		if (fd >= 0)
			close(fd);
		return FG_EIO;
	}
	errno = 0;
	while (said == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			said = each(arg, e->d_name);
		errno = 0;
	}
	if (said == 0 && errno)
		said = FG_EIO;
	closedir(d);
	return said;
}

struct sweep {
	int dir;
	unsigned n;
	bool (*keep)(void *arg, const char *name);
	void *arg;
};

static int
sweep_one(void *arg, const char *name)
{
	struct sweep *s = arg;
	if (is_part(name) && !(s->keep && s->keep(s->arg, name)) && unlinkat(s->dir, name, 0) == 0)
		s->n++;
	return 0;
}

int
files_parts_sweep(struct files *f, bool (*keep)(void *arg, const char *name), void *arg, unsigned *ret_n)
{
	struct sweep images = { .dir = f->quarantine, .keep = keep, .arg = arg };
	struct sweep reports = { .dir = f->reports }, statements = { .dir = f->statements };
	int r = each_name(f->quarantine, sweep_one, &images);
	if (!r)
		r = each_name(f->reports, sweep_one, &reports);
	if (!r)
		r = each_name(f->statements, sweep_one, &statements);
	if (r == 0)
		*ret_n = images.n;
	return r;
}

struct visit {
	struct files *files;
	int (*each)(void *arg, const uint8_t sha256[DIGEST_SHA256_LEN], uint64_t size);
	void *arg;
	uint64_t bytes;
};

static int
visit_image(void *arg, const char *name)
{
	struct visit *v = arg;
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct stat st;
	if (strlen(name) != DIGEST_HEX_LEN + 4 || strcmp(name + DIGEST_HEX_LEN, ".img") != 0 ||
	    !hex_decode(view_of(name, DIGEST_HEX_LEN), sha256, sizeof sha256))
		return 0;
	if (fstatat(v->files->quarantine, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return 0;
	return v->each(v->arg, sha256, (uint64_t)st.st_size);
}

int
files_image_each(struct files *f, int (*each)(void *arg, const uint8_t sha256[DIGEST_SHA256_LEN], uint64_t size),
    void *arg)
{
	struct visit v = { .files = f, .each = each, .arg = arg };
	return each_name(f->quarantine, visit_image, &v);
}

static int
add_size(void *arg, const char *name)
{
	struct visit *v = arg;
	struct stat st;
	if (fstatat(v->files->quarantine, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		v->bytes += (uint64_t)st.st_size;
	return 0;
}

int
files_usage(struct files *f, uint64_t *ret_bytes)
{
	struct visit v = { .files = f };
	int r = each_name(f->quarantine, add_size, &v);
	if (r == 0)
		*ret_bytes = v.bytes;
	return r;
}

int
files_space(struct files *f, uint64_t *ret_bytes)
{
	struct statvfs s;
	uint64_t n;
	if (fstatvfs(f->quarantine, &s))
		return FG_EIO;
	*ret_bytes = __builtin_mul_overflow((uint64_t)s.f_bavail, (uint64_t)s.f_frsize, &n) ? UINT64_MAX : n;
	return 0;
}

/* ---- images ---- */

int
files_image_open(struct files *f, enum files_kind kind, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char name[NAME_CAP];
	name_of(sha256, image_suffix(kind), name);
	return open_read(f->quarantine, name);
}

int
files_image_remove(struct files *f, enum files_kind kind, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char name[NAME_CAP];
	name_of(sha256, image_suffix(kind), name);
	if (unlinkat(f->quarantine, name, 0))
		return errno == ENOENT ? 0 : FG_EIO;
	return fsync(f->quarantine) ? FG_EIO : 0;
}

static ssize_t
read_at(int fd, void *p, size_t n, off_t at)
{
	ssize_t got;
	do
		got = pread(fd, p, n, at);
	while (got < 0 && errno == EINTR);
	return got;
}

int
files_digest(int fd, uint8_t sha256[DIGEST_SHA256_LEN], uint64_t *ret_size)
{
	struct digest *d = digest_new(DIGEST_SHA256);
	uint8_t *chunk = malloc(CHUNK);
	uint8_t out[DIGEST_SHA256_LEN];
	off_t at = 0;
	int r = d && chunk ? 0 : FG_ENOMEM;
	while (!r) {
		ssize_t n = read_at(fd, chunk, CHUNK, at);
		if (n <= 0) {
			r = n < 0 ? FG_EIO : digest_final(d, out);
			break;
		}
		r = digest_update(d, view_of(chunk, (size_t)n));
		at += n;
	}
	if (!r) {
		memcpy(sha256, out, sizeof out);
		*ret_size = (uint64_t)at;
	}
	free(chunk);
	digest_free(d);
	return r;
}

int
files_read(int fd, size_t cap, struct writer *w)
{
	uint8_t chunk[16384];
	off_t at = 0;
	for (;;) {
		ssize_t n = read_at(fd, chunk, sizeof chunk, at);
		if (n < 0)
			return FG_EIO;
		if (n == 0)
			return writer_err(w);
		at += n;
		if ((uint64_t)at > cap)
			return FG_ELIMIT;
		writer_bytes(w, view_of(chunk, (size_t)n));
	}
}

/* ---- documents ---- */

static int
doc_place(const struct files *f, enum files_doc doc, const uint8_t *sha256, char name[NAME_CAP])
{
	if (doc <= FILES_DOC_NONE || doc > FILES_NOTES)
		abort();
	name_of(sha256, docs[doc].suffix, name);
	return docs[doc].statement ? f->statements : f->reports;
}

/* Whether the file that has the name holds exactly these bytes. */
static int
compare(int dir, const char *name, struct view bytes)
{
	struct writer w;
	int fd = open_read(dir, name);
	if (fd < 0)
		return fd == FG_ENOTFOUND ? FG_EIO : fd;
	writer_init(&w, FILES_DOC_MAX);
	int r = files_read(fd, FILES_DOC_MAX, &w);
	if (r == FG_ELIMIT || (r == 0 && !view_equal(writer_view(&w), bytes)))
		r = FG_EEXIST;
	writer_free(&w);
	close(fd);
	return r;
}

static int
write_once(int dir, const char *name, struct view bytes)
{
	char aside[FILES_PART_CAP];
	if (!random_name(aside))
		return FG_EIO;
	int fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0)
		return FG_EIO;
	bool ok = fdio_write(fd, bytes) == 0 && fsync(fd) == 0;
	int r = close(fd) || !ok ? FG_EIO : 0;
	if (!r && renameat2(dir, aside, dir, name, RENAME_NOREPLACE) == 0)
		return fsync(dir) ? FG_EIO : 0;
	if (!r)
		r = errno == EEXIST ? compare(dir, name, bytes) : FG_EIO;
	if (!r && fsync(dir)) /* whoever gave the name may not have got to it */
		r = FG_EIO;
	int saved = errno;
	unlinkat(dir, aside, 0);
	errno = saved;
	return r;
}

int
files_doc_put(struct files *f, enum files_doc doc, const uint8_t sha256[DIGEST_SHA256_LEN], struct view bytes)
{
	char name[NAME_CAP];
	uint8_t own[DIGEST_SHA256_LEN];
	int dir = doc_place(f, doc, sha256, name);
	if (bytes.n > FILES_DOC_MAX)
		return FG_ELIMIT;
	if (docs[doc].named_by_content) {
		int r = digest_sha256(bytes, own);
		if (r)
			return r;
		if (memcmp(own, sha256, sizeof own) != 0)
			return FG_EINVAL;
	}
	return write_once(dir, name, bytes);
}

int
files_doc_get(struct files *f, enum files_doc doc, const uint8_t sha256[DIGEST_SHA256_LEN], struct writer *w)
{
	uint8_t own[DIGEST_SHA256_LEN];
	size_t begin = writer_view(w).n;
	int fd = files_doc_open(f, doc, sha256);
	if (fd < 0)
		return fd;
	int r = files_read(fd, FILES_DOC_MAX, w);
	close(fd);
	if (r || !docs[doc].named_by_content)
		return r;
	struct view all = writer_view(w);
	r = digest_sha256(view_of(all.p + begin, all.n - begin), own);
	return r ? r : memcmp(own, sha256, sizeof own) == 0 ? 0 : FG_EFORMAT;
}

struct counting {
	const char *suffix;
	uint64_t n;
};

static int
count_one(void *arg, const char *name)
{
	struct counting *k = arg;
	k->n += strlen(name) > DIGEST_HEX_LEN && strcmp(name + DIGEST_HEX_LEN, k->suffix) == 0;
	return 0;
}

int
files_doc_count(struct files *f, enum files_doc doc, uint64_t *ret)
{
	static const uint8_t any[DIGEST_SHA256_LEN];
	char name[NAME_CAP];
	int dir = doc_place(f, doc, any, name);
	struct counting k = { .suffix = docs[doc].suffix };
	int r = each_name(dir, count_one, &k);
	if (!r)
		*ret = k.n;
	return r;
}

int
files_doc_open(struct files *f, enum files_doc doc, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char name[NAME_CAP];
	int dir = doc_place(f, doc, sha256, name);
	return open_read(dir, name);
}
