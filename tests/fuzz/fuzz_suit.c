/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a SUIT envelope, see walk_fuzz.h for what must hold, and as one COSE object. */
#include "fuzz/walk_fuzz.h"

#include "crypto/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cose c;
	const char *why;
	(void)cose_parse(view_of(data, size), &c, &why);
	walk_fuzz(FORMAT_SUIT, data, size);
	return 0;
}
