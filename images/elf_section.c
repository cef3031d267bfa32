/* SPDX-License-Identifier: Apache-2.0 */
#include "images/elf_internal.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"

#define PAGE 4096 /* loaders map whole ones: what shares a page with code can be run */
#define NAMES_SLACK 1024 /* bytes of a table of names that are none of its own: versions, the first NUL */
#define LINK_MAX 128 /* bytes of a debug link: a file's name and a checksum */
#define NAMES_MAX (1u << 20) /* bytes of the table of section names */

struct raw {
	uint32_t name, type;
	uint64_t flags, address, at, size;
};

static int
raw(const struct elf_ctx *c, uint64_t i, struct raw *ret)
{
	uint8_t p[64];
	const struct elf *e = c->e;
	unsigned w = e->is64 ? 8 : 4;
	int err = source_read(c->s, c->sh_at + i * c->sh_size, p, c->sh_size);
	if (err)
		return err;
	*ret = (struct raw){ .name = (uint32_t)elf_get(e, p, 4),
		.type = (uint32_t)elf_get(e, p + 4, 4),
		.flags = elf_get(e, p + 8, w),
		.address = elf_get(e, p + 8 + w, w),
		.at = elf_get(e, p + 8 + 2 * w, w),
		.size = elf_get(e, p + 8 + 3 * w, w) };
	return 0;
}

/* Only what no loader asks for may be called meta: known by name, and in no loaded segment. */
static bool
is_loaded(const struct elf_ctx *c, const struct elf_section *s)
{
	for (unsigned i = 0; i < c->segments; i++) {
		const struct elf_segment *g = &c->segment[i];
		if (g->type == PT_LOAD && s->size && s->at < g->at + g->size && s->at + s->size > g->at)
			return true;
	}
	return (s->flags & SHF_ALLOC) != 0;
}

static bool
is_executable(const struct elf_ctx *c, const struct elf_section *s)
{
	for (unsigned i = 0; i < c->segments; i++) {
		const struct elf_segment *g = &c->segment[i];
		uint64_t from = g->at & ~(uint64_t)(PAGE - 1), to = (g->at + g->size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
		if (g->type == PT_LOAD && (g->flags & PF_X) && g->size && s->at < to && s->at + s->size > from)
			return true;
	}
	return (s->flags & SHF_EXECINSTR) != 0;
}

static bool
begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static enum elf_kind
kind(const struct elf_ctx *c, const struct elf_section *s)
{
	static const char *const meta[] = { ".gnu_debuglink", ".gnu_debugdata", ".gnu_debugaltlink", ".comment",
		".symtab", ".strtab", ".shstrtab", ".note.GNU-stack", ".note.stapsdt",
		".gnu.build.attributes" };
	static const uint32_t names[] = { SHT_DYNSYM, SHT_DYNAMIC, SHT_HASH, SHT_GNU_HASH, SHT_GNU_versym,
		SHT_GNU_verdef, SHT_GNU_verneed, SHT_REL, SHT_RELA };
	bool loaded = is_loaded(c, s);
	if (strcmp(s->name, ".note.gnu.build-id") == 0)
		return s->size <= 16 + ELF_ID_MAX ? ELF_KIND_META : ELF_KIND_OTHER;
	for (size_t i = 0; i < sizeof meta / sizeof meta[0] && !loaded; i++)
		if (strcmp(s->name, meta[i]) == 0 &&
		    !(c->segments == 0 && (strcmp(s->name, ".symtab") == 0 || strcmp(s->name, ".strtab") == 0)))
			return ELF_KIND_META;
	if (!loaded && (begins(s->name, ".debug_") || begins(s->name, ".zdebug_")))
		return ELF_KIND_META;
	/* What is mapped to be run is code, whatever it is called. */
	if (is_executable(c, s))
		return ELF_KIND_CODE;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (s->type == names[i])
			return ELF_KIND_NAMES;
	return strcmp(s->name, ".dynstr") == 0 ? ELF_KIND_NAMES : ELF_KIND_OTHER;
}

/* Without a section table the segments take its place. */
static int
from_segments(struct elf_ctx *c)
{
	struct elf *e = c->e;
	e->section = calloc(c->segments ? c->segments : 1, sizeof e->section[0]);
	if (!e->section)
		return FG_ENOMEM;
	for (unsigned i = 0; i < c->segments; i++) {
		const struct elf_segment *g = &c->segment[i];
		struct elf_section *s = &e->section[e->sections];
		if (g->type != PT_LOAD)
			continue;
		*s = (struct elf_section){ .kind = g->flags & PF_X ? ELF_KIND_CODE : ELF_KIND_OTHER,
			.address = g->address,
			.at = g->at,
			.size = g->size };
		snprintf(s->name, sizeof s->name, "segment %zu (%s%s%s)", e->sections + 1,
		    g->flags & PF_R ? "r" : "-", g->flags & PF_W ? "w" : "-", g->flags & PF_X ? "x" : "-");
		int err = elf_digest(c, s->at, s->size, s->sha256);
		if (err)
			return err;
		e->sections++;
	}
	return 0;
}

/* The table of names, or nothing where there is none. */
static int
section_names(const struct elf_ctx *c, uint64_t index, uint8_t **ret, size_t *ret_n)
{
	struct raw r;
	*ret = NULL;
	*ret_n = 0;
	if (index == 0 || index >= c->sh_count)
		return 0;
	int err = raw(c, index, &r);
	if (err || r.type != SHT_STRTAB || r.size == 0 || r.size > NAMES_MAX || r.at > c->s->size ||
	    r.size > c->s->size - r.at)
		return err;
	*ret = malloc((size_t)r.size);
	if (!*ret)
		return FG_ENOMEM;
	*ret_n = (size_t)r.size;
	return source_read(c->s, r.at, *ret, *ret_n);
}

static int
one(struct elf_ctx *c, uint64_t i, struct view names)
{
	struct elf *e = c->e;
	struct elf_section *s = &e->section[e->sections];
	struct raw r;
	int err = raw(c, i, &r);
	if (err || r.type == SHT_NULL)
		return err;
	*s = (struct elf_section){
		.type = r.type, .flags = r.flags, .address = r.address, .at = r.at, .size = r.size
	};
	if (r.name < names.n) {
		const uint8_t *end = memchr(names.p + r.name, 0, names.n - r.name);
		size_t n = end ? (size_t)(end - (names.p + r.name)) : names.n - r.name;
		visible_cstr(view_of(names.p + r.name, n), s->name, sizeof s->name);
	}
	if (r.type == SHT_NOBITS)
		s->at = s->size = 0;
	if (s->size && (s->at > c->s->size || s->size > c->s->size - s->at)) {
		e->why = "a section reaches beyond the file";
		s->at = s->size = 0;
	}
	if (s->size == 0) /* where nothing lies, nowhere is as good */
		s->at = 0;
	s->kind = kind(c, s);
	if (r.type == SHT_SYMTAB && c->segments == 0) {
		struct raw link;
		uint8_t p[4];
		/* sh_link follows sh_size; in both widths at 2 words and 4 addresses. */
		err = source_read(c->s, c->sh_at + i * c->sh_size + (e->is64 ? 40 : 24), p, sizeof p);
		uint64_t to = err ? 0 : elf_get(e, p, 4);
		if (!err && to < c->sh_count)
			err = raw(c, to, &link);
		if (!err && to < c->sh_count && link.type == SHT_STRTAB) {
			c->symbols_at = s->at;
			c->symbols_size = s->size;
			c->names_at = link.at;
			c->names_size = link.size;
		}
	}
	if (!err)
		err = elf_digest(c, s->at, s->size, s->sha256);
	if (!err && c->segments == 0 && s->kind == ELF_KIND_CODE)
		e->code += s->size;
	e->sections += !err;
	return err;
}

/* ---- what is told ---- */

/* Bytes that another section claims too may be what that one says. */
static bool
is_shared(const struct elf *e, const struct elf_section *s)
{
	for (size_t i = 0; i < e->sections; i++) {
		const struct elf_section *o = &e->section[i];
		if (o != s && o->size && o->at < s->at + s->size && o->at + o->size > s->at)
			return true;
	}
	return false;
}

/* One of each name: two thousand sections of some bytes are not a note. */
static bool
is_first(const struct elf *e, const struct elf_section *s)
{
	for (const struct elf_section *o = e->section; o < s; o++)
		if (strcmp(o->name, s->name) == 0)
			return false;
	return true;
}

static bool
is_note(const struct elf *e, const struct elf_section *s)
{
	static const struct {
		const char *name;
		uint64_t max;
	} notes[] = { { ".note.gnu.build-id", 16 + ELF_ID_MAX }, { ".gnu_debuglink", LINK_MAX },
		{ ".comment", ELF_COMMENT_MAX } };
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
		if (strcmp(s->name, notes[i].name) == 0)
			return s->size <= notes[i].max && is_first(e, s);
	return false;
}

/* A table of names that holds more than the names that are told of it has room for anything. */
static bool
is_names_only(const struct elf *e, uint64_t size)
{
	const struct elf_names *const lists[] = { &e->imports, &e->exports, &e->needed };
	uint64_t named = NAMES_SLACK + strlen(e->soname) + strlen(e->runpath);
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			named += strlen(lists[k]->name[i]) + 1;
	return size <= named;
}

static bool
is_walked(const struct elf_ctx *c, const struct elf_section *s)
{
	for (unsigned i = 0; i < c->walked_n; i++)
		if (c->walked[i].at == s->at && c->walked[i].size == s->size)
			return s->at != c->strings_at || is_names_only(c->e, s->size);
	return false;
}

void
elf_tell(const struct elf_ctx *c)
{
	struct elf *e = c->e;
	for (size_t i = 0; i < e->sections; i++) {
		struct elf_section *s = &e->section[i];
		bool known = s->kind == ELF_KIND_META ? is_note(e, s) : s->kind == ELF_KIND_NAMES && is_walked(c, s);
		s->told = known && s->size && !is_executable(c, s) && !is_shared(e, s);
	}
}

int
elf_sections(struct elf_ctx *c)
{
	struct elf *e = c->e;
	struct raw first;
	uint8_t *names = NULL;
	size_t names_n = 0;
	int err = 0;
	if (c->sh_at == 0 || c->sh_size != (e->is64 ? 64u : 40u) || c->sh_at > c->s->size ||
	    c->s->size - c->sh_at < c->sh_size)
		return from_segments(c);
	err = raw(c, 0, &first);
	if (err)
		return err;
	/* Where a number does not fit into the header, section 0 holds it. */
	c->sh_count = c->sh_n ? c->sh_n : first.size;
	if (c->sh_count == 0)
		return from_segments(c);
	if (c->sh_count > (c->s->size - c->sh_at) / c->sh_size) {
		e->why = "its section table reaches beyond the file";
		return from_segments(c);
	}
	if (c->sh_count > ELF_SECTIONS_MAX) {
		e->why = "more sections than are looked at";
		return from_segments(c);
	}
	c->sh_valid = true;
	e->section = calloc((size_t)c->sh_count, sizeof e->section[0]);
	err = e->section ? section_names(c, c->sh_names, &names, &names_n) : FG_ENOMEM;
	for (uint64_t i = 1; i < c->sh_count && !err; i++)
		err = one(c, i, view_of(names, names_n));
	free(names);
	return err;
}
