/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rawsig.h"

#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/pubkey.h"

#define COORDINATE_MAX 48 /* bytes of r and of s on P-384 */

/* Bytes of r, and of s, on the key's curve; 0 for any other key. */
static size_t
coordinate(const struct trust_key *key)
{
	if (strcmp(key->key_type, "ec-p256") == 0)
		return 32;
	if (strcmp(key->key_type, "ec-p384") == 0)
		return COORDINATE_MAX;
	return 0;
}

static enum digest_alg
curve_digest(const struct trust_key *key)
{
	switch (coordinate(key)) {
	case 32:
		return DIGEST_SHA256;
	case COORDINATE_MAX:
		return DIGEST_SHA384;
	default:
		return DIGEST_NONE;
	}
}

/* Bytes of salt that the encoded message has room for (RFC 8017, section 9.1.1); 0 for a key too short for any. */
static unsigned
longest_salt(const struct trust_key *key, unsigned digest_n)
{
	int bits = EVP_PKEY_get_bits(key->pkey);
	unsigned n = bits > 0 ? ((unsigned)bits - 1 + 7) / 8 : 0;
	return n > digest_n + 2 ? n - digest_n - 2 : 0;
}

/* The whole method follows from the record (T15, T16); padding NONE for Ed25519. */
static struct pubkey_method
method_of(const struct trust_key *key)
{
	struct pubkey_method m = { .padding = PUBKEY_PADDING_NONE };
	switch (key->scheme) {
	case TRUST_SCHEME_NONE:
	case TRUST_ED25519:
		break;
	case TRUST_RSA_PKCS1_SHA256:
		m = (struct pubkey_method){ PUBKEY_RSA_PKCS1, DIGEST_SHA256, 0, false };
		break;
	case TRUST_RSA_PKCS1_SHA384:
		m = (struct pubkey_method){ PUBKEY_RSA_PKCS1, DIGEST_SHA384, 0, false };
		break;
	case TRUST_RSA_PKCS1_SHA512:
		m = (struct pubkey_method){ PUBKEY_RSA_PKCS1, DIGEST_SHA512, 0, false };
		break;
	case TRUST_RSA_PSS_SHA256:
		m = (struct pubkey_method){ PUBKEY_RSA_PSS, DIGEST_SHA256, 32, false };
		break;
	case TRUST_RSA_PSS_SHA384:
		m = (struct pubkey_method){ PUBKEY_RSA_PSS, DIGEST_SHA384, 48, false };
		break;
	case TRUST_RSA_PSS_SHA512:
		m = (struct pubkey_method){ PUBKEY_RSA_PSS, DIGEST_SHA512, 64, false };
		break;
	case TRUST_RSA_PSS_SHA256_LONG:
		m = (struct pubkey_method){ PUBKEY_RSA_PSS, DIGEST_SHA256, longest_salt(key, 32), false };
		break;
	case TRUST_ECDSA_DER:
	case TRUST_ECDSA_FIXED:
		m = (struct pubkey_method){ PUBKEY_ECDSA, curve_digest(key), 0, false };
		break;
	}
	return m;
}

enum digest_alg
rawsig_digest(const struct trust_key *key)
{
	return method_of(key).digest;
}

/*
 * T16: r and s, big-endian, each exactly as long as the curve's order, become
 * the DER that OpenSSL reads. *ret_der is OPENSSL_malloc'ed, or NULL when the
 * length is wrong.
 */
static int
der_from_fixed(const struct trust_key *key, struct view sig, uint8_t **ret_der, size_t *ret_n)
{
	size_t n = coordinate(key);
	*ret_der = NULL;
	if (n == 0 || sig.n != 2 * n)
		return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig.p, (int)n, NULL);
	BIGNUM *s = BN_bin2bn(sig.p + n, (int)n, NULL);
	if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		ECDSA_SIG_free(pair);
		return FG_ECRYPTO;
	}
	int len = i2d_ECDSA_SIG(pair, ret_der);
	ECDSA_SIG_free(pair);
	if (len <= 0) {
		*ret_der = NULL;
		return FG_ECRYPTO;
	}
	*ret_n = (size_t)len;
	return 0;
}

static int
verify_digest(const struct trust_key *key, const struct pubkey_method *method, struct view digest,
    struct view sig, bool *ret_fits)
{
	uint8_t *der = NULL;
	*ret_fits = false;
	if (sig.n > RAWSIG_MAX)
		return 0;
	if (key->scheme != TRUST_ECDSA_FIXED)
		return pubkey_verify(key->pkey, method, digest, sig, ret_fits);
	int err = der_from_fixed(key, sig, &der, &sig.n);
	if (!err && der)
		err = pubkey_verify(key->pkey, method, digest, view_of(der, sig.n), ret_fits);
	OPENSSL_free(der);
	return err;
}

static struct sig_result
begin(const struct trust_key *key, const struct sig_result *given)
{
	struct sig_result r = *given;
	snprintf(r.scheme, sizeof r.scheme, "%s", trust_scheme_name(key->scheme));
	r.digest = rawsig_digest(key);
	r.revocation = SIG_REVOCATION_NOT_APPLICABLE;
	r.signer = (struct sig_signer){ .have_spki = false };
	return r;
}

/* The key's strength was judged at enrolment; asked again, because this is where it counts. */
static void
conclude(const struct trust_key *key, bool fits, struct sig_result *r)
{
	char why[SIG_TEXT_MAX];
	if (!fits) {
		snprintf(why, sizeof why, "the signature does not fit key %.160s", key->name);
		sig_worsen(r, SIG_INVALID, why);
		return;
	}
	r->signer.have_spki = true;
	memcpy(r->signer.spki_sha256, key->spki_sha256, sizeof key->spki_sha256);
	snprintf(r->signer.key_type, sizeof r->signer.key_type, "%s", key->key_type);
	snprintf(r->signer.anchor, sizeof r->signer.anchor, "%s", key->name);
	r->signer.published_key = key->published;
	r->reasons |= pubkey_reasons(key->pkey, 0);
	if (!pubkey_is_fit(key->pkey, 0, why, sizeof why)) {
		sig_worsen(r, SIG_WEAK, why);
		return;
	}
	if (r->outcome == SIG_UNKNOWN || r->outcome == SIG_VERIFIED) {
		r->outcome = SIG_VERIFIED;
		snprintf(r->detail, sizeof r->detail, "fits key %.160s", key->name);
	}
}

bool
rawsig_key_can(const struct trust_key *key, enum trust_scheme as)
{
	enum pubkey_kind kind = pubkey_kind(key->pkey);
	return kind != PUBKEY_OTHER && kind == trust_scheme_kind(as) &&
	       (kind != PUBKEY_EC || coordinate(key) != 0);
}

int
rawsig_judge_digest(
    const struct trust_key *key, struct view digest, struct view sig, struct sig_result *result)
{
	struct pubkey_method method = method_of(key);
	bool fits = false;
	if (method.digest == DIGEST_NONE || digest.n != digest_len(method.digest))
		return FG_EINVAL;
	int err = verify_digest(key, &method, digest, sig, &fits);
	if (err)
		return err;
	struct sig_result r = begin(key, result);
	bool salted = false;
	if (!fits && method.padding == PUBKEY_RSA_PSS) {
		method.salt_any = true;
		err = verify_digest(key, &method, digest, sig, &salted);
		if (err)
			return err;
	}
	if (salted) { /* T15: said, because "does not fit" would send people looking elsewhere */
		sig_worsen(&r, SIG_INVALID, "its salt has another length than the scheme prescribes");
		r.reasons |= SIG_REASON_PSS_SALT;
	} else {
		conclude(key, fits, &r);
	}
	*result = r;
	return 0;
}

int
rawsig_judge_message(
    const struct trust_key *key, struct view message, struct view sig, struct sig_result *result)
{
	uint8_t raw[ED25519_KEY_LEN];
	size_t n = sizeof raw;
	bool fits = false;
	if (key->scheme != TRUST_ED25519)
		return FG_EINVAL;
	struct sig_result r = begin(key, result);
	if (message.n > RAWSIG_ED25519_MESSAGE_MAX) {
		/* T18: the arithmetic needs all of it at once, and memory is bounded. */
		sig_worsen(
		    &r, SIG_OPAQUE, "too large for an Ed25519 signature over the bytes themselves");
		*result = r;
		return 0;
	}
	if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &n) != 1 || n != sizeof raw) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	int err = ed25519_verify(raw, message, sig, &fits);
	if (err)
		return err;
	conclude(key, fits, &r);
	*result = r;
	return 0;
}
