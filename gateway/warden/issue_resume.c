/* SPDX-License-Identifier: Apache-2.0 */
/* issue_resume - the end of a halt or of a hold of the clock: judged, logged, told to the supervisor or to everybody. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "gateway/warden/issue_private.h"

#define DENIED_TOKENS (UINT64_C(1) << 62) /* issue.c counts from 0 and never comes here, hold.c from twice that */

static void
tell(struct warden *w, const struct request *r, bool ok, const char *why)
{
	struct msg_resumed m = { .token = r->resume.token, .ok = ok };
	snprintf(m.why, sizeof m.why, "%s", why);
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_RESUMED, &m, NULL, 0);
}

static void
refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why)
{
	(void)a;
	tell(w, r, false, why);
}

static void
terms_of(const struct warden *w, struct judge_case *c, const char **requesters)
{
	(void)requesters;
	c->terms.decision = APPROVAL_RESUME;
	c->terms.halted_at = w->job.request.resume.halted_at;
}

/* Owned by the caller; NULL: no memory. It names the halt or the hold that it ends: no other one ends by it. */
static struct msg_append *
entry_of(const struct job *j, const char *out)
{
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->event = ENTRY_RESTRICT_RESUME;
	m->severity = (uint8_t)entry_event_severity(ENTRY_RESTRICT_RESUME);
	snprintf(m->out, sizeof m->out, "%s", out);
	snprintf(m->act, sizeof m->act, "%s", j->answer.statement[0].approver);
	snprintf(m->obj, sizeof m->obj, "%s", j->clock ? "clock" : "halt");
	m->refs_n = 2;
	snprintf(m->refs[0].key, sizeof m->refs[0].key, "signed_by");
	m->refs[0].is_number = true;
	m->refs[0].number = j->answer.counted;
	snprintf(m->refs[1].key, sizeof m->refs[1].key, "halted_at");
	m->refs[1].is_number = true;
	m->refs[1].number = (uint64_t)j->request.resume.halted_at;
	return m;
}

static void
judged(struct warden *w)
{
	struct job *j = &w->job;
	j->clock = hold_is_named(w, &j->request);
	if (j->clock)
		hold_begun(w);
	struct msg_append *m = entry_of(j, "ok");
	if (!m) {
		issue_refuse(w, err_name(FG_ENOMEM));
		return;
	}
	m->token = ++w->token;
	if (j->clock)
		snprintf(m->msg, sizeof m->msg, "%u persons confirmed the clock as it stands", j->answer.counted);
	else
		snprintf(m->msg, sizeof m->msg, "%u persons ended the halt", j->answer.counted);
	j->step = STEP_LOG;
	issue_ask_audit(w, MSG_APPEND, m);
	free(m);
}

static void
effect(struct warden *w)
{
	/* Names the halt or the hold that it ends: a later one is not lifted by it. */
	struct msg_unhalt m = { .at = w->job.request.resume.halted_at };
	if (w->job.clock != hold_is_named(w, &w->job.request)) {
		issue_disown(w, "that hold of the clock ended and another began meanwhile: sign for the one in force");
		return;
	}
	if (w->job.clock) {
		hold_confirm(w);
	} else {
		hold_resumed(w, m.at);
		peers_send(w->peers, MSG_ROLE_SUPERVISOR, 0, MSG_UNHALT, &m, NULL, 0);
	}
	tell(w, &w->job.request, true, "");
	issue_done(w);
}

/* ---- without effect, and perhaps in the log ---- */

static void
send_denials(struct warden *w)
{
	for (unsigned i = 0; i < 2; i++) {
		if (w->denied[i])
			peers_send(w->peers, MSG_ROLE_AUDIT, 0, MSG_APPEND, w->denied[i], NULL, 0);
	}
	w->denied_again = w->clock.mono_s() + STATE_ANSWER_S;
}

/* The log must not have it ended while it stands: said until it is there, whatever becomes of audit. */
static void
disowned(struct warden *w, const char *why)
{
	struct msg_append **slot = &w->denied[w->job.clock];
	struct msg_append *m = entry_of(&w->job, "denied");
	if (!m)
		return;
	m->token = DENIED_TOKENS | ++w->denials;
	snprintf(m->msg, sizeof m->msg, "%s", why);
	free(*slot);
	*slot = m;
	send_denials(w);
}

void
issue_resume_owed(struct warden *w)
{
	if ((w->denied[0] || w->denied[1]) && w->clock.mono_s() >= w->denied_again)
		send_denials(w);
}

void
issue_resume_appended(struct warden *w, const struct msg_appended *m)
{
	for (unsigned i = 0; i < 2 && !m->err; i++) {
		if (w->denied[i] && w->denied[i]->token == m->token) {
			free(w->denied[i]);
			w->denied[i] = NULL;
		}
	}
}

void
issue_resume_end(struct warden *w)
{
	for (unsigned i = 0; i < 2; i++)
		free(w->denied[i]);
}

const struct issue_kind issue_resume = {
	.refused = refused,
	.terms = terms_of,
	.judged = judged,
	.effect = effect,
	.disowned = disowned,
};
