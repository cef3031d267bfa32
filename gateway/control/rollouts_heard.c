/* SPDX-License-Identifier: Apache-2.0 */
/* rollouts_heard - what modules say after they were granted a release, and how many said what. */
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/rollouts_private.h"

#define DAY 86400
#define HAS_IT "the module reports the released version"

/* ---- words ---- */

/* Its class stands beside it: what a claim said is written down, and counts for nothing. */
static void
tell_result(struct control *c, const struct rollout *one, const uint8_t module[MSG_ID], enum rollout_outcome outcome,
    unsigned class, const char *version, const char *text)
{
	char obj[ROLLOUTS_OBJECT_CAP];
	rollouts_object(one->id, obj);
	struct msg_append *e = logbook_entry(ENTRY_DEVICE_RESULT, outcome == ROLLOUT_SUCCESS ? "ok" : "failed", "control", obj);
	if (!e)
		return;
	logbook_dev(e, module);
	logbook_ref(e, "class", identity_class_name((enum identity_class)class));
	logbook_ref(e, "outcome", rollout_outcome_name(outcome));
	if (version[0])
		logbook_ref(e, "version", version);
	logbook_say(e, "%s", text);
	logbook_tell(c->logbook, e);
}

/* It runs what another release of this product made of it, which it was granted no earlier: it was told to. */
static bool
moved_on(const struct rollouts *r, const struct rollout *one, const uint8_t module[MSG_ID], const char *current)
{
	const struct rollout *other;
	struct db_grant mine, its;
	if (!current[0] || !grants_has(r->c->grants, module, one->id, &mine))
		return false;
	LIST_FOREACH(other, &r->all, link)
		if (other != one && !strcmp(other->product, one->product) && !strcmp(other->target, current) &&
		    grants_has(r->c->grants, module, other->id, &its) && its.at >= mine.at)
			return true;
	return false;
}

/* What a request says about that release. */
static enum rollout_word
word_of(const struct rollouts *r, const struct rollout *one, const uint8_t module[MSG_ID], const struct msg_sighting *s)
{
	const struct control *c = r->c;
	const struct policy *p = policies_find(c->policies, s->profile);
	if (!s->current[0]) /* it does not say what it runs: then only that it wants the release again */
		return memcmp(s->resource, one->resource, sizeof one->resource) ? ROLLOUT_WORD_NONE : ROLLOUT_WORD_OLD;
	switch (version_compare(p ? p->profile->version_order : VERSION_ORDER_EXACT, view_str(s->current), view_str(one->target))) {
	case VERSION_SAME:
		return ROLLOUT_WORD_NEW;
	case VERSION_NEWER:
		return ROLLOUT_WORD_NONE; /* past it: neither by it nor in spite of it */
	default:
		return moved_on(r, one, module, s->current) ? ROLLOUT_WORD_NONE : ROLLOUT_WORD_OLD;
	}
}

void
rollouts_heard(struct rollouts *r, const struct inventory_seen *seen, const struct msg_sighting *s)
{
	struct rollout *one;
	const uint8_t *module = seen->module->pseudonym;
	if (seen->weak || !s->product[0])
		return;
	LIST_FOREACH(one, &r->all, link) {
		if (strcmp(one->product, s->product) != 0)
			continue;
		struct grants_fate *fate = grants_fate_of(r->c->grants, module, one->id);
		enum rollout_word word = fate ? word_of(r, one, module, s) : ROLLOUT_WORD_NONE;
		if (word == ROLLOUT_WORD_NONE)
			continue;
		fate->again += word == ROLLOUT_WORD_OLD && fate->again < GRANTS_AGAIN_MAX;
		fate->word = word;
		fate->word_class = seen->lead;
		fate->word_at = control_now(r->c);
		r->due = true;
		/*
		 * Once, until the log has it as failed or silent: that is told by rounds, so one that changes its
		 * word at every request does not fill the log.
		 */
		if (word != ROLLOUT_WORD_NEW || fate->told == ROLLOUT_SUCCESS)
			continue;
		/* At a start the log, which is not read yet, may well have it: a fleet would write it all once more. */
		r->owes |= !r->mended;
		if (!r->mended)
			continue;
		fate->told = ROLLOUT_SUCCESS;
		tell_result(r->c, one, module, ROLLOUT_SUCCESS, seen->lead, s->current, HAS_IT);
	}
}

static enum identity_class
class_parse(struct view word)
{
	for (unsigned i = IDENTITY_A; i < IDENTITY_D; i++)
		if (view_is(word, identity_class_name((enum identity_class)i)))
			return (enum identity_class)i;
	return IDENTITY_D; /* also of entries that are older than classes in them */
}

void
rollouts_replay(struct rollouts *r, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID], struct view outcome,
    struct view class, int64_t at)
{
	struct grants_fate *fate = grants_fate_of(r->c->grants, module, release);
	/* Grants stand before results in the log. */
	if (!fate)
		return;
	bool failed = view_is(outcome, rollout_outcome_name(ROLLOUT_FAILURE));
	bool silent = view_is(outcome, rollout_outcome_name(ROLLOUT_SILENT)); /* whether it still is, time says */
	fate->told = silent ? ROLLOUT_SILENT : failed ? ROLLOUT_FAILURE : ROLLOUT_SUCCESS;
	/* Somebody may have spoken since this life began. */
	if (silent || fate->word_at > at)
		return;
	fate->word = failed ? ROLLOUT_WORD_OLD : ROLLOUT_WORD_NEW;
	fate->word_class = class_parse(class);
	fate->word_at = at;
}

static void
tell_owed(void *arg, const struct db_grant *what, struct grants_fate *fate)
{
	struct rollouts *r = arg;
	const struct rollout *one = rollouts_find(r, what->release);
	if (!one || fate->word != ROLLOUT_WORD_NEW || fate->told == ROLLOUT_SUCCESS)
		return;
	fate->told = ROLLOUT_SUCCESS;
	tell_result(r->c, one, what->module, ROLLOUT_SUCCESS, fate->word_class, one->target, HAS_IT);
}

void
rollouts_tell_owed(struct rollouts *r, int64_t until)
{
	/* A table that grew has its grants in other places; none is told twice. */
	if (r->owed_places != grants_places(r->c->grants))
		r->owed_at = 0;
	r->owed_places = grants_places(r->c->grants);
	while (grants_walk(r->c->grants, &r->owed_at, ROLLOUTS_PLACES, tell_owed, r))
		if (clock_mono_ms(r->c->clock) >= until)
			return;
	r->owes = false;
}

/* ---- silence that is ours ---- */

#define META_ALIVE "rollouts:alive"
#define META_BACK "rollouts:back"

static int64_t
kept(struct control *c, const char *key)
{
	uint64_t at = 0;
	return db_meta_get_u64(c->db, key, &at) || at > INT64_MAX ? 0 : (int64_t)at;
}

/* Whoever writes those numbers makes modules silent later, or sooner: neither opens a ring. */
void
rollouts_awake(struct rollouts *r)
{
	struct control *c = r->c;
	int64_t now = timekeep_earliest(c);
	if (!timekeep_is_sure(c) || now <= 0 || (r->awake && now - r->alive < ROLLOUTS_ALIVE_S && now >= r->alive))
		return;
	if (!r->awake) {
		int64_t alive = kept(c, META_ALIVE);
		r->awake = true;
		r->back = kept(c, META_BACK);
		if (alive == 0 || alive < now - ROLLOUTS_AWAY_S) {
			r->back = now;
			(void)db_meta_set_u64(c->db, META_BACK, (uint64_t)now);
		}
	}
	r->alive = now;
	(void)db_meta_set_u64(c->db, META_ALIVE, (uint64_t)now); /* not written: the next life is more patient */
}

/* ---- counting ---- */

struct counting {
	struct rollouts *r;
	struct rollout *one; /* of the grant before */
	int64_t now; /* the earliest it may be: a clock that stepped makes nobody silent */
};

static void
tell_bad(struct counting *k, const struct inventory_module *m, struct grants_fate *fate, enum rollout_outcome outcome)
{
	if ((outcome != ROLLOUT_FAILURE && outcome != ROLLOUT_SILENT) || fate->told == outcome)
		return;
	if (k->one->round.told++ >= ROLLOUTS_TOLD_MAX)
		return;
	fate->told = outcome;
	if (outcome == ROLLOUT_FAILURE)
		tell_result(k->r->c, k->one, m->pseudonym, outcome, fate->word_class, "",
		    "the module has had all of it and asks in another version");
	else
		tell_result(k->r->c, k->one, m->pseudonym, outcome, inventory_best_class(m), "", "nothing was heard of the module");
}

static void
add(struct rollout_count *n, enum rollout_outcome outcome)
{
	n->granted++;
	n->success += outcome == ROLLOUT_SUCCESS;
	n->failure += outcome == ROLLOUT_FAILURE;
	n->silent += outcome == ROLLOUT_SILENT;
}

static enum rollout_outcome
outcome_of(const struct rollouts *r, const struct rollout_plan *plan, const struct inventory_module *m,
    const struct db_grant *what, const struct grants_fate *fate, int64_t now)
{
	int64_t heard = r->back > m->heard && r->back <= now ? r->back : m->heard;
	/* Once the log has it, it needs no row that says when it had all of it: only another word undoes a failure. */
	bool logged = fate->word == ROLLOUT_WORD_OLD && fate->told == ROLLOUT_FAILURE;
	int64_t completed = logged && fate->word_at > plan->settle ? fate->word_at - plan->settle : what->completed;
	const struct rollout_facts f = { .granted = what->at, .completed = completed,
		.word = (enum rollout_word)fate->word, .word_at = fate->word_at,
		.word_class = (enum identity_class)fate->word_class, .heard = heard, .usual = m->usual };
	return rollout_outcome(plan, &f, (enum identity_class)inventory_best_class(m), now);
}

bool
rollouts_fate_of(const struct rollouts *r, const uint8_t id[RELEASE_ID], const struct inventory_module *m,
    struct rollouts_fate *ret)
{
	static const char *const words[] = { "none", "old", "new" };
	const struct rollout *one = rollouts_find(r, id);
	const struct grants_fate *fate = one ? grants_fate_of(r->c->grants, m->pseudonym, id) : NULL;
	if (!fate || !grants_has(r->c->grants, m->pseudonym, id, &ret->grant))
		return false;
	enum rollout_outcome outcome = fate->word == ROLLOUT_WORD_NEW ? ROLLOUT_SUCCESS : ROLLOUT_PENDING;
	if (one->plan)
		outcome = outcome_of(r, one->plan, m, &ret->grant, fate, timekeep_earliest(r->c));
	ret->outcome = rollout_outcome_name(outcome);
	ret->word = words[fate->word <= ROLLOUT_WORD_NEW ? fate->word : ROLLOUT_WORD_NONE];
	ret->word_at = fate->word_at;
	ret->again = fate->again;
	return true;
}

/* Whoever was put into another group is in another ring from now on; its place stays, and costs a digest. */
static unsigned
ring_of(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m, struct grants_fate *fate)
{
	uint64_t place = fate->place ? fate->place : rollout_place(one->id, m->pseudonym);
	if (place < ROLLOUT_PLACES)
		fate->place = (uint32_t)place;
	return rollouts_ring(r, one, m, place);
}

static bool
is_of(const struct rollout *one, const struct db_grant *what)
{
	return one && !memcmp(one->id, what->release, RELEASE_ID);
}

static void
count_one(void *arg, const struct db_grant *what, struct grants_fate *fate)
{
	struct counting *k = arg;
	struct rollout *one = k->one = is_of(k->one, what) ? k->one : rollouts_find(k->r, what->release);
	if (!one || !one->counting)
		return;
	const struct inventory_module *m = inventory_by_pseudonym(k->r->c->inventory, what->module);
	/* So many a day were granted it, whoever is forgotten since. */
	one->round.today += what->at > k->now - DAY;
	one->round.bytes += what->bytes;
	if (!m)
		return; /* nobody will ever hear of it */
	enum rollout_outcome outcome = outcome_of(k->r, one->plan, m, what, fate, k->now);
	/* Whose word does not count is under way for as long as it may be loading. */
	bool under_way = outcome == ROLLOUT_PENDING ||
	    (outcome == ROLLOUT_UNCOUNTED && !what->completed && what->at > k->now - one->plan->silence);
	one->round.under_way += under_way;
	rollouts_count_shares(k->r, one, one->caps_round, m, under_way, what->at > k->now - DAY);
	if (outcome == ROLLOUT_UNCOUNTED)
		return;
	unsigned ring = ring_of(k->r, one, m, fate);
	if (ring < one->plan->rings_n)
		add(&one->round.count[ring], outcome);
	tell_bad(k, m, fate, outcome);
}

/* Those with a plan now; who joins later waits for the next round. */
static void
begin_round(struct rollouts *r)
{
	struct rollout *one;
	r->counting = true;
	r->due = false;
	r->at = 0;
	r->places = grants_places(r->c->grants);
	LIST_FOREACH(one, &r->all, link) {
		one->counting = one->plan != NULL;
		memset(&one->round, 0, sizeof one->round);
		if (one->caps_round)
			rollouts_caps_reset(one->caps_round);
	}
}

static void
end_round(struct rollouts *r)
{
	struct rollout *one;
	r->counting = false;
	LIST_FOREACH(one, &r->all, link) {
		if (!one->counting)
			continue;
		memcpy(one->standing.count, one->round.count, sizeof one->standing.count);
		rollout_shrink(&one->standing, one->plan->rings_n);
		one->under_way = one->round.under_way;
		one->today = one->round.today;
		one->bytes = one->round.bytes;
		struct rollouts_caps *counted = one->caps_round;
		one->caps_round = one->caps;
		one->caps = counted;
		one->counted = true;
		one->counting = false;
	}
}

bool
rollouts_count(struct rollouts *r, int64_t until)
{
	struct counting k = { .r = r, .now = timekeep_earliest(r->c) };
	/* A table that grew has its grants in other places. */
	if (!r->counting || r->places != grants_places(r->c->grants))
		begin_round(r);
	while (grants_walk(r->c->grants, &r->at, ROLLOUTS_PLACES, count_one, &k))
		if (clock_mono_ms(r->c->clock) >= until)
			return false;
	end_round(r);
	return true;
}
