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
#include "policy/evidence.h"
#include "policy/hook.h"

#define HEAD "{\"schema\":\"" HOOK_ANSWER_SCHEMA "\","
#define NOW INT64_C(1800000000)

static int
read_text(const char *text, struct hook_answer *a, char why[HOOK_WHY_MAX])
{
	why[0] = '\0';
	memset(a, 0xee, sizeof *a);
	return hook_answer_read(view_str(text), a, why);
}

static void
answers_are_read(void **state)
{
	struct hook_answer a;
	char why[HOOK_WHY_MAX];
	(void)state;
	assert_int_equal(read_text(HEAD "\"outcome\":\"pass\"}", &a, why), 0);
	assert_int_equal(a.outcome, HOOK_PASS);
	assert_true(a.quorum == 0 && a.reasons_n == 0);
	assert_int_equal(read_text("\n" HEAD " \"reasons\" : [ \"a\", \"b\" ],\"quorum\":16,\"outcome\":\"hold\"}\n", &a, why), 0);
	assert_int_equal(a.outcome, HOOK_HOLD);
	assert_int_equal(a.quorum, 16);
	assert_int_equal(a.reasons_n, 2);
	assert_string_equal(a.reason[1], "b");
	assert_int_equal(read_text(HEAD "\"outcome\":\"deny\",\"reasons\":[\"\\u001b[2J<1B>\\u202e\"]}", &a, why), 0);
	assert_int_equal(a.outcome, HOOK_DENY);
	assert_string_equal(a.reason[0], "<1B>[2J<3C>1B><U+202E>");
}

static void
what_is_no_answer_is_refused_with_its_cause(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "it is empty" },
		{ "\n", "it is no JSON" },
		{ "pass", "it is no JSON" },
		{ "[]", "it is no JSON object" },
		{ "\"pass\"", "it is no JSON object" },
		{ "{\"outcome\":\"pass\"}", "its schema is not " HOOK_ANSWER_SCHEMA },
		{ "{\"outcome\":\"pass\",\"schema\":\"fotagate-hook-answer/2\"}", "its schema is not " HOOK_ANSWER_SCHEMA },
		{ "{\"outcome\":\"pass\",\"schema\":1}", "its schema is not " HOOK_ANSWER_SCHEMA },
		{ HEAD "\"outcome\":\"pass\"}{}", "it is no JSON" },
		{ HEAD "\"outcome\":\"deny\",\"outcome\":\"pass\"}", "it is no JSON" },
		{ HEAD "\"reasons\":[]}", "it says no outcome" },
		{ HEAD "\"outcome\":1}", "it says no outcome" },
		{ HEAD "\"outcome\":\"permit\"}", "its outcome is none of pass, hold and deny" },
		{ HEAD "\"outcome\":\"PASS\"}", "its outcome is none of pass, hold and deny" },
		{ HEAD "\"outcome\":\"pass\",\"quorum\":1}", "a quorum comes with hold alone" },
		{ HEAD "\"outcome\":\"deny\",\"quorum\":1}", "a quorum comes with hold alone" },
		{ HEAD "\"outcome\":\"hold\",\"quorum\":0}", "its quorum is not 1 to 16" },
		{ HEAD "\"outcome\":\"hold\",\"quorum\":17}", "its quorum is not 1 to 16" },
		{ HEAD "\"outcome\":\"hold\",\"quorum\":-1}", "its quorum is not 1 to 16" },
		{ HEAD "\"outcome\":\"hold\",\"quorum\":\"3\"}", "its quorum is not 1 to 16" },
		{ HEAD "\"outcome\":\"hold\",\"quorum\":null}", "its quorum is not 1 to 16" },
		{ HEAD "\"outcome\":\"hold\",\"why\":\"so\"}", "why is no member of an answer" },
		{ HEAD "\"outcome\":\"hold\",\"\\u001b\":1}", "<1B> is no member of an answer" },
		{ HEAD "\"outcome\":\"hold\",\"reasons\":\"so\"}", "its reasons are no list, or more than 8" },
		{ HEAD "\"outcome\":\"hold\",\"reasons\":[1,2,3,4,5,6,7,8,9]}", "its reasons are no list, or more than 8" },
		{ HEAD "\"outcome\":\"hold\",\"reasons\":[\"a\",\"\"]}", "reason 2 is no text of 1 to 200 bytes" },
		{ HEAD "\"outcome\":\"hold\",\"reasons\":[[]]}", "reason 1 is no text of 1 to 200 bytes" },
	};
	struct hook_answer a, none = { .outcome = HOOK_DENY };
	char why[HOOK_WHY_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(read_text(cases[i].text, &a, why), FG_EFORMAT);
		assert_string_equal(why, cases[i].why);
		assert_int_equal(a.outcome, HOOK_DENY); /* whoever forgets to ask for the error */
		assert_true(a.quorum == none.quorum && a.reasons_n == 0);
	}
}

static void
an_answer_has_its_limits(void **state)
{
	struct hook_answer a;
	char why[HOOK_WHY_MAX], *text = calloc(1, HOOK_ANSWER_MAX + 2), reason[HOOK_REASON_MAX + 2];
	(void)state;
	assert_non_null(text);
	/* White space to the last byte. */
	memset(text, ' ', HOOK_ANSWER_MAX + 1);
	memcpy(text, HEAD "\"outcome\":\"pass\"}", strlen(HEAD "\"outcome\":\"pass\"}"));
	assert_int_equal(hook_answer_read(view_of(text, HOOK_ANSWER_MAX), &a, why), 0);
	assert_int_equal(hook_answer_read(view_of(text, HOOK_ANSWER_MAX + 1), &a, why), FG_EFORMAT);
	assert_string_equal(why, "it is longer than 16384 bytes");
	for (unsigned n = HOOK_REASON_MAX; n <= HOOK_REASON_MAX + 1; n++) {
		memset(reason, 'x', n);
		reason[n] = '\0';
		snprintf(text, HOOK_ANSWER_MAX, HEAD "\"outcome\":\"deny\",\"reasons\":[\"%s\"]}", reason);
		assert_int_equal(read_text(text, &a, why), n > HOOK_REASON_MAX ? FG_EFORMAT : 0);
	}
	free(text);
}

/* ---- records ---- */

static void
a_record_comes_back_and_no_other_text_does(void **state)
{
	struct hook_record r = { .at = NOW, .program = { 1 }, .report = { 2 }, .asked = { 3 } }, *again = calloc(1, sizeof *again);
	char why[HOOK_WHY_MAX];
	struct writer w;
	(void)state;
	assert_non_null(again);
	assert_int_equal(read_text(HEAD "\"outcome\":\"hold\",\"quorum\":4,\"reasons\":[\"\\u001b<1B>\",\"b\\\"\"]}", &r.answer, why), 0);
	writer_init(&w, HOOK_RECORD_MAX);
	assert_int_equal(hook_record_write(&r, &w), 0);
	assert_int_equal(hook_record_read(writer_view(&w), again), 0);
	assert_memory_equal(again, &r, sizeof r);
	/* Every byte of it counts. */
	for (size_t i = 0; i < w.n; i++) {
		uint8_t was = w.p[i];
		w.p[i] = ' ';
		if (was != ' ' && hook_record_read(writer_view(&w), again) == 0)
			assert_memory_not_equal(again, &r, sizeof r);
		w.p[i] = was;
	}
	assert_int_equal(hook_record_read(view_of(w.p, w.n - 1), again), FG_EFORMAT);
	assert_int_equal(hook_record_read(view_str("{}"), again), FG_EFORMAT);
	writer_free(&w);
	free(again);
}

static void
an_answer_is_of_one_program_to_one_report(void **state)
{
	const uint8_t program[DIGEST_SHA256_LEN] = { 1 }, report[DIGEST_SHA256_LEN] = { 2 }, other[DIGEST_SHA256_LEN] = { 9 };
	const struct hook_record r = { .answer = { .outcome = HOOK_PASS }, .program = { 1 }, .report = { 2 } };
	struct hook_said s;
	(void)state;
	hook_said_of(&r, program, report, &s);
	assert_int_equal(s.state, HOOK_ANSWERED);
	assert_int_equal(s.answer.outcome, HOOK_PASS);
	hook_said_of(&r, other, report, &s);
	assert_int_equal(s.state, HOOK_UNANSWERED);
	hook_said_of(&r, program, other, &s);
	assert_int_equal(s.state, HOOK_UNANSWERED);
	hook_said_of(NULL, program, report, &s);
	assert_int_equal(s.state, HOOK_UNANSWERED);
	hook_said_of(&r, NULL, report, &s);
	assert_int_equal(s.state, HOOK_NONE);
}

/* ---- what comes of it ---- */

static struct profile *
profile(void)
{
	struct profile *p = calloc(1, sizeof *p);
	assert_non_null(p);
	p->quorum = 2;
	p->review_days = 30;
	p->upstream_options.max_bytes = 1000;
	return p;
}

static void
outcomes_by_table(void **state)
{
	static const struct {
		enum hook_state state;
		enum hook_outcome outcome;
		uint32_t quorum;
		enum decide_verdict verdict;
		uint32_t need;
		bool automatic;
	} cases[] = {
		{ HOOK_NONE, HOOK_DENY, 0, DECIDE_REVIEW, 2, true },
		{ HOOK_UNANSWERED, HOOK_PASS, 0, DECIDE_HOLD, SCOPE_QUORUM_NEVER, false },
		{ HOOK_ANSWERED, HOOK_PASS, 0, DECIDE_REVIEW, 2, true },
		{ HOOK_ANSWERED, HOOK_HOLD, 0, DECIDE_REVIEW, 3, false },
		{ HOOK_ANSWERED, HOOK_HOLD, 1, DECIDE_REVIEW, 2, false }, /* asks for less than the rules: they stand */
		{ HOOK_ANSWERED, HOOK_HOLD, 2, DECIDE_REVIEW, 2, false },
		{ HOOK_ANSWERED, HOOK_HOLD, 5, DECIDE_REVIEW, 5, false },
		{ HOOK_ANSWERED, HOOK_DENY, 0, DECIDE_DENY, SCOPE_QUORUM_NEVER, false },
		{ HOOK_ANSWERED, (enum hook_outcome)7, 0, DECIDE_DENY, SCOPE_QUORUM_NEVER, false },
	};
	const struct rule release = { .name = "r", .outcome = RULES_RELEASE, .severity_at_least = RULES_NO_FINDING,
		.signature_at_best = SIG_VERIFIED, .signer_at_best = RULES_SIGNER_KEPT, .direction_at_best = RULES_UP,
		.delta_at_best = RULES_DELTA_NONE, .unsigned_at_most = RULES_ALL, .unexplained_at_most = RULES_ALL,
		.unreviewable_at_most = RULES_ALL };
	const struct rules_raise raise = { 0 };
	const struct rules_facts facts = { .complete = true };
	struct profile *p = profile();
	struct decide_result *d = calloc(1, sizeof *d);
	struct rules_result *r = calloc(1, sizeof *r);
	char said[RULES_SENTENCE_MAX];
	(void)state;
	assert_true(d && r);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct hook_said s = { .state = cases[i].state, .answer = { .outcome = cases[i].outcome,
		    .quorum = cases[i].quorum, .reasons_n = 1, .reason = { "so" } } };
		*d = (struct decide_result){ .verdict = DECIDE_REVIEW };
		rules_decide(&release, 1, &raise, &facts, NOW, r);
		hook_tighten_fixed(&s, d);
		hook_tighten_rules(&s, r);
		assert_int_equal(evidence_verdict(d, r), cases[i].verdict);
		assert_int_equal(rules_quorum(r, SCOPE_PRODUCTION, p, 1), cases[i].need);
		assert_int_equal(rules_automatic(r), cases[i].automatic);
		assert_int_equal(hook_is_wanted(&s, d, r), s.state == HOOK_UNANSWERED);
		evidence_describe(d, r, said);
		if (cases[i].verdict == DECIDE_DENY)
			assert_string_equal(said, "The decision hook denies it: so");
		else if (s.state == HOOK_ANSWERED && s.answer.outcome == HOOK_HOLD)
			assert_non_null(strstr(said, s.answer.quorum ? " at least for the decision hook" : "one more for the decision hook"));
	}
	free(r);
	free(d);
	free(p);
}

static void
a_denial_stands_before_what_holds(void **state)
{
	const struct hook_said denies = { .state = HOOK_ANSWERED }, silent = { .state = HOOK_UNANSWERED };
	struct decide_result *d = calloc(1, sizeof *d);
	struct rules_result *r = calloc(1, sizeof *r);
	(void)state;
	assert_true(d && r);
	d->verdict = DECIDE_REVIEW;
	r->outcome = RULES_HOLD;
	decide_add(d, DECIDE_CLOCK_UNSURE, "clock");
	hook_tighten_fixed(&silent, d);
	assert_int_equal(d->verdict, DECIDE_HOLD);
	assert_false(hook_is_wanted(&silent, d, r)); /* its answer would change nothing now */
	hook_tighten_fixed(&denies, d);
	assert_int_equal(d->verdict, DECIDE_DENY);
	assert_int_equal(d->reasons_n, 3);
	assert_int_equal(d->because[0].reason, DECIDE_HOOK_DENIES);
	assert_string_equal(d->because[0].sentence, "The decision hook denies it.");
	assert_int_equal(d->because[1].reason, DECIDE_CLOCK_UNSURE);
	assert_int_equal(d->because[2].reason, DECIDE_HOOK_UNANSWERED);
	r->outcome = RULES_DENY;
	*d = (struct decide_result){ .verdict = DECIDE_REVIEW };
	hook_tighten_fixed(&silent, d);
	assert_false(hook_is_wanted(&silent, d, r));
	free(r);
	free(d);
}

/* ---- whatever is said, nothing is permitted that was not ---- */

static uint32_t
random32(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void
an_answer_never_permits_more(void **state)
{
	struct profile *p = profile();
	struct decide_result *d = calloc(2, sizeof *d);
	struct rules_result *r = calloc(2, sizeof *r);
	uint32_t seed = 20261201;
	unsigned tightened = 0;
	(void)state;
	assert_true(d && r);
	for (unsigned round = 0; round < 200000; round++) {
		const struct hook_said s = { .state = (enum hook_state)(random32(&seed) % 4),
			.answer = { .outcome = (enum hook_outcome)(random32(&seed) % 5), .quorum = random32(&seed) % 20,
			    .reasons_n = random32(&seed) % 2, .reason = { "so" } } };
		d[0] = (struct decide_result){ .verdict = DECIDE_REVIEW };
		for (unsigned n = random32(&seed) % 3; n > 0; n--)
			decide_add(&d[0], (enum decide_reason)(1 + random32(&seed) % (DECIDE_HOOK_UNANSWERED - 1)), "because");
		r[0] = (struct rules_result){ .outcome = (enum rules_outcome)(random32(&seed) % 3), .quorum = random32(&seed) % 17,
			.raise = random32(&seed) % 4, .time_lock = random32(&seed) % 2 };
		p->quorum = 1 + random32(&seed) % 4;
		uint32_t floor = random32(&seed) % 4;
		d[1] = d[0];
		r[1] = r[0];
		hook_tighten_fixed(&s, &d[1]);
		hook_tighten_rules(&s, &r[1]);
		assert_true(d[1].verdict <= d[0].verdict);
		assert_true(evidence_verdict(&d[1], &r[1]) <= evidence_verdict(&d[0], &r[0]));
		for (int kind = SCOPE_CANARY; kind <= SCOPE_PRODUCTION; kind++) {
			uint32_t before = rules_quorum(&r[0], (enum scope_kind)kind, p, floor);
			uint32_t after = rules_quorum(&r[1], (enum scope_kind)kind, p, floor);
			assert_true(after >= before);
			tightened += after > before;
		}
		assert_true(!rules_automatic(&r[1]) || rules_automatic(&r[0]));
		assert_true(r[1].outcome == r[0].outcome && r[1].earliest >= r[0].earliest);
		for (unsigned i = 1; i < d[1].reasons_n; i++)
			assert_true(decide_reason_verdict(d[1].because[i - 1].reason) <= decide_reason_verdict(d[1].because[i].reason));
	}
	assert_true(tightened > 1000); /* it was not all the same */
	free(r);
	free(d);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(what_is_no_answer_is_refused_with_its_cause),
		cmocka_unit_test(an_answer_has_its_limits),
		cmocka_unit_test(a_record_comes_back_and_no_other_text_does),
		cmocka_unit_test(an_answer_is_of_one_program_to_one_report),
		cmocka_unit_test(outcomes_by_table),
		cmocka_unit_test(a_denial_stands_before_what_holds),
		cmocka_unit_test(an_answer_never_permits_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
