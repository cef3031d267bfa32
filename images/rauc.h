/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rauc - walker of RAUC bundles (.raucb): payload, CMS, and the CMS' length in
 * eight bytes.
 * Role: walk_table.c. The three forms as RAUC has them: plain (signed as a whole,
 * detached), verity (the manifest is signed, and says the root of a hash tree
 * over the file system), crypt (the same over an encrypted one).
 *
 * A member's bytes are vouched for by the manifest's digest; what the manifest
 * does not name lies under the signature all the same, and is told.
 */
#ifndef FG_IMAGES_RAUC_H
#define FG_IMAGES_RAUC_H

#include "images/walk.h"

int rauc_walk(struct walk *w);

#endif
