/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in, through the one table of requests: set-up, accounts, second factors, sessions, tokens, and waiting. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "gateway/control/throttle.h"
#include "gateway/control/webdesk.h"
#include "unit/gateway/sessions_rig.h"

/* ---- set-up ---- */

static void
test_setup(void **state)
{
	struct rig *t = *state;
	struct caller by = root(), user = { .means = CALLERS_MEANS_UID, .uid = 1000, .roles = CALLERS_ADMIN, .user = "uid:1000" };
	struct caller guest = guest_from(t, 9), session = { .means = CALLERS_MEANS_SESSION, .roles = CALLERS_ADMIN, .uid = 7 };
	char code[64], args[256];
	uint8_t secret[SESSIONS_SECRET];
	MUST(ask(t, &session, "setup.code", "{}"), "DENIED");
	MUST(ask(t, &guest, "setup.code", "{}"), "SIGN-IN");
	MUST(ask(t, &by, "setup.open", "{\"code\":\"A\",\"password\":\"" PASS "\",\"user\":\"ann\"}"), "DENIED");
	MUST(ask(t, &guest, "setup.open", "{\"code\":\"\",\"password\":\"" PASS "\",\"user\":\"ann\"}"), "SETUP-CODE");
	DONE(ask(t, &by, "setup.code", "{}"));
	assert_true(json_cstr(json_get(json_root(last.doc), "code"), code, sizeof code));
	MUST(ask(t, &guest, "setup.open", "{\"code\":\"AAAAAA-AAAAAA-AAAAAA-AAAAAA\",\"password\":\"x\",\"user\":\"ann\"}"),
	    "SETUP-CODE");
	/* A mistake of whoever has the code does not use it up; an hour does. */
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"password\":\"password1234\",\"user\":\"ann\"}", code);
	MUST(ask(t, &guest, "setup.open", args), "PASSWORD");
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"password\":\"" PASS "\",\"user\":\"Ann!\"}", code);
	MUST(ask(t, &guest, "setup.open", args), "USAGE");
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"password\":\"" PASS "\",\"user\":\"ann\"}", code);
	t->r->now += 3600;
	MUST(ask(t, &guest, "setup.open", args), "SETUP-CODE");
	t->r->now -= 1;
	DONE(ask(t, &guest, "setup.open", args));
	secret_of(&last, secret);
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_ENROL);
	/* Once, and once there is an administrator only root gets another. */
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"password\":\"" PASS "\",\"user\":\"eve\"}", code);
	MUST(ask(t, &guest, "setup.open", args), "SETUP-CODE");
	user.uid = 0; /* whose name needs no signer set here */
	MUST(ask(t, &user, "setup.code", "{}"), "DENIED");
	DONE(ask(t, &by, "setup.code", "{}"));
	/* Without the log there is no account. */
	assert_true(json_cstr(json_get(json_root(last.doc), "code"), code, sizeof code));
	log_down(t);
	snprintf(args, sizeof args, "{\"code\":\"%s\",\"password\":\"" PASS "\",\"user\":\"eve\"}", code);
	MUST(ask(t, &guest, "setup.open", args), "LOG-AWAY");
	MUST(ask(t, &by, "setup.code", "{}"), "LOG-AWAY");
	log_up(t);
	DONE(ask(t, &guest, "setup.open", args));
	assert_null(strstr(t->log, code));
	assert_null(strstr(t->log, PASS));
	assert_int_equal(t->logged[ENTRY_ACCOUNT_CHANGED], 4);
}

/* ---- signing in ---- */

static void
test_two_factors(void **state)
{
	struct rig *t = *state;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET], wrong[SESSIONS_SECRET];
	char code[8];
	add(t, "ann", "\"operator\",\"viewer\"");
	enrol(t, "ann", totp, secret);
	struct caller who = who_is(t, secret, CALLERS_MEANS_SESSION);
	assert_int_equal(who.roles, CALLERS_OPERATOR | CALLERS_VIEWER);
	assert_string_equal(who.user, "account:ann");
	assert_true(who.uid == CALLERS_UID_NONE); /* and not root */
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_TOKEN).roles, 0);
	memcpy(wrong, secret, sizeof wrong);
	wrong[31] ^= 1;
	assert_int_equal(who_is(t, wrong, CALLERS_MEANS_SESSION).roles, 0);
	/* The password alone is told that a code is due; a code is good once. */
	MUST(sign_in(t, 1, "ann", OTHER, NULL), "SECOND-FACTOR");
	snprintf(code, sizeof code, "%s", code_at(totp, t->r->now));
	DONE(sign_in(t, 1, "ann", OTHER, code));
	assert_int_equal(json_type(json_get(json_get(json_root(last.doc), "session"), "principal")), JSON_NULL);
	MUST(sign_in(t, 1, "ann", OTHER, code), "SIGN-IN");
	MUST(sign_in(t, 1, "ann", OTHER, "000000"), "SIGN-IN");
	MUST(sign_in(t, 1, "ann", PASS, code), "SIGN-IN");
	/* Nothing typed is in the log. */
	signins_report(t->c->signins);
	turn(t);
	assert_int_equal(t->logged[ENTRY_AUTH_FAILED], 1);
	assert_int_equal(t->logged[ENTRY_AUTH_OK], 3);
	assert_null(strstr(t->log, OTHER));
	assert_non_null(strstr(t->log, "peer=10.0.0.1"));
}

/* Whoever cannot sign in learns nothing from how. */
static void
test_same_answer(void **state)
{
	struct rig *t = *state;
	char first[sizeof last.json];
	struct caller by = root();
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	add(t, "ann", "\"viewer\"");
	add(t, "bob", "\"viewer\"");
	enrol(t, "ann", totp, secret);
	DONE(ask(t, &by, "account.disable", "{\"account\":\"bob\",\"reason\":\"gone\"}"));
	MUST(sign_in(t, 2, "nobody", PASS, NULL), "SIGN-IN");
	snprintf(first, sizeof first, "%s", last.json);
	static const struct {
		const char *user, *password, *code;
	} rows[] = { { "ann", PASS, NULL }, { "bob", PASS, NULL }, { "Ann", OTHER, NULL }, { "", "x", NULL }, { "ann", OTHER, "12345" },
		{ "ann\\u00e4\\ud83d\\ude00", OTHER, "123456" } };
	for (uint8_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sign_in(t, (uint8_t)(10 + i), rows[i].user, rows[i].password, rows[i].code);
		assert_int_equal(last.status, CALL_REFUSED);
		assert_string_equal(last.json, first);
	}
	/* The one who is disabled is asked for no hash of his own: it takes as long all the same. */
	signins_report(t->c->signins);
	turn(t);
	assert_null(strstr(t->log, "nobody"));
}

static void
test_ends(void **state)
{
	struct rig *t = *state;
	struct caller by = root(), who;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	char args[128], hex[2 * CALLERS_ID + 1];
	int64_t began;
	add(t, "ann", "\"operator\"");
	enrol(t, "ann", totp, secret);
	/* Idle: heard of now and then it lives, but no longer than eight hours. */
	began = t->r->now - TOTP_STEP_S;
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_OPERATOR);
	for (int i = 0; i < 31; i++) {
		t->r->now += SESSIONS_IDLE_S;
		t->r->now -= SESSIONS_TOUCH_S; /* at worst that much earlier */
		assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_OPERATOR);
	}
	while (t->r->now + 600 < began + SESSIONS_LIFE_S) {
		t->r->now += 600;
		assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_OPERATOR);
	}
	t->r->now = began + SESSIONS_LIFE_S;
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	DONE(sign_in(t, 1, "ann", OTHER, code_at(totp, t->r->now)));
	secret_of(&last, secret);
	t->r->now += SESSIONS_IDLE_S - 1;
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_OPERATOR);
	t->r->now += SESSIONS_IDLE_S;
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	/* A clock that is set far back gives nobody more time. */
	t->r->now += 60;
	DONE(sign_in(t, 1, "ann", OTHER, code_at(totp, t->r->now)));
	secret_of(&last, secret);
	t->r->now -= 7200;
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	t->r->now += 7200;
	/* Roles as they are now. */
	DONE(ask(t, &by, "account.roles", "{\"account\":\"ann\",\"roles\":[\"viewer\"]}"));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, CALLERS_VIEWER);
	/* Ended by its owner; by an administrator; with the account. */
	who = who_is(t, secret, CALLERS_MEANS_SESSION);
	DONE(ask(t, &who, "session.close", "{}"));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	t->r->now += 60;
	DONE(sign_in(t, 1, "ann", OTHER, code_at(totp, t->r->now)));
	secret_of(&last, secret);
	who = who_is(t, secret, CALLERS_MEANS_SESSION);
	hex_encode(who.session, sizeof who.session, hex);
	snprintf(args, sizeof args, "{\"session\":\"%s\"}", hex);
	struct caller stranger = who;
	snprintf(stranger.account, sizeof stranger.account, "bob");
	MUST(ask(t, &stranger, "session.end", args), "NOT-FOUND");
	DONE(ask(t, &by, "session.end", args));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	t->r->now += 60;
	DONE(sign_in(t, 1, "ann", OTHER, code_at(totp, t->r->now)));
	secret_of(&last, secret);
	log_down(t); /* what takes away does not wait */
	DONE(ask(t, &by, "account.disable", "{\"account\":\"ann\",\"reason\":\"gone\"}"));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	MUST(ask(t, &by, "account.enable", "{\"account\":\"ann\"}"), "LOG-AWAY");
	log_up(t);
	DONE(ask(t, &by, "account.enable", "{\"account\":\"ann\"}"));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0); /* that one stays ended */
}

/* ---- the console ---- */

/* What a console asked for is not answered to the one that came after it: its connections have the same numbers. */
static void
test_console_again(void **state)
{
	struct rig *t = *state;
	struct msg_web_call m = { .token = 1, .means = MSG_WEB_GUEST,
		.json = view_str("{\"password\":\"" PASS "\",\"user\":\"ann\"}") };
	struct wire_frame f;
	struct chan *chan;
	int pair[2];
	t->c->webdesk = webdesk_new(t->c);
	add(t, "ann", "\"viewer\"");
	snprintf(m.request, sizeof m.request, "session.open");
	for (unsigned again = 0; again < 2; again++) {
		unsigned replies = 0, wanted = t->logged[ENTRY_AUTH_OK] + 1;
		assert_int_equal(wire_pair(pair), 0);
		chan = chan_new(t->c->base, pair[0], &webdesk_ops, t->c);
		webdesk_up(t->c->webdesk, chan);
		assert_int_equal(msg_send(pair[1], MSG_WEB_CALL, &m, NULL, 0), 0);
		event_base_loop(t->c->base, EVLOOP_ONCE); /* it is taken, and its password waits for the thread */
		if (again) {
			webdesk_down(t->c->webdesk);
			chan_free(chan);
			close(pair[1]);
			assert_int_equal(wire_pair(pair), 0);
			chan = chan_new(t->c->base, pair[0], &webdesk_ops, t->c);
			webdesk_up(t->c->webdesk, chan);
		}
		for (int i = 0; i < 20000 && t->logged[ENTRY_AUTH_OK] < wanted; i++) {
			turn(t);
			poll(NULL, 0, 1);
		}
		assert_int_equal(t->logged[ENTRY_AUTH_OK], wanted);
		turn(t);
		while (wire_recv(pair[1], loop_buf, &f) == 0)
			replies += f.type == MSG_REPLY;
		assert_int_equal(replies, !again);
		webdesk_down(t->c->webdesk);
		chan_free(chan);
		close(pair[1]);
	}
	webdesk_free(t->c->webdesk);
	t->c->webdesk = NULL;
}

/* ---- waiting ---- */

static void
test_throttle(void **state)
{
	struct rig *t = *state;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	int64_t waited = 0;
	unsigned refused = 0;
	add(t, "ann", "\"viewer\"");
	enrol(t, "ann", totp, secret);
	/* From one address: a few at once, then longer and longer, a quarter of an hour at most. */
	for (unsigned i = 0; i < 20; i++) {
		while (is(sign_in(t, 66, "ann", PASS, NULL), "THROTTLED")) {
			t->r->now++;
			waited++;
			refused++;
		}
		MUST(&last, "SIGN-IN");
	}
	assert_true(refused > 2000);
	assert_true(waited < 16 * 900);
	const uint8_t from[CALLERS_ID] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 66 };
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_SOURCE, view_of(from, sizeof from), t->r->now), 900);
	/* The right password does not help there before the time. From where its owner comes from nothing is held up. */
	MUST(sign_in(t, 66, "ann", OTHER, code_at(totp, t->r->now)), "THROTTLED");
	DONE(sign_in(t, 1, "ann", OTHER, code_at(totp, t->r->now)));
	/* Elsewhere a minute at most, and an hour later it is forgotten. */
	MUST(sign_in(t, 67, "ann", PASS, NULL), "THROTTLED");
	t->r->now += 60;
	MUST(sign_in(t, 67, "ann", PASS, NULL), "SIGN-IN");
	t->r->now += THROTTLE_FORGET_S;
	DONE(sign_in(t, 66, "ann", OTHER, code_at(totp, t->r->now)));
	signins_report(t->c->signins);
	turn(t);
	assert_int_equal(t->logged[ENTRY_AUTH_THROTTLED], 1); /* gathered */
}

/* Who knows the password does not get to guess the code, from however many addresses. */
static void
test_codes_are_not_guessed(void **state)
{
	struct rig *t = *state;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	unsigned tried = 0;
	add(t, "ann", "\"viewer\"");
	enrol(t, "ann", totp, secret);
	for (uint8_t i = 0; i < 60; i++) {
		t->r->now += 60;
		MUST(sign_in(t, (uint8_t)(70 + i), "ann", OTHER, NULL), "SECOND-FACTOR");
		tried += is(sign_in(t, (uint8_t)(70 + i), "ann", OTHER, "000000"), "SIGN-IN");
	}
	assert_in_range(tried, 4, 16);
}

static void
test_clock_back(void **state)
{
	struct rig *t = *state;
	const struct view who = view_str("ann");
	for (int i = 0; i < 12; i++)
		assert_int_equal(throttle_charge(t->c->db, THROTTLE_CODE, who, 1000000), 0);
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, who, 1000000), 256);
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, who, 1000256), 0);
	/* Nobody waits for a clock to catch up. */
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, who, 1000), 0);
	assert_int_equal(throttle_charge(t->c->db, THROTTLE_CODE, who, 1000), 0);
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, who, 1000), 512);
	/* What was none made nobody wait, and is not forgotten for it either. */
	throttle_refund(t->c->db, THROTTLE_CODE, who);
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, who, 1000), 0);
	assert_int_equal(throttle_charge(t->c->db, THROTTLE_CODE, who, 1000), 0);
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, who, 1000), 512);
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_ACCOUNT, who, 1000), 0);
	throttle_clear(t->c->db, THROTTLE_CODE, who);
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, who, 1000), 0);
	/* Of IPv6 a whole subscriber, of IPv4 one address. */
	uint8_t six[CALLERS_ID] = { 0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5 };
	for (int i = 0; i < 8; i++)
		assert_int_equal(throttle_charge(t->c->db, THROTTLE_SOURCE, view_of(six, sizeof six), 1000000), 0);
	six[15] = 9;
	assert_true(throttle_wait(t->c->db, THROTTLE_SOURCE, view_of(six, sizeof six), 1000000) > 0);
	six[7] = 9;
	assert_int_equal(throttle_wait(t->c->db, THROTTLE_SOURCE, view_of(six, sizeof six), 1000000), 0);
}

/* The password first, then the code: whoever waited for the one does not wait for the other as well. */
static void
test_one_wait_for_both(void **state)
{
	struct rig *t = *state;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	add(t, "ann", "\"viewer\"");
	enrol(t, "ann", totp, secret);
	for (unsigned i = 0; i < 9; i++) {
		MUST(sign_in(t, 1, "ann", PASS, NULL), "SIGN-IN");
		t->r->now += 60;
	}
	MUST(sign_in(t, 1, "ann", OTHER, NULL), "SECOND-FACTOR");
	DONE(sign_in(t, 1, "ann", OTHER, code_at(totp, t->r->now)));
}

static void
nothing(void *ctx, int err, bool is, const char *phc)
{
	(void)ctx;
	(void)err;
	(void)is;
	(void)phc;
}

/* Strangers from however many addresses do not keep out who came from where they are before. */
static void
test_strangers_leave_room(void **state)
{
	struct rig *t = *state;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	add(t, "ann", "\"viewer\"");
	enrol(t, "ann", totp, secret);
	for (uint8_t from = 1; from <= 2; from++) {
		for (unsigned i = 0; i < HASHING_STRANGERS_MAX; i++)
			assert_int_equal(hashing_check(t->c->hashing, view_str("x"), NULL, nothing, NULL), 0);
		if (from == 1)
			DONE(sign_in(t, from, "ann", OTHER, code_at(totp, t->r->now)));
		else
			MUST(sign_in(t, from, "ann", OTHER, "000000"), "LIMIT");
	}
}

/* Times that nobody wrote here are no times. */
static void
test_times_of_another(void **state)
{
	struct rig *t = *state;
	const int64_t odd[] = { INT64_MIN, -1, INT64_MAX };
	struct db_failure f = { .count = 12 };
	struct db_session n = { .factors = 2, .made = 1, .until = INT64_MAX, .account = "ann" };
	struct db_token k = { .scopes = TOKENS_VIEW, .made = 1, .expires = INT64_MAX, .account = "ann", .name = "x", .by = "x" };
	const struct sessions_from from = { .peer = { 0x20, 1 } };
	const uint8_t key[2] = { THROTTLE_CODE, 'z' };
	uint8_t secret[SESSIONS_SECRET] = { 1 }, totp[TOTP_SECRET_LEN];
	struct caller who;
	add(t, "ann", "\"viewer\"");
	enrol(t, "ann", totp, secret);
	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		memset(secret, (int)i + 1, sizeof secret);
		memset(n.id, (int)i + 1, sizeof n.id);
		memset(k.id, (int)i + 1, sizeof k.id);
		assert_int_equal(digest_sha256(view_of(secret, sizeof secret), n.digest), 0);
		memcpy(k.digest, n.digest, sizeof k.digest);
		n.last = k.last = f.last = odd[i];
		assert_int_equal(db_session_add(t->c->db, &n), 0);
		assert_int_equal(db_token_add(t->c->db, &k), 0);
		assert_false(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &from, &who));
		assert_true(sessions_identify(t->c->sessions, CALLERS_MEANS_TOKEN, secret, &from, &who));
		assert_int_equal(digest_sha256(view_of(key, sizeof key), f.key), 0);
		assert_int_equal(db_failure_put(t->c->db, &f), 0);
		assert_int_equal(throttle_wait(t->c->db, THROTTLE_CODE, view_str("z"), t->r->now), 0);
		throttle_refund(t->c->db, THROTTLE_CODE, view_str("z"));
	}
}

/* Whoever signs in all day, ending each session with the next, leaves so many rows. */
static void
test_rows_are_bounded(void **state)
{
	struct rig *t = *state;
	struct db_account a;
	struct db_session n;
	uint8_t peer[CALLERS_ID] = { 0 }, secret[SESSIONS_SECRET];
	bool from = false;
	add(t, "ann", "\"viewer\"");
	assert_int_equal(db_account_get(t->c->db, "ann", &a), 0);
	for (unsigned i = 0; i <= DB_SESSIONS_OF_ONE; i++) {
		t->r->now++;
		peer[0] = (uint8_t)i;
		peer[1] = (uint8_t)(i >> 8);
		assert_int_equal(sessions_open(t->c->sessions, &a, 2, NULL, peer, &n, secret), 0);
	}
	memset(peer, 0, sizeof peer);
	assert_int_equal(db_session_from(t->c->db, "ann", peer, &from), 0);
	assert_false(from);
	peer[0] = 1;
	assert_int_equal(db_session_from(t->c->db, "ann", peer, &from), 0);
	assert_true(from);
}

/* ---- accounts ---- */

static void
test_accounts(void **state)
{
	struct rig *t = *state;
	struct caller by = root(), admin, who;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET], other[SESSIONS_SECRET];
	char args[256], signs[64];
	static const char *const bad[] = { "{\"account\":\"x\",\"password\":\"" PASS "\",\"roles\":[\"admin\",\"approver\"]}", "SEPARATION",
		"{\"account\":\"x\",\"password\":\"" PASS "\",\"roles\":[\"root\"]}", "USAGE",
		"{\"account\":\"x\",\"password\":\"" PASS "\",\"roles\":[]}", "USAGE",
		"{\"account\":\"X\",\"password\":\"" PASS "\",\"roles\":[\"viewer\"]}", "USAGE",
		"{\"account\":\"a b\",\"password\":\"" PASS "\",\"roles\":[\"viewer\"]}", "USAGE",
		"{\"account\":\"x\",\"password\":\"administrator\",\"roles\":[\"viewer\"]}", "PASSWORD" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i += 2)
		MUST(ask(t, &by, "account.add", bad[i]), bad[i + 1]);
	add(t, "boss", "\"admin\"");
	MUST(ask(t, &by, "account.add", "{\"account\":\"boss\",\"password\":\"" PASS "\",\"roles\":[\"viewer\"]}"), "EXISTS");
	MUST(ask(t, &by, "account.roles", "{\"account\":\"boss\",\"roles\":[\"admin\",\"approver\",\"viewer\"]}"), "SEPARATION");
	enrol(t, "boss", totp, secret);
	admin = who_is(t, secret, CALLERS_MEANS_SESSION);
	assert_int_equal(admin.roles, CALLERS_ADMIN);
	/* Over the network what gives takes a code once more; what takes does not. */
	const char *more = "\"account\":\"ann\",\"password\":\"" PASS "\",\"principal\":\"ann@x.example\",\"roles\":[\"approver\"]";
	snprintf(args, sizeof args, "{%s}", more);
	MUST(ask(t, &admin, "account.add", args), "SECOND-FACTOR");
	snprintf(args, sizeof args, "{\"code\":\"%s\",%s}", "000000", more);
	MUST(ask(t, &admin, "account.add", args), "SIGN-IN");
	snprintf(args, sizeof args, "{\"code\":\"%s\",%s}", code_at(totp, t->r->now), more);
	DONE(ask(t, &admin, "account.add", args));
	assert_non_null(strstr(t->log, "account.changed|account:boss|account:ann"));
	/* A password that was lent opens the way to one's own, for a week. Whose statements one signs is said at once. */
	DONE(sign_in(t, 3, "ann", PASS, NULL));
	secret_of(&last, other);
	assert_true(json_cstr(json_get(json_get(json_root(last.doc), "session"), "principal"), signs, sizeof signs));
	assert_string_equal(signs, "ann@x.example");
	who = who_is(t, other, CALLERS_MEANS_SESSION);
	assert_string_equal(who.principal, "ann@x.example");
	MUST(ask(t, &who, "status", "{}"), "DENIED");
	MUST(ask(t, &who, "session.list", "{}"), "DENIED");
	MUST(ask(t, &who, "account.password", "{\"account\":\"boss\",\"password\":\"" OTHER "\"}"), "DENIED");
	MUST(ask(t, &who, "account.totp", "{\"account\":\"boss\"}"), "DENIED");
	MUST(ask(t, &who, "account.password", "{\"account\":\"ann\",\"password\":\"" OTHER "\"}"), "USAGE");
	MUST(ask(t, &who, "account.password", "{\"account\":\"ann\",\"old\":\"" PASS "\",\"password\":\"" PASS "\"}"), "PASSWORD");
	MUST(ask(t, &who, "account.password", "{\"account\":\"ann\",\"old\":\"" OTHER "!\",\"password\":\"" OTHER "\"}"), "SIGN-IN");
	MUST(ask(t, &who, "account.totp", "{\"account\":\"ann\",\"code\":\"123456\"}"), "STATE");
	t->r->now += ACCOUNTS_LENT_S;
	assert_int_equal(who_is(t, other, CALLERS_MEANS_SESSION).roles, 0);
	MUST(sign_in(t, 3, "ann", PASS, NULL), "SIGN-IN");
	DONE(ask(t, &by, "account.password", "{\"account\":\"ann\",\"password\":\"" PASS "\"}"));
	enrol(t, "ann", totp, other);
	who = who_is(t, other, CALLERS_MEANS_SESSION);
	assert_int_equal(who.roles, CALLERS_APPROVER);
	MUST(ask(t, &who, "account.totp", "{\"account\":\"ann\"}"), "STATE"); /* a session that was found open makes no other */
	/* Taken off: every session ends, and the password alone opens the way to another. */
	DONE(ask(t, &by, "account.totp", "{\"account\":\"ann\"}"));
	assert_int_equal(who_is(t, other, CALLERS_MEANS_SESSION).roles, 0);
	DONE(sign_in(t, 3, "ann", OTHER, NULL));
	secret_of(&last, other);
	assert_int_equal(who_is(t, other, CALLERS_MEANS_SESSION).roles, CALLERS_ENROL);
}

/* ---- tokens ---- */

static int
decode(uint8_t c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = memchr(digits, c, 64);
	assert_non_null(at);
	return (int)(at - digits);
}

static void
token_of(const struct answer *a, uint8_t secret[SESSIONS_SECRET], char id[2 * CALLERS_ID + 1])
{
	char text[64];
	const struct json_value *v = json_get(json_root(a->doc), "token");
	uint32_t held = 0;
	unsigned bits = 0, n = 0;
	assert_true(json_cstr(json_get(v, "token"), text, sizeof text));
	assert_true(json_cstr(json_get(v, "id"), id, 2 * CALLERS_ID + 1));
	assert_memory_equal(text, "fgt_", 4);
	assert_int_equal(strlen(text), 4 + 43);
	for (const char *p = text + 4; *p; p++) {
		held = held << 6 | (uint32_t)decode((uint8_t)*p);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			secret[n++] = (uint8_t)(held >> bits);
		}
	}
	assert_int_equal(n, SESSIONS_SECRET);
}

static void
test_tokens(void **state)
{
	struct rig *t = *state;
	struct caller by = root(), who;
	uint8_t secret[SESSIONS_SECRET], second[SESSIONS_SECRET];
	char id[2 * CALLERS_ID + 1], args[256];
	for (unsigned roles = 0; roles <= CALLERS_ANY; roles++)
		for (uint32_t scopes = 0; scopes < 256; scopes++)
			assert_int_equal(tokens_roles(scopes, roles) & (CALLERS_ADMIN | CALLERS_APPROVER), 0);
	add(t, "ci", "\"operator\"");
	MUST(ask(t, &by, "token.create", "{\"account\":\"ci\",\"name\":\"x\",\"scopes\":[\"audit\"]}"), "ROLES");
	MUST(ask(t, &by, "token.create", "{\"account\":\"ci\",\"name\":\"x\",\"scopes\":[\"approve\"]}"), "USAGE");
	MUST(ask(t, &by, "token.create", "{\"account\":\"ci\",\"days\":401,\"name\":\"x\",\"scopes\":[\"view\"]}"), "USAGE");
	MUST(ask(t, &by, "token.create", "{\"account\":\"no\",\"name\":\"x\",\"scopes\":[\"view\"]}"), "NOT-FOUND");
	DONE(ask(t, &by, "token.create", "{\"account\":\"ci\",\"days\":2,\"name\":\"nightly\",\"scopes\":[\"view\",\"operate\"]}"));
	token_of(&last, secret, id);
	who = who_is(t, secret, CALLERS_MEANS_TOKEN);
	assert_int_equal(who.roles, CALLERS_VIEWER | CALLERS_OPERATOR);
	assert_string_equal(who.user, "token:ci");
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	MUST(ask(t, &who, "review.submit", "{}"), "DENIED");
	MUST(ask(t, &who, "account.password", "{\"account\":\"ci\",\"password\":\"" OTHER "\"}"), "DENIED");
	MUST(ask(t, &who, "session.close", "{}"), "DENIED");
	MUST(ask(t, &who, "token.create", "{\"account\":\"ci\",\"name\":\"x\",\"scopes\":[\"view\"]}"), "DENIED");
	DONE(ask(t, &who, "session.show", "{}"));
	/* Less for the account is less for it, at once. */
	DONE(ask(t, &by, "account.roles", "{\"account\":\"ci\",\"roles\":[\"viewer\"]}"));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_TOKEN).roles, CALLERS_VIEWER);
	DONE(ask(t, &by, "token.create", "{\"account\":\"ci\",\"name\":\"second\",\"scopes\":[\"view\"]}"));
	token_of(&last, second, id);
	t->r->now += 2 * 86400;
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_TOKEN).roles, 0);
	assert_int_equal(who_is(t, second, CALLERS_MEANS_TOKEN).roles, CALLERS_VIEWER);
	snprintf(args, sizeof args, "{\"reason\":\"lost\",\"token\":\"%s\"}", id);
	DONE(ask(t, &by, "token.revoke", args));
	assert_int_equal(who_is(t, second, CALLERS_MEANS_TOKEN).roles, 0);
	DONE(ask(t, &by, "token.create", "{\"account\":\"ci\",\"name\":\"third\",\"scopes\":[\"view\"]}"));
	token_of(&last, second, id);
	DONE(ask(t, &by, "account.disable", "{\"account\":\"ci\",\"reason\":\"gone\"}"));
	assert_int_equal(who_is(t, second, CALLERS_MEANS_TOKEN).roles, 0);
	DONE(ask(t, &by, "account.enable", "{\"account\":\"ci\"}"));
	assert_int_equal(who_is(t, second, CALLERS_MEANS_TOKEN).roles, 0); /* revoked for good */
	/* What is kept of a secret is its digest. */
	assert_null(strstr(t->log, "fgt_"));
}

/* ---- the thread ---- */

static void
count(void *ctx, int err, bool good, const char *phc)
{
	unsigned *n = ctx;
	(void)phc;
	assert_false(good);
	assert_true(err == 0 || err == FG_EAGAIN);
	++*n;
}

static void
test_hashing_is_bounded(void **state)
{
	struct event_base *base = event_base_new();
	struct hashing *h = hashing_new(base, 4);
	unsigned done = 0, taken = 0;
	(void)state;
	while (hashing_check(h, view_str("x"), NULL, count, &done) == 0)
		taken++;
	assert_int_equal(taken, HASHING_QUEUE_MAX);
	assert_int_equal(done, 0); /* never inside the call */
	for (int i = 0; i < 20000 && done < taken; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		poll(NULL, 0, 1);
	}
	assert_int_equal(done, taken);
	/* Whatever is under way at the end is told so, once. */
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(hashing_check(h, view_str("x"), NULL, count, &done), 0);
	hashing_free(h);
	assert_int_equal(done, taken + 5);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_setup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_factors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_console_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_throttle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_codes_are_not_guessed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_wait_for_both, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers_leave_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times_of_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accounts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
		cmocka_unit_test(test_hashing_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, forget);
}
