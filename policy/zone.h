/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone - what a clock on a wall shows, by a time zone written as POSIX writes it.
 * Role: maintenance windows and blackouts (policy/window). The text is the one of
 * the environment variable TZ (POSIX.1-2017 chapter 8.3, with the wider hours of
 * RFC 9636 3.3.1), such as "CET-1CEST,M3.5.0,M10.5.0/3": it is the last line of a
 * file of /usr/share/zoneinfo. Rules, not history: it holds from now on, and needs
 * no file when a past decision is replayed. Guarantees: pure, no allocation; every
 * instant has exactly one offset.
 */
#ifndef FG_POLICY_ZONE_H
#define FG_POLICY_ZONE_H

#include "crypto/stamp.h"

#define ZONE_TEXT_MAX 63
#define ZONE_TIME_MAX STAMP_MAX
#define ZONE_DAY INT64_C(86400)
#define ZONE_NEVER INT64_MAX

enum zone_rule_kind {
	ZONE_RULE_NONE = 0,
	ZONE_RULE_WEEKDAY, /* Mm.w.d: of month m the w-th weekday d, the last for w = 5 */
	ZONE_RULE_JULIAN,  /* Jn: day n from 1, 29 February never counted */
	ZONE_RULE_DAY,     /* n: day n from 0, 29 February counted */
};

struct zone_rule {
	enum zone_rule_kind kind;
	int32_t month, week, day;
	int32_t seconds; /* of local time, from the midnight that begins the day; may be negative */
};

struct zone {
	int32_t standard, daylight; /* seconds east of UTC */
	struct zone_rule begin, end; /* of daylight saving time; kind ZONE_RULE_NONE: there is none */
};

/*
 * False when it is not such a text; *ret is untouched then. Daylight saving time
 * needs both rules: without them POSIX leaves it to the implementation.
 */
bool zone_parse(struct view text, struct zone *ret);
/* Seconds east of UTC at t; t is taken into 0..ZONE_TIME_MAX. */
int32_t zone_offset(const struct zone *z, int64_t t);
/* The first instant after t at which the offset changes by a rule; ZONE_NEVER. */
int64_t zone_change(const struct zone *z, int64_t t);
/* Days from 1970-01-01 to that day of the proleptic Gregorian calendar; month 1 to 12. */
int64_t zone_day(int64_t year, int64_t month, int64_t day);
/* "2026-02-28"; false when it is no day of the years 1970 to 9999. */
bool zone_date_parse(struct view text, int64_t *ret_day);

#endif
