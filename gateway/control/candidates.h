/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidates - rows of candidates as control handles them: where one stands, its
 * moves by the table of policy/lifecycle.h, and those in one state.
 * Guarantee: a state is written only when the row still stands where the move
 * began. Who has to hear of a move (the log, a caller) is for the mover to say.
 */
#ifndef FG_GATEWAY_CONTROL_CANDIDATES_H
#define FG_GATEWAY_CONTROL_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/entry.h"
#include "gateway/state/candidate.h"
#include "policy/lifecycle.h"

struct control;
struct msg_append;

struct candidates_ids { /* in order */
	size_t n, cap;
	uint64_t id[];
};

bool candidates_is(const struct db_candidate *cand, enum lifecycle_state state);
/* What the verb does to it where it stands; NULL: nothing, it cannot be done. */
const struct lifecycle_move *candidates_can(const struct db_candidate *cand, enum lifecycle_verb verb);
/*
 * Moves it and writes the whole row; note (NULL: what stands there stays) is for
 * people. FG_ESTATE: the verb cannot be done, or the row stands elsewhere by now;
 * or an error of the database.
 */
int candidates_move(struct control *c, struct db_candidate *cand, enum lifecycle_verb verb, const char *note);
/*
 * As candidates_move(); and what was signed for it no longer counts, nor does the scope people gave it.
 * *ret_n (may be NULL): how many statements that were.
 */
int candidates_outdate(struct control *c, struct db_candidate *cand, enum lifecycle_verb verb, const char *note,
    unsigned *ret_n);
/* All in that state; free(). NULL for want of memory or database. */
struct candidates_ids *candidates_in(struct control *c, enum lifecycle_state state);
/* An entry of control about its review: profile, image, and the report and policy it has. NULL for want of memory. */
struct msg_append *candidates_entry(const struct db_candidate *cand, enum entry_event event, const char *out);

#endif
