/* SPDX-License-Identifier: Apache-2.0 */
/* binding - whose account somebody is whom an issuer of single sign-on names. Made and taken off by administrators alone. */
#ifndef FG_GATEWAY_STATE_BINDING_H
#define FG_GATEWAY_STATE_BINDING_H

#include "crypto/vouch.h"
#include "gateway/state/account.h"

struct db_binding {
	uint8_t identity[DIGEST_SHA256_LEN]; /* vouch_identity() of the two */
	char issuer[VOUCH_ISSUER_MAX + 1];
	char subject[VOUCH_SUBJECT_MAX + 1];
	char account[DB_ACCOUNT_NAME_CAP];
	int64_t made;
	char by[DB_WHO_MAX];
};

/* FG_EEXIST: it is somebody's. */
int db_binding_add(struct db *db, const struct db_binding *b);
/* FG_ENOTFOUND. */
int db_binding_find(struct db *db, const uint8_t identity[DIGEST_SHA256_LEN], struct db_binding *ret);
/* FG_ENOTFOUND: there was none. */
int db_binding_drop(struct db *db, const uint8_t identity[DIGEST_SHA256_LEN]);
/* Of an account, by issuer and subject. */
int db_binding_list(struct db *db, const char *account, int (*each)(void *arg, const struct db_binding *b), void *arg);

#endif
