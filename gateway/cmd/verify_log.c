/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/entry_scan.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/cmd/verify_file.h"
#include "gateway/cmd/verify_work.h"

void
verify_log_problem(struct verify_log *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	verify_say_problem(l->say, fmt, ap);
	va_end(ap);
}

/* ---- reading ---- */

/*
 * Bytes of a line at the least, its end counted: the shortest entry with all its members has 120. Whoever sends
 * a file of nothing but line ends gets no memory for each of them.
 */
#define LINE_MIN 96

/* What became of one tile of level 0 and its bundle. Zero: nobody looked. */
enum { TILE_GOOD = 1, TILE_MISSING = 2, TILE_DIFFERS = 4, BUNDLE_GOOD = 8, BUNDLE_MISSING = 16, BUNDLE_DIFFERS = 32 };

struct reading {
	struct verify_log *l;
	int fd;
	uint64_t lines[VERIFY_WORK_THREADS]; /* ends of line in each part */
	_Atomic uint64_t next;               /* tile of level 0 */
};

struct view
verify_log_line(const struct verify_log *l, uint64_t i)
{
	return view_of(l->text + l->at[i], l->at[i + 1] - l->at[i] - 1);
}

static void
bounds(const struct verify_log *l, unsigned part, unsigned parts, size_t *from, size_t *to)
{
	*from = l->size / parts * part;
	*to = part + 1 == parts ? l->size : l->size / parts * (part + 1);
}

static int
read_part(void *ctx, unsigned part, unsigned parts)
{
	struct reading *r = ctx;
	struct verify_log *l = r->l;
	size_t from, to;
	bounds(l, part, parts, &from, &to);
	int err = verify_file_part(r->fd, l->text + from, to - from, from);
	for (const uint8_t *p = l->text + from, *end = l->text + to; !err && p < end; p++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			break;
		r->lines[part]++;
	}
	return err;
}

/* Where each line begins: behind the end of the one before. */
static int
split_part(void *ctx, unsigned part, unsigned parts)
{
	struct reading *r = ctx;
	struct verify_log *l = r->l;
	size_t from, to;
	uint64_t i = 1;
	bounds(l, part, parts, &from, &to);
	for (unsigned k = 0; k < part; k++)
		i += r->lines[k];
	for (const uint8_t *p = l->text + from, *end = l->text + to; p < end; p++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			break;
		l->at[i++] = (uint32_t)(p + 1 - l->text);
	}
	return FG_OK;
}

static int
read_lines(struct reading *r, unsigned parts)
{
	struct verify_log *l = r->l;
	l->text = malloc(l->size + 1);
	if (!l->text)
		return FG_ENOMEM;
	int err = verify_work_run(read_part, r, parts);
	if (err)
		return err;
	for (unsigned i = 0; i < parts; i++)
		l->n += r->lines[i];
	if (l->n > l->size / LINE_MIN + 1) {
		verify_log_problem(l, "entries.jsonl: %llu lines in %zu bytes are no entries", (unsigned long long)l->n, l->size);
		l->n = l->size = 0;
	}
	bool open_end = l->size && l->text[l->size - 1] != '\n';
	l->n += open_end;
	l->at = calloc(l->n + 1, sizeof l->at[0]);
	l->fact = calloc(l->n ? l->n : 1, sizeof l->fact[0]);
	l->tile_state = calloc(l->n / TILE_WIDTH + 1, 1);
	if (!l->at || !l->fact || !l->tile_state)
		return FG_ENOMEM;
	if (open_end) {
		verify_log_problem(l, "entries.jsonl: the last line has no end");
		l->at[l->n] = (uint32_t)l->size + 1;
	}
	return verify_work_run(split_part, r, parts);
}

/* ---- hashing ---- */

/* How many hashes level has in our log. */
static uint64_t
hashes_on(const struct verify_log *l, unsigned level)
{
	return l->n >> (TILE_HEIGHT * level);
}

/* One hash of the level above from 256 of below. */
static int
fold_tile(struct merkle *m, const uint8_t (*below)[MERKLE_HASH_LEN], uint8_t ret[MERKLE_HASH_LEN])
{
	uint8_t fold[TILE_WIDTH][MERKLE_HASH_LEN];
	memcpy(fold, below, sizeof fold);
	for (unsigned w = TILE_WIDTH; w > 1; w /= 2) {
		for (unsigned i = 0; i < w / 2; i++) {
			int err = merkle_node(m, fold[2 * i], fold[2 * i + 1], fold[i]);
			if (err)
				return err;
		}
	}
	memcpy(ret, fold[0], MERKLE_HASH_LEN);
	return FG_OK;
}

static void
take_fact(struct verify_fact *f, const struct entry *e, uint64_t index)
{
	static const char prefix[] = "release:";
	size_t n = sizeof prefix - 1;
	*f = (struct verify_fact){ .t_us = e->t_us, .ev = (uint8_t)e->ev, .readable = true, .other_seq = e->seq != index,
		.have_dev = e->have_dev };
	if (e->have_dev)
		memcpy(f->dev, e->dev, sizeof f->dev);
	f->have_release = e->obj.n == n + 2 * RELEASE_ID && !memcmp(e->obj.p, prefix, n) &&
	    hex_decode(view_of(e->obj.p + n, 2 * RELEASE_ID), f->release, RELEASE_ID);
}

/* In our own form or in any that means the same. */
static int
read_fact(struct verify_fact *f, struct view line, uint64_t index)
{
	struct json *doc;
	struct entry e;
	if (entry_scan(line, &e)) {
		take_fact(f, &e, index);
		return FG_OK;
	}
	int err = entry_parse(line, &doc, &e, NULL);
	if (err)
		return err == FG_ENOMEM ? err : FG_OK;
	take_fact(f, &e, index);
	json_free(doc);
	return FG_OK;
}

/* The two files of a tile of level 0, compared while its lines are at hand. */
static uint8_t
compare_tile(const struct verify_log *l, const struct tile *t, uint8_t *buf)
{
	char path[TILE_PATH_CAP];
	struct tile entries = { .level = TILE_ENTRIES, .index = t->index, .width = t->width };
	struct tile_bundle b;
	struct view entry;
	size_t n;
	uint64_t i = t->index * TILE_WIDTH;
	uint8_t state;
	tile_path(t, path);
	if (verify_file_into(l->dir, path, buf, TILE_BYTES_MAX, &n))
		state = TILE_MISSING;
	else
		state = n == (size_t)t->width * MERKLE_HASH_LEN && !memcmp(buf, l->level[0][i], n) ? TILE_GOOD : TILE_DIFFERS;
	tile_path(&entries, path);
	if (verify_file_into(l->dir, path, buf, TILE_BUNDLE_MAX, &n))
		return state | BUNDLE_MISSING;
	tile_bundle_begin(&b, view_of(buf, n), t->width);
	int more;
	while ((more = tile_bundle_next(&b, &entry)) == 1 && view_equal(entry, verify_log_line(l, i)))
		i++;
	return state | (more ? BUNDLE_DIFFERS : BUNDLE_GOOD);
}

/* Tiles of 256 entries, whoever takes them: hash, read, compare. */
static int
hash_part(void *ctx, unsigned part, unsigned parts)
{
	struct reading *r = ctx;
	struct verify_log *l = r->l;
	struct merkle *m = merkle_new();
	uint8_t *buf = malloc(TILE_BUNDLE_MAX); /* most of it is never touched */
	uint64_t tile, tiles = (l->n + TILE_WIDTH - 1) / TILE_WIDTH;
	int err = m && buf ? FG_OK : FG_ENOMEM;
	(void)part;
	(void)parts;
	while (!err && verify_work_take(&r->next, tiles, &tile)) {
		struct tile t = { .level = 0, .index = tile, .width = tile_width(0, tile, l->n) };
		uint64_t from = tile * TILE_WIDTH;
		for (uint64_t i = from; !err && i < from + t.width; i++) {
			struct view line = verify_log_line(l, i);
			err = merkle_leaf(m, line, l->level[0][i]);
			if (!err)
				err = read_fact(&l->fact[i], line, i);
		}
		if (!err && t.width == TILE_WIDTH)
			err = fold_tile(m, (const uint8_t (*)[MERKLE_HASH_LEN])&l->level[0][from], l->level[1][tile]);
		if (!err)
			l->tile_state[tile] = compare_tile(l, &t, buf);
	}
	free(buf);
	merkle_free(m);
	return err;
}

/* tile_read over what was hashed. */
static int
read_hashes(void *ctx, unsigned level, uint64_t index, unsigned width, uint8_t *hashes)
{
	const struct verify_log *l = ctx;
	memcpy(hashes, l->level[level][index * TILE_WIDTH], (size_t)width * MERKLE_HASH_LEN);
	return FG_OK;
}

static int
hash_all(struct reading *r, unsigned parts)
{
	struct verify_log *l = r->l;
	for (unsigned level = 0; level < TILE_LEVELS && (level < 2 || hashes_on(l, level)); level++) {
		uint64_t n = hashes_on(l, level);
		l->level[level] = calloc(n ? n : 1, sizeof l->level[0][0]);
		if (!l->level[level])
			return FG_ENOMEM;
	}
	int err = verify_work_run(hash_part, r, parts);
	for (unsigned level = 2; !err && level < TILE_LEVELS && l->level[level]; level++) {
		for (uint64_t i = 0; !err && i < hashes_on(l, level); i++)
			err = fold_tile(l->m, (const uint8_t (*)[MERKLE_HASH_LEN])&l->level[level - 1][i * TILE_WIDTH],
			    l->level[level][i]);
	}
	l->tree = err ? NULL : tile_tree_new(l->m, l->n, read_hashes, l);
	return err ? err : l->tree ? FG_OK : FG_ENOMEM;
}

int
verify_log_root(struct verify_log *l, uint64_t size, uint8_t ret[MERKLE_HASH_LEN])
{
	return tile_tree_root(l->tree, size, ret);
}

int
verify_log_open(struct verify_log *l, const char *dir, struct verify_say *say)
{
	struct reading r = { .l = l, .fd = -1 };
	unsigned parts = verify_work_parts();
	*l = (struct verify_log){ .dir = dir, .say = say };
	int err = verify_file_open(dir, "entries.jsonl", VERIFY_ENTRIES_MAX - 1, &r.fd, &l->size);
	if (err) {
		fprintf(stderr, "fotagate-verify: %s/entries.jsonl: %s\n", dir, err_why(err));
		return err;
	}
	l->m = merkle_new();
	err = l->m ? read_lines(&r, parts) : FG_ENOMEM;
	close(r.fd);
	if (!err)
		err = hash_all(&r, parts);
	if (err)
		verify_log_close(l);
	return err;
}

void
verify_log_close(struct verify_log *l)
{
	tile_tree_free(l->tree);
	merkle_free(l->m);
	free(l->at);
	free(l->fact);
	free(l->tile_state);
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		free(l->level[level]);
	free(l->text);
	*l = (struct verify_log){ 0 };
}

/* ---- judging ---- */

static int
check_head(struct verify_log *l, const struct note_key *key, const struct note_key *witnesses, size_t n)
{
	uint8_t root[MERKLE_HASH_LEN];
	struct view note;
	struct checkpoint_opened *opened = &l->opened;
	int err = verify_file_read(l->dir, "checkpoint", VERIFY_SMALL_MAX, &note);
	if (err) {
		verify_log_problem(l, "checkpoint: %s", err_name(err));
		return FG_OK;
	}
	err = checkpoint_open(note, NULL, key, witnesses, n, 0, opened);
	verify_file_free(note);
	if (err)
		return err;
	if (opened->outcome != CHECKPOINT_VERIFIED) {
		verify_log_problem(l, "checkpoint: %s", checkpoint_outcome_name(opened->outcome));
		return FG_OK;
	}
	err = verify_log_root(l, l->n, root);
	if (err)
		return err;
	if (opened->head.size != l->n)
		verify_log_problem(l, "the checkpoint signs %llu entries, entries.jsonl has %llu",
		    (unsigned long long)opened->head.size, (unsigned long long)l->n);
	else if (memcmp(opened->head.root, root, MERKLE_HASH_LEN))
		verify_log_problem(l, "entries.jsonl does not lead to the root that was signed");
	return FG_OK;
}

/* A tile above level 0: there are few. */
static void
check_upper(struct verify_log *l, const struct tile *t, const char *path)
{
	struct view file;
	int missing = verify_file_read(l->dir, path, TILE_BYTES_MAX, &file);
	if (missing) {
		verify_log_problem(l, "%s: %s", path, err_why(missing));
		return;
	}
	struct view want = view_of(l->level[t->level][t->index * TILE_WIDTH], (size_t)t->width * MERKLE_HASH_LEN);
	if (!view_equal(file, want))
		verify_log_problem(l, "%s: not the hashes of these entries", path);
	verify_file_free(file);
}

static void
check_tiles(struct verify_log *l)
{
	struct tile_iter it;
	struct tile tile;
	tile_iter_init(&it, 0, l->n);
	while (tile_iter_next(&it, &tile)) {
		char path[TILE_PATH_CAP];
		tile_path(&tile, path);
		if (tile.level) {
			check_upper(l, &tile, path);
			continue;
		}
		uint8_t state = l->tile_state[tile.index];
		if (!(state & TILE_GOOD))
			verify_log_problem(l, "%s: %s", path,
			    state & TILE_MISSING ? "cannot be read" : "not the hashes of these entries");
		tile.level = TILE_ENTRIES;
		tile_path(&tile, path);
		if (!(state & BUNDLE_GOOD))
			verify_log_problem(l, "%s: %s", path,
			    state & BUNDLE_MISSING ? "cannot be read" : "not the entries of entries.jsonl");
	}
}

int
verify_log_check(struct verify_log *l, const struct note_key *key, const struct note_key *witnesses, size_t n)
{
	if (!l->n)
		verify_log_problem(l, "entries.jsonl is empty: a log begins with its genesis");
	int err = check_head(l, key, witnesses, n);
	if (!err)
		check_tiles(l);
	return err;
}
