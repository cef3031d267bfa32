/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS over the objects of tests/vectors/pki.sh (stock openssl, GnuTLS) and over
 * RAUC's and LVFS's own signatures. Traps T1, T4-T11, T14, T15, T19 of the
 * signature paper, an accept and a reject each.
 */
#include "unit/crypto/pki.h"

#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/cms.h>

#include "crypto/cms.h"
#include "crypto/err.h"
#include "crypto/writer.h"

static const struct trust_policy firmware = { .purpose = TRUST_PURPOSE_FIRMWARE };
static const struct trust_policy code_signing = { .purpose = TRUST_PURPOSE_CODE_SIGNING };
static const struct trust_policy email = { .purpose = TRUST_PURPOSE_EMAIL };
static const struct trust_policy pin = { .purpose = TRUST_PURPOSE_FIRMWARE,
	.allow_leaf_anchor = true };

/* Opens, hashes, judges. Aborts the test unless the object opens. */
static struct sig_set
judge_as(struct view der, bool detached, struct view content, const struct trust *t,
    const struct trust_policy *policy, int64_t now, bool lone)
{
	char why[SIG_TEXT_MAX] = "";
	struct cms *c = NULL;
	struct sig_set set;
	enum digest_alg alg[CMS_DIGESTS_MAX];
	uint8_t digests[CMS_DIGESTS_MAX][DIGEST_LEN_MAX];
	if (cms_open(der, detached, &c, why, sizeof why))
		fail_msg("does not open: %s", why);
	if (detached)
		cms_content_head(c, content);
	else
		content = cms_content(c);
	if (lone)
		cms_lone_signer(c);
	unsigned n = cms_digests(c, alg);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(digest_bytes(alg[i], content, digests[i]), 0);
	struct sig_range covers = { 0, content.n };
	if (!detached)
		covers = cms_content_range(c);
	memset(&set, 0xa5, sizeof set);
	assert_int_equal(cms_judge(c, t, policy, now, (const uint8_t(*)[DIGEST_LEN_MAX])digests,
			     &covers, 1, &set),
	    0);
	cms_free(c);
	return set;
}

static struct sig_set
judge(struct view der, bool detached, struct view content, const struct trust *t,
    const struct trust_policy *policy, int64_t now)
{
	return judge_as(der, detached, content, t, policy, now, false);
}

/* Object over data, both by name, under the named set. */
static struct sig_set
judge_files(
    const char *object, const char *data, const char *trust, const struct trust_policy *policy)
{
	char path[256];
	struct pki_blob content = { NULL, 0 };
	struct trust *t = pki_trust(trust);
	snprintf(path, sizeof path, "cms/%s.der", object);
	struct pki_blob der = pki_load(path);
	if (data) {
		snprintf(path, sizeof path, "data/%s", data);
		content = pki_load(path);
	}
	struct sig_set set =
	    judge(pki_view(&der), data != NULL, pki_view(&content), t, policy, PKI_NOW);
	free(der.p);
	free(content.p);
	trust_free(t);
	return set;
}

static struct sig_result
expect(enum sig_outcome outcome, const char *object, const char *data, const char *trust,
    const struct trust_policy *policy)
{
	struct sig_set set = judge_files(object, data, trust, policy);
	assert_int_equal(set.n, 1);
	assert_false(set.overflow);
	pki_outcome(&set.result[0], outcome, object);
	return set.result[0];
}

#define SET "root inter"

static void
facts_of_a_good_signature(void **state)
{
	(void)state;
	struct sig_result r =
	    expect(SIG_VERIFIED, "code", "firmware", "root inter crl-root crl-inter", &firmware);
	assert_string_equal(r.scheme, "cms-detached");
	assert_int_equal(r.digest, DIGEST_SHA256);
	assert_int_equal(r.revocation, SIG_REVOCATION_CHECKED);
	assert_string_equal(r.signer.subject, "O=Vendor, CN=Code signer");
	assert_string_equal(r.signer.anchor, "root");
	assert_true(r.have_claimed_time);
	assert_true(r.claimed_time > INT64_C(1600000000));
	assert_int_equal(r.covers_n, 1);
	assert_int_equal(r.covers[0].offset, 0);
	assert_int_equal(r.covers[0].length, 6000);
	expect(SIG_VERIFIED, "code", "firmware", "root", &firmware);
}

static bool
is_lean(const char *object, const char *trust)
{
	char path[256], why[SIG_TEXT_MAX] = "";
	struct cms *c = NULL;
	struct trust *t = trust ? pki_trust(trust) : NULL;
	snprintf(path, sizeof path, "cms/%s.der", object);
	struct pki_blob der = pki_load(path);
	assert_int_equal(cms_open(pki_view(&der), true, &c, why, sizeof why), 0);
	bool lean = cms_is_lean(c, t);
	cms_free(c);
	free(der.p);
	trust_free(t);
	return lean;
}

static void
a_lean_signature_carries_only_what_the_set_answers_for(void **state)
{
	(void)state;
	static const struct {
		const char *object, *trust;
		bool by_name, lean;
	} cases[] = {
		{ "code", "root", true, true },
		{ "code", "inter", true, true },
		{ "code", "root inter", true, true },
		{ "with-root", "root", true, true },
		{ "self-lone", "self", true, true },
		{ "self-lone", "self-expired", true, true }, /* the same key, another certificate */
		{ "code", "code", true, false },             /* a pinned signer does not answer for its issuer */
		{ "code", "other-root", true, false },
		{ "with-root", "inter", true, false },
		{ "with-impostor-ca", "root inter", true, false },
		{ "with-copied-ca", "root inter", true, false },
		{ "with-copied-chain", "root inter", true, false },
		{ "with-impostor", "root inter", true, false },
		{ "self-lone", "root", true, false },
		{ "other-root", "other-root root", false, false }, /* nobody's issuer */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (is_lean(cases[i].object, NULL) != cases[i].by_name)
			fail_msg("%s by name", cases[i].object);
		if (is_lean(cases[i].object, cases[i].trust) != cases[i].lean)
			fail_msg("%s under %s", cases[i].object, cases[i].trust);
	}
	/* What was added changes nothing about the signature itself. */
	expect(SIG_VERIFIED, "with-copied-chain", "firmware", SET, &firmware);
	expect(SIG_VERIFIED, "with-impostor", "firmware", SET, &firmware);
}

static void
keys_and_digests_of_the_allow_list_verify(void **state)
{
	(void)state;
	assert_int_equal(
	    expect(SIG_VERIFIED, "sha384", "firmware", SET, &firmware).digest, DIGEST_SHA384);
	assert_int_equal(
	    expect(SIG_VERIFIED, "sha512", "firmware", SET, &firmware).digest, DIGEST_SHA512);
	expect(SIG_VERIFIED, "email", "firmware", SET, &firmware);
	expect(SIG_VERIFIED, "p384", "firmware", SET, &firmware);
}

/* cms_lone_signer(): the signer must be sent along, and nothing else that is counts. */
static void
a_lone_signer_has_its_chain_in_the_set(void **state)
{
	(void)state;
	static const struct {
		const char *object, *trust;
		enum sig_outcome outcome;
	} rows[] = {
		{ "cms/code.der", "root inter", SIG_VERIFIED },
		{ "cms/code.der", "root", SIG_UNTRUSTED },
		{ "cms/other-root.der", "root inter", SIG_UNTRUSTED },
		{ "cms/nocerts.der", "root inter code", SIG_UNTRUSTED },
	};
	struct pki_blob content = pki_load("data/firmware");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pki_blob der = pki_load(rows[i].object);
		struct trust *t = pki_trust(rows[i].trust);
		struct sig_set set = judge_as(
		    pki_view(&der), true, pki_view(&content), t, &firmware, PKI_NOW, true);
		pki_outcome(&set.result[0], rows[i].outcome, rows[i].object);
		trust_free(t);
		free(der.p);
	}
	free(content.p);
}

static void
every_outcome_of_the_chain_comes_through(void **state)
{
	(void)state;
	expect(SIG_INVALID, "code", "lf", SET, &firmware);
	expect(SIG_EXPIRED, "expired", "firmware", SET, &firmware);
	expect(SIG_EXPIRED, "notyet", "firmware", SET, &firmware);
	expect(SIG_REVOKED, "revoked", "firmware", "root inter crl-root crl-inter", &firmware);
	expect(SIG_WEAK, "rsa1024", "firmware", SET, &firmware);
	expect(SIG_WEAK, "p521", "firmware", SET, &firmware);
	expect(SIG_WEAK, "sha1", "firmware", SET, &firmware);
	expect(SIG_UNTRUSTED, "other", "firmware", SET, &firmware);
	expect(SIG_UNTRUSTED, "other-root", "firmware", SET, &firmware);
	expect(SIG_UNTRUSTED, "tls", "firmware", SET, &firmware);
	expect(SIG_UNTRUSTED, "self", "firmware", SET, &pin);
	expect(SIG_VERIFIED, "self", "firmware", "self", &pin);
	expect(SIG_UNTRUSTED, "under-tlsca", "firmware", "root", &code_signing);
	expect(SIG_UNTRUSTED, "under-v1ca", "firmware", "root", &firmware);
	expect(SIG_UNTRUSTED, "under-muteca", "firmware", "root", &firmware);
}

static void
nothing_is_said_about_a_signer_whose_signature_does_not_fit(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_INVALID, "code", "other", SET, &firmware);
	assert_false(r.signer.have_spki);
	assert_string_equal(r.signer.subject, "");
}

/* ---- T1 ------------------------------------------------------------------ */

static void
T1_accept_the_bytes_that_were_signed(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, "code-lf", "lf", SET, &firmware);
}

static void
T1_reject_the_crlf_twin_and_text_canonical_signatures(void **state)
{
	(void)state;
	expect(SIG_INVALID, "code-lf", "crlf", SET, &firmware);
	/* Made without -binary: what was signed is the CRLF form, whatever the file says. */
	expect(SIG_INVALID, "canonical", "lf", SET, &firmware);
	expect(SIG_VERIFIED, "canonical", "crlf", SET, &firmware);
	/* Text mode adds a MIME header; it is part of the content, not markup. */
	struct sig_set set = judge_files("text", NULL, SET, &firmware);
	pki_outcome(&set.result[0], SIG_VERIFIED, "text");
	assert_int_not_equal(set.result[0].covers[0].length, 8);
}

/* ---- T4 ------------------------------------------------------------------ */

static void
T4_accept_sha2(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, "code", "firmware", SET, &firmware);
}

static void
T4_reject_md5_and_sha1_though_they_fit(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_WEAK, "md5", "firmware", SET, &firmware);
	assert_int_equal(r.digest, DIGEST_MD5);
	assert_non_null(strstr(r.detail, "md5"));
	assert_true(r.signer.have_spki); /* it did fit */
	r = expect(SIG_WEAK, "sha1-digest", "firmware", SET, &firmware);
	assert_int_equal(r.digest, DIGEST_SHA1);
	expect(SIG_WEAK, "sha1-noattr", "firmware", SET, &firmware);
	/* Wrong and weak is wrong. */
	expect(SIG_INVALID, "md5", "lf", SET, &firmware);
	expect(SIG_INVALID, "sha1-noattr", "lf", SET, &firmware);
}

static void
T4_reject_a_digest_nobody_here_knows(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_OPAQUE, "sha224", "firmware", SET, &firmware);
	assert_non_null(strstr(r.detail, "sha224"));
}

/* ---- T5, T8, T9: opening ------------------------------------------------- */

static void
expect_closed(struct view der, bool detached, const char *says)
{
	char why[SIG_TEXT_MAX] = "";
	struct cms *c = NULL;
	int err = cms_open(der, detached, &c, why, sizeof why);
	if (err != FG_EFORMAT || c)
		fail_msg("opened (%d), should have said %s", err, says);
	if (!strstr(why, says))
		fail_msg("\"%s\" does not say \"%s\"", why, says);
}

static void
expect_file_closed(const char *object, bool detached, const char *says)
{
	char path[256];
	snprintf(path, sizeof path, "cms/%s.der", object);
	struct pki_blob der = pki_load(path);
	expect_closed(pki_view(&der), detached, says);
	free(der.p);
}

static void
T5_accept_the_object_to_its_last_byte(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, "code", "firmware", SET, &firmware);
}

static void
T5_reject_trailing_bytes_and_cut_objects(void **state)
{
	(void)state;
	struct pki_blob der = pki_load("cms/email.der");
	uint8_t *longer = malloc(der.n + 4);
	assert_non_null(longer);
	memcpy(longer, der.p, der.n);
	memcpy(longer + der.n, "JUNK", 4);
	expect_closed(view_of(longer, der.n + 4), true, "trailing bytes");
	expect_closed(view_of(longer, der.n + 1), true, "trailing bytes");
	memset(longer + der.n, 0, 4);
	expect_closed(view_of(longer, der.n + 2), true, "trailing bytes");
	for (size_t n = 0; n < der.n; n++)
		expect_closed(view_of(longer, n), true, "");
	free(longer);
	free(der.p);
}

static void
T8_accept_attached_as_attached(void **state)
{
	(void)state;
	struct pki_blob der = pki_load("cms/attached.der");
	struct pki_blob lf = pki_load("data/lf");
	char why[SIG_TEXT_MAX];
	struct cms *c = NULL;
	assert_int_equal(cms_open(pki_view(&der), false, &c, why, sizeof why), 0);
	struct sig_range range = cms_content_range(c);
	assert_true(view_equal(cms_content(c), pki_view(&lf)));
	assert_true(view_equal(view_of(der.p + range.offset, range.length), pki_view(&lf)));
	cms_free(c);
	struct sig_result r = expect(SIG_VERIFIED, "attached", NULL, SET, &firmware);
	assert_string_equal(r.scheme, "cms-attached");
	assert_int_equal(r.covers[0].offset, range.offset);
	assert_int_equal(r.covers[0].length, range.length);
	/* Indefinite lengths, as streaming signers write. */
	expect(SIG_VERIFIED, "attached-stream", NULL, SET, &firmware);
	expect(SIG_VERIFIED, "attached-noattr", NULL, SET, &firmware);
	free(der.p);
	free(lf.p);
}

static void
T8_reject_both_mixes(void **state)
{
	(void)state;
	expect_file_closed("attached", true, "must not carry content");
	expect_file_closed("attached-stream", true, "must not carry content");
	expect_file_closed("code", false, "detached");
}

static void
T8_reject_other_types(void **state)
{
	(void)state;
	expect_file_closed("data", true, "not CMS SignedData");
	expect_file_closed("data", false, "not CMS SignedData");
	expect_file_closed("digested", false, "not CMS SignedData");
	expect_file_closed("other-type", true, "not of type pkcs7-data");
	expect_closed(view_str("-----BEGIN CMS-----\n"), true, "PEM");
	expect_closed(view_str("garbage"), true, "not a DER SEQUENCE");
	expect_closed(view_of(NULL, 0), true, "");
}

static void
T9_accept_one_signer(void **state)
{
	(void)state;
	assert_int_equal(judge_files("code", "firmware", SET, &firmware).n, 1);
}

static void
T9_reject_certificates_without_a_signer(void **state)
{
	(void)state;
	expect_file_closed("certs-only", true, "no signer");
}

static void
an_object_has_a_limit_for_its_kind(void **state)
{
	(void)state;
	uint8_t *big = calloc(1, CMS_SIG_MAX + 1);
	assert_non_null(big);
	expect_closed(view_of(big, CMS_SIG_MAX + 1), true, "larger");
	expect_closed(view_of(big, (size_t)CMS_ATTACHED_MAX + 1), false, "larger"); /* not read */
	free(big);
}

/* ---- T6 ------------------------------------------------------------------ */

static void
T6_accept_two_signers_each_for_itself(void **state)
{
	(void)state;
	struct sig_set set = judge_files("two", "firmware", SET, &firmware);
	assert_int_equal(set.n, 2);
	pki_outcome(&set.result[0], SIG_VERIFIED, "first");
	pki_outcome(&set.result[1], SIG_VERIFIED, "second");
	assert_memory_not_equal(
	    set.result[0].signer.spki_sha256, set.result[1].signer.spki_sha256, 32);
	assert_null(strstr(set.result[0].detail, "same key"));
	assert_null(strstr(set.result[1].detail, "same key"));
}

static void
T6_reject_the_unknown_second_signer_and_say_who_signed_twice(void **state)
{
	(void)state;
	unsigned good = 0, unknown = 0, twice = 0;
	struct sig_set set = judge_files("two-one-unknown", "firmware", SET, &firmware);
	assert_int_equal(set.n, 2);
	for (unsigned i = 0; i < set.n; i++) {
		good += set.result[i].outcome == SIG_VERIFIED;
		unknown += set.result[i].outcome == SIG_UNTRUSTED;
	}
	assert_int_equal(good, 1);
	assert_int_equal(unknown, 1);

	set = judge_files("twice", "firmware", SET, &firmware);
	assert_int_equal(set.n, 2);
	for (unsigned i = 0; i < set.n; i++)
		twice += strstr(set.result[i].detail, "same key as signature 1") != NULL;
	assert_int_equal(twice, 1);

	set = judge_files("seventeen", "firmware", SET, &firmware);
	assert_int_equal(set.n, SIG_SIGNERS_MAX);
	assert_true(set.overflow);
}

/* ---- T7 ------------------------------------------------------------------ */

static CMS_ContentInfo *
sign_digest(const char *signer, const uint8_t md[32], const char *claimed_time,
    const ASN1_OBJECT *type, int md_n)
{
	X509 *cert = pki_cert(signer);
	EVP_PKEY *key = pki_private(strcmp(signer, "code") == 0 ? "code" : "leaf");
	CMS_ContentInfo *ci =
	    CMS_sign(NULL, NULL, NULL, NULL, CMS_DETACHED | CMS_PARTIAL | CMS_BINARY);
	CMS_SignerInfo *si =
	    CMS_add1_signer(ci, cert, key, EVP_sha256(), CMS_PARTIAL | CMS_NOSMIMECAP);
	assert_non_null(si);
	if (!type)
		type = OBJ_nid2obj(NID_pkcs7_data);
	assert_int_equal(
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, md, md_n),
	    1);
	/* CMS_add1_signer has put a content-type there. */
	int at = CMS_signed_get_attr_by_NID(si, NID_pkcs9_contentType, -1);
	if (at >= 0)
		X509_ATTRIBUTE_free(CMS_signed_delete_attr(si, at));
	assert_int_equal(
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_contentType, V_ASN1_OBJECT, type, -1), 1);
	if (claimed_time) {
		ASN1_TIME *time = ASN1_TIME_new();
		assert_int_equal(ASN1_TIME_set_string_X509(time, claimed_time), 1);
		assert_int_equal(
		    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, time->type, time, -1),
		    1);
		ASN1_TIME_free(time);
	}
	assert_int_equal(CMS_SignerInfo_sign(si), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ci;
}

/* Judges ci against a content of which only the digest is known. */
static struct sig_result
judge_built(CMS_ContentInfo *ci, const uint8_t md[32], struct sig_range covers)
{
	char why[SIG_TEXT_MAX] = "";
	uint8_t digests[CMS_DIGESTS_MAX][DIGEST_LEN_MAX] = { { 0 } };
	enum digest_alg alg[CMS_DIGESTS_MAX];
	uint8_t *der = NULL;
	struct cms *c = NULL;
	struct sig_set set;
	int n = i2d_CMS_ContentInfo(ci, &der);
	assert_true(n > 0);
	if (cms_open(view_of(der, (size_t)n), true, &c, why, sizeof why))
		fail_msg("%s", why);
	assert_int_equal(cms_digests(c, alg), 1);
	assert_int_equal(alg[0], DIGEST_SHA256);
	memcpy(digests[0], md, 32);
	struct trust *t = pki_trust(SET);
	assert_int_equal(cms_judge(c, t, &firmware, PKI_NOW,
			     (const uint8_t(*)[DIGEST_LEN_MAX])digests, &covers, 1, &set),
	    0);
	trust_free(t);
	cms_free(c);
	OPENSSL_free(der);
	return set.result[0];
}

/* More than 2 GiB, so that an int of it would be negative, and not a power of two. */
#define HUGE ((UINT64_C(1) << 31) + 4097)

/* HUGE bytes in one run of addresses: the same 2 MiB over and over. */
static uint8_t *
map_huge(void)
{
	const size_t step = 2u << 20;
	int fd = memfd_create("huge", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)step), 0);
	assert_int_equal(pwrite(fd, "begin", 5, 0), 5);
	uint8_t *p =
	    mmap(NULL, HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(p != MAP_FAILED);
	for (uint64_t at = 0; at < HUGE; at += step) {
		size_t n = HUGE - at < step ? (size_t)(HUGE - at) : step;
		assert_true(
		    mmap(p + at, n, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	}
	close(fd);
	return p;
}

static void
hash_both(const uint8_t *p, uint8_t whole[32], uint8_t prefix[32])
{
	struct digest *d = digest_new(DIGEST_SHA256);
	assert_non_null(d);
	assert_int_equal(
	    digest_update(d, view_of(p, 4097)), 0); /* what a cut to 31 bits would leave */
	assert_int_equal(digest_peek(d, prefix), 0);
	assert_int_equal(digest_update(d, view_of(p + 4097, HUGE - 4097)), 0);
	assert_int_equal(digest_final(d, whole), 0);
	digest_free(d);
}

static void
T7_accept_and_reject_beyond_two_gibibytes(void **state)
{
	(void)state;
	uint8_t whole[32], prefix[32];
	uint8_t *p = map_huge();
	hash_both(p, whole, prefix);
	munmap(p, HUGE);
	assert_memory_not_equal(whole, prefix, 32);

	CMS_ContentInfo *over_whole = sign_digest("code", whole, NULL, NULL, 32);
	CMS_ContentInfo *over_prefix = sign_digest("code", prefix, NULL, NULL, 32);
	struct sig_result r = judge_built(over_whole, whole, (struct sig_range){ 0, HUGE });
	pki_outcome(&r, SIG_VERIFIED, "whole");
	assert_true(r.covers[0].length == HUGE);
	/* CVE-2026-34155: a signature over the first bytes only. */
	r = judge_built(over_prefix, whole, (struct sig_range){ 0, HUGE });
	pki_outcome(&r, SIG_INVALID, "prefix");
	CMS_ContentInfo_free(over_whole);
	CMS_ContentInfo_free(over_prefix);
}

/* ---- T10 ----------------------------------------------------------------- */

static void
T10_accept_with_and_without_signed_attributes(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, "code", "firmware", SET, &firmware);
	struct sig_result r = expect(SIG_VERIFIED, "noattr", "firmware", SET, &firmware);
	assert_false(r.have_claimed_time);
	expect(SIG_VERIFIED, "noattr-ec", "firmware", SET, &firmware);
	expect(SIG_VERIFIED, "pss-noattr", "firmware", SET, &firmware);
	expect(SIG_VERIFIED, "gnutls-code", "firmware", SET, &firmware);
	expect(SIG_VERIFIED, "gnutls-email", "firmware", SET, &firmware);
}

static void
T10_reject_other_content_with_and_without_signed_attributes(void **state)
{
	(void)state;
	static const char *const objects[] = { "code", "noattr", "noattr-ec", "pss-noattr",
		"gnutls-code", "gnutls-email" };
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
		expect(SIG_INVALID, objects[i], "lf", SET, &firmware);
}

static void
T10_reject_attributes_that_do_not_bind_the_content(void **state)
{
	(void)state;
	uint8_t md[32], longer[33] = { 0 };
	struct sig_range covers = { 0, 9 };
	assert_int_equal(digest_sha256(view_str("content!\n"), md), 0);
	memcpy(longer, md, 32);

	CMS_ContentInfo *ci = sign_digest("code", md, NULL, NULL, 32);
	struct sig_result r = judge_built(ci, md, covers);
	pki_outcome(&r, SIG_VERIFIED, "as it should be");
	CMS_ContentInfo_free(ci);
	/* messageDigest one byte too short, one too long: a compare over the shorter would pass. */
	ci = sign_digest("code", longer, NULL, NULL, 31);
	r = judge_built(ci, md, covers);
	pki_outcome(&r, SIG_INVALID, "short messageDigest");
	CMS_ContentInfo_free(ci);
	ci = sign_digest("code", longer, NULL, NULL, 33);
	r = judge_built(ci, md, covers);
	pki_outcome(&r, SIG_INVALID, "long messageDigest");
	CMS_ContentInfo_free(ci);
	/* content-type of something else */
	ci = sign_digest("code", md, NULL, OBJ_nid2obj(NID_id_smime_ct_TSTInfo), 32);
	r = judge_built(ci, md, covers);
	pki_outcome(&r, SIG_INVALID, "other content-type");
	CMS_ContentInfo_free(ci);
}

/* The SignedAttributes of cms/code.der as the SET OF that its signature is over. */
static struct view
attributes_of(CMS_ContentInfo *ci, struct writer *w)
{
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(ci), 0);
	struct writer body;
	writer_init(&body, 4096);
	for (int i = 0; i < CMS_signed_get_attr_count(si); i++) {
		uint8_t *der = NULL;
		int n = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(si, i), &der);
		assert_true(n > 0);
		writer_bytes(&body, view_of(der, (size_t)n));
		OPENSSL_free(der);
	}
	writer_init(w, 4096);
	writer_u8(w, 0x31);
	if (writer_view(&body).n > 127)
		writer_u8(w, 0x81);
	writer_u8(w, (uint8_t)writer_view(&body).n);
	writer_bytes(w, writer_view(&body));
	writer_free(&body);
	return writer_view(w);
}

static void
T10_reject_another_signatures_attributes_posing_as_content(void **state)
{
	(void)state;
	struct pki_blob firmware_data = pki_load("data/firmware");
	uint8_t md[32];
	assert_int_equal(digest_sha256(pki_view(&firmware_data), md), 0);
	CMS_ContentInfo *ci = sign_digest("code", md, NULL, NULL, 32);
	struct writer w;
	struct view forged_content = attributes_of(ci, &w);
	/* Strip the attributes: the signature value now fits the attributes as content. */
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(ci), 0);
	CMS_ContentInfo *bare =
	    CMS_sign(NULL, NULL, NULL, NULL, CMS_DETACHED | CMS_PARTIAL | CMS_BINARY);
	X509 *cert = pki_cert("code");
	EVP_PKEY *key = pki_private("code");
	CMS_SignerInfo *bare_si =
	    CMS_add1_signer(bare, cert, key, EVP_sha256(), CMS_PARTIAL | CMS_NOATTR);
	ASN1_OCTET_STRING *sig = CMS_SignerInfo_get0_signature(si);
	assert_int_equal(
	    ASN1_OCTET_STRING_set(CMS_SignerInfo_get0_signature(bare_si), sig->data, sig->length),
	    1);

	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(bare, &der);
	struct trust *t = pki_trust(SET);
	struct sig_set set =
	    judge(view_of(der, (size_t)n), true, forged_content, t, &firmware, PKI_NOW);
	pki_outcome(&set.result[0], SIG_INVALID, "attributes as content");
	assert_non_null(strstr(set.result[0].detail, "attributes"));
	trust_free(t);
	OPENSSL_free(der);
	X509_free(cert);
	EVP_PKEY_free(key);
	CMS_ContentInfo_free(ci);
	CMS_ContentInfo_free(bare);
	writer_free(&w);
	free(firmware_data.p);
}

/* ---- T11 ----------------------------------------------------------------- */

static void
T11_accept_and_show_the_claimed_time(void **state)
{
	(void)state;
	uint8_t md[32] = { 1 };
	CMS_ContentInfo *ci = sign_digest("code", md, "20210101000000Z", NULL, 32);
	struct sig_result r = judge_built(ci, md, (struct sig_range){ 0, 1 });
	pki_outcome(&r, SIG_VERIFIED, "claimed 2021");
	assert_true(r.have_claimed_time);
	assert_int_equal(r.claimed_time, 1609459200);
	CMS_ContentInfo_free(ci);
}

static void
T11_reject_an_expired_signer_who_claims_to_have_signed_in_time(void **state)
{
	(void)state;
	uint8_t md[32] = { 1 };
	CMS_ContentInfo *ci = sign_digest("expired", md, "20210101000000Z", NULL, 32);
	struct sig_result r = judge_built(ci, md, (struct sig_range){ 0, 1 });
	pki_outcome(&r, SIG_EXPIRED, "expired, claims 2021");
	assert_int_equal(r.claimed_time, 1609459200);
	CMS_ContentInfo_free(ci);
}

/* ---- T14, T15, T19 ------------------------------------------------------- */

static void
T14_accept_by_key_identifier_and_from_the_set(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, "keyid", "firmware", SET, &firmware);
	/* No certificate sent along: the set has the leaf. */
	expect(SIG_VERIFIED, "nocerts", "firmware", "root inter code", &firmware);
	/* No issuer name at all; the key is what counts. */
	struct sig_result r = expect(SIG_VERIFIED, "unnamed", "firmware", "unnamed", &pin);
	assert_string_equal(r.signer.subject, "");
	assert_true(r.signer.have_spki);
	expect(SIG_VERIFIED, "unnamed-nocerts", "firmware", "unnamed", &pin);
}

static void
T14_reject_identifiers_that_only_look_right(void **state)
{
	(void)state;
	/* issuer and serial of the genuine signer, another key; the genuine certificate is sent
	 * along */
	struct sig_set set = judge_files("impostor", "firmware", SET, &firmware);
	assert_true(set.result[0].outcome == SIG_UNTRUSTED || set.result[0].outcome == SIG_INVALID);
	assert_int_not_equal(set.result[0].outcome, SIG_VERIFIED);
	set = judge_files("impostor", "firmware", "root inter code", &pin);
	assert_true(set.result[0].outcome == SIG_UNTRUSTED || set.result[0].outcome == SIG_INVALID);
	expect(SIG_UNTRUSTED, "nocerts", "firmware", SET, &firmware);
	expect(SIG_UNTRUSTED, "unnamed-nocerts", "firmware", SET, &pin);
	expect(SIG_UNTRUSTED, "unnamed", "firmware", SET, &pin);
	expect(SIG_UNTRUSTED, "code-foreign", "firmware", SET, &firmware);
}

static void
T15_accept_pss_with_the_salt_it_declares(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, "pss-32", "firmware", SET, &firmware);
	expect(SIG_VERIFIED, "pss-222", "firmware", SET, &firmware);
}

static void
T15_reject_short_salts_and_another_mgf1_hash(void **state)
{
	(void)state;
	expect(SIG_WEAK, "pss-0", "firmware", SET, &firmware);
	expect(SIG_WEAK, "pss-20", "firmware", SET, &firmware);
	expect(SIG_INVALID, "pss-mgf1", "firmware", SET, &firmware);
	expect(SIG_INVALID, "pss-32", "lf", SET, &firmware);
	/* The declared salt is exact: say 33 where 32 was used. */
	struct pki_blob der = pki_load("cms/pss-noattr.der");
	struct pki_blob data = pki_load("data/firmware");
	static const uint8_t salt[] = { 0xa2, 0x03, 0x02, 0x01, 0x20 };
	uint8_t *at = memmem(der.p, der.n, salt, sizeof salt);
	assert_non_null(at);
	at[4] = 0x21;
	struct trust *t = pki_trust(SET);
	struct sig_set set = judge(pki_view(&der), true, pki_view(&data), t, &firmware, PKI_NOW);
	pki_outcome(&set.result[0], SIG_INVALID, "salt declared as 33");
	trust_free(t);
	free(der.p);
	free(data.p);
}

/* The signed bytes in the middle of a file, as containers have them. */
static struct sig_result
judge_range(struct view file, struct sig_range range)
{
	uint8_t digests[CMS_DIGESTS_MAX][DIGEST_LEN_MAX] = { { 0 } };
	char why[SIG_TEXT_MAX];
	struct sig_set set;
	struct cms *c = NULL;
	struct pki_blob der = pki_load("cms/code.der");
	struct trust *t = pki_trust(SET);
	assert_int_equal(cms_open(pki_view(&der), true, &c, why, sizeof why), 0);
	assert_int_equal(
	    digest_sha256(view_of(file.p + range.offset, range.length), digests[0]), 0);
	assert_int_equal(cms_judge(c, t, &firmware, PKI_NOW,
			     (const uint8_t(*)[DIGEST_LEN_MAX])digests, &range, 1, &set),
	    0);
	cms_free(c);
	trust_free(t);
	free(der.p);
	return set.result[0];
}

static void
T19_accept_and_reject_by_the_range_that_was_hashed(void **state)
{
	(void)state;
	struct pki_blob data = pki_load("data/firmware");
	uint8_t *file = calloc(1, data.n + 200);
	assert_non_null(file);
	memcpy(file + 100, data.p, data.n);
	struct sig_range exact = { 100, data.n };
	struct sig_result r = judge_range(view_of(file, data.n + 200), exact);
	pki_outcome(&r, SIG_VERIFIED, "exact range");
	assert_int_equal(r.covers[0].offset, 100);
	assert_int_equal(r.covers[0].length, data.n);
	r = judge_range(view_of(file, data.n + 200), (struct sig_range){ 99, data.n });
	pki_outcome(&r, SIG_INVALID, "one byte early");
	r = judge_range(view_of(file, data.n + 200), (struct sig_range){ 100, data.n + 1 });
	pki_outcome(&r, SIG_INVALID, "one byte longer");
	file[100 + data.n / 2] ^= 1;
	r = judge_range(view_of(file, data.n + 200), exact);
	pki_outcome(&r, SIG_INVALID, "changed inside");
	free(file);
	free(data.p);
}

static void
ed25519_in_cms_is_said_to_be_unsupported(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_OPAQUE, "gnutls-ed25519", "firmware", SET, &firmware);
	assert_string_equal(r.detail, "unsupported scheme: ED25519 in CMS");
	assert_false(r.signer.have_spki);
}

/* ---- mutation ------------------------------------------------------------ */

/*
 * Which bytes of an object may change without anybody noticing? Only what is
 * neither signed nor needed. Here: none, in an object without certificates.
 */
static void
no_object_with_one_byte_changed_verifies(void **state)
{
	(void)state;
	static const char *const objects[] = { "nocerts", "noattr-nocerts" };
	struct pki_blob data = pki_load("data/firmware");
	struct trust *t = pki_trust("root inter code");
	uint8_t md[32];
	assert_int_equal(digest_sha256(pki_view(&data), md), 0);
	for (size_t k = 0; k < sizeof objects / sizeof *objects; k++) {
		char path[64];
		snprintf(path, sizeof path, "cms/%s.der", objects[k]);
		struct pki_blob der = pki_load(path);
		unsigned opened = 0;
		for (size_t i = 0; i < der.n * 3; i++) {
			static const uint8_t flips[] = { 0x01, 0x80, 0xff };
			char why[SIG_TEXT_MAX];
			struct cms *c = NULL;
			der.p[i / 3] ^= flips[i % 3];
			if (cms_open(pki_view(&der), true, &c, why, sizeof why) == 0) {
				uint8_t digests[CMS_DIGESTS_MAX][DIGEST_LEN_MAX];
				enum digest_alg alg[CMS_DIGESTS_MAX];
				struct sig_set set;
				unsigned n = cms_digests(c, alg);
				for (unsigned d = 0; d < n; d++)
					assert_int_equal(
					    digest_bytes(alg[d], pki_view(&data), digests[d]), 0);
				assert_int_equal(
				    cms_judge(c, t, &firmware, PKI_NOW,
					(const uint8_t(*)[DIGEST_LEN_MAX])digests, NULL, 0, &set),
				    0);
				for (unsigned s = 0; s < set.n; s++)
					if (set.result[s].outcome == SIG_VERIFIED)
						print_message("%s: byte %zu ^ %02x verifies\n",
						    objects[k], i / 3, flips[i % 3]);
				opened++;
			}
			cms_free(c);
			der.p[i / 3] ^= flips[i % 3];
		}
		assert_true(opened > 100); /* the loop did reach the arithmetic */
		free(der.p);
	}
	trust_free(t);
	free(data.p);
}

static void
no_content_with_one_byte_changed_verifies(void **state)
{
	(void)state;
	struct pki_blob der = pki_load("cms/code-lf.der");
	struct pki_blob data = pki_load("data/lf");
	struct trust *t = pki_trust(SET);
	for (size_t i = 0; i < data.n * 8; i++) {
		data.p[i / 8] ^= (uint8_t)(1 << i % 8);
		struct sig_set set =
		    judge(pki_view(&der), true, pki_view(&data), t, &firmware, PKI_NOW);
		pki_outcome(&set.result[0], SIG_INVALID, "flipped bit");
		data.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	trust_free(t);
	free(der.p);
	free(data.p);
}

/* ---- known answers of others --------------------------------------------- */

static void
rauc_manifest_table(void **state)
{
	(void)state;
	static const struct trust_policy partial = { .purpose = TRUST_PURPOSE_FIRMWARE,
		.allow_partial_chain = true };
	static const struct {
		const char *sig;
		const char *set;
		const struct trust_policy *policy;
		enum sig_outcome outcome;
		enum sig_revocation revocation;
	} rows[] = {
		{ "r1", "dev-ca", &firmware, SIG_VERIFIED, SIG_REVOCATION_CHECKED },
		{ "a1", "dev-ca", &firmware, SIG_VERIFIED, SIG_REVOCATION_CHECKED },
		{ "a2", "dev-ca", &firmware, SIG_REVOKED, SIG_REVOCATION_CHECKED },
		{ "cs1", "dev-ca", &firmware, SIG_VERIFIED, SIG_REVOCATION_CHECKED },
		{ "ep1", "dev-ca", &firmware, SIG_VERIFIED, SIG_REVOCATION_CHECKED },
		{ "ts1", "dev-ca", &firmware, SIG_UNTRUSTED, SIG_REVOCATION_CHECKED },
		{ "cs1", "dev-ca", &code_signing, SIG_VERIFIED, SIG_REVOCATION_CHECKED },
		{ "ep1", "dev-ca", &code_signing, SIG_UNTRUSTED, SIG_REVOCATION_CHECKED },
		{ "ts1", "dev-ca", &code_signing, SIG_UNTRUSTED, SIG_REVOCATION_CHECKED },
		{ "ep1", "dev-ca", &email, SIG_VERIFIED, SIG_REVOCATION_CHECKED },
		{ "cs1", "dev-ca", &email, SIG_UNTRUSTED, SIG_REVOCATION_CHECKED },
		{ "ts1", "dev-ca", &email, SIG_UNTRUSTED, SIG_REVOCATION_CHECKED },
		{ "r1", "rel-ca", &firmware, SIG_VERIFIED, SIG_REVOCATION_CHECKED },
		{ "a1", "dev-partial-ca", &partial, SIG_VERIFIED, SIG_REVOCATION_NOT_CHECKED },
		{ "a1", "dev-partial-ca", &firmware, SIG_UNTRUSTED, SIG_REVOCATION_NOT_CHECKED },
	};
	struct pki_blob manifest = pki_shared("rauc/manifest");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char path[128];
		snprintf(path, sizeof path, "rauc/%s.pem", rows[i].set);
		struct trust *t = trust_new();
		pki_enrol(t, rows[i].set, pki_shared(path));
		snprintf(path, sizeof path, "rauc/manifest-%s.sig", rows[i].sig);
		struct pki_blob der = pki_shared(path);
		struct sig_set set =
		    judge(pki_view(&der), true, pki_view(&manifest), t, rows[i].policy, PKI_NOW);
		assert_int_equal(set.n, 1);
		pki_outcome(&set.result[0], rows[i].outcome, rows[i].sig);
		if (set.result[0].revocation != rows[i].revocation)
			fail_msg("row %zu: revocation %s", i,
			    sig_revocation_name(set.result[0].revocation));
		free(der.p);
		trust_free(t);
	}
	free(manifest.p);
}

static struct sig_set
judge_bundle(const char *name, bool detached)
{
	struct pki_blob b = pki_shared(name);
	struct trust *t = trust_new();
	uint64_t size = 0;
	pki_enrol(t, "dev-ca", pki_shared("rauc/dev-ca.pem"));
	for (size_t i = b.n - 8; i < b.n; i++)
		size = size << 8 | b.p[i];
	assert_true(size < b.n - 8);
	size_t payload = b.n - 8 - (size_t)size;
	struct sig_set set = judge(view_of(b.p + payload, (size_t)size), detached,
	    view_of(b.p, payload), t, &firmware, PKI_NOW);
	trust_free(t);
	free(b.p);
	return set;
}

static void
rauc_bundles(void **state)
{
	(void)state;
	struct sig_set set = judge_bundle("rauc/good-bundle.raucb", true);
	pki_outcome(&set.result[0], SIG_VERIFIED, "good-bundle");
	set = judge_bundle("rauc/good-verity-bundle.raucb", false);
	pki_outcome(&set.result[0], SIG_VERIFIED, "good-verity-bundle");
	set = judge_bundle("rauc/invalid-sig-bundle.raucb", true);
	pki_outcome(&set.result[0], SIG_INVALID, "invalid-sig-bundle");
}

static void
lvfs_signature_in_and_after_its_time(void **state)
{
	(void)state;
	struct pki_blob pem = pki_shared("jcat/colorhug/firmware.bin.p7b");
	struct pki_blob data = pki_shared("jcat/colorhug/firmware.bin");
	struct trust *t = trust_new();
	char *name = NULL, *header = NULL;
	uint8_t *der = NULL;
	long n = 0;
	pki_enrol(t, "LVFS-CA", pki_shared("jcat/LVFS-CA.pem"));
	expect_closed(pki_view(&pem), true, "PEM");
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &n), 1);
	struct sig_set set = judge(
	    view_of(der, (size_t)n), true, pki_view(&data), t, &firmware, INT64_C(1514764800));
	print_message(
	    "LVFS: %s, %s\n", sig_outcome_name(set.result[0].outcome), set.result[0].detail);
	enum sig_outcome in_time = set.result[0].outcome;
	set = judge(view_of(der, (size_t)n), true, pki_view(&data), t, &firmware, PKI_NOW);
	pki_outcome(&set.result[0], SIG_EXPIRED, "after its time");
	data.p[0] ^= 1;
	set = judge(
	    view_of(der, (size_t)n), true, pki_view(&data), t, &firmware, INT64_C(1514764800));
	pki_outcome(&set.result[0], SIG_INVALID, "changed");
	assert_int_equal(in_time, SIG_VERIFIED);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	trust_free(t);
	free(pem.p);
	free(data.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_of_a_good_signature),
		cmocka_unit_test(a_lean_signature_carries_only_what_the_set_answers_for),
		cmocka_unit_test(keys_and_digests_of_the_allow_list_verify),
		cmocka_unit_test(a_lone_signer_has_its_chain_in_the_set),
		cmocka_unit_test(every_outcome_of_the_chain_comes_through),
		cmocka_unit_test(nothing_is_said_about_a_signer_whose_signature_does_not_fit),
		cmocka_unit_test(T1_accept_the_bytes_that_were_signed),
		cmocka_unit_test(T1_reject_the_crlf_twin_and_text_canonical_signatures),
		cmocka_unit_test(T4_accept_sha2),
		cmocka_unit_test(T4_reject_md5_and_sha1_though_they_fit),
		cmocka_unit_test(T4_reject_a_digest_nobody_here_knows),
		cmocka_unit_test(T5_accept_the_object_to_its_last_byte),
		cmocka_unit_test(T5_reject_trailing_bytes_and_cut_objects),
		cmocka_unit_test(T6_accept_two_signers_each_for_itself),
		cmocka_unit_test(T6_reject_the_unknown_second_signer_and_say_who_signed_twice),
		cmocka_unit_test(T7_accept_and_reject_beyond_two_gibibytes),
		cmocka_unit_test(T8_accept_attached_as_attached),
		cmocka_unit_test(T8_reject_both_mixes),
		cmocka_unit_test(T8_reject_other_types),
		cmocka_unit_test(T9_accept_one_signer),
		cmocka_unit_test(T9_reject_certificates_without_a_signer),
		cmocka_unit_test(an_object_has_a_limit_for_its_kind),
		cmocka_unit_test(T10_accept_with_and_without_signed_attributes),
		cmocka_unit_test(T10_reject_other_content_with_and_without_signed_attributes),
		cmocka_unit_test(T10_reject_attributes_that_do_not_bind_the_content),
		cmocka_unit_test(T10_reject_another_signatures_attributes_posing_as_content),
		cmocka_unit_test(T11_accept_and_show_the_claimed_time),
		cmocka_unit_test(T11_reject_an_expired_signer_who_claims_to_have_signed_in_time),
		cmocka_unit_test(T14_accept_by_key_identifier_and_from_the_set),
		cmocka_unit_test(T14_reject_identifiers_that_only_look_right),
		cmocka_unit_test(T15_accept_pss_with_the_salt_it_declares),
		cmocka_unit_test(T15_reject_short_salts_and_another_mgf1_hash),
		cmocka_unit_test(T19_accept_and_reject_by_the_range_that_was_hashed),
		cmocka_unit_test(ed25519_in_cms_is_said_to_be_unsupported),
		cmocka_unit_test(no_object_with_one_byte_changed_verifies),
		cmocka_unit_test(no_content_with_one_byte_changed_verifies),
		cmocka_unit_test(rauc_manifest_table),
		cmocka_unit_test(rauc_bundles),
		cmocka_unit_test(lvfs_signature_in_and_after_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
