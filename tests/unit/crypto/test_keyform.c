/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/err.h"
#include "crypto/keyform.h"

/* A number of the key in little-endian bytes. */
static void
number(const EVP_PKEY *key, const char *which, uint8_t *out, int n)
{
	BIGNUM *bn = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(key, which, &bn), 1);
	assert_int_equal(BN_bn2lebinpad(bn, out, n), n);
	BN_free(bn);
}

static void
der_of_either_kind(void **state)
{
	(void)state;
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-256"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	for (unsigned i = 0; i < 3; i++) {
		uint8_t buf[KEYFORM_DER_MAX], *der = NULL;
		EVP_PKEY *back = NULL;
		int n = i ? i2d_PUBKEY(keys[i], &der) : i2d_PublicKey(keys[i], &der);
		assert_true(n > 0);
		memcpy(buf, der, (size_t)n);
		assert_int_equal(keyform_from_der(view_of(buf, (size_t)n), &back), 0);
		assert_int_equal(EVP_PKEY_eq(back, keys[i]), 1);
		EVP_PKEY_free(back);
		/* Not a byte more (T5), not a byte less. */
		buf[n] = 0;
		assert_int_equal(keyform_from_der(view_of(buf, (size_t)n + 1), &back), FG_EFORMAT);
		assert_int_equal(keyform_from_der(view_of(buf, (size_t)n - 1), &back), FG_EFORMAT);
		OPENSSL_free(der);
		EVP_PKEY_free(keys[i]);
	}
}

static void
hash_is_of_the_form_of_the_kind(void **state)
{
	(void)state;
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-384") };
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *der = NULL, is[DIGEST_LEN_MAX], want[DIGEST_LEN_MAX];
		int n = i ? i2d_PUBKEY(keys[i], &der) : i2d_PublicKey(keys[i], &der);
		assert_int_equal(digest_bytes(DIGEST_SHA384, view_of(der, (size_t)n), want), 0);
		assert_int_equal(keyform_mcuboot_hash(keys[i], DIGEST_SHA384, is), 0);
		assert_memory_equal(is, want, 48);
		OPENSSL_free(der);
		EVP_PKEY_free(keys[i]);
	}
}

static void
little_endian_rsa(void **state)
{
	uint8_t n[256], rr[256];
	bool fits = false;
	(void)state;
	EVP_PKEY *key = EVP_RSA_gen(2048), *back = NULL;
	number(key, OSSL_PKEY_PARAM_RSA_N, n, 256);
	assert_int_equal(keyform_rsa_le(view_of(n, 256), 65537, &back), 0);
	assert_int_equal(EVP_PKEY_eq(back, key), 1);
	EVP_PKEY_free(back);
	assert_int_equal(keyform_rsa_le(view_of(n, 0), 65537, &back), FG_EFORMAT);

	/* R*R mod n, by exponentiation instead of by one division. */
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *mod = BN_lebin2bn(n, 256, NULL), *two = BN_new(), *e = BN_new(), *r = BN_new();
	BN_set_word(two, 2);
	BN_set_word(e, 4096);
	assert_int_equal(BN_mod_exp(r, two, e, mod, ctx), 1);
	assert_int_equal(BN_bn2lebinpad(r, rr, 256), 256);
	/* -1/n mod 2^32, by the library's inverse. */
	BN_zero(e);
	BN_set_bit(e, 32);
	assert_non_null(BN_mod_inverse(two, mod, e, ctx));
	assert_int_equal(BN_sub(two, e, two), 1);
	uint32_t m = (uint32_t)BN_get_word(two);
	assert_int_equal(keyform_montgomery_le(view_of(n, 256), view_of(rr, 256), m, &fits), 0);
	assert_true(fits);
	assert_int_equal(keyform_montgomery_le(view_of(n, 256), view_of(rr, 256), m ^ 1, &fits), 0);
	assert_false(fits);
	rr[9] ^= 1;
	assert_int_equal(keyform_montgomery_le(view_of(n, 256), view_of(rr, 256), m, &fits), 0);
	assert_false(fits);
	BN_free(mod);
	BN_free(two);
	BN_free(e);
	BN_free(r);
	BN_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void
little_endian_points(void **state)
{
	static const char *const curves[] = { "P-256", "P-384" };
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t n = i ? 48 : 32;
		uint8_t x[48], y[48];
		EVP_PKEY *key = EVP_EC_gen(curves[i]), *back = NULL;
		number(key, OSSL_PKEY_PARAM_EC_PUB_X, x, (int)n);
		number(key, OSSL_PKEY_PARAM_EC_PUB_Y, y, (int)n);
		assert_int_equal(keyform_ec_le(view_of(x, n), view_of(y, n), &back), 0);
		assert_int_equal(EVP_PKEY_eq(back, key), 1);
		EVP_PKEY_free(back);
		y[0] ^= 1; /* no point of the curve */
		assert_int_equal(keyform_ec_le(view_of(x, n), view_of(y, n), &back), FG_EFORMAT);
		assert_int_equal(keyform_ec_le(view_of(x, n), view_of(y, n - 1), &back), FG_EFORMAT);
		assert_int_equal(keyform_ec_le(view_of(x, 24), view_of(y, 24), &back), FG_EFORMAT);
		EVP_PKEY_free(key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(der_of_either_kind),
		cmocka_unit_test(hash_is_of_the_form_of_the_kind),
		cmocka_unit_test(little_endian_rsa),
		cmocka_unit_test(little_endian_points),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
