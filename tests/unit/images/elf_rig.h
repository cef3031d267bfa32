/* SPDX-License-Identifier: Apache-2.0 */
/* elf_rig - ELF files of either width and order, as small as they can be and still say everything that elf.c reads. */
#ifndef FG_TESTS_ELF_RIG_H
#define FG_TESTS_ELF_RIG_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RIG_SIZE 0x2000
#define RIG_CODE 0x1000
#define RIG_SECTIONS 0x1800

struct rig {
	bool is64, big;
	bool program, relro, now, exec_stack; /* ET_EXEC; without PT_GNU_RELRO; bound at once; PF_X on the stack */
	bool no_sections;
	const char *const *imports; /* up to NULL */
	const char *needed, *runpath;
	uint8_t id; /* all bytes of the build id */
	const char *code;
	uint8_t b[RIG_SIZE];
	/* while it is built */
	uint64_t strings_n;
};

static inline void
rig_put(struct rig *r, uint64_t at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		r->b[at + (r->big ? n - 1 - i : i)] = (uint8_t)(v >> 8 * i);
}

/* Fields one after the other: each as wide as widths says, "a" for an address. */
static inline uint64_t
rig_row(struct rig *r, uint64_t at, const char *widths, const uint64_t *v)
{
	for (; *widths; widths++) {
		unsigned n = *widths == 'a' ? (r->is64 ? 8 : 4) : (unsigned)(*widths - '0');
		rig_put(r, at, *v++, n);
		at += n;
	}
	return at;
}

#define RIG_STRINGS 0x400
#define RIG_SYMBOLS 0x600
#define RIG_HASH 0xa00
#define RIG_DYNAMIC 0xb00
#define RIG_NOTE 0xd00

static inline uint64_t
rig_string(struct rig *r, const char *s)
{
	uint64_t at = r->strings_n;
	memcpy(r->b + RIG_STRINGS + at, s, strlen(s) + 1);
	r->strings_n += strlen(s) + 1;
	return at;
}

static inline void
rig_segment(struct rig *r, unsigned i, uint64_t type, uint64_t flags, uint64_t at, uint64_t size)
{
	uint64_t to = (r->is64 ? 64 : 52) + i * (r->is64 ? 56u : 32u);
	if (r->is64)
		rig_row(r, to, "44888888", (uint64_t[]){ type, flags, at, at, at, size, size, 8 });
	else
		rig_row(r, to, "44444444", (uint64_t[]){ type, at, at, at, size, size, flags, 4 });
}

static inline void
rig_section(struct rig *r, unsigned i, uint64_t name, uint64_t type, uint64_t flags, uint64_t at, uint64_t size)
{
	rig_row(r, RIG_SECTIONS + 0x100 + i * (r->is64 ? 64u : 40u), "44aaaa44aa", (uint64_t[]){ name, type, flags, at, at, size, 0, 0, 1, 0 });
}

static inline void
rig_build(struct rig *r)
{
	uint64_t symbol = r->is64 ? 24 : 16, n = 1, at = RIG_DYNAMIC;
	static const char names[] = "\0.text\0.note.gnu.build-id\0.dynsym\0.shstrtab\0.gnu_debuglink";
	memset(r->b, 0, sizeof r->b);
	r->strings_n = 1;
	for (size_t i = 0; r->imports && r->imports[i]; i++, n++) {
		uint64_t name = rig_string(r, r->imports[i]), to = RIG_SYMBOLS + n * symbol;
		if (r->is64)
			rig_row(r, to, "411288", (uint64_t[]){ name, 0x12, 0, 0, 0, 0 });
		else
			rig_row(r, to, "444112", (uint64_t[]){ name, 0, 0, 0x12, 0, 0 });
	}
	uint64_t to = RIG_SYMBOLS + n * symbol, exported = rig_string(r, "offered");
	if (r->is64)
		rig_row(r, to, "411288", (uint64_t[]){ exported, 0x12, 0, 1, RIG_CODE, 4 });
	else
		rig_row(r, to, "444112", (uint64_t[]){ exported, RIG_CODE, 4, 0x12, 0, 1 });
	n++;
	rig_row(r, RIG_HASH, "44", (uint64_t[]){ 1, n });
	if (r->needed)
		at = rig_row(r, at, "aa", (uint64_t[]){ DT_NEEDED, rig_string(r, r->needed) });
	if (r->runpath)
		at = rig_row(r, at, "aa", (uint64_t[]){ DT_RUNPATH, rig_string(r, r->runpath) });
	if (r->now)
		at = rig_row(r, at, "aa", (uint64_t[]){ DT_FLAGS, DF_BIND_NOW });
	at = rig_row(r, at, "aaaaaaaaaa", (uint64_t[]){ DT_SYMTAB, RIG_SYMBOLS, DT_STRTAB, RIG_STRINGS, DT_STRSZ, r->strings_n, DT_HASH,
	    RIG_HASH, DT_NULL, 0 });
	rig_row(r, RIG_NOTE, "444", (uint64_t[]){ 4, 20, NT_GNU_BUILD_ID });
	memcpy(r->b + RIG_NOTE + 12, "GNU", 4);
	memset(r->b + RIG_NOTE + 16, r->id, 20);
	memcpy(r->b + RIG_CODE, r->code ? r->code : "code", strlen(r->code ? r->code : "code"));

	memcpy(r->b, ELFMAG, SELFMAG);
	r->b[EI_CLASS] = r->is64 ? ELFCLASS64 : ELFCLASS32;
	r->b[EI_DATA] = r->big ? ELFDATA2MSB : ELFDATA2LSB;
	r->b[EI_VERSION] = 1;
	rig_row(r, 16, "224aaa4222222", (uint64_t[]){ r->program ? ET_EXEC : ET_DYN, r->is64 ? EM_AARCH64 : EM_MIPS, 1, RIG_CODE,
	    r->is64 ? 64 : 52, r->no_sections ? 0 : RIG_SECTIONS + 0x100, 0, r->is64 ? 64 : 52, r->is64 ? 56 : 32, 5, r->is64 ? 64 : 40,
	    r->no_sections ? 0 : 6, 4 });
	rig_segment(r, 0, PT_LOAD, PF_R | PF_X, 0, RIG_SECTIONS);
	rig_segment(r, 1, PT_DYNAMIC, PF_R, RIG_DYNAMIC, at - RIG_DYNAMIC);
	rig_segment(r, 2, PT_NOTE, PF_R, RIG_NOTE, 36);
	rig_segment(r, 3, PT_GNU_STACK, r->exec_stack ? PF_R | PF_W | PF_X : PF_R | PF_W, 0, 0);
	rig_segment(r, 4, r->relro ? PT_GNU_RELRO : PT_NULL, PF_R, RIG_DYNAMIC, at - RIG_DYNAMIC);
	if (r->no_sections)
		return;
	memcpy(r->b + RIG_SECTIONS, names, sizeof names);
	memcpy(r->b + RIG_SECTIONS + 0x80, "x.debug", 8);
	r->b[RIG_SECTIONS + 0x88] = r->id;
	rig_section(r, 1, 1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, RIG_CODE, 0x100);
	rig_section(r, 2, 7, SHT_NOTE, SHF_ALLOC, RIG_NOTE, 36);
	rig_section(r, 3, 26, SHT_DYNSYM, SHF_ALLOC, RIG_SYMBOLS, n * symbol);
	rig_section(r, 4, 34, SHT_STRTAB, 0, RIG_SECTIONS, sizeof names);
	rig_section(r, 5, 44, SHT_PROGBITS, 0, RIG_SECTIONS + 0x80, 12);
}

#endif
