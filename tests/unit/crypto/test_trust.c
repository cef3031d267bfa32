/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trust set: what may be enrolled, and what the set says about a signer's
 * certificate. Traps T2, T3, T4 (chain), T11, T12, T13, T14, T17 of the
 * signature paper, an accept and a reject each.
 */
#include "unit/crypto/pki.h"

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"
#include "crypto/published.h"

#define SET "root inter"
#define SET_CRL "root inter crl-root crl-inter"

static const struct trust_policy firmware = { .purpose = TRUST_PURPOSE_FIRMWARE };
static const struct trust_policy code_signing = { .purpose = TRUST_PURPOSE_CODE_SIGNING };
static const struct trust_policy email = { .purpose = TRUST_PURPOSE_EMAIL };
static const struct trust_policy strict = { .purpose = TRUST_PURPOSE_FIRMWARE,
	.require_revocation = true };
static const struct trust_policy pin = { .purpose = TRUST_PURPOSE_FIRMWARE,
	.allow_leaf_anchor = true };
static const struct trust_policy recovery = {
	.purpose = TRUST_PURPOSE_FIRMWARE, .allow_leaf_anchor = true, .pinned_ignores_expiry = true
};

/* ---- enrolment ----------------------------------------------------------- */

static int
enrol(struct trust *t, const char *path, enum trust_scheme scheme, char why[SIG_TEXT_MAX])
{
	struct pki_blob b = pki_load(path);
	why[0] = '\0';
	int err = trust_add_pem(t, path, pki_view(&b), scheme, why, SIG_TEXT_MAX);
	free(b.p);
	return err;
}

static int
enrol_text(struct trust *t, const char *text, char why[SIG_TEXT_MAX])
{
	why[0] = '\0';
	return trust_add_pem(t, "text", view_str(text), TRUST_SCHEME_NONE, why, SIG_TEXT_MAX);
}

/* What a TUF repository begins with: signed by its own threshold, once whatever its spelling. */
static void
enrols_roots_of_repositories(void **state)
{
	(void)state;
	char why[SIG_TEXT_MAX];
	uint8_t without[DIGEST_SHA256_LEN], with[DIGEST_SHA256_LEN];
	struct trust *t = trust_new();
	assert_int_equal(trust_digest(t, without), 0);
	assert_int_equal(enrol(t, "tuf/anchor/root.json", TRUST_SCHEME_NONE, why), 0);
	assert_int_equal(enrol(t, "tuf/anchor/root.json", TRUST_SCHEME_NONE, why), 0);
	assert_int_equal(trust_roots(t), 1);
	assert_int_equal(trust_keys(t), 0);
	assert_string_equal(trust_root_at(t, 0)->name, "tuf/anchor/root.json");
	assert_null(trust_root_at(t, 1));
	assert_int_equal(trust_digest(t, with), 0);
	assert_memory_not_equal(without, with, sizeof with);
	assert_int_equal(enrol(t, "tuf/anchor/expired-root.json", TRUST_SCHEME_NONE, why), 0); /* a step on the way */
	assert_int_equal(enrol(t, "tuf/anchor/unsigned.json", TRUST_SCHEME_NONE, why), FG_EINVAL);
	assert_non_null(strstr(why, "1 of 2 keys"));
	assert_int_equal(enrol(t, "tuf/anchor/timestamp.json", TRUST_SCHEME_NONE, why), FG_EFORMAT);
	assert_non_null(strstr(why, "another type"));
	assert_int_equal(enrol_text(t, "{}", why), FG_EFORMAT);
	assert_int_equal(trust_roots(t), 2);
	trust_free(t);
}

static void
enrols_certificates_crls_and_keys(void **state)
{
	(void)state;
	char why[SIG_TEXT_MAX];
	struct trust *t = pki_trust(SET_CRL);
	assert_int_equal(trust_certs(t), 2);
	assert_int_equal(trust_crls(t), 2);
	assert_int_equal(enrol(t, "key/code.pub", TRUST_SCHEME_NONE, why), 0);
	assert_int_equal(enrol(t, "key/email.pub", TRUST_SCHEME_NONE, why), 0);
	assert_int_equal(enrol(t, "key/p384.pub", TRUST_ECDSA_FIXED, why), 0);
	assert_int_equal(enrol(t, "key/ed25519.pub", TRUST_SCHEME_NONE, why), 0);
	assert_int_equal(enrol(t, "key/rsa-e3.pub", TRUST_RSA_PSS_SHA384, why), 0);
	assert_int_equal(trust_keys(t), 5);
	static const struct {
		enum trust_scheme scheme;
		const char *type;
	} expected[] = {
		{ TRUST_RSA_PKCS1_SHA256, "rsa-2048" },
		{ TRUST_ECDSA_DER, "ec-p256" },
		{ TRUST_ECDSA_FIXED, "ec-p384" },
		{ TRUST_ED25519, "ed25519" },
		{ TRUST_RSA_PSS_SHA384, "rsa-2048" },
	};
	for (size_t i = 0; i < 5; i++) {
		const struct trust_key *key = trust_key_at(t, i);
		assert_int_equal(key->scheme, expected[i].scheme);
		assert_string_equal(key->key_type, expected[i].type);
		assert_false(key->published);
	}
	assert_null(trust_key_at(t, 5));
	assert_null(trust_cert_at(t, 2));
	trust_free(t);
}

static void
enrolment_refuses_what_may_never_vouch(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		enum trust_scheme scheme;
		const char *says;
	} rows[] = {
		{ "key/code.key", TRUST_SCHEME_NONE, "private key" },
		{ "key/email.key", TRUST_SCHEME_NONE, "private key" },
		{ "key/rsa1024.pub", TRUST_SCHEME_NONE, "1024 bits" },
		{ "cert/rsa1024.pem", TRUST_SCHEME_NONE, "1024 bits" },
		{ "key/rsa-e1.pub", TRUST_SCHEME_NONE, "exponent" },
		{ "key/rsa-e2.pub", TRUST_SCHEME_NONE, "exponent" },
		{ "key/p521.pub", TRUST_SCHEME_NONE, "secp521r1" },
		{ "key/k256.pub", TRUST_SCHEME_NONE, "secp256k1" },
		{ "cert/p521.pem", TRUST_SCHEME_NONE, "secp521r1" },
		{ "key/explicit.pub", TRUST_SCHEME_NONE, "explicit" },
		{ "key/x25519.pub", TRUST_SCHEME_NONE, "x25519" },
		{ "key/code.pub", TRUST_ECDSA_DER, "ecdsa-der" },
		{ "key/email.pub", TRUST_RSA_PKCS1_SHA256, "rsa-pkcs1v15-sha256" },
		{ "key/ed25519.pub", TRUST_ECDSA_FIXED, "ecdsa-fixed" },
		{ "data/lf", TRUST_SCHEME_NONE, "no PEM" },
		{ "cms/code.der", TRUST_SCHEME_NONE, "no PEM" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char why[SIG_TEXT_MAX];
		struct trust *t = pki_trust("root");
		int err = enrol(t, rows[i].path, rows[i].scheme, why);
		if (err != FG_EINVAL && err != FG_EFORMAT)
			fail_msg("%s: enrolled or failed otherwise: %d", rows[i].path, err);
		if (!strstr(why, rows[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].path, why, rows[i].says);
		assert_int_equal(trust_certs(t) + trust_crls(t) + trust_keys(t), 1);
		trust_free(t);
	}
}

static void
enrolment_refuses_damaged_pem(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"just words\n",
		"-----BEGIN PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
		"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
		"-----BEGIN TRUSTED CERTIFICATE-----\nMAA=\n-----END TRUSTED CERTIFICATE-----\n",
		"-----BEGIN public key-----\nMAA=\n-----END public key-----\n",
		"-----BEGIN \nMAA=\n-----END -----\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char why[SIG_TEXT_MAX];
		struct trust *t = trust_new();
		assert_true(enrol_text(t, texts[i], why) < 0);
		assert_true(why[0] != '\0');
		assert_int_equal(trust_certs(t) + trust_crls(t) + trust_keys(t), 0);
		trust_free(t);
	}
}

/* before + the file + after must be refused whole, though the object in it is good. */
static void
expect_refused_around(const char *before, const char *after)
{
	char why[SIG_TEXT_MAX];
	struct pki_blob b = pki_load("cert/root.pem");
	char *text = NULL;
	assert_true(asprintf(&text, "%s%.*s%s", before, (int)b.n, (const char *)b.p, after) > 0);
	struct trust *t = trust_new();
	assert_int_not_equal(enrol_text(t, text, why), 0);
	assert_int_equal(trust_certs(t), 0);
	trust_free(t);
	free(text);
	free(b.p);
}

static void
enrolment_refuses_leftovers_that_look_like_pem(void **state)
{
	(void)state;
	expect_refused_around("", "-----BEGIN CERTIFICATE-----\nMIIB\n");
	expect_refused_around("", "-----END CERTIFICATE-----\n");
	expect_refused_around("", " -----BEGIN PUBLIC KEY-----\n");
	expect_refused_around("-----BEGIN CERTIFICATE----\n", "");
	expect_refused_around("", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
}

static void
comments_crlf_and_repeats_are_fine(void **state)
{
	(void)state;
	char why[SIG_TEXT_MAX];
	struct pki_blob b = pki_load("cert/root.pem");
	char text[8192];
	size_t n = (size_t)snprintf(text, sizeof text, "# Vendor's root, by phone\r\n\r\n");
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\n')
			text[n++] = '\r';
		text[n++] = (char)b.p[i];
	}
	text[n] = '\0';
	struct trust *t = pki_trust("root");
	assert_int_equal(enrol_text(t, text, why), 0);
	assert_int_equal(trust_certs(t), 1);
	trust_free(t);
	free(b.p);
}

static void
bytes_after_the_der_inside_an_object_are_refused(void **state)
{
	(void)state;
	char why[SIG_TEXT_MAX];
	X509 *x509 = pki_cert("root");
	uint8_t der[4096], *p = der;
	int n = i2d_X509(x509, &p);
	X509_free(x509);
	der[n] = 0;
	struct writer w;
	writer_init(&w, 1 << 16);
	writer_text(&w, "-----BEGIN CERTIFICATE-----\n");
	base64_encode(view_of(der, (size_t)n + 1), &w);
	writer_text(&w, "\n-----END CERTIFICATE-----\n");
	struct trust *t = trust_new();
	assert_int_equal(
	    trust_add_pem(t, "x", writer_view(&w), TRUST_SCHEME_NONE, why, sizeof why), FG_EINVAL);
	trust_free(t);
	writer_free(&w);
}

static void
the_set_is_named_by_its_objects(void **state)
{
	(void)state;
	char why[SIG_TEXT_MAX];
	uint8_t one[32], two[32], three[32], four[32];
	struct trust *t = pki_trust("root inter crl-root");
	struct trust *u = pki_trust("crl-root inter root inter");
	assert_int_equal(trust_digest(t, one), 0);
	assert_int_equal(trust_digest(u, two), 0);
	assert_memory_equal(one, two, 32);
	/* The same key under another scheme is another set. */
	assert_int_equal(enrol(t, "key/code.pub", TRUST_RSA_PKCS1_SHA256, why), 0);
	assert_int_equal(enrol(u, "key/code.pub", TRUST_RSA_PSS_SHA256, why), 0);
	assert_int_equal(trust_digest(t, three), 0);
	assert_int_equal(trust_digest(u, four), 0);
	assert_memory_not_equal(three, one, 32);
	assert_memory_not_equal(three, four, 32);
	trust_free(t);
	trust_free(u);
}

static void
a_set_has_a_limit(void **state)
{
	(void)state;
	struct pki_blob b = pki_load("cert/crl-root.pem");
	char why[SIG_TEXT_MAX];
	struct writer w;
	writer_init(&w, TRUST_FILE_MAX * 2);
	for (int i = 0; i < TRUST_ITEMS_MAX + 1; i++)
		writer_bytes(&w, pki_view(&b));
	struct trust *t = trust_new();
	assert_int_equal(
	    trust_add_pem(t, "x", writer_view(&w), TRUST_SCHEME_NONE, why, sizeof why), FG_ELIMIT);
	assert_int_equal(trust_crls(t), 0);
	while (writer_view(&w).n <= TRUST_FILE_MAX)
		writer_text(
		    &w, "comment comment comment comment comment comment comment comment\n");
	assert_int_equal(
	    trust_add_pem(t, "x", writer_view(&w), TRUST_SCHEME_NONE, why, sizeof why), FG_ELIMIT);
	trust_free(t);
	writer_free(&w);
	free(b.p);
}

static void
one_key_has_one_hash_in_every_encoding(void **state)
{
	(void)state;
	char why[SIG_TEXT_MAX];
	struct trust *t = trust_new();
	assert_int_equal(enrol(t, "key/leaf.pub", TRUST_SCHEME_NONE, why), 0);
	assert_int_equal(enrol(t, "key/leaf-compressed.pub", TRUST_SCHEME_NONE, why), 0);
	assert_int_equal(trust_keys(t), 1);
	/* And it is the hash that openssl pkey -pubout -outform DER | sha256sum shows. */
	EVP_PKEY *pkey = pki_private("leaf");
	uint8_t *der = NULL, hash[32];
	int n = i2d_PUBKEY(pkey, &der);
	assert_int_equal(digest_sha256(view_of(der, (size_t)n), hash), 0);
	assert_memory_equal(trust_key_at(t, 0)->spki_sha256, hash, 32);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	trust_free(t);
}

static void
scheme_names_go_both_ways(void **state)
{
	(void)state;
	for (int i = TRUST_RSA_PKCS1_SHA256; i <= TRUST_ED25519; i++)
		assert_int_equal(trust_scheme_parse(trust_scheme_name((enum trust_scheme)i)), i);
	assert_int_equal(trust_scheme_parse("none"), TRUST_SCHEME_NONE);
	assert_int_equal(trust_scheme_parse("rsa"), TRUST_SCHEME_NONE);
	assert_int_equal(trust_scheme_parse(NULL), TRUST_SCHEME_NONE);
}

/* ---- T17 ----------------------------------------------------------------- */

static int
enrol_ed25519(const uint8_t key[32])
{
	static const uint8_t prefix[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
		0x03, 0x21, 0x00 };
	uint8_t spki[sizeof prefix + 32];
	char why[SIG_TEXT_MAX];
	struct writer w;
	memcpy(spki, prefix, sizeof prefix);
	memcpy(spki + sizeof prefix, key, 32);
	writer_init(&w, 1024);
	writer_text(&w, "-----BEGIN PUBLIC KEY-----\n");
	base64_encode(view_of(spki, sizeof spki), &w);
	writer_text(&w, "\n-----END PUBLIC KEY-----\n");
	struct trust *t = trust_new();
	int err = trust_add_pem(t, "key", writer_view(&w), TRUST_SCHEME_NONE, why, sizeof why);
	assert_int_equal(trust_keys(t), err ? 0 : 1);
	trust_free(t);
	writer_free(&w);
	return err;
}

static void
T17_accept_an_honest_ed25519_key(void **state)
{
	(void)state;
	/* RFC 8032 7.1, test 1 */
	uint8_t key[32];
	assert_true(hex_decode(
	    view_str("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), key, 32));
	assert_int_equal(enrol_ed25519(key), 0);
}

static void
T17_reject_low_order_and_second_encodings(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p */
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 3 */
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		uint8_t key[32];
		assert_true(hex_decode(view_str(bad[i]), key, 32));
		if (enrol_ed25519(key) != FG_EINVAL)
			fail_msg("enrolled %s", bad[i]);
	}
}

static bool
has_flag(const struct json_value *vector, const char *flag)
{
	const struct json_value *flags = json_get(vector, "flags");
	struct view s;
	for (size_t i = 0; i < json_count(flags); i++)
		if (json_string(json_at(flags, i), &s) && view_is(s, flag))
			return true;
	return false;
}

static void
T17_cctv_table_low_order_and_non_canonical_keys(void **state)
{
	(void)state;
	struct pki_blob b = pki_shared("ed25519-edge/ed25519vectors.json");
	struct json *doc = NULL;
	struct json_error error;
	assert_int_equal(json_parse(pki_view(&b), &doc, &error), 0);
	size_t n = json_count(json_root(doc)), refused = 0;
	for (size_t i = 0; i < n; i++) {
		const struct json_value *v = json_at(json_root(doc), i);
		uint8_t key[32];
		struct view hex;
		assert_true(json_string(json_get(v, "key"), &hex) && hex_decode(hex, key, 32));
		bool bad = has_flag(v, "low_order_A") || has_flag(v, "non_canonical_A");
		int err = enrol_ed25519(key);
		if (bad != (err != 0))
			fail_msg("vector %zu: enrolment says %d", i, err);
		refused += bad;
	}
	assert_true(refused > 100 && refused < n);
	json_free(doc);
	free(b.p);
}

/* ---- judging ------------------------------------------------------------- */

static struct sig_result
judge_at(const char *set, const struct trust_policy *policy, const char *leaf, const char *extra,
    int64_t now)
{
	struct sig_result r = { .outcome = SIG_VERIFIED };
	struct trust *t = pki_trust(set);
	X509 *x509 = pki_cert(leaf);
	STACK_OF(X509) *sent = sk_X509_new_null();
	char list[256];
	snprintf(list, sizeof list, "%s", extra);
	char *rest = list;
	for (char *name; (name = strsep(&rest, " "));)
		if (name[0])
			sk_X509_push(sent, pki_cert(name));
	assert_int_equal(trust_judge_cert(t, policy, x509, sent, now, &r), 0);
	sk_X509_pop_free(sent, X509_free);
	X509_free(x509);
	trust_free(t);
	return r;
}

static struct sig_result
expect(
    enum sig_outcome outcome, const char *set, const struct trust_policy *policy, const char *leaf)
{
	struct sig_result r = judge_at(set, policy, leaf, "", PKI_NOW);
	pki_outcome(&r, outcome, leaf);
	return r;
}

static void
chain_facts_are_filled_in(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_VERIFIED, SET_CRL, &firmware, "code");
	assert_string_equal(r.signer.subject, "O=Vendor, CN=Code signer");
	assert_string_equal(r.signer.issuer, "O=Vendor, CN=Issuing");
	assert_string_equal(r.signer.serial, "1000");
	assert_string_equal(r.signer.anchor, "root");
	assert_string_equal(r.signer.key_type, "rsa-2048");
	assert_true(r.signer.have_spki);
	assert_int_equal(r.signer.not_before, 1577836800);
	assert_int_equal(r.signer.not_after, 2524607999);
	assert_int_equal(r.revocation, SIG_REVOCATION_CHECKED);
}

static void
hostile_names_are_shown_escaped(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_VERIFIED, "other-root", &firmware, "hostile");
	assert_string_equal(r.signer.subject, "O=Vendor, CN=evil\\, O=Apple<1B>[2J<U+202E>txt");
}

static void
no_purpose_denies(void **state)
{
	(void)state;
	static const struct trust_policy none = { .purpose = TRUST_PURPOSE_NONE };
	expect(SIG_UNTRUSTED, SET, &none, "code");
}

static void
T2_accept_each_purpose_we_name(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, SET, &firmware, "code");
	expect(SIG_VERIFIED, SET, &firmware, "email");
	expect(SIG_VERIFIED, SET, &firmware, "plain");
	expect(SIG_VERIFIED, SET, &code_signing, "code");
	expect(SIG_VERIFIED, SET, &email, "email");
}

static void
T2_reject_what_openssl_would_take_for_any_purpose(void **state)
{
	(void)state;
	expect(SIG_UNTRUSTED, SET, &firmware, "tls");
	expect(SIG_UNTRUSTED, SET, &firmware, "anyeku");
	expect(SIG_UNTRUSTED, SET, &code_signing, "email");
	expect(SIG_UNTRUSTED, SET, &code_signing, "plain");
	expect(SIG_UNTRUSTED, SET, &email, "code");
	expect(SIG_UNTRUSTED, SET, &email, "plain");
	expect(SIG_UNTRUSTED, SET, &firmware, "encipher");
	expect(SIG_UNTRUSTED, SET, &code_signing, "encipher");
}

static void
T3_accept_code_signing_under_an_unrestricted_issuer(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, SET, &code_signing, "code");
}

static void
T3_reject_code_signing_under_a_web_issuer(void **state)
{
	(void)state;
	expect(SIG_UNTRUSTED, "root tlsca", &code_signing, "under-tlsca");
	expect(SIG_UNTRUSTED, "root tlsca", &firmware, "under-tlsca");
}

static void
T4_accept_a_strong_chain(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, SET, &firmware, "p384");
	expect(SIG_VERIFIED, SET, &firmware, "ed25519");
}

static void
T4_reject_weak_links_of_a_chain(void **state)
{
	(void)state;
	expect(SIG_WEAK, SET, &firmware, "rsa1024");
	expect(SIG_WEAK, SET, &firmware, "sha1");
	expect(SIG_WEAK, SET, &firmware, "p521");
	expect(SIG_WEAK, "root inter-sha1", &firmware, "code");
	static const struct trust_policy long_keys = { .purpose = TRUST_PURPOSE_FIRMWARE,
		.rsa_bits_min = 3072 };
	expect(SIG_WEAK, SET, &long_keys, "code");
	/* A minimum below the house's own does not lower it. */
	static const struct trust_policy short_keys = { .purpose = TRUST_PURPOSE_FIRMWARE,
		.rsa_bits_min = 512 };
	expect(SIG_WEAK, SET, &short_keys, "rsa1024");
}

static void
T11_accept_within_validity_and_an_expired_pin_where_the_policy_says_so(void **state)
{
	(void)state;
	struct sig_result r =
	    judge_at(SET, &firmware, "expired", "", INT64_C(1609459200)); /* 2021 */
	pki_outcome(&r, SIG_VERIFIED, "expired, in 2021");
	expect(SIG_VERIFIED, "self-expired", &recovery, "self-expired");
	expect(SIG_VERIFIED, "root inter expired", &recovery, "expired");
}

static void
T11_reject_expired_and_not_yet_valid(void **state)
{
	(void)state;
	expect(SIG_EXPIRED, SET, &firmware, "expired");
	expect(SIG_EXPIRED, SET, &firmware, "notyet");
	expect(SIG_EXPIRED, "self-expired", &pin, "self-expired");
	/* Ignoring expiry is for pins only. */
	expect(SIG_EXPIRED, SET, &recovery, "expired");
}

static void
T12_accept_a_current_crl_for_every_link(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_VERIFIED, SET_CRL, &strict, "code");
	assert_int_equal(r.revocation, SIG_REVOCATION_CHECKED);
}

static void
T12_not_checked_is_said(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_VERIFIED, SET, &firmware, "code");
	assert_int_equal(r.revocation, SIG_REVOCATION_NOT_CHECKED);
	assert_non_null(strstr(r.detail, "revocation not checked"));
	/* CRLs of somebody else's do not count. */
	r = expect(SIG_VERIFIED, "other-root crl-root", &firmware, "other");
	assert_int_equal(r.revocation, SIG_REVOCATION_NOT_CHECKED);
	expect(SIG_UNTRUSTED, SET, &strict, "code");
}

static void
T12_reject_a_crl_for_the_leaf_only_or_out_of_date(void **state)
{
	(void)state;
	static const char *const sets[] = {
		"root inter crl-inter",
		"root inter crl-root",
		"root inter crl-root crl-inter-stale",
		"root inter crl-root crl-inter-future",
		"root inter crl-root crl-impostor",
	};
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		struct sig_result r = judge_at(sets[i], &firmware, "code", "", PKI_NOW);
		pki_outcome(&r, SIG_VERIFIED, sets[i]);
		if (r.revocation != SIG_REVOCATION_STALE)
			fail_msg("%s: revocation %s", sets[i], sig_revocation_name(r.revocation));
		r = judge_at(sets[i], &strict, "code", "", PKI_NOW);
		pki_outcome(&r, SIG_UNTRUSTED, sets[i]);
	}
}

static void
T12_reject_a_revoked_certificate_even_by_a_stale_crl(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, SET, &firmware, "revoked");
	expect(SIG_REVOKED, SET_CRL, &firmware, "revoked");
	expect(SIG_REVOKED, SET_CRL, &strict, "revoked");
	expect(SIG_REVOKED, "root inter crl-root crl-inter-old-list", &firmware, "revoked");
	/* A pin does not repair it, with or without its issuer in the set. */
	expect(SIG_REVOKED, "root inter crl-root crl-inter revoked", &recovery, "revoked");
	expect(SIG_REVOKED, "crl-inter revoked", &recovery, "revoked");
}

static void
T13_accept_a_pinned_leaf_where_the_policy_says_so(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_VERIFIED, "self", &pin, "self");
	assert_string_equal(r.signer.anchor, "self");
	expect(SIG_VERIFIED, "code", &pin, "code");
	/* The same key under a certificate of somebody else's: the enrolled one is what counts. */
	r = expect(SIG_VERIFIED, "code", &pin, "code-foreign");
	assert_string_equal(r.signer.issuer, "O=Vendor, CN=Issuing");
	/* A leaf that is pinned and has a chain too. */
	expect(SIG_VERIFIED, "root inter code", &pin, "code");
	/* A renewed certificate over the same key. */
	expect(SIG_VERIFIED, "self-expired self", &pin, "self-expired");
}

static void
T13_reject_a_leaf_in_the_set_without_that_policy(void **state)
{
	(void)state;
	expect(SIG_UNTRUSTED, "code", &firmware, "code");
	expect(SIG_UNTRUSTED, "self", &firmware, "self");
	/* Subject and issuer alike, another key. */
	expect(SIG_UNTRUSTED, "code", &pin, "impostor");
	/* A pin is judged by the enrolled certificate, whatever the one sent along claims. */
	expect(SIG_UNTRUSTED, "self-tls", &pin, "self");
	expect(SIG_EXPIRED, "self-expired", &pin, "self");
}

static void
T13_partial_chain_only_where_the_policy_says_so(void **state)
{
	(void)state;
	static const struct trust_policy partial = { .purpose = TRUST_PURPOSE_FIRMWARE,
		.allow_partial_chain = true };
	struct sig_result r = expect(SIG_VERIFIED, "inter", &partial, "code");
	assert_string_equal(r.signer.anchor, "inter");
	expect(SIG_UNTRUSTED, "inter", &firmware, "code");
	/* A leaf in the set is still no anchor for itself. */
	expect(SIG_UNTRUSTED, "code", &partial, "code");
	/* And no leaf becomes an issuer. */
	expect(SIG_UNTRUSTED, "email", &partial, "code");
}

static void
T14_accept_the_genuine_signer(void **state)
{
	(void)state;
	struct sig_result r = judge_at("root", &firmware, "code", "inter", PKI_NOW);
	pki_outcome(&r, SIG_VERIFIED, "intermediate sent along");
}

static void
T14_reject_same_issuer_and_serial_by_another_key(void **state)
{
	(void)state;
	struct sig_result r = judge_at(SET, &firmware, "impostor", "impostor-ca", PKI_NOW);
	assert_true(r.outcome == SIG_UNTRUSTED || r.outcome == SIG_INVALID);
}

static void
certificates_sent_along_are_never_anchors(void **state)
{
	(void)state;
	struct sig_result r = judge_at(SET, &firmware, "other", "other-root", PKI_NOW);
	pki_outcome(&r, SIG_UNTRUSTED, "other-root sent along");
	r = judge_at(SET, &recovery, "self", "self", PKI_NOW);
	pki_outcome(&r, SIG_UNTRUSTED, "self sent along");
	static const struct trust_policy partial = { .purpose = TRUST_PURPOSE_FIRMWARE,
		.allow_partial_chain = true };
	r = judge_at(SET, &partial, "other", "other-root", PKI_NOW);
	pki_outcome(&r, SIG_UNTRUSTED, "other-root sent along, partial chains");
}

static void
issuers_that_are_no_ca_are_refused(void **state)
{
	(void)state;
	static const struct trust_policy partial = { .purpose = TRUST_PURPOSE_FIRMWARE,
		.allow_partial_chain = true };
	expect(SIG_UNTRUSTED, "root v1ca", &firmware, "under-v1ca");
	expect(SIG_UNTRUSTED, "root muteca", &firmware, "under-muteca");
	expect(SIG_UNTRUSTED, "v1ca", &partial, "under-v1ca");
	expect(SIG_UNTRUSTED, "muteca", &partial, "under-muteca");
}

static void
the_worst_finding_wins(void **state)
{
	(void)state;
	/* expired and without an anchor */
	expect(SIG_EXPIRED, "other-root", &firmware, "expired");
	/* revoked beats expired: judged after the end of everything */
	struct sig_result r = judge_at(SET_CRL, &firmware, "revoked", "", INT64_C(2600000000));
	pki_outcome(&r, SIG_REVOKED, "revoked and expired");
	/* an outcome the caller brought along is never improved */
	r = (struct sig_result){ .outcome = SIG_INVALID };
	struct trust *t = pki_trust(SET);
	X509 *x509 = pki_cert("code");
	assert_int_equal(trust_judge_cert(t, &firmware, x509, NULL, PKI_NOW, &r), 0);
	pki_outcome(&r, SIG_INVALID, "brought along");
	X509_free(x509);
	trust_free(t);
}

static void
an_empty_set_trusts_nobody(void **state)
{
	(void)state;
	struct trust *t = trust_new();
	X509 *x509 = pki_cert("code");
	struct sig_result r = { .outcome = SIG_VERIFIED };
	assert_int_equal(trust_judge_cert(t, &recovery, x509, NULL, PKI_NOW, &r), 0);
	pki_outcome(&r, SIG_UNTRUSTED, "empty set");
	X509_free(x509);
	trust_free(t);
}

static void
published_keys_are_flagged_not_refused(void **state)
{
	(void)state;
	struct pki_blob testkey = pki_shared("android-ota/testkey_v1.x509.pem"); /* or the test is skipped here */
	struct pki_blob root = pki_shared("mcuboot/root-ed25519.pub.pem");
	struct trust *t = trust_new();
	pki_enrol(t, "testkey", testkey);
	struct sig_result r = { .outcome = SIG_VERIFIED };
	assert_int_equal(trust_judge_cert(t, &recovery, trust_cert_at(t, 0), NULL, PKI_NOW, &r), 0);
	pki_outcome(&r, SIG_VERIFIED, "testkey_v1");
	assert_true(r.signer.published_key);
	pki_enrol(t, "mcuboot", root);
	assert_true(trust_key_at(t, 0)->published);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enrols_roots_of_repositories),
		cmocka_unit_test(enrols_certificates_crls_and_keys),
		cmocka_unit_test(enrolment_refuses_what_may_never_vouch),
		cmocka_unit_test(enrolment_refuses_damaged_pem),
		cmocka_unit_test(enrolment_refuses_leftovers_that_look_like_pem),
		cmocka_unit_test(comments_crlf_and_repeats_are_fine),
		cmocka_unit_test(bytes_after_the_der_inside_an_object_are_refused),
		cmocka_unit_test(the_set_is_named_by_its_objects),
		cmocka_unit_test(a_set_has_a_limit),
		cmocka_unit_test(one_key_has_one_hash_in_every_encoding),
		cmocka_unit_test(scheme_names_go_both_ways),
		cmocka_unit_test(T17_accept_an_honest_ed25519_key),
		cmocka_unit_test(T17_reject_low_order_and_second_encodings),
		cmocka_unit_test(T17_cctv_table_low_order_and_non_canonical_keys),
		cmocka_unit_test(chain_facts_are_filled_in),
		cmocka_unit_test(hostile_names_are_shown_escaped),
		cmocka_unit_test(no_purpose_denies),
		cmocka_unit_test(T2_accept_each_purpose_we_name),
		cmocka_unit_test(T2_reject_what_openssl_would_take_for_any_purpose),
		cmocka_unit_test(T3_accept_code_signing_under_an_unrestricted_issuer),
		cmocka_unit_test(T3_reject_code_signing_under_a_web_issuer),
		cmocka_unit_test(T4_accept_a_strong_chain),
		cmocka_unit_test(T4_reject_weak_links_of_a_chain),
		cmocka_unit_test(
		    T11_accept_within_validity_and_an_expired_pin_where_the_policy_says_so),
		cmocka_unit_test(T11_reject_expired_and_not_yet_valid),
		cmocka_unit_test(T12_accept_a_current_crl_for_every_link),
		cmocka_unit_test(T12_not_checked_is_said),
		cmocka_unit_test(T12_reject_a_crl_for_the_leaf_only_or_out_of_date),
		cmocka_unit_test(T12_reject_a_revoked_certificate_even_by_a_stale_crl),
		cmocka_unit_test(T13_accept_a_pinned_leaf_where_the_policy_says_so),
		cmocka_unit_test(T13_reject_a_leaf_in_the_set_without_that_policy),
		cmocka_unit_test(T13_partial_chain_only_where_the_policy_says_so),
		cmocka_unit_test(T14_accept_the_genuine_signer),
		cmocka_unit_test(T14_reject_same_issuer_and_serial_by_another_key),
		cmocka_unit_test(certificates_sent_along_are_never_anchors),
		cmocka_unit_test(issuers_that_are_no_ca_are_refused),
		cmocka_unit_test(the_worst_finding_wins),
		cmocka_unit_test(an_empty_set_trusts_nobody),
		cmocka_unit_test(published_keys_are_flagged_not_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
