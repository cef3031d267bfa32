/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair - which part of the old image became which part of the new one.
 * Role: the explain stage, once for two trees; the account and the analysers ask.
 * In this order: the same bytes under the same path; the same bytes elsewhere
 * (moved, renamed; one more or fewer of them); other bytes under the same path;
 * the same name of a file where containers changed; and, of what is left, what
 * is alike.
 *
 * Guarantees: depends on the two trees only; a part has at most one mate and is
 * its mate's, but copies, which name a part that has another one. Likeness only
 * ever pairs: it says nothing about bytes, hides none, and what was not compared
 * because of a bound stays unpaired. Time is n log n and PAIR_COMPARES_MAX; memory bounded by
 * PAIR_SKETCHES_MAX beside a few bytes a part.
 */
#ifndef FG_IMAGES_PAIR_H
#define FG_IMAGES_PAIR_H

#include "images/part.h"

#define PAIR_SKETCHES_MAX 16384 /* parts of one image that likeness is looked for: half a KiB each */
/*
 * Comparisons of two sketches, in all: 256 for each that there may be, where pieces chosen
 * to be shared would make 4096 of each. A few tenths of a microsecond each.
 */
#define PAIR_COMPARES_MAX (256u * PAIR_SKETCHES_MAX)
#define PAIR_ALIKE_MIN 150      /* thousandths of what two parts hold in common, below which they are no mates */

enum pair_how {
	PAIR_NONE = 0, /* in this image only: added, or gone */
	PAIR_SAME,     /* same bytes, same path */
	PAIR_MOVED,    /* same bytes, another path */
	PAIR_COPY,     /* same bytes as a part that has a mate: one more of them, or one fewer */
	PAIR_PATH,     /* same path, or same name in containers that are mates; other bytes */
	PAIR_LIKE,     /* another name, other bytes, alike */
};

enum pair_side { PAIR_OLD = 0, PAIR_NEW, PAIR_SIDES };

struct pair_mate {
	uint32_t index; /* in the other tree; PART_NONE_INDEX: none */
	enum pair_how how;
	unsigned alike; /* PAIR_LIKE: thousandths */
};

struct pair;

/* Trees are borrowed. 0 or FG_ENOMEM, FG_EIO. */
int pair_make(const struct parts *old, const struct parts *new, struct pair **ret);
void pair_free(struct pair *p);
/* Aborts for an index that is none. */
struct pair_mate pair_of(const struct pair *p, enum pair_side side, uint32_t i);
const struct parts *pair_tree(const struct pair *p, enum pair_side side);
/* Parts that likeness was not looked for because there were too many, or too much to be compared. */
uint32_t pair_unlooked(const struct pair *p);
/* The bytes (and, of a link, where it leads) are the other image's too. Rights and owner are not asked. */
bool pair_is_same(enum pair_how how);
/* "none", "same", "moved", "copy", "path", "like"; never NULL. */
const char *pair_how_name(enum pair_how how);

#endif
