/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte in one of four classes: on every pair of tests/vectors/pairs.py, and where it is known which. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>

#include "crypto/err.h"
#include "images/flash.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/pair_rig.h"

#define NOISE 8192

static void
expect(struct account_sum s, uint64_t unreviewable, uint64_t unexplained, uint64_t explained, uint64_t identical)
{
	assert_int_equal(s.bytes[ACCOUNT_UNREVIEWABLE], unreviewable);
	assert_int_equal(s.bytes[ACCOUNT_UNEXPLAINED], unexplained);
	assert_int_equal(s.bytes[ACCOUNT_EXPLAINED], explained);
	assert_int_equal(s.bytes[ACCOUNT_IDENTICAL], identical);
}

static struct account_sum
count(struct view old, struct view new, enum pair_side side, uint64_t at, uint64_t length)
{
	struct pair_rig r;
	pair_rig_open(&r, old, new);
	struct account *a = account_new(r.pair);
	assert_non_null(a);
	assert_int_equal(account_explained(a, side, 0, at, length), 0);
	pair_rig_count(&r, a);
	struct account_sum s = account_image(a, side);
	account_free(a);
	pair_rig_close(&r);
	return s;
}

static void
text(uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)("words in a text, "[i % 17]);
}

static void
blocks_in_place(void **state)
{
	(void)state;
	uint8_t a[1000], b[1100];
	text(a, sizeof a);
	memcpy(b, a, sizeof a);
	expect(count(view_of(a, 1000), view_of(b, 1000), PAIR_NEW, 0, 0), 0, 0, 0, 1000);
	b[500] = '!';
	/* One aligned block of 64 has changed. */
	expect(count(view_of(a, 1000), view_of(b, 1000), PAIR_NEW, 0, 0), 0, 64, 0, 936);
	expect(count(view_of(a, 1000), view_of(b, 1000), PAIR_OLD, 0, 0), 0, 64, 0, 936);
	/* A line that an analyser shows; it reaches into what is identical, and beyond the end. */
	expect(count(view_of(a, 1000), view_of(b, 1000), PAIR_NEW, 490, 20), 0, 44, 20, 936);
	expect(count(view_of(a, 1000), view_of(b, 1000), PAIR_NEW, 490, UINT64_MAX), 0, 42, 22, 936);
	expect(count(view_of(a, 1000), view_of(b, 1000), PAIR_NEW, 2000, 5), 0, 64, 0, 936);
	/* Something inserted: what comes before, in whole blocks, and the common end are identical. */
	memcpy(b, a, 400);
	memset(b + 400, 'X', 100);
	memcpy(b + 500, a + 400, 600);
	struct account_sum s = count(view_of(a, 1000), view_of(b, 1100), PAIR_NEW, 0, 0);
	expect(s, 0, 116, 0, 384 + 600);
}

/* A piece once more behind itself: what the common end stands for stands for nothing by place. */
static void
twice_is_not_once(void **state)
{
	(void)state;
	uint8_t a[768], b[1024];
	for (size_t i = 0; i < sizeof a; i++)
		a[i] = (uint8_t)('a' + i * 7 % 26 + i / 256);
	memcpy(b, a, 512);
	memcpy(b + 512, a + 256, 512);
	expect(count(view_of(a, 768), view_of(b, 1024), PAIR_NEW, 0, 0), 0, 256, 0, 768);
	expect(count(view_of(a, 768), view_of(b, 1024), PAIR_OLD, 0, 0), 0, 0, 0, 768);
	expect(count(view_of(b, 1024), view_of(a, 768), PAIR_OLD, 0, 0), 0, 256, 0, 768);
	/* And where nothing comes before it. */
	expect(count(view_of(a, 512), view_of(b, 512), PAIR_NEW, 0, 0), 0, 0, 0, 512);
	memcpy(b, a + 256, 256);
	memcpy(b + 256, a + 256, 512);
	expect(count(view_of(a + 256, 512), view_of(b, 768), PAIR_NEW, 0, 0), 0, 256, 0, 512);
}

static void
noise_cannot_be_explained(void **state)
{
	(void)state;
	uint8_t a[NOISE], b[NOISE];
	uint32_t x = 5;
	for (size_t i = 0; i < NOISE; i++) {
		a[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
		b[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
	}
	expect(count(view_of(a, NOISE), view_of(b, NOISE), PAIR_NEW, 0, NOISE), NOISE, 0, 0, 0);
	expect(count(view_of(a, NOISE), view_of(a, NOISE), PAIR_NEW, 0, 0), 0, 0, 0, NOISE);
	/* Erased, where something was. */
	memset(b, 0xff, NOISE);
	expect(count(view_of(a, NOISE), view_of(b, NOISE), PAIR_NEW, 0, 0), 0, 0, NOISE, 0);
	expect(count(view_of(b, NOISE), view_of(a, NOISE), PAIR_OLD, 0, 0), 0, 0, NOISE, 0);
}

static size_t
gz(uint8_t *out, size_t cap, const void *p, size_t n, int level)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)p, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)cap };
	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

/* Packed bytes are what the worst of what comes out is. */
static void
packed(void **state)
{
	(void)state;
	uint8_t plain[300], a[1000], b[1000];
	text(plain, sizeof plain);
	size_t a_n = gz(a, sizeof a, plain, sizeof plain, 1);
	plain[299] = '?';
	size_t b_n = gz(b, sizeof b, plain, sizeof plain, 1);
	struct pair_rig r;
	pair_rig_open(&r, view_of(a, a_n), view_of(b, b_n));
	struct account *acc = account_new(r.pair);
	pair_rig_count(&r, acc);
	assert_int_equal(account_image(acc, PAIR_NEW).bytes[ACCOUNT_UNREVIEWABLE], 0);
	assert_true(account_image(acc, PAIR_NEW).bytes[ACCOUNT_UNEXPLAINED] > 0);
	expect(account_expanded(acc, PAIR_NEW), 0, 300 - 256, 0, 256);
	account_free(acc);
	/* Explained inside: explained outside. */
	acc = account_new(r.pair);
	assert_int_equal(account_explained(acc, PAIR_NEW, 1, 256, 44), 0);
	pair_rig_count(&r, acc);
	assert_int_equal(account_image(acc, PAIR_NEW).bytes[ACCOUNT_UNEXPLAINED], 0);
	assert_true(account_image(acc, PAIR_NEW).bytes[ACCOUNT_EXPLAINED] > 0);
	account_free(acc);
	pair_rig_close(&r);
	/* A stream that ends too early may have said anything. */
	pair_rig_open(&r, view_of(a, a_n), view_of(b, b_n - 4));
	acc = account_new(r.pair);
	pair_rig_count(&r, acc);
	assert_true(account_image(acc, PAIR_NEW).bytes[ACCOUNT_UNREVIEWABLE] > 0);
	account_free(acc);
	pair_rig_close(&r);
}

/* The same bytes packed with another effort: what comes out is known, how it is packed has changed. */
static void
packed_anew(void **state)
{
	(void)state;
	uint8_t plain[3000], a[4000], b[4000];
	text(plain, sizeof plain);
	size_t a_n = gz(a, sizeof a, plain, sizeof plain, 0), b_n = gz(b, sizeof b, plain, sizeof plain, 9);
	struct account_sum s = count(view_of(a, a_n), view_of(b, b_n), PAIR_NEW, 0, 0);
	assert_int_equal(s.bytes[ACCOUNT_UNREVIEWABLE] + s.bytes[ACCOUNT_UNEXPLAINED], 0);
	/* ... so that the packed bytes themselves are new: but those that lie where they lay, and the sum at the end. */
	assert_true(s.bytes[ACCOUNT_IDENTICAL] < 2 * ACCOUNT_BLOCK && s.bytes[ACCOUNT_EXPLAINED] > 0);
}

/* Ends of files are packed together: a block with something more in it, and every file as it was. */
static void
packed_together(void **state)
{
	(void)state;
	struct pki_blob old = pki_load("pairs/base.sqfs"), new = pki_load("pairs/update.sqfs");
	struct pair_rig r;
	pair_rig_open(&r, pki_view(&old), pki_view(&new));
	struct account *a = account_new(r.pair);
	const struct parts *t = r.side[PAIR_NEW].tree;
	uint64_t at = UINT64_MAX, length = 0;
	for (uint32_t i = 0; i < parts_count(t); i++)
		if (parts_get(t, i)->shared_length > 0) {
			at = parts_get(t, i)->shared_at;
			length = parts_get(t, i)->shared_length;
		}
	assert_true(length > 0 && at < new.n);
	/* Whatever lines explain. */
	for (uint32_t i = 0; i < parts_count(t); i++)
		assert_int_equal(account_explained(a, PAIR_NEW, i, 0, UINT64_MAX), 0);
	pair_rig_count(&r, a);
	assert_true(account_image(a, PAIR_NEW).bytes[ACCOUNT_UNEXPLAINED] +
			account_image(a, PAIR_NEW).bytes[ACCOUNT_UNREVIEWABLE] + 2 * ACCOUNT_BLOCK >= length);
	account_free(a);
	pair_rig_close(&r);
	free(old.p);
	free(new.p);
}

/* A file in pieces: they are what came out of them, explained at best. */
static void
in_pieces(void **state)
{
	(void)state;
	enum { NODE = 48 + 5 }; /* a block of UBIFS with five bytes */
	struct pki_blob old = pki_load("flash/small.ubifs");
	uint8_t *new = malloc(old.n), *node = (uint8_t *)memmem(old.p, old.n, "first", 5) - 48;
	memcpy(new, old.p, old.n);
	node = new + (node - old.p);
	for (unsigned k = 0; k < 3; k++) {
		struct pair_rig r;
		memcpy(node + 48, "FIRST", 5);
		node[44] = k == 2 ? 77 : 0; /* packed in a way that nothing unpacks */
		uint32_t crc = flash_crc_ones(view_of(node + 8, NODE - 8));
		for (unsigned i = 0; i < 4; i++)
			node[4 + i] = (uint8_t)(crc >> 8 * i);
		pair_rig_open(&r, pki_view(&old), view_of(new, old.n));
		struct account *a = account_new(r.pair);
		uint32_t aa = part_rig_find(&r.side[PAIR_NEW], "aa");
		assert_int_equal(parts_get(r.side[PAIR_NEW].tree, aa)->pieces, 1);
		if (k == 1)
			assert_int_equal(account_explained(a, PAIR_NEW, aa, 0, 5), 0);
		pair_rig_count(&r, a);
		struct account_sum s = account_image(a, PAIR_NEW);
		/* By blocks: what did not change is identical, whoever it belongs to. */
		uint64_t changed = old.n - s.bytes[ACCOUNT_IDENTICAL];
		assert_true(changed > 0 && changed <= 2 * ACCOUNT_BLOCK);
		assert_true(s.bytes[ACCOUNT_UNEXPLAINED] > 0 || k != 0);
		assert_true(s.bytes[ACCOUNT_UNREVIEWABLE] > 0 || k != 2);
		/* Around it there is structure of other nodes. */
		assert_int_equal(s.bytes[ACCOUNT_EXPLAINED] == changed, k == 1);
		account_free(a);
		pair_rig_close(&r);
	}
	free(new);
	free(old.p);
}

static void
every_pair(void **state)
{
	(void)state;
	static const char *const wraps[] = { "sqfs", "cpio.gz", "tar", "zip", "deb", "flash", "gpt", "boot", "cab", "cramfs", "ext2", "ext4",
		"fat", "jffs2", "simg", "ubi" };
	static const char *const to[] = { "update", "tampered" };
	for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++)
		for (size_t k = 0; k < 2; k++) {
			char path[64];
			struct pair_rig r;
			snprintf(path, sizeof path, "pairs/base.%s", wraps[i]);
			struct pki_blob old = pki_load(path);
			snprintf(path, sizeof path, "pairs/%s.%s", to[k], wraps[i]);
			struct pki_blob new = pki_load(path);
			pair_rig_open(&r, pki_view(&old), pki_view(&new));
			struct account *a = account_new(r.pair);
			for (uint32_t p = 0; p < parts_count(r.side[PAIR_NEW].tree); p += 3)
				assert_int_equal(account_explained(a, PAIR_NEW, p, p, 1000), 0);
			pair_rig_count(&r, a);
			struct account_sum s = account_image(a, PAIR_NEW);
			/* Something is as it was, something is not. */
			assert_true(s.bytes[ACCOUNT_IDENTICAL] > 0 && s.bytes[ACCOUNT_IDENTICAL] < new.n);
			account_free(a);
			pair_rig_close(&r);
			free(old.p);
			free(new.p);
		}
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(account_class_name(ACCOUNT_UNREVIEWABLE), "not-reviewable");
	assert_string_equal(account_class_name(ACCOUNT_IDENTICAL), "identical");
	assert_string_equal(account_class_name(ACCOUNT_CLASSES), "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_in_place), cmocka_unit_test(twice_is_not_once), cmocka_unit_test(noise_cannot_be_explained),
		cmocka_unit_test(packed), cmocka_unit_test(packed_anew), cmocka_unit_test(packed_together),
		cmocka_unit_test(in_pieces), cmocka_unit_test(every_pair), cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
