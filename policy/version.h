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
	VERSION_ORDER_SEMVER,    /* Semantic Versioning 2.0.0 */
	VERSION_ORDER_QUECTEL,   /* EC21EFAR06A07M4G_01.002.01.002 */
	VERSION_ORDER_DATE,      /* a day and a counter: 20240131, 2024-01-31-2 */
};

/*
 * What a is, seen from b: VERSION_OLDER means a < b. Equal bytes are always
 * VERSION_SAME, and nothing else is: a spelling that orders nowhere but differs
 * (1.1 and 1.1.0, 1.01 and 1.1, build metadata) is VERSION_UNKNOWN, as one vendor
 * means the same by it and another does not. Empty text is unknown. Each order is
 * antisymmetric and transitive.
 *
 * Dotted takes 1 to 8 decimal parts of at most 18 digits. It, semver and date take
 * a "v" or "V" in front only when both have the same one.
 *
 * Quectel: PRODUCT "R" dd "A" dd TAIL [ "_" EDITION ]. Product (EC21EFA, BG95M3LA),
 * TAIL (M4G: which memory it is for) and R must be equal: R numbers lines that live
 * side by side, RM520NGLAA R01A08 came out after R03A03. Then A decides; for
 * equal A the EDITION (BB.nnn or BB.nnn.BB.nnn), if both name the same branches BB. A test
 * build (_BETA0416) and a text with an edition beside one without are unknown.
 *
 * Date: YYYYMMDD, YYYY-MM-DD or YYYY.MM.DD, a real day, and perhaps a counter of 1
 * to 9 digits behind "." "-" "_" or "r". Both must be written alike; of one day and only one
 * with a counter nothing is known.
 */
enum version_relation version_compare(enum version_order order, struct view a, struct view b);
/* "unknown", "older", "same", "newer". */
const char *version_relation_name(enum version_relation relation);

#endif
