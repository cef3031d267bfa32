/* SPDX-License-Identifier: Apache-2.0 */
/* gzip files with a signature of signify in the header's comment. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_SIGNIFY_GZIP, data, size);
	return 0;
}
