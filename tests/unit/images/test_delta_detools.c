/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detools' own patches (../shared/vectors/detools, where they are), those that
 * tests/vectors/appliers.py constructs, and hostile ones made here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/delta_detools.h"
#include "unit/images/delta_rig.h"

static const char base_text[] = "the quick brown fox";
#define BASE_N (sizeof base_text - 1)
#define BASE view_of(base_text, BASE_N)
#define BYTES(s) view_of(s, sizeof(s) - 1)

static struct view
theirs(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "detools/%s", name);
	return rig_genuine(path);
}

static void
genuine(void **state)
{
	static const char *const good[] = { "patch", "none.patch", "crle.patch", "heatshrink.patch", "zstd.patch", "lz4.patch",
		"hdiffpatch-none.patch", "in-place-3000-500.patch", "in-place-3000-500-crle.patch" };
	static const struct {
		const char *name, *words;
	} bad[] = { { "bad-compression.patch", "compression 15" }, { "bad-lzma-end.patch", "" },
		{ "bad-patch-type.patch", "patch type 15" }, { "diff-data-too-long.patch", "where 43 are left" },
		{ "extra-data-too-long.patch", "a part of 8 bytes where 7 are left" }, { "empty.patch", "empty" },
		{ "short-none.patch", "" }, { "short-to-size.patch", "cut short" }, { "short.patch", "" } };
	struct view old = theirs("old"), new = theirs("new");
	(void)state;
	if (!old.p) {
		print_message("skipped: ../shared/vectors/detools is not there\n");
		skip();
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct view p = theirs(good[i]);
		struct delta_result r = rig_makes(FORMAT_DETOOLS, p, old, new);
		assert_false(r.checked);
		assert_string_equal(r.applier, "detools/1");
		rig_drop(p);
	}
	struct view back = theirs("backwards.patch");
	rig_makes(FORMAT_DETOOLS, back, new, old);
	rig_drop(back);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct view p = theirs(bad[i].name);
		rig_refuses(FORMAT_DETOOLS, p, old, DELTA_MALFORMED, bad[i].words);
		rig_drop(p);
	}
	rig_drop(old);
	rig_drop(new);
}

static void
constructed(void **state)
{
	static const char *const of[] = { "none", "lzma", "crle", "bz2", "heatshrink", "zstd", "lz4", "hdiff-none", "hdiff-lzma",
		"hdiff-crle", "hdiff-bz2", "hdiff-heatshrink", "hdiff-zstd", "hdiff-lz4", "place-none", "place-crle", "place-lzma",
		"place-heatshrink" };
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new");
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		char name[64];
		snprintf(name, sizeof name, "detools-%s", of[i]);
		struct view p = rig_made("appliers", name);
		rig_makes(FORMAT_DETOOLS, p, old, new);
		/* In-place and HDiffPatch know how long their base is. */
		struct delta_result r = rig_apply(FORMAT_DETOOLS, p, view_of(old.p, old.n - 1), NULL);
		if (strstr(of[i], "place") || strstr(of[i], "hdiff")) {
			assert_int_equal(r.outcome, DELTA_WRONG_BASE);
			assert_string_equal(r.wants, "163840 bytes");
		} else {
			assert_int_equal(r.wants[0], '\0');
		}
		rig_drop(p);
	}
	struct view p = rig_made("appliers", "detools-format");
	rig_refuses(FORMAT_DETOOLS, p, old, DELTA_UNSUPPORTED, "data-format segments (aarch64)");
	rig_drop(p);
	rig_drop(old);
	rig_drop(new);
}

static void
refuses(struct view patch, const char *words)
{
	rig_refuses(FORMAT_DETOOLS, patch, BASE, DELTA_MALFORMED, words);
}

static void
sequential(void **state)
{
	(void)state;
	/* Numbers below 64 are one byte; 0x40 is the sign. No data format; "the", "!", on by 1; "quick", nothing. */
	rig_makes(FORMAT_DETOOLS, BYTES("\0\x09\0\3\0\0\0\1!\1\5\0\0\0\0\0\0\0"), BASE, BYTES("the!quick"));
	/* Bytes of the base with something added. */
	rig_makes(FORMAT_DETOOLS, BYTES("\0\3\0\3\1\0\xff\0\0"), BASE, BYTES("uhd"));
	/* Back by three, and the same again. */
	rig_makes(FORMAT_DETOOLS, BYTES("\0\6\0\3\0\0\0\0\x43\3\0\0\0\0\0"), BASE, BYTES("thethe"));
	rig_makes(FORMAT_DETOOLS, BYTES("\0\0"), BASE, BYTES(""));
	refuses(BYTES("\0\0\0"), "behind the header");
	refuses(BYTES("\0\6\0\3\0\0\0\0\x44\3\0\0\0\0\0"), "at -1 of the base");
	refuses(BYTES("\0\6\0\3\0\0\0\0\x0e\3\0\0\0\0\0"), "at 17 of the base");
	refuses(BYTES("\0\3\0\x43\0\0\0\0\0"), "a part of -3 bytes");
	refuses(BYTES("\0\3\0\4\0\0\0\0\0\0"), "a part of 4 bytes where 3 are left");
	refuses(BYTES("\0\3\0\2\0\0\2xx\0"), "a part of 2 bytes where 1 are left");
	refuses(BYTES("\0\3\x41\3\0\0\0\0\0"), "negative size");
	refuses(BYTES("\0\3\0\0\3abc"), "");
	refuses(BYTES("\0\3\0\0\3abc\0\0"), "");
	refuses(BYTES("\0\x43"), "negative size in the header");
	refuses(BYTES("\0\xbf\xff\xff\xff\xff\xff\xff\xff\xff\1"), "no file can have");
	refuses(BYTES("\0\3\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "more than 62 bits");
	refuses(BYTES("\x30\3\0"), "patch type 3");
	refuses(BYTES("\x80\3\0"), "patch type 8");
	refuses(BYTES("\7\3\0"), "compression 7");
	rig_refuses(FORMAT_DETOOLS, BYTES("\0\xbf\xff\xff\xff\xff\x0f"), BASE, DELTA_LIMIT, "the target would have");
	/* A move that no number can hold, made of several. */
	refuses(BYTES("\0\2\0\0\1a\xbf\xff\xff\xff\xff\xff\xff\xff\x7f\0\0\xbf\xff\xff\xff\xff\xff\xff\xff\x7f"
	              "\0\0\xbf\xff\xff\xff\xff\xff\xff\xff\x7f"),
	    "out of any file");
}

/* Parts about no bytes, of which bsdiff makes one now and then, and packed ones could hold billions. */
static void
parts_about_nothing(void **state)
{
	uint8_t p[4096];
	size_t n = 0;
	(void)state;
	memcpy(p, "\0\1\0", 3);
	for (n = 3; n < 3 + 3 * 17; n++)
		p[n] = 0;
	memcpy(p + n, "\1\0\0\0", 4);
	rig_makes(FORMAT_DETOOLS, view_of(p, n + 4), BASE, BYTES("t"));
	memset(p + n, 0, 3);
	memcpy(p + n + 3, "\1\0\0\0", 4);
	refuses(view_of(p, n + 7), "parts about no bytes");
}

/* Memory, segment, shift, base and target of a patch in place; what is made of "the quick brown fox" in segments of 8. */
#define PLACE(memory, segment, shift, to) "\x10" memory segment shift "\x13" to
#define FIRST "\0\x08\0\0\0\0\0\0\0\0\0\0" /* eight bytes of the base, as they are */

static void
in_place(void **state)
{
	(void)state;
	rig_makes(FORMAT_DETOOLS, BYTES(PLACE("\x28", "\x08", "\x08", "\x0c") FIRST "\0\1\0\3est\0"), BASE,
	    BYTES("the quickest"));
	/* Of the second segment the base's first eight bytes are gone: one back from where it starts. */
	refuses(BYTES(PLACE("\x28", "\x08", "\x08", "\x0c") FIRST "\0\0\0\x41\1\0\3est\0"), "those from 8 up to 19");
	/* Moved by 16 nothing is gone yet. */
	rig_makes(FORMAT_DETOOLS, BYTES(PLACE("\x28", "\x08", "\x10", "\x0c") FIRST "\0\0\0\x07\1\0\3est\0"), BASE,
	    BYTES("the quiccest"));
	/* What does not fit into memory above the move is lost: 12 bytes of the base are left in 20. */
	rig_makes(FORMAT_DETOOLS, BYTES(PLACE("\x14", "\x08", "\x08", "\x0c") FIRST "\0\4\0\0\0\0\0\0"), BASE,
	    BYTES("the quick br"));
	refuses(BYTES(PLACE("\x13", "\x08", "\x08", "\x0c") FIRST "\0\4\0\0\0\0\0\0"), "those from 8 up to 11");
	/* No part crosses its segment. */
	refuses(BYTES(PLACE("\x28", "\x08", "\x08", "\x0c") "\0\x09\0\0\0\0\0\0\0\0\0\0\0"), "where 8 are left");
	refuses(BYTES(PLACE("\x28", "\x08", "\x29", "\x0c") FIRST), "in a memory of 40");
	refuses(BYTES(PLACE("\x28", "\0", "\x08", "\x0c") FIRST), "in a memory of 40");
	refuses(BYTES(PLACE("\x0b", "\x08", "\x08", "\x0c") FIRST), "in a memory of 11");
	/* A segment that is larger than any target. */
	rig_makes(FORMAT_DETOOLS, BYTES(PLACE("\x28", "\xbf\xff\xff\xff\xff\xff\xff\xff\x7f", "\x08", "\3") "\0\0\3abc\0"), BASE,
	    BYTES("abc"));
	rig_refuses(FORMAT_DETOOLS, BYTES(PLACE("\x28", "\x08", "\x08", "\x0c") FIRST), BYTES("the"), DELTA_WRONG_BASE,
	    "is for a base of 19 bytes, not 3");
	rig_refuses(FORMAT_DETOOLS, BYTES(PLACE("\x28", "\x08", "\x08", "\x0c") FIRST "\1\1"), BASE, DELTA_UNSUPPORTED,
	    "data-format segments");
}

/* In its wrapping HDiffPatch says the target's size twice. */
static void
wrapped(void **state)
{
	struct view old = rig_made("appliers", "old"), plain = rig_made("appliers", "hdiff13-none");
	(void)state;
	uint8_t *p = malloc(plain.n + 3);
	memcpy(p, "\x20\5\5", 3);
	memcpy(p + 3, plain.p, plain.n);
	rig_refuses(FORMAT_DETOOLS, view_of(p, plain.n + 3), old, DELTA_MALFORMED, "bytes behind the header, which says 5");
	free(p);
	rig_drop(plain);
	rig_drop(old);
}

static void
every_byte(void **state)
{
	static const char *const of[] = { "heatshrink", "place-crle", "hdiff-lzma" };
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new");
	const struct view small = BYTES("\0\x09\0\3\0\0\0\1!\1\5\0\0\0\0\0\0\0");
	(void)state;
	/* Where the base is read next after the last byte is nobody's to use; so is a longer move of none. */
	assert_true(rig_tries(FORMAT_DETOOLS, small, BASE, BYTES("the!quick"), 1) <= 3);
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		char name[64];
		snprintf(name, sizeof name, "detools-%s", of[i]);
		struct view p = rig_made("appliers", name);
		rig_tries(FORMAT_DETOOLS, p, old, new, p.n / 60);
		rig_drop(p);
	}
	rig_drop(old);
	rig_drop(new);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(genuine),
		cmocka_unit_test(constructed),
		cmocka_unit_test(sequential),
		cmocka_unit_test(parts_about_nothing),
		cmocka_unit_test(in_place),
		cmocka_unit_test(wrapped),
		cmocka_unit_test(every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
