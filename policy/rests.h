/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rests - which decision of the log a release rests on: whoever signed for it had its report and policy in the statement, so
 * there has to be one about both, before it, that let people sign. Used by fotagate replay. Pure.
 */
#ifndef FG_POLICY_RESTS_H
#define FG_POLICY_RESTS_H

#include "crypto/release.h"

#define RESTS_WORD_MAX 8

struct rests_decision { /* an entry image.analysed of the release's review */
	uint64_t index;
	bool named; /* both digests could be read */
	uint8_t report[DIGEST_SHA256_LEN], policy[DIGEST_SHA256_LEN];
	char decision[RESTS_WORD_MAX];
};

/* The latest one before that entry; NULL: there is none. */
const struct rests_decision *rests_on(const struct rests_decision *list, unsigned n, uint64_t index, const struct release *r);
/* Why that is nothing a release can rest on, in words; NULL: it is. d may be NULL. */
const char *rests_bad(const struct rests_decision *d);

#endif
