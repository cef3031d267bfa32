/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decimal - the one spelling of an unsigned number in signed text: ASCII
 * digits, no sign, no leading zero, no white space.
 */
#ifndef FG_CRYPTO_DECIMAL_H
#define FG_CRYPTO_DECIMAL_H

#include "crypto/view.h"

/* All of text is a number of at most max; otherwise false and *ret untouched. */
bool decimal_parse(struct view text, uint64_t max, uint64_t *ret);

#endif
