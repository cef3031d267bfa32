/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cms.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "crypto/cms_ber.h"
#include "crypto/cms_signer.h"
#include "crypto/err.h"
#include "crypto/pubkey.h"

#define LEAN_CERT_MAX 4096 /* a certificate with an RSA-4096 key and its extensions has half of that */
#define CANDIDATES_MAX 8 /* fitting certificates judged for one signer; genuine files have one */

struct cms {
	CMS_ContentInfo *info;
	STACK_OF(X509) * certs; /* sent along; NULL if none */
	bool detached;
	bool lone_signer; /* cms_lone_signer() */
	struct sig_range range;
	enum digest_alg alg[CMS_DIGESTS_MAX];
	unsigned alg_n;
	uint8_t head[CMS_HEAD_LEN];
	size_t head_n;
};

/* What is the same for all signers of one object. */
struct judge {
	struct cms *cms;
	const struct trust *trust;
	const struct trust_policy *policy;
	int64_t now;
	const uint8_t (*digests)[DIGEST_LEN_MAX];
};

static int
refuse(char *ret_why, size_t cap, const char *why)
{
	snprintf(ret_why, cap, "%s", why);
	ERR_clear_error();
	return FG_EFORMAT;
}

/*
 * T5, T8, T9 by our own reading, before OpenSSL sees a byte: what OpenSSL
 * decodes is then already known to be one SignedData of the asked-for kind.
 */
static int
check_outline(struct view der, bool detached, struct cms_ber *ret, char *ret_why, size_t cap)
{
	const char *why = "";
	struct cms_ber outline;
	if (der.n > (detached ? CMS_SIG_MAX : CMS_ATTACHED_MAX))
		return refuse(ret_why, cap, "larger than a CMS object may be");
	if (der.n > 0 && der.p[0] == '-')
		return refuse(ret_why, cap, "PEM armour where the module expects DER");
	if (cms_ber_walk(der, &outline, &why))
		return refuse(ret_why, cap, why);
	if (detached && outline.attached)
		return refuse(ret_why, cap, "a detached signature must not carry content");
	if (!detached && !outline.attached)
		return refuse(ret_why, cap, "no content inside: this is a detached signature");
	if (outline.signers == 0)
		return refuse(ret_why, cap, "no signer: certificates alone prove nothing");
	if (outline.certificates > CMS_CERTS_MAX)
		return refuse(ret_why, cap, "more certificates than any chain needs");
	*ret = outline;
	return 0;
}

/* Both decoders must have read the same thing. */
static bool
readings_agree(const struct cms_ber *outline, CMS_ContentInfo *info)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(info);
	ASN1_OCTET_STRING **content = CMS_get0_content(info);
	if (OBJ_obj2nid(CMS_get0_type(info)) != NID_pkcs7_signed ||
	    OBJ_obj2nid(CMS_get0_eContentType(info)) != NID_pkcs7_data || !content ||
	    sk_CMS_SignerInfo_num(signers) != (int)outline->signers)
		return false;
	if (!outline->attached)
		return CMS_is_detached(info) == 1;
	if (CMS_is_detached(info) != 0 || !*content)
		return false;
	int n = ASN1_STRING_length(*content);
	return n >= 0 &&
	    view_equal(outline->content, view_of(ASN1_STRING_get0_data(*content), (size_t)n));
}

static int
decode(struct cms *c, struct view der, const struct cms_ber *outline, char *ret_why, size_t cap)
{
	const uint8_t *p = der.p;
	c->info = CMS_ContentInfo_new_ex(NULL, PUBKEY_PROPQ);
	if (!c->info)
		return FG_ENOMEM;
	if (!d2i_CMS_ContentInfo(&c->info, &p, (long)der.n))
		return refuse(ret_why, cap, "malformed inside the SignedData");
	if (p != der.p + der.n || !readings_agree(outline, c->info))
		return refuse(ret_why, cap, "ambiguous encoding: two decoders read it differently");
	c->certs = CMS_get1_certs(c->info);
	ERR_clear_error();
	return 0;
}

static void
collect_digests(struct cms *c)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(c->info);
	for (int i = 0; i < sk_CMS_SignerInfo_num(signers) && i < SIG_SIGNERS_MAX; i++) {
		enum digest_alg alg = cms_signer_digest(sk_CMS_SignerInfo_value(signers, i));
		unsigned k = 0;
		while (k < c->alg_n && c->alg[k] != alg)
			k++;
		if (alg != DIGEST_NONE && k == c->alg_n && c->alg_n < CMS_DIGESTS_MAX)
			c->alg[c->alg_n++] = alg;
	}
}

int
cms_open(struct view der, bool detached, struct cms **ret, char *ret_why, size_t cap)
{
	struct cms_ber outline;
	int err = check_outline(der, detached, &outline, ret_why, cap);
	if (err)
		return err;
	struct cms *c = calloc(1, sizeof *c);
	if (!c)
		return FG_ENOMEM;
	c->detached = detached;
	err = decode(c, der, &outline, ret_why, cap);
	if (err) {
		cms_free(c);
		return err;
	}
	if (!detached) {
		c->range = (struct sig_range){ outline.content_offset, outline.content.n };
		cms_content_head(c, outline.content);
	}
	collect_digests(c);
	*ret = c;
	return 0;
}

void
cms_free(struct cms *c)
{
	if (!c)
		return;
	sk_X509_pop_free(c->certs, X509_free);
	CMS_ContentInfo_free(c->info);
	free(c);
}

unsigned
cms_digests(const struct cms *c, enum digest_alg out[CMS_DIGESTS_MAX])
{
	memcpy(out, c->alg, sizeof c->alg);
	return c->alg_n;
}

struct sig_range
cms_content_range(const struct cms *c)
{
	return c->range;
}

struct view
cms_content(const struct cms *c)
{
	if (c->detached)
		return view_of(NULL, 0);
	const ASN1_OCTET_STRING *content = *CMS_get0_content(c->info);
	return view_of(ASN1_STRING_get0_data(content), (size_t)ASN1_STRING_length(content));
}

bool
cms_has_attributes(const struct cms *c)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(c->info);
	for (int i = 0; i < sk_CMS_SignerInfo_num(signers); i++)
		if (cms_signer_has_attributes(sk_CMS_SignerInfo_value(signers, i)))
			return true;
	return false;
}

void
cms_content_head(struct cms *c, struct view head)
{
	c->head_n = head.n < CMS_HEAD_LEN ? head.n : CMS_HEAD_LEN;
	if (c->head_n)
		memcpy(c->head, head.p, c->head_n);
}

void
cms_lone_signer(struct cms *c)
{
	c->lone_signer = true;
}

/* Steps over one length field at p[at]; past the end when it does not fit. */
static size_t
after_length(const uint8_t *p, size_t at)
{
	return at < CMS_HEAD_LEN ? at + 1 + (p[at] > 0x80 ? p[at] & 0x7fu : 0) : at;
}

/*
 * Does the content begin like the DER of a set of attributes (SET of SEQUENCE
 * that starts with an OID)? A genuine signature over such attributes, stripped
 * of them, would fit this "content" (T10).
 */
static bool
looks_like_attributes(const struct cms *c)
{
	const uint8_t *p = c->head;
	if (c->head_n < CMS_HEAD_LEN || p[0] != 0x31)
		return false;
	size_t at = after_length(p, 1);
	if (at >= CMS_HEAD_LEN || p[at] != 0x30)
		return false;
	at = after_length(p, at + 1);
	return at < CMS_HEAD_LEN && p[at] == 0x06;
}

static struct view
digest_for(const struct judge *j, enum digest_alg alg)
{
	for (unsigned i = 0; i < j->cms->alg_n; i++)
		if (j->cms->alg[i] == alg)
			return view_of(j->digests[i], digest_len(alg));
	return view_of(NULL, 0);
}

/* Does the signature fit under this certificate's key? The one place where that is asked. */
static int
try_key(const struct judge *j, CMS_SignerInfo *si, X509 *cert, const struct pubkey_method *method,
    bool *ret_fits)
{
	EVP_PKEY *pkey = X509_get0_pubkey(cert);
	bool rsa = method->padding != PUBKEY_ECDSA;
	*ret_fits = false;
	if (!pkey || pubkey_kind(pkey) != (rsa ? PUBKEY_RSA : PUBKEY_EC) ||
	    EVP_PKEY_get_bits(pkey) > PUBKEY_RSA_BITS_MAX) {
		ERR_clear_error();
		return 0;
	}
	if (cms_signer_has_attributes(si)) {
		CMS_SignerInfo_set1_signer_cert(si, cert);
		*ret_fits = CMS_SignerInfo_verify(si) == 1;
		ERR_clear_error();
		return 0;
	}
	const ASN1_OCTET_STRING *sig = CMS_SignerInfo_get0_signature(si);
	return pubkey_verify(pkey, method, digest_for(j, method->digest),
	    view_of(ASN1_STRING_get0_data(sig), (size_t)ASN1_STRING_length(sig)), ret_fits);
}

/* What all candidates for one signer have come to. */
struct search {
	const struct pubkey_method *method;
	bool found;    /* a certificate bore the signer's identifier */
	unsigned fits; /* of them, those whose key the signature fitted */
	struct sig_result best;
};

/*
 * T14: the identifier only selects candidates, and a file may carry several
 * certificates under one identifier. The best-vouched of those whose key fits
 * is the signer.
 */
static int
try_candidate(const struct judge *j, CMS_SignerInfo *si, X509 *cert, const struct sig_result *base,
    struct search *s)
{
	bool fits = false;
	if (CMS_SignerInfo_cert_cmp(si, cert) != 0)
		return 0;
	s->found = true;
	if (s->fits == CANDIDATES_MAX || (s->fits > 0 && s->best.outcome == base->outcome))
		return 0;
	int err = try_key(j, si, cert, s->method, &fits);
	if (err || !fits)
		return err;
	struct sig_result r = *base;
	STACK_OF(X509) *path = j->cms->lone_signer ? NULL : j->cms->certs;
	err = trust_judge_cert(j->trust, j->policy, cert, path, j->now, &r);
	if (err)
		return err;
	if (s->fits == 0 || r.outcome == base->outcome)
		s->best = r;
	s->fits++;
	return 0;
}

static int
find_signer(const struct judge *j, CMS_SignerInfo *si, const struct pubkey_method *method,
    struct sig_result *result)
{
	struct search s = { .method = method };
	X509 *cert;
	int err = 0;
	for (int i = 0; !err && i < sk_X509_num(j->cms->certs); i++)
		err = try_candidate(j, si, sk_X509_value(j->cms->certs, i), result, &s);
	for (size_t i = 0; !err && !j->cms->lone_signer && (cert = trust_cert_at(j->trust, i)); i++)
		err = try_candidate(j, si, cert, result, &s);
	if (err)
		return err;
	if (s.fits > 0)
		*result = s.best;
	else if (s.found)
		sig_worsen(result, SIG_INVALID, "the signature does not fit the signer's key");
	else
		sig_worsen(result, SIG_UNTRUSTED,
		    "the signer's certificate is neither in the signature nor in the trust set");
	/* Verified is said here and nowhere else: the arithmetic fits, and nobody objected. */
	if (s.fits > 0 && result->outcome == SIG_UNKNOWN)
		result->outcome = SIG_VERIFIED;
	return 0;
}

static int
judge_signer(const struct judge *j, CMS_SignerInfo *si, struct sig_result *result)
{
	struct pubkey_method method;
	result->digest = cms_signer_digest(si);
	if (!cms_signer_method(si, &method, result))
		return 0;
	if (!digest_is_strong(method.digest)) {
		char text[SIG_TEXT_MAX];
		snprintf(text, sizeof text, "digest %s is too weak to sign with",
		    digest_name(method.digest));
		sig_worsen(result, SIG_WEAK, text); /* T4 */
		result->reasons |= SIG_REASON_WEAK_DIGEST;
	}
	if (cms_signer_has_attributes(si)) {
		if (!cms_signer_attributes(si, digest_for(j, method.digest), result))
			return 0;
	} else if (looks_like_attributes(j->cms)) {
		sig_worsen(
		    result, SIG_INVALID, "the content could be another signature's attributes");
		return 0;
	}
	return find_signer(j, si, &method, result);
}

/* T6: two signatures by one key are one person's word. */
static void
flag_duplicates(struct sig_set *set)
{
	for (unsigned i = 1; i < set->n; i++) {
		struct sig_result *r = &set->result[i];
		for (unsigned k = 0; k < i; k++) {
			const struct sig_signer *other = &set->result[k].signer;
			if (!r->signer.have_spki || !other->have_spki ||
			    memcmp(r->signer.spki_sha256, other->spki_sha256, DIGEST_SHA256_LEN) !=
				0)
				continue;
			char text[SIG_TEXT_MAX];
			snprintf(text, sizeof text, "same key as signature %u; %.200s", k + 1,
			    r->detail);
			memcpy(r->detail, text, sizeof r->detail);
			break;
		}
	}
}

int
cms_judge(struct cms *c, const struct trust *t, const struct trust_policy *policy, int64_t now,
    const uint8_t (*digests)[DIGEST_LEN_MAX], const struct sig_range *covers, unsigned covers_n,
    struct sig_set *ret)
{
	struct judge j = { .cms = c, .trust = t, .policy = policy, .now = now, .digests = digests };
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(c->info);
	int total = sk_CMS_SignerInfo_num(signers);
	if (covers_n > SIG_COVERS_MAX)
		abort();
	struct sig_set *set = calloc(1, sizeof *set);
	if (!set)
		return FG_ENOMEM;
	set->overflow = total > SIG_SIGNERS_MAX;

	int err = 0;
	while (!err && set->n < SIG_SIGNERS_MAX && (int)set->n < total) {
		struct sig_result *r = &set->result[set->n];
		snprintf(
		    r->scheme, sizeof r->scheme, "cms-%s", c->detached ? "detached" : "attached");
		if (covers_n)
			memcpy(r->covers, covers, covers_n * sizeof *covers);
		r->covers_n = covers_n;
		err = judge_signer(&j, sk_CMS_SignerInfo_value(signers, (int)set->n), r);
		set->n++;
	}
	if (!err) {
		flag_duplicates(set);
		*ret = *set;
	}
	free(set);
	return err;
}

/* A signer's certificate, or the issuer, by name, of another one that was sent along. */
static bool
is_needed(const struct cms *c, X509 *cert)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(c->info);
	for (int i = 0; i < sk_CMS_SignerInfo_num(signers); i++)
		if (CMS_SignerInfo_cert_cmp(sk_CMS_SignerInfo_value(signers, i), cert) == 0)
			return true;
	for (int i = 0; i < sk_X509_num(c->certs); i++) {
		X509 *other = sk_X509_value(c->certs, i);
		if (other != cert && X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(other)) == 0)
			return true;
	}
	return false;
}

static bool
made_by(X509 *cert, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	return key && X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0 &&
	    X509_verify(cert, key) == 1;
}

/* By the trust set alone: one of it, byte for byte; made with a key of it, be that its own. */
static bool
is_enrolled(const struct trust *t, X509 *cert)
{
	X509 *of;
	for (size_t i = 0; (of = trust_cert_at(t, i)); i++) {
		EVP_PKEY *key = X509_get0_pubkey(of);
		if (X509_cmp(of, cert) == 0 || made_by(cert, of) ||
		    (key && EVP_PKEY_eq(key, X509_get0_pubkey(cert)) == 1 && X509_verify(cert, key) == 1))
			return true;
	}
	return false;
}

/*
 * Whether the trust set answers for every certificate, over others that were sent along where it has to be. A name, a
 * serial number, a public key say nothing: they can be copied into a certificate of anybody's making.
 */
static bool
all_answered_for(const struct cms *c, const struct trust *t)
{
	bool known[CMS_CERTS_MAX] = { false }, more = true;
	int n = sk_X509_num(c->certs), left = n > 0 ? n : 0;
	if (n > CMS_CERTS_MAX)
		return false;
	for (int i = 0; i < n; i++)
		left -= known[i] = is_enrolled(t, sk_X509_value(c->certs, i));
	while (left > 0 && more) {
		more = false;
		for (int i = 0; i < n; i++)
			for (int k = 0; k < n && !known[i]; k++)
				if (known[k] && made_by(sk_X509_value(c->certs, i), sk_X509_value(c->certs, k))) {
					known[i] = more = true;
					left--;
				}
	}
	return left == 0;
}

bool
cms_is_lean(const struct cms *c, const struct trust *t)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(c->info);
	for (int i = 0; i < sk_CMS_SignerInfo_num(signers); i++)
		if (CMS_unsigned_get_attr_count(sk_CMS_SignerInfo_value(signers, i)) > 0)
			return false;
	STACK_OF(X509_CRL) *crls = CMS_get1_crls(c->info);
	bool lean = sk_X509_CRL_num(crls) <= 0;
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	for (int i = 0; i < sk_X509_num(c->certs) && lean; i++) {
		X509 *cert = sk_X509_value(c->certs, i);
		lean = is_needed(c, cert) && i2d_X509(cert, NULL) <= LEAN_CERT_MAX;
	}
	lean = lean && (!t || all_answered_for(c, t));
	ERR_clear_error();
	return lean;
}
