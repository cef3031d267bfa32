/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_trust - any bytes as a PEM file to be enrolled. Beyond not crashing: a
 * refusal gives a plain reason and leaves the set empty, and a set that was
 * filled can be named and asked.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/rawsig.h"
#include "crypto/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What may stand in a report. */
static bool
is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trust_policy policy = {
		.purpose = TRUST_PURPOSE_FIRMWARE,
		.allow_leaf_anchor = true,
		.allow_partial_chain = true,
	};
	char why[SIG_TEXT_MAX] = "";
	uint8_t digest[DIGEST_SHA256_LEN];
	struct trust *t = trust_new();
	if (!t)
		abort();
	int err = trust_add_pem(t, "fuzz", view_of(data, size), TRUST_SCHEME_NONE, why, sizeof why);
	if (err &&
	    (why[0] == '\0' || !is_ascii(why) ||
		trust_certs(t) + trust_crls(t) + trust_keys(t) != 0))
		abort();
	if (trust_digest(t, digest))
		abort();
	for (size_t i = 0; i < trust_certs(t); i++) {
		struct sig_result r = { .outcome = SIG_VERIFIED };
		if (trust_judge_cert(t, &policy, trust_cert_at(t, i), NULL, 1767225600, &r))
			abort();
		if (!is_ascii(r.signer.subject) || !is_ascii(r.detail))
			abort();
	}
	for (size_t i = 0; i < trust_keys(t); i++) {
		struct sig_result r = { .outcome = SIG_UNKNOWN };
		uint8_t md[DIGEST_LEN_MAX] = { 0 };
		const struct trust_key *key = trust_key_at(t, i);
		struct view given = view_of(md, digest_len(rawsig_digest(key)));
		if (rawsig_digest(key) != DIGEST_NONE && rawsig_judge_digest(key, given, given, &r))
			abort();
		if (r.outcome == SIG_VERIFIED)
			abort();
	}
	trust_free(t);
	return 0;
}
