/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signify - a file that carries its own signature in front, as `signify -S -e`
 * makes it (SIGNATURES_DELTAS_DIFF.md section 1.11).
 * Role: walker of FORMAT_MINISIGN. What follows the two lines is signed as it
 * stands and is a member; a list of SHA-256 lines (as for `signify -C`) is told
 * as claims. A file that is only a signature says so.
 */
#ifndef FG_IMAGES_SIGNIFY_H
#define FG_IMAGES_SIGNIFY_H

#include "images/walk.h"

#define SIGNIFY_LIST_MAX (64u << 10) /* bytes of a list of checksums that are read for claims */

/*
 * The untrusted comment and the line of the signature, which lie at offset of
 * w->image: structure where they are what signify itself writes, told otherwise.
 */
void signify_comment(struct walk *w, uint64_t offset, struct view lines);
int signify_walk(struct walk *w);

#endif
