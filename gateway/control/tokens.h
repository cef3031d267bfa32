/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens - how machines call the API: "fgt_" and 32 bytes in base64url, shown once, of which the SHA-256 is kept. A token
 * belongs to an account, may less than it, and dies with it. It never permits (requests_may()), never signs in,
 * and has nothing to say about accounts, sessions and tokens.
 */
#ifndef FG_GATEWAY_CONTROL_TOKENS_H
#define FG_GATEWAY_CONTROL_TOKENS_H

#include "gateway/control/call.h"
#include "gateway/state/token.h"

#define TOKENS_MAX 1000
#define TOKENS_DAYS 90      /* unless it is said otherwise */
#define TOKENS_DAYS_MAX 400
#define TOKENS_TOUCH_S 60
#define TOKENS_PREFIX "fgt_"

struct control;
struct tokens;

/* Bits; values are stored. */
enum tokens_scope { TOKENS_NONE = 0, TOKENS_VIEW = 1, TOKENS_OPERATE = 2, TOKENS_AUDIT = 4 };

struct tokens *tokens_new(struct control *c);
void tokens_free(struct tokens *t);
/* Once a minute: forgets what ended long ago. */
void tokens_tidy(struct tokens *t);

/* What a token of those scopes may ask for, of an account with those roles: never an administrator's or approver's. */
unsigned tokens_roles(uint32_t scopes, unsigned account);
/* False: nobody's. Fills what a session's caller has. */
bool tokens_identify(struct tokens *t, const uint8_t secret[32], struct caller *ret);

/* token.create, .list, .revoke */
void tokens_create(struct tokens *t, struct call *call);
void tokens_list(struct tokens *t, struct call *call);
void tokens_revoke(struct tokens *t, struct call *call);

#endif
