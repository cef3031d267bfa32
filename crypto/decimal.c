/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/decimal.h"

bool
decimal_parse(struct view text, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text.p[i] - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}
