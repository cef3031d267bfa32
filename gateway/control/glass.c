/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/glass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/approval_glass.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/signed.h"

#define HALTED "a halt is a veto of what one person lets through alone"

struct glass {
	struct control *c;
	struct msg_glass owed; /* as the warden last said */
	bool told;
	/* Signatures for the after-review of that release, all of that outcome. */
	uint8_t of[RELEASE_ID];
	enum approval_outcome outcome;
	struct signed_list by;
	uint64_t token;
	bool asked; /* the warden is */
	struct call *waiting;
};

struct glass *
glass_new(struct control *c)
{
	struct glass *g = calloc(1, sizeof *g);
	if (g)
		g->c = c;
	return g;
}

void
glass_free(struct glass *g)
{
	free(g);
}

/* ---- what was signed so far ---- */

static bool
is_of_owed(const struct glass *g)
{
	return g->owed.owed && !memcmp(g->of, g->owed.release, sizeof g->of);
}

static bool
counts(void *ctx, const struct approval *a)
{
	const struct glass *g = ctx;
	char why[160];
	return a->terms.decision == APPROVAL_AFTERREVIEW && a->terms.outcome == g->outcome &&
	    !memcmp(a->terms.release, g->of, sizeof g->of) && !approval_check_time(a, control_now(g->c), 0, why, sizeof why);
}

/* Keeps what still counts: between two signatures a key may have been replaced or suspended. */
static void
recount(struct glass *g)
{
	if (!g->told)
		return; /* what the log had may be of what is owed */
	if (!is_of_owed(g))
		g->by.n = 0;
	if (g->by.n)
		(void)signed_count(g->c, &g->by, counts, g);
}

/* A person's later statement takes the place of the earlier one; whoever is alone may change their mind. */
static void
keep(struct glass *g, const uint8_t release[RELEASE_ID], enum approval_outcome outcome, const char *approver,
    const uint8_t statement[DIGEST_SHA256_LEN])
{
	if (g->outcome != outcome || memcmp(g->of, release, sizeof g->of) != 0)
		g->by.n = 0;
	g->outcome = outcome;
	memcpy(g->of, release, sizeof g->of);
	(void)signed_put(&g->by, GLASS_PERSONS_MAX, approver, statement);
}

void
glass_replay(struct glass *g, const struct entry *e)
{
	static const char prefix[] = "release:";
	const size_t n = sizeof prefix - 1;
	const struct entry_ref *word = entry_ref_get(e, "outcome"), *ref = entry_ref_get(e, "statement");
	enum approval_outcome outcome = word && !word->is_number ? approval_outcome_parse(word->text) : APPROVAL_OUTCOME_NONE;
	uint8_t release[RELEASE_ID], statement[DIGEST_SHA256_LEN];
	char who[SIGNERS_PRINCIPAL_MAX];
	if (e->ev != ENTRY_APPROVAL_SIGNED || outcome == APPROVAL_OUTCOME_NONE || !ref || !entry_sha256(ref->text, statement) ||
	    e->obj.n != n + (size_t)2 * RELEASE_ID || memcmp(e->obj.p, prefix, n) != 0 ||
	    !hex_decode(view_of(e->obj.p + n, (size_t)2 * RELEASE_ID), release, sizeof release) || e->act.n >= sizeof who)
		return;
	visible_cstr(e->act, who, sizeof who);
	keep(g, release, outcome, who, statement);
}

static const struct genesis_glass *
allowed(const struct glass *g)
{
	return &people_genesis(g->c->people)->glass;
}

const char *
glass_refuses(const struct glass *g)
{
	if (!allowed(g)->delay)
		return "the genesis of this gateway has no break-glass, and that is for good";
	if (g->c->halts && halts_now(g->c->halts))
		return "the gateway is halted, and a halt stops every break-glass";
	if (!g->told)
		return "the warden has not said yet whether an after-review is owed";
	return g->owed.owed ? "the last break-glass has had no after-review yet" : NULL;
}

void
glass_alerts(const struct glass *g, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	char id[2 * MSG_ID + 1], text[256];
	if (!g->owed.owed)
		return;
	hex_encode(g->owed.release, MSG_ID, id);
	snprintf(text, sizeof text, "one person alone released %s: %u have to look at it, %u did (fotagate breakglass "
	    "statement), before that nobody can do so again", id, g->owed.need, is_of_owed(g) ? g->by.n : 0);
	say(j, "AFTER-REVIEW", text);
}

/* ---- what stops it ---- */

void
glass_halted(struct glass *g, const struct msg_halt *m)
{
	char by[24];
	size_t n;
	const struct tables_release *list = releases_all(g->c->releases, &n);
	snprintf(by, sizeof by, "uid:%u", m->by_uid);
	while (n-- > 0) { /* the last takes the place of one that is dropped */
		uint8_t id[RELEASE_ID];
		if (!list[n].record->glass)
			continue;
		memcpy(id, list[n].id, sizeof id);
		/* It says nothing of the image: people may sign for it anew. */
		releases_retire(g->c->releases, id, by, HALTED, NULL);
	}
}

/* ---- breakglass.show ---- */

void
glass_show(struct glass *g, struct call *call)
{
	struct call_doc d;
	recount(g);
	call_doc_begin(&d);
	jsonw_kbool(&d.j, "allowed", allowed(g)->delay != 0);
	jsonw_kuint(&d.j, "delay", allowed(g)->delay);
	jsonw_kuint(&d.j, "max_devices", allowed(g)->max_devices);
	jsonw_key(&d.j, "owed");
	if (g->owed.owed) {
		jsonw_object(&d.j);
		jsonw_kuint(&d.j, "have", g->by.n);
		jsonw_khex(&d.j, "image", g->owed.image, sizeof g->owed.image);
		jsonw_kuint(&d.j, "need", g->owed.need);
		jsonw_khex(&d.j, "release", g->owed.release, sizeof g->owed.release);
		jsonw_object_end(&d.j);
	} else {
		jsonw_null(&d.j);
	}
	const char *why = glass_refuses(g);
	jsonw_kcstr(&d.j, "why_not", why ? why : "");
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- breakglass.statement ---- */

struct writing {
	struct glass *g;
	struct call *call;
};

static bool
is_owed(const struct glass *g, struct call *call)
{
	if (g->owed.owed)
		return true;
	call_fail(call, CALL_REFUSED, "STATE", "see fotagate breakglass show", "no after-review is owed");
	return false;
}

static void
answer_statement(const struct glass *g, struct call *call, const struct approval *a, struct view text)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char name[SIGNERS_PRINCIPAL_MAX + 64], id[2 * MSG_ID + 1];
	struct call_doc d;
	if (digest_sha256(text, digest)) {
		call_fail_err(call, FG_ECRYPTO);
		return;
	}
	hex_encode(a->terms.release, MSG_ID, id);
	snprintf(name, sizeof name, "afterreview-%.8s.%s.json", id, a->approver);
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "approver", a->approver);
	jsonw_kuint(&d.j, "have", g->by.n);
	jsonw_kcstr(&d.j, "name", name);
	jsonw_kuint(&d.j, "need", g->owed.need);
	jsonw_khex(&d.j, "sha256", digest, sizeof digest);
	jsonw_kstring(&d.j, "statement", text);
	call_doc_end(call, &d, CALL_DONE);
}

static void
fill(const struct glass *g, enum approval_outcome outcome, struct approval_terms *t)
{
	t->decision = APPROVAL_AFTERREVIEW;
	t->outcome = outcome;
	memcpy(t->release, g->owed.release, sizeof t->release);
	snprintf(t->gateway, sizeof t->gateway, "%s", people_genesis(g->c->people)->origin);
}

static void
write_it(struct writing *w, struct approval *a)
{
	struct writer text;
	char why[200] = "", outcome[16] = "";
	(void)call_text(w->call, "outcome", outcome, sizeof outcome);
	recount(w->g);
	fill(w->g, approval_outcome_parse(view_str(outcome)), &a->terms);
	if (!reviews_personal(w->g->c, w->call, a, NULL, 0))
		return;
	writer_init(&text, APPROVAL_BYTES_MAX);
	int err = approval_encode(a, &text, why, sizeof why);
	if (err == FG_EINVAL)
		call_fail(w->call, CALL_USAGE, "USAGE", "", "%s", why);
	else if (err)
		call_fail_err(w->call, err);
	else
		answer_statement(w->g, w->call, a, writer_view(&text));
	writer_free(&text);
}

static void
on_head(void *ctx, int err, const struct msg_head *head)
{
	struct writing *w = ctx;
	struct approval *a = calloc(1, sizeof *a);
	(void)head;
	if (err)
		call_fail(w->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not answer");
	else if (!a)
		call_fail_err(w->call, FG_ENOMEM);
	else if (!control_permits(w->g->c))
		requests_not_now(w->g->c, w->call);
	else if (is_owed(w->g, w->call))
		write_it(w, a);
	free(a);
	free(w);
}

void
glass_statement(struct glass *g, struct call *call)
{
	struct writing *w = is_owed(g, call) ? calloc(1, sizeof *w) : NULL;
	if (!g->owed.owed)
		return;
	if (!w) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*w = (struct writing){ g, call };
	if (logbook_ask_head(g->c->logbook, on_head, w) == FG_OK)
		return;
	free(w);
	call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log is away");
}

/* ---- the warden ---- */

static void
answer(const struct glass *g, struct call *call, unsigned have, uint32_t need, const char *state, const char *text)
{
	struct call_doc d;
	(void)g;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "have", have);
	jsonw_kuint(&d.j, "need", need);
	jsonw_kcstr(&d.j, "state", state);
	jsonw_kcstr(&d.j, "text", text);
	call_doc_end(call, &d, CALL_DONE);
}

static void
ask_warden(struct glass *g, struct call *call)
{
	struct msg_afterreview m = { .token = g->token + 1, .outcome = (uint8_t)g->outcome };
	int fd = g->c->warden ? reviews_bundle(g->c, g->by.statement, g->by.n) : FG_EAGAIN;
	int err = fd < 0 ? fd : FG_OK;
	memcpy(m.release, g->owed.release, sizeof m.release);
	if (!err)
		err = chan_send(g->c->warden, MSG_AFTERREVIEW, &m, &fd, 1);
	if (fd >= 0)
		close(fd);
	if (err) {
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "hand the last one in again",
		    "the signature is kept, but the warden is away");
		return;
	}
	g->token++;
	g->asked = true;
	g->waiting = call;
}

void
glass_on_told(struct glass *g, const struct msg_glass *m)
{
	struct call *call = g->waiting;
	bool ours = g->asked && m->token == g->token;
	unsigned have = g->by.n;
	uint32_t need = g->owed.need;
	char why[MSG_TEXT_MAX];
	g->owed = *m;
	g->told = true;
	if (!is_of_owed(g) || (ours && !m->ok))
		g->by.n = 0; /* about another one, or refused: no start for others either */
	if (!ours)
		return;
	g->asked = false;
	g->waiting = NULL;
	visible_cstr(view_str(m->why), why, sizeof why);
	if (call && m->ok)
		answer(g, call, have, need, "reviewed", "the warden has judged it: nothing is owed any more");
	else if (call)
		call_fail(call, CALL_REFUSED, "REFUSED", "write and sign a new statement", "the warden refuses: %s", why);
}

void
glass_warden_down(struct glass *g)
{
	struct call *call = g->waiting;
	g->told = g->asked = false; /* what it owed is still shown */
	g->waiting = NULL;
	if (call)
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "hand the last one in again", "the warden went away");
}

/* ---- breakglass.submit ---- */

struct submission {
	struct glass *g;
	struct call *call;
	struct approval *a;
	uint8_t sha256[DIGEST_SHA256_LEN];
};

static void
submission_free(struct submission *s)
{
	free(s->a);
	free(s);
}

/* NULL, or why it does not count. */
static const char *
about(const struct glass *g, const struct approval *a)
{
	if (a->terms.decision != APPROVAL_AFTERREVIEW)
		return "it is no after-review";
	if (!g->owed.owed || memcmp(a->terms.release, g->owed.release, sizeof g->owed.release) != 0)
		return "that after-review is not owed, or not any more";
	if (g->by.n && a->terms.outcome != g->outcome && (g->by.n > 1 || strcmp(g->by.approver[0], a->approver) != 0))
		return "somebody has signed another outcome: those who look at it have to agree";
	return NULL;
}

static const char *
judge(struct glass *g, const struct approval *a, struct view statement, struct view signature, char *why, size_t cap)
{
	recount(g);
	const char *no = about(g, a);
	if (no)
		return no;
	if (strcmp(a->terms.gateway, people_genesis(g->c->people)->origin) != 0)
		return "it is for another gateway";
	if (approval_check_time(a, control_now(g->c), 0, why, cap))
		return why;
	return reviews_bad_signature(g->c, a, statement, signature, NULL, 0);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct submission *s = ctx;
	struct glass *g = s->g;
	const char *no = NULL;
	(void)index;
	recount(g);
	if (err) {
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "hand it in again", "the audit log did not take it");
	} else if (!control_permits(g->c)) {
		requests_not_now(g->c, s->call);
	} else if ((no = about(g, s->a)) != NULL) {
		call_fail(s->call, CALL_REFUSED, "STATE", "write and sign a new statement", "%s", no);
	} else if (g->asked) {
		call_fail(s->call, CALL_COULD_NOT, "BUSY", "hand it in again in a moment", "the warden is at work on it");
	} else {
		keep(g, s->a->terms.release, s->a->terms.outcome, s->a->approver, s->sha256);
		if (g->by.n < g->owed.need)
			answer(g, s->call, g->by.n, g->owed.need, "waiting", "the signature counts; more are needed");
		else
			ask_warden(g, s->call);
	}
	submission_free(s);
}

static int
store_and_log(struct submission *s, struct view statement, struct view signature)
{
	struct control *c = s->g->c;
	char obj[2 * MSG_ID + 16] = "release:";
	hex_encode(s->a->terms.release, MSG_ID, obj + strlen(obj));
	struct msg_append *e = logbook_entry(ENTRY_APPROVAL_SIGNED, "ok", s->a->approver, obj);
	int err = files_doc_put(c->files, FILES_STATEMENT, s->sha256, statement);
	if (!err)
		err = files_doc_put(c->files, FILES_STATEMENT_SIG, s->sha256, signature);
	/* The same person's statement once more, as after a restart: with the signature that is there. */
	if (err == FG_EEXIST)
		err = FG_OK;
	if (!err && !e)
		err = FG_ENOMEM;
	if (!err) {
		logbook_ref_sha256(e, "statement", s->sha256);
		logbook_ref(e, "outcome", approval_outcome_name(s->a->terms.outcome));
		logbook_say(e, "%s", s->a->reason);
		err = logbook_append(c->logbook, e, on_logged, s);
	}
	free(e);
	return err;
}

static void
consider(struct submission *s, struct view statement, struct view signature)
{
	char why[MSG_TEXT_MAX] = "";
	const char *no = NULL;
	int err = approval_parse(statement, s->a, why, sizeof why);
	if (err == FG_EFORMAT)
		no = why;
	else if (!err)
		err = digest_sha256(statement, s->sha256);
	if (!err)
		no = judge(s->g, s->a, statement, signature, why, sizeof why);
	if (!err && !no)
		err = store_and_log(s, statement, signature);
	if (!err && !no)
		return;
	if (no)
		call_fail(s->call, CALL_REFUSED, "REFUSED", "write and sign a new statement", "%s", no);
	else if (err == FG_EAGAIN)
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(s->g->c->logbook));
	else
		call_fail_err(s->call, err);
	submission_free(s);
}

void
glass_submit(struct glass *g, struct call *call)
{
	struct writer statement, signature;
	struct submission *s = calloc(1, sizeof *s);
	struct approval *a = calloc(1, sizeof *a);
	if (!s || !a) {
		free(s);
		free(a);
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*s = (struct submission){ .g = g, .call = call, .a = a };
	if (!control_permits(g->c)) {
		requests_not_now(g->c, call);
		submission_free(s);
		return;
	}
	if (reviews_read_signed(call, &statement, &signature)) {
		submission_free(s);
		return;
	}
	consider(s, writer_view(&statement), writer_view(&signature));
	writer_free(&statement);
	writer_free(&signature);
}
