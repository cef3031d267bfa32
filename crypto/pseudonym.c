/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pseudonym.h"

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/wipe.h"

int
pseudonym_make(struct view key, const char *kind, struct view identity, uint8_t out[PSEUDONYM_LEN])
{
	uint8_t input[PSEUDONYM_KIND_MAX + 1 + PSEUDONYM_IDENTITY_MAX];
	uint8_t mac[DIGEST_SHA256_LEN];
	size_t kind_n = strlen(kind);
	if (key.n < PSEUDONYM_KEY_MIN || kind_n == 0 || kind_n > PSEUDONYM_KIND_MAX)
		return FG_EINVAL;
	/* Nothing is nobody's name: all modules without one would become the same. */
	if (identity.n == 0 || identity.n > PSEUDONYM_IDENTITY_MAX)
		return FG_ELIMIT;
	memcpy(input, kind, kind_n);
	input[kind_n] = 0;
	memcpy(input + kind_n + 1, identity.p, identity.n);
	int err = digest_hmac_sha256(key, view_of(input, kind_n + 1 + identity.n), mac);
	if (!err)
		memcpy(out, mac, PSEUDONYM_LEN);
	wipe(input, sizeof input);
	wipe(mac, sizeof mac);
	return err;
}
