/* SPDX-License-Identifier: Apache-2.0 */
/* mandates_calls - people and standing statements: proposed, written, signed, listed, taken back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/keymarks.h"
#include "gateway/control/mandates_private.h"

#define DAY 86400

struct mandate *
mandates_of_call(struct mandates *m, struct call *call)
{
	char name[32];
	struct mandate *one = call_text(call, "standing", name, sizeof name) ? mandates_find(m, name) : NULL;
	if (!one)
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate standing list", "there is no such standing statement");
	return one;
}

/* ---- standing.list ---- */

static const char *
state_of(const struct mandates *m, const struct mandate *one)
{
	if (one->row.state == DB_MANDATE_REVOKED)
		return "revoked";
	if (mandates_is_over(m, one))
		return "over";
	return one->row.state == DB_MANDATE_EFFECTIVE ? "effective" : "proposed";
}

static unsigned
used(const struct mandates *m, const struct mandate *one)
{
	size_t n;
	unsigned count = 0;
	const struct tables_release *all = releases_all(m->c->releases, &n);
	for (size_t i = 0; i < n; i++)
		count += all[i].record->by_standing && !memcmp(all[i].record->standing, one->key, sizeof one->key);
	return count;
}

static void
put(struct jsonw *j, struct mandates *m, const struct mandate *one)
{
	const struct approval_terms *t = &one->terms;
	struct reviews_valid *v = calloc(1, sizeof *v);
	if (v)
		(void)mandates_valid(m, one, v);
	jsonw_object(j);
	jsonw_kcstr(j, "deltas", approval_standing_deltas(t->bounds.worst));
	approval_list_put(j, "findings", &t->findings);
	approval_list_put(j, "from", &t->from_versions);
	approval_list_put(j, "groups", &t->groups);
	jsonw_kuint(j, "have", v ? v->n : 0);
	jsonw_kcstr(j, "id", t->review);
	jsonw_kuint(j, "in_force", used(m, one));
	jsonw_khex(j, "key", one->key, sizeof one->key);
	jsonw_kuint(j, "max_devices", t->max_devices);
	jsonw_kuint(j, "max_releases", t->bounds.max_releases);
	jsonw_kuint(j, "need", mandates_need(m, one));
	jsonw_khex(j, "policy", t->policy, sizeof t->policy);
	jsonw_kcstr(j, "product", t->product);
	jsonw_kcstr(j, "profile", t->profile);
	requests_put_text(j, "reason", one->row.reason);
	approval_list_put(j, "signers", &t->bounds.signers);
	jsonw_kcstr(j, "state", state_of(m, one));
	requests_put_time(j, "until", t->not_after);
	requests_put_text(j, "who", one->row.who);
	jsonw_object_end(j);
	free(v);
}

void
mandates_list(struct mandates *m, struct call *call)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "standing");
	jsonw_array(&d.j);
	for (size_t i = 0; i < m->n; i++)
		put(&d.j, m, m->one[i]);
	jsonw_array_end(&d.j);
	call_doc_end(call, &d, CALL_DONE);
}

static void
answer(struct mandates *m, struct call *call, const struct mandate *one)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "standing");
	put(&d.j, m, one);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- standing.propose ---- */

static bool
words(struct call *call, const char *key, const char *absent, struct approval_list *l)
{
	const struct json_value *v = call_arg(call, key);
	char word[APPROVAL_WORD_MAX];
	if (!v && absent)
		return approval_list_add(l, absent) == FG_OK;
	for (size_t i = 0; i < json_count(v); i++)
		if (!json_cstr(json_at(v, i), word, sizeof word) || !visible_is_plain(view_str(word)) || approval_list_add(l, word))
			return false;
	return true;
}

/* None of them blocks: what blocks is for nobody to let through. */
static const char *
bad_findings(const struct approval_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		enum finding_id id = finding_find(view_str(l->word[i]));
		if (id == FINDING_LIMIT)
			return "a finding is none; see fotagate-report(5)";
		if (finding_get(id)->least >= FINDING_BLOCK)
			return "a finding that blocks cannot be allowed beforehand";
	}
	return NULL;
}

static const char *
read_bounds(struct call *call, struct approval_terms *t)
{
	char deltas[16] = "none";
	uint64_t devices = call_number(call, "max_devices", 0), releases = call_number(call, "max_releases", 0);
	if (call_arg(call, "deltas"))
		(void)call_text(call, "deltas", deltas, sizeof deltas);
	if (!approval_standing_deltas_parse(view_str(deltas), &t->bounds.worst))
		return "deltas is none, proved or reconstructed";
	if (devices > UINT32_MAX || releases > APPROVAL_STANDING_RELEASES_MAX)
		return "more modules or releases than a standing statement can name";
	t->max_devices = (uint32_t)devices;
	t->bounds.max_releases = (uint32_t)releases;
	if (!words(call, "signers", NULL, &t->bounds.signers))
		return "signers are digests of keys, each once";
	if (!words(call, "findings", NULL, &t->findings) || !words(call, "from", "*", &t->from_versions) ||
	    !words(call, "groups", "*", &t->groups))
		return "findings, from and groups are printable words, each once";
	return bad_findings(&t->findings);
}

static int
read_policy(struct mandates *m, const char *profile, struct approval_terms *t)
{
	struct control *c = m->c;
	const struct policy *p = policies_find(c->policies, profile);
	struct rollout_plan *plan = calloc(1, sizeof *plan);
	int err = !p ? FG_ENOTFOUND : plan ? FG_OK : FG_ENOMEM;
	if (!err) {
		memcpy(t->policy, p->digest, sizeof t->policy);
		err = rollouts_plan_of(c, profile, p->digest, plan, &t->have_plan, t->plan);
	}
	if (!err)
		err = mandates_definitions(c, profile, t->bounds.definitions);
	free(plan);
	return err;
}

struct proposing { /* waits for its entry */
	struct mandates *m;
	struct call *call;
	uint64_t id;
};

static void
on_proposed(void *ctx, int err, uint64_t index)
{
	struct proposing *p = ctx;
	char name[32];
	snprintf(name, sizeof name, "S-%llu", (unsigned long long)p->id);
	struct mandate *one = mandates_find(p->m, name);
	if (!err && one) {
		one->row.opened = index;
		err = mandates_save(p->m, one);
	}
	if (err || !one)
		call_fail(p->call, CALL_COULD_NOT, "LOG-AWAY", "propose it again", "the audit log did not take it");
	else
		answer(p->m, p->call, one);
	free(p);
}

static int
propose(struct mandates *m, struct call *call, struct mandate *one)
{
	struct control *c = m->c;
	struct proposing *p = calloc(1, sizeof *p);
	/* Until its entry has an index no statement has seen enough of the log. */
	one->row.opened = INT64_MAX;
	snprintf(one->terms.review, sizeof one->terms.review, "S-0");
	one->terms.quorum = mandates_need(m, one);
	int err = !p ? FG_ENOMEM : one->terms.quorum > APPROVAL_QUORUM_MAX ? FG_ELIMIT : mandates_save(m, one);
	if (!err) {
		snprintf(one->terms.review, sizeof one->terms.review, "S-%llu", (unsigned long long)one->row.id);
		err = mandates_save(m, one); /* with its name */
	}
	if (!err)
		err = approval_key(&one->terms, one->key);
	if (err) {
		free(p);
		free(one);
		return err;
	}
	*p = (struct proposing){ m, call, one->row.id };
	struct msg_append *e = logbook_entry(ENTRY_STANDING_PROPOSED, "ok", requests_actor(c, call), one->terms.review);
	if (e) {
		logbook_ref_sha256(e, "key", one->key);
		logbook_ref(e, "profile", one->terms.profile);
		logbook_ref(e, "product", one->terms.product);
		logbook_ref_number(e, "max_devices", one->terms.max_devices);
		logbook_ref_number(e, "max_releases", one->terms.bounds.max_releases);
		logbook_say(e, "%s", one->row.reason);
	}
	err = mandates_add(m, one);
	if (!err)
		err = e ? logbook_append(c->logbook, e, on_proposed, p) : FG_ENOMEM;
	free(e);
	if (err)
		free(p);
	return err;
}

static const char *
fill(struct mandates *m, struct call *call, struct mandate *one, int *ret_err)
{
	struct control *c = m->c;
	struct approval_terms *t = &one->terms;
	uint64_t days = call_number(call, "days", 0);
	t->decision = APPROVAL_STANDING;
	snprintf(t->gateway, sizeof t->gateway, "%s", people_genesis(c->people)->origin);
	(void)call_text(call, "profile", t->profile, sizeof t->profile);
	(void)call_text(call, "product", t->product, sizeof t->product);
	(void)call_text(call, "reason", one->row.reason, sizeof one->row.reason);
	snprintf(one->row.who, sizeof one->row.who, "%s", requests_actor(c, call));
	one->row.at = t->not_before = control_now(c);
	if (days == 0 || days > APPROVAL_DAYS_MAX)
		return "days is 1 to 30";
	t->not_after = t->not_before + (int64_t)days * DAY;
	const char *bad = read_bounds(call, t);
	if (bad)
		return bad;
	*ret_err = read_policy(m, t->profile, t);
	if (*ret_err == FG_ENOTFOUND)
		return "there is no such profile";
	snprintf(t->review, sizeof t->review, "S-0");
	return *ret_err ? NULL : approval_standing_bad(t);
}

void
mandates_propose(struct mandates *m, struct call *call)
{
	struct mandate *one = calloc(1, sizeof *one);
	size_t open = 0;
	int err = FG_OK;
	for (size_t i = 0; i < m->n; i++)
		open += !mandates_is_over(m, m->one[i]);
	const char *bad = !one ? NULL : open >= MANDATES_MAX ? "there are too many that have not ended: revoke some" :
	    fill(m, call, one, &err);
	if (!one)
		err = FG_ENOMEM;
	if (bad || err) {
		free(one);
		if (bad)
			call_fail(call, CALL_USAGE, "USAGE", "see fotagate(1)", "%s", bad);
		else
			call_fail_err(call, err);
		return;
	}
	err = propose(m, call, one);
	if (err == FG_EAGAIN)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(m->c->logbook));
	else if (err)
		call_fail_err(call, err);
}

/* ---- standing.statement ---- */

struct writing {
	struct mandates *m;
	struct call *call;
};

static bool
is_open(const struct mandates *m, struct call *call, const struct mandate *one)
{
	if (!mandates_is_over(m, one))
		return true;
	call_fail(call, CALL_REFUSED, "STATE", "propose another", "%s is %s", one->terms.review, state_of(m, one));
	return false;
}

static void
write_statement(struct call *call, const struct mandate *one, struct approval *a)
{
	struct writer text;
	uint8_t digest[DIGEST_SHA256_LEN];
	char why[200] = "", name[SIGNERS_PRINCIPAL_MAX + 64];
	struct call_doc d;
	writer_init(&text, APPROVAL_BYTES_MAX);
	a->terms = one->terms;
	int err = approval_encode(a, &text, why, sizeof why);
	if (!err)
		err = digest_sha256(writer_view(&text), digest);
	snprintf(name, sizeof name, "%s.%s.json", one->terms.review, a->approver);
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	if (err == FG_EINVAL) {
		call_fail(call, CALL_USAGE, "USAGE", "", "%s", why);
	} else if (err) {
		call_fail_err(call, err);
	} else {
		call_doc_begin(&d);
		jsonw_kcstr(&d.j, "approver", a->approver);
		jsonw_kcstr(&d.j, "name", name);
		jsonw_khex(&d.j, "sha256", digest, sizeof digest);
		jsonw_kstring(&d.j, "statement", writer_view(&text));
		call_doc_end(call, &d, CALL_DONE);
	}
	writer_free(&text);
}

static void
on_head(void *ctx, int err, const struct msg_head *head)
{
	struct writing *w = ctx;
	struct mandates *m = w->m;
	struct mandate *one;
	struct approval *a = calloc(1, sizeof *a);
	(void)head;
	if (err)
		call_fail(w->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not answer");
	else if (!a)
		call_fail_err(w->call, FG_ENOMEM);
	else if ((one = mandates_of_call(m, w->call)) && is_open(m, w->call, one) && reviews_personal(m->c, w->call, a, NULL, 0))
		write_statement(w->call, one, a);
	free(a);
	free(w);
}

void
mandates_statement(struct mandates *m, struct call *call)
{
	struct mandate *one = mandates_of_call(m, call);
	struct writing *w = one && is_open(m, call, one) ? calloc(1, sizeof *w) : NULL;
	if (!one || mandates_is_over(m, one))
		return;
	if (!w) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*w = (struct writing){ m, call };
	if (logbook_ask_head(m->c->logbook, on_head, w) == FG_OK)
		return;
	free(w);
	call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log is away");
}

/* ---- standing.submit ---- */

struct submission {
	struct mandates *m;
	struct call *call;
	struct approval *a;
	struct writer statement, signature;
	uint8_t sha256[DIGEST_SHA256_LEN];
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
	struct control *c = s->m->c;
	struct msg_append *e = logbook_entry(ENTRY_AUTHZ_DENIED, "denied", call_who(s->call)->user, "standing");
	logbook_say(e, "a statement does not count: %s", why);
	logbook_tell(c->logbook, e);
	call_fail(s->call, CALL_REFUSED, "REFUSED", "write and sign a new statement", "%s", why);
	submission_free(s);
}

/* A person's later statement takes the place of the earlier one. */
static int
keep(struct submission *s, struct mandate *one)
{
	struct control *c = s->m->c;
	struct db_mandate *row = &one->row;
	struct approval *a = calloc(1, sizeof *a);
	uint32_t i = 0;
	for (; a && i < row->statements_n; i++) {
		struct writer w;
		char why[120];
		writer_init(&w, APPROVAL_BYTES_MAX);
		bool same = files_doc_get(c->files, FILES_STATEMENT, row->statement[i], &w) == FG_OK &&
		    approval_parse(writer_view(&w), a, why, sizeof why) == FG_OK && strcmp(a->approver, s->a->approver) == 0;
		writer_free(&w);
		if (same)
			break;
	}
	bool ok = a && i < DB_MANDATE_STATEMENTS_MAX;
	free(a);
	if (!ok)
		return FG_ELIMIT;
	memcpy(row->statement[i], s->sha256, sizeof s->sha256);
	if (i == row->statements_n)
		row->statements_n++;
	return mandates_save(s->m, one);
}

static void
tell_effective(struct mandates *m, const struct mandate *one, uint32_t have)
{
	struct msg_append *e = logbook_entry(ENTRY_STANDING_EFFECTIVE, "ok", "control", one->terms.review);
	logbook_ref_sha256(e, "key", one->key);
	logbook_ref_number(e, "counted", have);
	logbook_tell(m->c->logbook, e);
}

static void
counted(struct submission *s, struct mandate *one)
{
	struct mandates *m = s->m;
	struct reviews_valid *v = calloc(1, sizeof *v);
	struct call_doc d;
	int err = v ? mandates_valid(m, one, v) : FG_ENOMEM;
	bool enough = !err && v->n >= v->need;
	if (enough && one->row.state == DB_MANDATE_PROPOSED) {
		one->row.state = DB_MANDATE_EFFECTIVE;
		err = mandates_save(m, one);
		tell_effective(m, one, v->n);
	}
	if (err) {
		call_fail_err(s->call, err);
	} else {
		call_doc_begin(&d);
		jsonw_kuint(&d.j, "have", v->n);
		jsonw_kuint(&d.j, "need", v->need);
		jsonw_kcstr(&d.j, "standing", one->terms.review);
		jsonw_kcstr(&d.j, "state", state_of(m, one));
		jsonw_kcstr(&d.j, "text", enough ? "it stands: what it covers is released by the gate itself" :
		    "the signature counts; more are needed");
		call_doc_end(s->call, &d, CALL_DONE);
	}
	free(v);
	if (enough)
		mandates_look(m);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct submission *s = ctx;
	struct mandate *one = mandates_find(s->m, s->a->terms.review);
	(void)index;
	if (err || !one)
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "hand it in again", "the audit log did not take it");
	else if (is_open(s->m, s->call, one)) {
		err = keep(s, one);
		if (err)
			call_fail_err(s->call, err);
		else
			counted(s, one);
	}
	submission_free(s);
}

static int
log_it(struct submission *s)
{
	struct control *c = s->m->c;
	uint8_t signature[DIGEST_SHA256_LEN];
	struct msg_append *e = logbook_entry(ENTRY_STANDING_SIGNED, "ok", s->a->approver, s->a->terms.review);
	int err = e ? files_doc_put(c->files, FILES_STATEMENT, s->sha256, writer_view(&s->statement)) : FG_ENOMEM;
	if (!err)
		err = files_doc_put(c->files, FILES_STATEMENT_SIG, s->sha256, writer_view(&s->signature));
	if (!err)
		err = digest_sha256(writer_view(&s->signature), signature);
	if (!err) {
		logbook_ref_sha256(e, "statement", s->sha256);
		logbook_ref_sha256(e, "signature", signature);
		logbook_ref(e, "handed_in_by", call_who(s->call)->user);
		keymarks_ref(c, e, writer_view(&s->signature));
		logbook_say(e, "%s", s->a->reason);
		err = logbook_append(c->logbook, e, on_logged, s);
	}
	free(e);
	return err;
}

static void
on_root(void *ctx, int err, const uint8_t *root)
{
	struct submission *s = ctx;
	if (!err && memcmp(root, s->a->log_root, DIGEST_SHA256_LEN) != 0)
		err = FG_EPERM;
	if (err && err != FG_EAGAIN) {
		refuse(s, "the log state it names is not in our log");
		return;
	}
	if (!err)
		err = log_it(s);
	if (!err)
		return;
	if (err == FG_EAGAIN)
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(s->m->c->logbook));
	else
		call_fail_err(s->call, err);
	submission_free(s);
}

/* NULL, or why it does not count. */
static const char *
judge(const struct submission *s, char *why, size_t cap)
{
	struct control *c = s->m->c;
	const struct mandate *one = s->a->terms.decision == APPROVAL_STANDING ? mandates_find(s->m, s->a->terms.review) : NULL;
	uint64_t newer = 0;
	int64_t now = control_now(c);
	char meant[32];
	if (!one)
		return "it is about no standing statement of this gateway";
	if (call_text(s->call, "standing", meant, sizeof meant) && meant[0] && strcmp(meant, one->terms.review) != 0)
		return "it is about another standing statement than the one it was handed in for";
	if (mandates_is_over(s->m, one))
		return "the standing statement has ended";
	const char *differs = approval_terms_differ(&s->a->terms, &one->terms);
	if (differs) {
		snprintf(why, cap, "it is about something else: %s differs", differs);
		return why;
	}
	if (db_restriction_latest(c->db, one->key, &newer))
		return "the facts it is about could not be read";
	if (one->row.opened > newer)
		newer = one->row.opened;
	if (approval_check_time(s->a, now, newer, why, cap))
		return why;
	/* Used it is for longer; handed in it has to be like any other. */
	if (now - s->a->time > APPROVAL_SUBMIT_WINDOW)
		return "statement was written more than 72 hours ago: write and sign a new one";
	return reviews_bad_signature(c, s->a, writer_view(&s->statement), writer_view(&s->signature), NULL, 0);
}

void
mandates_submit(struct mandates *m, struct call *call)
{
	char why[400] = "";
	struct submission *s = calloc(1, sizeof *s);
	struct approval *a = calloc(1, sizeof *a);
	if (!s || !a) {
		free(s);
		free(a);
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*s = (struct submission){ .m = m, .call = call, .a = a };
	if (reviews_read_signed(call, &s->statement, &s->signature)) {
		free(a);
		free(s);
		return;
	}
	int err = approval_parse(writer_view(&s->statement), a, why, sizeof why);
	if (!err)
		err = digest_sha256(writer_view(&s->statement), s->sha256);
	const char *no = err == FG_EFORMAT ? why : err ? NULL : judge(s, why, sizeof why);
	if (no) {
		refuse(s, no);
	} else if (err) {
		call_fail_err(call, err);
		submission_free(s);
	} else if (!control_permits(m->c)) {
		requests_not_now(m->c, call);
		submission_free(s);
	} else if (logbook_ask_root(m->c->logbook, a->log_size, on_root, s) != FG_OK) {
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(m->c->logbook));
		submission_free(s);
	}
}

/* ---- standing.revoke ---- */

void
mandates_revoke(struct mandates *m, struct call *call)
{
	struct control *c = m->c;
	struct mandate *one = mandates_of_call(m, call);
	char reason[DB_TEXT_MAX];
	if (!one)
		return;
	(void)call_text(call, "reason", reason, sizeof reason);
	/* The warden first, by the key: no statement over it that is as old as now has effect any more. */
	releases_restrict(c->releases, MSG_RESTRICT_REVOKE, one->key, NULL, requests_actor(c, call), reason,
	    logbook_size(c->logbook));
	one->row.state = DB_MANDATE_REVOKED;
	if (mandates_save(m, one))
		oplog(OPLOG_ERR, "a standing statement is revoked, but that could not be written down: %s", db_why(c->db));
	struct msg_append *e = logbook_entry(ENTRY_STANDING_REVOKED, "ok", requests_actor(c, call), one->terms.review);
	logbook_ref_sha256(e, "key", one->key);
	logbook_say(e, "%s", reason);
	logbook_tell(c->logbook, e);
	answer(m, call, one);
}
