/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suit - SUIT envelopes (draft-ietf-suit-manifest; SIGNATURES_DELTAS_DIFF.md
 * section 1.9): a manifest, the signatures over its digest, what was severed
 * from it and what is integrated beside it.
 * Role: walker of FORMAT_SUIT. Digests are over the bytes that were received:
 * of the manifest and of severed members with the head of their byte string.
 * What the manifest says to do is not carried out, only told.
 */
#ifndef FG_IMAGES_SUIT_H
#define FG_IMAGES_SUIT_H

#include "images/walk.h"

/* A device with room for no more than a few hundred KiB reads it; integrated images make it longer. */
#define SUIT_ENVELOPE_MAX (64u << 20)
#define SUIT_PARTS_MAX 64    /* entries of the envelope, and of the manifest */
#define SUIT_DIGESTS_MAX 32  /* digests of images that a manifest names */
#define SUIT_DEPTH_MAX 4     /* sequences in sequences (try-each, run-sequence) */
#define SUIT_COMMANDS_MAX 4096 /* commands read in all sequences together */

int suit_walk(struct walk *w);

#endif
