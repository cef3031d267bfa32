/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg_table - how each message of msg.h lies on the wire, as data. Private to
 * gateway/wire: msg_table.c holds the tables, msg.c walks them.
 *
 * On the wire: integers big-endian at their width, signed ones as two's
 * complement; bool and enum one byte; text and views a u32 length and the
 * bytes; an array a u32 count and its elements; fixed bytes as they are.
 */
#ifndef FG_GATEWAY_WIRE_MSG_TABLE_H
#define FG_GATEWAY_WIRE_MSG_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum msg_kind {
	MSG_KIND_END = 0,
	MSG_KIND_U8,
	MSG_KIND_U16,
	MSG_KIND_U32,
	MSG_KIND_U64,
	MSG_KIND_I32,
	MSG_KIND_I64,
	MSG_KIND_BOOL,
	MSG_KIND_ENUM,  /* u8 below limit */
	MSG_KIND_TEXT,  /* char[size], terminated */
	MSG_KIND_BYTES, /* uint8_t[size] */
	MSG_KIND_VIEW,  /* struct view of at most limit bytes */
	MSG_KIND_ARRAY, /* uint32_t at count, at most limit elements of size bytes each, laid out as sub */
};

struct msg_field {
	uint8_t kind;
	uint32_t offset;
	uint32_t size;
	uint32_t limit; /* ENUM: first value refused; VIEW: bytes; ARRAY: elements; U32: largest value, 0 = any */
	uint32_t count;
	const struct msg_field *sub;
};

#define MSG_FD_FLAGS_MAX 6
#define MSG_NOWHERE UINT32_MAX

/*
 * Descriptors of a message: always + one for each true flag + the number in a
 * field + one when an error field is zero.
 */
struct msg_fd_rule {
	unsigned always;
	unsigned flags_n;
	uint32_t flags[MSG_FD_FLAGS_MAX]; /* offsets of bools */
	uint32_t number;                  /* offset of a uint32_t, or MSG_NOWHERE */
	uint32_t unless;                  /* offset of an int32_t, or MSG_NOWHERE */
};

struct msg_layout {
	const char *name;
	size_t size;
	const struct msg_field *fields; /* NULL for a message without body */
	struct msg_fd_rule fds;
};

/* NULL for an unknown type. */
const struct msg_layout *msg_table_layout(unsigned type);

#endif
