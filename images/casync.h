/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casync - walker of casync's indexes (.caibx of a blob, .caidx of a tree): the
 * list of chunks of which something is put together.
 * Role: walk_table.c; such an index stands for an image in RAUC's bundles. The
 * chunks themselves are in a store outside, named by their digests: whoever
 * vouches for the index vouches for what they are, but nobody here has seen them.
 */
#ifndef FG_IMAGES_CASYNC_H
#define FG_IMAGES_CASYNC_H

#include "images/walk.h"

#define CASYNC_CHUNKS_MAX 10000000 /* of the 16 KiB that are the least: 152 GiB */

int casync_walk(struct walk *w);

#endif
