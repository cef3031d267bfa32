/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casync_cut - where casync cuts a stream into chunks: by what stands in it, so that what is the same in two
 * versions is cut alike wherever it lies.
 * Role: delta_casync.c cuts a base as a client cuts what it has. Guarantees: keeps 48 bytes of the stream; time is
 * linear in it; no chunk is longer than the most, and only the last may be shorter than the least.
 * Marks that `casync make --cutmark` was given besides are not in an index: what was cut by them is found where it is
 * cut so without them too.
 */
#ifndef FG_IMAGES_CASYNC_CUT_H
#define FG_IMAGES_CASYNC_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CASYNC_CUT_WINDOW 48u

struct casync_cut {
	uint64_t least, most;
	uint32_t divisor;
	uint32_t hash; /* of the window */
	uint64_t n;    /* bytes of the chunk that is being cut */
	uint8_t window[CASYNC_CUT_WINDOW]; /* byte n of the chunk is at (n - (least - 48)) % 48, from there on */
	unsigned at;
};

/* Sizes of an index: CASYNC_CUT_WINDOW <= least <= middle <= most < 2^32. */
void casync_cut_init(struct casync_cut *c, uint64_t least, uint64_t middle, uint64_t most);
/* How many of the n bytes that come next belong to the chunk; *ret_end: it ends with them, and the next begins. */
size_t casync_cut_next(struct casync_cut *c, const uint8_t *p, size_t n, bool *ret_end);

#endif
