/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passkey - keys that people sign in with, of whose accounts; and how far the counters of keys that sign statements had
 * come. Nothing of it is a vote.
 */
#ifndef FG_GATEWAY_STATE_PASSKEY_H
#define FG_GATEWAY_STATE_PASSKEY_H

#include "crypto/webauthn.h"
#include "gateway/state/account.h"

#define DB_PASSKEYS_OF_ONE 16    /* of an account: a few devices, and those that were to be removed */
#define DB_KEY_COUNTERS_MAX 4096 /* many times what a chain of signer sets lists */

struct db_passkey {
	uint8_t id[DB_ID]; /* its name for people, and the user handle that its authenticator keeps */
	char account[DB_ACCOUNT_NAME_CAP];
	char name[DB_NAME_MAX];
	size_t credential_n, key_n;
	uint8_t credential[WEBAUTHN_CREDENTIAL_MAX];
	uint8_t key[SSHKEY_BLOB_MAX]; /* SSH's wire form: with it the relying party */
	uint32_t counter;             /* the last that was shown */
	uint8_t flags;                /* of them BE and BS are of use */
	int64_t made, last;           /* last 0: never used */
	int64_t suspended;            /* 0: it lets in */
};

/* FG_EEXIST: that credential is somebody's. */
int db_passkey_add(struct db *db, const struct db_passkey *k);
/* FG_ENOTFOUND. */
int db_passkey_find(struct db *db, struct view credential, struct db_passkey *ret);
int db_passkey_get(struct db *db, const uint8_t id[DB_ID], struct db_passkey *ret);
/* Of an account, the oldest first. */
int db_passkey_list(struct db *db, const char *account, int (*each)(void *arg, const struct db_passkey *k), void *arg);
/* It was used. FG_ESTATE, and nothing is changed: it is suspended, or its counter did not go on. */
int db_passkey_used(struct db *db, const uint8_t id[DB_ID], uint32_t counter, uint8_t flags, int64_t now);
/* 0 also when it was before. */
int db_passkey_suspend(struct db *db, const uint8_t id[DB_ID], int64_t now);
/* 0 also when there was none. */
int db_passkey_drop(struct db *db, const uint8_t id[DB_ID]);
int db_passkey_drop_all(struct db *db, const char *account, unsigned *ret_n);
int db_passkey_suspended(struct db *db, uint64_t *ret_n);

/*
 * A key (by its digest) signed with that counter. *ret_before: the highest that was seen before it, 0 if none. Beyond the
 * maximum no more keys are taken in: FG_ELIMIT.
 */
int db_key_counter(struct db *db, const uint8_t key[DIGEST_SHA256_LEN], uint32_t counter, uint32_t *ret_before);

#endif
