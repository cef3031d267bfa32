/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pubkey.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/sig.h"

#define CURVE_NAME_MAX 64
#define COORDINATE_MAX 48 /* P-384 */
#define PREFIX_MAX 27

/* The named curves images may be signed on. */
struct curve {
	int nid;
	const char *type;
	size_t coordinate; /* bytes of x and of y */
	size_t prefix_n;
	uint8_t prefix[PREFIX_MAX]; /* SubjectPublicKeyInfo up to the 04 of the point (RFC 5480) */
};

static const struct curve curves[] = {
	{ NID_X9_62_prime256v1, "ec-p256", 32, 27,
	    { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
		0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 } },
	{ NID_secp384r1, "ec-p384", 48, 24,
	    { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
		0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04 } },
};

enum pubkey_kind
pubkey_kind(const EVP_PKEY *pkey)
{
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return PUBKEY_RSA;
	if (EVP_PKEY_is_a(pkey, "EC"))
		return PUBKEY_EC;
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return PUBKEY_ED25519;
	return PUBKEY_OTHER;
}

static void
curve_name(const EVP_PKEY *pkey, char ret[CURVE_NAME_MAX])
{
	size_t n = 0;
	if (EVP_PKEY_get_group_name(pkey, ret, CURVE_NAME_MAX, &n) != 1)
		snprintf(ret, CURVE_NAME_MAX, "unnamed");
}

/* NULL for a curve off the list. */
static const struct curve *
curve_of(const EVP_PKEY *pkey)
{
	char name[CURVE_NAME_MAX];
	curve_name(pkey, name);
	int nid = OBJ_txt2nid(name);
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
		if (curves[i].nid == nid)
			return &curves[i];
	return NULL;
}

void
pubkey_type(const EVP_PKEY *pkey, char ret[PUBKEY_TYPE_MAX])
{
	const char *name;
	const struct curve *curve;
	char curve_text[CURVE_NAME_MAX];

	switch (pubkey_kind(pkey)) {
	case PUBKEY_RSA:
		snprintf(ret, PUBKEY_TYPE_MAX, "rsa-%d", EVP_PKEY_get_bits(pkey));
		return;
	case PUBKEY_EC:
		curve = curve_of(pkey);
		curve_name(pkey, curve_text);
		if (curve)
			snprintf(ret, PUBKEY_TYPE_MAX, "%s", curve->type);
		else
			snprintf(ret, PUBKEY_TYPE_MAX, "ec-%.20s", curve_text);
		return;
	case PUBKEY_ED25519:
		snprintf(ret, PUBKEY_TYPE_MAX, "ed25519");
		return;
	case PUBKEY_OTHER:
		break;
	}
	name = EVP_PKEY_get0_type_name(pkey);
	snprintf(ret, PUBKEY_TYPE_MAX, "%s", name ? name : "unknown");
	for (char *p = ret; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

/*
 * An even modulus is no RSA key, an even exponent has no inverse, and with
 * exponent 1 every padded digest is its own signature.
 */
static bool
rsa_is_sound(const EVP_PKEY *pkey)
{
	BIGNUM *n = NULL, *e = NULL;
	bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(n) &&
	    BN_is_odd(e) && !BN_is_negative(e) && !BN_is_one(e);
	BN_free(n);
	BN_free(e);
	return ok;
}

static bool
check_rsa(const EVP_PKEY *pkey, unsigned bits_min, char *ret_why, size_t cap)
{
	unsigned bits = (unsigned)EVP_PKEY_get_bits(pkey);
	if (bits_min < PUBKEY_RSA_BITS_MIN)
		bits_min = PUBKEY_RSA_BITS_MIN;
	if (bits > PUBKEY_RSA_BITS_MAX) {
		snprintf(ret_why, cap, "RSA key of %u bits is longer than %u", bits,
		    PUBKEY_RSA_BITS_MAX);
		return false;
	}
	if (bits < bits_min) {
		snprintf(ret_why, cap, "RSA key of %u bits is shorter than %u", bits, bits_min);
		return false;
	}
	if (!rsa_is_sound(pkey)) {
		snprintf(
		    ret_why, cap, "RSA key with an even or too small exponent, or an even modulus");
		return false;
	}
	return true;
}

static bool
check_ec(EVP_PKEY *pkey, char *ret_why, size_t cap)
{
	int from_parameters = 0;
	char name[CURVE_NAME_MAX];
	curve_name(pkey, name);

	/* Parameters spelled out can name a curve of the attacker's choice (CVE-2020-0601). */
	EVP_PKEY_get_int_param(
	    pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &from_parameters);
	if (from_parameters) {
		snprintf(ret_why, cap, "EC key with explicit parameters instead of a named curve");
		return false;
	}
	if (!curve_of(pkey)) {
		snprintf(
		    ret_why, cap, "EC key on curve %s: only P-256 and P-384 are allowed", name);
		return false;
	}
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, PUBKEY_PROPQ);
	bool ok = ctx && EVP_PKEY_public_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!ok) {
		snprintf(ret_why, cap, "EC key is not a point of its curve");
		return false;
	}
	return true;
}

static bool
check_ed25519(const EVP_PKEY *pkey, char *ret_why, size_t cap)
{
	uint8_t raw[ED25519_KEY_LEN];
	size_t n = sizeof raw;
	if (EVP_PKEY_get_raw_public_key(pkey, raw, &n) != 1 || n != sizeof raw ||
	    !ed25519_key_is_safe(raw)) {
		snprintf(
		    ret_why, cap, "Ed25519 key is of low order, not canonical or not on the curve");
		return false;
	}
	return true;
}

bool
pubkey_is_fit(EVP_PKEY *pkey, unsigned rsa_bits_min, char *ret_why, size_t cap)
{
	bool fit = false;
	char type[PUBKEY_TYPE_MAX];

	switch (pubkey_kind(pkey)) {
	case PUBKEY_RSA:
		fit = check_rsa(pkey, rsa_bits_min, ret_why, cap);
		break;
	case PUBKEY_EC:
		fit = check_ec(pkey, ret_why, cap);
		break;
	case PUBKEY_ED25519:
		fit = check_ed25519(pkey, ret_why, cap);
		break;
	case PUBKEY_OTHER:
		pubkey_type(pkey, type);
		snprintf(ret_why, cap, "key type %s is not supported", type);
		break;
	}
	ERR_clear_error();
	return fit;
}

static bool
exponent_is_small(const EVP_PKEY *pkey)
{
	BIGNUM *e = NULL;
	bool small = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) < 17;
	BN_free(e);
	return small;
}

unsigned
pubkey_reasons(const EVP_PKEY *pkey, unsigned rsa_bits_min)
{
	char why[8];
	unsigned reasons = 0;
	if (rsa_bits_min < PUBKEY_RSA_BITS_MIN)
		rsa_bits_min = PUBKEY_RSA_BITS_MIN;
	switch (pubkey_kind(pkey)) {
	case PUBKEY_RSA:
		if ((unsigned)EVP_PKEY_get_bits(pkey) < rsa_bits_min)
			reasons |= SIG_REASON_SHORT_RSA;
		if (exponent_is_small(pkey))
			reasons |= SIG_REASON_SMALL_EXPONENT;
		break;
	case PUBKEY_EC:
		if (!curve_of(pkey))
			reasons |= SIG_REASON_WEAK_CURVE;
		break;
	case PUBKEY_ED25519:
		if (!check_ed25519(pkey, why, sizeof why))
			reasons |= SIG_REASON_LOW_ORDER;
		break;
	case PUBKEY_OTHER:
		break;
	}
	ERR_clear_error();
	return reasons;
}

static int
spki_of_curve(const EVP_PKEY *pkey, const struct curve *curve, uint8_t ret[DIGEST_SHA256_LEN])
{
	uint8_t der[PREFIX_MAX + 2 * COORDINATE_MAX];
	BIGNUM *x = NULL, *y = NULL;
	int size = (int)curve->coordinate;
	int err = FG_ECRYPTO;

	memcpy(der, curve->prefix, curve->prefix_n);
	uint8_t *at = der + curve->prefix_n;
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
	    BN_bn2binpad(x, at, size) == size && BN_bn2binpad(y, at + size, size) == size)
		err = digest_sha256(view_of(der, curve->prefix_n + 2 * curve->coordinate), ret);
	BN_free(x);
	BN_free(y);
	return err;
}

int
pubkey_spki_sha256(const EVP_PKEY *pkey, uint8_t ret[DIGEST_SHA256_LEN])
{
	const struct curve *curve = pubkey_kind(pkey) == PUBKEY_EC ? curve_of(pkey) : NULL;
	if (curve)
		return spki_of_curve(pkey, curve, ret);

	uint8_t *der = NULL;
	int n = i2d_PUBKEY(pkey, &der);
	if (n <= 0) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	int err = digest_sha256(view_of(der, (size_t)n), ret);
	OPENSSL_free(der);
	return err;
}

static bool
set_rsa(EVP_PKEY_CTX *ctx, const struct pubkey_method *method, const EVP_MD *md)
{
	if (method->padding == PUBKEY_RSA_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx,
	        method->salt_any ? RSA_PSS_SALTLEN_AUTO : (int)method->salt_len) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

static bool
method_belongs(const EVP_PKEY *pkey, const struct pubkey_method *method)
{
	switch (method->padding) {
	case PUBKEY_PADDING_NONE:
		return false;
	case PUBKEY_RSA_PKCS1:
	case PUBKEY_RSA_PSS:
		return pubkey_kind(pkey) == PUBKEY_RSA &&
		    method->salt_len <= PUBKEY_RSA_BITS_MAX / 8;
	case PUBKEY_ECDSA:
		return pubkey_kind(pkey) == PUBKEY_EC;
	}
	return false;
}

int
pubkey_verify(EVP_PKEY *pkey, const struct pubkey_method *method, struct view digest,
    struct view sig, bool *ret_fits)
{
	if (!method_belongs(pkey, method) || digest.n == 0 ||
	    digest.n != digest_len(method->digest))
		return FG_EINVAL;
	bool rsa = method->padding != PUBKEY_ECDSA;
	if (sig.n == 0 || (rsa && sig.n != (size_t)EVP_PKEY_get_size(pkey)) ||
	    EVP_PKEY_get_bits(pkey) > PUBKEY_RSA_BITS_MAX) {
		*ret_fits = false;
		return 0;
	}

	int err = FG_ECRYPTO;
	EVP_MD *md = EVP_MD_fetch(NULL, digest_name(method->digest), PUBKEY_PROPQ);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, PUBKEY_PROPQ);
	if (md && ctx && EVP_PKEY_verify_init(ctx) == 1 && (!rsa || set_rsa(ctx, method, md)) &&
	    EVP_PKEY_CTX_set_signature_md(ctx, md) == 1) {
		*ret_fits = EVP_PKEY_verify(ctx, sig.p, sig.n, digest.p, digest.n) == 1;
		err = 0;
	}
	EVP_PKEY_CTX_free(ctx);
	EVP_MD_free(md);
	ERR_clear_error();
	return err;
}
