/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_index - numbers under keys of 32 bytes, found without looking at the
 * others: releases, grants, revoked images, used statements. Where a key lies
 * is not for who wrote the export to foresee.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_INDEX_H
#define FG_GATEWAY_CMD_VERIFY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERIFY_INDEX_KEY 32

struct verify_index; /* 40 bytes a slot, at most three quarters full */

/* Room for that many keys at first. NULL without memory. */
struct verify_index *verify_index_new(size_t expected);
void verify_index_free(struct verify_index *x);
bool verify_index_get(const struct verify_index *x, const uint8_t key[VERIFY_INDEX_KEY], uint64_t *ret);
/* The newest number under a key counts. FG_OK or FG_ENOMEM. */
int verify_index_put(struct verify_index *x, const uint8_t key[VERIFY_INDEX_KEY], uint64_t value);
/* As put when the key is new; *ret_new says whether it was, and what was there stays. */
int verify_index_add(struct verify_index *x, const uint8_t key[VERIFY_INDEX_KEY], uint64_t value, bool *ret_new);

#endif
