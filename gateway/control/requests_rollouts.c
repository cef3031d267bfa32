/* SPDX-License-Identifier: Apache-2.0 */
/* requests_rollouts - how far releases have come over their rings, and stopping them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/requests_private.h"

#define LOST "The policy people signed, and the plan in it, cannot be read: nobody is offered the release."

/* In the words of a person: what it waits for, or why it stands; and whether the next module does as well. */
static void
put_next(struct jsonw *j, const struct rollouts_view *v)
{
	char text[MSG_TEXT_MAX];
	const char *why = rollout_why_text(v->next.why);
	if (v->standing.state == ROLLOUT_PAUSED)
		why = "It goes on when people sign for that: fotagate rollout resume.";
	else if (v->standing.state == ROLLOUT_DONE)
		why = "Everybody is offered the release.";
	snprintf(text, sizeof text, "%s%s%s", why, v->paced ? " " : "", v->paced ? grants_reason_text(GRANTS_PACED) : "");
	requests_put_text(j, "next", text);
}

static struct rollout_count
total(const struct rollouts_view *v)
{
	struct rollout_count all = { 0 };
	for (unsigned i = 0; i < v->plan->rings_n; i++) {
		const struct rollout_count *n = &v->standing.count[i];
		all.granted += n->granted;
		all.success += n->success;
		all.failure += n->failure;
		all.silent += n->silent;
	}
	return all;
}

static void
put_ring(struct jsonw *j, const struct rollouts_view *v, unsigned i)
{
	const struct rollout_ring *ring = &v->plan->rings[i];
	const struct rollout_count *n = &v->standing.count[i];
	jsonw_object(j);
	jsonw_kuint(j, "failure", n->failure);
	jsonw_kuint(j, "granted", n->granted);
	jsonw_kbool(j, "held", v->standing.held >> i & 1);
	jsonw_kbool(j, "human", ring->human);
	requests_put_text(j, "name", ring->name);
	jsonw_kbool(j, "open", rollout_is_open(&v->standing, i));
	jsonw_kuint(j, "over_failure", v->standing.over[i].failure);
	jsonw_kuint(j, "over_silent", v->standing.over[i].silent);
	jsonw_kuint(j, "silent", n->silent);
	jsonw_kuint(j, "success", n->success);
	jsonw_kuint(j, "watched", v->standing.watched[i]);
	jsonw_object_end(j);
}

/* One that is offered; rings: each of them too. */
static void
put_rollout(struct jsonw *j, const struct rollouts_view *v, const char *review, bool rings)
{
	const struct rollout_count all = total(v);
	jsonw_object(j);
	requests_put_text(j, "by", v->by);
	jsonw_kuint(j, "bytes", v->bytes);
	jsonw_kuint(j, "failure", all.failure);
	jsonw_kuint(j, "granted", all.granted);
	jsonw_khex(j, "id", v->id, RELEASE_ID);
	put_next(j, v);
	requests_put_text(j, "plan", v->plan->name);
	requests_put_text(j, "reason", v->reason);
	jsonw_kcstr(j, "review", review);
	requests_put_text(j, "ring", v->plan->rings[v->standing.ring].name);
	if (rings) {
		jsonw_key(j, "rings");
		jsonw_array(j);
		for (unsigned i = 0; i < v->plan->rings_n; i++)
			put_ring(j, v, i);
		jsonw_array_end(j);
	}
	jsonw_kuint(j, "silent", all.silent);
	requests_put_time(j, "since", v->standing.since);
	jsonw_kcstr(j, "state", rollout_state_name(v->standing.state));
	jsonw_kuint(j, "success", all.success);
	jsonw_object_end(j);
}

/* One whose plan is not to be had. */
static void
put_lost(struct jsonw *j, const struct rollouts_view *v, const char *review)
{
	jsonw_object(j);
	jsonw_khex(j, "id", v->id, RELEASE_ID);
	jsonw_kcstr(j, "next", LOST);
	jsonw_kcstr(j, "review", review);
	jsonw_kcstr(j, "state", "lost");
	jsonw_object_end(j);
}

struct listing {
	struct control *c;
	struct jsonw *j;
	unsigned n; /* of those the database has, also such as are not over */
	uint8_t last[MSG_ID];
};

/* Of one that is not offered: running when its release was revoked or ran out, or nobody knows yet whether it goes on. */
static const char *
over_name(const struct control *c, enum rollout_state state)
{
	if (state == ROLLOUT_ABORTED || state == ROLLOUT_DONE || state == ROLLOUT_SUPERSEDED)
		return rollout_state_name(state);
	return c->warden_listed ? "ended" : "unknown";
}

/* One that is over: only what is remembered of it. */
static int
put_over(void *arg, const struct db_rollout *row)
{
	struct listing *l = arg;
	struct rollouts_view v;
	if (rollouts_view_of(l->c->rollouts, row->release, &v))
		return 0;
	jsonw_object(l->j);
	requests_put_text(l->j, "by", row->by);
	jsonw_khex(l->j, "id", row->release, sizeof row->release);
	requests_put_text(l->j, "plan", row->plan);
	requests_put_text(l->j, "reason", row->reason);
	jsonw_kcstr(l->j, "state", over_name(l->c, (enum rollout_state)row->state));
	jsonw_object_end(l->j);
	return 0;
}

/* Where a page ends stands before its rows in the document. */
static int
see_last(void *arg, const struct db_rollout *row)
{
	struct listing *l = arg;
	l->n++;
	memcpy(l->last, row->release, sizeof l->last);
	return 0;
}

/* Those on their way are all on the first page, a few thousand at most; those that are over come page by page. */
void
requests_rollout_list(struct control *c, struct call *call)
{
	struct call_doc d;
	struct listing l = { .c = c, .j = &d.j };
	struct rollouts_view v;
	uint8_t after[MSG_ID];
	bool have;
	unsigned limit = requests_page(call, REQUESTS_PAGE_MAX);
	if (!limit || !requests_after(call, after, &have))
		return;
	struct db_rollout before;
	if (have && db_rollout_get(c->db, after, &before) == FG_ENOTFOUND) {
		requests_lost(call);
		return;
	}
	size_t n;
	const struct tables_release *all = releases_all(c->releases, &n);
	call_doc_begin(&d);
	int err = db_rollout_list(c->db, have ? after : NULL, limit, see_last, &l);
	requests_put_digest(&d.j, "next", l.n == limit, l.last, sizeof l.last);
	jsonw_key(&d.j, "rollouts");
	jsonw_array(&d.j);
	for (size_t i = 0; !have && i < n; i++) {
		if (!rollouts_view_of(c->rollouts, all[i].id, &v))
			continue;
		if (v.plan)
			put_rollout(&d.j, &v, all[i].record->terms.review, false);
		else if (v.lost)
			put_lost(&d.j, &v, all[i].record->terms.review);
	}
	if (!err)
		err = db_rollout_list(c->db, have ? after : NULL, limit, put_over, &l);
	jsonw_array_end(&d.j);
	requests_finish(call, &d, err);
}

/* What is to be done with one that is offered; false: the call is answered. */
static bool
rollout_of(struct control *c, struct call *call, uint8_t id[MSG_ID], struct rollouts_view *ret)
{
	if (!requests_release_of(c, call, id))
		return false;
	if (!rollouts_view_of(c->rollouts, id, ret)) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate rollout list", "no such release is in force");
		return false;
	}
	if (ret->plan)
		return true;
	call_fail(call, CALL_REFUSED, "NOT-FOUND", "end it with fotagate revoke", ret->lost ?
	    "the plan of its rollout cannot be read: nobody is offered it" : "it has no plan: everybody is offered it at once");
	return false;
}

void
requests_rollout_show(struct control *c, struct call *call)
{
	struct rollouts_view v;
	uint8_t id[MSG_ID];
	struct writer w;
	struct jsonw j;
	if (!rollout_of(c, call, id, &v))
		return;
	const struct release *record = releases_record(c->releases, id);
	writer_init(&w, CALL_DOC_MAX);
	jsonw_init(&j, &w);
	put_rollout(&j, &v, record ? record->terms.review : "", true);
	call_answer(call, CALL_DONE, &w);
}

void
requests_rollout_pause(struct control *c, struct call *call)
{
	char reason[DB_TEXT_MAX];
	struct rollouts_view v;
	uint8_t id[MSG_ID];
	if (!rollout_of(c, call, id, &v))
		return;
	(void)call_text(call, "reason", reason, sizeof reason);
	if (rollouts_pause(c->rollouts, id, requests_actor(c, call), reason) == FG_ESTATE) {
		call_fail(call, CALL_REFUSED, "STATE", "see fotagate rollout show", "the rollout is %s already",
		    rollout_state_name(v.standing.state));
		return;
	}
	requests_rollout_show(c, call);
}

void
requests_rollout_hold(struct control *c, struct call *call)
{
	char reason[DB_TEXT_MAX], ring[ROLLOUT_NAME_MAX + 1];
	struct rollouts_view v;
	uint8_t id[MSG_ID];
	if (!rollout_of(c, call, id, &v))
		return;
	(void)call_text(call, "reason", reason, sizeof reason);
	(void)call_text(call, "ring", ring, sizeof ring);
	switch (rollouts_hold(c->rollouts, id, view_str(ring), requests_actor(c, call), reason)) {
	case FG_OK:
		requests_rollout_show(c, call);
		break;
	case FG_EEXIST:
		call_fail(call, CALL_REFUSED, "STATE", "see fotagate rollout show", "the ring is held already");
		break;
	case FG_ESTATE:
		call_fail(call, CALL_REFUSED, "STATE", "see fotagate rollout show",
		    "the rollout is %s: nobody is offered it any more", rollout_state_name(v.standing.state));
		break;
	default:
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate rollout show", "its plan has no such ring");
		break;
	}
}

void
requests_rollout_statement(struct control *c, struct call *call)
{
	struct rollouts_view v;
	uint8_t id[MSG_ID];
	if (rollout_of(c, call, id, &v))
		resumptions_statement(c->resumptions, call, id);
}

void
requests_rollout_abort(struct control *c, struct call *call)
{
	char reason[DB_TEXT_MAX];
	struct rollouts_view v;
	uint8_t id[MSG_ID];
	if (!rollout_of(c, call, id, &v))
		return;
	(void)call_text(call, "reason", reason, sizeof reason);
	(void)rollouts_abort(c->rollouts, id, requests_actor(c, call), reason, call);
}
