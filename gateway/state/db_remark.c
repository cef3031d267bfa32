/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/remark.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_remark_add(struct db *db, const struct db_remark *n, unsigned max)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "INSERT INTO remark (candidate, at, who, text, name, size, sha256) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7"
			 " FROM candidate WHERE id = ?1 AND (SELECT count(*) FROM remark WHERE candidate = ?1) < ?8");
	db_put_u64(&q, n->candidate);
	db_put_i64(&q, n->at);
	db_put_text(&q, n->who);
	db_put_text(&q, n->text);
	db_put_text(&q, n->have_file ? n->name : "");
	db_put_u64(&q, n->have_file ? n->size : 0);
	db_put_sha256(&q, n->have_file ? n->sha256 : NULL);
	db_put_i64(&q, max);
	int err = db_run(&q, &changes);
	if (err || changes)
		return err;
	db_query(&q, db, "SELECT id FROM candidate WHERE id = ?");
	db_put_u64(&q, n->candidate);
	err = db_first(&q);
	if (err)
		return err;
	err = db_done(&q);
	return err ? err : FG_ELIMIT;
}

int
db_remark_list(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_remark *n), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT candidate, at, who, text, name, size, sha256 FROM remark WHERE candidate = ? ORDER BY id");
	db_put_u64(&q, candidate);
	while (said == 0 && db_step(&q) > 0) {
		struct db_remark n = { 0 };
		n.candidate = db_get_u64(&q);
		n.at = db_get_i64(&q);
		db_get_text(&q, n.who, sizeof n.who);
		db_get_text(&q, n.text, sizeof n.text);
		db_get_text(&q, n.name, sizeof n.name);
		n.size = db_get_u64(&q);
		n.have_file = db_get_blob(&q, n.sha256, sizeof n.sha256);
		said = q.err ? 0 : each(arg, &n);
	}
	int err = db_done(&q);
	return err ? err : said;
}
