/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - short texts kept once each and counted: a fleet has few groups,
 * products and versions. Counted, because strangers choose some of them: what
 * nobody uses any longer must not stay.
 */
#ifndef FG_GATEWAY_CONTROL_WORDS_H
#define FG_GATEWAY_CONTROL_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct words;

/* key: 16 bytes that nobody outside knows. NULL on no memory. */
struct words *words_new(const uint8_t key[16]);
/* Frees every text, used or not. */
void words_free(struct words *w);
/* The shared copy, one use more; NULL on no memory. "" is itself and costs nothing. */
const char *words_take(struct words *w, const char *text);
/* One use less of what words_take() gave. */
void words_drop(struct words *w, const char *text);
size_t words_count(const struct words *w);

#endif
