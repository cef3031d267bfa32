/* SPDX-License-Identifier: Apache-2.0 */
/* account - who may sign in over the network. Names are never given away again: there is no deleting. */
#ifndef FG_GATEWAY_STATE_ACCOUNT_H
#define FG_GATEWAY_STATE_ACCOUNT_H

#include "crypto/password.h"
#include "crypto/totp.h"
#include "gateway/state/db.h"

#define DB_ACCOUNT_NAME_CAP 25 /* with "account:" before it, it fits where unix names stand (CONFIG_USER_MAX) */

struct db_account {
	char name[DB_ACCOUNT_NAME_CAP];
	char display[DB_NAME_MAX];
	char principal[DB_WHO_MAX];    /* who that is in the signer set; "" : nobody of it */
	uint32_t roles;                /* enum callers_role bits: values are stored */
	char hash[PASSWORD_PHC_CAP];   /* "": no password lets in */
	int64_t lent;                  /* somebody else chose the password: until then it lets in to choose another; 0: own */
	bool have_totp;
	uint8_t totp[TOTP_SECRET_LEN];
	uint64_t totp_step;            /* the last that was used */
	bool disabled;
	int64_t created;
	uint32_t passkeys;             /* how many it has, suspended ones too; read only (passkey.h) */
};

/* FG_EEXIST. */
int db_account_add(struct db *db, const struct db_account *a);
/* All but the name and when it was made. FG_ENOTFOUND. */
int db_account_set(struct db *db, const struct db_account *a);
/* A step is used up. FG_ESTATE: it was before, or one after it. */
int db_account_step(struct db *db, const char *name, uint64_t step);
/* FG_ENOTFOUND. */
int db_account_get(struct db *db, const char *name, struct db_account *ret);
/* In order of name. */
int db_account_list(struct db *db, int (*each)(void *arg, const struct db_account *a), void *arg);
int db_account_count(struct db *db, uint64_t *ret);

#endif
