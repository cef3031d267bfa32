/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds, strength, identity and arithmetic of public keys. */
#include "unit/crypto/pki.h"

#include "crypto/err.h"
#include "crypto/pubkey.h"

static void
kinds_types_and_fitness(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		enum pubkey_kind kind;
		const char *type;
		bool fit;
	} rows[] = {
		{ "code", PUBKEY_RSA, "rsa-2048", true },
		{ "rsa1024", PUBKEY_RSA, "rsa-1024", false },
		{ "email", PUBKEY_EC, "ec-p256", true },
		{ "p384", PUBKEY_EC, "ec-p384", true },
		{ "p521", PUBKEY_EC, "ec-secp521r1", false },
		{ "k256", PUBKEY_EC, "ec-secp256k1", false },
		{ "ed25519", PUBKEY_ED25519, "ed25519", true },
		{ "x25519", PUBKEY_OTHER, "x25519", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char type[PUBKEY_TYPE_MAX], why[SIG_TEXT_MAX] = "";
		EVP_PKEY *pkey = pki_private(rows[i].key);
		assert_int_equal(pubkey_kind(pkey), rows[i].kind);
		pubkey_type(pkey, type);
		assert_string_equal(type, rows[i].type);
		if (pubkey_is_fit(pkey, 0, why, sizeof why) != rows[i].fit)
			fail_msg("%s: %s", rows[i].key, why);
		assert_int_equal(why[0] == '\0', rows[i].fit);
		EVP_PKEY_free(pkey);
	}
}

static void
a_longer_minimum_can_be_asked_for_but_no_shorter_one(void **state)
{
	(void)state;
	char why[SIG_TEXT_MAX];
	EVP_PKEY *rsa = pki_private("code"), *weak = pki_private("rsa1024");
	assert_true(pubkey_is_fit(rsa, 2048, why, sizeof why));
	assert_false(pubkey_is_fit(rsa, 2049, why, sizeof why));
	assert_false(pubkey_is_fit(weak, 1024, why, sizeof why));
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(weak);
}

static void
a_method_must_belong_to_the_key_and_the_digest(void **state)
{
	(void)state;
	uint8_t bytes[256] = { 0 };
	bool fits = true;
	EVP_PKEY *rsa = pki_private("code"), *ec = pki_private("email");
	static const struct pubkey_method none = { PUBKEY_PADDING_NONE, DIGEST_SHA256, 0, false };
	static const struct pubkey_method pkcs1 = { PUBKEY_RSA_PKCS1, DIGEST_SHA256, 0, false };
	static const struct pubkey_method no_digest = { PUBKEY_RSA_PKCS1, DIGEST_NONE, 0, false };
	static const struct pubkey_method ecdsa = { PUBKEY_ECDSA, DIGEST_SHA256, 0, false };
	static const struct pubkey_method salty = { PUBKEY_RSA_PSS, DIGEST_SHA256, 100000, false };
	struct view d32 = view_of(bytes, 32), sig = view_of(bytes, 256);
	assert_int_equal(pubkey_verify(rsa, &none, d32, sig, &fits), FG_EINVAL);
	assert_int_equal(pubkey_verify(rsa, &ecdsa, d32, sig, &fits), FG_EINVAL);
	assert_int_equal(pubkey_verify(ec, &pkcs1, d32, sig, &fits), FG_EINVAL);
	assert_int_equal(pubkey_verify(rsa, &salty, d32, sig, &fits), FG_EINVAL);
	assert_int_equal(pubkey_verify(rsa, &no_digest, view_of(bytes, 0), sig, &fits), FG_EINVAL);
	assert_int_equal(pubkey_verify(rsa, &pkcs1, view_of(bytes, 31), sig, &fits), FG_EINVAL);
	assert_true(fits); /* untouched */
	assert_int_equal(pubkey_verify(rsa, &pkcs1, d32, sig, &fits), 0);
	assert_false(fits);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

static void
one_key_one_hash(void **state)
{
	(void)state;
	static const char *const keys[] = { "code", "email", "p384", "ed25519", "k256" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		uint8_t ours[32], theirs[32], *der = NULL;
		EVP_PKEY *pkey = pki_private(keys[i]);
		int n = i2d_PUBKEY(pkey, &der);
		assert_true(n > 0);
		assert_int_equal(digest_sha256(view_of(der, (size_t)n), theirs), 0);
		assert_int_equal(pubkey_spki_sha256(pkey, ours), 0);
		assert_memory_equal(ours, theirs, 32);
		OPENSSL_free(der);
		EVP_PKEY_free(pkey);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_types_and_fitness),
		cmocka_unit_test(a_longer_minimum_can_be_asked_for_but_no_shorter_one),
		cmocka_unit_test(a_method_must_belong_to_the_key_and_the_digest),
		cmocka_unit_test(one_key_one_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
