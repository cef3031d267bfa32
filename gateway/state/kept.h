/* SPDX-License-Identifier: Apache-2.0 */
/* kept - what a fetch that did not end left in the quarantine for the next one to go on with. */
#ifndef FG_GATEWAY_STATE_KEPT_H
#define FG_GATEWAY_STATE_KEPT_H

#include "gateway/state/db.h"

#define DB_KEPT_PART_MAX 48       /* FILES_PART_CAP */
#define DB_KEPT_VALIDATOR_MAX 128 /* ANSWER_VALIDATOR_MAX of gateway/upstream */

struct db_kept {
	uint8_t resource[DB_ID];
	char part[DB_KEPT_PART_MAX]; /* name of the file */
	uint64_t bytes;              /* of it that were on disk; behind them may be anything */
	uint64_t total;              /* of the whole, as the vendor said */
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of those bytes, as the fetcher said */
	char validator[DB_KEPT_VALIDATOR_MAX];
	int64_t at;
	uint8_t policy[DIGEST_SHA256_LEN]; /* pins, CA and all that held when it came */
};

/* One for a resource; the last replaces what was. FG_ENOTFOUND: no such resource. */
int db_kept_put(struct db *db, const struct db_kept *k);
/* FG_ENOTFOUND. */
int db_kept_get(struct db *db, const uint8_t resource[DB_ID], struct db_kept *ret);
/* Absent is fine. */
int db_kept_drop(struct db *db, const uint8_t resource[DB_ID]);
/* Oldest first; stops at a non-zero return, which is returned. The callback may not write. */
int db_kept_list(struct db *db, int (*each)(void *arg, const struct db_kept *k), void *arg);

#endif
