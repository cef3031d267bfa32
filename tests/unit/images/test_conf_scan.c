/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scan lets through, libconfig must read as it is written; what it
 * refuses is listed with what libconfig would have made of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/conf_scan.h"

static int
scan(const char *text)
{
	struct conf_fault fault;
	return conf_scan(view_str(text), &fault);
}

static void
test_integers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool passes;
		long long value;
	} rows[] = {
		{ "0", true, 0 },
		{ "2147483647", true, 2147483647 },
		{ "-2147483648", true, -2147483647 - 1 },
		{ "+7", true, 7 },
		{ "0x7fffffff", true, 2147483647 },
		{ "9223372036854775807L", true, 9223372036854775807 },
		{ "4294967296LL", true, 4294967296 },
		{ "2147483648", false, 0 },
		{ "-2147483649", false, 0 },
		{ "4294967296", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "0x80000000", false, 0 },
		{ "0x100000000", false, 0 },
		{ "9223372036854775808L", false, 0 },
		{ "0x10000000000000000L", false, 0 },
		{ "0x", false, 0 },
		{ "-", false, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[64];
		config_t c;
		snprintf(text, sizeof text, "a = %s;", rows[i].text);
		if ((scan(text) == 0) != rows[i].passes)
			fail_msg("%s: %d", text, scan(text));
		config_init(&c);
		if (rows[i].passes) {
			assert_int_equal(config_read_string(&c, text), CONFIG_TRUE);
			config_setting_t *s = config_lookup(&c, "a");
			long long v = config_setting_type(s) == CONFIG_TYPE_INT
			                  ? config_setting_get_int(s)
			                  : config_setting_get_int64(s);
			if (v != rows[i].value)
				fail_msg("%s: libconfig reads %lld", text, v);
		}
		config_destroy(&c);
	}
}

static void
test_words(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "@include \"/etc/passwd\"\n", FG_EFORMAT },
		{ "a = 1;\n\t@include \"x\"", FG_EFORMAT },
		{ "a = \"@include\";", 0 },
		{ "# @include \"x\"\na = 1;", 0 },
		{ "// @include \"x\"\na = 1;", 0 },
		{ "/* \n@include \"x\"\n */ a = 1;", 0 },
		{ "/* */ @include \"x\"\n", FG_EFORMAT },
		{ "a = \"/*\"; @include \"x\" /* */", FG_EFORMAT },
		{ "# /*\n@include \"x\"\n# */", FG_EFORMAT },
		{ "# a\r@include\n", 0 }, /* the comment goes on: only a line feed ends it */
		{ "a = \"\\\"\"; b = \"@include\";", 0 },
		{ "a = \"x\\\\\"; @include \"y\"", FG_EFORMAT },
		{ "a = \"\\x41\\n\\t\\r\\f\";", 0 },
		{ "a = \"\\x00\";", FG_EFORMAT },
		{ "a = \"\\x4\";", FG_EFORMAT },
		{ "a = \"\\q\";", FG_EFORMAT },
		{ "a = \"open", FG_EFORMAT },
		{ "a = \"open\\\"", FG_EFORMAT },
		{ "/* open", FG_EFORMAT },
		{ "a = 1; # open", FG_EFORMAT },
		{ "/* open *", FG_EFORMAT },
		{ "a = ];", FG_EFORMAT },
		{ "a = $b;", FG_EFORMAT },
		{ "a = \x80;", FG_EFORMAT },
		{ "a/b", FG_EFORMAT },
		{ "", 0 },
		{ "*a = 1.5e-3;", 0 },
		{ "a = 1 b = 2", 0 },
		{ "a = 5b = 2", 0 },
		{ "a : { b = 1 }, c = ( ), d = [ ]", 0 },
		{ "a = ( \"x\" \"y\", { b = TRUE; }, [ 1, 0x2 ], ( 1, 2.0 ) );", 0 },
		{ "a = ( 1, );", FG_EFORMAT },
		{ "a = [ 1, ];", FG_EFORMAT },
		{ "a = [ 1, 2L ];", FG_EFORMAT },
		{ "a = [ ( 1 ) ];", FG_EFORMAT },
		{ "a = ( 1 ];", FG_EFORMAT },
		{ "a = ( 1;", FG_EFORMAT },
		{ "a = 1,, b = 2", FG_EFORMAT },
		{ "a = 1;;", FG_EFORMAT },
		{ "a", FG_EFORMAT },
		{ "a = ;", FG_EFORMAT },
		{ "a = b;", FG_EFORMAT },
		{ "true = 1;", FG_EFORMAT },
		{ "a = 0\"x\";", FG_EFORMAT },
		{ "= 1", FG_EFORMAT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		config_t c;
		if (scan(rows[i].text) != rows[i].want)
			fail_msg("%s: %d instead of %d", rows[i].text, scan(rows[i].text), rows[i].want);
		config_init(&c); /* what passes is libconfig's syntax */
		if (rows[i].want == 0 && config_read_string(&c, rows[i].text) != CONFIG_TRUE)
			fail_msg("%s: libconfig says %s", rows[i].text, config_error_text(&c));
		config_destroy(&c);
	}
}

/*
 * Any text: what libconfig takes the scan takes too, but for what it refuses on
 * purpose, and what passes libconfig takes.
 */
static void
test_random(void **state)
{
	(void)state;
	static const char *const words[] = { "a", "b", "=", ":", ";", ",", "(", ")", "[", "]", "{", "}", "1", "2L", "0x1F",
		"-1", "1.5", ".5", "5.", "1e3", "true", "FALSE", "\"s\"", "\"\\n\"", "# c\n", "/* c */", "//\n", " ", "\n", "a-b_*" };
	uint32_t x = 12345;
	unsigned passed = 0;
	for (unsigned i = 0; i < 60000; i++) {
		char text[200] = "";
		/* Half of them begin as something sound does, so that the depths are reached. */
		snprintf(text, sizeof text, "%s", i & 1 ? "a = ( { b = 1 " : "a = ");
		for (unsigned k = 0; k < 1 + i % 7; k++) {
			x = x * 1664525u + 1013904223u;
			strcat(text, words[(x >> 16) % (sizeof words / sizeof words[0])]);
		}
		config_t c;
		config_init(&c);
		bool ours = scan(text) == 0;
		bool theirs = ours && config_read_string(&c, text) == CONFIG_TRUE;
		bool twice = ours && !theirs && strstr(config_error_text(&c), "duplicate");
		if (ours && !theirs && !twice)
			fail_msg("%s: libconfig says %s", text, config_error_text(&c));
		passed += ours;
		config_destroy(&c);
		if (ours || strchr(text, '"'))
			continue; /* it loses the memory of strings in what it refuses */
		config_init(&c);
		if (config_read_string(&c, text) == CONFIG_TRUE)
			fail_msg("%s: libconfig takes it", text);
		config_destroy(&c);
	}
	assert_true(passed > 1000);
}

/* n times piece between head and middle, n times end; malloc'ed. */
static char *
repeat(const char *head, const char *piece, const char *middle, const char *end, unsigned n)
{
	char *text = malloc(n * (strlen(piece) + strlen(end)) + strlen(head) + strlen(middle) + 1);
	size_t at = (size_t)sprintf(text, "%s", head);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, "%s", piece);
	at += (size_t)sprintf(text + at, "%s", middle);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, "%s", end);
	return text;
}

static void
test_limits(void **state)
{
	(void)state;
	static const struct {
		const char *head, *piece, *middle, *end;
		unsigned n;
	} rows[] = {
		{ "a=", "(", "", ")", CONF_DEPTH_MAX },
		{ "", "a={", "", "}", CONF_DEPTH_MAX },
		{ "", "a=1;", "", "", CONF_SETTINGS_MAX },
		{ "a=(", "1,", "1)", "", CONF_NODES_MAX - 2 },
		{ "a=[", "1,", "1]", "", CONF_NODES_MAX - 2 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *most = repeat(rows[i].head, rows[i].piece, rows[i].middle, rows[i].end, rows[i].n);
		char *more = repeat(rows[i].head, rows[i].piece, rows[i].middle, rows[i].end, rows[i].n + 1);
		assert_int_equal(scan(most), 0);
		assert_int_equal(scan(more), FG_ELIMIT);
		free(most);
		free(more);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
