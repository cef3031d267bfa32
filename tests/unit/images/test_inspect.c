/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "crypto/err.h"
#include "crypto/pubkey.h"
#include "images/inspect.h"
#include "images/explain.h"
#include "images/trustset.h"

#define NOW 1767225600 /* 2026-01-01 */
#define YEAR (365 * 86400L)

static const char image[] = "firmware image, not long, but bytes are bytes";

/* ---- keys, certificates, signatures: by OpenSSL ---- */

static X509 *
certificate(EVP_PKEY *key, const char *name, long days_from, long days_to)
{
	X509 *x = X509_new();
	X509_NAME *n = X509_get_subject_name(x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 5);
	ASN1_TIME_set(X509_getm_notBefore(x), NOW + days_from * 86400);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + days_to * 86400);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, n);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static struct view
bio_bytes(BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	uint8_t *copy = malloc((size_t)n);
	memcpy(copy, p, (size_t)n);
	BIO_free(b);
	return view_of(copy, (size_t)n);
}

static void
drop(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

static struct view
cms(X509 *x, EVP_PKEY *key, const char *content, unsigned flags)
{
	BIO *in = BIO_new_mem_buf(content, (int)strlen(content)), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *c = CMS_sign(x, key, NULL, in, flags | CMS_BINARY);
	assert_non_null(c);
	assert_int_equal(i2d_CMS_bio(out, c), 1);
	CMS_ContentInfo_free(c);
	BIO_free(in);
	return bio_bytes(out);
}

static struct view
raw(EVP_PKEY *key, const char *message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ed = EVP_PKEY_is_a(key, "ED25519");
	size_t n = 0;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, ed ? NULL : EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, NULL, &n, (const uint8_t *)message, strlen(message)), 1);
	uint8_t *sig = malloc(n);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)message, strlen(message)), 1);
	EVP_MD_CTX_free(ctx);
	return view_of(sig, n);
}

static struct view
trust_of(EVP_PKEY *key, X509 *x)
{
	struct writer w;
	size_t n;
	writer_init(&w, TRUSTSET_MAX);
	trustset_begin(&w);
	for (unsigned i = 0; i < 2; i++) {
		BIO *b = BIO_new(BIO_s_mem());
		if (i ? x && PEM_write_bio_X509(b, x) : key && PEM_write_bio_PUBKEY(b, key)) {
			struct view pem = bio_bytes(b);
			trustset_add(&w, i ? "vendor.crt" : "vendor.pub", TRUST_SCHEME_NONE, pem);
			drop(pem);
		} else {
			BIO_free(b);
		}
	}
	trustset_end(&w);
	assert_int_equal(writer_err(&w), 0);
	uint8_t *p = writer_take(&w, &n);
	return view_of(p, n);
}

/* ---- running ---- */

struct run {
	struct inspect_job job;
	struct source image, signature;
};

/* The report of one verify stage, which must be readable. */
static struct report *
verify(struct run *run, struct view img, const struct view *sig, struct view trust)
{
	struct report *r = report_new(REPORT_KIND_NONE), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	source_memory(&run->image, img);
	run->job.image = &run->image;
	if (sig) {
		source_memory(&run->signature, *sig);
		run->job.signature = &run->signature;
	}
	run->job.have_trust = trust.n > 0;
	run->job.trust = trust;
	run->job.at = NOW;
	assert_int_equal(inspect_verify(&run->job, r), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	if (report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s: %s", finding_get(why.finding)->id, why.text, w.p);
	writer_free(&w);
	report_free(back);
	return r;
}

static struct run
defaults(void)
{
	struct run run = { 0 };
	inspect_defaults(&run.job);
	return run;
}

/* Image, signature and trust set under the contract's defaults: the one outcome. */
static void
expect(const char *img, struct view sig, struct view trust, enum sig_outcome outcome, const char *scheme)
{
	struct run run = defaults();
	struct report *r = verify(&run, view_str(img), &sig, trust);
	assert_int_equal(r->signatures.n, 1);
	struct sig_result *s = &r->signatures.result[0];
	if (s->outcome != outcome || strcmp(s->scheme, scheme) != 0)
		fail_msg("%s %s (%s) instead of %s %s", s->scheme, sig_outcome_name(s->outcome), s->detail, scheme,
		    sig_outcome_name(outcome));
	assert_int_equal(report_verdict(r), outcome == SIG_VERIFIED ? REPORT_ACCEPTABLE : REPORT_BLOCKED);
	assert_true(r->inputs.have_signature);
	report_free(r);
}

/* ---- tests ---- */

static void
raw_keys(void **state)
{
	(void)state;
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-256"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	static const char *const schemes[] = { "rsa-pkcs1v15-sha256", "ecdsa-der", "ed25519" };
	for (unsigned i = 0; i < 3; i++) {
		struct view sig = raw(keys[i], image), mine = trust_of(keys[i], NULL), other = trust_of(keys[(i + 1) % 3], NULL);
		expect(image, sig, mine, SIG_VERIFIED, schemes[i]);
		expect("another image", sig, mine, SIG_INVALID, "raw");
		expect(image, sig, other, SIG_INVALID, "raw");
		((uint8_t *)(uintptr_t)sig.p)[sig.n - 1] ^= 1;
		expect(image, sig, mine, SIG_INVALID, "raw");
		((uint8_t *)(uintptr_t)sig.p)[sig.n - 1] ^= 1;
		expect(image, view_of(sig.p, sig.n - 1), mine, SIG_INVALID, "raw");
		drop(sig);
		drop(mine);
		drop(other);
	}
	for (unsigned i = 0; i < 3; i++)
		EVP_PKEY_free(keys[i]);
}

static void
raw_without_any_key_is_untrusted(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct view sig = raw(key, image);
	expect(image, sig, view_of(NULL, 0), SIG_UNTRUSTED, "raw");
	drop(sig);
	EVP_PKEY_free(key);
}

static void
detached_cms(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256"), *stranger = EVP_EC_gen("P-256");
	X509 *x = certificate(key, "Vendor", -10, 10), *late = certificate(key, "Vendor", -20, -10),
	     *y = certificate(stranger, "Vendor", -10, 10);
	struct view sig = cms(x, key, image, CMS_DETACHED), mine = trust_of(NULL, x), other = trust_of(NULL, y);
	expect(image, sig, mine, SIG_VERIFIED, "cms-detached");
	expect("another image", sig, mine, SIG_INVALID, "cms-detached");
	expect(image, sig, other, SIG_UNTRUSTED, "cms-detached");
	expect(image, sig, view_of(NULL, 0), SIG_UNTRUSTED, "cms-detached");
	expect(image, view_of(sig.p, sig.n - 1), mine, SIG_INVALID, "cms-detached");
	drop(sig);
	drop(mine);
	sig = cms(late, key, image, CMS_DETACHED);
	mine = trust_of(NULL, late);
	expect(image, sig, mine, SIG_EXPIRED, "cms-detached");
	drop(sig);
	/* An attached signature where a detached one is due (T8). */
	sig = cms(x, key, image, 0);
	expect(image, sig, mine, SIG_INVALID, "cms-detached");
	drop(sig);
	drop(mine);
	drop(other);
	X509_free(x);
	X509_free(y);
	X509_free(late);
	EVP_PKEY_free(key);
	EVP_PKEY_free(stranger);
}

static void
attached_cms(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certificate(key, "Vendor", -10, 10);
	struct view img = cms(x, key, image, 0), mine = trust_of(NULL, x);
	struct run run = defaults();
	struct report *r = verify(&run, img, NULL, mine);
	assert_int_equal(r->format, FORMAT_CMS);
	assert_int_equal(r->signatures.result[0].outcome, SIG_VERIFIED);
	struct sig_range covers = r->signatures.result[0].covers[0];
	assert_int_equal(covers.length, strlen(image));
	assert_memory_equal(img.p + covers.offset, image, strlen(image));
	assert_true(report_has(r, FINDING_COV_ENVELOPE));
	assert_false(report_has(r, FINDING_FMT_NOT_WALKED));
	assert_int_equal(r->contents.members_n, 1);
	assert_string_equal(r->contents.member[0].path, "content");
	assert_int_equal(r->contents.member[0].vouch, CONTENTS_VOUCH_INSIDE);
	assert_int_equal(r->contents.member[0].offset, covers.offset);
	assert_int_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_free(r);

	/* The profile says attached; an image that is no CMS object is not signed so. */
	run.job.scheme = INSPECT_CMS_ATTACHED;
	r = verify(&run, img, NULL, mine);
	assert_int_equal(r->signatures.result[0].outcome, SIG_VERIFIED);
	report_free(r);
	r = verify(&run, view_str(image), NULL, mine);
	assert_int_equal(r->signatures.result[0].outcome, SIG_INVALID);
	report_free(r);
	run.job.scheme = INSPECT_AUTO;

	/* A byte of the content. */
	((uint8_t *)(uintptr_t)img.p)[covers.offset] ^= 1;
	r = verify(&run, img, NULL, mine);
	assert_int_equal(r->signatures.result[0].outcome, SIG_INVALID);
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	report_free(r);
	((uint8_t *)(uintptr_t)img.p)[covers.offset] ^= 1;

	/* A detached one beside it (T8), where the profile says attached. */
	run.job.scheme = INSPECT_CMS_ATTACHED;
	r = verify(&run, img, &img, mine);
	assert_int_equal(r->signatures.result[0].outcome, SIG_INVALID);
	report_free(r);
	drop(img);
	drop(mine);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* What anybody may add to a SignedData without its key: told, and no structure. */
static void
what_a_signature_has_no_need_of(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256"), *foreign = EVP_EC_gen("P-256");
	X509 *x = certificate(key, "Vendor", -10, 10), *stray = certificate(foreign, "Stray", -10, 10);
	struct view mine = trust_of(NULL, x);
	for (unsigned what = 0; what < 3; what++) {
		BIO *in = BIO_new_mem_buf(image, (int)strlen(image)), *out = BIO_new(BIO_s_mem());
		CMS_ContentInfo *c = CMS_sign(x, key, NULL, in, CMS_BINARY);
		if (what == 1)
			assert_int_equal(CMS_add1_cert(c, stray), 1);
		else if (what == 2)
			assert_int_equal(CMS_unsigned_add1_attr_by_txt(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(c), 0),
			    "1.2.3.4", V_ASN1_OCTET_STRING, "anything", 8), 1);
		assert_int_equal(i2d_CMS_bio(out, c), 1);
		struct view img = bio_bytes(out);
		struct run run = defaults();
		struct report *r = verify(&run, img, NULL, mine);
		assert_int_equal(r->signatures.result[0].outcome, SIG_VERIFIED);
		assert_int_equal(report_has(r, FINDING_FMT_UNKNOWN_PART), what != 0);
		assert_int_equal(report_has(r, FINDING_COV_UNSIGNED_BYTES), what != 0);
		report_free(r);
		drop(img);
		CMS_ContentInfo_free(c);
		BIO_free(in);
	}
	/* Verified over nothing is not verified, and a report all the same. */
	struct view empty = cms(x, key, "", 0);
	struct run run = defaults();
	struct report *r = verify(&run, empty, NULL, mine);
	assert_int_equal(r->signatures.result[0].outcome, SIG_INVALID);
	report_free(r);
	drop(empty);
	drop(mine);
	X509_free(x);
	X509_free(stray);
	EVP_PKEY_free(key);
	EVP_PKEY_free(foreign);
}

/* ---- each weakness under its own name ---- */

static X509 *
certificate_for(EVP_PKEY *key, const char *eku)
{
	X509 *x = certificate(key, "Vendor", -10, 10);
	if (eku) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, eku);
		assert_int_equal(X509_add_ext(x, e, -1), 1);
		X509_EXTENSION_free(e);
		assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	}
	return x;
}

static struct view
cms_as(X509 *x, EVP_PKEY *key, const EVP_MD *md, int padding, int salt)
{
	BIO *in = BIO_new_mem_buf(image, (int)strlen(image)), *out = BIO_new(BIO_s_mem());
	unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_KEY_PARAM;
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, in, flags);
	CMS_SignerInfo *si = CMS_add1_signer(c, x, key, md, flags);
	assert_non_null(si);
	if (padding) {
		EVP_PKEY_CTX *pc = CMS_SignerInfo_get0_pkey_ctx(si);
		assert_true(EVP_PKEY_CTX_set_rsa_padding(pc, padding) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, salt) > 0);
	}
	assert_int_equal(CMS_final(c, in, NULL, flags), 1);
	assert_int_equal(i2d_CMS_bio(out, c), 1);
	CMS_ContentInfo_free(c);
	BIO_free(in);
	return bio_bytes(out);
}

static EVP_PKEY *
rsa_key(unsigned bits, unsigned e)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	BIGNUM *exponent = BN_new();
	BN_set_word(exponent, e);
	assert_true(EVP_PKEY_keygen_init(c) > 0 && EVP_PKEY_CTX_set_rsa_keygen_bits(c, (int)bits) > 0);
	assert_true(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, exponent) > 0);
	assert_int_equal(EVP_PKEY_keygen(c, &key), 1);
	BN_free(exponent);
	EVP_PKEY_CTX_free(c);
	return key;
}

/* Only the finding that is asked for, of all those of a weakness (FINDING_LIMIT: none of them). */
static void
expect_weakness(EVP_PKEY *key, const char *eku, const EVP_MD *md, int padding, int salt, const char *tail,
    enum finding_id told)
{
	static const enum finding_id all[] = { FINDING_SIG_WEAK_DIGEST, FINDING_SIG_WEAK_RSA, FINDING_SIG_WEAK_EXPONENT,
		FINDING_SIG_WEAK_CURVE, FINDING_SIG_PSS_SALT, FINDING_SIG_PURPOSE, FINDING_SIG_TRAILING,
		FINDING_SIG_LOW_ORDER };
	X509 *x = certificate_for(key, eku);
	struct view sig = cms_as(x, key, md, padding, salt);
	EVP_PKEY *good = EVP_EC_gen("P-256");
	X509 *anchor = certificate(good, "Other", -10, 10);
	struct view mine = pubkey_reasons(key, 0) & ~(unsigned)SIG_REASON_SMALL_EXPONENT ? trust_of(NULL, anchor) : trust_of(NULL, x);
	uint8_t *more = malloc(sig.n + strlen(tail));
	memcpy(more, sig.p, sig.n);
	memcpy(more + sig.n, tail, strlen(tail));
	struct view longer = view_of(more, sig.n + strlen(tail));
	struct run run = defaults();
	struct report *r = verify(&run, view_str(image), &longer, mine);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (report_has(r, all[i]) != (all[i] == told))
			fail_msg("%s: %s", finding_get(all[i])->id, r->signatures.result[0].detail);
	assert_int_equal(r->signatures.result[0].outcome == SIG_VERIFIED,
	    told == FINDING_LIMIT || told == FINDING_SIG_WEAK_EXPONENT);
	report_free(r);
	drop(longer);
	drop(sig);
	drop(mine);
	X509_free(x);
	X509_free(anchor);
	EVP_PKEY_free(good);
	EVP_PKEY_free(key);
}

static void
every_weakness_has_its_finding(void **state)
{
	(void)state;
	expect_weakness(EVP_EC_gen("P-256"), NULL, EVP_sha256(), 0, 0, "", FINDING_LIMIT);
	expect_weakness(EVP_EC_gen("P-256"), "codeSigning", EVP_sha256(), 0, 0, "", FINDING_LIMIT);
	expect_weakness(rsa_key(2048, 65537), NULL, EVP_sha256(), 0, 0, "", FINDING_LIMIT);
	expect_weakness(rsa_key(2048, 65537), NULL, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 32, "", FINDING_LIMIT);
	expect_weakness(EVP_EC_gen("P-256"), NULL, EVP_sha1(), 0, 0, "", FINDING_SIG_WEAK_DIGEST);
	expect_weakness(rsa_key(2048, 65537), NULL, EVP_md5(), 0, 0, "", FINDING_SIG_WEAK_DIGEST);
	expect_weakness(rsa_key(1024, 65537), NULL, EVP_sha256(), 0, 0, "", FINDING_SIG_WEAK_RSA);
	expect_weakness(rsa_key(2048, 3), NULL, EVP_sha256(), 0, 0, "", FINDING_SIG_WEAK_EXPONENT);
	expect_weakness(EVP_EC_gen("prime192v1"), NULL, EVP_sha256(), 0, 0, "", FINDING_SIG_WEAK_CURVE);
	expect_weakness(rsa_key(2048, 65537), NULL, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 20, "", FINDING_SIG_PSS_SALT);
	expect_weakness(EVP_EC_gen("P-256"), "serverAuth", EVP_sha256(), 0, 0, "", FINDING_SIG_PURPOSE);
	expect_weakness(EVP_EC_gen("P-256"), NULL, EVP_sha256(), 0, 0, "x", FINDING_SIG_TRAILING);
}

static void
no_signature(void **state)
{
	(void)state;
	struct run run = defaults();
	struct report *r = verify(&run, view_str(image), NULL, view_of(NULL, 0));
	assert_int_equal(r->findings[FINDING_SIG_ABSENT].severity, FINDING_WARNING);
	assert_true(report_has(r, FINDING_TRUST_EMPTY));
	assert_false(r->inputs.have_trust);
	assert_int_equal(report_verdict(r), REPORT_REVIEW);
	report_free(r);
	run.job.require_signature = true;
	r = verify(&run, view_str(image), NULL, view_of(NULL, 0));
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	report_free(r);
	r = verify(&run, view_of(NULL, 0), NULL, view_of(NULL, 0));
	assert_true(report_has(r, FINDING_IMG_EMPTY));
	report_free(r);
}

static void
signature_files_that_are_none(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct view mine = trust_of(key, NULL), big = view_of(calloc(1, (64 << 10) + 1), (64 << 10) + 1);
	expect(image, view_str(""), mine, SIG_INVALID, "raw");
	expect(image, view_str("\x30"), mine, SIG_INVALID, "raw");
	expect(image, view_str("-----BEGIN PKCS7-----\n"), mine, SIG_OPAQUE, "armoured");
	expect(image, view_str("untrusted comment: x\n"), mine, SIG_INVALID, "minisign");
	expect(image, view_str("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), mine, SIG_INVALID, "cms-detached");
	expect(image, big, mine, SIG_INVALID, "raw");
	drop(big);
	drop(mine);
	EVP_PKEY_free(key);
}

static void
a_refused_trust_set_trusts_nobody(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct view sig = raw(key, image), mine = trust_of(key, NULL);
	((uint8_t *)(uintptr_t)mine.p)[mine.n - 1] = 7;
	struct run run = defaults();
	struct report *r = verify(&run, view_str(image), &sig, mine);
	assert_true(report_has(r, FINDING_TRUST_REFUSED));
	assert_int_equal(r->signatures.result[0].outcome, SIG_UNTRUSTED);
	assert_false(r->inputs.have_trust);
	report_free(r);
	drop(sig);
	drop(mine);
	EVP_PKEY_free(key);
}

static void
a_profile_may_ask_for_longer_keys(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct view sig = raw(key, image), mine = trust_of(key, NULL);
	struct run run = defaults();
	run.job.scheme = INSPECT_RAW;
	run.job.policy.rsa_bits_min = 3072;
	snprintf(run.job.profile, sizeof run.job.profile, "acme");
	struct report *r = verify(&run, view_str(image), &sig, mine);
	assert_int_equal(r->signatures.result[0].outcome, SIG_WEAK);
	assert_true(r->inputs.have_profile);
	report_free(r);
	drop(sig);
	drop(mine);
	EVP_PKEY_free(key);
}

static void
a_job_that_says_nothing_is_refused(void **state)
{
	(void)state;
	struct report *r = report_new(REPORT_WHOLE);
	struct source s;
	struct inspect_job job = { .image = &s };
	source_memory(&s, view_str(image));
	assert_int_equal(inspect_verify(&job, r), FG_EINVAL);
	job.scheme = INSPECT_AUTO;
	assert_int_equal(inspect_verify(&job, r), FG_EINVAL);
	job.policy.purpose = TRUST_PURPOSE_FIRMWARE;
	job.scheme = INSPECT_SCHEME_LIMIT;
	assert_int_equal(inspect_verify(&job, r), FG_EINVAL);
	assert_int_equal(r->kind, REPORT_WHOLE);
	report_free(r);
	for (unsigned i = INSPECT_AUTO; i < INSPECT_SCHEME_LIMIT; i++)
		assert_int_equal(inspect_scheme_parse(inspect_scheme_name((enum inspect_scheme)i)), i);
	assert_int_equal(inspect_scheme_parse("none"), INSPECT_SCHEME_NONE);
}

static void
explain_compares(void **state)
{
	(void)state;
	struct report *r = report_new(REPORT_KIND_NONE);
	struct source old, new;
	source_memory(&old, view_str("firmware image, version 1"));
	source_memory(&new, view_str("firmware image, version 2"));
	assert_int_equal(inspect_explain(&(struct explain_job){ .old = &old, .new = &new, .scratch = -1 }, r), 0);
	assert_int_equal(r->kind, REPORT_EXPLAIN);
	assert_int_equal(r->changes.prefix, 24);
	assert_false(r->have_image);
	report_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_keys),
		cmocka_unit_test(raw_without_any_key_is_untrusted),
		cmocka_unit_test(detached_cms),
		cmocka_unit_test(attached_cms),
		cmocka_unit_test(every_weakness_has_its_finding),
		cmocka_unit_test(what_a_signature_has_no_need_of),
		cmocka_unit_test(no_signature),
		cmocka_unit_test(signature_files_that_are_none),
		cmocka_unit_test(a_refused_trust_set_trusts_nobody),
		cmocka_unit_test(a_profile_may_ask_for_longer_keys),
		cmocka_unit_test(a_job_that_says_nothing_is_refused),
		cmocka_unit_test(explain_compares),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
