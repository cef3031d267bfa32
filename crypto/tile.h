/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile - where a log's hashes and entries lie (c2sp.org/tlog-tiles@v0.1.0), and
 * how roots and proofs are made from them.
 * Role: the audit role writes tiles and answers proof requests, the command
 * line and fotagate-verify read an export; all through one read callback, so
 * the mathematics is written once. Guarantees: no I/O here; a proof costs at
 * most one read of a tile per level and a few at the right edge; every path has
 * one spelling.
 */
#ifndef FG_CRYPTO_TILE_H
#define FG_CRYPTO_TILE_H

#include "crypto/merkle.h"
#include "crypto/reader.h"
#include "crypto/view.h"
#include "crypto/writer.h"

#define TILE_HEIGHT 8u
#define TILE_WIDTH 256u
#define TILE_BYTES_MAX (TILE_WIDTH * MERKLE_HASH_LEN)
/* A level-8 hash would need 2^64 entries; the specification reserves up to 63. */
#define TILE_LEVELS 8u
#define TILE_ENTRIES 255u /* as a level: the bundle of entries beside a level-0 tile */
#define TILE_ENTRY_MAX 65535u /* an entry's length is 16 bits */
#define TILE_BUNDLE_MAX (TILE_WIDTH * (2 + TILE_ENTRY_MAX))
/* "tile/entries/", six groups of "xNNN/" and ".p/255". */
#define TILE_PATH_CAP 64

struct tile {
	unsigned level; /* 0..TILE_LEVELS-1 or TILE_ENTRIES */
	uint64_t index;
	unsigned width; /* 1..TILE_WIDTH; less than TILE_WIDTH is a partial tile */
};

/* "tile/0/x001/x234/067.p/12"; aborts for a tile that cannot be. */
void tile_path(const struct tile *t, char out[TILE_PATH_CAP]);
/* All of text, spelled as tile_path spells it and possible in some tree; else false. */
bool tile_parse_path(struct view text, struct tile *ret);
/* Hashes (or entries) that tile has in a tree of that size: 0 = the tile does not exist in it. */
unsigned tile_width(unsigned level, uint64_t index, uint64_t size);

/*
 * The tiles to write when the tree grows from old to size, each in its final
 * form for size, level by level, ascending index; with old 0, all tiles of the
 * tree. Hash tiles only: every level-0 tile has an entry bundle of the same
 * index and width beside it.
 */
struct tile_iter {
	uint64_t old, size;
	unsigned level;
	uint64_t index;
};
void tile_iter_init(struct tile_iter *it, uint64_t old, uint64_t size);
/* True with *ret, or false at the end. */
bool tile_iter_next(struct tile_iter *it, struct tile *ret);

/* Appends u16 length and entry; FG_ELIMIT over TILE_ENTRY_MAX. */
int tile_bundle_put(struct writer *w, struct view entry);
/*
 * Walks a bundle of exactly width entries: 1 with *ret borrowed from bytes, 0
 * after the last, FG_EFORMAT when bytes are missing or left over.
 */
struct tile_bundle {
	struct reader r;
	unsigned left;
};
void tile_bundle_begin(struct tile_bundle *b, struct view bytes, unsigned width);
int tile_bundle_next(struct tile_bundle *b, struct view *ret);

/*
 * Reads the first `width` hashes of a tile into hashes (width *
 * MERKLE_HASH_LEN bytes): from the file of that width or any wider one. 0 or a
 * negative fg_err, which the function asking returns.
 */
typedef int (*tile_read)(void *ctx, unsigned level, uint64_t index, unsigned width,
    uint8_t *hashes);

/*
 * A tree of one size seen through its tiles. Keeps the last tile of each level
 * (64 KiB), so proofs of neighbouring entries read little. What it answers is
 * as true as what was read: compare the root with a signed one first.
 */
struct tile_tree;

/* m and ctx are borrowed until tile_tree_free. NULL: no memory, or size over MERKLE_SIZE_MAX. */
struct tile_tree *tile_tree_new(struct merkle *m, uint64_t size, tile_read read, void *ctx);
void tile_tree_free(struct tile_tree *t);

/* All: 0, FG_EINVAL for an index or size outside the tree, FG_ECRYPTO, or what read returned. */

/* Hash of one entry. */
int tile_tree_leaf(struct tile_tree *t, uint64_t index, uint8_t ret[MERKLE_HASH_LEN]);
/* Root of the tree's first `size` entries; 0..its size. */
int tile_tree_root(struct tile_tree *t, uint64_t size, uint8_t ret[MERKLE_HASH_LEN]);
/* The append-only state at its full size: what a writer resumes from. */
int tile_tree_range(struct tile_tree *t, struct merkle_range *ret);
/* RFC 9162 2.1.3.1, in the tree of its first `size` entries. */
int tile_tree_inclusion(struct tile_tree *t, uint64_t index, uint64_t size,
    struct merkle_proof *ret);
/* RFC 9162 2.1.4.1, from the first old to the first `size` entries; 0 < old <= size. */
int tile_tree_consistency(struct tile_tree *t, uint64_t old, uint64_t size,
    struct merkle_proof *ret);

#endif
