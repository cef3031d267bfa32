/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/decimal.h"
#include "crypto/err.h"

#define GROUP 1000u     /* an index is written in groups of three digits */
#define GROUPS_MAX 7    /* 2^64 has 20 digits */
#define PREFIX "tile/"
#define ENTRIES "entries"

/* Hashes of that level in a tree of that size (level 0: entries). */
static uint64_t
level_count(unsigned level, uint64_t size)
{
	return level < TILE_LEVELS ? size >> (TILE_HEIGHT * level) : 0;
}

unsigned
tile_width(unsigned level, uint64_t index, uint64_t size)
{
	uint64_t count = level_count(level == TILE_ENTRIES ? 0 : level, size);
	if (index > count / TILE_WIDTH)
		return 0;
	uint64_t left = count - index * TILE_WIDTH;
	return left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
}

/* Some tree of at most MERKLE_SIZE_MAX entries has this tile. */
static bool
is_possible(const struct tile *t)
{
	return t->width >= 1 && t->width <= TILE_WIDTH &&
	    t->width <= tile_width(t->level, t->index, MERKLE_SIZE_MAX);
}

/* ---- paths ---- */

void
tile_path(const struct tile *t, char out[TILE_PATH_CAP])
{
	unsigned group[GROUPS_MAX];
	unsigned groups = 0;
	if (!is_possible(t))
		abort();
	uint64_t rest = t->index;
	do {
		group[groups++] = (unsigned)(rest % GROUP);
		rest /= GROUP;
	} while (rest);

	int n = t->level == TILE_ENTRIES ? snprintf(out, TILE_PATH_CAP, PREFIX ENTRIES "/") :
	    snprintf(out, TILE_PATH_CAP, PREFIX "%u/", t->level);
	while (groups > 0) {
		groups--;
		n += snprintf(out + n, TILE_PATH_CAP - (size_t)n, groups ? "x%03u/" : "%03u",
		    group[groups]);
	}
	if (t->width < TILE_WIDTH)
		(void)snprintf(out + n, TILE_PATH_CAP - (size_t)n, ".p/%u", t->width);
}

/* Three digits at p. */
static bool
parse_group(const uint8_t *p, unsigned *ret)
{
	unsigned v = 0;
	for (unsigned i = 0; i < 3; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	*ret = v;
	return true;
}

/* "x001/x234/067", leaving what follows; spelling with needless groups is caught by comparison. */
static bool
parse_index(struct view *rest, uint64_t *ret)
{
	uint64_t index = 0;
	for (unsigned i = 0; i < GROUPS_MAX; i++) {
		unsigned group;
		bool more = rest->n >= 5 && rest->p[0] == 'x' && rest->p[4] == '/';
		size_t at = more ? 1 : 0;
		if (rest->n < at + 3 || !parse_group(rest->p + at, &group) ||
		    __builtin_mul_overflow(index, (uint64_t)GROUP, &index) ||
		    __builtin_add_overflow(index, (uint64_t)group, &index))
			return false;
		size_t used = more ? 5 : 3;
		*rest = view_of(rest->p + used, rest->n - used);
		if (!more) {
			*ret = index;
			return true;
		}
	}
	return false;
}

static bool
skip(struct view *rest, const char *prefix)
{
	size_t n = strlen(prefix);
	if (rest->n < n || memcmp(rest->p, prefix, n) != 0)
		return false;
	*rest = view_of(rest->p + n, rest->n - n);
	return true;
}

bool
tile_parse_path(struct view text, struct tile *ret)
{
	struct view rest = text;
	struct tile t = { .width = TILE_WIDTH };
	uint64_t width;
	if (text.n >= TILE_PATH_CAP || !skip(&rest, PREFIX))
		return false;
	if (skip(&rest, ENTRIES "/")) {
		t.level = TILE_ENTRIES;
	} else {
		if (rest.n < 2 || rest.p[0] < '0' || rest.p[0] > '9' || rest.p[1] != '/')
			return false;
		t.level = (unsigned)(rest.p[0] - '0');
		rest = view_of(rest.p + 2, rest.n - 2);
	}
	if (!parse_index(&rest, &t.index))
		return false;
	if (rest.n) {
		if (!skip(&rest, ".p/") || !decimal_parse(rest, TILE_WIDTH - 1, &width))
			return false;
		t.width = (unsigned)width;
	}
	char again[TILE_PATH_CAP];
	if (!is_possible(&t))
		return false;
	tile_path(&t, again);
	if (!view_is(text, again))
		return false;
	*ret = t;
	return true;
}

/* ---- growth ---- */

void
tile_iter_init(struct tile_iter *it, uint64_t old, uint64_t size)
{
	/* The first tile that changes is the one the old count ends in. */
	*it = (struct tile_iter){ .old = old, .size = size, .index = old / TILE_WIDTH };
}

bool
tile_iter_next(struct tile_iter *it, struct tile *ret)
{
	while (it->level < TILE_LEVELS) {
		uint64_t count = level_count(it->level, it->size);
		if (count > level_count(it->level, it->old) && it->index * TILE_WIDTH < count) {
			*ret = (struct tile){ it->level, it->index,
			    tile_width(it->level, it->index, it->size) };
			it->index++;
			return true;
		}
		it->level++;
		it->index = level_count(it->level, it->old) / TILE_WIDTH;
	}
	return false;
}

/* ---- entry bundles ---- */

int
tile_bundle_put(struct writer *w, struct view entry)
{
	if (entry.n > TILE_ENTRY_MAX)
		return FG_ELIMIT;
	writer_u16(w, (uint16_t)entry.n);
	writer_bytes(w, entry);
	return writer_err(w);
}

void
tile_bundle_begin(struct tile_bundle *b, struct view bytes, unsigned width)
{
	reader_init(&b->r, bytes);
	b->left = width;
}

int
tile_bundle_next(struct tile_bundle *b, struct view *ret)
{
	if (b->left == 0)
		return reader_end(&b->r) ? 0 : FG_EFORMAT;
	uint16_t n = reader_u16(&b->r);
	struct view entry = reader_take(&b->r, n);
	if (b->r.bad)
		return FG_EFORMAT;
	b->left--;
	*ret = entry;
	return 1;
}

/* ---- trees ---- */

struct tile_tree {
	struct merkle *m;
	uint64_t size;
	tile_read read;
	void *ctx;
	struct cached {
		bool have;
		uint64_t index;
		uint8_t hashes[TILE_BYTES_MAX];
	} cache[TILE_LEVELS];
};

struct tile_tree *
tile_tree_new(struct merkle *m, uint64_t size, tile_read read, void *ctx)
{
	if (size > MERKLE_SIZE_MAX)
		return NULL;
	struct tile_tree *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->m = m;
	t->size = size;
	t->read = read;
	t->ctx = ctx;
	return t;
}

void
tile_tree_free(struct tile_tree *t)
{
	free(t);
}

/* *ret = the tile's hashes, borrowed until the next tile of that level is loaded. */
static int
load(struct tile_tree *t, unsigned level, uint64_t index, const uint8_t **ret)
{
	struct cached *c = &t->cache[level];
	if (!c->have || c->index != index) {
		c->have = false;
		int rc = t->read(t->ctx, level, index, tile_width(level, index, t->size), c->hashes);
		if (rc < 0)
			return rc;
		c->have = true;
		c->index = index;
	}
	*ret = c->hashes;
	return 0;
}

/*
 * Root of the perfect subtree of 2^height entries, the index-th of its kind,
 * which lies inside the tree. Its level's tile holds 2^(height mod 8)
 * consecutive hashes that fold to it; they never cross a tile.
 */
static int
perfect(struct tile_tree *t, unsigned height, uint64_t index, uint8_t ret[MERKLE_HASH_LEN])
{
	struct merkle_range fold = { .size = 0 };
	const uint8_t *hashes;
	unsigned level = height / TILE_HEIGHT;
	unsigned within = height % TILE_HEIGHT;
	uint64_t first = index << within;
	int rc = load(t, level, first / TILE_WIDTH, &hashes);
	for (unsigned i = 0; rc == 0 && i < 1u << within; i++) {
		size_t at = (size_t)(first % TILE_WIDTH) + i;
		rc = merkle_range_push(t->m, &fold, hashes + at * MERKLE_HASH_LEN);
	}
	if (rc == 0)
		memcpy(ret, fold.peak[0], MERKLE_HASH_LEN);
	return rc;
}

/*
 * The perfect subtrees of [lo, hi), largest first, as append-only state. lo is
 * a multiple of the largest, as it is for every node of RFC 9162's tree.
 */
static int
peaks(struct tile_tree *t, uint64_t lo, uint64_t hi, struct merkle_range *ret)
{
	struct merkle_range r = { .size = hi - lo };
	unsigned n = 0;
	while (lo < hi) {
		unsigned height = 63u - (unsigned)__builtin_clzll(hi - lo);
		int rc = perfect(t, height, lo >> height, r.peak[n++]);
		if (rc < 0)
			return rc;
		lo += UINT64_C(1) << height;
	}
	*ret = r;
	return 0;
}

/* MTH(D[lo:hi]). */
static int
node(struct tile_tree *t, uint64_t lo, uint64_t hi, uint8_t ret[MERKLE_HASH_LEN])
{
	struct merkle_range r;
	int rc = peaks(t, lo, hi, &r);
	return rc < 0 ? rc : merkle_range_root(t->m, &r, ret);
}

int
tile_tree_leaf(struct tile_tree *t, uint64_t index, uint8_t ret[MERKLE_HASH_LEN])
{
	return index < t->size ? perfect(t, 0, index, ret) : FG_EINVAL;
}

int
tile_tree_root(struct tile_tree *t, uint64_t size, uint8_t ret[MERKLE_HASH_LEN])
{
	return size <= t->size ? node(t, 0, size, ret) : FG_EINVAL;
}

int
tile_tree_range(struct tile_tree *t, struct merkle_range *ret)
{
	return peaks(t, 0, t->size, ret);
}

/* Largest power of two below n, for n > 1: where RFC 9162 splits a tree. */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (63u - (unsigned)__builtin_clzll(n - 1));
}

/* Proofs are found from the root down and written from the leaf up. */
static void
reverse(struct merkle_proof *p)
{
	for (size_t i = 0, j = p->n; i + 1 < j; i++) {
		uint8_t swap[MERKLE_HASH_LEN];
		j--;
		memcpy(swap, p->hash[i], sizeof swap);
		memcpy(p->hash[i], p->hash[j], sizeof swap);
		memcpy(p->hash[j], swap, sizeof swap);
	}
}

int
tile_tree_inclusion(struct tile_tree *t, uint64_t index, uint64_t size, struct merkle_proof *ret)
{
	struct merkle_proof p = { .n = 0 };
	uint64_t lo = 0;
	uint64_t hi = size;
	if (size > t->size || index >= size)
		return FG_EINVAL;
	while (hi - lo > 1) {
		uint64_t middle = lo + split(hi - lo);
		bool left = index < middle;
		int rc = node(t, left ? middle : lo, left ? hi : middle, p.hash[p.n++]);
		if (rc < 0)
			return rc;
		if (left)
			hi = middle;
		else
			lo = middle;
	}
	reverse(&p);
	*ret = p;
	return 0;
}

int
tile_tree_consistency(struct tile_tree *t, uint64_t old, uint64_t size, struct merkle_proof *ret)
{
	struct merkle_proof p = { .n = 0 };
	uint64_t lo = 0;
	uint64_t hi = size;
	int rc;
	if (size > t->size || old == 0 || old > size)
		return FG_EINVAL;
	/* Down to the node in which the old tree ends exactly. */
	while (hi != old) {
		uint64_t middle = lo + split(hi - lo);
		bool left = old <= middle;
		rc = node(t, left ? middle : lo, left ? hi : middle, p.hash[p.n++]);
		if (rc < 0)
			return rc;
		if (left)
			hi = middle;
		else
			lo = middle;
	}
	/* The verifier knows that node only when it is the whole old tree. */
	if (lo != 0) {
		rc = node(t, lo, hi, p.hash[p.n++]);
		if (rc < 0)
			return rc;
	}
	reverse(&p);
	*ret = p;
	return 0;
}
