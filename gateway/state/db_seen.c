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
	db_query(&q, db, "SELECT profile, place, value, known, first, last FROM seen"
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
	db_query(&q, db, "INSERT INTO seen (profile, kind, place, value, known, first, last) VALUES (?, ?, ?, ?, ?, ?, ?)"
			 " ON CONFLICT DO UPDATE SET known = excluded.known, first = excluded.first, last = excluded.last");
	db_put_text(&q, s->profile);
	db_put_i64(&q, s->kind);
	db_put_text(&q, s->place);
	db_put_text(&q, s->value);
	db_put_i64(&q, s->known);
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

static int
count_known(struct db *db, const char *profile, uint64_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM seen WHERE profile = ? AND known = 1");
	db_put_text(&q, profile);
	int r = db_first(&q);
	if (r)
		return r;
	*ret = db_get_u64(&q);
	return db_done(&q);
}

int
db_seen_room(struct db *db, const char *profile, int64_t before, bool *ret)
{
	struct db_query q;
	uint64_t n = 0;
	int changes = 0;
	int r = count_known(db, profile, &n);
	if (!r && n >= DB_SEEN_KNOWN_MAX) {
		db_query(&q, db, "DELETE FROM seen WHERE profile = ?1 AND known = 1 AND last < ?2"
				 " AND last <= (SELECT last FROM seen WHERE profile = ?1 AND known = 1"
				 " ORDER BY last LIMIT 1 OFFSET ?3)");
		db_put_text(&q, profile);
		db_put_i64(&q, before);
		db_put_i64(&q, (int64_t)(n - DB_SEEN_KNOWN_MAX));
		r = db_run(&q, &changes);
	}
	if (!r)
		*ret = n - (uint64_t)changes < DB_SEEN_KNOWN_MAX;
	return r;
}

int
db_seen_hold(struct db *db, uint64_t candidate, const struct db_seen *s)
{
	struct db_query q;
	db_query(&q, db, "INSERT OR IGNORE INTO held (candidate, profile, kind, place, value) VALUES (?, ?, ?, ?, ?)");
	db_put_u64(&q, candidate);
	db_put_text(&q, s->profile);
	db_put_i64(&q, s->kind);
	db_put_text(&q, s->place);
	db_put_text(&q, s->value);
	return db_run(&q, NULL);
}

int
db_seen_held(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_seen *s), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT s.profile, s.kind, s.place, s.value, s.first, s.last FROM held h JOIN seen s"
			 " USING (profile, kind, place, value) WHERE h.candidate = ? AND s.known = 0"
			 " ORDER BY s.kind, s.place, s.value");
	db_put_u64(&q, candidate);
	while (said == 0 && db_step(&q) > 0) {
		struct db_seen s = { 0 };
		db_get_text(&q, s.profile, sizeof s.profile);
		s.kind = (uint8_t)db_get_i64(&q);
		db_get_text(&q, s.place, sizeof s.place);
		db_get_text(&q, s.value, sizeof s.value);
		s.first = db_get_i64(&q);
		s.last = db_get_i64(&q);
		said = q.err ? 0 : each(arg, &s);
	}
	int r = db_done(&q);
	return r ? r : said;
}

static int
accept(struct db *db, uint64_t candidate, int *ret_changes)
{
	struct db_query q;
	db_query(&q, db, "UPDATE seen SET known = 1 WHERE known = 0 AND (profile, kind, place, value) IN"
			 " (SELECT profile, kind, place, value FROM held WHERE candidate = ?)");
	db_put_u64(&q, candidate);
	int r = db_run(&q, ret_changes);
	if (r)
		return r;
	db_query(&q, db, "DELETE FROM held WHERE candidate = ?");
	db_put_u64(&q, candidate);
	return db_run(&q, NULL);
}

int
db_seen_accept(struct db *db, uint64_t candidate, unsigned *ret_n)
{
	int changes = 0;
	int r = db_begin(db);
	if (r)
		return r;
	r = db_end(db, accept(db, candidate, &changes));
	if (!r)
		*ret_n = (unsigned)changes;
	return r;
}
