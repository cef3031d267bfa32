/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed - a file that is one compressed stream: gzip, xz, zstd, bzip2, lzma.
 * What comes out of it is its one member, "content". None of these forms is signed.
 */
#ifndef FG_IMAGES_PACKED_H
#define FG_IMAGES_PACKED_H

#include "images/walk.h"

#define PACKED_STREAMS_MAX 4096 /* one behind the other; parallel packers make one for each block of input */

int packed_walk(struct walk *w);

#endif
