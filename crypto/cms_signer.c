/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cms_signer.h"

#include <stdio.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "crypto/certinfo.h"

#define EXACTLY_ONE (-3)    /* lastpos of CMS_signed_get0_data_by_OBJ: one attribute, one value */
#define PSS_SALT_DEFAULT 20 /* RFC 4055 3.1 */

static enum digest_alg
digest_of_nid(int nid)
{
	switch (nid) {
	case NID_md5:
		return DIGEST_MD5;
	case NID_sha1:
		return DIGEST_SHA1;
	case NID_sha256:
		return DIGEST_SHA256;
	case NID_sha384:
		return DIGEST_SHA384;
	case NID_sha512:
		return DIGEST_SHA512;
	default:
		return DIGEST_NONE;
	}
}

static enum digest_alg
digest_of(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *oid;
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	return digest_of_nid(OBJ_obj2nid(oid));
}

enum digest_alg
cms_signer_digest(CMS_SignerInfo *si)
{
	X509_ALGOR *alg;
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &alg, NULL);
	return digest_of(alg);
}

static bool
unsupported(struct sig_result *result, const X509_ALGOR *alg, const char *as)
{
	char name[80], text[SIG_TEXT_MAX];
	const ASN1_OBJECT *oid;
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	if (OBJ_obj2txt(name, sizeof name, oid, 0) <= 0)
		snprintf(name, sizeof name, "unknown");
	snprintf(text, sizeof text, "unsupported %s: %s in CMS", as, name);
	sig_worsen(result, SIG_OPAQUE, text);
	return false;
}

static bool
contradicts(struct sig_result *result, const char *text)
{
	sig_worsen(result, SIG_INVALID, text);
	return false;
}

/* The hash inside an MGF1 AlgorithmIdentifier; absent means SHA-1 (RFC 4055 3.1). */
static enum digest_alg
mgf1_digest(const X509_ALGOR *mgf)
{
	const ASN1_OBJECT *oid;
	const void *value;
	int type;
	if (!mgf)
		return DIGEST_SHA1;
	X509_ALGOR_get0(&oid, &type, &value, mgf);
	if (OBJ_obj2nid(oid) != NID_mgf1 || type != V_ASN1_SEQUENCE)
		return DIGEST_NONE;
	X509_ALGOR *hash = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
	enum digest_alg alg = hash ? digest_of(hash) : DIGEST_NONE;
	X509_ALGOR_free(hash);
	return alg;
}

static bool
pss_salt(const RSA_PSS_PARAMS *pss, unsigned *ret)
{
	int64_t salt = PSS_SALT_DEFAULT, trailer = 1;
	if (pss->saltLength && ASN1_INTEGER_get_int64(&salt, pss->saltLength) != 1)
		return false;
	if (pss->trailerField && ASN1_INTEGER_get_int64(&trailer, pss->trailerField) != 1)
		return false;
	if (salt < 0 || salt > PUBKEY_RSA_BITS_MAX / 8 || trailer != 1)
		return false;
	*ret = (unsigned)salt;
	return true;
}

/* T15: what the parameters say is what will be asked of the arithmetic, no more and no less. */
static bool
pss_method(const X509_ALGOR *alg, struct pubkey_method *method, struct sig_result *result)
{
	const void *value;
	int type;
	X509_ALGOR_get0(NULL, &type, &value, alg);
	RSA_PSS_PARAMS *pss = type == V_ASN1_SEQUENCE
	    ? ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS))
	    : NULL;
	if (!pss)
		return contradicts(result, "RSA-PSS without well-formed parameters");
	enum digest_alg hash = pss->hashAlgorithm ? digest_of(pss->hashAlgorithm) : DIGEST_SHA1;
	enum digest_alg mgf1 = mgf1_digest(pss->maskGenAlgorithm);
	bool salted = pss_salt(pss, &method->salt_len);
	RSA_PSS_PARAMS_free(pss);
	if (hash != method->digest || mgf1 != method->digest)
		return contradicts(
		    result, "RSA-PSS with another hash or MGF1 hash than the signer's digest");
	if (!salted)
		return contradicts(result, "RSA-PSS with an impossible salt length or trailer");
	if (method->salt_len < digest_len(method->digest)) {
		sig_worsen(result, SIG_WEAK, "RSA-PSS salt is shorter than the digest");
		result->reasons |= SIG_REASON_PSS_SALT;
	}
	method->padding = PUBKEY_RSA_PSS;
	return true;
}

/* NULL or nothing: all that these algorithms may carry (RFC 5754). */
static bool
has_parameters(const X509_ALGOR *alg)
{
	const void *value;
	int type;
	X509_ALGOR_get0(NULL, &type, &value, alg);
	return type != V_ASN1_UNDEF && type != V_ASN1_NULL;
}

bool
cms_signer_method(CMS_SignerInfo *si, struct pubkey_method *ret, struct sig_result *result)
{
	X509_ALGOR *digest_id, *signature_id;
	const ASN1_OBJECT *oid;
	int digest_nid = NID_undef, key_nid = NID_undef;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest_id, &signature_id);
	X509_ALGOR_get0(&oid, NULL, NULL, signature_id);
	int nid = OBJ_obj2nid(oid);
	struct pubkey_method method = { .digest = digest_of(digest_id) };
	if (nid == NID_ED25519 || nid == NID_ED448)
		return unsupported(result, signature_id, "scheme");
	if (method.digest == DIGEST_NONE)
		return unsupported(result, digest_id, "digest");

	if (has_parameters(digest_id) || (nid != NID_rsassaPss && has_parameters(signature_id)))
		return contradicts(result, "an algorithm with parameters it does not have");

	if (nid == NID_rsassaPss) {
		if (!pss_method(signature_id, &method, result))
			return false;
	} else if (nid == NID_rsaEncryption) {
		method.padding = PUBKEY_RSA_PKCS1;
	} else {
		if (OBJ_find_sigid_algs(nid, &digest_nid, &key_nid) != 1 ||
		    (key_nid != NID_rsaEncryption && key_nid != NID_X9_62_id_ecPublicKey))
			return unsupported(result, signature_id, "scheme");
		if (digest_of_nid(digest_nid) != method.digest)
			return contradicts(
			    result, "signature algorithm and digest algorithm disagree");
		method.padding = key_nid == NID_rsaEncryption ? PUBKEY_RSA_PKCS1 : PUBKEY_ECDSA;
	}
	*ret = method;
	return true;
}

bool
cms_signer_has_attributes(CMS_SignerInfo *si)
{
	return CMS_signed_get_attr_count(si) >= 0;
}

static void
take_claimed_time(CMS_SignerInfo *si, struct sig_result *result)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_pkcs9_signingTime);
	const ASN1_TIME *time = CMS_signed_get0_data_by_OBJ(si, oid, EXACTLY_ONE, V_ASN1_UTCTIME);
	if (!time)
		time = CMS_signed_get0_data_by_OBJ(si, oid, EXACTLY_ONE, V_ASN1_GENERALIZEDTIME);
	if (time && certinfo_time(time, &result->claimed_time) == 0)
		result->have_claimed_time = true;
	ERR_clear_error();
}

bool
cms_signer_attributes(CMS_SignerInfo *si, struct view digest, struct sig_result *result)
{
	const ASN1_OBJECT *type = CMS_signed_get0_data_by_OBJ(
	    si, OBJ_nid2obj(NID_pkcs9_contentType), EXACTLY_ONE, V_ASN1_OBJECT);
	const ASN1_OCTET_STRING *md = CMS_signed_get0_data_by_OBJ(
	    si, OBJ_nid2obj(NID_pkcs9_messageDigest), EXACTLY_ONE, V_ASN1_OCTET_STRING);

	take_claimed_time(si, result);
	ERR_clear_error();
	if (!type || OBJ_obj2nid(type) != NID_pkcs7_data) {
		sig_worsen(result, SIG_INVALID,
		    "signed attributes without exactly one content-type pkcs7-data");
		return false;
	}
	if (!md) {
		sig_worsen(
		    result, SIG_INVALID, "signed attributes without exactly one messageDigest");
		return false;
	}
	int n = ASN1_STRING_length(md);
	if (n < 0 || !view_equal(view_of(ASN1_STRING_get0_data(md), (size_t)n), digest)) {
		sig_worsen(result, SIG_INVALID, "the signed digest is not the content's");
		return false;
	}
	return true;
}
