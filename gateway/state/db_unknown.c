/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/unknown.h"

#include "gateway/state/db_private.h"

#define COLUMNS "SELECT id, listener, host, path, agent, count, first_seen, last_seen FROM unknown "

static void
read_row(struct db_query *q, struct db_unknown *u)
{
	u->id = db_get_u64(q);
	db_get_text(q, u->listener, sizeof u->listener);
	db_get_text(q, u->host, sizeof u->host);
	db_get_text(q, u->path, sizeof u->path);
	db_get_text(q, u->agent, sizeof u->agent);
	u->count = db_get_u64(q);
	u->first_seen = db_get_i64(q);
	u->last_seen = db_get_i64(q);
}

/* Makes room for a new row: what was seen often stays, however much noise comes after it. */
static int
trim(struct db *db)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM unknown WHERE id IN (SELECT id FROM unknown ORDER BY count, last_seen, id"
			 " LIMIT max(0, (SELECT count(*) FROM unknown) - ?))");
	db_put_i64(&q, DB_UNKNOWNS_MAX - 1);
	return db_run(&q, NULL);
}

static int
add_to(struct db *db, const struct db_unknown *u, int *ret_changes)
{
	struct db_query q;
	db_query(&q, db, "UPDATE unknown SET count = min(count + ?, 4611686018427387904), last_seen = max(last_seen, ?)"
			 " WHERE listener = ? AND host = ? AND path = ? AND agent = ?");
	db_put_i64(&q, u->count > UINT32_MAX ? UINT32_MAX : (int64_t)u->count);
	db_put_i64(&q, u->last_seen);
	db_put_text(&q, u->listener);
	db_put_text(&q, u->host);
	db_put_text(&q, u->path);
	db_put_text(&q, u->agent);
	return db_run(&q, ret_changes);
}

static int
insert(struct db *db, const struct db_unknown *u)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO unknown (listener, host, path, agent, count, first_seen, last_seen)"
			 " VALUES (?,?,?,?,?,?,?)");
	db_put_text(&q, u->listener);
	db_put_text(&q, u->host);
	db_put_text(&q, u->path);
	db_put_text(&q, u->agent);
	db_put_i64(&q, u->count > UINT32_MAX ? UINT32_MAX : (int64_t)u->count);
	db_put_i64(&q, u->first_seen);
	db_put_i64(&q, u->last_seen);
	return db_run(&q, NULL);
}

int
db_unknown_add(struct db *db, const struct db_unknown *u)
{
	int changes = 0;
	int r = db_begin(db);
	if (r)
		return r;
	r = add_to(db, u, &changes);
	if (!r && changes == 0)
		r = trim(db);
	if (!r && changes == 0)
		r = insert(db, u);
	return db_end(db, r);
}

int
db_unknown_get(struct db *db, uint64_t id, struct db_unknown *ret)
{
	struct db_query q;
	struct db_unknown u = { 0 };
	db_query(&q, db, COLUMNS "WHERE id = ?");
	db_put_u64(&q, id);
	int r = db_first(&q);
	if (r)
		return r;
	read_row(&q, &u);
	r = db_done(&q);
	if (!r)
		*ret = u;
	return r;
}

int
db_unknown_list(struct db *db, unsigned limit, int (*each)(void *arg, const struct db_unknown *u), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, COLUMNS "ORDER BY count DESC, last_seen DESC, id LIMIT ?");
	db_put_i64(&q, db_limit(limit));
	while (said == 0 && db_step(&q) > 0) {
		struct db_unknown u = { 0 };
		read_row(&q, &u);
		said = q.err ? 0 : each(arg, &u);
	}
	int r = db_done(&q);
	return r ? r : said;
}

int
db_unknown_clear(struct db *db)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM unknown");
	return db_run(&q, NULL);
}

int
db_unknown_forget(struct db *db, uint64_t id)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM unknown WHERE id = ?");
	db_put_u64(&q, id);
	return db_run(&q, NULL);
}
