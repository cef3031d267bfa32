/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SUIT envelopes: the examples of the draft where they are there, and envelopes
 * put together here byte by byte and signed by OpenSSL.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "crypto/cose.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "unit/images/walk_rig.h"

/* ---- writing CBOR ---- */

static void
head(struct writer *w, unsigned major, size_t n)
{
	if (n < 24) {
		writer_u8(w, (uint8_t)(major << 5 | n));
	} else if (n < 256) {
		writer_u8(w, (uint8_t)(major << 5 | 24));
		writer_u8(w, (uint8_t)n);
	} else {
		writer_u8(w, (uint8_t)(major << 5 | 25));
		writer_u16(w, (uint16_t)n);
	}
}

static void
bytes(struct writer *w, struct view v)
{
	head(w, 2, v.n);
	writer_bytes(w, v);
}

static void
digest_of(struct writer *w, struct view over)
{
	uint8_t sum[DIGEST_SHA256_LEN];
	assert_int_equal(digest_sha256(over, sum), 0);
	writer_u8(w, 0x82);
	writer_u8(w, 0x2f); /* -16 */
	bytes(w, view_of(sum, sizeof sum));
}

/* A byte string with its head, to be digested. */
static struct view
wrapped(struct view v)
{
	struct writer w;
	size_t n;
	writer_init(&w, 1 << 20);
	bytes(&w, v);
	uint8_t *p = writer_take(&w, &n);
	return view_of(p, n);
}

/* What is put into an envelope, and what is done wrong with it. */
struct plan {
	EVP_PKEY *second; /* signs, too */
	unsigned sequence;
	bool sever, drop_severed, change_severed, twice, trailing, unlisted, targeted, other_digest, unsigned_;
	const char *payload; /* integrated as "#fw"; NULL: none */
	bool change_payload, stray_payload;
	const char *protected; /* hex; NULL: {1: -7} */
};

static const char install[] = "\x82\x15\x02"; /* directive-fetch */

static void
manifest(struct writer *w, const struct plan *p)
{
	struct writer common, params;
	writer_init(&common, 10000);
	writer_init(&params, 10000);
	struct view image = view_str(p->payload ? p->payload : "the image");
	writer_u8(&params, 0x82); /* one command: override parameters */
	writer_u8(&params, 0x14);
	head(&params, 5, 3 + (p->targeted ? 1 : 0));
	writer_bytes(&params, view_of("\x02\x44" "abcd", 6)); /* class-id */
	writer_u8(&params, 0x03);
	struct writer d;
	writer_init(&d, 200);
	digest_of(&d, image);
	bytes(&params, writer_view(&d));
	writer_free(&d);
	writer_u8(&params, 0x15);
	writer_bytes(&params, view_of("\x63#fw", 4));
	if (p->targeted)
		writer_bytes(&params, view_of("\x18\x18\x42" "id", 5));
	writer_bytes(&common, view_of("\xa2\x02\x81\x81\x41\x00\x04", 7));
	bytes(&common, writer_view(&params));
	head(w, 5, 3 + (p->sever ? 1 : 0) + (p->twice ? 1 : 0));
	writer_bytes(w, view_of("\x01\x01\x02", 3));
	head(w, 0, p->sequence);
	writer_u8(w, 0x03);
	bytes(w, writer_view(&common));
	if (p->twice)
		writer_bytes(w, view_of("\x02\x09", 2));
	if (p->sever) {
		struct view whole = wrapped(view_of(install, 3));
		writer_u8(w, 0x14);
		digest_of(w, whole);
		rig_drop(whole);
	}
	writer_free(&common);
	writer_free(&params);
}

static void
sign(EVP_PKEY *key, struct view protected, struct view payload, struct writer *out)
{
	struct cose_signature s = { .one = true, .body = protected };
	struct writer tbs;
	uint8_t der[200], fixed[64];
	size_t n = sizeof der;
	writer_init(&tbs, 1000);
	cose_tbs(&s, payload, &tbs);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(c, der, &n, writer_view(&tbs).p, writer_view(&tbs).n), 1);
	EVP_MD_CTX_free(c);
	const uint8_t *at = der;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), fixed, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), fixed + 32, 32);
	ECDSA_SIG_free(pair);
	writer_u8(out, 0xd2);
	writer_u8(out, 0x84);
	bytes(out, protected);
	writer_u8(out, 0xa0);
	writer_u8(out, 0xf6);
	bytes(out, view_of(fixed, 64));
	writer_free(&tbs);
}

/* To be freed with rig_drop(). */
static struct view
envelope(EVP_PKEY *key, const struct plan *p)
{
	struct writer w, m, d, block, auth;
	uint8_t prot[32] = { 0xa1, 0x01, 0x26 };
	size_t prot_n = 3, n;
	writer_init(&w, 1 << 20);
	writer_init(&m, 10000);
	writer_init(&d, 1000);
	writer_init(&block, 1000);
	writer_init(&auth, 10000);
	if (p->protected) {
		prot_n = strlen(p->protected) / 2;
		assert_true(hex_decode(view_str(p->protected), prot, prot_n));
	}
	manifest(&m, p);
	struct view whole = wrapped(writer_view(&m));
	digest_of(&d, p->other_digest ? view_str("x") : whole);
	sign(key, view_of(prot, prot_n), writer_view(&d), &block);
	head(&auth, 4, p->unsigned_ ? 1 : p->second ? 3 : 2);
	bytes(&auth, writer_view(&d));
	if (!p->unsigned_)
		bytes(&auth, writer_view(&block));
	if (p->second) {
		writer_free(&block);
		writer_init(&block, 1000);
		sign(p->second, view_of(prot, prot_n), writer_view(&d), &block);
		bytes(&auth, writer_view(&block));
	}
	writer_bytes(&w, view_of("\xd8\x6b", 2));
	head(&w, 5, 2 + (p->sever && !p->drop_severed) + (p->payload != NULL) + p->unlisted + p->stray_payload);
	writer_u8(&w, 0x02);
	bytes(&w, writer_view(&auth));
	writer_u8(&w, 0x03);
	writer_bytes(&w, whole);
	if (p->sever && !p->drop_severed) {
		writer_u8(&w, 0x14);
		bytes(&w, p->change_severed ? view_of("\x82\x15\x03", 3) : view_of(install, 3));
	}
	if (p->unlisted)
		writer_bytes(&w, view_of("\x15\x41\x80", 3));
	if (p->payload) {
		writer_bytes(&w, view_of("\x63#fw", 4));
		bytes(&w, p->change_payload ? view_str("another image") : view_str(p->payload));
	}
	if (p->stray_payload) {
		writer_bytes(&w, view_of("\x63#xx", 4));
		bytes(&w, view_str("nobody asked for this"));
	}
	if (p->trailing)
		writer_u8(&w, 0);
	rig_drop(whole);
	writer_free(&m);
	writer_free(&d);
	writer_free(&block);
	writer_free(&auth);
	uint8_t *out = writer_take(&w, &n);
	return view_of(out, n);
}

static struct view
trust_of(EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	assert_int_equal(PEM_write_bio_PUBKEY(b, key), 1);
	long n = BIO_get_mem_data(b, &p);
	struct view pems[] = { view_of(p, (size_t)n), view_of(NULL, 0) };
	struct view trust = rig_trust(pems);
	BIO_free(b);
	return trust;
}

static void
expect(const struct plan *p, const char *signatures, const char *findings)
{
	char is[RIG_TEXT_MAX], told[RIG_TEXT_MAX];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct view trust = trust_of(key), img = envelope(key, p);
	struct report *r = rig_verify(img, trust);
	rig_signatures(r, is);
	rig_findings(r, told);
	if (strcmp(is, signatures) != 0 || strcmp(told, findings) != 0)
		fail_msg("[%s] [%s] instead of [%s] [%s]", is, told, signatures, findings);
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
	EVP_PKEY_free(key);
}

#define GOOD "suit/ES256 verified"

static void
envelopes_good_and_bad(void **state)
{
	(void)state;
	expect(&(struct plan){ .sequence = 7 }, GOOD, "");
	expect(&(struct plan){ .sequence = 7, .sever = true }, GOOD, "");
	expect(&(struct plan){ .sequence = 7, .sever = true, .drop_severed = true }, GOOD, ""); /* may be left behind */
	expect(&(struct plan){ .sequence = 7, .sever = true, .change_severed = true }, GOOD,
	    "COV-UNSIGNED-BYTES MEMBER-DIGEST!");
	expect(&(struct plan){ .sequence = 7, .payload = "integrated" }, GOOD, "");
	expect(&(struct plan){ .sequence = 7, .payload = "integrated", .change_payload = true }, GOOD,
	    "COV-UNSIGNED-BYTES MEMBER-DIGEST!");
	expect(&(struct plan){ .sequence = 7, .stray_payload = true }, GOOD, "COV-UNSIGNED-BYTES MEMBER-UNLISTED");
	expect(&(struct plan){ .sequence = 7, .unlisted = true }, GOOD, "COV-UNSIGNED-BYTES MEMBER-UNLISTED");
	expect(&(struct plan){ .sequence = 7, .twice = true }, GOOD, "FMT-DUPLICATE!");
	expect(&(struct plan){ .sequence = 7, .trailing = true }, GOOD, "COV-UNSIGNED-BYTES FMT-TRAILING-BYTES!");
	expect(&(struct plan){ .sequence = 7, .targeted = true }, GOOD, "META-TARGETED");
	expect(&(struct plan){ .sequence = 7, .unsigned_ = true }, "", "COV-UNSIGNED-BYTES SIG-ABSENT");
	expect(&(struct plan){ .sequence = 7, .other_digest = true }, "suit/digest invalid",
	    "COV-UNSIGNED-BYTES FMT-INTEGRITY! SIG-INVALID!");
	expect(&(struct plan){ .protected = "a0" }, "suit/cose invalid", "COV-UNSIGNED-BYTES SIG-INVALID!");
	expect(&(struct plan){ .protected = "a201260126" }, "suit/cose invalid", "COV-UNSIGNED-BYTES SIG-INVALID!");
	expect(&(struct plan){ .protected = "a2012602810a" }, "suit/cose invalid", "COV-UNSIGNED-BYTES SIG-INVALID!");
	expect(&(struct plan){ .protected = "a10127" }, "suit/EdDSA untrusted", "COV-UNSIGNED-BYTES SIG-UNTRUSTED!");
	expect(&(struct plan){ .protected = "a1013822" }, "suit/ES384 untrusted", "COV-UNSIGNED-BYTES SIG-UNTRUSTED!");
	expect(&(struct plan){ .protected = "a10138ff" }, "suit/unknown opaque",
	    "COV-UNSIGNED-BYTES SIG-UNSUPPORTED-SCHEME!");
}

static void
claims(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct view trust = trust_of(key), img = envelope(key, &(struct plan){ .sequence = 9 });
	struct report *r = rig_verify(img, trust);
	const struct contents *c = &r->contents;
	unsigned found = 0;
	for (unsigned i = 0; i < c->facts_n; i++) {
		const struct contents_fact *f = &c->fact[i];
		assert_true(f->sure || f->id == CONTENTS_FACT_KEY_HINT);
		found += f->id == CONTENTS_FACT_SECURITY_COUNTER && strcmp(f->value, "9") == 0;
		found += f->id == CONTENTS_FACT_COMPATIBLE && strcmp(f->value, "class 61626364") == 0;
		found += f->id == CONTENTS_FACT_DIGEST && strlen(f->value) == 64;
	}
	assert_int_equal(found, 3);
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
	EVP_PKEY_free(key);
}

/* One that does not verify is anybody's bytes, beside one that does, too. */
static void
a_strangers_signature(void **state)
{
	(void)state;
	EVP_PKEY *stranger = EVP_EC_gen("P-256");
	expect(&(struct plan){ .sequence = 7, .second = stranger }, GOOD ", suit/ES256 invalid",
	    "COV-UNSIGNED-BYTES SIG-INVALID!");
	EVP_PKEY_free(stranger);
}

/* No changed byte stays under a verified signature, and no cut one verifies. */
static void
no_byte_may_change(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	const struct plan p = { .sequence = 7, .sever = true, .payload = "integrated" };
	struct view trust = trust_of(key), img = envelope(key, &p);
	rig_flip_every_byte(img, trust, 1);
	rig_cut_everywhere(img, trust, 1);
	rig_drop(img);
	rig_drop(trust);
	EVP_PKEY_free(key);
}

/* The hex after "with COSE authentication object" of an example of the draft. */
static struct view
from_text(struct view text)
{
	char *at = strstr((const char *)text.p, "Envelope with COSE authentication object:");
	if (!at)
		return view_of(NULL, 0);
	at = strstr(at, "~~~");
	uint8_t *out = malloc(strlen(at));
	size_t n = 0;
	int high = -1;
	for (at += 3; *at && *at != '~'; at++) {
		const char *digits = "0123456789abcdef", *d = strchr(digits, *at);
		if (*at == '\n' || !d)
			continue;
		if (high < 0) {
			high = (int)(d - digits);
		} else {
			out[n++] = (uint8_t)(high << 4 | (int)(d - digits));
			high = -1;
		}
	}
	return view_of(out, n);
}

static void
examples_of_the_draft(void **state)
{
	(void)state;
	static const char *const names[] = { "suit/example0.txt", "suit/example2.txt", "suit/example4.txt" };
	struct view pem = rig_genuine("suit/public_key.pem");
	if (!pem.p)
		skip();
	struct view pems[] = { pem, view_of(NULL, 0) }, trust = rig_trust(pems);
	for (size_t i = 0; i < 3; i++) {
		struct view text = rig_genuine(names[i]);
		rig_bytes(text)[text.n] = '\0';
		struct view img = from_text(text);
		char is[RIG_TEXT_MAX], told[RIG_TEXT_MAX];
		struct report *r = rig_verify(img, trust);
		rig_signatures(r, is);
		rig_findings(r, told);
		/* The group's key is published with the draft. */
		if (strcmp(is, "suit/ES256 verified") != 0 || strcmp(told, "SIG-KEY-PUBLISHED!") != 0)
			fail_msg("%s: [%s] [%s]", names[i], is, told);
		report_free(r);
		rig_drop(img);
		rig_drop(text);
	}
	rig_drop(trust);
	rig_drop(pem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelopes_good_and_bad),
		cmocka_unit_test(claims),
		cmocka_unit_test(a_strangers_signature),
		cmocka_unit_test(no_byte_may_change),
		cmocka_unit_test(examples_of_the_draft),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
