/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/tilestore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/file/wholefile.h"

struct edge { /* the rightmost tile of a level while it is not full */
	uint64_t index;
	unsigned n;
	unsigned written; /* width of the partial file that is there */
	unsigned stale;   /* width of one that the next checkpoint replaces */
	uint64_t stale_index;
	uint8_t hash[TILE_WIDTH][MERKLE_HASH_LEN];
};

#define SURE_FOLDERS 16 /* a level's, its entries' and their partial ones: what one publication writes to */

struct tilestore {
	int dirfd;
	char sure[SURE_FOLDERS][TILE_PATH_CAP]; /* folders whose way from the root is synced */
	unsigned sure_turn;
	struct merkle *m;
	uint64_t size;
	struct edge level[TILE_LEVELS];
	struct writer bundle; /* entries of the level-0 edge */
};

/* ---- files ---- */

static bool
is_sure(const struct tilestore *t, const char *folder)
{
	for (unsigned i = 0; i < SURE_FOLDERS; i++) {
		if (!strcmp(t->sure[i], folder))
			return true;
	}
	return false;
}

/*
 * A folder is as durable as its parent's entry for it. One that is there may have
 * been made by a process that was killed before its sync, so each is synced once.
 */
static int
make_parents(struct tilestore *t, const char *path)
{
	char part[TILE_PATH_CAP];
	const char *last = strrchr(path, '/');
	if (!last)
		return FG_OK;
	snprintf(part, sizeof part, "%.*s", (int)(last - path), path);
	if (is_sure(t, part))
		return FG_OK;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		if ((mkdirat(t->dirfd, part, 0755) && errno != EEXIST) || wholefile_sync_folder(t->dirfd, part))
			return FG_EIO;
	}
	snprintf(t->sure[t->sure_turn++ % SURE_FOLDERS], sizeof part, "%s", part);
	return FG_OK;
}

int
tilestore_write(struct tilestore *t, const char *name, struct view bytes)
{
	int err = make_parents(t, name);
	return err ? err : wholefile_replace(t->dirfd, name, bytes, 0644);
}

static int
read_tile(const struct tilestore *t, const struct tile *tile, size_t max, struct writer *w)
{
	char path[TILE_PATH_CAP];
	uint8_t buf[8192];
	tile_path(tile, path);
	int fd = openat(t->dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	ssize_t n;
	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || w->n + (size_t)n > max)
			break;
		writer_bytes(w, view_of(buf, (size_t)n));
	}
	close(fd);
	if (n)
		return n < 0 ? FG_EIO : FG_EFORMAT;
	return writer_err(w);
}

/* ---- opening ---- */

static int
load_edge(struct tilestore *t, unsigned level)
{
	struct edge *e = &t->level[level];
	/* Hashes on this level: full subtrees of 256^level entries. */
	uint64_t hashes = t->size >> (TILE_HEIGHT * level);
	e->index = hashes / TILE_WIDTH;
	e->n = (unsigned)(hashes % TILE_WIDTH);
	e->written = e->n;
	if (!e->n)
		return FG_OK;
	return tilestore_read(t, level, e->index, e->n, e->hash[0]);
}

static int
load_bundle(struct tilestore *t)
{
	const struct edge *e = &t->level[0];
	if (!e->n)
		return FG_OK;
	struct tile tile = { .level = TILE_ENTRIES, .index = e->index, .width = e->n };
	struct writer bytes;
	struct tile_bundle b;
	struct view entry;
	writer_init(&bytes, TILE_BUNDLE_MAX);
	int err = read_tile(t, &tile, TILE_BUNDLE_MAX, &bytes);
	if (err == FG_ENOTFOUND) {
		/* A crash between filling the tile and the next checkpoint: the full one holds it. */
		tile.width = TILE_WIDTH;
		err = read_tile(t, &tile, TILE_BUNDLE_MAX, &bytes);
	}
	if (!err)
		tile_bundle_begin(&b, writer_view(&bytes), tile.width);
	for (unsigned i = 0; !err && i < e->n; i++) {
		uint8_t leaf[MERKLE_HASH_LEN];
		err = tile_bundle_next(&b, &entry) == 1 ? merkle_leaf(t->m, entry, leaf) : FG_EFORMAT;
		if (!err && memcmp(leaf, e->hash[i], sizeof leaf))
			err = FG_EFORMAT;
		if (!err)
			err = tile_bundle_put(&t->bundle, entry);
	}
	writer_free(&bytes);
	return err;
}

int
tilestore_open(int dirfd, struct merkle *m, uint64_t size, struct tilestore **ret)
{
	struct tilestore *t = calloc(1, sizeof *t);
	if (!t)
		return FG_ENOMEM;
	t->dirfd = dirfd;
	t->m = m;
	t->size = size;
	writer_init(&t->bundle, TILE_BUNDLE_MAX);
	int err = FG_OK;
	for (unsigned level = 0; !err && level < TILE_LEVELS; level++)
		err = load_edge(t, level);
	if (!err)
		err = load_bundle(t);
	if (err) {
		tilestore_close(t);
		return err;
	}
	*ret = t;
	return FG_OK;
}

void
tilestore_close(struct tilestore *t)
{
	if (!t)
		return;
	writer_free(&t->bundle);
	free(t);
}

uint64_t
tilestore_size(const struct tilestore *t)
{
	return t->size;
}

/* ---- growing ---- */

static int
write_edge(struct tilestore *t, unsigned level)
{
	struct edge *e = &t->level[level];
	char path[TILE_PATH_CAP];
	struct tile tile = { .level = level, .index = e->index, .width = e->n };
	tile_path(&tile, path);
	int err = tilestore_write(t, path, view_of(e->hash, (size_t)e->n * MERKLE_HASH_LEN));
	if (!err && level == 0) {
		tile.level = TILE_ENTRIES;
		tile_path(&tile, path);
		err = tilestore_write(t, path, writer_view(&t->bundle));
	}
	return err;
}

static int
tile_root(struct tilestore *t, const struct edge *e, uint8_t ret[MERKLE_HASH_LEN])
{
	uint8_t fold[TILE_WIDTH][MERKLE_HASH_LEN];
	memcpy(fold, e->hash, sizeof fold);
	for (unsigned n = TILE_WIDTH; n > 1; n /= 2) {
		for (unsigned i = 0; i < n / 2; i++) {
			int err = merkle_node(t->m, fold[2 * i], fold[2 * i + 1], fold[i]);
			if (err)
				return err;
		}
	}
	memcpy(ret, fold[0], MERKLE_HASH_LEN);
	return FG_OK;
}

static void
remove_partial(struct tilestore *t, unsigned level, uint64_t index, unsigned width)
{
	char path[TILE_PATH_CAP];
	struct tile tile = { .level = level, .index = index, .width = width };
	tile_path(&tile, path);
	unlinkat(t->dirfd, path, 0);
}

/* Until the next checkpoint the partial one is part of the published tree. */
static void
replaced(struct edge *e)
{
	if (!e->written)
		return;
	e->stale = e->written;
	e->stale_index = e->index;
}

/* A full tile: written for good, its root goes up. */
static int
promote(struct tilestore *t, unsigned level, uint8_t up[MERKLE_HASH_LEN])
{
	struct edge *e = &t->level[level];
	int err = write_edge(t, level);
	if (!err)
		err = tile_root(t, e, up);
	if (err)
		return err;
	replaced(e);
	e->index++;
	e->n = e->written = 0;
	if (level == 0)
		writer_reset(&t->bundle);
	return FG_OK;
}

int
tilestore_add(struct tilestore *t, struct view entry, const uint8_t leaf[MERKLE_HASH_LEN])
{
	uint8_t hash[MERKLE_HASH_LEN];
	int err = tile_bundle_put(&t->bundle, entry);
	memcpy(hash, leaf, sizeof hash);
	for (unsigned level = 0; !err && level < TILE_LEVELS; level++) {
		struct edge *e = &t->level[level];
		memcpy(e->hash[e->n++], hash, sizeof hash);
		if (e->n < TILE_WIDTH)
			break;
		err = promote(t, level, hash);
	}
	if (!err)
		t->size++;
	return err;
}

int
tilestore_publish(struct tilestore *t)
{
	int err = FG_OK;
	for (unsigned level = 0; !err && level < TILE_LEVELS; level++) {
		struct edge *e = &t->level[level];
		if (!e->n || e->n == e->written)
			continue;
		err = write_edge(t, level);
		replaced(e);
		e->written = e->n;
	}
	return err;
}

void
tilestore_tidy(struct tilestore *t)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		struct edge *e = &t->level[level];
		if (e->stale) {
			remove_partial(t, level, e->stale_index, e->stale);
			if (level == 0)
				remove_partial(t, TILE_ENTRIES, e->stale_index, e->stale);
		}
		e->stale = 0;
	}
}

/* ---- reading ---- */

int
tilestore_read(void *ctx, unsigned level, uint64_t index, unsigned width, uint8_t *hashes)
{
	struct tilestore *t = ctx;
	const struct edge *e = &t->level[level];
	if (level < TILE_LEVELS && e->index == index && e->n >= width && e->written >= width &&
	    e->hash[0] != hashes) {
		memcpy(hashes, e->hash, (size_t)width * MERKLE_HASH_LEN);
		return FG_OK;
	}
	struct writer w;
	writer_init(&w, TILE_BYTES_MAX);
	struct tile tile = { .level = level, .index = index, .width = width };
	int err = read_tile(t, &tile, TILE_BYTES_MAX, &w);
	if (err == FG_ENOTFOUND && width < TILE_WIDTH) {
		tile.width = TILE_WIDTH;
		err = read_tile(t, &tile, TILE_BYTES_MAX, &w);
	}
	if (!err && w.n != (size_t)tile.width * MERKLE_HASH_LEN)
		err = FG_EFORMAT;
	if (!err)
		memcpy(hashes, w.p, (size_t)width * MERKLE_HASH_LEN);
	writer_free(&w);
	return err;
}

int
tilestore_bundle(struct tilestore *t, uint64_t index, struct writer *w, unsigned *ret_width)
{
	struct tile tile = { .level = TILE_ENTRIES, .index = index, .width = TILE_WIDTH };
	*ret_width = TILE_WIDTH;
	if (index == t->level[0].index && t->level[0].n) {
		*ret_width = t->level[0].n;
		writer_bytes(w, writer_view(&t->bundle));
		return writer_err(w);
	}
	return read_tile(t, &tile, TILE_BUNDLE_MAX, w);
}

int
tilestore_entry(struct tilestore *t, uint64_t index, struct writer *w)
{
	if (index >= t->size)
		return FG_ENOTFOUND;
	struct writer bytes;
	unsigned width = 0;
	struct tile_bundle b;
	struct view entry = { 0 };
	writer_init(&bytes, TILE_BUNDLE_MAX);
	int err = tilestore_bundle(t, index / TILE_WIDTH, &bytes, &width);
	if (!err)
		tile_bundle_begin(&b, writer_view(&bytes), width);
	for (uint64_t i = 0; !err && i <= index % TILE_WIDTH; i++)
		err = tile_bundle_next(&b, &entry) == 1 ? FG_OK : FG_EFORMAT;
	if (!err)
		writer_bytes(w, entry);
	writer_free(&bytes);
	return err ? err : writer_err(w);
}

int
tilestore_file(struct tilestore *t, const char *name)
{
	struct tile tile;
	if (strcmp(name, TILESTORE_CHECKPOINT) && !tile_parse_path(view_str(name), &tile))
		return FG_EINVAL;
	int fd = openat(t->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
}
