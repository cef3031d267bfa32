/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pseudonym - the name of a module wherever people or the log can see it.
 * Role: control computes it under the epoch key; with the key gone,
 * a log full of pseudonyms names nobody (destroying the key is the erasure).
 * HMAC-SHA-256(key, kind || 0x00 || identity), the first 16 bytes: kinds hold
 * no NUL, so no two pairs of kind and identity give the same input.
 */
#ifndef FG_CRYPTO_PSEUDONYM_H
#define FG_CRYPTO_PSEUDONYM_H

#include "crypto/view.h"

#define PSEUDONYM_LEN 16
#define PSEUDONYM_KEY_MIN 16       /* bytes: a shorter key could be searched for */
#define PSEUDONYM_KIND_MAX 32      /* "imei", "psk-identity", ... */
#define PSEUDONYM_IDENTITY_MAX 512 /* a subject name or token; an IMEI has 15 digits */

/*
 * identity is the module's name in the spelling its kind calls normal; making it
 * so is the caller's (policy's) work. 0; FG_EINVAL for a key that is too short
 * or an empty or over-long kind; FG_ELIMIT for an empty or over-long identity;
 * FG_ECRYPTO. out untouched unless 0.
 */
int pseudonym_make(struct view key, const char *kind, struct view identity,
    uint8_t out[PSEUDONYM_LEN]);

#endif
