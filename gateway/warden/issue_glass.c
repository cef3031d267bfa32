/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_glass - a release that one person alone lets through, as far as its way is other than that of issue_release: it is
 * said loudly before, waits in the vault until its veto delay is over, and owes an after-review. And that after-review.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval_glass.h"
#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/warden/issue_private.h"

#define OTHER_REFS 3 /* of an after-review's entry, beside its statements */

static void
put_digest(struct msg_append *m, const char *key, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	char digits[DIGEST_HEX_LEN + 1], text[sizeof digits + 8];
	hex_encode(sha256, DIGEST_SHA256_LEN, digits);
	snprintf(text, sizeof text, "sha256:%s", digits);
	issue_ref(m, key, text);
}

/* Owned by the caller; NULL: no memory. Of that release. */
static struct msg_append *
entry_of(enum entry_event event, const char *act, const uint8_t release[RELEASE_ID])
{
	char digits[2 * RELEASE_ID + 1];
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->event = (uint16_t)event;
	m->severity = (uint8_t)entry_event_severity(event);
	snprintf(m->out, sizeof m->out, "ok");
	snprintf(m->act, sizeof m->act, "%s", act);
	hex_encode(release, RELEASE_ID, digits);
	snprintf(m->obj, sizeof m->obj, "release:%s", digits);
	return m;
}

/* What is owed, to control; token 0: nobody asked. */
static void
tell(struct warden *w, uint64_t token, bool ok, const char *why)
{
	struct msg_glass m = { .token = token, .ok = ok };
	struct glass_use owed;
	snprintf(m.why, sizeof m.why, "%s", why);
	m.owed = glass_owed(w->glass, &owed);
	if (m.owed) {
		memcpy(m.release, owed.release, sizeof m.release);
		memcpy(m.image, owed.image, sizeof m.image);
		m.need = approval_review_quorum(authority_genesis_get(w->authority), owed.quorum);
	}
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_GLASS, &m, NULL, 0);
}

/* ---- the release ---- */

/* What the person says it is; the statement is judged as that, and as nothing else. */
bool
issue_is_glass(const struct warden *w)
{
	const struct job *j = &w->job;
	struct approval *a = calloc(1, sizeof *a);
	char why[128];
	bool is = a && j->request.kind == REQUEST_ISSUE && j->bundle.n &&
	    approval_parse(j->bundle.pair[0].statement, a, why, sizeof why) == FG_OK &&
	    a->terms.decision == APPROVAL_BREAKGLASS;
	free(a);
	return is;
}

void
issue_glass_terms(const struct warden *w, struct judge_case *c)
{
	struct glass_use owed;
	c->terms.decision = APPROVAL_BREAKGLASS;
	c->terms.delay = c->genesis->glass.delay;
	c->terms.not_before = 0;
	c->released = glass_modules(w->glass, c->terms.image, vault_restricted(w->vault, c->terms.image, NULL));
	c->review_owed = glass_owed(w->glass, &owed);
	c->halted = w->hold.halted;
}

const char *
issue_glass_take(struct warden *w)
{
	const struct release *r = w->job.made.record;
	struct glass_use u = { .quorum = r->terms.quorum, .log_size = r->log_size };
	memcpy(u.release, w->job.made.id, sizeof u.release);
	memcpy(u.image, r->terms.image, sizeof u.image);
	int err = w->glass ? glass_used(w->glass, &u) : FG_EIO;
	if (err)
		return "that an after-review is owed could not be written down: is the disk full?";
	struct msg_append *m = entry_of(ENTRY_APPROVAL_BREAKGLASS, r->statement[0].approver, w->job.made.id);
	if (!m)
		return err_name(FG_ENOMEM);
	put_digest(m, "image", r->terms.image);
	issue_ref(m, "review", r->terms.review);
	put_digest(m, "statement", r->statement[0].statement);
	issue_number(m, "max_devices", r->terms.max_devices);
	issue_number(m, "persons.asked", r->terms.quorum);
	issue_number(m, "delay", r->glass);
	issue_number(m, "effective", (uint64_t)r->terms.not_before);
	snprintf(m->msg, sizeof m->msg, "break-glass: one person alone lets this through to up to %u modules, in %u s; anybody "
	    "can stop it until then, by revoking or rejecting it or by a halt", r->terms.max_devices, r->glass);
	err = peers_send(w->peers, MSG_ROLE_AUDIT, 0, MSG_APPEND, m, NULL, 0);
	free(m);
	tell(w, 0, true, "");
	return err ? "the audit log is away: nothing is permitted without it" : NULL;
}

bool
issue_glass_waits(const struct warden *w, const struct released *r)
{
	return r->record->glass && (!hold_is_sure(w) || hold_earliest(w) < r->record->terms.not_before);
}

void
issue_glass_look(struct warden *w)
{
	for (unsigned i = 0; i < w->list_n; i++) {
		struct released *r = w->list[i];
		if (!r->waits || issue_glass_waits(w, r))
			continue;
		r->waits = false;
		for (unsigned edge = 0; edge < PEERS_MAX; edge++)
			issue_tell_edge(w, edge, r);
	}
}

void
issue_glass_halted(struct warden *w)
{
	if (w->job.step != STEP_IDLE && issue_is_glass(w))
		issue_disown(w, "the gateway was halted meanwhile, which stops every break-glass");
}

/* ---- what is owed ---- */

void
issue_glass_greet(struct warden *w)
{
	if (w->glass)
		tell(w, 0, true, "");
}

/* What was signed for before it was done is no word about it. */
static bool
all_saw(const struct job *j, uint64_t log_size)
{
	for (unsigned i = 0; i < j->bundle.n; i++)
		if (j->sizes[i] <= log_size)
			return false;
	return true;
}

/* People in full number signed for that image: what one of them did before they signed is looked at with it. */
void
issue_glass_released(struct warden *w, const struct released *made)
{
	const struct release *r = made->record;
	struct glass_use owed;
	if (!w->glass || r->by_standing || r->glass)
		return;
	glass_released(w->glass, r->terms.image, r->terms.max_devices, r->log_size);
	bool same = glass_owed(w->glass, &owed) && !memcmp(owed.image, r->terms.image, sizeof owed.image);
	if (!same || !made->off_console || !all_saw(&w->job, owed.log_size) ||
	    r->statements_n < approval_review_quorum(authority_genesis_get(w->authority), owed.quorum))
		return;
	(void)glass_reviewed(w->glass, owed.release);
	tell(w, 0, true, "");
}

static bool
find(const struct warden *w, const uint8_t release[RELEASE_ID], struct glass_use *ret)
{
	return glass_owed(w->glass, ret) && !memcmp(ret->release, release, RELEASE_ID);
}

static void
terms_of(const struct warden *w, struct judge_case *c, const char **requesters)
{
	const struct msg_afterreview *m = &w->job.request.after;
	struct approval_terms *t = &c->terms;
	struct glass_use owed;
	(void)requesters;
	t->decision = APPROVAL_AFTERREVIEW;
	t->outcome = (enum approval_outcome)m->outcome;
	memcpy(t->release, m->release, sizeof t->release);
	if (!find(w, m->release, &owed)) {
		c->newer_than = UINT64_MAX; /* no statement is about what nobody owes */
		return;
	}
	c->quorum = approval_review_quorum(c->genesis, owed.quorum);
	c->newer_than = owed.log_size;
}

static void
refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why)
{
	(void)a;
	tell(w, r->after.token, false, why);
}

static void
judged(struct warden *w)
{
	struct job *j = &w->job;
	const struct judge_answer *a = &j->answer;
	if (a->statements_n > MSG_REFS_MAX - OTHER_REFS) {
		issue_refuse(w, "more persons have signed than an entry of the log can name");
		return;
	}
	const char *outcome = approval_outcome_name((enum approval_outcome)j->request.after.outcome);
	struct msg_append *m = entry_of(ENTRY_APPROVAL_AFTERREVIEW, a->statement[0].approver, j->request.after.release);
	if (!m) {
		issue_refuse(w, err_name(FG_ENOMEM));
		return;
	}
	issue_number(m, "signed_by", a->counted);
	issue_ref(m, "outcome", outcome);
	for (uint32_t i = 0; i < a->statements_n; i++) {
		char key[24];
		snprintf(key, sizeof key, "statement.%u", i);
		put_digest(m, key, a->statement[i].statement);
	}
	snprintf(m->msg, sizeof m->msg, "%u persons have looked at the break-glass: %s", a->counted, outcome);
	m->token = ++w->token;
	j->step = STEP_LOG;
	issue_ask_audit(w, MSG_APPEND, m);
	free(m);
}

static void
effect(struct warden *w)
{
	const struct msg_afterreview *m = &w->job.request.after;
	if (glass_reviewed(w->glass, m->release) == FG_OK)
		tell(w, m->token, true, "");
	else
		tell(w, m->token, false, "that it was looked at could not be written down: hand the last statement in again");
	issue_done(w);
}

const struct issue_kind issue_afterreview = {
	.refused = refused,
	.terms = terms_of,
	.judged = judged,
	.effect = effect,
};
