/* SPDX-License-Identifier: Apache-2.0 */
/* Trust bundles: enrolled whole, or refused with a reason and nothing left behind. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/trustset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trust *t = NULL;
	char why[256] = "";
	int err = trustset_load(view_of(data, size), &t, why, sizeof why);
	if (err == 0 && trust_certs(t) + trust_crls(t) + trust_keys(t) > TRUST_ITEMS_MAX)
		abort();
	if (err == FG_EFORMAT && (t || why[0] == '\0'))
		abort();
	trust_free(t);
	return 0;
}
