/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_elf - ELF files by their sections, or, where they have none, by their
 * segments. Read here, because libelf wants a file of its own or all of it in
 * memory, and a part is a window. What neither names becomes a part as a gap does.
 */
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/part_image.h"

#define SECTIONS_MAX 1024      /* a kernel module has sixty, one with a section a function some hundreds */
#define NAMES_MAX (256u << 10) /* bytes of section names */
#define SHT_NOBITS 8u
#define PT_LOAD 1u

struct elf {
	bool wide, big;
	uint64_t ph, sh, head_n;
	uint16_t phs, shs, ph_n, sh_n, names;
};

struct elf_range {
	uint32_t name, type;
	uint64_t at, length;
};

static uint64_t
number(struct reader *r, bool big, unsigned n)
{
	uint64_t v = 0;
	struct view b = reader_take(r, n);
	for (unsigned i = 0; i < b.n; i++)
		v |= (uint64_t)b.p[i] << 8 * (big ? n - 1 - i : i);
	return v;
}

static int
read_head(const struct source *s, struct elf *e)
{
	uint8_t h[64];
	struct reader r;
	long n = source_read_some(s, 0, h, sizeof h);
	if (n < 0)
		return (int)n;
	reader_init(&r, view_of(h, (size_t)n));
	(void)reader_take(&r, 4);
	e->wide = reader_u8(&r) == 2;
	e->big = reader_u8(&r) == 2;
	(void)reader_take(&r, 10 + 8);
	unsigned word = e->wide ? 8 : 4;
	(void)number(&r, e->big, word); /* entry */
	e->ph = number(&r, e->big, word);
	e->sh = number(&r, e->big, word);
	(void)reader_take(&r, 4); /* flags */
	e->head_n = number(&r, e->big, 2);
	e->ph_n = (uint16_t)number(&r, e->big, 2);
	e->phs = (uint16_t)number(&r, e->big, 2);
	e->sh_n = (uint16_t)number(&r, e->big, 2);
	e->shs = (uint16_t)number(&r, e->big, 2);
	e->names = (uint16_t)number(&r, e->big, 2);
	if (r.bad || (e->phs && e->ph_n < (e->wide ? 56 : 32)) || (e->shs && e->sh_n < (e->wide ? 64 : 40)))
		return FG_EFORMAT;
	return 0;
}

static int
read_section(const struct source *s, const struct elf *e, unsigned k, struct elf_range *ret)
{
	uint8_t b[64];
	struct reader r;
	size_t n = e->wide ? 64 : 40;
	int err = source_read(s, e->sh + (uint64_t)k * e->sh_n, b, n);
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	reader_init(&r, view_of(b, n));
	unsigned word = e->wide ? 8 : 4;
	ret->name = (uint32_t)number(&r, e->big, 4);
	ret->type = (uint32_t)number(&r, e->big, 4);
	(void)reader_take(&r, 2 * word); /* flags, address */
	ret->at = number(&r, e->big, word);
	ret->length = number(&r, e->big, word);
	return 0;
}

static int
read_segment(const struct source *s, const struct elf *e, unsigned k, struct elf_range *ret)
{
	uint8_t b[56];
	struct reader r;
	size_t n = e->wide ? 56 : 32;
	int err = source_read(s, e->ph + (uint64_t)k * e->ph_n, b, n);
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	reader_init(&r, view_of(b, n));
	unsigned word = e->wide ? 8 : 4;
	ret->name = 0;
	ret->type = (uint32_t)number(&r, e->big, 4);
	(void)reader_take(&r, e->wide ? 4 : 0); /* flags */
	ret->at = number(&r, e->big, word);
	(void)reader_take(&r, 2 * word); /* addresses */
	ret->length = number(&r, e->big, word);
	return 0;
}

static int
add(struct part_ctx *c, uint32_t self, struct view name, const struct elf_range *g)
{
	uint64_t size = part_bytes(c, self)->size;
	if (g->length == 0)
		return 0;
	if (g->at > size || g->length > size - g->at) {
		part_untold(c, self, "a section or segment lies outside it");
		return 0;
	}
	int64_t i = part_region(c, self, PART_SECTION, name, g->at, g->length);
	if (i > 0 && g->at == 0) /* it begins with the file's own magic number */
		part_edit(c, (uint32_t)i)->closed = true;
	return i < 0 ? (int)i : 0;
}

/* The names' bytes, NUL behind them; NULL where there are none that can be read. */
static int
read_names(const struct source *s, const struct elf *e, char **ret, size_t *ret_n)
{
	struct elf_range g;
	*ret = NULL;
	*ret_n = 0;
	if (e->names >= e->shs)
		return 0;
	int err = read_section(s, e, e->names, &g);
	if (err || g.length == 0 || g.length > NAMES_MAX || g.at > s->size || g.length > s->size - g.at)
		return err == FG_EFORMAT ? 0 : err;
	char *p = malloc((size_t)g.length + 1);
	if (!p)
		return FG_ENOMEM;
	err = source_read(s, g.at, p, (size_t)g.length);
	if (err) {
		free(p);
		return err;
	}
	p[g.length] = '\0';
	*ret = p;
	*ret_n = (size_t)g.length;
	return 0;
}

static int
open_sections(struct part_ctx *c, uint32_t self, const struct elf *e)
{
	const struct source *s = part_bytes(c, self);
	char *names;
	size_t names_n;
	struct elf_range g;
	int err = read_names(s, e, &names, &names_n);
	for (unsigned k = 0; k < e->shs && !err; k++) {
		err = read_section(s, e, k, &g);
		if (err || g.type == 0 || g.type == SHT_NOBITS)
			continue;
		const char *name = g.name < names_n && names[g.name] ? names + g.name : "section";
		err = add(c, self, view_str(name), &g);
	}
	free(names);
	return err;
}

static int
open_segments(struct part_ctx *c, uint32_t self, const struct elf *e)
{
	struct elf_range g;
	int err = 0;
	for (unsigned k = 0; k < e->phs && !err; k++) {
		err = read_segment(part_bytes(c, self), e, k, &g);
		/* Without sections all segments count: those of a signed boot image are of other types too. */
		if (!err)
			err = add(c, self, view_str(g.type == PT_LOAD ? "load" : "segment"), &g);
	}
	return err;
}

int
part_elf_open(struct part_ctx *c, uint32_t self)
{
	struct elf e = { 0 };
	uint64_t end;
	int err = read_head(part_bytes(c, self), &e);
	if (!err && (e.shs > SECTIONS_MAX || e.phs > SECTIONS_MAX)) {
		part_limit(c, self, "more sections than are looked at");
		return 0;
	}
	if (!err && e.head_n > 0)
		err = part_header(c, self, "header", 0, e.head_n, &end);
	if (!err)
		err = e.shs > 0 ? open_sections(c, self, &e) : open_segments(c, self, &e);
	if (err == FG_EFORMAT) {
		part_untold(c, self, "its tables are damaged");
		err = 0;
	}
	return err;
}
