/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gists - what a list says of a review without reading its report again: a report may be two megabytes, and a queue
 * has a hundred of them. What follows from the bytes of a report stays as it is; how many have to sign follows from
 * policy, refusals, waivers and the clock too, and is made anew after GISTS_FRESH_S, or when the row or the
 * statements of an open review are others. For showing alone: whatever permits asks reviews_ask() itself.
 * Callers: requests_reviews.c. Bounded: a table by number of the review, in which a later one takes another's place.
 */
#ifndef FG_GATEWAY_CONTROL_GISTS_H
#define FG_GATEWAY_CONTROL_GISTS_H

#include "gateway/state/candidate.h"
#include "images/report.h"

#define GISTS_MAX 16384  /* reviews: under 3 MiB; of consecutive numbers none is in another's place */
#define GISTS_FRESH_S 60 /* how old the number of signatures that an open review takes may be */
#define GISTS_REPORTS 4  /* kept as they were read, some MiB each: who reads a review has it open for a while */
#define GISTS_NEW_MAX 4  /* read anew in one answer: control does nothing else meanwhile, and one of a MiB takes 10 ms */

struct control;
struct gists;

struct gist {
	bool have_report; /* one that can be read; else what follows from it is nothing */
	enum report_verdict verdict;
	uint32_t findings[FINDING_BLOCK + 1]; /* different ones, by severity */
	uint32_t have, need;                  /* persons */
};

struct gists *gists_new(void);
void gists_free(struct gists *g);
/*
 * left: how many may be read anew still, counted down. False: that one would have to be and none is left.
 */
bool gists_of(struct control *c, const struct db_candidate *cand, unsigned *left, struct gist *ret);
/*
 * A stored report, which its name says once and for all; NULL: it cannot be read. Borrowed until the next call of
 * anything here.
 */
const struct report *gists_report(struct control *c, const uint8_t digest[DIGEST_SHA256_LEN]);
/* What follows from a report alone; r may be NULL. */
void gists_count(const struct report *r, struct gist *ret);

#endif
