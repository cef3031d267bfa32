/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/tokens.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/signins.h"

#define DAY 86400
#define REMEMBERED_S (400 * DAY) /* a year of audits, and a month */
#define SECRET 32
#define TEXT_CAP 64

static const struct {
	const char *name;
	enum tokens_scope scope;
	unsigned need;  /* the account has one of these */
	unsigned gives;
} scopes[] = {
	{ "view", TOKENS_VIEW, CALLERS_ANY, CALLERS_VIEWER },
	{ "operate", TOKENS_OPERATE, CALLERS_OPERATOR | CALLERS_ADMIN, CALLERS_OPERATOR },
	{ "audit", TOKENS_AUDIT, CALLERS_AUDITOR | CALLERS_APPROVER | CALLERS_ADMIN, CALLERS_AUDITOR },
};
#define SCOPES (sizeof scopes / sizeof scopes[0])

struct tokens {
	struct control *c;
};

struct tokens *
tokens_new(struct control *c)
{
	struct tokens *t = calloc(1, sizeof *t);
	if (t)
		t->c = c;
	return t;
}

void
tokens_free(struct tokens *t)
{
	free(t);
}

void
tokens_tidy(struct tokens *t)
{
	if (db_token_forget(t->c->db, control_now(t->c) - REMEMBERED_S))
		oplog(OPLOG_WARNING, "old tokens could not be forgotten: %s", db_why(t->c->db));
}

unsigned
tokens_roles(uint32_t has, unsigned account)
{
	unsigned roles = 0;
	for (size_t i = 0; i < SCOPES; i++)
		if (has & scopes[i].scope && account & scopes[i].need)
			roles |= scopes[i].gives;
	return roles;
}

bool
tokens_identify(struct tokens *t, const uint8_t secret[SECRET], struct caller *ret)
{
	struct db *db = t->c->db;
	uint8_t digest[DIGEST_SHA256_LEN];
	struct db_token k;
	struct db_account a;
	int64_t now = control_now(t->c);
	if (digest_sha256(view_of(secret, SECRET), digest) || db_token_find(db, digest, &k) || k.revoked || now >= k.expires ||
	    db_account_get(db, k.account, &a))
		return false;
	unsigned roles = a.disabled ? 0 : tokens_roles(k.scopes, a.roles);
	if (roles) {
		ret->roles = roles;
		snprintf(ret->user, sizeof ret->user, "token:%s", a.name);
		snprintf(ret->account, sizeof ret->account, "%s", a.name);
		snprintf(ret->principal, sizeof ret->principal, "%s", a.principal);
		memcpy(ret->session, k.id, sizeof ret->session);
		if ((k.last < 0 || now < k.last || now - k.last >= TOKENS_TOUCH_S) && db_token_touch(db, k.id, now))
			oplog(OPLOG_WARNING, "a token's last use could not be written down: %s", db_why(db));
	}
	wipe(&a, sizeof a);
	return roles != 0;
}

/* ---- documents ---- */

static void
put(struct jsonw *j, const struct db_token *k, const char *secret, int64_t now)
{
	jsonw_object(j);
	requests_put_text(j, "account", k->account);
	requests_put_text(j, "by", k->by);
	requests_put_time(j, "expires", k->expires);
	jsonw_khex(j, "id", k->id, sizeof k->id);
	requests_put_time(j, "last", k->last);
	requests_put_time(j, "made", k->made);
	requests_put_text(j, "name", k->name);
	requests_put_time(j, "revoked", k->revoked);
	jsonw_key(j, "scopes");
	jsonw_array(j);
	for (size_t i = 0; i < SCOPES; i++)
		if (k->scopes & scopes[i].scope)
			jsonw_cstr(j, scopes[i].name);
	jsonw_array_end(j);
	jsonw_kcstr(j, "state", k->revoked ? "revoked" : now >= k->expires ? "expired" : "valid");
	if (secret)
		jsonw_kcstr(j, "token", secret);
	jsonw_object_end(j);
}

static void
answer(struct tokens *t, struct call *call, const struct db_token *k, const char *secret)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "token");
	put(&d.j, k, secret, control_now(t->c));
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- token.create ---- */

struct creating { /* waits for its entry */
	struct tokens *t;
	struct call *call;
	struct db_token k;
	char text[TEXT_CAP];
};

static void
end(struct creating *n)
{
	wipe(n, sizeof *n);
	free(n);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct creating *n = ctx;
	(void)index;
	if (!err)
		err = db_token_add(n->t->c->db, &n->k);
	else if (err == FG_EAGAIN || err == FG_EIO)
		err = FG_EAGAIN;
	if (!err)
		answer(n->t, n->call, &n->k, n->text);
	else if (err == FG_EAGAIN)
		call_fail(n->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it: no token was made");
	else
		call_fail_err(n->call, err);
	end(n);
}

/* RFC 4648 section 5, without padding: it goes into a header. */
static int
make_secret(struct db_token *k, char text[TEXT_CAP])
{
	uint8_t secret[SECRET];
	struct writer w;
	if (RAND_bytes(secret, sizeof secret) != 1 || RAND_bytes(k->id, sizeof k->id) != 1)
		return FG_ECRYPTO;
	int err = digest_sha256(view_of(secret, sizeof secret), k->digest);
	writer_init(&w, TEXT_CAP - sizeof TOKENS_PREFIX);
	base64_encode(view_of(secret, sizeof secret), &w);
	wipe(secret, sizeof secret);
	if (!err)
		err = writer_err(&w);
	if (!err) {
		size_t n = sizeof TOKENS_PREFIX - 1;
		memcpy(text, TOKENS_PREFIX, n);
		for (size_t i = 0; i < w.n && w.p[i] != '='; i++)
			text[n++] = w.p[i] == '+' ? '-' : w.p[i] == '/' ? '_' : (char)w.p[i];
		text[n] = '\0';
	}
	writer_free(&w);
	return err;
}

/* False: the call is answered. */
static bool
scopes_of(struct call *call, const struct db_account *a, uint32_t *ret)
{
	const struct json_value *list = call_arg(call, "scopes");
	*ret = 0;
	for (size_t i = 0; i < json_count(list); i++) {
		struct view word;
		size_t s = 0;
		(void)json_string(json_at(list, i), &word);
		while (s < SCOPES && !view_is(word, scopes[s].name))
			s++;
		if (s == SCOPES) {
			call_fail(call, CALL_USAGE, "USAGE", "view, operate, audit", "there is no such scope");
			return false;
		}
		if (!(a->roles & scopes[s].need)) {
			call_fail(call, CALL_REFUSED, "ROLES", "see fotagate account list", "%s has no role for the scope %s",
			    a->name, scopes[s].name);
			return false;
		}
		*ret |= scopes[s].scope;
	}
	if (!*ret)
		call_fail(call, CALL_USAGE, "USAGE", "view, operate, audit", "a token has a scope");
	return *ret != 0;
}

/* False: the call is answered. */
static bool
wanted(struct tokens *t, struct call *call, struct db_token *k)
{
	struct db *db = t->c->db;
	struct db_account a;
	uint64_t days = call_number(call, "days", TOKENS_DAYS), n = 0;
	bool good = false;
	(void)call_text(call, "account", k->account, sizeof k->account);
	(void)call_text(call, "name", k->name, sizeof k->name);
	k->made = control_now(t->c);
	k->expires = k->made + (int64_t)(days <= TOKENS_DAYS_MAX ? days : 0) * DAY;
	snprintf(k->by, sizeof k->by, "%s", requests_actor(t->c, call));
	int err = db_account_get(db, k->account, &a);
	if (!err)
		err = db_token_count(db, k->made, &n);
	if (err == FG_ENOTFOUND)
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate account list", "there is no such account");
	else if (err)
		call_fail_err(call, err);
	else if (days < 1 || days > TOKENS_DAYS_MAX)
		call_fail(call, CALL_USAGE, "USAGE", "", "days must be 1 to %d", TOKENS_DAYS_MAX);
	else if (!k->name[0])
		call_fail(call, CALL_USAGE, "USAGE", "say what it is for", "a token has a name");
	else if (a.disabled)
		call_fail(call, CALL_REFUSED, "STATE", "fotagate account enable", "the account is disabled");
	else if (n >= TOKENS_MAX)
		call_fail(call, CALL_REFUSED, "LIMIT", "revoke some", "there are %d tokens already", TOKENS_MAX);
	else
		good = scopes_of(call, &a, &k->scopes);
	wipe(&a, sizeof a);
	return good;
}

static void
make(struct tokens *t, struct call *call, struct creating *n)
{
	char hex[2 * DB_ID + 1], obj[sizeof hex + 8], words[64] = "";
	int err = make_secret(&n->k, n->text);
	hex_encode(n->k.id, sizeof n->k.id, hex);
	snprintf(obj, sizeof obj, "token:%s", hex);
	for (size_t i = 0; i < SCOPES; i++)
		if (n->k.scopes & scopes[i].scope)
			snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", words[0] ? "," : "", scopes[i].name);
	struct msg_append *e = err ? NULL : logbook_entry(ENTRY_TOKEN_CREATED, "ok", n->k.by, obj);
	if (!err && !e)
		err = FG_ENOMEM;
	if (!err) {
		logbook_ref(e, "account", n->k.account);
		logbook_ref(e, "name", n->k.name);
		logbook_ref(e, "scopes", words);
		logbook_ref_number(e, "expires", (uint64_t)n->k.expires);
		err = logbook_append(t->c->logbook, e, on_logged, n);
	}
	free(e);
	if (!err)
		return;
	if (err == FG_EAGAIN)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(t->c->logbook));
	else
		call_fail_err(call, err);
	end(n);
}

void
tokens_create(struct tokens *t, struct call *call)
{
	struct creating *n = calloc(1, sizeof *n);
	if (!n) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	n->t = t;
	n->call = call;
	if (wanted(t, call, &n->k) && signins_fresh(t->c->signins, call))
		make(t, call, n);
	else
		end(n);
}

/* ---- token.list, token.revoke ---- */

struct listing {
	struct jsonw *j;
	int64_t now;
};

static int
each(void *arg, const struct db_token *k)
{
	struct listing *l = arg;
	put(l->j, k, NULL, l->now);
	return 0;
}

void
tokens_list(struct tokens *t, struct call *call)
{
	struct call_doc d;
	struct listing l = { &d.j, control_now(t->c) };
	call_doc_begin(&d);
	jsonw_key(&d.j, "tokens");
	jsonw_array(&d.j);
	int err = db_token_list(t->c->db, each, &l);
	jsonw_array_end(&d.j);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

/* Done first, then told. */
void
tokens_revoke(struct tokens *t, struct call *call)
{
	char text[2 * DB_ID + 1], obj[sizeof text + 8], reason[DB_TEXT_MAX];
	uint8_t id[DB_ID];
	struct db_token k;
	(void)call_text(call, "token", text, sizeof text);
	(void)call_text(call, "reason", reason, sizeof reason);
	int err = hex_decode(view_str(text), id, sizeof id) ? db_token_get(t->c->db, id, &k) : FG_ENOTFOUND;
	if (!err)
		err = db_token_revoke(t->c->db, id, control_now(t->c));
	if (!err)
		err = db_token_get(t->c->db, id, &k);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	snprintf(obj, sizeof obj, "token:%s", text);
	struct msg_append *e = logbook_entry(ENTRY_TOKEN_REVOKED, "ok", requests_actor(t->c, call), obj);
	logbook_ref(e, "account", k.account);
	logbook_ref(e, "name", k.name);
	logbook_say(e, "%s", reason);
	logbook_tell(t->c->logbook, e);
	answer(t, call, &k, NULL);
}
