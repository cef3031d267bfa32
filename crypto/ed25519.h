/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ed25519 - the raw Ed25519 of RFC 8032, and which public keys deserve trust.
 * Role: log keys, co-signing keys, signed notes, SSH signatures, and the
 * enrolment of every Ed25519 anchor. Guarantees: a refused signature is an
 * answer, not an error; OpenSSL's verifier (S below the group order, R compared
 * byte for byte, no cofactor) is the only arithmetic that judges signatures.
 */
#ifndef FG_CRYPTO_ED25519_H
#define FG_CRYPTO_ED25519_H

#include "crypto/view.h"

#define ED25519_KEY_LEN 32
#define ED25519_SEED_LEN 32
#define ED25519_SIG_LEN 64

/*
 * True for a key that may be enrolled: the canonical encoding (y below p) of a
 * point on the curve that is not one of the eight of small order. Under a
 * small-order key one signature fits many messages; a second encoding of one
 * key would make one person look like two. False as well when OpenSSL cannot
 * calculate: an unchecked key is not safe. A point with a small-order component
 * passes: only its own holder could make use of that.
 */
bool ed25519_key_is_safe(const uint8_t key[ED25519_KEY_LEN]);

/* The public key of a seed (RFC 8032 5.1.5); 0 or FG_ECRYPTO. */
int ed25519_public(const uint8_t seed[ED25519_SEED_LEN], uint8_t ret_key[ED25519_KEY_LEN]);
/* A fresh seed from OpenSSL's private generator; 0 or FG_ECRYPTO. */
int ed25519_generate(uint8_t ret_seed[ED25519_SEED_LEN]);
int ed25519_sign(const uint8_t seed[ED25519_SEED_LEN], struct view message,
    uint8_t ret_sig[ED25519_SIG_LEN]);
/*
 * 0 with *ret_valid set, or FG_ECRYPTO with *ret_valid false. An unsafe key
 * validates nothing, whatever the signature.
 */
int ed25519_verify(const uint8_t key[ED25519_KEY_LEN], struct view message, struct view sig,
    bool *ret_valid);

#endif
