/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signins - session.open: from a name, a password and a code to a session. Whoever fails learns that
 * it failed, and neither which of them was wrong nor whether there is such an account: answer and
 * time are the same. Only a right password without a code is told that one is due. Failures are counted
 * before they are known to be none (throttle.h), and gathered for the log by the minute.
 */
#ifndef FG_GATEWAY_CONTROL_SIGNINS_H
#define FG_GATEWAY_CONTROL_SIGNINS_H

#include "gateway/control/call.h"
#include "gateway/state/account.h"

struct control;
struct signins;

struct signins *signins_new(struct control *c);
void signins_free(struct signins *s);

/* session.open */
void signins_open(struct signins *s, struct call *call);

/*
 * Is code the account's now? It is used up by that. FG_OK; FG_EPERM: no; FG_EAGAIN: too many were wrong, *ret_wait seconds;
 * or what database and OpenSSL say.
 */
int signins_code(struct signins *s, const struct db_account *a, struct view code, int64_t *ret_wait);
/*
 * For a call that changes who may do what: a session shows a code once more, of the second factor or of passkey.fresh.
 * False: the call is answered.
 */
bool signins_fresh(struct signins *s, struct call *call);

/* A session for who showed what factors says (SESSIONS_BY_*): opened, logged, answered. The call is answered in any case. */
int signins_begin(struct signins *s, struct call *call, const struct db_account *a, unsigned factors);
/*
 * account: of whom there is one, else NULL; what was typed is not written down, for it may be a password. by: what was
 * shown, "password", "code", "passkey ...".
 */
void signins_note_failed(struct signins *s, const struct caller *who, const char *account, const char *by);
/* That, and the one answer that says nothing more. */
void signins_no(struct signins *s, struct call *call, const char *account, const char *by);
/* Answers that, too. */
void signins_throttled(struct signins *s, struct call *call, const char *account, int64_t wait);
/* Tells the log what was gathered since the last time. */
void signins_report(struct signins *s);

#endif
