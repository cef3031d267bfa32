/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd - the modules that have connections to this edge: how many each, and
 * its share of the bandwidth.
 * Role: the edge enters a connection as soon as it has found out whose it is, and
 * lets it leave at its end. Guarantees: as many entries as there are connections,
 * and at most CROWD_RESTING besides: of modules that are gone and would come back
 * to a fuller bucket than they left.
 */
#ifndef FG_GATEWAY_EDGE_CROWD_H
#define FG_GATEWAY_EDGE_CROWD_H

#include "crypto/view.h"
#include "gateway/net/share.h"

#define CROWD_KEY 32       /* a pseudonym, and from where when nothing but a claim says that it is that one */
#define CROWD_RESTING 8192 /* 2 MB; who leaves a bucket behind beyond it gains one bucket */

struct crowd;
struct member;

/* Bytes a second; 0: no limit. */
struct crowd_rates {
	uint64_t all, group, module;
};

/* NULL on no memory. */
struct crowd *crowd_new(const struct crowd_rates *rates);
/* When every member has left. */
void crowd_free(struct crowd *c);
/* For net_set_shares. */
struct share_tree *crowd_tree(struct crowd *c);
/*
 * For members that are here and those to come; whoever is here keeps what is left
 * in its bucket. Afterwards each connection is to be given crowd_share again.
 */
void crowd_set_rates(struct crowd *c, const struct crowd_rates *rates, int64_t now_ms);
/*
 * One connection more of the module with that key; at most max. group: for a
 * module that is not here yet; it keeps it until it has no connection any more.
 * FG_ELIMIT, FG_ENOMEM.
 */
int crowd_enter(struct crowd *c, const uint8_t key[CROWD_KEY], const char *group, uint32_t max, struct member **ret);
bool crowd_is(const struct member *m, const uint8_t key[CROWD_KEY]);
/* NULL is nobody. A connection that had its share has none before. */
void crowd_leave(struct crowd *c, struct member *m, int64_t now_ms);
/* *ret NULL: no limit is set. 0 or FG_ENOMEM. */
int crowd_share(struct crowd *c, struct member *m, int64_t now_ms, struct share **ret);
/* Forgets those whose bucket is full by now; to be called now and then. */
void crowd_sweep(struct crowd *c, int64_t now_ms);
/* Those here, and those resting. */
size_t crowd_members(const struct crowd *c);

#endif
