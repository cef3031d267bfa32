/* SPDX-License-Identifier: Apache-2.0 */
/* requests_reviews - reviews as people see them. */
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/decisions.h"
#include "gateway/control/lineage.h"
#include "gateway/control/remarks.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/rivals.h"
#include "gateway/control/vendors.h"

struct listing {
	struct control *c;
	struct jsonw *j;
};

/* "acceptable" of the stored report, or null. */
static void
put_verdict(struct jsonw *j, const struct report *r)
{
	if (r)
		jsonw_kcstr(j, "verdict", report_verdict_name(report_verdict(r)));
	else
		jsonw_knull(j, "verdict");
}

/*
 * Keys of a row come among those of review.show, so both write them through
 * here, in order; more: the keys of show as well.
 */
struct showing {
	struct control *c;
	const struct db_candidate *cand;
	struct db_resource res;
	struct report *report;
	struct rules_result *rules; /* of show; NULL: there is no report, or no policy */
	struct waivers_met *met;    /* of show; NULL: there is no report */
	uint32_t have, need;
};

static void
put_asked_by(struct jsonw *j, const struct showing *s)
{
	char hex[2 * MSG_ID + 1];
	jsonw_key(j, "asked_by");
	jsonw_array(j);
	if (s->res.have_asker) {
		hex_encode(s->res.asker, MSG_ID, hex);
		jsonw_cstr(j, hex);
	}
	for (uint32_t i = 0; i < s->cand->requesters_n; i++)
		jsonw_cstr(j, s->cand->requester[i]);
	jsonw_array_end(j);
}

static void
put_checklist(struct jsonw *j, const struct showing *s)
{
	const struct policy *p = policies_find(s->c->policies, s->cand->profile);
	jsonw_key(j, "checklist");
	jsonw_array(j);
	for (unsigned i = 0; p && i < p->profile->review.checklist_n; i++)
		jsonw_cstr(j, p->profile->review.checklist[i]);
	jsonw_array_end(j);
}

static void
put_findings(struct jsonw *j, const struct showing *s)
{
	const struct report *r = s->report;
	jsonw_key(j, "findings");
	jsonw_array(j);
	for (unsigned i = 0; r && i < FINDING_LIMIT; i++) {
		if (!r->findings[i].count)
			continue;
		jsonw_object(j);
		jsonw_kcstr(j, "clears", finding_get(i)->clears);
		jsonw_kuint(j, "count", r->findings[i].count);
		jsonw_kcstr(j, "id", finding_get(i)->id);
		jsonw_kcstr(j, "means", finding_get(i)->means);
		jsonw_kcstr(j, "severity", finding_severity_name(r->findings[i].severity));
		jsonw_kbool(j, "waived", waivers_cover(s->met, (enum finding_id)i));
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

/*
 * What of a delta people have to know before they sign: which base, by whom applied, what came out and how
 * sure that is; and how much of what a module will have could be looked at.
 */
static void
put_delta(struct jsonw *j, const struct report *r)
{
	jsonw_key(j, "delta");
	if (!r || !r->have_delta) {
		jsonw_null(j);
		return;
	}
	const struct report_delta *d = &r->delta;
	bool made = d->result.outcome == DELTA_APPLIED;
	jsonw_object(j);
	jsonw_kcstr(j, "applier", d->result.applier);
	jsonw_khex(j, "base", d->base_sha256, sizeof d->base_sha256);
	jsonw_kbool(j, "checked", d->result.checked);
	requests_put_digest(j, "full", d->have_full, d->full_sha256, sizeof d->full_sha256);
	jsonw_kcstr(j, "outcome", report_delta_word(r));
	jsonw_khex(j, "patch", d->patch_sha256, sizeof d->patch_sha256);
	requests_put_digest(j, "target", made, d->result.target_sha256, sizeof d->result.target_sha256);
	requests_put_digest(j, "target_report", d->have_target, d->target_report, sizeof d->target_report);
	jsonw_kcstr(j, "text", report_delta_text(r));
	jsonw_object_end(j);
}

static int
put_statement(void *arg, const struct db_statement *d)
{
	struct listing *l = arg;
	struct approval *a = calloc(1, sizeof *a);
	struct writer w;
	char why[120];
	writer_init(&w, APPROVAL_BYTES_MAX);
	if (a && files_doc_get(l->c->files, FILES_STATEMENT, d->sha256, &w) == FG_OK &&
	    approval_parse(writer_view(&w), a, why, sizeof why) == FG_OK) {
		jsonw_object(l->j);
		jsonw_kcstr(l->j, "approver", d->approver);
		jsonw_kbool(l->j, "current", d->state == DB_STATEMENT_COUNTED);
		approval_list_put(l->j, "groups", &a->terms.groups);
		jsonw_kuint(l->j, "max_devices", a->terms.max_devices);
		requests_put_time(l->j, "not_after", a->terms.not_after);
		jsonw_kcstr(l->j, "reason", a->reason);
		jsonw_khex(l->j, "signature", d->sha256, sizeof d->sha256);
		jsonw_khex(l->j, "statement", d->sha256, sizeof d->sha256);
		requests_put_time(l->j, "time", a->time);
		jsonw_object_end(l->j);
	}
	writer_free(&w);
	free(a);
	return 0;
}

struct held_list {
	const struct showing *s;
	struct jsonw *j;
};

static int
put_held(void *arg, const struct db_seen *seen)
{
	struct held_list *l = arg;
	char sentence[MSG_TEXT_MAX];
	bool known = false;
	int err = db_seen_any(l->s->c->db, seen->profile, seen->kind, seen->place, &known);
	if (err)
		return err;
	vendors_describe(seen, known, sentence);
	jsonw_object(l->j);
	jsonw_kcstr(l->j, "id", "VENDOR");
	jsonw_kcstr(l->j, "sentence", sentence);
	jsonw_object_end(l->j);
	return 0;
}

static void
put_denied(struct jsonw *j, const struct rules_result *r)
{
	char sentence[RULES_SENTENCE_MAX];
	rules_describe(r, sentence);
	jsonw_object(j);
	jsonw_kcstr(j, "id", "RULE");
	jsonw_kcstr(j, "sentence", sentence);
	jsonw_object_end(j);
}

/* The rule that decides, for the scope that stands or the smallest there can be, and all others that match. */
static void
put_rules(struct jsonw *j, const struct rules_result *r)
{
	char sentence[RULES_SENTENCE_MAX] = "";
	if (r)
		rules_describe(r, sentence);
	jsonw_kcstr(j, "rule", sentence);
	jsonw_key(j, "rules");
	jsonw_array(j);
	for (unsigned i = 0; r && i < r->matches_n; i++) {
		jsonw_object(j);
		jsonw_kbool(j, "decides", i == 0);
		jsonw_kcstr(j, "name", r->match[i].rule->name);
		jsonw_kcstr(j, "says", r->match[i].sentence);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

/*
 * Why policy says no, or not yet, of what is blocked or held; all that reopening makes known, of what is held
 * for its vendor's servers.
 */
static void
put_reasons(struct jsonw *j, const struct showing *s)
{
	bool no = candidates_is(s->cand, LIFECYCLE_BLOCKED) || judging_is_held(s->c->judging, s->cand);
	const struct policy *p = no && s->report ? policies_find(s->c->policies, s->cand->profile) : NULL;
	struct decide_result *d = p ? calloc(1, sizeof *d) : NULL;
	jsonw_key(j, "reasons");
	jsonw_array(j);
	if (d && decisions_make(s->c, s->cand, s->report, p, d) == FG_OK) {
		for (unsigned i = 0; i < d->reasons_n; i++) {
			jsonw_object(j);
			jsonw_kcstr(j, "id", decide_reason_id(d->because[i].reason));
			jsonw_kcstr(j, "sentence", d->because[i].sentence);
			jsonw_object_end(j);
		}
		if (d->verdict == DECIDE_REVIEW && s->rules && s->rules->outcome == RULES_DENY)
			put_denied(j, s->rules);
	}
	struct held_list held = { s, j };
	if (candidates_is(s->cand, LIFECYCLE_INCIDENT))
		(void)db_seen_held(s->c->db, s->cand->id, put_held, &held);
	jsonw_array_end(j);
	free(d);
}

static void
put_url(struct jsonw *j, const char *key, const char *url)
{
	char seen[2 * DB_URL_MAX];
	visible_cstr(view_str(url), seen, sizeof seen);
	jsonw_kcstr(j, key, seen);
}

/* Rollouts that end once this is released: in the scope that stands, or the widest. */
static void
put_supersedes(struct jsonw *j, const struct showing *s)
{
	struct approval_terms *t = calloc(1, sizeof *t);
	const struct db_scope *scope = &s->cand->scope;
	jsonw_key(j, "supersedes");
	if (!t || candidates_is(s->cand, LIFECYCLE_APPROVED)) {
		jsonw_array(j);
		jsonw_array_end(j);
		free(t);
		return;
	}
	snprintf(t->profile, sizeof t->profile, "%s", s->cand->profile);
	snprintf(t->product, sizeof t->product, "%s", s->res.product);
	snprintf(t->target, sizeof t->target, "%s", s->res.target);
	t->max_devices = s->cand->have_scope ? scope->max_devices : REVIEWS_EVERYONE;
	for (uint32_t i = 0; s->cand->have_scope && i < scope->from_n; i++)
		(void)approval_list_add(&t->from_versions, scope->from[i]);
	for (uint32_t i = 0; s->cand->have_scope && i < scope->groups_n; i++)
		(void)approval_list_add(&t->groups, scope->groups[i]);
	if (!s->cand->have_scope) {
		(void)approval_list_add(&t->from_versions, s->res.from[0] ? s->res.from : "*");
		(void)approval_list_add(&t->groups, "*");
	}
	lineage_supersedes(s->c, t, j);
	free(t);
}

static void
put_row(struct jsonw *j, const struct showing *s, bool more)
{
	const struct db_candidate *d = s->cand;
	struct listing l = { s->c, j };
	jsonw_kuint(j, "asked", s->res.sightings);
	if (more) {
		put_asked_by(j, s);
		attests_put(s->c->attests, d->image, j, "attested");
		put_checklist(j, s);
		requests_put_time(j, "deadline", reviews_deadline(s->c, d));
		put_delta(j, s->report);
		put_findings(j, s);
		jsonw_kcstr(j, "from", s->res.from[0] ? s->res.from : "*");
	}
	jsonw_kuint(j, "have", s->have);
	if (more)
		jsonw_kbool(j, "held", judging_is_held(s->c->judging, d));
	requests_put_review(j, "id", d->id);
	requests_put_digest(j, "image", d->have_image, d->image, sizeof d->image);
	jsonw_kuint(j, "need", s->need);
	requests_put_time(j, "opened", d->created);
	if (more) {
		rivals_put(s->c, d, &s->res, j, "other_images");
		requests_put_digest(j, "policy", d->have_policy, d->policy, sizeof d->policy);
	}
	jsonw_kcstr(j, "product", s->res.product);
	jsonw_kcstr(j, "profile", d->profile);
	if (more) {
		requests_put_digest(j, "provenance", d->have_provenance, d->provenance, sizeof d->provenance);
		put_reasons(j, s);
		requests_put_digest(j, "release", d->have_release, d->release, sizeof d->release);
		remarks_put(s->c, d, j, "remarks");
	}
	requests_put_digest(j, "report", d->have_report, d->report, sizeof d->report);
	if (more) {
		jsonw_khex(j, "resource", d->resource, sizeof d->resource);
		put_rules(j, s->rules);
		requests_put_digest(j, "signature", d->have_signature, d->signature, sizeof d->signature);
	}
	jsonw_kuint(j, "size", d->size);
	jsonw_kcstr(j, "source", d->requesters_n ? "import" : "fetch");
	if (more)
		mandates_put_of(s->c->mandates, d, j, "standing");
	jsonw_kcstr(j, "state", d->state);
	if (more) {
		jsonw_key(j, "statements");
		jsonw_array(j);
		(void)db_statement_list(s->c->db, d->id, put_statement, &l);
		jsonw_array_end(j);
	}
	if (more)
		put_supersedes(j, s);
	jsonw_kcstr(j, "target", s->res.target);
	jsonw_kcstr(j, "text", d->note);
	if (more)
		put_url(j, "url", s->res.url);
	put_verdict(j, s->report);
	if (more) {
		char back[LINEAGE_TEXT_CAP];
		waivers_put(s->c->waivers, s->met, j, "waivers");
		lineage_way_back(s->c, d->profile, s->res.product, s->res.target, back);
		requests_put_text(j, "way_back", back);
	}
}

static int
look_up(struct control *c, const struct db_candidate *cand, struct showing *s)
{
	*s = (struct showing){ .c = c, .cand = cand };
	int err = db_resource_get(c->db, cand->resource, &s->res);
	if (err)
		return err;
	if (cand->have_report)
		(void)decisions_report(c, cand->report, &s->report);
	reviews_count(c, cand, &s->have, &s->need);
	return FG_OK;
}

static int
put_listed(void *arg, const struct db_candidate *cand)
{
	struct listing *l = arg;
	struct showing s;
	if (look_up(l->c, cand, &s))
		return 0;
	jsonw_object(l->j);
	put_row(l->j, &s, false);
	jsonw_object_end(l->j);
	report_free(s.report);
	return 0;
}

void
requests_review_list(struct control *c, struct call *call)
{
	char profile[PROFILE_WORD_MAX + 1], state[DB_WORD_MAX];
	struct call_doc d;
	struct listing l = { .c = c };
	struct db_candidate_filter f = { 0 };
	if (call_text(call, "profile", profile, sizeof profile) && profile[0])
		f.profile = profile;
	if (call_text(call, "state", state, sizeof state) && state[0])
		f.state = state;
	if (f.state && lifecycle_state_parse(view_str(state)) == LIFECYCLE_NONE) {
		call_fail(call, CALL_USAGE, "USAGE", "", "there is no state %s", state);
		return;
	}
	/* An answer holds a page of them. */
	f.after = call_number(call, "after", 0);
	call_doc_begin(&d);
	l.j = &d.j;
	jsonw_key(&d.j, "reviews");
	jsonw_array(&d.j);
	int err = db_candidate_list(c->db, &f, put_listed, &l);
	jsonw_array_end(&d.j);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

void
requests_review_show(struct control *c, struct call *call)
{
	struct call_doc d;
	struct showing s;
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return;
	int err = look_up(c, cand, &s);
	if (!err && s.report)
		err = waivers_meet(c->waivers, cand, s.report, &s.met);
	const struct policy *p = err ? NULL : policies_find(c->policies, cand->profile);
	if (p && s.report)
		s.rules = calloc(1, sizeof *s.rules);
	if (s.rules && decisions_rules(c, cand, s.report, p, cand->have_scope ? &cand->scope : NULL, s.rules)) {
		free(s.rules);
		s.rules = NULL;
	}
	if (err) {
		call_fail_err(call, err);
	} else {
		call_doc_begin(&d);
		put_row(&d.j, &s, true);
		call_doc_end(call, &d, CALL_DONE);
	}
	report_free(s.report);
	free(s.met);
	free(s.rules);
	free(cand);
}

void
requests_review_report(struct control *c, struct call *call)
{
	struct report *r = NULL;
	struct writer w;
	struct jsonw j;
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return;
	int fd = cand->have_report ? files_doc_open(c->files, FILES_REPORT, cand->report) : FG_ENOTFOUND;
	if (fd < 0) {
		call_fail(call, CALL_REFUSED, "STATE", "wait for it to be judged", "the review is %s and has no report",
		    cand->state);
		free(cand);
		return;
	}
	(void)decisions_report(c, cand->report, &r);
	writer_init(&w, CALL_DOC_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_khex(&j, "sha256", cand->report, sizeof cand->report);
	put_verdict(&j, r);
	jsonw_object_end(&j);
	call_answer_file(call, &w, fd);
	report_free(r);
	free(cand);
}

void
requests_fetch_retry(struct control *c, struct call *call)
{
	char why[MSG_TEXT_MAX];
	struct call_doc d;
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return;
	int err = fetches_order(c->fetches, cand->resource, requests_actor(c, call), why, sizeof why);
	if (!err)
		err = db_candidate_get(c->db, cand->id, cand);
	if (err && why[0]) {
		call_fail(call, CALL_REFUSED, err == FG_EAGAIN ? "LIMIT" : "STATE", "", "%s", why);
	} else if (err) {
		call_fail_err(call, err);
	} else {
		call_doc_begin(&d);
		requests_put_review(&d.j, "review", cand->id);
		jsonw_kcstr(&d.j, "state", cand->state);
		call_doc_end(call, &d, CALL_DONE);
	}
	free(cand);
}
