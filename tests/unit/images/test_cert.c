/* SPDX-License-Identifier: Apache-2.0 */
/* Authorities and keys wherever they lie, and what only looks like them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "images/cert.h"

struct made {
	EVP_PKEY *key;
	uint8_t cert_der[2048], key_der[2048];
	size_t cert_der_n, key_der_n;
	char cert_pem[4096], key_pem[4096], sealed_pem[4096];
};

static void
take(BIO *bio, char *dst, size_t cap)
{
	int n = BIO_read(bio, dst, (int)cap - 1);
	dst[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
}

/* Self-issued; key may be another one's, for a renewal. */
static void
make(struct made *m, EVP_PKEY *key, const char *issuer, const char *subject, long serial)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new(), *by = X509_NAME_new();
	assert_true(x && name && by);
	m->key = key ? key : EVP_EC_gen("P-256");
	assert_non_null(m->key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0);
	X509_NAME_add_entry_by_txt(by, "CN", MBSTRING_ASC, (const unsigned char *)issuer, -1, -1, 0);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, by);
	ASN1_TIME_set(X509_getm_notBefore(x), 1767225600); /* 2026-01-01 */
	ASN1_TIME_set(X509_getm_notAfter(x), 1798761600);  /* 2027-01-01 */
	X509_set_pubkey(x, m->key);
	assert_true(X509_sign(x, m->key, EVP_sha256()) > 0);
	unsigned char *p = m->cert_der;
	m->cert_der_n = (size_t)i2d_X509(x, &p);
	p = m->key_der;
	m->key_der_n = (size_t)i2d_PrivateKey(m->key, &p);
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, x);
	take(bio, m->cert_pem, sizeof m->cert_pem);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, m->key, NULL, NULL, 0, NULL, NULL);
	take(bio, m->key_pem, sizeof m->key_pem);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PKCS8PrivateKey(bio, m->key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
	take(bio, m->sealed_pem, sizeof m->sealed_pem);
	X509_NAME_free(name);
	X509_NAME_free(by);
	X509_free(x);
}

static void
scan(struct cert_set *c, const char *path, struct view bytes)
{
	struct source s;
	source_memory(&s, bytes);
	assert_int_equal(cert_set_scan(c, path, &s), 0);
}

static struct page *
compare(struct view old, struct view new)
{
	struct cert_set *a = cert_set_new(), *b = cert_set_new();
	struct page *p = page_new();
	assert_true(a && b && p);
	scan(a, "old", old);
	scan(b, "new", new);
	assert_int_equal(cert_page(a, b, p), 0);
	cert_set_free(a);
	cert_set_free(b);
	return p;
}

static const struct page_line *
line(const struct page *p, enum finding_id id, const char *part)
{
	for (size_t i = 0; i < page_count(p); i++)
		if (page_at(p, i)->id == id && (strstr(page_at(p, i)->text, part) || strstr(page_at(p, i)->evidence, part)))
			return page_at(p, i);
	return NULL;
}

static void
authorities(void **state)
{
	(void)state;
	struct made a = { 0 }, b = { 0 }, renewed = { 0 }, leaf = { 0 };
	char both[9000], text[9000];
	make(&a, NULL, "Good Root", "Good Root", 1);
	make(&b, NULL, "Evil Root", "Evil Root", 2);
	make(&renewed, a.key, "Good Root", "Good Root", 3);
	make(&leaf, NULL, "Good Root", "device", 4);
	snprintf(both, sizeof both, "# bundle\n%s\n%s", a.cert_pem, b.cert_pem);
	struct page *p = compare(view_str(a.cert_pem), view_str(both));
	const struct page_line *l = line(p, FINDING_CHG_CA_NEW, "CN=Evil Root");
	assert_true(l && l->block == PAGE_RED && l->severity == FINDING_WARNING && l->sign == PAGE_ADDED);
	assert_non_null(strstr(l->text, "authority added, self-signed, ec-p256, 2026-01-01 to 2027-01-01"));
	assert_int_equal(l->offset, strstr(both, b.cert_pem) - both);
	assert_string_equal(l->path, "new");
	assert_int_equal(page_count(p), 1);
	page_free(p);
	p = compare(view_str(both), view_str(a.cert_pem));
	assert_non_null(line(p, FINDING_CHG_CA_GONE, "CN=Evil Root"));
	assert_int_equal(page_count(p), 1);
	page_free(p);
	p = compare(view_str(a.cert_pem), view_str(renewed.cert_pem));
	l = line(p, FINDING_CHG_CA_NEW, "the old image holds this key too");
	assert_true(l && l->severity == FINDING_NOTICE);
	page_free(p);
	/* The same as DER in the middle of a program, and in a text with escaped line ends: nothing new. */
	uint8_t blob[4096];
	memset(blob, 0x30, sizeof blob);
	memcpy(blob + 999, b.cert_der, b.cert_der_n);
	p = compare(view_str(both), view_of(blob, sizeof blob));
	assert_null(line(p, FINDING_CHG_CA_NEW, ""));
	assert_non_null(line(p, FINDING_CHG_CA_GONE, "Good Root"));
	page_free(p);
	size_t n = 0;
	for (const char *s = b.cert_pem; *s && n + 2 < sizeof text; s++) {
		if (*s == '\n')
			text[n++] = '\\';
		text[n++] = *s == '\n' ? 'n' : *s;
	}
	p = compare(view_of(blob, sizeof blob), view_of(text, n));
	assert_int_equal(page_count(p), 0);
	page_free(p);
	p = compare(view_str("x"), view_of(leaf.cert_der, leaf.cert_der_n));
	l = line(p, FINDING_CHG_CERTIFICATE, "CN=device");
	assert_true(l && l->block == PAGE_FILES);
	assert_int_equal(page_count(p), 1);
	page_free(p);
	EVP_PKEY_free(a.key);
	EVP_PKEY_free(b.key);
	EVP_PKEY_free(leaf.key);
}

static void
private_keys(void **state)
{
	(void)state;
	struct made a = { 0 };
	make(&a, NULL, "x", "x", 1);
	static const char ssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n"
	                          "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
	                          "QyNTUxOQAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n-----END OPENSSH PRIVATE KEY-----\n";
	static const char old_form[] = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
				       "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk=\n-----END RSA PRIVATE KEY-----\n";
	struct {
		const char *text, *want;
	} rows[] = { { a.key_pem, "private key ec-p256, " }, { a.sealed_pem, "private key under a password" },
		{ ssh, "private key ssh-ed25519, " }, { old_form, "private key under a password" } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct page *p = compare(view_str("nothing"), view_str(rows[i].text));
		const struct page_line *l = line(p, FINDING_CHG_PRIVATE_KEY, rows[i].want);
		if (!l)
			fail_msg("%s: %zu lines, %s", rows[i].want, page_count(p), page_count(p) ? page_at(p, 0)->text : "");
		assert_true(l->block == PAGE_RED && l->severity == FINDING_WARNING);
		page_free(p);
		p = compare(view_str(rows[i].text), view_str(rows[i].text));
		assert_int_equal(page_count(p), 0);
		page_free(p);
		p = compare(view_str(rows[i].text), view_str("nothing"));
		assert_int_equal(page_count(p), 0);
		page_free(p);
	}
	/* PEM and DER of one key are one key. */
	uint8_t blob[4096] = { 0 };
	memcpy(blob + 77, a.key_der, a.key_der_n);
	struct page *p = compare(view_str("nothing"), view_of(blob, sizeof blob));
	const struct page_line *l = line(p, FINDING_CHG_PRIVATE_KEY, "private key ec-p256");
	assert_true(l && l->offset == 77);
	page_free(p);
	p = compare(view_str(a.key_pem), view_of(blob, sizeof blob));
	assert_int_equal(page_count(p), 0);
	page_free(p);
	EVP_PKEY_free(a.key);
}

/* Marks in programs that read such files, examples, half objects, cut ones. */
static void
what_only_looks_like_it(void **state)
{
	(void)state;
	struct made a = { 0 };
	char text[9000];
	make(&a, NULL, "x", "x", 1);
	static const char *const texts[] = { "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
		"-----BEGIN CERTIFICATE-----\0-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
		"-----BEGIN ", "-----BEGIN -----", "-----BEGIN CERTIFICATE-----\n$(base64)\n-----END CERTIFICATE-----" };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct page *p = compare(view_str("x"), view_str(texts[i]));
		assert_int_equal(page_count(p), 0);
		page_free(p);
	}
	for (size_t n = 0; n < a.cert_der_n; n += 7) {
		struct page *p = compare(view_str("x"), view_of(a.cert_der, n));
		assert_int_equal(page_count(p), 0);
		page_free(p);
	}
	for (size_t i = 0; i < a.cert_der_n; i++) { /* damaged: an answer, and the page takes it */
		a.cert_der[i] ^= 0x55;
		page_free(compare(view_str("x"), view_of(a.cert_der, a.cert_der_n)));
		a.cert_der[i] ^= 0x55;
	}
	snprintf(text, sizeof text, "%.*s", (int)strlen(a.key_pem) - 20, a.key_pem); /* no end */
	struct page *p = compare(view_str("x"), view_str(text));
	assert_int_equal(page_count(p), 0);
	page_free(p);
	EVP_PKEY_free(a.key);
}

/* An object across the border of two reads. */
static void
borders(void **state)
{
	(void)state;
	struct made a = { 0 };
	size_t n = 3 * SOURCE_CHUNK;
	uint8_t *big = calloc(1, n);
	make(&a, NULL, "x", "x", 1);
	assert_non_null(big);
	for (size_t at = SOURCE_CHUNK - 600; at < SOURCE_CHUNK + 100; at += 150) {
		memset(big, 0, n);
		memcpy(big + at, a.cert_der, a.cert_der_n);
		struct page *p = compare(view_str("x"), view_of(big, n));
		const struct page_line *l = line(p, FINDING_CHG_CA_NEW, "CN=x");
		assert_true(l && l->offset == at && page_count(p) == 1);
		page_free(p);
	}
	free(big);
	EVP_PKEY_free(a.key);
}

static void
attempts_are_bounded(void **state)
{
	(void)state;
	size_t n = (CERT_TRIES_MAX + 10) * 16;
	uint8_t *big = calloc(1, n + 64);
	static const uint8_t start[] = { 0x30, 0x30, 2, 1, 0, 0x30, 0, 4 }; /* neither form */
	assert_non_null(big);
	for (size_t i = 0; i < n; i += 16)
		memcpy(big + i, start, sizeof start);
	struct page *p = compare(view_str("x"), view_of(big, n + 64));
	const struct page_line *l = line(p, FINDING_CHG_INCOMPLETE, "the new image");
	assert_true(l && l->block == PAGE_RED);
	page_free(p);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(authorities),
		cmocka_unit_test(private_keys),
		cmocka_unit_test(what_only_looks_like_it),
		cmocka_unit_test(borders),
		cmocka_unit_test(attempts_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
