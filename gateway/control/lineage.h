/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineage - how releases of one product stand to each other: which takes the place of which, what there is to go back
 * to, and what modules get when one is recalled. Facts for people, but for one deed: a rollout whose modules may all
 * get a newer release ends as superseded, which restricts and is signed for with the newer one.
 */
#ifndef FG_GATEWAY_CONTROL_LINEAGE_H
#define FG_GATEWAY_CONTROL_LINEAGE_H

#include "crypto/jsonw.h"
#include "crypto/release.h"

#define LINEAGE_TEXT_CAP 400

struct control;
struct db_candidate;

/* Ends each rollout that is superseded. */
void lineage_supersede(struct control *c);
/* The reviews whose rollouts end once those terms are released, as an array. */
void lineage_supersedes(struct control *c, const struct approval_terms *t, struct jsonw *j);
/* "supersedes R-7, R-9", or nothing. */
void lineage_places(struct control *c, const struct approval_terms *t, char out[LINEAGE_TEXT_CAP]);
#define LINEAGE_COMPARED_MAX 16 /* reports read for one answer; the releases of a product that stand at a time are fewer */
/*
 * "way back: R-7, 1.4.2", or "no way back, because ...": whether what is in force may be offered to a module that has
 * that version, by the same function that edges ask, and would be taken by it: counters that never fall are compared with
 * those of the report of what it has then (NULL: none, or its counters are not known); of a delta those of what it makes too.
 */
void lineage_way_back(struct control *c, const char *profile, const char *product, const char *version,
    const uint8_t *report, char out[LINEAGE_TEXT_CAP]);
/* What is in force for modules of a release that is recalled: for those that wait for it, and for those that have it. */
void lineage_instead(struct control *c, const uint8_t id[RELEASE_ID], const struct approval_terms *t,
    char out[LINEAGE_TEXT_CAP]);

#endif
