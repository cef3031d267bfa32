/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the log may be written, and what ended that. */
#include "gateway/audit/audit_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/visible.h"

enum msg_log_state
audit_state(const struct audit *a)
{
	if (a->condemned.state != MSG_LOG_UNKNOWN)
		return a->condemned.state;
	if (a->failed)
		return MSG_LOG_FAILED;
	if (a->witness.comparing)
		return MSG_LOG_UNKNOWN;
	if (a->remote.waiting)
		return MSG_LOG_WAITING;
	if (a->opened.state == MSG_LOG_OPEN_OK && a->level == RESERVE_FULL)
		return MSG_LOG_FULL;
	return a->opened.state;
}

bool
audit_is_usable(const struct audit *a)
{
	enum msg_log_state s = audit_state(a);
	return s == MSG_LOG_OPEN_OK || s == MSG_LOG_FULL;
}

void
audit_fail(struct audit *a, const char *what, int err)
{
	if (a->failed)
		return;
	int why = errno;
	a->failed = true;
	oplog(OPLOG_ERR, "the log could not be written (%s: %s, %s): nothing is permitted until it can", what,
	    err_name(err), strerror(why));
	/* The next process writes down that it was so, with the space that this gives it. */
	if (why == ENOSPC || why == EDQUOT)
		reserve_give(&a->reserve);
	role_exit(a->role, ROLE_EXIT_FAILED);
}

static const char *
shout(enum msg_log_state state)
{
	switch (state) {
	case MSG_LOG_TAMPERED:
		return "TAMPERED";
	case MSG_LOG_ROLLED_BACK:
		return "ROLLED BACK";
	case MSG_LOG_CLONED:
		return "CLONED";
	default:
		abort(); /* no state that condemns */
	}
}

void
audit_condemn(struct audit *a, enum msg_log_state state, uint64_t known, const char *why)
{
	struct condemned *c = &a->condemned;
	const char *word = shout(state);
	/* What is wrong with a copy weighs more than that it is one: its way out is another. */
	bool first = c->state == MSG_LOG_UNKNOWN || (c->state == MSG_LOG_CLONED && state != MSG_LOG_CLONED);
	if (!first && known <= c->known)
		return;
	if (first) {
		c->state = state;
		c->since = clock_wall_s(a->clock);
		visible_cstr(view_str(why), c->why, sizeof c->why);
		oplog(OPLOG_ERR, "%s: %s; nothing new is permitted", word, c->why);
		if (a->ledger)
			ledger_end(a->ledger);
	}
	if (known > c->known)
		c->known = known;
	/* Even if that fails this process stays condemned, and the next finds out what this one did. */
	if (condemned_write(a->dir, c))
		oplog(OPLOG_ERR, "that the log is %s could not be written down: %s", msg_log_state_name(c->state),
		    strerror(errno));
}

int
audit_recall(struct audit *a)
{
	int err = condemned_read(a->dir, &a->condemned);
	if (!err && a->condemned.state != MSG_LOG_UNKNOWN)
		oplog(OPLOG_ERR, "%s: %s; nothing new is permitted", shout(a->condemned.state), a->condemned.why);
	return err;
}
