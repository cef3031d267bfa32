/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gateway/control/words.h"

static const uint8_t key[16] = "a key of 16 byte";

static void
test_words_are_shared_and_counted(void **state)
{
	(void)state;
	struct words *w = words_new(key);
	char text[] = "EC25";
	const char *a = words_take(w, text), *b;
	text[0] = 'x'; /* a copy was kept */
	b = words_take(w, "EC25");
	assert_ptr_equal(a, b);
	assert_string_equal(a, "EC25");
	assert_int_equal(words_count(w), 1);
	words_drop(w, a);
	assert_string_equal(b, "EC25");
	words_drop(w, b);
	assert_int_equal(words_count(w), 0);
	assert_string_equal(words_take(w, ""), "");
	words_drop(w, "");
	assert_int_equal(words_count(w), 0);
	words_free(w);
	words_free(NULL);
}

/* A stranger who says something new each time leaves nothing behind. */
static void
test_words_flood(void **state)
{
	(void)state;
	enum { N = 20000 };
	static const char *kept[N];
	struct words *w = words_new(key);
	char text[32];
	for (unsigned i = 0; i < N; i++) {
		snprintf(text, sizeof text, "version-%u", i);
		kept[i] = words_take(w, text);
		assert_non_null(kept[i]);
	}
	assert_int_equal(words_count(w), N);
	for (unsigned i = 0; i < N; i++) {
		snprintf(text, sizeof text, "version-%u", i);
		assert_string_equal(kept[i], text);
		assert_ptr_equal(words_take(w, text), kept[i]);
		words_drop(w, kept[i]);
		if (i % 2)
			words_drop(w, kept[i]);
	}
	assert_int_equal(words_count(w), N / 2);
	words_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_shared_and_counted),
		cmocka_unit_test(test_words_flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
