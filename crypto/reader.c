/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/reader.h"

static const uint8_t *
advance(struct reader *r, size_t n)
{
	if (r->bad || n > r->n - r->off) {
		r->bad = true;
		return NULL;
	}
	/* An empty view may have no address, to which nothing may be added. */
	static const uint8_t nothing[1];
	const uint8_t *p = r->p ? r->p + r->off : nothing;
	r->off += n;
	return p;
}

static uint64_t
big_endian(struct reader *r, size_t n)
{
	const uint8_t *p = advance(r, n);
	uint64_t v = 0;
	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t
little_endian(struct reader *r, size_t n)
{
	const uint8_t *p = advance(r, n);
	uint64_t v = 0;
	for (size_t i = n; p && i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

void
reader_init(struct reader *r, struct view input)
{
	*r = (struct reader){ .p = input.p, .n = input.n };
}

uint8_t
reader_u8(struct reader *r)
{
	return (uint8_t)big_endian(r, 1);
}

uint16_t
reader_u16(struct reader *r)
{
	return (uint16_t)big_endian(r, 2);
}

uint32_t
reader_u32(struct reader *r)
{
	return (uint32_t)big_endian(r, 4);
}

uint64_t
reader_u64(struct reader *r)
{
	return big_endian(r, 8);
}

uint16_t
reader_u16le(struct reader *r)
{
	return (uint16_t)little_endian(r, 2);
}

uint32_t
reader_u32le(struct reader *r)
{
	return (uint32_t)little_endian(r, 4);
}

uint64_t
reader_u64le(struct reader *r)
{
	return little_endian(r, 8);
}

struct view
reader_take(struct reader *r, size_t n)
{
	const uint8_t *p = advance(r, n);
	return p ? view_of(p, n) : view_of(NULL, 0);
}

void
reader_copy(struct reader *r, void *dst, size_t n)
{
	const uint8_t *p = advance(r, n);
	if (p && n)
		memcpy(dst, p, n);
	else
		memset(dst, 0, n);
}

struct view
reader_blob(struct reader *r, size_t max)
{
	uint32_t n = reader_u32(r);
	if (n > max)
		r->bad = true;
	return reader_take(r, n);
}

void
reader_cstr(struct reader *r, char *dst, size_t cap)
{
	struct view v = reader_blob(r, cap - 1);
	dst[0] = '\0';
	if (r->bad)
		return;
	if (v.n && memchr(v.p, '\0', v.n)) {
		r->bad = true;
		return;
	}
	if (v.n)
		memcpy(dst, v.p, v.n);
	dst[v.n] = '\0';
}

bool
reader_bool(struct reader *r)
{
	return reader_enum(r, 2) == 1;
}

unsigned
reader_enum(struct reader *r, unsigned limit)
{
	unsigned v = reader_u8(r);
	if (v < limit)
		return v;
	r->bad = true;
	return 0;
}

size_t
reader_left(const struct reader *r)
{
	return r->bad ? 0 : r->n - r->off;
}

void
reader_fail(struct reader *r)
{
	r->bad = true;
}

bool
reader_end(const struct reader *r)
{
	return !r->bad && r->off == r->n;
}
