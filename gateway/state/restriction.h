/* SPDX-License-Identifier: Apache-2.0 */
/* restriction - what was revoked or rejected, and the log size before which statements no longer count. */
#ifndef FG_GATEWAY_STATE_RESTRICTION_H
#define FG_GATEWAY_STATE_RESTRICTION_H

#include "gateway/state/db.h"

struct db_restriction {
	uint64_t id;      /* set by the database */
	uint8_t kind;     /* enum msg_restrict_kind: values are stored */
	uint8_t image[DIGEST_SHA256_LEN];
	bool have_release;
	uint8_t release[DB_ID];
	uint64_t log_size;
	int64_t at;
	char by[DB_WHO_MAX];
	char reason[DB_TEXT_MAX];
};

int db_restriction_add(struct db *db, const struct db_restriction *r);
/* In order of time; image NULL: all. */
int db_restriction_list(struct db *db, const uint8_t *image, int (*each)(void *arg, const struct db_restriction *r),
    void *arg);
/* Largest log size of an image's restrictions; 0 when there is none. */
int db_restriction_latest(struct db *db, const uint8_t image[DIGEST_SHA256_LEN], uint64_t *ret_log_size);

#endif
