/* SPDX-License-Identifier: Apache-2.0 */
/* filler - bytes that say nothing because all of them are the same. Role: whoever checks what no field takes. Pure. */
#ifndef FG_IMAGES_FILLER_H
#define FG_IMAGES_FILLER_H

#include "crypto/view.h"

/* No bytes are filler too. */
static inline bool
filler_is(struct view v, uint8_t byte)
{
	size_t i = 0;
	while (i < v.n && v.p[i] == byte)
		i++;
	return i == v.n;
}

static inline bool
filler_is_zeros(const uint8_t *p, size_t n)
{
	return filler_is(view_of(p, n), 0);
}

#endif
