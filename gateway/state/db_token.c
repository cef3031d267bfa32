/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/token.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS "SELECT digest, id, name, account, scopes, made, who, expires, last, revoked FROM token "

int
db_token_add(struct db *db, const struct db_token *t)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO token (digest, id, name, account, scopes, made, who, expires, last, revoked)"
			 " VALUES (?,?,?,?,?,?,?,?,?,?)");
	db_put_sha256(&q, t->digest);
	db_put_id(&q, t->id);
	db_put_text(&q, t->name);
	db_put_text(&q, t->account);
	db_put_i64(&q, t->scopes);
	db_put_i64(&q, t->made);
	db_put_text(&q, t->by);
	db_put_i64(&q, t->expires);
	db_put_i64(&q, t->last);
	db_put_i64(&q, t->revoked);
	return db_run(&q, NULL);
}

static void
read_token(struct db_query *q, struct db_token *t)
{
	db_get_blob(q, t->digest, sizeof t->digest);
	db_get_blob(q, t->id, sizeof t->id);
	db_get_text(q, t->name, sizeof t->name);
	db_get_text(q, t->account, sizeof t->account);
	t->scopes = db_get_u32(q);
	t->made = db_get_i64(q);
	db_get_text(q, t->by, sizeof t->by);
	t->expires = db_get_i64(q);
	t->last = db_get_i64(q);
	t->revoked = db_get_i64(q);
}

static int
one(struct db_query *q, struct db_token *ret)
{
	struct db_token t = { .revoked = 1 };
	int err = db_first(q);
	if (err)
		return err;
	read_token(q, &t);
	err = db_done(q);
	if (!err)
		*ret = t;
	return err;
}

int
db_token_find(struct db *db, const uint8_t digest[DIGEST_SHA256_LEN], struct db_token *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE digest = ?");
	db_put_sha256(&q, digest);
	return one(&q, ret);
}

int
db_token_get(struct db *db, const uint8_t id[DB_ID], struct db_token *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE id = ?");
	db_put_id(&q, id);
	return one(&q, ret);
}

int
db_token_touch(struct db *db, const uint8_t id[DB_ID], int64_t now)
{
	struct db_query q;
	db_query(&q, db, "UPDATE token SET last = ? WHERE id = ?");
	db_put_i64(&q, now);
	db_put_id(&q, id);
	return db_run(&q, NULL);
}

int
db_token_revoke(struct db *db, const uint8_t id[DB_ID], int64_t now)
{
	struct db_query q;
	db_query(&q, db, "UPDATE token SET revoked = ? WHERE id = ? AND revoked = 0");
	db_put_i64(&q, now);
	db_put_id(&q, id);
	return db_run(&q, NULL);
}

int
db_token_revoke_all(struct db *db, const char *account, int64_t now, unsigned *ret_n)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE token SET revoked = ? WHERE account = ? AND revoked = 0");
	db_put_i64(&q, now);
	db_put_text(&q, account);
	int err = db_run(&q, &changes);
	if (!err)
		*ret_n = (unsigned)changes;
	return err;
}

int
db_token_list(struct db *db, int (*each)(void *arg, const struct db_token *t), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, COLUMNS "ORDER BY made, id");
	while (said == 0 && db_step(&q) > 0) {
		struct db_token t = { .revoked = 1 };
		read_token(&q, &t);
		said = q.err ? 0 : each(arg, &t);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_token_count(struct db *db, int64_t now, uint64_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM token WHERE revoked = 0 AND expires > ?");
	db_put_i64(&q, now);
	int err = db_first(&q);
	if (err)
		return err;
	*ret = db_get_u64(&q);
	return db_done(&q);
}

int
db_token_forget(struct db *db, int64_t before)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM token WHERE expires < ? OR (revoked <> 0 AND revoked < ?)");
	db_put_i64(&q, before);
	db_put_i64(&q, before);
	return db_run(&q, NULL);
}
