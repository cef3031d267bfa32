/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_glass - break-glass releases of the log held against genesis: whether there may be any, how many modules, the wait
 * before the first, and the after-review before the next.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_GLASS_H
#define FG_GATEWAY_CMD_VERIFY_GLASS_H

#include "gateway/cmd/verify_judge.h"

/* All: problems are counted in the log; returns local failure only. */

/* Any release, once its statements were looked at: what it means for break-glass, and its own bounds if it is one. */
int verify_glass_release(struct verify_judge *j, struct verify_release *r);
/* An entry approval.breakglass: said loudly before the release it names. */
void verify_glass_said(struct verify_judge *j, const struct entry *e);
/* An entry approval.afterreview. r is NULL for what the log never released: then it is about nothing. */
int verify_glass_reviewed(struct verify_judge *j, const struct verify_release *r, const struct entry *e, uint64_t at);
/* Too few persons for so many modules, or all in browsers, by genesis: of break-glass, that which it allows one person. */
bool verify_glass_too_few(const struct genesis *g, const struct verify_release *r, uint64_t modules);
/* Whether its veto delay was over by the log's own time. */
bool verify_glass_waited(const struct verify_release *r, int64_t t_us);

#endif
