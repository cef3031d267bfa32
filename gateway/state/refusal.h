/* SPDX-License-Identifier: Apache-2.0 */
/* refusal - what is refused for good or for a time: policy/refusal.h has what kinds there are. */
#ifndef FG_GATEWAY_STATE_REFUSAL_H
#define FG_GATEWAY_STATE_REFUSAL_H

#include "gateway/state/db.h"

#define DB_REFUSAL_VALUE_CAP 513 /* REFUSAL_VALUE_MAX and NUL */

struct db_refusal {
	uint8_t id[DB_ID];
	uint8_t kind;  /* enum refusal_kind: values are stored */
	char value[DB_REFUSAL_VALUE_CAP];
	int64_t until; /* 0: until somebody lifts it */
	int64_t at;
	char by[DB_WHO_MAX];
	char reason[DB_TEXT_MAX];
};

/* In place of one of the same id. */
int db_refusal_put(struct db *db, const struct db_refusal *r);
/* FG_ENOTFOUND. */
int db_refusal_drop(struct db *db, const uint8_t id[DB_ID]);
/* In order of time. */
int db_refusal_list(struct db *db, int (*each)(void *arg, const struct db_refusal *r), void *arg);

#endif
