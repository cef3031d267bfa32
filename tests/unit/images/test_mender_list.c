/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "images/mender_list.h"

#define SUM "d5f6336dcd72a9364437b5928ac6c6a0417ce73647318040cc3f0b809f0701b0"

static void
test_lines(void **state)
{
	(void)state;
	struct mender_list l = { .n = 0 };
	unsigned line = 0;
	assert_int_equal(mender_list_add(&l, view_str(SUM "  version\n" SUM "  data/0000/a b\n"), &line), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.file[0].sha256[0], 0xd5);
	assert_null(mender_list_take(&l, view_str("a b")));
	assert_non_null(mender_list_take(&l, view_str("data/0000/a b")));
	assert_true(l.file[1].found);
	assert_false(l.file[0].found);
	assert_int_equal(mender_list_add(&l, view_str(SUM "  more\n" SUM "  version\n"), &line), FG_EEXIST);
	assert_int_equal(line, 2);
	mender_list_free(&l);
	assert_int_equal(mender_list_add(&l, view_str(""), &line), 0);
	mender_list_free(&l);
}

static void
test_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "\n", "x\n", SUM "\n", SUM "  \n", SUM " version\n", SUM "\t version\n",
		SUM "  version", "D" "5f6336dcd72a9364437b5928ac6c6a0417ce73647318040cc3f0b809f0701b0  version\n" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct mender_list l = { .n = 0 };
		unsigned line = 0;
		if (mender_list_add(&l, view_str(bad[i]), &line) != FG_EFORMAT || line != 1)
			fail_msg("%s", bad[i]);
		mender_list_free(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
