/* SPDX-License-Identifier: Apache-2.0 */
#include "images/detools_pack.h"

#include <stdlib.h>

#include "crypto/err.h"

#define IN_SIZE 4096u
#define NUMBER_BITS_MAX 62u
#define CRLE_AS_IS 0u
#define CRLE_REPEATED 1u

struct detools_pack {
	struct delta *d;
	enum detools_packing packing;
	struct delta_stream *stream; /* of bytes as they are, for the two kinds decoded here */
	uint64_t left;               /* of it, not fetched */
	size_t i, n;
	uint8_t in[IN_SIZE];
	/* crle: the run being given out; heatshrink: what is still to be repeated */
	uint64_t run;
	bool repeated;
	uint8_t value;
	/* heatshrink */
	unsigned window_bits, lookahead_bits, bits_n;
	uint32_t bits; /* the lowest bits_n are to come */
	size_t head, distance;
	uint8_t window[1u << DETOOLS_WINDOW_BITS_MAX];
};

static int
broken(struct detools_pack *p, const char *what)
{
	return delta_refuse(p->d, DELTA_MALFORMED, "%s: %s", p->packing == DETOOLS_CRLE ? "crle" : "heatshrink", what);
}

static int
fetch(struct detools_pack *p)
{
	size_t n = p->left < IN_SIZE ? (size_t)p->left : IN_SIZE;
	if (n == 0)
		return broken(p, "the patch ends too early");
	int err = delta_stream_read(p->stream, p->in, n);
	p->i = 0;
	p->n = err ? 0 : n;
	p->left -= n;
	return err;
}

static int
byte(struct detools_pack *p, uint8_t *ret)
{
	int err = p->i == p->n ? fetch(p) : 0;
	if (!err)
		*ret = p->in[p->i++];
	return err;
}

/* ---- crle ---- */

static int
crle_next(struct detools_pack *p)
{
	uint8_t kind = 0, b = 0;
	int err = byte(p, &kind);
	if (err)
		return err;
	if (kind != CRLE_AS_IS && kind != CRLE_REPEATED)
		return broken(p, "a run of no known kind");
	p->run = 0;
	unsigned shift = 0;
	do {
		err = byte(p, &b);
		if (err)
			return err;
		if (shift > NUMBER_BITS_MAX - 7)
			return broken(p, "a run that no file can hold");
		p->run |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80);
	p->repeated = kind == CRLE_REPEATED;
	return p->repeated ? byte(p, &p->value) : 0;
}

static int
crle_read(struct detools_pack *p, uint8_t *to, size_t n)
{
	while (n > 0) {
		int err = p->run == 0 ? crle_next(p) : 0;
		size_t k = p->run < n ? (size_t)p->run : n;
		if (!err && k > 0 && p->repeated) {
			memset(to, p->value, k);
		} else if (!err && k > 0) {
			err = p->i == p->n ? fetch(p) : 0;
			k = p->n - p->i < k ? p->n - p->i : k;
			memcpy(to, p->in + p->i, k);
			p->i += k;
		}
		if (err)
			return err;
		p->run -= k;
		to += k;
		n -= k;
	}
	return 0;
}

/* ---- heatshrink ---- */

static int
bits(struct detools_pack *p, unsigned n, uint32_t *ret)
{
	while (p->bits_n < n) {
		uint8_t b = 0;
		int err = byte(p, &b);
		if (err)
			return err;
		p->bits = p->bits << 8 | b;
		p->bits_n += 8;
	}
	p->bits_n -= n;
	*ret = p->bits >> p->bits_n & ((UINT32_C(1) << n) - 1);
	return 0;
}

static int
heatshrink_begin(struct detools_pack *p)
{
	uint8_t b = 0;
	int err = byte(p, &b);
	p->window_bits = DETOOLS_WINDOW_BITS_MIN + (b >> 4);
	p->lookahead_bits = DETOOLS_LOOKAHEAD_BITS_MIN + (b & 0xf);
	if (!err && (p->window_bits > DETOOLS_WINDOW_BITS_MAX || p->lookahead_bits >= p->window_bits))
		return broken(p, "widths that the library does not have");
	return err;
}

static int
heatshrink_read(struct detools_pack *p, uint8_t *to, size_t n)
{
	size_t mask = ((size_t)1 << p->window_bits) - 1;
	for (size_t done = 0; done < n;) {
		uint32_t literal = 0, value = 0;
		int err = p->run == 0 ? bits(p, 1, &literal) : 0;
		if (!err && p->run == 0 && literal) {
			err = bits(p, 8, &value);
			p->distance = 0;
			p->value = (uint8_t)value;
			p->run = 1;
		} else if (!err && p->run == 0) {
			err = bits(p, p->window_bits, &value);
			p->distance = (size_t)value + 1;
			if (!err)
				err = bits(p, p->lookahead_bits, &value);
			p->run = (uint64_t)value + 1;
		}
		if (err)
			return err;
		for (; p->run > 0 && done < n; p->run--) {
			uint8_t b = p->distance ? p->window[(p->head - p->distance) & mask] : p->value;
			p->window[p->head++ & mask] = b;
			to[done++] = b;
		}
	}
	return 0;
}

/* ---- all of them ---- */

static enum delta_packing
underneath(enum detools_packing packing)
{
	switch (packing) {
	case DETOOLS_LZMA:
		return DELTA_LZMA_ALONE;
	case DETOOLS_BZ2:
		return DELTA_BZ2;
	case DETOOLS_ZSTD:
		return DELTA_ZSTD;
	case DETOOLS_LZ4:
		return DELTA_LZ4;
	default:
		return DELTA_PLAIN;
	}
}

int
detools_pack_open(struct delta *d, enum detools_packing packing, uint64_t at, struct detools_pack **ret)
{
	struct detools_pack *p = calloc(1, sizeof *p);
	*ret = NULL;
	if (!p)
		return FG_ENOMEM;
	p->d = d;
	p->packing = packing;
	p->left = delta_patch(d)->size - at;
	int err = delta_stream_open(d, "the patch", underneath(packing), at, p->left, &p->stream);
	if (!err && packing == DETOOLS_HEATSHRINK)
		err = heatshrink_begin(p);
	if (err)
		detools_pack_close(p);
	else
		*ret = p;
	return err;
}

void
detools_pack_close(struct detools_pack *p)
{
	if (!p)
		return;
	delta_stream_close(p->stream);
	free(p);
}

int
detools_pack_read(struct detools_pack *p, void *buf, size_t n)
{
	if (p->packing == DETOOLS_CRLE)
		return crle_read(p, buf, n);
	return p->packing == DETOOLS_HEATSHRINK ? heatshrink_read(p, buf, n) : delta_stream_read(p->stream, buf, n);
}

int
detools_pack_finish(struct detools_pack *p)
{
	if (p->packing == DETOOLS_CRLE || p->packing == DETOOLS_HEATSHRINK) {
		/* Fewer than 8 zero bits fill the last byte, too few for another code. */
		bool padded = p->bits_n < 8 && (p->bits & ((UINT32_C(1) << p->bits_n) - 1)) == 0;
		if (p->run > 0 || !padded || p->i < p->n || p->left > 0)
			return broken(p, "goes on behind the end of the target");
	}
	return delta_stream_finish(p->stream);
}

int
detools_pack_number(struct detools_pack *p, int64_t *ret)
{
	uint8_t b = 0;
	int err = detools_pack_read(p, &b, 1);
	bool negative = b & 0x40;
	uint64_t value = b & 0x3f;
	for (unsigned shift = 6; !err && b & 0x80; shift += 7) {
		err = detools_pack_read(p, &b, 1);
		if (!err && shift > NUMBER_BITS_MAX - 7)
			return delta_refuse(p->d, DELTA_MALFORMED, "a number of more than %u bits", NUMBER_BITS_MAX);
		value |= (uint64_t)(b & 0x7f) << shift;
	}
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return err;
}
