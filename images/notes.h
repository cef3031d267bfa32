/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notes - what a vendor says that a version changes, beside what was measured: the
 * words of a changelog as bounded plain text, and whether they speak of a line of
 * the page.
 * Role: whoever merges a report takes them in; sheet and command line show them.
 * Guarantees: the text is hostile and is nothing but shown: nothing is parsed, no
 * finding gets milder by it; all of it is named by its digest, and what was left
 * out is counted.
 */
#ifndef FG_IMAGES_NOTES_H
#define FG_IMAGES_NOTES_H

#include "crypto/digest.h"
#include "images/page.h"

#define NOTES_FILE_MAX (256u << 10) /* bytes of a file: a changelog of years */
#define NOTES_LINES_MAX 256         /* on the page; nobody reads more beside a report */
#define NOTES_LINE_MAX 240          /* of the visible form; the rest of a longer line is told as <...> */
#define NOTES_TEXT_MAX (20u << 10)  /* of all lines that are kept */
#define NOTES_WORD_MIN 4            /* a shorter word is found in any text */

struct notes {
	bool have;
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of the file */
	uint64_t size;
	unsigned lines_n;        /* kept */
	uint64_t lines_total;    /* there were, empty ones at the end not counted */
	size_t text_n;
	char text[NOTES_TEXT_MAX]; /* the kept lines in visible form, a NUL behind each */
};

/* Takes the text in. FG_ELIMIT beyond NOTES_FILE_MAX, FG_EINVAL when it is empty, FG_ECRYPTO; *ret is untouched then. */
int notes_take(struct view text, struct notes *ret);
/* Appends a line that is in visible form already; false where there is no room, or it is none. For the report's reader. */
bool notes_put(struct notes *n, const char *line);
/* The i-th line that was kept; aborts past the end. Going through all of them is linear: *at begins at 0. */
const char *notes_next(const struct notes *n, size_t *at);
/*
 * Whether a line of the page is one that notes ought to speak of: what is new in rights, contacts, modem, one-way
 * doors and identities.
 */
bool notes_ought(const struct page_line *l);
/*
 * Whether the notes hold the words of that line: its evidence, or the last part of its path, whatever the case. No
 * more than a hint for a reader: they may say that it is not so.
 */
bool notes_name(const struct notes *n, const struct page_line *l);

#endif
