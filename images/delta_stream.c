/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_stream - one compressed stream within a patch.
 * Each kind is a step that takes what there is of input and gives what fits of
 * output; everything else (ranges, the end, what is left over, memory) is the
 * same for all of them.
 */
#include <brotli/decode.h>
#include <bzlib.h>
#include <inttypes.h>
#include <limits.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "crypto/err.h"
#include "images/delta.h"

#define IN_SIZE (16u << 10)
/* What a decoder takes at most, where the library has no say in it. */
#define BZ2_MEMORY ((size_t)4 << 20)     /* 3.7 MB at level 9 */
#define INFLATE_MEMORY ((size_t)64 << 10)
#define BROTLI_MEMORY ((size_t)24 << 20) /* window of 16 MiB, and the smaller one it grows out of */
#define LZ4_MEMORY ((size_t)9 << 20)     /* two blocks of 4 MiB */
#define ZSTD_BESIDE ((size_t)1 << 20)    /* all but the window */
#define ZSTD_WINDOW_LOG_MIN 10
#define ZSTD_WINDOW_LOG_MAX 26           /* half of what zstd(1) allows by itself; a module has less */

struct delta_stream {
	struct delta *d;
	const char *name;
	enum delta_packing packing;
	uint64_t at, end; /* of the patch: to be read next, and where the range is over */
	bool ended;       /* the stream is over */
	size_t charged;
	union {
		bz_stream bz2;
		lzma_stream xz;
		z_stream z;
		ZSTD_DStream *zstd;
		BrotliDecoderState *brotli;
		LZ4F_dctx *lz4;
	} u;
	size_t in_at, in_n, out_at, out_n;
	uint8_t in[IN_SIZE];
	uint8_t out[DELTA_STREAM_BUFFER];
};

/* ---- saying something ---- */

static int
damaged(struct delta_stream *s)
{
	return delta_refuse(s->d, DELTA_MALFORMED, "%s: the %s stream is damaged before byte %" PRIu64, s->name,
	    delta_packing_name(s->packing), s->at - (s->in_n - s->in_at));
}

/* More memory than was charged: a window that the stream asks for by itself. */
static int
charge(struct delta_stream *s, uint64_t now)
{
	if (now <= s->charged)
		return 0;
	int err = delta_charge(s->d, (size_t)(now - s->charged), s->name);
	if (!err)
		s->charged = (size_t)now;
	return err;
}

static int
wants_memory(struct delta_stream *s)
{
	return delta_refuse(s->d, DELTA_LIMIT, "%s: the %s stream wants a window over %zu bytes", s->name,
	    delta_packing_name(s->packing), delta_memory_left(s->d));
}

/* ---- kinds: open, one step, close ---- */

/* A step: up to n bytes into to; their number, s->in_at moved and s->ended set, or an error. */
typedef long step_fn(struct delta_stream *s, uint8_t *to, size_t n);

static size_t
available(const struct delta_stream *s)
{
	return s->in_n - s->in_at;
}

static int
open_plain(struct delta_stream *s)
{
	(void)s;
	return 0;
}

static long
step_plain(struct delta_stream *s, uint8_t *to, size_t n)
{
	if (n > available(s))
		n = available(s);
	memcpy(to, s->in + s->in_at, n);
	s->in_at += n;
	s->ended = available(s) == 0 && s->at == s->end;
	return (long)n;
}

static void
close_plain(struct delta_stream *s)
{
	(void)s;
}

static int
open_bz2(struct delta_stream *s)
{
	int err = charge(s, BZ2_MEMORY);
	if (!err && BZ2_bzDecompressInit(&s->u.bz2, 0, 0) != BZ_OK)
		err = FG_ENOMEM;
	return err;
}

static long
step_bz2(struct delta_stream *s, uint8_t *to, size_t n)
{
	bz_stream *b = &s->u.bz2;
	b->next_in = (char *)s->in + s->in_at;
	b->avail_in = (unsigned)available(s);
	b->next_out = (char *)to;
	b->avail_out = (unsigned)n;
	int rc = BZ2_bzDecompress(b);
	s->in_at = s->in_n - b->avail_in;
	s->ended = rc == BZ_STREAM_END;
	if (rc == BZ_MEM_ERROR)
		return FG_ENOMEM;
	return rc == BZ_OK || rc == BZ_STREAM_END ? (long)(n - b->avail_out) : damaged(s);
}

static void
close_bz2(struct delta_stream *s)
{
	(void)BZ2_bzDecompressEnd(&s->u.bz2);
}

static int
open_lzma(struct delta_stream *s)
{
	uint64_t limit = delta_memory_left(s->d);
	s->u.xz = (lzma_stream)LZMA_STREAM_INIT;
	lzma_ret rc = s->packing == DELTA_XZ ? lzma_stream_decoder(&s->u.xz, limit, 0)
	                                     : lzma_alone_decoder(&s->u.xz, limit);
	return rc == LZMA_OK ? 0 : FG_ENOMEM;
}

static long
step_lzma(struct delta_stream *s, uint8_t *to, size_t n)
{
	lzma_stream *x = &s->u.xz;
	/* Other streams were opened meanwhile. It cannot be less than what is in use, which is charged. */
	(void)lzma_memlimit_set(x, s->charged + delta_memory_left(s->d));
	x->next_in = s->in + s->in_at;
	x->avail_in = available(s);
	x->next_out = to;
	x->avail_out = n;
	lzma_ret rc = lzma_code(x, LZMA_RUN);
	s->in_at = s->in_n - x->avail_in;
	s->ended = rc == LZMA_STREAM_END;
	if (rc == LZMA_MEM_ERROR)
		return FG_ENOMEM;
	if (rc == LZMA_MEMLIMIT_ERROR)
		return wants_memory(s);
	if (rc != LZMA_OK && rc != LZMA_STREAM_END && rc != LZMA_BUF_ERROR)
		return damaged(s);
	int err = charge(s, lzma_memusage(x));
	return err ? err : (long)(n - x->avail_out);
}

static void
close_lzma(struct delta_stream *s)
{
	lzma_end(&s->u.xz);
}

static int
open_zlib(struct delta_stream *s)
{
	int err = charge(s, INFLATE_MEMORY);
	if (!err && inflateInit2(&s->u.z, s->packing == DELTA_ZLIB ? MAX_WBITS : -MAX_WBITS) != Z_OK)
		err = FG_ENOMEM;
	return err;
}

static long
step_zlib(struct delta_stream *s, uint8_t *to, size_t n)
{
	z_stream *z = &s->u.z;
	z->next_in = s->in + s->in_at;
	z->avail_in = (uInt)available(s);
	z->next_out = to;
	z->avail_out = (uInt)n;
	int rc = inflate(z, Z_NO_FLUSH);
	s->in_at = s->in_n - z->avail_in;
	s->ended = rc == Z_STREAM_END;
	if (rc == Z_MEM_ERROR)
		return FG_ENOMEM;
	return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? (long)(n - z->avail_out) : damaged(s);
}

static void
close_zlib(struct delta_stream *s)
{
	(void)inflateEnd(&s->u.z);
}

static int
open_zstd(struct delta_stream *s)
{
	size_t left = delta_memory_left(s->d);
	int log = ZSTD_WINDOW_LOG_MAX;
	while (log > ZSTD_WINDOW_LOG_MIN && ((size_t)1 << log) + ZSTD_BESIDE > left)
		log--;
	s->u.zstd = ZSTD_createDStream();
	if (!s->u.zstd)
		return FG_ENOMEM;
	return ZSTD_isError(ZSTD_DCtx_setParameter(s->u.zstd, ZSTD_d_windowLogMax, log)) ? FG_ENOMEM : 0;
}

static long
step_zstd(struct delta_stream *s, uint8_t *to, size_t n)
{
	ZSTD_inBuffer in = { s->in, s->in_n, s->in_at };
	ZSTD_outBuffer out = { to, n, 0 };
	size_t hint = ZSTD_decompressStream(s->u.zstd, &out, &in);
	s->in_at = in.pos;
	if (ZSTD_isError(hint)) {
		ZSTD_ErrorCode code = ZSTD_getErrorCode(hint);
		if (code == ZSTD_error_memory_allocation)
			return FG_ENOMEM;
		return code == ZSTD_error_frameParameter_windowTooLarge ? wants_memory(s) : damaged(s);
	}
	s->ended = hint == 0;
	int err = charge(s, ZSTD_sizeof_DStream(s->u.zstd));
	return err ? err : (long)out.pos;
}

static void
close_zstd(struct delta_stream *s)
{
	ZSTD_freeDStream(s->u.zstd);
}

static int
open_brotli(struct delta_stream *s)
{
	int err = charge(s, BROTLI_MEMORY);
	if (err)
		return err;
	s->u.brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	return s->u.brotli ? 0 : FG_ENOMEM;
}

static long
step_brotli(struct delta_stream *s, uint8_t *to, size_t n)
{
	const uint8_t *in = s->in + s->in_at;
	size_t in_n = available(s), room = n;
	BrotliDecoderResult rc = BrotliDecoderDecompressStream(s->u.brotli, &in_n, &in, &room, &to, NULL);
	s->in_at = s->in_n - in_n;
	s->ended = rc == BROTLI_DECODER_RESULT_SUCCESS;
	if (rc != BROTLI_DECODER_RESULT_ERROR)
		return (long)(n - room);
	BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(s->u.brotli);
	bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
	              code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
	return memory ? FG_ENOMEM : damaged(s);
}

static void
close_brotli(struct delta_stream *s)
{
	BrotliDecoderDestroyInstance(s->u.brotli);
}

static int
open_lz4(struct delta_stream *s)
{
	int err = charge(s, LZ4_MEMORY);
	if (!err && LZ4F_isError(LZ4F_createDecompressionContext(&s->u.lz4, LZ4F_VERSION)))
		err = FG_ENOMEM;
	return err;
}

static long
step_lz4(struct delta_stream *s, uint8_t *to, size_t n)
{
	size_t in_n = available(s), out_n = n;
	size_t hint = LZ4F_decompress(s->u.lz4, to, &out_n, s->in + s->in_at, &in_n, NULL);
	if (LZ4F_isError(hint)) /* the only allocation is of blocks, whose size is checked: no case of its own */
		return damaged(s);
	s->in_at += in_n;
	s->ended = hint == 0;
	return (long)out_n;
}

static void
close_lz4(struct delta_stream *s)
{
	(void)LZ4F_freeDecompressionContext(s->u.lz4);
}

static const struct {
	const char *name;
	int (*open)(struct delta_stream *s); /* on failure, close comes all the same */
	step_fn *step;
	void (*close)(struct delta_stream *s);
} kinds[DELTA_PACKING_LIMIT] = {
	[DELTA_PLAIN] = { "plain", open_plain, step_plain, close_plain },
	[DELTA_BZ2] = { "bz2", open_bz2, step_bz2, close_bz2 },
	[DELTA_LZMA_ALONE] = { "lzma", open_lzma, step_lzma, close_lzma },
	[DELTA_XZ] = { "xz", open_lzma, step_lzma, close_lzma },
	[DELTA_ZLIB] = { "zlib", open_zlib, step_zlib, close_zlib },
	[DELTA_DEFLATE] = { "deflate", open_zlib, step_zlib, close_zlib },
	[DELTA_ZSTD] = { "zstd", open_zstd, step_zstd, close_zstd },
	[DELTA_BROTLI] = { "brotli", open_brotli, step_brotli, close_brotli },
	[DELTA_LZ4] = { "lz4", open_lz4, step_lz4, close_lz4 },
};

const char *
delta_packing_name(enum delta_packing packing)
{
	return (unsigned)packing < DELTA_PACKING_LIMIT ? kinds[packing].name : "unknown";
}

/* ---- all of them ---- */

static int
place(struct delta_stream *s, uint64_t at, uint64_t length)
{
	uint64_t size = delta_patch(s->d)->size;
	if (at > size || length > size - at)
		return delta_refuse(s->d, DELTA_MALFORMED,
		    "%s: a stream of %" PRIu64 " bytes at %" PRIu64 " of a patch of %" PRIu64, s->name, length, at, size);
	s->at = at;
	s->end = at + length;
	return 0;
}

int
delta_stream_open(struct delta *d, const char *name, enum delta_packing packing, uint64_t at,
    uint64_t length, struct delta_stream **ret)
{
	*ret = NULL;
	if ((unsigned)packing >= DELTA_PACKING_LIMIT)
		abort();
	struct delta_stream *s = malloc(sizeof *s);
	if (!s)
		return FG_ENOMEM;
	memset(s, 0, offsetof(struct delta_stream, in));
	s->d = d;
	s->name = name;
	s->packing = packing;
	int err = place(s, at, length);
	if (!err)
		err = kinds[packing].open(s);
	if (err) {
		delta_stream_close(s);
		return err;
	}
	*ret = s;
	return 0;
}

void
delta_stream_close(struct delta_stream *s)
{
	if (!s)
		return;
	kinds[s->packing].close(s);
	delta_discharge(s->d, s->charged);
	free(s);
}

static int
refill(struct delta_stream *s)
{
	if (available(s) > 0 || s->at == s->end)
		return 0;
	size_t n = s->end - s->at < IN_SIZE ? (size_t)(s->end - s->at) : IN_SIZE;
	int err = source_read(delta_patch(s->d), s->at, s->in, n);
	if (err)
		return err;
	s->in_at = 0;
	s->in_n = n;
	s->at += n;
	return 0;
}

/* At least one byte and up to n; 0 where the stream is over, or stands still because its range is. */
static long
expand(struct delta_stream *s, uint8_t *to, size_t n)
{
	while (!s->ended) {
		int err = refill(s);
		if (err)
			return err;
		size_t before = available(s);
		long got = kinds[s->packing].step(s, to, n < UINT_MAX ? n : UINT_MAX);
		if (got != 0)
			return got;
		if (available(s) == before && (before > 0 || s->at == s->end))
			break;
	}
	return 0;
}

static int
cut(struct delta_stream *s, size_t missing)
{
	return delta_refuse(s->d, DELTA_MALFORMED, "%s: the %s stream %s, %zu bytes early", s->name,
	    delta_packing_name(s->packing), s->ended ? "ends" : "is cut off", missing);
}

int
delta_stream_read(struct delta_stream *s, void *buf, size_t n)
{
	uint8_t *to = buf;
	while (n > 0) {
		size_t k = s->out_n - s->out_at;
		if (k == 0 && n >= sizeof s->out) {
			long got = expand(s, to, n);
			if (got <= 0)
				return got < 0 ? (int)got : cut(s, n);
			k = (size_t)got;
		} else if (k == 0) {
			long got = expand(s, s->out, sizeof s->out);
			if (got <= 0)
				return got < 0 ? (int)got : cut(s, n);
			s->out_at = 0;
			s->out_n = (size_t)got;
			continue;
		} else {
			k = k < n ? k : n;
			memcpy(to, s->out + s->out_at, k);
			s->out_at += k;
		}
		to += k;
		n -= k;
	}
	return 0;
}

/* Nothing more comes out, and nothing is left of the range. */
int
delta_stream_drain(struct delta_stream *s)
{
	uint8_t more;
	long got = s->out_at < s->out_n ? 1 : expand(s, &more, 1);
	if (got < 0)
		return (int)got;
	if (got > 0)
		return delta_refuse(s->d, DELTA_MALFORMED, "%s: the %s stream holds more than is used of it", s->name,
		    delta_packing_name(s->packing));
	uint64_t left = s->end - s->at + available(s);
	if (left > 0)
		return delta_refuse(s->d, DELTA_MALFORMED, "%s: %" PRIu64 " bytes behind the %s stream", s->name, left,
		    delta_packing_name(s->packing));
	return 0;
}

int
delta_stream_finish(struct delta_stream *s)
{
	int err = delta_stream_drain(s);
	if (!err && s->packing != DELTA_PLAIN && !s->ended)
		err = delta_refuse(s->d, DELTA_MALFORMED, "%s: the %s stream is cut off at its end", s->name,
		    delta_packing_name(s->packing));
	return err;
}

int
delta_stream_continue(struct delta_stream *s, uint64_t at, uint64_t length)
{
	int err = delta_stream_drain(s);
	if (!err && s->ended && s->packing != DELTA_PLAIN)
		err = delta_refuse(s->d, DELTA_MALFORMED, "%s: the %s stream has ended before its last piece", s->name,
		    delta_packing_name(s->packing));
	if (!err)
		err = place(s, at, length);
	s->ended = err != 0;
	return err;
}
