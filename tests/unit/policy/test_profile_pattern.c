/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/profile_pattern.h"

static const struct profile_pattern_slot slots[] = {
	{ "a", PROFILE_CLASS_VERSION, 16 },
	{ "b", PROFILE_CLASS_VERSION, 16 },
	{ "d", PROFILE_CLASS_DIGITS, 3 },
	{ "p", PROFILE_CLASS_PATH, 64 },
	{ "w", PROFILE_CLASS_WORD, 8 },
};
#define SLOTS (sizeof slots / sizeof *slots)

static bool
compile(const char *text, struct profile_pattern *p)
{
	char why[128];
	return profile_pattern_compile(text, slots, SLOTS, false, p, why, sizeof why);
}

/* Matches and writes the captures as "a|b|d|p|w". */
static bool
match(const char *text, const char *input, char out[256])
{
	struct profile_pattern p;
	struct view v[SLOTS] = { { NULL, 0 } };
	assert_true(compile(text, &p));
	if (!profile_pattern_match(&p, text, slots, view_str(input), v))
		return false;
	out[0] = '\0';
	for (size_t i = 0; i < SLOTS; i++) {
		strncat(out, (const char *)v[i].p ? (const char *)v[i].p : "", v[i].n);
		strcat(out, i + 1 < SLOTS ? "|" : "");
	}
	return true;
}

static void
captures_are_cut_out(void **state)
{
	char out[256];
	(void)state;
	assert_true(match("/fw/{w}/{a}.bin", "/fw/rtr/1.2.3.bin", out));
	assert_string_equal(out, "1.2.3||||rtr");
	assert_true(match("/{a}-{b}.bin", "/1.2-1.3.bin", out));
	assert_string_equal(out, "1.2|1.3|||");
	assert_true(match("/x/{p}", "/x/a/b/c.bin", out));
	assert_string_equal(out, "|||a/b/c.bin|");
	assert_true(match("/x", "/x", out));
	assert_true(match("{d}", "123", out));
	assert_string_equal(out, "||123||");
}

static void
whole_input_or_nothing(void **state)
{
	static const char *const cases[][2] = { { "/fw/{w}", "/fw/" }, { "/fw/{w}", "/fw/a/b" }, { "/fw/{w}", "x/fw/a" },
		{ "/fw/{w}.bin", "/fw/a.binx" }, { "/fw/{w}", "/fw/toolongword" }, { "{d}", "1234" }, { "{d}", "12a" },
		{ "/x/{p}", "/x/a//b" }, { "/x/{p}", "/x/../b" }, { "/x/{p}", "/x/a/" }, { "/x/{p}", "/x/.a" },
		{ "/x/{a}", "/x/1..2" }, { "/x/{a}", "/x/.1" }, { "/x", "" }, { "/x", "/" }, { "/fw/{w}", "/FW/a" } };
	char out[256];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (match(cases[i][0], cases[i][1], out))
			fail_msg("\"%s\" matched \"%s\"", cases[i][0], cases[i][1]);
}

static void
two_readings_are_none(void **state)
{
	char out[256];
	(void)state;
	assert_false(match("/{a}-{b}.bin", "/1-2-3.bin", out));
	assert_true(match("/{a}-{d}.bin", "/1-2-3.bin", out));
	assert_string_equal(out, "1-2||3||");
	assert_false(match("/{a}.{b}", "/1.2.3", out));
	assert_true(match("/{a}.{b}", "/1.2", out));
	/* Bounded also where there are very many readings. */
	assert_false(match("{a}-{b}-{w}", "-----------------------------", out));
	assert_false(match("{a}-{b}-{w}", "1-2-3-4-5-6-7-8-9-10-11-12", out));
}

static void
wrong_patterns_are_refused(void **state)
{
	static const char *const bad[] = { "{a}{b}", "{a", "a}", "{}", "{nobody}", "{a}/{a}", "{a{b}}", "x{", "}" };
	struct profile_pattern p;
	char why[128];
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (compile(bad[i], &p))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_true(profile_pattern_compile("{a}/{a}", slots, SLOTS, true, &p, why, sizeof why));
}

static void
classes_hold_what_they_say(void **state)
{
	(void)state;
	for (unsigned c = 0; c <= PROFILE_CLASS_PATH; c++)
		for (unsigned b = 0; b < 256; b++) {
			uint8_t byte[3] = { 'a', (uint8_t)b, 'a' };
			bool fits = profile_pattern_fits((enum profile_pattern_class)c, 3, view_of(byte, 3));
			bool alnum = (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
			bool want = false;
			switch (c) {
			case PROFILE_CLASS_HEX:
				want = (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
				break;
			case PROFILE_CLASS_WORD:
				want = alnum || b == '_' || b == '-';
				break;
			case PROFILE_CLASS_VERSION:
				want = alnum || b == '_' || b == '-' || b == '.' || b == '+';
				break;
			case PROFILE_CLASS_FILE:
				want = alnum || b == '_' || b == '-' || b == '.' || b == '+' || b == '~';
				break;
			case PROFILE_CLASS_PATH:
				want = alnum || b == '_' || b == '-' || b == '.' || b == '+' || b == '~' || b == '/';
				break;
			case PROFILE_CLASS_TOKEN:
				want = alnum || b == '_' || b == '-' || b == '=';
				break;
			}
			assert_int_equal(fits, want);
		}
	assert_true(profile_pattern_fits(PROFILE_CLASS_DIGITS, 2, view_str("09")));
	assert_false(profile_pattern_fits(PROFILE_CLASS_DIGITS, 2, view_str("099")));
	assert_false(profile_pattern_fits(PROFILE_CLASS_DIGITS, 2, view_str("")));
	assert_false(profile_pattern_fits(PROFILE_CLASS_NONE, 2, view_str("a")));
}

/* Against a slow reader that tries every cut, over all short inputs of a small alphabet. */
static unsigned
count(const char *text, const char *in, size_t n)
{
	unsigned ways = 0;
	if (*text == '\0')
		return n == 0;
	if (*text != '{')
		return n > 0 && *in == *text ? count(text + 1, in + 1, n - 1) : 0;
	const struct profile_pattern_slot *s = text[1] == 'a' ? &slots[0] : text[1] == 'b' ? &slots[1] : &slots[4];
	for (size_t k = 1; k <= n && k <= s->max; k++) {
		bool in_class = true;
		for (size_t i = 0; i < k; i++)
			in_class &= s->class == PROFILE_CLASS_VERSION || in[i] != '.';
		if (in_class)
			ways += count(text + 3, in + k, n - k);
	}
	return ways;
}

static void
agrees_with_trying_every_cut(void **state)
{
	static const char *const texts[] = { "{a}-{b}", "{a}.{w}-{b}", "{w}-{a}.1", "1{a}-{b}1" };
	static const char letters[] = "1-.";
	unsigned matched = 0, ambiguous = 0;
	(void)state;
	for (unsigned t = 0; t < 4; t++)
		for (unsigned code = 0; code < 6561; code++) { /* 3^8 */
			char in[9] = "";
			unsigned c = code;
			size_t n = 1 + code % 8;
			for (size_t i = 0; i < n; i++, c /= 3)
				in[i] = letters[c % 3];
			struct profile_pattern p;
			struct view v[SLOTS];
			assert_true(compile(texts[t], &p));
			bool got = profile_pattern_match(&p, texts[t], slots, view_of(in, n), v);
			unsigned ways = count(texts[t], in, n);
			if (got)
				assert_int_equal(ways, 1); /* the other way round, form rules of a class may still refuse */
			matched += got;
			ambiguous += ways > 1;
		}
	assert_true(matched > 50 && ambiguous > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures_are_cut_out),
		cmocka_unit_test(whole_input_or_nothing),
		cmocka_unit_test(two_readings_are_none),
		cmocka_unit_test(wrong_patterns_are_refused),
		cmocka_unit_test(classes_hold_what_they_say),
		cmocka_unit_test(agrees_with_trying_every_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
