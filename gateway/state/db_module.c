/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/module.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

/* One row an identity: the whole inventory comes in one pass over two indexes, without sorting. */
#define COLUMNS                                                                               \
	"SELECT m.pseudonym, m.profile, m.group_name, m.product, m.version, m.version_cls, m.sure, m.tags, m.listed," \
	" m.held, m.first_seen, m.last_seen, m.usual, m.last_answer, m.last_resource, m.placed, m.placed_in,"          \
	" i.kind, i.cls, i.text"                                                                                       \
	" FROM module m LEFT JOIN ident i ON i.module = m.pseudonym "

static int
put_row(struct db *db, const struct db_module *m)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO module (pseudonym, profile, group_name, product, version, version_cls, sure, tags,"
			 " listed, held, first_seen, last_seen, usual, last_answer, last_resource, placed, placed_in)"
			 " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
			 " ON CONFLICT (pseudonym) DO UPDATE SET profile = excluded.profile,"
			 " group_name = excluded.group_name, product = excluded.product, version = excluded.version,"
			 " version_cls = excluded.version_cls, sure = excluded.sure, tags = excluded.tags,"
			 " listed = excluded.listed, held = excluded.held,"
			 " first_seen = excluded.first_seen, last_seen = excluded.last_seen, usual = excluded.usual,"
			 " last_answer = excluded.last_answer, last_resource = excluded.last_resource,"
			 " placed = excluded.placed, placed_in = excluded.placed_in");
	db_put_id(&q, m->pseudonym);
	db_put_text(&q, m->profile);
	db_put_text(&q, m->group);
	db_put_text(&q, m->product);
	db_put_text(&q, m->version);
	db_put_i64(&q, m->version_cls);
	db_put_text(&q, m->sure);
	db_put_text(&q, m->tags);
	db_put_i64(&q, m->listed);
	db_put_i64(&q, m->held);
	db_put_i64(&q, m->first_seen);
	db_put_i64(&q, m->last_seen);
	db_put_i64(&q, m->usual);
	db_put_i64(&q, m->last_answer);
	db_put_id(&q, m->have_last_resource ? m->last_resource : NULL);
	db_put_i64(&q, m->placed);
	db_put_text(&q, m->placed_in);
	return db_run(&q, NULL);
}

static int
put_idents(struct db *db, const struct db_module *m)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM ident WHERE module = ?");
	db_put_id(&q, m->pseudonym);
	int r = db_run(&q, NULL);
	for (uint32_t i = 0; i < m->idents_n && !r; i++) {
		db_query(&q, db, "INSERT INTO ident (kind, text, cls, module, position) VALUES (?,?,?,?,?)");
		db_put_i64(&q, m->ident[i].kind);
		db_put_text(&q, m->ident[i].text);
		db_put_i64(&q, m->ident[i].cls);
		db_put_id(&q, m->pseudonym);
		db_put_i64(&q, i);
		r = db_run(&q, NULL);
	}
	return r;
}

int
db_module_put(struct db *db, const struct db_module *m)
{
	if (m->idents_n > DB_IDENTS_MAX)
		return db_fail(db, FG_ELIMIT, "a module has too many identities");
	int r = db_begin(db);
	if (r)
		return r;
	r = put_row(db, m);
	if (!r)
		r = put_idents(db, m);
	return db_end(db, r);
}

static void
read_module(struct db_query *q, struct db_module *m)
{
	db_get_blob(q, m->pseudonym, sizeof m->pseudonym);
	db_get_text(q, m->profile, sizeof m->profile);
	db_get_text(q, m->group, sizeof m->group);
	db_get_text(q, m->product, sizeof m->product);
	db_get_text(q, m->version, sizeof m->version);
	m->version_cls = db_get_u8(q);
	db_get_text(q, m->sure, sizeof m->sure);
	db_get_text(q, m->tags, sizeof m->tags);
	m->listed = db_get_bool(q);
	m->held = db_get_bool(q);
	m->first_seen = db_get_i64(q);
	m->last_seen = db_get_i64(q);
	m->usual = db_get_i64(q);
	m->last_answer = db_get_u8(q);
	m->have_last_resource = db_get_blob(q, m->last_resource, sizeof m->last_resource);
	m->placed = db_get_i64(q);
	db_get_text(q, m->placed_in, sizeof m->placed_in);
}

/* The columns after those: an identity, or three NULLs. */
static int
read_ident(struct db_query *q, struct db_module *m)
{
	struct db_ident i = { 0 };
	i.kind = db_get_u8(q);
	i.cls = db_get_u8(q);
	db_get_text(q, i.text, sizeof i.text);
	if (i.kind == 0)
		return 0;
	if (m->idents_n == DB_IDENTS_MAX)
		return db_fail(q->db, FG_EIO, "a stored module has too many identities");
	m->ident[m->idents_n++] = i;
	return 0;
}

/* Ends a bound query; hands out each run of rows of one module. */
static int
walk(struct db_query *q, unsigned limit, int (*each)(void *arg, const struct db_module *m), void *arg)
{
	struct db_module m = { 0 };
	unsigned n = 0;
	int said = 0, r = 0;
	bool have = false;
	while (!r && !said && db_step(q) > 0) {
		struct db_module next = { 0 };
		read_module(q, &next);
		if (have && memcmp(next.pseudonym, m.pseudonym, DB_ID) != 0) {
			said = q->err ? 0 : each(arg, &m);
			have = false;
			if (limit && ++n == limit)
				break;
		}
		if (!have) {
			m = next;
			have = true;
		}
		r = read_ident(q, &m);
	}
	if (!q->err && !r && !said && have)
		said = each(arg, &m);
	int err = db_done(q);
	return r ? r : err ? err : said;
}

int
db_module_list(struct db *db, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct db_module *m), void *arg)
{
	struct db_query q;
	if (after) {
		db_query(&q, db, COLUMNS "WHERE m.pseudonym > ? ORDER BY m.pseudonym, i.position");
		db_put_id(&q, after);
	} else {
		db_query(&q, db, COLUMNS "ORDER BY m.pseudonym, i.position");
	}
	return walk(&q, limit, each, arg);
}

static int
keep(void *arg, const struct db_module *m)
{
	*(struct db_module *)arg = *m;
	return 1;
}

int
db_module_get(struct db *db, const uint8_t pseudonym[DB_ID], struct db_module *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE m.pseudonym = ? ORDER BY i.position");
	db_put_id(&q, pseudonym);
	int r = walk(&q, 0, keep, ret);
	if (r == 0)
		return db_fail(db, FG_ENOTFOUND, "no such module");
	return r > 0 ? 0 : r;
}

int
db_module_find(struct db *db, unsigned kind, const char *text, struct db_module *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE m.pseudonym = (SELECT module FROM ident WHERE kind = ? AND text = ?)"
				 " ORDER BY i.position");
	db_put_i64(&q, kind);
	db_put_text(&q, text);
	int r = walk(&q, 0, keep, ret);
	if (r == 0)
		return db_fail(db, FG_ENOTFOUND, "no module has that identity");
	return r > 0 ? 0 : r;
}

int
db_module_count(struct db *db, uint64_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM module");
	int r = db_first(&q);
	if (r)
		return r;
	*ret = db_get_u64(&q);
	return db_done(&q);
}

static int
erase(struct db *db, const uint8_t *pseudonym)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "DELETE FROM module WHERE pseudonym = ?"); /* identities go with it */
	db_put_id(&q, pseudonym);
	int r = db_run(&q, &changes);
	if (!r && changes == 0)
		return db_fail(db, FG_ENOTFOUND, "no such module");
	if (r)
		return r;
	db_query(&q, db, "DELETE FROM granted WHERE module = ?");
	db_put_id(&q, pseudonym);
	return db_run(&q, NULL);
}

int
db_module_erase(struct db *db, const uint8_t pseudonym[DB_ID])
{
	int r = db_begin(db);
	if (r)
		return r;
	r = db_end(db, erase(db, pseudonym));
	/* secure_delete overwrote the row in the new pages; the write-ahead log has the old ones until now. */
	return r ? r : db_forget(db);
}

int
db_module_erase_all(struct db *db, uint8_t (*ids)[DB_ID], size_t n)
{
	int r = db_begin(db);
	if (r)
		return r;
	for (size_t i = 0; !r && i < n; i++) {
		r = erase(db, ids[i]);
		if (r == FG_ENOTFOUND)
			r = 0;
	}
	r = db_end(db, r);
	return r ? r : db_forget(db); /* as above */
}
