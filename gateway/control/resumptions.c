/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/resumptions.h"

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
#include "gateway/state/restriction.h"

struct gathered { /* signatures for one step of one rollout */
	bool used;
	uint64_t made;       /* the lowest is the oldest */
	struct approval_terms terms;
	struct signed_list by;
	char reason[APPROVAL_REASON_MAX + 1]; /* of whoever signed last */
};

struct resumptions {
	struct control *c;
	struct gathered list[RESUMPTIONS_MAX];
	uint64_t made;
	uint64_t token;
	struct gathered *asked; /* the warden is; NULL: about none */
	struct call *waiting;
};

struct resumptions *
resumptions_new(struct control *c)
{
	struct resumptions *r = calloc(1, sizeof *r);
	if (r)
		r->c = c;
	return r;
}

void
resumptions_free(struct resumptions *r)
{
	free(r);
}

/* ---- what was signed so far ---- */

/* The same but for what it goes on over, which whoever signs first says. */
static bool
is_about(const struct gathered *g, const struct approval_terms *t)
{
	return g->used && g->terms.step == t->step && g->terms.halted_at == t->halted_at &&
	    !memcmp(g->terms.release, t->release, sizeof t->release) && !strcmp(g->terms.ring, t->ring);
}

static struct gathered *
find(struct resumptions *r, const struct approval_terms *t)
{
	for (unsigned i = 0; i < RESUMPTIONS_MAX; i++)
		if (is_about(&r->list[i], t))
			return &r->list[i];
	return NULL;
}

static struct gathered *
make(struct resumptions *r, const struct approval_terms *t)
{
	struct gathered *g = find(r, t), *oldest = NULL;
	if (g)
		return g;
	for (unsigned i = 0; i < RESUMPTIONS_MAX; i++) {
		struct gathered *one = &r->list[i];
		if (one != r->asked && (!oldest || one->made < oldest->made))
			oldest = one;
	}
	*oldest = (struct gathered){ .used = true, .made = ++r->made, .terms = *t };
	return oldest;
}

/* What the statement of the next person must say; NULL, or why nobody can sign it (out). */
static const char *
terms_of(struct resumptions *r, const uint8_t release[MSG_ID], enum approval_step step, struct view ring,
    struct approval_terms *t, char out[MSG_TEXT_MAX])
{
	const char *no = rollouts_terms(r->c->rollouts, release, step, ring, t, out);
	const struct gathered *g = no ? NULL : find(r, t);
	if (g && g->by.n > 0)
		t->over = g->terms.over;
	return no;
}

static uint32_t
need(struct control *c, const struct approval_terms *t)
{
	const struct release *record = releases_record(c->releases, t->release);
	const struct genesis *g = people_genesis(c->people);
	if (!record)
		return g->floor_production;
	return genesis_floor(g, releases_modules_with(c->releases, record->terms.image, &record->terms.delta,
	    record->terms.max_devices, true));
}

/* ---- rollout.statement ---- */

struct writing {
	struct resumptions *r;
	struct call *call;
	uint8_t release[MSG_ID];
};

static void
answer_statement(struct resumptions *r, struct call *call, const struct approval *a, struct view text)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char name[SIGNERS_PRINCIPAL_MAX + 64], id[2 * MSG_ID + 1];
	const struct gathered *g = find(r, &a->terms);
	struct call_doc d;
	if (digest_sha256(text, digest)) {
		call_fail_err(call, FG_ECRYPTO);
		return;
	}
	hex_encode(a->terms.release, MSG_ID, id);
	snprintf(name, sizeof name, "rollout-%.8s-%s.%s.json", id, approval_step_name(a->terms.step), a->approver);
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "approver", a->approver);
	jsonw_kuint(&d.j, "have", g ? g->by.n : 0);
	jsonw_kcstr(&d.j, "name", name);
	jsonw_kuint(&d.j, "need", need(r->c, &a->terms));
	jsonw_khex(&d.j, "sha256", digest, sizeof digest);
	jsonw_kstring(&d.j, "statement", text);
	call_doc_end(call, &d, CALL_DONE);
}

static void
write_it(struct writing *w)
{
	struct control *c = w->r->c;
	struct approval *a = calloc(1, sizeof *a);
	struct writer text;
	char why[MSG_TEXT_MAX] = "", step[16] = "", ring[ROLLOUT_NAME_MAX + 1] = "";
	(void)call_text(w->call, "step", step, sizeof step);
	(void)call_text(w->call, "ring", ring, sizeof ring);
	writer_init(&text, APPROVAL_BYTES_MAX);
	const char *no = !a ? NULL :
	    terms_of(w->r, w->release, approval_step_parse(view_str(step)), view_str(ring), &a->terms, why);
	if (!a) {
		call_fail_err(w->call, FG_ENOMEM);
	} else if (no) {
		call_fail(w->call, CALL_REFUSED, "STATE", "see fotagate rollout show", "%s", no);
	} else if (reviews_personal(c, w->call, a, NULL, 0)) {
		int err = approval_encode(a, &text, why, sizeof why);
		if (err == FG_EINVAL)
			call_fail(w->call, CALL_USAGE, "USAGE", "", "%s", why);
		else if (err)
			call_fail_err(w->call, err);
		else
			answer_statement(w->r, w->call, a, writer_view(&text));
	}
	writer_free(&text);
	free(a);
}

static void
on_head(void *ctx, int err, const struct msg_head *head)
{
	struct writing *w = ctx;
	(void)head;
	if (err)
		call_fail(w->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not answer");
	else if (!control_permits(w->r->c))
		requests_not_now(w->r->c, w->call);
	else
		write_it(w);
	free(w);
}

void
resumptions_statement(struct resumptions *r, struct call *call, const uint8_t release[MSG_ID])
{
	struct writing *w = calloc(1, sizeof *w);
	if (!w) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*w = (struct writing){ .r = r, .call = call };
	memcpy(w->release, release, sizeof w->release);
	if (logbook_ask_head(r->c->logbook, on_head, w) == FG_OK)
		return;
	call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log is away");
	free(w);
}

/* ---- the warden ---- */

static void
answer(const struct gathered *g, struct control *c, struct call *call, const char *state, const char *text)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "have", g->by.n);
	jsonw_kuint(&d.j, "need", need(c, &g->terms));
	jsonw_kcstr(&d.j, "state", state);
	jsonw_kcstr(&d.j, "text", text);
	call_doc_end(call, &d, CALL_DONE);
}

static void
ask_warden(struct resumptions *r, struct gathered *g, struct call *call)
{
	struct control *c = r->c;
	const struct approval_terms *t = &g->terms;
	struct msg_continue *m = calloc(1, sizeof *m);
	int fd = m ? reviews_bundle(c, g->by.statement, g->by.n) : FG_ENOMEM;
	int err = fd < 0 ? fd : FG_OK;
	if (!err) {
		m->token = ++r->token;
		m->step = (uint8_t)t->step;
		m->since = t->halted_at;
		memcpy(m->release, t->release, sizeof m->release);
		snprintf(m->ring, sizeof m->ring, "%s", t->ring);
		for (; m->over_n < t->over.n && m->over_n < MSG_OVER_MAX; m->over_n++)
			snprintf(m->over[m->over_n].text, sizeof m->over[0].text, "%s", t->over.word[m->over_n]);
		err = chan_send(c->warden, MSG_CONTINUE, m, &fd, 1);
	}
	if (fd >= 0)
		close(fd);
	free(m);
	if (err) {
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "hand the last one in again",
		    "the signature is kept, but the warden is away");
		return;
	}
	r->asked = g;
	r->waiting = call;
}

void
resumptions_on_continued(struct resumptions *r, const struct msg_continued *m)
{
	char why[MSG_TEXT_MAX];
	struct call *call = r->waiting;
	struct gathered *g = r->asked;
	if (!g || m->token != r->token)
		return;
	r->asked = NULL;
	r->waiting = NULL;
	visible_cstr(view_str(m->why), why, sizeof why);
	bool went_on = m->ok && rollouts_continue(r->c->rollouts, &g->terms, g->by.approver[g->by.n - 1], g->reason) == FG_OK;
	if (call && went_on)
		answer(g, r->c, call, "running", "the warden has judged it: the rollout goes on");
	else if (call && m->ok)
		call_fail(call, CALL_REFUSED, "STATE", "see fotagate rollout show", "something else stopped the rollout meanwhile");
	else if (call)
		call_fail(call, CALL_REFUSED, "REFUSED", "write and sign a new statement", "the warden refuses: %s", why);
	/* What is in the log is used up; what was refused is not a start for others either. */
	g->used = false;
	g->made = 0;
}

void
resumptions_warden_down(struct resumptions *r)
{
	struct call *call = r->waiting;
	r->asked = NULL;
	r->waiting = NULL;
	if (call)
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "hand the last one in again", "the warden went away");
}

/* ---- rollout.submit ---- */

struct submission {
	struct resumptions *r;
	struct call *call;
	struct approval *a;
	uint8_t sha256[DIGEST_SHA256_LEN];
};

static bool
is_timely(void *ctx, const struct approval *a)
{
	struct control *c = ctx;
	char why[120];
	return !approval_check_time(a, control_now(c), 0, why, sizeof why);
}

static void
keep(struct gathered *g, const struct submission *s)
{
	if (signed_put(&g->by, RESUMPTIONS_PERSONS_MAX, s->a->approver, s->sha256))
		snprintf(g->reason, sizeof g->reason, "%s", s->a->reason);
}

/* Whoever is alone may change their mind about what it goes on over. */
static bool
other_over(const struct gathered *g, const struct approval *a)
{
	struct approval_terms both = g->terms;
	both.over = a->terms.over;
	return g->by.n > 0 && approval_terms_differ(&both, &g->terms) &&
	    (g->by.n > 1 || strcmp(g->by.approver[0], a->approver) != 0);
}

/* NULL, or why it does not count. */
static const char *
about(struct resumptions *r, const struct approval *a, char why[MSG_TEXT_MAX])
{
	struct approval_terms *own = calloc(1, sizeof *own);
	char out[MSG_TEXT_MAX];
	if (!own)
		return "there is no memory for it";
	const char *no = "it lets no rollout go on";
	if (a->terms.decision == APPROVAL_CONTINUE)
		no = rollouts_terms(r->c->rollouts, a->terms.release, a->terms.step, view_str(a->terms.ring), own, out);
	/* It may be over fewer failures than there are by now: the others count. */
	own->over = a->terms.over;
	const char *differs = no ? NULL : approval_terms_differ(&a->terms, own);
	free(own);
	const struct gathered *g = no || differs ? NULL : find(r, &a->terms);
	if (no)
		snprintf(why, MSG_TEXT_MAX, "%s", no);
	else if (differs)
		snprintf(why, MSG_TEXT_MAX, "it is about another rollout, or another stop of it: %s differs", differs);
	else if (g && other_over(g, a))
		snprintf(why, MSG_TEXT_MAX, "somebody has signed over other failures: write a new statement, which says the same");
	else
		return NULL;
	return why;
}

static const char *
judge(struct resumptions *r, const struct approval *a, struct view statement, struct view signature, char why[MSG_TEXT_MAX])
{
	struct control *c = r->c;
	const struct release *record = releases_record(c->releases, a->terms.release);
	uint64_t newer = 0;
	const char *no = about(r, a, why);
	if (no)
		return no;
	if (!record || db_restriction_latest(c->db, record->terms.image, &newer))
		return "the facts it is about could not be read";
	if (approval_check_time(a, control_now(c), newer > record->log_size ? newer : record->log_size, why, MSG_TEXT_MAX))
		return why;
	return reviews_bad_signature(c, a, statement, signature, NULL, 0);
}

static void
submission_free(struct submission *s)
{
	free(s->a);
	free(s);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct submission *s = ctx;
	struct resumptions *r = s->r;
	char why[MSG_TEXT_MAX];
	const char *no = NULL;
	(void)index;
	if (err) {
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "hand it in again", "the audit log did not take it");
	} else if (!control_permits(r->c)) {
		requests_not_now(r->c, s->call);
	} else if ((no = about(r, s->a, why)) != NULL) {
		call_fail(s->call, CALL_REFUSED, "STATE", "write and sign a new statement", "%s", no);
	} else if (r->asked) {
		call_fail(s->call, CALL_COULD_NOT, "BUSY", "hand it in again in a moment", "the warden is at work on another one");
	} else {
		struct gathered *g = make(r, &s->a->terms);
		(void)signed_count(r->c, &g->by, is_timely, r->c);
		keep(g, s);
		g->terms = s->a->terms;
		if (g->by.n < need(r->c, &g->terms))
			answer(g, r->c, s->call, "waiting", "the signature counts; more are needed");
		else
			ask_warden(r, g, s->call);
	}
	submission_free(s);
}

static int
store_and_log(struct resumptions *r, struct submission *s, struct view statement, struct view signature)
{
	struct control *c = r->c;
	char obj[2 * MSG_ID + 16], id[2 * MSG_ID + 1];
	hex_encode(s->a->terms.release, MSG_ID, id);
	snprintf(obj, sizeof obj, "release:%s", id);
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
		logbook_ref(e, "step", approval_step_name(s->a->terms.step));
		logbook_ref(e, "ring", s->a->terms.ring);
		keymarks_ref(c, e, signature);
		logbook_say(e, "%s", s->a->reason);
		err = logbook_append(c->logbook, e, on_logged, s);
	}
	free(e);
	return err;
}

static void
consider(struct resumptions *r, struct submission *s, struct view statement, struct view signature)
{
	char why[MSG_TEXT_MAX] = "";
	const char *no = NULL;
	int err = approval_parse(statement, s->a, why, sizeof why);
	if (err == FG_EFORMAT)
		no = why;
	else if (!err)
		err = digest_sha256(statement, s->sha256);
	if (!err)
		no = judge(r, s->a, statement, signature, why);
	if (!err && !no)
		err = store_and_log(r, s, statement, signature);
	if (!err && !no)
		return;
	if (no)
		call_fail(s->call, CALL_REFUSED, "REFUSED", "write and sign a new statement", "%s", no);
	else if (err == FG_EAGAIN)
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
		    "the audit log is %s", logbook_state(r->c->logbook));
	else
		call_fail_err(s->call, err);
	submission_free(s);
}

void
resumptions_submit(struct resumptions *r, struct call *call)
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
	*s = (struct submission){ .r = r, .call = call, .a = a };
	if (!control_permits(r->c)) {
		requests_not_now(r->c, call);
		submission_free(s);
		return;
	}
	if (reviews_read_signed(call, &statement, &signature)) {
		submission_free(s);
		return;
	}
	consider(r, s, writer_view(&statement), writer_view(&signature));
	writer_free(&statement);
	writer_free(&signature);
}
