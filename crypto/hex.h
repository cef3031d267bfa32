/* SPDX-License-Identifier: Apache-2.0 */
/* hex - lower-case hexadecimal, both ways; strict: even length, [0-9a-f] only. */
#ifndef FG_CRYPTO_HEX_H
#define FG_CRYPTO_HEX_H

#include "crypto/view.h"

/* Writes 2n digits and a NUL into dst, which holds 2n+1. */
void hex_encode(const void *p, size_t n, char *dst);
/* Exactly n bytes from exactly 2n digits; false (dst zeroed) otherwise. */
bool hex_decode(struct view text, void *dst, size_t n);

#endif
