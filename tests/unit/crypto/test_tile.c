/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/tile.h"

#define HASH MERKLE_HASH_LEN
#define LEAVES 66000u /* a full level-1 tile and some of the next */
#define SMALL 66u
#define KNOWN_MAX 32

/* A log in memory: the hashes of levels 0 to 2 as the specification defines them. */
struct fixture {
	struct merkle *m;
	uint8_t (*level[3])[HASH];
	uint64_t size;    /* tree the reads are for */
	unsigned reads;
	unsigned last_width;
	int fail;         /* what the next read returns instead */
	unsigned known;   /* roots of test sizes, computed once */
	uint64_t known_size[KNOWN_MAX];
	uint8_t known_root[KNOWN_MAX][HASH];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->m = merkle_new();
	for (unsigned l = 0; l < 3; l++)
		f->level[l] = calloc((LEAVES >> (8 * l)) + 1, HASH);
	for (uint64_t i = 0; i < LEAVES; i++) {
		uint8_t entry[3] = { (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		assert_int_equal(merkle_leaf(f->m, view_of(entry, sizeof entry), f->level[0][i]), 0);
	}
	for (unsigned l = 1; l < 3; l++) {
		for (uint64_t i = 0; i < LEAVES >> (8 * l); i++) {
			struct merkle_range range = { 0 };
			for (unsigned k = 0; k < 256; k++)
				merkle_range_push(f->m, &range, f->level[l - 1][i * 256 + k]);
			merkle_range_root(f->m, &range, f->level[l][i]);
		}
	}
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	for (unsigned l = 0; l < 3; l++)
		free(f->level[l]);
	merkle_free(f->m);
	free(f);
	return 0;
}

/* Reads as from a folder that holds exactly the tiles of f->size. */
static int
read_tile(void *ctx, unsigned level, uint64_t index, unsigned width, uint8_t *hashes)
{
	struct fixture *f = ctx;
	f->reads++;
	f->last_width = width;
	if (f->fail)
		return f->fail;
	assert_in_range(level, 0, 2);
	assert_in_range(width, 1, 256);
	assert_int_equal(width, tile_width(level, index, f->size));
	memcpy(hashes, f->level[level][index * 256], (size_t)width * HASH);
	return 0;
}

static struct tile_tree *
tree_of(struct fixture *f, uint64_t size)
{
	f->size = size;
	struct tile_tree *t = tile_tree_new(f->m, size, read_tile, f);
	assert_non_null(t);
	return t;
}

static void
test_paths(void **state)
{
	(void)state;
	static const struct {
		struct tile tile;
		const char *path;
	} good[] = {
		{ { 0, 0, 256 }, "tile/0/000" },
		{ { 0, 1234067, 256 }, "tile/0/x001/x234/067" },
		{ { 0, 1234067, 8 }, "tile/0/x001/x234/067.p/8" },
		{ { 3, 999, 255 }, "tile/3/999.p/255" },
		{ { 1, 1000, 1 }, "tile/1/x001/000.p/1" },
		{ { TILE_ENTRIES, 1234067, 256 }, "tile/entries/x001/x234/067" },
		{ { TILE_ENTRIES, 273, 112 }, "tile/entries/273.p/112" },
		{ { 7, 0, 127 }, "tile/7/000.p/127" },
		{ { 0, (UINT64_C(1) << 55) - 1, 255 }, "tile/0/x036/x028/x797/x018/x963/967.p/255" },
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char path[TILE_PATH_CAP];
		struct tile back;
		tile_path(&good[i].tile, path);
		assert_string_equal(path, good[i].path);
		assert_true(tile_parse_path(view_str(path), &back));
		assert_int_equal(back.level, good[i].tile.level);
		assert_int_equal(back.index, good[i].tile.index);
		assert_int_equal(back.width, good[i].tile.width);
	}
}

static void
test_bad_paths(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000",
		"tile/0/x000/000", /* needless group */
		"tile/0/x001", "tile/0/x001/", "tile/0/001/000", "tile/0/x1/000", "tile/0/000/",
		"tile/00/000", "tile/-1/000", "tile/8/000", "tile/10/000", "tile/63/000", "tile/+0/000",
		"tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
		"tile/0/000.p/1/", "tile/0/000.p/1x", "tile/0/000.p/ 1", "tile/0/000 ", " tile/0/000",
		"/tile/0/000", "tile//0/000", "tile/0//000", "tile/0/../000", "tile/0/0a0",
		"tile/0/X001/000", "tile/entries", "tile/entries/", "tile/data/000", "Tile/0/000",
		"tile/0/x036/x028/x797/x018/x963/967", /* the last entry of all would be missing */
		"tile/0/x036/x028/x797/x018/x963/968.p/1",
		"tile/7/000.p/128", "tile/7/001.p/1",
		"tile/0/x999/x999/x999/x999/x999/x999/999", "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
	};
	struct tile t = { 5, 5, 5 };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (tile_parse_path(view_str(bad[i]), &t))
			fail_msg("accepted: %s", bad[i]);
	}
	assert_false(tile_parse_path(view_of("tile/0/000\0", 11), &t));
	assert_true(t.level == 5 && t.index == 5 && t.width == 5);
}

/* The example of the specification, and a tree of exactly one full tile. */
static void
test_tiles_of_a_tree(void **state)
{
	(void)state;
	unsigned full[TILE_LEVELS] = { 0 }, partial[TILE_LEVELS] = { 0 };
	struct tile_iter it;
	struct tile t;
	tile_iter_init(&it, 0, 70000);
	while (tile_iter_next(&it, &t)) {
		if (t.width == 256)
			full[t.level]++;
		else
			partial[t.level] = t.width;
	}
	assert_int_equal(full[0], 273);
	assert_int_equal(partial[0], 112);
	assert_int_equal(full[1], 1);
	assert_int_equal(partial[1], 17);
	assert_int_equal(full[2], 0);
	assert_int_equal(partial[2], 1);
	assert_int_equal(full[3] + partial[3], 0);

	tile_iter_init(&it, 0, 256);
	assert_true(tile_iter_next(&it, &t));
	assert_true(t.level == 0 && t.index == 0 && t.width == 256);
	assert_true(tile_iter_next(&it, &t));
	assert_true(t.level == 1 && t.index == 0 && t.width == 1);
	assert_false(tile_iter_next(&it, &t));

	tile_iter_init(&it, 0, 0);
	assert_false(tile_iter_next(&it, &t));
	tile_iter_init(&it, MERKLE_SIZE_MAX - 1, MERKLE_SIZE_MAX);
	assert_true(tile_iter_next(&it, &t));
	assert_true(t.level == 0 && t.index == (UINT64_C(1) << 55) - 1 && t.width == 255);
	assert_false(tile_iter_next(&it, &t));
}

/* Every hash that a growth adds is in exactly one listed tile, and every listed tile has one. */
static void
test_growth(void **state)
{
	(void)state;
	static const uint64_t at[] = { 0, 1, 2, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 65792,
		70000, 131071, 131072 };
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		for (size_t j = i; j < sizeof at / sizeof *at; j++) {
			uint64_t added[TILE_LEVELS] = { 0 };
			struct tile_iter it;
			struct tile t;
			tile_iter_init(&it, at[i], at[j]);
			while (tile_iter_next(&it, &t)) {
				unsigned was = tile_width(t.level, t.index, at[i]);
				assert_int_equal(t.width, tile_width(t.level, t.index, at[j]));
				assert_true(t.width > was);
				added[t.level] += t.width - was;
			}
			for (unsigned l = 0; l < TILE_LEVELS; l++)
				assert_int_equal(added[l], (at[j] >> (8 * l)) - (at[i] >> (8 * l)));
		}
	}
}

static void
test_bundles(void **state)
{
	(void)state;
	struct writer w;
	struct tile_bundle b;
	struct view v;
	static uint8_t big[TILE_ENTRY_MAX + 1];
	writer_init(&w, TILE_BUNDLE_MAX);
	assert_int_equal(tile_bundle_put(&w, view_str("one")), 0);
	assert_int_equal(tile_bundle_put(&w, view_str("")), 0);
	assert_int_equal(tile_bundle_put(&w, view_of(big, TILE_ENTRY_MAX)), 0);
	assert_int_equal(tile_bundle_put(&w, view_of(big, sizeof big)), FG_ELIMIT);
	assert_memory_equal(w.p, "\0\3one\0\0\xff\xff", 9);
	assert_int_equal(w.n, 2 + 3 + 2 + 2 + TILE_ENTRY_MAX);

	tile_bundle_begin(&b, writer_view(&w), 3);
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_true(view_is(v, "one"));
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(v.n, 0);
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(v.n, TILE_ENTRY_MAX);
	assert_int_equal(tile_bundle_next(&b, &v), 0);

	tile_bundle_begin(&b, writer_view(&w), 2); /* one too many inside */
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(tile_bundle_next(&b, &v), FG_EFORMAT);
	tile_bundle_begin(&b, view_of(w.p, w.n - 1), 3); /* cut */
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(tile_bundle_next(&b, &v), FG_EFORMAT);
	tile_bundle_begin(&b, view_of(w.p, 7), 3); /* one missing */
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(tile_bundle_next(&b, &v), 1);
	assert_int_equal(tile_bundle_next(&b, &v), FG_EFORMAT);
	writer_free(&w);
}

/* Root of the first n leaves by pushing them one after the other; large ones are remembered. */
static void
root_of(struct fixture *f, uint64_t n, uint8_t out[HASH])
{
	struct merkle_range range = { 0 };
	for (unsigned i = 0; i < f->known; i++) {
		if (f->known_size[i] == n) {
			memcpy(out, f->known_root[i], HASH);
			return;
		}
	}
	for (uint64_t i = 0; i < n; i++)
		merkle_range_push(f->m, &range, f->level[0][i]);
	merkle_range_root(f->m, &range, out);
	if (n > SMALL && f->known < KNOWN_MAX) {
		memcpy(f->known_root[f->known], out, HASH);
		f->known_size[f->known++] = n;
	}
}

/* Roots from tiles are the roots of the leaves, at the size of the tree and below. */
static void
test_roots(void **state)
{
	struct fixture *f = *state;
	static const uint64_t sizes[] = { 0, 1, 2, 3, 255, 256, 257, 511, 513, 65535, 65536, 65537, LEAVES };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t want[HASH], got[HASH];
		struct merkle_range range;
		struct tile_tree *t = tree_of(f, sizes[i]);
		root_of(f, sizes[i], want);
		assert_int_equal(tile_tree_root(t, sizes[i], got), 0);
		assert_memory_equal(got, want, HASH);
		assert_int_equal(tile_tree_range(t, &range), 0);
		assert_int_equal(range.size, sizes[i]);
		assert_int_equal(merkle_range_root(f->m, &range, got), 0);
		assert_memory_equal(got, want, HASH);
		for (size_t j = 0; j < i; j++) {
			root_of(f, sizes[j], want);
			assert_int_equal(tile_tree_root(t, sizes[j], got), 0);
			assert_memory_equal(got, want, HASH);
		}
		assert_int_equal(tile_tree_root(t, sizes[i] + 1, got), FG_EINVAL);
		tile_tree_free(t);
	}
}

static void
check_inclusion(struct fixture *f, struct tile_tree *t, uint64_t index, uint64_t size,
    const uint8_t root[HASH])
{
	struct merkle_proof p;
	uint8_t leaf[HASH];
	bool proven;
	assert_int_equal(tile_tree_inclusion(t, index, size, &p), 0);
	assert_int_equal(tile_tree_leaf(t, index, leaf), 0);
	assert_memory_equal(leaf, f->level[0][index], HASH);
	assert_int_equal(merkle_verify_inclusion(f->m, index, size, leaf, &p, root, &proven), 0);
	assert_true(proven);
}

static void
test_every_small_proof(void **state)
{
	struct fixture *f = *state;
	struct tile_tree *t = tree_of(f, SMALL);
	for (uint64_t n = 1; n <= SMALL; n++) {
		uint8_t root[HASH], was[HASH];
		struct merkle_proof p;
		bool proven;
		root_of(f, n, root);
		for (uint64_t i = 0; i < n; i++)
			check_inclusion(f, t, i, n, root);
		for (uint64_t old = 1; old <= n; old++) {
			root_of(f, old, was);
			assert_int_equal(tile_tree_consistency(t, old, n, &p), 0);
			assert_int_equal(merkle_verify_consistency(f->m, old, n, was, root, &p, &proven), 0);
			assert_true(proven);
		}
		assert_int_equal(tile_tree_inclusion(t, n, n, &p), FG_EINVAL);
		assert_int_equal(tile_tree_consistency(t, 0, n, &p), FG_EINVAL);
		assert_int_equal(tile_tree_consistency(t, n + 1, n, &p), FG_EINVAL);
	}
	tile_tree_free(t);
}

static void
test_large_proofs(void **state)
{
	struct fixture *f = *state;
	static const uint64_t at[] = { 1, 2, 255, 256, 257, 511, 512, 4095, 32768, 65535, 65536, 65537, 65793, LEAVES };
	struct tile_tree *t = tree_of(f, LEAVES);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		uint8_t root[HASH], was[HASH];
		root_of(f, at[i], root);
		check_inclusion(f, t, 0, at[i], root);
		check_inclusion(f, t, at[i] / 2, at[i], root);
		check_inclusion(f, t, at[i] - 1, at[i], root);
		for (size_t j = 0; j <= i; j++) {
			struct merkle_proof p;
			bool proven;
			root_of(f, at[j], was);
			assert_int_equal(tile_tree_consistency(t, at[j], at[i], &p), 0);
			assert_int_equal(merkle_verify_consistency(f->m, at[j], at[i], was, root, &p, &proven), 0);
			assert_true(proven);
		}
	}
	tile_tree_free(t);
}

/* Neighbours' proofs come out of the tiles at hand. */
static void
test_few_reads(void **state)
{
	struct fixture *f = *state;
	struct tile_tree *t = tree_of(f, LEAVES);
	struct merkle_proof p;
	assert_int_equal(tile_tree_inclusion(t, 1000, LEAVES, &p), 0);
	assert_in_range(p.n, 2, 17);
	f->reads = 0;
	assert_int_equal(tile_tree_leaf(t, 1000, p.hash[0]), 0);
	assert_in_range(f->reads, 0, 1);
	for (uint64_t i = 1001; i < 1020; i++)
		assert_int_equal(tile_tree_leaf(t, i, p.hash[0]), 0);
	assert_in_range(f->reads, 0, 1);
	tile_tree_free(t);
}

static void
test_read_failure_is_returned_and_not_kept(void **state)
{
	struct fixture *f = *state;
	struct tile_tree *t = tree_of(f, 300);
	struct merkle_proof p = { .n = 77 };
	uint8_t root[HASH];
	f->fail = FG_EIO;
	assert_int_equal(tile_tree_inclusion(t, 5, 300, &p), FG_EIO);
	assert_int_equal(p.n, 77);
	f->fail = 0;
	root_of(f, 300, root);
	check_inclusion(f, t, 5, 300, root);
	tile_tree_free(t);
	assert_null(tile_tree_new(f->m, MERKLE_SIZE_MAX + 1, read_tile, f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_tiles_of_a_tree),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_every_small_proof),
		cmocka_unit_test(test_large_proofs),
		cmocka_unit_test(test_few_reads),
		cmocka_unit_test(test_read_failure_is_returned_and_not_kept),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
