/* SPDX-License-Identifier: Apache-2.0 */
/* Full firmware of nRF91 modems: the COSE_Sign1, its manifest, and the segments behind it. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_NORDIC_MODEM, data, size);
	return 0;
}
