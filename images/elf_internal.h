/* SPDX-License-Identifier: Apache-2.0 */
/* elf_internal - an ELF file being read: elf.c (headers, digests), elf_section.c, elf_symbol.c. */
#ifndef FG_IMAGES_ELF_INTERNAL_H
#define FG_IMAGES_ELF_INTERNAL_H

#include "images/elf.h"

#define ELF_CHUNK (64u << 10)
#define ELF_WALKED_MAX 5 /* symbols, their names, three tables of relocations */

struct elf_segment {
	uint32_t type, flags;
	uint64_t at, address, size; /* size: in the file, cut to it */
};

struct elf_ctx {
	const struct source *s;
	struct elf *e;
	uint8_t *chunk; /* ELF_CHUNK bytes to read into */
	unsigned eh_size, ph_size, ph_n, sh_size, sh_n, sh_names; /* as the header has them */
	uint64_t ph_at, sh_at;
	bool sh_valid;     /* the section table lies in the file and has been read */
	uint64_t sh_count; /* its real length */
	unsigned segments;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
	uint64_t id_at; /* of the build id */
	/* Tables of the dynamic segment that were walked whole. */
	struct {
		uint64_t at, size;
	} walked[ELF_WALKED_MAX];
	unsigned walked_n;
	uint64_t strings_at; /* of the one with names */
	uint64_t budget; /* bytes that may still be digested: honest sections and segments do not overlap */
	/* of a relocatable file: its symbols and their names */
	uint64_t symbols_at, symbols_size, names_at, names_size;
};

/* n (1 to 8) bytes in the file's order. */
uint64_t elf_get(const struct elf *e, const uint8_t *p, unsigned n);
int elf_names_add(struct elf_names *l, struct view name);
void elf_names_settle(struct elf_names *l);
/* Within c->budget; beyond it ret is zeros and the file is told to be damaged. */
int elf_digest(struct elf_ctx *c, uint64_t at, uint64_t size, uint8_t ret[DIGEST_SHA256_LEN]);
/* Takes size from the budget; false when it is used up. */
bool elf_may_digest(struct elf_ctx *c, uint64_t size);

/* Sections, or segments in their place. */
int elf_sections(struct elf_ctx *c);
/* After elf_symbols(): which sections are told. */
void elf_tell(const struct elf_ctx *c);
/* Imports, exports, what is needed: by the dynamic segment, or a module's symbol table. */
int elf_symbols(struct elf_ctx *c);

#endif
