/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in while something changes, and what one account's sessions are to each other and to others. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/sessions_rig.h"

/* ---- while the password is looked at ---- */

/* Asked for, with the right password; its hash is being made, and the account is changed meanwhile. */
static const char *
changed_meanwhile(struct rig *t, void (*change)(struct rig *t, struct db_account *a))
{
	static char said[64];
	const struct caller guest = guest_from(t, 1);
	struct db_account a;
	struct answer first;
	requests_handle(t->c, call_by(&guest, "session.open", "{\"password\":\"" PASS "\",\"user\":\"ann\"}", &first));
	assert_int_equal(first.replies, 0);
	assert_int_equal(db_account_get(t->c->db, "ann", &a), 0);
	const struct db_account before = a;
	change(t, &a);
	assert_int_equal(db_account_set(t->c->db, &a), 0);
	wait_for(t, &first);
	snprintf(said, sizeof said, "%s", first.status == CALL_DONE ? "in" : "");
	(void)json_cstr(json_get(json_get(json_root(first.doc), "error"), "id"), said, sizeof said);
	json_free(first.doc);
	assert_int_equal(db_account_set(t->c->db, &before), 0);
	return said;
}

static void
nothing(struct rig *t, struct db_account *a)
{
	(void)t;
	(void)a;
}

static void
another_password(struct rig *t, struct db_account *a)
{
	(void)t;
	a->hash[strlen(a->hash) - 1] ^= 1;
}

static void
disabled(struct rig *t, struct db_account *a)
{
	(void)t;
	a->disabled = true;
}

static void
run_out(struct rig *t, struct db_account *a)
{
	a->lent = t->r->now;
}

static void
a_passkey(struct rig *t, struct db_account *a)
{
	struct db_passkey k = { .credential_n = 1, .key_n = 1, .made = 1, .name = "x" };
	snprintf(k.account, sizeof k.account, "%s", a->name);
	assert_int_equal(db_passkey_add(t->c->db, &k), 0);
}

static void
test_changed_meanwhile(void **state)
{
	struct rig *t = *state;
	add(t, "ann", "\"viewer\"");
	assert_string_equal(changed_meanwhile(t, nothing), "in");
	assert_string_equal(changed_meanwhile(t, another_password), "SIGN-IN");
	assert_string_equal(changed_meanwhile(t, disabled), "SIGN-IN");
	assert_string_equal(changed_meanwhile(t, run_out), "SIGN-IN");
	assert_string_equal(changed_meanwhile(t, nothing), "in");
	/* Beside a passkey a password alone is no way in. */
	assert_string_equal(changed_meanwhile(t, a_passkey), "SIGN-IN");
	assert_int_equal(t->logged[ENTRY_AUTH_OK], 2);
}

/* ---- of one account, and of others ---- */

static void
test_one_more_ends_the_oldest(void **state)
{
	struct rig *t = *state;
	struct db_account a;
	struct db_session n;
	uint8_t totp[TOTP_SECRET_LEN], first[SESSIONS_SECRET], second[SESSIONS_SECRET], more[SESSIONS_SECRET];
	uint8_t peer[CALLERS_ID] = { 1 };
	add(t, "ann", "\"viewer\"");
	enrol(t, "ann", totp, first);
	assert_int_equal(db_account_get(t->c->db, "ann", &a), 0);
	for (unsigned i = 1; i < SESSIONS_OF_ONE; i++) {
		t->r->now++;
		assert_int_equal(sessions_open(t->c->sessions, &a, SESSIONS_BY_CODE, NULL, peer, &n, i == 1 ? second : more), 0);
	}
	assert_int_equal(who_is(t, first, CALLERS_MEANS_SESSION).roles, CALLERS_VIEWER);
	t->r->now++;
	assert_int_equal(sessions_open(t->c->sessions, &a, SESSIONS_BY_CODE, NULL, peer, &n, more), 0);
	assert_int_equal(who_is(t, first, CALLERS_MEANS_SESSION).roles, 0);
	assert_int_equal(who_is(t, second, CALLERS_MEANS_SESSION).roles, CALLERS_VIEWER);
	assert_int_equal(who_is(t, more, CALLERS_MEANS_SESSION).roles, CALLERS_VIEWER);
}

/* Everybody sees and ends their own; administrators and auditors see all. */
static void
test_whose_sessions(void **state)
{
	struct rig *t = *state;
	uint8_t totp[TOTP_SECRET_LEN], ann[SESSIONS_SECRET], bob[SESSIONS_SECRET];
	char id[2 * CALLERS_ID + 1], args[96];
	add(t, "ann", "\"operator\"");
	add(t, "bob", "\"auditor\"");
	enrol(t, "ann", totp, ann);
	t->r->now += 60;
	enrol(t, "bob", totp, bob);
	struct caller a = who_is(t, ann, CALLERS_MEANS_SESSION), b = who_is(t, bob, CALLERS_MEANS_SESSION);
	DONE(ask(t, &a, "session.list", "{}"));
	assert_non_null(strstr(last.json, "\"account\":\"ann\""));
	assert_null(strstr(last.json, "bob"));
	DONE(ask(t, &b, "session.list", "{}"));
	assert_true(strstr(last.json, "\"account\":\"ann\"") && strstr(last.json, "\"account\":\"bob\""));
	/* Who sees it does not end it. */
	hex_encode(a.session, sizeof a.session, id);
	snprintf(args, sizeof args, "{\"session\":\"%s\"}", id);
	MUST(ask(t, &b, "session.end", args), "NOT-FOUND");
	assert_int_equal(who_is(t, ann, CALLERS_MEANS_SESSION).roles, CALLERS_OPERATOR);
	DONE(ask(t, &a, "session.end", args));
	assert_int_equal(who_is(t, ann, CALLERS_MEANS_SESSION).roles, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_more_ends_the_oldest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whose_sessions, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, forget);
}
