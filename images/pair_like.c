/* SPDX-License-Identifier: Apache-2.0 */
/* pair_like - mates among what has neither the bytes nor the name of anything: renamed and changed. */
#include <stdlib.h>

#include "crypto/err.h"
#include "images/pair_internal.h"
#include "images/sketch.h"

#define PROPOSALS_EACH 4 /* best old parts kept for one new part */
/* A piece that so many parts have (a licence, a page of zeros) tells nothing about two of them. */
#define COMMON_MAX 64

struct row {
	uint32_t *part; /* which, ascending */
	struct sketch *sketch;
	uint32_t n;
};

/* Where a piece of an old part is. */
struct posting {
	uint64_t piece;
	uint32_t at; /* in the row of old parts */
};

struct proposal {
	unsigned alike;
	uint32_t old, new; /* in their rows */
};

static bool
wanted(const struct pair *p, enum pair_side side, uint32_t i)
{
	const struct part *part = parts_get(p->tree[side], i);
	return part->bytes.size > 0 && part->look != PART_LOOK_ERASED && pair_is_free(p, side, i);
}

static int
sketch_row(struct pair *p, enum pair_side side, uint8_t *chunk, struct row *ret)
{
	const struct parts *t = p->tree[side];
	uint32_t want = 0;
	for (uint32_t i = 0; i < parts_count(t); i++)
		want += wanted(p, side, i);
	if (want > PAIR_SKETCHES_MAX) {
		p->unlooked += want - PAIR_SKETCHES_MAX;
		want = PAIR_SKETCHES_MAX;
	}
	ret->part = malloc((want + 1) * sizeof *ret->part);
	ret->sketch = malloc((want + 1) * sizeof *ret->sketch);
	if (!ret->part || !ret->sketch)
		return FG_ENOMEM;
	for (uint32_t i = 0; i < parts_count(t) && ret->n < want; i++) {
		if (!wanted(p, side, i))
			continue;
		ret->part[ret->n] = i;
		int err = sketch_make(&parts_get(t, i)->bytes, chunk, &ret->sketch[ret->n++]);
		if (err)
			return err;
	}
	return 0;
}

static int
posting_order(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;
	if (x->piece != y->piece)
		return x->piece < y->piece ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int
make_postings(const struct row *old, struct posting **ret, size_t *ret_n)
{
	size_t n = 0;
	struct posting *row = malloc(((size_t)old->n * SKETCH_MAX + 1) * sizeof *row);
	if (!row)
		return FG_ENOMEM;
	for (uint32_t i = 0; i < old->n; i++)
		for (unsigned k = 0; k < old->sketch[i].n; k++)
			row[n++] = (struct posting){ old->sketch[i].piece[k], i };
	qsort(row, n, sizeof *row, posting_order);
	*ret = row;
	*ret_n = n;
	return 0;
}

/* First posting of a piece, or where it would be. */
static size_t
find(const struct posting *row, size_t n, uint64_t piece)
{
	size_t low = 0;
	while (low < n) {
		size_t mid = low + (n - low) / 2;
		if (row[mid].piece < piece)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

static int
proposal_order(const void *a, const void *b)
{
	const struct proposal *x = a, *y = b;
	if (x->alike != y->alike)
		return x->alike > y->alike ? -1 : 1;
	if (x->new != y->new)
		return x->new < y->new ? -1 : 1;
	return x->old < y->old ? -1 : x->old > y->old;
}

/*
 * Old parts that share a piece with the k-th new one: the best of them to best[]. Each
 * comparison takes one of *io_left; *ret_all: none had to be left out.
 */
static unsigned
propose(const struct pair *p, const struct row *old, const struct row *new, uint32_t k,
    const struct posting *row, size_t n, uint32_t *seen, struct proposal best[PROPOSALS_EACH + 1],
    uint32_t *io_left, bool *ret_all)
{
	const struct sketch *s = &new->sketch[k];
	const struct part *its = parts_get(p->tree[PAIR_NEW], new->part[k]);
	unsigned have = 0;
	*ret_all = *io_left > 0;
	for (unsigned i = 0; i < s->n && *ret_all; i++) {
		size_t from = find(row, n, s->piece[i]), to = from;
		while (to < n && to - from <= COMMON_MAX && row[to].piece == s->piece[i])
			to++;
		for (size_t at = from; to - from <= COMMON_MAX && at < to; at++) {
			uint32_t o = row[at].at;
			if (seen[o] == k + 1)
				continue;
			seen[o] = k + 1;
			if (*io_left == 0) {
				*ret_all = false;
				break;
			}
			--*io_left;
			unsigned alike = sketch_alike(&old->sketch[o], s);
			if (alike < PAIR_ALIKE_MIN || !pair_fits(parts_get(p->tree[PAIR_OLD], old->part[o]), its))
				continue;
			best[have] = (struct proposal){ alike, o, k };
			have++;
			qsort(best, have, sizeof *best, proposal_order);
			have -= have > PROPOSALS_EACH;
		}
	}
	return have;
}

static int
match(struct pair *p, const struct row *old, const struct row *new)
{
	struct posting *row = NULL;
	size_t n = 0, all_n = 0;
	uint32_t left = PAIR_COMPARES_MAX, *seen = calloc((size_t)old->n + 1, sizeof *seen);
	struct proposal *all = malloc(((size_t)new->n + 1) * PROPOSALS_EACH * sizeof *all);
	int err = seen && all ? make_postings(old, &row, &n) : FG_ENOMEM;
	for (uint32_t k = 0; k < new->n && !err; k++) {
		struct proposal best[PROPOSALS_EACH + 1];
		bool whole;
		unsigned have = propose(p, old, new, k, row, n, seen, best, &left, &whole);
		if (!whole) {
			p->unlooked++; /* the best one may not be among them */
			continue;
		}
		memcpy(all + all_n, best, have * sizeof *best);
		all_n += have;
	}
	if (!err) {
		/* The most alike first; each part once. */
		qsort(all, all_n, sizeof *all, proposal_order);
		for (size_t i = 0; i < all_n; i++) {
			uint32_t o = old->part[all[i].old], w = new->part[all[i].new];
			if (pair_is_free(p, PAIR_OLD, o) && pair_is_free(p, PAIR_NEW, w))
				pair_set(p, o, w, PAIR_LIKE, all[i].alike);
		}
	}
	free(row);
	free(seen);
	free(all);
	return err;
}

int
pair_like(struct pair *p)
{
	struct row row[PAIR_SIDES] = { { 0 } };
	uint8_t *chunk = malloc(SOURCE_CHUNK);
	int err = chunk ? sketch_row(p, PAIR_OLD, chunk, &row[PAIR_OLD]) : FG_ENOMEM;
	if (!err)
		err = sketch_row(p, PAIR_NEW, chunk, &row[PAIR_NEW]);
	if (!err)
		err = match(p, &row[PAIR_OLD], &row[PAIR_NEW]);
	for (unsigned side = 0; side < PAIR_SIDES; side++) {
		free(row[side].part);
		free(row[side].sketch);
	}
	free(chunk);
	return err;
}
