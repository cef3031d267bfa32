/* SPDX-License-Identifier: Apache-2.0 */
/* waiver - findings that somebody answers for: policy/waiver.h says what one is. */
#ifndef FG_GATEWAY_STATE_WAIVER_H
#define FG_GATEWAY_STATE_WAIVER_H

#include "gateway/state/db.h"

/* Sizes with terminator; those of policy/waiver.h. */
#define DB_WAIVER_FINDING_CAP 49
#define DB_WAIVER_PART_CAP 160

struct db_waiver {
	uint8_t id[DB_ID]; /* waiver_id() */
	char finding[DB_WAIVER_FINDING_CAP];
	char profile[DB_NAME_MAX], product[DB_NAME_MAX]; /* product "": any */
	bool have_image;
	uint8_t image[DIGEST_SHA256_LEN];
	char part[DB_WAIVER_PART_CAP];
	int64_t until, at; /* until: negative of one that was lifted */
	char owner[DB_WHO_MAX];
	char reason[DB_TEXT_MAX];
};

/* In place of one of the same id. */
int db_waiver_put(struct db *db, const struct db_waiver *w);
/* FG_ENOTFOUND. */
int db_waiver_drop(struct db *db, const uint8_t id[DB_ID]);
/* In order of time. */
int db_waiver_list(struct db *db, int (*each)(void *arg, const struct db_waiver *w), void *arg);

#endif
