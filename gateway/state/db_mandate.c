/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/mandate.h"

#include <string.h>

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_mandate_put(struct db *db, struct db_mandate *m)
{
	char text[32769];
	struct db_query q;
	if (m->terms.n >= sizeof text || m->statements_n > DB_MANDATE_STATEMENTS_MAX)
		return FG_ELIMIT;
	memcpy(text, m->terms.p, m->terms.n);
	text[m->terms.n] = '\0';
	db_query(&q, db, m->id ? "INSERT OR REPLACE INTO standing (terms, reason, who, at, opened, state, statements, id)"
				 " VALUES (?,?,?,?,?,?,?,?)" :
	    "INSERT INTO standing (terms, reason, who, at, opened, state, statements) VALUES (?,?,?,?,?,?,?)");
	db_put_text(&q, text);
	db_put_text(&q, m->reason);
	db_put_text(&q, m->who);
	db_put_i64(&q, m->at);
	db_put_u64(&q, m->opened);
	db_put_i64(&q, m->state);
	db_put_blob(&q, m->statement, (size_t)m->statements_n * DIGEST_SHA256_LEN);
	if (m->id)
		db_put_u64(&q, m->id);
	int err = db_run(&q, NULL);
	if (!err && !m->id)
		m->id = db_last_id(db);
	return err;
}

int
db_mandate_list(struct db *db, int (*each)(void *arg, const struct db_mandate *m), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT id, terms, reason, who, at, opened, state, statements FROM standing ORDER BY id");
	while (said == 0 && db_step(&q) > 0) {
		struct db_mandate m = { .id = db_get_u64(&q) };
		m.terms = db_get_view(&q);
		db_get_text(&q, m.reason, sizeof m.reason);
		db_get_text(&q, m.who, sizeof m.who);
		m.at = db_get_i64(&q);
		m.opened = db_get_u64(&q);
		m.state = db_get_u8(&q);
		struct view statements = db_get_view(&q);
		if (statements.n % DIGEST_SHA256_LEN || statements.n > sizeof m.statement)
			continue; /* damaged: it has no effect, and the log names it */
		m.statements_n = (uint32_t)(statements.n / DIGEST_SHA256_LEN);
		if (statements.n)
			memcpy(m.statement, statements.p, statements.n);
		said = q.err ? 0 : each(arg, &m);
	}
	int err = db_done(&q);
	return err ? err : said;
}
