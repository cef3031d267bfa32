/* SPDX-License-Identifier: Apache-2.0 */
/* part_close - what is done with a part after its opener: order, overlaps, what lies between, digest and look. */
#include <stdlib.h>

#include "crypto/err.h"
#include "images/entropy.h"
#include "images/part_internal.h"

/* A gap that is one byte value throughout and no longer than this is padding (flash is erased in blocks of up to 256 KiB). */
#define GAP_PADDING_MAX (256u << 10)
/*
 * Bits a byte, in thousandths, from which bytes are noise, and the shortest run of
 * which that can be said: text has five, machine code up to seven.
 */
#define NOISE_MILLIBITS 7900
#define NOISE_SHORT_MILLIBITS 7700 /* below NOISE_SHORT the estimate is not that sure */
#define NOISE_SHORT 4096
#define NOISE_MIN 256

/* A range of self that is spoken for. */
struct taken {
	uint64_t at, end;
	uint32_t child; /* PART_NONE_INDEX: structure or packed */
};

static int
compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static bool
by_place(const struct part *p)
{
	return p->kind == PART_REGION || p->kind == PART_STREAM || p->kind == PART_SECTION;
}

static uint64_t
place(const struct part *p)
{
	return p->placed ? p->at : p->packed_at;
}

static int
child_order(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	if (by_place(x) != by_place(y))
		return by_place(x) ? -1 : 1;
	int r = by_place(x) ? compare_u64(place(x), place(y)) : strcmp(x->name, y->name);
	return r ? r : compare_u64(x->next, y->next); /* in the order of coming */
}

static int
taken_order(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	int r = compare_u64(x->at, y->at);
	if (r)
		return r;
	/* Of two children that begin together the longer one has the bytes. */
	r = compare_u64(y->end, x->end);
	return r ? r : compare_u64(x->child, y->child);
}

static int
range_order(const void *a, const void *b)
{
	const struct part_range *x = a, *y = b;
	int r = compare_u64(x->at, y->at);
	return r ? r : compare_u64(x->length, y->length);
}

/* Ascending and disjoint: the ranges of self are the last ones of the tree. */
static void
sort_structure(struct parts *t, struct part *p)
{
	if (p->structure_n == 0)
		return;
	struct part_range *r = t->range + p->structure;
	uint32_t n = 1;
	qsort(r, p->structure_n, sizeof *r, range_order);
	for (uint32_t i = 1; i < p->structure_n; i++) {
		struct part_range *last = &r[n - 1];
		uint64_t last_end = last->at + last->length, end = r[i].at + r[i].length;
		if (r[i].at > last_end)
			r[n++] = r[i];
		else if (end > last_end)
			last->length = end - last->at;
	}
	p->structure_n = n;
	t->ranges = p->structure + n;
}

static void
sort_children(struct parts *t, uint32_t self, uint32_t first)
{
	struct part *p = &t->part[self];
	p->children = t->n - first;
	if (p->children == 0)
		return;
	for (uint32_t i = first; i < t->n; i++)
		t->part[i].next = i;
	qsort(t->part + first, p->children, sizeof *t->part, child_order);
	for (uint32_t i = first; i < t->n; i++)
		t->part[i].next = i + 1 < t->n ? i + 1 : PART_NONE_INDEX;
	p->first = first;
}

/* Everything of self that is spoken for, ascending; malloc'ed. */
static int
take(struct parts *t, const struct part *p, uint32_t first, struct taken **ret, size_t *ret_n)
{
	size_t n = 0, pieces = 0;
	for (uint32_t i = first; i < t->n; i++)
		pieces += t->part[i].pieces;
	struct taken *row = malloc((2 * (size_t)(t->n - first) + pieces + p->structure_n + 1) * sizeof *row);
	if (!row)
		return FG_ENOMEM;
	for (uint32_t i = first; i < t->n; i++) {
		const struct part *child = &t->part[i];
		if (child->placed && child->bytes.size > 0)
			row[n++] = (struct taken){ child->at, child->at + child->bytes.size, i };
		else if (!child->placed && child->packed_length > 0)
			row[n++] = (struct taken){ child->packed_at,
				child->packed_at + child->packed_length, PART_NONE_INDEX };
		if (child->shared_length > 0)
			row[n++] = (struct taken){ child->shared_at,
				child->shared_at + child->shared_length, PART_NONE_INDEX };
		for (uint32_t k = 0; k < child->pieces; k++) {
			struct part_range r = t->piece[child->piece + k];
			row[n++] = (struct taken){ r.at, r.at + r.length, PART_NONE_INDEX };
		}
	}
	for (uint32_t i = 0; i < p->structure_n; i++) {
		struct part_range r = t->range[p->structure + i];
		row[n++] = (struct taken){ r.at, r.at + r.length, PART_NONE_INDEX };
	}
	qsort(row, n, sizeof *row, taken_order);
	*ret = row;
	*ret_n = n;
	return 0;
}

/*
 * Of placed children that share bytes the first one has them, and the others keep
 * none: a thousand sections over the whole of a file would be a thousand files.
 */
static void
find_overlaps(struct parts *t, const struct taken *row, size_t n)
{
	uint64_t end = 0;
	for (size_t i = 0; i < n; i++) {
		if (row[i].child == PART_NONE_INDEX)
			continue;
		struct part *p = &t->part[row[i].child];
		if (row[i].at >= end) {
			end = row[i].end;
			continue;
		}
		p->again = true;
		p->bytes.size = 0;
		p->why = "lies over another part, which has its bytes";
	}
}

/* Bytes that nobody spoke for: padding, or a part. */
static int
gap(struct part_ctx *c, uint64_t from, uint64_t to)
{
	uint64_t end = from;
	if (from == 0 && to == c->t->part[c->self].bytes.size) {
		part_untold(c, c->self, "nothing of what it holds could be given a place");
		return 0;
	}
	int err = to - from <= GAP_PADDING_MAX ? part_padding_end(c, from, to - from, true, &end) : 0;
	if (err)
		return err;
	if (end == to)
		return part_structure(c, c->self, from, to - from);
	int64_t i = part_region(c, c->self, PART_REGION, view_str("gap"), from, to - from);
	return i < 0 && i != FG_ELIMIT ? (int)i : 0;
}

static int
fill_gaps(struct part_ctx *c, const struct taken *row, size_t n, uint64_t from, uint64_t size)
{
	uint64_t at = from;
	int err = 0;
	for (size_t i = 0; i < n && !err; i++) {
		/* What lies over a sibling and reaches beyond it has nothing to itself. */
		if (row[i].child != PART_NONE_INDEX && c->t->part[row[i].child].again)
			continue;
		if (row[i].at > at && at < size)
			err = gap(c, at, row[i].at < size ? row[i].at : size);
		at = row[i].end > at ? row[i].end : at;
	}
	if (!err && at < size)
		err = gap(c, at, size);
	return err;
}

int
part_close(struct part_ctx *c)
{
	struct parts *t = c->t;
	uint32_t first = t->n;
	while (first > c->self + 1 && t->part[first - 1].parent == c->self)
		first--;
	struct part *p = &t->part[c->self];
	struct taken *row = NULL;
	size_t n = 0;
	if (first == t->n && p->structure_n == 0)
		return 0;
	sort_structure(t, p);
	int err = take(t, p, first, &row, &n);
	if (err)
		return err;
	find_overlaps(t, row, n);
	uint64_t from = p->mixed ? p->packed_from : 0, to = p->mixed ? p->packed_to : p->bytes.size;
	if (from < to)
		err = fill_gaps(c, row, n, from, to);
	free(row);
	sort_structure(t, &t->part[c->self]);
	sort_children(t, c->self, first);
	return err;
}

/* ---- digest and look ---- */

/* What the bytes looked like that were counted into e; same: all of them are like the first. */
static enum part_look
look_of(const struct source *s, const struct entropy_profile *e, bool same, uint8_t first)
{
	if (same && (first == 0xff || first == 0))
		return PART_LOOK_ERASED;
	if (s->size < NOISE_MIN)
		return PART_LOOK_DATA;
	unsigned least = s->size < NOISE_SHORT ? NOISE_SHORT_MILLIBITS : NOISE_MILLIBITS;
	return e->sum / e->total >= least ? PART_LOOK_OPAQUE : PART_LOOK_DATA;
}

static int
read_through(struct part_ctx *c, struct part *p, struct digest *d, bool judge)
{
	struct entropy_profile e = { 0 };
	bool same = true;
	uint8_t first = 0;
	for (uint64_t at = 0; at < p->bytes.size;) {
		long n = source_read_some(&p->bytes, at, c->chunk, SOURCE_CHUNK);
		if (n <= 0)
			return n < 0 ? (int)n : FG_EIO;
		int err = digest_update(d, view_of(c->chunk, (size_t)n));
		if (err)
			return err;
		if (at == 0)
			first = c->chunk[0];
		/* All equal to the first: equal to itself, moved by one. */
		same = judge && same && c->chunk[0] == first &&
		       memcmp(c->chunk, c->chunk + 1, (size_t)n - 1) == 0;
		for (long w = 0; judge && w < n; w += ENTROPY_WINDOW)
			entropy_count(&e, view_of(c->chunk + w,
			    (size_t)(n - w < (long)ENTROPY_WINDOW ? n - w : (long)ENTROPY_WINDOW)));
		at += (uint64_t)n;
	}
	if (judge)
		p->look = look_of(&p->bytes, &e, same, first);
	return digest_final(d, p->sha256);
}

int
part_judge(struct part_ctx *c)
{
	struct part *p = &c->t->part[c->self];
	if (p->bytes.size == 0)
		return 0;
	bool judge = false;
	/*
	 * Damaged, and nothing was found in it: where a format does not pack it is
	 * what it looks like, bytes that anybody can read, or noise. Of fewer than
	 * NOISE_MIN that cannot be told.
	 */
	bool plain = p->format == FORMAT_RAW || p->format == FORMAT_ELF || p->format == FORMAT_MBN;
	bool legible = plain && p->children == 0 && !p->partial && p->bytes.size >= NOISE_MIN;
	if (p->why && !legible)
		p->look = PART_LOOK_NONE;
	else if (!p->why && (p->children > 0 || p->structure_n > 0 || p->mixed))
		p->look = PART_LOOK_OPENED;
	else
		judge = true;
	bool known = judge && !p->why && p->format != FORMAT_RAW;
	struct digest *d = digest_new(DIGEST_SHA256);
	if (!d)
		return FG_ENOMEM;
	int err = read_through(c, p, d, judge);
	/* A header in front of noise explains none of it. */
	if (known && p->look != PART_LOOK_OPAQUE)
		p->look = PART_LOOK_KNOWN;
	digest_free(d);
	return err;
}
