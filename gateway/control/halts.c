/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/halts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/keymarks.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/signed.h"

/* "<name> <digest> <digest> ...": the statements handed in against the halt or the hold of the clock of that name. */
#define META_RESUME "resume"
#define NOT_HALTED "the gateway is not halted, and its clock is not held"

struct halts {
	struct control *c;
	bool halted;
	struct msg_halt now;
	int64_t against; /* what statements end now: the clock's hold, else the halt; 0: nothing */
	struct signed_list by;
	uint64_t token;
	struct call *waiting; /* for the warden */
	bool asked;
	bool asked_clock; /* about the clock */
};

struct halts *
halts_new(struct control *c)
{
	struct halts *h = calloc(1, sizeof *h);
	if (h)
		h->c = c;
	return h;
}

void
halts_free(struct halts *h)
{
	free(h);
}

const struct msg_halt *
halts_now(const struct halts *h)
{
	return h->halted ? &h->now : NULL;
}

/* ---- what was signed against this halt ---- */

static void
save(struct halts *h)
{
	char text[DB_META_VALUE_MAX];
	int n = snprintf(text, sizeof text, "%lld", (long long)h->against);
	for (unsigned i = 0; i < h->by.n; i++) {
		char hex[2 * DIGEST_SHA256_LEN + 1];
		hex_encode(h->by.statement[i], DIGEST_SHA256_LEN, hex);
		n += snprintf(text + n, sizeof text - (size_t)n, " %s", hex);
	}
	if (db_meta_set(h->c->db, META_RESUME, text))
		oplog(OPLOG_WARNING, "a resume statement could not be written down: %s", db_why(h->c->db));
}

/* Takes a kept statement in again, if it is of this halt. */
static void
recall(struct halts *h, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	struct approval *a = calloc(1, sizeof *a);
	if (a && signed_read(h->c, sha256, a) == FG_OK && a->terms.decision == APPROVAL_RESUME && a->terms.halted_at == h->against)
		(void)signed_put(&h->by, HALTS_STATEMENTS_MAX, a->approver, sha256);
	free(a);
}

static void
load(struct halts *h)
{
	char text[DB_META_VALUE_MAX];
	uint8_t sha256[DIGEST_SHA256_LEN];
	h->by.n = 0;
	if (db_meta_get(h->c->db, META_RESUME, text, sizeof text))
		return;
	for (const char *p = strchr(text, ' '); p && strlen(p + 1) >= 2 * DIGEST_SHA256_LEN; p = strchr(p + 1, ' '))
		if (hex_decode(view_of(p + 1, 2 * DIGEST_SHA256_LEN), sha256, sizeof sha256))
			recall(h, sha256);
}

/* A held clock comes first: the warden ends no halt by it. */
void
halts_look(struct halts *h)
{
	int64_t hold = h ? timekeep_hold(h->c) : 0;
	int64_t now = hold ? hold : h && h->halted ? h->now.at : 0;
	if (!h || now == h->against)
		return;
	h->against = now;
	h->by.n = 0;
	if (now)
		load(h);
}

void
halts_begin(struct halts *h, const struct msg_halt *m)
{
	h->halted = true;
	h->now = *m;
	control_gate(h->c);
	glass_halted(h->c->glass, m);
	halts_look(h);
}

void
halts_end(struct halts *h)
{
	h->halted = false;
	halts_look(h);
}

static bool
is_clock(const struct halts *h)
{
	return h->against && h->against == timekeep_hold(h->c);
}

/* ---- resume.statement ---- */

struct writing {
	struct halts *h;
	struct call *call;
};

static void
terms_of(const struct halts *h, struct approval_terms *t)
{
	*t = (struct approval_terms){ .decision = APPROVAL_RESUME, .halted_at = h->against };
	snprintf(t->gateway, sizeof t->gateway, "%s", people_genesis(h->c->people)->origin);
}

static void
answer_statement(struct call *call, const struct approval *a, struct view text)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char name[SIGNERS_PRINCIPAL_MAX + 32];
	struct call_doc d;
	if (digest_sha256(text, digest)) {
		call_fail_err(call, FG_ECRYPTO);
		return;
	}
	snprintf(name, sizeof name, "resume.%s.json", a->approver);
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "approver", a->approver);
	jsonw_kcstr(&d.j, "name", name);
	jsonw_khex(&d.j, "sha256", digest, sizeof digest);
	jsonw_kstring(&d.j, "statement", text);
	call_doc_end(call, &d, CALL_DONE);
}

static void
on_head(void *ctx, int err, const struct msg_head *head)
{
	struct writing *w = ctx;
	struct halts *h = w->h;
	struct approval *a = calloc(1, sizeof *a);
	struct writer text;
	char why[200] = "";
	(void)head;
	writer_init(&text, APPROVAL_BYTES_MAX);
	if (err) {
		call_fail(w->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not answer");
	} else if (!a) {
		call_fail_err(w->call, FG_ENOMEM);
	} else if (!control_counts(h->c)) {
		requests_not_now(h->c, w->call);
	} else if (!h->against) {
		call_fail(w->call, CALL_REFUSED, "STATE", "", NOT_HALTED);
	} else if (reviews_personal(h->c, w->call, a, NULL, 0)) {
		terms_of(h, &a->terms);
		err = approval_encode(a, &text, why, sizeof why);
		if (err == FG_EINVAL)
			call_fail(w->call, CALL_USAGE, "USAGE", "", "%s", why);
		else if (err)
			call_fail_err(w->call, err);
		else
			answer_statement(w->call, a, writer_view(&text));
	}
	writer_free(&text);
	free(a);
	free(w);
}

void
halts_statement(struct halts *h, struct call *call)
{
	struct writing *w = calloc(1, sizeof *w);
	if (w)
		*w = (struct writing){ h, call };
	if (!w)
		call_fail_err(call, FG_ENOMEM);
	else if (!h->against)
		call_fail(call, CALL_REFUSED, "STATE", "", NOT_HALTED);
	else if (logbook_ask_head(h->c->logbook, on_head, w) == FG_OK)
		return;
	else
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log is away");
	free(w);
}

/* ---- resume.submit ---- */

static bool
any(void *ctx, const struct approval *a)
{
	(void)ctx;
	(void)a;
	return true; /* what it is about was looked at when it came, and stands as long as the halt does */
}

static uint32_t
need(const struct halts *h)
{
	return people_genesis(h->c->people)->floor_production;
}

static void
answer(struct halts *h, struct call *call, const char *state, const char *text)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "have", h->by.n);
	jsonw_kuint(&d.j, "need", need(h));
	jsonw_kcstr(&d.j, "state", state);
	jsonw_kcstr(&d.j, "text", text);
	call_doc_end(call, &d, CALL_DONE);
}

static void
ask_warden(struct halts *h, struct call *call)
{
	struct control *c = h->c;
	struct msg_resume m = { .token = ++h->token, .halted_at = h->against, .now = control_now(c) };
	int fd = reviews_bundle(c, h->by.statement, h->by.n);
	int err = fd < 0 ? fd : chan_send(c->warden, MSG_RESUME, &m, &fd, 1);
	if (fd >= 0)
		close(fd);
	if (err) {
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "hand the last one in again",
		    "the signature is kept, but the warden is away");
		return;
	}
	h->asked = true;
	h->asked_clock = is_clock(h);
	h->waiting = call;
}

void
halts_on_resumed(struct halts *h, const struct msg_resumed *m)
{
	char why[MSG_TEXT_MAX];
	struct call *call = h->waiting;
	if (!h->asked || m->token != h->token)
		return;
	h->asked = false;
	h->waiting = NULL;
	visible_cstr(view_str(m->why), why, sizeof why);
	if (!call)
		return;
	if (m->ok)
		answer(h, call, "resumed",
		    h->asked_clock ? "the warden takes the clock as it stands" : "the warden has ended the halt");
	else
		call_fail(call, CALL_REFUSED, "REFUSED", "", "the warden refuses: %s", why);
}

void
halts_warden_down(struct halts *h)
{
	struct call *call = h->waiting;
	h->asked = false;
	h->waiting = NULL;
	if (call)
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "hand the last one in again", "the warden went away");
}

struct submission {
	struct halts *h;
	struct call *call;
	struct approval *a;
	uint8_t sha256[DIGEST_SHA256_LEN];
};

static void
keep(struct halts *h, const struct submission *s)
{
	if (signed_put(&h->by, HALTS_STATEMENTS_MAX, s->a->approver, s->sha256))
		save(h);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct submission *s = ctx;
	struct halts *h = s->h;
	(void)index;
	if (err) {
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "hand it in again", "the audit log did not take it");
	} else if (!control_counts(h->c)) {
		requests_not_now(h->c, s->call);
	} else if (!h->against || s->a->terms.halted_at != h->against) {
		call_fail(s->call, CALL_REFUSED, "STATE", "",
		    "it is about another halt or step of the clock than the one in force");
	} else {
		(void)signed_count(h->c, &h->by, any, NULL);
		keep(h, s);
		if (h->by.n < need(h))
			answer(h, s->call, is_clock(h) ? "held" : "halted", "the signature counts; more are needed");
		else if (h->asked)
			answer(h, s->call, is_clock(h) ? "held" : "halted", "the warden is at work on it");
		else
			ask_warden(h, s->call);
	}
	free(s->a);
	free(s);
}

/* NULL, or why it does not count. */
static const char *
judge(struct halts *h, const struct approval *a, struct view statement, struct view signature, char *why, size_t cap)
{
	struct approval_terms own;
	if (!h->against)
		return NOT_HALTED;
	terms_of(h, &own);
	const char *differs = approval_terms_differ(&a->terms, &own);
	if (differs) {
		snprintf(why, cap, "it is about something else: %s differs", differs);
		return why;
	}
	if (approval_check_time(a, control_now(h->c), 0, why, cap))
		return why;
	return reviews_bad_signature(h->c, a, statement, signature, NULL, 0);
}

static int
store_and_log(struct halts *h, struct submission *s, struct view statement, struct view signature)
{
	struct control *c = h->c;
	struct msg_append *e = logbook_entry(ENTRY_APPROVAL_SIGNED, "ok", s->a->approver, is_clock(h) ? "clock" : "halt");
	int err = files_doc_put(c->files, FILES_STATEMENT, s->sha256, statement);
	if (!err)
		err = files_doc_put(c->files, FILES_STATEMENT_SIG, s->sha256, signature);
	if (!err && !e)
		err = FG_ENOMEM;
	if (!err) {
		logbook_ref_sha256(e, "statement", s->sha256);
		keymarks_ref(c, e, signature);
		logbook_say(e, "%s", s->a->reason);
		err = logbook_append(c->logbook, e, on_logged, s);
	}
	free(e);
	return err;
}

void
halts_submit(struct halts *h, struct call *call)
{
	struct writer statement, signature;
	char why[400] = "";
	struct submission *s = calloc(1, sizeof *s);
	struct approval *a = calloc(1, sizeof *a);
	if (!s || !a) {
		free(s);
		free(a);
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*s = (struct submission){ .h = h, .call = call, .a = a };
	if (!control_counts(h->c)) {
		requests_not_now(h->c, call);
		free(a);
		free(s);
		return;
	}
	if (reviews_read_signed(call, &statement, &signature)) {
		free(a);
		free(s);
		return;
	}
	const char *no = NULL;
	int err = approval_parse(writer_view(&statement), a, why, sizeof why);
	if (err == FG_EFORMAT)
		no = why;
	if (!err)
		err = digest_sha256(writer_view(&statement), s->sha256);
	if (!err)
		no = judge(h, a, writer_view(&statement), writer_view(&signature), why, sizeof why);
	if (!err && !no)
		err = store_and_log(h, s, writer_view(&statement), writer_view(&signature));
	writer_free(&statement);
	writer_free(&signature);
	if (!err && !no)
		return;
	if (no)
		call_fail(call, CALL_REFUSED, "REFUSED", "write and sign a new statement", "%s", no);
	else if (err == FG_EAGAIN)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
		    "the audit log is %s", logbook_state(h->c->logbook));
	else
		call_fail_err(call, err);
	free(a);
	free(s);
}
