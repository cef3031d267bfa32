/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/base.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS "profile, product, version, image, size, added, who, candidate"

int
db_base_add(struct db *db, const struct db_base *b)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "INSERT OR IGNORE INTO base (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	db_put_text(&q, b->profile);
	db_put_text(&q, b->product);
	db_put_text(&q, b->version);
	db_put_sha256(&q, b->image);
	db_put_u64(&q, b->size);
	db_put_i64(&q, b->added);
	db_put_text(&q, b->who);
	db_put_u64(&q, b->candidate);
	int r = db_run(&q, &changes);
	return r || changes ? r : db_fail(db, FG_EEXIST, "this image is that version's already");
}

static int
each_row(struct db_query *q, int (*each)(void *arg, const struct db_base *b), void *arg)
{
	int said = 0;
	while (said == 0 && db_step(q) > 0) {
		struct db_base b = { 0 };
		db_get_text(q, b.profile, sizeof b.profile);
		db_get_text(q, b.product, sizeof b.product);
		db_get_text(q, b.version, sizeof b.version);
		db_get_blob(q, b.image, sizeof b.image);
		b.size = db_get_u64(q);
		b.added = db_get_i64(q);
		db_get_text(q, b.who, sizeof b.who);
		b.candidate = db_get_u64(q);
		said = q->err ? 0 : each(arg, &b);
	}
	int r = db_done(q);
	return r ? r : said;
}

int
db_base_list(struct db *db, const char *profile, const char *product,
    int (*each)(void *arg, const struct db_base *b), void *arg)
{
	struct db_query q;
	db_query(&q, db, "SELECT " COLUMNS " FROM base WHERE candidate = 0 AND (?1 IS NULL OR profile = ?1)"
			 " AND (?2 IS NULL OR product = ?2) ORDER BY added DESC, version, image LIMIT ?3");
	db_put_text(&q, profile);
	db_put_text(&q, product);
	db_put_i64(&q, db_limit(0));
	return each_row(&q, each, arg);
}

int
db_base_drop_made(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_base *b), void *arg)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM base WHERE candidate = ? AND candidate <> 0 RETURNING " COLUMNS);
	db_put_u64(&q, candidate);
	return each_row(&q, each, arg);
}

int
db_base_drop_named(struct db *db, const char *profile, const char *product, const char *version, const uint8_t *image,
    int (*each)(void *arg, const struct db_base *b), void *arg)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM base WHERE profile = ?1 AND product = ?2 AND version = ?3 AND candidate = 0"
			 " AND (?4 IS NULL OR image = ?4) RETURNING " COLUMNS);
	db_put_text(&q, profile);
	db_put_text(&q, product);
	db_put_text(&q, version);
	db_put_sha256(&q, image);
	return each_row(&q, each, arg);
}
