/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiver - a finding that somebody answers for until a day: which one, of which
 * updates, and how much of it.
 * Role: control keeps them, names those that apply in the statement that people
 * sign, and asks which findings are covered where a profile wants that
 * (review.waivers). Guarantees: pure; a waiver never makes a verdict milder: it is
 * one more thing that has to be there, or nothing. What blocks is covered by none.
 */
#ifndef FG_POLICY_WAIVER_H
#define FG_POLICY_WAIVER_H

#include "crypto/digest.h"
#include "images/report.h"

#define WAIVER_ID 16
#define WAIVER_FINDING_MAX 48
#define WAIVER_NAME_MAX 63   /* profile, product: as the database keeps them */
#define WAIVER_PART_MIN 3    /* characters: less is in every line */
#define WAIVER_PART_MAX 159  /* what a reference of a log entry holds: cut there, it would be another waiver */
#define WAIVER_DAYS_MAX 180  /* somebody looks again twice a year, or it is a rule and belongs into the policy */
#define WAIVER_WORD_CAP (WAIVER_FINDING_MAX + 2 * WAIVER_ID + 2)

struct waiver {
	char finding[WAIVER_FINDING_MAX + 1];
	char profile[WAIVER_NAME_MAX + 1];
	char product[WAIVER_NAME_MAX + 1]; /* "" : all of the profile */
	bool have_image;
	uint8_t image[DIGEST_SHA256_LEN];  /* these bytes alone */
	char part[WAIVER_PART_MAX + 1];    /* "" : all of the finding; else what is told of this: waiver_meets() */
	int64_t until;
};

/* False, ret_why a sentence that goes on from "it", for what nobody can waive. */
bool waiver_check(const struct waiver *w, const char **ret_why);
/* First 16 bytes of SHA-256 over all of it. 0, FG_ECRYPTO or FG_ENOMEM. */
int waiver_id(const struct waiver *w, uint8_t out[WAIVER_ID]);
/* "FINDING 0123...": what a statement names it by. */
void waiver_word(const struct waiver *w, const uint8_t id[WAIVER_ID], char dst[WAIVER_WORD_CAP]);
/* Whether it is about such an update at that time. now in epoch seconds. */
bool waiver_is_for(const struct waiver *w, const char *profile, const char *product,
    const uint8_t image[DIGEST_SHA256_LEN], int64_t now);
/*
 * Whether it is about any of what the report says by that id; never of what blocks, nor of what nobody has to accept.
 * A part is, of findings of the comparison, a line's whole path, or all that it says (that has a blank), of CHG-YARA
 * a path with a slash or the name of the rule; of all other findings it is a whole detail. What somebody who makes
 * an image names a file, or writes into one, makes nothing else a part. What a delta's report only repeats of its
 * target has no lines there, and no part.
 */
bool waiver_meets(const struct waiver *w, enum finding_id id, const struct report *r);
/* Whether those n, all of which are for the update, say together all that the report says by that id. */
bool waiver_cover(const struct waiver *const *list, size_t n, enum finding_id id, const struct report *r);

#endif
