/* SPDX-License-Identifier: Apache-2.0 */
/* Entries: what is appended, how it becomes durable, who is told. */
#include "gateway/audit/audit_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "gateway/audit/rights.h"

#define AUDIT_WAITERS_MAX 16384 /* acknowledgements owed for one batch: grants are many to a message */
#define AUDIT_GATHER_ROUNDS 32  /* looks for more before a sync; each takes what the channels hold, at most 64 frames */
#define AUDIT_GATHER_MS 1       /* beyond what the last sync took: on a quick disk many small batches are done sooner */
#define AUDIT_PUBLISH_PAUSE_MS 100 /* entries this fresh: others are likely waiting to be made durable */
#define AUDIT_PUBLISH_SKIPS 5

/* ---- writing entries ---- */

/* "host/role", kept for the next entry: a thousand in a row are of the same edge. */
static struct view
source_name(struct audit *a, const struct chan *from)
{
	enum msg_role role = from ? chan_peer_role(from) : MSG_ROLE_AUDIT;
	unsigned index = from ? chan_peer_index(from) : 0;
	if (a->src[0] && a->src_role == role && a->src_index == index)
		return view_str(a->src);
	a->src_role = role;
	a->src_index = index;
	if (role == MSG_ROLE_EDGE)
		snprintf(a->src, sizeof a->src, "%s/edge%u", a->host, index);
	else
		snprintf(a->src, sizeof a->src, "%s/%s", a->host, msg_role_name(role));
	return view_str(a->src);
}

static int64_t
boot_us(const struct audit *a)
{
	return clock_mono_ms(a->clock) * 1000;
}

/* *ret_full: the batch has no room for it, and it is in nothing yet. */
static int
put_once(struct audit *a, const struct chan *from, struct entry *e, bool *ret_full)
{
	*ret_full = false;
	if (!audit_is_usable(a))
		return FG_EIO;
	int64_t wall = clock_wall_us(a->clock), boot = boot_us(a);
	e->t_us = clockwatch_stamp(&a->watch, wall, boot, a->last_us);
	e->clk = clockwatch_judge(&a->watch, wall, boot) == CLOCKWATCH_SURE ? a->clk : ENTRY_CLK_FREE;
	e->src = source_name(a, from);
	e->seq = ledger_next(a->ledger);
	writer_reset(&a->line);
	int err = entry_encode(e, &a->line, NULL);
	if (err)
		return err;
	err = ledger_put(a->ledger, writer_view(&a->line));
	*ret_full = err == FG_ELIMIT;
	return err;
}

int
audit_put(struct audit *a, const struct chan *from, struct entry *e, uint64_t *ret_index)
{
	bool full;
	int err = put_once(a, from, e, &full);
	if (full) {
		/* The batch is made durable and the next begun; that may put an entry of its own, which has this number then. */
		audit_run_commit(a);
		err = put_once(a, from, e, &full);
	}
	if (!err) {
		*ret_index = e->seq;
		a->last_us = e->t_us;
	} else if (audit_is_usable(a) && err != FG_EINVAL && err != FG_ELIMIT) {
		audit_fail(a, "put", err);
	}
	return err;
}

int
audit_put_own(struct audit *a, enum entry_event ev, struct view msg, struct view doc)
{
	struct entry e = {
		.ev = ev,
		.sev = entry_event_severity(ev),
		.out = view_str("ok"),
		.act = view_str("audit"),
		.msg = msg,
		.doc = doc,
	};
	uint64_t index;
	return audit_put(a, NULL, &e, &index);
}

/* ---- group commit ---- */

static void
acknowledge(struct audit *a, int err)
{
	struct msg_grant_appended batch = { 0 };
	for (size_t i = 0; i < a->waiting_n; i++) {
		const struct waiter *w = &a->waiting[i];
		if (!w->to)
			continue;
		if (!w->grant) {
			struct msg_appended m = { .token = w->token, .err = err, .index = w->index };
			chan_send(w->to, MSG_APPENDED, &m, NULL, 0);
			continue;
		}
		batch.granted[batch.granted_n++] = (struct msg_granted){ w->token, err, w->index };
		bool last = i + 1 == a->waiting_n || !a->waiting[i + 1].grant || a->waiting[i + 1].to != w->to;
		if (last || batch.granted_n == MSG_GRANTS_MAX) {
			chan_send(w->to, MSG_GRANT_APPENDED, &batch, NULL, 0);
			batch = (struct msg_grant_appended){ 0 };
		}
	}
	a->waiting_n = 0;
}

void
audit_run_commit(struct audit *a)
{
	int64_t began = clock_mono_ms(a->clock);
	int err = audit_is_usable(a) ? ledger_commit(a->ledger) : FG_EIO;
	if (err && audit_is_usable(a))
		audit_fail(a, "commit", err);
	a->committed_ms = clock_mono_ms(a->clock);
	a->sync_ms = a->committed_ms - began;
	acknowledge(a, err);
	a->gathered = a->gather_rounds = 0;
	/* What is durable must find room in the tiles, out of the reserve if need be. */
	if (!err && (ledger_is_due(a->ledger) || audit_room_is_tight(a))) {
		audit_room_look(a);
		audit_publish(a);
	}
}

/*
 * A sync costs nearly the same for one entry and for thousands. So while a look at
 * the channels brings more, it is put off, but for no longer than the last one
 * took: nobody waits more than twice what a sync costs, and a source that never
 * stops cannot put it off. With nothing more it begins at once.
 */
static bool
gathers(struct audit *a)
{
	const struct timeval now = { 0, 0 };
	int64_t ms = clock_mono_ms(a->clock);
	if (a->gather_rounds == 0)
		a->gather_ms = ms;
	/* By a timer that is due already: the loop looks at the channels first. */
	if (a->waiting_n <= a->gathered || a->gather_rounds == AUDIT_GATHER_ROUNDS ||
	    ms - a->gather_ms > a->sync_ms + AUDIT_GATHER_MS || evtimer_add(&a->commit, &now))
		return false;
	a->gathered = a->waiting_n;
	a->gather_rounds++;
	return true;
}

static void
on_commit(evutil_socket_t fd, short what, void *ctx)
{
	struct audit *a = ctx;
	(void)fd;
	(void)what;
	if (gathers(a))
		return;
	audit_run_commit(a);
}

void
audit_publish(struct audit *a)
{
	int err = audit_is_usable(a) ? ledger_publish(a->ledger) : FG_OK;
	if (err)
		audit_fail(a, "publish", err);
	audit_witness_published(a);
}

static bool
is_busy(const struct audit *a)
{
	return a->waiting_n || clock_mono_ms(a->clock) - a->committed_ms < AUDIT_PUBLISH_PAUSE_MS;
}

void
audit_publish_for_reader(struct audit *a)
{
	if (!is_busy(a) && audit_is_usable(a) && ledger_published(a->ledger) < ledger_size(a->ledger))
		audit_publish(a);
}

void
audit_publish_tick(struct audit *a)
{
	if (is_busy(a) && a->publish_skips < AUDIT_PUBLISH_SKIPS) {
		a->publish_skips++;
		return;
	}
	a->publish_skips = 0;
	audit_publish(a);
}

void
audit_forget(struct audit *a, const struct chan *c)
{
	audit_flood_forget(a, c);
	for (size_t i = 0; i < a->waiting_n; i++) {
		if (a->waiting[i].to == c)
			a->waiting[i].to = NULL;
	}
}

static struct waiter *
wait_for(struct audit *a, struct chan *c)
{
	if (a->waiting_n == AUDIT_WAITERS_MAX)
		audit_run_commit(a);
	struct waiter *w = &a->waiting[a->waiting_n++];
	*w = (struct waiter){ .to = c };
	/* Last in the queue: the loop runs it after the channels that are readable now. */
	event_active(&a->commit, EV_TIMEOUT, 0);
	return w;
}

/* ---- messages ---- */

static void
refuse_append(struct chan *c, uint64_t token, int err)
{
	struct msg_appended m = { .token = token, .err = err };
	if (token)
		chan_send(c, MSG_APPENDED, &m, NULL, 0);
}

void
audit_on_append(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_append *m = msg;
	struct entry e = {
		.ev = (enum entry_event)m->event,
		.sev = m->severity & 7,
		.out = view_str(m->out),
		.act = view_str(m->act),
		.obj = view_str(m->obj),
		.have_dev = m->have_dev,
		.refs = m->refs_n,
		.doc = m->doc,
		.msg = view_str(m->msg),
	};
	uint64_t index;
	(void)frame;
	if (!rights_may_append(chan_peer_role(c), e.ev)) {
		oplog(OPLOG_ERR, "%s may not append %s", msg_role_name(chan_peer_role(c)), entry_event_name(e.ev));
		refuse_append(c, m->token, FG_EPERM);
		return;
	}
	if (chan_peer_role(c) == MSG_ROLE_SUPERVISOR && audit_witness_hold(a, m))
		return;
	if (a->remote.waiting) {
		refuse_append(c, m->token, FG_EAGAIN);
		return;
	}
	if (!audit_flood_admits(a, c, m))
		return; /* nobody waits */
	if (!audit_room_admits(a, e.ev)) {
		refuse_append(c, m->token, FG_EAGAIN);
		return;
	}
	memcpy(e.dev, m->dev, sizeof e.dev);
	for (uint32_t i = 0; i < m->refs_n; i++) {
		const struct msg_ref *r = &m->refs[i];
		e.ref[i] = (struct entry_ref){ view_str(r->key), r->is_number, r->number, view_str(r->text) };
	}
	int err = audit_put(a, c, &e, &index);
	if (err) {
		if (audit_is_usable(a)) /* else it has been said, once */
			oplog(OPLOG_ERR, "%s of %s was not appended: %s", entry_event_name(e.ev),
			    msg_role_name(chan_peer_role(c)), err_name(err));
		refuse_append(c, m->token, err);
		return;
	}
	struct waiter *w = wait_for(a, m->token ? c : NULL);
	w->token = m->token;
	w->index = index;
}

/*
 * Remembered as soon as it is in the batch: an identical one that comes before
 * the commit waits for the same entry. Should the commit fail, nobody is told yes.
 */
static int
put_grant(struct audit *a, struct chan *c, const struct msg_grant *g, uint64_t generation, uint64_t *ret_index)
{
	char release[sizeof "release:" + 2 * MSG_ID] = "release:";
	hex_encode(g->release, MSG_ID, release + sizeof "release:" - 1);
	struct entry e = {
		.ev = ENTRY_DEVICE_GRANT,
		.sev = entry_event_severity(ENTRY_DEVICE_GRANT),
		.out = view_str("ok"),
		.obj = view_str(release),
		.have_dev = true,
		.refs = 1,
	};
	memcpy(e.dev, g->module, sizeof e.dev);
	e.ref[0] = (struct entry_ref){ view_str("table"), true, generation, { 0 } };
	int err = granted_room(a->granted);
	if (!err)
		err = audit_put(a, c, &e, ret_index);
	if (err)
		return err;
	audit_flood_granted(a, c);
	return granted_add(a->granted, g->module, g->release, *ret_index);
}

void
audit_on_grant_append(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_grant_append *m = msg;
	(void)frame;
	for (uint32_t i = 0; i < m->grants_n; i++) {
		const struct msg_grant *g = &m->grants[i];
		uint64_t index = 0;
		int err = audit_is_usable(a) ? FG_OK : FG_EIO;
		if (!err && !granted_find(a->granted, g->module, g->release, &index)) {
			bool room = audit_room_admits(a, ENTRY_DEVICE_GRANT);
			err = room ? put_grant(a, c, g, m->generation, &index) : FG_EAGAIN;
		}
		if (err) {
			struct msg_grant_appended no = { .granted_n = 1, .granted = { { g->token, err, 0 } } };
			chan_send(c, MSG_GRANT_APPENDED, &no, NULL, 0);
			continue;
		}
		struct waiter *w = wait_for(a, c);
		w->grant = true;
		w->token = g->token;
		w->index = index;
	}
}

/* From the head of the line, which no entry's text reaches: parsing each of a million would take too long. */
static void
remember_time(struct audit *a, struct view line)
{
	static const char mark[] = "\"t\":\"";
	const size_t head = line.n < 64 ? line.n : 64, text = STAMP_US_CAP - 1;
	const uint8_t *p = line.n ? memmem(line.p, head, mark, sizeof mark - 1) : NULL;
	int64_t us;
	if (!p || (size_t)(line.p + line.n - p) < sizeof mark - 1 + text)
		return;
	if (stamp_parse_us(view_of(p + sizeof mark - 1, text), &us) && us > a->last_us)
		a->last_us = us;
}

void
audit_remember(void *ctx, uint64_t index, struct view line)
{
	struct audit *a = ctx;
	static const char mark[] = "\"ev\":\"device.grant\"";
	remember_time(a, line);
	if (!line.n || !memmem(line.p, line.n, mark, sizeof mark - 1))
		return;
	struct json *doc = NULL;
	struct entry e;
	uint8_t release[MSG_ID];
	if (entry_parse(line, &doc, &e, NULL))
		return;
	if (e.ev == ENTRY_DEVICE_GRANT && e.have_dev && e.obj.n == 8 + 2 * MSG_ID && !memcmp(e.obj.p, "release:", 8) &&
	    hex_decode(view_of(e.obj.p + 8, 2 * MSG_ID), release, MSG_ID) &&
	    granted_add(a->granted, e.dev, release, index))
		a->forgetful = true;
	json_free(doc);
}

void
audit_on_clock(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_clock *m = msg;
	(void)c;
	(void)frame;
	/* Without a base of the warden's the own one goes on. */
	if (m->base_boot && clockwatch_adopt(&a->watch, m->base_wall, m->base_boot, m->forgiven))
		oplog(OPLOG_ERR, "the warden told a clock that no machine has");
}

int
audit_append_open(struct audit *a)
{
	a->waiting = calloc(AUDIT_WAITERS_MAX, sizeof a->waiting[0]);
	a->granted = granted_new();
	a->flood = audit_flood_new();
	writer_init(&a->line, MSG_ENTRY_MAX); /* so that any entry fits the message that proves it */
	event_assign(&a->commit, role_base(a->role), -1, 0, on_commit, a);
	return a->waiting && a->granted && a->flood ? FG_OK : FG_ENOMEM;
}

void
audit_append_close(struct audit *a)
{
	granted_free(a->granted);
	free(a->flood);
	free(a->waiting);
	writer_free(&a->line);
}
