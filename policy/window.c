/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/window.h"

/* ---- texts ---- */

bool
window_clock_parse(struct view text, bool end, int32_t *ret_seconds)
{
	if (text.n != 5 || text.p[2] != ':')
		return false;
	for (size_t i = 0; i < 5; i++)
		if (i != 2 && (text.p[i] < '0' || text.p[i] > '9'))
			return false;
	int32_t h = (text.p[0] - '0') * 10 + text.p[1] - '0', m = (text.p[3] - '0') * 10 + text.p[4] - '0';
	int32_t s = h * 3600 + m * 60;
	if (m > 59 || s > ZONE_DAY || (s == ZONE_DAY && !end))
		return false;
	*ret_seconds = s;
	return true;
}

int
window_day_parse(struct view text)
{
	static const char *const names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	for (int i = 0; i < WINDOW_DAYS_MAX; i++)
		if (view_is(text, names[i]))
			return i;
	return -1;
}

bool
window_resolve(struct window *w)
{
	if (!zone_parse(view_str(w->zone_text), &w->zone) || !window_clock_parse(view_str(w->from_text), false, &w->from) ||
	    !window_clock_parse(view_str(w->to_text), true, &w->to) || w->from == w->to)
		return false;
	if (w->to < w->from)
		w->to += (int32_t)ZONE_DAY;
	w->days = 0;
	for (unsigned i = 0; i < w->day_n; i++) {
		int day = window_day_parse(view_str(w->day[i]));
		if (day < 0)
			return false;
		w->days |= (uint8_t)(1u << day);
	}
	return true;
}

bool
window_blackout_resolve(struct window_blackout *b)
{
	return zone_parse(view_str(b->zone_text), &b->zone) && zone_date_parse(view_str(b->first_text), &b->first) &&
	    zone_date_parse(view_str(b->last_text), &b->last) && b->first <= b->last;
}

/* ---- one of them ---- */

/* Local time as if it were UTC; t is 0 or later, and an offset less than a day, so a day more keeps it positive. */
static int64_t
local_of(const struct zone *z, int64_t t)
{
	return t + zone_offset(z, t);
}

static int64_t
floor_day(int64_t local)
{
	return local >= 0 ? local / ZONE_DAY : -1;
}

static bool
on_day(const struct window *w, int64_t day)
{
	return w->days & 1u << (day + 4 + 7) % 7;
}

static bool
is_open(const struct window *w, int64_t t)
{
	int64_t local = local_of(&w->zone, t), day = floor_day(local), of_day = local - day * ZONE_DAY;
	return (on_day(w, day) && of_day >= w->from && of_day < w->to) ||
	    (on_day(w, day - 1) && of_day + ZONE_DAY < w->to);
}

static void
lower(int64_t *ret, int64_t candidate, int64_t above)
{
	if (candidate > above && candidate < *ret)
		*ret = candidate;
}

/* No later than the first change after t: of the window, or of the clocks. */
static int64_t
window_step(const struct window *w, int64_t t)
{
	int64_t offset = zone_offset(&w->zone, t), midnight = floor_day(t + offset) * ZONE_DAY - offset;
	int64_t next = zone_change(&w->zone, t);
	lower(&next, midnight + w->from, t);
	lower(&next, midnight + (w->to > ZONE_DAY ? w->to - ZONE_DAY : w->to), t);
	lower(&next, midnight + ZONE_DAY, t);
	return next;
}

static bool
is_black(const struct window_blackout *b, int64_t t)
{
	int64_t day = floor_day(local_of(&b->zone, t));
	return day >= b->first && day <= b->last;
}

static int64_t
blackout_step(const struct window_blackout *b, int64_t t)
{
	int64_t offset = zone_offset(&b->zone, t), next = zone_change(&b->zone, t);
	lower(&next, b->first * ZONE_DAY - offset, t);
	lower(&next, (b->last + 1) * ZONE_DAY - offset, t);
	return next;
}

/* ---- all of a profile's ---- */

static bool
is_for(const char groups[][WINDOW_NAME_MAX + 1], unsigned n, struct view group)
{
	for (unsigned i = 0; i < n; i++)
		if (view_is(group, groups[i]))
			return true;
	return n == 0;
}

static bool
in_time(int64_t t)
{
	return t >= 0 && t <= ZONE_TIME_MAX;
}

static bool
is_empty(const struct window_list *l)
{
	return l->n == 0 && l->blackouts_n == 0;
}

bool
window_open(const struct window_list *l, struct view group, int64_t t)
{
	bool open = l->n == 0;
	if (is_empty(l))
		return true;
	if (!in_time(t))
		return false;
	for (unsigned i = 0; i < l->blackouts_n; i++)
		if (is_for(l->blackout[i]->groups, l->blackout[i]->groups_n, group) && is_black(l->blackout[i], t))
			return false;
	for (unsigned i = 0; !open && i < l->n; i++)
		open = is_for(l->window[i]->groups, l->window[i]->groups_n, group) && is_open(l->window[i], t);
	return open;
}

/* No later than the first change after t; ZONE_NEVER when nothing ever changes for that group. */
static int64_t
step(const struct window_list *l, struct view group, int64_t t)
{
	int64_t next = ZONE_NEVER;
	for (unsigned i = 0; i < l->blackouts_n; i++)
		if (is_for(l->blackout[i]->groups, l->blackout[i]->groups_n, group))
			lower(&next, blackout_step(l->blackout[i], t), t);
	for (unsigned i = 0; i < l->n; i++)
		if (is_for(l->window[i]->groups, l->window[i]->groups_n, group))
			lower(&next, window_step(l->window[i], t), t);
	return next;
}

static int64_t
no_later(int64_t t, int64_t limit)
{
	return limit < t + WINDOW_AHEAD ? limit : t + WINDOW_AHEAD;
}

/* Each step leads to a boundary or a midnight of a window, or to a change of clocks: a few a day. */
int64_t
window_next(const struct window_list *l, struct view group, int64_t t, int64_t limit)
{
	if (is_empty(l))
		return t < limit ? t : ZONE_NEVER;
	if (!in_time(t))
		return ZONE_NEVER;
	for (limit = no_later(t, limit); t < limit; t = step(l, group, t))
		if (window_open(l, group, t))
			return t;
	return ZONE_NEVER;
}

int64_t
window_close(const struct window_list *l, struct view group, int64_t t, int64_t limit)
{
	if (is_empty(l))
		return limit;
	if (!in_time(t))
		return t;
	for (limit = no_later(t, limit); t < limit; t = step(l, group, t))
		if (!window_open(l, group, t))
			return t;
	return limit;
}
