/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base32 - RFC 4648 section 6, written without padding: secrets that people
 * read off a screen, or that an authenticator app takes.
 */
#ifndef FG_CRYPTO_BASE32_H
#define FG_CRYPTO_BASE32_H

#include "crypto/view.h"

/* Characters of n bytes, and a NUL. */
#define BASE32_CAP(n) (((n) * 8 + 4) / 5 + 1)

/* dst holds BASE32_CAP(bytes.n). */
void base32_encode(struct view bytes, char *dst);
/*
 * As people type it: either case, blanks and hyphens anywhere. Exactly n bytes; false (dst
 * zeroed) for anything else, also for unused bits that are not zero.
 */
bool base32_decode(struct view text, void *dst, size_t n);

#endif
