/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack - one compressed stream as a run of expanded bytes.
 * Role: members that a container says are packed, and packed parts of an image
 * that is taken apart; fits walk_member.read.
 * Guarantees: reads only the range it was given; memory bounded (a dictionary or
 * window of at most UNPACK_MEMORY_MAX, which is what zstd(1) itself allows); how
 * much comes out is the caller's to bound, as walk_member() does.
 */
#ifndef FG_IMAGES_UNPACK_H
#define FG_IMAGES_UNPACK_H

#include "crypto/sig.h"
#include "images/source.h"

#define UNPACK_MEMORY_MAX ((uint64_t)128 << 20) /* xz -9 needs 65 MiB to unpack */

enum unpack_kind {
	UNPACK_NONE = 0,
	UNPACK_GZIP,  /* one member */
	UNPACK_DEFLATE, /* without any header, as in a zip */
	UNPACK_ZSTD,  /* frames in a row, to the end of the range */
	UNPACK_ZSTD_FRAME, /* one frame */
	UNPACK_XZ,    /* one stream of the .xz form */
	UNPACK_BZIP2, /* one stream */
	UNPACK_LZMA,  /* the older form of a header of 13 bytes */
	UNPACK_LZMA2, /* bare LZMA2 behind two bytes, dictionary and literal bits, as MCUboot has it */
	UNPACK_LZMA2_THUMB, /* the same, through the filter for ARM Thumb code */
	UNPACK_LZ4,   /* one frame */
	UNPACK_LZ4_LEGACY, /* the Linux kernel's form: blocks of 8 MiB, up to what can be none */
};

struct unpack;

/* s is borrowed. NULL without memory. Aborts for UNPACK_NONE or a range that leaves s. */
struct unpack *unpack_new(enum unpack_kind kind, const struct source *s, struct sig_range at);
void unpack_free(struct unpack *u);
/*
 * Up to n (over 0) expanded bytes: their number, 0 at the end of the stream,
 * FG_EFORMAT for one that is damaged, cut, or wants more memory than it may have,
 * FG_ENOMEM, FG_EIO. arg is a struct unpack.
 */
long unpack_read(void *arg, void *buf, size_t n);
/* As walk_member.again: unpack_read() begins with the first byte again. 0 or FG_ENOMEM, after which it gives nothing. */
int unpack_again(void *arg);
/* Bytes of the range behind the end of the stream; only after unpack_read() gave 0. */
uint64_t unpack_left(const struct unpack *u);

#endif
