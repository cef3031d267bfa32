/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/config_scan.h"
#include "unit/policy/sample.h"

static struct config_problems problems;

static bool
readable(struct view text)
{
	char *copy = NULL;
	problems.n = 0;
	assert_int_equal(config_scan("f", text, &problems, &copy), 0);
	bool ok = copy != NULL;
	free(copy);
	return ok;
}

static bool
clean(const char *text)
{
	return readable(view_str(text)) && problems.n == 0;
}

static void
the_grammar_is_taken(void **state)
{
	(void)state;
	assert_true(clean(""));
	assert_true(clean("# only\n// comments\n/* and\nthese */"));
	assert_true(clean("a = 1; b : 2, c = -3\nd = 0x7fffffff; e = 4294967296L; f = True;"));
	assert_true(clean("a = \"x\\\"\\\\\\n\\r\\t\" \"y\"; b = ( ); c = [ ]; d = { };"));
	assert_true(clean("a = ( 1, \"b\", { c = [ 1, 2 ]; } );"));
	assert_true(clean("a = [ 1, 0x2 ]; b = [ 1L, 2L ]; c = [ true, False ]; d = [ \"a\" \"b\", \"c\" ];"));
	assert_true(clean("a = -2147483648; b = 2147483647; c = -9223372036854775808L; d = 9223372036854775807L;"));
	assert_true(clean("a = \"@include is only text here\";"));
}

static void
other_spellings_are_refused(void **state)
{
	static const char *const bad[] = { "a", "a =", "a 1;", "= 1;", "a = b;", "a = \"x", "a = \"x\ny\";", "a = \"\\x41\";",
		"a = \"\\q\";", "a = 1.5;", "a = 1e3;", "a = 010;", "a = +1;", "a = 12kb;", "a = -;", "a = 0x;", "a = -0x1;", "/* x",
		"a = ( 1 2 );", "a = ( 1, );", "a = [ { } ];", "a = [ 1, \"b\" ];", "a = [ 1, 2L ];", "a = [ true, 1 ];", "a = [ ( ) ];", "a = { b = 1; ;", "}", "a = { );", "a = \"\x01\";",
		"a = \"\xc3\xa4\";", "$ = 1;", "a = 1;;", "a = 1LLL;", "a = @b;", "a.b = 1;", "_a = 1;" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (readable(view_str(bad[i])))
			fail_msg("<%s> was read", bad[i]);
		assert_true(problems.n > 0);
	}
}

static void
include_is_refused_wherever_a_line_starts_with_it(void **state)
{
	static const char *const bad[] = { "@include \"x\"", "a = 1;\n \t@include \"x\"\n", "/*\n@include \"x\"\n*/", "@anything",
		"#\r@include \"x\"" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(readable(view_str(bad[i])));
		assert_true(sample_says(&problems, "f", 0, "@include"));
	}
}

static void
a_nul_does_not_hide_the_rest(void **state)
{
	(void)state;
	assert_false(readable(view_of("a = 1;\n\0@include", 16)));
	assert_true(sample_says(&problems, "f", 2, "NUL"));
}

static void
integers_do_not_wrap(void **state)
{
	static const char *const bad[] = { "a = 2147483648;", "a = -2147483649;", "a = 4294967297;", "a = 0x80000000;",
		"a = 9223372036854775808L;", "a = -9223372036854775809L;", "a = 18446744073709551617L;",
		"a = 99999999999999999999999999;", "a = 0xffffffffffffffffL;" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_true(readable(view_str(bad[i]))); /* the rest can still be checked */
		assert_int_equal(problems.n, 1);
		assert_true(sample_says(&problems, "f", 1, "integer beyond"));
	}
}

static void
duplicates_are_named_with_both_lines(void **state)
{
	(void)state;
	assert_true(readable(view_str("a = 1;\nb = { c = 1;\nc = ( {\n} );\n};\na = 2;\nb = 3;")));
	assert_int_equal(problems.n, 3);
	assert_true(sample_says(&problems, "f", 3, "c is set again; it is already set in line 2"));
	assert_true(sample_says(&problems, "f", 6, "a is set again; it is already set in line 1"));
	assert_true(sample_says(&problems, "f", 7, "already set in line 2"));
	/* The same name in another group is another setting. */
	assert_true(clean("a = { x = 1; }; b = { x = 1; }; x = ( { x = 1; }, { x = 1; } );"));
}

static void
everything_is_bounded(void **state)
{
	char text[CONFIG_SCAN_LINES_MAX + 64];
	(void)state;
	strcpy(text, "a = ");
	memset(text + 4, '(', 8);
	strcpy(text + 12, "1))))))));");
	assert_true(clean(text));
	memset(text + 4, '(', 9);
	strcpy(text + 13, "1)))))))));");
	assert_false(readable(view_str(text)));
	memset(text, '(', sizeof text);
	memcpy(text, "a = ", 4);
	assert_false(readable(view_of(text, sizeof text)));
	memset(text, '\n', sizeof text);
	assert_false(readable(view_of(text, CONFIG_SCAN_LINES_MAX)));
	assert_true(readable(view_of(text, CONFIG_SCAN_LINES_MAX - 1)));
	strcpy(text, "a = \"");
	memset(text + 5, 'x', CONFIG_SCAN_STRING_MAX + 1);
	strcpy(text + 5 + CONFIG_SCAN_STRING_MAX + 1, "\";");
	assert_false(readable(view_str(text)));
	assert_true(sample_says(&problems, "f", 1, "longer than"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grammar_is_taken),
		cmocka_unit_test(other_spellings_are_refused),
		cmocka_unit_test(include_is_refused_wherever_a_line_starts_with_it),
		cmocka_unit_test(a_nul_does_not_hide_the_rest),
		cmocka_unit_test(integers_do_not_wrap),
		cmocka_unit_test(duplicates_are_named_with_both_lines),
		cmocka_unit_test(everything_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
