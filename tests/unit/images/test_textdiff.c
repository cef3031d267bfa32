/* SPDX-License-Identifier: Apache-2.0 */
/* What is named gone and new, applied to the old text, must make the new one; whatever the texts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/textdiff.h"

struct seen {
	char text[4096];
	unsigned gone, added;
};

static int
on_line(void *arg, bool added, struct view line, size_t offset, unsigned number)
{
	struct seen *s = arg;
	(void)offset;
	*(added ? &s->added : &s->gone) += 1;
	size_t n = strlen(s->text);
	if (n + line.n + 20 < sizeof s->text)
		snprintf(s->text + n, sizeof s->text - n, "%c%u %.*s;", added ? '+' : '-', number, (int)line.n, (const char *)line.p);
	return 0;
}

static void
check(const char *old, const char *new, const char *want)
{
	struct seen s = { "", 0, 0 };
	bool exact;
	assert_int_equal(textdiff_run(view_str(old), view_str(new), on_line, &s, &exact), 0);
	assert_true(exact);
	assert_string_equal(s.text, want);
}

static void
small_texts(void **state)
{
	(void)state;
	check("", "", "");
	check("a\n", "a\n", "");
	check("", "a\nb", "+1 a;+2 b;");
	check("a\nb\n", "", "-1 a;-2 b;");
	check("a\nb\nc\n", "a\nx\nc\n", "-2 b;+2 x;");
	check("a\nb\nc\nd\n", "b\nc\nx\nd\n", "-1 a;+3 x;");
	check("a\nb\n", "b\na\n", "-1 a;+2 a;"); /* order counts */
	check("a\r\n", "a\n", "-1 a\r;+1 a;");
	check("a", "a\n", "");
}

/* A random pair: the shorter the answer the better, and its sums must fit. */
static void
random_texts(void **state)
{
	(void)state;
	uint32_t x = 7;
	for (unsigned round = 0; round < 300; round++) {
		char text[2][400];
		unsigned lines[2] = { 0, 0 };
		for (unsigned t = 0; t < 2; t++) {
			size_t n = 0;
			unsigned count = (x >> 8) % 40;
			for (unsigned i = 0; i < count; i++) {
				x = x * 1664525u + 1013904223u;
				n += (size_t)snprintf(text[t] + n, sizeof text[t] - n, "%c\n", 'a' + (int)(x >> 24) % 6);
				lines[t]++;
			}
			text[t][n] = '\0';
			x = x * 1664525u + 1013904223u;
		}
		struct seen s = { "", 0, 0 };
		bool exact;
		assert_int_equal(textdiff_run(view_str(text[0]), view_str(text[1]), on_line, &s, &exact), 0);
		assert_int_equal((int)lines[0] - (int)s.gone, (int)lines[1] - (int)s.added);
		assert_true(s.gone <= lines[0] && s.added <= lines[1]);
	}
}

/* Too much for the shortest answer: as bags, which says so and loses no line that is only in one. */
static void
long_texts(void **state)
{
	(void)state;
	size_t cap = 400000, n[2] = { 0, 0 };
	char *text[2] = { malloc(cap), malloc(cap) };
	assert_true(text[0] && text[1]);
	for (unsigned t = 0; t < 2; t++)
		for (unsigned i = 0; i < 5000; i++)
			n[t] += (size_t)snprintf(text[t] + n[t], cap - n[t], "%u\n", t ? 5000 - i : i);
	struct seen s = { "", 0, 0 };
	bool exact;
	assert_int_equal(textdiff_run(view_of(text[0], n[0]), view_of(text[1], n[1]), on_line, &s, &exact), 0);
	assert_false(exact);
	assert_string_equal(s.text, "-1 0;+1 5000;");
	free(text[0]);
	free(text[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_texts),
		cmocka_unit_test(random_texts),
		cmocka_unit_test(long_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
