/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/account.h"

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/state/db_private.h"

#define COLUMNS "SELECT name, display, principal, roles, hash, lent, totp, totp_step, disabled, created," \
		" (SELECT count(*) FROM passkey WHERE passkey.account = account.name) FROM account "

static void
put_totp(struct db_query *q, const struct db_account *a)
{
	if (a->have_totp)
		db_put_blob(q, a->totp, sizeof a->totp);
	else
		db_put_id(q, NULL);
}

int
db_account_add(struct db *db, const struct db_account *a)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO account (name, display, principal, roles, hash, lent, totp, totp_step, disabled, created)"
			 " VALUES (?,?,?,?,?,?,?,?,?,?)");
	db_put_text(&q, a->name);
	db_put_text(&q, a->display);
	db_put_text(&q, a->principal);
	db_put_i64(&q, a->roles);
	db_put_text(&q, a->hash);
	db_put_i64(&q, a->lent);
	put_totp(&q, a);
	db_put_u64(&q, a->totp_step);
	db_put_i64(&q, a->disabled);
	db_put_i64(&q, a->created);
	return db_run(&q, NULL);
}

int
db_account_set(struct db *db, const struct db_account *a)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE account SET display = ?, principal = ?, roles = ?, hash = ?, lent = ?, totp = ?, totp_step = ?,"
			 " disabled = ? WHERE name = ?");
	db_put_text(&q, a->display);
	db_put_text(&q, a->principal);
	db_put_i64(&q, a->roles);
	db_put_text(&q, a->hash);
	db_put_i64(&q, a->lent);
	put_totp(&q, a);
	db_put_u64(&q, a->totp_step);
	db_put_i64(&q, a->disabled);
	db_put_text(&q, a->name);
	int err = db_run(&q, &changes);
	return err ? err : changes ? FG_OK : db_fail(db, FG_ENOTFOUND, "no such account");
}

int
db_account_step(struct db *db, const char *name, uint64_t step)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE account SET totp_step = ? WHERE name = ? AND totp_step < ?");
	db_put_u64(&q, step);
	db_put_text(&q, name);
	db_put_u64(&q, step);
	int err = db_run(&q, &changes);
	return err ? err : changes ? FG_OK : db_fail(db, FG_ESTATE, "the code was used before");
}

static void
read_account(struct db_query *q, struct db_account *a)
{
	db_get_text(q, a->name, sizeof a->name);
	db_get_text(q, a->display, sizeof a->display);
	db_get_text(q, a->principal, sizeof a->principal);
	a->roles = db_get_u32(q);
	db_get_text(q, a->hash, sizeof a->hash);
	a->lent = db_get_i64(q);
	a->have_totp = db_get_blob(q, a->totp, sizeof a->totp);
	a->totp_step = db_get_u64(q);
	a->disabled = db_get_bool(q);
	a->created = db_get_i64(q);
	a->passkeys = db_get_u32(q);
}

int
db_account_get(struct db *db, const char *name, struct db_account *ret)
{
	struct db_account a = { .disabled = true };
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE name = ?");
	db_put_text(&q, name);
	int err = db_first(&q);
	if (err)
		return err;
	read_account(&q, &a);
	err = db_done(&q);
	if (!err)
		*ret = a;
	wipe(&a, sizeof a);
	return err;
}

int
db_account_list(struct db *db, int (*each)(void *arg, const struct db_account *a), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, COLUMNS "ORDER BY name");
	while (said == 0 && db_step(&q) > 0) {
		struct db_account a = { .disabled = true };
		read_account(&q, &a);
		said = q.err ? 0 : each(arg, &a);
		wipe(&a, sizeof a);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_account_count(struct db *db, uint64_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM account");
	int err = db_first(&q);
	if (err)
		return err;
	*ret = db_get_u64(&q);
	return db_done(&q);
}
