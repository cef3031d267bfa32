/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/failure.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_failure_put(struct db *db, const struct db_failure *f)
{
	struct db_query q;
	int err = db_begin(db);
	if (err)
		return err;
	db_query(&q, db, "INSERT INTO failure (key, count, last) VALUES (?,?,?)"
			 " ON CONFLICT (key) DO UPDATE SET count = excluded.count, last = excluded.last");
	db_put_sha256(&q, f->key);
	db_put_i64(&q, f->count);
	db_put_i64(&q, f->last);
	err = db_run(&q, NULL);
	if (!err) {
		db_query(&q, db, "DELETE FROM failure WHERE key IN"
				 " (SELECT key FROM failure ORDER BY last DESC, key LIMIT -1 OFFSET ?)");
		db_put_i64(&q, DB_FAILURES_MAX);
		err = db_run(&q, NULL);
	}
	return db_end(db, err);
}

int
db_failure_get(struct db *db, const uint8_t key[DIGEST_SHA256_LEN], struct db_failure *ret)
{
	struct db_failure f;
	struct db_query q;
	db_query(&q, db, "SELECT count, last FROM failure WHERE key = ?");
	db_put_sha256(&q, key);
	int err = db_first(&q);
	if (err)
		return err;
	memcpy(f.key, key, sizeof f.key);
	f.count = db_get_u32(&q);
	f.last = db_get_i64(&q);
	err = db_done(&q);
	if (!err)
		*ret = f;
	return err;
}

int
db_failure_drop(struct db *db, const uint8_t key[DIGEST_SHA256_LEN])
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM failure WHERE key = ?");
	db_put_sha256(&q, key);
	return db_run(&q, NULL);
}

int
db_failure_forget(struct db *db, int64_t before)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM failure WHERE last < ?");
	db_put_i64(&q, before);
	return db_run(&q, NULL);
}
