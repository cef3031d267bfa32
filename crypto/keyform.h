/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyform - public keys in the forms that devices' image formats write them,
 * and the digests by which those formats name keys.
 * Role: walkers of formats that carry a key or a hint at one; whether such a key
 * may vouch is the trust set's word, never the file's (T14). OpenSSL only.
 */
#ifndef FG_CRYPTO_KEYFORM_H
#define FG_CRYPTO_KEYFORM_H

#include <openssl/evp.h>

#include "crypto/digest.h"
#include "crypto/view.h"

#define KEYFORM_DER_MAX 2048 /* an RSA key of 8192 bits has 1056 bytes */

/*
 * A DER SubjectPublicKeyInfo or PKCS#1 RSAPublicKey, all of der and nothing
 * after it. *ret is the caller's (EVP_PKEY_free()). FG_EFORMAT for anything
 * else; *ret is then untouched.
 */
int keyform_from_der(struct view der, EVP_PKEY **ret);
/*
 * Digest of the form in which MCUboot names pkey: PKCS#1 RSAPublicKey of an RSA
 * key, SubjectPublicKeyInfo of any other. 0 or FG_ECRYPTO.
 */
int keyform_mcuboot_hash(const EVP_PKEY *pkey, enum digest_alg alg, uint8_t ret[DIGEST_LEN_MAX]);
/* From a modulus in little-endian bytes and its exponent. FG_EFORMAT when that is no key; FG_ENOMEM. */
int keyform_rsa_le(struct view modulus, uint32_t exponent, EVP_PKEY **ret);
/*
 * Do these two helper numbers belong to that modulus? ESP32 wants them ready
 * made: R*R mod n with R = 2 to the modulus' bits (little-endian, as long as
 * it), and -1/n mod 2^32. 0 with *ret_fits, FG_ENOMEM or FG_ECRYPTO.
 */
int keyform_montgomery_le(struct view modulus, struct view rr, uint32_t m_prime, bool *ret_fits);
/*
 * From a point's x and y in little-endian bytes, each as long as the curve's
 * field: 32 is P-256, 48 is P-384. FG_EFORMAT when it is no point of the curve.
 */
int keyform_ec_le(struct view x, struct view y, EVP_PKEY **ret);

#endif
