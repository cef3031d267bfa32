/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/candidate.h"

#include <stdio.h>

#include "crypto/err.h"
#include "gateway/state/db_private.h"

#define SELECTED                                                                               \
	"SELECT c.id, c.resource, r.profile, c.state, c.image, c.size, c.in_quarantine, c.signature," \
	" c.report, c.provenance, c.policy, c.opened_at_log, c.created, c.updated, c.note,"           \
	" c.have_scope, c.max_devices, c.not_before, c.not_after, c.quorum, c.delay, c.plan, c.release_id," \
	" c.arrived, c.rival, c.hook FROM "
#define COLUMNS SELECTED "candidate c JOIN resource r ON r.id = c.resource "
/* What is known of resources leaves few of them, whose candidates an index has. */
#define BY_RESOURCE SELECTED "resource r CROSS JOIN candidate c ON c.resource = r.id "

enum list_kind { LIST_REQUESTER = 1, LIST_FROM, LIST_GROUP }; /* stored */

static void
read_row(struct db_query *q, struct db_candidate *c)
{
	c->id = db_get_u64(q);
	db_get_blob(q, c->resource, sizeof c->resource);
	db_get_text(q, c->profile, sizeof c->profile);
	db_get_text(q, c->state, sizeof c->state);
	c->have_image = db_get_blob(q, c->image, sizeof c->image);
	c->size = db_get_u64(q);
	c->in_quarantine = db_get_bool(q);
	c->have_signature = db_get_blob(q, c->signature, sizeof c->signature);
	c->have_report = db_get_blob(q, c->report, sizeof c->report);
	c->have_provenance = db_get_blob(q, c->provenance, sizeof c->provenance);
	c->have_policy = db_get_blob(q, c->policy, sizeof c->policy);
	c->opened_at_log = db_get_u64(q);
	c->created = db_get_i64(q);
	c->updated = db_get_i64(q);
	db_get_text(q, c->note, sizeof c->note);
	c->have_scope = db_get_bool(q);
	c->scope.max_devices = db_get_u32(q);
	c->scope.not_before = db_get_i64(q);
	c->scope.not_after = db_get_i64(q);
	c->scope.quorum = db_get_u32(q);
	c->scope.delay = db_get_u32(q);
	c->scope.have_plan = db_get_blob(q, c->scope.plan, sizeof c->scope.plan);
	c->have_release = db_get_blob(q, c->release, sizeof c->release);
	c->arrived = db_get_i64(q);
	c->rival = (enum db_rival)db_get_u8(q);
	c->have_hook = db_get_blob(q, c->hook, sizeof c->hook);
}

/* Where the next word of that list goes; NULL when it is full or no list. */
static char *
list_place(struct db_candidate *c, uint8_t kind, size_t *ret_cap)
{
	if (kind == LIST_REQUESTER && c->requesters_n < DB_LIST_MAX) {
		*ret_cap = sizeof c->requester[0];
		return c->requester[c->requesters_n++];
	}
	*ret_cap = DB_VERSION_MAX;
	if (kind == LIST_FROM && c->scope.from_n < DB_LIST_MAX)
		return c->scope.from[c->scope.from_n++];
	if (kind == LIST_GROUP && c->scope.groups_n < DB_LIST_MAX)
		return c->scope.groups[c->scope.groups_n++];
	return NULL;
}

static int
read_lists(struct db *db, struct db_candidate *c)
{
	struct db_query q;
	db_query(&q, db, "SELECT kind, word FROM candidate_list WHERE candidate = ? ORDER BY kind, position");
	db_put_u64(&q, c->id);
	while (db_step(&q) > 0) {
		size_t cap;
		char *word = list_place(c, db_get_u8(&q), &cap);
		if (!word) {
			db_done(&q);
			return db_fail(db, FG_EIO, "a stored list is longer than any that is written");
		}
		db_get_text(&q, word, cap);
	}
	return db_done(&q);
}

static int
put_list(struct db *db, uint64_t id, enum list_kind kind, const char *words, size_t width, uint32_t n)
{
	int r = n > DB_LIST_MAX ? db_fail(db, FG_ELIMIT, "a list is too long") : 0;
	for (uint32_t i = 0; i < n && !r; i++) {
		struct db_query q;
		db_query(&q, db, "INSERT INTO candidate_list (candidate, kind, position, word) VALUES (?,?,?,?)");
		db_put_u64(&q, id);
		db_put_i64(&q, kind);
		db_put_i64(&q, i);
		db_put_text(&q, words + i * width);
		r = db_run(&q, NULL);
	}
	return r;
}

static int
put_lists(struct db *db, uint64_t id, const struct db_candidate *c)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM candidate_list WHERE candidate = ?");
	db_put_u64(&q, id);
	int r = db_run(&q, NULL);
	if (!r)
		r = put_list(db, id, LIST_REQUESTER, c->requester[0], sizeof c->requester[0], c->requesters_n);
	if (r || !c->have_scope)
		return r;
	r = put_list(db, id, LIST_FROM, c->scope.from[0], sizeof c->scope.from[0], c->scope.from_n);
	if (!r)
		r = put_list(db, id, LIST_GROUP, c->scope.groups[0], sizeof c->scope.groups[0], c->scope.groups_n);
	return r;
}

/* The columns that both writers have, in the order both name them. */
static void
put_row(struct db_query *q, const struct db_candidate *c)
{
	db_put_text(q, c->state);
	db_put_sha256(q, c->have_image ? c->image : NULL);
	db_put_u64(q, c->size);
	db_put_i64(q, c->in_quarantine);
	db_put_sha256(q, c->have_signature ? c->signature : NULL);
	db_put_sha256(q, c->have_report ? c->report : NULL);
	db_put_sha256(q, c->have_provenance ? c->provenance : NULL);
	db_put_sha256(q, c->have_policy ? c->policy : NULL);
	db_put_u64(q, c->opened_at_log);
	db_put_i64(q, c->updated);
	db_put_text(q, c->note);
	db_put_i64(q, c->have_scope);
	db_put_i64(q, c->have_scope ? c->scope.max_devices : 0);
	db_put_i64(q, c->have_scope ? c->scope.not_before : 0);
	db_put_i64(q, c->have_scope ? c->scope.not_after : 0);
	db_put_i64(q, c->have_scope ? c->scope.quorum : 0);
	db_put_i64(q, c->have_scope ? c->scope.delay : 0);
	db_put_sha256(q, c->have_scope && c->scope.have_plan ? c->scope.plan : NULL);
	db_put_id(q, c->have_release ? c->release : NULL);
	db_put_i64(q, c->arrived);
	db_put_i64(q, c->rival);
	db_put_sha256(q, c->have_hook ? c->hook : NULL);
}

int
db_candidate_new(struct db *db, const struct db_candidate *c, uint64_t *ret_id)
{
	struct db_query q;
	uint64_t id = 0;
	int r = db_begin(db);
	if (r)
		return r;
	db_query(&q, db, "INSERT INTO candidate (state, image, size, in_quarantine, signature, report, provenance,"
			 " policy, opened_at_log, updated, note, have_scope, max_devices, not_before, not_after,"
			 " quorum, delay, plan, release_id, arrived, rival, hook, resource, created)"
			 " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	put_row(&q, c);
	db_put_id(&q, c->resource);
	db_put_i64(&q, c->created);
	r = db_run(&q, NULL);
	if (!r) {
		id = db_last_id(db);
		r = put_lists(db, id, c);
	}
	r = db_end(db, r);
	if (!r)
		*ret_id = id;
	return r;
}

static int
update_row(struct db *db, const struct db_candidate *c, const char *from)
{
	struct db_query q;
	struct db_candidate now;
	int changes = 0;
	db_query(&q, db, "UPDATE candidate SET state = ?, image = ?, size = ?, in_quarantine = ?, signature = ?,"
			 " report = ?, provenance = ?, policy = ?, opened_at_log = ?, updated = ?, note = ?,"
			 " have_scope = ?, max_devices = ?, not_before = ?, not_after = ?, quorum = ?, delay = ?, plan = ?,"
			 " release_id = ?,"
			 " arrived = ?, rival = ?, hook = ?"
			 " WHERE id = ? AND state = ?");
	put_row(&q, c);
	db_put_u64(&q, c->id);
	db_put_text(&q, from);
	int r = db_run(&q, &changes);
	if (r || changes)
		return r;
	r = db_candidate_get(db, c->id, &now);
	return r ? r : db_fail(db, FG_ESTATE, "the candidate is in another state");
}

int
db_candidate_update(struct db *db, const struct db_candidate *c, const char *from)
{
	int r = db_begin(db);
	if (r)
		return r;
	r = update_row(db, c, from);
	if (!r)
		r = put_lists(db, c->id, c);
	return db_end(db, r);
}

/* Ends a query whose parameters are bound: its first row, with lists. */
static int
one(struct db_query *q, struct db_candidate *ret)
{
	struct db_candidate c = { 0 };
	int r = db_first(q);
	if (r)
		return r;
	read_row(q, &c);
	r = db_done(q);
	if (!r)
		r = read_lists(q->db, &c);
	if (!r)
		*ret = c;
	return r;
}

int
db_candidate_get(struct db *db, uint64_t id, struct db_candidate *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE c.id = ?");
	db_put_u64(&q, id);
	return one(&q, ret);
}

int
db_candidate_of(struct db *db, const uint8_t resource[DB_ID], const uint8_t image[DIGEST_SHA256_LEN],
    struct db_candidate *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE c.resource = ? AND c.image = ?");
	db_put_id(&q, resource);
	db_put_sha256(&q, image);
	return one(&q, ret);
}

int
db_candidate_newest(struct db *db, const uint8_t resource[DB_ID], struct db_candidate *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE c.resource = ? ORDER BY c.id DESC LIMIT 1");
	db_put_id(&q, resource);
	return one(&q, ret);
}

int
db_candidate_by_release(struct db *db, const uint8_t release[DB_ID], struct db_candidate *ret)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE c.release_id = ?");
	db_put_id(&q, release);
	return one(&q, ret);
}

/* Ends a query whose parameters are bound: every row, with lists. */
static int
every(struct db_query *q, int (*each)(void *arg, const struct db_candidate *c), void *arg)
{
	int said = 0, lists = 0;
	while (said == 0 && db_step(q) > 0) {
		struct db_candidate c = { 0 };
		read_row(q, &c);
		lists = q->err ? 0 : read_lists(q->db, &c);
		if (lists)
			break;
		said = q->err ? 0 : each(arg, &c);
	}
	int r = db_done(q);
	return r ? r : lists ? lists : said;
}

_Static_assert(DB_RIVAL_FREEZES == 2, "the index of migration 14 is of those");

int
db_candidate_freezing(struct db *db, int (*each)(void *arg, const struct db_candidate *c), void *arg)
{
	struct db_query q;
	db_query(&q, db, COLUMNS "WHERE c.rival = 2 ORDER BY c.id");
	return every(&q, each, arg);
}

int
db_candidate_list(struct db *db, const struct db_candidate_filter *f,
    int (*each)(void *arg, const struct db_candidate *c), void *arg)
{
	struct db_query q;
	bool few = f->target && f->from && f->profile;
#define WANTED "WHERE (?1 IS NULL OR c.state = ?1) AND (?2 IS NULL OR r.profile = ?2)" \
	" AND (?3 IS NULL OR c.resource = ?3) AND (?4 IS NULL OR c.image = ?4)" \
	" AND (?7 IS NULL OR r.product = ?7) AND (?8 = 0 OR c.release_id IS NOT NULL)" \
	" AND (?9 IS NULL OR r.target = ?9) AND (?10 IS NULL OR r.from_version = ?10) AND c.id > ?5"
	if (few)
		db_query(&q, db, f->youngest_first ? BY_RESOURCE WANTED " AND r.profile = ?2 ORDER BY c.id DESC LIMIT ?6" :
		    BY_RESOURCE WANTED " AND r.profile = ?2 ORDER BY c.id LIMIT ?6");
	else
		db_query(&q, db, f->youngest_first ? COLUMNS WANTED " ORDER BY c.id DESC LIMIT ?6" :
		    COLUMNS WANTED " ORDER BY c.id LIMIT ?6");
#undef WANTED
	db_put_text(&q, f->state);
	db_put_text(&q, f->profile);
	db_put_id(&q, f->resource);
	db_put_sha256(&q, f->image);
	db_put_u64(&q, f->youngest_first ? 0 : f->after);
	db_put_i64(&q, db_limit(f->limit));
	db_put_text(&q, f->product);
	db_put_i64(&q, f->released);
	db_put_text(&q, f->target);
	db_put_text(&q, f->from);
	return every(&q, each, arg);
}

int
db_candidate_images(struct db *db, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct db_image *i), void *arg)
{
	static const uint8_t none[DIGEST_SHA256_LEN];
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT image, max(size), count(*), max(in_quarantine), coalesce(min(nullif(arrived, 0)), 0)"
			 " FROM candidate WHERE image > ? GROUP BY image ORDER BY image LIMIT ?");
	db_put_sha256(&q, after ? after : none);
	db_put_i64(&q, db_limit(limit));
	while (said == 0 && db_step(&q) > 0) {
		struct db_image i = { 0 };
		db_get_blob(&q, i.image, sizeof i.image);
		i.size = db_get_u64(&q);
		i.candidates = db_get_u64(&q);
		i.in_quarantine = db_get_bool(&q);
		i.arrived = db_get_i64(&q);
		said = q.err ? 0 : each(arg, &i);
	}
	int r = db_done(&q);
	return r ? r : said;
}

int
db_candidate_states(struct db *db, int (*each)(void *arg, const char *state, uint64_t n), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT state, count(*) FROM candidate GROUP BY state");
	while (said == 0 && db_step(&q) > 0) {
		char state[DB_WORD_MAX];
		db_get_text(&q, state, sizeof state);
		uint64_t n = db_get_u64(&q);
		said = q.err ? 0 : each(arg, state, n);
	}
	int r = db_done(&q);
	return r ? r : said;
}

int
db_candidate_usage(struct db *db, const char *profile, uint64_t *ret_bytes)
{
	struct db_query q;
	/* The same bytes under two URLs, or as a base as well, lie there once. */
	db_query(&q, db, "SELECT coalesce(sum(size), 0) FROM (SELECT image, max(size) AS size FROM"
			 " (SELECT c.image, c.size FROM candidate c JOIN resource r ON r.id = c.resource"
			 " WHERE r.profile = ?1 AND c.in_quarantine = 1"
			 " UNION ALL SELECT image, size FROM base WHERE profile = ?1) GROUP BY image)");
	db_put_text(&q, profile);
	int r = db_first(&q);
	if (r)
		return r;
	*ret_bytes = db_get_u64(&q);
	return db_done(&q);
}

int
db_candidate_needs_file(struct db *db, const uint8_t image[DIGEST_SHA256_LEN], uint64_t but, bool *ret)
{
	struct db_query q;
	db_query(&q, db, "SELECT EXISTS (SELECT 1 FROM candidate WHERE image = ?1 AND in_quarantine = 1 AND id <> ?2)"
			 " OR EXISTS (SELECT 1 FROM base WHERE image = ?1 AND (candidate = 0 OR candidate <> ?2))");
	db_put_sha256(&q, image);
	db_put_u64(&q, but);
	int r = db_first(&q);
	if (r)
		return r;
	*ret = db_get_bool(&q);
	return db_done(&q);
}

int
db_candidate_number_from(struct db *db, uint64_t id)
{
	struct db_query q;
	db_query(&q, db, "INSERT INTO sqlite_sequence (name, seq) SELECT 'candidate', 0"
			 " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'candidate')");
	int r = db_run(&q, NULL);
	if (r)
		return r;
	db_query(&q, db, "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'candidate'");
	db_put_u64(&q, id);
	return db_run(&q, NULL);
}

void
db_candidate_review(uint64_t id, char dst[DB_REVIEW_CAP])
{
	snprintf(dst, DB_REVIEW_CAP, "R-%llu", (unsigned long long)id);
}

bool
db_candidate_review_parse(struct view text, uint64_t *ret_id)
{
	uint64_t n = 0;
	if (text.n < 3 || memcmp(text.p, "R-", 2) != 0 || text.p[2] == '0')
		return false;
	for (size_t i = 2; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(text.p[i] - '0'), &n))
			return false;
	*ret_id = n;
	return true;
}
