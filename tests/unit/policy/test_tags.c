/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tags.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define FULL "a1234567890123456789012345678901 b1234567890123456789012345678901 c1234567890123456789012345678901 d12345678901234567890123456"

static void
one_spelling_for_each_set(void **state)
{
	static const struct {
		const char *text, *canonical; /* NULL: none */
	} rows[] = {
		{ "", "" }, { "-", "" }, { "  ; ", "" }, { "roof", "roof" }, { "roof roof", "roof" },
		{ "zone-2;roof  zone-10", "roof zone-10 zone-2" }, { " a ab b a", "a ab b" }, { FULL, FULL }, { FULL "7", FULL "7" },
		{ FULL "78", NULL }, { "Roof", NULL }, { "roof,site", NULL }, { "-a", NULL }, { "- a", NULL }, { "a\tb", NULL },
		{ "\xc3\xa4", NULL }, { "a\n", NULL }, { "0123456789012345678901234567890123456789012345678", NULL },
	};
	char got[TAGS_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool good = tags_canonical(view_str(rows[i].text), got);
		assert_int_equal(good, rows[i].canonical != NULL);
		assert_string_equal(got, rows[i].canonical ? rows[i].canonical : "");
	}
	assert_false(tags_canonical(view_of("a\0b", 3), got));
}

static void
whole_words_only(void **state)
{
	(void)state;
	assert_true(tags_has("roof zone-10 zone-2", "roof"));
	assert_true(tags_has("roof zone-10 zone-2", "zone-10"));
	assert_true(tags_has("roof zone-10 zone-2", "zone-2"));
	assert_false(tags_has("roof zone-10 zone-2", "zone-1"));
	assert_false(tags_has("roof zone-10 zone-2", "zone"));
	assert_false(tags_has("roof zone-10 zone-2", "roof zone-10"));
	assert_false(tags_has("roof", ""));
	assert_false(tags_has("", "roof"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_spelling_for_each_set),
		cmocka_unit_test(whole_words_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
