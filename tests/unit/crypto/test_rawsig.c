/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures without a container, by stock openssl and by Wycheproof. Traps
 * T15, T16, T18 of the signature paper, an accept and a reject each.
 */
#include "unit/crypto/pki.h"

#include <sys/mman.h>

#include <openssl/bn.h>
#include <openssl/ec.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"
#include "crypto/rawsig.h"

static struct trust *
set_of(const char *key, enum trust_scheme scheme)
{
	char path[128], why[SIG_TEXT_MAX] = "";
	snprintf(path, sizeof path, "key/%s.pub", key);
	struct pki_blob b = pki_load(path);
	struct trust *t = trust_new();
	if (trust_add_pem(t, key, pki_view(&b), scheme, why, sizeof why))
		fail_msg("%s: %s", key, why);
	free(b.p);
	return t;
}

/* One signature over one message under the first key of t. */
static struct sig_result
judge(const struct trust *t, struct view message, struct view sig)
{
	const struct trust_key *key = trust_key_at(t, 0);
	struct sig_result r = { .outcome = SIG_UNKNOWN };
	uint8_t digest[DIGEST_LEN_MAX];
	enum digest_alg alg = rawsig_digest(key);
	if (alg == DIGEST_NONE) {
		assert_int_equal(rawsig_judge_message(key, message, sig, &r), 0);
		return r;
	}
	assert_int_equal(digest_bytes(alg, message, digest), 0);
	assert_int_equal(rawsig_judge_digest(key, view_of(digest, digest_len(alg)), sig, &r), 0);
	return r;
}

static struct sig_result
expect(enum sig_outcome outcome, const char *key, enum trust_scheme scheme, const char *sig,
    const char *data)
{
	char path[128];
	struct trust *t = set_of(key, scheme);
	snprintf(path, sizeof path, "raw/%s.sig", sig);
	struct pki_blob s = pki_load(path);
	snprintf(path, sizeof path, "data/%s", data);
	struct pki_blob d = pki_load(path);
	struct sig_result r = judge(t, pki_view(&d), pki_view(&s));
	pki_outcome(&r, outcome, sig);
	free(s.p);
	free(d.p);
	trust_free(t);
	return r;
}

static void
every_scheme_verifies_what_openssl_signed(void **state)
{
	(void)state;
	struct sig_result r =
	    expect(SIG_VERIFIED, "code", TRUST_SCHEME_NONE, "pkcs1-sha256", "firmware");
	assert_string_equal(r.scheme, "rsa-pkcs1v15-sha256");
	assert_int_equal(r.digest, DIGEST_SHA256);
	assert_int_equal(r.revocation, SIG_REVOCATION_NOT_APPLICABLE);
	assert_string_equal(r.signer.key_type, "rsa-2048");
	assert_string_equal(r.signer.anchor, "code");
	assert_true(r.signer.have_spki);
	expect(SIG_VERIFIED, "code", TRUST_RSA_PKCS1_SHA384, "pkcs1-sha384", "firmware");
	expect(SIG_VERIFIED, "code", TRUST_RSA_PKCS1_SHA512, "pkcs1-sha512", "firmware");
	expect(SIG_VERIFIED, "code", TRUST_RSA_PSS_SHA256, "pss-32", "firmware");
	expect(SIG_VERIFIED, "code", TRUST_RSA_PSS_SHA384, "pss-sha384", "firmware");
	expect(SIG_VERIFIED, "code", TRUST_RSA_PSS_SHA512, "pss-sha512", "firmware");
	expect(SIG_VERIFIED, "email", TRUST_SCHEME_NONE, "p256", "firmware");
	expect(SIG_VERIFIED, "p384", TRUST_SCHEME_NONE, "p384", "firmware");
	expect(SIG_VERIFIED, "ed25519", TRUST_SCHEME_NONE, "ed25519", "firmware");
}

static void
other_content_other_keys_and_other_schemes_are_invalid(void **state)
{
	(void)state;
	struct sig_result r = expect(SIG_INVALID, "code", TRUST_SCHEME_NONE, "pkcs1-sha256", "lf");
	assert_false(r.signer.have_spki);
	assert_string_equal(r.signer.anchor, "");
	expect(SIG_INVALID, "p384", TRUST_SCHEME_NONE, "p384", "lf");
	expect(SIG_INVALID, "ed25519", TRUST_SCHEME_NONE, "ed25519", "lf");
	expect(SIG_INVALID, "self", TRUST_SCHEME_NONE, "pkcs1-sha256", "firmware");
	expect(SIG_INVALID, "leaf", TRUST_SCHEME_NONE, "p256", "firmware");
	/* Nothing in the file chooses the algorithm. */
	expect(SIG_INVALID, "code", TRUST_RSA_PKCS1_SHA256, "pkcs1-sha384", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PKCS1_SHA256, "pkcs1-sha1", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PKCS1_SHA256, "pss-32", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256, "pkcs1-sha256", "firmware");
	expect(SIG_INVALID, "p384", TRUST_SCHEME_NONE, "p384-sha256", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PKCS1_SHA256, "hex-text", "firmware");
}

static void
T15_accept_pss_with_the_salt_of_the_record(void **state)
{
	(void)state;
	expect(SIG_VERIFIED, "code", TRUST_RSA_PSS_SHA256, "pss-32", "firmware");
	expect(SIG_VERIFIED, "code", TRUST_RSA_PSS_SHA256_LONG, "pss-222", "firmware");
}

static void
T15_reject_every_other_salt_and_mgf1_hash(void **state)
{
	(void)state;
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256, "pss-0", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256, "pss-20", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256, "pss-222", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256, "pss-mgf1", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256_LONG, "pss-0", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256_LONG, "pss-32", "firmware");
	expect(SIG_INVALID, "code", TRUST_RSA_PSS_SHA256_LONG, "pkcs1-sha256", "firmware");
}

/* ---- T16 ----------------------------------------------------------------- */

/* r||s of a DER signature, each of n bytes; with s replaced by order - s if asked. */
static void
fixed_of(const struct pki_blob *der, int n, int curve, bool high_s, uint8_t *ret)
{
	const uint8_t *p = der->p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der->n);
	assert_non_null(sig);
	BIGNUM *s = BN_dup(ECDSA_SIG_get0_s(sig));
	if (high_s) {
		EC_GROUP *group = EC_GROUP_new_by_curve_name(curve);
		assert_int_equal(BN_sub(s, EC_GROUP_get0_order(group), s), 1);
		EC_GROUP_free(group);
	}
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, n), n);
	assert_int_equal(BN_bn2binpad(s, ret + n, n), n);
	BN_free(s);
	ECDSA_SIG_free(sig);
}

static void
T16_accept_der_fixed_width_and_the_other_s(void **state)
{
	(void)state;
	static const struct {
		const char *key, *sig;
		int n, curve;
	} rows[] = { { "email", "raw/p256.sig", 32, NID_X9_62_prime256v1 },
		{ "p384", "raw/p384.sig", 48, NID_secp384r1 } };
	struct pki_blob data = pki_load("data/firmware");
	for (size_t i = 0; i < 2; i++) {
		uint8_t fixed[96], other[96];
		struct pki_blob der = pki_load(rows[i].sig);
		struct trust *t = set_of(rows[i].key, TRUST_ECDSA_FIXED);
		size_t n = (size_t)rows[i].n * 2;
		fixed_of(&der, rows[i].n, rows[i].curve, false, fixed);
		fixed_of(&der, rows[i].n, rows[i].curve, true, other);
		assert_memory_not_equal(fixed, other, n);
		struct sig_result r = judge(t, pki_view(&data), view_of(fixed, n));
		pki_outcome(&r, SIG_VERIFIED, "fixed");
		assert_string_equal(r.scheme, "ecdsa-fixed");
		/* Two signatures, one key, one message: neither may serve as an identity. */
		r = judge(t, pki_view(&data), view_of(other, n));
		pki_outcome(&r, SIG_VERIFIED, "order - s");
		trust_free(t);
		free(der.p);
	}
	free(data.p);
}

static void
T16_reject_the_other_encoding_and_every_other_length(void **state)
{
	(void)state;
	struct pki_blob data = pki_load("data/firmware");
	struct pki_blob der = pki_load("raw/p256.sig");
	struct trust *fixed_set = set_of("email", TRUST_ECDSA_FIXED);
	struct trust *der_set = set_of("email", TRUST_ECDSA_DER);
	uint8_t fixed[66] = { 0 }, padded[66] = { 0 };
	fixed_of(&der, 32, NID_X9_62_prime256v1, false, fixed + 1);
	struct sig_result r = judge(fixed_set, pki_view(&data), view_of(fixed + 1, 64));
	pki_outcome(&r, SIG_VERIFIED, "as it should be");
	static const struct {
		size_t from, n;
	} cuts[] = { { 1, 0 }, { 1, 63 }, { 2, 63 }, { 0, 65 }, { 1, 65 }, { 0, 66 }, { 1, 32 } };
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		r = judge(fixed_set, pki_view(&data), view_of(fixed + cuts[i].from, cuts[i].n));
		pki_outcome(&r, SIG_INVALID, "cut or padded");
	}
	/* both halves one byte longer */
	memcpy(padded + 1, fixed + 1, 32);
	memcpy(padded + 34, fixed + 33, 32);
	r = judge(fixed_set, pki_view(&data), view_of(padded, 66));
	pki_outcome(&r, SIG_INVALID, "33-byte halves");
	r = judge(fixed_set, pki_view(&data), pki_view(&der));
	pki_outcome(&r, SIG_INVALID, "DER where fixed width belongs");
	r = judge(der_set, pki_view(&data), view_of(fixed + 1, 64));
	pki_outcome(&r, SIG_INVALID, "fixed width where DER belongs");
	/* little-endian, as ESP32 writes it */
	for (size_t i = 0; i < 32; i++) {
		padded[i] = fixed[32 - i];
		padded[32 + i] = fixed[64 - i];
	}
	r = judge(fixed_set, pki_view(&data), view_of(padded, 64));
	pki_outcome(&r, SIG_INVALID, "little-endian");
	for (size_t n = 0; n < der.n; n++) {
		r = judge(der_set, pki_view(&data), view_of(der.p, n));
		pki_outcome(&r, SIG_INVALID, "DER cut short");
	}
	trust_free(fixed_set);
	trust_free(der_set);
	free(der.p);
	free(data.p);
}

static void
no_signature_with_one_byte_changed_verifies(void **state)
{
	(void)state;
	static const struct {
		const char *key, *sig;
		enum trust_scheme scheme;
	} rows[] = {
		{ "code", "raw/pkcs1-sha256.sig", TRUST_RSA_PKCS1_SHA256 },
		{ "code", "raw/pss-32.sig", TRUST_RSA_PSS_SHA256 },
		{ "email", "raw/p256.sig", TRUST_ECDSA_DER },
		{ "ed25519", "raw/ed25519.sig", TRUST_ED25519 },
	};
	struct pki_blob data = pki_load("data/firmware");
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		struct pki_blob sig = pki_load(rows[k].sig);
		struct trust *t = set_of(rows[k].key, rows[k].scheme);
		for (size_t i = 0; i < sig.n; i++) {
			sig.p[i] ^= 0x01;
			struct sig_result r = judge(t, pki_view(&data), pki_view(&sig));
			pki_outcome(&r, SIG_INVALID, rows[k].sig);
			sig.p[i] ^= 0x01;
		}
		/* an RSA signature is as long as the modulus, no more and no less */
		uint8_t longer[RAWSIG_MAX + 1] = { 0 };
		memcpy(longer + 1, sig.p, sig.n);
		struct sig_result r = judge(t, pki_view(&data), view_of(longer, sig.n + 1));
		pki_outcome(&r, SIG_INVALID, "a zero in front");
		r = judge(t, pki_view(&data), view_of(longer + 1, sig.n + 1));
		pki_outcome(&r, SIG_INVALID, "a zero behind");
		r = judge(t, pki_view(&data), view_of(longer, sizeof longer));
		pki_outcome(&r, SIG_INVALID, "longer than any");
		r = judge(t, pki_view(&data), view_of(NULL, 0));
		pki_outcome(&r, SIG_INVALID, "empty");
		trust_free(t);
		free(sig.p);
	}
	free(data.p);
}

/* ---- T18 ----------------------------------------------------------------- */

static void
T18_accept_a_message_that_fits_memory(void **state)
{
	(void)state;
	struct sig_result r =
	    expect(SIG_VERIFIED, "ed25519", TRUST_SCHEME_NONE, "ed25519", "firmware");
	assert_int_equal(r.digest, DIGEST_NONE);
	assert_string_equal(r.signer.key_type, "ed25519");
}

static void
T18_reject_a_message_above_the_limit_without_reading_it(void **state)
{
	(void)state;
	const size_t n = (size_t)RAWSIG_ED25519_MESSAGE_MAX + 1;
	void *p = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(p != MAP_FAILED);
	struct trust *t = set_of("ed25519", TRUST_SCHEME_NONE);
	uint8_t sig[64] = { 0 };
	struct sig_result r = judge(t, view_of(p, n), view_of(sig, 64));
	pki_outcome(&r, SIG_OPAQUE, "too large");
	assert_false(r.signer.have_spki);
	trust_free(t);
	munmap(p, n);
}

static void
the_wrong_call_is_an_error_not_an_answer(void **state)
{
	(void)state;
	uint8_t bytes[64] = { 0 };
	struct sig_result r = { .outcome = SIG_VERIFIED };
	struct trust *rsa = set_of("code", TRUST_SCHEME_NONE);
	struct trust *ed = set_of("ed25519", TRUST_SCHEME_NONE);
	struct view v = view_of(bytes, 64);
	assert_int_equal(rawsig_judge_digest(trust_key_at(ed, 0), v, v, &r), FG_EINVAL);
	assert_int_equal(rawsig_judge_message(trust_key_at(rsa, 0), v, v, &r), FG_EINVAL);
	/* the longer digest cut to the shorter one's length, and the other way round */
	assert_int_equal(rawsig_judge_digest(trust_key_at(rsa, 0), v, v, &r), FG_EINVAL);
	assert_int_equal(
	    rawsig_judge_digest(trust_key_at(rsa, 0), view_of(bytes, 31), v, &r), FG_EINVAL);
	assert_int_equal(r.outcome, SIG_VERIFIED); /* untouched */
	trust_free(rsa);
	trust_free(ed);
}

static void
an_outcome_brought_along_is_never_improved(void **state)
{
	(void)state;
	struct trust *t = set_of("ed25519", TRUST_SCHEME_NONE);
	struct pki_blob sig = pki_load("raw/ed25519.sig");
	struct pki_blob data = pki_load("data/firmware");
	struct sig_result r = { .outcome = SIG_REVOKED };
	assert_int_equal(
	    rawsig_judge_message(trust_key_at(t, 0), pki_view(&data), pki_view(&sig), &r), 0);
	pki_outcome(&r, SIG_REVOKED, "brought along");
	trust_free(t);
	free(sig.p);
	free(data.p);
}

/* ---- Wycheproof ---------------------------------------------------------- */

static struct pki_blob
unhex(const struct json_value *v)
{
	struct view hex;
	struct pki_blob b;
	assert_true(json_string(v, &hex));
	b.n = hex.n / 2;
	b.p = malloc(b.n ? b.n : 1);
	assert_non_null(b.p);
	assert_true(hex_decode(hex, b.p, b.n));
	return b;
}

static bool
one_vector(const struct trust *t, const struct json_value *test, const char *file)
{
	struct view result;
	int64_t id = 0;
	assert_true(json_string(json_get(test, "result"), &result) &&
	    json_int(json_get(test, "tcId"), &id));
	struct pki_blob msg = unhex(json_get(test, "msg"));
	struct pki_blob sig = unhex(json_get(test, "sig"));
	struct sig_result r = judge(t, pki_view(&msg), pki_view(&sig));
	bool good = r.outcome == SIG_VERIFIED;
	if ((view_is(result, "valid") && !good) || (view_is(result, "invalid") && good))
		fail_msg("%s: test %d is %.*s, we say %s", file, (int)id, (int)result.n,
		    (const char *)result.p, sig_outcome_name(r.outcome));
	free(msg.p);
	free(sig.p);
	return good;
}

/* All groups of one file under one scheme; "acceptable" may go either way. */
static void
wycheproof(const char *name, enum trust_scheme scheme, size_t at_least)
{
	char path[128];
	struct json *doc = NULL;
	struct json_error error;
	size_t good = 0, bad = 0;
	snprintf(path, sizeof path, "wycheproof/%s", name);
	struct pki_blob b = pki_shared(path);
	if (json_parse(pki_view(&b), &doc, &error))
		fail_msg("%s: %s at %zu", name, error.what, error.offset);
	const struct json_value *groups = json_get(json_root(doc), "testGroups");
	for (size_t g = 0; g < json_count(groups); g++) {
		const struct json_value *group = json_at(groups, g);
		const struct json_value *tests = json_get(group, "tests");
		struct view pem;
		char why[SIG_TEXT_MAX] = "";
		struct trust *t = trust_new();
		assert_true(json_string(json_get(group, "keyPem"), &pem));
		if (trust_add_pem(t, name, pem, scheme, why, sizeof why))
			fail_msg("%s: group %zu: %s", name, g, why);
		for (size_t i = 0; i < json_count(tests); i++) {
			bool ok = one_vector(t, json_at(tests, i), name);
			good += ok;
			bad += !ok;
		}
		trust_free(t);
	}
	print_message("%s: %zu verified, %zu refused\n", name, good, bad);
	assert_true(good + bad >= at_least && good > 5 && bad > 5);
	json_free(doc);
	free(b.p);
}

static void
wycheproof_rsa_pkcs1(void **state)
{
	(void)state;
	wycheproof("rsa_signature_2048_sha256_test.json", TRUST_RSA_PKCS1_SHA256, 240);
}

static void
wycheproof_rsa_pss(void **state)
{
	(void)state;
	wycheproof("rsa_pss_2048_sha256_mgf1_32_test.json", TRUST_RSA_PSS_SHA256, 103);
}

static void
wycheproof_ecdsa_p256(void **state)
{
	(void)state;
	wycheproof("ecdsa_secp256r1_sha256_test.json", TRUST_ECDSA_DER, 387);
}

static void
wycheproof_ecdsa_p384(void **state)
{
	(void)state;
	wycheproof("ecdsa_secp384r1_sha384_test.json", TRUST_ECDSA_DER, 408);
}

static void
wycheproof_ecdsa_p256_fixed(void **state)
{
	(void)state;
	wycheproof("ecdsa_secp256r1_sha256_p1363_test.json", TRUST_ECDSA_FIXED, 219);
}

static void
wycheproof_ed25519(void **state)
{
	(void)state;
	wycheproof("eddsa_test.json", TRUST_ED25519, 145);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scheme_verifies_what_openssl_signed),
		cmocka_unit_test(other_content_other_keys_and_other_schemes_are_invalid),
		cmocka_unit_test(T15_accept_pss_with_the_salt_of_the_record),
		cmocka_unit_test(T15_reject_every_other_salt_and_mgf1_hash),
		cmocka_unit_test(T16_accept_der_fixed_width_and_the_other_s),
		cmocka_unit_test(T16_reject_the_other_encoding_and_every_other_length),
		cmocka_unit_test(no_signature_with_one_byte_changed_verifies),
		cmocka_unit_test(T18_accept_a_message_that_fits_memory),
		cmocka_unit_test(T18_reject_a_message_above_the_limit_without_reading_it),
		cmocka_unit_test(the_wrong_call_is_an_error_not_an_answer),
		cmocka_unit_test(an_outcome_brought_along_is_never_improved),
		cmocka_unit_test(wycheproof_rsa_pkcs1),
		cmocka_unit_test(wycheproof_rsa_pss),
		cmocka_unit_test(wycheproof_ecdsa_p256),
		cmocka_unit_test(wycheproof_ecdsa_p384),
		cmocka_unit_test(wycheproof_ecdsa_p256_fixed),
		cmocka_unit_test(wycheproof_ed25519),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
