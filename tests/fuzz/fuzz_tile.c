/* SPDX-License-Identifier: Apache-2.0 */
/* Tile paths, entry bundles, append-only states; proofs over hostile tiles. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
bundles(struct view in)
{
	struct tile_bundle b;
	struct view entry;
	struct writer w;
	unsigned width = in.n ? in.p[0] : 0;
	if (in.n)
		in = view_of(in.p + 1, in.n - 1);
	writer_init(&w, TILE_BUNDLE_MAX);
	tile_bundle_begin(&b, in, width);
	int rc;
	while ((rc = tile_bundle_next(&b, &entry)) == 1)
		must(tile_bundle_put(&w, entry) == 0);
	must(rc != 0 || view_equal(writer_view(&w), in));
	writer_free(&w);
}

/* Hashes straight from the input: a verifier reads what an attacker wrote. */
static int
read_tile(void *ctx, unsigned level, uint64_t index, unsigned width, uint8_t *hashes)
{
	const struct view *in = ctx;
	for (size_t i = 0; i < (size_t)width * MERKLE_HASH_LEN; i++)
		hashes[i] = in->n ? in->p[(i + level + index) % in->n] : 0;
	return 0;
}

static void
trees(struct merkle *m, struct view in)
{
	uint64_t a, b, c;
	struct merkle_proof p;
	uint8_t root[MERKLE_HASH_LEN], was[MERKLE_HASH_LEN], leaf[MERKLE_HASH_LEN];
	bool proven;
	struct reader r;
	reader_init(&r, in);
	a = reader_u64(&r) >> (reader_u8(&r) % 64);
	b = reader_u64(&r);
	c = reader_u64(&r);
	struct tile_tree *t = tile_tree_new(m, a, read_tile, &in);
	if (!t)
		return;
	b = a ? b % a : 0;
	c = a ? c % a + 1 : 0;
	must(tile_tree_root(t, a, root) == 0);
	if (a) {
		must(tile_tree_inclusion(t, b, a, &p) == 0 && tile_tree_leaf(t, b, leaf) == 0);
		must(merkle_verify_inclusion(m, b, a, leaf, &p, root, &proven) == 0);
		must(proven || a >= 256); /* beyond one tile, hostile levels need not agree */
		must(tile_tree_root(t, c, was) == 0 && tile_tree_consistency(t, c, a, &p) == 0);
		must(merkle_verify_consistency(m, c, a, was, root, &p, &proven) == 0);
		must(proven || a >= 256);
	}
	tile_tree_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	struct tile tile;
	struct merkle_range range;
	struct merkle *m = merkle_new();
	must(m != NULL);
	if (tile_parse_path(in, &tile)) {
		char path[TILE_PATH_CAP];
		tile_path(&tile, path);
		must(view_is(in, path));
	}
	if (merkle_range_decode(in, &range) == 0) {
		uint8_t buf[MERKLE_RANGE_MAX];
		must(view_equal(view_of(buf, merkle_range_encode(&range, buf)), in));
	}
	bundles(in);
	trees(m, in);
	merkle_free(m);
	return 0;
}
