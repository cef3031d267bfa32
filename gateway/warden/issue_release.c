/* SPDX-License-Identifier: Apache-2.0 */
/* issue_release - a release: judged, copied and hashed, its record made, logged, handed to the edges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/warden/issue_private.h"

void
issue_free(struct released *r)
{
	if (r->image.image_fd >= 0)
		close(r->image.image_fd);
	if (r->image.blocks_fd >= 0)
		close(r->image.blocks_fd);
	free((void *)(uintptr_t)r->text.p);
	free(r->record);
	*r = (struct released){ .image = { .image_fd = -1, .blocks_fd = -1 } };
}

bool
issue_needs_image(const struct warden *w, const uint8_t image[DIGEST_SHA256_LEN])
{
	if (w->job.have_made && !memcmp(w->job.made.image.sha256, image, DIGEST_SHA256_LEN))
		return true;
	for (unsigned i = 0; i < w->list_n; i++) {
		if (!memcmp(w->list[i]->image.sha256, image, DIGEST_SHA256_LEN))
			return true;
	}
	return false;
}

static void
tell(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why,
    const struct released *made)
{
	struct msg_issued m = { .token = r->issue.token, .ok = made != NULL };
	snprintf(m.why, sizeof m.why, "%s", why);
	if (a) {
		m.counted = a->counted;
		m.needed = a->needed;
	}
	if (made) {
		memcpy(m.release, made->id, sizeof m.release);
		m.record = made->text;
	}
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_ISSUED, &m, NULL, 0);
}

static void
refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why)
{
	tell(w, r, a, why, NULL);
}

/*
 * The release is on its way into the log, or there already, and will not take
 * effect: the log shall say so too, if audit can still hear us.
 */
static void
disowned(struct warden *w, const char *why)
{
	char digits[2 * RELEASE_ID + 1];
	struct msg_append *m = w->job.have_made ? calloc(1, sizeof *m) : NULL;
	if (!m)
		return;
	m->event = ENTRY_RELEASE_REFUSED;
	m->severity = (uint8_t)entry_event_severity(ENTRY_RELEASE_REFUSED);
	snprintf(m->out, sizeof m->out, "denied");
	snprintf(m->act, sizeof m->act, "warden");
	hex_encode(w->job.made.id, RELEASE_ID, digits);
	snprintf(m->obj, sizeof m->obj, "release:%s", digits);
	snprintf(m->msg, sizeof m->msg, "%s", why);
	peers_send(w->peers, MSG_ROLE_AUDIT, 0, MSG_APPEND, m, NULL, 0);
	free(m);
}

static void
dropped(struct warden *w)
{
	struct job *j = &w->job;
	uint8_t image[DIGEST_SHA256_LEN];
	intake_abort(j->intake);
	j->intake = NULL;
	if (!j->have_made)
		return;
	memcpy(image, j->made.image.sha256, sizeof image);
	if (j->made.image.hot)
		w->hot_bytes -= j->made.image.size;
	issue_free(&j->made);
	j->have_made = false;
	if (j->kept && !issue_needs_image(w, image))
		vault_drop_image(w->vault, image);
}

uint64_t
issue_modules_of(const struct warden *w, const struct approval_terms *t, const struct released *before)
{
	const uint8_t *result = approval_result(t->image, &t->delta);
	uint64_t modules = 0;
	for (unsigned i = 0; i < w->list_n; i++) {
		const struct release *r = w->list[i]->record;
		bool same = !memcmp(r->terms.image, t->image, DIGEST_SHA256_LEN) ||
		    !memcmp(approval_result(r->terms.image, &r->terms.delta), result, DIGEST_SHA256_LEN);
		if (!same || w->list[i] == before)
			continue;
		/* Of the same log state: neither was first, so each has to carry both. */
		if (!before || (r->log_size <= before->record->log_size && r->terms.not_after > before->record->issued))
			modules += r->terms.max_devices;
	}
	return modules;
}

_Static_assert(MSG_CHECKLIST_MAX == APPROVAL_CHECKLIST_MAX, "the items that people ticked fit");
_Static_assert(MSG_APPLIER_MAX == APPROVAL_APPLIER_MAX, "the name of an applier fits");

void
issue_release_terms(const struct msg_issue *m, struct approval_terms *t)
{
	t->decision = APPROVAL_APPROVE;
	snprintf(t->review, sizeof t->review, "%s", m->review);
	snprintf(t->subject, sizeof t->subject, "%s", m->subject);
	snprintf(t->profile, sizeof t->profile, "%s", m->profile);
	snprintf(t->product, sizeof t->product, "%s", m->product);
	snprintf(t->target, sizeof t->target, "%s", m->target);
	memcpy(t->image, m->image, sizeof t->image);
	memcpy(t->report, m->report, sizeof t->report);
	memcpy(t->policy, m->policy, sizeof t->policy);
	memcpy(t->resource, m->resource, sizeof t->resource);
	for (uint32_t i = 0; i < m->findings_n; i++)
		approval_list_add(&t->findings, m->findings[i].text);
	for (uint32_t i = 0; i < m->checklist_n; i++)
		approval_list_add(&t->checklist, m->checklist[i].text);
	for (uint32_t i = 0; i < m->waived_n; i++)
		approval_list_add(&t->waived, m->waived[i].text);
	for (uint32_t i = 0; i < m->from_n; i++)
		approval_list_add(&t->from_versions, m->from[i].text);
	for (uint32_t i = 0; i < m->groups_n; i++)
		approval_list_add(&t->groups, m->groups[i].text);
	t->max_devices = m->max_devices;
	t->not_before = m->not_before;
	t->not_after = m->not_after;
	t->quorum = m->terms_quorum;
	t->delta.made = (enum approval_made)m->made;
	snprintf(t->delta.applier, sizeof t->delta.applier, "%s", m->applier);
	memcpy(t->delta.base, m->base, sizeof t->delta.base);
	memcpy(t->delta.target, m->target_image, sizeof t->delta.target);
	t->have_plan = m->have_plan;
	memcpy(t->plan, m->plan, sizeof t->plan);
}

void
issue_release_requesters(const struct msg_issue *m, struct judge_case *c, const char **requesters)
{
	for (uint32_t i = 0; i < m->requesters_n; i++)
		requesters[i] = m->requesters[i].text;
	c->requesters = requesters;
	c->requesters_n = m->requesters_n;
}

static void
terms_of(const struct warden *w, struct judge_case *c, const char **requesters)
{
	const struct msg_issue *m = &w->job.request.issue;
	struct approval_terms *t = &c->terms;
	issue_release_terms(m, t);
	issue_release_requesters(m, c, requesters);
	c->quorum = m->quorum;
	c->others = issue_modules_of(w, t, NULL);
	uint64_t restricted = vault_restricted(w->vault, m->image, NULL);
	c->newer_than = restricted > m->opened_at ? restricted : m->opened_at;
	if (issue_is_glass(w))
		issue_glass_terms(w, c);
}

/* One statement of a release would otherwise open a second scope of the same size, also when the first has ended. */
static const char *
used_before(const struct warden *w)
{
	const struct judge_answer *a = &w->job.answer;
	for (uint32_t i = 0; i < a->statements_n; i++)
		if (spent_count(w->spent, a->statement[i].statement))
			return "a statement has been used for a release already: write and sign a new one";
	if (spent_room(w->spent) < a->statements_n)
		return "more statements were used than the warden can remember: nothing more is released";
	return NULL;
}

int
issue_spend(struct warden *w, const struct released *made)
{
	const struct release *r = made->record;
	int err = FG_OK;
	/* Its place was taken before the log was asked; whoever emptied that file has not emptied this folder. */
	if (r->by_standing)
		return spent_add(w->spent, r->standing, made->id);
	for (uint32_t i = 0; i < r->statements_n; i++) {
		int one = spent_add(w->spent, r->statement[i].statement, made->id);
		err = err ? err : one;
	}
	return err;
}

/* The copy begins. The size is taken once: a source that grows meanwhile gains nothing. */
static void
begin_copy(struct warden *w)
{
	struct job *j = &w->job;
	struct stat st;
	char name[80];
	int err;
	if (fstat(j->request.image_fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0) {
		issue_refuse(w, "the image is empty or no regular file");
		return;
	}
	uint64_t size = (uint64_t)st.st_size;
	bool hot = size <= STATE_HOT_MAX && w->hot_bytes + size <= w->hot_budget;
	vault_image_name(j->request.issue.image, name, sizeof name);
	snprintf(j->copy_name, sizeof j->copy_name, "%s.copy", name);
	j->intake = intake_new(j->request.image_fd, size, vault_dir(w->vault), j->copy_name, hot, &err);
	if (!j->intake) {
		issue_refuse(w, err == FG_ELIMIT ? "the image is too large" : "the image could not be copied: is the disk full?");
		return;
	}
	j->step = STEP_COPY;
}

static bool
is_by_standing(const struct warden *w)
{
	return w->job.request.kind == REQUEST_ISSUE_STANDING;
}

static void
judged(struct warden *w)
{
	const struct msg_issue *m = &w->job.request.issue;
	const char *unsigned_ = issue_policy_refuses(w, m->profile, m->policy), *spent = is_by_standing(w) ? NULL : used_before(w);
	if (unsigned_)
		issue_refuse(w, unsigned_);
	else if (w->list_n == VAULT_RELEASES_MAX)
		issue_refuse(w, "too many releases are in force: revoke some first");
	else if (spent)
		issue_refuse(w, spent);
	else
		begin_copy(w);
}

static void
fill_record(const struct warden *w, struct release *r)
{
	const struct job *j = &w->job;
	const char *requesters[MSG_FROM_MAX];
	struct judge_case *c = malloc(sizeof *c);
	if (!c)
		return; /* an empty record does not encode */
	issue_case(w, c, requesters);
	r->by_standing = is_by_standing(w);
	r->terms = r->by_standing ? c->covers : c->terms;
	r->issued = w->clock.now_s();
	if (c->terms.decision == APPROVAL_BREAKGLASS) {
		/* By the latest time that it can be: a clock that is a little behind and then set right shortens no wait. */
		r->issued = hold_latest(w);
		r->glass = c->terms.delay;
		r->terms.decision = APPROVAL_APPROVE;
		r->terms.delay = 0;
		r->terms.not_before = r->issued + r->glass;
	}
	bool named = !r->by_standing || approval_key(&c->terms, r->standing) == FG_OK;
	if (r->by_standing) {
		r->as_of = issue_standing_as_of(w);
		named = named && r->as_of > 0;
	}
	free(c);
	if (!named)
		return;
	r->size = j->made.image.size;
	r->block_size = RELEASE_BLOCK;
	r->blocks = j->made.image.blocks;
	memcpy(r->blocks_sha256, j->made.image.blocks_sha256, sizeof r->blocks_sha256);
	r->quorum = j->answer.needed;
	r->signers_number = authority_current(w->authority)->number;
	r->log_size = j->log_size;
	r->statements_n = j->answer.statements_n;
	memcpy(r->statement, j->answer.statement, sizeof r->statement);
}

static int
make_record(struct warden *w)
{
	struct released *made = &w->job.made;
	struct writer text;
	size_t n = 0;
	made->record = calloc(1, sizeof *made->record);
	if (!made->record)
		return FG_ENOMEM;
	fill_record(w, made->record);
	made->off_console = w->job.answer.off_console > 0;
	writer_init(&text, RELEASE_RECORD_MAX);
	int err = release_encode(made->record, &text);
	uint8_t *p = err ? NULL : writer_take(&text, &n);
	writer_free(&text);
	if (!p)
		return err ? err : FG_ENOMEM;
	made->text = view_of(p, n);
	/* Reading it back applies every consistency rule an auditor would. */
	char why[128];
	err = release_parse(made->text, made->record, why, sizeof why);
	return err ? err : release_id(made->text, made->id);
}

static void
append_release(struct warden *w)
{
	struct job *j = &w->job;
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m) {
		issue_refuse(w, err_name(FG_ENOMEM));
		return;
	}
	char digits[2 * DIGEST_SHA256_LEN + 1];
	const struct msg_issue *asked = &j->request.issue;
	m->token = ++w->token;
	m->event = ENTRY_RELEASE_ISSUED;
	m->severity = (uint8_t)entry_event_severity(ENTRY_RELEASE_ISSUED);
	snprintf(m->out, sizeof m->out, "ok");
	snprintf(m->act, sizeof m->act, "warden");
	hex_encode(j->made.id, RELEASE_ID, digits);
	snprintf(m->obj, sizeof m->obj, "release:%s", digits);
	m->refs_n = 5;
	hex_encode(j->made.record->terms.image, DIGEST_SHA256_LEN, digits);
	snprintf(m->refs[0].key, sizeof m->refs[0].key, "image");
	snprintf(m->refs[0].text, sizeof m->refs[0].text, "sha256:%s", digits);
	snprintf(m->refs[1].key, sizeof m->refs[1].key, "review");
	snprintf(m->refs[1].text, sizeof m->refs[1].text, "%s", j->made.record->terms.review);
	snprintf(m->refs[2].key, sizeof m->refs[2].key, "signed_by");
	m->refs[2].is_number = true;
	m->refs[2].number = j->answer.counted;
	/* Taken on trust from control, so an auditor must be able to see them. */
	snprintf(m->refs[3].key, sizeof m->refs[3].key, "quorum.asked");
	m->refs[3].is_number = true;
	m->refs[3].number = asked->quorum;
	snprintf(m->refs[4].key, sizeof m->refs[4].key, "requesters");
	m->refs[4].is_number = true;
	m->refs[4].number = asked->requesters_n;
	snprintf(m->msg, sizeof m->msg, "%u of %u persons have signed", j->answer.counted, j->answer.needed);
	if (is_by_standing(w))
		issue_standing_name(w, m);
	for (uint32_t i = 0; i < asked->requesters_n && m->refs_n < MSG_REFS_MAX; i++) {
		snprintf(m->refs[m->refs_n].key, sizeof m->refs[0].key, "requester.%u", i);
		snprintf(m->refs[m->refs_n++].text, sizeof m->refs[0].text, "%s", asked->requesters[i].text);
	}
	m->doc = j->made.text;
	const char *full = is_by_standing(w) ? issue_standing_take(w) : j->made.record->glass ? issue_glass_take(w) : NULL;
	if (full) {
		free(m);
		issue_refuse(w, full);
		return;
	}
	j->step = STEP_LOG;
	issue_ask_audit(w, MSG_APPEND, m);
	free(m);
}

static void
copied(struct warden *w)
{
	struct job *j = &w->job;
	int err = intake_finish(j->intake, &j->made.image);
	j->intake = NULL;
	if (err) {
		issue_refuse(w, err == FG_ELIMIT ? "the image is empty" : "the image could not be copied");
		return;
	}
	j->have_made = true;
	if (j->made.image.hot)
		w->hot_bytes += j->made.image.size;
	if (memcmp(j->made.image.sha256, j->request.issue.image, DIGEST_SHA256_LEN)) {
		unlinkat(vault_dir(w->vault), j->copy_name, 0);
		issue_refuse(w, "the image's bytes are not those that were signed for");
		return;
	}
	int kept = vault_keep_image(w->vault, j->copy_name, j->made.image.sha256);
	if (kept)
		unlinkat(vault_dir(w->vault), j->copy_name, 0);
	j->kept = kept == FG_OK;
	if (kept || make_record(w)) {
		issue_refuse(w, "the release record could not be made");
		return;
	}
	append_release(w);
}

static bool
work(struct warden *w)
{
	if (w->job.step != STEP_COPY)
		return false;
	int err = intake_step(w->job.intake);
	if (err == FG_OK)
		copied(w);
	else if (err != FG_EAGAIN)
		issue_refuse(w, err == FG_ELIMIT ? "the image is too large" : "the image could not be copied: is the disk full?");
	return w->job.step == STEP_COPY;
}

static void
effect(struct warden *w)
{
	struct job *j = &w->job;
	struct released *kept = malloc(sizeof *kept);
	/* The release first: cut off between the two, the next start finds its statements with it. */
	if (!kept || vault_keep_release(w->vault, j->made.id, j->made.text, j->bundle_bytes) || issue_spend(w, &j->made)) {
		free(kept);
		if (vault_drop_release(w->vault, j->made.id) == FG_OK)
			issue_disown(w, "the release could not be written down: sign again once the disk is in order");
		else /* the log must not call refused what the next start may find in force */
			issue_refuse(w, "the release could not be written down, nor taken back: it may be in force after "
			    "a restart; put the disk in order, then revoke it or sign again");
		return;
	}
	*kept = j->made;
	j->made = (struct released){ .image = { .image_fd = -1, .blocks_fd = -1 } };
	j->have_made = false;
	kept->waits = kept->record->glass != 0;
	w->list[w->list_n++] = kept;
	issue_glass_released(w, kept);
	for (unsigned i = 0; i < PEERS_MAX; i++)
		issue_tell_edge(w, i, kept);
	tell(w, &j->request, &j->answer, "", kept);
	issue_done(w);
}

const struct issue_kind issue_release = {
	.refused = refused,
	.terms = terms_of,
	.judged = judged,
	.work = work,
	.effect = effect,
	.disowned = disowned,
	.dropped = dropped,
};

const struct issue_kind issue_standing = {
	.refused = refused,
	.terms = issue_standing_terms,
	.judged = judged,
	.work = work,
	.effect = effect,
	.disowned = disowned,
	.dropped = dropped,
};

void
issue_restricted(struct warden *w, const uint8_t image[DIGEST_SHA256_LEN])
{
	struct job *j = &w->job;
	if (j->step != STEP_IDLE && (j->request.kind == REQUEST_ISSUE || is_by_standing(w)) &&
	    !memcmp(j->request.issue.image, image, DIGEST_SHA256_LEN))
		issue_disown(w, "the image was restricted meanwhile");
	else if (j->have_made && is_by_standing(w) && !memcmp(j->made.record->standing, image, DIGEST_SHA256_LEN))
		issue_disown(w, "the standing statement was revoked meanwhile");
}

void
issue_tell_edge(struct warden *w, unsigned edge, const struct released *r)
{
	if (r->waits)
		return;
	struct msg_release m = {
		.size = r->image.size,
		.block_size = RELEASE_BLOCK,
		.hot = r->image.hot,
		.record = r->text,
	};
	memcpy(m.release, r->id, sizeof m.release);
	memcpy(m.image, r->image.sha256, sizeof m.image);
	int fds[2] = { r->image.image_fd, r->image.blocks_fd };
	peers_send(w->peers, MSG_ROLE_EDGE, edge, MSG_RELEASE, &m, fds, 2);
}
