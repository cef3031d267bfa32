/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes - what differs between two images, byte by byte, without knowing
 * their format.
 * Role: the explain stage; containers get comparisons of their own later.
 * Guarantees: both images are read once forward (and the common end once
 * backward), memory is bounded by CHANGES_BLOCKS_MAX whatever the sizes, the
 * result depends on the bytes only.
 */
#ifndef FG_IMAGES_CHANGES_H
#define FG_IMAGES_CHANGES_H

#include "crypto/digest.h"
#include "crypto/sig.h"
#include "images/entropy.h"
#include "images/format.h"
#include "images/source.h"

#define CHANGES_BLOCK_MIN (64u << 10)
/* Old blocks remembered by digest: 16 bytes each, so 8 MiB; beyond 32 GiB blocks grow instead. */
#define CHANGES_BLOCKS_MAX (512u << 10)
#define CHANGES_RANGES_MAX 32 /* ranges listed; all are counted */
/* Differences with fewer equal bytes between them are one change: equal bytes happen by chance. */
#define CHANGES_BRIDGE 64

struct changes_image {
	uint64_t size;
	uint8_t sha256[DIGEST_SHA256_LEN];
	enum format_id format;
	struct entropy_profile entropy;
};

struct changes {
	struct changes_image old, new;
	uint64_t prefix, suffix; /* equal bytes at the start, at the end; never overlapping */
	uint64_t same_offset;    /* bytes of the new image equal to the old one's at the same place */
	uint64_t block_size;
	/* Blocks of the new image: as at the same place, as elsewhere in the old one, neither. */
	uint64_t blocks_same, blocks_moved, blocks_changed;
	uint64_t ranges_total; /* changed ranges of the new image */
	struct sig_range ranges[CHANGES_RANGES_MAX];
	unsigned ranges_n;
};

/* 0, FG_EIO, FG_ENOMEM or FG_ECRYPTO; ret is untouched on failure. */
int changes_compare(const struct source *old, const struct source *new, struct changes *ret);

#endif
