/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/base64.h"

#include "crypto/err.h"
#include "crypto/wipe.h"

#define BASE64_GROUPS 64 /* groups gathered on the stack before one append */

/* The six bits of a digit, or -1. */
static int
sextet(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

void
base64_encode(struct view bytes, struct writer *w)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char out[BASE64_GROUPS * 4];
	size_t n = 0;
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t have = bytes.n - i < 3 ? bytes.n - i : 3;
		uint32_t bits = (uint32_t)bytes.p[i] << 16;
		if (have > 1)
			bits |= (uint32_t)bytes.p[i + 1] << 8;
		if (have > 2)
			bits |= bytes.p[i + 2];
		out[n++] = digits[bits >> 18];
		out[n++] = digits[bits >> 12 & 63];
		out[n++] = have > 1 ? digits[bits >> 6 & 63] : '=';
		out[n++] = have > 2 ? digits[bits & 63] : '=';
		if (n == sizeof out) {
			writer_bytes(w, view_of(out, n));
			n = 0;
		}
	}
	writer_bytes(w, view_of(out, n));
	wipe(out, sizeof out);
}

/* Decodes a full group of four digits, the last `pads` of them '='. */
static bool
group(const uint8_t *text, unsigned pads, uint8_t out[3])
{
	uint32_t bits = 0;
	for (unsigned i = 0; i < 4; i++) {
		int six = i < 4 - pads ? sextet(text[i]) : 0;
		if (six < 0)
			return false;
		bits = bits << 6 | (uint32_t)six;
	}
	/* Bits that no byte takes must be zero, or two texts would mean one value. */
	if (pads && (bits & (pads == 1 ? 0xffu : 0xffffu)))
		return false;
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return true;
}

int
base64_decode(struct view text, struct writer *w)
{
	if (text.n % 4 != 0)
		return FG_EFORMAT;
	unsigned pads = 0;
	if (text.n)
		pads = text.p[text.n - 1] != '=' ? 0 : text.p[text.n - 2] != '=' ? 1 : 2;

	/* All of it is judged before the first byte is appended. */
	uint8_t out[BASE64_GROUPS * 3];
	for (size_t i = 0; i < text.n; i += 4) {
		if (!group(text.p + i, i + 4 == text.n ? pads : 0, out)) {
			wipe(out, sizeof out);
			return FG_EFORMAT;
		}
	}
	size_t n = 0;
	for (size_t i = 0; i < text.n; i += 4) {
		unsigned cut = i + 4 == text.n ? pads : 0;
		(void)group(text.p + i, cut, out + n);
		n += 3 - cut;
		if (n == sizeof out) {
			writer_bytes(w, view_of(out, n));
			n = 0;
		}
	}
	writer_bytes(w, view_of(out, n));
	wipe(out, sizeof out);
	return writer_err(w);
}
