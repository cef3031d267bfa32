/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_fuzz - what holds for every applier, whatever the patch: it answers 0
 * with an outcome that fits its words, is the same twice, makes in memory what it
 * makes in a file, and accounts for each byte of a target.
 *
 * Input: one byte that says how long the base is (in 32 bytes: 0 to 8160), the
 * base, and the patch.
 */
#ifndef FG_TESTS_DELTA_FUZZ_H
#define FG_TESTS_DELTA_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "images/delta.h"

#define DELTA_FUZZ_MEMORY (64u << 10)

/* Hostile text is escaped in it, so that visible_is_plain(), which would escape it again, is not asked. */
static inline int
delta_fuzz_printable(const char *s)
{
	while (*s >= ' ' && *s <= '~')
		s++;
	return *s == '\0';
}

static inline void
delta_fuzz(enum format_id format, const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct delta_result r, again;
	struct source patch, base, made;
	size_t n = size ? data[0] * 32u : 0;
	if (size == 0)
		return;
	if (n > size - 1)
		n = size - 1;
	if (fd < 0)
		fd = memfd_create("target", MFD_CLOEXEC);
	source_memory(&base, view_of(data + 1, n));
	source_memory(&patch, view_of(data + 1 + n, size - 1 - n));
	memset(&r, 0xa5, sizeof r);
	if (delta_apply(format, &patch, &base, fd, &r))
		abort();
	if ((r.outcome == DELTA_APPLIED) != (r.detail[0] == '\0') || !delta_fuzz_printable(r.detail) ||
	    !delta_fuzz_printable(r.wants) || !r.applier[0])
		abort();
	uint8_t *mem = malloc(DELTA_FUZZ_MEMORY);
	if (!mem || delta_apply_memory(format, &patch, &base, mem, DELTA_FUZZ_MEMORY, &again))
		abort();
	if (r.outcome == DELTA_APPLIED && r.target_size <= DELTA_FUZZ_MEMORY) {
		uint8_t sum[DIGEST_SHA256_LEN];
		if (source_open(&made, fd) || made.size != r.target_size || r.from_base + r.from_patch != r.target_size ||
		    again.outcome != r.outcome || again.target_size != r.target_size ||
		    digest_sha256(view_of(mem, (size_t)again.target_size), sum) ||
		    memcmp(sum, r.target_sha256, sizeof sum) != 0 || memcmp(sum, again.target_sha256, sizeof sum) != 0)
			abort();
	} else if (r.outcome == DELTA_APPLIED && again.outcome != DELTA_LIMIT) {
		abort();
	}
	free(mem);
}

#endif
