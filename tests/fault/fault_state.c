/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control's database under every fault, a candidate for each move of the table in
 * policy/lifecycle.h. Held: a move that was acknowledged is there; a state that
 * nobody moved to is not, approved least of all; what belongs to one move is there
 * with it or not at all; a failed write is never called a success.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "fault/campaign.h"
#include "fault/sqlite.h"
#include "gateway/state/candidate.h"
#include "gateway/state/db.h"
#include "gateway/state/grant.h"
#include "gateway/state/meta.h"
#include "gateway/state/resource.h"
#include "gateway/state/restriction.h"
#include "gateway/state/statement.h"
#include "policy/lifecycle.h"

#define MOVES_MAX 64
#define AT 1767261600

struct tale {
	bool tried[MOVES_MAX], moved[MOVES_MAX]; /* moved: acknowledged */
	uint64_t meta;                           /* acknowledged */
	unsigned grants;
	unsigned statements, restrictions;       /* while judging */
};

static struct db *
open_db(const char *dir, int *ret_err)
{
	char path[200], why[256] = "";
	struct db *db = NULL;
	snprintf(path, sizeof path, "%s/state.db", dir);
	*ret_err = db_open(path, &db, why, sizeof why);
	return db;
}

/* The candidate of move i; the first ids are theirs. */
static uint64_t
id_of(size_t i)
{
	return i + 1;
}

static void
name_bytes(uint8_t *p, size_t n, size_t i)
{
	memset(p, (int)i + 1, n);
}

static void
base(void *ctx, const char *dir)
{
	int err;
	(void)ctx;
	if (mkdir(dir, 0755))
		abort();
	struct db *db = open_db(dir, &err);
	for (size_t i = 0; !err && i < lifecycle_count(); i++) {
		struct db_resource r = { .first_seen = AT, .last_seen = AT, .sightings = 1 };
		struct db_candidate c = { .size = 1000, .have_image = true, .in_quarantine = true, .created = AT, .updated = AT };
		bool fresh;
		uint64_t id = 0;
		name_bytes(r.id, sizeof r.id, i);
		snprintf(r.profile, sizeof r.profile, "EC25");
		snprintf(r.url, sizeof r.url, "https://vendor.example/%zu.bin", i);
		snprintf(r.product, sizeof r.product, "EC25");
		snprintf(r.target, sizeof r.target, "A09");
		snprintf(r.state, sizeof r.state, "sighted");
		err = db_resource_sight(db, &r, &fresh);
		memcpy(c.resource, r.id, sizeof c.resource);
		name_bytes(c.image, sizeof c.image, i);
		snprintf(c.state, sizeof c.state, "%s", lifecycle_state_name(lifecycle_at(i)->from));
		if (!err)
			err = db_candidate_new(db, &c, &id);
		if (!err && id != id_of(i))
			abort();
	}
	if (err)
		abort();
	db_close(db);
}

static void
begin(void *ctx)
{
	memset(ctx, 0, sizeof(struct tale));
}

/* ---- the story ---- */

static int
sign(struct db *db, size_t i)
{
	int err = 0;
	for (unsigned k = 0; !err && k < 2; k++) {
		struct db_statement s = { .candidate = id_of(i), .submitted = AT, .state = DB_STATEMENT_COUNTED };
		name_bytes(s.sha256, sizeof s.sha256, 100 + 2 * i + k);
		snprintf(s.approver, sizeof s.approver, "person%u@example.com", k);
		err = db_statement_add(db, &s);
	}
	return err;
}

static int
restrict_image(struct db *db, size_t i)
{
	struct db_restriction r = { .kind = 1, .log_size = 50 + i, .at = AT };
	name_bytes(r.image, sizeof r.image, i);
	snprintf(r.by, sizeof r.by, "alice");
	return db_restriction_add(db, &r);
}

/* With what belongs to it, as one. */
static int
move(struct db *db, size_t i)
{
	const struct lifecycle_move *m = lifecycle_at(i);
	struct db_candidate c;
	int err = db_candidate_get(db, id_of(i), &c);
	if (err || !strcmp(c.state, lifecycle_state_name(m->to)))
		return err; /* a life before got that far */
	snprintf(c.state, sizeof c.state, "%s", lifecycle_state_name(m->to));
	err = db_begin(db);
	if (err)
		return err;
	if (m->to == LIFECYCLE_APPROVED) {
		c.have_release = true;
		name_bytes(c.release, sizeof c.release, i);
		err = sign(db, i);
	} else if (m->to == LIFECYCLE_REJECTED || m->to == LIFECYCLE_REVOKED) {
		err = restrict_image(db, i);
	}
	if (!err)
		err = db_candidate_update(db, &c, lifecycle_state_name(m->from));
	return db_end(db, err);
}

static int
tell(void *ctx, const char *dir, unsigned life)
{
	struct tale *t = ctx;
	int err;
	struct db *db = open_db(dir, &err);
	for (size_t i = 0; !err && i < lifecycle_count(); i++) {
		t->tried[i] = true;
		err = move(db, i);
		if (!err && campaign_alive())
			t->moved[i] = true;
		if (err || i % 7)
			continue;
		struct db_grant g = { .at = AT };
		name_bytes(g.module, sizeof g.module, i);
		name_bytes(g.release, sizeof g.release, i);
		err = db_grant_put(db, &g);
		if (!err && campaign_alive() && t->grants < i / 7 + 1)
			t->grants = (unsigned)i / 7 + 1;
		if (!err)
			err = db_meta_set_u64(db, DB_META_GENERATION, 100 * life + i);
		if (!err && campaign_alive())
			t->meta = 100 * life + i;
	}
	db_close(db);
	return err;
}

/* ---- what must hold ---- */

static int
count_statement(void *arg, const struct db_statement *s)
{
	(void)s;
	((struct tale *)arg)->statements++;
	return 0;
}

static int
count_restriction(void *arg, const struct db_restriction *r)
{
	(void)r;
	((struct tale *)arg)->restrictions++;
	return 0;
}

static void
judge_move(struct tale *t, struct db *db, size_t i)
{
	const struct lifecycle_move *m = lifecycle_at(i);
	const char *from = lifecycle_state_name(m->from), *to = lifecycle_state_name(m->to);
	struct db_candidate c;
	int err = db_candidate_get(db, id_of(i), &c);
	if (!fault_check(err == 0, "%s, %s: %s", from, lifecycle_verb_name(m->verb), err_name(err)))
		return;
	bool there = !strcmp(c.state, to);
	fault_check(there || !strcmp(c.state, from), "%s became %s, not %s", from, c.state, to);
	fault_check(there || !t->moved[i], "%s, %s: lost", from, lifecycle_verb_name(m->verb));
	fault_check(!there || t->tried[i], "%s, %s: happened by itself", from, lifecycle_verb_name(m->verb));
	t->statements = t->restrictions = 0;
	err = db_statement_list(db, c.id, count_statement, t);
	if (!err)
		err = db_restriction_list(db, c.image, count_restriction, t);
	fault_check(err == 0, "%s", err_name(err));
	bool approved = there && m->to == LIFECYCLE_APPROVED;
	bool restricted = there && (m->to == LIFECYCLE_REJECTED || m->to == LIFECYCLE_REVOKED);
	fault_check(t->statements == (approved ? 2 : 0) && c.have_release == approved,
	    "%s with %u statements%s", c.state, t->statements, c.have_release ? " and a release" : "");
	fault_check(t->restrictions == (restricted ? 1 : 0), "%s with %u restrictions", c.state, t->restrictions);
}

static void
judge(void *ctx, const char *dir)
{
	struct tale *t = ctx;
	int err;
	uint64_t meta = 0;
	struct db *db = open_db(dir, &err);
	if (!fault_check(err == 0, "the database does not open: %s", err_name(err)))
		return;
	for (size_t i = 0; i < lifecycle_count(); i++)
		judge_move(t, db, i);
	for (unsigned i = 0; i < t->grants; i++) {
		struct db_grant g;
		uint8_t module[DB_ID], release[DB_ID];
		name_bytes(module, sizeof module, 7 * i);
		name_bytes(release, sizeof release, 7 * i);
		fault_check(db_grant_get(db, module, release, &g) == 0, "a grant is lost");
	}
	err = db_meta_get_u64(db, DB_META_GENERATION, &meta);
	fault_check((err == 0 && meta >= t->meta) || (err == FG_ENOTFOUND && !t->meta), "generation %" PRIu64 " after %" PRIu64,
	    meta, t->meta);
	db_close(db);
}

/* ---- the very first start: the schema itself ---- */

static void
empty(void *ctx, const char *dir)
{
	(void)ctx;
	if (mkdir(dir, 0755))
		abort();
}

static int
first(void *ctx, const char *dir, unsigned life)
{
	struct tale *t = ctx;
	int err;
	struct db *db = open_db(dir, &err);
	if (!err)
		err = db_meta_set_u64(db, DB_META_GENERATION, life);
	if (!err && campaign_alive())
		t->meta = life;
	db_close(db);
	return err;
}

static void
judge_first(void *ctx, const char *dir)
{
	const struct tale *t = ctx;
	int err;
	uint64_t meta = 0;
	struct db *db = open_db(dir, &err);
	if (!fault_check(err == 0, "the database does not open: %s", err_name(err)))
		return;
	err = db_meta_get_u64(db, DB_META_GENERATION, &meta);
	fault_check((err == 0 && meta >= t->meta) || (err == FG_ENOTFOUND && !t->meta), "what was written first is lost");
	db_close(db);
}

int
main(void)
{
	struct tale *t = calloc(1, sizeof *t);
	if (!t || lifecycle_count() > MOVES_MAX)
		abort();
	sqlite_use_disk();
	fault_begin("state");
	campaign_run(&(struct campaign){ .name = "life cycle", .ctx = t, .base = base, .begin = begin, .tell = tell,
	    .judge = judge, .lots = 1, .step = 41, .every = 61 });
	campaign_run(&(struct campaign){ .name = "first start", .ctx = t, .base = empty, .begin = begin, .tell = first,
	    .judge = judge_first, .lots = 1, .step = 61, .every = 61, .sparse = 7 });
	free(t);
	return fault_end();
}
