/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_standing - a release that nobody signed for, held against the standing
 * statement it names: its key, its bounds, how many there were, and, because nobody
 * read it before, what its report says.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_STANDING_H
#define FG_GATEWAY_CMD_VERIFY_STANDING_H

#include "gateway/cmd/verify_judge.h"

/* Why that statement does not carry the record, or NULL. */
const char *verify_standing_words(const struct verify_release *r, const struct approval *a);
/* Once a release that has its statements: problems are counted in the log. Local failure only. */
int verify_standing_release(struct verify_judge *j, const struct verify_release *r, const struct approval *a);
/* The report of a release that nobody signed for: does it say what the record does? why NULL: yes. */
const char *verify_standing_report(const struct release *r, struct view report);
/* An entry standing.revoked. */
int verify_standing_revoked(struct verify_judge *j, const struct entry *e, uint64_t at);

#endif
