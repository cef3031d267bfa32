/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/tile.h"
#include "gateway/cmd/verify_file.h"

void
verify_log_problem(struct verify_log *l, const char *fmt, ...)
{
	va_list ap;
	if (l->problems++ >= VERIFY_LOG_PROBLEMS)
		return;
	fputs("not ok: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static int
split(struct verify_log *l)
{
	uint64_t n = 0;
	for (size_t i = 0; i < l->text.n; i++)
		n += l->text.p[i] == '\n';
	n += l->text.n && l->text.p[l->text.n - 1] != '\n';
	l->line = calloc(n ? n : 1, sizeof l->line[0]);
	if (!l->line)
		return FG_ENOMEM;
	for (size_t at = 0; l->n < n; l->n++) {
		const uint8_t *end = memchr(l->text.p + at, '\n', l->text.n - at);
		size_t len = end ? (size_t)(end - (l->text.p + at)) : l->text.n - at;
		l->line[l->n] = view_of(l->text.p + at, len);
		at += len + 1;
	}
	return FG_OK;
}

/* How many hashes level has in our log. */
static uint64_t
hashes_on(const struct verify_log *l, unsigned level)
{
	return l->n >> (TILE_HEIGHT * level);
}

/* One hash of the level above from 256 of below. */
static int
fold_tile(struct verify_log *l, const uint8_t (*below)[MERKLE_HASH_LEN], uint8_t ret[MERKLE_HASH_LEN])
{
	uint8_t fold[TILE_WIDTH][MERKLE_HASH_LEN];
	memcpy(fold, below, sizeof fold);
	for (unsigned w = TILE_WIDTH; w > 1; w /= 2) {
		for (unsigned i = 0; i < w / 2; i++) {
			int err = merkle_node(l->m, fold[2 * i], fold[2 * i + 1], fold[i]);
			if (err)
				return err;
		}
	}
	memcpy(ret, fold[0], MERKLE_HASH_LEN);
	return FG_OK;
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
hash_all(struct verify_log *l)
{
	int err = FG_OK;
	for (unsigned level = 0; !err && level < TILE_LEVELS && (level == 0 || hashes_on(l, level)); level++) {
		uint64_t n = hashes_on(l, level);
		l->level[level] = calloc(n ? n : 1, sizeof l->level[0][0]);
		if (!l->level[level])
			return FG_ENOMEM;
		for (uint64_t i = 0; !err && i < n; i++) {
			if (level == 0)
				err = merkle_leaf(l->m, l->line[i], l->level[0][i]);
			else
				err = fold_tile(l, (const uint8_t (*)[MERKLE_HASH_LEN])&l->level[level - 1][i * TILE_WIDTH],
				    l->level[level][i]);
		}
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
verify_log_open(struct verify_log *l, const char *dir)
{
	*l = (struct verify_log){ .dir = dir };
	int err = verify_file_read(dir, "entries.jsonl", VERIFY_ENTRIES_MAX, &l->text);
	if (err) {
		fprintf(stderr, "fotagate-verify: %s/entries.jsonl: %s\n", dir, err_name(err));
		return err;
	}
	l->m = merkle_new();
	err = l->m ? split(l) : FG_ENOMEM;
	if (!err)
		err = hash_all(l);
	if (err)
		verify_log_close(l);
	return err;
}

void
verify_log_close(struct verify_log *l)
{
	tile_tree_free(l->tree);
	merkle_free(l->m);
	free(l->line);
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		free(l->level[level]);
	verify_file_free(l->text);
	*l = (struct verify_log){ 0 };
}

static int
check_head(struct verify_log *l, const struct note_key *key, const struct note_key *witnesses, unsigned n)
{
	uint8_t root[MERKLE_HASH_LEN];
	struct view note;
	struct checkpoint_opened opened;
	int err = verify_file_read(l->dir, "checkpoint", VERIFY_SMALL_MAX, &note);
	if (err) {
		verify_log_problem(l, "checkpoint: %s", err_name(err));
		return FG_OK;
	}
	err = checkpoint_open(note, NULL, key, witnesses, n, 0, &opened);
	verify_file_free(note);
	if (err)
		return err;
	if (opened.outcome != CHECKPOINT_VERIFIED) {
		verify_log_problem(l, "checkpoint: %s", checkpoint_outcome_name(opened.outcome));
		return FG_OK;
	}
	l->head = opened.head;
	l->witnessed = opened.witnesses;
	err = verify_log_root(l, l->n, root);
	if (err)
		return err;
	if (l->head.size != l->n)
		verify_log_problem(l, "the checkpoint signs %llu entries, entries.jsonl has %llu",
		    (unsigned long long)l->head.size, (unsigned long long)l->n);
	else if (memcmp(l->head.root, root, MERKLE_HASH_LEN))
		verify_log_problem(l, "entries.jsonl does not lead to the root that was signed");
	return FG_OK;
}

static void
check_bundle(struct verify_log *l, const struct tile *hashes)
{
	struct tile tile = { .level = TILE_ENTRIES, .index = hashes->index, .width = hashes->width };
	char path[TILE_PATH_CAP];
	struct view file;
	tile_path(&tile, path);
	int err = verify_file_read(l->dir, path, TILE_BUNDLE_MAX, &file);
	if (err) {
		verify_log_problem(l, "%s: %s", path, err_name(err));
		return;
	}
	struct tile_bundle b;
	struct view entry;
	uint64_t i = tile.index * TILE_WIDTH;
	tile_bundle_begin(&b, file, tile.width);
	int more;
	while ((more = tile_bundle_next(&b, &entry)) == 1 && view_equal(entry, l->line[i]))
		i++;
	if (more)
		verify_log_problem(l, "%s: not the entries of entries.jsonl", path);
	verify_file_free(file);
}

static int
check_tiles(struct verify_log *l)
{
	struct tile_iter it;
	struct tile tile;
	tile_iter_init(&it, 0, l->n);
	while (tile_iter_next(&it, &tile)) {
		char path[TILE_PATH_CAP];
		struct view file;
		tile_path(&tile, path);
		int missing = verify_file_read(l->dir, path, TILE_BYTES_MAX, &file);
		if (missing) {
			verify_log_problem(l, "%s: %s", path, err_name(missing));
			continue;
		}
		struct view want =
		    view_of(l->level[tile.level][tile.index * TILE_WIDTH], (size_t)tile.width * MERKLE_HASH_LEN);
		if (!view_equal(file, want))
			verify_log_problem(l, "%s: not the hashes of these entries", path);
		verify_file_free(file);
		if (tile.level == 0)
			check_bundle(l, &tile);
	}
	return FG_OK;
}

int
verify_log_check(struct verify_log *l, const struct note_key *key, const struct note_key *witnesses, unsigned n)
{
	if (!l->n)
		verify_log_problem(l, "entries.jsonl is empty: a log begins with its genesis");
	int err = check_head(l, key, witnesses, n);
	return err ? err : check_tiles(l);
}
