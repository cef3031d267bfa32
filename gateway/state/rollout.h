/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollout - how far the rollout of a release has come. The plan is not here: it is
 * in the policy that people signed; and what modules answered is in the log.
 */
#ifndef FG_GATEWAY_STATE_ROLLOUT_H
#define FG_GATEWAY_STATE_ROLLOUT_H

#include "gateway/state/db.h"

struct db_rollout {
	uint8_t release[DB_ID];
	uint8_t state;             /* enum rollout_state: values are stored, they never change meaning */
	uint8_t ring;              /* the last one open */
	int64_t since;             /* when that was opened, or people let it go on */
	uint8_t held;              /* bit i: ring i is held */
	int64_t stopped;           /* the last time that it, or a ring of it, was stopped: its name in what people sign; 0: never */
	char plan[DB_NAME_MAX];    /* its name, for showing */
	char by[DB_WHO_MAX];       /* who made it what it is */
	char reason[DB_TEXT_MAX];
};

/* Writes or overwrites. */
int db_rollout_put(struct db *db, const struct db_rollout *r);
/* FG_ENOTFOUND. */
int db_rollout_get(struct db *db, const uint8_t release[DB_ID], struct db_rollout *ret);
/* The youngest first, those before `before` (NULL: from the youngest), at most limit. */
int db_rollout_list(struct db *db, const uint8_t *before, unsigned limit, int (*each)(void *arg, const struct db_rollout *r),
    void *arg);

#endif
