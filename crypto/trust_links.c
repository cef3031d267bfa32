/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/trust_internal.h"

#include <openssl/x509v3.h>

#include "crypto/pubkey.h"
#include "crypto/published.h"

/* Extended usages among the two that matter; no extension means no restriction (RFC 5280 4.2.1.12).
 */
static uint32_t
usages(X509 *x509)
{
	const uint32_t known = XKU_CODE_SIGN | XKU_SMIME;
	if (!(X509_get_extension_flags(x509) & EXFLAG_XKUSAGE))
		return known;
	return X509_get_extended_key_usage(x509) & known;
}

static void
wrong_purpose(struct sig_result *result, const char *text)
{
	sig_worsen(result, SIG_UNTRUSTED, text);
	result->reasons |= SIG_REASON_PURPOSE;
}

/*
 * T2, T3: OpenSSL is told X509_PURPOSE_ANY and the purpose is judged here.
 * An issuer with an EKU extension restricts what is below it.
 */
static void
judge_purpose(const struct trust_policy *policy, STACK_OF(X509) * chain, struct sig_result *result)
{
	uint32_t wanted = 0;
	bool must_say = true;
	X509 *leaf = sk_X509_value(chain, 0);

	switch (policy->purpose) {
	case TRUST_PURPOSE_NONE:
		sig_worsen(result, SIG_UNTRUSTED, "the policy names no purpose");
		return;
	case TRUST_PURPOSE_FIRMWARE:
		wanted = XKU_CODE_SIGN | XKU_SMIME;
		must_say = false;
		break;
	case TRUST_PURPOSE_CODE_SIGNING:
		wanted = XKU_CODE_SIGN;
		break;
	case TRUST_PURPOSE_EMAIL:
		wanted = XKU_SMIME;
		break;
	}
	uint32_t flags = X509_get_extension_flags(leaf);
	if ((must_say && !(flags & EXFLAG_XKUSAGE)) || !(usages(leaf) & wanted))
		wrong_purpose(result, "the signer's certificate has the wrong purpose (EKU)");
	if ((flags & EXFLAG_KUSAGE) && !(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE))
		wrong_purpose(result, "the signer's key usage does not include digitalSignature");

	uint32_t left = wanted;
	for (int i = 0; i < sk_X509_num(chain); i++)
		left &= usages(sk_X509_value(chain, i));
	if (!left)
		wrong_purpose(result, "an issuer may not vouch for this purpose (EKU)");
}

/* Keys of all links; a published one anywhere lets everybody sign. */
static int
judge_keys(const struct trust_policy *policy, STACK_OF(X509) * chain, struct sig_result *result)
{
	char why[SIG_TEXT_MAX];
	uint8_t spki[DIGEST_SHA256_LEN];

	for (int i = 0; i < sk_X509_num(chain); i++) {
		EVP_PKEY *pkey = X509_get0_pubkey(sk_X509_value(chain, i));
		if (!pkey) {
			sig_worsen(
			    result, SIG_INVALID, "a certificate's public key cannot be read");
			continue;
		}
		if (!pubkey_is_fit(pkey, policy->rsa_bits_min, why, sizeof why))
			sig_worsen(result, SIG_WEAK, why);
		result->reasons |= pubkey_reasons(pkey, policy->rsa_bits_min);
		int err = pubkey_spki_sha256(pkey, spki);
		if (err)
			return err;
		if (published_find(spki))
			result->signer.published_key = true;
	}
	return 0;
}

int
trust_links_judge(
    const struct trust_policy *policy, STACK_OF(X509) * chain, struct sig_result *result)
{
	judge_purpose(policy, chain, result);
	return judge_keys(policy, chain, result);
}
