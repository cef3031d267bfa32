/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_zchunk - a zchunk file put together as a client does that holds another one: chunks that the base has are
 * taken from it, the others from the patch.
 * Role: an entry of delta_table.c. Guarantees: see images/delta.h; one chunk is in memory at a time; every
 * chunk is held against the checksum that the patch's index gives it, wherever it comes from.
 *
 * The patch is a zchunk file, or the lead and header of one, which is what a client fetches first: then all chunks
 * have to be in the base. The target is the whole file. How much of it a client would fetch that has the base is what
 * did not come from there. A base that is no zchunk file, or whose chunks are named by another kind of checksum,
 * has none of them; a chunk whose bytes are not what the base's own index says counts as not there.
 */
#ifndef FG_IMAGES_DELTA_ZCHUNK_H
#define FG_IMAGES_DELTA_ZCHUNK_H

#include "images/delta.h"

/* A delta_fn. */
int delta_zchunk_apply(struct delta *d);

#endif
