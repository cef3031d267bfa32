/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/release.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS "SELECT id, candidate, issued, state, ended, who, reason, record FROM release "

static void
read_row(struct db_query *q, struct db_release *r)
{
	db_get_blob(q, r->id, sizeof r->id);
	r->candidate = db_get_u64(q);
	r->issued = db_get_i64(q);
	unsigned state = db_get_u8(q);
	r->state = state <= DB_RELEASE_EXPIRED ? (enum db_release_state)state : DB_RELEASE_NONE;
	r->ended = db_get_i64(q);
	db_get_text(q, r->by, sizeof r->by);
	db_get_text(q, r->reason, sizeof r->reason);
	r->record = db_get_view(q);
}

int
db_release_get(struct db *db, const uint8_t id[DB_ID], struct db_release *ret, struct writer *w)
{
	struct db_query q;
	struct db_release found = { 0 };
	db_query(&q, db, COLUMNS "WHERE id = ?");
	db_put_id(&q, id);
	int r = db_first(&q);
	if (r)
		return r;
	read_row(&q, &found);
	size_t begin = writer_view(w).n;
	writer_bytes(w, found.record);
	r = db_done(&q);
	if (!r)
		r = writer_err(w);
	if (r)
		return r;
	found.record = view_of(writer_view(w).p + begin, found.record.n);
	*ret = found;
	return 0;
}

/* Whether the stored release is the same record. */
static int
compare(struct db *db, const struct db_release *r)
{
	struct db_query q;
	db_query(&q, db, "SELECT record FROM release WHERE id = ?");
	db_put_id(&q, r->id);
	int err = db_first(&q);
	if (err)
		return err;
	bool same = view_equal(db_get_view(&q), r->record);
	err = db_done(&q);
	if (err || same)
		return err;
	return db_fail(db, FG_EEXIST, "that release id has another record");
}

int
db_release_add(struct db *db, const struct db_release *r)
{
	struct db_query q;
	if (r->record.n > RELEASE_RECORD_MAX)
		return db_fail(db, FG_ELIMIT, "the release record is too long");
	int err = compare(db, r);
	if (err != FG_ENOTFOUND)
		return err;
	db_query(&q, db, "INSERT INTO release (id, candidate, issued, state, ended, who, reason, record)"
			 " VALUES (?,?,?,?,?,?,?,?)");
	db_put_id(&q, r->id);
	db_put_u64(&q, r->candidate);
	db_put_i64(&q, r->issued);
	db_put_i64(&q, r->state);
	db_put_i64(&q, r->ended);
	db_put_text(&q, r->by);
	db_put_text(&q, r->reason);
	db_put_blob(&q, r->record.p, r->record.n);
	return db_run(&q, NULL);
}

int
db_release_end(struct db *db, const uint8_t id[DB_ID], enum db_release_state state, int64_t at, const char *by,
    const char *reason)
{
	struct db_query q;
	int changes = 0;
	if (state != DB_RELEASE_REVOKED && state != DB_RELEASE_EXPIRED)
		return db_fail(db, FG_ESTATE, "a release ends by being revoked or by expiring");
	db_query(&q, db, "UPDATE release SET state = ?, ended = ?, who = ?, reason = ? WHERE id = ? AND state = 1");
	db_put_i64(&q, state);
	db_put_i64(&q, at);
	db_put_text(&q, by);
	db_put_text(&q, reason);
	db_put_id(&q, id);
	int r = db_run(&q, &changes);
	if (r || changes)
		return r;
	db_query(&q, db, "SELECT state FROM release WHERE id = ?");
	db_put_id(&q, id);
	r = db_first(&q);
	if (r)
		return r;
	r = db_done(&q);
	return r ? r : db_fail(db, FG_ESTATE, "the release is not active");
}

int
db_release_list(struct db *db, enum db_release_state state, int (*each)(void *arg, const struct db_release *r),
    void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, COLUMNS "WHERE ?1 = 0 OR state = ?1 ORDER BY issued, id");
	db_put_i64(&q, state);
	while (said == 0 && db_step(&q) > 0) {
		struct db_release r = { 0 };
		read_row(&q, &r);
		said = q.err ? 0 : each(arg, &r);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_release_page(struct db *db, const uint8_t *before, unsigned limit, int (*each)(void *arg, const struct db_release *r),
    void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, before ? COLUMNS "WHERE (issued, id) < (SELECT issued, id FROM release WHERE id = ?1)"
				   " ORDER BY issued DESC, id DESC LIMIT ?2" :
				  COLUMNS "ORDER BY issued DESC, id DESC LIMIT ?1");
	if (before)
		db_put_id(&q, before);
	db_put_u64(&q, limit);
	while (said == 0 && db_step(&q) > 0) {
		struct db_release r = { 0 };
		read_row(&q, &r);
		said = q.err ? 0 : each(arg, &r);
	}
	int err = db_done(&q);
	return err ? err : said;
}

const char *
db_release_state_name(enum db_release_state state)
{
	static const char *const names[] = { "none", "active", "revoked", "expired" };
	return names[(unsigned)state < sizeof names / sizeof *names ? state : 0];
}
