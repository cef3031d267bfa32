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
#include "images/notes.h"
#include "images/sheet.h"

static struct notes *
taken(const char *text)
{
	struct notes *n = calloc(1, sizeof *n);
	assert_int_equal(notes_take(view_str(text), n), 0);
	return n;
}

static void
lines_are_kept_in_order(void **state)
{
	static const char *const want[] = { "1.4", "", "- fixes CVE", "* blank ends  here", "last" };
	struct notes *n = taken("1.4\r\n\n- fixes\tCVE  \n* blank ends  here\t\r\nlast\n\n \r\n");
	uint8_t sum[DIGEST_SHA256_LEN];
	size_t at = 0;
	(void)state;
	assert_true(n->have);
	assert_int_equal(n->lines_n, 5);
	assert_int_equal(n->lines_total, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_string_equal(notes_next(n, &at), want[i]);
	}
	assert_int_equal(digest_sha256(view_str("1.4\r\n\n- fixes\tCVE  \n* blank ends  here\t\r\nlast\n\n \r\n"), sum), 0);
	assert_memory_equal(sum, n->sha256, sizeof sum);
	free(n);
}

/* Whatever bytes: only what can be printed stays, and no line reaches over its end. */
static void
hostile_bytes_are_shown_as_such(void **state)
{
	static const uint8_t text[] = "\x1b[2J\0<script>\xe2\x80\xaetxt\xff\n\x7f";
	struct notes *n = calloc(1, sizeof *n);
	size_t at = 0;
	(void)state;
	assert_int_equal(notes_take(view_of(text, sizeof text - 1), n), 0);
	assert_string_equal(notes_next(n, &at), "<1B>[2J<00><script><U+202E>txt<FF>");
	assert_string_equal(notes_next(n, &at), "<7F>");
	assert_int_equal(at, n->text_n);
	free(n);
}

static void
bounds_are_told(void **state)
{
	struct notes *n = calloc(1, sizeof *n), before = { .lines_total = 7 };
	char *big = malloc(NOTES_FILE_MAX + 1);
	size_t at = 0;
	(void)state;
	assert_int_equal(notes_take(view_str(""), &before), FG_EINVAL);
	assert_int_equal(notes_take(view_str(" \r\n\t\n"), &before), FG_EINVAL);
	memset(big, 'x', NOTES_FILE_MAX + 1);
	assert_int_equal(notes_take(view_of(big, NOTES_FILE_MAX + 1), &before), FG_ELIMIT);
	assert_int_equal(before.lines_total, 7);
	/* One long line. */
	assert_int_equal(notes_take(view_of(big, NOTES_FILE_MAX), n), 0);
	assert_int_equal(n->lines_n, 1);
	const char *line = notes_next(n, &at);
	assert_true(strlen(line) <= NOTES_LINE_MAX);
	assert_non_null(strstr(line, "<...>"));
	/* Many short ones: the first are kept, and all are counted. */
	memset(big, '\n', NOTES_FILE_MAX);
	big[NOTES_FILE_MAX - 1] = 'z';
	assert_int_equal(notes_take(view_of(big, NOTES_FILE_MAX), n), 0);
	assert_int_equal(n->lines_n, NOTES_LINES_MAX);
	assert_int_equal(n->lines_total, NOTES_FILE_MAX);
	/* Middling ones fill the room for text, and none is kept behind one that was not. */
	for (size_t i = 0; i < NOTES_FILE_MAX; i++)
		big[i] = i % 200 == 199 ? '\n' : 'y';
	big[NOTES_FILE_MAX - 2] = '\n';
	assert_int_equal(notes_take(view_of(big, NOTES_FILE_MAX), n), 0);
	assert_true(n->text_n <= NOTES_TEXT_MAX && n->text_n + 200 > NOTES_TEXT_MAX);
	assert_int_equal(n->lines_n, n->text_n / 200);
	assert_false(notes_put(n, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
	                          "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"));
	free(big);
	free(n);
}

static struct page_line
new_line(enum page_block block, const char *path, const char *evidence)
{
	struct page_line l = { .block = block, .id = block == PAGE_CONTACT ? FINDING_CHG_CONTACT_HOST : FINDING_CHG_INIT,
		.sign = PAGE_ADDED };
	snprintf(l.path, sizeof l.path, "%s", path);
	page_text(&l, "new");
	page_evidence(&l, view_str(evidence));
	return l;
}

static void
words_of_a_line_are_found(void **state)
{
	struct notes *n = taken("moves to UPDATES.example.net\nstarts s99dbg\nnew ls");
	(void)state;
	struct page_line l = new_line(PAGE_CONTACT, "/etc/conf", "updates.example.net");
	assert_true(notes_ought(&l));
	assert_true(notes_name(n, &l));
	l = new_line(PAGE_CONTACT, "/etc/conf", "evil.example.net");
	assert_false(notes_name(n, &l));
	l = new_line(PAGE_RED, "rootfs:/etc/init.d/S99dbg", "");
	assert_true(notes_name(n, &l));
	l = new_line(PAGE_RED, "/bin/ls", ""); /* too short to mean anything */
	assert_false(notes_name(n, &l));
	l = new_line(PAGE_RED, "", "");
	assert_false(notes_name(n, &l));
	l.sign = PAGE_GONE;
	assert_false(notes_ought(&l));
	l = new_line(PAGE_FILES, "/x", "");
	assert_false(notes_ought(&l));
	free(n);
}

/* The report carries them, its reader takes nothing else for them, and both pages show them as somebody's words. */
static void
a_report_carries_and_shows_them(void **state)
{
	struct notes *n = taken("<b>fixes</b> a crash & more");
	struct report *r = report_new(REPORT_KIND_NONE), *again = report_new(REPORT_KIND_NONE);
	const struct report_asked a = { .at = 1800000000, .notes = n };
	const struct report_reply dead = { .end = REPORT_END_CRASHED };
	struct report_refusal why;
	struct writer w, html;
	(void)state;
	assert_int_equal(report_merge(&a, &dead, NULL, NULL, r), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	assert_int_equal(report_parse(writer_view(&w), REPORT_WHOLE, again, &why), 0);
	assert_memory_equal(&again->notes, n, sizeof *n);

	writer_init(&html, SHEET_MAX);
	sheet_notes(again, &html);
	writer_u8(&html, 0);
	assert_non_null(strstr((const char *)html.p, "nothing was checked"));
	assert_non_null(strstr((const char *)html.p, "  | <b>fixes</b> a crash & more\n"));
	writer_free(&html);
	writer_init(&html, SHEET_MAX);
	sheet_html(again, n->sha256, &html);
	writer_u8(&html, 0);
	assert_non_null(strstr((const char *)html.p, "&lt;b&gt;fixes&lt;/b&gt; a crash &amp; more"));
	assert_null(strstr((const char *)html.p, "<b>"));
	writer_free(&html);

	static const struct {
		const char *from, *to;
	} edits[] = {
		{ "\"lines_total\":1", "\"lines_total\":0" },
		{ "\"size\":27", "\"size\":0" },
		{ "\"lines\":[\"", "\"lines\":[\"\\u0007" },
		{ "\"notes\":{", "\"notes\":{\"a\":1," },
	};
	char *text = malloc(w.n + 64);
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		const char *at = memmem(w.p, w.n, edits[i].from, strlen(edits[i].from));
		assert_non_null(at);
		int len = snprintf(text, w.n + 64, "%.*s%s%.*s", (int)(at - (const char *)w.p), (const char *)w.p, edits[i].to,
		    (int)(w.n - (size_t)(at - (const char *)w.p) - strlen(edits[i].from)), at + strlen(edits[i].from));
		assert_int_equal(report_parse(view_of(text, (size_t)len), REPORT_WHOLE, again, &why), FG_EFORMAT);
	}
	free(text);
	writer_free(&w);
	report_free(r);
	report_free(again);
	free(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_kept_in_order),
		cmocka_unit_test(hostile_bytes_are_shown_as_such),
		cmocka_unit_test(bounds_are_told),
		cmocka_unit_test(words_of_a_line_are_found),
		cmocka_unit_test(a_report_carries_and_shows_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
