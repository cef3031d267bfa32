/* SPDX-License-Identifier: Apache-2.0 */
/* Images of Sierra Wireless: headers, images in images. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_SIERRA_CWE, data, size);
	return 0;
}
