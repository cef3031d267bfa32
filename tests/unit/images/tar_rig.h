/* SPDX-License-Identifier: Apache-2.0 */
/* tar_rig - a tar of short texts, name and words of each one after the other. Role: tests that need a few files. */
#ifndef FG_TESTS_UNIT_IMAGES_TAR_RIG_H
#define FG_TESTS_UNIT_IMAGES_TAR_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* file: name, words, name, words, ..., NULL; each of at most 512 bytes. Bytes written to dst; aborts when they do not fit. */
static inline size_t
tar_rig(uint8_t *dst, size_t cap, const char *const *file)
{
	size_t at = 0;
	for (; *file; file += 2, at += 1024) {
		uint8_t *h = dst + at;
		unsigned sum = 0;
		if (at + 2048 > cap || strlen(file[1]) > 512)
			abort();
		memset(h, 0, 1024);
		snprintf((char *)h, 100, "%s", file[0]);
		snprintf((char *)h + 100, 8, "%07o", 0644u);
		snprintf((char *)h + 108, 8, "%07o", 0u);
		snprintf((char *)h + 116, 8, "%07o", 0u);
		snprintf((char *)h + 124, 12, "%011o", (unsigned)strlen(file[1]));
		snprintf((char *)h + 136, 12, "%011o", 0u);
		memset(h + 148, ' ', 8);
		h[156] = '0';
		memcpy(h + 257, "ustar\00000", 8);
		for (unsigned i = 0; i < 512; i++)
			sum += h[i];
		snprintf((char *)h + 148, 8, "%06o", sum);
		memcpy(h + 512, file[1], strlen(file[1]));
	}
	memset(dst + at, 0, 1024);
	return at + 1024;
}

#define TAR_RIG(...) (const char *const[]){ __VA_ARGS__, NULL }

#endif
