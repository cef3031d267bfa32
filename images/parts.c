/* SPDX-License-Identifier: Apache-2.0 */
#include "images/part.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/part_internal.h"

#define PATH_ROOM ((PART_DEPTH_MAX + 2) * (PART_NAME_MAX + 1)) /* a path before it is escaped and cut */

/* ---- taking an image apart ---- */

/* Recognises and opens c->self, whose bytes are known. */
static int
open_one(struct part_ctx *c)
{
	struct part *p = &c->t->part[c->self];
	struct format_result f;
	c->bytes = p->bytes;
	p->format = p->bytes.size > 0 ? FORMAT_RAW : FORMAT_NONE;
	if (p->bytes.size == 0 || p->closed)
		return 0;
	int err = format_recognise(&p->bytes, &f);
	if (err)
		return err;
	p->format = f.format;
	bool raw = p->format == FORMAT_RAW;
	part_fn *open = part_of(p->format);
	/* Raw bytes at the end of the row are not searched, but they are looked at. */
	if (!open || (raw && (p->scanned || p->depth == PART_DEPTH_MAX)))
		return 0;
	if (p->depth == PART_DEPTH_MAX) {
		part_limit(c, c->self, "lies too deep");
		return 0;
	}
	err = open(c, c->self);
	if (err && err != FG_ELIMIT)
		return err;
	return part_close(c);
}

static int
root(struct parts *t, const struct source *image)
{
	t->part = calloc(1, sizeof *t->part);
	char *name = strdup("");
	if (!t->part || !name) {
		free(name);
		return FG_ENOMEM;
	}
	t->cap = t->n = 1;
	t->part[0] = (struct part){ .parent = PART_NONE_INDEX, .first = PART_NONE_INDEX,
		.next = PART_NONE_INDEX, .kind = PART_REGION, .name = name, .bytes = *image,
		.placed = true };
	return 0;
}

int
parts_open(const struct source *image, int scratch, uint64_t *io_scratch, struct parts **ret)
{
	struct parts *t = calloc(1, sizeof *t);
	struct part_ctx c = { .t = t, .chunk = malloc(SOURCE_CHUNK) };
	int err = t && c.chunk ? 0 : FG_ENOMEM;
	if (!err) {
		t->scratch = scratch;
		t->io_scratch = io_scratch;
		err = root(t, image);
	}
	/* Children come behind their parents, so that one pass over a growing row opens everything. */
	for (uint32_t i = 0; !err && i < t->n; i++) {
		c.self = i;
		err = open_one(&c);
		if (!err)
			err = part_judge(&c);
	}
	free(c.chunk);
	if (err) {
		parts_free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void
parts_free(struct parts *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->n; i++) {
		free(t->part[i].name);
		free(t->part[i].link);
	}
	free(t->part);
	free(t->range);
	free(t->piece);
	free(t);
}

/* ---- looking at it ---- */

uint32_t
parts_count(const struct parts *t)
{
	return t->n;
}

const struct part *
parts_get(const struct parts *t, uint32_t i)
{
	if (i >= t->n)
		abort();
	return &t->part[i];
}

void
parts_path(const struct parts *t, uint32_t i, char *dst, size_t n)
{
	uint32_t row[PART_DEPTH_MAX + 2];
	unsigned depth = 0;
	struct writer w;
	/* The root has no name, and what lies in it begins with none. */
	for (; i != 0 && i != PART_NONE_INDEX && depth < PART_DEPTH_MAX + 2; i = parts_get(t, i)->parent)
		row[depth++] = i;
	writer_init(&w, PATH_ROOM);
	while (depth-- > 0) {
		writer_text(&w, t->part[row[depth]].name);
		if (depth > 0)
			writer_u8(&w, '/');
	}
	visible_cstr(writer_view(&w), dst, n);
	writer_free(&w);
}

struct part_range
parts_structure(const struct parts *t, uint32_t i, uint32_t k)
{
	const struct part *p = parts_get(t, i);
	if (k >= p->structure_n)
		abort();
	return t->range[p->structure + k];
}

struct part_range
parts_piece(const struct parts *t, uint32_t i, uint32_t k)
{
	const struct part *p = parts_get(t, i);
	if (k >= p->pieces)
		abort();
	return t->piece[p->piece + k];
}

unsigned
parts_limits(const struct parts *t)
{
	return t->limits;
}
