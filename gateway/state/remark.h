/* SPDX-License-Identifier: Apache-2.0 */
/* remark - what people say about a review, and what they lay beside it. */
#ifndef FG_GATEWAY_STATE_REMARK_H
#define FG_GATEWAY_STATE_REMARK_H

#include "gateway/state/db.h"

struct db_remark {
	uint64_t candidate;
	int64_t at;
	char who[DB_WHO_MAX];
	char text[DB_TEXT_MAX]; /* "" : only a file */
	bool have_file;
	char name[DB_NAME_MAX];
	uint64_t size;
	uint8_t sha256[DIGEST_SHA256_LEN];
};

/* FG_ENOTFOUND: no such candidate. FG_ELIMIT: that one has max already. */
int db_remark_add(struct db *db, const struct db_remark *n, unsigned max);
/* In order of time. */
int db_remark_list(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_remark *n), void *arg);

#endif
