/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account - where every byte of two images went: identical, changed and
 * explained, changed and unexplained, or not reviewable.
 * Role: the explain stage. Analysers say which bytes of a part their lines
 * explain; everything else is judged here.
 *
 * What counts as what:
 * - identical: bytes of parts whose bytes are in the other image too (pair.h),
 *   and, in parts that are mates with other bytes, aligned blocks of
 *   ACCOUNT_BLOCK that are equal at the same place, and the common end; no byte
   stands for two of the other part;
 * - explained: ranges that an analyser named, structure that an opener checked,
 *   erased flash. Nothing else, and never bytes that are not reviewable;
 * - not reviewable: noise that nothing opens, and what was not looked at
 *   (limits, damage, formats without an opener);
 * - unexplained: all the rest.
 * Packed bytes are what the worst of the bytes that come out of them is; where
 * the other image does not have them as they are, explained at best, and those
 * that several files share unexplained: more may be packed in them than came out.
 * Pieces that a file lies in are what the worst of the file is.
 * Bytes of a file system that are nobody's in particular are never explained.
 * Bytes that come out of packed parts are counted a second time, among themselves.
 *
 * Guarantee: for each part, and so for each image and for all expanded bytes,
 * the four add up to its size, and of two mates that differ and have nothing inside
 * not both are identical throughout; account_make() checks, and says so when not.
 */
#ifndef FG_IMAGES_ACCOUNT_H
#define FG_IMAGES_ACCOUNT_H

#include "images/pair.h"

#define ACCOUNT_BLOCK 64 /* equal bytes in shorter runs happen by chance */
#define ACCOUNT_RANGES_MAX (1u << 20) /* that analysers name; what does not fit stays unexplained */

/* Zero is the worst; what is made of several is its least. */
enum account_class {
	ACCOUNT_UNREVIEWABLE = 0,
	ACCOUNT_UNEXPLAINED,
	ACCOUNT_EXPLAINED,
	ACCOUNT_IDENTICAL,
	ACCOUNT_CLASSES,
};

struct account_sum {
	uint64_t bytes[ACCOUNT_CLASSES];
};

struct account;

/* pair is borrowed. NULL without memory. */
struct account *account_new(const struct pair *pair);
void account_free(struct account *a);
/*
 * An analyser's word that a line of the page shows what these bytes of part i
 * are. Cut to the part; order and overlap do not matter. 0, FG_ENOMEM; FG_ELIMIT
 * over ACCOUNT_RANGES_MAX, which only leaves bytes unexplained. Before account_make().
 */
int account_explained(struct account *a, enum pair_side side, uint32_t i, uint64_t at, uint64_t length);
/*
 * Counts. *ret_holds: every sum is what it has to be; false is a mistake in this
 * program (finding CHG-INCOMPLETE), and nothing of the account can be relied
 * on. 0, FG_ENOMEM, FG_EIO.
 */
int account_make(struct account *a, bool *ret_holds);

/* ---- after account_make() ---- */

/* Of the image's own bytes: adds up to its size. */
struct account_sum account_image(const struct account *a, enum pair_side side);
/* Of all bytes that came out of packed parts. */
struct account_sum account_expanded(const struct account *a, enum pair_side side);
/* Of one part's bytes, with all that lies in it: for maps, and for lists of what was not looked at. */
struct account_sum account_part(const struct account *a, enum pair_side side, uint32_t i);
uint64_t account_total(const struct account_sum *s);
/* "not-reviewable", "unexplained", "explained", "identical"; never NULL. */
const char *account_class_name(enum account_class c);

#endif
