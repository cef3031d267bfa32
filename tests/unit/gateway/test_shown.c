/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/shown.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gateway/upstream/reach.h"

static void
test_places(void **state)
{
	static const struct {
		const char *url, *place;
	} all[] = {
		{ "http://A.example/x", "http://a.example:80" }, { "https://a.example:443/x", "https://a.example:443" },
		{ "HTTPS://[::1]/x", "https://[::1]:443" }, { "ftp://a.example/x", "ftp://a.example:21" },
		{ "ftpes://a.example/x", "ftpes://a.example:21" }, { "ftpes://a.example:2121/x", "ftpes://a.example:2121" },
		{ "ftps://a.example/x", "ftps://a.example:990" }, { "gopher://a.example/x", "gopher://a.example:70" },
		{ "file:///etc/passwd", NULL }, { "", NULL }, { "x", NULL },
	};
	char out[MSG_PLACE_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(shown_place(all[i].url, out), all[i].place != NULL);
		if (all[i].place)
			assert_string_equal(out, all[i].place);
	}
}

/* Whatever the scheme is called: through a proxy nothing else looks at the address. */
static void
test_forbidden_addresses_of_every_transport(void **state)
{
	static const char *const hosts[] = { "10.0.0.1", "[fd00::1]", "169.254.169.254", "2852039166", "0xa9fea9fe", "127.1" };
	static const char *const schemes[] = { "http", "https", "ftp", "ftpes", "ftps" };
	struct msg_fetch job = { .job = 1 };
	char url[128], text[CIDR_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		for (size_t j = 0; j < sizeof hosts / sizeof *hosts; j++) {
			snprintf(url, sizeof url, "%s://%s:2121/a", schemes[i], hosts[j]);
			if (!reach_forbids(&job, url, text))
				fail_msg("%s may be reached", url);
		}
		snprintf(url, sizeof url, "%s://8.8.8.8/a", schemes[i]);
		assert_false(reach_forbids(&job, url, text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_forbidden_addresses_of_every_transport),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
