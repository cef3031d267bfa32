/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_text - a kept policy (profile_canonical()) back as the configuration it was
 * made of: one profile, its supplier and what lists say of it, its windows, blackouts
 * and rollout plan, the rules and marks that concern it.
 * Role: a past decision is made again by the policy that made it. Guarantee: pure; a
 * text is taken only when what was read from it gives exactly that text again, so
 * nothing in it was passed over. What does not decide (patterns, addresses) is
 * not resolved: no request may be matched with it.
 */
#ifndef FG_POLICY_POLICY_TEXT_H
#define FG_POLICY_POLICY_TEXT_H

#include "policy/config.h"

#define POLICY_TEXT_MAX (4u << 20) /* gateway/state keeps no longer one */

/* 0 with *ret (config_free); FG_EFORMAT: no policy of this version's form; FG_ENOMEM. */
int policy_text_read(struct view text, struct config **ret);

#endif
