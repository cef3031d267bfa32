/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/cidr.h"

static bool
match(const char *range, const char *address)
{
	struct cidr c;
	struct cidr_addr a;
	assert_true(cidr_parse(view_str(range), &c));
	assert_true(cidr_addr_parse(view_str(address), &a));
	return cidr_match(&c, &a);
}

static void
prefixes_match_whole_bits(void **state)
{
	(void)state;
	assert_true(match("10.0.0.0/8", "10.255.0.1"));
	assert_false(match("10.0.0.0/8", "11.0.0.0"));
	assert_true(match("10.20.128.0/17", "10.20.200.1"));
	assert_false(match("10.20.128.0/17", "10.20.127.255"));
	assert_true(match("192.0.2.7", "192.0.2.7"));
	assert_false(match("192.0.2.7", "192.0.2.6"));
	assert_true(match("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(match("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(match("0.0.0.0/0", "203.0.113.9"));
	assert_false(match("0.0.0.0/0", "2001:db8::1"));
}

static void
a_mapped_address_is_the_same_client(void **state)
{
	(void)state;
	assert_true(match("10.0.0.0/8", "::ffff:10.1.2.3"));
	struct cidr_addr four, six;
	const uint8_t raw[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3 };
	assert_true(cidr_addr_from(raw + 12, 4, &four));
	assert_true(cidr_addr_from(raw, 16, &six));
	assert_memory_equal(&four, &six, sizeof four);
	assert_false(cidr_addr_from(raw, 5, &four));
	char text[CIDR_TEXT_MAX];
	cidr_addr_text(&six, text);
	assert_string_equal(text, "10.1.2.3");
}

static void
slips_are_refused(void **state)
{
	static const char *const bad[] = { "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8", "10.0.0.0/08",
		"10.0.0.0/-1", "::/129", "2001:db8::1/32", "10.0.0.0/8 ", "10.0.0.0/8/8", "fe80::1%eth0", "[::1]", "01.2.3.4",
		"1.2.3.4:80", "999.1.1.1" };
	struct cidr c;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (cidr_parse(view_str(bad[i]), &c))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void
zero_matches_nothing(void **state)
{
	struct cidr none = { .set = false };
	struct cidr_addr a;
	(void)state;
	assert_true(cidr_addr_parse(view_str("::"), &a));
	assert_false(cidr_match(&none, &a));
}

static void
text_goes_both_ways(void **state)
{
	static const char *const texts[] = { "10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::/0", "0.0.0.0/0" };
	char out[CIDR_TEXT_MAX];
	struct cidr c;
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_true(cidr_parse(view_str(texts[i]), &c));
		cidr_text(&c, out);
		assert_string_equal(out, texts[i]);
	}
}

static void
private_addresses_are_known(void **state)
{
	static const char *const private[] = { "127.0.0.1", "10.1.1.1", "172.31.255.255", "192.168.0.1", "169.254.169.254",
		"100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1", "fe80::1", "fd00::1",
		"ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001::1" };
	static const char *const public[] = { "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101" };
	struct cidr_addr a;
	(void)state;
	for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
		assert_true(cidr_addr_parse(view_str(private[i]), &a));
		if (!cidr_addr_is_private(&a))
			fail_msg("%s is taken for the Internet", private[i]);
	}
	for (size_t i = 0; i < sizeof public / sizeof *public; i++) {
		assert_true(cidr_addr_parse(view_str(public[i]), &a));
		if (cidr_addr_is_private(&a))
			fail_msg("%s is taken for private", public[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_match_whole_bits),
		cmocka_unit_test(a_mapped_address_is_the_same_client),
		cmocka_unit_test(slips_are_refused),
		cmocka_unit_test(zero_matches_nothing),
		cmocka_unit_test(text_goes_both_ways),
		cmocka_unit_test(private_addresses_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
