/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/grant.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS "SELECT module, release_id, at, completed, bytes FROM granted "

static void
read_row(struct db_query *q, struct db_grant *g)
{
	db_get_blob(q, g->module, sizeof g->module);
	db_get_blob(q, g->release, sizeof g->release);
	g->at = db_get_i64(q);
	g->completed = db_get_i64(q);
	g->bytes = db_get_u64(q);
}

int
db_grant_put(struct db *db, const struct db_grant *g)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO granted (release_id, module, at, completed, bytes) VALUES (?,?,?,?,?)"
			 " ON CONFLICT (release_id, module) DO UPDATE SET at = min(at, excluded.at),"
			 " completed = excluded.completed, bytes = excluded.bytes");
	db_put_id(&q, g->release);
	db_put_id(&q, g->module);
	db_put_i64(&q, g->at);
	db_put_i64(&q, g->completed);
	db_put_u64(&q, g->bytes);
	return db_run(&q, NULL);
}

int
db_grant_get(struct db *db, const uint8_t module[DB_ID], const uint8_t release[DB_ID], struct db_grant *ret)
{
	struct db_query q;
	struct db_grant g = { 0 };
	db_query(&q, db, COLUMNS "WHERE release_id = ? AND module = ?");
	db_put_id(&q, release);
	db_put_id(&q, module);
	int r = db_first(&q);
	if (r)
		return r;
	read_row(&q, &g);
	r = db_done(&q);
	if (!r)
		*ret = g;
	return r;
}

int
db_grant_list(struct db *db, const uint8_t *release, const uint8_t *module,
    int (*each)(void *arg, const struct db_grant *g), void *arg)
{
	struct db_query q;
	int said = 0;
	/* Three texts, so that each has its index. */
	if (release)
		db_query(&q, db, COLUMNS "WHERE release_id = ?1 AND (?2 IS NULL OR module = ?2)");
	else if (module)
		db_query(&q, db, COLUMNS "WHERE ?1 IS NULL AND module = ?2");
	else
		db_query(&q, db, COLUMNS "WHERE ?1 IS NULL AND ?2 IS NULL");
	db_put_id(&q, release);
	db_put_id(&q, module);
	while (said == 0 && db_step(&q) > 0) {
		struct db_grant g = { 0 };
		read_row(&q, &g);
		said = q.err ? 0 : each(arg, &g);
	}
	int r = db_done(&q);
	return r ? r : said;
}

int
db_grant_count(struct db *db, const uint8_t release[DB_ID], uint64_t *ret_granted, uint64_t *ret_completed)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*), coalesce(sum(completed <> 0), 0) FROM granted WHERE release_id = ?");
	db_put_id(&q, release);
	int r = db_first(&q);
	if (r)
		return r;
	*ret_granted = db_get_u64(&q);
	*ret_completed = db_get_u64(&q);
	return db_done(&q);
}
