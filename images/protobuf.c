/* SPDX-License-Identifier: Apache-2.0 */
#include "images/protobuf.h"

#include "crypto/err.h"

#define VARINT_BYTES 10u /* 64 bits, seven a byte */
#define NUMBER_MAX ((1u << 29) - 1)

void
protobuf_begin(struct protobuf *it, struct view message)
{
	reader_init(&it->r, message);
}

static uint64_t
varint(struct reader *r)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < VARINT_BYTES; i++) {
		uint8_t b = reader_u8(r);
		/* The tenth byte has room for one bit. */
		if (i == VARINT_BYTES - 1 && b > 1)
			break;
		value |= (uint64_t)(b & 0x7f) << (7 * i);
		if (!(b & 0x80))
			return value;
	}
	reader_fail(r);
	return 0;
}

int
protobuf_next(struct protobuf *it, struct protobuf_field *ret)
{
	struct reader *r = &it->r;
	if (reader_end(r))
		return 0;
	uint64_t tag = varint(r);
	struct protobuf_field f = { .number = (uint32_t)(tag >> 3), .wire = (enum protobuf_wire)(tag & 7) };
	if (r->bad || tag >> 3 > NUMBER_MAX || f.number == 0)
		return FG_EFORMAT;
	if (f.wire == PROTOBUF_VARINT)
		f.value = varint(r);
	else if (f.wire == PROTOBUF_FIXED64)
		f.value = reader_u64le(r);
	else if (f.wire == PROTOBUF_FIXED32)
		f.value = reader_u32le(r);
	else if (f.wire == PROTOBUF_BYTES) {
		uint64_t n = varint(r);
		if (n > reader_left(r))
			return FG_EFORMAT;
		f.bytes = reader_take(r, (size_t)n);
	} else {
		return FG_EFORMAT; /* groups, and what was never given out */
	}
	if (r->bad)
		return FG_EFORMAT;
	*ret = f;
	return 1;
}
