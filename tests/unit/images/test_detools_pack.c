/* SPDX-License-Identifier: Apache-2.0 */
/* crle and heatshrink by hand: a patch is one byte of header that nobody reads here, and the packed bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/delta_detools.h"
#include "unit/images/delta_rig.h"

#define BYTES(s) view_of(s, sizeof(s) - 1)

/*
 * As a sequential patch of type none would be, in its packed form: no data format, nothing added, n bytes put, no
 * move. So that what comes out of the packing is seen in the target.
 */
static struct view
patch_of(unsigned packing, unsigned target, struct view packed)
{
	uint8_t *p = malloc(packed.n + 2);
	p[0] = (uint8_t)packing;
	p[1] = (uint8_t)target;
	memcpy(p + 2, packed.p, packed.n);
	return view_of(p, packed.n + 2);
}

static void
makes(unsigned packing, struct view packed, struct view want)
{
	struct view p = patch_of(packing, (unsigned)want.n, packed);
	rig_makes(FORMAT_DETOOLS, p, view_of(NULL, 0), want);
	rig_drop(p);
}

static void
refuses(unsigned packing, struct view packed, unsigned target, const char *words)
{
	struct view p = patch_of(packing, target, packed);
	rig_refuses(FORMAT_DETOOLS, p, view_of(NULL, 0), DELTA_MALFORMED, words);
	rig_drop(p);
}

static void
crle(void **state)
{
	(void)state;
	/* Three bytes as they are: 0 0 5; five of 'a'; one: 0. */
	makes(2, BYTES("\0\3\0\0\5\1\5a\0\1\0"), BYTES("aaaaa"));
	/* Runs of no bytes, and a length in two bytes. */
	makes(2, BYTES("\0\0\0\x83\0\0\0\5\1\0x\1\5a\0\1\0"), BYTES("aaaaa"));
	refuses(2, BYTES("\0\3\0\0\5\2\5a\0\1\0"), 5, "no known kind");
	refuses(2, BYTES("\0\3\0\0\5\1\5a\0\2\0\0"), 5, "behind the end");
	refuses(2, BYTES("\0\3\0\0\5\1\5a\0\1\0x"), 5, "behind the end");
	refuses(2, BYTES("\0\3\0\0\5\1\5a\0\2\0"), 5, "behind the end");
	refuses(2, BYTES("\0\3\0\0\5\1\5a\0\1"), 5, "too early");
	refuses(2, BYTES("\0\3\0\0\5\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), 5, "no file can hold");
	refuses(2, BYTES(""), 5, "too early");
}

/* Bits in words: "1 61" is a literal, "0 DISTANCE-1 LENGTH-1" a copy. */
struct bits {
	uint8_t p[64];
	unsigned n;
};

static void
put(struct bits *b, unsigned n, unsigned v)
{
	for (; n-- > 0; b->n++)
		b->p[b->n / 8] = (uint8_t)(b->p[b->n / 8] | (v >> n & 1) << (7 - b->n % 8));
}

static void
literal(struct bits *b, unsigned v)
{
	put(b, 1, 1);
	put(b, 8, v);
}

static struct view
closed(struct bits *b)
{
	return view_of(b->p, (b->n + 7) / 8);
}

static void
heatshrink(void **state)
{
	struct bits b = { .p = { 0 } };
	(void)state;
	/* A window of 2^8, lengths of up to 2^4. */
	put(&b, 8, (8 - 4) << 4 | (4 - 3));
	/* "\0\0" of what stands in front of the first byte: zeros. Then the length of what is put: 9. */
	put(&b, 1, 0), put(&b, 8, 1), put(&b, 4, 1);
	literal(&b, 9);
	/* "abc", six bytes of it again, over itself; no move. */
	literal(&b, 'a'), literal(&b, 'b'), literal(&b, 'c');
	put(&b, 1, 0), put(&b, 8, 2), put(&b, 4, 5);
	literal(&b, 0);
	makes(4, closed(&b), BYTES("abcabcabc"));
	refuses(4, view_of(b.p, closed(&b).n - 1), 9, "too early");
	/* Bits behind the last one, and a byte. */
	struct bits bad = b;
	assert_true(bad.n % 8 != 0);
	bad.p[bad.n / 8] |= 1;
	refuses(4, closed(&bad), 9, "behind the end");
	bad = b;
	literal(&bad, 0);
	refuses(4, closed(&bad), 9, "behind the end");
	/* A copy that is longer than what is left. */
	bad = b;
	refuses(4, closed(&bad), 8, "a part of 9 bytes where 8 are left");
	bad = (struct bits){ .p = { 0 } };
	put(&bad, 8, (8 - 4) << 4 | (4 - 3));
	put(&bad, 1, 0), put(&bad, 8, 1), put(&bad, 4, 1);
	literal(&bad, 1), literal(&bad, 'a');
	put(&bad, 1, 0), put(&bad, 8, 200), put(&bad, 4, 2);
	refuses(4, closed(&bad), 1, "behind the end");
	/* Widths: no window over 2^15, no length as wide as the window. */
	refuses(4, BYTES("\xc0\0\0\0"), 9, "widths");
	refuses(4, BYTES("\x44\0\0\0"), 9, "too early");
	refuses(4, BYTES("\x45\0\0\0"), 9, "widths");
	refuses(4, BYTES(""), 9, "too early");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crle),
		cmocka_unit_test(heatshrink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
