/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textdiff - which lines of a text are new and which are gone.
 * Role: scripts and configuration in the change report, where a person reads the lines.
 * Guarantees: every line that is not common to both is named; memory is bounded by
 * TEXTDIFF_CELLS_MAX and the texts' own length. Where texts differ too much for the
 * shortest answer, lines are compared as a bag: then a line that only changed its place is
 * not named, and ret_exact says so.
 */
#ifndef FG_IMAGES_TEXTDIFF_H
#define FG_IMAGES_TEXTDIFF_H

#include "crypto/view.h"

#define TEXTDIFF_CELLS_MAX (4u << 20) /* two bytes each: 2,000 lines against 2,000 after what is common at both ends */

/* line without its end; offset in its text; number from 1. Not 0 ends it. */
typedef int textdiff_fn(void *arg, bool added, struct view line, size_t offset, unsigned number);
/* Lines gone and new, in the order of the texts. 0, FG_ENOMEM or what fn returned. */
int textdiff_run(struct view old, struct view new, textdiff_fn *fn, void *arg, bool *ret_exact);

#endif
