/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jsonf.h"

#include <stdlib.h>

#include "crypto/hex.h"
#include "crypto/stamp.h"

bool
jsonf_hex(const struct json_value *v, void *dst, size_t n)
{
	struct view text;
	return json_string(v, &text) && hex_decode(text, dst, n);
}

bool
jsonf_time(const struct json_value *v, int64_t *ret)
{
	struct view text;
	return json_string(v, &text) && stamp_parse(text, ret);
}

bool
jsonf_u32(const struct json_value *v, uint32_t *ret)
{
	uint64_t n;
	if (!json_uint(v, &n) || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

bool
jsonf_is_time(int64_t t)
{
	return t >= 0 && t <= STAMP_MAX;
}

void
jsonf_put_time(struct jsonw *j, const char *key, int64_t t)
{
	char text[STAMP_CAP];
	if (stamp_format(t, text))
		abort();
	jsonw_kcstr(j, key, text);
}
