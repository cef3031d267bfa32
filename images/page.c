/* SPDX-License-Identifier: Apache-2.0 */
#include "images/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"

struct page {
	struct page_line *line[PAGE_LINES_MAX]; /* owned, in the page's order */
	size_t n;
	uint64_t added[PAGE_BLOCK_LIMIT]; /* page_add() calls; what is not among the lines is lost */
};

static const char *const block_names[PAGE_BLOCK_LIMIT] = {
	[PAGE_NONE] = "none",
	[PAGE_RED] = "red",
	[PAGE_CONTACT] = "contact",
	[PAGE_MODEM] = "modem",
	[PAGE_DOORS] = "doors",
	[PAGE_IDENT] = "ident",
	[PAGE_CODE] = "code",
	[PAGE_FILES] = "files",
	[PAGE_SBOM] = "sbom",
	[PAGE_ENTROPY] = "entropy",
	[PAGE_UNSEEN] = "unseen",
};

static const char *const sign_names[PAGE_SIGN_LIMIT] = {
	[PAGE_CHANGED] = "changed",
	[PAGE_ADDED] = "added",
	[PAGE_GONE] = "gone",
	[PAGE_MOVED] = "moved",
};

const char *
page_block_name(enum page_block block)
{
	return (unsigned)block < PAGE_BLOCK_LIMIT ? block_names[block] : "none";
}

enum page_block
page_block_parse(struct view word)
{
	for (unsigned i = PAGE_NONE + 1; i < PAGE_BLOCK_LIMIT; i++)
		if (view_is(word, block_names[i]))
			return (enum page_block)i;
	return PAGE_NONE;
}

const char *
page_sign_name(enum page_sign sign)
{
	if ((unsigned)sign >= PAGE_SIGN_LIMIT)
		abort();
	return sign_names[sign];
}

enum page_sign
page_sign_parse(struct view word)
{
	for (unsigned i = 0; i < PAGE_SIGN_LIMIT; i++)
		if (view_is(word, sign_names[i]))
			return (enum page_sign)i;
	return PAGE_SIGN_LIMIT;
}

struct page *
page_new(void)
{
	return calloc(1, sizeof(struct page));
}

void
page_free(struct page *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		free(p->line[i]);
	free(p);
}

void
page_text(struct page_line *line, const char *fmt, ...)
{
	char raw[2 * PAGE_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	snprintf(line->text, sizeof line->text, "%s", n < 0 ? "" : raw);
	if (n >= (int)sizeof line->text) /* say so, rather than end in the middle */
		memcpy(line->text + sizeof line->text - 6, "<...>", 6);
}

void
page_evidence(struct page_line *line, struct view hostile)
{
	visible_cstr(hostile, line->evidence, sizeof line->evidence);
}

/* What is printable may hold escapes made by visible_cstr() and stays as it is. */
static void
settle(const char *src, char *dst, size_t cap)
{
	struct view s = view_of(src, strnlen(src, cap - 1));
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e) {
			visible_cstr(s, dst, cap);
			return;
		}
	}
	memcpy(dst, src, s.n);
	dst[s.n] = '\0';
}

static int
numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
order(const struct page_line *a, const struct page_line *b)
{
	int c = numbers(a->block, b->block);
	if (c == 0)
		c = numbers(b->severity, a->severity);
	if (c == 0)
		c = numbers(b->weight, a->weight);
	if (c == 0)
		c = strcmp(a->path, b->path);
	if (c == 0)
		c = numbers(a->have_offset, b->have_offset);
	if (c == 0)
		c = numbers(a->offset, b->offset);
	if (c == 0)
		c = numbers(a->id, b->id);
	if (c == 0)
		c = numbers(a->sign, b->sign);
	if (c == 0)
		c = strcmp(a->text, b->text);
	return c ? c : strcmp(a->evidence, b->evidence);
}

/* Where line stands or would stand. */
static size_t
place(const struct page *p, const struct page_line *line, bool *ret_there)
{
	size_t low = 0, high = p->n;
	*ret_there = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = order(p->line[mid], line);
		if (c == 0) {
			*ret_there = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int
page_add(struct page *p, const struct page_line *line)
{
	struct page_line l = *line;
	l.times = 1;
	return page_put(p, &l);
}

int
page_put(struct page *p, const struct page_line *line)
{
	const struct finding_info *info = finding_get(line->id);
	struct page_line l = *line;
	bool there;
	if (l.block <= PAGE_NONE || l.block >= PAGE_BLOCK_LIMIT ||
	    (unsigned)l.sign >= PAGE_SIGN_LIMIT)
		abort();
	if (l.severity == FINDING_NONE)
		l.severity = info->severity;
	if (l.severity < info->least || l.severity > info->severity)
		abort();
	if (!l.have_offset)
		l.offset = 0;
	settle(line->path, l.path, sizeof l.path);
	settle(line->text, l.text, sizeof l.text);
	settle(line->evidence, l.evidence, sizeof l.evidence);

	size_t at = place(p, &l, &there);
	if (there) {
		p->line[at]->times += l.times;
		p->added[l.block] += l.times;
		return 0;
	}
	struct page_line *own = NULL;
	if (p->n < PAGE_LINES_MAX) {
		own = malloc(sizeof *own);
		if (!own)
			return FG_ENOMEM;
	} else if (at < p->n) {
		/* A line that went can not come back: as many better ones stand here. So the counts are exact. */
		own = p->line[--p->n];
	}
	p->added[l.block] += l.times;
	if (!own)
		return 0;
	*own = l;
	memmove(&p->line[at + 1], &p->line[at], (p->n - at) * sizeof p->line[0]);
	p->line[at] = own;
	p->n++;
	return 0;
}

void
page_lose(struct page *p, enum page_block block, uint64_t times)
{
	if ((unsigned)block >= PAGE_BLOCK_LIMIT)
		abort();
	p->added[block] += times;
}

size_t
page_count(const struct page *p)
{
	return p->n;
}

const struct page_line *
page_at(const struct page *p, size_t i)
{
	if (i >= p->n)
		abort();
	return p->line[i];
}

uint64_t
page_lost(const struct page *p, enum page_block block)
{
	if ((unsigned)block >= PAGE_BLOCK_LIMIT)
		abort();
	uint64_t lost = p->added[block];
	for (size_t i = 0; i < p->n; i++)
		if (p->line[i]->block == block)
			lost -= p->line[i]->times;
	return lost;
}

bool
page_cut(const struct page *p)
{
	return page_lost(p, PAGE_RED) > 0 || page_lost(p, PAGE_CONTACT) > 0;
}
