/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval_glass.h"
#include "crypto/approval_over.h"
#include "crypto/approval_standing.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/intoto.h"
#include "crypto/json.h"
#include "crypto/jsonf.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"

#define APPROVAL_PREDICATE "urn:fotagate:approval:v1"
#define DAY 86400

static int
no(char *ret_why, size_t cap, int err, const char *why)
{
	if (cap)
		snprintf(ret_why, cap, "%s", why);
	return err;
}

int
approval_list_add(struct approval_list *l, const char *word)
{
	size_t len = strlen(word);
	if (!len || len >= APPROVAL_WORD_MAX)
		return FG_ELIMIT;
	uint32_t at = 0;
	while (at < l->n && strcmp(l->word[at], word) < 0)
		at++;
	if (at < l->n && strcmp(l->word[at], word) == 0)
		return FG_OK;
	if (l->n == APPROVAL_LIST_MAX)
		return FG_ELIMIT;
	memmove(l->word[at + 1], l->word[at], (l->n - at) * sizeof l->word[0]);
	memset(l->word[at], 0, sizeof l->word[0]);
	memcpy(l->word[at], word, len);
	l->n++;
	return FG_OK;
}

bool
approval_list_has(const struct approval_list *l, const char *word)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (strcmp(l->word[i], word) == 0)
			return true;
	}
	return false;
}

/* ---- what may be signed ---- */

static bool
plain(const char *s)
{
	return visible_is_plain(view_str(s));
}

bool
approval_list_plain(const struct approval_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (!l->word[i][0] || !plain(l->word[i]))
			return false;
		if (i && strcmp(l->word[i - 1], l->word[i]) >= 0)
			return false;
	}
	return true;
}

static const char *
bad_person(const struct approval *a)
{
	size_t reason = strlen(a->reason);
	if (!a->approver[0] || !plain(a->approver))
		return "approver is empty or holds characters outside printable ASCII";
	if (!plain(a->reason))
		return "reason holds characters outside printable ASCII";
	if (reason < APPROVAL_REASON_MIN)
		return "reason is too short: say in at least 10 characters why";
	if (!a->terms.gateway[0] || !plain(a->terms.gateway))
		return "gateway origin is missing";
	if (a->time <= 0)
		return "time is missing";
	return NULL;
}

const char *
approval_step_name(enum approval_step step)
{
	static const char *const names[APPROVAL_STEP_LIMIT] = { "", "resume", "unhold", "open" };
	return (unsigned)step < APPROVAL_STEP_LIMIT ? names[step] : "";
}

enum approval_step
approval_step_parse(struct view word)
{
	for (int i = APPROVAL_STEP_NONE + 1; i < APPROVAL_STEP_LIMIT; i++)
		if (view_is(word, approval_step_name((enum approval_step)i)))
			return (enum approval_step)i;
	return APPROVAL_STEP_NONE;
}

static const char *
bad_continue(const struct approval_terms *t)
{
	uint64_t modules;
	if (t->halted_at <= 0)
		return "it does not say since when the rollout has stood as it stands";
	if (!approval_step_name(t->step)[0])
		return "it does not say how the rollout goes on";
	if (!t->have_plan)
		return "a rollout without a plan does not go on by one";
	if (!t->ring[0] || !plain(t->ring) || !approval_list_plain(&t->over))
		return "the ring is missing, or a list is unsorted, repeats a word or holds characters outside printable ASCII";
	if (t->over.n && t->step == APPROVAL_STEP_OPEN)
		return "a ring is opened over nothing that failed";
	if (!t->max_devices)
		return "max_devices must be at least 1";
	if (!approval_over_modules(&t->over, &modules))
		return "what it goes on over is no count of failed and silent modules, each ring once";
	return modules > t->max_devices ? "it goes on over more modules than the release is for" : NULL;
}

/* When it may begin and has to end. */
static const char *
bad_times(const struct approval_terms *t)
{
	if (t->decision == APPROVAL_BREAKGLASS)
		return approval_glass_bad(t);
	if (t->delay)
		return "only break-glass has a veto delay";
	if (t->not_before <= 0 || t->not_after <= t->not_before)
		return "not_after must lie after not_before";
	if (t->not_after - t->not_before > (int64_t)APPROVAL_DAYS_MAX * DAY)
		return "not_after lies more than 30 days after not_before";
	return NULL;
}

static const char *
bad_terms(const struct approval_terms *t)
{
	if (t->decision == APPROVAL_RESUME)
		return t->halted_at > 0 ? NULL : "resume names no halt";
	if (t->decision == APPROVAL_CONTINUE)
		return bad_continue(t);
	if (t->decision == APPROVAL_STANDING)
		return approval_standing_bad(t);
	if (t->decision == APPROVAL_AFTERREVIEW)
		return approval_review_bad(t);
	if (t->decision != APPROVAL_APPROVE && t->decision != APPROVAL_BREAKGLASS)
		return "decision is missing";
	if (t->halted_at)
		return "an approval names no halt";
	if (t->bounds.max_releases)
		return "an approval is for one release";
	if (!t->review[0] || !t->subject[0] || !t->profile[0])
		return "review, subject or profile is missing";
	if (!plain(t->review) || !plain(t->subject) || !plain(t->profile) || !plain(t->product) || !plain(t->target))
		return "a name holds characters outside printable ASCII";
	if (!approval_list_plain(&t->checklist) || !approval_list_plain(&t->waived) ||
	    !approval_list_plain(&t->findings) || !approval_list_plain(&t->from_versions) ||
	    !approval_list_plain(&t->groups))
		return "a list is unsorted, repeats a word or holds characters outside printable ASCII";
	if (!t->from_versions.n || !t->groups.n)
		return "from-versions and groups must each name something, \"*\" for all";
	if (!t->max_devices)
		return "max_devices must be at least 1";
	const char *times = bad_times(t);
	if (times)
		return times;
	if ((unsigned)t->delta.made >= APPROVAL_MADE_LIMIT ||
	    (t->delta.made > APPROVAL_MADE_UNSEEN) != (t->delta.applier[0] != '\0') || !plain(t->delta.applier))
		return "what is said of the delta is neither of the forms there are";
	if (t->checklist.n > APPROVAL_CHECKLIST_MAX)
		return "the checklist has more than 16 items";
	if (t->quorum > APPROVAL_QUORUM_MAX)
		return "quorum is above 16 persons, more than a release can name";
	return NULL;
}

/* ---- writing ---- */

static void
put_digest(struct jsonw *j, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	jsonw_object(j);
	jsonw_key(j, "digest");
	jsonw_object(j);
	jsonw_khex(j, "sha256", sha256, DIGEST_SHA256_LEN);
	jsonw_object_end(j);
	jsonw_object_end(j);
}

void
approval_list_put_some(struct jsonw *j, const char *key, const struct approval_list *l)
{
	if (l->n)
		approval_list_put(j, key, l);
}

bool
approval_list_get_some(const struct json_value *v, struct approval_list *ret)
{
	return !v || (json_count(v) > 0 && approval_list_get(v, ret));
}

void
approval_list_put(struct jsonw *j, const char *key, const struct approval_list *l)
{
	jsonw_key(j, key);
	jsonw_array(j);
	for (uint32_t i = 0; i < l->n; i++)
		jsonw_cstr(j, l->word[i]);
	jsonw_array_end(j);
}

const uint8_t *
approval_result(const uint8_t image[DIGEST_SHA256_LEN], const struct approval_delta *d)
{
	return d->made > APPROVAL_MADE_UNSEEN && d->made < APPROVAL_MADE_LIMIT ? d->target : image;
}

const char *
approval_made_text(enum approval_made made)
{
	switch (made) {
	case APPROVAL_MADE_UNSEEN:
		return "not seen: integrity by digest only, origin unverified";
	case APPROVAL_MADE_RECONSTRUCTED:
		return "reconstructed, target not independently signed";
	case APPROVAL_MADE_PROVED:
		return "proved";
	case APPROVAL_MADE_WHOLE:
	case APPROVAL_MADE_LIMIT:
		break;
	}
	return "";
}

void
approval_delta_put(struct jsonw *j, const struct approval_delta *d)
{
	if (d->made == APPROVAL_MADE_WHOLE)
		return;
	jsonw_key(j, "delta");
	jsonw_object(j);
	if (d->made > APPROVAL_MADE_UNSEEN) {
		jsonw_kcstr(j, "applier", d->applier);
		jsonw_khex(j, "base", d->base, sizeof d->base);
	}
	jsonw_kcstr(j, "made", approval_made_text(d->made));
	if (d->made > APPROVAL_MADE_UNSEEN)
		jsonw_khex(j, "target", d->target, sizeof d->target);
	jsonw_object_end(j);
}

bool
approval_delta_get(const struct json_value *v, struct approval_delta *ret)
{
	struct view made;
	if (!v)
		return true;
	if (!json_string(json_get(v, "made"), &made))
		return false;
	for (int i = APPROVAL_MADE_UNSEEN; i < APPROVAL_MADE_LIMIT; i++)
		if (view_is(made, approval_made_text((enum approval_made)i)))
			ret->made = (enum approval_made)i;
	if (ret->made <= APPROVAL_MADE_UNSEEN)
		return ret->made == APPROVAL_MADE_UNSEEN;
	return json_cstr(json_get(v, "applier"), ret->applier, sizeof ret->applier) &&
	    jsonf_hex(json_get(v, "base"), ret->base, sizeof ret->base) &&
	    jsonf_hex(json_get(v, "target"), ret->target, sizeof ret->target);
}

static void
put_log(struct jsonw *j, const struct approval *a)
{
	jsonw_key(j, "log");
	jsonw_object(j);
	jsonw_khex(j, "root", a->log_root, sizeof a->log_root);
	jsonw_kuint(j, "size", a->log_size);
	jsonw_object_end(j);
}

static void
put_scope(struct jsonw *j, const struct approval_terms *t)
{
	jsonw_key(j, "scope");
	jsonw_object(j);
	approval_list_put(j, "from_versions", &t->from_versions);
	approval_list_put(j, "groups", &t->groups);
	jsonw_kuint(j, "max_devices", t->max_devices);
	jsonf_put_time(j, "not_after", t->not_after);
	if (t->decision != APPROVAL_BREAKGLASS)
		jsonf_put_time(j, "not_before", t->not_before);
	jsonw_object_end(j);
}

/* Keys in RFC 8785 order; what a decision does not have is left out. */
static void
put_predicate(struct jsonw *j, const struct approval *a)
{
	const struct approval_terms *t = &a->terms;
	bool glass = t->decision == APPROVAL_BREAKGLASS, go_on = t->decision == APPROVAL_CONTINUE;
	bool approve = t->decision == APPROVAL_APPROVE || glass;
	jsonw_object(j);
	jsonw_kcstr(j, "approver", a->approver);
	if (glass) /* who signs says that the report blocks nothing: there is no other form of it */
		jsonw_kbool(j, "blocked", false);
	if (approve)
		approval_list_put_some(j, "checklist", &t->checklist);
	jsonw_kcstr(j, "decision", glass ? APPROVAL_GLASS_WORD : approve ? "approve" : go_on ? "continue" : "resume");
	if (glass)
		jsonw_kuint(j, "delay", t->delay);
	if (approve)
		approval_delta_put(j, &t->delta);
	if (approve)
		approval_list_put(j, "findings", &t->findings);
	jsonw_kcstr(j, "gateway", t->gateway);
	if (!approve && !go_on)
		jsonf_put_time(j, "halted_at", t->halted_at);
	put_log(j, a);
	if (go_on)
		jsonw_kuint(j, "max_devices", t->max_devices);
	jsonw_khex(j, "nonce", a->nonce, sizeof a->nonce);
	if (go_on)
		approval_list_put_some(j, "over", &t->over);
	if ((approve || go_on) && t->have_plan) {
		jsonw_key(j, "plan");
		put_digest(j, t->plan);
	}
	if (approve) {
		jsonw_key(j, "policy");
		put_digest(j, t->policy);
		jsonw_kcstr(j, "product", t->product);
		jsonw_kcstr(j, "profile", t->profile);
		if (t->quorum)
			jsonw_kuint(j, "quorum", t->quorum);
	}
	jsonw_kcstr(j, "reason", a->reason);
	if (go_on) {
		jsonw_khex(j, "release", t->release, sizeof t->release);
		jsonw_kcstr(j, "ring", t->ring);
		jsonf_put_time(j, "since", t->halted_at);
		jsonw_kcstr(j, "step", approval_step_name(t->step));
	}
	if (approve) {
		jsonw_key(j, "report");
		put_digest(j, t->report);
		jsonw_khex(j, "resource", t->resource, sizeof t->resource);
		jsonw_kcstr(j, "review", t->review);
		put_scope(j, t);
		jsonw_kcstr(j, "target", t->target);
	}
	jsonf_put_time(j, "time", a->time);
	if (approve)
		approval_list_put_some(j, "waived", &t->waived);
	jsonw_object_end(j);
}

/* in-toto wants a digest for every subject: where there is no image, that of its one-line description. */
static int
subject_of(const struct approval_terms *t, char *name, size_t cap, uint8_t digest[DIGEST_SHA256_LEN])
{
	if (t->decision == APPROVAL_APPROVE || t->decision == APPROVAL_BREAKGLASS) {
		snprintf(name, cap, "%s", t->subject);
		memcpy(digest, t->image, DIGEST_SHA256_LEN);
		return FG_OK;
	}
	if (t->decision == APPROVAL_STANDING)
		return approval_standing_subject(t, name, cap, digest);
	if (t->decision == APPROVAL_AFTERREVIEW)
		return approval_review_subject(t, name, cap, digest);
	char at[STAMP_CAP];
	if (stamp_format(t->halted_at, at))
		return FG_EINVAL;
	if (t->decision == APPROVAL_CONTINUE) {
		char id[2 * sizeof t->release + 1];
		hex_encode(t->release, sizeof t->release, id);
		snprintf(name, cap, "rollout of release %s of %s since %s", id, t->gateway, at);
	} else {
		snprintf(name, cap, "halt of %s at %s", t->gateway, at);
	}
	return digest_sha256(view_str(name), digest);
}

int
approval_encode(const struct approval *a, struct writer *w, char *ret_why, size_t cap)
{
	const char *bad = bad_terms(&a->terms);
	if (!bad)
		bad = bad_person(a);
	if (bad)
		return no(ret_why, cap, FG_EINVAL, bad);
	if (!jsonf_is_time(a->time) || !jsonf_is_time(a->terms.not_after) || !jsonf_is_time(a->terms.not_before) ||
	    !jsonf_is_time(a->terms.halted_at))
		return no(ret_why, cap, FG_EINVAL, "a time lies outside the years 1970 to 9999");
	char name[sizeof a->terms.subject];
	uint8_t subject[DIGEST_SHA256_LEN];
	int err = subject_of(&a->terms, name, sizeof name, subject);
	if (err)
		return no(ret_why, cap, err, "subject could not be made");

	struct jsonw j;
	intoto_begin(&j, w);
	if (a->terms.decision == APPROVAL_STANDING)
		approval_standing_put(&j, a);
	else if (a->terms.decision == APPROVAL_AFTERREVIEW)
		approval_review_put(&j, a);
	else
		put_predicate(&j, a);
	intoto_end(&j, APPROVAL_PREDICATE, name, subject);
	err = writer_err(w);
	return err ? no(ret_why, cap, err, "statement is too large") : FG_OK;
}

/* ---- reading ---- */

bool
approval_list_get(const struct json_value *v, struct approval_list *ret)
{
	size_t n = json_count(v);
	if (json_type(v) != JSON_ARRAY || n > APPROVAL_LIST_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!json_cstr(json_at(v, i), ret->word[i], APPROVAL_WORD_MAX))
			return false;
	}
	ret->n = (uint32_t)n;
	return true;
}

static bool
get_digest(const struct json_value *v, uint8_t out[DIGEST_SHA256_LEN])
{
	return jsonf_hex(json_get(json_get(v, "digest"), "sha256"), out, DIGEST_SHA256_LEN);
}

/* What statements of before did not say: absent is zero, and zero is never written. */
static bool
get_added(const struct json_value *p, struct approval_terms *t)
{
	const struct json_value *quorum = json_get(p, "quorum"), *plan = json_get(p, "plan");
	t->have_plan = plan != NULL;
	return approval_delta_get(json_get(p, "delta"), &t->delta) &&
	    approval_list_get_some(json_get(p, "checklist"), &t->checklist) &&
	    approval_list_get_some(json_get(p, "waived"), &t->waived) &&
	    (!quorum || jsonf_u32(quorum, &t->quorum)) && (!plan || get_digest(plan, t->plan));
}

static bool
get_approve(const struct json_value *p, const struct json_value *subject, struct approval_terms *t)
{
	const struct json_value *scope = json_get(p, "scope");
	return json_cstr(json_get(subject, "name"), t->subject, sizeof t->subject) &&
	    get_digest(subject, t->image) && get_digest(json_get(p, "report"), t->report) &&
	    get_digest(json_get(p, "policy"), t->policy) && approval_list_get(json_get(p, "findings"), &t->findings) &&
	    json_cstr(json_get(p, "product"), t->product, sizeof t->product) &&
	    json_cstr(json_get(p, "profile"), t->profile, sizeof t->profile) &&
	    json_cstr(json_get(p, "target"), t->target, sizeof t->target) &&
	    json_cstr(json_get(p, "review"), t->review, sizeof t->review) &&
	    jsonf_hex(json_get(p, "resource"), t->resource, sizeof t->resource) &&
	    approval_list_get(json_get(scope, "from_versions"), &t->from_versions) &&
	    approval_list_get(json_get(scope, "groups"), &t->groups) &&
	    jsonf_u32(json_get(scope, "max_devices"), &t->max_devices) &&
	    (t->decision == APPROVAL_BREAKGLASS ? jsonf_u32(json_get(p, "delay"), &t->delay) :
		jsonf_time(json_get(scope, "not_before"), &t->not_before)) &&
	    jsonf_time(json_get(scope, "not_after"), &t->not_after) && get_added(p, t);
}

static bool
get_continue(const struct json_value *p, struct approval_terms *t)
{
	struct view step;
	t->have_plan = true;
	return jsonf_time(json_get(p, "since"), &t->halted_at) && json_string(json_get(p, "step"), &step) &&
	    (t->step = approval_step_parse(step)) != APPROVAL_STEP_NONE &&
	    jsonf_hex(json_get(p, "release"), t->release, sizeof t->release) &&
	    json_cstr(json_get(p, "ring"), t->ring, sizeof t->ring) && get_digest(json_get(p, "plan"), t->plan) &&
	    jsonf_u32(json_get(p, "max_devices"), &t->max_devices) && approval_list_get_some(json_get(p, "over"), &t->over);
}

static bool
get_statement(const struct json_value *root, struct approval *a)
{
	const struct json_value *p = json_get(root, "predicate");
	struct approval_terms *t = &a->terms;
	struct view decision;
	if (!json_string(json_get(p, "decision"), &decision))
		return false;
	if (view_is(decision, APPROVAL_STANDING_WORD))
		t->decision = APPROVAL_STANDING;
	else if (view_is(decision, "approve"))
		t->decision = APPROVAL_APPROVE;
	else if (view_is(decision, "resume"))
		t->decision = APPROVAL_RESUME;
	else if (view_is(decision, "continue"))
		t->decision = APPROVAL_CONTINUE;
	else if (view_is(decision, APPROVAL_GLASS_WORD))
		t->decision = APPROVAL_BREAKGLASS;
	else if (view_is(decision, APPROVAL_REVIEW_WORD))
		t->decision = APPROVAL_AFTERREVIEW;
	else
		return false;
	const struct json_value *log = json_get(p, "log");
	if (!json_cstr(json_get(p, "approver"), a->approver, sizeof a->approver) ||
	    !json_cstr(json_get(p, "reason"), a->reason, sizeof a->reason) ||
	    !json_cstr(json_get(p, "gateway"), t->gateway, sizeof t->gateway) ||
	    !jsonf_hex(json_get(p, "nonce"), a->nonce, sizeof a->nonce) ||
	    !jsonf_hex(json_get(log, "root"), a->log_root, sizeof a->log_root) ||
	    !json_uint(json_get(log, "size"), &a->log_size) || !jsonf_time(json_get(p, "time"), &a->time))
		return false;
	if (t->decision == APPROVAL_RESUME)
		return jsonf_time(json_get(p, "halted_at"), &t->halted_at);
	if (t->decision == APPROVAL_CONTINUE)
		return get_continue(p, t);
	if (t->decision == APPROVAL_STANDING)
		return approval_standing_get(p, t);
	if (t->decision == APPROVAL_AFTERREVIEW)
		return approval_review_get(p, t);
	return get_approve(p, json_at(json_get(root, "subject"), 0), t);
}

int
approval_parse(struct view text, struct approval *ret, char *ret_why, size_t cap)
{
	if (text.n > APPROVAL_BYTES_MAX)
		return no(ret_why, cap, FG_EFORMAT, "statement is larger than 32 KiB");
	struct json *doc = NULL;
	struct json_error where = { 0 };
	int err = json_parse(text, &doc, &where);
	if (err == FG_ENOMEM)
		return no(ret_why, cap, err, err_name(err));
	if (err) {
		if (cap)
			snprintf(ret_why, cap, "statement is not strict JSON at byte %zu: %s", where.offset, where.what);
		return FG_EFORMAT;
	}
	struct approval *a = calloc(1, sizeof *a);
	struct writer again;
	writer_init(&again, APPROVAL_BYTES_MAX);
	if (!a)
		err = no(ret_why, cap, FG_ENOMEM, err_name(FG_ENOMEM));
	else if (!get_statement(json_root(doc), a))
		err = no(ret_why, cap, FG_EFORMAT, "statement lacks a field or holds one of another type");
	else if (approval_encode(a, &again, ret_why, cap))
		err = FG_EFORMAT;
	else if (!view_equal(writer_view(&again), text))
		/* Extra members, other spacing, other escapes: signed bytes have one form. */
		err = no(ret_why, cap, FG_EFORMAT, "statement is not in the one canonical form");
	else
		*ret = *a;
	writer_free(&again);
	free(a);
	json_free(doc);
	return err;
}

/* ---- judging ---- */

static bool
same_delta(const struct approval_delta *a, const struct approval_delta *b)
{
	return a->made == b->made && !strcmp(a->applier, b->applier) && !memcmp(a->base, b->base, sizeof a->base) &&
	    !memcmp(a->target, b->target, sizeof a->target);
}

static bool
same_list(const struct approval_list *a, const struct approval_list *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (strcmp(a->word[i], b->word[i]))
			return false;
	}
	return true;
}

const char *
approval_terms_differ(const struct approval_terms *a, const struct approval_terms *b)
{
	const struct {
		bool same;
		const char *what;
	} checks[] = {
		{ a->decision == b->decision, "decision" },
		{ !strcmp(a->gateway, b->gateway), "gateway" },
		{ !strcmp(a->review, b->review), "review" },
		{ !strcmp(a->subject, b->subject), "subject" },
		{ !memcmp(a->image, b->image, sizeof a->image), "image digest" },
		{ !memcmp(a->report, b->report, sizeof a->report), "report digest" },
		{ !memcmp(a->policy, b->policy, sizeof a->policy), "policy digest" },
		{ same_list(&a->findings, &b->findings), "findings acknowledged" },
		{ same_list(&a->checklist, &b->checklist), "checklist" },
		{ same_list(&a->waived, &b->waived), "findings waived" },
		{ !strcmp(a->product, b->product), "product" },
		{ !strcmp(a->target, b->target), "target version" },
		{ !strcmp(a->profile, b->profile), "profile" },
		{ !memcmp(a->resource, b->resource, sizeof a->resource), "resource" },
		{ same_list(&a->from_versions, &b->from_versions), "from-versions" },
		{ same_list(&a->groups, &b->groups), "groups" },
		{ a->max_devices == b->max_devices, "max_devices" },
		{ a->not_before == b->not_before, "not_before" },
		{ a->not_after == b->not_after, "not_after" },
		{ a->quorum == b->quorum, "quorum" },
		{ a->have_plan == b->have_plan && (!a->have_plan || !memcmp(a->plan, b->plan, sizeof a->plan)), "plan" },
		{ same_delta(&a->delta, &b->delta), "what the delta makes" },
		{ a->halted_at == b->halted_at, "halt" },
		{ a->step == b->step, "step" },
		{ !memcmp(a->release, b->release, sizeof a->release), "release" },
		{ !strcmp(a->ring, b->ring), "ring" },
		{ same_list(&a->over, &b->over), "failures gone on over" },
		{ approval_standing_same(&a->bounds, &b->bounds), "bounds of what stands" },
		{ a->delay == b->delay, "veto delay" },
		{ a->outcome == b->outcome, "outcome" },
	};
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		if (!checks[i].same)
			return checks[i].what;
	}
	return NULL;
}

int
approval_key(const struct approval_terms *t, uint8_t out[DIGEST_SHA256_LEN])
{
	/* The terms inside a statement whose personal part is fixed. */
	struct approval *a = calloc(1, sizeof *a);
	if (!a)
		return FG_ENOMEM;
	a->terms = *t;
	a->time = 1;
	snprintf(a->approver, sizeof a->approver, "key");
	snprintf(a->reason, sizeof a->reason, "decision key");
	struct writer w;
	char why[128];
	writer_init(&w, APPROVAL_BYTES_MAX);
	int err = approval_encode(a, &w, why, sizeof why);
	if (!err)
		err = digest_sha256(writer_view(&w), out);
	writer_free(&w);
	free(a);
	return err;
}

int
approval_check_time(const struct approval *a, int64_t now, uint64_t newer_than, char *ret_why, size_t cap)
{
	if (a->time > now && a->time - now > APPROVAL_SKEW)
		return no(ret_why, cap, FG_EPERM, "statement's time lies in the future: check the signer's clock");
	/* What stands is used long after it was written: its own end, at most 30 days from that, is its window. */
	if (a->terms.decision != APPROVAL_STANDING && now > a->time && now - a->time > APPROVAL_SUBMIT_WINDOW)
		return no(ret_why, cap, FG_EPERM, "statement was written more than 72 hours ago: write and sign a new one");
	if (a->log_size <= newer_than)
		return no(ret_why, cap, FG_EPERM,
		    "statement rests on a log state older than the review or its latest restriction: write and sign a new one");
	if (a->terms.decision == APPROVAL_RESUME || a->terms.decision == APPROVAL_CONTINUE ||
	    a->terms.decision == APPROVAL_AFTERREVIEW)
		return FG_OK; /* none of them has an end of its own */
	if (a->terms.decision == APPROVAL_STANDING && a->terms.not_before > now)
		return no(ret_why, cap, FG_EPERM, "the standing statement has not begun");
	if (a->terms.not_after <= now)
		return no(ret_why, cap, FG_EPERM, "what the statement permits has already expired");
	if (a->terms.decision == APPROVAL_BREAKGLASS && a->terms.not_after - a->time > APPROVAL_GLASS_MAX)
		return no(ret_why, cap, FG_EPERM, "a break-glass statement permits for more than 24 hours");
	if (a->terms.not_after - now > (int64_t)APPROVAL_DAYS_MAX * DAY + APPROVAL_SKEW)
		return no(ret_why, cap, FG_EPERM, "statement permits for more than 30 days");
	return FG_OK;
}
