/* SPDX-License-Identifier: Apache-2.0 */
/* explain_map - what lies where: rows of the layout, and a letter for each stretch of the images. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/entropy.h"
#include "images/explain_internal.h"

#define LAYOUT_DEPTH 2 /* partitions, and what is in them by place */

static const char letters[ACCOUNT_CLASSES] = {
	[ACCOUNT_UNREVIEWABLE] = 'n', [ACCOUNT_UNEXPLAINED] = 'u', [ACCOUNT_EXPLAINED] = 'e', [ACCOUNT_IDENTICAL] = '=',
};

/* ---- layout ---- */

static void
row(struct explain *e, enum pair_side side, uint32_t i, uint64_t at, bool inside)
{
	struct story *s = e->story;
	const struct part *p = parts_get(e->tree[side], i);
	struct pair_mate mate = pair_of(e->pair, side, i);
	if (s->rows_total++ >= STORY_ROWS_MAX)
		return;
	struct story_row *r = &s->row[s->rows_n++];
	*r = (struct story_row){ .how = mate.how, .side = side, .inside = inside, .format = p->format, .look = p->look,
		.at = at, .size = p->bytes.size };
	if (r->format == FORMAT_NONE)
		r->format = FORMAT_RAW;
	parts_path(e->tree[side], i, s->row[s->rows_n - 1].name, sizeof r->name);
}

/* Among files: tables that a file system needs in each of its groups, and erased room, would hide what else is there. */
static bool
is_furniture(const struct parts *t, const struct part *p, const struct part *c)
{
	const struct part *last = parts_get(t, p->first + p->children - 1); /* files come behind what lies by place */
	bool among_files = last->kind != PART_REGION && last->kind != PART_STREAM && last->kind != PART_SECTION;
	return among_files && (c->closed || c->look == PART_LOOK_ERASED);
}

/* Pieces by place below i, which begins at at. Of the old image only what is gone. */
static void
rows(struct explain *e, enum pair_side side, uint32_t i, uint64_t at, unsigned depth)
{
	const struct parts *t = e->tree[side];
	const struct part *p = parts_get(t, i);
	for (uint32_t k = 0; k < p->children; k++) {
		const struct part *c = parts_get(t, p->first + k);
		if (c->kind != PART_REGION || !c->placed || is_furniture(t, p, c))
			continue;
		if (side == PAIR_NEW || pair_of(e->pair, side, p->first + k).how == PAIR_NONE)
			row(e, side, p->first + k, at + c->at, depth > 0);
		if (depth + 1 < LAYOUT_DEPTH)
			rows(e, side, p->first + k, at + c->at, depth + 1);
	}
}

/* ---- maps ---- */

struct cells {
	uint64_t size;
	size_t n;
	uint8_t worst[STORY_CELLS]; /* enum account_class; ACCOUNT_CLASSES: nobody's in particular */
};

static uint64_t
cell_at(const struct cells *c, size_t k)
{
	return (uint64_t)((unsigned __int128)c->size * k / c->n);
}

static void
paint(struct cells *c, uint64_t at, uint64_t length, uint8_t class)
{
	if (length == 0)
		return;
	size_t k = (size_t)((unsigned __int128)at * c->n / c->size);
	for (; k < c->n && cell_at(c, k) < at + length; k++)
		if (cell_at(c, k + 1) > at && class < c->worst[k])
			c->worst[k] = class;
}

static uint8_t
worst_of(struct account_sum s)
{
	for (unsigned c = 0; c < ACCOUNT_CLASSES; c++)
		if (s.bytes[c])
			return (uint8_t)c;
	return ACCOUNT_CLASSES;
}

/* Where i's bytes, or what they were packed in, lie in the image; false when that is not known. */
static bool
place_of(const uint64_t *base, const struct part *p, uint64_t *ret_at, uint64_t *ret_length)
{
	uint64_t from = base[p->parent];
	if (from == UINT64_MAX || p->again)
		return false;
	*ret_at = from + (p->placed ? p->at : p->packed_at);
	*ret_length = p->placed ? p->bytes.size : p->packed_length;
	return *ret_length > 0;
}

/* What is in pieces, piece by piece: true when it was. */
static bool
paint_pieces(struct cells *c, const struct parts *t, uint32_t i, const uint64_t *base, uint8_t class)
{
	const struct part *p = parts_get(t, i);
	for (uint32_t k = 0; k < p->pieces; k++) {
		struct part_range r = parts_piece(t, i, k);
		paint(c, base[p->parent] + r.at, r.length, class);
	}
	return p->pieces > 0;
}

/*
 * The parts that nothing is known to lie in paint; their containers do not, since a
 * map on which all is as bad as the worst file of a file system shows nothing.
 */
static int
map(struct explain *e, enum pair_side side)
{
	const struct parts *t = e->tree[side];
	uint32_t n = parts_count(t);
	struct cells c = { .size = parts_get(t, 0)->bytes.size };
	uint64_t *base = calloc(n, sizeof *base); /* where a part begins in the image; UINT64_MAX: it is not in it as it is */
	bool *parent = calloc(n, sizeof *parent); /* of something that painted, or will */
	if (!base || !parent) {
		free(base);
		free(parent);
		return FG_ENOMEM;
	}
	c.n = c.size < STORY_CELLS ? (size_t)c.size : STORY_CELLS;
	memset(c.worst, ACCOUNT_CLASSES, sizeof c.worst);
	for (uint32_t i = 1; i < n; i++) { /* children come after their parents */
		const struct part *p = parts_get(t, i);
		uint64_t at, length;
		bool known = place_of(base, p, &at, &length);
		base[i] = known && p->placed ? at : UINT64_MAX;
		parent[p->parent] |= known || (p->pieces > 0 && base[p->parent] != UINT64_MAX);
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct part *p = parts_get(t, i);
		uint64_t at = 0, length = p->bytes.size;
		uint8_t class = worst_of(account_part(e->account, side, i));
		if (i > 0 && base[p->parent] != UINT64_MAX && paint_pieces(&c, t, i, base, class))
			continue;
		if (!parent[i] && (i == 0 || place_of(base, p, &at, &length)))
			paint(&c, at, length, class);
	}
	for (size_t k = 0; k < c.n; k++)
		e->story->map[side][k] = c.worst[k] < ACCOUNT_CLASSES ? letters[c.worst[k]] : '.';
	free(base);
	free(parent);
	return 0;
}

/* Of each cell its first window: enough to see where noise begins and ends. */
static int
strip(struct explain *e, enum pair_side side)
{
	const struct source *image = side == PAIR_OLD ? e->job->old : e->job->new;
	struct cells c = { .size = image->size, .n = image->size < STORY_CELLS ? (size_t)image->size : STORY_CELLS };
	uint8_t *window = malloc(ENTROPY_WINDOW);
	int err = window ? 0 : FG_ENOMEM;
	for (size_t k = 0; k < c.n && !err; k++) {
		uint64_t at = cell_at(&c, k), length = cell_at(&c, k + 1) - at;
		size_t n = length < ENTROPY_WINDOW ? (size_t)length : ENTROPY_WINDOW;
		err = source_read(image, at, window, n);
		if (!err)
			e->story->strip[side][k] = (char)('0' + (entropy_millibits(view_of(window, n)) + 500) / 1000);
	}
	free(window);
	return err;
}

int
explain_map(struct explain *e)
{
	int err = 0;
	for (unsigned side = 0; side < PAIR_SIDES && !err; side++) {
		err = map(e, (enum pair_side)side);
		if (!err)
			err = strip(e, (enum pair_side)side);
	}
	rows(e, PAIR_NEW, 0, 0, 0);
	rows(e, PAIR_OLD, 0, 0, 0);
	return err;
}
