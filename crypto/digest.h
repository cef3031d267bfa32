/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest - SHA-2 over bytes, streams and file ranges.
 * SHA-256 names everything in the house (images, reports, statements); the
 * others exist because vendor signatures use them.
 */
#ifndef FG_CRYPTO_DIGEST_H
#define FG_CRYPTO_DIGEST_H

#include "crypto/view.h"

#define DIGEST_SHA256_LEN 32
#define DIGEST_LEN_MAX 64
#define DIGEST_HEX_LEN 64 /* digits of a SHA-256 */

enum digest_alg {
	DIGEST_NONE = 0,
	DIGEST_MD5,    /* recognised so that it can be called weak; never accepted */
	DIGEST_SHA1,   /* likewise */
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_BLAKE2B512, /* minisign only */
	DIGEST_SHA512_256, /* signify -z, chunks of casync */
	DIGEST_LIMIT,
};

struct digest; /* running hash */

/* Name as the report spells it: "sha256", ... */
const char *digest_name(enum digest_alg alg);
size_t digest_len(enum digest_alg alg);
/* SHA-2 family and BLAKE2b: fit for a signature today. */
bool digest_is_strong(enum digest_alg alg);

/* NULL when OpenSSL cannot (no memory, algorithm not built). */
struct digest *digest_new(enum digest_alg alg);
/* Another one that has gone as far; NULL as above. */
struct digest *digest_copy(const struct digest *d);
/* 0 or FG_ECRYPTO, after which the digest is unusable. */
int digest_update(struct digest *d, struct view v);
/* Result so far without ending the stream: hash state is copied. out holds digest_len. */
int digest_peek(const struct digest *d, uint8_t *out);
/* The same as if the n runs of tail had followed, in order. */
int digest_peek_with(const struct digest *d, const struct view *tail, size_t n, uint8_t *out);
int digest_final(struct digest *d, uint8_t *out);
void digest_free(struct digest *d);

/* One shot; 0 or FG_ECRYPTO. */
int digest_bytes(enum digest_alg alg, struct view v, uint8_t *out);
int digest_sha256(struct view v, uint8_t out[DIGEST_SHA256_LEN]);
/* HMAC-SHA-256. */
int digest_hmac_sha256(struct view key, struct view v, uint8_t out[DIGEST_SHA256_LEN]);

#endif
