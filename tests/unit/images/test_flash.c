/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of flash file systems: checksums, and each packing with good blocks and bad ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "crypto/err.h"
#include "images/flash.h"

static uint8_t plain[6000], packed[9000], out[FLASH_BLOCK_MAX];

static void
make_plain(void)
{
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)("some words and some more "[i % 25] + (i % 401 == 0));
}

static void
checksums(void **state)
{
	(void)state;
	/* The check value of CRC-32 is cbf43926: inverted behind, and here it is not. */
	assert_int_equal(flash_crc_ones(view_str("123456789")), ~0xcbf43926u);
	assert_int_equal(flash_crc_zeros(view_str("\1")), 0x77073096u); /* second word of the table */
}

static void
good(enum flash_packing packing, size_t packed_n)
{
	/* Exactly as large as it is, so that a byte read or written beyond is seen. */
	uint8_t *in = malloc(packed_n), *to = malloc(sizeof plain);
	memcpy(in, packed, packed_n);
	assert_int_equal(flash_unpack(packing, view_of(in, packed_n), to, sizeof plain), 0);
	assert_memory_equal(to, plain, sizeof plain);
	assert_int_equal(flash_unpack(packing, view_of(in, packed_n), to, sizeof plain - 1), FG_EFORMAT);
	assert_int_equal(flash_unpack(packing, view_of(in, packed_n), out, sizeof plain + 1), FG_EFORMAT);
	for (size_t n = 0; n < packed_n; n++) {
		uint8_t *cut = malloc(n + 1);
		memcpy(cut, in, n);
		assert_int_equal(flash_unpack(packing, view_of(cut, n), to, sizeof plain), FG_EFORMAT);
		free(cut);
	}
	for (size_t i = 0; i < packed_n * 8; i++) {
		in[i / 8] ^= (uint8_t)(1u << i % 8);
		(void)flash_unpack(packing, view_of(in, packed_n), to, sizeof plain);
		in[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	free(in);
	free(to);
}

static size_t
deflated(int window)
{
	z_stream z = { .next_in = plain, .avail_in = sizeof plain, .next_out = packed, .avail_out = sizeof packed };
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

/* As the file system's own packer would, but for how far it looks. */
static size_t
rtime(void)
{
	size_t behind[256] = { 0 }, n = 0;
	for (size_t i = 0; i < sizeof plain;) {
		uint8_t value = plain[i++];
		size_t from = behind[value], run = 0;
		behind[value] = i;
		while (run < 255 && i < sizeof plain && from < i && plain[from + run] == plain[i])
			i++, run++;
		packed[n++] = value;
		packed[n++] = (uint8_t)run;
		assert_true(n + 2 < sizeof packed);
	}
	return n;
}

static void
packings(void **state)
{
	(void)state;
	make_plain();
	good(FLASH_ZLIB, deflated(15));
	good(FLASH_DEFLATE, deflated(-15));
	size_t n = ZSTD_compress(packed, sizeof packed, plain, sizeof plain, 3);
	assert_false(ZSTD_isError(n));
	good(FLASH_ZSTD, n);
	good(FLASH_RTIME, rtime());
	memcpy(packed, plain, sizeof plain);
	good(FLASH_PLAIN, sizeof plain);
	assert_int_equal(flash_unpack(FLASH_ZEROS, view_of(NULL, 0), out, 10), 0);
	assert_int_equal(flash_unpack(FLASH_UNKNOWN, view_str("x"), out, 1), FG_ENOTFOUND);
	assert_int_equal(flash_unpack(FLASH_ZEROS, view_of(NULL, 0), out, FLASH_BLOCK_MAX + 1), FG_EFORMAT);
}

/* What comes out says nothing of what lies behind it, or in front: that is damage. */
static void
nothing_hides(void **state)
{
	(void)state;
	static const uint8_t skipped[] = { 0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 'e', 'v', 'i', 'l' };
	uint8_t *to = malloc(sizeof plain);
	make_plain();
	size_t n = ZSTD_compress(packed, sizeof packed, plain, sizeof plain, 3);
	memcpy(packed + n, skipped, sizeof skipped);
	assert_int_equal(flash_unpack(FLASH_ZSTD, view_of(packed, n), to, sizeof plain), 0);
	assert_int_equal(flash_unpack(FLASH_ZSTD, view_of(packed, n + sizeof skipped), to, sizeof plain), FG_EFORMAT);
	memmove(packed + sizeof skipped, packed, n);
	memcpy(packed, skipped, sizeof skipped);
	assert_int_equal(flash_unpack(FLASH_ZSTD, view_of(packed, n + sizeof skipped), to, sizeof plain), FG_EFORMAT);
	n = rtime();
	memcpy(packed + n, skipped, sizeof skipped);
	assert_int_equal(flash_unpack(FLASH_RTIME, view_of(packed, n), to, sizeof plain), 0);
	assert_int_equal(flash_unpack(FLASH_RTIME, view_of(packed, n + sizeof skipped), to, sizeof plain), FG_EFORMAT);
	n = deflated(-15);
	memcpy(packed + n, skipped, sizeof skipped);
	assert_int_equal(flash_unpack(FLASH_DEFLATE, view_of(packed, n + sizeof skipped), to, sizeof plain), FG_EFORMAT);
	assert_int_equal(flash_unpack(FLASH_ZEROS, view_str("x"), to, 10), FG_EFORMAT);
	free(to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums),
		cmocka_unit_test(packings),
		cmocka_unit_test(nothing_hides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
