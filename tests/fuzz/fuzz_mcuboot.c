/* SPDX-License-Identifier: Apache-2.0 */
/* MCUboot images: header, records, trailer, one image behind the other. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_MCUBOOT, data, size);
	return 0;
}
