/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visible - the one function that turns hostile text into something that can
 * be shown, logged and signed: only 0x20-0x7e pass; a well-formed UTF-8 code
 * point becomes <U+202E>, any other byte <1B>; "<" followed by something that
 * would look like such an escape becomes <3C>, so that the form is unambiguous.
 */
#ifndef FG_CRYPTO_VISIBLE_H
#define FG_CRYPTO_VISIBLE_H

#include "crypto/writer.h"

/* Appends at most max input bytes' worth; a cut ends in "<...>". */
void visible_append(struct writer *w, struct view hostile, size_t max);
/* The same into a C string; always terminated, never longer than cap-1, never cuts inside an escape. */
void visible_cstr(struct view hostile, char *dst, size_t cap);
/* True when s would pass through unchanged. */
bool visible_is_plain(struct view s);

#endif
