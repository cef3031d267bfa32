/* SPDX-License-Identifier: Apache-2.0 */
/* zchunk files: header, index, chunks. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_ZCHUNK, data, size);
	return 0;
}
