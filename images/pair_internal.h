/* SPDX-License-Identifier: Apache-2.0 */
/* pair_internal - what the parts of pair share: pair.c and pair_like.c only. */
#ifndef FG_IMAGES_PAIR_INTERNAL_H
#define FG_IMAGES_PAIR_INTERNAL_H

#include "images/pair.h"

struct pair {
	const struct parts *tree[PAIR_SIDES];
	struct pair_mate *mate[PAIR_SIDES];
	uint32_t unlooked;
};

static inline bool
pair_is_free(const struct pair *p, enum pair_side side, uint32_t i)
{
	return p->mate[side][i].how == PAIR_NONE;
}

/* Both must be free. */
void pair_set(struct pair *p, uint32_t o, uint32_t n, enum pair_how how, unsigned alike);
/* May these two be mates at all: two files, two pieces by place, two links. */
bool pair_fits(const struct part *a, const struct part *b);
/* pair_like.c: what is still free and alike. 0, FG_ENOMEM, FG_EIO. */
int pair_like(struct pair *p);

#endif
