/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in with passkeys, through the one table of requests: made, used, refused, counted back, taken away. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/passkeys_private.h"
#include "unit/crypto/authenticator.h"
#include "unit/gateway/people_rig.h"
#include "unit/gateway/sessions_rig.h"

struct holder { /* of one authenticator, with one key for one account */
	struct token token;
	uint8_t credential[16];
	char handle[2 * DB_ID + 1];
};

static int
setup_site(void **state)
{
	setup(state);
	people_rig_give_at(((struct rig *)*state)->r, TOKEN_SITE);
	return 0;
}

static int
teardown_site(void **state)
{
	people_free(((struct rig *)*state)->c->people);
	return teardown(state);
}

static struct holder
holder(uint8_t n, enum sshkey_type type)
{
	struct holder h = { .token = token_new(type, TOKEN_RP_ID) };
	memset(h.credential, n, sizeof h.credential);
	return h;
}

/* ---- what a page sends ---- */

static void
text_at(struct json *doc, const char *key, char *dst, size_t cap)
{
	if (!json_cstr(json_get(json_root(doc), key), dst, cap))
		fail_msg("no %s in %s", key, last.json);
}

static void
member(struct writer *w, const char *key, struct view bytes)
{
	struct writer b;
	writer_init(&b, 16384);
	base64_encode(bytes, &b);
	writer_textf(w, ",\"%s\":\"%.*s\"", key, (int)b.n, (const char *)b.p);
	writer_free(&b);
}

/* A challenge of that request, decoded into raw. */
static void
challenge(struct rig *t, const struct caller *who, const char *request, const char *args, uint8_t raw[WEBAUTHN_CHALLENGE])
{
	char hex[2 * WEBAUTHN_CHALLENGE + 1];
	DONE(ask(t, who, request, args));
	text_at(last.doc, "challenge", hex, sizeof hex);
	assert_true(hex_decode(view_str(hex), raw, WEBAUTHN_CHALLENGE));
}

static const struct answer *
hand_in(struct rig *t, const struct caller *who, const char *request, const uint8_t raw[WEBAUTHN_CHALLENGE], const struct holder *h,
    const struct acted *a)
{
	char hex[2 * WEBAUTHN_CHALLENGE + 1];
	struct writer w;
	hex_encode(raw, WEBAUTHN_CHALLENGE, hex);
	writer_init(&w, 65536);
	writer_textf(&w, "{\"challenge\":\"%s\"", hex);
	member(&w, "authenticator_data", writer_view(&a->auth));
	member(&w, "client_data", writer_view(&a->client));
	member(&w, "credential", view_of(h->credential, sizeof h->credential));
	if (strcmp(request, "session.passkey") == 0)
		writer_textf(&w, ",\"handle\":\"%s\"", h->handle);
	member(&w, "signature", writer_view(&a->signature));
	writer_text(&w, "}");
	writer_u8(&w, 0);
	const struct answer *said = ask(t, who, request, (const char *)w.p);
	writer_free(&w);
	return said;
}

/* Signs in from that address with that authenticator, which chooses as c says. */
static const struct answer *
come(struct rig *t, uint8_t from, const struct holder *h, struct act c)
{
	const struct caller guest = guest_from(t, from);
	uint8_t raw[WEBAUTHN_CHALLENGE];
	struct acted a;
	challenge(t, &guest, "session.challenge", "{}", raw);
	if (!c.challenge.n)
		c.challenge = view_of(raw, sizeof raw);
	act_sign(&h->token, &c, &a);
	const struct answer *said = hand_in(t, &guest, "session.passkey", raw, h, &a);
	acted_free(&a);
	return said;
}

static struct caller
enter(struct rig *t, const struct holder *h, uint32_t counter)
{
	uint8_t secret[SESSIONS_SECRET];
	DONE(come(t, 1, h, (struct act){ .counter = counter }));
	secret_of(&last, secret);
	return who_is(t, secret, CALLERS_MEANS_SESSION);
}

static const struct answer *
make(struct rig *t, const struct caller *who, struct holder *h, const char *code, struct act c)
{
	uint8_t raw[WEBAUTHN_CHALLENGE];
	char hex[2 * WEBAUTHN_CHALLENGE + 1];
	struct acted a;
	struct writer w;
	challenge(t, who, "passkey.challenge", "{\"add\":true}", raw);
	text_at(last.doc, "handle", h->handle, sizeof h->handle);
	if (!c.challenge.n)
		c.challenge = view_of(raw, sizeof raw);
	c.credential = view_of(h->credential, sizeof h->credential);
	act_make(&h->token, &c, &a);
	hex_encode(raw, sizeof raw, hex);
	writer_init(&w, 65536);
	writer_textf(&w, "{\"challenge\":\"%s\"", hex);
	member(&w, "client_data", writer_view(&a.client));
	if (code)
		writer_textf(&w, ",\"code\":\"%s\"", code);
	writer_text(&w, ",\"name\":\"blue key\"");
	member(&w, "object", writer_view(&a.object));
	writer_text(&w, "}");
	writer_u8(&w, 0);
	const struct answer *said = ask(t, who, "passkey.add", (const char *)w.p);
	writer_free(&w);
	acted_free(&a);
	return said;
}

/* Somebody with a password, a code and a passkey; signed in by the first two. */
static struct caller
somebody(struct rig *t, const char *name, const char *roles, uint8_t totp[TOTP_SECRET_LEN], struct holder *h)
{
	uint8_t secret[SESSIONS_SECRET];
	add(t, name, roles);
	enrol(t, name, totp, secret);
	struct caller who = who_is(t, secret, CALLERS_MEANS_SESSION);
	DONE(make(t, &who, h, code_at(totp, t->r->now), (struct act){ .counter = 0 }));
	t->r->now += TOTP_STEP_S;
	return who;
}

static const char *
step_up(struct rig *t, const struct caller *who, const struct holder *h, uint32_t counter)
{
	static char code[PASSKEYS_CODE_CAP];
	uint8_t raw[WEBAUTHN_CHALLENGE];
	struct acted a;
	challenge(t, who, "passkey.challenge", "{}", raw);
	const struct act c = { .challenge = view_of(raw, sizeof raw), .counter = counter };
	act_sign(&h->token, &c, &a);
	DONE(hand_in(t, who, "passkey.fresh", raw, h, &a));
	acted_free(&a);
	text_at(last.doc, "code", code, sizeof code);
	return code;
}

static void
done_with(struct holder *h)
{
	EVP_PKEY_free(h->token.p256);
}

/* ---- ---- */

static void
test_alone_it_signs_in(void **state)
{
	struct rig *t = *state;
	const enum sshkey_type types[] = { SSHKEY_SK_ECDSA, SSHKEY_SK_ED25519 };
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	add(t, "ann", "\"operator\",\"viewer\"");
	enrol(t, "ann", totp, secret);
	struct caller who = who_is(t, secret, CALLERS_MEANS_SESSION);
	for (uint8_t i = 0; i < 2; i++) {
		struct holder h = holder(i + 1, types[i]);
		/* Whoever finds the browser open makes none. */
		MUST(make(t, &who, &h, NULL, (struct act){ .counter = 1 }), "SECOND-FACTOR");
		MUST(make(t, &who, &h, "000000", (struct act){ .counter = 1 }), "SIGN-IN");
		DONE(make(t, &who, &h, code_at(totp, t->r->now), (struct act){ .counter = 1, .set = SSHSIG_FLAG_BE }));
		t->r->now += TOTP_STEP_S;
		DONE(come(t, 1, &h, (struct act){ .counter = 2, .set = SSHSIG_FLAG_BE | SSHSIG_FLAG_BS }));
		assert_non_null(strstr(last.json, "\"must\":[]"));
		secret_of(&last, secret);
		assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_OPERATOR | CALLERS_VIEWER);
		MUST(make(t, &who, &h, code_at(totp, t->r->now), (struct act){ .counter = 1 }), "EXISTS");
		t->r->now += TOTP_STEP_S;
		done_with(&h);
	}
	DONE(ask(t, &who, "passkey.list", "{\"account\":\"ann\"}"));
	assert_int_equal(json_count(json_get(json_root(last.doc), "passkeys")), 2);
	assert_non_null(strstr(last.json, "\"backup\":\"backed-up\",\"counter\":2,\"fingerprint\":\"SHA256:"));
	assert_non_null(strstr(last.json, "\"name\":\"blue key\",\"suspended\":null"));
	assert_non_null(strstr(t->log, "auth.ok|account:ann|session:"));
	assert_non_null(strstr(t->log, "|account=ann|by=passkey|factors=2|"));
	assert_non_null(strstr(t->log, "|change=passkey added|roles=viewer, operator|backup=can-be-backed-up|passkey="));
	DONE(ask(t, &who, "session.list", "{}"));
	assert_non_null(strstr(last.json, "\"by\":\"passkey\",\"factors\":2"));
}

/* Every refusal is the same answer, whether there is such a passkey, such an account, or neither. */
static void
test_refused(void **state)
{
	struct rig *t = *state;
	static const uint8_t other[WEBAUTHN_CHALLENGE] = { 1 };
	static const struct act acts[] = {
		{ .counter = 9, .origin = "https://gate.example:8443" },
		{ .counter = 9, .rp_id = "other.example" },
		{ .counter = 9, .clear = SSHSIG_FLAG_UP },
		{ .counter = 9, .clear = SSHSIG_FLAG_UV },
		{ .counter = 9, .set = SSHSIG_FLAG_BE }, /* it was made as one that cannot be copied */
		{ .counter = 9, .set = SSHSIG_FLAG_AT },
		{ .counter = 9, .type = "webauthn.create" },
		{ .counter = 9, .tail = ",\"crossOrigin\":true}" },
		{ .counter = 9, .challenge = { other, sizeof other } },
	};
	struct holder h = holder(1, SSHKEY_SK_ECDSA), eve = holder(9, SSHKEY_SK_ECDSA), bad;
	uint8_t totp[TOTP_SECRET_LEN];
	char unknown[256];
	uint8_t from = 10;
	struct caller guest;
	(void)somebody(t, "ann", "\"viewer\"", totp, &h);
	snprintf(eve.handle, sizeof eve.handle, "%s", h.handle);
	MUST(come(t, 9, &eve, (struct act){ .counter = 9 }), "SIGN-IN");
	snprintf(unknown, sizeof unknown, "%s", last.json);
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		MUST(come(t, from++, &h, acts[i]), "SIGN-IN");
		assert_string_equal(last.json, unknown);
	}
	/* Somebody else's key, under that credential; its credential under another handle. */
	bad = h;
	bad.token = eve.token;
	MUST(come(t, from++, &bad, (struct act){ .counter = 9 }), "SIGN-IN");
	bad = h;
	bad.handle[0] ^= 1;
	MUST(come(t, from++, &bad, (struct act){ .counter = 9 }), "SIGN-IN");
	bad.handle[0] = '\0';
	MUST(come(t, from++, &bad, (struct act){ .counter = 9 }), "SIGN-IN");
	assert_string_equal(last.json, unknown);
	/* What is no base64, and what is more than one may bring. */
	guest = guest_from(t, from++);
	MUST(ask(t, &guest, "session.passkey", "{\"authenticator_data\":\"*\",\"challenge\":\"00\",\"client_data\":\"\",\"credential\":\"\","
	    "\"handle\":\"\",\"signature\":\"\"}"), "SIGN-IN");
	struct writer w;
	writer_init(&w, 65536);
	writer_text(&w, "{\"authenticator_data\":\"\",\"challenge\":\"\",\"client_data\":\"\",\"credential\":\"\",\"handle\":\"\",\"signature\":\"");
	for (unsigned i = 0; i < 100; i++)
		writer_text(&w, "A");
	writer_text(&w, "\"}");
	writer_u8(&w, 0);
	MUST(ask(t, &guest, "session.passkey", (const char *)w.p), "USAGE");
	writer_free(&w);
	/* It was never used, is good, and no longer when the account is disabled. */
	DONE(come(t, from++, &h, (struct act){ .counter = 9 }));
	const struct caller by = root();
	DONE(ask(t, &by, "account.disable", "{\"account\":\"ann\",\"reason\":\"left\"}"));
	MUST(come(t, from++, &h, (struct act){ .counter = 10 }), "SIGN-IN");
	signins_report(t->c->signins);
	turn(t);
	assert_non_null(strstr(t->log, "auth.failed|account:ann|sessions|"));
	assert_non_null(strstr(t->log, "by=passkey: good"));
	done_with(&h);
	done_with(&eve);
}

/* A challenge is good once, for a while, for that for which it was given, and for whom. */
static void
test_challenges(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA), g = holder(2, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN], raw[WEBAUTHN_CHALLENGE], first[WEBAUTHN_CHALLENGE];
	struct caller ann = somebody(t, "ann", "\"viewer\"", totp, &h), ben = somebody(t, "ben", "\"viewer\"", totp, &g);
	struct caller guest = guest_from(t, 3);
	struct act c = { .counter = 5 };
	struct acted a;
	/* Twice. */
	challenge(t, &guest, "session.challenge", "{}", raw);
	c.challenge = view_of(raw, sizeof raw);
	act_sign(&h.token, &c, &a);
	DONE(hand_in(t, &guest, "session.passkey", raw, &h, &a));
	MUST(hand_in(t, &guest, "session.passkey", raw, &h, &a), "SIGN-IN");
	acted_free(&a);
	/* Too late, by a second. */
	for (int late = 0; late < 2; late++) {
		challenge(t, &guest, "session.challenge", "{}", raw);
		c.counter++;
		act_sign(&h.token, &c, &a);
		t->r->now += PASSKEYS_CHALLENGE_S - 1 + late;
		hand_in(t, &guest, "session.passkey", raw, &h, &a);
		assert_int_equal(last.status, late ? CALL_REFUSED : CALL_DONE);
		acted_free(&a);
	}
	/* One that somebody signed in was given lets nobody in, and the other way round; nor is it another's. */
	challenge(t, &ann, "passkey.challenge", "{}", raw);
	c.counter = 20;
	act_sign(&h.token, &c, &a);
	MUST(hand_in(t, &guest, "session.passkey", raw, &h, &a), "SIGN-IN");
	MUST(hand_in(t, &ben, "passkey.fresh", raw, &h, &a), "SIGN-IN");
	acted_free(&a);
	challenge(t, &guest, "session.challenge", "{}", raw);
	act_sign(&h.token, &c, &a);
	MUST(hand_in(t, &ann, "passkey.fresh", raw, &h, &a), "SIGN-IN");
	acted_free(&a);
	challenge(t, &ann, "passkey.challenge", "{\"add\":true}", raw);
	act_sign(&h.token, &c, &a);
	MUST(hand_in(t, &ann, "passkey.fresh", raw, &h, &a), "SIGN-IN");
	acted_free(&a);
	/* Another's passkey raises nobody. */
	challenge(t, &ann, "passkey.challenge", "{}", raw);
	act_sign(&g.token, &c, &a);
	MUST(hand_in(t, &ann, "passkey.fresh", raw, &g, &a), "SIGN-IN");
	acted_free(&a);
	/* Nor is it that of another session, be it one's own: whoever took a page over began it there. */
	const struct caller again = enter(t, &h, 21);
	challenge(t, &ann, "passkey.challenge", "{}", raw);
	c = (struct act){ .counter = 22, .challenge = view_of(raw, sizeof raw) };
	act_sign(&h.token, &c, &a);
	MUST(hand_in(t, &again, "passkey.fresh", raw, &h, &a), "SIGN-IN");
	acted_free(&a);
	/* By a clock that went back nobody knows how old it is. */
	challenge(t, &guest, "session.challenge", "{}", raw);
	act_sign(&h.token, &c, &a);
	t->r->now--;
	MUST(hand_in(t, &guest, "session.passkey", raw, &h, &a), "SIGN-IN");
	acted_free(&a);
	c.counter = 23;
	/* Whoever asks for many loses one's own: another's stays. */
	guest = guest_from(t, 4);
	const struct caller many = guest_from(t, 5);
	challenge(t, &guest, "session.challenge", "{}", raw);
	challenge(t, &many, "session.challenge", "{}", first);
	for (unsigned i = 0; i < 2 * PASSKEYS_STRANGERS; i++) {
		uint8_t more[WEBAUTHN_CHALLENGE];
		challenge(t, &many, "session.challenge", "{}", more);
		assert_memory_not_equal(more, first, sizeof more);
	}
	c.challenge = view_of(first, sizeof first);
	act_sign(&h.token, &c, &a);
	MUST(hand_in(t, &many, "session.passkey", first, &h, &a), "SIGN-IN");
	acted_free(&a);
	c.challenge = view_of(raw, sizeof raw);
	act_sign(&h.token, &c, &a);
	DONE(hand_in(t, &guest, "session.passkey", raw, &h, &a));
	acted_free(&a);
	done_with(&h);
	done_with(&g);
}

/* One key, both uses: the assertion under a statement lets nobody in. */
static void
test_an_approval_signs_nobody_in(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN];
	struct writer tbs;
	(void)somebody(t, "ann", "\"viewer\"", totp, &h);
	writer_init(&tbs, 1024);
	assert_int_equal(sshsig_tbs(APPROVAL_NAMESPACE, DIGEST_SHA512, view_str("a statement"), &tbs), 0);
	MUST(come(t, 7, &h, (struct act){ .challenge = writer_view(&tbs), .counter = 3 }), "SIGN-IN");
	writer_free(&tbs);
	done_with(&h);
	/* And a key of the signer set is taken in by nobody. */
	struct holder alice = holder(2, SSHKEY_SK_ED25519);
	memset(alice.token.seed, 1, sizeof alice.token.seed);
	assert_int_equal(ed25519_public(alice.token.seed, alice.token.key.point), 0);
	struct holder k = holder(3, SSHKEY_SK_ECDSA);
	struct caller who = somebody(t, "ben", "\"viewer\"", totp, &k);
	MUST(make(t, &who, &alice, code_at(totp, t->r->now), (struct act){ .counter = 0 }), "SEPARATION");
	done_with(&k);
	/* Nor does one let in that came into the set later. */
	t->r->now += TOTP_STEP_S;
	people_free(t->c->people);
	people_rig_give_of(t->r, 9, (struct genesis_glass){ .delay = 0 }, TOKEN_SITE);
	DONE(make(t, &who, &alice, code_at(totp, t->r->now), (struct act){ .counter = 0 }));
	struct caller in = enter(t, &alice, 1);
	(void)step_up(t, &in, &alice, 2);
	people_free(t->c->people);
	people_rig_give_at(t->r, TOKEN_SITE);
	MUST(come(t, 7, &alice, (struct act){ .counter = 3 }), "SIGN-IN");
	signins_report(t->c->signins);
	turn(t);
	assert_non_null(strstr(t->log, "by=passkey: it signs approvals"));
}

static void
test_counter_goes_back(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA), g = holder(2, SSHKEY_SK_ECDSA), z = holder(3, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN];
	char args[128];
	(void)somebody(t, "ann", "\"viewer\"", totp, &h);
	struct caller in = enter(t, &h, 5);
	assert_int_equal(in.roles, CALLERS_VIEWER);
	/* The same number twice is going back, too. All that was open ends, and everybody is told. */
	MUST(come(t, 2, &h, (struct act){ .counter = 5 }), "PASSKEY");
	MUST(ask(t, &in, "session.end", "{\"session\":\"00\"}"), "NOT-FOUND");
	DONE(ask(t, &in, "session.list", "{}"));
	assert_non_null(strstr(last.json, "\"sessions\":[]"));
	assert_non_null(strstr(t->log, "account.changed|guest|account:ann|its counter went back: there may be a copy of it|"
	    "change=passkey suspended|"));
	assert_non_null(strstr(t->log, "|counter=5|counter.before=5|sessions=2"));
	/* It stays so whatever it counts, and never lets in again: it is removed. */
	MUST(come(t, 2, &h, (struct act){ .counter = 500 }), "PASSKEY");
	/* By whoever has it nothing more is ended, and nothing more told. */
	uint8_t secret[SESSIONS_SECRET];
	const unsigned told = t->logged[ENTRY_ACCOUNT_CHANGED];
	DONE(sign_in(t, 1, "ann", OTHER, code_at(totp, t->r->now)));
	secret_of(&last, secret);
	t->r->now += TOTP_STEP_S;
	MUST(come(t, 2, &h, (struct act){ .counter = 3 }), "PASSKEY");
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_VIEWER);
	assert_int_equal(t->logged[ENTRY_ACCOUNT_CHANGED], told);
	/* Nor is one that is suspended the one that somebody goes on with alone. */
	const struct caller by = root();
	MUST(ask(t, &by, "account.passkey_only", "{\"account\":\"ann\"}"), "STATE");
	DONE(ask(t, &by, "passkey.list", "{\"account\":\"ann\"}"));
	assert_null(strstr(last.json, "\"suspended\":null"));
	snprintf(args, sizeof args, "{\"passkey\":\"%s\"}", h.handle);
	DONE(ask(t, &by, "passkey.remove", args));
	MUST(ask(t, &by, "passkey.remove", args), "NOT-FOUND");
	MUST(come(t, 2, &h, (struct act){ .counter = 501 }), "SIGN-IN");
	assert_non_null(strstr(t->log, "|change=passkey removed|"));
	/* Back from something to nothing as well; but nothing, always, is an authenticator that does not count. */
	(void)somebody(t, "ben", "\"viewer\"", totp, &g);
	(void)enter(t, &g, 1);
	MUST(come(t, 3, &g, (struct act){ .counter = 0 }), "PASSKEY");
	(void)somebody(t, "cat", "\"viewer\"", totp, &z);
	(void)enter(t, &z, 0);
	(void)enter(t, &z, 0);
	done_with(&h);
	done_with(&g);
	done_with(&z);
}

/* Where a code of the second factor is asked for, a touch does as well: for that session, once, at once. */
static void
test_step_up(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN];
	char args[160];
	struct caller who = somebody(t, "ann", "\"admin\"", totp, &h), in = enter(t, &h, 1);
	add(t, "ben", "\"viewer\"");
	MUST(ask(t, &in, "account.enable", "{\"account\":\"ben\"}"), "SECOND-FACTOR");
	snprintf(args, sizeof args, "{\"account\":\"ben\",\"code\":\"%s\"}", step_up(t, &in, &h, 2));
	MUST(ask(t, &who, "account.enable", args), "SIGN-IN");
	DONE(ask(t, &in, "account.enable", args));
	MUST(ask(t, &in, "account.enable", args), "SIGN-IN");
	/* A wrong one uses it up, and so does time. */
	snprintf(args, sizeof args, "{\"account\":\"ben\",\"code\":\"%s\"}", step_up(t, &in, &h, 3));
	MUST(ask(t, &in, "account.enable", "{\"account\":\"ben\",\"code\":\"PAAAAAAAAAAAAA\"}"), "SIGN-IN");
	MUST(ask(t, &in, "account.enable", args), "SIGN-IN");
	snprintf(args, sizeof args, "{\"account\":\"ben\",\"code\":\"%s\"}", step_up(t, &in, &h, 4));
	t->r->now += PASSKEYS_CODE_S;
	MUST(ask(t, &in, "account.enable", args), "SIGN-IN");
	/* It is no code to sign in with. */
	MUST(sign_in(t, 1, "ann", OTHER, step_up(t, &in, &h, 5)), "SIGN-IN");
	assert_null(strstr(t->log, args + 26));
	done_with(&h);
}

/* In place of a code, from the first hour: the password alone lets in no more. And what an administrator can do about it. */
static void
test_passkey_only(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA), g = holder(2, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	const struct caller by = root();
	char args[128];
	add(t, "ann", "\"approver\"");
	DONE(sign_in(t, 1, "ann", PASS, NULL));
	secret_of(&last, secret);
	struct caller who = who_is(t, secret, CALLERS_MEANS_SESSION);
	MUST(make(t, &who, &h, NULL, (struct act){ .counter = 0 }), "STATE"); /* somebody else knows that password */
	DONE(ask(t, &who, "account.password", "{\"account\":\"ann\",\"old\":\"" PASS "\",\"password\":\"" OTHER "\"}"));
	DONE(make(t, &who, &h, NULL, (struct act){ .counter = 0 }));
	assert_non_null(strstr(last.json, "\"passkeys\":1,\"password\":false"));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	MUST(sign_in(t, 1, "ann", OTHER, NULL), "SIGN-IN");
	who = enter(t, &h, 1);
	assert_int_equal(who.roles, CALLERS_APPROVER);
	/* The last way in is nobody's to take by mistake. */
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"passkey\":\"%s\"}", step_up(t, &who, &h, 2), h.handle);
	MUST(ask(t, &who, "passkey.remove", args), "STATE");
	/* A code beside it takes a touch, and so does another passkey. */
	MUST(ask(t, &who, "account.totp", "{\"account\":\"ann\"}"), "SECOND-FACTOR");
	MUST(make(t, &who, &g, NULL, (struct act){ .counter = 0 }), "SECOND-FACTOR");
	/* Recovery: the passkeys go, and what was lent makes a first hour again; no vote came of it. */
	MUST(ask(t, &by, "account.password", "{\"account\":\"ann\",\"password\":\"" PASS "\"}"), "STATE");
	DONE(ask(t, &by, "account.totp", "{\"account\":\"ann\"}"));
	assert_non_null(strstr(last.json, "\"passkeys\":0"));
	MUST(come(t, 2, &h, (struct act){ .counter = 9 }), "SIGN-IN");
	DONE(ask(t, &by, "account.password", "{\"account\":\"ann\",\"password\":\"" PASS "\"}"));
	DONE(sign_in(t, 1, "ann", PASS, NULL));
	secret_of(&last, secret);
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_ENROL);
	/* Who has all three gives two of them up, when the third has let in once. */
	who = somebody(t, "ben", "\"viewer\"", totp, &g);
	snprintf(args, sizeof args, "{\"account\":\"ben\",\"code\":\"%s\"}", code_at(totp, t->r->now));
	MUST(ask(t, &who, "account.passkey_only", args), "STATE");
	struct caller in = enter(t, &g, 1);
	MUST(ask(t, &in, "account.passkey_only", "{\"account\":\"ben\"}"), "SECOND-FACTOR");
	DONE(ask(t, &by, "account.passkey_only", "{\"account\":\"ben\"}"));
	assert_non_null(strstr(last.json, "\"passkeys\":1,\"password\":false"));
	MUST(sign_in(t, 1, "ben", OTHER, code_at(totp, t->r->now)), "SIGN-IN");
	assert_int_equal(enter(t, &g, 2).roles, CALLERS_VIEWER);
	assert_non_null(strstr(t->log, "|change=passkey only|"));
	done_with(&h);
	done_with(&g);
}

/* What is left when one is taken away: never nothing, and never more than what is there. */
static void
test_what_is_left(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA), g = holder(2, SSHKEY_SK_ECDSA), k = holder(3, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	char args[160], text[64];
	/* A session that came by the last one is nothing without it. */
	(void)somebody(t, "ann", "\"viewer\"", totp, &h);
	DONE(come(t, 1, &h, (struct act){ .counter = 1 }));
	secret_of(&last, secret);
	struct caller who = who_is(t, secret, CALLERS_MEANS_SESSION);
	assert_int_equal(who.roles, CALLERS_VIEWER);
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"passkey\":\"%s\"}", step_up(t, &who, &h, 2), h.handle);
	DONE(ask(t, &who, "passkey.remove", args));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	/* Taken away while something that counted on it waits for the log: that comes to nothing. */
	struct holder e = holder(4, SSHKEY_SK_ECDSA);
	const struct caller by = root();
	struct answer first;
	(void)somebody(t, "eve", "\"viewer\"", totp, &e);
	(void)enter(t, &e, 1);
	requests_handle(t->c, call_by(&by, "account.passkey_only", "{\"account\":\"eve\"}", &first));
	assert_int_equal(first.replies, 0);
	snprintf(args, sizeof args, "{\"passkey\":\"%s\"}", e.handle);
	DONE(ask(t, &by, "passkey.remove", args));
	wait_for(t, &first);
	assert_true(is(&first, "STATE"));
	json_free(first.doc);
	DONE(sign_in(t, 1, "eve", OTHER, code_at(totp, t->r->now)));
	done_with(&e);
	/* A code without a password lets nobody in: who has both a passkey and a code, and no password, keeps the passkey. */
	add(t, "ben", "\"viewer\"");
	DONE(sign_in(t, 1, "ben", PASS, NULL));
	secret_of(&last, secret);
	who = who_is(t, secret, CALLERS_MEANS_SESSION);
	DONE(ask(t, &who, "account.password", "{\"account\":\"ben\",\"old\":\"" PASS "\",\"password\":\"" OTHER "\"}"));
	DONE(make(t, &who, &g, NULL, (struct act){ .counter = 0 }));
	who = enter(t, &g, 1);
	snprintf(args, sizeof args, "{\"account\":\"ben\",\"code\":\"%s\"}", step_up(t, &who, &g, 2));
	DONE(ask(t, &who, "account.totp", args));
	text_at(last.doc, "secret", text, sizeof text);
	assert_true(base32_decode(view_str(text), totp, TOTP_SECRET_LEN));
	snprintf(args, sizeof args, "{\"account\":\"ben\",\"code\":\"%s\"}", code_at(totp, t->r->now));
	DONE(ask(t, &who, "account.totp", args));
	who = enter(t, &g, 3);
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"passkey\":\"%s\"}", step_up(t, &who, &g, 4), g.handle);
	MUST(ask(t, &who, "passkey.remove", args), "STATE");
	/* Nor is one that is suspended any way in. */
	DONE(make(t, &who, &k, step_up(t, &who, &g, 5), (struct act){ .counter = 1 }));
	MUST(come(t, 2, &k, (struct act){ .counter = 0 }), "PASSKEY");
	who = enter(t, &g, 6);
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"passkey\":\"%s\"}", step_up(t, &who, &g, 7), g.handle);
	MUST(ask(t, &who, "passkey.remove", args), "STATE");
	done_with(&h);
	done_with(&g);
	done_with(&k);
}

/* Tries that fail are held against the address, as those with passwords are. */
static void
test_it_waits(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN];
	unsigned tried = 0;
	(void)somebody(t, "ann", "\"viewer\"", totp, &h);
	while (tried < 50 && is(come(t, 9, &h, (struct act){ .counter = 9, .clear = SSHSIG_FLAG_UV }), "SIGN-IN"))
		tried++;
	assert_in_range(tried, 4, 16);
	MUST(come(t, 9, &h, (struct act){ .counter = 9 }), "THROTTLED");
	DONE(come(t, 8, &h, (struct act){ .counter = 9 }));
	t->r->now += 900;
	DONE(come(t, 9, &h, (struct act){ .counter = 10 }));
	/* Whoever got in waits no longer. */
	MUST(come(t, 9, &h, (struct act){ .counter = 11, .clear = SSHSIG_FLAG_UV }), "SIGN-IN");
	DONE(come(t, 9, &h, (struct act){ .counter = 12 }));
	done_with(&h);
}

/* Of IPv6 a subscriber has 2^64 addresses, and the challenges of one. */
static void
test_one_subscriber(void **state)
{
	struct rig *t = *state;
	struct holder h = holder(1, SSHKEY_SK_ECDSA);
	uint8_t totp[TOTP_SECRET_LEN], mine[WEBAUTHN_CHALLENGE], first[WEBAUTHN_CHALLENGE], more[WEBAUTHN_CHALLENGE];
	struct caller guest = guest_from(t, 3), many = guest_from(t, 4);
	struct acted a;
	(void)somebody(t, "ann", "\"viewer\"", totp, &h);
	challenge(t, &guest, "session.challenge", "{}", mine);
	memcpy(many.peer, "\x20\x01\x0d\xb8", 4);
	challenge(t, &many, "session.challenge", "{}", first);
	for (unsigned i = 0; i < PASSKEYS_OF_SOURCE; i++) {
		many.peer[8 + i % 8]++;
		challenge(t, &many, "session.challenge", "{}", more);
	}
	struct act c = { .counter = 5, .challenge = view_of(first, sizeof first) };
	act_sign(&h.token, &c, &a);
	MUST(hand_in(t, &many, "session.passkey", first, &h, &a), "SIGN-IN");
	acted_free(&a);
	c.challenge = view_of(mine, sizeof mine);
	act_sign(&h.token, &c, &a);
	DONE(hand_in(t, &guest, "session.passkey", mine, &h, &a));
	acted_free(&a);
	done_with(&h);
}

static void
test_bounds(void **state)
{
	struct rig *t = *state;
	uint8_t totp[TOTP_SECRET_LEN];
	struct holder h[DB_PASSKEYS_OF_ONE + 1];
	char args[160], first[2 * DB_ID + 1];
	for (unsigned i = 0; i <= DB_PASSKEYS_OF_ONE; i++)
		h[i] = holder((uint8_t)(i + 1), SSHKEY_SK_ED25519);
	struct caller who = somebody(t, "ann", "\"viewer\"", totp, &h[0]), ben = somebody(t, "ben", "\"viewer\"", totp, &h[16]);
	struct caller in = enter(t, &h[0], 1);
	snprintf(first, sizeof first, "%s", h[0].handle);
	for (unsigned i = 1; i < DB_PASSKEYS_OF_ONE; i++)
		DONE(make(t, &in, &h[i], step_up(t, &in, &h[0], i + 1), (struct act){ .counter = 0 }));
	struct holder more = holder(99, SSHKEY_SK_ED25519);
	MUST(make(t, &in, &more, step_up(t, &in, &h[0], 40), (struct act){ .counter = 0 }), "LIMIT");
	/* Nobody but oneself and an administrator takes one away, or sees them. */
	snprintf(args, sizeof args, "{\"passkey\":\"%s\"}", first);
	MUST(ask(t, &ben, "passkey.remove", args), "NOT-FOUND");
	MUST(ask(t, &ben, "passkey.list", "{\"account\":\"ann\"}"), "DENIED");
	MUST(ask(t, &in, "passkey.remove", args), "SECOND-FACTOR");
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"passkey\":\"%s\"}", step_up(t, &in, &h[0], 50), first);
	DONE(ask(t, &in, "passkey.remove", args));
	DONE(ask(t, &in, "passkey.list", "{\"account\":\"ann\"}"));
	assert_int_equal(json_count(json_get(json_root(last.doc), "passkeys")), DB_PASSKEYS_OF_ONE - 1);
	(void)who;
}

/* No console in the signer set: no passkeys. */
static void
test_nowhere(void **state)
{
	struct rig *t = *state;
	const struct caller guest = guest_from(t, 1);
	people_rig_give(t->r);
	MUST(ask(t, &guest, "session.challenge", "{}"), "STATE");
	people_free(t->c->people);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alone_it_signs_in, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_refused, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_challenges, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_an_approval_signs_nobody_in, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_counter_goes_back, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_step_up, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_passkey_only, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_what_is_left, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_it_waits, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_one_subscriber, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_bounds, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(test_nowhere, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, forget);
}
