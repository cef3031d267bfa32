/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/transport.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <strings.h>

static void
test_schemes(void **state)
{
	static const struct {
		const char *url;
		enum transport t;
		uint16_t port;
		bool tls, ftp;
	} all[] = {
		{ "http://a/", TRANSPORT_HTTP, 80, false, false }, { "https://a/", TRANSPORT_HTTPS, 443, true, false },
		{ "ftp://a/", TRANSPORT_FTP, 21, false, true }, { "ftpes://a/", TRANSPORT_FTPES, 21, true, true },
		{ "ftps://a/", TRANSPORT_FTPS, 990, true, true }, { "FtPs://a/", TRANSPORT_FTPS, 990, true, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		size_t n = 0;
		assert_int_equal(transport_of(view_str(all[i].url), &n), all[i].t);
		assert_int_equal(n, strlen(all[i].url) - 2);
		assert_int_equal(transport_port(all[i].t), all[i].port);
		assert_int_equal(transport_tls(all[i].t), all[i].tls);
		assert_int_equal(transport_ftp(all[i].t), all[i].ftp);
		assert_int_equal(strncasecmp(transport_name(all[i].t), all[i].url, n - 3), 0);
	}
}

static void
test_others_are_none(void **state)
{
	static const char *const bad[] = { "", "http", "http:", "http:/", "http:/a", "file:///etc/passwd", "sftp://a/", "tftp://a/",
		"httpss://a/", " http://a/", "ftpe://a/", "gopher://a/" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t n = 7;
		assert_int_equal(transport_of(view_str(bad[i]), &n), TRANSPORT_NONE);
		assert_int_equal(n, 0);
	}
	for (int t = -1; t <= TRANSPORT_FTPS + 1; t += TRANSPORT_FTPS + 2) {
		assert_int_equal(transport_port((enum transport)t), 0);
		assert_string_equal(transport_name((enum transport)t), "");
		assert_false(transport_tls((enum transport)t) || transport_ftp((enum transport)t));
	}
	assert_false(transport_tls(TRANSPORT_NONE) || transport_ftp(TRANSPORT_NONE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_others_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
