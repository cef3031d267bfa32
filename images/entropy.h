/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entropy - how random a run of bytes looks, in thousandths of a bit per byte.
 * Role: the comparison of two images. Guarantee: integer arithmetic only, so
 * that the same bytes give the same report on every machine.
 */
#ifndef FG_IMAGES_ENTROPY_H
#define FG_IMAGES_ENTROPY_H

#include "crypto/view.h"

#define ENTROPY_WINDOW (64u << 10) /* bytes judged together */

enum entropy_class {
	ENTROPY_LOW = 0,    /* below 2 bits: erased flash, padding, sparse tables */
	ENTROPY_TEXT_CODE,  /* below 7 bits: text, machine code, uncompressed data */
	ENTROPY_COMPRESSED, /* below 7.99 bits */
	ENTROPY_RANDOM,     /* encrypted, or compressed very well: cannot be told apart */
	ENTROPY_CLASSES,
};

struct entropy_profile {
	uint64_t windows[ENTROPY_CLASSES];
	uint64_t total; /* windows in all */
	uint64_t sum;   /* of their millibits: mean = sum / total */
};

/*
 * Millibits per byte, 0..8000, of 1..ENTROPY_WINDOW bytes (0 for none): the
 * plug-in estimate with the Miller-Madow correction, without which a short run
 * of random bytes would look ordered.
 */
unsigned entropy_millibits(struct view window);
enum entropy_class entropy_class(unsigned millibits);
/* "low", "text_code", "compressed", "random"; never NULL. */
const char *entropy_class_name(enum entropy_class c);
/* Adds one window to a profile. */
void entropy_count(struct entropy_profile *p, struct view window);

#endif
