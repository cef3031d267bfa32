/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_detools - applies patches of detools, which small modules take: sequential,
 * in-place, and its wrapping of HDiffPatch; packed by lzma, crle, bz2, heatshrink,
 * zstd, lz4, or not.
 * Role: an entry of delta_table.c. The format has no magic: a profile names it.
 * Guarantees: see images/delta.h. The format carries no checksum at all, so that a result
 * is never "checked"; only in-place and HDiffPatch say how long their base is.
 *
 * An in-place patch moves the base up in the module's memory and overwrites it from below,
 * segment after segment. What it may still read is known for each segment: anything else
 * would be bytes that are erased by then, and is refused, where detools' own appliers read on.
 * Refused by name: data-format segments (addresses within code of known processors,
 * taken out before comparing), which detools' own applier in C refuses too.
 */
#ifndef FG_IMAGES_DELTA_DETOOLS_H
#define FG_IMAGES_DELTA_DETOOLS_H

#include "images/delta.h"

#define DELTA_DETOOLS_HEADER_MAX 52u /* one byte and five sizes */

int delta_detools_apply(struct delta *d);

#endif
