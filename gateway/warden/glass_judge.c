/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/glass_judge.h"

#include <stdio.h>

#include "crypto/approval_glass.h"

void
glass_judge_bounds(const struct judge_case *c, uint64_t modules, struct judge_answer *ans)
{
	const char *outside = approval_glass_outside(c->genesis, modules, c->released);
	if (outside)
		snprintf(ans->why, sizeof ans->why, "no break-glass: %s", outside);
	else if (c->terms.delay != c->genesis->glass.delay)
		snprintf(ans->why, sizeof ans->why, "no break-glass: its veto delay is not that of genesis");
	else if (c->halted)
		snprintf(ans->why, sizeof ans->why, "the gateway is halted, which stops every break-glass");
	else if (c->review_owed)
		snprintf(ans->why, sizeof ans->why,
		    "the last break-glass has not been looked at by enough persons: no other one before its after-review");
	else if (c->terms.not_after - c->latest <= (int64_t)c->terms.delay)
		snprintf(ans->why, sizeof ans->why, "the statement ends before its veto delay of %u s would be over",
		    c->terms.delay);
	else
		return;
	ans->permitted = false;
}
