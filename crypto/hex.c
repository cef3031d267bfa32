/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hex.h"

static int
nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

void
hex_encode(const void *p, size_t n, char *dst)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++) {
		*dst++ = digits[b[i] >> 4];
		*dst++ = digits[b[i] & 0x0f];
	}
	*dst = '\0';
}

bool
hex_decode(struct view text, void *dst, size_t n)
{
	uint8_t *b = dst;
	/* Halved rather than doubled, so that no n can wrap round to match. */
	bool ok = text.n / 2 == n && text.n % 2 == 0;
	for (size_t i = 0; ok && i < n; i++) {
		int hi = nibble(text.p[2 * i]), lo = nibble(text.p[2 * i + 1]);
		ok = hi >= 0 && lo >= 0;
		if (ok)
			b[i] = (uint8_t)(hi << 4 | lo);
	}
	if (!ok && n)
		memset(dst, 0, n);
	return ok;
}
