/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/legacy.h"

static void
each_reason_is_named(void **state)
{
	static const struct {
		struct config_listener listener;
		const char *says; /* NULL: nothing */
	} cases[] = {
		{ { .tls = true, .security_level = 2 }, NULL },
		{ { .tls = true, .security_level = 3, .send_fragment = 512 }, NULL },
		{ { .tls = true, .security_level = 1 }, "security level 1" },
		{ { .tls = true, .security_level = 2, .suites = CONFIG_SUITES_LEGACY }, "CBC" },
		{ { .tls = true, .security_level = 1, .suites = CONFIG_SUITES_LEGACY }, ", security level 1" },
		{ { .tls = true, .security_level = 2, .psk = "p" }, NULL },
		{ { .tls = true, .security_level = 1, .suites = CONFIG_SUITES_LEGACY, .psk = "p" },
		    ", PSK without forward secrecy, security level 1" },
		{ { .tls = false, .security_level = 1 }, NULL },
	};
	char text[LEGACY_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(legacy_listener(&cases[i].listener, text), cases[i].says != NULL);
		if (cases[i].says)
			assert_non_null(strstr(text, cases[i].says));
		else
			assert_string_equal(text, "");
		assert_true(strlen(text) < LEGACY_TEXT_MAX - 1); /* never cut */
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_reason_is_named) };
	return cmocka_run_group_tests_name("legacy", tests, NULL, NULL);
}
