/* SPDX-License-Identifier: Apache-2.0 */
/* published_table - what embed.cmake makes of published-keys.txt; for published.c alone. */
#ifndef FG_CRYPTO_PUBLISHED_TABLE_H
#define FG_CRYPTO_PUBLISHED_TABLE_H

#include "crypto/published.h"

/* In strictly ascending order of spki_sha256. */
extern const struct published_key published_table[];
extern const size_t published_table_n;

#endif
