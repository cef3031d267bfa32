/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf - walks the fields of one Protocol Buffers message in untrusted bytes.
 * Role: manifests of formats that use it. Guarantees: never reads outside the
 * view, never allocates, never recurses (a nested message is bytes, which the
 * caller walks in its turn), linear time. What a schema-driven decoder papers
 * over (wrong wire types, overlong numbers, groups) is an error here.
 */
#ifndef FG_IMAGES_PROTOBUF_H
#define FG_IMAGES_PROTOBUF_H

#include "crypto/reader.h"

enum protobuf_wire {
	PROTOBUF_VARINT = 0,
	PROTOBUF_FIXED64 = 1,
	PROTOBUF_BYTES = 2,
	PROTOBUF_FIXED32 = 5,
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_wire wire;
	uint64_t value;    /* of numbers */
	struct view bytes; /* of PROTOBUF_BYTES; borrowed from the message */
};

struct protobuf {
	struct reader r; /* r.off: byte to name in an error */
};

void protobuf_begin(struct protobuf *it, struct view message);
/* 1 and the next field; 0 at the end; FG_EFORMAT for bytes that are no message, ret is untouched then. */
int protobuf_next(struct protobuf *it, struct protobuf_field *ret);

#endif
