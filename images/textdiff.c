/* SPDX-License-Identifier: Apache-2.0 */
#include "images/textdiff.h"

#include <stdlib.h>

#include "crypto/err.h"

struct line {
	struct view text;
	size_t offset;
	unsigned number;
	bool common; /* in the bag of the other text */
};

struct text {
	struct line *line;
	size_t n;
};

/* A line's end is LF, or CR LF, which is another end: the CR stays part of the line. */
static int
split(struct view v, struct text *ret)
{
	size_t n = v.n && v.p[v.n - 1] != '\n';
	for (size_t i = 0; i < v.n; i++)
		n += v.p[i] == '\n';
	ret->line = calloc(n ? n : 1, sizeof ret->line[0]);
	if (!ret->line)
		return FG_ENOMEM;
	for (size_t at = 0; at < v.n;) {
		const uint8_t *end = memchr(v.p + at, '\n', v.n - at);
		size_t len = end ? (size_t)(end - (v.p + at)) : v.n - at;
		ret->line[ret->n] = (struct line){ view_of(v.p + at, len), at, (unsigned)ret->n + 1, false };
		ret->n++;
		at += len + 1;
	}
	return 0;
}

static bool
same(const struct line *a, const struct line *b)
{
	return view_equal(a->text, b->text);
}

/* ---- the longest common subsequence ---- */

struct table {
	uint16_t *cell; /* length of the longest one of what is left of both, (n+1) * (m+1) */
	size_t m;
};

static uint16_t *
cell(const struct table *t, size_t i, size_t j)
{
	return &t->cell[i * (t->m + 1) + j];
}

static int
exact(const struct text *a, const struct text *b, textdiff_fn *fn, void *arg)
{
	struct table t = { calloc((a->n + 1) * (b->n + 1), sizeof *t.cell), b->n };
	int err = t.cell ? 0 : FG_ENOMEM;
	for (size_t i = a->n; i-- > 0 && !err;) {
		for (size_t j = b->n; j-- > 0;) {
			uint16_t down = *cell(&t, i + 1, j), right = *cell(&t, i, j + 1);
			*cell(&t, i, j) = same(&a->line[i], &b->line[j])
					      ? (uint16_t)(*cell(&t, i + 1, j + 1) + 1)
					  : down > right ? down
							 : right;
		}
	}
	size_t i = 0, j = 0;
	while (!err && (i < a->n || j < b->n)) {
		if (i < a->n && j < b->n && same(&a->line[i], &b->line[j])) {
			i++;
			j++;
		} else if (i < a->n && (j == b->n || *cell(&t, i + 1, j) >= *cell(&t, i, j + 1))) {
			err = fn(arg, false, a->line[i].text, a->line[i].offset, a->line[i].number);
			i++;
		} else {
			err = fn(arg, true, b->line[j].text, b->line[j].offset, b->line[j].number);
			j++;
		}
	}
	free(t.cell);
	return err;
}

/* ---- as bags ---- */

static int
by_text(const void *x, const void *y)
{
	const struct line *a = *(const struct line *const *)x, *b = *(const struct line *const *)y;
	size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
	int c = n ? memcmp(a->text.p, b->text.p, n) : 0;
	if (c == 0)
		c = (a->text.n > b->text.n) - (a->text.n < b->text.n);
	return c ? c : (a->number > b->number) - (a->number < b->number);
}

static struct line **
sorted(const struct text *t)
{
	struct line **p = calloc(t->n ? t->n : 1, sizeof *p);
	for (size_t i = 0; p && i < t->n; i++)
		p[i] = &t->line[i];
	if (p && t->n)
		qsort(p, t->n, sizeof *p, by_text);
	return p;
}

static int
bags(const struct text *a, const struct text *b, textdiff_fn *fn, void *arg)
{
	struct line **x = sorted(a), **y = sorted(b);
	int err = x && y ? 0 : FG_ENOMEM;
	for (size_t i = 0, j = 0; !err && i < a->n && j < b->n;) {
		if (same(x[i], y[j])) {
			x[i++]->common = true;
			y[j++]->common = true;
			continue;
		}
		/* Numbers do not count here: by text alone. */
		size_t n = x[i]->text.n < y[j]->text.n ? x[i]->text.n : y[j]->text.n;
		int c = n ? memcmp(x[i]->text.p, y[j]->text.p, n) : 0;
		if (c < 0 || (c == 0 && x[i]->text.n < y[j]->text.n))
			i++;
		else
			j++;
	}
	for (size_t i = 0; i < a->n && !err; i++)
		if (!a->line[i].common)
			err = fn(arg, false, a->line[i].text, a->line[i].offset, a->line[i].number);
	for (size_t j = 0; j < b->n && !err; j++)
		if (!b->line[j].common)
			err = fn(arg, true, b->line[j].text, b->line[j].offset, b->line[j].number);
	free(x);
	free(y);
	return err;
}

int
textdiff_run(struct view old, struct view new, textdiff_fn *fn, void *arg, bool *ret_exact)
{
	struct text a = { 0 }, b = { 0 };
	*ret_exact = true;
	int err = split(old, &a);
	if (!err)
		err = split(new, &b);
	size_t head = 0, tail = 0;
	while (!err && head < a.n && head < b.n && same(&a.line[head], &b.line[head]))
		head++;
	while (!err && tail < a.n - head && tail < b.n - head &&
	       same(&a.line[a.n - 1 - tail], &b.line[b.n - 1 - tail]))
		tail++;
	struct text x = { a.line + head, a.n - head - tail }, y = { b.line + head, b.n - head - tail };
	if (!err && x.n < UINT16_MAX && y.n < UINT16_MAX && (x.n + 1) * (y.n + 1) <= TEXTDIFF_CELLS_MAX) {
		err = exact(&x, &y, fn, arg);
	} else if (!err) {
		*ret_exact = false;
		err = bags(&x, &y, fn, arg);
	}
	free(a.line);
	free(b.line);
	return err;
}
