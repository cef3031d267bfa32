/* SPDX-License-Identifier: Apache-2.0 */
/* token - secrets that machines call the API with. Revoked and expired ones stay, so that nobody wonders whose they were. */
#ifndef FG_GATEWAY_STATE_TOKEN_H
#define FG_GATEWAY_STATE_TOKEN_H

#include "gateway/state/account.h"

struct db_token {
	uint8_t digest[DIGEST_SHA256_LEN]; /* of the secret */
	uint8_t id[DB_ID];                 /* its name for people */
	char name[DB_NAME_MAX];            /* what it is for */
	char account[DB_ACCOUNT_NAME_CAP];
	uint32_t scopes;                   /* enum tokens_scope bits: values are stored */
	int64_t made;
	char by[DB_WHO_MAX];
	int64_t expires, last;             /* last: used, within a minute; 0: never */
	int64_t revoked;                   /* 0: no */
};

/* FG_ENOTFOUND: there is no such account. */
int db_token_add(struct db *db, const struct db_token *t);
/* FG_ENOTFOUND; whether it still holds is the caller's to see. */
int db_token_find(struct db *db, const uint8_t digest[DIGEST_SHA256_LEN], struct db_token *ret);
int db_token_get(struct db *db, const uint8_t id[DB_ID], struct db_token *ret);
int db_token_touch(struct db *db, const uint8_t id[DB_ID], int64_t now);
/* 0 also when it was. */
int db_token_revoke(struct db *db, const uint8_t id[DB_ID], int64_t now);
int db_token_revoke_all(struct db *db, const char *account, int64_t now, unsigned *ret_n);
/* The oldest first. */
int db_token_list(struct db *db, int (*each)(void *arg, const struct db_token *t), void *arg);
/* Those that are neither revoked nor expired. */
int db_token_count(struct db *db, int64_t now, uint64_t *ret);
/* Forgets those that ended before. */
int db_token_forget(struct db *db, int64_t before);

#endif
