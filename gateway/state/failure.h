/* SPDX-License-Identifier: Apache-2.0 */
/* failure - how often signing in failed of late, by whatever it is counted by: throttle.h says which keys there are. */
#ifndef FG_GATEWAY_STATE_FAILURE_H
#define FG_GATEWAY_STATE_FAILURE_H

#include "gateway/state/db.h"

#define DB_FAILURES_MAX 4096 /* one attempt takes a fifth of a second: these are a quarter of an hour of nothing else */

struct db_failure {
	uint8_t key[DIGEST_SHA256_LEN];
	uint32_t count;
	int64_t last;
};

/* In place of the one of that key. Beyond the maximum whichever is longest ago is forgotten. */
int db_failure_put(struct db *db, const struct db_failure *f);
/* FG_ENOTFOUND. */
int db_failure_get(struct db *db, const uint8_t key[DIGEST_SHA256_LEN], struct db_failure *ret);
/* 0 also when there was none. */
int db_failure_drop(struct db *db, const uint8_t key[DIGEST_SHA256_LEN]);
int db_failure_forget(struct db *db, int64_t before);

#endif
