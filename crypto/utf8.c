/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/utf8.h"

size_t
utf8_next(struct view s, uint32_t *ret)
{
	if (s.n == 0)
		return 0;
	uint8_t lead = s.p[0];
	if (lead < 0x80) {
		*ret = lead;
		return 1;
	}
	/* RFC 3629 section 4: what the second byte may be keeps out long forms and surrogates. */
	size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	uint8_t low = 0x80, high = 0xbf;
	if (lead < 0xc2 || lead > 0xf4 || s.n < n)
		return 0;
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	uint32_t code = lead & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (s.p[i] < low || s.p[i] > high)
			return 0;
		code = code << 6 | (s.p[i] & 0x3fu);
		low = 0x80;
		high = 0xbf;
	}
	*ret = code;
	return n;
}

bool
utf8_is_noncharacter(uint32_t code)
{
	return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
}

bool
utf8_is_text(struct view s)
{
	for (size_t off = 0; off < s.n;) {
		uint32_t code;
		size_t n = utf8_next(view_of(s.p + off, s.n - off), &code);
		if (n == 0 || utf8_is_noncharacter(code))
			return false;
		off += n;
	}
	return true;
}

size_t
utf8_put(uint32_t code, uint8_t out[4])
{
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (uint8_t)(0x80 | (code & 0x3f));
	out[0] = (uint8_t)((0xf00u >> n) | code);
	return n;
}
