/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resumptions - the statements by which rollouts go on: after a pause, in a ring that was held, into a ring that
 * waits for people. Guarantees: a statement is about one stop of one rollout and counts once; what stops the
 * rollout afterwards makes it void; as many persons as genesis asks for so many modules, whom the warden counts
 * and writes down before anything is let in. Signatures that are not enough yet are kept in memory: after a restart
 * of control whoever signed hands in the same files again.
 */
#ifndef FG_GATEWAY_CONTROL_RESUMPTIONS_H
#define FG_GATEWAY_CONTROL_RESUMPTIONS_H

#include "gateway/wire/msg.h"

#define RESUMPTIONS_MAX 16        /* rollouts that wait for more signatures; the oldest makes room */
#define RESUMPTIONS_PERSONS_MAX 16 /* of one: as many as a bundle for the warden holds */

struct call;
struct control;
struct resumptions;

struct resumptions *resumptions_new(struct control *c);
void resumptions_free(struct resumptions *r);
/* Requests rollout.statement, of that release, and rollout.submit. */
void resumptions_statement(struct resumptions *r, struct call *call, const uint8_t release[MSG_ID]);
void resumptions_submit(struct resumptions *r, struct call *call);
void resumptions_on_continued(struct resumptions *r, const struct msg_continued *m);
void resumptions_warden_down(struct resumptions *r);

#endif
