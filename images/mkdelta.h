/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkdelta - makes a delta from two full images: BSDIFF40 or VCDIFF, one format a
 * file (mkdelta_bsdiff.c, mkdelta_vcdiff.c).
 * Role: `fotagate delta make`, for modules that take such deltas. The images are bytes here:
 * nothing in them is opened. Making and proving are two calls, so that the two can be two
 * processes: a maker that went wrong proves nothing. Guarantees: the same two images give the same
 * delta; memory is bounded by MKDELTA_FROM_MAX and the format's own limit.
 */
#ifndef FG_IMAGES_MKDELTA_H
#define FG_IMAGES_MKDELTA_H

#include "crypto/digest.h"
#include "images/format.h"
#include "images/source.h"

/*
 * VCDIFF: the base is held in memory with an index of a quarter of its size. Larger
 * images are no module's.
 */
#define MKDELTA_FROM_MAX ((uint64_t)128 << 20)
/* BSDIFF40: base and target are held, and four bytes of suffix array for each of the base: 200 MiB at this size. */
#define MKDELTA_BSDIFF_MAX ((uint64_t)32 << 20)

/*
 * Writes the delta to out, a regular file or memfd, which is truncated first. 0;
 * FG_EINVAL for another format than FORMAT_BSDIFF and FORMAT_VCDIFF; FG_ELIMIT for images over
 * the format's limit; FG_ENOMEM, FG_EIO. What was made is nothing before mkdelta_prove() says so.
 */
int mkdelta_make(enum format_id format, const struct source *from, const struct source *to, int out);

struct mkdelta_proof {
	uint64_t from_base; /* bytes of the target that come unchanged from the base */
	uint8_t from_sha256[DIGEST_SHA256_LEN], to_sha256[DIGEST_SHA256_LEN], delta_sha256[DIGEST_SHA256_LEN];
};

/*
 * Applies delta to from, as a module would, and holds the result against to. 0; FG_ESTATE when
 * it does not make it: a fault here, or an image that changed meanwhile; FG_ENOMEM, FG_EIO, FG_ECRYPTO.
 */
int mkdelta_prove(enum format_id format, const struct source *from, const struct source *to,
    const struct source *delta, struct mkdelta_proof *ret);
/* The largest image a format can be made of. */
uint64_t mkdelta_limit(enum format_id format);

/* ---- for makers ---- */

struct mkdelta;
typedef int mkdelta_fn(struct mkdelta *m);

/* The base, all of it. */
struct view mkdelta_from(const struct mkdelta *m);
const struct source *mkdelta_to(const struct mkdelta *m);
/* Appends. */
int mkdelta_put(struct mkdelta *m, const void *buf, size_t n);
uint64_t mkdelta_written(const struct mkdelta *m);
/* Writes over bytes that were appended, for lengths that are known late. */
int mkdelta_mend(struct mkdelta *m, uint64_t at, const void *buf, size_t n);

mkdelta_fn mkdelta_bsdiff;
mkdelta_fn mkdelta_vcdiff;

#endif
