/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyform.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "crypto/err.h"
#include "crypto/pubkey.h"

#define COORDINATE_MAX 48 /* P-384 */

int
keyform_from_der(struct view der, EVP_PKEY **ret)
{
	if (der.n == 0 || der.n > KEYFORM_DER_MAX)
		return FG_EFORMAT;
	const uint8_t *p = der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (!key || p != der.p + der.n) {
		EVP_PKEY_free(key);
		p = der.p;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.n);
	}
	ERR_clear_error();
	if (!key || p != der.p + der.n) {
		EVP_PKEY_free(key);
		return FG_EFORMAT;
	}
	*ret = key;
	return 0;
}

int
keyform_mcuboot_hash(const EVP_PKEY *pkey, enum digest_alg alg, uint8_t ret[DIGEST_LEN_MAX])
{
	uint8_t *der = NULL;
	int n = pubkey_kind(pkey) == PUBKEY_RSA ? i2d_PublicKey(pkey, &der)
	                                        : i2d_PUBKEY(pkey, &der);
	if (n <= 0) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	int err = digest_bytes(alg, view_of(der, (size_t)n), ret);
	OPENSSL_free(der);
	return err;
}

/* Takes params' place: *ret or FG_EFORMAT. */
static int
make(const char *type, OSSL_PARAM_BLD *bld, EVP_PKEY **ret)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, PUBKEY_PROPQ);
	EVP_PKEY *key = NULL;
	int err = params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 ? 0 : FG_ENOMEM;
	if (!err && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		err = FG_EFORMAT;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	if (!err)
		*ret = key;
	return err;
}

int
keyform_rsa_le(struct view modulus, uint32_t exponent, EVP_PKEY **ret)
{
	if (modulus.n == 0 || modulus.n > PUBKEY_RSA_BITS_MAX / 8)
		return FG_EFORMAT;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_lebin2bn(modulus.p, (int)modulus.n, NULL), *e = BN_new();
	int err = FG_ENOMEM;
	if (bld && n && e && BN_set_word(e, exponent) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		err = BN_is_zero(n) ? FG_EFORMAT : make("RSA", bld, ret);
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(bld);
	return err;
}

int
keyform_montgomery_le(struct view modulus, struct view rr, uint32_t m_prime, bool *ret_fits)
{
	*ret_fits = false;
	if (modulus.n == 0 || modulus.n > PUBKEY_RSA_BITS_MAX / 8 || rr.n != modulus.n ||
	    (modulus.p[0] & 1) == 0)
		return 0;
	/* n * m' = -1 mod 2^32 is all that -1/n means: no inverse to be taken. */
	uint32_t low = (uint32_t)modulus.p[0] | (uint32_t)modulus.p[1] << 8 |
	               (uint32_t)modulus.p[2] << 16 | (uint32_t)modulus.p[3] << 24;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_lebin2bn(modulus.p, (int)modulus.n, NULL);
	BIGNUM *is = BN_lebin2bn(rr.p, (int)rr.n, NULL), *want = BN_new();
	int err = ctx && n && is && want && BN_set_bit(want, (int)modulus.n * 16) == 1 ? 0 : FG_ENOMEM;
	if (!err && BN_nnmod(want, want, n, ctx) != 1)
		err = FG_ECRYPTO;
	if (!err)
		*ret_fits = BN_cmp(is, want) == 0 && low * m_prime == UINT32_MAX;
	BN_free(n);
	BN_free(is);
	BN_free(want);
	BN_CTX_free(ctx);
	ERR_clear_error();
	return err;
}

int
keyform_ec_le(struct view x, struct view y, EVP_PKEY **ret)
{
	uint8_t point[1 + 2 * COORDINATE_MAX];
	if ((x.n != 32 && x.n != COORDINATE_MAX) || y.n != x.n)
		return FG_EFORMAT;
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	for (size_t i = 0; i < x.n; i++) {
		point[1 + i] = x.p[x.n - 1 - i];
		point[1 + x.n + i] = y.p[y.n - 1 - i];
	}
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	int err = FG_ENOMEM;
	if (bld &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
	        x.n == 32 ? "prime256v1" : "secp384r1", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point,
	        1 + 2 * x.n) == 1)
		err = make("EC", bld, ret);
	OSSL_PARAM_BLD_free(bld);
	return err;
}
