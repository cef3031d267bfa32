/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches of HDiffPatch: one of its own (within ../shared/vectors/detools, which test_delta_detools.c applies), those
 * that tests/vectors/appliers.py constructs from the description, and hostile ones made here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/writer.h"
#include "images/delta_hdiff.h"
#include "unit/images/delta_rig.h"

static const char base_text[] = "the quick brown fox";
#define BASE_N (sizeof base_text - 1)
#define BASE view_of(base_text, BASE_N)
#define BYTES(s) view_of(s, sizeof(s) - 1)

static void
constructed(void **state)
{
	static const char *const packings[] = { "none", "zlib", "bz2", "zstd", "7zXZ" };
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new");
	(void)state;
	for (unsigned form = 13; form <= 20; form += 7)
		for (size_t i = 0; i < sizeof packings / sizeof packings[0]; i++) {
			char name[64];
			snprintf(name, sizeof name, "hdiff%u-%s", form, packings[i]);
			struct view p = rig_made("appliers", name);
			struct delta_result r = rig_makes(FORMAT_HDIFFPATCH, p, old, new);
			assert_false(r.checked);
			assert_string_equal(r.wants, "163840 bytes");
			assert_string_equal(r.applier, "hdiffpatch/1");
			assert_true(r.from_base > 150000 && r.from_patch > 1000);
			rig_refuses(FORMAT_HDIFFPATCH, p, view_of(old.p, old.n - 1), DELTA_WRONG_BASE,
			    "is for a base of 163840 bytes, not 163839");
			rig_drop(p);
		}
	rig_drop(old);
	rig_drop(new);
}

/* ---- HDIFF13 by hand ---- */

struct form13 {
	unsigned target, covers_n;
	struct view covers, control, code, fresh, behind;
	unsigned packed; /* of the covers: said, and not so */
	const char *packing;
	unsigned longer; /* added to the said length of the new bytes */
};

static struct view
patch13(const struct form13 *f)
{
	struct writer w;
	size_t n;
	writer_init(&w, 1 << 16);
	writer_text(&w, "HDIFF13&");
	writer_bytes(&w, view_str(f->packing));
	writer_u8(&w, 0);
	writer_u8(&w, (uint8_t)f->target);
	writer_u8(&w, BASE_N);
	writer_u8(&w, (uint8_t)f->covers_n);
	const struct view part[] = { f->covers, f->control, f->code, f->fresh };
	for (unsigned i = 0; i < 4; i++) {
		writer_u8(&w, (uint8_t)(part[i].n + (i == 3 ? f->longer : 0)));
		writer_u8(&w, (uint8_t)(i == 0 ? f->packed : 0));
	}
	for (unsigned i = 0; i < 4; i++)
		writer_bytes(&w, part[i]);
	writer_bytes(&w, f->behind);
	uint8_t *p = writer_take(&w, &n);
	return view_of(p, n);
}

static void
makes13(struct form13 f, const char *want)
{
	struct view p = patch13(&f);
	rig_makes(FORMAT_HDIFFPATCH, p, BASE, view_str(want));
	rig_drop(p);
}

static void
refuses13(struct form13 f, enum delta_outcome outcome, const char *words)
{
	struct view p = patch13(&f);
	rig_refuses(FORMAT_HDIFFPATCH, p, BASE, outcome, words);
	rig_drop(p);
}

static void
hdiff13(void **state)
{
	/* "a", then "quick" (at 4, of 5), then "b", then "the" (back by 9 from 9), then "!". Zeros: 11 of them. */
	const struct form13 good = { .target = 11, .covers_n = 2, .covers = BYTES("\4\1\5\x89\1\3"), .control = BYTES("\x0a"),
		.fresh = BYTES("ab!") };
	struct form13 f = good;
	(void)state;
	makes13(f, "aquickbthe!");
	/* Two zeros, "u" + 255, "ic" + 1 each, "k" + 2 and 3 that is passed over at the "b", zeros. */
	f.control = BYTES("\x01\x40\x81\xc1\x03"), f.code = BYTES("\1\2\3");
	makes13(f, "aqtjdmbthe!");
	f = good;
	f.covers_n = 1, refuses13(f, DELTA_MALFORMED, "new bytes: wants more"), f = good;
	f.covers_n = 3, refuses13(f, DELTA_MALFORMED, "covers: wants more"), f = good;
	f.covers_n = 13, refuses13(f, DELTA_MALFORMED, "13 covers for 11 bytes"), f = good;
	f.target = 10, refuses13(f, DELTA_MALFORMED, ""), f = good;
	f.target = 12, refuses13(f, DELTA_MALFORMED, "new bytes: wants more"), f = good;
	f.control = BYTES("\x09"), refuses13(f, DELTA_MALFORMED, "run lengths: wants more"), f = good;
	f.control = BYTES("\x0b"), refuses13(f, DELTA_MALFORMED, "goes on behind the end"), f = good;
	f.control = BYTES("\x0a\0"), refuses13(f, DELTA_MALFORMED, "run lengths: bytes that nothing uses"), f = good;
	f.code = BYTES("x"), refuses13(f, DELTA_MALFORMED, "run bytes: bytes that nothing uses"), f = good;
	f.control = BYTES("\xca"), refuses13(f, DELTA_MALFORMED, "run bytes: wants more"), f = good;
	f.covers = BYTES("\4\1\5\x89\1\3\0"), refuses13(f, DELTA_MALFORMED, "covers: bytes that nothing uses"), f = good;
	f.fresh = BYTES("ab!?"), refuses13(f, DELTA_MALFORMED, "new bytes: bytes that nothing uses"), f = good;
	f.behind = BYTES("x"), refuses13(f, DELTA_MALFORMED, "1 bytes behind the patch"), f = good;
	f.longer = 1, refuses13(f, DELTA_MALFORMED, "new bytes: 4 bytes where 3 are left"), f = good;
	f.covers = BYTES("\4\1\5\x8a\1\3"), refuses13(f, DELTA_MALFORMED, "outside the base"), f = good;
	f.covers = BYTES("\4\1\5\x0b\1\3"), refuses13(f, DELTA_MALFORMED, "outside the base"), f = good;
	f.covers = BYTES("\4\1\5\x09\1\3"), refuses13(f, DELTA_MALFORMED, "more than there is of the base"), f = good;
	f.covers = BYTES("\4\1\x0b\x89\1\3"), refuses13(f, DELTA_MALFORMED, "more than is left of the target"), f = good;
	f.covers = BYTES("\4\x0c\5\x89\1\3"), refuses13(f, DELTA_MALFORMED, "more than is left of the target"), f = good;
	f.covers = BYTES("\4\1\x83\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), refuses13(f, DELTA_MALFORMED, "more than 64 bits"), f = good;
	f.control = BYTES("\x3f\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), refuses13(f, DELTA_MALFORMED, ""), f = good;
	/* Packed, by whom, and how: what is not known has a name. */
	f.packed = 6, refuses13(f, DELTA_UNSUPPORTED, "packed by \"\""), f = good;
	f.packed = 6, f.packing = "lzma", refuses13(f, DELTA_UNSUPPORTED, "packed by \"lzma\""), f = good;
	f.packed = 6, f.packing = "tuz", refuses13(f, DELTA_UNSUPPORTED, "packed by \"tuz\""), f = good;
	f.packed = 6, f.packing = "zlib", refuses13(f, DELTA_MALFORMED, "no possible size"), f = good;
	f.packed = 6, f.packing = "bz2", refuses13(f, DELTA_MALFORMED, "covers"), f = good;
	f.packed = 100, f.packing = "bz2", refuses13(f, DELTA_MALFORMED, "covers: 100 bytes where"), f = good;
	f.packing = "zlib", makes13(f, "aquickbthe!");
}

/* ---- HDIFFSF20 by hand ---- */

/* A packed stream of zeros is short, and as many covers as the target has bytes would be gone through for nothing. */
static void
covers_that_make_nothing(void **state)
{
	const size_t n = 3 * ((1u << 20) + 2);
	struct writer w;
	(void)state;
	writer_init(&w, n + 64);
	writer_bytes(&w, BYTES("HDIFF13&\0\xc0\x80\2"));
	writer_u8(&w, BASE_N);
	writer_bytes(&w, BYTES("\xc0\x80\2\x81\xc0\x80\6\0\0\0\0\0\0\0"));
	for (size_t i = 0; i < n; i++)
		writer_u8(&w, 0);
	rig_refuses(FORMAT_HDIFFPATCH, writer_view(&w), BASE, DELTA_LIMIT, "over 1048576 covers that make nothing");
	writer_free(&w);
}

static void
hdiff20(void **state)
{
	/* Head: target 11, base, covers 3, step 16; size and packed size; then two steps. */
#define HEAD(target, covers, step, size, packed) "HDIFFSF20&\0" target "\x13" covers step size packed
#define FIRST "\3\1\4\1\5\5a"              /* 3 of covers, 1 of run lengths: quick; five zeros; "a" */
#define SECOND "\6\1\x89\1\3\0\1\0\3b!"    /* "the" behind "b", then nothing behind "!"; three zeros */
	(void)state;
	rig_makes(FORMAT_HDIFFPATCH, BYTES(HEAD("\x0b", "\3", "\x10", "\x12", "\0") FIRST SECOND), BASE, BYTES("aquickbthe!"));
	/* Run lengths: two zeros, one byte, two zeros. */
	rig_makes(FORMAT_HDIFFPATCH, BYTES(HEAD("\6", "\1", "\7", "\x0a", "\0") "\3\4\4\1\5\2\1\1\2a"), BASE, BYTES("aqujck"));
	/* A run of nothing at the end, as HDiffPatch has it where there is nothing to add. */
	rig_makes(FORMAT_HDIFFPATCH, BYTES(HEAD("\1", "\1", "\4", "\7", "\0") "\3\1\0\1\0\0a"), BASE, BYTES("a"));
	const struct {
		struct view patch;
		const char *words;
	} of[] = {
#define BAD(words, patch) { BYTES(patch), words }
		BAD("more than is left of the target", HEAD("\x0a", "\3", "\x10", "\x12", "\0") FIRST SECOND),
		BAD("makes 11 of the 12 bytes", HEAD("\x0c", "\3", "\x10", "\x12", "\0") FIRST SECOND),
		BAD("a cover of no bytes that is not the last", HEAD("\x0b", "\4", "\x10", "\x12", "\0") FIRST SECOND),
		BAD("more covers than there are said to be", HEAD("\x0b", "\2", "\x10", "\x12", "\0") FIRST SECOND),
		BAD("larger than it is said to be", HEAD("\x0b", "\3", "\6", "\x12", "\0") FIRST SECOND),
		BAD("in steps of 19", HEAD("\x0b", "\3", "\x13", "\x12", "\0") FIRST SECOND),
		BAD("packed into 19", HEAD("\x0b", "\3", "\x10", "\x12", "\x13") FIRST SECOND),
		BAD("1 bytes behind the patch", HEAD("\x0b", "\3", "\x10", "\x12", "\0") FIRST SECOND "x"),
		BAD("the stream: 18 bytes where 17 are left", HEAD("\x0b", "\3", "\x10", "\x12", "\0") FIRST "\6\1\x89\1\3\0\1\0\3b"),
		BAD("bytes that nothing uses", HEAD("\x0b", "\3", "\x10", "\x13", "\0") FIRST SECOND "x"),
		BAD("a step without covers", HEAD("\x0b", "\3", "\x10", "\x14", "\0") "\0\0" FIRST SECOND),
		BAD("goes on behind the end of its step", HEAD("\x0b", "\3", "\x10", "\x12", "\0") "\3\1\4\1\5\6a" SECOND),
		BAD("a number that is cut short", HEAD("\x0b", "\3", "\x10", "\x12", "\0") "\3\1\4\1\5\4a" SECOND),
		BAD("longer than its step", HEAD("\6", "\1", "\7", "\x0a", "\0") "\3\4\4\1\5\2\3\1\2a"),
		BAD("a number that is cut short", HEAD("\x0b", "\3", "\x10", "\x12", "\0") "\2\2\4\1\5\5a" SECOND),
		BAD("a number that is cut short", "HDIFFSF20&\0\x0b\x13"),
		BAD("does not start as", "HDIFFSF20\0\x0b\x13"),
		BAD("does not start as", "HDIFFSF20&zlib"),
		BAD("does not start as", "HDIFFSF20&a name that is longer than any\0"),
	};
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
		rig_refuses(FORMAT_HDIFFPATCH, of[i].patch, BASE, DELTA_MALFORMED, of[i].words);
	rig_refuses(FORMAT_HDIFFPATCH, BYTES("HDIFF19&zlib&fadler64\0\1\2"), BASE, DELTA_UNSUPPORTED, "for directories");
	rig_refuses(FORMAT_HDIFFPATCH, BYTES("HDIFFW26&zstd\0\1\2"), BASE, DELTA_UNSUPPORTED, "the form \"HDIFFW26\"");
	rig_refuses(FORMAT_HDIFFPATCH, BYTES("HDIFFSF20&\0\x0b\x13\3\x88\x80\x80\1\x8f\xff\xff\x7f\0"), BASE, DELTA_LIMIT,
	    "steps of 16777217 bytes");
}

static void
every_byte(void **state)
{
	static const char *const of[] = { "hdiff13-none", "hdiff20-none", "hdiff13-zlib", "hdiff20-zstd" };
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new");
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct view p = rig_made("appliers", of[i]);
		rig_tries(FORMAT_HDIFFPATCH, p, old, new, p.n / 60);
		rig_drop(p);
	}
	rig_drop(old);
	rig_drop(new);
	const struct form13 good = { .target = 11, .covers_n = 2, .covers = BYTES("\4\1\5\x89\1\3"), .control = BYTES("\x0a"),
		.fresh = BYTES("ab!") };
	struct view small = patch13(&good);
	/* The packing's name, where nothing is packed: the mark before it may be within it. */
	assert_true(rig_tries(FORMAT_HDIFFPATCH, small, BASE, BYTES("aquickbthe!"), 1) <= 6);
	rig_drop(small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constructed),
		cmocka_unit_test(hdiff13),
		cmocka_unit_test(covers_that_make_nothing),
		cmocka_unit_test(hdiff20),
		cmocka_unit_test(every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
