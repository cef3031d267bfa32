/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/setup.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base32.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts.h"
#include "gateway/control/hashing.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/signins.h"
#include "gateway/control/throttle.h"

#define META "setup-code"       /* hex of the SHA-256 and the time until which it holds; empty: none */
#define GROUP 6
#define CHARS (BASE32_CAP(SETUP_CODE_LEN) - 1)
#define TEXT_CAP (CHARS + CHARS / GROUP + 1)

static void
log_away(struct control *c, struct call *call)
{
	call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s", logbook_state(c->logbook));
}

/* ---- setup.code ---- */

struct making { /* waits for its entry */
	struct control *c;
	struct call *call;
	uint8_t code[SETUP_CODE_LEN];
};

static int
keep(struct making *m, int64_t until)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char hex[2 * DIGEST_SHA256_LEN + 1], value[sizeof hex + 32];
	int err = digest_sha256(view_of(m->code, sizeof m->code), digest);
	hex_encode(digest, sizeof digest, hex);
	snprintf(value, sizeof value, "%s %" PRId64, hex, until);
	return err ? err : db_meta_set(m->c->db, META, value);
}

static void
text_of(const uint8_t code[SETUP_CODE_LEN], char dst[TEXT_CAP])
{
	char plain[CHARS + 1];
	size_t n = 0;
	base32_encode(view_of(code, SETUP_CODE_LEN), plain);
	for (size_t i = 0; i < CHARS; i++) {
		if (i && i % GROUP == 0)
			dst[n++] = '-';
		dst[n++] = plain[i];
	}
	dst[n] = '\0';
	wipe(plain, sizeof plain);
}

static void
on_code_logged(void *ctx, int err, uint64_t index)
{
	struct making *m = ctx;
	int64_t until = control_now(m->c) + SETUP_CODE_S;
	char text[TEXT_CAP];
	struct call_doc d;
	(void)index;
	if (!err)
		err = keep(m, until);
	if (err) {
		call_fail(m->call, CALL_COULD_NOT, "LOCAL", "try again", "no code was made: %s", err_name(err));
	} else {
		text_of(m->code, text);
		call_doc_begin(&d);
		jsonw_kcstr(&d.j, "code", text);
		requests_put_time(&d.j, "until", until);
		wipe(text, sizeof text);
		call_doc_end(m->call, &d, CALL_DONE);
	}
	wipe(m, sizeof *m);
	free(m);
}

void
setup_code(struct control *c, struct call *call)
{
	const struct caller *who = call_who(call);
	bool have = accounts_have_admin(c);
	/* At the machine, and not over the network. */
	if (who->means != CALLERS_MEANS_ROOT && (who->means != CALLERS_MEANS_UID || have)) {
		call_fail(call, CALL_REFUSED, "DENIED", "on the machine itself, as root", "%s",
		    have ? "there is an administrator of the console" : "that is asked for on the machine itself");
		return;
	}
	struct making *m = calloc(1, sizeof *m);
	struct msg_append *e = m ? logbook_entry(ENTRY_ACCOUNT_CHANGED, "ok", requests_actor(c, call), "setup") : NULL;
	int err = !e ? FG_ENOMEM : RAND_bytes(m->code, sizeof m->code) != 1 ? FG_ECRYPTO : FG_OK;
	if (!err) {
		m->c = c;
		m->call = call;
		logbook_ref(e, "change", "set-up code");
		logbook_say(e, "%s", have ? "for recovery: there is an administrator" : "for the first administrator");
		err = logbook_append(c->logbook, e, on_code_logged, m);
	}
	free(e);
	if (!err)
		return;
	free(m);
	if (err == FG_EAGAIN)
		log_away(c, call);
	else
		call_fail_err(call, err);
}

/* ---- setup.open ---- */

struct opening { /* waits for the hash, then for its entry */
	struct control *c;
	struct call *call;
	char code[DB_META_VALUE_MAX]; /* what was kept of it: used up when the hash is there */
	struct db_account row;
};

static void
end(struct opening *o)
{
	wipe(o, sizeof *o);
	free(o);
}

/* Compared in constant time, whether there is one or not; kept is what is stored. */
static bool
is_code(struct control *c, struct view text, char kept[DB_META_VALUE_MAX])
{
	uint8_t code[SETUP_CODE_LEN] = { 0 }, digest[DIGEST_SHA256_LEN], want[DIGEST_SHA256_LEN] = { 0 };
	int64_t until = 0, now = control_now(c);
	kept[0] = '\0';
	bool typed = base32_decode(text, code, sizeof code);
	bool there = db_meta_get(c->db, META, kept, DB_META_VALUE_MAX) == FG_OK && strlen(kept) > 2 * sizeof want &&
	    hex_decode(view_of(kept, 2 * sizeof want), want, sizeof want);
	if (there)
		until = strtoll(kept + 2 * sizeof want, NULL, 10);
	bool same = digest_sha256(view_of(code, sizeof code), digest) == FG_OK && wipe_equal(digest, want, sizeof want);
	wipe(code, sizeof code);
	return typed && there && same && now < until && until - now <= SETUP_CODE_S;
}

/* Two who send the same code at once: one of them is first. */
static bool
use_up(struct opening *o)
{
	char now[DB_META_VALUE_MAX] = "";
	return db_meta_get(o->c->db, META, now, sizeof now) == FG_OK && now[0] && strcmp(now, o->code) == 0 &&
	    db_meta_set(o->c->db, META, "") == FG_OK;
}

static void
wrong_code(struct control *c, struct call *call)
{
	signins_note_failed(c->signins, call_who(call), NULL, "set-up code");
	call_fail(call, CALL_REFUSED, "SETUP-CODE", "on the machine: fotagate console setup-code",
	    "that set-up code does not hold: it is wrong, was used, or is older than an hour");
}

static void
open_session(struct opening *o)
{
	struct control *c = o->c;
	uint8_t secret[SESSIONS_SECRET];
	struct db_session n;
	int err = db_account_add(c->db, &o->row);
	if (!err)
		err = sessions_open(c->sessions, &o->row, 1, NULL, call_who(o->call)->peer, &n, secret);
	if (err)
		call_fail_err(o->call, err);
	else
		sessions_answer(c->sessions, o->call, &o->row, &n, secret);
}

static void
on_open_logged(void *ctx, int err, uint64_t index)
{
	struct opening *o = ctx;
	(void)index;
	if (err)
		call_fail(o->call, CALL_COULD_NOT, "LOG-AWAY", "have another code made", "the audit log did not take it");
	else
		open_session(o);
	end(o);
}

static void
on_made(void *ctx, int err, bool is, const char *phc)
{
	struct opening *o = ctx;
	char act[DB_ACCOUNT_NAME_CAP + 8];
	(void)is;
	struct msg_append *e = NULL;
	if (!err && !use_up(o)) {
		wrong_code(o->c, o->call);
		end(o);
		return;
	}
	if (!err) {
		snprintf(o->row.hash, sizeof o->row.hash, "%s", phc);
		snprintf(act, sizeof act, "account:%s", o->row.name);
		e = logbook_entry(ENTRY_ACCOUNT_CHANGED, "ok", act, act);
		err = e ? FG_OK : FG_ENOMEM;
	}
	if (!err) {
		logbook_ref(e, "change", "added");
		logbook_ref(e, "roles", callers_role_name(CALLERS_ADMIN));
		logbook_say(e, "with a set-up code");
		err = logbook_append(o->c->logbook, e, on_open_logged, o);
	}
	free(e);
	if (!err)
		return;
	if (err == FG_EAGAIN && !logbook_permits(o->c->logbook))
		log_away(o->c, o->call);
	else
		call_fail_err(o->call, err);
	end(o);
}

/* Whoever has the code is told what is wrong with the rest; nobody else. False: the call is answered. */
static bool
is_fit(struct control *c, struct call *call, const char *user, struct view password)
{
	struct db_account there;
	const char *why = password_refusal(password, user);
	bool taken = accounts_is_name(user) && db_account_get(c->db, user, &there) == FG_OK;
	wipe(&there, sizeof there);
	if (!accounts_is_name(user))
		call_fail(call, CALL_USAGE, "USAGE", "",
		    "the name of an account is a-z, then a-z, 0-9, '.', '_' and '-', %d at most", DB_ACCOUNT_NAME_CAP - 1);
	else if (taken)
		call_fail(call, CALL_REFUSED, "EXISTS", "choose another name", "there is an account of that name");
	else if (why)
		call_fail(call, CALL_REFUSED, "PASSWORD", "choose another one, of 12 to 128 characters of any kind",
		    "the password %s", why);
	else if (!logbook_permits(c->logbook))
		log_away(c, call);
	else
		return true;
	return false;
}

static int
make_account(struct control *c, struct call *call, const char *user, struct view password, const char *kept)
{
	struct opening *o = calloc(1, sizeof *o);
	if (!o)
		return FG_ENOMEM;
	o->c = c;
	o->call = call;
	o->row = (struct db_account){ .roles = CALLERS_ADMIN, .created = control_now(c) };
	snprintf(o->row.name, sizeof o->row.name, "%s", user);
	snprintf(o->code, sizeof o->code, "%s", kept);
	int err = hashing_make(c->hashing, password, on_made, o);
	if (err)
		end(o);
	return err;
}

void
setup_open(struct control *c, struct call *call)
{
	const struct view source = view_of(call_who(call)->peer, CALLERS_ID);
	struct view code = { NULL, 0 }, password = { NULL, 0 };
	char user[129], kept[DB_META_VALUE_MAX];
	(void)call_text(call, "user", user, sizeof user);
	(void)json_string(call_arg(call, "code"), &code);
	(void)json_string(call_arg(call, "password"), &password);
	int64_t wait = throttle_wait(c->db, THROTTLE_SETUP, source, control_now(c));
	if (wait) {
		signins_throttled(c->signins, call, NULL, wait);
		return;
	}
	int err = throttle_charge(c->db, THROTTLE_SETUP, source, control_now(c));
	if (err) {
		call_fail_err(call, err);
		return;
	}
	if (!is_code(c, code, kept)) {
		wrong_code(c, call);
		return;
	}
	throttle_clear(c->db, THROTTLE_SETUP, source);
	if (!is_fit(c, call, user, password))
		return;
	err = make_account(c, call, user, password, kept);
	if (err == FG_EAGAIN)
		call_fail(call, CALL_REFUSED, "LIMIT", "try again in a moment", "too many are signing in at once");
	else if (err)
		call_fail_err(call, err);
}
