/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/fronts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/sessions.h"
#include "gateway/control/signins.h"
#include "gateway/state/binding.h"

#define KEY_BYTES 8 /* of a front's key, to tell it by in the log */

struct fronts {
	struct control *c;
	uint64_t count; /* since the log was told */
	bool have_peer;
	uint8_t peer[CALLERS_ID];
	char what[MSG_NAME_MAX];
};

struct fronts *
fronts_new(struct control *c)
{
	struct fronts *f = calloc(1, sizeof *f);
	if (f)
		f->c = c;
	return f;
}

void
fronts_free(struct fronts *f)
{
	free(f);
}

static const struct config_sso *
settings(const struct control *c)
{
	return &policies_config(c->policies)->console.sso;
}

/* ---- which connection it is ---- */

static bool
is_pinned(const struct config_sso *s, const uint8_t key[DIGEST_SHA256_LEN])
{
	uint8_t pin[DIGEST_SHA256_LEN];
	for (unsigned i = 0; s->client_ca[0] && i < s->client_keys_n; i++)
		if (hex_decode(view_str(s->client_keys[i]), pin, sizeof pin) && memcmp(pin, key, sizeof pin) == 0)
			return true;
	return false;
}

enum fronts_word
fronts_judge(const struct control *c, const struct msg_web_call *m, char *dst, size_t cap)
{
	static const uint8_t nobody[DIGEST_SHA256_LEN];
	const struct config_sso *s;
	char hex[2 * KEY_BYTES + 1];
	dst[0] = '\0';
	switch (m->via) {
	case MSG_VIA_SOCKET:
		s = settings(c);
		if (!s->socket[0] || !callers_is(c->callers, m->via_uid, s->user))
			return FRONTS_STRANGER;
		snprintf(dst, cap, "uid:%u", m->via_uid);
		return FRONTS_TRUSTED;
	case MSG_VIA_KEY:
		/* Also one that names nobody: the address it says is what throttling, limits and the log go by. */
		if (!is_pinned(settings(c), m->via_key))
			return FRONTS_STRANGER;
		hex_encode(m->via_key, KEY_BYTES, hex);
		snprintf(dst, cap, "key:%s", hex);
		return FRONTS_TRUSTED;
	case MSG_VIA_NONE:
	default:
		break;
	}
	return memcmp(m->person, nobody, sizeof nobody) == 0 ? FRONTS_NONE : FRONTS_STRANGER;
}

/* ---- for the log ---- */

/* peer NULL: no address is known of it. */
static void
note(struct fronts *f, const uint8_t *peer, const char *what)
{
	f->count++;
	f->have_peer = peer != NULL;
	if (peer)
		memcpy(f->peer, peer, sizeof f->peer);
	snprintf(f->what, sizeof f->what, "%s", what);
}

void
fronts_note(struct fronts *f, const struct msg_web_call *m)
{
	char what[MSG_NAME_MAX] = "a call by no front", hex[2 * KEY_BYTES + 1];
	hex_encode(m->via_key, KEY_BYTES, hex);
	if (m->via == MSG_VIA_SOCKET)
		snprintf(what, sizeof what, "a call by uid:%u, who is not the front", m->via_uid);
	else if (m->via == MSG_VIA_KEY)
		snprintf(what, sizeof what, "a call with key:%s, not the front's", hex);
	note(f, m->via == MSG_VIA_NONE ? m->peer : NULL, what);
}

void
fronts_stray(struct fronts *f, const struct msg_web_stray *m)
{
	if (!m->count)
		return;
	note(f, m->peer, m->what);
	f->count += m->count - 1;
}

void
fronts_report(struct fronts *f)
{
	char peer[SESSIONS_PEER_CAP] = "";
	if (!f->count)
		return;
	if (f->have_peer)
		sessions_peer(f->peer, peer);
	struct msg_append *e = logbook_entry(ENTRY_AUTH_FAILED, "denied", "unknown", "sso");
	logbook_ref_number(e, "count", f->count);
	if (peer[0])
		logbook_ref(e, "peer", peer);
	logbook_say(e, "the last of them%s%s: %s", peer[0] ? ", from " : "", peer, f->what);
	logbook_tell(f->c->logbook, e);
	f->count = 0;
}

/* ---- session.sso ---- */

struct asked {
	char issuer[VOUCH_ISSUER_MAX + 1], subject[VOUCH_SUBJECT_MAX + 1];
	char acr[VOUCH_WORDS_MAX + 1], amr[VOUCH_WORDS_MAX + 1];
};

static bool
is_among(const char (*list)[PROFILE_WORD_MAX + 1], unsigned n, struct view word)
{
	for (unsigned i = 0; i < n; i++)
		if (view_is(word, list[i]))
			return true;
	return false;
}

/* As fronts write a list: words between commas, blanks, quotes and brackets. */
static bool
has_method(const struct config_sso *s, const char *amr)
{
	static const char between[] = " ,;[]\"'";
	for (const char *p = amr + strspn(amr, between); *p; p += strspn(p, between)) {
		size_t n = strcspn(p, between);
		if (is_among(s->amr, s->amr_n, view_of(p, n)))
			return true;
		p += n;
	}
	return false;
}

/* How well the issuer looked; what is not said is not enough. */
static bool
is_enough(const struct config_sso *s, const struct asked *a)
{
	bool context = s->acr_n == 0;
	for (unsigned i = 0; i < s->acr_n; i++)
		context |= strcmp(s->acr[i], a->acr) == 0;
	return s->acr_n + s->amr_n > 0 && context && (s->amr_n == 0 || has_method(s, a->amr));
}

static void
refuse(struct fronts *f, struct call *call, const char *account, const char *id, const char *text, const char *cure)
{
	signins_note_failed(f->c->signins, call_who(call), account, "single sign-on");
	call_fail(call, CALL_REFUSED, id, cure, "%s", text);
}

static void
begin(struct fronts *f, struct call *call, const struct db_account *a, const struct asked *q)
{
	struct control *c = f->c;
	const struct caller *who = call_who(call);
	char hex[2 * DB_ID + 1], obj[sizeof hex + 8], act[CALLERS_ACCOUNT_CAP + 8], peer[SESSIONS_PEER_CAP];
	uint8_t secret[SESSIONS_SECRET];
	struct db_session n;
	int err = sessions_open(c->sessions, a, 0, who->person, who->peer, &n, secret);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	hex_encode(n.id, sizeof n.id, hex);
	snprintf(obj, sizeof obj, "session:%s", hex);
	snprintf(act, sizeof act, "account:%s", a->name);
	sessions_peer(n.peer, peer);
	struct msg_append *e = logbook_entry(ENTRY_AUTH_OK, "ok", a->principal[0] ? a->principal : act, obj);
	logbook_ref(e, "account", a->name);
	if (q->acr[0])
		logbook_ref(e, "acr", q->acr);
	if (q->amr[0])
		logbook_ref(e, "amr", q->amr);
	logbook_ref(e, "by", "single sign-on");
	logbook_ref(e, "front", who->front);
	logbook_ref(e, "issuer", q->issuer);
	logbook_ref(e, "peer", peer);
	logbook_ref(e, "subject", q->subject);
	logbook_tell(c->logbook, e);
	sessions_answer(c->sessions, call, a, &n, secret);
}

/* Whoever it is: the account bound to it, as it is now. */
static void
judge(struct fronts *f, struct call *call, const struct asked *q)
{
	struct control *c = f->c;
	struct db_binding b;
	struct db_account a = { .disabled = true };
	int err = db_binding_find(c->db, call_who(call)->person, &b);
	if (!err)
		err = db_account_get(c->db, b.account, &a);
	if (err == FG_ENOTFOUND)
		refuse(f, call, NULL, "NOT-BOUND", "no account of this gateway is bound to whom the front names",
		    "an administrator does it: fotagate account bind");
	else if (err)
		call_fail_err(call, err);
	else if (!accounts_sso_roles(&a))
		refuse(f, call, a.name, "SIGN-IN", "that account may not sign in", "ask an administrator");
	else
		begin(f, call, &a, q);
	wipe(&a, sizeof a);
}

void
fronts_open(struct fronts *f, struct call *call)
{
	const struct caller *who = call_who(call);
	uint8_t identity[DIGEST_SHA256_LEN];
	struct asked q = { 0 };
	(void)call_text(call, "issuer", q.issuer, sizeof q.issuer);
	(void)call_text(call, "subject", q.subject, sizeof q.subject);
	(void)call_text(call, "acr", q.acr, sizeof q.acr);
	(void)call_text(call, "amr", q.amr, sizeof q.amr);
	int err = who->front[0] ? vouch_identity(view_str(q.issuer), view_str(q.subject), identity) : FG_EPERM;
	if (!err && memcmp(identity, who->person, sizeof identity) != 0)
		err = FG_EPERM;
	if (err == FG_EPERM || err == FG_EINVAL)
		refuse(f, call, NULL, "FRONT", "no trusted front says who you are", "sign in with name and password");
	else if (err)
		call_fail_err(call, err);
	else if (!is_enough(settings(f->c), &q))
		refuse(f, call, NULL, "SECOND-FACTOR", "the issuer has not looked well enough at who you are",
		    "sign in there as console.sso.acr and amr ask for it");
	else
		judge(f, call, &q);
}
