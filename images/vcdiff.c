/* SPDX-License-Identifier: Apache-2.0 */
#include "images/vcdiff.h"

#include <stdlib.h>

#define COPY_SMALLEST 4u /* sizes that the table knows: section 5.6 */
#define COPY_LARGEST 18u
#define ADD_LARGEST 17u
#define PAIR_ADD_LARGEST 4u
#define PAIR_COPY_LARGEST 6u /* behind an ADD, in other modes than same */
#define ADLER_MODULUS 65521u
#define ADLER_LANES 16u
/* Rounds before a lane's sum of sums could pass 32 bits: 255 * r * (r - 1) / 2, with room. */
#define ADLER_ROUNDS 4096u

static struct vcdiff_half
half(enum vcdiff_type type, unsigned size, unsigned mode)
{
	return (struct vcdiff_half){ (uint8_t)type, (uint8_t)size, (uint8_t)mode };
}

/* The rows of the RFC's table from top to bottom; within a row the last named counts fastest. */
void
vcdiff_table(struct vcdiff_code table[VCDIFF_CODES])
{
	unsigned n = 0;
	memset(table, 0, VCDIFF_CODES * sizeof *table);
	table[n++].half[0] = half(VCDIFF_RUN, 0, 0);
	for (unsigned size = 0; size <= ADD_LARGEST; size++)
		table[n++].half[0] = half(VCDIFF_ADD, size, 0);
	for (unsigned mode = 0; mode < VCDIFF_MODES; mode++) {
		table[n++].half[0] = half(VCDIFF_COPY, 0, mode);
		for (unsigned size = COPY_SMALLEST; size <= COPY_LARGEST; size++)
			table[n++].half[0] = half(VCDIFF_COPY, size, mode);
	}
	for (unsigned mode = 0; mode < VCDIFF_MODES; mode++) {
		unsigned largest = mode < VCDIFF_MODE_SAME ? PAIR_COPY_LARGEST : COPY_SMALLEST;
		for (unsigned add = 1; add <= PAIR_ADD_LARGEST; add++)
			for (unsigned copy = COPY_SMALLEST; copy <= largest; copy++, n++) {
				table[n].half[0] = half(VCDIFF_ADD, add, 0);
				table[n].half[1] = half(VCDIFF_COPY, copy, mode);
			}
	}
	for (unsigned mode = 0; mode < VCDIFF_MODES; mode++, n++) {
		table[n].half[0] = half(VCDIFF_COPY, COPY_SMALLEST, mode);
		table[n].half[1] = half(VCDIFF_ADD, 1, 0);
	}
	if (n != VCDIFF_CODES)
		abort();
}

unsigned
vcdiff_int(uint64_t value, uint8_t out[VCDIFF_INT_MAX])
{
	unsigned n = 1;
	for (uint64_t v = value >> 7; v > 0; v >>= 7)
		n++;
	for (unsigned i = n; i-- > 0; value >>= 7)
		out[i] = (uint8_t)((value & 0x7f) | (i + 1 < n ? 0x80 : 0));
	return n;
}

unsigned
vcdiff_mode(const struct vcdiff_cache *c, uint64_t address, uint64_t here, uint64_t *ret)
{
	unsigned slot = (unsigned)(address % (VCDIFF_SAME * 256)), best = VCDIFF_MODE_SELF;
	uint64_t least = address;
	if (c->same[slot] == address) {
		*ret = slot % 256;
		return VCDIFF_MODE_SAME + slot / 256;
	}
	if (here - address < least) {
		least = here - address;
		best = VCDIFF_MODE_HERE;
	}
	for (unsigned i = 0; i < VCDIFF_NEAR; i++)
		if (address >= c->near[i] && address - c->near[i] < least) {
			least = address - c->near[i];
			best = VCDIFF_MODE_NEAR + i;
		}
	*ret = least;
	return best;
}

/*
 * Lane j takes bytes j, j + 16, ...: its sum, and the sum of what that was before each round. Byte i of m counts
 * m - i times in the second half of the checksum; 16 times each round that follows its own, and
 * 16 - j times for its own. A compiler makes vector instructions of the inner loop.
 */
uint32_t
vcdiff_adler32(struct view bytes)
{
	const uint8_t *p = bytes.p;
	uint64_t a = 1, b = 0;
	for (size_t n = bytes.n; n > 0;) {
		uint32_t sum[ADLER_LANES] = { 0 }, before[ADLER_LANES] = { 0 };
		size_t rounds = n / ADLER_LANES < ADLER_ROUNDS ? n / ADLER_LANES : ADLER_ROUNDS;
		for (size_t i = 0; i < rounds; i++, p += ADLER_LANES)
			for (unsigned j = 0; j < ADLER_LANES; j++) {
				before[j] += sum[j];
				sum[j] += p[j];
			}
		b += a * rounds * ADLER_LANES;
		for (unsigned j = 0; j < ADLER_LANES; j++) {
			a += sum[j];
			b += (uint64_t)before[j] * ADLER_LANES + (uint64_t)sum[j] * (ADLER_LANES - j);
		}
		n -= rounds * ADLER_LANES;
		for (; n > 0 && n < ADLER_LANES; n--) {
			a += *p++;
			b += a;
		}
		a %= ADLER_MODULUS;
		b %= ADLER_MODULUS;
	}
	return (uint32_t)(b << 16 | a);
}
