/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/waiver.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_waiver_put(struct db *db, const struct db_waiver *w)
{
	struct db_query q;
	db_query(&q, db, "INSERT OR REPLACE INTO waiver (id, finding, profile, product, image, part, until, at, owner, reason)"
			 " VALUES (?,?,?,?,?,?,?,?,?,?)");
	db_put_id(&q, w->id);
	db_put_text(&q, w->finding);
	db_put_text(&q, w->profile);
	db_put_text(&q, w->product);
	db_put_sha256(&q, w->have_image ? w->image : NULL);
	db_put_text(&q, w->part);
	db_put_i64(&q, w->until);
	db_put_i64(&q, w->at);
	db_put_text(&q, w->owner);
	db_put_text(&q, w->reason);
	return db_run(&q, NULL);
}

int
db_waiver_drop(struct db *db, const uint8_t id[DB_ID])
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "DELETE FROM waiver WHERE id = ?");
	db_put_id(&q, id);
	int err = db_run(&q, &changes);
	return err ? err : changes ? FG_OK : FG_ENOTFOUND;
}

int
db_waiver_list(struct db *db, int (*each)(void *arg, const struct db_waiver *w), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT id, finding, profile, product, image, part, until, at, owner, reason FROM waiver ORDER BY at, id");
	while (said == 0 && db_step(&q) > 0) {
		struct db_waiver w = { 0 };
		db_get_blob(&q, w.id, sizeof w.id);
		db_get_text(&q, w.finding, sizeof w.finding);
		db_get_text(&q, w.profile, sizeof w.profile);
		db_get_text(&q, w.product, sizeof w.product);
		w.have_image = db_get_blob(&q, w.image, sizeof w.image);
		db_get_text(&q, w.part, sizeof w.part);
		w.until = db_get_i64(&q);
		w.at = db_get_i64(&q);
		db_get_text(&q, w.owner, sizeof w.owner);
		db_get_text(&q, w.reason, sizeof w.reason);
		said = q.err ? 0 : each(arg, &w);
	}
	int err = db_done(&q);
	return err ? err : said;
}
