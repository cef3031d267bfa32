/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/config_form.h"

static void
durations(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = { { "0s", 0 }, { "90s", 90 }, { "15m", 900 }, { "2h", 7200 }, { "30d", 2592000 }, { "999999999d", 86399999913600 } };
	static const char *const bad[] = { "", "s", "15", "15 m", "15M", "1w", "-1s", "+1s", "015m", "1.5h", "1h30m", "9999999999s" };
	int64_t v;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(config_form_duration(good[i].text, &v));
		assert_int_equal(v, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (config_form_duration(bad[i], &v))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void
sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = { { "0", 0 }, { "512", 512 }, { "512 B", 512 }, { "64 KiB", 65536 }, { "64KiB", 65536 },
		{ "4 GiB", 4294967296 }, { "8388607 TiB", 9223370937343148032 } };
	static const char *const bad[] = { "", "KiB", "64 kib", "64 KB", "64  KiB", "64 KiB ", "1.5 GiB", "-1", "8388608 TiB",
		"0x10", "064", "64 " };
	int64_t v;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(config_form_size(good[i].text, &v));
		assert_int_equal(v, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (config_form_size(bad[i], &v))
			fail_msg("\"%s\" was taken", bad[i]);
}

static const struct {
	enum config_form form;
	const char *good[6], *bad[8];
} forms[] = {
	{ CONFIG_FORM_WORD, { "acme-2", "a" }, { "", "-a", "A", "a b", "a/b", "a_b" } },
	{ CONFIG_FORM_USER, { "fotagate-edge", "_x" }, { "", "-x", "Root", "a:b" } },
	{ CONFIG_FORM_FILE, { "ca.pem", "A_1-2.crt" }, { "", ".", "..", ".hidden", "a/b", "-x", "a b" } },
	{ CONFIG_FORM_DIR, { "/a", "/var/lib/x.y" }, { "", "a", "/", "/a/", "//a", "/a//b", "/a/../b", "/a/." } },
	{ CONFIG_FORM_ADDRESS, { "0.0.0.0", "::", "127.0.0.1" }, { "", "localhost", "[::]", "1.2.3", "::1%lo" } },
	{ CONFIG_FORM_CIDR, { "10.0.0.0/8", "::1" }, { "", "10.0.0.1/8", "10/8" } },
	{ CONFIG_FORM_COUNTRY, { "DE" }, { "", "de", "DEU", "D" } },
	{ CONFIG_FORM_HOST, { "a.example", "*.a.example", "10.0.0.1", "[::1]" },
	    { "", "*", "*.", "*a.example", "A.example", "a.example:80", "a..b", "*.*.a" } },
	{ CONFIG_FORM_PATTERN, { "/", "/{a}" }, { "", "a", "{a}" } },
	{ CONFIG_FORM_PARAM, { "a={a}", "a?={a}", "a=b", "{a}" }, { "", "a", "a=", "=b", "a=b&c", "a=%20", "?={a}" } },
	{ CONFIG_FORM_SOURCE, { "capture:a_1", "header:X-A", "fixed:a b", "client_cert", "psk_identity", "source_address" },
	    { "", "capture:", "capture:A", "header:a b", "fixed:", "cert" } },
	{ CONFIG_FORM_PIN, { "0000000000000000000000000000000000000000000000000000000000000000" },
	    { "", "00", "A000000000000000000000000000000000000000000000000000000000000000" } },
	{ CONFIG_FORM_FINDING, { "SIG-WEAK", "CHG-CONTACT*", "*" }, { "", "sig-weak", "*-WEAK", "A**", "A B" } },
	{ CONFIG_FORM_STAMP, { "2026-12-24T00:00:00Z" }, { "", "2026-12-24", "2026-13-24T00:00:00Z", "2026-12-24T00:00:00+01:00" } },
	{ CONFIG_FORM_STEM, { "EC21E", "EC21*", "*" }, { "*EC", "EC**", "a\tb" } },
	{ CONFIG_FORM_MEDIA, { "application/json", "application/vnd.x+json" }, { "", "json", "/json", "a/", "a/b;c=d", "a/b/c" } },
	{ CONFIG_FORM_TEXT, { "a b", "<>" }, { "a\nb", "\x7f", "\xc3\xa4" } },
	{ CONFIG_FORM_BODY, { "{\r\n\t}" }, { "\x01", "\x80" } },
	{ CONFIG_FORM_NONE, { NULL }, { "", "a" } },
};

static void
each_form_takes_and_refuses(void **state)
{
	(void)state;
	for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
		for (size_t i = 0; i < 6 && forms[f].good[i]; i++)
			if (config_form_check(forms[f].form, forms[f].good[i]))
				fail_msg("form %u refused \"%s\"", forms[f].form, forms[f].good[i]);
		for (size_t i = 0; i < 8 && forms[f].bad[i]; i++)
			if (!config_form_check(forms[f].form, forms[f].bad[i]))
				fail_msg("form %u took \"%s\"", forms[f].form, forms[f].bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(each_form_takes_and_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
