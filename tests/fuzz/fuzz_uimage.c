/* SPDX-License-Identifier: Apache-2.0 */
/* U-Boot's older images: header, checksums, several files. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_UIMAGE, data, size);
	return 0;
}
