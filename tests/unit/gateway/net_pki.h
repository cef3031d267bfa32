/* SPDX-License-Identifier: Apache-2.0 */
/* net_pki - certificates made on the spot, as PEM in memory. */
#ifndef FG_TESTS_NET_PKI_H
#define FG_TESTS_NET_PKI_H

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "unit/gateway/net_rig.h"

struct pki {
	X509 *cert;
	EVP_PKEY *key;
	char *cert_pem, *key_pem;
};

static inline char *
pki_text(BIO *bio)
{
	char *data, *text;
	long n = BIO_get_mem_data(bio, &data);
	assert_true(n > 0);
	text = calloc(1, (size_t)n + 1);
	assert_non_null(text);
	memcpy(text, data, (size_t)n);
	BIO_free(bio);
	return text;
}

static inline void
pki_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* issuer NULL: self-signed. usage: an extendedKeyUsage, or NULL. Valid around at_s. serial 0: the next one. */
static inline struct pki
pki_make(const char *name, bool rsa, const struct pki *issuer, bool ca, const char *usage, long serial, int64_t at_s)
{
	static long next = 1;
	struct pki p = { 0 };
	p.key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	p.cert = X509_new();
	assert_non_null(p.key);
	assert_non_null(p.cert);
	X509 *by = issuer ? issuer->cert : p.cert;
	assert_int_equal(X509_set_version(p.cert, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial ? serial : next++), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(p.cert), (time_t)(at_s - 86400)));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(p.cert), (time_t)(at_s + 86400)));
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(p.cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(p.cert, X509_get_subject_name(by)), 1);
	assert_int_equal(X509_set_pubkey(p.cert, p.key), 1);
	pki_extend(p.cert, by, NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (usage)
		pki_extend(p.cert, by, NID_ext_key_usage, usage);
	assert_true(X509_sign(p.cert, issuer ? issuer->key : p.key, EVP_sha256()) > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(bio, p.cert), 1);
	p.cert_pem = pki_text(bio);
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(bio, p.key, NULL, NULL, 0, NULL, NULL), 1);
	p.key_pem = pki_text(bio);
	return p;
}

/* issuer NULL: a CA. */
static inline struct pki
pki_new(const char *name, bool rsa, const struct pki *issuer, const char *usage, int64_t at_s)
{
	return pki_make(name, rsa, issuer, !issuer, usage, 0, at_s);
}

/* The CA's list of one revoked certificate (or none), good for an hour around at_s. free(). */
static inline char *
pki_crl(const struct pki *ca, const struct pki *revoked, int64_t at_s)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(at_s - 3600)), *to = ASN1_TIME_set(NULL, (time_t)(at_s + 3600));
	assert_int_equal(X509_CRL_set_version(crl, 1), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, to), 1);
	if (revoked) {
		X509_REVOKED *row = X509_REVOKED_new();
		assert_int_equal(X509_REVOKED_set_serialNumber(row, X509_get_serialNumber(revoked->cert)), 1);
		assert_int_equal(X509_REVOKED_set_revocationDate(row, from), 1);
		assert_int_equal(X509_CRL_add0_revoked(crl, row), 1);
	}
	assert_true(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_CRL_free(crl);
	return pki_text(bio);
}

static inline void
pki_free(struct pki *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	free(p->cert_pem);
	free(p->key_pem);
	*p = (struct pki){ 0 };
}

static inline struct tls_config
pki_config(const struct pki *p)
{
	return (struct tls_config){
		.pairs = { { view_str(p->cert_pem), view_str(p->key_pem) } },
		.n_pairs = 1,
		.suites = TLS_SUITES_LEGACY,
		.peer = TLS_PEER_NONE,
	};
}

static inline struct tls *
pki_tls(const struct tls_config *config)
{
	char why[TLS_WHY_MAX] = "";
	struct tls *tls = NULL;
	if (tls_new(config, &tls, why) != FG_OK)
		fail_msg("%s", why);
	return tls;
}

/*
 * Starts TLS on a connected client, with a session to resume or NULL. True when
 * the handshake succeeded on this side.
 */
static inline bool
pki_resume(struct rig *r, struct rig_client *c, SSL_CTX *ctx, SSL_SESSION *session)
{
	c->ssl = SSL_new(ctx);
	assert_non_null(c->ssl);
	if (session)
		assert_int_equal(SSL_set_session(c->ssl, session), 1);
	assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
	SSL_set_tlsext_host_name(c->ssl, "gate.example");
	for (int i = 0;; i++) {
		ERR_clear_error();
		int ok = SSL_connect(c->ssl);
		if (ok == 1)
			return true;
		int why = SSL_get_error(c->ssl, ok);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			return false;
		assert_true(i < RIG_PATIENCE);
		rig_pump(r);
		struct pollfd p = { c->fd, POLLIN, 0 };
		poll(&p, 1, 1);
	}
}

static inline bool
pki_handshake(struct rig *r, struct rig_client *c, SSL_CTX *ctx)
{
	return pki_resume(r, c, ctx, NULL);
}

#endif
