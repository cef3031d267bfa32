/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reviews - from "people may look" to a release: writes the statements people
 * sign, takes the signed ones in under the same rules as the warden, and asks
 * the warden once enough distinct persons have said the same thing. Nothing here
 * permits: what control counts is for showing, what the warden counts is law.
 * Rejecting and expiry take one person, or none.
 */
#ifndef FG_GATEWAY_CONTROL_REVIEWS_H
#define FG_GATEWAY_CONTROL_REVIEWS_H

#include "crypto/approval.h"
#include "gateway/state/candidate.h"
#include "gateway/wire/msg.h"

#define REVIEWS_DAYS_DEFAULT APPROVAL_DAYS_MAX
#define REVIEWS_EVERYONE 1000000u /* max_devices when nobody said: beyond any canary */

struct call;
struct control;
struct profile;
struct report;
struct reviews;

struct reviews *reviews_new(struct control *c);
void reviews_free(struct reviews *r);

/* Requests. */
void reviews_statement(struct reviews *r, struct call *call);
void reviews_submit(struct reviews *r, struct call *call);
void reviews_reject(struct reviews *r, struct call *call);
void reviews_reopen(struct reviews *r, struct call *call);

/* The warden. */
void reviews_on_issued(struct reviews *r, const struct msg_issued *m);
void reviews_warden_down(struct reviews *r);
/* Warden and log are there: reviews with enough statements that were not issued are asked for again. */
void reviews_resume(struct reviews *r);
/* Every minute: what nobody decided expires. */
void reviews_expire(struct reviews *r);

/* ---- for showing ---- */

/* The candidate a call's "review" names; answers the call and is NULL when there is none. free(). */
struct db_candidate *reviews_of_call(struct control *c, struct call *call);
/* Distinct persons whose statements say the same as the scope stands, and how many that scope needs. */
void reviews_count(struct control *c, const struct db_candidate *cand, uint32_t *ret_have, uint32_t *ret_need);
/* With its report at hand, which is read otherwise: that takes longer than all the rest. */
void reviews_count_by(struct control *c, const struct db_candidate *cand, const struct report *report, uint32_t *ret_have,
    uint32_t *ret_need);
/* When an undecided review expires; 0 when it does not. */
int64_t reviews_deadline(struct control *c, const struct db_candidate *cand);

/* ---- shared with halts.c and proposals.c ---- */

/* A signed statement as handed in: 0, or the call is answered. Both writers are filled. */
int reviews_read_signed(struct call *call, struct writer *statement, struct writer *signature);
/* Fills approver, reason, time, nonce and the log state seen. False: the call is answered. */
bool reviews_personal(struct control *c, struct call *call, struct approval *a, const char *const *requesters,
    unsigned requesters_n);
/* The signature is one by a current key of the approver it names. NULL, or why not. */
const char *reviews_bad_signature(struct control *c, const struct approval *a, struct view statement,
    struct view signature, const char *const *requesters, unsigned requesters_n);
/* The kept signature of a kept statement is still one by a key that counts: keys end, are replaced and suspended. */
bool reviews_still_signed(struct control *c, const struct approval *a, const uint8_t statement[DIGEST_SHA256_LEN],
    struct view text);
/* Statements and signatures in pairs, as the warden reads them; sealed memfd or negative fg_err. */
int reviews_bundle(struct control *c, const uint8_t (*statements)[DIGEST_SHA256_LEN], unsigned n);

#endif
