/* SPDX-License-Identifier: Apache-2.0 */
/* Names, serial numbers and times of certificates as text and numbers. */
#include "unit/crypto/pki.h"

#include <openssl/bn.h>

#include "crypto/certinfo.h"
#include "crypto/err.h"

static void
expect_name(const char *field, int type, const char *value, const char *shown)
{
	char text[SIG_TEXT_MAX];
	X509_NAME *name = X509_NAME_new();
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(name, field, type, (const unsigned char *)value, -1, -1, 0),
	    1);
	assert_int_equal(certinfo_name(name, text, sizeof text), 0);
	assert_string_equal(text, shown);
	X509_NAME_free(name);
}

static void
names_cannot_pose_as_more_than_one_part(void **state)
{
	(void)state;
	expect_name("CN", V_ASN1_UTF8STRING, "plain", "CN=plain");
	expect_name("CN", V_ASN1_UTF8STRING, "a, O=b", "CN=a\\, O=b");
	expect_name("CN", V_ASN1_UTF8STRING, "a+b", "CN=a\\+b");
	expect_name("CN", V_ASN1_UTF8STRING, "\n\x1b[2J", "CN=<0A><1B>[2J");
	expect_name("CN", V_ASN1_UTF8STRING, "\xe2\x80\xae", "CN=<U+202E>");
	expect_name("CN", V_ASN1_T61STRING, "\xe9", "CN=<U+00E9>");
}

static void
long_names_are_cut(void **state)
{
	(void)state;
	char text[SIG_TEXT_MAX], value[4096];
	memset(value, 'x', sizeof value);
	X509_NAME *name = X509_NAME_new();
	for (int i = 0; i < 3; i++)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", V_ASN1_UTF8STRING,
				     (const unsigned char *)value, 60, -1, 0),
		    1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "OU", V_ASN1_UTF8STRING,
				     (const unsigned char *)value, 60, -1, 0),
		    1);
	assert_int_equal(certinfo_name(name, text, sizeof text), 0);
	assert_true(strlen(text) < sizeof text);
	assert_non_null(strstr(text, "<...>"));
	X509_NAME_free(name);
}

static void
expect_serial(const char *hex, const char *shown)
{
	char text[64];
	BIGNUM *bn = NULL;
	assert_true(BN_hex2bn(&bn, hex) > 0);
	ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(bn, NULL);
	assert_int_equal(certinfo_serial(serial, text, sizeof text), 0);
	assert_string_equal(text, shown);
	ASN1_INTEGER_free(serial);
	BN_free(bn);
}

static void
serial_numbers(void **state)
{
	(void)state;
	expect_serial("0", "0");
	expect_serial("0A", "a");
	expect_serial("1000", "1000");
	expect_serial("-0F", "-f");
	expect_serial(
	    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "ffffffffffffffffffffffffffffffffffffffff");
	expect_serial("1111111111111111111111111111111111111111111111111111111111111111111111",
	    "11111111111111111111111111111111111111111111111111111111...");
}

static void
expect_time(const char *text, int err, int64_t value)
{
	int64_t got = -7;
	ASN1_TIME *time = ASN1_TIME_new();
	ASN1_STRING_set(time, text, -1);
	time->type = strlen(text) == 15 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
	assert_int_equal(certinfo_time(time, &got), err);
	assert_true(got == (err ? -7 : value));
	ASN1_TIME_free(time);
}

static void
times(void **state)
{
	(void)state;
	expect_time("700101000000Z", 0, 0);
	expect_time("20260101000000Z", 0, PKI_NOW);
	expect_time("99991231235959Z", 0, INT64_C(253402300799));
	expect_time("260132000000Z", FG_EFORMAT, 0);
	expect_time("2601", FG_EFORMAT, 0);
	assert_int_equal(certinfo_time(NULL, NULL), FG_EFORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_cannot_pose_as_more_than_one_part),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(serial_numbers),
		cmocka_unit_test(times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
