/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/err.h"
#include "gateway/state/db_private.h"
#include "gateway/state/passkey.h"

#define COLUMNS "SELECT id, account, name, credential, key, counter, flags, made, last, suspended FROM passkey "

int
db_passkey_add(struct db *db, const struct db_passkey *k)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO passkey (id, account, name, credential, key, counter, flags, made, last, suspended)"
			 " VALUES (?,?,?,?,?,?,?,?,?,?)");
	db_put_id(&q, k->id);
	db_put_text(&q, k->account);
	db_put_text(&q, k->name);
	db_put_blob(&q, k->credential, k->credential_n);
	db_put_blob(&q, k->key, k->key_n);
	db_put_i64(&q, k->counter);
	db_put_i64(&q, k->flags);
	db_put_i64(&q, k->made);
	db_put_i64(&q, k->last);
	db_put_i64(&q, k->suspended);
	return db_run(&q, NULL);
}

/* Bytes of any length. Longer ones than fit are damage. */
static void
get_bytes(struct db_query *q, uint8_t *dst, size_t cap, size_t *ret_n)
{
	struct view v = db_get_view(q);
	*ret_n = v.n <= cap ? v.n : 0;
	if (*ret_n)
		memcpy(dst, v.p, *ret_n);
	else if (!q->err)
		q->err = db_fail(q->db, FG_EIO, "a passkey is damaged");
}

static void
read_passkey(struct db_query *q, struct db_passkey *k)
{
	db_get_blob(q, k->id, sizeof k->id);
	db_get_text(q, k->account, sizeof k->account);
	db_get_text(q, k->name, sizeof k->name);
	get_bytes(q, k->credential, sizeof k->credential, &k->credential_n);
	get_bytes(q, k->key, sizeof k->key, &k->key_n);
	k->counter = db_get_u32(q);
	k->flags = db_get_u8(q);
	k->made = db_get_i64(q);
	k->last = db_get_i64(q);
	k->suspended = db_get_i64(q);
}

static int
one(struct db_query *q, struct db_passkey *ret)
{
	struct db_passkey k = { .suspended = 1 };
	int err = db_first(q);
	if (err)
		return err;
	read_passkey(q, &k);
	err = db_done(q);
	if (!err)
		*ret = k;
	return err;
}

int
db_passkey_find(struct db *db, struct view credential, struct db_passkey *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE credential = ?");
	db_put_blob(&q, credential.p, credential.n);
	return one(&q, ret);
}

int
db_passkey_get(struct db *db, const uint8_t id[DB_ID], struct db_passkey *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE id = ?");
	db_put_id(&q, id);
	return one(&q, ret);
}

int
db_passkey_list(struct db *db, const char *account, int (*each)(void *arg, const struct db_passkey *k), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, COLUMNS "WHERE account = ? ORDER BY made, id");
	db_put_text(&q, account);
	while (said == 0 && db_step(&q) > 0) {
		struct db_passkey k = { .suspended = 1 };
		read_passkey(&q, &k);
		said = q.err ? 0 : each(arg, &k);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_passkey_used(struct db *db, const uint8_t id[DB_ID], uint32_t counter, uint8_t flags, int64_t now)
{
	struct db_query q;
	int changes = 0;
	/* Authenticators that count nothing say zero, and go on doing so (WebAuthn 6.1.1). */
	db_query(&q, db, "UPDATE passkey SET counter = ?1, flags = ?2, last = ?3 WHERE id = ?4 AND suspended = 0"
			 " AND (counter < ?1 OR (counter = 0 AND ?1 = 0))");
	db_put_i64(&q, counter);
	db_put_i64(&q, flags);
	db_put_i64(&q, now);
	db_put_id(&q, id);
	int err = db_run(&q, &changes);
	return err ? err : changes ? FG_OK : db_fail(db, FG_ESTATE, "the passkey is suspended, or its counter did not go on");
}

int
db_passkey_suspend(struct db *db, const uint8_t id[DB_ID], int64_t now)
{
	struct db_query q;
	db_query(&q, db, "UPDATE passkey SET suspended = ? WHERE id = ? AND suspended = 0");
	db_put_i64(&q, now);
	db_put_id(&q, id);
	return db_run(&q, NULL);
}

int
db_passkey_drop(struct db *db, const uint8_t id[DB_ID])
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM passkey WHERE id = ?");
	db_put_id(&q, id);
	return db_run(&q, NULL);
}

int
db_passkey_drop_all(struct db *db, const char *account, unsigned *ret_n)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "DELETE FROM passkey WHERE account = ?");
	db_put_text(&q, account);
	int err = db_run(&q, &changes);
	*ret_n = changes > 0 ? (unsigned)changes : 0;
	return err;
}

int
db_passkey_suspended(struct db *db, uint64_t *ret_n)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM passkey WHERE suspended != 0");
	int err = db_first(&q);
	if (err)
		return err;
	*ret_n = db_get_u64(&q);
	return db_done(&q);
}

/* ---- counters of keys that sign statements ---- */

static int
counter_of(struct db *db, const uint8_t key[DIGEST_SHA256_LEN], uint32_t *ret)
{
	struct db_query q;
	*ret = 0;
	db_query(&q, db, "SELECT counter FROM key_counter WHERE key = ?");
	db_put_sha256(&q, key);
	int err = db_first(&q);
	if (err)
		return err == FG_ENOTFOUND ? FG_OK : err;
	*ret = db_get_u32(&q);
	return db_done(&q);
}

int
db_key_counter(struct db *db, const uint8_t key[DIGEST_SHA256_LEN], uint32_t counter, uint32_t *ret_before)
{
	struct db_query q;
	int changes = 0, err = counter_of(db, key, ret_before);
	if (err || counter <= *ret_before)
		return err;
	db_query(&q, db, "INSERT INTO key_counter (key, counter) SELECT ?1, ?2 WHERE (SELECT count(*) FROM key_counter) < ?3"
			 " OR EXISTS (SELECT 1 FROM key_counter WHERE key = ?1)"
			 " ON CONFLICT (key) DO UPDATE SET counter = excluded.counter");
	db_put_sha256(&q, key);
	db_put_i64(&q, counter);
	db_put_i64(&q, DB_KEY_COUNTERS_MAX);
	err = db_run(&q, &changes);
	return err ? err : changes ? FG_OK : db_fail(db, FG_ELIMIT, "too many keys have signed");
}
