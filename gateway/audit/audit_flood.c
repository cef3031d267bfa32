/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one source may write. A source that only tells, and tells too much, is
 * counted instead; one that waits for an answer is kept waiting: its channel is not
 * read until its bucket allows. Neither can fill the disk or take the log's time
 * from others. What permits or restricts is never dropped.
 */
#include "gateway/audit/audit_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "gateway/audit/quota.h"

#define EDGES 64        /* policy/config: as many as there can be */
#define COST_BYTES 512  /* of text to a token: a usual entry */
#define COUNT_S 300     /* AUDIT_AND_APPROVAL.md section 2.3, 10: a count every five minutes */

/* A crowd of modules that all come at once is let through, once; then 100 a second are 8.6 million a day. */
static const struct quota_rate usual_rate = { 20000, 100 };
/* A refusal costs a person a signature, or a taken-over control nothing. */
static const struct quota_rate warden_rate = { 1024, 20 };

struct source {
	const struct quota_rate *rate;
	struct quota telling, waiting;
	struct chan *paused;
	uint32_t count[ENTRY_EV_LIMIT]; /* not written since the last count */
	bool counting;
};

struct flood {
	int64_t counted_ms;
	struct source edge[EDGES], control, warden;
};

struct flood *
audit_flood_new(void)
{
	struct flood *f = calloc(1, sizeof *f);
	for (size_t i = 0; f && i < EDGES; i++)
		f->edge[i].rate = &usual_rate;
	if (f) {
		f->control.rate = &usual_rate;
		f->warden.rate = &warden_rate;
	}
	return f;
}

/* NULL: the supervisor, whose channel also carries halts and stops. */
static struct source *
source_of(struct flood *f, const struct chan *c)
{
	switch (chan_peer_role(c)) {
	case MSG_ROLE_EDGE:
		return &f->edge[chan_peer_index(c) % EDGES];
	case MSG_ROLE_CONTROL:
		return &f->control;
	case MSG_ROLE_WARDEN:
		return &f->warden;
	default:
		return NULL;
	}
}

/* Nobody's right, and no restriction, hangs on one of these more or less. */
static bool
only_tells(enum entry_event ev)
{
	switch (ev) {
	case ENTRY_AUTH_OK:
	case ENTRY_AUTH_FAILED:
	case ENTRY_AUTH_THROTTLED:
	case ENTRY_AUTH_LOGOUT:
	case ENTRY_AUTHZ_DENIED:
	case ENTRY_UPSTREAM_FETCHED:
	case ENTRY_UPSTREAM_TLS_CHANGED:
	case ENTRY_UPSTREAM_ERROR:
	case ENTRY_FETCH_STARTED:
	case ENTRY_FETCH_DONE:
	case ENTRY_FETCH_FAILED:
	case ENTRY_IMAGE_CORRUPT:
	case ENTRY_IMAGE_INCIDENT:
	case ENTRY_VENDOR_INCIDENT:
	case ENTRY_RELEASE_REFUSED:
	case ENTRY_MODULE_SIGHTING:
	case ENTRY_DEVICE_SEEN:
	case ENTRY_DEVICE_SERVED:
	case ENTRY_DEVICE_FAILED:
	case ENTRY_DEVICE_RESULT:
	case ENTRY_DEVICE_UNKNOWN_COUNT:
	case ENTRY_EGRESS_BLOCKED:
	case ENTRY_EGRESS_NEW_ENDPOINT:
		return true;
	default:
		return false;
	}
}

static void
count(struct source *s, const struct chan *c, enum entry_event ev)
{
	if (!s->counting)
		oplog(OPLOG_WARNING, "%s[%u] floods the log with %s: more of it is counted, not written",
		    msg_role_name(chan_peer_role(c)), chan_peer_index(c), entry_event_name(ev));
	s->counting = true;
	if (s->count[ev] < UINT32_MAX)
		s->count[ev]++;
}

/* The channel rests until the next look that finds the bucket open. */
static void
charge(struct source *s, struct chan *c, int64_t now, uint32_t cost)
{
	quota_charge(&s->waiting, s->rate, now, cost);
	if (quota_is_open(&s->waiting, s->rate, now))
		return;
	s->paused = c;
	chan_pause(c, true);
}

bool
audit_flood_admits(struct audit *a, struct chan *c, const struct msg_append *m)
{
	struct source *s = source_of(a->flood, c);
	enum entry_event ev = (enum entry_event)m->event;
	uint32_t cost = 1 + (uint32_t)(m->doc.n / COST_BYTES);
	int64_t now = clock_mono_ms(a->clock);
	if (!s)
		return true;
	if (m->token || !only_tells(ev)) {
		charge(s, c, now, cost);
		return true;
	}
	if (quota_take(&s->telling, s->rate, now, cost))
		return true;
	count(s, c, ev);
	return false;
}

void
audit_flood_granted(struct audit *a, struct chan *c)
{
	struct source *s = source_of(a->flood, c);
	if (s)
		charge(s, c, clock_mono_ms(a->clock), 1);
}

void
audit_flood_forget(struct audit *a, const struct chan *c)
{
	struct source *s = source_of(a->flood, c);
	if (s && s->paused == c)
		s->paused = NULL;
}

/* ---- once a second ---- */

static void
put_count(struct audit *a, const char *role, unsigned index, enum entry_event ev, uint32_t n, int64_t seconds)
{
	char obj[64], text[160];
	uint64_t at;
	snprintf(obj, sizeof obj, "source:%s%u", role, index);
	snprintf(text, sizeof text, "%" PRIu32 " entries %s of this source were too many and are counted here only", n,
	    entry_event_name(ev));
	struct entry e = {
		.ev = ENTRY_LOG_FLOOD,
		.sev = entry_event_severity(ENTRY_LOG_FLOOD),
		.out = view_str("denied"),
		.act = view_str("audit"),
		.obj = view_str(obj),
		.refs = 3,
		.msg = view_str(text),
	};
	e.ref[0] = (struct entry_ref){ view_str("count"), true, n, { 0 } };
	e.ref[1] = (struct entry_ref){ view_str("event"), false, 0, view_str(entry_event_name(ev)) };
	e.ref[2] = (struct entry_ref){ view_str("seconds"), true, (uint64_t)seconds, { 0 } };
	(void)audit_put(a, NULL, &e, &at); /* what fails has failed the process */
}

static void
put_counts(struct audit *a, struct source *s, const char *role, unsigned index, int64_t seconds)
{
	if (!s->counting)
		return;
	for (unsigned ev = 1; ev < ENTRY_EV_LIMIT && audit_is_usable(a); ev++) {
		if (s->count[ev])
			put_count(a, role, index, (enum entry_event)ev, s->count[ev], seconds);
		s->count[ev] = 0;
	}
	s->counting = false;
}

void
audit_flood_count(struct audit *a)
{
	struct flood *f = a->flood;
	int64_t now = clock_mono_ms(a->clock), seconds = (now - f->counted_ms) / 1000;
	if (!audit_is_usable(a))
		return;
	for (unsigned i = 0; i < EDGES; i++)
		put_counts(a, &f->edge[i], "edge", i, seconds);
	put_counts(a, &f->control, "control", 0, seconds);
	put_counts(a, &f->warden, "warden", 0, seconds);
	f->counted_ms = now;
	audit_run_commit(a);
}

static void
wake(struct source *s, int64_t now)
{
	if (!s->paused || !quota_is_open(&s->waiting, s->rate, now))
		return;
	chan_pause(s->paused, false);
	s->paused = NULL;
}

void
audit_flood_look(struct audit *a)
{
	struct flood *f = a->flood;
	int64_t now = clock_mono_ms(a->clock);
	for (unsigned i = 0; i < EDGES; i++)
		wake(&f->edge[i], now);
	wake(&f->control, now);
	wake(&f->warden, now);
	if (!f->counted_ms)
		f->counted_ms = now;
	else if (now - f->counted_ms >= COUNT_S * 1000)
		audit_flood_count(a);
}
