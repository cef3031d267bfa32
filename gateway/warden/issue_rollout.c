/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_rollout - a rollout that stood goes on: judged and logged. The release, its plan and how many modules it is
 * for are the warden's own facts; how far the rollout has come is what control says, and people signed. No image, no
 * release and no edge changes by it: control may let rings in again, and the log has on whose word.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/warden/issue_private.h"

#define OTHER_REFS 4 /* of an entry, beside its statements */

static const struct released *
release_of(const struct warden *w, const struct msg_continue *m)
{
	for (unsigned i = 0; i < w->list_n; i++)
		if (!memcmp(w->list[i]->id, m->release, RELEASE_ID))
			return w->list[i];
	return NULL;
}

static void
tell(struct warden *w, const struct request *r, bool ok, const char *why)
{
	struct msg_continued m = { .token = r->go_on.token, .ok = ok };
	snprintf(m.why, sizeof m.why, "%s", why);
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_CONTINUED, &m, NULL, 0);
}

static void
refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why)
{
	(void)a;
	tell(w, r, false, why);
}

/* As many persons as genesis asks for a release of so many modules: of all that are in force with its image. */
static void
terms_of(const struct warden *w, struct judge_case *c, const char **requesters)
{
	const struct msg_continue *m = &w->job.request.go_on;
	const struct released *r = release_of(w, m);
	struct approval_terms *t = &c->terms;
	(void)requesters;
	t->decision = APPROVAL_CONTINUE;
	t->halted_at = m->since;
	t->step = (enum approval_step)m->step;
	memcpy(t->release, m->release, sizeof t->release);
	snprintf(t->ring, sizeof t->ring, "%s", m->ring);
	for (uint32_t i = 0; i < m->over_n; i++)
		approval_list_add(&t->over, m->over[i].text);
	if (!r) {
		c->newer_than = UINT64_MAX; /* no statement is about what is not in force */
		return;
	}
	const struct release *record = r->record;
	t->have_plan = record->terms.have_plan;
	memcpy(t->plan, record->terms.plan, sizeof t->plan);
	t->max_devices = record->terms.max_devices;
	c->others = issue_modules_of(w, &record->terms, NULL) - record->terms.max_devices;
	uint64_t restricted = vault_restricted(w->vault, record->terms.image, NULL);
	c->newer_than = restricted > record->log_size ? restricted : record->log_size;
}

/* Of which rollout, and how it goes on: owned by the caller; NULL: no memory. */
static struct msg_append *
entry_begin(const struct msg_continue *c, const char *out, const char *act, uint32_t signed_by)
{
	char digits[2 * RELEASE_ID + 1];
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->event = ENTRY_ROLLOUT_RESUMED;
	m->severity = (uint8_t)entry_event_severity(ENTRY_ROLLOUT_RESUMED);
	snprintf(m->out, sizeof m->out, "%s", out);
	snprintf(m->act, sizeof m->act, "%s", act);
	hex_encode(c->release, sizeof c->release, digits);
	snprintf(m->obj, sizeof m->obj, "release:%s", digits);
	if (signed_by)
		issue_number(m, "signed_by", signed_by);
	issue_number(m, "since", (uint64_t)c->since);
	issue_ref(m, "step", approval_step_name((enum approval_step)c->step));
	issue_ref(m, "ring", c->ring);
	return m;
}

/* Owned by the caller; NULL: no memory. Who signed, why, and over which failures stands in the statements it names. */
static struct msg_append *
entry_of(const struct job *j)
{
	const struct msg_continue *c = &j->request.go_on;
	char digits[2 * DIGEST_SHA256_LEN + 1], text[sizeof((struct msg_ref *)0)->text], key[24];
	struct msg_append *m = entry_begin(c, "ok", j->answer.statement[0].approver, j->answer.counted);
	if (!m)
		return NULL;
	for (uint32_t i = 0; i < j->answer.statements_n; i++) {
		hex_encode(j->answer.statement[i].statement, DIGEST_SHA256_LEN, digits);
		snprintf(text, sizeof text, "sha256:%s", digits);
		snprintf(key, sizeof key, "statement.%u", i);
		issue_ref(m, key, text);
	}
	size_t n = (size_t)snprintf(m->msg, sizeof m->msg, "%u persons let the rollout go on%s", j->answer.counted,
	    c->over_n ? " over " : "");
	for (uint32_t i = 0; i < c->over_n && n < sizeof m->msg; i++)
		n += (size_t)snprintf(m->msg + n, sizeof m->msg - n, "%s%s", i ? "; " : "", c->over[i].text);
	return m;
}

/*
 * A statement lets a rollout go on once: said again, it would do so after a later stop that nobody has looked at.
 * Noted before the log is asked, as of a standing one; NULL, or why not.
 */
static const char *
use_up(struct warden *w)
{
	const struct judge_answer *a = &w->job.answer;
	for (uint32_t i = 0; i < a->statements_n; i++)
		if (spent_count(w->spent, a->statement[i].statement))
			return "a statement has let a rollout go on before: write and sign a new one";
	for (uint32_t i = 0; i < a->statements_n; i++)
		if (spent_add(w->spent, a->statement[i].statement, w->job.request.go_on.release))
			return "that the statements are used up could not be written down: is the disk full?";
	return NULL;
}

static void
judged(struct warden *w)
{
	struct job *j = &w->job;
	if (j->answer.statements_n > MSG_REFS_MAX - OTHER_REFS) {
		issue_refuse(w, "more persons have signed than an entry of the log can name");
		return;
	}
	struct msg_append *m = entry_of(j);
	const char *no = m ? use_up(w) : err_name(FG_ENOMEM);
	if (no) {
		free(m);
		issue_refuse(w, no);
		return;
	}
	m->token = ++w->token;
	j->step = STEP_LOG;
	issue_ask_audit(w, MSG_APPEND, m);
	free(m);
}

static void
effect(struct warden *w)
{
	if (!release_of(w, &w->job.request.go_on)) {
		issue_disown(w, "the release was taken back meanwhile");
		return;
	}
	tell(w, &w->job.request, true, "");
	issue_done(w);
}

/* That it goes on is in the log, or on its way there, and it does not: its stop stands, and the statements are used up. */
static void
disowned(struct warden *w, const char *why)
{
	struct msg_append *m = entry_begin(&w->job.request.go_on, "denied", "warden", 0);
	if (!m)
		return;
	snprintf(m->msg, sizeof m->msg, "%s", why);
	peers_send(w->peers, MSG_ROLE_AUDIT, 0, MSG_APPEND, m, NULL, 0);
	free(m);
}

const struct issue_kind issue_rollout = {
	.refused = refused,
	.terms = terms_of,
	.judged = judged,
	.effect = effect,
	.disowned = disowned,
};
