/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cbor - strict reading of CBOR (RFC 8949) as signed formats use it: one item
 * after the other, lengths known beforehand, every head in its shortest form.
 * Role: COSE here, SUIT in images/. Guarantees: never reads outside the view,
 * never allocates; after the first thing that is not as asked for, every getter
 * returns zero or an empty view and reader->bad is set. What has two encodings
 * for one meaning is refused, because digests are over bytes.
 */
#ifndef FG_CRYPTO_CBOR_H
#define FG_CRYPTO_CBOR_H

#include "crypto/reader.h"

#define CBOR_DEPTH_MAX 8 /* arrays, maps and tags inside each other that cbor_skip() goes into */

enum cbor_major {
	CBOR_UINT = 0,
	CBOR_NEGATIVE,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_TAG,
	CBOR_SIMPLE, /* false, true, null and floats */
	CBOR_END,    /* nothing is left, or the reader is bad */
};

/* What comes next; nothing is consumed. */
enum cbor_major cbor_peek(const struct reader *r);
uint64_t cbor_uint(struct reader *r);
/* Positive or negative; beyond int64_t is an error. */
int64_t cbor_int(struct reader *r);
struct view cbor_bytes(struct reader *r);
/* UTF-8 is not checked: what is shown is escaped. */
struct view cbor_text(struct reader *r);
/* Number of items / of pairs; more than max is an error. */
size_t cbor_array(struct reader *r, size_t max);
size_t cbor_map(struct reader *r, size_t max);
uint64_t cbor_tag(struct reader *r);
void cbor_null(struct reader *r);
/* One item of any kind; its bytes, borrowed. */
struct view cbor_skip(struct reader *r);

#endif
