/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cbor.h"

#define NULL_VALUE 22 /* RFC 8949, section 3.3 */

enum cbor_major
cbor_peek(const struct reader *r)
{
	return r->bad || reader_left(r) == 0 ? CBOR_END : (enum cbor_major)(r->p[r->off] >> 5);
}

/* The head of an item of that kind; its argument. */
static uint64_t
head(struct reader *r, enum cbor_major major)
{
	uint8_t first = reader_u8(r);
	unsigned small = first & 31;
	uint64_t value = small;
	if (r->bad || first >> 5 != (unsigned)major || small > 27) { /* 31: of no known length */
		reader_fail(r);
		return 0;
	}
	if (small == 24)
		value = reader_u8(r);
	else if (small == 25)
		value = reader_u16(r);
	else if (small == 26)
		value = reader_u32(r);
	else if (small == 27)
		value = reader_u64(r);
	static const uint64_t least[] = { 24, 0x100, 0x10000, 0x100000000 };
	bool longer = small >= 24 && value < least[small - 24];
	if (major == CBOR_SIMPLE && small == 24)
		longer = value < 32; /* RFC 8949, section 3.3 */
	if (r->bad || longer) {
		reader_fail(r);
		return 0;
	}
	return value;
}

uint64_t
cbor_uint(struct reader *r)
{
	return head(r, CBOR_UINT);
}

int64_t
cbor_int(struct reader *r)
{
	bool negative = cbor_peek(r) == CBOR_NEGATIVE;
	uint64_t value = head(r, negative ? CBOR_NEGATIVE : CBOR_UINT);
	if (value > INT64_MAX) {
		reader_fail(r);
		return 0;
	}
	return negative ? -1 - (int64_t)value : (int64_t)value;
}

static struct view
string(struct reader *r, enum cbor_major major)
{
	uint64_t n = head(r, major);
	if (n > reader_left(r)) {
		reader_fail(r);
		return view_of(NULL, 0);
	}
	return reader_take(r, (size_t)n);
}

struct view
cbor_bytes(struct reader *r)
{
	return string(r, CBOR_BYTES);
}

struct view
cbor_text(struct reader *r)
{
	return string(r, CBOR_TEXT);
}

/* An item takes a byte at least, so a count beyond what is left is a lie. */
static size_t
count(struct reader *r, enum cbor_major major, size_t max)
{
	uint64_t n = head(r, major);
	if (n > max || n > reader_left(r)) {
		reader_fail(r);
		return 0;
	}
	return (size_t)n;
}

size_t
cbor_array(struct reader *r, size_t max)
{
	return count(r, CBOR_ARRAY, max);
}

size_t
cbor_map(struct reader *r, size_t max)
{
	return count(r, CBOR_MAP, max);
}

uint64_t
cbor_tag(struct reader *r)
{
	return head(r, CBOR_TAG);
}

void
cbor_null(struct reader *r)
{
	if (head(r, CBOR_SIMPLE) != NULL_VALUE)
		reader_fail(r);
}

/*
 * Without recursion: left[d] items are still to come at depth d. Work is bounded
 * by the bytes, of which every item takes one.
 */
struct view
cbor_skip(struct reader *r)
{
	uint64_t left[CBOR_DEPTH_MAX + 1] = { 1 };
	size_t from = r->off, depth = 0;
	while (!r->bad) {
		if (left[depth] == 0) {
			if (depth == 0)
				break;
			depth--;
			continue;
		}
		left[depth]--;
		enum cbor_major major = cbor_peek(r);
		uint64_t inside = 0;
		if (major == CBOR_BYTES || major == CBOR_TEXT)
			(void)string(r, major);
		else if (major == CBOR_ARRAY)
			inside = count(r, major, SIZE_MAX);
		else if (major == CBOR_MAP)
			inside = 2 * (uint64_t)count(r, major, SIZE_MAX / 2);
		else if (major == CBOR_TAG)
			inside = head(r, major) || !r->bad ? 1 : 0;
		else if (major == CBOR_SIMPLE && r->p[r->off] >= 0xf9 && r->p[r->off] <= 0xfb)
			(void)reader_take(r, 1 + ((size_t)1 << (r->p[r->off] - 0xf8))); /* a float */
		else
			(void)head(r, major == CBOR_END ? CBOR_UINT : major);
		if (!inside)
			continue;
		if (depth == CBOR_DEPTH_MAX)
			reader_fail(r);
		else
			left[++depth] = inside;
	}
	return r->bad ? view_of(NULL, 0) : view_of(r->p + from, r->off - from);
}
