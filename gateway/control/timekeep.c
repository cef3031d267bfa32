/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/timekeep.h"

#include <stdio.h>

#include "gateway/control/control_private.h"

static int64_t
boot_us(const struct control *c)
{
	return clock_mono_ms(c->clock) * 1000;
}

bool
timekeep_is_sure(const struct control *c)
{
	const struct timekeep *t = &c->timekeep;
	return t->said.state == MSG_CLOCK_SURE &&
	    clockwatch_judge(&t->watch, clock_wall_us(c->clock), boot_us(c)) == CLOCKWATCH_SURE;
}

int64_t
timekeep_hold(const struct control *c)
{
	return c->timekeep.said.state == MSG_CLOCK_HELD ? c->timekeep.said.name : 0;
}

int64_t
timekeep_earliest(const struct control *c)
{
	return clockwatch_seconds(clockwatch_earliest(&c->timekeep.watch, clock_wall_us(c->clock), boot_us(c)));
}

int64_t
timekeep_latest(const struct control *c)
{
	return clockwatch_seconds(clockwatch_latest(&c->timekeep.watch, clock_wall_us(c->clock), boot_us(c)));
}

void
timekeep_tick(struct control *c)
{
	struct timekeep *t = &c->timekeep;
	bool sure = timekeep_is_sure(c);
	if (sure == t->was_sure)
		return;
	t->was_sure = sure;
	oplog(sure ? OPLOG_NOTICE : OPLOG_WARNING, "the clock is %s", sure ? "sure: what is permitted goes on"
	                                                                   : "not sure: nothing new is permitted");
	control_gate(c);
	if (sure && logbook_permits(c->logbook)) {
		judging_resume(c->judging);
		reviews_resume(c->reviews);
	}
}

void
timekeep_on_clock(struct control *c, const struct msg_clock *m)
{
	struct timekeep *t = &c->timekeep;
	/* Without a base nothing is sure, whatever the state says. */
	if (m->base_boot && clockwatch_adopt(&t->watch, m->base_wall, m->base_boot, m->forgiven))
		oplog(OPLOG_ERR, "the warden told a clock that no machine has");
	t->said = *m;
	timekeep_tick(c);
	halts_look(c->halts);
}

void
timekeep_on_head(struct control *c, const struct msg_head *m)
{
	clockwatch_floor(&c->timekeep.watch, m->last_us);
}

void
timekeep_why(const struct control *c, char *dst, size_t cap)
{
	const struct msg_clock *m = &c->timekeep.said;
	int64_t s = m->step / 1000000;
	if (m->state == MSG_CLOCK_HELD && m->step == INT64_MIN)
		snprintf(dst, cap, "the clock since boot has stepped back: nothing new is permitted; either it stands where it "
		    "was or people confirm the clock: fotagate resume statement");
	else if (m->state == MSG_CLOCK_HELD)
		snprintf(dst, cap, "the clock has stepped%s (%lld s): nothing new is permitted; set it right, then either it "
		    "stands where it was or people confirm it: fotagate resume statement", s < 0 ? " back" : "",
		    (long long)s);
	else if (m->state == MSG_CLOCK_SURE)
		snprintf(dst, cap, "the clock is not where it must be: nothing new is permitted until the warden has judged it");
	else
		snprintf(dst, cap, "the warden has not told yet whether the clock can be believed: nothing new is permitted");
}
