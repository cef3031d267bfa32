/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judging - from bytes in quarantine to "blocked" or "people may look". Runs the
 * inspector's stages (stages; of a delta also targets), merges what they said (or how
 * they died) into the report, keeps it under its digest, and asks policy (decisions),
 * and where all of that would let people look the operator's hook (hooks), if there is one;
 * what people may look at goes on to openings. Guarantees: a candidate leaves judging
 * only with a report that was stored; whatever goes wrong on the way leaves it waiting
 * or blocked. What policy holds, and what could not be looked at for want of room or
 * of an answer about a delta's target, stays in judging, with the reason in its row.
 */
#ifndef FG_GATEWAY_CONTROL_JUDGING_H
#define FG_GATEWAY_CONTROL_JUDGING_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/view.h"

#define JUDGING_AGAIN_S 600 /* until what could not be looked at is tried again: a full disk is not empty in a minute */

struct control;
struct db_candidate;
struct judging;

struct judging *judging_new(struct control *c);
void judging_free(struct judging *j);
/*
 * The candidate is in state judging. No-op while it is judged already, while its notes are on their way (notesfetch.h has
 * it judged then), and while the clock cannot be believed.
 */
void judging_start(struct judging *j, uint64_t candidate);
/* Nobody wants the answer any more. */
void judging_cancel(struct judging *j, uint64_t candidate);
/* Starts every candidate in state judging that nothing works on: after start, when the log came back, when the clock is sure. */
void judging_resume(struct judging *j);
/* Every minute: what was held for want of room or answer, once its time has come. */
void judging_tick(struct judging *j);
/*
 * Something that held deltas of that profile may wait for: a full image that they are for or lead to, or that
 * another delta for the same step was rejected.
 */
void judging_look_again(struct judging *j, const char *profile);
/* It is in judging, nothing works on it, and its row says why. */
bool judging_is_held(struct judging *j, const struct db_candidate *cand);
/* The candidate is in review: what was signed for it no longer counts, the log has that, and it is judged again. */
void judging_again(struct judging *j, struct db_candidate *cand, const char *why);
/* After a reload: reviews under another policy than the one in force are judged again. */
void judging_policy_changed(struct judging *j);
/* Whether the policy the candidate was judged under is the one in force. */
bool judging_policy_stands(struct control *c, const struct db_candidate *cand);

#endif
