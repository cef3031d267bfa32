/* SPDX-License-Identifier: Apache-2.0 */
/* unknown - learn mode: requests that no profile knows, gathered by shape. */
#ifndef FG_GATEWAY_STATE_UNKNOWN_H
#define FG_GATEWAY_STATE_UNKNOWN_H

#include "gateway/state/db.h"

#define DB_UNKNOWNS_MAX 1000 /* whoever can connect can make rows: beyond it the least seen, oldest goes */
#define DB_SHAPE_MAX 256

struct db_unknown {
	uint64_t id; /* set by the database */
	char listener[DB_NAME_MAX];
	char host[256];
	char path[DB_SHAPE_MAX]; /* escaped for people, cut */
	char agent[128];
	uint64_t count;
	int64_t first_seen, last_seen;
};

/* Adds u->count to the row of the same listener, host, path and agent, or makes it. */
int db_unknown_add(struct db *db, const struct db_unknown *u);
/* FG_ENOTFOUND. */
int db_unknown_get(struct db *db, uint64_t id, struct db_unknown *ret);
/* Most seen first, at most limit. */
int db_unknown_list(struct db *db, unsigned limit, int (*each)(void *arg, const struct db_unknown *u), void *arg);
int db_unknown_clear(struct db *db);
/* Forgets that one, if it is there. */
int db_unknown_forget(struct db *db, uint64_t id);

#endif
