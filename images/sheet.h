/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sheet - a report for people: the changes as text for a terminal, and the whole
 * as one page of HTML that can be printed, mailed and kept.
 * Role: whoever shows a report (command line, console); made from the report's
 * model alone, so that what is shown is what was signed. Guarantees: every word
 * of the report is escaped for HTML though it is plain already; the page loads
 * nothing, runs nothing, and says so to the browser (Content-Security-Policy);
 * RED and CONTACT lines are never shortened; nothing says that an image is
 * harmless.
 */
#ifndef FG_IMAGES_SHEET_H
#define FG_IMAGES_SHEET_H

#include "images/report.h"
#include "images/story.h"

#define SHEET_LINES 15            /* of a mild block, where not all are asked for */
#define SHEET_MAX (16u << 20)     /* bytes of HTML: a report of 2 MiB, each byte escaped and marked up */
/* Above this part of its bytes nobody can review an image (thousandths). */
#define SHEET_BLIND 100

/*
 * What changes, one block after the other; lines end in \n. Of notes (NULL: none) it says what they do not name.
 * all: mild blocks to their last line too.
 */
void sheet_text(const struct story *s, const struct notes *notes, bool all, struct writer *w);
/* The vendor's notes, likewise, and how much of the page they speak of; nothing without any. */
void sheet_notes(const struct report *r, struct writer *w);
/* "The notes name 3 of 9 lines ...": false without notes or a page. */
bool sheet_notes_named(const struct report *r, char dst[128]);
/* digest names the report's canonical text. Errors stick to w. */
void sheet_html(const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN], struct writer *w);

/* "Permissions, start-up, ...": what the block is about; aborts on none. */
const char *sheet_block_title(enum page_block block);
/* More of the new image than SHEET_BLIND is not reviewable. */
bool sheet_is_blind(const struct story *s);
/* Of an image that was taken apart, the part that could be opened and read, as sheet_percent(). */
void sheet_opened(const struct story *s, char dst[24]);
/* part of whole as "12.3": thousandths, rounded down; whole 0 gives "0.0". */
void sheet_percent(uint64_t part, uint64_t whole, char dst[24]);

#endif
