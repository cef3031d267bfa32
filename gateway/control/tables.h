/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables - makes the decision table from inventory and releases.
 * Role: control, when a release came or went (decisions only) or the inventory
 * changed (all). One row per from-version and group of a release, and one per group of
 * its open rings: nothing that the release record does not say, and edges compare again.
 */
#ifndef FG_GATEWAY_CONTROL_TABLES_H
#define FG_GATEWAY_CONTROL_TABLES_H

#include "crypto/release.h"
#include "gateway/edge/table.h"
#include "policy/rollout.h"

struct inventory;
struct links;

/* An active release; borrowed. */
struct tables_release {
	uint8_t id[RELEASE_ID];
	const struct release *record;
	bool withheld; /* offered to nobody: the policy in force does not let it pass */
	struct rollout_open open; /* to whom it may be offered now; all zero: to nobody */
};

/*
 * links may be NULL. Both return a sealed memfd, the caller's to close, or FG_ENOMEM, FG_EIO,
 * FG_ELIMIT (rows), FG_EEXIST (a short URL twice), FG_EINVAL (a record without decision, group or from-version:
 * nobody may be offered that).
 */
int tables_build(const struct inventory *inv, const struct links *links, const struct tables_release *releases, size_t n,
    uint64_t generation);
/* Keeps the modules of an open table, and their short URLs. FG_ESTATE when generation is not above its own. */
int tables_redecide(const struct table *from, const struct tables_release *releases, size_t n, uint64_t generation);

#endif
