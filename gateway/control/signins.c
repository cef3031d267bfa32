/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/signins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts.h"
#include "gateway/control/hashing.h"
#include "gateway/control/passkeys.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/throttle.h"

#define USER_CAP 129 /* as long as a name may be typed; longer ones were refused as arguments */
#define CODE_CAP 16

struct gathered { /* for the log */
	unsigned count;
	char account[CALLERS_ACCOUNT_CAP];
	char by[64];
	uint8_t peer[CALLERS_ID];
};

struct signins {
	struct control *c;
	struct gathered failed, throttled;
};

struct attempt { /* while its password is being looked at */
	struct signins *s;
	struct call *call;
	char user[USER_CAP];
	char code[CODE_CAP];
	char hash[PASSWORD_PHC_CAP]; /* what is compared: another one by the end, and it is nobody's */
	uint8_t who[USER_CAP + CALLERS_ID]; /* whom it is held against */
	size_t who_n;
	bool from; /* the account came from that address before */
};

struct signins *
signins_new(struct control *c)
{
	struct signins *s = calloc(1, sizeof *s);
	if (s)
		s->c = c;
	return s;
}

void
signins_free(struct signins *s)
{
	free(s);
}

/* ---- for the log ---- */

static void
gather(struct gathered *g, const struct caller *who, const char *account, const char *by)
{
	g->count++;
	snprintf(g->account, sizeof g->account, "%s", account ? account : "");
	snprintf(g->by, sizeof g->by, "%s", by);
	memcpy(g->peer, who->peer, sizeof g->peer);
}

static void
report(struct signins *s, struct gathered *g, enum entry_event ev)
{
	char peer[SESSIONS_PEER_CAP], act[CALLERS_ACCOUNT_CAP + 8];
	if (!g->count)
		return;
	snprintf(act, sizeof act, "%s%s", g->account[0] ? "account:" : "unknown", g->account);
	sessions_peer(g->peer, peer);
	struct msg_append *e = logbook_entry(ev, "denied", act, "sessions");
	logbook_ref(e, "by", g->by);
	logbook_ref_number(e, "count", g->count);
	logbook_ref(e, "peer", peer);
	logbook_say(e, "the last of them: %s, from %s, by %s", act, peer, g->by);
	logbook_tell(s->c->logbook, e);
	g->count = 0;
}

void
signins_report(struct signins *s)
{
	report(s, &s->failed, ENTRY_AUTH_FAILED);
	report(s, &s->throttled, ENTRY_AUTH_THROTTLED);
}

void
signins_note_failed(struct signins *s, const struct caller *who, const char *account, const char *by)
{
	gather(&s->failed, who, account, by);
}

void
signins_throttled(struct signins *s, struct call *call, const char *account, int64_t wait)
{
	gather(&s->throttled, call_who(call), account, call_request(call));
	call_fail(call, CALL_REFUSED, "THROTTLED", "wait, then try again", "too many tries have failed: the next is in %lld s",
	    (long long)wait);
}

void
signins_no(struct signins *s, struct call *call, const char *account, const char *by)
{
	signins_note_failed(s, call_who(call), account, by);
	call_fail(call, CALL_REFUSED, "SIGN-IN", "", "name, password, code or passkey is wrong");
}

/* ---- codes ---- */

int
signins_code(struct signins *s, const struct db_account *a, struct view code, int64_t *ret_wait)
{
	struct control *c = s->c;
	struct view who = view_str(a->name);
	uint64_t step;
	*ret_wait = throttle_wait(c->db, THROTTLE_CODE, who, control_now(c));
	if (*ret_wait)
		return FG_EAGAIN;
	int err = a->have_totp ? throttle_charge(c->db, THROTTLE_CODE, who, control_now(c)) : FG_EPERM;
	if (!err)
		err = totp_check(view_of(a->totp, sizeof a->totp), code, control_now(c), a->totp_step, &step);
	if (!err)
		err = db_account_step(c->db, a->name, step);
	if (!err)
		throttle_clear(c->db, THROTTLE_CODE, who);
	return err == FG_ENOTFOUND || err == FG_ESTATE ? FG_EPERM : err;
}

bool
signins_fresh(struct signins *s, struct call *call)
{
	const struct caller *who = call_who(call);
	struct db_account a = { .disabled = true };
	char code[CODE_CAP];
	int64_t wait = 0;
	if (who->means != CALLERS_MEANS_SESSION && who->means != CALLERS_MEANS_SSO)
		return true;
	(void)call_text(call, "code", code, sizeof code);
	int err = db_account_get(s->c->db, who->account, &a);
	bool asked = err || code[0];
	if (!err && passkeys_is_code(code))
		err = passkeys_code(s->c->passkeys, who, code) ? FG_OK : FG_EPERM;
	else if (!err && asked)
		err = signins_code(s, &a, view_str(code), &wait);
	wipe(&a, sizeof a);
	if (!err && asked)
		return true;
	if (!asked)
		call_fail(call, CALL_REFUSED, "SECOND-FACTOR", "send it as code",
		    "this takes a code of your second factor, or a passkey");
	else if (err == FG_EAGAIN)
		signins_throttled(s, call, who->account, wait);
	else if (err == FG_EPERM)
		signins_no(s, call, who->account, "code");
	else
		call_fail_err(call, err);
	return false;
}

/* ---- session.open ---- */

static void
end(struct attempt *t)
{
	wipe(t, sizeof *t);
	free(t);
}

static struct view
source(const struct attempt *t)
{
	return view_of(call_who(t->call)->peer, CALLERS_ID);
}

static struct view
target(const struct attempt *t)
{
	return view_of(t->who, t->who_n);
}

/* That try is not held against anybody. */
static void
refund(struct attempt *t)
{
	throttle_refund(t->s->c->db, THROTTLE_SOURCE, source(t));
	throttle_refund(t->s->c->db, THROTTLE_ACCOUNT, target(t));
}

int
signins_begin(struct signins *s, struct call *call, const struct db_account *a, unsigned factors)
{
	struct control *c = s->c;
	char hex[2 * DB_ID + 1], obj[sizeof hex + 8], act[CALLERS_ACCOUNT_CAP + 8], peer[SESSIONS_PEER_CAP];
	uint8_t secret[SESSIONS_SECRET];
	struct db_session n;
	int err = sessions_open(c->sessions, a, factors, NULL, call_who(call)->peer, &n, secret);
	if (err) {
		call_fail_err(call, err);
		return err;
	}
	hex_encode(n.id, sizeof n.id, hex);
	snprintf(obj, sizeof obj, "session:%s", hex);
	snprintf(act, sizeof act, "account:%s", a->name);
	sessions_peer(n.peer, peer);
	struct msg_append *e = logbook_entry(ENTRY_AUTH_OK, "ok", a->principal[0] ? a->principal : act, obj);
	logbook_ref(e, "account", a->name);
	logbook_ref(e, "by", sessions_by(factors));
	logbook_ref_number(e, "factors", factors == SESSIONS_BY_PASSWORD ? 1 : 2);
	logbook_ref(e, "peer", peer);
	logbook_tell(c->logbook, e);
	sessions_answer(c->sessions, call, a, &n, secret);
	return FG_OK;
}

static void
open_session(struct attempt *t, const struct db_account *a)
{
	struct db *db = t->s->c->db;
	const struct view from = source(t); /* of the call, which is over with its answer */
	uint8_t peer[CALLERS_ID];
	memcpy(peer, from.p, sizeof peer);
	if (signins_begin(t->s, t->call, a, a->have_totp ? SESSIONS_BY_CODE : SESSIONS_BY_PASSWORD))
		return;
	throttle_clear(db, THROTTLE_SOURCE, view_of(peer, sizeof peer));
	throttle_clear(db, THROTTLE_ACCOUNT, target(t));
}

/* The password is right. */
static void
ask_code(struct attempt *t, const struct db_account *a)
{
	struct signins *s = t->s;
	int64_t wait = 0;
	int err = FG_OK;
	if (!a->have_totp) {
		open_session(t, a); /* which may make one, and nothing else */
		return;
	}
	if (!t->code[0]) {
		refund(t);
		call_fail(t->call, CALL_REFUSED, "SECOND-FACTOR", "send it as code", "a code of the second factor is due");
		return;
	}
	err = signins_code(s, a, view_str(t->code), &wait);
	if (!err)
		open_session(t, a);
	else if (err == FG_EAGAIN)
		signins_throttled(s, t->call, a->name, wait);
	else if (err == FG_EPERM)
		signins_no(s, t->call, a->name, "code");
	else
		call_fail_err(t->call, err);
}

static void
on_checked(void *ctx, int err, bool is, const char *phc)
{
	struct attempt *t = ctx;
	struct signins *s = t->s;
	struct db_account a = { .disabled = true };
	(void)phc;
	bool known = accounts_is_name(t->user) && db_account_get(s->c->db, t->user, &a) == FG_OK;
	if (err) {
		refund(t);
		call_fail_err(t->call, err);
	} else if (!is || !known || a.disabled || strcmp(a.hash, t->hash) != 0 ||
	    (a.lent && control_now(s->c) >= a.lent) || (!a.have_totp && a.passkeys)) {
		signins_no(s, t->call, known ? a.name : NULL, "password");
	} else {
		ask_code(t, &a);
	}
	wipe(&a, sizeof a);
	end(t);
}

/*
 * Whom failures are held against besides the address. For one from where the account came before it is that
 * account from there: strangers who fail for it elsewhere do not make its owner wait.
 */
static void
whom(struct attempt *t, bool known)
{
	t->who_n = strlen(t->user);
	memcpy(t->who, t->user, t->who_n);
	if (!known || db_session_from(t->s->c->db, t->user, call_who(t->call)->peer, &t->from) || !t->from)
		return;
	t->who[t->who_n++] = 0;
	memcpy(t->who + t->who_n, call_who(t->call)->peer, CALLERS_ID);
	t->who_n += CALLERS_ID;
}

static int
begin(struct attempt *t, struct view password, const char *hash)
{
	struct control *c = t->s->c;
	int64_t now = control_now(c);
	if (!t->from && !hashing_takes_strangers(c->hashing))
		return FG_EAGAIN;
	int err = throttle_charge(c->db, THROTTLE_SOURCE, source(t), now);
	if (!err)
		err = throttle_charge(c->db, THROTTLE_ACCOUNT, target(t), now);
	if (err)
		return err;
	err = hashing_check(c->hashing, password, hash, on_checked, t);
	if (err)
		refund(t);
	return err;
}

static void
judge(struct attempt *t, struct view password, const struct db_account *a)
{
	struct control *c = t->s->c;
	int64_t now = control_now(c), wait = throttle_wait(c->db, THROTTLE_SOURCE, source(t), now);
	whom(t, a != NULL);
	int64_t other = throttle_wait(c->db, THROTTLE_ACCOUNT, target(t), now);
	if (other > wait)
		wait = other;
	if (wait) {
		signins_throttled(t->s, t->call, a ? a->name : NULL, wait);
		end(t);
		return;
	}
	snprintf(t->hash, sizeof t->hash, "%s", a && !a->disabled ? a->hash : "");
	int err = begin(t, password, t->hash[0] ? t->hash : NULL);
	if (!err)
		return; /* on_checked() goes on */
	if (err == FG_EAGAIN)
		call_fail(t->call, CALL_REFUSED, "LIMIT", "try again in a moment", "too many are signing in at once");
	else
		call_fail_err(t->call, err);
	end(t);
}

void
signins_open(struct signins *s, struct call *call)
{
	struct db_account a = { .disabled = true };
	struct view password = view_str("");
	struct attempt *t = calloc(1, sizeof *t);
	if (!t) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	t->s = s;
	t->call = call;
	(void)call_text(call, "user", t->user, sizeof t->user);
	(void)call_text(call, "code", t->code, sizeof t->code);
	(void)json_string(call_arg(call, "password"), &password);
	bool known = accounts_is_name(t->user) && db_account_get(s->c->db, t->user, &a) == FG_OK;
	judge(t, password, known ? &a : NULL);
	wipe(&a, sizeof a);
}
