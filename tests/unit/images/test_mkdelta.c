/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas made here: by our own applier here, by bspatch and xdelta3 in tests/integration/test_mkdelta.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "images/mkdelta.h"
#include "unit/images/delta_rig.h"

#define BYTES(s) view_of(s, sizeof(s) - 1)

static const enum format_id formats[] = { FORMAT_BSDIFF, FORMAT_VCDIFF };

static struct view
contents(int fd)
{
	struct source s;
	assert_int_equal(source_open(&s, fd), 0);
	uint8_t *p = malloc(s.size ? s.size : 1);
	assert_int_equal(source_read(&s, 0, p, s.size), 0);
	return view_of(p, s.size);
}

/* The delta; the caller drops it. */
static struct view
made(enum format_id format, struct view from, struct view to)
{
	struct source f, t, d;
	struct mkdelta_proof proof, other;
	int fd = memfd_create("delta", MFD_CLOEXEC);
	uint8_t sum[DIGEST_SHA256_LEN];
	source_memory(&f, from);
	source_memory(&t, to);
	assert_int_equal(mkdelta_make(format, &f, &t, fd), 0);
	struct view delta = contents(fd);
	source_memory(&d, delta);
	assert_int_equal(mkdelta_prove(format, &f, &t, &d, &proof), 0);
	digest_sha256(to, sum);
	assert_memory_equal(sum, proof.to_sha256, sizeof sum);
	digest_sha256(from, sum);
	assert_memory_equal(sum, proof.from_sha256, sizeof sum);
	digest_sha256(delta, sum);
	assert_memory_equal(sum, proof.delta_sha256, sizeof sum);
	struct delta_result r = rig_makes(format, delta, from, to);
	assert_int_equal(r.from_base, proof.from_base);
	/* It proves nothing of another target. */
	if (to.n > 0) {
		source_memory(&t, view_of(to.p, to.n - 1));
		assert_int_equal(mkdelta_prove(format, &f, &t, &d, &other), FG_ESTATE);
	}
	close(fd);
	return delta;
}

static void
small(void **state)
{
	static const struct {
		struct view from, to;
	} of[] = {
		{ { (const uint8_t *)"", 0 }, { (const uint8_t *)"", 0 } },
		{ { (const uint8_t *)"", 0 }, { (const uint8_t *)"a", 1 } },
		{ { (const uint8_t *)"a", 1 }, { (const uint8_t *)"", 0 } },
		{ { (const uint8_t *)"abcdefghijkl", 12 }, { (const uint8_t *)"abcdefghijkl", 12 } },
		{ { (const uint8_t *)"abcdefghijkl", 12 }, { (const uint8_t *)"ghijklabcdef", 12 } },
		{ { (const uint8_t *)"aaaaaaaaaaaa", 12 }, { (const uint8_t *)"aaaaaaaaaaaaaaaaaaaaa", 21 } },
		{ { (const uint8_t *)"xyz", 3 }, { (const uint8_t *)"abababababababababab", 20 } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
		for (size_t k = 0; k < 2; k++)
			rig_drop(made(formats[k], of[i].from, of[i].to));
}

/* An update: most of it comes from the base, and the same two images give the same delta. */
static void
update(void **state)
{
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new");
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct view a = made(formats[k], old, new), b = made(formats[k], old, new);
		assert_true(view_equal(a, b));
		if (a.n > 12000)
			fail_msg("%s: %zu bytes", format_name(formats[k]), a.n);
		rig_drop(a);
		rig_drop(b);
		/* The way back, and none at all. */
		rig_drop(made(formats[k], new, old));
		a = made(formats[k], new, new);
		assert_true(a.n < 400);
		rig_drop(a);
	}
	rig_drop(old);
	rig_drop(new);
}

/* What finds no end of equal things: fill, two bytes, runs of every length; windows that end in the middle of one. */
static void
repetitive(void **state)
{
	enum { N = 9 << 20 }; /* more than a window */
	uint8_t *a = malloc(N), *b = malloc(N);
	(void)state;
	memset(a, 0xff, N);
	memset(b, 0xff, N);
	for (unsigned i = 0; i < 1000; i++)
		b[(size_t)i * i * 9] = (uint8_t)i;
	rig_drop(made(FORMAT_VCDIFF, view_of(a, N), view_of(b, N)));
	rig_drop(made(FORMAT_VCDIFF, view_of(b, 3000), view_of(a, N)));
	for (size_t k = 0; k < 2; k++) {
		rig_drop(made(formats[k], view_of(a, 100000), view_of(b, 100000)));
		for (unsigned i = 0; i < 60000; i++)
			a[i] = (uint8_t)("ab"[i * i % 7 % 2]);
		rig_drop(made(formats[k], view_of(a, 60000), view_of(b, 60000)));
		rig_drop(made(formats[k], view_of(b, 60000), view_of(a, 60000)));
	}
	free(a);
	free(b);
}

static void
limits(void **state)
{
	struct source s = { .fd = -1, .size = MKDELTA_BSDIFF_MAX + 1 }, small_one;
	int fd = memfd_create("delta", MFD_CLOEXEC);
	(void)state;
	source_memory(&small_one, BYTES("x"));
	assert_int_equal(mkdelta_make(FORMAT_BSDIFF, &s, &small_one, fd), FG_ELIMIT);
	assert_int_equal(mkdelta_make(FORMAT_BSDIFF, &small_one, &s, fd), FG_ELIMIT);
	s.size = MKDELTA_FROM_MAX + 1;
	assert_int_equal(mkdelta_make(FORMAT_VCDIFF, &s, &small_one, fd), FG_ELIMIT);
	s.size = DELTA_TARGET_MAX + 1;
	assert_int_equal(mkdelta_make(FORMAT_VCDIFF, &small_one, &s, fd), FG_ELIMIT);
	assert_int_equal(mkdelta_make(FORMAT_IMGDIFF, &small_one, &small_one, fd), FG_EINVAL);
	assert_int_equal(mkdelta_make(FORMAT_BSDIFF, &small_one, &small_one, -1), FG_EIO);
	close(fd);
	fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkdelta_make(FORMAT_VCDIFF, &small_one, &small_one, fd), FG_EIO);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small),
		cmocka_unit_test(update),
		cmocka_unit_test(repetitive),
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
