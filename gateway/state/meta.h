/* SPDX-License-Identifier: Apache-2.0 */
/* meta - single facts by key; above all what of the log control has seen. */
#ifndef FG_GATEWAY_STATE_META_H
#define FG_GATEWAY_STATE_META_H

#include "gateway/state/db.h"

#define DB_META_VALUE_MAX 512
#define DB_META_GENERATION "generation" /* of the last decision table */
#define DB_META_EPOCH "epoch"           /* mark of the pseudonym key: a few bytes of a MAC under it */
#define DB_KEY_MARK_CAP 17

/* Value into dst of cap bytes. FG_ENOTFOUND, FG_ELIMIT (does not fit). */
int db_meta_get(struct db *db, const char *key, char *dst, size_t cap);
int db_meta_set(struct db *db, const char *key, const char *value);
/* The same as a number; FG_EFORMAT when it is none. */
int db_meta_get_u64(struct db *db, const char *key, uint64_t *ret);
int db_meta_set_u64(struct db *db, const char *key, uint64_t value);

/* The largest log head control was shown: a smaller or other one later is a rollback or a fork. */
struct db_log_head {
	uint64_t size;
	uint8_t root[DIGEST_SHA256_LEN];
};
/* FG_ENOTFOUND before the first. */
int db_meta_log_get(struct db *db, struct db_log_head *ret);
/* FG_ESTATE, nothing changed, when it is smaller than the one remembered or of equal size and different. */
int db_meta_log_set(struct db *db, const struct db_log_head *head);

#endif
