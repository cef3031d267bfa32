/* SPDX-License-Identifier: Apache-2.0 */
/*
 * published - public keys whose private half anybody can download.
 * Role: a signature by one of them verifies and means nothing; schemes set
 * sig_signer.published_key from here and images/ turns that into the finding
 * SIG-KEY-PUBLISHED. The table is crypto/published-keys.txt, built in, so that
 * no file missing on the box can turn the alarm off.
 */
#ifndef FG_CRYPTO_PUBLISHED_H
#define FG_CRYPTO_PUBLISHED_H

#include "crypto/digest.h"

struct published_key {
	uint8_t spki_sha256[DIGEST_SHA256_LEN];
	const char *algorithm; /* "rsa-2048", "ec-p256", "ed25519" */
	const char *where;     /* project and file; plain ASCII */
};

/* The entry for SHA-256(DER SubjectPublicKeyInfo), static; NULL if not known to be published. */
const struct published_key *published_find(const uint8_t spki_sha256[DIGEST_SHA256_LEN]);
size_t published_count(void);
/* By position, in order of hash; NULL past the end. For lists and tests. */
const struct published_key *published_at(size_t i);

#endif
