/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version_private - one order of version texts per file; only version.c calls them.
 * a and b differ, neither is longer than VERSION_TEXT_MAX, either may be empty
 * behind its "v". What is not of the form is VERSION_UNKNOWN.
 */
#ifndef FG_POLICY_VERSION_PRIVATE_H
#define FG_POLICY_VERSION_PRIVATE_H

#include "policy/version.h"

enum version_relation version_semver(struct view a, struct view b);
enum version_relation version_quectel(struct view a, struct view b);
enum version_relation version_date(struct view a, struct view b);

/* VERSION_OLDER, VERSION_SAME or VERSION_NEWER. */
enum version_relation version_of_numbers(uint64_t a, uint64_t b);
/* Takes exactly n (at most 18) decimal digits off the front; false, and *v as it was, when they are not there. */
bool version_digits(struct view *v, size_t n, uint64_t *ret);

#endif
