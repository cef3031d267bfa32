/* SPDX-License-Identifier: Apache-2.0 */
/* requests_reviews - reviews as people see them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/decisions.h"
#include "gateway/control/keymarks.h"
#include "gateway/control/lineage.h"
#include "gateway/control/remarks.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/rivals.h"
#include "gateway/control/vendors.h"
#include "policy/evidence.h"

#define LIST_DEFAULT 100
#define LIST_MAX DB_PAGE_MAX

struct listing {
	struct control *c;
	struct jsonw *j;
};

/* "acceptable" of the stored report, or null. */
static void
put_verdict(struct jsonw *j, const struct gist *g)
{
	if (g->have_report)
		jsonw_kcstr(j, "verdict", report_verdict_name(g->verdict));
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
	const char *principal; /* whose statements the caller signs; NULL: nobody's */
	struct db_resource res;
	struct gist gist;
	const struct report *report; /* of show; borrowed of gists */
	struct rules_result *rules; /* of show; NULL: there is no report, or no policy */
	struct waivers_met *met;    /* of show; NULL: there is no report */
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
	struct writer w, signature;
	char why[120];
	writer_init(&w, APPROVAL_BYTES_MAX);
	writer_init(&signature, SSHSIG_ARMOR_MAX);
	if (a && files_doc_get(l->c->files, FILES_STATEMENT, d->sha256, &w) == FG_OK &&
	    approval_parse(writer_view(&w), a, why, sizeof why) == FG_OK) {
		jsonw_object(l->j);
		jsonw_kcstr(l->j, "approver", d->approver);
		(void)files_doc_get(l->c->files, FILES_STATEMENT_SIG, d->sha256, &signature); /* none: as of the key of a file */
		keymarks_put(l->j, writer_view(&signature));
		jsonw_kbool(l->j, "breakglass", a->terms.decision == APPROVAL_BREAKGLASS);
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
	writer_free(&signature);
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
		if (d->verdict != DECIDE_DENY && s->rules && evidence_verdict(d, s->rules) == DECIDE_DENY)
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

/* How many different ones there are of each; null: there is no report. */
static void
put_severities(struct jsonw *j, const struct gist *g)
{
	static const enum finding_severity order[] = { FINDING_BLOCK, FINDING_INFO, FINDING_NOTICE, FINDING_WARNING };
	jsonw_key(j, "severities");
	if (!g->have_report) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		jsonw_kuint(j, finding_severity_name(order[i]), g->findings[order[i]]);
	jsonw_object_end(j);
}

/* Why it is marked as a security update in the configuration; null: it is not. */
static void
put_security(struct jsonw *j, const struct showing *s)
{
	const struct config *f = policies_config(s->c->policies);
	const struct rules_security *mark = rules_security_of(f->security_updates, f->security_updates_n, s->cand->profile,
	    s->res.product, s->res.target);
	if (mark)
		requests_put_text(j, "security", mark->reason);
	else
		jsonw_knull(j, "security");
}

/* What its product is offered now: of several releases the one issued last, and never itself. */
static void
put_offered(struct jsonw *j, const struct showing *s)
{
	size_t n;
	const struct tables_release *all = releases_all(s->c->releases, &n), *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct approval_terms *t = &all[i].record->terms;
		if (!all[i].withheld && strcmp(t->profile, s->cand->profile) == 0 && strcmp(t->product, s->res.product) == 0 &&
		    strcmp(t->target, s->res.target) != 0 && (!best || all[i].record->issued > best->record->issued))
			best = &all[i];
	}
	jsonw_key(j, "offered_now");
	if (!best) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_khex(j, "release", best->id, sizeof best->id);
	requests_put_text(j, "target", best->record->terms.target);
	jsonw_object_end(j);
}

static int
is_by(void *arg, const struct db_statement *d)
{
	return d->state == DB_STATEMENT_COUNTED && strcmp(d->approver, arg) == 0;
}

/* It waits for that person: who neither asked for it nor has signed as things stand. */
static bool
needs(struct control *c, const struct db_candidate *cand, const char *principal)
{
	char who[DB_WHO_MAX];
	if (!principal || !candidates_is(cand, LIFECYCLE_REVIEW) || strlen(principal) >= sizeof who)
		return false;
	for (uint32_t i = 0; i < cand->requesters_n; i++)
		if (strcmp(cand->requester[i], principal) == 0)
			return false;
	memcpy(who, principal, strlen(principal) + 1);
	return db_statement_list(c->db, cand->id, is_by, who) == 0;
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
	}
	jsonw_kbool(j, "breakglass", d->have_scope && d->scope.delay);
	if (more)
		put_checklist(j, s);
	requests_put_time(j, "deadline", reviews_deadline(s->c, d));
	if (more) {
		put_delta(j, s->report);
		put_findings(j, s);
		jsonw_kcstr(j, "from", s->res.from[0] ? s->res.from : "*");
	}
	jsonw_kuint(j, "have", s->gist.have);
	jsonw_kbool(j, "held", judging_is_held(s->c->judging, d));
	requests_put_review(j, "id", d->id);
	requests_put_digest(j, "image", d->have_image, d->image, sizeof d->image);
	jsonw_kuint(j, "need", s->gist.need);
	jsonw_kbool(j, "needs_me", needs(s->c, d, s->principal));
	put_offered(j, s);
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
	}
	put_security(j, s);
	put_severities(j, &s->gist);
	if (more)
		requests_put_digest(j, "signature", d->have_signature, d->signature, sizeof d->signature);
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
	put_verdict(j, &s->gist);
	if (more) {
		char back[LINEAGE_TEXT_CAP];
		waivers_put(s->c->waivers, s->met, j, "waivers");
		lineage_way_back(s->c, d->profile, s->res.product, s->res.target, d->have_report ? d->report : NULL, back);
		requests_put_text(j, "way_back", back);
	}
}

/* Of people of this machine by the signer set; root is nobody. */
static const char *
principal_of(const struct control *c, const struct caller *who)
{
	if (who->means == CALLERS_MEANS_SESSION || who->means == CALLERS_MEANS_SSO || who->means == CALLERS_MEANS_TOKEN)
		return who->principal[0] ? who->principal : NULL;
	return who->means == CALLERS_MEANS_UID ? signers_principal_of_user(people_set(c->people), who->user) : NULL;
}

/* ---- review.list ---- */

struct listed {
	uint64_t id;
	struct gist gist;
};

struct page {
	struct control *c;
	const char *principal;
	bool needs_me;   /* only such */
	unsigned limit, n, seen;
	unsigned left;   /* to be read anew */
	bool full;       /* there may be more behind it */
	uint64_t last;   /* looked at */
	struct listed row[]; /* limit of them */
};

/* Which ones. Ends the listing when the page is full, or when one more report would have to be read. */
static int
choose(void *arg, const struct db_candidate *cand)
{
	struct page *l = arg;
	struct gist g;
	bool wanted = !l->needs_me || needs(l->c, cand, l->principal);
	l->full = wanted && (l->n == l->limit || !gists_of(l->c, cand, &l->left, &g));
	if (l->full)
		return 1;
	if (wanted)
		l->row[l->n++] = (struct listed){ cand->id, g };
	l->last = cand->id;
	l->full = ++l->seen == DB_PAGE_MAX;
	return 0;
}

/* What of them; "next" stands before them in the document. */
static int
put_page(const struct page *l, struct jsonw *j)
{
	char next[24];
	struct db_candidate *cand = malloc(sizeof *cand);
	if (!cand)
		return FG_ENOMEM;
	snprintf(next, sizeof next, "%" PRIu64, l->last);
	if (l->full)
		jsonw_kcstr(j, "next", next);
	else
		jsonw_knull(j, "next");
	jsonw_key(j, "reviews");
	jsonw_array(j);
	for (unsigned i = 0; i < l->n; i++) {
		struct showing s = { .c = l->c, .cand = cand, .principal = l->principal, .gist = l->row[i].gist };
		if (db_candidate_get(l->c->db, l->row[i].id, cand) || db_resource_get(l->c->db, cand->resource, &s.res))
			continue;
		jsonw_object(j);
		put_row(j, &s, false);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
	free(cand);
	return FG_OK;
}

/* False: the call is answered. */
static bool
filter_of(struct call *call, char profile[PROFILE_WORD_MAX + 1], char product[DB_NAME_MAX], char state[DB_WORD_MAX],
    struct db_candidate_filter *f)
{
	if (call_text(call, "profile", profile, PROFILE_WORD_MAX + 1) && profile[0])
		f->profile = profile;
	if (call_text(call, "product", product, DB_NAME_MAX) && product[0])
		f->product = product;
	if (call_text(call, "state", state, DB_WORD_MAX) && state[0])
		f->state = state;
	f->after = call_number(call, "after", 0);
	if (!f->state || lifecycle_state_parse(view_str(state)) != LIFECYCLE_NONE)
		return true;
	call_fail(call, CALL_USAGE, "USAGE", "", "there is no state %s", state);
	return false;
}

void
requests_review_list(struct control *c, struct call *call)
{
	char profile[PROFILE_WORD_MAX + 1], product[DB_NAME_MAX], state[DB_WORD_MAX];
	struct db_candidate_filter f = { 0 };
	struct call_doc d;
	uint64_t limit = call_number(call, "limit", LIST_DEFAULT);
	if (!limit || limit > LIST_MAX) {
		call_fail(call, CALL_USAGE, "USAGE", "", "limit is 1 to %d", LIST_MAX);
		return;
	}
	if (!filter_of(call, profile, product, state, &f))
		return;
	struct page *l = calloc(1, sizeof *l + limit * sizeof l->row[0]);
	if (!l) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	l->c = c;
	l->principal = principal_of(c, call_who(call));
	l->limit = (unsigned)limit;
	l->left = GISTS_NEW_MAX;
	l->needs_me = call_flag(call, "needs_me");
	if (l->needs_me && !f.state)
		f.state = lifecycle_state_name(LIFECYCLE_REVIEW); /* nothing else needs anybody */
	int err = db_candidate_list(c->db, &f, choose, l);
	call_doc_begin(&d);
	if (err >= 0)
		err = put_page(l, &d.j);
	if (err >= 0) {
		call_doc_end(call, &d, CALL_DONE);
	} else {
		writer_free(&d.w);
		call_fail_err(call, err);
	}
	free(l);
}

static int
look_up(struct control *c, const struct call *call, const struct db_candidate *cand, struct showing *s)
{
	*s = (struct showing){ .c = c, .cand = cand, .principal = principal_of(c, call_who(call)) };
	int err = db_resource_get(c->db, cand->resource, &s->res);
	if (err)
		return err;
	if (cand->have_report)
		s->report = gists_report(c, cand->report);
	gists_count(s->report, &s->gist);
	reviews_count_by(c, cand, s->report, &s->gist.have, &s->gist.need);
	return FG_OK;
}

void
requests_review_show(struct control *c, struct call *call)
{
	struct call_doc d;
	struct showing s;
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return;
	int err = look_up(c, call, cand, &s);
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
	free(s.met);
	free(s.rules);
	free(cand);
}

void
requests_review_report(struct control *c, struct call *call)
{
	struct gist g = { 0 };
	unsigned once = 1;
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
	(void)gists_of(c, cand, &once, &g);
	writer_init(&w, CALL_DOC_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_khex(&j, "sha256", cand->report, sizeof cand->report);
	put_verdict(&j, &g);
	jsonw_object_end(&j);
	call_answer_file(call, &w, fd);
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
