/* SPDX-License-Identifier: Apache-2.0 */
#include "images/part_spans.h"

#include <stdlib.h>

#include "crypto/err.h"

#define ROW_FIRST 16
#define SAME_FIRST 1024

/* ---- a row of ranges ---- */

int
part_spans_add(struct part_spans *s, uint64_t at, uint64_t length)
{
	struct part_range *last = s->n ? &s->row[s->n - 1] : NULL;
	bool hole = at == PART_SPAN_HOLE;
	if (length == 0)
		return 0;
	if (length > SOURCE_SIZE_MAX || s->total > SOURCE_SIZE_MAX - length)
		return FG_ELIMIT;
	if (last && (hole ? last->at == PART_SPAN_HOLE
	                  : last->at != PART_SPAN_HOLE && last->at + last->length == at)) {
		last->length += length;
		s->total += length;
		return 0;
	}
	if (s->n == PART_SPANS_MAX)
		return FG_ELIMIT;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : ROW_FIRST;
		struct part_range *more = realloc(s->row, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		s->row = more;
		s->cap = cap;
	}
	s->row[s->n++] = (struct part_range){ at, length };
	s->total += length;
	return 0;
}

void
part_spans_clear(struct part_spans *s)
{
	s->n = 0;
	s->total = 0;
	s->shared = false;
}

void
part_spans_free(struct part_spans *s)
{
	free(s->row);
	*s = (struct part_spans){ 0 };
}

/* ---- their bytes ---- */

/* Where a reader of a row is: reading on costs no search. */
struct cursor {
	const struct source *source;
	const struct part_spans *s;
	size_t span;
	uint64_t off; /* within it */
};

static long
read_on(void *arg, void *buf, size_t n)
{
	struct cursor *k = arg;
	size_t done = 0;
	while (done < n && k->span < k->s->n) {
		const struct part_range *r = &k->s->row[k->span];
		uint64_t left = r->length - k->off;
		size_t some = left < n - done ? (size_t)left : n - done;
		uint8_t *to = (uint8_t *)buf + done;
		int err = 0;
		if (r->at == PART_SPAN_HOLE)
			memset(to, 0, some);
		else
			err = source_read(k->source, r->at + k->off, to, some);
		if (err)
			return err;
		done += some;
		k->off += some;
		if (k->off == r->length) {
			k->span++;
			k->off = 0;
		}
	}
	return (long)done;
}

long
part_spans_read(const struct source *source, const struct part_spans *s, uint64_t off, void *buf, size_t n)
{
	struct cursor k = { .source = source, .s = s };
	for (; k.span < s->n && off >= s->row[k.span].length; k.span++)
		off -= s->row[k.span].length;
	k.off = off;
	return read_on(&k, buf, n);
}

static bool
lies_within(const struct part_spans *s, uint64_t size)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->row[i].at != PART_SPAN_HOLE && (s->row[i].at > size || s->row[i].length > size - s->row[i].at))
			return false;
	return true;
}

/* Remembers where the bytes lie that came out. */
static int
remember(struct part_ctx *c, uint32_t child, const struct part_spans *s)
{
	uint64_t left = part_edit(c, child)->bytes.size;
	for (size_t i = 0; i < s->n && left > 0; i++) {
		uint64_t n = s->row[i].length < left ? s->row[i].length : left;
		int err = s->row[i].at == PART_SPAN_HOLE ? 0 : part_piece(c, child, s->row[i].at, n);
		if (err)
			return err == FG_ELIMIT ? 0 : err; /* told: its bytes become a gap's as well */
		left -= n;
	}
	return 0;
}

int64_t
part_spans_child(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name,
    const struct part_spans *s, const char *bad)
{
	struct cursor k = { .source = part_bytes(c, self), .s = s };
	int64_t i;
	int err = 0;
	if (!lies_within(s, k.source->size)) {
		part_untold(c, self, "a part of it would lie outside it");
		return FG_ELIMIT;
	}
	if (s->n == 0 || (s->n == 1 && s->row[0].at != PART_SPAN_HOLE && !s->shared)) {
		i = part_region(c, self, kind, name, s->n ? s->row[0].at : 0, s->total);
	} else {
		i = part_expand(c, self, kind, name, read_on, &k, 0, 0);
		err = i < 0 ? 0 : remember(c, (uint32_t)i, s);
	}
	if (i < 0 || err)
		return i < 0 ? i : err;
	if (bad) {
		struct part *p = part_edit(c, (uint32_t)i);
		p->partial = true;
		p->why = p->why ? p->why : bad;
	}
	return i;
}

/* ---- folders ---- */

int
part_folders_push(struct part_folders *f, uint64_t key, uint64_t above, struct view path)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : ROW_FIRST;
		struct part_folder *more = realloc(f->row, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		f->row = more;
		f->cap = cap;
	}
	char *s = strndup((const char *)path.p, path.n);
	if (!s)
		return FG_ENOMEM;
	f->row[f->n++] = (struct part_folder){ key, above, s };
	return 0;
}

bool
part_folders_pop(struct part_folders *f, struct part_folder *ret)
{
	if (f->head == f->n)
		return false;
	*ret = f->row[f->head++];
	return true;
}

void
part_folders_free(struct part_folders *f)
{
	while (f->head < f->n)
		free(f->row[f->head++].path);
	free(f->row);
	*f = (struct part_folders){ 0 };
}

size_t
part_folder_path(const struct part_folder *f, struct view name, char dst[PART_PATH_CAP], bool *ret_odd)
{
	size_t n = strlen(f->path);
	if (n > PART_NAME_MAX || name.n > PART_NAME_MAX)
		abort();
	memcpy(dst, f->path, n);
	if (n > 0)
		dst[n++] = '/';
	*ret_odd = name.n == 0 || view_is(name, ".") || view_is(name, "..");
	for (size_t i = 0; i < name.n; i++) {
		*ret_odd = *ret_odd || name.p[i] == '/' || name.p[i] == 0;
		dst[n++] = name.p[i] ? (char)name.p[i] : '?';
	}
	return n;
}

/* ---- files with several names ---- */

static size_t
slot_of(const struct part_same *m, uint64_t key)
{
	/* Keys are places and numbers: their low bits are spread already, and a hostile image only slows itself down. */
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (m->cap - 1);
	while (m->slot[i].child && m->slot[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

uint32_t
part_same_find(const struct part_same *m, uint64_t key)
{
	return m->cap ? m->slot[slot_of(m, key)].child : 0;
}

static int
grow(struct part_same *m)
{
	struct part_same more = { .cap = m->cap ? m->cap * 2 : SAME_FIRST, .n = m->n };
	if (m->n * 2 < m->cap)
		return 0;
	more.slot = calloc(more.cap, sizeof more.slot[0]);
	if (!more.slot)
		return FG_ENOMEM;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].child)
			more.slot[slot_of(&more, m->slot[i].key)] = m->slot[i];
	free(m->slot);
	*m = more;
	return 0;
}

int
part_same_put(struct part_same *m, uint64_t key, uint32_t child)
{
	if (grow(m))
		return FG_ENOMEM;
	size_t i = slot_of(m, key);
	m->slot[i].key = key;
	m->slot[i].child = child;
	m->n++;
	return 0;
}

void
part_same_free(struct part_same *m)
{
	free(m->slot);
	*m = (struct part_same){ 0 };
}
