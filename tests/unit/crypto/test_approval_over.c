/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval_over.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void
test_words(void **state)
{
	static const struct {
		const char *word[2];
		bool good;
		uint64_t modules;
	} rows[] = {
		{ { NULL, NULL }, true, 0 },
		{ { "canary: 3 failed, 0 silent", NULL }, true, 3 },
		{ { "a: 1 failed, 2 silent", "b: 30 failed, 400 silent" }, true, 433 },
		{ { "a: 4294967295 failed, 4294967295 silent", NULL }, true, 8589934590 },
		{ { "a: b: 1 failed, 2 silent", NULL }, true, 3 }, /* a ring may be called that */
		{ { "a: 1 failed, 2 silent", "a: b: 1 failed, 2 silent" }, true, 6 },
		{ { "a: 1 failed, 2 silent", "a: 2 failed, 2 silent" }, false, 0 },
		{ { "a: 4294967296 failed, 0 silent", NULL }, false, 0 },
		{ { "a: 99999999999999999999999999 failed, 0 silent", NULL }, false, 0 },
		{ { "a: 03 failed, 0 silent", NULL }, false, 0 },
		{ { "a: 3 failed, 00 silent", NULL }, false, 0 },
		{ { "a: -3 failed, 0 silent", NULL }, false, 0 },
		{ { "a:  3 failed, 0 silent", NULL }, false, 0 },
		{ { "a: failed, 0 silent", NULL }, false, 0 },
		{ { "a: 3 failed, 0 silent ", NULL }, false, 0 },
		{ { "a: 3 failed", NULL }, false, 0 },
		{ { ": 3 failed, 0 silent", NULL }, false, 0 },
		{ { "3 failed, 0 silent", NULL }, false, 0 },
		{ { "", NULL }, false, 0 },
		{ { "everything", NULL }, false, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct approval_list l = { 0 };
		uint64_t modules = 7;
		for (unsigned k = 0; k < 2 && rows[i].word[k]; k++)
			strncpy(l.word[l.n++], rows[i].word[k], APPROVAL_WORD_MAX - 1);
		if (approval_over_modules(&l, &modules) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(modules, rows[i].good ? rows[i].modules : 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
