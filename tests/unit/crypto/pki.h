/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki - what the signature tests share: files of the test PKI that
 * tests/vectors/pki.sh made ($FG_VECTORS), known answers of other projects
 * ($FG_SHARED), and trust sets built from them.
 */
#ifndef FG_TESTS_UNIT_CRYPTO_PKI_H
#define FG_TESTS_UNIT_CRYPTO_PKI_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "crypto/trust.h"

#define PKI_NOW INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define PKI_FILE_MAX (8u << 20)

struct pki_blob {
	uint8_t *p;
	size_t n;
};

static inline struct view
pki_view(const struct pki_blob *b)
{
	return view_of(b->p, b->n);
}

static inline bool
pki_read(const char *dir, const char *name, struct pki_blob *ret)
{
	char *path = NULL;
	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	FILE *f = fopen(path, "rb");
	free(path);
	if (!f)
		return false;
	ret->p = malloc(PKI_FILE_MAX);
	assert_non_null(ret->p);
	ret->n = fread(ret->p, 1, PKI_FILE_MAX, f);
	fclose(f);
	/* Exact size, so that ASan sees a read one byte past the end. */
	uint8_t *exact = realloc(ret->p, ret->n ? ret->n : 1);
	assert_non_null(exact);
	ret->p = exact;
	return true;
}

/* A file of the test PKI; its absence is a failure, not a skip. */
static inline struct pki_blob
pki_load(const char *name)
{
	struct pki_blob b = { NULL, 0 };
	const char *dir = getenv("FG_VECTORS");
	if (!dir)
		fail_msg("FG_VECTORS is not set");
	if (!pki_read(dir, name, &b))
		fail_msg("%s/%s is missing", dir, name);
	return b;
}

/* A known answer of another project; the test is skipped where they are not to be had. */
static inline struct pki_blob
pki_shared(const char *name)
{
	char *dir = NULL;
	struct pki_blob b = { NULL, 0 };
	const char *shared = getenv("FG_SHARED");
	assert_true(asprintf(&dir, "%s/vectors", shared ? shared : "") > 0);
	bool here = pki_read(dir, name, &b);
	free(dir);
	if (!here) {
		print_message("skipped: %s is not in $FG_SHARED/vectors\n", name);
		skip();
	}
	return b;
}

static inline void
pki_enrol(struct trust *t, const char *name, struct pki_blob b)
{
	char why[SIG_TEXT_MAX] = "";
	int err = trust_add_pem(t, name, pki_view(&b), TRUST_SCHEME_NONE, why, sizeof why);
	free(b.p);
	if (err)
		fail_msg("%s: %d %s", name, err, why);
}

/* A set of the named certificates and CRLs, separated by blanks ("root crl-root"). */
static inline struct trust *
pki_trust(const char *names)
{
	struct trust *t = trust_new();
	char list[512], path[600];
	assert_non_null(t);
	snprintf(list, sizeof list, "%s", names);
	char *rest = list;
	for (char *name; (name = strsep(&rest, " "));) {
		snprintf(path, sizeof path, "cert/%s.pem", name);
		pki_enrol(t, name, pki_load(path));
	}
	return t;
}

static inline X509 *
pki_cert(const char *name)
{
	char path[600];
	snprintf(path, sizeof path, "cert/%s.pem", name);
	struct pki_blob b = pki_load(path);
	BIO *bio = BIO_new_mem_buf(b.p, (int)b.n);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	free(b.p);
	assert_non_null(x509);
	return x509;
}

static inline EVP_PKEY *
pki_private(const char *name)
{
	char path[600];
	snprintf(path, sizeof path, "key/%s.key", name);
	struct pki_blob b = pki_load(path);
	BIO *bio = BIO_new_mem_buf(b.p, (int)b.n);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	free(b.p);
	assert_non_null(pkey);
	return pkey;
}

static inline void
pki_outcome(const struct sig_result *r, enum sig_outcome expected, const char *what)
{
	if (r->outcome != expected)
		fail_msg("%s: %s instead of %s (%s)", what, sig_outcome_name(r->outcome),
		    sig_outcome_name(expected), r->detail);
}

#endif
