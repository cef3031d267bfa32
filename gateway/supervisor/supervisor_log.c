/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/supervisor/supervisor_internal.h"

static void
drop(struct supervisor *s, struct queued_entry *q)
{
	STAILQ_REMOVE(&s->log, q, queued_entry, link);
	s->log_n--;
	free(q);
}

static void
flush(struct supervisor *s)
{
	struct instance *audit = supervisor_role_find(s, MSG_ROLE_AUDIT, 0);
	struct queued_entry *q;
	if (!audit || audit->state == INSTANCE_BOOTING)
		return;
	STAILQ_FOREACH(q, &s->log, link) {
		if (!q->sent && chan_send(audit->chan, MSG_APPEND, &q->m, NULL, 0))
			return;
		q->sent = true;
	}
}

static void
append(struct supervisor *s, enum entry_event event, unsigned severity, const char *out,
    const char *act, const char *obj, int64_t halted_at, const char *text)
{
	struct queued_entry *q = calloc(1, sizeof *q);
	if (!q) {
		s->log_lost++;
		return;
	}
	q->m.token = ++s->log_token;
	q->m.event = (uint16_t)event;
	q->m.severity = (uint8_t)severity;
	snprintf(q->m.out, sizeof q->m.out, "%s", out);
	snprintf(q->m.act, sizeof q->m.act, "%s", act);
	snprintf(q->m.obj, sizeof q->m.obj, "%s", obj);
	if (halted_at) {
		q->m.refs_n = 1;
		snprintf(q->m.refs[0].key, sizeof q->m.refs[0].key, "halted_at");
		q->m.refs[0].is_number = true;
		q->m.refs[0].number = (uint64_t)halted_at;
	}
	/* A role's sentence about itself is a role's: nothing but plain text enters the log. */
	visible_cstr(view_str(text), q->m.msg, sizeof q->m.msg);
	if (s->log_n == SUPERVISOR_LOG_QUEUE_MAX) {
		drop(s, STAILQ_FIRST(&s->log));
		s->log_lost++;
	}
	STAILQ_INSERT_TAIL(&s->log, q, link);
	s->log_n++;
	flush(s);
}

void
supervisor_log(struct supervisor *s, enum entry_event event, unsigned severity, const char *out,
    const char *obj, const char *text)
{
	append(s, event, severity, out, "supervisor", obj, 0, text);
}

void
supervisor_log_halt(struct supervisor *s, const char *act, int64_t at)
{
	append(s, ENTRY_RESTRICT_HALT, 1, "ok", act, "gateway", at,
	       "nothing is served until resumed");
}

void
supervisor_log_resend(struct supervisor *s)
{
	struct queued_entry *q;
	char text[96];
	STAILQ_FOREACH(q, &s->log, link)
		q->sent = false;
	flush(s);
	if (!s->log_lost)
		return;
	snprintf(text, sizeof text, "%u entries of the supervisor were lost while the log was away",
		 s->log_lost);
	s->log_lost = 0;
	oplog(OPLOG_WARNING, "%s", text);
	append(s, ENTRY_SVC_EXIT, 4, "failed", "supervisor", "role:audit", 0, text);
}

void
supervisor_log_appended(struct supervisor *s, const struct msg_appended *m)
{
	struct queued_entry *q;
	STAILQ_FOREACH(q, &s->log, link) {
		if (q->m.token != m->token)
			continue;
		if (m->err)
			oplog(OPLOG_ERR, "the log refused %s of %s: %s",
			      entry_event_name(q->m.event), q->m.obj, err_name(m->err));
		drop(s, q);
		return;
	}
}

void
supervisor_log_free(struct supervisor *s)
{
	while (!STAILQ_EMPTY(&s->log))
		drop(s, STAILQ_FIRST(&s->log));
}
