/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reviews_submit - a signed statement comes in. Read, held against our own
 * facts, its log state asked of audit, stored, logged, and only when the log has
 * it durably does it count; when enough count, the warden is asked.
 */
#include "gateway/control/reviews.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "gateway/control/keymarks.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/reviews_private.h"

struct submission {
	struct reviews *r;
	struct call *call;
	struct approval *a;
	struct writer statement, signature;
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint64_t candidate;
};

static void
submission_free(struct submission *s)
{
	writer_free(&s->statement);
	writer_free(&s->signature);
	free(s->a);
	free(s);
}

static void
refuse(struct submission *s, const char *why)
{
	struct control *c = s->r->c;
	struct msg_append *e = logbook_entry(ENTRY_AUTHZ_DENIED, "denied", call_who(s->call)->user, s->a->terms.review);
	logbook_say(e, "a statement does not count: %s", why);
	logbook_tell(c->logbook, e);
	call_fail(s->call, CALL_REFUSED, "REFUSED", "write and sign a new statement", "%s", why);
	submission_free(s);
}

/* ---- the scope it proposes ---- */

/* The first statement proposes; one person alone may change their mind, two who agree are not overruled. */
static const char *
scope_conflict(const struct submission *s, const struct db_candidate *cand, const struct db_scope *scope,
    bool *ret_replaces)
{
	struct approval_terms *stands = calloc(1, sizeof *stands);
	struct reviews_valid *v = calloc(1, sizeof *v);
	const char *why = NULL;
	*ret_replaces = false;
	if (!stands || !v || (cand->have_scope && reviews_terms(s->r->c, cand, &cand->scope, stands))) {
		why = "there is no memory for it";
	} else if (cand->have_scope && approval_terms_differ(stands, &s->a->terms) && scope->delay) {
		*ret_replaces = true; /* break-glass is for when the others who signed are not enough and nobody else is there */
	} else if (cand->have_scope && approval_terms_differ(stands, &s->a->terms)) {
		if (reviews_valid_statements(s->r->c, cand, v))
			why = "the earlier statements could not be read";
		else if (v->n > 1 || (v->n == 1 && strcmp(v->approver[0], s->a->approver) != 0))
			why = "somebody has signed another scope or time: take the statement as it is written without options";
		else
			*ret_replaces = true;
	}
	free(v);
	free(stands);
	return why;
}

/* ---- held against our own facts ---- */

struct nonces {
	struct control *c;
	const struct submission *s;
	bool twice;
};

static int
same_nonce(void *arg, const struct db_statement *d)
{
	struct nonces *n = arg;
	struct approval *a = calloc(1, sizeof *a);
	struct writer w;
	char why[80];
	writer_init(&w, APPROVAL_BYTES_MAX);
	if (a && memcmp(d->sha256, n->s->sha256, sizeof d->sha256) != 0 &&
	    files_doc_get(n->c->files, FILES_STATEMENT, d->sha256, &w) == FG_OK &&
	    approval_parse(writer_view(&w), a, why, sizeof why) == FG_OK &&
	    !memcmp(a->nonce, n->s->a->nonce, sizeof a->nonce))
		n->twice = true;
	writer_free(&w);
	free(a);
	return 0;
}

/* NULL, or why it does not count. why holds the words that need a place. */
static const char *
judge(const struct submission *s, const struct db_candidate *cand, const struct db_scope *scope, char *why, size_t cap)
{
	struct control *c = s->r->c;
	const char *requesters[DB_LIST_MAX];
	struct nonces n = { c, s, false };
	struct reviews_asked asked;
	struct approval_terms *own = calloc(1, sizeof *own);
	uint64_t newer = 0;
	int err = own ? reviews_terms(c, cand, scope, own) : FG_ENOMEM;
	if (!err)
		err = db_restriction_latest(c->db, cand->image, &newer);
	if (!err)
		err = db_statement_list(c->db, cand->id, same_nonce, &n);
	const char *differs = err ? NULL : approval_terms_differ(&s->a->terms, own);
	free(own);
	if (err)
		return "the facts it is about could not be read";
	if (differs) {
		snprintf(why, cap, "it is about something else: %s differs", differs);
		return why;
	}
	reviews_ask(c, cand, scope, &asked);
	const char *glass = scope->delay ? glass_refuses(c->glass) : NULL;
	if (glass)
		return glass;
	if (asked.denied || !reviews_late_enough(&asked, scope, control_now(c))) {
		snprintf(why, cap, "%s%s", asked.text, asked.denied ? "" : ": the statement begins too soon for that");
		return why;
	}
	if (asked.latest && scope->not_after > asked.latest)
		return "it ends after a waiver that it rests on";
	/* Of a scope that stands it was asked when that was written. */
	if (!cand->have_scope && scope->quorum < reviews_asks(&asked))
		return "it names fewer persons than the policy asks for";
	if (cand->opened_at_log > newer)
		newer = cand->opened_at_log;
	if (approval_check_time(s->a, control_now(c), newer, why, cap))
		return why;
	if (!scope->delay && s->a->terms.not_after - s->a->terms.not_before > (int64_t)reviews_days_max(c, cand) * ZONE_DAY)
		return "a delta whose result was not seen lapses sooner: see deltas.unseen_days of the profile";
	if (n.twice)
		return "its nonce was used before";
	for (uint32_t i = 0; i < cand->requesters_n; i++)
		requesters[i] = cand->requester[i];
	return reviews_bad_signature(c, s->a, writer_view(&s->statement), writer_view(&s->signature), requesters,
	    cand->requesters_n);
}

/* ---- it counts ---- */

static void
ask_warden(struct submission *s, struct db_candidate *cand)
{
	struct control *c = s->r->c;
	struct reviews_valid *v = calloc(1, sizeof *v);
	int err = v ? reviews_valid_statements(c, cand, v) : FG_ENOMEM;
	if (err)
		call_fail_err(s->call, err);
	else if (v->n < v->need)
		reviews_answer(c, s->call, cand, s->a->approver, "the signature counts; more are needed");
	else if ((err = reviews_issue(s->r, cand, v, s->call, s->a->approver)) == FG_EEXIST)
		reviews_answer(c, s->call, cand, s->a->approver, "the warden is at work on it");
	else if (err == FG_EAGAIN)
		call_fail(s->call, CALL_COULD_NOT, "WARDEN-AWAY", "it is asked again by itself",
		    "the signature counts, but the warden or the log is away");
	else if (err)
		call_fail_err(s->call, err);
	free(v);
}

static int
write_down(struct submission *s, struct db_candidate *cand)
{
	struct control *c = s->r->c;
	struct db_statement d = { .candidate = cand->id, .submitted = control_now(c), .uid = call_who(s->call)->uid,
		.state = DB_STATEMENT_COUNTED };
	struct db_scope scope;
	bool replaces = false;
	unsigned n;
	int err = reviews_scope(&s->a->terms, &scope);
	if (!err && scope_conflict(s, cand, &scope, &replaces))
		err = FG_ESTATE; /* somebody was quicker while the log wrote */
	if (!err)
		err = db_begin(c->db);
	if (err)
		return err;
	memcpy(d.sha256, s->sha256, sizeof d.sha256);
	snprintf(d.approver, sizeof d.approver, "%s", s->a->approver);
	if (replaces)
		err = db_statement_outdate(c->db, cand->id, NULL, &n);
	if (!err)
		err = db_statement_add(c->db, &d);
	if (err == FG_EEXIST)
		err = FG_OK;
	if (!err && (!cand->have_scope || replaces)) {
		cand->have_scope = true;
		cand->scope = scope;
		err = db_candidate_update(c->db, cand, cand->state);
	}
	return db_end(c->db, err);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct submission *s = ctx;
	struct control *c = s->r->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	(void)index;
	if (err) {
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "hand it in again", "the audit log did not take it");
	} else if (!cand || db_candidate_get(c->db, s->candidate, cand)) {
		call_fail_err(s->call, FG_EIO);
	} else if (!candidates_is(cand, LIFECYCLE_REVIEW)) {
		call_fail(s->call, CALL_REFUSED, "STATE", "", "the review is %s meanwhile", cand->state);
	} else {
		err = write_down(s, cand);
		if (err == FG_ESTATE)
			call_fail(s->call, CALL_REFUSED, "REFUSED", "write and sign a new statement",
			    "somebody has signed another scope or time meanwhile");
		else if (err)
			call_fail_err(s->call, err);
		else
			ask_warden(s, cand);
	}
	free(cand);
	submission_free(s);
}

static int
store(struct submission *s)
{
	struct files *f = s->r->c->files;
	int err = files_doc_put(f, FILES_STATEMENT, s->sha256, writer_view(&s->statement));
	return err ? err : files_doc_put(f, FILES_STATEMENT_SIG, s->sha256, writer_view(&s->signature));
}

static void
log_it(struct submission *s, const struct db_candidate *cand)
{
	struct control *c = s->r->c;
	uint8_t signature[DIGEST_SHA256_LEN];
	struct msg_append *e = logbook_entry(ENTRY_APPROVAL_SIGNED, "ok", s->a->approver, s->a->terms.review);
	int err = store(s);
	if (!err)
		err = digest_sha256(writer_view(&s->signature), signature);
	if (!err && !e)
		err = FG_ENOMEM;
	if (!err) {
		logbook_ref_sha256(e, "image", cand->image);
		logbook_ref_sha256(e, "report", cand->report);
		logbook_ref_sha256(e, "statement", s->sha256);
		logbook_ref_sha256(e, "signature", signature);
		logbook_ref(e, "handed_in_by", call_who(s->call)->user);
		keymarks_ref(c, e, writer_view(&s->signature));
		logbook_say(e, "%s", s->a->reason);
		err = logbook_append(c->logbook, e, on_logged, s);
	}
	free(e);
	if (!err)
		return;
	if (err == FG_EEXIST)
		call_fail(s->call, CALL_REFUSED, "REFUSED", "", "that statement was handed in before with another signature");
	else if (err == FG_EAGAIN)
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
		    "the audit log is %s", logbook_state(c->logbook));
	else
		call_fail_err(s->call, err);
	submission_free(s);
}

static void
on_root(void *ctx, int err, const uint8_t *root)
{
	struct submission *s = ctx;
	struct control *c = s->r->c;
	if (err == FG_EAGAIN) {
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log went away");
		submission_free(s);
		return;
	}
	if (err || memcmp(root, s->a->log_root, DIGEST_SHA256_LEN)) {
		refuse(s, "the log state it names is not in our log");
		return;
	}
	struct db_candidate *cand = calloc(1, sizeof *cand);
	if (!cand || db_candidate_get(c->db, s->candidate, cand)) {
		call_fail_err(s->call, FG_EIO);
		submission_free(s);
	} else {
		log_it(s, cand);
	}
	free(cand);
}

/* What can be told without asking anybody. */
static const char *
look_at(struct submission *s, const struct db_candidate *cand, char *why, size_t cap)
{
	struct db_scope scope;
	bool replaces;
	if (reviews_scope(&s->a->terms, &scope))
		return "it names too many groups or versions";
	const char *no = judge(s, cand, &scope, why, cap);
	return no ? no : scope_conflict(s, cand, &scope, &replaces);
}

static void
consider(struct submission *s)
{
	struct control *c = s->r->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	char why[400] = "", meant[DB_REVIEW_CAP];
	const char *no = NULL;
	if (!cand || (s->a->terms.decision != APPROVAL_APPROVE && s->a->terms.decision != APPROVAL_BREAKGLASS) ||
	    !db_candidate_review_parse(view_str(s->a->terms.review), &s->candidate) ||
	    db_candidate_get(c->db, s->candidate, cand))
		no = "it is about no review of this gateway";
	else if (call_text(s->call, "review", meant, sizeof meant) && meant[0] && strcmp(meant, s->a->terms.review) != 0)
		no = "it is about another review than the one it was handed in for";
	else if (!candidates_is(cand, LIFECYCLE_REVIEW)) {
		snprintf(why, sizeof why, "the review is %s, not open", cand->state);
		no = why;
	} else
		no = look_at(s, cand, why, sizeof why);
	free(cand);
	if (no) {
		refuse(s, no);
	} else if (!control_permits(c)) {
		requests_not_now(c, s->call);
		submission_free(s);
	} else if (logbook_ask_root(c->logbook, s->a->log_size, on_root, s) != FG_OK) {
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
		    "the audit log is %s", logbook_state(c->logbook));
		submission_free(s);
	}
}

void
reviews_submit(struct reviews *r, struct call *call)
{
	char why[200] = "";
	struct submission *s = calloc(1, sizeof *s);
	struct approval *a = calloc(1, sizeof *a);
	if (!s || !a) {
		free(s);
		free(a);
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*s = (struct submission){ .r = r, .call = call, .a = a };
	if (reviews_read_signed(call, &s->statement, &s->signature)) {
		free(a);
		free(s);
		return;
	}
	int err = approval_parse(writer_view(&s->statement), a, why, sizeof why);
	if (!err)
		err = digest_sha256(writer_view(&s->statement), s->sha256);
	if (err == FG_EFORMAT)
		refuse(s, why);
	else if (err) {
		call_fail_err(call, err);
		submission_free(s);
	} else
		consider(s);
}
