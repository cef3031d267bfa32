/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "images/page.h"

static struct page_line
line(enum page_block block, enum finding_id id, const char *path, const char *text)
{
	struct page_line l = { .block = block, .id = id };
	snprintf(l.path, sizeof l.path, "%s", path);
	page_text(&l, "%s", text);
	return l;
}

static void
add(struct page *p, struct page_line l)
{
	assert_int_equal(page_add(p, &l), 0);
}

/* The same lines in any order are the same page; equal ones are one. */
static void
order_of_adding_does_not_matter(void **state)
{
	(void)state;
	struct page_line lines[6] = {
		line(PAGE_FILES, FINDING_CHG_FILES, "etc/b", "small"),
		line(PAGE_RED, FINDING_CHG_INIT, "etc/init.d/x", "2 lines"),
		line(PAGE_RED, FINDING_CHG_CA_GONE, "etc/ca.pem", "notice comes behind warnings"),
		line(PAGE_FILES, FINDING_CHG_FILES, "etc/c", "big"),
		line(PAGE_CONTACT, FINDING_CHG_CONTACT_URL, "bin/y", "url"),
		line(PAGE_RED, FINDING_CHG_INIT, "etc/init.d/x", "2 lines"),
	};
	static const char *const want[] = { "2 lines", "notice comes behind warnings", "url", "big", "small" };
	lines[3].weight = 100;
	for (unsigned shift = 0; shift < 6; shift++) {
		struct page *p = page_new();
		assert_non_null(p);
		for (unsigned i = 0; i < 6; i++)
			add(p, lines[(i * 5 + shift) % 6]);
		assert_int_equal(page_count(p), 5);
		for (unsigned i = 0; i < 5; i++)
			assert_string_equal(page_at(p, i)->text, want[i]);
		assert_int_equal(page_at(p, 0)->times, 2);
		assert_int_equal(page_at(p, 0)->severity, FINDING_WARNING);
		assert_false(page_cut(p));
		page_free(p);
	}
}

/* Whatever comes in, nothing but 0x20 to 0x7e is on the page, and long things end visibly. */
static void
only_visible_text(void **state)
{
	(void)state;
	struct page *p = page_new();
	struct page_line l = line(PAGE_RED, FINDING_CHG_INIT, "a\x1b[2Jb", "x\n\xe2\x80\xaey");
	uint8_t nasty[512];
	for (size_t i = 0; i < sizeof nasty; i++)
		nasty[i] = (uint8_t)i;
	page_evidence(&l, view_of(nasty, sizeof nasty));
	add(p, l);
	assert_string_equal(page_at(p, 0)->path, "a<1B>[2Jb");
	assert_string_equal(page_at(p, 0)->text, "x<0A><U+202E>y");
	const char *e = page_at(p, 0)->evidence;
	assert_true(strlen(e) < PAGE_EVIDENCE_MAX);
	assert_non_null(strstr(e, "<...>"));
	for (size_t i = 0; e[i]; i++)
		assert_in_range(e[i], 0x20, 0x7e);
	/* Evidence that looks like an escape is escaped; a path that is one already stays. */
	l = line(PAGE_RED, FINDING_CHG_INIT, "etc/<1B>x", "y");
	page_evidence(&l, view_str("<1B>"));
	add(p, l);
	assert_string_equal(page_at(p, 1)->path, "etc/<1B>x");
	assert_string_equal(page_at(p, 1)->evidence, "<3C>1B>");
	char longer[PAGE_TEXT_MAX + 50];
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	page_text(&l, "%s", longer);
	assert_int_equal(strlen(l.text), PAGE_TEXT_MAX - 1);
	assert_string_equal(l.text + PAGE_TEXT_MAX - 6, "<...>");
	page_free(p);
}

/* Too many lines: the mildest go, whatever the order, and every one that went is counted. */
static void
full_page_counts_what_went(void **state)
{
	(void)state;
	for (unsigned backward = 0; backward < 2; backward++) {
		struct page *p = page_new();
		for (unsigned k = 0; k < 2 * PAGE_LINES_MAX; k++) {
			unsigned i = backward ? 2 * PAGE_LINES_MAX - 1 - k : k;
			char path[16];
			snprintf(path, sizeof path, "%05u", i);
			struct page_line l = line(PAGE_FILES, FINDING_CHG_FILES, path, "x");
			add(p, l);
			if (i % 1000 == 0)
				add(p, l);
		}
		assert_int_equal(page_count(p), PAGE_LINES_MAX);
		assert_int_equal(page_lost(p, PAGE_FILES), PAGE_LINES_MAX + 4); /* 5000 to 8000 came twice */
		assert_string_equal(page_at(p, PAGE_LINES_MAX - 1)->path, "04095");
		assert_false(page_cut(p));
		add(p, line(PAGE_RED, FINDING_CHG_INIT, "z", "late and red"));
		assert_string_equal(page_at(p, 0)->text, "late and red");
		assert_int_equal(page_lost(p, PAGE_RED), 0);
		assert_int_equal(page_lost(p, PAGE_FILES), PAGE_LINES_MAX + 5);
		for (unsigned i = 0; i < PAGE_LINES_MAX; i++) {
			char path[16];
			snprintf(path, sizeof path, "%05u", i);
			add(p, line(PAGE_RED, FINDING_CHG_INIT, path, "y"));
		}
		assert_int_equal(page_lost(p, PAGE_RED), 1);
		assert_true(page_cut(p));
		page_free(p);
	}
}

static void
words_go_both_ways(void **state)
{
	(void)state;
	for (unsigned i = PAGE_NONE + 1; i < PAGE_BLOCK_LIMIT; i++)
		assert_int_equal(page_block_parse(view_str(page_block_name((enum page_block)i))), i);
	assert_int_equal(page_block_parse(view_str("none")), PAGE_NONE);
	assert_string_equal(page_block_name((enum page_block)99), "none");
	for (unsigned i = 0; i < PAGE_SIGN_LIMIT; i++)
		assert_int_equal(page_sign_parse(view_str(page_sign_name((enum page_sign)i))), i);
	assert_int_equal(page_sign_parse(view_str("")), PAGE_SIGN_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_adding_does_not_matter),
		cmocka_unit_test(only_visible_text),
		cmocka_unit_test(full_page_counts_what_went),
		cmocka_unit_test(words_go_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
