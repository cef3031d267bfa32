/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/incident.h"

#include "gateway/state/db_private.h"

static int
insert(struct db *db, const struct db_incident *i)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO incident (at, kind, resource, detail) VALUES (?,?,?,?)");
	db_put_i64(&q, i->at);
	db_put_text(&q, i->kind);
	db_put_id(&q, i->have_resource ? i->resource : NULL);
	db_put_text(&q, i->detail);
	return db_run(&q, NULL);
}

int
db_incident_add(struct db *db, const struct db_incident *i)
{
	struct db_query q;
	int r = db_begin(db);
	if (r)
		return r;
	r = insert(db, i);
	if (!r) {
		/* Ids count up without gaps here: the newest ones are a range. */
		db_query(&q, db, "DELETE FROM incident WHERE id <= ?");
		db_put_i64(&q, (int64_t)db_last_id(db) - DB_INCIDENTS_MAX);
		r = db_run(&q, NULL);
	}
	return db_end(db, r);
}

static int
walk(struct db_query *q, int (*each)(void *arg, const struct db_incident *i), void *arg)
{
	int said = 0;
	while (said == 0 && db_step(q) > 0) {
		struct db_incident i = { 0 };
		i.id = db_get_u64(q);
		i.at = db_get_i64(q);
		db_get_text(q, i.kind, sizeof i.kind);
		i.have_resource = db_get_blob(q, i.resource, sizeof i.resource);
		db_get_text(q, i.detail, sizeof i.detail);
		said = q->err ? 0 : each(arg, &i);
	}
	int r = db_done(q);
	return r ? r : said;
}

int
db_incident_list(struct db *db, uint64_t before, unsigned limit,
    int (*each)(void *arg, const struct db_incident *i), void *arg)
{
	struct db_query q;
	db_query(&q, db, "SELECT id, at, kind, resource, detail FROM incident WHERE id < ?"
			 " ORDER BY id DESC LIMIT ?");
	db_put_u64(&q, before ? before : INT64_MAX);
	db_put_i64(&q, db_limit(limit));
	return walk(&q, each, arg);
}

int
db_incident_latest(struct db *db, unsigned limit, int (*each)(void *arg, const struct db_incident *i), void *arg)
{
	struct db_query q;
	db_query(&q, db, "SELECT id, at, kind, resource, detail FROM (SELECT *, row_number() OVER"
			 " (PARTITION BY kind ORDER BY id DESC) AS place FROM incident) WHERE place <= ? ORDER BY id DESC");
	db_put_i64(&q, db_limit(limit));
	return walk(&q, each, arg);
}
