/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/issue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/warden/issue_private.h"
#include "gateway/wire/memfd.h"

static const struct issue_kind *const kinds[REQUEST_LIMIT] = {
	[REQUEST_ISSUE] = &issue_release,
	[REQUEST_RESUME] = &issue_resume,
	[REQUEST_SIGNERS] = &issue_signers,
	[REQUEST_POLICY] = &issue_policy,
	[REQUEST_RECOVER] = &issue_recover,
	[REQUEST_CONTINUE] = &issue_rollout,
	[REQUEST_ISSUE_STANDING] = &issue_standing,
	[REQUEST_POLICY_RECOVER] = &issue_policy_recover,
	[REQUEST_AFTERREVIEW] = &issue_afterreview,
};

static const struct issue_kind *
kind(const struct warden *w)
{
	return kinds[w->job.request.kind];
}

/* ---- ends ---- */

static void
request_close(struct request *r)
{
	if (r->image_fd >= 0)
		close(r->image_fd);
	if (r->bundle_fd >= 0)
		close(r->bundle_fd);
	*r = (struct request){ .image_fd = -1, .bundle_fd = -1 };
}

void
issue_done(struct warden *w)
{
	struct job *j = &w->job;
	if (j->request.kind && kind(w)->dropped)
		kind(w)->dropped(w);
	memfd_unmap(j->bundle_bytes);
	request_close(&j->request);
	*j = (struct job){ .request = { .image_fd = -1, .bundle_fd = -1 } };
}

void
issue_refuse(struct warden *w, const char *why)
{
	kind(w)->refused(w, &w->job.request, &w->job.answer, why);
	issue_done(w);
}

void
issue_disown(struct warden *w, const char *why)
{
	if (w->job.step == STEP_LOG && kind(w)->disowned)
		kind(w)->disowned(w, why);
	issue_refuse(w, why);
}

/* ---- what an entry names ---- */

void
issue_ref(struct msg_append *m, const char *key, const char *text)
{
	if (m->refs_n == MSG_REFS_MAX)
		return;
	struct msg_ref *r = &m->refs[m->refs_n++];
	snprintf(r->key, sizeof r->key, "%s", key);
	snprintf(r->text, sizeof r->text, "%s", text);
}

void
issue_number(struct msg_append *m, const char *key, uint64_t n)
{
	if (m->refs_n == MSG_REFS_MAX)
		return;
	struct msg_ref *r = &m->refs[m->refs_n++];
	snprintf(r->key, sizeof r->key, "%s", key);
	r->is_number = true;
	r->number = n;
}

/* ---- asking ---- */

void
issue_ask(struct warden *w, struct request *r)
{
	if (w->queue_n == STATE_QUEUE_MAX) {
		kinds[r->kind]->refused(w, r, NULL, "too many requests wait for the warden: try again");
		request_close(r);
		return;
	}
	w->queue[w->queue_n++] = *r;
}

bool
issue_ask_audit(struct warden *w, unsigned type, const void *msg)
{
	w->job.deadline = w->clock.mono_s() + STATE_ANSWER_S;
	if (peers_send(w->peers, MSG_ROLE_AUDIT, 0, type, msg, NULL, 0) == FG_OK)
		return true;
	issue_refuse(w, "the audit log is away: nothing is permitted without it");
	return false;
}

static const char *
read_statements(struct warden *w, char *why, size_t cap)
{
	struct job *j = &w->job;
	if (memfd_map(j->request.bundle_fd, VAULT_BUNDLE_MAX, &j->bundle_bytes) ||
	    judge_bundle_parse(j->bundle_bytes, &j->bundle))
		return "statements did not arrive as a sealed bundle";
	if (judge_log_sizes(&j->bundle, j->sizes, why, cap))
		return why[0] ? why : "a statement could not be read";
	return NULL;
}

/* First step: read the statements, then ask audit for the roots they name. */
static void
begin(struct warden *w)
{
	struct job *j = &w->job;
	char buf[400] = "";
	j->step = STEP_ROOTS;
	const char *why = kind(w)->read ? kind(w)->read(w, buf, sizeof buf) : read_statements(w, buf, sizeof buf);
	if (why) {
		issue_refuse(w, why);
		return;
	}
	/* Token 0 of the series is the head; statement i is token + 1 + i. No series shares one with another. */
	j->owed = STATE_OWED_HEAD | ((1u << j->bundle.n) - 1);
	w->token += JUDGE_STATEMENTS_MAX + 1;
	struct msg_head_ask head = { .token = w->token };
	if (!issue_ask_audit(w, MSG_HEAD_ASK, &head))
		return;
	for (unsigned i = 0; i < j->bundle.n; i++) {
		struct msg_root_ask ask = { .token = w->token + 1 + i, .size = j->sizes[i] };
		if (!issue_ask_audit(w, MSG_ROOT_ASK, &ask))
			return;
	}
}

static void
next(struct warden *w)
{
	w->job.request = w->queue[0];
	memmove(w->queue, w->queue + 1, --w->queue_n * sizeof w->queue[0]);
	begin(w);
}

static bool
is_unsettled(const struct warden *w)
{
	return w->unsettled || w->policy_unsettled;
}

/*
 * Whether the last set that was sent to the log is in force comes before every
 * other question: who may sign depends on it. Then whether the last policy is.
 */
static void
recover(struct warden *w)
{
	if (!w->late_token && w->clock.mono_s() >= w->recover_at) {
		w->recover_at = w->clock.mono_s() + STATE_RECOVER_S;
		w->job.request = (struct request){ .kind = w->unsettled ? REQUEST_RECOVER : REQUEST_POLICY_RECOVER,
			.image_fd = -1, .bundle_fd = -1 };
		begin(w);
	}
	while (is_unsettled(w) && w->job.step == STEP_IDLE && w->queue_n) {
		struct request *r = &w->queue[--w->queue_n];
		kinds[r->kind]->refused(w, r, NULL, w->unsettled ?
		    "it is not known yet which signer set is in force: the audit log has to say" :
		    "it is not known yet which policy is in force: the audit log has to say");
		request_close(r);
	}
}

/* ---- judging ---- */

void
issue_case(const struct warden *w, struct judge_case *c, const char **requesters)
{
	const struct job *j = &w->job;
	*c = (struct judge_case){
		.genesis = authority_genesis_get(w->authority),
		.set = authority_counting(w->authority),
		.earliest = hold_earliest(w),
		.latest = hold_latest(w),
		.wall = w->clock.now_s(),
		.confirms_clock = hold_is_named(w, &j->request),
	};
	if (c->confirms_clock)
		hold_confirming(w, &c->earliest, &c->latest);
	for (unsigned i = 0; i < j->bundle.n; i++)
		c->roots[i] = j->have_root[i] ? j->roots[i] : NULL;
	snprintf(c->terms.gateway, sizeof c->terms.gateway, "%s", c->genesis->origin);
	kind(w)->terms(w, c, requesters);
}

static void
judge(struct warden *w)
{
	struct job *j = &w->job;
	const char *requesters[MSG_FROM_MAX];
	const char *clock = hold_refuses(w, &j->request);
	if (clock) {
		issue_refuse(w, clock);
		return;
	}
	struct judge_case *c = malloc(sizeof *c);
	int err = c ? FG_OK : FG_ENOMEM;
	if (!err) {
		issue_case(w, c, requesters);
		err = judge_case(c, &j->bundle, &j->answer);
	}
	free(c);
	if (err)
		issue_refuse(w, err_name(err));
	else if (!j->answer.permitted)
		issue_refuse(w, j->answer.why);
	else
		kind(w)->judged(w);
}

bool
issue_work(struct warden *w)
{
	struct job *j = &w->job;
	issue_resume_owed(w);
	if (j->step == STEP_IDLE && is_unsettled(w) && !w->stopping)
		recover(w);
	if (j->step == STEP_IDLE && !is_unsettled(w) && w->queue_n && !w->stopping)
		next(w);
	if ((j->step == STEP_ROOTS || j->step == STEP_SCAN || j->step == STEP_LOG) && w->clock.mono_s() > j->deadline)
		issue_disown(w, "the audit log did not answer in time: nothing is permitted without it");
	bool busy = j->step != STEP_IDLE && kind(w)->work && kind(w)->work(w);
	return busy || (j->step == STEP_IDLE && w->queue_n && !w->stopping);
}

/* ---- audit's answers ---- */

/* One of the questions is answered; each counts once. */
static void
answered(struct warden *w, unsigned bit)
{
	bool awaited = w->job.owed & bit;
	w->job.owed &= ~bit;
	if (!awaited || w->job.owed)
		return;
	if (kind(w)->judge)
		kind(w)->judge(w);
	else
		judge(w);
}

void
issue_head(struct warden *w, const struct msg_head *m)
{
	if (w->job.step != STEP_ROOTS || m->token != w->token)
		return;
	if (m->state != MSG_LOG_OPEN_OK) {
		issue_refuse(w, "the audit log is not in order: nothing is permitted until it is");
		return;
	}
	if (m->size < cosign_size(w->cosign)) {
		issue_refuse(w, "the audit log is shorter than a checkpoint that was vouched for: nothing is permitted");
		return;
	}
	w->job.log_size = m->size;
	if (m->size > w->log_seen)
		w->log_seen = m->size;
	answered(w, STATE_OWED_HEAD);
}

void
issue_root(struct warden *w, const struct msg_root *m)
{
	struct job *j = &w->job;
	if (j->step != STEP_ROOTS || m->token <= w->token || m->token > w->token + j->bundle.n)
		return;
	unsigned i = (unsigned)(m->token - w->token - 1);
	if (m->err == 0 && m->size == j->sizes[i]) {
		memcpy(j->roots[i], m->root, sizeof j->roots[i]);
		j->have_root[i] = true;
	}
	answered(w, 1u << i);
}

void
issue_appended(struct warden *w, const struct msg_appended *m)
{
	if (!m->err && m->index >= w->log_seen)
		w->log_seen = m->index + 1;
	if (w->late_token && m->token == w->late_token)
		w->late_token = 0;
	issue_resume_appended(w, m);
	if (w->job.step != STEP_LOG || m->token != w->token)
		return;
	if (m->err && kind(w) == &issue_resume) {
		issue_disown(w, "the audit log could not write: nothing is permitted without it"); /* perhaps it could */
	} else if (m->err) {
		issue_refuse(w, "the audit log could not write: nothing is permitted without it");
	} else if (m->index < w->job.log_size) {
		issue_disown(w, "the audit log answered for an older entry: nothing is permitted on its word");
		w->late_token = 0; /* that was its answer */
	} else if (kind(w) != &issue_signers && kind(w) != &issue_policy && hold_refuses(w, &w->job.request)) {
		/* It stepped meanwhile. A signer set or policy is in force by being in the log: too late for those. */
		issue_disown(w, hold_refuses(w, &w->job.request));
	} else {
		kind(w)->effect(w);
	}
}

void
issue_audit_away(struct warden *w)
{
	if (w->job.step == STEP_ROOTS || w->job.step == STEP_SCAN || w->job.step == STEP_LOG)
		issue_disown(w, "the audit log went away: nothing is permitted without it");
	w->late_token = 0; /* whatever it wrote is what the next one finds */
}

void
issue_proof(struct warden *w, const struct msg_proof *m)
{
	if (w->job.step != STEP_SCAN || m->token != w->token)
		return;
	if (w->job.request.kind == REQUEST_POLICY_RECOVER)
		issue_policy_proof(w, m);
	else
		issue_signers_proof(w, m);
}

void
issue_suspended(struct warden *w, const uint8_t key[DIGEST_SHA256_LEN])
{
	const struct judge_answer *a = &w->job.answer;
	if (w->job.step != STEP_COPY && w->job.step != STEP_LOG)
		return; /* what is judged after this counts without it */
	for (uint32_t i = 0; i < a->statements_n; i++) {
		if (!memcmp(a->statement[i].key, key, DIGEST_SHA256_LEN)) {
			issue_disown(w, "a key that signed was suspended meanwhile");
			return;
		}
	}
}

void
issue_end(struct warden *w)
{
	issue_done(w);
	issue_resume_end(w);
	while (w->queue_n)
		request_close(&w->queue[--w->queue_n]);
	while (w->list_n) {
		struct released *r = w->list[--w->list_n];
		issue_free(r);
		free(r);
	}
}
