/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/seen.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_seen_get(struct db *db, const char *profile, uint8_t kind, const char *place, const char *value,
    struct db_seen *ret)
{
	struct db_query q;
	struct db_seen s = { .kind = kind };
	db_query(&q, db, "SELECT profile, place, value, known, candidate, first, last FROM seen"
			 " WHERE profile = ? AND kind = ? AND place = ? AND value = ?");
	db_put_text(&q, profile);
	db_put_i64(&q, kind);
	db_put_text(&q, place);
	db_put_text(&q, value);
	int r = db_first(&q);
	if (r)
		return r;
	db_get_text(&q, s.profile, sizeof s.profile);
	db_get_text(&q, s.place, sizeof s.place);
	db_get_text(&q, s.value, sizeof s.value);
	s.known = db_get_bool(&q);
	s.candidate = db_get_u64(&q);
	s.first = db_get_i64(&q);
	s.last = db_get_i64(&q);
	r = db_done(&q);
	if (!r)
		*ret = s;
	return r;
}

int
db_seen_any(struct db *db, const char *profile, uint8_t kind, const char *place, bool *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT EXISTS (SELECT 1 FROM seen WHERE profile = ? AND kind = ? AND place = ? AND known = 1)");
	db_put_text(&q, profile);
	db_put_i64(&q, kind);
	db_put_text(&q, place);
	int r = db_first(&q);
	if (r)
		return r;
	bool any = db_get_bool(&q);
	r = db_done(&q);
	if (!r)
		*ret = any;
	return r;
}

static int
insert(struct db *db, const struct db_seen *s)
{
	struct db_query q;
	db_query(&q, db, "INSERT OR REPLACE INTO seen (profile, kind, place, value, known, candidate, first, last)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	db_put_text(&q, s->profile);
	db_put_i64(&q, s->kind);
	db_put_text(&q, s->place);
	db_put_text(&q, s->value);
	db_put_i64(&q, s->known);
	db_put_u64(&q, s->candidate);
	db_put_i64(&q, s->first);
	db_put_i64(&q, s->last);
	return db_run(&q, NULL);
}

static int
trim(struct db *db, const char *profile)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM seen WHERE profile = ?1 AND known = 0 AND last < (SELECT last FROM seen"
			 " WHERE profile = ?1 AND known = 0 ORDER BY last DESC LIMIT 1 OFFSET ?2)");
	db_put_text(&q, profile);
	db_put_i64(&q, DB_SEEN_PENDING_MAX - 1);
	return db_run(&q, NULL);
}

int
db_seen_put(struct db *db, const struct db_seen *s)
{
	int r = db_begin(db);
	if (r)
		return r;
	r = insert(db, s);
	if (!r && !s->known)
		r = trim(db, s->profile);
	return db_end(db, r);
}

int
db_seen_accept(struct db *db, uint64_t candidate, unsigned *ret_n)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "UPDATE seen SET known = 1 WHERE candidate = ? AND known = 0");
	db_put_u64(&q, candidate);
	int r = candidate ? db_run(&q, &changes) : db_done(&q);
	if (!r)
		*ret_n = (unsigned)changes;
	return r;
}
