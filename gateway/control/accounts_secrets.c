/* SPDX-License-Identifier: Apache-2.0 */
/* account.password, .totp and .passkey_only: one's own, or an administrator's for somebody else. */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base32.h"
#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts_private.h"
#include "gateway/control/hashing.h"
#include "gateway/control/passkeys.h"
#include "gateway/control/signins.h"
#include "gateway/control/throttle.h"

#define CODE_CAP 16
#define ISSUER "fotagate"

bool
accounts_is_own(const struct call *call, const struct db_account *row)
{
	const struct caller *who = call_who(call);
	return who->means == CALLERS_MEANS_SESSION && strcmp(who->account, row->name) == 0;
}

/* False: the call is answered. */
bool
accounts_by_admin(struct call *call)
{
	if (call_who(call)->roles & CALLERS_ADMIN)
		return true;
	call_fail(call, CALL_REFUSED, "DENIED", "ask an administrator", "that is another's account");
	return false;
}

/* ---- hashing ---- */

bool
accounts_next(struct accounts_change *ch, const char *name)
{
	struct view v = { NULL, 0 };
	(void)json_string(call_arg(ch->call, "password"), &v);
	const char *why = password_refusal(v, name);
	if (why) {
		call_fail(ch->call, CALL_REFUSED, "PASSWORD", "choose another one, of 12 to 128 characters of any kind",
		    "the password %s", why);
		return false;
	}
	ch->next_n = v.n;
	memcpy(ch->next, v.p, v.n);
	return true;
}

static void
busy(struct accounts_change *ch, int err)
{
	if (err == FG_EAGAIN)
		call_fail(ch->call, CALL_REFUSED, "LIMIT", "try again in a moment", "too many are signing in at once");
	else
		call_fail_err(ch->call, err);
	accounts_end(ch);
}

static void
on_made(void *ctx, int err, bool is, const char *phc)
{
	struct accounts_change *ch = ctx;
	(void)is;
	if (err) {
		busy(ch, err);
		return;
	}
	snprintf(ch->row.hash, sizeof ch->row.hash, "%s", phc);
	accounts_log(ch);
}

void
accounts_hash(struct accounts_change *ch)
{
	int err = hashing_make(ch->a->c->hashing, view_of(ch->next, ch->next_n), on_made, ch);
	wipe(ch->next, sizeof ch->next);
	if (err)
		busy(ch, err);
}

/* ---- account.password ---- */

static void
on_old(void *ctx, int err, bool is, const char *phc)
{
	struct accounts_change *ch = ctx;
	(void)phc;
	if (err || is)
		throttle_refund(ch->a->c->db, THROTTLE_CODE, view_str(ch->row.name));
	if (err) {
		busy(ch, err);
	} else if (!is) {
		signins_note_failed(ch->a->c->signins, call_who(ch->call), ch->row.name, "password");
		call_fail(ch->call, CALL_REFUSED, "SIGN-IN", "", "the old password is wrong");
		accounts_end(ch);
	} else {
		accounts_hash(ch);
	}
}

/* There is none so far: a passkey is shown instead of it. Beside passkeys it is of use with a code only. */
static void
first_own(struct accounts_change *ch)
{
	ch->keep = true;
	if (!ch->row.have_totp)
		call_fail(ch->call, CALL_REFUSED, "STATE", "make a second factor first",
		    "a password lets in with a code of a second factor, and there is none");
	else if (signins_fresh(ch->a->c->signins, ch->call)) {
		accounts_hash(ch);
		return;
	}
	accounts_end(ch);
}

/* One's own: who found a session open does not know the old one. */
static void
change_own(struct accounts_change *ch)
{
	struct control *c = ch->a->c;
	if (!ch->row.hash[0]) {
		first_own(ch);
		return;
	}
	struct view old = { NULL, 0 };
	(void)json_string(call_arg(ch->call, "old"), &old);
	int64_t wait = throttle_wait(c->db, THROTTLE_CODE, view_str(ch->row.name), control_now(c));
	if (wait || old.n == 0 || view_equal(old, view_of(ch->next, ch->next_n))) {
		if (wait)
			signins_throttled(c->signins, ch->call, ch->row.name, wait);
		else if (old.n == 0)
			call_fail(ch->call, CALL_USAGE, "USAGE", "send it as old", "the old password is missing");
		else
			call_fail(ch->call, CALL_REFUSED, "PASSWORD", "choose another one", "the password is the old one");
		accounts_end(ch);
		return;
	}
	/* Chosen for somebody with a second factor: with the new one it is another session, under another secret. */
	ch->keep = !ch->row.lent || !ch->row.have_totp;
	ch->row.lent = 0;
	int err = throttle_charge(c->db, THROTTLE_CODE, view_str(ch->row.name), control_now(c));
	if (!err)
		err = hashing_check(c->hashing, old, ch->row.hash, on_old, ch);
	if (err)
		busy(ch, err);
}

/* Lent to somebody whose second factor is a passkey it would let nobody in. True: the call is answered. */
static bool
useless(struct accounts_change *ch)
{
	if (ch->row.have_totp || !ch->row.passkeys)
		return false;
	call_fail(ch->call, CALL_REFUSED, "STATE", "take the second factor off first, which takes its passkeys off",
	    "that account signs in with passkeys only");
	return true;
}

void
accounts_password(struct accounts *a, struct call *call)
{
	struct accounts_change *ch = accounts_begin(a, call, ACCOUNTS_PASSWORD);
	if (!ch)
		return;
	if (!accounts_of(a, call, &ch->row) || !accounts_next(ch, ch->row.name)) {
		accounts_end(ch);
	} else if (accounts_is_own(call, &ch->row)) {
		change_own(ch);
	} else if (accounts_by_admin(call) && !useless(ch) && signins_fresh(a->c->signins, call)) {
		ch->row.lent = control_now(a->c) + ACCOUNTS_LENT_S;
		accounts_hash(ch);
	} else {
		accounts_end(ch);
	}
}

/* ---- account.totp ---- */

static struct accounts_enrolling *
enrolling_of(struct accounts *a, const uint8_t session[CALLERS_ID])
{
	int64_t now = control_now(a->c);
	for (size_t i = 0; i < ACCOUNTS_ENROLLING_MAX; i++) {
		struct accounts_enrolling *e = &a->enrolling[i];
		if (e->at && now - e->at >= ACCOUNTS_ENROL_S)
			wipe(e, sizeof *e);
		if (e->at && memcmp(e->session, session, CALLERS_ID) == 0)
			return e;
	}
	return NULL;
}

/* The session's own place, or a free one, or that which was taken longest ago. */
static struct accounts_enrolling *
place_for(struct accounts *a, const uint8_t session[CALLERS_ID])
{
	struct accounts_enrolling *best = enrolling_of(a, session);
	for (size_t i = 0; !best && i < ACCOUNTS_ENROLLING_MAX; i++)
		if (!a->enrolling[i].at)
			best = &a->enrolling[i];
	for (size_t i = 0; i < ACCOUNTS_ENROLLING_MAX; i++)
		if (!best || (best->at && memcmp(best->session, session, CALLERS_ID) != 0 && a->enrolling[i].at < best->at))
			best = &a->enrolling[i];
	return best;
}

/* A secret is shown once; it is nobody's until a code of it comes back. */
static void
propose(struct accounts *a, struct call *call, const struct db_account *row)
{
	char text[BASE32_CAP(TOTP_SECRET_LEN)], uri[TOTP_URI_CAP];
	struct accounts_enrolling *e = place_for(a, call_who(call)->session);
	struct call_doc d;
	memcpy(e->session, call_who(call)->session, sizeof e->session);
	e->at = control_now(a->c);
	if (RAND_bytes(e->secret, sizeof e->secret) != 1 ||
	    !totp_uri(ISSUER, row->name, view_of(e->secret, sizeof e->secret), uri, sizeof uri)) {
		wipe(e, sizeof *e);
		call_fail_err(call, FG_ECRYPTO);
		return;
	}
	base32_encode(view_of(e->secret, sizeof e->secret), text);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "secret", text);
	jsonw_kcstr(&d.j, "uri", uri);
	wipe(text, sizeof text);
	wipe(uri, sizeof uri);
	call_doc_end(call, &d, CALL_DONE);
}

/* The code that was used for this does not sign in as well: every session ends, and the next code begins one. */
static void
enrol(struct accounts_change *ch, const char *code)
{
	struct accounts *a = ch->a;
	struct accounts_enrolling *e = enrolling_of(a, call_who(ch->call)->session);
	uint64_t step = 0;
	int err = e ? totp_check(view_of(e->secret, sizeof e->secret), view_str(code), control_now(a->c), 0, &step) : FG_ESTATE;
	if (!err) {
		ch->row.have_totp = true;
		memcpy(ch->row.totp, e->secret, sizeof ch->row.totp);
		ch->row.totp_step = step;
		wipe(e, sizeof *e);
		accounts_log(ch);
		return;
	}
	if (err == FG_ESTATE)
		call_fail(ch->call, CALL_REFUSED, "STATE", "ask for another secret", "no second factor is being made");
	else if (err == FG_ENOTFOUND)
		call_fail(ch->call, CALL_REFUSED, "CODE", "is the clock right?", "that is not the code of now");
	else
		call_fail_err(ch->call, err);
	accounts_end(ch);
}

static void
make_own(struct accounts_change *ch)
{
	char code[CODE_CAP];
	(void)call_text(ch->call, "code", code, sizeof code);
	if (!ch->row.have_totp && code[0] && !passkeys_is_code(code)) {
		enrol(ch, code);
		return;
	}
	if (ch->row.have_totp)
		call_fail(ch->call, CALL_REFUSED, "STATE", "an administrator takes it off first",
		    "the account has a second factor");
	else if (!ch->row.passkeys || signins_fresh(ch->a->c->signins, ch->call))
		propose(ch->a, ch->call, &ch->row);
	accounts_end(ch);
}

void
accounts_totp(struct accounts *a, struct call *call)
{
	struct accounts_change *ch = accounts_begin(a, call, ACCOUNTS_TOTP);
	if (!ch)
		return;
	if (!accounts_of(a, call, &ch->row)) {
		accounts_end(ch);
	} else if (accounts_is_own(call, &ch->row)) {
		make_own(ch);
	} else if (accounts_by_admin(call) && signins_fresh(a->c->signins, call)) {
		ch->what = ACCOUNTS_RESET;
		ch->row.have_totp = false;
		wipe(ch->row.totp, sizeof ch->row.totp);
		ch->row.totp_step = 0;
		accounts_log(ch);
	} else {
		accounts_end(ch);
	}
}

/* ---- account.passkey_only ---- */

static int
is_proven(void *arg, const struct db_passkey *k)
{
	(void)arg;
	return k->last && !k->suspended;
}

void
accounts_passkey_only(struct accounts *a, struct call *call)
{
	struct accounts_change *ch = accounts_begin(a, call, ACCOUNTS_PASSKEY_ONLY);
	if (!ch)
		return;
	if (!accounts_of(a, call, &ch->row) || (!accounts_is_own(call, &ch->row) && !accounts_by_admin(call))) {
		accounts_end(ch);
		return;
	}
	int proven = db_passkey_list(a->c->db, ch->row.name, is_proven, NULL);
	if (proven == 0)
		call_fail(call, CALL_REFUSED, "STATE", "sign in with one first",
		    "no passkey of that account has let anybody in yet");
	else if (proven < 0)
		call_fail_err(call, proven);
	if (proven > 0 && signins_fresh(a->c->signins, call)) {
		ch->keep = accounts_is_own(call, &ch->row);
		accounts_log(ch);
	} else {
		accounts_end(ch);
	}
}
