/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/rollouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "gateway/control/rollouts_private.h"
#include "policy/rollout_plan.h"

static enum grants_reason guard(void *ctx, const struct inventory_module *m, const uint8_t release[RELEASE_ID], bool first);

struct rollouts *
rollouts_new(struct control *c)
{
	struct rollouts *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->c = c;
	LIST_INIT(&r->all);
	grants_set_guard(c->grants, guard, r);
	return r;
}

static void
rollout_free(struct rollout *one)
{
	LIST_REMOVE(one, link);
	free(one->plan);
	rollouts_caps_free(one->caps);
	rollouts_caps_free(one->caps_round);
	free(one);
}

void
rollouts_free(struct rollouts *r)
{
	if (!r)
		return;
	while (!LIST_EMPTY(&r->all))
		rollout_free(LIST_FIRST(&r->all));
	grants_set_guard(r->c->grants, NULL, NULL);
	free(r);
}

struct rollout *
rollouts_find(const struct rollouts *r, const uint8_t id[RELEASE_ID])
{
	struct rollout *one;
	LIST_FOREACH(one, &r->all, link)
		if (!memcmp(one->id, id, RELEASE_ID))
			return one;
	return NULL;
}

/* ---- the plan ---- */

static int
read_policy(struct control *c, const char *profile, const uint8_t policy[DIGEST_SHA256_LEN], struct writer *w)
{
	const struct policy *now = policies_find(c->policies, profile);
	if (now && !memcmp(now->digest, policy, DIGEST_SHA256_LEN)) {
		writer_bytes(w, now->text);
		return writer_err(w);
	}
	return files_doc_get(c->files, FILES_POLICY, policy, w); /* compares the digest */
}

int
rollouts_plan_of(struct control *c, const char *profile, const uint8_t policy[DIGEST_SHA256_LEN],
    struct rollout_plan *ret, bool *ret_have, uint8_t digest[DIGEST_SHA256_LEN])
{
	struct writer w;
	writer_init(&w, FILES_DOC_MAX);
	int err = read_policy(c, profile, policy, &w);
	if (!err)
		err = rollout_plan_read(writer_view(&w), ret, ret_have, digest);
	writer_free(&w);
	return err;
}

/* From what people signed, or not at all. */
static void
find_plan(struct control *c, struct rollout *one)
{
	struct rollout_plan *plan = calloc(1, sizeof *plan);
	uint8_t digest[DIGEST_SHA256_LEN];
	bool have = false;
	int err = plan ? rollouts_plan_of(c, one->profile, one->policy, plan, &have, digest) : FG_ENOMEM;
	/* Statements name the plan beside the policy it stands in. */
	if (!err && one->named && (!have || memcmp(digest, one->plan_digest, sizeof digest) != 0))
		err = FG_EFORMAT;
	if (!err && have)
		one->plan = plan;
	else
		free(plan);
	/* Where there is no memory for it nobody new gets it. */
	if (one->plan && rollouts_caps_wanted(one->plan, ROLLOUTS_SHARES)) {
		one->caps = rollouts_caps_new();
		one->caps_round = rollouts_caps_new();
	}
	if (err && !one->lost) /* said once, and looked for again */
		oplog(OPLOG_ERR, "the policy that a release was signed under could not be read: %s; it is offered to nobody",
		    err_name(err));
	one->lost = err != 0;
}

bool
rollouts_is_offered(const struct rollout *one)
{
	return one->standing.state == ROLLOUT_RUNNING || one->standing.state == ROLLOUT_DONE;
}

static void
let_in(const struct rollout *one, struct rollout_open *ret)
{
	*ret = (struct rollout_open){ 0 };
	if (one->lost)
		return;
	if (!one->plan)
		rollout_open_all(ret);
	else if (rollouts_is_offered(one))
		rollout_open_to(one->plan, one->standing.ring, one->standing.held, ret);
}

void
rollouts_apply(struct rollouts *r, const struct rollout *one, bool now)
{
	struct rollout_open open;
	let_in(one, &open);
	releases_let_in(r->c->releases, one->id, &open, now);
}

void
rollouts_save(struct rollouts *r, const struct rollout *one)
{
	struct db_rollout row = { .state = (uint8_t)one->standing.state, .ring = (uint8_t)one->standing.ring,
		.since = one->standing.since, .held = (uint8_t)one->standing.held, .stopped = one->stopped };
	memcpy(row.release, one->id, sizeof row.release);
	snprintf(row.plan, sizeof row.plan, "%s", one->plan->name);
	memcpy(row.by, one->by, sizeof row.by);
	memcpy(row.reason, one->reason, sizeof row.reason);
	if (db_rollout_put(r->c->db, &row))
		oplog(OPLOG_ERR, "a rollout is %s but that could not be written down: %s",
		    rollout_state_name(one->standing.state), db_why(r->c->db));
}

void
rollouts_become(struct rollouts *r, struct rollout *one, enum rollout_state state, const char *by, const char *reason)
{
	one->standing.state = state;
	snprintf(one->by, sizeof one->by, "%s", by);
	snprintf(one->reason, sizeof one->reason, "%s", reason);
	rollouts_save(r, one);
}

/* ---- what the log gets ---- */

void
rollouts_object(const uint8_t id[RELEASE_ID], char dst[ROLLOUTS_OBJECT_CAP])
{
	char hex[2 * RELEASE_ID + 1];
	hex_encode(id, RELEASE_ID, hex);
	snprintf(dst, ROLLOUTS_OBJECT_CAP, "release:%s", hex);
}

struct msg_append *
rollouts_entry(const struct rollout *one, enum entry_event event, const char *by, unsigned ring, unsigned counted)
{
	char obj[ROLLOUTS_OBJECT_CAP];
	const struct rollout_count *n = &one->standing.count[counted];
	rollouts_object(one->id, obj);
	struct msg_append *e = logbook_entry(event, "ok", by, obj);
	if (!e)
		return NULL;
	logbook_ref(e, "plan", one->plan->name);
	logbook_ref(e, "ring", one->plan->rings[ring].name);
	logbook_ref_number(e, "number", ring);
	logbook_ref_number(e, "granted", n->granted);
	logbook_ref_number(e, "success", n->success);
	logbook_ref_number(e, "failure", n->failure);
	logbook_ref_number(e, "silent", n->silent);
	return e;
}

/* ---- beginning ---- */

/* The first ring, which the approval opens. */
static void
create(struct rollouts *r, struct rollout *one)
{
	one->standing.ring = 0;
	one->standing.since = control_now(r->c);
	rollouts_become(r, one, ROLLOUT_RUNNING, "control", "");
	struct msg_append *e = rollouts_entry(one, ENTRY_ROLLOUT_CREATED, "control", 0, 0);
	logbook_say(e, "the first ring is open");
	logbook_tell(r->c->logbook, e);
	one->known = true; /* what the log has of it now */
	one->said = (struct rollouts_said){ .since = one->standing.since, .endpoints = one->said.endpoints };
	r->due = true;
}

/* Whatever the log knows of it: what restricts holds by the database alone. */
static bool
stays_shut(const struct rollout *one)
{
	return one->standing.state == ROLLOUT_PAUSED || one->standing.state == ROLLOUT_ABORTED ||
	    one->standing.state == ROLLOUT_SUPERSEDED;
}

static void
take_up(struct rollouts *r, struct rollout *one)
{
	struct db_rollout row;
	int err = db_rollout_get(r->c->db, one->id, &row);
	if (!err) {
		/* A word that nobody wrote is no state, and lets nobody in. */
		one->standing.state = row.state < ROLLOUT_STATES ? (enum rollout_state)row.state : ROLLOUT_PAUSED;
		one->standing.ring = row.ring < one->plan->rings_n ? row.ring : 0;
		one->standing.since = row.since;
		one->standing.held = row.held;
		/* Stopped before stops had names. */
		one->stopped = row.stopped > 0 || !stays_shut(one) ? row.stopped : row.since;
		memcpy(one->by, row.by, sizeof one->by);
		memcpy(one->reason, row.reason, sizeof one->reason);
	} else if (err != FG_ENOTFOUND) {
		oplog(OPLOG_ERR, "how far a rollout is could not be read: %s", db_why(r->c->db));
		one->standing.state = ROLLOUT_PAUSED;
		snprintf(one->reason, sizeof one->reason, "how far it is could not be read");
	} else if (replay_done(r->c->replay)) {
		create(r, one);
	} /* else the log may know it: rollouts_mended() */
	r->due = true;
}

void
rollouts_begin(struct rollouts *r, const uint8_t id[RELEASE_ID], const struct release *record, struct rollout_open *ret)
{
	const struct approval_terms *t = &record->terms;
	struct rollout *one = calloc(1, sizeof *one);
	*ret = (struct rollout_open){ 0 };
	if (!one) /* nobody gets it until the next start */
		return;
	memcpy(one->id, id, sizeof one->id);
	memcpy(one->policy, t->policy, sizeof one->policy);
	one->named = t->have_plan;
	memcpy(one->plan_digest, t->plan, sizeof one->plan_digest);
	memcpy(one->resource, t->resource, sizeof one->resource);
	snprintf(one->profile, sizeof one->profile, "%s", t->profile);
	snprintf(one->product, sizeof one->product, "%s", t->product);
	snprintf(one->target, sizeof one->target, "%s", t->target);
	one->issued = record->issued;
	LIST_INSERT_HEAD(&r->all, one, link);
	find_plan(r->c, one);
	one->counted = grants_granted(r->c->grants, id) == 0;
	if (one->plan)
		take_up(r, one);
	let_in(one, ret);
}

void
rollouts_end(struct rollouts *r, const uint8_t id[RELEASE_ID])
{
	struct rollout *one = rollouts_find(r, id);
	if (one)
		rollout_free(one);
}

/* ---- grants ---- */

static bool
is_fresh(const struct rollout *one, const struct inventory_module *m)
{
	return m->first_seen <= 0 || m->first_seen > one->issued;
}

const char *
rollouts_group(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m)
{
	const struct policy *p = policies_find(r->c->policies, one->profile);
	const char *own = inventory_group(m);
	return own[0] ? own : p ? p->profile->default_group : "";
}

unsigned
rollouts_ring(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m, uint64_t place)
{
	return rollout_ring_of(one->plan, place, view_str(rollouts_group(r, one, m)), is_fresh(one, m));
}

static unsigned
ring_now(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m)
{
	return rollouts_ring(r, one, m, rollout_place(one->id, m->pseudonym));
}

/* As many as its plan lets through at a time, or in a day, were granted it; before all were counted nobody knows. */
static bool
is_paced(const struct rollout *one)
{
	return !one->counted || one->under_way >= (uint64_t)one->plan->concurrent ||
	    one->today >= (uint64_t)one->plan->per_day;
}

/* What names a module among those that share it. */
static const char *
share_name(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m, enum rollouts_share share,
    char tag[TAGS_WORD_MAX + 1])
{
	if (share == ROLLOUTS_BY_GROUP)
		return rollouts_group(r, one, m);
	rollouts_caps_name(m->tags, share, tag);
	return tag;
}

/* The first of what the module shares that is full; ROLLOUTS_SHARES: none. Before all were counted nobody knows. */
static enum rollouts_share
paced_share(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m)
{
	char tag[TAGS_WORD_MAX + 1];
	for (unsigned i = 0; i < ROLLOUTS_SHARES; i++) {
		enum rollouts_share share = (enum rollouts_share)i;
		if (rollouts_caps_wanted(one->plan, share) && (!one->caps || !one->caps_round || !one->counted ||
		    rollouts_caps_is_full(one->caps, share, share_name(r, one, m, share, tag), one->plan)))
			return share;
	}
	return ROLLOUTS_SHARES;
}

void
rollouts_count_shares(const struct rollouts *r, const struct rollout *one, struct rollouts_caps *caps,
    const struct inventory_module *m, bool under_way, bool today)
{
	char tag[TAGS_WORD_MAX + 1];
	for (unsigned i = 0; caps && i < ROLLOUTS_SHARES; i++) {
		enum rollouts_share share = (enum rollouts_share)i;
		if (rollouts_caps_wanted(one->plan, share))
			rollouts_caps_count(caps, share, share_name(r, one, m, share, tag), under_way, today);
	}
}

static enum grants_reason
guard(void *ctx, const struct inventory_module *m, const uint8_t release[RELEASE_ID], bool first)
{
	struct rollouts *r = ctx;
	struct rollout *one = rollouts_find(r, release);
	if (!one || one->lost)
		return GRANTS_RING;
	if (!one->plan)
		return GRANTS_YES;
	if (!rollout_is_open(&one->standing, ring_now(r, one, m)))
		return GRANTS_RING;
	if (!first)
		return GRANTS_YES;
	if (is_paced(one) || paced_share(r, one, m) != ROLLOUTS_SHARES)
		return GRANTS_PACED;
	/* Counted right with all others in the next round; one under way may have passed its place. */
	one->under_way++;
	one->today++;
	one->round.under_way++;
	one->round.today++;
	rollouts_count_shares(r, one, one->caps, m, true, true);
	rollouts_count_shares(r, one, one->caps_round, m, true, true);
	return GRANTS_YES;
}

/* ---- on and off ---- */

struct opening { /* waits for its entry */
	struct rollouts *all;
	uint8_t id[RELEASE_ID];
	unsigned ring; /* ROLLOUT_RINGS_MAX: it is done */
};

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct opening *o = ctx;
	struct rollout *one = rollouts_find(o->all, o->id);
	(void)index;
	if (one) {
		one->opening = false;
		/* What stops it may have come first; the log then has them in another order, and that holds. */
		bool still = !err && one->standing.state == ROLLOUT_RUNNING && rollouts_may_open(o->all, one);
		if (still && o->ring == ROLLOUT_RINGS_MAX) {
			rollouts_become(o->all, one, ROLLOUT_DONE, "control", "");
		} else if (still && o->ring == one->standing.ring + 1) {
			one->standing.ring = o->ring;
			one->standing.since = control_now(o->all->c);
			rollouts_save(o->all, one);
			rollouts_apply(o->all, one, false);
		}
		o->all->due = true;
	}
	free(o);
}

bool
rollouts_may_open(const struct rollouts *r, const struct rollout *one)
{
	return !one->opening && !releases_withheld(r->c->releases, one->id);
}

/* Opening permits: the log has it first, and everything that signatures need stands. */
static void
go_on(struct rollouts *r, struct rollout *one, bool finish)
{
	struct control *c = r->c;
	unsigned ring = one->standing.ring;
	if (!rollouts_may_open(r, one) || !control_permits(c) || halts_now(c->halts) || !timekeep_is_sure(c))
		return;
	struct opening *o = calloc(1, sizeof *o);
	struct msg_append *e = rollouts_entry(one, finish ? ENTRY_ROLLOUT_CLOSED : ENTRY_ROLLOUT_PROMOTED, "control",
	    finish ? ring : ring + 1, ring);
	if (o && e) {
		*o = (struct opening){ .all = r, .ring = finish ? ROLLOUT_RINGS_MAX : ring + 1 };
		memcpy(o->id, one->id, sizeof o->id);
		logbook_say(e, finish ? "all rings have shown what they must" : "the rings before it have shown what they must");
		one->opening = logbook_append(c->logbook, e, on_logged, o) == FG_OK;
	}
	if (!one->opening)
		free(o);
	free(e);
}

bool
rollouts_goes(const struct rollouts *r, const uint8_t id[RELEASE_ID], bool *ret_plan)
{
	const struct rollout *one = rollouts_find(r, id);
	*ret_plan = one && one->plan;
	return one && !one->lost && (!one->plan || rollouts_is_offered(one));
}

static void
drive(struct rollouts *r, struct rollout *one)
{
	char why[160];
	struct rollout_standing s = one->standing;
	bool done = s.state == ROLLOUT_DONE;
	/* The last ring has shown enough, and most of the fleet may still come: what pauses it does so to the end. */
	if (done)
		s.state = ROLLOUT_RUNNING;
	const struct rollout_next next = rollout_next(one->plan, &s, timekeep_earliest(r->c));
	if (done && next.verdict != ROLLOUT_PAUSE)
		return;
	switch (next.verdict) {
	case ROLLOUT_OPEN:
		go_on(r, one, false);
		break;
	case ROLLOUT_FINISH:
		go_on(r, one, true);
		break;
	case ROLLOUT_WAIT:
		break;
	default: {
		unsigned ring = next.ring < one->plan->rings_n ? next.ring : 0;
		const struct rollout_count *n = &one->standing.count[ring];
		snprintf(why, sizeof why, "%s Ring %s: %u granted, %u well, %u failed, %u silent.", rollout_why_text(next.why),
		    one->plan->rings[ring].name, n->granted, n->success, n->failure, n->silent);
		rollouts_pause_it(r, one, ring, "control", why);
		break;
	}
	}
}

static const char *mend(struct rollouts *r, struct rollout *one, const struct rollouts_said *said);

void
rollouts_find_again(struct rollouts *r, struct rollout *one)
{
	const char *differs = NULL;
	find_plan(r->c, one);
	if (one->plan)
		take_up(r, one);
	if (one->plan && one->known)
		differs = mend(r, one, &one->said);
	else if (one->plan && !stays_shut(one))
		create(r, one);
	if (differs) {
		char obj[ROLLOUTS_OBJECT_CAP];
		rollouts_become(r, one, one->standing.state, "log", differs);
		rollouts_object(one->id, obj);
		oplog(OPLOG_ERR, "the database differs from the log, which wins: %s: %s", obj, differs);
		struct msg_append *e = logbook_entry(ENTRY_STATE_DIFFERS, "failed", "control", obj);
		logbook_say(e, "%s", differs);
		logbook_tell(r->c->logbook, e);
	}
	if (!one->lost)
		rollouts_apply(r, one, false);
}

bool
rollouts_round(struct rollouts *r, int64_t until)
{
	struct rollout *one;
	if (!r->counting)
		LIST_FOREACH(one, &r->all, link)
			if (one->lost)
				rollouts_find_again(r, one);
	if (!rollouts_count(r, until))
		return false;
	LIST_FOREACH(one, &r->all, link)
		if (one->plan && one->counted && rollouts_is_offered(one))
			drive(r, one);
	return true;
}

void
rollouts_tick(struct rollouts *r)
{
	int64_t began = clock_mono_ms(r->c->clock);
	/* Before the log was read nobody knows who has reported: they would all seem silent. */
	if (!replay_done(r->c->replay))
		return;
	if (r->owes)
		rollouts_tell_owed(r, began + ROLLOUTS_SLICE_MS);
	rollouts_awake(r);
	if (!r->counting && !r->due && began < r->look_at)
		return;
	if (rollouts_round(r, began + ROLLOUTS_SLICE_MS))
		r->look_at = clock_mono_ms(r->c->clock) + ROLLOUTS_LOOK_MS;
}

/* ---- held against the log ---- */

/* What people signed to go on over, in the statement that the log names. Not to be had: it pauses again for those. */
static void
read_over(struct rollouts *r, struct rollout *one, const struct rollouts_said *said)
{
	struct approval *a = calloc(1, sizeof *a);
	struct writer w;
	char why[120];
	writer_init(&w, APPROVAL_BYTES_MAX);
	if (a && said->have_statement &&
	    files_doc_get(r->c->files, FILES_STATEMENT, said->statement, &w) == FG_OK &&
	    approval_parse(writer_view(&w), a, why, sizeof why) == FG_OK && a->terms.decision == APPROVAL_CONTINUE &&
	    !memcmp(a->terms.release, one->id, RELEASE_ID))
		rollouts_go_over(one, &a->terms.over);
	writer_free(&w);
	free(a);
}

/* One that the log knows, taken as far as it says and no further. */
static const char *
mend(struct rollouts *r, struct rollout *one, const struct rollouts_said *said)
{
	struct rollout_standing *s = &one->standing;
	unsigned ring = said->ring < one->plan->rings_n ? said->ring : 0;
	const char *differs = NULL;
	if (s->state == ROLLOUT_NO_STATE) {
		differs = "its rollout was missing from the database; it goes on where the log has it";
		s->state = said->closed ? ROLLOUT_DONE : ROLLOUT_RUNNING;
		s->ring = ring;
		s->since = said->since;
	}
	if (s->ring > ring) {
		differs = "the database had a ring open that the log never opened; it is not";
		s->ring = ring;
		s->since = said->since;
	} else if (s->ring == ring && s->since < said->since) {
		/* The row of the first ring is written a moment before its entry: that is nobody's doing. */
		if (s->since < said->since - ROLLOUTS_ENTRY_S)
			differs = "the database had its ring open for longer than the log";
		s->since = said->since;
	}
	if (s->state == ROLLOUT_DONE && !said->closed) {
		differs = "the database called its rollout done, which the log does not; it is watched on";
		s->state = ROLLOUT_RUNNING;
	}
	if (said->stopped > one->stopped)
		one->stopped = said->stopped;
	unsigned opens = rollouts_ring_named(one->plan, view_str(said->opens));
	s->opens = opens == s->ring + 1 ? opens : 0;
	read_over(r, one, said);
	memcpy(s->watched, said->watched, sizeof s->watched);
	if (said->held & ~s->held) {
		differs = "a ring of it was held, and the database did not say so; it is held";
		s->held |= said->held;
	}
	if (said->paused && (s->state == ROLLOUT_RUNNING || s->state == ROLLOUT_DONE)) {
		differs = "its rollout was paused, and the database did not say so; it is paused";
		s->state = ROLLOUT_PAUSED;
	}
	return differs;
}

const char *
rollouts_mend(struct rollouts *r, const uint8_t id[RELEASE_ID], const struct rollouts_said *said)
{
	struct rollout *one = rollouts_find(r, id);
	if (!one)
		return NULL;
	one->known = true;
	one->said = *said;
	if (!one->plan)
		return NULL;
	const char *differs = mend(r, one, said);
	if (!differs)
		return NULL;
	rollouts_become(r, one, one->standing.state, "log", differs);
	rollouts_apply(r, one, true);
	return differs;
}

void
rollouts_mended(struct rollouts *r)
{
	struct rollout *one;
	LIST_FOREACH(one, &r->all, link) {
		one->counted = grants_granted(r->c->grants, one->id) == 0; /* the log may have more of them */
		if (!one->plan || one->known || stays_shut(one))
			continue;
		create(r, one);
		rollouts_apply(r, one, true);
	}
	r->mended = r->due = true;
}

/* ---- showing ---- */

void
rollouts_alerts(const struct rollouts *r, void (*alert)(struct jsonw *j, const char *id, const char *text),
    struct jsonw *j)
{
	const struct rollout *one;
	char text[MSG_TEXT_MAX], hex[2 * RELEASE_ID + 1];
	LIST_FOREACH(one, &r->all, link) {
		if (!one->lost && one->standing.state != ROLLOUT_PAUSED)
			continue;
		hex_encode(one->id, RELEASE_ID, hex);
		if (one->lost)
			snprintf(text, sizeof text, "release %s goes to nobody: the policy signed with it cannot be read", hex);
		else
			snprintf(text, sizeof text, "the rollout of release %s is paused: %.300s", hex, one->reason);
		alert(j, "ROLLOUT", text);
	}
}

enum rollouts_share
rollouts_paced_share(const struct rollouts *r, const uint8_t id[RELEASE_ID], const struct inventory_module *m)
{
	const struct rollout *one = rollouts_find(r, id);
	return one && one->plan ? paced_share(r, one, m) : ROLLOUTS_SHARES;
}

bool
rollouts_view_of(const struct rollouts *r, const uint8_t id[RELEASE_ID], struct rollouts_view *ret)
{
	const struct rollout *one = rollouts_find(r, id);
	if (!one)
		return false;
	*ret = (struct rollouts_view){ .id = one->id, .plan = one->plan, .lost = one->lost, .standing = one->standing,
		.stopped = one->stopped, .bytes = one->bytes, .by = one->by, .reason = one->reason };
	if (!one->plan)
		return true;
	ret->next = rollout_next(one->plan, &one->standing, timekeep_earliest(r->c));
	ret->paced = rollouts_is_offered(one) && is_paced(one);
	return true;
}

unsigned
rollouts_ring_of(const struct rollouts *r, const uint8_t id[RELEASE_ID], const struct inventory_module *m, bool *ret_open)
{
	const struct rollout *one = rollouts_find(r, id);
	*ret_open = one && !one->lost && !one->plan;
	if (!one || !one->plan)
		return ROLLOUT_RINGS_MAX;
	unsigned ring = ring_now(r, one, m);
	*ret_open = rollout_is_open(&one->standing, ring);
	return ring;
}
