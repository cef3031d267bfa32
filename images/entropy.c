/* SPDX-License-Identifier: Apache-2.0 */
#include "images/entropy.h"

/* log2 of v >= 1 as 16.16 fixed point: the mantissa is squared once per bit of the result. */
static uint64_t
log2_q16(uint32_t v)
{
	unsigned whole = 31u - (unsigned)__builtin_clz(v);
	uint64_t m = (uint64_t)v << (31 - whole); /* 1.31 */
	uint64_t frac = 0;
	for (unsigned i = 0; i < 16; i++) {
		m = m * m >> 31;
		frac <<= 1;
		if (m >> 32) {
			m >>= 1;
			frac |= 1;
		}
	}
	return (uint64_t)whole << 16 | frac;
}

unsigned
entropy_millibits(struct view window)
{
	/* Four tables, so that runs of one byte do not wait for their own last increment. */
	uint32_t count[4][256] = { 0 };
	uint64_t spent = 0, seen = 0, n = window.n;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < window.n; i++)
		count[i & 3][window.p[i]]++;
	for (unsigned b = 0; b < 256; b++) {
		uint32_t c = count[0][b] + count[1][b] + count[2][b] + count[3][b];
		if (c == 0)
			continue;
		spent += c * log2_q16(c);
		seen++;
	}
	/* H = log2 n - sum(c log2 c) / n; rounding may bring the sum a hair above. */
	uint64_t whole = n * log2_q16((uint32_t)n);
	uint64_t plain = whole > spent ? ((whole - spent) * 1000 / n) >> 16 : 0;
	/* Miller-Madow: (seen - 1) / 2n nats; 1000 / (2 ln 2) is 721. */
	uint64_t mb = plain + (seen - 1) * 721 / n;
	return mb > 8000 ? 8000 : (unsigned)mb;
}

enum entropy_class
entropy_class(unsigned millibits)
{
	if (millibits < 2000)
		return ENTROPY_LOW;
	if (millibits < 7000)
		return ENTROPY_TEXT_CODE;
	return millibits < 7990 ? ENTROPY_COMPRESSED : ENTROPY_RANDOM;
}

const char *
entropy_class_name(enum entropy_class c)
{
	switch (c) {
	case ENTROPY_LOW:
		return "low";
	case ENTROPY_TEXT_CODE:
		return "text_code";
	case ENTROPY_COMPRESSED:
		return "compressed";
	case ENTROPY_RANDOM:
		return "random";
	case ENTROPY_CLASSES:
		break;
	}
	return "none";
}

void
entropy_count(struct entropy_profile *p, struct view window)
{
	unsigned mb = entropy_millibits(window);
	p->windows[entropy_class(mb)]++;
	p->total++;
	p->sum += mb;
}
