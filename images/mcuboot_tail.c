/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mcuboot_tail.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/mcuboot_tlv.h"

#define CHUNK 65536u
#define ALIGN_DEFAULT 8
#define ALIGN_MAX 512 /* the largest write block that a port has asked for, twice */

/* A header that is more than a number: its own reader would find an image there. */
static int
is_image(const struct source *image, uint64_t at, bool *ret)
{
	uint8_t b[16];
	struct reader r;
	*ret = false;
	if (image->size - at < sizeof b)
		return 0;
	int err = source_read(image, at, b, sizeof b);
	if (err)
		return err;
	reader_init(&r, view_of(b, sizeof b));
	uint32_t magic = reader_u32le(&r);
	(void)reader_u32le(&r); /* load address */
	uint64_t header = reader_u16le(&r), guarded = reader_u16le(&r), body = reader_u32le(&r);
	*ret = magic == MCUBOOT_MAGIC && header >= MCUBOOT_HEADER_LEN && body > 0 &&
	       header + guarded + body <= image->size - at;
	return 0;
}

/* The next image, at a multiple of four bytes as every flash demands at least. */
static int
find_next(const struct source *image, uint64_t from, uint8_t *chunk, struct mcuboot_tail *ret)
{
	uint64_t at = (from + 3) & ~(uint64_t)3;
	for (; at < image->size && !ret->next; at += CHUNK) {
		long n = source_read_some(image, at, chunk, CHUNK);
		if (n < 0)
			return (int)n;
		for (size_t i = 0; i + 4 <= (size_t)n && !ret->next; i += 4) {
			if (chunk[i] != 0x3d || chunk[i + 1] != 0xb8 || chunk[i + 2] != 0xf3)
				continue;
			int err = is_image(image, at + i, &ret->next);
			if (err)
				return err;
			if (ret->next)
				ret->end = at + i;
		}
	}
	return 0;
}

/* The alignment that a trailer's magic stands for; 0 when it is none. */
static uint64_t
alignment(const uint8_t magic[MCUBOOT_TAIL_MAGIC_LEN])
{
	static const uint8_t plain[MCUBOOT_TAIL_MAGIC_LEN] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2,
		0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80 };
	static const uint8_t wide[MCUBOOT_TAIL_MAGIC_LEN - 2] = { 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b,
		0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, 0x8a };
	if (memcmp(magic, plain, sizeof plain) == 0)
		return ALIGN_DEFAULT;
	uint64_t a = (uint64_t)magic[0] | (uint64_t)magic[1] << 8;
	if (memcmp(magic + 2, wide, sizeof wide) == 0 && a > ALIGN_DEFAULT && a <= ALIGN_MAX &&
	    (a & (a - 1)) == 0)
		return a;
	return 0;
}

/* Finds the trailer and where its flags are. *ret_stop is where erased flash must end. */
static int
find_trailer(const struct source *image, uint64_t from, struct mcuboot_tail *t, uint64_t *ret_stop)
{
	uint8_t magic[MCUBOOT_TAIL_MAGIC_LEN];
	*ret_stop = t->end;
	if (t->end - from < sizeof magic)
		return 0;
	int err = source_read(image, t->end - sizeof magic, magic, sizeof magic);
	uint64_t a = err ? 0 : alignment(magic);
	if (a == 0)
		return err;
	t->trailer = true;
	*ret_stop = t->end - sizeof magic;
	uint64_t back = (sizeof magic + a - 1) / a * a;
	for (unsigned i = 0; i < MCUBOOT_TAIL_FLAGS; i++) {
		back += a;
		if (t->end - from >= back)
			t->flag[i].at = t->end - back;
	}
	return 0;
}

/* May that byte stand where the flag is? What a running device notes, and no more. */
static bool
may_be(enum mcuboot_tail_flag flag, uint8_t byte)
{
	if (flag == MCUBOOT_TAIL_SWAP_INFO) /* kind of swap 1 to 5 below, image number above */
		return (byte & 15) >= 1 && (byte & 15) <= 5 && byte >> 4 < 4;
	return byte == 1;
}

/* A byte that is not erased flash: a flag of the trailer, or a stray one. */
static void
judge_byte(struct mcuboot_tail *t, uint64_t at, uint8_t byte)
{
	for (unsigned i = 0; i < MCUBOOT_TAIL_FLAGS; i++)
		if (t->trailer && t->flag[i].at == at && may_be((enum mcuboot_tail_flag)i, byte)) {
			t->flag[i].set = true;
			t->flag[i].value = byte;
			return;
		}
	t->stray = true;
	t->stray_at = at;
}

int
mcuboot_tail_read(const struct source *image, uint64_t from, struct mcuboot_tail *ret)
{
	uint64_t stop = 0;
	uint8_t *chunk, erased = 0xff;
	*ret = (struct mcuboot_tail){ .end = image->size };
	if (from == image->size)
		return 0;
	chunk = malloc(CHUNK);
	if (!chunk)
		return FG_ENOMEM;
	int err = find_next(image, from, chunk, ret);
	if (!err)
		err = find_trailer(image, from, ret, &stop);
	for (uint64_t at = from; at < stop && !ret->stray && !err; at += CHUNK) {
		long n = source_read_some(image, at, chunk, stop - at < CHUNK ? (size_t)(stop - at) : CHUNK);
		if (n < 0)
			err = (int)n;
		if (at == from && n > 0 && chunk[0] == 0) {
			erased = 0; /* some flash reads zero when it is erased */
			ret->zeros = true;
		}
		for (long i = 0; i < n && !ret->stray; i++)
			if (chunk[i] != erased)
				judge_byte(ret, at + (uint64_t)i, chunk[i]);
	}
	free(chunk);
	return err;
}
