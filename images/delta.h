/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta - what a delta makes of a base: one application, one format a file
 * (delta_bsdiff.c, delta_vcdiff.c, ...), entered in delta_table.c.
 * Role: the inspector's delta stage, and the proof of a delta that the gateway
 * made itself. Guarantees: base and patch are read only within their bounds, and
 * a read outside is told, never answered with zeros; the target is written
 * strictly forward, hashed while it is written, and never longer than what the
 * patch declared nor than the cap; every stream of the patch must be used up
 * exactly; the memory that decoders take is bounded by DELTA_MEMORY_MAX,
 * whatever the patch says.
 * Whatever the bytes are, delta_apply() returns 0 and the outcome is in the
 * result; a negative fg_err is a local failure and no word about the patch.
 *
 * Within an applier the two look alike: a refusal is told once
 * (delta_refuse()) and then comes back as FG_EFORMAT from every call, so that
 * an applier hands on whatever error it was given.
 */
#ifndef FG_IMAGES_DELTA_H
#define FG_IMAGES_DELTA_H

#include "crypto/digest.h"
#include "crypto/sig.h"
#include "images/format.h"
#include "images/source.h"

#define DELTA_TARGET_MAX ((uint64_t)2 << 30) /* bytes of a target; an image that a module flashes is smaller */
#define DELTA_MEMORY_MAX ((size_t)96 << 20)  /* a 64 MiB window of xz -9, or brotli's 16 MiB and others beside it */
#define DELTA_APPLIER_MAX 32
#define DELTA_WANTS_MAX 160

enum delta_outcome { /* zero: it is worth nothing */
	DELTA_MALFORMED = 0,
	DELTA_WRONG_BASE,  /* the patch says so itself: a digest, size or checksum of base or target does not fit */
	DELTA_UNSUPPORTED, /* a compression or operation without applier, by name in detail */
	DELTA_OPAQUE,      /* the whole format has none: said of it by others, never by delta_apply() */
	DELTA_LIMIT,
	DELTA_APPLIED,
};

struct delta_result {
	enum delta_outcome outcome;
	char applier[DELTA_APPLIER_MAX]; /* "bsdiff40/1": format and version of the applier, part of the proof */
	char detail[SIG_TEXT_MAX];       /* why not, or ""; plain ASCII */
	uint64_t target_size;            /* with DELTA_APPLIED, as is the digest */
	uint8_t target_sha256[DIGEST_SHA256_LEN];
	char wants[DELTA_WANTS_MAX];     /* what the patch says about the base it is for, or "" */
	bool checked;                    /* the patch carried a checksum over base or target, and it fitted */
	bool named;                      /* that checksum is a SHA-256 (or SHA-512/256) of the target, or of every part of it */
	uint64_t from_base, from_patch;  /* bytes of the target copied unchanged from the base; new or altered by the patch */
};

struct delta; /* one application */
typedef int delta_fn(struct delta *d);
/* NULL: that format has no applier. */
delta_fn *delta_of(enum format_id format);

/*
 * Applies patch to base into out: a regular file or memfd, which is truncated
 * first and keeps its offset; -1: nowhere, digest only. What out holds after an
 * outcome other than DELTA_APPLIED is nothing. FG_EINVAL for a format without
 * applier; FG_EIO (errno says why; EFBIG over the file size limit), FG_ENOMEM, FG_ECRYPTO.
 */
int delta_apply(enum format_id format, const struct source *patch, const struct source *base, int out,
    struct delta_result *ret);
/* The same, with a smaller cap on the target than DELTA_TARGET_MAX. */
int delta_apply_within(enum format_id format, const struct source *patch, const struct source *base, int out,
    uint64_t max, struct delta_result *ret);
/* The same by an applier that is given: of something that is no format of a file (an operation of a payload). */
int delta_apply_by(delta_fn *fn, const struct source *patch, const struct source *base, int out,
    struct delta_result *ret);
/* The same into memory: a target longer than room is DELTA_LIMIT. */
int delta_apply_memory(enum format_id format, const struct source *patch, const struct source *base,
    uint8_t *out, size_t room, struct delta_result *ret);
/* The same, where the module has bonus data beside the base (a recovery's resources), which IMGDIFF2 can want. */
int delta_apply_bonus(enum format_id format, const struct source *patch, const struct source *base,
    const struct source *bonus, int out, struct delta_result *ret);
/* "applied", "malformed", "wrong-base", "unsupported", "opaque", "limit"; never NULL. */
const char *delta_outcome_name(enum delta_outcome outcome);
/*
 * Bytes that a target may have, so that a patch of a few cannot fill memory or a disk: 64 MiB, and
 * eight times what patch and base have together; at most DELTA_TARGET_MAX.
 */
uint64_t delta_most(uint64_t patch, uint64_t base);

/* ---- for appliers ---- */

const struct source *delta_patch(const struct delta *d);
const struct source *delta_base(const struct delta *d);
/* "bsdiff40/1", first of all: a refusal names it too. */
void delta_applier(struct delta *d, const char *name);
/* Sets outcome and detail, once: the first counts. Always FG_EFORMAT, for `return delta_refuse(...)`. */
int delta_refuse(struct delta *d, enum delta_outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the patch says about its base ("sha256 ...", "adler32 ... of 4096 bytes"). Escaped here. */
void delta_wants(struct delta *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A checksum that the patch carries was compared with base or target, and fitted. */
void delta_checked(struct delta *d);
/* The same; it was a SHA-256 or SHA-512/256 of the target, or of each part of it: whoever signed the patch signed that. */
void delta_named(struct delta *d);

/* Exactly n bytes of the patch; FG_EFORMAT (told) where it is shorter. */
int delta_patch_read(struct delta *d, uint64_t at, void *buf, size_t n);
/* The target's size, once and before its first byte; FG_EFORMAT (told) over a cap. */
int delta_declare(struct delta *d, uint64_t size);
/* For a format that does not say it: as large as the caps allow. */
void delta_declare_open(struct delta *d);
uint64_t delta_declared(const struct delta *d);
uint64_t delta_written(const struct delta *d);
/* Appends bytes of the patch. FG_EFORMAT (told) when it would pass what was declared, as for the two below. */
int delta_put(struct delta *d, const void *buf, size_t n);
/* The same, of which from_base bytes were copied from the base (delta_base_read()) and are unchanged. */
int delta_put_mixed(struct delta *d, const void *buf, size_t n, size_t from_base);
/* Appends n bytes of the base from at, unchanged. FG_EFORMAT (told) outside the base. */
int delta_copy(struct delta *d, uint64_t at, uint64_t n);
/* Appends n bytes of the base from at, to each of which that of diff is added; diff holds the sums then. */
int delta_add(struct delta *d, uint64_t at, void *diff, size_t n);
/* Reads base bytes without writing any; FG_EFORMAT (told) outside. */
int delta_base_read(struct delta *d, uint64_t at, void *buf, size_t n);
/* Reads bytes of the target written so far; FG_EFORMAT (told) beyond. FG_EINVAL when out is -1. */
int delta_target_read(struct delta *d, uint64_t at, void *buf, size_t n);
/* False when there is none. */
bool delta_bonus(const struct delta *d, struct source *ret);
/*
 * A delta within the delta (delta_bsdiff's format, mostly): appends what it makes of a part of the base.
 * What refuses it refuses the whole, in its words.
 */
int delta_part(struct delta *d, enum format_id format, const struct source *patch, const struct source *base);
/*
 * The same into memory, of which it must make exactly n bytes; nothing is appended. *ret_from_base: how many of them
 * are the base's, unchanged. NULL is fine.
 */
int delta_part_memory(struct delta *d, enum format_id format, const struct source *patch,
    const struct source *base, uint8_t *out, size_t n, uint64_t *ret_from_base);
/*
 * Memory that an applier is about to allocate because the patch says so: FG_EFORMAT (told as
 * DELTA_LIMIT) when it would be more than DELTA_MEMORY_MAX in all.
 */
int delta_charge(struct delta *d, size_t n, const char *what);
void delta_discharge(struct delta *d, size_t n);
/* What may still be charged. */
size_t delta_memory_left(const struct delta *d);

/*
 * One compressed stream within the patch: bounded window, exact end
 * (delta_stream.c). What comes out is bounded by what is asked for: at most
 * DELTA_STREAM_BUFFER bytes are expanded ahead.
 */
enum delta_packing {
	DELTA_PLAIN = 0,
	DELTA_BZ2,
	DELTA_LZMA_ALONE,
	DELTA_XZ,      /* one stream; a window may not grow over that of its first block */
	DELTA_ZLIB,    /* RFC 1950 */
	DELTA_DEFLATE, /* RFC 1951, window of 32 KiB */
	DELTA_ZSTD,    /* one frame */
	DELTA_BROTLI,  /* RFC 7932: a window of at most 16 MiB */
	DELTA_LZ4,     /* one frame */
	DELTA_PACKING_LIMIT,
};
#define DELTA_STREAM_BUFFER (32u << 10)

struct delta_stream;
/* "bz2", "lzma", ...; never NULL. */
const char *delta_packing_name(enum delta_packing packing);
/*
 * The range of the patch as a stream, named (static text: "control", "extra") in
 * what is told about it. FG_EFORMAT (told) when it leaves the patch, FG_ENOMEM;
 * *ret is NULL then.
 */
int delta_stream_open(struct delta *d, const char *name, enum delta_packing packing, uint64_t at,
    uint64_t length, struct delta_stream **ret);
/* Exactly n bytes; FG_EFORMAT (told) when the stream ends before or is damaged. */
int delta_stream_read(struct delta_stream *s, void *buf, size_t n);
/* The stream is at its exact end and its range is used up; FG_EFORMAT (told) otherwise. */
int delta_stream_finish(struct delta_stream *s);
/*
 * For streams that a format cuts into pieces: the range is used up and nothing
 * comes out of it any more, though the stream need not be over.
 */
int delta_stream_drain(struct delta_stream *s);
/* drain, and the stream goes on with another range of the patch. Errors as for open and drain. */
int delta_stream_continue(struct delta_stream *s, uint64_t at, uint64_t length);
/* NULL is fine. */
void delta_stream_close(struct delta_stream *s);

#endif
