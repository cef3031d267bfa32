/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rauc_version - which of two versions is lower, as RAUC has it when a device's settings ask for a least one
 * (r_semver_less_equal() of RAUC 1.15): up to three numbers, "-pre.release", "+build".
 * Role: continuity.c. It is not Semantic Versioning to the letter: "1.2" is a version, the last hyphen begins what
 * was before the release, and what stands behind a plus counts for nothing.
 *
 * Guarantees: pure; nothing is allocated; linear time.
 */
#ifndef FG_IMAGES_RAUC_VERSION_H
#define FG_IMAGES_RAUC_VERSION_H

#include "crypto/view.h"

/* Whether it is one that RAUC can compare. */
bool rauc_version_is(struct view text);
/* a is lower than b; false where either is no version. */
bool rauc_version_less(struct view a, struct view b);

#endif
