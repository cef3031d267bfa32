/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/passkeys.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base32.h"
#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts_private.h"
#include "gateway/control/passkeys_private.h"
#include "gateway/control/signins.h"
#include "gateway/control/throttle.h"

#define CODE_MARK 'P' /* no code of an authenticator's clock begins with a letter */
#define CODE_BYTES 8  /* 64 bits, for two minutes, one session and one try at each */
#define BY_CAP 64

_Static_assert(1 + BASE32_CAP(CODE_BYTES) <= PASSKEYS_CODE_CAP, "it fits where codes stand");

/*
 * A point of P-256 of which nobody has the secret half: what strangers' answers are held against, for as long. Its x is the
 * SHA-256 of "fotagate: nobody's passkey 6", the first number that gives one, its y the even one.
 */
static const uint8_t nobody[SSHKEY_POINT_LEN] = {
	0x04, 0xe7, 0x25, 0x3e, 0x61, 0xd0, 0x89, 0x82, 0x9f, 0x40, 0x5f, 0x04, 0x06, 0xed, 0x0b, 0xde,
	0xac, 0xb3, 0x2a, 0xb1, 0xb6, 0x8d, 0x93, 0xbc, 0x29, 0xa1, 0x2a, 0x44, 0xef, 0x03, 0x08, 0x9b,
	0x50, 0xad, 0x91, 0xd7, 0x46, 0x24, 0x62, 0xbc, 0x0d, 0x3a, 0xb9, 0x35, 0x84, 0xbf, 0x81, 0x82,
	0xfa, 0x0d, 0x27, 0x71, 0x51, 0x97, 0xbf, 0x56, 0xeb, 0x71, 0x89, 0x54, 0xd2, 0xe7, 0xac, 0xa0,
	0x36,
};

struct passkeys *
passkeys_new(struct control *c)
{
	struct passkeys *p = calloc(1, sizeof *p);
	if (p)
		p->c = c;
	return p;
}

void
passkeys_free(struct passkeys *p)
{
	if (!p)
		return;
	wipe(p, sizeof *p);
	free(p);
}

bool
passkeys_site(struct passkeys *p, struct call *call, struct passkeys_site *ret)
{
	const struct signers *set = people_set(p->c->people);
	if (signers_console_host(set, ret->rp_id)) {
		ret->origin = set->console;
		return true;
	}
	call_fail(call, CALL_REFUSED, "STATE", "fotagate people propose --console ORIGIN",
	    "the signer set names no console where passkeys are good");
	return false;
}

/* ---- challenges ---- */

static bool
is_old(int64_t at, int64_t now, int64_t life)
{
	return now < at || now - at >= life;
}

/* Of an IPv6 address its half that is one subscriber's, as throttle.h has it; a session's name is taken whole. */
static void
whose(const struct caller *who, uint8_t ret[CALLERS_ID])
{
	static const uint8_t v4[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	memcpy(ret, who->means == CALLERS_MEANS_GUEST ? who->peer : who->session, CALLERS_ID);
	if (who->means == CALLERS_MEANS_GUEST && memcmp(ret, v4, sizeof v4) != 0)
		memset(ret + CALLERS_ID / 2, 0, CALLERS_ID / 2);
}

/* A free place; whoever has as many as one may have gives up the oldest of them; else the oldest of all goes. */
static struct passkeys_challenge *
place(struct passkeys_challenge *list, unsigned n, unsigned of_one, const uint8_t who[CALLERS_ID], int64_t now)
{
	struct passkeys_challenge *spare = NULL, *oldest = &list[0], *own = NULL;
	unsigned owns = 0;
	for (unsigned i = 0; i < n; i++) {
		struct passkeys_challenge *p = &list[i];
		if (p->use && is_old(p->at, now, PASSKEYS_CHALLENGE_S))
			wipe(p, sizeof *p);
		if (!p->use) {
			spare = spare ? spare : p;
			continue;
		}
		if (p->at < oldest->at)
			oldest = p;
		if (memcmp(p->whose, who, CALLERS_ID) != 0)
			continue;
		owns++;
		if (!own || p->at < own->at)
			own = p;
	}
	return owns >= of_one ? own : spare ? spare : oldest;
}

const struct passkeys_challenge *
passkeys_issue(struct passkeys *p, struct call *call, enum passkeys_use use)
{
	struct passkeys_challenge fresh = { .use = use, .at = control_now(p->c) };
	const bool stranger = use == PASSKEYS_SIGN_IN;
	whose(call_who(call), fresh.whose);
	if (RAND_bytes(fresh.bytes, sizeof fresh.bytes) != 1 || RAND_bytes(fresh.handle, sizeof fresh.handle) != 1) {
		call_fail_err(call, FG_ECRYPTO);
		return NULL;
	}
	struct passkeys_challenge *at = stranger ?
	    place(p->stranger, PASSKEYS_STRANGERS, PASSKEYS_OF_SOURCE, fresh.whose, fresh.at) :
	    place(p->own, PASSKEYS_OWN, 1, fresh.whose, fresh.at);
	*at = fresh;
	return at;
}

bool
passkeys_take(struct passkeys *p, const struct call *call, enum passkeys_use use, struct passkeys_challenge *ret)
{
	struct passkeys_challenge *list = use == PASSKEYS_SIGN_IN ? p->stranger : p->own;
	const unsigned n = use == PASSKEYS_SIGN_IN ? PASSKEYS_STRANGERS : PASSKEYS_OWN;
	uint8_t bytes[WEBAUTHN_CHALLENGE];
	char hex[2 * WEBAUTHN_CHALLENGE + 1];
	(void)call_text(call, "challenge", hex, sizeof hex);
	if (!hex_decode(view_str(hex), bytes, sizeof bytes))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!list[i].use || !wipe_equal(list[i].bytes, bytes, sizeof bytes))
			continue;
		*ret = list[i];
		wipe(&list[i], sizeof list[i]);
		/* Of a stranger the challenge is all there is; what was given to a session is that session's. */
		return ret->use == use && !is_old(ret->at, control_now(p->c), PASSKEYS_CHALLENGE_S) &&
		    (use == PASSKEYS_SIGN_IN || memcmp(ret->whose, call_who(call)->session, CALLERS_ID) == 0);
	}
	return false;
}

void
passkeys_ask(struct passkeys *p, struct call *call)
{
	struct passkeys_site site;
	struct call_doc d;
	const struct passkeys_challenge *ch = passkeys_site(p, call, &site) ? passkeys_issue(p, call, PASSKEYS_SIGN_IN) : NULL;
	if (!ch)
		return;
	call_doc_begin(&d);
	jsonw_khex(&d.j, "challenge", ch->bytes, sizeof ch->bytes);
	jsonw_kcstr(&d.j, "rp_id", site.rp_id);
	jsonw_kuint(&d.j, "seconds", PASSKEYS_CHALLENGE_S);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- an answer of an authenticator ---- */

int
passkeys_bytes(const struct call *call, const char *key, struct writer *w)
{
	struct view text = { NULL, 0 };
	(void)json_string(call_arg(call, key), &text);
	int err = base64_decode(text, w);
	return err == FG_ENOMEM ? err : err ? FG_EFORMAT : FG_OK;
}

struct shown {
	struct writer client, auth, credential, signature;
};

static void
shown_begin(struct shown *s)
{
	writer_init(&s->client, WEBAUTHN_CLIENT_MAX);
	writer_init(&s->auth, WEBAUTHN_AUTH_MAX);
	writer_init(&s->credential, WEBAUTHN_CREDENTIAL_MAX);
	writer_init(&s->signature, WEBAUTHN_SIGNATURE_MAX);
}

static void
shown_free(struct shown *s)
{
	writer_free(&s->client);
	writer_free(&s->auth);
	writer_free(&s->credential);
	writer_free(&s->signature);
}

static int
shown_read(struct shown *s, const struct call *call)
{
	int err = passkeys_bytes(call, "client_data", &s->client);
	err = err ? err : passkeys_bytes(call, "authenticator_data", &s->auth);
	err = err ? err : passkeys_bytes(call, "credential", &s->credential);
	return err ? err : passkeys_bytes(call, "signature", &s->signature);
}

/* The key that the credential names; where there is none nobody's, under which nothing is good. *ret_known says which. */
static int
key_of(struct passkeys *p, const struct shown *s, const char *rp_id, struct db_passkey *k, struct sshkey *ret, bool *ret_known)
{
	*ret = (struct sshkey){ .type = SSHKEY_SK_ECDSA };
	memcpy(ret->point, nobody, sizeof nobody);
	snprintf(ret->application, sizeof ret->application, "%s", rp_id);
	int err = db_passkey_find(p->c->db, writer_view(&s->credential), k);
	*ret_known = !err && sshkey_parse_blob(view_of(k->key, k->key_n), ret, NULL) == 0;
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* Whose it is: of who signs in the handle says it as well, of who is signed in the session. */
static bool
is_theirs(const struct call *call, enum passkeys_use use, const struct db_passkey *k)
{
	char hex[2 * DB_ID + 1];
	uint8_t handle[DB_ID];
	if (use == PASSKEYS_FRESH)
		return strcmp(k->account, call_who(call)->account) == 0;
	(void)call_text(call, "handle", hex, sizeof hex);
	return hex_decode(view_str(hex), handle, sizeof handle) && memcmp(handle, k->id, sizeof handle) == 0;
}

/*
 * FG_OK: that passkey's owner is there. FG_EPERM: no; by is told why. FG_ESTATE: it is theirs, and suspended already.
 * k and a are set as far as they are known.
 */
static int
judge(struct passkeys *p, const struct call *call, enum passkeys_use use, const struct passkeys_site *site, struct db_passkey *k,
    struct db_account *a, struct webauthn *ret, char by[BY_CAP])
{
	struct passkeys_challenge asked;
	struct shown s;
	struct sshkey key;
	bool known = false;
	snprintf(by, BY_CAP, "passkey");
	if (!passkeys_take(p, call, use, &asked)) {
		snprintf(by, BY_CAP, "passkey: unknown challenge");
		return FG_EPERM;
	}
	const struct webauthn_rules rules = { site->rp_id, site->origin, asked.bytes };
	shown_begin(&s);
	int err = shown_read(&s, call);
	if (!err)
		err = key_of(p, &s, site->rp_id, k, &key, &known);
	if (!err)
		err = webauthn_asserted(&key, writer_view(&s.client), writer_view(&s.auth), writer_view(&s.signature), &rules, ret);
	shown_free(&s);
	if (err)
		return err == FG_EFORMAT ? FG_EPERM : err;
	snprintf(by, BY_CAP, "passkey: %s", known ? webauthn_outcome_name(ret->outcome) : "unknown");
	if (!known || ret->outcome != WEBAUTHN_GOOD)
		return FG_EPERM;
	/* It may have come into the signer set since it was made. */
	if (passkeys_signs(p, &key)) {
		snprintf(by, BY_CAP, "passkey: it signs approvals");
		return FG_EPERM;
	}
	/* Whether a key can be copied is decided when it is made. */
	if (!is_theirs(call, use, k) || ((ret->flags ^ k->flags) & SSHSIG_FLAG_BE)) {
		snprintf(by, BY_CAP, "passkey: of another");
		return FG_EPERM;
	}
	err = db_account_get(p->c->db, k->account, a);
	if (err || a->disabled)
		return err && err != FG_ENOTFOUND ? err : FG_EPERM;
	return k->suspended ? FG_ESTATE : FG_OK;
}

/* ---- one that may have a copy ---- */

int
passkeys_end(struct control *c, const struct db_passkey *k, int (*what)(struct db *db, const struct db_passkey *k, int64_t now),
    const uint8_t *keep, unsigned *ret_sessions)
{
	int64_t now = control_now(c);
	int err = db_begin(c->db);
	if (err)
		return err;
	err = what(c->db, k, now);
	if (!err)
		err = db_session_end_all(c->db, k->account, keep, now, ret_sessions);
	err = db_end(c->db, err);
	if (!err)
		accounts_later_word(c->accounts, k->account);
	return err;
}

static int
suspend(struct db *db, const struct db_passkey *k, int64_t now)
{
	return db_passkey_suspend(db, k->id, now);
}

/* Done first, then told. Whoever has the copy may have a session by it. */
static void
counter_went_back(struct passkeys *p, const struct call *call, const struct db_passkey *k, const struct db_account *a,
    uint32_t counter)
{
	struct control *c = p->c;
	unsigned sessions = 0;
	int err = passkeys_end(c, k, suspend, NULL, &sessions);
	oplog(OPLOG_WARNING, "a passkey of %s was suspended: its counter went from %" PRIu32 " to %" PRIu32 "%s%s", a->name,
	    k->counter, counter, err ? "; it could not be written down: " : "", err ? db_why(c->db) : "");
	struct msg_append *e = accounts_entry(c, call, a, "passkey suspended");
	if (!e)
		return;
	passkeys_ref(e, k);
	logbook_ref_number(e, "counter", counter);
	logbook_ref_number(e, "counter.before", k->counter);
	logbook_ref_number(e, "sessions", sessions);
	logbook_say(e, "its counter went back: there may be a copy of it");
	logbook_tell(c->logbook, e);
}

/* The last of what a passkey is asked: FG_ESTATE when it is suspended, or is from now on. */
static int
use_it(struct passkeys *p, const struct call *call, const struct db_passkey *k, const struct db_account *a,
    const struct webauthn *w)
{
	int err = db_passkey_used(p->c->db, k->id, w->counter, w->flags & (SSHSIG_FLAG_BE | SSHSIG_FLAG_BS), control_now(p->c));
	if (err == FG_ESTATE)
		counter_went_back(p, call, k, a, w->counter);
	return err;
}

/* Only who has the key is told so. */
static void
suspended(struct passkeys *p, struct call *call, const char *account)
{
	signins_note_failed(p->c->signins, call_who(call), account, "passkey: suspended");
	call_fail(call, CALL_REFUSED, "PASSKEY", "sign in another way, remove it, and make another one",
	    "that passkey is suspended: its counter went back, so that there may be a copy of it");
}

/* ---- session.passkey ---- */

static void
open_for(struct passkeys *p, struct call *call, const struct passkeys_site *site)
{
	struct control *c = p->c;
	struct db_passkey k = { .suspended = 1 };
	struct db_account a = { .disabled = true };
	struct webauthn w = { .outcome = WEBAUTHN_UNKNOWN };
	uint8_t peer[CALLERS_ID];
	char by[BY_CAP];
	memcpy(peer, call_who(call)->peer, sizeof peer);
	int err = judge(p, call, PASSKEYS_SIGN_IN, site, &k, &a, &w, by);
	if (!err)
		err = use_it(p, call, &k, &a, &w);
	if (err == FG_EPERM) {
		signins_no(c->signins, call, k.account[0] ? k.account : NULL, by);
	} else if (err == FG_ESTATE) {
		suspended(p, call, a.name);
	} else if (err) {
		throttle_refund(c->db, THROTTLE_SOURCE, view_of(peer, sizeof peer));
		call_fail_err(call, err);
	} else if (!signins_begin(c->signins, call, &a, SESSIONS_BY_PASSKEY)) {
		throttle_clear(c->db, THROTTLE_SOURCE, view_of(peer, sizeof peer));
	}
	wipe(&a, sizeof a);
}

void
passkeys_open(struct passkeys *p, struct call *call)
{
	struct control *c = p->c;
	const struct view source = view_of(call_who(call)->peer, CALLERS_ID);
	struct passkeys_site site;
	if (!passkeys_site(p, call, &site))
		return;
	int64_t wait = throttle_wait(c->db, THROTTLE_SOURCE, source, control_now(c));
	if (wait) {
		signins_throttled(c->signins, call, NULL, wait);
		return;
	}
	int err = throttle_charge(c->db, THROTTLE_SOURCE, source, control_now(c));
	if (err)
		call_fail_err(call, err);
	else
		open_for(p, call, &site);
}

/* ---- passkey.fresh, and its code ---- */

bool
passkeys_is_code(const char *code)
{
	return code[0] == CODE_MARK;
}

bool
passkeys_code(struct passkeys *p, const struct caller *who, const char *code)
{
	bool is = false;
	for (unsigned i = 0; p && i < PASSKEYS_OWN; i++) {
		struct passkeys_code *k = &p->code[i];
		char typed[PASSKEYS_CODE_CAP] = "";
		if (!k->at || memcmp(k->session, who->session, sizeof k->session) != 0)
			continue;
		/* Any try uses it up: nobody guesses twice. */
		snprintf(typed, sizeof typed, "%s", code);
		is |= !is_old(k->at, control_now(p->c), PASSKEYS_CODE_S) && strlen(code) < sizeof typed &&
		    wipe_equal(k->text, typed, sizeof typed);
		wipe(k, sizeof *k);
	}
	return is;
}

static struct passkeys_code *
code_place(struct passkeys *p, const uint8_t session[CALLERS_ID])
{
	struct passkeys_code *best = &p->code[0];
	for (unsigned i = 0; i < PASSKEYS_OWN; i++) {
		if (p->code[i].at && memcmp(p->code[i].session, session, CALLERS_ID) == 0)
			return &p->code[i];
		if (p->code[i].at < best->at)
			best = &p->code[i];
	}
	return best;
}

static void
give_code(struct passkeys *p, struct call *call)
{
	struct passkeys_code *k = code_place(p, call_who(call)->session);
	uint8_t bytes[CODE_BYTES];
	struct call_doc d;
	wipe(k, sizeof *k);
	if (RAND_bytes(bytes, sizeof bytes) != 1) {
		call_fail_err(call, FG_ECRYPTO);
		return;
	}
	k->at = control_now(p->c);
	k->text[0] = CODE_MARK;
	base32_encode(view_of(bytes, sizeof bytes), k->text + 1);
	wipe(bytes, sizeof bytes);
	memcpy(k->session, call_who(call)->session, sizeof k->session);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "code", k->text);
	requests_put_time(&d.j, "until", k->at + PASSKEYS_CODE_S);
	call_doc_end(call, &d, CALL_DONE);
}

void
passkeys_fresh(struct passkeys *p, struct call *call)
{
	struct control *c = p->c;
	struct passkeys_site site;
	struct db_passkey k = { .suspended = 1 };
	struct db_account a = { .disabled = true };
	struct webauthn w = { .outcome = WEBAUTHN_UNKNOWN };
	char by[BY_CAP];
	if (!passkeys_site(p, call, &site))
		return;
	int err = judge(p, call, PASSKEYS_FRESH, &site, &k, &a, &w, by);
	if (!err)
		err = use_it(p, call, &k, &a, &w);
	if (err == FG_EPERM)
		signins_no(c->signins, call, call_who(call)->account, by);
	else if (err == FG_ESTATE)
		suspended(p, call, a.name);
	else if (err)
		call_fail_err(call, err);
	else
		give_code(p, call);
	wipe(&a, sizeof a);
}
