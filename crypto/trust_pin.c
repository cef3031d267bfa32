/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/trust_internal.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/certinfo.h"
#include "crypto/err.h"

const struct trust_cert *
trust_pin_find(const struct trust *t, const uint8_t spki[DIGEST_SHA256_LEN])
{
	const struct trust_cert *best = NULL;
	int64_t best_end = 0;
	for (size_t i = 0; i < t->cert_n; i++) {
		int64_t end = 0;
		if (memcmp(t->cert[i].spki_sha256, spki, DIGEST_SHA256_LEN) != 0 ||
		    certinfo_time(X509_get0_notAfter(t->cert[i].x509), &end) != 0)
			continue;
		if (!best || end > best_end) {
			best = &t->cert[i];
			best_end = end;
		}
	}
	return best;
}

/* Is crl signed by a certificate of the set that bears its issuer's name? */
static bool
crl_is_genuine(const struct trust *t, X509_CRL *crl)
{
	for (size_t i = 0; i < t->cert_n; i++) {
		if (X509_NAME_cmp(
			X509_get_subject_name(t->cert[i].x509), X509_CRL_get_issuer(crl)) == 0 &&
		    X509_CRL_verify(crl, X509_get0_pubkey(t->cert[i].x509)) == 1)
			return true;
	}
	return false;
}

static bool
crl_is_current(const X509_CRL *crl, int64_t now)
{
	int64_t from = 0, until = 0;
	return certinfo_time(X509_CRL_get0_lastUpdate(crl), &from) == 0 &&
	    certinfo_time(X509_CRL_get0_nextUpdate(crl), &until) == 0 && from <= now && now < until;
}

/*
 * A pin has no chain, so its CRL is looked up by issuer name alone. Being
 * listed counts even when the CRL is old or its issuer is not enrolled:
 * restricting needs no proof, only relying on it does.
 */
static void
judge_pin_revocation(const struct trust *t, X509 *pin, int64_t now, struct sig_result *result)
{
	X509_REVOKED *entry;
	for (size_t i = 0; i < t->crl_n; i++) {
		X509_CRL *crl = t->crl[i].crl;
		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(pin)) != 0)
			continue;
		if (X509_CRL_get0_by_cert(crl, &entry, pin) == 1)
			sig_worsen(result, SIG_REVOKED, "the pinned certificate is revoked");
		if (crl_is_current(crl, now) && crl_is_genuine(t, crl))
			result->revocation = SIG_REVOCATION_CHECKED;
		else if (result->revocation == SIG_REVOCATION_NOT_CHECKED)
			result->revocation = SIG_REVOCATION_STALE;
	}
}

int
trust_pin_judge(const struct trust *t, const struct trust_policy *policy,
    const struct trust_cert *pin, int64_t now, struct trust_judgement *j)
{
	int err = certinfo_describe(pin->x509, &j->result.signer);
	if (err == FG_EFORMAT) {
		sig_worsen(&j->result, SIG_INVALID, "the pinned certificate is malformed");
		return 0;
	}
	STACK_OF(X509) *alone = sk_X509_new_null();
	if (!err && (!alone || !sk_X509_push(alone, pin->x509)))
		err = FG_ENOMEM;
	if (!err)
		err = trust_links_judge(policy, alone, &j->result);
	if (!err) {
		const struct sig_signer *s = &j->result.signer;
		if (!policy->pinned_ignores_expiry && now < s->not_before)
			sig_worsen(
			    &j->result, SIG_EXPIRED, "the pinned certificate is not yet valid");
		if (!policy->pinned_ignores_expiry && now > s->not_after)
			sig_worsen(&j->result, SIG_EXPIRED, "the pinned certificate has expired");
		if (X509_get_extension_flags(pin->x509) & (EXFLAG_CRITICAL | EXFLAG_PROXY))
			sig_worsen(&j->result, SIG_UNTRUSTED,
			    "the pinned certificate has a critical extension nobody here knows");
		judge_pin_revocation(t, pin->x509, now, &j->result);
		snprintf(j->result.signer.anchor, sizeof j->result.signer.anchor, "%s", pin->name);
		j->vouched = true;
	}
	sk_X509_free(alone);
	ERR_clear_error();
	return err;
}
