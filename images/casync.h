/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casync - walker of casync's indexes (.caibx of a blob, .caidx of a tree): the
 * list of chunks of which something is put together.
 * Role: walk_table.c; such an index stands for an image in RAUC's bundles. The
 * chunks themselves are in a store outside, named by their digests: whoever
 * vouches for the index vouches for what they are, but nobody here has seen them.
 * What a base has of them delta_casync.c finds.
 */
#ifndef FG_IMAGES_CASYNC_H
#define FG_IMAGES_CASYNC_H

#include "images/walk.h"

int casync_walk(struct walk *w);

#endif
