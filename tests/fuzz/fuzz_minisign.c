/* SPDX-License-Identifier: Apache-2.0 */
/* Signature and key files of minisign and signify: no input verifies under a key that did not make it. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t keynum[TRUST_KEYNUM_LEN], key[ED25519_KEY_LEN];
	struct minisign m;
	enum trust_tool tool;
	const char *why;
	char text[200];
	struct trust *t = trust_new();
	if (!t)
		abort();
	(void)minisign_parse_key(view_of(data, size), keynum, key, &tool, &why);
	(void)trust_add_pem(t, "x", view_of(data, size), TRUST_SCHEME_NONE, text, sizeof text);
	for (int embedded = 0; embedded < 2; embedded++)
		if (minisign_parse(view_of(data, size), embedded, &m, &why) == 0) {
			struct sig_result r = { .outcome = SIG_UNKNOWN };
			if (m.end > size || (!embedded && m.end != size) || m.form == MINISIGN_NONE)
				abort();
			struct trust *nobody = trust_new();
			if (!nobody || minisign_judge(&m, nobody, view_of(data, 0), &r) || r.outcome == SIG_VERIFIED)
				abort();
			trust_free(nobody);
		}
	trust_free(t);
	return 0;
}
