/* SPDX-License-Identifier: Apache-2.0 */
/* standing_judge - what judge.c asks of a standing statement that enough persons signed. Pure; it only takes away. */
#ifndef FG_GATEWAY_WARDEN_STANDING_JUDGE_H
#define FG_GATEWAY_WARDEN_STANDING_JUDGE_H

#include "gateway/warden/judge.h"

/* Modules that it can let in at most: so many persons are needed. */
uint64_t standing_judge_modules(const struct judge_case *c);
/* Takes the yes back, and says why, where the release is outside the bounds or all releases were issued. */
void standing_judge_bounds(const struct judge_case *c, struct judge_answer *ans);

#endif
