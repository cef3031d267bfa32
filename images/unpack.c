/* SPDX-License-Identifier: Apache-2.0 */
#include "images/unpack.h"

#include <bzlib.h>
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "crypto/err.h"

#define IN_SIZE (64u << 10)
#define LEGACY_MAGIC "\x02\x21\x4c\x18"
#define LEGACY_BLOCK (8 << 20) /* bytes that come out of each block but the last */
#define LZMA2_DICT_MAX 40 /* what the format's one byte can say */
#define GZIP_ONLY (16 + MAX_WBITS) /* no zlib or raw form: what the member is called is what it must be */

struct unpack {
	enum unpack_kind kind;
	struct source packed;
	uint64_t off; /* of packed, to be read next */
	bool ended;         /* the stream is over */
	int err;            /* it could not be read: told by the first read */
	bool failed;        /* it is damaged behind what was given; zstd: has no need of it */
	bool full, between; /* zstd: there was more than room; a frame is over and flushed */
	z_stream z;
	lzma_stream xz;
	bz_stream bz;
	ZSTD_DStream *zstd;
	LZ4F_dctx *lz4;
	char *block, *packed_block; /* lz4's older form: one block, expanded and not */
	size_t block_at, block_n;
	struct { size_t pos, size; } in; /* of bytes: what was read and is not consumed */
	uint8_t bytes[IN_SIZE];
};

/*
 * A dictionary of 2 or 3 times a power of two, by one byte; the second byte is for
 * decoders that plan their memory by it: each chunk says the same of itself.
 */
static bool
begin_lzma2(struct unpack *u, bool thumb)
{
	uint8_t head[2];
	lzma_options_lzma options = { .dict_size = UINT32_MAX };
	lzma_filter chain[3] = { { LZMA_FILTER_ARMTHUMB, NULL }, { LZMA_FILTER_LZMA2, &options },
		{ LZMA_VLI_UNKNOWN, NULL } };
	const lzma_filter *filters = thumb ? chain : chain + 1;
	int err = source_read(&u->packed, 0, head, sizeof head);
	u->err = err == FG_ELIMIT ? 0 : err; /* too short is damage */
	u->failed = err || head[0] > LZMA2_DICT_MAX;
	if (u->failed)
		return true;
	u->off = sizeof head;
	if (head[0] < LZMA2_DICT_MAX)
		options.dict_size = (uint32_t)(2 | (head[0] & 1)) << (head[0] / 2 + 11);
	u->failed = lzma_raw_decoder_memusage(filters) > UNPACK_MEMORY_MAX;
	return u->failed || lzma_raw_decoder(&u->xz, filters) == LZMA_OK;
}

static bool
begin(struct unpack *u)
{
	switch (u->kind) {
	case UNPACK_GZIP:
		return inflateInit2(&u->z, GZIP_ONLY) == Z_OK;
	case UNPACK_DEFLATE:
		return inflateInit2(&u->z, -MAX_WBITS) == Z_OK;
	case UNPACK_ZSTD:
	case UNPACK_ZSTD_FRAME:
		u->zstd = ZSTD_createDStream();
		return u->zstd != NULL;
	case UNPACK_XZ:
		return lzma_stream_decoder(&u->xz, UNPACK_MEMORY_MAX, 0) == LZMA_OK;
	case UNPACK_LZMA:
		return lzma_alone_decoder(&u->xz, UNPACK_MEMORY_MAX) == LZMA_OK;
	case UNPACK_LZMA2:
	case UNPACK_LZMA2_THUMB:
		return begin_lzma2(u, u->kind == UNPACK_LZMA2_THUMB);
	case UNPACK_BZIP2:
		return BZ2_bzDecompressInit(&u->bz, 0, 0) == BZ_OK;
	case UNPACK_LZ4:
		return !LZ4F_isError(LZ4F_createDecompressionContext(&u->lz4, LZ4F_VERSION));
	case UNPACK_LZ4_LEGACY:
		u->block = malloc(LEGACY_BLOCK);
		u->packed_block = malloc(LZ4_COMPRESSBOUND(LEGACY_BLOCK));
		return u->block && u->packed_block;
	case UNPACK_NONE:
		break;
	}
	abort();
}

struct unpack *
unpack_new(enum unpack_kind kind, const struct source *s, struct sig_range at)
{
	struct unpack *u = calloc(1, sizeof *u);
	if (!u)
		return NULL;
	if (source_window(s, at.offset, at.length, &u->packed))
		abort();
	u->kind = kind;
	u->xz = (lzma_stream)LZMA_STREAM_INIT;
	if (!begin(u)) {
		free(u->block);
		free(u->packed_block);
		free(u);
		return NULL;
	}
	return u;
}

/* What the libraries hold. */
static void
finish(struct unpack *u)
{
	if (u->kind == UNPACK_GZIP || u->kind == UNPACK_DEFLATE)
		(void)inflateEnd(&u->z);
	if (u->kind == UNPACK_BZIP2)
		(void)BZ2_bzDecompressEnd(&u->bz);
	lzma_end(&u->xz);
	ZSTD_freeDStream(u->zstd);
	(void)LZ4F_freeDecompressionContext(u->lz4);
	free(u->block);
	free(u->packed_block);
}

void
unpack_free(struct unpack *u)
{
	if (u)
		finish(u);
	free(u);
}

int
unpack_again(void *arg)
{
	struct unpack *u = arg;
	const enum unpack_kind kind = u->kind;
	const struct source packed = u->packed;
	finish(u);
	memset(u, 0, offsetof(struct unpack, bytes));
	u->kind = kind;
	u->packed = packed;
	u->xz = (lzma_stream)LZMA_STREAM_INIT;
	if (begin(u))
		return 0;
	u->failed = u->ended = true;
	return FG_ENOMEM;
}

/* More packed bytes; FG_EFORMAT when there are none, since the stream has not ended. */
static int
refill(struct unpack *u)
{
	long n = source_read_some(&u->packed, u->off, u->bytes, sizeof u->bytes);
	if (n < 0)
		return (int)n;
	u->off += (uint64_t)n;
	u->in.pos = 0;
	u->in.size = (size_t)n;
	return n > 0 ? 0 : FG_EFORMAT;
}

/*
 * Each of these takes some of u->in and puts at most n bytes into buf, *ret_got of
 * them, also where it then fails. None may come where the library wants more input.
 */
static int
step_gzip(struct unpack *u, uint8_t *buf, size_t n, size_t *ret_got)
{
	u->z.next_out = buf;
	u->z.avail_out = (uInt)n;
	u->z.next_in = u->bytes + u->in.pos;
	u->z.avail_in = (uInt)(u->in.size - u->in.pos);
	int z = inflate(&u->z, Z_NO_FLUSH);
	u->in.pos = u->in.size - u->z.avail_in;
	*ret_got = n - u->z.avail_out;
	u->ended = z == Z_STREAM_END;
	if (z == Z_MEM_ERROR)
		return FG_ENOMEM;
	return z == Z_OK || z == Z_STREAM_END || z == Z_BUF_ERROR ? 0 : FG_EFORMAT;
}

static int
step_bzip2(struct unpack *u, uint8_t *buf, size_t n, size_t *ret_got)
{
	u->bz.next_out = (char *)buf;
	u->bz.avail_out = (unsigned)n;
	u->bz.next_in = (char *)u->bytes + u->in.pos;
	u->bz.avail_in = (unsigned)(u->in.size - u->in.pos);
	int z = BZ2_bzDecompress(&u->bz);
	u->in.pos = u->in.size - u->bz.avail_in;
	*ret_got = n - u->bz.avail_out;
	u->ended = z == BZ_STREAM_END;
	if (z == BZ_MEM_ERROR)
		return FG_ENOMEM;
	return z == BZ_OK || z == BZ_STREAM_END ? 0 : FG_EFORMAT;
}

static int
step_xz(struct unpack *u, uint8_t *buf, size_t n, size_t *ret_got)
{
	u->xz.next_out = buf;
	u->xz.avail_out = n;
	u->xz.next_in = u->bytes + u->in.pos;
	u->xz.avail_in = u->in.size - u->in.pos;
	lzma_ret z = lzma_code(&u->xz, LZMA_RUN);
	u->in.pos = u->in.size - u->xz.avail_in;
	*ret_got = n - u->xz.avail_out;
	u->ended = z == LZMA_STREAM_END;
	if (z == LZMA_MEM_ERROR)
		return FG_ENOMEM;
	/* Over the memory limit is told like damage: nobody's updater has that much either. */
	return z == LZMA_OK || z == LZMA_STREAM_END || z == LZMA_BUF_ERROR ? 0 : FG_EFORMAT;
}

static int
step_lz4(struct unpack *u, uint8_t *buf, size_t n, size_t *ret_got)
{
	size_t in = u->in.size - u->in.pos, out = n;
	size_t hint = LZ4F_decompress(u->lz4, buf, &out, u->bytes + u->in.pos, &in, NULL);
	if (LZ4F_isError(hint))
		return FG_EFORMAT;
	u->in.pos += in;
	u->ended = hint == 0;
	*ret_got = out;
	return 0;
}

static long
read_one(struct unpack *u, uint8_t *buf, size_t n,
    int (*step)(struct unpack *u, uint8_t *buf, size_t n, size_t *ret_got))
{
	size_t got = 0;
	while (got == 0 && !u->ended && !u->failed) {
		int dry = u->in.pos == u->in.size ? refill(u) : 0;
		if (dry && dry != FG_EFORMAT)
			return dry;
		/* What did not fit last time is still inside, and needs no input. */
		int err = step(u, buf, n, &got);
		if (err == FG_ENOMEM)
			return err;
		/* Bytes that came before the damage are given first. */
		u->failed = err || (dry && got == 0 && !u->ended);
	}
	return got == 0 && u->failed ? FG_EFORMAT : (long)got;
}

/* The next block of lz4's older form: its length stands before it, and nothing says that it is the last. */
static int
legacy_block(struct unpack *u)
{
	uint8_t head[4] = { 0 };
	int err = 0;
	if (u->off == 0) {
		err = source_read(&u->packed, 0, head, sizeof head);
		if (err || memcmp(head, LEGACY_MAGIC, sizeof head) != 0)
			return err && err != FG_ELIMIT ? err : FG_EFORMAT;
		u->off = sizeof head;
	}
	err = source_read(&u->packed, u->off, head, sizeof head);
	uint64_t n = (uint64_t)head[0] | (uint64_t)head[1] << 8 | (uint64_t)head[2] << 16 | (uint64_t)head[3] << 24;
	u->ended = err == FG_ELIMIT || (!err && (n == 0 || n > LZ4_COMPRESSBOUND(LEGACY_BLOCK)));
	if (u->ended && u->off == sizeof head) /* not even one */
		return FG_EFORMAT;
	if (err || u->ended)
		return u->ended ? 0 : err;
	err = source_read(&u->packed, u->off + sizeof head, u->packed_block, (size_t)n);
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	int got = LZ4_decompress_safe(u->packed_block, u->block, (int)n, LEGACY_BLOCK);
	if (got <= 0)
		return FG_EFORMAT;
	u->off += sizeof head + n;
	u->block_at = 0;
	u->block_n = (size_t)got;
	return 0;
}

static long
read_legacy(struct unpack *u, void *buf, size_t n)
{
	if (u->block_at == u->block_n && !u->ended) {
		int err = legacy_block(u);
		if (err)
			return err;
	}
	size_t left = u->block_n - u->block_at;
	if (u->ended || left == 0)
		return 0;
	n = n < left ? n : left;
	memcpy(buf, u->block + u->block_at, n);
	u->block_at += n;
	return (long)n;
}

/* Frames in a row are one stream, as zstd(1) and the updaters take them. */
static long
read_zstd(struct unpack *u, void *buf, size_t n)
{
	ZSTD_outBuffer out = { buf, n, 0 };
	while (out.pos == 0 && !u->ended) {
		/* What did not fit last time is still inside, and needs no input. */
		int err = u->in.pos == u->in.size && !u->full ? refill(u) : 0;
		if (err)
			return err == FG_EFORMAT && u->between ? 0 : err;
		ZSTD_inBuffer in = { u->bytes, u->in.size, u->in.pos };
		size_t hint = ZSTD_decompressStream(u->zstd, &out, &in);
		u->in.pos = in.pos;
		if (ZSTD_isError(hint))
			return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation
			           ? FG_ENOMEM
			           : FG_EFORMAT;
		u->between = hint == 0;
		u->full = out.pos == out.size && !u->between;
		u->ended = u->between && u->kind == UNPACK_ZSTD_FRAME;
	}
	return (long)out.pos;
}

long
unpack_read(void *arg, void *buf, size_t n)
{
	struct unpack *u = arg;
	if (u->err)
		return u->err;
	if (n > INT_MAX) /* what all libraries can count */
		n = INT_MAX;
	switch (u->kind) {
	case UNPACK_GZIP:
	case UNPACK_DEFLATE:
		return read_one(u, buf, n, step_gzip);
	case UNPACK_BZIP2:
		return read_one(u, buf, n, step_bzip2);
	case UNPACK_XZ:
	case UNPACK_LZMA:
	case UNPACK_LZMA2:
	case UNPACK_LZMA2_THUMB:
		return read_one(u, buf, n, step_xz);
	case UNPACK_LZ4:
		return read_one(u, buf, n, step_lz4);
	case UNPACK_LZ4_LEGACY:
		return read_legacy(u, buf, n);
	case UNPACK_ZSTD:
	case UNPACK_ZSTD_FRAME:
		return read_zstd(u, buf, n);
	case UNPACK_NONE:
		break;
	}
	abort();
}

uint64_t
unpack_left(const struct unpack *u)
{
	return u->packed.size - u->off + (u->in.size - u->in.pos);
}
