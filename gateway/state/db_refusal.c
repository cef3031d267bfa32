/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/refusal.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_refusal_put(struct db *db, const struct db_refusal *r)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO refusal (id, kind, value, until, at, who, reason) VALUES (?,?,?,?,?,?,?)"
			 " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, value = excluded.value,"
			 " until = excluded.until, at = excluded.at, who = excluded.who, reason = excluded.reason");
	db_put_id(&q, r->id);
	db_put_i64(&q, r->kind);
	db_put_text(&q, r->value);
	db_put_i64(&q, r->until);
	db_put_i64(&q, r->at);
	db_put_text(&q, r->by);
	db_put_text(&q, r->reason);
	return db_run(&q, NULL);
}

int
db_refusal_drop(struct db *db, const uint8_t id[DB_ID])
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "DELETE FROM refusal WHERE id = ?");
	db_put_id(&q, id);
	int err = db_run(&q, &changes);
	return err ? err : changes ? FG_OK : FG_ENOTFOUND;
}

int
db_refusal_list(struct db *db, int (*each)(void *arg, const struct db_refusal *r), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT id, kind, value, until, at, who, reason FROM refusal ORDER BY at, id");
	while (said == 0 && db_step(&q) > 0) {
		struct db_refusal r = { 0 };
		db_get_blob(&q, r.id, sizeof r.id);
		r.kind = db_get_u8(&q);
		db_get_text(&q, r.value, sizeof r.value);
		r.until = db_get_i64(&q);
		r.at = db_get_i64(&q);
		db_get_text(&q, r.by, sizeof r.by);
		db_get_text(&q, r.reason, sizeof r.reason);
		said = q.err ? 0 : each(arg, &r);
	}
	int err = db_done(&q);
	return err ? err : said;
}
