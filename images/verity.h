/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verity - a dm-verity hash tree, recomputed over all of its data.
 * Role: rauc.c. The kernel checks such a tree lazily, block by block as they are
 * read; here the whole data is hashed and every byte of the tree is held against
 * what it must be, the zeros behind the last digest of a level too.
 *
 * The one form that RAUC writes: version 1, SHA-256, blocks of 4096 bytes, a salt
 * of 32 bytes before each block, no superblock, levels stored from the top down.
 * Guarantees: reads data and tree once, in order; memory: one block a level.
 * The data is offered to whoever names the image meanwhile.
 */
#ifndef FG_IMAGES_VERITY_H
#define FG_IMAGES_VERITY_H

#include "crypto/digest.h"
#include "images/whole.h"

#define VERITY_BLOCK 4096u

enum verity_answer {
	VERITY_UNKNOWN = 0,
	VERITY_TREE_DIFFERS, /* a byte of the tree is not what the data make of it */
	VERITY_ROOT_DIFFERS, /* the tree fits the data, and both are not those of that root */
	VERITY_FITS,
};

/* Bytes of the tree over that many bytes of data (whole blocks, at least one); 0 for a single block. */
uint64_t verity_tree_size(uint64_t data);
/*
 * Data is [0, data), the tree begins at data; both must lie in s. naming is the digest
 * that s gets its name by; NULL: none. *ret_at is the first byte of the tree's block
 * that differs. 0, FG_ENOMEM, FG_ECRYPTO, or what reading failed with; FG_EINVAL when
 * data is not whole blocks.
 */
int verity_check(const struct source *s, uint64_t data, const uint8_t salt[DIGEST_SHA256_LEN],
    const uint8_t root[DIGEST_SHA256_LEN], struct whole *naming, enum verity_answer *ret,
    uint64_t *ret_at);

#endif
