/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tuf - a metadata file of a TUF repository as the image itself: explained, not
 * verified. What its signatures are worth follows from a pinned root and the
 * files before it, which only a bundle has (tufproof.h).
 */
#ifndef FG_IMAGES_TUF_H
#define FG_IMAGES_TUF_H

#include "images/walk.h"

/* FORMAT_TUF. */
walk_fn tuf_walk;

#endif
