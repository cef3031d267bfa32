/* SPDX-License-Identifier: Apache-2.0 */
/* rollouts_people - what people do to a rollout: they stop it, or a ring of it, and sign that it goes on; and its ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/rollouts_private.h"

/* A stop is named by its second; the next one in the same second by the one after. */
static void
stop(struct rollouts *r, struct rollout *one)
{
	int64_t now = control_now(r->c);
	one->stopped = now > one->stopped ? now : one->stopped + 1;
	one->standing.opens = 0; /* what was signed before stops counts for nothing after */
}

void
rollouts_pause_it(struct rollouts *r, struct rollout *one, unsigned ring, const char *by, const char *reason)
{
	stop(r, one);
	rollouts_become(r, one, ROLLOUT_PAUSED, by, reason);
	rollouts_apply(r, one, true);
	struct msg_append *e = rollouts_entry(one, ENTRY_ROLLOUT_PAUSED, by, ring, ring);
	logbook_ref_number(e, "since", (uint64_t)one->stopped);
	logbook_say(e, "%s", reason);
	logbook_tell(r->c->logbook, e);
}

bool
rollouts_stop(struct rollouts *r, struct rollout *one, const char *reason)
{
	char both[DB_TEXT_MAX];
	bool paused = one->standing.state == ROLLOUT_PAUSED;
	if (!paused && !rollouts_is_offered(one))
		return false;
	snprintf(both, sizeof both, "%.300s%s%.150s", reason, paused ? " It was paused before that: " : "",
	    paused ? one->reason : "");
	rollouts_pause_it(r, one, one->standing.ring, "control", both);
	return true;
}

int
rollouts_pause(struct rollouts *r, const uint8_t id[RELEASE_ID], const char *by, const char *reason)
{
	struct rollout *one = rollouts_find(r, id);
	if (!one || !one->plan)
		return FG_ENOTFOUND;
	if (!rollouts_is_offered(one))
		return FG_ESTATE;
	rollouts_pause_it(r, one, one->standing.ring, by, reason);
	return FG_OK;
}

unsigned
rollouts_ring_named(const struct rollout_plan *plan, struct view name)
{
	unsigned i = 0;
	while (i < plan->rings_n && !view_is(name, plan->rings[i].name))
		i++;
	return i < plan->rings_n ? i : ROLLOUT_RINGS_MAX;
}

int
rollouts_hold(struct rollouts *r, const uint8_t id[RELEASE_ID], struct view name, const char *by, const char *reason)
{
	struct rollout *one = rollouts_find(r, id);
	unsigned ring = one && one->plan ? rollouts_ring_named(one->plan, name) : ROLLOUT_RINGS_MAX;
	if (ring == ROLLOUT_RINGS_MAX)
		return FG_ENOTFOUND;
	if (one->standing.held >> ring & 1)
		return FG_EEXIST;
	if (one->standing.state == ROLLOUT_ABORTED || one->standing.state == ROLLOUT_SUPERSEDED)
		return FG_ESTATE;
	bool paused = one->standing.state == ROLLOUT_PAUSED;
	/* What is signed for the pause to end counts on; what was signed for a ring of it that went on since does not. */
	if (!paused || one->standing.since >= one->stopped)
		stop(r, one);
	one->standing.held |= 1u << ring;
	if (paused)
		rollouts_save(r, one); /* it says who paused it, and why */
	else
		rollouts_become(r, one, one->standing.state, by, reason);
	(void)edges_withhold(r->c->edges, one->id);
	rollouts_apply(r, one, true);
	struct msg_append *e = rollouts_entry(one, ENTRY_ROLLOUT_HELD, by, ring, ring);
	logbook_ref_number(e, "since", (uint64_t)one->stopped);
	logbook_say(e, "%s", reason);
	logbook_tell(r->c->logbook, e);
	return FG_OK;
}

/* What went wrong so far in rings that are open: of that, people say that it goes on all the same. */
static void
put_over(const struct rollout *one, struct approval_list *over)
{
	const struct rollout_standing *s = &one->standing;
	for (unsigned i = 0; i <= s->ring && i < one->plan->rings_n; i++) {
		char word[ROLLOUT_OVER_CAP];
		if ((s->count[i].failure || s->count[i].silent) && rollout_over_put(one->plan->rings[i].name, &s->count[i], word))
			(void)approval_list_add(over, word);
	}
}

static const char *
step_terms(const struct rollout *one, enum approval_step step, struct view name, struct approval_terms *t,
    const struct rollout_next *next, char out[MSG_TEXT_MAX])
{
	const struct rollout_standing *s = &one->standing;
	unsigned ring = s->ring;
	t->halted_at = one->stopped;
	switch (step) {
	case APPROVAL_STEP_RESUME:
		snprintf(out, MSG_TEXT_MAX, "the rollout is %s, not paused", rollout_state_name(s->state));
		if (s->state != ROLLOUT_PAUSED)
			return out;
		put_over(one, &t->over);
		break;
	case APPROVAL_STEP_UNHOLD:
		ring = rollouts_ring_named(one->plan, name);
		if (ring == ROLLOUT_RINGS_MAX || !(s->held >> ring & 1))
			return "its plan has no such ring, or nobody holds that";
		break;
	case APPROVAL_STEP_OPEN:
		/* To skip what the plan asks for takes another plan, and the signatures of a release. */
		snprintf(out, MSG_TEXT_MAX, "no ring waits for people to open it. %s", rollout_why_text(next->why));
		if (next->verdict != ROLLOUT_WAIT || next->why != ROLLOUT_WHY_HUMAN)
			return out;
		ring++;
		t->halted_at = s->since;
		break;
	default:
		return "it goes on in no such way";
	}
	if (ring >= one->plan->rings_n)
		return "its plan has no such ring";
	snprintf(t->ring, sizeof t->ring, "%s", one->plan->rings[ring].name);
	return NULL;
}

const char *
rollouts_terms(const struct rollouts *r, const uint8_t id[RELEASE_ID], enum approval_step step, struct view ring,
    struct approval_terms *ret, char out[MSG_TEXT_MAX])
{
	const struct rollout *one = rollouts_find(r, id);
	const struct release *record = releases_record(r->c->releases, id);
	if (!one || !one->plan || !record)
		return "no such release goes over rings";
	if (!one->named)
		return "what was signed for the release does not name the plan: open its review again, and sign";
	struct rollout_next next = rollout_next(one->plan, &one->standing, timekeep_earliest(r->c));
	*ret = (struct approval_terms){ .decision = APPROVAL_CONTINUE, .step = step, .have_plan = true,
		.max_devices = record->terms.max_devices };
	memcpy(ret->release, id, sizeof ret->release);
	memcpy(ret->plan, one->plan_digest, sizeof ret->plan);
	snprintf(ret->gateway, sizeof ret->gateway, "%s", record->terms.gateway);
	return step_terms(one, step, ring, ret, &next, out);
}

/* Of each ring that is named, so many: of those that failed since, none. */
void
rollouts_go_over(struct rollout *one, const struct approval_list *over)
{
	struct rollout_standing *s = &one->standing;
	memset(s->over, 0, sizeof s->over);
	for (uint32_t i = 0; i < over->n; i++) {
		struct rollout_count n;
		unsigned ring = rollout_over_get(one->plan, view_str(over->word[i]), &n);
		if (ring < ROLLOUT_RINGS_MAX)
			s->over[ring] = n;
	}
}

int
rollouts_continue(struct rollouts *r, const struct approval_terms *t, const char *by, const char *reason)
{
	struct rollout *one = rollouts_find(r, t->release);
	struct approval_terms *now = calloc(1, sizeof *now);
	char why[MSG_TEXT_MAX];
	int err = now ? FG_OK : FG_ENOMEM;
	if (!err && rollouts_terms(r, t->release, t->step, view_str(t->ring), now, why))
		err = FG_ESTATE;
	if (!err)
		now->over = t->over;
	if (!err && approval_terms_differ(now, t))
		err = FG_ESTATE;
	free(now);
	if (err)
		return err;
	unsigned ring = rollouts_ring_named(one->plan, view_str(t->ring));
	if (t->step == APPROVAL_STEP_OPEN) {
		one->standing.opens = ring;
	} else {
		/* Whatever soaks begins anew: nobody watched what nobody got. */
		one->standing.since = control_now(r->c);
		if (t->step == APPROVAL_STEP_UNHOLD)
			one->standing.held &= ~(1u << ring);
		else
			rollouts_go_over(one, &t->over);
		rollouts_become(r, one, t->step == APPROVAL_STEP_RESUME ? ROLLOUT_RUNNING : one->standing.state, by, reason);
		rollouts_apply(r, one, false);
	}
	r->due = true;
	return FG_OK;
}

int
rollouts_abort(struct rollouts *r, const uint8_t id_in[RELEASE_ID], const char *by, const char *reason, struct call *call)
{
	struct rollout *one = rollouts_find(r, id_in);
	uint8_t id[RELEASE_ID];
	if (!one || !one->plan)
		return FG_ENOTFOUND;
	memcpy(id, one->id, sizeof id);
	struct msg_append *e = rollouts_entry(one, ENTRY_ROLLOUT_ABORTED, by, one->standing.ring, one->standing.ring);
	logbook_say(e, "%s", reason);
	rollouts_become(r, one, ROLLOUT_ABORTED, by, reason);
	releases_retire(r->c->releases, id, by, reason, call); /* one is gone */
	logbook_tell(r->c->logbook, e);
	return FG_OK;
}

void
rollouts_supersede(struct rollouts *r, const uint8_t id_in[RELEASE_ID], const char *newer)
{
	struct rollout *one = rollouts_find(r, id_in);
	uint8_t id[RELEASE_ID];
	char why[MSG_TEXT_MAX];
	if (!one || !one->plan)
		return;
	memcpy(id, one->id, sizeof id);
	snprintf(why, sizeof why, "superseded by %s, which is newer and for the same modules", newer);
	struct msg_append *e = rollouts_entry(one, ENTRY_ROLLOUT_SUPERSEDED, "control", one->standing.ring, one->standing.ring);
	logbook_ref(e, "by", newer);
	logbook_say(e, "%s", why);
	rollouts_become(r, one, ROLLOUT_SUPERSEDED, "control", why);
	releases_retire(r->c->releases, id, "control", why, NULL); /* one is gone */
	logbook_tell(r->c->logbook, e);
}
