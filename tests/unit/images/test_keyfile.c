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
#include "images/keyfile.h"

/* "[g] k=v|" for each pair, "[g]|" for each group; "!line why" when it is refused. */
static const char *
flat(const char *text, size_t n)
{
	static char out[1000];
	struct keyfile kf;
	struct keyfile_line l = { .opens_group = false };
	size_t at = 0;
	int r;
	out[0] = '\0';
	keyfile_begin(&kf, view_of(text, n));
	while ((r = keyfile_next(&kf, &l)) > 0) {
		at += (size_t)snprintf(out + at, sizeof out - at, "[%.*s]", (int)l.group.n, (const char *)l.group.p);
		if (!l.opens_group)
			at += (size_t)snprintf(out + at, sizeof out - at, " %.*s=%.*s", (int)l.key.n,
			    (const char *)l.key.p, (int)l.value.n, (const char *)l.value.p);
		at += (size_t)snprintf(out + at, sizeof out - at, "|");
	}
	if (r < 0) {
		assert_int_equal(r, FG_EFORMAT);
		assert_true(kf.why[0]);
		snprintf(out + at, sizeof out - at, "!%u", kf.line);
	}
	return out;
}

#define FLAT(text) flat(text, sizeof text - 1)

static void
what_glib_reads(void **state)
{
	(void)state;
	assert_string_equal(FLAT(""), "");
	assert_string_equal(FLAT("\n\n# c\n   # c\n"), "");
	assert_string_equal(FLAT("[a]\nb=c\n"), "[a]|[a] b=c|");
	assert_string_equal(FLAT("[a]\nb=c"), "[a]|[a] b=c|");
	assert_string_equal(FLAT("[a]\r\nb=c\r\n"), "[a]|[a] b=c|");
	assert_string_equal(FLAT("\t[a] \t\n  b = \t c d \n"), "[a]|[a] b=c d |"); /* blanks at the end stay */
	assert_string_equal(FLAT("[a b]\nk k==v=\n"), "[a b]|[a b] k k==v=|");
	assert_string_equal(FLAT("[a]\nb=\n[a]\n"), "[a]|[a] b=|[a]|");
	assert_string_equal(FLAT("[a]\nb=#c\n"), "[a]|[a] b=#c|");
	assert_string_equal(FLAT("[a]\nb=c\r"), "[a]|[a] b=c\r|"); /* no line end: GLib keeps it */
}

static void
what_is_refused(void **state)
{
	(void)state;
	assert_string_equal(FLAT("a=b\n"), "!1");
	assert_string_equal(FLAT("[a]\n\nword\n"), "[a]|!3");
	assert_string_equal(FLAT("[a]\n=v\n"), "[a]|!2");
	assert_string_equal(FLAT("[a]\n  =v\n"), "[a]|!2");
	assert_string_equal(FLAT("[]\n"), "!1");
	assert_string_equal(FLAT("[a\n"), "!1");
	assert_string_equal(FLAT("[a[b]\n"), "!1");
	assert_string_equal(FLAT("[a\tb]\n"), "!1");
	assert_string_equal(FLAT("[a] x\n"), "!1");
	assert_string_equal(FLAT("[a]\nk[de]=v\n"), "[a]|!2");
	assert_string_equal(FLAT("[a]\nk=v\0w\n"), "[a]|!2");
	assert_string_equal(FLAT("# \0\n"), "!1");
}

static void
strings(void **state)
{
	(void)state;
	uint8_t out[64];
	static const struct {
		const char *spelt, *meant;
	} good[] = { { "", "" }, { "plain", "plain" }, { "\\s\\n\\t\\r\\\\", " \n\t\r\\" }, { "\xc3\xa4", "\xc3\xa4" } };
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(keyfile_string(view_str(good[i].spelt), out), strlen(good[i].meant));
		assert_memory_equal(out, good[i].meant, strlen(good[i].meant));
	}
	static const char *const bad[] = { "\\", "a\\q", "\\0", "\xff", "\xc3", "\xed\xa0\x80" };
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(keyfile_string(view_str(bad[i]), out), FG_EFORMAT);
	assert_int_equal(keyfile_string(view_of("\\\0", 2), out), FG_EFORMAT);
}

static void
numbers(void **state)
{
	(void)state;
	uint64_t n = 7;
	assert_true(keyfile_uint(view_str("0"), &n) && n == 0);
	assert_true(keyfile_uint(view_str("18446744073709551615"), &n) && n == UINT64_MAX);
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "1e3" };
	for (unsigned i = 0; i < 8; i++)
		assert_false(keyfile_uint(view_str(bad[i]), &n));
}

static void
lists(void **state)
{
	(void)state;
	struct view rest = view_str("a;b;;c;"), one;
	assert_true(keyfile_element(&rest, &one) && view_is(one, "a"));
	assert_true(keyfile_element(&rest, &one) && view_is(one, "b"));
	assert_true(keyfile_element(&rest, &one) && view_is(one, ""));
	assert_true(keyfile_element(&rest, &one) && view_is(one, "c"));
	assert_false(keyfile_element(&rest, &one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_glib_reads), cmocka_unit_test(what_is_refused), cmocka_unit_test(strings),
		cmocka_unit_test(numbers), cmocka_unit_test(lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
