/* SPDX-License-Identifier: Apache-2.0 */
/* U-Boot's image trees: libfdt's reading, tables, signatures, external data. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_FIT, data, size);
	return 0;
}
