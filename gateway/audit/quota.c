/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/quota.h"

#define TOKEN 1000 /* thousandths: one a millisecond and a token a second apart */

static void
refill(struct quota *q, const struct quota_rate *rate, int64_t now_ms)
{
	int64_t full = (int64_t)rate->burst * TOKEN;
	int64_t gone = q->begun && now_ms > q->at_ms ? now_ms - q->at_ms : 0, more = full;
	if (!q->begun || __builtin_mul_overflow(gone, (int64_t)rate->per_s, &more) ||
	    __builtin_add_overflow(q->left, more, &q->left) || q->left > full)
		q->left = full;
	q->begun = true;
	q->at_ms = now_ms;
}

bool
quota_take(struct quota *q, const struct quota_rate *rate, int64_t now_ms, uint32_t cost)
{
	refill(q, rate, now_ms);
	if (q->left < (int64_t)cost * TOKEN)
		return false;
	q->left -= (int64_t)cost * TOKEN;
	return true;
}

void
quota_charge(struct quota *q, const struct quota_rate *rate, int64_t now_ms, uint32_t cost)
{
	refill(q, rate, now_ms);
	q->left -= (int64_t)cost * TOKEN;
}

bool
quota_is_open(struct quota *q, const struct quota_rate *rate, int64_t now_ms)
{
	refill(q, rate, now_ms);
	return q->left >= 0;
}
