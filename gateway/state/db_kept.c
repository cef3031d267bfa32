/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/kept.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS "resource, part, bytes, total, sha256, validator, at, policy"

int
db_kept_put(struct db *db, const struct db_kept *k)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "INSERT OR REPLACE INTO kept (" COLUMNS ")"
			 " SELECT id, ?, ?, ?, ?, ?, ?, ? FROM resource WHERE id = ?");
	db_put_text(&q, k->part);
	db_put_u64(&q, k->bytes);
	db_put_u64(&q, k->total);
	db_put_sha256(&q, k->sha256);
	db_put_text(&q, k->validator);
	db_put_i64(&q, k->at);
	db_put_sha256(&q, k->policy);
	db_put_id(&q, k->resource);
	int r = db_run(&q, &changes);
	return r || changes ? r : db_fail(db, FG_ENOTFOUND, "no such resource");
}

static void
read_row(struct db_query *q, struct db_kept *k)
{
	*k = (struct db_kept){ 0 };
	db_get_blob(q, k->resource, sizeof k->resource);
	db_get_text(q, k->part, sizeof k->part);
	k->bytes = db_get_u64(q);
	k->total = db_get_u64(q);
	db_get_blob(q, k->sha256, sizeof k->sha256);
	db_get_text(q, k->validator, sizeof k->validator);
	k->at = db_get_i64(q);
	db_get_blob(q, k->policy, sizeof k->policy);
}

int
db_kept_get(struct db *db, const uint8_t resource[DB_ID], struct db_kept *ret)
{
	struct db_query q;
	struct db_kept k;
	db_query(&q, db, "SELECT " COLUMNS " FROM kept WHERE resource = ?");
	db_put_id(&q, resource);
	int r = db_first(&q);
	if (r)
		return r;
	read_row(&q, &k);
	r = db_done(&q);
	if (!r)
		*ret = k;
	return r;
}

int
db_kept_drop(struct db *db, const uint8_t resource[DB_ID])
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM kept WHERE resource = ?");
	db_put_id(&q, resource);
	return db_run(&q, NULL);
}

int
db_kept_list(struct db *db, int (*each)(void *arg, const struct db_kept *k), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT " COLUMNS " FROM kept ORDER BY at, resource");
	while (said == 0 && db_step(&q) > 0) {
		struct db_kept k;
		read_row(&q, &k);
		said = q.err ? 0 : each(arg, &k);
	}
	int r = db_done(&q);
	return r ? r : said;
}
