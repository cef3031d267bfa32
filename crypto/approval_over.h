/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval_over - the failures and silences that people sign to go on over, "canary: 3 failed, 0 silent" of each ring.
 * Role: nobody may sign others, so approval.c asks; fotagate-verify holds their sum against the grants it has counted.
 * What control writes, and reads back by its plan, is policy/rollout.h. Guarantees: pure.
 */
#ifndef FG_CRYPTO_APPROVAL_OVER_H
#define FG_CRYPTO_APPROVAL_OVER_H

#include "crypto/approval.h"

/* Modules of all rings together. False for other words, numbers in another form, or a ring that is named twice. */
bool approval_over_modules(const struct approval_list *over, uint64_t *ret);

#endif
