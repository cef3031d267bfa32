/* SPDX-License-Identifier: Apache-2.0 */
#include "images/elf.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/elf_internal.h"

/* ---- fields of either width and order ---- */

uint64_t
elf_get(const struct elf *e, const uint8_t *p, unsigned n)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | p[e->big ? i : n - 1 - i];
	return v;
}

static bool
lies_in(uint64_t at, uint64_t n, uint64_t size)
{
	return at <= size && n <= size - at;
}

/* ---- names ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts, and leaves each name once. */
void
elf_names_settle(struct elf_names *l)
{
	size_t n = 0;
	if (l->n == 0)
		return;
	qsort(l->name, l->n, sizeof l->name[0], by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (n && strcmp(l->name[n - 1], l->name[i]) == 0)
			free(l->name[i]);
		else
			l->name[n++] = l->name[i];
	}
	l->n = n;
}

int
elf_names_add(struct elf_names *l, struct view name)
{
	/* Room for a power of two at a time. */
	if ((l->n & (l->n - 1)) == 0) {
		char **more = realloc(l->name, (l->n ? l->n * 2 : 1) * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		l->name = more;
	}
	size_t n = name.n < ELF_NAME_MAX ? name.n : ELF_NAME_MAX;
	char *copy = malloc(n + 1);
	if (!copy)
		return FG_ENOMEM;
	if (n)
		memcpy(copy, name.p, n);
	copy[n] = '\0';
	l->name[l->n++] = copy;
	return 0;
}

bool
elf_names_has(const struct elf_names *l, const char *name)
{
	return l->n && bsearch(&name, l->name, l->n, sizeof l->name[0], by_name) != NULL;
}

static void
names_free(struct elf_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
}

void
elf_free(struct elf *e)
{
	if (!e)
		return;
	names_free(&e->imports);
	names_free(&e->exports);
	names_free(&e->needed);
	free(e->section);
	*e = (struct elf){ 0 };
}

/* ---- headers ---- */

static int
header(struct elf_ctx *c)
{
	struct elf *e = c->e;
	uint8_t h[64] = { 0 };
	long n = source_read_some(c->s, 0, h, sizeof h);
	if (n < 0)
		return (int)n;
	if (n < 52 || memcmp(h, ELFMAG, SELFMAG) != 0 ||
	    (h[EI_CLASS] != ELFCLASS32 && h[EI_CLASS] != ELFCLASS64) ||
	    (h[EI_DATA] != ELFDATA2LSB && h[EI_DATA] != ELFDATA2MSB) || (h[EI_CLASS] == ELFCLASS64 && n < 64))
		return FG_EFORMAT;
	e->is64 = h[EI_CLASS] == ELFCLASS64;
	e->big = h[EI_DATA] == ELFDATA2MSB;
	unsigned w = e->is64 ? 8 : 4;
	e->type = (uint16_t)elf_get(e, h + 16, 2);
	e->machine = (uint16_t)elf_get(e, h + 18, 2);
	e->entry = elf_get(e, h + 24, w);
	c->ph_at = elf_get(e, h + 24 + w, w);
	c->sh_at = elf_get(e, h + 24 + 2 * w, w);
	const uint8_t *rest = h + 24 + 3 * w;
	e->flags = (uint32_t)elf_get(e, rest, 4);
	c->eh_size = e->is64 ? 64 : 52;
	c->ph_size = (unsigned)elf_get(e, rest + 6, 2);
	c->ph_n = (unsigned)elf_get(e, rest + 8, 2);
	c->sh_size = (unsigned)elf_get(e, rest + 10, 2);
	c->sh_n = (unsigned)elf_get(e, rest + 12, 2);
	c->sh_names = (unsigned)elf_get(e, rest + 14, 2);
	return 0;
}

static int
segments(struct elf_ctx *c)
{
	struct elf *e = c->e;
	unsigned want = e->is64 ? 56 : 32;
	if (c->ph_n == 0)
		return 0;
	if (c->ph_size != want || c->ph_n > ELF_SEGMENTS_MAX ||
	    !lies_in(c->ph_at, (uint64_t)c->ph_n * want, c->s->size)) {
		e->why = c->ph_n > ELF_SEGMENTS_MAX ? "more segments than are looked at"
						    : "its segment table is damaged";
		return 0;
	}
	for (unsigned i = 0; i < c->ph_n; i++) {
		struct elf_segment *g = &c->segment[i];
		uint8_t p[56];
		int err = source_read(c->s, c->ph_at + (uint64_t)i * want, p, want);
		if (err)
			return err;
		g->type = (uint32_t)elf_get(e, p, 4);
		if (e->is64) {
			g->flags = (uint32_t)elf_get(e, p + 4, 4);
			g->at = elf_get(e, p + 8, 8);
			g->address = elf_get(e, p + 16, 8);
			g->size = elf_get(e, p + 32, 8);
		} else {
			g->flags = (uint32_t)elf_get(e, p + 24, 4);
			g->at = elf_get(e, p + 4, 4);
			g->address = elf_get(e, p + 8, 4);
			g->size = elf_get(e, p + 16, 4);
		}
		if (!lies_in(g->at, g->size, c->s->size)) {
			if (g->size)
				e->why = "a segment reaches beyond the file";
			g->at = g->at < c->s->size ? g->at : c->s->size;
			g->size = g->size ? c->s->size - g->at : 0;
		}
		c->segments = i + 1;
	}
	return 0;
}

/* ---- hardening, interpreter, build id: from segments ---- */

static int
text_at(const struct elf_ctx *c, uint64_t at, uint64_t size, char *dst, size_t cap)
{
	size_t n = size < cap - 1 ? (size_t)size : cap - 1;
	int err = n ? source_read(c->s, at, dst, n) : 0;
	dst[err ? 0 : n] = '\0';
	return err;
}

/* One note "GNU", type 3: its bytes are the build id. Others are passed by. */
static int
notes(struct elf_ctx *c, const struct elf_segment *g)
{
	uint8_t h[16];
	for (uint64_t at = 0; g->size >= 16 && at <= g->size - 16;) {
		int err = source_read(c->s, g->at + at, h, sizeof h);
		if (err)
			return err;
		uint64_t name = elf_get(c->e, h, 4), desc = elf_get(c->e, h + 4, 4),
			 type = elf_get(c->e, h + 8, 4);
		uint64_t body = at + 12 + ((name + 3) & ~(uint64_t)3);
		if (body > g->size || desc > g->size - body)
			return 0;
		if (name == 4 && memcmp(h + 12, "GNU", 4) == 0 && type == NT_GNU_BUILD_ID && desc > 0 &&
		    desc <= ELF_ID_MAX && c->e->build_id_n == 0) {
			c->id_at = g->at + body;
			c->e->build_id_n = (size_t)desc;
			return source_read(c->s, c->id_at, c->e->build_id, (size_t)desc);
		}
		at = body + ((desc + 3) & ~(uint64_t)3);
	}
	return 0;
}

static int
marks(struct elf_ctx *c)
{
	struct elf *e = c->e;
	int err = 0;
	for (unsigned i = 0; i < c->segments && !err; i++) {
		const struct elf_segment *g = &c->segment[i];
		if (g->type == PT_GNU_STACK)
			e->nx = !(g->flags & PF_X);
		else if (g->type == PT_GNU_RELRO)
			e->relro = ELF_RELRO_PARTIAL;
		else if (g->type == PT_INTERP)
			err = text_at(c, g->at, g->size, e->interpreter, sizeof e->interpreter);
		else if (g->type == PT_NOTE)
			err = notes(c, g);
		else if (g->type == PT_LOAD && (g->flags & PF_X))
			e->code += g->size;
	}
	return err;
}

/* ---- what is loaded ---- */

/* Digest of a range, with the build id's bytes as zeros. */
static int
digest_range(const struct elf_ctx *c, struct digest *d, uint64_t at, uint64_t size)
{
	int err = 0;
	while (size && !err) {
		size_t n = size < ELF_CHUNK ? (size_t)size : ELF_CHUNK;
		err = source_read(c->s, at, c->chunk, n);
		for (size_t i = 0; !err && i < c->e->build_id_n; i++)
			if (c->id_at + i >= at && c->id_at + i < at + n)
				c->chunk[c->id_at + i - at] = 0;
		if (!err)
			err = digest_update(d, view_of(c->chunk, n));
		at += n;
		size -= n;
	}
	return err;
}

bool
elf_may_digest(struct elf_ctx *c, uint64_t size)
{
	if (size > c->budget) {
		c->e->why = "its sections or segments overlap";
		return false;
	}
	c->budget -= size;
	return true;
}

int
elf_digest(struct elf_ctx *c, uint64_t at, uint64_t size, uint8_t ret[DIGEST_SHA256_LEN])
{
	memset(ret, 0, DIGEST_SHA256_LEN);
	if (!elf_may_digest(c, size))
		return 0;
	struct digest *d = digest_new(DIGEST_SHA256);
	int err = d ? 0 : FG_ENOMEM;
	while (size && !err) {
		size_t n = size < ELF_CHUNK ? (size_t)size : ELF_CHUNK;
		err = source_read(c->s, at, c->chunk, n);
		if (!err)
			err = digest_update(d, view_of(c->chunk, n));
		at += n;
		size -= n;
	}
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	return err;
}

static int
loaded(struct elf_ctx *c)
{
	struct elf *e = c->e;
	struct digest *d = digest_new(DIGEST_SHA256);
	uint64_t head[] = { e->type, e->machine, e->flags, e->entry, e->is64, e->big, c->segments, c->id_at,
		e->build_id_n };
	int err = d ? digest_update(d, view_of(head, sizeof head)) : FG_ENOMEM;
	for (unsigned i = 0; i < c->segments && !err; i++) {
		const struct elf_segment *g = &c->segment[i];
		uint64_t facts[5] = { g->type, g->flags, g->at, g->address, g->size };
		err = digest_update(d, view_of(facts, sizeof facts));
		if (!err && g->type == PT_LOAD) {
			/* The file's own header is in the first one; it says where the sections lie, which no loader asks. */
			uint64_t skip = g->at < c->eh_size ? c->eh_size - g->at : 0;
			skip = skip < g->size ? skip : g->size;
			if (elf_may_digest(c, g->size))
				err = digest_range(c, d, g->at + skip, g->size - skip);
		}
	}
	/* A relocatable file has sections instead; their data, addresses and relocations. */
	for (size_t i = 0; i < e->sections && !err && c->segments == 0; i++) {
		const struct elf_section *s = &e->section[i];
		uint64_t facts[3] = { s->type, s->flags, s->size };
		if (s->kind == ELF_KIND_META)
			continue;
		err = digest_update(d, view_str(s->name));
		if (!err)
			err = digest_update(d, view_of(facts, sizeof facts));
		if (!err && elf_may_digest(c, s->size))
			err = digest_range(c, d, s->at, s->size);
	}
	if (!err)
		err = digest_final(d, e->loaded_sha256);
	digest_free(d);
	return err;
}

/* ---- what belongs to nothing ---- */

struct range {
	uint64_t from, to;
};

static int
by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return (x->from > y->from) - (x->from < y->from);
}

static int
count_loose(const struct elf_ctx *c, struct digest *d, uint64_t from, uint64_t to)
{
	int err = 0;
	while (from < to && !err) {
		size_t n = to - from < ELF_CHUNK ? (size_t)(to - from) : ELF_CHUNK, kept = 0;
		err = source_read(c->s, from, c->chunk, n);
		for (size_t i = 0; i < n && !err; i++)
			if (c->chunk[i])
				c->chunk[kept++] = c->chunk[i];
		c->e->loose += kept;
		if (!err && kept)
			err = digest_update(d, view_of(c->chunk, kept));
		from += n;
	}
	return err;
}

static int
loose(struct elf_ctx *c)
{
	struct elf *e = c->e;
	size_t n = 0, cap = 3 + c->segments + e->sections;
	struct range *r = calloc(cap, sizeof *r);
	struct digest *d = digest_new(DIGEST_SHA256);
	uint64_t size = c->s->size, at = 0;
	int err = r && d ? 0 : FG_ENOMEM;
	if (!err) {
		r[n++] = (struct range){ 0, c->eh_size };
		if (c->segments)
			r[n++] = (struct range){ c->ph_at, c->ph_at + (uint64_t)c->ph_n * c->ph_size };
		if (c->sh_valid)
			r[n++] = (struct range){ c->sh_at, c->sh_at + (uint64_t)c->sh_count * c->sh_size };
		for (unsigned i = 0; i < c->segments; i++)
			if (c->segment[i].type == PT_LOAD)
				r[n++] = (struct range){ c->segment[i].at,
					c->segment[i].at + c->segment[i].size };
		for (size_t i = 0; i < e->sections; i++)
			r[n++] = (struct range){ e->section[i].at, e->section[i].at + e->section[i].size };
		qsort(r, n, sizeof *r, by_start);
	}
	for (size_t i = 0; i < n && !err; i++) {
		if (r[i].from > at)
			err = count_loose(c, d, at, r[i].from < size ? r[i].from : size);
		at = r[i].to > at ? r[i].to : at;
	}
	if (!err && at < size)
		err = count_loose(c, d, at, size);
	if (!err)
		err = digest_final(d, e->loose_sha256);
	digest_free(d);
	free(r);
	return err;
}

static void
protections(struct elf *e)
{
	static const char *const guards[] = { "__stack_chk_fail", "__stack_chk_guard", "__stack_smash_handler",
		"__stack_chk_fail_local" };
	for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++)
		e->canary = e->canary || elf_names_has(&e->imports, guards[i]);
	for (size_t i = 0; i < e->imports.n; i++) {
		const char *name = e->imports.name[i];
		size_t n = strlen(name);
		e->fortified += n > 6 && strncmp(name, "__", 2) == 0 && strcmp(name + n - 4, "_chk") == 0;
	}
}

int
elf_read(const struct source *s, struct elf *ret)
{
	*ret = (struct elf){ 0 };
	struct elf_ctx *c = calloc(1, sizeof *c);
	if (!c)
		return FG_ENOMEM;
	c->s = s;
	c->e = ret;
	c->budget = 3 * s->size; /* sections, segments, and once more for what they share */
	c->chunk = malloc(ELF_CHUNK);
	int err = c->chunk ? header(c) : FG_ENOMEM;
	if (!err)
		err = segments(c);
	if (!err)
		err = marks(c);
	if (!err)
		err = elf_sections(c);
	if (!err)
		err = elf_symbols(c);
	if (!err)
		elf_tell(c);
	if (!err)
		err = loaded(c);
	if (!err)
		err = loose(c);
	if (!err)
		protections(ret);
	free(c->chunk);
	free(c);
	if (err)
		elf_free(ret);
	return err;
}

void
elf_describe(const struct elf *e, char *dst, size_t cap)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} machines[] = { { EM_386, "x86" }, { EM_MIPS, "MIPS" }, { EM_PPC, "PowerPC" }, { EM_ARM, "ARM" },
		{ EM_SH, "SuperH" }, { EM_XTENSA, "Xtensa" }, { EM_X86_64, "x86-64" },
		{ EM_AARCH64, "AArch64" }, { EM_RISCV, "RISC-V" }, { EM_QDSP6, "Hexagon" }, { EM_ARC, "ARC" },
		{ EM_ARC_COMPACT, "ARC" }, { EM_ARCV2, "ARC" } };
	const char *machine = NULL;
	for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
		if (machines[i].machine == e->machine)
			machine = machines[i].name;
	const char *type = e->type == ET_EXEC		 ? "program"
			   : e->type == ET_REL		 ? "module"
			   : e->type == ET_DYN && e->pie ? "program (PIE)"
			   : e->type == ET_DYN		 ? "library"
							 : "ELF file";
	if (machine)
		snprintf(dst, cap, "%s %s", machine, type);
	else
		snprintf(dst, cap, "%s for machine %u", type, e->machine);
}
