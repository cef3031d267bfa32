/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/resource.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define COLUMNS                                                                             \
	"SELECT r.id, r.profile, r.url, r.signature_url, r.product, r.target, r.from_version," \
	" r.first_seen, r.last_seen, r.sightings, r.asker, r.state, coalesce(c.id, 0), c.state" \
	" FROM resource r LEFT JOIN candidate c"                                               \
	" ON c.id = (SELECT max(id) FROM candidate WHERE resource = r.id) "

static void
read_row(struct db_query *q, struct db_resource *r)
{
	db_get_blob(q, r->id, sizeof r->id);
	db_get_text(q, r->profile, sizeof r->profile);
	db_get_text(q, r->url, sizeof r->url);
	db_get_text(q, r->signature_url, sizeof r->signature_url);
	db_get_text(q, r->product, sizeof r->product);
	db_get_text(q, r->target, sizeof r->target);
	db_get_text(q, r->from, sizeof r->from);
	r->first_seen = db_get_i64(q);
	r->last_seen = db_get_i64(q);
	r->sightings = db_get_u64(q);
	r->have_asker = db_get_blob(q, r->asker, sizeof r->asker);
	db_get_text(q, r->state, sizeof r->state);
	r->candidate = db_get_u64(q);
	db_get_text(q, r->candidate_state, sizeof r->candidate_state);
}

static int
see_again(struct db *db, const uint8_t id[DB_ID], int64_t last_seen, uint64_t n, int *ret_changes)
{
	struct db_query q;
	db_query(&q, db, "UPDATE resource SET last_seen = max(last_seen, ?), sightings = sightings + ? WHERE id = ?");
	db_put_i64(&q, last_seen);
	db_put_u64(&q, n);
	db_put_id(&q, id);
	return db_run(&q, ret_changes);
}

/* One row goes. What people or fetches rest on has a candidate, and stays. */
static int
make_room(struct db *db, const char *profile)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "DELETE FROM resource WHERE id = (SELECT r.id FROM resource r WHERE r.profile = ?"
			 " AND NOT EXISTS (SELECT 1 FROM candidate c WHERE c.resource = r.id)"
			 " ORDER BY r.sightings > 1, r.last_seen LIMIT 1)");
	db_put_text(&q, profile);
	int err = db_run(&q, &changes);
	return err || changes ? err : db_fail(db, FG_ELIMIT, "the profile has as many resources as it may");
}

static int
insert(struct db *db, const struct db_resource *r)
{
	struct db_query q;
	uint64_t n;
	int err = db_resource_count(db, r->profile, &n);
	if (!err && n >= DB_RESOURCES_PER_PROFILE_MAX)
		err = make_room(db, r->profile);
	if (err)
		return err;
	db_query(&q, db, "INSERT INTO resource (id, profile, url, signature_url, product, target, from_version,"
			 " first_seen, last_seen, sightings, asker, state) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
	db_put_id(&q, r->id);
	db_put_text(&q, r->profile);
	db_put_text(&q, r->url);
	db_put_text(&q, r->signature_url);
	db_put_text(&q, r->product);
	db_put_text(&q, r->target);
	db_put_text(&q, r->from);
	db_put_i64(&q, r->first_seen);
	db_put_i64(&q, r->last_seen);
	db_put_u64(&q, r->sightings);
	db_put_id(&q, r->have_asker ? r->asker : NULL);
	db_put_text(&q, r->state);
	return db_run(&q, NULL);
}

int
db_resource_sight(struct db *db, const struct db_resource *r, bool *ret_new)
{
	int changes = 0;
	int err = db_begin(db);
	if (err)
		return err;
	err = see_again(db, r->id, r->last_seen, r->sightings, &changes);
	if (!err && changes == 0)
		err = insert(db, r);
	err = db_end(db, err);
	if (!err)
		*ret_new = changes == 0;
	return err;
}

int
db_resource_seen(struct db *db, const uint8_t id[DB_ID], int64_t last_seen, uint64_t n, bool *ret_there)
{
	int changes = 0;
	int err = see_again(db, id, last_seen, n, &changes);
	if (!err)
		*ret_there = changes > 0;
	return err;
}

int
db_resource_get(struct db *db, const uint8_t id[DB_ID], struct db_resource *ret)
{
	struct db_query q;
	struct db_resource r = { 0 };
	db_query(&q, db, COLUMNS "WHERE r.id = ?");
	db_put_id(&q, id);
	int err = db_first(&q);
	if (err)
		return err;
	read_row(&q, &r);
	err = db_done(&q);
	if (!err)
		*ret = r;
	return err;
}

int
db_resource_move(struct db *db, const uint8_t id[DB_ID], const char *from, const char *to)
{
	struct db_query q;
	struct db_resource now;
	int changes = 0;
	db_query(&q, db, "UPDATE resource SET state = ?1 WHERE id = ?2 AND (?3 IS NULL OR state = ?3)");
	db_put_text(&q, to);
	db_put_id(&q, id);
	db_put_text(&q, from);
	int err = db_run(&q, &changes);
	if (err || changes)
		return err;
	err = db_resource_get(db, id, &now);
	return err ? err : db_fail(db, FG_ESTATE, "the resource is in another state");
}

int
db_resource_list(struct db *db, const char *profile, const char *state, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct db_resource *r), void *arg)
{
	struct db_query q;
	struct db_resource r;
	int step, said = 0;
	db_query(&q, db, COLUMNS "WHERE (?1 IS NULL OR r.profile = ?1) AND (?2 IS NULL OR r.state = ?2)"
				 " AND (?3 IS NULL OR r.id > ?3) ORDER BY r.id LIMIT ?4");
	db_put_text(&q, profile);
	db_put_text(&q, state);
	db_put_id(&q, after);
	db_put_i64(&q, db_limit(limit));
	while (said == 0 && (step = db_step(&q)) > 0) {
		read_row(&q, &r);
		said = q.err ? 0 : each(arg, &r);
	}
	int err = db_done(&q);
	return err ? err : said;
}

int
db_resource_count(struct db *db, const char *profile, uint64_t *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT count(*) FROM resource WHERE ?1 IS NULL OR profile = ?1");
	db_put_text(&q, profile);
	int err = db_first(&q);
	if (err)
		return err;
	*ret = db_get_u64(&q);
	return db_done(&q);
}

int
db_resource_drop(struct db *db, const uint8_t id[DB_ID])
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "DELETE FROM resource WHERE id = ?");
	db_put_id(&q, id);
	int err = db_run(&q, &changes);
	if (err == FG_ENOTFOUND) /* a reference held it back */
		return db_fail(db, FG_ESTATE, "the resource has candidates");
	if (!err && changes == 0)
		return db_fail(db, FG_ENOTFOUND, "no such resource");
	return err;
}
