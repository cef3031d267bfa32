/* SPDX-License-Identifier: Apache-2.0 */
#include "images/flash.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "crypto/err.h"
#include "images/lzo.h"

uint32_t
flash_crc_ones(struct view v)
{
	return ~(uint32_t)crc32_z(0, v.p, v.n);
}

uint32_t
flash_crc_zeros(struct view v)
{
	return ~(uint32_t)crc32_z(0xffffffff, v.p, v.n);
}

/* How many bytes came out; more than cap is damage. */
static long
inflate_block(struct view in, uint8_t *out, size_t cap, int window)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)in.p, .avail_in = (uInt)in.n, .next_out = out,
		       .avail_out = (uInt)cap };
	if (inflateInit2(&z, window) != Z_OK)
		return FG_ENOMEM;
	int r = inflate(&z, Z_FINISH);
	bool all = r == Z_STREAM_END && z.avail_in == 0;
	size_t n = z.total_out;
	(void)inflateEnd(&z);
	return r == Z_MEM_ERROR ? FG_ENOMEM : all ? (long)n : FG_EFORMAT;
}

static long
zstd_block(struct view in, uint8_t *out, size_t cap)
{
	/* One frame and nothing else: a frame to be skipped holds whatever its writer wants. */
	if (in.n < 4 || in.p[0] != 0x28 || in.p[1] != 0xb5 || in.p[2] != 0x2f || in.p[3] != 0xfd ||
	    ZSTD_findFrameCompressedSize(in.p, in.n) != in.n)
		return FG_EFORMAT;
	size_t n = ZSTD_decompress(out, cap, in.p, in.n);
	if (ZSTD_isError(n))
		return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? FG_ENOMEM : FG_EFORMAT;
	return (long)n;
}

/*
 * Pairs of a byte and a number: so many bytes more are those that followed the
 * byte where it stood last time.
 */
static long
rtime_block(struct view in, uint8_t *out, size_t cap)
{
	size_t behind[256] = { 0 }, n = 0, i = 0;
	for (; n < cap; i += 2) {
		if (i + 2 > in.n)
			return FG_EFORMAT;
		uint8_t value = in.p[i], more = in.p[i + 1];
		out[n++] = value;
		size_t from = behind[value];
		behind[value] = n;
		if (more > cap - n)
			return FG_EFORMAT;
		for (unsigned k = 0; k < more; k++, n++)
			out[n] = out[from + k];
	}
	return i == in.n ? (long)n : FG_EFORMAT;
}

int
flash_unpack(enum flash_packing packing, struct view in, uint8_t *out, size_t n)
{
	long got = FG_ENOTFOUND;
	if (n > FLASH_BLOCK_MAX)
		return FG_EFORMAT;
	switch (packing) {
	case FLASH_UNKNOWN:
		break;
	case FLASH_PLAIN:
		got = in.n == n ? (long)n : FG_EFORMAT;
		if (got > 0)
			memcpy(out, in.p, n);
		break;
	case FLASH_ZEROS:
		if (in.n > 0)
			return FG_EFORMAT;
		memset(out, 0, n);
		got = (long)n;
		break;
	case FLASH_RTIME:
		got = rtime_block(in, out, n);
		break;
	case FLASH_LZO:
		got = lzo_unpack(in, out, n);
		break;
	case FLASH_ZLIB:
		got = inflate_block(in, out, n, MAX_WBITS);
		break;
	case FLASH_DEFLATE:
		got = inflate_block(in, out, n, -MAX_WBITS);
		break;
	case FLASH_ZSTD:
		got = zstd_block(in, out, n);
		break;
	}
	return got < 0 ? (int)got : (size_t)got == n ? 0 : FG_EFORMAT;
}
