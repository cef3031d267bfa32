/* SPDX-License-Identifier: Apache-2.0 */
/* issue_resume - the end of a halt or of a hold of the clock: judged, logged, told to the supervisor or to everybody. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "gateway/warden/issue_private.h"

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

static void
judged(struct warden *w)
{
	struct job *j = &w->job;
	bool clock = hold_is_named(w, &j->request);
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m) {
		issue_refuse(w, err_name(FG_ENOMEM));
		return;
	}
	m->token = ++w->token;
	m->event = ENTRY_RESTRICT_RESUME;
	m->severity = (uint8_t)entry_event_severity(ENTRY_RESTRICT_RESUME);
	snprintf(m->out, sizeof m->out, "ok");
	snprintf(m->act, sizeof m->act, "%s", j->answer.statement[0].approver);
	snprintf(m->obj, sizeof m->obj, "%s", clock ? "clock" : "halt");
	m->refs_n = 1;
	snprintf(m->refs[0].key, sizeof m->refs[0].key, "signed_by");
	m->refs[0].is_number = true;
	m->refs[0].number = j->answer.counted;
	if (clock)
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
	if (hold_is_named(w, &w->job.request))
		hold_confirm(w);
	else
		peers_send(w->peers, MSG_ROLE_SUPERVISOR, 0, MSG_UNHALT, &m, NULL, 0);
	tell(w, &w->job.request, true, "");
	issue_done(w);
}

const struct issue_kind issue_resume = {
	.refused = refused,
	.terms = terms_of,
	.judged = judged,
	.effect = effect,
};
