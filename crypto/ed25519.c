/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "crypto/err.h"
#include "crypto/wipe.h"

/* RFC 8032 5.1: p = 2^255 - 19 and the curve constant d = -121665/121666. */
static const char FIELD_P[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
static const char CURVE_D[] = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";

/*
 * y of the points whose order divides 8; the sign of x does not matter. 1 is
 * the neutral point, p-1 has order 2, 0 order 4, the two long ones order 8.
 */
static const char *const SMALL_ORDER_Y[] = {
	"0",
	"1",
	"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
	"7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
	"05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
};

static bool
is_small_order(const BIGNUM *y, BIGNUM *scratch)
{
	for (size_t i = 0; i < sizeof SMALL_ORDER_Y / sizeof *SMALL_ORDER_Y; i++) {
		if (!BN_hex2bn(&scratch, SMALL_ORDER_Y[i]) || BN_cmp(y, scratch) == 0)
			return true; /* what cannot be excluded is treated as found */
	}
	return false;
}

/*
 * A y below p belongs to a point when x^2 = (y^2-1)/(d*y^2+1) has a root. The
 * divisor is never zero (d is no square), so product and quotient are squares
 * together, and Euler's criterion on the product answers without a division.
 */
static bool
is_on_curve(const BIGNUM *y, const BIGNUM *p, BN_CTX *ctx)
{
	BIGNUM *d = BN_CTX_get(ctx);
	BIGNUM *u = BN_CTX_get(ctx);
	BIGNUM *v = BN_CTX_get(ctx);
	return v && BN_hex2bn(&d, CURVE_D) && BN_mod_sqr(u, y, p, ctx) &&
	    BN_mod_mul(v, u, d, p, ctx) && BN_add_word(v, 1) && BN_sub_word(u, 1) &&
	    BN_mod_mul(u, u, v, p, ctx) && BN_kronecker(u, p, ctx) == 1;
}

bool
ed25519_key_is_safe(const uint8_t key[ED25519_KEY_LEN])
{
	uint8_t y_bytes[ED25519_KEY_LEN];
	memcpy(y_bytes, key, sizeof y_bytes);
	y_bytes[ED25519_KEY_LEN - 1] &= 0x7f; /* the top bit is the sign of x */

	bool safe = false;
	BN_CTX *ctx = BN_CTX_new();
	if (!ctx)
		return false;
	BN_CTX_start(ctx);
	BIGNUM *p = BN_CTX_get(ctx);
	BIGNUM *y = BN_CTX_get(ctx);
	BIGNUM *scratch = BN_CTX_get(ctx);
	if (scratch && BN_hex2bn(&p, FIELD_P) && BN_lebin2bn(y_bytes, sizeof y_bytes, y) &&
	    BN_cmp(y, p) < 0 && !is_small_order(y, scratch))
		safe = is_on_curve(y, p, ctx);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return safe;
}

int
ed25519_public(const uint8_t seed[ED25519_SEED_LEN], uint8_t ret_key[ED25519_KEY_LEN])
{
	uint8_t key[ED25519_KEY_LEN];
	size_t n = sizeof key;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_LEN);
	bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, key, &n) == 1 && n == sizeof key;
	EVP_PKEY_free(pkey);
	if (!ok) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	memcpy(ret_key, key, sizeof key);
	return 0;
}

int
ed25519_generate(uint8_t ret_seed[ED25519_SEED_LEN])
{
	uint8_t seed[ED25519_SEED_LEN];
	if (RAND_priv_bytes(seed, sizeof seed) != 1) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	memcpy(ret_seed, seed, sizeof seed);
	wipe(seed, sizeof seed);
	return 0;
}

int
ed25519_sign(const uint8_t seed[ED25519_SEED_LEN], struct view message,
    uint8_t ret_sig[ED25519_SIG_LEN])
{
	uint8_t sig[ED25519_SIG_LEN];
	size_t n = sizeof sig;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, message.p, message.n) == 1 && n == sizeof sig;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	if (!ok) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	memcpy(ret_sig, sig, sizeof sig);
	return 0;
}

int
ed25519_verify(const uint8_t key[ED25519_KEY_LEN], struct view message, struct view sig,
    bool *ret_valid)
{
	*ret_valid = false;
	if (sig.n != ED25519_SIG_LEN || !ed25519_key_is_safe(key))
		return 0;
	int rc = FG_ECRYPTO;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1) {
		*ret_valid = EVP_DigestVerify(ctx, sig.p, sig.n, message.p, message.n) == 1;
		rc = 0;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error(); /* a refused signature leaves an entry in the queue */
	return rc;
}
