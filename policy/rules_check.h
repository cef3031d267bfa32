/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_check - whether a list of rules says what it can keep.
 * Role: config.c asks once the file, and then the whole bundle, was read.
 * Guarantee: of a list without problems, facts that become worse never make
 * more permitted, whichever rule then decides.
 */
#ifndef FG_POLICY_RULES_CHECK_H
#define FG_POLICY_RULES_CHECK_H

#include "policy/config.h"

/* Each rule by itself; fills in what is resolved. Profiles are not looked at. */
void rules_check(struct config *c, const char *file, struct config_problems *problems);
/*
 * All together, under every profile: a rule that worse facts bring in may permit
 * no more than any behind it; one that worse facts take out, no less.
 */
void rules_check_order(const struct config *c, const char *file, struct config_problems *problems);

#endif
