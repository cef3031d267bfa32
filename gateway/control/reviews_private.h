/* SPDX-License-Identifier: Apache-2.0 */
/* What reviews.c, and the requests about reviews in reviews_calls.c and reviews_submit.c, share. */
#ifndef FG_GATEWAY_CONTROL_REVIEWS_PRIVATE_H
#define FG_GATEWAY_CONTROL_REVIEWS_PRIVATE_H

#include <sys/queue.h>

#include "crypto/release.h"
#include "gateway/control/reviews.h"
#include "gateway/state/resource.h"
#include "policy/lifecycle.h"

#define REVIEWS_DRAFTS 64           /* scopes remembered for whoever asks for a statement next */
#define REVIEWS_DRAFT_SECONDS 86400 /* as long as two people may take to write theirs */

struct issue { /* asked of the warden */
	TAILQ_ENTRY(issue) link;
	uint64_t token, candidate;
	struct call *call; /* NULL: nobody waits */
	char approver[DB_WHO_MAX];
};

struct reviews_draft { /* the scope of a statement that was written and may yet be signed */
	uint64_t candidate;
	uint32_t days;
	struct db_scope scope;
};

struct reviews {
	struct control *c;
	uint64_t token;
	TAILQ_HEAD(, issue) issues;
	struct reviews_draft draft[REVIEWS_DRAFTS];
	unsigned drafts_n; /* ever made; the newest overwrite the oldest */
};

struct reviews_valid { /* one statement for each person, all saying the same */
	uint32_t n, need;
	char approver[RELEASE_STATEMENTS_MAX][DB_WHO_MAX];
	uint8_t statement[RELEASE_STATEMENTS_MAX][DIGEST_SHA256_LEN];
};

/* Persons that the policy in force asks for, for that many modules more; at most APPROVAL_QUORUM_MAX. */
uint32_t reviews_asks(struct control *c, const struct db_candidate *cand, uint32_t max_devices);
/* "profile/product/from->to/file", cut to cap: false when it did not fit. */
bool reviews_subject(const struct db_candidate *cand, const struct db_resource *res, char *dst, size_t cap);
/* What a statement about this candidate in that scope must say. */
int reviews_terms(struct control *c, const struct db_candidate *cand, const struct db_scope *scope,
    struct approval_terms *ret);
/* Days that a release of it may last: those of every release, or those of a delta whose result nobody saw. */
uint32_t reviews_days_max(struct control *c, const struct db_candidate *cand);
int reviews_valid_statements(struct control *c, const struct db_candidate *cand, struct reviews_valid *ret);
/* Asks the warden; on 0 the call is its to answer. FG_EAGAIN: warden or log away; FG_EEXIST: it is asked already. */
int reviews_issue(struct reviews *r, const struct db_candidate *cand, const struct reviews_valid *v, struct call *call,
    const char *approver);
/* How the review stands, as the answer to a submission. */
void reviews_answer(struct control *c, struct call *call, const struct db_candidate *cand, const char *approver,
    const char *text);

#endif
