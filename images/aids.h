/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aids - what the operator gives the explain stage beside the two images: one sealed
 * memfd, so that it is one descriptor whatever is in it.
 * Role: whoever asks writes it, fotagate-inspect reads it. Form: "FGA1", then for each
 * part in the order of the struct a u32 length and the bytes (big-endian), nothing behind.
 */
#ifndef FG_IMAGES_AIDS_H
#define FG_IMAGES_AIDS_H

#include "crypto/writer.h"

#define AIDS_RULES_MAX (4u << 20) /* YARASCAN_TEXT_MAX, as yarascan.c asserts */
#define AIDS_OWN_MAX (32u << 20)  /* OWN_MAX lines of digits have 21 MB; of hashes half as many fit */
#define AIDS_MAX (12u + AIDS_RULES_MAX + AIDS_OWN_MAX) /* the form, with each part at its largest */

struct aids { /* empty: not given */
	struct view rules; /* YARA, text */
	struct view own;   /* identities of the fleet, own.h */
};

/* Appends; errors stick to w. */
void aids_write(const struct aids *a, struct writer *w);
/* Views into bytes. 0, or FG_EFORMAT with ret untouched. */
int aids_read(struct view bytes, struct aids *ret);

#endif
