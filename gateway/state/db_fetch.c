/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/fetch.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

static int
trim(struct db *db, const uint8_t *resource)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM fetch WHERE resource = ?1 AND id NOT IN"
			 " (SELECT id FROM fetch WHERE resource = ?1 ORDER BY id DESC LIMIT ?2)");
	db_put_id(&q, resource);
	db_put_i64(&q, DB_FETCHES_PER_RESOURCE);
	return db_run(&q, NULL);
}

int
db_fetch_start(struct db *db, const uint8_t resource[DB_ID], int64_t at, uint64_t *ret_id)
{
	struct db_query q;
	uint64_t id = 0;
	int r = db_begin(db);
	if (r)
		return r;
	db_query(&q, db, "INSERT INTO fetch (resource, started, ended, outcome, http_status, bytes, detail)"
			 " VALUES (?, ?, 0, 0, 0, 0, '')");
	db_put_id(&q, resource);
	db_put_i64(&q, at);
	r = db_run(&q, NULL);
	if (!r) {
		id = db_last_id(db);
		r = trim(db, resource);
	}
	r = db_end(db, r);
	if (!r)
		*ret_id = id;
	return r;
}

int
db_fetch_end(struct db *db, const struct db_fetch *f)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE fetch SET ended = ?, outcome = ?, http_status = ?, bytes = ?, detail = ? WHERE id = ?");
	db_put_i64(&q, f->ended);
	db_put_i64(&q, f->outcome);
	db_put_i64(&q, f->http_status);
	db_put_u64(&q, f->bytes);
	db_put_text(&q, f->detail);
	db_put_u64(&q, f->id);
	int r = db_run(&q, &changes);
	return r || changes ? r : db_fail(db, FG_ENOTFOUND, "no such fetch");
}

int
db_fetch_list(struct db *db, const uint8_t resource[DB_ID], int (*each)(void *arg, const struct db_fetch *f),
    void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT id, resource, started, ended, outcome, http_status, bytes, detail FROM fetch"
			 " WHERE resource = ? ORDER BY id DESC");
	db_put_id(&q, resource);
	while (said == 0 && db_step(&q) > 0) {
		struct db_fetch f = { 0 };
		f.id = db_get_u64(&q);
		db_get_blob(&q, f.resource, sizeof f.resource);
		f.started = db_get_i64(&q);
		f.ended = db_get_i64(&q);
		f.outcome = db_get_u8(&q);
		f.http_status = db_get_u32(&q);
		f.bytes = db_get_u64(&q);
		db_get_text(&q, f.detail, sizeof f.detail);
		said = q.err ? 0 : each(arg, &f);
	}
	int r = db_done(&q);
	return r ? r : said;
}

int
db_fetch_count(struct db *db, const char *profile, int64_t since, uint64_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM fetch f JOIN resource r ON r.id = f.resource"
			 " WHERE f.started >= ? AND r.profile = ?");
	db_put_i64(&q, since);
	db_put_text(&q, profile);
	int r = db_first(&q);
	if (r)
		return r;
	*ret = db_get_u64(&q);
	return db_done(&q);
}

int
db_fetch_orphans(struct db *db, int64_t at, unsigned *ret_n)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE fetch SET ended = ?, outcome = 0, detail = 'the gateway stopped meanwhile'"
			 " WHERE ended = 0");
	db_put_i64(&q, at);
	int r = db_run(&q, &changes);
	if (!r)
		*ret_n = (unsigned)changes;
	return r;
}

int
db_fetch_backoff(struct db *db, const uint8_t resource[DB_ID], struct db_backoff *ret)
{
	struct db_query q;
	struct db_backoff b = { 0 };
	db_query(&q, db, "SELECT backoff_until, failures FROM resource WHERE id = ?");
	db_put_id(&q, resource);
	int r = db_first(&q);
	if (r == FG_ENOTFOUND) {
		*ret = b;
		return 0;
	}
	if (r)
		return r;
	b.until = db_get_i64(&q);
	b.failures = db_get_u32(&q);
	r = db_done(&q);
	if (!r)
		*ret = b;
	return r;
}

int
db_fetch_backoff_set(struct db *db, const uint8_t resource[DB_ID], const struct db_backoff *b)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE resource SET backoff_until = ?, failures = ? WHERE id = ?");
	db_put_i64(&q, b->until);
	db_put_i64(&q, b->failures);
	db_put_id(&q, resource);
	int r = db_run(&q, &changes);
	return r || changes ? r : db_fail(db, FG_ENOTFOUND, "no such resource");
}
