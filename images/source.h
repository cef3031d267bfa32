/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - a hostile image as a bounded, positioned read: a regular file by its
 * descriptor, or bytes in memory (tests, fuzzing, things held already).
 * Role: everything in images/ reads through this. Guarantees: never maps a file
 * (a file that shrinks under a mapping kills the reader), never moves the
 * descriptor's offset, no short reads: a file that became shorter is FG_EIO.
 */
#ifndef FG_IMAGES_SOURCE_H
#define FG_IMAGES_SOURCE_H

#include "crypto/digest.h"
#include "crypto/view.h"

#define SOURCE_CHUNK (1u << 20) /* bytes asked for at once when a whole image is read */
/* Largest image: sums of two offsets stay far below 2^53, which JSON's integers end at. */
#define SOURCE_SIZE_MAX ((uint64_t)1 << 50)

struct source {
	int fd; /* borrowed; -1 for memory */
	const uint8_t *mem;
	uint64_t base; /* where it begins in the file; 0 but for windows */
	uint64_t size; /* as it was when opened: bytes beyond are not looked at */
};

/*
 * fd stays the caller's and must outlive the source. FG_EINVAL when it is no
 * regular file, FG_ELIMIT over SOURCE_SIZE_MAX, FG_EIO.
 */
int source_open(struct source *ret, int fd);
/* bytes stay the caller's. */
void source_memory(struct source *ret, struct view bytes);
/* A part of s as a source of its own, valid as long as s. FG_ELIMIT when it does not lie within s. */
int source_window(const struct source *s, uint64_t offset, uint64_t length, struct source *ret);
/*
 * Exactly n bytes from offset. FG_ELIMIT when they do not lie within size (buf
 * untouched), FG_EIO when the file is shorter than it was or cannot be read.
 */
int source_read(const struct source *s, uint64_t offset, void *buf, size_t n);
/* At most n bytes from offset, fewer only at the end; count or negative fg_err. */
long source_read_some(const struct source *s, uint64_t offset, void *buf, size_t n);
/* Bytes of memory to read length bytes with: as many, at most SOURCE_CHUNK, never 0. */
size_t source_chunk(uint64_t length);
/* SHA-256 of all of it, read once in order. 0, FG_EIO, FG_ENOMEM, FG_ECRYPTO. */
int source_digest(const struct source *s, uint8_t ret[DIGEST_SHA256_LEN]);
/* Tells the kernel that the whole will be read once, in order. A hint: cannot fail. */
void source_sequential(const struct source *s);

#endif
