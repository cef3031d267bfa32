/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passkeys - signing in with a browser's authenticator. No name is typed: the authenticator brings its credential, so
 * that nobody learns by asking who has an account. A challenge is 32 random bytes of ours, good for one
 * answer of one kind, and for some minutes. With the person verified (UV) a passkey is two factors in one.
 * A passkey lets in where people may sign with one: at the console that the signer set names. It is no vote: a signature
 * under a statement is over other bytes (crypto/webauthn.h), and a key of the signer set is taken in by nobody here.
 * One whose counter goes back may have a copy: it is refused, suspended and told in the same moment.
 */
#ifndef FG_GATEWAY_CONTROL_PASSKEYS_H
#define FG_GATEWAY_CONTROL_PASSKEYS_H

#include "gateway/control/call.h"
#include "gateway/state/passkey.h"

#define PASSKEYS_CHALLENGE_S 300 /* a person looks for the key, and types its PIN */
#define PASSKEYS_CODE_S 120      /* between the touch and the request it is for */

struct control;
struct msg_append;
struct passkeys;

struct passkeys *passkeys_new(struct control *c);
void passkeys_free(struct passkeys *p);

/*
 * A code of passkey.fresh stands where one of the second factor does. Whether it looks like one; whether it is that
 * session's: it is used up by that.
 */
bool passkeys_is_code(const char *code);
bool passkeys_code(struct passkeys *p, const struct caller *who, const char *code);
/* Adds to an entry which passkey it is about. */
void passkeys_ref(struct msg_append *e, const struct db_passkey *k);
/* "PASSKEY", while one is suspended. */
void passkeys_alerts(struct control *c, void (*alert)(struct jsonw *j, const char *id, const char *text), struct jsonw *j);

/* session.challenge and .passkey: of somebody who is not known yet */
void passkeys_ask(struct passkeys *p, struct call *call);
void passkeys_open(struct passkeys *p, struct call *call);
/* passkey.challenge, .add, .fresh, .list, .remove */
void passkeys_challenge(struct passkeys *p, struct call *call);
void passkeys_add(struct passkeys *p, struct call *call);
void passkeys_fresh(struct passkeys *p, struct call *call);
void passkeys_list(struct passkeys *p, struct call *call);
void passkeys_remove(struct passkeys *p, struct call *call);

#endif
