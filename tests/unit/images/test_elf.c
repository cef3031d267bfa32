/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/elf.h"
#include "unit/images/elf_rig.h"

static const char *const plain[] = { "puts", "__stack_chk_fail", "__printf_chk", NULL };
static const char *const hostile[] = { "puts", "bind", "listen", "accept", "system", NULL };

static struct elf
read_rig(struct rig *r)
{
	struct source s;
	struct elf e;
	rig_build(r);
	source_memory(&s, view_of(r->b, sizeof r->b));
	assert_int_equal(elf_read(&s, &e), 0);
	return e;
}

static void
every_width_and_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct rig r = { .is64 = i & 1, .big = i & 2, .no_sections = i & 4, .relro = true, .now = true, .imports = plain,
			.needed = "libc.so.6", .runpath = "/opt/x", .id = 7 };
		struct elf e = read_rig(&r);
		char what[64];
		assert_null(e.why);
		assert_int_equal(e.is64, r.is64);
		assert_int_equal(e.imports.n, 3);
		assert_true(elf_names_has(&e.imports, "puts"));
		assert_false(elf_names_has(&e.imports, "offered"));
		assert_int_equal(e.exports.n, 1);
		assert_true(elf_names_has(&e.exports, "offered"));
		assert_true(elf_names_has(&e.needed, "libc.so.6"));
		assert_string_equal(e.runpath, "/opt/x");
		assert_true(e.dynamic && e.nx && e.canary && e.fortified == 1);
		assert_int_equal(e.relro, ELF_RELRO_FULL);
		assert_int_equal(e.build_id_n, 20);
		assert_int_equal(e.build_id[19], 7);
		assert_int_equal(e.code, RIG_SECTIONS);
		assert_int_equal(e.loose, 0);
		assert_int_equal(e.sections, r.no_sections ? 1 : 5);
		assert_string_equal(e.debuglink, r.no_sections ? "" : "x.debug");
		assert_int_equal(e.section[0].kind, ELF_KIND_CODE);
		elf_describe(&e, what, sizeof what);
		assert_string_equal(what, r.is64 ? "AArch64 library" : "MIPS library");
		elf_free(&e);
	}
}

/* ---- on the page ---- */

static struct page *
compare(struct rig *old, struct rig *new, bool *ret_folded)
{
	struct page *p = page_new();
	struct elf a = { 0 }, b = read_rig(new);
	if (old)
		a = read_rig(old);
	assert_int_equal(elf_page(old ? &a : NULL, &b, "bin/x", p, ret_folded), 0);
	elf_free(&a);
	elf_free(&b);
	return p;
}

static const struct page_line *
line(const struct page *p, enum finding_id id)
{
	for (size_t i = 0; i < page_count(p); i++)
		if (page_at(p, i)->id == id)
			return page_at(p, i);
	return NULL;
}

static void
metadata_is_folded(void **state)
{
	(void)state;
	bool folded;
	struct rig a = { .is64 = true, .imports = plain, .id = 1 }, b = a;
	b.id = 2; /* build id and debug link */
	struct page *p = compare(&a, &b, &folded);
	assert_true(folded);
	assert_int_equal(page_count(p), 0);
	page_free(p);
	/* One byte of code, of what no section covers, of an unknown section: never. */
	b.code = "codf";
	p = compare(&a, &b, &folded);
	assert_false(folded);
	assert_non_null(line(p, FINDING_CHG_CODE));
	page_free(p);
	b = a;
	b.no_sections = true;
	p = compare(&a, &b, &folded);
	assert_false(folded);
	page_free(p);
}

/* Code may not hide in what is called a build id, nor bytes behind the last table. */
static void
nothing_hides_in_metadata(void **state)
{
	(void)state;
	struct rig a = { .is64 = true, .imports = plain, .id = 1 }, b = a;
	struct source s;
	struct elf x, y;
	bool folded;
	struct page *p = page_new();
	x = read_rig(&a);
	rig_build(&b);
	rig_section(&b, 2, 7, SHT_NOTE, SHF_ALLOC, RIG_CODE, 36); /* the name over the code */
	b.b[RIG_CODE] ^= 1;
	source_memory(&s, view_of(b.b, sizeof b.b));
	assert_int_equal(elf_read(&s, &y), 0);
	assert_int_equal(elf_page(&x, &y, "x", p, &folded), 0);
	assert_false(folded);
	elf_free(&y);
	rig_build(&b);
	rig_section(&b, 5, 44, SHT_PROGBITS, 0, RIG_CODE, 12); /* a debug link that is loaded */
	b.b[RIG_CODE] ^= 1;
	assert_int_equal(elf_read(&s, &y), 0);
	assert_int_equal(elf_page(&x, &y, "x", p, &folded), 0);
	assert_false(folded);
	elf_free(&y);
	rig_build(&b);
	b.b[RIG_SIZE - 5] = 1;
	assert_int_equal(elf_read(&s, &y), 0);
	assert_int_equal(y.loose, 1);
	assert_int_equal(elf_page(&x, &y, "x", p, &folded), 0);
	assert_false(folded);
	elf_free(&y);
	elf_free(&x);
	page_free(p);
}

/* As linkers that keep code apart make it: what can be run starts at RIG_CODE. */
static void
part_from_code(struct rig *r)
{
	rig_build(r);
	rig_segment(r, 0, PT_LOAD, PF_R, 0, 0xe00);
	rig_segment(r, 4, PT_LOAD, PF_R | PF_X, RIG_CODE, 0x100);
}

static bool
told(const struct rig *r, size_t i, enum elf_kind kind)
{
	struct source s;
	struct elf e;
	source_memory(&s, view_of(r->b, sizeof r->b));
	assert_int_equal(elf_read(&s, &e), 0);
	assert_null(e.why);
	assert_true(i < e.sections);
	assert_int_equal(e.section[i].kind, kind);
	bool ret = e.section[i].told;
	elf_free(&e);
	return ret;
}

static void
told_is_what_was_walked(void **state)
{
	(void)state;
	struct rig r = { .is64 = true, .imports = plain };
	uint64_t symbols = 5 * 24;
	part_from_code(&r);
	assert_false(told(&r, 0, ELF_KIND_CODE));
	assert_true(told(&r, 1, ELF_KIND_META));
	assert_true(told(&r, 2, ELF_KIND_NAMES));
	/* A symbol more than are walked, or another place. */
	rig_section(&r, 3, 26, SHT_DYNSYM, SHF_ALLOC, RIG_SYMBOLS, symbols + 24);
	assert_false(told(&r, 2, ELF_KIND_NAMES));
	rig_section(&r, 3, 26, SHT_DYNSYM, SHF_ALLOC, RIG_SYMBOLS + 24, symbols);
	assert_false(told(&r, 2, ELF_KIND_NAMES));
	/* Names: those that symbols have, and no more room than those take. */
	rig_section(&r, 3, 26, SHT_STRTAB, SHF_ALLOC, RIG_STRINGS, r.strings_n);
	assert_false(told(&r, 2, ELF_KIND_OTHER));
	/* Code under another type, with its flag or without. */
	static const uint32_t types[] = { SHT_HASH, SHT_REL, SHT_DYNSYM };
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		part_from_code(&r);
		rig_section(&r, 1, 0, types[i], SHF_ALLOC, RIG_CODE, 0x100);
		assert_false(told(&r, 0, ELF_KIND_CODE));
	}
	/* Metadata is a note, and no page of code. */
	part_from_code(&r);
	assert_false(told(&r, 4, ELF_KIND_META));
	rig_section(&r, 5, 44, SHT_PROGBITS, 0, 0xe00, 12);
	assert_true(told(&r, 4, ELF_KIND_META));
	rig_section(&r, 5, 44, SHT_PROGBITS, 0, 0xe00, 129);
	assert_false(told(&r, 4, ELF_KIND_META));
	rig_section(&r, 5, 44, SHT_PROGBITS, 0, 0xe00, 12);
	rig_section(&r, 3, 26, SHT_PROGBITS, 0, 0xe08, 12);
	assert_false(told(&r, 4, ELF_KIND_META)); /* two claim it */
	/* No section of its own kind makes debug data told. */
	part_from_code(&r);
	memcpy(r.b + RIG_SECTIONS + 44, ".debug_info", 12);
	rig_section(&r, 5, 44, SHT_PROGBITS, 0, 0xe00, 0x100);
	rig_section(&r, 4, 34, SHT_STRTAB, 0, RIG_SECTIONS, 59);
	assert_false(told(&r, 4, ELF_KIND_META));
}

static void
new_abilities_are_red(void **state)
{
	(void)state;
	bool folded;
	struct rig a = { .is64 = true, .imports = plain, .relro = true, .now = true }, b = { .is64 = true, .imports = hostile, .program = true,
		.exec_stack = true, .runpath = "/tmp" };
	struct page *p = compare(&a, &b, &folded);
	const struct page_line *l = line(p, FINDING_CHG_LISTENER);
	assert_true(l && l->block == PAGE_RED && l->sign == PAGE_CHANGED);
	assert_string_equal(l->text, "now takes connections (bind, listen, accept)");
	assert_string_equal(l->path, "bin/x");
	assert_string_equal(line(p, FINDING_CHG_EXEC)->text, "now starts other programs (system)");
	l = line(p, FINDING_CHG_HARDENING_LOST);
	assert_string_equal(l->text, "lost RELRO, a stack that nothing runs from, stack protector, checked string functions");
	l = line(p, FINDING_CHG_CODE);
	assert_non_null(strstr(l->text, "imports +4 -2"));
	assert_non_null(strstr(l->evidence, "runpath /tmp"));
	assert_non_null(strstr(l->evidence, "+system"));
	page_free(p);
	/* It could before: no red line, whatever else changed. */
	a = b;
	a.code = "old";
	p = compare(&a, &b, &folded);
	assert_int_equal(page_count(p), 1);
	assert_int_equal(page_at(p, 0)->block, PAGE_CODE);
	page_free(p);
	p = compare(NULL, &b, &folded);
	l = line(p, FINDING_CHG_LISTENER);
	assert_true(l && l->sign == PAGE_ADDED && strcmp(l->text, "added: takes connections (bind, listen, accept)") == 0);
	assert_null(line(p, FINDING_CHG_HARDENING_LOST));
	page_free(p);
}

/* A hash table that counts short hides no import: relocations ask for it, and then it is there. */
static void
imports_are_what_relocations_ask_for(void **state)
{
	(void)state;
	struct rig r = { .is64 = true, .imports = hostile };
	struct source s;
	struct elf e;
	rig_build(&r);
	rig_put(&r, RIG_HASH + 4, 2, 4);
	source_memory(&s, view_of(r.b, sizeof r.b));
	assert_int_equal(elf_read(&s, &e), 0);
	assert_false(elf_names_has(&e.imports, "system"));
	elf_free(&e);
	/* The tag of DT_HASH's row becomes another, and behind it a table of one relocation. */
	uint64_t at = RIG_DYNAMIC + 4 * 16;
	at = rig_row(&r, at, "aaaaaa", (uint64_t[]){ DT_JMPREL, 0xe00, DT_PLTRELSZ, 24, DT_PLTREL, DT_RELA });
	rig_row(&r, at, "aa", (uint64_t[]){ DT_NULL, 0 });
	rig_segment(&r, 1, PT_DYNAMIC, PF_R, RIG_DYNAMIC, 0x100);
	rig_row(&r, 0xe00, "888", (uint64_t[]){ RIG_CODE, UINT64_C(5) << 32 | 7, 0 });
	assert_int_equal(elf_read(&s, &e), 0);
	assert_true(elf_names_has(&e.imports, "system"));
	elf_free(&e);
}

/* Every byte of the headers and tables at every one of a few values: no fault, and an answer. */
static void
damaged_files(void **state)
{
	(void)state;
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	for (unsigned kind = 0; kind < 4; kind++) {
		struct rig r = { .is64 = kind & 1, .big = kind & 2, .imports = plain, .needed = "x" };
		struct source s;
		struct elf e;
		rig_build(&r);
		source_memory(&s, view_of(r.b, sizeof r.b));
		for (size_t at = 0; at < 0xe00; at += at >= 0x200 && at < RIG_DYNAMIC ? 37 : 1) {
			uint8_t was = r.b[at];
			for (unsigned v = 0; v < sizeof values; v++) {
				r.b[at] = values[v];
				int err = elf_read(&s, &e);
				assert_true(err == 0 || err == FG_EFORMAT);
				elf_free(&e);
			}
			r.b[at] = was;
		}
		for (size_t n = 0; n < RIG_SIZE; n += 61) { /* cut */
			source_memory(&s, view_of(r.b, n));
			int err = elf_read(&s, &e);
			assert_true(err == 0 || err == FG_EFORMAT);
			elf_free(&e);
		}
	}
}

static void
programs_of_this_machine(void **state)
{
	(void)state;
	static const char *const paths[] = { "/bin/sh", "/bin/ls" };
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		FILE *f = fopen(paths[i], "rb");
		struct source s;
		struct elf e;
		if (!f)
			continue;
		assert_int_equal(source_open(&s, fileno(f)), 0);
		assert_int_equal(elf_read(&s, &e), 0);
		assert_null(e.why);
		assert_true(e.dynamic && e.imports.n > 20 && e.needed.n > 0 && e.nx && e.canary && e.relro && e.code > 0);
		assert_true(elf_names_has(&e.imports, "malloc") || elf_names_has(&e.imports, "__libc_start_main"));
		elf_free(&e);
		fclose(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_width_and_order),
		cmocka_unit_test(metadata_is_folded),
		cmocka_unit_test(nothing_hides_in_metadata),
		cmocka_unit_test(told_is_what_was_walked),
		cmocka_unit_test(new_abilities_are_red),
		cmocka_unit_test(imports_are_what_relocations_ask_for),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(programs_of_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
