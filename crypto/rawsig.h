/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rawsig - detached signatures without a container: the key record fixes type,
 * digest, padding, salt and encoding (section 1.1, T15, T16, T18).
 */
#ifndef FG_CRYPTO_RAWSIG_H
#define FG_CRYPTO_RAWSIG_H

#include "crypto/sig.h"
#include "crypto/trust.h"

#define RAWSIG_MAX 1024               /* RSA-8192 is the longest accepted */
#define RAWSIG_ED25519_MESSAGE_MAX (256u << 20) /* one-shot: the message is mapped whole (T18) */

/* Digest the key needs over the message; DIGEST_NONE for Ed25519, which needs the bytes. */
enum digest_alg rawsig_digest(const struct trust_key *key);
/*
 * Judges sig under key over a message given by its digest; length and encoding
 * are exact. Fills scheme, digest, revocation, outcome, detail and, when the
 * signature fits, signer; covers stays the caller's. The outcome becomes
 * SIG_VERIFIED only here, only from SIG_UNKNOWN or SIG_VERIFIED, and only when
 * it fits; otherwise it is worsened. 0; FG_EINVAL when digest is not of
 * rawsig_digest() (an Ed25519 key has none); FG_ECRYPTO. result is untouched
 * on failure.
 */
int rawsig_judge_digest(const struct trust_key *key, struct view digest, struct view sig, struct sig_result *result);
/*
 * Does key's type go with as? For formats that prescribe the scheme themselves,
 * whatever the record says: RSA keys with the RSA schemes, P-256 and P-384 with
 * the ECDSA ones.
 */
bool rawsig_key_can(const struct trust_key *key, enum trust_scheme as);
/*
 * The same for Ed25519 over the message itself. A message above
 * RAWSIG_ED25519_MESSAGE_MAX is not read and comes out SIG_OPAQUE. FG_EINVAL
 * for any other key.
 */
int rawsig_judge_message(const struct trust_key *key, struct view message, struct view sig,
    struct sig_result *result);

#endif
