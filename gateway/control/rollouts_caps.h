/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollouts_caps - how many modules were granted a release that share what its plan limits: a group, a cell, an APN.
 * Role: rollouts.c asks before it grants and counts what it granted; rounds count all grants anew. Guarantees: bounded;
 * where a name finds no place any more it shares one with all others like it, and without memory for any of it nobody
 * new is granted the release: both are the safe side. Two names of the same hash have one limit together.
 *
 * The gateway does not see cells and APNs: an operator's tags say them (policy/tags.h), "cell-..." and "apn-...". Modules
 * without such a tag are one cell, or one APN, together.
 */
#ifndef FG_GATEWAY_CONTROL_ROLLOUTS_CAPS_H
#define FG_GATEWAY_CONTROL_ROLLOUTS_CAPS_H

#include "policy/rollout.h"
#include "policy/tags.h"

#define ROLLOUTS_CAPS_MAX 65536 /* names counted one by one: a million modules in cells of sixteen; 2 MiB a release */

enum rollouts_share { ROLLOUTS_BY_GROUP = 0, ROLLOUTS_BY_CELL, ROLLOUTS_BY_APN, ROLLOUTS_SHARES };

struct rollouts_caps;

/* Whether the plan limits those who share that; ROLLOUTS_SHARES: anything of these. */
bool rollouts_caps_wanted(const struct rollout_plan *p, enum rollouts_share share);
/* The most at a time and in 24 hours; 0: no limit. */
void rollouts_caps_limits(const struct rollout_plan *p, enum rollouts_share share, int64_t *ret_concurrent, int64_t *ret_per_day);
/* The name under which tags put a module, of a cell or an APN: the first tag that says one, "" for none. */
void rollouts_caps_name(const char *tags, enum rollouts_share share, char dst[TAGS_WORD_MAX + 1]);

struct rollouts_caps *rollouts_caps_new(void);
void rollouts_caps_free(struct rollouts_caps *c);
/* Nothing is counted. */
void rollouts_caps_reset(struct rollouts_caps *c);
void rollouts_caps_count(struct rollouts_caps *c, enum rollouts_share share, const char *name, bool under_way, bool today);
bool rollouts_caps_is_full(const struct rollouts_caps *c, enum rollouts_share share, const char *name,
    const struct rollout_plan *p);

#endif
