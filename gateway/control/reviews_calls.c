/* SPDX-License-Identifier: Apache-2.0 */
/* reviews_calls - requests about one review: the statement to sign, rejection, judging again. */
#include "gateway/control/reviews.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"
#include "gateway/control/decisions.h"
#include "gateway/control/keymarks.h"
#include "gateway/control/lineage.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/reviews_private.h"
#include "gateway/control/standing.h"
#include "gateway/control/vendors.h"
#include "policy/scope.h"

#define DAY 86400

/* ---- shared ---- */

static int
read_regular(int fd, size_t max, struct writer *w)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return FG_EINVAL;
	return files_read(fd, max, w);
}

int
reviews_read_signed(struct call *call, struct writer *statement, struct writer *signature)
{
	writer_init(statement, APPROVAL_BYTES_MAX);
	writer_init(signature, SSHSIG_ARMOR_MAX);
	int err = read_regular(call_fd(call, 0), APPROVAL_BYTES_MAX, statement);
	if (!err)
		err = read_regular(call_fd(call, 1), SSHSIG_ARMOR_MAX, signature);
	if (!err)
		return FG_OK;
	writer_free(statement);
	writer_free(signature);
	if (err == FG_EINVAL || err == FG_ELIMIT)
		call_fail(call, CALL_USAGE, "USAGE", "hand in the statement's file and the signature's",
		    "what was handed in is too large, or no file");
	else
		call_fail_err(call, err);
	return err;
}

static bool
is_requester(const char *who, const char *const *requesters, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(requesters[i], who) == 0)
			return true;
	return false;
}

bool
reviews_personal(struct control *c, struct call *call, struct approval *a, const char *const *requesters,
    unsigned requesters_n)
{
	const struct signers *set = people_set(c->people);
	(void)call_text(call, "reason", a->reason, sizeof a->reason);
	(void)call_text(call, "approver", a->approver, sizeof a->approver);
	if (!a->approver[0]) {
		const struct caller *who = call_who(call);
		const char *own = who->principal[0] ? who->principal : signers_principal_of_user(set, who->user);
		snprintf(a->approver, sizeof a->approver, "%s", own ? own : "");
	}
	if (!a->approver[0]) {
		call_fail(call, CALL_USAGE, "USAGE", "say who is to sign: --approver NAME",
		    "no person of the signer set is known as %s", call_who(call)->user);
		return false;
	}
	if (!people_knows(c->people, a->approver)) {
		call_fail(call, CALL_REFUSED, "REFUSED", "see fotagate people list", "%s is not in the signer set in force",
		    a->approver);
		return false;
	}
	if (is_requester(a->approver, requesters, requesters_n)) {
		call_fail(call, CALL_REFUSED, "REFUSED", "somebody else has to sign",
		    "%s asked for this and does not count", a->approver);
		return false;
	}
	if (getrandom(a->nonce, sizeof a->nonce, 0) != (ssize_t)sizeof a->nonce) {
		call_fail_err(call, FG_EIO);
		return false;
	}
	a->time = control_now(c);
	a->log_size = logbook_head_size(c->logbook);
	memcpy(a->log_root, logbook_root(c->logbook), sizeof a->log_root);
	return true;
}

const char *
reviews_bad_signature(struct control *c, const struct approval *a, struct view statement, struct view signature,
    const char *const *requesters, unsigned requesters_n)
{
	const struct signers *set = people_counting(c->people);
	const struct signers_signature sig = { signature };
	unsigned persons = 0, who[SIGNERS_MAX], n = 0;
	if (is_requester(a->approver, requesters, requesters_n))
		return "its approver asked for this and does not count";
	if (signers_count(set, statement, APPROVAL_NAMESPACE, control_now(c), &sig, 1, requesters, requesters_n, &persons,
	    who, &n))
		return "the signature could not be checked for want of memory";
	if (n == 1 && strcmp(set->signer[who[0]].principal, a->approver) == 0)
		return keymarks_refused(c, &a->terms, signature);
	set = people_set(c->people);
	if (!signers_count(set, statement, APPROVAL_NAMESPACE, control_now(c), &sig, 1, NULL, 0, &persons, who, &n) && n == 1 &&
	    strcmp(set->signer[who[0]].principal, a->approver) == 0)
		return "the key that signed it is suspended";
	return "the signature is not a good one by a current key of the approver it names";
}

bool
reviews_still_signed(struct control *c, const struct approval *a, const uint8_t statement[DIGEST_SHA256_LEN],
    struct view text)
{
	struct writer w;
	writer_init(&w, SSHSIG_ARMOR_MAX);
	bool good = files_doc_get(c->files, FILES_STATEMENT_SIG, statement, &w) == FG_OK &&
	    !reviews_bad_signature(c, a, text, writer_view(&w), NULL, 0);
	writer_free(&w);
	return good;
}

/* ---- the scope of a statement ---- */

static bool
words(struct call *call, const char *key, const char *absent, char dst[][DB_VERSION_MAX], uint32_t *ret_n)
{
	const struct json_value *v = call_arg(call, key);
	size_t n = json_count(v);
	*ret_n = 0;
	if (!v) {
		snprintf(dst[(*ret_n)++], DB_VERSION_MAX, "%s", absent);
		return true;
	}
	for (size_t i = 0; i < n && i < DB_LIST_MAX; i++) {
		char *word = dst[*ret_n];
		if (!json_cstr(json_at(v, i), word, DB_VERSION_MAX) || !word[0] || !visible_is_plain(view_str(word)))
			break;
		(*ret_n)++;
	}
	if (*ret_n == n && n)
		return true;
	call_fail(call, CALL_USAGE, "USAGE", "", "%s: one to %u printable names of at most %u characters", key, DB_LIST_MAX,
	    DB_VERSION_MAX - 1);
	return false;
}

static bool
same_words(uint32_t n, const char (*a)[DB_VERSION_MAX], uint32_t m, const char (*b)[DB_VERSION_MAX])
{
	if (n != m)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = 0;
		while (k < m && strcmp(a[i], b[k]) != 0)
			k++;
		if (k == m)
			return false;
	}
	return true;
}

/* But for the times. */
static bool
same_scope(const struct db_scope *a, const struct db_scope *b)
{
	return a->max_devices == b->max_devices && same_words(a->from_n, a->from, b->from_n, b->from) &&
	    same_words(a->groups_n, a->groups, b->groups_n, b->groups);
}

static bool
has_options(const struct call *call)
{
	return call_arg(call, "groups") || call_arg(call, "from") || call_arg(call, "max_devices") || call_arg(call, "days");
}

static bool
wants_glass(const struct call *call)
{
	return call_flag(call, "breakglass");
}

/* One person is enough, for so many hours and with that wait; nobody has such a scope in hand for another one. */
static void
glass_times(struct reviews *r, const struct call *call, const struct db_candidate *cand, struct db_scope *s)
{
	struct reviews_asked asked;
	int64_t hours = (int64_t)call_number(call, "hours", REVIEWS_GLASS_HOURS);
	reviews_ask(r->c, cand, s, &asked);
	s->delay = people_genesis(r->c->people)->glass.delay;
	s->not_before = 0;
	s->not_after = control_now(r->c) + hours * 3600 - REVIEWS_GLASS_SPARE;
	s->quorum = reviews_asks(&asked);
}

/* The first and the last second, where nobody has one in hand. */
static void
new_times(const struct reviews_asked *asked, int64_t now, uint32_t days, struct db_scope *s)
{
	/* Statements reach so far ahead, whatever they are about. */
	int64_t last = now + (int64_t)APPROVAL_DAYS_MAX * DAY;
	s->not_before = now > asked->earliest ? now : asked->earliest;
	/* Those who sign after the first get as long for it as a draft is kept. */
	if (asked->time_lock && s->not_before < now + asked->time_lock + REVIEWS_DRAFT_SECONDS)
		s->not_before = now + asked->time_lock + REVIEWS_DRAFT_SECONDS;
	s->not_after = s->not_before > last ? s->not_before : s->not_before + (int64_t)days * DAY;
	if (s->not_after > last)
		s->not_after = last;
	if (asked->latest && s->not_after > asked->latest)
		s->not_after = asked->latest;
	s->quorum = reviews_asks(asked);
}

/* Whether somebody may still sign for those times: not before rules let it begin, nor beyond what it rests on. */
static bool
still_good(const struct reviews_asked *asked, const struct db_scope *s, int64_t now)
{
	return reviews_late_enough(asked, s, now) && (!asked->latest || s->not_after <= asked->latest);
}

/* What that scope has is what so many days come to now: all of them, or as many as what it rests on lasts. */
static bool
spans(const struct reviews_asked *asked, const struct db_scope *s, uint32_t days)
{
	int64_t has = (s->not_after - s->not_before) / DAY;
	return has == days || (asked->latest && s->not_after == asked->latest && has < days);
}

/* The times of an equal scope that somebody has in hand, so that two people sign the same thing. */
static void
adopt(struct reviews *r, const struct db_candidate *cand, uint32_t days, struct db_scope *s)
{
	int64_t now = control_now(r->c);
	struct reviews_asked asked;
	struct reviews_draft *d;
	reviews_ask(r->c, cand, s, &asked);
	if (cand->have_scope && same_scope(&cand->scope, s) && cand->scope.not_after > now &&
	    still_good(&asked, &cand->scope, now) && spans(&asked, &cand->scope, days)) {
		*s = cand->scope;
		return;
	}
	for (unsigned i = 0; i < REVIEWS_DRAFTS; i++) {
		d = &r->draft[i];
		if (d->candidate == cand->id && d->days == days && same_scope(&d->scope, s) &&
		    now - d->at < REVIEWS_DRAFT_SECONDS && now >= d->at && still_good(&asked, &d->scope, now)) {
			*s = d->scope;
			return;
		}
	}
	new_times(&asked, now, days, s);
	d = &r->draft[r->drafts_n++ % REVIEWS_DRAFTS];
	*d = (struct reviews_draft){ .candidate = cand->id, .days = days, .at = now, .scope = *s };
}

static bool
scope_of_call(struct reviews *r, struct call *call, const struct db_candidate *cand, struct db_scope *ret)
{
	struct db_resource res;
	struct db_scope *s = ret;
	if (cand->have_scope && !has_options(call) && cand->scope.not_after > control_now(r->c) && !wants_glass(call) &&
	    !cand->scope.delay) {
		*ret = cand->scope;
		return true;
	}
	if (db_resource_get(r->c->db, cand->resource, &res)) {
		call_fail_err(call, FG_EIO);
		return false;
	}
	*s = (struct db_scope){ 0 };
	if (!words(call, "groups", SCOPE_ANY, s->groups, &s->groups_n) ||
	    !words(call, "from", res.from[0] ? res.from : SCOPE_ANY, s->from, &s->from_n))
		return false;
	/* A delta fits the version it was made from, and no other. */
	if (res.from[0] && (s->from_n != 1 || strcmp(s->from[0], res.from) != 0)) {
		call_fail(call, CALL_REFUSED, "REFUSED", "leave --from away", "this image applies to version %s only", res.from);
		return false;
	}
	uint32_t most = people_genesis(r->c->people)->glass.max_devices;
	uint64_t max = call_number(call, "max_devices", wants_glass(call) ? most : REVIEWS_EVERYONE);
	uint64_t hours = call_number(call, "hours", REVIEWS_GLASS_HOURS);
	uint32_t days_max = reviews_days_max(r->c, cand);
	uint64_t days = call_number(call, "days", REVIEWS_DAYS_DEFAULT < days_max ? REVIEWS_DAYS_DEFAULT : days_max);
	if (!max || max > UINT32_MAX || !days || days > days_max || !hours || hours > REVIEWS_GLASS_HOURS) {
		call_fail(call, CALL_USAGE, "USAGE", "", "max_devices must be at least 1, days from 1 to %u, hours from 1 to %u",
		    days_max, REVIEWS_GLASS_HOURS);
		return false;
	}
	s->max_devices = (uint32_t)max;
	if (wants_glass(call)) {
		glass_times(r, call, cand, s);
		return true;
	}
	adopt(r, cand, (uint32_t)days, s);
	return true;
}

/* ---- review.statement ---- */

struct writing { /* waits for the log's head */
	struct reviews *r;
	struct call *call;
};

/* Whether the rules let anybody sign for that scope now; else the call is answered. */
static bool
rules_let(struct control *c, struct call *call, const struct db_scope *scope, const struct reviews_asked *asked)
{
	char when[STAMP_CAP];
	if (stamp_format(scope->not_before, when))
		snprintf(when, sizeof when, "never");
	if (asked->denied) {
		call_fail(call, CALL_REFUSED, "RULE", "see fotagate review show; rules stand in fotagate.conf", "%s", asked->text);
		return false;
	}
	if (scope->not_before >= scope->not_after) {
		call_fail(call, CALL_REFUSED, "RULE", "write the statement nearer to that day",
		    "%s: it may not begin before %s, and a statement reaches %d days ahead", asked->text, when, APPROVAL_DAYS_MAX);
		return false;
	}
	if (asked->latest && scope->not_after > asked->latest) {
		call_fail(call, CALL_REFUSED, "RULE", "whoever signed first signs a new statement, written with --days",
		    "what was signed so far ends after a waiver that it rests on");
		return false;
	}
	if (reviews_late_enough(asked, scope, control_now(c)))
		return true;
	if (scope->delay) {
		call_fail(call, CALL_REFUSED, "RULE", "break the glass nearer to that time",
		    "%s: not even break-glass begins before that", asked->text);
		return false;
	}
	call_fail(call, CALL_REFUSED, "RULE", "whoever signed first signs a new statement, written with --days",
	    "%s: what was signed so far begins at %s, which is too soon by now", asked->text, when);
	return false;
}

/* In which order they get it: what stands behind the digest in the statement. */
static void
put_plan(struct control *c, struct jsonw *j, const struct approval_terms *t)
{
	struct rollout_plan *plan = calloc(1, sizeof *plan);
	uint8_t digest[DIGEST_SHA256_LEN];
	char line[ROLLOUT_RINGS_MAX * (ROLLOUT_NAME_MAX + 3) + 128];
	bool have = false;
	if (!t->have_plan) {
		jsonw_cstr(j, "to all of them at once");
	} else if (plan && rollouts_plan_of(c, t->profile, t->policy, plan, &have, digest) == FG_OK && have) {
		size_t n = (size_t)snprintf(line, sizeof line, "ring by ring, by the plan %s:", plan->name);
		for (unsigned i = 0; i < plan->rings_n; i++)
			n += (size_t)snprintf(line + n, sizeof line - n, "%s %s", i ? "," : "", plan->rings[i].name);
		requests_add_text(j, line);
	}
	free(plan);
}

/* Whose place it takes, and whether there is a way back from it. */
static void
put_lineage(struct control *c, struct jsonw *j, const struct approval_terms *t)
{
	char line[LINEAGE_TEXT_CAP];
	lineage_places(c, t, line);
	if (line[0])
		requests_add_text(j, line);
	lineage_way_back(c, t->profile, t->product, t->target, t->report, line);
	requests_add_text(j, line);
}

static void
put_summary(struct control *c, struct jsonw *j, const struct approval_terms *t, const struct reviews_asked *asked)
{
	char line[sizeof t->subject + 64], from[STAMP_CAP], until[STAMP_CAP];
	jsonw_key(j, "summary");
	jsonw_array(j);
	snprintf(line, sizeof line, "%s: %s", t->review, t->subject);
	requests_add_text(j, line);
	if (t->delta.made) {
		snprintf(line, sizeof line, "a delta: %s", approval_made_text(t->delta.made));
		jsonw_cstr(j, line);
	}
	snprintf(line, sizeof line, "to at most %u modules of group %s%s", t->max_devices, t->groups.word[0],
	    t->groups.n > 1 ? " and others" : "");
	requests_add_text(j, line);
	if (t->delay && stamp_format(t->not_after, until) == FG_OK) {
		snprintf(line, sizeof line, "BREAK-GLASS, by you alone: %u s after it is released, until %s", t->delay, until);
		jsonw_cstr(j, line);
	} else if (stamp_format(t->not_before, from) == FG_OK && stamp_format(t->not_after, until) == FG_OK) {
		snprintf(line, sizeof line, "from %s until %s", from, until);
		jsonw_cstr(j, line);
	}
	put_plan(c, j, t);
	put_lineage(c, j, t);
	snprintf(line, sizeof line, "%s by %u person%s", t->delay ? "to be looked at afterwards" : "signed", t->quorum,
	    t->quorum == 1 ? "" : "s");
	jsonw_cstr(j, line);
	if (asked->text[0])
		requests_add_text(j, asked->text);
	snprintf(line, sizeof line, "acknowledging %u findings, with %u waivers", t->findings.n, t->waived.n);
	jsonw_cstr(j, line);
	jsonw_array_end(j);
}

static void
file_name(const char *what, const char *approver, char *dst, size_t cap)
{
	snprintf(dst, cap, "%s.%s.json", what, approver);
	for (char *p = dst; *p; p++)
		if (*p == '/')
			*p = '_';
}

static void
send_statement(struct control *c, struct call *call, struct db_candidate *cand, const struct db_scope *scope,
    const struct approval *a, const struct reviews_asked *asked, struct view text)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char name[SIGNERS_PRINCIPAL_MAX + 48];
	uint32_t have, need;
	struct call_doc d;
	if (digest_sha256(text, digest)) {
		call_fail_err(call, FG_ECRYPTO);
		return;
	}
	/* How it would stand if the review had this statement's scope. */
	cand->have_scope = true;
	cand->scope = *scope;
	reviews_count(c, cand, &have, &need);
	file_name(a->terms.review, a->approver, name, sizeof name);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "approver", a->approver);
	jsonw_kuint(&d.j, "have", have);
	jsonw_kcstr(&d.j, "name", name);
	jsonw_kuint(&d.j, "need", need);
	jsonw_khex(&d.j, "sha256", digest, sizeof digest);
	jsonw_kstring(&d.j, "statement", text);
	put_summary(c, &d.j, &a->terms, asked);
	call_doc_end(call, &d, CALL_DONE);
}

static bool
is_ticked(const struct call *call, const char *item)
{
	const struct json_value *ticks = call_arg(call, "ticks");
	for (size_t i = 0; i < json_count(ticks); i++) {
		struct view word;
		if (json_string(json_at(ticks, i), &word) && view_is(word, item))
			return true;
	}
	return false;
}

/* Everything the profile asks for is said to be done, and nothing else; false: the call is answered. */
static bool
all_ticked(struct control *c, struct call *call, const struct db_candidate *cand)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	unsigned n = p ? p->profile->review.checklist_n : 0;
	for (unsigned i = 0; i < n; i++) {
		const char *item = p->profile->review.checklist[i];
		if (is_ticked(call, item))
			continue;
		call_fail(call, CALL_REFUSED, "CHECKLIST", "once it is done, say so with --tick and its words",
		    "%u thing%s to be done before anybody signs, and this is not ticked: %s", n, n == 1 ? " has" : "s have", item);
		return false;
	}
	if (json_count(call_arg(call, "ticks")) <= n)
		return true;
	call_fail(call, CALL_USAGE, "USAGE", "see fotagate review show", "something is ticked that the profile does not list");
	return false;
}

/* Whether one person may let it through alone now, where that is wanted; else the call is answered. */
static bool
glass_lets(struct control *c, struct call *call, const struct db_candidate *cand)
{
	const char *why = wants_glass(call) ? glass_refuses(c->glass) : NULL;
	struct report *report = NULL;
	if (!why && wants_glass(call) &&
	    (decisions_report(c, cand->report, &report) != FG_OK || report_verdict(report) == REPORT_BLOCKED))
		why = "break-glass is never over a finding that blocks";
	report_free(report);
	if (!why && call_arg(call, "hours") && !wants_glass(call))
		why = "only break-glass lasts hours";
	if (why)
		call_fail(call, CALL_REFUSED, "BREAK-GLASS", "see fotagate breakglass show", "%s", why);
	return !why;
}

static void
write_statement(struct reviews *r, struct call *call, struct db_candidate *cand, struct approval *a)
{
	struct control *c = r->c;
	const char *requesters[DB_LIST_MAX];
	struct reviews_asked asked;
	struct db_scope scope;
	struct writer text;
	char why[200] = "";
	for (uint32_t i = 0; i < cand->requesters_n; i++)
		requesters[i] = cand->requester[i];
	if (!reviews_personal(c, call, a, requesters, cand->requesters_n) || !glass_lets(c, call, cand) ||
	    !all_ticked(c, call, cand) || !scope_of_call(r, call, cand, &scope))
		return;
	reviews_ask(c, cand, &scope, &asked);
	if (!rules_let(c, call, &scope, &asked))
		return;
	int err = reviews_terms(c, cand, &scope, &a->terms);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	writer_init(&text, APPROVAL_BYTES_MAX);
	err = approval_encode(a, &text, why, sizeof why);
	if (err == FG_EINVAL)
		call_fail(call, CALL_USAGE, "USAGE", "", "%s", why);
	else if (err)
		call_fail_err(call, err);
	else
		send_statement(c, call, cand, &scope, a, &asked, writer_view(&text));
	writer_free(&text);
}

static bool
in_review(struct call *call, const struct db_candidate *cand)
{
	if (candidates_is(cand, LIFECYCLE_REVIEW))
		return true;
	call_fail(call, CALL_REFUSED, "STATE", "see fotagate review show", "the review is %s, not open: %s", cand->state,
	    cand->note);
	return false;
}

static void
on_head(void *ctx, int err, const struct msg_head *head)
{
	struct writing *w = ctx;
	struct approval *a = calloc(1, sizeof *a);
	(void)head;
	if (err) {
		call_fail(w->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not answer");
	} else if (!a) {
		call_fail_err(w->call, FG_ENOMEM);
	} else if (!control_permits(w->r->c)) {
		requests_not_now(w->r->c, w->call);
	} else {
		struct db_candidate *cand = reviews_of_call(w->r->c, w->call);
		if (cand && in_review(w->call, cand))
			write_statement(w->r, w->call, cand, a);
		free(cand);
	}
	free(a);
	free(w);
}

void
reviews_statement(struct reviews *r, struct call *call)
{
	struct db_candidate *cand = reviews_of_call(r->c, call);
	if (!cand)
		return;
	struct writing *w = NULL;
	if (in_review(call, cand)) {
		w = calloc(1, sizeof *w);
		if (!w)
			call_fail_err(call, FG_ENOMEM);
	}
	free(cand);
	if (!w)
		return;
	*w = (struct writing){ r, call };
	if (logbook_ask_head(r->c->logbook, on_head, w) == FG_OK)
		return;
	free(w);
	call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log is away");
}

/* ---- review.reject, review.reopen ---- */

static void
answer_state(struct call *call, const struct db_candidate *cand)
{
	char review[DB_REVIEW_CAP];
	struct call_doc d;
	db_candidate_review(cand->id, review);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "review", review);
	requests_put_text(&d.j, "state", cand->state);
	call_doc_end(call, &d, CALL_DONE);
}

static bool
legal(struct call *call, const struct db_candidate *cand, enum lifecycle_verb verb)
{
	if (candidates_can(cand, verb))
		return true;
	call_fail(call, CALL_REFUSED, "STATE",
	    candidates_is(cand, LIFECYCLE_APPROVED) ? "take it back with fotagate revoke" : "",
	    "it cannot be done to a review that is %s", cand->state);
	return false;
}

static bool
freezes(const struct db_candidate *cand)
{
	return cand->rival == DB_RIVAL_FREEZES && candidates_is(cand, LIFECYCLE_INCIDENT);
}

/* Whoever decides about a second image lets the first one be offered again: that is for those who may sign. */
static bool
may_decide(struct call *call, const struct db_candidate *cand)
{
	if (!freezes(cand) || (call_who(call)->roles & (CALLERS_APPROVER | CALLERS_ADMIN)))
		return true;
	call_fail(call, CALL_REFUSED, "ROLE", "an approver decides; fotagate revoke takes back what was released",
	    "a release is withheld until somebody who may sign decides about this image");
	return false;
}

/* What is to stand against the same thing coming by another way, kind 0 for nothing; false: answered. */
static bool
also(struct control *c, struct call *call, const struct db_candidate *cand, const char *reason, struct db_refusal *ret)
{
	char kind[16];
	const char *why = NULL;
	(void)call_text(call, "also", kind, sizeof kind);
	int err = kind[0] ? refusals_draft(c->refusals, cand, view_str(kind), requests_actor(c, call), reason, ret, &why) : FG_OK;
	if (err == FG_EINVAL)
		call_fail(call, CALL_USAGE, "USAGE", "reject it without --also, or fotagate refusal add", "%s: %s", kind, why);
	else if (err)
		call_fail_err(call, err);
	return !err;
}

void
reviews_reject(struct reviews *r, struct call *call)
{
	struct control *c = r->c;
	char reason[DB_TEXT_MAX], review[DB_REVIEW_CAP];
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return;
	(void)call_text(call, "reason", reason, sizeof reason);
	struct db_refusal more = { .kind = REFUSAL_NONE };
	if (!legal(call, cand, LIFECYCLE_REJECT) || !may_decide(call, cand) || !also(c, call, cand, reason, &more)) {
		free(cand);
		return;
	}
	const char *who = requests_actor(c, call);
	bool froze = freezes(cand);
	fetches_cancel(c->fetches, cand->id);
	judging_cancel(c->judging, cand->id);
	if (cand->have_image)
		releases_restrict(c->releases, MSG_RESTRICT_REJECT, cand->image, NULL, who, reason, logbook_size(c->logbook));
	db_candidate_review(cand->id, review);
	int err = candidates_outdate(c, cand, LIFECYCLE_REJECT, reason, NULL);
	struct msg_append *e = logbook_entry(ENTRY_APPROVAL_REJECTED, "ok", who, review);
	if (cand->have_image)
		logbook_ref_sha256(e, "image", cand->image);
	logbook_say(e, "%s", reason);
	if (cand->have_image)
		releases_tell_restriction(c->releases, MSG_RESTRICT_REJECT, cand->image, NULL, who, e);
	else
		logbook_tell(c->logbook, e);
	/* Behind the rejection: what it meets is judged again, and this one is decided. */
	if (more.kind) {
		int refused = refusals_begin(c->refusals, &more);
		err = err ? err : refused;
	}
	judging_look_again(c->judging, cand->profile);
	if (froze)
		standing_review(c);
	if (err)
		call_fail_err(call, err);
	else
		answer_state(call, cand);
	free(cand);
}

/* Whoever has it judged has looked at why it was held. */
static int
reopen(struct control *c, struct db_candidate *cand)
{
	int err = db_begin(c->db);
	if (err)
		return err;
	/* Both are meant, then. One that was not judged yet is told apart when it was. */
	if (freezes(cand))
		cand->rival = DB_RIVAL_NONE;
	err = vendors_accept(c, cand->id);
	if (!err)
		err = candidates_outdate(c, cand, LIFECYCLE_REOPEN, "judged again", NULL);
	return db_end(c->db, err);
}

void
reviews_reopen(struct reviews *r, struct call *call)
{
	struct control *c = r->c;
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return;
	if (legal(call, cand, LIFECYCLE_REOPEN) && may_decide(call, cand)) {
		bool froze = freezes(cand);
		int err = cand->in_quarantine ? reopen(c, cand) : FG_ENOTFOUND;
		if (err == FG_ENOTFOUND) {
			call_fail(call, CALL_REFUSED, "STATE", "see fotagate fetch retry, or import it again",
			    "its bytes are no longer held");
		} else if (err) {
			call_fail_err(call, err);
		} else {
			answer_state(call, cand);
			if (froze)
				standing_review(c);
			judging_start(c->judging, cand->id);
		}
	}
	free(cand);
}
