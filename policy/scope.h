/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope - whom a release is for, and whether one module is to be offered it now.
 * Role: edges at each request, control when it builds the decision table,
 * `fotagate module explain`: the same function, so that the explanation is the
 * decision. Guarantees: pure; a zeroed input holds; every answer has a sentence.
 */
#ifndef FG_POLICY_SCOPE_H
#define FG_POLICY_SCOPE_H

#include "policy/profile.h"
#include "policy/rollout.h"

#define SCOPE_ANY "*"                  /* in groups: every group; in from-versions: every older version */
#define SCOPE_WHENEVER INT64_MAX       /* known_by, as_of: no module is new */
#define SCOPE_QUORUM_NEVER UINT32_MAX  /* more persons than there are */

/* Zero is no scope: nobody may approve it. */
enum scope_kind { SCOPE_NONE = 0, SCOPE_CANARY, SCOPE_PRODUCTION };

/* Canary when it is limited to at most canary_max modules (genesis), else production. */
enum scope_kind scope_kind_of(uint32_t max_devices, uint32_t canary_max);
/*
 * Distinct persons a release of that kind needs: the higher of the profile's
 * quorum and the floor of genesis. SCOPE_QUORUM_NEVER for SCOPE_NONE and for a
 * profile or floor that says nobody.
 */
uint32_t scope_quorum(enum scope_kind kind, const struct profile *p, uint32_t floor);

/* What the release record says; borrowed. */
struct scope_release {
	bool valid;                    /* there is a record, and it is not revoked */
	bool halted;
	struct view product;
	struct view target_version;
	const struct view *from;       /* exact versions, or SCOPE_ANY */
	size_t from_n;
	const struct view *groups;     /* exact names, or SCOPE_ANY */
	size_t groups_n;
	int64_t not_before, not_after; /* epoch seconds; offered in [not_before, not_after) */
	uint64_t share;                /* of places (rollout.h) that are let in now; ROLLOUT_PLACES: all */
	int64_t known_by;              /* modules first seen later than that are not; SCOPE_WHENEVER: all */
	int64_t as_of;                 /* its groups are those of then; SCOPE_WHENEVER: of now; 0: nobody is in them */
};

/* What is known of the module; borrowed. */
struct scope_module {
	bool identified;
	bool listed;                 /* in the inventory */
	bool held;                   /* an operator holds it */
	struct view product;         /* what its request is about */
	struct view group;           /* empty: the profile's default_group */
	struct view current_version; /* empty: unknown */
	uint64_t place;              /* under the release; looked at only where not all are let in */
	int64_t first_seen;          /* 0: never before now */
	int64_t placed;              /* in its group since then; 0: since just now */
};

enum scope_answer {
	SCOPE_HOLD = 0,           /* nobody decided */
	SCOPE_HOLD_NO_RELEASE,
	SCOPE_HOLD_HALTED,
	SCOPE_HOLD_UNIDENTIFIED,
	SCOPE_HOLD_UNLISTED,
	SCOPE_HOLD_MODULE,
	SCOPE_HOLD_PRODUCT,
	SCOPE_HOLD_GROUP,
	SCOPE_HOLD_EARLY,
	SCOPE_HOLD_LATE,
	SCOPE_HOLD_SAME_VERSION,
	SCOPE_HOLD_NEWER_VERSION,
	SCOPE_HOLD_FROM_VERSION,
	SCOPE_HOLD_UNKNOWN_VERSION,
	SCOPE_HOLD_STEP,          /* the profile allows other updates of that product only */
	SCOPE_HOLD_RING,          /* the rollout has not come to it */
	SCOPE_HOLD_WINDOW,        /* outside the profile's windows, or in a blackout */
	SCOPE_OFFER,
	SCOPE_ANSWERS
};

/* What is asked, one after the other. */
enum scope_link {
	SCOPE_LINK_RELEASE = 0,
	SCOPE_LINK_HALT,
	SCOPE_LINK_IDENTITY,
	SCOPE_LINK_LISTING,
	SCOPE_LINK_HOLD,
	SCOPE_LINK_PRODUCT,
	SCOPE_LINK_GROUP,
	SCOPE_LINK_DAYS,
	SCOPE_LINK_VERSION,
	SCOPE_LINK_RING,
	SCOPE_LINK_WINDOW,
	SCOPE_LINKS
};

/* The first reason, in the order above, not to offer; SCOPE_OFFER when there is none. It is between earliest and latest. */
enum scope_answer scope_offer(const struct scope_release *r, const struct scope_module *m, const struct profile *p,
    int64_t earliest, int64_t latest);
/*
 * The same, and what every link says by itself: SCOPE_OFFER, or its reason. What is behind the first
 * reason would be in the way as well.
 */
enum scope_answer scope_chain(const struct scope_release *r, const struct scope_module *m, const struct profile *p,
    int64_t earliest, int64_t latest, enum scope_answer ret[SCOPE_LINKS]);
/* Whether a module that is in its group since then was in it at as_of (of a release); 0 is since just now, in either. */
bool scope_placed_by(int64_t placed, int64_t as_of);
/* Only what the version and the profile's steps say of a module of that product with current. */
enum scope_answer scope_version(const struct scope_release *r, struct view product, struct view current,
    const struct profile *p);
/*
 * Whoever may get older may get newer instead: the same product, a version that is known to be newer, no group and no
 * from-version less, and no step that the profile forbids. How many modules each is for is the caller's to compare.
 */
bool scope_covers(const struct scope_release *newer, const struct scope_release *older, const struct profile *p);
/* "release", "halt", ..., "window". */
const char *scope_link_name(enum scope_link link);
/* Whether modules of that group (empty: the default one) may be offered anything at every instant that it may be now. */
bool scope_in_window(const struct profile *p, struct view group, int64_t earliest, int64_t latest);
/* "no-release", "same-version", ..., "offer". */
const char *scope_answer_name(enum scope_answer answer);
/* One English sentence for people. */
const char *scope_answer_text(enum scope_answer answer);

#endif
