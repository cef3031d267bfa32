/* SPDX-License-Identifier: Apache-2.0 */
/* link - short URLs that were made: whose, for what, until when. Of a token only the digest is known. */
#ifndef FG_GATEWAY_STATE_LINK_H
#define FG_GATEWAY_STATE_LINK_H

#include "gateway/state/db.h"

struct db_link {
	uint8_t digest[DIGEST_SHA256_LEN]; /* of the token */
	uint8_t module[DB_ID];
	uint8_t release[DB_ID];
	char profile[DB_NAME_MAX];
	int64_t created, not_after;
};

/* FG_EEXIST: that token is taken. The module must be in the database: FG_EIO otherwise. */
int db_link_add(struct db *db, const struct db_link *l);
/* In order of module, then age. */
int db_link_list(struct db *db, int (*each)(void *arg, const struct db_link *l), void *arg);
/* Forgets those that ended before then. Those of an erased module go with it. */
int db_link_trim(struct db *db, int64_t ended_before);

#endif
