/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/statement.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

static int
count_all(struct db *db, uint64_t candidate, uint32_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM statement WHERE candidate = ?");
	db_put_u64(&q, candidate);
	int r = db_first(&q);
	if (r)
		return r;
	*ret = db_get_u32(&q);
	return db_done(&q);
}

static int
insert(struct db *db, const struct db_statement *s)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO statement (candidate, sha256, approver, submitted, uid, state)"
			 " VALUES (?,?,?,?,?,?)");
	db_put_u64(&q, s->candidate);
	db_put_sha256(&q, s->sha256);
	db_put_text(&q, s->approver);
	db_put_i64(&q, s->submitted);
	db_put_i64(&q, s->uid);
	db_put_i64(&q, s->state);
	return db_run(&q, NULL);
}

int
db_statement_add(struct db *db, const struct db_statement *s)
{
	uint32_t n = 0;
	int r = db_begin(db);
	if (r)
		return r;
	r = count_all(db, s->candidate, &n);
	if (!r && n >= DB_STATEMENTS_MAX)
		r = db_fail(db, FG_ELIMIT, "the candidate has as many statements as it may");
	if (!r)
		r = insert(db, s);
	return db_end(db, r);
}

int
db_statement_list(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_statement *s), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT candidate, sha256, approver, submitted, uid, state FROM statement"
			 " WHERE candidate = ? ORDER BY id");
	db_put_u64(&q, candidate);
	while (said == 0 && db_step(&q) > 0) {
		struct db_statement s = { 0 };
		s.candidate = db_get_u64(&q);
		db_get_blob(&q, s.sha256, sizeof s.sha256);
		db_get_text(&q, s.approver, sizeof s.approver);
		s.submitted = db_get_i64(&q);
		s.uid = db_get_u32(&q);
		s.state = db_get_bool(&q) ? DB_STATEMENT_COUNTED : DB_STATEMENT_OUTDATED;
		said = q.err ? 0 : each(arg, &s);
	}
	int r = db_done(&q);
	return r ? r : said;
}

int
db_statement_outdate(struct db *db, uint64_t candidate, const char *approver, unsigned *ret_n)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE statement SET state = 0 WHERE candidate = ?1 AND state = 1"
			 " AND (?2 IS NULL OR approver = ?2)");
	db_put_u64(&q, candidate);
	db_put_text(&q, approver);
	int r = db_run(&q, &changes);
	if (!r)
		*ret_n = (unsigned)changes;
	return r;
}

int
db_statement_count(struct db *db, uint64_t candidate, unsigned *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(DISTINCT approver) FROM statement WHERE candidate = ? AND state = 1");
	db_put_u64(&q, candidate);
	int r = db_first(&q);
	if (r)
		return r;
	*ret = db_get_u32(&q);
	return db_done(&q);
}
