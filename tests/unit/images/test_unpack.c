/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "crypto/err.h"
#include "images/unpack.h"

#define PLAIN_LEN (300u << 10) /* several of the reader's buffers, packed or not */

static uint8_t *plain;

static int
setup(void **state)
{
	uint32_t x = 1;
	(void)state;
	plain = malloc(PLAIN_LEN);
	for (size_t i = 0; i < PLAIN_LEN; i++) {
		x = x * 1664525u + 1013904223u;
		plain[i] = i % 1000 < 500 ? (uint8_t)(x >> 24) : 'a';
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(plain);
	return 0;
}

/* malloc'ed; exact, so that ASan sees a read past the end. */
static struct view
pack(enum unpack_kind kind, size_t n)
{
	size_t cap = n + n / 100 + 1000, got;
	uint8_t *p = malloc(cap);
	if (kind == UNPACK_XZ || kind == UNPACK_LZMA) {
		lzma_stream z = LZMA_STREAM_INIT;
		lzma_options_lzma o;
		assert_false(lzma_lzma_preset(&o, 1));
		assert_int_equal(kind == UNPACK_XZ ? lzma_easy_encoder(&z, 1, LZMA_CHECK_CRC32) : lzma_alone_encoder(&z, &o), LZMA_OK);
		z.next_in = plain;
		z.avail_in = n;
		z.next_out = p;
		z.avail_out = cap;
		assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
		got = cap - z.avail_out;
		lzma_end(&z);
	} else if (kind == UNPACK_LZMA2 || kind == UNPACK_LZMA2_THUMB) {
		lzma_options_lzma o;
		lzma_filter chain[] = { { LZMA_FILTER_ARMTHUMB, NULL }, { LZMA_FILTER_LZMA2, &o }, { LZMA_VLI_UNKNOWN, NULL } };
		assert_false(lzma_lzma_preset(&o, 1));
		o.dict_size = 128 << 10;
		memcpy(p, "\x0c\x5d", 2);
		got = 2;
		assert_int_equal(lzma_raw_buffer_encode(chain + (kind == UNPACK_LZMA2), NULL, plain, n, p, &got, cap), LZMA_OK);
	} else if (kind == UNPACK_BZIP2) {
		unsigned room = (unsigned)cap;
		assert_int_equal(BZ2_bzBuffToBuffCompress((char *)p, &room, (char *)plain, (unsigned)n, 1, 0, 0), BZ_OK);
		got = room;
	} else if (kind == UNPACK_LZ4) {
		got = LZ4F_compressFrame(p, cap, plain, n, NULL);
		assert_false(LZ4F_isError(got));
	} else if (kind == UNPACK_LZ4_LEGACY) { /* in two blocks, of which real ones have 8 MiB each */
		got = 4;
		memcpy(p, "\x02\x21\x4c\x18", 4);
		for (size_t k = 0; k < 2; k++) {
			size_t from = k ? n / 2 : 0, len = k ? n - n / 2 : n / 2;
			int one = len ? LZ4_compress_default((char *)plain + from, (char *)p + got + 4, (int)len, (int)(cap - got - 4)) : 0;
			for (unsigned i = 0; one && i < 4; i++)
				p[got + i] = (uint8_t)(one >> 8 * i);
			got += one ? 4 + (size_t)one : 0;
		}
	} else if (kind == UNPACK_ZSTD || kind == UNPACK_ZSTD_FRAME) {
		got = ZSTD_compress(p, cap, plain, n, 3);
		assert_false(ZSTD_isError(got));
	} else {
		z_stream z = { .next_in = plain, .avail_in = (uInt)n, .next_out = p, .avail_out = (uInt)cap };
		assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, kind == UNPACK_GZIP ? 31 : -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		got = z.total_out;
		deflateEnd(&z);
	}
	return view_of(realloc(p, got), got);
}

static void
drop(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

/* Reads all in steps; the number of bytes that came out right, or the error. */
static long
read_all(enum unpack_kind kind, struct view packed, size_t step, uint64_t *ret_left)
{
	struct source s;
	uint8_t buf[70000];
	long n, total = 0;
	source_memory(&s, packed);
	struct unpack *u = unpack_new(kind, &s, (struct sig_range){ 0, packed.n });
	assert_non_null(u);
	while ((n = unpack_read(u, buf, step)) > 0) {
		assert_true((size_t)n <= step);
		for (long i = 0; i < n; i++)
			if (buf[i] != plain[(size_t)(total + i) % PLAIN_LEN])
				fail_msg("byte %ld", total + i);
		total += n;
	}
	if (n == 0) {
		assert_int_equal(unpack_read(u, buf, step), 0);
		if (ret_left)
			*ret_left = unpack_left(u);
	}
	unpack_free(u);
	return n < 0 ? n : total;
}

static void
test_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 1000, 65536, PLAIN_LEN }, steps[] = { 1, 100, 4096, 70000 };
	for (enum unpack_kind kind = UNPACK_GZIP; kind <= UNPACK_LZ4; kind++)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			struct view packed = pack(kind, sizes[i]);
			for (size_t k = sizes[i] > 1000; k < sizeof steps / sizeof steps[0]; k++) {
				uint64_t left = 1;
				assert_int_equal(read_all(kind, packed, steps[k], &left), sizes[i]);
				assert_int_equal(left, 0);
			}
			drop(packed);
		}
	unpack_free(NULL);
}

/* From the first byte again, wherever it stood, as often as one likes. */
static void
test_again(void **state)
{
	(void)state;
	static const size_t stops[] = { 0, 1, 70001, PLAIN_LEN };
	static uint8_t buf[PLAIN_LEN + 1];
	for (enum unpack_kind kind = UNPACK_GZIP; kind <= UNPACK_LZ4_LEGACY; kind++) {
		struct view packed = pack(kind, PLAIN_LEN);
		struct source s;
		source_memory(&s, packed);
		struct unpack *u = unpack_new(kind, &s, (struct sig_range){ 0, packed.n });
		for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
			size_t got = 0;
			for (long n = 1; n > 0 && got < stops[i]; got += (size_t)n)
				n = unpack_read(u, buf, stops[i] - got);
			assert_int_equal(unpack_again(u), 0);
			got = 0;
			for (long n; (n = unpack_read(u, buf + got, sizeof buf - got)) != 0; got += (size_t)n)
				assert_true(n > 0);
			assert_int_equal(got, PLAIN_LEN);
			assert_memory_equal(buf, plain, PLAIN_LEN);
			assert_int_equal(unpack_left(u), 0);
			assert_int_equal(unpack_again(u), 0);
		}
		unpack_free(u);
		drop(packed);
	}
}

static void
test_cut(void **state)
{
	(void)state;
	for (enum unpack_kind kind = UNPACK_GZIP; kind <= UNPACK_LZ4; kind++) {
		struct view packed = pack(kind, 1000);
		for (size_t n = 0; n < packed.n; n++)
			assert_int_equal(read_all(kind, view_of(packed.p, n), 100, NULL), FG_EFORMAT);
		drop(packed);
	}
}

static void
test_damaged(void **state)
{
	(void)state;
	struct view gzip = pack(UNPACK_GZIP, 1000); /* with a CRC at its end */
	uint8_t *p = (uint8_t *)(uintptr_t)gzip.p;
	p[gzip.n - 8] ^= 1;
	assert_int_equal(read_all(UNPACK_GZIP, gzip, 100, NULL), FG_EFORMAT);
	p[gzip.n - 8] ^= 1;
	p[0] = 0;
	assert_int_equal(read_all(UNPACK_GZIP, gzip, 100, NULL), FG_EFORMAT);
	assert_int_equal(read_all(UNPACK_ZSTD, gzip, 100, NULL), FG_EFORMAT);
	drop(gzip);
}

/* What follows the end is the caller's to judge; zstd takes another frame as more of it. */
static void
test_behind(void **state)
{
	(void)state;
	for (enum unpack_kind kind = UNPACK_GZIP; kind <= UNPACK_LZ4; kind++) {
		struct view one = pack(kind, PLAIN_LEN);
		uint8_t *two = malloc(2 * one.n);
		uint64_t left = 0;
		memcpy(two, one.p, one.n);
		memcpy(two + one.n, one.p, one.n);
		long n = read_all(kind, view_of(two, 2 * one.n), 70000, &left);
		assert_int_equal(n, kind == UNPACK_ZSTD ? 2 * PLAIN_LEN : PLAIN_LEN);
		assert_int_equal(left, kind == UNPACK_ZSTD ? 0 : one.n);
		free(two);
		drop(one);
	}
}

/* The size of its dictionary is one byte, and what it asks for is bounded. */
static void
test_lzma2(void **state)
{
	(void)state;
	struct view packed = pack(UNPACK_LZMA2, 1000);
	uint8_t *p = (uint8_t *)(uintptr_t)packed.p;
	static const struct {
		uint8_t dictionary;
		bool fits;
	} sizes[] = { { 0, true }, { 12, true }, { 28, true }, { 30, false }, { 40, false }, { 41, false }, { 255, false } };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		p[0] = sizes[i].dictionary;
		assert_int_equal(read_all(UNPACK_LZMA2, packed, 100, NULL), sizes[i].fits ? 1000 : FG_EFORMAT);
	}
	drop(packed);
}

/* Without an end of its own: it ends where no block can follow. */
static void
test_legacy(void **state)
{
	(void)state;
	struct view packed = pack(UNPACK_LZ4_LEGACY, PLAIN_LEN);
	uint8_t *more = calloc(1, packed.n + 100);
	uint64_t left = 1;
	memcpy(more, packed.p, packed.n);
	assert_int_equal(read_all(UNPACK_LZ4_LEGACY, packed, 70000, &left), PLAIN_LEN);
	assert_int_equal(left, 0);
	assert_int_equal(read_all(UNPACK_LZ4_LEGACY, view_of(more, packed.n + 100), 4096, &left), PLAIN_LEN);
	assert_int_equal(left, 100);
	memset(more + packed.n, 0xff, 100);
	assert_int_equal(read_all(UNPACK_LZ4_LEGACY, view_of(more, packed.n + 100), 4096, &left), PLAIN_LEN);
	assert_int_equal(left, 100);
	assert_int_equal(read_all(UNPACK_LZ4_LEGACY, view_of(more, packed.n - 1), 4096, NULL), FG_EFORMAT);
	assert_int_equal(read_all(UNPACK_LZ4_LEGACY, view_of(more, 4), 4096, NULL), FG_EFORMAT);
	memset(more + 8, 0xff, 1000);
	assert_int_equal(read_all(UNPACK_LZ4_LEGACY, view_of(more, packed.n), 4096, NULL), FG_EFORMAT);
	free(more);
	drop(packed);
}

/* What cannot be read is this machine's trouble, and no damage of the stream. */
static void
test_unreadable(void **state)
{
	(void)state;
	for (int kind = UNPACK_GZIP; kind <= UNPACK_LZ4_LEGACY; kind++) {
		struct source s;
		uint8_t buf[16];
		int fd = memfd_create("image", MFD_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, 4096), 0);
		assert_int_equal(source_open(&s, fd), 0);
		assert_int_equal(ftruncate(fd, 1), 0);
		struct unpack *u = unpack_new((enum unpack_kind)kind, &s, (struct sig_range){ 0, s.size });
		assert_non_null(u);
		for (unsigned again = 0; again < 2; again++)
			if (unpack_read(u, buf, sizeof buf) != FG_EIO)
				fail_msg("kind %d", kind);
		unpack_free(u);
		close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_behind),
		cmocka_unit_test(test_lzma2),
		cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_unreadable),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
