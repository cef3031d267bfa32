/* SPDX-License-Identifier: Apache-2.0 */
/* Jcat files alone. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_JCAT, data, size);
	return 0;
}
