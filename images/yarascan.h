/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yarascan - YARA rules over parts of an image: those that come along (yarascan.yar)
 * and the operator's.
 * Role: the explain stage, in its jail; fotagate-inspect --check-rules. Files:
 * yarascan.c (rules, one part), yarascan_page.c (what is new against the old image).
 *
 * Rules come as text and are compiled in the jail: reading compiled ones trusts whoever
 * wrote them with the process, and a compiler is one more parser that had better have
 * nothing to give away. They can name no file: "include" is refused, and of YARA's
 * modules only those are there that depend on the scanned bytes alone (elf, hash, math),
 * so that the same images give the same report. Rules may ask for filename, filepath
 * and extension, which are those of the part.
 *
 * Guarantees: libyara starts no thread and, as it is called here, sets no signal
 * handler; memory is that of the compiled rules, one block of YARASCAN_BLOCK and the matches
 * (of most strings only the first, of those that a condition counts YR_MAX_STRING_MATCHES
 * of 72 bytes at most); bytes are bounded by
 * YARASCAN_BYTES_MAX, time by YARASCAN_SECONDS a part and YARASCAN_SLOW_MAX such parts.
 * What a bound kept from being scanned is told.
 */
#ifndef FG_IMAGES_YARASCAN_H
#define FG_IMAGES_YARASCAN_H

#include "images/page.h"
#include "images/pair.h"

#define YARASCAN_TEXT_MAX (4u << 20) /* of the operator's rules: some ten thousand */
#define YARASCAN_RULES_MAX 20000     /* compiled; of each a few bytes are kept */
#define YARASCAN_BLOCK (8u << 20)    /* read at once */
#define YARASCAN_OVERLAP 4096	     /* of two blocks: the longest match that none of them cuts */
#define YARASCAN_BYTES_MAX \
	((uint64_t)2 << 30)	/* of each image: as much as may be expanded of one */
#define YARASCAN_SECONDS 20	/* of one part: the largest takes a few on an ordinary core */
#define YARASCAN_SLOW_MAX 2	/* parts that took so long, after which none is scanned any more */
#define YARASCAN_HITS_MAX 65536 /* remembered of one image */
#define YARASCAN_TOLD_MAX 16	/* parts named for each rule; the others are counted */

struct yarascan; /* compiled rules */

/* Why rules are none. */
struct yarascan_refusal {
	unsigned line;	/* of the operator's text; 0: none in particular */
	char text[200]; /* plain ASCII */
};

/*
 * Shipped rules and own ones (empty: none; borrowed during the call). 0 with *ret,
 * FG_EFORMAT with ret_why (may be NULL), FG_ENOMEM.
 */
int yarascan_new(struct view own, struct yarascan **ret, struct yarascan_refusal *ret_why);
void yarascan_free(struct yarascan *y);
unsigned yarascan_count(const struct yarascan *y);
/* "NAME" or "NAME (shipped)", the sentence of its meta "description" (or ""), and whether meta
 * "severity" is "notice". */
const char *yarascan_name(const struct yarascan *y, unsigned rule);
const char *yarascan_means(const struct yarascan *y, unsigned rule);
bool yarascan_is_mild(const struct yarascan *y, unsigned rule);

/* rule fits; where is the lowest offset that one of its strings was found at, or have_where is
 * false. Not 0 ends the scan. */
struct yarascan_hit {
	unsigned rule;
	bool have_where;
	uint64_t where, length;
};
typedef int yarascan_fn(void *arg, const struct yarascan_hit *hit);

/* How a scan of one part ended. Zero is the least. */
enum yarascan_end {
	YARASCAN_NOT_DONE = 0, /* a bound of memory or of libyara's */
	YARASCAN_SLOW,	       /* YARASCAN_SECONDS went by */
	YARASCAN_MANY,	       /* done, but a string was found too often to be counted on */
	YARASCAN_DONE,
};
/*
 * All rules over one part; path in visible form. 0 with *ret_end, FG_EIO, FG_ENOMEM or
 * what fn returned.
 */
int yarascan_run(struct yarascan *y, const char *path, const struct source *s, yarascan_fn *fn,
		 void *arg, enum yarascan_end *ret_end);
/* Only rules that wanted says (indexed by rule) from now on; NULL: all. */
void yarascan_only(struct yarascan *y, const bool *wanted);

/* ---- yarascan_page.c ---- */

/*
 * Lines for rules that fit parts of the new image that are new or changed: red where the
 * part's mate in the old image did not fit, mild where it did. Rules that could not be
 * compiled are a red line, and the shipped ones are asked alone. 0, FG_EIO, FG_ENOMEM.
 */
int yarascan_page(const struct pair *pair, struct view own, struct page *page);

#endif
