/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/rollout.h"

#include "gateway/state/db_private.h"

#define COLUMNS "SELECT release_id, state, ring, since, plan, who, reason, held, stopped FROM rollout "

int
db_rollout_put(struct db *db, const struct db_rollout *r)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO rollout (release_id, state, ring, since, plan, who, reason, held, stopped)"
			 " VALUES (?,?,?,?,?,?,?,?,?)"
			 " ON CONFLICT (release_id) DO UPDATE SET state = excluded.state, ring = excluded.ring,"
			 " since = excluded.since, plan = excluded.plan, who = excluded.who, reason = excluded.reason,"
			 " held = excluded.held, stopped = excluded.stopped");
	db_put_id(&q, r->release);
	db_put_i64(&q, r->state);
	db_put_i64(&q, r->ring);
	db_put_i64(&q, r->since);
	db_put_text(&q, r->plan);
	db_put_text(&q, r->by);
	db_put_text(&q, r->reason);
	db_put_i64(&q, r->held);
	db_put_i64(&q, r->stopped);
	return db_run(&q, NULL);
}

static void
read_row(struct db_query *q, struct db_rollout *r)
{
	db_get_blob(q, r->release, sizeof r->release);
	r->state = db_get_u8(q);
	r->ring = db_get_u8(q);
	r->since = db_get_i64(q);
	db_get_text(q, r->plan, sizeof r->plan);
	db_get_text(q, r->by, sizeof r->by);
	db_get_text(q, r->reason, sizeof r->reason);
	r->held = db_get_u8(q);
	r->stopped = db_get_i64(q);
}

int
db_rollout_get(struct db *db, const uint8_t release[DB_ID], struct db_rollout *ret)
{
	struct db_query q;
	struct db_rollout row = { .state = 0 };
	db_query(&q, db, COLUMNS "WHERE release_id = ?");
	db_put_id(&q, release);
	int r = db_first(&q);
	if (r)
		return r;
	read_row(&q, &row);
	r = db_done(&q);
	if (!r)
		*ret = row;
	return r;
}

int
db_rollout_list(struct db *db, const uint8_t *before, unsigned limit, int (*each)(void *arg, const struct db_rollout *r),
    void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, before ?
	    COLUMNS "WHERE (since, release_id) < (SELECT since, release_id FROM rollout WHERE release_id = ?1)"
		    " ORDER BY since DESC, release_id DESC LIMIT ?2" :
	    COLUMNS "ORDER BY since DESC, release_id DESC LIMIT ?1");
	if (before)
		db_put_id(&q, before);
	db_put_u64(&q, limit);
	while (said == 0 && db_step(&q) > 0) {
		struct db_rollout row = { .state = 0 };
		read_row(&q, &row);
		said = q.err ? 0 : each(arg, &row);
	}
	int r = db_done(&q);
	return r ? r : said;
}
