/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/trust.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/trust_internal.h"
#include "crypto/tufmeta.h"

static const char *const scheme_names[] = {
	[TRUST_SCHEME_NONE] = "none",
	[TRUST_RSA_PKCS1_SHA256] = "rsa-pkcs1v15-sha256",
	[TRUST_RSA_PKCS1_SHA384] = "rsa-pkcs1v15-sha384",
	[TRUST_RSA_PKCS1_SHA512] = "rsa-pkcs1v15-sha512",
	[TRUST_RSA_PSS_SHA256] = "rsa-pss-sha256",
	[TRUST_RSA_PSS_SHA384] = "rsa-pss-sha384",
	[TRUST_RSA_PSS_SHA512] = "rsa-pss-sha512",
	[TRUST_ECDSA_DER] = "ecdsa-der",
	[TRUST_ECDSA_FIXED] = "ecdsa-fixed",
	[TRUST_ED25519] = "ed25519",
	[TRUST_RSA_PSS_SHA256_LONG] = "rsa-pss-sha256-long",
};

#define SCHEMES (sizeof scheme_names / sizeof scheme_names[0])

bool
trust_key_for(const struct trust_key *key, enum trust_tool tool)
{
	return key->tool == TRUST_TOOL_ANY || key->tool == tool;
}

enum pubkey_kind
trust_scheme_kind(enum trust_scheme scheme)
{
	switch (scheme) {
	case TRUST_SCHEME_NONE:
		break;
	case TRUST_RSA_PKCS1_SHA256:
	case TRUST_RSA_PKCS1_SHA384:
	case TRUST_RSA_PKCS1_SHA512:
	case TRUST_RSA_PSS_SHA256:
	case TRUST_RSA_PSS_SHA384:
	case TRUST_RSA_PSS_SHA512:
	case TRUST_RSA_PSS_SHA256_LONG:
		return PUBKEY_RSA;
	case TRUST_ECDSA_DER:
	case TRUST_ECDSA_FIXED:
		return PUBKEY_EC;
	case TRUST_ED25519:
		return PUBKEY_ED25519;
	}
	return PUBKEY_OTHER;
}

const char *
trust_scheme_name(enum trust_scheme scheme)
{
	return (size_t)scheme < SCHEMES ? scheme_names[scheme] : scheme_names[TRUST_SCHEME_NONE];
}

enum trust_scheme
trust_scheme_parse(const char *word)
{
	for (size_t i = TRUST_SCHEME_NONE + 1; word && i < SCHEMES; i++)
		if (strcmp(word, scheme_names[i]) == 0)
			return (enum trust_scheme)i;
	return TRUST_SCHEME_NONE;
}

struct trust *
trust_new(void)
{
	return calloc(1, sizeof(struct trust));
}

void
trust_free(struct trust *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->cert_n; i++)
		X509_free(t->cert[i].x509);
	for (size_t i = 0; i < t->crl_n; i++)
		X509_CRL_free(t->crl[i].crl);
	for (size_t i = 0; i < t->bare_n; i++)
		EVP_PKEY_free(t->bare[i].key.pkey);
	for (size_t i = 0; i < t->pinned_n; i++)
		tufmeta_free(t->pinned[i].root.meta);
	free(t);
}

static bool
holds_cert(const struct trust *t, const uint8_t id[DIGEST_SHA256_LEN])
{
	for (size_t i = 0; i < t->cert_n; i++)
		if (memcmp(t->cert[i].id, id, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

static bool
holds_crl(const struct trust *t, const uint8_t id[DIGEST_SHA256_LEN])
{
	for (size_t i = 0; i < t->crl_n; i++)
		if (memcmp(t->crl[i].id, id, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

static bool
holds_bare(const struct trust *t, const uint8_t id[DIGEST_SHA256_LEN])
{
	for (size_t i = 0; i < t->bare_n; i++)
		if (memcmp(t->bare[i].id, id, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

static bool
holds_root(const struct trust *t, const uint8_t id[DIGEST_SHA256_LEN])
{
	for (size_t i = 0; i < t->pinned_n; i++)
		if (memcmp(t->pinned[i].id, id, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

/*
 * Moves the objects of batch into t; there is room. An object that is there
 * already (a root is often in several files) keeps its first name.
 */
static void
merge(struct trust *t, struct trust *batch)
{
	for (size_t i = 0; i < batch->cert_n; i++) {
		if (holds_cert(t, batch->cert[i].id))
			continue;
		t->cert[t->cert_n++] = batch->cert[i];
		batch->cert[i].x509 = NULL;
	}
	for (size_t i = 0; i < batch->crl_n; i++) {
		if (holds_crl(t, batch->crl[i].id))
			continue;
		t->crl[t->crl_n++] = batch->crl[i];
		batch->crl[i].crl = NULL;
	}
	for (size_t i = 0; i < batch->bare_n; i++) {
		if (holds_bare(t, batch->bare[i].id))
			continue;
		t->bare[t->bare_n++] = batch->bare[i];
		batch->bare[i].key.pkey = NULL;
	}
	for (size_t i = 0; i < batch->pinned_n; i++) {
		if (holds_root(t, batch->pinned[i].id))
			continue;
		t->pinned[t->pinned_n++] = batch->pinned[i];
		batch->pinned[i].root.meta = NULL;
	}
}

static size_t
items(const struct trust *t)
{
	return t->cert_n + t->crl_n + t->bare_n;
}

int
trust_add_pem(struct trust *t, const char *name, struct view pem, enum trust_scheme scheme,
    char *ret_why, size_t cap)
{
	struct trust *batch = trust_new();
	if (!batch)
		return FG_ENOMEM;
	int err = trust_enrol_pem(batch, name, pem, scheme, ret_why, cap);
	if (!err && items(batch) > TRUST_ITEMS_MAX - items(t)) {
		snprintf(ret_why, cap, "more than %d objects in one trust set", TRUST_ITEMS_MAX);
		err = FG_ELIMIT;
	}
	if (!err && batch->pinned_n > TRUST_ROOTS_MAX - t->pinned_n) {
		snprintf(ret_why, cap, "more than %d TUF roots in one trust set", TRUST_ROOTS_MAX);
		err = FG_ELIMIT;
	}
	if (!err)
		merge(t, batch);
	trust_free(batch);
	return err;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SHA256_LEN);
}

int
trust_digest(const struct trust *t, uint8_t out[DIGEST_SHA256_LEN])
{
	uint8_t ids[TRUST_ITEMS_MAX + TRUST_ROOTS_MAX][DIGEST_SHA256_LEN];
	size_t n = 0;
	for (size_t i = 0; i < t->cert_n; i++)
		memcpy(ids[n++], t->cert[i].id, DIGEST_SHA256_LEN);
	for (size_t i = 0; i < t->crl_n; i++)
		memcpy(ids[n++], t->crl[i].id, DIGEST_SHA256_LEN);
	for (size_t i = 0; i < t->bare_n; i++)
		memcpy(ids[n++], t->bare[i].id, DIGEST_SHA256_LEN);
	for (size_t i = 0; i < t->pinned_n; i++)
		memcpy(ids[n++], t->pinned[i].id, DIGEST_SHA256_LEN);
	qsort(ids, n, sizeof ids[0], compare_ids);
	return digest_sha256(view_of(ids, n * sizeof ids[0]), out);
}

size_t
trust_certs(const struct trust *t)
{
	return t->cert_n;
}

size_t
trust_crls(const struct trust *t)
{
	return t->crl_n;
}

size_t
trust_keys(const struct trust *t)
{
	return t->bare_n;
}

const struct trust_key *
trust_key_at(const struct trust *t, size_t i)
{
	return i < t->bare_n ? &t->bare[i].key : NULL;
}

size_t
trust_roots(const struct trust *t)
{
	return t->pinned_n;
}

const struct trust_root *
trust_root_at(const struct trust *t, size_t i)
{
	return i < t->pinned_n ? &t->pinned[i].root : NULL;
}

X509 *
trust_cert_at(const struct trust *t, size_t i)
{
	return i < t->cert_n ? t->cert[i].x509 : NULL;
}
