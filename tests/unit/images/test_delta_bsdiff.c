/* SPDX-License-Identifier: Apache-2.0 */
/* Patches of bsdiff(1) and of tests/vectors/delta.py, and hostile ones made here, tuple by tuple. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bzlib.h>

#include "crypto/writer.h"
#include "images/delta_bsdiff.h"
#include "unit/images/delta_rig.h"

static const char base_text[] = "the quick brown fox jumps over the lazy dog";
#define BASE view_of(base_text, sizeof base_text - 1)

struct tuple {
	int64_t add, copy, seek;
	const char *diff, *extra; /* as much as add and copy say; NULL: zeros, nothing */
};

static void
put_off(struct writer *w, int64_t v)
{
	uint64_t u = v < 0 ? (uint64_t)-v | (uint64_t)1 << 63 : (uint64_t)v;
	for (unsigned i = 0; i < 8; i++)
		writer_u8(w, (uint8_t)(u >> 8 * i));
}

enum form { PLAIN = 0, BZ2, CLASSIC };

static void
put_stream(struct writer *w, struct view bytes, enum form form)
{
	unsigned n = (unsigned)bytes.n + 1000;
	char *packed = malloc(n);
	if (form == PLAIN) {
		writer_bytes(w, bytes);
	} else {
		assert_int_equal(BZ2_bzBuffToBuffCompress(packed, &n, (char *)(uintptr_t)bytes.p, (unsigned)bytes.n, 9, 0, 0),
		    BZ_OK);
		writer_bytes(w, view_of(packed, n));
	}
	free(packed);
}

/* What goes beside the tuples: lies and extras. */
struct lies {
	struct view control, diff, extra, behind; /* appended to the streams, and to the patch */
	int64_t control_n, diff_n;                /* added to the lengths */
};

static struct view
make_lying(enum form form, int64_t size, const struct tuple *t, size_t n, const struct lies *lies)
{
	struct writer control, diff, extra, packed[3], w;
	writer_init(&control, 1 << 20);
	writer_init(&diff, 1 << 20);
	writer_init(&extra, 1 << 20);
	writer_init(&w, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		put_off(&control, t[i].add);
		put_off(&control, t[i].copy);
		put_off(&control, t[i].seek);
		for (int64_t k = 0; k < t[i].add && k < 4096; k++)
			writer_u8(&diff, t[i].diff ? (uint8_t)t[i].diff[k] : 0);
		writer_bytes(&extra, view_str(t[i].extra));
	}
	writer_bytes(&control, lies->control);
	writer_bytes(&diff, lies->diff);
	writer_bytes(&extra, lies->extra);
	struct view streams[3] = { writer_view(&control), writer_view(&diff), writer_view(&extra) };
	for (unsigned i = 0; i < 3; i++) {
		writer_init(&packed[i], 1 << 20);
		put_stream(&packed[i], streams[i], form);
	}
	writer_bytes(&w, form == CLASSIC ? view_str("BSDIFF40")
	                 : form == BZ2   ? view_of("BSDF2\1\1\1", 8)
	                                 : view_of("BSDF2\0\0\0", 8));
	put_off(&w, (int64_t)writer_view(&packed[0]).n + lies->control_n);
	put_off(&w, (int64_t)writer_view(&packed[1]).n + lies->diff_n);
	put_off(&w, size);
	for (unsigned i = 0; i < 3; i++) {
		writer_bytes(&w, writer_view(&packed[i]));
		writer_free(&packed[i]);
	}
	writer_bytes(&w, lies->behind);
	struct view made = writer_view(&w);
	uint8_t *p = malloc(made.n);
	memcpy(p, made.p, made.n);
	writer_free(&w);
	writer_free(&control);
	writer_free(&diff);
	writer_free(&extra);
	return view_of(p, made.n);
}

static void
refuses(int64_t size, const struct tuple *t, size_t n, const struct lies *lies, const char *words)
{
	static const struct lies none;
	for (enum form form = PLAIN; form <= CLASSIC; form++) {
		struct view p = make_lying(form, size, t, n, lies ? lies : &none);
		rig_refuses(FORMAT_BSDIFF, p, BASE, DELTA_MALFORMED, words);
		rig_drop(p);
	}
}

#define REFUSES(size, words, ...)                                                                  \
	refuses(size, (const struct tuple[]){ __VA_ARGS__ },                                        \
	    sizeof((const struct tuple[]){ __VA_ARGS__ }) / sizeof(struct tuple), NULL, words)

static void
makes(const char *want, const struct tuple *t, size_t n)
{
	static const struct lies none;
	for (enum form form = PLAIN; form <= CLASSIC; form++) {
		struct view p = make_lying(form, (int64_t)strlen(want), t, n, &none);
		rig_makes(FORMAT_BSDIFF, p, BASE, view_str(want));
		rig_drop(p);
	}
}

#define MAKES(want, ...)                                                                           \
	makes(want, (const struct tuple[]){ __VA_ARGS__ },                                          \
	    sizeof((const struct tuple[]){ __VA_ARGS__ }) / sizeof(struct tuple))

/* ---- genuine ---- */

static void
genuine(void **state)
{
	static const struct {
		const char *name, *applier;
	} of[] = { { "bsdiff40", "bsdiff40/1" }, { "endsley", "endsley-bsdiff43/1" }, { "bsdf2-none", "bsdf2/1" },
		{ "bsdf2-bz2", "bsdf2/1" }, { "bsdf2-brotli", "bsdf2/1" }, { "bsdf2-mixed", "bsdf2/1" } };
	struct view old = rig_made("delta", "old"), new = rig_made("delta", "new");
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct view patch = rig_made("delta", of[i].name);
		struct delta_result r = rig_makes(FORMAT_BSDIFF, patch, old, new);
		assert_string_equal(r.applier, of[i].applier);
		assert_false(r.checked);
		assert_string_equal(r.wants, "");
		/* 3000 bytes are new and some hundred words are altered: nearly all of it was there before. */
		assert_true(r.from_patch > 3000 && r.from_patch < 6000);
		rig_drop(patch);
	}
	rig_drop(old);
	rig_drop(new);
}

/* bsdiff has no checksum: another base makes something else, or runs out of it. It never makes the target. */
static void
wrong_base(void **state)
{
	struct view old = rig_made("delta", "old"), new = rig_made("delta", "new"),
	            patch = rig_made("delta", "bsdiff40");
	uint8_t sum[DIGEST_SHA256_LEN];
	(void)state;
	assert_int_equal(digest_sha256(new, sum), 0);
	rig_bytes(old)[1000] ^= 1;
	struct delta_result r = rig_apply(FORMAT_BSDIFF, patch, old, NULL);
	assert_int_equal(r.outcome, DELTA_APPLIED);
	assert_int_equal(r.target_size, new.n);
	assert_memory_not_equal(r.target_sha256, sum, sizeof sum);
	rig_refuses(FORMAT_BSDIFF, patch, view_of(old.p, old.n - 1), DELTA_MALFORMED, "another base, or damaged");
	rig_refuses(FORMAT_BSDIFF, patch, view_of(NULL, 0), DELTA_MALFORMED, "another base, or damaged");
	rig_drop(old);
	rig_drop(new);
	rig_drop(patch);
}

/* ---- hand-made ---- */

static void
tuples_that_make_something(void **state)
{
	(void)state;
	MAKES("the slow", { 4, 4, 0, NULL, "slow" });
	MAKES("uhe quick", { 9, 0, 0, "\1\0\0\0\0\0\0\0\0", NULL });
	MAKES("dogfox", { 0, 0, 40, NULL, NULL }, { 3, 0, 16 - 43, NULL, NULL }, { 3, 0, 0, NULL, NULL });
	/* A position outside the base is legal as long as nothing is read there. */
	MAKES("the new", { 4, 0, -(INT64_C(1) << 40), NULL, NULL }, { 0, 3, 0, NULL, "new" });
	MAKES("the the ", { 4, 0, (INT64_C(1) << 62) - 4, NULL, NULL }, { 0, 0, -(INT64_C(1) << 62), NULL, NULL },
	    { 4, 0, 0, NULL, NULL });
}

static void
outside_the_base(void **state)
{
	(void)state;
	/* The one that kills Debian's bspatch: it reads 2 GiB in front of the base. */
	REFUSES(8, "at -2147483638", { 1, 0, -INT64_C(2147483639), NULL, NULL }, { 7, 0, 0, NULL, NULL });
	/* And the one that makes it print what lies there. */
	REFUSES(8, "at -4", { 1, 0, -5, NULL, NULL }, { 7, 0, 0, NULL, NULL });
	REFUSES(44, "base of 43", { 44, 0, 0, NULL, NULL });
	REFUSES(8, "at 43 ", { 0, 0, 43, NULL, NULL }, { 8, 0, 0, NULL, NULL });
	REFUSES(8, "base of 43", { 0, 0, 1000, NULL, NULL }, { 8, 0, 0, NULL, NULL });
	REFUSES(8, "base of 43", { 0, 0, INT64_C(1) << 62, NULL, NULL }, { 8, 0, 0, NULL, NULL });
}

static void
positions(void **state)
{
	(void)state;
	REFUSES(8, "seeks", { 4, 0, INT64_MAX, NULL, NULL }, { 4, 0, 0, NULL, NULL });
	REFUSES(8, "seeks", { 4, 0, -INT64_MAX, NULL, NULL }, { 4, 0, 0, NULL, NULL });
	REFUSES(8, "seeks to", { 4, 0, INT64_C(1) << 62, NULL, NULL }, { 4, 0, 0, NULL, NULL });
	REFUSES(8, "seeks to", { 0, 0, INT64_C(1) << 62, NULL, NULL }, { 0, 0, INT64_C(1) << 62, NULL, NULL },
	    { 8, 0, 0, NULL, NULL });
	REFUSES(8, "seeks to", { 0, 0, -(INT64_C(1) << 62), NULL, NULL }, { 0, 0, -1, NULL, NULL }, { 8, 0, 0, NULL, NULL });
}

static void
lengths(void **state)
{
	(void)state;
	REFUSES(8, "adds -1", { -1, 0, 0, NULL, NULL });
	REFUSES(8, "copies -1", { 0, -1, 0, NULL, NULL });
	REFUSES(8, "adds", { INT64_MAX, 0, 0, NULL, NULL });
	REFUSES(8, "copies", { 1, INT64_MAX, 0, NULL, NULL });
	REFUSES(8, "adds 9", { 9, 0, 0, NULL, NULL });
	REFUSES(8, "copies 9", { 0, 9, 0, NULL, "123456789" });
	REFUSES(8, "adds 5 and copies 4", { 5, 4, 0, NULL, "1234" });
	REFUSES(-1, "target of -1", { 1, 0, 0, NULL, NULL });
	REFUSES(8, "early", { 4, 0, 0, NULL, NULL });
	REFUSES(8, "early", { 4, 4, 0, NULL, "12" });
}

static void
streams(void **state)
{
	static const struct tuple t[] = { { 4, 4, 0, NULL, "slow" } };
	const struct view more = view_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
	(void)state;
	refuses(8, t, 1, &(struct lies){ .control = more }, "control");
	refuses(8, t, 1, &(struct lies){ .diff = view_of("x", 1) }, "diff");
	refuses(8, t, 1, &(struct lies){ .extra = view_of("x", 1) }, "extra");
	refuses(8, t, 1, &(struct lies){ .behind = view_of("x", 1) }, "extra");
	/* Lengths that are off by one: which stream says so depends on its kind. */
	refuses(8, t, 1, &(struct lies){ .control_n = -1 }, ": the ");
	refuses(8, t, 1, &(struct lies){ .control_n = 1 }, "");
	refuses(8, t, 1, &(struct lies){ .diff_n = -1 }, ": the ");
	refuses(8, t, 1, &(struct lies){ .diff_n = 1 }, ": the ");
	refuses(8, t, 1, &(struct lies){ .control_n = 100000 }, "bytes of control");
	refuses(8, t, 1, &(struct lies){ .diff_n = INT64_C(1) << 60 }, "of diff");
	refuses(8, t, 1, &(struct lies){ .control_n = -100000 }, "declares -");
}

/* A target of 0 bytes has no tuple, and its streams are empty. */
static void
empty_target(void **state)
{
	static const struct lies none;
	(void)state;
	for (enum form form = PLAIN; form <= CLASSIC; form++) {
		struct view p = make_lying(form, 0, NULL, 0, &none);
		rig_makes(FORMAT_BSDIFF, p, BASE, view_of("", 0));
		rig_drop(p);
	}
	REFUSES(0, "control", { 0, 0, 0, NULL, NULL });
}

static void
limits(void **state)
{
	static const struct lies none;
	size_t n = DELTA_BSDIFF_IDLE_MAX + 1;
	(void)state;
	struct view p = make_lying(CLASSIC, (int64_t)DELTA_TARGET_MAX + 1, NULL, 0, &none);
	rig_refuses(FORMAT_BSDIFF, p, BASE, DELTA_LIMIT, "2147483649 bytes");
	rig_drop(p);
	/* A bomb: a few KiB of control that are a million tuples of nothing. */
	uint8_t *zeros = calloc(n, 24);
	char *packed = malloc(1 << 20);
	unsigned packed_n = 1 << 20;
	assert_int_equal(BZ2_bzBuffToBuffCompress(packed, &packed_n, (char *)zeros, (unsigned)(n * 24), 9, 0, 0), BZ_OK);
	struct writer w;
	writer_init(&w, 1 << 20);
	writer_bytes(&w, view_str("BSDIFF40"));
	put_off(&w, packed_n);
	put_off(&w, 0);
	put_off(&w, 1);
	writer_bytes(&w, view_of(packed, packed_n));
	rig_refuses(FORMAT_BSDIFF, writer_view(&w), BASE, DELTA_LIMIT, "make nothing");
	writer_free(&w);
	free(packed);
	free(zeros);
}

static void
kinds(void **state)
{
	static const char unknown[] = "BSDF2\1\3\1" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0";
	(void)state;
	rig_refuses(FORMAT_BSDIFF, view_of(unknown, 32), BASE, DELTA_UNSUPPORTED, "compression 3");
	rig_refuses(FORMAT_BSDIFF, view_str("BSDIFF41 and all that it needs for a header"), BASE, DELTA_MALFORMED, "neither");
	rig_refuses(FORMAT_BSDIFF, view_of(NULL, 0), BASE, DELTA_MALFORMED, "neither");
	rig_refuses(FORMAT_BSDIFF, view_str("BSDIFF40"), BASE, DELTA_MALFORMED, "8 bytes");
	rig_refuses(FORMAT_BSDIFF, view_str("ENDSLEY/BSDIFF43"), BASE, DELTA_MALFORMED, "ends at 16");
	rig_refuses(FORMAT_BSDIFF, view_of("ENDSLEY/BSDIFF43\1\0\0\0\0\0\0\x80", 24), BASE, DELTA_MALFORMED, "-1 bytes");
	rig_refuses(FORMAT_BSDIFF, view_of("ENDSLEY/BSDIFF43\1\0\0\0\0\0\0\0", 24), BASE, DELTA_MALFORMED, "cut off");
}

static void
every_byte(void **state)
{
	static const struct tuple t[] = { { 4, 4, 3, NULL, "slow" }, { 5, 0, 0, "\0\0\1\0\0", NULL } };
	static const struct lies none;
	struct view small, made;
	(void)state;
	for (enum form form = PLAIN; form <= CLASSIC; form++) {
		small = make_lying(form, 13, t, 2, &none);
		assert_int_equal(rig_apply(FORMAT_BSDIFF, small, BASE, &made).outcome, DELTA_APPLIED);
		/*
		 * Plain: the last seek is read by nobody, nor is a sign of zero. Packed: the digit that says how
		 * much memory bzip2 may take, and code tables of it that no symbol uses.
		 */
		assert_in_range(rig_tries(FORMAT_BSDIFF, small, BASE, made, 1), 1, 40);
		rig_drop(made);
		rig_drop(small);
	}
}

static void
every_byte_of_genuine_ones(void **state)
{
	static const struct {
		const char *name;
		size_t step;
	} of[] = { { "bsdiff40", 61 }, { "endsley", 61 }, { "bsdf2-brotli", 61 }, { "bsdf2-mixed", 6007 } };
	struct view old = rig_made("delta", "old"), new = rig_made("delta", "new");
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct view patch = rig_made("delta", of[i].name);
		assert_in_range(rig_tries(FORMAT_BSDIFF, patch, old, new, of[i].step), 0, 6);
		rig_drop(patch);
	}
	rig_drop(old);
	rig_drop(new);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(genuine),
		cmocka_unit_test(wrong_base),
		cmocka_unit_test(tuples_that_make_something),
		cmocka_unit_test(outside_the_base),
		cmocka_unit_test(positions),
		cmocka_unit_test(lengths),
		cmocka_unit_test(streams),
		cmocka_unit_test(empty_target),
		cmocka_unit_test(limits),
		cmocka_unit_test(kinds),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(every_byte_of_genuine_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
