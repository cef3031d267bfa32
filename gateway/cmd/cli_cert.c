/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_cert.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "policy/cidr.h"
#include "policy/profile.h"

#define RSA_BITS 2048
#define SERIAL_LEN 16
#define SKEW 3600 /* a module's clock may be behind ours */

bool
cli_cert_name(const char *name)
{
	char normal[PROFILE_HOST_MAX + 1];
	struct cidr_addr address;
	return cidr_addr_parse(view_str(name), &address) ||
	    (profile_host_normal(view_str(name), normal) && strcmp(normal, name) == 0 && name[0] != '[');
}

static bool
set_serial(X509 *x)
{
	uint8_t bytes[SERIAL_LEN];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* positive, and always of the same length */
	BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool good = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return good;
}

static bool
set_name(X509 *x, const char *cn)
{
	X509_NAME *name = X509_NAME_new();
	bool good = name &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0) == 1 &&
	    X509_set_subject_name(x, name) == 1 && X509_set_issuer_name(x, name) == 1;
	X509_NAME_free(name);
	return good;
}

static bool
extend(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	bool good = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return good;
}

static bool
set_names(X509 *x, const char *const *names, unsigned n)
{
	struct writer w;
	size_t length;
	writer_init(&w, 8192);
	for (unsigned i = 0; i < n; i++) {
		struct cidr_addr address;
		writer_textf(&w, "%s%s:%s", i ? "," : "", cidr_addr_parse(view_str(names[i]), &address) ? "IP" : "DNS",
		    names[i]);
	}
	char *list = (char *)writer_take(&w, &length);
	bool good = list && extend(x, NID_subject_alt_name, list);
	free(list);
	writer_free(&w);
	return good;
}

static X509 *
make(EVP_PKEY *key, const char *const *names, unsigned n, int64_t now, int64_t days)
{
	X509 *x = X509_new();
	bool good = x && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_name(x, names[0]) &&
	    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now - SKEW)) &&
	    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(now + days * 86400)) && X509_set_pubkey(x, key) == 1 &&
	    extend(x, NID_basic_constraints, "critical,CA:FALSE") &&
	    extend(x, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
	    extend(x, NID_ext_key_usage, "serverAuth") && extend(x, NID_subject_key_identifier, "hash") &&
	    set_names(x, names, n) && X509_sign(x, key, EVP_sha256()) > 0;
	if (good)
		return x;
	X509_free(x);
	return NULL;
}

/* What bio holds, onto w. */
static void
drain(BIO *bio, struct writer *w)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	if (n > 0)
		writer_bytes(w, view_of(p, (size_t)n));
}

int
cli_cert_make(const char *const *names, unsigned n, int64_t now, int64_t days, struct writer *cert, struct writer *key)
{
	EVP_PKEY *pair = EVP_RSA_gen(RSA_BITS);
	X509 *x = pair ? make(pair, names, n, now, days) : NULL;
	BIO *public = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
	int err = FG_ECRYPTO;
	if (x && public && secret && PEM_write_bio_X509(public, x) == 1 &&
	    PEM_write_bio_PrivateKey(secret, pair, NULL, NULL, 0, NULL, NULL) == 1) {
		drain(public, cert);
		drain(secret, key);
		err = writer_err(cert) ? writer_err(cert) : writer_err(key);
	}
	BIO_free(public);
	BIO_free(secret);
	X509_free(x);
	EVP_PKEY_free(pair);
	return err;
}
