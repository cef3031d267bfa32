/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/binding.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS "SELECT identity, issuer, subject, account, made, who FROM binding "

int
db_binding_add(struct db *db, const struct db_binding *b)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO binding (identity, issuer, subject, account, made, who) VALUES (?,?,?,?,?,?)");
	db_put_sha256(&q, b->identity);
	db_put_text(&q, b->issuer);
	db_put_text(&q, b->subject);
	db_put_text(&q, b->account);
	db_put_i64(&q, b->made);
	db_put_text(&q, b->by);
	return db_run(&q, NULL);
}

static void
read_binding(struct db_query *q, struct db_binding *b)
{
	db_get_blob(q, b->identity, sizeof b->identity);
	db_get_text(q, b->issuer, sizeof b->issuer);
	db_get_text(q, b->subject, sizeof b->subject);
	db_get_text(q, b->account, sizeof b->account);
	b->made = db_get_i64(q);
	db_get_text(q, b->by, sizeof b->by);
}

int
db_binding_find(struct db *db, const uint8_t identity[DIGEST_SHA256_LEN], struct db_binding *ret)
{
	struct db_binding b = { 0 };
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE identity = ?");
	db_put_sha256(&q, identity);
	int err = db_first(&q);
	if (err)
		return err;
	read_binding(&q, &b);
	err = db_done(&q);
	if (!err)
		*ret = b;
	return err;
}

int
db_binding_drop(struct db *db, const uint8_t identity[DIGEST_SHA256_LEN])
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "DELETE FROM binding WHERE identity = ?");
	db_put_sha256(&q, identity);
	int err = db_run(&q, &changes);
	return err ? err : changes ? FG_OK : FG_ENOTFOUND;
}

int
db_binding_list(struct db *db, const char *account, int (*each)(void *arg, const struct db_binding *b), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, COLUMNS "WHERE account = ? ORDER BY issuer, subject");
	db_put_text(&q, account);
	while (said == 0 && db_step(&q) > 0) {
		struct db_binding b = { 0 };
		read_binding(&q, &b);
		said = q.err ? 0 : each(arg, &b);
	}
	int err = db_done(&q);
	return err ? err : said;
}
