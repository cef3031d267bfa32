/* SPDX-License-Identifier: Apache-2.0 */
/* How full the log's disk is, and what is still written on a full one. */
#include "gateway/audit/audit_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/err.h"

#define BACKLOG_SHARE 4 /* of the reserve: half of it is free while the log is not full */
#define SLACK_PCT 2 /* so much less than a level before reaching it again is news */

bool
audit_room_admits(struct audit *a, enum entry_event ev)
{
	if (a->level != RESERVE_FULL || entry_event_is_vital(ev))
		return true;
	a->refused++;
	return false;
}

bool
audit_room_is_tight(const struct audit *a)
{
	return a->reserve.bytes && ledger_backlog(a->ledger) > a->reserve.bytes / BACKLOG_SHARE;
}

static void
put(struct audit *a, enum entry_event ev, const char *text)
{
	/* What fails here has failed the process, which says so itself. */
	if (audit_is_usable(a) && audit_put_own(a, ev, view_str(text), (struct view){ 0 }) == FG_OK)
		audit_run_commit(a);
}

static void
fuller(struct audit *a)
{
	char text[160];
	if (a->level == RESERVE_FULL) {
		snprintf(text, sizeof text, "no more room for the log: its reserve of %" PRIu64
		    " MiB is given up for what restricts; nothing is permitted", a->reserve.bytes >> 20);
		oplog(OPLOG_ERR, "FULL: %s", text);
		put(a, ENTRY_DISK_FULL, text);
		return;
	}
	snprintf(text, sizeof text, "the log's disk is %u percent full, %" PRIu64 " MiB are left", a->reserve.used_pct,
	    a->reserve.free >> 20);
	oplog(OPLOG_WARNING, "%s", text);
	put(a, ENTRY_DISK_WARN, text);
}

static void
room_again(struct audit *a)
{
	char text[160];
	snprintf(text, sizeof text, "there is room for the log again; %" PRIu64 " entries were not taken while it was full",
	    a->refused);
	a->refused = 0;
	oplog(OPLOG_NOTICE, "%s", text);
	put(a, ENTRY_LOG_RECOVERED, text);
}

int
audit_room_open(struct audit *a)
{
	int err = reserve_open(&a->reserve, a->dir);
	if (err)
		return err;
	/* Whatever else: without a reserve this is a full log, from its first entry on. */
	a->level = a->reserve.bytes && !a->reserve.held ? RESERVE_FULL : RESERVE_GOOD;
	return FG_OK;
}

static bool
is_clearly_below(const struct audit *a, enum reserve_level level)
{
	unsigned pct = level == RESERVE_ALARM ? RESERVE_ALARM_PCT : RESERVE_WARN_PCT;
	return level == RESERVE_FULL || a->reserve.used_pct + SLACK_PCT < pct;
}

void
audit_room_look(struct audit *a)
{
	enum reserve_level now = reserve_look(&a->reserve), was = a->level;
	if (!audit_is_usable(a) || now == RESERVE_UNKNOWN || now == was)
		return;
	if (now < was && !is_clearly_below(a, was))
		return;
	a->level = now;
	if (was == RESERVE_FULL)
		room_again(a);
	if (now > was || (was == RESERVE_FULL && now > RESERVE_GOOD))
		fuller(a);
}
