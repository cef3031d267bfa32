/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/pseudonym.h"

static const char key[] = "0123456789abcdef0123456789abcdef";

/*
 * printf 'imei\000490154203237518' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
 */
static void
test_is_the_hmac_of_the_contract(void **state)
{
	(void)state;
	uint8_t out[PSEUDONYM_LEN];
	char text[2 * PSEUDONYM_LEN + 1];
	assert_int_equal(pseudonym_make(view_str(key), "imei", view_str("490154203237518"), out), 0);
	hex_encode(out, sizeof out, text);
	assert_string_equal(text, "d112aac93d89d69edea1d55a062c905d");
}

static void
test_key_kind_and_identity_all_count(void **state)
{
	(void)state;
	uint8_t a[PSEUDONYM_LEN], b[PSEUDONYM_LEN];
	struct view k = view_str(key);
	assert_int_equal(pseudonym_make(k, "imei", view_str("1"), a), 0);
	assert_int_equal(pseudonym_make(k, "imei", view_str("1"), b), 0);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(pseudonym_make(k, "imei", view_str("2"), b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(pseudonym_make(k, "imsi", view_str("1"), b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(pseudonym_make(view_of(key + 1, k.n - 1), "imei", view_str("1"), b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	/* The boundary is part of the name: "ab"+"c" is not "a"+"bc". */
	assert_int_equal(pseudonym_make(k, "ab", view_str("c"), a), 0);
	assert_int_equal(pseudonym_make(k, "a", view_str("bc"), b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(pseudonym_make(k, "a", view_of("b\0c", 3), a), 0);
	assert_int_equal(pseudonym_make(k, "a", view_of("b", 1), b), 0);
	assert_memory_not_equal(a, b, sizeof a);
}

static void
test_limits(void **state)
{
	(void)state;
	static uint8_t big[PSEUDONYM_IDENTITY_MAX + 1];
	char kind[PSEUDONYM_KIND_MAX + 2];
	uint8_t out[PSEUDONYM_LEN] = { 7 };
	struct view k = view_str(key);
	memset(kind, 'k', sizeof kind - 1);
	kind[sizeof kind - 1] = '\0';
	assert_int_equal(pseudonym_make(view_of(key, PSEUDONYM_KEY_MIN - 1), "imei", view_str("1"), out), FG_EINVAL);
	assert_int_equal(pseudonym_make(view_of(NULL, 0), "imei", view_str("1"), out), FG_EINVAL);
	assert_int_equal(pseudonym_make(k, "", view_str("1"), out), FG_EINVAL);
	assert_int_equal(pseudonym_make(k, kind, view_str("1"), out), FG_EINVAL);
	assert_int_equal(pseudonym_make(k, "imei", view_str(""), out), FG_ELIMIT);
	assert_int_equal(pseudonym_make(k, "imei", view_of(big, sizeof big), out), FG_ELIMIT);
	assert_int_equal(out[0], 7);
	assert_int_equal(pseudonym_make(k, kind + 1, view_of(big, sizeof big - 1), out), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_the_hmac_of_the_contract),
		cmocka_unit_test(test_key_kind_and_identity_all_count),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
