/* SPDX-License-Identifier: Apache-2.0 */
#include "images/pair.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "images/pair_internal.h"

/* One part to be sorted: its children by name, or all parts by digest. */
struct item {
	const struct part *p;
	uint32_t i;
};

void
pair_set(struct pair *p, uint32_t o, uint32_t n, enum pair_how how, unsigned alike)
{
	if (!pair_is_free(p, PAIR_OLD, o) || !pair_is_free(p, PAIR_NEW, n))
		abort();
	p->mate[PAIR_OLD][o] = (struct pair_mate){ n, how, alike };
	p->mate[PAIR_NEW][n] = (struct pair_mate){ o, how, alike };
}

bool
pair_fits(const struct part *a, const struct part *b)
{
	if (a->kind == b->kind)
		return true;
	/* What is packed in one image may lie plainly in the other. */
	return (a->kind == PART_REGION || a->kind == PART_STREAM) &&
	       (b->kind == PART_REGION || b->kind == PART_STREAM);
}

static bool
same_bytes(const struct part *a, const struct part *b)
{
	return a->bytes.size == b->bytes.size && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

/* Nothing about them differs but, perhaps, where they are and who may use them. */
static bool
same(const struct part *a, const struct part *b)
{
	if (a->inexact || b->inexact) /* what is called alike here may be called otherwise there */
		return false;
	if (a->bytes.size > 0 || b->bytes.size > 0)
		return same_bytes(a, b) && a->partial == b->partial;
	if (a->again != b->again || (a->again && a->at != b->at))
		return false;
	return a->kind == b->kind && a->rdev == b->rdev && a->block == b->block && a->hard == b->hard && !a->link == !b->link &&
	       (!a->link || strcmp(a->link, b->link) == 0);
}

/* ---- by name ---- */

static int
kind_group(const struct part *p)
{
	return p->kind == PART_STREAM ? PART_REGION : (int)p->kind;
}

static int
name_order(const struct item *x, const struct item *y)
{
	int r = strcmp(x->p->name, y->p->name);
	return r ? r : kind_group(x->p) - kind_group(y->p);
}

static int
item_by_name(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int r = name_order(x, y);
	return r ? r : (x->i < y->i ? -1 : x->i > y->i);
}

/* Children of part i that are free (all of them with all), by name; malloc'ed, NULL where there are none. */
static int
children(const struct pair *p, enum pair_side side, uint32_t i, bool all, struct item **ret, size_t *ret_n)
{
	const struct part *self = parts_get(p->tree[side], i);
	size_t n = 0;
	*ret = NULL;
	*ret_n = 0;
	if (self->children == 0)
		return 0;
	struct item *row = malloc(self->children * sizeof *row);
	if (!row)
		return FG_ENOMEM;
	for (uint32_t k = self->first; k < self->first + self->children; k++)
		if (all || pair_is_free(p, side, k))
			row[n++] = (struct item){ parts_get(p->tree[side], k), k };
	qsort(row, n, sizeof *row, item_by_name);
	*ret = row;
	*ret_n = n;
	return 0;
}

/* Calls fn for children of o and of n that have one name; the k-th of several with the k-th. */
static int
by_name(struct pair *p, uint32_t o, uint32_t n, bool all,
    void (*fn)(struct pair *p, uint32_t o, uint32_t n, void *arg), void *arg)
{
	struct item *a, *b = NULL;
	size_t a_n, b_n = 0;
	int err = children(p, PAIR_OLD, o, all, &a, &a_n);
	if (!err)
		err = children(p, PAIR_NEW, n, all, &b, &b_n);
	for (size_t i = 0, k = 0; !err && i < a_n && k < b_n;) {
		int r = name_order(&a[i], &b[k]);
		if (r == 0)
			fn(p, a[i].i, b[k].i, arg);
		i += r <= 0;
		k += r >= 0;
	}
	free(a);
	free(b);
	return err;
}

/* ---- rounds ---- */

static void
note_twin(struct pair *p, uint32_t o, uint32_t n, void *arg)
{
	uint32_t *twin = arg;
	twin[n] = o;
	if (same(parts_get(p->tree[PAIR_OLD], o), parts_get(p->tree[PAIR_NEW], n)))
		pair_set(p, o, n, PAIR_SAME, 0);
}

/* Parts of one path are twins; those with the same bytes are mates. */
static int
round_same(struct pair *p, uint32_t *twin)
{
	uint32_t count = parts_count(p->tree[PAIR_NEW]);
	int err = 0;
	for (uint32_t n = 0; n < count; n++)
		twin[n] = PART_NONE_INDEX;
	note_twin(p, 0, 0, twin);
	for (uint32_t n = 0; n < count && !err; n++)
		if (twin[n] != PART_NONE_INDEX)
			err = by_name(p, twin[n], n, true, note_twin, twin);
	return err;
}

static int
item_by_digest(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int r = memcmp(x->p->sha256, y->p->sha256, sizeof x->p->sha256);
	if (r)
		return r;
	return x->i < y->i ? -1 : x->i > y->i;
}

static int
all_by_digest(const struct parts *t, struct item **ret, size_t *ret_n)
{
	struct item *row = malloc(parts_count(t) * sizeof *row);
	size_t n = 0;
	if (!row)
		return FG_ENOMEM;
	for (uint32_t i = 0; i < parts_count(t); i++)
		if (parts_get(t, i)->bytes.size > 0)
			row[n++] = (struct item){ parts_get(t, i), i };
	qsort(row, n, sizeof *row, item_by_digest);
	*ret = row;
	*ret_n = n;
	return 0;
}

/* a and b hold the parts of one digest: mates as far as both last, copies beyond. */
static void
same_digest(struct pair *p, const struct item *a, size_t a_n, const struct item *b, size_t b_n)
{
	size_t i = 0, k = 0;
	for (;;) {
		while (i < a_n && !pair_is_free(p, PAIR_OLD, a[i].i))
			i++;
		while (k < b_n && !pair_is_free(p, PAIR_NEW, b[k].i))
			k++;
		if (i == a_n || k == b_n)
			break;
		if (same(a[i].p, b[k].p))
			pair_set(p, a[i].i, b[k].i, PAIR_MOVED, 0);
		i++;
		k++;
	}
	for (i = 0; i < a_n; i++)
		if (pair_is_free(p, PAIR_OLD, a[i].i) && same(a[i].p, b[0].p))
			p->mate[PAIR_OLD][a[i].i] = (struct pair_mate){ b[0].i, PAIR_COPY, 0 };
	for (k = 0; k < b_n; k++)
		if (pair_is_free(p, PAIR_NEW, b[k].i) && same(a[0].p, b[k].p))
			p->mate[PAIR_NEW][b[k].i] = (struct pair_mate){ a[0].i, PAIR_COPY, 0 };
}

static size_t
run(const struct item *row, size_t n, size_t from)
{
	size_t to = from + 1;
	while (to < n && memcmp(row[to].p->sha256, row[from].p->sha256, DIGEST_SHA256_LEN) == 0)
		to++;
	return to - from;
}

static int
round_moved(struct pair *p)
{
	struct item *a = NULL, *b = NULL;
	size_t a_n = 0, b_n = 0;
	int err = all_by_digest(p->tree[PAIR_OLD], &a, &a_n);
	if (!err)
		err = all_by_digest(p->tree[PAIR_NEW], &b, &b_n);
	for (size_t i = 0, k = 0; !err && i < a_n && k < b_n;) {
		int r = memcmp(a[i].p->sha256, b[k].p->sha256, DIGEST_SHA256_LEN);
		size_t a_run = run(a, a_n, i), b_run = run(b, b_n, k);
		if (r == 0)
			same_digest(p, a + i, a_run, b + k, b_run);
		i += r <= 0 ? a_run : 0;
		k += r >= 0 ? b_run : 0;
	}
	free(a);
	free(b);
	return err;
}

static void
set_path(struct pair *p, uint32_t o, uint32_t n, void *arg)
{
	(void)arg;
	bool equal = same(parts_get(p->tree[PAIR_OLD], o), parts_get(p->tree[PAIR_NEW], n));
	pair_set(p, o, n, equal ? PAIR_SAME : PAIR_PATH, 0);
}

static void
round_path(struct pair *p, const uint32_t *twin)
{
	for (uint32_t n = 0; n < parts_count(p->tree[PAIR_NEW]); n++)
		if (twin[n] != PART_NONE_INDEX && pair_is_free(p, PAIR_NEW, n) && pair_is_free(p, PAIR_OLD, twin[n]))
			set_path(p, twin[n], n, NULL);
}

/* What has one name in containers that are mates. Mates made here have children that come later. */
static int
round_within(struct pair *p)
{
	int err = 0;
	for (uint32_t n = 0; n < parts_count(p->tree[PAIR_NEW]) && !err; n++) {
		struct pair_mate m = p->mate[PAIR_NEW][n];
		if (m.how != PAIR_NONE && m.how != PAIR_COPY)
			err = by_name(p, m.index, n, false, set_path, NULL);
	}
	return err;
}

static int
free_files(const struct pair *p, enum pair_side side, struct item **ret, size_t *ret_n)
{
	const struct parts *t = p->tree[side];
	struct item *row = malloc(parts_count(t) * sizeof *row);
	size_t n = 0;
	if (!row)
		return FG_ENOMEM;
	for (uint32_t i = 0; i < parts_count(t); i++)
		if (parts_get(t, i)->kind >= PART_FILE && parts_get(t, i)->kind <= PART_FIFO && pair_is_free(p, side, i))
			row[n++] = (struct item){ parts_get(t, i), i };
	qsort(row, n, sizeof *row, item_by_name);
	*ret = row;
	*ret_n = n;
	return 0;
}

/* Files of one name in containers that are not mates: an image may have got another layout. */
static int
round_anywhere(struct pair *p)
{
	struct item *a = NULL, *b = NULL;
	size_t a_n = 0, b_n = 0;
	int err = free_files(p, PAIR_OLD, &a, &a_n);
	if (!err)
		err = free_files(p, PAIR_NEW, &b, &b_n);
	for (size_t i = 0, k = 0; !err && i < a_n && k < b_n;) {
		int r = name_order(&a[i], &b[k]);
		if (r == 0)
			set_path(p, a[i].i, b[k].i, NULL);
		i += r <= 0;
		k += r >= 0;
	}
	free(a);
	free(b);
	return err;
}

int
pair_make(const struct parts *old, const struct parts *new, struct pair **ret)
{
	struct pair *p = calloc(1, sizeof *p);
	uint32_t *twin = malloc(parts_count(new) * sizeof *twin);
	int err = p && twin ? 0 : FG_ENOMEM;
	for (unsigned side = 0; side < PAIR_SIDES && !err; side++) {
		p->tree[side] = side == PAIR_OLD ? old : new;
		p->mate[side] = malloc(parts_count(p->tree[side]) * sizeof *p->mate[side]);
		err = p->mate[side] ? 0 : FG_ENOMEM;
		for (uint32_t i = 0; !err && i < parts_count(p->tree[side]); i++)
			p->mate[side][i] = (struct pair_mate){ PART_NONE_INDEX, PAIR_NONE, 0 };
	}
	if (!err)
		err = round_same(p, twin);
	if (!err)
		err = round_moved(p);
	if (!err) {
		round_path(p, twin);
		err = round_within(p);
	}
	if (!err)
		err = round_anywhere(p);
	if (!err)
		err = round_within(p);
	if (!err)
		err = pair_like(p);
	if (!err)
		err = round_within(p);
	free(twin);
	if (err) {
		pair_free(p);
		return err;
	}
	*ret = p;
	return 0;
}

void
pair_free(struct pair *p)
{
	if (!p)
		return;
	for (unsigned side = 0; side < PAIR_SIDES; side++)
		free(p->mate[side]);
	free(p);
}

struct pair_mate
pair_of(const struct pair *p, enum pair_side side, uint32_t i)
{
	if (i >= parts_count(p->tree[side]))
		abort();
	return p->mate[side][i];
}

const struct parts *
pair_tree(const struct pair *p, enum pair_side side)
{
	return p->tree[side];
}

uint32_t
pair_unlooked(const struct pair *p)
{
	return p->unlooked;
}
