/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coverage - which bytes of an image a signature stands behind.
 * Role: the verify stage adds the ranges of verified signatures; the report
 * carries the sums and the gaps; the reader computes them again.
 * Guarantee: every byte is counted once, signed + unsigned == size.
 */
#ifndef FG_IMAGES_COVERAGE_H
#define FG_IMAGES_COVERAGE_H

#include "crypto/sig.h"

#define COVERAGE_RANGES_MAX (SIG_SIGNERS_MAX * SIG_COVERS_MAX)

struct coverage {
	uint64_t size;
	uint64_t covered;
	unsigned n;
	struct sig_range range[COVERAGE_RANGES_MAX]; /* ascending, disjoint, not touching */
};

void coverage_init(struct coverage *c, uint64_t size);
/*
 * Adds a range. FG_EFORMAT when it does not lie within size, FG_ELIMIT when
 * there are too many separate ones; c is then unchanged. Empty ranges are nothing.
 */
int coverage_add(struct coverage *c, struct sig_range range);
uint64_t coverage_signed(const struct coverage *c);
uint64_t coverage_unsigned(const struct coverage *c);
/* Writes the first cap gaps in order and returns how many there are. */
unsigned coverage_gaps(const struct coverage *c, struct sig_range *ret, unsigned cap);

#endif
