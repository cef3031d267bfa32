/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_vcdiff - applies VCDIFF (RFC 3284) as xdelta3 and open-vcdiff write it.
 * Role: an entry of delta_table.c. Guarantees: see images/delta.h; windows are
 * built in memory (VCDIFF_WINDOW_MAX) and leave it whole.
 *
 * Taken: any number of windows; segments of the base, and of the target made so
 * far (section 4.2, which xdelta3 itself refuses); application headers; Adler-32
 * of windows; secondary compression by lzma. Refused by name: other secondary
 * compressors (djw, fgk), code tables of the sender's own, the interleaved form
 * of SDCH, and headers that say xdelta3 unpacked the files before it compared them.
 * A patch in which a window has no Adler-32 decodes against any base of the same size: its
 * result is not "checked". A file that is cut between two windows is a patch for a shorter
 * target, by the format: only the target's digest, or its own signature, can tell.
 */
#ifndef FG_IMAGES_DELTA_VCDIFF_H
#define FG_IMAGES_DELTA_VCDIFF_H

#include "images/delta.h"

#define DELTA_VCDIFF_WINDOW_MAX ((uint64_t)64 << 20) /* open-vcdiff's own bound; xdelta3 writes 8 MiB, and takes 16 */
#define DELTA_VCDIFF_WINDOWS_MAX (1u << 18)          /* 2 GiB in windows of 8 KiB; xdelta3's smallest has 16 */
#define DELTA_VCDIFF_APPHEADER_MAX 4096u             /* two names and two letters */
/* One section's decoder: the dictionary of xz -9 is 64 MiB. What counts against DELTA_MEMORY_MAX is what is used of it. */
#define DELTA_VCDIFF_LZMA_MAX ((uint64_t)66 << 20)

int delta_vcdiff_apply(struct delta *d);

#endif
