/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of RAUC: read twice they say the same, and a manifest never differs from itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "images/rauc_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hear(void *arg, enum finding_id id, const char *text)
{
	unsigned *n = arg;
	if (id >= FINDING_LIMIT || !text[0])
		abort();
	++*n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rauc_manifest a, b;
	unsigned heard_a = 0, heard_b = 0;
	if (size > RAUC_MANIFEST_TEXT_MAX)
		return 0;
	if (rauc_manifest_parse(view_of(data, size), &a, hear, &heard_a) ||
	    rauc_manifest_parse(view_of(data, size), &b, hear, &heard_b))
		abort();
	if (heard_a != heard_b || rauc_manifest_differs(&a, &b) || a.images_n > RAUC_MANIFEST_IMAGES_MAX)
		abort();
	rauc_manifest_check(&a, true, hear, &heard_a);
	rauc_manifest_check(&a, false, hear, &heard_a);
	if (memchr(data, '\0', size) && heard_a == 0)
		abort();
	rauc_manifest_free(&a);
	rauc_manifest_free(&b);
	return 0;
}
