/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle - the RFC 6962 / RFC 9162 hash tree over SHA-256.
 * Role: the audit role grows the log with it, and everyone who checks a
 * receipt, an export or another gateway's checkpoint verifies with it.
 * Guarantees: proof verification follows RFC 9162 2.1.3.2 and 2.1.4.2 step by
 * step; nothing but exactly the right number of hashes is a proof. State of a
 * growing tree is at most 63 hashes, whatever its size.
 */
#ifndef FG_CRYPTO_MERKLE_H
#define FG_CRYPTO_MERKLE_H

#include "crypto/view.h"

#define MERKLE_HASH_LEN 32
/* Sizes stay below 2^63, as in Go's tlog: int64_t everywhere can hold them. */
#define MERKLE_SIZE_MAX ((uint64_t)INT64_MAX)
#define MERKLE_PEAKS_MAX 63 /* one for each bit of the largest size */
#define MERKLE_PROOF_MAX 64 /* 63 splits and, for consistency, one hash more */
/* u64 size and the peaks: what merkle_range_encode writes at most. */
#define MERKLE_RANGE_MAX (8 + MERKLE_PEAKS_MAX * MERKLE_HASH_LEN)

/*
 * A hasher: SHA-256 fetched once and one running context, so that a tree node
 * costs little more than its compression function. Owned; not shared between
 * threads.
 */
struct merkle;

/* In a proof, the hash beside the leaf comes first. */
struct merkle_proof {
	size_t n;
	uint8_t hash[MERKLE_PROOF_MAX][MERKLE_HASH_LEN];
};

/*
 * Append-only state: the roots of the perfect subtrees that the size's bits
 * name, largest first. Plain data, copied by assignment, no free. Zero value =
 * the empty tree.
 */
struct merkle_range {
	uint64_t size;
	uint8_t peak[MERKLE_PEAKS_MAX][MERKLE_HASH_LEN];
};

/* NULL when out of memory or without SHA-256. */
struct merkle *merkle_new(void);
void merkle_free(struct merkle *m);

/* All hashing functions: 0, or FG_ECRYPTO with the output untouched. */

/* RFC 9162 2.1.1: SHA-256(0x00 || entry). */
int merkle_leaf(struct merkle *m, struct view entry, uint8_t ret[MERKLE_HASH_LEN]);
/* SHA-256(0x01 || left || right). ret may be left or right. */
int merkle_node(struct merkle *m, const uint8_t left[MERKLE_HASH_LEN],
    const uint8_t right[MERKLE_HASH_LEN], uint8_t ret[MERKLE_HASH_LEN]);
/* SHA-256 of nothing: the root of the tree without leaves. */
int merkle_empty(struct merkle *m, uint8_t ret[MERKLE_HASH_LEN]);

/* Appends one leaf hash; FG_ELIMIT at MERKLE_SIZE_MAX. r untouched on failure. */
int merkle_range_push(struct merkle *m, struct merkle_range *r,
    const uint8_t leaf[MERKLE_HASH_LEN]);
int merkle_range_root(struct merkle *m, const struct merkle_range *r,
    uint8_t ret[MERKLE_HASH_LEN]);
/* How many of r->peak are in use. */
unsigned merkle_range_peaks(const struct merkle_range *r);
/* Big-endian u64 size, then the peaks. Returns the length written into buf. */
size_t merkle_range_encode(const struct merkle_range *r, uint8_t buf[MERKLE_RANGE_MAX]);
/* Only what encode wrote, else FG_EFORMAT. Whether it is the right tree, its root tells. */
int merkle_range_decode(struct view in, struct merkle_range *ret);

/*
 * RFC 9162 2.1.3.2: leaf is the index-th of the tree of that size and root.
 * *ret_proven is written in any case, and true only for a proof that holds;
 * a proof that does not is no error. FG_ECRYPTO = nobody knows.
 */
int merkle_verify_inclusion(struct merkle *m, uint64_t index, uint64_t size,
    const uint8_t leaf[MERKLE_HASH_LEN], const struct merkle_proof *proof,
    const uint8_t root[MERKLE_HASH_LEN], bool *ret_proven);
/*
 * RFC 9162 2.1.4.2: the tree (size1, root1) is a prefix of (size2, root2).
 * size1 must be positive: from the empty tree nothing needs to be proven and
 * nothing can be, so the caller decides about size 0 without a proof.
 */
int merkle_verify_consistency(struct merkle *m, uint64_t size1, uint64_t size2,
    const uint8_t root1[MERKLE_HASH_LEN], const uint8_t root2[MERKLE_HASH_LEN],
    const struct merkle_proof *proof, bool *ret_proven);

#endif
