/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_scan - unknown bytes: a flash image without a table, what a table has
 * left over, a gap in a container.
 * Role: part_table.c, for everything that has no opener of its own. Whatever holds
 * together by itself becomes a part (part_probe.h, part_stream.h); what is left is
 * cut into pieces: erased flash, and runs whose ends depend on their bytes, so
 * that what was not changed is in the same pieces wherever it has moved to.
 *
 * Pieces never end within a run of printable bytes, in ASCII or UTF-16, unless it
 * is longer than a piece may be: what is looked for in each piece is found.
 */
#ifndef FG_IMAGES_PART_SCAN_H
#define FG_IMAGES_PART_SCAN_H

#include "images/part_open.h"

/* Files up to this length stay whole where nothing is found in them; as do others. */
#define PART_SCAN_WHOLE (256u << 10)

/* Raw bytes, and containers that nothing here opens: those keep saying so. */
part_fn part_scan_open;
/*
 * Formats that nobody opens but that say how long they are (device tree, CMS,
 * signify's and minisign's signatures): so much is a part where more follows. That
 * length is the format's word only, so that what it takes is searched too.
 */
part_fn part_known_open;

#endif
