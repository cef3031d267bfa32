/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seconds - two deltas for one step, neither of which can be seen through: one of them may be meant for one module.
 * Used by judging, when policy holds a delta for that.
 */
#ifndef FG_GATEWAY_CONTROL_SECONDS_H
#define FG_GATEWAY_CONTROL_SECONDS_H

struct control;
struct db_candidate;

/*
 * The others of that step that wait for people are judged again, and then held as this one is, until a person rejects
 * one; the first time there is a second, it is an incident.
 */
void seconds_tell(struct control *c, const struct db_candidate *cand);

#endif
