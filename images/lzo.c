/* SPDX-License-Identifier: Apache-2.0 */
#include "images/lzo.h"

#include "crypto/err.h"
#include "crypto/reader.h"

#define FIRST_LITERALS 17  /* a first byte above this is a run of literals */
#define NEAR_MAX 0x0800u   /* matches right behind a run of literals begin beyond this */
#define FAR_MIN 0x4000u
#define AFTER_RUN 4        /* state: a run of literals came last; 0 to 3: so many literals behind a match */

struct lzo {
	struct reader r;
	uint8_t *out;
	size_t n, cap;
	unsigned state;
	bool end;
};

/* Zero bytes count 255 each, the one that ends them as it is. */
static size_t
long_count(struct lzo *z, size_t base)
{
	size_t n = base;
	uint8_t b;
	while ((b = reader_u8(&z->r)) == 0 && !z->r.bad)
		n += 255;
	return n + b;
}

static void
literals(struct lzo *z, size_t n)
{
	struct view v = reader_take(&z->r, n);
	if (z->r.bad || n > z->cap - z->n) {
		reader_fail(&z->r);
		return;
	}
	memcpy(z->out + z->n, v.p, n);
	z->n += n;
}

/* May overlap what it writes. */
static void
match(struct lzo *z, size_t distance, size_t n)
{
	if (z->r.bad || distance == 0 || distance > z->n || n > z->cap - z->n) {
		reader_fail(&z->r);
		return;
	}
	for (size_t i = 0; i < n; i++, z->n++)
		z->out[z->n] = z->out[z->n - distance];
}

/* Up to sixteen: a run of literals, or, where one came just before, a short match. */
static void
low_instruction(struct lzo *z, unsigned t)
{
	if (z->state == 0) {
		literals(z, (t ? t : long_count(z, 15)) + 3);
		z->state = AFTER_RUN;
		return;
	}
	size_t far = (t >> 2) + ((size_t)reader_u8(&z->r) << 2) + 1;
	if (z->state == AFTER_RUN)
		match(z, far + NEAR_MAX, 3);
	else
		match(z, far, 2);
	z->state = t & 3;
	literals(z, z->state);
}

static void
match_instruction(struct lzo *z, unsigned t)
{
	if (t >= 64) {
		size_t distance = ((t >> 2) & 7) + ((size_t)reader_u8(&z->r) << 3) + 1;
		match(z, distance, (t >> 5) + 1);
		z->state = t & 3;
	} else {
		bool far = t < 32;
		unsigned mask = far ? 7 : 31;
		size_t n = (t & mask ? t & mask : long_count(z, mask)) + 2;
		unsigned word = reader_u16le(&z->r);
		size_t distance = (word >> 2) + (far ? (size_t)(t & 8) << 11 : 1);
		if (far && distance == 0) {
			z->end = n == 3;
			if (!z->end)
				reader_fail(&z->r);
			return;
		}
		match(z, far ? distance + FAR_MIN : distance, n);
		z->state = word & 3;
	}
	literals(z, z->state);
}

long
lzo_unpack(struct view in, uint8_t *out, size_t cap)
{
	struct lzo z = { .out = out, .cap = cap };
	reader_init(&z.r, in);
	if (in.n > 0 && in.p[0] == FIRST_LITERALS)
		return FG_EFORMAT;
	if (in.n > 0 && in.p[0] > FIRST_LITERALS) {
		unsigned n = reader_u8(&z.r) - FIRST_LITERALS;
		literals(&z, n);
		z.state = n < AFTER_RUN ? n : AFTER_RUN;
	}
	while (!z.end && !z.r.bad) {
		unsigned t = reader_u8(&z.r);
		if (t < 16)
			low_instruction(&z, t);
		else
			match_instruction(&z, t);
	}
	return z.end && reader_end(&z.r) ? (long)z.n : FG_EFORMAT;
}
