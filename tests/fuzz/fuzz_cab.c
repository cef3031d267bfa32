/* SPDX-License-Identifier: Apache-2.0 */
/* Cabinet archives of fwupd: blocks, Jcat file, metadata. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_CAB, data, size);
	return 0;
}
