/* SPDX-License-Identifier: Apache-2.0 */
/* part_internal - what the tree is made of: part.c, part_open.c and part_close.c only. */
#ifndef FG_IMAGES_PART_INTERNAL_H
#define FG_IMAGES_PART_INTERNAL_H

#include "images/part_open.h"

struct parts {
	struct part *part;
	uint32_t n, cap;
	struct part_range *range; /* structure of all parts; one part's lie together */
	uint32_t ranges, ranges_cap;
	struct part_range *piece; /* of all parts; one part's lie together */
	uint32_t pieces, pieces_cap;
	int scratch;          /* borrowed */
	uint64_t *io_scratch; /* borrowed: where the next expanded byte goes */
	uint64_t expanded;    /* bytes that came out so far, of this tree */
	uint64_t aliased;     /* see PART_ALIASED_MAX */
	uint64_t names;       /* bytes of names and links */
	uint64_t work;        /* see part_work() */
	struct part_tried tried;
	unsigned limits;
};

struct part_ctx {
	struct parts *t;
	uint32_t self;
	struct source bytes; /* of self: the row of parts moves while it grows */
	uint8_t *chunk; /* SOURCE_CHUNK bytes, for whoever is at work */
};

/*
 * part_close.c: after the opener of c->self. Sorts its children and structure,
 * finds those that overlap, and makes parts of what is left between them. 0,
 * FG_ENOMEM, FG_EIO.
 */
int part_close(struct part_ctx *c);
/* Digest of self's bytes and, unless it was opened, what they look like. 0, FG_EIO, FG_ECRYPTO. */
int part_judge(struct part_ctx *c);

/* part_padding() without calling it structure. 0, FG_EIO. */
int part_padding_end(struct part_ctx *c, uint64_t at, uint64_t length, bool ones, uint64_t *ret_end);

#endif
