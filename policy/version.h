/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version - is this firmware older than that one?
 * Role: "same or older is not offered" (scope), downgrade findings. Guarantees:
 * pure, linear, no allocation; whatever cannot be ordered beyond doubt is
 * VERSION_UNKNOWN, which no caller may read as "older".
 */
#ifndef FG_POLICY_VERSION_H
#define FG_POLICY_VERSION_H

#include "crypto/view.h"

#define VERSION_TEXT_MAX 64 /* longest in the vendor notes is 34 (Quectel sub-edition) */
#define VERSION_PARTS_MAX 8 /* A.B.C.D plus build numbers */

enum version_relation {
	VERSION_UNKNOWN = 0,
	VERSION_OLDER,
	VERSION_SAME,
	VERSION_NEWER,
};

enum version_order {
	VERSION_ORDER_EXACT = 0, /* equal bytes are the same; nothing else is known */
	VERSION_ORDER_DOTTED,    /* decimal parts between dots: 1.1.10 is newer than 1.1.9 */
};

/*
 * What a is, seen from b: VERSION_OLDER means a < b. Equal bytes are always
 * VERSION_SAME. Dotted takes 1 to 8 decimal parts of at most 18 digits, and a
 * "v" or "V" in front only when both have the same one. Spellings that have equal
 * numbers but differ (1.1 and 1.1.0, 1.01 and 1.1) are VERSION_UNKNOWN: one
 * vendor means the same by them, another does not. Empty text is unknown.
 */
enum version_relation version_compare(enum version_order order, struct view a, struct view b);
/* "unknown", "older", "same", "newer". */
const char *version_relation_name(enum version_relation relation);

#endif
