/* SPDX-License-Identifier: Apache-2.0 */
/* Single sign-on: which connection is the front's, whom an administrator has bound, what a session that came so is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/vouch.h"
#include "unit/gateway/sessions_rig.h"

#define ISSUER "https://id.example"
#define SSO(more) "console = { address = \"127.0.0.1\"; cert = \"c\"; key = \"k\"; sso = { socket = \"f.sock\"; user = \"root\"; " \
	"group = \"root\"; client_ca = \"ca.pem\"; client_keys = [\"" KEY "\"]; " more " }; };\n"
#define KEY "00000000000000000000000000000000000000000000000000000000000000ab"

static struct sessions_from
vouched(const char *subject)
{
	struct sessions_from from = { .peer = { 0x20, 1 }, .front = "uid:0" };
	assert_int_equal(vouch_identity(view_str(ISSUER), view_str(subject), from.person), 0);
	return from;
}

/* Whom the front names asks for a session, by what it says of them. */
static const struct answer *
come(struct rig *t, const struct sessions_from *from, const char *subject, const char *more)
{
	const uint8_t none[SESSIONS_SECRET] = { 0 };
	struct caller guest;
	char args[512];
	assert_true(sessions_identify(t->c->sessions, CALLERS_MEANS_GUEST, none, from, &guest));
	snprintf(args, sizeof args, "{%s\"issuer\":\"" ISSUER "\",\"subject\":\"%s\"}", more, subject);
	return ask(t, &guest, "session.sso", args);
}

static void
test_a_front_vouches(void **state)
{
	struct rig *t = *state;
	struct caller by = root(), who;
	struct sessions_from ann = vouched("a-1"), bob = vouched("b-2"), nobody = { .peer = { 0x20, 1 } };
	uint8_t secret[SESSIONS_SECRET];
	control_rig_configure(t->r, SSO("amr = [\"hwk\", \"otp\"];"), SAMPLE_PROFILE);
	add(t, "ann", "\"operator\",\"viewer\"");
	MUST(come(t, &ann, "a-1", "\"amr\":\"hwk\","), "NOT-BOUND");
	struct sessions_from unsaid = ann;
	unsaid.front = "";
	MUST(come(t, &unsaid, "a-1", "\"amr\":\"hwk\","), "FRONT"); /* named, by a connection that is no front's */
	DONE(ask(t, &by, "account.bind", "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"subject\":\"a-1\"}"));
	assert_non_null(strstr(t->log, "change=bound|roles=viewer, operator|issuer=" ISSUER "|subject=a-1"));
	/* What the issuer must have seen is one of the words, whole; no word is not enough. */
	static const char *const weak[] = { "", "\"amr\":\"pwd\",", "\"amr\":\"hwkx,xotp\",", "\"amr\":\"[]\",",
		"\"acr\":\"hwk\",", "\"amr\":\"HWK\"," };
	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++)
		MUST(come(t, &ann, "a-1", weak[i]), "SECOND-FACTOR");
	/* Who is named in the arguments and not by the front, is nobody; so is everybody where no front is. */
	MUST(come(t, &bob, "a-1", "\"amr\":\"hwk\","), "FRONT");
	MUST(come(t, &nobody, "a-1", "\"amr\":\"hwk\","), "FRONT");
	DONE(come(t, &ann, "a-1", "\"amr\":\"[\\\"pwd\\\", \\\"otp\\\"]\","));
	secret_of(&last, secret);
	assert_non_null(strstr(t->log, "auth.ok|account:ann|session:"));
	assert_non_null(strstr(t->log, "|front=uid:0|issuer=" ISSUER "|"));
	/* The lent password and the second factor that is not there are no matter; the front is, at each call. */
	assert_true(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &ann, &who));
	assert_int_equal(who.means, CALLERS_MEANS_SSO);
	assert_int_equal(who.roles, CALLERS_OPERATOR | CALLERS_VIEWER);
	assert_false(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &bob, &who));
	assert_false(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &nobody, &who));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	/* Limits are those of others. */
	t->r->now += SESSIONS_IDLE_S;
	assert_false(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &ann, &who));
	DONE(come(t, &ann, "a-1", "\"amr\":\"hwk\","));
	secret_of(&last, secret);
	for (int64_t spent = 0; spent < SESSIONS_LIFE_S - 600; spent += 600) {
		t->r->now += 600;
		assert_true(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &ann, &who));
	}
	t->r->now += 600;
	assert_false(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &ann, &who));
	/* And with the binding it ends, also with the log away. */
	DONE(come(t, &ann, "a-1", "\"amr\":\"hwk\","));
	secret_of(&last, secret);
	log_down(t);
	DONE(ask(t, &by, "account.unbind",
	    "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"reason\":\"left\",\"subject\":\"a-1\"}"));
	assert_non_null(strstr(last.json, "\"sessions_ended\":3")); /* those whose time is over are among them */
	assert_false(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &ann, &who));
	MUST(ask(t, &by, "account.bind", "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"subject\":\"a-1\"}"), "LOG-AWAY");
	MUST(come(t, &ann, "a-1", "\"amr\":\"hwk\","), "NOT-BOUND");
}

static void
test_who_is_bound(void **state)
{
	static const char *const bad[] = {
		"\"issuer\":\"id.example\",\"subject\":\"x\"", "\"issuer\":\"http://id.example\",\"subject\":\"x\"",
		"\"issuer\":\"" ISSUER "\",\"subject\":\"\"", "\"issuer\":\"" ISSUER "\",\"subject\":\"a b\"",
		"\"issuer\":\"" ISSUER "\",\"subject\":\"\xc3\xa9\"",
	};
	struct rig *t = *state;
	struct caller by = root();
	char args[256];
	add(t, "ann", "\"viewer\"");
	add(t, "bob", "\"viewer\"");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(args, sizeof args, "{\"account\":\"ann\",%s}", bad[i]);
		MUST(ask(t, &by, "account.bind", args), "USAGE");
	}
	for (int i = 0; i < BINDINGS_OF_ONE; i++) {
		snprintf(args, sizeof args, "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"subject\":\"a-%d\"}", i);
		DONE(ask(t, &by, "account.bind", args));
	}
	MUST(ask(t, &by, "account.bind", "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"subject\":\"more\"}"), "LIMIT");
	MUST(ask(t, &by, "account.bind", "{\"account\":\"bob\",\"issuer\":\"" ISSUER "\",\"subject\":\"a-1\"}"), "EXISTS");
	MUST(ask(t, &by, "account.bind", "{\"account\":\"eve\",\"issuer\":\"" ISSUER "\",\"subject\":\"e\"}"), "NOT-FOUND");
	/* Of the account it is taken off, and of none else. */
	const char *const off = "\"issuer\":\"" ISSUER "\",\"reason\":\"x\",\"subject\":\"a-1\"}";
	snprintf(args, sizeof args, "{\"account\":\"bob\",%s", off);
	MUST(ask(t, &by, "account.unbind", args), "NOT-FOUND");
	snprintf(args, sizeof args, "{\"account\":\"ann\",%s", off);
	DONE(ask(t, &by, "account.unbind", args));
	MUST(ask(t, &by, "account.unbind", args), "NOT-FOUND");
	DONE(ask(t, &by, "account.bind", "{\"account\":\"bob\",\"issuer\":\"" ISSUER "\",\"subject\":\"a-1\"}"));
}

/* Both where both are asked for, and nothing is enough where nothing is. */
static void
test_how_well_the_issuer_looked(void **state)
{
	struct rig *t = *state;
	struct sessions_from ann = vouched("a-1");
	MUST(come(t, &ann, "a-1", "\"acr\":\"gold\",\"amr\":\"otp\","), "SECOND-FACTOR");
	control_rig_configure(t->r, SSO("acr = [\"gold\", \"platinum\"]; amr = [\"otp\"];"), SAMPLE_PROFILE);
	MUST(come(t, &ann, "a-1", "\"amr\":\"otp\","), "SECOND-FACTOR");
	MUST(come(t, &ann, "a-1", "\"acr\":\"golden\",\"amr\":\"otp\","), "SECOND-FACTOR");
	MUST(come(t, &ann, "a-1", "\"acr\":\"platinum\","), "SECOND-FACTOR");
	MUST(come(t, &ann, "a-1", "\"acr\":\"platinum\",\"amr\":\"pwd,otp\","), "NOT-BOUND");
	control_rig_configure(t->r, SSO("acr = [\"gold\"];"), SAMPLE_PROFILE);
	MUST(come(t, &ann, "a-1", "\"acr\":\"gold\","), "NOT-BOUND");
}

/* What is its own it shows and ends; nothing stands between it and its roles, and a step up is asked of it as of others. */
static void
test_a_session_of_its_own_kind(void **state)
{
	struct rig *t = *state;
	struct caller by = root(), who;
	struct sessions_from ann = vouched("a-1");
	struct db_account a;
	struct answer other;
	uint8_t secret[SESSIONS_SECRET];
	control_rig_configure(t->r, SSO("amr = [\"otp\"];"), SAMPLE_PROFILE);
	add(t, "ann", "\"admin\"");
	DONE(ask(t, &by, "account.bind", "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"subject\":\"a-1\"}"));
	DONE(come(t, &ann, "a-1", "\"amr\":\"otp\","));
	assert_non_null(strstr(last.json, "\"means\":\"sso\",\"must\":[]"));
	secret_of(&last, secret);
	assert_true(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &ann, &who));
	DONE(ask(t, &who, "session.show", "{}"));
	assert_non_null(strstr(last.json, "\"idle_seconds\":900,\"means\":\"sso\",\"must\":[]"));
	/* Whatever handler it got to: that asks for a code. */
	accounts_enable(t->c->accounts, call_by(&who, "account.enable", "{\"account\":\"ann\"}", &other));
	assert_true(other.replies == 1 && is(&other, "SECOND-FACTOR"));
	json_free(other.doc);
	/* Nor is it its account's owner, to change a password or to have a passkey. */
	accounts_totp(t->c->accounts, call_by(&who, "account.totp", "{\"account\":\"ann\"}", &other));
	assert_true(other.replies == 1 && is(&other, "SECOND-FACTOR")); /* an administrator's way */
	json_free(other.doc);
	passkeys_challenge(t->c->passkeys, call_by(&who, "passkey.challenge", "{}", &other));
	assert_true(other.replies == 1 && is(&other, "DENIED"));
	json_free(other.doc);
	DONE(ask(t, &who, "session.close", "{}"));
	assert_false(sessions_identify(t->c->sessions, CALLERS_MEANS_SESSION, secret, &ann, &who));
	/* Who is disabled, or was made two things at once in the database, is let in by no front. */
	DONE(ask(t, &by, "account.disable", "{\"account\":\"ann\",\"reason\":\"left\"}"));
	MUST(come(t, &ann, "a-1", "\"amr\":\"otp\","), "SIGN-IN");
	DONE(ask(t, &by, "account.enable", "{\"account\":\"ann\"}"));
	assert_int_equal(db_account_get(t->c->db, "ann", &a), 0);
	a.roles = CALLERS_ADMIN | CALLERS_APPROVER;
	assert_int_equal(db_account_set(t->c->db, &a), 0);
	MUST(come(t, &ann, "a-1", "\"amr\":\"otp\","), "SIGN-IN");
}

/* Binding waits for the log, and taking off does not: that word is the later one. And over the network it takes a code. */
static void
test_taken_off_meanwhile(void **state)
{
	struct rig *t = *state;
	struct caller by = root();
	struct answer first;
	uint8_t totp[TOTP_SECRET_LEN], secret[SESSIONS_SECRET];
	static const char bind[] = "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"subject\":\"a-1\"}";
	static const char off[] = "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"reason\":\"x\",\"subject\":\"a-1\"}";
	add(t, "ann", "\"viewer\"");
	requests_handle(t->c, call_by(&by, "account.bind", bind, &first));
	assert_int_equal(first.replies, 0);
	MUST(ask(t, &by, "account.unbind", off), "NOT-FOUND");
	wait_for(t, &first);
	assert_true(is(&first, "STATE"));
	json_free(first.doc);
	MUST(ask(t, &by, "account.unbind", off), "NOT-FOUND");
	/* Of another identity it is no word at all. */
	requests_handle(t->c, call_by(&by, "account.bind", bind, &first));
	MUST(ask(t, &by, "account.unbind",
	    "{\"account\":\"ann\",\"issuer\":\"" ISSUER "\",\"reason\":\"x\",\"subject\":\"a-2\"}"), "NOT-FOUND");
	wait_for(t, &first);
	assert_int_equal(first.status, CALL_DONE);
	json_free(first.doc);
	add(t, "boss", "\"admin\"");
	enrol(t, "boss", totp, secret);
	const struct caller boss = who_is(t, secret, CALLERS_MEANS_SESSION);
	MUST(ask(t, &boss, "account.bind",
	    "{\"account\":\"boss\",\"issuer\":\"" ISSUER "\",\"subject\":\"b-1\"}"), "SECOND-FACTOR");
}

/* Which connection is the front's: by the configuration that is in force now. */
static void
test_which_connection(void **state)
{
	struct rig *t = *state;
	struct msg_web_call m = { .via = MSG_VIA_NONE };
	char front[24];
	const struct config_roles roles = { .viewer = "" };
	t->c->callers = callers_new();
	assert_int_equal(callers_load(t->c->callers, &roles, 1), 0);
#define JUDGE fronts_judge(t->c, &m, front, sizeof front)
	assert_int_equal(JUDGE, FRONTS_NONE);
	m.person[0] = 1; /* a console that says so of anybody */
	assert_int_equal(JUDGE, FRONTS_STRANGER);
	m.via = MSG_VIA_SOCKET;
	m.via_uid = 0;
	assert_int_equal(JUDGE, FRONTS_STRANGER); /* none is configured */
	m.via = MSG_VIA_KEY;
	m.via_key[31] = 0xab;
	assert_int_equal(JUDGE, FRONTS_STRANGER);
	control_rig_configure(t->r, SSO("acr = [\"gold\"];"), SAMPLE_PROFILE);
	assert_int_equal(JUDGE, FRONTS_TRUSTED);
	assert_string_equal(front, "key:0000000000000000");
	m.via_key[30] = 1;
	assert_int_equal(JUDGE, FRONTS_STRANGER);
	m.person[0] = 0;
	assert_int_equal(JUDGE, FRONTS_STRANGER); /* somebody's own certificate, that says from where it comes */
	m.via = MSG_VIA_NONE;
	assert_int_equal(JUDGE, FRONTS_NONE); /* and says nothing */
	m.via = MSG_VIA_SOCKET;
	assert_int_equal(JUDGE, FRONTS_TRUSTED);
	assert_string_equal(front, "uid:0");
	for (uint32_t uid = 1; uid < 100; uid++) {
		m.via_uid = uid;
		assert_int_equal(JUDGE, FRONTS_STRANGER); /* whomever it names */
		assert_string_equal(front, "");
	}
	m.via = MSG_VIA_LIMIT;
	m.person[0] = 1;
	assert_int_equal(JUDGE, FRONTS_STRANGER);
	callers_free(t->c->callers);
	t->c->callers = NULL;
}

/* Who is not the front is told by what is known of its connection, not by where it says that it comes from. */
static void
test_strangers_are_told(void **state)
{
	struct rig *t = *state;
	struct msg_web_call m = { .via = MSG_VIA_KEY, .via_uid = 65534, .via_key = { 0xab, 1 }, .peer = { 0x20, 1, 0xd, 0xb8 } };
	const struct msg_web_stray stray = { .count = 3, .peer = { 0x20, 1, 0xd, 0xb8, [15] = 7 }, .what = "fields of a front" };
	fronts_report(t->c->fronts);
	turn(t);
	assert_int_equal(t->logged[ENTRY_AUTH_FAILED], 0);
	fronts_note(t->c->fronts, &m);
	fronts_report(t->c->fronts);
	turn(t);
	assert_non_null(strstr(t->log, "auth.failed|unknown|sso|the last of them: a call with key:ab01000000000000, not the front's|count=1"));
	m.via = MSG_VIA_SOCKET;
	fronts_note(t->c->fronts, &m);
	fronts_note(t->c->fronts, &m);
	fronts_report(t->c->fronts);
	turn(t);
	assert_non_null(strstr(t->log, "the last of them: a call by uid:65534, who is not the front|count=2"));
	assert_null(strstr(t->log, "2001:db8"));
	fronts_stray(t->c->fronts, &stray);
	fronts_report(t->c->fronts);
	turn(t);
	assert_non_null(strstr(t->log, "the last of them, from 2001:db8::7: fields of a front|count=3|peer=2001:db8::7"));
	assert_int_equal(t->logged[ENTRY_AUTH_FAILED], 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_front_vouches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_is_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_how_well_the_issuer_looked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_session_of_its_own_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_off_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_which_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers_are_told, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, forget);
}
