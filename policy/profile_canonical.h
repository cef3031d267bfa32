/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_canonical - what profile_canonical() of policy/profile.h writes of one part of the
 * configuration, for whoever names other parts of it by digest.
 */
#ifndef FG_POLICY_PROFILE_CANONICAL_H
#define FG_POLICY_PROFILE_CANONICAL_H

#include "crypto/jsonw.h"

/* A value: every key of that group of the schema ("rules[]", "profile"), from the structure that holds it. */
void profile_canonical_group(struct jsonw *j, const char *schema, const void *base);

#endif
