/* SPDX-License-Identifier: Apache-2.0 */
/* What authenticators say: attestation objects with the client data of a known challenge, and assertions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sshsig.h"
#include "crypto/webauthn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t challenge[WEBAUTHN_CHALLENGE]; /* zeros: 43 times A */
static const struct webauthn_rules rules = { "gate.example", "https://gate.example", challenge };

#define CLIENT(type) "{\"type\":\"webauthn." type "\",\"challenge\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"," \
	"\"origin\":\"https://gate.example\",\"crossOrigin\":false}"

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t need = SSHSIG_FLAG_UP | SSHSIG_FLAG_UV;
	struct view in = view_of(data, size);
	struct webauthn w;
	struct writer blob;
	struct sshkey again;
	must(webauthn_made(view_str(CLIENT("create")), in, &rules, &w) == 0);
	must(w.outcome != WEBAUTHN_UNKNOWN);
	if (w.outcome == WEBAUTHN_GOOD) {
		must((w.flags & need) == need && w.credential.n > 0 && w.credential.n <= WEBAUTHN_CREDENTIAL_MAX);
		must(w.credential.p >= data && w.credential.p + w.credential.n <= data + size);
		writer_init(&blob, SSHKEY_BLOB_MAX);
		sshkey_write_blob(&w.key, &blob);
		must(sshkey_parse_blob(writer_view(&blob), &again, NULL) == 0 && sshkey_equal(&again, &w.key));
		writer_free(&blob);
		/* Nobody here has its other half. */
		must(webauthn_asserted(&again, view_str(CLIENT("get")), in, in, &rules, &w) == 0);
		must(w.outcome != WEBAUTHN_GOOD && w.outcome != WEBAUTHN_UNKNOWN);
	} else {
		must(w.credential.n == 0 && w.key.type == SSHKEY_NONE);
	}
	must(webauthn_made(in, in, &rules, &w) == 0 && w.outcome != WEBAUTHN_GOOD);
	return 0;
}
