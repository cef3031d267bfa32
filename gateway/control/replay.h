/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - grants as the log has them, after a start. The database is written
 * behind the answers, so a control that was killed may have forgotten its last
 * ones; the log has not, and wins. Until it was read nothing is granted: a release
 * for fifty modules stays one for fifty however often control dies.
 */
#ifndef FG_GATEWAY_CONTROL_REPLAY_H
#define FG_GATEWAY_CONTROL_REPLAY_H

#include <stdbool.h>

#define REPLAY_AGAIN_MS 300 /* until the next look, when the log has not published what it holds */

struct control;
struct replay;

struct replay *replay_new(struct control *c);
void replay_free(struct replay *r);
/* The log is there and in order: begins, unless it is done or under way. */
void replay_begin(struct replay *r);
/* Everything the log had at the start is known. */
bool replay_done(const struct replay *r);
/* Writes grants down and remembers how far the log need not be read again. Every minute, and at a clean stop. */
void replay_remember(struct replay *r);

#endif
