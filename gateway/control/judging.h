/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judging - from bytes in quarantine to "blocked" or "people may look". Runs the
 * inspector's stages, merges what they said (or how they died) into the report,
 * keeps it under its digest, and asks policy (decisions); what people may look at
 * goes on to openings. Guarantees: a candidate leaves judging only with a report
 * that was stored; whatever goes wrong on the way leaves it waiting or blocked.
 */
#ifndef FG_GATEWAY_CONTROL_JUDGING_H
#define FG_GATEWAY_CONTROL_JUDGING_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/view.h"

/* A minute, and a second more for every 16 MiB, a tenth of what a slow disk reads. */
#define JUDGING_WALL_S 60
#define JUDGING_WALL_BYTES (16u << 20)
#define JUDGING_WALL_MAX_S 7200

struct control;
struct db_candidate;
struct judging;

struct judging *judging_new(struct control *c);
void judging_free(struct judging *j);
/* The candidate is in state judging. No-op while it is judged already, and while the clock cannot be believed. */
void judging_start(struct judging *j, uint64_t candidate);
/* Nobody wants the answer any more. */
void judging_cancel(struct judging *j, uint64_t candidate);
/* Starts every candidate in state judging that nothing works on: after start, when the log came back, when the clock is sure. */
void judging_resume(struct judging *j);
/* After a reload: reviews under another policy than the one in force are judged again. */
void judging_policy_changed(struct judging *j);
/* Whether the policy the candidate was judged under is the one in force. */
bool judging_policy_stands(struct control *c, const struct db_candidate *cand);

#endif
