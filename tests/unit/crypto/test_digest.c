/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"

static void
expect(enum digest_alg alg, struct view in, const char *hex)
{
	uint8_t md[DIGEST_LEN_MAX];
	char text[2 * DIGEST_LEN_MAX + 1];
	assert_int_equal(digest_bytes(alg, in, md), 0);
	hex_encode(md, digest_len(alg), text);
	assert_string_equal(text, hex);
}

/* FIPS 180-4 examples, and RFC 1321 for what is only recognised. */
static void
test_known_answers(void **state)
{
	(void)state;
	expect(DIGEST_SHA256, view_str("abc"),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect(DIGEST_SHA256, view_of(NULL, 0),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect(DIGEST_SHA256, view_str("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect(DIGEST_SHA384, view_str("abc"),
	    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
	    "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
	expect(DIGEST_SHA512, view_str("abc"),
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	expect(DIGEST_SHA512, view_of(NULL, 0),
	    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
	expect(DIGEST_SHA1, view_str("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
	expect(DIGEST_MD5, view_str("abc"), "900150983cd24fb0d6963f7d28e17f72");
}

static void
test_names_lengths_strength(void **state)
{
	(void)state;
	static const struct {
		enum digest_alg alg;
		const char *name;
		size_t len;
		bool strong;
	} table[] = {
		{ DIGEST_NONE, "none", 0, false },
		{ DIGEST_MD5, "md5", 16, false },
		{ DIGEST_SHA1, "sha1", 20, false },
		{ DIGEST_SHA256, "sha256", 32, true },
		{ DIGEST_SHA384, "sha384", 48, true },
		{ DIGEST_SHA512, "sha512", 64, true },
		{ (enum digest_alg)99, "none", 0, false },
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		assert_string_equal(digest_name(table[i].alg), table[i].name);
		assert_int_equal(digest_len(table[i].alg), table[i].len);
		assert_int_equal(digest_is_strong(table[i].alg), table[i].strong);
	}
	uint8_t out[DIGEST_LEN_MAX] = { 7 };
	assert_null(digest_new(DIGEST_NONE));
	assert_int_equal(digest_bytes(DIGEST_NONE, view_str("x"), out), FG_ECRYPTO);
	assert_int_equal(out[0], 7);
	digest_free(NULL);
}

static void
test_stream_equals_one_shot_and_peek_does_not_end_it(void **state)
{
	(void)state;
	const char text[] = "the quick brown fox jumps over the lazy dog, and over it again, and again";
	uint8_t peek[32], whole[32];
	struct digest *d = digest_new(DIGEST_SHA256);
	assert_non_null(d);
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		assert_int_equal(digest_peek(d, peek), 0);
		assert_int_equal(digest_sha256(view_of(text, i), whole), 0);
		assert_memory_equal(peek, whole, 32);
		assert_int_equal(digest_update(d, view_of(text + i, 1)), 0);
	}
	assert_int_equal(digest_update(d, view_of(NULL, 0)), 0);
	assert_int_equal(digest_sha256(view_str(text), whole), 0);
	struct digest *copy = digest_copy(d);
	assert_non_null(copy);
	assert_int_equal(digest_update(copy, view_str("more")), 0); /* d does not notice */
	digest_free(copy);
	copy = digest_copy(d);
	assert_int_equal(digest_final(copy, peek), 0);
	assert_memory_equal(peek, whole, 32);
	digest_free(copy);
	assert_int_equal(digest_final(d, peek), 0);
	assert_memory_equal(peek, whole, 32);
	digest_free(d);
}

static void
expect_hmac(struct view key, struct view data, const char *hex)
{
	uint8_t mac[32];
	char text[65];
	assert_int_equal(digest_hmac_sha256(key, data, mac), 0);
	hex_encode(mac, sizeof mac, text);
	assert_string_equal(text, hex);
}

/* RFC 4231, test cases 1, 2, 3, 6 and 7. */
static void
test_hmac_rfc4231(void **state)
{
	(void)state;
	uint8_t key[131], data[50];
	memset(key, 0x0b, 20);
	expect_hmac(view_of(key, 20), view_str("Hi There"),
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	expect_hmac(view_str("Jefe"), view_str("what do ya want for nothing?"),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	memset(data, 0xdd, sizeof data);
	expect_hmac(view_of(key, 20), view_of(data, sizeof data),
	    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	expect_hmac(view_of(key, sizeof key), view_str("Test Using Larger Than Block-Size Key - Hash Key First"),
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	expect_hmac(view_of(key, sizeof key),
	    view_str("This is a test using a larger than block-size key and a larger than block-size data. "
	             "The key needs to be hashed before being used by the HMAC algorithm."),
	    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

/* No key is the empty key, whatever was used before. */
static void
test_hmac_of_nothing(void **state)
{
	(void)state;
	static const char empty[] = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
	expect_hmac(view_of(NULL, 0), view_of(NULL, 0), empty);
	expect_hmac(view_str(""), view_str(""), empty);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_names_lengths_strength),
		cmocka_unit_test(test_stream_equals_one_shot_and_peek_does_not_end_it),
		cmocka_unit_test(test_hmac_rfc4231),
		cmocka_unit_test(test_hmac_of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
