/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entail - which findings follow from the facts of a report.
 * Role: the inspector raises them with it, and whoever reads a report asks
 * whether all of them are there: a signature that is not verified, a byte that
 * is not signed or a key that is public cannot go unmentioned.
 */
#ifndef FG_IMAGES_ENTAIL_H
#define FG_IMAGES_ENTAIL_H

#include "images/report.h"

/* Raises what the facts of r entail; require_signature makes absence a block. */
int entail_raise(struct report *r, bool require_signature);
/* Only what follows from the delta section, which the stages before it did not know. */
void entail_delta(struct report *r);
/*
 * Asks whether every entailed finding stands in r with at least the entailed
 * severity (mild ones may be missing from a report that was cut).
 * FINDING_LIMIT when all are there, else one that is missing. FG_ENOMEM or 0.
 */
int entail_missing(const struct report *r, bool require_signature, enum finding_id *ret);

#endif
