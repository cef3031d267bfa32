/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/policy/sample.h"

static struct config_problems problems;

static void
luhn_digits(void **state)
{
	(void)state;
	assert_true(identity_luhn(view_str("490154203237518")));
	assert_true(identity_luhn(view_str("79927398713")));
	for (char d = '0'; d <= '9'; d++) {
		char imei[] = "490154203237518";
		imei[14] = d;
		assert_int_equal(identity_luhn(view_str(imei)), d == '8');
	}
	assert_false(identity_luhn(view_str("")));
	assert_false(identity_luhn(view_str("0")));
	assert_false(identity_luhn(view_str("49015420323751a")));
}

static void
canonical_texts(void **state)
{
	static const struct {
		enum identity_kind kind;
		enum identity_check check;
		const char *value, *want; /* NULL: refused */
	} cases[] = {
		{ IDENTITY_IMEI, IDENTITY_CHECK_LUHN, "490154203237518", "490154203237518" },
		{ IDENTITY_IMEI, IDENTITY_CHECK_LUHN, "49-015420-323751-8", "490154203237518" },
		{ IDENTITY_IMEI, IDENTITY_CHECK_LUHN, "490154203237519", NULL },
		{ IDENTITY_IMEI, IDENTITY_CHECK_NONE, "490154203237519", "490154203237519" },
		{ IDENTITY_IMEI, IDENTITY_CHECK_NONE, "49015420323751", NULL },
		{ IDENTITY_IMEI, IDENTITY_CHECK_NONE, "49015420323751x", NULL },
		{ IDENTITY_ICCID, IDENTITY_CHECK_NONE, "8901000000000000001", "8901000000000000001" },
		{ IDENTITY_ICCID, IDENTITY_CHECK_NONE, "7901000000000000001", NULL },
		{ IDENTITY_SERIAL, IDENTITY_CHECK_NONE, "SN-1.2", "SN-1.2" },
		{ IDENTITY_SERIAL, IDENTITY_CHECK_NONE, "../x", NULL },
		{ IDENTITY_TOKEN, IDENTITY_CHECK_NONE, "aGVsbG8=", "aGVsbG8=" },
		{ IDENTITY_TOKEN, IDENTITY_CHECK_NONE, "a b", NULL },
		{ IDENTITY_CERT, IDENTITY_CHECK_NONE, "ABCDEF0000000000000000000000000000000000000000000000000000000000",
		    "abcdef0000000000000000000000000000000000000000000000000000000000" },
		{ IDENTITY_CERT, IDENTITY_CHECK_NONE, "abcd", NULL },
		{ IDENTITY_ADDRESS, IDENTITY_CHECK_NONE, "2001:DB8:0:0::1", "2001:db8::1" },
		{ IDENTITY_ADDRESS, IDENTITY_CHECK_NONE, "::ffff:10.0.0.1", "10.0.0.1" },
		{ IDENTITY_ADDRESS, IDENTITY_CHECK_NONE, "module-7", "module-7" },
		{ IDENTITY_KIND_NONE, IDENTITY_CHECK_NONE, "x", NULL },
		{ IDENTITY_SERIAL, IDENTITY_CHECK_NONE, "", NULL },
	};
	char out[IDENTITY_TEXT_MAX + 1];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		strcpy(out, "kept");
		bool ok = identity_canonical(cases[i].kind, cases[i].check, view_str(cases[i].value), out);
		if (ok != (cases[i].want != NULL))
			fail_msg("%s", cases[i].value);
		assert_string_equal(out, ok ? cases[i].want : "kept");
	}
	char longest[IDENTITY_TEXT_MAX + 2];
	memset(longest, 'a', sizeof longest);
	assert_true(identity_canonical(IDENTITY_TOKEN, 0, view_of(longest, IDENTITY_TEXT_MAX), out));
	assert_false(identity_canonical(IDENTITY_TOKEN, 0, view_of(longest, IDENTITY_TEXT_MAX + 1), out));
}

/* Whose key was proved is believed as far as a certificate is; what he is called must be what the rule says. */
static void
a_shared_key_names_its_module(void **state)
{
	char *text = sample_profile_with("identity",
	    "listeners = [ \"tls\" ];\n"
	    "identity = ( { class = \"A\"; kind = \"imei\"; from = \"psk_identity\"; check = \"luhn\"; },\n"
	    " { class = \"A\"; kind = \"serial\"; from = \"psk_identity\"; } );\n");
	char *first = strstr(text, "listeners = [ \"plain\"");
	memset(first, ' ', strcspn(first, "\n"));
	char main_text[2048];
	const char *at = strstr(SAMPLE_MAIN, "client_ca");
	snprintf(main_text, sizeof main_text, "%.*spsk = \"psk\"; %s", (int)(at - SAMPLE_MAIN), SAMPLE_MAIN, at);
	struct config *c = NULL;
	struct profile_hit hit;
	enum profile_miss why;
	struct identity id;
	(void)state;
	if (sample_parse(main_text, text, &c, &problems))
		fail_msg("%s", problems.at[0].text);
	struct profile_request r = { .listener = view_str("tls"), .host = view_str("fota.example"),
		.path = view_str("/fw/rtr9/1.2.3.bin"), .query = view_str("imei=356938035643809") };
	assert_int_equal(profile_match(c, &r, &hit, &why), 0);
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ .psk_identity = "490154203237518" }, &id), 0);
	assert_int_equal(id.class, IDENTITY_A);
	assert_int_equal(id.kind, IDENTITY_IMEI);
	assert_string_equal(id.text, "490154203237518");
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ .psk_identity = "SN-0007" }, &id), 0);
	assert_int_equal(id.kind, IDENTITY_SERIAL);
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ .psk_identity = "a/b" }, &id), FG_ENOTFOUND);
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ 0 }, &id), FG_ENOTFOUND);
	config_free(c);
	free(text);
}

static void
the_first_rule_that_applies(void **state)
{
	char *text = sample_profile_with("identity",
	    "listeners = [ \"tls\" ];\n"
	    "identity = ( { class = \"A\"; kind = \"cert\"; from = \"client_cert\"; },\n"
	    " { class = \"C\"; kind = \"address\"; from = \"source_address\"; },\n"
	    " { class = \"D\"; kind = \"imei\"; from = \"capture:imei\"; check = \"luhn\"; } );\n"
	    "networks = ( { cidr = \"10.0.0.0/8\"; group = \"big\"; }, { cidr = \"10.1.0.0/16\"; },"
	    " { cidr = \"10.1.2.3\"; module = \"mast-7\"; group = \"small\"; } );");
	/* listeners stands twice now: take the first one out. */
	char *first = strstr(text, "listeners = [ \"plain\"");
	memset(first, ' ', strcspn(first, "\n"));
	struct config *c = NULL;
	struct profile_hit hit;
	enum profile_miss why;
	struct identity id;
	struct cidr_addr a;
	uint8_t spki[32] = { 0xab, 0xcd };
	(void)state;
	if (sample_parse(SAMPLE_MAIN, text, &c, &problems))
		fail_msg("%s", problems.at[0].text);
	struct profile_request r = { .listener = view_str("tls"), .host = view_str("fota.example"),
		.path = view_str("/fw/rtr9/1.2.3.bin"), .query = view_str("imei=490154203237518") };
	assert_int_equal(profile_match(c, &r, &hit, &why), 0);

	assert_true(cidr_addr_parse(view_str("10.1.2.3"), &a));
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ .cert_spki_sha256 = spki, .address = &a }, &id), 0);
	assert_int_equal(id.class, IDENTITY_A);
	assert_int_equal(id.kind, IDENTITY_CERT);
	assert_string_equal(id.text, "abcd000000000000000000000000000000000000000000000000000000000000");
	assert_string_equal(id.group, "");

	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ .address = &a }, &id), 0);
	assert_int_equal(id.class, IDENTITY_C);
	assert_string_equal(id.text, "mast-7");
	assert_string_equal(id.group, "small");

	assert_true(cidr_addr_parse(view_str("::ffff:10.2.0.1"), &a));
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ .address = &a }, &id), 0);
	assert_string_equal(id.text, "10.2.0.1");
	assert_string_equal(id.group, "big");

	/* The same from the text that stands in the inventory. */
	static const struct {
		enum identity_kind kind;
		const char *text, *group;
	} groups[] = {
		{ IDENTITY_ADDRESS, "mast-7", "small" },
		{ IDENTITY_ADDRESS, "10.2.0.1", "big" },
		{ IDENTITY_ADDRESS, "10.1.9.9", "" }, /* the longer prefix, which names none */
		{ IDENTITY_ADDRESS, "192.0.2.1", "" },
		{ IDENTITY_ADDRESS, "", "" },
		{ IDENTITY_SERIAL, "mast-7", "" },
	};
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		assert_string_equal(
		    identity_network_group(hit.profile, groups[i].kind, view_str(groups[i].text)), groups[i].group);

	/* Outside the access point an address says nothing; what is left is a claim. */
	assert_true(cidr_addr_parse(view_str("192.0.2.1"), &a));
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ .address = &a }, &id), 0);
	assert_int_equal(id.class, IDENTITY_D);
	assert_string_equal(id.text, "490154203237518");

	r.query = view_str("imei=490154203237519");
	assert_int_equal(profile_match(c, &r, &hit, &why), 0);
	id.class = IDENTITY_B;
	assert_int_equal(identity_extract(&hit, &(struct identity_peer){ 0 }, &id), FG_ENOTFOUND);
	assert_int_equal(id.class, IDENTITY_B); /* untouched */
	config_free(c);
	free(text);
}

static void
names(void **state)
{
	(void)state;
	for (unsigned k = IDENTITY_IMEI; k <= IDENTITY_SERIAL; k++)
		assert_int_equal(identity_kind_parse(view_str(identity_kind_name((enum identity_kind)k))), k);
	assert_int_equal(identity_kind_parse(view_str("none")), IDENTITY_KIND_NONE);
	assert_string_equal(identity_kind_name(99), "none");
	assert_string_equal(identity_class_name(IDENTITY_D), "D");
	assert_string_equal(identity_class_name(99), "-");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luhn_digits),
		cmocka_unit_test(canonical_texts),
		cmocka_unit_test(the_first_rule_that_applies),
		cmocka_unit_test(a_shared_key_names_its_module),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
