/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_probe - things with a magic number, wherever they begin in unknown bytes:
 * a header that holds together, and the length that it gives.
 * Role: part_scan.c. A magic number alone is never believed.
 */
#ifndef FG_IMAGES_PART_PROBE_H
#define FG_IMAGES_PART_PROBE_H

#include "images/source.h"

#define PART_PROBE_REACH 0x438 /* the farthest magic from the start of what it marks: ext4's */

enum part_probe_inside {
	PART_PROBE_ANY = 0, /* its header chooses the length: what it takes is searched once more */
	PART_PROBE_ROW,     /* the same, but the next of its kind in it is it, from there on */
	PART_PROBE_NOTHING, /* read to its end */
};

struct part_probe {
	const char *name; /* of the part, and what it is called */
	const char *magic;
	uint8_t n;      /* bytes of magic */
	uint16_t align; /* what begins elsewhere is not asked */
	uint16_t from;  /* where the magic stands in the thing */
	/*
	 * 1: the thing takes *ret bytes of s from at on, at most those left. 0: it is
	 * none, and what was done to see that took as long as going through *ret bytes.
	 * Or FG_EIO, FG_ENOMEM.
	 */
	int (*fits)(const struct source *s, uint64_t at, uint64_t *ret);
	enum part_probe_inside inside;
};

/* The k-th; NULL behind the last. */
const struct part_probe *part_probe(unsigned k);

#endif
