/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/images/zip_rig.h"

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "images/androidota.h"

#define METADATA "META-INF/com/android/metadata"
#define SCRIPT "META-INF/com/google/android/updater-script"
#define BINARY "META-INF/com/google/android/update-binary"

/* ---- a vendor, and packages signed by OpenSSL as signapk signs ---- */

struct vendor {
	EVP_PKEY *key;
	X509 *cert;
	char *pem;
};

static void
vendor_new(struct vendor *v, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	v->key = key;
	v->cert = X509_new();
	X509_set_version(v->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(v->cert), 7);
	/* Long over: recovery does not look at dates, a profile says whether we do. */
	ASN1_TIME_set(X509_getm_notBefore(v->cert), RIG_NOW - 4000L * 86400);
	ASN1_TIME_set(X509_getm_notAfter(v->cert), RIG_NOW - 100L * 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(v->cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)"Vendor", -1, -1, 0);
	X509_set_issuer_name(v->cert, X509_get_subject_name(v->cert));
	X509_set_pubkey(v->cert, key);
	assert_true(X509_sign(v->cert, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(b, v->cert);
	long n = BIO_get_mem_data(b, &p);
	v->pem = strndup(p, (size_t)n);
	BIO_free(b);
}

static void
vendor_free(struct vendor *v)
{
	X509_free(v->cert);
	EVP_PKEY_free(v->key);
	free(v->pem);
}

static struct vendor rsa, ec;

static int
setup(void **state)
{
	(void)state;
	vendor_new(&rsa, EVP_RSA_gen(2048));
	vendor_new(&ec, EVP_EC_gen("P-256"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	vendor_free(&rsa);
	vendor_free(&ec);
	return 0;
}

struct how {
	const EVP_MD *md;
	bool attributes;
	const char *message; /* before the signature; NULL: signapk's */
	size_t message_n;
	const struct vendor *second;
	const struct vendor *along; /* only the certificate */
	unsigned junk; /* bytes behind the DER, inside the signature's range */
};

/* Puts the signature into the comment of an archive that has none. */
static void
sign(struct writer *w, const struct vendor *v, const struct how *how)
{
	unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | (how->attributes ? 0 : CMS_NOATTR);
	BIO *in = BIO_new_mem_buf(w->p, (int)w->n - 2), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, NULL, flags);
	char *der;
	assert_non_null(CMS_add1_signer(c, v->cert, v->key, how->md, flags));
	if (how->second)
		assert_non_null(CMS_add1_signer(c, how->second->cert, how->second->key, how->md, flags));
	if (how->along)
		assert_int_equal(CMS_add1_cert(c, how->along->cert), 1);
	assert_int_equal(CMS_final(c, in, NULL, flags), 1);
	assert_int_equal(i2d_CMS_bio(out, c), 1);
	size_t n = (size_t)BIO_get_mem_data(out, &der) + how->junk;
	const char *message = how->message ? how->message : "signed by SignApk";
	size_t message_n = how->message ? how->message_n : strlen(message) + 1;
	w->n -= 2;
	rig_u16(w, (unsigned)(message_n + n + 6));
	rig_put(w, message, message_n);
	rig_put(w, der, n - how->junk);
	for (unsigned i = 0; i < how->junk; i++)
		writer_u8(w, 0);
	rig_u16(w, (unsigned)n + 6);
	rig_u16(w, 0xffff);
	rig_u16(w, (unsigned)(message_n + n + 6));
	CMS_ContentInfo_free(c);
	BIO_free(in);
	BIO_free(out);
	assert_int_equal(writer_err(w), 0);
}

static void
package(struct writer *w, struct rig_entry *e, unsigned n)
{
	const struct how how = { .md = EVP_sha256() };
	rig_zip(w, e, n, "");
	sign(w, &rsa, &how);
}

static enum sig_outcome
outcome_of(const struct writer *w, const struct vendor *v, bool ignore_expiry)
{
	struct report *r = rig_inspect(writer_view(w), v->pem, ignore_expiry);
	assert_int_equal(r->format, FORMAT_ANDROID_OTA);
	assert_int_equal(r->signatures.n, 1);
	enum sig_outcome outcome = r->signatures.result[0].outcome;
	report_free(r);
	return outcome;
}

static const char *
fact(const struct report *r, enum contents_fact_id id, const char *value)
{
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		if (r->contents.fact[i].id == id && strstr(r->contents.fact[i].value, value))
			return r->contents.fact[i].sure ? "sure" : "said";
	return "not there";
}

#define FILES { .name = "boot.img", .text = "boot boot boot boot boot", .deflate = true }, \
	{ .name = BINARY, .text = "\x7f" "ELF" }

/* ---- signatures ---- */

static void
verified(void **state)
{
	(void)state;
	const struct vendor *who[] = { &rsa, &ec };
	for (unsigned i = 0; i < 2; i++) {
		struct rig_entry e[] = { FILES };
		const struct how how = { .md = EVP_sha256() };
		struct writer w;
		rig_zip(&w, e, 2, "");
		uint64_t covered = w.n - 2;
		sign(&w, who[i], &how);
		struct report *r = rig_inspect(writer_view(&w), who[i]->pem, true);
		assert_int_equal(r->signatures.n, 1);
		const struct sig_result *s = &r->signatures.result[0];
		assert_int_equal(s->outcome, SIG_VERIFIED);
		assert_string_equal(s->scheme, "android-ota/cms-detached");
		assert_int_equal(s->covers_n, 1);
		assert_int_equal(s->covers[0].offset, 0);
		assert_int_equal(s->covers[0].length, covered);
		rig_clean(r);
		/* All is signed but the envelope, and that is known to the last byte. */
		assert_false(report_has(r, FINDING_COV_UNSIGNED_BYTES));
		rig_has(r, FINDING_COV_ENVELOPE);
		assert_int_equal(rig_member(r, "boot.img")->vouch, CONTENTS_VOUCH_INSIDE);
		rig_has(r, FINDING_MEMBER_RUNS);
		assert_true(rig_member(r, BINARY)->runs);
		report_free(r);
		/* T11: dates count unless the profile says that the pin alone does. */
		assert_int_equal(outcome_of(&w, who[i], false), SIG_EXPIRED);
		/* Nobody pinned it, and then its dates do count: the worse of the two is told. */
		assert_int_equal(outcome_of(&w, who[!i], true), SIG_EXPIRED);
		/* What did not verify may be any bytes: only the words, the footer and a length are known. */
		uint64_t known = 0;
		r = rig_inspect(writer_view(&w), who[!i]->pem, true);
		for (unsigned k = 0; k < r->contents.structure_n; k++)
			known += r->contents.structure[k].length;
		assert_int_equal(known, 2 + strlen("signed by SignApk") + 1 + 6);
		report_free(r);
		writer_free(&w);
	}
}

/* T4, T5, T10: what recovery's own parser would not take, or nobody should. */
static void
forms_that_are_refused(void **state)
{
	(void)state;
	const struct {
		struct how how;
		enum sig_outcome outcome;
	} cases[] = {
		{ { .md = EVP_sha1() }, SIG_WEAK },
		{ { .md = EVP_md5() }, SIG_WEAK },
		{ { .md = EVP_sha256(), .attributes = true }, SIG_INVALID },
		{ { .md = EVP_sha256(), .junk = 1 }, SIG_INVALID },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig_entry e[] = { FILES };
		struct writer w;
		rig_zip(&w, e, 2, "");
		sign(&w, &rsa, &cases[i].how);
		assert_int_equal(outcome_of(&w, &rsa, true), cases[i].outcome);
		writer_free(&w);
	}
}

/* Room before the signature is nobody's: said, and counted as unsigned. */
static void
words_before_the_signature(void **state)
{
	(void)state;
	const struct {
		const char *text;
		size_t n;
		bool known;
	} cases[] = { { "", 0, true }, { "signed by SignApk", 18, true }, { "signed by SignApk", 17, false },
		{ "anything", 8, false } };
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig_entry e[] = { FILES };
		const struct how how = { .md = EVP_sha256(), .message = cases[i].text, .message_n = cases[i].n };
		struct writer w;
		rig_zip(&w, e, 2, "");
		sign(&w, &rsa, &how);
		struct report *r = rig_inspect(writer_view(&w), rsa.pem, true);
		assert_int_equal(report_verified(r), 1);
		assert_int_equal(report_has(r, FINDING_FMT_UNKNOWN_PART), !cases[i].known);
		assert_int_equal(report_has(r, FINDING_COV_UNSIGNED_BYTES), !cases[i].known);
		report_free(r);
		writer_free(&w);
	}
}

/* Recovery reads the first signer only. */
static void
second_signer(void **state)
{
	(void)state;
	struct rig_entry e[] = { FILES };
	const struct how how = { .md = EVP_sha256(), .second = &ec };
	const struct vendor *who[] = { &rsa, &ec };
	unsigned conflicts = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct writer w;
		rig_zip(&w, e, 2, "");
		sign(&w, &rsa, &how);
		struct report *r = rig_inspect(writer_view(&w), who[i]->pem, true);
		assert_int_equal(report_verified(r), 1);
		conflicts += report_has(r, FINDING_FMT_CONFLICT);
		/* The other is a stranger's, and could be any bytes: no part of the envelope. */
		rig_has(r, FINDING_COV_UNSIGNED_BYTES);
		report_free(r);
		writer_free(&w);
	}
	assert_int_equal(conflicts, 1); /* DER sorts the set: whichever of the two comes first */
	struct writer w;
	char *pems = NULL;
	assert_true(asprintf(&pems, "%s%s", rsa.pem, ec.pem) > 0);
	rig_zip(&w, e, 2, "");
	sign(&w, &rsa, &how);
	struct report *r = rig_inspect(writer_view(&w), pems, true);
	assert_int_equal(report_verified(r), 2);
	assert_false(report_has(r, FINDING_COV_UNSIGNED_BYTES));
	report_free(r);
	writer_free(&w);
	free(pems);
}

/* Nor does the signer need another's certificate: whoever put it there could put anything. */
static void
certificate_along(void **state)
{
	(void)state;
	struct rig_entry e[] = { FILES };
	static const char other[] = "Another vendor";
	struct vendor stranger = { .pem = NULL };
	struct writer w;
	vendor_new(&stranger, EVP_EC_gen("P-256"));
	X509_NAME *name = X509_NAME_new();
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)other, -1, -1, 0);
	X509_set_subject_name(stranger.cert, name);
	X509_set_issuer_name(stranger.cert, name);
	X509_NAME_free(name);
	assert_true(X509_sign(stranger.cert, stranger.key, EVP_sha256()) > 0);
	const struct how how = { .md = EVP_sha256(), .along = &stranger };
	rig_zip(&w, e, 2, "");
	sign(&w, &rsa, &how);
	struct report *r = rig_inspect(writer_view(&w), rsa.pem, true);
	assert_int_equal(report_verified(r), 1);
	rig_has(r, FINDING_FMT_UNKNOWN_PART);
	rig_has(r, FINDING_COV_UNSIGNED_BYTES);
	report_free(r);
	writer_free(&w);
	vendor_free(&stranger);
}

/* The CMS alone still fits; only the rule of the second end record finds it. */
static void
footers_that_lie(void **state)
{
	(void)state;
	struct rig_entry e[] = { FILES };
	for (unsigned i = 0; i < 5; i++) {
		const struct how how = { .md = EVP_sha256(),
			.message = i == 4 ? "PK\5\6 and an end record that is none" : NULL,
			.message_n = i == 4 ? 36 : 0 };
		struct writer w;
		rig_zip(&w, e, 2, "");
		sign(&w, &rsa, &how);
		uint8_t *f = w.p + w.n - 6;
		if (i == 0)
			f[0]++; /* the signature begins one byte before itself */
		else if (i == 1)
			f[0] = 6, f[1] = 0; /* an empty one */
		else if (i == 2)
			f[0] = 0xff, f[1] = 0xff; /* outside the comment */
		else if (i == 3)
			f[2] = 0;
		struct source s;
		struct report *r = report_new(REPORT_VERIFY);
		struct trust *t = trust_new();
		char why[SIG_TEXT_MAX];
		static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE,
			.allow_leaf_anchor = true,
			.pinned_ignores_expiry = true };
		assert_int_equal(trust_add_pem(t, "vendor.pem", view_str(rsa.pem), TRUST_SCHEME_NONE, why, sizeof why),
		    0);
		source_memory(&s, writer_view(&w));
		assert_int_equal(walk_image(&s, FORMAT_ANDROID_OTA, t, &policy, RIG_NOW, r), 0);
		assert_int_equal(r->signatures.n, 1);
		assert_int_equal(r->signatures.result[0].outcome, SIG_INVALID);
		report_free(r);
		trust_free(t);
		writer_free(&w);
	}
}

/* Not one byte under the signature may change unnoticed; of the envelope some may. */
static void
every_byte(void **state)
{
	(void)state;
	struct rig_entry e[] = { FILES, { .name = METADATA, .text = "post-timestamp=5\n" } };
	struct writer w;
	rig_zip(&w, e, 3, "");
	uint64_t covered = w.n - 2;
	sign(&w, &ec, &(const struct how){ .md = EVP_sha256() });
	for (size_t i = 0; i < w.n; i++) {
		w.p[i] ^= 0x20;
		struct report *r = rig_inspect(writer_view(&w), ec.pem, true);
		struct coverage c;
		if (i < covered && report_verified(r) > 0)
			fail_msg("byte %zu may change", i);
		assert_int_equal(report_coverage(r, &c), 0);
		assert_true(coverage_signed(&c) <= covered);
		report_free(r);
		w.p[i] ^= 0x20;
	}
	for (size_t n = 0; n < w.n; n += 1 + n / 64) {
		struct report *r = rig_inspect(view_of(w.p, n), ec.pem, true);
		assert_int_equal(report_verified(r), 0);
		report_free(r);
	}
	writer_free(&w);
}

/* Signed, and still an archive that two readers read differently: signing is no licence. */
static void
signed_but_hiding(void **state)
{
	(void)state;
	struct rig_entry e[] = { FILES }, evil = { .name = "boot.img", .text = "EVIL" };
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_local(&w, &evil);
	rig_local(&w, &e[0]);
	uint64_t at = writer_view(&w).n;
	rig_central(&w, &e[0]);
	rig_end(&w, 1, at, writer_view(&w).n, "");
	sign(&w, &rsa, &(const struct how){ .md = EVP_sha256() });
	struct report *r = rig_inspect(writer_view(&w), rsa.pem, true);
	assert_int_equal(report_verified(r), 1);
	rig_has(r, FINDING_FMT_HIDDEN_BYTES);
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	report_free(r);
	writer_free(&w);
}

/* ---- what it says about itself ---- */

static void
metadata(void **state)
{
	(void)state;
	static const char text[] = "ota-type=BLOCK\npost-build=acme/x1/x1:9/PQ/7:user/release-keys\n"
				   " post-build-incremental = 7\r\npost-timestamp=1766000000\npre-device=x1|x2\n"
				   "ota-required-cache=0\n";
	struct rig_entry e[] = { FILES, { .name = METADATA, .text = text } };
	struct writer w;
	package(&w, e, 3);
	struct report *r = rig_inspect(writer_view(&w), rsa.pem, true);
	rig_clean(r);
	assert_string_equal(fact(r, CONTENTS_FACT_TYPE, "BLOCK"), "sure");
	assert_string_equal(fact(r, CONTENTS_FACT_BUILD, "acme/x1"), "sure");
	assert_string_equal(fact(r, CONTENTS_FACT_VERSION, "7"), "sure");
	assert_string_equal(fact(r, CONTENTS_FACT_TIMESTAMP, "1766000000"), "sure");
	assert_string_equal(fact(r, CONTENTS_FACT_COMPATIBLE, "x1"), "sure");
	assert_string_equal(fact(r, CONTENTS_FACT_COMPATIBLE, "x2"), "sure");
	assert_false(report_has(r, FINDING_META_DOWNGRADE) || report_has(r, FINDING_META_TARGETED));
	report_free(r);
	r = rig_inspect(writer_view(&w), ec.pem, true);
	assert_string_equal(fact(r, CONTENTS_FACT_TYPE, "BLOCK"), "said");
	report_free(r);
	writer_free(&w);

	const struct {
		const char *text;
		enum finding_id id;
	} bad[] = {
		{ "ota-downgrade=yes\n", FINDING_META_DOWNGRADE },
		{ "spl-downgrade=yes", FINDING_META_DOWNGRADE },
		{ "serialno=A1B2\n", FINDING_META_TARGETED },
		{ "pre-build=acme/x1/x1:8\n", FINDING_FMT_DELTA },
		{ "post-timestamp=12x\n", FINDING_FMT_MALFORMED },
		{ "post-timestamp=1\npost-timestamp=2\n", FINDING_FMT_DUPLICATE },
	};
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct rig_entry b[] = { { .name = METADATA, .text = bad[i].text, .deflate = i % 2 } };
		package(&w, b, 1);
		r = rig_inspect(writer_view(&w), rsa.pem, true);
		rig_has(r, bad[i].id);
		report_free(r);
		writer_free(&w);
	}
}

static void
script_and_certificate(void **state)
{
	(void)state;
	struct rig_entry e[] = {
		{ .name = SCRIPT, .text = "mount(\"ext4\", \"/x\");\nrun_program(\"/tmp/a\"); not_run_program(1);\n"
				     "run_program (\"b\"); run_program(\"c\");\n" },
		{ .name = "META-INF/com/android/otacert", .text = rsa.pem },
		{ .name = "META-INF/CERT.RSA", .text = "0\x82\1\1\6\x9\x2a\x86\x48\x86\xf7\xd\1\7\2", .text_n = 15 },
	};
	struct writer w;
	package(&w, e, 3);
	struct report *r = rig_inspect(writer_view(&w), rsa.pem, true);
	rig_clean(r); /* the JAR signature is not taken for one of the package */
	rig_has(r, FINDING_MEMBER_RUNS);
	assert_true(rig_member(r, SCRIPT)->runs);
	assert_string_equal(fact(r, CONTENTS_FACT_NOTE, "mount:1 run_program:2"), "sure");
	assert_string_equal(fact(r, CONTENTS_FACT_KEY_HINT, "otacert spki-sha256 "), "sure");
	report_free(r);
	writer_free(&w);
}

/* ---- payload.bin and the properties beside it ---- */

/* SHA-256 of "0123456789" and, as metadata, of its first four bytes. */
#define ALL "hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII="
#define HEAD "G+LkUrRteg2WVrux92joJI66G3W67WX12Z6vqUiJmmo="

static void
payload_properties(void **state)
{
	(void)state;
	const struct {
		const char *text;
		enum finding_id id; /* LIMIT: none */
		bool deflate;
	} cases[] = {
		{ "FILE_HASH=" ALL "\nFILE_SIZE=10\nMETADATA_HASH=" HEAD "\nMETADATA_SIZE=4\n", FINDING_LIMIT, false },
		{ "FILE_HASH=" HEAD "\n", FINDING_MEMBER_DIGEST, false },
		{ "FILE_HASH=" ALL "\nFILE_SIZE=11\n", FINDING_FMT_CONFLICT, false },
		{ "METADATA_HASH=" ALL "\nMETADATA_SIZE=4\n", FINDING_MEMBER_DIGEST, false },
		{ "METADATA_HASH=" ALL "\nMETADATA_SIZE=11\n", FINDING_FMT_CONFLICT, false },
		{ "METADATA_HASH=" HEAD "\nMETADATA_SIZE=4\n", FINDING_FMT_CONFLICT, true },
		{ "FILE_HASH=" ALL "\nFILE_HASH=" ALL "\n", FINDING_FMT_MALFORMED, false },
		{ "FILE_HASH=hNiYd/DU\n", FINDING_FMT_MALFORMED, false },
		{ "FILE_SIZE=010\n", FINDING_FMT_MALFORMED, false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig_entry e[] = { { .name = "payload_properties.txt", .text = cases[i].text },
			{ .name = "payload.bin", .text = "0123456789", .deflate = cases[i].deflate } };
		struct writer w;
		package(&w, e, 2);
		struct report *r = rig_inspect(writer_view(&w), rsa.pem, true);
		if (cases[i].id == FINDING_LIMIT) {
			rig_clean(r);
			assert_int_equal(rig_member(r, "payload.bin")->vouch, CONTENTS_VOUCH_DIGEST);
		} else {
			rig_has(r, cases[i].id);
		}
		report_free(r);
		writer_free(&w);
	}
	struct rig_entry alone[] = { { .name = "payload_properties.txt", .text = "FILE_SIZE=1" } };
	struct writer w;
	package(&w, alone, 1);
	struct report *r = rig_inspect(writer_view(&w), rsa.pem, true);
	rig_has(r, FINDING_MEMBER_MISSING);
	report_free(r);
	writer_free(&w);
}

/* ---- AOSP's own files ---- */

static void
aosp_one(const char *folder, unsigned i, unsigned k, struct view zip)
{
	char name[32];
	size_t n = 0;
	bool own = i < 5 && (i - k) % 2 == 0;
	snprintf(name, sizeof name, "testkey_v%u.x509.pem", k);
	uint8_t *pem = rig_file(folder, name, &n);
	assert_non_null(pem);
	struct report *r = rig_inspect(zip, (const char *)pem, true);
	assert_int_equal(r->signatures.n, 1);
	const struct sig_result *s = &r->signatures.result[0];
	enum sig_outcome want = i == 5 ? SIG_INVALID : i < 3 ? SIG_WEAK : own ? SIG_VERIFIED : SIG_EXPIRED;
	if (s->outcome != want) {
		rig_show(r);
		fail_msg("package %u under key %u", i, k);
	}
	if (own && i > 2)
		rig_has(r, FINDING_SIG_KEY_PUBLISHED);
	/* Nothing but the signature may be wrong with a genuine package. */
	for (unsigned f = 0; f < FINDING_LIMIT && i < 5; f++)
		if (strncmp(finding_get((enum finding_id)f)->id, "FMT-", 4) == 0 &&
		    r->findings[f].severity == FINDING_BLOCK) {
			rig_show(r);
			fail_msg("package %u", i);
		}
	if (i == 5)
		assert_non_null(strstr(s->detail, "second end record"));
	report_free(r);
	free(pem);
}

static void
aosp(void **state)
{
	(void)state;
	char folder[400];
	const char *shared = getenv("FG_SHARED");
	size_t n = 0;
	snprintf(folder, sizeof folder, "%s/vectors/android-ota", shared ? shared : "");
	uint8_t *probe = rig_file(folder, "random.zip", &n);
	if (!probe) {
		print_message("no vectors in %s\n", folder);
		skip();
	}
	struct source s;
	struct trust *nobody = trust_new();
	struct report *noise = report_new(REPORT_VERIFY);
	static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE };
	source_memory(&s, view_of(probe, n));
	assert_int_equal(walk_image(&s, FORMAT_ANDROID_OTA, nobody, &policy, RIG_NOW, noise), 0);
	assert_int_equal(noise->signatures.result[0].outcome, SIG_INVALID);
	report_free(noise);
	trust_free(nobody);
	free(probe);
	/*
	 * The cross-key table, each package under each certificate. Two key pairs lie behind the four:
	 * one of v1 and v3, one of v2 and v4. v1 and v2 are signed over SHA-1, so weak at best.
	 */
	for (unsigned i = 1; i <= 5; i++) {
		char name[32];
		snprintf(name, sizeof name, "otasigned_v%u.zip", i);
		if (i == 5)
			memcpy(name, "fake-eocd.zip", sizeof "fake-eocd.zip");
		uint8_t *zip = rig_file(folder, name, &n);
		assert_non_null(zip);
		for (unsigned k = 1; k <= 4; k++)
			aosp_one(folder, i, k, view_of(zip, n));
		free(zip);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verified),
		cmocka_unit_test(forms_that_are_refused),
		cmocka_unit_test(words_before_the_signature),
		cmocka_unit_test(second_signer),
		cmocka_unit_test(certificate_along),
		cmocka_unit_test(footers_that_lie),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(signed_but_hiding),
		cmocka_unit_test(metadata),
		cmocka_unit_test(script_and_certificate),
		cmocka_unit_test(payload_properties),
		cmocka_unit_test(aosp),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
