/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/standing_judge.h"

#include <stdio.h>

#include "crypto/approval_standing.h"

uint64_t
standing_judge_modules(const struct judge_case *c)
{
	return approval_standing_modules(&c->terms);
}

void
standing_judge_bounds(const struct judge_case *c, struct judge_answer *ans)
{
	const char *outside = approval_standing_outside(&c->terms, &c->covers, c->latest);
	if (!outside)
		outside = approval_standing_outside(&c->terms, &c->covers, c->earliest);
	if (outside)
		snprintf(ans->why, sizeof ans->why, "it lies outside standing statement %s: %s", c->terms.review, outside);
	else if (c->used >= c->terms.bounds.max_releases)
		snprintf(ans->why, sizeof ans->why, "standing statement %s allowed %u releases, and they were issued",
		    c->terms.review, c->terms.bounds.max_releases);
	else
		return;
	ans->permitted = false;
}
