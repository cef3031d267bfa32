/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_open - what an opener of a format is given, and the only ways in which it
 * can put something into the tree.
 * Role: part_*.c. An opener is called once for each part of its format and reads
 * part_bytes(); it adds children of that part in any order (they are sorted when
 * it returns: by place, or, files, by name), says what else is the format's own,
 * and is done: the children are recognised and opened in their turn.
 *
 * Guarantees: a child lies within its parent; whatever the opener neither gave to
 * a child nor called structure becomes a part of its own afterwards. An opener
 * returns 0 whatever the bytes are and a negative fg_err only for local failure;
 * it may hand on what these functions return, FG_ELIMIT too: that was told.
 */
#ifndef FG_IMAGES_PART_OPEN_H
#define FG_IMAGES_PART_OPEN_H

#include "images/part.h"

struct part_ctx; /* tree being built, the part being opened */
/* self is the part being opened; nothing can be added to another one. */
typedef int part_fn(struct part_ctx *c, uint32_t self);
/* part_table.c. NULL: that format is not opened. */
part_fn *part_of(enum format_id format);

/* Valid until the opener returns. */
const struct source *part_bytes(const struct part_ctx *c, uint32_t self);
/* What self was found to be: an opener of several formats asks. */
enum format_id part_format(const struct part_ctx *c, uint32_t self);
enum part_kind part_kind(const struct part_ctx *c, uint32_t self);
/*
 * A child by place, which must lie within self (else FG_ELIMIT, and self is told
 * as damaged). name is copied. Returns its index, or FG_ENOMEM, FG_ELIMIT (told).
 */
int64_t part_region(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name,
    uint64_t at, uint64_t length);
/*
 * The same for a header or table of self's own, up to where self ends; *ret_end
 * is where it ends. A length that leaves self is told. 0, or as above.
 */
int part_header(struct part_ctx *c, uint32_t self, const char *name, uint64_t at, uint64_t length,
    uint64_t *ret_end);
/*
 * A child whose bytes are read from read() to its end into the scratch file.
 * read() is as walk_member.read: 0 at the end, FG_EFORMAT for a damaged stream,
 * FG_ELIMIT for a bound of its own; after either the child stays with the bytes
 * that came, partial. packed_length may be 0 (not known where from).
 */
int64_t part_expand(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name,
    long (*read)(void *arg, void *buf, size_t n), void *arg, uint64_t packed_at, uint64_t packed_length);
/* Takes back the child that was added last: it proved not to be what it looked like. Its bytes count as in vain. */
void part_forget(struct part_ctx *c, uint32_t i);
/*
 * A child that has the bytes of same, an earlier child of self: another name of one file. Over PART_ALIASED_MAX it has
 * none, and says so.
 */
int64_t part_alias(struct part_ctx *c, uint32_t self, struct view name, uint32_t same);
/* A child without bytes of its own (folder, link, device). */
int64_t part_bare(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name);
/*
 * The root folder of a file system, which no entry names, as the folder ".": whoever owns it, or may write it, can
 * put another one in the place of any folder in it. 0, or as above.
 */
int part_root(struct part_ctx *c, uint32_t self, uint32_t mode, uint32_t uid, uint32_t gid);
/*
 * Child i, the one that was added last, is put together (also) from this range of self, which must lie
 * within it: told in place of .packed_at, where there are several. 0, FG_ENOMEM, FG_ELIMIT (told).
 */
int part_piece(struct part_ctx *c, uint32_t i, uint64_t at, uint64_t length);
/* What a file of that mode, as stat(2) has it, is; a socket is as empty as a pipe. PART_NONE: no such type. */
enum part_kind part_kind_of(uint32_t mode);
/* Mode, of which the lower twelve bits are kept, and owners of child i. */
void part_rights(struct part_ctx *c, uint32_t i, uint32_t mode, uint32_t uid, uint32_t gid);
/*
 * Which device child i is, by the number as Linux packs it: twelve bits of major between the lower eight and the
 * upper twelve of minor. block: one of blocks.
 */
void part_device(struct part_ctx *c, uint32_t i, bool block, uint32_t packed);
/* To set packed range, attributes and the like; valid until the next child. */
struct part *part_edit(struct part_ctx *c, uint32_t i);
/* Where a link leads; copied. 0 or FG_ENOMEM. */
int part_link(struct part_ctx *c, uint32_t i, struct view target);
/*
 * Says that a range of self is the format's own and was checked to be nothing
 * else (headers, tables, padding). What leaves self is cut. 0 or FG_ENOMEM.
 */
int part_structure(struct part_ctx *c, uint32_t self, uint64_t at, uint64_t length);
/*
 * The same for length bytes that must be zeros (FF too with ones), as far as they
 * are: *ret_end (which may be NULL) is the first that is none. 0, FG_ENOMEM, FG_EIO.
 */
int part_padding(struct part_ctx *c, uint32_t self, uint64_t at, uint64_t length, bool ones, uint64_t *ret_end);
/*
 * What follows the first used bytes of self, a file system that ends there: padding of zeros or ones, then the region
 * "rest". Where self ends before, that is told. 0, or as part_region().
 */
int part_rest(struct part_ctx *c, uint32_t self, uint64_t used);
/* Self is damaged or cannot be read (to its end): why is a static sentence. The first one stays. */
void part_untold(struct part_ctx *c, uint32_t self, const char *why);
/* The same because of a bound. */
void part_limit(struct part_ctx *c, uint32_t self, const char *why);
/* To be counted in by readers with a bound on work of their own, for all parts together (squashfs). */
uint64_t *part_work(struct part_ctx *c);
/* What was tried on a magic number and was nothing, in all parts together: for part_scan.c, which bounds it. */
struct part_tried {
	unsigned headers, streams;
	uint64_t vain; /* bytes gone through for that, and those that came out and were taken back */
};
struct part_tried *part_tried(struct part_ctx *c);
/* Bytes of the image, and all that came out of it so far. */
uint64_t part_all(const struct part_ctx *c);

#endif
