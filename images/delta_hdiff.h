/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_hdiff - applies patches of HDiffPatch for one file: HDIFF13 (four streams:
 * covers, run lengths twice, new bytes) and HDIFFSF20 (one stream, in steps).
 * Role: an entry of delta_table.c, and what detools wraps. Guarantees: see
 * images/delta.h. Both say how long base and target are; neither has a checksum, so that
 * a result is never "checked".
 *
 * Streams may be packed by zlib, bz2, zstd or 7zXZ, of which each must be one; every other
 * packing is refused by name, as are patches of directories (HDIFF19) and newer forms.
 */
#ifndef FG_IMAGES_DELTA_HDIFF_H
#define FG_IMAGES_DELTA_HDIFF_H

#include "images/delta.h"

#define DELTA_HDIFF_NAME_MAX 32u                    /* of form and packing; the longest known has 15 */
#define DELTA_HDIFF_IDLE_MAX (1u << 20)             /* covers that make nothing; HDiffPatch writes one at most */
#define DELTA_HDIFF_STEP_MAX ((uint64_t)16 << 20)   /* HDiffPatch's own "safe limit" of one step */

int delta_hdiff_apply(struct delta *d);
/*
 * A patch within another: inner, or (NULL) what of d's own patch lies from at on. It must
 * make size bytes. Packed streams within inner are refused: it was packed already.
 */
int delta_hdiff_apply_at(struct delta *d, const struct source *inner, uint64_t at, uint64_t size);

#endif
