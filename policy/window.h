/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window - when modules may be offered anything: weekly windows and blackouts.
 * Role: scope_offer() asks, edges take from it when to come back, and control when
 * an offer ends. A window is open at every instant at which a clock on the wall of
 * its zone shows a time from `from` up to, not with, `to` on one of its days. So
 * a time that a change of clocks leaves out is never open, one that comes twice is open
 * both times. One that passes midnight belongs to the day on which it begins.
 * A blackout is whole days of its zone, first and last with it. Guarantees: pure;
 * bounded work; an empty list of windows is always open, and a module whose group
 * none of the windows is for is never offered anything.
 */
#ifndef FG_POLICY_WINDOW_H
#define FG_POLICY_WINDOW_H

#include "policy/zone.h"

#define WINDOW_NAME_MAX 48    /* PROFILE_WORD_MAX */
#define WINDOW_GROUPS_MAX 16
#define WINDOW_DAYS_MAX 7
#define WINDOW_USED_MAX 8     /* windows, and blackouts, of one profile */
#define WINDOW_AHEAD (400 * ZONE_DAY) /* how far anything is looked for: a weekly window behind a long blackout */

/* As configured, and below what window_resolve() makes of it. */
struct window {
	char name[WINDOW_NAME_MAX + 1];
	char zone_text[ZONE_TEXT_MAX + 1];
	char day[WINDOW_DAYS_MAX][4]; /* "mon" ... "sun" */
	unsigned day_n;
	char from_text[6], to_text[6]; /* "22:00"; to may be "24:00" */
	char groups[WINDOW_GROUPS_MAX][WINDOW_NAME_MAX + 1]; /* none: every group */
	unsigned groups_n;

	struct zone zone;
	uint8_t days;     /* bit 0: Sunday */
	int32_t from, to; /* seconds of the day; to is up to two days' for one that passes midnight */
};

struct window_blackout {
	char name[WINDOW_NAME_MAX + 1];
	char zone_text[ZONE_TEXT_MAX + 1];
	char first_text[11], last_text[11]; /* "2026-12-24" */
	char groups[WINDOW_GROUPS_MAX][WINDOW_NAME_MAX + 1];
	unsigned groups_n;

	struct zone zone;
	int64_t first, last; /* days since 1970-01-01 */
};

/* What one profile names; borrowed from the configuration. All zero: always open. */
struct window_list {
	const struct window *window[WINDOW_USED_MAX];
	unsigned n;
	const struct window_blackout *blackout[WINDOW_USED_MAX];
	unsigned blackouts_n;
};

/* Fills the resolved half from texts that have their form; false when from is to, or first is after last. */
bool window_resolve(struct window *w);
bool window_blackout_resolve(struct window_blackout *b);
/* "22:00", "24:00" only where end says so. */
bool window_clock_parse(struct view text, bool end, int32_t *ret_seconds);
/* "sun" 0 ... "sat" 6; negative: not a day. */
int window_day_parse(struct view text);

/* For a module of that group, at t (epoch seconds). */
bool window_open(const struct window_list *l, struct view group, int64_t t);
/*
 * The first instant from t on and before limit at which it is open; ZONE_NEVER when
 * there is none. Nothing is looked for beyond WINDOW_AHEAD from t.
 */
int64_t window_next(const struct window_list *l, struct view group, int64_t t, int64_t limit);
/*
 * The first instant from t on and before limit at which it is not open, else limit
 * itself, or WINDOW_AHEAD from t where that is earlier and something is configured.
 */
int64_t window_close(const struct window_list *l, struct view group, int64_t t, int64_t limit);

#endif
