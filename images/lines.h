/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines - texts of the change report: what is run at start, who may log in, scripts,
 * configuration and everything else that is read line by line.
 * Role: explain stage, for pairs that are not the same bytes and for what was added.
 * Guarantees: each changed line of a file of weight is a line of the page, up to
 * LINES_MANY of one file, and what is over is counted on it; changed line ends or a missing
 * last one are told too. New lines that start something which lets others in, or fetch and
 * run, are told as such in scripts, configuration and whatever is run.
 */
#ifndef FG_IMAGES_LINES_H
#define FG_IMAGES_LINES_H

#include "images/leaf.h"
#include "images/page.h"

/* How much of a change is on the page. */
enum lines_told {
	LINES_NONE = 0, /* it was no text */
	LINES_SOME,     /* text, but not every changed line, or not all of each */
	LINES_ALL,      /* each changed line whole; what page_lost() tells of later counts against it */
};

#define LINES_MANY 24 /* of what is run and of scripts */
#define LINES_FEW 4   /* of other texts */

/*
 * old NULL: new was added. Of an added text of no role only what must be told is told.
 * 0, FG_EIO or FG_ENOMEM.
 */
int lines_page(const struct leaf *old, const struct leaf *new, struct page *page, enum lines_told *ret_told);

#endif
