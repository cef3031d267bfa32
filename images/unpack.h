/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack - one gzip or zstd stream as a run of expanded bytes.
 * Role: members that a container says are packed; fits walk_member.read.
 * Guarantees: reads only the range it was given; memory bounded (zstd: a window
 * of at most 128 MiB, which is what zstd(1) itself allows); how much comes out is
 * the caller's to bound, as walk_member() does.
 */
#ifndef FG_IMAGES_UNPACK_H
#define FG_IMAGES_UNPACK_H

#include "crypto/sig.h"
#include "images/source.h"

enum unpack_kind { UNPACK_NONE = 0, UNPACK_GZIP, UNPACK_ZSTD };

struct unpack;

/* s is borrowed. NULL without memory. Aborts for UNPACK_NONE or a range that leaves s. */
struct unpack *unpack_new(enum unpack_kind kind, const struct source *s, struct sig_range at);
void unpack_free(struct unpack *u);
/*
 * Up to n (over 0) expanded bytes: their number, 0 at the end of the stream,
 * FG_EFORMAT for one that is damaged or cut, FG_ENOMEM, FG_EIO. arg is a struct unpack.
 */
long unpack_read(void *arg, void *buf, size_t n);
/* Bytes of the range behind the end of the stream; only after unpack_read() gave 0. */
uint64_t unpack_left(const struct unpack *u);

#endif
