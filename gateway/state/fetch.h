/* SPDX-License-Identifier: Apache-2.0 */
/* fetch - what became of our own requests to vendors, and when the next may be. */
#ifndef FG_GATEWAY_STATE_FETCH_H
#define FG_GATEWAY_STATE_FETCH_H

#include "gateway/state/db.h"

#define DB_FETCHES_PER_RESOURCE 32 /* the newest are kept: enough for a person to see a pattern */

struct db_fetch {
	uint64_t id;       /* set by the database */
	uint8_t resource[DB_ID];
	int64_t started;
	int64_t ended;     /* 0: under way, or the gateway died meanwhile */
	uint8_t outcome;   /* enum msg_fetch_outcome */
	uint32_t http_status;
	uint64_t bytes;
	char detail[DB_TEXT_MAX];
};

/* Begins one. FG_ENOTFOUND: no such resource. */
int db_fetch_start(struct db *db, const uint8_t resource[DB_ID], int64_t at, uint64_t *ret_id);
/* Ends f->id with ended, outcome, http_status, bytes, detail. FG_ENOTFOUND. */
int db_fetch_end(struct db *db, const struct db_fetch *f);
/* Newest first. */
int db_fetch_list(struct db *db, const uint8_t resource[DB_ID], int (*each)(void *arg, const struct db_fetch *f),
    void *arg);
/* Fetches begun for a profile at or after since: for fetches_per_hour. */
int db_fetch_count(struct db *db, const char *profile, int64_t since, uint64_t *ret);
/* After start: fetches that never ended. Marks them ended at `at` with outcome 0. */
int db_fetch_orphans(struct db *db, int64_t at, unsigned *ret_n);

struct db_backoff {
	int64_t until;     /* no fetch before */
	uint32_t failures; /* in a row */
};
/* Zero when there is none. */
int db_fetch_backoff(struct db *db, const uint8_t resource[DB_ID], struct db_backoff *ret);
/* FG_ENOTFOUND: no such resource. All zero clears. */
int db_fetch_backoff_set(struct db *db, const uint8_t resource[DB_ID], const struct db_backoff *b);

#endif
