/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a zchunk file to be put together from another; see delta_fuzz.h for what must hold. */
#include "fuzz/delta_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	delta_fuzz(FORMAT_ZCHUNK, data, size);
	return 0;
}
