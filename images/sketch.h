/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sketch - what a run of bytes is made of, in half a KiB: the smallest digests
 * of its content-defined pieces, of which two runs share as many as they have
 * content in common, wherever it lies in them.
 * Role: pair.c. The digest is fast and no proof: a sketch proposes, never decides.
 * Guarantees: one pass, constant memory, the same bytes give the same sketch.
 */
#ifndef FG_IMAGES_SKETCH_H
#define FG_IMAGES_SKETCH_H

#include "images/source.h"

#define SKETCH_MAX 64 /* digests: two of 64 tell likeness to within a tenth */

struct sketch {
	unsigned n;
	uint64_t piece[SKETCH_MAX]; /* ascending, each once */
};

/* chunk holds SOURCE_CHUNK bytes. 0 or FG_EIO. */
int sketch_make(const struct source *s, uint8_t *chunk, struct sketch *ret);
/* Thousandths: share of the pieces of both that both have. 0 where one has none. */
unsigned sketch_alike(const struct sketch *a, const struct sketch *b);

#endif
