/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detools_pack - the packed part of a detools patch as a run of bytes: what
 * images/delta.h knows, and the two that only detools uses.
 * crle: runs of one byte, or bytes as they are, each with its length in front.
 * heatshrink: LZSS over single bits, most significant first, behind a byte that gives the
 * widths; before its first byte the window is full of zeros, as it is in the library.
 * Role: delta_detools.c. Guarantees: those of delta streams: bounded memory, exact end.
 */
#ifndef FG_IMAGES_DETOOLS_PACK_H
#define FG_IMAGES_DETOOLS_PACK_H

#include "images/delta.h"

/* The numbers are the format's. */
enum detools_packing {
	DETOOLS_NONE = 0,
	DETOOLS_LZMA,
	DETOOLS_CRLE,
	DETOOLS_BZ2,
	DETOOLS_HEATSHRINK,
	DETOOLS_ZSTD,
	DETOOLS_LZ4,
	DETOOLS_PACKING_LIMIT,
};

#define DETOOLS_WINDOW_BITS_MIN 4u /* the library's own bounds */
#define DETOOLS_WINDOW_BITS_MAX 15u
#define DETOOLS_LOOKAHEAD_BITS_MIN 3u

struct detools_pack;

/* The patch from at on. FG_EFORMAT (told), FG_ENOMEM; *ret is NULL then. */
int detools_pack_open(struct delta *d, enum detools_packing packing, uint64_t at, struct detools_pack **ret);
/* NULL is fine. */
void detools_pack_close(struct detools_pack *p);
/* Exactly n bytes; FG_EFORMAT (told). */
int detools_pack_read(struct detools_pack *p, void *buf, size_t n);
/* Every byte of the patch is used up; FG_EFORMAT (told) otherwise. */
int detools_pack_finish(struct detools_pack *p);
/*
 * A number: sign and 6 bits in the first byte, 7 in each further one, least
 * significant first. FG_EFORMAT (told) for more than 62 bits.
 */
int detools_pack_number(struct detools_pack *p, int64_t *ret);

#endif
