/* SPDX-License-Identifier: Apache-2.0 */
/* tls_peer - certificates of clients: by which CAs, against which revocation lists, and why not. */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "gateway/net/tls_private.h"

/* Anchors for client certificates, and their names for the request to the client. */
static bool
use_client_ca(SSL_CTX *ctx, struct view pem)
{
	bool bad = false;
	size_t n = 0;
	BIO *bio = tls_memory(pem);
	if (!bio)
		return false;
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	for (X509 *x; !bad && (x = tls_next_cert(bio, &bad)); n++) {
		if (X509_STORE_add_cert(store, x) != 1 || SSL_CTX_add_client_CA(ctx, x) != 1)
			bad = true;
		X509_free(x);
	}
	BIO_free(bio);
	/* An intermediate listed by name is meant as the anchor it is listed as. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return n > 0 && !bad;
}

/*
 * Lists of every CA. Whose list is missing is refused: the file that an attacker
 * would have to make disappear must not be what lets him in.
 */
static bool
use_crls(struct tls *tls, struct view pem)
{
	bool ok = true;
	BIO *bio = tls_memory(pem);
	X509_STORE *store = SSL_CTX_get_cert_store(tls->ctx);
	tls->crls = sk_X509_CRL_new_null();
	if (!bio || !tls->crls) {
		BIO_free(bio);
		return false;
	}
	for (X509_CRL *crl; ok && (crl = PEM_read_bio_X509_CRL(bio, NULL, tls_no_passphrase, NULL));) {
		ok = X509_STORE_add_crl(store, crl) == 1 && sk_X509_CRL_push(tls->crls, crl) > 0;
		if (!ok)
			X509_CRL_free(crl);
	}
	/* The end of the file, not something in it that cannot be read. */
	ok = ok && sk_X509_CRL_num(tls->crls) > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	if (ok)
		ERR_clear_error();
	BIO_free(bio);
	return ok && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
}

static struct tls_session *
session_of(X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	return SSL_get_app_data(ssl);
}

/*
 * OpenSSL looks at revocation before it looks at signatures: whoever copied a
 * revoked certificate's names would be called revoked. So what is wrong about
 * revocation is noted here and judged in verify_client, after all signatures.
 */
static int
on_verify(int ok, X509_STORE_CTX *ctx)
{
	struct tls_session *s = session_of(ctx);
	int err = X509_STORE_CTX_get_error(ctx);
	bool anchor = X509_STORE_CTX_get_error_depth(ctx) + 1 == sk_X509_num(X509_STORE_CTX_get0_chain(ctx));
	if (ok)
		return ok;
	switch (err) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		if (anchor) /* nobody but us vouches for it */
			return 1;
		break;
	case X509_V_ERR_CERT_REVOKED:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		break;
	default:
		return 0;
	}
	if (s->no_good != X509_V_ERR_CERT_REVOKED)
		s->no_good = err;
	return 1;
}

/* depth: of the certificate it is about; 0: the client's own. */
static enum tls_refusal
refusal_of(int err, int depth)
{
	switch (err) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		/* Dates of a CA are looked at before the signature it made: the client's certificate may be anybody's. */
		return depth == 0 ? TLS_REFUSAL_DATES : TLS_REFUSAL_UNTRUSTED;
	case X509_V_ERR_CERT_REVOKED:
		return TLS_REFUSAL_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return TLS_REFUSAL_NO_CRL;
	default:
		return TLS_REFUSAL_UNTRUSTED;
	}
}

/* The client's key is its identity: a renewed certificate keeps it. */
static bool
key_digest(X509 *x, uint8_t out[TLS_SPKI_LEN])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool ok = n > 0 && digest_sha256(view_of(der, (size_t)n), out) == FG_OK;
	OPENSSL_free(der);
	return ok;
}

/* Few sessions have a client certificate, so that those without do not pay for it. */
static bool
note_peer(struct tls_session *s, X509 *x)
{
	if (!s->peer)
		s->peer = malloc(TLS_SPKI_LEN);
	return s->peer && key_digest(x, s->peer);
}

/*
 * Signatures, dates and purposes without the lists. A list's own signature is
 * checked, over all of it, before the certificate's: whoever made his himself is
 * to be found out for less than that.
 */
static bool
is_ours(const struct tls *tls, X509_STORE_CTX *ctx)
{
	X509_STORE_CTX *plain = X509_STORE_CTX_new();
	bool ok = plain && X509_STORE_CTX_init(plain, SSL_CTX_get_cert_store(tls->ctx), X509_STORE_CTX_get0_cert(ctx),
	    X509_STORE_CTX_get0_untrusted(ctx)) == 1;
	if (ok) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(plain);
		ok = X509_VERIFY_PARAM_set1(param, X509_STORE_CTX_get0_param(ctx)) == 1 &&
		    X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1 &&
		    X509_verify_cert(plain) == 1;
	}
	if (!ok) {
		X509_STORE_CTX_set_error(ctx, plain ? X509_STORE_CTX_get_error(plain) : X509_V_ERR_OUT_OF_MEM);
		X509_STORE_CTX_set_error_depth(ctx, plain ? X509_STORE_CTX_get_error_depth(plain) : 0);
	}
	X509_STORE_CTX_free(plain);
	return ok;
}

/* The chain in ctx, whose anchors and lists are tls's. On false the session says why, and of whose key. */
static bool
judge(struct tls_session *s, const struct tls *tls, X509_STORE_CTX *ctx)
{
	s->no_good = X509_V_OK;
	bool good = (!tls->crls || is_ours(tls, ctx)) && X509_verify_cert(ctx) == 1;
	if (good) /* what on_verify let pass, for a while or for good */
		X509_STORE_CTX_set_error(ctx, s->no_good);
	if (good && s->no_good == X509_V_OK)
		return true;
	s->refusal = refusal_of(X509_STORE_CTX_get_error(ctx), X509_STORE_CTX_get_error_depth(ctx));
	if (!note_peer(s, X509_STORE_CTX_get0_cert(ctx)))
		s->refusal = TLS_REFUSAL_UNTRUSTED;
	return false;
}

static int
verify_client(X509_STORE_CTX *ctx, void *arg)
{
	struct tls_session *s = session_of(ctx);
	(void)arg;
	return judge(s, s->tls, ctx);
}

/* What OpenSSL asks at a handshake, asked again of tls. */
static bool
verifies_again(struct tls_session *s, const struct tls *tls, int64_t now_s)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	s->refusal = TLS_REFUSAL_UNTRUSTED;
	/* A resumed session has lost what was between its certificate and the anchor: one that needs it does not stand. */
	bool good = ctx && SSL_CTX_get_verify_mode(tls->ctx) != SSL_VERIFY_NONE &&
	    X509_STORE_CTX_init(ctx, SSL_CTX_get_cert_store(tls->ctx), SSL_get0_peer_certificate(s->ssl),
	        SSL_get_peer_cert_chain(s->ssl)) == 1 &&
	    X509_STORE_CTX_set_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx(), s->ssl) == 1 &&
	    X509_STORE_CTX_set_default(ctx, "ssl_client") == 1;
	if (good) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_auth_level(param, SSL_CTX_get_security_level(tls->ctx));
		good = X509_VERIFY_PARAM_set1(param, SSL_CTX_get0_param(tls->ctx)) == 1;
		X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
		X509_STORE_CTX_set_verify_cb(ctx, on_verify);
		good = good && judge(s, tls, ctx);
	}
	X509_STORE_CTX_free(ctx);
	if (good)
		s->refusal = TLS_REFUSAL_NONE;
	return good;
}

bool
tls_peer_stands(struct tls_session *s, struct tls *tls, int64_t now_s)
{
	if (s->tls == tls || !s->has_peer)
		return true;
	if (memcmp(s->tls->context, tls->context, sizeof tls->context) != 0 && !verifies_again(s, tls, now_s))
		return false;
	tls_free(s->tls);
	s->tls = tls_ref(tls);
	return true;
}

const char *
tls_peer_fill(struct tls *tls, const struct tls_config *config)
{
	int mode = SSL_VERIFY_PEER;
	switch (config->peer) {
	case TLS_PEER_NONE:
		SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_NONE, NULL);
		return NULL;
	case TLS_PEER_OPTIONAL:
		break;
	case TLS_PEER_REQUIRED:
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
		break;
	case TLS_PEER_UNKNOWN:
	default:
		return "whether client certificates are asked for is not said";
	}
	SSL_CTX_set_verify(tls->ctx, mode, on_verify);
	SSL_CTX_set_cert_verify_callback(tls->ctx, verify_client, NULL);
	if (!use_client_ca(tls->ctx, config->client_ca_pem))
		return "client_ca cannot be used: certificates in PEM, at least one";
	if (config->client_crl_pem.n && !use_crls(tls, config->client_crl_pem))
		return "client_crl cannot be used: revocation lists in PEM (openssl crl -inform DER -in LIST makes one)";
	return NULL;
}

bool
tls_peer_take(struct tls_session *s)
{
	X509 *x = SSL_get1_peer_certificate(s->ssl);
	if (!x)
		return true;
	s->has_peer = SSL_get_verify_result(s->ssl) == X509_V_OK && note_peer(s, x);
	X509_free(x);
	return s->has_peer;
}

bool
tls_peer_revoked(const struct tls *tls, const struct tls_session *s)
{
	if (!s->open) /* a handshake that has begun is judged by what stood then */
		return s->tls != tls && (s->tls->psk || SSL_CTX_get_verify_mode(s->tls->ctx) != SSL_VERIFY_NONE);
	if (s->psk && !tls_psk_holds(tls, s))
		return true;
	X509 *x = s->has_peer ? SSL_get0_peer_certificate(s->ssl) : NULL;
	for (int i = 0; x && i < sk_X509_CRL_num(tls->crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(tls->crls, i);
		X509_REVOKED *row;
		/* 2 would be: taken off the list again */
		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(x)) == 0 &&
		    X509_CRL_get0_by_cert(crl, &row, x) == 1)
			return true;
	}
	return false;
}

const char *
tls_peer_refusal_name(enum tls_refusal refusal)
{
	static const char *const names[] = {
		[TLS_REFUSAL_NONE] = "none",
		[TLS_REFUSAL_UNTRUSTED] = "untrusted",
		[TLS_REFUSAL_DATES] = "not yet or no longer valid",
		[TLS_REFUSAL_REVOKED] = "revoked",
		[TLS_REFUSAL_NO_CRL] = "no current revocation list of its CA",
	};
	return (unsigned)refusal < sizeof names / sizeof names[0] ? names[refusal] : "none";
}
