/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LZO1X, instruction by instruction as the kernel's description has them. Blocks of the
 * genuine packer are in test_part_ubifs.c (mkfs.ubifs).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "crypto/err.h"
#include "images/lzo.h"

#define END "\x11\0\0"
#define BIG 60000

static void
gives(struct view in, const char *want)
{
	size_t n = strlen(want);
	uint8_t *exact = malloc(in.n), *out = malloc(n + 1);
	memcpy(exact, in.p, in.n);
	assert_int_equal(lzo_unpack(view_of(exact, in.n), out, n), n);
	assert_memory_equal(out, want, n);
	if (n > 0)
		assert_int_equal(lzo_unpack(view_of(exact, in.n), out, n - 1), FG_EFORMAT);
	for (size_t cut = 0; cut < in.n; cut++) {
		uint8_t *less = malloc(cut + 1);
		memcpy(less, in.p, cut);
		assert_int_equal(lzo_unpack(view_of(less, cut), out, n), FG_EFORMAT);
		free(less);
	}
	for (size_t i = 0; i < in.n * 8; i++) {
		exact[i / 8] ^= (uint8_t)(1u << i % 8);
		(void)lzo_unpack(view_of(exact, in.n), out, n);
		exact[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	free(exact);
	free(out);
}
#define GIVES(in, want) gives(view_of(in END, sizeof(in END) - 1), want)

static void
instructions(void **state)
{
	(void)state;
	/* A first run of literals: of five, of two, and one that the ordinary instruction counts. */
	GIVES("\x16" "hello", "hello");
	GIVES("\x13" "ab", "ab");
	GIVES("\x02" "hello", "hello");
	GIVES("\x00\x01" "nineteen characters", "nineteen characters");
	/* 64 and more: three to eight bytes, and literals behind; a distance of one overlaps. */
	GIVES("\x16" "hello" "\x40\x00", "hello" "ooo");
	GIVES("\x16" "hello" "\x92\x00" "!?", "hello" "hello" "!?");
	/* 32 to 63: any length, up to sixteen thousand back. */
	GIVES("\x16" "hello" "\x22\x10\x00", "hello" "hell");
	GIVES("\x16" "hello" "\x20\x01\x10\x00", "hello" "hellohellohellohellohellohellohell");
	/* Up to fifteen behind a match and its literals: two bytes. */
	GIVES("\x16" "hello" "\x51\x00" "x" "\x04\x00", "hellohelxlx");
}

/* Behind a run of literals the same byte is three bytes from beyond two thousand; and from beyond sixteen thousand. */
static void
far(void **state)
{
	(void)state;
	uint8_t *in = malloc(BIG), *out = malloc(BIG), *p = in;
	/* One literal run of 20000: 18 + 78 * 255 + 92. */
	*p++ = 0;
	memset(p, 0, 78);
	p += 78;
	*p++ = (uint8_t)(20000 - 18 - 78 * 255);
	for (unsigned i = 0; i < 20000; i++)
		*p++ = (uint8_t)(i * 7 + i / 256);
	uint8_t *rest = p;
	memcpy(p, "\x00\x02" END, 5); /* three from 2049 + 8 back */
	assert_int_equal(lzo_unpack(view_of(in, (size_t)(p + 5 - in)), out, BIG), 20003);
	assert_memory_equal(out + 20000, out + 20000 - 2057, 3);
	memcpy(rest, "\x12\x04\x00" END, 6); /* four from 16384 + 1 back */
	assert_int_equal(lzo_unpack(view_of(in, (size_t)(rest + 6 - in)), out, BIG), 20004);
	assert_memory_equal(out + 20000, out + 20000 - 16385, 4);
	memcpy(rest, "\x1a\x04\x00" END, 6); /* 16384 further: before the start */
	assert_int_equal(lzo_unpack(view_of(in, (size_t)(rest + 6 - in)), out, BIG), FG_EFORMAT);
	free(in);
	free(out);
}

static void
what_is_refused(void **state)
{
	(void)state;
	uint8_t out[64];
	static const struct { const char *in; size_t n; } bad[] = {
		{ "\x11\x01\x00\x11\0\0", 6 },          /* lzo-rle */
		{ "\x16" "hello" "\x50\x01" END, 11 },  /* before the start */
		{ "\x16" "hello" END "x", 10 },         /* bytes behind the end */
		{ "\x16" "hello" "\x12\x00\x00", 9 },   /* an end of another length */
		{ "", 0 },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(lzo_unpack(view_of(bad[i].in, bad[i].n), out, sizeof out), FG_EFORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions),
		cmocka_unit_test(far),
		cmocka_unit_test(what_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
