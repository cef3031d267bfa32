/* SPDX-License-Identifier: Apache-2.0 */
/* mandate - standing statements: what was proposed, and which signed statements about it came in. Numbers are names, for good. */
#ifndef FG_GATEWAY_STATE_MANDATE_H
#define FG_GATEWAY_STATE_MANDATE_H

#include "gateway/state/db.h"

#define DB_MANDATE_STATEMENTS_MAX 16

enum db_mandate_state { DB_MANDATE_PROPOSED = 0, DB_MANDATE_EFFECTIVE, DB_MANDATE_REVOKED }; /* stored: values do not change */

struct db_mandate {
	uint64_t id;
	struct view terms; /* a statement in the form that approval_key() makes; borrowed */
	char reason[DB_TEXT_MAX];
	char who[DB_WHO_MAX];
	int64_t at;
	uint64_t opened; /* index of its entry: a statement has to have seen more */
	uint8_t state;
	uint32_t statements_n;
	uint8_t statement[DB_MANDATE_STATEMENTS_MAX][DIGEST_SHA256_LEN];
};

/* In place of one of that id; 0: a new one, whose id is filled in. */
int db_mandate_put(struct db *db, struct db_mandate *m);
int db_mandate_list(struct db *db, int (*each)(void *arg, const struct db_mandate *m), void *arg);

#endif
