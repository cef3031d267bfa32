/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts_private.h"
#include "gateway/control/bindings.h"
#include "gateway/control/passkeys.h"
#include "gateway/control/signins.h"

#define BOTH (CALLERS_ADMIN | CALLERS_APPROVER)

struct accounts *
accounts_new(struct control *c)
{
	struct accounts *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	a->c = c;
	LIST_INIT(&a->changes);
	return a;
}

void
accounts_free(struct accounts *a)
{
	if (!a)
		return;
	while (!LIST_EMPTY(&a->changes))
		accounts_end(LIST_FIRST(&a->changes));
	wipe(a, sizeof *a);
	free(a);
}

/* ---- what an account is ---- */

unsigned
accounts_roles(const struct db_account *a, unsigned factors, int64_t now)
{
	unsigned roles = a->roles & CALLERS_ANY;
	const bool passkey = factors == SESSIONS_BY_PASSKEY;
	if (a->disabled || (passkey && !a->passkeys))
		return 0;
	/* A second factor that was made since makes nothing of a session that never showed it. */
	if (!passkey && (factors != (a->have_totp ? 2u : 1u) || (a->lent && now >= a->lent)))
		return 0;
	/* Where the second factor is a passkey, a password alone makes no other one beside it. */
	if (!passkey && !a->have_totp && a->passkeys)
		return 0;
	if (!passkey && (a->lent || !a->have_totp))
		return CALLERS_ENROL;
	return (roles & BOTH) == BOTH ? 0 : roles; /* only who wrote into the database can have made it so */
}

unsigned
accounts_sso_roles(const struct db_account *a)
{
	unsigned roles = a->roles & CALLERS_ANY;
	return a->disabled || (roles & BOTH) == BOTH ? 0 : roles;
}

bool
accounts_is_name(const char *name)
{
	size_t n = strlen(name);
	if (n == 0 || n >= DB_ACCOUNT_NAME_CAP || name[0] < 'a' || name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

void
accounts_put_roles(struct jsonw *j, unsigned roles)
{
	jsonw_key(j, "roles");
	jsonw_array(j);
	for (unsigned bit = 1; bit <= CALLERS_ANY; bit <<= 1)
		if (roles & bit)
			jsonw_cstr(j, callers_role_name(bit));
	jsonw_array_end(j);
}

static int
is_admin(void *arg, const struct db_account *a)
{
	(void)arg;
	return !a->disabled && a->roles & CALLERS_ADMIN;
}

bool
accounts_have_admin(struct control *c)
{
	return db_account_list(c->db, is_admin, NULL) != 0;
}

static void
put(struct control *c, struct jsonw *j, const struct db_account *a)
{
	jsonw_object(j);
	requests_put_text(j, "account", a->name);
	requests_put_time(j, "created", a->created);
	jsonw_kbool(j, "disabled", a->disabled);
	requests_put_text(j, "display", a->display);
	requests_put_time(j, "lent", a->lent);
	jsonw_kuint(j, "passkeys", a->passkeys);
	jsonw_kbool(j, "password", a->hash[0] != '\0');
	requests_put_text(j, "principal", a->principal);
	accounts_put_roles(j, a->roles);
	bindings_put(c, j, a->name);
	jsonw_kbool(j, "totp", a->have_totp);
	jsonw_object_end(j);
}

struct listing {
	struct control *c;
	struct jsonw *j;
};

static int
each(void *arg, const struct db_account *a)
{
	struct listing *l = arg;
	put(l->c, l->j, a);
	return 0;
}

void
accounts_list(struct accounts *a, struct call *call)
{
	struct call_doc d;
	struct listing l = { a->c, &d.j };
	call_doc_begin(&d);
	jsonw_key(&d.j, "accounts");
	jsonw_array(&d.j);
	int err = db_account_list(a->c->db, each, &l);
	jsonw_array_end(&d.j);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

void
accounts_answer(struct control *c, struct call *call, const struct db_account *a, unsigned sessions, unsigned tokens)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "account");
	put(c, &d.j, a);
	jsonw_kuint(&d.j, "sessions_ended", sessions);
	jsonw_kuint(&d.j, "tokens_revoked", tokens);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- a change ---- */

struct accounts_change *
accounts_begin(struct accounts *a, struct call *call, enum accounts_what what)
{
	struct accounts_change *ch = calloc(1, sizeof *ch);
	if (!ch) {
		call_fail_err(call, FG_ENOMEM);
		return NULL;
	}
	ch->a = a;
	ch->call = call;
	ch->what = what;
	ch->row.disabled = true;
	LIST_INSERT_HEAD(&a->changes, ch, link);
	return ch;
}

void
accounts_end(struct accounts_change *ch)
{
	LIST_REMOVE(ch, link);
	free(ch->passkey);
	wipe(ch, sizeof *ch);
	free(ch);
}

bool
accounts_of(struct accounts *a, struct call *call, struct db_account *ret)
{
	char name[DB_ACCOUNT_NAME_CAP];
	(void)call_text(call, "account", name, sizeof name);
	int err = db_account_get(a->c->db, name, ret);
	if (err == FG_ENOTFOUND)
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate account list", "there is no account %s", name);
	else if (err)
		call_fail_err(call, err);
	return !err;
}

void
accounts_later_word(struct accounts *a, const char *name)
{
	struct accounts_change *ch;
	LIST_FOREACH(ch, &a->changes, link) {
		if (strcmp(ch->row.name, name) == 0)
			ch->again = true;
	}
}

struct msg_append *
accounts_entry(struct control *c, const struct call *call, const struct db_account *a, const char *change)
{
	char obj[DB_ACCOUNT_NAME_CAP + 8], roles[64];
	snprintf(obj, sizeof obj, "account:%s", a->name);
	callers_roles_text(a->roles & CALLERS_ANY, roles);
	struct msg_append *e = logbook_entry(ENTRY_ACCOUNT_CHANGED, "ok", requests_actor(c, call), obj);
	logbook_ref(e, "change", change);
	if (a->principal[0])
		logbook_ref(e, "principal", a->principal);
	logbook_ref(e, "roles", roles);
	return e;
}

/* The row as it is now, with that which is changed. */
static void
merge(const struct accounts_change *ch, struct db_account *a)
{
	switch (ch->what) {
	case ACCOUNTS_ENABLE:
		a->disabled = false;
		break;
	case ACCOUNTS_ROLES:
		a->roles = ch->row.roles;
		if (ch->named) {
			memcpy(a->display, ch->row.display, sizeof a->display);
			memcpy(a->principal, ch->row.principal, sizeof a->principal);
		}
		break;
	case ACCOUNTS_PASSWORD:
		memcpy(a->hash, ch->row.hash, sizeof a->hash);
		a->lent = ch->row.lent;
		break;
	case ACCOUNTS_TOTP:
	case ACCOUNTS_RESET:
		a->have_totp = ch->row.have_totp;
		memcpy(a->totp, ch->row.totp, sizeof a->totp);
		a->totp_step = ch->row.totp_step;
		break;
	case ACCOUNTS_PASSKEY:
		/* Made by who had shown a password only: that alone lets in no more. */
		if (!a->have_totp) {
			a->hash[0] = '\0';
			a->lent = 0;
		}
		break;
	case ACCOUNTS_PASSKEY_ONLY:
		a->hash[0] = '\0';
		a->lent = 0;
		a->have_totp = false;
		wipe(a->totp, sizeof a->totp);
		a->totp_step = 0;
		break;
	case ACCOUNTS_NOTHING:
	case ACCOUNTS_ADD:
		break;
	}
}

/* All or nothing: a new secret and the end of whatever the old one had opened. */
static int
apply(const struct accounts_change *ch, struct db_account *a, unsigned *ret_ended)
{
	struct db *db = ch->a->c->db;
	const bool ends = ch->what == ACCOUNTS_PASSWORD || ch->what == ACCOUNTS_TOTP || ch->what == ACCOUNTS_RESET ||
	    ch->what == ACCOUNTS_PASSKEY_ONLY;
	unsigned dropped = 0;
	*a = ch->row;
	if (ch->what == ACCOUNTS_ADD)
		return db_account_add(db, a);
	int err = db_begin(db);
	if (err)
		return err;
	err = db_account_get(db, ch->row.name, a);
	if (!err) {
		merge(ch, a);
		err = db_account_set(db, a);
	}
	if (!err && ch->what == ACCOUNTS_RESET)
		err = db_passkey_drop_all(db, a->name, &dropped);
	if (!err && ch->what == ACCOUNTS_PASSKEY)
		err = db_passkey_add(db, ch->passkey);
	a->passkeys = ch->what == ACCOUNTS_PASSKEY ? a->passkeys + 1 : a->passkeys - dropped;
	if (!err && ends)
		err = db_session_end_all(db, a->name, ch->keep ? call_who(ch->call)->session : NULL, control_now(ch->a->c),
		    ret_ended);
	return db_end(db, err);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct accounts_change *ch = ctx;
	struct accounts *a = ch->a;
	struct call *call = ch->call;
	struct db_account row = { .disabled = true };
	unsigned ended = 0;
	(void)index;
	if (err) {
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it: nothing was changed");
	} else if (ch->again) {
		call_fail(call, CALL_REFUSED, "STATE", "see fotagate account list", "the account was changed meanwhile");
	} else if ((err = apply(ch, &row, &ended)) == FG_EEXIST) {
		call_fail(call, CALL_REFUSED, "EXISTS", "", ch->passkey ? "that passkey is there already" :
		    "there is an account of that name");
	} else if (err) {
		call_fail_err(call, err);
	} else {
		accounts_later_word(a, row.name);
		accounts_answer(a->c, call, &row, ended, 0);
	}
	wipe(&row, sizeof row);
	accounts_end(ch);
}

void
accounts_log(struct accounts_change *ch)
{
	static const char *const words[] = { "", "added", "enabled", "roles", "password", "second factor made",
		"second factor taken off", "passkey added", "passkey only" };
	struct control *c = ch->a->c;
	struct msg_append *e = accounts_entry(c, ch->call, &ch->row, words[ch->what]);
	if (e && ch->passkey)
		passkeys_ref(e, ch->passkey);
	int err = e ? logbook_append(c->logbook, e, on_logged, ch) : FG_ENOMEM;
	free(e);
	if (!err)
		return;
	if (err == FG_EAGAIN)
		call_fail(ch->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(c->logbook));
	else
		call_fail_err(ch->call, err);
	accounts_end(ch);
}

/* ---- arguments ---- */

/* False: the call is answered. */
static bool
roles_of(struct call *call, uint32_t *ret)
{
	const struct json_value *list = call_arg(call, "roles");
	*ret = 0;
	for (size_t i = 0; i < json_count(list); i++) {
		struct view word;
		(void)json_string(json_at(list, i), &word);
		unsigned role = callers_role_parse(word);
		if (!role) {
			call_fail(call, CALL_USAGE, "USAGE", "viewer, operator, approver, admin, auditor", "there is no such role");
			return false;
		}
		*ret |= role;
	}
	if (!*ret)
		call_fail(call, CALL_USAGE, "USAGE", "viewer, operator, approver, admin, auditor", "an account has a role");
	else if ((*ret & BOTH) == BOTH)
		call_fail(call, CALL_REFUSED, "SEPARATION", "make two accounts, of two persons",
		    "nobody is admin and approver at once: who says who may sign does not sign");
	return *ret && (*ret & BOTH) != BOTH;
}

/* ---- account.add, .roles, .enable, .disable ---- */

/* False: the call is answered. */
static bool
may_be_added(struct accounts *a, struct call *call, const char *name)
{
	struct db_account there;
	uint64_t n = 0;
	int err = db_account_count(a->c->db, &n);
	bool taken = !err && db_account_get(a->c->db, name, &there) == FG_OK;
	wipe(&there, sizeof there);
	if (err)
		call_fail_err(call, err);
	else if (!accounts_is_name(name))
		call_fail(call, CALL_USAGE, "USAGE", "",
		    "the name of an account is a-z, then a-z, 0-9, '.', '_' and '-', %d at most", DB_ACCOUNT_NAME_CAP - 1);
	else if (n >= ACCOUNTS_MAX)
		call_fail(call, CALL_REFUSED, "LIMIT", "", "there are %d accounts already", ACCOUNTS_MAX);
	else if (taken)
		call_fail(call, CALL_REFUSED, "EXISTS", "", "there is an account of that name");
	else
		return true;
	return false;
}

void
accounts_add(struct accounts *a, struct call *call)
{
	struct accounts_change *ch = accounts_begin(a, call, ACCOUNTS_ADD);
	if (!ch)
		return;
	struct db_account *row = &ch->row;
	row->created = control_now(a->c);
	row->lent = row->created + ACCOUNTS_LENT_S;
	row->disabled = false;
	(void)call_text(call, "account", row->name, sizeof row->name);
	(void)call_text(call, "display", row->display, sizeof row->display);
	(void)call_text(call, "principal", row->principal, sizeof row->principal);
	if (may_be_added(a, call, row->name) && roles_of(call, &row->roles) && accounts_next(ch, row->name) &&
	    signins_fresh(a->c->signins, call))
		accounts_hash(ch);
	else
		accounts_end(ch);
}

/* What only takes away is done first, then told. */
static void
take_roles(struct accounts_change *ch)
{
	struct accounts *a = ch->a;
	struct call *call = ch->call;
	struct db_account row = { .disabled = true };
	unsigned ended = 0;
	int err = apply(ch, &row, &ended);
	if (!err) {
		accounts_later_word(a, row.name);
		logbook_tell(a->c->logbook, accounts_entry(a->c, call, &row, "roles"));
		accounts_answer(a->c, call, &row, 0, 0);
	} else {
		call_fail_err(call, err);
	}
	wipe(&row, sizeof row);
	accounts_end(ch);
}

void
accounts_set_roles(struct accounts *a, struct call *call)
{
	struct accounts_change *ch = accounts_begin(a, call, ACCOUNTS_ROLES);
	if (!ch)
		return;
	struct db_account *row = &ch->row;
	uint32_t roles = 0;
	if (!accounts_of(a, call, row) || !roles_of(call, &roles)) {
		accounts_end(ch);
		return;
	}
	ch->named = call_arg(call, "principal") || call_arg(call, "display");
	if (call_arg(call, "principal"))
		(void)call_text(call, "principal", row->principal, sizeof row->principal);
	if (call_arg(call, "display"))
		(void)call_text(call, "display", row->display, sizeof row->display);
	bool takes = !ch->named && !(roles & ~row->roles);
	row->roles = roles;
	if (takes)
		take_roles(ch);
	else if (signins_fresh(a->c->signins, call))
		accounts_log(ch);
	else
		accounts_end(ch);
}

void
accounts_enable(struct accounts *a, struct call *call)
{
	struct accounts_change *ch = accounts_begin(a, call, ACCOUNTS_ENABLE);
	if (!ch)
		return;
	if (accounts_of(a, call, &ch->row) && signins_fresh(a->c->signins, call))
		accounts_log(ch);
	else
		accounts_end(ch);
}

/* Whatever it had open ends in the same moment. */
static int
disable(struct control *c, struct db_account *row, unsigned *sessions, unsigned *tokens)
{
	int64_t now = control_now(c);
	int err = db_begin(c->db);
	if (err)
		return err;
	row->disabled = true;
	err = db_account_set(c->db, row);
	if (!err)
		err = db_session_end_all(c->db, row->name, NULL, now, sessions);
	if (!err)
		err = db_token_revoke_all(c->db, row->name, now, tokens);
	return db_end(c->db, err);
}

void
accounts_disable(struct accounts *a, struct call *call)
{
	struct db_account row = { .disabled = true };
	char reason[DB_TEXT_MAX];
	unsigned sessions = 0, tokens = 0;
	(void)call_text(call, "reason", reason, sizeof reason);
	if (!accounts_of(a, call, &row))
		return;
	int err = disable(a->c, &row, &sessions, &tokens);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	accounts_later_word(a, row.name);
	struct msg_append *e = accounts_entry(a->c, call, &row, "disabled");
	logbook_ref_number(e, "sessions", sessions);
	logbook_ref_number(e, "tokens", tokens);
	logbook_say(e, "%s", reason);
	logbook_tell(a->c->logbook, e);
	accounts_answer(a->c, call, &row, sessions, tokens);
	wipe(&row, sizeof row);
}
