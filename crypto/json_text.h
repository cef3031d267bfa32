/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text - how RFC 8785 spells the scalars and orders the keys.
 * Role: private to json.c and jsonw.c, so that the two writers of signed bytes
 * cannot drift apart; olpc.c takes the scalars that are the same in its form.
 */
#ifndef FG_CRYPTO_JSON_TEXT_H
#define FG_CRYPTO_JSON_TEXT_H

#include "crypto/view.h"
#include "crypto/writer.h"

/* Appends s, which is utf8_is_text, quoted and escaped (RFC 8785, 3.2.2.2). */
void json_text_string(struct writer *w, struct view s);
void json_text_int(struct writer *w, int64_t v);
void json_text_bool(struct writer *w, bool v);
void json_text_null(struct writer *w);
/* Order of keys by UTF-16 code units (RFC 8785, 3.2.3): below, at or above zero. */
int json_text_order(struct view a, struct view b);

#endif
