/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/err.h"
#include "images/trustset.h"

/* PEM of a fresh key, public or private. */
static char *
pem(EVP_PKEY *key, bool private_)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	assert_int_equal(private_ ? PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) :
				    PEM_write_bio_PUBKEY(b, key), 1);
	long n = BIO_get_mem_data(b, &p);
	char *copy = strndup(p, (size_t)n);
	BIO_free(b);
	return copy;
}

static char *
public_pem(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *text = pem(key, false);
	EVP_PKEY_free(key);
	return text;
}

static int
load(const struct writer *w, size_t n, struct trust **ret, char why[256])
{
	/* Exactly n bytes, so that a read beyond them is seen. */
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, writer_view(w).p, n);
	int err = trustset_load(view_of(copy, n), ret, why, 256);
	free(copy);
	return err;
}

static void
what_was_written_is_enrolled(void **state)
{
	(void)state;
	struct writer w;
	struct trust *t = NULL;
	char why[256] = "", *a = public_pem(), *b = public_pem();
	writer_init(&w, TRUSTSET_MAX);
	trustset_begin(&w);
	trustset_add(&w, "a.pem", TRUST_SCHEME_NONE, view_str(a));
	trustset_add(&w, "b.pem", TRUST_ECDSA_FIXED, view_str(b));
	trustset_end(&w);
	assert_int_equal(writer_err(&w), 0);
	assert_int_equal(load(&w, w.n, &t, why), 0);
	assert_int_equal(trust_keys(t), 2);
	assert_string_equal(trust_key_at(t, 0)->name, "a.pem");
	assert_int_equal(trust_key_at(t, 0)->scheme, TRUST_ECDSA_DER);
	assert_int_equal(trust_key_at(t, 1)->scheme, TRUST_ECDSA_FIXED);
	trust_free(t);
	/* Every shorter one is refused, and says so. */
	for (size_t n = 0; n < w.n; n++) {
		t = NULL;
		assert_int_equal(load(&w, n, &t, why), FG_EFORMAT);
		assert_null(t);
		assert_true(why[0] != '\0');
	}
	writer_u8(&w, 0);
	assert_int_equal(load(&w, w.n, &t, why), FG_EFORMAT);
	assert_string_equal(why, "the trust bundle is malformed");
	writer_free(&w);
	free(a);
	free(b);
}

static void
nothing_is_a_set_too(void **state)
{
	(void)state;
	struct writer w;
	struct trust *t = NULL;
	char why[256];
	writer_init(&w, TRUSTSET_MAX);
	trustset_begin(&w);
	trustset_end(&w);
	assert_int_equal(load(&w, w.n, &t, why), 0);
	assert_int_equal(trust_keys(t) + trust_certs(t) + trust_crls(t), 0);
	trust_free(t);
	writer_free(&w);
}

static void
what_may_not_be_an_anchor_refuses_all(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *private_ = pem(key, true), *fine = pem(key, false), why[256];
	const struct { const char *name, *text; } bad[] = {
		{ "private.pem", private_ },
		{ "cut.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n" },
		{ "empty.pem", "" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct writer w;
		struct trust *t = NULL;
		writer_init(&w, TRUSTSET_MAX);
		trustset_begin(&w);
		trustset_add(&w, "fine.pem", TRUST_SCHEME_NONE, view_str(fine));
		trustset_add(&w, bad[i].name, TRUST_SCHEME_NONE, view_str(bad[i].text));
		trustset_end(&w);
		assert_int_equal(load(&w, w.n, &t, why), FG_EFORMAT);
		assert_null(t);
		assert_non_null(strstr(why, bad[i].name));
		writer_free(&w);
	}
	free(private_);
	free(fine);
	EVP_PKEY_free(key);
}

static void
hostile_fields(void **state)
{
	(void)state;
	struct writer w;
	struct trust *t = NULL;
	char why[256], *a = public_pem();
	/* scheme out of range, name empty, name with a NUL, length beyond the end */
	for (unsigned i = 0; i < 4; i++) {
		writer_init(&w, TRUSTSET_MAX);
		trustset_begin(&w);
		writer_u8(&w, 1);
		writer_blob(&w, i == 1 ? view_str("") : i == 2 ? view_of("a\0b", 3) : view_str("a"));
		writer_u8(&w, i == 0 ? TRUST_ED25519 + 1 : 0);
		writer_u32(&w, i == 3 ? 0xffffffff : (uint32_t)strlen(a));
		writer_text(&w, a);
		trustset_end(&w);
		assert_int_equal(load(&w, w.n, &t, why), FG_EFORMAT);
		writer_free(&w);
	}
	free(a);
	assert_int_equal(trustset_load(view_str("FGTS\2"), &t, why, sizeof why), FG_EFORMAT);
	assert_int_equal(trustset_load(view_str("FGTT\1"), &t, why, sizeof why), FG_EFORMAT);
}

static void
writer_refuses_what_reader_would(void **state)
{
	(void)state;
	struct writer w;
	char name[TRUST_NAME_MAX + 1];
	memset(name, 'a', sizeof name);
	name[TRUST_NAME_MAX] = '\0';
	writer_init(&w, TRUSTSET_MAX);
	trustset_begin(&w);
	trustset_add(&w, name, TRUST_SCHEME_NONE, view_str("x"));
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	writer_reset(&w);
	trustset_begin(&w);
	trustset_add(&w, "", TRUST_SCHEME_NONE, view_str("x"));
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_enrolled),
		cmocka_unit_test(nothing_is_a_set_too),
		cmocka_unit_test(what_may_not_be_an_anchor_refuses_all),
		cmocka_unit_test(hostile_fields),
		cmocka_unit_test(writer_refuses_what_reader_would),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
