/* SPDX-License-Identifier: Apache-2.0 */
/* wipe - forgetting and comparing secrets. */
#ifndef FG_CRYPTO_WIPE_H
#define FG_CRYPTO_WIPE_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites in a way the compiler may not remove. */
void wipe(void *p, size_t n);
/* Equality in time that depends on n only. */
bool wipe_equal(const void *a, const void *b, size_t n);

#endif
