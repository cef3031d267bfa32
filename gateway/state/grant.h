/* SPDX-License-Identifier: Apache-2.0 */
/* grant - which module was granted which release, and how far it got. */
#ifndef FG_GATEWAY_STATE_GRANT_H
#define FG_GATEWAY_STATE_GRANT_H

#include "gateway/state/db.h"

struct db_grant {
	uint8_t module[DB_ID];
	uint8_t release[DB_ID];
	int64_t at;        /* first granted */
	int64_t completed; /* every byte sent; 0: not yet */
	uint64_t bytes;    /* sent in all */
};

/* Writes or overwrites; the earlier `at` stays. */
int db_grant_put(struct db *db, const struct db_grant *g);
/* FG_ENOTFOUND. */
int db_grant_get(struct db *db, const uint8_t module[DB_ID], const uint8_t release[DB_ID], struct db_grant *ret);
/* All of a release (NULL: of all releases) and of a module (NULL: of all). */
int db_grant_list(struct db *db, const uint8_t *release, const uint8_t *module,
    int (*each)(void *arg, const struct db_grant *g), void *arg);
/* Distinct modules granted and completed. */
int db_grant_count(struct db *db, const uint8_t release[DB_ID], uint64_t *ret_granted, uint64_t *ret_completed);

#endif
