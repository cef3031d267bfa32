/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8 - the one UTF-8 decoder (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF).
 * Role: json, jsonw and visible, so that what one of them calls text the others
 * do too. Callers with operator's text ask utf8_is_text before jsonw_string.
 */
#ifndef FG_CRYPTO_UTF8_H
#define FG_CRYPTO_UTF8_H

#include "crypto/view.h"

/* Length (1-4) of the well-formed sequence s begins with, its code point in *ret; 0 if none. */
size_t utf8_next(struct view s, uint32_t *ret);
/* U+FDD0..U+FDEF and the last two of each plane: well-formed, yet never text (RFC 7493, 2.1). */
bool utf8_is_noncharacter(uint32_t code);
/* True when s is well-formed throughout and holds no noncharacter: what json_parse accepts. */
bool utf8_is_text(struct view s);
/* Appends code, which is no surrogate and at most U+10FFFF; the number of bytes (1-4). */
size_t utf8_put(uint32_t code, uint8_t out[4]);

#endif
