/* SPDX-License-Identifier: Apache-2.0 */
/*
 * halts - that the gateway is halted or its clock held, and the statements that end it. Halting is
 * the supervisor's; resuming takes the signatures of a production quorum, which
 * the warden counts.
 */
#ifndef FG_GATEWAY_CONTROL_HALTS_H
#define FG_GATEWAY_CONTROL_HALTS_H

#include "crypto/approval.h"
#include "gateway/wire/msg.h"

#define HALTS_STATEMENTS_MAX 7 /* kept for one halt: their names fit one value of the database */

struct call;
struct control;
struct halts;

struct halts *halts_new(struct control *c);
void halts_free(struct halts *h);
void halts_begin(struct halts *h, const struct msg_halt *m);
void halts_end(struct halts *h);
/* The halt or the hold of the clock may be another: what was signed against it is taken in again. NULL is fine. */
void halts_look(struct halts *h);
/* NULL: not halted. */
const struct msg_halt *halts_now(const struct halts *h);
/* Requests resume.statement and resume.submit. */
void halts_statement(struct halts *h, struct call *call);
void halts_submit(struct halts *h, struct call *call);
void halts_on_resumed(struct halts *h, const struct msg_resumed *m);
void halts_warden_down(struct halts *h);

#endif
