/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - the log, read whole after a start. Grants: the database is written
 * behind the answers, so a control that was killed may have forgotten its last
 * ones, and one that was restored more; a release for fifty modules stays one for
 * fifty. Reviews, signatures, restrictions and holds: recount. Nothing that the
 * database says of what was read is believed; until all was read nothing is
 * granted and nothing permitted.
 */
#ifndef FG_GATEWAY_CONTROL_REPLAY_H
#define FG_GATEWAY_CONTROL_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_AGAIN_MS 300 /* until the next look, when the log has not published what it holds */

struct control;
struct replay;

struct replay *replay_new(struct control *c);
void replay_free(struct replay *r);
/* The log is there and in order: begins, unless it is done or under way. */
void replay_begin(struct replay *r);
/* It never will be done: that entry, which takes something back, cannot be read. */
bool replay_stuck(const struct replay *r, uint64_t *ret_index);
/* Everything the log had at the start is known. */
bool replay_done(const struct replay *r);

#endif
