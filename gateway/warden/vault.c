/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/note.h"
#include "crypto/reader.h"
#include "crypto/writer.h"
#include "gateway/file/wholefile.h"
#include "gateway/warden/records.h"

#define VAULT_RESTRICTION_LEN 64 /* fixed record: kind, 7 zero, log size, release, image */
#define VAULT_RESTRICTIONS "restrictions"
#define VAULT_HEAD "witnessed"
#define VAULT_CLOCK "clock"

struct listed {
	struct vault_restriction r;
	bool written; /* as it is here, durably */
};

struct vault {
	int dir;
	struct records restrictions;
	struct listed *list;
	size_t n, cap;
};

/* ---- restrictions ---- */

static void
encode(const struct vault_restriction *r, struct writer *w)
{
	writer_u8(w, r->kind);
	for (int i = 0; i < 7; i++)
		writer_u8(w, 0);
	writer_u64(w, r->log_size);
	writer_bytes(w, view_of(r->release, sizeof r->release));
	writer_bytes(w, view_of(r->image, sizeof r->image));
}

/* One line for each image and release: the latest is what counts. */
static int
remember(struct vault *v, const struct vault_restriction *r, struct listed **ret)
{
	for (size_t i = 0; i < v->n; i++) {
		struct listed *old = &v->list[i];
		if (memcmp(old->r.image, r->image, sizeof r->image) || memcmp(old->r.release, r->release, sizeof r->release))
			continue;
		if (r->log_size > old->r.log_size)
			*old = (struct listed){ .r = *r };
		*ret = old;
		return FG_OK;
	}
	if (v->n == VAULT_RESTRICTIONS_MAX)
		return FG_ELIMIT;
	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 64;
		struct listed *more = reallocarray(v->list, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		v->list = more;
		v->cap = cap;
	}
	v->list[v->n] = (struct listed){ .r = *r };
	*ret = &v->list[v->n++];
	return FG_OK;
}

static int
load_restriction(void *ctx, struct view record)
{
	struct vault_restriction r = { 0 };
	struct listed *listed;
	struct reader rd;
	reader_init(&rd, record);
	r.kind = reader_u8(&rd);
	reader_take(&rd, 7);
	r.log_size = reader_u64(&rd);
	reader_copy(&rd, r.release, sizeof r.release);
	reader_copy(&rd, r.image, sizeof r.image);
	return remember(ctx, &r, &listed);
}

/* What is said again adds a record only when it says more: the file is as long as the list, and a life's news. */
static int
open_restrictions(struct vault *v)
{
	struct writer all;
	bool sure = false;
	int err = records_open(&v->restrictions, v->dir, VAULT_RESTRICTIONS, VAULT_RESTRICTION_LEN, load_restriction, v);
	writer_init(&all, (size_t)VAULT_RESTRICTIONS_MAX * VAULT_RESTRICTION_LEN);
	for (size_t i = 0; !err && i < v->n; i++)
		encode(&v->list[i].r, &all);
	if (!err)
		err = writer_err(&all);
	if (!err)
		err = records_settle(&v->restrictions, writer_view(&all), &sure);
	for (size_t i = 0; i < v->n; i++)
		v->list[i].written = sure;
	writer_free(&all);
	return err;
}

static int
write_down(struct vault *v, const struct vault_restriction *r)
{
	struct writer w;
	writer_init(&w, VAULT_RESTRICTION_LEN);
	encode(r, &w);
	int err = writer_err(&w);
	if (!err)
		err = records_append(&v->restrictions, writer_view(&w));
	writer_free(&w);
	return err ? FG_EIO : FG_OK;
}

int
vault_restrict(struct vault *v, const struct vault_restriction *r)
{
	struct listed *l = NULL;
	int err = remember(v, r, &l);
	if (err == FG_ENOMEM)
		(void)write_down(v, r); /* then at least the next start has it */
	if (err)
		return err; /* one too many, written down, would keep the next start from reading the list */
	if (!l->written)
		l->written = write_down(v, &l->r) == FG_OK;
	return l->written ? FG_OK : FG_EIO;
}

bool
vault_knows(const struct vault *v, const struct vault_restriction *r)
{
	static const uint8_t every[RELEASE_ID];
	for (size_t i = 0; i < v->n; i++) {
		const struct vault_restriction *k = &v->list[i].r;
		if (k->log_size >= r->log_size && !memcmp(k->image, r->image, sizeof k->image) &&
		    (!memcmp(k->release, every, sizeof every) || !memcmp(k->release, r->release, sizeof every)))
			return true;
	}
	return false;
}

uint64_t
vault_restricted(const struct vault *v, const uint8_t image[DIGEST_SHA256_LEN], const uint8_t *release)
{
	static const uint8_t every[RELEASE_ID];
	uint64_t highest = 0;
	for (size_t i = 0; i < v->n; i++) {
		const struct vault_restriction *r = &v->list[i].r;
		if (memcmp(r->image, image, DIGEST_SHA256_LEN))
			continue;
		bool covers = !memcmp(r->release, every, sizeof every) || !release || !memcmp(r->release, release, RELEASE_ID);
		if (covers && r->log_size > highest)
			highest = r->log_size;
	}
	return highest;
}

/* ---- opening ---- */

static DIR *
list_dir(const struct vault *v)
{
	int copy = openat(v->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d && copy >= 0)
		close(copy);
	return d;
}

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);
	return n > k && !strcmp(name + n - k, suffix);
}

/* What a crash left half-made; it has no name of its own yet. */
static int
sweep(struct vault *v)
{
	DIR *d = list_dir(v);
	if (!d)
		return FG_EIO;
	for (struct dirent *e; (e = readdir(d));) {
		if (has_suffix(e->d_name, ".copy") || has_suffix(e->d_name, WHOLEFILE_ASIDE))
			unlinkat(v->dir, e->d_name, 0);
	}
	closedir(d);
	return FG_OK;
}

int
vault_open(const char *path, struct vault **ret)
{
	struct vault *v = calloc(1, sizeof *v);
	if (!v)
		return FG_ENOMEM;
	v->restrictions = RECORDS_NONE;
	v->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = v->dir < 0 ? FG_EIO : sweep(v);
	if (!err)
		err = open_restrictions(v);
	if (err) {
		vault_close(v);
		return err;
	}
	*ret = v;
	return FG_OK;
}

void
vault_close(struct vault *v)
{
	if (!v)
		return;
	records_close(&v->restrictions);
	if (v->dir >= 0)
		close(v->dir);
	free(v->list);
	free(v);
}

int
vault_dir(const struct vault *v)
{
	return v->dir;
}

void
vault_image_name(const uint8_t sha256[DIGEST_SHA256_LEN], char *dst, size_t cap)
{
	char digits[DIGEST_HEX_LEN + 1];
	hex_encode(sha256, DIGEST_SHA256_LEN, digits);
	snprintf(dst, cap, "%s.img", digits);
}

static void
release_name(const uint8_t id[RELEASE_ID], const char *suffix, char *dst, size_t cap)
{
	char digits[2 * RELEASE_ID + 1];
	hex_encode(id, RELEASE_ID, digits);
	snprintf(dst, cap, "%s.%s", digits, suffix);
}

int
vault_keep_image(struct vault *v, const char *copied, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char name[80];
	vault_image_name(sha256, name, sizeof name);
	if (renameat(v->dir, copied, v->dir, name) || fsync(v->dir))
		return FG_EIO;
	return FG_OK;
}

int
vault_image(struct vault *v, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char name[80];
	vault_image_name(sha256, name, sizeof name);
	int fd = openat(v->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
}

int
vault_keep_release(struct vault *v, const uint8_t id[RELEASE_ID], struct view record, struct view bundle)
{
	char name[64];
	/* Statements first: a record that is there always has what it rests on. */
	release_name(id, "signed", name, sizeof name);
	int err = wholefile_replace(v->dir, name, bundle, 0440);
	if (err)
		return err;
	release_name(id, "json", name, sizeof name);
	return wholefile_replace(v->dir, name, record, 0440);
}

int
vault_drop_release(struct vault *v, const uint8_t id[RELEASE_ID])
{
	char name[64];
	release_name(id, "json", name, sizeof name);
	bool gone = unlinkat(v->dir, name, 0) == 0 || errno == ENOENT;
	release_name(id, "signed", name, sizeof name);
	unlinkat(v->dir, name, 0);
	return fsync(v->dir) == 0 && gone ? FG_OK : FG_EIO;
}

void
vault_drop_image(struct vault *v, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char name[80];
	vault_image_name(sha256, name, sizeof name);
	unlinkat(v->dir, name, 0);
}

void
vault_sweep_images(struct vault *v, bool (*needed)(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN]), void *ctx)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	DIR *d = list_dir(v);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (strlen(e->d_name) == DIGEST_HEX_LEN + 4 && has_suffix(e->d_name, ".img") &&
		    hex_decode(view_of(e->d_name, DIGEST_HEX_LEN), sha256, sizeof sha256) && !needed(ctx, sha256))
			unlinkat(v->dir, e->d_name, 0);
	}
	if (d)
		closedir(d);
}

int
vault_clock(struct vault *v, struct writer *w)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int err = wholefile_read(v->dir, VAULT_CLOCK, w->max, &p, &n);
	if (!err)
		writer_bytes(w, view_of(p, n));
	free(p);
	return err ? err : writer_err(w);
}

int
vault_keep_clock(struct vault *v, struct view bytes)
{
	return wholefile_replace(v->dir, VAULT_CLOCK, bytes, 0440);
}

int
vault_each(struct vault *v, void (*one)(void *ctx, const uint8_t id[RELEASE_ID], struct view record, struct view bundle),
    void *ctx)
{
	DIR *d = list_dir(v);
	if (!d)
		return FG_EIO;
	int err = FG_OK;
	for (struct dirent *e; !err && (e = readdir(d));) {
		uint8_t id[RELEASE_ID], *record = NULL, *bundle = NULL;
		size_t record_n = 0, bundle_n = 0;
		char name[64];
		size_t len = strlen(e->d_name);
		if (len != 2 * RELEASE_ID + 5 || strcmp(e->d_name + 2 * RELEASE_ID, ".json") ||
		    !hex_decode(view_of(e->d_name, 2 * RELEASE_ID), id, sizeof id))
			continue;
		err = wholefile_read(v->dir, e->d_name, RELEASE_RECORD_MAX, &record, &record_n);
		release_name(id, "signed", name, sizeof name);
		if (!err)
			err = wholefile_read(v->dir, name, VAULT_BUNDLE_MAX, &bundle, &bundle_n);
		if (err == FG_ENOTFOUND && record)
			err = FG_OK; /* it permits nothing without, and its image is kept until a person has looked */
		if (!err)
			one(ctx, id, view_of(record, record_n), view_of(bundle, bundle_n));
		else if (err == FG_ENOTFOUND || err == FG_ELIMIT)
			err = FG_OK; /* not one of ours: it permits nothing */
		free(record);
		free(bundle);
	}
	closedir(d);
	return err;
}

int
vault_keep_head(struct vault *v, struct view note)
{
	return wholefile_replace(v->dir, VAULT_HEAD, note, 0440);
}

int
vault_head(struct vault *v, uint8_t **ret, size_t *ret_n)
{
	return wholefile_read(v->dir, VAULT_HEAD, NOTE_SIZE_MAX, ret, ret_n);
}
