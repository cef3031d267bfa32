/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - who is signed in over the network, and from where each account was. Ended ones stay for a
 * while: an address that an account came from before is not held up by what strangers try.
 */
#ifndef FG_GATEWAY_STATE_SESSION_H
#define FG_GATEWAY_STATE_SESSION_H

#include "gateway/state/account.h"

#define DB_SESSIONS_OF_ONE 256 /* kept of an account, ended ones too: whoever signs in all day fills no disk */
#define DB_PEER 16 /* an IPv6 address, or an IPv4 one mapped into it */

struct db_session {
	uint8_t digest[DIGEST_SHA256_LEN]; /* of the secret */
	uint8_t id[DB_ID];                 /* its name for people */
	char account[DB_ACCOUNT_NAME_CAP];
	uint8_t factors;                   /* 1: the password, 2: and a code, 3: a passkey, two in one; 0: single sign-on */
	bool sso;                          /* then, and only then, whom the front must vouch for at each call: */
	uint8_t identity[DIGEST_SHA256_LEN];
	int64_t made, last, until;         /* last: heard of, within half a minute */
	int64_t ended;                     /* 0: not by a person */
	uint8_t peer[DB_PEER];
};

/* Of an account the youngest are kept. FG_ENOTFOUND: there is no such account. */
int db_session_add(struct db *db, const struct db_session *s);
/* One that was not ended; whether it has run out is the caller's to see. FG_ENOTFOUND. */
int db_session_find(struct db *db, const uint8_t digest[DIGEST_SHA256_LEN], struct db_session *ret);
int db_session_get(struct db *db, const uint8_t id[DB_ID], struct db_session *ret);
int db_session_touch(struct db *db, const uint8_t id[DB_ID], int64_t now);
/* 0 also when it had ended. */
int db_session_end(struct db *db, const uint8_t id[DB_ID], int64_t now);
/* All of an account but `keep` (NULL: all); how many in *ret_n. */
int db_session_end_all(struct db *db, const char *account, const uint8_t *keep, int64_t now, unsigned *ret_n);
/* Those that came by that identity. */
int db_session_end_identity(struct db *db, const uint8_t identity[DIGEST_SHA256_LEN], int64_t now, unsigned *ret_n);
/* Of an account ("" : of all), those not ended, the oldest first. */
int db_session_list(struct db *db, const char *account, int (*each)(void *arg, const struct db_session *s), void *arg);
/* Was that account signed in from there before, with both factors? */
int db_session_from(struct db *db, const char *account, const uint8_t peer[DB_PEER], bool *ret);
/* Forgets those made before. */
int db_session_forget(struct db *db, int64_t before);

#endif
