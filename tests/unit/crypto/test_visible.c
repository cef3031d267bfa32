/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/utf8.h"
#include "crypto/visible.h"

static void
expect(struct view in, const char *want)
{
	struct writer w;
	writer_init(&w, 4096);
	visible_append(&w, in, SIZE_MAX);
	assert_int_equal(writer_err(&w), 0);
	writer_u8(&w, 0);
	assert_string_equal((const char *)w.p, want);
	writer_free(&w);
	assert_int_equal(visible_is_plain(in), view_is(in, want));
	char text[4096];
	visible_cstr(in, text, sizeof text);
	assert_string_equal(text, want);
}

static void
test_what_passes_and_what_does_not(void **state)
{
	(void)state;
	expect(view_str(""), "");
	expect(view_str("plain ~text!"), "plain ~text!");
	expect(view_of("a\0b", 3), "a<00>b");
	expect(view_str("\x1b[31m\r\n\t\x7f"), "<1B>[31m<0D><0A><09><7F>");
	expect(view_str("caf\xc3\xa9"), "caf<U+00E9>");
	expect(view_str("\xe2\x80\xae"), "<U+202E>");          /* right-to-left override */
	expect(view_str("\xf0\x9f\x98\x80"), "<U+1F600>");
	expect(view_str("\xf4\x8f\xbf\xbf"), "<U+10FFFF>");
	expect(view_str("\xc2\x80"), "<U+0080>"); /* a C1 control */
}

static void
test_bytes_that_are_no_utf8(void **state)
{
	(void)state;
	expect(view_str("\x80"), "<80>");
	expect(view_str("\xc0\xaf"), "<C0><AF>");                 /* overlong slash */
	expect(view_str("\xe0\x9f\xbf"), "<E0><9F><BF>");
	expect(view_str("\xed\xa0\x80"), "<ED><A0><80>");         /* surrogate */
	expect(view_str("\xf4\x90\x80\x80"), "<F4><90><80><80>"); /* above U+10FFFF */
	expect(view_str("\xf5\x80\x80\x80"), "<F5><80><80><80>");
	expect(view_str("\xe2\x80"), "<E2><80>");                 /* ends too soon */
	expect(view_str("\xe2\x80z"), "<E2><80>z");
	expect(view_str("\xff\xc3\xa9"), "<FF><U+00E9>");
}

/* Text that spells one of our escapes must not be taken for one. */
static void
test_look_alikes_are_marked(void **state)
{
	(void)state;
	expect(view_str("<1B>"), "<3C>1B>");
	expect(view_str("<1b>"), "<3C>1b>");
	expect(view_str("<3C>1B>"), "<3C>3C>1B>");
	expect(view_str("<U+202E>"), "<3C>U+202E>");
	expect(view_str("<u+202e>"), "<3C>u+202e>");
	expect(view_str("<U+1>"), "<3C>U+1>");
	expect(view_str("<U+10FFFF>"), "<3C>U+10FFFF>");
	expect(view_str("end<...>"), "end<3C>...>");
	expect(view_str("<<1B>"), "<<3C>1B>");
	expect(view_str("<1B<1B>>"), "<1B<3C>1B>>");
}

static void
test_other_angle_brackets_pass(void **state)
{
	(void)state;
	static const char *const same[] = { "<", "<<", "<>", "<html>", "a < b > c", "<1>", "<1B", "<1B2>", "<G0>",
		"<U+>", "<U+G>", "<U+1234567>", "<U 202E>", "<....>", "<..>", "<.", "<U", "<U+", "<U+12" };
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		expect(view_str(same[i]), same[i]);
	/* A real escape within a half-written one completes nothing. */
	expect(view_str("<1\x1b>"), "<1<1B>>");
	expect(view_str("<U+20\xe2\x80\xae"), "<U+20<U+202E>");
}

/* What a reader of the form understands; false where it is not ours. */
static bool
undo(struct view shown, struct writer *w)
{
	char text[16];
	for (size_t i = 0; i < shown.n; i++) {
		unsigned code;
		int end = 0;
		uint8_t raw[4];
		if (shown.p[i] < 0x20 || shown.p[i] > 0x7e)
			return false;
		size_t n = shown.n - i < sizeof text - 1 ? shown.n - i : sizeof text - 1;
		memcpy(text, shown.p + i, n);
		text[n] = '\0';
		if (sscanf(text, "<%2[0-9A-F]>%n", (char[3]){ 0 }, &end) == 1 && end == 4) {
			sscanf(text, "<%2X>", &code);
			writer_u8(w, (uint8_t)code);
			i += 3;
		} else if (sscanf(text, "<U+%6[0-9A-F]>%n", (char[7]){ 0 }, &end) == 1 && end >= 8) {
			sscanf(text, "<U+%6X>", &code);
			writer_bytes(w, view_of(raw, utf8_put(code, raw)));
			i += (size_t)end - 1;
		} else {
			writer_u8(w, shown.p[i]);
		}
	}
	return true;
}

/* Unambiguous means: whatever went in can be had back. */
static void
test_every_input_can_be_told_from_every_other(void **state)
{
	(void)state;
	static const char alphabet[] = "<<<<>>>UuU++0123ABCFabf...\x1b\xe2\x80\xae\xc3\xa9\xff";
	srand(20260104);
	for (int round = 0; round < 60000; round++) {
		uint8_t in[12];
		size_t n = (size_t)rand() % (sizeof in + 1);
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)alphabet[(size_t)rand() % sizeof alphabet];
		struct writer shown, back;
		writer_init(&shown, 256);
		writer_init(&back, 256);
		visible_append(&shown, view_of(in, n), n);
		assert_true(undo(writer_view(&shown), &back));
		assert_true(view_equal(writer_view(&back), view_of(in, n)));
		assert_int_equal(visible_is_plain(view_of(in, n)),
		    view_equal(writer_view(&shown), view_of(in, n)));
		/* Nothing we write about text alone can be mistaken for a cut. */
		writer_u8(&shown, 0);
		assert_null(strstr((const char *)shown.p, "<...>"));
		writer_free(&shown);
		writer_free(&back);
	}
}

static void
test_append_cuts_between_characters(void **state)
{
	(void)state;
	static const struct {
		size_t max;
		const char *want;
	} cut[] = { { 0, "<...>" }, { 1, "a<...>" }, { 2, "a<...>" }, { 3, "a<U+00E9><...>" },
		{ 4, "a<U+00E9>b" }, { 99, "a<U+00E9>b" } };
	for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
		struct writer w;
		writer_init(&w, 64);
		visible_append(&w, view_str("a\xc3\xa9" "b"), cut[i].max);
		assert_true(view_is(writer_view(&w), cut[i].want));
		writer_free(&w);
	}
	struct writer w;
	writer_init(&w, 64);
	visible_append(&w, view_of(NULL, 0), 0);
	assert_int_equal(writer_view(&w).n, 0);
	writer_free(&w);
}

/* For every size: fits, or ends in the mark; never half an escape. */
static void
test_cstr_of_every_size(void **state)
{
	(void)state;
	static const char in[] = "ab\x1b\xe2\x80\xae<1B>z";
	static const char whole[] = "ab<1B><U+202E><3C>1B>z";
	/* How long the shown text is after each unit of the input. */
	static const size_t ends[] = { 0, 1, 2, 6, 14, 18, 19, 20, 21, 22 };
	for (size_t cap = 1; cap < sizeof whole + 3; cap++) {
		char *dst = malloc(cap); /* exact, so that ASan guards the end */
		assert_non_null(dst);
		visible_cstr(view_str(in), dst, cap);
		size_t n = strlen(dst);
		assert_true(n < cap);
		if (cap >= sizeof whole) {
			assert_string_equal(dst, whole);
		} else if (cap <= 5) {
			assert_string_equal(dst, "");
		} else {
			size_t best = 0;
			for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
				if (ends[i] + 5 <= cap - 1)
					best = ends[i];
			assert_int_equal(n, best + 5);
			assert_memory_equal(dst, whole, best);
			assert_string_equal(dst + best, "<...>");
		}
		free(dst);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_passes_and_what_does_not),
		cmocka_unit_test(test_bytes_that_are_no_utf8),
		cmocka_unit_test(test_look_alikes_are_marked),
		cmocka_unit_test(test_other_angle_brackets_pass),
		cmocka_unit_test(test_every_input_can_be_told_from_every_other),
		cmocka_unit_test(test_append_cuts_between_characters),
		cmocka_unit_test(test_cstr_of_every_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
