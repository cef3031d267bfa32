/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_bsdiff - bsdiff patches: BSDIFF40 (Colin Percival), ENDSLEY/BSDIFF43
 * (its three streams interleaved in one), BSDF2 (Android: each stream plain, bzip2
 * or brotli).
 * Guarantees beyond delta.h's, by the rules of SIGNATURES_DELTAS_DIFF 2.1: lengths
 * are never negative, a position stays within 2^62 of zero whatever is added to
 * it, and the number of control tuples is bounded by the target's size.
 */
#ifndef FG_IMAGES_DELTA_BSDIFF_H
#define FG_IMAGES_DELTA_BSDIFF_H

#include "images/delta.h"

/*
 * Tuples that neither add nor copy, in one patch. bsdiff writes one now and then,
 * at the start above all; more than the target has bytes it cannot.
 */
#define DELTA_BSDIFF_IDLE_MAX (1u << 20)

/* A delta_fn. */
int delta_bsdiff_apply(struct delta *d);

#endif
