/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader - bounded, sticky-error reader of untrusted bytes.
 * Role: every binary decoder of the house. Guarantees: never reads outside the
 * view, never allocates; after the first overrun every getter returns zero or
 * an empty view and reader_end() is false, so a decoder may read all fields
 * and check once.
 */
#ifndef FG_CRYPTO_READER_H
#define FG_CRYPTO_READER_H

#include "crypto/view.h"

struct reader {
	const uint8_t *p;
	size_t n;
	size_t off; /* byte to name in an error */
	bool bad;
};

void reader_init(struct reader *r, struct view input);
uint8_t reader_u8(struct reader *r);
/* Big-endian unless the name says le. */
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint16_t reader_u16le(struct reader *r);
uint32_t reader_u32le(struct reader *r);
uint64_t reader_u64le(struct reader *r);
/* The next n bytes, borrowed from the input. */
struct view reader_take(struct reader *r, size_t n);
/* Copies exactly n bytes; zeroes dst when there are fewer. */
void reader_copy(struct reader *r, void *dst, size_t n);
/* u32 length and that many bytes; longer than max is an error. */
struct view reader_blob(struct reader *r, size_t max);
/*
 * The same into dst as a C string: refuses an embedded NUL and anything that
 * does not fit in cap with its terminator. dst is "" after an error.
 */
void reader_cstr(struct reader *r, char *dst, size_t cap);
/* 0 or 1; any other byte is an error. */
bool reader_bool(struct reader *r);
/* An u8 below limit, else error (and 0): for enums. */
unsigned reader_enum(struct reader *r, unsigned limit);
size_t reader_left(const struct reader *r);
/* Marks the reader bad, for checks of the decoder's own. */
void reader_fail(struct reader *r);
/* True when nothing went wrong and every byte was consumed. */
bool reader_end(const struct reader *r);

#endif
