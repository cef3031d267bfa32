/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf - what a program or library says about itself: machine, what it imports and
 * offers, what it needs, how it is hardened, and digests of its parts.
 * Role: explain stage; elf_page.c tells two of them apart on the page. A reader of our
 * own rather than libelf: hostile files have crashed that one before, it wants the whole
 * file in memory, and what is needed here is four tables.
 *
 * Guarantees: reads through a source, never keeps more than the tables whose limits stand
 * below, linear time, returns 0 whatever the bytes are. Imports and exports are those that
 * the loader sees (PT_DYNAMIC), not those that section headers claim; of relocatable files
 * (kernel modules) those of their symbol table.
 */
#ifndef FG_IMAGES_ELF_H
#define FG_IMAGES_ELF_H

#include "crypto/digest.h"
#include "images/page.h"
#include "images/source.h"

#define ELF_SEGMENTS_MAX 64
#define ELF_SECTIONS_MAX 2048         /* kernel modules built function by function have some hundreds */
#define ELF_SYMBOLS_MAX (128u << 10)  /* a browser's largest library has 30,000 */
#define ELF_STRINGS_MAX (16u << 20)   /* of one string table */
#define ELF_NAME_MAX 255              /* bytes of one name; longer ones are cut, and no two cut ones are told apart */
#define ELF_NEEDED_MAX 256
#define ELF_COMMENT_MAX 512           /* bytes of .comment: a line or two of each compiler that had a part in it */
#define ELF_ID_MAX 64                 /* build id: 8 to 64 bytes, by --build-id=0x... */

/* What a section is to the reader of a report. Zero is the least that can be said. */
enum elf_kind {
	ELF_KIND_OTHER = 0, /* data, or what nobody knows */
	ELF_KIND_CODE,
	ELF_KIND_NAMES,     /* symbol and string tables, versions, hashes, relocations: what they say is compared as names */
	ELF_KIND_META,      /* build id, debug link, debug data: no loader looks at it */
};

struct elf_section {
	char name[64];
	enum elf_kind kind;
	/*
	 * What its bytes are is told, by names or as a note of some bytes: it is a table that was
	 * walked from its start to its end, or metadata with a size that leaves no room for more,
	 * and nothing of it can be executed.
	 */
	bool told;
	uint32_t type;
	uint64_t flags, address;
	uint64_t at, size; /* in the file; size 0 for those without bytes */
	uint8_t sha256[DIGEST_SHA256_LEN];
};

/* Names, sorted, each once. */
struct elf_names {
	char **name; /* owned */
	size_t n;
};

enum elf_relro { ELF_RELRO_NONE = 0, ELF_RELRO_PARTIAL, ELF_RELRO_FULL };

struct elf {
	const char *why; /* static sentence: it is damaged, or over a limit, and what follows is not all of it; NULL */
	bool is64, big;
	uint16_t type, machine; /* ET_*, EM_* */
	uint32_t flags;
	uint64_t entry;
	/* hardening */
	bool dynamic; /* has PT_DYNAMIC: the marks below mean something */
	bool pie, nx, canary;
	enum elf_relro relro;
	unsigned fortified; /* imports of the checked kind */
	/* interfaces */
	struct elf_names imports, exports, needed;
	char soname[128], runpath[256], interpreter[128];
	/* identity */
	uint8_t build_id[ELF_ID_MAX];
	size_t build_id_n;
	char debuglink[128];
	/* contents */
	struct elf_section *section; /* owned; segments where there are no section headers */
	size_t sections;
	uint64_t code;  /* bytes that can be executed */
	uint64_t loose; /* bytes of the file, other than zeros, that belong to no header, section or segment */
	uint8_t loose_sha256[DIGEST_SHA256_LEN];
	/* All that a loader sees, the bytes of the build id excepted; equal: nothing that runs changed. */
	uint8_t loaded_sha256[DIGEST_SHA256_LEN];
};

/* Reads s into ret (overwritten; elf_free() it). 0, FG_EIO, FG_ENOMEM, FG_ECRYPTO. FG_EFORMAT: it has no ELF header at all. */
int elf_read(const struct source *s, struct elf *ret);
void elf_free(struct elf *e);
bool elf_names_has(const struct elf_names *names, const char *name);
/* "executable", "library or PIE", "relocatable", ... and the machine, in words. */
void elf_describe(const struct elf *e, char *dst, size_t cap);

/*
 * Lines about new against old (NULL: the file was added), path in visible form.
 * *ret_folded: nothing but build id, debug data and symbol names differs, so that no line
 * was made: whoever walks counts such files. 0 or FG_ENOMEM.
 */
int elf_page(const struct elf *old, const struct elf *new, const char *path, struct page *page, bool *ret_folded);

#endif
