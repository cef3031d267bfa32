/* SPDX-License-Identifier: Apache-2.0 */
/* Qualcomm images: ELF and hash segment, the older header, chains of certificates. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_MBN, data, size);
	return 0;
}
