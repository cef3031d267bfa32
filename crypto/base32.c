/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/base32.h"

#include "crypto/wipe.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void
base32_encode(struct view bytes, char *dst)
{
	uint32_t held = 0;
	unsigned bits = 0;
	for (size_t i = 0; i < bytes.n; i++) {
		held = held << 8 | bytes.p[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*dst++ = DIGITS[held >> (bits - 5) & 31];
	}
	if (bits)
		*dst++ = DIGITS[held << (5 - bits) & 31];
	*dst = '\0';
}

/* 0 to 31, or -1. */
static int
value_of(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

bool
base32_decode(struct view text, void *dst, size_t n)
{
	uint8_t *out = dst;
	uint32_t held = 0;
	unsigned bits = 0;
	size_t have = 0;
	bool good = true;
	for (size_t i = 0; good && i < text.n; i++) {
		if (text.p[i] == ' ' || text.p[i] == '-')
			continue;
		int v = value_of(text.p[i]);
		good = v >= 0 && (have < n || bits < 5);
		held = held << 5 | (uint32_t)(v & 31);
		bits += 5;
		if (bits >= 8 && have < n) {
			bits -= 8;
			out[have++] = (uint8_t)(held >> bits);
		}
	}
	/* A whole character of nothing would be a second spelling. */
	good = good && have == n && bits < 5 && (held & ((1u << bits) - 1)) == 0;
	if (!good)
		wipe(dst, n);
	return good;
}
