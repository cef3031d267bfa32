/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history - what was released before of a candidate's product, by the reports
 * that people signed: what its own report is compared with (images/continuity.h).
 * Role: judging, when a case is opened. Guarantee: writes nothing; revoked
 * releases do not count, since their key may be why they were revoked.
 */
#ifndef FG_GATEWAY_CONTROL_HISTORY_H
#define FG_GATEWAY_CONTROL_HISTORY_H

#include "images/continuity.h"

struct control;
struct db_candidate;

/* Of a release that was a delta there are two reports: of itself, and of what it made. */
enum history_of {
	HISTORY_RESULTS = 0, /* what modules have after each release: of a delta, its target where that was seen */
	HISTORY_DELTAS,      /* those that were deltas, as what they are; their numbers are their targets' */
};

/*
 * The marks of at most CONTINUITY_PAST_MAX releases, the youngest first. A
 * report that cannot be read is passed over aloud. FG_ENOMEM, FG_EIO.
 */
int history_marks(struct control *c, const struct db_candidate *cand, enum history_of of,
    struct continuity_mark past[CONTINUITY_PAST_MAX], unsigned *ret_n);
/*
 * The full image approved last, or made by a delta approved last, that is still there, to compare with. 0 with its
 * descriptor, or -1 for none; FG_ENOMEM, FG_EIO: it cannot be told now, which is not none.
 */
int history_image(struct control *c, const struct db_candidate *cand, int *ret_fd);

#endif
