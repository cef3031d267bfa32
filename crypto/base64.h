/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 - RFC 4648 section 4, strict: padding required, no white space, unused
 * bits zero. (Armours that wrap lines strip them before calling.)
 */
#ifndef FG_CRYPTO_BASE64_H
#define FG_CRYPTO_BASE64_H

#include "crypto/writer.h"

void base64_encode(struct view bytes, struct writer *w);
/* Appends the decoded bytes; FG_EFORMAT leaves w as it was. */
int base64_decode(struct view text, struct writer *w);

#endif
