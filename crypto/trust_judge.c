/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/trust_internal.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/certinfo.h"
#include "crypto/err.h"
#include "crypto/pubkey.h"

#define CHAIN_DEPTH_MAX 8 /* issuers between leaf and anchor; real ones have 0 to 2 */
#define AUTH_LEVEL 2	  /* OpenSSL: 112 bits, so no SHA-1 in certificate signatures (T4) */

/* One run of X509_verify_cert. */
struct walk {
	struct sig_result *result;
	uint32_t crl_missing; /* bit per depth: no CRL at all */
	uint32_t crl_stale;   /* bit per depth: there is one, but not to be relied on */
	bool faulty;
	int err; /* local failure */
};

struct fault {
	int code;
	enum sig_outcome outcome;
	const char *text;
};

/* What is not listed is SIG_UNTRUSTED in OpenSSL's words. */
static const struct fault faults[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, SIG_EXPIRED, "a certificate of the chain has expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, SIG_EXPIRED,
	    "a certificate of the chain is not yet valid" },
	{ X509_V_ERR_CERT_REVOKED, SIG_REVOKED, "a certificate of the chain is revoked" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, SIG_WEAK, "the signer's key is too small" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, SIG_WEAK, "an issuer's key is too small" },
	{ X509_V_ERR_CA_MD_TOO_WEAK, SIG_WEAK, "a certificate is signed with a weak digest" },
	{ X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, SIG_WEAK, "an EC key spells out its curve" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, SIG_INVALID,
	    "a certificate's signature does not fit its issuer" },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, SIG_INVALID,
	    "a certificate's signature does not fit its issuer" },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, SIG_INVALID,
	    "a certificate's notBefore is no time" },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, SIG_INVALID,
	    "a certificate's notAfter is no time" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, SIG_UNTRUSTED,
	    "no anchor: the issuer is not in the trust set" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, SIG_UNTRUSTED,
	    "no anchor: the issuer is not in the trust set" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, SIG_UNTRUSTED,
	    "no anchor: the issuer is not in the trust set" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, SIG_UNTRUSTED,
	    "no anchor: the root of the chain is not in the trust set" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, SIG_UNTRUSTED,
	    "no anchor: self-signed and not in the trust set" },
	{ X509_V_ERR_INVALID_CA, SIG_UNTRUSTED, "an issuer is not a CA (version 3, CA:TRUE)" },
};

static void
note_fault(struct walk *w, int code)
{
	w->faulty = true;
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		if (faults[i].code == code) {
			sig_worsen(w->result, faults[i].outcome, faults[i].text);
			return;
		}
	}
	sig_worsen(w->result, SIG_UNTRUSTED, X509_verify_cert_error_string(code));
}

/*
 * Called by OpenSSL for each thing wrong. Goes on after findings, so that all
 * of them are seen and the worst one is reported; whatever is returned here,
 * w->faulty alone decides that the chain does not hold.
 */
static int
on_verify(int ok, X509_STORE_CTX *ctx)
{
	if (ok)
		return 1;
	/* A CRL's own path (never asked for): its failure is reported by the outer walk. */
	if (X509_STORE_CTX_get0_parent_ctx(ctx))
		return 0;

	struct walk *w = X509_STORE_CTX_get_app_data(ctx);
	int code = X509_STORE_CTX_get_error(ctx);
	uint32_t bit = UINT32_C(1) << (X509_STORE_CTX_get_error_depth(ctx) & 31);
	switch (code) {
	case X509_V_ERR_OUT_OF_MEM:
		w->err = FG_ENOMEM;
		return 0;
	case X509_V_ERR_INVALID_CALL:
	case X509_V_ERR_STORE_LOOKUP:
		w->err = FG_ECRYPTO;
		return 0;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		w->crl_missing |= bit;
		return 1;
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
		w->crl_stale |= bit;
		return 1;
	default:
		note_fault(w, code);
		return 1;
	}
}

static const struct trust_cert *
find_cert(const struct trust *t, const X509 *x509)
{
	for (size_t i = 0; i < t->cert_n; i++)
		if (X509_cmp(t->cert[i].x509, x509) == 0)
			return &t->cert[i];
	return NULL;
}

/* Nothing of OpenSSL's default locations: the store holds the set and only the set. */
static X509_STORE *
store_of(const struct trust *t)
{
	X509_STORE *store = X509_STORE_new();
	bool ok = store != NULL;
	for (size_t i = 0; ok && i < t->cert_n; i++)
		ok = X509_STORE_add_cert(store, t->cert[i].x509) == 1;
	for (size_t i = 0; ok && i < t->crl_n; i++)
		ok = X509_STORE_add_crl(store, t->crl[i].crl) == 1;
	if (!ok) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

/*
 * The set's CRLs against a chain of n links that ends at an anchor. The anchor
 * itself needs none: it is trusted because a person enrolled it (T12).
 */
static enum sig_revocation
revocation_of(const struct trust *t, const struct walk *w, int n)
{
	uint32_t links = n > 1 ? (UINT32_C(1) << (n - 1)) - 1 : 1;
	if (t->crl_n == 0 || (w->crl_missing & links) == links)
		return SIG_REVOCATION_NOT_CHECKED;
	if ((w->crl_missing | w->crl_stale) & links)
		return SIG_REVOCATION_STALE;
	return SIG_REVOCATION_CHECKED;
}

static bool
configure(
    X509_STORE_CTX *ctx, const struct trust *t, const struct trust_policy *policy, int64_t now)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	unsigned long flags = X509_V_FLAG_TRUSTED_FIRST;
	if (t->crl_n)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	if (policy->allow_partial_chain)
		flags |= X509_V_FLAG_PARTIAL_CHAIN;
	X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	return X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY) == 1 &&
	    X509_VERIFY_PARAM_set_flags(param, flags) == 1;
}

/* What OpenSSL does not ask of the chain it built. */
static int
judge_links(const struct trust *t, const struct trust_policy *policy, const struct walk *w,
    STACK_OF(X509) * chain, struct trust_judgement *j)
{
	int n = sk_X509_num(chain);
	for (int i = 1; i < n; i++)
		if (X509_check_ca(sk_X509_value(chain, i)) != 1)
			sig_worsen(&j->result, SIG_UNTRUSTED,
			    "an issuer is not a CA (version 3, CA:TRUE)");
	int err = trust_links_judge(policy, chain, &j->result);
	if (err)
		return err;

	const struct trust_cert *anchor = find_cert(t, sk_X509_value(chain, n - 1));
	if (n >= 2 && anchor)
		j->result.revocation = revocation_of(t, w, n);
	if (w->faulty)
		return 0;
	if (n < 2 || !anchor) {
		/* A lone certificate of the set is a pin, and pins are judged by trust_pin.c (T13).
		 */
		sig_worsen(&j->result, SIG_UNTRUSTED,
		    "no anchor: no issuer in the trust set vouches for it");
		return 0;
	}
	j->vouched = true;
	snprintf(j->result.signer.anchor, sizeof j->result.signer.anchor, "%s", anchor->name);
	return 0;
}

static int
judge_chain(const struct trust *t, const struct trust_policy *policy, X509 *leaf,
    STACK_OF(X509) * extra, int64_t now, struct trust_judgement *j)
{
	struct walk w = { .result = &j->result };
	int err = certinfo_describe(leaf, &j->result.signer);
	if (err == FG_EFORMAT) {
		sig_worsen(&j->result, SIG_INVALID, "the signer's certificate is malformed");
		return 0;
	}
	if (err)
		return err;

	X509_STORE *store = store_of(t);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(NULL, PUBKEY_PROPQ);
	if (!store || !ctx || X509_STORE_CTX_init(ctx, store, leaf, extra) != 1 ||
	    !configure(ctx, t, policy, now)) {
		err = FG_ECRYPTO;
		goto out;
	}
	X509_STORE_CTX_set_app_data(ctx, &w);
	X509_STORE_CTX_set_verify_cb(ctx, on_verify);
	int ok = X509_verify_cert(ctx);
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	err = w.err;
	if (err)
		goto out;
	if (ok != 1 || sk_X509_num(chain) < 1) {
		w.faulty = true;
		sig_worsen(&j->result, SIG_UNTRUSTED, "no chain to an anchor could be built");
	}
	if (sk_X509_num(chain) >= 1)
		err = judge_links(t, policy, &w, chain, j);
out:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return err;
}

static void
finish(const struct trust_policy *policy, struct trust_judgement *j)
{
	if (!j->vouched)
		sig_worsen(&j->result, SIG_UNTRUSTED, "no anchor vouches for the signer");
	else if (policy->require_revocation && j->result.revocation != SIG_REVOCATION_CHECKED)
		sig_worsen(&j->result, SIG_UNTRUSTED, "no current CRL for the whole chain");
}

static bool
holds(const struct trust_judgement *j)
{
	return j->vouched && j->result.outcome == SIG_UNKNOWN;
}

/* A chain that holds is the better evidence; a revoked one is never repaired by a pin. */
static const struct trust_judgement *
choose(const struct trust_judgement *chain, const struct trust_judgement *pin)
{
	if (holds(chain) || chain->result.outcome == SIG_REVOKED || !pin)
		return chain;
	return pin;
}

static void
report(const struct trust_judgement *j, struct sig_result *result)
{
	static const char *const revocation[] = {
		[SIG_REVOCATION_NOT_CHECKED] =
		    "revocation not checked: no CRL in the trust set for it",
		[SIG_REVOCATION_CHECKED] = "not revoked",
		[SIG_REVOCATION_STALE] = "revocation in doubt: a CRL is missing or out of date",
		[SIG_REVOCATION_NOT_APPLICABLE] = "",
	};
	bool published = result->signer.published_key;

	result->signer = j->result.signer;
	result->signer.published_key |= published;
	result->revocation = j->result.revocation;
	result->reasons |= j->result.reasons;
	if (!holds(j))
		sig_worsen(result, j->result.outcome, j->result.detail);
	else if (result->detail[0] == '\0')
		snprintf(result->detail, sizeof result->detail, "vouched for by %.120s; %s",
		    j->result.signer.anchor, revocation[j->result.revocation]);
}

int
trust_judge_cert(const struct trust *t, const struct trust_policy *policy, X509 *leaf,
    STACK_OF(X509) * extra, int64_t now, struct sig_result *result)
{
	struct trust_judgement chain = { .vouched = false }, pin = { .vouched = false };
	const struct trust_cert *pinned = NULL;

	EVP_PKEY *pkey = X509_get0_pubkey(leaf);
	if (pkey) /* a chain that OpenSSL gives up on is not looked at link by link */
		result->reasons |= pubkey_reasons(pkey, policy->rsa_bits_min);
	int err = judge_chain(t, policy, leaf, extra, now, &chain);
	if (err)
		return err;
	finish(policy, &chain);
	if (policy->allow_leaf_anchor && chain.result.signer.have_spki)
		pinned = trust_pin_find(t, chain.result.signer.spki_sha256);
	if (pinned) {
		err = trust_pin_judge(t, policy, pinned, now, &pin);
		if (err)
			return err;
		finish(policy, &pin);
	}
	report(choose(&chain, pinned ? &pin : NULL), result);
	return 0;
}
