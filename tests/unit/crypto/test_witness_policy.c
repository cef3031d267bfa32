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
#include "crypto/witness_policy.h"

#define TEXT_MAX (2 * WITNESS_POLICY_SIZE_MAX)

struct kit {
	struct witness_policy p;
	struct writer text;
	char log[3][NOTE_VKEY_MAX], witness[40][NOTE_VKEY_MAX];
};

static void
vkey(const char *name, enum note_type type, uint8_t seed_byte, char ret[NOTE_VKEY_MAX])
{
	uint8_t seed[ED25519_SEED_LEN];
	struct note_signer s;
	struct writer w;
	memset(seed, seed_byte, sizeof seed);
	assert_int_equal(note_signer_make(name, type, seed, &s), 0);
	writer_init(&w, NOTE_VKEY_MAX - 1);
	note_key_write(&s.key, &w);
	assert_int_equal(writer_err(&w), 0);
	memcpy(ret, w.p, w.n);
	ret[w.n] = '\0';
	writer_free(&w);
}

static int
setup(void **state)
{
	struct kit *k = calloc(1, sizeof *k);
	char name[32];
	writer_init(&k->text, TEXT_MAX);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "log%u.example", i);
		vkey(name, NOTE_TYPE_ED25519, (uint8_t)(200 + i), k->log[i]);
	}
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "witness%u.example", i);
		vkey(name, NOTE_TYPE_COSIGNATURE, (uint8_t)(1 + i), k->witness[i]);
	}
	*state = k;
	return 0;
}

static int
teardown(void **state)
{
	struct kit *k = *state;
	writer_free(&k->text);
	free(k);
	return 0;
}

static int
parse(struct kit *k, struct witness_policy_problem *problem)
{
	struct witness_policy_problem own;
	return witness_policy_parse(writer_view(&k->text), &k->p, problem ? problem : &own);
}

static bool
met(const struct kit *k, const char *which)
{
	bool witnessed[WITNESS_POLICY_WITNESSES_MAX] = { false };
	for (; *which; which++)
		witnessed[*which - '0'] = true;
	return witness_policy_satisfied(&k->p, witnessed);
}

/* The specification's own example. */
static void
test_two_levels(void **state)
{
	struct kit *k = *state;
	writer_textf(&k->text, "# who we trust\n\nlog %s https://log0.example/\n\n", k->log[0]);
	for (unsigned i = 0; i < 3; i++)
		writer_textf(&k->text, "  witness\tX%u \t%s\n", i + 1, k->witness[i]);
	writer_text(&k->text, "group X-witnesses 2 X1 X2 X3\n\t# others\n");
	for (unsigned i = 0; i < 3; i++)
		writer_textf(&k->text, "witness Y%u %s https://y%u.example/\xc3\xa9 \n", i + 1, k->witness[3 + i], i);
	writer_text(&k->text, "group Y-witnesses any Y1 Y2 Y3\n"
			      "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n");
	assert_int_equal(parse(k, NULL), 0);
	assert_int_equal(k->p.logs, 1);
	assert_string_equal(k->p.log_url[0], "https://log0.example/");
	assert_string_equal(k->p.log[0].name, "log0.example");
	assert_int_equal(k->p.witnesses, 6);
	assert_int_equal(k->p.groups, 3);
	assert_string_equal(k->p.witness_name[5], "Y3");
	assert_string_equal(k->p.witness[5].name, "witness5.example");
	assert_string_equal(k->p.witness_url[0], "");
	assert_string_equal(k->p.witness_url[3], "https://y0.example/\xc3\xa9");
	assert_int_equal(witness_policy_find_witness(&k->p, view_str("Y1")), 3);
	assert_int_equal(witness_policy_find_witness(&k->p, view_str("X-witnesses")), -1);
	assert_int_equal(witness_policy_find_log(&k->p, view_str("log0.example")), 0);
	assert_int_equal(witness_policy_find_log(&k->p, view_str("log1.example")), -1);
	/* Every subset of the six: two of the first three and one of the others. */
	for (unsigned set = 0; set < 64; set++) {
		char which[8], *at = which;
		for (unsigned i = 0; i < 6; i++) {
			if (set & 1u << i)
				*at++ = (char)('0' + i);
		}
		*at = '\0';
		assert_int_equal(met(k, which), __builtin_popcount(set & 7) >= 2 && (set & 56) != 0);
	}
}

static void
test_plain_quorums(void **state)
{
	struct kit *k = *state;
	writer_text(&k->text, "quorum none\n");
	assert_int_equal(parse(k, NULL), 0);
	assert_true(met(k, ""));
	writer_reset(&k->text);
	writer_textf(&k->text, "witness a %s\nwitness b %s\nquorum b\n", k->witness[0], k->witness[1]);
	assert_int_equal(parse(k, NULL), 0);
	assert_false(met(k, "0"));
	assert_true(met(k, "1"));
	/* The zero value is satisfied by nothing, whoever signed. */
	struct witness_policy *zero = calloc(1, sizeof *zero);
	bool all[WITNESS_POLICY_WITNESSES_MAX];
	memset(all, true, sizeof all);
	assert_false(witness_policy_satisfied(zero, all));
	free(zero);
}

/* A line that must be refused after two good ones, which must stay as they were. */
static void
refused(struct kit *k, const char *line, const char *word)
{
	struct witness_policy_problem problem = { 0 };
	writer_reset(&k->text);
	writer_textf(&k->text, "witness a %s\nwitness b %s\n%s\nquorum none\n", k->witness[0], k->witness[1], line);
	if (parse(k, &problem) != FG_EFORMAT)
		fail_msg("accepted: %s", line);
	assert_int_equal(problem.line, 3);
	if (!strstr(problem.why, word))
		fail_msg("%s: \"%s\" does not speak of \"%s\"", line, problem.why, word);
}

static void
test_refused_lines(void **state)
{
	struct kit *k = *state;
	char line[2048], other[NOTE_VKEY_MAX];
	static const struct { const char *line, *word; } rows[] = {
		{ "nonsense", "unknown word" }, { "Log x", "unknown word" }, { "quorum", "one name" },
		{ "quorum a b", "one name" }, { "quorum c", "no line above" }, { "quorum none", "second" },
		{ "log", "missing" }, { "log x", "not a verifier key" }, { "witness", "missing" },
		{ "witness c", "missing" }, { "witness c x", "not a verifier key" },
		{ "group", "missing" }, { "group g", "needs a member" }, { "group g 1", "needs a member" },
		{ "group g any", "needs a member" }, { "group g 0 a b", "threshold" },
		{ "group g 3 a b", "threshold" }, { "group g -1 a b", "threshold" }, { "group g 01 a b", "threshold" },
		{ "group g some a b", "threshold" }, { "group g 18446744073709551617 a b", "threshold" },
		{ "group a any b", "taken" }, { "group none any a", "none" }, { "group g any none", "no line above" },
		{ "group g any g", "no line above" }, { "group g any a a", "twice" }, { "group g any c", "no line above" },
		{ "group g any a\rb", "control" }, { "# \x7f", "control" }, { "#\x01", "control" },
		{ "quorum a\r", "control" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].word, "second") != 0) {
			refused(k, rows[i].line, rows[i].word);
			continue;
		}
		struct witness_policy_problem problem = { 0 };
		writer_reset(&k->text);
		writer_text(&k->text, "quorum none\nquorum none\n");
		assert_int_equal(parse(k, &problem), FG_EFORMAT);
		assert_int_equal(problem.line, 2);
		assert_non_null(strstr(problem.why, "second"));
	}
	/* A key once: under another name, as the other kind, with a word too many. */
	vkey("another.example", NOTE_TYPE_COSIGNATURE, 1, other);
	snprintf(line, sizeof line, "witness c %s", other);
	refused(k, line, "already");
	vkey("log.example", NOTE_TYPE_ED25519, 1, other);
	snprintf(line, sizeof line, "log %s", other);
	refused(k, line, "already");
	snprintf(line, sizeof line, "witness a %s", k->witness[2]);
	refused(k, line, "taken");
	snprintf(line, sizeof line, "witness none %s", k->witness[2]);
	refused(k, line, "none");
	snprintf(line, sizeof line, "witness c %s", k->log[0]);
	refused(k, line, "cosignature type");
	snprintf(line, sizeof line, "log %s", k->witness[2]);
	refused(k, line, "Ed25519 type");
	snprintf(line, sizeof line, "witness c %s url more", k->witness[2]);
	refused(k, line, "after the URL");
	snprintf(line, sizeof line, "log %s\nlog %s", k->log[0], k->log[0]);
	struct witness_policy_problem problem = { 0 };
	writer_reset(&k->text);
	writer_textf(&k->text, "%s\nquorum none\n", line);
	assert_int_equal(parse(k, &problem), FG_EFORMAT);
	assert_int_equal(problem.line, 2);
	snprintf(line, sizeof line, "witness c %s %0600d", k->witness[2], 1);
	refused(k, line, "URL");
	snprintf(line, sizeof line, "group %0128d any a", 1);
	refused(k, line, "127 bytes");
}

static void
test_member_counts_once(void **state)
{
	struct kit *k = *state;
	struct witness_policy_problem problem = { 0 };
	/* b would count in g and in h, and so twice for a quorum over both. */
	writer_textf(&k->text, "witness a %s\nwitness b %s\nwitness c %s\n", k->witness[0], k->witness[1], k->witness[2]);
	writer_text(&k->text, "group g any a b\ngroup h any b c\ngroup both all g h\nquorum both\n");
	assert_int_equal(parse(k, &problem), FG_EFORMAT);
	assert_int_equal(problem.line, 5);
	assert_non_null(strstr(problem.why, "twice"));
}

static void
test_whole_file(void **state)
{
	struct kit *k = *state;
	struct witness_policy_problem problem = { 7, NULL };
	k->p.logs = 99;
	assert_int_equal(parse(k, &problem), FG_EFORMAT);
	assert_int_equal(problem.line, 0);
	assert_non_null(strstr(problem.why, "no quorum"));
	writer_text(&k->text, "quorum none"); /* cut off before its end: "nonesuch" may have stood there */
	assert_int_equal(parse(k, &problem), FG_EFORMAT);
	assert_int_equal(problem.line, 1);
	assert_int_equal(k->p.logs, 99); /* untouched */
	writer_text(&k->text, "\n");
	while (k->text.n < WITNESS_POLICY_SIZE_MAX)
		writer_text(&k->text, "\n");
	assert_int_equal(parse(k, &problem), 0);
	writer_text(&k->text, "\n");
	assert_int_equal(parse(k, &problem), FG_EFORMAT);
}

static void
test_limits(void **state)
{
	struct kit *k = *state;
	struct witness_policy_problem problem = { 0 };
	char name[64], other[NOTE_VKEY_MAX];
	for (unsigned extra = 0; extra < 2; extra++) {
		writer_reset(&k->text);
		for (unsigned i = 0; i < 32 + extra; i++)
			writer_textf(&k->text, "witness w%u %s\n", i, k->witness[i]);
		writer_text(&k->text, "group g all w0");
		for (unsigned i = 1; i < 32; i++)
			writer_textf(&k->text, " w%u", i);
		writer_text(&k->text, "\nquorum g\n");
		assert_int_equal(parse(k, &problem), extra ? FG_EFORMAT : 0);
	}
	assert_int_equal(problem.line, 33);
	for (unsigned extra = 0; extra < 2; extra++) {
		writer_reset(&k->text);
		for (unsigned i = 0; i < 32 + extra; i++) {
			snprintf(name, sizeof name, "log%u.example", i);
			vkey(name, NOTE_TYPE_ED25519, (uint8_t)(100 + i), other);
			writer_textf(&k->text, "log %s\n", other);
		}
		writer_text(&k->text, "quorum none\n");
		assert_int_equal(parse(k, &problem), extra ? FG_EFORMAT : 0);
	}
	assert_int_equal(problem.line, 33);
	for (unsigned extra = 0; extra < 2; extra++) {
		writer_reset(&k->text);
		writer_textf(&k->text, "witness w %s\ngroup g0 any w\n", k->witness[0]);
		for (unsigned i = 1; i < 32 + extra; i++)
			writer_textf(&k->text, "group g%u any g%u\n", i, i - 1);
		writer_textf(&k->text, "quorum g%u\n", 31 + extra);
		assert_int_equal(parse(k, &problem), extra ? FG_EFORMAT : 0);
		if (!extra)
			assert_true(met(k, "0") && !met(k, ""));
	}
	assert_int_equal(problem.line, 34);
}

/* For readers that know more words: the line is not theirs to lose. */
static void
test_line_by_line(void **state)
{
	struct kit *k = *state;
	const char *why;
	char line[512];
	memset(&k->p, 0, sizeof k->p);
	assert_int_equal(witness_policy_line(&k->p, view_str("genesis sha256:00"), &why), FG_ENOTFOUND);
	assert_int_equal(witness_policy_line(&k->p, view_str(""), &why), 0);
	assert_int_equal(witness_policy_line(&k->p, view_of(NULL, 0), &why), 0);
	snprintf(line, sizeof line, "witness a %s", k->witness[0]);
	assert_int_equal(witness_policy_line(&k->p, view_str(line), &why), 0);
	assert_null(why);
	assert_int_equal(witness_policy_line(&k->p, view_str("group g 2 a"), &why), FG_EFORMAT);
	assert_int_equal(k->p.groups, 0);
	assert_int_equal(witness_policy_line(&k->p, view_str("group g 1 a"), &why), 0); /* a is still free */
	assert_false(met(k, "0")); /* no quorum line yet */
	assert_int_equal(witness_policy_line(&k->p, view_str("quorum g"), &why), 0);
	assert_true(met(k, "0"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain_quorums, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_member_counts_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line_by_line, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
