/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/session.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS "SELECT digest, id, account, factors, made, last, until, ended, peer, sso FROM session "

int
db_session_add(struct db *db, const struct db_session *s)
{
	struct db_query q;
	int err = db_begin(db);
	if (err)
		return err;
	db_query(&q, db, "INSERT INTO session (digest, id, account, factors, made, last, until, ended, peer, sso)"
			 " VALUES (?,?,?,?,?,?,?,?,?,?)");
	db_put_sha256(&q, s->digest);
	db_put_id(&q, s->id);
	db_put_text(&q, s->account);
	db_put_i64(&q, s->factors);
	db_put_i64(&q, s->made);
	db_put_i64(&q, s->last);
	db_put_i64(&q, s->until);
	db_put_i64(&q, s->ended);
	db_put_blob(&q, s->peer, sizeof s->peer);
	db_put_sha256(&q, s->sso ? s->identity : NULL);
	err = db_run(&q, NULL);
	if (!err) {
		db_query(&q, db, "DELETE FROM session WHERE id IN"
				 " (SELECT id FROM session WHERE account = ? ORDER BY made DESC, id LIMIT -1 OFFSET ?)");
		db_put_text(&q, s->account);
		db_put_i64(&q, DB_SESSIONS_OF_ONE);
		err = db_run(&q, NULL);
	}
	return db_end(db, err);
}

static void
read_session(struct db_query *q, struct db_session *s)
{
	db_get_blob(q, s->digest, sizeof s->digest);
	db_get_blob(q, s->id, sizeof s->id);
	db_get_text(q, s->account, sizeof s->account);
	s->factors = db_get_u8(q);
	s->made = db_get_i64(q);
	s->last = db_get_i64(q);
	s->until = db_get_i64(q);
	s->ended = db_get_i64(q);
	db_get_blob(q, s->peer, sizeof s->peer);
	s->sso = db_get_blob(q, s->identity, sizeof s->identity);
}

static int
one(struct db_query *q, struct db_session *ret)
{
	struct db_session s = { .ended = 1 };
	int err = db_first(q);
	if (err)
		return err;
	read_session(q, &s);
	err = db_done(q);
	if (!err)
		*ret = s;
	return err;
}

int
db_session_find(struct db *db, const uint8_t digest[DIGEST_SHA256_LEN], struct db_session *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE digest = ? AND ended = 0");
	db_put_sha256(&q, digest);
	return one(&q, ret);
}

int
db_session_get(struct db *db, const uint8_t id[DB_ID], struct db_session *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE id = ? AND ended = 0");
	db_put_id(&q, id);
	return one(&q, ret);
}

int
db_session_touch(struct db *db, const uint8_t id[DB_ID], int64_t now)
{
	struct db_query q;
	db_query(&q, db, "UPDATE session SET last = ? WHERE id = ?");
	db_put_i64(&q, now);
	db_put_id(&q, id);
	return db_run(&q, NULL);
}

int
db_session_end(struct db *db, const uint8_t id[DB_ID], int64_t now)
{
	struct db_query q;
	db_query(&q, db, "UPDATE session SET ended = ? WHERE id = ? AND ended = 0");
	db_put_i64(&q, now);
	db_put_id(&q, id);
	return db_run(&q, NULL);
}

int
db_session_end_all(struct db *db, const char *account, const uint8_t *keep, int64_t now, unsigned *ret_n)
{
	static const uint8_t none[DB_ID];
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE session SET ended = ? WHERE account = ? AND ended = 0 AND id <> ?");
	db_put_i64(&q, now);
	db_put_text(&q, account);
	db_put_id(&q, keep ? keep : none);
	int err = db_run(&q, &changes);
	if (!err)
		*ret_n = (unsigned)changes;
	return err;
}

int
db_session_end_identity(struct db *db, const uint8_t identity[DIGEST_SHA256_LEN], int64_t now, unsigned *ret_n)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE session SET ended = ? WHERE sso = ? AND ended = 0");
	db_put_i64(&q, now);
	db_put_sha256(&q, identity);
	int err = db_run(&q, &changes);
	if (!err)
		*ret_n = (unsigned)changes;
	return err;
}

int
db_session_list(struct db *db, const char *account, int (*each)(void *arg, const struct db_session *s), void *arg)
{
	struct db_query q;
	int said = 0;
	if (account[0]) {
		db_query(&q, db, COLUMNS "WHERE account = ? AND ended = 0 ORDER BY made, id");
		db_put_text(&q, account);
	} else {
		db_query(&q, db, COLUMNS "WHERE ended = 0 ORDER BY made, id");
	}
	while (said == 0 && db_step(&q) > 0) {
		struct db_session s = { .ended = 1 };
		read_session(&q, &s);
		said = q.err ? 0 : each(arg, &s);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_session_from(struct db *db, const char *account, const uint8_t peer[DB_PEER], bool *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT EXISTS (SELECT 1 FROM session WHERE account = ? AND peer = ? AND factors >= 2)");
	db_put_text(&q, account);
	db_put_blob(&q, peer, DB_PEER);
	int err = db_first(&q);
	if (err)
		return err;
	*ret = db_get_bool(&q);
	return db_done(&q);
}

int
db_session_forget(struct db *db, int64_t before)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM session WHERE made < ?");
	db_put_i64(&q, before);
	return db_run(&q, NULL);
}
