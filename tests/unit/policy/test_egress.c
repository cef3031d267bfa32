/* SPDX-License-Identifier: Apache-2.0 */
/* What a report of the network says, line by line, and which endpoints are new with a release. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/egress.h"

#define HEAD EGRESS_HEADER "\n"
#define IMEI "imei,490154203237518,"
#define AT ",2026-01-01T10:00:00Z\n"

static void
the_first_line_is_the_header(void **state)
{
	static const struct { const char *csv; bool good; } rows[] = {
		{ HEAD, true }, { EGRESS_HEADER, true }, { EGRESS_HEADER "\r\n", true }, { "\xef\xbb\xbf" HEAD, true }, { "", false },
		{ "\n" HEAD, false }, { EGRESS_HEADER ",more\n", false }, { "kind,identity,endpoint\n", false },
		{ IMEI "a.example" AT, false }, { " " HEAD, false },
	};
	struct egress_reader r;
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (egress_begin(&r, view_str(rows[i].csv)) != rows[i].good)
			fail_msg("row %u", i);
}

/* The one line of a report; NULL, or what is wrong with it. */
static const char *
read_one(const char *line, struct egress_line *ret)
{
	char csv[600];
	struct egress_reader r;
	const char *why = "";
	snprintf(csv, sizeof csv, "%s%s", HEAD, line);
	assert_true(egress_begin(&r, view_str(csv)));
	assert_true(egress_next(&r, ret, &why));
	assert_int_equal(r.line, 2);
	return why;
}

static void
endpoints_have_one_spelling(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "Update.Vendor.EXAMPLE", "update.vendor.example" }, { "update.vendor.example.", "update.vendor.example" },
		{ "update.vendor.example:8883", "update.vendor.example" }, { "192.0.2.7", "192.0.2.7" }, { "192.0.2.7:443", "192.0.2.7" },
		{ "2001:DB8:0:0::1", "2001:db8::1" }, { "[2001:db8::0:1]:443", "2001:db8::1" }, { "::ffff:192.0.2.7", "192.0.2.7" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" }, { "", NULL }, { "a b", NULL }, { "a/b", NULL }, { "http://a.example/", NULL },
		{ "a..example", NULL }, { "[::1", NULL }, { "[]", NULL }, { "a.example:70000:1", NULL }, { "a\x01", NULL }, { "\xd0\xb0.example", NULL },
		{ "\"a.example\"", NULL },
	};
	struct egress_line line;
	char text[400];
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, IMEI "%s" AT, rows[i].text);
		const char *why = read_one(text, &line);
		if (rows[i].want ? why || strcmp(line.endpoint, rows[i].want) != 0 : !why || !strstr(why, "endpoint"))
			fail_msg("row %u: %s %s", i, why ? why : "", line.endpoint);
	}
	/* A name as long as names are, and a byte more. */
	memset(text, 'a', sizeof text);
	memcpy(text, IMEI, strlen(IMEI));
	for (unsigned i = 0; i < PROFILE_HOST_MAX; i += 50)
		text[strlen(IMEI) + i + 49] = '.';
	strcpy(text + strlen(IMEI) + PROFILE_HOST_MAX, AT);
	assert_null(read_one(text, &line));
	assert_int_equal(strlen(line.endpoint), PROFILE_HOST_MAX);
	strcpy(text + strlen(IMEI) + PROFILE_HOST_MAX, "a" AT);
	assert_non_null(read_one(text, &line));
}

static void
what_is_no_line_is_said(void **state)
{
	static const struct { const char *line, *why; } rows[] = {
		{ "imei,490154203237519,a.example" AT, "IMEI" }, { "mac,490154203237518,a.example" AT, "kind" }, { "token,,a.example" AT, "identity" },
		{ IMEI "a.example\n", "nothing quoted" }, { IMEI "a.example,2026-01-01T10:00:00Z,1\n", "nothing quoted" },
		{ IMEI "a.example,2026-01-01 10:00:00\n", "time" }, { IMEI "a.example,\n", "time" }, { IMEI "a.example,2026-02-30T10:00:00Z\n", "time" },
		{ ",,,\n", "kind" }, { ",\n", "nothing quoted" },
	};
	struct egress_line line;
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why = read_one(rows[i].line, &line);
		if (!why || !strstr(why, rows[i].why))
			fail_msg("row %u: %s", i, why ? why : "good");
	}
}

static void
reading_goes_on_behind_a_bad_line(void **state)
{
	static const char csv[] = HEAD "\r\n" IMEI "a.example,2026-01-01T10:00:00Z\r\nnonsense\n\n" IMEI "b.example,2026-01-01T10:00:01Z";
	struct egress_reader r;
	struct egress_line line;
	const char *why;
	(void)state;
	assert_true(egress_begin(&r, view_str(csv)));
	assert_true(egress_next(&r, &line, &why) && !why && r.line == 3);
	assert_string_equal(line.endpoint, "a.example");
	assert_string_equal(line.identity, "490154203237518");
	assert_int_equal(line.at, 1767261600);
	assert_true(egress_next(&r, &line, &why) && why && r.line == 4);
	assert_true(egress_next(&r, &line, &why) && !why && r.line == 6);
	assert_int_equal(line.at, 1767261601);
	assert_false(egress_next(&r, &line, &why));
	assert_false(egress_next(&r, &line, &why));
}

static void
new_is_what_was_never_seen_before(void **state)
{
	static const struct egress_sight s[] = { { 1, false }, { 1, true }, { 2, true }, { 2, true }, { 3, false }, { 7, true } };
	uint32_t got[4] = { 0 };
	size_t n = 9;
	(void)state;
	assert_true(egress_judge(s, 6, got, 4, &n));
	assert_true(n == 2 && got[0] == 2 && got[1] == 7);
	memset(got, 0, sizeof got);
	assert_true(egress_judge(s, 6, got, 1, &n));
	assert_true(n == 2 && got[0] == 2 && got[1] == 0); /* all are counted */
	assert_false(egress_judge(s + 2, 2, got, 4, &n)); /* nobody knows what was there before */
	assert_int_equal(n, 0);
	assert_false(egress_judge(s, 0, got, 4, &n));
	assert_true(egress_judge(s, 1, got, 4, &n));
	assert_int_equal(n, 0);
}

/* Another sight from after the release never takes one off what is new, another from before never adds one. */
static void
sights_from_after_only_add(void **state)
{
	unsigned shrank = 0;
	(void)state;
	srand(5);
	for (unsigned round = 0; round < 20000; round++) {
		struct egress_sight s[13];
		uint32_t got[13];
		size_t n = 1 + (size_t)rand() % 12, was, now;
		s[0] = (struct egress_sight){ 0, false }; /* so that there is a verdict */
		for (size_t i = 1; i < n; i++)
			s[i] = (struct egress_sight){ s[i - 1].endpoint + (uint32_t)(rand() % 2), rand() % 2 };
		assert_true(egress_judge(s, n, got, 13, &was));
		size_t at = (size_t)rand() % n;
		bool after = rand() % 2;
		memmove(s + at + 1, s + at, (n - at) * sizeof *s);
		s[at].after = after;
		assert_true(egress_judge(s, n + 1, got, 13, &now) || at == 0);
		if (at == 0)
			continue;
		assert_true(after ? now >= was : now <= was);
		shrank += now < was;
	}
	assert_true(shrank > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_is_the_header),
		cmocka_unit_test(endpoints_have_one_spelling),
		cmocka_unit_test(what_is_no_line_is_said),
		cmocka_unit_test(reading_goes_on_behind_a_bad_line),
		cmocka_unit_test(new_is_what_was_never_seen_before),
		cmocka_unit_test(sights_from_after_only_add),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
