/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/stamp.h"
#include "gateway/warden/state.h"

#define HOLD_TOKENS (UINT64_C(1) << 63) /* issue.c counts from 0 and never comes here */
#define HOLD_AGAIN_S 10                 /* an entry that was not acknowledged is sent again after that */

/* ---- readings ---- */

static int64_t
us(int64_t seconds)
{
	int64_t v;
	return __builtin_mul_overflow(seconds, INT64_C(1000000), &v) ? (seconds < 0 ? INT64_MIN : INT64_MAX) : v;
}

static int64_t
wall_us(const struct warden *w)
{
	return us(w->clock.now_s());
}

static int64_t
boot_us(const struct warden *w)
{
	return us(w->clock.mono_s());
}

int64_t
hold_earliest(const struct warden *w)
{
	return clockwatch_seconds(clockwatch_earliest(&w->hold.watch, wall_us(w), boot_us(w)));
}

int64_t
hold_latest(const struct warden *w)
{
	return clockwatch_seconds(clockwatch_latest(&w->hold.watch, wall_us(w), boot_us(w)));
}

void
hold_confirming(const struct warden *w, int64_t *ret_earliest, int64_t *ret_latest)
{
	const struct clockwatch *cw = &w->hold.watch;
	*ret_earliest = clockwatch_seconds(clockwatch_earliest_confirming(cw, wall_us(w), boot_us(w)));
	*ret_latest = clockwatch_seconds(clockwatch_latest_confirming(cw, wall_us(w), boot_us(w)));
}

bool
hold_is_sure(const struct warden *w)
{
	return clockwatch_judge(&w->hold.watch, wall_us(w), boot_us(w)) == CLOCKWATCH_SURE;
}

/* ---- kept ---- */

static void
save(struct warden *w)
{
	struct writer bytes;
	writer_init(&bytes, CLOCKWATCH_BYTES);
	int err = clockwatch_encode(&w->hold.watch, &bytes);
	if (!err)
		err = vault_keep_clock(w->vault, writer_view(&bytes));
	if (err)
		fprintf(stderr, "<3>warden: the state of the clock could not be written down: %s\n", err_name(err));
	writer_free(&bytes);
}

int
hold_load(struct warden *w)
{
	struct clockwatch *cw = &w->hold.watch;
	struct writer bytes;
	writer_init(&bytes, CLOCKWATCH_BYTES);
	int err = vault_clock(w->vault, &bytes);
	if (!err)
		err = clockwatch_parse(writer_view(&bytes), cw);
	writer_free(&bytes);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		fprintf(stderr, "<3>warden: what was kept of the clock cannot be read: held until people confirm it\n");
		clockwatch_lost(cw);
		err = FG_OK;
	}
	if (err == FG_ENOTFOUND)
		err = FG_OK; /* the first start */
	clockwatch_begin(cw, w->clock.boot_id);
	return err;
}

/* ---- told ---- */

static struct msg_clock
message(const struct hold *h)
{
	const struct clockwatch *cw = &h->watch;
	struct msg_clock m;
	memset(&m, 0, sizeof m); /* compared as bytes */
	if (cw->held) {
		m.state = MSG_CLOCK_HELD;
		m.name = cw->name;
		m.step = cw->step;
	} else if (cw->based) {
		m.state = MSG_CLOCK_SURE;
	}
	if (cw->based) {
		m.base_wall = cw->base_wall;
		m.base_boot = cw->base_boot;
	}
	m.forgiven = cw->forgiven;
	return m;
}

void
hold_tell(struct warden *w, enum msg_role role, unsigned index)
{
	struct msg_clock m = message(&w->hold);
	if (m.state != MSG_CLOCK_UNKNOWN)
		peers_send(w->peers, role, index, MSG_CLOCK, &m, NULL, 0);
}

static void
tell_all(struct warden *w)
{
	struct msg_clock m = message(&w->hold);
	if (memcmp(&m, &w->hold.told, sizeof m) == 0)
		return;
	w->hold.told = m;
	save(w);
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_CLOCK, &m, NULL, 0);
	peers_send(w->peers, MSG_ROLE_AUDIT, 0, MSG_CLOCK, &m, NULL, 0);
	peers_send_edges(w->peers, MSG_CLOCK, &m, NULL, 0);
}

/* ---- logged ---- */

static void
describe(const struct clockwatch *cw, char *dst, size_t cap)
{
	int64_t s = cw->step / 1000000;
	if (cw->step == 0)
		snprintf(dst, cap, "what was kept of the clock cannot be read: nothing new is permitted until people confirm it");
	else if (cw->step == INT64_MIN)
		snprintf(dst, cap, "the clock since boot went back: nothing new is permitted until people confirm the wall "
		    "clock or both stand where they were");
	else
		snprintf(dst, cap, "the wall clock is %lld s %s where it must be: nothing new is permitted until people "
		    "confirm it or it comes back", (long long)(s < 0 ? -s : s), s < 0 ? "behind" : "ahead of");
}

/*
 * The beginning of a hold, or its end by the clock itself. Sent again until it is
 * acknowledged; a full log takes the beginning only, for the end would permit.
 */
static void
append(struct warden *w, bool ending)
{
	struct hold *h = &w->hold;
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m)
		return; /* the next look tries again */
	enum entry_event event = ending ? ENTRY_RESTRICT_RESUME : ENTRY_CLOCK_STEPPED;
	m->token = h->token = HOLD_TOKENS | ++h->serial;
	h->ending = ending;
	h->waits = true;
	h->asked = w->clock.mono_s();
	m->event = (uint16_t)event;
	m->severity = (uint8_t)entry_event_severity(event);
	snprintf(m->out, sizeof m->out, "ok");
	snprintf(m->act, sizeof m->act, "warden");
	snprintf(m->obj, sizeof m->obj, "clock");
	m->refs_n = 1;
	snprintf(m->refs[0].key, sizeof m->refs[0].key, "hold");
	if (stamp_format(h->watch.name, m->refs[0].text))
		snprintf(m->refs[0].text, sizeof m->refs[0].text, "unnamed");
	if (ending)
		snprintf(m->msg, sizeof m->msg, "the wall clock stands where it must again");
	else
		describe(&h->watch, m->msg, sizeof m->msg);
	if (peers_send(w->peers, MSG_ROLE_AUDIT, 0, MSG_APPEND, m, NULL, 0))
		hold_audit_away(w);
	free(m);
}

void
hold_appended(struct warden *w, const struct msg_appended *m)
{
	struct hold *h = &w->hold;
	if (!h->token || m->token != h->token)
		return;
	h->token = 0;
	if (m->err)
		return; /* asked again after HOLD_AGAIN_S or hold_audit_open(): at once would go on as fast as it can be refused */
	h->waits = false;
	if (!h->ending) {
		h->watch.logged = true;
		save(w);
	} else if (clockwatch_judge(&h->watch, wall_us(w), boot_us(w)) == CLOCKWATCH_BACK) {
		clockwatch_release(&h->watch, wall_us(w), boot_us(w));
	}
	tell_all(w);
}

void
hold_audit_away(struct warden *w)
{
	w->hold.token = 0;
	w->hold.waits = false;
}

void
hold_audit_open(struct warden *w)
{
	if (!w->hold.token)
		w->hold.waits = false;
}

void
hold_begun(struct warden *w)
{
	struct hold *h = &w->hold;
	if (h->watch.held && !h->watch.logged && !h->token)
		append(w, false);
}

/* ---- looking ---- */

void
hold_look(struct warden *w)
{
	struct hold *h = &w->hold;
	/* Without the floor a base could be taken from a clock that has yet to be set. */
	if (!h->floor_known && !h->watch.based)
		return;
	enum clockwatch_state state = clockwatch_see(&h->watch, wall_us(w), boot_us(w), h->halted_at);
	tell_all(w);
	if (h->waits && w->clock.mono_s() - h->asked <= HOLD_AGAIN_S)
		return;
	h->token = 0;
	if (h->watch.held && !h->watch.logged)
		append(w, false);
	else if (state == CLOCKWATCH_BACK)
		append(w, true);
}

void
hold_head(struct warden *w, const struct msg_head *m)
{
	/* A log that is not in order still says what time it was. */
	clockwatch_floor(&w->hold.watch, m->last_us);
	w->hold.floor_known = true;
	hold_look(w);
}

void
hold_halted(struct warden *w, int64_t at)
{
	w->hold.halted_at = at;
	w->hold.halted = true;
}

void
hold_resumed(struct warden *w, int64_t at)
{
	if (w->hold.halted_at == at)
		w->hold.halted = false;
}

/* ---- asked ---- */

bool
hold_is_named(const struct warden *w, const struct request *r)
{
	const struct clockwatch *cw = &w->hold.watch;
	if (r->kind != REQUEST_RESUME || !cw->name || r->resume.halted_at != cw->name)
		return false;
	/* A halt may have been called in the very second: once no hold has that name, it is the halt's alone. */
	return cw->held || w->hold.halted_at != cw->name;
}

const char *
hold_refuses(const struct warden *w, const struct request *r)
{
	const struct clockwatch *cw = &w->hold.watch;
	bool named = hold_is_named(w, r);
	if (named && cw->held)
		return NULL;
	if (named)
		return "that hold of the clock has ended already: what was signed for it ends no halt";
	switch (clockwatch_judge(cw, wall_us(w), boot_us(w))) {
	case CLOCKWATCH_SURE:
		return NULL;
	case CLOCKWATCH_UNKNOWN:
		return "the clock has not been compared with the log yet: try again";
	default:
		return "the clock has stepped and is held: nothing new is permitted until people confirm it with "
		       "fotagate resume, or it comes back";
	}
}

void
hold_confirm(struct warden *w)
{
	clockwatch_confirm(&w->hold.watch, wall_us(w), boot_us(w));
	tell_all(w);
}
