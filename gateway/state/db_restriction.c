/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/restriction.h"

#include "gateway/state/db_private.h"

int
db_restriction_add(struct db *db, const struct db_restriction *r)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO restriction (kind, image, release_id, log_size, at, who, reason)"
			 " VALUES (?,?,?,?,?,?,?)");
	db_put_i64(&q, r->kind);
	db_put_sha256(&q, r->image);
	db_put_id(&q, r->have_release ? r->release : NULL);
	db_put_u64(&q, r->log_size);
	db_put_i64(&q, r->at);
	db_put_text(&q, r->by);
	db_put_text(&q, r->reason);
	return db_run(&q, NULL);
}

int
db_restriction_list(struct db *db, const uint8_t *image, int (*each)(void *arg, const struct db_restriction *r),
    void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT id, kind, image, release_id, log_size, at, who, reason FROM restriction"
			 " WHERE ?1 IS NULL OR image = ?1 ORDER BY id");
	db_put_sha256(&q, image);
	while (said == 0 && db_step(&q) > 0) {
		struct db_restriction r = { 0 };
		r.id = db_get_u64(&q);
		r.kind = db_get_u8(&q);
		db_get_blob(&q, r.image, sizeof r.image);
		r.have_release = db_get_blob(&q, r.release, sizeof r.release);
		r.log_size = db_get_u64(&q);
		r.at = db_get_i64(&q);
		db_get_text(&q, r.by, sizeof r.by);
		db_get_text(&q, r.reason, sizeof r.reason);
		said = q.err ? 0 : each(arg, &r);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_restriction_latest(struct db *db, const uint8_t image[DIGEST_SHA256_LEN], uint64_t *ret_log_size)
{
	struct db_query q;
	db_query(&q, db, "SELECT coalesce(max(log_size), 0) FROM restriction WHERE image = ?");
	db_put_sha256(&q, image);
	int r = db_first(&q);
	if (r)
		return r;
	*ret_log_size = db_get_u64(&q);
	return db_done(&q);
}
