/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/reviews.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/reviews_private.h"
#include "gateway/wire/memfd.h"
#include "images/report_terms.h"
#include "policy/scope.h"

#define DAY 86400

struct reviews *
reviews_new(struct control *c)
{
	struct reviews *r = calloc(1, sizeof *r);
	if (r) {
		r->c = c;
		TAILQ_INIT(&r->issues);
	}
	return r;
}

void
reviews_free(struct reviews *r)
{
	if (!r)
		return;
	struct issue *i;
	while ((i = TAILQ_FIRST(&r->issues))) {
		TAILQ_REMOVE(&r->issues, i, link);
		free(i);
	}
	free(r);
}

/* ---- for showing ---- */

struct db_candidate *
reviews_of_call(struct control *c, struct call *call)
{
	char text[DB_REVIEW_CAP];
	uint64_t id;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	if (!cand) {
		call_fail_err(call, FG_ENOMEM);
		return NULL;
	}
	if (!call_text(call, "review", text, sizeof text) || !db_candidate_review_parse(view_str(text), &id)) {
		call_fail(call, CALL_USAGE, "USAGE", "a review is named like R-12", "\"%s\" is not the name of a review", text);
	} else {
		int err = db_candidate_get(c->db, id, cand);
		if (!err)
			return cand;
		if (err == FG_ENOTFOUND)
			call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate review list", "there is no review %s", text);
		else
			call_fail_err(call, err);
	}
	free(cand);
	return NULL;
}

int64_t
reviews_deadline(struct control *c, const struct db_candidate *cand)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	if (!p || !candidates_is(cand, LIFECYCLE_REVIEW))
		return 0;
	return cand->updated + p->profile->review_days * DAY;
}

/* As the warden counts: small scopes of one image, or of what several deltas make, add up. */
static uint32_t
modules_with(struct control *c, const struct db_candidate *cand, const struct report *report, uint32_t max_devices)
{
	struct approval_delta made = { .made = APPROVAL_MADE_WHOLE };
	if (!candidates_is(cand, LIFECYCLE_REVIEW))
		return max_devices; /* as it was when people signed */
	if (report)
		report_terms_delta(report, &made);
	return releases_modules_with(c->releases, cand->image, &made, max_devices, false);
}

/* Of a review that is open. */
static void
ask_rules(struct control *c, const struct db_candidate *cand, const struct report *report, const struct policy *p,
    const struct db_scope *scope, uint32_t modules, struct reviews_asked *ret)
{
	const struct genesis *g = people_genesis(c->people);
	struct rules_result *r = calloc(1, sizeof *r);
	if (r && decisions_rules(c, cand, report, p, scope, r) == FG_OK) {
		ret->quorum = rules_quorum(r, scope_kind_of(modules, g->canary_max), p->profile, genesis_floor(g, modules));
		ret->denied = r->outcome == RULES_DENY;
		ret->earliest = r->earliest;
		ret->time_lock = r->time_lock;
		rules_describe(r, ret->text);
	}
	free(r);
}

/* Of what holds a candidate: that nobody sees through a delta. */
static bool
is_of_delta(enum decide_reason reason)
{
	switch (reason) {
	case DECIDE_DELTA_SECOND:
	case DECIDE_DELTA_NOT_SEEN:
	case DECIDE_DELTA_NOT_PINNED:
	case DECIDE_DELTA_ASK_FULL:
	case DECIDE_DELTA_NOT_ATTESTED:
		return true;
	default:
		return false;
	}
}

/* Whether what let such a delta before people still does: another one for its step may have come, the full image be taken back. */
static bool
still_passes(const struct decide_result *d, struct reviews_asked *ret)
{
	for (unsigned i = 0; i < d->reasons_n; i++) {
		if (!is_of_delta(d->because[i].reason))
			continue;
		snprintf(ret->text, sizeof ret->text, "%s", d->because[i].sentence);
		return false;
	}
	if (d->verdict == DECIDE_REVIEW || d->reasons_n > 0)
		return true;
	snprintf(ret->text, sizeof ret->text, "whether policy lets it pass cannot be told now");
	return false;
}

/* Of a delta that nobody can see through, more persons may be asked for than any rule says. */
static void
ask_unseen(struct control *c, const struct db_candidate *cand, struct reviews_asked *ret)
{
	struct decide_result *d = calloc(1, sizeof *d);
	bool unseen = d && decisions_unseen(c, cand, d);
	if (!d || (unseen && candidates_is(cand, LIFECYCLE_REVIEW) && !still_passes(d, ret))) {
		ret->quorum = SCOPE_QUORUM_NEVER;
		ret->denied = true;
	} else if (unseen && d->persons_min > ret->quorum) {
		ret->quorum = d->persons_min;
	}
	free(d);
}

/* Where the profile wants it somebody answers for each finding, and the release ends with the first of them. */
static void
ask_waivers(struct control *c, const struct db_candidate *cand, const struct report *report, const struct profile *p,
    struct reviews_asked *ret)
{
	enum finding_severity from = p->review.waivers == PROFILE_WAIVERS_WARNING ? FINDING_WARNING : FINDING_NOTICE;
	if (p->review.waivers == PROFILE_WAIVERS_NONE)
		return;
	struct waivers_met *met = NULL;
	const char *missing = NULL;
	int err = waivers_meet(c->waivers, cand, report, &met);
	if (!err) {
		missing = waivers_missing(met, from);
		ret->latest = waivers_end(met);
	}
	free(met);
	if (!err && !missing)
		return;
	ret->quorum = SCOPE_QUORUM_NEVER;
	ret->denied = true;
	if (err)
		snprintf(ret->text, sizeof ret->text, "which waivers apply cannot be told now");
	else
		snprintf(ret->text, sizeof ret->text, "%s needs a waiver, as review.waivers of the profile has it",
		    missing);
}

/* report: the candidate's, when it has one. */
static void
ask_of(struct control *c, const struct db_candidate *cand, const struct report *report, const struct db_scope *scope,
    struct reviews_asked *ret)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	const struct genesis *g = people_genesis(c->people);
	char why[REFUSALS_SENTENCE_MAX];
	*ret = (struct reviews_asked){ .quorum = SCOPE_QUORUM_NEVER };
	/* What is asked is by the policy people sign for, never by one that came later. */
	if (!p || (candidates_is(cand, LIFECYCLE_REVIEW) && !judging_policy_stands(c, cand)))
		return;
	if (cand->have_report && !report)
		return;
	uint32_t modules = modules_with(c, cand, report, scope ? scope->max_devices : REVIEWS_EVERYONE);
	/* With the signers of its report: whatever it was judged as, it is refused by now. */
	bool refused;
	if (refusals_meets(c->refusals, cand, report, &refused, why))
		refused = true; /* nobody signs for it until that can be told */
	if (!refused && report && candidates_is(cand, LIFECYCLE_REVIEW)) {
		ask_rules(c, cand, report, p, scope, modules, ret);
		ask_waivers(c, cand, report, p->profile, ret);
	} else if (!refused && !candidates_is(cand, LIFECYCLE_REVIEW)) { /* for showing: nobody signs for it now */
		ret->quorum = scope_quorum(scope_kind_of(modules, g->canary_max), p->profile, genesis_floor(g, modules));
	}
	if (ret->quorum != SCOPE_QUORUM_NEVER)
		ask_unseen(c, cand, ret);
}

void
reviews_ask(struct control *c, const struct db_candidate *cand, const struct db_scope *scope, struct reviews_asked *ret)
{
	struct report *report = NULL;
	if (cand->have_report)
		(void)decisions_report(c, cand->report, &report); /* one that cannot be read asks for more than there are */
	ask_of(c, cand, report, scope, ret);
	report_free(report);
}

uint32_t
reviews_days_max(struct control *c, const struct db_candidate *cand)
{
	struct decide_result *d = calloc(1, sizeof *d);
	uint32_t days = d ? APPROVAL_DAYS_MAX : 0;
	if (d && decisions_unseen(c, cand, d))
		days = d->days_max;
	free(d);
	return days;
}

uint32_t
reviews_asks(const struct reviews_asked *a)
{
	_Static_assert(APPROVAL_QUORUM_MAX == RELEASE_STATEMENTS_MAX, "a record holds the statements of all who have to sign");
	return a->quorum <= APPROVAL_QUORUM_MAX ? a->quorum : APPROVAL_QUORUM_MAX;
}

bool
reviews_late_enough(const struct reviews_asked *a, const struct db_scope *s, int64_t now)
{
	int64_t left;
	/* Of break-glass the veto delay stands in for the time lock; a freeze or a cool-down holds for it as well. */
	if (s->delay)
		return now + s->delay >= a->earliest;
	if (s->not_before < a->earliest)
		return false;
	return a->time_lock == 0 || (!__builtin_sub_overflow(s->not_before, now, &left) && left >= a->time_lock);
}

/* ---- terms ---- */

/* The last part of the URL's path, or "image" for what was imported. */
static void
file_name(const char *url, char *dst, size_t cap)
{
	const char *slash = strrchr(url, '/');
	const char *name = slash ? slash + 1 : "";
	size_t n = strcspn(name, "?");
	snprintf(dst, cap, "%.*s", n ? (int)n : 5, n ? name : "image");
}

bool
reviews_subject(const struct db_candidate *cand, const struct db_resource *res, char *dst, size_t cap)
{
	char file[DB_URL_MAX];
	file_name(res->url, file, sizeof file);
	/* What does not fit is cut the same way by whoever makes it again: the digests say what it is. */
	return snprintf(dst, cap, "%s/%s/%s->%s/%s", cand->profile, res->product, res->from[0] ? res->from : SCOPE_ANY,
	    res->target, file) < (int)cap;
}

/* What of the report stands in the statement itself: ids to acknowledge and those waived, and what became of a delta. */
static int
add_report(struct control *c, const struct db_candidate *cand, struct approval_terms *t)
{
	struct approval_list *ret = &t->findings;
	struct report *r = NULL;
	int err = decisions_report(c, cand->report, &r);
	for (unsigned i = 0; !err && i < FINDING_LIMIT; i++)
		if (r->findings[i].count && r->findings[i].severity != FINDING_INFO)
			err = approval_list_add(ret, finding_get(i)->id);
	if (!err)
		err = waivers_name(c->waivers, cand, r, &t->waived);
	if (!err)
		report_terms_delta(r, &t->delta);
	if (r)
		report_free(r);
	return err;
}

/*
 * The plan that the candidate's policy has. A review is open only under the policy in force, which is at
 * hand; of others the text may be gone, and nobody signs for them.
 */
static int
name_plan(struct control *c, const struct db_candidate *cand, struct approval_terms *t)
{
	struct rollout_plan *plan = calloc(1, sizeof *plan);
	int err = plan ? rollouts_plan_of(c, cand->profile, cand->policy, plan, &t->have_plan, t->plan) : FG_ENOMEM;
	free(plan);
	if (err != FG_ENOTFOUND || candidates_is(cand, LIFECYCLE_REVIEW))
		return err;
	t->have_plan = false;
	return FG_OK;
}

/* Of the policy in force alone: nobody signs under another. */
static int
add_checklist(struct control *c, const struct db_candidate *cand, struct approval_list *ret)
{
	const struct policy *p = judging_policy_stands(c, cand) ? policies_find(c->policies, cand->profile) : NULL;
	int err = FG_OK;
	for (unsigned i = 0; p && !err && i < p->profile->review.checklist_n; i++)
		err = approval_list_add(ret, p->profile->review.checklist[i]);
	return err;
}

int
reviews_terms(struct control *c, const struct db_candidate *cand, const struct db_scope *scope,
    struct approval_terms *ret)
{
	struct db_resource res;
	int err = db_resource_get(c->db, cand->resource, &res);
	if (err)
		return err;
	struct approval_terms *t = calloc(1, sizeof *t);
	if (!t)
		return FG_ENOMEM;
	t->decision = scope->delay ? APPROVAL_BREAKGLASS : APPROVAL_APPROVE;
	t->delay = scope->delay;
	snprintf(t->gateway, sizeof t->gateway, "%s", people_genesis(c->people)->origin);
	db_candidate_review(cand->id, t->review);
	if (!reviews_subject(cand, &res, t->subject, sizeof t->subject))
		err = FG_ELIMIT;
	memcpy(t->image, cand->image, sizeof t->image);
	memcpy(t->report, cand->report, sizeof t->report);
	memcpy(t->policy, cand->policy, sizeof t->policy);
	memcpy(t->resource, cand->resource, sizeof t->resource);
	snprintf(t->product, sizeof t->product, "%s", res.product);
	snprintf(t->target, sizeof t->target, "%s", res.target);
	snprintf(t->profile, sizeof t->profile, "%s", cand->profile);
	if (!err)
		err = add_report(c, cand, t);
	if (!err)
		err = add_checklist(c, cand, &t->checklist);
	for (uint32_t i = 0; !err && i < scope->from_n; i++)
		err = approval_list_add(&t->from_versions, scope->from[i]);
	for (uint32_t i = 0; !err && i < scope->groups_n; i++)
		err = approval_list_add(&t->groups, scope->groups[i]);
	t->max_devices = scope->max_devices;
	t->not_before = scope->not_before;
	t->not_after = scope->not_after;
	t->quorum = scope->quorum;
	if (!err)
		err = name_plan(c, cand, t);
	if (!err)
		*ret = *t;
	free(t);
	return err;
}

int
reviews_scope(const struct approval_terms *t, struct db_scope *ret)
{
	*ret = (struct db_scope){ .max_devices = t->max_devices, .not_before = t->not_before, .not_after = t->not_after,
		.quorum = t->quorum, .delay = t->delay, .have_plan = t->have_plan };
	memcpy(ret->plan, t->plan, sizeof ret->plan);
	if (t->from_versions.n > DB_LIST_MAX || t->groups.n > DB_LIST_MAX)
		return FG_ELIMIT;
	for (; ret->from_n < t->from_versions.n; ret->from_n++)
		snprintf(ret->from[ret->from_n], DB_VERSION_MAX, "%s", t->from_versions.word[ret->from_n]);
	for (; ret->groups_n < t->groups.n; ret->groups_n++)
		snprintf(ret->groups[ret->groups_n], DB_VERSION_MAX, "%s", t->groups.word[ret->groups_n]);
	return FG_OK;
}

/* ---- statements that count ---- */

struct counting {
	struct control *c;
	const struct db_candidate *cand;
	uint8_t key[DIGEST_SHA256_LEN];
	uint64_t newer_than;
	struct approval *a; /* scratch */
	struct reviews_valid *ret;
};

/* Who brought the image after signing for it does not count any longer. */
static bool
is_requester(const struct db_candidate *cand, const char *who)
{
	for (uint32_t i = 0; i < cand->requesters_n; i++)
		if (strcmp(cand->requester[i], who) == 0)
			return true;
	return false;
}

/* Newest last, so a person's later statement takes the place of the earlier one. */
static int
count_one(void *arg, const struct db_statement *s)
{
	struct counting *k = arg;
	struct reviews_valid *v = k->ret;
	uint8_t key[DIGEST_SHA256_LEN];
	char why[160];
	struct writer w;
	unsigned i = 0;
	if (s->state != DB_STATEMENT_COUNTED || is_requester(k->cand, s->approver))
		return 0;
	writer_init(&w, APPROVAL_BYTES_MAX);
	bool good = files_doc_get(k->c->files, FILES_STATEMENT, s->sha256, &w) == FG_OK &&
	    approval_parse(writer_view(&w), k->a, why, sizeof why) == FG_OK &&
	    approval_key(&k->a->terms, key) == FG_OK && !memcmp(key, k->key, sizeof key) &&
	    approval_check_time(k->a, control_now(k->c), k->newer_than, why, sizeof why) == FG_OK &&
	    reviews_still_signed(k->c, k->a, s->sha256, writer_view(&w));
	writer_free(&w);
	if (!good)
		return 0;
	while (i < v->n && strcmp(v->approver[i], s->approver) != 0)
		i++;
	if (i == RELEASE_STATEMENTS_MAX)
		return 0;
	memcpy(v->approver[i], s->approver, sizeof v->approver[i]);
	memcpy(v->statement[i], s->sha256, sizeof v->statement[i]);
	if (i == v->n)
		v->n++;
	return 0;
}

static int
valid_of(struct control *c, const struct db_candidate *cand, const struct report *report, struct reviews_valid *ret)
{
	struct counting k = { .c = c, .cand = cand, .newer_than = cand->opened_at_log, .ret = ret };
	struct approval_terms *terms = calloc(1, sizeof *terms);
	struct reviews_asked asked;
	uint64_t restricted = 0;
	*ret = (struct reviews_valid){ .need = SCOPE_QUORUM_NEVER };
	k.a = calloc(1, sizeof *k.a);
	int err = terms && k.a ? FG_OK : FG_ENOMEM;
	if (!err && cand->have_scope) {
		ask_of(c, cand, report, &cand->scope, &asked);
		ret->need = asked.quorum;
		/* What was signed for is not lowered by what came to be asked for later. */
		if (cand->scope.quorum > ret->need)
			ret->need = cand->scope.quorum;
		if (cand->scope.delay && !asked.denied && asked.quorum != SCOPE_QUORUM_NEVER)
			ret->need = 1;
		err = reviews_terms(c, cand, &cand->scope, terms);
		if (!err)
			err = approval_key(terms, k.key);
		if (!err)
			err = db_restriction_latest(c->db, cand->image, &restricted);
		if (restricted > k.newer_than)
			k.newer_than = restricted;
		if (!err)
			err = db_statement_list(c->db, cand->id, count_one, &k);
	} else if (!err) {
		ask_of(c, cand, report, NULL, &asked);
		ret->need = asked.quorum;
	}
	free(k.a);
	free(terms);
	return err;
}

int
reviews_valid_statements(struct control *c, const struct db_candidate *cand, struct reviews_valid *ret)
{
	struct report *report = NULL;
	if (cand->have_report)
		(void)decisions_report(c, cand->report, &report);
	int err = valid_of(c, cand, report, ret);
	report_free(report);
	return err;
}

void
reviews_count(struct control *c, const struct db_candidate *cand, uint32_t *ret_have, uint32_t *ret_need)
{
	reviews_count_by(c, cand, NULL, ret_have, ret_need);
}

void
reviews_count_by(struct control *c, const struct db_candidate *cand, const struct report *report, uint32_t *ret_have,
    uint32_t *ret_need)
{
	struct reviews_valid *v = calloc(1, sizeof *v);
	*ret_have = *ret_need = 0;
	if (!v)
		return;
	if (cand->have_report)
		(void)(report ? valid_of(c, cand, report, v) : reviews_valid_statements(c, cand, v));
	*ret_have = v->n;
	*ret_need = v->need;
	free(v);
}

int
reviews_bundle(struct control *c, const uint8_t (*statements)[DIGEST_SHA256_LEN], unsigned n)
{
	struct writer w, one;
	int err = FG_OK;
	writer_init(&w, 1u << 20); /* the warden's VAULT_BUNDLE_MAX */
	writer_u32(&w, n);
	for (unsigned i = 0; !err && i < n; i++) {
		writer_init(&one, APPROVAL_BYTES_MAX);
		err = files_doc_get(c->files, FILES_STATEMENT, statements[i], &one);
		writer_blob(&w, writer_view(&one));
		writer_free(&one);
		writer_init(&one, SSHSIG_ARMOR_MAX);
		if (!err)
			err = files_doc_get(c->files, FILES_STATEMENT_SIG, statements[i], &one);
		writer_blob(&w, writer_view(&one));
		writer_free(&one);
	}
	if (!err)
		err = writer_err(&w);
	int fd = err ? err : memfd_sealed("fotagate-statements", writer_view(&w));
	writer_free(&w);
	return fd;
}

/* ---- asking the warden ---- */

static void
names(struct msg_name *to, uint32_t *to_n, const struct approval_list *l, uint32_t max)
{
	for (uint32_t i = 0; i < l->n && i < max; i++)
		snprintf(to[(*to_n)++].text, sizeof to->text, "%s", l->word[i]);
}

static int
fill(struct control *c, const struct db_candidate *cand, uint32_t quorum, bool standing, struct msg_issue *m)
{
	struct approval_terms *t = calloc(1, sizeof *t);
	uint64_t restricted = 0;
	int err = t ? reviews_terms(c, cand, &cand->scope, t) : FG_ENOMEM;
	if (!err) {
		snprintf(m->review, sizeof m->review, "%s", t->review);
		memcpy(m->image, t->image, sizeof m->image);
		memcpy(m->report, t->report, sizeof m->report);
		memcpy(m->policy, t->policy, sizeof m->policy);
		memcpy(m->resource, t->resource, sizeof m->resource);
		snprintf(m->subject, sizeof m->subject, "%s", t->subject);
		snprintf(m->profile, sizeof m->profile, "%.*s", MSG_NAME_MAX - 1, t->profile);
		snprintf(m->product, sizeof m->product, "%.*s", MSG_NAME_MAX - 1, t->product);
		snprintf(m->target, sizeof m->target, "%s", t->target);
		names(m->from, &m->from_n, &t->from_versions, MSG_FROM_MAX);
		names(m->groups, &m->groups_n, &t->groups, MSG_FROM_MAX);
		names(m->findings, &m->findings_n, &t->findings, sizeof m->findings / sizeof m->findings[0]);
		names(m->checklist, &m->checklist_n, &t->checklist, MSG_CHECKLIST_MAX);
		names(m->waived, &m->waived_n, &t->waived, sizeof m->waived / sizeof m->waived[0]);
		m->max_devices = t->max_devices;
		m->not_before = t->not_before;
		m->not_after = t->not_after;
		m->terms_quorum = t->quorum;
		m->made = (uint8_t)t->delta.made;
		snprintf(m->applier, sizeof m->applier, "%s", t->delta.applier);
		memcpy(m->base, t->delta.base, sizeof m->base);
		memcpy(m->target_image, t->delta.target, sizeof m->target_image);
		m->have_plan = t->have_plan;
		memcpy(m->plan, t->plan, sizeof m->plan);
		for (uint32_t i = 0; i < cand->requesters_n && i < MSG_FROM_MAX; i++)
			snprintf(m->requesters[m->requesters_n++].text, MSG_VERSION_MAX, "%s", cand->requester[i]);
		m->quorum = quorum;
		m->opened_at = standing ? 0 : cand->opened_at_log;
		if (db_restriction_latest(c->db, cand->image, &restricted) == FG_OK && restricted > m->opened_at)
			m->opened_at = restricted; /* a warden that was restored may not know of it */
		m->now = control_now(c);
	}
	if (!err && standing)
		err = decisions_signer(c, cand, &m->have_signer, m->signer);
	free(t);
	return err;
}

static struct issue *
asked_for(struct reviews *r, uint64_t candidate)
{
	struct issue *i;
	TAILQ_FOREACH(i, &r->issues, link) {
		if (i->candidate == candidate)
			return i;
	}
	return NULL;
}

bool
reviews_is_asked(struct reviews *r, uint64_t candidate)
{
	return asked_for(r, candidate) != NULL;
}

int
reviews_issue(struct reviews *r, const struct db_candidate *cand, const struct reviews_valid *v, struct call *call,
    const char *approver)
{
	struct control *c = r->c;
	if (asked_for(r, cand->id))
		return FG_EEXIST;
	if (!c->warden || !control_permits(c))
		return FG_EAGAIN;
	struct issue *i = calloc(1, sizeof *i);
	struct msg_issue *m = calloc(1, sizeof *m);
	int fds[2] = { -1, -1 };
	int err = i && m ? fill(c, cand, v->need, v->standing, m) : FG_ENOMEM;
	if (!err) {
		fds[0] = files_image_open(c->files, FILES_IMAGE, cand->image);
		fds[1] = reviews_bundle(c, v->statement, v->n);
		err = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : FG_OK;
	}
	if (!err) {
		m->token = ++r->token;
		err = chan_send(c->warden, v->standing ? MSG_ISSUE_STANDING : MSG_ISSUE, m, fds, 2);
	}
	if (!err) {
		*i = (struct issue){ .token = m->token, .candidate = cand->id, .call = call, .standing = v->standing };
		snprintf(i->approver, sizeof i->approver, "%s", approver);
		TAILQ_INSERT_TAIL(&r->issues, i, link);
		i = NULL;
	}
	for (unsigned k = 0; k < 2; k++)
		if (fds[k] >= 0)
			close(fds[k]);
	free(m);
	free(i);
	return err;
}

void
reviews_answer(struct control *c, struct call *call, const struct db_candidate *cand, const char *approver,
    const char *text)
{
	char review[DB_REVIEW_CAP];
	uint32_t have, need;
	struct call_doc d;
	if (!call)
		return;
	reviews_count(c, cand, &have, &need);
	db_candidate_review(cand->id, review);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "approver", approver);
	jsonw_kuint(&d.j, "have", have);
	jsonw_kuint(&d.j, "need", need);
	jsonw_key(&d.j, "release");
	if (cand->have_release)
		jsonw_hex(&d.j, cand->release, sizeof cand->release);
	else
		jsonw_null(&d.j);
	jsonw_kcstr(&d.j, "review", review);
	jsonw_kcstr(&d.j, "state", cand->state);
	jsonw_kcstr(&d.j, "text", text);
	call_doc_end(call, &d, CALL_DONE);
}

static void
refused(struct control *c, struct db_candidate *cand, const struct msg_issued *m, struct call *call)
{
	char why[MSG_TEXT_MAX], review[DB_REVIEW_CAP];
	visible_cstr(view_str(m->why), why, sizeof why);
	db_candidate_review(cand->id, review);
	struct msg_append *e = logbook_entry(ENTRY_RELEASE_REFUSED, "denied", "warden", review);
	logbook_ref_number(e, "counted", m->counted);
	logbook_ref_number(e, "needed", m->needed);
	logbook_say(e, "%s", why);
	logbook_tell(c->logbook, e);
	snprintf(cand->note, sizeof cand->note, "%s", why);
	(void)db_candidate_update(c->db, cand, cand->state);
	if (call)
		call_fail(call, CALL_REFUSED, "REFUSED", "", "the warden refuses: %s", why);
}

static void
issued(struct control *c, struct db_candidate *cand, const struct msg_issued *m, struct call *call,
    const char *approver)
{
	char review[DB_REVIEW_CAP], hex[2 * MSG_ID + 1];
	if (!candidates_is(cand, LIFECYCLE_REVIEW)) {
		/* Taken back while the warden worked on it: the later word holds. */
		releases_restrict(c->releases, MSG_RESTRICT_REVOKE, cand->image, m->release, "control",
		    "taken back while it was being issued", logbook_size(c->logbook));
		if (call)
			call_fail(call, CALL_REFUSED, "STATE", "", "the review is %s meanwhile", cand->state);
		return;
	}
	int err = releases_take(c->releases, m->release, m->record);
	db_candidate_review(cand->id, review);
	hex_encode(m->release, MSG_ID, hex);
	struct msg_append *e = logbook_entry(ENTRY_APPROVAL_EFFECTIVE, "ok", "control", review);
	logbook_ref(e, "release", hex);
	logbook_ref_number(e, "counted", m->counted);
	logbook_tell(c->logbook, e);
	if (err && call) {
		call_fail(call, CALL_COULD_NOT, "LOCAL", "restart the gateway once the cause is mended",
		    "released, but not offered: %s", err_name(err));
		return;
	}
	judging_look_again(c->judging, cand->profile); /* deltas that go on from here */
	if (db_candidate_get(c->db, cand->id, cand) == FG_OK)
		reviews_answer(c, call, cand, approver, "released");
	else if (call)
		call_fail_err(call, FG_EIO);
}

void
reviews_on_issued(struct reviews *r, const struct msg_issued *m)
{
	struct issue *i;
	TAILQ_FOREACH(i, &r->issues, link) {
		if (i->token == m->token)
			break;
	}
	if (!i)
		return;
	TAILQ_REMOVE(&r->issues, i, link);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	int err = cand ? db_candidate_get(r->c->db, i->candidate, cand) : FG_ENOMEM;
	if (err && i->call)
		call_fail_err(i->call, err);
	else if (!err && m->ok)
		issued(r->c, cand, m, i->call, i->approver);
	else if (!err) {
		unsigned signed_n = 1;
		(void)db_statement_count(r->c->db, cand->id, &signed_n);
		/* Nobody proposed it: people begin anew. What somebody signed meanwhile is theirs. */
		if (i->standing && !signed_n)
			cand->have_scope = false;
		/* Who broke the glass in vain stands in nobody's way. */
		if (cand->have_scope && cand->scope.delay) {
			(void)db_statement_outdate(r->c->db, cand->id, NULL, &signed_n);
			cand->have_scope = false;
		}
		refused(r->c, cand, m, i->call);
	}
	free(cand);
	free(i);
}

void
reviews_warden_down(struct reviews *r)
{
	struct issue *i;
	while ((i = TAILQ_FIRST(&r->issues))) {
		TAILQ_REMOVE(&r->issues, i, link);
		if (i->call)
			call_fail(i->call, CALL_COULD_NOT, "WARDEN-AWAY", "the signature is kept; it is asked for again by itself",
			    "the warden went away");
		free(i);
	}
}

/* ---- many ---- */

void
reviews_resume(struct reviews *r)
{
	struct control *c = r->c;
	if (!c->warden || !c->warden_listed || !control_permits(c))
		return;
	struct candidates_ids *l = candidates_in(c, LIFECYCLE_REVIEW);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct reviews_valid *v = calloc(1, sizeof *v);
	for (size_t i = 0; l && cand && v && i < l->n; i++) {
		if (db_candidate_get(c->db, l->id[i], cand) == FG_OK && reviews_valid_statements(c, cand, v) == FG_OK &&
		    v->n >= v->need)
			(void)reviews_issue(r, cand, v, NULL, "");
	}
	free(v);
	free(cand);
	free(l);
}

void
reviews_expire(struct reviews *r)
{
	struct control *c = r->c;
	if (!timekeep_is_sure(c))
		return; /* what has expired stays so: a clock that comes back would not mend it */
	struct candidates_ids *l = candidates_in(c, LIFECYCLE_REVIEW);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	for (size_t i = 0; l && cand && i < l->n; i++) {
		char review[DB_REVIEW_CAP];
		if (db_candidate_get(c->db, l->id[i], cand) || asked_for(r, l->id[i]))
			continue;
		int64_t deadline = reviews_deadline(c, cand);
		if (!deadline || control_now(c) < deadline ||
		    candidates_outdate(c, cand, LIFECYCLE_EXPIRE, "nobody decided in time", NULL))
			continue;
		db_candidate_review(cand->id, review);
		struct msg_append *e = logbook_entry(ENTRY_APPROVAL_EXPIRED, "ok", "control", review);
		logbook_ref_sha256(e, "image", cand->image);
		logbook_tell(c->logbook, e);
	}
	free(cand);
	free(l);
}
