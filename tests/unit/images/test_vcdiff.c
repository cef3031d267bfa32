/* SPDX-License-Identifier: Apache-2.0 */
/* The table against the rows of RFC 3284, section 5.6, as its text numbers them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#include "images/vcdiff.h"

static void
is(const struct vcdiff_code *c, unsigned i, unsigned type1, unsigned size1, unsigned mode1, unsigned type2,
    unsigned size2, unsigned mode2)
{
	const struct vcdiff_half *a = &c[i].half[0], *b = &c[i].half[1];
	if (a->type != type1 || a->size != size1 || a->mode != mode1 || b->type != type2 || b->size != size2 ||
	    b->mode != mode2)
		fail_msg("code %u: %u %u %u, %u %u %u", i, a->type, a->size, a->mode, b->type, b->size, b->mode);
}

static void
table(void **state)
{
	enum { NOOP = VCDIFF_NOOP, ADD = VCDIFF_ADD, RUN = VCDIFF_RUN, COPY = VCDIFF_COPY };
	struct vcdiff_code c[VCDIFF_CODES];
	(void)state;
	vcdiff_table(c);
	is(c, 0, RUN, 0, 0, NOOP, 0, 0);
	is(c, 1, ADD, 0, 0, NOOP, 0, 0);
	is(c, 2, ADD, 1, 0, NOOP, 0, 0);
	is(c, 18, ADD, 17, 0, NOOP, 0, 0);
	/* Nine modes of sixteen codes: 19, 35, 51, ... 147. */
	for (unsigned mode = 0; mode < 9; mode++) {
		is(c, 19 + 16 * mode, COPY, 0, mode, NOOP, 0, 0);
		is(c, 20 + 16 * mode, COPY, 4, mode, NOOP, 0, 0);
		is(c, 34 + 16 * mode, COPY, 18, mode, NOOP, 0, 0);
	}
	/* Six modes of twelve pairs: 163, 175, ... 223. */
	for (unsigned mode = 0; mode < 6; mode++) {
		is(c, 163 + 12 * mode, ADD, 1, 0, COPY, 4, mode);
		is(c, 165 + 12 * mode, ADD, 1, 0, COPY, 6, mode);
		is(c, 166 + 12 * mode, ADD, 2, 0, COPY, 4, mode);
		is(c, 174 + 12 * mode, ADD, 4, 0, COPY, 6, mode);
	}
	/* Three of four: 235, 239, 243. */
	for (unsigned mode = 6; mode < 9; mode++) {
		is(c, 235 + 4 * (mode - 6), ADD, 1, 0, COPY, 4, mode);
		is(c, 238 + 4 * (mode - 6), ADD, 4, 0, COPY, 4, mode);
	}
	for (unsigned mode = 0; mode < 9; mode++)
		is(c, 247 + mode, COPY, 4, mode, ADD, 1, 0);
}

static void
integers(void **state)
{
	uint8_t p[VCDIFF_INT_MAX];
	(void)state;
	/* The RFC's own example, in section 2. */
	assert_int_equal(vcdiff_int(123456789, p), 4);
	assert_memory_equal(p, "\xba\xef\x9a\x15", 4);
	assert_int_equal(vcdiff_int(0, p), 1);
	assert_memory_equal(p, "\x00", 1);
	assert_int_equal(vcdiff_int(127, p), 1);
	assert_int_equal(vcdiff_int(128, p), 2);
	assert_memory_equal(p, "\x81\x00", 2);
	assert_int_equal(vcdiff_int(UINT64_MAX, p), 10);
	assert_memory_equal(p, "\x81\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10);
}

static void
modes(void **state)
{
	struct vcdiff_cache c = { 0 };
	uint64_t v = 0;
	(void)state;
	assert_int_equal(vcdiff_mode(&c, 5, 1000, &v), VCDIFF_MODE_SELF);
	assert_int_equal(v, 5);
	assert_int_equal(vcdiff_mode(&c, 990, 1000, &v), VCDIFF_MODE_HERE);
	assert_int_equal(v, 10);
	vcdiff_remember(&c, 500);
	assert_int_equal(vcdiff_mode(&c, 503, 1000, &v), VCDIFF_MODE_NEAR);
	assert_int_equal(v, 3);
	assert_int_equal(vcdiff_mode(&c, 499, 1000, &v), VCDIFF_MODE_SELF);
	/* 500 = 256 + 244: the second of the same modes. */
	assert_int_equal(vcdiff_mode(&c, 500, 1000, &v), VCDIFF_MODE_SAME + 1);
	assert_int_equal(v, 244);
	for (uint64_t a = 600; a < 1000; a += 100)
		vcdiff_remember(&c, a);
	/* Four later ones: the first slot has the fifth. */
	assert_int_equal(vcdiff_mode(&c, 901, 1000, &v), VCDIFF_MODE_NEAR);
	assert_int_equal(vcdiff_mode(&c, 801, 1000, &v), VCDIFF_MODE_NEAR + 3);
}

/* zlib's says what is right; of ones only, the sums are as large as they get. */
static void
checksum(void **state)
{
	enum { MOST = 300000 };
	static const uint8_t wikipedia[] = "Wikipedia";
	uint8_t *p = malloc(MOST);
	(void)state;
	assert_int_equal(vcdiff_adler32(view_of(NULL, 0)), 1);
	assert_int_equal(vcdiff_adler32(view_of(wikipedia, 9)), 0x11e60398);
	for (size_t i = 0; i < MOST; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 24);
	for (unsigned ones = 0; ones < 2; ones++) {
		for (size_t n = 0; n <= MOST; n += n < 200 ? 1 : 6553)
			assert_int_equal(vcdiff_adler32(view_of(p + n % 7, n - n % 7)), adler32_z(1, p + n % 7, n - n % 7));
		memset(p, 0xff, MOST);
	}
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(integers),
		cmocka_unit_test(modes),
		cmocka_unit_test(checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
