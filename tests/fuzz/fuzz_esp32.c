/* SPDX-License-Identifier: Apache-2.0 */
/* ESP32 images: segments, signature blocks, merged flash images. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_ESP32, data, size);
	return 0;
}
