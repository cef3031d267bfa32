/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/sessions.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/tokens.h"
#include "gateway/state/failure.h"

#define BACK_S 120             /* a clock that is set right goes back by less */
#define REMEMBERED_S 2592000   /* thirty days: from where an account came is known for that long */

#define WARN_S 60 /* between two words about a disk that does not take them */

struct sessions {
	struct control *c;
	int64_t warned;
};

struct sessions *
sessions_new(struct control *c)
{
	struct sessions *s = calloc(1, sizeof *s);
	if (s)
		s->c = c;
	return s;
}

void
sessions_free(struct sessions *s)
{
	free(s);
}

void
sessions_tidy(struct sessions *s)
{
	int64_t now = control_now(s->c);
	if (db_session_forget(s->c->db, now - REMEMBERED_S) || db_failure_forget(s->c->db, now - REMEMBERED_S))
		oplog(OPLOG_WARNING, "old sessions could not be forgotten: %s", db_why(s->c->db));
}

/* ---- from a secret to a caller ---- */

/* Nothing is written when time runs out: it is seen at each look. Before 1970 nobody was signed in. */
static bool
is_over(const struct db_session *n, int64_t now)
{
	return n->ended || n->last < 0 || now >= n->until || now - n->last >= SESSIONS_IDLE_S || now < n->last - BACK_S;
}

static unsigned
has_roles(const struct db_account *a, const struct db_session *n, int64_t now)
{
	return n->sso ? accounts_sso_roles(a) : accounts_roles(a, n->factors, now);
}

/* What it comes to with the account as it is now: 0 is nobody. */
static unsigned
roles_of(struct control *c, const struct db_session *n, struct db_account *a)
{
	if (is_over(n, control_now(c)) || db_account_get(c->db, n->account, a))
		return 0;
	return has_roles(a, n, control_now(c));
}

/* Asked by every call, and every call would say it again. The session ends sooner: it fails closed. */
static void
warn(struct sessions *s, int64_t now)
{
	if (now >= s->warned && now - s->warned < WARN_S)
		return;
	s->warned = now;
	oplog(OPLOG_WARNING, "a session's idle time could not be written down: %s", db_why(s->c->db));
}

static bool
by_session(struct control *c, const uint8_t secret[SESSIONS_SECRET], const struct sessions_from *from, bool touch,
    struct caller *who)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct db_session n;
	struct db_account a;
	int64_t now = control_now(c);
	if (digest_sha256(view_of(secret, SESSIONS_SECRET), digest) || db_session_find(c->db, digest, &n))
		return false;
	/* Its cookie is worth nothing beside the front, nor behind it for somebody else. */
	if (n.sso && memcmp(n.identity, from->person, sizeof n.identity) != 0)
		return false;
	who->roles = roles_of(c, &n, &a);
	if (!who->roles)
		return false;
	if (n.sso)
		who->means = CALLERS_MEANS_SSO;
	if (touch && now - n.last >= SESSIONS_TOUCH_S && db_session_touch(c->db, n.id, now))
		warn(c->sessions, now);
	snprintf(who->user, sizeof who->user, "account:%s", a.name);
	snprintf(who->account, sizeof who->account, "%s", a.name);
	snprintf(who->principal, sizeof who->principal, "%s", a.principal);
	memcpy(who->session, n.id, sizeof who->session);
	wipe(&a, sizeof a);
	return true;
}

static bool
identify(struct sessions *s, enum callers_means means, const uint8_t secret[SESSIONS_SECRET],
    const struct sessions_from *from, bool touch, struct caller *ret)
{
	struct caller who = { .means = means, .uid = CALLERS_UID_NONE };
	bool known = false;
	if (means == CALLERS_MEANS_GUEST) {
		who.roles = CALLERS_GUEST;
		snprintf(who.user, sizeof who.user, "guest");
		known = true;
	} else if (means == CALLERS_MEANS_SESSION) {
		known = by_session(s->c, secret, from, touch, &who);
	} else if (means == CALLERS_MEANS_TOKEN) {
		known = tokens_identify(s->c->tokens, secret, &who);
	}
	if (!known)
		return false;
	memcpy(who.peer, from->peer, sizeof who.peer);
	memcpy(who.person, from->person, sizeof who.person);
	snprintf(who.front, sizeof who.front, "%s", from->front ? from->front : "");
	*ret = who;
	return true;
}

bool
sessions_identify(struct sessions *s, enum callers_means means, const uint8_t secret[SESSIONS_SECRET],
    const struct sessions_from *from, struct caller *ret)
{
	return identify(s, means, secret, from, true, ret);
}

bool
sessions_look(struct sessions *s, enum callers_means means, const uint8_t secret[SESSIONS_SECRET],
    const struct sessions_from *from, struct caller *ret)
{
	return identify(s, means, secret, from, false, ret);
}

void
sessions_peer(const uint8_t peer[CALLERS_ID], char dst[SESSIONS_PEER_CAP])
{
	static const uint8_t v4[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	bool four = memcmp(peer, v4, sizeof v4) == 0;
	_Static_assert(SESSIONS_PEER_CAP >= INET6_ADDRSTRLEN, "it fits");
	dst[0] = '\0';
	(void)inet_ntop(four ? AF_INET : AF_INET6, four ? peer + sizeof v4 : peer, dst, SESSIONS_PEER_CAP);
}

/* ---- beginning ---- */

struct crowd { /* sessions of one account */
	int64_t now;
	unsigned n;
	uint8_t oldest[DB_ID];
};

static int
count(void *arg, const struct db_session *n)
{
	struct crowd *w = arg;
	if (is_over(n, w->now))
		return 0;
	if (!w->n++)
		memcpy(w->oldest, n->id, sizeof w->oldest);
	return 0;
}

int
sessions_open(struct sessions *s, const struct db_account *a, unsigned factors, const uint8_t *person,
    const uint8_t peer[CALLERS_ID], struct db_session *ret, uint8_t secret[SESSIONS_SECRET])
{
	struct control *c = s->c;
	struct db_session n = { .factors = (uint8_t)factors, .made = control_now(c) };
	struct crowd crowd = { .now = n.made };
	n.last = n.made;
	n.until = n.made + SESSIONS_LIFE_S;
	snprintf(n.account, sizeof n.account, "%s", a->name);
	memcpy(n.peer, peer, sizeof n.peer);
	n.sso = person != NULL;
	if (person)
		memcpy(n.identity, person, sizeof n.identity);
	if (RAND_bytes(n.id, sizeof n.id) != 1 || RAND_bytes(secret, SESSIONS_SECRET) != 1)
		return FG_ECRYPTO;
	int err = digest_sha256(view_of(secret, SESSIONS_SECRET), n.digest);
	if (!err)
		err = db_session_list(c->db, a->name, count, &crowd);
	if (!err && crowd.n >= SESSIONS_OF_ONE)
		err = db_session_end(c->db, crowd.oldest, n.made);
	if (!err)
		err = db_session_add(c->db, &n);
	if (err)
		wipe(secret, SESSIONS_SECRET);
	else
		*ret = n;
	return err;
}

/* ---- documents ---- */

const char *
sessions_by(unsigned factors)
{
	static const char *const words[] = { [SESSIONS_BY_SSO] = "single sign-on", [SESSIONS_BY_PASSWORD] = "password",
		[SESSIONS_BY_CODE] = "password and code", [SESSIONS_BY_PASSKEY] = "passkey" };
	return factors < sizeof words / sizeof words[0] ? words[factors] : "?";
}

/* What stands between somebody and their roles. */
static void
put_must(struct jsonw *j, const struct db_account *a, unsigned factors)
{
	const bool password = a && factors != SESSIONS_BY_PASSKEY;
	jsonw_key(j, "must");
	jsonw_array(j);
	if (password && a->lent)
		jsonw_cstr(j, "password");
	if (password && !a->have_totp)
		jsonw_cstr(j, "totp");
	jsonw_array_end(j);
}

/* Whose statements they sign; null: nobody's. */
static void
put_principal(struct jsonw *j, const char *principal)
{
	if (principal[0])
		requests_put_text(j, "principal", principal);
	else
		jsonw_knull(j, "principal");
}

void
sessions_answer(struct sessions *s, struct call *call, const struct db_account *a, const struct db_session *n,
    uint8_t secret[SESSIONS_SECRET])
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "session");
	jsonw_object(&d.j);
	jsonw_khex(&d.j, "id", n->id, sizeof n->id);
	jsonw_kuint(&d.j, "idle_seconds", SESSIONS_IDLE_S);
	jsonw_kcstr(&d.j, "means", n->sso ? "sso" : "session");
	put_must(&d.j, n->sso ? NULL : a, n->factors);
	put_principal(&d.j, a->principal);
	accounts_put_roles(&d.j, has_roles(a, n, control_now(s->c)));
	jsonw_khex(&d.j, "secret", secret, SESSIONS_SECRET);
	requests_put_time(&d.j, "until", n->until);
	requests_put_text(&d.j, "user", a->name);
	jsonw_object_end(&d.j);
	wipe(secret, SESSIONS_SECRET);
	call_doc_end(call, &d, CALL_DONE);
}

static const char *
means_of(const struct caller *who)
{
	return who->means == CALLERS_MEANS_SESSION ? "session" : who->means == CALLERS_MEANS_SSO ? "sso" :
	    who->means == CALLERS_MEANS_TOKEN ? "token" : "local";
}

static bool
has_session(const struct caller *who)
{
	return who->means == CALLERS_MEANS_SESSION || who->means == CALLERS_MEANS_SSO;
}

void
sessions_show(struct sessions *s, struct call *call)
{
	const struct caller *who = call_who(call);
	struct db_session n = { .until = 0 };
	struct db_account a = { .disabled = true };
	struct call_doc d;
	bool session = has_session(who) && !db_session_get(s->c->db, who->session, &n) &&
	    !db_account_get(s->c->db, who->account, &a);
	call_doc_begin(&d);
	jsonw_key(&d.j, "session");
	jsonw_object(&d.j);
	requests_put_digest(&d.j, "id", who->account[0] != '\0', who->session, sizeof who->session);
	jsonw_kuint(&d.j, "idle_seconds", session ? SESSIONS_IDLE_S : 0);
	jsonw_kcstr(&d.j, "means", means_of(who));
	put_must(&d.j, session && !n.sso ? &a : NULL, n.factors);
	put_principal(&d.j, who->principal);
	accounts_put_roles(&d.j, who->roles);
	requests_put_time(&d.j, "until", n.until);
	requests_put_text(&d.j, "user", who->account[0] ? who->account : who->user);
	jsonw_object_end(&d.j);
	wipe(&a, sizeof a);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- session.list ---- */

struct listing {
	struct control *c;
	const struct caller *who;
	struct jsonw *j;
};

static int
put(void *arg, const struct db_session *n)
{
	struct listing *l = arg;
	struct db_account a;
	char peer[SESSIONS_PEER_CAP];
	unsigned roles = roles_of(l->c, n, &a);
	wipe(&a, sizeof a);
	if (!roles)
		return 0; /* over */
	jsonw_object(l->j);
	requests_put_text(l->j, "account", n->account);
	jsonw_kcstr(l->j, "by", sessions_by(n->factors));
	jsonw_kuint(l->j, "factors", n->factors == SESSIONS_BY_PASSKEY ? 2 : n->factors);
	jsonw_khex(l->j, "id", n->id, sizeof n->id);
	requests_put_time(l->j, "last", n->last);
	requests_put_time(l->j, "made", n->made);
	jsonw_kbool(l->j, "own", memcmp(n->id, l->who->session, sizeof n->id) == 0);
	sessions_peer(n->peer, peer);
	jsonw_kcstr(l->j, "peer", peer);
	jsonw_kbool(l->j, "sso", n->sso);
	requests_put_time(l->j, "until", n->until);
	jsonw_object_end(l->j);
	return 0;
}

void
sessions_list(struct sessions *s, struct call *call)
{
	const struct caller *who = call_who(call);
	struct call_doc d;
	struct listing l = { s->c, who, &d.j };
	bool all = who->roles & (CALLERS_ADMIN | CALLERS_AUDITOR);
	int err = 0;
	call_doc_begin(&d);
	jsonw_key(&d.j, "sessions");
	jsonw_array(&d.j);
	if (all || who->account[0])
		err = db_session_list(s->c->db, all ? "" : who->account, put, &l);
	jsonw_array_end(&d.j);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}

/* ---- ending ---- */

/* Done first, then told: it works with the log away. */
static void
end(struct sessions *s, struct call *call, const struct db_session *n)
{
	char hex[2 * DB_ID + 1], obj[sizeof hex + 8];
	struct call_doc d;
	int err = db_session_end(s->c->db, n->id, control_now(s->c));
	if (err) {
		call_fail_err(call, err);
		return;
	}
	hex_encode(n->id, sizeof n->id, hex);
	snprintf(obj, sizeof obj, "session:%s", hex);
	struct msg_append *e = logbook_entry(ENTRY_AUTH_LOGOUT, "ok", requests_actor(s->c, call), obj);
	logbook_ref(e, "account", n->account);
	logbook_tell(s->c->logbook, e);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "ended", hex);
	call_doc_end(call, &d, CALL_DONE);
}

void
sessions_close(struct sessions *s, struct call *call)
{
	const struct caller *who = call_who(call);
	struct db_session n;
	int err = has_session(who) ? db_session_get(s->c->db, who->session, &n) : FG_ENOTFOUND;
	if (err)
		call_fail_err(call, err);
	else
		end(s, call, &n);
}

void
sessions_end(struct sessions *s, struct call *call)
{
	const struct caller *who = call_who(call);
	char text[2 * DB_ID + 1];
	uint8_t id[DB_ID];
	struct db_session n;
	(void)call_text(call, "session", text, sizeof text);
	int err = hex_decode(view_str(text), id, sizeof id) ? db_session_get(s->c->db, id, &n) : FG_ENOTFOUND;
	/* One's own; those of others are an administrator's to end, and for anybody else are not there. */
	if (!err && !(who->roles & CALLERS_ADMIN) && (!who->account[0] || strcmp(n.account, who->account) != 0))
		err = FG_ENOTFOUND;
	if (err)
		call_fail_err(call, err);
	else
		end(s, call, &n);
}
