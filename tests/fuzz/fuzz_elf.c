/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an ELF file. What holds: an answer, names sorted and bounded, sections in
 * the file; a file against itself is folded unless it says why not, and against nothing
 * it makes lines that the page takes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct elf_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->name[i]) > ELF_NAME_MAX || (i && strcmp(l->name[i - 1], l->name[i]) >= 0))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s;
	struct elf e;
	struct page *page = page_new();
	bool folded;
	source_memory(&s, view_of(data, size));
	int err = elf_read(&s, &e);
	if (!page || (err && err != FG_EFORMAT))
		abort();
	if (!err) {
		check(&e.imports);
		check(&e.exports);
		check(&e.needed);
		for (size_t i = 0; i < e.sections; i++)
			if (e.section[i].at > size || e.section[i].size > size - e.section[i].at)
				abort();
		if (elf_page(&e, &e, "x", page, &folded) || folded != !e.why || elf_page(NULL, &e, "x", page, &folded) || folded)
			abort();
		elf_free(&e);
	}
	page_free(page);
	return 0;
}
