/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an index of casync over a base; see delta_fuzz.h for what must hold. */
#include "fuzz/delta_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	delta_fuzz(FORMAT_CASYNC_INDEX, data, size);
	return 0;
}
