/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "crypto/err.h"
#include "crypto/password.h"

/* RFC 7914 section 12: N=16384, r=8, p=1, the first 32 of its 64 bytes (PBKDF2 of the last step yields them in blocks of 32). */
#define RFC7914 "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI"

static bool
is(const char *password, const char *phc)
{
	bool ret = false;
	int err = password_check(view_str(password), phc, &ret);
	if (err)
		fail_msg("%s: %s", phc, err_name(err));
	return ret;
}

static void
test_known_answer(void **state)
{
	(void)state;
	assert_true(is("pleaseletmein", RFC7914));
	assert_false(is("pleaseletmeim", RFC7914));
	assert_false(is("", RFC7914));
}

static void
test_round(void **state)
{
	const uint8_t salt[PASSWORD_SALT_LEN] = { 1, 2, 3 }, other[PASSWORD_SALT_LEN] = { 1, 2, 4 };
	char phc[PASSWORD_PHC_CAP], second[PASSWORD_PHC_CAP];
	(void)state;
	assert_int_equal(password_hash(view_str("correct horse"), 4, salt, phc), 0);
	assert_memory_equal(phc, "$scrypt$ln=4,r=8,p=1$", 21);
	assert_true(is("correct horse", phc));
	assert_false(is("correct horse ", phc));
	assert_int_equal(password_hash(view_str("correct horse"), 4, other, second), 0);
	assert_string_not_equal(phc, second);
	/* One of nobody looks like any other. */
	const uint8_t random[PASSWORD_SALT_LEN + PASSWORD_HASH_LEN] = { 7 };
	assert_int_equal(password_nobody(4, random, second), 0);
	assert_int_equal(strlen(second), strlen(phc));
	assert_false(is("correct horse", second));
	/* Every character of the text counts: changed, it is another text or none. */
	for (size_t i = 0; phc[i]; i++) {
		bool same = false;
		snprintf(second, sizeof second, "%s", phc);
		second[i] ^= 1;
		assert_true(password_check(view_str("correct horse"), second, &same) != 0 || !same);
	}
}

/* The default cost needs more than OpenSSL's own limit of 32 MiB: it has to be asked for. */
static void
test_default_cost(void **state)
{
	const uint8_t salt[PASSWORD_SALT_LEN] = { 9 };
	char phc[PASSWORD_PHC_CAP];
	(void)state;
	assert_int_equal(password_hash(view_str("x"), PASSWORD_COST, salt, phc), 0);
	assert_true(strlen(phc) < PASSWORD_PHC_CAP - 16);
	assert_memory_equal(phc, "$scrypt$ln=16,r=8,p=1$", 22);
}

static void
test_what_is_no_hash(void **state)
{
	static const char *const bad[] = { "", "$", "scrypt", "$scrypt$", "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU",
		"$argon2id$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=18,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=0,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=4,r=1,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=4,r=8,p=9$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=4,p=1,r=8$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=04,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=4,r=8,p=1$AAAA$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=4,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf04",
		"$scrypt$ln=4,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI=",
		"$scrypt$ln=4,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf04 6/2o+7qQT44+qbVD9lRdofI",
		"$scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$AA" };
	char long_one[PASSWORD_BYTES_MAX + 1];
	char phc[PASSWORD_PHC_CAP];
	const uint8_t salt[PASSWORD_SALT_LEN] = { 0 };
	bool same = false;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (password_check(view_str("pleaseletmein"), bad[i], &same) != FG_EFORMAT)
			fail_msg("%s", bad[i]);
		assert_false(same);
	}
	memset(long_one, 'x', sizeof long_one);
	assert_int_equal(password_check(view_of(long_one, sizeof long_one), RFC7914, &same), FG_EFORMAT);
	assert_int_equal(password_hash(view_of(long_one, sizeof long_one), 4, salt, phc), FG_EINVAL);
	assert_int_equal(password_hash(view_str(""), 4, salt, phc), FG_EINVAL);
	assert_int_equal(password_hash(view_str("x"), 0, salt, phc), FG_EINVAL);
	assert_int_equal(password_hash(view_str("x"), PASSWORD_COST_MAX + 1, salt, phc), FG_EINVAL);
}

static void
test_rules(void **state)
{
	static const char *const good[] = { "kettle orbit fjord", "Jq8#vRt2!mZx", "839274619283", "schönes Wetter im März",
		"correct horse battery staple gun", "my password is secret-ish", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae"
		"\xe3\x81\x82\xe3\x81\x84\xe9\x95\xb7\xe3\x81\x84\xe5\x90\x88\xe8\xa8\x80\xe8\x91\x89\xe3\x81\xa7\xe3\x81\x99" };
	static const char *const bad[] = { "", "Jq8#vRt2!mZ", "password1234", "P@ssw0rd1234!", "passwordpassword", "Welcome-2026!!",
		"123456789012", "abcdefghijkl", "987654321098", "aaaaaaaaaaaa", "abcabcabcabc", "alice1234567", "1Alice!Alice",
		"qwertyuiop12", "adminadmin!!!!", "Fotagate2026", "letmein-letmein", "correcthorsebatterystaple", "Jq8#vRt2!\xff\xffmZx",
		"q1w2q1w2q1w2" };
	char text[PASSWORD_BYTES_MAX + 2];
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		const char *why = password_refusal(view_str(good[i]), "alice");
		if (why)
			fail_msg("%s %s", good[i], why);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!password_refusal(view_str(bad[i]), "alice"))
			fail_msg("%s", bad[i]);
	/* 128 characters of four bytes each are 128 characters. */
	for (size_t i = 0; i < PASSWORD_MAX; i++) {
		const uint8_t c[] = { 0xf0, 0x9f, 0x98, (uint8_t)(0x80 + (i * i * 7) % 61) };
		memcpy(text + 4 * i, c, 4);
	}
	assert_null(password_refusal(view_of(text, PASSWORD_BYTES_MAX), "alice"));
	text[PASSWORD_BYTES_MAX] = 'x';
	assert_non_null(password_refusal(view_of(text, PASSWORD_BYTES_MAX + 1), "alice"));
	for (size_t i = 0; i <= PASSWORD_MAX; i++)
		text[i] = (char)('!' + (i * i * 7) % 90);
	assert_null(password_refusal(view_of(text, PASSWORD_MAX), "alice"));
	assert_non_null(password_refusal(view_of(text, PASSWORD_MAX + 1), "alice"));
	/* Somebody else's name is none of this. */
	assert_null(password_refusal(view_str("alice1234567"), "bo"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_default_cost),
		cmocka_unit_test(test_what_is_no_hash),
		cmocka_unit_test(test_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
