/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proposals - how the board of people changes: writes the statement of the next
 * signer set, gathers the signatures under it, asks the warden once they suffice;
 * and takes a key out of the count on one person's word. Only the warden's count
 * permits; a suspension holds at once, with the rest of the gateway dead.
 */
#ifndef FG_GATEWAY_CONTROL_PROPOSALS_H
#define FG_GATEWAY_CONTROL_PROPOSALS_H

#include "crypto/jsonw.h"
#include "gateway/wire/msg.h"

#define PROPOSALS_DAYS_DEFAULT 730
#define PROPOSALS_DAYS_MAX 3650 /* a key nobody looked at for ten years is nobody's */
#define PROPOSALS_SOON 30       /* days before a key runs out that people are told */
#define PROPOSALS_NO_CONSOLE "none" /* in place of an origin: passkeys may sign nowhere */
#define PROPOSALS_LINE_MAX 2560 /* a person, an account and a key's line */

struct call;
struct control;
struct proposals;

struct proposals *proposals_new(struct control *c);
void proposals_free(struct proposals *p);

/* Requests people.propose (proposals_change.c), people.submit. */
void proposals_propose(struct proposals *p, struct call *call);
void proposals_submit(struct proposals *p, struct call *call);

/* The warden. */
void proposals_warden_down(struct proposals *p);
void proposals_on_taken(struct proposals *p, const struct msg_signers_taken *m);
/* Warden and log are there: a proposal that has what it needs is handed to the warden again. */
void proposals_resume(struct proposals *p);
/* Every minute: what nobody finished in time is forgotten. */
void proposals_expire(struct proposals *p);

/* Key "proposals" with those that are open and who has signed them. 0 or an error of the database. */
int proposals_put(struct proposals *p, struct jsonw *j);
/* Calls back for everything people should see to: keys that run out, too few persons left. */
void proposals_alerts(struct proposals *p, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j);

#endif
