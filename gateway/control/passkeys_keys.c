/* SPDX-License-Identifier: Apache-2.0 */
/* passkey.challenge, .add, .list and .remove: which passkeys an account has. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts_private.h"
#include "gateway/control/passkeys_private.h"
#include "gateway/control/signins.h"

void
passkeys_ref(struct msg_append *e, const struct db_passkey *k)
{
	char hex[2 * DB_ID + 1];
	hex_encode(k->id, sizeof k->id, hex);
	logbook_ref(e, "backup", sshsig_backup_name(k->flags));
	logbook_ref(e, "passkey", hex);
	logbook_ref(e, "passkey.name", k->name);
}

void
passkeys_alerts(struct control *c, void (*alert)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	uint64_t n = 0;
	char text[160];
	if (db_passkey_suspended(c->db, &n) || !n)
		return;
	snprintf(text, sizeof text, "passkeys whose counter went back, of which there may be copies: %" PRIu64
	    "; see fotagate account list and passkeys", n);
	alert(j, "PASSKEY", text);
}

/* False: the call is answered. */
static bool
own_account(struct passkeys *p, struct call *call, struct db_account *ret)
{
	const struct caller *who = call_who(call);
	if (who->means != CALLERS_MEANS_SESSION) {
		call_fail(call, CALL_REFUSED, "DENIED", "sign in to the console", "only a browser has a passkey");
		return false;
	}
	int err = db_account_get(p->c->db, who->account, ret);
	if (err)
		call_fail_err(call, err);
	return !err;
}

/* ---- passkey.challenge ---- */

static int
put_credential(void *arg, const struct db_passkey *k)
{
	struct jsonw *j = arg;
	struct writer w;
	writer_init(&w, 2 * WEBAUTHN_CREDENTIAL_MAX);
	base64_encode(view_of(k->credential, k->credential_n), &w);
	int err = writer_err(&w);
	if (!err)
		jsonw_string(j, writer_view(&w));
	writer_free(&w);
	return err;
}

void
passkeys_challenge(struct passkeys *p, struct call *call)
{
	const bool add = call_flag(call, "add");
	struct db_account a = { .disabled = true };
	struct passkeys_site site;
	struct call_doc d;
	bool fit = own_account(p, call, &a) && passkeys_site(p, call, &site);
	wipe(&a, sizeof a);
	const struct passkeys_challenge *ch = fit ? passkeys_issue(p, call, add ? PASSKEYS_ADD : PASSKEYS_FRESH) : NULL;
	if (!ch)
		return;
	call_doc_begin(&d);
	jsonw_khex(&d.j, "challenge", ch->bytes, sizeof ch->bytes);
	jsonw_key(&d.j, "credentials");
	jsonw_array(&d.j);
	int err = db_passkey_list(p->c->db, call_who(call)->account, put_credential, &d.j);
	jsonw_array_end(&d.j);
	requests_put_digest(&d.j, "handle", add, ch->handle, sizeof ch->handle);
	jsonw_kcstr(&d.j, "rp_id", site.rp_id);
	jsonw_kuint(&d.j, "seconds", PASSKEYS_CHALLENGE_S);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

/* ---- passkey.add ---- */

/* What the authenticator made, into k; by says why not, with FG_EPERM. */
static int
take_made(struct passkeys *p, const struct call *call, const struct passkeys_site *site, struct db_passkey *k, struct sshkey *key,
    const char **by)
{
	struct passkeys_challenge asked;
	struct webauthn made = { .outcome = WEBAUTHN_UNKNOWN };
	struct writer client, object, blob;
	*by = "its challenge is none of this session's, or too old";
	if (!passkeys_take(p, call, PASSKEYS_ADD, &asked))
		return FG_EPERM;
	*by = webauthn_outcome_name(WEBAUTHN_MALFORMED);
	const struct webauthn_rules rules = { site->rp_id, site->origin, asked.bytes };
	writer_init(&client, WEBAUTHN_CLIENT_MAX);
	writer_init(&object, WEBAUTHN_OBJECT_MAX);
	writer_init(&blob, sizeof k->key);
	int err = passkeys_bytes(call, "client_data", &client);
	if (!err)
		err = passkeys_bytes(call, "object", &object);
	if (!err) {
		err = webauthn_made(writer_view(&client), writer_view(&object), &rules, &made);
		*by = webauthn_outcome_name(made.outcome);
	}
	if (!err && made.outcome == WEBAUTHN_GOOD) {
		sshkey_write_blob(&made.key, &blob);
		err = writer_err(&blob);
	}
	if (!err && made.outcome == WEBAUTHN_GOOD) {
		*key = made.key;
		memcpy(k->id, asked.handle, sizeof k->id);
		memcpy(k->credential, made.credential.p, k->credential_n = made.credential.n);
		memcpy(k->key, blob.p, k->key_n = blob.n);
		k->counter = made.counter;
		k->flags = made.flags & (SSHSIG_FLAG_BE | SSHSIG_FLAG_BS);
	}
	writer_free(&client);
	writer_free(&object);
	writer_free(&blob);
	return err == FG_EFORMAT || (!err && made.outcome != WEBAUTHN_GOOD) ? FG_EPERM : err;
}

bool
passkeys_signs(const struct passkeys *p, const struct sshkey *key)
{
	const struct signers *set = people_set(p->c->people);
	for (uint32_t i = 0; i < set->n; i++)
		if (sshkey_same_point(&set->signer[i].key, key))
			return true;
	return false;
}

/* False: the call is answered. */
static bool
may_be_added(struct passkeys *p, struct call *call, const struct db_account *a, const struct sshkey *key)
{
	if (passkeys_signs(p, key))
		call_fail(call, CALL_REFUSED, "SEPARATION", "make another one to sign in with",
		    "that key signs approvals: it lets nobody in");
	else if (a->lent && (call_who(call)->roles & CALLERS_ENROL))
		call_fail(call, CALL_REFUSED, "STATE", "choose your own password first",
		    "somebody else chose this account's password");
	else if (a->passkeys >= DB_PASSKEYS_OF_ONE)
		call_fail(call, CALL_REFUSED, "LIMIT", "remove one", "there are %d passkeys already", DB_PASSKEYS_OF_ONE);
	else
		/* The first factor beside a password asks for nothing, as the first code does. */
		return (!a->have_totp && !a->passkeys) || signins_fresh(p->c->signins, call);
	return false;
}

void
passkeys_add(struct passkeys *p, struct call *call)
{
	struct accounts_change *ch = accounts_begin(p->c->accounts, call, ACCOUNTS_PASSKEY);
	struct passkeys_site site;
	struct sshkey key;
	const char *by = "";
	if (!ch)
		return;
	ch->passkey = calloc(1, sizeof *ch->passkey);
	if (!ch->passkey)
		call_fail_err(call, FG_ENOMEM);
	if (!ch->passkey || !own_account(p, call, &ch->row) || !passkeys_site(p, call, &site)) {
		accounts_end(ch);
		return;
	}
	snprintf(ch->passkey->account, sizeof ch->passkey->account, "%s", ch->row.name);
	(void)call_text(call, "name", ch->passkey->name, sizeof ch->passkey->name);
	ch->passkey->made = control_now(p->c);
	int err = take_made(p, call, &site, ch->passkey, &key, &by);
	if (err == FG_EPERM)
		call_fail(call, CALL_REFUSED, "PASSKEY", "try again, or with another authenticator",
		    "that is no passkey of this console: %s", by);
	else if (err)
		call_fail_err(call, err);
	if (!err && may_be_added(p, call, &ch->row, &key))
		accounts_log(ch);
	else
		accounts_end(ch);
}

/* ---- passkey.list ---- */

static int
put(void *arg, const struct db_passkey *k)
{
	struct jsonw *j = arg;
	struct sshkey key;
	char text[SSHKEY_FINGERPRINT_CAP] = "";
	if (sshkey_parse_blob(view_of(k->key, k->key_n), &key, NULL) || sshkey_fingerprint(&key, text))
		text[0] = '\0';
	jsonw_object(j);
	jsonw_kcstr(j, "backup", sshsig_backup_name(k->flags));
	jsonw_kuint(j, "counter", k->counter);
	jsonw_kcstr(j, "fingerprint", text);
	jsonw_khex(j, "id", k->id, sizeof k->id);
	requests_put_time(j, "last", k->last);
	requests_put_time(j, "made", k->made);
	requests_put_text(j, "name", k->name);
	requests_put_time(j, "suspended", k->suspended);
	jsonw_object_end(j);
	return 0;
}

/* One's own; those of others are for administrators and auditors. */
static bool
may_see(const struct call *call, const char *account)
{
	const struct caller *who = call_who(call);
	return who->roles & (CALLERS_ADMIN | CALLERS_AUDITOR) || strcmp(who->account, account) == 0;
}

void
passkeys_list(struct passkeys *p, struct call *call)
{
	struct db_account a = { .disabled = true };
	char name[DB_ACCOUNT_NAME_CAP];
	struct call_doc d;
	(void)call_text(call, "account", name, sizeof name);
	if (!may_see(call, name)) {
		call_fail(call, CALL_REFUSED, "DENIED", "ask an administrator", "that is another's account");
		return;
	}
	if (!accounts_of(p->c->accounts, call, &a))
		return;
	wipe(&a, sizeof a);
	call_doc_begin(&d);
	jsonw_key(&d.j, "passkeys");
	jsonw_array(&d.j);
	int err = db_passkey_list(p->c->db, name, put, &d.j);
	jsonw_array_end(&d.j);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

/* ---- passkey.remove ---- */

static int
drop(struct db *db, const struct db_passkey *k, int64_t now)
{
	(void)now;
	return db_passkey_drop(db, k->id);
}

static int
another(void *arg, const struct db_passkey *k)
{
	return !k->suspended && memcmp(k->id, arg, DB_ID) != 0;
}

/* Nobody shuts oneself out by mistake. False: the call is answered. */
static bool
stays_open(struct passkeys *p, struct call *call, const struct db_account *a, struct db_passkey *k)
{
	if (a->hash[0] && a->have_totp)
		return true;
	int err = db_passkey_list(p->c->db, a->name, another, k->id);
	if (err < 0)
		call_fail_err(call, err);
	else if (!err)
		call_fail(call, CALL_REFUSED, "STATE", "make another one first", "nothing else lets you in");
	return err > 0;
}

/* What only takes away is done first, then told. Whatever was open by it ends. */
static void
remove_it(struct passkeys *p, struct call *call, struct db_account *a, const struct db_passkey *k, bool own)
{
	struct control *c = p->c;
	unsigned sessions = 0;
	int err = passkeys_end(c, k, drop, own ? call_who(call)->session : NULL, &sessions);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	struct msg_append *e = accounts_entry(c, call, a, "passkey removed");
	if (e) {
		passkeys_ref(e, k);
		logbook_ref_number(e, "sessions", sessions);
	}
	logbook_tell(c->logbook, e);
	a->passkeys--;
	accounts_answer(c, call, a, sessions, 0);
}

void
passkeys_remove(struct passkeys *p, struct call *call)
{
	struct db_passkey k = { .suspended = 1 };
	struct db_account a = { .disabled = true };
	char hex[2 * DB_ID + 1];
	uint8_t id[DB_ID];
	(void)call_text(call, "passkey", hex, sizeof hex);
	int err = hex_decode(view_str(hex), id, sizeof id) ? db_passkey_get(p->c->db, id, &k) : FG_ENOTFOUND;
	if (!err)
		err = db_account_get(p->c->db, k.account, &a);
	bool own = !err && accounts_is_own(call, &a);
	/* Those of others are an administrator's to take away, and for anybody else are not there. */
	if (err == FG_ENOTFOUND || (!err && !own && !(call_who(call)->roles & CALLERS_ADMIN)))
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate account passkeys", "there is no such passkey");
	else if (err)
		call_fail_err(call, err);
	else if ((!own || stays_open(p, call, &a, &k)) && signins_fresh(p->c->signins, call))
		remove_it(p, call, &a, &k, own);
	wipe(&a, sizeof a);
}
