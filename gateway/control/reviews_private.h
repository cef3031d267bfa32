/* SPDX-License-Identifier: Apache-2.0 */
/* What reviews.c, and the requests about reviews in reviews_calls.c and reviews_submit.c, share. */
#ifndef FG_GATEWAY_CONTROL_REVIEWS_PRIVATE_H
#define FG_GATEWAY_CONTROL_REVIEWS_PRIVATE_H

#include <sys/queue.h>

#include "crypto/release.h"
#include "gateway/control/reviews.h"
#include "gateway/state/resource.h"
#include "policy/lifecycle.h"
#include "policy/rules.h"

#define REVIEWS_DRAFTS 64           /* scopes remembered for whoever asks for a statement next */
#define REVIEWS_GLASS_HOURS 24      /* break-glass lasts at most so long (APPROVAL_GLASS_MAX) */
#define REVIEWS_GLASS_SPARE 60      /* seconds less, for it is counted from the time of the statement, read apart */
#define REVIEWS_DRAFT_SECONDS 86400 /* as long as two people may take to write theirs */

struct issue { /* asked of the warden */
	TAILQ_ENTRY(issue) link;
	uint64_t token, candidate;
	struct call *call; /* NULL: nobody waits */
	bool standing;     /* under a standing statement */
	char approver[DB_WHO_MAX];
};

struct reviews_draft { /* the scope of a statement that was written and may yet be signed */
	uint64_t candidate;
	uint32_t days;
	int64_t at;
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
	bool standing; /* they are not about this review: a standing statement's */
	char approver[RELEASE_STATEMENTS_MAX][DB_WHO_MAX];
	uint8_t statement[RELEASE_STATEMENTS_MAX][DIGEST_SHA256_LEN];
};

/* "profile/product/from->to/file", cut to cap: false when it did not fit. */
bool reviews_subject(const struct db_candidate *cand, const struct db_resource *res, char *dst, size_t cap);
struct reviews_asked { /* what the policy in force asks for a release in one scope */
	uint32_t quorum;     /* persons; SCOPE_QUORUM_NEVER: no number is enough */
	bool denied;         /* by a rule, or as a delta that nobody saw through */
	int64_t earliest;    /* its not_before may be no sooner; 0: any */
	int64_t latest;      /* its not_after may be no later: a waiver ends then; 0: any */
	int64_t time_lock;   /* seconds that must lie between each signature and not_before */
	char text[RULES_SENTENCE_MAX]; /* which rule, and what it says; or why it is denied */
};

/* scope NULL: nobody proposed one yet; then as for everyone. What cannot be told is denied by nobody, and never enough. */
void reviews_ask(struct control *c, const struct db_candidate *cand, const struct db_scope *scope, struct reviews_asked *ret);
/* The number that a statement names: at most APPROVAL_QUORUM_MAX. */
uint32_t reviews_asks(const struct reviews_asked *a);
/* Whether somebody may sign now for a release in that scope, which begins so late. */
bool reviews_late_enough(const struct reviews_asked *a, const struct db_scope *s, int64_t now);
/* The scope of terms. FG_ELIMIT: more groups or versions than a row holds. */
int reviews_scope(const struct approval_terms *t, struct db_scope *ret);
/* What a statement about this candidate in that scope must say. */
int reviews_terms(struct control *c, const struct db_candidate *cand, const struct db_scope *scope,
    struct approval_terms *ret);
/* Days that a release of it may last: those of every release, or those of a delta whose result nobody saw. */
uint32_t reviews_days_max(struct control *c, const struct db_candidate *cand);
int reviews_valid_statements(struct control *c, const struct db_candidate *cand, struct reviews_valid *ret);
bool reviews_is_asked(struct reviews *r, uint64_t candidate);
/* Asks the warden; on 0 the call is its to answer. FG_EAGAIN: warden or log away; FG_EEXIST: it is asked already. */
int reviews_issue(struct reviews *r, const struct db_candidate *cand, const struct reviews_valid *v, struct call *call,
    const char *approver);
/* How the review stands, as the answer to a submission. */
void reviews_answer(struct control *c, struct call *call, const struct db_candidate *cand, const char *approver,
    const char *text);

#endif
