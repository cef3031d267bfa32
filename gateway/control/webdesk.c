/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/webdesk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/idem.h"
#include "gateway/control/requests.h"
#include "gateway/control/sessions.h"

struct webcall {
	LIST_ENTRY(webcall) link;
	struct webdesk *desk;
	struct call *call;
	uint8_t peer[MSG_ID];
	bool keyed;  /* its answer is to be remembered */
	bool orphan; /* of a console that is gone: the next one gives its tokens to other people */
	struct idem_key key;
};
LIST_HEAD(webcalls, webcall);

struct webdesk {
	struct control *c;
	struct chan *chan; /* NULL: the console is away */
	struct idem *idem;
	struct webcalls calls;
	unsigned n;
	uint64_t told; /* size of the log */
};

#define NO(id, text, cure) "{\"error\":{\"cure\":\"" cure "\",\"id\":\"" id "\",\"text\":\"" text "\"}}"

/* ---- answering ---- */

static void
reply(void *ctx, const struct msg_reply *m, const int *fds, unsigned fds_n)
{
	struct webcall *wc = ctx;
	/* What was refused or could not be done may be asked again; what was done is not done twice. */
	if (wc->keyed && m->status == CALL_DONE)
		idem_done(wc->desk->idem, &wc->key, m->status, m->big || m->file ? NULL : &m->json);
	else if (wc->keyed)
		idem_drop(wc->desk->idem, &wc->key);
	if (!wc->orphan && wc->desk->chan)
		chan_send(wc->desk->chan, MSG_REPLY, m, fds, fds_n);
}

static void
over(void *ctx, struct call *call)
{
	struct webcall *wc = ctx;
	(void)call;
	LIST_REMOVE(wc, link);
	wc->desk->n--;
	free(wc);
}

/* A call that cannot be one. */
static void
refuse(struct chan *chan, uint64_t token, enum call_status status, const char *json)
{
	const struct msg_reply no = { .token = token, .status = (uint8_t)status, .json = view_str(json) };
	chan_send(chan, MSG_REPLY, &no, NULL, 0);
}

/* ---- who ---- */

static bool
identify(struct control *c, const struct msg_web_call *m, const char *front, struct caller *who)
{
	static const enum callers_means means[MSG_WEB_LIMIT] = { [MSG_WEB_GUEST] = CALLERS_MEANS_GUEST,
		[MSG_WEB_SESSION] = CALLERS_MEANS_SESSION, [MSG_WEB_TOKEN] = CALLERS_MEANS_TOKEN };
	struct sessions_from from = { .front = front };
	memcpy(from.peer, m->peer, sizeof from.peer);
	memcpy(from.person, m->person, sizeof from.person);
	if (m->background)
		return sessions_look(c->sessions, means[m->means], m->secret, &from, who);
	return sessions_identify(c->sessions, means[m->means], m->secret, &from, who);
}

/* Whether it is to be handled now; false: it is answered. */
static bool
is_new(struct webcall *wc, const struct msg_web_call *m)
{
	static const uint8_t none[DIGEST_SHA256_LEN];
	struct webdesk *w = wc->desk;
	struct writer again;
	struct view doc;
	uint8_t status;
	if (m->means == MSG_WEB_GUEST || memcmp(m->key, none, sizeof none) == 0)
		return true; /* what a guest is told may be a session's secret */
	memcpy(wc->key.key, m->key, sizeof m->key);
	memcpy(wc->key.asked, m->asked, sizeof m->asked);
	/* Of that secret alone: another token of the same person's may have fewer rights. */
	if (digest_sha256(view_of(m->secret, sizeof m->secret), wc->key.who)) {
		call_fail_err(wc->call, FG_ENOMEM);
		return false;
	}
	switch (idem_begin(w->idem, &wc->key, clock_mono_ms(w->c->clock) / 1000, &status, &doc)) {
	case IDEM_NEW:
		wc->keyed = true;
		return true;
	case IDEM_AGAIN:
		writer_init(&again, IDEM_ANSWER_MAX);
		writer_bytes(&again, doc);
		call_answer(wc->call, status, &again);
		break;
	case IDEM_BUSY:
		call_fail(wc->call, CALL_REFUSED, "KEY-BUSY", "ask again in a moment", "what came with that key is under way");
		break;
	case IDEM_OTHER:
		call_fail(wc->call, CALL_USAGE, "KEY-REUSED", "take another key",
		    "under that Idempotency-Key something else was asked");
		break;
	case IDEM_GIVEN:
		call_fail(wc->call, CALL_REFUSED, "KEY-ANSWERED", "look at what it was about",
		    "what came with that key was done, and its answer is not kept");
		break;
	case IDEM_FULL:
	default:
		call_fail(wc->call, CALL_REFUSED, "LIMIT", "wait for answers", "too many keys are under way");
		break;
	}
	return false;
}

/* ---- calls ---- */

static bool
is_full(const struct webdesk *w, const uint8_t peer[MSG_ID])
{
	const struct webcall *wc;
	unsigned n = 0;
	LIST_FOREACH(wc, &w->calls, link)
		n += memcmp(wc->peer, peer, MSG_ID) == 0;
	return w->n == WEBDESK_CALLS_MAX || n >= WEBDESK_CALLS_OF_ONE;
}

/* NULL: answered. */
static struct webcall *
take(struct webdesk *w, struct chan *chan, const struct msg_web_call *m, struct wire_frame *frame,
    const struct caller *who)
{
	struct msg_call plain = { .token = m->token, .fds = m->fds, .json = m->json };
	struct webcall *wc = calloc(1, sizeof *wc);
	const struct call_line line = { wc, reply, over };
	snprintf(plain.request, sizeof plain.request, "%s", m->request);
	int err = wc ? call_new(&plain, frame, who, &line, &wc->call) : FG_ENOMEM;
	if (err) {
		free(wc);
		if (err == FG_EFORMAT)
			refuse(chan, m->token, CALL_USAGE,
			    NO("USAGE", "the arguments are not strict JSON", "send one JSON object"));
		else
			refuse(chan, m->token, CALL_COULD_NOT, NO("LOCAL", "no memory", ""));
		return NULL;
	}
	wc->desk = w;
	memcpy(wc->peer, m->peer, sizeof wc->peer);
	LIST_INSERT_HEAD(&w->calls, wc, link);
	w->n++;
	return wc;
}

static void
on_call(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	struct webdesk *w = c->webdesk;
	const struct msg_web_call *m = msg;
	struct caller who = { 0 };
	if (c->stopping)
		return; /* its console goes as well */
	if (chan_queued(chan) >= WEBDESK_UNREAD_MAX)
		chan_pause(chan, true); /* this one is answered still */
	if (is_full(w, m->peer)) {
		refuse(chan, m->token, CALL_REFUSED, NO("LIMIT", "too many calls are under way", "wait for answers"));
		return;
	}
	char front[sizeof who.front];
	if (fronts_judge(c, m, front, sizeof front) == FRONTS_STRANGER) {
		fronts_note(c->fronts, m);
		refuse(chan, m->token, CALL_REFUSED, NO("FRONT", "that is not the front of console.sso", ""));
		return;
	}
	bool known = identify(c, m, front, &who);
	if (!known) {
		who = (struct caller){ .uid = (uid_t)-1 };
		snprintf(who.user, sizeof who.user, "nobody");
		memcpy(who.person, m->person, sizeof who.person);
	}
	struct webcall *wc = take(w, chan, m, frame, &who);
	if (!wc)
		return;
	if (!known)
		requests_sign_in(c, wc->call);
	else if (is_new(wc, m))
		requests_handle(c, wc->call);
}

/* When its certificate ends: shown, and no more. */
static void
on_runouts(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	(void)chan;
	(void)frame;
	runouts_take_console(&c->runouts, msg);
}

static void
on_stray(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	(void)chan;
	(void)frame;
	fronts_stray(c->fronts, msg);
}

static const struct chan_rule rules[] = {
	{ MSG_WEB_CALL, CHAN_ALWAYS, on_call },
	{ MSG_WEB_STRAY, CHAN_ALWAYS, on_stray },
	{ MSG_RUNOUTS, CHAN_ALWAYS, on_runouts },
};
const struct chan_ops webdesk_ops = { rules, sizeof rules / sizeof rules[0], NULL };

/* ---- life ---- */

struct webdesk *
webdesk_new(struct control *c)
{
	struct webdesk *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->c = c;
	w->idem = idem_new();
	LIST_INIT(&w->calls);
	if (w->idem)
		return w;
	free(w);
	return NULL;
}

void
webdesk_free(struct webdesk *w)
{
	if (!w)
		return;
	while (!LIST_EMPTY(&w->calls)) {
		struct webcall *wc = LIST_FIRST(&w->calls);
		LIST_REMOVE(wc, link);
		call_hang_up(wc->call);
		free(wc);
	}
	idem_free(w->idem);
	free(w);
}

void
webdesk_up(struct webdesk *w, struct chan *chan)
{
	w->chan = chan;
	w->told = 0;
	webdesk_tick(w);
}

void
webdesk_down(struct webdesk *w)
{
	struct webcall *wc;
	w->chan = NULL;
	runouts_take_console(&w->c->runouts, NULL);
	LIST_FOREACH(wc, &w->calls, link)
		wc->orphan = true;
}

bool
webdesk_is_up(const struct webdesk *w)
{
	return w->chan != NULL;
}

void
webdesk_tick(struct webdesk *w)
{
	const struct msg_web_log m = { .size = logbook_size(w->c->logbook) };
	if (w->chan && chan_queued(w->chan) < WEBDESK_UNREAD_MAX / 2)
		chan_pause(w->chan, false);
	if (!w->chan || m.size == w->told || chan_queued(w->chan))
		return; /* one that does not read hears of it later */
	if (chan_send(w->chan, MSG_WEB_LOG, &m, NULL, 0) == FG_OK)
		w->told = m.size;
}
