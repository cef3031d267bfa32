/* SPDX-License-Identifier: Apache-2.0 */
#include "images/elf_internal.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"

#define DYNAMIC_MAX 4096	     /* entries; usual are 30 */
#define DT_MIPS_SYMTABNO_ 0x70000011 /* how many symbols there are: MIPS says so itself */

/* What PT_DYNAMIC says; addresses, not places in the file. */
struct dynamic {
	uint64_t symtab, strtab, strsz, hash, gnu_hash, count;
	uint64_t soname, runpath, flags, flags_1;
	uint64_t needed[ELF_NEEDED_MAX];
	unsigned needed_n;
	bool bind_now, have_soname, have_runpath;
	uint64_t rel, relsz, rela, relasz, jmprel, pltrelsz, pltrel;
};

/* Where an address lies in the file, and how many bytes of its segment follow; false when in none. */
static bool
place(const struct elf_ctx *c, uint64_t address, uint64_t *ret_at, uint64_t *ret_left)
{
	for (unsigned i = 0; i < c->segments; i++) {
		const struct elf_segment *g = &c->segment[i];
		if (g->type == PT_LOAD && address >= g->address && address - g->address < g->size) {
			*ret_at = g->at + (address - g->address);
			*ret_left = g->size - (address - g->address);
			return true;
		}
	}
	return false;
}

static void
walked(struct elf_ctx *c, uint64_t at, uint64_t size)
{
	if (size == 0 || c->walked_n == ELF_WALKED_MAX)
		return;
	c->walked[c->walked_n].at = at;
	c->walked[c->walked_n++].size = size;
}

static void
entry(struct dynamic *d, uint64_t tag, uint64_t value, struct elf *e)
{
	switch (tag) {
	case DT_NEEDED:
		if (d->needed_n < ELF_NEEDED_MAX)
			d->needed[d->needed_n++] = value;
		else
			e->why = "more libraries than are looked at";
		break;
	case DT_SYMTAB:
		d->symtab = value;
		break;
	case DT_STRTAB:
		d->strtab = value;
		break;
	case DT_STRSZ:
		d->strsz = value;
		break;
	case DT_HASH:
		d->hash = value;
		break;
	case DT_GNU_HASH:
		d->gnu_hash = value;
		break;
	case DT_MIPS_SYMTABNO_:
		if (e->machine == EM_MIPS)
			d->count = value;
		break;
	case DT_SONAME:
		d->soname = value;
		d->have_soname = true;
		break;
	case DT_RPATH:
	case DT_RUNPATH:
		d->runpath = value;
		d->have_runpath = true;
		break;
	case DT_REL:
		d->rel = value;
		break;
	case DT_RELSZ:
		d->relsz = value;
		break;
	case DT_RELA:
		d->rela = value;
		break;
	case DT_RELASZ:
		d->relasz = value;
		break;
	case DT_JMPREL:
		d->jmprel = value;
		break;
	case DT_PLTRELSZ:
		d->pltrelsz = value;
		break;
	case DT_PLTREL:
		d->pltrel = value;
		break;
	case DT_BIND_NOW:
		d->bind_now = true;
		break;
	case DT_FLAGS:
		d->bind_now = d->bind_now || (value & DF_BIND_NOW);
		break;
	case DT_FLAGS_1:
		d->flags_1 = value;
		d->bind_now = d->bind_now || (value & DF_1_NOW);
		break;
	default:
		break;
	}
}

static int
read_dynamic(struct elf_ctx *c, const struct elf_segment *g, struct dynamic *d)
{
	struct elf *e = c->e;
	unsigned w = e->is64 ? 8 : 4;
	e->dynamic = true;
	for (uint64_t i = 0; (i + 1) * 2 * w <= g->size; i++) {
		uint8_t p[16];
		int err = source_read(c->s, g->at + i * 2 * w, p, 2 * w);
		if (err)
			return err;
		uint64_t tag = elf_get(e, p, w);
		if (tag == DT_NULL)
			return 0;
		if (i == DYNAMIC_MAX) {
			e->why = "more entries in its dynamic segment than are looked at";
			return 0;
		}
		entry(d, tag, elf_get(e, p + w, w), e);
	}
	return 0;
}

/* ---- how many symbols there are ---- */

static int
word(const struct elf_ctx *c, uint64_t at, uint64_t *ret)
{
	uint8_t p[4];
	int err = source_read(c->s, at, p, sizeof p);
	*ret = err ? 0 : elf_get(c->e, p, 4);
	return err;
}

/* The last symbol of the GNU hash table: the highest start of a chain, and that chain to its end. */
static int
gnu_count(const struct elf_ctx *c, uint64_t at, uint64_t left, uint64_t *ret)
{
	uint64_t head[4] = { 0 }, top = 0;
	int err = 0;
	for (unsigned i = 0; i < 4 && !err && left >= 16; i++)
		err = word(c, at + 4 * i, &head[i]);
	uint64_t buckets = head[0], base = head[1], bloom = head[2] * (c->e->is64 ? 8 : 4);
	if (err || buckets == 0 || buckets > ELF_SYMBOLS_MAX || bloom > left || 16 + bloom + 4 * buckets > left)
		return err;
	uint64_t chain = 16 + bloom + 4 * buckets;
	for (uint64_t i = 0; i < buckets && !err; i++) {
		uint64_t v;
		err = word(c, at + 16 + bloom + 4 * i, &v);
		top = v > top ? v : top;
	}
	if (err || top < base) /* nothing is exported, and then the base means nothing */
		return err;
	*ret = base; /* those before it are imports, which the table does not hold */
	for (uint64_t i = top; i - base < ELF_SYMBOLS_MAX && chain + 4 * (i - base) + 4 <= left; i++) {
		uint64_t v;
		err = word(c, at + chain + 4 * (i - base), &v);
		if (err || (v & 1)) {
			*ret = i + 1;
			break;
		}
	}
	return err;
}

/* The highest symbol that a table of relocations asks for: the loader looks no further to find imports. */
static int
asked(struct elf_ctx *c, uint64_t address, uint64_t size, bool addend, uint64_t *io)
{
	bool is64 = c->e->is64;
	unsigned w = (is64 ? 8u : 4u) * (addend ? 3 : 2), per = ELF_CHUNK / w;
	uint64_t at, left;
	int err = 0;
	if (!address || !place(c, address, &at, &left))
		return 0;
	uint64_t n = (size < left ? size : left) / w;
	for (uint64_t i = 0; i < n && !err; i++) {
		if (i % per == 0)
			err = source_read(
			    c->s, at + i * w, c->chunk, (size_t)((n - i < per ? n - i : per) * w));
		if (err)
			break;
		uint64_t info = elf_get(c->e, c->chunk + i % per * w + (is64 ? 8 : 4), is64 ? 8 : 4);
		uint64_t symbol = is64 ? info >> 32 : info >> 8;
		if (symbol && symbol + 1 > *io && symbol < ELF_SYMBOLS_MAX)
			*io = symbol + 1;
	}
	if (!err)
		walked(c, at, n * w);
	return err;
}

static int
count(struct elf_ctx *c, struct dynamic *d)
{
	uint64_t at, left, n = d->count;
	int err = 0;
	if (n == 0 && d->hash && place(c, d->hash, &at, &left) && left >= 8)
		err = word(c, at + 4, &n);
	if (!err && n == 0 && d->gnu_hash && place(c, d->gnu_hash, &at, &left))
		err = gnu_count(c, at, left, &n);
	/* Linkers put the strings behind the symbols. */
	if (!err && n == 0 && d->strtab > d->symtab)
		n = (d->strtab - d->symtab) / (c->e->is64 ? 24 : 16);
	if (!err)
		err = asked(c, d->rel, d->relsz, false, &n);
	if (!err)
		err = asked(c, d->rela, d->relasz, true, &n);
	if (!err)
		err = asked(c, d->jmprel, d->pltrelsz, d->pltrel == DT_RELA, &n);
	d->count = n;
	return err;
}

/* ---- names ---- */

static struct view
text(struct view strings, uint64_t at)
{
	if (at >= strings.n)
		return view_of(NULL, 0);
	size_t n = strings.n - (size_t)at < ELF_NAME_MAX ? strings.n - (size_t)at : ELF_NAME_MAX;
	const uint8_t *p = strings.p + at, *end = memchr(p, 0, n);
	return view_of(p, end ? (size_t)(end - p) : n);
}

static int
symbols(struct elf_ctx *c, uint64_t at, uint64_t n, struct view strings)
{
	struct elf *e = c->e;
	unsigned size = e->is64 ? 24 : 16;
	if (n > ELF_SYMBOLS_MAX) {
		e->why = "more symbols than are looked at";
		n = ELF_SYMBOLS_MAX;
	}
	if (at > c->s->size || n > (c->s->size - at) / size) {
		e->why = "its symbol table reaches beyond the file";
		n = at > c->s->size ? 0 : (c->s->size - at) / size;
	}
	uint64_t per = ELF_CHUNK / size;
	int err = 0;
	for (uint64_t i = 0; i < n && !err; i++) {
		uint64_t in = i % per;
		if (in == 0)
			err = source_read(
			    c->s, at + i * size, c->chunk, (size_t)((n - i < per ? n - i : per) * size));
		if (err)
			break;
		const uint8_t *p = c->chunk + in * size;
		struct view name = text(strings, elf_get(e, p, 4));
		uint8_t info = p[e->is64 ? 4 : 12];
		uint64_t section = elf_get(e, p + (e->is64 ? 6 : 14), 2);
		if (name.n == 0 || ELF32_ST_BIND(info) == STB_LOCAL)
			continue;
		if (section == SHN_UNDEF)
			err = elf_names_add(&e->imports, name);
		else if (ELF32_ST_TYPE(info) != STT_SECTION && ELF32_ST_TYPE(info) != STT_FILE)
			err = elf_names_add(&e->exports, name);
	}
	return err;
}

static int
strings(struct elf_ctx *c, uint64_t at, uint64_t n, uint8_t **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	if (at > c->s->size)
		n = 0;
	else if (n > c->s->size - at)
		n = c->s->size - at;
	if (n > ELF_STRINGS_MAX) {
		c->e->why = "a longer table of names than is looked at";
		n = ELF_STRINGS_MAX;
	}
	if (n == 0)
		return 0;
	*ret = malloc((size_t)n);
	if (!*ret)
		return FG_ENOMEM;
	*ret_n = (size_t)n;
	return source_read(c->s, at, *ret, (size_t)n);
}

static void
copy(struct view from, char *dst, size_t cap)
{
	size_t n = from.n < cap - 1 ? from.n : cap - 1;
	if (n)
		memcpy(dst, from.p, n);
	dst[n] = '\0';
}

static int
linked(struct elf_ctx *c, struct dynamic *d)
{
	struct elf *e = c->e;
	uint64_t at = 0, left = 0;
	uint8_t *table = NULL;
	size_t table_n = 0;
	int err = 0;
	if (!d->strtab || !place(c, d->strtab, &at, &left)) {
		e->why = "its dynamic segment names no table of names";
		return 0;
	}
	err = strings(c, at, d->strsz && d->strsz < left ? d->strsz : left, &table, &table_n);
	struct view names = view_of(table, table_n);
	for (unsigned i = 0; i < d->needed_n && !err; i++)
		err = elf_names_add(&e->needed, text(names, d->needed[i]));
	if (d->have_soname)
		copy(text(names, d->soname), e->soname, sizeof e->soname);
	if (d->have_runpath)
		copy(text(names, d->runpath), e->runpath, sizeof e->runpath);
	if (!err)
		err = count(c, d);
	if (!err && d->strsz == table_n) {
		walked(c, at, table_n);
		c->strings_at = at;
	}
	if (!err && d->symtab && place(c, d->symtab, &at, &left)) {
		err = symbols(c, at, d->count, names);
		if (!err && d->count <= left / (e->is64 ? 24 : 16))
			walked(c, at, d->count * (e->is64 ? 24 : 16));
	}
	free(table);
	return err;
}

static int
debuglink(struct elf_ctx *c)
{
	struct elf *e = c->e;
	for (size_t i = 0; i < e->sections; i++) {
		const struct elf_section *s = &e->section[i];
		if (strcmp(s->name, ".gnu_debuglink") != 0 || s->size == 0)
			continue;
		size_t n = s->size < sizeof e->debuglink - 1 ? (size_t)s->size : sizeof e->debuglink - 1;
		return source_read(c->s, s->at, e->debuglink, n);
	}
	return 0;
}

int
elf_symbols(struct elf_ctx *c)
{
	struct elf *e = c->e;
	struct dynamic *d = calloc(1, sizeof *d);
	int err = d ? 0 : FG_ENOMEM;
	for (unsigned i = 0; i < c->segments && !err; i++)
		if (c->segment[i].type == PT_DYNAMIC && !e->dynamic)
			err = read_dynamic(c, &c->segment[i], d);
	if (!err && e->dynamic) {
		err = linked(c, d);
		if (e->relro && d->bind_now)
			e->relro = ELF_RELRO_FULL;
		e->pie = e->type == ET_DYN && ((d->flags_1 & DF_1_PIE) || e->interpreter[0]);
	} else if (!err && c->symbols_size) {
		uint8_t *table;
		size_t n;
		err = strings(c, c->names_at, c->names_size, &table, &n);
		if (!err)
			err = symbols(
			    c, c->symbols_at, c->symbols_size / (e->is64 ? 24 : 16), view_of(table, n));
		free(table);
	}
	elf_names_settle(&e->imports);
	elf_names_settle(&e->exports);
	elf_names_settle(&e->needed);
	free(d);
	return err ? err : debuglink(c);
}
