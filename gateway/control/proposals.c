/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/proposals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"
#include "gateway/control/proposals_private.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/suspensions.h"
#include "gateway/wire/memfd.h"

#define DAY 86400

struct proposals *
proposals_new(struct control *c)
{
	struct proposals *p = calloc(1, sizeof *p);
	if (p)
		p->c = c;
	return p;
}

void
proposals_free(struct proposals *p)
{
	free(p);
}

/* ---- shared with proposals_change.c ---- */

struct succession_case
proposals_case(const struct control *c)
{
	struct succession_case k = {
		.genesis = people_genesis(c->people),
		.old = people_set(c->people),
		.old_text = people_set_text(c->people),
		.now = control_now(c),
	};
	k.suspended = people_suspended(c->people, &k.suspended_n);
	return k;
}

struct wanted {
	const uint8_t *sha256;
	struct writer *w;
	bool found;
};

static int
is_it(void *arg, const struct db_proposal *d)
{
	struct wanted *l = arg;
	if (memcmp(d->sha256, l->sha256, DIGEST_SHA256_LEN) != 0)
		return 0;
	writer_bytes(l->w, d->text);
	l->found = true;
	return 1;
}

int
proposals_text(struct control *c, const uint8_t sha256[DIGEST_SHA256_LEN], struct writer *w)
{
	struct wanted l = { sha256, w, false };
	int r = db_proposal_list(c->db, is_it, &l);
	return r < 0 ? r : !l.found ? FG_ENOTFOUND : writer_err(w);
}

/* ---- how a proposal stands ---- */

struct standing { /* too large for a stack of callbacks */
	struct succession_bundle bundle;
	struct writer sig[SIGNERS_MAX];
	struct succession_answer answer;
	bool failed;
};

static int
gather(void *arg, const struct db_proposal_sig *s)
{
	struct standing *t = arg;
	if (t->bundle.n == SIGNERS_MAX)
		return 0;
	struct writer *w = &t->sig[t->bundle.n];
	writer_init(w, SSHSIG_ARMOR_MAX);
	writer_bytes(w, s->armour);
	t->failed |= writer_err(w) != 0;
	t->bundle.sig[t->bundle.n++].armour = writer_view(w);
	return 0;
}

static void
standing_free(struct standing *t)
{
	for (unsigned i = 0; t && i < t->bundle.n; i++)
		writer_free(&t->sig[i]);
	free(t);
}

/* Judged now, with every signature that was gathered. text is borrowed. NULL with *ret_err. */
static struct standing *
stand(struct control *c, const uint8_t sha256[DIGEST_SHA256_LEN], struct view text, int *ret_err)
{
	const struct succession_case k = proposals_case(c);
	struct standing *t = calloc(1, sizeof *t);
	int err = t ? db_proposal_sigs(c->db, sha256, gather, t) : FG_ENOMEM;
	if (!err && t->failed)
		err = FG_ENOMEM;
	if (!err) {
		t->bundle.text = text;
		err = succession_judge(&k, &t->bundle, &t->answer);
	}
	*ret_err = err;
	if (!err)
		return t;
	standing_free(t);
	return NULL;
}

static void
answer(struct call *call, const struct succession_answer *a, const char *state, const char *text)
{
	struct call_doc d;
	if (!call)
		return;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "have", a->by_old);
	jsonw_kuint(&d.j, "have_new", a->by_new);
	jsonw_kuint(&d.j, "need", a->need_old);
	jsonw_kuint(&d.j, "need_new", a->need_new);
	jsonw_kuint(&d.j, "number", a->next.number);
	jsonw_kcstr(&d.j, "state", state);
	jsonw_kcstr(&d.j, "text", text);
	call_doc_end(call, &d, CALL_DONE);
}

/* Takes the call, which may be NULL. */
static void
ask_warden(struct proposals *p, const struct standing *t, struct call *call)
{
	struct msg_signers m = { .token = ++p->token };
	struct writer w;
	writer_init(&w, SUCCESSION_BUNDLE_MAX);
	int err = succession_bundle_write(&t->bundle, &w);
	int fd = err ? err : memfd_sealed("fotagate-signers", writer_view(&w));
	writer_free(&w);
	err = fd < 0 ? fd : chan_send(p->c->warden, MSG_SIGNERS, &m, &fd, 1);
	if (fd >= 0)
		close(fd);
	if (!err) {
		p->asked = true;
		p->waiting = call;
	} else if (call) {
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "it is asked again by itself",
		    "the signature counts, but the warden is away");
	}
}

/* ---- the warden's word ---- */

/* The chain may have grown: what rests on it is counted anew. */
static void
reload(struct proposals *p)
{
	struct control *c = p->c;
	char why[200];
	bool fresh = false;
	if (people_reload(c->people, &fresh, why, sizeof why))
		oplog(OPLOG_ERR, "the signer sets could not be read: %s", why);
	if (!fresh)
		return;
	suspensions_recall(c);
	(void)db_proposal_forget(c->db, people_set(c->people)->number, 0);
	oplog(OPLOG_NOTICE, "signer set %u is in force", people_set(c->people)->number);
	reviews_resume(c->reviews);
}

void
proposals_on_taken(struct proposals *p, const struct msg_signers_taken *m)
{
	struct call *call = p->waiting;
	char why[MSG_TEXT_MAX];
	bool ours = p->asked && m->token == p->token;
	if (m->ok && m->number != people_set(p->c->people)->number)
		reload(p);
	if (!ours)
		return;
	p->asked = false;
	p->waiting = NULL;
	visible_cstr(view_str(m->why), why, sizeof why);
	if (!m->ok && call) {
		call_fail(call, CALL_REFUSED, "REFUSED", "", "the warden refuses: %s", why);
	} else if (call) {
		const struct signers *set = people_set(p->c->people);
		struct call_doc d;
		call_doc_begin(&d);
		jsonw_kuint(&d.j, "number", m->number);
		jsonw_kcstr(&d.j, "state", "in-force");
		jsonw_kcstr(&d.j, "text", set->number == m->number ? "the signer set is in force" :
		    "the signer set is in force; it could not be written down yet");
		call_doc_end(call, &d, CALL_DONE);
	}
}

void
proposals_warden_down(struct proposals *p)
{
	struct call *call = p->waiting;
	p->asked = false;
	p->waiting = NULL;
	if (call)
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "it is asked again by itself", "the warden went away");
}

static int
hand_over(void *arg, const struct db_proposal *d)
{
	struct proposals *p = arg;
	int err;
	struct standing *t = stand(p->c, d->sha256, d->text, &err);
	if (t && t->answer.enough)
		ask_warden(p, t, NULL);
	standing_free(t);
	return p->asked; /* one at a time: it ends the others */
}

void
proposals_resume(struct proposals *p)
{
	struct control *c = p->c;
	if (!p->asked && c->warden && control_counts(c))
		(void)db_proposal_list(c->db, hand_over, p);
}

void
proposals_expire(struct proposals *p)
{
	struct control *c = p->c;
	if (!timekeep_is_sure(c))
		return; /* and the warden takes none */
	(void)db_proposal_forget(c->db, people_set(c->people)->number, control_now(c) - SUCCESSION_WINDOW);
	proposals_resume(p);
}

/* ---- people.submit ---- */

struct submission {
	struct proposals *p;
	struct call *call;
	struct writer text, armour;
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct signer who;
	uint32_t number;
	int64_t time;
};

static void
submission_free(struct submission *s)
{
	writer_free(&s->text);
	writer_free(&s->armour);
	free(s);
}

static void
refuse(struct submission *s, const char *why)
{
	struct control *c = s->p->c;
	struct msg_append *e = logbook_entry(ENTRY_AUTHZ_DENIED, "denied", call_who(s->call)->user, "signers");
	logbook_say(e, "a signature for a signer set does not count: %s", why);
	logbook_tell(c->logbook, e);
	call_fail(s->call, CALL_REFUSED, "REFUSED", "fotagate people list shows whose keys count and what is proposed", "%s",
	    why);
	submission_free(s);
}

/* Whose it is: by the set in force, or by the one proposed. */
static int
signer_of(const struct control *c, struct submission *s, const struct signers *next, bool *ret)
{
	unsigned gone_n, persons = 0, who[SIGNERS_MAX], n = 0;
	const struct signers_suspended *gone = people_suspended(c->people, &gone_n);
	const struct signers_signature sig = { writer_view(&s->armour) };
	struct signers *set = malloc(sizeof *set);
	int err = set ? FG_OK : FG_ENOMEM;
	*ret = false;
	for (unsigned k = 0; !err && !*ret && k < 2; k++) {
		err = signers_without(k ? next : people_set(c->people), gone, gone_n, set);
		if (!err)
			err = signers_count(set, writer_view(&s->text), SIGNERS_NAMESPACE, control_now(c), &sig, 1, NULL, 0,
			    &persons, who, &n);
		if (!err && n == 1) {
			s->who = set->signer[who[0]];
			*ret = true;
		}
	}
	free(set);
	return err;
}

static int
write_down(struct submission *s)
{
	struct control *c = s->p->c;
	struct db_proposal d = { .number = s->number, .time = s->time, .text = writer_view(&s->text) };
	struct db_proposal_sig g = { .at = control_now(c), .uid = call_who(s->call)->uid, .armour = writer_view(&s->armour) };
	memcpy(d.sha256, s->sha256, sizeof d.sha256);
	memcpy(g.proposal, s->sha256, sizeof g.proposal);
	snprintf(g.principal, sizeof g.principal, "%s", s->who.principal);
	int err = sshkey_digest(&s->who.key, g.key);
	return err ? err : db_proposal_sign(c->db, &d, &g);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct submission *s = ctx;
	struct proposals *p = s->p;
	struct standing *t = NULL;
	(void)index;
	if (err) {
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "hand it in again", "the audit log did not take it");
		submission_free(s);
		return;
	}
	if (!control_counts(p->c)) {
		requests_not_now(p->c, s->call);
		submission_free(s);
		return;
	}
	err = write_down(s);
	if (!err)
		t = stand(p->c, s->sha256, writer_view(&s->text), &err);
	if (err == FG_ELIMIT)
		call_fail(s->call, CALL_REFUSED, "REFUSED", "let those be signed, or wait until they are forgotten",
		    "as many signer sets are proposed as may be");
	else if (err)
		call_fail_err(s->call, err);
	else if (!t->answer.proper)
		call_fail(s->call, CALL_REFUSED, "REFUSED", "", "%s", t->answer.why);
	else if (!t->answer.enough)
		answer(s->call, &t->answer, "proposed", "the signature counts; more are needed");
	else if (p->asked)
		answer(s->call, &t->answer, "proposed", "the warden is at work on a signer set");
	else
		ask_warden(p, t, s->call);
	standing_free(t);
	submission_free(s);
}

static void
log_it(struct submission *s)
{
	struct control *c = s->p->c;
	char obj[32];
	uint8_t signature[DIGEST_SHA256_LEN];
	snprintf(obj, sizeof obj, "signers:%u", s->number);
	struct msg_append *e = logbook_entry(ENTRY_AUTHORITY_SIGNED, "ok", s->who.principal, obj);
	int err = e ? digest_sha256(writer_view(&s->armour), signature) : FG_ENOMEM;
	if (!err) {
		logbook_ref_sha256(e, "set", s->sha256);
		logbook_ref_sha256(e, "signature", signature);
		logbook_ref(e, "handed_in_by", call_who(s->call)->user);
		err = logbook_append(c->logbook, e, on_logged, s);
	}
	free(e);
	if (!err)
		return;
	if (err == FG_EAGAIN)
		call_fail(s->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
		    "the audit log is %s", logbook_state(c->logbook));
	else
		call_fail_err(s->call, err);
	submission_free(s);
}

void
proposals_submit(struct proposals *p, struct call *call)
{
	struct control *c = p->c;
	const struct succession_case k = proposals_case(c);
	struct submission *s = calloc(1, sizeof *s);
	struct succession_answer *a = calloc(1, sizeof *a);
	bool good = false;
	if (s && a && !control_counts(c)) {
		free(s);
		free(a);
		requests_not_now(c, call);
		return;
	}
	if (!s || !a) {
		free(s);
		free(a);
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*s = (struct submission){ .p = p, .call = call };
	if (reviews_read_signed(call, &s->text, &s->armour)) {
		free(a);
		free(s);
		return;
	}
	struct succession_bundle b = { .text = writer_view(&s->text), .n = 1 };
	b.sig[0].armour = writer_view(&s->armour);
	int err = succession_judge(&k, &b, a);
	if (!err && a->proper)
		err = signer_of(c, s, &a->next, &good);
	if (!err)
		err = digest_sha256(b.text, s->sha256);
	if (err) {
		call_fail_err(call, err);
		submission_free(s);
	} else if (!a->proper) {
		refuse(s, a->why);
	} else if (!good || !a->good[0]) {
		refuse(s, "the signature is not a good one by a current key of the set in force or of the new one");
	} else {
		s->number = a->next.number;
		s->time = a->next.time;
		log_it(s);
	}
	free(a);
}

/* ---- for showing ---- */

struct listing {
	struct control *c;
	struct jsonw *j;
};

static int
put_signer(void *arg, const struct db_proposal_sig *s)
{
	struct listing *l = arg;
	requests_add_text(l->j, s->principal);
	return 0;
}

static int
put_one(void *arg, const struct db_proposal *d)
{
	struct listing *l = arg;
	int err;
	struct standing *t = stand(l->c, d->sha256, d->text, &err);
	if (!t)
		return err;
	jsonw_object(l->j);
	jsonw_kuint(l->j, "have", t->answer.by_old);
	jsonw_kuint(l->j, "have_new", t->answer.by_new);
	jsonw_kuint(l->j, "need", t->answer.need_old);
	jsonw_kuint(l->j, "need_new", t->answer.need_new);
	jsonw_kuint(l->j, "number", d->number);
	jsonw_khex(l->j, "sha256", d->sha256, sizeof d->sha256);
	jsonw_key(l->j, "signed_by");
	jsonw_array(l->j);
	err = db_proposal_sigs(l->c->db, d->sha256, put_signer, l);
	jsonw_array_end(l->j);
	requests_put_text(l->j, "text", t->answer.why);
	requests_put_time(l->j, "time", d->time);
	requests_put_time(l->j, "until", d->time + SUCCESSION_WINDOW);
	jsonw_object_end(l->j);
	standing_free(t);
	return err;
}

int
proposals_put(struct proposals *p, struct jsonw *j)
{
	struct listing l = { p->c, j };
	jsonw_key(j, "proposals");
	jsonw_array(j);
	int err = db_proposal_list(p->c->db, put_one, &l);
	jsonw_array_end(j);
	return err;
}

void
proposals_alerts(struct proposals *p, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	struct control *c = p->c;
	const struct signers *set = people_counting(c->people);
	const struct genesis *g = people_genesis(c->people);
	int64_t now = control_now(c);
	char text[200], until[STAMP_CAP];
	uint32_t persons = signers_persons_at(set, now);
	if (persons < g->floor_production || persons < people_set(c->people)->threshold) {
		snprintf(text, sizeof text, "%u persons can sign; %u have to for a release, %u for the next signer set", persons,
		    g->floor_production, people_set(c->people)->threshold);
		say(j, "PEOPLE", text);
	}
	for (uint32_t i = 0; i < set->n; i++) {
		const struct signer *s = &set->signer[i];
		if (s->valid_before - now > PROPOSALS_SOON * DAY || stamp_format(s->valid_before, until))
			continue;
		snprintf(text, sizeof text, "a key of %s %s %s: fotagate people propose --renew", s->principal,
		    s->valid_before <= now ? "has run out at" : "runs out at", until);
		say(j, "KEY-EXPIRY", text);
	}
}
