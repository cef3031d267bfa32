/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenPGP: u16 length, that much of a key file, a signature file over a fixed
 * text. Nothing verifies without a key, nor what the key's owner took back, and
 * every signature gets an answer.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/openpgp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] = "firmware, byte for byte";

static void
judge(const struct openpgp *o, const struct trust *t)
{
	enum digest_alg algs[DIGEST_LIMIT];
	struct digest *running[DIGEST_LIMIT] = { NULL };
	static struct sig_set set;
	set = (struct sig_set){ .n = 0 };
	unsigned n = openpgp_digests(o, algs);
	for (unsigned i = 0; i < n; i++) {
		running[algs[i]] = digest_new(algs[i]);
		if (!running[algs[i]] || digest_update(running[algs[i]], view_str(document)))
			abort();
	}
	if (openpgp_judge(o, t, 0, 1750000000, running, &set) == 0) {
		if (set.n == 0)
			abort();
		for (unsigned i = 0; i < set.n; i++) {
			bool held = false;
			for (size_t k = 0; k < trust_keys(t); k++)
				held |= memcmp(trust_key_at(t, k)->spki_sha256, set.result[i].signer.spki_sha256,
				            DIGEST_SHA256_LEN) == 0 && !trust_key_at(t, k)->pgp.revoked;
			if (set.result[i].outcome == SIG_UNKNOWN || (set.result[i].outcome == SIG_VERIFIED && !held))
				abort();
		}
	}
	for (unsigned i = 0; i < n; i++)
		digest_free(running[algs[i]]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SIG_TEXT_MAX];
	struct openpgp *o;
	struct trust *t = trust_new(), *nobody = trust_new();
	if (!t || !nobody)
		abort();
	size_t n = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]);
	struct view key = view_of(data + 2, size < 2 ? 0 : n < size - 2 ? n : size - 2);
	struct view sig = view_of(data + 2 + key.n, size < 2 ? 0 : size - 2 - key.n);
	(void)trust_add_pem(t, "x", key, TRUST_SCHEME_NONE, why, sizeof why);
	(void)openpgp_recognise(sig);
	if (sig.n && openpgp_open(sig, &o, why, sizeof why) == 0) {
		judge(o, t);
		judge(o, nobody);
		openpgp_free(o);
	}
	trust_free(t);
	trust_free(nobody);
	return 0;
}
