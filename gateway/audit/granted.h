/* SPDX-License-Identifier: Apache-2.0 */
/*
 * granted - which (module, release) pairs the log already holds a grant for, and
 * where: a grant is idempotent, so asking again writes nothing.
 */
#ifndef FG_GATEWAY_AUDIT_GRANTED_H
#define FG_GATEWAY_AUDIT_GRANTED_H

#include "gateway/wire/msg.h"

#define GRANTED_MAX 16000000u /* 4 million modules, four releases each: 1.3 GB; beyond it grants are refused */

struct granted;

struct granted *granted_new(void);
void granted_free(struct granted *g);
/* Index of the entry, or false. */
bool granted_find(const struct granted *g, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], uint64_t *ret);
/* Makes sure that the next add of a new pair succeeds; FG_ENOMEM, FG_ELIMIT. */
int granted_room(struct granted *g);
/* Remembers; FG_ENOMEM, FG_ELIMIT. Adding a pair again keeps the first index. */
int granted_add(struct granted *g, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], uint64_t index);
size_t granted_count(const struct granted *g);

#endif
