/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/people.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

static int
put_suspension(struct db *db, const char *sql, const struct db_suspension *s)
{
	struct db_query q;
	db_query(&q, db, sql);
	db_put_sha256(&q, s->key);
	db_put_i64(&q, s->number);
	db_put_i64(&q, s->at);
	db_put_text(&q, s->by);
	db_put_text(&q, s->reason);
	return db_run(&q, NULL);
}

#define INSERT "INSERT INTO suspension (key, number, at, who, reason) VALUES (?,?,?,?,?) ON CONFLICT (key, number) DO UPDATE SET "

int
db_suspension_add(struct db *db, const struct db_suspension *s)
{
	return put_suspension(db, INSERT "at = excluded.at, who = excluded.who, reason = excluded.reason"
	                                 " WHERE excluded.at > at", s);
}

int
db_suspension_note(struct db *db, const struct db_suspension *s)
{
	return put_suspension(db, INSERT "at = excluded.at WHERE excluded.at > at", s);
}

int
db_suspension_list(struct db *db, uint32_t number, int (*each)(void *arg, const struct db_suspension *s), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT key, number, at, who, reason FROM suspension WHERE number >= ? ORDER BY at, key");
	db_put_i64(&q, number);
	while (said == 0 && db_step(&q) > 0) {
		struct db_suspension s = { 0 };
		db_get_blob(&q, s.key, sizeof s.key);
		s.number = db_get_u32(&q);
		s.at = db_get_i64(&q);
		db_get_text(&q, s.by, sizeof s.by);
		db_get_text(&q, s.reason, sizeof s.reason);
		said = q.err ? 0 : each(arg, &s);
	}
	int err = db_done(&q);
	return err ? err : said;
}

static int
count_proposals(struct db *db, const uint8_t except[DIGEST_SHA256_LEN], uint32_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM proposal WHERE sha256 <> ?");
	db_put_sha256(&q, except);
	int r = db_first(&q);
	if (r)
		return r;
	*ret = db_get_u32(&q);
	return db_done(&q);
}

static int
put_proposal(struct db *db, const struct db_proposal *p)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO proposal (sha256, number, time, statement) VALUES (?,?,?,?)"
			 " ON CONFLICT (sha256) DO NOTHING");
	db_put_sha256(&q, p->sha256);
	db_put_i64(&q, p->number);
	db_put_i64(&q, p->time);
	db_put_blob(&q, p->text.p, p->text.n);
	return db_run(&q, NULL);
}

static int
put_signature(struct db *db, const struct db_proposal_sig *s)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO proposal_signature (proposal, key, principal, at, uid, armour) VALUES (?,?,?,?,?,?)"
			 " ON CONFLICT (proposal, key) DO UPDATE SET at = excluded.at, uid = excluded.uid,"
			 " armour = excluded.armour");
	db_put_sha256(&q, s->proposal);
	db_put_sha256(&q, s->key);
	db_put_text(&q, s->principal);
	db_put_i64(&q, s->at);
	db_put_i64(&q, s->uid);
	db_put_blob(&q, s->armour.p, s->armour.n);
	return db_run(&q, NULL);
}

int
db_proposal_sign(struct db *db, const struct db_proposal *p, const struct db_proposal_sig *s)
{
	uint32_t others = 0;
	int r = db_begin(db);
	if (r)
		return r;
	r = count_proposals(db, p->sha256, &others);
	if (!r && others >= DB_PROPOSALS_MAX)
		r = db_fail(db, FG_ELIMIT, "as many signer sets are proposed as may be");
	if (!r)
		r = put_proposal(db, p);
	if (!r)
		r = put_signature(db, s);
	return db_end(db, r);
}

int
db_proposal_list(struct db *db, int (*each)(void *arg, const struct db_proposal *p), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT sha256, number, time, statement FROM proposal ORDER BY time, sha256");
	while (said == 0 && db_step(&q) > 0) {
		struct db_proposal p = { 0 };
		db_get_blob(&q, p.sha256, sizeof p.sha256);
		p.number = db_get_u32(&q);
		p.time = db_get_i64(&q);
		p.text = db_get_view(&q);
		said = q.err ? 0 : each(arg, &p);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_proposal_sigs(struct db *db, const uint8_t proposal[DIGEST_SHA256_LEN],
    int (*each)(void *arg, const struct db_proposal_sig *s), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT key, principal, at, uid, armour FROM proposal_signature WHERE proposal = ?"
			 " ORDER BY at, key");
	db_put_sha256(&q, proposal);
	while (said == 0 && db_step(&q) > 0) {
		struct db_proposal_sig s = { 0 };
		memcpy(s.proposal, proposal, sizeof s.proposal);
		db_get_blob(&q, s.key, sizeof s.key);
		db_get_text(&q, s.principal, sizeof s.principal);
		s.at = db_get_i64(&q);
		s.uid = db_get_u32(&q);
		s.armour = db_get_view(&q);
		said = q.err ? 0 : each(arg, &s);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_proposal_forget(struct db *db, uint32_t number, int64_t before)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM proposal WHERE number <= ? OR time < ?");
	db_put_i64(&q, number);
	db_put_i64(&q, before);
	return db_run(&q, NULL);
}
