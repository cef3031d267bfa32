/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any two images as base and target: both makers make a delta that makes the
 * target, and no other. Input: a byte that says where the base ends (in 256ths), then both.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "images/mkdelta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum format_id formats[] = { FORMAT_BSDIFF, FORMAT_VCDIFF };
	static int fd = -1;
	struct source from, to, delta;
	struct mkdelta_proof proof;
	if (size == 0)
		return 0;
	if (fd < 0)
		fd = memfd_create("delta", MFD_CLOEXEC);
	size_t n = (size - 1) * data[0] / 256;
	source_memory(&from, view_of(data + 1, n));
	source_memory(&to, view_of(data + 1 + n, size - 1 - n));
	for (unsigned i = 0; i < 2; i++)
		if (mkdelta_make(formats[i], &from, &to, fd) || source_open(&delta, fd) ||
		    mkdelta_prove(formats[i], &from, &to, &delta, &proof) || proof.from_base > to.size)
			abort();
	return 0;
}
