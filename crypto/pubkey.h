/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pubkey - what a public key is, whether it may sign images, and the arithmetic
 * of one signature over one digest.
 * Role: shared by the trust set and every scheme, so that strength, naming and
 * identity are judged in one place. Guarantees: padding, digest, MGF1 and salt
 * are always set explicitly (T15); nothing is taken from the signature.
 */
#ifndef FG_CRYPTO_PUBKEY_H
#define FG_CRYPTO_PUBKEY_H

#include <openssl/evp.h>

#include "crypto/digest.h"
#include "crypto/view.h"

#define PUBKEY_PROPQ "provider!=legacy" /* no MD4, RIPEMD... even where openssl.cnf loads them */
#define PUBKEY_TYPE_MAX 24
#define PUBKEY_RSA_BITS_MIN 2048
#define PUBKEY_RSA_BITS_MAX 8192 /* longer ones only cost the verifier time */

enum pubkey_kind {
	PUBKEY_OTHER = 0, /* nothing this house verifies with */
	PUBKEY_RSA,
	PUBKEY_EC, /* any curve; pubkey_is_fit() says whether it is an allowed one */
	PUBKEY_ED25519,
};

enum pubkey_padding {
	PUBKEY_PADDING_NONE = 0, /* denies */
	PUBKEY_RSA_PKCS1,
	PUBKEY_RSA_PSS,
	PUBKEY_ECDSA, /* DER SEQUENCE of r and s */
};

/* How one signature was made; all of it decided before the signature is looked at. */
struct pubkey_method {
	enum pubkey_padding padding;
	enum digest_alg digest;
	unsigned salt_len; /* PSS only: exactly this many bytes; MGF1 uses digest */
	bool salt_any;     /* PSS only: of any length, to say why it does not fit; never to accept it */
};

enum pubkey_kind pubkey_kind(const EVP_PKEY *pkey);
/* "rsa-3072", "ec-p256", "ec-p384", "ec-<curve>", "ed25519" or the library's name. */
void pubkey_type(const EVP_PKEY *pkey, char ret[PUBKEY_TYPE_MAX]);
/*
 * May pkey vouch for images? Yes: RSA of rsa_bits_min (never below
 * PUBKEY_RSA_BITS_MIN) to PUBKEY_RSA_BITS_MAX bits with an odd exponent of at
 * least 3, EC on P-256 or P-384 by name, Ed25519 that is a safe point (T17).
 * If not, ret_why (cap bytes) holds a sentence that names type, curve or size.
 */
bool pubkey_is_fit(EVP_PKEY *pkey, unsigned rsa_bits_min, char *ret_why, size_t cap);
/*
 * What of enum sig_reason (crypto/sig.h) holds of pkey: a short RSA key, a small
 * exponent (which pubkey_is_fit() lets pass), a curve off the list, a point of
 * low order. 0 for a key that is fit in every respect.
 */
unsigned pubkey_reasons(const EVP_PKEY *pkey, unsigned rsa_bits_min);
/*
 * SHA-256 of the DER SubjectPublicKeyInfo in its one canonical form (EC points
 * uncompressed, RSA with NULL parameters), whatever encoding the key came in:
 * two encodings of one key are one key (T13, T14). 0, FG_ECRYPTO or FG_ENOMEM.
 */
int pubkey_spki_sha256(const EVP_PKEY *pkey, uint8_t ret[DIGEST_SHA256_LEN]);
/*
 * Does sig fit digest under pkey? Lengths are exact: an RSA signature is as
 * long as the modulus, digest as long as its algorithm's output. 0 with
 * *ret_fits, or FG_ECRYPTO/FG_EINVAL (method does not belong to the key).
 */
int pubkey_verify(EVP_PKEY *pkey, const struct pubkey_method *method, struct view digest,
    struct view sig, bool *ret_fits);

#endif
