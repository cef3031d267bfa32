/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zchunk - a file in chunks that are packed one by one, so that a client fetches
 * only those it lacks (zchunk_format.txt): a lead with a checksum over the header,
 * the header with an index of chunks and a checksum over all that follows it. It
 * has room for signatures, of which no kind was ever defined.
 */
#ifndef FG_IMAGES_ZCHUNK_H
#define FG_IMAGES_ZCHUNK_H

#include "images/walk.h"
#include "images/zchunk_index.h"

int zchunk_walk(struct walk *w);

#endif
