/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_imgdiff - IMGDIFF2 patches, as Android's recovery applies them: chunks of
 * the target made by bsdiff, some of them of deflate streams that are expanded
 * before and compressed again after, with the parameters that the patch names.
 * The target then has the bytes that this zlib writes: the applier's name, which is part
 * of the proof, says which one that is.
 * Guarantees beyond delta.h's: patches of chunks lie one behind the other and
 * fill the file; what a chunk expands to is charged before it is expanded.
 */
#ifndef FG_IMAGES_DELTA_IMGDIFF_H
#define FG_IMAGES_DELTA_IMGDIFF_H

#include "images/delta.h"

#define DELTA_IMGDIFF_CHUNKS_MAX 65536 /* a zip of as many members has one each and one between */

/* A delta_fn. */
int delta_imgdiff_apply(struct delta *d);

#endif
