/* SPDX-License-Identifier: Apache-2.0 */
/* A change of an account under way, for accounts.c and accounts_secrets.c alone. */
#ifndef FG_GATEWAY_CONTROL_ACCOUNTS_PRIVATE_H
#define FG_GATEWAY_CONTROL_ACCOUNTS_PRIVATE_H

#include <sys/queue.h>

#include "gateway/control/accounts.h"
#include "gateway/control/requests_private.h"
#include "gateway/state/passkey.h"

#define ACCOUNTS_ENROLLING_MAX 64 /* second factors that are being made at once */
#define ACCOUNTS_ENROL_S 900      /* how long one may take */

enum accounts_what {
	ACCOUNTS_NOTHING = 0,
	ACCOUNTS_ADD,
	ACCOUNTS_ENABLE,
	ACCOUNTS_ROLES,
	ACCOUNTS_PASSWORD,
	ACCOUNTS_TOTP,  /* a second factor is made */
	ACCOUNTS_RESET, /* and taken off, passkeys with it, so that another one is made */
	ACCOUNTS_PASSKEY,
	ACCOUNTS_PASSKEY_ONLY, /* password and code let in no more */
};

struct accounts_change { /* waits for a hash, then for its entry */
	LIST_ENTRY(accounts_change) link;
	struct accounts *a;
	struct call *call;
	enum accounts_what what;
	struct db_account row; /* what it is to be; of it that is taken which `what` says */
	bool named;            /* with roles: principal and display too */
	bool keep;             /* the session it comes from goes on */
	bool again;            /* the account was changed since: that word is the later one */
	struct db_passkey *passkey; /* to be added; freed with it */
	size_t next_n;
	uint8_t next[PASSWORD_BYTES_MAX]; /* the new password, until it is hashed */
};

struct accounts_enrolling {
	uint8_t session[CALLERS_ID];
	uint8_t secret[TOTP_SECRET_LEN];
	int64_t at; /* 0: free */
};

struct accounts {
	struct control *c;
	LIST_HEAD(, accounts_change) changes;
	struct accounts_enrolling enrolling[ACCOUNTS_ENROLLING_MAX];
};

/* The entry of a change of that account; NULL: no memory. Caller frees. */
struct msg_append *accounts_entry(struct control *c, const struct call *call, const struct db_account *a, const char *change);
/* Answers with the account, and with what ended by the change. */
void accounts_answer(struct control *c, struct call *call, const struct db_account *a, unsigned sessions, unsigned tokens);
/* NULL: the call is answered. */
struct accounts_change *accounts_begin(struct accounts *a, struct call *call, enum accounts_what what);
/* Logs, then changes, then answers; or answers why not. Takes ch. */
void accounts_log(struct accounts_change *ch);
/* Forgets it; the call is answered by somebody. */
void accounts_end(struct accounts_change *ch);
/* Changes of that account that wait for their entries come to nothing: what is done now is the later word. */
void accounts_later_word(struct accounts *a, const char *name);
/* It is the caller's own. */
bool accounts_is_own(const struct call *call, const struct db_account *row);
/* An administrator asks, of another's account. False: the call is answered. */
bool accounts_by_admin(struct call *call);
/* The row that the argument "account" names. False: the call is answered. */
bool accounts_of(struct accounts *a, struct call *call, struct db_account *ret);
/* The new password as accounts_log() wants it; then goes on there. Takes ch. */
void accounts_hash(struct accounts_change *ch);
/* The argument "password" is one that this account may have. False: the call is answered. */
bool accounts_next(struct accounts_change *ch, const char *name);

#endif
