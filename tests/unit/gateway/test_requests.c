/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/requests.h"
#include "gateway/wire/memfd.h"

#define V CALLERS_VIEWER
#define O CALLERS_OPERATOR
#define P CALLERS_APPROVER
#define A CALLERS_ADMIN
#define U CALLERS_AUDITOR
#define ALL (V | O | P | A | U)
#define G CALLERS_GUEST
#define E CALLERS_ENROL

/* Who may ask for what, written down a second time: a change of the table is a change here, with a reason. */
static const struct {
	const char *name;
	enum requests_kind kind;
	unsigned who;
} expected[] = {
	{ "account.add", REQUESTS_PERSONAL, A },
	{ "account.bind", REQUESTS_PERSONAL, A },
	{ "account.disable", REQUESTS_RESTRICT, A },
	{ "account.enable", REQUESTS_PERSONAL, A },
	{ "account.list", REQUESTS_VIEW, U | A },
	{ "account.passkey_only", REQUESTS_PERSONAL, ALL },
	{ "account.password", REQUESTS_PERSONAL, ALL | E },
	{ "account.roles", REQUESTS_PERSONAL, A },
	{ "account.totp", REQUESTS_PERSONAL, ALL | E },
	{ "account.unbind", REQUESTS_RESTRICT, A },
	{ "audit.cosigned", REQUESTS_VIEW, U | P | A },
	{ "audit.export", REQUESTS_VIEW, U | P | A },
	{ "audit.head", REQUESTS_VIEW, ALL },
	{ "audit.open", REQUESTS_VIEW, ALL },
	{ "audit.proof", REQUESTS_VIEW, ALL },
	{ "backup.state", REQUESTS_LOCAL, A },
	{ "base.add", REQUESTS_CHANGE, O | A },
	{ "base.drop", REQUESTS_CHANGE, O | A },
	{ "base.list", REQUESTS_VIEW, ALL },
	{ "fetch.retry", REQUESTS_CHANGE, O | A },
	{ "file.open", REQUESTS_VIEW, ALL },
	{ "import", REQUESTS_CHANGE, O | A },
	{ "module.explain", REQUESTS_VIEW, ALL },
	{ "module.hold", REQUESTS_RESTRICT, O | A },
	{ "module.import", REQUESTS_CHANGE, O | A },
	{ "egress.import", REQUESTS_CHANGE, O | A },
	{ "group.list", REQUESTS_VIEW, ALL },
	{ "image.list", REQUESTS_VIEW, ALL },
	{ "image.show", REQUESTS_VIEW, ALL },
	{ "incident.list", REQUESTS_VIEW, ALL },
	{ "incident.show", REQUESTS_VIEW, ALL },
	{ "module.list", REQUESTS_VIEW, ALL },
	{ "module.reveal", REQUESTS_VIEW, O | P | A },
	{ "module.show", REQUESTS_VIEW, ALL },
	{ "module.unhold", REQUESTS_CHANGE, O | A },
	{ "module.url", REQUESTS_CHANGE, O | A },
	{ "notes.add", REQUESTS_CHANGE, O | A },
	{ "passkey.add", REQUESTS_PERSONAL, ALL | E },
	{ "passkey.challenge", REQUESTS_PERSONAL, ALL | E },
	{ "passkey.fresh", REQUESTS_PERSONAL, ALL },
	{ "passkey.list", REQUESTS_VIEW, ALL },
	{ "passkey.remove", REQUESTS_PERSONAL, ALL },
	{ "people.list", REQUESTS_VIEW, ALL },
	{ "people.propose", REQUESTS_VIEW, O | P | A },
	{ "people.submit", REQUESTS_PERMIT, O | P | A },
	{ "people.suspend", REQUESTS_RESTRICT, O | P | A },
	{ "policy.explain", REQUESTS_VIEW, ALL },
	{ "policy.show", REQUESTS_VIEW, ALL },
	{ "policy.submit", REQUESTS_PERMIT, O | P | A },
	{ "policy.whatif", REQUESTS_VIEW, O | P | A },
	{ "privacy.erase", REQUESTS_CHANGE, A },
	{ "profile.draft", REQUESTS_VIEW, O | P | A },
	{ "profile.list", REQUESTS_VIEW, ALL },
	{ "profile.unknown", REQUESTS_VIEW, O | P | A },
	{ "exposure.list", REQUESTS_VIEW, ALL },
	{ "refusal.list", REQUESTS_VIEW, ALL },
	{ "refusal.add", REQUESTS_RESTRICT, O | P | A },
	{ "refusal.lift", REQUESTS_CHANGE, P | A },
	{ "breakglass.show", REQUESTS_VIEW, ALL },
	{ "breakglass.statement", REQUESTS_VIEW, P | A },
	{ "breakglass.submit", REQUESTS_PERMIT, O | P | A },
	{ "standing.list", REQUESTS_VIEW, ALL },
	{ "standing.propose", REQUESTS_CHANGE, O | P | A },
	{ "standing.statement", REQUESTS_VIEW, P | A },
	{ "standing.submit", REQUESTS_PERMIT, O | P | A },
	{ "standing.revoke", REQUESTS_RESTRICT, O | P | A },
	{ "waiver.list", REQUESTS_VIEW, ALL },
	{ "waiver.add", REQUESTS_CHANGE, P },
	{ "waiver.lift", REQUESTS_RESTRICT, O | P | A },
	{ "release.list", REQUESTS_VIEW, ALL },
	{ "release.revoke", REQUESTS_RESTRICT, O | P | A },
	{ "resume.statement", REQUESTS_VIEW, P | A },
	{ "resume.submit", REQUESTS_PERMIT, O | P | A },
	{ "review.attach", REQUESTS_CHANGE, O | P | A },
	{ "review.attest", REQUESTS_PERSONAL, O | P | A },
	{ "review.comment", REQUESTS_CHANGE, O | P | A },
	{ "review.list", REQUESTS_VIEW, ALL },
	{ "review.reject", REQUESTS_RESTRICT, O | P | A },
	{ "review.reopen", REQUESTS_CHANGE, O | P | A },
	{ "review.report", REQUESTS_VIEW, ALL },
	{ "review.show", REQUESTS_VIEW, ALL },
	{ "review.statement", REQUESTS_VIEW, P | A },
	{ "review.submit", REQUESTS_PERMIT, O | P | A },
	{ "rollout.abort", REQUESTS_RESTRICT, O | P | A },
	{ "rollout.hold", REQUESTS_RESTRICT, O | P | A },
	{ "rollout.list", REQUESTS_VIEW, ALL },
	{ "rollout.pause", REQUESTS_RESTRICT, O | P | A },
	{ "rollout.show", REQUESTS_VIEW, ALL },
	{ "rollout.statement", REQUESTS_VIEW, P | A },
	{ "rollout.submit", REQUESTS_PERMIT, O | P | A },
	{ "session.challenge", REQUESTS_CHANGE, G },
	{ "session.close", REQUESTS_OWN, ALL | E },
	{ "session.end", REQUESTS_OWN, ALL },
	{ "session.list", REQUESTS_VIEW, ALL },
	{ "session.open", REQUESTS_CHANGE, G },
	{ "session.passkey", REQUESTS_CHANGE, G },
	{ "session.show", REQUESTS_VIEW, ALL | E },
	{ "session.sso", REQUESTS_CHANGE, G },
	{ "setup.code", REQUESTS_PERSONAL, A },
	{ "setup.open", REQUESTS_CHANGE, G },
	{ "sighting.list", REQUESTS_VIEW, ALL },
	{ "status", REQUESTS_VIEW, ALL },
	{ "supplier.list", REQUESTS_VIEW, ALL },
	{ "supplier.show", REQUESTS_VIEW, ALL },
	{ "token.create", REQUESTS_PERSONAL, A },
	{ "token.list", REQUESTS_VIEW, U | A },
	{ "token.revoke", REQUESTS_RESTRICT, A },
};
#define EXPECTED_N (sizeof expected / sizeof expected[0])

struct heard {
	unsigned replies, overs;
	unsigned status;
	char json[2048];
};

static void
on_reply(void *ctx, const struct msg_reply *m, const int *fds, unsigned fds_n)
{
	struct heard *h = ctx;
	(void)fds;
	assert_int_equal(fds_n, (unsigned)m->big + (unsigned)m->file);
	h->replies++;
	h->status = m->status;
	snprintf(h->json, sizeof h->json, "%.*s", (int)m->json.n, (const char *)m->json.p);
}

static void
on_over(void *ctx, struct call *c)
{
	(void)c;
	((struct heard *)ctx)->overs++;
}

/* One call as somebody with those roles; handlers that need a gateway must not be reached. */
static struct heard
ask(struct control *c, unsigned roles, const char *request, const char *args, unsigned fds)
{
	struct heard h = { 0 };
	const struct call_line line = { &h, on_reply, on_over };
	const struct caller who = { .means = CALLERS_MEANS_UID, .uid = 1000, .roles = roles, .user = "somebody" };
	struct msg_call m = { .token = 5, .fds = fds, .json = view_str(args) };
	struct wire_frame f = { .fds_n = fds };
	struct call *call = NULL;
	snprintf(m.request, sizeof m.request, "%s", request);
	for (unsigned i = 0; i < fds; i++)
		f.fds[i] = memfd_sealed("test", view_str("x"));
	assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
	requests_handle(c, call);
	assert_int_equal(h.replies, 1);
	assert_int_equal(h.overs, 1);
	return h;
}

static bool
says(const struct heard *h, const char *id)
{
	char needle[64];
	snprintf(needle, sizeof needle, "\"id\":\"%s\"", id);
	return strstr(h->json, needle) != NULL;
}

static void
test_requests_table_is_the_one_agreed(void **state)
{
	(void)state;
	assert_int_equal(requests_count(), EXPECTED_N);
	for (size_t i = 0; i < EXPECTED_N; i++) {
		const struct requests_row *row = requests_find(expected[i].name);
		if (!row)
			fail_msg("%s is not in the table", expected[i].name);
		assert_int_equal(row->kind, expected[i].kind);
		assert_int_equal(row->who, expected[i].who);
		/* Only what carries a statement and its signature can permit. */
		if (row->kind == REQUESTS_PERMIT)
			assert_true(row->fds_min == 2 && row->fds_max == 2);
		/* Who may look may do nothing else, but with what is one's own. */
		if (row->kind != REQUESTS_VIEW && row->kind != REQUESTS_PERSONAL && row->kind != REQUESTS_OWN)
			assert_false(row->who & (CALLERS_VIEWER | CALLERS_AUDITOR));
		/* A guest signs in, and may nothing that anybody else may. */
		if (row->who & CALLERS_GUEST)
			assert_true(row->who == CALLERS_GUEST && (strstr(row->name, ".open") || strcmp(row->name, "session.sso") == 0 ||
			    strcmp(row->name, "session.challenge") == 0 || strcmp(row->name, "session.passkey") == 0));
		/* Somebody without a second factor makes one, or leaves. */
		if (row->who & CALLERS_ENROL)
			assert_true(row->kind == REQUESTS_PERSONAL || row->kind == REQUESTS_OWN || strcmp(row->name, "session.show") == 0);
	}
	assert_null(requests_at(requests_count()));
}

/*
 * Every request, by every means, with every set of roles, with a signature in hand and without: nothing a
 * caller is permits anything, and what restricts takes one.
 */
static void
test_requests_matrix(void **state)
{
	unsigned counted = 0, restricted = 0;
	(void)state;
	for (size_t i = 0; i < requests_count(); i++) {
		const struct requests_row *row = requests_at(i);
		for (unsigned means = 0; means <= CALLERS_MEANS_LIMIT; means++) {
			for (unsigned roles = 0; roles <= (ALL | G | E); roles++) {
				const struct caller who = { .means = (enum callers_means)means, .roles = roles,
					.uid = means == CALLERS_MEANS_ROOT ? 0 : 1000 };
				const enum requests_verdict with = requests_may(row, &who, true);
				const enum requests_verdict without = requests_may(row, &who, false);
				bool known = means > CALLERS_MEANS_NONE && means < CALLERS_MEANS_LIMIT;
				const unsigned has = means == CALLERS_MEANS_GUEST ? G : roles & ~(unsigned)G;
				const bool token = means == CALLERS_MEANS_TOKEN, sso = means == CALLERS_MEANS_SSO;
				if (!known || !(has & row->who)) {
					assert_int_equal(with, REQUESTS_DENIED);
					assert_int_equal(without, REQUESTS_DENIED);
				} else if ((token && (row->kind == REQUESTS_PERMIT || row->kind == REQUESTS_OWN)) ||
				    ((token || sso) && row->kind == REQUESTS_PERSONAL) ||
				    (row->kind == REQUESTS_LOCAL && means != CALLERS_MEANS_UID && means != CALLERS_MEANS_ROOT)) {
					/*
					 * A machine's secret hands in no vote, not even one that would be counted; neither it nor
					 * a front's word makes accounts.
					 */
					assert_int_equal(with, REQUESTS_DENIED);
					assert_int_equal(without, REQUESTS_DENIED);
				} else if (row->kind == REQUESTS_PERMIT) {
					assert_int_equal(without, REQUESTS_DENIED);
					assert_int_equal(with, REQUESTS_COUNTED);
					counted++;
				} else {
					assert_int_equal(without, REQUESTS_ALLOWED);
					assert_int_equal(with, REQUESTS_ALLOWED); /* it changes nothing */
					restricted += row->kind == REQUESTS_RESTRICT && roles == O;
				}
			}
		}
	}
	assert_true(counted > 0);
	assert_true(restricted > 0); /* one operator alone */
	/* What the matrix rests on: what permits are these three, and each brings a statement and its signature. */
	for (size_t i = 0; i < requests_count(); i++) {
		const struct requests_row *row = requests_at(i);
		bool submits = strstr(row->name, ".submit") != NULL;
		assert_int_equal(row->kind == REQUESTS_PERMIT, submits);
		assert_int_equal(row->kind == REQUESTS_PERMIT && row->fds_min == REQUESTS_SIGNED_FDS, submits);
	}
	const struct requests_row broken = { .name = "x", .kind = REQUESTS_NONE, .who = ALL };
	const struct caller root = { .means = CALLERS_MEANS_ROOT, .roles = ALL };
	assert_int_equal(requests_may(&broken, &root, true), REQUESTS_DENIED);
}

static void
test_requests_every_role_without_the_right_is_denied(void **state)
{
	struct control c = { 0 };
	unsigned denied = 0;
	(void)state;
	for (size_t i = 0; i < requests_count(); i++) {
		const struct requests_row *row = requests_at(i);
		for (unsigned role = 0; role <= (ALL | G | E); role++) {
			if (role & row->who & ~(unsigned)G) /* nobody of this machine is a guest */
				continue;
			struct heard h = ask(&c, role, row->name, "{}", 0);
			assert_int_equal(h.status, CALL_REFUSED);
			assert_true(says(&h, "DENIED"));
			assert_int_equal(c.denied.count, ++denied);
		}
	}
	assert_true(denied > EXPECTED_N);
	assert_non_null(strstr(c.denied.last, "somebody asked for "));
}

static void
test_requests_arguments_are_checked_before_anything_else(void **state)
{
	static const struct {
		const char *request, *args;
		unsigned fds;
	} rows[] = {
		{ "review.show", "{}", 0 },
		{ "review.show", "{\"review\":5}", 0 },
		{ "review.show", "{\"review\":\"R-1\",\"more\":1}", 0 },
		{ "review.show", "{\"review\":\"R-1\"}", 1 },
		{ "review.show", "{\"review\":\"R-1\\u0000\"}", 0 },
		{ "review.show", "{\"review\":\"R-11111111111111111111111111111111111111\"}", 0 },
		{ "review.submit", "{}", 0 },
		{ "review.submit", "{}", 1 },
		{ "review.submit", "{\"review\":\"R-1\"}", 0 },
		{ "review.submit", "{\"release\":\"R-1\"}", 2 },
		{ "review.statement", "{\"reason\":\"because it is so\",\"review\":\"R-1\",\"groups\":\"all\"}", 0 },
		{ "review.statement", "{\"reason\":\"because it is so\",\"review\":\"R-1\",\"groups\":[1]}", 0 },
		{ "review.statement", "{\"reason\":\"because it is so\",\"review\":\"R-1\",\"days\":-1}", 0 },
		{ "audit.proof", "{\"index\":\"1\"}", 0 },
		{ "module.import", "{\"dry_run\":1}", 1 },
		{ "egress.import", "{\"dry_run\":1}", 1 },
		{ "egress.import", "{}", 0 },
		{ "module.url", "{\"module\":\"00000000000000000000000000000000\"}", 0 },
		{ "module.url", "{\"module\":\"0\",\"release\":\"000000000000000000000000000000000\"}", 0 },
		{ "status", "{\"a\":1}", 0 },
		{ "import", "{\"product\":\"p\",\"profile\":\"q\",\"version\":\"1\"}", 0 },
	};
	struct control c = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct heard h = ask(&c, CALLERS_ANY, rows[i].request, rows[i].args, rows[i].fds);
		if (h.status != CALL_USAGE || !says(&h, "USAGE"))
			fail_msg("%s %s: %s", rows[i].request, rows[i].args, h.json);
	}
}

static void
test_requests_unknown_and_stopping(void **state)
{
	struct control c = { 0 };
	(void)state;
	struct heard h = ask(&c, CALLERS_ANY, "review.approve", "{}", 0);
	assert_int_equal(h.status, CALL_USAGE);
	assert_true(says(&h, "UNKNOWN-REQUEST"));
	c.stopping = true;
	h = ask(&c, CALLERS_ANY, "status", "{}", 0);
	assert_int_equal(h.status, CALL_COULD_NOT);
}

static void
test_requests_args_must_be_an_object(void **state)
{
	static const char *const bad[] = { "", "[]", "1", "null", "{", "{}x", "{\"a\":1,\"a\":2}", "\xff" };
	const struct call_line line = { NULL, on_reply, on_over };
	const struct caller who = { .roles = CALLERS_ANY };
	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct msg_call m = { .json = view_str(bad[i]) };
		struct wire_frame f = { 0 };
		struct call *call = NULL;
		assert_int_equal(call_new(&m, &f, &who, &line, &call), FG_EFORMAT);
		assert_null(call);
	}
}

static void
test_requests_answer_is_dropped_when_nobody_listens(void **state)
{
	struct heard h = { 0 };
	const struct call_line line = { &h, on_reply, on_over };
	const struct caller who = { .roles = CALLERS_ANY };
	struct msg_call m = { .json = view_str("{}") };
	struct wire_frame f = { 0 };
	struct call *call = NULL;
	(void)state;
	assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
	call_hang_up(call);
	call_fail(call, CALL_REFUSED, "REFUSED", "", "too late");
	assert_int_equal(h.replies, 0);
	assert_int_equal(h.overs, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_table_is_the_one_agreed),
		cmocka_unit_test(test_requests_matrix),
		cmocka_unit_test(test_requests_every_role_without_the_right_is_denied),
		cmocka_unit_test(test_requests_arguments_are_checked_before_anything_else),
		cmocka_unit_test(test_requests_unknown_and_stopping),
		cmocka_unit_test(test_requests_args_must_be_an_object),
		cmocka_unit_test(test_requests_answer_is_dropped_when_nobody_listens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
