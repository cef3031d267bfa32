/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glass - break-glass (crypto/approval_glass.h) as people see it: what genesis allows, which after-review is owed as the
 * warden says, and the statements for that, handed in one by one. The statement that breaks the glass is a review's
 * (reviews.h); nothing here permits.
 */
#ifndef FG_GATEWAY_CONTROL_GLASS_H
#define FG_GATEWAY_CONTROL_GLASS_H

#include "crypto/jsonw.h"
#include "gateway/wire/msg.h"

#define GLASS_PERSONS_MAX 16 /* as many statements as the warden takes */

struct entry;

struct call;
struct control;
struct db_candidate;
struct glass;

struct glass *glass_new(struct control *c);
void glass_free(struct glass *g);
/* The warden says what is owed, or has judged what it was asked. */
void glass_on_told(struct glass *g, const struct msg_glass *m);
void glass_warden_down(struct glass *g);
/* An entry approval.signed of the log, at a start, in its order: what was handed in for an after-review still counts. */
void glass_replay(struct glass *g, const struct entry *e);
/* A halt is a veto: whatever one person let through alone ends, and its review may be opened again. */
void glass_halted(struct glass *g, const struct msg_halt *m);
/* Why nobody may break the glass now, in words; NULL: one may, for as many modules as the warden says. */
const char *glass_refuses(const struct glass *g);
/* One line for fotagate status while an after-review is owed. */
void glass_alerts(const struct glass *g, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j);

/* Requests breakglass.show, .statement, .submit. */
void glass_show(struct glass *g, struct call *call);
void glass_statement(struct glass *g, struct call *call);
void glass_submit(struct glass *g, struct call *call);

#endif
