/* SPDX-License-Identifier: Apache-2.0 */
#include "images/sketch.h"

#include "crypto/err.h"

/*
 * A piece ends where six bits of a hash over the last bytes are zero: every 64
 * bytes or so, so that a line of a script is a piece; but not before 16, so that
 * runs of one byte do not make a piece of each.
 */
#define CUT_MASK UINT64_C(0xfc00000000000000)
#define PIECE_MIN 16
#define PIECE_MAX 1024

/* splitmix64: spreads a counter or a sum over all bits. */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Keeps it when it is among the smallest and new. */
static void
keep(struct sketch *s, uint64_t piece)
{
	if (s->n == SKETCH_MAX && piece >= s->piece[SKETCH_MAX - 1])
		return;
	unsigned at = s->n;
	while (at > 0 && s->piece[at - 1] >= piece)
		at--;
	if (at < s->n && s->piece[at] == piece)
		return;
	unsigned last = s->n < SKETCH_MAX ? s->n++ : SKETCH_MAX - 1;
	memmove(&s->piece[at + 1], &s->piece[at], (last - at) * sizeof s->piece[0]);
	s->piece[at] = piece;
}

int
sketch_make(const struct source *s, uint8_t *chunk, struct sketch *ret)
{
	uint64_t gear[256], hash = 0, sum = 0;
	unsigned length = 0;
	for (unsigned i = 0; i < 256; i++)
		gear[i] = mix(i);
	ret->n = 0;
	for (uint64_t at = 0; at < s->size;) {
		long n = source_read_some(s, at, chunk, SOURCE_CHUNK);
		if (n <= 0)
			return n < 0 ? (int)n : FG_EIO;
		at += (uint64_t)n;
		for (long i = 0; i < n; i++) {
			hash = (hash << 1) + gear[chunk[i]];
			sum = (sum ^ chunk[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
			length++;
			if ((length < PIECE_MIN || (hash & CUT_MASK)) && length < PIECE_MAX)
				continue;
			keep(ret, mix(sum));
			hash = sum = length = 0;
		}
	}
	if (length > 0)
		keep(ret, mix(sum));
	return 0;
}

unsigned
sketch_alike(const struct sketch *a, const struct sketch *b)
{
	/* Of the smallest pieces of both together: how many are in both. */
	unsigned i = 0, k = 0, seen = 0, both = 0;
	while (seen < SKETCH_MAX && (i < a->n || k < b->n)) {
		seen++;
		if (k == b->n || (i < a->n && a->piece[i] < b->piece[k])) {
			i++;
		} else if (i == a->n || b->piece[k] < a->piece[i]) {
			k++;
		} else {
			both++;
			i++;
			k++;
		}
	}
	return seen ? both * 1000 / seen : 0;
}
