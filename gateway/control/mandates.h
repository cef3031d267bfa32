/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandates - standing statements (crypto/approval_standing.h): proposed by one,
 * signed by several, taken back by one; and the gate's own asking, when a review
 * has opened that a rule would release and one of them covers. Nothing here
 * permits: the warden judges the statements anew for each release, counts those,
 * and knows what was revoked.
 */
#ifndef FG_GATEWAY_CONTROL_MANDATES_H
#define FG_GATEWAY_CONTROL_MANDATES_H

#include <stdint.h>

#include "crypto/jsonw.h"

#define MANDATES_MAX 64 /* that have not ended: a board of people knows its own */

struct call;
struct control;
struct db_candidate;
struct mandates;

/* Empty until mandates_recall(). */
struct mandates *mandates_new(struct control *c);
void mandates_free(struct mandates *m);
/* From the database, at start. */
int mandates_recall(struct mandates *m);

/* Requests standing.list, .propose, .statement, .submit, .revoke. */
void mandates_list(struct mandates *m, struct call *call);
void mandates_propose(struct mandates *m, struct call *call);
void mandates_statement(struct mandates *m, struct call *call);
void mandates_submit(struct mandates *m, struct call *call);
void mandates_revoke(struct mandates *m, struct call *call);

/*
 * If a rule releases that review, nobody has signed for it and a standing statement covers it, the warden is asked, once
 * for each statement: what it refuses waits for people.
 */
void mandates_try(struct mandates *m, uint64_t candidate);
/* The same for every open review: each minute, and when a statement has come to count. */
void mandates_look(struct mandates *m);
/* Each second: the same, once one of them begins that covered a review before. */
void mandates_tick(struct mandates *m);

/* The name of the statement that the candidate's release rests on under key; null: people signed, or nobody yet. */
void mandates_put_of(const struct mandates *m, const struct db_candidate *cand, struct jsonw *j, const char *key);

#endif
