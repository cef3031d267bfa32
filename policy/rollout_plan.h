/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollout_plan - the plan in a policy that people signed.
 * Role: control reads it from the canonical text whose digest stands in a release
 * record, so that no later configuration and no database opens a ring that nobody
 * signed for. Guarantees: pure; only what profile_canonical() could have written.
 */
#ifndef FG_POLICY_ROLLOUT_PLAN_H
#define FG_POLICY_ROLLOUT_PLAN_H

#include "crypto/digest.h"
#include "crypto/view.h"
#include "policy/rollout.h"

/*
 * The plan of a policy and the digest of its canonical text, by which statements name it;
 * *ret_have false when it has none, or is older than plans are. FG_EFORMAT for a text
 * that is no policy, or a plan with a flaw; FG_ENOMEM, FG_ECRYPTO.
 */
int rollout_plan_read(struct view policy, struct rollout_plan *ret, bool *ret_have, uint8_t digest[DIGEST_SHA256_LEN]);

#endif
