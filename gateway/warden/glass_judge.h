/* SPDX-License-Identifier: Apache-2.0 */
/* glass_judge - what judge.c asks of a break-glass statement that one person signed. Pure; it only takes away. */
#ifndef FG_GATEWAY_WARDEN_GLASS_JUDGE_H
#define FG_GATEWAY_WARDEN_GLASS_JUDGE_H

#include "gateway/warden/judge.h"

/* Takes the yes back, and says why: genesis has none or another delay, too many modules, a halt, an after-review that is owed. */
void glass_judge_bounds(const struct judge_case *c, uint64_t modules, struct judge_answer *ans);

#endif
