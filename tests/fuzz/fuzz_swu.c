/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a .swu; where they do not begin like an archive, as the description
 * in one. See walk_fuzz.h for what must hold.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s"
#define HEADER_LEN 110

/* Header and name of a member at p, aligned; their length. */
static size_t
put_header(uint8_t *p, unsigned mode, size_t size, const char *name)
{
	char head[HEADER_LEN + 20];
	size_t n = HEADER_LEN + strlen(name) + 1;
	snprintf(head, sizeof head, HEADER, 0, mode, 0, 0, 1, 0, (unsigned)size, 0, 0, 0, 0,
	    (unsigned)strlen(name) + 1, 0, name);
	memcpy(p, head, n);
	return (n + 3) & ~(size_t)3;
}

/* An archive of nothing but this description; malloc'ed. */
static uint8_t *
wrap(const uint8_t *data, size_t size, size_t *ret_n)
{
	uint8_t *p = calloc(1, 2 * (HEADER_LEN + 20) + size);
	if (!p)
		abort();
	size_t at = put_header(p, 0100644, size, "sw-description");
	if (size)
		memcpy(p + at, data, size);
	at = (at + size + 3) & ~(size_t)3;
	*ret_n = at + put_header(p + at, 0, 0, "TRAILER!!!");
	return p;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = 0;
	if (size > 5 && memcmp(data, "07070", 5) == 0) {
		walk_fuzz(FORMAT_SWU, data, size);
		return 0;
	}
	uint8_t *p = wrap(data, size, &n);
	walk_fuzz(FORMAT_SWU, p, n);
	free(p);
	return 0;
}
