/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tilestore - the log as static files in the C2SP tlog-tiles layout, below
 * data_dir/audit/log: what auditors copy and stock tools read.
 * Only durable entries come in; full tiles are written as they fill, partial
 * ones at publish. Every file is written aside, synced, renamed, and its
 * directory synced; writing one again after a crash gives the same bytes.
 */
#ifndef FG_GATEWAY_AUDIT_TILESTORE_H
#define FG_GATEWAY_AUDIT_TILESTORE_H

#include "crypto/merkle.h"
#include "crypto/tile.h"

#define TILESTORE_CHECKPOINT "checkpoint"

struct tilestore;

/*
 * Opens the tree of that size below dirfd (borrowed). m is borrowed. FG_ENOTFOUND
 * or FG_EFORMAT when a tile of the right edge is missing or of another width.
 */
int tilestore_open(int dirfd, struct merkle *m, uint64_t size, struct tilestore **ret);
void tilestore_close(struct tilestore *t);
uint64_t tilestore_size(const struct tilestore *t);
/* The next entry with its leaf hash. FG_EIO ends the store's use. */
int tilestore_add(struct tilestore *t, struct view entry, const uint8_t leaf[MERKLE_HASH_LEN]);
/* Writes what a checkpoint of tilestore_size() rests on. */
int tilestore_publish(struct tilestore *t);
/* Partial tiles that the published ones replace. Best effort. */
void tilestore_tidy(struct tilestore *t);
/* Atomically replaces a file of the store (the checkpoint). */
int tilestore_write(struct tilestore *t, const char *name, struct view bytes);
/* tile_read for tile_tree_new(); ctx is the tilestore. */
int tilestore_read(void *ctx, unsigned level, uint64_t index, unsigned width, uint8_t *hashes);
/* A whole bundle (full, or the right edge as it is) appended to w (TILE_BUNDLE_MAX). */
int tilestore_bundle(struct tilestore *t, uint64_t index, struct writer *w, unsigned *ret_width);
/* One entry's bytes appended to w. FG_ENOTFOUND, FG_EIO, FG_EFORMAT. */
int tilestore_entry(struct tilestore *t, uint64_t index, struct writer *w);
/* Read-only descriptor of "checkpoint" or a tile path, or negative fg_err: nothing else has a name. */
int tilestore_file(struct tilestore *t, const char *name);

#endif
