/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer - growing byte buffer with a maximum and a sticky error.
 * Role: every encoder. A writer that failed keeps failing; writer_err() is
 * asked once at the end. Contents may be secret: writer_free wipes.
 */
#ifndef FG_CRYPTO_WRITER_H
#define FG_CRYPTO_WRITER_H

#include "crypto/view.h"

struct writer {
	uint8_t *p;
	size_t n;
	size_t cap;
	size_t max;
	int err; /* 0, FG_ENOMEM or FG_ELIMIT */
};

/* No allocation until the first byte. max bounds n for ever. */
void writer_init(struct writer *w, size_t max);
void writer_free(struct writer *w);
/* Empties it (error too), keeps the memory. */
void writer_reset(struct writer *w);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, struct view v);
/* The bytes of s, no terminator, no length. */
void writer_text(struct writer *w, const char *s);
/* In decimal digits, as text. What writer_textf() does with %PRIu64, without its cost. */
void writer_decimal(struct writer *w, uint64_t v);
void writer_textf(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* u32 length and bytes: what reader_blob and reader_cstr read. */
void writer_blob(struct writer *w, struct view v);
void writer_cstr(struct writer *w, const char *s);
int writer_err(const struct writer *w);
/* What was written; lives until the next write or free. */
struct view writer_view(const struct writer *w);
/*
 * Moves the buffer out to the caller, who frees it with free(); the bytes are
 * followed by a NUL that is not counted. NULL after an error.
 */
uint8_t *writer_take(struct writer *w, size_t *ret_n);

#endif
