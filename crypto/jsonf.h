/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonf - the field types of our own documents on top of json and jsonw: hex
 * digests, RFC 3339 times, 32-bit counts. Readers answer false for anything
 * that is not exactly of the type; NULL values are "not there" as in json.h.
 */
#ifndef FG_CRYPTO_JSONF_H
#define FG_CRYPTO_JSONF_H

#include "crypto/json.h"
#include "crypto/jsonw.h"

/* Exactly n bytes as 2n lower-case digits. */
bool jsonf_hex(const struct json_value *v, void *dst, size_t n);
/* RFC 3339 UTC with seconds. */
bool jsonf_time(const struct json_value *v, int64_t *ret);
bool jsonf_u32(const struct json_value *v, uint32_t *ret);
/* Writes key and time; aborts outside 1970..9999, which callers have refused. */
void jsonf_put_time(struct jsonw *j, const char *key, int64_t t);
/* True when t can be written as a time. */
bool jsonf_is_time(int64_t t);

#endif
