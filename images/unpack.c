/* SPDX-License-Identifier: Apache-2.0 */
#include "images/unpack.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "crypto/err.h"

#define IN_SIZE (64u << 10)
#define GZIP_ONLY (16 + MAX_WBITS) /* no zlib or raw form: what the member is called is what it must be */

struct unpack {
	enum unpack_kind kind;
	struct source packed;
	uint64_t off; /* of packed, to be read next */
	bool ended;         /* gzip: the member is over */
	bool full, between; /* zstd: there was more than room; a frame is over and flushed */
	z_stream z;
	ZSTD_DStream *zstd;
	ZSTD_inBuffer in; /* both kinds: what was read and is not consumed */
	uint8_t bytes[IN_SIZE];
};

struct unpack *
unpack_new(enum unpack_kind kind, const struct source *s, struct sig_range at)
{
	struct unpack *u = calloc(1, sizeof *u);
	if (!u)
		return NULL;
	if (kind == UNPACK_NONE || source_window(s, at.offset, at.length, &u->packed))
		abort();
	u->kind = kind;
	u->in.src = u->bytes;
	bool ok;
	if (kind == UNPACK_GZIP) {
		ok = inflateInit2(&u->z, GZIP_ONLY) == Z_OK;
	} else {
		u->zstd = ZSTD_createDStream();
		ok = u->zstd != NULL;
	}
	if (!ok) {
		free(u);
		return NULL;
	}
	return u;
}

void
unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->kind == UNPACK_GZIP)
		(void)inflateEnd(&u->z);
	ZSTD_freeDStream(u->zstd);
	free(u);
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

static long
read_gzip(struct unpack *u, void *buf, size_t n)
{
	u->z.next_out = buf;
	u->z.avail_out = n > UINT_MAX ? UINT_MAX : (uInt)n;
	uInt room = u->z.avail_out;
	while (u->z.avail_out == room && !u->ended) {
		int err = u->in.pos == u->in.size ? refill(u) : 0;
		if (err)
			return err;
		u->z.next_in = u->bytes + u->in.pos;
		u->z.avail_in = (uInt)(u->in.size - u->in.pos);
		int z = inflate(&u->z, Z_NO_FLUSH);
		u->in.pos = u->in.size - u->z.avail_in;
		if (z == Z_MEM_ERROR)
			return FG_ENOMEM;
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return FG_EFORMAT;
		u->ended = z == Z_STREAM_END;
	}
	return (long)(room - u->z.avail_out);
}

/* Frames in a row are one stream, as zstd(1) and the updaters take them. */
static long
read_zstd(struct unpack *u, void *buf, size_t n)
{
	ZSTD_outBuffer out = { buf, n, 0 };
	while (out.pos == 0) {
		/* What did not fit last time is still inside, and needs no input. */
		int err = u->in.pos == u->in.size && !u->full ? refill(u) : 0;
		if (err)
			return err == FG_EFORMAT && u->between ? 0 : err;
		size_t hint = ZSTD_decompressStream(u->zstd, &out, &u->in);
		if (ZSTD_isError(hint))
			return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation
			           ? FG_ENOMEM
			           : FG_EFORMAT;
		u->between = hint == 0;
		u->full = out.pos == out.size && !u->between;
	}
	return (long)out.pos;
}

long
unpack_read(void *arg, void *buf, size_t n)
{
	struct unpack *u = arg;
	return u->kind == UNPACK_GZIP ? read_gzip(u, buf, n) : read_zstd(u, buf, n);
}

uint64_t
unpack_left(const struct unpack *u)
{
	return u->packed.size - u->off + (u->in.size - u->in.pos);
}
