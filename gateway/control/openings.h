/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openings - from "people may look" to a review that is open. Used by judging,
 * once the report is stored and policy lets people look. Guarantee: a review
 * opens only after the log has it durably, under the report and the policy that
 * its entry names; till then, and whatever goes wrong, the candidate stays in
 * judging and is judged again.
 */
#ifndef FG_GATEWAY_CONTROL_OPENINGS_H
#define FG_GATEWAY_CONTROL_OPENINGS_H

struct control;
struct db_candidate;

/* Asks the log for the entry of a candidate in state judging, whose row names its report. */
void openings_begin(struct control *c, const struct db_candidate *cand);

#endif
