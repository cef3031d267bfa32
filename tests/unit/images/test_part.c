/* SPDX-License-Identifier: Apache-2.0 */
/* Taking images apart: order, bounds, what lies in between. What formats hold is in test_part_<format>.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bzlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "images/part_internal.h"
#include "images/part_spans.h"
#include "tests/unit/images/part_rig.h"

#define CAP (4u << 20)

/* malloc'ed gzip of v. */
static struct view
gz(struct view v, int level)
{
	size_t cap = v.n + v.n / 100 + 1000;
	uint8_t *out = malloc(cap);
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)v.p, .avail_in = (uInt)v.n, .next_out = out, .avail_out = (uInt)cap };
	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size_t n = z.total_out;
	deflateEnd(&z);
	return view_of(out, n);
}

static void
drop(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

static void
holds(const struct part_rig *r, uint32_t i, const char *text)
{
	const struct part *p = parts_get(r->tree, i);
	char buf[256];
	assert_int_equal(p->bytes.size, strlen(text));
	assert_int_equal(source_read(&p->bytes, 0, buf, strlen(text)), 0);
	assert_memory_equal(buf, text, strlen(text));
}

static void
text_is_one_leaf(void **state)
{
	(void)state;
	struct part_rig r;
	part_rig_open(&r, view_str("just a few words\n"));
	const struct part *p = parts_get(r.tree, 0);
	assert_int_equal(parts_count(r.tree), 1);
	assert_true(part_is_leaf(p));
	assert_int_equal(p->look, PART_LOOK_DATA);
	uint8_t want[DIGEST_SHA256_LEN];
	assert_int_equal(digest_sha256(view_str("just a few words\n"), want), 0);
	assert_memory_equal(p->sha256, want, sizeof want);
	part_rig_close(&r);
	part_rig_open(&r, view_of(NULL, 0));
	assert_false(part_is_leaf(parts_get(r.tree, 0)));
	part_rig_close(&r);
}

static void
looks(void **state)
{
	(void)state;
	struct part_rig r;
	uint8_t *b = malloc(70000);
	uint32_t x = 7;
	memset(b, 0xff, 70000);
	part_rig_open(&r, view_of(b, 70000));
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_ERASED);
	part_rig_close(&r);
	b[69999] = 0xfe;
	part_rig_open(&r, view_of(b, 70000));
	assert_int_not_equal(parts_get(r.tree, 0)->look, PART_LOOK_ERASED);
	part_rig_close(&r);
	for (size_t i = 0; i < 70000; i++)
		b[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
	part_rig_open(&r, view_of(b, 70000));
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPAQUE);
	part_rig_close(&r);
	part_rig_open(&r, view_of(b, 300));
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPAQUE);
	part_rig_close(&r);
	free(b);
}

/* A member, erased flash, and what somebody put behind it. */
static void
nothing_lies_between(void **state)
{
	(void)state;
	struct view a = gz(view_str("first"), 6);
	uint8_t b[1000];
	struct part_rig r;
	memset(b, 0, sizeof b);
	memcpy(b, a.p, a.n);
	part_rig_open(&r, view_of(b, sizeof b));
	assert_int_equal(parts_count(r.tree), 2);
	holds(&r, part_rig_find(&r, "gzip"), "first");
	assert_int_equal(parts_get(r.tree, 0)->structure_n, 1);
	assert_int_equal(parts_structure(r.tree, 0, 0).at, a.n);
	assert_int_equal(parts_get(r.tree, 1)->packed_length, a.n);
	part_rig_close(&r);
	memcpy(b + 500, "hidden", 6);
	part_rig_open(&r, view_of(b, sizeof b));
	uint32_t gap = part_rig_find(&r, "gap");
	assert_int_not_equal(gap, PART_NONE_INDEX);
	assert_int_equal(parts_get(r.tree, gap)->at, 500);
	assert_int_equal(parts_get(r.tree, gap)->bytes.size, 500);
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPENED);
	part_rig_close(&r);
	drop(a);
}

static void
streams_in_a_row_are_one(void **state)
{
	(void)state;
	struct view a = gz(view_str("first "), 6), b = gz(view_str("second"), 6);
	uint8_t all[300];
	struct part_rig r;
	memcpy(all, a.p, a.n);
	memcpy(all + a.n, b.p, b.n);
	part_rig_open(&r, view_of(all, a.n + b.n));
	assert_int_equal(parts_count(r.tree), 2);
	holds(&r, 1, "first second");
	part_rig_close(&r);
	drop(a);
	drop(b);
}

/* A comment in a header never comes out: it is a part, and so is every member that has one. */
static void
words_in_a_header(void **state)
{
	(void)state;
	struct view a = gz(view_str("first "), 6);
	uint8_t all[300] = { 0 };
	size_t n = 10;
	struct part_rig r;
	memcpy(all, a.p, 10);
	all[3] = 16 | 4;
	memcpy(all + n, "\5\0extraAT+CGSN", 15); /* with the NUL that ends the comment */
	n += 15;
	memcpy(all + n, a.p + 10, a.n - 10);
	n += a.n - 10;
	part_rig_open(&r, view_of(all, n));
	holds(&r, part_rig_find(&r, "gzip"), "first ");
	uint32_t words = part_rig_find(&r, "gzip header");
	assert_int_not_equal(words, PART_NONE_INDEX);
	assert_int_equal(parts_get(r.tree, words)->at, 10);
	assert_int_equal(parts_get(r.tree, words)->bytes.size, 15);
	part_rig_close(&r);
	uint8_t two[300];
	memcpy(two, a.p, a.n);
	memcpy(two + a.n, all, n);
	part_rig_open(&r, view_of(two, a.n + n));
	holds(&r, part_rig_find(&r, "gzip"), "first ");
	assert_int_not_equal(part_rig_find(&r, "gap/gzip header"), PART_NONE_INDEX);
	part_rig_close(&r);
	drop(a);
}

/* What came out before the damage stays, and both say that it is not all. */
static void
damage(void **state)
{
	(void)state;
	char text[200];
	memset(text, 'a', sizeof text);
	struct view a = gz(view_of(text, sizeof text), 0);
	uint8_t *b = malloc(a.n);
	struct part_rig r;
	memcpy(b, a.p, a.n);
	b[a.n - 6] ^= 1; /* the CRC */
	part_rig_open(&r, view_of(b, a.n));
	assert_true(parts_get(r.tree, 1)->partial);
	assert_int_equal(parts_get(r.tree, 1)->bytes.size, sizeof text);
	assert_int_equal(parts_get(r.tree, 1)->look, PART_LOOK_NONE);
	/* What the stream did not get to use is a part. */
	assert_int_equal(parts_count(r.tree), 3);
	assert_string_equal(parts_get(r.tree, 2)->name, "gap");
	assert_int_equal(parts_limits(r.tree), 0);
	part_rig_close(&r);
	part_rig_open(&r, view_of(b, 12));
	assert_int_equal(parts_count(r.tree), 1);
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_NONE);
	assert_non_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	free(b);
	drop(a);
}

static void
depth_is_bounded(void **state)
{
	(void)state;
	struct view v = gz(view_str("deep"), 6);
	struct part_rig r;
	for (unsigned i = 1; i < 8; i++) {
		struct view more = gz(v, 6);
		drop(v);
		v = more;
	}
	part_rig_open(&r, v);
	assert_int_equal(parts_count(r.tree), 9);
	assert_int_equal(parts_limits(r.tree), 0);
	holds(&r, 8, "deep");
	part_rig_close(&r);
	struct view more = gz(v, 6);
	part_rig_open(&r, more);
	assert_int_equal(parts_count(r.tree), 9);
	assert_int_equal(parts_limits(r.tree), 1);
	assert_int_equal(parts_get(r.tree, 8)->look, PART_LOOK_NONE);
	assert_string_equal(parts_get(r.tree, 8)->why, "lies too deep");
	part_rig_close(&r);
	drop(more);
	drop(v);
}

/* 40 MiB of zeros: deflate makes a thousandth of it, which may be an erased flash, bzip2 next to nothing. */
static void
a_bomb_is_told(void **state)
{
	(void)state;
	size_t all = 40u << 20;
	uint8_t *zeros = calloc(1, all), *packed = malloc(all / 100);
	unsigned n = (unsigned)(all / 100);
	struct view a = gz(view_of(zeros, all), 9);
	struct part_rig r;
	part_rig_open(&r, a);
	assert_int_equal(parts_limits(r.tree), 0);
	assert_int_equal(parts_get(r.tree, 1)->look, PART_LOOK_ERASED);
	part_rig_close(&r);
	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)packed, &n, (char *)zeros, (unsigned)all, 9, 0, 0), BZ_OK);
	part_rig_open(&r, view_of(packed, n));
	assert_int_equal(parts_limits(r.tree), 1);
	assert_true(parts_get(r.tree, 1)->partial);
	assert_int_equal(parts_get(r.tree, 1)->look, PART_LOOK_NONE);
	part_rig_close(&r);
	drop(a);
	free(packed);
	free(zeros);
}

static void
paths_are_cut_and_escaped(void **state)
{
	(void)state;
	struct view a = gz(view_str("x"), 6);
	struct part_rig r;
	char path[6];
	part_rig_open(&r, a);
	parts_path(r.tree, 0, path, sizeof path);
	assert_string_equal(path, "");
	parts_path(r.tree, 1, path, sizeof path);
	assert_string_equal(path, "gzip");
	parts_path(r.tree, 1, path, 4);
	assert_true(strlen(path) < 4);
	part_rig_close(&r);
	drop(a);
}

static void
names(void **state)
{
	(void)state;
	for (int k = PART_NONE + 1; k <= PART_SECTION; k++)
		assert_string_not_equal(part_kind_name((enum part_kind)k), "none");
	assert_string_equal(part_kind_name((enum part_kind)99), "none");
	assert_string_equal(part_look_name(PART_LOOK_ERASED), "erased");
	assert_string_equal(part_look_name((enum part_look)99), "not-looked-at");
}

/* A name is cheap: not every one has the bytes looked at once more. */
static void
names_of_one_file(void **state)
{
	(void)state;
	struct parts *t = calloc(1, sizeof *t);
	t->part = calloc(1, sizeof *t->part);
	t->n = t->cap = 1;
	t->part[0].bytes.size = PART_ALIASED_MAX;
	struct part_ctx c = { .t = t, .bytes = t->part[0].bytes };
	int64_t first = part_region(&c, 0, PART_FILE, view_str("a"), 0, PART_ALIASED_MAX);
	int64_t second = part_alias(&c, 0, view_str("b"), (uint32_t)first);
	int64_t third = part_alias(&c, 0, view_str("c"), (uint32_t)first);
	assert_int_equal(parts_get(t, (uint32_t)second)->bytes.size, PART_ALIASED_MAX);
	assert_int_equal(parts_limits(t), 1);
	assert_int_equal(parts_get(t, (uint32_t)third)->bytes.size, 0);
	assert_non_null(parts_get(t, (uint32_t)third)->why);
	parts_free(t);
}

/* What a name becomes in its folder, and which no device opens. */
static void
paths_of_entries(void **state)
{
	static const struct {
		const char *folder, *name, *path;
		size_t n;
		bool odd;
	} rows[] = {
		{ "", "a", "a", 1, false }, { "b/c", "a", "b/c/a", 1, false }, { "b", "...", "b/...", 3, false },
		{ "b", "", "b/", 0, true }, { "b", ".", "b/.", 1, true }, { "b", "..", "b/..", 2, true },
		{ "b", "c/a", "b/c/a", 3, true }, { "b", "c\0a", "b/c?a", 3, true }, { "", "?", "?", 1, false },
	};
	char path[PART_PATH_CAP], longest[PART_NAME_MAX + 1];
	bool odd;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct part_folder f = { .path = (char *)(uintptr_t)rows[i].folder };
		size_t n = part_folder_path(&f, view_of(rows[i].name, rows[i].n), path, &odd);
		assert_true(view_is(view_of(path, n), rows[i].path));
		assert_int_equal(odd, rows[i].odd);
	}
	memset(longest, 'x', PART_NAME_MAX);
	longest[PART_NAME_MAX] = '\0';
	struct part_folder f = { .path = longest };
	assert_int_equal(part_folder_path(&f, view_str(longest), path, &odd), PART_PATH_CAP);
}

/* Types of stat(2) and numbers of devices, as a file system stores them. */
static void
kinds_and_devices(void **state)
{
	(void)state;
	assert_int_equal(part_kind_of(0100644), PART_FILE);
	assert_int_equal(part_kind_of(0041777), PART_FOLDER);
	assert_int_equal(part_kind_of(0120777), PART_LINK);
	assert_int_equal(part_kind_of(0020600), PART_DEVICE);
	assert_int_equal(part_kind_of(0060600), PART_DEVICE);
	assert_int_equal(part_kind_of(0010600), PART_FIFO);
	assert_int_equal(part_kind_of(0140600), PART_FIFO);
	for (uint32_t none = 0; none < 16; none++)
		if (!strchr("\1\2\4\6\10\12\14", (int)none) || none == 0)
			assert_int_equal(part_kind_of(none << 12 | 0644), PART_NONE);
	struct parts *t = calloc(1, sizeof *t);
	t->part = calloc(1, sizeof *t->part);
	t->n = t->cap = 1;
	struct part_ctx c = { .t = t };
	part_device(&c, 0, true, 0xabc12345);
	assert_true(t->part[0].block && t->part[0].rdev == ((uint64_t)0x123 << 32 | 0xabc45));
	part_rights(&c, 0, 0104755, 70000, 7);
	assert_true(t->part[0].have_mode && t->part[0].mode == 04755 && t->part[0].uid == 70000 && t->part[0].gid == 7);
	parts_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_one_leaf), cmocka_unit_test(looks),
		cmocka_unit_test(nothing_lies_between), cmocka_unit_test(streams_in_a_row_are_one),
		cmocka_unit_test(words_in_a_header), cmocka_unit_test(damage), cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_bomb_is_told), cmocka_unit_test(paths_are_cut_and_escaped),
		cmocka_unit_test(names), cmocka_unit_test(names_of_one_file),
		cmocka_unit_test(paths_of_entries), cmocka_unit_test(kinds_and_devices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
